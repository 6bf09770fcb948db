/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CPU_INTERRUPT_H
#define CPU_INTERRUPT_H

#include <stddef.h>

/*
 * Whether a frame of that name, `len` bytes long, is where an interrupt enters the kernel. It and
 * what lies on it say how busy the machine was; the time is charged to the frame that it came upon.
 */
int interrupt_is_entry(const char *name, size_t len);

#endif

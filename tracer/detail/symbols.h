/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_DETAIL_SYMBOLS_H
#define TRACER_DETAIL_SYMBOLS_H

#include <stdint.h>

#include "common/base/out.h"

/*
 * Writes the value of an argument in symbols, as strace does, by its letter in syscalls.def.
 * Returns 0, without output, for a letter that stands for a plain number. What has no name is
 * written in hex.
 */
int symbols_argument(struct out *o, char letter, uint32_t value);

#endif

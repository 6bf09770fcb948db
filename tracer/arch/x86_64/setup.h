/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_ARCH_X86_64_SETUP_H
#define TRACER_ARCH_X86_64_SETUP_H

/* For setup_code.S: linux/mman.h has declarations too, which an assembler does not take. setup.c
 * compares. */
#define SETUP_PROT_RX         5        /* PROT_READ | PROT_EXEC */
#define SETUP_PROT_RW         3        /* PROT_READ | PROT_WRITE */
#define SETUP_MAP_SHARED      0x100001 /* MAP_SHARED | MAP_FIXED_NOREPLACE */
#define SETUP_MAP_OWN         0x100022 /* MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE */
#define SETUP_MADV_DONTFORK   10
#define SETUP_MADV_DONTDUMP   16
#define SETUP_MADV_WIPEONFORK 18

#endif

/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_ARCH_X86_64_FUNCTIONS_H
#define TRACER_ARCH_X86_64_FUNCTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "tracer/arch/x86_64/ranges.h"

/*
 * Where the functions of an ELF file begin and end, as its unwind table (.eh_frame_hdr) and its
 * symbols tell, and the bytes of its code. Nothing in the file is believed without a check of its
 * bounds; what makes no sense is as if it were not there.
 */
struct functions;

/* fd is kept by the caller, and is not used afterwards. NULL: no ELF file of x86-64. */
struct functions *functions_open(int fd);
void functions_free(struct functions *f); /* takes NULL */

/* The address of the byte at that file offset in an executable segment, or UINT64_MAX. */
uint64_t functions_address(const struct functions *f, uint64_t file_offset);
/* The file is there again: its code is read from fd, which is kept by the caller. -1: no more. It
 * is not kept open in between: that would keep its file system from being unmounted. */
void functions_read_from(struct functions *f, int fd);
/* Copies code; returns how many bytes from addr on are in that executable segment, at most len. */
size_t functions_code(const struct functions *f, uint64_t addr, uint8_t *buf, size_t len);
/* Those that begin before `until` and not much before `from`, by start; at most max. */
size_t functions_near(
	const struct functions *f, uint64_t from, uint64_t until, struct function *ret, size_t max);
/* 1 and *ret: the function that addr is in. */
int functions_at(const struct functions *f, uint64_t addr, struct function *ret);

#endif

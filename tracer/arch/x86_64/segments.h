/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_ARCH_X86_64_SEGMENTS_H
#define TRACER_ARCH_X86_64_SEGMENTS_H

#include <libelf.h>
#include <stddef.h>
#include <stdint.h>

/* What an ELF file of x86-64 loads, and its bytes by their address. */
#define SEGMENTS_MAX 16
struct segments {
	int fd; /* of the file, as long as it is read; else -1 */
	struct segment {
		uint64_t addr, offset, bytes;
		int executable;
	} at[SEGMENTS_MAX];
	size_t len;
};

/* Fills all but fd; *ret_unwind is the address of the index of unwind ranges, if there is one. -1:
 * no such file. */
int segments_read(struct segments *s, Elf *elf, uint64_t *ret_unwind);
/* Copies bytes; returns how many from addr on are in that segment, at most len. code: of an
 * executable one. */
size_t segments_bytes(const struct segments *s, uint64_t addr, void *buf, size_t len, int code);
int segments_is_code(const struct segments *s, uint64_t addr);
/* The address of the byte at that file offset in an executable segment, or UINT64_MAX. */
uint64_t segments_address(const struct segments *s, uint64_t file_offset);

#endif

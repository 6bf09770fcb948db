/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_STACKS_ELF_OPEN_H
#define TRACER_STACKS_ELF_OPEN_H

#include "common/base/map.h"
#include "tracer/filler.h"

/*
 * Files of code for elfutils, which maps them: what a traced process may have to provide first
 * (filler.h) would be waited for at any access. Zeroed; the filler is the caller's, and set once
 * there may be such a process.
 */
struct elf_open {
	struct filler *filler;
	struct map late; /* map_text_key() of a path: it was not to be had in time */
};

/* A descriptor of that file, the caller's, or of a copy of it; -1: there is none to be had. */
int elf_open(struct elf_open *e, const char *path);
void elf_open_release(struct elf_open *e);

#endif

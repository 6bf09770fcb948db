/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_FAST_PATCH_H
#define TRACER_FAST_PATCH_H

#include "tracer/fast/remote.h"

/*
 * Leads call sites to the stub: gives them a trampoline, and changes the program's code where that
 * is proven to be safe.
 */

/* 1 if the site has a trampoline, made now if need be. t is in a seccomp stop at it (ip is past the
 * call); a new page for trampolines takes calls of its own: then *ret_moved is 1, and the thread is
 * before the call again. -ESRCH: the thread is gone. */
int patch_tramp(struct session *s, struct tracee *t, struct site *site, int *ret_moved);
/* Changes the code at the site so that it jumps to its trampoline, or notes why not. */
void patch_site(struct session *s, struct tracee *t, struct site *site);
/* At the first call of a site, the first in its mapping: patches what is worth it by the experience
 * with other processes, in all that are mapped. */
void patch_known(struct session *s, struct tracee *t, uint64_t addr);
/* Where a page for trampolines near that address can be mapped; 0: nowhere in reach. */
uint64_t patch_free_page(const struct tracee *t, uint64_t near);
/* 1 if there is a call instruction at a patched site again: other code was mapped there. 0 too for
 * a thread that stopped at it just before it was patched. */
int patch_is_gone(const struct tracee *t, const struct site *site);
void patch_forget_files(struct fast *f);
/* What is known of the space's mappings. */
void patch_forget_code(struct fast_space *fs);

#endif

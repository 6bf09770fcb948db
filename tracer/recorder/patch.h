/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RECORDER_PATCH_H
#define TRACER_RECORDER_PATCH_H

#include "tracer/recorder/plan.h"
#include "tracer/recorder/remote.h"

/*
 * Leads call sites to the stub: gives them a trampoline, and changes the program's code where that
 * is proven to be safe.
 */

/* 1 if what is mapped may be looked at, as all below do. A process that has many mappings, and
 * makes calls from ever new places or puts its code back, would have the tracer do nothing else: of
 * what takes long no more than a twentieth of the time. */
int patch_may_look(const struct tracee *t);
/* 1 if the site has a trampoline, made now if need be. t is in a seccomp stop at it (ip is past the
 * call); a new page for trampolines takes calls of its own: then *ret_moved is 1, and the thread is
 * before the call again. -ESRCH: the thread is gone. */
int patch_tramp(struct recorder *f, struct tracee *t, struct site *site, int *ret_moved);
/* Changes the code at the site so that it jumps to its trampoline, or notes why not. */
void patch_site(struct recorder *f, struct tracee *t, struct site *site);
/* At the first call of a site, the first in its mapping: patches what is worth it by the experience
 * with other processes, in all that are mapped. */
void patch_known(struct recorder *f, struct tracee *t, uint64_t addr);
/* 1 if another process has called the site before, which is noted of its file: then this call is as
 * good as its second. */
int patch_was_called(struct recorder *f, struct tracee *t, uint64_t addr);
/* Where a page for trampolines near that address can be mapped; 0: nowhere in reach. */
uint64_t patch_free_page(const struct tracee *t, uint64_t near);
/* Writes code over what is there by `write` (remote_write), whole at once where no other thread
 * runs in the mm, else so that none meets half of it. 0 or what write returned. */
int patch_change(int (*write)(const struct tracee *t, uint64_t addr, const void *buf, size_t len),
	const struct tracee *t, uint64_t addr, const uint8_t *code, size_t len);
/* 1 if memory (check_len bytes from check_at) holds what the plan was made for, or our changes. */
int patch_is_as_in_file(const struct sites *sites, const struct plan *plan, const uint8_t *there);
/* 1 if the site's change is in the code; else other code was mapped there. */
int patch_is_there(const struct tracee *t, const struct site *site);
/* 1 if the padding that leads to the site's trampoline holds our jump. */
int patch_hop_is_there(const struct tracee *t, const struct site *site);
/* Writes back what was at all sites of the mm; t is stopped. Other threads may be on their way
 * through trampolines, which stay. */
void patch_take_back(const struct tracee *t);
/* The same where the change is in that range, with the padding: what is there goes elsewhere. */
void patch_take_back_in(const struct tracee *t, uint64_t from, uint64_t until);
/* After patch_take_back(), when no thread is on its way any more: the padding too is what it was.
 */
void patch_clear_padding(const struct tracee *t);
/* What is known of the mm's mappings. */
void patch_forget_code(struct recorder_mm *rm);

/* ---- copies of changed code: copies.c ---- */

/* The site was changed: a copy of that may be made from now on, and outlive it. */
void copies_note(const struct tracee *t, const struct site *site);
/* 1 if a jump that leads so far stands for other code somewhere. */
int copies_look_alike(const struct sites *s, int64_t leads, const uint8_t was[ARCH_JUMP_BYTES]);
/* A fault of t at ip. If it came there from a copy of changed code, whose jump leads elsewhere, the
 * copy becomes what the code was. is_nothing: there is nothing at ip to be executed; else only a
 * copy that lacks what its jump leads to is looked for. Where t goes on: in the copy, or where that
 * cannot be written (a file's shared mapping) at the site's trampoline; 0: it was no copy. */
uint64_t copies_take_back(const struct tracee *t, uint64_t ip, int is_nothing);

/* 1 if a copy that began there was put back of late. */
int copies_put_back_at(const struct sites *s, uint64_t at);

#endif

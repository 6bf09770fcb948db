/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_SYS_SET_H
#define TRACER_SYS_SET_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "tracer/syscalls.h"

/* The calls that --trace or --detail-trace selects. */
struct sys_set {
	uint8_t all;  /* everything but what is excluded, numbers without a name too */
	uint8_t *has; /* by row index, sys_count() at parse time */
	size_t len;
};

/*
 * As strace(1) has it: names, %classes (some without %), numbers, /regex, ?x where x may be
 * unknown, `all`, `none` alone; a leading ! is of the whole list. And more: %io, and !x in a list
 * takes x out of what stands before it.
 *
 *	"sendmmsg,write"   "%io,!poll"   "all,!mmap"   "!mmap,brk"   "trace=%network,/^epoll"
 *
 * -EINVAL names the unknown word and offers the nearest name, or says that nothing is left: that
 * is refused but for "none", "!all" and words with ?. The set is released by the caller.
 */
int sys_set_parse(struct sys_set *set, const char *spec, struct err *err);
int sys_set_has(const struct sys_set *set, const struct sys_def *def);
/* 1 if both have a call. */
int sys_set_meets(const struct sys_set *a, const struct sys_set *b);
int sys_set_is_empty(const struct sys_set *set);
void sys_set_release(struct sys_set *set);

#endif

/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RECORDER_OURS_H
#define TRACER_RECORDER_OURS_H

#include <stdint.h>

struct recorder;
struct mm;
struct tracee;

/*
 * Memory of ours in a program's address space, and the program's calls that reach into it: to the
 * program it is a hole, where nothing is mapped.
 */
struct ours_range {
	uint64_t start, end;
};

/* The lowest range of ours that ends above `from`; 0: none. */
int ours_next(const struct mm *mm, uint64_t from, struct ours_range *ret);

enum ours {
	OURS_NOT,   /* the call goes on */
	OURS_OVER,  /* it was made for what is the program's: ev.ret is its result, no exit comes */
	OURS_AGAIN, /* the program maps there: the recorder has left the mm, and the thread is
		     * before the call again; or it is gone */
};

/* At the entry of a call in t->ev that works on an address range. */
enum ours ours_entry(struct recorder *f, struct tracee *t);

#endif

/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CPU_FOLD_H
#define CPU_FOLD_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/out.h"
#include "cpu/intern.h"

/*
 * Folds the text of `perf script -F comm,pid,tid,time,event,ip,sym,dso`, piece by piece, as it
 *comes. Memory is that of the distinct stacks, not of the samples.
 *
 *	struct fold f;
 *	fold_init(&f);
 *	fold_feed(&f, buf, n);  ...  fold_end(&f);
 *	fold_write(&f, &out);
 *	fold_release(&f);
 *
 * The forms of other versions and fields are read too: with or without tid, CPU, time, period and
 * offsets, a lone frame on the line of the event, comments, PERF_RECORD_LOST. What is neither is
 * counted in unreadable_lines and left out.
 */
struct fold_frame {
	const char *name;   /* as it stands in the folded file */
	const char *module; /* NULL: unknown; of a comm, the name as the thread has it */
	int unknown;        /* no symbol */
	int comm;           /* a thread's name, at the root of a stack */
};

struct fold_thread {
	int64_t pid, tid;
	uint32_t comm; /* frame, when last seen */
	uint64_t samples;
};

struct fold {
	struct intern texts;  /* frames as perf prints them, to save the parsing */
	struct intern frames; /* name and module */
	struct intern stacks; /* arrays of frames, root first */
	struct intern threads;
	struct intern events;
	struct {
		uint32_t *at;
		size_t len, cap;
	} text_frame; /* of texts */
	struct {
		struct fold_frame *at;
		size_t len, cap;
	} frame;
	struct {
		uint64_t *at;
		size_t len, cap;
	} stack_samples, event_samples;
	struct {
		struct fold_thread *at;
		size_t len, cap;
	} thread;
	struct {
		uint32_t *at;
		size_t len, cap;
	} now; /* the sample that is being read: its frames, leaf first, then the comm */
	struct {
		char *at;
		size_t len, cap;
	} rest; /* of a line whose end has not come yet */
	uint32_t now_comm;
	int in_sample, too_long;
	uint64_t samples, without_stack, lost, unreadable_lines;
	char perf_version[32]; /* of the header that --header prints; may be empty */
};

void fold_init(struct fold *f);
void fold_release(struct fold *f);
void fold_feed(struct fold *f, const char *p, size_t n);
void fold_end(struct fold *f);

/* The frames of stack i, root (the comm) first. */
const uint32_t *fold_stack(const struct fold *f, size_t i, size_t *ret_len);
/* "comm;frame;frame count" a line, sorted, each stack once. */
void fold_write(const struct fold *f, struct out *o);
/* The event that most samples name, NULL without samples. */
const char *fold_event(const struct fold *f);

#endif

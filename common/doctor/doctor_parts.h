/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef DOCTOR_PARTS_H
#define DOCTOR_PARTS_H

#include <stddef.h>

#include "common/doctor/doctor_facts.h"

/* Between the files of doctor. */

/* ---- doctor_try.c: things that are tried in a child, which may hang or be killed ---- */

/*
 * Runs fn in a child; what it writes to result (size bytes) is seen here also when the child does
 * not end well. Returns 0, -ETIMEDOUT (the child and what it started are killed then), another
 * negative errno, or the number of the signal that ended the child.
 */
int doctor_in_child(
	void (*fn)(const void *arg, void *result), const void *arg, void *result, size_t size);

void doctor_try_ptrace(struct doctor_trial *ret);
void doctor_try_attach(int perf, struct doctor_trial *ret);
void doctor_try_seccomp(struct doctor_trial *ret);
/* cycles 1: hardware cycles; 0: the software event cpu-clock. */
void doctor_try_perf_event(int cycles, struct doctor_trial *ret);

/* ---- doctor_tool.c: programs that are run ---- */

/* Runs argv (found in PATH) with /dev/null as input, at most limit_ms. 0, -EIO if it ended with
 * another status, -ETIMEDOUT, or another negative errno. *ret_line is the first line of what it
 * wrote, in a; NULL if nothing. */
int doctor_run(struct arena *a, const char *const *argv, int limit_ms, const char **ret_line);
void doctor_find_tools(struct doctor_facts *f);

/* ---- doctor_target.c ---- */
void doctor_look_at_target(const char *path, struct doctor_target *ret);
/* What one DW_AT_producer says. Pure. GCC writes its options there; clang and rustc don't. */
enum doctor_yes doctor_producer_optimized(const char *producer);
enum doctor_yes doctor_producer_frame_pointers(const char *producer);
/* 1 for an assembler, whose units have no such options. */
int doctor_producer_is_assembler(const char *producer);

/* ---- doctor_judge_target.c ---- */

/* Sets a line; text and fix are printf-like in the report's arena. */
struct doctor_verdict {
	struct arena *arena;
	enum doctor_level level;
	const char *text; /* NULL: this check does not apply */
	const char *fix;
};
__attribute__((format(printf, 3, 4))) void doctor_say(
	struct doctor_verdict *v, enum doctor_level level, const char *fmt, ...);
__attribute__((format(printf, 2, 3))) void doctor_fix(
	struct doctor_verdict *v, const char *fmt, ...);

#define CHECK(function, id, about)                                                                 \
	void judge_##function(const struct doctor_facts *f, struct doctor_verdict *v);
#include "common/doctor/doctor.def"
#undef CHECK

#endif

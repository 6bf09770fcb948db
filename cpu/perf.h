/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CPU_PERF_H
#define CPU_PERF_H

#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"
#include "common/base/mem.h"
#include "common/runner/drive.h"
#include "common/runner/scenario.h"
#include "cpu/fold.h"

/* perf as a program: what it can do here, its command lines, its control pipe, its script. */

/* What is sampled by. */
struct perf_event {
	const char *name; /* for perf -e */
	int hardware;     /* cycles of the CPU; else the kernel's clock */
	int user_only;    /* the kernel's code is not seen */
};

/* The best event that the kernel lets us open, found by opening it. The error says what fixes it.
 */
int perf_choose_event(struct perf_event *ret, struct err *err);
/* 0 if the event of a process can be opened, else -errno: -ESRCH, -EACCES .. */
int perf_try_process(const struct perf_event *event, pid_t pid);
/* kernel.perf_event_max_sample_rate, 0 if it cannot be read. */
uint64_t perf_max_rate(void);

/* How perf is told when to sample: two FIFOs in a directory of ours. Zeroed and fds -1: none. */
struct perf_control {
	char *order_path, *answer_path;
	int order, answer;
	int asked, heard;          /* see perf_control_is_heard() */
	int unconfirmed;           /* an order was not answered in time */
	uint64_t begin_ns, end_ns; /* when it was; 0: not yet. Of CLOCK_MONOTONIC */
};
#define PERF_CONTROL_NONE ((struct perf_control){.order = -1, .answer = -1})

/* Only the names, for showing a command line; nothing is made. */
void perf_control_name(struct perf_control *c, const char *dir);
int perf_control_open(struct perf_control *c, const char *dir, struct err *err);
void perf_control_close(struct perf_control *c);
/* Begins or ends the sampling, and waits until perf says that it has, or has ended; for struct
 * drive. */
void perf_control_mark(struct perf_control *control, enum drive_mark mark, int perf_pidfd);
/* For another perf: forgets what was asked of one that has ended. */
void perf_control_renew(struct perf_control *control);
/* 1 once perf takes orders, which it does when all events are open; asks it the first time. */
int perf_control_is_heard(struct perf_control *control);

struct perf_recording {
	const char *perf; /* the program */
	const struct scenario *sc;
	const struct perf_event *event;
	const struct perf_control *control;
	const char *data_path;
	const char *pids; /* to attach to, separated by commas; NULL: the scenario's target is
			     started */
};
/* The command line, without anything between perf and the target: perf 6.1 confuses the libraries
 * of two programs that a process executes one after the other, and cuts half of the dwarf stacks.
 * NULL-terminated, in the arena. */
const char *const *perf_record_command(struct arena *a, const struct perf_recording *rec);

/* Runs `perf script` and folds its output. */
int perf_fold(const char *perf, const char *data_path, const struct signals *signals,
	struct fold *f, struct err *err);

#endif

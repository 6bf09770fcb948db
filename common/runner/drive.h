/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_DRIVE_H
#define RUNNER_DRIVE_H

#include <stdint.h>

#include "common/base/err.h"
#include "common/runner/attach.h"
#include "common/runner/scenario.h"
#include "common/runner/signals.h"

/*
 * One run of a target under a tool: starts the tool, waits until the target is ready, runs the
 * load, says when the window begins and ends, ends the target, waits for the tool. The same for
 * every backend.
 *
 * Or of processes that run already: waits until they are ready, starts the tool, runs the load when
 * it has attached, and ends the tool alone. No signal is ever sent to them.
 */

enum drive_mark { DRIVE_BEGIN, DRIVE_END };

/* What a run is at, for a person who waits. */
enum drive_stage { DRIVE_STARTING, DRIVE_RUNNING, DRIVE_LOADING, DRIVE_ENDING };
struct drive_watcher {
	/* Called a few times a second; elapsed is that of the stage. figures: what the backend
	 * has to show meanwhile, "" for nothing. */
	void (*tick)(void *ctx, enum drive_stage stage, uint64_t elapsed_ns, const char *figures);
	void *ctx;
};

/* How a tool is attached. Its ctx is that of struct drive. */
struct drive_attach {
	struct attach *to;
	/* The tool's command line, of the processes as they are now; NULL: there is no tool. */
	const char *const *(*command)(void *ctx, struct err *err);
	/* 1 once it has all of them; asked every few milliseconds. */
	int (*is_attached)(void *ctx);
};

struct drive {
	const struct scenario *sc;
	const struct signals *signals;
	const struct drive_attach *attach; /* NULL: the tool starts the target */
	const char *const *tool_argv;      /* without attach */
	int keep_fd;                       /* stays open in the tool, not above 0: none */
	int null_stdin;  /* the target reads /dev/null unless the scenario names a file */
	int env_by_tool; /* the tool's options carry the scenario's env to the target, so the tool
			  * is started in ours; 0: the tool is started in the scenario's */
	/* The target is the tool's child and the tool ends after it: what ends the target is sent
	 * to it, and to the tool only where that was not enough. */
	int target_is_child;
	int insist;        /* signal sent when the tool has not ended within the grace */
	uint64_t limit_ns; /* the tool is ended after that; 0: the tool keeps the limit itself */
	const char *target_log, *load_log; /* output goes there; NULL: it is left alone */
	/* Told right before the load starts (after the scenario's skip) and when the window ends.
	 * Without a load: told when the scenario has a skip or a duration, counted from the start.
	 * Attached: told in any case, at first when the tool has attached and the skip is over; the
	 * tool is ended after the duration, or by a signal. The pidfd is readable when the tool has
	 * ended.
	 */
	void (*mark)(void *ctx, enum drive_mark mark, int tool_pidfd);
	void *ctx;
	const struct drive_watcher *watcher; /* of struct backend_run; NULL: nobody watches */
};

enum drive_trouble {
	DRIVE_FINE,
	DRIVE_NEVER_READY,
	DRIVE_DIED_EARLY,
	DRIVE_LOAD_FAILED,
	DRIVE_NO_WINDOW, /* the load ended before the skip was over */
	DRIVE_NO_WORK,   /* nothing in the load's output matched */
	DRIVE_TIMED_OUT,
	DRIVE_INTERRUPTED, /* with a load; without one a signal is a way to end the target */
	DRIVE_LET_GO,      /* attached: the tool ended before the target and the load */
};

enum drive_end { DRIVE_END_UNKNOWN, DRIVE_END_KNOWN };

struct drive_result {
	enum drive_trouble trouble; /* the first that came up */
	char text[256];             /* what happened, one line; empty if fine */
	int tool_status;            /* as a shell says it */
	int tool_signal;            /* that ended it, 0: none */
	int tool_started;           /* 0: attached to nothing */
	int target_ended;           /* attached: before we let go of it */
	enum drive_end end;         /* of the target: is what follows known? */
	int end_status, end_signal; /* its exit status, or the signal that ended it */
	int stopped;     /* the load was over and we ended the target: that counts as exit 0 */
	int insisted;    /* it did not end within the grace */
	char crash[96];  /* what another signal did to it then; empty if none: drive_judge_end() */
	int interrupted; /* number of the last signal that came for us, 0: none */
	int load_started;
	int load_status;
	uint64_t load_wall_ns;
	uint64_t work_count; /* UINT64_MAX: not measured */
	uint64_t latency_ns; /* as the load says it; UINT64_MAX: not measured */
	uint64_t wall_ns;    /* of the tool with the target */
	uint64_t cpu_ns;     /* of the tool, the target and their children that were waited for;
			      * UINT64_MAX: attached, not measured */
	uint64_t most_resident_bytes; /* the most that one of these processes held at once */
};

/* "never_ready", ..: code of a result's warning. */
const char *drive_trouble_code(enum drive_trouble trouble);

/* Whose log says more of what went wrong: "load" or "target". */
const char *drive_blames(const struct drive_result *r);

/* The target ended by that signal, 0: none. One that crashed when we ended it was not ended by us:
 * it is not `stopped`, and `crash` says so in one line. */
void drive_judge_end(struct drive_result *r, int signal);

/* An error (nothing was run, or it could not be watched) leaves nothing behind. */
int drive_run(const struct drive *d, struct drive_result *ret, struct err *err);

#endif

/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_LOAD_OUTPUT_H
#define RUNNER_LOAD_OUTPUT_H

#include "common/runner/load.h"
#include "common/runner/scenario.h"

/*
 * What a load writes: into a log, or to our own outputs. It is searched for what the scenario wants
 * to know of it, the work that was done and a latency: in the log when it is whole, else on its way
 * through us, and where nothing is wanted it does not come through us.
 *
 *	struct load_output o = LOAD_OUTPUT_NONE;
 *	rc = load_output_begin(&o, sc, log, fds, err);  the load is started with fds
 *	load_output_pump(&o, i);                        when o.streams[i].from can be read
 *	rc = load_output_end(&o, &work, &latency_ns, err);
 *	load_output_release(&o);
 */
struct load_output {
	const struct scenario *sc;
	const char *log; /* NULL: our own outputs */
	struct load_stream {
		int from; /* -1: nothing (more) comes through us */
		struct work_scan work, latency;
	} streams[2]; /* stdout and stderr apart: lines must not mix */
};

#define LOAD_OUTPUT_NONE ((struct load_output){.streams = {{.from = -1}, {.from = -1}}})

/* sc and log are the caller's and stay. ret_fds, to close when the load has them: its stdout and
 * stderr, -1: as ours. On errors there is none. */
int load_output_begin(struct load_output *o, const struct scenario *sc, const char *log,
	int ret_fds[2], struct err *err);
/* Passes on what is there now of stdout (0) or stderr (1). */
void load_output_pump(struct load_output *o, int which);
/* The load has ended. UINT64_MAX: not wanted, or not found. An error says why what was wanted is
 * not known. */
int load_output_end(
	struct load_output *o, uint64_t *ret_work, uint64_t *ret_latency_ns, struct err *err);
void load_output_release(struct load_output *o);

#endif

/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_BACKEND_H
#define RUNNER_BACKEND_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/model/result.h"
#include "common/runner/drive.h"
#include "common/runner/scenario.h"

/*
 * A backend makes one kind of profile with an external tool. To add one: a file in a folder of its
 * own with a `const struct backend backend_ID`, and one line in backends.def; see
 * docs/HOWTO_ADD_BACKEND.md.
 */

/* Exit statuses that are not the target's, by docs/man/profile-scenario.1. */
enum backend_status {
	BACKEND_TROUBLE = 2,
	BACKEND_TIME_LIMIT = 124,
	BACKEND_FAILED = 125,
	BACKEND_INTERRUPTED = 130,
};

/* One run that is asked for. */
struct backend_run {
	const struct scenario *sc;
	struct attach *attach; /* whom the tool is attached to; NULL: it starts the target */
	const struct signals *signals;
	const char *dir;                     /* absolute; the files go there, named NAME + suffix */
	int null_stdin;                      /* see struct drive */
	const char *target_log, *load_log;   /* see struct drive */
	const struct drive_watcher *watcher; /* see struct drive */
	const struct drive_result
		*native; /* the same without a tool, for control_describe(); NULL */
};

/* A figure that says in short what came out, e.g. {"calls", "", 29686}. */
struct backend_figure {
	char name[48];
	const char *unit; /* "", "bytes", "ns", .. */
	double value;
	double of; /* of how many that were asked for; NAN: nothing of that kind */
};
enum { BACKEND_FIGURES_MAX = 8 };

/* What came of it. */
struct backend_result {
	int status;         /* exit status of profile-scenario by docs/man/profile-scenario.1 */
	int incomplete;     /* the files are marked, and not taken for the median run */
	int interrupted;    /* no further runs are wanted */
	const char *blamed; /* whose log says more, where something went wrong: drive_blames(), or
			       helper; NULL: the target's */
	uint64_t window_ns; /* length of the window, without one of the whole run */
	char text[256];     /* what went wrong, one line; empty if nothing */
	char note[256];     /* what a person should know of the result; empty if nothing */
	struct backend_figure figures[BACKEND_FIGURES_MAX]; /* the most telling first */
	size_t figures_len;
};

/* Several runs, for the result that is chosen of them. */
struct backend_runs {
	uint64_t count, chosen; /* chosen counts from 1 */
	uint64_t min_ns, max_ns;
};

struct backend {
	const char *id;      /* what --type calls it */
	const char *folder;  /* under the output directory */
	const char *meaning; /* one line for --help */
	/* What a run leaves: NAME + suffix, NULL-terminated. The JSON is last: when it is there,
	 * the others are. */
	const char *const *suffixes;
	const struct schema *schema; /* of that */
	const char
		*cannot_attach; /* why not to a process that runs, and what instead; NULL: it can */
	int by_name;            /* only where it is asked for: `all` leaves it out */
	/* 0: it can run here; else why not and what to do about it. */
	int (*probe)(struct err *err);
	/* The tool's command line with the target's, NULL-terminated, in arena a; for --dry-run.
	 * Nothing is made. May be NULL: then only the target is shown. */
	const char *const *(*command)(const struct backend_run *in, struct arena *a);
	/* One run. An error means that there are no files and the status is 125, unless it is set
	 * in *ret before. */
	int (*run)(const struct backend_run *in, struct backend_result *ret, struct err *err);
	/* Puts the figures of all runs into the files of the chosen one. NULL: they go into the
	 * JSON alone, and the runner does that. */
	int (*note_runs)(const char *dir, const char *name, const struct backend_runs *runs,
		struct err *err);
	/* Draws what differs between the results of a scenario, base and new, to files PREFIX...;
	 * of each the directories of one or several runs, NULL-terminated. 1: done, 0: there is
	 * nothing to draw. May be NULL. */
	int (*difference)(const char *const *const places[2], const char *name, const char *prefix,
		struct err *err);
};

#define BACKEND(name) extern const struct backend backend_##name;
#include "common/runner/backends.def"
#undef BACKEND

/* Adds a figure; what is too much is left out: NULL. unit is a literal. */
struct backend_figure *backend_figure(struct backend_result *r, const char *unit, double value,
	const char *fmt, ...) __attribute__((format(printf, 4, 5)));
/* A figure as a person reads it: "1,204 calls", "sendmmsg 7.90 of 8 a call", "peak 3.1 MiB". unit
 * may be NULL. buf is returned. */
const char *backend_figure_words(
	char *buf, size_t size, const char *name, const char *unit, const double value_of[2]);

/* What drive_run() is to do, as far as it is the same for all: a tool that is ended by KILL, and at
 * the scenario's time limit. The rest is the backend's: tool_argv or attach, mark. */
struct drive backend_drive(const struct backend_run *in);
/* The status where something came up in drive_run(): of a limit of time 124; 2 of all else, and of
 * a limit of time too where there is a load, which was to end the run. 0: nothing did, the status
 * is the target's or the tool's, which only the backend knows. */
int backend_trouble_status(const struct backend_run *in, const struct drive_result *d);
/* Where drive_run() has attached to nothing: sets the status and err, and returns it; else 0. */
int backend_not_attached(const struct backend_run *in, const struct drive_result *d,
	struct backend_result *ret, struct err *err);

/* The `attached` of a result, in the arena of doc; NULL for one that was started. */
struct res_attached *backend_describe_attached(void *doc, const struct attach *a);

/* What the scenario's load did: the `load` and `work` of a result, in the arena of doc; NULL where
 * there was none. */
struct res_load *backend_describe_load(
	void *doc, const struct scenario *sc, const struct drive_result *d);
struct res_work *backend_describe_work(
	void *doc, const struct scenario *sc, const struct drive_result *d);

/* How the target ended: by that signal (0: none), or with that status; a good end is what we made
 * of it after the load (d->stopped), by contract. is_known 0: nobody can tell. */
struct res_exit *backend_describe_exit(
	void *doc, const struct drive_result *d, int is_known, int signal, int status);

/* A moment (ISO 8601, UTC) for a result. */
const char *backend_describe_time(void *doc, uint64_t real_ns);

/* note_runs() of a backend that has none of its own. */
int backend_note_runs(const struct backend *b, const char *dir, const char *name,
	const struct backend_runs *runs, struct err *err);

/* The `runs` of a result, in the arena of doc (result.h). */
struct res_runs *backend_describe_runs(void *doc, const struct backend_runs *runs);

/* Row i in the order of backends.def, NULL after the last. */
const struct backend *backend_at(size_t i);
const struct backend *backend_by_id(const char *id); /* NULL: none */
/* Of the JSON, the last of its suffixes. */
const char *backend_json_suffix(const struct backend *b);
/* The scenarios of which out_dir has a result of it: in a, NULL after the last. */
const char *const *backend_results(struct arena *a, const struct backend *b, const char *out_dir);

#endif

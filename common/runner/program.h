/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_PROGRAM_H
#define RUNNER_PROGRAM_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"

struct as_user;

/*
 * A program that we start, wait for and may end. Nothing else is ever signalled.
 *
 *	struct program p = PROGRAM_NONE;
 *	rc = program_start(&(struct program_spec){argv, .streams = PROGRAM_INHERIT}, &p, err);
 *	... poll p.pidfd ...
 *	if (program_reap(&p))
 *		use(program_status(&p));
 *	program_release(&p);
 */
struct program_spec {
	const char *const *argv; /* NULL-terminated; argv[0] is looked up in PATH */
	const char *const *env;  /* "K=V" to set, "K" to unset, NULL-terminated; may be NULL */
	const char *cwd;         /* NULL: ours */
	int streams[3];          /* stdin, stdout, stderr: an fd, PROGRAM_OURS or PROGRAM_NULL */
	int keep_fd; /* stays open across the exec under its number; not above 0: none */
	/* A process group of its own, so that what it starts ends with it. Not for the target: it
	 * must stay in the terminal's foreground. */
	int own_group;
	/* TERM comes to it when we die, however that is: a tool that is attached lets go then. */
	int ends_with_us;
	/* It runs as who called us, not as whom we act for; NULL: we act for nobody else. */
	struct as_user *caller;
	const sigset_t *mask; /* signal mask it starts with; NULL: ours */
};
enum { PROGRAM_OURS = -1, PROGRAM_NULL = -2 /* /dev/null */ };
#define PROGRAM_INHERIT                                                                            \
	{                                                                                          \
		PROGRAM_OURS, PROGRAM_OURS, PROGRAM_OURS                                           \
	}

struct program {
	pid_t pid; /* 0: not started */
	int pidfd;
	int own_group;
	int ended;       /* reaped; wait_status is valid */
	int wait_status; /* as of waitpid() */
	uint64_t start_ns, end_ns;
	uint64_t cpu_ns; /* once ended: CPU time of it and of those children that it waited for */
	uint64_t most_resident_bytes; /* once ended: the most that it, or one of those, held at once
				       */
};
#define PROGRAM_NONE ((struct program){.pidfd = -1})

/* -ENOENT and -EACCES where the program cannot be executed. */
int program_start(const struct program_spec *spec, struct program *ret, struct err *err);
/* 1 while it runs. */
int program_running(const struct program *p);
/* Collects its status if it has ended; returns 1 once it has (again and again). */
int program_reap(struct program *p);
/* Waits for its end. */
void program_wait(struct program *p);
/* Sends a signal to it (to its group if that is its own); nothing if it has ended. */
void program_signal(const struct program *p, int signal);
/* To it alone, with a word that an iotrace understands (common/runner/signal_word.h). */
void program_signal_word(const struct program *p, int signal, uint64_t word);
/* Ends what still runs with KILL, waits, closes. Not started is fine. */
void program_release(struct program *p);
/* As a shell says it: the exit status, 128+N for signal N. */
int program_status(const struct program *p);
int program_status_of(int wait_status);

/* Where name is found as execvp() would: with a slash as it is, else in PATH. The caller's, or
 * NULL: errno is ENOENT, or EACCES where there is a file that is not executable. */
char *program_find(const char *name);

/* The one beside our own program, else that of PATH. */
char *program_find_beside(const char *name);

/* As program_find(), else ./NAME, if that can be executed. */
char *program_find_here(const char *name);

/*
 * How the process of a pidfd ended, as wait(2) says it: 1, or 0 where that is not known. A child of
 * ours is not collected. Those who are not its parent are told since Linux 6.15, when its parent
 * has collected it.
 */
int program_end_of(int pidfd, int *ret_status);

#endif

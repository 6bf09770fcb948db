/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_TRACEE_H
#define TRACER_TRACEE_H

#include <signal.h>
#include <stdint.h>
#include <sys/types.h>

#include "common/base/map.h"
#include "tracer/event.h"
#include "tracer/fd/files.h"

/*
 * Threads under control and the processes and address spaces they belong to.
 */

/* How a thread's calls are seen. */
enum tracee_mode {
	MODE_FILTER,  /* our seccomp filter stops it at the calls we want */
	MODE_SYSCALL, /* every call stops (attached, or its own filter hides calls from ours) */
};

/*
 * Calls of a thread in MODE_SYSCALL that the recorder may take, without a filter: trap.h.
 */
enum trap {
	TRAP_NONE,   /* each stops, for good */
	TRAP_LIFTED, /* each stops now */
	TRAP_SET,    /* each is a SIGSYS instead, but for those of the stub */
};

enum tracee_state {
	TRACEE_NEW,     /* announced by its parent, its first stop is to come */
	TRACEE_RUNNING, /* normal */
	TRACEE_LAUNCH,  /* our own child before its execve: not counted yet */
	TRACEE_ATTACH,  /* seized by -p, the stop that was asked for is to come */
};

/* One address space; shared by threads and vfork children. */
struct mm {
	uint32_t id;
	unsigned int refs;
	struct recorder_mm *recorder; /* its calls in the recorder; NULL: without one */
	unsigned int copied; /* threads that are, or may be, in a fork of it: nothing in it may be
				changed now */
};

struct process {
	pid_t pid;
	unsigned int threads;  /* under control */
	uint64_t number;       /* as none before it had */
	unsigned int children; /* under control, made by it */
	uint32_t first_id;     /* thread_id of its first thread */
	pid_t maker;           /* the process that made it, if it is still that number's; 0: none */
	uint64_t maker_number;
	uint8_t made;        /* others, since it executed its program */
	uint8_t ending;      /* its first thread is at its end */
	uint8_t guarded;     /* SIGSYS has our handler: arch_orphan_action() */
	uint8_t was_guarded; /* it had it: a copy that was under way may have it still */
	uint64_t was[4];     /* and had this */
	uint64_t cpu_ns;     /* its CPU time as far as it was counted: cputime.h */
	uint64_t cpu_end_ns; /* that at its death; UINT64_MAX: it lives, or unread */
};

/* A call that our stop has interrupted, and what is left of its limit: mend.h. */
struct mend {
	uint64_t began_ns;    /* CLOCK_MONOTONIC, since when it waits; 0: it does not, or unknown */
	uint64_t sleeps;      /* how often it has gone to sleep since its birth */
	uint64_t deadline_ns; /* CLOCK_MONOTONIC, of the call that is made again; 0: none */
	uint64_t until_ns;    /* the same of one that was, and is under way; 0: none */
	const struct mend_row *row; /* where it has its limit */
	uint64_t nr;                /* that call */
	uint64_t rest_at;           /* where a sleep says what is left; 0: nowhere */
	uint64_t rest[2];           /* what was there */
	uint8_t rest_arg;           /* the argument that says so, 1..6; 0: no sleep */
	uint64_t saved;             /* the argument that is changed while it lasts */
	uint8_t changed;            /* which one, 1..6; 0: none */
	uint8_t abi;                /* enum abi of that call */
};

struct tracee {
	pid_t tid;
	struct process *process;
	struct files *files;
	struct mm *mm;
	uint32_t thread_id;
	enum tracee_state state;
	enum tracee_mode mode;
	enum trap trap;
	uint8_t sigsys_blocked; /* the program blocks SIGSYS, and the kernel does not know it */
	uint64_t mask;          /* that a frame has to be mended in which it is: trap.h */
	siginfo_t again;        /* of a SIGSYS that is to come again: loop.c; si_signo 0: none */
	uint8_t stepping;       /* to the begin of a handler, for that */
	uint8_t unseen;         /* seized, its first stop is to come: counted in mm->copied */
	uint8_t by_stops;       /* that its next call stops is decided */
	uint8_t call_is_ours;   /* the call in ev was made at an address of ours */
	uint8_t departed;       /* it was left: nothing of ours is in it any more */
	uint8_t in_call;        /* between entry and exit of the call in ev */
	uint8_t counted;        /* the call in ev is in the traced set */
	uint8_t control;        /* enum control of the call in ev */
	uint8_t cloning;        /* in a call that makes a thread or child, not announced yet */
	uint8_t closing;        /* its stopped call may close numbers: counted in its table */
	uint8_t quiet;          /* let go on without stops at calls */
	uint8_t listening;      /* in a group stop, until SIGCONT */
	uint8_t asked;          /* to stop, for leaving it */
	uint8_t overtaken;      /* killed in the stop that is handled: what came since is next */
	uint8_t own_filter;     /* it or a forebear installed a seccomp filter of its own */
	uint8_t dispatch;       /* it uses Syscall User Dispatch */
	uint8_t near; /* it may run on the tracer's CPU only, as far as is known: serial.h */
	uint8_t birth_parted;  /* that ended while it was making a thread or child */
	const char *no_record; /* its calls stop, the recorder takes none: why, or NULL */
	struct recorder_thread *recorder; /* its block, or NULL */
	struct sys_event ev;              /* the call under way */
	uint64_t scratch;    /* what the control call's entry leaves for its exit (flags, fd) */
	uint64_t saved_arg;  /* argument changed at entry (CLONE_UNTRACED), put back at exit */
	uint8_t saved;       /* enum saved_kind */
	uint32_t stack_wait; /* calls until the next one whose stack is taken; 0: not drawn yet */
	uint64_t stack_wait_ns; /* time in calls until then; likewise */
	struct mend mend;       /* a call that our stop has interrupted */
	/* The call that was interrupted last, for restart_syscall. */
	struct {
		const struct sys_def *def;
		uint64_t args[6];
	} interrupted;
};

/* In a call that makes a thread or child, which is not announced yet. */
enum cloning { CLONING_NOT, CLONING_SHARED, CLONING_COPY /* of the address space */ };

enum saved_kind { SAVED_NONE, SAVED_REGISTER, SAVED_MEMORY };

/* What the result says of a thread. */
struct thread_info {
	int32_t pid, tid;
	uint32_t process; /* thread_id of its first thread; 0: not of the run */
	uint32_t maker;   /* of a first thread: that of the process that made this one; 0: none */
	uint8_t crashed;  /* of a first thread: its process did, and its end is not the run's */
	char comm[16];
	char maker_comm[16]; /* what that was called before it executed another program; "": it
				did not */
};

#define TRACEE_PTRACE_OPTIONS                                                                      \
	(PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK |  \
		PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT)

struct tracees {
	struct map by_tid;    /* tid -> struct tracee */
	struct map processes; /* pid -> struct process */
	struct {
		struct thread_info *at;
		size_t len, cap;
	} infos; /* by thread_id - 1 */
	uint32_t infos_max;
	uint32_t next_mm;
	uint64_t processes_total, threads_total;
	uint64_t next_process;
	unsigned int cloning; /* of them are making another and have not announced it */
	unsigned int leaves;  /* processes that have no child under control */
	struct tracee *last;  /* cache of the last lookup */
};

void tracees_init(struct tracees *t, uint32_t infos_max);
void tracees_release(struct tracees *t);
struct tracee *tracees_get(struct tracees *t, pid_t tid); /* or NULL */

/* A new thread of process pid (made if it is new). files and mm become the tracee's: the caller
 * hands over its references. */
struct tracee *tracees_add(
	struct tracees *t, pid_t pid, pid_t tid, struct files *files, struct mm *mm);
/* `maker` has made the new process `child`. */
void tracees_child(struct tracees *t, struct process *maker, struct process *child);
/* Its end is to be told: a signal of a fault ended it. */
void tracees_crashed(struct tracees *t, const struct process *p);
/* Forgets a thread; its process too if it was the last. Its mm is the caller's to release. */
void tracees_drop(struct tracees *t, struct tracee *tr);
/* After an execve by a thread that was not the leader: tr goes on as tid `pid`. */
void tracees_rename(struct tracees *t, struct tracee *tr, pid_t pid);
/* Those so far, who must be gone, are not of the run. */
void tracees_begin(struct tracees *t);
size_t tracees_count(const struct tracees *t);
/* tr is in a call that makes a thread or child, or is done with it. */
void tracees_cloning(struct tracees *t, struct tracee *tr, enum cloning cloning);

/* tr was seized, and may be in the middle of a fork until it stops for the first time; or it has.
 */
void tracees_unseen(struct tracee *tr, int unseen);

struct mm *mm_new(struct tracees *t);
struct mm *mm_ref(struct mm *s);
/* 1 if that was the last reference: the mm is gone, *ret_id is its id. */
int mm_unref(struct mm *s, uint32_t *ret_id);

/* Reads the thread's name again (/proc/TID/comm); called at its first and last stop. */
void tracees_read_comm(struct tracees *t, struct tracee *tr);
/* tr has executed another program, and its name is not read yet: what its process has made was made
 * by the one before. */
void tracees_exec(struct tracees *t, const struct tracee *tr);
/* A new thread is called what its parent is called, until it says otherwise. */
void tracees_copy_comm(struct tracees *t, const struct tracee *from, const struct tracee *to);
const struct thread_info *tracees_info(const struct tracees *t, uint32_t thread_id);

#endif

/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RECORDER_RECORDER_H
#define TRACER_RECORDER_RECORDER_H

#include <stdint.h>
#include <sys/user.h>
#include <time.h>

#include "common/base/err.h"
#include "common/base/map.h"
#include "tracer/trap/control.h"
#include "tracer/recorder/region.h"
#include "tracer/recorder/ring.h"
#include "tracer/recorder/site.h"
#include "tracer/recorder/tsc.h"
#include "tracer/trap/filter.h"

struct tracee;
struct mm;
struct files;
struct ptrace_syscall_info;
struct recorded;
struct said;
struct stacks;
struct sys_event;

/*
 * The in-process recorder, as the tracing thread sees it:
 *
 *	a stop at a call -> enter.c: may it be recorded instead? put the mm under the recorder
 *	                    (inject.c), lead the site to the stub (patch.c), let the call go there
 *	a signal         -> leave.c: the thread is where the program would be, or its call is over
 *	records          -> sweep.c: taken out of all rings in the order of their ends, to the sink
 *
 * Whatever does not go this way is stopped as ever. The recorder knows which calls there were and
 * when, not what they mean: that is the sink's.
 */

/* Of an address space. */
enum recorder_state {
	RECORDER_UNTRIED,
	RECORDER_ON,
	RECORDER_OFF, /* calls stop */
};

struct recorder_mm {
	const struct recorder *recorder; /* whose it is; NULL in tests */
	enum recorder_state state;
	int has_code;   /* the stub is in it, in a fork's child as a copy of its maker's */
	int at_once;    /* its program runs already: the first call is worth it */
	int taken_back; /* its code is as it was, for good */
	struct recorder_mm *before; /* it was cleared while a fork may have been under way */
	int no_growth;              /* of the region */
	struct region region;       /* RECORDER_ON, or was */
	uint64_t coarse;            /* the target's address of its coarse clock; 0: none */
	const char *reason;         /* RECORDER_OFF: static text */
	uint64_t stops;             /* calls that stopped while it was not RECORDER_ON */
	uint64_t inherited;         /* of these, those that its maker had before the fork */
	struct sites sites;
	int mem_fd;               /* /proc/PID/mem; -1: not open (any more, or yet) */
	struct remote_held *held; /* between remote_hold() and remote_flush(), else NULL */
	struct {
		struct code_mapping *at;
		size_t len, cap;
	} code;            /* its executable mappings of files when they were last read: patch.c */
	int code_hidden;   /* they could not be read */
	uint64_t look_ns;  /* when they may be read again: patch_may_look() */
	int none_is_stale; /* of the mapping that is being changed: patch.c */
	int code_is_new; /* they were in this stop, and it was not looked what is worth a change */
};

/* Of a thread that has a block. */
struct recorder_thread {
	struct tracee *tracee;
	struct ring ring;
	int off;            /* its calls stop: it uses the register itself, or is corrupt */
	int corrupt;        /* its block or a record made no sense: nothing in it is believed */
	int refuse;         /* its next call is to stop */
	uint64_t led_after; /* calls made in the stub when the last one was led there, + 1; 0: none
			     */
	uint64_t led_site;
	uint64_t tallied_ns;                     /* when its tallies were taken last */
	struct record next;                      /* the one that is booked next: a copy */
	uint64_t desc;                           /* the last one that was found to be a site's */
	uint64_t site;                           /* the address of that */
	uint8_t stopped[LARGE_RING_RECORDS / 8]; /* a bit a place in the ring: its call stopped */
	int probing;      /* its next call is to ask, as it may be a first one of its site */
	unsigned int led; /* calls that stopped first, since the ring was full last */
	struct {
		struct recorder_stack {
			uint64_t position; /* of the record that it belongs to */
			uint32_t id;
			uint8_t first; /* the event's stack_first */
		} * at;
		size_t len, cap;
	} stacks; /* taken, and not booked yet; rising */
};

/* The tracer around the recorder: who takes the calls, in the order in which they ended. */
struct recorder_sink {
	void *ctx;
	/* The thread has its block: its calls may be recorded from now on. */
	void (*began)(void *ctx, struct tracee *t);
	/* A recorded call; of ev all is known but fd_id and m. said: NULL, nothing. */
	void (*recorded)(void *ctx, struct tracee *t, struct sys_event *ev,
		const struct recorded *measured, const struct said *said);
	/* So many calls that are only counted. */
	void (*tallied)(void *ctx, const struct sys_def *def, uint64_t n);
	/* A call that was begun in the stub is over in another way: a signal, the thread's end, or
	 * the stub asks for it. It is to be measured now, and handed to recorder_stopped(). The
	 * calls before it have been given. */
	void (*taken_over)(void *ctx, struct tracee *t, struct sys_event *ev);
	/* The turn of what was handed to recorder_stopped(), which is the sink's again. */
	void (*stopped)(void *ctx, void *call);
	/* A sweep is over: see recorder_unbooked(). */
	void (*swept)(void *ctx);
	/* A stop or death that came while the thread made calls for us, to be handled later. */
	void (*came)(void *ctx, pid_t tid, int status);
	/* The thread fills its ring: the tracer should run beside it. */
	void (*busy)(void *ctx, struct tracee *t);
};

struct recorder {
	int on;
	struct recorder_sink sink;
	struct stacks *stacks; /* NULL: not wanted */
	const char *reason;    /* !on, or of no use: static text, NULL if nobody asked for it */
	int no_patch;
	int dispatch;      /* trap.h instead of a filter: set before recorder_init() */
	int timeless;      /* of times only the order is told: coarse.h; likewise */
	int waiting;       /* not all threads are attached to yet: nothing may be changed */
	int departing;     /* the targets are being left */
	int at_once;       /* for tests: from each process's and site's first call on */
	int knows_sites;   /* some file has sites that are worth a patch */
	int segments;      /* recorder_segments_seen() */
	unsigned int late; /* threads that did not come back from calls for us: remote.c */
	struct tsc tsc;
	struct ring_call calls[BLOCK_KINDS_LEN]; /* what the stub may record */
	uint8_t kinds[BLOCK_KINDS_LEN];          /* what it is to: of each block */
	uint8_t kinds_no_fds[BLOCK_KINDS_LEN];   /* where fds are not known by records */
	uint8_t only_ours[BLOCK_KINDS_LEN];      /* 1: stops for the recorder's sake only */
	uint8_t clocks[BLOCK_KINDS_LEN];         /* CLOCK_*: of each block */
	uint8_t traced[BLOCK_KINDS_LEN];         /* 1: what is recorded is booked */
	struct map codes;                        /* files that were looked at: code_files.h */
	struct filler *filler; /* NULL: no traced process serves files; else the session's */
	struct {
		uint64_t *at;
		size_t len, cap;
	} served; /* devices whose files were not to be had in time */
	struct {
		struct recorder_thread **at;
		size_t len, cap;
	} threads;
	struct {
		struct recorder_pending *at;
		size_t len, cap;
	} pending; /* calls that stopped, to be given in order with the records */
	struct sweep *sweep;
	timer_t timer; /* ends the wait for stops when a sweep is due */
	int has_timer;
	uint64_t timer_ns, tick_ns, due_ns;
	uint64_t swept;         /* records taken out, ever */
	uint64_t swept_ns;      /* when that was done last */
	uint64_t swept_at_tick; /* the same at the last tick */
	int busy;               /* so many since then that the next sweep is due at once */
	uint64_t corrupt;       /* threads whose block made no sense */
	uint64_t lost;          /* records of theirs, as far as is known */
	uint64_t per_record_ns;
	struct map reasons; /* text -> struct recorder_reason */
};

/* Why sites are not patched, and mms not recorded. */
struct recorder_reason {
	const char *text;
	uint64_t sites, calls; /* an mm has no sites */
};

/* The entry of a reason (static text), made if need be. */
struct recorder_reason *recorder_reason(struct recorder *f, const char *text);

/* Prepares the recorder (zeroed); f->on says whether it can be, f->reason why not. *ret_pass is
 * what the filter needs (its numbers belong to f). */
void recorder_init(struct recorder *f, const struct control_map *map, int no_patch,
	const struct recorder_sink *sink, struct filter_pass *ret_pass);
void recorder_release(struct recorder *f);
/* 1 if no filter of the program's own answers for a call of ours that the thread makes: it has
 * none, or one that was judged for that number too. */
int recorder_may_call(const struct recorder *f, const struct tracee *t, uint32_t nr);

/* ---- enter.c ---- */
/* At the filter's stop of a call: 1 if the thread was led into the stub (or is gone), which records
 * it; 0: it is to be stopped for. */
int recorder_enter(struct recorder *f, struct tracee *t, const struct ptrace_syscall_info *info);
/* 1 if that is the stub's own call, seen because every call of the thread stops. */
int recorder_is_stub_call(const struct recorder *f, const struct ptrace_syscall_info *info);
/* At a stop outside our code: the thread has its block, and its calls may be recorded: 1. */
int recorder_take_up(const struct recorder *f, struct tracee *t);
/* It has none, so that all its calls go by stops; its block is kept. */
void recorder_put_down(const struct recorder *f, const struct tracee *t);
/* A new thread has its maker's block: it gets one of its own, or none. */
void recorder_first_stop(struct recorder *f, struct tracee *t);
/* 1 if the stack of a call of that number at the site is to be taken whatever it is. */
int recorder_is_first(
	struct recorder *f, const struct tracee *t, const struct site *site, uint32_t nr);
/* Ticks in calls until the next one whose stack is taken: 0 never. */
uint64_t recorder_stack_wait(struct recorder *f);
/* Changes registers behind a call instruction to where the program's is, also if it is ours. */
void recorder_place(const struct tracee *t, struct user_regs_struct *regs);
/* The mm's calls stop from now on. */
void recorder_off(struct recorder *f, struct mm *mm, const char *reason);
/* From now on numbers of the table change without a call that is seen: calls on them stop. */
void recorder_files_uncertain(struct recorder *f, struct files *files);
/* A socket cuts all its datagrams: what a sendmmsg made of them is known at a stop only. */
void recorder_segments_seen(struct recorder *f);
/* The same for one thread, and what it makes. reason: static text. */
void recorder_thread_off(struct recorder *f, struct tracee *t, const char *reason);

/* ---- leave.c ---- */
/* Before a signal is delivered, or at a group stop: nothing of us is to be seen. Returns the signal
 * to deliver, 0 if it was about us. */
int recorder_leave(struct recorder *f, struct tracee *t, int signal);
/* The thread, trapped before the call that ends a handler, makes it in the stub. */
void recorder_return(const struct tracee *t);
/* 1 if the stop is the stub's call for the tracer: what its call moved is then measured by us, and
 * the thread is behind it. */
int recorder_asked(struct recorder *f, struct tracee *t, const struct ptrace_syscall_info *info);
/* The thread ends, or goes on as another program: its block is read out and given back. stopped:
 * its registers can be read. */
void recorder_end(struct recorder *f, struct tracee *t, int stopped);

/* ---- depart.c: targets that go on without us ---- */
/* 1 if something of ours is, or may be, in the thread's mm. */
int recorder_is_in(const struct tracee *t);
/* 1 if the address is in memory of ours. */
int recorder_is_ours(const struct tracee *t, uint64_t ip);
/* The code of the mm is as it was; its threads may be on their way through ours. */
void recorder_take_back(struct tracee *t);
/* The thread, at a stop that is none at a call, is where its program would be, and gives its block
 * back. 1: nothing of ours is in it, and it comes to nothing of ours any more. */
int recorder_depart(struct recorder *f, struct tracee *t);
/* At the same stop, when no other thread of the process (guard) or mm (pages) can be in our code:
 * what the process had for SIGSYS is put back, our pages are unmapped. */
void recorder_clear(struct recorder *f, struct tracee *t, int guard, int pages);
/* At the entry of a call, by the mm's only thread: all of that, and the thread is before the call
 * again. reason: static text, why it is not recorded from now on. 1; 0: it is not. */
int recorder_clear_at_call(struct recorder *f, struct tracee *t, const char *reason);

/* What the process had for SIGSYS is put back, at the entry of a call: likewise. */
int recorder_unguard_at_call(struct recorder *f, struct tracee *t);
/* The same at another stop, outside our code: t is in one of PTRACE_EVENT_STOP then. -ESRCH: it is
 * gone. */
int recorder_unguard(struct recorder *f, struct tracee *t);

/* ---- sweep.c ---- */
/* Marks the record at that position, the next one: its call stopped first, or not. */
void recorder_mark_stopped(struct recorder_thread *rt, uint64_t position, int stopped);
/* The stack that was taken for the record at that position, if there is one, becomes the event's;
 * it and older ones are gone. */
void recorder_take_stack(struct recorder_thread *rt, uint64_t position, struct sys_event *ev);
/* Forgets the stacks that were taken for records from that position on: their call is not recorded
 * after all. */
void recorder_drop_stacks(struct recorder_thread *rt, uint64_t from);
/* A call that stopped, and ended then: the sink is given `call` in its turn, with the records. */
void recorder_stopped(struct recorder *f, uint64_t ended_ns, void *call);
/* Shows the calls that the sink is not given yet, under way or over, as far as can be said: of ev
 * only def and args. ev NULL: the thread may have made any. */
struct recorder_visit {
	void *ctx;
	void (*call)(void *ctx, const struct tracee *t, const struct sys_event *ev);
};
void recorder_unbooked(const struct recorder *f, const struct recorder_visit *visit);
/* The call that a record tells of, without its measures. */
void recorder_event(struct recorder *f, const struct recorder_thread *rt, const struct record *r,
	struct sys_event *ev);
/* No record of a thread that is set up now is of an earlier time (ticks). */
uint64_t recorder_earliest(const struct recorder *f);
/* 1 if that can be a record of the thread's, at `now` ticks: ring.h. */
int recorder_is_possible(
	struct recorder *f, struct recorder_thread *rt, const struct record *r, uint64_t now);
/* Nothing that the thread writes is believed any more, its calls stop. lost: records of it, at
 * least 1: how many there were is not always known. */
void recorder_corrupt(struct recorder *f, struct recorder_thread *rt, uint64_t lost);
/* Takes what is recorded now, and gives it to the sink: up to the first call that has returned and
 * is not committed yet, whose turn is the next time. */
void recorder_sweep(struct recorder *f);
/* The same, but of t, which stands still, nothing is left: it is about to end, to stop at a call,
 * or to have another files table. */
void recorder_sweep_all_of(struct recorder *f, const struct tracee *t);
/* Sweeps when that is due: often while much is recorded, else seldom. */
void recorder_tick(struct recorder *f);
/* From now on a signal ends a wait of the tracing thread at least every 200 ms. 0: it cannot be. */
int recorder_wakes(struct recorder *f);
/* So much is being recorded that the next sweep is due at once. */
int recorder_is_busy(const struct recorder *f);
void recorder_sweep_release(struct recorder *f);

/* ---- coarse.c ---- */
/* A call of the mm is over that the stub did not stamp: what the mm calls from now on is later. */
void recorder_tell(const struct recorder *f, const struct mm *mm);
/* A phase begins at at_ns, or where only the order of calls is told: now. Sweeps what was before
 * it, and returns its beginning. */
uint64_t recorder_turn(struct recorder *f, uint64_t at_ns);

/* ---- mms ---- */
struct recorder_mm *recorder_mm_new(const struct recorder *f);
/* The child has the code of its maker's, and must get a memory of its own. */
struct recorder_mm *recorder_mm_fork(const struct recorder_mm *from);
/* The same by what the child has: the copy may have been made before that memory was cleared. */
struct recorder_mm *recorder_mm_copied(const struct recorder_mm *from, pid_t child);
/* Its calls and sites that were not recorded go into the reasons, once. */
void recorder_mm_account(struct recorder *f, struct recorder_mm *rm);
/* Likewise. */
void recorder_mm_free(struct recorder *f, struct recorder_mm *rm);

#endif

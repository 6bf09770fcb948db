/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef VIEW_PARTS_H
#define VIEW_PARTS_H

#include "common/model/causes.h"
#include "common/model/enough.h"
#include "common/model/result.h"
#include "common/view/doc.h"

/* The parts of the summary, one file each, and the words that they share: for this folder, and for
 * analyze, compare and report, which judge by the same rules. */

/* What is said once where something would stand that rests on the times of calls. */
#define VIEW_NO_TIMES "calls have no times (--no-times)"

/* Above this share of the time tracing itself is what the figures show. */
#define SLOWED_SHARE 0.1

void view_head(struct doc *d, const struct res_result *r);
void view_set(struct doc *d, const struct res_result *r);
void view_batching(struct doc *d, const struct res_result *r);
void view_note_call(struct doc *d, const struct res_result *r, const struct res_syscall *s);
void view_note_messages(struct doc *d, const struct res_result *r);
/* Calls that move one message each on datagram sockets although `batched`, which moves many, was
 * traced and not called; done: "sent", "received". */
void view_note_unbatched(struct doc *d, const struct res_result *r, const char *const names[2],
	const char *batched, const char *done);
void view_histogram(struct doc *d, const struct res_syscall *s);
void view_places(struct doc *d, const struct res_result *r);
void view_latency(struct doc *d, const struct res_result *r);
void view_errors(struct doc *d, const struct res_result *r);
void view_memory(struct doc *d, const struct res_result *r);
void view_phases(struct doc *d, const struct res_result *r);
void view_totals(struct doc *d, const struct res_result *r);

/* ---- view_words.c ---- */

/* For sums: what was not measured adds nothing. */
uint64_t view_zero(uint64_t v);
/* A name that is missing prints as "?". */
const char *view_name(const char *s);
/* The strings with a separator between, in a. */
const char *view_joined(struct arena *a, const struct res_strs *strs, const char *separator);
/* In d's arena; what was not measured is "?". */
const char *view_count(struct doc *d, uint64_t v);
const char *view_time(struct doc *d, uint64_t ns);
const char *view_share(struct doc *d, uint64_t part, uint64_t whole);
/* "1 call", "2,000 calls", "3 processes", "20 queries" */
const char *view_plural(struct doc *d, uint64_t n, const char *noun);

/* 1 if tracing took so much that the figures are those of a slowed program. */
int view_slowed(const struct res_result *r);
/* Sum of the calls of all rows; of what the tables cover. */
uint64_t view_calls(const struct res_result *r);
uint64_t view_total_ns(const struct res_syscall *s); /* 0: not measured */
/* 1 if its batches are of messages. */
int view_has_messages(const struct res_syscall *s);
/* What a peak of mappings has to say behind it; "" of one process. */
const char *view_added_up(const struct res_result *r);
/* For qsort() of pointers to rows: most calls first, then by name. */
int view_more_calls(const void *a, const void *b);
/* All rows, most time first, without times most calls, then by name; in d's arena. */
const struct res_syscall **view_by_time(struct doc *d, const struct res_result *r);
/* The row of that name, if any call was made. */
const struct res_syscall *view_called(const struct res_result *r, const char *name);
/* 1 if a row of gathering is about that call. */
int view_gathers(const struct res_gathering *g, const char *call);
/* What a row of gathering is about; NULL: the result does not say. */
const struct res_fd *view_gathered_fd(const struct res_result *r, const struct res_gathering *g);
/* 1 for a socket on which messages have no borders. */
int view_is_stream(const struct res_fd *fd);
/* 1 if calls of that name would have been seen. */
int view_traced(const struct res_result *r, const char *name);
uint64_t view_counter(const struct res_counts *c, const char *key); /* 0 if not there */
/* Of so many calls those that a histogram of the call's batches left out: its overflow is of all
 * its histograms together. */
uint64_t view_left_out(const struct res_syscall *s, const struct res_counts *c, uint64_t calls);
/* Of which moment the heap's tree and sites are: "the peak", or what else, and what was held then.
 */
const char *view_tree_moment(struct doc *d, const struct res_memory *m);
/* Calls that only wait: nothing is moved, and their time is not work. */
int view_waits(const struct res_syscall *s);

/* What the number that a batched call asks for means. */
enum batch_way {
	BATCH_TAKES,   /* recvmmsg, epoll_wait: at most so many of what is there */
	BATCH_GIVES,   /* sendmmsg, writev, io_submit; also readv: all of these */
	BATCH_WATCHES, /* poll, select: any of these */
};

/* What a batched call asks for, and the part of its calls that can be judged by it. */
struct batch_facts {
	const struct res_syscall *call;
	const struct res_batch *batch;
	enum batch_way way;
	uint64_t least,
		most;    /* asked per call, calls that asked for none left out; most 0: unknown */
	uint64_t judged; /* ok calls that asked for at least one */
	int timeless;    /* its calls have no times, which would tell more of what limits it */
};
struct batch_facts view_batch_facts(const struct res_syscall *s);

/* ---- view_limited.c: what keeps a call's batches from being larger ---- */
enum batching_verdict {
	BATCHING_FEW,      /* too few calls */
	BATCHING_NONE,     /* it is no batching call */
	BATCHING_UNTOLD,   /* it was cut, or full, and nothing tells why */
	BATCHING_MIXED,    /* several things: none has two thirds of the calls */
	BATCHING_ARRIVALS, /* no more was there */
	BATCHING_LIMIT,    /* it asked for no more */
	BATCHING_MET,      /* it asked for no more, or no more was there */
	BATCHING_TIME,     /* its time was over */
	BATCHING_KERNEL,   /* the kernel takes no more in one call */
	BATCHING_BUFFER,   /* there was no more room */
	BATCHING_REFUSED,  /* messages were refused */
	BATCHING_ECHO,     /* the caller sends what it received */
	BATCHING_EXCHANGE, /* the same, or the other way round */
	BATCHING_MADE,     /* the caller makes batches of one size */
	BATCHING_CALLER,   /* it was given no more */
};
/* 1 if another number in the program is another batch. */
static inline int view_has_limit(enum batching_verdict verdict)
{
	return verdict == BATCHING_LIMIT || verdict == BATCHING_MADE;
}

/* *ret_words, in d's arena: what a call "is". */
enum batching_verdict view_limited(
	struct doc *d, const struct batch_facts *f, const char **ret_words);
/* In a few words, for a thread's or descriptor's part of the calls. */
const char *view_limited_part(struct doc *d, const struct res_counts *limited_by);

/* ---- view_fd_groups.c: fds that are the same thing to a person, counted together ---- */
struct fd_group {
	const char *key; /* path, or socket with its ephemeral port as *; "" if unknown */
	const struct res_fd *first; /* of the group, in the result's order */
	struct res_part *parts;     /* merged by call */
	size_t parts_len;
	uint64_t len, processes; /* fds; and the processes that they are in */
};

struct fd_groups {
	struct fd_group *at;
	size_t len;
};

/* All in the arena. A process that opens one file a thousand times, or a socket for each request,
 * has one group; a group of one is shown as that fd. */
struct fd_groups view_fd_groups(struct arena *arena, const struct res_result *r);

#endif

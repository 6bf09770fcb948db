/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/agg/exchange.h"

#include <stdlib.h>

#include "common/base/mem.h"
#include "tracer/agg/rows.h"

/* Of what was received so much is sent on: some is answered by nobody. */
#define PART(n) ((n) - (n) / 10)

/* Can it be told in which order threads came? */
enum order { ORDER_KNOWN, ORDER_SUPPOSED /* by one thread alone, so far */, ORDER_UNKNOWN };

/* Messages received less those sent; of credit, what is sent one by one is only taken off. */
struct account {
	int64_t balance, credit;
};

struct exchange {
	int attached, times;
	struct {
		struct account account;
		uint64_t since;    /* received since it last sent */
		uint64_t gave;     /* sent since it last received */
		uint32_t from, to; /* descriptors that it last received from and sent to */
	} threads[AGG_ROWS_MAX + 1];
	struct {
		struct account account;
		uint32_t thread; /* the first that received from it or sent to it */
		uint8_t shared;  /* it was not the only one */
	} fds[AGG_ROWS_MAX + 1];
};

struct exchange *exchange_new(int times)
{
	struct exchange *x = mem_calloc(1, sizeof(*x));

	x->times = times;
	return x;
}

void exchange_attached(struct exchange *x)
{
	x->attached = 1;
}

void exchange_free(struct exchange *x)
{
	free(x);
}

int exchange_is_shared(const struct exchange *x, uint32_t fd_id)
{
	return x->fds[fd_id].shared;
}

/* ---- what came, and what went ---- */

static void receive(struct account *a, int64_t n)
{
	a->balance += n;
	a->credit += n;
}

static void note_thread(struct exchange *x, uint32_t fd, uint32_t thread)
{
	if (!x->fds[fd].thread)
		x->fds[fd].thread = thread;
	x->fds[fd].shared |= !thread || x->fds[fd].thread != thread; /* 0 may be of many */
}

void exchange_received(struct exchange *x, const struct sys_event *ev, uint64_t messages)
{
	uint32_t thread = rows_id(ev->thread_id), fd = rows_id(ev->fd_id);
	int64_t n = (int64_t)messages;

	if (fd) {
		receive(&x->fds[fd].account, n);
		note_thread(x, fd, thread);
	}
	if (!thread)
		return;
	x->threads[thread].from = fd;
	receive(&x->threads[thread].account, n);
	x->threads[thread].since += messages;
	x->threads[thread].gave = 0;
}

static int64_t at_least(int64_t v, int64_t least)
{
	return v > least ? v : least;
}

/* A debt is no larger than what is under way: it is not carried along for ever. Messages that are
 * sent one by one make no debt of those that are sent in batches. */
static void spend(struct account *a, int64_t n, int64_t under_way, int one)
{
	int64_t debt = one ? 0 : -2 * n;

	a->balance = at_least(a->balance - n, -2 * under_way);
	a->credit = at_least(a->credit - n, a->credit < debt ? a->credit : debt);
}

static void sent(struct exchange *x, const struct sys_event *ev, uint64_t n, int one)
{
	uint32_t thread = rows_id(ev->thread_id), fd = rows_id(ev->fd_id);
	uint64_t gave = thread ? (x->threads[thread].gave += n) : n;

	if (thread) {
		spend(&x->threads[thread].account, (int64_t)n, (int64_t)gave, one);
		x->threads[thread].to = fd;
	}
	if (fd) {
		spend(&x->fds[fd].account, (int64_t)n, (int64_t)gave, one);
		note_thread(x, fd, thread);
	}
}

/* ---- who was first ---- */

/* What its thread has received since it last sent a batch. */
static uint64_t since_sent(const struct exchange *x, const struct sys_event *ev)
{
	return x->threads[rows_id(ev->thread_id)].since; /* 0 is nobody, who received nothing */
}

/* What it sends was there to be sent: received before, and not sent yet. Some that were sent
 * unasked are let pass. */
static int is_covered(const struct account *a, uint64_t n)
{
	return a->credit >= (int64_t)(n - n / 2);
}

/* Who was first is told by the account of the descriptor where both ways of `thread` are its: what
 * one thread began, others may go on with. Else, as of a proxy, by the thread's own. */
static const struct account *account_of(
	const struct exchange *x, const struct sys_event *ev, uint32_t other_way)
{
	uint32_t fd = rows_id(ev->fd_id);

	return fd && other_way == fd ? &x->fds[fd].account
				     : &x->threads[rows_id(ev->thread_id)].account;
}

/* Who was first cannot be told where it was not seen, or where threads did it whose order is not
 * known: without times the calls of one may come before those of another that were made before. */
static enum order order_of(const struct exchange *x, const struct sys_event *ev, uint32_t other_way)
{
	uint32_t fd = rows_id(ev->fd_id);

	if (x->attached)
		return ORDER_UNKNOWN;
	if (x->times || !fd || other_way != fd)
		return ORDER_KNOWN;
	return x->fds[fd].shared ? ORDER_UNKNOWN : ORDER_SUPPOSED;
}

/* Such a batch is as large as what had come since the last one, or is `part` of that at least. */
static int is_of_size(
	const struct exchange *x, const struct sys_event *ev, uint64_t n, uint64_t part)
{
	return rows_id(ev->thread_id) && n <= since_sent(x, ev) && n >= part;
}

/* It is that which had come, and had come first, as far as that can be told. */
static int sends_on(const struct exchange *x, const struct sys_event *ev, uint64_t n, uint64_t part)
{
	uint32_t from = x->threads[rows_id(ev->thread_id)].from;

	return is_of_size(x, ev, n, part) &&
	       (order_of(x, ev, from) == ORDER_UNKNOWN || is_covered(account_of(x, ev, from), n));
}

struct exchanged exchange_of_sent(const struct exchange *x, const struct sys_event *ev)
{
	uint32_t from = x->threads[rows_id(ev->thread_id)].from;
	enum order order = order_of(x, ev, from);
	uint64_t n = ev->m.batch_moved;

	if (!is_of_size(x, ev, n, PART(since_sent(x, ev))))
		return (struct exchanged){0};
	if (order == ORDER_UNKNOWN)
		return (struct exchanged){FIRST_UNTOLD, 0};
	return (struct exchanged){is_covered(account_of(x, ev, from), n) ? FIRST_KNOWN : FIRST_NOT,
		order == ORDER_SUPPOSED};
}

/* As many as its thread has sent since it last received, and it had sent them first. */
struct exchanged exchange_of_received(const struct exchange *x, const struct sys_event *ev)
{
	uint32_t thread = rows_id(ev->thread_id), to = x->threads[thread].to;
	uint64_t n = ev->m.batch_moved, gave = x->threads[thread].gave;
	enum order order = order_of(x, ev, to);

	if (!thread || n < PART(gave) || gave < PART(n))
		return (struct exchanged){0};
	if (x->attached)
		return (struct exchanged){FIRST_UNTOLD, 0};
	if (order == ORDER_UNKNOWN || account_of(x, ev, to)->balance > -(int64_t)PART(n))
		return (struct exchanged){0};
	return (struct exchanged){FIRST_KNOWN, order == ORDER_SUPPOSED};
}

/* ---- what was sent ---- */

/* A batch that is not even half of what had come, or more, is no answer to it. On the descriptor it
 * may be one to what another thread received. */
static void lose_credit(struct exchange *x, const struct sys_event *ev)
{
	uint32_t thread = rows_id(ev->thread_id), fd = rows_id(ev->fd_id);
	int64_t n = (int64_t)ev->m.batch_moved, came = fd ? x->fds[fd].account.credit : 0;

	if (sends_on(x, ev, ev->m.batch_moved, (since_sent(x, ev) + 1) / 2))
		return;
	if (thread && x->threads[thread].account.credit > 0)
		x->threads[thread].account.credit = 0;
	if (came > 0 && (came < n || came / 2 > n))
		x->fds[fd].account.credit = 0;
}

void exchange_sent_batch(struct exchange *x, const struct sys_event *ev, int is_callers)
{
	uint32_t thread = rows_id(ev->thread_id);

	if (is_callers)
		lose_credit(x, ev);
	sent(x, ev, ev->m.batch_moved, 0);
	if (thread)
		x->threads[thread].since = 0;
}

void exchange_sent_one(struct exchange *x, const struct sys_event *ev)
{
	uint32_t thread = rows_id(ev->thread_id);

	sent(x, ev, 1, 1);
	if (thread && x->threads[thread].since)
		x->threads[thread].since--;
}

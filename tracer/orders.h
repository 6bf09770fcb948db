/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_ORDERS_H
#define TRACER_ORDERS_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdint.h>

/*
 * What the supervising thread (signals, timers, control pipe) tells the tracing thread, which
 * sleeps in wait4. The supervisor stamps an order while `pending` is already raised, and the
 * tracing thread looks at `pending` before it books an event: so a call that was entered after the
 * stamp is never booked before the order is known.
 */
enum order_kind {
	ORDER_BEGIN,  /* the window begins at at_ns */
	ORDER_END,    /* ... ends */
	ORDER_MARK,   /* name */
	ORDER_SIGNAL, /* send signal to every live traced process */
	ORDER_STATUS, /* write the line of --status */
	ORDER_TICK,   /* an interval of --interval or --live is over */
	ORDER_DETACH, /* -p: leave the targets alone and return */
};

struct order {
	enum order_kind kind;
	int signal;
	char *name; /* heap, of ORDER_MARK; the taker's */
	uint64_t at_ns;
};

struct orders {
	atomic_uint pending;
	atomic_int closed; /* the taker takes no more */
	pthread_mutex_t lock;
	struct {
		struct order *at;
		size_t len, cap;
	} queue;
	pthread_t taker;
};

void orders_init(struct orders *o);
void orders_release(struct orders *o);
/* Stamps (at_ns 0: now) and queues an order, and wakes the taker until it has taken it, or for half
 * a second: then orders_wake() is to be called from time to time. */
void orders_give(struct orders *o, struct order order);
/* Wakes the taker once more; 0 if there is no need. */
int orders_wake(struct orders *o);
/* The taker ends: later orders are dropped. */
void orders_close(struct orders *o);
/* Takes the next order: 1, or 0 when there is none. */
int orders_take(struct orders *o, struct order *ret);

static inline int orders_pending(const struct orders *o)
{
	return atomic_load(&o->pending) != 0;
}

/* The signal that interrupts wait4 in the taker; its handler does nothing. */
#define ORDERS_SIGNAL (SIGRTMIN + 5)

#endif

/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/orders.h"

#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

#define WAKE_EVERY_US 500
#define WAKES_MAX     1000 /* half a second; a taker that is busy longer: orders_wake() */

void orders_init(struct orders *o)
{
	*o = (struct orders){0};
	pthread_mutex_init(&o->lock, NULL);
}

void orders_release(struct orders *o)
{
	for (size_t i = 0; i < o->queue.len; i++)
		free(o->queue.at[i].name);
	free(o->queue.at);
	pthread_mutex_destroy(&o->lock);
}

void orders_give(struct orders *o, struct order order)
{
	pthread_mutex_lock(&o->lock);
	atomic_fetch_add(&o->pending, 1);
	if (!order.at_ns)
		order.at_ns = clock_mono_ns();
	*VEC_PUSH(&o->queue) = order;
	pthread_mutex_unlock(&o->lock);
	/* A signal that comes just before the taker sleeps in wait4 is lost on it: so, again. */
	for (int i = 0; i < WAKES_MAX && orders_wake(o); i++)
		usleep(WAKE_EVERY_US);
}

int orders_wake(struct orders *o)
{
	return orders_pending(o) && !atomic_load(&o->closed) &&
	       pthread_kill(o->taker, ORDERS_SIGNAL) == 0;
}

void orders_close(struct orders *o)
{
	atomic_store(&o->closed, 1);
}

int orders_take(struct orders *o, struct order *ret)
{
	int found = 0;

	pthread_mutex_lock(&o->lock);
	if (o->queue.len) {
		*ret = o->queue.at[0];
		o->queue.len--;
		for (size_t i = 0; i < o->queue.len; i++)
			o->queue.at[i] = o->queue.at[i + 1];
		atomic_fetch_sub(&o->pending, 1);
		found = 1;
	}
	pthread_mutex_unlock(&o->lock);
	return found;
}

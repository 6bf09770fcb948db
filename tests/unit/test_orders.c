/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tracer/orders.h"

#define GIVERS       2
#define ORDERS_EACH  100
#define ORDERS_TOTAL (GIVERS * ORDERS_EACH)

/* The taker's findings are looked at by the main thread: cmocka's assertions are not for others. */
struct scene {
	struct orders orders;
	int sleeps; /* the taker sleeps between orders instead of looking all the time */
	int takes;  /* it closes after so many */
	int taken, out_of_order, late, wrong_name;
	uint64_t last_at_ns;
	int next_signal[GIVERS];
};

struct giver {
	struct scene *scene;
	int id;
};

static void no_action(int signal)
{
	(void)signal;
}

static void look_at(struct scene *s, const struct order *order, uint64_t clear_ns)
{
	int id = order->name[0] - 'a';

	s->taken++;
	/* While nothing was pending no order had a stamp: an event of then is rightly booked. */
	s->late += order->at_ns < clear_ns;
	s->out_of_order += order->at_ns < s->last_at_ns;
	s->last_at_ns = order->at_ns;
	s->wrong_name += id < 0 || id >= GIVERS || order->signal != s->next_signal[id]++;
	free(order->name);
}

static void *take(void *arg)
{
	struct scene *s = arg;
	uint64_t clear_ns = 0;

	while (s->taken < s->takes) {
		uint64_t now = clock_mono_ns();
		struct order order;

		if (!orders_pending(&s->orders)) {
			clear_ns = now;
			if (s->sleeps)
				pause(); /* as wait4 */
			continue;
		}
		if (orders_take(&s->orders, &order))
			look_at(s, &order, clear_ns);
	}
	orders_close(&s->orders);
	return NULL;
}

static void *give(void *arg)
{
	struct giver *g = arg;

	for (int i = 0; i < ORDERS_EACH; i++)
		orders_give(&g->scene->orders, (struct order){.kind = ORDER_MARK,
						       .signal = i,
						       .name = mem_printf("%c", 'a' + g->id)});
	return NULL;
}

/* Returns when all threads have ended: a giver that hangs is met by the alarm. */
static void play(struct scene *s)
{
	struct giver givers[GIVERS];
	pthread_t threads[GIVERS];

	alarm(60);
	orders_init(&s->orders);
	assert_int_equal(pthread_create(&s->orders.taker, NULL, take, s), 0);
	for (int i = 0; i < GIVERS; i++) {
		givers[i] = (struct giver){s, i};
		assert_int_equal(pthread_create(&threads[i], NULL, give, &givers[i]), 0);
	}
	for (int i = 0; i < GIVERS; i++)
		pthread_join(threads[i], NULL);
	pthread_join(s->orders.taker, NULL);
	alarm(0);
}

static void orders_arrive_once_and_in_order(void **state)
{
	(void)state;
	for (int sleeps = 0; sleeps < 2; sleeps++) {
		struct scene s = {.sleeps = sleeps, .takes = ORDERS_TOTAL};
		struct order order;

		play(&s);
		assert_int_equal(s.taken, ORDERS_TOTAL);
		assert_int_equal(s.out_of_order, 0);
		assert_int_equal(s.late, 0);
		assert_int_equal(s.wrong_name, 0);
		assert_false(orders_pending(&s.orders));
		assert_int_equal(orders_take(&s.orders, &order), 0);
		orders_release(&s.orders);
	}
}

/* The taker ends early, the givers go on: none may wait for it, nothing may leak. */
static void a_closed_taker_holds_nobody(void **state)
{
	struct scene s = {.sleeps = 1, .takes = 5};

	(void)state;
	play(&s);
	assert_int_equal(s.taken, 5);
	assert_int_equal(s.wrong_name, 0);
	orders_release(&s.orders);
}

/* A stamp that is given stays; without a taker that has to be waken, and in order. */
static void stamps(void **state)
{
	struct orders o;
	struct order order;
	uint64_t before, after;

	(void)state;
	orders_init(&o);
	o.taker = pthread_self();
	orders_close(&o);
	assert_int_equal(orders_take(&o, &order), 0);
	before = clock_mono_ns();
	orders_give(&o, (struct order){.kind = ORDER_BEGIN});
	after = clock_mono_ns();
	orders_give(&o, (struct order){.kind = ORDER_END, .at_ns = 42});
	assert_true(orders_pending(&o));
	assert_int_equal(orders_take(&o, &order), 1);
	assert_int_equal(order.kind, ORDER_BEGIN);
	assert_in_range(order.at_ns, before, after);
	assert_true(orders_pending(&o));
	assert_int_equal(orders_take(&o, &order), 1);
	assert_int_equal(order.kind, ORDER_END);
	assert_int_equal(order.at_ns, 42);
	assert_false(orders_pending(&o));
	assert_int_equal(orders_take(&o, &order), 0);
	orders_release(&o);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(orders_arrive_once_and_in_order),
		cmocka_unit_test(a_closed_taker_holds_nobody),
		cmocka_unit_test(stamps),
	};
	struct sigaction action = {.sa_handler = no_action};

	sigaction(ORDERS_SIGNAL, &action, NULL);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

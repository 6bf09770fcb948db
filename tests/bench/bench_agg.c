/* SPDX-License-Identifier: GPL-3.0-only */
/* What the aggregator costs for each call: the recorder's drain must keep up with the target. */
#include <stdio.h>

#include "common/base/clock.h"
#include "tracer/agg/agg.h"

#define BLOCK  4096
#define EVENTS (500 * BLOCK)
#define ROUNDS 5 /* the best one counts: the machine may be shared */

static const struct sys_def defs[] = {
	{.name = "sendmmsg",
		.gather = "larger sendmmsg",
		.class = CLASS_NETWORK,
		.unit = BATCH_MESSAGES,
		.batch = 3,
		.index = 0},
	{.name = "recvmmsg",
		.class = CLASS_NETWORK,
		.unit = BATCH_MESSAGES,
		.batch = 3,
		.index = 1},
	{.name = "epoll_wait", .class = CLASS_WAIT, .unit = BATCH_EVENTS, .batch = 3, .index = 2},
	{.name = "write",
		.class = CLASS_DESC,
		.gather = "writev",
		.bytes = 3,
		.bytes_ret = 1,
		.index = 3},
};

/* Call i of a server whose threads each have a few sockets. */
static struct sys_event event(uint64_t i, uint32_t threads)
{
	uint64_t random = i * 0x9e3779b97f4a7c15ULL >> 32, moved = 1 + random % 32;
	const struct sys_def *def = &defs[i % 4];
	struct sys_event ev = {.def = def,
		.ret = (int64_t)moved,
		.entry_ns = i * 1000,
		.exit_ns = i * 1000 + 200 + random % 5000,
		.m = {NOT_MEASURED, moved * 100, NOT_MEASURED, NOT_MEASURED, NOT_MEASURED,
			NOT_MEASURED, 0, 0, 0},
		.thread_id = (uint32_t)(i / 4 % threads),
		.fd_id = (uint32_t)(1 + i / 4 % threads * 3 + random % 3)};

	if (def->unit != BATCH_NONE) {
		ev.m.batch_asked = 32;
		ev.m.batch_moved = moved;
	}
	return ev;
}

static double ns_per_add(uint32_t threads)
{
	static struct sys_event evs[BLOCK];
	uint64_t spent_ns = 0;
	struct agg *a = agg_new();

	for (uint64_t i = 0; i < EVENTS; i += BLOCK) {
		uint64_t begin_ns;

		for (uint64_t k = 0; k < BLOCK; k++)
			evs[k] = event(i + k, threads);
		begin_ns = clock_mono_ns();
		for (size_t k = 0; k < BLOCK; k++)
			agg_add(a, &evs[k]);
		spent_ns += clock_mono_ns() - begin_ns;
	}
	agg_free(a);
	return (double)spent_ns / EVENTS;
}

int main(void)
{
	static const uint32_t threads[] = {1, 8, 64, 1024};

	for (size_t i = 0; i < sizeof(threads) / sizeof(threads[0]); i++) {
		double best = ns_per_add(threads[i]);

		for (int round = 1; round < ROUNDS; round++) {
			double ns = ns_per_add(threads[i]);

			best = ns < best ? ns : best;
		}
		printf("agg_add, %4u threads: %6.1f ns a call\n", threads[i], best);
	}
	return 0;
}

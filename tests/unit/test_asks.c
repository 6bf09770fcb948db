/* SPDX-License-Identifier: GPL-3.0-only */
/* Receipts that need not be made: sequences of calls on descriptors, and which of them are such. */
#include <errno.h>
#include <stdlib.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "tests/unit/steps.h"
#include "tracer/agg/asks.h"

#define S       5 /* a socket that does not wait */
#define B       6 /* one that does */
#define X       0 /* none */
#define NOTHING (-EAGAIN)

struct step {
	const char *name;
	uint32_t fd;
	int64_t ret;
	int again;
	uint64_t flags;
};

static void goes(const struct step *steps, size_t n)
{
	struct asks *a = mem_calloc(1, sizeof(*a));

	for (size_t i = 0; i < n; i++) {
		const struct step *s = &steps[i];
		struct sys_event ev = step_event(s->name, s->fd);

		ev.args[3] = s->flags;
		ev.ret = s->ret;
		ev.blocking = s->fd == B ? BLOCKING_YES : BLOCKING_NO;
		if (asks_add(a, &ev) != s->again)
			fail_msg("step %zu, %s", i, s->name);
	}
	free(a);
}

static void asked_without_waiting(void **state)
{
	static const char *const names[] = {"read", "readv", "recvfrom", "recvmsg", "recvmmsg"};

	(void)state;
	for (size_t i = 0; i < LEN(names); i++)
		GOES({names[i], S, NOTHING, 0, 0}, {names[i], S, NOTHING, 1, 0},
			{names[i], S, 3, 0, 0}, {names[i], S, NOTHING, 0, 0},
			{names[i], S, NOTHING, 1, 0});
	/* other calls tell nothing */
	GOES({"read", S, NOTHING, 0, 0}, {"write", S, 1, 0, 0}, {"clock_nanosleep", X, 0, 0, 0},
		{"poll", X, 0, 0, 0}, {"poll", X, -EINTR, 0, 0}, {"read", S + 2, 1, 0, 0},
		{"recvmsg", S, NOTHING, 1, 0});
	/* the socket waits, but not this call */
	GOES({"recvfrom", B, NOTHING, 0, MSG_DONTWAIT}, {"recvfrom", B, NOTHING, 1, MSG_DONTWAIT});
}

static void asked_until_nothing_is_left(void **state)
{
	(void)state;
	GOES({"epoll_wait", X, 1, 0, 0}, {"read", S, 1, 0, 0}, {"read", S, NOTHING, 0, 0},
		{"epoll_wait", X, 1, 0, 0}, {"read", S, 1, 0, 0}, {"read", S, NOTHING, 0, 0});
	/* told of what was read already, or of what another thread has taken */
	GOES({"read", S, NOTHING, 0, 0}, {"epoll_wait", X, 1, 0, 0}, {"read", S, NOTHING, 0, 0},
		{"select", X, 2, 0, 0}, {"read", S, NOTHING, 0, 0}, {"read", S, NOTHING, 1, 0});
}

static void not_known(void **state)
{
	(void)state;
	/* another thread's, or nobody knows whose */
	GOES({"read", S, NOTHING, 0, 0}, {"2 read", S, NOTHING, 0, 0}, {"read", S, NOTHING, 0, 0});
	GOES({"read", X, NOTHING, 0, 0}, {"read", X, NOTHING, 0, 0});
	GOES({"read", AGG_ROWS_MAX + 1, NOTHING, 0, 0}, {"read", AGG_ROWS_MAX + 1, NOTHING, 0, 0});
	/* a time limit, an error, the end, what does not receive */
	GOES({"recvfrom", B, NOTHING, 0, 0}, {"recvfrom", B, NOTHING, 0, 0});
	GOES({"read", S, -EIO, 0, 0}, {"read", S, -EIO, 0, 0}, {"read", S, 0, 0, 0},
		{"read", S, 0, 0, 0});
	GOES({"write", S, NOTHING, 0, 0}, {"write", S, NOTHING, 0, 0},
		{"accept4", S, NOTHING, 0, 0}, {"accept4", S, NOTHING, 0, 0});
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(asked_without_waiting),
		cmocka_unit_test(asked_until_nothing_is_left),
		cmocka_unit_test(not_known),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

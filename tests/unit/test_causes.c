/* SPDX-License-Identifier: GPL-3.0-only */
/* Why a batch is not larger: sequences of calls, and what each is judged to be. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include <cmocka.h>

#include "common/base/mem.h"
#include "tracer/agg/causes.h"
#include "tracer/agg/rows.h"

/* One call; time goes on by us between calls, and in them. */
struct step {
	const char *name;
	uint64_t asked;
	int64_t ret; /* units moved, or an errno below 0 */
	uint64_t in_us, before_us;
	uint64_t flags;
	enum blocking blocking;
	uint32_t thread, fd; /* 0: 1 and 3 */
	int cut;             /* of its bytes not all were moved; TIMED: it has a time limit */
};

#define TIMED 2

static struct sys_event event_of(const struct step *s, uint64_t *now_ns)
{
	struct sys_event ev = {.def = sys_by_name(s->name),
		.ret = s->ret,
		.outcome = s->ret <= -512 ? SYS_INTERRUPTED : SYS_RETURNED,
		.seen = SEEN_RECORDED,
		.blocking = (uint8_t)s->blocking,
		.thread_id = s->thread ? s->thread : 1,
		.fd_id = s->fd ? s->fd : 3,
		.m = {.bytes_asked = s->cut == 1 ? 100 : NOT_MEASURED,
			.bytes_moved = s->cut == 1 ? 50 : NOT_MEASURED,
			.batch_asked = s->asked ? s->asked : NOT_MEASURED,
			.batch_moved = s->ret < 0 ? NOT_MEASURED : (uint64_t)s->ret}};

	assert_non_null(ev.def);
	ev.args[1] = ev.args[2] = s->asked;
	ev.args[4] = s->cut == TIMED ? 0x7000 : 0;
	ev.args[strcmp(s->name, "recvmsg") ? 3 : 2] = s->flags;
	*now_ns += s->before_us * 1000;
	ev.entry_ns = *now_ns;
	*now_ns += s->in_us ? s->in_us * 1000 : 1000;
	ev.exit_ns = *now_ns;
	return ev;
}

/* "limit arrivals ..": the causes in the order in which they are known, those of the end after "|",
 * each with a number that is not 1. */
static void told(
	const struct step *steps, size_t n, int attached, int times, char *text, size_t size)
{
	struct causes *c = causes_new(times);
	struct caused of[2];
	uint64_t now_ns = 1000;

	if (attached)
		causes_attached(c);
	*text = '\0';
	for (size_t i = 0; i < n && steps[i].name; i++) {
		struct sys_event ev = event_of(&steps[i], &now_ns);
		size_t known = causes_add(c, &ev, 1, of);

		for (size_t k = 0; k < known; k++) {
			assert_int_equal(of[k].phase, 1);
			assert_true(of[k].def->unit != BATCH_NONE);
			snprintf(text + strlen(text), size - strlen(text), "%s%s", *text ? " " : "",
				cause_name(of[k].cause));
		}
	}
	for (int first = 1; causes_end(c, of); first = 0)
		snprintf(text + strlen(text), size - strlen(text), "%s%.0d%s", first ? " | " : " ",
			of->n == 1 ? 0 : (int)of->n, cause_name(of->cause));
	causes_free(c);
}

#define S(name, asked, ret)                                                                        \
	{                                                                                          \
		name, asked, ret, 0, 0, 0, 0, 0, 0, 0                                              \
	}
#define SEND(asked, ret) S("sendmmsg", asked, ret)
#define RECV(asked, ret)                                                                           \
	{                                                                                          \
		"recvmmsg", asked, ret, 0, 0, MSG_DONTWAIT, 0, 0, 0, 0                             \
	}
#define ON(fd, step_name, asked, ret)                                                              \
	{                                                                                          \
		step_name, asked, ret, 0, 0, MSG_DONTWAIT, BLOCKING_UNKNOWN, 1, fd, 0              \
	}
#define BY(thread, step_name, asked, ret)                                                          \
	{                                                                                          \
		step_name, asked, ret, 0, 0, MSG_DONTWAIT, BLOCKING_UNKNOWN, thread, 3, 0          \
	}
#define IN(us, step_name, asked, ret, flags, blocking)                                             \
	{                                                                                          \
		step_name, asked, ret, us, 0, flags, blocking, 0, 0, 0                             \
	}

#define FLAGS(step_name, asked, ret, flags) IN(1, step_name, asked, ret, flags, 0)
#define LATE(us, step_name, asked, ret)                                                            \
	{                                                                                          \
		step_name, asked, ret, 0, us, MSG_DONTWAIT, 0, 0, 0, 0                             \
	}
#define CUT(asked, ret)                                                                            \
	{                                                                                          \
		"writev", asked, ret, 0, 0, 0, 0, 0, 0, 1                                          \
	}
/* Before it some time has gone. */
#define UNTIL(us, asked, ret, flags, blocking)                                                     \
	{                                                                                          \
		"recvmmsg", asked, ret, 0, us, flags, blocking, 0, 0, TIMED                        \
	}
/* A wait on descriptor 5, with a time limit. */
#define OTHER(us, step_name, ret)                                                                  \
	{                                                                                          \
		step_name, 4, ret, us, 0, 1000, BLOCKING_UNKNOWN, 1, 5, 0                          \
	}
/* A change of what the epoll of descriptor 3 watches, which goes on to be watched. */
#define ADD EPOLL_CTL_ADD
#define DEL EPOLL_CTL_DEL
#define WATCH(op)                                                                                  \
	{                                                                                          \
		"epoll_ctl", op, 0, 0, 0, 0, 0, 0, 0, 0                                            \
	}
#define WAIT(us) OTHER(us, "epoll_wait", 1)

static const struct sequence {
	struct step steps[8];
	const char *says;
	int attached;
} sequences[] = {
	/* less than asked, then nothing */
	{{RECV(8, 3), RECV(8, -EAGAIN), RECV(8, 0)}, "arrivals", 0},
	/* an error that is told by the next call: it may have ended the one before */
	{{RECV(8, 3), RECV(8, -EFAULT), RECV(8, 3)}, "unknown | arrivals", 0},
	{{RECV(8, 3), RECV(8, -EINTR), RECV(8, -ECONNREFUSED)}, "unknown", 0},
	{{RECV(8, 3), RECV(8, -EINTR), RECV(8, -EAGAIN)}, "arrivals", 0},
	{{RECV(8, 8), RECV(8, -ECONNREFUSED), RECV(8, 8)}, "limit | unknown", 0},
	{{UNTIL(0, 8, 3, 0, BLOCKING_YES), RECV(8, -ECONNREFUSED)}, "unknown", 0},
	/* its time limit ended it, or nothing more was there */
	{{UNTIL(0, 8, 3, 0, BLOCKING_YES), UNTIL(0, 8, 8, 0, BLOCKING_YES)}, "time | unknown", 0},
	{{UNTIL(0, 8, 3, 0, BLOCKING_YES), UNTIL(900, 8, 8, 0, BLOCKING_YES)}, "time | unknown", 0},
	{{UNTIL(0, 8, 3, 0, BLOCKING_YES), RECV(8, -EAGAIN)}, "arrivals", 0},
	{{UNTIL(0, 8, 3, MSG_DONTWAIT, 0), RECV(8, 3)}, "time | arrivals", 0},
	{{UNTIL(0, 8, 3, MSG_WAITFORONE, 0), LATE(900, "recvmmsg", 8, 3)}, "arrivals | arrivals",
		0},
	{{{"recvmmsg", 8, 3, 900, 0, 0, BLOCKING_YES, 0, 0, TIMED}, RECV(8, 3)},
		"arrivals | arrivals", 0},
	/* full: the next one tells */
	{{RECV(8, 8), RECV(8, 2)}, "limit | arrivals", 0},
	{{RECV(8, 8), RECV(8, -EAGAIN)}, "arrivals", 0},
	{{RECV(8, 8)}, " | unknown", 0},
	{{RECV(8, 8), IN(500, "recvmmsg", 8, 1, MSG_WAITFORONE, 0)}, "arrivals | arrivals", 0},
	{{RECV(8, 8), WAIT(500), RECV(8, 8), RECV(8, 1)}, "arrivals arrivals limit | arrivals", 0},
	{{RECV(8, 8), WAIT(5), RECV(8, 1)}, "arrivals limit | arrivals", 0},
	/* a call of another descriptor says nothing, one of another thread or of one message does
	 */
	{{RECV(8, 8), ON(4, "recvmmsg", 8, -EAGAIN)}, " | unknown", 0},
	{{RECV(8, 8), BY(2, "recvmmsg", 8, -EAGAIN)}, "arrivals", 0},
	{{RECV(8, 8), BY(2, "recvmmsg", 8, 2), RECV(8, -EAGAIN)}, "limit arrivals", 0},
	{{RECV(8, 8), FLAGS("recvfrom", 0, 9, MSG_DONTWAIT), RECV(8, -EAGAIN)}, "limit", 0},
	{{RECV(8, 8), FLAGS("recvmsg", 0, -EAGAIN, MSG_DONTWAIT), RECV(8, 1)},
		"arrivals | arrivals", 0},
	/* nor do errors of messages that were sent, nor a look */
	{{RECV(8, 8), FLAGS("recvmmsg", 8, -EAGAIN, MSG_ERRQUEUE), RECV(8, 1)}, "limit | arrivals",
		0},
	{{RECV(8, 8), FLAGS("recvmsg", 0, -EAGAIN, MSG_ERRQUEUE), RECV(8, 1)}, "limit | arrivals",
		0},
	{{RECV(8, 8), RECV(8, -ECONNREFUSED), RECV(8, 1)}, "limit | arrivals", 0},
	{{FLAGS("recvmmsg", 8, 8, MSG_PEEK), RECV(8, 3)}, " | arrivals", 0},
	/* time has gone: it may have come since; the thread waits for others, or gives them */
	{{RECV(8, 8), LATE(500, "recvmmsg", 8, 8), RECV(8, -EAGAIN)}, "met arrivals", 0},
	{{RECV(8, 8), OTHER(500, "read", 1), RECV(8, 8), RECV(8, 1)}, "met limit | arrivals", 0},
	{{RECV(8, 8), S("write", 0, 1), RECV(8, 1)}, "met | arrivals", 0},
	{{RECV(8, 8), S("sendto", 0, 1), RECV(8, 1)}, "met | arrivals", 0},
	/* a wait that was told of nothing, and one that was told of another descriptor */
	{{RECV(8, 8), OTHER(500, "epoll_wait", 0), RECV(8, 1)}, "met | arrivals", 0},
	{{RECV(8, 8), WAIT(500), ON(4, "recvmmsg", 8, 1), RECV(8, 1)},
		"arrivals met | arrivals arrivals", 0},
	/* what does not wait was kept by something else */
	{{RECV(8, 8), IN(500, "recvmmsg", 8, 1, MSG_DONTWAIT, 0)}, "limit | arrivals", 0},
	{{RECV(8, 8), IN(500, "recvmmsg", 8, 1, 0, BLOCKING_NO)}, "limit | arrivals", 0},
	/* it waits for all of them, unless it is told not to, or cannot */
	{{IN(500, "recvmmsg", 8, 8, 0, BLOCKING_YES)}, "arrivals", 0},
	{{IN(500, "recvmmsg", 8, 8, 0, BLOCKING_UNKNOWN)}, "arrivals", 0},
	{{IN(500, "recvmmsg", 8, 8, 0, BLOCKING_NO), RECV(8, 1)}, "limit | arrivals", 0},
	{{IN(500, "recvmmsg", 8, 8, MSG_WAITFORONE, BLOCKING_YES), RECV(8, 1)}, "limit | arrivals",
		0},
	{{IN(40, "recvmmsg", 8, 8, 0, BLOCKING_YES), RECV(8, 1)}, "limit | arrivals", 0},
	/* the kernel's limit, and its rest */
	{{SEND(2000, 1024), SEND(976, 976)}, "kernel kernel", 0},
	{{SEND(1024, 1024)}, "kernel", 0},
	{{SEND(1023, 1023)}, "caller", 0},
	{{S("writev", 1024, 1024)}, "kernel", 0},
	{{S("io_submit", 4096, 4096)}, "caller", 0},
	/* cut: what came next? */
	{{SEND(8, 3), SEND(5, -EAGAIN), SEND(5, 5)}, "buffer buffer buffer", 0},
	{{SEND(8, 3), SEND(5, -EMSGSIZE), SEND(4, 4)}, "refused refused refused", 0},
	{{SEND(8, 3), SEND(4, 4)}, "refused refused", 0},
	/* the rest could go: what else the descriptor's calls have failed with tells */
	{{SEND(8, 3), SEND(5, 5)}, "unknown unknown", 0},
	{{SEND(8, -EAGAIN), SEND(8, 3), SEND(5, 5)}, "buffer buffer buffer", 0},
	{{S("sendto", 0, -ENOBUFS), SEND(8, 3), SEND(5, 5)}, "buffer buffer", 0},
	{{S("sendto", 0, -ECONNREFUSED), SEND(8, 3), SEND(5, 5)}, "refused refused", 0},
	{{S("recvfrom", 0, -ECONNREFUSED), SEND(8, 3), SEND(5, 5)}, "refused refused", 0},
	{{S("recvfrom", 0, -EAGAIN), SEND(8, 3), SEND(5, 5)}, "unknown unknown", 0},
	{{S("sendto", 0, -EAGAIN), S("sendto", 0, -ECONNREFUSED), SEND(8, 3), SEND(5, 5)},
		"unknown unknown", 0},
	/* or it had waited for room, until a signal or the end of its time */
	{{IN(500, "sendmmsg", 8, 3, 0, BLOCKING_YES), SEND(5, 5)}, "buffer buffer", 0},
	{{IN(500, "sendmmsg", 8, 3, MSG_DONTWAIT, 0), SEND(5, 5)}, "unknown unknown", 0},
	/* a stream has no room, in a buffer or between two */
	{{S("writev", 8, 3), S("writev", 5, 5)}, "buffer buffer", 0},
	{{CUT(8, 3), S("writev", 6, 6)}, "buffer buffer", 0},
	{{CUT(8, 8), S("writev", 1, 1), S("writev", 8, 8)}, "buffer buffer caller", 0},
	{{S("writev", 8, 3), S("writev", 5, -ENOSPC)}, "refused", 0},
	{{S("writev", 8, 3), S("writev", 5, -EPIPE)}, "unknown", 0},
	{{SEND(8, 3), SEND(5, -EFAULT)}, "refused", 0},
	{{SEND(8, 3), SEND(8, 8)}, "unknown caller", 0},
	{{SEND(8, 3)}, " | unknown", 0},
	{{SEND(8, 3), ON(4, "sendmmsg", 8, -EAGAIN)}, "buffer | unknown", 0},
	{{SEND(8, 3), BY(2, "sendmmsg", 5, -EAGAIN)}, "buffer | unknown", 0},
	/* whole or nothing */
	{{S("writev", 4, -EAGAIN), S("writev", 4, 4), S("writev", 4, 4)}, "buffer buffer caller",
		0},
	{{S("writev", 4, 1), S("writev", 4, -EAGAIN), S("writev", 4, 4)}, "buffer buffer buffer",
		0},
	/* a batch that is refused at once and given up is no reason of the next one */
	{{SEND(8, -EPERM), SEND(8, 8)}, "refused caller", 0},
	{{SEND(8, -EPERM), SEND(7, 7)}, "refused refused", 0},
	/* errors that are not about a message */
	{{SEND(8, -EBADF), SEND(8, -EINTR), SEND(8, -512), S("writev", 4, -EPIPE)}, "", 0},
	/* who received first */
	{{RECV(8, 5), SEND(5, 5), RECV(8, 3), SEND(3, 3)}, "received arrivals received | arrivals",
		0},
	{{RECV(8, 5), SEND(5, 5)}, "exchanged | arrivals", 1},
	{{SEND(5, 5), RECV(8, 5), SEND(5, 5), RECV(8, 5), SEND(5, 5)},
		"caller caller arrivals caller | arrivals", 0},
	{{SEND(5, 5), RECV(5, 5), SEND(5, 5)}, "caller arrivals caller", 0},
	{{SEND(5, 5), RECV(5, 5), SEND(5, 5)}, "caller exchanged exchanged", 1},
	/* a part is answered, a message is sent unasked */
	{{RECV(32, 20), SEND(18, 18)}, "received | arrivals", 0},
	{{RECV(32, 20), SEND(17, 17)}, "caller | arrivals", 0},
	{{S("sendto", 0, 1), RECV(32, 20), SEND(20, 20)}, "received | arrivals", 0},
	{{S("sendto", 0, 1), S("sendto", 0, 1), RECV(8, 2), SEND(2, 2)}, "received | arrivals", 0},
	{{RECV(32, 20), SEND(15, 15), RECV(8, 3), SEND(3, 3)},
		"caller arrivals received | arrivals", 0},
	/* what came before it began to ask is not what it sends */
	{{RECV(64, 40), SEND(8, 8), RECV(16, 8), SEND(8, 8)}, "caller arrivals caller | arrivals",
		0},
	/* more come back than it has sent */
	{{SEND(10, 10), RECV(16, 13), SEND(13, 13), RECV(16, 15), SEND(15, 15)},
		"caller caller arrivals caller | arrivals", 0},
	/* it may send some unasked, if they are less than half */
	{{SEND(3, 3), RECV(16, 8), SEND(8, 8)}, "caller received | arrivals", 0},
	{{SEND(5, 5), RECV(16, 8), SEND(8, 8)}, "caller caller | arrivals", 0},
	/* what is looked at is not received twice */
	{{FLAGS("recvmsg", 0, 9, MSG_PEEK), S("recvmsg", 0, 9), SEND(1, 1)}, "received", 0},
	{{FLAGS("recvmsg", 0, 9, MSG_PEEK), S("recvmsg", 0, 9), SEND(2, 2)}, "caller", 0},
	/* it takes what it has sent itself */
	{{S("sendto", 0, 1), S("sendto", 0, 1), RECV(2, 2)}, "arrivals", 0},
	/* split into several, gathered from several */
	{{RECV(8, 6), SEND(3, 3), SEND(3, 3)}, "caller caller | arrivals", 0},
	{{S("recvfrom", 0, 1), S("recvmsg", 0, 1), SEND(2, 2)}, "received", 0},
	{{RECV(8, 4), RECV(8, 2), SEND(6, 6)}, "arrivals received | arrivals", 0},
	/* received by another thread; sent by another descriptor of the same one */
	{{BY(2, "recvmmsg", 8, 5), SEND(5, 5)}, "caller | arrivals", 0},
	{{ON(4, "recvmmsg", 8, 5), SEND(5, 5)}, "received | arrivals", 0},
	/* threads in turns: of a server, of a client, of one who was greeted */
	{{BY(1, "recvmmsg", 8, 8), BY(2, "sendmmsg", 8, 8), BY(2, "recvmmsg", 8, 8),
		 BY(1, "sendmmsg", 8, 8), BY(1, "recvmmsg", 8, 8), BY(2, "recvmmsg", 8, -EAGAIN)},
		"caller met received met arrivals", 0},
	{{BY(1, "sendmmsg", 8, 8), BY(2, "recvmmsg", 9, 8), BY(2, "sendmmsg", 8, 8),
		 BY(1, "recvmmsg", 8, 8), BY(1, "sendmmsg", 8, 8)},
		"caller caller arrivals arrivals caller", 0},
	{{BY(2, "recvmmsg", 32, 24), BY(1, "sendmmsg", 8, 8), BY(1, "recvmmsg", 9, 8),
		 BY(1, "sendmmsg", 8, 8)},
		"caller arrivals caller | arrivals", 0},
	/* events */
	{{S("epoll_wait", 4, 4), S("epoll_wait", 4, 1)}, "limit arrivals", 0},
	{{S("epoll_wait", 4, 0), S("epoll_wait", 4, 2)}, "arrivals", 0},
	/* all that it watches, or not all */
	{{WATCH(ADD), WATCH(ADD), S("epoll_wait", 2, 2), S("epoll_wait", 2, 2)},
		"arrivals arrivals", 0},
	{{WATCH(ADD), WATCH(ADD), WATCH(ADD), S("epoll_wait", 2, 2), S("epoll_wait", 2, 1)},
		"limit arrivals", 0},
	{{WATCH(ADD), WATCH(ADD), WATCH(ADD), WATCH(DEL), S("epoll_wait", 2, 2)}, "arrivals", 0},
	{{WATCH(ADD), WATCH(ADD), S("epoll_wait", 2, 2), S("epoll_wait", 2, 1)}, "limit arrivals",
		1},
	{{WATCH(ADD), S("epoll_wait", 2, 2), S("epoll_wait", 1, 1), S("epoll_wait", 2, 1)},
		"limit limit arrivals", 0},
	{{S("io_submit", 8, 8), S("io_getevents", 8, 8)}, "caller arrivals", 0},
	{{S("poll", 4, 4), S("read", 0, 9)}, "", 0},
	/* what is read into */
	{{S("readv", 2, 2), S("readv", 2, 1)}, "caller arrivals", 0},
};

static void test_sequences(void **state)
{
	char text[256];

	(void)state;
	for (size_t i = 0; i < LEN(sequences); i++) {
		told(sequences[i].steps, LEN(sequences[i].steps), sequences[i].attached, 1, text,
			sizeof(text));
		if (strcmp(text, sequences[i].says) != 0)
			fail_msg("sequence %zu: %s; expected: %s", i, text, sequences[i].says);
	}
}

static unsigned int words(const char *text, const char *word)
{
	size_t len = strlen(word);
	unsigned int n = 0;

	for (const char *p = text; (p = strstr(p, word)) != NULL; p += len)
		n += !p[len] || p[len] == ' ';
	return n;
}

/* Of each call the same is told, or that it is not known; and what calls that take found next never
 * is. */
static void test_without_times(void **state)
{
	static const enum cause by_times[] = {CAUSE_LIMIT, CAUSE_MET, CAUSE_TIME};
	unsigned int same = 0, unknown = 0;
	char with[256], text[256];

	(void)state;
	for (size_t i = 0; i < LEN(sequences); i++) {
		const struct sequence *s = &sequences[i];
		unsigned int all = 0, all_with = 0;

		told(s->steps, LEN(s->steps), s->attached, 1, with, sizeof(with));
		told(s->steps, LEN(s->steps), s->attached, 0, text, sizeof(text));
		for (enum cause c = 0; c < CAUSES; c++) {
			unsigned int n = words(text, cause_name(c)),
				     n_with = words(with, cause_name(c));

			all += n;
			all_with += n_with;
			same += c != CAUSE_UNKNOWN ? n : 0;
			unknown += c == CAUSE_UNKNOWN ? n : 0;
			if (c == CAUSE_EXCHANGED) /* by threads whose order is not known */
				n_with += words(with, "received") + words(with, "caller");
			if (c != CAUSE_UNKNOWN && n > n_with)
				fail_msg("sequence %zu: %s; with times: %s", i, text, with);
		}
		assert_int_equal(all, all_with);
		for (size_t k = 0; k < LEN(by_times); k++)
			assert_int_equal(words(text, cause_name(by_times[k])), 0);
	}
	assert_true(same > 40 && unknown > 20);
}

/* Which of several threads on a descriptor was first: without times that is not known. */
static void test_order_of_threads(void **state)
{
	static const struct step server[] = {BY(1, "recvmmsg", 16, 8), BY(1, "sendmmsg", 8, 8),
		BY(2, "recvmmsg", 16, 8), BY(2, "sendmmsg", 8, 8)};
	static const struct step client[] = {BY(1, "sendmmsg", 8, 8), BY(2, "recvmmsg", 8, 8),
		BY(2, "sendmmsg", 8, 8), BY(1, "recvmmsg", 8, 8)};
	/* All of one thread come first, and look like a client's, or a server's. */
	static const struct step late_client[] = {BY(1, "sendmmsg", 8, 8), BY(1, "recvmmsg", 8, 8),
		BY(1, "sendmmsg", 8, 8), BY(1, "recvmmsg", 8, 8), BY(2, "recvmmsg", 8, 8),
		BY(2, "sendmmsg", 8, 8)};
	static const struct step late_server[] = {BY(1, "recvmmsg", 16, 8), BY(1, "sendmmsg", 8, 8),
		BY(1, "recvmmsg", 16, 8), BY(1, "sendmmsg", 8, 8), BY(2, "recvmmsg", 16, 8)};
	/* One that is beyond the rows of a result, which is told from no other such one. */
	static const struct step unnamed[] = {BY(AGG_ROWS_MAX + 1, "sendmmsg", 8, 8),
		BY(1, "recvmmsg", 8, 8), BY(1, "sendmmsg", 8, 8)};
	char text[256];

	(void)state;
	told(server, LEN(server), 0, 0, text, sizeof(text));
	assert_string_equal(text, "received arrivals exchanged | arrivals -1received exchanged");
	told(client, LEN(client), 0, 0, text, sizeof(text));
	assert_string_equal(text, "caller unknown exchanged unknown");
	told(late_client, LEN(late_client), 0, 0, text, sizeof(text));
	assert_string_equal(text, "caller arrivals caller arrivals unknown exchanged | -2arrivals "
				  "2unknown -1caller exchanged");
	told(late_client, LEN(late_client) - 2, 0, 0, text, sizeof(text));
	assert_string_equal(text, "caller arrivals caller arrivals");
	told(late_server, LEN(late_server), 0, 0, text, sizeof(text));
	assert_string_equal(
		text, "received arrivals received arrivals | arrivals -2received 2exchanged");
	told(late_server, LEN(late_server), 0, 1, text, sizeof(text));
	assert_string_equal(text, "received arrivals received arrivals | arrivals");
	told(unnamed, LEN(unnamed), 0, 0, text, sizeof(text));
	assert_string_equal(text, "caller unknown exchanged");
}

/* A thread waits while another takes all that it asked for: only what it waits then says that no
 * more was there. */
static void test_under_way(void **state)
{
	static const struct step full = BY(1, "recvmmsg", 8, 8),
				 next = IN(0, "recvmmsg", 8, 8, MSG_WAITFORONE, BLOCKING_YES);
	static const struct {
		uint64_t entry_ns, exit_ns;
		enum cause cause;
	} rows[] = {{100, 1500000 + 30000, CAUSE_MET}, {100, 1500000 + 90000, CAUSE_ARRIVALS},
		{1501000, 1501000 + 30000, CAUSE_LIMIT},
		{1501000, 1501000 + 90000, CAUSE_ARRIVALS}};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct causes *c = causes_new(1);
		struct caused of[2];
		uint64_t now_ns = 1500000 - 1000;
		struct sys_event ev = event_of(&full, &now_ns);

		assert_int_equal(causes_add(c, &ev, 1, of), 0);
		ev = event_of(&next, &now_ns);
		ev.thread_id = 2;
		ev.entry_ns = rows[i].entry_ns;
		ev.exit_ns = rows[i].exit_ns;
		assert_int_equal(causes_add(c, &ev, 1, of), 1);
		if (of[0].cause != rows[i].cause)
			fail_msg("row %zu: %s", i, cause_name(of[0].cause));
		causes_free(c);
	}
}

/* All descriptors of a result may be a single thread's. */
static void test_order_on_many(void **state)
{
	static const struct step calls[] = {BY(1, "sendmmsg", 8, 8), BY(1, "recvmmsg", 8, 8),
		BY(1, "recvmmsg", 8, 8), BY(1, "sendmmsg", 16, 16), BY(1, "recvmmsg", 4, 4)};
	static const enum cause expected[] = {
		CAUSE_CALLER, CAUSE_ARRIVALS, CAUSE_UNKNOWN, CAUSE_RECEIVED, CAUSE_UNKNOWN};
	struct causes *c = causes_new(0);
	struct caused of[2];
	uint64_t now_ns = 1000;

	(void)state;
	for (uint32_t i = 0; i < LEN(calls) * AGG_ROWS_MAX; i++) {
		struct step s = calls[i % LEN(calls)];
		struct sys_event ev;
		size_t n;

		s.fd = 1 + i / (uint32_t)LEN(calls);
		ev = event_of(&s, &now_ns);
		n = causes_add(c, &ev, 0, of);
		assert_int_equal(of[n - 1].cause, expected[i % LEN(calls)]);
	}
	causes_free(c);
}

/* Threads and descriptors beyond the rows of a result are judged by themselves. */
static void test_beyond_the_rows(void **state)
{
	static const struct step steps[] = {BY(AGG_ROWS_MAX + 1, "recvmmsg", 8, 5),
		BY(AGG_ROWS_MAX + 1, "sendmmsg", 5, 5), ON(AGG_ROWS_MAX + 1, "sendmmsg", 5, 3),
		ON(AGG_ROWS_MAX + 1, "recvmmsg", 5, 5), ON(AGG_ROWS_MAX + 1, "recvmmsg", 5, 5)};
	char text[256];

	(void)state;
	told(steps, LEN(steps), 0, 1, text, sizeof(text));
	assert_string_equal(text, "arrivals caller unknown unknown unknown");
}

/* So many pairs are remembered; those after them are judged by themselves, at once. */
static void test_pairs_are_bounded(void **state)
{
	struct causes *c = causes_new(1);
	struct caused of[2];
	uint64_t now_ns = 1000;
	size_t waiting = 0;

	(void)state;
	for (uint32_t i = 0; i < 2 * AGG_ROWS_MAX; i++) {
		struct step s = SEND(8, 3);

		s.thread = 1 + i / 4;
		s.fd = 1 + i % 4;
		struct sys_event ev = event_of(&s, &now_ns);

		assert_int_equal(causes_add(c, &ev, 0, of), i < AGG_ROWS_MAX ? 0 : 1);
	}
	while (causes_end(c, of))
		waiting++;
	assert_int_equal(waiting, AGG_ROWS_MAX);
	causes_free(c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sequences),
		cmocka_unit_test(test_without_times),
		cmocka_unit_test(test_order_of_threads),
		cmocka_unit_test(test_under_way),
		cmocka_unit_test(test_order_on_many),
		cmocka_unit_test(test_beyond_the_rows),
		cmocka_unit_test(test_pairs_are_bounded),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

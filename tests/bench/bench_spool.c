/* SPDX-License-Identifier: GPL-3.0-only */
/* What the detail costs for each call: on the thread that traces, in its file, as text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tracer/detail/detail.h"
#include "tracer/detail/spool.h"

#define BLOCK    2048
#define CALLS    (500 * BLOCK)
#define ROUNDS   3   /* the best one counts: the machine may be shared */
#define PAUSE_US 300 /* after each block: a target takes time for its calls too */

struct load {
	const char *what;
	uint32_t threads;
	int one_call; /* the same write over and over, as fast as it goes */
};

static uint64_t random_of(uint64_t i)
{
	return (i + 1) * 0x9e3779b97f4a7c15ULL >> 32;
}

/* Call i of a server whose threads each have a few sockets. */
static struct sys_event server_event(uint64_t i, uint32_t threads)
{
	static const char *const names[] = {"epoll_wait", "recvmmsg", "sendmmsg", "write"};
	uint64_t random = random_of(i), moved = 1 + random % 32;
	uint32_t thread = (uint32_t)(i / 4 % threads);
	struct sys_event ev = {.def = sys_by_name(names[i % 4]),
		.nr = (uint32_t)(i % 4),
		.args = {3 + random % 3, 0x7f0000001000 + thread * 0x800000, 32},
		.ret = (int64_t)moved,
		.seen = SEEN_RECORDED,
		.entry_ns = 5000000000000 + i * 1000 + random % 300,
		.m = {NOT_MEASURED, moved * 100, NOT_MEASURED, NOT_MEASURED, NOT_MEASURED,
			NOT_MEASURED, 0, 0, 0},
		.pid = 4000,
		.tid = (int32_t)(4000 + thread),
		.thread_id = 1 + thread,
		.fd_id = (uint32_t)(1 + thread * 3 + random % 3),
		.mm_id = 1};

	ev.exit_ns = ev.entry_ns + 200 + random % 5000;
	if (ev.def->unit != BATCH_NONE) {
		ev.m.batch_asked = 32;
		ev.m.batch_moved = moved;
		if (random % 8 == 0)
			ev.ret = -11;
	} else {
		ev.ret = (int64_t)(ev.args[2] = moved * 100);
		ev.m.bytes_asked = moved * 100;
	}
	return ev;
}

static struct sys_event loop_event(uint64_t i)
{
	struct sys_event ev = server_event(3, 1);

	ev.entry_ns = 5000000000000 + i * 250 + random_of(i) % 20;
	ev.exit_ns = ev.entry_ns + 100 + random_of(i) % 20;
	return ev;
}

static double seconds_of(const struct timeval *t)
{
	return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static double cpu_seconds(int who)
{
	struct rusage u;

	getrusage(who, &u);
	return seconds_of(&u.ru_utime) + seconds_of(&u.ru_stime);
}

struct cost {
	double add_ns, writer_ns, bytes, read_ns, text_ns, text_bytes;
};

static void fail(const char *what, const struct err *err)
{
	fprintf(stderr, "bench_spool: %s: %s\n", what, err->text);
	exit(1);
}

/* add_ns: the writer gets time of its own, so that nothing waits for it. */
static void fill(struct spool *s, const struct load *load, struct cost *c)
{
	static struct sys_event evs[BLOCK];
	uint64_t spent_ns = 0;
	double all = cpu_seconds(RUSAGE_SELF), own = cpu_seconds(RUSAGE_THREAD);

	for (uint64_t i = 0; i < CALLS; i += BLOCK) {
		uint64_t begin_ns;

		for (uint64_t k = 0; k < BLOCK; k++)
			evs[k] = load->one_call ? loop_event(i + k)
						: server_event(i + k, load->threads);
		begin_ns = clock_mono_ns();
		for (size_t k = 0; k < BLOCK; k++)
			spool_add(s, &evs[k]);
		spent_ns += clock_mono_ns() - begin_ns;
		usleep(PAUSE_US);
	}
	spool_finish(s, NULL);
	c->add_ns = (double)spent_ns / CALLS;
	c->writer_ns = ((cpu_seconds(RUSAGE_SELF) - all) - (cpu_seconds(RUSAGE_THREAD) - own)) *
		       1e9 / CALLS;
}

static void read_all(struct spool *s, struct cost *c)
{
	struct spool_reader *r = spool_reader_new(spool_fd(s));
	uint64_t begin_ns = clock_mono_ns(), n = 0;
	struct sys_event ev;
	struct err err = {0};

	while (spool_read(r, &ev, &err) > 0)
		n++;
	if (err.code || n != CALLS)
		fail("reading", &err);
	c->read_ns = (double)(clock_mono_ns() - begin_ns) / CALLS;
	spool_reader_free(r);
}

static void render(struct spool *s, struct cost *c)
{
	struct detail_text text;
	struct err err = {0};
	struct out o;
	FILE *file = tmpfile();
	uint64_t begin_ns = clock_mono_ns();

	if (!file)
		exit(1);
	out_init(&o, fileno(file));
	if (detail_render(s, &o, UINT64_MAX, 1700000000000000000, &text, &err) < 0)
		fail("rendering", &err);
	out_release(&o);
	c->text_ns = (double)(clock_mono_ns() - begin_ns) / CALLS;
	c->text_bytes = (double)text.bytes / CALLS;
	fclose(file);
}

static struct cost measure(const struct load *load)
{
	const char *dir = getenv("TMPDIR");
	struct cost c = {0};
	struct err err = {0};
	struct spool *s;
	struct stat st;

	if (spool_new(&s, dir ? dir : "/tmp", UINT64_MAX, &err) < 0)
		fail("making", &err);
	fill(s, load, &c);
	fstat(spool_fd(s), &st);
	c.bytes = (double)st.st_size / CALLS;
	read_all(s, &c);
	render(s, &c);
	spool_free(s);
	return c;
}

static void best(double *a, double b)
{
	*a = b < *a ? b : *a;
}

int main(void)
{
	static const struct load loads[] = {
		{"one write over and over", 1, 1},
		{"server, 1 thread", 1, 0},
		{"server, 8 threads", 8, 0},
		{"server, 64 threads", 64, 0},
	};

	for (size_t i = 0; i < sizeof(loads) / sizeof(loads[0]); i++) {
		struct cost c = measure(&loads[i]);

		for (int round = 1; round < ROUNDS; round++) {
			struct cost d = measure(&loads[i]);

			best(&c.add_ns, d.add_ns);
			best(&c.writer_ns, d.writer_ns);
			best(&c.read_ns, d.read_ns);
			best(&c.text_ns, d.text_ns);
		}
		printf("spool, %-24s %6.1f ns a call to add, %6.1f to write, %6.1f to read; "
		       "%5.1f bytes in the file\n",
			loads[i].what, c.add_ns, c.writer_ns, c.read_ns, c.bytes);
		printf("detail, %-23s %6.1f ms for a million lines of %.0f bytes\n", loads[i].what,
			c.text_ns, c.text_bytes);
	}
	return 0;
}

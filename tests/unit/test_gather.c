/* SPDX-License-Identifier: GPL-3.0-only */
/* What gathering would save: sequences of calls and what comes of them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "tracer/agg/gather.h"
#include "tracer/agg/rows.h"

#define NM      NOT_MEASURED
#define US      1000
#define SOCKETS 100 /* descriptors from this one on are none of files */
#define DGRAMS  200 /* ... and these take messages */

/* A call, which may name a place in its file ("pread64@4096"): thread, descriptor (0: none), entry
 * and exit in us; units of a batch, an error (<0). */
struct step {
	const char *name;
	uint32_t thread, fd;
	uint64_t entry_us, exit_us;
	int units;
};

static int thread_name(void *ctx, uint32_t id, uint64_t *pid, uint64_t *tid, const char **comm)
{
	(void)ctx;
	(void)comm;
	*pid = 1;
	*tid = id;
	return 0;
}

static int fd_name(void *ctx, uint32_t id, struct agg_fd *ret)
{
	(void)ctx;
	*ret = (struct agg_fd){.pid = 1, .fd = id};
	return 0;
}

static const struct agg_names names = {.thread = thread_name, .fd = fd_name};

static void take(struct gather *g, const struct step *s)
{
	const char *place = strchr(s->name, '@');
	cleanup_free char *name = mem_strdup(s->name);
	struct sys_event ev = {.args[3] = place ? strtoull(place + 1, NULL, 0) : 0,
		.entry_ns = s->entry_us * US,
		.exit_ns = s->exit_us * US,
		.ret = s->units < 0 ? s->units : 1,
		.outcome = s->exit_us ? SYS_RETURNED : SYS_NO_RETURN,
		.m = {NM, NM, NM, NM, NM, NM, 0, 0, 0},
		.thread_id = s->thread,
		.fd_id = s->fd,
		.path = s->fd >= SOCKETS ? PATH_NO : PATH_YES,
		.takes = s->fd >= DGRAMS ? TAKES_MESSAGES | TAKES_SOCKET : 0};

	name[strcspn(name, "@")] = '\0';
	ev.def = sys_by_name(name);
	assert_non_null(ev.def);
	if (ev.def->unit != BATCH_NONE)
		ev.m.batch_asked = ev.m.batch_moved = s->units > 0 ? (uint64_t)s->units : NM;
	gather_add(g, &ev);
}

static struct res_result *result_of(const struct gather *g)
{
	struct res_result *r = result_new();

	gather_result(g, &names, r);
	return r;
}

/* "CALLS SAVED/SAFELY (DELAY/SAFE DELAY us)" for 8 units, 32 units, 50 us, 1 ms: a line a place. */
static char *told(const struct res_result *r)
{
	char *text = mem_strdup("");

	for (size_t i = 0; i < r->gathering.len; i++) {
		const struct res_gathering *g = &r->gathering.at[i];
		char *more;

		assert_true(g->saved_safely == g->saved_at_most && !g->reason);
		assert_int_equal(g->limit_units == U64_NONE, i % 4 > 1);
		assert_int_equal(g->limit_ns == U64_NONE, i % 4 < 2);
		more = i % 4 ? mem_printf("%s", text)
			     : mem_printf("%s%llu.%llu %s %llu:", text, (unsigned long long)g->tid,
				       (unsigned long long)g->fd, g->change,
				       (unsigned long long)g->calls);
		free(text);
		text = mem_printf("%s %llu/%llu (%llu/%llu)%s", more, (unsigned long long)g->saved,
			(unsigned long long)g->saved_safely,
			(unsigned long long)g->delay_ns_total / US,
			(unsigned long long)g->delay_safely_ns_total / US, i % 4 == 3 ? "\n" : "");
		free(more);
	}
	return text;
}

static void tells(const struct step *steps, size_t n, const char *expected)
{
	struct gather *g = gather_new();
	struct res_result *r;
	cleanup_free char *is = NULL;

	for (size_t i = 0; i < n; i++)
		take(g, &steps[i]);
	r = result_of(g);
	is = told(r);
	assert_string_equal(is, expected);
	result_free(r);
	gather_free(g);
}
#define TELLS(expected, ...)                                                                       \
	tells((const struct step[]){__VA_ARGS__}, LEN(((const struct step[]){__VA_ARGS__})),       \
		expected)

/* ---- groups ---- */

/* 16 writes, 10 us apart, with a receipt of the same descriptor after every fourth. */
static void groups_go_by_units_and_by_time(void **state)
{
	struct gather *g = gather_new();
	struct res_result *r;
	cleanup_free char *is = NULL;

	(void)state;
	for (uint64_t i = 0; i < 16; i++) {
		take(g, &(struct step){"write", 1, 4, 10 * i, 10 * i + 1, 0});
		if (i % 4 == 3)
			take(g, &(struct step){"read", 1, 4, 10 * i + 2, 10 * i + 3, 0});
	}
	r = result_of(g);
	is = told(r);
	/* 8 units: 2 groups, held 70 + 60 + .. + 0 each. 50 us: 0-50, 60-110, 120-150, each sent 50
	 * us after its first or at the end. Safely: groups of 4, held 32 + 22 + 12 + 2 each. */
	assert_string_equal(is,
		"1.4 write -> writev 16: 14/12 (560/272) 15/12 (1200/272) 13/12 (360/272) "
		"15/12 (1200/272)\n");
	result_free(r);
	gather_free(g);
}

static void a_batch_counts_its_units(void **state)
{
	(void)state;
	/* 5 + 5 are 8 or more; asked iovecs of a writev, moved messages of a sendmmsg */
	TELLS("1.4 sendmmsg -> larger sendmmsg 4: 2/2 (20/20) 3/3 (60/60) 3/3 (60/60) 3/3 "
	      "(60/60)\n",
		{"sendmmsg", 1, 4, 0, 1, 5}, {"sendmmsg", 1, 4, 10, 11, 5},
		{"sendmmsg", 1, 4, 20, 21, 5}, {"sendmmsg", 1, 4, 30, 31, 5});
	/* no call takes more than 1,024 */
	TELLS("1.4 writev -> larger writev 3: 0/0 (0/0) 0/0 (0/0) 1/1 (10/10) 1/1 (10/10)\n",
		{"writev", 1, 4, 0, 1, 600}, {"writev", 1, 4, 10, 11, 424},
		{"writev", 1, 4, 20, 21, 600});
	TELLS("1.4 writev -> larger writev 2: 0/0 (0/0) 0/0 (0/0) 0/0 (10/10) 0/0 (10/10)\n",
		{"writev", 1, 4, 0, 1, 600}, {"writev", 1, 4, 10, 11, 425});
}

/* Three of 10 bytes each, at these places in the file. */
static uint64_t saved_at(const char *name, const uint64_t *places)
{
	struct gather *g = gather_new();
	struct res_result *r;
	uint64_t saved;

	for (uint64_t i = 0; i < 3; i++)
		gather_add(g, &(struct sys_event){.def = sys_by_name(name),
				      .entry_ns = i * US,
				      .exit_ns = i * US + 1,
				      .args = {4, 0, 1, places[i]},
				      .ret = 10,
				      .m = {NM, NM, 1, NM, NM, NM, 0, 0, 0},
				      .thread_id = 1,
				      .fd_id = 4});
	r = result_of(g);
	assert_int_equal(r->gathering.len, 4);
	saved = r->gathering.at[1].saved;
	assert_int_equal(r->gathering.at[1].saved_safely, saved);
	result_free(r);
	gather_free(g);
	return saved;
}

static void only_what_follows_on_in_the_file(void **state)
{
	static const char *const calls[] = {"pwrite64", "pwritev", "pwritev2"};

	(void)state;
	for (size_t i = 0; i < LEN(calls); i++) {
		assert_int_equal(saved_at(calls[i], (uint64_t[]){500, 510, 520}), 2);
		assert_int_equal(saved_at(calls[i], (uint64_t[]){500, 510, 500}), 1);
		assert_int_equal(saved_at(calls[i], (uint64_t[]){500, 520, 530}), 1);
		assert_int_equal(saved_at(calls[i], (uint64_t[]){500, 500, 500}), 0);
	}
	assert_int_equal(saved_at("write", (uint64_t[]){500, 500, 500}), 2);
}

/* Three sends of 10 bytes each, 1 us apart: with these flags, on a file that takes them so, of
 * which the second moves only so many bytes (iovecs: all). */
static struct res_result *sent(
	const char *name, const uint64_t *flags, uint8_t takes, uint64_t moved)
{
	struct gather *g = gather_new();
	struct res_result *r;

	for (uint64_t i = 0; i < 3; i++) {
		struct sys_event ev = {.def = sys_by_name(name),
			.entry_ns = i * US,
			.exit_ns = i * US + 1,
			.args = {4, 0, 1, flags[i], 0, flags[i]},
			.ret = 10,
			.m = {10, i == 1 ? moved : 10, NM, NM, NM, NM, 0, 0, 0},
			.takes = takes,
			.thread_id = 1,
			.fd_id = 4};

		if (strcmp(name, "sendmsg") == 0)
			ev.args[2] = flags[i];
		if (strcmp(name, "pwritev2") == 0)
			ev.args[3] = 10 * i;
		if (ev.def->unit != BATCH_NONE)
			ev.m.batch_asked = ev.m.batch_moved = 3;
		if (ev.def->unit == BATCH_MESSAGES && i == 1 && moved < 10)
			ev.m.batch_moved = 2;
		gather_add(g, &ev);
	}
	r = result_of(g);
	gather_free(g);
	return r;
}

static void saves(const char *name, const uint64_t *flags, uint8_t takes, uint64_t moved,
	const char *expected)
{
	struct res_result *r = sent(name, flags, takes, moved);
	cleanup_free char *is = NULL;

	is = r->gathering.len ? mem_printf("%s %llu/%llu%s", r->gathering.at[1].change,
					(unsigned long long)r->gathering.at[1].saved,
					(unsigned long long)r->gathering.at[1].saved_safely,
					r->gathering.at[1].synced ? " synced" : "")
			      : mem_strdup("");
	assert_string_equal(is, expected);
	result_free(r);
}

static void one_call_has_the_same_flags_for_all(void **state)
{
	const uint64_t none[] = {0, 0, 0}, more[] = {MSG_MORE, 0, MSG_MORE};
	const uint64_t told[] = {MSG_NOSIGNAL, MSG_DONTWAIT, 0}, same[] = {MSG_MORE, MSG_MORE, 0};
	const uint8_t dgram = TAKES_MESSAGES | TAKES_SOCKET;

	(void)state;
	saves("sendto", none, dgram, 10, "sendto -> sendmmsg 2/2");
	saves("sendto", told, dgram, 10, "sendto -> sendmmsg 2/2");
	saves("sendto", more, dgram, 10, "sendto -> sendmmsg 0/0");
	saves("sendto", same, dgram, 10, "sendto -> sendmmsg 1/1");
	saves("sendmsg", more, dgram, 10, "sendmsg -> sendmmsg 0/0");
	saves("sendmmsg", more, dgram, 10, "sendmmsg -> larger sendmmsg 0/0");
	/* a stream goes on */
	saves("sendto", more, 0, 10, "sendto -> sendmmsg 2/2");
	saves("write", more, 0, 10, "write -> writev 2/2");
	saves("pwritev2", more, 0, 10, "pwritev2 -> larger pwritev2 0/0");
}

/* More in a call that does not take all would not have gone either. */
static void what_is_cut_ends_a_group(void **state)
{
	const uint64_t none[3] = {0};

	(void)state;
	saves("write", none, 0, 4, "write -> writev 1/1");
	saves("writev", none, 0, 4, "writev -> larger writev 1/1");
	saves("sendmmsg", none, TAKES_MESSAGES | TAKES_SOCKET, 4,
		"sendmmsg -> larger sendmmsg 1/1");
}

static void a_write_may_be_a_message(void **state)
{
	const uint64_t none[3] = {0};

	(void)state;
	saves("write", none, TAKES_MESSAGES | TAKES_SOCKET, 10, "write -> sendmmsg 2/2");
	saves("writev", none, TAKES_MESSAGES | TAKES_SOCKET, 10, "writev -> sendmmsg 2/2");
	saves("write", none, TAKES_MESSAGES, 10, "");
	saves("writev", none, TAKES_MESSAGES, 10, "");
}

static void what_is_on_the_disk_is_not_held(void **state)
{
	const uint64_t none[3] = {0}, sync[3] = {RWF_DSYNC, RWF_DSYNC, RWF_DSYNC};

	(void)state;
	saves("write", none, TAKES_SYNCED, 10, "write -> writev 2/0 synced");
	saves("pwritev2", sync, 0, 10, "pwritev2 -> larger pwritev2 2/0 synced");
	saves("pwritev2", none, 0, 10, "pwritev2 -> larger pwritev2 2/2");
}

/* ---- what ends what is held ---- */

/* Two sends on fd, `between`, two sends: 3 fewer freely; safely 3, or 2 where it ends what is held.
 */
struct ends {
	struct step between;
	int safely;
};

static void ends(uint32_t fd, const struct ends *rows, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		const struct step sends[] = {{"write", 1, fd, 0, 1, 0}, {"write", 1, fd, 10, 11, 0},
			rows[i].between, {"write", 1, fd, 30, 31, 0}, {"write", 1, fd, 40, 41, 0}};
		struct gather *g = gather_new();
		struct res_result *r;

		for (size_t k = 0; k < LEN(sends); k++)
			take(g, &sends[k]);
		r = result_of(g);
		assert_int_equal(r->gathering.len, 4);
		if ((int)r->gathering.at[1].saved_safely != rows[i].safely ||
			r->gathering.at[1].saved != 3)
			fail_msg("%s of thread %u on %u: %llu safely of %llu", rows[i].between.name,
				rows[i].between.thread, rows[i].between.fd,
				(unsigned long long)r->gathering.at[1].saved_safely,
				(unsigned long long)r->gathering.at[1].saved);
		result_free(r);
		gather_free(g);
	}
}

static void what_ends_it(void **state)
{
	static const struct ends rows[] = {
		{{"getpid", 1, 0, 25, 26, 0}, 3},
		{{"brk", 1, 0, 25, 26, 0}, 3},
		{{"sched_getaffinity", 1, 0, 25, 26, 0}, 3},
		{{"getsockname", 1, SOCKETS, 25, 26, 0}, 3},
		{{"mmap", 1, 0, 25, 26, 0}, 3},
		/* it may see what is held, by another descriptor or by a path */
		{{"lseek", 1, 9, 25, 26, 0}, 2},
		{{"fstat", 1, 9, 25, 26, 0}, 2},
		{{"mmap", 1, 9, 25, 26, 0}, 2},
		{{"newfstatat", 1, 0, 25, 26, 0}, 2},
		{{"stat", 1, 0, 25, 26, -2}, 2},
		/* it can wait, whatever it is about */
		{{"epoll_wait", 1, 9, 25, 26, 0}, 2},
		{{"poll", 1, 0, 25, 26, 0}, 2},
		{{"futex", 1, 0, 25, 26, 0}, 2},
		{{"clock_nanosleep", 1, 0, 25, 26, 0}, 2},
		{{"read", 1, 9, 25, 26, 0}, 2},
		{{"recvmmsg", 1, 9, 25, 26, 1}, 2},
		{{"read", 1, 9, 25, 26, -11}, 2},
		{{"accept4", 1, 9, 25, 26, 0}, 2},
		{{"sched_yield", 1, 0, 25, 26, 0}, 2},
		{{"tgkill", 1, 0, 25, 26, 0}, 2},
		{{"fsync", 1, 9, 25, 26, 0}, 2},
		/* it tells others something, by a name */
		{{"rename", 1, 0, 25, 26, 0}, 2},
		{{"unlinkat", 1, 0, 25, 26, 0}, 2},
		{{"truncate", 1, 0, 25, 26, 0}, 2},
		{{"utimensat", 1, 0, 25, 26, 0}, 2},
		{{"mq_unlink", 1, 0, 25, 26, 0}, 2},
		/* ... or by what its end, or a number, is for them */
		{{"close", 1, 9, 25, 26, 0}, 2},
		{{"close", 1, SOCKETS, 25, 26, 0}, 2},
		{{"dup2", 1, SOCKETS, 25, 26, 0}, 2},
		{{"shutdown", 1, SOCKETS, 25, 26, 0}, 2},
		{{"semctl", 1, 0, 25, 26, 0}, 2},
		{{"epoll_ctl", 1, SOCKETS, 25, 26, 0}, 2},
		{{"setsockopt", 1, SOCKETS, 25, 26, 0}, 2},
		/* a signal came, which may be an answer, or is looked for */
		{{"rt_sigreturn", 1, 0, 25, 26, 0}, 2},
		{{"rt_sigpending", 1, 0, 25, 26, 0}, 2},
		{{"write", 1, 9, 25, 26, 0}, 2},
		{{"sendmsg", 1, 9, 25, 26, 0}, 2},
		/* it is about the descriptor */
		{{"lseek", 1, 4, 25, 26, 0}, 2},
		{{"close", 1, 4, 25, 26, 0}, 2},
		{{"dup", 1, 4, 25, 26, 0}, 2},
		{{"setsockopt", 1, 4, 25, 26, 0}, 2},
		/* another kind of send, and one that failed */
		{{"sendto", 1, 4, 25, 26, 0}, 2},
		{{"write", 1, 4, 25, 26, -11}, 2},
		/* the thread forks, executes, ends */
		{{"clone", 1, 0, 25, 26, 0}, 2},
		{{"vfork", 1, 0, 25, 26, 0}, 2},
		{{"execve", 1, 0, 25, 26, 0}, 2},
		{{"exit", 1, 0, 25, 0, 0}, 2},
		/* of another thread */
		{{"read", 2, 4, 5, 25, 0}, 2},
		{{"recvmsg", 2, 4, 5, 25, 0}, 2},
		{{"close", 2, 4, 24, 25, 0}, 2},
		{{"read", 2, 4, 5, 25, -11}, 3},
		{{"read", 2, 9, 5, 25, 0}, 3},
		{{"futex", 2, 0, 5, 25, 0}, 3},
		/* of bytes, whose order is kept */
		{{"write", 2, 4, 24, 25, 0}, 2},
		{{"sendto", 2, 4, 24, 25, 0}, 2},
		{{"write", 2, 9, 24, 25, 0}, 3},
		{{"pwrite64@4096", 2, 4, 24, 25, 0}, 3},
	};

	(void)state;
	ends(4, rows, LEN(rows));
}

/* Who says where in a file waits for no peer, but may be about what is held where that is a file.
 */
static void a_file_is_no_peer(void **state)
{
	static const struct ends on_a_socket[] = {
		{{"lseek", 1, 9, 25, 26, 0}, 3},
		{{"fstat", 1, 9, 25, 26, 0}, 3},
		{{"stat", 1, 0, 25, 26, 0}, 3},
		{{"close", 1, 9, 25, 26, 0}, 2},
		{{"pread64", 1, 9, 25, 26, 0}, 3},
		{{"pread64@4096", 1, 9, 25, 26, 0}, 3},
		{{"preadv@4096", 1, 9, 25, 26, 0}, 3},
		{{"preadv2@4096", 1, 9, 25, 26, 0}, 3},
		{{"pwrite64@4096", 1, 9, 25, 26, 0}, 3},
		{{"pwritev2@4096", 1, 9, 25, 26, 1}, 3},
		/* it failed: on a pipe it has ESPIPE */
		{{"pread64", 1, 9, 25, 26, -29}, 2},
		/* where the file is: so it may be a pipe */
		{{"preadv2@-1", 1, 9, 25, 26, 0}, 2},
		{{"pwritev2@-1", 1, 9, 25, 26, 1}, 2},
		{{"read", 1, 9, 25, 26, 0}, 2},
		{{"write", 1, 9, 25, 26, 0}, 2},
		/* of another thread: it is not about the descriptor */
		{{"pread64", 2, 9, 25, 26, 0}, 3},
	};
	static const struct ends on_a_file[] = {
		{{"pread64", 1, 9, 25, 26, 0}, 2},
		{{"pread64", 1, 4, 25, 26, 0}, 2},
		{{"pwrite64", 1, 9, 25, 26, 0}, 2},
	};

	(void)state;
	ends(SOCKETS, on_a_socket, LEN(on_a_socket));
	ends(4, on_a_file, LEN(on_a_file));
	/* who asks the same again waits for an answer there, and what is written at the same place
	 * again may be one */
	TELLS("1.100 write -> writev 4: 3/2 (80/40) 3/2 (80/40) 3/2 (80/40) 3/2 (80/40)\n",
		{"write", 1, SOCKETS, 0, 1, 0}, {"pread64", 1, 9, 5, 6, 0},
		{"write", 1, SOCKETS, 10, 11, 0}, {"pread64", 1, 9, 15, 16, 0},
		{"pread64", 1, 9, 20, 21, 0}, {"write", 1, SOCKETS, 30, 31, 0},
		{"stat", 1, 0, 35, 36, 0}, {"fstat", 1, 9, 37, 38, 0},
		{"write", 1, SOCKETS, 40, 41, 0});
	TELLS("1.100 write -> writev 3: 2/1 (30/20) 2/1 (30/20) 2/1 (30/20) 2/1 (30/20)\n"
	      "1.9 pwrite64 -> pwritev 2: 0/0 (10/10) 0/0 (10/10) 0/0 (10/10) 0/0 (10/10)\n",
		{"write", 1, SOCKETS, 0, 1, 0}, {"pwrite64@8", 1, 9, 5, 6, 0},
		{"write", 1, SOCKETS, 10, 11, 0}, {"pwrite64@8", 1, 9, 15, 16, 0},
		{"write", 1, SOCKETS, 20, 21, 0});
	/* both ways are held at once, but what is written to a file goes before a send */
	TELLS("1.100 write -> writev 3: 2/2 (60/60) 2/2 (60/60) 2/2 (60/60) 2/2 (60/60)\n"
	      "1.9 pwrite64 -> pwritev 2: 1/0 (20/10) 1/0 (20/10) 1/0 (20/10) 1/0 (20/10)\n",
		{"write", 1, SOCKETS, 0, 1, 0}, {"pwrite64", 1, 9, 15, 16, 0},
		{"write", 1, SOCKETS, 20, 21, 0}, {"pwrite64@1", 1, 9, 35, 36, 0},
		{"write", 1, SOCKETS, 40, 41, 0});
}

/* Held until the wait is entered, not until it is over, though only that tells of it. */
static void it_goes_when_the_wait_is_entered(void **state)
{
	(void)state;
	TELLS("1.4 write -> writev 2: 1/1 (10/14) 1/1 (10/14) 1/1 (10/14) 1/1 (10/14)\n",
		{"write", 1, 4, 0, 1, 0}, {"write", 1, 4, 10, 11, 0}, {"poll", 1, 0, 12, 9000, 0});
	TELLS("1.4 write -> writev 2: 1/1 (10/14) 1/1 (10/14) 1/1 (10/14) 1/1 (10/14)\n",
		{"write", 1, 4, 0, 1, 0}, {"write", 1, 4, 10, 11, 0}, {"lseek", 1, 4, 12, 900, 0});
	/* a receipt of another thread that ends while it waits is later than that */
	TELLS("1.4 write -> writev 2: 1/1 (10/14) 1/1 (10/14) 1/1 (10/14) 1/1 (10/14)\n",
		{"write", 1, 4, 0, 1, 0}, {"write", 1, 4, 10, 11, 0}, {"read", 2, 4, 2, 40, 0},
		{"poll", 1, 0, 12, 9000, 0});
	TELLS("1.4 write -> writev 2: 1/1 (10/34) 1/1 (10/34) 1/1 (10/34) 1/1 (10/34)\n",
		{"write", 1, 4, 0, 1, 0}, {"write", 1, 4, 10, 11, 0}, {"read", 2, 4, 2, 22, 0},
		{"poll", 1, 0, 70, 9000, 0});
	/* the end of the limit comes first */
	TELLS("1.4 write -> writev 2: 1/1 (10/150) 1/1 (10/150) 1/1 (10/90) 1/1 (10/150)\n",
		{"write", 1, 4, 0, 1, 0}, {"write", 1, 4, 10, 11, 0}, {"poll", 1, 0, 80, 9000, 0});
}

/* A send that was under way when another thread's receipt ended is not held over that. */
static void it_may_have_been_under_way(void **state)
{
	(void)state;
	TELLS("1.4 write -> writev 3: 2/1 (30/12) 2/1 (30/12) 2/1 (30/12) 2/1 (30/12)\n",
		{"read", 2, 4, 0, 12, 0}, {"write", 1, 4, 10, 13, 0}, {"write", 1, 4, 20, 21, 0},
		{"write", 1, 4, 30, 31, 0});
	TELLS("1.4 write -> writev 3: 2/2 (30/30) 2/2 (30/30) 2/2 (30/30) 2/2 (30/30)\n",
		{"read", 2, 4, 0, 9, 0}, {"write", 1, 4, 10, 13, 0}, {"write", 1, 4, 20, 21, 0},
		{"write", 1, 4, 30, 31, 0});
}

static void threads_hold_apart(void **state)
{
	(void)state;
	TELLS("1.200 write -> sendmmsg 3: 2/2 (60/60) 2/2 (60/60) 2/2 (60/60) 2/2 (60/60)\n"
	      "2.200 write -> sendmmsg 2: 1/0 (20/0) 1/0 (20/0) 1/0 (20/0) 1/0 (20/0)\n",
		{"write", 1, DGRAMS, 0, 1, 0}, {"write", 2, DGRAMS, 1, 2, 0},
		{"write", 1, DGRAMS, 20, 21, 0}, {"futex", 2, 0, 1, 20, 0},
		{"write", 2, DGRAMS, 21, 22, 0}, {"write", 1, DGRAMS, 40, 41, 0});
	/* bytes keep their order: one that began before what was held later has none to it */
	TELLS("1.4 write -> writev 2: 1/1 (10/10) 1/1 (10/10) 1/1 (10/10) 1/1 (10/10)\n",
		{"write", 1, 4, 0, 1, 0}, {"write", 1, 4, 10, 11, 0}, {"write", 2, 4, 5, 12, 0});
	/* bytes keep their order: those of each go when the other sends */
	TELLS("1.4 write -> writev 4: 3/1 (90/23) 3/1 (90/23) 3/1 (90/23) 3/1 (90/23)\n"
	      "2.4 write -> writev 2: 1/0 (20/18) 1/0 (20/18) 1/0 (20/18) 1/0 (20/18)\n",
		{"write", 1, 4, 0, 1, 0}, {"write", 1, 4, 10, 11, 0}, {"write", 2, 4, 11, 12, 0},
		{"write", 1, 4, 20, 21, 0}, {"write", 2, 4, 31, 32, 0}, {"write", 1, 4, 40, 41, 0});
}

/* ---- rows ---- */

static void a_place_needs_two_calls(void **state)
{
	(void)state;
	TELLS("", {"write", 1, 4, 0, 1, 0});
	TELLS("", {"write", 1, 4, 0, 1, -32}, {"write", 1, 4, 10, 11, -32});
	TELLS("", {"write", 1, 0, 0, 1, 0}, {"write", 1, 0, 10, 11, 0});
	TELLS("", {"read", 1, 4, 0, 1, 0}, {"read", 1, 4, 10, 11, 0});
}

/* More descriptors, threads and pairs of them than there are rows: all are counted. */
static void memory_is_bounded(void **state)
{
	struct gather *g = gather_new();
	struct res_result *r;
	uint64_t calls = 0;

	(void)state;
	for (uint64_t k = 0; k < 2; k++)
		for (uint32_t i = 1; i <= AGG_ROWS_MAX + 2; i++) {
			take(g, &(struct step){"write", 1, i, 10 * i, 10 * i + 1, 0});
			take(g, &(struct step){"write", i, 1, 10 * i, 10 * i + 1, 0});
		}
	r = result_of(g);
	assert_true(r->gathering.len <= 4 * AGG_ROWS_MAX);
	for (size_t i = 0; i < r->gathering.len; i += 4)
		calls += r->gathering.at[i].calls;
	assert_int_equal(r->warnings.len, 1);
	assert_string_equal(r->warnings.at[0].code, "gathering_left_out");
	assert_int_equal(
		calls + strtoull(r->warnings.at[0].text, NULL, 10), 4 * (AGG_ROWS_MAX + 2));
	result_free(r);
	gather_free(g);
}

static void what_was_not_traced_is_not_safe(void **state)
{
	struct gather *g = gather_new();
	struct res_result *r;

	(void)state;
	for (uint64_t i = 0; i < 10; i++)
		take(g, &(struct step){"write", 1, 4, 10 * i, 10 * i + 1, 0});
	for (uint64_t i = 0; i < 8; i++) {
		take(g, &(struct step){"write", 2, 4, 10 * i, 10 * i + 1, 0});
		take(g, &(struct step){"poll", 2, 0, 10 * i + 2, 10 * i + 3, 0});
	}
	r = result_of(g);
	gather_unknown(r, "futex was not traced");
	assert_int_equal(r->gathering.len, 8);
	assert_true(r->gathering.at[0].saved_safely == U64_NONE);
	assert_int_equal(r->gathering.at[0].saved_at_most, 8);
	assert_string_equal(r->gathering.at[0].reason, "futex was not traced");
	/* no call that was not traced makes less than none of it */
	assert_int_equal(r->gathering.at[4].saved_safely, 0);
	assert_null(r->gathering.at[4].reason);
	result_free(r);
	gather_free(g);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(groups_go_by_units_and_by_time),
		cmocka_unit_test(a_batch_counts_its_units),
		cmocka_unit_test(only_what_follows_on_in_the_file),
		cmocka_unit_test(one_call_has_the_same_flags_for_all),
		cmocka_unit_test(what_is_cut_ends_a_group),
		cmocka_unit_test(a_write_may_be_a_message),
		cmocka_unit_test(what_is_on_the_disk_is_not_held),
		cmocka_unit_test(what_ends_it),
		cmocka_unit_test(a_file_is_no_peer),
		cmocka_unit_test(it_goes_when_the_wait_is_entered),
		cmocka_unit_test(it_may_have_been_under_way),
		cmocka_unit_test(threads_hold_apart),
		cmocka_unit_test(a_place_needs_two_calls),
		cmocka_unit_test(memory_is_bounded),
		cmocka_unit_test(what_was_not_traced_is_not_safe),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

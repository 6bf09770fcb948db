/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The summary of results built by hand, against files in tests/unit/data. UPDATE=1 in the
 * environment writes these files anew: look at each as a person would before committing it.
 */
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/out.h"
#include "common/model/json.h"
#include "common/model/result.h"
#include "common/view/view.h"
#include "common/write/writer.h"

#define COLUMNS 100
#define HEADER  "% time     seconds  usecs/call     calls    errors syscall"
#define MS      1000000ULL

/* ---- building ---- */

/* "2=9735 10=15" */
static void put_counts(struct res_result *r, struct res_counts *c, const char *pairs)
{
	char *list = arena_strdup(result_arena(r), pairs), *save = NULL;

	c->len = 0;
	c->at = arena_alloc(result_arena(r), strlen(pairs) + 1, sizeof(*c->at));
	for (char *p = strtok_r(list, " ", &save); p; p = strtok_r(NULL, " ", &save)) {
		char *equals = strrchr(p, '=');

		assert_non_null(equals);
		*equals = '\0';
		c->at[c->len++] = (struct res_count){p, strtoull(equals + 1, NULL, 10)};
	}
}

/* Words apart by '|'. */
static void put_strs(struct res_result *r, struct res_strs *s, const char *words)
{
	char *list = arena_strdup(result_arena(r), words), *save = NULL;

	s->at = arena_alloc(result_arena(r), strlen(words) + 1, sizeof(*s->at));
	for (char *p = strtok_r(list, "|", &save); p; p = strtok_r(NULL, "|", &save))
		s->at[s->len++] = p;
}

struct row {
	const char *name, *class, *errnos;
	uint64_t calls, errors, interrupted;
	uint64_t total_us, p50_ns, p90_ns, p99_ns, p999_ns, max_ns;
};

static void put_syscalls(struct res_result *r, const struct row *rows, size_t n)
{
	RES_LIST(r, &r->syscalls, n, syscall);
	for (size_t i = 0; i < n; i++) {
		const struct row *row = &rows[i];
		struct res_syscall *s = &r->syscalls.at[i];

		s->name = row->name;
		s->class = row->class;
		s->calls = row->calls;
		s->errors = row->errors;
		s->interrupted = row->interrupted;
		s->no_return = 0;
		s->ok = row->calls - row->errors - row->interrupted;
		put_counts(r, &s->errnos, row->errnos ? row->errnos : "");
		s->wall_ns = RES_OBJ(r, times);
		*s->wall_ns = (struct res_times){.total = row->total_us * 1000,
			.min = row->p50_ns / 2,
			.mean = row->calls ? row->total_us * 1000 / row->calls : 0,
			.p50 = row->p50_ns,
			.p90 = row->p90_ns,
			.p99 = row->p99_ns,
			.p999 = row->p999_ns,
			.max = row->max_ns};
	}
}

struct batch_row {
	const char *unit;
	uint64_t asked, transferred, full, partial, single, empty, p50, p90, max;
	const char *asked_histogram, *transferred_histogram, *limited_by;
};

static void put_batch(struct res_result *r, const char *name, struct batch_row row)
{
	struct res_syscall *s = (struct res_syscall *)result_syscall(r, name);
	struct res_batch *b = RES_OBJ(r, batch);

	assert_non_null(s);
	s->batch = b;
	b->unit = row.unit;
	b->asked = row.asked;
	b->transferred = row.transferred;
	b->fill = row.asked ? (double)row.transferred / (double)row.asked : NAN;
	b->full = row.full;
	b->partial = row.partial;
	b->single = row.single;
	b->empty = row.empty;
	b->histogram_overflow = 0;
	b->per_call = RES_OBJ(r, per_call);
	b->per_call->mean = s->ok ? (double)row.transferred / (double)s->ok : NAN;
	b->per_call->p50 = row.p50;
	b->per_call->p90 = row.p90;
	b->per_call->max = row.max;
	put_counts(r, &b->asked_histogram, row.asked_histogram);
	put_counts(r, &b->transferred_histogram, row.transferred_histogram);
	put_counts(r, &b->limited_by, row.limited_by);
}

static void put_tracer(struct res_result *r, const char *mode, uint64_t recorded, uint64_t stopped)
{
	struct res_tracer *t = RES_OBJ(r, tracer);

	r->tracer = t;
	t->version = "0.1";
	t->mode = mode;
	t->calls_recorded_in_process = recorded;
	t->calls_redirected = 0;
	t->calls_stopped = stopped;
	t->lost = 0;
	t->ignored_signal_interruptions = 0;
}

static void put_overhead(struct res_result *r, uint64_t per_stop_ns, uint64_t stops,
	uint64_t estimated_ns, double share)
{
	struct res_overhead *o = RES_OBJ(r, overhead);

	r->tracer->overhead = o;
	*o = (struct res_overhead){.per_stop_ns = per_stop_ns,
		.per_record_ns = 85,
		.stops = stops,
		.estimated_ns = estimated_ns,
		.estimated_share = share,
		.plain_call_ns = U64_NONE};
}

static void put_exit(struct res_result *r, uint64_t status, uint64_t signal, int timed_out)
{
	r->exit = RES_OBJ(r, exit);
	*r->exit = (struct res_exit){status, signal, timed_out};
}

static void put_part(struct res_part *p, const char *name, uint64_t calls, uint64_t errors,
	uint64_t wall_us, uint64_t bytes, uint64_t units)
{
	*p = (struct res_part){
		name, calls, errors, wall_us * 1000, bytes, units, units, {0}, U64_NONE};
}

/* ---- the results ---- */

static void put_phase(struct res_result *r, size_t i, const char *name, uint64_t wall_ms,
	uint64_t calls, const char *most)
{
	struct res_phase *p = &r->phases.at[i];
	struct res_counts by_name = {0};

	p->name = name;
	p->wall_ns = wall_ms * MS;
	p->calls = calls;
	put_counts(r, &by_name, most);
	RES_LIST(r, &p->syscalls, by_name.len, phase_call);
	for (size_t k = 0; k < by_name.len; k++)
		p->syscalls.at[k] =
			(struct res_phase_call){by_name.at[k].key, by_name.at[k].count, 0, 0};
}

/* A DNS server under load, seen by the recorder. The batches were measured; times are invented. */
static struct res_result *dns_server(void)
{
	static const struct row rows[] = {
		{"epoll_wait", "wait", NULL, 9902, 0, 0, 2310000, 120000, 410000, 900000, 2100000,
			9800000},
		{"poll", "wait", NULL, 4, 0, 0, 1330000, 330000000, 340000000, 0, 0, 340000000},
		{"sendmmsg", "network", NULL, 9890, 0, 0, 132173, 12800, 16900, 38000, 88000,
			121000},
		{"recvmmsg", "network", NULL, 9890, 0, 0, 41164, 3900, 4600, 9800, 41000, 63000},
	};
	struct res_result *r = result_new();

	r->complete = 1;
	put_strs(r, &r->command, "knotd|-c|knot.conf");
	r->scenario = "knotd-15k";
	r->started_at = "2025-11-23T07:30:00Z";
	r->wall_ns = 2101 * MS;
	put_exit(r, 0, U64_NONE, 0);
	r->window = RES_OBJ(r, window);
	*r->window = (struct res_window){702 * MS, 2036 * MS, 1334 * MS, 0, 0};
	r->load = RES_OBJ(r, load);
	*r->load = (struct res_load){
		"dnsperf -s 127.0.0.1 -p 15302 -d queries -Q 15000", 0, 1333511111, U64_NONE};
	r->work = RES_OBJ(r, work);
	*r->work = (struct res_work){"query", 20000};
	RES_LIST(r, &r->phases, 3, phase);
	put_phase(
		r, 0, "start-up", 702, 770, "mmap=143 openat=98 read=120 close=91 fstat=80 brk=9");
	put_phase(
		r, 1, "window", 1334, 29686, "epoll_wait=9902 sendmmsg=9890 recvmmsg=9890 poll=4");
	r->phases.at[1].cpu_ns = 731 * MS;
	r->cpu_ns = 946 * MS;
	put_phase(r, 2, "shutdown", 65, 84, "munmap=50 close=34");
	put_tracer(r, "auto", 29686, 0);
	put_overhead(r, 9100, 0, 2700000, 0.00202);
	put_strs(r, &r->tracer->traced_set, "epoll_wait|poll|recvmmsg|sendmmsg|sendto|recvfrom");
	r->processes = 1;
	r->threads_total = 5;
	put_syscalls(r, rows, LEN(rows));
	put_batch(r, "recvmmsg",
		(struct batch_row){"messages", 98900, 20000, 15, 9875, 38, 0, 2, 2, 10, "10=9890",
			"1=38 2=9735 3=81 4=10 5=4 6=2 7=2 8=2 9=1 10=15",
			"arrivals=9876 limit=14"});
	put_batch(r, "sendmmsg",
		(struct batch_row){"messages", 20000, 20000, 9890, 0, 38, 0, 2, 2, 10,
			"1=38 2=9735 3=81 4=10 5=4 6=2 7=2 8=2 9=1 10=15",
			"1=38 2=9735 3=81 4=10 5=4 6=2 7=2 8=2 9=1 10=15",
			"received=9880 caller=10"});
	RES_LIST(r, &r->fds, 1, fd);
	r->fds.at[0].pid = 21224;
	r->fds.at[0].fd = 6;
	r->fds.at[0].generation = 0;
	r->fds.at[0].target = "udp 127.0.0.1:15302";
	RES_LIST(r, &r->fds.at[0].syscalls, 2, part);
	put_part(&r->fds.at[0].syscalls.at[0], "recvmmsg", 9890, 0, 41164, 720000, 20000);
	put_part(&r->fds.at[0].syscalls.at[1], "sendmmsg", 9890, 0, 132173, 1040000, 20000);
	RES_LIST(r, &r->threads, 2, thread);
	r->threads.at[0].pid = r->threads.at[0].tid = 21224;
	r->threads.at[0].comm = "knotd";
	RES_LIST(r, &r->threads.at[0].syscalls, 1, part);
	put_part(&r->threads.at[0].syscalls.at[0], "poll", 4, 0, 1330000, U64_NONE, U64_NONE);
	r->threads.at[1].pid = 21224;
	r->threads.at[1].tid = 21225;
	r->threads.at[1].comm = "knotd";
	RES_LIST(r, &r->threads.at[1].syscalls, 3, part);
	put_part(&r->threads.at[1].syscalls.at[0], "recvmmsg", 9890, 0, 41164, 720000, 20000);
	put_part(&r->threads.at[1].syscalls.at[1], "sendmmsg", 9890, 0, 132173, 1040000, 20000);
	put_part(&r->threads.at[1].syscalls.at[2], "epoll_wait", 9902, 0, 2310000, U64_NONE,
		U64_NONE);
	r->mappings = RES_OBJ(r, mappings);
	return r;
}

/* A build: many processes, many calls, errors, mappings, no messages. */
static struct res_result *build(void)
{
	static const struct row rows[] = {
		{"wait4", "process", "ECHILD=31", 260, 31, 2, 81000000, 90000000, 400000000,
			900000000, 0, 1900000000},
		{"read", "desc", NULL, 41220, 0, 0, 312044, 2100, 9000, 41000, 120000, 4100000},
		{"openat", "file", "ENOENT=20144 EACCES=2", 31871, 20146, 0, 208111, 5200, 8100,
			19000, 88000, 900000},
		{"mmap", "memory", NULL, 12004, 0, 0, 101222, 7000, 12000, 31000, 90000, 700000},
		{"write", "desc", "EPIPE=1", 8120, 1, 0, 91244, 6000, 22000, 51000, 130000, 300000},
		{"fstat", "file", NULL, 22100, 0, 0, 60110, 2500, 3300, 9000, 30000, 100000},
		{"access", "file", "ENOENT=260", 260, 260, 0, 1400, 5000, 6000, 8000, 0, 9000},
		{"ioctl", "desc", "ENOTTY=310", 310, 310, 0, 900, 2500, 3000, 6000, 0, 8000},
		{"munmap", "memory", NULL, 2210, 0, 0, 28122, 11000, 20000, 61000, 110000, 200000},
		{"close", "desc", NULL, 21877, 0, 0, 41220, 1700, 2300, 7000, 21000, 90000},
		{"brk", "memory", NULL, 2411, 0, 0, 11004, 4000, 7000, 15000, 40000, 60000},
		{"execve", "process", "ENOENT=12", 142, 12, 0, 64020, 410000, 700000, 900000, 0,
			1200000},
		{"writev", "desc", NULL, 210, 0, 0, 1804, 8000, 9000, 20000, 0, 30000},
		{"pread64", "desc", NULL, 312, 0, 0, 880, 2500, 4000, 9000, 0, 10000},
		{"exit_group", "process", NULL, 130, 0, 0, 0, 0, 0, 0, 0, 0},
	};
	/* Makers in any order, more of them than are shown; threads of what is not known, alone. */
	static struct res_program programs[] = {{"make", NULL, 1, 1, 0}, {"gcc", "make", 25, 25, 0},
		{"cc1", "gcc", 25, 25, 0}, {"as", "gcc", 25, 29, 0}, {"sh", "make", 9, 9, 0},
		{"collect2", "gcc", 1, 1, 0}, {"ld", "collect2", 1, 1, 0}, {"mv", "sh", 9, 9, 0},
		{"rm", "sh", 9, 9, 0}, {NULL, "sh", 2, 2, 0}, {"sed", "sh", 9, 9, 0},
		{"cat", "sh", 9, 9, 0}, {"cmp", "sh", 4, 4, 0}, {"ln", "sh", 2, 2, 0},
		{NULL, NULL, 0, 5, 0}};
	struct res_result *r = result_new();

	r->complete = 1;
	put_strs(r, &r->command, "make|-j2|CFLAGS=-O2 -g|all");
	r->scenario = "build";
	r->runs = RES_OBJ(r, runs);
	*r->runs = (struct res_runs){5, 3, 70100 * MS, 74400 * MS};
	r->environment = RES_OBJ(r, environment);
	r->environment->kernel = "6.18.2";
	r->environment->machine = "x86_64";
	r->environment->cpu = "AMD EPYC 7B13";
	r->environment->cores = 2;
	r->environment->virtualization = "kvm";
	r->wall_ns = 71020 * MS;
	r->cpu_ns = 131444 * MS;
	put_exit(r, 2, U64_NONE, 0);
	r->processes = 131;
	r->threads_total = 140;
	RES_LIST(r, &r->programs, LEN(programs), program);
	memcpy(r->programs.at, programs, sizeof(programs));
	put_tracer(r, "auto", 140211, 3226);
	put_strs(r, &r->tracer->traced_set, "all");
	RES_LIST(r, &r->tracer->unpatched_sites, 2, unpatched);
	r->tracer->unpatched_sites.at[0] = (struct res_unpatched){"start of a process", 131, 2800};
	r->tracer->unpatched_sites.at[1] = (struct res_unpatched){"no room for a jump", 7, 426};
	put_overhead(r, 8200, 6510, 65000000, 0.00092);
	put_syscalls(r, rows, LEN(rows));
	((struct res_syscall *)result_syscall(r, "exit_group"))->no_return = 130;
	((struct res_syscall *)result_syscall(r, "exit_group"))->ok = 0;
	put_batch(r, "writev",
		(struct batch_row){
			"iovecs", 420, 420, 210, 0, 0, 0, 2, 2, 2, "2=210", "2=210", "caller=210"});
	RES_LIST(r, &r->fds, 20, fd);
	for (size_t i = 0; i < 20; i++) {
		struct res_fd *fd = &r->fds.at[i];

		fd->pid = 4000 + i;
		fd->fd = 3 + i % 3;
		fd->generation = i % 4;
		fd->target = i % 5 ? "/usr/include/x86_64-linux-gnu/bits/types.h" : NULL;
		RES_LIST(r, &fd->syscalls, 2, part);
		put_part(&fd->syscalls.at[0], "read", 200 - 7 * i, 0, 900, 81920, U64_NONE);
		put_part(&fd->syscalls.at[1], "fstat", 1, 0, 3, U64_NONE, U64_NONE);
	}
	RES_LIST(r, &r->threads, 140, thread);
	for (size_t i = 0; i < 140; i++) {
		struct res_thread *t = &r->threads.at[i];

		t->pid = 4000 + i / 2 * 2;
		t->tid = 4000 + i;
		t->comm = i % 2 ? "cc1" : "as";
		RES_LIST(r, &t->syscalls, LEN(rows) - 1, part);
		for (size_t k = 0; k < LEN(rows) - 1; k++)
			put_part(&t->syscalls.at[k], rows[k].name, (rows[k].calls + i % 7) / 140, 0,
				rows[k].total_us / 140, k == 1 ? 4096 : U64_NONE,
				k == 12 ? 3 : U64_NONE);
	}
	r->mappings = RES_OBJ(r, mappings);
	r->mappings->anonymous = RES_OBJ(r, mapping_kind);
	*r->mappings->anonymous =
		(struct res_mapping_kind){.maps = 4100, .mapped = 912 << 20, .unmapped = 310 << 20};
	r->mappings->file = RES_OBJ(r, mapping_kind);
	*r->mappings->file = (struct res_mapping_kind){
		.maps = 7904, .mapped = 5120ULL << 20, .unmapped = 44 << 20};
	r->mappings->peak_mapped = 733 << 20;
	put_strs(r, &r->blind_spots,
		"/usr/lib/ccache used io_uring with SQPOLL: its submissions are "
		"not system calls and are not counted");
	return r;
}

/* A sender of batches under ptrace: the tracer itself is what one sees. */
static struct res_result *slowed(void)
{
	static const struct row rows[] = {
		{"sendmmsg", "network", "EAGAIN=1200 ENOBUFS=3", 61203, 1203, 4, 4100000, 61000,
			90000, 140000, 310000, 2100000},
		{"recvmsg", "network", "EAGAIN=9000", 20000, 9000, 0, 900000, 40000, 60000, 90000,
			140000, 700000},
		{"epoll_wait", "wait", NULL, 61000, 0, 0, 400000, 900, 4000, 9000, 41000, 100000},
		{"io_uring_enter", "desc", NULL, 12, 0, 0, 120, 9000, 10000, 0, 0, 12000},
	};
	struct res_result *r = result_new();

	r->complete = 0;
	put_strs(r, &r->command, "prtip|-sS|-p|1-1000|127.0.0.1");
	r->wall_ns = 12000 * MS;
	put_exit(r, U64_NONE, 15, 1);
	r->processes = 1;
	r->threads_total = 2;
	put_tracer(r, "ptrace", 0, 142215);
	r->tracer->lost = 17;
	r->tracer->ignored_signal_interruptions = 3;
	r->tracer->detail_lines = 100000;
	r->tracer->detail_lines_left_out = 42215;
	put_strs(r, &r->tracer->traced_set, "sendmmsg|recvmmsg|recvmsg|epoll_wait|io_uring_enter");
	put_overhead(r, 19000, 284430, 5404170000, 0.4503);
	put_syscalls(r, rows, LEN(rows));
	put_batch(r, "sendmmsg",
		(struct batch_row){"messages", 3000000 - 640, 2990000, 12000, 800, 33000, 1200, 1,
			300, 1024, "1=33000 64=10000 300=17003 1024=1200",
			"0=12 1=33000 2=10 3=11 4=9 7=20 8=13 60=30 61=31 64=9700 100=5 150=6 "
			"299=8 "
			"300=16100 700=3 1000=2 1024=1036",
			"buffer=15000 caller=43203 kernel=3000"});
	put_batch(r, "epoll_wait",
		(struct batch_row){"events", 64 * 61000ULL, 52000, 4000, 2000, 46000, 9000, 1, 2,
			64, "64=61000", "0=9000 1=46000 2=2000 64=4000",
			"arrivals=48000 limit=4000"});
	put_batch(r, "io_uring_enter",
		(struct batch_row){
			"submissions", 24, 24, 12, 0, 0, 0, 2, 2, 2, "2=12", "2=12", "caller=12"});
	((struct res_syscall *)result_syscall(r, "sendmmsg"))->datagrams = RES_OBJ(r, datagrams);
	((struct res_syscall *)result_syscall(r, "sendmmsg"))->datagrams->asked = 9000000;
	((struct res_syscall *)result_syscall(r, "sendmmsg"))->datagrams->transferred = 8900000;
	result_warn(r, "lost_calls",
		"17 calls of threads 812 and 813 were missed between two stops because the program "
		"installed a seccomp filter of its own; their bytes and batches are in no figure");
	result_warn(r, "disk_full", "the detail file is cut: no space left on device");
	RES_LIST(r, &r->threads, 1, thread);
	r->threads.at[0].pid = r->threads.at[0].tid = 812;
	r->threads.at[0].comm = "prtip";
	RES_LIST(r, &r->threads.at[0].syscalls, 1, part);
	put_part(&r->threads.at[0].syscalls.at[0], "sendmmsg", 61203, 1203, 4100000, 180000000,
		2990000);
	return r;
}

static struct res_result *nothing_traced(void)
{
	struct res_result *r = result_new();

	r->complete = 1;
	put_strs(r, &r->command, "/bin/true");
	r->wall_ns = 900000;
	put_exit(r, 0, U64_NONE, 0);
	r->processes = r->threads_total = 1;
	put_tracer(r, "auto", 0, 0);
	put_strs(r, &r->tracer->traced_set, "sendmmsg");
	put_overhead(r, 9000, 0, 0, 0);
	return r;
}

static struct res_result *not_measured(void)
{
	return result_new();
}

static struct res_result *one_call(void)
{
	static const struct row rows[] = {
		{"sendmmsg", "network", NULL, 1, 0, 0, 14, 14000, 14000, 14000, 14000, 14000}};
	struct res_result *r = nothing_traced();

	put_syscalls(r, rows, 1);
	put_tracer(r, "auto", 1, 0);
	put_batch(r, "sendmmsg",
		(struct batch_row){
			"messages", 32, 32, 1, 0, 0, 0, 32, 32, 32, "32=1", "32=1", "caller=1"});
	return r;
}

/* Names that would take over a terminal, and as long as a path can be. */
static struct res_result *hostile(void)
{
	static const struct row rows[] = {
		{"write\x1b[31m", "desc", "E\aEVIL=12", 40, 12, 0, 100, 1000, 2000, 3000, 4000,
			5000},
		{"sendmmsg", "network", NULL, 40, 0, 0, 90, 1000, 2000, 3000, 4000, 5000},
	};
	struct res_result *r = result_new();
	char *path = arena_alloc(result_arena(r), 10241, 1);
	const char **argv;

	memset(path, 'x', 10240);
	memcpy(path, "/srv/", 5);
	memcpy(path + 10236, "/end", 4);
	put_strs(r, &r->command, "a|b|c|d");
	argv = r->command.at;
	argv[0] = "it's";
	argv[1] = "\x1b]0;title\a\nIO is fine";
	argv[2] = "Gr\xc3\xbc\xc3\x9f"
		  "e \xe6\x97\xa5\xe6\x9c\xac \xff\xfe \xe2\x80\xae\xc2\x9b";
	argv[3] = path;
	r->wall_ns = 5 * MS;
	put_exit(r, 3, U64_NONE, 0);
	put_tracer(r, "auto\n\n", 80, 0);
	r->tracer->version = path;
	put_overhead(r, 9000, 3, 27000, 0.0054);
	result_warn(r, "name\twith tab", "file %.300s was not read", path);
	put_syscalls(r, rows, LEN(rows));
	put_batch(r, "sendmmsg",
		(struct batch_row){
			"messages", 40, 40, 40, 0, 40, 0, 1, 1, 1, "1=40", "1=40", "caller=40"});
	RES_LIST(r, &r->fds, 2, fd);
	for (size_t i = 0; i < 2; i++) {
		struct res_fd *fd = &r->fds.at[i];

		fd->pid = 1;
		fd->fd = i;
		fd->generation = 0;
		fd->target = i ? path : "/tmp/\n\x1b[2J\r% time     seconds";
		RES_LIST(r, &fd->syscalls, 1, part);
		put_part(
			&fd->syscalls.at[0], i ? path : "write\x1b[31m", 40, 12, 100, 40, U64_NONE);
	}
	RES_LIST(r, &r->threads, 1, thread);
	r->threads.at[0].pid = r->threads.at[0].tid = 7;
	r->threads.at[0].comm = "\x1b[8mhidden";
	put_strs(r, &r->blind_spots, "a\nb");
	return r;
}

/* The largest numbers that JSON carries, everywhere. */
static struct res_result *huge(void)
{
	const uint64_t most = INT64_MAX;
	struct res_result *r = dns_server();
	struct res_syscall *s = (struct res_syscall *)result_syscall(r, "recvmmsg");

	s->calls = s->ok = s->errors = most;
	*s->wall_ns = (struct res_times){most, most, most, most, most, most, most, most};
	*s->batch->per_call = (struct res_per_call){1e300, most, most, most};
	s->batch->asked = s->batch->transferred = most;
	s->batch->single = s->batch->empty = s->batch->full = s->batch->partial = most;
	put_counts(r, &s->batch->asked_histogram, "1=1 9223372036854775807=9223372036854775807");
	put_counts(r, &s->batch->transferred_histogram,
		"0=3 1=1 4=9223372036854775807 9223372036854775807=9223372036854775807");
	put_counts(r, &s->errnos, "EAGAIN=9223372036854775807");
	put_part(&r->fds.at[0].syscalls.at[0], "recvmmsg", most, 0, most / 1000, most, most);
	r->wall_ns = r->load->wall_ns = r->work->count = most;
	r->tracer->calls_recorded_in_process = r->tracer->calls_stopped = most;
	r->tracer->calls_redirected = r->tracer->lost = most;
	r->processes = r->threads_total = most;
	put_overhead(r, most, most, most, 1);
	r->mappings->peak_mapped = most;
	return r;
}

/* ---- reading what was printed ---- */

static char *print(const struct res_result *r)
{
	struct out o;
	char *text;

	out_init_mem(&o);
	writer_summary.write(r, &o);
	assert_int_equal(out_flush(&o), 0);
	text = mem_strdup(out_text(&o));
	out_release(&o);
	return text;
}

/* The same in one line, so that sentences can be looked for. */
static char *print_unwrapped(const struct res_result *r)
{
	char *text = print(r), *to = text;

	for (const char *from = text; *from; from++) {
		char c = *from == '\n' ? ' ' : *from;

		if (c != ' ' || (to > text && to[-1] != ' '))
			*to++ = c;
	}
	*to = '\0';
	return text;
}

/* Columns of a line: bytes of UTF-8 that begin a character, Han counted twice. */
static size_t columns_of(const char *line, size_t len)
{
	size_t n = 0;

	for (size_t i = 0; i < len; i++) {
		unsigned char c = (unsigned char)line[i];

		n += (c & 0xc0) != 0x80;
		n += c >= 0xe4 && c <= 0xed;
	}
	return n;
}

static void check_terminal_safe(const char *text)
{
	for (const char *line = text; *line;) {
		size_t len = strcspn(line, "\n");

		if (columns_of(line, len) > COLUMNS)
			fail_msg("line of more than %d columns: %.*s", COLUMNS, (int)len, line);
		if (len && line[len - 1] == ' ')
			fail_msg("trailing space: %.*s", (int)len, line);
		for (size_t i = 0; i < len; i++)
			assert_true((unsigned char)line[i] >= 0x20 && line[i] != 0x7f);
		assert_int_equal(line[len], '\n');
		line += len + 1;
	}
}

/* The strace -c table at the end: its rows add up to its total. */
static void check_totals(const char *text)
{
	const char *line = strstr(text, "\n" HEADER "\n");
	uint64_t calls = 0, errors = 0, total_calls = 0, total_errors = 0;
	unsigned int rules = 0;

	assert_non_null(line);
	for (line += sizeof(HEADER) + 1; *line && *line != '('; line += strcspn(line, "\n") + 1) {
		char name[COLUMNS + 1] = "", rest[COLUMNS + 1] = "";
		uint64_t each, n, bad = 0;
		double share, seconds;

		if (!strncmp(line, "------ ----------- ----------- --------- ---------", 50)) {
			rules++;
			continue;
		}
		assert_int_equal(sscanf(line, "%lf %lf %" SCNu64 " %" SCNu64 " %100[^\n]", &share,
					 &seconds, &each, &n, rest),
			5);
		if (sscanf(rest, "%" SCNu64 " %100s", &bad, name) != 2)
			assert_int_equal(sscanf(rest, "%100s", name), 1);
		if (!strcmp(name, "total")) {
			total_calls = n;
			total_errors = bad;
		} else {
			calls += n;
			errors += bad;
		}
	}
	assert_true(rules == 1 || rules == 2);
	/* Sums stop at INT64_MAX. */
	assert_int_equal(total_calls, calls > INT64_MAX ? INT64_MAX : calls);
	assert_int_equal(total_errors, errors > INT64_MAX ? INT64_MAX : errors);
}

static char *golden_path(const char *name)
{
	const char *slash = strrchr(__FILE__, '/');
	int dir = slash ? (int)(slash - __FILE__) : 0;

	return mem_printf("%.*s%sdata/summary-%s.txt", dir, __FILE__, dir ? "/" : "", name);
}

static void check_golden(const char *name, const char *text)
{
	cleanup_free char *path = golden_path(name), *expected = NULL;
	struct err err = {0};

	if (getenv("UPDATE")) {
		assert_int_equal(file_write(path, text, strlen(text), &err), 0);
		return;
	}
	if (file_read(path, 1 << 20, &expected, NULL, &err) < 0)
		fail_msg("%s", err.text);
	if (strcmp(text, expected) != 0)
		print_error("summary %s is not what %s has; UPDATE=1 writes it anew\n", name, path);
	assert_string_equal(text, expected);
}

/* ---- tests ---- */

static const struct {
	const char *name;
	struct res_result *(*make)(void);
} cases[] = {
	{"dns-server", dns_server},
	{"build", build},
	{"slowed", slowed},
	{"nothing-traced", nothing_traced},
	{"not-measured", not_measured},
	{"one-call", one_call},
	{"hostile", hostile},
	{"huge", huge},
};

static void test_golden(void **state)
{
	(void)state;
	for (size_t i = 0; i < LEN(cases); i++) {
		struct res_result *r = cases[i].make();
		cleanup_free char *text = print(r);

		check_terminal_safe(text);
		check_totals(text);
		assert_null(strstr(text, "nan"));
		assert_null(strstr(text, "inf%"));
		assert_null(strstr(text, "18446744073709551615"));
		assert_null(strstr(text, "18,446,744,073,709,551,615"));
		check_golden(cases[i].name, text);
		result_free(r);
	}
}

/* Saved and read again, a result prints the same. */
static void test_saved(void **state)
{
	char path[] = "/tmp/test_view.XXXXXX";
	int fd = mkstemp(path);
	struct err err = {0};

	(void)state;
	assert_true(fd >= 0);
	close(fd);
	for (size_t i = 0; i < LEN(cases); i++) {
		struct res_result *r = cases[i].make(), *again = NULL;
		cleanup_free char *before = print(r), *after = NULL;
		struct out o;

		out_init_mem(&o);
		writer_json.write(r, &o);
		assert_int_equal(file_write(path, out_text(&o), o.len, &err), 0);
		out_release(&o);
		if (json_read_result(path, &again, &err) < 0)
			fail_msg("%s: %s", cases[i].name, err.text);
		after = print(again);
		assert_string_equal(before, after);
		result_free(again);
		result_free(r);
	}
	unlink(path);
}

/* What a note says depends on the figures: one row for each rule of docs/SUMMARY.md. */
static void test_notes(void **state)
{
	static const struct {
		const char *name;
		uint64_t calls, errors;
		struct batch_row batch;
		const char *says, *says_not;
	} notes[] = {
		{"recvmmsg", 29, 0,
			{"messages", 290, 29, 0, 29, 29, 0, 1, 1, 1, "10=29", "1=29",
				"arrivals=29"},
			"recvmmsg: too few calls to judge (29, at least 30 are needed).",
			"limited by"},
		{"recvmmsg", 30, 0,
			{"messages", 300, 30, 0, 30, 30, 0, 1, 1, 1, "10=30", "1=30",
				"arrivals=30"},
			"recvmmsg is limited by arrivals, not by its limit of 10: 0 of 30 calls "
			"were full.",
			"too few"},
		{"recvmmsg", 100, 0,
			{"messages", 1000, 433, 5, 95, 0, 0, 4, 4, 10, "10=100", "4=95 10=5",
				"arrivals=96 limit=4"},
			"recvmmsg is limited by arrivals, not by its limit of 10: 5 of 100 calls "
			"were full.",
			"a larger limit"},
		{"recvmmsg", 100, 0,
			{"messages", 1000, 580, 30, 70, 0, 0, 4, 10, 10, "10=100", "4=70 10=30",
				"arrivals=75 limit=25"},
			"recvmmsg is limited by arrivals, not by its limit of 10: 30 of 100 calls "
			"were full, and more was there after 25 of them: these a larger limit "
			"would make fewer.",
			"several"},
		{"recvmmsg", 100, 0,
			{"messages", 1000, 850, 67, 33, 0, 0, 10, 10, 10, "10=100", "4=33 10=67",
				"limit=67 arrivals=33"},
			"recvmmsg is limited by its limit of 10: 67 of 100 calls took as many, and "
			"the next one found more at once.",
			"arrivals"},
		{"recvmmsg", 100, 0,
			{"messages", 1000, 850, 67, 33, 0, 0, 10, 10, 10, "10=100", "4=33 10=67",
				"limit=66 arrivals=34"},
			"recvmmsg is limited by several things, none of them in two thirds of 100 "
			"calls: its limit in 66.0%, arrivals in 34.0%.",
			"is limited by its limit"},
		{"recvmmsg", 100, 0,
			{"messages", 1000, 1000, 100, 0, 0, 0, 10, 10, 10, "10=100", "10=100",
				"arrivals=100"},
			"recvmmsg is limited by arrivals: 100 of 100 calls took as many as they "
			"asked for, 10, and no more was there, or waited until they had come.",
			"its limit"},
		{"recvmmsg", 100, 0,
			{"messages", 1000, 1000, 100, 0, 0, 0, 10, 10, 10, "10=100", "10=100",
				"met=90 limit=10"},
			"recvmmsg is limited by its limit or by arrivals that just met it: 90 of "
			"100 calls took as many as they asked for, 10, and the next one found "
			"more, which may have come since.",
			"by its limit of"},
		/* of a result that does not tell, but for those that were not full */
		{"recvmmsg", 100, 0,
			{"messages", 1000, 850, 67, 33, 0, 0, 10, 10, 10, "10=100", "4=33 10=67",
				""},
			"recvmmsg is limited by something that is not known", "its limit"},
		{"recvmmsg", 100, 0,
			{"messages", 1000, 500, 33, 67, 0, 0, 4, 10, 10, "10=100", "4=67 10=33",
				""},
			"recvmmsg is limited by arrivals, not by its limit of 10: 33 of 100 calls",
			"not known"},
		{"recvmmsg", 100, 0,
			{"messages", 100, 100, 100, 0, 100, 0, 1, 1, 1, "1=100", "1=100",
				"limit=100"},
			"recvmmsg asks for one a call: it cannot batch.", "limited"},
		{"recvmmsg", 100, 90,
			{"messages", 40, 20, 0, 10, 0, 90, 2, 2, 2, "4=100", "2=10", "arrivals=10"},
			"recvmmsg: 90 of 100 calls brought nothing", "arrivals"},
		{"sendmmsg", 100, 0,
			{"messages", 3200, 3200, 100, 0, 0, 0, 32, 32, 32, "32=100", "32=100",
				"caller=100"},
			"sendmmsg is given 32 messages in every call.", "not sent"},
		{"sendmmsg", 100, 0,
			{"messages", 3200, 3200, 100, 0, 0, 0, 32, 32, 32, "32=100", "32=100",
				"kernel=100"},
			"sendmmsg is limited by the kernel, which takes 1,024 a call: 100 of 100",
			"by the caller"},
		{"sendmmsg", 100, 0,
			{"messages", 3200, 3200, 100, 0, 0, 0, 32, 32, 32, "32=100", "32=100",
				"refused=70 caller=30"},
			"sendmmsg is limited by messages that are refused: 70 of 100 calls",
			"the batch that the caller makes"},
		{"writev", 100, 0,
			{"iovecs", 3200, 3200, 100, 0, 0, 0, 32, 32, 32, "32=100", "32=100",
				"refused=70 caller=30"},
			"writev is limited by iovecs that are refused: 70 of 100 calls",
			"limited by messages"},
		{"sendmmsg", 100, 0,
			{"messages", 3200, 3200, 100, 0, 0, 0, 32, 32, 32, "32=100", "32=100",
				"exchanged=100"},
			"sendmmsg is limited by the caller, who gives as many as it receives, "
			"32.00 a call: 100 of 100 calls; who began is not known.",
			"sends what it received"},
		{"sendmmsg", 100, 0,
			{"messages", 3200, 3200, 100, 0, 0, 0, 32, 32, 32, "32=100", "32=100",
				"unknown=90 caller=10"},
			"sendmmsg is limited by something that is not known", "the caller"},
		{"sendmmsg", 100, 0,
			{"messages", 3200, 3200, 100, 0, 0, 0, 32, 32, 32, "32=100", "32=100", ""},
			"sendmmsg is limited by something that this result does not tell.",
			"the caller"},
		{"sendmmsg", 100, 0,
			{"messages", 3200, 3200, 100, 0, 0, 0, 32, 32, 32, "32=100", "32=100",
				"received=100"},
			"sendmmsg is limited by the caller, who sends what it received: 100 of 100 "
			"calls sent as many as had come since the last one, 32.00 a call.",
			"as many as it receives"},
		/* no call moved anything: what it found is told all the same */
		{"sendmmsg", 100, 90,
			{"messages", 80, 40, 0, 10, 0, 90, 4, 4, 4, "8=100", "4=10", "buffer=100"},
			"sendmmsg is limited by the buffer behind it: 100 of 100 calls",
			"the caller"},
		{"sendmmsg", 100, 0,
			{"messages", 3200, 3200, 100, 0, 0, 0, 32, 32, 32, "32=100", "32=100",
				"caller=100"},
			"sendmmsg: every message given was sent.", "succeeded"},
		{"sendmmsg", 101, 1,
			{"messages", 3200, 3200, 100, 0, 0, 0, 32, 32, 32, "32=101", "32=100",
				"caller=100"},
			"every message given was sent by the calls that succeeded; 1 did not.",
			"were not sent"},
		{"sendmmsg", 100, 0,
			{"messages", 3200, 3199, 99, 1, 0, 0, 32, 32, 32, "32=100", "31=1 32=99",
				"caller=99 unknown=1"},
			"sendmmsg: 1 of 3,200 messages were not sent by the call that was given "
			"them",
			"every message given"},
		{"sendmmsg", 100, 0,
			{"messages", 150, 150, 100, 0, 50, 0, 1, 2, 2, "1=50 2=50", "1=50 2=50",
				"caller=100"},
			"sendmmsg: 50 of 100 calls moved one message only", "in every call"},
		{"sendmmsg", 100, 0,
			{"messages", 151, 151, 100, 0, 49, 0, 1, 2, 2, "1=49 2=51", "1=49 2=51",
				"caller=100"},
			"sendmmsg: every message", "calls moved one message only"},
		{"epoll_wait", 100, 0,
			{"events", 6400, 90, 0, 90, 90, 10, 1, 1, 1, "64=100", "0=10 1=90",
				"arrivals=90"},
			"epoll_wait: 10 of 100 calls brought nothing", "too few"},
		{"epoll_wait", 100, 0,
			{"events", 6400, 91, 0, 91, 91, 9, 1, 1, 1, "64=100", "0=9 1=91",
				"arrivals=91"},
			"epoll_wait is limited by arrivals", "brought nothing"},
		{"poll", 100, 0,
			{"events", 300, 100, 0, 100, 100, 0, 1, 1, 1, "3=100", "1=100", ""},
			"BATCHING events", "is limited by"},
		{"writev", 100, 0,
			{"iovecs", 100, 100, 100, 0, 100, 0, 1, 1, 1, "1=100", "1=100",
				"caller=100"},
			"writev is given one iovec a call: it does not batch.", "in every call"},
		/* nothing is known of its sockets */
		{"sendto", 100, 0, {NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, "", "", ""}, "sendto",
			"one message a call"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(notes); i++) {
		struct res_result *r = nothing_traced();
		const struct row row = {.name = notes[i].name,
			.class = "network",
			.calls = notes[i].calls,
			.errors = notes[i].errors,
			.total_us = 10};

		put_syscalls(r, &row, 1);
		if (notes[i].batch.unit)
			put_batch(r, row.name, notes[i].batch);

		cleanup_free char *text = print_unwrapped(r);

		if (!strstr(text, notes[i].says))
			fail_msg("row %zu does not say \"%s\":\n%s", i, notes[i].says, text);
		if (strstr(text, notes[i].says_not))
			fail_msg("row %zu says \"%s\":\n%s", i, notes[i].says_not, text);
		result_free(r);
	}
}

/* The head says whether the figures hold for the untraced program. */
static void test_cost(void **state)
{
	static const struct {
		double share;
		const char *says, *says_not;
	} rows[] = {
		{0, "figures below hold for the untraced program", "SLOWED"},
		{0.1, "figures below hold for the untraced program", "SLOWED"},
		{0.101, "SLOWED THE PROGRAM", "figures below hold"},
		{1, "SLOWED THE PROGRAM", "figures below hold"},
		{NAN, "its cost is not known", "SLOWED"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		struct res_result *r = nothing_traced();

		put_overhead(r, 9000, 100, 900000, rows[i].share);

		cleanup_free char *text = print_unwrapped(r);

		assert_non_null(strstr(text, rows[i].says));
		assert_null(strstr(text, rows[i].says_not));
		result_free(r);
	}
}

/* The overflow is of all histograms together: what is missing in this one is less. */
static void test_sizes_left_out(void **state)
{
	static const struct {
		const char *histogram;
		uint64_t overflow;
		const char *says; /* NULL: nothing of it */
	} rows[] = {
		{"1=60 2=40", 0, NULL},
		{"1=60 2=40", 30, NULL},
		{"1=60 2=33", 7, "7 calls of other sizes are not shown"},
		{"1=60 2=33", 9, "7 calls of other sizes are not shown"},
		{"1=60 2=33", 5, "5 calls of other sizes are not shown"},
	};

	(void)state;
	for (size_t i = 0; i < LEN(rows); i++) {
		static const struct row call = {
			.name = "sendmmsg", .class = "network", .calls = 100};
		struct res_result *r = nothing_traced();

		put_syscalls(r, &call, 1);
		put_batch(r, "sendmmsg",
			(struct batch_row){.unit = "messages",
				.asked = 140,
				.transferred = 140,
				.asked_histogram = "1=60 2=40",
				.transferred_histogram = rows[i].histogram,
				.limited_by = ""});
		((struct res_batch *)r->syscalls.at[0].batch)->histogram_overflow =
			rows[i].overflow;

		cleanup_free char *text = print_unwrapped(r);

		if (rows[i].says)
			assert_non_null(strstr(text, rows[i].says));
		else
			assert_null(strstr(text, "are not shown"));
		result_free(r);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_golden),
		cmocka_unit_test(test_saved),
		cmocka_unit_test(test_notes),
		cmocka_unit_test(test_cost),
		cmocka_unit_test(test_sizes_left_out),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: GPL-3.0-only */
#include <errno.h>
#include <inttypes.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "common/base/hist.h"
#include "common/base/map.h"
#include "common/base/out.h"
#include "tracer/agg/agg.h"

/* Rows of our own: the counting rules do not depend on what syscalls.def says today. */
static const struct sys_def sendmmsg_def = {
	.name = "sendmmsg", .class = CLASS_NETWORK, .unit = BATCH_MESSAGES, .batch = 3, .index = 3};
static const struct sys_def write_def = {
	.name = "write", .class = CLASS_DESC, .bytes = 3, .bytes_ret = 1, .index = 1};
static const struct sys_def writev_def = {.name = "writev",
	.class = CLASS_DESC,
	.unit = BATCH_IOVECS,
	.batch = 3,
	.bytes_ret = 1,
	.index = 200};
static const struct sys_def sendto_def = {
	.name = "sendto", .class = CLASS_NETWORK, .bytes = 3, .bytes_ret = 1, .index = 9};
static const struct sys_def mmap_def = {
	.name = "mmap", .class = CLASS_MEMORY, .bytes = 2, .index = 7};
static const struct sys_def sigreturn_def = {
	.name = "rt_sigreturn", .class = CLASS_SIGNAL, .always_ok = 1, .index = 5};
static const struct sys_def exit_def = {.name = "exit_group", .class = CLASS_PROCESS, .index = 6};
static const struct sys_def poll_def = {.name = "poll", .class = CLASS_WAIT, .index = 8};

#define NM NOT_MEASURED

/* An event of 10 ns by thread 1 without an fd. */
static struct sys_event event(const struct sys_def *def, int64_t ret)
{
	return (struct sys_event){.def = def,
		.ret = ret,
		.entry_ns = 1000,
		.exit_ns = 1010,
		.m = {NM, NM, NM, NM, NM, NM, 0, 0, 0},
		.pid = 1,
		.tid = 1,
		.thread_id = 1};
}

static int thread_name(void *ctx, uint32_t id, uint64_t *pid, uint64_t *tid, const char **comm)
{
	(void)ctx;
	if (id == 99)
		return -1;
	*pid = 1000 - id / 2;
	*tid = 1000 + id;
	*comm = "worker";
	return 0;
}

static int fd_name(void *ctx, uint32_t id, struct agg_fd *ret)
{
	(void)ctx;
	*ret = (struct agg_fd){500, id / 10, id % 10, id == 71 ? NULL : "/dev/null", NULL, 0};
	return 0;
}

static const struct agg_names names = {.thread = thread_name, .fd = fd_name};

/* ---- one row of the result as one line of text ---- */

static void put_u64(struct out *o, uint64_t v)
{
	if (v == U64_NONE)
		out_str(o, "-");
	else
		out_u64(o, v);
}

static void put_counts(struct out *o, const char *title, const struct res_counts *c)
{
	out_printf(o, " %s{", title);
	for (size_t i = 0; i < c->len; i++)
		out_printf(o, "%s%s:%" PRIu64, i ? " " : "", c->at[i].key, c->at[i].count);
	out_str(o, "}");
}

static void put_batch(struct out *o, const struct res_batch *b)
{
	out_printf(o, " | %s ", b->unit);
	put_u64(o, b->asked);
	out_char(o, '/');
	put_u64(o, b->transferred);
	if (isnan(b->fill))
		out_str(o, " fill -");
	else
		out_printf(o, " fill %.2f", b->fill);
	out_printf(o, " full %" PRIu64 " part %" PRIu64 " single %" PRIu64 " empty %" PRIu64,
		b->full, b->partial, b->single, b->empty);
	if (b->per_call)
		out_printf(o, " per %.2f %" PRIu64 " %" PRIu64 " %" PRIu64, b->per_call->mean,
			b->per_call->p50, b->per_call->p90, b->per_call->max);
	put_counts(o, "asked", &b->asked_histogram);
	put_counts(o, "moved", &b->transferred_histogram);
	put_counts(o, "pairs", &b->asked_to_transferred);
}

static void put_datagrams(struct out *o, const struct res_datagrams *d)
{
	out_str(o, " | dgrams ");
	put_u64(o, d->asked);
	out_char(o, '/');
	put_u64(o, d->transferred);
}

static void put_row(struct out *o, const struct res_syscall *s)
{
	out_printf(o, "%" PRIu64 "=%" PRIu64 "+%" PRIu64 "+%" PRIu64 "+%" PRIu64, s->calls, s->ok,
		s->errors, s->interrupted, s->no_return);
	put_counts(o, "errno", &s->errnos);
	out_printf(o, " ns %" PRIu64, s->wall_ns->total);
	if (s->bytes) {
		out_str(o, " bytes ");
		put_u64(o, s->bytes->asked);
		out_char(o, '/');
		put_u64(o, s->bytes->transferred);
	}
	if (s->batch)
		put_batch(o, s->batch);
	if (s->datagrams)
		put_datagrams(o, s->datagrams);
}

/* ---- the counting rules, one a row ---- */

struct rule {
	const char *what;
	const struct sys_def *def;
	struct {
		int64_t ret;
		enum outcome outcome;
		struct measure m;
	} calls[4];
	int len;
	const char *expect;
};

#define BYTES(asked, moved)                                                                        \
	{                                                                                          \
		asked, moved, NM, NM, NM, NM, 0, 0, 0                                              \
	}
#define BATCH(asked, moved)                                                                        \
	{                                                                                          \
		NM, NM, asked, moved, NM, NM, 0, 0, 0                                              \
	}
#define NOTHING                                                                                    \
	{                                                                                          \
		NM, NM, NM, NM, NM, NM, 0, 0, 0                                                    \
	}

static const struct rule rules[] = {
	{"ok is any result that is no error", &write_def,
		{{100, SYS_RETURNED, BYTES(100, 100)}, {0, SYS_RETURNED, BYTES(0, 0)}}, 2,
		"2=2+0+0+0 errno{} ns 20 bytes 100/100"},
	{"a failed write asked, but moved nothing", &write_def,
		{{-EAGAIN, SYS_RETURNED, BYTES(100, NM)}, {-EAGAIN, SYS_RETURNED, BYTES(7, 7)},
			{-EPIPE, SYS_RETURNED, BYTES(1, NM)}},
		3, "3=0+3+0+0 errno{EAGAIN:2 EPIPE:1} ns 30 bytes 108/0"},
	{"an errno without a name keeps its number", &write_def,
		{{-4000, SYS_RETURNED, BYTES(1, NM)}}, 1,
		"1=0+1+0+0 errno{E4000:1} ns 10 bytes 1/0"},
	{"errors end at -4095", &mmap_def,
		{{-4095, SYS_RETURNED, BYTES(4096, NM)}, {-4096, SYS_RETURNED, BYTES(4096, 4096)},
			{INT64_MIN, SYS_RETURNED, BYTES(4096, 4096)}},
		3, "3=2+1+0+0 errno{E4095:1} ns 30 bytes 12288/8192"},
	{"interrupted is no error, and its time counts", &write_def,
		{{-512, SYS_INTERRUPTED, BYTES(5, NM)}, {5, SYS_RETURNED, BYTES(5, 5)}}, 2,
		"2=1+0+1+0 errno{} ns 20 bytes 10/5"},
	{"what does not return has no time", &exit_def, {{0, SYS_NO_RETURN, NOTHING}}, 1,
		"1=0+0+0+1 errno{} ns 0"},
	{"killed inside: asked, entered, no time", &sendmmsg_def,
		{{0, SYS_NO_RETURN, BATCH(4, NM)}}, 1,
		"1=0+0+0+1 errno{} ns 0 | messages 0/0 fill - full 0 part 0 single 0 empty 0 "
		"asked{4:1} moved{} pairs{}"},
	{"rt_sigreturn is ok, whatever it puts back", &sigreturn_def,
		{{-4, SYS_RETURNED, NOTHING}, {-512, SYS_INTERRUPTED, NOTHING},
			{77, SYS_RETURNED, NOTHING}, {0, SYS_NO_RETURN, NOTHING}},
		4, "4=3+0+0+1 errno{} ns 30"},
	{"a call without bytes has none", &poll_def, {{1, SYS_RETURNED, NOTHING}}, 1,
		"1=1+0+0+0 errno{} ns 10"},
	{"bytes whose size asked is not read", &sendmmsg_def,
		{{1, SYS_RETURNED, {NM, 50, 1, 1, NM, NM, 0, 0, 0}}}, 1,
		"1=1+0+0+0 errno{} ns 10 bytes -/50 | messages 1/1 fill 1.00 full 1 part 0 single "
		"1 "
		"empty 0 per 1.00 1 1 1 asked{1:1} moved{1:1} pairs{1->1:1}"},
	{"sums of bytes stop at INT64_MAX", &write_def,
		{{1, SYS_RETURNED, BYTES(NM - 1, INT64_MAX)}, {1, SYS_RETURNED, BYTES(NM - 1, 9)}},
		2, "2=2+0+0+0 errno{} ns 20 bytes 9223372036854775807/9223372036854775807"},
	{"full, partial", &sendmmsg_def,
		{{32, SYS_RETURNED, BATCH(32, 32)}, {7, SYS_RETURNED, BATCH(32, 7)}}, 2,
		"2=2+0+0+0 errno{} ns 20 | messages 64/39 fill 0.61 full 1 part 1 single 0 empty 0 "
		"per 19.50 7 32 32 asked{32:2} moved{7:1 32:1} pairs{32->7:1 32->32:1}"},
	{"one of many is single and partial, one of one is single and full", &sendmmsg_def,
		{{1, SYS_RETURNED, BATCH(32, 1)}, {1, SYS_RETURNED, BATCH(1, 1)}}, 2,
		"2=2+0+0+0 errno{} ns 20 | messages 33/2 fill 0.06 full 1 part 1 single 2 empty 0 "
		"per 1.00 1 1 1 asked{1:1 32:1} moved{1:2} pairs{1->1:1 32->1:1}"},
	{"vlen 0 is in the histograms and empty, in no mean, not full", &sendmmsg_def,
		{{0, SYS_RETURNED, BATCH(0, 0)}, {4, SYS_RETURNED, BATCH(4, 4)}}, 2,
		"2=2+0+0+0 errno{} ns 20 | messages 4/4 fill 1.00 full 1 part 0 single 0 empty 1 "
		"per 4.00 4 4 4 asked{0:1 4:1} moved{0:1 4:1} pairs{0->0:1 4->4:1}"},
	{"ok with 0 is empty and in the mean", &sendmmsg_def,
		{{0, SYS_RETURNED, BATCH(8, 0)}, {2, SYS_RETURNED, BATCH(8, 2)}}, 2,
		"2=2+0+0+0 errno{} ns 20 | messages 16/2 fill 0.12 full 0 part 1 single 0 empty 1 "
		"per 1.00 0 2 2 asked{8:2} moved{0:1 2:1} pairs{8->0:1 8->2:1}"},
	{"EAGAIN is empty, other errors are not; errors are asked only", &sendmmsg_def,
		{{-EAGAIN, SYS_RETURNED, BATCH(8, NM)}, {-EBADF, SYS_RETURNED, BATCH(9, 3)},
			{-512, SYS_INTERRUPTED, BATCH(10, 3)}},
		3,
		"3=0+2+1+0 errno{EAGAIN:1 EBADF:1} ns 30 | messages 0/0 fill - full 0 part 0 "
		"single 0 empty 1 asked{8:1 9:1 10:1} moved{} pairs{}"},
	{"more than 1024 asked of sendmmsg is partial", &sendmmsg_def,
		{{1024, SYS_RETURNED, BATCH(1500, 1024)}}, 1,
		"1=1+0+0+0 errno{} ns 10 | messages 1500/1024 fill 0.68 full 0 part 1 single 0 "
		"empty 0 per 1024.00 1024 1024 1024 asked{1500:1} moved{1024:1} "
		"pairs{1500->1024:1}"},
	{"a batch size that could not be read is null, not 0", &sendmmsg_def,
		{{3, SYS_RETURNED, BATCH(NM, 3)}}, 1,
		"1=1+0+0+0 errno{} ns 10 | messages -/3 fill - full 0 part 0 single 0 empty 0 "
		"asked{} moved{3:1} pairs{}"},
	{"moved that could not be read is null, not 0", &sendmmsg_def,
		{{3, SYS_RETURNED, BATCH(3, NM)}}, 1,
		"1=1+0+0+0 errno{} ns 10 | messages 3/- fill - full 0 part 0 single 0 empty 0 "
		"asked{3:1} moved{} pairs{}"},
	{"iovecs beside bytes", &writev_def,
		{{30, SYS_RETURNED, {30, 30, 3, 3, NM, NM, 0, 0, 0}},
			{10, SYS_RETURNED, {30, 10, 3, 1, NM, NM, 0, 0, 0}}},
		2,
		"2=2+0+0+0 errno{} ns 20 bytes 60/40 | iovecs 6/4 fill 0.67 full 1 part 1 single 1 "
		"empty 0 per 2.00 1 3 3 asked{3:2} moved{1:1 3:1} pairs{3->1:1 3->3:1}"},
	{"no datagrams without GSO", &sendmmsg_def,
		{{2, SYS_RETURNED, {NM, NM, 2, 2, 2, 2, 0, 0, 0}}}, 1,
		"1=1+0+0+0 errno{} ns 10 | messages 2/2 fill 1.00 full 1 part 0 single 0 empty 0 "
		"per 2.00 2 2 2 asked{2:1} moved{2:1} pairs{2->2:1}"},
	{"datagrams once GSO was seen: plain messages count 1 each, earlier ones too",
		&sendmmsg_def,
		{{2, SYS_RETURNED, {NM, NM, 2, 2, 2, 2, 0, 0, 0}},
			{1, SYS_RETURNED, {NM, NM, 2, 1, 90, 45, 1, 0, 0}},
			{-EAGAIN, SYS_RETURNED, {NM, NM, 2, NM, 90, NM, 1, 0, 0}}},
		3,
		"3=2+1+0+0 errno{EAGAIN:1} ns 30 | messages 4/3 fill 0.75 full 1 part 1 single 1 "
		"empty 1 per 1.50 1 2 2 asked{2:3} moved{1:1 2:1} pairs{2->1:1 2->2:1} "
		"| dgrams 92/47"},
	{"datagrams that could not be known are null, not 0", &sendto_def,
		{{10, SYS_RETURNED, {10, 10, NM, NM, 1, 1, 0, 0, 0}},
			{90, SYS_RETURNED, {90, 90, NM, NM, NM, NM, 1, 0, 0}}},
		2, "2=2+0+0+0 errno{} ns 20 bytes 100/100 | dgrams -/-"},
	{"calls without datagrams are none of them", &write_def,
		{{10, SYS_RETURNED, {10, 10, NM, NM, NM, NM, 0, 0, 0}},
			{90, SYS_RETURNED, {90, 90, NM, NM, 3, 3, 1, 0, 0}}},
		2, "2=2+0+0+0 errno{} ns 20 bytes 100/100 | dgrams 3/3"},
	{"datagrams of a call that is no batch", &sendto_def,
		{{9000, SYS_RETURNED, {9000, 9000, NM, NM, 6, 6, 1, 0, 0}}}, 1,
		"1=1+0+0+0 errno{} ns 10 bytes 9000/9000 | dgrams 6/6"},
};

static struct res_result *run_rule(const struct rule *rule)
{
	struct res_result *r = result_new();
	struct agg *a = agg_new();

	for (int i = 0; i < rule->len; i++) {
		struct sys_event ev = event(rule->def, rule->calls[i].ret);

		ev.outcome = rule->calls[i].outcome;
		ev.m = rule->calls[i].m;
		if (ev.outcome == SYS_NO_RETURN)
			ev.exit_ns = 0;
		agg_add(a, &ev);
	}
	agg_result(a, &names, r);
	agg_free(a);
	return r;
}

static void counting_rules(void **state)
{
	int failed = 0;

	(void)state;
	for (size_t i = 0; i < sizeof(rules) / sizeof(rules[0]); i++) {
		struct res_result *r = run_rule(&rules[i]);
		struct out o;

		out_init_mem(&o);
		assert_int_equal(r->syscalls.len, 1);
		put_row(&o, &r->syscalls.at[0]);
		if (strcmp(out_text(&o), rules[i].expect) != 0) {
			print_message("# %s:\n#   got  %s\n#   not  %s\n", rules[i].what,
				out_text(&o), rules[i].expect);
			failed++;
		}
		out_release(&o);
		result_free(r);
	}
	assert_int_equal(failed, 0);
}

/* ---- tables ---- */

static void add(struct agg *a, const struct sys_def *def, uint32_t thread, uint32_t fd, uint64_t ns)
{
	struct sys_event ev = event(def, 1);

	ev.thread_id = thread;
	ev.fd_id = fd;
	ev.exit_ns = ev.entry_ns + ns;
	if (def->bytes)
		ev.m.bytes_moved = 10;
	if (def->unit != BATCH_NONE) {
		ev.m.batch_asked = 2;
		ev.m.batch_moved = 1;
	}
	agg_add(a, &ev);
}

/* The same calls, from the last to the first if reversed. */
static struct res_result *table_result(int reversed)
{
	static const struct {
		const struct sys_def *def;
		uint32_t thread, fd;
		uint64_t ns;
	} calls[] = {{&write_def, 2, 61, 5}, {&poll_def, 4, 0, 500}, {&sendmmsg_def, 3, 60, 9},
		{&sendto_def, 99, 71, 5}, {&write_def, 3, 61, 20}, {&sendmmsg_def, 2, 61, 20},
		{&write_def, 2, 61, 5}};
	size_t n = sizeof(calls) / sizeof(calls[0]);
	struct res_result *r = result_new();
	struct agg *a = agg_new();

	for (size_t i = 0; i < n; i++) {
		size_t k = reversed ? n - 1 - i : i;

		add(a, calls[k].def, calls[k].thread, calls[k].fd, calls[k].ns);
	}
	assert_int_equal(agg_calls(a), n);
	agg_result(a, &names, r);
	agg_free(a);
	return r;
}

static void put_part(struct out *o, const struct res_part *p)
{
	out_printf(o, " %s %" PRIu64 " %" PRIu64 " %" PRIu64, p->name, p->calls, p->errors,
		p->wall_ns);
	out_char(o, ' ');
	put_u64(o, p->bytes);
	out_char(o, ' ');
	put_u64(o, p->batch_asked);
	out_char(o, ' ');
	put_u64(o, p->batch_transferred);
	out_char(o, ';');
}

static const char *table_text(struct out *o, const struct res_result *r)
{
	for (size_t i = 0; i < r->syscalls.len; i++)
		out_printf(o, "%s %s\n", r->syscalls.at[i].name, r->syscalls.at[i].class);
	for (size_t i = 0; i < r->threads.len; i++) {
		const struct res_thread *t = &r->threads.at[i];

		put_u64(o, t->pid);
		out_char(o, ' ');
		put_u64(o, t->tid);
		out_printf(o, " %s:", t->comm ? t->comm : "-");
		for (size_t k = 0; k < t->syscalls.len; k++)
			put_part(o, &t->syscalls.at[k]);
		out_char(o, '\n');
	}
	for (size_t i = 0; i < r->fds.len; i++) {
		const struct res_fd *f = &r->fds.at[i];

		out_printf(o, "%" PRIu64 " %" PRIu64 "#%" PRIu64 " %s:", f->pid, f->fd,
			f->generation, f->target ? f->target : "-");
		for (size_t k = 0; k < f->syscalls.len; k++)
			put_part(o, &f->syscalls.at[k]);
		out_char(o, '\n');
	}
	return out_text(o);
}

static void rows_are_sorted_whatever_the_order(void **state)
{
	static const char expect[] =
		"poll wait\n"
		"write desc\n"
		"sendmmsg network\n"
		"sendto network\n"
		"998 1004 worker: poll 1 0 500 - - -;\n"
		"999 1002 worker: sendmmsg 1 0 20 - 2 1; write 2 0 10 20 - -;\n"
		"999 1003 worker: write 1 0 20 10 - -; sendmmsg 1 0 9 - 2 1;\n"
		"- - -: sendto 1 0 5 10 - -;\n"
		"500 6#0 /dev/null: sendmmsg 1 0 9 - 2 1;\n"
		"500 6#1 /dev/null: write 3 0 30 30 - -; sendmmsg 1 0 20 - 2 1;\n"
		"500 7#1 -: sendto 1 0 5 10 - -;\n";

	(void)state;
	for (int reversed = 0; reversed < 2; reversed++) {
		struct res_result *r = table_result(reversed);
		struct out o;

		out_init_mem(&o);
		assert_string_equal(table_text(&o, r), expect);
		assert_int_equal(r->warnings.len, 0);
		out_release(&o);
		result_free(r);
	}
}

static void equal_times_are_sorted_by_name(void **state)
{
	struct res_result *r = result_new();
	struct agg *a = agg_new();

	(void)state;
	add(a, &writev_def, 1, 0, 5);
	add(a, &poll_def, 1, 0, 5);
	add(a, &write_def, 1, 0, 5);
	agg_result(a, &names, r);
	assert_string_equal(r->syscalls.at[0].name, "poll");
	assert_string_equal(r->syscalls.at[1].name, "write");
	assert_string_equal(r->syscalls.at[2].name, "writev");
	assert_string_equal(r->threads.at[0].syscalls.at[0].name, "poll");
	agg_free(a);
	result_free(r);
}

static void empty_is_empty(void **state)
{
	struct res_result *r = result_new();
	struct agg *a = agg_new();
	struct res_phase phase = {.calls = U64_NONE};

	(void)state;
	agg_result(a, &names, r);
	agg_phase(a, r, &phase);
	assert_int_equal(r->syscalls.len + r->threads.len + r->fds.len + r->warnings.len, 0);
	assert_int_equal(phase.calls, 0);
	assert_int_equal(phase.syscalls.len, 0);
	agg_free(a);
	agg_free(NULL);
	result_free(r);
}

static void phase_has_calls_by_name(void **state)
{
	struct res_result *r = result_new();
	struct agg *a = agg_new();
	struct res_phase phase = {.calls = U64_NONE};
	struct sys_event bad = event(&write_def, -EBADF);

	(void)state;
	add(a, &poll_def, 1, 0, 5);
	agg_add(a, &bad);
	add(a, &write_def, 1, 0, 7);
	agg_phase(a, r, &phase);
	assert_int_equal(phase.calls, 3);
	assert_int_equal(phase.syscalls.len, 2);
	assert_string_equal(phase.syscalls.at[0].name, "write");
	assert_int_equal(phase.syscalls.at[0].calls, 2);
	assert_int_equal(phase.syscalls.at[0].errors, 1);
	assert_int_equal(phase.syscalls.at[0].wall_ns, 17);
	agg_phase(a, r, &phase); /* appends */
	assert_int_equal(phase.calls, 6);
	assert_int_equal(phase.syscalls.len, 4);
	assert_string_equal(phase.syscalls.at[1].name, "poll");
	agg_free(a);
	result_free(r);
}

/* ---- caps ---- */

static const struct res_warning *warning(const struct res_result *r, const char *code)
{
	for (size_t i = 0; i < r->warnings.len; i++)
		if (strcmp(r->warnings.at[i].code, code) == 0)
			return &r->warnings.at[i];
	return NULL;
}

static void later_threads_and_fds_share_a_row(void **state)
{
	struct res_result *r = result_new();
	struct agg *a = agg_new();
	const struct res_thread *shared;

	(void)state;
	for (uint32_t i = 2; i <= AGG_ROWS_MAX; i++) /* the first ones made no calls */
		add(a, &write_def, i, i, 1);
	agg_result(a, &names, r);
	assert_int_equal(r->threads.len, AGG_ROWS_MAX - 1);
	assert_int_equal(r->fds.len, AGG_ROWS_MAX - 1);
	assert_int_equal(r->warnings.len, 0);
	result_free(r);

	for (uint32_t i = 0; i < 30; i++)
		add(a, i % 3 ? &write_def : &sendmmsg_def, AGG_ROWS_MAX + 1, AGG_ROWS_MAX + 1, 1);
	add(a, &write_def, 2, 2, 1); /* has a row of its own still */
	r = result_new();
	agg_result(a, &names, r);
	assert_int_equal(r->threads.len, AGG_ROWS_MAX);
	assert_int_equal(r->fds.len, AGG_ROWS_MAX);
	assert_non_null(warning(r, "threads_merged"));
	assert_non_null(warning(r, "fds_merged"));
	shared = &r->threads.at[AGG_ROWS_MAX - 1];
	assert_true(shared->pid == U64_NONE && shared->tid == U64_NONE && !shared->comm);
	assert_int_equal(shared->syscalls.len, 2);
	assert_string_equal(shared->syscalls.at[0].name, "write");
	assert_int_equal(shared->syscalls.at[0].calls, 20);
	assert_int_equal(shared->syscalls.at[1].calls, 10);
	assert_int_equal(r->fds.at[AGG_ROWS_MAX - 1].syscalls.at[1].batch_transferred, 10);
	agg_free(a);
	result_free(r);
}

static void too_many_batch_sizes_are_told(void **state)
{
	enum { EXTRA = 5 };
	struct res_result *r = result_new();
	struct agg *a = agg_new();
	struct sys_event ev = event(&sendmmsg_def, 1);
	const struct res_batch *b;

	(void)state;
	for (uint64_t i = 1; i <= COUNTS_CAP + EXTRA; i++) {
		ev.ret = (int64_t)i;
		ev.m.batch_asked = ev.m.batch_moved = i;
		agg_add(a, &ev);
	}
	agg_result(a, &names, r);
	b = r->syscalls.at[0].batch;
	assert_int_equal(b->asked_histogram.len, COUNTS_CAP);
	assert_int_equal(b->transferred_histogram.len, COUNTS_CAP);
	assert_int_equal(b->by_transferred.len, COUNTS_CAP);
	assert_int_equal(b->histogram_overflow, EXTRA);
	assert_int_equal(b->full, COUNTS_CAP + EXTRA);
	assert_int_equal(b->per_call->max, COUNTS_CAP + EXTRA);
	assert_true(b->per_call->p50 == U64_NONE); /* not of a part of the calls */
	assert_int_equal(
		b->transferred, (uint64_t)(COUNTS_CAP + EXTRA) * (COUNTS_CAP + EXTRA + 1) / 2);
	assert_non_null(strstr(warning(r, "histogram_overflow")->text, "sendmmsg 5"));
	assert_int_not_equal(r->complete, 0);
	agg_free(a);
	result_free(r);
}

static void batch_beyond_32_bits_is_left_out(void **state)
{
	struct res_result *r = result_new();
	struct agg *a = agg_new();
	struct sys_event ev = event(&sendmmsg_def, 1);

	(void)state;
	ev.m.batch_asked = 1ULL << 32;
	ev.m.batch_moved = 1;
	agg_add(a, &ev);
	agg_result(a, &names, r);
	assert_int_equal(r->syscalls.at[0].batch->asked_to_transferred.len, 0);
	assert_string_equal(r->syscalls.at[0].batch->asked_histogram.at[0].key, "4294967296");
	assert_int_equal(r->syscalls.at[0].batch->histogram_overflow, 1);
	agg_free(a);
	result_free(r);
}

static void unreadable_memory_makes_it_incomplete(void **state)
{
	struct res_result *r = result_new();
	struct agg *a = agg_new();
	struct sys_event ev = event(&sendmmsg_def, 1), other = event(&writev_def, 1);

	(void)state;
	ev.m.unreadable = other.m.unreadable = 1;
	agg_add(a, &ev);
	agg_add(a, &ev);
	agg_add(a, &other);
	add(a, &write_def, 1, 0, 1);
	r->complete = 1;
	agg_result(a, &names, r);
	assert_int_equal(r->complete, 0);
	assert_non_null(strstr(warning(r, "memory_unreadable")->text, "sendmmsg 2, writev 1"));
	assert_null(strstr(warning(r, "memory_unreadable")->text, "write "));
	agg_free(a);
	result_free(r);
}

/* ---- times ---- */

static void times_and_their_squares(void **state)
{
	static const uint64_t ns[] = {10, 20, 4000000000ULL, 5000000000ULL};
	struct res_result *r = result_new();
	struct agg *a = agg_new();
	struct sys_event ev = event(&sendmmsg_def, 2);
	const struct res_syscall *s;
	uint64_t buckets = 0;

	(void)state;
	ev.m.batch_asked = ev.m.batch_moved = 2;
	for (size_t i = 0; i < 4; i++) {
		ev.exit_ns = ev.entry_ns + ns[i];
		agg_add(a, &ev);
	}
	ev.exit_ns = ev.entry_ns - 1; /* clocks of two CPUs */
	agg_add(a, &ev);
	agg_result(a, &names, r);
	s = &r->syscalls.at[0];
	assert_int_equal(s->wall_ns->total, 9000000030ULL);
	assert_int_equal(s->wall_ns->min, 0);
	assert_int_equal(s->wall_ns->max, 5000000000ULL);
	assert_int_equal(s->wall_ns->mean, 9000000030ULL / 5);
	assert_int_equal(s->wall_ns->p50, 20);
	assert_int_equal(s->wall_ns->p999, 5000000000ULL);
	for (size_t i = 0; i < s->latency_histogram.len; i++)
		buckets += s->latency_histogram.at[i].count;
	assert_int_equal(buckets, 5);
	assert_int_equal(s->batch->by_transferred.len, 1);
	assert_string_equal(s->batch->by_transferred.at[0].key, "2");
	assert_int_equal(s->batch->by_transferred.at[0].total_ns, 9000000030ULL);
	/* 4.1e19 is beyond 64 bits. */
	assert_true(s->batch->by_transferred.at[0].sum_sq_ns == 16e18 + 25e18 + 500);
	agg_free(a);
	result_free(r);
}

/* What took longer than the power of two above the median's is apart, whenever it came. */
static void usual_times_of_a_size(void **state)
{
	static const struct {
		uint64_t units, ns, calls;
	} moved[] = {{2, 3000000, 1}, {2, 511, 30}, {2, 256, 30}, {2, 100, 40}, {2, 1023, 7},
		{2, 1024, 5}, {3, 5000000000ULL, 3}, {4, 0, 2}, {4, 127, 1}};
	struct res_result *r = result_new();
	struct agg *a = agg_new();
	const struct res_by_transferred *size;

	(void)state;
	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
		struct sys_event ev = event(&sendmmsg_def, (int64_t)moved[i].units);

		ev.m.batch_asked = ev.m.batch_moved = moved[i].units;
		ev.exit_ns = ev.entry_ns + moved[i].ns;
		for (uint64_t k = 0; k < moved[i].calls; k++)
			agg_add(a, &ev);
	}
	agg_result(a, &names, r);
	size = r->syscalls.at[0].batch->by_transferred.at;
	assert_int_equal(size[0].calls, 113);
	assert_int_equal(size[0].usual_calls, 107);
	assert_int_equal(size[0].usual_ns, 30 * 511 + 30 * 256 + 40 * 100 + 7 * 1023);
	assert_true(size[0].usual_sq_ns ==
		    30. * 511 * 511 + 30. * 256 * 256 + 40. * 10000 + 7. * 1023 * 1023);
	/* there is no power above the last: all are as usual */
	assert_int_equal(size[1].usual_calls, 3);
	assert_int_equal(size[1].usual_ns, 15000000000ULL);
	assert_int_equal(size[2].usual_calls, 3);
	assert_int_equal(size[2].usual_ns, 127);
	agg_free(a);
	result_free(r);
}

/* What a call costs is told by those that moved little, not by the least that a large one took. */
static void small_calls_are_apart(void **state)
{
	static const struct {
		uint64_t bytes, ns, calls;
	} moved[] = {{65536, 3000, 500}, {257, 3000, 5}, {256, 900, 80}, {1, 300, 10},
		{16, 90000, 10}, {0, 50, 40}};
	struct res_result *r = result_new();
	struct agg *a = agg_new();

	(void)state;
	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
		struct sys_event ev = event(&write_def, 1);

		ev.exit_ns = ev.entry_ns + moved[i].ns;
		ev.m.bytes_moved = moved[i].bytes;
		for (uint64_t k = 0; k < moved[i].calls; k++)
			agg_add(a, &ev);
		ev.def = &mmap_def;
		agg_add(a, &ev);
		ev.def = &sendto_def;
		ev.m.bytes_moved = NOT_MEASURED;
		agg_add(a, &ev);
	}
	agg_result(a, &names, r);
	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];

		if (strcmp(s->name, "write") != 0) {
			assert_null(s->small_calls);
			continue;
		}
		assert_int_equal(s->small_calls->calls, 100);
		assert_int_equal(s->small_calls->p10_ns, hist_le(300));
		assert_int_equal(s->small_calls->p50_ns, hist_le(900));
	}
	agg_free(a);
	result_free(r);
}

/* ---- what holds of every result ---- */

static uint64_t random_next(uint64_t *state)
{
	*state = *state * 6364136223846793005ULL + 1442695040888963407ULL;
	return *state >> 33;
}

static struct sys_event random_event(uint64_t *rng)
{
	static const struct sys_def *const defs[] = {
		&sendmmsg_def, &writev_def, &write_def, &poll_def};
	struct sys_event ev = event(defs[random_next(rng) % 4], (int64_t)(random_next(rng) % 40));

	ev.thread_id = (uint32_t)(random_next(rng) % 30);
	ev.fd_id = (uint32_t)(random_next(rng) % 50);
	ev.exit_ns = ev.entry_ns + random_next(rng) % 100000;
	ev.outcome = (enum outcome)(random_next(rng) % 16 < 14 ? 0 : 1 + random_next(rng) % 2);
	if (random_next(rng) % 8 == 0)
		ev.ret = -1 - (int64_t)(random_next(rng) % 40);
	if (ev.def->unit != BATCH_NONE) {
		ev.m.batch_moved = (uint64_t)ev.ret;
		ev.m.batch_asked = ev.ret < 0 ? 5 : (uint64_t)ev.ret + random_next(rng) % 3;
	}
	if (ev.def->bytes_ret) {
		ev.m.bytes_asked = random_next(rng) % 5000;
		ev.m.bytes_moved = ev.m.bytes_asked / 2;
	}
	return ev;
}

static uint64_t sum_counts(const struct res_counts *c, int times_key)
{
	uint64_t sum = 0;

	for (size_t i = 0; i < c->len; i++)
		sum += c->at[i].count * (times_key ? strtoull(c->at[i].key, NULL, 10) : 1);
	return sum;
}

static void check_batch(const struct res_syscall *s)
{
	uint64_t calls = 0, fair = 0;

	assert_int_equal(sum_counts(&s->batch->asked_histogram, 0), s->calls);
	assert_int_equal(sum_counts(&s->batch->transferred_histogram, 0), s->ok);
	assert_int_equal(sum_counts(&s->batch->transferred_histogram, 1), s->batch->transferred);
	assert_int_equal(sum_counts(&s->batch->asked_to_transferred, 0), s->ok);
	assert_int_equal(sum_counts(&s->batch->asked_to_transferred, 1), s->batch->asked);
	for (size_t i = 0; i < s->batch->by_transferred.len; i++)
		calls += s->batch->by_transferred.at[i].calls;
	assert_int_equal(calls, s->ok);
	for (size_t i = 0; i < s->batch->asked_to_transferred.len; i++)
		if (strncmp(s->batch->asked_to_transferred.at[i].key, "0->", 3) != 0)
			fair += s->batch->asked_to_transferred.at[i].count;
	assert_true(fabs(s->batch->per_call->mean * (double)fair - (double)s->batch->transferred) <
		    1e-6);
	assert_true(s->batch->full + s->batch->partial <= fair);
	assert_int_equal(s->batch->histogram_overflow, 0);
}

/* Sums of a call's parts over all threads or fds. */
struct part_sums {
	uint64_t calls, errors, wall_ns, bytes, asked, moved;
};

static struct part_sums thread_sums(const struct res_result *r, const char *name)
{
	struct part_sums sum = {0};

	for (size_t i = 0; i < r->threads.len; i++)
		for (size_t k = 0; k < r->threads.at[i].syscalls.len; k++) {
			const struct res_part *p = &r->threads.at[i].syscalls.at[k];

			if (strcmp(p->name, name) != 0)
				continue;
			sum.calls += p->calls;
			sum.errors += p->errors;
			sum.wall_ns += p->wall_ns;
			sum.bytes += p->bytes;
			sum.asked += p->batch_asked;
			sum.moved += p->batch_transferred;
		}
	return sum;
}

static void check_row(const struct res_result *r, const struct res_syscall *s)
{
	struct part_sums sum = thread_sums(r, s->name);
	uint64_t latencies = 0, sizes = 0;

	assert_int_equal(s->calls, s->ok + s->errors + s->interrupted + s->no_return);
	assert_int_equal(sum_counts(&s->errnos, 0), s->errors);
	for (size_t i = 0; i < s->latency_histogram.len; i++)
		latencies += s->latency_histogram.at[i].count;
	assert_int_equal(latencies, s->calls - s->no_return);
	assert_int_equal(sum.calls, s->calls);
	assert_int_equal(sum.errors, s->errors);
	assert_int_equal(sum.wall_ns, s->wall_ns->total);
	if (s->bytes) {
		for (size_t i = 0; i < s->bytes->histogram.len; i++)
			sizes += s->bytes->histogram.at[i].count;
		assert_int_equal(sizes, s->ok);
		assert_int_equal(sum.bytes, s->bytes->transferred);
	}
	if (s->batch) {
		check_batch(s);
		assert_int_equal(sum.asked, s->batch->asked);
		assert_int_equal(sum.moved, s->batch->transferred);
	}
}

static void invariants_of_random_calls(void **state)
{
	enum { EVENTS = 20000 };
	struct res_result *r = result_new();
	struct agg *a = agg_new();
	uint64_t rng = 1, calls = 0;

	(void)state;
	for (int i = 0; i < EVENTS; i++) {
		struct sys_event ev = random_event(&rng);

		agg_add(a, &ev);
	}
	agg_result(a, &names, r);
	assert_int_equal(r->syscalls.len, 4);
	for (size_t i = 0; i < r->syscalls.len; i++) {
		check_row(r, &r->syscalls.at[i]);
		calls += r->syscalls.at[i].calls;
		if (i)
			assert_true(r->syscalls.at[i - 1].wall_ns->total >=
				    r->syscalls.at[i].wall_ns->total);
	}
	assert_int_equal(calls, EVENTS);
	assert_int_equal(agg_calls(a), EVENTS);
	agg_free(a);
	result_free(r);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(counting_rules),
		cmocka_unit_test(rows_are_sorted_whatever_the_order),
		cmocka_unit_test(equal_times_are_sorted_by_name),
		cmocka_unit_test(empty_is_empty),
		cmocka_unit_test(phase_has_calls_by_name),
		cmocka_unit_test(later_threads_and_fds_share_a_row),
		cmocka_unit_test(too_many_batch_sizes_are_told),
		cmocka_unit_test(batch_beyond_32_bits_is_left_out),
		cmocka_unit_test(unreadable_memory_makes_it_incomplete),
		cmocka_unit_test(times_and_their_squares),
		cmocka_unit_test(usual_times_of_a_size),
		cmocka_unit_test(small_calls_are_apart),
		cmocka_unit_test(invariants_of_random_calls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

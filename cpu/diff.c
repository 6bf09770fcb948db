/* SPDX-License-Identifier: GPL-3.0-only */
#include "cpu/diff.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "cpu/interrupt.h"

#define FOLDED_MAX_BYTES ((size_t)1 << 30)
#define LEVEL            0.01
#define NO_STACK         "[no stack]" /* a sample of which there is only the thread's name */

void diff_release(struct diff *d)
{
	intern_release(&d->stacks);
	free(d->counts.at);
	free(d->base_path);
	*d = (struct diff){0};
}

/* ---- reading ---- */

static struct diff_count *count_of(struct diff *d, const char *stack, size_t len)
{
	size_t known = d->stacks.len;
	uint32_t id = intern_get(&d->stacks, stack, len);

	if (d->stacks.len > known)
		*VEC_PUSH(&d->counts) = (struct diff_count){0};
	return &d->counts.at[id];
}

/* "stack 12": 1 and the number, 0 where it is not that. */
static int parse_line(const char *line, size_t *ret_stack_len, uint64_t *ret_samples)
{
	const char *space = strrchr(line, ' ');
	char *end;

	if (!space || space == line || space[1] < '0' || space[1] > '9')
		return 0;
	errno = 0;
	*ret_samples = strtoull(space + 1, &end, 10);
	*ret_stack_len = (size_t)(space - line);
	return !errno && !*end && *ret_samples <= INT64_MAX / 2;
}

/* Names of threads of one file: the first frame of each stack. */
struct comms {
	struct intern names;
	size_t len; /* of them; what is looked for later comes behind */
};

/* The kernel keeps so much of a program's name. */
enum { COMM_MAX = 15 };

static size_t comm_len(const char *stack, size_t len)
{
	const char *end = memchr(stack, ';', len);

	return end ? (size_t)(end - stack) : len;
}

static void find_comms(struct comms *c, const char *text)
{
	for (const char *line = text; *line; line += strcspn(line, "\n"), line += *line == '\n') {
		size_t len = strcspn(line, "\n"), comm = comm_len(line, len);

		if (comm < len)
			(void)intern_get(&c->names, line, comm);
	}
	c->len = c->names.len;
}

/* "[prog]", code of the program's own file that has no symbol. */
static int names_program(struct comms *c, const char *frame, size_t len)
{
	if (len < 3 || frame[0] != '[' || frame[len - 1] != ']')
		return 0;
	len -= 2;
	return intern_get(&c->names, frame + 1, len < COMM_MAX ? len : COMM_MAX) < c->len;
}

/* The stack without what only says how the program is called: the same program under another name
 * is the same. And without an interrupt: it says how busy the machine was, and the time is that of
 * what it came upon. */
static void write_nameless(struct out *o, struct comms *c, const char *stack, size_t len)
{
	size_t at = comm_len(stack, len);

	while (at < len) {
		const char *frame = stack + at + 1;
		size_t part = comm_len(frame, len - at - 1);

		if (interrupt_is_entry(frame, part))
			break;
		if (o->len)
			out_char(o, ';');
		if (names_program(c, frame, part))
			out_str(o, "[program]");
		else
			out_bytes(o, frame, part);
		at += 1 + part;
	}
	if (!o->len)
		out_str(o, NO_STACK);
}

static int read_lines(struct diff *d, enum diff_side side, char *text, size_t *ret_bad_line)
{
	struct comms comms = {0};
	size_t number = 0;
	char *line;
	int rc = 0;

	find_comms(&comms, text);
	while (rc == 0 && (line = strsep(&text, "\n"))) {
		uint64_t samples;
		struct out stack;
		size_t len;

		number++;
		if (!*line)
			continue;
		if (!parse_line(line, &len, &samples)) {
			*ret_bad_line = number;
			rc = -EINVAL;
			break;
		}
		out_init_mem(&stack);
		write_nameless(&stack, &comms, line, len);
		count_of(d, out_text(&stack), stack.len)->samples[side] += samples;
		d->samples[side] += samples;
		out_release(&stack);
	}
	intern_release(&comms.names);
	return rc;
}

int diff_read(struct diff *d, enum diff_side side, const char *path, struct err *err)
{
	cleanup_free char *text = NULL;
	size_t bad_line;
	int rc = file_read(path, FOLDED_MAX_BYTES, &text, NULL, err);

	if (rc == 0 && read_lines(d, side, text, &bad_line) < 0)
		return err_set(err, -EINVAL,
			"%s: line %zu is not \"stack count\": not a folded profile", path,
			bad_line);
	if (rc < 0)
		return rc;
	if (side == DIFF_BASE) {
		free(d->base_path);
		d->base_path = mem_strdup(path);
	}
	return 0;
}

/* ---- the test ---- */

double diff_z(const struct diff_count *c, const uint64_t totals[2])
{
	double base = (double)totals[DIFF_BASE], now = (double)totals[DIFF_NOW];
	double all = (double)c->samples[DIFF_BASE] + (double)c->samples[DIFF_NOW];
	double p, error;

	if (base <= 0 || now <= 0)
		return 0;
	p = all / (base + now);
	error = sqrt(p * (1 - p) * (1 / base + 1 / now));
	if (!(error > 0))
		return 0;
	return ((double)c->samples[DIFF_NOW] / now - (double)c->samples[DIFF_BASE] / base) / error;
}

int diff_significant(double z, size_t tests)
{
	return tests > 0 && erfc(fabs(z) / sqrt(2)) < LEVEL / (double)tests;
}

static int is_tested(const struct diff_count *c)
{
	return c->samples[DIFF_BASE] + c->samples[DIFF_NOW] >= DIFF_SAMPLES_MIN;
}

static size_t count_tests(const struct diff_count *at, size_t len)
{
	size_t tests = 0;

	for (size_t i = 0; i < len; i++)
		tests += (size_t)is_tested(&at[i]);
	return tests;
}

static int differs(const struct diff_count *c, const uint64_t totals[2], size_t tests)
{
	return is_tested(c) && diff_significant(diff_z(c, totals), tests);
}

/* ---- the picture ---- */

static uint64_t scaled_base(const struct diff *d, const struct diff_count *c)
{
	double scale = d->samples[DIFF_BASE]
			       ? (double)d->samples[DIFF_NOW] / (double)d->samples[DIFF_BASE]
			       : 0;

	return sat_u64(round((double)c->samples[DIFF_BASE] * scale));
}

void diff_write(const struct diff *d, struct out *o)
{
	size_t tests = count_tests(d->counts.at, d->counts.len);

	for (size_t i = 0; i < d->counts.len; i++) {
		const struct diff_count *c = &d->counts.at[i];
		uint64_t now = c->samples[DIFF_NOW];
		uint64_t base = differs(c, d->samples, tests) ? scaled_base(d, c) : now;

		if (!base && !now)
			continue;
		out_bytes(o, d->stacks.at[i].bytes, d->stacks.at[i].len);
		out_printf(o, " %llu %llu\n", (unsigned long long)base, (unsigned long long)now);
	}
}

/* ---- the figures ---- */

/* Samples by the function that they were taken in. */
struct by_function {
	struct intern names;
	struct {
		struct diff_count *at;
		size_t len, cap;
	} counts;
};

static void add_leaf(
	struct by_function *f, const struct intern_key *stack, const struct diff_count *c)
{
	const char *last = memrchr(stack->bytes, ';', stack->len);
	const char *name = last ? last + 1 : stack->bytes;
	size_t known = f->names.len;
	uint32_t id;

	if (!strcmp(name, NO_STACK))
		return;
	id = intern_get(&f->names, name, stack->len - (size_t)(name - stack->bytes));
	if (f->names.len > known)
		*VEC_PUSH(&f->counts) = (struct diff_count){0};
	f->counts.at[id].samples[DIFF_BASE] += c->samples[DIFF_BASE];
	f->counts.at[id].samples[DIFF_NOW] += c->samples[DIFF_NOW];
}

static int by_size(const void *a, const void *b)
{
	const struct res_cpu_change *x = a, *y = b;
	double zx = fabs(x->z), zy = fabs(y->z);

	return zx > zy ? -1 : zx < zy ? 1 : strcmp(x->name, y->name);
}

static void fill_change(struct res_cpu_change *to, const struct diff_count *c,
	const uint64_t totals[2], size_t tests)
{
	to->base = c->samples[DIFF_BASE];
	to->now = c->samples[DIFF_NOW];
	if (totals[DIFF_BASE])
		to->base_share = (double)to->base / (double)totals[DIFF_BASE];
	if (totals[DIFF_NOW])
		to->now_share = (double)to->now / (double)totals[DIFF_NOW];
	to->z = diff_z(c, totals);
	to->significant = differs(c, totals, tests);
}

static void fill_changes(const struct diff *d, struct res_cpu *r, struct res_cpu_diff *to)
{
	struct by_function f = {0};
	size_t tests;

	for (size_t i = 0; i < d->counts.len; i++)
		add_leaf(&f, &d->stacks.at[i], &d->counts.at[i]);
	tests = count_tests(f.counts.at, f.counts.len);
	RES_LIST(r, &to->changes, f.counts.len, cpu_change);
	for (size_t i = 0; i < f.counts.len; i++) {
		to->changes.at[i].name = arena_strdup(result_arena(r), f.names.at[i].bytes);
		fill_change(&to->changes.at[i], &f.counts.at[i], d->samples, tests);
	}
	if (to->changes.len)
		qsort(to->changes.at, to->changes.len, sizeof(*to->changes.at), by_size);
	if (to->changes.len > DIFF_CHANGES_MAX)
		to->changes.len = DIFF_CHANGES_MAX;
	intern_release(&f.names);
	free(f.counts.at);
}

struct res_cpu_diff *diff_result(const struct diff *d, struct res_cpu *r)
{
	struct res_cpu_diff *to = RES_OBJ(r, cpu_diff);
	size_t tests = count_tests(d->counts.at, d->counts.len);

	to->base = arena_strdup(result_arena(r), d->base_path);
	to->base_samples = d->samples[DIFF_BASE];
	to->stacks = d->counts.len;
	to->significant = 0;
	for (size_t i = 0; i < d->counts.len; i++)
		to->significant += (uint64_t)differs(&d->counts.at[i], d->samples, tests);
	fill_changes(d, r, to);
	return to;
}

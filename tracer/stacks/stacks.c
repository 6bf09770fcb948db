/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/stacks/stacks.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/base/units.h"
#include "tracer/agg/call.h"
#include "tracer/stacks/cut_files.h"
#include "tracer/stacks/unwind.h"
#include "tracer/tracee.h"

#define FRAMES_MAX   128
#define STACKS_MAX   50000 /* different ones; later ones are lumped together */
#define TEXT_LUMPED  "[more different stacks than are kept]"
#define TEXT_UNKNOWN "[no stack]"
#define TEXT_UNTAKEN "[no stack taken]"

const char *const stacks_weight_names[STACKS_WEIGHTS] = {"time", "bytes", "calls", "messages"};

struct stack {
	char *text; /* folded, without the call */
	struct stack *same_hash;
	uint32_t id;
};

/* A call on a stack: a line of the output. */
struct line {
	uint32_t stack_id;
	const struct sys_def *def;
	uint64_t weight[STACKS_WEIGHTS];
};

struct stacks {
	uint32_t every;
	int times;
	struct map unwinders; /* mm id -> struct unwinder */
	struct unwind_common common;
	struct map by_hash; /* of the text -> struct stack */
	struct {
		struct stack **at;
		size_t len, cap;
	} stacks;           /* by id - 1 */
	struct map by_line; /* stack id and row index -> position + 1 */
	struct {
		struct line *at;
		size_t len, cap;
	} lines;
	struct weights *weights; /* not in lines yet */
	uint64_t taken, failed, cut;
	uint64_t random;
	struct out text; /* of the stack at hand */
};

void stacks_beware(struct stacks *s, struct filler *f)
{
	s->common.files.filler = f;
}

struct stacks *stacks_new(uint32_t every, int times)
{
	struct stacks *s = mem_calloc(1, sizeof(*s));

	s->every = every;
	s->times = times;
	s->weights = weights_new();
	out_init_mem(&s->text);
	return s;
}

void stacks_free(struct stacks *s)
{
	if (!s)
		return;
	stacks_let_go(s);
	for (size_t i = 0; i < s->stacks.len; i++) {
		free(s->stacks.at[i]->text);
		free(s->stacks.at[i]);
	}
	unwind_common_release(&s->common);
	map_release(&s->by_hash);
	map_release(&s->by_line);
	free(s->stacks.at);
	free(s->lines.at);
	weights_free(s->weights);
	out_release(&s->text);
	free(s);
}

/* ---- which ---- */

/* Knuth's generator: the same in each run. 31 bits. */
static uint64_t draw(struct stacks *s)
{
	s->random = s->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return s->random >> 33;
}

uint32_t stacks_gap(struct stacks *s)
{
	return 1 + (uint32_t)(draw(s) % (2 * (uint64_t)s->every - 1));
}

uint64_t stacks_gap_ns(struct stacks *s)
{
	double u;

	if (!s->times)
		return UINT64_MAX;
	u = ((double)draw(s) + 1) / 2147483648.0;
	return 1 + (uint64_t)(-log(u) * STACKS_EVERY_NS);
}

int stacks_is_first(struct stacks *s, const struct sys_event *ev)
{
	return weights_is_first(s->weights, ev, STACKS_FIRST);
}

int stacks_due(struct stacks *s, struct tracee *t)
{
	if (!t->stack_wait)
		t->stack_wait = stacks_gap(s);
	return --t->stack_wait == 0;
}

int stacks_due_after(struct stacks *s, struct tracee *t, uint64_t ns)
{
	if (!s->times)
		return 0;
	if (!t->stack_wait_ns)
		t->stack_wait_ns = stacks_gap_ns(s);
	if (ns < t->stack_wait_ns) {
		t->stack_wait_ns -= ns;
		return 0;
	}
	t->stack_wait_ns = stacks_gap_ns(s);
	return 1;
}

/* That of a call's stack to be taken, by one draw or the other. */
static double chance_of(const struct stacks *s, const struct sys_event *ev)
{
	double share = s->times ? (double)call_of(ev).wall_ns / STACKS_EVERY_NS : 0;

	return 1 - (1 - 1.0 / s->every) * exp(-share);
}

/* ---- stacks ---- */

static uint32_t id_of(struct stacks *s, const char *text)
{
	uint64_t h = map_text_key(text);
	struct stack *first = map_get(&s->by_hash, h), *k;

	for (k = first; k; k = k->same_hash)
		if (strcmp(k->text, text) == 0)
			return k->id;
	if (s->stacks.len >= STACKS_MAX && strcmp(text, TEXT_LUMPED) != 0)
		return id_of(s, TEXT_LUMPED);
	k = mem_calloc(1, sizeof(*k));
	*VEC_PUSH(&s->stacks) = k;
	*k = (struct stack){mem_strdup(text), first, (uint32_t)s->stacks.len};
	map_set(&s->by_hash, h, k);
	return k->id;
}

/* A frame's name: what the format needs, and what a terminal would obey, is replaced. */
static void put_name(struct out *o, const char *name)
{
	for (; *name; name++)
		out_char(o,
			(unsigned char)*name < ' ' || *name == 0x7f || *name == ';' ? '_' : *name);
}

static void put_comm(struct out *o, pid_t tid)
{
	cleanup_free char *path = mem_printf("/proc/%d/comm", tid), *comm = NULL;

	if (file_read(path, 64, &comm, NULL, NULL) < 0) {
		out_str(o, "?");
		return;
	}
	put_name(o, text_chomp(comm));
}

static struct unwinder *unwinder_of(struct stacks *s, const struct tracee *t)
{
	struct unwinder *u = map_get(&s->unwinders, t->mm->id);

	if (!u && (u = unwinder_new(t->process->pid, &s->common)))
		map_set(&s->unwinders, t->mm->id, u);
	return u;
}

uint32_t stacks_take(struct stacks *s, const struct tracee *t, const struct user_regs_struct *regs)
{
	struct sigaction before;
	uint64_t pcs[FRAMES_MAX];
	struct unwinder *u;
	size_t n;

	cut_files_begin(&before);
	u = unwinder_of(s, t);
	n = u ? unwind(u, t->tid, regs, pcs, FRAMES_MAX) : 0;
	s->taken++;
	s->text.len = 0;
	put_comm(&s->text, t->tid);
	if (!n) {
		s->failed++;
		out_str(&s->text, ";" TEXT_UNKNOWN);
	}
	s->cut += n == FRAMES_MAX;
	while (n--) {
		out_char(&s->text, ';');
		put_name(&s->text, unwind_symbol(u, pcs[n]));
	}
	cut_files_end(&before);
	return id_of(s, out_text(&s->text));
}

/* ---- what they weigh ---- */

static struct line *line_of(struct stacks *s, uint32_t stack_id, const struct sys_def *def)
{
	uint64_t key = (uint64_t)stack_id << 32 | def->index;
	size_t at = (size_t)(uintptr_t)map_get(&s->by_line, key);

	if (at)
		return &s->lines.at[at - 1];
	*VEC_PUSH(&s->lines) = (struct line){stack_id, def, {0}};
	map_set(&s->by_line, key, (void *)(uintptr_t)s->lines.len);
	return &s->lines.at[s->lines.len - 1];
}

static void add_line(
	void *ctx, uint32_t stack_id, const struct sys_def *def, const uint64_t v[STACKS_WEIGHTS])
{
	struct stacks *s = ctx;
	struct line *l = line_of(s, stack_id ? stack_id : id_of(s, TEXT_UNTAKEN), def);

	for (size_t i = 0; i < STACKS_WEIGHTS; i++)
		l->weight[i] = sat_add(l->weight[i], v[i]);
}

void stacks_add(struct stacks *s, const struct sys_event *ev)
{
	weights_add(s->weights, ev, ev->stack_id ? chance_of(s, ev) : 0);
}

void stacks_forget(struct stacks *s, uint32_t mm_id)
{
	unwinder_free(map_del(&s->unwinders, mm_id));
	weights_fold(s->weights, mm_id, add_line, s);
}

void stacks_let_go(struct stacks *s)
{
	struct map_iter it = {0};

	while (map_next(&s->unwinders, &it))
		unwinder_free(it.value);
	map_release(&s->unwinders);
}

/* ---- output ---- */

void stacks_write(const struct stacks *s, enum stacks_weight weight, struct out *o)
{
	for (size_t i = 0; i < s->lines.len; i++) {
		const struct line *l = &s->lines.at[i];

		if (!l->weight[weight])
			continue;
		out_str(o, s->stacks.at[l->stack_id - 1]->text);
		out_char(o, ';');
		out_str(o, l->def->name);
		out_char(o, ' ');
		out_u64(o, l->weight[weight]);
		out_char(o, '\n');
	}
}

void stacks_result(struct stacks *s, struct res_result *r)
{
	weights_all(s->weights, add_line, s);
	r->stacks = RES_OBJ(r, stacks);
	r->stacks->every = s->every;
	if (s->times)
		r->stacks->every_ns = s->every > 1 ? STACKS_EVERY_NS : 0;
	r->stacks->first = STACKS_FIRST;
	r->stacks->sites = weights_sites(s->weights);
	r->stacks->taken = s->taken;
	r->stacks->failed = s->failed;
	r->stacks->cut = s->cut;
	r->stacks->different = s->stacks.len;
	if (s->stacks.len > STACKS_MAX)
		result_warn(r, "stacks_lumped", "more than %d different stacks: the rest are one",
			STACKS_MAX);
}

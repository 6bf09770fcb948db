/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/stacks/stacks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/base/units.h"
#include "tracer/stacks/unwind.h"
#include "tracer/tracee.h"

#define FRAMES_MAX   128
#define STACKS_MAX   50000 /* different ones; later ones are lumped together */
#define TEXT_LUMPED  "[more different stacks than are kept]"
#define TEXT_UNKNOWN "[no stack]"

const char *const stacks_weight_names[STACKS_WEIGHTS] = {"time", "bytes", "calls"};

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
	struct map unwinders; /* mm id -> struct unwinder */
	struct map by_hash;   /* of the text -> struct stack */
	struct {
		struct stack **at;
		size_t len, cap;
	} stacks;           /* by id - 1 */
	struct map by_line; /* stack id and row index -> position + 1 */
	struct {
		struct line *at;
		size_t len, cap;
	} lines;
	uint64_t taken, failed, cut;
	uint64_t random;
	struct out text; /* of the stack at hand */
};

struct stacks *stacks_new(uint32_t every)
{
	struct stacks *s = mem_calloc(1, sizeof(*s));

	s->every = every;
	out_init_mem(&s->text);
	return s;
}

void stacks_free(struct stacks *s)
{
	struct map_iter it = {0};

	if (!s)
		return;
	while (map_next(&s->unwinders, &it))
		unwinder_free(it.value);
	for (size_t i = 0; i < s->stacks.len; i++) {
		free(s->stacks.at[i]->text);
		free(s->stacks.at[i]);
	}
	map_release(&s->unwinders);
	map_release(&s->by_hash);
	map_release(&s->by_line);
	free(s->stacks.at);
	free(s->lines.at);
	out_release(&s->text);
	free(s);
}

uint32_t stacks_gap(struct stacks *s)
{
	/* Knuth's generator: the same in each run. */
	s->random = s->random * 6364136223846793005ULL + 1442695040888963407ULL;
	return 1 + (uint32_t)((s->random >> 33) % (2 * (uint64_t)s->every - 1));
}

void stacks_forget(struct stacks *s, uint32_t mm_id)
{
	unwinder_free(map_del(&s->unwinders, mm_id));
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
	comm[strcspn(comm, "\n")] = '\0';
	put_name(o, comm);
}

static struct unwinder *unwinder_of(struct stacks *s, const struct tracee *t)
{
	struct unwinder *u = map_get(&s->unwinders, t->mm->id);

	if (!u && (u = unwinder_new(t->process->pid)))
		map_set(&s->unwinders, t->mm->id, u);
	return u;
}

uint32_t stacks_take(struct stacks *s, const struct tracee *t, const struct user_regs_struct *regs)
{
	struct unwinder *u = unwinder_of(s, t);
	uint64_t pcs[FRAMES_MAX];
	size_t n = u ? unwind(u, t->tid, regs, pcs, FRAMES_MAX) : 0;

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
	return id_of(s, out_text(&s->text));
}

int stacks_due(struct stacks *s, struct tracee *t)
{
	if (!t->stack_wait)
		t->stack_wait = stacks_gap(s);
	return --t->stack_wait == 0;
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

void stacks_add(struct stacks *s, const struct sys_event *ev)
{
	struct line *l = line_of(s, ev->stack_id, ev->def);
	uint64_t ns = ev->exit_ns > ev->entry_ns ? ev->exit_ns - ev->entry_ns : 0;
	uint64_t bytes = ev->m.bytes_moved == NOT_MEASURED ? 0 : ev->m.bytes_moved;

	l->weight[STACKS_CALLS] += s->every;
	l->weight[STACKS_TIME] = sat_add(l->weight[STACKS_TIME], sat_mul(ns, s->every));
	l->weight[STACKS_BYTES] = sat_add(l->weight[STACKS_BYTES], sat_mul(bytes, s->every));
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

void stacks_result(const struct stacks *s, struct res_result *r)
{
	r->stacks = RES_OBJ(r, stacks);
	r->stacks->every = s->every;
	r->stacks->taken = s->taken;
	r->stacks->failed = s->failed;
	r->stacks->cut = s->cut;
	r->stacks->different = s->stacks.len;
	if (s->stacks.len > STACKS_MAX)
		result_warn(r, "stacks_lumped", "more than %d different stacks: the rest are one",
			STACKS_MAX);
}

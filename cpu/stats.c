/* SPDX-License-Identifier: GPL-3.0-only */
#include "cpu/stats.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/map.h"
#include "cpu/interrupt.h"

/* Of one frame. */
struct tally {
	uint32_t frame;
	uint64_t self, total, charged;
	size_t seen_in; /* the last stack that it was counted in, plus one */
};

static double share(uint64_t part, uint64_t whole)
{
	return whole ? (double)part / (double)whole : NAN;
}

/* ---- functions ---- */

static int is_entry(const struct fold_frame *frame)
{
	return interrupt_is_entry(frame->name, strlen(frame->name));
}

/* Where in the stack the sample's time is charged: below the first interrupt. 0: to no function. */
static size_t charged_at(const struct fold *f, const uint32_t *stack, size_t len)
{
	size_t k = 1;

	while (k < len && !is_entry(&f->frame.at[stack[k]]))
		k++;
	return k - 1;
}

static void tally_stack(const struct fold *f, size_t i, struct tally *tallies)
{
	uint64_t samples = f->stack_samples.at[i];
	size_t len, charged;
	const uint32_t *stack = fold_stack(f, i, &len);

	for (size_t k = 1; k < len; k++) {
		struct tally *t = &tallies[stack[k]];

		if (t->seen_in != i + 1)
			t->total += samples;
		t->seen_in = i + 1;
	}
	if (len > 1)
		tallies[stack[len - 1]].self += samples;
	charged = charged_at(f, stack, len);
	if (charged)
		tallies[stack[charged]].charged += samples;
}

static int falling(uint64_t a, uint64_t b)
{
	return a > b ? -1 : a < b;
}

static int by_self(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;
	int order = falling(x->self, y->self);

	order = order ? order : falling(x->total, y->total);
	return order ? order : x->frame < y->frame ? -1 : 1;
}

static int by_total(const void *a, const void *b)
{
	const struct tally *x = a, *y = b;
	int order = falling(x->total, y->total);

	order = order ? order : falling(x->self, y->self);
	return order ? order : x->frame < y->frame ? -1 : 1;
}

static struct res_cpu_function *top(
	const struct fold *f, struct res_cpu *r, const struct tally *tallies, size_t len)
{
	struct res_cpu_function *at = result_alloc(r, len, &shape_cpu_function);

	for (size_t i = 0; i < len; i++) {
		const struct fold_frame *frame = &f->frame.at[tallies[i].frame];

		at[i].name = arena_strdup(result_arena(r), frame->name);
		at[i].module = arena_strdup(result_arena(r), frame->module);
		at[i].self = tallies[i].self;
		at[i].charged = tallies[i].charged;
		at[i].total = tallies[i].total;
		at[i].self_share = share(tallies[i].self, f->samples);
		at[i].total_share = share(tallies[i].total, f->samples);
	}
	return at;
}

static void fill_functions(const struct fold *f, struct res_cpu *r)
{
	struct tally *tallies = mem_calloc(f->frame.len + 1, sizeof(*tallies));
	size_t used = 0, self = 0;

	for (size_t i = 0; i < f->frame.len; i++)
		tallies[i].frame = (uint32_t)i;
	for (size_t i = 0; i < f->stacks.len; i++)
		tally_stack(f, i, tallies);
	for (size_t i = 0; i < f->frame.len; i++) {
		used += tallies[i].total > 0;
		self += tallies[i].self > 0;
	}
	if (used > STATS_FUNCTIONS_MAX)
		used = STATS_FUNCTIONS_MAX;
	if (self > STATS_FUNCTIONS_MAX)
		self = STATS_FUNCTIONS_MAX;
	qsort(tallies, f->frame.len, sizeof(*tallies), by_self);
	r->functions_by_self.at = top(f, r, tallies, self);
	r->functions_by_self.len = self;
	qsort(tallies, f->frame.len, sizeof(*tallies), by_total);
	r->functions_by_total.at = top(f, r, tallies, used);
	r->functions_by_total.len = used;
	free(tallies);
}

/* ---- threads and processes ---- */

static uint64_t id_or_none(int64_t id)
{
	return id < 0 ? U64_NONE : (uint64_t)id;
}

static int by_thread_samples(const void *a, const void *b)
{
	const struct res_cpu_thread *x = a, *y = b;
	int order = falling(x->samples, y->samples);

	return order ? order : x->tid < y->tid ? -1 : x->tid > y->tid;
}

static int by_process_samples(const void *a, const void *b)
{
	const struct res_cpu_process *x = a, *y = b;
	int order = falling(x->samples, y->samples);

	return order ? order : x->pid < y->pid ? -1 : x->pid > y->pid;
}

static void fill_threads(const struct fold *f, struct res_cpu *r)
{
	RES_LIST(r, &r->threads, f->thread.len, cpu_thread);
	for (size_t i = 0; i < f->thread.len; i++) {
		const struct fold_thread *from = &f->thread.at[i];
		struct res_cpu_thread *to = &r->threads.at[i];

		to->pid = id_or_none(from->pid);
		to->tid = id_or_none(from->tid);
		to->comm = arena_strdup(result_arena(r), f->frame.at[from->comm].module);
		to->samples = from->samples;
		to->share = share(from->samples, f->samples);
	}
	qsort(r->threads.at, r->threads.len, sizeof(*r->threads.at), by_thread_samples);
}

static void fill_processes(const struct fold *f, struct res_cpu *r)
{
	struct map index = {0};
	size_t len = 0;

	RES_LIST(r, &r->processes, f->thread.len, cpu_process);
	for (size_t i = 0; i < f->thread.len; i++) {
		const struct fold_thread *from = &f->thread.at[i];
		uint64_t pid = id_or_none(from->pid);
		struct res_cpu_process *to = map_get(&index, pid);

		if (!to) {
			to = &r->processes.at[len++];
			map_set(&index, pid, to);
			to->pid = pid;
			to->threads = to->samples = 0;
		}
		if (!to->comm || from->tid == from->pid)
			to->comm = arena_strdup(result_arena(r), f->frame.at[from->comm].module);
		to->threads++;
		to->samples += from->samples;
		to->share = share(to->samples, f->samples);
	}
	map_release(&index);
	r->processes.len = len;
	qsort(r->processes.at, len, sizeof(*r->processes.at), by_process_samples);
}

/* ---- all ---- */

static int is_one_of(const char *name, const char *const *list, int whole)
{
	for (; *list; list++)
		if (whole ? !strcmp(name, *list) : !strncmp(name, *list, strlen(*list)))
			return 1;
	return 0;
}

/* Code that nothing but the start of a process or thread calls, of glibc, musl, Rust and Go.
 * Garbage may stand before it: frame pointers of a libc that has none. */
static int is_start(const char *name)
{
	static const char *const whole[] = {"_start", "main", "start_thread", NULL};
	static const char *const parts[] = {"__libc_start_", "_start_c", "runtime.goexit",
		"runtime.mstart", "runtime.rt0_go", "ret_from_fork", NULL};

	return is_one_of(name, whole, 1) || is_one_of(name, parts, 0);
}

/* What can be called elsewhere too, and is a start only where nothing called it: of threads, of the
 * dynamic linker, of Go's scheduler, of the kernel alone. */
static int is_outermost(const char *name)
{
	static const char *const parts[] = {
		"clone", "__clone", "_dl_", "runtime.", "entry_SYSCALL", "asm_", NULL};

	return is_one_of(name, parts, 0);
}

static int has_start(const struct fold *f, const uint32_t *stack, size_t len)
{
	for (size_t k = 1; k < len; k++)
		if (is_start(f->frame.at[stack[k]].name))
			return 1;
	return len > 1 && is_outermost(f->frame.at[stack[1]].name);
}

/* 1 of a stack that has frames and does not reach its start. In a program without symbols the start
 * has no name either: there nothing is known, if no stack of its threads has a start by name. */
static int is_cut(const struct fold *f, const uint32_t *stack, size_t len, const char *starts)
{
	const struct fold_frame *outermost = len > 1 ? &f->frame.at[stack[1]] : NULL;

	if (!outermost || has_start(f, stack, len))
		return 0;
	return !outermost->unknown || !outermost->module || starts[stack[0]];
}

/* By the frame of a comm: whether a stack of it has a start. */
static char *find_starts(const struct fold *f)
{
	char *starts = mem_calloc(f->frame.len + 1, 1);

	for (size_t i = 0; i < f->stacks.len; i++) {
		size_t len;
		const uint32_t *stack = fold_stack(f, i, &len);

		starts[stack[0]] |= (char)has_start(f, stack, len);
	}
	return starts;
}

static void fill_sampling(const struct fold *f, struct res_cpu *r)
{
	struct res_cpu_sampling *s = r->sampling;
	char *starts = find_starts(f);

	s->event_used = arena_strdup(result_arena(r), fold_event(f));
	s->samples = f->samples;
	s->lost = f->lost;
	s->stacks = f->stacks.len;
	s->frames = s->unknown_frames = s->cut = 0;
	for (size_t i = 0; i < f->stacks.len; i++) {
		size_t len;
		const uint32_t *stack = fold_stack(f, i, &len);

		s->frames += (len - 1) * f->stack_samples.at[i];
		if (is_cut(f, stack, len, starts))
			s->cut += f->stack_samples.at[i];
		for (size_t k = 1; k < len; k++)
			if (f->frame.at[stack[k]].unknown)
				s->unknown_frames += f->stack_samples.at[i];
	}
	s->unknown_share = share(s->unknown_frames, s->frames);
	s->without_stack = f->without_stack;
	s->unreadable_lines = f->unreadable_lines;
	free(starts);
}

void stats_fill(const struct fold *f, struct res_cpu *r)
{
	fill_sampling(f, r);
	fill_functions(f, r);
	fill_threads(f, r);
	fill_processes(f, r);
}

/* SPDX-License-Identifier: GPL-3.0-only */
/* Which calls were traced, and whether that was next to nothing of what the program made. */
#include "common/view/view_parts.h"

#include <string.h>

#include "common/base/units.h"

#define NAMED_MAX 3

/* Less is no sign that the set does not fit. */
#define OTHERS_MIN  100
#define KERNEL_MIN  100000000ULL /* ns; it is known in ticks of 10 ms */
#define OTHER_TIMES 10           /* as many, or as long, as what was traced */

static const char *set_in_words(struct doc *d, const struct res_tracer *t)
{
	const struct res_strs *set = &t->traced_set;
	const char *spec = t->traced_spec, *words = "";

	if (set->len && !strcmp(view_name(set->at[0]), "all")) {
		if (set->len == 1)
			return "all calls";
		words = arena_printf(&d->arena, "all but %s", view_plural(d, set->len - 1, "call"));
	} else {
		words = view_plural(d, set->len, "system call");
	}
	return spec ? arena_printf(&d->arena, "%s: %s", spec, words) : words;
}

/* Of the whole run, as far as others are. */
static uint64_t made(const struct res_result *r)
{
	static const char *const phases[] = {"start-up", "window", "shutdown", "run"};
	uint64_t n = 0;

	for (size_t i = 0; i < r->phases.len; i++)
		for (size_t k = 0; k < LEN(phases); k++)
			if (!strcmp(view_name(r->phases.at[i].name), phases[k]))
				n = sat_add(n, view_zero(r->phases.at[i].calls));
	return n;
}

static const char *others(struct doc *d, const struct res_result *r)
{
	const struct res_tracer *t = r->tracer;
	const char *named = "";
	uint64_t n = 0, mine = made(r);

	for (size_t i = 0; i < t->untraced.len; i++) {
		const struct res_untraced *u = &t->untraced.at[i];

		n = sat_add(n, view_zero(u->calls));
		if (i < NAMED_MAX)
			named = arena_printf(&d->arena, "%s%s%s %s", named, i ? ", " : "",
				view_name(u->name), view_count(d, u->calls));
	}
	if (n < OTHERS_MIN || n / OTHER_TIMES < mine)
		return NULL;
	return arena_printf(&d->arena,
		"%s made, and at least %s others that the set leaves out (%s%s): --trace=all "
		"counts all",
		mine == 1 ? "1 call was"
			  : arena_printf(&d->arena, "%s calls were", view_count(d, mine)),
		view_count(d, n), named, t->untraced.len > NAMED_MAX ? " ..." : "");
}

/* What the kernel did for the target can have been in traced calls for as long as these took. */
static const char *kernel_elsewhere(struct doc *d, const struct res_result *r)
{
	const struct res_tracer *t = r->tracer;
	uint64_t mine = 0, ours;

	if (!result_has_times(r) || t->system_ns == U64_NONE || t->system_ns < KERNEL_MIN ||
		r->window || !t->overhead || t->overhead->estimated_ns == U64_NONE)
		return NULL;
	for (size_t i = 0; i < r->syscalls.len; i++)
		if (r->syscalls.at[i].wall_ns)
			mine = sat_add(mine, view_zero(r->syscalls.at[i].wall_ns->total));
	ours = sat_add(mine, t->overhead->estimated_ns);
	if (ours > t->system_ns / OTHER_TIMES)
		return NULL;
	return arena_printf(&d->arena,
		"the kernel worked %s for the target, at most %s of it in traced calls: the rest "
		"went to "
		"calls that are not in the set, to page faults and the like; --trace=all shows the "
		"calls",
		view_time(d, t->system_ns), view_time(d, mine));
}

/* -P */
static const char *on_paths(struct doc *d, const struct res_tracer *t)
{
	const char *words = "";

	for (size_t i = 0; i < t->traced_paths.len; i++)
		words = arena_printf(&d->arena, "%s%s%s", words, i ? ", " : "; only those about ",
			view_name(t->traced_paths.at[i]));
	return words;
}

void view_set(struct doc *d, const struct res_result *r)
{
	const struct res_tracer *t = r->tracer;
	const char *more = NULL;

	if (!t || (!t->traced_set.len && !t->traced_spec))
		return;
	if (!t->traced_paths.len &&
		(!t->traced_set.len || strcmp(view_name(t->traced_set.at[0]), "all") != 0)) {
		more = others(d, r);
		if (!more)
			more = kernel_elsewhere(d, r);
	}
	doc_pair(d, "traced", "%s%s%s%s", set_in_words(d, t), on_paths(d, t), more ? ".  " : "",
		more ? more : "");
}

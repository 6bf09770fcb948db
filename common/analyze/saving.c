/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/analyze/saving.h"

#include <math.h>
#include <string.h>

#include "common/analyze/analyze.h"

/* Calls of one kind: what any of them moves goes the same way. */
static const char *const writing[] = {"write", "writev", "pwrite64", "pwritev", "pwritev2", NULL};
static const char *const reading[] = {"read", "readv", "pread64", "preadv", "preadv2", NULL};

static int is_one_of(const char *call, const char *const *kind)
{
	for (; *kind; kind++)
		if (!strcmp(call, *kind))
			return 1;
	return 0;
}

int saving_writes(const char *call)
{
	return is_one_of(call, writing);
}

int saving_reads(const char *call)
{
	return is_one_of(call, reading);
}

static const struct res_small_calls *small_calls(const struct res_syscall *s)
{
	const struct res_small_calls *small = s ? s->small_calls : NULL;

	return small && small->p10_ns != U64_NONE && view_zero(small->calls) >= TARGET_CALLS_MIN
		       ? small
		       : NULL;
}

/* The row whose small calls say what one of the kind costs: its own, else the cheapest. */
static const struct res_syscall *small_of_kind(
	const struct res_result *r, const char *call, const char *const *kind)
{
	const struct res_syscall *own = view_called(r, call), *best = NULL;

	if (small_calls(own))
		return own;
	for (size_t i = 0; i < r->syscalls.len; i++) {
		const struct res_syscall *s = &r->syscalls.at[i];

		if (is_one_of(view_name(s->name), kind) && small_calls(s) &&
			(!best || s->small_calls->p10_ns < best->small_calls->p10_ns))
			best = s;
	}
	return best;
}

static const struct res_overhead *overhead(const struct res_result *r)
{
	return r->tracer ? r->tracer->overhead : NULL;
}

/* Less what a record adds to the time of a call at most: untraced that is not saved. */
static struct saving untraced(struct doc *d, const struct res_result *r, double ns, const char *why)
{
	const struct res_overhead *o = overhead(r);
	double record = o ? (double)view_zero(o->per_record_ns) : 0;

	if (ns > record)
		return (struct saving){ns - record, "at least", why};
	return (struct saving){NAN, "",
		arena_printf(&d->arena,
			"recording a call took as long (%.0f ns) as a short one took here",
			record)};
}

/* What is gathered goes through the kernel with the others: a call's own cost is what one of few
 * bytes takes. */
static struct saving of_small(
	struct doc *d, const struct res_result *r, const char *call, const char *const *kind)
{
	const struct res_syscall *own = view_called(r, call);
	const struct res_syscall *s = small_of_kind(r, call, kind);
	double ns;

	if (!s)
		return (struct saving){NAN, "",
			"too few of its kind moved few bytes, and what others take is for their "
			"bytes"};
	ns = (double)s->small_calls->p10_ns;
	if (own && own->wall_ns && own->wall_ns->mean != U64_NONE)
		ns = fmin(ns, (double)own->wall_ns->mean);
	return untraced(d, r, ns,
		arena_printf(&d->arena,
			"one in ten of %s calls of %s that moved few bytes took no longer",
			view_count(d, s->small_calls->calls), view_name(s->name)));
}

/* What entering the kernel takes. */
static struct saving of_entering(const struct res_result *r)
{
	const struct res_overhead *o = overhead(r);

	if (!o || o->plain_call_ns == U64_NONE || !o->plain_call_ns)
		return (struct saving){
			NAN, "", "what a call that does nothing takes was not measured"};
	return (struct saving){
		(double)o->plain_call_ns, "at least", "what a call that does nothing took here"};
}

struct saving saving_of(struct doc *d, const struct res_result *r, const char *call,
	const struct batching *batching)
{
	if (batching && !batching->no_model && batching->cost.fixed_low > 0)
		return untraced(d, r, batching->cost.fixed_low, "the low end of its fixed cost");
	return saving_writes(call) ? of_small(d, r, call, writing) : of_entering(r);
}

/* It still is sent by itself, and sendmmsg reads a header for each, which takes most of what
 * entering the kernel does: only what is left is saved. */
struct saving saving_of_message(const struct res_result *r, const char *call)
{
	const struct res_overhead *o = overhead(r);
	uint64_t ns = !o                         ? U64_NONE
		      : !strcmp(call, "sendmsg") ? o->sendmsg_gathered_ns
						 : o->sendto_gathered_ns;

	if (ns == U64_NONE)
		return (struct saving){NAN, "",
			"how much less a message takes in a batch than by itself was not "
			"measured"};
	if (!ns)
		return (struct saving){
			NAN, "", "a message took no less in a batch than by itself here"};
	return (struct saving){(double)ns, "about",
		"which a message took less in a batch than by itself here, on a local socket"};
}

/* At least entering the kernel, where no short one was seen. */
struct saving saving_of_read(struct doc *d, const struct res_result *r, const char *call)
{
	struct saving s = of_small(d, r, call, reading);

	return isfinite(s.ns) ? s : of_entering(r);
}

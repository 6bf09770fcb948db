/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Copies of changed code, which the program makes and runs. Where they are is seen when a thread
 * comes from one to where nothing is: then the copy is put back as the code was.
 */
#include <string.h>

#include "common/base/mem.h"
#include "tracer/recorder/patch.h"

int copies_look_alike(const struct sites *s, int64_t leads, const uint8_t was[ARCH_JUMP_BYTES])
{
	for (size_t i = 0; i < s->changes.len; i++) {
		const struct change *c = &s->changes.at[i];

		if (!c->hop && c->leads == leads && memcmp(c->was, was, sizeof(c->was)) != 0)
			return 1;
	}
	return 0;
}

/* Where what stands beside a change begins: before it, and behind. */
static uint64_t beside(const struct change *c, uint64_t at, int behind)
{
	return behind ? at + c->len : at - sizeof(c->beside[0]);
}

static int is_same(const struct change *a, const struct change *b)
{
	return a->at == b->at && a->leads == b->leads && a->hop == b->hop &&
	       memcmp(a->beside, b->beside, sizeof(a->beside)) == 0;
}

void copies_note(const struct tracee *t, const struct site *site)
{
	struct sites *s = &t->mm->recorder->sites;
	struct change c = {.at = site->change_at,
		.leads = (int64_t)(site->tramp - site->change_at),
		.hop = site->springboard ? (int64_t)(site->springboard - site->change_at) : 0,
		.len = site->change_len};

	memcpy(c.was, site->was, sizeof(c.was));
	memcpy(c.now, site->now, sizeof(c.now));
	for (int i = 0; c.hop && i < 2; i++)
		c.has_beside[i] =
			remote_read(t, beside(&c, c.at, i), c.beside[i], sizeof(c.beside[i])) == 0;
	for (size_t i = 0; i < s->changes.len; i++)
		if (is_same(&s->changes.at[i], &c))
			return;
	*VEC_PUSH(&s->changes) = c;
}

/* The long jump of a change that leads by a short one stands where that leads. */
static int has_hop(const struct tracee *t, const struct change *c, uint64_t at)
{
	uint8_t far[ARCH_JUMP_BYTES];
	uint64_t from = at + (uint64_t)c->hop;

	return arch_jump_long(far, from, at + (uint64_t)c->leads) == 0 &&
	       remote_holds(t, from, far, sizeof(far));
}

/* What is copied without its long jump is known by what stands beside the short one. */
static int is_beside(const struct tracee *t, const struct change *c, uint64_t at)
{
	for (int i = 0; i < 2; i++)
		if (c->has_beside[i] &&
			remote_holds(t, beside(c, at, i), c->beside[i], sizeof(c->beside[i])))
			return 1;
	return 0;
}

static void remember(struct sites *s, uint64_t ip, uint64_t at, size_t change)
{
	struct copy copy = {ip, at, change};

	if (s->copies.len < COPIES_MAX)
		*VEC_PUSH(&s->copies) = copy;
	else
		s->copies.at[s->oldest_copy++ % COPIES_MAX] = copy;
}

/* The copy of the change at `at`, from which t came to ip, becomes what the code was; where t goes
 * on, or 0. */
static uint64_t put_back(const struct tracee *t, const struct change *c, uint64_t at, uint64_t ip)
{
	struct sites *s = &t->mm->recorder->sites;

	if (!remote_holds(t, at, c->now, c->len))
		return 0;
	remember(s, ip, at, (size_t)(c - s->changes.at));
	if (patch_change(remote_write, t, at, c->was, c->len) == 0)
		return at;
	return c->at + (uint64_t)c->leads; /* a file's shared mapping: by the trampoline itself */
}

/* Other threads came from the same copy before it was put back. */
static uint64_t was_put_back(const struct tracee *t, uint64_t ip)
{
	const struct sites *s = &t->mm->recorder->sites;

	for (size_t i = 0; i < s->copies.len; i++) {
		const struct copy *copy = &s->copies.at[i];
		const struct change *c = &s->changes.at[copy->change];

		if (copy->ip == ip && remote_holds(t, copy->at, c->was, c->len))
			return copy->at;
	}
	return 0;
}

int copies_put_back_at(const struct sites *s, uint64_t at)
{
	for (size_t i = 0; i < s->copies.len; i++)
		if (s->copies.at[i].at == at)
			return 1;
	return 0;
}

static uint64_t put_back_whole(const struct tracee *t, const struct change *c, uint64_t ip)
{
	uint64_t at = ip - (uint64_t)c->leads;

	return at != c->at && (!c->hop || has_hop(t, c, at)) ? put_back(t, c, at, ip) : 0;
}

/* ---- copied in part ---- */

#define PAGE         4096
#define AROUND_BYTES (2 * (ARCH_SHORT_REACH + ARCH_CALL_BYTES))

/* So that most faults, which have nothing to do with us, cost two reads. Zeros where nothing is. */
static void read_around(const struct tracee *t, uint64_t ip, uint8_t ret[AROUND_BYTES])
{
	uint64_t from = ip - AROUND_BYTES / 2;
	size_t first = PAGE - from % PAGE;

	memset(ret, 0, AROUND_BYTES);
	if (first > AROUND_BYTES)
		first = AROUND_BYTES;
	if (remote_read(t, from, ret, first) < 0)
		memset(ret, 0, first);
	if (remote_read(t, from + first, ret + first, AROUND_BYTES - first) < 0)
		memset(ret + first, 0, AROUND_BYTES - first);
}

static uint64_t put_back_part(const struct tracee *t, const struct change *c, uint64_t ip,
	const uint8_t around[AROUND_BYTES])
{
	const uint8_t *there = around + AROUND_BYTES / 2 - c->hop;
	uint64_t at = ip - (uint64_t)c->hop;

	if (at == c->at || memcmp(there, c->now, c->len) != 0 || !is_beside(t, c, at))
		return 0;
	return put_back(t, c, at, ip);
}

uint64_t copies_take_back(const struct tracee *t, uint64_t ip, int is_nothing)
{
	const struct sites *s = &t->mm->recorder->sites;
	uint8_t around[AROUND_BYTES];

	if (s->changes.len)
		read_around(t, ip, around);
	for (size_t i = 0; i < s->changes.len; i++) {
		const struct change *c = &s->changes.at[i];
		uint64_t to = is_nothing ? put_back_whole(t, c, ip) : 0;

		if (!to && c->hop)
			to = put_back_part(t, c, ip, around);
		if (to)
			return to;
	}
	return was_put_back(t, ip);
}

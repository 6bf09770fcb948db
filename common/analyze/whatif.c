/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/analyze/whatif.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "common/analyze/whatif_parts.h"
#include "common/base/cleanup.h"
#include "common/base/map.h"
#include "common/base/mem.h"

#define BUFFER_BYTES (1 << 20) /* no line is as long */
#define TID_BITS     31        /* of the key; the fd has the other 33 */

const struct whatif_policy whatif_policies[WHATIF_POLICIES] = {
	{"8 units", 8, UINT64_MAX},
	{"32 units", 32, UINT64_MAX},
	{"50 us", WHATIF_UNITS_MAX, 50},
	{"1 ms", WHATIF_UNITS_MAX, 1000},
};

static const struct {
	const char *name, *unit, *into;
} gathered[WHATIF_CALLS] = {
#define GATHERED(name, unit, into) {#name, unit, into},
#include "common/analyze/gathered.def"
#undef GATHERED
};

const char *whatif_call_name(enum whatif_call call)
{
	return gathered[call].name;
}

const char *whatif_call_unit(enum whatif_call call)
{
	return gathered[call].unit;
}

const char *whatif_call_into(enum whatif_call call)
{
	return gathered[call].into;
}

/* ---- groups that wait to be sent ---- */

struct group {
	uint64_t calls, units;
	uint64_t first_us;
	uint64_t since_us; /* sum of the calls' times after the first */
};

/* What is gathered of one kind of call in one place. */
struct sender {
	struct whatif_place result;
	struct group free[WHATIF_POLICIES], held[WHATIF_POLICIES];
	uint64_t last_us;
	int after_partial;
};

/* One fd of one thread. */
struct place {
	struct sender *senders[WHATIF_CALLS];
};

struct replay {
	struct map places;
	struct {
		struct sender **at;
		size_t len, cap;
	} senders;
	uint64_t last_key;
	struct place *last;
	uint64_t lines, left_out;
};

static void send_group(struct group *g, uint64_t at_us, uint64_t *calls, uint64_t *delay_us)
{
	if (!g->calls)
		return;
	*calls += 1;
	*delay_us += g->calls * (at_us - g->first_us) - g->since_us;
	*g = (struct group){0};
}

/* When a group is sent if nothing more comes until at_us. */
static uint64_t due(const struct group *g, const struct whatif_policy *p, uint64_t at_us)
{
	uint64_t end = p->delay_us == UINT64_MAX ? UINT64_MAX : g->first_us + p->delay_us;

	return end < at_us ? end : at_us;
}

static void join(struct group *g, const struct whatif_policy *p, uint64_t at_us, uint64_t units,
	uint64_t *sums)
{
	if (g->calls && due(g, p, at_us) < at_us)
		send_group(g, due(g, p, at_us), &sums[0], &sums[1]);
	if (!g->calls)
		g->first_us = at_us;
	g->calls++;
	g->units += units;
	g->since_us += at_us - g->first_us;
	if (g->units >= p->units)
		send_group(g, at_us, &sums[0], &sums[1]);
}

static void sender_add(struct sender *s, uint64_t at_us, uint64_t units)
{
	if (at_us < s->last_us)
		at_us = s->last_us; /* a clock set back */
	s->last_us = at_us;
	s->result.calls++;
	s->result.units += units;
	for (int i = 0; i < WHATIF_POLICIES; i++) {
		struct whatif_outcome *o = &s->result.outcome[i];
		uint64_t free_sums[2] = {0}, held_sums[2] = {0};

		join(&s->free[i], &whatif_policies[i], at_us, units, free_sums);
		join(&s->held[i], &whatif_policies[i], at_us, units, held_sums);
		o->calls += free_sums[0];
		o->delay_us += free_sums[1];
		o->held_calls += held_sums[0];
		o->held_delay_us += held_sums[1];
	}
}

/* The thread receives on this fd, or lets go of it: what was held back goes
 * first. */
static void sender_barrier(struct sender *s, uint64_t at_us)
{
	for (int i = 0; i < WHATIF_POLICIES; i++) {
		struct whatif_outcome *o = &s->result.outcome[i];
		uint64_t at = at_us > s->last_us ? at_us : s->last_us;

		send_group(&s->held[i], due(&s->held[i], &whatif_policies[i], at), &o->held_calls,
			&o->held_delay_us);
	}
}

static void sender_end(struct sender *s)
{
	sender_barrier(s, s->last_us);
	for (int i = 0; i < WHATIF_POLICIES; i++) {
		struct whatif_outcome *o = &s->result.outcome[i];

		send_group(&s->free[i], due(&s->free[i], &whatif_policies[i], s->last_us),
			&o->calls, &o->delay_us);
	}
}

/* ---- lines ---- */

static int gathered_call(const struct detail_call *c)
{
	if (c->name[0] != 'w' && c->name[0] != 's')
		return -1;
	for (int i = 0; i < WHATIF_CALLS; i++)
		if (strlen(gathered[i].name) == c->name_len &&
			!memcmp(gathered[i].name, c->name, c->name_len))
			return i;
	return -1;
}

static int is_barrier(const struct detail_call *c)
{
	static const char *const names[] = {"read", "readv", "recvfrom", "recvmsg", "recvmmsg",
		"fsync", "fdatasync", "close", "shutdown"};

	if (!strchr("rfcs", c->name[0]))
		return 0;
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strlen(names[i]) == c->name_len && !memcmp(names[i], c->name, c->name_len))
			return 1;
	return 0;
}

static struct place *find_place(struct replay *r, const struct detail_call *c, int make)
{
	uint64_t key = c->fd << TID_BITS | c->tid;
	struct place *p;

	if (r->last && r->last_key == key)
		return r->last;
	p = map_get(&r->places, key);
	if (!p && make && r->places.len < WHATIF_PLACES_MAX) {
		p = mem_calloc(1, sizeof(*p));
		map_set(&r->places, key, p);
	}
	r->last_key = key;
	r->last = p;
	return p;
}

static struct sender *find_sender(
	struct replay *r, struct place *p, const struct detail_call *c, enum whatif_call call)
{
	struct sender *s = p->senders[call];

	if (s || r->senders.len == WHATIF_PLACES_MAX)
		return s;
	s = mem_calloc(1, sizeof(*s));
	s->result = (struct whatif_place){.tid = c->tid, .fd = c->fd, .call = call};
	p->senders[call] = s;
	*VEC_PUSH(&r->senders) = s;
	return s;
}

static int is_partial(const struct detail_call *c, enum whatif_call call)
{
	if (call == WHATIF_sendmmsg)
		return c->ret < c->asked_units;
	return c->ret < c->asked_bytes;
}

static uint64_t units_of(const struct detail_call *c, enum whatif_call call)
{
	if (call == WHATIF_sendmmsg)
		return c->ret;
	return call == WHATIF_writev && c->asked_units ? c->asked_units : 1;
}

static void take_send(struct replay *r, const struct detail_call *c, enum whatif_call call)
{
	struct place *p = find_place(r, c, 1);
	struct sender *s = p ? find_sender(r, p, c, call) : NULL;

	if (!s) {
		r->left_out++;
		return;
	}
	if (s->after_partial) {
		s->result.after_partial_again += (uint64_t)c->ok;
		s->result.after_partial_eagain += (uint64_t)c->again;
		s->after_partial = 0;
	}
	if (!c->ok)
		return;
	sender_add(s, c->entry_us, units_of(c, call));
	s->after_partial = is_partial(c, call);
	s->result.partial += (uint64_t)s->after_partial;
}

static void take_barrier(struct replay *r, const struct detail_call *c)
{
	struct place *p = find_place(r, c, 0);

	for (int i = 0; p && i < WHATIF_CALLS; i++) {
		if (!p->senders[i])
			continue;
		sender_barrier(p->senders[i], c->entry_us);
		p->senders[i]->after_partial = 0;
	}
}

static int take_line(struct replay *r, const char *line, size_t len)
{
	struct detail_call c;
	int call;

	r->lines++;
	if (detail_parse(line, len, &c) < 0)
		return -1;
	call = gathered_call(&c);
	if (call < 0 && !is_barrier(&c))
		return 0;
	detail_parse_more(&c);
	if (c.fd > INT32_MAX || c.tid > INT32_MAX)
		return 0; /* no fd: the call failed */
	if (call >= 0)
		take_send(r, &c, (enum whatif_call)call);
	else
		take_barrier(r, &c);
	return 0;
}

/* ---- the file ---- */

struct buffer {
	char *at;
	size_t len;
};

/* Takes all whole lines out of the buffer; the start of the next stays. */
static int take_lines(struct replay *r, struct buffer *b, const char *path, struct err *err)
{
	char *line = b->at, *end = b->at + b->len, *newline;

	while ((newline = memchr(line, '\n', (size_t)(end - line)))) {
		if (take_line(r, line, (size_t)(newline - line)) < 0)
			return err_set(err, -EINVAL,
				"%s: line %llu: not a line of iotrace's detail file", path,
				(unsigned long long)r->lines);
		line = newline + 1;
	}
	b->len = (size_t)(end - line);
	memmove(b->at, line, b->len);
	if (b->len == BUFFER_BYTES)
		return err_set(err, -EINVAL, "%s: line %llu: too long for a detail file", path,
			(unsigned long long)r->lines + 1);
	return 0;
}

static int read_all(struct replay *r, int fd, const char *path, struct err *err)
{
	cleanup_free char *memory = mem_realloc(NULL, BUFFER_BYTES, 1);
	struct buffer b = {.at = memory};
	ssize_t n;

	while ((n = read(fd, b.at + b.len, BUFFER_BYTES - b.len)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, -errno, "cannot read %s: %s", path, strerror(errno));
		b.len += (size_t)n;
		int rc = take_lines(r, &b, path, err);

		if (rc < 0)
			return rc;
	}
	if (b.len)
		return err_set(err, -EINVAL, "%s: line %llu: the file ends inside it", path,
			(unsigned long long)r->lines + 1);
	return 0;
}

static int compare_places(const void *a, const void *b)
{
	const struct whatif_place *x = a, *y = b;

	if (x->calls != y->calls)
		return x->calls < y->calls ? 1 : -1;
	if (x->tid != y->tid)
		return x->tid > y->tid ? 1 : -1;
	if (x->fd != y->fd)
		return x->fd > y->fd ? 1 : -1;
	return (x->call > y->call) - (x->call < y->call);
}

static void collect(struct replay *r, struct whatif *ret)
{
	*ret = (struct whatif){.lines = r->lines, .left_out = r->left_out};
	ret->at = mem_calloc(r->senders.len + 1, sizeof(*ret->at));
	for (size_t i = 0; i < r->senders.len; i++) {
		sender_end(r->senders.at[i]);
		if (r->senders.at[i]->result.calls)
			ret->at[ret->len++] = r->senders.at[i]->result;
	}
	qsort(ret->at, ret->len, sizeof(*ret->at), compare_places);
}

static void replay_release(struct replay *r)
{
	struct map_iter it = {0};

	while (map_next(&r->places, &it))
		free(it.value);
	map_release(&r->places);
	for (size_t i = 0; i < r->senders.len; i++)
		free(r->senders.at[i]);
	free(r->senders.at);
}

int whatif_read(const char *path, struct whatif *ret, struct err *err)
{
	struct replay r = {0};
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	int rc;

	if (fd < 0)
		return err_set(err, -errno, "cannot open %s: %s", path, strerror(errno));
	rc = read_all(&r, fd, path, err);
	if (rc == 0)
		collect(&r, ret);
	replay_release(&r);
	return rc;
}

void whatif_release(struct whatif *w)
{
	free(w->at);
	*w = (struct whatif){0};
}

/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/agg/causes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "tracer/agg/call.h"
#include "tracer/agg/rows.h"

/* sendmmsg and the calls of iovecs take no more (UIO_MAXIOV). */
#define KERNEL_MAX 1024

/* A call that takes what is there is over sooner: longer, and it waited. */
#define TAKE_NS         (20 * NS_PER_US)
#define TAKE_EACH_NS    (5 * NS_PER_US)
#define TAKE_BYTE_NS    1
#define TAKE_STOPPED_NS (100 * NS_PER_US) /* what two stops may add */

/* Of what was received so much is sent on: some is answered by nobody. */
#define PART(n) ((n) - (n) / 10)

enum role {
	ROLE_NONE = 1,
	ROLE_TAKE,     /* a batch of what is there */
	ROLE_TAKE_ONE, /* a message */
	ROLE_FILL,     /* readv: what is there, into all of these */
	ROLE_GIVE,     /* a batch */
	ROLE_GIVE_ONE, /* a message */
};

/* How a call that gives ended. */
enum end { END_WHOLE, END_CUT, END_NO_ROOM, END_REFUSED, END_OTHER };

enum way { WAY_TAKE, WAY_GIVE };

/* The last call of a thread on a descriptor, that way, if the next one is held against it: one that
 * took all it asked for, or did not give all. */
struct place {
	const struct sys_def *def;
	uint32_t thread_id, fd_id;
	uint64_t rest; /* units that it left, or all of a call that failed */
	uint64_t end_ns;
	enum end end;
	enum cause cause; /* of it, and of the call that takes its rest */
	uint8_t waits;    /* the next call decides what it was */
	uint8_t blocking, phase;
};

struct causes {
	int attached;
	uint8_t *roles; /* by def->index; 0: not known yet */
	size_t roles_len;
	struct arena arena;
	struct map index; /* thread, descriptor and way -> struct place */
	struct {
		struct place **at;
		size_t len, cap;
	} places;
	size_t ended; /* by causes_end */
	struct {
		int64_t credit;     /* messages received less those sent */
		uint64_t since;     /* received since it last sent */
		uint64_t gave;      /* sent since it last received */
		uint64_t submitted; /* by io_submit, and not got yet */
		uint64_t waited_ns; /* end of its last wait (epoll, poll, select ..) */
	} threads[AGG_ROWS_MAX + 1];
	int64_t credits[AGG_ROWS_MAX + 1]; /* of descriptors */
};

struct causes *causes_new(void)
{
	return mem_calloc(1, sizeof(struct causes));
}

void causes_attached(struct causes *c)
{
	c->attached = 1;
}

void causes_free(struct causes *c)
{
	if (!c)
		return;
	free(c->roles);
	free(c->places.at);
	map_release(&c->index);
	arena_release(&c->arena);
	free(c);
}

/* ---- which calls ---- */

static enum role find_role(const struct sys_def *def)
{
	const char *name = def->name;
	int receives = strncmp(name, "recv", 4) == 0, sends = strncmp(name, "send", 4) == 0;

	switch (def->unit) {
	case BATCH_MESSAGES:
		return receives ? ROLE_TAKE : ROLE_GIVE;
	case BATCH_EVENTS:
		return strstr(name, "epoll") || strstr(name, "getevents") ? ROLE_TAKE : ROLE_NONE;
	case BATCH_IOVECS:
		return strstr(name, "readv") ? ROLE_FILL : ROLE_GIVE;
	case BATCH_SUBMISSIONS:
		return ROLE_GIVE;
	case BATCH_NONE:
		break;
	}
	if (strcmp(name, "recvmsg") == 0 || strcmp(name, "recvfrom") == 0)
		return ROLE_TAKE_ONE;
	return sends && (strcmp(name, "sendmsg") == 0 || strcmp(name, "sendto") == 0)
		       ? ROLE_GIVE_ONE
		       : ROLE_NONE;
}

static enum role role_of(struct causes *c, const struct sys_def *def)
{
	if (def->index >= c->roles_len) {
		size_t len = c->roles_len;

		c->roles_len = def->index + 64U;
		c->roles = mem_realloc(c->roles, c->roles_len, 1);
		memset(c->roles + len, 0, c->roles_len - len);
	}
	if (!c->roles[def->index])
		c->roles[def->index] = (uint8_t)find_role(def);
	return c->roles[def->index];
}

/* ---- who received first ---- */

static uint32_t capped(uint32_t id)
{
	return id <= AGG_ROWS_MAX ? id : 0; /* 0 is nobody's */
}

static void add_credit(struct causes *c, const struct sys_event *ev, int64_t n)
{
	uint32_t thread = capped(ev->thread_id), fd = capped(ev->fd_id);

	if (thread)
		c->threads[thread].credit += n;
	if (fd)
		c->credits[fd] += n;
}

static void received(struct causes *c, const struct sys_event *ev, uint64_t n)
{
	add_credit(c, ev, (int64_t)n);
	if (capped(ev->thread_id)) {
		c->threads[ev->thread_id].since += n;
		c->threads[ev->thread_id].gave = 0;
	}
}

/* What it sends was there to be sent: received before, and not sent yet. A few that were sent
 * unasked are let pass. */
static int is_covered(int64_t credit, uint64_t n)
{
	int64_t most = (int64_t)n;

	return credit >= (n > 1 ? most - most / 10 - 1 : 1);
}

/* One that was sent whole: 1 if it is all that had been received since the last one. */
static int sends_on(struct causes *c, const struct sys_event *ev, uint64_t n)
{
	uint32_t thread = capped(ev->thread_id), fd = capped(ev->fd_id);
	uint64_t since = thread ? c->threads[thread].since : 0;

	if (!thread || n > since || n < PART(since))
		return 0;
	return c->attached || is_covered(c->threads[thread].credit, n) ||
	       (fd && is_covered(c->credits[fd], n));
}

/* A debt is no larger than what is under way: it is not carried along for ever. */
static void bound(int64_t *credit, uint64_t n)
{
	if (*credit < -2 * (int64_t)n)
		*credit = -2 * (int64_t)n;
}

static void sent(struct causes *c, const struct sys_event *ev, uint64_t n)
{
	uint32_t thread = capped(ev->thread_id), fd = capped(ev->fd_id);

	add_credit(c, ev, -(int64_t)n);
	if (thread) {
		bound(&c->threads[thread].credit, n);
		c->threads[thread].gave += n;
	}
	if (fd)
		bound(&c->credits[fd], n);
}

/* ---- calls that are remembered ---- */

static uint64_t place_key(const struct sys_event *ev, enum way way)
{
	/* Ids are below 2^13. */
	return ((uint64_t)ev->thread_id << 32 | ev->fd_id) << 1 | way;
}

static struct place *find_place(struct causes *c, const struct sys_event *ev, enum way way)
{
	return c->index.len ? map_get(&c->index, place_key(ev, way)) : NULL;
}

/* NULL: there is no room for more. */
static struct place *make_place(struct causes *c, const struct sys_event *ev, enum way way)
{
	struct place *p = find_place(c, ev, way);

	if (p || c->places.len == AGG_ROWS_MAX || !capped(ev->thread_id) ||
		ev->fd_id > AGG_ROWS_MAX)
		return p;
	p = arena_alloc(&c->arena, 1, sizeof(*p));
	p->thread_id = ev->thread_id;
	p->fd_id = ev->fd_id;
	map_set(&c->index, place_key(ev, way), p);
	*VEC_PUSH(&c->places) = p;
	return p;
}

static struct caused judged(const struct place *p)
{
	return (struct caused){p->def, p->thread_id, p->fd_id, p->phase, p->cause};
}

static int is_messages(const struct sys_event *ev)
{
	return ev->def->unit == BATCH_MESSAGES;
}

/* ---- calls that take ---- */

/* It took longer than for what it moved. */
static int is_long(const struct sys_event *ev)
{
	uint64_t most = TAKE_NS;

	if (ev->m.batch_moved != NOT_MEASURED && sys_ok(ev))
		most += TAKE_EACH_NS * ev->m.batch_moved;
	if (ev->m.bytes_moved != NOT_MEASURED && sys_ok(ev))
		most += TAKE_BYTE_NS * ev->m.bytes_moved;
	if (ev->seen != SEEN_RECORDED)
		most += TAKE_STOPPED_NS;
	return ev->exit_ns > ev->entry_ns && ev->exit_ns - ev->entry_ns > most;
}

/* Does such a call wait until all have come? */
static int waits_for_all(const struct sys_event *ev)
{
	if (is_messages(ev))
		return !(ev->args[3] & (MSG_DONTWAIT | MSG_WAITFORONE)) &&
		       ev->blocking != BLOCKING_NO;
	/* io_getevents waits for as many as its second argument says, epoll for one. */
	return strstr(ev->def->name, "getevents") && ev->args[1] == ev->args[2];
}

/* Are they answers to what its thread has sent since it last received? As many, and it had sent
 * first. */
static int are_answers(const struct causes *c, const struct sys_event *ev)
{
	uint32_t thread = capped(ev->thread_id), fd = capped(ev->fd_id);
	uint64_t n = ev->m.batch_moved, gave;
	int64_t owed = -(int64_t)PART(n);

	if (!is_messages(ev) || !thread)
		return 0;
	gave = c->threads[thread].gave;
	if (n < PART(gave) || gave < PART(n))
		return 0;
	return c->attached || c->threads[thread].credit <= owed || (fd && c->credits[fd] <= owed);
}

/* All that the thread had submitted: no more can come. */
static int are_all_submitted(const struct causes *c, const struct sys_event *ev)
{
	uint32_t thread = capped(ev->thread_id);

	return thread && strstr(ev->def->name, "getevents") &&
	       c->threads[thread].submitted == ev->m.batch_moved;
}

/* 1 if the call took all that it asked for at once: the next one tells whether there was more. */
static int judge_take(const struct causes *c, const struct sys_event *ev, enum cause *ret)
{
	*ret = CAUSE_ARRIVALS;
	if (ev->m.batch_moved < ev->m.batch_asked || (waits_for_all(ev) && is_long(ev)) ||
		are_all_submitted(c, ev))
		return 0;
	if (!are_answers(c, ev))
		return 1;
	if (c->attached)
		*ret = CAUSE_EXCHANGED;
	return 0;
}

/* Was more there when the call was over that took all it asked for? */
static enum cause judge_next(
	const struct causes *c, const struct place *p, const struct sys_event *ev)
{
	uint32_t thread = capped(ev->thread_id);

	if (!sys_ok(ev) || !ev->m.batch_moved || is_long(ev) ||
		(thread && c->threads[thread].waited_ns > p->end_ns))
		return CAUSE_ARRIVALS;
	return CAUSE_LIMIT;
}

static void got_events(struct causes *c, const struct sys_event *ev)
{
	uint32_t thread = capped(ev->thread_id);

	if (thread && strstr(ev->def->name, "getevents"))
		c->threads[thread].submitted -= ev->m.batch_moved < c->threads[thread].submitted
							? ev->m.batch_moved
							: c->threads[thread].submitted;
}

static size_t add_take(
	struct causes *c, const struct sys_event *ev, uint8_t phase, struct caused ret[2])
{
	struct place *p = find_place(c, ev, WAY_TAKE);
	struct caused this = {ev->def, ev->thread_id, ev->fd_id, phase, CAUSE_ARRIVALS};
	size_t n = 0;

	if (ev->outcome != SYS_RETURNED)
		return 0;
	if (p && p->waits) {
		p->cause = judge_next(c, p, ev);
		p->waits = 0;
		ret[n++] = judged(p);
	}
	if (!sys_ok(ev) || !ev->m.batch_moved || ev->m.batch_moved == NOT_MEASURED ||
		ev->m.batch_asked == NOT_MEASURED)
		return n; /* it brought nothing */
	if (!judge_take(c, ev, &this.cause)) {
		ret[n++] = this;
	} else if ((p = make_place(c, ev, WAY_TAKE))) {
		p->waits = 1;
		p->def = ev->def;
		p->phase = phase;
		p->cause = CAUSE_UNKNOWN;
		p->end_ns = ev->exit_ns;
	} else {
		this.cause = CAUSE_UNKNOWN;
		ret[n++] = this;
	}
	if (is_messages(ev))
		received(c, ev, ev->m.batch_moved);
	else
		got_events(c, ev);
	return n;
}

/* readv: what it is given is filled, or no more was there. */
static size_t add_fill(const struct sys_event *ev, uint8_t phase, struct caused *ret)
{
	if (!sys_ok(ev) || ev->m.batch_asked == NOT_MEASURED || !ev->m.batch_moved ||
		ev->m.batch_moved == NOT_MEASURED)
		return 0;
	*ret = (struct caused){ev->def, ev->thread_id, ev->fd_id, phase,
		ev->m.batch_moved < ev->m.batch_asked ? CAUSE_ARRIVALS : CAUSE_CALLER};
	return 1;
}

/* ---- calls that give ---- */

static enum end end_of(const struct sys_event *ev)
{
	if (ev->outcome != SYS_RETURNED || ev->m.batch_asked == NOT_MEASURED || !ev->m.batch_asked)
		return END_OTHER;
	switch (ev->ret) {
	case -EAGAIN:
	case -ENOBUFS:
	case -EBUSY:
		return END_NO_ROOM;
	case -EBADF:
	case -ENOTSOCK:
	case -EFAULT:
	case -EINTR:
	case -ENOMEM:
		return END_OTHER; /* it is not about the message */
	default:
		break;
	}
	if (!sys_ok(ev))
		return is_messages(ev) ? END_REFUSED : END_OTHER;
	if (ev->m.batch_moved == NOT_MEASURED || !ev->m.batch_moved)
		return END_OTHER;
	return ev->m.batch_moved < ev->m.batch_asked ? END_CUT : END_WHOLE;
}

/* Is the call about what the one before it left? */
static int goes_on(const struct place *p, const struct sys_event *ev)
{
	uint64_t asked = ev->m.batch_asked;

	switch (p->end) {
	case END_NO_ROOM:
		return asked == p->rest;
	case END_REFUSED: /* that message is left out */
		return asked + 1 == p->rest;
	case END_CUT:
		/* A message may be left out; of a buffer a part may have gone. */
		return asked == p->rest ||
		       (is_messages(ev) ? asked + 1 == p->rest : asked == p->rest + 1);
	default:
		return 0;
	}
}

/* Why the call before was cut short, from how the next one ended. */
static enum cause cut_by(const struct place *p, const struct sys_event *ev, enum end end)
{
	if (end == END_NO_ROOM)
		return CAUSE_BUFFER;
	if (end == END_REFUSED)
		return CAUSE_REFUSED;
	if (!goes_on(p, ev) || end == END_OTHER)
		return CAUSE_UNKNOWN;
	if (ev->m.batch_asked < p->rest)
		return CAUSE_REFUSED;
	/* The rest could go. Where a call need not wait for room, it was that; where it waits,
	 * something else cut it, and the error was gone by then (a peer's ICMP message, for one).
	 */
	if (p->blocking == BLOCKING_NO)
		return CAUSE_BUFFER;
	return p->blocking == BLOCKING_YES && is_messages(ev) ? CAUSE_REFUSED : CAUSE_UNKNOWN;
}

static enum cause judge_whole(struct causes *c, const struct place *p, const struct sys_event *ev)
{
	if (p && goes_on(p, ev))
		return p->cause;
	return is_messages(ev) && sends_on(c, ev, ev->m.batch_moved)
		       ? (c->attached ? CAUSE_EXCHANGED : CAUSE_RECEIVED)
		       : CAUSE_CALLER;
}

static enum cause judge_give(
	struct causes *c, const struct place *p, const struct sys_event *ev, enum end end)
{
	if (end == END_NO_ROOM)
		return CAUSE_BUFFER;
	if (end == END_REFUSED)
		return CAUSE_REFUSED;
	if (ev->m.batch_moved >= KERNEL_MAX && ev->def->unit != BATCH_SUBMISSIONS)
		return CAUSE_KERNEL;
	return end == END_CUT ? CAUSE_UNKNOWN : judge_whole(c, p, ev);
}

/* What the next call is held against. 1 if it decides why this one was cut. */
static int remember(
	struct causes *c, const struct sys_event *ev, enum end end, const struct caused *this)
{
	struct place *p =
		end == END_WHOLE ? find_place(c, ev, WAY_GIVE) : make_place(c, ev, WAY_GIVE);
	int dontwait = is_messages(ev) && (ev->args[3] & MSG_DONTWAIT);

	if (!p)
		return 0;
	p->end = end;
	p->rest = ev->m.batch_asked - (end == END_CUT ? ev->m.batch_moved : 0);
	p->cause = this->cause;
	p->waits = end == END_CUT && this->cause == CAUSE_UNKNOWN;
	p->blocking = dontwait ? BLOCKING_NO : ev->blocking;
	p->def = ev->def;
	p->phase = this->phase;
	return p->waits;
}

static size_t add_give(
	struct causes *c, const struct sys_event *ev, uint8_t phase, struct caused ret[2])
{
	struct place *p = find_place(c, ev, WAY_GIVE);
	enum end end = end_of(ev);
	struct caused this = {ev->def, ev->thread_id, ev->fd_id, phase, CAUSE_UNKNOWN};
	size_t n = 0;

	if (p && p->waits) {
		p->cause = cut_by(p, ev, end);
		p->waits = 0;
		ret[n++] = judged(p);
	}
	if (end == END_OTHER)
		return n;
	this.cause = judge_give(c, p, ev, end);
	if (!remember(c, ev, end, &this))
		ret[n++] = this;
	if (is_messages(ev) && sys_ok(ev)) {
		sent(c, ev, ev->m.batch_moved);
		if (capped(ev->thread_id))
			c->threads[ev->thread_id].since = 0;
	} else if (strcmp(ev->def->name, "io_submit") == 0 && sys_ok(ev) && capped(ev->thread_id)) {
		c->threads[ev->thread_id].submitted += ev->m.batch_moved;
	}
	return n;
}

/* ---- all ---- */

static void sent_one(struct causes *c, const struct sys_event *ev)
{
	sent(c, ev, 1);
	if (capped(ev->thread_id) && c->threads[ev->thread_id].since)
		c->threads[ev->thread_id].since--;
}

size_t causes_add(struct causes *c, const struct sys_event *ev, uint8_t phase, struct caused ret[2])
{
	if (ev->def->class == CLASS_WAIT && capped(ev->thread_id) && is_long(ev))
		c->threads[ev->thread_id].waited_ns = ev->exit_ns;
	switch (role_of(c, ev->def)) {
	case ROLE_TAKE:
		return add_take(c, ev, phase, ret);
	case ROLE_FILL:
		return add_fill(ev, phase, ret);
	case ROLE_GIVE:
		return add_give(c, ev, phase, ret);
	case ROLE_TAKE_ONE:
		if (sys_ok(ev))
			received(c, ev, 1);
		break;
	case ROLE_GIVE_ONE:
		if (sys_ok(ev))
			sent_one(c, ev);
		break;
	case ROLE_NONE:
		break;
	}
	return 0;
}

int causes_end(struct causes *c, struct caused *ret)
{
	while (c->ended < c->places.len) {
		struct place *p = c->places.at[c->ended++];

		if (!p->waits)
			continue;
		p->waits = 0;
		*ret = judged(p);
		return 1;
	}
	return 0;
}

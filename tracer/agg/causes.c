/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/agg/causes.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "common/model/enough.h"
#include "tracer/agg/call.h"
#include "tracer/agg/exchange.h"
#include "tracer/agg/rows.h"

/* sendmmsg and the calls of iovecs take no more (UIO_MAXIOV). */
#define KERNEL_MAX 1024

/* A call that takes what is there is over sooner: longer, and it waited. */
#define TAKE_NS (20 * NS_PER_US)
/* Two calls that are so far apart are back to back. */
#define BACK_TO_BACK_NS TAKE_NS
#define TAKE_STOPPED_NS (100 * NS_PER_US) /* what two stops may add */

enum role {
	ROLE_NONE = 1,
	ROLE_TAKE,     /* a batch of what is there */
	ROLE_TAKE_ONE, /* a message */
	ROLE_FILL,     /* readv: what is there, into all of these */
	ROLE_READ,
	ROLE_WAIT,     /* until something is there to take */
	ROLE_WATCH,    /* what an epoll tells of */
	ROLE_GIVE,     /* a batch */
	ROLE_GIVE_ONE, /* a message */
	ROLE_WRITE,
};

/* How a call that gives ended. */
enum end { END_WHOLE, END_CUT, END_NO_ROOM, END_REFUSED, END_OTHER };

enum way { WAY_TAKE, WAY_GIVE };

/* recvmmsg looks at its timeout when it has taken a message: what ended it may be this. Nothing
 * else did if it would have waited for more. */
enum timed { TIMED_NOT, TIMED_MAYBE, TIMED_SURELY };

/* The last call on a descriptor, that way, if the next one is held against it: one that took all it
 * asked for, of whichever thread, or one of a thread that did not give all. */
struct place {
	const struct sys_def *def;
	uint32_t thread_id, fd_id;
	uint64_t rest; /* units that it left, or all of a call that failed */
	uint64_t end_ns;
	enum end end;
	enum cause cause; /* of it, and of the call that takes its rest */
	uint8_t waits;    /* the next call decides what it was */
	uint8_t timed;    /* enum timed: what it took was less than all */
	uint8_t waited, phase;
};

/* What is said of calls on a descriptor as long as only one thread has been seen on it, and what is
 * so if another was. */
struct supposed {
	struct caused of;
	enum cause otherwise;
	struct supposed *next; /* of the descriptor */
};

struct causes {
	int times, attached;
	struct exchange *exchange; /* owned */
	uint8_t *roles;            /* by def->index; 0: not known yet */
	size_t roles_len;
	struct arena arena;
	struct map index; /* descriptor, way and thread -> struct place */
	struct {
		struct place **at;
		size_t len, cap;
	} places;
	/* By causes_end: places, descriptors, and what is said now of what it took back last. */
	size_t ended, checked;
	const struct supposed *taken_back;
	struct {
		uint64_t submitted; /* by io_submit, and not got yet */
		/* Entry of its last wait by epoll, poll or select, and how many it was told of,
		 * less those it has received from since; of its last call that gave something. */
		uint64_t told_ns, told, gave_ns;
	} threads[AGG_ROWS_MAX + 1];
	struct {
		uint8_t no_room, refuses; /* a call on it has failed so */
		uint8_t unseen;           /* it told of more than was seen to be added to it */
		uint32_t watched; /* of an epoll: added to it and not taken out, but by a close */
		struct supposed *supposed;
	} fds[AGG_ROWS_MAX + 1];
};

struct causes *causes_new(int times)
{
	struct causes *c = mem_calloc(1, sizeof(*c));

	c->times = times;
	c->exchange = exchange_new(times);
	return c;
}

void causes_attached(struct causes *c)
{
	c->attached = 1;
	exchange_attached(c->exchange);
}

void causes_free(struct causes *c)
{
	if (!c)
		return;
	exchange_free(c->exchange);
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
	if (strcmp(name, "read") == 0)
		return ROLE_READ;
	if (strcmp(name, "write") == 0)
		return ROLE_WRITE;
	if (strcmp(name, "epoll_ctl") == 0)
		return ROLE_WATCH;
	if (def->class == CLASS_WAIT && (strstr(name, "poll") || strstr(name, "select")))
		return ROLE_WAIT;
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

/* ---- calls that are remembered ---- */

/* What is said of the call, and is otherwise if another thread is seen on the descriptor. Of each
 * there are few: a thread's calls, phases and causes. */
static enum cause suppose(
	struct causes *c, const struct sys_event *ev, struct caused of, enum cause otherwise)
{
	struct supposed **at = &c->fds[rows_id(ev->fd_id)].supposed;

	for (; *at; at = &(*at)->next)
		if ((*at)->of.def == of.def && (*at)->of.thread_id == of.thread_id &&
			(*at)->of.phase == of.phase && (*at)->of.cause == of.cause) {
			(*at)->of.n++;
			return of.cause;
		}
	*at = arena_alloc(&c->arena, 1, sizeof(**at));
	**at = (struct supposed){.of = of, .otherwise = otherwise};
	return of.cause;
}

static uint64_t place_key(const struct sys_event *ev, enum way way)
{
	/* Ids are below 2^13. What is there is there for all threads. */
	uint64_t thread = way == WAY_TAKE && ev->fd_id ? 0 : ev->thread_id;

	return (thread << 32 | ev->fd_id) << 1 | way;
}

static struct place *find_place(struct causes *c, const struct sys_event *ev, enum way way)
{
	return c->index.len ? map_get(&c->index, place_key(ev, way)) : NULL;
}

/* NULL: there is no room for more. */
static struct place *make_place(struct causes *c, const struct sys_event *ev, enum way way)
{
	struct place *p = find_place(c, ev, way);

	if (p || c->places.len == AGG_ROWS_MAX || !rows_id(ev->thread_id) ||
		ev->fd_id > AGG_ROWS_MAX)
		return p;
	p = arena_alloc(&c->arena, 1, sizeof(*p));
	map_set(&c->index, place_key(ev, way), p);
	*VEC_PUSH(&c->places) = p;
	return p;
}

static void remember(
	struct place *p, const struct sys_event *ev, const struct caused *this, int waits)
{
	p->def = ev->def;
	p->thread_id = ev->thread_id;
	p->fd_id = ev->fd_id;
	p->phase = this->phase;
	p->cause = this->cause;
	p->end_ns = ev->exit_ns;
	p->waits = (uint8_t)waits;
}

static struct caused judged(const struct place *p)
{
	return (struct caused){p->def, p->thread_id, p->fd_id, p->phase, p->cause, 1};
}

static int is_messages(const struct sys_event *ev)
{
	return ev->def->unit == BATCH_MESSAGES;
}

/* ---- calls that take ---- */

/* What errors say of the descriptor. One of a message that was sent may be told by a receipt. */
static void note_errors(struct causes *c, const struct sys_event *ev, enum way way)
{
	uint32_t fd = rows_id(ev->fd_id);

	if (!fd || sys_ok(ev) || ev->outcome != SYS_RETURNED)
		return;
	if (ev->ret == -EAGAIN || ev->ret == -ENOBUFS)
		c->fds[fd].no_room |= way == WAY_GIVE;
	else if (ev->ret != -EINTR && ev->ret != -EBADF && ev->ret != -EFAULT && ev->ret != -ENOMEM)
		c->fds[fd].refuses = 1;
}

/* Where it says that it does not wait, a call that took long was kept by something else. */
static int may_wait(const struct sys_event *ev)
{
	const char *name = ev->def->name;

	if (strcmp(name, "epoll_wait") == 0 || strcmp(name, "epoll_pwait") == 0)
		return (int32_t)ev->args[3] != 0;
	if (strcmp(name, "poll") == 0)
		return (int32_t)ev->args[2] != 0;
	if (ev->def->class == CLASS_WAIT)
		return 1;
	return call_may_wait(ev, sys_flags(ev));
}

static uint64_t stopped_ns(const struct sys_event *ev)
{
	return ev->seen == SEEN_RECORDED ? 0 : TAKE_STOPPED_NS;
}

/* After since_ns it took longer than for what it moved. */
static int has_waited_since(const struct causes *c, const struct sys_event *ev, uint64_t since_ns)
{
	uint64_t most = TAKE_NS;

	if (ev->m.batch_moved != NOT_MEASURED && sys_ok(ev))
		most += TAKE_EACH_NS * ev->m.batch_moved;
	if (ev->m.bytes_moved != NOT_MEASURED && sys_ok(ev))
		most += TAKE_BYTE_NS * ev->m.bytes_moved;
	most += stopped_ns(ev);
	if (since_ns < ev->entry_ns)
		since_ns = ev->entry_ns;
	return c->times && ev->exit_ns > since_ns && ev->exit_ns - since_ns > most && may_wait(ev);
}

static int has_waited(const struct causes *c, const struct sys_event *ev)
{
	return has_waited_since(c, ev, 0);
}

/* Its thread waited, and was told of so many descriptors. */
static void note_wait(struct causes *c, const struct sys_event *ev)
{
	uint32_t thread = rows_id(ev->thread_id);

	if (thread && sys_ok(ev) && has_waited(c, ev)) {
		c->threads[thread].told_ns = ev->entry_ns;
		c->threads[thread].told = (uint64_t)ev->ret;
	}
}

/* Its thread gave others something: that matters to calls that are remembered. */
static void note_gift(struct causes *c, const struct sys_event *ev)
{
	uint32_t thread = rows_id(ev->thread_id);

	if (c->index.len && thread && sys_ok(ev))
		c->threads[thread].gave_ns = ev->entry_ns;
}

/* Does such a call wait until all have come? */
static int waits_for_all(const struct sys_event *ev)
{
	if (is_messages(ev))
		return !(sys_flags(ev) & MSG_WAITFORONE);
	/* io_getevents waits for as many as its second argument says, epoll for one. */
	return strstr(ev->def->name, "getevents") && ev->args[1] == ev->args[2];
}

/* All that the thread had submitted: no more can come. */
static int are_all_submitted(const struct causes *c, const struct sys_event *ev)
{
	uint32_t thread = rows_id(ev->thread_id);

	return thread && strstr(ev->def->name, "getevents") &&
	       c->threads[thread].submitted == ev->m.batch_moved;
}

static void note_watch(struct causes *c, const struct sys_event *ev)
{
	uint32_t fd = rows_id(ev->fd_id);

	if (!fd || !sys_ok(ev))
		return;
	if ((int32_t)ev->args[1] == EPOLL_CTL_ADD)
		c->fds[fd].watched++;
	else if ((int32_t)ev->args[1] == EPOLL_CTL_DEL && c->fds[fd].watched)
		c->fds[fd].watched--;
}

/* All that the epoll watches: it cannot tell of more. */
static int are_all_watched(struct causes *c, const struct sys_event *ev)
{
	uint32_t fd = rows_id(ev->fd_id);

	if (!fd || is_messages(ev) || !c->fds[fd].watched)
		return 0;
	c->fds[fd].unseen |= ev->m.batch_moved > c->fds[fd].watched;
	return !c->attached && !c->fds[fd].unseen && ev->m.batch_moved == c->fds[fd].watched;
}

/* An error after the first message ends the call, and the kernel gives it to the next one. */
static int may_be_cut(const struct sys_event *ev)
{
	return is_messages(ev) && ev->m.batch_moved < ev->m.batch_asked;
}

/* A call that got less than it asked for, at once, though it had a time limit. */
static enum timed timed_of(const struct causes *c, const struct sys_event *ev)
{
	if (!may_be_cut(ev) || !ev->args[4] || has_waited(c, ev))
		return TIMED_NOT;
	return waits_for_all(ev) && ev->blocking == BLOCKING_YES && !(sys_flags(ev) & MSG_DONTWAIT)
		       ? TIMED_SURELY
		       : TIMED_MAYBE;
}

/* 1 if the call took all that it asked for at once, or what its time limit let it take, or an error
 * may have ended it: the next one tells whether there was more. */
static int judge_take(struct causes *c, const struct sys_event *ev, struct caused *this)
{
	struct exchanged x;

	this->cause = CAUSE_ARRIVALS;
	if (may_be_cut(ev))
		return 1;
	if (ev->m.batch_moved < ev->m.batch_asked || (waits_for_all(ev) && has_waited(c, ev)) ||
		are_all_submitted(c, ev) || are_all_watched(c, ev))
		return 0;
	if (!is_messages(ev))
		return 1;
	x = exchange_of_received(c->exchange, ev);
	if (x.first == FIRST_NOT)
		return 1;
	if (x.first == FIRST_UNTOLD)
		this->cause = CAUSE_EXCHANGED;
	else if (x.is_supposed)
		this->cause = suppose(c, ev, *this, CAUSE_UNKNOWN);
	return 0;
}

/* Was more there when the call was over that took all it asked for? What its thread waited for
 * between them was this, if it was told of so many. When it has given others something, or some
 * time has gone, it may have come since; so it may where it was another thread's that was under way
 * already: of that one's time only what is left says that it waited. Where several processes
 * receive another one may have taken what was there. */
static enum cause judge_next(
	const struct causes *c, const struct place *p, const struct sys_event *ev)
{
	uint32_t thread = rows_id(ev->thread_id);

	if (!sys_ok(ev) && ev->ret != -EAGAIN)
		return CAUSE_UNKNOWN;
	if (p->end == END_CUT && !p->timed)
		return CAUSE_ARRIVALS;
	if (!sys_ok(ev) || !ev->ret || has_waited_since(c, ev, p->end_ns))
		return ev->shared ? CAUSE_UNKNOWN : CAUSE_ARRIVALS;
	if (thread && c->threads[thread].told && c->threads[thread].told_ns >= p->end_ns)
		return CAUSE_ARRIVALS;
	if ((thread && c->threads[thread].gave_ns >= p->end_ns) || has_waited(c, ev) ||
		ev->entry_ns > p->end_ns + BACK_TO_BACK_NS + stopped_ns(ev))
		return p->timed == TIMED_SURELY ? CAUSE_TIME
		       : p->timed               ? CAUSE_ARRIVALS
						: CAUSE_MET;
	return p->timed ? CAUSE_TIME : CAUSE_LIMIT;
}

/* One of the descriptors that its thread was told of. */
static void heard(struct causes *c, const struct sys_event *ev)
{
	uint32_t thread = rows_id(ev->thread_id);

	if (thread && c->threads[thread].told)
		c->threads[thread].told--;
}

/* An error that may have ended the call before. */
static int is_left_over(const struct place *p, const struct sys_event *ev)
{
	return p->end == END_CUT && !sys_ok(ev) && ev->ret != -EINTR;
}

/* Returns how many are judged by this call that receives: the one before it, or none. */
static size_t settle(struct causes *c, const struct sys_event *ev, struct caused *ret)
{
	struct place *p = find_place(c, ev, WAY_TAKE);
	size_t n = 0;

	note_errors(c, ev, WAY_TAKE);
	if (p && p->waits && (sys_ok(ev) || ev->ret == -EAGAIN || is_left_over(p, ev))) {
		p->cause = judge_next(c, p, ev);
		p->waits = 0;
		ret[n++] = judged(p);
	}
	heard(c, ev);
	return n;
}

static void got_events(struct causes *c, const struct sys_event *ev)
{
	uint32_t thread = rows_id(ev->thread_id);

	if (thread && strstr(ev->def->name, "getevents"))
		c->threads[thread].submitted -= ev->m.batch_moved < c->threads[thread].submitted
							? ev->m.batch_moved
							: c->threads[thread].submitted;
}

static size_t add_take(
	struct causes *c, const struct sys_event *ev, uint8_t phase, struct caused ret[2])
{
	struct caused this = {ev->def, ev->thread_id, ev->fd_id, phase, CAUSE_ARRIVALS, 1};
	enum timed timed;
	struct place *p;
	size_t n;

	if (ev->outcome != SYS_RETURNED || (sys_flags(ev) & MSG_ERRQUEUE))
		return 0;
	n = settle(c, ev, ret);
	if (!sys_ok(ev) || !ev->m.batch_moved || ev->m.batch_moved == NOT_MEASURED ||
		ev->m.batch_asked == NOT_MEASURED || (sys_flags(ev) & MSG_PEEK))
		return n; /* it brought nothing */
	if (!judge_take(c, ev, &this)) {
		ret[n++] = this;
	} else {
		timed = timed_of(c, ev);
		if (!may_be_cut(ev) || timed)
			this.cause = CAUSE_UNKNOWN;
		p = c->times || this.cause != CAUSE_UNKNOWN ? make_place(c, ev, WAY_TAKE) : NULL;
		if (p) {
			remember(p, ev, &this, 1);
			p->timed = (uint8_t)timed;
			p->end = may_be_cut(ev) ? END_CUT : END_WHOLE;
		} else {
			ret[n++] = this;
		}
	}
	if (is_messages(ev))
		exchange_received(c->exchange, ev, ev->m.batch_moved);
	else
		got_events(c, ev);
	return n;
}

static size_t add_take_one(struct causes *c, const struct sys_event *ev, struct caused *ret)
{
	size_t n;

	if (ev->outcome != SYS_RETURNED || (sys_flags(ev) & MSG_ERRQUEUE))
		return 0;
	n = settle(c, ev, ret);
	if (sys_ok(ev) && !(sys_flags(ev) & MSG_PEEK))
		exchange_received(c->exchange, ev, 1);
	return n;
}

/* readv: what it is given is filled, or no more was there. */
static size_t add_fill(const struct sys_event *ev, uint8_t phase, struct caused *ret)
{
	if (!sys_ok(ev) || ev->m.batch_asked == NOT_MEASURED || !ev->m.batch_moved ||
		ev->m.batch_moved == NOT_MEASURED)
		return 0;
	*ret = (struct caused){ev->def, ev->thread_id, ev->fd_id, phase,
		ev->m.batch_moved < ev->m.batch_asked ? CAUSE_ARRIVALS : CAUSE_CALLER, 1};
	return 1;
}

/* ---- calls that give ---- */

/* Of the last buffer, or message of a stream, only a part went. */
static int is_cut_in_last(const struct sys_event *ev)
{
	return ev->m.bytes_asked != NOT_MEASURED && ev->m.bytes_moved < ev->m.bytes_asked;
}

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
	return ev->m.batch_moved < ev->m.batch_asked || is_cut_in_last(ev) ? END_CUT : END_WHOLE;
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

/* The rest of a batch that was cut could go. What cut it was told to nobody: a stream had no room,
 * and a call that waited has waited for room, until a signal or its time was over. Of messages it
 * may have been an error, as a peer's ICMP: that is what the descriptor's other calls tell. */
static enum cause cut_silently(
	const struct causes *c, const struct place *p, const struct sys_event *ev)
{
	uint32_t fd = rows_id(ev->fd_id);

	if (ev->def->unit == BATCH_IOVECS)
		return CAUSE_BUFFER;
	if (!is_messages(ev))
		return CAUSE_UNKNOWN;
	if (fd && c->fds[fd].no_room != c->fds[fd].refuses)
		return c->fds[fd].no_room ? CAUSE_BUFFER : CAUSE_REFUSED;
	return p->waited ? CAUSE_BUFFER : CAUSE_UNKNOWN;
}

/* An error that is about what is next of a batch that was cut. */
static int is_about_rest(const struct sys_event *ev)
{
	return ev->outcome == SYS_RETURNED && !sys_ok(ev) && ev->ret != -EINTR &&
	       ev->ret != -EPIPE && ev->ret != -ECONNRESET && ev->ret != -ENOMEM;
}

/* Why the call before was cut short, from how the next one ended. */
static enum cause cut_by(
	const struct causes *c, const struct place *p, const struct sys_event *ev, enum end end)
{
	if (end == END_NO_ROOM)
		return CAUSE_BUFFER;
	if (end == END_REFUSED || is_about_rest(ev))
		return CAUSE_REFUSED;
	if (!goes_on(p, ev) || end == END_OTHER)
		return CAUSE_UNKNOWN;
	/* Of messages, one was left out. */
	return ev->m.batch_asked < p->rest ? CAUSE_REFUSED : cut_silently(c, p, ev);
}

static enum cause judge_whole(struct causes *c, const struct place *p, const struct sys_event *ev,
	const struct caused *this)
{
	struct exchanged x;
	struct caused said = *this;

	if (p && goes_on(p, ev))
		return p->cause;
	said.cause = CAUSE_CALLER;
	if (!is_messages(ev))
		return said.cause;
	x = exchange_of_sent(c->exchange, ev);
	said.cause = x.first == FIRST_NOT     ? CAUSE_CALLER
		     : x.first == FIRST_KNOWN ? CAUSE_RECEIVED
					      : CAUSE_EXCHANGED;
	return x.is_supposed ? suppose(c, ev, said, CAUSE_EXCHANGED) : said.cause;
}

static enum cause judge_give(struct causes *c, const struct place *p, const struct sys_event *ev,
	enum end end, const struct caused *this)
{
	if (end == END_NO_ROOM)
		return CAUSE_BUFFER;
	if (end == END_REFUSED)
		return CAUSE_REFUSED;
	if (ev->m.batch_moved >= KERNEL_MAX && ev->def->unit != BATCH_SUBMISSIONS)
		return CAUSE_KERNEL;
	return end == END_CUT ? CAUSE_UNKNOWN : judge_whole(c, p, ev, this);
}

/* What the next call is held against. 1 if it decides why this one was cut. */
static int keep_rest(
	struct causes *c, const struct sys_event *ev, enum end end, const struct caused *this)
{
	struct place *p =
		end == END_WHOLE ? find_place(c, ev, WAY_GIVE) : make_place(c, ev, WAY_GIVE);

	if (!p)
		return 0;
	remember(p, ev, this, end == END_CUT && this->cause == CAUSE_UNKNOWN);
	p->end = end;
	p->rest = ev->m.batch_asked - (end == END_CUT ? ev->m.batch_moved : 0);
	p->waited = (uint8_t)has_waited(c, ev);
	return p->waits;
}

static void gave(struct causes *c, const struct sys_event *ev, enum cause cause)
{
	uint32_t thread = rows_id(ev->thread_id);

	if (is_messages(ev)) {
		exchange_sent_batch(c->exchange, ev, cause == CAUSE_CALLER);
	} else if (thread && ev->def->unit == BATCH_SUBMISSIONS &&
		   strcmp(ev->def->name, "io_submit") == 0) {
		c->threads[thread].submitted += ev->m.batch_moved;
	}
}

static size_t add_give(
	struct causes *c, const struct sys_event *ev, uint8_t phase, struct caused ret[2])
{
	struct place *p = find_place(c, ev, WAY_GIVE);
	enum end end = end_of(ev);
	struct caused this = {ev->def, ev->thread_id, ev->fd_id, phase, CAUSE_UNKNOWN, 1};
	size_t n = 0;

	if (is_messages(ev))
		note_errors(c, ev, WAY_GIVE);
	if (p && p->waits) {
		p->cause = cut_by(c, p, ev, end);
		p->waits = 0;
		ret[n++] = judged(p);
	}
	if (end == END_OTHER)
		return n;
	this.cause = judge_give(c, p, ev, end, &this);
	if ((!p && end == END_WHOLE) || !keep_rest(c, ev, end, &this))
		ret[n++] = this; /* nothing is left */
	if (sys_ok(ev))
		gave(c, ev, this.cause);
	return n;
}

/* ---- all ---- */

static void add_give_one(struct causes *c, const struct sys_event *ev)
{
	note_errors(c, ev, WAY_GIVE);
	if (!sys_ok(ev))
		return;
	exchange_sent_one(c->exchange, ev);
}

/* The kernel moves no batch beyond 32 bits: what does is no call that could be judged. */
static int is_possible(const struct sys_event *ev)
{
	return ev->m.batch_moved == NOT_MEASURED || ev->m.batch_moved <= UINT32_MAX;
}

size_t causes_add(struct causes *c, const struct sys_event *ev, uint8_t phase, struct caused ret[2])
{
	enum role role = role_of(c, ev->def);
	size_t n = 0;

	if (!is_possible(ev))
		return 0;
	switch (role) {
	case ROLE_TAKE:
		n = add_take(c, ev, phase, ret);
		if (strstr(ev->def->name, "epoll"))
			note_wait(c, ev);
		break;
	case ROLE_TAKE_ONE:
		n = add_take_one(c, ev, ret);
		break;
	case ROLE_FILL:
		n = add_fill(ev, phase, ret);
		break;
	case ROLE_READ:
		heard(c, ev);
		break;
	case ROLE_WAIT:
		note_wait(c, ev);
		break;
	case ROLE_GIVE:
		n = add_give(c, ev, phase, ret);
		note_gift(c, ev);
		break;
	case ROLE_GIVE_ONE:
		add_give_one(c, ev);
		note_gift(c, ev);
		break;
	case ROLE_WRITE:
		note_gift(c, ev);
		break;
	case ROLE_WATCH:
		note_watch(c, ev);
		break;
	case ROLE_NONE:
		break;
	}
	return n;
}

/* What was supposed of a descriptor on which another thread was seen: taken back, and then what is
 * so. */
static int correct(struct causes *c, struct caused *ret)
{
	const struct supposed *wrong = c->taken_back;

	if (wrong) {
		*ret = wrong->of;
		ret->cause = wrong->otherwise;
		c->taken_back = NULL;
		return 1;
	}
	for (; c->checked <= AGG_ROWS_MAX; c->checked++) {
		struct supposed **first = &c->fds[c->checked].supposed;

		if (!*first || !exchange_is_shared(c->exchange, (uint32_t)c->checked))
			continue;
		c->taken_back = *first;
		*first = (*first)->next;
		*ret = c->taken_back->of;
		ret->n = -ret->n;
		return 1;
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
	return correct(c, ret);
}

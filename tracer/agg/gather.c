/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/agg/gather.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "common/base/clock.h"
#include "common/base/map.h"
#include "common/base/mem.h"
#include "tracer/agg/rows.h"

#define UNITS_MAX 1024 /* UIO_MAXIOV: no call takes more */
#define NEVER     UINT64_MAX

enum { LIMITS = 4 };

static const struct limit {
	uint64_t units, ns;
} limits[LIMITS] = {
	{8, NEVER},
	{32, NEVER},
	{UNITS_MAX, 50 * NS_PER_US},
	{UNITS_MAX, NS_PER_MS},
};

/* The group that is held, and what came of those before it. */
struct way {
	uint64_t first_ns, since_ns; /* its first call's entry; sum of the others' times after it */
	uint32_t calls, units;       /* at most UNITS_MAX */
	uint64_t groups, delay_ns;
};

/* What one thread sends on one descriptor by one call. */
struct place {
	const struct sys_def *def;
	uint32_t thread_id, fd_id;
	uint64_t calls;
	uint64_t last_ns; /* entry of the last one */
	uint64_t end;     /* of it in the file, where the call says where it begins */
	uint64_t flags;   /* of its last call, that one call has for all */
	uint64_t cut_ns;  /* another thread ended what is held safely; NEVER: not yet */
	uint8_t path;     /* enum path */
	uint8_t messages; /* each of its writes is one */
	uint8_t synced;   /* each is on the disk when it is over */
	uint8_t on_fd;    /* in the list of its descriptor */
	uint8_t apart;    /* something was ended: until then what is safe is what is free */
	struct place *next, **from;
	struct way free[LIMITS], safe[LIMITS];
};

/* Where a place is: what it sends says where in a file, or not. */
enum { ANYWHERE, ON_FILE, WAYS };

struct gather {
	struct arena arena; /* of the places */
	struct map index;   /* by thread, descriptor and call */
	struct {
		struct place **at;
		size_t len, cap;
	} places;
	/* What a thread holds back, by thread_id: in one place of each way, as a send in another
	 * one ends it. */
	struct place *held[WAYS][AGG_ROWS_MAX + 1];
	struct watched {
		struct place *held; /* where something is held that a call on it ends */
		struct place *last; /* found last */
		uint64_t cut_ns;    /* end of the last call on it that is no send */
		uint64_t place;     /* in the file, of the last write that said it, plus 1 */
	} fds[AGG_ROWS_MAX + 1];    /* by fd_id */
	/* By thread_id: what was asked last about files, after its last send; 0: nothing. */
	uint64_t asked[AGG_ROWS_MAX + 1];
	uint64_t left_out; /* calls that could be gathered, in places beyond AGG_ROWS_MAX */
};

struct gather *gather_new(void)
{
	return mem_calloc(1, sizeof(struct gather));
}

void gather_free(struct gather *g)
{
	if (!g)
		return;
	map_release(&g->index);
	arena_release(&g->arena);
	free(g->places.at);
	free(g);
}

/* ---- groups ---- */

static void way_send(struct way *w, uint64_t at_ns)
{
	w->groups++;
	w->delay_ns += w->calls * (at_ns - w->first_ns) - w->since_ns;
	w->since_ns = 0;
	w->calls = w->units = 0;
}

/* When the group goes if nothing joins it until at_ns. */
static uint64_t due(const struct way *w, const struct limit *l, uint64_t at_ns)
{
	return at_ns - w->first_ns > l->ns ? w->first_ns + l->ns : at_ns;
}

static inline void join(struct way *w, const struct limit *l, uint64_t at_ns, uint32_t units)
{
	if (w->calls && (at_ns - w->first_ns > l->ns || w->units + units > UNITS_MAX))
		way_send(w, due(w, l, at_ns));
	if (!w->calls)
		w->first_ns = at_ns;
	w->calls++;
	w->units += units;
	w->since_ns += at_ns - w->first_ns;
	if (w->units >= l->units)
		way_send(w, at_ns);
}

static void ways_end(struct way *ways, uint64_t at_ns)
{
	for (int i = 0; i < LIMITS; i++)
		if (ways[i].calls)
			way_send(&ways[i], due(&ways[i], &limits[i], at_ns));
}

/* ---- what is held safely ---- */

static void list(struct gather *g, struct place *p)
{
	struct watched *fd = &g->fds[p->fd_id];

	p->on_fd = 1;
	p->from = &fd->held;
	p->next = fd->held;
	if (p->next)
		p->next->from = &p->next;
	fd->held = p;
}

static void unlist(struct place *p)
{
	if (!p->on_fd)
		return;
	p->on_fd = 0;
	*p->from = p->next;
	if (p->next)
		p->next->from = p->from;
}

/* What is held goes: at at_ns, or when another thread ended it. */
static void settle(struct place *p, uint64_t at_ns)
{
	uint64_t at = p->cut_ns < at_ns ? p->cut_ns : at_ns;

	if (!p->apart)
		memcpy(p->safe, p->free, sizeof(p->safe));
	p->apart = 1;
	ways_end(p->safe, at > p->last_ns ? at : p->last_ns);
	p->cut_ns = NEVER;
}

/* 1 if the call may see what is held on a file, by another descriptor of it or by its path. */
static int is_about_files(const struct sys_event *ev)
{
	return ev->def->class == CLASS_FILE || (ev->fd_id && ev->path != PATH_NO);
}

/* 1 if the call says where in its file it begins, and that was no error, as it is on a socket or
 * pipe (ESPIPE): no peer is behind it. */
static int is_on_file(const struct sys_event *ev)
{
	return ev->def->offset && (int64_t)(sys_place(ev) + 1) > 0 && sys_ok(ev) &&
	       ev->path != PATH_NO;
}

/* 1 if what is written is where the last one was, which may tell others; it is the last from now
 * on. */
static int writes_again(struct gather *g, const struct sys_event *ev)
{
	uint32_t fd = rows_id(ev->fd_id);
	uint64_t was;

	if (!ev->def->gather || !fd)
		return 0;
	was = g->fds[fd].place;
	g->fds[fd].place = sys_place(ev) + 1;
	return g->fds[fd].place == was;
}

/* 1 if the thread asks the same about files as it has just done, and has sent nothing since: it
 * waits for what another makes of them. */
static int asks_again(struct gather *g, const struct sys_event *ev)
{
	uint64_t was = g->asked[ev->thread_id];

	if (!is_about_files(ev) || ev->def->gather)
		return 0;
	g->asked[ev->thread_id] =
		((uint64_t)ev->def->index << 16 | ev->fd_id) + 1 + (sys_place(ev) << 32);
	return g->asked[ev->thread_id] == was;
}

/* What the call's thread holds goes before the call, where it must; not that of one place. */
static void release(struct gather *g, const struct sys_event *ev, const struct place *but)
{
	int for_itself = is_on_file(ev) && !writes_again(g, ev);
	int waits = asks_again(g, ev) || (sys_waits(ev->def) && !for_itself);

	for (int i = 0; i < WAYS; i++) {
		struct place *p = g->held[i][ev->thread_id];

		if (!p || p == but)
			continue;
		if (!waits && p->fd_id != ev->fd_id && !(p->path != PATH_NO && is_about_files(ev)))
			continue;
		settle(p, ev->entry_ns);
		unlist(p);
		g->held[i][ev->thread_id] = NULL;
	}
}

/* A call on the descriptor is over that is no send. What it ends is settled when the thread that
 * holds it comes by: it may have entered a call before that is not over yet. */
static void cut(struct gather *g, const struct sys_event *ev)
{
	struct watched *fd = &g->fds[ev->fd_id];

	if (ev->exit_ns > fd->cut_ns)
		fd->cut_ns = ev->exit_ns;
	while (fd->held) {
		fd->held->cut_ns = ev->exit_ns;
		unlist(fd->held);
	}
}

/* Another thread's send of bytes: what is held had come before it, and stays before it. Messages
 * have no such order, nor has what says where in the file it goes. */
static void keep_order(struct gather *g, const struct sys_event *ev)
{
	struct place *p = g->fds[ev->fd_id].held, *next;

	if ((ev->takes & TAKES_MESSAGES) || ev->def->offset)
		return;
	for (; p; p = next) {
		next = p->next;
		if (p->thread_id == ev->thread_id)
			continue;
		/* that was under way may have begun before it */
		p->cut_ns = ev->entry_ns > p->last_ns ? ev->entry_ns : p->last_ns;
		unlist(p);
	}
}

/* ---- calls ---- */

static struct place *find(struct gather *g, const struct sys_event *ev)
{
	struct place *p = g->fds[ev->fd_id].last;
	/* Ids are below 2^13, an index is below 2^16. */
	uint64_t key = ((uint64_t)ev->thread_id << 16 | ev->fd_id) << 16 | ev->def->index;

	if (p && p->thread_id == ev->thread_id && p->def == ev->def)
		return p;
	p = map_get(&g->index, key);
	if (!p && g->places.len < AGG_ROWS_MAX) {
		p = arena_alloc(&g->arena, 1, sizeof(*p));
		p->def = ev->def;
		p->thread_id = ev->thread_id;
		p->fd_id = ev->fd_id;
		p->cut_ns = NEVER;
		map_set(&g->index, key, p);
		*VEC_PUSH(&g->places) = p;
	}
	g->fds[ev->fd_id].last = p;
	return p;
}

static uint32_t units_of(const struct sys_event *ev)
{
	uint64_t units = ev->def->unit == BATCH_NONE       ? 1
			 : ev->def->unit == BATCH_MESSAGES ? ev->m.batch_moved
			 : ev->takes & TAKES_MESSAGES      ? 1
							   : ev->m.batch_asked;

	return units && units <= UNITS_MAX ? (uint32_t)units : 1;
}

/* The flags that one call could not have for all that it gathers. That nothing is to wait, and that
 * no signal is wanted, could as well be said of all; a stream goes on after MSG_MORE. */
static uint64_t flags_of(const struct sys_event *ev)
{
	uint64_t all = MSG_DONTWAIT | MSG_NOSIGNAL;

	if (ev->def->class != CLASS_NETWORK)
		return sys_flags(ev);
	if (!(ev->takes & TAKES_MESSAGES))
		all |= MSG_MORE;
	return sys_flags(ev) & ~all;
}

/* What it is after is where it is to stay when the call is over: who makes it may tell others so.
 */
static int is_synced(const struct sys_event *ev)
{
	return (ev->takes & TAKES_SYNCED) ||
	       (ev->def->class != CLASS_NETWORK && (sys_flags(ev) & (RWF_SYNC | RWF_DSYNC)));
}

/* It did not take all: more in it would have been left, too. */
static int is_cut(const struct sys_event *ev)
{
	return (ev->def->unit == BATCH_MESSAGES && ev->m.batch_moved < ev->m.batch_asked) ||
	       (ev->m.bytes_asked != NOT_MEASURED && ev->m.bytes_moved < ev->m.bytes_asked);
}

static void end_all(struct place *p, uint64_t at_ns)
{
	settle(p, at_ns);
	ways_end(p->free, at_ns);
}

/* One call has the same flags for all, and can only take what follows on in the file. */
static void follow_on(struct place *p, const struct sys_event *ev, uint64_t at_ns)
{
	uint64_t begin = ev->def->offset ? sys_place(ev) : p->end;
	uint64_t flags = flags_of(ev);

	if (p->calls && (begin != p->end || flags != p->flags))
		end_all(p, at_ns);
	p->end = ev->def->offset ? begin + (uint64_t)ev->ret : 0;
	p->flags = flags;
}

static void hold(struct gather *g, struct place *p, const struct sys_event *ev)
{
	uint64_t at_ns = ev->entry_ns > p->last_ns ? ev->entry_ns : p->last_ns;
	uint32_t units = units_of(ev);
	uint64_t cut_ns = g->fds[p->fd_id].cut_ns;

	if (p->cut_ns != NEVER)
		settle(p, at_ns);
	follow_on(p, ev, at_ns);
	for (int i = 0; i < LIMITS; i++)
		join(&p->free[i], &limits[i], at_ns, units);
	for (int i = 0; p->apart && i < LIMITS; i++)
		join(&p->safe[i], &limits[i], at_ns, units);
	p->calls++;
	p->last_ns = at_ns;
	p->path = ev->path;
	p->messages = (ev->takes & TAKES_MESSAGES) != 0;
	p->synced = (uint8_t)is_synced(ev);
	if (is_cut(ev))
		end_all(p, at_ns);
	else if (p->synced)
		settle(p, at_ns);
	g->held[ev->def->offset ? ON_FILE : ANYWHERE][p->thread_id] = p;
	if (at_ns < cut_ns) { /* it was under way when that call ended */
		p->cut_ns = cut_ns;
		unlist(p);
	} else if (!p->on_fd) {
		list(g, p);
	}
}

static void add_send(struct gather *g, const struct sys_event *ev)
{
	struct place *p = find(g, ev);

	release(g, ev, p);
	keep_order(g, ev);
	g->asked[ev->thread_id] = 0;
	if (p)
		hold(g, p, ev);
	else
		g->left_out++;
}

static void add_other(struct gather *g, const struct sys_event *ev)
{
	release(g, ev, NULL);
	if (rows_id(ev->fd_id) && sys_ok(ev))
		cut(g, ev);
}

/* Each is a message of its own, and no call makes several; or in a stream something is at its
 * bytes: fds and the like, or that they are urgent. */
static int is_apart(const struct sys_event *ev)
{
	if (ev->takes & TAKES_MESSAGES)
		return !(ev->takes & TAKES_SOCKET);
	return ev->m.control || (ev->def->class == CLASS_NETWORK && (sys_flags(ev) & MSG_OOB));
}

void gather_add(struct gather *g, const struct sys_event *ev)
{
	int gathers = ev->def->gather && ev->fd_id && sys_ok(ev) && !is_apart(ev);

	/* Ids above are those of several threads or descriptors. */
	if (ev->thread_id > AGG_ROWS_MAX)
		g->left_out += (uint64_t)gathers;
	else if (gathers && ev->fd_id <= AGG_ROWS_MAX)
		add_send(g, ev);
	else {
		add_other(g, ev);
		g->left_out += (uint64_t)gathers;
	}
}

/* ---- result ---- */

/* As it is when what it holds goes at at_ns at the latest. */
static struct way ended(struct way w, const struct limit *l, uint64_t at_ns)
{
	if (w.calls)
		way_send(&w, due(&w, l, at_ns));
	return w;
}

static void place_rows(const struct place *p, const struct agg_names *names, struct res_result *r,
	struct res_gathering *rows)
{
	/* The pieces of a message are no messages. */
	int apart = p->messages && p->def->unit != BATCH_MESSAGES;
	const char *change = arena_printf(
		result_arena(r), "%s -> %s", p->def->name, apart ? "sendmmsg" : p->def->gather);
	uint64_t cut_ns = p->cut_ns != NEVER ? p->cut_ns : p->last_ns;

	for (int i = 0; i < LIMITS; i++) {
		struct way all = ended(p->free[i], &limits[i], p->last_ns);
		struct way safe = ended(p->apart ? p->safe[i] : p->free[i], &limits[i], cut_ns);
		struct agg_fd fd = {.fd = UINT64_MAX, .generation = UINT64_MAX};
		const char *ignored;

		names->fd(names->ctx, p->fd_id, &fd);
		rows[i].fd = fd.fd;
		rows[i].generation = fd.generation;
		names->thread(names->ctx, p->thread_id, &rows[i].pid, &rows[i].tid, &ignored);
		rows[i].change = change;
		rows[i].calls = p->calls;
		rows[i].synced = p->synced;
		if (limits[i].ns == NEVER)
			rows[i].limit_units = limits[i].units;
		else
			rows[i].limit_ns = limits[i].ns;
		rows[i].saved = p->calls - all.groups;
		rows[i].saved_safely = rows[i].saved_at_most = p->calls - safe.groups;
		rows[i].delay_ns_total = all.delay_ns;
		rows[i].delay_safely_ns_total = safe.delay_ns;
	}
}

static int u64_cmp(uint64_t a, uint64_t b)
{
	return (a > b) - (a < b);
}

/* Never by the order of events; limits in units come first, as those in time have none. */
static int row_cmp(const void *a, const void *b)
{
	const struct res_gathering *x = a, *y = b;
	int by = u64_cmp(y->calls, x->calls);

	by = by ? by : u64_cmp(x->pid, y->pid);
	by = by ? by : u64_cmp(x->tid, y->tid);
	by = by ? by : u64_cmp(x->fd, y->fd);
	by = by ? by : u64_cmp(x->generation, y->generation);
	by = by ? by : strcmp(x->change, y->change);
	by = by ? by : u64_cmp(x->limit_units, y->limit_units);
	return by ? by : u64_cmp(x->limit_ns, y->limit_ns);
}

void gather_result(const struct gather *g, const struct agg_names *names, struct res_result *r)
{
	size_t n = 0;

	for (size_t i = 0; i < g->places.len; i++)
		n += g->places.at[i]->calls > 1;
	RES_LIST(r, &r->gathering, n * LIMITS, gathering);
	n = 0;
	for (size_t i = 0; i < g->places.len; i++)
		if (g->places.at[i]->calls > 1)
			place_rows(g->places.at[i], names, r, &r->gathering.at[n++ * LIMITS]);
	qsort(r->gathering.at, r->gathering.len, sizeof(*r->gathering.at), row_cmp);
	if (g->left_out)
		result_warn(r, "gathering_left_out",
			"%llu sends and writes are not in the gathering table: there are more than "
			"%d threads, descriptors or pairs of them.",
			(unsigned long long)g->left_out, AGG_ROWS_MAX);
}

int gather_needs(const struct sys_def *def)
{
	return def->fd || def->class == CLASS_FILE || sys_waits(def);
}

void gather_unknown(struct res_result *r, const char *reason)
{
	const char *copy = arena_strdup(result_arena(r), reason);

	for (size_t i = 0; i < r->gathering.len; i++) {
		struct res_gathering *row = &r->gathering.at[i];

		row->delay_safely_ns_total = U64_NONE;
		if (!row->saved_at_most)
			continue; /* whatever else was called */
		row->saved_safely = U64_NONE;
		row->reason = copy;
	}
}

/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/booking.h"

#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>

#include "common/base/mem.h"
#include "tracer/call_env.h"
#include "tracer/serial.h"
#include "tracer/session.h"

/* A file that can be written by memory: no call says when, or what. Rings of sockets and of
 * io_uring are mapped too, and said in their own words. */
static void see_mapping(struct session *s, const struct sys_event *ev, const struct file *file)
{
	/* What a call that closed something was about may be gone: not looked at. */
	if (ev->def->class != CLASS_MEMORY || strcmp(ev->def->name, "mmap") != 0 || !sys_ok(ev))
		return;
	if (!(ev->args[2] & PROT_WRITE) || (ev->args[3] & MAP_TYPE) == MAP_PRIVATE ||
		(ev->args[3] & MAP_ANONYMOUS))
		return;
	s->seen.mapped_file |= !file || !file->target || file->target[0] == '/';
}

/* ---- a call that was recorded ---- */

static void recorded(void *ctx, struct tracee *t, struct sys_event *ev,
	const struct recorded *measured, const struct said *said)
{
	struct session *s = ctx;
	const struct sys_def *def = ev->def;
	int traced = s->map.traced[def->index];
	const struct file *file = NULL;
	struct decode_env env;

	if (s->map.kind[def->index] == CONTROL_SOCKET)
		s->seen.xdp |= (int32_t)ev->args[0] == AF_XDP;
	if (s->map.fds && (traced || identity_follows(def))) {
		struct caller c = call_env_caller(t);

		identity_call(s->identity, &c, ev, traced, said, &file);
	}
	if (!traced) {
		outside_calls(&s->outside, def, 1);
		return;
	}
	env = call_env(s, t, ev, file);
	decode_recorded(&(struct decode_in){ev, call_env_memory(s, t), &env}, measured, &ev->m);
	see_mapping(s, ev, file);
	book_call(&s->book, ev);
}

/* ---- one that stopped, in its turn ---- */

struct stopped_call {
	struct sys_event ev;
	struct caller caller; /* has a reference of the table */
	uint8_t counted;
	uint8_t applied; /* its table was not recorded: what it is about is known */
	struct said said;
	void *bytes; /* heap: those of said */
};

static void stopped(void *ctx, void *call)
{
	struct session *s = ctx;
	struct stopped_call *p = call;
	const struct file *file = NULL;

	if (!p->applied) {
		identity_call(s->identity, &p->caller, &p->ev, p->counted, &p->said, &file);
		see_mapping(s, &p->ev, file);
	}
	if (p->counted)
		book_call(&s->book, &p->ev);
	files_unref(p->caller.files);
	free(p->bytes);
	free(p);
}

/* What the call said, read by us: its thread stands at its exit. */
static void read_said(struct session *s, struct tracee *t, struct stopped_call *p)
{
	uint8_t kind = identity_kind(p->ev.def);
	const struct mem_reader *mem = call_env_memory(s, t);
	const uint64_t *args = p->ev.args;
	uint64_t from = args[kind == KIND_PATH_1 ? 0 : 1];
	uint32_t len = (uint32_t)args[2];
	ssize_t got;

	p->said.pair[0] = p->said.pair[1] = -1;
	if (!kind || (!sys_ok(&p->ev) && kind != KIND_ADDRESS))
		return;
	if (kind == KIND_PAIR_1 || kind == KIND_PAIR_4) {
		mem->read(mem->ctx, args[kind == KIND_PAIR_1 ? 0 : 3], p->said.pair,
			sizeof(p->said.pair));
		return;
	}
	if (kind == KIND_PEER &&
		(!from || mem->read(mem->ctx, args[2], &len, sizeof(len)) != sizeof(len)))
		return;
	if (kind == KIND_PEER && len > t->scratch)
		return; /* cut off: there was no room for it */
	if (kind == KIND_PATH_1 || kind == KIND_PATH_2)
		len = SAID_BYTES_MAX;
	else if (len > sizeof(struct sockaddr_storage))
		len = sizeof(struct sockaddr_storage);
	p->said.bytes = p->bytes = mem_calloc(len + 1, 1);
	got = mem->read(mem->ctx, from, p->bytes, len);
	p->said.len = got < 0 ? 0 : (size_t)got;
	if (kind == KIND_PATH_1 || kind == KIND_PATH_2)
		p->said.len = strnlen(p->bytes, p->said.len);
}

void booking_segments(struct session *s)
{
	if (identity_segments(s->identity))
		recorder_segments_seen(&s->recorder);
}

struct received {
	int32_t *at;
	size_t len, cap;
};

static void received(void *ctx, int32_t fd)
{
	struct received *r = ctx;

	if (fd >= 0)
		*VEC_PUSH(r) = fd;
}

/* Fds of other processes, before the thread that got them can use them: what they are follows from
 * no call of it. */
static void take_received(struct session *s, struct tracee *t, const struct sys_event *ev)
{
	struct decode_in in = {ev, call_env_memory(s, t), NULL};
	struct caller c = call_env_caller(t);
	struct received fds = {0};

	if (strcmp(ev->def->name, "pidfd_getfd") == 0)
		received(&fds, sys_ok(ev) ? (int32_t)ev->ret : -1);
	else
		decode_rights(&in, received, &fds);
	if (fds.len)
		recorder_sweep_all_of(&s->recorder, t); /* the calls before it, and itself */
	for (size_t i = 0; i < fds.len; i++)
		identity_received(s->identity, &c, (uint32_t)fds.at[i], ev);
	if (fds.len)
		booking_segments(s);
	free(fds.at);
}

void booking_call(struct session *s, struct tracee *t, const struct sys_event *ev, int counted)
{
	struct stopped_call call = {.ev = *ev,
		.caller = call_env_caller(t),
		.counted = (uint8_t)counted,
		.applied = !s->map.fds || !files_state(t->files)->recorded};
	const struct file *file = NULL;
	struct stopped_call *waits;

	recorder_tell(&s->recorder, t->mm);
	if (call.applied && s->map.fds)
		identity_call(s->identity, &call.caller, &call.ev, counted, NULL, &file);
	if (call.applied)
		see_mapping(s, &call.ev, file);
	if (call.applied && (!s->recorder.on || !counted)) {
		if (counted)
			book_call(&s->book, &call.ev);
		return;
	}
	if (!call.applied)
		read_said(s, t, &call);
	files_ref(call.caller.files);
	waits = mem_calloc(1, sizeof(*waits));
	*waits = call;
	/* One that never returned is as old as its entry. */
	recorder_stopped(&s->recorder, ev->exit_ns ? ev->exit_ns : ev->entry_ns, waits);
	if (!call.applied)
		take_received(s, t, ev);
}

/* ---- one that was begun in the stub, and ended in another way ---- */

static void measure_now(struct session *s, struct tracee *t, struct sys_event *ev)
{
	struct life *life = ev->def->fd ? files_known_at(t->files,
						  (uint32_t)ev->args[ev->def->fd - 1], ev->entry_ns)
					: NULL;
	struct decode_env env = call_env(s, t, ev, life ? life->file : NULL);
	struct decode_in in = {ev, call_env_memory(s, t), &env};

	decode_entry(&in, &ev->m);
	decode_exit(&in, &ev->m);
}

static void taken_over(void *ctx, struct tracee *t, struct sys_event *ev)
{
	struct session *s = ctx;
	int traced = s->map.traced[ev->def->index];

	t->scratch = 0; /* there was no entry: what room there was is not known */
	if (traced)
		measure_now(s, t, ev);
	else
		outside_calls(&s->outside, ev->def, 1);
	booking_call(s, t, ev, traced);
}

/* ---- names ---- */

static void touch(void *ctx, const struct tracee *t, const struct sys_event *ev)
{
	struct session *s = ctx;
	uint32_t first = 0, last = UINT32_MAX;

	if (!ev || identity_closing(ev, &first, &last))
		*VEC_PUSH(&s->touched) = (struct touched){t->files, first, last};
}

static void begin_touched(void *ctx)
{
	struct session *s = ctx;

	s->touched.len = 0;
	recorder_unbooked(&s->recorder, &(struct recorder_visit){s, touch});
}

static int is_touched(void *ctx, const struct files *files, uint32_t fd)
{
	const struct session *s = ctx;

	for (size_t i = 0; i < s->touched.len; i++) {
		const struct touched *t = &s->touched.at[i];

		if (t->files == files && fd >= t->first && fd <= t->last)
			return 1;
	}
	return 0;
}

static void tallied(void *ctx, const struct sys_def *def, uint64_t n)
{
	struct session *s = ctx;

	outside_calls(&s->outside, def, n);
}

static void swept(void *ctx)
{
	struct session *s = ctx;

	identity_read_names(s->identity, &(struct identity_check){begin_touched, is_touched, s});
	booking_segments(s);
}

/* ---- the rest ---- */

static void began(void *ctx, struct tracee *t)
{
	struct session *s = ctx;
	struct caller c = call_env_caller(t);

	if (s->map.fds)
		identity_begin(s->identity, &c);
	booking_segments(s);
}

static void came(void *ctx, pid_t tid, int status)
{
	struct session *s = ctx;

	stops_push(&s->stops, tid, status);
}

static void busy(void *ctx, struct tracee *t)
{
	struct session *s = ctx;

	(void)t;
	serial_busy(s);
}

struct recorder_sink booking_sink(struct session *s)
{
	return (struct recorder_sink){
		s, began, recorded, tallied, taken_over, stopped, swept, came, busy};
}

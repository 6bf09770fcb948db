/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/serial.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "tracer/session.h"

/* Several processes: so long, times CROWDED_MAX, may one be in the way of another. */
#define LOOK_EVERY_NS (5 * NS_PER_MS)
#define CROWDED_MAX   6 /* looks in a row */
/* Threads of one process are mostly made to run at a time: being together must gain a tenth of the
 * time, and a half, which is what they would gain apart, where so many looks find them running. Of
 * more than are made and joined one after the other it takes long to look. */
#define THREADS_BESIDE  3
#define CROWDED_THREADS 2
#define LOOK_ALONE_NS   (50 * NS_PER_MS)
/* Coming together and parting cost some calls each: more calm is asked of who parts soon again. */
#define CALM_MIN    4
#define CALM_MAX    128
#define SHARED_LONG 16
/* Taking so many records out costs what a stop costs more where they are apart. */
#define RECORDS_A_STOP 100
#define RECORDS_FEW    200 /* a millisecond */

/* ---- the timer ---- */

/* Wakes the tracing thread where nothing stops: what runs beside each other may make no calls. */
static void set_timer(struct serial *n, int on)
{
	struct itimerspec every = {0};

	if (on == n->timer_runs)
		return;
	if (!n->has_timer) {
		struct sigevent event = {
			.sigev_notify = SIGEV_THREAD_ID, .sigev_signo = ORDERS_SIGNAL};

		event._sigev_un._tid = gettid();
		if (timer_create(CLOCK_MONOTONIC, &event, (timer_t *)&n->timer) < 0)
			return;
		n->has_timer = 1;
	}
	if (on)
		every.it_value.tv_nsec = every.it_interval.tv_nsec = LOOK_EVERY_NS;
	n->timer_runs = timer_settime(n->timer, 0, &every, NULL) == 0 && on;
}

/* ---- together and apart ---- */

static size_t threads_beside(const struct session *s)
{
	return s->tracees.by_tid.len - s->tracees.processes.len;
}

static int is_serial(const struct session *s)
{
	return s->tracees.leaves <= 1 && threads_beside(s) <= THREADS_BESIDE;
}

void serial_part(struct session *s)
{
	struct serial *n = &s->serial;
	struct map_iter it = {0};

	n->calm = n->crowded = 0;
	if (!s->colocate.active)
		return;
	while (map_next(&s->tracees.by_tid, &it)) {
		struct tracee *t = it.value;

		if (t->near)
			colocate_give_back(&s->colocate, t->tid);
		t->near = 0;
		t->birth_parted |= t->cloning != CLONING_NOT;
	}
	colocate_apart(&s->colocate);
	set_timer(n, 0);
	if (n->shared < SHARED_LONG)
		n->needed = n->needed * 2 < CALM_MAX ? n->needed * 2 : CALM_MAX;
	else
		n->needed /= 2;
	if (n->needed < CALM_MIN)
		n->needed = CALM_MIN;
}

void serial_end(struct session *s)
{
	serial_part(s);
	s->colocate.able = 0;
}

/* What was while it was looked seldom says nothing of threads. */
static void look_from_now(struct serial *n, uint64_t now_ns)
{
	if (now_ns - n->looked_ns < LOOK_EVERY_NS)
		return;
	n->looked_ns = now_ns;
	n->stops = 0;
}

void serial_born(struct session *s, struct tracee *maker, struct tracee *t)
{
	if (maker && maker->process != t->process)
		tracees_child(&s->tracees, maker->process, t->process);
	t->near = maker ? maker->near || maker->birth_parted : s->colocate.able != 0;
	if (maker)
		maker->birth_parted = 0;
	if (s->colocate.active && !is_serial(s))
		serial_part(s);
	if (s->colocate.active && t->process->threads > 1)
		look_from_now(&s->serial, clock_mono_ns());
	set_timer(&s->serial, s->colocate.active && s->tracees.by_tid.len > 1);
}

void serial_first_stop(struct session *s, struct tracee *t)
{
	if (!t->near || s->colocate.active)
		return;
	t->near = 0;
	colocate_give_back(&s->colocate, t->tid);
}

/* ---- who runs ---- */

/* The letter of /proc/PID/stat; 0: it is gone. */
static char state_of(pid_t tid)
{
	cleanup_free char *text = NULL;
	const char *name_end;
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/stat", tid);
	if (file_read(path, 4096, &text, NULL, NULL) < 0)
		return 0;
	name_end = strrchr(text, ')');
	return name_end && name_end[1] ? name_end[2] : (char)0;
}

/* 1 if several run at once. `stopped` ran until now, or is NULL. */
static int is_crowded(struct session *s, const struct tracee *stopped)
{
	unsigned int running = stopped != NULL;
	struct map_iter it = {0};

	while (running < 2 && map_next(&s->tracees.by_tid, &it)) {
		const struct tracee *t = it.value;

		running += t != stopped && state_of(t->tid) == 'R';
	}
	return running > 1;
}

/* 1 if many were recorded since the last look, elapsed_ns ago, for so few stops. */
static int is_recording(struct session *s, uint64_t elapsed_ns)
{
	struct serial *n = &s->serial;
	uint64_t records = s->recorder.swept - n->swept;
	int many = records > RECORDS_FEW * (elapsed_ns / NS_PER_MS) &&
		   records / RECORDS_A_STOP > n->stops;

	n->swept = s->recorder.swept;
	n->stops = 0;
	return many;
}

void serial_busy(struct session *s)
{
	/* Of several processes it may be one that ends soon. */
	if (s->tracees.processes.len == 1)
		serial_part(s);
}

/* 1 if threads should be apart, which may run at a time. */
static int threads_part(struct session *s, const struct tracee *stopped, uint64_t elapsed_ns)
{
	struct serial *n = &s->serial;
	uint64_t gain_ns = s->far_stop_ns > s->near_stop_ns
				   ? n->stops * (s->far_stop_ns - s->near_stop_ns)
				   : 0;

	if (gain_ns < elapsed_ns / 10)
		return 1;
	n->crowded = gain_ns < elapsed_ns / 2 && is_crowded(s, stopped) ? n->crowded + 1 : 0;
	return n->crowded >= CROWDED_THREADS;
}

/* 1 if several run at a time, often enough that it is over. */
static int processes_part(struct session *s, const struct tracee *stopped)
{
	struct serial *n = &s->serial;

	n->crowded = is_crowded(s, stopped) ? n->crowded + 1 : 0;
	return n->crowded >= CROWDED_MAX;
}

static void look_at(struct session *s, const struct tracee *stopped, uint64_t elapsed_ns)
{
	if (is_recording(s, elapsed_ns)) {
		serial_part(s);
	} else if (threads_beside(s)) {
		if (threads_part(s, stopped, elapsed_ns))
			serial_part(s);
	} else if (s->tracees.processes.len > 1) {
		if (processes_part(s, stopped))
			serial_end(s);
	} else {
		set_timer(&s->serial, 0);
		if (stopped && colocate_waits(&s->colocate, stopped->tid, s->serial.looked_ns))
			serial_end(s);
	}
}

static void look(struct session *s, const struct tracee *stopped, uint64_t now_ns)
{
	struct serial *n = &s->serial;
	uint64_t elapsed_ns = now_ns - n->looked_ns;

	if (elapsed_ns < (s->tracees.by_tid.len > 1 ? LOOK_EVERY_NS : LOOK_ALONE_NS))
		return;
	n->looked_ns = now_ns;
	look_at(s, stopped, elapsed_ns);
	n->stops = 0;
}

void serial_awake(struct session *s)
{
	if (s->colocate.active)
		look(s, NULL, clock_mono_ns());
}

void serial_stop(struct session *s, struct tracee *t, uint64_t at_ns)
{
	struct serial *n = &s->serial;

	if (!s->colocate.able)
		return;
	if (!s->colocate.active) {
		n->calm = is_serial(s) ? n->calm + 1 : 0;
		if (n->calm < n->needed)
			return;
		colocate_again(&s->colocate);
		n->shared = 0;
		set_timer(n, s->colocate.active && s->tracees.by_tid.len > 1);
	}
	n->shared++;
	n->stops++;
	if (!t->near) {
		colocate_take(&s->colocate, t->tid);
		t->near = 1;
	}
	look(s, t, at_ns);
}

/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/cputime.h"

#include "common/base/clock.h"
#include "tracer/stops.h"
#include "tracer/tracee.h"

void cputime_init(struct cputime *c, int wants_window)
{
	*c = (struct cputime){.phase = wants_window ? PHASE_STARTUP : PHASE_WINDOW};
}

static void unread(struct cputime *c, struct process *p)
{
	if (!c->unread_pid)
		c->unread_pid = p->pid;
	c->phases[c->phase].unread++;
	p->cpu_ns = CPUTIME_NOT_COUNTED;
}

/* It has used so much until now; UINT64_MAX: nothing has read it, and nothing will. */
static void settle(struct cputime *c, struct process *p, uint64_t ns)
{
	if (ns == UINT64_MAX) {
		unread(c, p);
	} else if (ns > p->cpu_ns) {
		c->phases[c->phase].ns += ns - p->cpu_ns;
		p->cpu_ns = ns;
	}
}

void cputime_begin(struct cputime *c, struct process *p)
{
	p->cpu_ns = clock_process_ns(p->pid);
	if (p->cpu_ns == UINT64_MAX)
		unread(c, p);
}

void cputime_end(struct cputime *c, struct process *p)
{
	uint64_t ns = p->cpu_end_ns;

	if (p->cpu_ns == CPUTIME_NOT_COUNTED)
		return;
	/* Its end was not seen in time: it is there until its parent has waited for it. */
	if (ns == UINT64_MAX)
		ns = clock_process_ns(p->pid);
	settle(c, p, ns);
}

void cputime_count(struct cputime *c, const struct tracees *tracees, const struct stops *stops)
{
	struct map_iter it = {0};

	while (map_next(&tracees->processes, &it)) {
		struct process *p = it.value;
		uint64_t ns = p->cpu_end_ns; /* known where threads of it are not handled yet */

		if (p->cpu_ns == CPUTIME_NOT_COUNTED)
			continue;
		if (ns == UINT64_MAX)
			ns = clock_process_ns(p->pid);
		if (ns == UINT64_MAX)
			ns = stops_death_ns(stops, p->pid);
		settle(c, p, ns);
	}
}

static void turn(struct cputime *c, const struct tracees *tracees, const struct stops *stops,
	enum book_phase from, enum book_phase to)
{
	if (c->phase != from)
		return;
	cputime_count(c, tracees, stops);
	c->phase = to;
}

void cputime_window_begins(
	struct cputime *c, const struct tracees *tracees, const struct stops *stops)
{
	turn(c, tracees, stops, PHASE_STARTUP, PHASE_WINDOW);
}

void cputime_window_ends(
	struct cputime *c, const struct tracees *tracees, const struct stops *stops)
{
	turn(c, tracees, stops, PHASE_WINDOW, PHASE_SHUTDOWN);
}

/* ---- the result ---- */

static void add(uint64_t *to, const struct cputime_phase *p)
{
	if (p->unread || *to == U64_NONE)
		*to = U64_NONE;
	else
		*to += p->ns;
}

void cputime_result(const struct cputime *c, struct res_result *r)
{
	uint64_t lost = 0;

	r->cpu_ns = 0;
	for (int i = 0; i < PHASE_COUNT; i++) {
		add(&r->cpu_ns, &c->phases[i]);
		lost += c->phases[i].unread;
	}
	if (!r->window && r->phases.len)
		r->phases.at[0].cpu_ns = r->cpu_ns;
	for (size_t i = 0; r->window && i < PHASE_COUNT && i < r->phases.len; i++) {
		r->phases.at[i].cpu_ns = 0;
		add(&r->phases.at[i].cpu_ns, &c->phases[i]);
	}
	if (lost)
		result_warn(r, "cpu_time",
			"The CPU time of %llu process%s (the first: %d) could not be read, so that "
			"of the run is not known.",
			(unsigned long long)lost, lost == 1 ? "" : "es", (int)c->unread_pid);
}

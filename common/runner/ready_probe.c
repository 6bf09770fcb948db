/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/ready_probe.h"

#include "common/base/clock.h"

#define WAIT_FIRST_NS (5 * NS_PER_MS)
#define WAIT_LAST_NS  (50 * NS_PER_MS)

void ready_probe_init(struct ready_probe *p, const struct ready *ready, const struct scenario *sc,
	const sigset_t *mask)
{
	*p = (struct ready_probe){.ready = ready,
		.caller = sc->user,
		.cwd = sc->cwd,
		.mask = mask,
		.command = PROGRAM_NONE,
		.wait_ns = WAIT_FIRST_NS};
}

/* Rarely after a while: looking through /proc takes CPU time from the target. */
static void wait_longer(struct ready_probe *p, uint64_t now)
{
	p->next_ns = now + p->wait_ns;
	if (p->wait_ns < WAIT_LAST_NS)
		p->wait_ns *= 2;
}

static int step_command(struct ready_probe *p, uint64_t now, struct err *err)
{
	const char *argv[] = {"sh", "-c", p->ready->command, NULL};

	if (program_reap(&p->command)) {
		int status = program_status(&p->command);

		program_release(&p->command);
		wait_longer(p, now);
		return status == 0;
	}
	if (program_running(&p->command) || now < p->next_ns)
		return 0;

	p->next_ns = UINT64_MAX;
	return program_start(&(struct program_spec){.argv = argv,
				     .cwd = p->cwd,
				     .streams = {PROGRAM_NULL, PROGRAM_NULL, PROGRAM_NULL},
				     .own_group = 1,
				     .caller = p->caller,
				     .mask = p->mask},
		&p->command, err);
}

int ready_probe_step(struct ready_probe *p, pid_t root, uint64_t now, struct err *err)
{
	if (!p->ready)
		return 1;
	if (p->ready->kind == READY_COMMAND)
		return step_command(p, now, err);
	if (now < p->next_ns)
		return 0;
	enum ready_answer answer = ready_port(p->ready, root);

	p->foreign = answer == READY_FOREIGN;
	wait_longer(p, clock_mono_ns());
	return answer == READY_YES;
}

void ready_probe_release(struct ready_probe *p)
{
	program_release(&p->command);
}

/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/trap/dispatch.h"

#include <sys/ptrace.h>
#include <linux/ptrace.h> /* after sys/ptrace.h, whose names it would take */
#include <sys/syscall.h>

#include "tracer/arch/abi.h"
#include "tracer/session.h"
#include "tracer/trap/trap.h"

void dispatch_begin(struct session *s, struct tracee *t)
{
	const char *reason;

	if (!s->recorder.dispatch || !s->recorder.on || !t->mm->recorder)
		return;
	reason = trap_refused(t);
	t->trap = reason ? TRAP_NONE : TRAP_LIFTED;
	if (reason)
		recorder_off(&s->recorder, t->mm, reason);
	if (reason == trap_unknown)
		s->recorder.reason = reason; /* of all that there will be */
}

void dispatch_exec(struct session *s, struct tracee *t)
{
	if (!s->recorder.dispatch || !s->recorder.on)
		return;
	trap_clear(t);
	recorder_put_down(&s->recorder, t);
	dispatch_begin(s, t);
}

void dispatch_again(struct session *s, struct tracee *t)
{
	if (t->trap == TRAP_LIFTED && !s->leaving && recorder_take_up(&s->recorder, t))
		trap_set(t);
}

void dispatch_lift(struct session *s, struct tracee *t)
{
	if (t->trap != TRAP_SET)
		return;
	trap_lift(t);
	recorder_put_down(&s->recorder, t);
}

int dispatch_lift_for_signal(struct session *s, struct tracee *t)
{
	int steps;

	if (!trap_is_to_settle(t))
		return 0;
	steps = trap_lift_for_signal(t);
	recorder_put_down(&s->recorder, t);
	return steps;
}

int dispatch_return(struct session *s, struct tracee *t, const struct ptrace_syscall_info *info)
{
	const struct sys_def *def;

	if (info->arch != AUDIT_ARCH_NATIVE || info->entry.nr != SYS_rt_sigreturn || s->leaving ||
		t->trap == TRAP_NONE || t->mend.deadline_ns)
		return 0;
	def = sys_by_number(ABI_NATIVE, (uint32_t)info->entry.nr);
	if (s->map.traced[def->index] || !recorder_take_up(&s->recorder, t))
		return 0;
	if (!trap_return(t)) {
		if (t->trap == TRAP_LIFTED)
			recorder_put_down(&s->recorder, t);
		return 0;
	}
	outside_calls(&s->outside, def, 1);
	return 1;
}

/* ---- leaving ---- */

int dispatch_is_out(const struct tracee *t)
{
	if (t->departed)
		return 1;
	if (t->listening)
		return !t->call_is_ours;
	return t->state != TRACEE_NEW && t->trap != TRAP_SET && t->in_call && !t->call_is_ours &&
	       !t->cloning;
}

/* 1 if all other threads of the process (or mm: of the address space) are out. */
static int is_last(struct session *s, const struct tracee *t, int mm)
{
	struct map_iter it = {0};

	if (t->mm->copied)
		return 0; /* the copy holds what there is now */
	while (map_next(&s->tracees.by_tid, &it)) {
		const struct tracee *other = it.value;

		if (other != t && (mm ? other->mm == t->mm : other->process == t->process) &&
			!dispatch_is_out(other))
			return 0;
	}
	return 1;
}

void dispatch_ask_next(const struct session *s, struct tracee *t)
{
	t->asked |= s->leaving && !t->departed && !t->mend.deadline_ns && recorder_is_in(t);
}

void dispatch_depart(struct session *s, struct tracee *t)
{
	/* Nothing may be changed while a copy is made. */
	if (!recorder_is_in(t) || trap_is_pending(t) || t->mm->copied)
		return;
	dispatch_lift(s, t);
	trap_settle(t);
	t->departed = (uint8_t)recorder_depart(&s->recorder, t);
	if (t->departed)
		recorder_clear(&s->recorder, t, is_last(s, t, 0), is_last(s, t, 1));
}

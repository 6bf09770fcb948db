/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Entry and exit of a call: reads it from the stopped thread, has it decoded, acts on control calls
 * and books it when it is over.
 */
#include "tracer/calls.h"

#include <errno.h>
#include <linux/if_packet.h>
#include <linux/io_uring.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>
#include <sys/ptrace.h>
#include <linux/ptrace.h> /* after sys/ptrace.h, whose names it would take */
#include <sys/socket.h>
#include <sys/user.h>

#include "common/base/clock.h"
#include "tracer/booking.h"
#include "tracer/arch/abi.h"
#include "tracer/arch/regs.h"
#include "tracer/call_env.h"
#include "tracer/recorder/ours.h"
#include "tracer/recorder/patch.h"
#include "tracer/trap/dispatch.h"
#include "tracer/feature.h"
#include "tracer/trap/filter.h"
#include "tracer/launch.h"
#include "tracer/memory.h"
#include "tracer/mend.h"
#include "tracer/trap/own_filter.h"
#include "tracer/paths.h"
#include "tracer/serial.h"
#include "tracer/session.h"
#include "tracer/stacks/stacks.h"
#include "tracer/trap/trap.h"

#define RESTART_SYSCALL "restart_syscall"

/* ---- reading the call ---- */

static int poke(struct session *s, const struct tracee *t, uint64_t addr, uint64_t value)
{
	s->reads.tid = t->tid;
	return memory_poke_u64(&s->reads, addr, value);
}

static int traces(const struct session *s, const struct sys_def *def)
{
	/* Rows made for numbers without a name come after the map was built. */
	return def->index < s->map.len ? s->map.traced[def->index]
				       : sys_set_has(&s->opt->trace, def);
}

static void read_call(struct session *s, struct tracee *t, const struct ptrace_syscall_info *info)
{
	struct sys_event *ev = &t->ev;

	*ev = (struct sys_event){.abi = abi_of(info->arch, info->entry.nr),
		.nr = (uint32_t)info->entry.nr,
		.pid = t->process->pid,
		.tid = t->tid,
		.thread_id = t->thread_id,
		.mm_id = t->mm->id};
	memcpy(ev->args, info->entry.args, sizeof(ev->args));
	ev->def = sys_by_number((int)ev->abi, ev->nr);
	if (t->interrupted.def && strcmp(ev->def->name, RESTART_SYSCALL) == 0) {
		ev->def = t->interrupted.def;
		memcpy(ev->args, t->interrupted.args, sizeof(ev->args));
	} else if (ev->abi == ABI_I386) {
		decode_normalize(ev, call_env_memory(s, t));
	}
	t->interrupted.def = NULL;
	t->counted = (uint8_t)traces(s, ev->def);
	t->control = ev->def->index < s->map.len ? s->map.kind[ev->def->index] : CONTROL_NONE;
}

/* Calls on the table's numbers are recorded: what a stopped one was about is known when it is
 * booked, after those that ended before it. */
static int is_recorded(const struct tracee *t)
{
	return files_state(t->files)->recorded;
}

/* The file whose options measure a stopped call that is not booked yet, as far as is known. */
static const struct file *measured_file(struct session *s, struct tracee *t)
{
	struct life *life;

	if (!s->map.fds || !t->ev.def->fd || (int32_t)t->ev.args[t->ev.def->fd - 1] < 0)
		return NULL;
	if (is_recorded(t) && identity_segments(s->identity))
		recorder_sweep_all_of(&s->recorder, t); /* the number may be another file's since */
	life = files_known_at(t->files, (uint32_t)t->ev.args[t->ev.def->fd - 1], t->ev.entry_ns);
	return life ? life->file : NULL;
}

static void identify_at_entry(struct session *s, struct tracee *t)
{
	struct caller c = call_env_caller(t);
	struct life *life = NULL;

	if (s->map.fds && !is_recorded(t))
		life = identity_entry(s->identity, &c, &t->ev);
	if (life)
		t->ev.fd_id =
			files_id(t->files, life, c.pid, (uint32_t)t->ev.args[t->ev.def->fd - 1]);
}

/* ---- control calls ---- */

#define CLONE3_FLAGS_OFFSET 0

static uint64_t clone_flags(struct session *s, struct tracee *t)
{
	const char *name = t->ev.def->name;
	const struct mem_reader *mem = call_env_memory(s, t);
	uint64_t flags = 0;

	if (strcmp(name, "clone") == 0)
		return t->ev.args[0];
	if (strcmp(name, "vfork") == 0)
		return CLONE_VM | CLONE_VFORK;
	if (strcmp(name, "clone3") == 0)
		mem->read(mem->ctx, t->ev.args[0] + CLONE3_FLAGS_OFFSET, &flags, sizeof(flags));
	return flags;
}

static int set_first_arg(const struct tracee *t, uint64_t value)
{
	struct user_regs_struct regs;
	int rc = regs_get(t->tid, &regs);

	if (rc < 0)
		return rc;
	regs_set_arg(&regs, t->ev.abi, 1, value);
	return regs_set(t->tid, &regs);
}

/* A CLONE_UNTRACED child would escape us but keep our filter, whose calls then fail with ENOSYS. */
static void clone_entry(struct session *s, struct tracee *t)
{
	uint64_t flags = clone_flags(s, t);
	int rc;

	t->scratch = flags;
	tracees_cloning(&s->tracees, t, flags & CLONE_VM ? CLONING_SHARED : CLONING_COPY);
	if (!(flags & CLONE_UNTRACED))
		return;
	t->saved_arg = flags;
	flags &= ~(uint64_t)CLONE_UNTRACED;
	if (strcmp(t->ev.def->name, "clone3") == 0) {
		t->saved = SAVED_MEMORY;
		rc = poke(s, t, t->ev.args[0] + CLONE3_FLAGS_OFFSET, flags);
	} else {
		t->saved = SAVED_REGISTER;
		rc = set_first_arg(t, flags);
	}
	if (rc < 0)
		t->saved = SAVED_NONE;
	s->seen.untraced_clones = 1;
}

void call_restore_arg(struct session *s, const struct tracee *owner, const struct tracee *t)
{
	struct user_regs_struct regs;

	if (owner->saved == SAVED_REGISTER && regs_get(t->tid, &regs) == 0) {
		regs_restore_arg(&regs, t->ev.abi, 1, owner->saved_arg);
		regs_set(t->tid, &regs);
	}
	if (owner->saved == SAVED_MEMORY)
		poke(s, t, owner->ev.args[0] + CLONE3_FLAGS_OFFSET, owner->saved_arg);
}

/* The numbers that the call may close are in doubt while it is under way. */
static void closing(struct tracee *t, int change)
{
	uint32_t first, last;

	if (!identity_closing(&t->ev, &first, &last))
		return;
	t->closing = change > 0;
	files_closing(t->files, first, last, change);
	files_state(t->files)->busy += (unsigned int)change;
}

/* 1 if the exit of a call that changes what numbers are must be seen. */
static int fd_entry(struct tracee *t)
{
	uint32_t first, last;

	if (!identity_closes(t->ev.def)) {
		/* It is not worth a stop to learn now what a later call on it will tell. */
		files_state(t->files)->whole &= is_recorded(t) != 0;
		return is_recorded(t);
	}
	if (!is_recorded(t) && !files_is_shared(t->files) &&
		identity_closing(&t->ev, &first, &last) && first == last &&
		!files_open(t->files, first))
		return 0; /* no call on it has been seen, and none is under way */
	closing(t, 1);
	return 1;
}

/*
 * 1 if that is the close of a number which is open, whatever the call returns (fs/open.c): it was
 * read from the kernel when it was, and nobody else has the table. Its exit tells nothing then.
 */
static int closes_surely(const struct tracee *t)
{
	const struct life *life = files_open(t->files, (uint32_t)t->ev.args[0]);

	return strcmp(t->ev.def->name, "close") == 0 && !t->counted && t->mode == MODE_FILTER &&
	       !t->own_filter && !is_recorded(t) && !files_is_shared(t->files) &&
	       !files_state(t->files)->uncertain && life && life->file->name == FILE_READ;
}

/* It is over at its entry. */
static void close_now(struct session *s, struct tracee *t)
{
	t->ev.exit_ns = t->ev.entry_ns;
	t->ev.outcome = SYS_RETURNED;
	booking_call(s, t, &t->ev, 0);
}

/*
 * 1 if the call installs a filter. One for all threads is there for the others before this one is
 * at its exit, and may forbid what the recorder would have them do.
 */
static int seccomp_entry(struct session *s, struct tracee *t)
{
	struct map_iter it = {0};

	t->scratch = (uint64_t)own_filter_entry(&t->ev, call_env_memory(s, t), &s->map);
	if (t->scratch == OWN_FILTER_NONE)
		return 0;
	while (own_filter_for_all(&t->ev) && map_next(&s->tracees.by_tid, &it)) {
		struct tracee *other = it.value;

		other->own_filter |= other->process == t->process;
	}
	return 1;
}

/* Bytes that the caller of accept has room for, of the peer's address. */
static uint64_t peer_room(struct session *s, const struct tracee *t)
{
	const struct mem_reader *mem = call_env_memory(s, t);
	uint32_t room = 0;

	if (identity_kind(t->ev.def) != KIND_PEER || !t->ev.args[1] ||
		mem->read(mem->ctx, t->ev.args[2], &room, sizeof(room)) != sizeof(room))
		return 0;
	return room;
}

/* It finds the masks that there would be without us, and what it sets stays. */
static void affinity_entry(struct session *s, const struct tracee *t)
{
	if (strcmp(t->ev.def->name, "sched_setaffinity") == 0)
		serial_end(s);
	else
		serial_part(s);
}

/* Acts on the entry of a control call; 1 if its exit must be seen too. */
static int control_entry(struct session *s, struct tracee *t)
{
	const uint64_t *args = t->ev.args;

	switch ((enum control)t->control) {
	case CONTROL_AFFINITY:
		affinity_entry(s, t);
		return 0;
	case CONTROL_CLONE:
		clone_entry(s, t);
		return t->saved != SAVED_NONE;
	case CONTROL_FD:
		if (closes_surely(t)) {
			close_now(s, t);
			return 0;
		}
		t->scratch = peer_room(s, t);
		return fd_entry(t);
	case CONTROL_CLOSE_RANGE:
	case CONTROL_CLOSING:
		return fd_entry(t);
	case CONTROL_FOLDER:
		recorder_sweep_all_of(&s->recorder, t); /* paths of the calls before it */
		return 0;
	case CONTROL_SECCOMP:
		return seccomp_entry(s, t) || feature_of(&t->ev) != FEATURE_NONE;
	case CONTROL_SETSOCKOPT:
		if ((int32_t)args[1] == SOL_PACKET) {
			s->seen.packet_tx |= (int32_t)args[2] == PACKET_TX_RING;
			s->seen.packet_rx |= (int32_t)args[2] == PACKET_RX_RING;
		}
		return 1;
	case CONTROL_SOCKET:
		s->seen.xdp |= (int32_t)args[0] == AF_XDP;
		return s->map.fds && fd_entry(t);
	case CONTROL_UNSHARE:
		return (args[0] & CLONE_FILES) != 0;
	case CONTROL_FILLER:
		session_beware(s);
		s->reads.filler = s->filler;
		return s->map.fds && identity_follows(t->ev.def) && fd_entry(t);
	case CONTROL_UNMOUNT:
		if (s->stacks)
			stacks_let_go(s->stacks);
		return 0;
	case CONTROL_IO_URING:
		return 1;
	default: /* CONTROL_EXEC: PTRACE_EVENT_EXEC says the rest */
		return 0;
	}
}

#define CLOSE_RANGE_UNSHARE_FLAG 2

static int shares_files(const struct session *s, const struct tracee *t)
{
	struct map_iter it = {0};

	while (map_next(&s->tracees.by_tid, &it)) {
		const struct tracee *other = it.value;

		if (other != t && other->files == t->files)
			return 1;
	}
	return 0;
}

/* The thread leaves its files table for a copy, unless nobody else has it. What it did before was
 * in the old one. */
static void own_files(struct session *s, struct tracee *t)
{
	struct files *copy;

	if (!shares_files(s, t))
		return;
	recorder_sweep_all_of(&s->recorder, t);
	copy = files_copy(t->files);
	files_state(copy)->recorded = t->recorder != NULL;
	files_unref(t->files);
	t->files = copy;
}

static void io_uring_exit(struct session *s, struct tracee *t)
{
	const struct mem_reader *mem = call_env_memory(s, t);
	uint32_t flags = 0;

	s->seen.io_uring = 1;
	recorder_files_uncertain(&s->recorder, t->files);
	if (mem->read(mem->ctx, t->ev.args[1] + offsetof(struct io_uring_params, flags), &flags,
		    sizeof(flags)) == (ssize_t)sizeof(flags) &&
		(flags & IORING_SETUP_SQPOLL))
		s->seen.sqpoll = 1;
}

static void setsockopt_exit(struct session *s, struct tracee *t)
{
	struct decode_in in = {&t->ev, call_env_memory(s, t), NULL};
	struct caller c = call_env_caller(t);
	uint32_t gso = 0;
	int gro = -1;

	if ((int32_t)t->ev.args[0] < 0 || !decode_udp_option(&in, &gso, &gro))
		return;
	recorder_sweep_all_of(
		&s->recorder, t); /* the calls before it are to be measured as it was */
	if (gro >= 0)
		identity_set_gro(s->identity, &c, (uint32_t)t->ev.args[0], (uint8_t)gro);
	else
		identity_set_gso(s->identity, &c, (uint32_t)t->ev.args[0], gso);
	booking_segments(s);
}

/* The other threads of t's process must stop once to go on in the new way, as if attached. */
static void stop_others_at_calls(struct session *s, const struct tracee *t)
{
	struct map_iter it = {0};

	while (map_next(&s->tracees.by_tid, &it)) {
		struct tracee *other = it.value;

		if (other == t || other->process != t->process || other->mode == MODE_SYSCALL)
			continue;
		other->mode = MODE_SYSCALL;
		other->state = TRACEE_ATTACH;
		mend_note(s, other);
		ptrace(PTRACE_INTERRUPT, other->tid, NULL, NULL);
	}
}

static void own_filter_exit(struct session *s, struct tracee *t)
{
	enum own_filter verdict = (enum own_filter)t->scratch;

	if (verdict == OWN_FILTER_NONE)
		return;
	t->own_filter = 1; /* which may forbid the calls that the recorder would make */
	if (verdict == OWN_FILTER_HARMLESS)
		return;
	recorder_off(&s->recorder, t->mm, "a seccomp filter of the program's own");
	s->seen.own_filter = 1;
	t->mode = MODE_SYSCALL;
	if (own_filter_for_all(&t->ev))
		stop_others_at_calls(s, t);
}

/* Its ranges are of the program's own addresses, so every call must come from its site again: for
 * the other threads too, as the code is theirs. */
static void dispatch_on(struct session *s, struct tracee *t)
{
	t->dispatch = 1;
	t->trap = TRAP_NONE; /* what is dispatched is its own */
	recorder_off(&s->recorder, t->mm, trap_is_the_programs);
	if (t->mm->recorder)
		patch_take_back(t);
}

static void feature_exit(struct session *s, struct tracee *t)
{
	switch (feature_of(&t->ev)) {
	case FEATURE_NO_TSC:
		s->seen.no_tsc = 1;
		recorder_thread_off(&s->recorder, t, feature_no_tsc);
		break;
	case FEATURE_DISPATCH:
		dispatch_on(s, t);
		break;
	case FEATURE_DISPATCH_OFF:
		t->dispatch = 0;
		break;
	case FEATURE_NONE:
		break;
	}
}

static void control_exit(struct session *s, struct tracee *t)
{
	if (t->saved) {
		call_restore_arg(s, t, t);
		t->saved = SAVED_NONE;
	}
	if (!sys_ok(&t->ev))
		return;
	switch ((enum control)t->control) {
	case CONTROL_CLOSE_RANGE: /* before it is booked, as it closes in the copy */
		if (t->ev.args[2] & CLOSE_RANGE_UNSHARE_FLAG)
			own_files(s, t);
		break;
	case CONTROL_UNSHARE:
		if (t->ev.args[0] & CLONE_FILES)
			own_files(s, t);
		break;
	case CONTROL_SETSOCKOPT:
		setsockopt_exit(s, t);
		break;
	case CONTROL_IO_URING:
		io_uring_exit(s, t);
		break;
	case CONTROL_SECCOMP:
		own_filter_exit(s, t);
		feature_exit(s, t);
		break;
	default:
		break;
	}
}

/* ---- entry and exit ---- */

/* A filter of the target that says TRACE: without a tracer of its own the call fails so. */
static void refuse_foreign(struct tracee *t)
{
	regs_answer(t->tid, -ENOSYS);
}

static int get_info(const struct tracee *t, struct ptrace_syscall_info *info)
{
	return ptrace(PTRACE_GET_SYSCALL_INFO, t->tid, (void *)sizeof(*info), info) > 0;
}

static int is_foreign(const struct ptrace_syscall_info *info)
{
	return info->op == PTRACE_SYSCALL_INFO_SECCOMP &&
	       info->seccomp.ret_data != FILTER_TRACE_DATA;
}

/*
 * The kernel runs filters for calls that it emulates too (x86-64's vsyscall page), which are no
 * system calls: they have no exit, and without a filter no stop.
 */
static int is_emulated(const struct ptrace_syscall_info *info)
{
	return regs_is_emulated(info->instruction_pointer);
}

/* Before the target's execve our own child runs: nothing counts. */
static int still_launching(
	struct session *s, struct tracee *t, const struct ptrace_syscall_info *info)
{
	if (t->state != TRACEE_LAUNCH)
		return 0;
	if (launch_is_target(s, (long)info->entry.nr, info->entry.args[0])) {
		t->state = TRACEE_RUNNING;
		launch_finish_probes(s);
		cputime_begin(&s->cputime, t->process);
		return 0;
	}
	t->in_call = 1;
	t->counted = t->control = 0;
	return 1;
}

/* The recorder has it: nothing to do at its entry and exit. */
static int recorded_instead(
	struct session *s, struct tracee *t, const struct ptrace_syscall_info *info)
{
	int decided = t->by_stops || t->mend.deadline_ns;

	t->by_stops = 0;
	if (dispatch_return(s, t, info))
		return 1;
	if (!recorder_asked(&s->recorder, t, info)) {
		/* Without a filter each entry is what a filter's stop is. */
		if ((info->op == PTRACE_SYSCALL_INFO_SECCOMP || s->unfiltered) && !decided &&
			recorder_enter(&s->recorder, t, info)) {
			dispatch_again(s, t);
			return 1;
		}
		if (!recorder_is_stub_call(&s->recorder, info))
			return 0;
	}
	t->in_call = t->mode == MODE_SYSCALL;
	t->counted = t->control = 0;
	return 1;
}

/* ---- calls that are about what dispatch needs ---- */

static int is_named(const struct tracee *t, const char *name)
{
	return strcmp(t->ev.def->name, name) == 0;
}

/* SIGSYS has our handler: the call is not made, and has the result that it would have. */
static void answer_sigaction(struct session *s, struct tracee *t)
{
	const struct mem_reader *mem = call_env_memory(s, t);
	const uint64_t *args = t->ev.args;
	struct arch_action action, was;
	int64_t result = args[3] == sizeof(uint64_t) ? 0 : -EINVAL;

	memcpy(was.words, t->process->was, sizeof(was.words));
	if (result == 0 && args[1] &&
		mem->read(mem->ctx, args[1], &action, sizeof(action)) != sizeof(action))
		result = -EFAULT;
	if (result == 0 && args[2] && memory_write(t->tid, args[2], &was, sizeof(was)) < 0)
		result = -EFAULT;
	if (result == 0 && args[1])
		memcpy(t->process->was, action.words, sizeof(action.words));
	regs_answer(t->tid, result);
}

/*
 * At the entry of a call: may what is ours in the process see it? 1: it is gone, and the thread is
 * before the call again. With other threads in our code the pages stay, and do nothing.
 */
static int guard_entry(struct session *s, struct tracee *t)
{
	const uint64_t *args = t->ev.args;

	if (!s->unfiltered || t->ev.abi != ABI_NATIVE)
		return 0;
	if (t->process->guarded && is_named(t, "rt_sigaction") && (int)args[0] == SIGSYS)
		answer_sigaction(s, t);
	/* What is ignored is so in the next program. */
	if (t->process->guarded && t->control == CONTROL_EXEC &&
		t->process->was[0] == (uint64_t)(uintptr_t)SIG_IGN)
		return recorder_unguard_at_call(&s->recorder, t);
	/* Its SIGSYS are calls that it answers itself. */
	if (t->process->guarded && feature_of(&t->ev) == FEATURE_DISPATCH) {
		recorder_off(&s->recorder, t->mm, trap_is_the_programs);
		return recorder_unguard_at_call(&s->recorder, t);
	}
	if (t->control == CONTROL_SECCOMP && recorder_is_in(t) && t->mm->refs == 1 &&
		own_filter_entry(&t->ev, call_env_memory(s, t), &s->map) != OWN_FILTER_NONE)
		return recorder_clear_at_call(
			&s->recorder, t, "a seccomp filter of the program's own");
	return 0;
}

/* ---- stacks of calls that are not recorded ---- */

static void take_stack(struct session *s, struct tracee *t)
{
	struct user_regs_struct regs;
	int due;

	t->ev.stack_id = t->ev.stack_first = 0;
	t->ev.site = 0;
	if (!s->stacks || !t->counted || t->ev.abi != ABI_NATIVE || regs_get(t->tid, &regs) < 0)
		return;
	recorder_place(t, &regs);
	t->ev.site = regs_ip(&regs);
	due = stacks_due(s->stacks, t);
	t->ev.stack_first = (uint8_t)stacks_is_first(s->stacks, &t->ev);
	if (due || t->ev.stack_first)
		t->ev.stack_id = stacks_take(s->stacks, t, &regs);
}

/* At its exit: by the time that it took. */
static void take_stack_after(struct session *s, struct tracee *t)
{
	struct user_regs_struct regs;

	if (!t->ev.site || !stacks_due_after(s->stacks, t, t->ev.exit_ns - t->ev.entry_ns) ||
		t->ev.stack_id || regs_get(t->tid, &regs) < 0)
		return;
	recorder_place(t, &regs);
	t->ev.stack_id = stacks_take(s->stacks, t, &regs);
}

/* ---- */

static void book(struct session *s, struct tracee *t);

/* The call was made for the thread, who is behind it. */
static void call_over(struct session *s, struct tracee *t)
{
	t->ev.exit_ns = clock_mono_ns();
	t->ev.outcome = SYS_RETURNED;
	if (t->counted)
		book(s, t);
}

void call_entry(struct session *s, struct tracee *t)
{
	struct ptrace_syscall_info info;
	enum ours ours = OURS_NOT;
	int need_exit;

	if (!get_info(t, &info))
		return; /* killed since */
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY && info.op != PTRACE_SYSCALL_INFO_SECCOMP)
		return; /* attached in the middle of it, or killed: it is in its exit stop */
	if (is_foreign(&info)) {
		refuse_foreign(t);
		return;
	}
	if (is_emulated(&info))
		return;
	tracees_cloning(&s->tracees, t, CLONING_NOT);
	trap_settle(t);
	if (still_launching(s, t, &info) || recorded_instead(s, t, &info))
		return;
	read_call(s, t, &info);
	if (guard_entry(s, t))
		return;
	t->call_is_ours =
		s->attached && recorder_is_ours(t, info.instruction_pointer - ARCH_CALL_BYTES);
	t->ev.entry_ns = clock_mono_ns();
	if (t->control == CONTROL_MAPPINGS)
		ours = ours_entry(&s->recorder, t);
	if (ours == OURS_AGAIN)
		return;
	if (!t->counted)
		outside_calls(&s->outside, t->ev.def, 1);
	else if (s->opt->paths.len)
		t->counted =
			(uint8_t)paths_match(&s->opt->paths, t->tid, &t->ev, call_env_memory(s, t));
	if (t->counted) {
		struct decode_env env;

		identify_at_entry(s, t);
		env = call_env(s, t, &t->ev, measured_file(s, t));
		decode_entry(&(struct decode_in){&t->ev, call_env_memory(s, t), &env}, &t->ev.m);
	}
	take_stack(s, t);
	if (ours == OURS_OVER) {
		call_over(s, t);
		return;
	}
	need_exit = t->control && control_entry(s, t);
	t->in_call = t->counted || need_exit || t->mode == MODE_SYSCALL;
	t->ev.entry_ns = clock_mono_ns();
}

/* By stops: the thread is before the call again, and nothing of ours is in its way. */
static void by_stops(struct session *s, struct tracee *t)
{
	regs_before_call(t->tid);
	dispatch_lift(s, t);
	t->by_stops = 1;
}

void call_trapped(struct session *s, struct tracee *t, const struct ptrace_syscall_info *info)
{
	if (recorder_asked(&s->recorder, t, info))
		return;
	/* One that is mended is so at its entry. */
	if (s->leaving || t->trap != TRAP_SET || t->mend.deadline_ns) {
		by_stops(s, t);
		dispatch_ask_next(s, t);
		return;
	}
	tracees_cloning(&s->tracees, t, CLONING_NOT);
	if (dispatch_return(s, t, info))
		recorder_return(t);
	else if (!recorder_enter(&s->recorder, t, info))
		by_stops(s, t);
	else if (!recorder_take_up(&s->recorder, t))
		dispatch_lift(s, t);
}

void call_filtered(struct session *s, struct tracee *t)
{
	struct ptrace_syscall_info info;

	if (!t->in_call)
		call_entry(s, t);
	else if (get_info(t, &info) && is_foreign(&info))
		refuse_foreign(t); /* in MODE_SYSCALL the entry was seen just before */
}

static void set_result(struct tracee *t, const struct ptrace_syscall_info *info)
{
	struct sys_event *ev = &t->ev;

	ev->ret = info->exit.rval;
	if (ev->abi == ABI_I386 && !info->exit.is_error)
		ev->ret = (int64_t)(uint32_t)ev->ret;
	if (ev->def->always_ok)
		ev->ret = 0; /* the register is the interrupted program's */
	ev->outcome = ev->ret <= -512 && ev->ret >= -516 ? SYS_INTERRUPTED : SYS_RETURNED;
}

/*
 * A filter of the target's own that says TRAP or KILL: the call did nothing, its registers are as
 * at entry (so the number looks like a result), and a SIGSYS is on its way.
 */
static int refused_by_own_filter(const struct tracee *t)
{
	struct __ptrace_peeksiginfo_args args = {.nr = 8};
	siginfo_t pending[8];
	long n;

	if (t->mode != MODE_SYSCALL || t->ev.ret != (int64_t)t->ev.nr)
		return 0;
	n = ptrace(PTRACE_PEEKSIGINFO, t->tid, &args, pending);
	for (long i = 0; i < n; i++)
		if (pending[i].si_signo == SIGSYS)
			return 1;
	return 0;
}

static void remember_interrupted(struct tracee *t)
{
	t->interrupted.def = t->ev.def;
	memcpy(t->interrupted.args, t->ev.args, sizeof(t->interrupted.args));
}

/* The call is over: what it moved, and what it did to its table, now or in its turn. */
static void book(struct session *s, struct tracee *t)
{
	struct decode_env env;

	if (!t->counted && !(s->map.fds && identity_follows(t->ev.def)))
		return;
	if (t->ev.def->decoder == &decoder_brk)
		recorder_sweep_all_of(&s->recorder, t); /* the break before it may be recorded */
	if (t->counted) {
		env = call_env(s, t, &t->ev, measured_file(s, t));
		decode_exit(&(struct decode_in){&t->ev, call_env_memory(s, t), &env}, &t->ev.m);
	}
	booking_call(s, t, &t->ev, t->counted);
}

static void no_return(struct session *s, struct tracee *t)
{
	t->in_call = 0;
	t->ev.outcome = SYS_NO_RETURN;
	t->ev.exit_ns = 0;
	if (t->closing)
		closing(t, -1);
	book(s, t);
}

/* We leave, and it was our stop that ended it: it is taken up again (mend.h). */
static int is_still_under_way(const struct session *s, const struct tracee *t)
{
	return s->leaving && t->asked && (t->ev.outcome == SYS_INTERRUPTED || t->ev.ret == -EINTR);
}

void call_exit(struct session *s, struct tracee *t, const struct stop *stop)
{
	struct ptrace_syscall_info info;

	if (!get_info(t, &info))
		return;
	if (info.op == PTRACE_SYSCALL_INFO_NONE)
		return; /* killed since: its exit stop comes */
	if (info.op != PTRACE_SYSCALL_INFO_EXIT) {
		/* An exit that the kernel did not report: cannot be by ptrace(2), so say it. */
		s->lost++;
		t->in_call = 0;
		call_entry(s, t);
		return;
	}
	if (t->state == TRACEE_LAUNCH) {
		t->in_call = 0;
		return;
	}
	set_result(t, &info);
	if (refused_by_own_filter(t) || is_still_under_way(s, t)) {
		no_return(s, t);
		return;
	}
	t->in_call = 0;
	t->ev.exit_ns = stop->at_ns;
	if (t->ev.outcome == SYS_INTERRUPTED)
		remember_interrupted(t);
	if (t->closing)
		closing(t, -1);
	if (t->control)
		control_exit(s, t);
	take_stack_after(s, t);
	book(s, t);
}

void call_no_return(struct session *s, struct tracee *t, int stopped)
{
	if (t->in_call && t->state != TRACEE_LAUNCH)
		no_return(s, t);
	recorder_end(&s->recorder, t, stopped);
}

/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Entry and exit of a call: reads it from the stopped thread, has it decoded, acts on control calls
 * and books it when it is over.
 */
#include <errno.h>
#include <linux/audit.h>
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
#include "tracer/filler.h"
#include "tracer/filter.h"
#include "tracer/memory.h"
#include "tracer/own_filter.h"
#include "tracer/session.h"

#define X32_BIT         0x40000000U
#define VSYSCALL_ADDR   0xffffffffff600000ULL
#define RESTART_SYSCALL "restart_syscall"

/* ---- reading the call ---- */

const struct mem_reader *session_memory(struct session *s, const struct tracee *t)
{
	s->reads.tid = t->tid;
	return &s->memory;
}

static int poke(struct session *s, const struct tracee *t, uint64_t addr, uint64_t value)
{
	s->reads.tid = t->tid;
	return memory_poke_u64(&s->reads, addr, value);
}

static enum abi abi_of(uint32_t arch, uint64_t nr)
{
	if (arch == AUDIT_ARCH_I386)
		return ABI_I386;
	return nr & X32_BIT ? ABI_X32 : ABI_X86_64;
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
		.mm_id = t->space->id};
	memcpy(ev->args, info->entry.args, sizeof(ev->args));
	ev->def = sys_by_number((int)ev->abi, ev->nr);
	if (t->interrupted.def && strcmp(ev->def->name, RESTART_SYSCALL) == 0) {
		ev->def = t->interrupted.def;
		memcpy(ev->args, t->interrupted.args, sizeof(ev->args));
	} else if (ev->abi == ABI_I386) {
		decode_normalize(ev, session_memory(s, t));
	}
	t->interrupted.def = NULL;
	t->counted = (uint8_t)traces(s, ev->def);
	t->control = ev->def->index < s->map.len ? s->map.kind[ev->def->index] : CONTROL_NONE;
}

/* The fd that the call works on, or -1. */
static int64_t fd_of(const struct sys_event *ev)
{
	return ev->def->fd ? (int32_t)ev->args[ev->def->fd - 1] : -1;
}

static void identify_fd(struct session *s, struct tracee *t, int must_exist)
{
	int64_t fd = fd_of(&t->ev);

	if (s->map.fds && fd >= 0)
		t->ev.fd_id =
			files_identify(t->files, t->process->pid, t->tid, (uint32_t)fd, must_exist);
}

struct decode_env session_env(struct session *s, struct tracee *t, const struct sys_event *ev)
{
	struct decode_env env = {0};
	int64_t fd = fd_of(ev);

	if (!ev->def->decoder)
		return env;
	if (ev->def->decoder == &decoder_brk)
		env.prev_brk = mappings_brk(s->book.mappings, t->space->id);
	if (fd >= 0 && ev->fd_id) {
		/* The number may have another file by now. */
		const struct fd_info *info = fd_registry_get(s->fds, ev->fd_id);
		struct fd_options options =
			info ? info->options : files_options(t->files, (uint32_t)fd);

		env.gso_size = options.gso_size;
		env.gro = options.gro;
	}
	return env;
}

/* ---- control calls ---- */

#define CLONE3_FLAGS_OFFSET 0

static uint64_t clone_flags(struct session *s, struct tracee *t)
{
	const char *name = t->ev.def->name;
	const struct mem_reader *mem = session_memory(s, t);
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

	if (ptrace(PTRACE_GETREGS, t->tid, NULL, &regs) < 0)
		return -errno;
	if (t->ev.abi == ABI_I386)
		regs.rbx = value;
	else
		regs.rdi = value;
	return ptrace(PTRACE_SETREGS, t->tid, NULL, &regs) < 0 ? -errno : 0;
}

/* A CLONE_UNTRACED child would escape us but keep our filter, whose calls then fail with ENOSYS. */
static void clone_entry(struct session *s, struct tracee *t)
{
	uint64_t flags = clone_flags(s, t);
	int rc;

	t->scratch = flags;
	lifecycle_cloning(s, t, flags & CLONE_VM ? CLONING_SHARED : CLONING_COPY);
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
	if (owner->saved == SAVED_REGISTER)
		set_first_arg(t, owner->saved_arg);
	else if (owner->saved == SAVED_MEMORY)
		poke(s, t, owner->ev.args[0] + CLONE3_FLAGS_OFFSET, owner->saved_arg);
}

/* The number that a close or dup2 is about to close, or -1. */
static int64_t closing_fd(const struct tracee *t)
{
	const uint64_t *args = t->ev.args;

	if (t->control == CONTROL_CLOSE)
		return (int32_t)args[0];
	if (t->control == CONTROL_DUP && (int32_t)args[0] != (int32_t)args[1])
		return (int32_t)args[1];
	return -1;
}

/* Acts on the entry of a control call; 1 if its exit must be seen too. */
static int control_entry(struct session *s, struct tracee *t)
{
	const uint64_t *args = t->ev.args;
	int64_t fd = closing_fd(t);

	switch ((enum control)t->control) {
	case CONTROL_AFFINITY:
		colocate_end(&s->colocate, t->tid);
		return 0;
	case CONTROL_CLONE:
		colocate_end(&s->colocate, t->tid);
		clone_entry(s, t);
		return t->saved != SAVED_NONE;
	case CONTROL_CLOSE:
	case CONTROL_DUP:
		if (fd < 0 || !files_known(t->files, (uint32_t)fd))
			return 0;
		files_close_begin(t->files, (uint32_t)fd);
		return 1;
	case CONTROL_SECCOMP:
		t->scratch = (uint64_t)own_filter_entry(&t->ev, session_memory(s, t), &s->map);
		return t->scratch != OWN_FILTER_NONE;
	case CONTROL_SETSOCKOPT:
		if ((int32_t)args[1] == SOL_PACKET) {
			s->seen.packet_tx |= (int32_t)args[2] == PACKET_TX_RING;
			s->seen.packet_rx |= (int32_t)args[2] == PACKET_RX_RING;
		}
		return 1;
	case CONTROL_SOCKET:
		s->seen.xdp |= (int32_t)args[0] == AF_XDP;
		return 0;
	case CONTROL_UNSHARE:
		return (args[0] & CLONE_FILES) != 0;
	case CONTROL_FILLER:
		if (!s->reads.filler)
			s->reads.filler = filler_new();
		return 0;
	case CONTROL_CLOSE_RANGE:
	case CONTROL_IO_URING:
		return 1;
	default: /* CONTROL_EXEC: PTRACE_EVENT_EXEC says the rest */
		return 0;
	}
}

#define CLOSE_RANGE_UNSHARE_FLAG 2
#define CLOSE_RANGE_CLOEXEC_FLAG 4

static void own_files(struct tracee *t)
{
	struct files *copy = files_copy(t->files);

	files_unref(t->files);
	t->files = copy;
}

static void close_range_exit(struct tracee *t)
{
	if (t->ev.args[2] & CLOSE_RANGE_UNSHARE_FLAG)
		own_files(t);
	if (!(t->ev.args[2] & CLOSE_RANGE_CLOEXEC_FLAG))
		files_close_range(t->files, (uint32_t)t->ev.args[0], (uint32_t)t->ev.args[1]);
}

static void io_uring_exit(struct session *s, struct tracee *t)
{
	const struct mem_reader *mem = session_memory(s, t);
	uint32_t flags = 0;

	s->seen.io_uring = 1;
	if (mem->read(mem->ctx, t->ev.args[1] + offsetof(struct io_uring_params, flags), &flags,
		    sizeof(flags)) == (ssize_t)sizeof(flags) &&
		(flags & IORING_SETUP_SQPOLL))
		s->seen.sqpoll = 1;
}

static void setsockopt_exit(struct session *s, struct tracee *t)
{
	struct decode_in in = {&t->ev, session_memory(s, t), NULL};
	struct fd_options options;
	uint32_t gso = 0;
	int gro = -1;
	int fd = (int32_t)t->ev.args[0];

	if (fd < 0 || !decode_udp_option(&in, &gso, &gro))
		return;
	fast_sweep(s); /* the calls before it are to be measured as it was */
	options = files_options(t->files, (uint32_t)fd);
	if (gro >= 0)
		options.gro = (uint8_t)gro;
	else
		options.gso_size = gso;
	files_set_options(t->files, (uint32_t)fd, &options);
}

static void control_exit(struct session *s, struct tracee *t)
{
	int ok = sys_ok(&t->ev);
	int64_t fd = closing_fd(t);

	if (t->saved) {
		call_restore_arg(s, t, t);
		t->saved = SAVED_NONE;
	}
	if (fd >= 0) /* close frees the number even when it fails, but for EBADF */
		files_close_end(t->files, (uint32_t)fd,
			ok || (t->control == CONTROL_CLOSE && t->ev.ret != -EBADF));
	if (!ok)
		return;
	switch ((enum control)t->control) {
	case CONTROL_CLOSE_RANGE:
		close_range_exit(t);
		break;
	case CONTROL_UNSHARE:
		if (t->ev.args[0] & CLONE_FILES)
			own_files(t);
		break;
	case CONTROL_SETSOCKOPT:
		setsockopt_exit(s, t);
		break;
	case CONTROL_IO_URING:
		io_uring_exit(s, t);
		break;
	case CONTROL_SECCOMP:
		own_filter_installed(s, t, (enum own_filter)t->scratch);
		break;
	default:
		break;
	}
}

/* ---- entry and exit ---- */

/* A filter of the target that says TRACE: without a tracer of its own the call fails so. */
static void refuse_foreign(struct tracee *t)
{
	struct user_regs_struct regs;

	if (ptrace(PTRACE_GETREGS, t->tid, NULL, &regs) < 0)
		return;
	regs.orig_rax = (unsigned long long)-1;
	regs.rax = (unsigned long long)-ENOSYS;
	ptrace(PTRACE_SETREGS, t->tid, NULL, &regs);
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
 * The kernel runs filters for what it emulates in the vsyscall page too, which is no system call:
 * it has no exit, and without a filter no stop.
 */
static int is_vsyscall(const struct ptrace_syscall_info *info)
{
	return info->instruction_pointer >> 12 == VSYSCALL_ADDR >> 12;
}

/* Before the target's execve our own child runs: nothing counts. */
static int still_launching(
	struct session *s, struct tracee *t, const struct ptrace_syscall_info *info)
{
	if (t->state != TRACEE_LAUNCH)
		return 0;
	if (launch_is_target(s, (long)info->entry.nr, info->entry.args[0])) {
		t->state = TRACEE_RUNNING;
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
	if (info->op == PTRACE_SYSCALL_INFO_SECCOMP && fast_enter(s, t, info))
		return 1;
	if (!fast_is_stub_call(s, info))
		return 0;
	t->in_call = t->mode == MODE_SYSCALL;
	t->counted = t->control = 0;
	return 1;
}

/* Of a call that is not recorded. */
static void take_stack(struct session *s, struct tracee *t)
{
	struct user_regs_struct regs;

	t->ev.stack_id = 0;
	if (!s->stacks || !t->counted || t->ev.abi != ABI_X86_64 || !stacks_due(s->stacks, t) ||
		ptrace(PTRACE_GETREGS, t->tid, NULL, &regs) < 0)
		return;
	fast_place(t, &regs);
	t->ev.stack_id = stacks_take(s->stacks, t, &regs);
}

void call_entry(struct session *s, struct tracee *t, const struct stop *stop)
{
	struct ptrace_syscall_info info;
	struct decode_env env;
	int need_exit;

	(void)stop;
	if (!get_info(t, &info))
		return; /* killed since */
	if (info.op != PTRACE_SYSCALL_INFO_ENTRY && info.op != PTRACE_SYSCALL_INFO_SECCOMP)
		return; /* attached in the middle of it, or killed: it is in its exit stop */
	if (is_foreign(&info)) {
		refuse_foreign(t);
		return;
	}
	if (is_vsyscall(&info))
		return;
	lifecycle_cloning(s, t, CLONING_NOT);
	if (still_launching(s, t, &info) || recorded_instead(s, t, &info))
		return;
	read_call(s, t, &info);
	if (t->counted) {
		identify_fd(s, t, 1);
		env = session_env(s, t, &t->ev);
		decode_entry(&(struct decode_in){&t->ev, session_memory(s, t), &env}, &t->ev.m);
	}
	take_stack(s, t);
	need_exit = t->control && control_entry(s, t);
	t->in_call = t->counted || need_exit || t->mode == MODE_SYSCALL;
	t->ev.entry_ns = clock_mono_ns();
}

void call_filtered(struct session *s, struct tracee *t, const struct stop *stop)
{
	struct ptrace_syscall_info info;

	if (!t->in_call)
		call_entry(s, t, stop);
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

static void book(struct session *s, struct tracee *t)
{
	struct decode_env env;

	if (!t->ev.fd_id && sys_ok(&t->ev) && t->ev.outcome == SYS_RETURNED)
		identify_fd(s, t, 0);
	if (t->ev.def->decoder == &decoder_brk)
		fast_sweep(s); /* the break before it may be recorded */
	env = session_env(s, t, &t->ev);
	decode_exit(&(struct decode_in){&t->ev, session_memory(s, t), &env}, &t->ev.m);
	fast_book(s, &t->ev);
}

static void no_return(struct session *s, struct tracee *t)
{
	t->in_call = 0;
	t->ev.outcome = SYS_NO_RETURN;
	t->ev.exit_ns = 0;
	if (t->counted)
		book(s, t);
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
		call_entry(s, t, stop);
		return;
	}
	if (t->state == TRACEE_LAUNCH) {
		t->in_call = 0;
		return;
	}
	set_result(t, &info);
	if (refused_by_own_filter(t)) {
		no_return(s, t);
		return;
	}
	t->in_call = 0;
	t->ev.exit_ns = stop->at_ns;
	if (t->ev.outcome == SYS_INTERRUPTED)
		remember_interrupted(t);
	if (t->counted)
		book(s, t);
	if (t->control)
		control_exit(s, t);
}

void call_no_return(struct session *s, struct tracee *t, int stopped)
{
	if (t->in_call && t->state != TRACEE_LAUNCH)
		no_return(s, t);
	fast_end(s, t, stopped);
}

/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * The stub in our own process, and out of it from every instruction: a child runs one call through
 * it step by step, and at each step what arch_stub_undo() and arch_stub_finish() make of its
 * registers is compared with those it had at the call.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <asm/prctl.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tracer/arch/arch.h"
#include "tracer/recorder/region.h"
#include "tracer/recorder/ring.h"

#define CODE      (REGION_ADDR + REGION_CODE_BYTES - 4096)
#define TRAMP     (CODE + TRAMP_BYTES)
#define STEPS_MAX 20000
#define FLAGS     0x8d5ULL

/* A record is stamped when nothing but its call is left to do. */
#define STAMPED_BEFORE_MAX 4

static unsigned int stamped_before;
static uint8_t clock_of_calls = CLOCK_READ;
static struct region region;
static struct ring ring;
static int memory = -1;

static int set_up(void **state)
{
	struct err err = {0};

	(void)state;
	memory = memfd_create("test", MFD_ALLOW_SEALING | MFD_CLOEXEC);
	return memory < 0 ? -1 : region_take(&region, memory, 4, &err);
}

static int tear_down(void **state)
{
	(void)state;
	region_release(&region);
	close(memory);
	return 0;
}

/* In the child: the stub and one trampoline, whose site is at CODE, and the shared memory. */
static void map_code(int alive)
{
	static const uint8_t site[] = {0x0f, 0x05, 0xcc};
	uint8_t tramp[TRAMP_BYTES];
	size_t bytes;
	const void *stub = arch_stub(&bytes);
	uint8_t *at = mmap((void *)REGION_ADDR, ARENA_OFFSET, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

	memcpy(at, stub, bytes);
	arch_tramp(tramp, TRAMP, CODE, NULL, 0);
	memcpy((void *)CODE, site, sizeof(site));
	memcpy((void *)TRAMP, tramp, sizeof(tramp));
	mprotect(at, REGION_CODE_BYTES, PROT_READ | PROT_EXEC);
	at[ALIVE_OFFSET] = (uint8_t)alive;
	if (alive) /* else it is not there, as in a fork's child */
		mmap(at + ARENA_OFFSET, 4 * ARENA_UNIT_BYTES, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_FIXED, memory, 0);
	syscall(SYS_arch_prctl, ARCH_SET_GS, ring.block_addr);
}

/* A child that stands at the trampoline with the registers of the call. */
static pid_t begin_call(
	const struct user_regs_struct *call, int alive, struct user_regs_struct *ret)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		map_code(alive);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, ret), 0);
	ret->rax = call->rax;
	ret->rdi = call->rdi;
	ret->rsi = call->rsi;
	ret->rdx = call->rdx;
	ret->r10 = ret->r8 = ret->r9 = ret->rbx = ret->rbp = 0x1111111111111111;
	ret->r12 = ret->r13 = ret->r14 = ret->r15 = 0x2222222222222222;
	ret->eflags = (ret->eflags & ~FLAGS) | call->eflags;
	ret->orig_rax = (unsigned long long)-1;
	ret->rip = TRAMP;
	assert_int_equal(ptrace(PTRACE_SETREGS, pid, NULL, ret), 0);
	return pid;
}

static void compare(const struct user_regs_struct *is, const struct user_regs_struct *was)
{
	assert_int_equal(is->rdi, was->rdi);
	assert_int_equal(is->rsi, was->rsi);
	assert_int_equal(is->rdx, was->rdx);
	assert_int_equal(is->r10, was->r10);
	assert_int_equal(is->r8, was->r8);
	assert_int_equal(is->r9, was->r9);
	assert_int_equal(is->rbx, was->rbx);
	assert_int_equal(is->rbp, was->rbp);
	assert_int_equal(is->rsp, was->rsp);
	assert_int_equal(is->r12, was->r12);
	assert_int_equal(is->r15, was->r15);
	assert_int_equal(is->eflags & FLAGS, was->eflags & FLAGS);
}

/* 1 where the stub needs what it keeps in the block. */
static int uses_block(uint64_t ip)
{
	extern const uint8_t __start_stub_code[], stub_saved[], stub_pass[], stub_before[];
	const uint8_t *at = __start_stub_code + (ip - REGION_ADDR);

	return at >= stub_saved && (at < stub_pass || at >= stub_before);
}

/* What a signal at this place would have to find. */
static void check_here(const struct user_regs_struct *regs, const struct user_regs_struct *call,
	int64_t result, int *ret_after)
{
	struct user_regs_struct out = *regs;
	struct stub_state st;
	enum stub_phase phase;
	struct record r;

	ring_state(&ring, &st);
	phase = arch_stub_phase(regs, &st);
	assert_int_equal(arch_stub_desc(regs, &st), TRAMP + TRAMP_DESC);
	if (phase == STUB_BEFORE) {
		assert_false(*ret_after);
		/* Without a tracer a handler's calls are to pass. */
		if (uses_block(regs->rip))
			assert_true(ring.block->inflight > ring.block->head);
		stamped_before += ring_in_flight(&ring, &r) && r.t0;
		arch_stub_undo(&out, &st);
		assert_int_equal(out.rax, call->rax);
	} else {
		*ret_after = 1;
		arch_stub_finish(&out, &st, result);
		assert_int_equal((int64_t)out.rax, result);
		if (phase == STUB_IN_CALL)
			assert_int_equal((int64_t)regs->rax, result);
		/* It is counted by the stub, or taken over from it. */
		if (ring.block->kinds[call->rax] == KIND_TALLY)
			assert_int_equal(ring.block->tallies[call->rax] + (phase != STUB_DONE), 1);
		/* From here on a handler's call may have the block and the record, where no tracer
		 * takes the thread out of the stub first. */
		if (!ring_in_flight(&ring, &r)) {
			assert_int_equal((int64_t)regs->rax, result);
			assert_int_equal(regs->rcx, CODE + 2);
			assert_int_equal(regs->eflags & FLAGS, call->eflags & FLAGS);
		}
	}
	compare(&out, call);
}

/* Steps through one call to the end: to the site's next instruction, or to the pass. Returns the
 * records that it made, which lie in the ring. */
static uint64_t step_through(
	struct user_regs_struct call, uint8_t kind, int64_t result, int passes, int alive)
{
	struct user_regs_struct regs, at_call;
	int after = 0, status, i;
	uint64_t head;
	pid_t pid;

	ring.block->kinds[call.rax] = kind;
	ring.block->clocks[call.rax] = kind == KIND_TALLY ? CLOCK_COUNT : clock_of_calls;
	stamped_before = 0;
	pid = begin_call(&call, alive, &at_call);
	regs = at_call;
	for (i = 0; i < STEPS_MAX; i++) {
		if (arch_in_stub(regs.rip) && regs.rip < CODE)
			check_here(&regs, &at_call, result, &after);
		if (regs.rip == CODE + 2 || regs.rip == TRAMP + TRAMP_DESC + DESC_PASS)
			break;
		assert_int_equal(ptrace(PTRACE_SINGLESTEP, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
		assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGTRAP);
		assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, &regs), 0);
	}
	assert_true(i < STEPS_MAX);
	assert_true(stamped_before < STAMPED_BEFORE_MAX);
	compare(&regs, &at_call);
	assert_int_equal(regs.rip, passes ? TRAMP + TRAMP_DESC + DESC_PASS : CODE + 2);
	assert_int_equal(regs.rax, passes ? call.rax : (uint64_t)result);
	assert_int_equal(ring_head(&ring, &head), 0);
	ptrace(PTRACE_KILL, pid, NULL, NULL);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
	return head;
}

static void walk(struct user_regs_struct call, uint8_t kind, int64_t result, int passes)
{
	assert_int_equal(ring_init(&ring, &region), 0);
	assert_int_equal(step_through(call, kind, result, passes, 1), passes ? 0 : 1);
	ring_release(&ring, &region);
}

static const unsigned long long flags[] = {0, FLAGS, 0x800, 0x1, 0x40, 0x8c4};

static void plain_calls(void **state)
{
	(void)state;
	if (arch_unsupported())
		skip();
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++)
		walk((struct user_regs_struct){.rax = SYS_lseek,
			     .rdi = (uint64_t)-1,
			     .rdx = 1,
			     .eflags = flags[i]},
			KIND_PLAIN, -EBADF, 0);
}

static void counted_calls(void **state)
{
	struct user_regs_struct call = {.rax = SYS_lseek, .rdi = (uint64_t)-1, .rdx = 1};
	struct record r;

	(void)state;
	if (arch_unsupported())
		skip();
	for (size_t i = 0; i < 2 * LEN(flags); i++) {
		call.eflags = flags[i / 2];
		assert_int_equal(ring_init(&ring, &region), 0);
		if (i % 2) /* --stacks asks for none of them */
			ring.block->measured = ring.block->sample = ring.block->wait = 0;
		assert_int_equal(step_through(call, KIND_TALLY, -EBADF, 0, 1), 0);
		assert_false(ring_in_flight(&ring, &r));
		assert_int_equal(ring.block->tallies[SYS_lseek], 1);
		assert_int_equal(ring_made(&ring, 0), 1);
		ring_release(&ring, &region);
	}
}

/* What the record of a call says of its time, made while the coarse clock said `says`, and what the
 * clock says then. */
static struct record by_coarse_clock(
	struct user_regs_struct call, uint8_t kind, uint64_t says, uint64_t *ret_says)
{
	uint64_t *clock = region_units(&region, 1);
	struct record r;

	assert_non_null(clock);
	assert_int_equal(ring_init(&ring, &region), 0);
	*clock = says;
	ring.block->coarse = region_addr(&region, clock);
	assert_int_equal(step_through(call, kind, -EBADF, 0, 1), 1);
	ring_copy(&ring, 0, &r);
	*ret_says = *clock;
	ring_release(&ring, &region);
	region_give_back(&region, clock, 1);
	return r;
}

static void calls_without_times(void **state)
{
	const uint64_t future = 1ULL << 62;
	struct user_regs_struct call = {.rax = SYS_lseek, .rdi = (uint64_t)-1, .rdx = 1};

	(void)state;
	if (arch_unsupported())
		skip();
	for (size_t i = 0; i < LEN(flags); i++) {
		uint64_t says, before = arch_ticks();
		struct record r;

		call.eflags = flags[i];
		clock_of_calls = CLOCK_TAKE;
		r = by_coarse_clock(call, KIND_PLAIN, 7, &says);
		assert_true(r.t0 == 7 && r.t1 == 7 && says == 7);
		clock_of_calls = CLOCK_TELL;
		r = by_coarse_clock(call, KIND_PLAIN, 7, &says);
		assert_true(r.t0 > before && r.t1 > r.t0 && r.t1 < arch_ticks());
		assert_int_equal(says, r.t1 + CLOCK_STEP);
		/* Of another CPU, whose counter is ahead. */
		r = by_coarse_clock(call, KIND_PLAIN, future, &says);
		assert_true(r.t0 > before && r.t1 == future + CLOCK_STEP &&
			    says == future + 2 * CLOCK_STEP);
	}
	clock_of_calls = CLOCK_READ;
}

static void calls_that_pass(void **state)
{
	(void)state;
	if (arch_unsupported())
		skip();
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		struct user_regs_struct call = {
			.rax = SYS_lseek, .rdi = (uint64_t)-1, .rdx = 1, .eflags = flags[i]};

		walk(call, KIND_PASS, 0, 1);
		walk(call, KIND_RANGE, -EBADF, 0);
		call.rdi = (unsigned long long)REGION_ADDR; /* a range that is ours */
		call.rsi = 4096;
		walk(call, KIND_RANGE, 0, 1);
	}
}

/* With --stacks calls count until it is a stack's turn, and ask: here nobody answers. */
static void calls_that_ask_for_a_stack(void **state)
{
	struct user_regs_struct call = {.rax = SYS_lseek, .rdi = (uint64_t)-1, .rdx = 1};

	(void)state;
	if (arch_unsupported())
		skip();
	for (uint64_t i = 0; i < 4; i++) {
		uint64_t wait = i < 2 ? 1ULL << 40 : 1;

		assert_int_equal(ring_init(&ring, &region), 0);
		ring.block->measured = 0;
		ring.block->sample = 2 - i % 2;
		ring.block->wait = wait;
		assert_int_equal(step_through(call, KIND_PLAIN, -EBADF, 0, 1), 1);
		assert_int_equal(ring.block->sample, 1 - i % 2);
		assert_true(ring.block->wait < wait && (ring.block->wait == 0) == (i >= 2));
		ring_release(&ring, &region);
	}
}

/* A fork's child has its maker's gs, and no memory: its calls pass. */
static void calls_without_memory(void **state)
{
	struct user_regs_struct call = {.rax = SYS_lseek, .rdi = (uint64_t)-1, .rdx = 1};

	(void)state;
	if (arch_unsupported())
		skip();
	assert_int_equal(ring_init(&ring, &region), 0);
	assert_int_equal(step_through(call, KIND_PLAIN, 0, 1, 0), 0);
	ring_release(&ring, &region);
}

static void measured_calls(void **state)
{
	static char text[] = "abcdef";
	static struct iovec iov[3] = {{text, 1}, {text, 2}, {text, 3}};
	int null[2];

	(void)state;
	if (arch_unsupported())
		skip();
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, null), 0);
	for (size_t i = 0; i < sizeof(flags) / sizeof(*flags); i++) {
		struct user_regs_struct call = {.rax = SYS_writev,
			.rdi = (unsigned int)null[0],
			.rsi = (uint64_t)(uintptr_t)iov,
			.rdx = 3,
			.eflags = flags[i]};

		walk(call, KIND_IOV, 6, 0);
		call.rsi = 16; /* where nothing is: it asks, and nobody answers */
		walk(call, KIND_IOV, -EFAULT, 0);
	}
	close(null[0]);
	close(null[1]);
}

static void said(const struct user_regs_struct *call, uint8_t kind, int64_t result,
	const void *want, size_t len)
{
	uint8_t is[SAID_BYTES_MAX];
	struct record r;

	assert_int_equal(ring_init(&ring, &region), 0);
	assert_int_equal(step_through(*call, kind, result, 0, 1),
		1 + (len + RECORD_BYTES - 1) / RECORD_BYTES);
	ring_copy(&ring, 0, &r);
	assert_int_equal(r.units, len);
	ring_said(&ring, 0, &r, is);
	assert_memory_equal(is, want, len);
	ring_release(&ring, &region);
}

static void calls_that_say_something(void **state)
{
	static char path[300];
	static struct sockaddr at = {.sa_family = AF_UNSPEC};
	struct user_regs_struct call = {.rax = SYS_openat,
		.rdi = (unsigned long long)AT_FDCWD,
		.rsi = (uint64_t)(uintptr_t)path};
	int fd = socket(AF_INET, SOCK_DGRAM, 0), next = dup(fd);

	(void)state;
	if (arch_unsupported())
		skip();
	close(next); /* what the child's open gives */
	memset(path, '/', sizeof(path) - 1);
	memcpy(path + sizeof(path) - 9, "dev/null", 8);
	said(&call, KIND_PATH_2, next, path, strlen(path));
	strcpy(path, "/");
	said(&call, KIND_PATH_2, next, path, 1);
	call = (struct user_regs_struct){.rax = SYS_connect,
		.rdi = (unsigned int)fd,
		.rsi = (uint64_t)(uintptr_t)&at,
		.rdx = sizeof(at)};
	said(&call, KIND_ADDRESS, 0, &at, sizeof(at));
	close(fd);
}

/* ---- the set-up ---- */

/* In a child that has the code and nothing else, to the trap behind its last call: nobody stops
 * that. */
static void run_setup(uint64_t page, struct arch_setup *ret)
{
	struct user_regs_struct regs;
	size_t bytes;
	const void *stub = arch_stub(&bytes);
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		uint8_t *at = mmap((void *)REGION_ADDR, ALIVE_OFFSET + ALIVE_BYTES,
			PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

		memcpy(at, stub, bytes);
		mprotect(at, REGION_CODE_BYTES, PROT_READ | PROT_EXEC);
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, &regs), 0);
	regs.orig_rax = (unsigned long long)-1;
	regs.rsp = 0; /* it has no need of a stack */
	arch_setup_begin(&regs, MFD_CLOEXEC | MFD_ALLOW_SEALING, page);
	assert_int_equal(ptrace(PTRACE_SETREGS, pid, NULL, &regs), 0);
	assert_int_equal(ptrace(PTRACE_CONT, pid, NULL, NULL), 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status) && WSTOPSIG(status) == SIGILL);
	assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, &regs), 0);
	assert_int_equal(regs.rip, arch_setup_end());
	arch_setup_results(&regs, ret);
	kill(pid, SIGKILL);
	waitpid(pid, &status, 0);
}

static void the_set_up_makes_all_calls(void **state)
{
	const uint64_t page = REGION_ADDR + REGION_BYTES;
	struct arch_setup got;

	(void)state;
	run_setup(page, &got);
	assert_true(got.fd > 2);
	assert_int_equal(got.wiped, 0);
	assert_int_equal(got.apart, 0);
	assert_int_equal(got.arena, REGION_ADDR + ARENA_OFFSET);
	assert_int_equal(got.page, page);
	run_setup(0, &got);
	assert_int_equal(got.arena, REGION_ADDR + ARENA_OFFSET);
	assert_int_equal(got.page, 0);
	run_setup(REGION_ADDR, &got); /* something is there already */
	assert_int_equal((int64_t)got.page, -EEXIST);
	assert_true(arch_in_stub(arch_setup_after()) && arch_in_stub(arch_setup_end()));
}

static void jumps_reach_or_say_so(void **state)
{
	uint8_t code[ARCH_JUMP_BYTES];

	(void)state;
	assert_int_equal(arch_jump_short(code, 1000, 1002 + 127), 0);
	assert_int_equal(code[1], 127);
	assert_int_equal(arch_jump_short(code, 1000, 1002 - 128), 0);
	assert_int_equal(arch_jump_short(code, 1000, 1002 + 128), -ERANGE);
	assert_int_equal(arch_jump_short(code, 1000, 1002 - 129), -ERANGE);
	assert_int_equal(arch_jump_long(code, 0, 5 + 0x7fffffffULL), 0);
	assert_int_equal(arch_jump_long(code, 0, 5 + 0x80000000ULL), -ERANGE);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_calls),
		cmocka_unit_test(counted_calls),
		cmocka_unit_test(calls_without_times),
		cmocka_unit_test(calls_that_pass),
		cmocka_unit_test(calls_that_ask_for_a_stack),
		cmocka_unit_test(calls_without_memory),
		cmocka_unit_test(measured_calls),
		cmocka_unit_test(calls_that_say_something),
		cmocka_unit_test(the_set_up_makes_all_calls),
		cmocka_unit_test(jumps_reach_or_say_so),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}

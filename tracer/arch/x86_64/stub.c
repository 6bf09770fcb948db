/* SPDX-License-Identifier: GPL-3.0-only */
/* The stub seen from outside: where a thread is in it, and how it gets out. See stub_code.S. */
#include <asm/prctl.h>
#include <cpuid.h>
#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <x86intrin.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "tracer/arch/arch.h"

extern const uint8_t __start_stub_code[], __stop_stub_code[];
extern const uint8_t stub_entry[], stub_flags_taken[], stub_flags_shifted[], stub_flags_packed[],
	stub_saved[], stub_reserved[], stub_after[], stub_ret_saved[], stub_committed[],
	stub_tally[], stub_tallied[], stub_leaving[], stub_pass[], stub_pass_jump[], stub_before[],
	stub_clock_before[], stub_in_measure_before[], stub_special_after[],
	stub_in_measure_after[], stub_asked[], stub_asm_end[];

#define HWCAP2_HAS_FSGSBASE 2

/* The flags that lahf and seto save. */
#define FLAGS_LOW      0xd5ULL /* SF ZF AF PF CF */
#define FLAGS_OVERFLOW 0x800ULL
#define FLAG_TRAP      0x100ULL

#define SAID_BY_TRAP 42

static void trapped(int sig)
{
	(void)sig;
	_exit(SAID_BY_TRAP);
}

/*
 * Where /sys is not mounted: does a child that may not read the time stamp counter fall over it
 * when it asks for the time? Then the kernel has its clock read from the counter, and without a
 * call: it does that only while it holds the counters of all CPUs to agree.
 */
static int clock_reads_tsc(void)
{
	int status;
	pid_t pid = fork();

	if (pid == 0) {
		struct timespec ts;

		signal(SIGSEGV, trapped);
		if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV) == 0)
			clock_gettime(CLOCK_MONOTONIC, &ts);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return 0;
	return pid > 0 && WIFEXITED(status) && WEXITSTATUS(status) == SAID_BY_TRAP;
}

static int clock_is_tsc(void)
{
	cleanup_free char *source = NULL;

	if (file_read("/sys/devices/system/clocksource/clocksource0/current_clocksource", 64,
		    &source, NULL, NULL) < 0)
		return clock_reads_tsc();
	return strncmp(source, "tsc", 3) == 0;
}

const char *arch_unsupported(void)
{
	unsigned int a, b, c, d;

	if (!(getauxval(AT_HWCAP2) & HWCAP2_HAS_FSGSBASE))
		return "the CPU or kernel has no FSGSBASE";
	if (!__get_cpuid(0x80000007, &a, &b, &c, &d) || !(d & 1 << 8))
		return "the CPU's time stamp counter is not invariant";
	if (!clock_is_tsc())
		return "the kernel's clock is not the time stamp counter";
	return NULL;
}

uint64_t arch_ticks(void)
{
	return __rdtsc();
}

const void *arch_stub(size_t *ret_bytes)
{
	*ret_bytes = (size_t)(__stop_stub_code - __start_stub_code);
	return __start_stub_code;
}

/* Where that border is in a target. */
static uint64_t at(const uint8_t *border)
{
	return REGION_ADDR + (uint64_t)(border - __start_stub_code);
}

uint64_t arch_stub_after(void)
{
	return at(stub_after);
}

uint64_t arch_stub_asked(void)
{
	return at(stub_asked);
}

int arch_in_stub(uint64_t ip)
{
	return ip >= REGION_ADDR && ip < REGION_ADDR + REGION_CODE_BYTES;
}

static int between(uint64_t ip, const uint8_t *from, const uint8_t *until)
{
	return ip >= at(from) && ip < at(until);
}

/* In measure.c, which lies behind or before the assembler's part. */
int arch_in_measure(uint64_t ip)
{
	return arch_in_stub(ip) && !between(ip, stub_entry, stub_asm_end);
}

enum stub_phase arch_stub_phase(const struct user_regs_struct *regs, const struct stub_state *st)
{
	uint64_t ip = regs->rip;

	if (arch_in_measure(ip))
		return st->record.t1 ? STUB_AFTER : STUB_BEFORE;
	if (ip < at(stub_after))
		return STUB_BEFORE;
	if (ip < at(stub_ret_saved))
		return STUB_IN_CALL;
	if (ip < at(stub_committed) || between(ip, stub_tally, stub_tallied) ||
		ip >= at(stub_special_after))
		return STUB_AFTER;
	if (ip < at(stub_leaving))
		return STUB_DONE;
	return STUB_BEFORE;
}

/* 1 where number and flags are (still) in r11. */
static int packed_in_r11(uint64_t ip)
{
	return between(ip, stub_flags_packed, stub_saved) || between(ip, stub_pass, stub_before);
}

uint64_t arch_stub_desc(const struct user_regs_struct *regs, const struct stub_state *st)
{
	if (regs->rip == at(stub_pass_jump))
		return regs->rcx - DESC_PASS;
	if (between(regs->rip, stub_entry, stub_saved) ||
		between(regs->rip, stub_pass, stub_pass_jump))
		return regs->rcx;
	return st->block.desc;
}

static void set_flags(struct user_regs_struct *regs, uint64_t saved)
{
	regs->eflags &= ~(FLAGS_LOW | FLAGS_OVERFLOW);
	regs->eflags |= saved >> 8 & FLAGS_LOW;
	if (saved & 1)
		regs->eflags |= FLAGS_OVERFLOW;
}

/* What the measuring code uses beyond what a call may destroy. */
static void restore_measure(struct user_regs_struct *regs, const struct block *b)
{
	if (!arch_in_measure(regs->rip) &&
		!between(regs->rip, stub_in_measure_before, stub_special_after) &&
		!between(regs->rip, stub_in_measure_after, stub_asm_end))
		return;
	regs->rsp = b->saved[0];
	regs->rbx = b->saved[1];
	regs->rbp = b->saved[2];
	regs->r12 = b->saved[3];
	regs->r13 = b->saved[4];
	regs->r14 = b->saved[5];
	regs->r15 = b->saved[6];
}

static void set_args(struct user_regs_struct *regs, const uint64_t args[6])
{
	regs->rdi = args[0];
	regs->rsi = args[1];
	regs->rdx = args[2];
	regs->r10 = args[3];
	regs->r8 = args[4];
	regs->r9 = args[5];
}

/* 1 from where the record has all arguments, before the call. */
static int has_record(uint64_t ip)
{
	return arch_in_measure(ip) || between(ip, stub_reserved, stub_leaving) ||
	       between(ip, stub_clock_before, stub_special_after);
}

void arch_stub_undo(struct user_regs_struct *regs, const struct stub_state *st)
{
	uint64_t ip = regs->rip, nrflags = packed_in_r11(ip) ? regs->r11 : st->block.nrflags;

	if (ip == at(stub_entry)) {
		/* the number and the flags are where they were */
	} else if (ip > at(stub_entry) && ip <= at(stub_flags_taken)) {
		regs->rax = (uint32_t)regs->r11;
	} else {
		if (ip == at(stub_flags_shifted))
			nrflags = regs->rax | (uint32_t)regs->r11;
		set_flags(regs, nrflags >> 32);
		regs->rax = (uint32_t)nrflags;
	}
	if (has_record(ip)) {
		set_args(regs, st->record.args);
		restore_measure(regs, &st->block);
	}
}

void arch_stub_finish(struct user_regs_struct *regs, const struct stub_state *st, int64_t result)
{
	restore_measure(regs, &st->block);
	set_args(regs, st->record.args);
	set_flags(regs, st->block.nrflags >> 32);
	regs->rax = (uint64_t)result;
}

void arch_as_returned(struct user_regs_struct *regs, uint64_t after)
{
	regs->rip = regs->rcx = after;
	regs->r11 = regs->eflags;
}

void arch_take_back(struct user_regs_struct *regs)
{
	regs->rax = regs->orig_rax;
	regs->orig_rax = (unsigned long long)-1;
}

void arch_make_call(
	struct user_regs_struct *regs, uint64_t call_at, long nr, const uint64_t args[6])
{
	if (call_at) {
		regs->rip = call_at;
		regs->rax = (uint64_t)nr;
		regs->orig_rax = (unsigned long long)-1;
	} else {
		regs->orig_rax = (uint64_t)nr;
	}
	set_args(regs, args);
}

int arch_steps(const struct user_regs_struct *regs)
{
	return (regs->eflags & FLAG_TRAP) != 0;
}

/* ---- gs ---- */

#define GS_BASE ((void *)offsetof(struct user_regs_struct, gs_base))

const char arch_block_taken[] = "the program uses the register that the recorder needs (gs)";

uint64_t arch_block(const struct user_regs_struct *regs)
{
	return regs->gs_base;
}

void arch_set_block(struct user_regs_struct *regs, uint64_t addr)
{
	regs->gs_base = addr;
}

int arch_peek_block(pid_t tid, uint64_t *ret_addr)
{
	long gs;

	errno = 0;
	gs = ptrace(PTRACE_PEEKUSER, tid, GS_BASE, NULL);
	if (errno)
		return -errno;
	*ret_addr = (uint64_t)gs;
	return 0;
}

int arch_poke_block(pid_t tid, uint64_t addr)
{
	return ptrace(PTRACE_POKEUSER, tid, GS_BASE, addr) < 0 ? -errno : 0;
}

int arch_use_block(struct block *block)
{
	return syscall(SYS_arch_prctl, ARCH_SET_GS, block) < 0 ? -errno : 0;
}

/* ---- a call ---- */

const void *arch_call_code(size_t *ret_bytes)
{
	static const uint8_t code[] = {0x0f, 0x05, 0xc3};

	*ret_bytes = sizeof(code);
	return code;
}

void arch_call(uint64_t code, long nr)
{
	/* What the compiler may keep below the stack pointer stays. */
	__asm__ volatile("lea -128(%%rsp), %%rsp\n"
			 "call *%[code]\n"
			 "lea 128(%%rsp), %%rsp"
			 : "+a"(nr)
			 : [code] "r"(code), "D"(-1L), "S"(0L), "d"(0L)
			 : "rcx", "r11", "memory", "cc");
}

/* ---- trampolines ---- */

static void put32(uint8_t *p, int64_t v)
{
	int32_t narrow = (int32_t)v;

	memcpy(p, &narrow, sizeof(narrow));
}

void arch_tramp(uint8_t buf[TRAMP_BYTES], uint64_t where, uint64_t site, const uint8_t *moved,
	size_t moved_len)
{
	static const uint8_t code[] = {
		0x48, 0x8d, 0x0d, 0, 0, 0, 0, /* lea rcx, [rip + descriptor] */
		0xff, 0x25, 0, 0, 0, 0,       /* jmp [rip + DESC_STUB] */
	};
	uint64_t after = site + ARCH_CALL_BYTES, stub = at(stub_entry);
	uint8_t *desc = buf + TRAMP_DESC;
	size_t n = moved_len;

	memset(buf, ARCH_TRAP, TRAMP_BYTES);
	if (n)
		memcpy(buf, moved, n);
	memcpy(buf + n, code, sizeof(code));
	put32(buf + n + 3, TRAMP_DESC - (int64_t)(n + 7));
	put32(buf + n + 9, TRAMP_DESC + DESC_STUB - (int64_t)(n + 13));
	memcpy(desc + DESC_RETURN, &after, sizeof(after));
	memcpy(desc + DESC_STUB, &stub, sizeof(stub));
	desc[DESC_PASS] = 0x0f; /* syscall */
	desc[DESC_PASS + 1] = 0x05;
	arch_jump_long(desc + DESC_PASS + 2, where + TRAMP_DESC + DESC_PASS + 2, after);
}

int arch_sets_number(const uint8_t before[ARCH_NUMBER_BYTES], uint32_t nr)
{
	uint8_t mov[1 + sizeof(nr)] = {0xb8}; /* $imm32,%eax */

	memcpy(mov + 1, &nr, sizeof(nr));
	return memmem(before, ARCH_NUMBER_BYTES, mov, sizeof(mov)) != NULL;
}

int arch_is_call(const uint8_t code[ARCH_CALL_BYTES])
{
	return code[0] == 0x0f && code[1] == 0x05;
}

int arch_jump_short(uint8_t buf[ARCH_CALL_BYTES], uint64_t from, uint64_t to)
{
	int64_t distance = (int64_t)(to - (from + 2));

	if (distance < INT8_MIN || distance > INT8_MAX)
		return -ERANGE;
	buf[0] = 0xeb;
	buf[1] = (uint8_t)distance;
	return 0;
}

int arch_jump_long(uint8_t buf[ARCH_JUMP_BYTES], uint64_t from, uint64_t to)
{
	int64_t distance = (int64_t)(to - (from + ARCH_JUMP_BYTES));

	if (distance < INT32_MIN || distance > INT32_MAX)
		return -ERANGE;
	buf[0] = 0xe9;
	put32(buf + 1, distance);
	return 0;
}

int arch_is_filling(const uint8_t *code, size_t len)
{
	static const uint8_t bytes_of_nops[] = {
		0x90, 0xcc, 0x66, 0x0f, 0x1f, 0x2e, 0x00, 0x40, 0x44, 0x80, 0x84};

	for (size_t i = 0; i < len; i++)
		if (!memchr(bytes_of_nops, code[i], sizeof(bytes_of_nops)))
			return 0;
	return 1;
}

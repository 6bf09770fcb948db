/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Programs that look at, change or depend on their own code, registers, memory and filters: what a
 * recorder inside the target could break. x86-64 for the most part. Each case ends with a line
 * "name=calls ..." on stdout, as in rec_signal.c.
 */
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>

#include <linux/filter.h>
#include <linux/seccomp.h>

#include "t.h"

#ifndef __x86_64__
int main(int argc, char **argv)
{
	(void)argv;
	if (argc > 1 && strcmp(argv[1], "none") == 0)
		return 0;
	errno = 0;
	t_skip("x86-64 only");
}
#else
#include <asm/prctl.h>

static atomic_long writes, reads;
static int null_fd;

static void report(void)
{
	char line[200];
	int n = snprintf(line, sizeof(line), "write=%ld read=%ld\n", atomic_load(&writes) + 1,
		atomic_load(&reads));

	CHECK(write(1, line, (size_t)n) == n);
}

static void write_n(long n)
{
	for (long i = 0; i < n; i++)
		CHECK(write(null_fd, "x", 1) == 1);
	atomic_fetch_add(&writes, n);
}

/* ---- registers ---- */

#define FLAGS_SEEN 0x8d5UL /* OF SF ZF AF PF CF */

struct registers {
	uint64_t rbx, rbp, rdi, rsi, rdx, r8, r9, r10, r12, r13, r14, r15, flags, rax, rsp_moved;
	uint64_t red[2];
};

/* write(fd, addr, n) with every register and flag set to what `want` says; *got is what they are
 * after it. */
__asm__(".text\n.p2align 4\n.type rec_site, @function\n"
	"rec_site: .cfi_startproc\nsyscall\njmp rec_back\n.cfi_endproc\n"
	".size rec_site, . - rec_site\n.p2align 4\n.globl rec_back\n");

/* The label rec_back can stand in the program once only. */
#if __has_attribute(noclone)
#define ONCE __attribute__((noinline, noclone))
#else
#define ONCE __attribute__((noinline))
#endif

ONCE static void call_with(const struct registers *want, struct registers *got)
{
	static const struct registers *from;
	static struct registers *to;
	static uint64_t stack;

	from = want;
	to = got;
	/* clang-format off */
	__asm__ volatile(
		"push %%rbx; push %%rbp; push %%r12; push %%r13; push %%r14; push %%r15\n"
		"mov %%rsp, %[stack]\n"
		"mov %[from], %%rax\n"
		"pushq 12*8(%%rax); popfq\n" /* before the red zone is filled */
		"movq $0x1111, -8(%%rsp); movq $0x2222, -120(%%rsp)\n"
		"mov 0*8(%%rax), %%rbx; mov 1*8(%%rax), %%rbp; mov 2*8(%%rax), %%rdi\n"
		"mov 3*8(%%rax), %%rsi; mov 4*8(%%rax), %%rdx; mov 5*8(%%rax), %%r8\n"
		"mov 6*8(%%rax), %%r9; mov 7*8(%%rax), %%r10; mov 8*8(%%rax), %%r12\n"
		"mov 9*8(%%rax), %%r13; mov 10*8(%%rax), %%r14; mov 11*8(%%rax), %%r15\n"
		"mov 13*8(%%rax), %%rax\n"
		"jmp rec_site\n"
		"rec_back:\n"
		"mov %%rax, %%r11; mov %[to], %%rax\n" /* the flags are kept */
		"mov %%rbx, 0*8(%%rax); mov %%rbp, 1*8(%%rax); mov %%rdi, 2*8(%%rax)\n"
		"mov %%rsi, 3*8(%%rax); mov %%rdx, 4*8(%%rax); mov %%r8, 5*8(%%rax)\n"
		"mov %%r9, 6*8(%%rax); mov %%r10, 7*8(%%rax); mov %%r12, 8*8(%%rax)\n"
		"mov %%r13, 9*8(%%rax); mov %%r14, 10*8(%%rax); mov %%r15, 11*8(%%rax)\n"
		"mov %%r11, 13*8(%%rax)\n"
		"mov -8(%%rsp), %%r11; mov %%r11, 15*8(%%rax)\n"
		"mov -120(%%rsp), %%r11; mov %%r11, 16*8(%%rax)\n"
		"pushfq; popq 12*8(%%rax)\n"
		"mov %%rsp, %%r11; sub %[stack], %%r11; mov %%r11, 14*8(%%rax)\n"
		"cld\n"
		"pop %%r15; pop %%r14; pop %%r13; pop %%r12; pop %%rbp; pop %%rbx\n"
		: [stack] "+m"(stack)
		: [from] "m"(from), [to] "m"(to)
		: "rax", "rcx", "rdx", "rsi", "rdi", "r8", "r9", "r10", "r11", "memory", "cc");
	/* clang-format on */
}

static const uint64_t patterns[] = {
	0, 0x8d5, 0x1, 0x4, 0x10, 0x40, 0x80, 0x800, 0x400, 0xc95, 0x801};

static void compare(const struct registers *want, const struct registers *got, int64_t result)
{
	uint64_t differ = (want->flags ^ got->flags) & (FLAGS_SEEN | 0x400);

	CHECK((int64_t)got->rax == result);
	CHECK(memcmp(want, got, offsetof(struct registers, flags)) == 0);
	CHECK(differ == 0);
	CHECK(got->rsp_moved == 0 && got->red[0] == 0x1111 && got->red[1] == 0x2222);
}

/* Nothing but rax, rcx and r11 may change, for calls of each way through the recorder. */
static void keep_registers(long n)
{
	struct iovec iov[2] = {{(void *)"ab", 2}, {(void *)"c", 1}};

	for (long i = 0; i < n; i++) {
		struct registers want = {.rbx = 1,
			.rbp = 2,
			.r8 = 0x8888888888888888,
			.r9 = 9,
			.r10 = ~0UL,
			.r12 = 12,
			.r13 = 13,
			.r14 = 1UL << 63,
			.r15 = 15,
			.rdi = (uint64_t)null_fd | 0xffff00000000,
			.rsi = (uint64_t)(uintptr_t) "abc",
			.rdx = 3,
			.flags = 0x202 | patterns[(size_t)i % (sizeof(patterns) / 8)]};
		struct registers got = {0};
		int vector = i % 3 == 2;

		want.rax = vector ? SYS_writev : SYS_write;
		if (vector) {
			want.rsi = (uint64_t)(uintptr_t)iov;
			want.rdx = 2;
		}
		call_with(&want, &got);
		compare(&want, &got, 3);
		atomic_fetch_add(&writes, !vector);
	}
}

/* N calls, and so many of each of M children, in whose memory the recorder begins by other calls.
 */
static void registers_kept(char **args)
{
	long n = t_num(args, 0, 200), children = t_num(args, 1, 0);

	null_fd = t_null();
	keep_registers(n);
	for (long i = 0; i < children; i++) {
		int status;
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			keep_registers(n);
			_exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
		atomic_fetch_add(&writes, n - n / 3);
	}
	report();
}

/* The program's own gs: by a call, and by the instruction. */
static uint64_t gs_word(void)
{
	uint64_t v;

	__asm__ volatile("mov %%gs:0, %0" : "=r"(v));
	return v;
}

static void own_gs(char **args)
{
	static uint64_t mine[2] = {0x1234567, 0x7654321};
	int direct = (int)t_num(args, 0, 0);

	null_fd = t_null();
	write_n(50);
	if (direct && !(getauxval(26 /* AT_HWCAP2 */) & 2))
		t_skip("FSGSBASE");
	if (direct)
		__asm__ volatile("wrgsbase %0" : : "r"(mine));
	else
		CHECK(syscall(SYS_arch_prctl, ARCH_SET_GS, mine) == 0);
	for (int i = 0; i < 200; i++) {
		CHECK(gs_word() == mine[0]);
		CHECK(write(null_fd, "x", 1) == 1);
		CHECK(gs_word() == mine[0]);
	}
	atomic_fetch_add(&writes, 200);
	report();
}

/* Who asks for gs is told what the program has in it. */
static void asked_gs(char **args)
{
	uint64_t gs = 1;

	(void)args;
	null_fd = t_null();
	write_n(100);
	CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, &gs) == 0 && gs == 0);
	CHECK(syscall(SYS_arch_prctl, ARCH_GET_GS, 8) == -1 && errno == EFAULT);
	write_n(100);
	report();
}

/* ---- code ---- */

typedef long (*call3)(long, long, long);

static size_t make_code(uint8_t *p, uint8_t nr)
{
	/* mov $nr, %eax; syscall; ret: all arguments are in place */
	const uint8_t code[] = {0xb8, nr, 0, 0, 0, 0x0f, 0x05, 0xc3};

	memcpy(p, code, sizeof(code));
	return sizeof(code);
}

/* Generated code, which is changed between its calls. */
static void generated(char **args)
{
	uint8_t *page = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int zero = open("/dev/zero", O_RDONLY);
	char c;

	null_fd = t_null();
	CHECK(page != MAP_FAILED && zero >= 0);
	for (long i = t_num(args, 0, 100); i > 0; i--) {
		make_code(page, SYS_write);
		for (int k = 0; k < 5; k++)
			CHECK(((call3)(void *)page)(null_fd, (long)"x", 1) == 1);
		make_code(page, SYS_read);
		for (int k = 0; k < 5; k++)
			CHECK(((call3)(void *)page)(zero, (long)&c, 1) == 1);
		atomic_fetch_add(&writes, 5);
		atomic_fetch_add(&reads, 5);
	}
	report();
}

/* One call each, of so many pieces of code. */
static void many_places(char **args)
{
	long n = t_num(args, 0, 1000);
	uint8_t *p = mmap(NULL, (size_t)n * 8, PROT_READ | PROT_WRITE | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	null_fd = t_null();
	CHECK(p != MAP_FAILED);
	for (long i = 0; i < n; i++)
		make_code(p + 8 * i, SYS_write);
	for (long i = 0; i < n; i++)
		CHECK(((call3)(void *)(p + 8 * i))(null_fd, (long)"x", 1) == 1);
	atomic_fetch_add(&writes, n);
	report();
}

/* The same addresses hold the code of one file, then of another. */
static void mapped_code(char **args)
{
	int files[2];

	null_fd = t_null();
	for (int i = 0; i < 2; i++) {
		uint8_t code[4096];

		memset(code, 0x90, sizeof(code));
		make_code(code + (i ? 64 : 0), SYS_write);
		if (i)
			code[0] = 0xe9, code[1] = 64 - 5, code[2] = code[3] = code[4] = 0;
		files[i] = t_file(4096);
		CHECK(pwrite(files[i], code, sizeof(code), 0) == 4096);
	}
	for (long i = 0; i < t_num(args, 0, 100); i++) {
		uint8_t *p = mmap((void *)0x100000000, 4096, PROT_READ | PROT_EXEC,
			MAP_PRIVATE | MAP_FIXED, files[i % 2], 0);

		CHECK(p != MAP_FAILED);
		for (int k = 0; k < 5; k++)
			CHECK(((call3)(void *)p)(null_fd, (long)"x", 1) == 1);
		atomic_fetch_add(&writes, 5);
		if (i % 3 == 0)
			CHECK(munmap(p, 4096) == 0);
	}
	report();
}

/* In its file the function calls getpid; the program makes a write of it. */
__asm__(".text\n.p2align 6\n.type rec_changed, @function\n.globl rec_changed\n"
	"rec_changed: .cfi_startproc\nmovl $39, %eax\nsyscall\nret\n.cfi_endproc\n"
	".size rec_changed, . - rec_changed\n.p2align 6\n");
extern long rec_changed(long, long, long);

static void own_code(char **args)
{
	uint8_t *code = (uint8_t *)(uintptr_t)rec_changed;
	uint8_t *page = code - (uintptr_t)code % 4096;
	long n = t_num(args, 0, 100);

	null_fd = t_null();
	CHECK(mprotect(page, 4096, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
	CHECK(code[1] == SYS_getpid);
	code[1] = SYS_write;
	CHECK(mprotect(page, 4096, PROT_READ | PROT_EXEC) == 0);
	for (long i = 0; i < n; i++)
		CHECK(rec_changed(null_fd, (long)"xy", 2) == 2);
	atomic_fetch_add(&writes, n);
	report();
}

/* A page of code, and nothing else on it. */
__asm__(".text\n.p2align 12\n.type rec_moved, @function\n.globl rec_moved\n"
	"rec_moved: .cfi_startproc\nmovl $1, %eax\nsyscall\nret\n.cfi_endproc\n"
	".size rec_moved, . - rec_moved\n.p2align 12\n");
extern long rec_moved(long, long, long);

static void call_moved(const void *at)
{
	for (int i = 0; i < 5; i++)
		CHECK(((call3)(uintptr_t)at)(null_fd, (long)"x", 1) == 1);
	atomic_fetch_add(&writes, 5);
}

/* It is moved to where the kernel likes, leaving a hole's or its file's memory, and to a place. */
static void moved_code(char **args)
{
	void *home = (void *)(uintptr_t)rec_moved, *place, *at;

	null_fd = t_null();
	for (long i = 0; i < t_num(args, 0, 100); i++) {
		place = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		CHECK(place != MAP_FAILED);
		call_moved(home);
		at = i % 2 ? mremap(home, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, place)
			   : mremap(home, 4096, 4096, MREMAP_MAYMOVE | 4 /* DONTUNMAP */, NULL);
		CHECK(at != MAP_FAILED);
		call_moved(at);
		at = mremap(at, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, home);
		CHECK(at == home);
		call_moved(home);
		CHECK(i % 2 || munmap(place, 4096) == 0);
	}
	report();
}

/* The same with a call that can be jumped to, and so nothing before it may be moved. */
__asm__(".text\n.p2align 12\n.type rec_hopped, @function\n.globl rec_hopped\n"
	"rec_hopped: .cfi_startproc\nmovl $1, %eax\njmp 1f\n.p2align 5\n1: "
	"syscall\nret\n.cfi_endproc\n"
	".size rec_hopped, . - rec_hopped\n.p2align 12\n");
extern long rec_hopped(long, long, long);

/* A copy of the page, changed call sites and all: in memory of its own, or of a file that cannot be
 * written there. */
static void *copy_of_page(const void *page, int of_file)
{
	int fd = of_file ? memfd_create("copy", 0) : -1;
	void *at;

	CHECK(!of_file || write(fd, page, 4096) == 4096);
	if (of_file)
		atomic_fetch_add(&writes, 1);
	at = mmap(NULL, 4096, of_file ? PROT_READ | PROT_EXEC : PROT_READ | PROT_WRITE,
		of_file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS, fd, 0);
	CHECK(at != MAP_FAILED);
	if (of_file)
		CHECK(close(fd) == 0);
	else
		memcpy(at, page, 4096);
	CHECK(of_file || mprotect(at, 4096, PROT_READ | PROT_EXEC) == 0);
	return at;
}

static void copied_code(char **args)
{
	const void *pages[] = {(void *)(uintptr_t)rec_moved, (void *)(uintptr_t)rec_hopped};

	null_fd = t_null();
	for (int k = 0; k < 2; k++)
		for (int i = 0; i < 20; i++)
			call_moved(pages[k]);
	for (long i = 0; i < t_num(args, 0, 100); i++)
		for (int k = 0; k < 4; k++) {
			void *copy = copy_of_page(pages[k % 2], k / 2);

			call_moved(copy);
			call_moved(pages[k % 2]);
			CHECK(munmap(copy, 4096) == 0);
		}
	report();
}

/* A function that is copied without what is behind it, where the page is filled up with `filling`.
 */
__asm__(".text\n.p2align 12\n.type rec_part, @function\n.globl rec_part\n"
	"rec_part: .cfi_startproc\nmovl $1, %eax\nmov %rcx, %r10\njmp 1f\n1: "
	"syscall\nret\n.cfi_endproc\n.size rec_part, . - rec_part\n"
	".globl rec_part_end\nrec_part_end:\n.p2align 5\n"
	".type rec_behind, @function\nrec_behind: .cfi_startproc\nret\n.cfi_endproc\n"
	".size rec_behind, . - rec_behind\n.p2align 12\n");
extern long rec_part(long, long, long);
extern const char rec_part_end[];

static void copied_part(char **args)
{
	static const uint8_t fillings[] = {0, 0xcc, 0xf4 /* hlt */, 0x06 /* none */};
	size_t bytes = (size_t)(rec_part_end - (const char *)(uintptr_t)rec_part);

	null_fd = t_null();
	for (int i = 0; i < 20; i++)
		call_moved((void *)(uintptr_t)rec_part);
	for (long i = 0; i < t_num(args, 0, 100); i++) {
		uint8_t page[4096];
		void *copy;

		memset(page, fillings[i % 4], sizeof(page));
		memcpy(page, (void *)(uintptr_t)rec_part, bytes);
		copy = copy_of_page(page, 0);
		call_moved(copy);
		CHECK(munmap(copy, 4096) == 0);
	}
	report();
}

/* Functions that differ by their call only, as far apart as trampolines are. */
__asm__(".text\n.p2align 12\n.globl rec_alike\nrec_alike:\n"
	".irp n, 0, 1, 2, 3, 4, 5, 6, 7\n.type rec_alike\\n, @function\n"
	"rec_alike\\n: .cfi_startproc\nmovl $(\\n & 1), %eax\nsyscall\nret\n.cfi_endproc\n"
	".size rec_alike\\n, . - rec_alike\\n\n.p2align 7\n.endr\n.p2align 12\n");
extern const char rec_alike[];

/* They read nothing and write a byte, by turns. */
static void call_alike(const char *at, int i)
{
	CHECK(((call3)(uintptr_t)(at + (ptrdiff_t)128 * i))(null_fd, (long)"x", 1) == i % 2);
	atomic_fetch_add(i % 2 ? &writes : &reads, 1);
}

static void copied_alike(char **args)
{
	null_fd = t_null();
	for (int i = 0; i < 160; i++)
		call_alike(rec_alike, i / 20);
	for (long i = 0; i < t_num(args, 0, 100); i++) {
		char *copy = copy_of_page(rec_alike, (int)(i % 2));

		for (int k = 0; k < 8; k++)
			call_alike(copy, (int)(k + i) % 8);
		CHECK(munmap(copy, 4096) == 0);
	}
	report();
}

/* What else is mapped so near to where the program's jumps lead: a copy's jump may lead to it. */
#define NEAR         (32UL << 20)
/* All that is there at most for a program of so few calls. */
#define TRAMPS_BYTES 0x10000UL

static int is_alone(unsigned long at)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start, end;
	char line[512];
	int alone = 1;

	CHECK(maps);
	while (fgets(line, sizeof(line), maps) && sscanf(line, "%lx-%lx", &start, &end) == 2)
		alone &= (at >= start && at < end && end - start <= TRAMPS_BYTES) ||
			 end + NEAR < at || start > at + NEAR;
	fclose(maps);
	return alone;
}

/* Where the changed code at `at` leads to, at once or by a short jump; 0: it is as it was. */
static unsigned long leads_to(const char *at)
{
	int32_t leads;

	if ((uint8_t)at[5] == 0xeb)
		at += 7 + (int8_t)at[6];
	memcpy(&leads, at + 1, sizeof(leads));
	return (uint8_t)*at == 0xe9 ? (unsigned long)at + 5 + (unsigned long)(long)leads : 0;
}

static void jumps_lead_far(char **args)
{
	(void)args;
	null_fd = t_null();
	for (int i = 0; i < 160; i++)
		call_alike(rec_alike, i / 20);
	for (int i = 0; i < 8; i++) {
		unsigned long to = leads_to(rec_alike + (ptrdiff_t)128 * i);

		CHECK(!to || is_alone(to));
	}
	report();
}

/* More functions than there are trampolines on a page. */
#define MANY         200
__asm__(".text\n.p2align 12\n.globl rec_many\nrec_many:\n"
	".altmacro\n.macro one_of_many n\n.type rec_many\\n, @function\n"
	"rec_many\\n: .cfi_startproc\nmovl $1, %eax\nsyscall\nret\n.cfi_endproc\n"
	".size rec_many\\n, . - rec_many\\n\n.p2align 6\n.endm\n"
	".set i, 0\n.rept 200\none_of_many %i\n.set i, i + 1\n.endr\n.p2align 12\n");
extern const char rec_many[];

/* What the program maps is not between trampolines: calls about it would be slower. */
static void jumps_lead_together(char **args)
{
	unsigned long low = 0, high = 0;

	(void)args;
	null_fd = t_null();
	for (int i = 0; i < 20 * MANY; i++) {
		const char *at = rec_many + (ptrdiff_t)64 * (i % MANY);

		CHECK(((call3)(uintptr_t)at)(null_fd, (long)"x", 1) == 1);
		atomic_fetch_add(&writes, 1);
	}
	for (int i = 0; i < MANY; i++) {
		unsigned long to = leads_to(rec_many + (ptrdiff_t)64 * i);

		low = to && (!low || to < low) ? to : low;
		high = to > high ? to : high;
	}
	CHECK(high - low < TRAMPS_BYTES);
	report();
}

/* Whether there would be so much memory, of which none is used. */
static int is_to_be_had(unsigned long bytes)
{
	void *at = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at != MAP_FAILED && munmap(at, bytes) == 0;
}

/* No trampolines are in the way of the heap. */
static void heap_grows(char **args)
{
	unsigned long bytes = 4UL << 30, begin = (unsigned long)syscall(SYS_brk, 0);

	(void)args;
	null_fd = t_null();
	while (!is_to_be_had(bytes))
		bytes /= 2;
	for (int i = 0; i < 160; i++)
		call_alike(rec_alike, i / 20);
	CHECK((unsigned long)syscall(SYS_brk, begin + bytes) == begin + bytes);
	CHECK((unsigned long)syscall(SYS_brk, begin) == begin);
	report();
}

/* The code is moved away, and copies that were made before stay. */
static void copied_and_moved(char **args)
{
	char *home = (char *)(uintptr_t)rec_alike, *copy, *at;

	(void)args;
	null_fd = t_null();
	for (int i = 0; i < 160; i++)
		call_alike(home, i / 20);
	copy = copy_of_page(home, 0);
	at = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(mremap(home, 4096, 4096, MREMAP_MAYMOVE | MREMAP_FIXED, at) == at);
	for (int i = 0; i < 160; i++) {
		call_alike(copy, i % 8);
		call_alike(at, i % 8);
	}
	report();
}

static pthread_barrier_t in_step;
static const void *in_common;

static void *call_in_step(void *rounds)
{
	for (long i = 0; i < (long)(intptr_t)rounds; i++) {
		pthread_barrier_wait(&in_step);
		call_moved(in_common);
		pthread_barrier_wait(&in_step);
	}
	return NULL;
}

/* Threads come to a copy at the same moment. */
static void copied_at_once(char **args)
{
	const void *pages[] = {(void *)(uintptr_t)rec_moved, (void *)(uintptr_t)rec_hopped};
	long rounds = t_num(args, 0, 100);
	pthread_t threads[4];

	null_fd = t_null();
	for (int i = 0; i < 40; i++)
		call_moved(pages[i % 2]);
	pthread_barrier_init(&in_step, NULL, 5);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&threads[i], NULL, call_in_step, (void *)(intptr_t)rounds) ==
			0);
	for (long i = 0; i < rounds; i++) {
		void *copy = copy_of_page(pages[i % 2], (int)(i / 2 % 2));

		in_common = copy;
		pthread_barrier_wait(&in_step);
		pthread_barrier_wait(&in_step);
		CHECK(munmap(copy, 4096) == 0);
	}
	for (int i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	report();
}

static uint64_t checksum_of_code(void)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	char line[512];
	uint64_t sum = 14695981039346656037ULL;

	CHECK(maps);
	while (fgets(line, sizeof(line), maps)) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx r-xp", &start, &end) != 2 || !strstr(line, "r-xp") ||
			!strchr(line, '/'))
			continue;
		for (const uint8_t *p = (const uint8_t *)start; p < (const uint8_t *)end; p++)
			sum = (sum ^ *p) * 1099511628211ULL;
	}
	fclose(maps);
	return sum;
}

/* The program's code is as it was: only with --no-patch. Argument: 1 = it must be. */
static void unchanged(char **args)
{
	uint64_t before = checksum_of_code();

	null_fd = t_null();
	write_n(500);
	/* By a call site that the checksum did not use itself: glibc 2.41 has one for read and
	 * write. */
	for (int i = 0; i < 50; i++)
		CHECK(syscall(SYS_write, null_fd, "x", 1L) == 1);
	atomic_fetch_add(&writes, 50);
	CHECK(checksum_of_code() == before || !t_num(args, 0, 0));
	report();
}

/* ---- memory that goes away under a call ---- */

static struct mmsghdr *volatile vector;
static atomic_int over;

static void *unmap_vector(void *arg)
{
	while (!atomic_load(&over)) {
		CHECK(mprotect(vector, 4096, PROT_NONE) == 0);
		for (volatile int i = 0; i < 300; i++)
			;
		CHECK(mprotect(vector, 4096, PROT_READ | PROT_WRITE) == 0);
		for (volatile int i = 0; i < 300; i++)
			;
	}
	return arg;
}

/* EFAULT is an answer, SIGSEGV is not. */
static void vanishing(char **args)
{
	static char text[] = "x";
	static struct iovec iov = {text, 1};
	int ends[2];
	pthread_t t;

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
	vector = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK((void *)vector != MAP_FAILED);
	for (int i = 0; i < 4; i++)
		vector[i].msg_hdr = (struct msghdr){.msg_iov = &iov, .msg_iovlen = 1};
	CHECK(pthread_create(&t, NULL, unmap_vector, NULL) == 0);
	for (long i = t_num(args, 0, 3000); i > 0; i--) {
		char buf[8];
		int n = (int)syscall(SYS_sendmmsg, ends[0], vector, 4, MSG_DONTWAIT);

		CHECK(n > 0 || errno == EFAULT || errno == EAGAIN);
		while (recv(ends[1], buf, sizeof(buf), MSG_DONTWAIT) >= 0)
			;
		n = (int)syscall(SYS_sendmsg, ends[0], vector, MSG_DONTWAIT);
		CHECK(n > 0 || errno == EFAULT || errno == EAGAIN);
	}
	atomic_store(&over, 1);
	CHECK(pthread_join(t, NULL) == 0);
	report();
}

/* A pointer that leads nowhere is the kernel's to refuse. */
static void bad_pointers(char **args)
{
	int ends[2];

	null_fd = t_null();
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
	for (long i = t_num(args, 0, 100); i > 0; i--) {
		CHECK(syscall(SYS_writev, null_fd, (void *)16, 2) < 0 && errno == EFAULT);
		CHECK(syscall(SYS_sendmsg, ends[0], (void *)16, 0) < 0 && errno == EFAULT);
		CHECK(syscall(SYS_sendmmsg, ends[0], (void *)16, 2, 0) < 0 && errno == EFAULT);
		CHECK(syscall(SYS_writev, null_fd, (void *)16, 5000) < 0);
	}
	report();
}

static void on_fault(int sig)
{
	(void)sig;
	_exit(1);
}

static void check_signal(int sig, int blocked, void (*handler)(int))
{
	struct sigaction is;
	sigset_t mask;

	CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0);
	CHECK(sigismember(&mask, sig) == blocked);
	CHECK(sigaction(sig, NULL, &is) == 0 && is.sa_handler == handler);
}

/* Calls that the kernel refuses, in all ways that leave unread what they point to, and some that
 * it fails after it has read that: 5 times, 2 vectors of 3 bytes where there is one. */
static void refused_calls(int *ends)
{
	char text[3];
	struct iovec iov[2] = {{text, 3}, {text, 3}};
	struct msghdr good = {.msg_iov = iov, .msg_iovlen = 2};
	struct msghdr bad = {.msg_iov = (void *)16, .msg_iovlen = 2};

	for (int i = 0; i < 5; i++) {
		CHECK(syscall(SYS_writev, null_fd, (void *)16, 2) < 0 && errno == EFAULT);
		CHECK(syscall(SYS_writev, -1, (void *)16, 2) < 0 && errno == EBADF);
		CHECK(syscall(SYS_writev, -1, iov, 2) < 0 && errno == EBADF);
		CHECK(syscall(SYS_sendmsg, ends[0], (void *)16, 0) < 0 && errno == EFAULT);
		CHECK(syscall(SYS_sendmsg, ends[0], &bad, 0) < 0 && errno == EFAULT);
		CHECK(syscall(SYS_sendmsg, -1, &good, 0) < 0 && errno == EBADF);
		CHECK(syscall(SYS_recvmsg, ends[0], (void *)16, 0) < 0 && errno == EFAULT);
		CHECK(syscall(SYS_recvmsg, ends[0], &bad, 0) < 0 && errno == EFAULT);
		CHECK(syscall(SYS_recvmsg, ends[0], &good, MSG_DONTWAIT) < 0 && errno == EAGAIN);
		CHECK(syscall(SYS_sendmmsg, ends[0], (void *)16, 2, 0) < 0 && errno == EFAULT);
	}
}

/* What the program has SIGSEGV and SIGBUS do, and that it has them blocked, stays so. */
static void fault_signals(char **args)
{
	void (*const handlers[])(int) = {SIG_DFL, SIG_IGN, on_fault};
	static const int signals[] = {SIGSEGV, SIGBUS};
	int ends[2];

	(void)args;
	null_fd = t_null();
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
	for (int i = 0; i < 12; i++) {
		void (*handler)(int) = handlers[i / 2 % 3];
		int sig = signals[i / 6];
		sigset_t set;

		sigemptyset(&set);
		sigaddset(&set, sig);
		CHECK(signal(sig, handler) != SIG_ERR);
		CHECK(sigprocmask(i % 2 ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL) == 0);
		refused_calls(ends);
		check_signal(sig, i % 2, handler);
		CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
		CHECK(signal(sig, SIG_DFL) == handler);
	}
}

/* ---- a page of its code that it drops ---- */

/* A function at the end of a page, behind which there is padding in the next one. */
__asm__(".section .text.edge,\"ax\",@progbits\n.p2align 12\n.type edge_before, @function\n"
	"edge_before: .cfi_startproc\n.rept 1018\nlea 1(%rax), %rax\n.endr\nret\nxor %eax, %eax\n"
	"ret\n.cfi_endproc\n.size edge_before, . - edge_before\n"
	".globl edge_call\n.type edge_call, @function\n"
	"edge_call: .cfi_startproc\nmov %rdi, %rax\nmov %rsi, %rdi\nmov %rdx, %rsi\n"
	"mov %rcx, %rdx\n.fill 5, 1, 0x90\nsyscall\nret\n.cfi_endproc\n"
	".size edge_call, . - edge_call\n.fill 16, 1, 0x90\n"
	".type edge_after, @function\nedge_after: .cfi_startproc\nmov $42, %eax\nret\n"
	".cfi_endproc\n.size edge_after, . - edge_after\n.p2align 12\n.text\n");
long edge_call(long nr, long fd, const void *p, long n);

/* What was changed there is as in the file again. */
static void dropped_page(char **args)
{
	long n = t_num(args, 0, 60);
	char *next = (char *)(((uintptr_t)edge_call | 4095) + 1);

	null_fd = t_null();
	for (long i = 0; i < n; i++)
		CHECK(edge_call(SYS_write, null_fd, "x", 1) == 1);
	CHECK(madvise(next, 4096, MADV_DONTNEED) == 0);
	for (long i = 0; i < n; i++)
		CHECK(edge_call(SYS_write, null_fd, "x", 1) == 1);
	CHECK(madvise(next - 4096, 8192, MADV_DONTNEED) == 0);
	for (long i = 0; i < n; i++)
		CHECK(edge_call(SYS_write, null_fd, "x", 1) == 1);
	atomic_fetch_add(&writes, 3 * n);
	report();
}

/* ---- vectors that are other ones when the call is over ---- */

static struct iovec written_over[2];
static int emptied_pipe[2];

static void *write_over(void *arg)
{
	static char in[1 << 17];
	size_t left = 100000;

	t_await_state(getpid(), *(const pid_t *)arg, 'S');
	memset(written_over, 0, sizeof(written_over));
	while (left) {
		ssize_t n = read(emptied_pipe[0], in, sizeof(in));

		CHECK(n > 0);
		left -= (size_t)n;
	}
	return NULL;
}

/* By another thread, while the call waits. */
static void overwritten_in_call(void)
{
	static char out[100000];
	pid_t self = gettid();

	CHECK(pipe(emptied_pipe) == 0);
	for (int i = 0; i < 10; i++) {
		pthread_t t;

		written_over[0] = (struct iovec){out, 50000};
		written_over[1] = (struct iovec){out, 50000};
		CHECK(pthread_create(&t, NULL, write_over, &self) == 0);
		CHECK(writev(emptied_pipe[1], written_over, 2) == 100000);
		CHECK(pthread_join(t, NULL) == 0);
	}
}

/* By what is read: 0x00, 0x41 and 0xff in turn. 60 preadv, 60 recvmsg, then 10 writev. */
static void overwritten(char **args)
{
	static const char fill[] = {0, 'A', -1};
	int s[2], file = t_file(4096);
	char bytes[256];

	(void)args;
	CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, s) == 0);
	for (int i = 0; i < 60; i++) {
		struct iovec own[2] = {{own, sizeof(own)}, {bytes, 100}};
		struct {
			struct msghdr h;
			struct iovec iov;
		} msg = {{.msg_iov = &msg.iov, .msg_iovlen = 1}, {&msg, sizeof(msg)}};

		memset(bytes, fill[i % 3], sizeof(bytes));
		CHECK(pwrite(file, bytes, 256, 0) == 256);
		CHECK(preadv(file, own, 2, 0) == sizeof(own) + 100);
		memset(bytes, fill[i % 3], sizeof(bytes));
		CHECK(write(s[0], bytes, sizeof(msg)) == sizeof(msg));
		CHECK(recvmsg(s[1], &msg.h, 0) == sizeof(msg));
	}
	overwritten_in_call();
}

/* ---- filters of the program's own ---- */

static void install(const struct sock_filter *filter, unsigned short len)
{
	struct sock_fprog prog = {len, (struct sock_filter *)(uintptr_t)filter};

	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
}

#define LOAD_NR             BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr))
#define IF_NR(number, skip) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, number, 0, skip)
#define RETURN(value)       BPF_STMT(BPF_RET | BPF_K, value)

static atomic_long trapped;

static void emulate(int sig, siginfo_t *info, void *context)
{
	ucontext_t *uc = context;

	(void)sig;
	trapped += info->si_syscall == SYS_getppid || info->si_syscall == SYS_writev;
	CHECK(info->si_call_addr == (void *)uc->uc_mcontext.gregs[REG_RIP]);
	uc->uc_mcontext.gregs[REG_RAX] = 4242;
}

/* 0: allows all; 1: refuses mmap and openat; 2: kills but for a few; 3: traps getppid. Before it
 * the program has run for a while where argument 2 is 1. */
static void filtered(char **args)
{
	static const struct sock_filter allow[] = {RETURN(SECCOMP_RET_ALLOW)};
	static const struct sock_filter refuse[] = {LOAD_NR, IF_NR(SYS_mmap, 1),
		RETURN(SECCOMP_RET_ERRNO | EPERM), IF_NR(SYS_openat, 1),
		RETURN(SECCOMP_RET_ERRNO | EPERM), RETURN(SECCOMP_RET_ALLOW)};
	static const struct sock_filter few[] = {LOAD_NR, IF_NR(SYS_write, 1),
		RETURN(SECCOMP_RET_ALLOW), IF_NR(SYS_exit_group, 1), RETURN(SECCOMP_RET_ALLOW),
		IF_NR(SYS_exit, 1), RETURN(SECCOMP_RET_ALLOW), RETURN(SECCOMP_RET_KILL_PROCESS)};
	static const struct sock_filter trap[] = {LOAD_NR, IF_NR(SYS_getppid, 1),
		RETURN(SECCOMP_RET_TRAP), RETURN(SECCOMP_RET_ALLOW)};
	struct sigaction sa = {.sa_sigaction = emulate, .sa_flags = SA_SIGINFO};

	null_fd = t_null();
	CHECK(sigaction(SIGSYS, &sa, NULL) == 0);
	if (t_num(args, 1, 1))
		write_n(50);
	switch (t_num(args, 0, 0)) {
	case 0:
		install(allow, 1);
		break;
	case 1:
		install(refuse, 6);
		break;
	case 2:
		install(few, 8);
		break;
	default:
		install(trap, 4);
		for (int i = 0; i < 50; i++)
			CHECK(syscall(SYS_getppid) == 4242);
		CHECK(trapped == 50);
	}
	write_n(100);
	report();
	_exit(0);
}

static pthread_barrier_t barrier;

static void *call_trapped(void *arg)
{
	struct iovec v = {"x", 1};

	(void)arg;
	for (int i = 0; i < 50; i++)
		CHECK(writev(null_fd, &v, 1) == 1);
	pthread_barrier_wait(&barrier);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 50; i++)
		CHECK(syscall(SYS_getppid) == 4242 && writev(null_fd, &v, 1) == 4242);
	return NULL;
}

/* A filter for all threads traps calls that they have made before. */
static void trapped_all(char **args)
{
	static const struct sock_filter trap[] = {LOAD_NR, IF_NR(SYS_getppid, 1),
		RETURN(SECCOMP_RET_TRAP), IF_NR(SYS_writev, 1), RETURN(SECCOMP_RET_TRAP),
		RETURN(SECCOMP_RET_ALLOW)};
	struct sock_fprog prog = {6, (struct sock_filter *)(uintptr_t)trap};
	struct sigaction sa = {.sa_sigaction = emulate, .sa_flags = SA_SIGINFO};
	pthread_t t[4];

	(void)args;
	null_fd = t_null();
	CHECK(sigaction(SIGSYS, &sa, NULL) == 0 && pthread_barrier_init(&barrier, NULL, 5) == 0);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, call_trapped, NULL) == 0);
	pthread_barrier_wait(&barrier);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, SECCOMP_FILTER_FLAG_TSYNC, &prog) == 0);
	pthread_barrier_wait(&barrier);
	for (int i = 0; i < 4; i++)
		CHECK(pthread_join(t[i], NULL) == 0);
	CHECK(trapped == 400);
	write_n(100);
	report();
}

/* Not to be looked into by others. With 1 it looks itself then what is mapped where the recorder's
 * is. */
static void undumpable(char **args)
{
	char line[512];
	int ours = 0;
	FILE *maps;

	CHECK(prctl(PR_SET_DUMPABLE, 0) == 0);
	null_fd = t_null();
	write_n(300);
	report();
	if (!t_num(args, 0, 0))
		return;
	CHECK(prctl(PR_SET_DUMPABLE, 1) == 0);
	maps = fopen("/proc/self/maps", "re");
	CHECK(maps);
	while (fgets(line, sizeof(line), maps))
		ours += strncmp(line, "55100", 5) == 0 && strchr(line, '-') == line + 12;
	fclose(maps);
	fprintf(stderr, "mapped=%d\n", ours);
}

/* All of its memory is locked, now and later. */
static void locked(char **args)
{
	(void)args;
	null_fd = t_null();
	write_n(100);
	if (mlockall(MCL_CURRENT | MCL_FUTURE) < 0)
		t_skip("mlockall");
	write_n(100);
	report();
}

static const struct tcase cases[] = {{"registers", registers_kept}, {"own_gs", own_gs},
	{"asked_gs", asked_gs}, {"generated", generated}, {"many_places", many_places},
	{"mapped_code", mapped_code}, {"own_code", own_code}, {"moved_code", moved_code},
	{"copied_code", copied_code}, {"copied_part", copied_part}, {"copied_alike", copied_alike},
	{"jumps_lead_far", jumps_lead_far}, {"jumps_lead_together", jumps_lead_together},
	{"heap_grows", heap_grows}, {"copied_and_moved", copied_and_moved},
	{"copied_at_once", copied_at_once}, {"unchanged", unchanged}, {"vanishing", vanishing},
	{"bad_pointers", bad_pointers}, {"fault_signals", fault_signals},
	{"overwritten", overwritten}, {"dropped_page", dropped_page}, {"filtered", filtered},
	{"trapped_all", trapped_all}, {"undumpable", undumpable}, {"locked", locked}, {NULL, NULL}};

int main(int argc, char **argv)
{
	return t_main(argc, argv, cases);
}
#endif

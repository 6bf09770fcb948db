/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Programs that use what a recorder inside the target stands on: the time stamp counter, Syscall
 * User Dispatch, the trap flag, the address space. x86-64 for the most part. What a case prints is
 * the same with and without a tracer, but for the line "write=calls" of some, as in rec_code.c.
 */
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <ucontext.h>

#include "t.h"

#ifndef PR_SET_SYSCALL_USER_DISPATCH
#define PR_SET_SYSCALL_USER_DISPATCH 59
#endif
#define DISPATCH_OFF 0L
#define DISPATCH_ON  1L
#define PASS         0
#define BLOCK        1

static atomic_long writes;
static int null_fd = -1;

static void report(void)
{
	char line[80];
	int n = snprintf(line, sizeof(line), "write=%ld\n", atomic_load(&writes) + 1);

	CHECK(write(1, line, (size_t)n) == n);
}

static void write_n(long n)
{
	if (null_fd < 0)
		null_fd = t_null();
	for (long i = 0; i < n; i++)
		CHECK(write(null_fd, "x", 1) == 1);
	atomic_fetch_add(&writes, n);
}

static void *write_in_thread(void *arg)
{
	write_n((long)arg);
	return NULL;
}

static void thread_of(void *(*body)(void *), void *arg)
{
	pthread_t t;

	CHECK(pthread_create(&t, NULL, body, arg) == 0 && pthread_join(t, NULL) == 0);
}

/* ---- Syscall User Dispatch ---- */

static volatile char selector;
static volatile long dispatched;

static void refuse_call(int signal, siginfo_t *info, void *context)
{
	ucontext_t *u = context;

	(void)signal;
	selector = PASS;
	dispatched++;
	CHECK(info->si_code == 2 /* SYS_USER_DISPATCH */);
#ifdef __x86_64__
	CHECK((uint64_t)info->si_call_addr == (uint64_t)u->uc_mcontext.gregs[REG_RIP]);
	u->uc_mcontext.gregs[REG_RAX] = -ENOSYS;
#else
	u->uc_mcontext.gregs[REG_EAX] = -ENOSYS;
#endif
}

static void dispatch_set(unsigned long from, unsigned long len)
{
	if (prctl(PR_SET_SYSCALL_USER_DISPATCH, DISPATCH_ON, from, len, &selector) < 0)
		t_skip("Syscall User Dispatch");
}

/* n calls that are dispatched: none of them is made. */
static void dispatch_refused(char **args)
{
	struct sigaction sa = {.sa_sigaction = refuse_call, .sa_flags = SA_SIGINFO};
	long n = t_num(args, 0, 100);

	write_n(100);
	CHECK(sigaction(SIGSYS, &sa, NULL) == 0);
	dispatch_set(0, 0);
	for (long i = 0; i < n; i++) {
		selector = BLOCK;
		CHECK(write(null_fd, "no", 2) == -1 && errno == ENOSYS && selector == PASS);
	}
	CHECK(dispatched == n);
	write_n(100);
	/* What it makes does not dispatch. */
	thread_of(write_in_thread, (void *)50L);
	report();
}

#ifndef __x86_64__
static const struct tcase cases[] = {{"dispatch_refused", dispatch_refused}, {NULL, NULL}};
#else

/* The mapping that holds that function's code. */
static void text_of(const void *function, uint64_t *ret_from, uint64_t *ret_until)
{
	unsigned long at = (unsigned long)function, from, until;
	char line[512];
	FILE *f = fopen("/proc/self/maps", "re");

	CHECK(f);
	while (fgets(line, sizeof(line), f))
		if (sscanf(line, "%lx-%lx", &from, &until) == 2 && at >= from && at < until)
			*ret_from = from, *ret_until = until;
	CHECK(fclose(f) == 0);
}

static void *write_until_told(void *arg)
{
	while (!atomic_load((atomic_int *)arg))
		write_n(1);
	return NULL;
}

/* n calls from the C library, which may call, in one thread, while another one makes calls. */
static void dispatch_library(char **args)
{
	struct sigaction sa = {.sa_sigaction = refuse_call, .sa_flags = SA_SIGINFO};
	long n = t_num(args, 0, 100);
	atomic_int end = 0;
	uint64_t from = 0, until = 0;
	pthread_t t;

	write_n(100);
	text_of((const void *)write, &from, &until);
	CHECK(until && sigaction(SIGSYS, &sa, NULL) == 0);
	CHECK(pthread_create(&t, NULL, write_until_told, &end) == 0);
	dispatch_set(from, until - from);
	selector = BLOCK;
	write_n(n);
	selector = PASS;
	atomic_store(&end, 1);
	CHECK(pthread_join(t, NULL) == 0);
	CHECK(prctl(PR_SET_SYSCALL_USER_DISPATCH, DISPATCH_OFF, 0, 0, 0) == 0);
	write_n(100);
	CHECK(dispatched == 0);
	report();
}

/* ---- the time stamp counter ---- */

static volatile long faults;

static void over_rdtsc(int signal, siginfo_t *info, void *context)
{
	ucontext_t *u = context;
	const uint8_t *ip = (const uint8_t *)u->uc_mcontext.gregs[REG_RIP];

	(void)signal;
	(void)info;
	CHECK(ip[0] == 0x0f && ip[1] == 0x31);
	u->uc_mcontext.gregs[REG_RIP] += 2;
	faults++;
}

static void must_fault(void)
{
	long before = faults;

	__asm__ volatile("rdtsc" : : : "rax", "rdx");
	CHECK(faults == before + 1);
}

static void *write_and_fault(void *arg)
{
	write_n(100);
	must_fault();
	return arg;
}

static void forbid_tsc(void)
{
	struct sigaction sa = {.sa_sigaction = over_rdtsc, .sa_flags = SA_SIGINFO};

	CHECK(sigaction(SIGSEGV, &sa, NULL) == 0);
	if (prctl(PR_SET_TSC, PR_TSC_SIGSEGV, 0, 0, 0) < 0)
		t_skip("PR_SET_TSC");
}

/* The thread may not read it any more, nor what it makes; a thread that was there may. */
static void no_tsc(char **args)
{
	atomic_int end = 0;
	pthread_t t;
	int status;
	pid_t pid;

	(void)args;
	write_n(100);
	CHECK(pthread_create(&t, NULL, write_until_told, &end) == 0);
	forbid_tsc();
	write_n(100);
	thread_of(write_and_fault, NULL);
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		write_n(100);
		must_fault();
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	atomic_fetch_add(&writes, 100);
	atomic_store(&end, 1);
	CHECK(pthread_join(t, NULL) == 0);
	must_fault();
	report();
}

/* It was forbidden before the program began. */
static void no_tsc_from_start(char **args)
{
	struct sigaction sa = {.sa_sigaction = over_rdtsc, .sa_flags = SA_SIGINFO};
	int tsc;

	(void)args;
	CHECK(prctl(PR_GET_TSC, &tsc) == 0 && tsc == PR_TSC_SIGSEGV);
	CHECK(sigaction(SIGSEGV, &sa, NULL) == 0);
	write_n(200);
	must_fault();
	report();
}

static void no_tsc_exec(char **args)
{
	(void)args;
	forbid_tsc();
	execl("/proc/self/exe", "rec_feature", "no_tsc_from_start", (char *)NULL);
	CHECK(0);
}

/* ---- the trap flag ---- */

#define TRAPS_MAX 8192
#define TRAP_FLAG 0x100

static uint64_t trap_at[TRAPS_MAX];
static volatile long traps;

static void note_trap(int signal, siginfo_t *info, void *context)
{
	const ucontext_t *u = context;

	(void)signal;
	CHECK(info->si_code == TRAP_TRACE && traps < TRAPS_MAX);
	CHECK((uint64_t)info->si_addr == (uint64_t)u->uc_mcontext.gregs[REG_RIP]);
	trap_at[traps++] = (uint64_t)u->uc_mcontext.gregs[REG_RIP];
}

/* A call with the number in front of it, as in a C library, and one where that is far away. */
__asm__(".text\n.p2align 4\n.type step_near, @function\n"
	"step_near: .cfi_startproc\nmov $1, %eax\nsyscall\nnop\nret\n.cfi_endproc\n"
	".size step_near, . - step_near\n.p2align 4\n.type step_far, @function\n"
	"step_far: .cfi_startproc\nmov $1, %eax\nnop\nnop\nsyscall\nnop\nret\n.cfi_endproc\n"
	".size step_far, . - step_far\n.p2align 4\n");
long step_near(int fd, const void *buf, size_t n);
long step_far(int fd, const void *buf, size_t n);

static void step_through(long (*call)(int, const void *, size_t))
{
	long got;

	traps = 0;
	__asm__ volatile("pushfq\norq $0x100, (%%rsp)\npopfq" : : : "memory", "cc");
	got = call(null_fd, "x", 1);
	__asm__ volatile("pushfq\nandq $~0x100, (%%rsp)\npopfq" : : : "memory", "cc");
	CHECK(got == 1);
	writes++;
}

/* Prints each place at which it was interrupted. */
static void steps(char **args)
{
	struct sigaction sa = {.sa_sigaction = note_trap, .sa_flags = SA_SIGINFO};
	long (*const calls[])(int, const void *, size_t) = {step_near, step_far};
	long before = t_num(args, 0, 50);

	write_n(20);
	CHECK(sigaction(SIGTRAP, &sa, NULL) == 0);
	for (size_t k = 0; k < 2; k++) {
		for (long i = 0; i < before; i++)
			CHECK(calls[k](null_fd, "x", 1) == 1);
		writes += before;
		for (int i = 0; i < 3; i++) {
			step_through(calls[k]);
			for (long j = 0; j < traps; j++)
				printf("%+ld ", (long)(trap_at[j] - (uint64_t)calls[k]));
			printf("\n");
		}
	}
	fflush(stdout);
	_exit(0);
}

/* ---- registers that a handler sees ---- */

static volatile uint64_t seen_rip, seen_rcx, seen_r11, seen_flags;

static void note_registers(int signal, siginfo_t *info, void *context)
{
	const greg_t *g = ((ucontext_t *)context)->uc_mcontext.gregs;

	(void)signal;
	(void)info;
	seen_rip = (uint64_t)g[REG_RIP];
	seen_rcx = (uint64_t)g[REG_RCX];
	seen_r11 = (uint64_t)g[REG_R11];
	seen_flags = (uint64_t)g[REG_EFL];
}

/* A handler that runs at the end of a call finds what the kernel leaves there. */
static void frames(char **args)
{
	struct sigaction sa = {.sa_sigaction = note_registers, .sa_flags = SA_SIGINFO};
	long n = t_num(args, 0, 50);

	CHECK(sigaction(SIGUSR1, &sa, NULL) == 0);
	for (long i = 0; i < n; i++) {
		CHECK(syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), SIGUSR1) == 0);
		CHECK(seen_rcx == seen_rip && seen_r11 == seen_flags);
	}
	printf("as the kernel leaves them\n");
}

/* ---- memory that is not the program's ---- */

#define PAGE       4096UL
#define EMPTY_FROM 0x100000000000UL /* where no program has anything */
#define EMPTY_TO   0x554000000000UL
#define AREAS_MAX  64

struct area {
	unsigned long start, end;
};

/* Mappings that this program did not make: none without a tracer. */
static int foreign(struct area *areas)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512], perms[5];
	struct area a;
	int n = 0, named;

	CHECK(f);
	while (fgets(line, sizeof(line), f) && n < AREAS_MAX) {
		CHECK(sscanf(line, "%lx-%lx %4s", &a.start, &a.end, perms) == 3);
		named = strchr(line, '/') || strchr(line, '[');
		if ((a.start >= EMPTY_FROM && a.start < EMPTY_TO) ||
			(!named && strcmp(perms, "r-xp") == 0))
			areas[n++] = a;
	}
	CHECK(fclose(f) == 0);
	return n;
}

#define FAILS(call, error)                                                                         \
	do {                                                                                       \
		errno = 0;                                                                         \
		CHECK((long)(call) == -1 && errno == (error));                                     \
	} while (0)

/* Nothing is mapped in [start, start + len), as far as the program knows. */
static void is_hole(unsigned long start, size_t len)
{
	void *p = (void *)start;
	unsigned char *there = malloc(len / PAGE + 1);

	CHECK(there && munmap(p, len) == 0);
	FAILS(mprotect(p, len, PROT_NONE), ENOMEM);
	FAILS(madvise(p, len, MADV_DONTNEED), ENOMEM);
	FAILS(madvise(p, len, MADV_REMOVE), ENOMEM);
	FAILS(msync(p, len, MS_SYNC), ENOMEM);
	FAILS(mlock((char *)p + 1, len - 1), ENOMEM);
	FAILS(munlock(p, len), ENOMEM);
	FAILS(mincore(p, len, there), ENOMEM);
	FAILS(mremap(p, len, len + PAGE, MREMAP_MAYMOVE), EFAULT);
	FAILS(mremap(p, len, PAGE, MREMAP_MAYMOVE), EFAULT);
	FAILS(mremap(p, len, 0, MREMAP_MAYMOVE), EINVAL);
	FAILS(syscall(SYS_remap_file_pages, p, len, 0, 0, 0), EINVAL);
	FAILS(munmap((char *)p + 1, len), EINVAL);
	errno = 0;
	CHECK(syscall(SYS_pkey_mprotect, p, len, PROT_NONE, -1) == -1 && errno == ENOMEM);
	free(there);
	write_n(20);
}

static int can_write(char *p)
{
	static int zero = -1;

	if (zero < 0)
		CHECK((zero = open("/dev/zero", O_RDONLY)) >= 0);
	return read(zero, p, 1) == 1;
}

/* A page of the program's, which is below what is not: the calls work on that page alone. */
static void works_before_hole(unsigned long hole, size_t len)
{
	char *own = mmap((void *)(hole - PAGE), PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

	if (own != (char *)hole - PAGE) { /* something is there */
		CHECK(own == MAP_FAILED && errno == EEXIST);
		return;
	}
	own[0] = 'x';
	FAILS(madvise(own, PAGE + len, MADV_DONTNEED), ENOMEM);
	CHECK(own[0] == 0);
	FAILS(mprotect(own, PAGE + len, PROT_READ), ENOMEM);
	CHECK(!can_write(own));
	FAILS(mprotect(own, PAGE + len, 1 << 20), EINVAL);
	FAILS(mremap(own, PAGE + len, 2 * PAGE + len, MREMAP_MAYMOVE), EFAULT);
	CHECK(mremap(own, PAGE + len, PAGE, 0) == own && own[0] == 0);
	CHECK(munmap(own, PAGE + len) == 0);
	FAILS(mprotect(own, PAGE, PROT_READ), ENOMEM);
	write_n(20);
}

static void holes(char **args)
{
	struct area areas[AREAS_MAX];
	int n;

	(void)args;
	write_n(100);
	n = foreign(areas);
	for (int i = 0; i < n; i++) {
		is_hole(areas[i].start, areas[i].end - areas[i].start);
		works_before_hole(areas[i].start, areas[i].end - areas[i].start);
		works_before_hole(areas[i].start, PAGE);
	}
	is_hole(EMPTY_FROM, EMPTY_TO - EMPTY_FROM);
	works_before_hole(EMPTY_FROM + PAGE, EMPTY_TO - EMPTY_FROM - PAGE);
	write_n(100);
	report();
}

/* The same by calls that have the range in memory. */
static void is_hole_to_others(unsigned long start, size_t len)
{
	static char own[PAGE] __attribute__((aligned(PAGE)));
	struct iovec v[2] = {{own, PAGE}, {(void *)start, len}};
	int self = (int)syscall(SYS_pidfd_open, getpid(), 0);
	int filler = (int)syscall(SYS_userfaultfd, O_CLOEXEC | UFFD_USER_MODE_ONLY);
	struct uffdio_api api = {.api = UFFD_API};
	struct uffdio_register reg = {.range = {start, len}, .mode = UFFDIO_REGISTER_MODE_MISSING};
	long n;

	CHECK(self >= 0);
	/* Linux before 6.13 takes no such advice. */
	CHECK(syscall(SYS_process_madvise, self, v + 1, 1, MADV_DONTNEED, 0) == -1 &&
		(errno == ENOMEM || errno == EINVAL));
	own[0] = 'x';
	n = syscall(SYS_process_madvise, self, v, 2, MADV_DONTNEED, 0);
	CHECK(n == PAGE ? own[0] == 0 : n == -1 && errno == EINVAL);
	FAILS(syscall(SYS_process_madvise, self, v, 2, MADV_DONTNEED, 1), EINVAL);
	FAILS(syscall(SYS_process_madvise, -1, v, 2, MADV_DONTNEED, 0), EBADF);
	CHECK(close(self) == 0);
	if (filler >= 0) {
		CHECK(ioctl(filler, UFFDIO_API, &api) == 0);
		CHECK(ioctl(filler, UFFDIO_REGISTER, &reg) == -1);
		reg.range = (struct uffdio_range){(unsigned long)own, PAGE};
		CHECK(ioctl(filler, UFFDIO_REGISTER, &reg) == 0);
		CHECK(close(filler) == 0);
	}
	write_n(20);
}

static void reached(char **args)
{
	struct area areas[AREAS_MAX];
	int n;

	(void)args;
	write_n(100);
	n = foreign(areas);
	for (int i = 0; i < n; i++)
		is_hole_to_others(areas[i].start, areas[i].end - areas[i].start);
	is_hole_to_others(EMPTY_FROM, EMPTY_TO - EMPTY_FROM);
	write_n(100);
	report();
}

/* The program maps memory of its own there: it gets it, and it is whole. args[0]: another thread is
 * there, then it may be refused. args[1]: by mremap. */
static void replaced(char **args)
{
	int by_mremap = (int)t_num(args, 1, 0);
	struct area areas[AREAS_MAX];
	char *pages;
	atomic_int end = 0;
	pthread_t t;
	int n;

	write_n(100);
	if (t_num(args, 0, 0))
		CHECK(pthread_create(&t, NULL, write_until_told, &end) == 0);
	n = foreign(areas);
	/* Now: later the kernel may choose a place that became free. */
	pages = mmap(NULL, (AREAS_MAX + 1) * PAGE, PROT_READ | PROT_WRITE,
		MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(pages != MAP_FAILED);
	for (int i = -1; i < n; i++) {
		char *at = (char *)(i < 0 ? EMPTY_FROM : areas[i].start), *from, *got;

		from = pages + (size_t)(i + 1) * PAGE;
		got = by_mremap ? mremap(from, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, at)
				: mmap(at, PAGE, PROT_READ | PROT_WRITE,
					  MAP_PRIVATE | MAP_ANONYMOUS |
						  (i % 2 ? MAP_FIXED : MAP_FIXED_NOREPLACE),
					  -1, 0);
		CHECK(got == at || (got == MAP_FAILED && t_num(args, 0, 0)));
		write_n(20);
		if (got != at)
			continue;
		for (size_t k = 0; k < PAGE; k++) {
			CHECK(at[k] == 0);
			at[k] = 'p';
		}
		write_n(20);
		CHECK(memchr(at, 'p', PAGE) == at && munmap(at, PAGE) == 0);
	}
	if (t_num(args, 0, 0)) {
		atomic_store(&end, 1);
		CHECK(pthread_join(t, NULL) == 0);
	}
	write_n(100);
	report();
}

static const struct tcase cases[] = {{"holes", holes}, {"reached", reached}, {"replaced", replaced},
	{"dispatch_library", dispatch_library}, {"dispatch_refused", dispatch_refused},
	{"no_tsc", no_tsc}, {"no_tsc_from_start", no_tsc_from_start}, {"no_tsc_exec", no_tsc_exec},
	{"steps", steps}, {"frames", frames}, {NULL, NULL}};
#endif

int main(int argc, char **argv)
{
	return t_main(argc, argv, cases);
}

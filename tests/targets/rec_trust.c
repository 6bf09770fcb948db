/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * Targets that write into the memory which the recorder shares with its tracer. gs points to their
 * thread's block (tracer/recorder/layout.h); where there is none (by stops, other ABIs) they end
 * with 77.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/auxv.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "t.h"

enum { HEAD, INFLIGHT, BASE = 17, MASK, BLOCK_WORDS = 2048, RECORD_WORDS = 16, RET = 10 };

/* By the instruction: arch_prctl says what the program has in it. */
static volatile uint64_t *block(void)
{
	uint64_t gs = 0;

#ifdef __x86_64__
	if (getauxval(26 /* AT_HWCAP2 */) & 2)
		__asm__ volatile("rdgsbase %0" : "=r"(gs));
#endif
	if (!gs)
		t_skip("no recorder");
	return (volatile uint64_t *)(uintptr_t)gs;
}

static void writes(int fd, int n)
{
	for (int i = 0; i < n; i++)
		CHECK(write(fd, "x", 1) == 1);
}

/* Each of the second fifty writes says that it moved more than it was given. */
static void false_records(char **args)
{
	int fd = t_null();

	(void)args;
	writes(fd, 50);
	for (int i = 0; i < 50; i++) {
		volatile uint64_t *b, *ring;

		writes(fd, 1);
		b = block();
		ring = (volatile uint64_t *)(uintptr_t)b[BASE];
		ring[((b[HEAD] - 1) & b[MASK]) * RECORD_WORDS + RET] = 1000000000;
	}
}

static void *early(void *arg)
{
	volatile uint64_t *b, *ring;

	if (write(*(int *)arg, "x", 1) != 1)
		return NULL;
	b = block();
	ring = (volatile uint64_t *)(uintptr_t)b[BASE];
	ring[0] = ring[1] = 0; /* began and ended */
	return arg;
}

/* The first record of each thread says that it is of when the machine started. */
static void early_records(char **args)
{
	int fd = t_null();

	(void)args;
	writes(fd, 50);
	for (int i = 0; i < 50; i++) {
		pthread_t thread;
		void *wrote;

		CHECK(pthread_create(&thread, NULL, early, &fd) == 0);
		CHECK(pthread_join(thread, &wrote) == 0 && wrote);
	}
}

/* Tries to empty the memory, which no seal prevents. */
static void emptied(char **args)
{
	int fd = t_null();
	uintptr_t page;

	(void)args;
	writes(fd, 50);
	page = (uintptr_t)block() & ~0xffffUL;
	CHECK(madvise((void *)page, 0x10000, MADV_REMOVE) == 0 || errno == ENOMEM);
	writes(fd, 50);
}

/* A place that is far beyond the ring. */
static void far_head(char **args)
{
	uint64_t place = 1ULL << t_num(args, 0, 50);
	volatile uint64_t *b;
	int fd = t_null();

	writes(fd, 50);
	b = block();
	b[MASK] = UINT64_MAX;
	b[HEAD] = b[INFLIGHT] = b[16] = place;
	writes(dup(fd), 50);
}

static void *worker(void *arg)
{
	int fd = *(int *)arg;

	for (int i = 0; i < 200; i++)
		if (write(fd, "x", 1) != 1)
			break;
	return NULL;
}

/* Any byte of the blocks and rings, while threads are at work there. Where that leads the child is
 * its own affair: it may die. Its parent goes on, and so does the tracer. */
static void garbage(char **args)
{
	unsigned int seed = (unsigned int)t_num(args, 0, 1);
	long rounds = t_num(args, 1, 20);
	int fd = t_null(), status;

	writes(fd, 20);
	for (long i = 0; i < rounds; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			pthread_t threads[3];
			volatile uint64_t *b;

			alarm(5); /* a lock of the library may be lost on the way */
			srandom(seed + (unsigned int)i);
			writes(fd, 20);
			b = block();
			for (int k = 0; k < 3; k++)
				pthread_create(&threads[k], NULL, worker, &fd);
			for (int k = 0; k < 300; k++)
				b[(size_t)random() % BLOCK_WORDS] = (uint64_t)random()
								    << (random() % 40);
			for (int k = 0; k < 3; k++)
				pthread_join(threads[k], NULL);
			_exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid);
	}
	writes(fd, 20);
}

/* What the parent of a child that is not to be trusted would run. */
static atomic_int *led;
static char stack[65536] __attribute__((aligned(64), used));

__attribute__((used, noreturn)) static void where_the_child_led(void)
{
	atomic_store(led, 1);
	_exit(42);
}

#ifdef __x86_64__
__attribute__((naked)) static void landing(void)
{
	__asm__("lea stack+65000(%rip), %rsp; and $-64, %rsp; call where_the_child_led");
}
#else
static void landing(void)
{
	where_the_child_led();
}
#endif

/* A fork's child, whose gs is its maker's, has none of its memory: neither by its own block nor by
 * mapping what it inherited. */
static void neighbour(char **args)
{
	int pipes[2], fd = t_null(), status;
	volatile uint64_t *b;
	pid_t pid;
	char c;

	(void)args;
	led = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	CHECK(led != MAP_FAILED && pipe(pipes) == 0);
	for (int i = 0; i < 100; i++) {
		writes(fd, 1);
		CHECK(write(pipes[1], "x", 1) == 1 && read(pipes[0], &c, 1) == 1);
	}
	b = block();
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		static uint64_t fake[8];

		alarm(5);
		fake[0] = (uint64_t)(uintptr_t)landing;
		while (t_state(getppid(), getppid()) != 'S')
			sched_yield();
		/* Its own copy, a page of its own, or a fault: never the parent's. */
		if (mprotect((void *)((uintptr_t)b & ~4095UL), 4096, PROT_READ | PROT_WRITE) == 0)
			b[3] = (uint64_t)(uintptr_t)fake;
		_exit(write(pipes[1], "x", 1) != 1);
	}
	CHECK(read(pipes[0], &c, 1) == 1);
	CHECK(waitpid(pid, &status, 0) == pid);
	CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0 && !atomic_load(led));
}

static atomic_int meddling;

/* Closes whatever gets one of the low numbers, and unmaps what it can. */
static void *meddler(void *arg)
{
	while (atomic_load(&meddling) > 0) {
		for (int fd = 3; fd < 8; fd++)
			close(fd);
		munmap((void *)0x551000010000, 0x10000);
		atomic_fetch_sub(&meddling, 1);
	}
	return arg;
}

/* Children that are set up for the recorder while another thread of theirs closes and unmaps what
 * that makes: they make their calls all the same, recorded or not. */
static void meddled(char **args)
{
	int fd = dup2(t_null(), 100), status;

	writes(fd, 20);
	for (long i = t_num(args, 0, 20); i > 0; i--) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (pid == 0) {
			pthread_t thread;

			atomic_store(&meddling, 20);
			CHECK(pthread_create(&thread, NULL, meddler, NULL) == 0);
			writes(fd, 20);
			CHECK(pthread_join(thread, NULL) == 0);
			writes(fd, 5);
			_exit(0);
		}
		CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	}
}

enum { STUB_BYTES = 0x4000 };

/* The recorder's own code may be read by who runs it, and written as any memory of one's own by its
 * file: its calls become loops. */
static void spoil_stub(void)
{
	static uint8_t code[STUB_BYTES];
	int mem = open("/proc/self/mem", O_RDWR | O_CLOEXEC);
	const off_t stub = 0x551000000000;

	CHECK(mem >= 0 && pread(mem, code, STUB_BYTES, stub) == STUB_BYTES);
	for (size_t i = 0; i + 1 < STUB_BYTES; i++)
		if (code[i] == 0x0f && code[i + 1] == 0x05) {
			code[i] = 0xeb;
			code[i + 1] = 0xfe;
		}
	CHECK(pwrite(mem, code, STUB_BYTES, stub) == STUB_BYTES);
}

/* A child whose calls for the tracer, around memory that is the recorder's, would not come back. */
static void spoiled(char **args)
{
	int fd = t_null(), status;
	pid_t pid;

	(void)args;
	writes(fd, 50);
	block();
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		spoil_stub();
		madvise((void *)(0x551000000000 - 0x1000), 0x20000, MADV_NORMAL);
		_exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	writes(fd, 20000); /* more than there is room for */
}

/* Its child inherits the code, and is to be set up by it. */
static void spoiled_for_child(char **args)
{
	int fd = t_null(), status;
	pid_t pid;

	(void)args;
	writes(fd, 50);
	block();
	pid = fork();
	CHECK(pid >= 0);
	if (pid == 0) {
		spoil_stub();
		pid = fork();
		for (int i = 0; pid == 0 && i < 50; i++)
			if (write(fd, "x", 1) != 1)
				_exit(1);
		_exit(pid && (waitpid(pid, &status, 0) != pid || status != 0));
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
	writes(fd, 20000);
}

static void none(char **args)
{
	(void)args;
}

#ifdef __x86_64__
long write_here(int fd, const void *p, size_t n);
__asm__(".text; .p2align 5; .type write_here, @function; write_here: .cfi_startproc;"
	"mov $1, %eax; syscall; ret; .cfi_endproc; .size write_here, . - write_here;"
	".p2align 5");

/* Puts its code back whenever it has been changed, in a process of very many mappings, which are
 * not to be read each time. */
static void put_back(char **args)
{
	enum { BYTES = 32, MAPPINGS = 30000, ROUNDS = 100 };
	uint8_t was[BYTES], *code = (uint8_t *)(uintptr_t)write_here;
	uintptr_t page = (uintptr_t)code & ~4095UL;
	int fd = t_null(), changed = 0;

	(void)args;
	memcpy(was, code, BYTES);
	for (int i = 0; i < MAPPINGS; i++)
		CHECK(mmap(NULL, 4096, i & 1 ? PROT_READ : PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS,
			      -1, 0) != MAP_FAILED);
	for (int i = 0; i < ROUNDS; i++) {
		for (int k = 0; k < 3; k++)
			CHECK(write_here(fd, "x", 1) == 1);
		if (memcmp(was, code, BYTES) == 0)
			continue;
		changed++;
		CHECK(mprotect((void *)page, 8192, PROT_READ | PROT_WRITE | PROT_EXEC) == 0);
		memcpy(code, was, BYTES);
		CHECK(mprotect((void *)page, 8192, PROT_READ | PROT_EXEC) == 0);
	}
	CHECK(changed <= ROUNDS / 2);
}
#else
#define put_back none
#endif

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {{"none", none}, {"false_records", false_records},
		{"early_records", early_records}, {"emptied", emptied}, {"far_head", far_head},
		{"garbage", garbage}, {"neighbour", neighbour}, {"meddled", meddled},
		{"spoiled", spoiled}, {"spoiled_for_child", spoiled_for_child},
		{"put_back", put_back}, {NULL, NULL}};

	return t_main(argc, argv, cases);
}

/* SPDX-License-Identifier: GPL-3.0-only */
/* Heaps whose size at every moment is known. No case prints by stdio, which would allocate. */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "t.h"

/* Kept by the compiler, and not freed by anything at the end. */
static void *volatile kept[16];

__attribute__((noinline)) static void *heap_block(size_t size)
{
	void *p = malloc(size);

	CHECK(p);
	return p;
}

__attribute__((noinline)) static void *heap_wide(size_t size)
{
	void *volatile p = heap_block(size);

	return p;
}

__attribute__((noinline)) static void *heap_narrow(size_t size)
{
	void *volatile p = heap_block(size);

	return p;
}

/* Work that takes instructions, so that snapshots are apart in time. */
static void spend(long rounds)
{
	for (volatile long i = 0; i < rounds; i++)
		;
}

/* peak [WIDE NARROW KEPT]: at the peak WIDE + NARROW + KEPT bytes, at the end KEPT. */
static void run_peak(char **args)
{
	size_t wide = (size_t)t_num(args, 0, 1000000), narrow = (size_t)t_num(args, 1, 300000);

	kept[0] = heap_block((size_t)t_num(args, 2, 50000));
	spend(200000);
	void *a = heap_wide(wide);
	void *b = heap_narrow(narrow);
	spend(200000);
	free(a);
	spend(200000);
	free(b);
	spend(200000);
}

/* steps N SIZE: a heap that grows by SIZE N times and stays. */
static void run_steps(char **args)
{
	size_t size = (size_t)t_num(args, 1, 10000);

	for (long i = 0; i < t_num(args, 0, 10); i++) {
		kept[i % 16] = heap_block(size);
		spend(20000);
	}
}

/* grow SMALL BIG: 20 times SMALL, then BIG at the end; no peak comes before something is freed. */
static void run_grow(char **args)
{
	for (int i = 0; i < 16; i++)
		kept[i] = heap_narrow((size_t)t_num(args, 0, 100000));
	free(heap_block(10));
	kept[0] = heap_wide((size_t)t_num(args, 1, 64 << 20));
	exit(0);
}

/* freed COUNT SIZE: holds COUNT blocks of SIZE, frees them all and ends at once. */
static void run_freed(char **args)
{
	long count = t_num(args, 0, 400);
	void *blocks[400];

	CHECK(count <= 400);
	for (long i = 0; i < count; i++)
		blocks[i] = heap_block((size_t)t_num(args, 1, 10000));
	for (long i = 0; i < count; i++)
		free(blocks[i]);
	exit(0);
}

/* map SIZE HEAP: maps and touches SIZE bytes, gives them back, and holds HEAP of heap before. */
static void run_map(char **args)
{
	size_t size = (size_t)t_num(args, 0, 96 << 20), heap = (size_t)t_num(args, 1, 0);

	if (heap)
		kept[0] = memset(heap_wide(heap), 1, heap);
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED);
	memset(at, 1, size);
	CHECK(munmap(at, size) == 0);
}

#ifdef __x86_64__
/* unknown: an instruction that every CPU has and valgrind 3.19 to 3.24 does not, then ends with 7.
 */
static void run_unknown(char **args)
{
	unsigned char number[10] = {1};

	(void)args;
	kept[0] = heap_wide(70000);
	__asm__ volatile("fbld %0\n\tfstp %%st(0)" : : "m"(number));
	exit(7);
}

/* trap: dies of an instruction that no CPU has. */
static void run_trap(char **args)
{
	(void)args;
	kept[0] = heap_wide(70000);
	__builtin_trap();
}
#endif

/* fork PARENT CHILD: a child that holds CHILD bytes more than its parent did. */
static void run_fork(char **args)
{
	int status;

	kept[0] = heap_wide((size_t)t_num(args, 0, 100000));
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		kept[1] = heap_narrow((size_t)t_num(args, 1, 400000));
		spend(100000);
		exit(0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

/* exec PROGRAM [ARGS]: becomes another program. */
static void run_exec(char **args)
{
	kept[0] = heap_wide(100000);
	execv(args[0], args);
	CHECK(0 && "execv");
}

static void on_term(int number)
{
	(void)number;
}

/* serve FIFO SIZE [UP]: makes the file UP, then allocates SIZE for each byte read from FIFO. Ends
 * by TERM with 0. */
static void run_serve(char **args)
{
	struct sigaction act = {.sa_handler = on_term};
	int fd = open(args[0], O_RDWR);
	char byte;

	CHECK(fd >= 0 && sigaction(SIGTERM, &act, NULL) == 0);
	CHECK(!args[1] || !args[2] || creat(args[2], 0666) >= 0);
	for (long i = 0; read(fd, &byte, 1) == 1; i++) {
		kept[i % 16] = heap_wide((size_t)t_num(args, 1, 1000));
		spend(100000);
	}
}

/* wait [IGNORE]: allocates, says so, then waits; with IGNORE not even TERM ends it. */
static void run_wait(char **args)
{
	kept[0] = heap_wide(70000);
	if (t_num(args, 0, 0))
		signal(SIGTERM, SIG_IGN);
	CHECK(write(1, "ready\n", 6) == 6);
	for (;;)
		pause();
}

/* kill: a child of its ends it by SIGKILL. (What it sends itself, valgrind emulates.) */
static void run_kill(char **args)
{
	(void)args;
	kept[0] = heap_wide(70000);
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (pid == 0) {
		kill(getppid(), SIGKILL);
		_exit(0);
	}
	for (;;)
		pause();
}

/* status N: ends with that. */
static void run_status(char **args)
{
	kept[0] = heap_wide(70000);
	exit((int)t_num(args, 0, 3));
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {{"peak", run_peak}, {"steps", run_steps},
		{"fork", run_fork}, {"exec", run_exec}, {"serve", run_serve}, {"wait", run_wait},
		{"kill", run_kill}, {"status", run_status}, {"grow", run_grow},
		{"freed", run_freed}, {"map", run_map},
#ifdef __x86_64__
		{"unknown", run_unknown}, {"trap", run_trap},
#endif
		{NULL, NULL}};

	return t_main(argc, argv, cases);
}

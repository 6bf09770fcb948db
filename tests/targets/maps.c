// SPDX-License-Identifier: GPL-3.0-only
/* Mappings by kind, with known lengths. */
#include <pthread.h>
#include <stdatomic.h>
#include <sys/mman.h>

#include "t.h"

#define KB 1024UL

static void *map(size_t len, int flags, int fd)
{
	void *p = mmap(NULL, len, PROT_READ | PROT_WRITE, flags, fd, 0);

	CHECK(p != MAP_FAILED);
	return p;
}

/*
 * mmap: 3 x 64 KB anonymous, 40 KB of a file, 32 KB of stack, one that fails; munmap: one of the
 * 64 KB, the file, half of another 64 KB, one that fails.
 */
static void kinds(char **args)
{
	int anon = MAP_PRIVATE | MAP_ANONYMOUS;
	char *a, *b, *file;

	(void)args;
	a = map(64 * KB, anon, -1);
	b = map(64 * KB, anon, -1);
	map(64 * KB, anon, -1);
	file = map(40 * KB, MAP_PRIVATE, t_file(40 * KB));
	map(32 * KB, anon | MAP_STACK, -1);
	CHECK(mmap(NULL, 4 * KB, PROT_READ, MAP_PRIVATE, -1, 0) == MAP_FAILED && errno == EBADF);
	CHECK(munmap(a, 64 * KB) == 0);
	CHECK(munmap(file, 40 * KB) == 0);
	CHECK(munmap(b, 32 * KB) == 0);
	CHECK(munmap((void *)1, 1) == -1 && errno == EINVAL);
	CHECK(madvise(b + 32 * KB, 32 * KB, MADV_DONTNEED) == 0);
	CHECK(madvise(b + 1, 32 * KB, MADV_DONTNEED) == -1 && errno == EINVAL);
}

/* mremap grows 16 KB to 64 KB and shrinks it to 8 KB. */
static void remap(char **args)
{
	void *p = map(16 * KB, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	(void)args;
	p = mremap(p, 16 * KB, 64 * KB, MREMAP_MAYMOVE);
	CHECK(p != MAP_FAILED);
	p = mremap(p, 64 * KB, 8 * KB, 0);
	CHECK(p != MAP_FAILED);
	CHECK(munmap(p, 8 * KB) == 0);
}

/* The break is asked for, raised by 128 KB and lowered by 64 KB. */
static void brk_moves(char **args)
{
	long at = syscall(SYS_brk, 0);

	(void)args;
	CHECK(syscall(SYS_brk, at + 128 * 1024) == at + 128 * 1024);
	CHECK(syscall(SYS_brk, at + 64 * 1024) == at + 64 * 1024);
}

/* A fixed mapping over the middle of another. */
static void fixed(char **args)
{
	char *p = map(48 * KB, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	(void)args;
	CHECK(mmap(p + 16 * KB, 16 * KB, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
		      0) == p + 16 * KB);
	CHECK(munmap(p, 48 * KB) == 0);
}

enum { BLOCK = 64 * 1024 };

static void anonymous_ends(void)
{
	CHECK(munmap(map(BLOCK, MAP_PRIVATE | MAP_ANONYMOUS, -1), BLOCK) == 0);
}

/* The file comes and goes, the memory stays. */
static void file_ends(void)
{
	static int fd = -1;

	fd = fd < 0 ? t_file(4096) : fd;
	CHECK(munmap(map(4096, MAP_PRIVATE, fd), 4096) == 0);
	map(4096, MAP_PRIVATE | MAP_ANONYMOUS, -1);
}

/* As allocators align: more is mapped than is wanted, and both ends are given back. */
static char *aligned(void)
{
	char *p = map(3 * BLOCK, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	CHECK(munmap(p, BLOCK) == 0 && munmap(p + 2 * BLOCK, BLOCK) == 0);
	return p + BLOCK;
}

static void ends_are_trimmed(void)
{
	aligned();
}

static void trimmed_ends(void)
{
	CHECK(munmap(aligned(), BLOCK) == 0);
}

static void half_ends(void)
{
	CHECK(munmap(map(2 * BLOCK, MAP_PRIVATE | MAP_ANONYMOUS, -1), BLOCK) == 0);
}

static void moved_ends(void)
{
	void *p = map(BLOCK, MAP_PRIVATE | MAP_ANONYMOUS, -1);

	p = mremap(p, BLOCK, 4 * BLOCK, MREMAP_MAYMOVE);
	CHECK(p != MAP_FAILED && munmap(p, 4 * BLOCK) == 0);
}

/* Mapped over, never unmapped. */
static void is_mapped_over(void)
{
	static char *p;

	p = p ? p : map(BLOCK, MAP_PRIVATE | MAP_ANONYMOUS, -1);
	CHECK(mmap(p, BLOCK, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == p);
}

static _Atomic(void *) handed;

static void *unmap_handed(void *arg)
{
	for (;;) {
		void *p = atomic_load(&handed);

		if (p) {
			CHECK(munmap(p, BLOCK) == 0);
			atomic_store(&handed, NULL);
		}
	}
	return arg;
}

/* Mapped by one thread, unmapped by another, without a call between. */
static void ends_elsewhere(void)
{
	static pthread_t t;

	CHECK(t || pthread_create(&t, NULL, unmap_handed, NULL) == 0);
	atomic_store(&handed, map(BLOCK, MAP_PRIVATE | MAP_ANONYMOUS, -1));
	while (atomic_load(&handed))
		;
}

/* churn HOW N: so often. */
static void churn(char **args)
{
	static const struct {
		const char *how;
		void (*once)(void);
	} hows[] = {{"anonymous", anonymous_ends}, {"file", file_ends}, {"ends", ends_are_trimmed},
		{"trimmed", trimmed_ends}, {"half", half_ends}, {"moved", moved_ends},
		{"over", is_mapped_over}, {"elsewhere", ends_elsewhere}};
	size_t i = 0;

	while (i < sizeof(hows) / sizeof(hows[0]) && strcmp(hows[i].how, args[0]) != 0)
		i++;
	CHECK(i < sizeof(hows) / sizeof(hows[0]));
	for (long n = t_num(args, 1, 100); n > 0; n--)
		hows[i].once();
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {{"kinds", kinds}, {"mremap", remap},
		{"brk", brk_moves}, {"fixed", fixed}, {"churn", churn}, {NULL, NULL}};

	return t_main(argc, argv, cases);
}

/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/fast/inject.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tracer/arch/arch.h"
#include "tracer/fast/patch.h"
#include "tracer/fast/remote.h"

#define PATH_OFFSET (REGION_CODE_BYTES - 64) /* the path of the memfd, behind the stub */

static int has_limit(pid_t tid)
{
	struct rlimit limit;

	return prlimit(tid, RLIMIT_AS, NULL, &limit) < 0 || limit.rlim_cur != RLIM_INFINITY;
}

/* The stub's pages are the process's own: what is shared is no code. */
static int map_stub(struct remote *r)
{
	const uint64_t args[6] = {REGION_ADDR, REGION_CODE_BYTES, PROT_READ | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, (uint64_t)-1, 0};
	char path[64];
	size_t bytes;
	const void *stub = arch_stub(&bytes);

	if (remote_call(r, 0, SYS_mmap, args) != (int64_t)REGION_ADDR)
		return -1;
	snprintf(path, sizeof(path), "/proc/%d/fd/%d", getpid(), r->s->fast.region.fd);
	if (bytes > PATH_OFFSET || remote_write(r->t, REGION_ADDR, stub, bytes) < 0 ||
		remote_write(r->t, REGION_ADDR + PATH_OFFSET, path, strlen(path) + 1) < 0)
		return -1;
	return 0;
}

static int map_shared(struct remote *r, int64_t fd)
{
	uint64_t call_at = arch_stub_after() - ARCH_CALL_BYTES;
	const uint64_t start = REGION_ADDR + REGION_CODE_BYTES;
	const uint64_t map[6] = {start, REGION_BYTES - REGION_CODE_BYTES, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_FIXED_NOREPLACE, (uint64_t)fd, REGION_CODE_BYTES};
	const uint64_t fd_only[6] = {(uint64_t)fd};
	int64_t got = remote_call(r, call_at, SYS_mmap, map);

	remote_call(r, call_at, SYS_close, fd_only);
	return got == (int64_t)start ? 0 : -1;
}

static int64_t open_shared(struct remote *r)
{
	const uint64_t args[6] = {
		(uint64_t)AT_FDCWD, REGION_ADDR + PATH_OFFSET, O_RDWR | O_CLOEXEC};

	return remote_call(r, arch_stub_after() - ARCH_CALL_BYTES, SYS_openat, args);
}

/* The first page for trampolines; that there is none is no reason to give up. */
static void map_page(struct remote *r)
{
	uint64_t page = patch_free_page(r->t, r->saved.rip);
	const uint64_t args[6] = {page, 4096, PROT_READ | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, (uint64_t)-1, 0};

	if (page && remote_call(r, arch_stub_after() - ARCH_CALL_BYTES, SYS_mmap, args) ==
			    (int64_t)page)
		sites_add_page(&r->t->space->fast->sites, page);
}

static const char *inject_all(struct remote *r)
{
	int64_t fd;

	if (map_stub(r) < 0)
		return "the stub could not be mapped";
	fd = open_shared(r);
	if (fd < 0)
		return "the shared memory could not be opened";
	if (map_shared(r, fd) < 0)
		return "the shared memory could not be mapped";
	map_page(r);
	return NULL;
}

const char *inject(struct session *s, struct tracee *t, int *ret_moved)
{
	const char *reason;
	struct remote r;

	if (t->own_filter)
		return "a seccomp filter of the program's own";
	if (has_limit(t->tid))
		return "the process's address space is limited (RLIMIT_AS)";
	if (remote_begin(&r, s, t) < 0)
		return "the thread could not be read";
	*ret_moved = 1;
	reason = inject_all(&r);
	remote_end(&r);
	return reason;
}

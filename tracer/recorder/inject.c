/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/recorder/inject.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "tracer/arch/arch.h"
#include "tracer/arch/regs.h"
#include "tracer/recorder/patch.h"
#include "tracer/recorder/remote.h"

#define UNITS_FIRST 4 /* of the arena: threads, mostly */

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

static const char memory_name[] = "iotrace";
#define NAME_AT (REGION_ADDR + REGION_CODE_BYTES - sizeof(memory_name)) /* behind the stub */

/* Of another user's process the limits may be read in /proc only. */
static int has_limit(pid_t tid)
{
	cleanup_free char *path = NULL;
	cleanup_free char *text = NULL;
	struct rlimit limit;
	const char *line;

	if (prlimit(tid, RLIMIT_AS, NULL, &limit) == 0)
		return limit.rlim_cur != RLIM_INFINITY;
	path = mem_printf("/proc/%d/limits", tid);
	if (file_read(path, 65536, &text, NULL, NULL) < 0)
		return 1;
	line = strstr(text, "Max address space");
	return !line || strncmp(line + strcspn(line, "0123456789u\n"), "unlimited", 9) != 0;
}

static int64_t call(struct remote *r, long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	const uint64_t args[6] = {a, b, c, d, (uint64_t)-1, 0};

	return remote_call(r, arch_stub_after() - ARCH_CALL_BYTES, nr, args);
}

/* The stub's pages are the process's own: what is shared is no code. */
static int map_stub(struct remote *r)
{
	const uint64_t args[6] = {REGION_ADDR, ALIVE_OFFSET + ALIVE_BYTES, PROT_READ | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, (uint64_t)-1, 0};
	size_t bytes;
	const void *stub = arch_stub(&bytes);

	if (remote_call(r, 0, SYS_mmap, args) != (int64_t)REGION_ADDR ||
		bytes > REGION_CODE_BYTES - sizeof(memory_name) ||
		remote_write(r->t, REGION_ADDR, stub, bytes) < 0 ||
		remote_write(r->t, NAME_AT, memory_name, sizeof(memory_name)) < 0)
		return -1;
	return call(r, SYS_madvise, REGION_ADDR + ALIVE_OFFSET, ALIVE_BYTES, MADV_WIPEONFORK, 0) ==
			       0
		       ? 0
		       : -1;
}

/* A kernel may insist on memory that is not executable (vm.memfd_noexec), an older one does not
 * know it. */
static uint64_t memfd_flags(void)
{
	static uint64_t flags;
	int fd;

	if (flags)
		return flags;
	flags = MFD_CLOEXEC | MFD_NOEXEC_SEAL;
	fd = memfd_create(memory_name, (unsigned int)flags);
	if (fd >= 0)
		close(fd);
	else
		flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	return flags;
}

static const char *share(struct remote *r, struct region *region, int64_t fd)
{
	cleanup_close int mine = fd_steal(r->t->process->pid, r->t->tid, (uint32_t)fd);
	const uint64_t start = REGION_ADDR + ARENA_OFFSET, bytes = UNITS_FIRST * ARENA_UNIT_BYTES;
	const uint64_t map[6] = {start, bytes, PROT_READ | PROT_WRITE,
		MAP_SHARED | MAP_FIXED_NOREPLACE, (uint64_t)fd, 0};

	struct err err = {0};

	if (mine < 0)
		return "the process's descriptors cannot be taken";
	if (region_take(region, mine, UNITS_FIRST, &err) < 0)
		return err.code == -EFBIG ? "the tracer's file size is limited (RLIMIT_FSIZE)"
					  : "the shared memory could not be mapped";
	if (remote_call(r, arch_stub_after() - ARCH_CALL_BYTES, SYS_mmap, map) != (int64_t)start ||
		call(r, SYS_madvise, start, bytes, MADV_DONTFORK, 0) != 0)
		return "the shared memory could not be mapped in the process";
	return NULL;
}

/* What the one writes, the other finds: no other thread has put something else in its place. */
static int is_shared(const struct remote *r, const struct region *region)
{
	uint64_t *word = (uint64_t *)region->at, got = 0, sent;

	if (getrandom(&sent, sizeof(sent), GRND_NONBLOCK) != sizeof(sent))
		sent = (uint64_t)(uintptr_t)word ^ BLOCK_MAGIC_VALUE;
	*word = sent;
	if (remote_read(r->t, REGION_ADDR + ARENA_OFFSET, &got, sizeof(got)) < 0)
		return 0;
	*word = 0;
	return got == sent;
}

/* The first page for trampolines; that there is none is no reason to give up. */
static void map_page(struct remote *r)
{
	uint64_t page = patch_free_page(r->t, regs_ip(&r->saved));
	const uint64_t args[6] = {page, 4096, PROT_READ | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, (uint64_t)-1, 0};

	if (page && remote_call(r, arch_stub_after() - ARCH_CALL_BYTES, SYS_mmap, args) ==
			    (int64_t)page)
		sites_add_page(&r->t->mm->recorder->sites, page);
}

static const char *inject_all(struct remote *r, struct recorder_mm *rm)
{
	static const uint32_t alive = 1;
	const char *reason;
	int64_t fd;

	if (!rm->has_code && map_stub(r) < 0)
		return "the stub could not be mapped";
	rm->has_code = 1;
	fd = call(r, SYS_memfd_create, NAME_AT, memfd_flags(), 0, 0);
	if (fd < 0)
		return "the shared memory could not be made";
	reason = share(r, &rm->region, fd);
	call(r, SYS_close, (uint64_t)fd, 0, 0, 0);
	if (reason)
		region_release(&rm->region);
	if (!reason && !is_shared(r, &rm->region))
		reason = "the shared memory is not what it should be";
	if (!reason && remote_write(r->t, REGION_ADDR + ALIVE_OFFSET, &alive, sizeof(alive)) < 0)
		reason = "the process's memory could not be written";
	if (!reason && !rm->sites.pages.len)
		map_page(r);
	return reason;
}

const char *inject(struct recorder *f, struct tracee *t, int *ret_moved)
{
	const char *reason;
	struct remote r;

	if (t->own_filter)
		return "a seccomp filter of the program's own";
	if (has_limit(t->tid))
		return "the process's address space is limited (RLIMIT_AS)";
	if (remote_begin(&r, f, t) < 0)
		return "the thread could not be read";
	*ret_moved = 1;
	reason = inject_all(&r, t->mm->recorder);
	remote_end(&r);
	return reason;
}

int inject_grow(struct recorder *f, struct tracee *t, uint32_t needs, int *ret_moved)
{
	struct region *region = &t->mm->recorder->region;
	uint32_t units = region->units + (needs > region->units ? needs : region->units);
	struct remote r;
	int64_t got;

	if (units > ARENA_BYTES_MAX / ARENA_UNIT_BYTES)
		units = ARENA_BYTES_MAX / ARENA_UNIT_BYTES;
	if (units <= region->units || t->mm->recorder->no_growth || remote_begin(&r, f, t) < 0)
		return -ENOMEM;
	*ret_moved = 1;
	got = call(&r, SYS_mremap, REGION_ADDR + ARENA_OFFSET, region->units * ARENA_UNIT_BYTES,
		(uint64_t)units * ARENA_UNIT_BYTES, 0);
	remote_end(&r);
	/* A limit, or something else lies there: what there is must do. */
	t->mm->recorder->no_growth = got != REGION_ADDR + ARENA_OFFSET;
	if (!t->mm->recorder->no_growth)
		region_grown(region, units);
	return t->mm->recorder->no_growth ? -ENOMEM : 0;
}

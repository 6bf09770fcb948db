/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/recorder/inject.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/random.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "tracer/arch/arch.h"
#include "tracer/arch/regs.h"
#include "tracer/recorder/coarse.h"
#include "tracer/recorder/patch.h"
#include "tracer/recorder/remote.h"

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8U
#endif

#define SPARE_FDS 16

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

/* The tracer's last ones are for names, addresses and outputs; each address space needs one. */
static int has_descriptor(void)
{
	struct rlimit limit;
	int next = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 0);

	if (next < 0)
		return 0;
	close(next);
	return getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= (rlim_t)next + SPARE_FDS;
}

static int64_t call(struct remote *r, long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	const uint64_t args[6] = {a, b, c, d, (uint64_t)-1, 0};

	return remote_call(r, arch_stub_after() - ARCH_CALL_BYTES, nr, args);
}

/* The stub's pages are the process's own: what is shared is no code. */
static int map_stub(struct remote *r)
{
	const uint64_t bytes = ALIVE_OFFSET + ALIVE_BYTES, args[6] = {REGION_ADDR, bytes};
	size_t stub_bytes;
	const void *stub = arch_stub(&stub_bytes);

	if (stub_bytes > ACTION_OFFSET ||
		call(r, SYS_mmap, REGION_ADDR, bytes, PROT_READ | PROT_EXEC,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE) != (int64_t)REGION_ADDR)
		return -1;
	if (remote_write(r->t, REGION_ADDR, stub, stub_bytes) == 0)
		return 0;
	remote_call(
		r, regs_ip(&r->saved), SYS_munmap, args); /* there is no code of ours to do it */
	return -1;
}

/* That of a fork's child may be what its maker made of it. */
static int is_stub_there(const struct remote *r)
{
	size_t bytes;
	const void *stub = arch_stub(&bytes);
	uint8_t there[REGION_CODE_BYTES];

	return bytes <= sizeof(there) && remote_read(r->t, REGION_ADDR, there, bytes) == 0 &&
	       memcmp(there, stub, bytes) == 0;
}

/* A kernel may insist on memory that is not executable (vm.memfd_noexec), an older one does not
 * know it. */
static unsigned int memfd_flags(void)
{
	static unsigned int flags;
	int fd;

	if (flags)
		return flags;
	flags = MFD_CLOEXEC | MFD_NOEXEC_SEAL;
	fd = memfd_create("iotrace", flags);
	if (fd >= 0)
		close(fd);
	else
		flags = MFD_CLOEXEC | MFD_ALLOW_SEALING;
	return flags;
}

/* What the one writes, the other finds: no other thread has put something else in its place. */
static int is_shared(const struct remote *r, const struct region *region)
{
	uint64_t *word = (uint64_t *)region->at, sent;
	long got;

	if (getrandom(&sent, sizeof(sent), GRND_NONBLOCK) != sizeof(sent))
		sent = (uint64_t)(uintptr_t)word ^ BLOCK_MAGIC_VALUE;
	*word = sent;
	errno = 0;
	got = ptrace(PTRACE_PEEKDATA, r->t->tid, (void *)(REGION_ADDR + ARENA_OFFSET), NULL);
	if (errno)
		return 0;
	*word = 0;
	return (uint64_t)got == sent;
}

/* The memory that the set-up made, and how it went. */
static const char *share(
	const struct remote *r, struct region *region, const struct arch_setup *got)
{
	cleanup_close int mine = -1;
	struct err err = {0};

	if (got->wiped != 0)
		return "the stub could not be mapped";
	if (got->fd < 0)
		return "the shared memory could not be made";
	mine = fd_steal(r->t->process->pid, r->t->tid, (uint32_t)got->fd);
	if (mine < 0)
		return "the process's descriptors cannot be taken";
	if (region_take(region, mine, ARENA_FIRST_UNITS, &err) < 0)
		return err.code == -EFBIG ? "the tracer's file size is limited (RLIMIT_FSIZE)"
					  : "the shared memory could not be mapped";
	if (got->arena != REGION_ADDR + ARENA_OFFSET || got->apart != 0)
		return "the shared memory could not be mapped in the process";
	return is_shared(r, region) ? NULL : "the shared memory is not what it should be";
}

/* In the place of the call at which the set-up ends: the fd is of no more use, and what has no use
 * at all is unmapped again. */
static void tidy(struct remote *r, const struct arch_setup *got, uint64_t page, int failed)
{
	if (got->fd >= 0)
		call(r, SYS_close, (uint64_t)got->fd, 0, 0, 0);
	if (failed && got->arena == REGION_ADDR + ARENA_OFFSET)
		call(r, SYS_munmap, got->arena, ARENA_FIRST_BYTES, 0, 0);
	if (failed && page && got->page == page)
		call(r, SYS_munmap, page, 4096, 0, 0);
}

static const char *set_up(struct remote *r, struct recorder_mm *rm)
{
	/* The first page for trampolines; that there is none is no reason to give up. */
	uint64_t page = rm->sites.pages.len ? 0 : patch_free_page(r->t, regs_ip(&r->saved));
	struct arch_setup got;
	const char *reason;

	arch_setup_begin(&r->regs, memfd_flags(), page);
	if (remote_run(r, arch_setup_end()) < 0)
		return "the recorder could not do its work in the process";
	arch_setup_results(&r->regs, &got);
	reason = share(r, &rm->region, &got);
	/* The rest of the page is unused. */
	if (!reason && ptrace(PTRACE_POKEDATA, r->t->tid, (void *)(REGION_ADDR + ALIVE_OFFSET),
			       (void *)1) < 0)
		reason = "the process's memory could not be written";
	tidy(r, &got, page, reason != NULL);
	if (reason)
		region_release(&rm->region);
	else if (page && got.page == page)
		sites_add_page(&rm->sites, page);
	rm->code_is_new =
		rm->code.len > 0; /* the call at which it stopped is the next that is looked at */
	return reason;
}

/* Our handler for SIGSYS; what there was is kept. A fork's child has its maker's. */
static const char *guard(struct remote *r, struct recorder_mm *rm)
{
	struct process *p = r->t->process;
	struct arch_action action;

	if (r->t->trap == TRAP_NONE || p->guarded)
		return NULL;
	arch_orphan_action(&action);
	if (remote_write(r->t, REGION_ADDR + ACTION_OFFSET, &action, sizeof(action)) < 0 ||
		call(r, SYS_rt_sigaction, SIGSYS, REGION_ADDR + ACTION_OFFSET,
			REGION_ADDR + ARENA_OFFSET, 8) != 0)
		return "SIGSYS could not be handled";
	memcpy(p->was, rm->region.at, sizeof(p->was));
	memset(rm->region.at, 0, sizeof(p->was));
	p->guarded = 1;
	return NULL;
}

static const char *inject_all(const struct recorder *f, struct remote *r, struct recorder_mm *rm)
{
	const char *reason;

	if (!rm->has_code && map_stub(r) < 0)
		return "the stub could not be mapped";
	rm->has_code = 1;
	if (!is_stub_there(r))
		return "the recorder could not do its work in the process";
	reason = set_up(r, rm);
	if (!reason)
		reason = guard(r, rm);
	return reason ? reason : coarse_begin(f, rm);
}

const char *inject(struct recorder *f, struct tracee *t, int *ret_moved)
{
	const char *reason;
	struct remote r;

	if (t->own_filter)
		return "a seccomp filter of the program's own";
	if (has_limit(t->tid))
		return "the process's address space is limited (RLIMIT_AS)";
	if (!has_descriptor())
		return "the tracer's descriptors are limited (RLIMIT_NOFILE)";
	if (remote_begin(&r, f, t) < 0)
		return "the thread could not be read";
	*ret_moved = 1;
	reason = inject_all(f, &r, t->mm->recorder);
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
	if (units <= region->units || t->mm->recorder->no_growth ||
		!recorder_may_call(f, t, SYS_mremap) || remote_begin(&r, f, t) < 0)
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

/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/fast/inject.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "tracer/arch/arch.h"
#include "tracer/fast/patch.h"
#include "tracer/fast/remote.h"

#define PATH_OFFSET (REGION_CODE_BYTES - 64) /* the path of the memfd, behind the stub */

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

/* ---- where our /proc entry cannot be opened: another user, another pid namespace ---- */

/* One page of the target's for what the calls read and write, in the place of the shared memory. */
#define PAGE_AT    (REGION_ADDR + REGION_CODE_BYTES)
#define HEADER_AT  (PAGE_AT + 256)
#define IOV_AT     (PAGE_AT + 512)
#define BYTE_AT    (PAGE_AT + 768)
#define CONTROL_AT (PAGE_AT + 1024)

/* A struct cmsghdr of 64 bit with its data, which must not follow one: it ends in a flexible array.
 */
struct rights {
	size_t len;
	int level, type;
	int fd;
};

static int64_t call(struct remote *r, long nr, uint64_t a, uint64_t b, uint64_t c, uint64_t d)
{
	const uint64_t args[6] = {a, b, c, d, (uint64_t)-1, 0};

	return remote_call(r, arch_stub_after() - ARCH_CALL_BYTES, nr, args);
}

/* Sends the memfd to the other end of the target's socket pair, whose one end we take. */
static int send_shared(const struct remote *r, int end)
{
	cleanup_close int pidfd = (int)syscall(SYS_pidfd_open, r->t->process->pid, 0);
	cleanup_close int mine = pidfd < 0 ? -1 : (int)syscall(SYS_pidfd_getfd, pidfd, end, 0);
	struct rights rights = {.len = CMSG_LEN(sizeof(int)),
		.level = SOL_SOCKET,
		.type = SCM_RIGHTS,
		.fd = r->s->fast.region.fd};
	struct iovec iov = {(char[]){0}, 1};
	struct msghdr msg = {.msg_iov = &iov,
		.msg_iovlen = 1,
		.msg_control = &rights,
		.msg_controllen = CMSG_LEN(sizeof(int))};

	return mine >= 0 && sendmsg(mine, &msg, 0) == 1 ? 0 : -1;
}

static int64_t receive_shared(struct remote *r, int end)
{
	struct iovec iov = {(void *)BYTE_AT, 1};
	struct msghdr msg = {.msg_iov = (void *)IOV_AT,
		.msg_iovlen = 1,
		.msg_control = (void *)CONTROL_AT,
		.msg_controllen = sizeof(struct rights)};
	struct rights got;

	if (remote_write(r->t, IOV_AT, &iov, sizeof(iov)) < 0 ||
		remote_write(r->t, HEADER_AT, &msg, sizeof(msg)) < 0 ||
		call(r, SYS_recvmsg, (uint64_t)end, HEADER_AT, MSG_CMSG_CLOEXEC | MSG_DONTWAIT,
			0) != 1 ||
		remote_read(r->t, CONTROL_AT, &got, sizeof(got)) < 0 ||
		got.len != CMSG_LEN(sizeof(int)))
		return -1;
	return got.fd;
}

static int64_t pass_shared(struct remote *r)
{
	int ends[2];
	int64_t fd = -1;

	if (call(r, SYS_mmap, PAGE_AT, 4096, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE) != (int64_t)PAGE_AT)
		return -1;
	if (call(r, SYS_socketpair, AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0, PAGE_AT) == 0 &&
		remote_read(r->t, PAGE_AT, ends, sizeof(ends)) == 0) {
		if (send_shared(r, ends[1]) == 0)
			fd = receive_shared(r, ends[0]);
		call(r, SYS_close, (uint64_t)ends[0], 0, 0, 0);
		call(r, SYS_close, (uint64_t)ends[1], 0, 0, 0);
	}
	call(r, SYS_munmap, PAGE_AT, 4096, 0, 0);
	return fd;
}

static const char *inject_all(struct remote *r)
{
	int64_t fd;

	if (map_stub(r) < 0)
		return "the stub could not be mapped";
	fd = open_shared(r);
	if (fd < 0)
		fd = pass_shared(r);
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

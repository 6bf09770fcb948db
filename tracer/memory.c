/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

/* A word at a time: only for targets that forbid process_vm_readv. */
static ssize_t peek(pid_t tid, uint64_t addr, void *buf, size_t len)
{
	size_t done = 0;

	while (done < len) {
		uint64_t word_addr = (addr + done) & ~7ULL;
		size_t skip = (size_t)((addr + done) & 7), n = 8 - skip;
		long word;

		errno = 0;
		word = ptrace(PTRACE_PEEKDATA, tid, (void *)word_addr, NULL);
		if (errno)
			return done ? (ssize_t)done : -errno;
		if (n > len - done)
			n = len - done;
		memcpy((char *)buf + done, (char *)&word + skip, n);
		done += n;
	}
	return (ssize_t)done;
}

static ssize_t memory_read(void *ctx, uint64_t addr, void *buf, size_t len)
{
	pid_t tid = *(pid_t *)ctx;
	struct iovec local = {buf, len}, remote = {(void *)addr, len};
	ssize_t n = process_vm_readv(tid, &local, 1, &remote, 1, 0);

	if (n >= 0)
		return n;
	if (errno == EPERM || errno == ENOSYS)
		return peek(tid, addr, buf, len);
	return -errno;
}

struct mem_reader memory_reader(pid_t *tid)
{
	return (struct mem_reader){.read = memory_read, .ctx = tid};
}

int memory_poke_u64(pid_t tid, uint64_t addr, uint64_t value)
{
	return ptrace(PTRACE_POKEDATA, tid, (void *)addr, (void *)value) < 0 ? -errno : 0;
}

int memory_write(pid_t tid, uint64_t addr, const void *p, size_t n)
{
	struct iovec local = {(void *)(uintptr_t)p, n}, remote = {(void *)addr, n};
	ssize_t done = process_vm_writev(tid, &local, 1, &remote, 1, 0);

	if (done < 0)
		return -errno;
	return (size_t)done == n ? 0 : -EFAULT;
}

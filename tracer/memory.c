/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/memory.h"

#include <errno.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/uio.h>

#include "tracer/filler.h"

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
	const struct memory *m = ctx;
	struct iovec local = {buf, len}, remote = {(void *)addr, len};
	ssize_t n;

	/* What only the tracing thread may read (PTRACE_PEEKDATA) would be read by that: it is not.
	 */
	if (m->filler)
		return filler_read(m->filler, m->tid, addr, buf, len);
	n = process_vm_readv(m->tid, &local, 1, &remote, 1, 0);
	if (n >= 0)
		return n;
	if (errno == EPERM || errno == ENOSYS)
		return peek(m->tid, addr, buf, len);
	return -errno;
}

struct mem_reader memory_reader(struct memory *m)
{
	return (struct mem_reader){.read = memory_read, .ctx = m};
}

int memory_poke_u64(const struct memory *m, uint64_t addr, uint64_t value)
{
	if (m->filler) {
		ssize_t n = filler_write(m->filler, m->tid, addr, &value, sizeof(value));

		return n == (ssize_t)sizeof(value) ? 0 : n < 0 ? (int)n : -EFAULT;
	}
	return ptrace(PTRACE_POKEDATA, m->tid, (void *)addr, (void *)value) < 0 ? -errno : 0;
}

int memory_write(pid_t tid, uint64_t addr, const void *p, size_t n)
{
	struct iovec local = {(void *)(uintptr_t)p, n}, remote = {(void *)addr, n};
	ssize_t done = process_vm_writev(tid, &local, 1, &remote, 1, 0);

	if (done < 0)
		return -errno;
	return (size_t)done == n ? 0 : -EFAULT;
}

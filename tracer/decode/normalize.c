/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/decode/decode.h"

#include <string.h>

#include "tracer/decode/read.h"

/*
 * i386 calls whose arguments differ from the 64-bit call's
 * (arch/x86/entry/syscalls/syscall_32.tbl). x32 takes them as x86-64 does.
 */
enum {
	I386_UMOUNT = 22,
	I386_OLD_SELECT = 82,
	I386_OLD_MMAP = 90,
	I386_SOCKETCALL = 102,
	I386_CLONE = 120,
	I386_LLSEEK = 140,
	I386_MMAP2 = 192,
	I386_PREADV = 333,
	I386_PWRITEV = 334,
	I386_PREADV2 = 378,
	I386_PWRITEV2 = 379,
};

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))
#define ARGS         6

/* Their 64-bit values come as two halves, the low one first. */
static const struct halves {
	uint32_t nr;
	uint8_t first, values; /* where the first value begins; how many follow each other */
} halves[] = {
	{180, 3, 1}, /* pread64 */
	{181, 3, 1}, /* pwrite64 */
	{193, 1, 1}, /* truncate64 */
	{194, 1, 1}, /* ftruncate64 */
	{225, 1, 1}, /* readahead */
	{250, 1, 1}, /* fadvise64 */
	{272, 1, 2}, /* fadvise64_64 */
	{314, 1, 2}, /* sync_file_range */
	{324, 2, 2}, /* fallocate */
};

static const struct halves *halves_of(uint32_t nr)
{
	for (size_t i = 0; i < ARRAY_LEN(halves); i++)
		if (halves[i].nr == nr)
			return &halves[i];
	return NULL;
}

static int join_halves(struct sys_event *ev)
{
	const struct halves *h = halves_of(ev->nr);
	uint64_t split[ARGS];
	size_t from;

	if (!h)
		return 0;
	memcpy(split, ev->args, sizeof(split));
	from = h->first;
	for (size_t i = from; i < ARGS; i++) {
		uint64_t low = from < ARGS ? split[from++] : 0, high = 0;

		if (i < (size_t)h->first + h->values && from < ARGS)
			high = split[from++];
		ev->args[i] = high << 32 | low;
	}
	return 1;
}

/* A 32-bit long comes without its sign. */
static void extend_longs(struct sys_event *ev)
{
	const char *letters = ev->def->args;

	for (size_t i = 0; i < ARGS && letters[i] && letters[i] != '>'; i++)
		if (letters[i] == 'l')
			ev->args[i] = (uint64_t)(int64_t)(int32_t)ev->args[i];
}

/* socketcall(2): the calls by their number, and how many arguments each has (net/socket.c). */
static const struct {
	const char *name;
	uint8_t args;
} socketcalls[] = {
	{NULL, 0},
	{"socket", 3},
	{"bind", 3},
	{"connect", 3},
	{"listen", 2},
	{"accept", 3},
	{"getsockname", 3},
	{"getpeername", 3},
	{"socketpair", 4},
	{"sendto", 4},   /* send */
	{"recvfrom", 4}, /* recv */
	{"sendto", 6},
	{"recvfrom", 6},
	{"shutdown", 2},
	{"setsockopt", 5},
	{"getsockopt", 5},
	{"sendmsg", 3},
	{"recvmsg", 3},
	{"accept4", 4},
	{"recvmmsg", 5},
	{"sendmmsg", 4},
};

/* Replaces the arguments by `count` words of memory; those that it does not have are 0. */
static int load_args(uint64_t args[ARGS], const struct mem_reader *mem, uint64_t addr, size_t count)
{
	uint32_t block[ARGS];

	if (read_exact(mem, addr, block, count * sizeof(*block)) < 0)
		return -1;
	for (size_t i = 0; i < ARGS; i++)
		args[i] = i < count ? block[i] : 0;
	return 0;
}

static void socketcall(struct sys_event *ev, const struct mem_reader *mem)
{
	uint32_t call = (uint32_t)ev->args[0];

	if (call && call < ARRAY_LEN(socketcalls) &&
		load_args(ev->args, mem, ev->args[1], socketcalls[call].args) == 0)
		ev->def = sys_by_name(socketcalls[call].name);
}

void decode_normalize(struct sys_event *ev, const struct mem_reader *mem)
{
	uint64_t *args = ev->args, swap;

	if (ev->abi != ABI_I386)
		return;
	switch (ev->nr) {
	case I386_UMOUNT: /* umount2 without flags */
		args[1] = 0;
		break;
	case I386_OLD_SELECT:
		load_args(args, mem, args[0], 5);
		break;
	case I386_OLD_MMAP:
		load_args(args, mem, args[0], 6);
		break;
	case I386_SOCKETCALL:
		socketcall(ev, mem);
		break;
	case I386_CLONE: /* tls before child_tid */
		swap = args[3];
		args[3] = args[4];
		args[4] = swap;
		break;
	case I386_LLSEEK: /* fd, high, low, result, whence */
		args[1] = args[1] << 32 | args[2];
		args[2] = args[4];
		break;
	case I386_MMAP2: /* pages of 4096 bytes */
		args[5] <<= 12;
		break;
	case I386_PREADV:
	case I386_PWRITEV:
	case I386_PREADV2:
	case I386_PWRITEV2:
		args[3] |= args[4] << 32;
		break;
	default:
		if (!join_halves(ev))
			extend_longs(ev);
	}
}

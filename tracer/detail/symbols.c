/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/detail/symbols.h"

#include <fcntl.h>
#include <linux/futex.h>
#include <signal.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

struct symbol {
	uint32_t value;
	const char *name;
};

#define S(name)                                                                                    \
	{                                                                                          \
		name, #name                                                                        \
	}

static const struct symbol prot_flags[] = {
	S(PROT_READ), S(PROT_WRITE), S(PROT_EXEC), S(PROT_GROWSDOWN), S(PROT_GROWSUP)};

static const struct symbol map_flags[] = {S(MAP_FIXED), S(MAP_ANONYMOUS), {0x40, "MAP_32BIT"},
	S(MAP_GROWSDOWN), S(MAP_DENYWRITE), {0x1000, "MAP_EXECUTABLE"}, S(MAP_LOCKED),
	S(MAP_NORESERVE), S(MAP_POPULATE), S(MAP_NONBLOCK), S(MAP_STACK), S(MAP_HUGETLB),
	S(MAP_SYNC), S(MAP_FIXED_NOREPLACE)};

static const struct symbol msg_flags[] = {S(MSG_OOB), S(MSG_PEEK), S(MSG_DONTROUTE), S(MSG_CTRUNC),
	{0x10, "MSG_PROBE"}, S(MSG_TRUNC), S(MSG_DONTWAIT), S(MSG_EOR), S(MSG_WAITALL), S(MSG_FIN),
	S(MSG_SYN), S(MSG_CONFIRM), S(MSG_RST), S(MSG_ERRQUEUE), S(MSG_NOSIGNAL), S(MSG_MORE),
	S(MSG_WAITFORONE), {0x40000, "MSG_BATCH"}, S(MSG_ZEROCOPY), S(MSG_FASTOPEN),
	S(MSG_CMSG_CLOEXEC)};

/* Flags of two bits (O_SYNC, O_TMPFILE) stand before those of one that they contain. */
static const struct symbol open_flags[] = {S(O_CREAT), S(O_EXCL), S(O_NOCTTY), S(O_TRUNC),
	S(O_APPEND), S(O_NONBLOCK), {04010000, "O_SYNC"}, {010000, "O_DSYNC"}, S(O_DIRECT),
	{0100000, "O_LARGEFILE"}, S(O_NOFOLLOW), S(O_NOATIME), S(O_CLOEXEC), S(O_PATH),
	{020200000, "O_TMPFILE"}, {0200000, "O_DIRECTORY"}};

static const struct symbol socket_flags[] = {S(SOCK_CLOEXEC), S(SOCK_NONBLOCK)};

static const struct symbol mremap_flags[] = {
	S(MREMAP_MAYMOVE), S(MREMAP_FIXED), {4, "MREMAP_DONTUNMAP"}};

static const struct symbol splice_flags[] = {
	S(SPLICE_F_MOVE), S(SPLICE_F_NONBLOCK), S(SPLICE_F_MORE), S(SPLICE_F_GIFT)};

static const struct symbol uring_enter_flags[] = {{1, "IORING_ENTER_GETEVENTS"},
	{2, "IORING_ENTER_SQ_WAKEUP"}, {4, "IORING_ENTER_SQ_WAIT"}, {8, "IORING_ENTER_EXT_ARG"},
	{16, "IORING_ENTER_REGISTERED_RING"}, {32, "IORING_ENTER_ABS_TIMER"},
	{64, "IORING_ENTER_EXT_ARG_REG"}, {128, "IORING_ENTER_NO_IOWAIT"}};

static const struct symbol map_types[] = {
	S(MAP_SHARED), S(MAP_PRIVATE), {MAP_SHARED_VALIDATE, "MAP_SHARED_VALIDATE"}};

static const struct symbol access_modes[] = {S(O_RDONLY), S(O_WRONLY), S(O_RDWR), S(O_ACCMODE)};

static const struct symbol families[] = {S(AF_UNSPEC), S(AF_UNIX), S(AF_INET), S(AF_INET6),
	S(AF_NETLINK), S(AF_PACKET), S(AF_ALG), S(AF_VSOCK), S(AF_BLUETOOTH), S(AF_CAN), S(AF_TIPC),
	{44, "AF_XDP"}};

static const struct symbol socket_types[] = {
	S(SOCK_STREAM), S(SOCK_DGRAM), S(SOCK_RAW), S(SOCK_RDM), S(SOCK_SEQPACKET), S(SOCK_PACKET)};

static const struct symbol levels[] = {{0, "SOL_IP"}, S(SOL_SOCKET), {6, "SOL_TCP"},
	{17, "SOL_UDP"}, {41, "SOL_IPV6"}, {255, "SOL_RAW"}, {263, "SOL_PACKET"},
	{270, "SOL_NETLINK"}};

static const struct symbol whences[] = {
	S(SEEK_SET), S(SEEK_CUR), S(SEEK_END), S(SEEK_DATA), S(SEEK_HOLE)};

static const struct symbol advices[] = {S(MADV_NORMAL), S(MADV_RANDOM), S(MADV_SEQUENTIAL),
	S(MADV_WILLNEED), S(MADV_DONTNEED), S(MADV_FREE), S(MADV_REMOVE), S(MADV_DONTFORK),
	S(MADV_DOFORK), S(MADV_MERGEABLE), S(MADV_UNMERGEABLE), S(MADV_HUGEPAGE),
	S(MADV_NOHUGEPAGE), S(MADV_DONTDUMP), S(MADV_DODUMP), S(MADV_WIPEONFORK),
	S(MADV_KEEPONFORK), S(MADV_COLD), S(MADV_PAGEOUT), S(MADV_POPULATE_READ),
	S(MADV_POPULATE_WRITE), {24, "MADV_DONTNEED_LOCKED"}, {25, "MADV_COLLAPSE"}};

static const struct symbol epoll_ops[] = {S(EPOLL_CTL_ADD), S(EPOLL_CTL_DEL), S(EPOLL_CTL_MOD)};

static const struct symbol futex_ops[] = {S(FUTEX_WAIT), S(FUTEX_WAKE), S(FUTEX_FD),
	S(FUTEX_REQUEUE), S(FUTEX_CMP_REQUEUE), S(FUTEX_WAKE_OP), S(FUTEX_LOCK_PI),
	S(FUTEX_UNLOCK_PI), S(FUTEX_TRYLOCK_PI), S(FUTEX_WAIT_BITSET), S(FUTEX_WAKE_BITSET),
	S(FUTEX_WAIT_REQUEUE_PI), S(FUTEX_CMP_REQUEUE_PI), {13, "FUTEX_LOCK_PI2"}};

static const struct symbol fcntl_commands[] = {S(F_DUPFD), S(F_GETFD), S(F_SETFD), S(F_GETFL),
	S(F_SETFL), {5, "F_GETLK"}, {6, "F_SETLK"}, {7, "F_SETLKW"}, S(F_SETOWN), S(F_GETOWN),
	S(F_SETSIG), S(F_GETSIG), {15, "F_SETOWN_EX"}, {16, "F_GETOWN_EX"}, S(F_OFD_GETLK),
	S(F_OFD_SETLK), S(F_OFD_SETLKW), S(F_SETLEASE), S(F_GETLEASE), S(F_NOTIFY),
	S(F_DUPFD_CLOEXEC), S(F_SETPIPE_SZ), S(F_GETPIPE_SZ), S(F_ADD_SEALS), S(F_GET_SEALS)};

#undef S

static const char *symbol_of(const struct symbol *table, size_t len, uint32_t value)
{
	for (size_t i = 0; i < len; i++)
		if (table[i].value == value)
			return table[i].name;
	return NULL;
}

static void out_symbol(struct out *o, const struct symbol *table, size_t len, uint32_t value)
{
	const char *name = symbol_of(table, len, value);

	if (name)
		out_str(o, name);
	else
		out_hex(o, value);
}

/* "A|B|0x40"; what stands before (a type, say) is joined by the first "|". */
static void out_more_flags(struct out *o, const struct symbol *table, size_t len, uint32_t value)
{
	for (size_t i = 0; i < len && value; i++) {
		if ((value & table[i].value) != table[i].value)
			continue;
		value &= ~table[i].value;
		out_char(o, '|');
		out_str(o, table[i].name);
	}
	if (value) {
		out_char(o, '|');
		out_hex(o, value);
	}
}

/* Flags of which none is "0", or `none`. */
static void out_flags(
	struct out *o, const struct symbol *table, size_t len, uint32_t value, const char *none)
{
	size_t first = 0;

	while (first < len && (value & table[first].value) != table[first].value)
		first++;
	if (!value) {
		out_str(o, none);
	} else if (first == len) {
		out_hex(o, value);
	} else {
		out_str(o, table[first].name);
		out_more_flags(o, table, len, value & ~table[first].value);
	}
}

#define SYMBOL(o, table, value)      out_symbol(o, table, ARRAY_LEN(table), value)
#define FLAGS(o, table, value, none) out_flags(o, table, ARRAY_LEN(table), value, none)
#define MORE(o, table, value)        out_more_flags(o, table, ARRAY_LEN(table), value)

/* The kernel's first real-time signal; the C library keeps a few for itself. */
#define SIGNALS_RT 32

static void out_signal(struct out *o, int32_t nr)
{
	const char *name = nr > 0 && nr < SIGNALS_RT ? sigabbrev_np(nr) : NULL;

	if (name) {
		out_str(o, "SIG");
		out_str(o, name);
	} else if (nr == SIGNALS_RT) {
		out_str(o, "SIGRTMIN");
	} else if (nr > SIGNALS_RT && nr < NSIG) {
		out_str(o, "SIGRT_");
		out_i64(o, nr - SIGNALS_RT);
	} else {
		out_i64(o, nr);
	}
}

static void out_futex_op(struct out *o, uint32_t op)
{
	uint32_t plain = op & ~(uint32_t)(FUTEX_PRIVATE_FLAG | FUTEX_CLOCK_REALTIME);

	SYMBOL(o, futex_ops, plain);
	if (op & FUTEX_PRIVATE_FLAG)
		out_str(o, "_PRIVATE");
	if (op & FUTEX_CLOCK_REALTIME)
		out_str(o, "|FUTEX_CLOCK_REALTIME");
}

static void out_directory(struct out *o, int32_t fd)
{
	if (fd == AT_FDCWD)
		out_str(o, "AT_FDCWD");
	else
		out_i64(o, fd);
}

int symbols_argument(struct out *o, char letter, uint32_t v)
{
	switch (letter) {
	case 'A':
		SYMBOL(o, families, v);
		return 1;
	case 'C':
		SYMBOL(o, fcntl_commands, v);
		return 1;
	case 'D':
		SYMBOL(o, advices, v);
		return 1;
	case 'E':
		SYMBOL(o, epoll_ops, v);
		return 1;
	case 'F':
		out_futex_op(o, v);
		return 1;
	case 'f':
		out_directory(o, (int32_t)v);
		return 1;
	case 'G':
		SYMBOL(o, map_types, v & MAP_TYPE);
		MORE(o, map_flags, v & ~(uint32_t)MAP_TYPE);
		return 1;
	case 'I':
		FLAGS(o, splice_flags, v, "0");
		return 1;
	case 'K':
		out_signal(o, (int32_t)v);
		return 1;
	case 'L':
		SYMBOL(o, levels, v);
		return 1;
	case 'O':
		SYMBOL(o, access_modes, v & O_ACCMODE);
		MORE(o, open_flags, v & ~(uint32_t)O_ACCMODE);
		return 1;
	case 'P':
		FLAGS(o, prot_flags, v, "PROT_NONE");
		return 1;
	case 'S':
		FLAGS(o, msg_flags, v, "0");
		return 1;
	case 'T':
		SYMBOL(o, socket_types, v & 0xf);
		MORE(o, socket_flags, v & ~0xfU);
		return 1;
	case 'U':
		FLAGS(o, uring_enter_flags, v, "0");
		return 1;
	case 'W':
		SYMBOL(o, whences, v);
		return 1;
	case 'Y':
		FLAGS(o, mremap_flags, v, "0");
		return 1;
	default:
		return 0;
	}
}

/* SPDX-License-Identifier: GPL-3.0-only */
/* What an fd of a tracee is: /proc's link, for sockets protocol and both addresses. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <linux/vm_sockets.h> /* after sys/socket.h */
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "tracer/event.h"
#include "tracer/fd/files.h"

/* A pidfd of one thread (Linux 6.9) reaches files tables that are not the leader's. */
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

int fd_steal(pid_t pid, pid_t tid, uint32_t fd)
{
	cleanup_close int pidfd = -1;

	if (tid != pid)
		pidfd = (int)syscall(SYS_pidfd_open, tid, PIDFD_THREAD);
	if (pidfd < 0)
		pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0)
		return -1;
	return (int)syscall(SYS_pidfd_getfd, pidfd, fd, 0);
}

static const char *ip_name(int type, int protocol)
{
	if (!protocol)
		protocol = type == SOCK_STREAM ? IPPROTO_TCP : type == SOCK_DGRAM ? IPPROTO_UDP : 0;
	switch (protocol) {
	case IPPROTO_UDP:
		return "udp";
	case IPPROTO_TCP:
		return "tcp";
	case IPPROTO_ICMP:
	case IPPROTO_ICMPV6:
		return "icmp";
	case IPPROTO_SCTP:
		return "sctp";
	default:
		return "inet";
	}
}

char *fd_socket_name(int domain, int type, int protocol)
{
	static const struct {
		int domain;
		const char *name;
	} others[] = {{AF_NETLINK, "netlink"}, {AF_PACKET, "packet"}, {AF_VSOCK, "vsock"},
		{AF_XDP, "xdp"}, {AF_ALG, "alg"}, {AF_CAN, "can"}, {AF_BLUETOOTH, "bluetooth"},
		{AF_KEY, "key"}, {AF_QIPCRTR, "qipcrtr"}, {AF_TIPC, "tipc"}};

	type &= ~(SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (domain == AF_INET || domain == AF_INET6)
		return type == SOCK_RAW && protocol && strcmp(ip_name(type, protocol), "inet") != 0
			       ? mem_printf("raw %s", ip_name(type, protocol))
			       : mem_strdup(type == SOCK_RAW ? "raw" : ip_name(type, protocol));
	if (domain == AF_UNIX)
		return mem_strdup(type == SOCK_STREAM      ? "unix stream"
				  : type == SOCK_SEQPACKET ? "unix seqpacket"
							   : "unix dgram"); /* or raw */
	for (size_t i = 0; i < sizeof(others) / sizeof(*others); i++)
		if (others[i].domain == domain)
			return mem_strdup(others[i].name);
	return mem_strdup("socket");
}

static char *unix_address(const struct sockaddr_un *un, socklen_t len)
{
	size_t n = len > offsetof(struct sockaddr_un, sun_path)
			   ? len - offsetof(struct sockaddr_un, sun_path)
			   : 0;

	if (!n)
		return NULL;
	if (un->sun_path[0] == '\0') { /* abstract: not NUL-terminated */
		cleanup_free char *name = mem_strndup(un->sun_path + 1, n - 1);

		return mem_printf("@%s", name);
	}
	return mem_strndup(un->sun_path, n);
}

static char *vsock_address(const struct sockaddr_vm *vm)
{
	return vm->svm_cid == VMADDR_CID_ANY ? mem_printf("*:%u", vm->svm_port)
					     : mem_printf("%u:%u", vm->svm_cid, vm->svm_port);
}

char *fd_address_text(const struct sockaddr_storage *ss, socklen_t len)
{
	char host[INET6_ADDRSTRLEN];

	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)ss;

		if (!in->sin_port && !in->sin_addr.s_addr)
			return NULL;
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		return in->sin_port ? mem_printf("%s:%u", host, ntohs(in->sin_port))
				    : mem_strdup(host);
	}
	if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

		if (!in6->sin6_port && IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
			return NULL;
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		return in6->sin6_port ? mem_printf("[%s]:%u", host, ntohs(in6->sin6_port))
				      : mem_strdup(host);
	}
	if (ss->ss_family == AF_UNIX)
		return unix_address((const struct sockaddr_un *)ss, len);
	if (ss->ss_family == AF_VSOCK) {
		const struct sockaddr_vm *vm = (const struct sockaddr_vm *)ss;

		return vm->svm_port == VMADDR_PORT_ANY ? NULL : vsock_address(vm);
	}
	return NULL;
}

char *fd_socket_text(const char *name, const char *local, const char *peer)
{
	return mem_printf("%s%s%s%s%s", name, local ? " " : "", local ? local : "",
		peer ? " -> " : "", peer ? peer : "");
}

static int option(int fd, int level, int name)
{
	int value = -1;
	socklen_t n = sizeof(value);

	return getsockopt(fd, level, name, &value, &n) < 0 ? -1 : value;
}

/* raw: it has no ports, the kernel gives the protocol in their place. */
static char *address_of(int fd, int raw, int (*get)(int, struct sockaddr *, socklen_t *))
{
	struct sockaddr_storage ss = {0};
	socklen_t n = sizeof(ss);

	if (get(fd, (struct sockaddr *)&ss, &n) < 0)
		return NULL;
	if (raw && ss.ss_family == AF_INET)
		((struct sockaddr_in *)&ss)->sin_port = 0;
	if (raw && ss.ss_family == AF_INET6)
		((struct sockaddr_in6 *)&ss)->sin6_port = 0;
	return fd_address_text(&ss, n < sizeof(ss) ? n : sizeof(ss));
}

enum { LEVEL_UDP = 17, OPTION_UDP_SEGMENT = 103, OPTION_UDP_GRO = 104 };

static void look_at_socket(int fd, struct fd_look *look)
{
	int domain = option(fd, SOL_SOCKET, SO_DOMAIN), type, size;
	cleanup_free char *name = NULL, *local = NULL, *peer = NULL;

	if (domain < 0)
		return; /* the link is all there is to say */
	type = option(fd, SOL_SOCKET, SO_TYPE);
	name = fd_socket_name(domain, type, option(fd, SOL_SOCKET, SO_PROTOCOL));
	local = address_of(fd, type == SOCK_RAW, getsockname);
	peer = address_of(fd, type == SOCK_RAW, getpeername);
	free(look->target);
	look->target = fd_socket_text(name, local, peer);
	if (strcmp(name, "udp") != 0)
		return;
	size = option(fd, LEVEL_UDP, OPTION_UDP_SEGMENT);
	look->gso_size = size > 0 ? (uint32_t)size : 0;
	look->gro = option(fd, LEVEL_UDP, OPTION_UDP_GRO) > 0;
}

#define SOCKET_LINK "socket:["
#define PIPE_LINK   "pipe:["

/* Before Linux 6.9 a pidfd reaches the leader's table only, and a number can be closed and reused
 * between two looks: it must be the socket that the link named. */
static int is_socket(int fd, uint64_t inode)
{
	struct stat st;

	return fstat(fd, &st) == 0 && (uint64_t)st.st_ino == inode;
}

static uint8_t blocking_of(long flags)
{
	return flags < 0 ? BLOCKING_UNKNOWN : flags & O_NONBLOCK ? BLOCKING_NO : BLOCKING_YES;
}

uint8_t file_takes_by(long flags, int is_pipe)
{
	if (flags < 0)
		return 0;
	if (is_pipe)
		return flags & O_DIRECT ? TAKES_MESSAGES : 0;
	return flags & (O_SYNC | O_DSYNC) ? TAKES_SYNCED : 0;
}

/* Of one that cannot be copied, as pipes are not: its line "flags:" is octal. Negative: not known.
 */
static long flags_said(pid_t tid, uint32_t fd)
{
	char path[64], text[256];
	cleanup_close int info = -1;
	const char *flags;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo/%u", tid, fd);
	info = open(path, O_RDONLY | O_CLOEXEC);
	n = info < 0 ? -1 : read(info, text, sizeof(text) - 1);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	flags = strstr(text, "flags:");
	return flags ? strtol(flags + strlen("flags:"), NULL, 8) : -1;
}

const char *fd_type(int fd, const char *path)
{
	static const char *const names[] = {[S_IFREG >> 12] = "regular",
		[S_IFDIR >> 12] = "directory",
		[S_IFIFO >> 12] = "fifo",
		[S_IFCHR >> 12] = "character device",
		[S_IFBLK >> 12] = "block device",
		[S_IFSOCK >> 12] = "socket",
		[S_IFLNK >> 12] = "symbolic link"};
	struct statx st;

	if (statx(fd, path, AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &st) < 0 ||
		!(st.stx_mask & STATX_TYPE) || st.stx_mode >> 12 >= sizeof(names) / sizeof(*names))
		return NULL;
	return names[st.stx_mode >> 12];
}

int fd_look(pid_t pid, pid_t tid, uint32_t fd, struct fd_look *ret)
{
	char path[64], link[PATH_MAX + 1];
	cleanup_close int copy = -1;
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%u", tid, fd);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return -EBADF;
	link[n] = '\0';
	*ret = (struct fd_look){.target = mem_strdup(link)};
	if (*link == '/') {
		ret->flagged = file_takes_by(flags_said(tid, fd), 0);
		ret->type = fd_type(AT_FDCWD, path);
	} else if (strncmp(link, PIPE_LINK, strlen(PIPE_LINK)) == 0) {
		long flags = flags_said(tid, fd);

		ret->blocking = blocking_of(flags);
		ret->flagged = file_takes_by(flags, 1);
	}
	if (strncmp(link, SOCKET_LINK, strlen(SOCKET_LINK)) != 0)
		return 0;
	ret->socket = strtoull(link + strlen(SOCKET_LINK), NULL, 10);
	copy = fd_steal(pid, tid, fd);
	if (copy < 0 || !is_socket(copy, ret->socket))
		return 0;
	ret->blocking = blocking_of(fcntl(copy, F_GETFL));
	look_at_socket(copy, ret);
	return 0;
}

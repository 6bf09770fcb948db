/* SPDX-License-Identifier: GPL-3.0-only */
/* What an fd of a tracee is: /proc's link, for sockets protocol and both addresses. */
#include <arpa/inet.h>
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
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "tracer/files.h"

/* A pidfd of one thread (Linux 6.9) reaches files tables that are not the leader's. */
#ifndef PIDFD_THREAD
#define PIDFD_THREAD O_EXCL
#endif

static int steal_fd(pid_t pid, pid_t tid, uint32_t fd)
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

static const char *protocol_name(int domain, int type, int protocol)
{
	if (domain == AF_INET || domain == AF_INET6) {
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
			return type == SOCK_RAW ? "raw" : "inet";
		}
	}
	if (domain == AF_UNIX)
		return type == SOCK_STREAM  ? "unix stream"
		       : type == SOCK_DGRAM ? "unix dgram"
					    : "unix seqpacket";
	if (domain == AF_NETLINK)
		return "netlink";
	if (domain == AF_PACKET)
		return "packet";
	if (domain == AF_VSOCK)
		return "vsock";
	if (domain == AF_XDP)
		return "xdp";
	return "socket";
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

/* NULL where there is nothing to say (unbound, not connected). */
static char *address_text(const struct sockaddr_storage *ss, socklen_t len)
{
	char host[INET6_ADDRSTRLEN];

	if (ss->ss_family == AF_INET) {
		const struct sockaddr_in *in = (const struct sockaddr_in *)ss;

		if (!in->sin_port && !in->sin_addr.s_addr)
			return NULL;
		inet_ntop(AF_INET, &in->sin_addr, host, sizeof(host));
		return mem_printf("%s:%u", host, ntohs(in->sin_port));
	}
	if (ss->ss_family == AF_INET6) {
		const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)ss;

		if (!in6->sin6_port && IN6_IS_ADDR_UNSPECIFIED(&in6->sin6_addr))
			return NULL;
		inet_ntop(AF_INET6, &in6->sin6_addr, host, sizeof(host));
		return mem_printf("[%s]:%u", host, ntohs(in6->sin6_port));
	}
	if (ss->ss_family == AF_UNIX)
		return unix_address((const struct sockaddr_un *)ss, len);
	return NULL;
}

static char *socket_text(int fd, const char *link)
{
	int domain = -1, type = -1, protocol = -1;
	socklen_t n = sizeof(int);
	struct sockaddr_storage ss = {0};
	cleanup_free char *local = NULL, *peer = NULL;

	if (getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &n) < 0)
		return mem_strdup(link);
	getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &n);
	getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &n);
	n = sizeof(ss);
	if (getsockname(fd, (struct sockaddr *)&ss, &n) == 0)
		local = address_text(&ss, n < sizeof(ss) ? n : sizeof(ss));
	n = sizeof(ss);
	if (getpeername(fd, (struct sockaddr *)&ss, &n) == 0)
		peer = address_text(&ss, n < sizeof(ss) ? n : sizeof(ss));
	return mem_printf("%s%s%s%s%s", protocol_name(domain, type, protocol), local ? " " : "",
		local ? local : "", peer ? " -> " : "", peer ? peer : "");
}

/* Before Linux 6.9 a pidfd reaches the leader's table only, and a number can be closed and reused
 * between two looks: link is "socket:[INODE]". */
static int is_socket_of(int fd, const char *link)
{
	struct stat st;

	return fstat(fd, &st) == 0 &&
	       strtoull(link + strlen("socket:["), NULL, 10) == (unsigned long long)st.st_ino;
}

char *fd_describe(pid_t pid, pid_t tid, uint32_t fd)
{
	char path[64], link[PATH_MAX + 1];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/fd/%u", tid, fd);
	n = readlink(path, link, sizeof(link) - 1);
	if (n < 0)
		return NULL;
	link[n] = '\0';
	if (strncmp(link, "socket:", 7) == 0) {
		cleanup_close int copy = steal_fd(pid, tid, fd);

		if (copy >= 0 && is_socket_of(copy, link))
			return socket_text(copy, link);
	}
	return mem_strdup(link);
}

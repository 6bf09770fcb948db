/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_READY_H
#define RUNNER_READY_H

#include <stdint.h>
#include <sys/types.h>

#include "common/base/err.h"

/*
 * When a server can take load: --ready udp:PORT, tcp:PORT, or a shell command that ends with 0.
 */
enum ready_kind { READY_UDP, READY_TCP, READY_COMMAND };

struct ready {
	enum ready_kind kind;
	uint16_t port;
	const char *command; /* within the parsed text */
};

/* -EINVAL: "udp:" or "tcp:" without a port of 1 to 65535, or nothing at all. */
int ready_parse(const char *spec, struct ready *ret, struct err *err);

/* Inodes of the sockets bound to port (TCP: listening) in the text of
 * /proc/net/{udp,udp6,tcp,tcp6}. Returns how many there are; at most max are stored. */
size_t ready_sockets(const char *text, const struct ready *r, uint64_t *inodes, size_t max);

enum ready_answer {
	READY_NO,
	READY_YES,
	READY_FOREIGN, /* the port is taken, by a process that does not come from root */
};
/*
 * Looks for the port in the network namespaces of root and the processes that come from it. The
 * socket must be held by one of them; where their descriptors may not be read, that it is there is
 * enough.
 */
enum ready_answer ready_port(const struct ready *r, pid_t root);

#endif

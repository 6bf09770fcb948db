/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/ready.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"
#include "common/base/units.h"
#include "common/runner/process.h"
#include "common/runner/tree.h"

enum { SOCKETS_MAX = 64, STATE_LISTEN = 0x0a };

/* "tpc:7777" and "localhost:80" name no command: that would be tried until the time is over. */
static int check_command(const char *spec, struct err *err)
{
	size_t word = strspn(spec, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
				   "0123456789.[]-");
	const char *port = spec + word + 1;

	if (!spec[strspn(spec, " \t")])
		return err_set(
			err, -EINVAL, "ready needs udp:PORT, tcp:PORT or a command, not nothing");
	if (!spec[strspn(spec, "0123456789")])
		return err_set(err, -EINVAL,
			"ready '%.100s' is no command; a port is udp:%.100s or tcp:%.100s", spec,
			spec, spec);
	if (spec[word] != ':' || !*port || port[strspn(port, "0123456789")])
		return 0;
	cleanup_free char *scheme = mem_strndup(spec, word);
	struct nearest n = nearest_to(scheme, 2);

	nearest_try(&n, "udp");
	nearest_try(&n, "tcp");
	cleanup_free char *meant = n.name ? mem_printf("%s:%s", n.name, port) : NULL;

	n.name = meant;
	cleanup_free char *hint = nearest_hint(&n);

	return err_set(err, -EINVAL,
		"ready '%.100s' is neither udp:PORT nor tcp:PORT nor a command%s", spec, hint);
}

int ready_parse(const char *spec, struct ready *ret, struct err *err)
{
	struct ready r = {.kind = READY_COMMAND, .command = spec};
	uint64_t port;
	int rc;

	if (!strncmp(spec, "udp:", 4))
		r.kind = READY_UDP;
	else if (!strncmp(spec, "tcp:", 4))
		r.kind = READY_TCP;
	if (r.kind == READY_COMMAND) {
		rc = check_command(spec, err);
		if (rc < 0)
			return rc;
	} else {
		if (units_parse_u64(spec + 4, 1, 65535, &port, err) < 0)
			return err_wrap(err, "ready '%s'", spec);
		r.port = (uint16_t)port;
	}
	*ret = r;
	return 0;
}

/*
 * One line of the table: "sl: local:PORT remote:PORT ST tx:rx tr:when retrnsmt uid timeout INODE
 * ..". -1: it is no such line.
 */
static int parse_line(const char *line, unsigned long *port, unsigned long *state, uint64_t *inode)
{
	enum { FIELD_LOCAL = 1, FIELD_STATE = 3, FIELD_INODE = 9 };
	const char *p = line + strspn(line, " ");

	for (int field = 0; *p && *p != '\n'; field++) {
		size_t len = strcspn(p, " \n");
		const char *colon = memchr(p, ':', len);

		if (field == FIELD_LOCAL && !colon)
			return -1;
		if (field == FIELD_LOCAL)
			*port = strtoul(colon + 1, NULL, 16);
		if (field == FIELD_STATE)
			*state = strtoul(p, NULL, 16);
		if (field == FIELD_INODE) {
			*inode = strtoull(p, NULL, 10);
			return *inode ? 0 : -1;
		}
		p += len;
		p += strspn(p, " ");
	}
	return -1;
}

size_t ready_sockets(const char *text, const struct ready *r, uint64_t *inodes, size_t max)
{
	size_t found = 0;

	for (const char *line = text; line; line = strchr(line, '\n')) {
		unsigned long port = 0, state = 0;
		uint64_t inode;

		line += *line == '\n';
		if (parse_line(line, &port, &state, &inode) < 0 || port != r->port)
			continue;
		if (r->kind == READY_TCP && state != STATE_LISTEN)
			continue;
		if (found < max)
			inodes[found] = inode;
		found++;
	}
	return found < max ? found : max;
}

static size_t sockets_of(const struct ready *r, pid_t pid, uint64_t *inodes)
{
	const char *protocol = r->kind == READY_UDP ? "udp" : "tcp";
	size_t found = 0;

	for (int six = 0; six <= 1; six++) {
		cleanup_free char *file = mem_printf("net/%s%s", protocol, six ? "6" : "");
		cleanup_free char *text = process_text(pid, file, NULL);

		if (text)
			found += ready_sockets(text, r, inodes + found, SOCKETS_MAX - found);
	}
	return found;
}

/* 1: pid holds one of the sockets, 0: it does not, -1: that may not be read. */
static int holds_socket(pid_t pid, const uint64_t *inodes, size_t len)
{
	char path[64], link[64];
	struct dirent *entry;
	int held = 0;

	snprintf(path, sizeof(path), "/proc/%d/fd", (int)pid);
	DIR *d = opendir(path);
	if (!d)
		return errno == EACCES || errno == EPERM ? -1 : 0;
	while (!held && (entry = readdir(d))) {
		ssize_t n = readlinkat(dirfd(d), entry->d_name, link, sizeof(link) - 1);

		if (n < 0 || strncmp(link, "socket:[", 8) != 0)
			continue;
		link[n] = '\0';
		uint64_t inode = strtoull(link + 8, NULL, 10);
		for (size_t i = 0; i < len && !held; i++)
			held = inodes[i] == inode;
	}
	closedir(d);
	return held;
}

enum ready_answer ready_port(const struct ready *r, pid_t root)
{
	uint64_t inodes[SOCKETS_MAX];
	enum ready_answer answer = READY_NO;
	struct tree tree = {0};

	tree_find(&tree, root);
	/* A tool may become the target, as valgrind does. */
	*VEC_PUSH(&tree) = root;
	for (size_t i = 0; i < tree.len && answer != READY_YES; i++) {
		size_t found = sockets_of(r, tree.at[i], inodes);

		if (found == 0)
			continue;
		answer = READY_FOREIGN;
		for (size_t k = 0; k < tree.len && answer != READY_YES; k++)
			if (holds_socket(tree.at[k], inodes, found) != 0)
				answer = READY_YES;
	}
	tree_release(&tree);
	return answer;
}

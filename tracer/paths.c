/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/paths.h"

#include <limits.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"

#define DELETED " (deleted)" /* what proc(5) adds to the path of a file without a name */
#define FDS_MAX 4096U        /* of a poll or select that are looked at */

/* Arguments as bits: the first one is 1. */
enum { ARG_1 = 1, ARG_2 = 2, ARG_3 = 4 };

/* Where the letters of syscalls.def do not say it. */
static const struct {
	const char *name;
	unsigned int fds, paths; /* beside those */
	int alone;               /* and no others */
} special[] = {
	{"link", 0, ARG_1 | ARG_2, 0},
	{"rename", 0, ARG_1 | ARG_2, 0},
	{"symlink", 0, ARG_2, 1}, /* the first one is a text that is kept */
	{"pivot_root", 0, ARG_1 | ARG_2, 0},
	{"mount", 0, ARG_1 | ARG_2, 0},
	{"quotactl", 0, ARG_2, 1},
	{"getcwd", 0, 0, 1},
	{"fsconfig", ARG_1, 0, 1},
	{"open_by_handle_at", ARG_1, 0, 1},
	{"inotify_add_watch", 0, ARG_2, 0},
	{"dup2", ARG_2, 0, 0},
	{"dup3", ARG_2, 0, 0},
	{"sendfile", ARG_2, 0, 0},
	{"tee", ARG_2, 0, 0},
	{"kexec_file_load", ARG_1 | ARG_2, 0, 0},
	{"splice", ARG_3, 0, 0},
	{"copy_file_range", ARG_3, 0, 0},
	{"epoll_ctl", ARG_3, 0, 0},
};

void paths_add(struct paths *p, const char *path)
{
	char *real = realpath(path, NULL);

	*VEC_PUSH(p) = mem_strdup(path);
	if (real && strcmp(real, path) != 0)
		*VEC_PUSH(p) = mem_strdup(real);
	free(real);
}

void paths_release(struct paths *p)
{
	for (size_t i = 0; i < p->len; i++)
		free(p->at[i]);
	free(p->at);
	*p = (struct paths){0};
}

/* A call that is asked about. */
struct asked {
	const struct paths *paths;
	pid_t tid;
	const struct sys_event *ev;
	const struct mem_reader *mem;
};

static int is_one(const struct paths *p, const char *path)
{
	for (size_t i = 0; i < p->len; i++)
		if (!strcmp(p->at[i], path))
			return 1;
	return 0;
}

static int fd_matches(const struct asked *a, int fd)
{
	char link[64], path[PATH_MAX + 1];
	ssize_t len;

	if (fd < 0)
		return 0;
	snprintf(link, sizeof(link), "/proc/%d/fd/%d", (int)a->tid, fd);
	len = readlink(link, path, sizeof(path) - 1);
	if (len < 0)
		return 0;
	path[len] = '\0';
	if (is_one(a->paths, path))
		return 1;
	if ((size_t)len > strlen(DELETED) && !strcmp(path + len - strlen(DELETED), DELETED))
		path[(size_t)len - strlen(DELETED)] = '\0';
	return is_one(a->paths, path);
}

static int path_matches(const struct asked *a, uint64_t addr)
{
	char path[PATH_MAX + 1];
	ssize_t len = a->mem->read(a->mem->ctx, addr, path, sizeof(path) - 1);

	if (len <= 0)
		return 0;
	path[len] = '\0';
	return is_one(a->paths, path);
}

/* ---- calls on many descriptors ---- */

static int poll_matches(const struct asked *a)
{
	uint64_t n = a->ev->args[1];
	cleanup_free struct pollfd *fds = NULL;
	ssize_t got;

	if (n > FDS_MAX)
		n = FDS_MAX;
	fds = mem_calloc((size_t)n + 1, sizeof(*fds));
	got = a->mem->read(a->mem->ctx, a->ev->args[0], fds, (size_t)n * sizeof(*fds));
	for (size_t i = 0; got > 0 && i < (size_t)got / sizeof(*fds); i++)
		if (fd_matches(a, fds[i].fd))
			return 1;
	return 0;
}

static int select_matches(const struct asked *a)
{
	int64_t n = (int32_t)a->ev->args[0];

	if (n > (int64_t)FDS_MAX)
		n = FDS_MAX;
	for (int set = 1; set <= 3; set++) {
		uint8_t bits[FDS_MAX / 8] = {0};

		if (n <= 0 || !a->ev->args[set])
			continue;
		a->mem->read(a->mem->ctx, a->ev->args[set], bits, (size_t)(n + 7) / 8);
		for (int fd = 0; fd < n; fd++)
			if (bits[fd / 8] >> (fd % 8) & 1 && fd_matches(a, fd))
				return 1;
	}
	return 0;
}

/* ---- */

/* Which arguments are descriptors and paths. */
static void arguments(const struct sys_def *def, unsigned int *fds, unsigned int *paths)
{
	size_t letters = strcspn(def->args, ">");

	*fds = def->fd ? 1U << (def->fd - 1) : 0;
	*paths = 0;
	for (size_t i = 0; i < letters; i++)
		if (def->args[i] == 'f') { /* a path begins there */
			*fds |= 1U << i;
			*paths |= 2U << i;
		}
	if ((def->sets & SET_FILE) && !*fds)
		*paths = ARG_1;
	for (size_t i = 0; i < sizeof(special) / sizeof(special[0]); i++) {
		if (strcmp(special[i].name, def->name) != 0)
			continue;
		*fds = special[i].fds | (special[i].alone ? 0 : *fds);
		*paths = special[i].paths | (special[i].alone ? 0 : *paths);
	}
}

int paths_match(
	const struct paths *p, pid_t tid, const struct sys_event *ev, const struct mem_reader *mem)
{
	const struct asked a = {p, tid, ev, mem};
	const char *name = ev->def->name;
	unsigned int fds, paths;

	if (!strcmp(name, "poll") || !strcmp(name, "ppoll"))
		return poll_matches(&a);
	if (!strcmp(name, "select") || !strcmp(name, "pselect6"))
		return select_matches(&a);
	arguments(ev->def, &fds, &paths);
	for (int i = 0; i < 6; i++)
		if ((fds >> i & 1 && fd_matches(&a, (int32_t)ev->args[i])) ||
			(paths >> i & 1 && path_matches(&a, ev->args[i])))
			return 1;
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_FILES_H
#define TRACER_FILES_H

#include <stdint.h>
#include <sys/types.h>

#include "common/base/map.h"

/*
 * What an fd is: (files table, number, generation). A table belongs to the tasks that share it
 * (CLONE_FILES); fork copies it. The generation counts the files that calls were seen on at this
 * number: it advances when one of them is closed or replaced. A file that nobody used does not
 * count, as the recorder in the target does not see its end.
 *
 * A close that runs at the same time as a call on the same number in another thread is put on the
 * side of caution: files_close_begin() at its entry already starts a new generation, and
 * files_close_end() another one if that was used meanwhile. A row may be split so, two files are
 * never taken for one. A close that fails, and was not in such company, has changed nothing.
 */
struct fd_registry;
struct files;

/* Socket options that change how calls on an fd are measured. */
struct fd_options {
	uint32_t gso_size;
	uint8_t gro;
};

/* What the result says of an fd, and how calls on it are measured. */
struct fd_info {
	int32_t pid;
	uint32_t fd;
	uint32_t generation;
	struct fd_options options;
	char *target; /* NULL: unknown */
};

/* At most `max` identities get an id of their own (1..max); later ones share id max + 1. */
struct fd_registry *fd_registry_new(uint32_t max);
void fd_registry_free(struct fd_registry *r);
const struct fd_info *fd_registry_get(const struct fd_registry *r, uint32_t fd_id); /* or NULL */

struct files *files_new(struct fd_registry *r);
struct files *files_ref(struct files *f);
void files_unref(struct files *f); /* takes NULL */
/* A table of its own with the same fds, for fork and unshare. */
struct files *files_copy(struct files *f);

struct fd_state {
	uint32_t generation;
	uint32_t fd_id; /* 0: not seen in this generation */
	uint8_t seen;   /* it was, here or in the table that this is a copy of */
	struct fd_options options;
	uint32_t published; /* the entry that we put into the known map; 0: none */
	uint8_t closing;    /* calls under way that close it */
	uint8_t has_before;
	struct {
		uint32_t generation, fd_id;
		uint8_t seen;
		struct fd_options options;
	} before; /* has_before: what it was when the first of them began */
};

/*
 * The map of a table that the recorder in the target reads and clears: number -> fd id, 0 = not
 * known. A number is in it while its identity is known and calls on it need no look at its socket's
 * options (GSO); where they do, it is watched: its calls stop, and its end is seen.
 */
struct files_known {
	uint32_t *at;
	size_t len;
	void (*release)(void *ctx, uint32_t *at); /* when the table ends */
	void *ctx;
};
/* Gives the table its map, zeroed, and fills it. */
void files_publish(struct files *f, const struct files_known *known);
uint32_t *files_known_map(const struct files *f); /* NULL: none */

/* The options of the number's socket have changed. */
void files_set_options(struct files *f, uint32_t fd, const struct fd_options *options);
/* Those of a number now. */
struct fd_options files_options(struct files *f, uint32_t fd);

/* The state of a number as it is now; created on first use. The pointer holds until the table
 * changes. */
struct fd_state *files_get(struct files *f, uint32_t fd);
/* Gives the fd an id if it has none: reads /proc/TID/fd/N and the socket's addresses. Returns the
 * id, 0 if there is no such fd open (must_exist) */
uint32_t files_identify(struct files *f, pid_t pid, pid_t tid, uint32_t fd, int must_exist);
/* 1 if the number has been seen, so that its closing matters. */
int files_known(const struct files *f, uint32_t fd);
void files_close_begin(struct files *f, uint32_t fd);
void files_close_end(struct files *f, uint32_t fd, int closed);
/* close_range(first, last). */
void files_close_range(struct files *f, uint32_t first, uint32_t last);
/* The table after an execve: a new one without the fds that are no longer open (CLOEXEC). A table
 * that was not shared goes on with its ids. */
struct files *files_copy_exec(struct files *f, pid_t pid);

/* "udp 127.0.0.1:53 -> 127.0.0.1:4242", a path, "pipe:[123]"; heap memory or NULL. */
char *fd_describe(pid_t pid, pid_t tid, uint32_t fd);

#endif

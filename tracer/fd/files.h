/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_FD_FILES_H
#define TRACER_FD_FILES_H

#include <stdint.h>
#include <sys/types.h>

#include "common/base/map.h"

/*
 * What an fd is, in three things:
 *
 *	file    an open file, which dup, fork and SCM_RIGHTS share: its name, its socket options
 *	files   a files table: the tasks that share it (CLONE_FILES) see the same numbers
 *	life    of a number in a table, from the call that made it to the one that closed it
 *
 * Calls are known by when they were entered and when they had ended, and may be told of in another
 * order: a call on a number belongs to the life that the number had when the call was entered. In
 * the result a life is a row, (process, number, generation): generations are counted where some
 * traced call used them, over all tables of the process.
 */
struct fd_registry;
struct files;

#define FILES_EVER UINT64_MAX

struct file {
	unsigned int refs;
	char *target; /* "udp 127.0.0.1:53 -> 127.0.0.1:4242", a path, "pipe:[123]"; NULL: unknown
		       */
	enum file_name {
		FILE_UNNAMED,
		FILE_SAID, /* target is what the call that made it said */
		FILE_READ, /* target was read from the kernel */
	} name;
	uint8_t stale;    /* its addresses have changed since: to be read again */
	uint8_t blocking; /* enum blocking, as far as it is known */
	uint8_t flagged;  /* enum file_takes, by the flags that it was opened with */
	uint8_t takes;    /* enum file_takes, by these and its name */
	uint8_t gro;      /* socket options that change how its calls are measured */
	uint32_t gso_size;
	uint8_t shared;   /* several processes have received from it, or read on in it */
	int32_t reader;   /* the last of them; 0: none yet */
	uint64_t socket;  /* inode; 0: no socket, or not known to be one */
	const char *type; /* of what has a path: static text, "fifo"; NULL: not known */
};

struct life {
	struct file *file; /* never NULL */
	uint32_t fd_id;    /* in the registry; 0: not used by a traced call yet */
	uint32_t generation;
	uint8_t wanted;   /* its name is to be read: identity.c */
	uint8_t doubtful; /* what it is was looked at while its number was being closed */
	/* CLOCK_MONOTONIC: when the calls that made and closed it were entered and ended. What was
	 * there before us was born at 0; what is open dies at FILES_EVER. */
	uint64_t born_begin, born_end, died_begin, died_end;
};

/* What the result says of an fd. */
struct fd_info {
	int32_t pid;
	uint32_t fd;
	uint32_t generation;
	struct file *file;
};

/* At most `max` identities get an id of their own (1..max); later ones share id max + 1. */
struct fd_registry *fd_registry_new(uint32_t max);
void fd_registry_free(struct fd_registry *r);
const struct fd_info *fd_registry_get(const struct fd_registry *r, uint32_t fd_id); /* or NULL */

/* ---- files ---- */
struct file *file_new(void);
/* The one that is the socket with that inode, the same as long as any number refers to it: file, if
 * that is given and there is none yet. A reference. */
struct file *file_socket(struct fd_registry *r, uint64_t inode, struct file *file);
struct file *file_ref(struct file *f);
void file_unref(struct fd_registry *r, struct file *f);
/* target becomes the file's, heap or NULL; what is flagged is known. */
void file_set_name(struct file *f, char *target, enum file_name name);

/* ---- tables ---- */
struct files *files_new(struct fd_registry *r);
struct files *files_ref(struct files *f);
void files_unref(struct files *f); /* takes NULL */
/* A table of its own with the same fds, for fork and unshare. */
struct files *files_copy(const struct files *f);
/* The table after an execve of pid: a new one without the fds that are no longer open (CLOEXEC). A
 * table that was not shared goes on with its ids. */
struct files *files_copy_exec(struct files *f, pid_t pid, uint64_t now_ns);
int files_is_shared(const struct files *f);
struct fd_registry *files_registry(const struct files *f);

/* How its calls come to be known. */
struct files_state {
	uint8_t recorded;  /* some are recorded: they are applied in the order of their ends */
	uint8_t whole;     /* every number that is open has a life, but for what no call tells */
	uint8_t uncertain; /* io_uring may open and close in it: names are read at each use */
	unsigned int busy; /* calls under way, stopped, that change what its numbers are */
	uint32_t room;     /* numbers that the kernel has room for, as far as it was asked */
	uint32_t beyond;   /* how often a call was on one beyond that */
};
struct files_state *files_state(struct files *f);

/* The life that a call on the number had, by its entry; made where the number is new to us, or was
 * opened by something that was not seen. NULL: so long ago that it is forgotten. It holds until the
 * table changes. */
struct life *files_at(struct files *f, uint32_t fd, uint64_t entry_ns);
/* The same, if it is known: nothing is made. */
struct life *files_known_at(const struct files *f, uint32_t fd, uint64_t entry_ns);
/* The life that the number has, open as far as is known; NULL: none. */
struct life *files_open(const struct files *f, uint32_t fd);
/* The next number that is open as far as is known; 0: there is none. it: zeroed at first. */
int files_next(const struct files *f, struct map_iter *it, uint32_t *ret_fd);
/* Numbers that something is kept of. */
size_t files_numbers(const struct files *f);
/* Gives a life its id, if it has none. */
uint32_t files_id(struct files *f, struct life *life, pid_t pid, uint32_t fd);

/* A call that was entered and ended then made the number; file is kept by its own reference. */
void files_born(
	struct files *f, uint32_t fd, uint64_t begin_ns, uint64_t end_ns, struct file *file);
/* A call that was entered and ended then closed it. */
void files_died(struct files *f, uint32_t fd, uint64_t begin_ns, uint64_t end_ns);
/* All of first..last, as close_range closes them. */
void files_died_range(
	struct files *f, uint32_t first, uint32_t last, uint64_t begin_ns, uint64_t end_ns);

/* A close of first..last is under way, in a stopped call (+1), or over (-1). */
void files_closing(struct files *f, uint32_t first, uint32_t last, int change);
/* 1 if one of that number may be. */
int files_is_closing(const struct files *f, uint32_t fd);

/* Its file is another one, which life gets its own reference of: it is known by now what it is. */
void files_is(struct files *f, struct life *life, struct file *file);

/* ---- what the kernel says: fd_describe.c ---- */
struct fd_look {
	char *target;      /* heap */
	const char *type;  /* as struct file's */
	uint64_t socket;   /* inode, 0: none */
	uint32_t gso_size; /* of a UDP socket */
	uint8_t gro;
	uint8_t blocking; /* enum blocking: of sockets and pipes */
	uint8_t flagged;  /* enum file_takes: of pipes and what has a path */
};
/* Looks at the number in thread tid of process pid. 0, or -EBADF: it is not open, or cannot be
 * looked at. */
int fd_look(pid_t pid, pid_t tid, uint32_t fd, struct fd_look *ret);
/* The type of a file, static text; NULL: it cannot be told without asking a file system that others
 * serve, or at all. path: "", fd itself. */
const char *fd_type(int fd, const char *path);
/* enum file_takes, of flags as open and pipe2 take them; negative: not known. */
uint8_t file_takes_by(long flags, int is_pipe);
struct sockaddr_storage;
/* Words for a socket, heap: "udp", "raw icmp", "unix stream"; an address, NULL where there is
 * nothing to say (unbound, not connected); and all of it, addresses NULL where there are none. */
char *fd_socket_name(int domain, int type, int protocol);
char *fd_address_text(const struct sockaddr_storage *ss, unsigned int len);
char *fd_socket_text(const char *name, const char *local, const char *peer);
/* A copy of it for ourselves (close-on-exec), or a negative errno. */
int fd_steal(pid_t pid, pid_t tid, uint32_t fd);

#endif

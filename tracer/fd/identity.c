/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/fd/identity.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tracer/dispositions.h"
#include "tracer/filler.h"
#include "tracer/recorder/layout.h"

#define TRIES_MAX 8 /* to read a name while the number is being changed */

enum effect {
	EFFECT_NONE,
	EFFECT_MAKE,     /* the result is a new fd: `text` */
	EFFECT_SIGNALFD, /* the same, unless the first argument is one */
	EFFECT_OPEN,     /* the same, of a path */
	EFFECT_NAMED,    /* the same, with a name that is no path */
	EFFECT_SOCKET,   /* the same, by the arguments */
	EFFECT_ACCEPT,   /* the same, by the fd and the peer's address */
	EFFECT_PAIR,     /* two new fds are written */
	EFFECT_ADDRESS,  /* the socket gets an address */
	EFFECT_DUP,      /* the result is another number of the same file */
	EFFECT_FCNTL,    /* F_DUPFD */
	EFFECT_DUP2,
	EFFECT_CLOSE,
	EFFECT_CLOSE_RANGE,
};

static const struct row {
	const char *name;
	enum effect effect;
	uint8_t kind;
	const char *text;
} rows[] = {
	{"open", EFFECT_OPEN, KIND_PATH_1, NULL},
	{"creat", EFFECT_OPEN, KIND_PATH_1, NULL},
	{"openat", EFFECT_OPEN, KIND_PATH_2, NULL},
	{"openat2", EFFECT_OPEN, KIND_PATH_2, NULL},
	{"socket", EFFECT_SOCKET, 0, NULL},
	{"accept", EFFECT_ACCEPT, KIND_PEER, NULL},
	{"accept4", EFFECT_ACCEPT, KIND_PEER, NULL},
	{"bind", EFFECT_ADDRESS, KIND_ADDRESS, NULL},
	{"connect", EFFECT_ADDRESS, KIND_ADDRESS, NULL},
	{"pipe", EFFECT_PAIR, KIND_PAIR_1, "pipe"},
	{"pipe2", EFFECT_PAIR, KIND_PAIR_1, "pipe"},
	{"socketpair", EFFECT_PAIR, KIND_PAIR_4, NULL},
	{"dup", EFFECT_DUP, 0, NULL},
	{"dup2", EFFECT_DUP2, 0, NULL},
	{"dup3", EFFECT_DUP2, 0, NULL},
	{"fcntl", EFFECT_FCNTL, 0, NULL},
	{"close", EFFECT_CLOSE, 0, NULL},
	{"close_range", EFFECT_CLOSE_RANGE, 0, NULL},
	{"epoll_create", EFFECT_MAKE, 0, "anon_inode:[eventpoll]"},
	{"epoll_create1", EFFECT_MAKE, 0, "anon_inode:[eventpoll]"},
	{"eventfd", EFFECT_MAKE, 0, "anon_inode:[eventfd]"},
	{"eventfd2", EFFECT_MAKE, 0, "anon_inode:[eventfd]"},
	{"timerfd_create", EFFECT_MAKE, 0, "anon_inode:[timerfd]"},
	{"signalfd", EFFECT_SIGNALFD, 0, "anon_inode:[signalfd]"},
	{"signalfd4", EFFECT_SIGNALFD, 0, "anon_inode:[signalfd]"},
	{"fanotify_init", EFFECT_MAKE, 0, "anon_inode:[fanotify]"},
	{"inotify_init", EFFECT_MAKE, 0, "anon_inode:inotify"},
	{"inotify_init1", EFFECT_MAKE, 0, "anon_inode:inotify"},
	{"memfd_create", EFFECT_NAMED, KIND_PATH_1, NULL},
	{"memfd_secret", EFFECT_MAKE, 0, "/secretmem (deleted)"},
	{"mq_open", EFFECT_NAMED, KIND_PATH_1, NULL},
	{"fsopen", EFFECT_MAKE, 0, "anon_inode:[fscontext]"},
	{"fspick", EFFECT_MAKE, 0, "anon_inode:[fscontext]"},
	{"fsmount", EFFECT_MAKE, 0, NULL},
	{"open_tree", EFFECT_OPEN, KIND_PATH_2, NULL},
	{"open_tree_attr", EFFECT_OPEN, KIND_PATH_2, NULL},
	{"pidfd_open", EFFECT_MAKE, 0, "anon_inode:[pidfd]"},
	{"pidfd_getfd", EFFECT_MAKE, 0, NULL},
	{"open_by_handle_at", EFFECT_MAKE, 0, NULL},
	{"userfaultfd", EFFECT_MAKE, 0, "anon_inode:[userfaultfd]"},
	{"perf_event_open", EFFECT_MAKE, 0, "anon_inode:[perf_event]"},
	{"io_uring_setup", EFFECT_MAKE, 0, "anon_inode:[io_uring]"},
};

struct wanted {
	struct files *files;
	struct file *file; /* the number's, when it was wanted */
	uint32_t fd;
	int32_t pid, tid;
	unsigned int tries;
	struct fd_look look;
};

struct identity {
	struct fd_registry *registry;
	struct {
		struct wanted *at;
		size_t len, cap;
	} wanted;
	int segments;          /* a socket with GSO or GRO was seen */
	struct filler *filler; /* NULL: no traced process serves files */
	int served;            /* a path was not to be had in time: none is looked up any more */
};

static const struct row *row_of(const struct sys_def *def)
{
	/* By row of the table of calls; made once. */
	static const struct row *by_index[1024];
	static int made;

	for (size_t i = 0; !made && i < sizeof(rows) / sizeof(*rows); i++) {
		const struct sys_def *d = sys_by_name(rows[i].name);

		if (d && d->index < 1024)
			by_index[d->index] = &rows[i];
	}
	made = 1;
	return def->index < 1024 ? by_index[def->index] : NULL;
}

static enum effect effect_of(const struct sys_def *def)
{
	const struct row *row = row_of(def);

	return row ? row->effect : EFFECT_NONE;
}

struct identity *identity_new(uint32_t max)
{
	struct identity *id = mem_calloc(1, sizeof(*id));

	id->registry = fd_registry_new(max);
	return id;
}

void identity_free(struct identity *id)
{
	for (size_t i = 0; i < id->wanted.len; i++) {
		file_unref(id->registry, id->wanted.at[i].file);
		files_unref(id->wanted.at[i].files);
	}
	free(id->wanted.at);
	fd_registry_free(id->registry);
	free(id);
}

void identity_beware(struct identity *id, struct filler *f)
{
	id->filler = f;
}

struct fd_registry *identity_registry(const struct identity *id)
{
	return id->registry;
}

/* ---- which calls ---- */

int identity_follows(const struct sys_def *def)
{
	return effect_of(def) != EFFECT_NONE;
}

int identity_closes(const struct sys_def *def)
{
	return effect_of(def) >= EFFECT_DUP2 || effect_of(def) == EFFECT_ADDRESS;
}

uint8_t identity_kind(const struct sys_def *def)
{
	const struct row *row = row_of(def);

	return row ? row->kind : 0;
}

#define RING_ENTER_REGISTERED  (1U << 4)  /* IORING_ENTER_REGISTERED_RING */
#define RING_OPCODE_REGISTERED (1U << 31) /* IORING_REGISTER_USE_REGISTERED_RING */

/* Of a ring that is registered the number is an index: the flag in the argument says so. */
static int is_index(const struct sys_event *ev)
{
	static const struct sys_def *enter, *reg;

	if (!enter) {
		enter = sys_by_name("io_uring_enter");
		reg = sys_by_name("io_uring_register");
	}
	return (ev->def == enter && (ev->args[3] & RING_ENTER_REGISTERED)) ||
	       (ev->def == reg && (ev->args[1] & RING_OPCODE_REGISTERED));
}

/* Of a mapping of no file the kernel does not look at it. */
static int is_ignored(const struct sys_event *ev)
{
	return ev->def->decoder == &decoder_map && (ev->args[3] & MAP_ANONYMOUS);
}

/* The fd that the call works on, or -1. */
static int64_t fd_of(const struct sys_event *ev)
{
	int32_t fd = ev->def->fd ? (int32_t)ev->args[ev->def->fd - 1] : -1;

	return fd < 0 || is_index(ev) || is_ignored(ev) ? -1 : fd;
}

int identity_closing(const struct sys_event *ev, uint32_t *ret_first, uint32_t *ret_last)
{
	enum effect effect = effect_of(ev->def);

	*ret_first = *ret_last = (uint32_t)ev->args[effect == EFFECT_DUP2 ? 1 : 0];
	if (effect == EFFECT_CLOSE)
		return 1;
	if (effect == EFFECT_DUP2)
		return (uint32_t)ev->args[0] != (uint32_t)ev->args[1];
	*ret_last = (uint32_t)ev->args[1];
	return effect == EFFECT_CLOSE_RANGE;
}

/* ---- numbers ---- */

#define ROOM_ALWAYS 1024 /* numbers that every process may have open */
#define BEYOND_MAX  64

/* 1 if the number can have been open: a record may say any, and each that is kept costs memory.
 * What the kernel has room for in a table only grows. */
static int has_room(const struct caller *c, uint32_t fd)
{
	struct files_state *state = files_state(c->files);
	int room;

	if (fd < ROOM_ALWAYS || fd < state->room)
		return 1;
	if (state->beyond >= BEYOND_MAX)
		return 0; /* it has been asked often enough */
	room = disposition_number(c->tid, "FDSize");
	if (room <= 0)
		return 1; /* its thread is gone */
	if ((uint32_t)room > state->room)
		state->room = (uint32_t)room;
	state->beyond += fd >= state->room;
	return fd < state->room;
}

/* As files_at(); NULL also if no such number can be. */
static struct life *life_at(const struct caller *c, uint32_t fd, uint64_t entry_ns)
{
	return has_room(c, fd) ? files_at(c->files, fd, entry_ns) : NULL;
}

/* ---- names ---- */

static int same_file(const struct file *file, const struct fd_look *look)
{
	if (file->socket || look->socket)
		return file->socket == look->socket;
	return file->target && strcmp(file->target, look->target) == 0;
}

/* The life's file is what was looked at. Takes look's text. */
static void is_named(
	struct identity *id, struct files *files, struct life *life, struct fd_look *look)
{
	struct file *file = life->file;

	if (look->socket && file->socket != look->socket) {
		/* Its other numbers have the same file, unless that was known to be another. */
		file = file_socket(files_registry(files), look->socket,
			file->socket || file->name == FILE_READ ? NULL : file);
		files_is(files, life, file);
		file_unref(files_registry(files), file); /* the life has its own */
		file = life->file;
	}
	file->flagged |= look->flagged;
	file->type = look->type;
	file_set_name(file, look->target, FILE_READ);
	file->gso_size = look->gso_size;
	file->gro = look->gro;
	file->blocking = look->blocking ? look->blocking : file->blocking;
	file->stale = 0;
	id->segments |= look->gso_size || look->gro;
	look->target = NULL;
}

/* Now, in a table that is not recorded: what the number is. NULL: not open. */
static struct life *look_now(
	struct identity *id, const struct caller *c, uint32_t fd, uint64_t entry_ns)
{
	struct life *life = files_open(c->files, fd);
	const struct files_state *state = files_state(c->files);
	int closing = files_is_closing(c->files, fd);
	int doubtful = state->uncertain || closing || (life && life->doubtful);
	struct fd_look look;

	if (life && life->file->name == FILE_READ && !life->file->stale && !doubtful)
		return life;
	if (fd_look(c->pid, c->tid, fd, &look) < 0)
		return NULL;
	life = files_at(c->files, fd, entry_ns);
	if (life && doubtful && life->file->name == FILE_READ && !same_file(life->file, &look)) {
		struct file *file = file_new();

		files_born(c->files, fd, entry_ns, entry_ns, file);
		file_unref(files_registry(c->files), file);
		life = files_open(c->files, fd);
	}
	if (life) {
		is_named(id, c->files, life, &look);
		/* Looked at while a close was under way: that may have been before it. */
		life->doubtful = (uint8_t)closing;
	}
	free(look.target);
	return life;
}

struct life *identity_entry(struct identity *id, const struct caller *c, const struct sys_event *ev)
{
	int64_t fd = fd_of(ev);

	/* A socket that gets an address is looked at when it has it. */
	if (fd < 0 || effect_of(ev->def) == EFFECT_ADDRESS)
		return NULL;
	return look_now(id, c, (uint32_t)fd, clock_mono_ns());
}

static void want_name(struct identity *id, const struct caller *c, uint32_t fd, struct life *life)
{
	struct file *file = life->file;

	if (life->wanted || (file->name == FILE_READ && !file->stale) ||
		(!fd_registry_get(id->registry, life->fd_id) && !id->segments))
		return; /* known, or without a row of its own */
	life->wanted = 1;
	*VEC_PUSH(&id->wanted) = (struct wanted){.files = files_ref(c->files),
		.file = file_ref(file),
		.fd = fd,
		.pid = c->pid,
		.tid = c->tid};
}

static int look_at_wanted(const struct wanted *w, struct fd_look *look)
{
	return fd_look(w->pid, w->tid, w->fd, look) == 0 || /* that thread may be gone */
	       fd_look(w->pid, w->pid, w->fd, look) == 0;
}

/* ---- where a path leads ---- */

/* A path that goes through the target's own entry in /proc, as others see it. */
static char *without_self(const struct wanted *w, const char *path)
{
	static const char self[] = "/proc/self", thread[] = "/proc/thread-self";

	if (strncmp(path, self, strlen(self)) == 0)
		return mem_printf("/proc/%d%s", w->pid, path + strlen(self));
	if (strncmp(path, thread, strlen(thread)) == 0)
		return mem_printf("/proc/%d/task/%d%s", w->pid, w->tid, path + strlen(thread));
	return mem_strdup(path);
}

/* A path of the target's that is looked up, by us or by the filler's thread. */
struct lookup {
	char *root;   /* heap: the target's */
	char *path;   /* heap */
	int is_entry; /* the path begins at its entry in /proc */
	pid_t pid;    /* whose entry in /proc a link to one's own is */
	char *to;     /* heap; NULL: it leads nowhere (any more) */
	const char *type;
};

/* Links lead on from the target's root. One to a file of "one's own", as /proc/self/fd has them,
 * would lead to ours: only a path that names the target's is followed there. */
static int open_there(const struct lookup *l)
{
	struct open_how how = {.flags = O_PATH | O_CLOEXEC, .resolve = RESOLVE_IN_ROOT};
	cleanup_close int root = -1;

	if (l->is_entry)
		return open(l->path, O_PATH | O_CLOEXEC);
	root = open(l->root, O_PATH | O_CLOEXEC);
	return root < 0 ? -1 : (int)syscall(SYS_openat2, root, l->path, &how, sizeof(how));
}

static void look_up(void *arg)
{
	struct lookup *l = arg;
	cleanup_close int fd = open_there(l);
	char link[PATH_MAX + 1], own[64];
	ssize_t n;

	if (fd < 0)
		return;
	snprintf(own, sizeof(own), "/proc/self/fd/%d", fd);
	n = readlink(own, link, sizeof(link) - 1);
	if (n <= 0)
		return;
	link[n] = '\0';
	l->type = *link == '/' ? fd_type(fd, "") : NULL;
	/* A link to its own entry in /proc has led us to ours. */
	n = snprintf(own, sizeof(own), "/proc/%d/", getpid());
	l->to = strncmp(link, own, (size_t)n) == 0 ? mem_printf("/proc/%d/%s", l->pid, link + n)
						   : mem_strdup(link);
}

static void lookup_drop(void *arg)
{
	struct lookup *l = arg;

	free(l->root);
	free(l->path);
	free(l->to);
	free(l);
}

/* Through the target's root, if that is still there; NULL: it leads nowhere (any more). */
static char *resolve(
	struct identity *id, const struct wanted *w, const char *path, const char **ret_type)
{
	struct lookup *l;
	char *to, own[32];

	if (id->served)
		return NULL;
	l = mem_calloc(1, sizeof(*l));
	l->root = mem_printf("/proc/%d/root", w->tid);
	l->path = mem_strdup(path);
	snprintf(own, sizeof(own), "/proc/%d/", w->pid);
	l->is_entry = strncmp(l->path, own, strlen(own)) == 0;
	l->pid = w->pid;
	if (filler_run(id->filler, look_up, lookup_drop, l) < 0) {
		id->served = 1;
		return NULL;
	}
	to = l->to;
	l->to = NULL;
	*ret_type = l->type;
	lookup_drop(l);
	return to;
}

/* The file is gone from its number, and is called what the call said: links in it are followed, as
 * the kernel did, where they still lead somewhere. */
static void resolve_said(struct identity *id, const struct wanted *w)
{
	char *path, *to;

	if (w->file->name != FILE_SAID || *w->file->target != '/')
		return;
	path = without_self(w, w->file->target);
	to = resolve(id, w, path, &w->file->type);
	if (to)
		free(path);
	file_set_name(w->file, to ? to : path, FILE_SAID);
}

/* 1 if it is to be tried again. */
static int take_name(struct identity *id, struct wanted *w, int touched)
{
	struct life *life = files_open(w->files, w->fd);

	if (!life || life->file != w->file || !w->look.target) {
		if (life && life->file == w->file)
			life->wanted = 0;
		resolve_said(id, w);
		return 0;
	}
	if (!files_state(w->files)->busy && !touched) {
		is_named(id, w->files, life, &w->look);
		life->wanted = 0;
		return 0;
	}
	life->wanted = ++w->tries < TRIES_MAX;
	return life->wanted;
}

/* First all are looked at, then it is asked which numbers may have changed meanwhile. */
void identity_read_names(struct identity *id, const struct identity_check *check)
{
	size_t kept = 0;

	if (!id->wanted.len)
		return;
	for (size_t i = 0; i < id->wanted.len; i++) {
		struct wanted *w = &id->wanted.at[i];
		const struct life *life = files_open(w->files, w->fd);

		w->look = (struct fd_look){0};
		if (life && life->file == w->file)
			look_at_wanted(w, &w->look);
	}
	check->begin(check->ctx);
	for (size_t i = 0; i < id->wanted.len; i++) {
		struct wanted w = id->wanted.at[i];
		int again = take_name(id, &w, check->touched(check->ctx, w.files, w.fd));

		free(w.look.target);
		if (again) {
			id->wanted.at[kept++] = w;
			continue;
		}
		file_unref(id->registry, w.file);
		files_unref(w.files);
	}
	id->wanted.len = kept;
}

/* ---- what a call said ---- */

static char *cwd_of(const struct caller *c)
{
	char path[64], link[PATH_MAX + 1];
	ssize_t n;

	snprintf(path, sizeof(path), "/proc/%d/cwd", c->tid);
	n = readlink(path, link, sizeof(link) - 1);
	return n > 0 ? mem_strndup(link, (size_t)n) : NULL;
}

static char *folder_of(const struct caller *c, const struct sys_event *ev)
{
	int32_t fd = (int32_t)ev->args[0];
	const struct life *life;

	if (identity_kind(ev->def) == KIND_PATH_1 || fd == AT_FDCWD)
		return cwd_of(c);
	life = fd < 0 ? NULL : life_at(c, (uint32_t)fd, ev->entry_ns);
	return life && life->file->target ? mem_strdup(life->file->target) : NULL;
}

/* A file without a name, or one whose path may begin at a folder though it looks absolute. */
static int is_not_at_its_path(const struct sys_event *ev)
{
	uint64_t flags = strcmp(ev->def->name, "open") == 0     ? ev->args[1]
			 : strcmp(ev->def->name, "openat") == 0 ? ev->args[2]
								: 0;

	return (flags & O_TMPFILE) == O_TMPFILE || strcmp(ev->def->name, "openat2") == 0;
}

/* The number of its own that the path leads to, or -1. */
static int64_t number_as_path(const char *path)
{
	static const char *const streams[] = {"/dev/stdin", "/dev/stdout", "/dev/stderr"};
	static const char *const folders[] = {
		"/dev/fd/", "/proc/self/fd/", "/proc/thread-self/fd/"};
	char *end;

	for (int i = 0; i < 3; i++) {
		size_t len = strlen(folders[i]);

		if (strcmp(path, streams[i]) == 0)
			return i;
		if (strncmp(path, folders[i], len) == 0 && path[len] >= '0' && path[len] <= '9') {
			unsigned long fd = strtoul(path + len, &end, 10);

			return *end || fd > INT32_MAX ? -1 : (int64_t)fd;
		}
	}
	return -1;
}

/* What is opened by a number is called as that is. */
static char *target_of_number(const struct caller *c, const struct sys_event *ev, const char *path)
{
	int64_t fd = number_as_path(path);
	const struct life *life =
		fd < 0 ? NULL : files_known_at(c->files, (uint32_t)fd, ev->entry_ns);

	return mem_strdup(life && life->file->target ? life->file->target : path);
}

static char *path_said(const struct caller *c, const struct sys_event *ev, const struct said *said)
{
	cleanup_free char *path = NULL;
	cleanup_free char *folder = NULL;
	const char *name;

	if (!said || !said->len || is_not_at_its_path(ev))
		return NULL;
	path = mem_strndup(said->bytes, said->len);
	if (*path == '/')
		return target_of_number(c, ev, path);
	folder = folder_of(c, ev);
	for (name = path; strncmp(name, "./", 2) == 0; name += 2)
		;
	if (!folder || *folder != '/')
		return mem_strdup(path);
	return mem_printf("%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
}

static char *address_said(const struct said *said)
{
	struct sockaddr_storage ss = {0};
	size_t len;

	if (!said || !said->len)
		return NULL;
	len = said->len < sizeof(ss) ? said->len : sizeof(ss);
	memcpy(&ss, said->bytes, len);
	return fd_address_text(&ss, (unsigned int)len);
}

/* What stands before the peer's address. */
static char *without_peer(const char *target)
{
	const char *arrow = target ? strstr(target, " -> ") : NULL;

	return arrow ? mem_strndup(target, (size_t)(arrow - target))
		     : mem_strdup(target ? target : "");
}

static char *accepted_said(
	const struct caller *c, const struct sys_event *ev, const struct said *said)
{
	cleanup_free char *peer = address_said(said), *own = NULL;
	const struct life *life = life_at(c, (uint32_t)ev->args[0], ev->entry_ns);

	if (!life || !life->file->target)
		return NULL;
	own = without_peer(life->file->target);
	return fd_socket_text(own, NULL, peer);
}

static void address_given(struct identity *id, const struct caller *c, const struct sys_event *ev,
	const struct said *said)
{
	uint32_t fd = (uint32_t)ev->args[0];
	struct life *life = life_at(c, fd, ev->entry_ns);
	cleanup_free char *address = address_said(said), *own = NULL;

	if (!life)
		return;
	life->file->stale = 1;
	if (!files_state(c->files)->recorded) {
		look_now(id, c, fd, ev->entry_ns);
		return;
	}
	if (life->file->target) { /* for where it is closed before it is read */
		int connects = strcmp(ev->def->name, "connect") == 0;

		own = without_peer(life->file->target);
		file_set_name(life->file,
			fd_socket_text(own, connects ? NULL : address, connects ? address : NULL),
			FILE_SAID);
	}
	if (life->fd_id)
		want_name(id, c, fd, life);
}

/* ---- what a call did ---- */

/* The flags that a call gives the file that it makes, or that it sets: -1, none. */
static int64_t flags_given(const struct sys_event *ev, enum effect effect)
{
	switch (effect) {
	case EFFECT_SOCKET:
		return (int64_t)(ev->args[1] & SOCK_NONBLOCK);
	case EFFECT_ACCEPT:
		return strcmp(ev->def->name, "accept4") ? 0
							: (int64_t)(ev->args[3] & SOCK_NONBLOCK);
	case EFFECT_PAIR: /* pipe has none */
		return strcmp(ev->def->name, "pipe") ? (int64_t)(ev->args[1] & O_NONBLOCK) : 0;
	case EFFECT_FCNTL:
		return (int32_t)ev->args[1] == F_SETFL ? (int64_t)(ev->args[2] & O_NONBLOCK) : -1;
	default:
		return -1;
	}
}

/* The flags of a call that opens a path or makes a pipe; -1: not known, or another call. */
static int64_t opened_with(const struct sys_event *ev, enum effect effect)
{
	const char *name = ev->def->name;

	if (effect == EFFECT_PAIR)
		return strcmp(name, "pipe2") ? -1 : (int64_t)ev->args[1];
	if (strcmp(name, "open") == 0 || strcmp(name, "openat") == 0)
		return (int64_t)ev->args[strcmp(name, "open") ? 2 : 1];
	return strcmp(name, "creat") == 0 ? 0 : -1;
}

static void set_blocking(struct file *file, const struct sys_event *ev, enum effect effect)
{
	int64_t flags = flags_given(ev, effect);

	if (flags >= 0)
		file->blocking = flags ? BLOCKING_NO : BLOCKING_YES;
}

static void born(const struct caller *c, const struct sys_event *ev, int64_t fd, char *target)
{
	enum effect effect = effect_of(ev->def);
	struct file *file = file_new();

	file->flagged = file_takes_by((long)opened_with(ev, effect), effect == EFFECT_PAIR);
	file_set_name(file, target, FILE_SAID);
	set_blocking(file, ev, effect);
	if (fd >= 0 && fd <= INT32_MAX && has_room(c, (uint32_t)fd))
		files_born(c->files, (uint32_t)fd, ev->entry_ns, ev->exit_ns, file);
	file_unref(files_registry(c->files), file);
}

static void born_again(const struct caller *c, const struct sys_event *ev, int64_t fd)
{
	struct life *from = life_at(c, (uint32_t)ev->args[0], ev->entry_ns);

	if (from && fd >= 0 && fd <= INT32_MAX && has_room(c, (uint32_t)fd))
		files_born(c->files, (uint32_t)fd, ev->entry_ns, ev->exit_ns, from->file);
}

static char *socket_said(const struct sys_event *ev)
{
	return fd_socket_name((int32_t)ev->args[0], (int32_t)ev->args[1], (int32_t)ev->args[2]);
}

/* As /proc has it. */
static char *named_said(const struct sys_event *ev, const struct said *said)
{
	int is_memfd = strcmp(ev->def->name, "memfd_create") == 0;

	return said ? mem_printf("/%s%.*s%s", is_memfd ? "memfd:" : "", (int)said->len,
			      (const char *)said->bytes, is_memfd ? " (deleted)" : "")
		    : NULL;
}

static void pair_born(const struct caller *c, const struct sys_event *ev, const struct row *row,
	const struct said *said)
{
	for (int i = 0; said && i < 2; i++)
		if (said->pair[i] >= 0)
			born(c, ev, said->pair[i],
				row->text ? mem_strdup(row->text) : socket_said(ev));
}

static int is_fcntl_dup(const struct sys_event *ev)
{
	return (int32_t)ev->args[1] == F_DUPFD || (int32_t)ev->args[1] == F_DUPFD_CLOEXEC;
}

#define CLOSE_RANGE_CLOEXEC_FLAG 4

/* Of a call that succeeded. */
static void apply(struct identity *id, const struct caller *c, const struct sys_event *ev,
	const struct row *row, const struct said *said)
{
	struct life *life;

	switch (row->effect) {
	case EFFECT_MAKE:
		born(c, ev, ev->ret, row->text ? mem_strdup(row->text) : NULL);
		break;
	case EFFECT_SIGNALFD:
		if ((int32_t)ev->args[0] == -1)
			born(c, ev, ev->ret, mem_strdup(row->text));
		break;
	case EFFECT_OPEN:
		born(c, ev, ev->ret, path_said(c, ev, said));
		break;
	case EFFECT_NAMED:
		born(c, ev, ev->ret, named_said(ev, said));
		break;
	case EFFECT_SOCKET:
		born(c, ev, ev->ret, socket_said(ev));
		break;
	case EFFECT_ACCEPT:
		born(c, ev, ev->ret, accepted_said(c, ev, said));
		break;
	case EFFECT_PAIR:
		pair_born(c, ev, row, said);
		break;
	case EFFECT_ADDRESS:
		address_given(id, c, ev, said);
		break;
	case EFFECT_FCNTL:
		if (is_fcntl_dup(ev))
			born_again(c, ev, ev->ret);
		else if ((life = files_known_at(c->files, (uint32_t)ev->args[0], ev->entry_ns)))
			set_blocking(life->file, ev, row->effect);
		break;
	case EFFECT_DUP:
		born_again(c, ev, ev->ret);
		break;
	case EFFECT_DUP2:
		if ((uint32_t)ev->args[0] != (uint32_t)ev->args[1])
			born_again(c, ev, ev->ret);
		break;
	case EFFECT_CLOSE:
		files_died(c->files, (uint32_t)ev->args[0], ev->entry_ns, ev->exit_ns);
		break;
	case EFFECT_CLOSE_RANGE:
		if (!(ev->args[2] & CLOSE_RANGE_CLOEXEC_FLAG))
			files_died_range(c->files, (uint32_t)ev->args[0], (uint32_t)ev->args[1],
				ev->entry_ns, ev->exit_ns);
		break;
	default:
		break;
	}
}

/* close frees the number even when it fails, but for EBADF; a connect may go on by itself. */
static int had_effect(const struct sys_event *ev, enum effect effect)
{
	if (ev->outcome != SYS_RETURNED)
		return 0;
	return sys_ok(ev) || (effect == EFFECT_CLOSE && ev->ret != -EBADF) ||
	       (effect == EFFECT_ADDRESS && ev->ret == -EINPROGRESS);
}

/* An error that tells nothing of the number: it may be about another one, about how the file was
 * opened, or about what the kernel looks at before. */
static int is_any_number(const struct sys_event *ev)
{
	return ev->outcome == SYS_RETURNED &&
	       (ev->ret == -EBADF || ev->ret == -EINVAL || ev->ret == -EFAULT);
}

static uint8_t path_of(const struct file *file)
{
	if (!file->target)
		return PATH_UNKNOWN;
	/* Others are behind it, as behind a pipe. */
	if (file->type && (!strcmp(file->type, "fifo") || !strcmp(file->type, "character device")))
		return PATH_NO;
	return *file->target == '/' ? PATH_YES : PATH_NO;
}

/* Who receives from a socket that others receive from, or reads on in a file that others read on
 * in, as a shell and what it starts do, takes what it gets from them. */
static void note_reader(struct file *file, const struct caller *c, const struct sys_event *ev)
{
	int receives = ev->def->class == CLASS_NETWORK && strncmp(ev->def->name, "recv", 4) == 0;

	if (!(receives || (ev->def->reads && !ev->def->offset)) || !sys_ok(ev))
		return;
	file->shared |= file->reader && file->reader != c->pid;
	file->reader = c->pid;
}

void identity_call(struct identity *id, const struct caller *c, struct sys_event *ev, int traced,
	const struct said *said, const struct file **ret_file)
{
	const struct row *row = row_of(ev->def);
	int64_t fd = fd_of(ev);
	struct life *life = NULL;
	int recorded = files_state(c->files)->recorded;

	*ret_file = NULL;
	if (fd >= 0 && traced && is_any_number(ev))
		life = files_known_at(c->files, (uint32_t)fd, ev->entry_ns);
	else if (fd >= 0 && traced)
		life = life_at(c, (uint32_t)fd, ev->entry_ns);
	if (life && (ev->fd_id || recorded || ev->outcome == SYS_RETURNED)) {
		ev->fd_id = files_id(c->files, life, c->pid, (uint32_t)fd);
		*ret_file = life->file;
		ev->blocking = life->file->blocking;
		ev->path = path_of(life->file);
		ev->takes = life->file->takes;
		note_reader(life->file, c, ev);
		ev->shared = life->file->shared;
		if (recorded)
			want_name(id, c, (uint32_t)fd, life);
		else if (life->file->name == FILE_UNNAMED)
			look_now(id, c, (uint32_t)fd, ev->entry_ns);
	}
	if (row && had_effect(ev, row->effect))
		apply(id, c, ev, row, said);
}

/* ---- a table that is going to be recorded ---- */

static void look_at_all(struct identity *id, const struct caller *c)
{
	char path[64];
	struct dirent *e;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", c->tid);
	dir = opendir(path);
	while (dir && (e = readdir(dir)))
		if (*e->d_name != '.')
			look_now(id, c, (uint32_t)strtoul(e->d_name, NULL, 10), clock_mono_ns());
	if (dir)
		closedir(dir);
}

/* Those that are known to be open: to list all costs far more. */
static void look_at_known(struct identity *id, const struct caller *c)
{
	struct map_iter it = {0};
	uint32_t fd;

	while (files_next(c->files, &it, &fd))
		look_now(id, c, fd, clock_mono_ns());
}

void identity_begin(struct identity *id, const struct caller *c)
{
	struct files_state *state = files_state(c->files);

	if (state->recorded || state->uncertain)
		return;
	if (state->whole)
		look_at_known(id, c);
	else
		look_at_all(id, c);
	state->recorded = state->whole = 1;
}

int identity_has_ring(pid_t pid)
{
	static const char ring[] = "anon_inode:[io_uring]";
	char path[64], link[sizeof(ring)] = "";
	struct dirent *e;
	int found = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fd", pid);
	dir = opendir(path);
	while (dir && !found && (e = readdir(dir)))
		found = readlinkat(dirfd(dir), e->d_name, link, sizeof(link)) ==
				(ssize_t)strlen(ring) &&
			memcmp(link, ring, strlen(ring)) == 0;
	if (dir)
		closedir(dir);
	return found;
}

/* ---- fds of others ---- */

void identity_received(
	struct identity *id, const struct caller *c, uint32_t fd, const struct sys_event *ev)
{
	struct life *life = files_open(c->files, fd);
	struct fd_look look;

	if (!life || life->born_end != ev->exit_ns)
		born(c, ev, fd, NULL);
	life = files_open(c->files, fd);
	if (!life || fd_look(c->pid, c->tid, fd, &look) < 0)
		return;
	is_named(id, c->files, life, &look);
	free(look.target);
}

/* ---- socket options ---- */

static struct file *socket_of(struct identity *id, const struct caller *c, uint32_t fd)
{
	struct life *life = files_at(c->files, fd, clock_mono_ns());
	struct fd_look look;

	if (fd_look(c->pid, c->tid, fd, &look) == 0) {
		is_named(id, c->files, life, &look);
		free(look.target);
	}
	return life->file;
}

void identity_set_gso(struct identity *id, const struct caller *c, uint32_t fd, uint32_t size)
{
	socket_of(id, c, fd)->gso_size = size;
	id->segments = 1;
}

void identity_set_gro(struct identity *id, const struct caller *c, uint32_t fd, uint8_t on)
{
	socket_of(id, c, fd)->gro = on;
	id->segments = 1;
}

int identity_segments(const struct identity *id)
{
	return id->segments;
}

/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/recorder/code_files.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "tracer/filler.h"
#include "tracer/tracee.h"

#define GONE   "the file of the code could not be read"
#define SERVED "a traced process may have to provide the file of the code first"

/* ---- what is read of a file, by us or by the filler's thread ---- */

enum { PLACES = 4 };

enum look_for { LOOK_FIND, LOOK_OPEN, LOOK_PLAN };

/* Where it may be found, and what is to be known of it. */
struct look {
	enum look_for what;
	pid_t tid;
	char *name; /* heap */
	uint64_t start, end, inode;
	struct stat st;    /* of what was found; LOOK_PLAN: it must be this */
	int found;         /* 1: the file is there */
	struct code *code; /* LOOK_OPEN: of it; LOOK_PLAN: whose */
	uint64_t addr;
	struct plan plan;
};

static int same_time(const struct stat *a, const struct stat *b)
{
	return a->st_mtim.tv_sec == b->st_mtim.tv_sec && a->st_mtim.tv_nsec == b->st_mtim.tv_nsec;
}

static int is_it(const struct look *l, const struct stat *st)
{
	if (st->st_ino != l->inode || !S_ISREG(st->st_mode))
		return 0;
	return l->what != LOOK_PLAN || (st->st_dev == l->st.st_dev && same_time(st, &l->st));
}

/* What else has the name, as a device, is not opened. */
static int look_at(struct look *l, const char *place)
{
	cleanup_close int fd = -1;
	struct stat st;

	if (stat(place, &st) < 0 || !is_it(l, &st))
		return 0;
	if (l->what != LOOK_FIND) {
		fd = open(place, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
		if (fd < 0 || fstat(fd, &st) < 0 || !is_it(l, &st))
			return 0;
	}
	l->st = st;
	if (l->what == LOOK_OPEN)
		l->code = code_open(fd, &(struct err){0});
	if (l->what == LOOK_PLAN)
		code_plan(l->code, fd, l->addr, &l->plan);
	return 1;
}

/* The process's program, if that is what is mapped; NULL: it is something else. Heap. */
static char *program_of(const struct look *l)
{
	char *exe = mem_printf("/proc/%d/exe", l->tid), name[PATH_MAX];
	ssize_t n = readlink(exe, name, sizeof(name));

	if (n >= 0 && (size_t)n == strlen(l->name) && memcmp(name, l->name, (size_t)n) == 0)
		return exe;
	free(exe);
	return NULL;
}

/* Its name begins at the root of the process's mounts or, where they are ours (chroot), at our own
 * root; what has none any more may be the process's program, and can be had by privilege. Heap;
 * NULL: not there. */
static char *place_of(const struct look *l, int i)
{
	switch (i) {
	case 0:
		return mem_printf("/proc/%d/root%s", l->tid, l->name);
	case 1:
		return mem_strdup(l->name);
	case 2:
		return program_of(l);
	default:
		return mem_printf("/proc/%d/map_files/%llx-%llx", l->tid,
			(unsigned long long)l->start, (unsigned long long)l->end);
	}
}

static void look(void *arg)
{
	struct look *l = arg;

	for (int i = 0; i < PLACES && !l->found; i++) {
		cleanup_free char *place = place_of(l, i);

		l->found = place && look_at(l, place);
	}
}

static void look_free(struct look *l)
{
	free(l->name);
	free(l);
}

/* Nobody waits for it any more. */
static void look_drop(void *arg)
{
	struct look *l = arg;

	if (l->what != LOOK_FIND)
		code_free(l->code);
	look_free(l);
}

static struct look *look_new(
	const struct tracee *t, const struct code_mapping *m, enum look_for what)
{
	struct look *l = mem_calloc(1, sizeof(*l));

	l->what = what;
	l->tid = t->tid;
	l->name = mem_strdup(m->name);
	l->start = m->start;
	l->end = m->end;
	l->inode = m->inode;
	return l;
}

/* ---- who reads ---- */

static int is_served(const struct recorder *f, uint64_t device)
{
	for (size_t i = 0; i < f->served.len; i++)
		if (f->served.at[i] == device)
			return 1;
	return 0;
}

/* NULL, and l is the caller's still; or why it was not read: l is the thread's then. */
static const char *read_by(struct recorder *f, const struct code_mapping *m, struct look *l)
{
	if (is_served(f, m->device)) {
		look_drop(l);
		return SERVED;
	}
	if (filler_run(f->filler, look, look_drop, l) == 0)
		return NULL;
	*VEC_PUSH(&f->served) = m->device;
	return SERVED;
}

/* ---- what is known ---- */

static uint64_t file_key(const struct stat *st)
{
	return (uint64_t)st->st_ino * 0x9e3779b97f4a7c15ULL ^ (uint64_t)st->st_dev;
}

static int same_file(const struct known_code *k, const struct stat *st)
{
	return k->dev == st->st_dev && k->inode == st->st_ino && k->mtime_s == st->st_mtim.tv_sec &&
	       k->mtime_ns == st->st_mtim.tv_nsec;
}

/* NULL: it was not looked at yet. */
static struct known_code *known_file(const struct recorder *f, const struct stat *st)
{
	struct known_code *k = map_get(&f->codes, file_key(st));

	while (k && !same_file(k, st))
		k = k->next;
	return k;
}

/* Takes code. */
static struct known_code *new_file(struct recorder *f, struct code *code, const struct stat *st)
{
	struct known_code *k = mem_calloc(1, sizeof(*k));

	*k = (struct known_code){.code = code,
		.dev = st->st_dev,
		.inode = st->st_ino,
		.mtime_s = st->st_mtim.tv_sec,
		.mtime_ns = st->st_mtim.tv_nsec,
		.next = map_get(&f->codes, file_key(st))};
	map_set(&f->codes, file_key(st), k);
	return k;
}

void code_files_forget(struct recorder *f)
{
	struct map_iter it = {0};

	while (map_next(&f->codes, &it)) {
		struct known_code *k = it.value;

		while (k) {
			struct known_code *next = k->next;

			code_free(k->code);
			free(k->worth.at);
			free(k->once.at);
			free(k);
			k = next;
		}
	}
	map_release(&f->codes);
	free(f->served.at);
}

/* NULL: m->reason says why. */
static struct known_code *find(struct recorder *f, const struct tracee *t, struct code_mapping *m)
{
	struct look *l = look_new(t, m, LOOK_FIND);
	struct known_code *k = NULL;

	m->reason = read_by(f, m, l);
	if (m->reason)
		return NULL;
	if (l->found)
		k = known_file(f, &l->st);
	if (!k && l->found) {
		l->what = LOOK_OPEN;
		l->found = 0;
		m->reason = read_by(f, m, l);
		if (m->reason)
			return NULL;
		k = l->found ? known_file(f, &l->st) : NULL; /* it may be another by now */
		if (l->found && !k)
			k = new_file(f, l->code, &l->st);
		else
			code_free(l->code);
	}
	m->reason = k ? NULL : GONE;
	look_free(l);
	return k;
}

struct known_code *code_file(
	struct recorder *f, const struct tracee *t, struct code_mapping *m, const char **ret_reason)
{
	if (!m->looked)
		m->file = find(f, t, m);
	m->looked = 1;
	*ret_reason = m->reason;
	return m->file;
}

const char *code_file_plan(struct recorder *f, const struct tracee *t, struct code_mapping *m,
	uint64_t file_addr, struct plan *ret)
{
	struct known_code *k = m->file;
	const char *reason;
	struct look *l;

	if (code_planned(k->code, file_addr, ret))
		return NULL;
	l = look_new(t, m, LOOK_PLAN);
	l->st.st_dev = k->dev;
	l->st.st_mtim = (struct timespec){k->mtime_s, k->mtime_ns};
	l->code = k->code;
	l->addr = file_addr;
	reason = read_by(f, m, l);
	if (reason) {
		k->code = NULL; /* the thread has it */
		return reason;
	}
	reason = l->found ? NULL : GONE;
	*ret = l->plan;
	look_free(l);
	return reason;
}

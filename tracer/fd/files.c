/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/fd/files.h"

#include <errno.h>
#include <linux/kcmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tracer/event.h"

#define PAST_LIVES 3

struct fd_registry {
	struct {
		struct fd_info *at;
		size_t len, cap;
	} infos;
	uint32_t max;
	struct map sockets; /* inode -> struct file; not a reference */
	struct map rows;    /* process and number -> generations that have a row, in any table */
};

struct slot {
	struct life now;
	struct life past[PAST_LIVES]; /* the latest first; without a file: none */
	uint32_t generations;
	uint16_t closing;
};

struct files {
	struct fd_registry *registry;
	struct map slots; /* number + 1 -> struct slot */
	struct slot *last;
	uint32_t last_fd;
	struct files_state state;
	unsigned int ranges; /* close_range under way */
	unsigned int refs;
};

/* ---- registry ---- */

struct fd_registry *fd_registry_new(uint32_t max)
{
	struct fd_registry *r = mem_calloc(1, sizeof(*r));

	r->max = max;
	return r;
}

void fd_registry_free(struct fd_registry *r)
{
	if (!r)
		return;
	for (size_t i = 0; i < r->infos.len; i++)
		file_unref(r, r->infos.at[i].file);
	free(r->infos.at);
	map_release(&r->sockets);
	map_release(&r->rows);
	free(r);
}

const struct fd_info *fd_registry_get(const struct fd_registry *r, uint32_t fd_id)
{
	return fd_id && fd_id <= r->infos.len ? &r->infos.at[fd_id - 1] : NULL;
}

/* ---- files ---- */

struct file *file_new(void)
{
	struct file *f = mem_calloc(1, sizeof(*f));

	f->refs = 1;
	return f;
}

struct file *file_ref(struct file *f)
{
	f->refs++;
	return f;
}

void file_unref(struct fd_registry *r, struct file *f)
{
	if (!f || --f->refs)
		return;
	if (f->socket && map_get(&r->sockets, f->socket) == f)
		map_del(&r->sockets, f->socket);
	free(f->target);
	free(f);
}

struct file *file_socket(struct fd_registry *r, uint64_t inode, struct file *file)
{
	struct file *f = map_get(&r->sockets, inode);

	if (f)
		return file_ref(f);
	f = file ? file_ref(file) : file_new();
	f->socket = inode;
	map_set(&r->sockets, inode, f);
	return f;
}

/* target is that word, or goes on after it. */
static int is_kind(const char *target, const char *kind)
{
	size_t len = strlen(kind);

	return strncmp(target, kind, len) == 0 && (!target[len] || target[len] == ' ');
}

/* Behind a path there may be a driver for which each write is a packet, a record or a command: of
 * devices only these take bytes. What has no path may be one, too: of what is written to an eventfd
 * at once only the first number counts. */
static int is_commanded(const char *path)
{
	static const char *const bytes[] = {"/dev/null", "/dev/zero", "/dev/full", "/dev/tty",
		"/dev/pts/", "/dev/console", "/dev/shm/"};

	if (strncmp(path, "/proc/", 6) == 0 || strncmp(path, "/sys/", 5) == 0 ||
		strncmp(path, "anon_inode:", 11) == 0)
		return 1;
	if (strncmp(path, "/dev/", 5) != 0)
		return 0;
	for (size_t i = 0; i < sizeof(bytes) / sizeof(*bytes); i++)
		if (strncmp(path, bytes[i], strlen(bytes[i])) == 0)
			return 0;
	return 1;
}

static uint8_t takes_by_name(const char *target)
{
	static const char *const sockets[] = {"udp", "unix dgram", "unix seqpacket", "icmp", "raw",
		"netlink", "packet", "sctp", "can", "key", "qipcrtr"};

	for (size_t i = 0; target && i < sizeof(sockets) / sizeof(*sockets); i++)
		if (is_kind(target, sockets[i]))
			return TAKES_MESSAGES | TAKES_SOCKET;
	return target && is_commanded(target) ? TAKES_MESSAGES : 0;
}

void file_set_name(struct file *f, char *target, enum file_name name)
{
	free(f->target);
	f->target = target;
	f->name = target ? name : FILE_UNNAMED;
	f->takes = takes_by_name(target) | f->flagged;
}

/* ---- tables ---- */

struct files *files_new(struct fd_registry *r)
{
	struct files *f = mem_calloc(1, sizeof(*f));

	f->registry = r;
	f->refs = 1;
	return f;
}

struct files *files_ref(struct files *f)
{
	f->refs++;
	return f;
}

void files_unref(struct files *f)
{
	struct map_iter it = {0};

	if (!f || --f->refs)
		return;
	while (map_next(&f->slots, &it)) {
		struct slot *slot = it.value;

		file_unref(f->registry, slot->now.file);
		for (size_t i = 0; i < PAST_LIVES; i++)
			file_unref(f->registry, slot->past[i].file);
		free(slot);
	}
	map_release(&f->slots);
	free(f);
}

int files_is_shared(const struct files *f)
{
	return f->refs > 1;
}

struct fd_registry *files_registry(const struct files *f)
{
	return f->registry;
}

struct files_state *files_state(struct files *f)
{
	return &f->state;
}

static struct slot *find(const struct files *f, uint32_t fd)
{
	if (f->last && f->last_fd == fd)
		return f->last;
	return map_get(&f->slots, (uint64_t)fd + 1);
}

static struct slot *get(struct files *f, uint32_t fd)
{
	struct slot *slot = find(f, fd);

	if (!slot) {
		slot = mem_calloc(1, sizeof(*slot));
		map_set(&f->slots, (uint64_t)fd + 1, slot);
	}
	f->last = slot;
	f->last_fd = fd;
	return slot;
}

static int is_open(const struct life *life)
{
	return life->file && life->died_end == FILES_EVER;
}

struct files *files_copy(const struct files *f)
{
	struct files *copy = files_new(f->registry);
	struct map_iter it = {0};

	copy->state.uncertain = f->state.uncertain;
	copy->state.whole = f->state.whole;
	while (map_next(&f->slots, &it)) {
		const struct slot *from = it.value;
		struct slot *to;

		if (!is_open(&from->now) && !from->generations)
			continue;
		to = mem_calloc(1, sizeof(*to));
		to->generations = from->generations;
		map_set(&copy->slots, it.key, to);
		if (!is_open(&from->now))
			continue;
		/* The same open file, but rows are per files table: it gets an id when used. */
		to->now = (struct life){.file = file_ref(from->now.file),
			.generation = from->now.generation,
			.died_begin = FILES_EVER,
			.died_end = FILES_EVER};
		if (from->now.fd_id)
			to->generations = from->now.generation;
	}
	return copy;
}

int files_next(const struct files *f, struct map_iter *it, uint32_t *ret_fd)
{
	while (map_next(&f->slots, it))
		if (is_open(&((const struct slot *)it->value)->now)) {
			*ret_fd = (uint32_t)(it->key - 1);
			return 1;
		}
	return 0;
}

size_t files_numbers(const struct files *f)
{
	return f->slots.len;
}

static int number_is_open(pid_t pid, uint32_t fd)
{
	char path[64], link[8];

	/* Without a walk through /proc, where the kernel has it and it is allowed. */
	if (syscall(SYS_kcmp, pid, pid, KCMP_FILE, (unsigned long)fd, (unsigned long)fd) == 0)
		return 1;
	if (errno == EBADF)
		return 0;
	snprintf(path, sizeof(path), "/proc/%d/fd/%u", pid, fd);
	return readlink(path, link, sizeof(link)) >= 0;
}

struct files *files_copy_exec(struct files *f, pid_t pid, uint64_t now_ns)
{
	struct files *own = f->refs > 1 ? files_copy(f) : files_ref(f);
	struct map_iter it = {0};

	own->state.recorded = 0;
	own->state.busy = own->ranges = 0;
	while (map_next(&own->slots, &it)) {
		struct slot *slot = it.value;

		slot->closing = 0;
		if (is_open(&slot->now) && !number_is_open(pid, (uint32_t)(it.key - 1)))
			slot->now.died_begin = slot->now.died_end = now_ns;
	}
	return own;
}

/* ---- lives ---- */

/* Room for another life in the slot: the present one is past. */
static void push_past(struct files *f, struct slot *slot)
{
	if (!slot->now.file)
		return;
	file_unref(f->registry, slot->past[PAST_LIVES - 1].file);
	memmove(slot->past + 1, slot->past, (PAST_LIVES - 1) * sizeof(*slot->past));
	slot->past[0] = slot->now;
	slot->now = (struct life){0};
}

static struct life *begin_life(
	struct files *f, struct slot *slot, uint64_t begin_ns, uint64_t end_ns, struct file *file)
{
	push_past(f, slot);
	slot->now = (struct life){.file = file,
		.born_begin = begin_ns,
		.born_end = end_ns,
		.died_begin = FILES_EVER,
		.died_end = FILES_EVER};
	return &slot->now;
}

struct life *files_at(struct files *f, uint32_t fd, uint64_t entry_ns)
{
	struct slot *slot = get(f, fd);

	if (!slot->now.file)
		return begin_life(f, slot, 0, 0, file_new());
	if (entry_ns >= slot->now.born_begin) {
		if (entry_ns <= slot->now.died_end)
			return &slot->now;
		/* Opened since, by what was not seen: then, at the latest. */
		return begin_life(f, slot, entry_ns, entry_ns, file_new());
	}
	for (size_t i = 0; i < PAST_LIVES; i++)
		if (slot->past[i].file && entry_ns >= slot->past[i].born_begin)
			return &slot->past[i];
	return NULL;
}

struct life *files_known_at(const struct files *f, uint32_t fd, uint64_t entry_ns)
{
	struct slot *slot = find(f, fd);
	struct life *life = slot ? &slot->now : NULL;

	for (size_t i = 0; life && i < PAST_LIVES && entry_ns < life->born_begin; i++)
		life = &slot->past[i];
	return life && life->file && entry_ns >= life->born_begin && entry_ns <= life->died_end
		       ? life
		       : NULL;
}

struct life *files_open(const struct files *f, uint32_t fd)
{
	struct slot *slot = find(f, fd);

	return slot && is_open(&slot->now) ? &slot->now : NULL;
}

/* A process may have several tables, one after the other or at the same time: what is in one of
 * them has no row that looks like one of another. */
static uint32_t next_generation(struct fd_registry *r, struct slot *slot, pid_t pid, uint32_t fd)
{
	uint64_t key = (uint64_t)pid << 32 | fd;
	uint32_t of_pid = (uint32_t)(uintptr_t)map_get(&r->rows, key);
	uint32_t generation = slot->generations > of_pid ? slot->generations : of_pid;

	map_set(&r->rows, key, (void *)((uintptr_t)generation + 1));
	slot->generations = generation + 1;
	return generation;
}

uint32_t files_id(struct files *f, struct life *life, pid_t pid, uint32_t fd)
{
	struct fd_registry *r = f->registry;

	if (life->fd_id)
		return life->fd_id;
	if (r->infos.len >= r->max) {
		life->fd_id = r->max + 1;
		return life->fd_id;
	}
	life->generation = next_generation(r, get(f, fd), pid, fd);
	*VEC_PUSH(&r->infos) = (struct fd_info){
		.pid = pid, .fd = fd, .generation = life->generation, .file = file_ref(life->file)};
	life->fd_id = (uint32_t)r->infos.len;
	return life->fd_id;
}

void files_is(struct files *f, struct life *life, struct file *file)
{
	struct fd_registry *r = f->registry;

	file_ref(file);
	if (life->fd_id && life->fd_id <= r->infos.len) {
		struct fd_info *info = &r->infos.at[life->fd_id - 1];

		file_unref(r, info->file);
		info->file = file_ref(file);
	}
	file_unref(r, life->file);
	life->file = file;
}

void files_born(struct files *f, uint32_t fd, uint64_t begin_ns, uint64_t end_ns, struct file *file)
{
	struct slot *slot = get(f, fd);
	struct life *now = &slot->now;

	/* Told of late: what the number was before. */
	if (now->file && end_ns < now->born_begin) {
		struct life later = *now;

		*now = (struct life){0};
		begin_life(f, slot, begin_ns, end_ns, file_ref(file));
		now->died_begin = now->died_end = later.born_end;
		push_past(f, slot);
		*now = later;
		return;
	}
	if (is_open(now)) { /* the end of the call that closed it is still to be told of */
		now->died_begin = begin_ns;
		now->died_end = end_ns;
	}
	begin_life(f, slot, begin_ns, end_ns, file_ref(file));
}

void files_died(struct files *f, uint32_t fd, uint64_t begin_ns, uint64_t end_ns)
{
	struct slot *slot = find(f, fd);
	struct life *now = slot ? &slot->now : NULL;

	/* One that was entered before the number was made closed what it was before. */
	if (!now || !is_open(now) || (now->born_end && begin_ns < now->born_end))
		return;
	now->died_begin = begin_ns;
	now->died_end = end_ns;
}

void files_died_range(
	struct files *f, uint32_t first, uint32_t last, uint64_t begin_ns, uint64_t end_ns)
{
	struct map_iter it = {0};

	while (map_next(&f->slots, &it))
		if (it.key > first && it.key - 1 <= last)
			files_died(f, (uint32_t)(it.key - 1), begin_ns, end_ns);
}

void files_closing(struct files *f, uint32_t first, uint32_t last, int change)
{
	struct slot *slot;

	if (first != last) {
		f->ranges += (unsigned int)change;
		return;
	}
	slot = change > 0 ? get(f, first) : find(f, first);
	if (!slot)
		return;
	if (change > 0)
		slot->closing++;
	else if (slot->closing)
		slot->closing--;
	/* Some close every number there could be. */
	if (!slot->closing && !slot->now.file && !slot->generations) {
		map_del(&f->slots, (uint64_t)first + 1);
		f->last = NULL;
		free(slot);
	}
}

int files_is_closing(const struct files *f, uint32_t fd)
{
	const struct slot *slot = find(f, fd);

	return f->ranges || (slot && slot->closing);
}

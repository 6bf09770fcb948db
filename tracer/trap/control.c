/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/trap/control.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"
#include "tracer/fd/identity.h"

/* Which rows must be seen. `fds` ones only where fds are reported. */
static const struct {
	const char *name;
	enum control kind;
	int fds;
} controls[] = {
	{"clone", CONTROL_CLONE, 0},
	{"clone3", CONTROL_CLONE, 0},
	{"fork", CONTROL_CLONE, 0},
	{"vfork", CONTROL_CLONE, 0},
	{"execve", CONTROL_EXEC, 0},
	{"execveat", CONTROL_EXEC, 0},
	{"seccomp", CONTROL_SECCOMP, 0},
	{"prctl", CONTROL_SECCOMP, 0},
	{"mount", CONTROL_FILLER, 0},
	{"fsopen", CONTROL_FILLER, 0},
	{"userfaultfd", CONTROL_FILLER, 0},
	{"umount2", CONTROL_UNMOUNT, 0},
	{"sched_getaffinity", CONTROL_AFFINITY, 0},
	{"sched_setaffinity", CONTROL_AFFINITY, 0},
	{"unshare", CONTROL_UNSHARE, 1},
	{"close_range", CONTROL_CLOSE_RANGE, 1},
	{"setsockopt", CONTROL_SETSOCKOPT, 1},
	{"socket", CONTROL_SOCKET, 1},
	{"io_uring_setup", CONTROL_IO_URING, 1},
};

static int any_fd(const struct sys_set *traced)
{
	for (size_t i = 0; i < sys_count(); i++) {
		const struct sys_def *def = sys_by_index(i);

		if (def->fd && sys_set_has(traced, def))
			return 1;
	}
	return 0;
}

static const char *const folders[] = {"chdir", "fchdir", "chroot", "pivot_root", "setns"};

/* What changes files tables, or what a path means in them. */
static void follow(struct control_map *m, int recorded)
{
	for (size_t i = 0; i < m->len; i++) {
		const struct sys_def *def = sys_by_index(i);

		if (!(recorded ? identity_follows(def) : identity_closes(def)))
			continue;
		if (!m->kind[i])
			m->kind[i] = CONTROL_FD;
		m->whole[i] = strcmp(def->name, "fcntl") != 0;
		m->said[i] = recorded ? identity_kind(def) : 0;
	}
	for (size_t i = 0; recorded && i < sizeof(folders) / sizeof(*folders); i++) {
		const struct sys_def *def = sys_by_name(folders[i]);

		if (def)
			m->kind[def->index] = CONTROL_FOLDER;
	}
}

/* What could take a number away from the recorder's set-up (recorder/enter.c). */
static const char *const closing[] = {"close", "dup2", "dup3", "close_range"};

/* What could reach into the recorder's memory, or tell where it is. */
static const char *const mappings[] = {"mmap", "munmap", "mremap", "mprotect", "pkey_mprotect",
	"madvise", "process_madvise", "ioctl", "arch_prctl", "msync", "mincore", "mlock", "mlock2",
	"munlock", "mseal", "remap_file_pages", "shmat"};

static void set_kind(struct control_map *m, const char *name, enum control kind)
{
	const struct sys_def *def = sys_by_name(name);

	if (def)
		m->kind[def->index] = (uint8_t)kind;
}

void control_map_build(struct control_map *m, const struct sys_set *traced, int recorded)
{
	*m = (struct control_map){.len = sys_count(), .fds = any_fd(traced)};
	m->kind = mem_calloc(m->len, 1);
	m->traced = mem_calloc(m->len, 1);
	m->whole = mem_calloc(m->len, 1);
	m->said = mem_calloc(m->len, 1);
	for (size_t i = 0; i < m->len; i++)
		m->traced[i] = m->whole[i] = sys_set_has(traced, sys_by_index(i)) != 0;
	for (size_t i = 0; i < sizeof(controls) / sizeof(*controls); i++) {
		const struct sys_def *def = sys_by_name(controls[i].name);

		if (def && (m->fds || !controls[i].fds))
			m->kind[def->index] = (uint8_t)controls[i].kind;
	}
	if (m->fds)
		follow(m, recorded);
	for (size_t i = 0; recorded && !m->fds && i < sizeof(closing) / sizeof(*closing); i++)
		set_kind(m, closing[i], CONTROL_CLOSING);
	for (size_t i = 0; recorded && i < sizeof(mappings) / sizeof(*mappings); i++)
		set_kind(m, mappings[i], CONTROL_MAPPINGS);
}

int control_only_recorder(const struct control_map *m, const struct sys_def *def)
{
	uint8_t kind = m->kind[def->index];

	return !m->traced[def->index] && (kind == CONTROL_MAPPINGS || kind == CONTROL_CLOSING);
}

int control_only_follows(const struct control_map *m, const struct sys_def *def)
{
	uint8_t kind = m->kind[def->index];

	return control_only_recorder(m, def) ||
	       (!m->traced[def->index] &&
		       (kind == CONTROL_FOLDER || (kind == CONTROL_FD && !identity_closes(def))));
}

void control_map_release(struct control_map *m)
{
	free(m->kind);
	free(m->traced);
	free(m->whole);
	free(m->said);
}

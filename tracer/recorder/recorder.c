/* SPDX-License-Identifier: GPL-3.0-only */
/* The recorder's beginning, and which calls it takes. */
#include "tracer/recorder/recorder.h"

#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include "tracer/decode/decode.h"
#include "tracer/tracee.h"

/* Never by the stub: they end the thread, make others, change what the stub stands on, or the
 * tracer must act on them at once. */
static const char *const stopped[] = {"clone", "clone3", "fork", "vfork", "execve", "execveat",
	"exit", "exit_group", "rt_sigreturn", "arch_prctl", "prctl", "seccomp", "setsockopt",
	"unshare", "close_range", "io_uring_setup", "sched_getaffinity", "sched_setaffinity",
	"restart_syscall", "modify_ldt", "set_thread_area", "remap_file_pages", "shmat", "shmdt",
	"pkey_mprotect", "process_madvise", "ptrace", "mount", "umount2", "fsopen", "userfaultfd",
	"chdir", "fchdir", "chroot", "pivot_root", "setns", "pidfd_getfd"};

static const struct {
	const char *name;
	uint8_t kind;
} special[] = {
	{"mmap", KIND_MMAP},
	{"munmap", KIND_RANGE},
	{"madvise", KIND_RANGE},
	{"mprotect", KIND_RANGE},
	{"mlock", KIND_RANGE},
	{"mlock2", KIND_RANGE},
	{"munlock", KIND_RANGE},
	{"msync", KIND_RANGE},
	{"mincore", KIND_RANGE},
	{"mseal", KIND_RANGE},
	{"mremap", KIND_MREMAP},
	{"ioctl", KIND_IOCTL},
};

static uint8_t kind_of(const struct control_map *map, const struct sys_def *def)
{
	if (strcmp(def->name, "mmap") == 0 && !map->traced[def->index])
		return KIND_PASS; /* seen only where it is MAP_FIXED, and its fd is of no interest
				   */
	for (size_t i = 0; i < sizeof(stopped) / sizeof(*stopped); i++)
		if (strcmp(def->name, stopped[i]) == 0)
			return KIND_PASS;
	for (size_t i = 0; i < sizeof(special) / sizeof(*special); i++)
		if (strcmp(def->name, special[i].name) == 0)
			return special[i].kind;
	if (def->decoder && def->decoder->recorded)
		return def->decoder->kind;
	if (def->decoder && !def->decoder->no_memory)
		return KIND_PASS; /* what it reads would be gone */
	return map->said[def->index] ? map->said[def->index] : KIND_PLAIN;
}

/* The most that the result can be. */
static void set_most(struct ring_call *call, const struct sys_def *def)
{
	unsigned int arg = def->unit && call->kind != KIND_IOV ? def->batch : def->bytes;

	if (call->kind == KIND_IOV || call->kind == KIND_MSG_SEND)
		call->most = MOST_BYTES;
	/* With MSG_TRUNC the result is the datagram's length, whatever there was room for. */
	else if (arg && (def->unit || def->bytes_ret) && strcmp(def->name, "recvfrom") != 0)
		*call = (struct ring_call){call->kind, MOST_ARG, (uint8_t)(arg - 1),
			def->args[arg - 1] != 'u' && def->args[arg - 1] != 'd'};
}

/* The program may have another mask, or SIGSYS another disposition, from then on: trap.h. */
static const char *const watched_by_dispatch[] = {"rt_sigprocmask", "rt_sigaction"};

static int is_one_of(const struct sys_def *def, const char *const *names, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (strcmp(def->name, names[i]) == 0)
			return 1;
	return 0;
}

/* Without a filter each call comes that is not recorded: what nobody asked for is counted. */
static uint8_t kind_dispatched(const struct control_map *map, const struct sys_def *def)
{
	if (is_one_of(def, watched_by_dispatch,
		    sizeof(watched_by_dispatch) / sizeof(*watched_by_dispatch)))
		return KIND_PASS;
	if (strcmp(def->name, "mmap") == 0)
		return KIND_MMAP;
	if (map->traced[def->index] || map->kind[def->index])
		return kind_of(map, def);
	if (is_one_of(def, stopped, sizeof(stopped) / sizeof(*stopped)))
		return KIND_PASS;
	return KIND_TALLY;
}

static void fill_kinds(struct recorder *f, const struct control_map *map)
{
	for (uint32_t nr = 0; nr < BLOCK_KINDS_LEN; nr++) {
		const struct sys_def *def = sys_find(ABI_NATIVE, nr);

		int wanted = def && def->index < map->len &&
			     (map->traced[def->index] || map->kind[def->index]);

		if (!wanted && (!f->dispatch || !def || def->index >= map->len))
			continue;
		f->calls[nr].kind = f->kinds[nr] =
			f->dispatch ? kind_dispatched(map, def) : kind_of(map, def);
		set_most(&f->calls[nr], def);
		f->traced[nr] = map->traced[def->index];
		f->only_ours[nr] = (uint8_t)control_only_recorder(map, def);
		/* The ring of io_uring is not what it closes. */
		if (!def->fd || !wanted || strcmp(def->name, "io_uring_enter") == 0)
			f->kinds_no_fds[nr] = f->kinds[nr];
	}
}

/* What changes the meaning of a number or an address: what the tracer would have to see in any
 * case, and memory. A receive that brings fds ends at a stop. */
static int changes_meaning(const struct control_map *map, const struct sys_def *def, uint8_t kind)
{
	if (kind == KIND_MSG_RECV || kind == KIND_MMSG_RECV)
		return 0;
	return map->kind[def->index] != CONTROL_NONE || def->class == CLASS_MEMORY ||
	       strcmp(def->name, "ioctl") == 0;
}

/* Which clock the stub stamps each call with. */
static void fill_clocks(struct recorder *f, const struct control_map *map)
{
	for (uint32_t nr = 0; nr < BLOCK_KINDS_LEN; nr++) {
		const struct sys_def *def = sys_find(ABI_NATIVE, nr);
		uint8_t kind = f->calls[nr].kind;

		if (kind == KIND_TALLY)
			f->clocks[nr] = CLOCK_COUNT;
		else if (kind == KIND_PASS || !f->timeless)
			f->clocks[nr] = CLOCK_READ;
		else
			f->clocks[nr] = changes_meaning(map, def, kind) ? CLOCK_TELL : CLOCK_TAKE;
	}
}

int recorder_may_call(const struct recorder *f, const struct tracee *t, uint32_t nr)
{
	/* Calls that stop for our sake only are nothing that a filter could hide. */
	return !t->own_filter || !f->only_ours[nr];
}

/* Most test programs are too small to meet the recorder otherwise. */
static int tests_want_it_at_once(void)
{
	const char *value = getenv("IOTRACE_TEST_INJECT");

	return value && strcmp(value, "first") == 0;
}

void recorder_init(struct recorder *f, const struct control_map *map, int no_patch,
	const struct recorder_sink *sink, struct filter_pass *ret_pass)
{
	static uint8_t pass[BLOCK_KINDS_LEN], setup[BLOCK_KINDS_LEN];
	static struct filter_pass at_setup;

	f->sink = *sink;
	f->no_patch = no_patch;
	f->at_once = tests_want_it_at_once();
	f->reason = arch_unsupported();
	if (f->reason)
		return;
	f->on = 1;
	tsc_init(&f->tsc);
	fill_kinds(f, map);
	fill_clocks(f, map);
	for (size_t i = 0; i < BLOCK_KINDS_LEN; i++)
		pass[i] = f->kinds[i] != KIND_PASS;
	pass[sys_number(ABI_NATIVE, sys_by_name("restart_syscall"))] = 1;
	setup[SYS_memfd_create] = setup[SYS_mmap] = setup[SYS_madvise] = 1;
	at_setup = (struct filter_pass){arch_setup_after(), setup, BLOCK_KINDS_LEN, NULL};
	*ret_pass = (struct filter_pass){arch_stub_after(), pass, BLOCK_KINDS_LEN, &at_setup};
}

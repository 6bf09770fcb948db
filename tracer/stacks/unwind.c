/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/stacks/unwind.h"

#include <elfutils/libdwfl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "common/base/cleanup.h"
#include "tracer/arch/regs.h"

/* Code that was loaded since is looked for again, but not at each stack where that did not help:
 * generated code never has a file. */
#define PATIENCE_MAX 32

struct unwinder {
	pid_t pid;
	Dwfl *dwfl;
	struct unwind_common *common;
	struct map symbols;                  /* pc -> name */
	unsigned int stacks_since, patience; /* stacks that lead to such code, before it is */
	/* the stack being read */
	const struct user_regs_struct *regs;
	pid_t tid;
	uint64_t page_at;
	uint64_t page[512];
	uint64_t *pcs;
	size_t len, max;
};

/* elfutils' questions for files do not say for which of us. */
static __thread struct {
	struct unwind_common *common;
	int is_walking;
} asking;

/* ---- elfutils asks ---- */

static pid_t next_thread(Dwfl *dwfl, void *ctx, void **thread_arg)
{
	struct unwinder *u = ctx;

	(void)dwfl;
	if (*thread_arg)
		return 0;
	*thread_arg = u;
	return u->tid;
}

static bool get_thread(Dwfl *dwfl, pid_t tid, void *ctx, void **thread_arg)
{
	(void)dwfl;
	(void)tid;
	*thread_arg = ctx;
	return true;
}

static int is_read(const struct unwinder *u, uint64_t addr, void *buf, size_t len)
{
	struct filler *filler = u->common->files.filler;
	struct iovec local = {buf, len}, remote = {(void *)(uintptr_t)addr, len};
	ssize_t n = filler ? filler_read(filler, u->tid, addr, buf, len)
			   : process_vm_readv(u->tid, &local, 1, &remote, 1, 0);

	return n == (ssize_t)len;
}

/* Stacks are read word by word: a page at a time is asked of the kernel. */
static bool memory_read(Dwfl *dwfl, Dwarf_Addr addr, Dwarf_Word *ret, void *ctx)
{
	struct unwinder *u = ctx;
	uint64_t at = addr & ~(uint64_t)(sizeof(u->page) - 1);

	(void)dwfl;
	if (addr % 8 == 0 && u->page_at != at)
		u->page_at = is_read(u, at, u->page, sizeof(u->page)) ? at : UINT64_MAX;
	if (addr % 8 == 0 && u->page_at == at) {
		*ret = u->page[(addr - at) / 8];
		return true;
	}
	return is_read(u, addr, ret, sizeof(*ret));
}

static bool set_registers(Dwfl_Thread *thread, void *ctx)
{
	const struct user_regs_struct *regs = ((struct unwinder *)ctx)->regs;
	uint64_t words[REGS_DWARF_MAX];
	unsigned int len = (unsigned int)regs_dwarf(regs, words);

	dwfl_thread_state_register_pc(thread, regs_ip(regs));
	return dwfl_thread_state_registers(thread, 0, len, words);
}

static const Dwfl_Thread_Callbacks thread_callbacks = {
	.next_thread = next_thread,
	.get_thread = get_thread,
	.memory_read = memory_read,
	.set_initial_registers = set_registers,
};

/*
 * Separate files with debug information are asked for names only. Code that the file's own tables
 * do not cover (that of the loader which begins a process, assembler) is in no others either, and
 * each process of a machine that has such files would have them decompressed for nothing. Never
 * from the network: elfutils' usual way asks a server where the environment names one.
 */
static int find_debuginfo(Dwfl_Module *m, void **ctx, const char *name, Dwarf_Addr base,
	const char *file, const char *link_name, GElf_Word link_crc, char **ret_name)
{
	if (asking.is_walking)
		return -1;
	return dwfl_build_id_find_debuginfo(
		m, ctx, name, base, file, link_name, link_crc, ret_name);
}

/* Gives what is mapped of it, not its number: elfutils would keep one open for each file of each
 * address space. */
static int find_elf(Dwfl_Module *m, void **ctx, const char *name, Dwarf_Addr base, char **ret_name,
	Elf **ret_elf)
{
	cleanup_close int fd = -1;

	if (*name != '/') /* the vDSO, from memory */
		return dwfl_linux_proc_find_elf(m, ctx, name, base, ret_name, ret_elf);
	fd = elf_open(&asking.common->files, name);
	if (fd < 0)
		return -1;
	elf_version(EV_CURRENT);
	*ret_elf = elf_begin(fd, ELF_C_READ_MMAP_PRIVATE, NULL);
	if (*ret_elf)
		elf_cntl(*ret_elf, ELF_C_FDREAD);
	*ret_name = mem_strdup(name); /* elfutils frees it */
	return -1;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = find_debuginfo,
};

static int frame(Dwfl_Frame *state, void *ctx)
{
	struct unwinder *u = ctx;
	Dwarf_Addr pc;
	bool exact;

	if (!dwfl_frame_pc(state, &pc, &exact))
		return DWARF_CB_ABORT;
	u->pcs[u->len++] = exact || !pc ? pc : pc - 1;
	return u->len < u->max ? DWARF_CB_OK : DWARF_CB_ABORT;
}

/* ---- an mm ---- */

static int look(struct unwinder *u)
{
	if (u->dwfl)
		dwfl_end(u->dwfl);
	u->dwfl = dwfl_begin(&callbacks);
	u->stacks_since = 0;
	return u->dwfl && dwfl_linux_proc_report(u->dwfl, u->pid) == 0 &&
	       dwfl_report_end(u->dwfl, NULL, NULL) == 0 &&
	       dwfl_attach_state(u->dwfl, NULL, u->pid, &thread_callbacks, u);
}

void unwind_common_release(struct unwind_common *c)
{
	map_release(&c->by_code);
	arena_release(&c->text);
	elf_open_release(&c->files);
}

struct unwinder *unwinder_new(pid_t pid, struct unwind_common *common)
{
	struct unwinder *u = mem_calloc(1, sizeof(*u));

	u->pid = pid;
	u->common = common;
	asking.common = common;
	if (look(u))
		return u;
	unwinder_free(u);
	return NULL;
}

void unwinder_free(struct unwinder *u)
{
	if (!u)
		return;
	if (u->dwfl)
		dwfl_end(u->dwfl);
	map_release(&u->symbols);
	free(u);
}

static int is_unknown(const struct unwinder *u)
{
	for (size_t i = 0; i < u->len; i++)
		if (!dwfl_addrmodule(u->dwfl, u->pcs[i]))
			return 1;
	return !u->len;
}

static void walk(struct unwinder *u)
{
	u->len = 0;
	u->page_at = UINT64_MAX;
	asking.common = u->common;
	asking.is_walking = 1;
	dwfl_getthread_frames(u->dwfl, u->tid, frame, u);
	asking.is_walking = 0;
}

size_t unwind(struct unwinder *u, pid_t tid, const struct user_regs_struct *regs, uint64_t *ret_pcs,
	size_t max)
{
	u->tid = tid;
	u->regs = regs;
	u->pcs = ret_pcs;
	u->max = max;
	walk(u);
	if (is_unknown(u) && u->stacks_since++ >= u->patience && look(u)) {
		map_release(&u->symbols);
		u->symbols = (struct map){0};
		walk(u);
		u->patience = !is_unknown(u)               ? 0
			      : u->patience < PATIENCE_MAX ? 2 * u->patience + 1
							   : PATIENCE_MAX;
	}
	if (!u->len) /* at least where it is */
		u->pcs[u->len++] = regs_ip(regs);
	return u->len;
}

static const char *file_name(Dwfl_Module *m)
{
	const char *path = dwfl_module_info(m, NULL, NULL, NULL, NULL, NULL, NULL, NULL);

	return path ? basename(path) : "unknown";
}

/* Of the place in the file, the same in each process; 0: not known. A build-id is a hash. */
static uint64_t code_key(Dwfl_Module *m, uint64_t pc)
{
	const unsigned char *id;
	Dwarf_Addr start, vaddr;
	uint64_t key = 0;

	if (!m || dwfl_module_build_id(m, &id, &vaddr) < (int)sizeof(key) ||
		!dwfl_module_info(m, NULL, &start, NULL, NULL, NULL, NULL, NULL))
		return 0;
	memcpy(&key, id, sizeof(key));
	return key ^ (pc - start) * 0x9e3779b97f4a7c15;
}

static const char *name_of(struct unwinder *u, Dwfl_Module *m, uint64_t pc)
{
	const char *name = m ? dwfl_module_addrname(m, pc) : NULL;

	return name ? arena_strdup(&u->common->text, name)
		    : arena_printf(&u->common->text, "[%s]", m ? file_name(m) : "unknown");
}

const char *unwind_symbol(struct unwinder *u, uint64_t pc)
{
	const char *name = map_get(&u->symbols, pc);
	Dwfl_Module *m;
	uint64_t key;

	if (name)
		return name;
	asking.common = u->common;
	m = dwfl_addrmodule(u->dwfl, pc);
	key = code_key(m, pc);
	name = key ? map_get(&u->common->by_code, key) : NULL;
	if (!name)
		name = name_of(u, m, pc);
	if (key)
		map_set(&u->common->by_code, key, (void *)(uintptr_t)name);
	map_set(&u->symbols, pc, (void *)(uintptr_t)name);
	return name;
}

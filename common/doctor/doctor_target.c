/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What the file of a program tells of itself: symbol tables, and what its compilers wrote into the
 * debug information. libelf and libdw read it, in a child: the file may be damaged on purpose.
 */
#include "common/doctor/doctor.h"
#include "common/doctor/doctor_parts.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <elfutils/libdwelf.h>
#include <errno.h>
#include <fcntl.h>
#include <gelf.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "common/base/cleanup.h"

/* Enough to know a program by; the largest have some 100,000 units. */
enum { UNITS_MAX = 20000 };

/* ---- symbols ---- */

static void see_name(const char *name, struct doctor_target *t)
{
	static const char *const others[] = {"__tsan_", "__msan_", "__hwasan_"};

	if (!strncmp(name, "__asan_", 7))
		t->has_asan = 1;
	if (!strncmp(name, "__lsan_", 7))
		t->has_lsan = 1;
	for (size_t i = 0; i < LEN(others); i++)
		if (!strncmp(name, others[i], strlen(others[i])))
			t->has_other_sanitizer = 1;
}

/* Calls of other files stand in the table for the dynamic linker. */
static void see_allocation(
	const char *name, const GElf_Sym *symbol, int dynamic, struct doctor_target *t)
{
	static const char *const allocators[] = {
		"_rjem_malloc", "je_malloc", "mi_malloc", "tc_malloc"};
	static const char *const mallocs[] = {"malloc", "calloc", "realloc", "posix_memalign",
		"aligned_alloc", "memalign", "reallocarray", "strdup", "_Znwm", "_Znam"};
	int here = symbol->st_shndx != SHN_UNDEF;

	t->has_malloc |= here && !strcmp(name, "malloc");
	t->calls_mmap |= dynamic && !here && (!strcmp(name, "mmap") || !strcmp(name, "mmap64"));
	for (size_t i = 0; !here && dynamic && i < LEN(mallocs); i++)
		t->calls_malloc |= !strcmp(name, mallocs[i]);
	for (size_t i = 0; here && i < LEN(allocators); i++)
		if (!strcmp(name, allocators[i]))
			strncpy(t->allocator, name, sizeof(t->allocator) - 1);
}

static void see_symbols(Elf *elf, Elf_Scn *section, const GElf_Shdr *h, struct doctor_target *t)
{
	Elf_Data *data = elf_getdata(section, NULL);
	size_t count = data && h->sh_entsize ? h->sh_size / h->sh_entsize : 0;

	for (size_t i = 0; i < count && i < INT_MAX; i++) {
		GElf_Sym symbol;
		const char *name;

		if (!gelf_getsym(data, (int)i, &symbol))
			return;
		if (h->sh_type == SHT_SYMTAB && GELF_ST_TYPE(symbol.st_info) == STT_FUNC &&
			symbol.st_shndx != SHN_UNDEF)
			t->functions++;
		name = elf_strptr(elf, h->sh_link, symbol.st_name);
		if (!name)
			continue;
		see_name(name, t);
		see_allocation(name, &symbol, h->sh_type == SHT_DYNSYM, t);
	}
}

static void see_sections(Elf *elf, struct doctor_target *t)
{
	Elf_Scn *section = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) < 0)
		return;
	while ((section = elf_nextscn(elf, section))) {
		const char *name;
		GElf_Shdr h;

		if (!gelf_getshdr(section, &h))
			return;
		name = elf_strptr(elf, names, h.sh_name);
		if (h.sh_type == SHT_SYMTAB || h.sh_type == SHT_DYNSYM)
			see_symbols(elf, section, &h, t);
		if (!name || h.sh_type == SHT_NOBITS)
			continue;
		t->is_go |= !strcmp(name, ".go.buildinfo") || !strcmp(name, ".note.go.buildid");
		t->has_debug_info |= !strcmp(name, ".debug_info");
		t->has_unwind_info |= !strcmp(name, ".eh_frame") || !strcmp(name, ".debug_frame");
	}
}

/* ---- compilers ---- */

static void see_unit(Dwarf_Die *die, struct doctor_units *u)
{
	Dwarf_Attribute attribute;
	const char *producer = dwarf_formstring(dwarf_attr(die, DW_AT_producer, &attribute));
	const char *name = dwarf_diename(die);
	enum doctor_yes optimized, frame_pointers;

	if (!producer || doctor_producer_is_assembler(producer))
		return;
	if (!u->all++)
		strncpy(u->producer, producer, sizeof(u->producer) - 1);
	optimized = doctor_producer_optimized(producer);
	u->optimized += optimized == DOCTOR_YES;
	if (optimized == DOCTOR_NO && !u->unoptimized++ && name)
		strncpy(u->first_unoptimized, name, sizeof(u->first_unoptimized) - 1);
	frame_pointers = doctor_producer_frame_pointers(producer);
	u->with_fp += frame_pointers == DOCTOR_YES;
	u->without_fp += frame_pointers == DOCTOR_NO;
}

static void see_units(Elf *elf, struct doctor_units *u)
{
	Dwarf *dwarf = dwarf_begin_elf(elf, DWARF_C_READ, NULL);
	Dwarf_CU *cu = NULL;
	Dwarf_Die die;

	if (!dwarf)
		return;
	for (int i = 0;
		i < UNITS_MAX && dwarf_get_units(dwarf, cu, &cu, NULL, NULL, &die, NULL) == 0; i++)
		see_unit(&die, u);
	dwarf_end(dwarf);
}

/* ---- the file ---- */

/* Debian and Fedora put debug information of packages there, by build-id. */
static void see_separate_debug_info(Elf *elf, struct doctor_target *t)
{
	const void *id;
	ssize_t n = dwelf_elf_gnu_build_id(elf, &id);
	char hex[2 * 64 + 1];

	if (n < 2 || n > 64)
		return;
	for (ssize_t i = 0; i < n; i++)
		snprintf(hex + 2 * i, 3, "%02x", ((const unsigned char *)id)[i]);
	cleanup_free char *path =
		mem_printf("/usr/lib/debug/.build-id/%.2s/%s.debug", hex, hex + 2);
	t->has_separate_debug_info = access(path, R_OK) == 0;
}

static int is_dynamic(Elf *elf)
{
	size_t count = 0;

	elf_getphdrnum(elf, &count);
	for (size_t i = 0; i < count && i < INT_MAX; i++) {
		GElf_Phdr h;

		if (gelf_getphdr(elf, (int)i, &h) && h.p_type == PT_INTERP)
			return 1;
	}
	return 0;
}

static int is_foreign(const GElf_Ehdr *h)
{
#ifdef __x86_64__
	return h->e_machine != EM_X86_64 && h->e_machine != EM_386;
#elif defined(__aarch64__)
	return h->e_machine != EM_AARCH64 && h->e_machine != EM_ARM;
#else
	return 0;
#endif
}

static void see_elf(int fd, int lightly, struct doctor_target *t)
{
	Elf *elf;
	GElf_Ehdr h;

	elf_version(EV_CURRENT);
	elf = elf_begin(fd, ELF_C_READ_MMAP_PRIVATE, NULL);
	if (!elf)
		return;
	if (elf_kind(elf) == ELF_K_ELF && gelf_getehdr(elf, &h)) {
		t->is_elf = 1;
		t->is_32bit = gelf_getclass(elf) == ELFCLASS32;
		t->foreign = is_foreign(&h);
		t->is_static = !is_dynamic(elf);
		see_sections(elf, t);
		if (!lightly) {
			see_separate_debug_info(elf, t);
			see_units(elf, &t->units);
		}
	}
	elf_end(elf);
}

struct look {
	const char *path;
	int lightly;
};

static void look_in_child(const void *arg, void *result)
{
	const struct look *look = arg;
	struct doctor_target *t = result;
	cleanup_close int fd = open(look->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char start[2] = "";
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		t->code = -errno;
		return;
	}
	if (!S_ISREG(st.st_mode)) {
		t->code = -EISDIR;
		return;
	}
	t->is_setuid = (st.st_mode & (S_ISUID | S_ISGID)) != 0;
	t->has_file_capabilities = fgetxattr(fd, "security.capability", NULL, 0) > 0;
	t->is_script = pread(fd, start, 2, 0) == 2 && !memcmp(start, "#!", 2);
	if (!t->is_script)
		see_elf(fd, look->lightly, t);
}

static void look_at(const struct look *look, struct doctor_target *ret)
{
	const char *path = look->path;
	int ended;

	*ret = (struct doctor_target){0};
	if (access(path, F_OK) < 0) {
		ret->code = -errno;
		return;
	}
	ended = doctor_in_child(look_in_child, look, ret, sizeof(*ret));
	if (ended)
		ret->code = ended < 0 ? ended : -ENOEXEC;
	else if (ret->code == -EACCES && access(path, X_OK) == 0)
		ret->code = -EPERM; /* it can be executed and not read */
	else if (!ret->code && access(path, X_OK) < 0)
		ret->code = -EACCES;
}

void doctor_look_at_target(const char *path, struct doctor_target *ret)
{
	look_at(&(struct look){.path = path}, ret);
}

void doctor_look_at_allocation(const char *path, struct doctor_target *ret)
{
	look_at(&(struct look){.path = path, .lightly = 1}, ret);
}

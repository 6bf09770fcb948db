/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/arch/x86_64/functions.h"

#include <gelf.h>
#include <libelf.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/mem.h"
#include "tracer/arch/x86_64/segments.h"

/* Functions before an address among which the one that it is in is looked for. */
#define LOOK_BACK 24

struct functions {
	struct segments segments;
	off_t file_bytes;
	struct unwind {
		uint64_t start, entry; /* addresses of the function and of its table entry */
	} * unwinds;                   /* by start */
	size_t unwinds_len;
	struct ranges symbols; /* and what else tells of functions; by start */
};

/* ---- the file ---- */

size_t functions_code(const struct functions *f, uint64_t addr, uint8_t *buf, size_t len)
{
	return segments_bytes(&f->segments, addr, buf, len, 1);
}

uint64_t functions_address(const struct functions *f, uint64_t offset)
{
	return segments_address(&f->segments, offset);
}

/* ---- the unwind table ---- */

/* How .eh_frame_hdr is written by every linker: version 1, and these encodings. */
static const uint8_t header_known[4] = {1, 0x1b, 0x03, 0x3b};
#define ENTRIES_MAX (1U << 24)

static int unwind_cmp(const void *a, const void *b)
{
	const struct unwind *x = a, *y = b;

	return (x->start > y->start) - (x->start < y->start);
}

/* It is sorted in the file: only a hostile one takes the second step. */
static void sort_unwinds(struct functions *f)
{
	for (size_t i = 1; i < f->unwinds_len; i++)
		if (f->unwinds[i - 1].start > f->unwinds[i].start) {
			qsort(f->unwinds, f->unwinds_len, sizeof(*f->unwinds), unwind_cmp);
			return;
		}
}

static void read_unwinds(struct functions *f, uint64_t header)
{
	struct {
		uint8_t known[4];
		int32_t frames;
		uint32_t count;
	} h;
	int32_t(*table)[2];
	size_t bytes;

	if (segments_bytes(&f->segments, header, &h, sizeof(h), 0) != sizeof(h) ||
		memcmp(h.known, header_known, sizeof(h.known)) != 0 || h.count > ENTRIES_MAX ||
		h.count > (uint64_t)f->file_bytes / sizeof(*table))
		return;
	bytes = h.count * sizeof(*table);
	table = mem_calloc(h.count + 1, sizeof(*table));
	if (segments_bytes(&f->segments, header + sizeof(h), table, bytes, 0) == bytes) {
		f->unwinds = mem_calloc(h.count + 1, sizeof(*f->unwinds));
		f->unwinds_len = h.count;
		for (size_t i = 0; i < h.count; i++)
			f->unwinds[i] = (struct unwind){header + (uint64_t)(int64_t)table[i][0],
				header + (uint64_t)(int64_t)table[i][1]};
		sort_unwinds(f);
	}
	free(table);
}

/* The end of an entry's range; its start where the entry says something else. */
static uint64_t unwind_end(const struct functions *f, const struct unwind *u)
{
	struct {
		uint32_t length, cie;
		int32_t start;
		uint32_t bytes;
	} fde;

	if (segments_bytes(&f->segments, u->entry, &fde, sizeof(fde), 0) != sizeof(fde) ||
		fde.length < 12 || fde.length >= 0xfffffff0 || !fde.cie ||
		u->entry + 8 + (uint64_t)(int64_t)fde.start != u->start)
		return u->start;
	return u->start + fde.bytes;
}

/* ---- symbols ---- */

/* Assembler code has symbols without a type, or without a size: they are borders all the same. */
static int is_border(const struct functions *f, const GElf_Sym *sym)
{
	int type = GELF_ST_TYPE(sym->st_info);

	return (type == STT_FUNC || type == STT_GNU_IFUNC || type == STT_NOTYPE) && sym->st_value &&
	       sym->st_value + sym->st_size >= sym->st_value &&
	       segments_is_code(&f->segments, sym->st_value);
}

static void read_symbols(struct functions *f, Elf_Scn *scn, const GElf_Shdr *sh)
{
	Elf_Data *data = elf_getdata(scn, NULL);
	size_t n = data && sh->sh_entsize ? data->d_size / sh->sh_entsize : 0;

	for (size_t i = 0; i < n && i < ENTRIES_MAX; i++) {
		GElf_Sym sym;

		if (!gelf_getsym(data, (int)i, &sym) || !is_border(f, &sym))
			continue;
		*VEC_PUSH(&f->symbols) =
			(struct function){sym.st_value, sym.st_value + sym.st_size};
	}
}

static int function_cmp(const void *a, const void *b)
{
	const struct function *x = a, *y = b;

	if (x->start != y->start)
		return x->start > y->start ? 1 : -1;
	return (x->end > y->end) - (x->end < y->end);
}

static void read_all_symbols(struct functions *f, Elf *elf)
{
	size_t tables = 0, dynamic_tables = 0;
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;

	/* One of each: a hostile file could have thousands. */
	while ((scn = elf_nextscn(elf, scn)))
		if (gelf_getshdr(scn, &sh) &&
			((sh.sh_type == SHT_SYMTAB && !tables++) ||
				(sh.sh_type == SHT_DYNSYM && !dynamic_tables++)))
			read_symbols(f, scn, &sh);
	if (!tables)
		ranges_of_go(elf, &f->segments, &f->symbols);
	if (!f->unwinds_len)
		ranges_of_unwind(elf, &f->symbols);
	if (f->symbols.len)
		qsort(f->symbols.at, f->symbols.len, sizeof(*f->symbols.at), function_cmp);
}

/* ---- opening ---- */

struct functions *functions_open(int fd)
{
	struct functions *f = mem_calloc(1, sizeof(*f));
	struct stat st = {0};
	uint64_t header = 0;
	Elf *elf;
	int rc = -1;

	elf_version(EV_CURRENT);
	f->segments.fd = fd;
	f->file_bytes = fstat(fd, &st) == 0 ? st.st_size : 0;
	elf = elf_begin(fd, ELF_C_READ, NULL);
	if (elf && elf_kind(elf) == ELF_K_ELF)
		rc = segments_read(&f->segments, elf, &header);
	if (rc == 0) {
		if (header)
			read_unwinds(f, header);
		read_all_symbols(f, elf);
	}
	elf_end(elf);
	f->segments.fd = -1;
	if (rc == 0)
		return f;
	functions_free(f);
	return NULL;
}

void functions_free(struct functions *f)
{
	if (!f)
		return;
	free(f->unwinds);
	free(f->symbols.at);
	free(f);
}

void functions_read_from(struct functions *f, int fd)
{
	f->segments.fd = fd;
}

/* ---- looking up ---- */

/* Index of the first unwind entry (symbol) that begins at addr or after it. */
static size_t first_unwind(const struct functions *f, uint64_t addr)
{
	size_t lo = 0, hi = f->unwinds_len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->unwinds[mid].start < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

static size_t first_symbol(const struct functions *f, uint64_t addr)
{
	size_t lo = 0, hi = f->symbols.len;

	while (lo < hi) {
		size_t mid = lo + (hi - lo) / 2;

		if (f->symbols.at[mid].start < addr)
			lo = mid + 1;
		else
			hi = mid;
	}
	return lo;
}

size_t functions_near(
	const struct functions *f, uint64_t from, uint64_t until, struct function *ret, size_t max)
{
	size_t n = 0, i = first_unwind(f, from), j = first_symbol(f, from);

	for (i = i > LOOK_BACK ? i - LOOK_BACK : 0;
		n < max && i < f->unwinds_len && f->unwinds[i].start < until; i++)
		ret[n++] = (struct function){f->unwinds[i].start, unwind_end(f, &f->unwinds[i])};
	for (j = j > LOOK_BACK ? j - LOOK_BACK : 0;
		n < max && j < f->symbols.len && f->symbols.at[j].start < until; j++)
		ret[n++] = f->symbols.at[j];
	qsort(ret, n, sizeof(*ret), function_cmp);
	return n;
}

int functions_at(const struct functions *f, uint64_t addr, struct function *ret)
{
	struct function near[4 * LOOK_BACK];
	size_t n = functions_near(f, addr, addr + 1, near, sizeof(near) / sizeof(*near));
	int found = 0;

	for (size_t i = 0; i < n; i++) {
		if (addr < near[i].start || addr >= near[i].end)
			continue;
		if (!found || near[i].start > ret->start)
			*ret = near[i];
		found = 1;
	}
	return found;
}

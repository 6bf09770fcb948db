/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/arch/x86_64/ranges.h"

#include <elfutils/libdw.h>
#include <gelf.h>
#include <string.h>

#include "common/base/mem.h"
#include "tracer/arch/arch.h"

#define RANGES_MAX (1U << 22)

/* The first section whose name ends so. */
static Elf_Scn *section(Elf *elf, const char *end, GElf_Shdr *ret)
{
	Elf_Scn *scn = NULL;
	size_t names;

	if (elf_getshdrstrndx(elf, &names) < 0)
		return NULL;
	while ((scn = elf_nextscn(elf, scn))) {
		const char *name =
			gelf_getshdr(scn, ret) ? elf_strptr(elf, names, ret->sh_name) : NULL;
		size_t len = name ? strlen(name) : 0;

		if (len >= strlen(end) && strcmp(name + len - strlen(end), end) == 0 &&
			ret->sh_type != SHT_NOBITS)
			return scn;
	}
	return NULL;
}

/* ---- unwind ranges ---- */

#define RELATIVE_32 0x1b /* DW_EH_PE_pcrel | DW_EH_PE_sdata4: what x86-64 compilers write */

/* 1 if addresses of the entries of this kind are written so. */
static int is_relative_32(const Dwarf_CIE *cie)
{
	const uint8_t *p = cie->augmentation_data;
	size_t left = cie->augmentation_data_size;

	if (!p || !cie->augmentation || cie->augmentation[0] != 'z')
		return 0;
	for (const char *a = cie->augmentation + 1; *a; a++) {
		size_t bytes = *a == 'S' ? 0 : 1;

		if (left < bytes)
			return 0;
		if (*a == 'R')
			return *p == RELATIVE_32;
		if (*a == 'P' && left) /* the encoding, and a pointer */
			bytes += (*p & 7) == 3 ? 4 : 8;
		if (left < bytes)
			return 0;
		p += bytes;
		left -= bytes;
	}
	return 0;
}

/* Where there are common entries of that kind; linkers merge those that are equal. */
#define COMMON_MAX 64
struct common {
	Dwarf_Off at[COMMON_MAX];
	size_t len;
};

static int is_known(const struct common *c, Dwarf_Off at)
{
	for (size_t i = c->len; i > 0; i--)
		if (c->at[i - 1] == at)
			return 1;
	return 0;
}

static void add_unwind(const Elf_Data *data, uint64_t addr, const uint8_t *p, struct ranges *ret)
{
	uint64_t start = addr + (uint64_t)(p - (const uint8_t *)data->d_buf);
	int32_t away;
	uint32_t bytes;

	memcpy(&away, p, sizeof(away));
	memcpy(&bytes, p + sizeof(away), sizeof(bytes));
	start += (uint64_t)(int64_t)away;
	if (bytes && start + bytes > start && ret->len < RANGES_MAX)
		*VEC_PUSH(ret) = (struct function){start, start + bytes};
}

void ranges_of_unwind(Elf *elf, struct ranges *ret)
{
	const unsigned char *ident = (const unsigned char *)elf_getident(elf, NULL);
	struct common known = {0};
	Dwarf_Off at = 0, next = 0;
	Dwarf_CFI_Entry e;
	GElf_Shdr sh;
	Elf_Scn *scn = section(elf, ".eh_frame", &sh);
	Elf_Data *data = scn ? elf_rawdata(scn, NULL) : NULL;

	if (!ident || !data || !data->d_buf)
		return;
	for (; dwarf_next_cfi(ident, data, true, at, &next, &e) == 0 && next > at; at = next) {
		if (dwarf_cfi_cie_p(&e) && is_relative_32(&e.cie) && known.len < COMMON_MAX)
			known.at[known.len++] = at;
		else if (!dwarf_cfi_cie_p(&e) && is_known(&known, e.fde.CIE_pointer) &&
			 e.fde.end - e.fde.start >= 8)
			add_unwind(data, sh.sh_addr, e.fde.start, ret);
	}
}

/* ---- Go ---- */

struct go_table {
	uint32_t magic;
	uint8_t zero[2], quantum, pointer_bytes;
	uint64_t functions, files, text, at_names, at_units, at_files, at_values, at_functions;
};

#define GO_1_18 0xfffffff0
#define GO_1_20 0xfffffff1

/* A function's range goes on to the next one: without the filling at its end. */
static uint64_t without_filling(const struct segments *s, uint64_t start, uint64_t end)
{
	uint8_t code[64];
	size_t len = end - start < sizeof(code) ? (size_t)(end - start) : sizeof(code);

	if (segments_bytes(s, end - len, code, len, 1) != len)
		return start;
	while (len && code[len - 1] == ARCH_TRAP) {
		len--;
		end--;
	}
	return end;
}

void ranges_of_go(Elf *elf, const struct segments *s, struct ranges *ret)
{
	GElf_Shdr sh;
	Elf_Scn *scn = section(elf, ".gopclntab", &sh);
	Elf_Data *data = scn ? elf_rawdata(scn, NULL) : NULL;
	struct go_table t;
	uint32_t entry[3]; /* address, what is known of it; the next one's address */

	if (!data || !data->d_buf || data->d_size < sizeof(t))
		return;
	memcpy(&t, data->d_buf, sizeof(t));
	if ((t.magic != GO_1_18 && t.magic != GO_1_20) || t.pointer_bytes != 8 ||
		t.at_functions > data->d_size || t.functions > RANGES_MAX ||
		data->d_size - t.at_functions < t.functions * 8 + 4)
		return;
	for (size_t i = 0; i < t.functions && ret->len < RANGES_MAX; i++) {
		memcpy(entry, (const uint8_t *)data->d_buf + t.at_functions + i * 8, sizeof(entry));
		if (entry[2] > entry[0] && t.text + entry[2] > t.text)
			*VEC_PUSH(ret) = (struct function){t.text + entry[0],
				without_filling(s, t.text + entry[0], t.text + entry[2])};
	}
}

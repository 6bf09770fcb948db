/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/arch/x86_64/segments.h"

#include <gelf.h>
#include <unistd.h>

int segments_read(struct segments *s, Elf *elf, uint64_t *ret_unwind)
{
	size_t n;
	GElf_Ehdr eh;

	if (!gelf_getehdr(elf, &eh) || eh.e_machine != EM_X86_64 ||
		eh.e_ident[EI_CLASS] != ELFCLASS64 || elf_getphdrnum(elf, &n) < 0)
		return -1;
	for (size_t i = 0; i < n && s->len < SEGMENTS_MAX; i++) {
		GElf_Phdr ph;

		if (!gelf_getphdr(elf, (int)i, &ph))
			return -1;
		if (ph.p_type == PT_GNU_EH_FRAME)
			*ret_unwind = ph.p_vaddr;
		if (ph.p_type == PT_LOAD && ph.p_vaddr + ph.p_filesz >= ph.p_vaddr)
			s->at[s->len++] = (struct segment){
				ph.p_vaddr, ph.p_offset, ph.p_filesz, (ph.p_flags & PF_X) != 0};
	}
	return s->len ? 0 : -1;
}

size_t segments_bytes(const struct segments *s, uint64_t addr, void *buf, size_t len, int code)
{
	for (size_t i = 0; i < s->len; i++) {
		const struct segment *at = &s->at[i];
		uint64_t rest = at->bytes - (addr - at->addr);
		ssize_t n;

		if ((code && !at->executable) || addr < at->addr || addr - at->addr >= at->bytes)
			continue;
		n = pread(s->fd, buf, len < rest ? len : (size_t)rest,
			(off_t)(at->offset + (addr - at->addr)));
		return n > 0 ? (size_t)n : 0;
	}
	return 0;
}

int segments_is_code(const struct segments *s, uint64_t addr)
{
	for (size_t i = 0; i < s->len; i++)
		if (s->at[i].executable && addr >= s->at[i].addr &&
			addr - s->at[i].addr < s->at[i].bytes)
			return 1;
	return 0;
}

uint64_t segments_address(const struct segments *s, uint64_t offset)
{
	for (size_t i = 0; i < s->len; i++) {
		const struct segment *at = &s->at[i];

		if (at->executable && offset >= at->offset && offset - at->offset < at->bytes)
			return at->addr + (offset - at->offset);
	}
	return UINT64_MAX;
}

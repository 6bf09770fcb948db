/* SPDX-License-Identifier: GPL-3.0-only */
#include <dlfcn.h>
#include <elf.h>
#include <elfutils/libdw.h>
#include <fcntl.h>
#include <gelf.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include <cmocka.h>

#include <Zydis/Zydis.h>

#include "common/base/mem.h"
#include "tracer/arch/arch.h"
#include "tracer/recorder/plan.h"

#define ROWS(a)   (sizeof(a) / sizeof((a)[0]))
#define TIMEOUT_S 120 /* a loop without end is a failure */

/* ---- a small ELF file: its addresses are its offsets ---- */

#define TEXT       0x1000U
#define TEXT_BYTES 0x400U
#define UNWIND     0x2000U
#define SYMBOLS    0x3000U
#define STRINGS    0x3800U
#define SECTIONS   0x3900U
#define FILE_BYTES 0x3c00U
#define PIECES_MAX 6

enum known {
	BY_NOTHING,
	BY_SYMBOL,      /* with its size */
	BY_BARE_SYMBOL, /* without */
	BY_UNWIND,
	BY_UNWIND_EARLY, /* the range begins a byte before the function */
};

struct piece {
	unsigned int at; /* in the text */
	const char *hex; /* NULL: no more pieces */
	enum known known;
};

struct elf_file {
	uint8_t bytes[FILE_BYTES];
};

static size_t hex_to(uint8_t *to, const char *hex)
{
	size_t n = 0;

	for (const char *p = hex; *p; p++) {
		char pair[3] = {p[0], p[1], 0};

		if (*p == ' ')
			continue;
		to[n++] = (uint8_t)strtoul(pair, NULL, 16);
		p++;
	}
	return n;
}

static void put(struct elf_file *f, size_t at, const void *p, size_t n)
{
	assert_true(at + n <= sizeof(f->bytes));
	memcpy(f->bytes + at, p, n);
}

static void put32(struct elf_file *f, size_t at, uint32_t v)
{
	put(f, at, &v, sizeof(v));
}

static void put_headers(struct elf_file *f, int with_index)
{
	Elf64_Ehdr eh = {.e_type = ET_DYN,
		.e_machine = EM_X86_64,
		.e_version = EV_CURRENT,
		.e_phoff = sizeof(eh),
		.e_shoff = SECTIONS,
		.e_ehsize = sizeof(eh),
		.e_phentsize = sizeof(Elf64_Phdr),
		.e_phnum = with_index ? 3 : 2,
		.e_shentsize = sizeof(Elf64_Shdr),
		.e_shnum = 4,
		.e_shstrndx = 2};
	const Elf64_Phdr ph[] = {
		{PT_LOAD, PF_R | PF_X, TEXT, TEXT, TEXT, TEXT_BYTES, TEXT_BYTES, 0x1000},
		{PT_LOAD, PF_R, UNWIND, UNWIND, UNWIND, SYMBOLS - UNWIND, SYMBOLS - UNWIND, 0x1000},
		{PT_GNU_EH_FRAME, PF_R, UNWIND, UNWIND, UNWIND, 0x100, 0x100, 4},
	};

	memcpy(eh.e_ident, ELFMAG, SELFMAG);
	eh.e_ident[EI_CLASS] = ELFCLASS64;
	eh.e_ident[EI_DATA] = ELFDATA2LSB;
	eh.e_ident[EI_VERSION] = EV_CURRENT;
	put(f, 0, &eh, sizeof(eh));
	put(f, sizeof(eh), ph, sizeof(ph));
}

#define FRAMES (UNWIND + 0x100) /* where .eh_frame begins */

static void put_sections(struct elf_file *f, size_t symbols, size_t frames_bytes)
{
	static const char names[] = "\0.symtab\0.strtab\0.eh_frame\0.gopclntab";
	const Elf64_Shdr sh[] = {
		{0},
		{.sh_name = 1,
			.sh_type = SHT_SYMTAB,
			.sh_offset = SYMBOLS,
			.sh_size = symbols * sizeof(Elf64_Sym),
			.sh_link = 2,
			.sh_info = 1,
			.sh_addralign = 8,
			.sh_entsize = sizeof(Elf64_Sym)},
		{.sh_name = 9,
			.sh_type = SHT_STRTAB,
			.sh_offset = STRINGS,
			.sh_size = sizeof(names),
			.sh_addralign = 1},
		{.sh_name = 17,
			.sh_type = SHT_PROGBITS,
			.sh_flags = SHF_ALLOC,
			.sh_addr = FRAMES,
			.sh_offset = FRAMES,
			.sh_size = frames_bytes,
			.sh_addralign = 8},
	};

	put(f, STRINGS, names, sizeof(names));
	put(f, SECTIONS, sh, sizeof(sh));
}

/* One entry: after the common one, of 20 bytes. */
static void put_unwind(struct elf_file *f, size_t n, uint32_t start, uint32_t bytes)
{
	static const uint8_t common[] = {
		16, 0, 0, 0, 0, 0, 0, 0, 1, 'z', 'R', 0, 1, 0x78, 16, 1, 0x1b, 0, 0, 0};
	uint32_t at = FRAMES + 20 + (uint32_t)n * 20;

	put(f, FRAMES, common, sizeof(common));
	put32(f, at, 16);
	put32(f, at + 4, at + 4 - FRAMES);
	put32(f, at + 8, start - (at + 8));
	put32(f, at + 12, bytes);
	put32(f, at + 20, 0);
	put(f, UNWIND, "\1\x1b\3\x3b", 4);
	put32(f, UNWIND + 4, FRAMES - (UNWIND + 4));
	put32(f, UNWIND + 8, (uint32_t)n + 1);
	put32(f, UNWIND + 12 + (uint32_t)n * 8, start - UNWIND);
	put32(f, UNWIND + 16 + (uint32_t)n * 8, at - UNWIND);
}

static void build(struct elf_file *f, const struct piece *pieces, int filler, int with_index)
{
	size_t symbols = 1, unwinds = 0;

	memset(f->bytes, 0, sizeof(f->bytes));
	memset(f->bytes + TEXT, filler, TEXT_BYTES);
	for (size_t i = 0; i < PIECES_MAX && pieces[i].hex; i++) {
		const struct piece *p = &pieces[i];
		uint32_t len = (uint32_t)hex_to(f->bytes + TEXT + p->at, p->hex);
		Elf64_Sym sym = {.st_info = ELF64_ST_INFO(STB_LOCAL, STT_FUNC),
			.st_shndx = 1,
			.st_value = TEXT + p->at,
			.st_size = p->known == BY_SYMBOL ? len : 0};

		if (p->known == BY_SYMBOL || p->known == BY_BARE_SYMBOL)
			put(f, SYMBOLS + symbols++ * sizeof(sym), &sym, sizeof(sym));
		if (p->known == BY_UNWIND)
			put_unwind(f, unwinds++, TEXT + p->at, len);
		if (p->known == BY_UNWIND_EARLY)
			put_unwind(f, unwinds++, TEXT + p->at - 1, len + 1);
	}
	put_headers(f, with_index && unwinds);
	put_sections(f, symbols, 20 + unwinds * 20 + 4);
}

static int memory_file(const void *p, size_t n)
{
	int fd = memfd_create("plan", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, p, n), (ssize_t)n);
	return fd;
}

static struct code *open_bytes(const void *p, size_t n)
{
	int fd = memory_file(p, n);
	struct code *c = code_open(fd, NULL);

	close(fd);
	return c;
}

/* The plan for the call at that place of the text. */
static void plan_of(struct elf_file *f, unsigned int site, struct plan *ret)
{
	int fd = memory_file(f->bytes, sizeof(f->bytes));
	struct code *c = code_open(fd, NULL);
	struct plan again;

	assert_non_null(c);
	memset(ret, 0xff, sizeof(*ret));
	assert_int_equal(code_planned(c, TEXT + site, ret), 0);
	code_plan(c, fd, TEXT + site, ret);
	close(fd);
	assert_int_equal(code_planned(c, TEXT + site, &again), 1); /* without the file */
	assert_memory_equal(&again, ret, sizeof(again));
	code_free(c);
}

/* ---- what is a plan for what ---- */

#define CALL_1   "b801000000 0f05 c3"  /* mov $1, %eax; syscall; ret: site at 5 */
#define SHORT    "31c0 0f05 c3"        /* xor %eax, %eax; syscall; ret: site at 2 */
#define SIGRET   "48c7c00f000000 0f05" /* the site at 7 */
#define NOPS_16  "0f1f8400000000000f1f840000000000"
#define NOPS_144 NOPS_16 NOPS_16 NOPS_16 NOPS_16 NOPS_16 NOPS_16 NOPS_16 NOPS_16 NOPS_16

struct plan_row {
	const char *what;
	unsigned int site;
	int filler;
	enum plan_kind kind;
	struct piece pieces[PIECES_MAX];
	const char *reason; /* part of it */
	unsigned int springboards[PLAN_SPRINGBOARDS_MAX];
};

static const struct plan_row rows[] = {
	{"nops after a return", 5, 0x90, PLAN_PADDING,
		{{0, CALL_1, BY_SYMBOL}, {16, "c3", BY_SYMBOL}}, NULL, {8}},
	{"the same by unwind ranges", 5, 0x90, PLAN_PADDING,
		{{0, CALL_1, BY_UNWIND}, {16, "c3", BY_UNWIND}}, NULL, {8}},
	{"int3", 5, 0xcc, PLAN_PADDING, {{0, CALL_1, BY_SYMBOL}, {16, "c3", BY_SYMBOL}}, NULL, {8}},
	{"zeros", 5, 0, PLAN_PADDING, {{0, CALL_1, BY_SYMBOL}, {16, "c3", BY_SYMBOL}}, NULL, {8}},
	{"a long nop", 5, 0x90, PLAN_PADDING,
		{{0, CALL_1, BY_SYMBOL}, {8, "0f1f840000000000", BY_NOTHING},
			{16, "c3", BY_SYMBOL}},
		NULL, {8}},
	{"nearest first, before and after", 0x25, 0x90, PLAN_PADDING,
		{{0, "c3", BY_SYMBOL}, {0x20, CALL_1, BY_SYMBOL}, {0x30, "c3", BY_SYMBOL}}, NULL,
		{0x28, 0x1a, 0x15, 0x10, 0xb, 6, 1}},
	{"a gap of four", 2, 0x90, PLAN_NONE, {{0, SHORT, BY_SYMBOL}, {9, "c3", BY_SYMBOL}},
		"no padding in reach", {0}},
	{"a gap of five", 2, 0x90, PLAN_PADDING, {{0, SHORT, BY_SYMBOL}, {10, "c3", BY_SYMBOL}},
		NULL, {5}},
	{"other bytes in the gap", 2, 0x90, PLAN_NONE,
		{{0, SHORT, BY_SYMBOL}, {9, "ff", BY_NOTHING}, {16, "c3", BY_SYMBOL}},
		"no padding in reach", {0}},
	{"the gap is reached by going on", 2, 0x90, PLAN_NONE,
		{{0, "31c0 0f05", BY_SYMBOL}, {16, "c3", BY_SYMBOL}}, "no padding in reach", {0}},
	{"or by a condition", 2, 0x90, PLAN_NONE,
		{{0, "31c0 0f05 74fa", BY_SYMBOL}, {16, "c3", BY_SYMBOL}}, "no padding in reach",
		{0}},
	{"a branch into the gap", 2, 0x90, PLAN_NONE,
		{{0, "31c0 0f05 7403 c3", BY_SYMBOL}, {16, "c3", BY_SYMBOL}}, "no padding in reach",
		{0}},
	{"the same before a symbol without a size", 2, 0x90, PLAN_NONE,
		{{0, "31c0 0f05 7403 c3", BY_SYMBOL}, {16, "c3", BY_BARE_SYMBOL}},
		"no padding in reach", {0}},
	{"a branch of the next function into it", 2, 0x90, PLAN_NONE,
		{{0, SHORT, BY_SYMBOL}, {16, "ebf9", BY_SYMBOL}}, "no padding in reach", {0}},
	{"a call into it", 2, 0x90, PLAN_NONE,
		{{0, SHORT, BY_SYMBOL}, {16, "e8f4ffffff c3", BY_SYMBOL}}, "no padding in reach",
		{0}},
	{"the gap is read by the next function", 2, 0, PLAN_NONE,
		{{0, SHORT, BY_SYMBOL}, {16, "8b05f2ffffff c3", BY_SYMBOL}}, "no padding in reach",
		{0}},
	{"and its address is taken by the one before", 5, 0x90, PLAN_NONE,
		{{0, "488d3d01000000 31c0 0f05 c3", BY_SYMBOL}, {0x18, "c3", BY_SYMBOL}}, NULL,
		{0}},
	{"a symbol in the gap", 2, 0x90, PLAN_NONE,
		{{0, SHORT, BY_SYMBOL}, {8, "90", BY_BARE_SYMBOL}, {16, "c3", BY_SYMBOL}},
		"no padding in reach", {0}},
	{"no next function", 5, 0x90, PLAN_BEFORE, {{0, CALL_1, BY_SYMBOL}}, NULL, {0}},
	{"before what unwinders know by its code", 2, 0x90, PLAN_NONE,
		{{0, SHORT, BY_UNWIND}, {16, SIGRET, BY_UNWIND}}, "no padding in reach", {0}},
	{"and its unwind range begins early", 2, 0x90, PLAN_NONE,
		{{0, SHORT, BY_UNWIND}, {16, SIGRET, BY_UNWIND_EARLY}}, "no padding in reach", {0}},
	{"that itself", 0x17, 0x90, PLAN_NONE,
		{{0, SHORT, BY_UNWIND}, {16, SIGRET, BY_UNWIND_EARLY}, {0x40, "c3", BY_UNWIND}},
		"the return from signals", {0}},
	{"that in fewer bytes", 0x15, 0x90, PLAN_NONE,
		{{0, SHORT, BY_UNWIND}, {16, "b80f000000 0f05", BY_UNWIND},
			{0x40, "c3", BY_UNWIND}},
		"the return from signals", {0}},
	{"functions of which nothing is told, between two known ones", 0x85, 0x90, PLAN_PADDING,
		{{0, "c3", BY_SYMBOL}, {0x80, CALL_1, BY_NOTHING}, {0x140, "c3", BY_SYMBOL}}, NULL,
		{0x88, 0x8d, 0x79, 0x92, 0x74, 0x97, 0x6f, 0x9c}},
	{"one of them branches into padding", 0x85, 0x90, PLAN_PADDING,
		{{0, "c3", BY_SYMBOL}, {0x70, "eb18", BY_NOTHING}, {0x80, CALL_1, BY_NOTHING},
			{0x140, "c3", BY_SYMBOL}},
		NULL, {0x77, 0x72, 0x6a, 0x65, 0x60, 0x5b, 0x56, 0x51}},
	{"one of them goes on to padding", 0x82, 0x90, PLAN_NONE,
		{{0, "c3", BY_SYMBOL}, {1, "0f0b 31c0", BY_NOTHING},
			{0x80, "31c0 0f05", BY_NOTHING}, {0x140, "c3", BY_SYMBOL}},
		"no padding in reach", {0}},
	{"one of them is known by unwinders", 0x85, 0xcc, PLAN_PADDING,
		{{0, "c3", BY_SYMBOL}, {1, "31c0", BY_NOTHING}, {0x80, CALL_1, BY_NOTHING},
			{0x90, SIGRET "c3", BY_NOTHING}, {0x140, "c3", BY_SYMBOL}},
		NULL, {0x9a, 0x9f, 0xa4, 0xa9, 0xae, 0xb3, 0xb8, 0xbd}},
	{"two in two cache lines, but an instruction before", 0x3f, 0x90, PLAN_BEFORE,
		{{0x3a, CALL_1, BY_SYMBOL}, {0x50, "c3", BY_SYMBOL}}, NULL, {0}},
	{"padding in the function, after a jump", 2, 0x90, PLAN_PADDING,
		{{0, "31c0 0f05 eb07 0f1f8000000000 c3", BY_SYMBOL}}, NULL, {6}},
	{"but where a symbol is in it", 2, 0x90, PLAN_NONE,
		{{0, "31c0 0f05 eb07 0f1f8000000000 c3", BY_SYMBOL}, {8, "80", BY_BARE_SYMBOL}},
		"no padding in reach", {0}},
	{"or something reads it", 2, 0x90, PLAN_NONE,
		{{0, "31c0 0f05 eb07 0f1f8000000000 8b05f3ffffff c3", BY_SYMBOL}},
		"no padding in reach", {0}},
	{"or there is a jump by a register", 2, 0x90, PLAN_NONE,
		{{0, "31c0 0f05 eb07 0f1f8000000000 ffe0", BY_SYMBOL}}, "by a table", {0}},
	{"or it is executed", 2, 0x90, PLAN_NONE,
		{{0, "31c0 0f05 7507 0f1f8000000000 c3", BY_SYMBOL}}, "no padding in reach", {0}},
	{"a function that begins with filling", 9, 0x90, PLAN_NONE,
		{{0, "0f1f8000000000 31c0 0f05 c3", BY_SYMBOL}}, "no padding in reach", {0}},
	{"too far ahead", 2, 0x90, PLAN_NONE,
		{{0, "31c0 0f05" NOPS_144 "c3", BY_SYMBOL}, {0xa0, "c3", BY_SYMBOL}},
		"no padding in reach", {0}},
	{"two in two cache lines", 0x3f, 0x90, PLAN_NONE,
		{{0x3d, SHORT, BY_SYMBOL}, {0x50, "c3", BY_SYMBOL}}, NULL, {0}},
	{"no function there", 0x102, 0x90, PLAN_NONE, {{0x100, SHORT, BY_NOTHING}}, NULL, {0}},
	{"no call there", 0, 0x90, PLAN_NONE, {{0, CALL_1, BY_SYMBOL}, {16, "c3", BY_SYMBOL}},
		"no call", {0}},
	{"outside of the code", TEXT_BYTES, 0x90, PLAN_NONE, {{0, CALL_1, BY_SYMBOL}}, "no call",
		{0}},
	{"the code ends in it", TEXT_BYTES - 1, 0x90, PLAN_NONE,
		{{TEXT_BYTES - 1, "0f", BY_NOTHING}}, "no call", {0}},
	{"a branch to the instruction before", 5, 0x90, PLAN_BEFORE,
		{{0, "b801000000 0f05 75f7 c3", BY_SYMBOL}}, NULL, {0}},
	{"a branch into it", 5, 0x90, PLAN_NONE, {{0, "b801000000 0f05 75f8 c3", BY_SYMBOL}},
		"a branch leads", {0}},
	{"a branch to the site", 5, 0x90, PLAN_NONE, {{0, "b801000000 0f05 75fc c3", BY_SYMBOL}},
		"a branch leads", {0}},
	{"a jump by a register", 5, 0x90, PLAN_NONE, {{0, "b801000000 0f05 ffe0", BY_SYMBOL}},
		"by a table", {0}},
	{"relative to the program counter", 7, 0x90, PLAN_NONE,
		{{0, "488b0500000000 0f05 c3", BY_SYMBOL}}, "no instruction before", {0}},
	{"a call before", 5, 0x90, PLAN_NONE, {{0, "e800000000 0f05 c3", BY_SYMBOL}},
		"no instruction before", {0}},
	{"the step is lost", 6, 0x90, PLAN_NONE, {{0, "06b801000000 0f05 c3", BY_SYMBOL}}, NULL,
		{0}},
};

static void check_row(const struct plan_row *r, struct elf_file *f)
{
	struct plan p;
	size_t n = 0;

	build(f, r->pieces, r->filler, 1);
	plan_of(f, r->site, &p);
	if (p.kind != r->kind)
		print_error("%s: kind %d (%s)\n", r->what, p.kind, p.reason ? p.reason : "");
	assert_int_equal(p.kind, r->kind);
	assert_int_equal(p.site, TEXT + r->site);
	assert_true((p.kind == PLAN_NONE) == (p.reason != NULL));
	if (r->reason && !strstr(p.reason, r->reason))
		fail_msg("%s: %s", r->what, p.reason);
	while (n < PLAN_SPRINGBOARDS_MAX && r->springboards[n])
		n++;
	for (size_t i = 0; i < n && i < p.springboards_len; i++)
		if (p.springboards[i] != TEXT + r->springboards[i])
			fail_msg("%s: hop %zu is %#lx", r->what, i, p.springboards[i]);
	if (p.springboards_len != n)
		fail_msg("%s: %zu hops", r->what, p.springboards_len);
}

static void test_plans(void **state)
{
	struct elf_file *f = mem_calloc(1, sizeof(*f));

	(void)state;
	for (size_t i = 0; i < ROWS(rows); i++)
		check_row(&rows[i], f);
	free(f);
}

static void test_instruction_before(void **state)
{
	static const struct piece pieces[PIECES_MAX] = {{0x20, CALL_1, BY_UNWIND}};
	struct elf_file *f = mem_calloc(1, sizeof(*f));
	struct plan p;

	(void)state;
	build(f, pieces, 0x90, 1);
	plan_of(f, 0x25, &p);
	assert_int_equal(p.kind, PLAN_BEFORE);
	assert_int_equal(p.moved_at, TEXT + 0x20);
	assert_int_equal(p.moved_len, 5);
	assert_memory_equal(p.moved, f->bytes + TEXT + 0x20, 5);
	free(f);
}

/* A binary without symbols and without the index of its unwind ranges: static glibc, stripped. */
static void test_unwind_without_index(void **state)
{
	static const struct piece pieces[PIECES_MAX] = {
		{0, CALL_1, BY_UNWIND}, {16, "c3", BY_UNWIND}};
	struct elf_file *f = mem_calloc(1, sizeof(*f));
	struct plan p;

	(void)state;
	build(f, pieces, 0x90, 0);
	plan_of(f, 5, &p);
	assert_int_equal(p.kind, PLAN_PADDING);
	assert_int_equal(p.springboards_len, 1);
	assert_int_equal(p.springboards[0], TEXT + 8);
	free(f);
}

/* Go's own table of functions instead of symbols: from 0 to 16, from there to 32, filling and all.
 */
static void build_go(struct elf_file *f)
{
	static const struct piece pieces[PIECES_MAX] = {
		{0, CALL_1, BY_NOTHING}, {16, "c3", BY_NOTHING}};
	static const uint64_t header[] = {2, 1, TEXT, 0, 0, 0, 0, 72};
	static const uint32_t functions[] = {0, 0, 16, 0, 32};
	Elf64_Shdr sh;

	build(f, pieces, 0xcc, 0);
	put(f, FRAMES, "\xf1\xff\xff\xff\0\0\1\x08", 8);
	put(f, FRAMES + 8, header, sizeof(header));
	put(f, FRAMES + 72, functions, sizeof(functions));
	memcpy(&sh, f->bytes + SECTIONS + 3 * sizeof(sh), sizeof(sh));
	sh.sh_name = 27;
	sh.sh_size = 72 + sizeof(functions);
	put(f, SECTIONS + 3 * sizeof(sh), &sh, sizeof(sh));
	memset(f->bytes + SECTIONS + sizeof(sh), 0, sizeof(sh)); /* no symbols */
}

static void test_go(void **state)
{
	struct elf_file *f = mem_calloc(1, sizeof(*f));
	struct plan p;

	(void)state;
	build_go(f);
	plan_of(f, 5, &p);
	assert_int_equal(p.kind, PLAN_PADDING);
	assert_int_equal(p.springboards_len, 1);
	assert_int_equal(p.springboards[0], TEXT + 8);
	f->bytes[FRAMES] = 0xfb; /* Go 1.2 to 1.15 */
	plan_of(f, 5, &p);
	assert_int_equal(p.kind, PLAN_NONE);
	free(f);
}

/* Up to 16 bytes before and after the site, as far as the segment goes. */
static void test_check_bytes(void **state)
{
	static const struct {
		unsigned int site, from, until;
	} sites[] = {{0x100, 0xf0, 0x110}, {16, 0, 32}, {15, 0, 31}, {3, 0, 19}, {0, 0, 16},
		{TEXT_BYTES - 16, TEXT_BYTES - 32, TEXT_BYTES},
		{TEXT_BYTES - 15, TEXT_BYTES - 31, TEXT_BYTES},
		{TEXT_BYTES - 2, TEXT_BYTES - 18, TEXT_BYTES}};
	struct elf_file *f = mem_calloc(1, sizeof(*f));

	(void)state;
	for (size_t i = 0; i < ROWS(sites); i++) {
		const struct piece pieces[PIECES_MAX] = {{sites[i].site, "0f05", BY_NOTHING}};
		struct plan p;

		build(f, pieces, 0x90, 1);
		plan_of(f, sites[i].site, &p);
		assert_int_equal(p.check_at, TEXT + sites[i].from);
		assert_int_equal(p.check_len, sites[i].until - sites[i].from);
		assert_memory_equal(p.check, f->bytes + p.check_at, p.check_len);
	}
	free(f);
}

static void test_addresses(void **state)
{
	static const struct piece pieces[PIECES_MAX] = {{0, CALL_1, BY_SYMBOL}};
	struct elf_file *f = mem_calloc(1, sizeof(*f));
	Elf64_Phdr ph;
	struct code *c;

	(void)state;
	build(f, pieces, 0x90, 1);
	memcpy(&ph, f->bytes + sizeof(Elf64_Ehdr), sizeof(ph));
	ph.p_vaddr = 0x401000;
	put(f, sizeof(Elf64_Ehdr), &ph, sizeof(ph));
	c = open_bytes(f->bytes, sizeof(f->bytes));
	assert_non_null(c);
	assert_int_equal(code_address(c, TEXT), 0x401000);
	assert_int_equal(code_address(c, TEXT + TEXT_BYTES - 1), 0x401000 + TEXT_BYTES - 1);
	assert_true(code_address(c, TEXT + TEXT_BYTES) == UINT64_MAX);
	assert_true(code_address(c, TEXT - 1) == UINT64_MAX);
	assert_true(code_address(c, UNWIND) == UINT64_MAX); /* not executable */
	code_free(c);
	code_free(NULL);
	free(f);
}

static void test_other_files(void **state)
{
	static const struct piece none[PIECES_MAX] = {{0, NULL, BY_NOTHING}};
	struct elf_file *f = mem_calloc(1, sizeof(*f));
	struct err err = {0};
	int fd = memory_file("#!/bin/sh\n", 10);

	(void)state;
	assert_null(code_open(fd, &err));
	assert_true(err.code < 0 && err.text[0]);
	close(fd);
	assert_null(open_bytes("", 0));
	build(f, none, 0x90, 1);
	f->bytes[offsetof(Elf64_Ehdr, e_machine)] = EM_386;
	assert_null(open_bytes(f->bytes, sizeof(f->bytes)));
	build(f, none, 0x90, 1);
	f->bytes[EI_CLASS] = ELFCLASS32;
	assert_null(open_bytes(f->bytes, sizeof(f->bytes)));
	assert_null(code_open(-1, NULL));
	free(f);
}

/* ---- the C library and the loader of this machine ---- */

struct oracle {
	Elf *elf;
	Dwarf_CFI *cfi;
	uint8_t *file;
	const uint8_t *text;
	size_t file_bytes;
	GElf_Shdr text_sh;
	uint8_t *led_to; /* a byte of the text each: 1 if something leads to it or reads it */
	struct {
		uint64_t *at;
		size_t len, cap;
	} sites;
};

static void read_whole(struct oracle *o, int fd)
{
	off_t bytes = lseek(fd, 0, SEEK_END);

	assert_true(bytes > 0);
	o->file_bytes = (size_t)bytes;
	o->file = mem_calloc(1, o->file_bytes);
	assert_int_equal(pread(fd, o->file, o->file_bytes, 0), bytes);
}

static void note_insn(struct oracle *o, uint64_t addr, const ZydisDecodedInstruction *n,
	const ZydisDecodedOperand *operands)
{
	ZyanU64 to;

	if (n->mnemonic == ZYDIS_MNEMONIC_SYSCALL)
		*VEC_PUSH(&o->sites) = addr;
	for (size_t i = 0; i < n->operand_count; i++)
		if (ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(n, &operands[i], addr, &to)) &&
			to - o->text_sh.sh_addr < o->text_sh.sh_size)
			o->led_to[to - o->text_sh.sh_addr] = 1;
}

/* All of the text, one instruction after the other: more than the planner looks at. */
static void oracle_decode(struct oracle *o)
{
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
	size_t len = o->text_sh.sh_size;
	ZydisDecodedInstruction n;
	ZydisDecoder d;

	o->led_to = mem_calloc(1, len);
	ZydisDecoderInit(&d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	for (size_t i = 0; i < len; i += n.length)
		if (ZYAN_SUCCESS(ZydisDecoderDecodeFull(&d, o->text + i, len - i, &n, operands)))
			note_insn(o, o->text_sh.sh_addr + i, &n, operands);
		else
			n.length = 1;
}

static void oracle_open(struct oracle *o, int fd)
{
	Elf_Scn *scn = NULL;
	GElf_Shdr sh;
	size_t names;

	elf_version(EV_CURRENT);
	read_whole(o, fd);
	o->elf = elf_memory((char *)o->file, o->file_bytes);
	assert_non_null(o->elf);
	o->cfi = dwarf_getcfi_elf(o->elf);
	assert_non_null(o->cfi);
	assert_int_equal(elf_getshdrstrndx(o->elf, &names), 0);
	while ((scn = elf_nextscn(o->elf, scn)))
		if (gelf_getshdr(scn, &sh) &&
			strcmp(elf_strptr(o->elf, names, sh.sh_name), ".text") == 0) {
			o->text_sh = sh;
			o->text = elf_getdata(scn, NULL)->d_buf;
		}
	assert_non_null(o->text);
	oracle_decode(o);
}

/* The segment of .text has other sections too. */
static const uint8_t *code_at(const struct oracle *o, uint64_t addr, size_t len)
{
	uint64_t offset = addr - o->text_sh.sh_addr + o->text_sh.sh_offset;

	assert_true(offset <= o->file_bytes && len <= o->file_bytes - offset);
	return o->file + offset;
}

/* In reach; nothing in the whole text leads to it; and by libdw's own search it is of no function,
 * or it is filling in one. */
static void check_springboard(const struct oracle *o, const struct plan *p, uint64_t springboard)
{
	static const uint8_t filling[] = {
		0x90, 0xcc, 0x66, 0x0f, 0x1f, 0x2e, 0x00, 0x40, 0x44, 0x80, 0x84};
	int64_t away = (int64_t)(springboard - (p->site + 2));

	assert_in_range(away + 128, 0, 255);
	for (uint64_t a = springboard; a < springboard + ARCH_JUMP_BYTES; a++) {
		Dwarf_Frame *frame = NULL;
		int in_function = dwarf_cfi_addrframe(o->cfi, a, &frame) == 0;

		free(frame);
		if (o->led_to[a - o->text_sh.sh_addr])
			fail_msg("something leads to %#lx, for %#lx", a, p->site);
		if (in_function && !memchr(filling, *code_at(o, a, 1), sizeof(filling)))
			fail_msg("%#lx for %#lx is in a function", a, p->site);
	}
}

static void check_plan(const struct oracle *o, const struct plan *p)
{
	assert_memory_equal(p->check, code_at(o, p->check_at, p->check_len), p->check_len);
	if (p->kind == PLAN_PADDING) {
		assert_in_range(p->springboards_len, 1, PLAN_SPRINGBOARDS_MAX);
		assert_int_not_equal(p->site % 64, 63);
	}
	for (size_t i = 0; i < p->springboards_len; i++) {
		check_springboard(o, p, p->springboards[i]);
		for (size_t k = 0; k < i; k++)
			assert_true(p->springboards[k] >= p->springboards[i] + ARCH_JUMP_BYTES ||
				    p->springboards[i] >= p->springboards[k] + ARCH_JUMP_BYTES);
	}
	if (p->kind == PLAN_BEFORE || p->moved_len) {
		assert_in_range(p->moved_len, ARCH_JUMP_BYTES, PLAN_MOVED_MAX);
		assert_int_equal(p->moved_at + p->moved_len, p->site);
		assert_memory_equal(p->moved, code_at(o, p->moved_at, p->moved_len), p->moved_len);
	}
}

/* At least so many sites in a hundred are to have a plan. */
static void check_library(const char *path, size_t percent)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct oracle o = {0};
	size_t planned = 0;
	struct code *c;

	assert_true(fd >= 0);
	oracle_open(&o, fd);
	c = code_open(fd, NULL);
	assert_non_null(c);
	assert_true(o.sites.len > 20);
	for (size_t i = 0; i < o.sites.len; i++) {
		struct plan p;

		code_plan(c, fd, o.sites.at[i], &p);
		check_plan(&o, &p);
		planned += p.kind != PLAN_NONE;
	}
	if (planned * 100 < o.sites.len * percent)
		fail_msg("%s: %zu of %zu sites have a plan", path, planned, o.sites.len);
	code_free(c);
	dwarf_cfi_end(o.cfi);
	elf_end(o.elf);
	free(o.file);
	free(o.led_to);
	free(o.sites.at);
	close(fd);
}

static void test_c_library(void **state)
{
	Dl_info at;

	(void)state;
	if (!dladdr(dlsym(RTLD_DEFAULT, "getppid"), &at) || !strstr(at.dli_fname, "libc.so.6"))
		skip();
	check_library(at.dli_fname, 80);
}

static void test_loader(void **state)
{
	(void)state;
	if (access("/lib64/ld-linux-x86-64.so.2", R_OK) < 0)
		skip();
	check_library("/lib64/ld-linux-x86-64.so.2", 70);
}

/* ---- hostile files ---- */

static void plan_all(const uint8_t *bytes, size_t len)
{
	static const uint64_t far[] = {0, 1, TEXT - 1, UINT64_MAX, UINT64_MAX - 1, 1ULL << 63};
	int fd = memory_file(bytes, len);
	struct code *c = code_open(fd, NULL);
	struct plan p;

	if (!c) {
		close(fd);
		return;
	}
	for (unsigned int offset = TEXT; offset < TEXT + TEXT_BYTES; offset++) {
		uint64_t addr = code_address(c, offset);

		if (addr == UINT64_MAX || offset + 2 > len || bytes[offset] != 0x0f)
			continue;
		code_plan(c, fd, addr, &p);
		assert_true(p.springboards_len <= PLAN_SPRINGBOARDS_MAX &&
			    p.check_len <= sizeof(p.check) && p.moved_len <= PLAN_MOVED_MAX);
		assert_true((p.kind == PLAN_NONE) == (p.reason != NULL));
	}
	for (size_t i = 0; i < ROWS(far); i++)
		code_plan(c, fd, far[i], &p);
	code_free(c);
	close(fd);
}

static const struct piece fuzzed[PIECES_MAX] = {{0, CALL_1, BY_UNWIND}, {0x10, SHORT, BY_SYMBOL},
	{0x20, "b801000000 0f05 75f7 c3", BY_UNWIND}, {0x80, SIGRET, BY_UNWIND_EARLY},
	{0x100, CALL_1, BY_SYMBOL}, {0x110, "c3", BY_SYMBOL}};

static void test_truncated(void **state)
{
	struct elf_file *f = mem_calloc(1, sizeof(*f));

	(void)state;
	build(f, fuzzed, 0x90, 1);
	for (size_t len = 0; len < sizeof(f->bytes); len += len < 0x200 ? 3 : 97)
		plan_all(f->bytes, len);
	free(f);
}

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525 + 1013904223;
	return *state >> 8;
}

static void flip(struct elf_file *f, unsigned int at, unsigned int bytes, uint32_t *seed)
{
	static const uint8_t values[] = {0, 1, 0x7f, 0x80, 0xfe, 0xff};

	for (size_t flips = 1 + next_random(seed) % 3; flips; flips--)
		f->bytes[at + next_random(seed) % bytes] =
			next_random(seed) % 2 ? values[next_random(seed) % sizeof(values)]
					      : (uint8_t)next_random(seed);
}

/* Where it hurts: headers, unwind ranges, symbols, sections, and the code itself. */
static void test_flipped(void **state)
{
	static const struct {
		unsigned int at, bytes;
	} parts[] = {{0, 64 + 3 * 56}, {TEXT, 0x120}, {UNWIND, 0x30}, {FRAMES, 0x70},
		{SYMBOLS, 4 * 24}, {SECTIONS, 4 * 64}};
	struct elf_file *f = mem_calloc(1, sizeof(*f));
	uint32_t seed = 1;

	(void)state;
	for (size_t round = 0; round < 3000; round++) {
		size_t part = round % ROWS(parts);

		build(f, fuzzed, 0x90, round % 7 != 0);
		flip(f, parts[part].at, parts[part].bytes, &seed);
		plan_all(f->bytes, sizeof(f->bytes));
	}
	for (size_t round = 0; round < 500; round++) {
		build_go(f);
		flip(f, FRAMES, 72 + 20, &seed);
		plan_all(f->bytes, sizeof(f->bytes));
	}
	free(f);
}

/* A segment, and a function, that end with the address space. */
static void test_far_addresses(void **state)
{
	struct elf_file *f = mem_calloc(1, sizeof(*f));
	Elf64_Sym sym[3];
	Elf64_Phdr ph;

	(void)state;
	build(f, fuzzed, 0x90, 0);
	memcpy(&ph, f->bytes + sizeof(Elf64_Ehdr), sizeof(ph));
	ph.p_vaddr = UINT64_MAX - TEXT_BYTES;
	put(f, sizeof(Elf64_Ehdr), &ph, sizeof(ph));
	memcpy(sym, f->bytes + SYMBOLS, sizeof(sym));
	sym[1].st_value = UINT64_MAX - 40;
	sym[1].st_size = 30;
	sym[2].st_value = UINT64_MAX - 2;
	sym[2].st_size = 2;
	put(f, SYMBOLS, sym, sizeof(sym));
	put(f, TEXT + TEXT_BYTES - 40, "\x0f\x05\xc3", 3);
	put(f, TEXT + TEXT_BYTES - 11, "\xc3", 1);
	plan_all(f->bytes, sizeof(f->bytes));
	free(f);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_plans),
		cmocka_unit_test(test_instruction_before),
		cmocka_unit_test(test_unwind_without_index),
		cmocka_unit_test(test_go),
		cmocka_unit_test(test_check_bytes),
		cmocka_unit_test(test_addresses),
		cmocka_unit_test(test_other_files),
		cmocka_unit_test(test_c_library),
		cmocka_unit_test(test_loader),
		cmocka_unit_test(test_truncated),
		cmocka_unit_test(test_flipped),
		cmocka_unit_test(test_far_addresses),
	};

	alarm(TIMEOUT_S);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

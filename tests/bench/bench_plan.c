/* SPDX-License-Identifier: GPL-3.0-only */
/* What is planned for the call sites of ELF files, and what planning costs: arguments are files. */
#include <Zydis/Zydis.h>
#include <elf.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "tracer/recorder/plan.h"

#define ROUNDS      5 /* the best one counts: the machine may be shared */
#define REASONS_MAX 32

static const char *const usual[] = {"/lib/x86_64-linux-gnu/libc.so.6",
	"/lib64/ld-linux-x86-64.so.2", "/lib/ld-musl-x86_64.so.1"};

struct sites {
	uint64_t *at;
	size_t len, cap;
};

struct tally {
	size_t kinds[3];
	struct {
		const char *reason;
		size_t sites;
	} reasons[REASONS_MAX];
};

static double ms_since(uint64_t begin_ns)
{
	return (double)(clock_mono_ns() - begin_ns) / 1e6;
}

/* The call instructions of executable bytes, decoded one after the other. */
static void find_sites(const uint8_t *code, size_t len, uint64_t addr, struct sites *ret)
{
	ZydisDecoder d;
	ZydisDecodedInstruction insn;

	ZydisDecoderInit(&d, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	for (size_t i = 0; i < len;) {
		if (!ZYAN_SUCCESS(
			    ZydisDecoderDecodeInstruction(&d, NULL, code + i, len - i, &insn))) {
			i++;
			continue;
		}
		if (insn.mnemonic == ZYDIS_MNEMONIC_SYSCALL)
			*VEC_PUSH(ret) = addr + i;
		i += insn.length;
	}
}

static uint8_t *read_file(int fd, size_t *ret_len)
{
	struct stat st;
	uint8_t *all;

	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return NULL;
	all = mem_calloc(1, (size_t)st.st_size + 1);
	if (pread(fd, all, (size_t)st.st_size, 0) == st.st_size) {
		*ret_len = (size_t)st.st_size;
		return all;
	}
	free(all);
	return NULL;
}

/* Section by section: between sections the decoder could lose its step. */
static void find_all_sites(const uint8_t *all, size_t len, struct sites *ret)
{
	Elf64_Ehdr eh;
	Elf64_Shdr sh;

	memcpy(&eh, all, sizeof(eh));
	for (size_t i = 0; i < eh.e_shnum; i++) {
		size_t at = eh.e_shoff + i * sizeof(sh);

		if (at > len || len - at < sizeof(sh))
			return;
		memcpy(&sh, all + at, sizeof(sh));
		if (sh.sh_type == SHT_PROGBITS && (sh.sh_flags & SHF_EXECINSTR) &&
			sh.sh_offset <= len && sh.sh_size <= len - sh.sh_offset)
			find_sites(all + sh.sh_offset, sh.sh_size, sh.sh_addr, ret);
	}
}

static void count(struct tally *t, const struct plan *p)
{
	t->kinds[p->kind]++;
	if (p->kind != PLAN_NONE)
		return;
	for (size_t i = 0; i < REASONS_MAX; i++) {
		if (t->reasons[i].reason && strcmp(t->reasons[i].reason, p->reason) != 0)
			continue;
		t->reasons[i].reason = p->reason;
		t->reasons[i].sites++;
		return;
	}
}

static double best_open_ms(int fd)
{
	double best = 1e9;

	for (int i = 0; i < ROUNDS; i++) {
		uint64_t begin_ns = clock_mono_ns();
		struct code *c = code_open(fd, NULL);
		double ms = ms_since(begin_ns);

		code_free(c);
		best = ms < best ? ms : best;
	}
	return best;
}

static void show(const char *path, int fd, const struct sites *sites)
{
	struct code *c = code_open(fd, NULL);
	int verbose = getenv("SITES") != NULL;
	struct tally t = {0};
	uint64_t begin_ns;
	struct plan p;
	double ms;

	if (!c) {
		printf("%s: no code\n", path);
		return;
	}
	begin_ns = clock_mono_ns();
	for (size_t i = 0; i < sites->len; i++) {
		code_plan(c, fd, sites->at[i], &p);
		count(&t, &p);
		if (verbose)
			printf("%#lx %d %zu %s\n", sites->at[i], p.kind, p.springboards_len,
				p.reason ? p.reason : "");
	}
	ms = ms_since(begin_ns);
	code_free(c);
	printf("%s: %zu sites, padding %zu, before %zu, none %zu; open %.3f ms, plan %.4f ms "
	       "each\n",
		path, sites->len, t.kinds[PLAN_PADDING], t.kinds[PLAN_BEFORE], t.kinds[PLAN_NONE],
		best_open_ms(fd), sites->len ? ms / (double)sites->len : 0);
	for (size_t i = 0; i < REASONS_MAX && t.reasons[i].reason; i++)
		printf("  %5zu %s\n", t.reasons[i].sites, t.reasons[i].reason);
}

static void bench(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct sites sites = {0};
	uint8_t *all = NULL;
	size_t len = 0;

	if (fd >= 0)
		all = read_file(fd, &len);
	if (all && len > sizeof(Elf64_Ehdr)) {
		find_all_sites(all, len, &sites);
		show(path, fd, &sites);
	} else {
		printf("%s: cannot be read\n", path);
	}
	if (fd >= 0)
		close(fd);
	free(all);
	free(sites.at);
}

int main(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		bench(argv[i]);
	for (size_t i = 0; argc < 2 && i < sizeof(usual) / sizeof(*usual); i++)
		bench(usual[i]);
	return 0;
}

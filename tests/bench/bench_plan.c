/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * How much of a file's call sites the recorder can take over: bench_plan FILE... prints, for each,
 * the sites found by a search for the instruction's bytes, and how many have which plan. With -v
 * every site.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "tracer/arch/arch.h"
#include "tracer/fast/plan.h"

struct tally {
	unsigned int sites, padding, before, none;
};

static void add(struct tally *t, const struct plan *p, int verbose)
{
	static const char *const kinds[] = {"none", "padding", "before"};

	t->sites++;
	t->padding += p->kind == PLAN_PADDING;
	t->before += p->kind == PLAN_BEFORE;
	t->none += p->kind == PLAN_NONE;
	if (verbose)
		printf("  %#lx %s, %zu hops%s%s\n", (unsigned long)p->site, kinds[p->kind],
			p->hops_len, p->reason ? ": " : "", p->reason ? p->reason : "");
}

static void plan_all(struct code *c, const uint8_t *bytes, size_t len, int verbose, struct tally *t)
{
	for (size_t i = 0; i + ARCH_CALL_BYTES <= len; i++) {
		uint64_t addr;
		struct plan p;

		if (!arch_is_call(bytes + i) || (addr = code_address(c, i)) == UINT64_MAX)
			continue;
		code_plan(c, addr, &p);
		add(t, &p, verbose);
	}
}

static int plan_file(const char *path, int verbose)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct tally t = {0};
	struct err err = {0};
	struct stat st;
	uint64_t begin = clock_mono_ns(), opened;
	struct code *c = fd >= 0 ? code_open(fd, &err) : NULL;
	uint8_t *bytes;

	if (!c || fstat(fd, &st) < 0) {
		fprintf(stderr, "bench_plan: %s: %s\n", path, err.text);
		return 1;
	}
	opened = clock_mono_ns();
	bytes = malloc((size_t)st.st_size);
	if (!bytes || pread(fd, bytes, (size_t)st.st_size, 0) != st.st_size)
		return 1;
	plan_all(c, bytes, (size_t)st.st_size, verbose, &t);
	printf("%s: %u sites, padding %u, instruction before %u, none %u; open %.1f ms, plans %.1f "
	       "ms\n",
		path, t.sites, t.padding, t.before, t.none, (double)(opened - begin) / 1e6,
		(double)(clock_mono_ns() - opened) / 1e6);
	free(bytes);
	code_free(c);
	close(fd);
	return 0;
}

int main(int argc, char **argv)
{
	int verbose = argc > 1 && strcmp(argv[1], "-v") == 0, rc = 0;

	for (int i = 1 + verbose; i < argc; i++)
		rc |= plan_file(argv[i], verbose);
	return rc;
}

/* SPDX-License-Identifier: GPL-3.0-only */
/* How long a large massif.out takes to read: 100 MB are to take less than 2 s, the folded stacks of
 * its peak included. Writes one, with detailed trees as massif makes them, into TMPDIR. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/out.h"
#include "mem/folded.h"
#include "mem/massif.h"

#define SIZE_BYTES (100u << 20)
#define ROUNDS     5 /* the best one counts: the machine may be shared */

enum { BRANCHES = 60, DEPTH = 30 };

static void write_tree(struct out *o, uint64_t snapshot)
{
	out_printf(o, "n%d: %d (heap allocation functions) malloc/new/new[], --alloc-fns, etc.\n",
		BRANCHES, BRANCHES * 100000);
	for (int b = 0; b < BRANCHES; b++)
		for (int d = 1; d <= DEPTH; d++)
			out_printf(o,
				"%*sn%d: 100000 0x%llX: ns::module_%d::function_%llu(int, char "
				"const*) (file%d.cc:%d)\n",
				d, "", d < DEPTH,
				0x400000ULL + (unsigned long long)b * 4096 + (unsigned long long)d,
				b, (unsigned long long)(snapshot + (uint64_t)d) % 97, d, b + d);
}

static void write_file(struct out *o)
{
	out_str(o, "desc: --time-unit=i\ncmd: ./bench\ntime_unit: i\n");
	for (uint64_t i = 0; o->total_bytes < SIZE_BYTES; i++) {
		int peak = i == 40;

		out_printf(o,
			"#-----------\nsnapshot=%llu\n#-----------\ntime=%llu\nmem_heap_B=%d\nmem_"
			"heap_extra_B=8\n"
			"mem_stacks_B=0\nheap_tree=%s\n",
			(unsigned long long)i, (unsigned long long)i * 1000000,
			BRANCHES * 100000 + peak, peak ? "peak" : "detailed");
		write_tree(o, i);
	}
}

static double seconds_to_read(const char *path)
{
	uint64_t begin_ns = clock_mono_ns(), left_out;
	struct err err = {0};
	struct massif m;
	struct out o;

	if (massif_read(path, &m, &err) < 0) {
		fprintf(stderr, "%s\n", err.text);
		exit(1);
	}
	out_init_mem(&o);
	folded_write(&m, &o, &left_out);
	if (m.nodes.len != 1 + BRANCHES * DEPTH || m.tree_short || m.bad_lines || m.unknown_lines ||
		left_out) {
		fprintf(stderr, "the file was not read right\n");
		exit(1);
	}
	out_release(&o);
	massif_release(&m);
	return (double)(clock_mono_ns() - begin_ns) / (double)NS_PER_SEC;
}

int main(void)
{
	const char *dir = getenv("TMPDIR");
	char *path = mem_printf("%s/bench-massif-XXXXXX", dir && *dir ? dir : "/tmp");
	int fd = mkstemp(path), rc;
	struct out o;
	double best = 1e9;

	if (fd < 0) {
		perror(path);
		return 1;
	}
	out_init(&o, fd);
	write_file(&o);
	rc = out_flush(&o);
	for (int i = 0; i < ROUNDS && rc == 0; i++) {
		double s = seconds_to_read(path);

		best = s < best ? s : best;
	}
	unlink(path);
	close(fd);
	if (rc < 0) {
		fprintf(stderr, "%s: %s\n", path, strerror(-rc));
		return 1;
	}
	printf("massif.out of %llu MB: %.3f s (%.0f MB/s), limit 2 s\n",
		(unsigned long long)(o.total_bytes / 1000000), best,
		(double)o.total_bytes / best / 1e6);
	out_release(&o);
	free(path);
	return best < 2 ? 0 : 1;
}

/* SPDX-License-Identifier: GPL-3.0-only */
/* ELF files: where their functions are, and the plan for every place that looks like a call. */
#include "tests/fuzz/fuzz.h"
#include "tracer/recorder/plan.h"

enum { SITES_MAX = 64 };

static void check(const struct plan *p, uint64_t site)
{
	FUZZ_CHECK(p->site == site && p->springboards_len <= PLAN_SPRINGBOARDS_MAX);
	FUZZ_CHECK(p->moved_len <= PLAN_MOVED_MAX && p->check_len <= sizeof(p->check));
	FUZZ_CHECK(p->kind != PLAN_NONE || p->reason);
	if (p->kind == PLAN_NONE)
		return;
	/* What the plan changes, it also compares. */
	FUZZ_CHECK(p->kind != PLAN_BEFORE || p->moved_len >= 5);
	FUZZ_CHECK(p->kind != PLAN_PADDING || p->springboards_len);
	FUZZ_CHECK(p->check_at <= site && site + 2 <= p->check_at + p->check_len);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd = fuzz_fd(0, data, size);
	struct code *c = code_open(fd, NULL);
	int sites = 0;

	if (!c)
		return 0;
	for (size_t i = 0; i + 2 <= size && sites < SITES_MAX; i++) {
		struct plan plan;
		uint64_t site;

		if (data[i] != 0x0f || data[i + 1] != 0x05)
			continue;
		site = code_address(c, i);
		if (site == UINT64_MAX)
			continue;
		code_plan(c, fd, site, &plan);
		check(&plan, site);
		sites++;
	}
	code_free(c);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-only */
/* What the recorder keeps of address spaces, why calls in them were not recorded, and its end. */
#include <stdlib.h>
#include <sys/uio.h>
#include <unistd.h>

#include "common/base/mem.h"
#include "tracer/recorder/code_files.h"
#include "tracer/recorder/patch.h"
#include "tracer/recorder/recorder.h"

void recorder_release(struct recorder *f)
{
	struct map_iter it = {0};

	recorder_sweep_release(f);
	code_files_forget(f);
	while (map_next(&f->reasons, &it))
		free(it.value);
	map_release(&f->reasons);
	free(f->threads.at);
	free(f->pending.at);
}

/* ---- mms ---- */

struct recorder_mm *recorder_mm_new(const struct recorder *f)
{
	struct recorder_mm *rm = mem_calloc(1, sizeof(*rm));

	rm->recorder = f;
	rm->mem_fd = -1;
	return rm;
}

struct recorder_mm *recorder_mm_fork(const struct recorder_mm *from)
{
	struct recorder_mm *rm = recorder_mm_new(from->recorder);

	rm->state = from->state == RECORDER_OFF ? RECORDER_OFF : RECORDER_UNTRIED;
	rm->reason = from->reason;
	rm->stops = rm->inherited = from->stops;
	rm->has_code = from->has_code;
	sites_copy(&rm->sites, &from->sites);
	return rm;
}

struct recorder_mm *recorder_mm_copied(const struct recorder_mm *from, pid_t child)
{
	uint8_t byte;
	struct iovec to = {&byte, 1}, there = {(void *)REGION_ADDR, 1};

	if (from->before && process_vm_readv(child, &to, 1, &there, 1, 0) == 1)
		from = from->before;
	return recorder_mm_fork(from);
}

struct recorder_reason *recorder_reason(struct recorder *f, const char *text)
{
	struct recorder_reason *r = map_get(&f->reasons, (uint64_t)(uintptr_t)text);

	if (!r) {
		r = mem_calloc(1, sizeof(*r));
		r->text = text;
		map_set(&f->reasons, (uint64_t)(uintptr_t)text, r);
	}
	return r;
}

void recorder_mm_account(struct recorder *f, struct recorder_mm *rm)
{
	struct map_iter it = {0};

	if (rm->state == RECORDER_OFF)
		recorder_reason(f, rm->reason)->calls += rm->stops - rm->inherited;
	rm->inherited = rm->stops;
	while (map_next(&rm->sites.by_addr, &it)) {
		struct site *site = it.value;
		struct recorder_reason *r;

		if (!site->reason || !site->calls)
			continue;
		r = recorder_reason(f, site->reason);
		r->sites++;
		r->calls += site->calls;
		site->calls = 0;
	}
}

void recorder_mm_free(struct recorder *f, struct recorder_mm *rm)
{
	if (!rm)
		return;
	recorder_mm_account(f, rm);
	patch_forget_code(rm);
	if (rm->mem_fd >= 0)
		close(rm->mem_fd);
	recorder_mm_free(f, rm->before);
	sites_release(&rm->sites);
	region_release(&rm->region);
	free(rm);
}

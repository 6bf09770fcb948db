/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/trap/own_filter.h"

#include <linux/seccomp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "tracer/trap/filter.h"

/* struct sock_fprog of either ABI: length, then the address. */
static int read_fprog(const struct sys_event *ev, const struct mem_reader *mem, uint64_t addr,
	uint16_t *ret_len, uint64_t *ret_addr)
{
	uint64_t words[2] = {0};
	size_t size = ev->abi == ABI_NATIVE ? 16 : 8;

	if (mem->read(mem->ctx, addr, words, size) != (ssize_t)size)
		return -1;
	*ret_len = (uint16_t)words[0];
	*ret_addr = size == 16 ? words[1] : words[0] >> 32;
	return 0;
}

static int may_interfere(const struct sys_event *ev, const struct mem_reader *mem, uint64_t addr,
	const struct control_map *map)
{
	cleanup_free struct sock_filter *prog = NULL;
	uint64_t at;
	uint16_t len;
	size_t bytes;

	if (read_fprog(ev, mem, addr, &len, &at) < 0 || !len)
		return 1;
	bytes = len * sizeof(*prog);
	prog = mem_calloc(len, sizeof(*prog));
	if (mem->read(mem->ctx, at, prog, bytes) != (ssize_t)bytes)
		return 1;
	return filter_may_interfere(prog, len, (int)ev->abi, map);
}

static int is_prctl(const struct sys_event *ev)
{
	return strcmp(ev->def->name, "prctl") == 0;
}

int own_filter_for_all(const struct sys_event *ev)
{
	return !is_prctl(ev) && (ev->args[1] & SECCOMP_FILTER_FLAG_TSYNC);
}

enum own_filter own_filter_entry(
	const struct sys_event *ev, const struct mem_reader *mem, const struct control_map *map)
{
	if (is_prctl(ev)) {
		if ((int)ev->args[0] != PR_SET_SECCOMP || (int)ev->args[1] != SECCOMP_MODE_FILTER)
			return OWN_FILTER_NONE;
	} else if ((uint32_t)ev->args[0] != SECCOMP_SET_MODE_FILTER) {
		return OWN_FILTER_NONE;
	}
	return may_interfere(ev, mem, ev->args[2], map) ? OWN_FILTER_INTERFERES
							: OWN_FILTER_HARMLESS;
}

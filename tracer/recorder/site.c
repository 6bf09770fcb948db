/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/recorder/site.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/mem.h"

/* Mapped libraries are above, programs at a fixed address and their heap below. */
#define UPPER_HALF 0x600000000000ULL

void sites_release(struct sites *s)
{
	struct map_iter it = {0};

	while (map_next(&s->by_addr, &it))
		free(it.value);
	map_release(&s->by_addr);
	map_release(&s->by_tramp);
	map_release(&s->springboards);
	free(s->pages.at);
	free(s->changes.at);
	free(s->copies.at);
	*s = (struct sites){0};
}

void sites_copy(struct sites *to, const struct sites *from)
{
	struct map_iter it = {0};

	*to = (struct sites){0};
	while (map_next(&from->by_addr, &it)) {
		const struct site *old = it.value;
		struct site *new = mem_calloc(1, sizeof(*new));

		*new = *old;
		new->calls = 0;
		map_set(&to->by_addr, new->addr, new);
		if (new->tramp)
			map_set(&to->by_tramp, new->tramp, new);
	}
	it = (struct map_iter){0};
	while (map_next(&from->springboards, &it)) {
		const struct site *old = it.value;

		map_set(&to->springboards, it.key, map_get(&to->by_addr, old->addr));
	}
	for (size_t i = 0; i < from->pages.len; i++)
		*VEC_PUSH(&to->pages) = from->pages.at[i];
	for (size_t i = 0; i < from->changes.len; i++)
		*VEC_PUSH(&to->changes) = from->changes.at[i];
	memcpy(to->guards, from->guards, sizeof(to->guards));
}

struct site *sites_get(struct sites *s, uint64_t addr)
{
	struct site *site = map_get(&s->by_addr, addr);

	if (!site && s->by_addr.len < SITES_MAX) {
		site = mem_calloc(1, sizeof(*site));
		site->addr = addr;
		map_set(&s->by_addr, addr, site);
	}
	return site;
}

struct site *sites_at_tramp(const struct sites *s, uint64_t ip, uint64_t *ret_offset)
{
	uint64_t tramp = ip & ~(uint64_t)(TRAMP_BYTES - 1);

	*ret_offset = ip - tramp;
	return map_get(&s->by_tramp, tramp);
}

struct site *sites_of_desc(const struct sites *s, uint64_t desc)
{
	return map_get(&s->by_tramp, desc - TRAMP_DESC);
}

void sites_renew(struct sites *s, struct site *site)
{
	if (site->springboard)
		map_del(&s->springboards, site->springboard);
	site->springboard = 0;
	if (site->moved_len)
		site->tramp = 0; /* it begins with what was there */
	site->moved_len = 0;
	site->change_len = 0;
	site->state = SITE_NEW;
	site->reason = NULL;
}

struct site *sites_changed_at(const struct sites *s, uint64_t addr)
{
	for (uint64_t a = addr; a <= addr + SITE_MOVED_MAX; a++) {
		struct site *site = map_get(&s->by_addr, a);

		if (site && site->change_len && site->change_at == addr)
			return site;
	}
	return NULL;
}

int sites_changed(const struct sites *s, uint64_t addr)
{
	for (uint64_t a = addr; a > addr - ARCH_JUMP_BYTES; a--)
		if (map_get(&s->springboards, a))
			return 1;
	for (uint64_t a = addr - 1; a <= addr + SITE_MOVED_MAX; a++) {
		const struct site *site = map_get(&s->by_addr, a);

		if (site && site->state == SITE_PATCHED && addr >= a - site->moved_len)
			return 1;
	}
	return 0;
}

uint64_t sites_room(struct sites *s, uint64_t addr)
{
	for (size_t i = 0; i < s->pages.len; i++) {
		struct tramp_page *p = &s->pages.at[i];
		uint64_t distance = p->addr > addr ? p->addr - addr : addr - p->addr;

		if (p->used < TRAMPS_A_PAGE && distance < ARCH_TRAMP_REACH)
			return p->addr + (uint64_t)p->used++ * TRAMP_BYTES;
	}
	return 0;
}

void sites_add_page(struct sites *s, uint64_t page)
{
	uint64_t *guard = s->guards[page >= UPPER_HALF];

	*VEC_PUSH(&s->pages) = (struct tramp_page){page, 0};
	if (!guard[1] || page < guard[0])
		guard[0] = page;
	if (page + 4096 > guard[1])
		guard[1] = page + 4096;
}

int sites_has_page(const struct sites *s, uint64_t page)
{
	for (size_t i = 0; i < s->pages.len; i++)
		if (s->pages.at[i].addr == page)
			return 1;
	return 0;
}

void sites_drop_page(struct sites *s, uint64_t page)
{
	for (size_t i = 0; i < s->pages.len; i++)
		if (s->pages.at[i].addr == page)
			s->pages.at[i--] = s->pages.at[--s->pages.len];
}

void sites_forget_places(struct sites *s)
{
	struct map_iter it = {0};

	while (map_next(&s->by_addr, &it)) {
		struct site *site = it.value;

		site->tramp = site->springboard = 0;
	}
	map_release(&s->by_tramp);
	map_release(&s->springboards);
}

void sites_set_tramp(struct sites *s, struct site *site, uint64_t addr)
{
	site->tramp = addr;
	map_set(&s->by_tramp, addr, site);
}

/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RECORDER_SITE_H
#define TRACER_RECORDER_SITE_H

#include <stdint.h>

#include "common/base/map.h"
#include "tracer/arch/arch.h"

/*
 * The call sites of one address space, and the trampolines that lead from them to the stub. What a
 * site is, not how it is changed: see patch.h.
 */
enum site_state {
	SITE_NEW,
	SITE_REDIRECTED, /* left as it is: each call is one stop */
	SITE_PATCHED,
};

struct site {
	uint64_t addr;                    /* of the call instruction */
	uint64_t tramp;                   /* 0: none yet */
	uint64_t springboard;             /* padding that leads to the trampoline; 0: none */
	uint8_t padding[ARCH_JUMP_BYTES]; /* what was there */
	uint8_t moved_len; /* of the instruction before the site, with which the trampoline begins
			    */
	/* The change of the code; it stays known after it was taken back. change_len 0: none. */
	uint64_t change_at;
	uint8_t change_len, was[ARCH_JUMP_BYTES], now[ARCH_JUMP_BYTES];
	uint8_t no_stacks; /* no call that it can make is traced: none of its stacks is wanted */
	uint32_t hits;     /* stops at it */
	uint64_t calls;    /* made at it with a stop since it was left alone */
	enum site_state state;
	const char *reason; /* SITE_REDIRECTED: why it was not patched */
};

/* A change as it may stand elsewhere, in a copy. */
struct change {
	uint64_t at;        /* where it was made */
	int64_t leads, hop; /* from there to the trampoline, and to the padding; hop 0: none */
	uint8_t len, was[ARCH_JUMP_BYTES], now[ARCH_JUMP_BYTES];
	uint8_t has_beside[2], beside[2][8];
};

/* A copy of one, from which a thread came to ip. */
struct copy {
	uint64_t ip, at;
	size_t change; /* its index */
};
#define COPIES_MAX 64

#define SITE_MOVED_MAX 15 /* length of an instruction */
#define TRAMPS_A_PAGE  (4096 / TRAMP_BYTES)

/* Of more places, as of code that is generated, none is kept: their calls stop. */
#define SITES_MAX (1U << 16)

struct sites {
	struct map by_addr;  /* -> struct site */
	struct map by_tramp; /* trampoline -> the same */
	struct {
		struct tramp_page {
			uint64_t addr;
			unsigned int used;
		} * at;
		size_t len, cap;
	} pages;
	struct {
		struct change *at;
		size_t len, cap;
	} changes; /* all that were made, and may have been copied */
	struct {
		struct copy *at;
		size_t len, cap;
	} copies; /* those that were put back last */
	size_t oldest_copy;
	struct map springboards; /* padding in use: address -> struct site */
	uint64_t guards[2][2];   /* ranges that hold all pages: in the lower and the upper half */
};

void sites_release(struct sites *s);
/* For a fork: the child's memory is a copy. */
void sites_copy(struct sites *to, const struct sites *from);

/* Makes it; NULL: there are SITES_MAX. */
struct site *sites_get(struct sites *s, uint64_t addr);
/* The site whose trampoline ip is in, or NULL; *ret_offset: where in it. */
struct site *sites_at_tramp(const struct sites *s, uint64_t ip, uint64_t *ret_offset);
/* The same for a descriptor. */
struct site *sites_of_desc(const struct sites *s, uint64_t desc);

/* Other code is at the site now: it is new again, but for a trampoline that holds none of the
 * former code. */
void sites_renew(struct sites *s, struct site *site);
/* The site whose change begins, or began, at addr, or NULL. */
struct site *sites_changed_at(const struct sites *s, uint64_t addr);
/* 1 if the byte there is of a change of ours. */
int sites_changed(const struct sites *s, uint64_t addr);

/* Room for a trampoline within reach of addr, or 0. */
uint64_t sites_room(struct sites *s, uint64_t addr);
void sites_add_page(struct sites *s, uint64_t page);
int sites_has_page(const struct sites *s, uint64_t page);
/* A page is unmapped. */
void sites_drop_page(struct sites *s, uint64_t page);
/* No thread is, or comes, where trampolines and springboards were. */
void sites_forget_places(struct sites *s);
/* site gets the trampoline at addr. */
void sites_set_tramp(struct sites *s, struct site *site, uint64_t addr);

#endif

/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_RECORDER_PLAN_H
#define TRACER_RECORDER_PLAN_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"

/*
 * How the call sites of one ELF file can be taken over: pure knowledge of the file, the same for
 * every process that maps it. All addresses are the file's own (p_vaddr); the caller adds the load
 * bias. The architecture's part is in tracer/arch/.
 */
struct code; /* the executable segments of a file and where its functions begin and end */

/* Reads the ELF file at fd (the caller's; not kept open by us). NULL with err set: not a file of
 * this architecture, truncated or hostile. */
struct code *code_open(int fd, struct err *err);
void code_free(struct code *c); /* takes NULL */

/* The address of the byte at that file offset, if it is in an executable segment; else UINT64_MAX.
 */
uint64_t code_address(const struct code *c, uint64_t file_offset);

enum plan_kind {
	PLAN_NONE,    /* leave the site alone */
	PLAN_PADDING, /* a jump as long as the call instruction, to a long jump in dead padding */
	PLAN_BEFORE,  /* a long jump over the instruction before it, which is moved */
};

#define PLAN_SPRINGBOARDS_MAX 8
#define PLAN_MOVED_MAX        15

struct plan {
	enum plan_kind kind;
	const char *reason; /* PLAN_NONE: why, static text for the result, "no padding in reach" */
	uint64_t site;      /* the call instruction */
	/* PLAN_PADDING: places of 5 bytes each in proven dead padding within reach, nearest first,
	 * not overlapping. */
	uint64_t springboards[PLAN_SPRINGBOARDS_MAX];
	size_t springboards_len;
	/* PLAN_BEFORE, and PLAN_PADDING where it would do too (else moved_len 0): the instruction
	 * that is moved to the trampoline (position independent, 5 bytes or more, directly before
	 * the site, nothing branches to the site) */
	uint64_t moved_at;
	uint8_t moved[PLAN_MOVED_MAX];
	uint8_t moved_len;
	/* What memory must hold at the site for the plan to be true: the caller compares. Bytes of
	 * the file around the site, so that another file at this address is noticed. */
	uint64_t check_at;
	uint8_t check[32];
	uint8_t check_len;
};

/* The plan for the call instruction at address site, if it was made before: 1 and *ret. Else 0, and
 * the file must be read again. */
int code_planned(const struct code *c, uint64_t site, struct plan *ret);
/* Makes it if need be. fd: the same file, the caller's. Always fills *ret. */
void code_plan(struct code *c, int fd, uint64_t site, struct plan *ret);

#endif

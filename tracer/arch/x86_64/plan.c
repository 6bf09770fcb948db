/* SPDX-License-Identifier: GPL-3.0-only */
/* Plans for x86-64: see tracer/recorder/plan.h. What is needed for a proof is decoded by Zydis. */
#include "tracer/recorder/plan.h"

#include <Zydis/Zydis.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/map.h"
#include "common/base/mem.h"
#include "tracer/arch/arch.h"
#include "tracer/arch/x86_64/functions.h"

#define PAGE_BYTES     4096
#define CACHE_LINE     64
#define SHORT_REACH    127 /* of a short jump */
#define FUNCTION_MAX   65536
#define NEIGHBOURS_MAX 2048
#define STRETCH_MAX    16384 /* how far on the next known function may be */
#define CHECK_AROUND   16

struct code {
	struct functions *functions;
	struct map plans; /* site -> struct plan: processes by the hundred ask for the same */
};

struct code *code_open(int fd, struct err *err)
{
	struct functions *f = functions_open(fd);
	struct code *c;

	if (!f) {
		err_set(err, -ENOEXEC, "no ELF file of x86-64");
		return NULL;
	}
	c = mem_calloc(1, sizeof(*c));
	c->functions = f;
	return c;
}

void code_free(struct code *c)
{
	struct map_iter it = {0};

	if (!c)
		return;
	while (map_next(&c->plans, &it))
		free(it.value);
	map_release(&c->plans);
	functions_free(c->functions);
	free(c);
}

uint64_t code_address(const struct code *c, uint64_t file_offset)
{
	return functions_address(c->functions, file_offset);
}

/* ---- decoding ---- */

struct insn {
	ZydisDecodedInstruction i;
	ZydisDecodedOperand operands[ZYDIS_MAX_OPERAND_COUNT];
};

static int decode(const uint8_t *code, size_t len, struct insn *ret)
{
	ZydisDecoder decoder;

	ZydisDecoderInit(&decoder, ZYDIS_MACHINE_MODE_LONG_64, ZYDIS_STACK_WIDTH_64);
	return ZYAN_SUCCESS(ZydisDecoderDecodeFull(&decoder, code, len, &ret->i, ret->operands));
}

static int is_branch(const struct insn *n)
{
	return n->i.meta.category == ZYDIS_CATEGORY_COND_BR ||
	       n->i.meta.category == ZYDIS_CATEGORY_UNCOND_BR ||
	       n->i.meta.category == ZYDIS_CATEGORY_CALL;
}

/* Where a direct branch at addr leads; 0: it is none. */
static uint64_t target_of(const struct insn *n, uint64_t addr)
{
	ZyanU64 to;

	if (!is_branch(n) || n->operands[0].type != ZYDIS_OPERAND_TYPE_IMMEDIATE ||
		!ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&n->i, &n->operands[0], addr, &to)))
		return 0;
	return to;
}

/* What it refers to relative to itself, by a branch or as memory; 0: nothing. */
static uint64_t mention_of(const struct insn *n, uint64_t addr)
{
	ZyanU64 to;

	for (size_t i = 0; i < n->i.operand_count; i++)
		if (n->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
			n->operands[i].mem.base == ZYDIS_REGISTER_RIP &&
			ZYAN_SUCCESS(ZydisCalcAbsoluteAddress(&n->i, &n->operands[i], addr, &to)))
			return to;
	return target_of(n, addr);
}

/* An instruction after which the next one is not executed. */
static int ends_flow(const struct insn *n)
{
	switch (n->i.mnemonic) {
	case ZYDIS_MNEMONIC_RET:
	case ZYDIS_MNEMONIC_JMP:
	case ZYDIS_MNEMONIC_UD2:
	case ZYDIS_MNEMONIC_HLT:
	case ZYDIS_MNEMONIC_INT3:
	case ZYDIS_MNEMONIC_CALL: /* of a function that does not return */
		return 1;
	default:
		return 0;
	}
}

/* What a linear walk through a function tells. */
struct walk {
	uint64_t forbidden_from, forbidden_until; /* no branch may lead in here, nothing read it */
	uint64_t before;   /* the address whose preceding instruction is wanted; 0: none */
	int jumps_inside;  /* one does */
	int indirect_jump; /* there is a jump by a table or pointer */
	int flows_out;     /* the last instruction goes on after the end */
	int found_before;
	uint64_t before_at;
	struct insn before_insn;
};

static int walk_code(const uint8_t *code, size_t len, uint64_t start, struct walk *w)
{
	struct insn n, last = {0};
	uint64_t last_at = 0;

	for (size_t at = 0; at < len; at += n.i.length) {
		uint64_t to;

		if (start + at == w->before && at) {
			w->found_before = 1;
			w->before_at = last_at;
			w->before_insn = last;
		}
		if (!decode(code + at, len - at, &n))
			return -1;
		to = target_of(&n, start + at);
		w->indirect_jump |= n.i.mnemonic == ZYDIS_MNEMONIC_JMP && !to;
		to = mention_of(&n, start + at);
		w->jumps_inside |= to >= w->forbidden_from && to < w->forbidden_until;
		last = n;
		last_at = start + at;
	}
	w->flows_out = !len || !ends_flow(&last);
	return 0;
}

/* -1: the function's code cannot be decoded whole. */
static int walk_function(const struct code *c, const struct function *f, struct walk *w)
{
	size_t len = (size_t)(f->end - f->start);
	uint8_t *code;
	int rc = -1;

	if (f->end <= f->start || f->end - f->start > FUNCTION_MAX)
		return -1;
	code = mem_calloc(1, len);
	if (functions_code(c->functions, f->start, code, len) == len)
		rc = walk_code(code, len, f->start, w);
	free(code);
	return rc;
}

/* ---- padding ---- */

/* mov $15, %rax; syscall: unwinders know a signal's frame by these bytes, and look before them. */
#define SIGRETURN_BYTES 9
static int is_sigreturn(const uint8_t p[SIGRETURN_BYTES])
{
	static const uint8_t code[SIGRETURN_BYTES] = {0x48, 0xc7, 0xc0, 0x0f, 0, 0, 0, 0x0f, 0x05};

	return memcmp(p, code, sizeof(code)) == 0;
}

/* 1 if that begins at addr; there may be a byte before it, which unwinders want. */
static int begins_sigreturn(const struct code *c, uint64_t addr)
{
	uint8_t head[1 + SIGRETURN_BYTES] = {0};

	functions_code(c->functions, addr, head, sizeof(head));
	return is_sigreturn(head) || is_sigreturn(head + 1);
}

/* 1 if [start, end) is nothing but filling. */
static int is_filling(const struct code *c, uint64_t start, uint64_t end)
{
	uint8_t code[SHORT_REACH + CACHE_LINE];
	size_t len = (size_t)(end - start);
	struct insn n;

	if (end - start > sizeof(code) || functions_code(c->functions, start, code, len) != len)
		return 0;
	for (size_t at = 0; at < len;) {
		if (code[at] == ARCH_TRAP || code[at] == 0) {
			at++;
			continue;
		}
		if (!decode(code + at, len - at, &n) || n.i.mnemonic != ZYDIS_MNEMONIC_NOP)
			return 0;
		at += n.i.length;
	}
	return 1;
}

/* 1 if the gap between two functions is never executed. */
static int is_dead(
	const struct code *c, const struct function *before, const struct function *after)
{
	struct walk w = {.forbidden_from = before->end, .forbidden_until = after->start};

	if (begins_sigreturn(c, after->start) || !is_filling(c, before->end, after->start))
		return 0;
	if (walk_function(c, before, &w) < 0 || w.flows_out || w.jumps_inside)
		return 0;
	/* Of a bare symbol nothing is known but its beginning. */
	return after->end <= after->start || (walk_function(c, after, &w) == 0 && !w.jumps_inside);
}

static uint64_t away(uint64_t site, uint64_t springboard)
{
	return springboard > site ? springboard - site : site - springboard;
}

static void add_springboard(struct plan *p, uint64_t springboard)
{
	size_t i = p->springboards_len;

	for (size_t k = 0; k < p->springboards_len; k++)
		if (away(p->springboards[k], springboard) < ARCH_JUMP_BYTES)
			return; /* found already, by way of a symbol and of the unwind table */
	if (i == PLAN_SPRINGBOARDS_MAX) {
		if (away(p->site, p->springboards[i - 1]) <= away(p->site, springboard))
			return;
		i--;
	} else {
		p->springboards_len++;
	}
	for (; i && away(p->site, p->springboards[i - 1]) > away(p->site, springboard); i--)
		p->springboards[i] = p->springboards[i - 1];
	p->springboards[i] = springboard;
}

/* 1 if what is written from `from` to the last byte of a jump at `to` is in one page. A program may
 * drop a page of its code (MADV_DONTNEED), which is then as in the file, and keep the next one. */
static int in_one_page(uint64_t from, uint64_t to)
{
	return from / PAGE_BYTES == to / PAGE_BYTES &&
	       from / PAGE_BYTES == (to + ARCH_JUMP_BYTES - 1) / PAGE_BYTES;
}

static int in_reach(uint64_t site, uint64_t springboard)
{
	uint8_t jump[ARCH_CALL_BYTES];

	return in_one_page(site, springboard) && arch_jump_short(jump, site, springboard) == 0;
}

static void add_gap(const struct code *c, struct plan *p, const struct function *before,
	const struct function *after)
{
	uint64_t from = before->end;
	int dead = -1;

	for (uint64_t springboard = from; springboard + ARCH_JUMP_BYTES <= after->start;
		springboard += ARCH_JUMP_BYTES) {
		if (!in_reach(p->site, springboard))
			continue;
		if (dead < 0)
			dead = is_dead(c, before, after);
		if (dead)
			add_springboard(p, springboard);
	}
}

/*
 * A stretch between two known functions that holds others, of which nothing is told (a library
 * without its symbols): it is decoded from its proven beginning, and must end where the next known
 * function begins. Filling in it that follows a jump or return, and that no branch leads to, is
 * dead.
 */
struct stretch {
	uint64_t start, end;
	int reached;                 /* its first instruction is executed */
	const struct function *near; /* those that are known around here */
	size_t near_len;
	struct {
		struct run {
			uint64_t start, end;
		} * at;
		size_t len, cap;
	} runs; /* of filling that cannot be reached by going on */
	struct {
		uint64_t *at;
		size_t len, cap;
	} targets; /* of direct branches, and what is read, in here */
};

static int decode_stretch(struct stretch *s, const uint8_t *code, size_t len)
{
	int reached = s->reached;
	struct insn n;

	for (size_t at = 0; at < len; at += n.i.length) {
		uint64_t addr = s->start + at, to;

		if (!decode(code + at, len - at, &n))
			return -1;
		if (n.i.mnemonic == ZYDIS_MNEMONIC_JMP && !target_of(&n, addr))
			return -1; /* by a table: it may lead anywhere */
		to = mention_of(&n, addr);
		if (to >= s->start && to < s->end)
			*VEC_PUSH(&s->targets) = to;
		if (n.i.mnemonic == ZYDIS_MNEMONIC_NOP || n.i.mnemonic == ZYDIS_MNEMONIC_INT3) {
			struct run *last = s->runs.len ? &s->runs.at[s->runs.len - 1] : NULL;

			if (last && last->end == addr)
				last->end += n.i.length;
			else if (!reached)
				*VEC_PUSH(&s->runs) = (struct run){addr, addr + n.i.length};
			continue; /* what follows filling is reached only if the filling is */
		}
		reached = !ends_flow(&n) || n.i.mnemonic == ZYDIS_MNEMONIC_CALL;
	}
	return 0;
}

static int is_target(const struct stretch *s, const struct run *run)
{
	for (size_t i = 0; i < s->targets.len; i++)
		if (s->targets.at[i] >= run->start && s->targets.at[i] < run->end)
			return 1;
	for (size_t i = 0; i < s->near_len; i++) /* a second entry that begins with filling */
		if (s->near[i].start >= run->start && s->near[i].start < run->end)
			return 1;
	return 0;
}

static void add_runs(const struct code *c, struct plan *p, const struct stretch *s)
{
	for (size_t i = 0; i < s->runs.len; i++) {
		const struct run *run = &s->runs.at[i];

		if (is_target(s, run) || begins_sigreturn(c, run->end))
			continue;
		for (uint64_t springboard = run->start; springboard + ARCH_JUMP_BYTES <= run->end;
			springboard += ARCH_JUMP_BYTES)
			if (in_reach(p->site, springboard))
				add_springboard(p, springboard);
	}
}

static void add_decoded(const struct code *c, struct plan *p, struct stretch s)
{
	size_t len = (size_t)(s.end - s.start);
	uint8_t *code;

	if (s.end <= s.start || s.end - s.start > FUNCTION_MAX)
		return;
	code = mem_calloc(1, len);
	if (functions_code(c->functions, s.start, code, len) == len &&
		decode_stretch(&s, code, len) == 0)
		add_runs(c, p, &s);
	free(code);
	free(s.runs.at);
	free(s.targets.at);
}

/* All gaps in reach: where the ranges that begin before end, until the next one begins. And filling
 * inside of functions, before what loops and branches lead to. */
static void find_padding(const struct code *c, struct plan *p)
{
	struct function near[NEIGHBOURS_MAX], last;
	uint64_t from = p->site > SHORT_REACH ? p->site - SHORT_REACH : 0;
	size_t n = functions_near(c->functions, from, p->site + STRETCH_MAX, near, NEIGHBOURS_MAX);
	struct walk w;

	if (!n)
		return;
	last = near[0];
	for (size_t i = 0; i < n; i++)
		if (near[i].end > from && near[i].start < p->site + SHORT_REACH &&
			!(i && near[i].start == near[i - 1].start &&
				near[i].end == near[i - 1].end))
			add_decoded(c, p,
				(struct stretch){.start = near[i].start,
					.end = near[i].end,
					.reached = 1,
					.near = near,
					.near_len = n});
	for (size_t i = 1; i < n; i++) {
		w = (struct walk){0};
		if (near[i].start > last.end && near[i].start - last.end <= SHORT_REACH &&
			last.end > last.start)
			add_gap(c, p, &last, &near[i]);
		else if (near[i].start > last.end && last.end > last.start &&
			 near[i].start > from && last.end < p->site + SHORT_REACH &&
			 walk_function(c, &last, &w) == 0 && !w.flows_out)
			add_decoded(c, p,
				(struct stretch){.start = last.end,
					.end = near[i].start,
					.near = near,
					.near_len = n});
		if (near[i].end >= last.end)
			last = near[i];
	}
}

/* ---- the instruction before ---- */

static int is_pc_relative(const struct insn *n)
{
	for (size_t i = 0; i < n->i.operand_count; i++)
		if (n->operands[i].type == ZYDIS_OPERAND_TYPE_MEMORY &&
			n->operands[i].mem.base == ZYDIS_REGISTER_RIP)
			return 1;
	return (n->i.attributes & ZYDIS_ATTRIB_IS_RELATIVE) != 0;
}

/* Executed elsewhere, just before the stub, it does the same: the stub has changed nothing yet. */
static int is_movable(const struct insn *n)
{
	return n->i.length >= ARCH_JUMP_BYTES && n->i.length <= PLAN_MOVED_MAX && !is_branch(n) &&
	       !is_pc_relative(n) && n->i.meta.category != ZYDIS_CATEGORY_SYSCALL &&
	       n->i.mnemonic != ZYDIS_MNEMONIC_NOP;
}

/* The function that the site is in, or what lies between the two known ones around it. */
static int range_around(const struct code *c, uint64_t site, struct function *ret)
{
	struct function near[NEIGHBOURS_MAX];
	size_t n;

	if (functions_at(c->functions, site, ret))
		return 1;
	n = functions_near(c->functions, site, site + STRETCH_MAX, near, NEIGHBOURS_MAX);
	*ret = (struct function){0, UINT64_MAX};
	for (size_t i = 0; i < n; i++) {
		if (near[i].end <= site && near[i].end > ret->start)
			ret->start = near[i].end; /* of no size: its beginning */
		if (near[i].start > site && near[i].start < ret->end)
			ret->end = near[i].start;
	}
	return ret->start && ret->end != UINT64_MAX;
}

static const char *plan_before(const struct code *c, struct plan *p)
{
	struct function f;
	struct walk w;

	if (!range_around(c, p->site, &f))
		return "no padding in reach, and no known function";
	/* A branch may lead to the instruction itself, not into it or to the call. */
	w = (struct walk){.before = p->site,
		.forbidden_from = p->site - PLAN_MOVED_MAX,
		.forbidden_until = p->site + 1};
	if (walk_function(c, &f, &w) < 0 || !w.found_before)
		return "no padding in reach, and the function does not decode";
	if (w.indirect_jump)
		return "no padding in reach, and the function jumps by a table";
	if (!is_movable(&w.before_insn))
		return "no padding in reach, and no instruction before it to move";
	if (!in_one_page(w.before_at, w.before_at))
		return "no padding in reach, and the instruction before it crosses a page";
	w.forbidden_from = w.before_at + 1;
	w.jumps_inside = 0;
	if (walk_function(c, &f, &w) < 0 || w.jumps_inside)
		return "no padding in reach, and a branch leads to it";
	p->moved_at = w.before_at;
	p->moved_len = w.before_insn.i.length;
	if (functions_code(c->functions, p->moved_at, p->moved, p->moved_len) != p->moved_len)
		return "the code could not be read";
	p->kind = PLAN_BEFORE;
	return NULL;
}

/* ---- the plan ---- */

static void take_check(const struct code *c, struct plan *p)
{
	uint64_t before = p->site < CHECK_AROUND ? p->site : CHECK_AROUND;
	uint8_t byte;

	/* The segment may begin here. */
	while (before && functions_code(c->functions, p->site - before, &byte, 1) != 1)
		before--;
	p->check_at = p->site - before;
	p->check_len = (uint8_t)functions_code(
		c->functions, p->check_at, p->check, (size_t)before + CHECK_AROUND);
}

/* 1 if the number is set to rt_sigreturn just before the site, in either of two ways. */
static int returns_from_signal(const struct code *c, uint64_t site)
{
	static const uint8_t short_way[] = {0xb8, 0x0f, 0, 0, 0, 0x0f, 0x05};
	uint8_t code[SIGRETURN_BYTES];

	if (functions_code(c->functions, site - 7, code, 9) == 9 && is_sigreturn(code))
		return 1;
	return functions_code(c->functions, site - 5, code, 7) == 7 &&
	       memcmp(code, short_way, sizeof(short_way)) == 0;
}

static void make_plan(const struct code *c, uint64_t site, struct plan *ret)
{
	uint8_t call[ARCH_CALL_BYTES];

	*ret = (struct plan){.kind = PLAN_NONE, .site = site};
	if (functions_code(c->functions, site, call, sizeof(call)) != sizeof(call) ||
		!arch_is_call(call)) {
		ret->reason = "the file has no call there";
		return;
	}
	if (returns_from_signal(c, site)) {
		ret->reason = "the return from signals";
		return;
	}
	take_check(c, ret);
	if (site % CACHE_LINE != CACHE_LINE - 1)
		find_padding(c, ret);
	ret->reason = plan_before(c, ret);
	if (ret->springboards_len) {
		ret->kind = PLAN_PADDING;
		ret->reason = NULL;
	} else if (ret->kind == PLAN_NONE && site % CACHE_LINE == CACHE_LINE - 1) {
		ret->reason = "crosses a cache line, and no instruction before it to move";
	}
}

int code_planned(const struct code *c, uint64_t site, struct plan *ret)
{
	const struct plan *plan = map_get(&c->plans, site);

	if (!plan)
		return 0;
	*ret = *plan;
	return 1;
}

void code_plan(struct code *c, int fd, uint64_t site, struct plan *ret)
{
	struct plan *plan;

	if (code_planned(c, site, ret))
		return;
	plan = mem_calloc(1, sizeof(*plan));
	functions_read_from(c->functions, fd);
	make_plan(c, site, plan);
	functions_read_from(c->functions, -1);
	map_set(&c->plans, site, plan);
	*ret = *plan;
}

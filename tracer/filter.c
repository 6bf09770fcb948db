/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"

#define TRACE SCMP_ACT_TRACE(FILTER_TRACE_DATA)

/*
 * Control calls that matter for a few values of one argument only. The comparison is on the low
 * half (32 bits), which is all that the kernel looks at in these int arguments.
 */
static const struct {
	const char *name;
	unsigned int arg;
	uint64_t mask, value;
} narrow[] = {
	{"prctl", 0, 0xffffffffU, PR_SET_SECCOMP},
	{"prctl", 0, 0xffffffffU, PR_SET_TSC},
	{"prctl", 0, 0xffffffffU, PR_SET_SYSCALL_USER_DISPATCH},
	{"socket", 0, 0xffffffffU, AF_XDP},
	{"fcntl", 1, 0xffffffffU, F_DUPFD},
	{"fcntl", 1, 0xffffffffU, F_DUPFD_CLOEXEC},
	{"setsockopt", 1, 0xffffffffU, 17 /* SOL_UDP */},
	{"setsockopt", 1, 0xffffffffU, SOL_PACKET},
	{"mmap", 3, MAP_FIXED, MAP_FIXED},
	{"mmap", 3, MAP_FIXED_NOREPLACE, MAP_FIXED_NOREPLACE},
};

/*
 * libseccomp takes native numbers, and numbers of its own for calls that only another ABI has.
 * Below 0: it does not know that call of the other ABI.
 */
static int native_number(int abi, uint32_t nr)
{
	char *name;
	int native;

	if (abi == ABI_X86_64)
		return (int)nr;
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86, (int)nr);
	native = name ? seccomp_syscall_resolve_name(name) : __NR_SCMP_ERROR;
	free(name);
	return native;
}

/* 1 if it is one of those whose arguments are looked at, 0 if not, or a negative errno. */
static int add_narrow(scmp_filter_ctx ctx, const char *name, int nr)
{
	int found = 0;

	for (size_t i = 0; i < sizeof(narrow) / sizeof(*narrow); i++) {
		struct scmp_arg_cmp cmp = SCMP_CMP(
			narrow[i].arg, SCMP_CMP_MASKED_EQ, narrow[i].mask, narrow[i].value);
		int rc;

		if (strcmp(narrow[i].name, name) != 0)
			continue;
		found = 1;
		rc = seccomp_rule_add_array(ctx, TRACE, nr, 1, &cmp);
		if (rc < 0 && rc != -EEXIST)
			return rc;
	}
	return found;
}

static int add_rule(
	scmp_filter_ctx ctx, const struct control_map *map, const struct sys_def *def, int nr)
{
	int rc = 0;

	if (!map->whole[def->index])
		rc = add_narrow(ctx, def->name, nr);
	if (rc == 0)
		rc = seccomp_rule_add_array(ctx, TRACE, nr, 0, NULL);
	return rc < 0 && rc != -EEXIST ? rc : 0;
}

static int add_rules(scmp_filter_ctx ctx, int abi, const struct control_map *map)
{
	for (uint32_t nr = 0; nr < SYS_NUMBERS_MAX; nr++) {
		const struct sys_def *def = sys_find(abi, nr);
		int rc, native;

		if (!def || def->index >= map->len ||
			(!map->traced[def->index] && !map->kind[def->index]))
			continue;
		if (abi == ABI_I386 && !map->traced[def->index] &&
			map->kind[def->index] == CONTROL_MAPPINGS)
			continue; /* no recorder there */
		native = native_number(abi, nr);
		if (native == __NR_SCMP_ERROR)
			continue; /* docs/LIMITS.md: newer than libseccomp, in a 32-bit program */
		rc = add_rule(ctx, map, def, native);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Numbers beyond the table, which --trace can name as syscall_N. */
static int add_numbers_beyond(scmp_filter_ctx ctx, const struct control_map *map)
{
	for (size_t i = 0; i < map->len; i++) {
		long nr = map->traced[i] ? sys_number(ABI_X86_64, sys_by_index(i)) : -1;
		int rc;

		if (nr < SYS_NUMBERS_MAX || nr > INT_MAX)
			continue;
		rc = seccomp_rule_add_array(ctx, TRACE, (int)nr, 0, NULL);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/*
 * What i386 has inside socketcall(2) only, and so without a number of its own in the loop above:
 * libseccomp makes a rule for socketcall's first argument out of the name.
 */
static int add_names(scmp_filter_ctx ctx, const struct control_map *map)
{
	static const char *const names[] = {"accept", "send", "recv"};

	for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
		const struct sys_def *def = sys_by_name(names[i]);
		int rc;

		if (!def || def->index >= map->len || !map->traced[def->index])
			continue;
		rc = add_rule(ctx, map, def, seccomp_syscall_resolve_name(names[i]));
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Arguments of what comes through it are in memory: the narrow rules cannot look at them there. */
static int add_socketcalls(scmp_filter_ctx ctx, const struct control_map *map)
{
	static const struct {
		const char *name;
		unsigned int call; /* linux/net.h */
	} wide[] = {{"socket", 1}, {"setsockopt", 14}};
	int rc = add_names(ctx, map);

	for (size_t i = 0; rc == 0 && i < sizeof(wide) / sizeof(*wide); i++) {
		const struct sys_def *def = sys_by_name(wide[i].name);
		struct scmp_arg_cmp cmp =
			SCMP_CMP(0, SCMP_CMP_MASKED_EQ, 0xffffffffU, wide[i].call);

		if (map->traced[def->index] || !map->kind[def->index])
			continue;
		rc = seccomp_rule_add_array(ctx, TRACE, SCMP_SYS(socketcall), 1, &cmp);
		rc = rc == -EEXIST ? 0 : rc;
	}
	return rc;
}

static scmp_filter_ctx abi_filter(int abi, const struct control_map *map)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	if (!ctx)
		return NULL;
	/* An ABI without rules (x32) is stopped at every call. */
	if (seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, TRACE) == 0 &&
		(abi == ABI_X86_64 || (seccomp_arch_add(ctx, SCMP_ARCH_X86) == 0 &&
					      seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE) == 0)) &&
		add_rules(ctx, abi, map) == 0 &&
		(abi == ABI_I386 ? add_socketcalls(ctx, map) : add_numbers_beyond(ctx, map)) == 0)
		return ctx;
	seccomp_release(ctx);
	return NULL;
}

/* No rules: every call is stopped by the default action, in every ABI. */
static scmp_filter_ctx all_filter(void)
{
	scmp_filter_ctx ctx = seccomp_init(TRACE);

	if (ctx && seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, TRACE) == 0)
		return ctx;
	seccomp_release(ctx);
	return NULL;
}

static scmp_filter_ctx build(const struct control_map *map, int all)
{
	scmp_filter_ctx ctx, compat;

	if (all)
		return all_filter();
	/* One filter for each ABI: in a common one libseccomp refuses calls that it does not
	 * know. */
	ctx = abi_filter(ABI_X86_64, map);
	compat = abi_filter(ABI_I386, map);
	if (ctx && compat && seccomp_merge(ctx, compat) == 0)
		return ctx;
	seccomp_release(compat);
	seccomp_release(ctx);
	return NULL;
}

static int export_program(scmp_filter_ctx ctx, struct sock_fprog *ret)
{
	cleanup_close int fd = memfd_create("filter", MFD_CLOEXEC);
	off_t size;

	if (fd < 0)
		return -errno;
	if (seccomp_export_bpf(ctx, fd) < 0)
		return -EINVAL;
	size = lseek(fd, 0, SEEK_END);
	if (size <= 0 || size % (off_t)sizeof(struct sock_filter))
		return -EINVAL;
	ret->len = (unsigned short)((size_t)size / sizeof(struct sock_filter));
	ret->filter = mem_calloc(1, (size_t)size);
	if (pread(fd, ret->filter, (size_t)size, 0) != size) {
		free(ret->filter);
		return -EIO;
	}
	return 0;
}

/*
 * ---- what passes ----
 *
 * libseccomp cannot compare the instruction pointer, and in a second filter the stricter verdict
 * wins. So each RET TRACE of its program becomes a jump to one tail, which looks at the pointer,
 * then at the architecture and last for the number in a tree of intervals.
 */

#define DATA(field)        ((uint32_t)offsetof(struct seccomp_data, field))
#define LOAD(field_offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, field_offset)
#define RET_TRACE          (SECCOMP_RET_TRACE | FILTER_TRACE_DATA)

struct tail {
	struct sock_filter at[BPF_MAXINSNS];
	size_t len;
};

static void add(struct tail *t, struct sock_filter insn)
{
	if (t->len < BPF_MAXINSNS)
		t->at[t->len] = insn;
	t->len++;
}

/* Goes on if the loaded word is k, else ends with a stop. */
static void add_must_be(struct tail *t, uint32_t k)
{
	add(t, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 1, 0));
	add(t, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, RET_TRACE));
}

/* First number from `nr` on whose verdict differs from that of nr. */
static uint32_t border_after(const struct filter_pass *pass, uint32_t nr)
{
	uint32_t i = nr;

	while (i < pass->len && !pass->numbers[i] == !pass->numbers[nr])
		i++;
	return i;
}

/* The verdict for numbers of borders[lo .. hi): borders[i] begins interval i, intervals differ in
 * turn, interval 0 begins at 0. */
static void add_tree(
	struct tail *t, const uint32_t *borders, size_t lo, size_t hi, int first_passes)
{
	size_t mid = lo + (hi - lo) / 2, jump;

	if (hi - lo == 1) {
		int passes = (lo & 1) == 0 ? first_passes : !first_passes;

		add(t, (struct sock_filter)BPF_STMT(
			       BPF_RET | BPF_K, passes ? SECCOMP_RET_ALLOW : RET_TRACE));
		return;
	}
	/* The far side by a long jump: the halves may be longer than a short one reaches. */
	add(t, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, borders[mid], 0, 1));
	jump = t->len;
	add(t, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	add_tree(t, borders, lo, mid, first_passes);
	if (jump < BPF_MAXINSNS)
		t->at[jump].k = (uint32_t)(t->len - jump - 1);
	add_tree(t, borders, mid, hi, first_passes);
}

static void add_numbers(struct tail *t, const struct filter_pass *pass)
{
	uint32_t *borders = mem_calloc(pass->len + 1, sizeof(*borders));
	size_t n = 0;

	for (uint32_t nr = 0; nr < pass->len; nr = border_after(pass, nr))
		borders[n++] = nr;
	/* Beyond the table nothing passes. */
	if (n && ((n - 1) & 1 ? !pass->numbers[0] : pass->numbers[0]))
		borders[n++] = (uint32_t)pass->len;
	add(t, (struct sock_filter)LOAD(DATA(nr)));
	if (n)
		add_tree(t, borders, 0, n, pass->numbers[0] != 0);
	else
		add(t, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, RET_TRACE));
	free(borders);
}

/* What passes from one address; goes on behind it if the call is from another. */
static void add_pass(struct tail *t, const struct filter_pass *pass)
{
	size_t jump;

	add(t, (struct sock_filter)LOAD(DATA(instruction_pointer)));
	add(t, (struct sock_filter)BPF_JUMP(
		       BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)pass->after, 1, 0));
	jump = t->len;
	add(t, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	add(t, (struct sock_filter)LOAD(DATA(instruction_pointer) + 4));
	add_must_be(t, (uint32_t)(pass->after >> 32));
	add(t, (struct sock_filter)LOAD(DATA(arch)));
	add_must_be(t, AUDIT_ARCH_X86_64);
	add_numbers(t, pass);
	if (jump < BPF_MAXINSNS)
		t->at[jump].k = (uint32_t)(t->len - jump - 1);
}

static int append_tail(struct sock_fprog *prog, const struct filter_pass *pass)
{
	struct tail *t = mem_calloc(1, sizeof(*t));
	size_t len = prog->len, total;

	for (const struct filter_pass *p = pass; p; p = p->next)
		add_pass(t, p);
	add(t, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, RET_TRACE));
	total = len + t->len;
	if (total <= BPF_MAXINSNS) {
		prog->filter = mem_realloc(prog->filter, total, sizeof(*prog->filter));
		memcpy(prog->filter + len, t->at, t->len * sizeof(*t->at));
		for (size_t i = 0; i < len; i++)
			if (prog->filter[i].code == (BPF_RET | BPF_K) &&
				prog->filter[i].k == RET_TRACE)
				prog->filter[i] = (struct sock_filter)BPF_STMT(
					BPF_JMP | BPF_JA, (uint32_t)(len - i - 1));
		prog->len = (unsigned short)total;
	}
	free(t);
	return total <= BPF_MAXINSNS ? 0 : -E2BIG;
}

int filter_build(const struct control_map *map, int all, const struct filter_pass *pass,
	struct sock_fprog *ret, struct err *err)
{
	scmp_filter_ctx ctx = build(map, all);
	int rc;

	if (!ctx)
		return err_set(err, -EINVAL, "libseccomp could not build the filter");
	rc = export_program(ctx, ret);
	seccomp_release(ctx);
	if (rc == 0 && pass) {
		rc = append_tail(ret, pass);
		if (rc < 0)
			free(ret->filter);
	}
	if (rc < 0)
		return err_set(err, rc, "cannot export the seccomp filter: %s", strerror(-rc));
	return 0;
}

int filter_install(const struct sock_fprog *prog)
{
	if (syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, prog) == 0)
		return 0;
	if (errno != EACCES)
		return -errno;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0)
		return -errno;
	return syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, prog) == 0 ? 0 : -errno;
}

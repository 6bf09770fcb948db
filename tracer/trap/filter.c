/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/trap/filter.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <seccomp.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "tracer/arch/abi.h"

#define TRACE SCMP_ACT_TRACE(FILTER_TRACE_DATA)

/* Numbers that stop, whatever their arguments are. */
struct stopping {
	uint8_t native[SYS_NUMBERS_MAX], compat[SYS_NUMBERS_MAX];
};

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
	{"arch_prctl", 0, 0xffffffffU, ABI_GET_BLOCK},
	{"ioctl", 1, 0xffffffffU, UFFDIO_REGISTER},
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

	if (abi == ABI_NATIVE)
		return (int)nr;
	name = seccomp_syscall_resolve_num_arch(SCMP_ARCH_X86, (int)nr);
	native = name ? seccomp_syscall_resolve_name(name) : __NR_SCMP_ERROR;
	free(name);
	return native;
}

/* 1 if it is one of those whose arguments are looked at, 0 if not, or a negative errno. */
static int add_narrow(scmp_filter_ctx ctx, int abi, uint32_t nr, const char *name)
{
	int found = 0;

	for (size_t i = 0; i < sizeof(narrow) / sizeof(*narrow); i++) {
		struct scmp_arg_cmp cmp = SCMP_CMP(
			narrow[i].arg, SCMP_CMP_MASKED_EQ, narrow[i].mask, narrow[i].value);
		int rc;

		if (strcmp(narrow[i].name, name) != 0)
			continue;
		found = 1;
		rc = seccomp_rule_add_array(ctx, TRACE, native_number(abi, nr), 1, &cmp);
		if (rc < 0 && rc != -EEXIST)
			return rc;
	}
	return found;
}

static int add_whole(scmp_filter_ctx ctx, int nr)
{
	int rc = seccomp_rule_add_array(ctx, TRACE, nr, 0, NULL);

	return rc == -EEXIST ? 0 : rc;
}

/* In a 32-bit program the same call can come by socketcall(2) or ipc(2), which libseccomp knows. */
static int is_multiplexed(int abi, uint32_t nr)
{
	return abi == ABI_I386 && (nr == 337 || nr == 345 /* recvmmsg, sendmmsg */ ||
					  (nr >= 359 && nr <= 373) || (nr >= 393 && nr <= 402));
}

/* Fills stops[SYS_NUMBERS_MAX] with the numbers that stop whatever their arguments are, and adds
 * rules for what is to be seen by arguments. */
static int add_rules(scmp_filter_ctx ctx, int abi, const struct control_map *map, uint8_t *stops)
{
	for (uint32_t nr = 0; nr < SYS_NUMBERS_MAX; nr++) {
		const struct sys_def *def = sys_find(abi, nr);
		int rc = 0;

		if (!def || def->index >= map->len ||
			(!map->traced[def->index] && !map->kind[def->index]))
			continue;
		if (abi == ABI_I386 && !map->traced[def->index] &&
			map->kind[def->index] == CONTROL_MAPPINGS)
			continue; /* no recorder there */
		if (!map->whole[def->index])
			rc = add_narrow(ctx, abi, nr, def->name);
		stops[nr] = rc == 0;
		if (rc == 0 && is_multiplexed(abi, nr))
			rc = add_whole(ctx, native_number(abi, nr));
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* Numbers beyond the table, which --trace can name as syscall_N. */
static int add_numbers_beyond(scmp_filter_ctx ctx, const struct control_map *map)
{
	for (size_t i = 0; i < map->len; i++) {
		long nr = map->traced[i] ? sys_number(ABI_NATIVE, sys_by_index(i)) : -1;
		int rc;

		if (nr < SYS_NUMBERS_MAX || nr > INT_MAX)
			continue;
		rc = add_whole(ctx, (int)nr);
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
		rc = add_whole(ctx, seccomp_syscall_resolve_name(names[i]));
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

static scmp_filter_ctx abi_filter(int abi, const struct control_map *map, uint8_t *stops)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);

	if (!ctx)
		return NULL;
	/* An ABI without rules (x32) is stopped at every call. */
	if (seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, TRACE) == 0 &&
		(abi == ABI_NATIVE || (seccomp_arch_add(ctx, SCMP_ARCH_X86) == 0 &&
					      seccomp_arch_remove(ctx, SCMP_ARCH_NATIVE) == 0)) &&
		add_rules(ctx, abi, map, stops) == 0 &&
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

static scmp_filter_ctx build(const struct control_map *map, struct stopping *stopping)
{
	scmp_filter_ctx ctx, compat;

	/* One filter for each ABI: in a common one libseccomp refuses calls that it does not
	 * know. */
	ctx = abi_filter(ABI_NATIVE, map, stopping->native);
	if (ABI_COMPAT == ABI_NATIVE)
		return ctx;
	compat = abi_filter(ABI_COMPAT, map, stopping->compat);
	if (ctx && compat && seccomp_merge(ctx, compat) == 0)
		return ctx;
	seccomp_release(compat);
	seccomp_release(ctx);
	return NULL;
}

/* libseccomp writes it, in one call, to a descriptor: as a message, which no limit of file sizes
 * concerns and which comes whole or not at all. */
static int export_program(scmp_filter_ctx ctx, struct sock_fprog *ret)
{
	const size_t most = BPF_MAXINSNS * sizeof(struct sock_filter);
	cleanup_close int in = -1, out = -1;
	int pair[2];
	ssize_t size;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	in = pair[0];
	out = pair[1];
	if (seccomp_export_bpf(ctx, in) < 0)
		return -EINVAL;
	ret->filter = mem_calloc(1, most);
	size = recv(out, ret->filter, most, MSG_TRUNC | MSG_DONTWAIT);
	if (size <= 0 || (size_t)size > most || (size_t)size % sizeof(struct sock_filter)) {
		free(ret->filter);
		return -EINVAL;
	}
	ret->len = (unsigned short)((size_t)size / sizeof(struct sock_filter));
	return 0;
}

/*
 * ---- around libseccomp's program ----
 *
 * Before it, what the number alone decides: rules of libseccomp's cost time that grows with the
 * square of their number, and a comparison each at every call. Numbers are found in a tree of
 * intervals.
 *
 * Behind it, what passes: libseccomp cannot compare the instruction pointer, and in a second filter
 * the stricter verdict wins. So each RET TRACE becomes a jump to one tail, which looks at the
 * pointer, then at the architecture and last at the number.
 */

#define DATA(field)        ((uint32_t)offsetof(struct seccomp_data, field))
#define LOAD(field_offset) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, field_offset)
#define RET_TRACE          (SECCOMP_RET_TRACE | FILTER_TRACE_DATA)
#define GO_ON              SECCOMP_RET_KILL_THREAD /* in a head: to the end of it */

struct part {
	struct sock_filter at[BPF_MAXINSNS];
	size_t len;
	uint32_t yes, no; /* what a tree answers */
};

static void add(struct part *t, struct sock_filter insn)
{
	if (t->len < BPF_MAXINSNS)
		t->at[t->len] = insn;
	t->len++;
}

/* Goes on if the loaded word is k, else ends with a stop. */
static void add_must_be(struct part *t, uint32_t k)
{
	add(t, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 1, 0));
	add(t, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, RET_TRACE));
}

/* First number from `nr` on whose verdict differs from that of nr. */
static uint32_t border_after(const uint8_t *numbers, size_t len, uint32_t nr)
{
	uint32_t i = nr;

	while (i < len && !numbers[i] == !numbers[nr])
		i++;
	return i;
}

/* Of a tree for so many intervals. */
static size_t tree_len(size_t n)
{
	size_t near = n / 2;

	if (n == 1)
		return 1;
	return (tree_len(near) > UINT8_MAX ? 2 : 1) + tree_len(near) + tree_len(n - near);
}

/* The answer for numbers of borders[lo .. hi): borders[i] begins interval i, intervals differ in
 * turn, interval 0 begins at 0. */
static void add_tree(struct part *t, const uint32_t *borders, size_t lo, size_t hi, int first)
{
	size_t mid = lo + (hi - lo) / 2;

	if (hi - lo == 1) {
		int yes = (lo & 1) == 0 ? first : !first;

		add(t, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, yes ? t->yes : t->no));
		return;
	}
	/* A conditional jump reaches so far, no further. */
	if (tree_len(mid - lo) > UINT8_MAX) {
		add(t, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, borders[mid], 0, 1));
		add(t, (struct sock_filter)BPF_STMT(
			       BPF_JMP | BPF_JA, (uint32_t)tree_len(mid - lo)));
	} else {
		add(t, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JGE | BPF_K, borders[mid],
			       (uint8_t)tree_len(mid - lo), 0));
	}
	add_tree(t, borders, lo, mid, first);
	add_tree(t, borders, mid, hi, first);
}

/* t->yes for numbers[nr] != 0, t->no for others, and those beyond the table. */
static void add_numbers(struct part *t, const uint8_t *numbers, size_t len)
{
	uint32_t *borders = mem_calloc(len + 1, sizeof(*borders));
	size_t n = 0;

	for (uint32_t nr = 0; nr < len; nr = border_after(numbers, len, nr))
		borders[n++] = nr;
	if (n && ((n - 1) & 1 ? !numbers[0] : numbers[0]))
		borders[n++] = (uint32_t)len;
	add(t, (struct sock_filter)LOAD(DATA(nr)));
	if (n)
		add_tree(t, borders, 0, n, numbers[0] != 0);
	else
		add(t, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, t->no));
	free(borders);
}

/* Goes on behind what is added until end_if() unless the loaded word is k. Returns what end_if()
 * needs. */
static size_t add_if(struct part *t, uint32_t k)
{
	add(t, (struct sock_filter)BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, k, 1, 0));
	add(t, (struct sock_filter)BPF_STMT(BPF_JMP | BPF_JA, 0));
	return t->len - 1;
}

static void end_if(struct part *t, size_t jump)
{
	if (jump < BPF_MAXINSNS)
		t->at[jump].k = (uint32_t)(t->len - jump - 1);
}

/* Returns with `k` become jumps to the end. */
static void jump_to_end(struct sock_filter *at, size_t len, uint32_t k)
{
	for (size_t i = 0; i < len; i++)
		if (at[i].code == (BPF_RET | BPF_K) && at[i].k == k)
			at[i] = (struct sock_filter)BPF_STMT(
				BPF_JMP | BPF_JA, (uint32_t)(len - i - 1));
}

static void add_head(struct part *t, uint32_t arch, const uint8_t *numbers)
{
	size_t jump;

	add(t, (struct sock_filter)LOAD(DATA(arch)));
	jump = add_if(t, arch);
	add_numbers(t, numbers, SYS_NUMBERS_MAX);
	end_if(t, jump);
}

static int prepend_head(struct sock_fprog *prog, const struct stopping *stopping)
{
	struct part *t = mem_calloc(1, sizeof(*t));
	size_t total;

	t->yes = RET_TRACE;
	t->no = GO_ON;
	add_head(t, AUDIT_ARCH_NATIVE, stopping->native);
	if (ABI_COMPAT != ABI_NATIVE)
		add_head(t, AUDIT_ARCH_I386, stopping->compat);
	total = t->len + prog->len;
	if (total <= BPF_MAXINSNS) {
		jump_to_end(t->at, t->len, GO_ON);
		prog->filter = mem_realloc(prog->filter, total, sizeof(*prog->filter));
		memmove(prog->filter + t->len, prog->filter, prog->len * sizeof(*prog->filter));
		memcpy(prog->filter, t->at, t->len * sizeof(*t->at));
		prog->len = (unsigned short)total;
	}
	free(t);
	return total <= BPF_MAXINSNS ? 0 : -E2BIG;
}

/* What passes from one address; goes on behind it if the call is from another. */
static void add_pass(struct part *t, const struct filter_pass *pass)
{
	size_t jump;

	add(t, (struct sock_filter)LOAD(DATA(instruction_pointer)));
	jump = add_if(t, (uint32_t)pass->after);
	add(t, (struct sock_filter)LOAD(DATA(instruction_pointer) + 4));
	add_must_be(t, (uint32_t)(pass->after >> 32));
	add(t, (struct sock_filter)LOAD(DATA(arch)));
	add_must_be(t, AUDIT_ARCH_NATIVE);
	add_numbers(t, pass->numbers, pass->len);
	end_if(t, jump);
}

static int append_tail(struct sock_fprog *prog, const struct filter_pass *pass)
{
	struct part *t = mem_calloc(1, sizeof(*t));
	size_t len = prog->len, total;

	t->yes = SECCOMP_RET_ALLOW;
	t->no = RET_TRACE;
	for (const struct filter_pass *p = pass; p; p = p->next)
		add_pass(t, p);
	add(t, (struct sock_filter)BPF_STMT(BPF_RET | BPF_K, RET_TRACE));
	total = len + t->len;
	if (total <= BPF_MAXINSNS) {
		prog->filter = mem_realloc(prog->filter, total, sizeof(*prog->filter));
		memcpy(prog->filter + len, t->at, t->len * sizeof(*t->at));
		jump_to_end(prog->filter, len, RET_TRACE);
		prog->len = (unsigned short)total;
	}
	free(t);
	return total <= BPF_MAXINSNS ? 0 : -E2BIG;
}

int filter_build(const struct control_map *map, int all, const struct filter_pass *pass,
	struct sock_fprog *ret, struct err *err)
{
	struct stopping stopping = {0};
	scmp_filter_ctx ctx = all ? all_filter() : build(map, &stopping);
	int rc;

	if (!ctx)
		return err_set(err, -EINVAL, "libseccomp could not build the filter");
	rc = export_program(ctx, ret);
	seccomp_release(ctx);
	if (rc < 0)
		return err_set(err, rc, "cannot export the seccomp filter: %s", strerror(-rc));
	if (!all)
		rc = prepend_head(ret, &stopping);
	if (rc == 0 && pass)
		rc = append_tail(ret, pass);
	if (rc < 0) {
		free(ret->filter);
		return err_set(err, rc, "the seccomp filter is too long");
	}
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

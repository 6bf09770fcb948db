/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/filter.h"

#include <errno.h>
#include <limits.h>
#include <linux/seccomp.h>
#include <seccomp.h>
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
	uint64_t value;
} narrow[] = {
	{"prctl", 0, PR_SET_SECCOMP},
	{"socket", 0, AF_XDP},
	{"setsockopt", 1, 17 /* SOL_UDP */},
	{"setsockopt", 1, SOL_PACKET},
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
		struct scmp_arg_cmp cmp =
			SCMP_CMP(narrow[i].arg, SCMP_CMP_MASKED_EQ, 0xffffffffU, narrow[i].value);
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

	if (!map->traced[def->index])
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
static int add_socketcalls(scmp_filter_ctx ctx, const struct control_map *map)
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

int filter_build(const struct control_map *map, int all, struct sock_fprog *ret, struct err *err)
{
	scmp_filter_ctx ctx = build(map, all);
	int rc;

	if (!ctx)
		return err_set(err, -EINVAL, "libseccomp could not build the filter");
	rc = export_program(ctx, ret);
	seccomp_release(ctx);
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

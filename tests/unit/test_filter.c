/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <linux/audit.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tests/unit/bpf_machine.h"
#include "tracer/trap/filter.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define X32_BIT  0x40000000U
#define NUMBERS  1024
#define TRACE    (SECCOMP_RET_TRACE | FILTER_TRACE_DATA)
#define ALLOW    SECCOMP_RET_ALLOW

#define I386_SOCKETCALL 102
#define I386_MUNMAP     91

#define NATIVE AUDIT_ARCH_X86_64
#define I386   AUDIT_ARCH_I386

struct built {
	struct control_map map;
	struct sock_fprog prog;
};

/* With the calls that the recorder adds. */
static struct built build_recorder(const char *spec)
{
	struct built b = {0};
	struct sys_set set = {0};
	struct err err = {0};

	assert_int_equal(sys_set_parse(&set, spec, &err), 0);
	control_map_build(&b.map, &set, 1);
	sys_set_release(&set);
	assert_int_equal(filter_build(&b.map, 0, NULL, &b.prog, &err), 0);
	return b;
}

static struct built build_with(const char *spec, int all, const struct filter_pass *pass)
{
	struct built b = {0};
	struct sys_set set = {0};
	struct err err = {0};

	print_message("# %s\n", spec);
	assert_int_equal(sys_set_parse(&set, spec, &err), 0);
	control_map_build(&b.map, &set, 0);
	sys_set_release(&set);
	if (filter_build(&b.map, all, pass, &b.prog, &err) < 0)
		fail_msg("%s: %s", spec, err.text);
	return b;
}

static struct built build(const char *spec, int all)
{
	return build_with(spec, all, NULL);
}

static void release(struct built *b)
{
	free(b->prog.filter);
	control_map_release(&b->map);
}

static uint32_t verdict(
	const struct built *b, uint32_t arch, uint32_t nr, unsigned int arg, uint64_t value)
{
	struct seccomp_data data = {.arch = arch, .nr = (int)nr};

	data.args[arg] = value;
	return bpf_run(b->prog.filter, &data);
}

/* ---- every number, for several sets ---- */

static const char *const sets[] = {"%io", "sendmmsg", "%network", "%process", "getppid", "prctl",
	"socket,setsockopt", "!mmap", "all", "%io,syscall_1000", "mseal,statmount"};

/* Calls that are control calls for some arguments only; none is for arguments of 0. */
static int is_narrow(const struct sys_def *def)
{
	return !strcmp(def->name, "prctl") || !strcmp(def->name, "socket") ||
	       !strcmp(def->name, "setsockopt");
}

/* What only --trace=syscall_N names is no call of a 32-bit program (docs/LIMITS.md). */
static int is_beyond(int abi, uint32_t nr)
{
	return abi == ABI_I386 && nr >= SYS_NUMBERS_MAX;
}

static uint32_t wanted(const struct built *b, int abi, uint32_t nr)
{
	const struct sys_def *def = sys_find(abi, nr);

	if (!def || def->index >= b->map.len || is_beyond(abi, nr))
		return ALLOW;
	if (b->map.traced[def->index])
		return TRACE;
	return b->map.kind[def->index] && !is_narrow(def) ? TRACE : ALLOW;
}

static void sweep(const struct built *b, uint32_t arch, int abi)
{
	for (uint32_t nr = 0; nr < NUMBERS; nr++) {
		uint32_t is = verdict(b, arch, nr, 0, 0), want = wanted(b, abi, nr);

		if (is != want)
			fail_msg("abi %d, number %u: %#x, not %#x", abi, nr, is, want);
	}
}

static void calls_that_we_want_stop_and_no_other(void **state)
{
	(void)state;
	for (size_t i = 0; i < COUNT(sets); i++) {
		struct built b = build(sets[i], 0);

		sweep(&b, NATIVE, ABI_NATIVE);
		sweep(&b, I386, ABI_I386);
		release(&b);
	}
}

/* No row may be one that the filter cannot be built for. */
static void every_call_alone_can_be_traced(void **state)
{
	size_t count = sys_count();

	(void)state;
	for (size_t i = 0; i < count; i++) {
		const struct sys_def *def = sys_by_index(i);
		struct built b = build(def->name, 0);

		for (int abi = ABI_NATIVE; abi <= ABI_I386; abi++) {
			long nr = sys_number(abi, def);

			if (nr >= 0 && !is_beyond(abi, (uint32_t)nr))
				assert_int_equal(verdict(&b, abi == ABI_I386 ? I386 : NATIVE,
							 (uint32_t)nr, 0, 0),
					TRACE);
		}
		release(&b);
	}
}

/* ---- facts, one a row ---- */

static const struct {
	const char *set;
	uint32_t arch, nr;
	unsigned int arg;
	uint64_t value;
	uint32_t want;
} facts[] = {
	{"sendmmsg", NATIVE, SYS_sendmmsg, 0, 0, TRACE},
	{"sendmmsg", NATIVE, SYS_recvmmsg, 0, 0, ALLOW},
	{"sendmmsg", NATIVE, SYS_clone3, 0, 0, TRACE},
	{"sendmmsg", NATIVE, SYS_execve, 0, 0, TRACE},
	{"sendmmsg", NATIVE, SYS_close, 0, 0, TRACE}, /* it has an fd: fds are followed */
	{"getppid", NATIVE, SYS_close, 0, 0, ALLOW},  /* it has none */
	{"getppid", NATIVE, SYS_dup2, 0, 0, ALLOW},
	{"getppid", NATIVE, SYS_seccomp, 0, 0, TRACE},
	{"getppid", NATIVE, (uint32_t)-1, 0, 0, ALLOW},
	{"getppid", NATIVE, 9999, 0, 0, ALLOW},
	{"mmap", I386, 90, 0, 0, TRACE},      /* old mmap */
	{"mmap", I386, 192, 0, 0, TRACE},     /* mmap2 */
	{"mmap", I386, 9, 0, 0, ALLOW},       /* mmap of x86-64 is link here */
	{"recvmmsg", I386, 337, 0, 0, TRACE}, /* recvmmsg */
	{"recvmmsg", I386, 417, 0, 0, TRACE}, /* recvmmsg_time64 */
	{"recvmmsg", I386, 345, 0, 0, ALLOW}, /* sendmmsg */
	{"lseek", I386, 140, 0, 0, TRACE},    /* _llseek */
	{"getuid", I386, 199, 0, 0, TRACE},   /* getuid32 */
	{"sendmmsg", I386, I386_SOCKETCALL, 0, 20, TRACE},
	{"sendmmsg", I386, I386_SOCKETCALL, 0, 19, ALLOW},
	{"recvmmsg", I386, I386_SOCKETCALL, 0, 19, TRACE},
	{"sendto", I386, I386_SOCKETCALL, 0, 11, TRACE},
	{"sendto", I386, I386_SOCKETCALL, 0, 9, TRACE}, /* send */
	{"sendto", I386, I386_SOCKETCALL, 0, 10, ALLOW},
	{"recvfrom", I386, I386_SOCKETCALL, 0, 12, TRACE},
	{"recvfrom", I386, I386_SOCKETCALL, 0, 10, TRACE}, /* recv */
	{"sendmsg", I386, I386_SOCKETCALL, 0, 16, TRACE},
	{"accept", I386, I386_SOCKETCALL, 0, 5, TRACE},
	/* Control calls, whose arguments are out of sight there. */
	{"sendto", I386, I386_SOCKETCALL, 0, 14, TRACE}, /* setsockopt */
	{"sendto", I386, I386_SOCKETCALL, 0, 1, TRACE},  /* socket */
	{"getpid", I386, I386_SOCKETCALL, 0, 14, ALLOW},
	/* Control calls for some arguments only; int arguments: the upper half is noise. */
	{"write", NATIVE, SYS_prctl, 0, PR_SET_SECCOMP, TRACE},
	{"write", NATIVE, SYS_prctl, 0, 0xdead00000000 | PR_SET_SECCOMP, TRACE},
	{"write", NATIVE, SYS_prctl, 0, PR_SET_TSC, TRACE},
	{"write", NATIVE, SYS_prctl, 0, 59 /* PR_SET_SYSCALL_USER_DISPATCH */, TRACE},
	{"write", I386, 172, 0, 59, TRACE},
	{"write", NATIVE, SYS_prctl, 0, PR_SET_NAME, ALLOW},
	{"write", NATIVE, SYS_prctl, 1, PR_SET_SECCOMP, ALLOW},
	{"prctl", NATIVE, SYS_prctl, 0, PR_SET_NAME, TRACE},
	{"write", I386, 172, 0, PR_SET_SECCOMP, TRACE},
	{"write", I386, 172, 0, PR_SET_NAME, ALLOW},
	{"write", NATIVE, SYS_socket, 0, AF_XDP, TRACE},
	{"write", NATIVE, SYS_socket, 0, AF_INET, ALLOW},
	{"write", I386, 359, 0, AF_XDP, TRACE},
	{"write", I386, 359, 0, AF_INET, ALLOW},
	{"socket", NATIVE, SYS_socket, 0, AF_INET, TRACE},
	{"getppid", NATIVE, SYS_socket, 0, AF_XDP, ALLOW},
	{"write", NATIVE, SYS_setsockopt, 1, 17, TRACE},
	{"write", NATIVE, SYS_setsockopt, 1, SOL_PACKET, TRACE},
	{"write", NATIVE, SYS_setsockopt, 1, 0xffffffff00000000 | SOL_PACKET, TRACE},
	{"write", NATIVE, SYS_setsockopt, 1, SOL_SOCKET, ALLOW},
	{"write", NATIVE, SYS_setsockopt, 0, 17, ALLOW},
	{"write", I386, 366, 1, 17, TRACE},
	{"write", I386, 366, 1, SOL_SOCKET, ALLOW},
	{"setsockopt", NATIVE, SYS_setsockopt, 1, SOL_SOCKET, TRACE},
	/* x32: every call stops. */
	{"getppid", NATIVE, X32_BIT | 0, 0, 0, TRACE},
	{"getppid", NATIVE, X32_BIT | SYS_getppid, 0, 0, TRACE},
	{"getppid", NATIVE, X32_BIT | 538, 0, 0, TRACE},
};

static void single_calls(void **state)
{
	int failures = 0;

	(void)state;
	for (size_t i = 0; i < COUNT(facts); i++) {
		struct built b = build(facts[i].set, 0);
		uint32_t is = verdict(&b, facts[i].arch, facts[i].nr, facts[i].arg, facts[i].value);

		release(&b);
		if (is == facts[i].want)
			continue;
		failures++;
		print_message("# row %zu, %s: arch %#x, number %u, args[%u] = %#lx: %#x, not %#x\n",
			i, facts[i].set, facts[i].arch, facts[i].nr, facts[i].arg, facts[i].value,
			is, facts[i].want);
	}
	assert_int_equal(failures, 0);
}

/* ---- all, and what nobody foresaw ---- */

static const uint32_t archs[] = {
	NATIVE, I386, AUDIT_ARCH_ARM, AUDIT_ARCH_AARCH64, AUDIT_ARCH_RISCV64, 0, UINT32_MAX};

static void all_stops_everything(void **state)
{
	struct built b = build("all", 1);

	(void)state;
	for (size_t i = 0; i < COUNT(archs); i++) {
		for (uint32_t nr = 0; nr < NUMBERS; nr++)
			assert_int_equal(verdict(&b, archs[i], nr, 0, 0), TRACE);
		assert_int_equal(verdict(&b, archs[i], X32_BIT | 1, 0, 0), TRACE);
		assert_int_equal(verdict(&b, archs[i], 100000, 0, 0), TRACE);
	}
	release(&b);
}

/* A filter that kills would change what the target does. */
static void nothing_is_ever_killed(void **state)
{
	static const uint32_t numbers[] = {0, 1, 59, 102, 999, 1 << 20, X32_BIT, X32_BIT | 1,
		X32_BIT | 520, 0x7fffffff, 0x80000000, UINT32_MAX};

	(void)state;
	for (size_t s = 0; s < COUNT(sets); s++) {
		struct built b = build(sets[s], 0);

		for (size_t i = 0; i < COUNT(archs) * COUNT(numbers); i++) {
			uint32_t arch = archs[i / COUNT(numbers)];
			uint32_t is = verdict(&b, arch, numbers[i % COUNT(numbers)], 0, 0);

			assert_true(is == ALLOW || is == TRACE);
			if (arch != NATIVE && arch != I386)
				assert_int_equal(is, TRACE);
		}
		release(&b);
	}
}

/* ---- the kernel takes it ---- */

/* In a child without a tracer a call that stops fails with ENOSYS. */
static int install_and_call(const struct sock_fprog *prog)
{
	if (filter_install(prog) < 0)
		return 1;
	if (syscall(SYS_getppid) != -1 || errno != ENOSYS)
		return 2;
	return syscall(SYS_getuid) == (long)-1 ? 3 : 0;
}

static void the_kernel_takes_it(void **state)
{
	struct built b = build("getppid", 0);
	int status = -1;
	pid_t pid = fork();

	(void)state;
	if (pid == 0)
		_exit(install_and_call(&b.prog));
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
	release(&b);
}

/* ---- what passes from some addresses ---- */

#define AFTER 0x3f0000001234ULL

static uint32_t verdict_at(const struct built *b, uint32_t arch, uint32_t nr, uint64_t ip)
{
	struct seccomp_data data = {.arch = arch, .nr = (int)nr, .instruction_pointer = ip};

	return bpf_run(b->prog.filter, &data);
}

/* Every other number, a stretch, and one alone. */
static void fill_numbers(uint8_t *numbers, size_t len)
{
	for (size_t i = 0; i < len; i++)
		numbers[i] = (uint8_t)(i < 64 ? i % 2 : (i >= 100 && i < 200) || i == 307);
}

static void check_passes(const char *spec, int all, const struct filter_pass *pass)
{
	struct built b = build_with(spec, all, pass), plain = build(spec, all);

	for (const struct filter_pass *p = pass; p; p = p->next)
		for (uint32_t nr = 0; nr < NUMBERS; nr++) {
			uint32_t without = verdict(&plain, NATIVE, nr, 0, 0);
			int passes = nr < p->len && p->numbers[nr];

			assert_int_equal(
				verdict_at(&b, NATIVE, nr, p->after), passes ? ALLOW : without);
			assert_int_equal(verdict_at(&b, NATIVE, nr | 0x40000000, p->after),
				verdict(&plain, NATIVE, nr | 0x40000000, 0, 0));
			assert_int_equal(verdict_at(&b, I386, nr, p->after),
				verdict(&plain, I386, nr, 0, 0));
			for (int bit = 0; bit < 64; bit++)
				assert_int_equal(verdict_at(&b, NATIVE, nr, p->after ^ 1ULL << bit),
					without);
		}
	release(&b);
	release(&plain);
}

static void calls_pass_from_their_addresses_only(void **state)
{
	uint8_t numbers[400], few[SYS_madvise + 1] = {[SYS_mmap] = 1, [SYS_madvise] = 1};
	struct filter_pass second = {.after = AFTER + 0x108, .numbers = few, .len = sizeof(few)};
	struct filter_pass pass = {.after = AFTER, .numbers = numbers, .len = sizeof(numbers)};

	(void)state;
	fill_numbers(numbers, sizeof(numbers));
	for (int two = 0; two < 2; two++) {
		pass.next = two ? &second : NULL;
		check_passes("%io", 0, &pass);
		check_passes("all", 1, &pass);
		check_passes("!mmap", 0, &pass);
	}
}

static void all_or_no_number_may_pass(void **state)
{
	uint8_t numbers[300];
	struct filter_pass pass = {.after = AFTER, .numbers = numbers, .len = sizeof(numbers)};

	(void)state;
	for (int yes = 0; yes < 2; yes++) {
		struct built b;

		memset(numbers, yes, sizeof(numbers));
		b = build_with("all", 1, &pass);
		assert_int_equal(verdict_at(&b, NATIVE, 0, AFTER), yes ? ALLOW : TRACE);
		assert_int_equal(verdict_at(&b, NATIVE, 299, AFTER), yes ? ALLOW : TRACE);
		assert_int_equal(verdict_at(&b, NATIVE, 300, AFTER), TRACE);
		release(&b);
	}
}

/* Mappings that go where nothing is stop for nobody, and none does in a 32-bit program. */
static void mappings_for_the_recorder(void **state)
{
	struct built b = build_recorder("getppid");

	(void)state;
	assert_int_equal(verdict(&b, NATIVE, SYS_munmap, 0, 0), TRACE);
	assert_int_equal(verdict(&b, NATIVE, SYS_mprotect, 0, 0), TRACE);
	assert_int_equal(verdict(&b, NATIVE, SYS_mmap, 3, MAP_PRIVATE | MAP_ANONYMOUS), ALLOW);
	assert_int_equal(verdict(&b, NATIVE, SYS_mmap, 3, MAP_PRIVATE | MAP_FIXED), TRACE);
	assert_int_equal(
		verdict(&b, NATIVE, SYS_mmap, 3, MAP_PRIVATE | MAP_FIXED_NOREPLACE), TRACE);
	assert_int_equal(verdict(&b, I386, I386_MUNMAP, 0, 0), ALLOW);
	release(&b);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls_that_we_want_stop_and_no_other),
		cmocka_unit_test(every_call_alone_can_be_traced),
		cmocka_unit_test(single_calls),
		cmocka_unit_test(mappings_for_the_recorder),
		cmocka_unit_test(all_stops_everything),
		cmocka_unit_test(nothing_is_ever_killed),
		cmocka_unit_test(the_kernel_takes_it),
		cmocka_unit_test(calls_pass_from_their_addresses_only),
		cmocka_unit_test(all_or_no_number_may_pass),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

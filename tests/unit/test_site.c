/* SPDX-License-Identifier: GPL-3.0-only */
/* Call sites, their trampolines and the change of their code, without a process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracer/recorder/patch.h"
#include "tracer/tracee.h"

#define SITE  0x401000ULL
#define PAGE  0x500000ULL
#define UPPER 0x7f0000000000ULL

static struct site *patched(struct sites *s, uint64_t addr, uint8_t moved_len)
{
	struct site *site = sites_get(s, addr);

	sites_set_tramp(s, site, sites_room(s, addr));
	site->state = SITE_PATCHED;
	site->moved_len = moved_len;
	site->change_at = addr - moved_len;
	site->change_len = moved_len ? ARCH_JUMP_BYTES : ARCH_CALL_BYTES;
	return site;
}

/* ---- trampolines ---- */

static void room_is_given_once_and_in_reach(void **state)
{
	struct sites s = {0};

	(void)state;
	assert_int_equal(sites_room(&s, SITE), 0);
	sites_add_page(&s, PAGE);
	assert_int_equal(sites_room(&s, UPPER), 0);
	for (uint64_t i = 0; i < TRAMPS_A_PAGE; i++)
		assert_int_equal(sites_room(&s, SITE), PAGE + i * TRAMP_BYTES);
	assert_int_equal(sites_room(&s, SITE), 0);
	sites_add_page(&s, UPPER);
	assert_int_equal(sites_room(&s, SITE), 0);
	assert_int_equal(sites_room(&s, UPPER + 0x1000), UPPER);
	sites_release(&s);
}

/* What the stub compares ranges with holds every page, of each half. */
static void guards_hold_all_pages(void **state)
{
	struct sites s = {0};

	(void)state;
	sites_add_page(&s, PAGE);
	assert_int_equal(s.guards[0][0], PAGE);
	assert_int_equal(s.guards[0][1], PAGE + 4096);
	assert_int_equal(s.guards[1][1], 0);
	sites_add_page(&s, PAGE - 0x10000);
	sites_add_page(&s, PAGE + 0x10000);
	sites_add_page(&s, UPPER);
	assert_int_equal(s.guards[0][0], PAGE - 0x10000);
	assert_int_equal(s.guards[0][1], PAGE + 0x11000);
	assert_int_equal(s.guards[1][0], UPPER);
	assert_int_equal(s.guards[1][1], UPPER + 4096);
	sites_release(&s);
}

static void a_trampoline_leads_back_to_its_site(void **state)
{
	struct sites s = {0};
	struct site *a, *b;
	uint64_t offset;

	(void)state;
	sites_add_page(&s, PAGE);
	a = patched(&s, SITE, 0);
	b = patched(&s, SITE + 100, 0);
	assert_ptr_equal(sites_get(&s, SITE), a);
	assert_ptr_equal(sites_at_tramp(&s, a->tramp, &offset), a);
	assert_int_equal(offset, 0);
	assert_ptr_equal(sites_at_tramp(&s, b->tramp + TRAMP_BYTES - 1, &offset), b);
	assert_int_equal(offset, TRAMP_BYTES - 1);
	assert_null(sites_at_tramp(&s, b->tramp + TRAMP_BYTES, &offset));
	assert_ptr_equal(sites_of_desc(&s, b->tramp + TRAMP_DESC), b);
	assert_null(sites_of_desc(&s, b->tramp));
	sites_release(&s);
}

/* ---- which bytes are ours ---- */

static void a_change_begins_where_it_was_written(void **state)
{
	struct sites s = {0};
	struct site *by_padding, *before;

	(void)state;
	sites_add_page(&s, PAGE);
	by_padding = patched(&s, SITE, 0);
	before = patched(&s, SITE + 100, 5);
	assert_ptr_equal(sites_changed_at(&s, SITE), by_padding);
	assert_null(sites_changed_at(&s, SITE + 1));
	assert_null(sites_changed_at(&s, SITE - 1));
	assert_ptr_equal(sites_changed_at(&s, SITE + 95), before);
	assert_null(sites_changed_at(&s, SITE + 100));
	before->change_len = 0; /* never was changed */
	assert_null(sites_changed_at(&s, SITE + 95));
	before->change_len = ARCH_JUMP_BYTES;
	before->change_at = SITE + 100 - PLAN_MOVED_MAX;
	assert_ptr_equal(sites_changed_at(&s, SITE + 100 - PLAN_MOVED_MAX), before);
	sites_release(&s);
}

static void the_bytes_of_a_change(void **state)
{
	struct sites s = {0};
	struct site *site;

	(void)state;
	sites_add_page(&s, PAGE);
	site = patched(&s, SITE, 0);
	site->springboard = SITE + 50;
	map_set(&s.springboards, site->springboard, site);
	patched(&s, SITE + 100, 5);
	for (uint64_t a = SITE - 20; a < SITE + 130; a++) {
		int ours = (a >= SITE && a < SITE + ARCH_CALL_BYTES) ||
			   (a >= SITE + 50 && a < SITE + 50 + ARCH_JUMP_BYTES) ||
			   (a >= SITE + 95 && a < SITE + 100 + ARCH_CALL_BYTES);

		/* The call instruction after a moved one is as it was: it may count as ours or not.
		 */
		if (a >= SITE + 100 && a < SITE + 100 + ARCH_CALL_BYTES)
			continue;
		if (sites_changed(&s, a) != ours)
			fail_msg("byte %d of the site", (int)(a - SITE));
	}
	sites_release(&s);
}

static void renewed_is_as_new_but_for_its_trampoline(void **state)
{
	struct sites s = {0};
	struct site *site;
	uint64_t tramp;

	(void)state;
	sites_add_page(&s, PAGE);
	site = patched(&s, SITE, 0);
	site->springboard = SITE + 50;
	map_set(&s.springboards, site->springboard, site);
	tramp = site->tramp;
	sites_renew(&s, site);
	assert_int_equal(site->state, SITE_NEW);
	assert_int_equal(site->tramp, tramp);
	assert_false(sites_changed(&s, SITE));
	assert_false(sites_changed(&s, SITE + 50));
	sites_release(&s);
}

/* But not where that begins with the instruction that was there: the code has become another. */
static void a_trampoline_with_moved_code_is_not_used_again(void **state)
{
	struct sites s = {0};
	struct site *site;

	(void)state;
	sites_add_page(&s, PAGE);
	site = patched(&s, SITE, 5);
	sites_renew(&s, site);
	assert_int_equal(site->tramp, 0);
	assert_int_equal(site->moved_len, 0);
	assert_null(sites_changed_at(&s, SITE - 5));
	sites_release(&s);
}

/* A fork's child has the same code; what becomes of the one is nothing to the other. */
static void a_copy_is_whole_and_its_own(void **state)
{
	struct sites s = {0}, copy;
	struct site *site, *same;
	uint64_t offset;

	(void)state;
	sites_add_page(&s, PAGE);
	site = patched(&s, SITE, 0);
	site->calls = 7;
	site->springboard = SITE + 50;
	map_set(&s.springboards, site->springboard, site);
	sites_copy(&copy, &s);
	same = sites_get(&copy, SITE);
	assert_ptr_not_equal(same, site);
	assert_int_equal(same->state, SITE_PATCHED);
	assert_int_equal(same->calls, 0);
	assert_ptr_equal(sites_at_tramp(&copy, site->tramp, &offset), same);
	assert_ptr_equal(map_get(&copy.springboards, SITE + 50), same);
	assert_int_equal(sites_room(&copy, SITE), PAGE + TRAMP_BYTES);
	assert_memory_equal(copy.guards, s.guards, sizeof(s.guards));
	sites_renew(&copy, same);
	assert_int_equal(site->state, SITE_PATCHED);
	assert_true(sites_changed(&s, SITE + 50));
	sites_release(&copy);
	sites_release(&s);
}

/* ---- the code is compared with its file ---- */

static void code_that_is_not_as_in_its_file_is_left_alone(void **state)
{
	struct sites s = {0};
	struct plan plan = {.check_at = SITE - 8, .check_len = 16};
	uint8_t there[sizeof(plan.check)];

	(void)state;
	for (uint8_t i = 0; i < sizeof(plan.check); i++)
		plan.check[i] = i;
	memcpy(there, plan.check, sizeof(there));
	sites_add_page(&s, PAGE);
	assert_true(patch_is_as_in_file(&s, &plan, there));
	for (int i = 0; i < 16; i++) {
		there[i] ^= 1;
		assert_false(patch_is_as_in_file(&s, &plan, there));
		there[i] ^= 1;
	}
	there[16] ^= 1; /* not what the plan stands on */
	assert_true(patch_is_as_in_file(&s, &plan, there));
	patched(&s, SITE + 5, 0); /* a change of ours near by is known */
	there[13] = there[14] = 0xeb;
	assert_true(patch_is_as_in_file(&s, &plan, there));
	there[12] ^= 1;
	assert_false(patch_is_as_in_file(&s, &plan, there));
	sites_release(&s);
}

/* ---- a change that others may run into ---- */

static uint8_t memory[16];
static const uint8_t was[16] = {1, 2, 3, 4, 5, 6, 7, 8}, becomes[5] = {0xe9, 11, 12, 13, 14};
static int writes, fail_at;

/* After each write a thread may come by: it finds the old code, a trap, or the new code whole. */
static int write_and_look(const struct tracee *t, uint64_t addr, const void *buf, size_t len)
{
	(void)t;
	if (++writes == fail_at)
		return -EIO;
	memcpy(memory + addr, buf, len);
	if (memory[0] == was[0])
		assert_memory_equal(memory, was, sizeof(was));
	else if (memory[0] == becomes[0])
		assert_memory_equal(memory, becomes, sizeof(becomes));
	else
		assert_int_equal(memory[0], ARCH_TRAP);
	assert_memory_equal(memory + 5, was + 5, sizeof(was) - 5);
	/* Not even two bytes are written at once over code that runs. */
	assert_true(addr > 0 || len == 1 || t->mm->refs == 1);
	return 0;
}

static int change(unsigned int threads)
{
	struct mm mm = {.refs = threads};
	struct tracee t = {.mm = &mm};

	writes = 0;
	memcpy(memory, was, sizeof(was));
	return patch_change(write_and_look, &t, 0, becomes, sizeof(becomes));
}

static void live_code_traps_until_it_is_whole(void **state)
{
	(void)state;
	for (unsigned int threads = 1; threads < 4; threads++) {
		assert_int_equal(change(threads), 0);
		assert_memory_equal(memory, becomes, sizeof(becomes));
		assert_int_equal(writes, threads == 1 ? 1 : 3);
	}
	for (fail_at = 1; fail_at <= 3; fail_at++)
		assert_int_equal(change(2), -EIO);
	fail_at = 0;
}

/* ---- a thread that ran into one ---- */

#define RESULT 77

/* mov $RESULT, %eax; ret: its first byte is a trap where the code is being changed. */
static const uint8_t function[] = {0xb8, RESULT, 0, 0, 0, 0xc3};

static uint8_t *code_page(void)
{
	uint8_t *page = mmap(
		NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_ptr_not_equal(page, MAP_FAILED);
	memcpy(page + 64, function, sizeof(function));
	page[64] = ARCH_TRAP;
	return page;
}

/* A child that stands behind the trap in the page. */
static pid_t run_into(const uint8_t *page)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		_exit(((int (*)(void))(uintptr_t)(page + 64))());
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_true(WIFSTOPPED(status));
	assert_int_equal(WSTOPSIG(status), SIGTRAP);
	return pid;
}

static uint64_t ip_of(pid_t pid)
{
	struct user_regs_struct regs;

	assert_int_equal(ptrace(PTRACE_GETREGS, pid, NULL, &regs), 0);
	return regs.rip;
}

static void a_trap_of_ours_is_nobodys_signal(void **state)
{
	uint8_t *page = code_page();
	uint64_t at = (uint64_t)(uintptr_t)page + 64;

	(void)state;
	for (int ours = 0; ours < 2; ours++) {
		static struct recorder f;
		struct recorder_mm fs = {.mem_fd = -1};
		struct mm mm = {.refs = 2, .recorder = &fs};
		struct tracee t = {.mm = &mm, .tid = run_into(page)};
		int status;

		sites_add_page(&fs.sites, PAGE);
		patched(&fs.sites, ours ? at + 5 : at + 100, 5);
		if (ours) /* a trap that stays is the program's */
			assert_int_equal(recorder_leave(&f, &t, SIGTRAP), SIGTRAP);
		if (ours) /* the stop is looked at when the code is whole */
			assert_int_equal(remote_write(&t, at, function, 1), 0);
		assert_int_equal(recorder_leave(&f, &t, SIGTRAP), ours ? 0 : SIGTRAP);
		assert_int_equal(ip_of(t.tid), ours ? at : at + 1);
		if (ours) {
			assert_int_equal(ptrace(PTRACE_CONT, t.tid, NULL, NULL), 0);
		} else {
			kill(t.tid, SIGKILL);
		}
		assert_int_equal(waitpid(t.tid, &status, 0), t.tid);
		assert_int_equal(WIFEXITED(status) ? WEXITSTATUS(status) : -1, ours ? RESULT : -1);
		sites_release(&fs.sites);
		if (fs.mem_fd >= 0)
			close(fs.mem_fd);
	}
	munmap(page, 4096);
}

static uint64_t word_of(pid_t pid, uint64_t addr)
{
	return (uint64_t)ptrace(PTRACE_PEEKDATA, pid, (void *)(uintptr_t)addr, NULL);
}

/* Across the end of a page; with another thread in the mm each is written when it is said. */
static void what_is_held_is_written_at_the_end(void **state)
{
	uint8_t *page = code_page();
	uint8_t *data = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	uint64_t at = (uint64_t)(uintptr_t)data + 4092, word = 0x1122334455667788, got;

	(void)state;
	assert_ptr_not_equal(data, MAP_FAILED);
	for (unsigned int threads = 1; threads <= 2; threads++) {
		struct recorder_mm fs = {.mem_fd = -1};
		struct mm mm = {.refs = threads, .recorder = &fs};
		struct tracee t = {.mm = &mm, .tid = run_into(page)};

		remote_hold(&t);
		assert_int_equal(remote_write(&t, at, &word, sizeof(word)), 0);
		assert_int_equal(word_of(t.tid, at), threads == 1 ? 0 : word);
		assert_int_equal(remote_read(&t, at, &got, sizeof(got)), 0);
		assert_int_equal(got, word);
		assert_int_equal(remote_flush(&t), 0);
		assert_int_equal(word_of(t.tid, at), word);
		assert_int_equal(word_of(t.tid, at + 8), 0);
		assert_int_equal(word_of(t.tid, at - 8), 0);
		assert_null(fs.held);
		kill(t.tid, SIGKILL);
		waitpid(t.tid, NULL, 0);
		close(fs.mem_fd);
	}
	munmap(page, 4096);
	munmap(data, 8192);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(room_is_given_once_and_in_reach),
		cmocka_unit_test(guards_hold_all_pages),
		cmocka_unit_test(a_trampoline_leads_back_to_its_site),
		cmocka_unit_test(a_change_begins_where_it_was_written),
		cmocka_unit_test(the_bytes_of_a_change),
		cmocka_unit_test(renewed_is_as_new_but_for_its_trampoline),
		cmocka_unit_test(a_trampoline_with_moved_code_is_not_used_again),
		cmocka_unit_test(a_copy_is_whole_and_its_own),
		cmocka_unit_test(code_that_is_not_as_in_its_file_is_left_alone),
		cmocka_unit_test(live_code_traps_until_it_is_whole),
		cmocka_unit_test(a_trap_of_ours_is_nobodys_signal),
		cmocka_unit_test(what_is_held_is_written_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

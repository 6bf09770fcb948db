/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/recorder/patch.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/mem.h"
#include "tracer/recorder/block.h"
#include "tracer/recorder/code_files.h"
#include "tracer/recorder/plan.h"

#define LOWEST_PAGE 0x10000ULL /* below it an ordinary user may not map */
#define PAGE        4096ULL
#define GROWTH_ROOM (64ULL << 20)
#define HITS_GIVEN  16 /* for a page that another thread takes before us */

/* ---- what is mapped where ---- */

struct mapping {
	uint64_t start, end, offset, device, inode;
	const char *perms, *name;
};

/* The next word of the line as a hexadecimal number, behind which is `end`. */
static uint64_t number_until(char **at, char end)
{
	uint64_t n = strtoull(*at, at, 16);

	*at += **at == end;
	return n;
}

/* The next line of /proc/PID/maps, as the kernel wrote it; *text is then behind it. */
static int mapping_next(char **text, struct mapping *m)
{
	char *at = *text, *end = strchr(at, '\n');

	if (!end)
		return 0;
	*end = '\0';
	*text = end + 1;
	m->start = number_until(&at, '-');
	m->end = number_until(&at, ' ');
	m->perms = at;
	at += strcspn(at, " ");
	at += *at == ' ';
	m->offset = number_until(&at, ' ');
	m->device = number_until(&at, ':') << 32;
	m->device |= number_until(&at, ' ');
	m->inode = strtoull(at, &at, 10);
	m->name = at + strspn(at, " ");
	return 1;
}

#define MAPS_MAX     (64UL << 20)
#define MAPS_LONG    (256UL << 10) /* some 3,000 mappings */
#define MAPS_BYTE_NS 17            /* to have it written and to read it */
#define MAPS_SHARE   20

/* Heap; NULL: they cannot be read. */
static char *maps_read(struct recorder_mm *rm, pid_t tid)
{
	char path[64], *text = NULL;
	size_t len = MAPS_MAX;
	int rc;

	snprintf(path, sizeof(path), "/proc/%d/maps", tid);
	rc = file_read(path, MAPS_MAX, &text, &len, NULL);
	if (rc == 0 || rc == -EFBIG)
		rm->look_ns =
			len > MAPS_LONG ? clock_mono_ns() + MAPS_SHARE * MAPS_BYTE_NS * len : 0;
	return rc < 0 ? NULL : text;
}

int patch_may_look(const struct tracee *t)
{
	uint64_t look_ns = t->mm->recorder->look_ns;

	return !look_ns || clock_mono_ns() >= look_ns;
}

void patch_forget_code(struct recorder_mm *rm)
{
	for (size_t i = 0; i < rm->code.len; i++)
		free(rm->code.at[i].name);
	free(rm->code.at);
	rm->code.at = NULL;
	rm->code_is_new = 0;
	rm->code.len = rm->code.cap = 0;
}

/* Only private, file-backed, executable and not writable mappings are of interest. */
static void note_code(struct recorder_mm *rm, const struct mapping *m)
{
	if (m->inode && strncmp(m->perms, "r-xp", 4) == 0)
		*VEC_PUSH(&rm->code) = (struct code_mapping){.start = m->start,
			.end = m->end,
			.offset = m->offset,
			.device = m->device,
			.inode = m->inode,
			.name = mem_strdup(m->name)};
}

static void read_code_mappings(struct recorder_mm *rm, pid_t tid)
{
	cleanup_free char *maps = maps_read(rm, tid);
	char *text = maps;
	struct mapping m;

	patch_forget_code(rm);
	rm->code_hidden = !maps;
	while (maps && mapping_next(&text, &m))
		note_code(rm, &m);
}

static struct code_mapping *mapping_at(const struct recorder_mm *rm, uint64_t addr)
{
	for (size_t i = 0; i < rm->code.len; i++)
		if (addr >= rm->code.at[i].start && addr < rm->code.at[i].end)
			return &rm->code.at[i];
	return NULL;
}

static uint64_t distance(uint64_t a, uint64_t b)
{
	return a > b ? a - b : b - a;
}

/* Places for a page of trampolines, and the best one so far. */
struct search {
	uint64_t near, best; /* 0: none yet */
	int best_is_far;
};

static void consider(struct search *s, uint64_t page, int is_far)
{
	if (distance(page, s->near) >= ARCH_TRAMP_REACH || is_far < s->best_is_far)
		return;
	if (s->best && is_far == s->best_is_far &&
		distance(page, s->near) >= distance(s->best, s->near))
		return;
	s->best = page;
	s->best_is_far = is_far;
}

/* The free page nearest to addr, not where a stack or the heap grows; 0: none in reach. One that is
 * far from what the program has mapped is taken if there is one: a jump that leads to it leads
 * nowhere, mostly, from where the program copies it to (copies.c), and from there to a near one it
 * may lead to code. What code is mapped is noted anew on the way: what mapping_at() gave before is
 * gone. */
static uint64_t free_page(struct recorder_mm *rm, pid_t tid, uint64_t addr)
{
	cleanup_free char *maps = maps_read(rm, tid);
	struct search search = {.near = addr};
	uint64_t free_from = LOWEST_PAGE;
	char *text = maps;
	struct mapping m;

	patch_forget_code(rm);
	rm->code_hidden = !maps;
	while (maps && mapping_next(&text, &m)) {
		uint64_t room = m.start > free_from ? m.start - free_from : 0;
		/* What is ours stays together: what the program maps is not between (guards). */
		int beside_ours = sites_has_page(&rm->sites, m.start);
		int is_far = beside_ours || room > 2 * GROWTH_ROOM;
		/* Heaps grow up, mappings down, and other threads are mapping just now. */
		uint64_t page = m.start - (is_far && !beside_ours ? GROWTH_ROOM : PAGE);

		note_code(rm, &m);
		if (room >= 2 * PAGE && strcmp(m.name, "[stack]") != 0 &&
			m.start < ARCH_ADDRESSES_END)
			consider(&search, page, is_far);
		free_from = m.end > free_from ? m.end : free_from;
	}
	return search.best;
}

/* ---- trampolines ---- */

static int add_page(struct recorder *f, struct tracee *t, uint64_t near)
{
	uint64_t page = free_page(t->mm->recorder, t->tid, near);
	const uint64_t args[6] = {page, PAGE, PROT_READ | PROT_EXEC,
		MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, (uint64_t)-1, 0};
	struct remote r;
	int64_t got;

	if (!page || t->own_filter || remote_begin(&r, f, t) < 0)
		return -ENOMEM;
	got = remote_call(&r, arch_stub_after() - ARCH_CALL_BYTES, SYS_mmap, args);
	if (remote_end(&r) < 0)
		return -ESRCH;
	if (got != (int64_t)page)
		return -EEXIST;
	sites_add_page(&t->mm->recorder->sites, page);
	block_set_all(f, t->mm);
	return 0;
}

static int write_tramp(struct tracee *t, uint64_t at, const struct site *site, const uint8_t *moved,
	size_t moved_len)
{
	uint8_t code[TRAMP_BYTES];

	arch_tramp(code, at, site->addr, moved, moved_len);
	return remote_write(t, at, code, sizeof(code));
}

int patch_tramp(struct recorder *f, struct tracee *t, struct site *site, int *ret_moved)
{
	struct sites *sites = &t->mm->recorder->sites;
	uint64_t at;
	int rc;

	if (site->tramp)
		return 1;
	at = sites_room(sites, site->addr);
	if (!at && *ret_moved)
		return 0; /* the next time: a thread makes calls for us once in a stop */
	if (!at && site->state == SITE_NEW) {
		rc = add_page(f, t, site->addr);
		*ret_moved = rc != -ENOMEM;
		if (rc == -ESRCH)
			return rc;
		at = rc == 0 ? sites_room(sites, site->addr) : 0;
		if (rc == -EEXIST && site->hits < HITS_GIVEN)
			return 0;
	}
	if (!at || write_tramp(t, at, site, NULL, 0) < 0) {
		site->state = SITE_REDIRECTED;
		site->reason = "no place for a trampoline in reach";
		return 0;
	}
	sites_set_tramp(sites, site, at);
	return 1;
}

/* ---- plans ---- */

/* The plan in the process's addresses. */
static const char *plan_site(struct recorder *f, struct tracee *t, struct code_mapping *m,
	uint64_t addr, struct plan *plan)
{
	const struct known_code *file;
	const char *reason;
	uint64_t file_addr, bias;

	if (!m)
		return t->mm->recorder->code_hidden
			       ? "the process does not let its mappings be read"
			       : "code that is not of a file, or writable";
	file = code_file(f, t, m, &reason);
	if (!file)
		return reason;
	if (!file->code)
		return "the file of the code is of no known format";
	file_addr = code_address(file->code, m->offset + (addr - m->start));
	if (file_addr == UINT64_MAX)
		return "the file of the code does not describe this place";
	reason = code_file_plan(f, t, m, file_addr, plan);
	if (reason)
		return reason;
	bias = addr - file_addr;
	plan->site += bias;
	plan->check_at += bias;
	plan->moved_at += bias;
	for (size_t i = 0; i < plan->springboards_len; i++)
		plan->springboards[i] += bias;
	return plan->kind == PLAN_NONE ? plan->reason : NULL;
}

/* ---- changing the code ---- */

/* Other threads may run into it: they trap at its first byte until it is whole, and leave.c puts
 * them back to it. */
int patch_change(int (*write)(const struct tracee *t, uint64_t addr, const void *buf, size_t len),
	const struct tracee *t, uint64_t addr, const uint8_t *code, size_t len)
{
	uint8_t trap = ARCH_TRAP;
	int rc;

	if (t->mm->refs == 1)
		return write(t, addr, code, len);
	rc = write(t, addr, &trap, 1);
	if (rc == 0)
		rc = write(t, addr + 1, code + 1, len - 1);
	return rc < 0 ? rc : write(t, addr, code, 1);
}

int patch_is_there(const struct tracee *t, const struct site *site)
{
	return site->change_len && remote_holds(t, site->change_at, site->now, site->change_len);
}

int patch_hop_is_there(const struct tracee *t, const struct site *site)
{
	uint8_t far[ARCH_JUMP_BYTES];

	return site->springboard && arch_jump_long(far, site->springboard, site->tramp) == 0 &&
	       remote_holds(t, site->springboard, far, sizeof(far));
}

void patch_take_back(const struct tracee *t)
{
	struct map_iter it = {0};

	while (map_next(&t->mm->recorder->sites.by_addr, &it)) {
		const struct site *site = it.value;

		if (patch_is_there(t, site))
			patch_change(remote_write, t, site->change_at, site->was, site->change_len);
	}
}

static void clear_padding(const struct tracee *t, const struct site *site)
{
	if (patch_hop_is_there(t, site))
		remote_write(t, site->springboard, site->padding, sizeof(site->padding));
}

void patch_clear_padding(const struct tracee *t)
{
	struct map_iter it = {0};

	while (map_next(&t->mm->recorder->sites.springboards, &it))
		clear_padding(t, it.value);
}

static int overlaps(uint64_t addr, uint64_t len, uint64_t from, uint64_t until)
{
	return addr < until && addr + len > from;
}

void patch_take_back_in(const struct tracee *t, uint64_t from, uint64_t until)
{
	struct sites *sites = &t->mm->recorder->sites;
	struct map_iter it = {0};

	while (map_next(&sites->by_addr, &it)) {
		struct site *site = it.value;

		if (!overlaps(site->change_at, site->change_len, from, until) &&
			!(site->springboard &&
				overlaps(site->springboard, ARCH_JUMP_BYTES, from, until)))
			continue;
		if (patch_is_there(t, site))
			patch_change(remote_write, t, site->change_at, site->was, site->change_len);
		clear_padding(t, site);
		sites_renew(sites, site);
	}
}

/* Files come and go: what is noted of that address and is not there any more is forgotten. */
static int drop_springboard(const struct tracee *t, struct site *led)
{
	if (patch_hop_is_there(t, led))
		return 0;
	map_del(&t->mm->recorder->sites.springboards, led->springboard);
	led->springboard = 0;
	return 1;
}

static void drop_site(const struct tracee *t, struct site *site)
{
	if (site->state == SITE_PATCHED && !patch_is_there(t, site))
		sites_renew(&t->mm->recorder->sites, site);
}

/* Of all in [from, until). */
static void drop_stale(const struct tracee *t, uint64_t from, uint64_t until)
{
	struct sites *sites = &t->mm->recorder->sites;

	if (t->mm->recorder->none_is_stale)
		return;
	for (uint64_t a = from - (ARCH_JUMP_BYTES - 1); a < until + SITE_MOVED_MAX; a++) {
		struct site *site = map_get(&sites->by_addr, a),
			    *led = map_get(&sites->springboards, a);

		if (led)
			drop_springboard(t, led);
		if (site)
			drop_site(t, site);
	}
}

/* Of all in the mapping, at once. */
static void drop_stale_in(const struct tracee *t, const struct code_mapping *m)
{
	struct sites *sites = &t->mm->recorder->sites;
	struct map_iter it = {0};

	while (map_next(&sites->springboards, &it))
		if (it.key >= m->start && it.key < m->end && drop_springboard(t, it.value))
			it = (struct map_iter){0};
	it = (struct map_iter){0};
	while (map_next(&sites->by_addr, &it))
		if (it.key >= m->start && it.key < m->end)
			drop_site(t, it.value);
}

/* Changes the code at addr, and keeps what was there. */
static int change(
	const struct tracee *t, struct site *site, uint64_t addr, const uint8_t *code, size_t len)
{
	int rc = remote_read(t, addr, site->was, len);

	if (rc < 0)
		return rc;
	memcpy(site->now, code, len);
	site->change_at = addr;
	site->change_len = (uint8_t)len;
	return patch_change(remote_write, t, addr, code, len);
}

/* Padding in reach that nobody uses yet, or 0. */
static uint64_t free_springboard(struct tracee *t, const struct plan *plan)
{
	struct map *taken = &t->mm->recorder->sites.springboards;

	for (size_t i = 0; i < plan->springboards_len; i++) {
		uint64_t springboard = plan->springboards[i];
		uint8_t bytes[ARCH_JUMP_BYTES];
		int used = 0;

		drop_stale(t, springboard, springboard + ARCH_JUMP_BYTES);
		for (uint64_t a = springboard - (ARCH_JUMP_BYTES - 1);
			a < springboard + ARCH_JUMP_BYTES; a++)
			used |= map_get(taken, a) != NULL;
		if (!used && remote_read(t, springboard, bytes, sizeof(bytes)) == 0 &&
			arch_is_filling(bytes, sizeof(bytes)))
			return springboard;
	}
	return 0;
}

static const char *patch_by_padding(struct tracee *t, struct site *site, const struct plan *plan)
{
	uint64_t springboard = free_springboard(t, plan);
	uint8_t far[ARCH_JUMP_BYTES], near[ARCH_CALL_BYTES];

	if (!springboard || arch_jump_short(near, site->addr, springboard) < 0)
		return "no padding in reach that is free";
	if (arch_jump_long(far, springboard, site->tramp) < 0)
		return "the trampoline is out of reach";
	if (remote_read(t, springboard, site->padding, sizeof(site->padding)) < 0 ||
		remote_write(t, springboard, far, sizeof(far)) < 0 ||
		change(t, site, site->addr, near, sizeof(near)) < 0)
		return "the code could not be written";
	site->springboard = springboard;
	map_set(&t->mm->recorder->sites.springboards, springboard, site);
	copies_note(t, site);
	return NULL;
}

/* Room for a trampoline so far away as none is from code that was another one: by that it is known
 * of a copy what it was. */
static uint64_t room_of_its_own(struct sites *sites, const struct plan *plan)
{
	uint64_t tramp;

	do
		tramp = sites_room(sites, plan->site);
	while (tramp && copies_look_alike(sites, (int64_t)(tramp - plan->moved_at), plan->moved));
	return tramp;
}

/* With a trampoline of its own: other threads may be on their way through the first one. */
static const char *patch_before(struct tracee *t, struct site *site, const struct plan *plan)
{
	struct sites *sites = &t->mm->recorder->sites;
	uint64_t tramp = room_of_its_own(sites, plan);
	uint8_t code[ARCH_JUMP_BYTES];

	if (!tramp || arch_jump_long(code, plan->moved_at, tramp) < 0)
		return "no place for a second trampoline in reach";
	site->moved_len = plan->moved_len;
	if (write_tramp(t, tramp, site, plan->moved, plan->moved_len) < 0 ||
		change(t, site, plan->moved_at, code, sizeof(code)) < 0) {
		site->moved_len = 0;
		return "the code could not be written";
	}
	sites_set_tramp(sites, site, tramp);
	copies_note(t, site);
	return NULL;
}

int patch_is_as_in_file(const struct sites *sites, const struct plan *plan, const uint8_t *there)
{
	for (size_t i = 0; i < plan->check_len; i++)
		if (there[i] != plan->check[i] && !sites_changed(sites, plan->check_at + i))
			return 0;
	return 1;
}

static const char *try_patch(
	struct recorder *f, struct tracee *t, struct site *site, struct code_mapping *m)
{
	uint8_t there[sizeof((struct plan){0}.check)];
	struct plan plan = {0};
	const char *reason;

	if (f->no_patch)
		return "--no-patch";
	reason = plan_site(f, t, m, site->addr, &plan);
	if (reason)
		return reason;
	drop_stale(t, plan.check_at, plan.check_at + plan.check_len);
	if (remote_read(t, plan.check_at, there, plan.check_len) < 0 ||
		!patch_is_as_in_file(&t->mm->recorder->sites, &plan, there))
		return "the code is not as in its file";
	if (plan.kind == PLAN_PADDING) {
		reason = patch_by_padding(t, site, &plan);
		if (!reason || !plan.moved_len)
			return reason;
	}
	return patch_before(t, site, &plan);
}

/* The site's file remembers that it is worth it. */
static void note_worth(const struct code_mapping *m, uint64_t addr)
{
	struct known_code *file = m->file;
	uint64_t file_addr = code_address(file->code, m->offset + (addr - m->start));

	for (size_t i = 0; i < file->worth.len; i++)
		if (file->worth.at[i] == file_addr)
			return;
	*VEC_PUSH(&file->worth) = file_addr;
}

/* 1 if a process before has called it, too: together they have, as often as is worth it. */
int patch_was_called(struct recorder *f, struct tracee *t, uint64_t addr)
{
	struct code_mapping *m = mapping_at(t->mm->recorder, addr);
	const char *reason;
	struct known_code *file = m && !f->no_patch ? code_file(f, t, m, &reason) : NULL;
	uint64_t file_addr;

	if (!file || !file->code)
		return 0;
	file_addr = code_address(file->code, m->offset + (addr - m->start));
	for (size_t i = 0; i < file->once.len; i++)
		if (file->once.at[i] == file_addr)
			return 1;
	*VEC_PUSH(&file->once) = file_addr;
	return 0;
}

static void patch_in(
	struct recorder *f, struct tracee *t, struct site *site, struct code_mapping *m)
{
	site->reason = try_patch(f, t, site, m);
	site->state = site->reason ? SITE_REDIRECTED : SITE_PATCHED;
	if (site->reason)
		return;
	f->knows_sites = 1;
	if (!f->stacks || site->no_stacks) /* those of others still stop in the next process */
		note_worth(m, site->addr);
}

/* What is written in part is of a thread that was killed. */
static void flush(struct recorder *f, const struct tracee *t)
{
	if (remote_flush(t) < 0)
		recorder_off(f, t->mm, "the code could not be written");
}

void patch_site(struct recorder *f, struct tracee *t, struct site *site)
{
	struct recorder_mm *rm = t->mm->recorder;

	/* What is there now: files come and go, and a plan holds for one file only. */
	if (!f->no_patch)
		read_code_mappings(rm, t->tid);
	remote_hold(t);
	patch_in(f, t, site, mapping_at(rm, site->addr));
	flush(f, t);
}

/* A trampoline for the site, written now. 0: there is no room for it. */
static int ready_tramp(struct tracee *t, struct site *site)
{
	struct sites *sites = &t->mm->recorder->sites;
	uint64_t tramp;

	if (site->tramp)
		return 1;
	tramp = sites_room(sites, site->addr);
	if (!tramp || write_tramp(t, tramp, site, NULL, 0) < 0)
		return 0;
	sites_set_tramp(sites, site, tramp);
	return 1;
}

/* What other processes showed to be worth it, in one mapping. */
static void patch_mapping(struct recorder *f, struct tracee *t, struct code_mapping *m)
{
	struct recorder_mm *rm = t->mm->recorder;
	const char *reason;
	const struct known_code *file = code_file(f, t, m, &reason);
	uint64_t bias;

	if (!file || !file->code || !file->worth.len)
		return;
	bias = m->start - code_address(file->code, m->offset);
	for (size_t i = 0; i < file->worth.len; i++) {
		uint64_t addr = file->worth.at[i] + bias;
		struct site *site;

		if (addr < m->start || addr >= m->end)
			continue;
		site = sites_get(&rm->sites, addr);
		if (!site || site->state != SITE_NEW)
			continue;
		if (!rm->none_is_stale)
			drop_stale_in(t, m);
		rm->none_is_stale = 1;
		if (ready_tramp(t, site))
			patch_in(f, t, site, m);
	}
	rm->none_is_stale = 0;
}

void patch_known(struct recorder *f, struct tracee *t, uint64_t addr)
{
	struct recorder_mm *rm = t->mm->recorder;

	if (f->no_patch || !f->knows_sites || !rm->sites.pages.len ||
		(mapping_at(rm, addr) && !rm->code_is_new))
		return;
	if (!rm->code_is_new)
		read_code_mappings(rm, t->tid);
	rm->code_is_new = 0;
	remote_hold(t);
	for (size_t i = 0; i < rm->code.len; i++)
		patch_mapping(f, t, &rm->code.at[i]);
	flush(f, t);
}

uint64_t patch_free_page(const struct tracee *t, uint64_t near)
{
	return free_page(t->mm->recorder, t->tid, near);
}

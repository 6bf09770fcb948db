/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/syscalls.h"

#include <errno.h>
#include <pthread.h>
#include <seccomp.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "common/base/nearest.h"
#include "tracer/arch/abi.h"
#include "tracer/decode/decoders.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

/* ---- the rows ---- */

enum row {
#define SYSCALL(name, ...) ROW_##name,
#include "tracer/syscalls.def"
	ROW_COUNT
};

/* The name first and the other columns as designated initializers. */
static const struct sys_def rows[ROW_COUNT] = {
#define SYSCALL(name_, class_, sets_, args_, ...)                                                  \
	[ROW_##name_] = {.name = #name_,                                                           \
		.class = CLASS_##class_,                                                           \
		.sets = sets_,                                                                     \
		.args = args_,                                                                     \
		.index = ROW_##name_,                                                              \
		__VA_ARGS__},
#include "tracer/syscalls.def"
};

static const struct {
	const char *name;
	enum row row;
} aliases[] = {
#define ALIAS(other_name, name) {#other_name, ROW_##name},
#include "tracer/syscalls.def"
};

#define ABI_ANY ABI_COUNT
static const struct {
	int abi;
	enum row row;
	uint16_t nr;
} numbers[] = {
#define NUMBER(abi, name, nr) {abi, ROW_##name, nr},
#include "tracer/syscalls.def"
};

const char *sys_class_name(enum sys_class class)
{
	static const char *const names[] = {
		[CLASS_OTHER] = "other",
		[CLASS_NETWORK] = "network",
		[CLASS_FILE] = "file",
		[CLASS_DESC] = "desc",
		[CLASS_MEMORY] = "memory",
		[CLASS_PROCESS] = "process",
		[CLASS_WAIT] = "wait",
		[CLASS_SIGNAL] = "signal",
		[CLASS_TIME] = "time",
	};

	return names[class];
}

const char *batch_unit_name(enum batch_unit unit)
{
	static const char *const names[] = {
		[BATCH_NONE] = "",
		[BATCH_MESSAGES] = "messages",
		[BATCH_IOVECS] = "iovecs",
		[BATCH_EVENTS] = "events",
		[BATCH_SUBMISSIONS] = "submissions",
	};

	return names[unit];
}

/* ---- rows for numbers without a name ---- */

#define UNKNOWN_MAX 512 /* distinct numbers; all later ones share one more row, "syscall_other" */

static struct unknown {
	struct sys_def def;
	char name[24];
	uint32_t nr;
} unknown[UNKNOWN_MAX + 1];

/* Rows below this length are complete and do not change: they are read without the lock. */
static atomic_size_t unknown_len;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static const struct sys_def *unknown_find(uint32_t nr)
{
	size_t len = atomic_load_explicit(&unknown_len, memory_order_acquire);

	for (size_t i = 0; i < len && i < UNKNOWN_MAX; i++)
		if (unknown[i].nr == nr)
			return &unknown[i].def;
	return len > UNKNOWN_MAX ? &unknown[UNKNOWN_MAX].def : NULL;
}

static const struct sys_def *unknown_make(uint32_t nr)
{
	const struct sys_def *def;
	struct unknown *u;
	size_t i;

	pthread_mutex_lock(&lock);
	def = unknown_find(nr);
	if (!def) {
		i = atomic_load_explicit(&unknown_len, memory_order_relaxed);
		u = &unknown[i];
		if (i < UNKNOWN_MAX)
			snprintf(u->name, sizeof(u->name), "syscall_%u", nr);
		else
			strcpy(u->name, "syscall_other");
		u->nr = nr;
		u->def = (struct sys_def){
			.name = u->name, .args = "xxxxxx", .index = (uint16_t)(ROW_COUNT + i)};
		def = &u->def;
		atomic_store_explicit(&unknown_len, i + 1, memory_order_release);
	}
	pthread_mutex_unlock(&lock);
	return def;
}

/* ---- numbers of each ABI, built when first asked for ---- */

static struct table {
	atomic_int ready;
	uint16_t row[SYS_NUMBERS_MAX]; /* by number: row + 1, 0 = no name */
	int16_t number[ROW_COUNT];     /* by row: its number or -1 */
} tables[ABI_COUNT];

/* The first number of a row stays: the one under its own name, not that of an alias. */
static void table_put(struct table *t, enum row row, int nr)
{
	if (nr < 0 || nr >= SYS_NUMBERS_MAX)
		return;
	t->row[nr] = (uint16_t)(row + 1);
	if (t->number[row] < 0)
		t->number[row] = (int16_t)nr;
}

static int resolve(int abi, const char *name)
{
	static const uint32_t arch[ABI_COUNT] = {
		[ABI_NATIVE] = SCMP_ARCH_NATIVE,
		[ABI_I386] = SCMP_ARCH_X86,
		[ABI_X32] = SCMP_ARCH_X32,
	};
	int nr = seccomp_syscall_resolve_name_arch(arch[abi], name);

	return abi == ABI_X32 && nr >= 0 ? nr & ~(int)X32_BIT : nr;
}

static void table_fill(struct table *t, int abi)
{
	memset(t->number, -1, sizeof(t->number));
	for (enum row row = 0; row < ROW_COUNT; row++)
		table_put(t, row, resolve(abi, rows[row].name));
	for (size_t i = 0; i < ARRAY_LEN(numbers); i++)
		if (numbers[i].abi == abi || numbers[i].abi == ABI_ANY)
			table_put(t, numbers[i].row, numbers[i].nr);
	/* No 64-bit call has another name. */
	for (size_t i = 0; abi == ABI_I386 && i < ARRAY_LEN(aliases); i++)
		table_put(t, aliases[i].row, resolve(abi, aliases[i].name));
}

static const struct table *table_get(int abi)
{
	struct table *t = &tables[abi];

	if (atomic_load_explicit(&t->ready, memory_order_acquire))
		return t;
	pthread_mutex_lock(&lock);
	if (!atomic_load_explicit(&t->ready, memory_order_relaxed)) {
		table_fill(t, abi);
		atomic_store_explicit(&t->ready, 1, memory_order_release);
	}
	pthread_mutex_unlock(&lock);
	return t;
}

/* ---- look-ups ---- */

size_t sys_count(void)
{
	return ROW_COUNT + atomic_load_explicit(&unknown_len, memory_order_acquire);
}

const struct sys_def *sys_by_index(size_t index)
{
	return index < ROW_COUNT ? &rows[index] : &unknown[index - ROW_COUNT].def;
}

const struct sys_def *sys_by_name(const char *name)
{
	size_t count = sys_count();

	for (size_t i = 0; i < count; i++)
		if (!strcmp(sys_by_index(i)->name, name))
			return sys_by_index(i);
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		if (!strcmp(aliases[i].name, name))
			return &rows[aliases[i].row];
	return NULL;
}

static const struct sys_def *find_named(int abi, uint32_t nr)
{
	uint32_t plain = abi == ABI_X32 ? nr & ~X32_BIT : nr;
	uint16_t row = plain < SYS_NUMBERS_MAX ? table_get(abi)->row[plain] : 0;

	return row ? &rows[row - 1] : NULL;
}

const struct sys_def *sys_find(int abi, uint32_t nr)
{
	const struct sys_def *def = find_named(abi, nr);

	return def ? def : unknown_find(nr);
}

const struct sys_def *sys_by_number(int abi, uint32_t nr)
{
	const struct sys_def *def = sys_find(abi, nr);

	return def ? def : unknown_make(nr);
}

long sys_number(int abi, const struct sys_def *def)
{
	long nr;

	if (def->index >= ROW_COUNT) {
		if (def->index == ROW_COUNT + UNKNOWN_MAX)
			return -1;
		return unknown[def->index - ROW_COUNT].nr;
	}
	nr = table_get(abi)->number[def->index];
	return abi == ABI_X32 && nr >= 0 ? nr | X32_BIT : nr;
}

void sys_try_names(struct nearest *n)
{
	for (size_t i = 0; i < ROW_COUNT; i++)
		nearest_try(n, rows[i].name);
	for (size_t i = 0; i < ARRAY_LEN(aliases); i++)
		nearest_try(n, aliases[i].name);
}

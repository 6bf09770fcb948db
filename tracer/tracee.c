/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/tracee.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/base/text.h"

void tracees_init(struct tracees *t, uint32_t infos_max)
{
	*t = (struct tracees){.infos_max = infos_max};
}

void tracees_release(struct tracees *t)
{
	struct map_iter it = {0};

	while (map_next(&t->by_tid, &it)) {
		struct tracee *tr = it.value;
		uint32_t id;

		files_unref(tr->files);
		mm_unref(tr->mm, &id);
		free(tr);
	}
	map_release(&t->by_tid);
	it = (struct map_iter){0};
	while (map_next(&t->processes, &it))
		free(it.value);
	map_release(&t->processes);
	free(t->infos.at);
}

struct tracee *tracees_get(struct tracees *t, pid_t tid)
{
	if (t->last && t->last->tid == tid)
		return t->last;
	t->last = map_get(&t->by_tid, (uint64_t)tid);
	return t->last;
}

size_t tracees_count(const struct tracees *t)
{
	return t->by_tid.len;
}

void tracees_cloning(struct tracees *t, struct tracee *tr, enum cloning cloning)
{
	t->cloning += (unsigned int)(cloning != CLONING_NOT) - (tr->cloning != CLONING_NOT);
	tr->mm->copied += (unsigned int)(cloning == CLONING_COPY) - (tr->cloning == CLONING_COPY);
	tr->cloning = (uint8_t)cloning;
}

void tracees_unseen(struct tracee *tr, int unseen)
{
	tr->mm->copied += (unsigned int)unseen - tr->unseen;
	tr->unseen = (uint8_t)unseen;
}

struct mm *mm_new(struct tracees *t)
{
	struct mm *s = mem_calloc(1, sizeof(*s));

	s->id = ++t->next_mm;
	s->refs = 1;
	return s;
}

struct mm *mm_ref(struct mm *s)
{
	s->refs++;
	return s;
}

int mm_unref(struct mm *s, uint32_t *ret_id)
{
	if (!s || --s->refs)
		return 0;
	*ret_id = s->id;
	free(s);
	return 1;
}

void tracees_begin(struct tracees *t)
{
	t->processes_total = t->threads_total = 0;
	for (size_t i = 0; i < t->infos.len; i++)
		t->infos.at[i].process = 0;
}

static uint32_t info_add(struct tracees *t, pid_t pid, pid_t tid)
{
	if (t->infos.len >= t->infos_max)
		return t->infos_max + 1;
	*VEC_PUSH(&t->infos) = (struct thread_info){.pid = pid, .tid = tid};
	return (uint32_t)t->infos.len;
}

const struct thread_info *tracees_info(const struct tracees *t, uint32_t thread_id)
{
	return thread_id && thread_id <= t->infos.len ? &t->infos.at[thread_id - 1] : NULL;
}

static struct process *process_get(struct tracees *t, pid_t pid)
{
	struct process *p = map_get(&t->processes, (uint64_t)pid);

	if (!p) {
		p = mem_calloc(1, sizeof(*p));
		p->pid = pid;
		p->number = ++t->next_process;
		p->cpu_end_ns = UINT64_MAX;
		t->leaves++;
		map_set(&t->processes, (uint64_t)pid, p);
		t->processes_total++;
	}
	return p;
}

void tracees_child(struct tracees *t, struct process *maker, struct process *child)
{
	child->maker = maker->pid;
	child->maker_number = maker->number;
	if (child->first_id <= t->infos.len)
		t->infos.at[child->first_id - 1].maker = maker->first_id;
	maker->made = 1;
	if (!maker->children++)
		t->leaves--;
}

static void process_put(struct tracees *t, struct process *p)
{
	struct process *maker;

	if (--p->threads)
		return;
	if (!p->children)
		t->leaves--;
	maker = p->maker ? map_get(&t->processes, (uint64_t)p->maker) : NULL;
	if (maker && maker->number == p->maker_number && !--maker->children)
		t->leaves++;
	map_del(&t->processes, (uint64_t)p->pid);
	free(p);
}

struct tracee *tracees_add(
	struct tracees *t, pid_t pid, pid_t tid, struct files *files, struct mm *mm)
{
	struct tracee *tr = mem_calloc(1, sizeof(*tr));

	tr->tid = tid;
	tr->process = process_get(t, pid);
	tr->process->threads++;
	tr->files = files;
	tr->mm = mm;
	tr->thread_id = info_add(t, pid, tid);
	if (tr->process->threads == 1)
		tr->process->first_id = tr->thread_id;
	if (tr->thread_id <= t->infos.len)
		t->infos.at[tr->thread_id - 1].process = tr->process->first_id;
	t->threads_total++;
	map_set(&t->by_tid, (uint64_t)tid, tr);
	return tr;
}

void tracees_drop(struct tracees *t, struct tracee *tr)
{
	t->last = NULL;
	map_del(&t->by_tid, (uint64_t)tr->tid);
	process_put(t, tr->process);
	files_unref(tr->files);
	free(tr);
}

void tracees_rename(struct tracees *t, struct tracee *tr, pid_t pid)
{
	t->last = NULL;
	map_del(&t->by_tid, (uint64_t)tr->tid);
	tr->tid = pid;
	map_set(&t->by_tid, (uint64_t)pid, tr);
}

void tracees_read_comm(struct tracees *t, struct tracee *tr)
{
	char path[64];
	char comm[sizeof(t->infos.at->comm) + 1]; /* and the newline after it */
	cleanup_close int fd = -1;
	ssize_t n;

	if (!tr->thread_id || tr->thread_id > t->infos.len)
		return;
	snprintf(path, sizeof(path), "/proc/%d/comm", tr->tid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	n = read(fd, comm, sizeof(comm) - 1);
	if (n <= 0)
		return;
	comm[n] = '\0';
	text_chomp(comm);
	memcpy(t->infos.at[tr->thread_id - 1].comm, comm, sizeof(t->infos.at->comm));
	/* The leader's place may have come to another thread, by execve. */
	if (tr->tid == tr->process->pid && tr->process->first_id <= t->infos.len)
		memcpy(t->infos.at[tr->process->first_id - 1].comm, comm,
			sizeof(t->infos.at->comm));
}

void tracees_crashed(struct tracees *t, const struct process *p)
{
	if (p->first_id && p->first_id <= t->infos.len)
		t->infos.at[p->first_id - 1].crashed = 1;
}

void tracees_exec(struct tracees *t, const struct tracee *tr)
{
	const struct thread_info *maker = tracees_info(t, tr->process->first_id);

	if (!tr->process->made || !maker)
		return;
	for (size_t i = 0; i < t->infos.len; i++) {
		struct thread_info *child = &t->infos.at[i];

		if (child->maker == tr->process->first_id && !child->maker_comm[0])
			memcpy(child->maker_comm, maker->comm, sizeof(child->maker_comm));
	}
	tr->process->made = 0;
}

void tracees_copy_comm(struct tracees *t, const struct tracee *from, const struct tracee *to)
{
	const struct thread_info *a = tracees_info(t, from->thread_id);

	if (a && to->thread_id <= t->infos.len)
		memcpy(t->infos.at[to->thread_id - 1].comm, a->comm, sizeof(a->comm));
}

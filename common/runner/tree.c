/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/tree.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/runner/process.h"

struct process {
	pid_t pid, parent;
	unsigned long long started; /* clock ticks since boot */
};

struct processes {
	struct process *at;
	size_t len, cap;
};

/* pid, parent and start time of /proc/PID/stat; the name in it may hold anything but a NUL. */
static int read_stat(pid_t pid, struct process *ret)
{
	cleanup_free char *text = process_text(pid, "stat", NULL);
	char *p = text ? strrchr(text, ')') : NULL;

	if (!p || strlen(p) < 4)
		return -1;
	p += 4; /* over ") S ": field 4, the parent, is next */
	ret->pid = pid;
	ret->parent = (pid_t)strtol(p, &p, 10);
	for (int field = 5; field < 22; field++)
		strtoll(p, &p, 10);
	ret->started = strtoull(p, NULL, 10);
	return 0;
}

static void list_processes(struct processes *all)
{
	DIR *d = opendir("/proc");
	struct dirent *entry;

	if (!d)
		return;
	while ((entry = readdir(d))) {
		char *end;
		pid_t pid = (pid_t)strtol(entry->d_name, &end, 10);
		struct process p;

		if (pid > 0 && !*end && read_stat(pid, &p) == 0)
			*VEC_PUSH(all) = p;
	}
	closedir(d);
}

/* Adds everything whose parent is in the tree, until nothing is added. */
static void add_children(struct tree *t, const struct processes *all, pid_t root)
{
	size_t before;

	do {
		before = t->len;
		for (size_t i = 0; i < all->len; i++) {
			const struct process *p = &all->at[i];

			if (!tree_has(t, p->pid) && (p->parent == root || tree_has(t, p->parent)))
				*VEC_PUSH(t) = p->pid;
		}
	} while (t->len > before);
}

void tree_find(struct tree *t, pid_t root)
{
	struct processes all = {0};
	struct process self = {0};

	t->len = 0;
	list_processes(&all);
	add_children(t, &all, root);
	if (read_stat(root, &self) == 0) {
		/* An orphan is younger than the root; the others need not be asked. */
		for (size_t i = 0; i < all.len; i++)
			if (all.at[i].pid != root && all.at[i].started >= self.started &&
				!tree_has(t, all.at[i].pid) &&
				process_status_number(all.at[i].pid, "TracerPid") == root)
				*VEC_PUSH(t) = all.at[i].pid;
		add_children(t, &all, root);
	}
	free(all.at);
}

pid_t tree_first_child(pid_t pid)
{
	cleanup_free char *file = mem_printf("task/%d/children", (int)pid);
	cleanup_free char *text = process_text(pid, file, NULL);

	return text ? (pid_t)strtol(text, NULL, 10) : 0;
}

pid_t tree_parent(pid_t pid)
{
	struct process p;

	return read_stat(pid, &p) < 0 ? 0 : p.parent;
}

int tree_has(const struct tree *t, pid_t pid)
{
	for (size_t i = 0; i < t->len; i++)
		if (t->at[i] == pid)
			return 1;
	return 0;
}

void tree_release(struct tree *t)
{
	free(t->at);
	*t = (struct tree){0};
}

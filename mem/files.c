/* SPDX-License-Identifier: GPL-3.0-only */
#include "mem/files.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/clock.h"
#include "common/base/mem.h"
#include "common/base/text.h"
#include "common/base/units.h"

/* A log grows with every message; what is looked for stands in its first and last lines. */
enum { HEAD_BYTES = 65536, TAIL_BYTES = 32768 };

/* "massif.123.out" -> 123, 0 if it is none. */
static pid_t pid_of(const char *name, const char *before, const char *after)
{
	size_t len = strlen(before);
	char *end;

	if (strncmp(name, before, len) != 0 || name[len] < '1' || name[len] > '9')
		return 0;
	long pid = strtol(name + len, &end, 10);

	return strcmp(end, after) == 0 && pid <= INT32_MAX ? (pid_t)pid : 0;
}

static struct files_process *process(struct files *f, pid_t pid)
{
	for (size_t i = 0; i < f->len; i++)
		if (f->at[i].pid == pid)
			return &f->at[i];
	struct files_process *p = VEC_PUSH(f);

	*p = (struct files_process){
		.pid = pid, .allocations = FILES_UNKNOWN, .accounted_bytes = FILES_UNKNOWN};
	return p;
}

/* The first bytes (from 0 on) or the last (from < 0) of a file as text. */
static void read_part(const char *path, off_t from, char *buf, size_t size)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC);
	off_t end = fd < 0 ? 0 : lseek(fd, 0, SEEK_END);
	off_t at = from < 0 && end > (off_t)size - 1 ? end - ((off_t)size - 1) : 0;
	ssize_t n = fd < 0 ? -1 : pread(fd, buf, size - 1, at);

	buf[n > 0 ? n : 0] = '\0';
}

/* When a file was made, since 1970; 0 where the filesystem does not say. */
static int64_t made_ns(const char *path)
{
	struct statx s;

	if (statx(AT_FDCWD, path, 0, STATX_BTIME, &s) < 0 || !(s.stx_mask & STATX_BTIME))
		return 0;
	return s.stx_btime.tv_sec * (int64_t)NS_PER_SEC + s.stx_btime.tv_nsec;
}

static long number_behind(const char *text, const char *words)
{
	const char *at = strstr(text, words);

	return at ? strtol(at + strlen(words), NULL, 10) : 0;
}

static void read_version(struct files *f, const char *text)
{
	static const char words[] = "Using Valgrind-";
	const char *at = strstr(text, words);

	if (!at || *f->version)
		return;
	at += strlen(words);
	snprintf(f->version, sizeof(f->version), "%.*s",
		(int)strspn(at, "0123456789.abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-"),
		at);
}

/* "1,234" behind words; FILES_UNKNOWN where there is none. */
static uint64_t grouped_behind(const char *text, const char *words)
{
	const char *at = text ? strstr(text, words) : NULL;
	uint64_t n = 0;

	if (!at)
		return FILES_UNKNOWN;
	for (at += strlen(words), at += strspn(at, " "); (*at >= '0' && *at <= '9') || *at == ',';
		at++)
		if (*at != ',')
			n = n * 10 + (uint64_t)(*at - '0');
	return n;
}

/* "core    :   4,194,304/   4,194,304 max/curr mmap'd, ..": a line for each of valgrind's heaps, of
 * which one is the program's; then the code that it has translated. */
static uint64_t accounted(const char *tail)
{
	static const char row[] = " max/curr mmap'd";
	uint64_t translated = grouped_behind(strstr(tail, "transtab: new"), " -> "), sum = 0;
	const char *line = tail, *at;

	if (translated == FILES_UNKNOWN)
		return FILES_UNKNOWN;
	for (; (at = strstr(line, row)); line = at + 1) {
		const char *begin = at;

		while (begin > line && *begin != '\n' && *begin != ':')
			begin--;
		sum = sat_add(sum, grouped_behind(begin, ":"));
	}
	return sum ? sat_add(sum, translated) : FILES_UNKNOWN;
}

/* The files whose symbols are read: the first is the program. Adds up their sizes, which is what
 * their code and data can hold of memory. */
static void read_objects(const char *head, struct files_process *p, uint64_t *ret_bytes)
{
	static const char words[] = "-- Reading syms from ";

	for (const char *at = head; (at = strstr(at, words));) {
		struct stat st;

		at += strlen(words);
		char *path = mem_printf("%.*s", (int)strcspn(at, "\n"), at);

		if (stat(path, &st) == 0)
			*ret_bytes = sat_add(*ret_bytes, (uint64_t)st.st_size);
		if (p->program)
			free(path);
		else
			p->program = path;
	}
}

static void read_log(struct files *f, struct files_process *p)
{
	char buf[HEAD_BYTES];
	uint64_t objects = 0;

	read_part(p->log, 0, buf, sizeof(buf));
	p->parent = (pid_t)number_behind(buf, "== Parent PID: ");
	read_objects(buf, p, &objects);
	p->replaced = strstr(buf, "/vgpreload_massif") != NULL;
	read_version(f, buf);
	read_part(p->log, -1, buf, TAIL_BYTES);
	p->signal =
		(int)number_behind(buf, "== Process terminating with default action of signal ");
	p->unknown_instruction =
		p->signal == SIGILL && strstr(buf, "unhandled instruction") != NULL;
	p->allocations = grouped_behind(buf, "Massif: heap allocs:");
	p->accounted_bytes = accounted(buf);
	if (p->accounted_bytes != FILES_UNKNOWN)
		p->accounted_bytes = sat_add(p->accounted_bytes, objects);
}

/* Numbers of processes begin anew when they are used up. */
static int main_then_start(const void *a, const void *b)
{
	const struct files_process *x = a, *y = b;

	if (x->is_main != y->is_main)
		return y->is_main - x->is_main;
	if (x->made_ns != y->made_ns)
		return x->made_ns < y->made_ns ? -1 : 1;
	return (x->pid > y->pid) - (x->pid < y->pid);
}

/* A process that was orphaned before its program started may have any parent, but not us: orphans
 * do not come to one that did not ask for them. */
static void choose_main(struct files *f, pid_t starter)
{
	struct files_process *first = NULL;

	for (size_t i = 0; i < f->len; i++) {
		if (f->at[i].parent == starter) {
			f->at[i].is_main = 1;
			return;
		}
		if (!first || main_then_start(&f->at[i], first) < 0)
			first = &f->at[i];
	}
	if (first)
		first->is_main = 1;
}

void files_find(struct files *f, const char *dir, pid_t starter)
{
	DIR *d = opendir(dir);
	struct dirent *entry;

	*f = (struct files){0};
	while (d && (entry = readdir(d))) {
		pid_t massif = pid_of(entry->d_name, "massif.", ".out");
		pid_t end = pid_of(entry->d_name, "end.", ".ms");
		pid_t log = pid_of(entry->d_name, "valgrind.", ".log");

		if (massif)
			process(f, massif)->massif = mem_printf("%s/%s", dir, entry->d_name);
		if (end)
			process(f, end)->end = mem_printf("%s/%s", dir, entry->d_name);
		if (log) {
			struct files_process *p = process(f, log);

			p->log = mem_printf("%s/%s", dir, entry->d_name);
			p->made_ns = made_ns(p->log);
		}
	}
	if (d)
		closedir(d);
	for (size_t i = 0; i < f->len; i++)
		if (f->at[i].log)
			read_log(f, &f->at[i]);
	choose_main(f, starter);
	if (f->len)
		qsort(f->at, f->len, sizeof(*f->at), main_then_start);
}

void files_release(struct files *f)
{
	for (size_t i = 0; i < f->len; i++) {
		free(f->at[i].massif);
		free(f->at[i].end);
		free(f->at[i].program);
		free(f->at[i].log);
	}
	free(f->at);
	*f = (struct files){0};
}

void files_last_words(const char *log, char *buf, size_t size)
{
	char text[TAIL_BYTES];
	char *last = NULL, *rest = text, *line;

	*buf = '\0';
	if (!log)
		return;
	read_part(log, -1, text, sizeof(text));
	while ((line = strsep(&rest, "\n"))) {
		char *words = strncmp(line, "==", 2) == 0 ? strstr(line + 2, "== ") : NULL;

		line = words ? words + 3 : line;
		if (*line && strncmp(line, "==", 2) != 0 && strncmp(line, "--", 2) != 0)
			last = line;
	}
	if (last)
		snprintf(buf, size, "%s", text_one_line(last));
}

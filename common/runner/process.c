/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/process.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/base/text.h"

#define DELETED " (deleted)"

enum { PROC_FILE_MAX = 64 << 20 }; /* net/udp of many sockets */

char *process_text(pid_t pid, const char *file, size_t *ret_len)
{
	char path[64], *text = NULL;

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	return file_read(path, PROC_FILE_MAX, &text, ret_len, NULL) < 0 ? NULL : text;
}

char *process_link(pid_t pid, const char *file)
{
	char path[64], target[4096];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	ssize_t n = readlink(path, target, sizeof(target));

	return n > 0 && n < (ssize_t)sizeof(target) ? mem_strndup(target, (size_t)n) : NULL;
}

char *process_comm(pid_t pid)
{
	char *text = process_text(pid, "comm", NULL);

	return text ? text_chomp(text) : NULL;
}

char *process_exe(pid_t pid)
{
	char *path = process_link(pid, "exe");
	size_t stem = path ? text_stem_len(path, DELETED) : 0;

	if (stem)
		path[stem] = '\0';
	return path;
}

int process_exe_fd(pid_t pid)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/exe", (int)pid);
	return open(path, O_RDONLY | O_CLOEXEC);
}

int64_t process_status_number(pid_t pid, const char *field)
{
	cleanup_free char *text = process_text(pid, "status", NULL);
	cleanup_free char *label = mem_printf("\n%s:", field);
	const char *p = text ? strstr(text, label) : NULL;

	return p ? strtoll(p + strlen(label), NULL, 10) : -1;
}

int process_is_no_program(pid_t pid)
{
	size_t len = 0;
	cleanup_free char *line = process_text(pid, "cmdline", &len);

	/* A program without arguments has a name in its memory map all the same. */
	return !line || (!len && process_status_number(pid, "VmSize") < 0);
}

/* A program that shows what it does in its place has one argument, and NULs or spaces after it. */
const char *const *process_command(pid_t pid, struct arena *a)
{
	size_t len = 0, count = 0, n = 0;
	cleanup_free char *text = process_text(pid, "cmdline", &len);

	while (len && (!text[len - 1] || text[len - 1] == ' '))
		len--;
	for (size_t i = 0; i < len; i++)
		count += !text[i];
	const char **argv = arena_alloc(a, count + 3, sizeof(*argv));

	for (size_t i = 0; i < len; i += strlen(argv[n - 1]) + 1)
		argv[n++] = arena_printf(a, "%.*s", (int)strnlen(text + i, len - i), text + i);
	if (!n) {
		cleanup_free char *comm = process_comm(pid);

		argv[0] = comm ? arena_strdup(a, comm) : "?";
	}
	return argv;
}

const char *process_command_text(pid_t pid, struct arena *a)
{
	const char *const *argv = process_command(pid, a);
	cleanup_free char *text = text_command(argv);

	/* One that names itself is no list of words. */
	return text_one_line(arena_strdup(a, argv[1] ? text : argv[0]));
}

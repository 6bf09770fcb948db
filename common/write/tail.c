/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/write/tail.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "common/base/text.h"
#include "common/write/safe.h"

/* As much of a log is looked at; a line that is longer than all of that is cut at its start. */
enum { TAIL_BYTES = 65536, COLUMNS = 160 };

/* The end of a file, in which NULs are spaces. The caller's; NULL: there is nothing. */
static char *read_end(const char *path)
{
	cleanup_close int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	off_t end = fd < 0 ? -1 : lseek(fd, 0, SEEK_END);

	if (end <= 0)
		return NULL;
	char *text = mem_calloc(TAIL_BYTES + 1, 1);
	ssize_t n = pread(fd, text, TAIL_BYTES, end > TAIL_BYTES ? end - TAIL_BYTES : 0);

	for (ssize_t i = 0; i < n; i++)
		if (!text[i])
			text[i] = ' ';
	return text;
}

/* Where the last lines begin; newlines at the end are cut off. */
static char *last_lines(char *text, size_t lines)
{
	size_t len = strlen(text_chomp(text));

	while (len > 0 && (text[len - 1] != '\n' || --lines > 0))
		len--;
	return text + len;
}

/* What a terminal shows of a line in which a progress bar was written over itself. */
static const char *shown_of(char *line)
{
	size_t len = strlen(line);

	while (len > 0 && line[len - 1] == '\r')
		line[--len] = '\0';
	const char *over = strrchr(line, '\r');

	return over ? over + 1 : line;
}

char *tail_text(struct arena *a, const char *path, size_t lines)
{
	cleanup_free char *text = read_end(path);
	char *shown = NULL, *save = NULL;

	if (!text)
		return NULL;
	for (char *line = strtok_r(last_lines(text, lines), "\n", &save); line;
		line = strtok_r(NULL, "\n", &save)) {
		shown = arena_printf(a, "%s    %s\n", shown ? shown : "",
			safe_cut(a, safe_text(a, shown_of(line)), COLUMNS));
	}
	return shown;
}

/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/runner/streams.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "common/base/cleanup.h"

int streams_log(const char *path, struct err *err)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0666);

	if (fd < 0)
		return err_set(err, -errno, "cannot write %s: %s", path, strerror(errno));
	return fd;
}

int streams_stdin(const struct scenario *sc, int null_stdin, struct err *err)
{
	const char *path = sc->stdin_path;
	cleanup_close int dir = -1;

	if (!path && !null_stdin)
		return -1;
	if (path && sc->cwd)
		dir = open(sc->cwd, O_PATH | O_DIRECTORY | O_CLOEXEC);
	int fd = openat(dir >= 0 ? dir : AT_FDCWD, path ? path : "/dev/null", O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, -errno, "cannot read stdin from %s: %s",
			path ? path : "/dev/null", strerror(errno));
	return fd;
}

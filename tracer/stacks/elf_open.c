/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/stacks/elf_open.h"

#include <fcntl.h>
#include <linux/magic.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "common/base/mem.h"

#define PIECE_BYTES (1UL << 20)

struct wanted {
	char *path; /* heap */
	int copied; /* what FUSE has */
	int fd;     /* -1: none */
};

/* -1: it cannot be read whole. */
static int copy_of(int fd)
{
	int copy = memfd_create("code", MFD_CLOEXEC);
	ssize_t n = 1;

	while (copy >= 0 && n > 0)
		n = sendfile(copy, fd, NULL, PIECE_BYTES);
	if (copy >= 0 && n < 0) {
		close(copy);
		copy = -1;
	}
	return copy;
}

/* Mappings of devices are not opened. */
static void open_it(void *arg)
{
	struct wanted *w = arg;
	struct statfs fs;
	struct stat st;
	int fd;

	if (stat(w->path, &st) < 0 || !S_ISREG(st.st_mode))
		return;
	fd = open(w->path, O_RDONLY | O_CLOEXEC);
	if (w->copied && fd >= 0 && fstatfs(fd, &fs) == 0 && fs.f_type == FUSE_SUPER_MAGIC) {
		w->fd = copy_of(fd);
		close(fd);
	} else {
		w->fd = fd;
	}
}

static void drop(void *arg)
{
	struct wanted *w = arg;

	if (w->fd >= 0)
		close(w->fd);
	free(w->path);
	free(w);
}

int elf_open(struct elf_open *e, const char *path)
{
	uint64_t key = map_text_key(path);
	struct wanted *w;
	int fd;

	if (map_get(&e->late, key))
		return -1;
	w = mem_calloc(1, sizeof(*w));
	*w = (struct wanted){.path = mem_strdup(path), .copied = e->filler != NULL, .fd = -1};
	if (filler_run(e->filler, open_it, drop, w) < 0) {
		map_set(&e->late, key, e);
		return -1;
	}
	fd = w->fd;
	w->fd = -1;
	drop(w);
	return fd;
}

void elf_open_release(struct elf_open *e)
{
	map_release(&e->late);
}

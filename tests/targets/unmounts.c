/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * unmounts FOLDER: calls code of a file on a tmpfs there, unmaps it and unmounts the file system.
 * Status 77: no mounts here.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>

#include "t.h"

enum { CALLS = 100, PAGES_BYTES = 8192 };

static void copy(const char *from, const char *to)
{
	int in = open(from, O_RDONLY), out = open(to, O_CREAT | O_WRONLY, 0700);
	ssize_t n;

	CHECK(in >= 0 && out >= 0);
	while ((n = sendfile(out, in, NULL, 1 << 20)) > 0)
		;
	CHECK(n == 0 && close(in) == 0 && close(out) == 0);
}

/* Where addr is in the file that is mapped there. */
static uint64_t offset_of(uint64_t addr, char path[PATH_MAX])
{
	FILE *maps = fopen("/proc/self/maps", "r");
	uint64_t start, end, offset;
	char line[PATH_MAX + 100];

	CHECK(maps);
	while (fgets(line, sizeof(line), maps))
		if (sscanf(line, "%" SCNx64 "-%" SCNx64 " %*s %" SCNx64 " %*s %*s %4095s", &start,
			    &end, &offset, path) == 4 &&
			addr >= start && addr < end) {
			fclose(maps);
			return offset + (addr - start);
		}
	fprintf(stderr, "no mapping of the C library\n");
	exit(1);
}

int main(int argc, char **argv)
{
	char library[PATH_MAX], name[PATH_MAX];
	pid_t (*ask)(void);
	uint64_t at;
	char *code;
	int fd;

	CHECK(argc == 2);
	if (mount("none", argv[1], "tmpfs", 0, NULL) < 0) {
		fprintf(stderr, "no mounts here: %s\n", strerror(errno));
		return 77;
	}
	at = offset_of((uint64_t)(uintptr_t)getppid, library);
	snprintf(name, sizeof(name), "%s/library", argv[1]);
	copy(library, name);
	fd = open(name, O_RDONLY);
	code = mmap(NULL, PAGES_BYTES, PROT_READ | PROT_EXEC, MAP_PRIVATE, fd,
		(off_t)(at & ~UINT64_C(4095)));
	CHECK(fd >= 0 && code != MAP_FAILED && close(fd) == 0);
	ask = (pid_t(*)(void))(uintptr_t)(code + (at & 4095));
	for (int i = 0; i < CALLS; i++)
		CHECK(ask() == getppid());
	CHECK(munmap(code, PAGES_BYTES) == 0);
	if (umount(argv[1]) < 0) {
		fprintf(stderr, "not unmounted: %s\n", strerror(errno));
		return 1;
	}
	return 0;
}

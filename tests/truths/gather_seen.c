/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: of four files, 300 writes each: of the first the length is asked for by its path after
 *     each, of the second by another descriptor, the third is gone back in by another descriptor,
 *     and of the fourth another process reads what a pipe that is closed tells it of.
 * says: write, gathering: ... calls could be saved only by holding them back over calls that can
 *     wait, tell others something or see what was written, which an answer or their
 *     order may depend on; none safely.
 * modes: auto
 * never: calls would not be made
 */
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

enum { LINES = 300 };

static int file(char *path)
{
	int fd = mkstemp(path);

	if (fd < 0)
		t_skip("/dev/shm");
	return fd;
}

static void length_by_path(void)
{
	char path[] = "/dev/shm/truth-XXXXXX";
	int fd = file(path);
	struct stat st;

	for (int i = 1; i <= LINES; i++) {
		CHECK(write(fd, "a line\n", 7) == 7);
		CHECK(stat(path, &st) == 0 && st.st_size == 7L * i);
	}
	CHECK(unlink(path) == 0);
}

static void by_another(void)
{
	char path[] = "/dev/shm/truth-XXXXXX", again_path[] = "/dev/shm/truth-XXXXXX";
	int fd = file(path), other = dup(fd), again = file(again_path), back = dup(again);
	struct stat st;

	for (int i = 1; i <= LINES; i++) {
		CHECK(write(fd, "a line\n", 7) == 7);
		CHECK(fstat(other, &st) == 0 && st.st_size == 7L * i);
	}
	for (int i = 1; i <= LINES; i++) {
		CHECK(write(again, "a line\n", 7) == 7);
		CHECK(lseek(back, 0, SEEK_SET) == 0);
	}
	CHECK(unlink(path) == 0 && unlink(again_path) == 0);
}

static void read_all(int (*ends)[2], int fd)
{
	char line[7];

	for (int i = 0; i < LINES; i++)
		CHECK(close(ends[i][1]) == 0);
	for (int i = 0; i < LINES; i++) {
		CHECK(read(ends[i][0], line, 1) == 0);
		CHECK(pread(fd, line, 7, 7L * i) == 7);
	}
	_exit(0);
}

static void told_by_ends(void)
{
	char path[] = "/dev/shm/truth-XXXXXX";
	int ends[LINES][2], fd = file(path), status;
	pid_t pid;

	CHECK(unlink(path) == 0);
	for (int i = 0; i < LINES; i++)
		CHECK(pipe(ends[i]) == 0);
	pid = fork();
	CHECK(pid >= 0);
	if (!pid)
		read_all(ends, fd);
	for (int i = 0; i < LINES; i++) {
		CHECK(write(fd, "a line\n", 7) == 7);
		CHECK(close(ends[i][1]) == 0);
	}
	CHECK(waitpid(pid, &status, 0) == pid && status == 0);
}

int main(void)
{
	length_by_path();
	by_another();
	told_by_ends();
	return 0;
}

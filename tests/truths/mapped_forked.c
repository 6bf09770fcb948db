/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 64 MiB are mapped once and shared with three children, which are there at one time.
 * says: (address space, all processes added up: what a fork shares with its parent counts in
 *     both)
 * never: Not measured: mmap
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

#define CHILDREN 3
#define BYTES    (64UL << 20)

int main(void)
{
	int ends[2];
	char byte;

	CHECK(mmap(NULL, BYTES, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) !=
		MAP_FAILED);
	CHECK(pipe(ends) == 0);
	for (int i = 0; i < CHILDREN; i++) {
		pid_t pid = fork();

		CHECK(pid >= 0);
		if (!pid) {
			close(ends[1]);
			_exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
		}
	}
	close(ends[1]);
	for (int i = 0; i < CHILDREN; i++) {
		int status;

		CHECK(wait(&status) > 0 && status == 0);
	}
	return 0;
}

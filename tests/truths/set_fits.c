/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: reads until the kernel has worked half a second for them: the set has what is done.
 * options: -e %io
 * says: %io: ... system calls
 * never: Of the processes that the target started
 * never: others that the set leaves out
 * never: the kernel worked
 * never: only those about
 */
#include <sys/resource.h>

#include "t.h"

static char buffer[1 << 20];

int main(void)
{
	struct rusage usage;
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	CHECK(fd >= 0);
	do {
		for (int i = 0; i < 20; i++)
			CHECK(read(fd, buffer, sizeof(buffer)) == sizeof(buffer));
		CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
	} while (usage.ru_stime.tv_sec == 0 && usage.ru_stime.tv_usec < 500000);
	return 0;
}

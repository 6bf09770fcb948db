/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: stat(2) until the kernel has worked half a second for it; such calls are not seen.
 * options: -e %io
 * says: the kernel worked ... for the target, at most ... of it in traced calls
 * says: --trace=all shows the calls
 * never: others that the set leaves out
 */
#include <sys/resource.h>
#include <sys/stat.h>

#include "t.h"

int main(void)
{
	struct rusage usage;
	struct stat st;

	do {
		for (int i = 0; i < 1000; i++)
			CHECK(stat("/usr/../usr/../usr/../usr", &st) == 0);
		CHECK(getrusage(RUSAGE_SELF, &usage) == 0);
	} while (usage.ru_stime.tv_sec == 0 && usage.ru_stime.tv_usec < 500000);
	return 0;
}

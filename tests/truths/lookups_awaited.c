/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * modes: auto
 * truth: a file is looked for until it is there, at last, 20,000 times: who kept the first answer
 *     would never see it.
 * says: First target: access, ask less often for what is not there: keep the answer, or let inotify
 *     tell when it is: priority
 * says: most of these calls fail: where they ask for the same, the answer could be remembered, or
 *     inotify tell when it changes
 * never: access, keep the answer
 */
#include "t.h"

int main(void)
{
	char path[64];

	snprintf(path, sizeof(path), "/tmp/truth-awaited-%d", (int)getpid());
	for (int i = 0; i < 20000; i++)
		CHECK(access(path, F_OK) == -1);
	CHECK(close(open(path, O_CREAT | O_WRONLY, 0600)) == 0);
	CHECK(access(path, F_OK) == 0 && unlink(path) == 0);
	return 0;
}

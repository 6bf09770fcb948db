/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * needs: slowed
 * truth: 20,000 calls of less than a microsecond and nothing else: by stops, tracing is most of
 *     the time; recorded it is not.
 * options: -e writev
 * ptrace says: SLOWED THE PROGRAM: about
 * ptrace says: Batch sizes and times below are those of a slowed program, not of the untraced one.
 * ptrace says: Tracing slowed the program: the window is longer than untraced
 * ptrace says: of the calls were seen by stops: their times are those of the stops, so no gain can
 *     be computed.
 * ptrace says: times include tracing: about ... for each stop of a call that was stopped.
 * ptrace says: tracing slowed the program: untraced, these sizes can be others.
 * ptrace says: Tracing slowed the program: untraced, these sizes can be others.
 * ptrace never: for a call recorded in process
 * ptrace never: so batches of a loaded program can be larger here than untraced
 * ptrace never: a stop is long beside
 * ptrace never: figures below hold for the untraced program
 * says: tracing
 * auto never: SLOWED THE PROGRAM
 * auto says: times include tracing: about ... for a call recorded in process.
 */
#include <sys/uio.h>

#include "t.h"

int main(void)
{
	struct iovec v[2] = {{"a", 1}, {"b", 1}};
	int fd = t_null();
	volatile unsigned long n = 0;

	for (int i = 0; i < 20000; i++) {
		CHECK(writev(fd, v, 2) == 2);
		for (int k = 0; k < 500; k++)
			n++;
	}
	return 0;
}

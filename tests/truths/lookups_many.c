/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 20,000 times a file is opened that is not there, and the program does nothing else.
 * auto says: First target: openat, ask less often for what is not there: keep the answer, or let
 *     inotify tell when it is: priority ..., about ... of the run.
 * auto says: To check the gain: run the scenario again
 * auto says: saves about ... of the run: ... Evidence:
 * auto says: calls found nothing (ENOENT), at the call's median time each; what they asked for is
 *     not recorded: of what was asked for once, nothing is saved
 * auto never: what it is known to save is less than ... of the
 * auto never: what it is known to save is about
 * auto never: of what the calls of openat take at their median
 * auto never: of the calls were seen by stops
 * auto never: How long it ran is not known
 * auto never: calls were seen; below
 * auto says: keep the answer, or let inotify tell when it is (failed-lookup)
 * auto never: Nothing that would pay is found to change.
 * auto never: No optimization target: see below why.
 * auto never: None: the figures give evidence for no change that pays.
 * ptrace says: Nothing that would pay is found to change. ... of the calls were seen by stops:
 *     their times are those of
 *     the stops, so no gain can be computed.
 */
#include "t.h"

int main(void)
{
	for (int i = 0; i < 20000; i++)
		CHECK(open("/nowhere/at/all", O_RDONLY) == -1);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef RUNNER_SIGNAL_WORD_H
#define RUNNER_SIGNAL_WORD_H

#include <signal.h>
#include <stdint.h>

#include "common/base/clock.h"

/*
 * One TERM is one TERM. A time limit sends it to the runner and to the process group, so that
 * iotrace hears it from the group and from the runner; sudo and shells do the like. So
 * - the runner says with each signal that it sends to iotrace (sigqueue) what it is: passed on, or
 *   its own insisting after the grace;
 * - the same signal again within a second is not another one.
 */
#define SIGNAL_PASSED_ON 0x696f706173736564ULL
#define SIGNAL_INSISTS   0x696f696e73697374ULL

#define SIGNAL_AGAIN_NS NS_PER_SEC

/* The last one that counted. */
struct signal_last {
	uint32_t number; /* 0: none yet */
	uint64_t at_ns;
};

/* 1 if a signal that comes now is the last one again; else it is the last one from now on. */
static inline int signal_is_again(struct signal_last *last, uint32_t number, uint64_t now_ns)
{
	if (last->number == number && now_ns - last->at_ns < SIGNAL_AGAIN_NS)
		return 1;
	*last = (struct signal_last){number, now_ns};
	return 0;
}

#endif

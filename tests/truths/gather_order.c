/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: two threads write to one pipe in turns, 120 times each, with no other call between: held
 *     back, what one wrote would come after what the other wrote later.
 * says: write -> writev | 120 | 8 units | 105 | ... | 0 | 0 |
 * says: that is no send, or one begins that sends bytes: an answer or their order may depend on it.
 * never: calls would not be made
 */
#include <pthread.h>

#include "t.h"

#define TURNS 120

static int ends[2], turn;

static void *writes(void *arg)
{
	int self = arg != NULL;

	for (int i = 0; i < TURNS; i++) {
		while (__atomic_load_n(&turn, __ATOMIC_SEQ_CST) != self)
			;
		CHECK(write(ends[1], "frame", 5) == 5);
		__atomic_store_n(&turn, !self, __ATOMIC_SEQ_CST);
	}
	return NULL;
}

int main(void)
{
	pthread_t other;

	CHECK(pipe(ends) == 0);
	CHECK(pthread_create(&other, NULL, writes, ends) == 0);
	writes(NULL);
	CHECK(pthread_join(other, NULL) == 0);
	return 0;
}

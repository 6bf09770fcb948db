/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 50 times a pipe is asked for a network interface's address: it has no such control.
 *     Nobody asks for a terminal.
 * says: no such control
 * says: | ioctl | ENOTTY | 50 | 100% | normal | it has no such control
 * never: asks whether it is a terminal (TCGETS): it is none
 * never: not a terminal
 */
#include <net/if.h>
#include <sys/ioctl.h>

#include "t.h"

int main(void)
{
	struct ifreq r = {0};
	int ends[2];

	CHECK(pipe(ends) == 0);
	for (int i = 0; i < 50; i++)
		CHECK(ioctl(ends[0], SIOCGIFADDR, &r) == -1 && errno == ENOTTY);
	return 0;
}

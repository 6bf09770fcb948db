/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: 1,000 packets are written to a pipe that keeps them apart, 1,000 names to /proc, 1,000
 *     numbers to an eventfd: in one buffer they were one packet, one name, and one number.
 * says: No thread sent often enough on one descriptor to say anything
 * never: write -> writev
 * never: could be saved
 * never: calls would not be made
 */
#include <fcntl.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "t.h"

int main(void)
{
	int s[2], name = open("/proc/self/comm", O_WRONLY), event = eventfd(0, 0);
	uint64_t one = 1;
	char packet[8];

	CHECK(name >= 0 && pipe2(s, O_DIRECT) == 0);
	for (int k = 0; k < 100; k++) {
		for (int i = 0; i < 10; i++)
			CHECK(write(s[1], "packet", 6) == 6);
		for (int i = 0; i < 10; i++)
			CHECK(read(s[0], packet, sizeof(packet)) == 6);
	}
	for (int i = 0; i < 1000; i++)
		CHECK(write(name, "name", 4) == 4);
	for (int i = 0; i < 1000; i++)
		CHECK(write(event, &one, sizeof(one)) == sizeof(one));
	return 0;
}

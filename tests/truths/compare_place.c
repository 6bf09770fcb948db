/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * kind: compare
 * truth: the new program sends 200 messages to a socket whose port the kernel chose, the base 100,
 *     and it writes 60 lines to a file that has another name in each run, the base 50.
 * says: FAIL sendto.calls
 * says: sendto, on udp 127.0.0.1:* -> 127.0.0.1:*: 100 -> 200 calls
 * says: FAIL write.calls
 * says: write, on /tmp/truth-... (base: /tmp/truth-...): 50 -> 60 calls
 * never: : 0 -> 200 calls
 * never: : 0 -> 60 calls
 * never: : 100 -> 0 calls
 */
#include <stdlib.h>

#include "sides.h"
#include "udp.h"

int main(int argc, char **argv)
{
	char path[] = "/tmp/truth-XXXXXX";
	struct udp u = udp_open();
	int fd = mkstemp(path), new = is_new(argv);

	(void)argc;
	CHECK(fd >= 0 && unlink(path) == 0);
	for (int i = 0; i < (new ? 200 : 100); i++)
		CHECK(send(u.tx, "x", 1, 0) == 1);
	for (int i = 0; i < (new ? 60 : 50); i++)
		CHECK(write(fd, "line\n", 5) == 5);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-only */
/* Lines of the control pipe, as they come: the first byte is the size of the pieces. */
#include <fcntl.h>

#include "tests/fuzz/fuzz.h"
/* The function that takes them is not for others, and waits for a tracing thread: so the file is
 * compiled in here, and what it gives orders to is below. */
#define orders_give orders_count
#include "tracer/supervise.c"

static unsigned int orders, marks;

void orders_count(struct orders *o, struct order order)
{
	(void)o;
	orders++;
	if (order.kind == ORDER_MARK) {
		FUZZ_CHECK(order.name && order.name[0] && !strchr(order.name, '\n'));
		marks++;
	}
	free(order.name);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct supervise v = {0};
	struct watch w = {.v = &v};
	unsigned int lines = 0;
	int ends[2];

	orders = marks = 0;
	if (!size || pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
		return 0;
	w.polls[FROM_CONTROL].fd = ends[0];
	for (size_t at = 1, piece = (size_t)data[0] + 1; at < size; at += piece) {
		size_t n = size - at < piece ? size - at : piece;

		FUZZ_CHECK(write(ends[1], data + at, n) == (ssize_t)n);
		take_control(&w);
	}
	close(ends[1]);
	while (w.polls[FROM_CONTROL].fd >= 0)
		take_control(&w);
	close(ends[0]);
	for (size_t i = 1; i < size; i++)
		lines += data[i] == '\n';
	FUZZ_CHECK(orders + v.control_unknown <= lines && marks <= orders);
	return 0;
}

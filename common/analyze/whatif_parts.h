/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef ANALYZE_WHATIF_PARTS_H
#define ANALYZE_WHATIF_PARTS_H

#include <stddef.h>
#include <stdint.h>

/* A line of a detail file: `TID EPOCH.uuuuuu name(args) = RET <S.uuuuuu>`. */
struct detail_call {
	uint64_t tid, entry_us;
	const char *name, *args, *args_end, *result, *end; /* in the line */
	size_t name_len;
	/* Of detail_parse_more(): */
	uint64_t fd;                       /* UINT64_MAX: the first argument is none */
	uint64_t asked_units, asked_bytes; /* 0: not shown */
	uint64_t ret;
	int ok, again; /* it succeeded; it failed with EAGAIN */
};

/* 0, or -1: not a line of iotrace's. The line is without its newline. */
int detail_parse(const char *line, size_t len, struct detail_call *ret);
void detail_parse_more(struct detail_call *c);

#endif

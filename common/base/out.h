/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef BASE_OUT_H
#define BASE_OUT_H

#include <stddef.h>
#include <stdint.h>

/*
 * Buffered output with a sticky error, to a file descriptor or (fd < 0) to growing memory.
 * Errors are looked at once, at the end, with out_flush(); after an error nothing more is written.
 *
 *	struct out o;
 *	out_init(&o, fd);
 *	out_printf(&o, "%s\n", text);
 *	rc = out_flush(&o);
 *	out_release(&o);
 */
struct out {
	int fd;
	int error; /* negative errno of the first failure, 0 = none */
	char *buf;
	size_t len, cap;
	uint64_t total_bytes; /* accepted since init, flushed or not */
};

void out_init(struct out *o, int fd); /* fd stays the caller's */
void out_init_mem(struct out *o);
void out_release(struct out *o);
void out_bytes(struct out *o, const void *p, size_t n);
void out_str(struct out *o, const char *s);
void out_char(struct out *o, char c);
void out_u64(struct out *o, uint64_t v);
void out_i64(struct out *o, int64_t v);
void out_hex(struct out *o, uint64_t v); /* 0x..., 0 -> 0 */
void out_pad_u64(
	struct out *o, uint64_t v, unsigned int width); /* zero padded, for 1700000000.000042 */
void out_printf(struct out *o, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
int out_flush(struct out *o); /* 0 or the first error */
/* Memory output only: NUL-terminated, owned by o until the next write or out_release. */
const char *out_text(struct out *o);

/* How wide text on fd may be: as the terminal that it is ($COLUMNS, else as it says itself) where
 * that is narrower than most, but at least OUT_COLUMNS_MIN. */
enum { OUT_COLUMNS_MIN = 40 };
size_t out_columns(int fd, size_t most);

/* All of it, at once: 0 or -errno. Waits where fd would block. */
int out_write_all(int fd, const void *bytes, size_t n);

#endif

/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include <zstd.h>

#include "common/base/file.h"
#include "common/base/mem.h"
#include "tracer/detail/detail.h"
#include "tracer/detail/spool.h"
#include "tracer/detail/spool_format.h"

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))
#define BLOCK    SPOOL_BLOCK_CALLS

/* ---- calls ---- */

static uint64_t random_of(uint64_t i)
{
	i = (i + 1) * 0x9e3779b97f4a7c15ULL;
	return i ^ i >> 29;
}

/* Any 64 bits, small numbers and the edges among them. */
static uint64_t value_of(uint64_t i)
{
	static const uint64_t edges[] = {0, 1, 127, 128, INT32_MAX, UINT32_MAX, 1ULL << 63,
		NOT_MEASURED, (uint64_t)-4095, 16384};
	uint64_t random = random_of(i);

	return random % 3 == 0 ? edges[random / 3 % COUNT(edges)] : random >> random % 64;
}

/* Everything that an event can hold, for every row. */
static struct sys_event wild_event(uint64_t i)
{
	uint64_t k = i * 32;
	struct sys_event ev = {.def = sys_by_index(random_of(i) % sys_count()),
		.abi = (enum abi)(random_of(k) % ABI_COUNT),
		.nr = (uint32_t)value_of(k + 1),
		.ret = (int64_t)value_of(k + 2),
		.outcome = (enum outcome)(random_of(k + 3) % 3),
		.seen = (enum seen)(random_of(k + 4) % SEEN_COUNT),
		.entry_ns = value_of(k + 5),
		.exit_ns = value_of(k + 6),
		.m = {value_of(k + 7), value_of(k + 8), value_of(k + 9), value_of(k + 10),
			value_of(k + 11), value_of(k + 12), random_of(k + 13) & 1, 0,
			random_of(k + 14) & 1},
		.pid = (int32_t)value_of(k + 15),
		.tid = (int32_t)value_of(k + 16),
		.thread_id = (uint32_t)value_of(k + 17),
		.fd_id = (uint32_t)value_of(k + 18),
		.mm_id = (uint32_t)value_of(k + 19)};

	for (size_t a = 0; a < 6; a++)
		ev.args[a] = value_of(k + 20 + a);
	return ev;
}

/* A program that writes, now and then reads, and ends inside a call. */
static struct sys_event plain_event(uint64_t i)
{
	return (struct sys_event){.def = sys_by_name(i % 5 ? "write" : "read"),
		.nr = i % 5 ? 1 : 0,
		.args = {3, 0x7f0000001000, 64},
		.ret = 64,
		.outcome = i % 1000 == 999 ? SYS_NO_RETURN : SYS_RETURNED,
		.entry_ns = 1000000 + i * 500,
		.exit_ns = i % 1000 == 999 ? 0 : 1000200 + i * 500,
		.m = {64, 64, NOT_MEASURED, NOT_MEASURED, NOT_MEASURED, NOT_MEASURED, 0, 0, 0},
		.pid = 40,
		.tid = (int32_t)(40 + i / 7 % 3),
		.thread_id = (uint32_t)(1 + i / 7 % 3),
		.fd_id = 3,
		.mm_id = 1};
}

typedef struct sys_event (*event_fn)(uint64_t i);

/* A call comes back if its line does. */
static int same(const struct sys_event *a, const struct sys_event *b)
{
	struct out one, other;
	int is;

	out_init_mem(&one);
	out_init_mem(&other);
	detail_line(&one, a, 0);
	detail_line(&other, b, 0);
	is = one.len == other.len && !memcmp(one.buf, other.buf, one.len);
	out_release(&one);
	out_release(&other);
	return is && a->def == b->def && a->entry_ns == b->entry_ns && a->exit_ns == b->exit_ns;
}

/* ---- spools ---- */

static const char *temp_dir(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && *dir ? dir : "/tmp";
}

static struct spool *spool_of(uint64_t max_calls)
{
	struct spool *s = NULL;
	struct err err = {0};

	if (spool_new(&s, temp_dir(), max_calls, &err) < 0)
		fail_msg("%s", err.text);
	return s;
}

static uint64_t add(struct spool *s, event_fn event, uint64_t n)
{
	uint64_t taken = 0;

	for (uint64_t i = 0; i < n; i++) {
		struct sys_event ev = event(i);

		taken += (uint64_t)spool_add(s, &ev);
	}
	return taken;
}

/* Reads to the end or an error; each call must be the one that was added. */
static uint64_t read_back(int fd, event_fn event, int *ret_rc, struct err *err)
{
	struct spool_reader *r = spool_reader_new(fd);
	struct sys_event ev;
	uint64_t n = 0;

	for (*ret_rc = 0; (*ret_rc = spool_read(r, &ev, err)) > 0; n++) {
		struct sys_event expect = event(n);

		if (!same(&ev, &expect))
			fail_msg("call %llu is another one", (unsigned long long)n);
	}
	assert_int_equal(spool_read(r, &ev, NULL), *ret_rc); /* it stays so */
	spool_reader_free(r);
	return n;
}

static void assert_reads(int fd, event_fn event, uint64_t n)
{
	struct err err = {0};
	int rc;
	uint64_t got = read_back(fd, event, &rc, &err);

	if (rc < 0)
		fail_msg("%s", err.text);
	assert_int_equal(got, n);
}

static void every_line_comes_back(void **state)
{
	static const uint64_t counts[] = {
		0, 1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 3 * BLOCK, 5 * BLOCK + 77};
	static const event_fn events[] = {wild_event, plain_event};

	(void)state;
	sys_by_number(ABI_NATIVE, 12345); /* a row for a number without a name */
	sys_by_number(ABI_I386, 98765);
	for (size_t e = 0; e < COUNT(events); e++)
		for (size_t i = 0; i < COUNT(counts); i++) {
			struct spool *s = spool_of(UINT64_MAX);

			assert_int_equal(add(s, events[e], counts[i]), counts[i]);
			assert_int_equal(spool_finish(s, NULL), 0);
			assert_reads(spool_fd(s), events[e], counts[i]);
			assert_reads(spool_fd(s), events[e], counts[i]); /* again */
			spool_free(s);
		}
}

/* restart_syscall counts under the interrupted call, socketcall under what it asks for. */
static void the_row_need_not_be_the_numbers(void **state)
{
	struct sys_event ev = plain_event(0), back;
	struct spool_reader *r;
	struct spool *s = spool_of(UINT64_MAX);

	(void)state;
	ev.def = sys_by_name("sendmsg");
	ev.abi = ABI_I386;
	ev.nr = 102;
	spool_add(s, &ev);
	spool_finish(s, NULL);
	r = spool_reader_new(spool_fd(s));
	assert_int_equal(spool_read(r, &back, NULL), 1);
	assert_string_equal(back.def->name, "sendmsg");
	assert_true(same(&ev, &back));
	spool_reader_free(r);
	spool_free(s);
}

static void no_more_than_asked_is_taken(void **state)
{
	static const uint64_t max[] = {0, 1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK};

	(void)state;
	for (size_t i = 0; i < COUNT(max); i++) {
		struct spool *s = spool_of(max[i]);

		assert_int_equal(add(s, plain_event, 3 * BLOCK), max[i]);
		assert_int_equal(spool_finish(s, NULL), 0);
		assert_int_equal(add(s, plain_event, 1), 0);
		assert_int_equal(spool_finish(s, NULL), 0);
		assert_reads(spool_fd(s), plain_event, max[i]);
		spool_free(s);
	}
}

/* Adding goes faster than writing: it waits, and nothing is lost. */
static void a_slow_writer_is_waited_for(void **state)
{
	struct spool *s = spool_of(UINT64_MAX);

	(void)state;
	assert_int_equal(add(s, wild_event, 40 * BLOCK), 40 * BLOCK);
	assert_int_equal(spool_finish(s, NULL), 0);
	assert_reads(spool_fd(s), wild_event, 40 * BLOCK);
	spool_free(s);
}

/* What no line shows takes no room: registers that are no arguments, ids, how it was seen. */
static struct sys_event noisy_event(uint64_t i)
{
	struct sys_event ev = plain_event(i);

	for (size_t a = 3; a < 6; a++)
		ev.args[a] = random_of(i * 8 + a);
	ev.nr = (uint32_t)random_of(i * 8);
	ev.fd_id = (uint32_t)random_of(i * 8 + 1);
	ev.seen = (enum seen)(random_of(i * 8 + 2) % SEEN_COUNT);
	ev.m.bytes_asked = ev.m.bytes_moved = random_of(i * 8 + 6);
	return ev;
}

static uint64_t size_of(event_fn event)
{
	struct spool *s = spool_of(UINT64_MAX);
	struct stat st;

	add(s, event, 20 * BLOCK);
	spool_finish(s, NULL);
	assert_int_equal(fstat(spool_fd(s), &st), 0);
	spool_free(s);
	return (uint64_t)st.st_size;
}

static void what_is_not_shown_takes_no_room(void **state)
{
	(void)state;
	assert_int_equal(size_of(noisy_event), size_of(plain_event));
}

static void plain_calls_are_small(void **state)
{
	(void)state;
	assert_in_range(size_of(plain_event), 1, 20 * BLOCK * 4);
}

static void an_unfinished_spool_can_be_freed(void **state)
{
	struct spool *s = spool_of(UINT64_MAX);

	(void)state;
	add(s, plain_event, BLOCK + 1);
	spool_free(s);
	spool_free(NULL);
	spool_reader_free(NULL);
}

/* ---- the file and the thread ---- */

static int entries(const char *dir)
{
	DIR *d = opendir(dir);
	int n = 0;

	assert_non_null(d);
	while (readdir(d))
		n++;
	closedir(d);
	return n - 2; /* . and .. */
}

static void the_file_has_no_name(void **state)
{
	char dir[] = "/tmp/test_spool.XXXXXX";
	struct spool *s;

	(void)state;
	assert_non_null(mkdtemp(dir));
	assert_int_equal(spool_new(&s, dir, UINT64_MAX, NULL), 0);
	assert_int_equal(entries(dir), 0);
	assert_true(fcntl(spool_fd(s), F_GETFD) & FD_CLOEXEC);
	spool_free(s);
	assert_int_equal(rmdir(dir), 0);
}

static void a_directory_that_takes_no_file_is_named(void **state)
{
	struct err err = {0};
	struct spool *s;

	(void)state;
	assert_int_equal(spool_new(&s, "/proc/no-such-place", 1, &err), -ENOENT);
	assert_non_null(strstr(err.text, "/proc/no-such-place"));
	/* /proc itself has no O_TMPFILE, and no room for a name either */
	assert_true(spool_new(&s, "/proc", 1, NULL) < 0);
}

static uint64_t blocked_signals(const char *tid)
{
	char path[300], *text, *line;
	uint64_t mask;

	snprintf(path, sizeof(path), "/proc/self/task/%s/status", tid);
	assert_int_equal(file_read(path, 1 << 16, &text, NULL, NULL), 0);
	line = strstr(text, "SigBlk:");
	assert_non_null(line);
	mask = strtoull(line + strlen("SigBlk:"), NULL, 16);
	free(text);
	return mask;
}

static void no_signal_reaches_the_writer(void **state)
{
	struct spool *s;
	sigset_t before, after;
	struct dirent *e;
	int others = 0;
	DIR *d;

	(void)state;
	sigemptyset(&before);
	sigemptyset(&after);
	pthread_sigmask(SIG_SETMASK, NULL, &before);
	s = spool_of(UINT64_MAX);
	pthread_sigmask(SIG_SETMASK, NULL, &after);
	assert_memory_equal(&before, &after, sizeof(uint64_t)); /* the kernel's part */
	d = opendir("/proc/self/task");
	assert_non_null(d);
	while ((e = readdir(d)) != NULL) {
		if (e->d_name[0] == '.' || atoi(e->d_name) == getpid())
			continue;
		others++;
		for (int signal = 1; signal < SIGRTMAX; signal++)
			if (signal != SIGKILL && signal != SIGSTOP &&
				(signal < 32 || signal >= SIGRTMIN))
				assert_true(blocked_signals(e->d_name) >> (signal - 1) & 1);
	}
	closedir(d);
	assert_true(others >= 1);
	spool_free(s);
}

/* ---- disks that are full ---- */

/* What was taken but not written is lost, and said so; what was written is the first part. */
static void assert_full(struct spool *s, int error)
{
	struct err err = {0}, cut = {0};
	uint64_t taken = add(s, wild_event, 20 * BLOCK), got;
	char where[64];
	struct stat st;
	int rc;

	assert_in_range(taken, 1, 20 * BLOCK - 1);
	assert_int_equal(add(s, wild_event, 1), 0);
	assert_int_equal(spool_finish(s, &err), error);
	assert_non_null(strstr(err.text, strerror(-error)));
	got = read_back(spool_fd(s), wild_event, &rc, &cut);
	assert_in_range(got, BLOCK, taken);
	assert_int_equal(got % BLOCK, 0);
	assert_int_equal(rc, -EBADMSG); /* the end is not there, nor half a block */
	assert_int_equal(fstat(spool_fd(s), &st), 0);
	snprintf(where, sizeof(where), "near byte %lld: it is cut short", (long long)st.st_size);
	if (!strstr(cut.text, where))
		fail_msg("%s: not in: %s", where, cut.text);
}

static void limit_files(rlim_t bytes, struct rlimit *before)
{
	struct rlimit now;

	getrlimit(RLIMIT_FSIZE, before);
	now = *before;
	now.rlim_cur = bytes;
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &now), 0);
}

static void a_file_size_limit(void **state)
{
	struct spool *s = spool_of(UINT64_MAX);
	struct rlimit before;

	(void)state;
	limit_files(1000000, &before);
	assert_full(s, -EFBIG);
	setrlimit(RLIMIT_FSIZE, &before);
	spool_free(s);
}

/* Full from the start: still only the spool fails. */
static void no_room_at_all(void **state)
{
	struct err err = {0};
	struct rlimit before;
	struct spool *s;
	int rc;

	(void)state;
	limit_files(3, &before);
	s = spool_of(UINT64_MAX);
	add(s, plain_event, 4 * BLOCK);
	assert_int_equal(spool_finish(s, &err), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(read_back(spool_fd(s), plain_event, &rc, NULL), 0);
	assert_int_equal(rc, -EBADMSG);
	spool_free(s);
}

/* -1 where that is not permitted. */
static int mount_tiny(const char *dir)
{
	if (unshare(CLONE_NEWNS) < 0 || mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		return -1;
	return mount("none", dir, "tmpfs", 0, "size=1m");
}

static void a_full_file_system(void **state)
{
	char dir[] = "/tmp/test_spool.XXXXXX", *name;
	struct detail_text text;
	struct statvfs room;
	struct spool *s;
	struct out o;
	int fd;

	(void)state;
	assert_non_null(mkdtemp(dir));
	if (mount_tiny(dir) < 0) {
		print_message("# a_full_file_system: cannot mount a tmpfs: %s\n", strerror(errno));
		rmdir(dir);
		skip();
	}
	assert_int_equal(spool_new(&s, dir, UINT64_MAX, NULL), 0);
	assert_full(s, -ENOSPC);
	/* The text takes the room that the spool leaves. */
	name = mem_printf("%s/text", dir);
	fd = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	out_init(&o, fd);
	assert_int_equal(statvfs(dir, &room), 0);
	assert_int_equal(detail_render(s, &o, UINT64_MAX, 0, &text, NULL), -ENOSPC);
	assert_in_range(text.bytes, room.f_bavail * room.f_bsize + 1, 1024 * 1024);
	out_release(&o);
	close(fd);
	free(name);
	spool_free(s);
	assert_int_equal(umount(dir), 0);
	assert_int_equal(rmdir(dir), 0);
}

/* ---- damaged files ---- */

#define FILE_CALLS (2 * BLOCK + 100)

struct image {
	char *bytes;
	size_t len;
	size_t starts[16], starts_len; /* of what the file consists of, and its end */
};

static struct image image_new(void)
{
	struct spool *s = spool_of(UINT64_MAX);
	struct image im = {.starts = {0, sizeof(struct spool_file_header)}, .starts_len = 2};
	struct stat st;

	add(s, plain_event, FILE_CALLS);
	assert_int_equal(spool_finish(s, NULL), 0);
	assert_int_equal(fstat(spool_fd(s), &st), 0);
	im.len = (size_t)st.st_size;
	im.bytes = malloc(im.len);
	assert_non_null(im.bytes);
	assert_int_equal(pread(spool_fd(s), im.bytes, im.len, 0), im.len);
	for (size_t at = im.starts[1]; at < im.len;) {
		struct spool_block_header h;

		memcpy(&h, im.bytes + at, sizeof(h));
		im.starts[im.starts_len++] = at + sizeof(h);
		at += sizeof(h) + h.packed_bytes;
		if (h.packed_bytes)
			im.starts[im.starts_len++] = at;
	}
	assert_int_equal(im.starts[im.starts_len - 1], im.len);
	spool_free(s);
	return im;
}

static int file_of(const void *bytes, size_t len)
{
	int fd = memfd_create("image", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, bytes, len), len);
	return fd;
}

/* The calls that came before the error, all of them right. */
static uint64_t calls_in(const void *bytes, size_t len, int *ret_rc)
{
	struct err err = {0};
	int fd = file_of(bytes, len);
	uint64_t n = read_back(fd, plain_event, ret_rc, &err);

	close(fd);
	assert_int_equal(err.code, *ret_rc);
	assert_true((*ret_rc < 0) == (err.text[0] != '\0'));
	assert_null(strchr(err.text, '\n'));
	return n;
}

static void a_file_that_is_cut_short(void **state)
{
	struct image im = image_new();
	size_t boundary = 0;
	int rc;

	(void)state;
	for (size_t len = 0; len < im.len; len++) {
		uint64_t n;

		while (im.starts[boundary] < len)
			boundary++;
		/* in the middle of a block one place is as good as another */
		if (len - (boundary ? im.starts[boundary - 1] : 0) > 40 &&
			im.starts[boundary] - len > 2 && len % 53)
			continue;
		n = calls_in(im.bytes, len, &rc);
		assert_int_equal(rc, -EBADMSG);
		assert_true(n % BLOCK == 0 || n == FILE_CALLS);
	}
	assert_int_equal(calls_in(im.bytes, im.len, &rc), FILE_CALLS);
	assert_int_equal(rc, 0);
	free(im.bytes);
}

static void a_file_that_goes_on(void **state)
{
	struct image im = image_new();
	int rc;

	(void)state;
	im.bytes = realloc(im.bytes, im.len + 1);
	im.bytes[im.len] = 0;
	assert_int_equal(calls_in(im.bytes, im.len + 1, &rc), FILE_CALLS);
	assert_int_equal(rc, -EBADMSG);
	free(im.bytes);
}

/* An error, or a bit that zstd does not use: never another call. */
static void a_file_with_a_wrong_bit(void **state)
{
	struct image im = image_new();
	size_t unnoticed = 0;

	(void)state;
	for (size_t i = 0; i < im.len; i++) {
		int rc, bit = 1 << random_of(i) % 8;

		/* Every bit of the headers, one in each few bytes of what is compressed. */
		for (int all = 0; all < 8; all++) {
			int in_header = i < im.starts[1] + 64;

			if (!in_header && (all || i % 5))
				continue;
			bit = in_header ? 1 << all : bit;
			im.bytes[i] = (char)(im.bytes[i] ^ bit);
			if (calls_in(im.bytes, im.len, &rc) == FILE_CALLS && rc == 0)
				unnoticed++;
			im.bytes[i] = (char)(im.bytes[i] ^ bit);
		}
	}
	assert_in_range(unnoticed, 0, 8);
	free(im.bytes);
}

static void files_of_others(void **state)
{
	static const struct {
		size_t at;
		char flip;
		int rc;
		const char *word;
	} rows[] = {
		{0, 1, -EBADMSG, "no file of recorded calls"},
		{offsetof(struct spool_file_header, version), 3, -ENOTSUP, "version 1"},
		{offsetof(struct spool_file_header, byte_order), 1, -ENOTSUP, "byte order"},
		{offsetof(struct spool_file_header, record_bytes), 1, -ENOTSUP, "version 2 ("},
		{offsetof(struct spool_file_header, block_calls), 1, -ENOTSUP, "version 2 ("},
	};
	struct image im = image_new();

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		struct err err = {0};
		int rc, fd;

		im.bytes[rows[i].at] ^= rows[i].flip;
		fd = file_of(im.bytes, im.len);
		assert_int_equal(read_back(fd, plain_event, &rc, &err), 0);
		assert_int_equal(rc, rows[i].rc);
		if (!strstr(err.text, rows[i].word))
			fail_msg("%s: not in: %s", rows[i].word, err.text);
		close(fd);
		im.bytes[rows[i].at] ^= rows[i].flip;
	}
	free(im.bytes);
}

/* ---- files that lie ---- */

/* One block of these records, with all checks right. */
static int file_of_records(const uint8_t *raw, size_t len, uint32_t calls)
{
	static char bytes[1 << 20];
	struct spool_file_header f = {.version = SPOOL_VERSION,
		.byte_order = SPOOL_BYTE_ORDER,
		.record_bytes = SPOOL_RECORD_MAX,
		.block_calls = SPOOL_BLOCK_CALLS};
	struct spool_block_header h = {SPOOL_BLOCK_MARK, calls, (uint32_t)len, 0, 0};
	struct spool_block_header end = {SPOOL_END_MARK, 0, 0, 0, calls};
	size_t at = sizeof(f) + sizeof(h);
	size_t packed = ZSTD_compress(bytes + at, sizeof(bytes) - at, raw, len, 1);

	assert_false(ZSTD_isError(packed));
	memcpy(f.magic, SPOOL_MAGIC, sizeof(f.magic));
	h.packed_bytes = (uint32_t)packed;
	memcpy(bytes, &f, sizeof(f));
	memcpy(bytes + sizeof(f), &h, sizeof(h));
	memcpy(bytes + at + packed, &end, sizeof(end));
	return file_of(bytes, at + packed + sizeof(end));
}

static int read_to_end(int fd, uint32_t *ret_given)
{
	struct spool_reader *r = spool_reader_new(fd);
	struct sys_event ev;
	int rc;

	for (*ret_given = 0; (rc = spool_read(r, &ev, NULL)) > 0; ++*ret_given)
		assert_true(ev.def && ev.outcome <= SYS_NO_RETURN);
	spool_reader_free(r);
	close(fd);
	return rc;
}

/* A record by hand: mask, name, thread, entry, duration, words. */
#define WRITE_CALL 0, 0, 0, 5, 'w', 'r', 'i', 't', 'e', 0, 0, 0

static void records_that_no_call_makes(void **state)
{
	static const struct {
		const char *what;
		uint32_t calls, given;
		int rc;
		uint8_t len, raw[48];
	} rows[] = {
		{"a call", 1, 1, 0, 12, {WRITE_CALL}},
		{"two calls", 2, 2, 0, 18, {WRITE_CALL, 0, 0, 0, 2, 2, 2}},
		{"fewer than said", 3, 1, -EBADMSG, 12, {WRITE_CALL}},
		{"more than said", 1, 0, -EBADMSG, 18, {WRITE_CALL, 0, 0, 0, 2, 2, 2}},
		{"a byte too few", 1, 0, -EBADMSG, 11, {WRITE_CALL}},
		{"a name too far", 2, 1, -EBADMSG, 18, {WRITE_CALL, 0, 0, 2, 0, 0, 0}},
		{"no call's name", 1, 0, -EBADMSG, 10, {0, 0, 0, 3, 'n', 'o', 'n', 0, 0, 0}},
		{"a name without end", 1, 0, -EBADMSG, 12,
			{0, 0, 0, 200, 'r', 'e', 'a', 'd', 0, 0, 0}},
		{"a number's name", 1, 1, 0, 18,
			{0, 0, 0, 11, 's', 'y', 's', 'c', 'a', 'l', 'l', '_', '7', '7', '7', 0, 0,
				0}},
		{"a number without end", 1, 0, -EBADMSG, 13,
			{0, 0, 0, 4, 'r', 'e', 'a', 'd', 255, 255, 255, 255, 255}},
		/* as a difference twice that */
		{"another outcome", 1, 0, -EBADMSG, 12,
			{1, 0, 0, 4, 'r', 'e', 'a', 'd', 0, 0, 0, 6}},
		{"the last outcome", 1, 1, 0, 12, {1, 0, 0, 4, 'r', 'e', 'a', 'd', 0, 0, 0, 4}},
	};

	(void)state;
	for (size_t i = 0; i < COUNT(rows); i++) {
		int fd = file_of_records(rows[i].raw, rows[i].len, rows[i].calls);
		uint32_t given;
		int rc = read_to_end(fd, &given);

		if (rc != rows[i].rc || given != rows[i].given)
			fail_msg("%s: %d after %u", rows[i].what, rc, given);
	}
}

static void random_records(void **state)
{
	static uint8_t raw[4096];

	(void)state;
	for (uint64_t round = 0; round < 2000; round++) {
		size_t len = random_of(round) % sizeof(raw);
		uint32_t given;

		for (size_t i = 0; i < len; i++)
			raw[i] = (uint8_t)(random_of(round * sizeof(raw) + i) >> 20);
		/* so that some get beyond the first name */
		if (round % 2 && len > 16)
			memcpy(raw, (uint8_t[]){WRITE_CALL}, 12);
		for (size_t i = 14; round % 4 == 3 && i < len; i += 8)
			raw[i] = 0;
		read_to_end(file_of_records(raw, len, 1 + (uint32_t)(round % BLOCK)), &given);
		assert_in_range(given, 0, BLOCK);
	}
}

/* ---- the text ---- */

static void no_line_is_shorter_than_the_shortest(void **state)
{
	size_t shortest = SIZE_MAX, without_times = SIZE_MAX;
	struct out o;

	(void)state;
	out_init_mem(&o);
	for (size_t i = 0; i < sys_count(); i++)
		for (int outcome = SYS_RETURNED; outcome <= SYS_NO_RETURN; outcome++) {
			struct sys_event ev = {.def = sys_by_index(i),
				.outcome = (enum outcome)outcome,
				.m = {NOT_MEASURED, NOT_MEASURED, NOT_MEASURED, NOT_MEASURED,
					NOT_MEASURED, NOT_MEASURED, 0, 0, 0}};

			o.len = 0;
			detail_line(&o, &ev, 0);
			shortest = o.len < shortest ? o.len : shortest;
			o.len = 0;
			detail_line(&o, &ev, DETAIL_NO_TIMES);
			without_times = o.len < without_times ? o.len : without_times;
		}
	assert_int_equal(shortest, DETAIL_LINE_MIN);
	assert_int_equal(without_times, DETAIL_LINE_MIN_NO_TIMES);
	out_release(&o);
}

/* Every call has its line, over many writes of the text. */
static void the_text_has_all_calls(void **state)
{
	struct spool *s = spool_of(UINT64_MAX);
	struct out expect, o;
	struct detail_text text;

	(void)state;
	out_init_mem(&expect);
	out_init_mem(&o);
	for (uint64_t i = 0; i < FILE_CALLS; i++) {
		struct sys_event ev = wild_event(i);

		detail_line(&expect, &ev, 77);
	}
	add(s, wild_event, FILE_CALLS);
	assert_int_equal(detail_render(s, &o, UINT64_MAX, 77, &text, NULL), 0);
	assert_int_equal(text.lines, FILE_CALLS);
	assert_int_equal(text.bytes, expect.len);
	assert_string_equal(out_text(&o), out_text(&expect));
	out_release(&o);
	out_release(&expect);
	spool_free(s);
}

/* A file that gets full, at many places: what is counted is what is there in whole lines. */
static void a_text_that_gets_full(void **state)
{
	(void)state;
	for (rlim_t limit = 0; limit < 400000; limit = limit * 2 + 77) {
		struct spool *s = spool_of(UINT64_MAX);
		int fd = memfd_create("text", MFD_CLOEXEC), rc;
		struct detail_text text;
		struct err err = {0};
		struct rlimit before;
		uint64_t lines = 0;
		struct out o;
		char c;

		add(s, plain_event, FILE_CALLS);
		assert_int_equal(spool_finish(s, NULL), 0);
		out_init(&o, fd);
		limit_files(limit, &before);
		rc = detail_render(s, &o, UINT64_MAX, 0, &text, &err);
		setrlimit(RLIMIT_FSIZE, &before);
		out_release(&o);
		assert_int_equal(rc, text.lines == FILE_CALLS ? 0 : -EFBIG);
		assert_true((rc < 0) == (strstr(err.text, "File too large") != NULL));
		for (uint64_t i = 0; i < text.bytes; i++) {
			assert_int_equal(pread(fd, &c, 1, (off_t)i), 1);
			lines += c == '\n';
		}
		assert_int_equal(lines, text.lines);
		assert_true(!text.bytes || c == '\n');
		assert_true(text.lines == FILE_CALLS || limit - text.bytes < 100);
		close(fd);
		spool_free(s);
	}
}

/* The spool's disk is full, the text's is not: the text has what could be kept. */
static void a_spool_that_got_full_is_rendered(void **state)
{
	struct spool *s = spool_of(UINT64_MAX);
	struct detail_text text;
	struct err err = {0};
	struct rlimit before;
	struct out o;

	(void)state;
	out_init_mem(&o);
	limit_files(1000000, &before);
	add(s, wild_event, 20 * BLOCK);
	assert_int_equal(spool_finish(s, NULL), -EFBIG);
	setrlimit(RLIMIT_FSIZE, &before);
	assert_int_equal(detail_render(s, &o, UINT64_MAX, 0, &text, &err), -EFBIG);
	assert_non_null(strstr(err.text, "temporary file"));
	assert_in_range(text.lines, BLOCK, 20 * BLOCK - 1);
	assert_int_equal(text.bytes, o.len);
	out_release(&o);
	spool_free(s);
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_line_comes_back),
		cmocka_unit_test(the_row_need_not_be_the_numbers),
		cmocka_unit_test(no_more_than_asked_is_taken),
		cmocka_unit_test(a_slow_writer_is_waited_for),
		cmocka_unit_test(plain_calls_are_small),
		cmocka_unit_test(what_is_not_shown_takes_no_room),
		cmocka_unit_test(an_unfinished_spool_can_be_freed),
		cmocka_unit_test(the_file_has_no_name),
		cmocka_unit_test(a_directory_that_takes_no_file_is_named),
		cmocka_unit_test(no_signal_reaches_the_writer),
		cmocka_unit_test(a_file_size_limit),
		cmocka_unit_test(no_room_at_all),
		cmocka_unit_test(a_full_file_system),
		cmocka_unit_test(a_file_that_is_cut_short),
		cmocka_unit_test(a_file_that_goes_on),
		cmocka_unit_test(a_file_with_a_wrong_bit),
		cmocka_unit_test(files_of_others),
		cmocka_unit_test(records_that_no_call_makes),
		cmocka_unit_test(random_records),
		cmocka_unit_test(no_line_is_shorter_than_the_shortest),
		cmocka_unit_test(the_text_has_all_calls),
		cmocka_unit_test(a_text_that_gets_full),
		cmocka_unit_test(a_spool_that_got_full_is_rendered),
	};

	signal(SIGXFSZ, SIG_IGN);
	return cmocka_run_group_tests(tests, NULL, NULL);
}

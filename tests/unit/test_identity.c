/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * What calls do to files tables, told in the order of their ends, and what they are about. The test
 * process is its own target where a name is read.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/in.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tracer/fd/identity.h"

struct fixture {
	struct identity *id;
	struct caller caller;
	uint64_t now;
};

static int set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	x->id = identity_new(100);
	x->caller = (struct caller){files_new(identity_registry(x->id)), getpid(), getpid()};
	*state = x;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *x = *state;

	files_unref(x->caller.files);
	identity_free(x->id);
	free(x);
	return 0;
}

/* The call, after all others; its fd id. */
static uint32_t tell(struct fixture *x, const char *name, const uint64_t args[4], int64_t ret,
	const struct said *said)
{
	const struct file *file;
	struct sys_event ev = {.def = sys_by_name(name), .ret = ret, .outcome = SYS_RETURNED};

	assert_non_null(ev.def);
	if (args)
		memcpy(ev.args, args, 4 * sizeof(*args));
	ev.entry_ns = x->now += 10;
	ev.exit_ns = x->now += 5;
	identity_call(x->id, &x->caller, &ev, 1, said, &file);
	return ev.fd_id;
}

#define ARGS(...) ((const uint64_t[4]){__VA_ARGS__})
#define HERE      ((uint64_t)(int64_t)AT_FDCWD)

static const char *target_of(struct fixture *x, uint32_t fd_id)
{
	const struct fd_info *info = fd_registry_get(identity_registry(x->id), fd_id);

	return info ? info->file->target : NULL;
}

static uint32_t writes_to(struct fixture *x, uint64_t fd)
{
	return tell(x, "write", ARGS(fd, 0, 1, 0), 1, NULL);
}

static struct said path(const char *text)
{
	return (struct said){.bytes = text, .len = strlen(text)};
}

static void files_that_come_and_go(void **state)
{
	struct fixture *x = *state;
	struct said first = path("/etc/passwd"), second = path("/a");
	uint32_t a, b;

	files_state(x->caller.files)->recorded = 1;
	tell(x, "openat", ARGS(HERE), 900, &first);
	a = writes_to(x, 900);
	assert_int_equal(writes_to(x, 900), a);
	tell(x, "close", ARGS(900), 0, NULL);
	tell(x, "socket", ARGS(AF_INET, SOCK_DGRAM, 0), 900, NULL);
	b = tell(x, "sendmsg", ARGS(900), 1, NULL);
	assert_int_not_equal(a, b);
	assert_string_equal(target_of(x, a), "/etc/passwd");
	assert_string_equal(target_of(x, b), "udp");
	tell(x, "dup2", ARGS(900, 901), 901, NULL);
	a = writes_to(x, 901);
	assert_string_equal(target_of(x, a), "udp");
	tell(x, "dup2", ARGS(901, 901), 901, NULL); /* closes nothing */
	assert_int_equal(writes_to(x, 901), a);
	assert_int_equal(tell(x, "sendmsg", ARGS(900), 1, NULL), b);
	tell(x, "open", ARGS(0), 902, &second);
	tell(x, "close_range", ARGS(900, 902, 4), 0, NULL); /* CLOEXEC: closes nothing */
	assert_int_equal(tell(x, "sendmsg", ARGS(900), 1, NULL), b);
	tell(x, "close_range", ARGS(900, 901), 0, NULL);
	assert_int_not_equal(writes_to(x, 900), b);
	assert_string_equal(target_of(x, writes_to(x, 902)), "/a");
}

static void closes_that_fail(void **state)
{
	static const struct {
		const char *name;
		int64_t ret;
		int closes;
	} rows[] = {{"close", 0, 1}, {"close", -EBADF, 0}, {"close", -EINTR, 1}, {"close", -EIO, 1},
		{"dup2", -EBADF, 0}, {"dup3", -EINVAL, 0}, {"dup2", 900, 1},
		{"close_range", -EINVAL, 0}};
	struct fixture *x = *state;

	files_state(x->caller.files)->recorded = 1;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		int dup2 = *rows[i].name == 'd';
		uint32_t before = writes_to(x, 900);

		tell(x, rows[i].name, ARGS(dup2 ? 5 : 900, 900), rows[i].ret, NULL);
		assert_int_equal(writes_to(x, 900) != before, rows[i].closes);
	}
}

static void what_calls_say(void **state)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = 0x3500, .sin_addr.s_addr = 0x0100007f};
	struct said address = {.bytes = &at, .len = sizeof(at)}, pair = {.pair = {910, 911}};
	struct fixture *x = *state;
	struct said relative = path("./x.h"), folder = path("/usr"), under = path("y.h");
	struct said queue = path("queue");

	files_state(x->caller.files)->recorded = 1;
	tell(x, "socket", ARGS(AF_INET, SOCK_DGRAM, 0), 900, NULL);
	tell(x, "bind", ARGS(900), 0, &address);
	assert_string_equal(target_of(x, writes_to(x, 900)), "udp 127.0.0.1:53");
	tell(x, "connect", ARGS(900), -EINPROGRESS, &address);
	assert_string_equal(target_of(x, writes_to(x, 900)), "udp 127.0.0.1:53 -> 127.0.0.1:53");
	tell(x, "connect", ARGS(900), -EINVAL, NULL);
	tell(x, "accept4", ARGS(900), 901, &address);
	assert_string_equal(target_of(x, writes_to(x, 901)), "udp 127.0.0.1:53 -> 127.0.0.1:53");
	tell(x, "pipe2", ARGS(0), 0, &pair);
	assert_string_equal(target_of(x, writes_to(x, 911)), "pipe");
	tell(x, "socketpair", ARGS(AF_UNIX, SOCK_STREAM, 0), 0, &pair);
	assert_string_equal(target_of(x, writes_to(x, 910)), "unix stream");
	tell(x, "fcntl", ARGS(910, F_DUPFD_CLOEXEC, 0), 920, NULL);
	assert_string_equal(target_of(x, writes_to(x, 920)), "unix stream");
	tell(x, "fcntl", ARGS(910, F_GETFL, 0), 921, NULL);
	assert_null(target_of(x, writes_to(x, 921)));
	tell(x, "openat", ARGS(HERE), 930, &relative);
	assert_non_null(strstr(target_of(x, writes_to(x, 930)), "/x.h"));
	assert_int_equal(*target_of(x, writes_to(x, 930)), '/');
	assert_null(strstr(target_of(x, writes_to(x, 930)), "./"));
	tell(x, "openat", ARGS(HERE), 931, &folder);
	tell(x, "openat", ARGS(931), 932, &under);
	assert_string_equal(target_of(x, writes_to(x, 932)), "/usr/y.h");
	tell(x, "socket", ARGS(AF_UNIX, SOCK_RAW, 0), 935, NULL); /* the kernel makes it one */
	assert_string_equal(target_of(x, writes_to(x, 935)), "unix dgram");
	tell(x, "mq_open", ARGS(0), 936, &queue);
	assert_string_equal(target_of(x, writes_to(x, 936)), "/queue");
	tell(x, "memfd_create", ARGS(0), 937, &queue);
	assert_string_equal(target_of(x, writes_to(x, 937)), "/memfd:queue (deleted)");
	tell(x, "open_tree", ARGS(HERE), 938, &folder);
	assert_string_equal(target_of(x, writes_to(x, 938)), "/usr");
	tell(x, "eventfd2", ARGS(0), 933, NULL);
	assert_string_equal(target_of(x, writes_to(x, 933)), "anon_inode:[eventfd]");
	tell(x, "openat", ARGS(HERE), 934, NULL); /* could not be read */
	assert_null(target_of(x, writes_to(x, 934)));
}

static void calls_about_no_fd(void **state)
{
	struct fixture *x = *state;

	files_state(x->caller.files)->recorded = 1;
	assert_int_equal(tell(x, "write", ARGS(900, 0, 1), -EBADF, NULL), 0);
	assert_int_equal(tell(x, "write", ARGS((uint64_t)-1, 0, 1), -EBADF, NULL), 0);
	assert_int_not_equal(tell(x, "write", ARGS(900, 0, 1), -EAGAIN, NULL), 0);
	/* Nor can one know of these that the kernel has looked at the number. */
	assert_int_equal(tell(x, "pread64", ARGS(901, 0, 1, (uint64_t)-1), -EINVAL, NULL), 0);
	assert_int_equal(tell(x, "recvmmsg", ARGS(901, 0, 1), -EFAULT, NULL), 0);
	/* A registered ring's number is an index. */
	assert_int_equal(tell(x, "io_uring_enter", ARGS(0, 1, 0, 16), 1, NULL), 0);
	assert_int_not_equal(tell(x, "io_uring_enter", ARGS(4, 1, 0, 0), 1, NULL), 0);
	/* The kernel looks at the number of a mapping of a file only: here it is 0. */
	assert_int_equal(
		tell(x, "mmap", ARGS(0, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS), 4096, NULL),
		0);
	assert_int_not_equal(tell(x, "mmap", ARGS(0, 4096, PROT_READ, MAP_PRIVATE), 4096, NULL), 0);
}

/* A path that is a number of one's own: the file is that which the number was then. */
static void a_number_as_a_path(void **state)
{
	static const char *const ways[] = {
		"/proc/self/fd/900", "/proc/thread-self/fd/900", "/dev/fd/900"};
	struct said first = path("/a"), second = path("/b"), in = path("/dev/stdin");
	struct said other = path("/proc/self/fd/900/x");
	struct fixture *x = *state;

	files_state(x->caller.files)->recorded = 1;
	tell(x, "openat", ARGS(HERE), 0, &first);
	for (size_t i = 0; i < sizeof(ways) / sizeof(*ways); i++) {
		struct said said = path(ways[i]);

		tell(x, "openat", ARGS(HERE), 900, &first);
		tell(x, "openat", ARGS(HERE), 901, &said);
		tell(x, "close", ARGS(900), 0, NULL);
		tell(x, "openat", ARGS(HERE), 900, &second);
		assert_string_equal(target_of(x, writes_to(x, 901)), "/a");
	}
	tell(x, "openat", ARGS(HERE), 901, &in);
	assert_string_equal(target_of(x, writes_to(x, 901)), "/a");
	tell(x, "openat", ARGS(HERE), 901, &other);
	assert_string_equal(target_of(x, writes_to(x, 901)), other.bytes);
}

/* ---- names ---- */

static int touched_number = -1;

static void begin(void *ctx)
{
	(void)ctx;
}

static int touched(void *ctx, const struct files *files, uint32_t fd)
{
	(void)ctx;
	(void)files;
	return (int)fd == touched_number;
}

static const struct identity_check check = {begin, touched, NULL};

static void names_are_read_while_the_number_is_the_same(void **state)
{
	struct fixture *x = *state;
	struct said wrong = path("/as/said");
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	uint32_t id;

	files_state(x->caller.files)->recorded = 1;
	tell(x, "openat", ARGS(HERE), fd, &wrong);
	id = writes_to(x, (uint64_t)fd);
	assert_string_equal(target_of(x, id), "/as/said");
	touched_number = fd;
	identity_read_names(x->id, &check);
	assert_string_equal(target_of(x, id), "/as/said");
	touched_number = -1;
	files_state(x->caller.files)->busy = 1;
	identity_read_names(x->id, &check);
	assert_string_equal(target_of(x, id), "/as/said");
	files_state(x->caller.files)->busy = 0;
	identity_read_names(x->id, &check);
	assert_string_equal(target_of(x, id), "/dev/null");
	/* Gone: what was said stays. */
	tell(x, "close", ARGS((uint64_t)fd), 0, NULL);
	tell(x, "openat", ARGS(HERE), fd, &wrong);
	id = writes_to(x, (uint64_t)fd);
	tell(x, "close", ARGS((uint64_t)fd), 0, NULL);
	identity_read_names(x->id, &check);
	assert_string_equal(target_of(x, id), "/as/said");
	close(fd);
}

/* It goes on to another peer after its name was read, and is closed before that is read again. */
static void a_peer_after_the_name(void **state)
{
	struct sockaddr_in at = {
		.sin_family = AF_INET, .sin_port = 0x3500, .sin_addr.s_addr = 0x0100007f};
	struct said address = {.bytes = &at, .len = sizeof(at)};
	struct sockaddr none = {.sa_family = AF_UNSPEC};
	struct said nobody = {.bytes = &none, .len = sizeof(none)};
	struct fixture *x = *state;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	uint32_t id;

	assert_int_equal(connect(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	for (int i = 0; i < 2; i++) {
		files_state(x->caller.files)->recorded = 1;
		tell(x, "socket", ARGS(AF_INET, SOCK_DGRAM, 0), fd, NULL);
		id = writes_to(x, (uint64_t)fd);
		identity_read_names(x->id, &check);
		assert_non_null(strstr(target_of(x, id), " -> 127.0.0.1:53"));
		at.sin_port = 0x3600;
		tell(x, "connect", ARGS((uint64_t)fd), 0, i ? &nobody : &address);
		tell(x, "close", ARGS((uint64_t)fd), 0, NULL);
		identity_read_names(x->id, &check);
		assert_string_equal(i ? "" : " -> 127.0.0.1:54",
			strstr(target_of(x, id), " -> ") ? strstr(target_of(x, id), " -> ") : "");
	}
	close(fd);
}

/* Numbers of one socket, known before anybody has looked at it: what is set by one is set for all,
 * in the copy of the table that a child has, too. */
static void a_socket_of_many_numbers_is_one(void **state)
{
	struct fixture *x = *state;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0), again = dup(fd);
	struct files *copy;

	files_state(x->caller.files)->recorded = 1;
	tell(x, "socket", ARGS(AF_INET, SOCK_DGRAM, 0), fd, NULL);
	tell(x, "dup", ARGS((uint64_t)fd), again, NULL);
	copy = files_copy(x->caller.files);
	identity_set_gso(x->id, &x->caller, (uint32_t)fd, 100);
	assert_int_equal(files_open(x->caller.files, (uint32_t)again)->file->gso_size, 100);
	assert_int_equal(files_open(copy, (uint32_t)again)->file->gso_size, 100);
	identity_set_gso(x->id, &x->caller, (uint32_t)again, 200);
	assert_int_equal(files_open(copy, (uint32_t)fd)->file->gso_size, 200);
	files_unref(copy);
	close(again);
	close(fd);
}

/* One that waits to be killed, with a root of its own; 0: it may not have one. */
static pid_t another_process(const char *root)
{
	int ready[2];
	char how = 0;
	pid_t pid;

	assert_int_equal(pipe(ready), 0);
	pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		how = !root || (chroot(root) == 0 && chdir("/") == 0);
		if (write(ready[1], &how, 1) == 1 && how)
			pause();
		_exit(0);
	}
	assert_int_equal(read(ready[0], &how, 1), 1);
	close(ready[0]);
	close(ready[1]);
	if (how)
		return pid;
	waitpid(pid, NULL, 0);
	return 0;
}

static void end_process(pid_t pid)
{
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

static const char *name_of_gone(struct fixture *x, const char *text)
{
	struct said said = path(text);
	uint32_t id;

	tell(x, "openat", ARGS(HERE), 950, &said);
	id = writes_to(x, 950);
	tell(x, "close", ARGS(950), 0, NULL);
	identity_read_names(x->id, &check);
	return target_of(x, id);
}

/* The file is gone: links in what was said are the target's, never ours. */
static void links_lead_where_they_led_the_target(void **state)
{
	char root[] = "/tmp/test_identity.XXXXXX", link[64], file[64], own[64];
	struct fixture *x = *state;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	files_state(x->caller.files)->recorded = 1;
	assert_non_null(mkdtemp(root));
	snprintf(link, sizeof(link), "%s/link", root);
	snprintf(file, sizeof(file), "%s/file", root);
	assert_int_equal(symlink("/file", link), 0);
	close(open(file, O_CREAT | O_CLOEXEC, 0600));
	x->caller.pid = x->caller.tid = another_process(root);
	if (x->caller.pid) {
		assert_string_equal(name_of_gone(x, "/link"), file);
		end_process(x->caller.pid);
	}
	x->caller.pid = x->caller.tid = another_process(NULL);
	assert_int_equal(fcntl(fd, F_DUPFD_CLOEXEC, 960), 960); /* ours, not the target's */
	assert_string_equal(name_of_gone(x, "/dev/fd/960"), "/dev/fd/960");
	snprintf(own, sizeof(own), "%s/own", root);
	assert_int_equal(symlink("/proc/self/fd/960", own), 0);
	assert_string_equal(name_of_gone(x, own), own);
	end_process(x->caller.pid);
	close(960);
	close(fd);
	unlink(own);
	unlink(link);
	unlink(file);
	rmdir(root);
}

static void names_at_a_stop(void **state)
{
	struct fixture *x = *state;
	struct sys_event ev = {.def = sys_by_name("read")};
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct life *life;

	ev.args[0] = (uint64_t)fd;
	life = identity_entry(x->id, &x->caller, &ev);
	assert_string_equal(life->file->target, "/dev/null");
	/* While a close is under way the number may be another file's already. */
	files_closing(x->caller.files, (uint32_t)fd, (uint32_t)fd, 1);
	close(fd);
	assert_int_equal(open("/dev/zero", O_RDONLY | O_CLOEXEC), fd);
	life = identity_entry(x->id, &x->caller, &ev);
	assert_string_equal(life->file->target, "/dev/zero");
	/* One of many numbers, too. */
	files_closing(x->caller.files, (uint32_t)fd, (uint32_t)fd, -1);
	assert_string_equal(identity_entry(x->id, &x->caller, &ev)->file->target, "/dev/zero");
	files_closing(x->caller.files, 3, UINT32_MAX, 1);
	close(fd);
	assert_int_equal(open("/dev/full", O_RDONLY | O_CLOEXEC), fd);
	assert_string_equal(identity_entry(x->id, &x->caller, &ev)->file->target, "/dev/full");
	files_closing(x->caller.files, 3, UINT32_MAX, -1);
	close(fd);
	assert_null(identity_entry(x->id, &x->caller, &ev));
}

static void a_table_is_looked_at_before_it_is_recorded(void **state)
{
	struct fixture *x = *state;
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);

	identity_begin(x->id, &x->caller);
	assert_true(files_state(x->caller.files)->recorded);
	assert_string_equal(files_open(x->caller.files, (uint32_t)fd)->file->target, "/dev/null");
	close(fd);
}

/* As a fork does it: what is known need not be looked for, but for a name that is not read yet. */
static void a_copy_of_a_recorded_table_is_whole(void **state)
{
	struct fixture *x = *state;
	struct said said = path("/as/said");
	int fd = open("/dev/null", O_RDONLY | O_CLOEXEC), unseen;
	struct files *whole, *not_whole;

	identity_begin(x->id, &x->caller);
	tell(x, "openat", ARGS(HERE), 900, &said);
	tell(x, "dup2", ARGS(900, (uint64_t)fd), fd, NULL);
	unseen = fcntl(fd, F_DUPFD_CLOEXEC, 500);
	whole = files_copy(x->caller.files);
	not_whole = files_copy(x->caller.files);
	files_unref(x->caller.files);
	files_state(not_whole)->whole = 0;
	for (int i = 0; i < 2; i++) {
		x->caller.files = i ? not_whole : whole;
		assert_false(files_state(x->caller.files)->recorded);
		identity_begin(x->id, &x->caller);
		assert_true(files_state(x->caller.files)->recorded);
		assert_string_equal(
			files_open(x->caller.files, (uint32_t)fd)->file->target, "/dev/null");
		assert_int_equal(files_open(x->caller.files, (uint32_t)unseen) != NULL, i);
	}
	files_unref(whole);
	close(unseen);
	close(fd);
}

static void closers(void **state)
{
	static const struct {
		const char *name;
		uint64_t args[2];
		int closes;
		uint32_t first, last;
	} rows[] = {{"close", {5}, 1, 5, 5}, {"dup2", {5, 6}, 1, 6, 6}, {"dup2", {6, 6}, 0, 0, 0},
		{"dup3", {5, 7}, 1, 7, 7}, {"close_range", {3, UINT32_MAX}, 1, 3, UINT32_MAX},
		{"openat", {5}, 0, 0, 0}, {"write", {5}, 0, 0, 0}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct sys_event ev = {.def = sys_by_name(rows[i].name)};
		uint32_t first, last;

		memcpy(ev.args, rows[i].args, sizeof(rows[i].args));
		assert_int_equal(identity_closing(&ev, &first, &last), rows[i].closes);
		if (!rows[i].closes)
			continue;
		assert_int_equal(first, rows[i].first);
		assert_int_equal(last, rows[i].last);
	}
}

/* A record can say any: what the kernel has no room for was never open. */
static void numbers_that_cannot_be(void **state)
{
	struct fixture *x = *state;
	const struct said said = path("/etc/passwd");
	const uint64_t far = INT32_MAX;
	int top = fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 1500);

	files_state(x->caller.files)->recorded = 1;
	assert_int_equal(writes_to(x, far), 0);
	tell(x, "openat", ARGS(HERE), (int64_t)far, &said);
	tell(x, "dup", ARGS(0), (int64_t)far - 1, NULL);
	tell(x, "dup", ARGS(far - 2), 5, NULL);
	assert_null(files_open(x->caller.files, (uint32_t)far));
	assert_null(files_open(x->caller.files, (uint32_t)far - 1));
	assert_null(files_open(x->caller.files, 5));
	/* The table has grown, and is asked for as often as that may be. */
	if (top < 0)
		skip();
	assert_int_not_equal(writes_to(x, (uint64_t)top), 0);
	for (uint64_t i = 0; i < 100; i++)
		assert_int_equal(writes_to(x, far - i), 0);
	assert_int_not_equal(writes_to(x, (uint64_t)top), 0);
	close(top);
	/* Of a thread that is gone nothing is known. */
	files_unref(x->caller.files);
	x->caller.files = files_new(identity_registry(x->id));
	x->caller.tid = INT32_MAX;
	files_state(x->caller.files)->recorded = 1;
	assert_int_not_equal(writes_to(x, far), 0);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH(files_that_come_and_go),
		WITH(closes_that_fail),
		WITH(what_calls_say),
		WITH(calls_about_no_fd),
		WITH(a_number_as_a_path),
		WITH(names_are_read_while_the_number_is_the_same),
		WITH(a_peer_after_the_name),
		WITH(a_socket_of_many_numbers_is_one),
		WITH(links_lead_where_they_led_the_target),
		WITH(names_at_a_stop),
		WITH(a_table_is_looked_at_before_it_is_recorded),
		WITH(a_copy_of_a_recorded_table_is_whole),
		WITH(numbers_that_cannot_be),
		cmocka_unit_test(closers),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

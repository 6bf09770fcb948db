/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/cleanup.h"
#include "tracer/fast/layout.h"
#include "tracer/files.h"

#define CLOSED_FD 9999U

/* The test process is its own target: its fds are real. */
struct fixture {
	struct fd_registry *registry;
	struct files *files;
	int fds[2];
};

static int set_up(void **state)
{
	struct fixture *x = calloc(1, sizeof(*x));

	if (!x || pipe2(x->fds, O_CLOEXEC) < 0)
		return -1;
	x->registry = fd_registry_new(100);
	x->files = files_new(x->registry);
	*state = x;
	return 0;
}

static int tear_down(void **state)
{
	struct fixture *x = *state;

	files_unref(x->files);
	fd_registry_free(x->registry);
	close(x->fds[0]);
	close(x->fds[1]);
	free(x);
	return 0;
}

static uint32_t identify(struct files *f, int fd)
{
	return files_identify(f, getpid(), getpid(), (uint32_t)fd, 1);
}

/* ---- generations ---- */

static void an_fd_is_described_once(void **state)
{
	struct fixture *x = *state;
	const struct fd_info *info;

	assert_int_equal(identify(x->files, x->fds[0]), 1);
	assert_int_equal(identify(x->files, x->fds[1]), 2);
	assert_int_equal(identify(x->files, x->fds[0]), 1);
	info = fd_registry_get(x->registry, 1);
	assert_non_null(info);
	assert_int_equal(info->pid, getpid());
	assert_int_equal(info->fd, x->fds[0]);
	assert_int_equal(info->generation, 0);
	assert_memory_equal(info->target, "pipe:[", 6);
	assert_null(fd_registry_get(x->registry, 0));
	assert_null(fd_registry_get(x->registry, 3));
}

static void what_is_not_open_has_no_id(void **state)
{
	struct fixture *x = *state;
	uint32_t id;

	assert_int_equal(identify(x->files, (int)CLOSED_FD), 0);
	assert_false(files_known(x->files, CLOSED_FD));
	id = files_identify(x->files, getpid(), getpid(), CLOSED_FD, 0);
	assert_int_equal(id, 1);
	assert_null(fd_registry_get(x->registry, id)->target);
}

/* What happens to one number, and the generation and whether it has an id after it. */
enum step { END, USE, BEGIN, CLOSED, FAILED, RANGE, RANGE_BELOW };

static const struct {
	const char *title;
	enum step steps[9];
	uint32_t generation;
	int has_id;
} histories[] = {
	{"used", {USE}, 0, 1},
	{"never seen, closed", {BEGIN, CLOSED}, 0, 0},
	{"closed", {USE, BEGIN, CLOSED}, 1, 0},
	{"closed and used again", {USE, BEGIN, CLOSED, USE}, 1, 1},
	{"used while it closes", {USE, BEGIN, USE, CLOSED}, 2, 0},
	{"used while it closes and after", {USE, BEGIN, USE, CLOSED, USE}, 2, 1},
	{"closed unused", {USE, BEGIN, CLOSED, BEGIN, CLOSED}, 1, 0},
	{"closed unused, used again", {USE, BEGIN, CLOSED, BEGIN, CLOSED, USE}, 1, 1},
	{"close fails", {USE, BEGIN, FAILED}, 0, 1},
	{"close fails, used again", {USE, BEGIN, FAILED, USE}, 0, 1},
	{"close of what is closed fails", {USE, BEGIN, CLOSED, BEGIN, FAILED, USE}, 1, 1},
	{"close fails, used meanwhile: a row is split, no more", {USE, BEGIN, USE, FAILED}, 1, 1},
	{"two at a time, one fails first", {USE, BEGIN, BEGIN, FAILED, CLOSED, USE}, 1, 1},
	{"two at a time, one fails last", {USE, BEGIN, BEGIN, CLOSED, FAILED, USE}, 1, 1},
	{"two at a time, used between", {USE, BEGIN, BEGIN, CLOSED, USE, CLOSED}, 2, 0},
	{"two at a time fail", {USE, BEGIN, BEGIN, FAILED, FAILED, USE}, 0, 1},
	{"an end without a begin", {USE, CLOSED}, 0, 1},
	{"two ends", {USE, BEGIN, CLOSED, USE, CLOSED}, 1, 1},
	{"closed twice", {USE, BEGIN, CLOSED, USE, BEGIN, CLOSED}, 2, 0},
	{"in a range", {USE, RANGE}, 1, 0},
	{"below a range", {USE, RANGE_BELOW}, 0, 1},
	{"range while it closes", {USE, BEGIN, RANGE, CLOSED}, 1, 0},
	{"range while it fails to close", {USE, BEGIN, RANGE, FAILED}, 1, 0},
};

static void do_step(struct files *f, int number, enum step step)
{
	uint32_t fd = (uint32_t)number;

	switch (step) {
	case USE:
		assert_int_not_equal(identify(f, number), 0);
		break;
	case BEGIN:
		files_close_begin(f, fd);
		break;
	case CLOSED:
	case FAILED:
		files_close_end(f, fd, step == CLOSED);
		break;
	case RANGE:
		files_close_range(f, fd, UINT32_MAX);
		break;
	default:
		files_close_range(f, fd + 1, UINT32_MAX);
	}
}

static void generations(void **state)
{
	struct fixture *x = *state;

	for (size_t i = 0; i < sizeof(histories) / sizeof(*histories); i++) {
		struct files *f = files_new(x->registry);
		const struct fd_state *st;

		print_message("# %s\n", histories[i].title);
		for (const enum step *s = histories[i].steps; *s; s++)
			do_step(f, x->fds[0], *s);
		st = files_get(f, (uint32_t)x->fds[0]);
		assert_int_equal(st->generation, histories[i].generation);
		assert_int_equal(st->fd_id != 0, histories[i].has_id);
		files_unref(f);
	}
}

static void a_generation_has_an_id_of_its_own(void **state)
{
	struct fixture *x = *state;
	uint32_t first = identify(x->files, x->fds[0]), second;

	files_set_options(x->files, (uint32_t)x->fds[0], &(struct fd_options){1400, 1});
	files_close_begin(x->files, (uint32_t)x->fds[0]);
	files_close_end(x->files, (uint32_t)x->fds[0], 1);
	assert_int_equal(files_options(x->files, (uint32_t)x->fds[0]).gso_size, 0);
	assert_int_equal(files_options(x->files, (uint32_t)x->fds[0]).gro, 0);
	second = identify(x->files, x->fds[0]);
	/* What was recorded on the first is measured as it was. */
	assert_int_equal(fd_registry_get(x->registry, first)->options.gso_size, 1400);
	assert_int_equal(fd_registry_get(x->registry, second)->options.gso_size, 0);
	assert_int_not_equal(first, second);
	assert_int_equal(fd_registry_get(x->registry, first)->generation, 0);
	assert_int_equal(fd_registry_get(x->registry, second)->generation, 1);
}

/* The highest number that there is, and the ends of a range. */
static void extreme_numbers(void **state)
{
	struct fixture *x = *state;

	for (int i = 0; i < 3; i++)
		assert_int_not_equal(files_identify(x->files, getpid(), getpid(),
					     (const uint32_t[]){0, 7, UINT32_MAX}[i], 0),
			0);
	files_close_range(x->files, 7, 7);
	assert_int_equal(files_get(x->files, 7)->generation, 1);
	files_close_range(x->files, 0, 0);
	assert_int_equal(files_get(x->files, 0)->generation, 1);
	assert_int_equal(files_get(x->files, 7)->generation, 1);
	files_close_range(x->files, 8, UINT32_MAX);
	assert_int_equal(files_get(x->files, UINT32_MAX)->generation, 1);
	assert_int_equal(files_get(x->files, 7)->generation, 1);
	files_close_range(x->files, 9, 3);
	assert_int_equal(files_get(x->files, 7)->generation, 1);
}

/* ---- tables ---- */

static void a_copy_is_a_table_of_its_own(void **state)
{
	struct fixture *x = *state;
	uint32_t fd = (uint32_t)x->fds[0], id = identify(x->files, x->fds[0]);
	struct files *copy;

	files_close_begin(x->files, fd);
	files_close_end(x->files, fd, 1);
	files_set_options(x->files, fd, &(struct fd_options){.gso_size = 1200});
	identify(x->files, x->fds[0]);
	copy = files_copy(x->files);
	assert_int_equal(files_get(copy, fd)->generation, 1);
	assert_int_equal(files_options(copy, fd).gso_size, 1200);
	assert_int_equal(files_get(copy, fd)->fd_id, 0);
	assert_int_not_equal(identify(copy, x->fds[0]), id);
	files_close_begin(copy, fd);
	files_close_end(copy, fd, 1);
	assert_int_equal(files_get(x->files, fd)->generation, 1);
	assert_int_equal(files_get(copy, fd)->generation, 2);
	files_unref(copy);
}

/* Closed before the exec, as CLOEXEC would have it. */
static void exec_forgets_what_is_closed(void **state)
{
	for (int shared = 0; shared < 2; shared++) {
		struct fixture *x = *state;
		int closed = dup(x->fds[1]);
		struct files *f = files_new(x->registry), *own;
		uint32_t id = identify(f, x->fds[0]);

		identify(f, closed);
		close(closed);
		if (shared)
			files_ref(f);
		own = files_copy_exec(f, getpid());
		files_unref(f);
		assert_int_equal(files_get(own, (uint32_t)closed)->generation, 1);
		assert_int_equal(files_get(own, (uint32_t)closed)->fd_id, 0);
		assert_int_equal(files_get(own, (uint32_t)x->fds[0])->generation, 0);
		assert_int_equal(files_get(own, (uint32_t)x->fds[0])->fd_id, shared ? 0 : id);
		if (shared) { /* the others go on as they were */
			assert_ptr_not_equal(own, f);
			assert_int_equal(files_get(f, (uint32_t)closed)->generation, 0);
			files_unref(f);
		}
		files_unref(own);
	}
}

static void the_registry_has_a_cap(void **state)
{
	struct fixture *x = *state;
	struct fd_registry *small = fd_registry_new(2);
	struct files *f = files_new(small);

	for (uint32_t i = 0; i < 5; i++) {
		uint32_t id = identify(f, x->fds[0]);

		assert_int_equal(id, i < 2 ? i + 1 : 3);
		assert_int_equal(fd_registry_get(small, id) != NULL, i < 2);
		files_close_begin(f, (uint32_t)x->fds[0]);
		files_close_end(f, (uint32_t)x->fds[0], 1);
	}
	files_unref(f);
	fd_registry_free(small);
	files_unref(NULL);
	fd_registry_free(NULL);
}

/* ---- the map that the recorder in the target reads and clears ---- */

static void keep_map(void *ctx, uint32_t *at)
{
	(void)ctx;
	(void)at;
}

static void a_known_number_is_in_the_map(void **state)
{
	struct fixture *x = *state;
	uint32_t map[64] = {0}, fd = (uint32_t)x->fds[0], id;
	const struct fd_options cut = {.gso_size = 100}, joined = {.gro = 1}, none = {0};

	assert_true(fd < 64);
	files_publish(x->files, &(struct files_known){map, 64, keep_map, NULL});
	assert_int_equal(map[fd], 0);
	id = identify(x->files, x->fds[0]);
	assert_int_equal(map[fd], id);
	files_set_options(x->files, fd, &cut);
	assert_int_equal(map[fd], FDMAP_WATCHED);
	assert_int_equal(identify(x->files, x->fds[0]), id);
	files_set_options(x->files, fd, &joined);
	assert_int_equal(map[fd], id);
	files_set_options(x->files, fd, &none);
	files_close_begin(x->files, fd);
	assert_int_equal(map[fd], 0);
	assert_int_not_equal(identify(x->files, x->fds[0]), id);
	assert_int_equal(map[fd], 0); /* not while it is being closed */
	files_close_end(x->files, fd, 0);
	assert_int_equal(map[fd], identify(x->files, x->fds[0]));
}

/* The target clears the entry: whatever is asked next knows that the file is gone. */
static void what_the_target_closed_is_over(void **state)
{
	for (int how = 0; how < 4; how++) {
		struct fixture *x = *state;
		struct files *f = files_new(x->registry), *copy = NULL;
		uint32_t map[64] = {0}, fd = (uint32_t)x->fds[0], id;

		files_publish(f, &(struct files_known){map, 64, keep_map, NULL});
		id = identify(f, x->fds[0]);
		files_set_options(
			f, fd, &(struct fd_options){.gso_size = how == 3 ? 9 : 0, .gro = 1});
		map[fd] = 0;
		if (how == 0)
			assert_int_equal(files_options(f, fd).gro, 0);
		else if (how == 1)
			assert_int_equal(files_get(copy = files_copy(f), fd)->generation, 1);
		else if (how == 2)
			files_set_options(f, fd, &(struct fd_options){.gso_size = 5});
		assert_int_not_equal(identify(f, x->fds[0]), id);
		assert_int_equal(files_get(f, fd)->generation, 1);
		assert_int_equal(files_options(f, fd).gro, 0);
		assert_int_equal(files_options(f, fd).gso_size, how == 2 ? 5 : 0);
		files_unref(copy);
		files_unref(f);
	}
}

/* Not used yet, but its options are known: they end with it. */
static void options_end_with_an_unused_file(void **state)
{
	struct fixture *x = *state;
	uint32_t map[64] = {0}, fd = (uint32_t)x->fds[0];

	files_set_options(x->files, fd, &(struct fd_options){.gso_size = 100});
	files_publish(x->files, &(struct files_known){map, 64, keep_map, NULL});
	assert_int_equal(map[fd], FDMAP_WATCHED);
	map[fd] = 0;
	identify(x->files, x->fds[0]);
	assert_int_equal(files_options(x->files, fd).gso_size, 0);
	assert_int_equal(files_get(x->files, fd)->generation, 0);
}

/* ---- what an fd is ---- */

static void expect(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void expect(int fd, const char *fmt, ...)
{
	cleanup_free char *is = fd_describe(getpid(), getpid(), (uint32_t)fd);
	char want[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(want, sizeof(want), fmt, ap);
	va_end(ap);
	assert_non_null(is);
	assert_string_equal(is, want);
}

static void files_and_pipes(void **state)
{
	struct fixture *x = *state;
	cleanup_close int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	struct stat st;

	assert_int_equal(fstat(x->fds[0], &st), 0);
	expect(x->fds[0], "pipe:[%lu]", (unsigned long)st.st_ino);
	expect(null, "/dev/null");
	assert_null(fd_describe(getpid(), getpid(), CLOSED_FD));
	assert_null(fd_describe(0x7fffffff, 0x7fffffff, 0));
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){.sin_family = AF_INET,
		.sin_port = htons(port),
		.sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
}

static unsigned int port_of(int fd)
{
	struct sockaddr_in in = {0};
	socklen_t n = sizeof(in);

	assert_int_equal(getsockname(fd, (struct sockaddr *)&in, &n), 0);
	return ntohs(in.sin_port);
}

static void inet_sockets(void **state)
{
	static const struct {
		int type;
		const char *name;
	} kinds[] = {{SOCK_DGRAM, "udp"}, {SOCK_STREAM, "tcp"}};

	(void)state;
	for (size_t i = 0; i < 2; i++) {
		cleanup_close int server = socket(AF_INET, kinds[i].type | SOCK_CLOEXEC, 0);
		cleanup_close int client = socket(AF_INET, kinds[i].type | SOCK_CLOEXEC, 0);
		struct sockaddr_in at = loopback(0);

		expect(server, "%s", kinds[i].name);
		assert_int_equal(bind(server, (struct sockaddr *)&at, sizeof(at)), 0);
		expect(server, "%s 127.0.0.1:%u", kinds[i].name, port_of(server));
		if (kinds[i].type == SOCK_STREAM)
			assert_int_equal(listen(server, 1), 0);
		at = loopback((uint16_t)port_of(server));
		assert_int_equal(connect(client, (struct sockaddr *)&at, sizeof(at)), 0);
		expect(client, "%s 127.0.0.1:%u -> 127.0.0.1:%u", kinds[i].name, port_of(client),
			port_of(server));
	}
}

static void inet6_sockets(void **state)
{
	struct sockaddr_in6 at = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
	cleanup_close int fd = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	socklen_t n = sizeof(at);

	(void)state;
	if (fd < 0 || bind(fd, (struct sockaddr *)&at, sizeof(at)) < 0)
		skip(); /* no IPv6 here */
	assert_int_equal(getsockname(fd, (struct sockaddr *)&at, &n), 0);
	expect(fd, "udp [::1]:%u", ntohs(at.sin6_port));
}

static socklen_t unix_name(struct sockaddr_un *un, int abstract)
{
	int n;

	*un = (struct sockaddr_un){.sun_family = AF_UNIX};
	n = snprintf(un->sun_path, sizeof(un->sun_path), "%s/iotrace-test-files.%d",
		abstract ? "@" : "/tmp", getpid());
	if (abstract)
		un->sun_path[0] = '\0';
	return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + (size_t)n);
}

static void unix_sockets(void **state)
{
	(void)state;
	for (int abstract = 0; abstract < 2; abstract++) {
		cleanup_close int server = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		cleanup_close int client = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
		struct sockaddr_un un;
		socklen_t n = unix_name(&un, abstract);
		const char *shown = abstract ? "@" : "", *name = un.sun_path + abstract;

		expect(server, "unix stream");
		assert_int_equal(bind(server, (struct sockaddr *)&un, n), 0);
		assert_int_equal(listen(server, 1), 0);
		assert_int_equal(connect(client, (struct sockaddr *)&un, n), 0);
		if (!abstract)
			unlink(un.sun_path);
		expect(server, "unix stream %s%s", shown, name);
		expect(client, "unix stream -> %s%s", shown, name);
	}
}

static void other_sockets(void **state)
{
	cleanup_close int dgram = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	cleanup_close int packets = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
	cleanup_close int netlink = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, 0);

	(void)state;
	expect(dgram, "unix dgram");
	expect(packets, "unix seqpacket");
	expect(netlink, "netlink");
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		WITH(an_fd_is_described_once),
		WITH(what_is_not_open_has_no_id),
		WITH(generations),
		WITH(a_generation_has_an_id_of_its_own),
		WITH(extreme_numbers),
		WITH(a_copy_is_a_table_of_its_own),
		WITH(exec_forgets_what_is_closed),
		WITH(the_registry_has_a_cap),
		WITH(a_known_number_is_in_the_map),
		WITH(what_the_target_closed_is_over),
		WITH(options_end_with_an_unused_file),
		WITH(files_and_pipes),
		cmocka_unit_test(inet_sockets),
		cmocka_unit_test(inet6_sockets),
		cmocka_unit_test(unix_sockets),
		cmocka_unit_test(other_sockets),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

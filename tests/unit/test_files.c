/* SPDX-License-Identifier: GPL-3.0-only */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
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
#include "tracer/fd/files.h"

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

static uint32_t id_at(struct files *f, uint32_t fd, uint64_t entry_ns)
{
	struct life *life = files_at(f, fd, entry_ns);

	return life ? files_id(f, life, 1, fd) : 0;
}

/* ---- lives: what happens to one number, told in this order ---- */

enum step { END, USE, BORN, DIED };

static const struct {
	const char *title;
	struct told {
		enum step step;
		uint64_t begin_ns, end_ns;
		uint32_t id; /* USE: the life's; 0: forgotten */
	} told[9];
} histories[] = {
	{"there since ever", {{USE, 5, 6, 1}, {USE, 7, 8, 1}}},
	{"closed, and used again", {{USE, 5, 6, 1}, {DIED, 10, 11, 0}, {USE, 20, 21, 2}}},
	{"closed, opened, used",
		{{USE, 5, 6, 1}, {DIED, 10, 11, 0}, {BORN, 20, 21, 0}, {USE, 30, 31, 2}}},
	{"a call that waits while another thread closes and opens",
		{{USE, 1, 2, 1}, {DIED, 10, 11, 0}, {BORN, 20, 21, 0}, {USE, 30, 31, 2},
			{USE, 5, 40, 1}}},
	{"the close is told of after the open that got its number",
		{{USE, 1, 2, 1}, {BORN, 20, 21, 0}, {DIED, 10, 25, 0}, {USE, 30, 31, 2}}},
	{"and after a use of the new one", {{USE, 1, 2, 1}, {BORN, 20, 21, 0}, {USE, 22, 23, 2},
						   {DIED, 10, 25, 0}, {USE, 30, 31, 2}}},
	{"the open is told of after that of the next",
		{{USE, 1, 2, 1}, {BORN, 40, 41, 0}, {USE, 50, 51, 2}, {BORN, 20, 21, 0},
			{USE, 25, 26, 3}, {USE, 60, 61, 2}}},
	{"used in the moment in which its making began: coarse times are often equal",
		{{BORN, 20, 21, 0}, {BORN, 40, 41, 0}, {USE, 20, 22, 1}, {USE, 40, 42, 2},
			{USE, 39, 39, 1}}},
	{"closed twice, the second fails in the kernel only",
		{{USE, 1, 2, 1}, {DIED, 10, 11, 0}, {DIED, 20, 21, 0}, {USE, 30, 31, 2}}},
	{"used while it is closed: still that file",
		{{USE, 1, 2, 1}, {DIED, 10, 20, 0}, {USE, 15, 16, 1}}},
	{"made over what is open (dup2)", {{USE, 1, 2, 1}, {BORN, 10, 11, 0}, {USE, 20, 21, 2}}},
	{"a life without a call has no row",
		{{BORN, 1, 2, 0}, {DIED, 3, 4, 0}, {BORN, 5, 6, 0}, {USE, 7, 8, 1}}},
	{"so long ago that it is forgotten",
		{{BORN, 10, 11, 0}, {BORN, 20, 21, 0}, {BORN, 30, 31, 0}, {BORN, 40, 41, 0},
			{BORN, 50, 51, 0}, {USE, 45, 60, 1}, {USE, 5, 60, 0}}},
};

static void lives(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof(histories) / sizeof(*histories); i++) {
		struct fd_registry *r = fd_registry_new(100);
		struct files *f = files_new(r);

		print_message("# %s\n", histories[i].title);
		for (const struct told *t = histories[i].told; t->step; t++) {
			struct file *file = file_new();

			if (t->step == USE)
				assert_int_equal(id_at(f, 3, t->begin_ns), t->id);
			else if (t->step == BORN)
				files_born(f, 3, t->begin_ns, t->end_ns, file);
			else
				files_died(f, 3, t->begin_ns, t->end_ns);
			file_unref(r, file);
		}
		files_unref(f);
		fd_registry_free(r);
	}
}

static void a_row_has_its_generation(void **state)
{
	struct fixture *x = *state;
	uint32_t first = id_at(x->files, 7, 1), second;

	files_died(x->files, 7, 2, 3);
	second = id_at(x->files, 7, 5);
	assert_int_equal(fd_registry_get(x->registry, first)->generation, 0);
	assert_int_equal(fd_registry_get(x->registry, second)->generation, 1);
	assert_int_equal(fd_registry_get(x->registry, second)->fd, 7);
	assert_null(fd_registry_get(x->registry, 0));
	assert_null(fd_registry_get(x->registry, 3));
}

/* Of one process, which of its threads has a copy of the table, and of another one. */
static void a_row_has_its_own_key(void **state)
{
	struct fixture *x = *state;
	uint32_t first = id_at(x->files, 7, 1), own, next, forked;
	struct files *copy = files_copy(x->files), *other = files_copy(x->files);

	own = files_id(copy, files_open(copy, 7), fd_registry_get(x->registry, first)->pid, 7);
	forked = files_id(other, files_open(other, 7), 12345, 7);
	files_died(x->files, 7, 2, 3);
	next = id_at(x->files, 7, 5);
	assert_int_equal(fd_registry_get(x->registry, first)->generation, 0);
	assert_int_equal(fd_registry_get(x->registry, own)->generation, 1);
	assert_int_equal(fd_registry_get(x->registry, next)->generation, 2);
	assert_int_equal(fd_registry_get(x->registry, forked)->generation, 0);
	files_unref(copy);
	files_unref(other);
}

/* The highest number that there is, and the ends of a range. */
static void ranges(void **state)
{
	static const struct {
		uint32_t first, last;
		int dies[3]; /* 0, 7, UINT32_MAX */
	} rows[] = {{7, 7, {0, 1, 0}}, {0, 0, {1, 0, 0}}, {8, UINT32_MAX, {0, 0, 1}},
		{9, 3, {0, 0, 0}}, {0, UINT32_MAX, {1, 1, 1}}};
	static const uint32_t numbers[] = {0, 7, UINT32_MAX};
	struct fixture *x = *state;

	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		struct files *f = files_new(x->registry);

		for (int k = 0; k < 3; k++)
			files_at(f, numbers[k], 1);
		files_died_range(f, rows[i].first, rows[i].last, 2, 3);
		for (int k = 0; k < 3; k++)
			assert_int_equal(!files_open(f, numbers[k]), rows[i].dies[k]);
		files_unref(f);
	}
}

/* ---- files ---- */

static void a_socket_is_one_file(void **state)
{
	struct fixture *x = *state;
	struct file *a = file_socket(x->registry, 42, NULL),
		    *b = file_socket(x->registry, 42, NULL), *c;

	assert_ptr_equal(a, b);
	a->gso_size = 1200;
	files_is(x->files, files_at(x->files, 5, 1), a);
	file_unref(x->registry, a);
	file_unref(x->registry, b);
	c = file_socket(x->registry, 42, NULL); /* an fd has it still */
	assert_int_equal(c->gso_size, 1200);
	file_unref(x->registry, c);
	files_unref(x->files);
	x->files = files_new(x->registry);
	c = file_socket(x->registry, 42, NULL); /* nobody had: the inode may be another socket's */
	assert_int_equal(c->gso_size, 0);
	file_unref(x->registry, c);
}

static void a_row_is_called_what_its_file_is(void **state)
{
	struct fixture *x = *state;
	uint32_t id = id_at(x->files, 5, 1);
	struct file *file = file_socket(x->registry, 42, NULL);

	assert_null(fd_registry_get(x->registry, id)->file->target);
	file_set_name(file, strdup("udp"), FILE_READ);
	files_is(x->files, files_open(x->files, 5), file);
	file_unref(x->registry, file);
	assert_string_equal(fd_registry_get(x->registry, id)->file->target, "udp");
}

/* ---- tables ---- */

static void a_copy_is_a_table_of_its_own(void **state)
{
	struct fixture *x = *state;
	uint32_t id = id_at(x->files, 5, 1), other;
	struct files *copy;

	files_at(x->files, 5, 1)->file->gso_size = 1200;
	copy = files_copy(x->files);
	assert_int_equal(files_open(copy, 5)->file->gso_size, 1200);
	other = files_id(copy, files_at(copy, 5, 2), 2, 5);
	assert_int_not_equal(other, id);
	assert_int_equal(fd_registry_get(x->registry, other)->generation, 0);
	files_died(copy, 5, 10, 11);
	assert_non_null(files_open(x->files, 5));
	other = files_id(copy, files_at(copy, 5, 20), 2, 5);
	assert_int_equal(fd_registry_get(x->registry, other)->generation, 1);
	files_unref(copy);
}

/* Closed before the exec, as CLOEXEC would have it. */
static void exec_forgets_what_is_closed(void **state)
{
	for (int shared = 0; shared < 2; shared++) {
		struct fixture *x = *state;
		uint32_t closed = (uint32_t)dup(x->fds[1]), open = (uint32_t)x->fds[0], id;
		struct files *f = files_new(x->registry), *own;

		id = id_at(f, open, 1);
		id_at(f, closed, 1);
		close((int)closed);
		if (shared)
			files_ref(f);
		own = files_copy_exec(f, getpid(), 10);
		files_unref(f);
		assert_null(files_open(own, closed));
		assert_int_equal(files_open(own, open)->fd_id, shared ? 0 : id);
		if (shared) { /* the others go on as they were */
			assert_ptr_not_equal(own, f);
			assert_non_null(files_open(f, closed));
			files_unref(f);
		}
		files_unref(own);
	}
}

static void the_registry_has_a_cap(void **state)
{
	struct fd_registry *small = fd_registry_new(2);
	struct files *f = files_new(small);

	(void)state;
	for (uint32_t i = 0; i < 5; i++) {
		uint32_t id = id_at(f, i, 1);

		assert_int_equal(id, i < 2 ? i + 1 : 3);
		assert_int_equal(fd_registry_get(small, id) != NULL, i < 2);
	}
	files_unref(f);
	fd_registry_free(small);
	files_unref(NULL);
	fd_registry_free(NULL);
}

static void numbers_being_closed(void **state)
{
	struct fixture *x = *state;

	assert_false(files_is_closing(x->files, 5));
	files_closing(x->files, 5, 5, 1);
	files_closing(x->files, 5, 5, 1);
	files_closing(x->files, 5, 5, -1);
	assert_true(files_is_closing(x->files, 5));
	files_closing(x->files, 5, 5, -1);
	assert_false(files_is_closing(x->files, 5));
	files_closing(x->files, 5, 5, -1); /* not begun */
	assert_false(files_is_closing(x->files, 5));
}

/* Some programs close every number that there could be. */
static void numbers_closed_in_vain(void **state)
{
	struct fixture *x = *state;

	files_at(x->files, 99, 1);
	for (uint32_t fd = 0; fd < 200; fd++) {
		files_closing(x->files, fd, fd, 1);
		files_closing(x->files, fd, fd, -1);
	}
	assert_int_equal(files_numbers(x->files), 1);
	assert_non_null(files_open(x->files, 99));
}

/* ---- what an fd is ---- */

static void expect(int fd, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void expect(int fd, const char *fmt, ...)
{
	struct fd_look look = {0};
	cleanup_free char *is = NULL;
	char want[256];
	va_list ap;

	assert_int_equal(fd_look(getpid(), getpid(), (uint32_t)fd, &look), 0);
	is = look.target;
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
	struct fd_look look;
	struct stat st;

	assert_int_equal(fstat(x->fds[0], &st), 0);
	expect(x->fds[0], "pipe:[%lu]", (unsigned long)st.st_ino);
	expect(null, "/dev/null");
	assert_int_equal(fd_look(getpid(), getpid(), CLOSED_FD, &look), -EBADF);
	assert_int_equal(fd_look(0x7fffffff, 0x7fffffff, 0, &look), -EBADF);
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

static void socket_names(void **state)
{
	static const struct {
		int domain, type, protocol;
		const char *name;
	} rows[] = {{AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0, "udp"},
		{AF_INET6, SOCK_STREAM | SOCK_NONBLOCK, 0, "tcp"},
		{AF_INET, SOCK_RAW, IPPROTO_TCP, "raw tcp"},
		{AF_INET, SOCK_RAW, IPPROTO_ICMP, "raw icmp"}, {AF_INET, SOCK_RAW, 255, "raw"},
		{AF_INET, SOCK_DGRAM, IPPROTO_ICMP, "icmp"}, {AF_PACKET, SOCK_RAW, 3, "packet"},
		{AF_NETLINK, SOCK_RAW, 0, "netlink"}, {AF_VSOCK, SOCK_STREAM, 0, "vsock"},
		{AF_UNIX, SOCK_SEQPACKET, 0, "unix seqpacket"}, {9999, 0, 0, "socket"}};

	(void)state;
	for (size_t i = 0; i < sizeof(rows) / sizeof(*rows); i++) {
		cleanup_free char *is =
			fd_socket_name(rows[i].domain, rows[i].type, rows[i].protocol);

		assert_string_equal(is, rows[i].name);
	}
}

/* Options that the socket has when it is first looked at. */
static void segments(void **state)
{
	cleanup_close int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	int size = 1200, one = 1;
	struct fd_look look;

	(void)state;
	if (setsockopt(fd, 17, 103, &size, sizeof(size)) < 0 ||
		setsockopt(fd, 17, 104, &one, sizeof(one)) < 0)
		skip();
	assert_int_equal(fd_look(getpid(), getpid(), (uint32_t)fd, &look), 0);
	assert_int_equal(look.gso_size, 1200);
	assert_int_equal(look.gro, 1);
	assert_true(look.socket);
	free(look.target);
}

#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(lives),
		WITH(a_row_has_its_generation),
		WITH(a_row_has_its_own_key),
		WITH(ranges),
		WITH(a_socket_is_one_file),
		WITH(a_row_is_called_what_its_file_is),
		WITH(a_copy_is_a_table_of_its_own),
		WITH(exec_forgets_what_is_closed),
		WITH(the_registry_has_a_cap),
		WITH(numbers_being_closed),
		WITH(numbers_closed_in_vain),
		WITH(files_and_pipes),
		cmocka_unit_test(inet_sockets),
		cmocka_unit_test(inet6_sockets),
		cmocka_unit_test(unix_sockets),
		cmocka_unit_test(other_sockets),
		cmocka_unit_test(socket_names),
		cmocka_unit_test(segments),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}

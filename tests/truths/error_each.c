/* SPDX-License-Identifier: GPL-3.0-only */
/*
 * truth: each error of the table that a program can have by itself, once.
 * says: | unlink | ENOENT | 1 | ... | normal | removed although it was not there |
 * says: | truncate | ENOENT | 1 | 100% | normal | emptied although it was not there |
 * says: | openat | ENXIO | 1 | ... | normal | no terminal of its own (/dev/tty), or a FIFO that
 *     nobody reads |
 * says: | ioctl | ENODEV | 1 | ... | normal | asks for an interface that is not there |
 * says: | mkdir | EEXIST | 1 | ... | normal | made although it was there |
 * says: | openat | EEXIST | 1 | ... | normal | a lock or temporary file was there |
 * says: | readlink | EINVAL | 1 | ... | normal | it is no symbolic link: how a path is resolved |
 * says: | ioctl | ENOTTY | 1 | ... | normal | it has no such control
 * says: | lseek | ESPIPE | 1 | 100% | normal | asks whether it can seek: a pipe or socket cannot |
 * says: | connect | ENOENT | 1 | ... | normal | no such local socket, as that of nscd |
 * says: connect failed with ECONNREFUSED in 1 call: nobody listens there.
 * says: | getpeername | ENOTCONN | 1 | 100% | normal | the peer was gone, or never there |
 * says: | wait4 | ECHILD | 1 | 100% | normal | no child is left |
 * says: | epoll_ctl | EPERM | 1 | ... | normal | regular files cannot be waited for: always ready
 *     |
 * says: | epoll_ctl | EEXIST | 1 | ... | normal | added although it was there |
 * says: | epoll_ctl | ENOENT | 1 | ... | normal | changed although it was not there |
 * says: | prctl | EINVAL | 1 | 100% | normal | asks for a feature that this kernel has not |
 * says: | rt_sigtimedwait | EAGAIN | 1 | 100% | normal | a wait with a time limit ended |
 * says: | uname | EFAULT | 1 | 100% | worth a look | a bad address: a fault of the program |
 * says: | dup | EMFILE | 1 | 100% | worth a look | the limit of open descriptors is reached |
 * says: | recvfrom | ECONNREFUSED | 1 | 100% | worth a look | an earlier datagram met a closed
 *     port |
 * says: | read | ECONNRESET | 1 | ... | worth a look | the peer ended the connection |
 * says: | connect | EINPROGRESS | 1 | ... | normal | a non-blocking connect has begun |
 * says: | mremap | ENOMEM | 1 | 100% | worth a look | no room to grow |
 * says: | mmap | EACCES | 1 | ... | worth a look | no permission |
 * says: | write | EPERM | 1 | 100% | worth a look | no permission |
 * never: no such file
 * never: | write | EPIPE
 * never: No error that the table of errors calls worth a look.
 */
#include <net/if.h>
#include <netinet/in.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "t.h"

static struct sockaddr_in loopback = {.sin_family = AF_INET};

/* A port of 127.0.0.1 that nobody has any more. */
static void closed_port(int type)
{
	socklen_t len = sizeof(loopback);
	int s = socket(AF_INET, type, 0);

	loopback.sin_port = 0;
	loopback.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(bind(s, (void *)&loopback, len) == 0);
	CHECK(getsockname(s, (void *)&loopback, &len) == 0 && close(s) == 0);
}

static void files(void)
{
	char text[8];

	char fifo[] = "/tmp/truth-XXXXXX";

	CHECK(unlink("/nowhere") == -1 && errno == ENOENT);
	CHECK(truncate("/nowhere", 0) == -1 && errno == ENOENT);
	CHECK(mkdtemp(fifo) && rmdir(fifo) == 0 && mkfifo(fifo, 0600) == 0);
	CHECK(open(fifo, O_WRONLY | O_NONBLOCK) == -1 && errno == ENXIO && unlink(fifo) == 0);
	CHECK(mkdir("/tmp", 0700) == -1 && errno == EEXIST);
	CHECK(open("/dev/null", O_CREAT | O_EXCL | O_RDWR, 0600) == -1 && errno == EEXIST);
	CHECK(readlink("/tmp", text, sizeof(text)) == -1 && errno == EINVAL);
}

static void descriptors(void)
{
	struct epoll_event event = {.events = EPOLLIN};
	int null = t_null(), epoll = epoll_create1(0), ends[2];

	CHECK(pipe(ends) == 0);
	CHECK(!isatty(null));
	CHECK(lseek(ends[0], 0, SEEK_CUR) == -1 && errno == ESPIPE);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, open("/proc/self/exe", O_RDONLY), &event) == -1 &&
		errno == EPERM);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) == 0);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) == -1 && errno == EEXIST);
	CHECK(epoll_ctl(epoll, EPOLL_CTL_MOD, ends[1], &event) == -1 && errno == ENOENT);
}

static void sockets(void)
{
	struct sockaddr_un local = {.sun_family = AF_UNIX, .sun_path = "/nowhere/socket"};
	struct ifreq nowhere = {.ifr_name = "nowhere0"};
	socklen_t len = sizeof(loopback);
	int s = socket(AF_UNIX, SOCK_STREAM, 0), pair[2];
	char byte = 0;

	CHECK(connect(s, (void *)&local, sizeof(local)) == -1 && errno == ENOENT);
	s = socket(AF_INET, SOCK_STREAM, 0);
	CHECK(ioctl(s, SIOCGIFADDR, &nowhere) == -1 && errno == ENODEV);
	CHECK(getpeername(s, (void *)&loopback, &len) == -1 && errno == ENOTCONN);
	closed_port(SOCK_STREAM);
	CHECK(connect(s, (void *)&loopback, sizeof(loopback)) == -1 && errno == ECONNREFUSED);
	s = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
	CHECK(connect(s, (void *)&loopback, sizeof(loopback)) == -1 && errno == EINPROGRESS);
	closed_port(SOCK_DGRAM);
	s = socket(AF_INET, SOCK_DGRAM, 0);
	CHECK(connect(s, (void *)&loopback, sizeof(loopback)) == 0 && send(s, &byte, 1, 0) == 1);
	CHECK(recv(s, &byte, 1, 0) == -1 && errno == ECONNREFUSED);
	/* What the peer has not read when it closes resets the connection. */
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0);
	CHECK(send(pair[0], &byte, 1, 0) == 1 && close(pair[1]) == 0);
	CHECK(read(pair[0], &byte, 1) == -1 && errno == ECONNRESET);
}

static void memory(void)
{
	int fd = open("/proc/self/exe", O_RDONLY);
	int sealed = (int)syscall(SYS_memfd_create, "sealed", MFD_ALLOW_SEALING);
	void *at = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	CHECK(at != MAP_FAILED && mremap(at, 4096, (size_t)1 << 46, 0) == MAP_FAILED);
	CHECK(errno == ENOMEM);
	CHECK(mmap(NULL, 4096, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES);
	CHECK(fcntl(sealed, F_ADD_SEALS, F_SEAL_WRITE) == 0);
	CHECK(write(sealed, "x", 1) == -1 && errno == EPERM);
}

int main(void)
{
	struct timespec at_once = {0, 0};
	struct rlimit limit = {3, 3};
	sigset_t none;

	files();
	descriptors();
	sockets();
	memory();
	CHECK(wait(NULL) == -1 && errno == ECHILD);
	CHECK(prctl(9999, 0, 0, 0, 0) == -1 && errno == EINVAL);
	sigemptyset(&none);
	CHECK(sigtimedwait(&none, NULL, &at_once) == -1 && errno == EAGAIN);
	CHECK(syscall(SYS_uname, (void *)1) == -1 && errno == EFAULT);
	CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
	CHECK(dup(0) == -1 && errno == EMFILE);
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-only */
/* Calls whose arguments lie in a page that another thread of the program fills (userfaultfd). */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <linux/userfaultfd.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

#define PAGE 4096

static int filler_fd;
static char content[PAGE] __attribute__((aligned(PAGE)));

static void *fill(void *arg)
{
	struct uffd_msg m;
	struct uffdio_copy c = {.src = (uint64_t)(uintptr_t)content, .len = PAGE};

	(void)arg;
	CHECK(read(filler_fd, &m, sizeof(m)) == sizeof(m));
	c.dst = m.arg.pagefault.address & ~(uint64_t)(PAGE - 1);
	CHECK(ioctl(filler_fd, UFFDIO_COPY, &c) == 0);
	return NULL;
}

/* A page that will have that content once it is touched. */
static void *page_of(int fd, const void *p, size_t len)
{
	struct uffdio_api api = {.api = UFFD_API};
	char *page = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	struct uffdio_register r = {
		{(uint64_t)(uintptr_t)page, PAGE}, UFFDIO_REGISTER_MODE_MISSING, 0};
	pthread_t thread;

	if (fd < 0)
		t_skip("no userfaultfd for the kernel's faults");
	filler_fd = fd;
	memcpy(content, p, len);
	CHECK(page != MAP_FAILED && ioctl(fd, UFFDIO_API, &api) == 0);
	CHECK(ioctl(fd, UFFDIO_REGISTER, &r) == 0);
	CHECK(pthread_create(&thread, NULL, fill, NULL) == 0);
	return page;
}

static int by_call(void)
{
	return (int)syscall(SYS_userfaultfd, O_CLOEXEC);
}

/* Not by the call that announces it. */
static int by_device(void)
{
	int device = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);

	return device < 0 ? -1 : ioctl(device, USERFAULTFD_IOC_NEW, O_CLOEXEC);
}

static struct iovec text = {"text\n", 5};

static void iovec(char **args)
{
	(void)args;
	CHECK(writev(1, page_of(by_call(), &text, sizeof(text)), 1) == 5);
}

static void device(char **args)
{
	(void)args;
	CHECK(writev(1, page_of(by_device(), &text, sizeof(text)), 1) == 5);
}

static void messages(char **args)
{
	struct mmsghdr m[2] = {
		{.msg_hdr = {.msg_iov = &text, .msg_iovlen = 1}},
		{.msg_hdr = {.msg_iov = &text, .msg_iovlen = 1}},
	};
	int s[2];

	(void)args;
	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	CHECK(sendmmsg(s[0], page_of(by_call(), m, sizeof(m)), 2, 0) == 2);
}

static void clone_args(char **args)
{
	struct clone_args a = {.flags = CLONE_UNTRACED, .exit_signal = SIGCHLD};
	long pid;

	(void)args;
	pid = syscall(SYS_clone3, page_of(by_call(), &a, sizeof(a)), sizeof(a));
	if (pid == 0)
		_exit(0);
	CHECK(pid > 0 && waitpid((pid_t)pid, NULL, __WALL) == pid);
}

static void filter(char **args)
{
	struct sock_filter allow = {BPF_RET | BPF_K, 0, 0, SECCOMP_RET_ALLOW};
	struct sock_fprog prog = {1, page_of(by_call(), &allow, sizeof(allow))};

	(void)args;
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {{"iovec", iovec}, {"device", device},
		{"messages", messages}, {"clone_args", clone_args}, {"filter", filter},
		{NULL, NULL}};

	return t_main(argc, argv, cases);
}

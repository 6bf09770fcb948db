// SPDX-License-Identifier: GPL-3.0-only
/*
 * Programs that lock themselves in: their own seccomp filter, namespaces, no dumps, another user.
 * The filters act on pwrite64, which nothing else here calls.
 */
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "t.h"

#define CALLS 5

static int file;

/* Everything is allowed but pwrite64, which gets verdict. Returns seccomp's result. */
static long install(uint32_t verdict, unsigned int flags)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, verdict),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};
	long rc;

	file = t_file(1);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	rc = syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, flags, &prog);
	if (rc < 0)
		t_skip("seccomp");
	return rc;
}

static void calls_fail(int error)
{
	for (int i = 0; i < CALLS; i++)
		CHECK(pwrite(file, "x", 1, 0) == -1 && errno == error);
}

static void calls_work(void)
{
	for (int i = 0; i < CALLS; i++)
		CHECK(pwrite(file, "x", 1, 0) == 1);
}

/* 5 calls work before the filter, 5 fail after it. */
static void by_errno(char **args)
{
	(void)args;
	file = t_file(1);
	calls_work();
	install(SECCOMP_RET_ERRNO | EPERM, 0);
	calls_fail(EPERM);
}

/* By prctl, the old way. */
static void by_prctl(char **args)
{
	struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_pwrite64, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	struct sock_fprog prog = {sizeof(code) / sizeof(code[0]), code};

	(void)args;
	file = t_file(1);
	CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
	CHECK(prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &prog) == 0);
	calls_fail(EPERM);
}

static void allow(char **args)
{
	(void)args;
	install(SECCOMP_RET_ALLOW, 0);
	calls_work();
}

/* TRACE without a tracer of one's own: the call fails. */
static void trace(char **args)
{
	(void)args;
	install(SECCOMP_RET_TRACE | 5, 0);
	calls_fail(ENOSYS);
}

static volatile sig_atomic_t traps;

static void on_trap(int sig, siginfo_t *info, void *context)
{
	(void)context;
	CHECK(sig == SIGSYS && info->si_syscall == SYS_pwrite64 && info->si_code == 1);
	traps++;
}

static void trap(char **args)
{
	struct sigaction sa = {.sa_sigaction = on_trap, .sa_flags = SA_SIGINFO};

	(void)args;
	sigaction(SIGSYS, &sa, NULL);
	install(SECCOMP_RET_TRAP, 0);
	for (int i = 0; i < CALLS; i++)
		(void)!pwrite(file, "x", 1, 0);
	CHECK(traps == CALLS);
}

static int listener = -1;

/* Answers each notification with EACCES. */
static void *supervisor(void *arg)
{
	struct seccomp_notif req;
	struct seccomp_notif_resp resp;

	while (__atomic_load_n(&listener, __ATOMIC_ACQUIRE) < 0)
		usleep(1000);
	for (int i = 0; i < CALLS; i++) {
		memset(&req, 0, sizeof(req));
		CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_RECV, &req) == 0);
		memset(&resp, 0, sizeof(resp));
		resp.id = req.id;
		resp.error = -EACCES;
		CHECK(ioctl(listener, SECCOMP_IOCTL_NOTIF_SEND, &resp) == 0);
	}
	return arg;
}

static void notify(char **args)
{
	pthread_t t;

	(void)args;
	CHECK(pthread_create(&t, NULL, supervisor, NULL) == 0);
	__atomic_store_n(&listener,
		(int)install(SECCOMP_RET_USER_NOTIF, SECCOMP_FILTER_FLAG_NEW_LISTENER),
		__ATOMIC_RELEASE);
	calls_fail(EACCES);
	pthread_join(t, NULL);
}

static int go[2];

static void *synced(void *arg)
{
	char c;

	CHECK(recv(go[0], &c, 1, 0) == 1);
	calls_fail(EPERM);
	return arg;
}

/* Installed for all threads: 3 others and the first, 5 calls each. */
static void tsync(char **args)
{
	pthread_t t[3];

	(void)args;
	CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, go) == 0);
	for (int i = 0; i < 3; i++)
		CHECK(pthread_create(&t[i], NULL, synced, NULL) == 0);
	install(SECCOMP_RET_ERRNO | EPERM, SECCOMP_FILTER_FLAG_TSYNC);
	CHECK(send(go[1], "xxx", 3, 0) == 3);
	for (int i = 0; i < 3; i++)
		pthread_join(t[i], NULL);
	calls_fail(EPERM);
}

/* A child inherits the filter. */
static void inherit(char **args)
{
	pid_t pid;
	int st;

	(void)args;
	install(SECCOMP_RET_ERRNO | EPERM, 0);
	pid = fork();
	if (pid == 0) {
		calls_fail(EPERM);
		_exit(0);
	}
	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
}

/* The call kills the process. */
static void kill_process(char **args)
{
	pid_t pid;
	int st;

	(void)args;
	pid = fork();
	if (pid == 0) {
		install(SECCOMP_RET_KILL_PROCESS, 0);
		(void)!pwrite(file, "x", 1, 0);
		_exit(0);
	}
	CHECK(waitpid(pid, &st, 0) == pid && WIFSIGNALED(st) && WTERMSIG(st) == SIGSYS);
}

/* sendmmsg of 3 messages, N times, where the tracer may not be able to read memory. */
static void send_batches(long n)
{
	int s[2];
	char text[10] = "";
	struct iovec iov = {text, sizeof(text)};
	struct mmsghdr m[3];

	CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, s) == 0);
	memset(m, 0, sizeof(m));
	for (int i = 0; i < 3; i++) {
		m[i].msg_hdr.msg_iov = &iov;
		m[i].msg_hdr.msg_iovlen = 1;
	}
	while (n-- > 0)
		CHECK(syscall(SYS_sendmmsg, s[0], m, 3, 0) == 3);
}

static void dumpable(char **args)
{
	(void)args;
	CHECK(prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) == 0);
	file = t_file(1);
	calls_work();
	send_batches(2);
}

static void drop_user(char **args)
{
	(void)args;
	file = t_file(1);
	if (setgid(65534) || setuid(65534))
		t_skip("setuid");
	calls_work();
	send_batches(2);
}

static void in_namespaces(int flags)
{
	pid_t pid;
	int st;

	if (unshare(flags))
		t_skip("unshare");
	file = t_file(1);
	pid = fork();
	if (pid == 0) {
		CHECK(!(flags & CLONE_NEWPID) || getpid() == 1);
		calls_work();
		pid = fork();
		if (pid == 0) {
			calls_work();
			_exit(0);
		}
		CHECK(waitpid(pid, &st, 0) == pid && st == 0);
		_exit(0);
	}
	CHECK(waitpid(pid, &st, 0) == pid && st == 0);
}

/* As root: pid, mount and network namespaces. */
static void namespaces(char **args)
{
	(void)args;
	in_namespaces(CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC | CLONE_NEWUTS);
}

/* The same without privileges: a user namespace first. */
static void user_namespace(char **args)
{
	(void)args;
	in_namespaces(CLONE_NEWUSER | CLONE_NEWPID | CLONE_NEWNS | CLONE_NEWNET);
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {
		{"errno", by_errno},
		{"prctl", by_prctl},
		{"allow", allow},
		{"trace", trace},
		{"trap", trap},
		{"notify", notify},
		{"tsync", tsync},
		{"inherit", inherit},
		{"kill", kill_process},
		{"dumpable", dumpable},
		{"drop_user", drop_user},
		{"namespaces", namespaces},
		{"userns", user_namespace},
		{NULL, NULL},
	};

	return t_main(argc, argv, cases);
}

/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/filler.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <time.h>

#include "common/base/clock.h"
#include "common/base/mem.h"

#define WAIT_NS     (200 * NS_PER_MS)
#define WORK_NS     NS_PER_MS /* of a thread's own time in that: it does not sleep */
#define ASLEEP_MAX  16 /* threads that did not come back; with so many, nothing more is tried */
#define STACK_BYTES (256 * 1024)

/* Shared with the threads, one of which may outlive us. */
struct filler {
	pthread_mutex_t lock;
	pthread_cond_t given, done;
	struct job *job;     /* to be taken; NULL: none */
	unsigned int awake;  /* threads that wait for a job */
	unsigned int asleep; /* threads that were given up and are still in their call */
	unsigned int refs;
	int closing;
};

/* Of the caller until it gives it up, then of its thread. */
struct job {
	void (*work)(void *arg), (*drop)(void *arg);
	void *arg;
	clockid_t clock; /* of its thread, once it is taken */
	uint64_t worked_ns;
	int over, given_up;
};

static void unref(struct filler *f)
{
	int last = --f->refs == 0;

	pthread_mutex_unlock(&f->lock);
	if (last)
		free(f);
}

static uint64_t own_time_ns(const struct job *j)
{
	struct timespec t = {0};

	clock_gettime(j->clock, &t);
	return (uint64_t)t.tv_sec * NS_PER_SEC + (uint64_t)t.tv_nsec;
}

static void *serve(void *arg)
{
	struct filler *f = arg;

	pthread_mutex_lock(&f->lock);
	for (;;) {
		struct job *j;

		f->awake++;
		while (!f->job && !f->closing)
			pthread_cond_wait(&f->given, &f->lock);
		f->awake--;
		if (f->closing)
			break;
		j = f->job;
		f->job = NULL;
		pthread_getcpuclockid(pthread_self(), &j->clock);
		j->worked_ns = own_time_ns(j);
		pthread_mutex_unlock(&f->lock);
		j->work(j->arg);
		pthread_mutex_lock(&f->lock);
		if (j->given_up) {
			pthread_mutex_unlock(&f->lock);
			j->drop(j->arg); /* may sleep, too */
			free(j);
			pthread_mutex_lock(&f->lock);
			f->asleep--;
			break; /* another one has its place */
		}
		j->over = 1;
		pthread_cond_signal(&f->done);
	}
	unref(f);
	return NULL;
}

static int start_thread(struct filler *f)
{
	sigset_t all, before;
	pthread_attr_t attr;
	pthread_t thread;
	int rc;

	pthread_attr_init(&attr);
	pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
	pthread_attr_setstacksize(&attr, STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	f->refs++;
	rc = -pthread_create(&thread, &attr, serve, f);
	if (rc < 0)
		f->refs--;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attr);
	return rc;
}

struct filler *filler_new(void)
{
	struct filler *f = mem_calloc(1, sizeof(*f));
	pthread_condattr_t attr;

	pthread_condattr_init(&attr);
	pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
	pthread_mutex_init(&f->lock, NULL);
	pthread_cond_init(&f->given, NULL);
	pthread_cond_init(&f->done, &attr);
	pthread_condattr_destroy(&attr);
	f->refs = 1;
	return f;
}

void filler_free(struct filler *f)
{
	if (!f)
		return;
	pthread_mutex_lock(&f->lock);
	f->closing = 1;
	pthread_cond_broadcast(&f->given);
	unref(f);
}

/* Of a job that is taken: 1 if its thread works, as on a large file, and has since the last time.
 */
static int works(struct job *j)
{
	uint64_t before = j->worked_ns;

	j->worked_ns = own_time_ns(j);
	return j->worked_ns - before >= WORK_NS;
}

/* Under the lock. 1: it was done in WAIT_NS. */
static int is_over(struct filler *f, const struct job *j)
{
	uint64_t at = clock_mono_ns() + WAIT_NS;
	struct timespec until = {(time_t)(at / NS_PER_SEC), (long)(at % NS_PER_SEC)};

	while (!j->over)
		if (pthread_cond_timedwait(&f->done, &f->lock, &until) == ETIMEDOUT)
			return j->over;
	return 1;
}

/* Under the lock. -ETIMEDOUT: the job is its thread's now. */
static int await(struct filler *f, struct job *j)
{
	f->job = j;
	pthread_cond_signal(&f->given);
	while (!is_over(f, j)) {
		if (f->job == j) { /* nobody came to take it */
			f->job = NULL;
			return -EAGAIN;
		}
		if (!works(j)) {
			j->given_up = 1;
			f->asleep++;
			return -ETIMEDOUT;
		}
	}
	return 0;
}

int filler_run(struct filler *f, void (*work)(void *arg), void (*drop)(void *arg), void *arg)
{
	struct job *j;
	int rc = 0;

	if (!f) {
		work(arg);
		return 0;
	}
	j = mem_calloc(1, sizeof(*j));
	*j = (struct job){.work = work, .drop = drop, .arg = arg};
	pthread_mutex_lock(&f->lock);
	if (f->asleep >= ASLEEP_MAX)
		rc = -EAGAIN;
	else if (!f->awake)
		rc = start_thread(f);
	if (rc == 0)
		rc = await(f, j);
	pthread_mutex_unlock(&f->lock);
	if (rc == -ETIMEDOUT)
		return rc;
	if (rc < 0)
		drop(arg);
	free(j);
	return rc;
}

/* ---- memory ---- */

struct access {
	pid_t tid;
	uint64_t addr;
	size_t len;
	int write;
	ssize_t result;
	char bytes[];
};

static void access_memory(void *arg)
{
	struct access *a = arg;
	struct iovec local = {a->bytes, a->len}, remote = {(void *)a->addr, a->len};
	ssize_t n = a->write ? process_vm_writev(a->tid, &local, 1, &remote, 1, 0)
			     : process_vm_readv(a->tid, &local, 1, &remote, 1, 0);

	a->result = n < 0 ? -errno : n;
}

static struct access *access_new(pid_t tid, uint64_t addr, size_t len)
{
	struct access *a = mem_calloc(1, sizeof(*a) + len);

	a->tid = tid;
	a->addr = addr;
	a->len = len;
	return a;
}

/* What was read goes to ret, if that is not NULL. */
static ssize_t run(struct filler *f, struct access *a, void *ret)
{
	ssize_t result;

	if (filler_run(f, access_memory, free, a) < 0)
		return -ETIMEDOUT;
	result = a->result;
	if (result > 0 && ret)
		memcpy(ret, a->bytes, (size_t)result);
	free(a);
	return result;
}

ssize_t filler_read(struct filler *f, pid_t tid, uint64_t addr, void *buf, size_t len)
{
	return run(f, access_new(tid, addr, len), buf);
}

ssize_t filler_write(struct filler *f, pid_t tid, uint64_t addr, const void *buf, size_t len)
{
	struct access *a = access_new(tid, addr, len);

	a->write = 1;
	memcpy(a->bytes, buf, len);
	return run(f, a, NULL);
}

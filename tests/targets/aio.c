// SPDX-License-Identifier: GPL-3.0-only
/* Submissions and completions: io_submit, io_getevents, io_pgetevents, io_uring_enter. */
#include <linux/aio_abi.h>
#include <linux/io_uring.h>
#include <sys/mman.h>

#include "t.h"

static char buf[4096];
static struct io_event events[16];

/* 4 of 4, then 1 of 3 because the second is bad, then EBADF; completions 4 of 8, 1 of 8, 0 of 8. */
static void kernel_aio(char **args)
{
	aio_context_t ctx = 0;
	struct iocb cb[4], *list[4];
	struct timespec zero = {0, 0};
	int f = t_file(0);

	(void)args;
	memset(cb, 0, sizeof(cb));
	if (syscall(SYS_io_setup, 16, &ctx))
		t_skip("io_setup");
	for (int i = 0; i < 4; i++) {
		cb[i].aio_fildes = (uint32_t)f;
		cb[i].aio_lio_opcode = IOCB_CMD_PWRITE;
		cb[i].aio_buf = (uintptr_t)buf;
		cb[i].aio_nbytes = 100;
		list[i] = &cb[i];
	}
	CHECK(syscall(SYS_io_submit, ctx, 4, list) == 4);
	CHECK(syscall(SYS_io_getevents, ctx, 4, 8, events, NULL) == 4);
	cb[1].aio_fildes = UINT32_MAX;
	CHECK(syscall(SYS_io_submit, ctx, 3, list) == 1);
	CHECK(syscall(SYS_io_getevents, ctx, 1, 8, events, NULL) == 1);
	CHECK(syscall(SYS_io_submit, ctx, 1, list + 1) == -1 && errno == EBADF);
	CHECK(syscall(SYS_io_getevents, ctx, 0, 8, events, &zero) == 0);
	CHECK(syscall(SYS_io_pgetevents, ctx, 0, 8, events, &zero, NULL) == 0);
	CHECK(syscall(SYS_io_destroy, ctx) == 0);
}

struct ring {
	int fd;
	uint32_t *tail, mask, *array;
	uint32_t *cq_head, cq_mask;
	struct io_uring_sqe *sqes;
	struct io_uring_cqe *cqes; /* where both rings are one mapping */
};

static struct ring ring_open(uint32_t flags)
{
	struct io_uring_params p = {.flags = flags};
	struct ring r = {.fd = (int)syscall(SYS_io_uring_setup, 8, &p)};
	size_t size = p.sq_off.array + p.sq_entries * sizeof(uint32_t);
	char *sq;

	if (r.fd < 0)
		t_skip("io_uring_setup");
	sq = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, r.fd, IORING_OFF_SQ_RING);
	r.sqes = mmap(NULL, p.sq_entries * sizeof(*r.sqes), PROT_READ | PROT_WRITE, MAP_SHARED,
		r.fd, IORING_OFF_SQES);
	CHECK(sq != MAP_FAILED && r.sqes != MAP_FAILED);
	r.tail = (uint32_t *)(void *)(sq + p.sq_off.tail);
	r.mask = *(uint32_t *)(void *)(sq + p.sq_off.ring_mask);
	r.array = (uint32_t *)(void *)(sq + p.sq_off.array);
	if (p.features & IORING_FEAT_SINGLE_MMAP) {
		r.cq_head = (uint32_t *)(void *)(sq + p.cq_off.head);
		r.cq_mask = *(uint32_t *)(void *)(sq + p.cq_off.ring_mask);
		r.cqes = (struct io_uring_cqe *)(void *)(sq + p.cq_off.cqes);
	}
	return r;
}

static void push_nops(struct ring *r, uint32_t n)
{
	uint32_t tail = *r->tail;

	for (uint32_t i = 0; i < n; i++, tail++) {
		memset(&r->sqes[tail & r->mask], 0, sizeof(*r->sqes));
		r->sqes[tail & r->mask].opcode = IORING_OP_NOP;
		r->array[tail & r->mask] = tail & r->mask;
	}
	__atomic_store_n(r->tail, tail, __ATOMIC_RELEASE);
}

/* 3 of 3, then 2 of the 5 asked because only 2 are queued, then 0 of 0. */
static void uring(char **args)
{
	struct ring r = ring_open(0);

	(void)args;
	push_nops(&r, 3);
	CHECK(syscall(SYS_io_uring_enter, r.fd, 3, 3, IORING_ENTER_GETEVENTS, NULL, 0L) == 3);
	push_nops(&r, 2);
	CHECK(syscall(SYS_io_uring_enter, r.fd, 5, 0, 0, NULL, 0L) == 2);
	CHECK(syscall(SYS_io_uring_enter, r.fd, 0, 0, IORING_ENTER_GETEVENTS, NULL, 0L) == 0);
	CHECK(syscall(SYS_io_uring_enter, -1, 1, 0, 0, NULL, 0L) == -1 && errno == EBADF);
}

/* A kernel thread takes the submissions: system calls do not show them. */
static void sqpoll(char **args)
{
	struct ring r = ring_open(IORING_SETUP_SQPOLL);

	(void)args;
	push_nops(&r, 3);
	/* The kernel thread may have gone to sleep before it saw them. */
	CHECK(syscall(SYS_io_uring_enter, r.fd, 0, 3,
		      IORING_ENTER_GETEVENTS | IORING_ENTER_SQ_WAKEUP, NULL, 0L) >= 0);
}

/* One operation, and its result. */
static int make(struct ring *r, uint8_t opcode, int fd, const char *path)
{
	struct io_uring_sqe *sqe = &r->sqes[*r->tail & r->mask];
	int res;

	push_nops(r, 1);
	sqe->opcode = opcode;
	sqe->fd = fd;
	sqe->addr = (uintptr_t)path;
	CHECK(syscall(SYS_io_uring_enter, r->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0L) == 1);
	res = r->cqes[*r->cq_head & r->cq_mask].res;
	__atomic_store_n(r->cq_head, *r->cq_head + 1, __ATOMIC_RELEASE);
	return res;
}

/* For ever: two files in turns, opened and closed by a ring that is there already; 3 calls on the
 * first one, 1 on the second. */
static void opened(char **args)
{
	struct ring r = ring_open(0);
	char c;

	(void)args;
	if (!r.cqes)
		t_skip("IORING_FEAT_SINGLE_MMAP");
	for (int i = 0;; i ^= 1) {
		int fd = make(&r, IORING_OP_OPENAT, AT_FDCWD, i ? "/dev/zero" : "/dev/null");

		if (fd < 0)
			t_skip("IORING_OP_OPENAT");
		for (int k = i ? 1 : 3; k > 0; k--)
			CHECK(pread(fd, &c, 1, 0) == i);
		CHECK(make(&r, IORING_OP_CLOSE, fd, NULL) == 0);
	}
}

int main(int argc, char **argv)
{
	static const struct tcase cases[] = {{"aio", kernel_aio}, {"uring", uring},
		{"sqpoll", sqpoll}, {"opened", opened}, {NULL, NULL}};

	return t_main(argc, argv, cases);
}

/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_FILLER_H
#define TRACER_FILLER_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * What another traced process must provide first: memory (userfaultfd, or mapped from a FUSE file
 * system that it serves), and files of such a file system. Who reads it sleeps until it is there,
 * and who provides it may be stopped, waiting for us. So once a target has made one of the calls
 * that lead there (mount, fsopen, userfaultfd), and of files with -p, a thread of its own reads for
 * us, and is left alone if it sleeps and does not come back: what it was to read is then not
 * measured. Before, nobody pays.
 */
struct filler;

struct filler *filler_new(void);
void filler_free(struct filler *f); /* takes NULL; threads that still sleep stay */
/* Has the thread call work(arg), and waits; f NULL: calls it here. 0: it is done. -ETIMEDOUT,
 * -EAGAIN, or another errno: it was not done in time; arg is the thread's now, or is dropped
 * already: by drop(arg). */
int filler_run(struct filler *f, void (*work)(void *arg), void (*drop)(void *arg), void *arg);
/* As process_vm_readv(2) of one piece, or process_vm_writev(2): the bytes, or -errno; -ETIMEDOUT
 * when it did not come back in time. */
ssize_t filler_read(struct filler *f, pid_t tid, uint64_t addr, void *buf, size_t len);
ssize_t filler_write(struct filler *f, pid_t tid, uint64_t addr, const void *buf, size_t len);

#endif

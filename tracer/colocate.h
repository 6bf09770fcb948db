/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef TRACER_COLOCATE_H
#define TRACER_COLOCATE_H

#include <sched.h>
#include <stdint.h>
#include <sys/types.h>

/*
 * Tracer and targets on one CPU, for as long as only one of them runs at a time: a stop then costs
 * no wake-up of another CPU (a fifth of the price, measured). When that is so: serial.h.
 *
 * The first target inherits the tracing thread's affinity, its children theirs.
 */
struct colocate {
	cpu_set_t original;             /* as iotrace was started */
	cpu_set_t one;                  /* the CPU they share, the same for the whole run */
	int able;                       /* they may share one */
	int active;                     /* they do */
	uint64_t checked_ns, waited_ns; /* of the last colocate_waits() */
	pid_t checked;                  /* and of whom */
};

/* What serial.c knows of the tree. */
struct serial {
	unsigned int calm;    /* stops in a row at which the tree was serial, while apart */
	unsigned int needed;  /* so many, until they come together */
	unsigned int shared;  /* stops since they did */
	unsigned int crowded; /* looks in a row that found several running */
	uint64_t looked_ns;
	uint64_t swept;     /* records, at the last look */
	unsigned int stops; /* since then */
	int has_timer, timer_runs;
	void *timer; /* timer_t, of the tracing thread */
};

/* The calling thread stays on the CPU where it is; children inherit that. Not where a target could
 * become somebody whose mask we may not set. */
void colocate_begin(struct colocate *c);
/* Its timer. */
void colocate_release(struct serial *n);
/* The calling thread may run where iotrace was allowed to, and goes back. */
void colocate_apart(struct colocate *c);
void colocate_again(struct colocate *c);
/* A target's mask, where it is what iotrace had, or ours; one that somebody has set stays. */
void colocate_take(const struct colocate *c, pid_t target);
void colocate_give_back(const struct colocate *c, pid_t target);
/* 1 if the only target, which is stopped, spends its time waiting for the CPU, because something
 * else that cannot move runs there. To be called every 50 ms or so: it is of the time since the
 * last one. */
int colocate_waits(struct colocate *c, pid_t target, uint64_t now_ns);
/* In the child: apart from the tracer, and back, to measure both. Nothing if not active. */
void colocate_leave(const struct colocate *c);
void colocate_return(const struct colocate *c);

#endif

/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef AGG_EXCHANGE_H
#define AGG_EXCHANGE_H

#include "tracer/event.h"

/*
 * Who was first, where messages go both ways: told from how many came and went, in the order of
 * the calls' ends, by thread and descriptor with ids up to AGG_ROWS_MAX. Of a batch that is sent,
 * was it received before; of one that is received, does it answer what was sent?
 */
struct exchange;
/* times: 0 if those of events only say which call came before which. */
struct exchange *exchange_new(int times);
/* The run was not seen from its start: what came or went before is not known. */
void exchange_attached(struct exchange *x);
void exchange_free(struct exchange *x);

struct exchanged {
	enum {
		FIRST_NOT, /* there is nothing that this belongs to */
		FIRST_KNOWN,
		FIRST_UNTOLD, /* as many came as went; which came first cannot be told */
	} first;
	/* It is so as long as no second thread is seen on the descriptor: FIRST_UNTOLD then. */
	int is_supposed;
};
/* Of calls that moved messages, before they are added. */
struct exchanged exchange_of_received(const struct exchange *x, const struct sys_event *ev);
struct exchanged exchange_of_sent(const struct exchange *x, const struct sys_event *ev);

void exchange_received(struct exchange *x, const struct sys_event *ev, uint64_t messages);
/* is_callers: of its size nothing but its caller is the cause. */
void exchange_sent_batch(struct exchange *x, const struct sys_event *ev, int is_callers);
void exchange_sent_one(struct exchange *x, const struct sys_event *ev);

/* 1 if more than one thread was seen on that descriptor. */
int exchange_is_shared(const struct exchange *x, uint32_t fd_id);

#endif

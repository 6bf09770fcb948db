/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef HISTORY_SCHEMA_H
#define HISTORY_SCHEMA_H

#include "common/history/db.h"

/*
 * The tables, docs/HISTORY.md: one schema for SQLite and PostgreSQL. Its number is that of the last
 * step; an older store is brought up to it, step by step, in one transaction. `run` is in every
 * table that grows and in its keys, and what belongs to a run has the same: a distributed
 * PostgreSQL takes it as distribution column, and the other two tables as reference tables.
 */

/* Looks at what is there, makes or migrates it. -EINVAL: another program's, or a newer one. */
int schema_ready(struct db *db, struct err *err);

#endif

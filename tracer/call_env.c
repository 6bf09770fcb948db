/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/call_env.h"

#include "tracer/session.h"

const struct mem_reader *call_env_memory(struct session *s, const struct tracee *t)
{
	s->reads.tid = t->tid;
	return &s->memory;
}

struct decode_env call_env(const struct session *s, const struct tracee *t,
	const struct sys_event *ev, const struct file *file)
{
	struct decode_env env = {0};

	if (ev->def->decoder == &decoder_brk)
		env.prev_brk = mappings_brk(s->book.mappings, t->mm->id);
	if (file) {
		env.gso_size = file->gso_size;
		env.gro = file->gro;
	}
	return env;
}

struct caller call_env_caller(const struct tracee *t)
{
	return (struct caller){t->files, t->process->pid, t->tid};
}

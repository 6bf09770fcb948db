/* SPDX-License-Identifier: GPL-3.0-only */
/* The report; what compilers write of themselves. */
#include "common/doctor/doctor.h"

#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "common/doctor/doctor_parts.h"

static const struct {
	const char *id;
	void (*judge)(const struct doctor_facts *f, struct doctor_verdict *v);
} checks[] = {
#define CHECK(function, id, about) {id, judge_##function},
#include "common/doctor/doctor.def"
#undef CHECK
};

void doctor_say(struct doctor_verdict *v, enum doctor_level level, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	v->level = level;
	v->text = arena_vprintf(v->arena, fmt, ap);
	va_end(ap);
}

void doctor_fix(struct doctor_verdict *v, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	v->fix = arena_vprintf(v->arena, fmt, ap);
	va_end(ap);
}

void doctor_judge(const struct doctor_facts *f, struct doctor_report *report)
{
	for (size_t i = 0; i < LEN(checks); i++) {
		struct doctor_verdict v = {.arena = &report->arena};

		checks[i].judge(f, &v);
		if (v.text)
			*VEC_PUSH(report) =
				(struct doctor_line){checks[i].id, v.level, v.text, v.fix};
	}
}

void doctor_add(struct doctor_report *report, const struct doctor_line *line)
{
	*VEC_PUSH(report) = (struct doctor_line){
		arena_strdup(&report->arena, line->id),
		line->level,
		arena_strdup(&report->arena, line->text),
		arena_strdup(&report->arena, line->fix),
	};
}

void doctor_report_release(struct doctor_report *report)
{
	free(report->at);
	arena_release(&report->arena);
	*report = (struct doctor_report){0};
}

enum doctor_level doctor_worst(const struct doctor_report *report)
{
	enum doctor_level worst = DOCTOR_OK;

	for (size_t i = 0; i < report->len; i++)
		if (report->at[i].level > worst)
			worst = report->at[i].level;
	return worst;
}

/* ---- DW_AT_producer ---- */

int doctor_producer_is_assembler(const char *producer)
{
	return !strncmp(producer, "GNU AS", 6);
}

/* GCC writes every option that matters; others only when they write any. */
static int tells_options(const char *producer)
{
	return !strncmp(producer, "GNU ", 4) || strstr(producer, " -O") ||
	       !strncmp(producer, "Go ", 3);
}

/* The level of the last -O of GCC or clang, which is the one that counts; NULL: there is none. */
static const char *last_level(const char *producer)
{
	const char *level = NULL;

	for (const char *p = producer; (p = strstr(p, " -O")); p += 3)
		level = p + 3;
	return level;
}

enum doctor_yes doctor_producer_optimized(const char *producer)
{
	const char *level = last_level(producer);

	if (!tells_options(producer))
		return DOCTOR_UNKNOWN;
	if (!strncmp(producer, "Go ", 3))
		return strstr(producer, " -N") ? DOCTOR_NO : DOCTOR_YES;
	return level && *level != '0' ? DOCTOR_YES : DOCTOR_NO;
}

static const char *last(const char *text, const char *word)
{
	const char *found = NULL;

	for (const char *p = text; (p = strstr(p, word)); p++)
		found = p;
	return found;
}

enum doctor_yes doctor_producer_frame_pointers(const char *producer)
{
	const char *keep = last(producer, " -fno-omit-frame-pointer");
	const char *omit = last(producer, " -fomit-frame-pointer");

	if (!strncmp(producer, "Go ", 3))
		return DOCTOR_YES; /* on amd64 and arm64, always */
	if (keep || omit)
		return keep > omit ? DOCTOR_YES : DOCTOR_NO;
	/* Without either: GCC keeps them as long as it does not optimize. */
	if (strncmp(producer, "GNU ", 4) != 0)
		return DOCTOR_UNKNOWN;
	return doctor_producer_optimized(producer) == DOCTOR_NO ? DOCTOR_YES : DOCTOR_NO;
}

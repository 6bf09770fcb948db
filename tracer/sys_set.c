/* SPDX-License-Identifier: GPL-3.0-only */
#include "tracer/sys_set.h"

#include <errno.h>
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/mem.h"
#include "common/base/nearest.h"
#include "common/base/units.h"

#define ARRAY_LEN(a) (sizeof(a) / sizeof((a)[0]))

static const struct {
	const char *name; /* after the % */
	uint32_t sets;
	int bare; /* the name alone too, before a call of that name (i386 has signal and ipc) */
} classes[] = {
	{"io", SET_IO, 0},
	{"network", SET_NETWORK, 1},
	{"net", SET_NETWORK, 1},
	{"file", SET_FILE, 1},
	{"desc", SET_DESC, 1},
	{"memory", SET_MEMORY, 1},
	{"process", SET_PROCESS, 1},
	{"signal", SET_SIGNAL, 1},
	{"ipc", SET_IPC, 1},
	{"clock", SET_CLOCK, 0},
	{"creds", SET_CREDS, 0},
	{"pure", SET_PURE, 0},
	{"stat", SET_STAT, 0},
	{"lstat", SET_LSTAT, 0},
	{"fstat", SET_FSTAT, 0},
	{"%stat", SET_STAT | SET_LSTAT | SET_FSTAT, 0},
	{"statfs", SET_STATFS, 0},
	{"fstatfs", SET_FSTATFS, 0},
	{"%statfs", SET_STATFS | SET_FSTATFS | SET_USTAT, 0},
};

/* A list that is being read. */
struct list {
	struct sys_set set;
	int negated;  /* a ! before all of it */
	int optional; /* a word with ? was no call */
	size_t words;
};

static int unknown_word(const char *word, struct err *err)
{
	int class = word[0] == '%';
	/* No name is as long as that. */
	struct nearest n = nearest_to(word + class, 1 + strnlen(word, 64) / 3);

	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if (class || classes[i].bare)
			nearest_try(&n, classes[i].name);
	if (!class)
		sys_try_names(&n);
	if (!n.name)
		return err_set(err, -EINVAL, "unknown system call or class '%s'", word);
	return err_set(err, -EINVAL, "unknown system call or class '%s'; did you mean '%s%s'?",
		word, class ? "%" : "", n.name);
}

static void put_index(struct sys_set *set, size_t index, int on)
{
	if (index >= set->len) {
		set->has = mem_realloc(set->has, index + 1, 1);
		memset(set->has + set->len, set->all, index + 1 - set->len);
		set->len = index + 1;
	}
	set->has[index] = on != 0;
}

static void put_all(struct sys_set *set, int on)
{
	set->all = on != 0;
	memset(set->has, set->all, set->len);
}

static void invert(struct sys_set *set)
{
	set->all = !set->all;
	for (size_t i = 0; i < set->len; i++)
		set->has[i] = !set->has[i];
}

/* ---- words: each returns 1 if it was one ---- */

static int put_class(struct sys_set *set, const char *word, int on)
{
	int bare = word[0] != '%';
	uint32_t sets = 0;

	for (size_t i = 0; i < ARRAY_LEN(classes); i++)
		if ((!bare || classes[i].bare) && !strcmp(classes[i].name, word + !bare))
			sets = classes[i].sets;
	for (size_t i = 0; sets && i < sys_count(); i++)
		if (sys_by_index(i)->sets & sets)
			put_index(set, i, on);
	return sets != 0;
}

/* POSIX extended, anywhere in the name; -EINVAL if it is none. */
static int put_regex(struct sys_set *set, const char *regex, int on, struct err *err)
{
	char why[80];
	regex_t re;
	int rc = regcomp(&re, regex, REG_EXTENDED | REG_NOSUB), any = 0;

	if (rc) {
		regerror(rc, &re, why, sizeof(why));
		return err_set(err, -EINVAL, "'/%s' is no regular expression: %s", regex, why);
	}
	for (size_t i = 0; i < sys_count(); i++)
		if (regexec(&re, sys_by_index(i)->name, 0, NULL, 0) == 0) {
			put_index(set, i, on);
			any = 1;
		}
	regfree(&re);
	return any;
}

/* "syscall_N" and "N" name a number, whether or not it has been seen. */
static const struct sys_def *by_number_word(const char *word)
{
	static const char prefix[] = "syscall_";
	size_t skip = strncmp(word, prefix, sizeof(prefix) - 1) == 0 ? sizeof(prefix) - 1 : 0;
	uint64_t nr;

	if (units_parse_u64(word + skip, 0, UINT32_MAX, &nr, NULL) < 0)
		return NULL;
	return sys_by_number(ABI_NATIVE, (uint32_t)nr);
}

static int put_name(struct sys_set *set, const char *word, int on)
{
	const struct sys_def *def = sys_by_name(word);

	if (!def)
		def = by_number_word(word);
	if (def)
		put_index(set, def->index, on);
	return def != NULL;
}

static int put_found(struct sys_set *set, const char *word, int on, struct err *err)
{
	if (word[0] == '/')
		return put_regex(set, word + 1, on, err);
	return put_class(set, word, on) || put_name(set, word, on);
}

/* ---- the list ---- */

static int no_such_word(const char *word, struct err *err)
{
	const char *abi = strchr(word, '@');

	if (word[0] == '/')
		return err_set(err, -EINVAL, "no system call matches '%s'", word);
	if (abi)
		return err_set(err, -EINVAL,
			"'%s': a set is of programs of every width, so without '%s'", word, abi);
	return unknown_word(word, err);
}

static int put_word(struct list *l, const char *word, struct err *err)
{
	int out = word[0] == '!', optional, rc;

	word += out;
	optional = word[0] == '?';
	word += strspn(word, "?");
	if (!strcmp(word, "none") || (l->negated && !strcmp(word, "all")))
		return err_set(err, -EINVAL,
			"'%s' in a list%s: no call would be left; to leave some out of all: "
			"'all,!x'",
			word, l->negated ? " after !" : "");
	if (!strcmp(word, "all")) {
		put_all(&l->set, !out);
		return 0;
	}
	rc = put_found(&l->set, word, l->negated || !out, err);
	if (rc == 0 && !optional)
		return no_such_word(word, err);
	l->optional |= rc == 0;
	return rc < 0 ? rc : 0;
}

/* 1 if the list is one of the words that stand alone. */
static int put_alone(struct list *l, const char *spec)
{
	if (!strcmp(spec, "all"))
		put_all(&l->set, 1);
	return !strcmp(spec, "all") || !strcmp(spec, "none");
}

static int put_words(struct list *l, const char *spec, struct err *err)
{
	cleanup_free char *text = mem_strdup(spec);
	char *rest = text, *word;
	int rc = 0;

	while (rc == 0 && (word = strsep(&rest, ",")) != NULL)
		if (*word) {
			rc = put_word(l, word, err);
			l->words++;
		}
	return rc == 0 && !l->words ? unknown_word("", err) : rc;
}

/* What comes before the list: "trace=", and as many ! as there are, each turning it round. */
static const char *begin(struct list *l, const char *spec)
{
	if (!strncmp(spec, "trace=", strlen("trace=")))
		spec += strlen("trace=");
	else if (!strncmp(spec, "t=", strlen("t=")))
		spec += strlen("t=");
	for (; *spec == '!'; spec++)
		l->negated = !l->negated;
	return spec;
}

int sys_set_parse(struct sys_set *set, const char *spec, struct err *err)
{
	struct list l = {0};
	const char *words = begin(&l, spec);
	int alone, rc = 0;

	put_index(&l.set, sys_count() - 1, 0);
	alone = put_alone(&l, words);
	if (!alone)
		rc = put_words(&l, words, err);
	if (l.negated)
		invert(&l.set);
	if (rc == 0 && !alone && !l.optional && sys_set_is_empty(&l.set))
		rc = err_set(err, -EINVAL, "'%s' leaves no call; 'none' asks for that", spec);
	if (rc < 0) {
		sys_set_release(&l.set);
		return rc;
	}
	*set = l.set;
	return 0;
}

int sys_set_has(const struct sys_set *set, const struct sys_def *def)
{
	return def->index < set->len ? set->has[def->index] : set->all;
}

int sys_set_meets(const struct sys_set *a, const struct sys_set *b)
{
	for (size_t i = 0; i < sys_count(); i++)
		if (sys_set_has(a, sys_by_index(i)) && sys_set_has(b, sys_by_index(i)))
			return 1;
	return a->all && b->all;
}

int sys_set_is_empty(const struct sys_set *set)
{
	return !set->all && !(set->has && memchr(set->has, 1, set->len));
}

void sys_set_release(struct sys_set *set)
{
	free(set->has);
	*set = (struct sys_set){0};
}

/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef ANALYZE_ERRORS_H
#define ANALYZE_ERRORS_H

#include "common/base/mem.h"
#include "common/model/result.h"

/* Searches that fail: so often in one process, in so large a share of its calls, they are worth a
 * look. What each of many processes asks once, none of them could remember. */
#define ERRORS_OFTEN       100
#define ERRORS_OFTEN_SHARE 0.5

enum error_verdict { ERROR_NORMAL, ERROR_SEARCH, ERROR_CHECK, ERROR_UNKNOWN };

struct error_row {
	const struct res_syscall *call;
	const char *errno_name; /* of the result */
	uint64_t count, often;  /* often: at most, of processes in which it is worth a look */
	double rate;            /* of the call's calls */
	enum error_verdict verdict;
	const char *why; /* "" if unknown */
};

/* What the table says of an error; *ret_why is static. */
enum error_verdict error_judge(const char *call, const char *errno_name, const char **ret_why);
/* Every error of the result, most first, in a; SEARCH has become NORMAL or
 * CHECK. */
struct error_row *errors_list(struct arena *a, const struct res_result *r, size_t *ret_len);

#endif

/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef CLI_EASE_OPTIONS_H
#define CLI_EASE_OPTIONS_H

#include "common/analyze/analyze.h"

#define EASE_HELP "how easy (1 to 10) a kind of change is in this program, e.g. batch-limit=4"
#define CONFIG_HELP                                                                                \
	"the catalogue, whose \"ease\" says the same (default " CONFIG_DEFAULT_FILE                \
	", if there is one)"

/* How easy changes are: what the catalogue says (config: its path, NULL: the usual one if it is
 * there), then list: "batch-limit=4,empty-calls=9" or NULL. t has the defaults at first. */
int ease_options(const char *config, const char *list, struct ease_table *t, struct err *err);

#endif

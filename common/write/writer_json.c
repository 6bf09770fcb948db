/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/model/json.h"
#include "common/write/writer.h"

const struct writer writer_json = {
	.id = "json",
	.suffix = ".json",
	.write = json_write_doc,
};

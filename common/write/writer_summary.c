/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/view/view.h"
#include "common/write/writer.h"

#define SUMMARY_COLUMNS 100

static void summary_write(const void *r, struct out *o)
{
	struct doc *d = view_summary(r);

	text_write_doc(d, o, out_columns(o->fd, SUMMARY_COLUMNS));
	doc_free(d);
}

const struct writer writer_summary = {
	.id = "summary",
	.suffix = "-summary.txt",
	.write = summary_write,
};

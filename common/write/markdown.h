/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef WRITE_MARKDOWN_H
#define WRITE_MARKDOWN_H

#include "common/base/mem.h"
#include "common/base/out.h"
#include "common/view/doc.h"

/*
 * Prints a doc as Markdown (CommonMark with the tables of GitHub). A HEAD is a
 * chapter, a SECTION a section. Every text is escaped: none of it can be
 * markup, a link, HTML or the end of a cell.
 */
void markdown_write_doc(const struct doc *d, struct out *o);

/* s as text for Markdown, in a: control characters as \n or \xNN (see safe.h),
 * then what would be markup with a backslash or as an entity. */
char *markdown_text(struct arena *a, const char *s);

#endif

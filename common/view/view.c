/* SPDX-License-Identifier: GPL-3.0-only */
#include "common/view/view.h"

#include "common/view/view_parts.h"

static void blind_spots(struct doc *d, const struct res_result *r)
{
	if (!r->tracer && !r->blind_spots.len)
		return; /* nobody looked */
	doc_section(d, "BLIND SPOTS");
	if (!r->blind_spots.len) {
		doc_text(d,
			view_traced(r, "mmap")
				? "none found: but for reading files that are mapped, no I/O was "
				  "seen that goes past system calls"
				: "none found, but mmap was not traced: files can be written and "
				  "read by memory");
		return;
	}
	for (size_t i = 0; i < r->blind_spots.len; i++)
		doc_note(d, "%s", view_name(r->blind_spots.at[i]));
}

struct doc *view_summary(const struct res_result *r)
{
	struct doc *d = doc_new();

	view_head(d, r);
	view_batching(d, r);
	view_places(d, r);
	view_latency(d, r);
	view_errors(d, r);
	view_memory(d, r);
	view_phases(d, r);
	blind_spots(d, r);
	view_totals(d, r);
	return d;
}

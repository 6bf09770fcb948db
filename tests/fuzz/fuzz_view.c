/* SPDX-License-Identifier: GPL-3.0-only */
/* Everything that prints a saved result: summary, Markdown, every table as CSV. */
#include "common/model/json.h"
#include "common/report/plot_sweep.h"
#include "common/view/view.h"
#include "common/write/csv.h"
#include "common/write/markdown.h"
#include "common/write/writer.h"
#include "tests/fuzz/fuzz.h"

static void print_doc(struct doc *d)
{
	struct out o;

	out_init_mem(&o);
	text_write_doc(d, &o, 100);
	fuzz_check_safe(&o);
	fuzz_renew(&o);
	markdown_write_doc(d, &o);
	fuzz_check_safe(&o);
	out_release(&o);
	doc_free(d);
}

static void print_tables(const struct schema *schema, const void *doc)
{
	struct csv_tables t;
	struct out o;

	out_init_mem(&o);
	csv_tables_init(&t, schema);
	for (size_t i = 0; i < t.len; i++) {
		csv_write(&t.at[i], doc, CSV_EXACT, &o);
		fuzz_renew(&o);
		csv_write(&t.at[i], doc, CSV_TERMINAL, &o);
		fuzz_check_safe(&o);
	}
	csv_tables_release(&t);
	out_release(&o);
}

static void print_sweep(const struct res_sweep *s)
{
	struct out o;

	print_doc(view_sweep(s));
	out_init_mem(&o);
	plot_sweep_write(s, &o);
	fuzz_check_safe(&o);
	out_release(&o);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *path = fuzz_path(0, data, size);

	for (const struct schema *const *s = schemas; *s; s++) {
		void *doc;

		if (json_read_struct(path, *s, &doc, NULL) < 0)
			continue;
		if (*s == &schema_result)
			print_doc(view_summary(doc));
		if (*s == &schema_compare) {
			print_doc(view_compare(doc, 0));
			print_doc(view_compare(doc, 1));
		}
		if (*s == &schema_sweep)
			print_sweep(doc);
		print_tables(*s, doc);
		result_free(doc);
	}
	return 0;
}

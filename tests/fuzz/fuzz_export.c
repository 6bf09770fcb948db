/* SPDX-License-Identifier: GPL-3.0-only */
/* Every export of a result, with a file that was made elsewhere beside it: a line "----" between
 * that file (lines of a detail, folded stacks) and the result; where there is none it is an empty
 * one. */
#include <profile.pb-c.h>
#include <zlib.h>

#include "common/base/mem.h"
#include "common/export/format.h"
#include "common/model/json.h"
#include "common/write/safe.h"
#include "tests/fuzz/fuzz.h"

static char folder[] = "/tmp/fuzz_export.XXXXXX";
static const char *const names[] = {"x-time.folded", "x-calls.folded", "x.folded"};

static void remove_folder(void)
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		unlink(path);
	}
	rmdir(folder);
}

/* The prefix of stacks: what is found there is the input. */
static const char *stacks_of(const char *input)
{
	static char prefix[64];

	if (*prefix)
		return prefix;
	FUZZ_CHECK(mkdtemp(folder));
	atexit(remove_folder);
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		char path[64];

		snprintf(path, sizeof(path), "%s/%s", folder, names[i]);
		FUZZ_CHECK(symlink(input, path) == 0);
	}
	snprintf(prefix, sizeof(prefix), "%s/x", folder);
	return prefix;
}

static void check_json(const char *text, size_t len)
{
	struct json_doc *doc = NULL;
	struct err err = {0};

	if (json_doc_read(fuzz_path(1, text, len), &doc, &err) < 0)
		fprintf(stderr, "%s\n", err.text);
	FUZZ_CHECK(!err.code);
	json_doc_free(doc);
}

static void check_lines(const char *text)
{
	for (const char *end; *text; text = end + 1) {
		end = strchr(text, '\n');
		FUZZ_CHECK(end);
		check_json(text, (size_t)(end - text));
	}
}

/* What gzip holds; heap, the caller's. */
static uint8_t *unpacked(const uint8_t *packed, size_t len, size_t *ret_len)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)packed, .avail_in = (uInt)len};
	size_t room = (size_t)1 << 20;
	uint8_t *plain = malloc(room);
	int rc = Z_OK;

	FUZZ_CHECK(plain && inflateInit2(&z, 15 + 16) == Z_OK);
	while (rc == Z_OK) {
		if (z.total_out == room)
			plain = mem_realloc(plain, room *= 2, 1);
		z.next_out = plain + z.total_out;
		z.avail_out = (uInt)(room - z.total_out);
		rc = inflate(&z, Z_NO_FLUSH);
	}
	FUZZ_CHECK(rc == Z_STREAM_END);
	*ret_len = z.total_out;
	inflateEnd(&z);
	return plain;
}

/* What refers to something refers to what is there, and no weight is negative. */
static void check_profile(const Export__Pb__Profile *p)
{
	struct arena a = {0};

	FUZZ_CHECK(p->n_string_table && !*p->string_table[0]);
	for (size_t i = 0; i < p->n_string_table; i++)
		FUZZ_CHECK(!strcmp(p->string_table[i], safe_text(&a, p->string_table[i])));
	for (size_t i = 0; i < p->n_function; i++)
		FUZZ_CHECK((uint64_t)p->function[i]->name < p->n_string_table);
	for (size_t i = 0; i < p->n_sample; i++) {
		const Export__Pb__Sample *m = p->sample[i];

		FUZZ_CHECK(m->n_value == p->n_sample_type);
		for (size_t k = 0; k < m->n_value; k++)
			FUZZ_CHECK(m->value[k] >= 0);
		for (size_t k = 0; k < m->n_location_id; k++)
			FUZZ_CHECK(m->location_id[k] && m->location_id[k] <= p->n_location);
	}
	arena_release(&a);
}

static void check_pprof(const uint8_t *packed, size_t len)
{
	size_t plain_len;
	uint8_t *plain = unpacked(packed, len, &plain_len);
	Export__Pb__Profile *p = export__pb__profile__unpack(NULL, plain_len, plain);

	FUZZ_CHECK(p);
	check_profile(p);
	export__pb__profile__free_unpacked(p, NULL);
	free(plain);
}

static void export(const struct export_format *f, const struct export_source *s)
{
	struct out o, notes;
	struct err err = {0};

	out_init_mem(&o);
	out_init_mem(&notes);
	if (f->write(s, &o, &notes, &err) < 0)
		FUZZ_CHECK(err.text[0]);
	else if (!strcmp(f->id, "perfetto") || !strcmp(f->id, "speedscope"))
		check_json(out_text(&o), o.len);
	else if (!strcmp(f->id, "ndjson"))
		check_lines(out_text(&o));
	else if (!strcmp(f->id, "pprof"))
		check_pprof((const uint8_t *)out_text(&o), o.len);
	else if (!strcmp(f->id, "openmetrics"))
		fuzz_check_safe(&o);
	out_release(&o);
	out_release(&notes);
}

static int takes(const struct export_format *f, const struct schema *schema)
{
	for (const struct schema *const *s = f->schemas; s && *s; s++)
		if (*s == schema)
			return 1;
	return !f->schemas;
}

static void export_all(const struct schema *schema, const void *doc, const char *input)
{
	const struct export_source s = {.path = "x.json",
		.schema = schema,
		.doc = doc,
		.stacks = stacks_of(input),
		.detail = input,
		.calls_max = 100};
	const struct export_format *f;

	for (size_t i = 0; (f = export_format_at(i)); i++)
		if (takes(f, schema))
			export(f, &s);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct schema *const kinds[] = {&schema_result, &schema_cpu, &schema_memory};
	size_t len, at = fuzz_split(data, size, &len);
	const char *input = fuzz_path(0, data, len);

	for (size_t i = 0; i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		void *doc;

		if (json_read_struct(fuzz_path(1, data + at, size - at), kinds[i], &doc, NULL) < 0)
			doc = result_make(kinds[i]);
		export_all(kinds[i], doc, input);
		result_free(doc);
	}
	return 0;
}

/* SPDX-License-Identifier: GPL-3.0-only */
/* pprof's profile.proto, by gzip: stacks with all their weights. */
#include "common/export/format.h"

#include <errno.h>
#include <profile.pb-c.h>
#include <stdlib.h>
#include <zlib.h>

#include "common/export/stacks.h"
#include "common/write/safe.h"

/* Messages and the lists of pointers to them, as protobuf-c wants them; all in one arena. */
struct builder {
	struct arena arena;
	struct {
		char **at;
		size_t len, cap;
	} strings;
	Export__Pb__Profile profile;
};

#define NEW(b, name, init)                                                                         \
	__extension__({                                                                            \
		name *m_ = arena_alloc(&(b)->arena, 1, sizeof(name));                              \
		init(m_);                                                                          \
		m_;                                                                                \
	})
#define LIST(b, len) arena_alloc(&(b)->arena, (len) ? (len) : 1, sizeof(void *))

/* Strings that are there once anyway: frames come from a list of different ones. A name is the
 * target's: of one that is not UTF-8 readers of proto3 refuse the whole file. */
static int64_t add_string(struct builder *b, const char *text)
{
	*VEC_PUSH(&b->strings) = safe_text(&b->arena, text ? text : "");
	return (int64_t)b->strings.len - 1;
}

static void add_types(struct builder *b, const struct export_stacks *s)
{
	Export__Pb__Profile *p = &b->profile;

	p->sample_type = LIST(b, s->weights_len);
	for (size_t i = 0; i < s->weights_len; i++) {
		Export__Pb__ValueType *t =
			NEW(b, Export__Pb__ValueType, export__pb__value_type__init);

		t->type = add_string(b, s->weights[i].name);
		t->unit = add_string(b, s->weights[i].unit);
		p->sample_type[p->n_sample_type++] = t;
	}
	p->default_sample_type = p->n_sample_type ? p->sample_type[0]->type : 0;
}

/* One location and one function for each name: their addresses are not known any more. */
static void add_functions(struct builder *b, const struct export_stacks *s, const char *program)
{
	Export__Pb__Profile *p = &b->profile;
	Export__Pb__Mapping *m = NEW(b, Export__Pb__Mapping, export__pb__mapping__init);

	m->id = 1;
	m->filename = add_string(b, program);
	m->has_functions = 1;
	p->mapping = LIST(b, 1);
	p->mapping[p->n_mapping++] = m;
	p->function = LIST(b, s->names.len);
	p->location = LIST(b, s->names.len);
	for (size_t i = 0; i < s->names.len; i++) {
		Export__Pb__Function *f = NEW(b, Export__Pb__Function, export__pb__function__init);
		Export__Pb__Location *l = NEW(b, Export__Pb__Location, export__pb__location__init);

		f->id = l->id = i + 1;
		f->name = f->system_name = add_string(b, s->names.at[i]);
		l->mapping_id = 1;
		l->line = LIST(b, 1);
		l->line[l->n_line] = NEW(b, Export__Pb__Line, export__pb__line__init);
		l->line[l->n_line++]->function_id = f->id;
		p->function[p->n_function++] = f;
		p->location[p->n_location++] = l;
	}
}

static void add_samples(struct builder *b, const struct export_stacks *s)
{
	Export__Pb__Profile *p = &b->profile;

	p->sample = LIST(b, s->stacks.len);
	for (size_t i = 0; i < s->stacks.len; i++) {
		const struct export_stack *stack = &s->stacks.at[i];
		Export__Pb__Sample *m = NEW(b, Export__Pb__Sample, export__pb__sample__init);

		m->location_id = arena_alloc(&b->arena, stack->len + 1, sizeof(uint64_t));
		for (size_t k = stack->len; k > 0; k--)
			m->location_id[m->n_location_id++] = stack->frames[k - 1] + 1;
		m->value = arena_alloc(&b->arena, s->weights_len, sizeof(int64_t));
		for (size_t k = 0; k < s->weights_len; k++)
			m->value[m->n_value++] = (int64_t)stack->weight[k];
		p->sample[p->n_sample++] = m;
	}
}

static void add_run(struct builder *b, const struct export_source *s)
{
	const struct res_result *r = s->doc;

	if (s->schema != &schema_result)
		return;
	if (r->started_us != U64_NONE && r->started_us < INT64_MAX / 1000)
		b->profile.time_nanos = (int64_t)r->started_us * 1000;
	if (r->wall_ns < INT64_MAX)
		b->profile.duration_nanos = (int64_t)r->wall_ns;
}

static const char *program_of(const struct export_source *s)
{
	const struct res_environment *e = result_head(s->doc).environment;

	return e && e->target_path ? e->target_path : "";
}

/* ---- bytes ---- */

enum { GZIP_WINDOW = 15 + 16, LEVEL = 6 };

/* The same input is the same file: a gzip of deflate's has no time and no name. */
static int write_gzip(const uint8_t *p, size_t len, struct out *o, struct err *err)
{
	z_stream z = {.next_in = (Bytef *)(uintptr_t)p};
	uint8_t buf[16384];
	int rc = Z_OK;

	if (deflateInit2(&z, LEVEL, Z_DEFLATED, GZIP_WINDOW, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return err_set(err, -ENOMEM, "zlib cannot begin");
	while (rc != Z_STREAM_END) {
		uInt part = len > 1U << 30 ? 1U << 30 : (uInt)len;

		if (!z.avail_in) {
			z.avail_in = part;
			len -= part;
		}
		z.next_out = buf;
		z.avail_out = sizeof(buf);
		rc = deflate(&z, len ? Z_NO_FLUSH : Z_FINISH);
		out_bytes(o, buf, sizeof(buf) - z.avail_out);
	}
	deflateEnd(&z);
	return 0;
}

static int pprof_write(
	const struct export_source *s, struct out *o, struct out *notes, struct err *err)
{
	struct builder b = {.profile = EXPORT__PB__PROFILE__INIT};
	struct export_stacks stacks;
	int rc = export_stacks_read(s, &stacks, notes, err);

	if (rc == 0) {
		add_string(&b, "");
		add_types(&b, &stacks);
		add_functions(&b, &stacks, program_of(s));
		add_samples(&b, &stacks);
		add_run(&b, s);
		b.profile.n_string_table = b.strings.len;
		b.profile.string_table = b.strings.at;

		size_t len = export__pb__profile__get_packed_size(&b.profile);
		uint8_t *packed = mem_calloc(len + 1, 1);

		export__pb__profile__pack(&b.profile, packed);
		rc = write_gzip(packed, len, o, err);
		free(packed);
	}
	free(b.strings.at);
	arena_release(&b.arena);
	export_stacks_release(&stacks);
	return rc;
}

static const struct schema *const schemas_of[] = {&schema_result, &schema_cpu, NULL};

const struct export_format export_pprof = {
	.id = "pprof",
	.meaning = "stacks, for pprof (gzip)",
	.schemas = schemas_of,
	.write = pprof_write,
};

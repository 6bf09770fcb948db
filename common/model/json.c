/* SPDX-License-Identifier: GPL-3.0-only */
#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/cleanup.h"
#include "common/base/file.h"
#include "common/model/json.h"
#include "common/model/walk.h"

#define MAX_DEPTH  64
#define MAX_BYTES  ((size_t)256 << 20)
#define PLACE_SIZE 256

/* ---- parsing ---- */

struct position {
	size_t line, column;
};

static struct position position_of(const char *text, size_t offset)
{
	struct position at = {1, 1};

	for (size_t i = 0; i < offset; i++) {
		at.column++;
		if (text[i] == '\n')
			at = (struct position){at.line + 1, 1};
	}
	return at;
}

/* Offset of the bracket that goes deeper than MAX_DEPTH, or len. Before parsing, as the parser
 * recurses 2048 levels and everything after it walks what it accepted. */
static size_t too_deep(const char *text, size_t len)
{
	int depth = 0, in_string = 0;

	for (size_t i = 0; i < len; i++) {
		char c = text[i];

		if (in_string && c == '\\')
			i++;
		else if (c == '"')
			in_string = !in_string;
		else if (!in_string && (c == '[' || c == '{') && ++depth > MAX_DEPTH)
			return i;
		else if (!in_string && (c == ']' || c == '}'))
			depth--;
	}
	return len;
}

static int parse(const char *path, const char *text, size_t len, json_t **ret, struct err *err)
{
	size_t deep = too_deep(text, len);
	json_error_t e;

	if (deep < len) {
		struct position at = position_of(text, deep);

		return err_set(err, -EINVAL,
			"%s: line %zu column %zu: nested deeper than %d levels", path, at.line,
			at.column, MAX_DEPTH);
	}
	*ret = json_loadb(text, len, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, &e);
	if (!*ret)
		return err_set(
			err, -EINVAL, "%s: line %d column %d: %s", path, e.line, e.column, e.text);
	return 0;
}

/* ---- reading a result ---- */

/* Where in the file the walk is; printed only for an error. */
struct place {
	const struct place *up;
	const char *id; /* of a member, or NULL: element `index` */
	size_t index;
};

struct reader {
	const char *path;
	void *doc;
	struct err *err;
};

static void print_place(const struct place *at, struct out *o)
{
	if (!at->up)
		return;
	print_place(at->up, o);
	if (at->id)
		out_printf(o, "%s%s", at->up->up ? "." : "", at->id);
	else
		out_printf(o, "[%zu]", at->index);
}

static int wrong(const struct reader *rd, const struct place *at, const char *what)
{
	struct out place;
	int rc;

	out_init_mem(&place);
	print_place(at, &place);
	rc = err_set(rd->err, -EINVAL, "%s: %.*s: %s", rd->path, PLACE_SIZE,
		place.len ? out_text(&place) : "the whole", what);
	out_release(&place);
	return rc;
}

static int read_u64(const struct reader *rd, const struct place *at, const json_t *v, uint64_t *ret)
{
	if (json_is_integer(v)) {
		if (json_integer_value(v) < 0)
			return wrong(rd, at, "negative");
		*ret = (uint64_t)json_integer_value(v);
		return 0;
	}
	/* The writer's form of what JSON integers don't reach. */
	if (json_is_real(v) && json_real_value(v) >= 0x1p63 && json_real_value(v) < 0x1p64) {
		*ret = (uint64_t)json_real_value(v);
		return 0;
	}
	return wrong(rd, at, "not an integer");
}

static int read_str(
	const struct reader *rd, const struct place *at, const json_t *v, const char **ret)
{
	if (!json_is_string(v))
		return wrong(rd, at, "not a string");
	*ret = arena_strdup(result_arena(rd->doc), json_string_value(v));
	return 0;
}

static int read_strs(
	const struct reader *rd, const struct place *at, const json_t *v, struct res_strs *ret)
{
	size_t n = json_array_size(v);

	if (!json_is_array(v))
		return wrong(rd, at, "not a list");
	ret->at = arena_alloc(result_arena(rd->doc), n, sizeof(*ret->at));
	ret->len = n;
	for (size_t i = 0; i < n; i++) {
		struct place here = {.up = at, .index = i};
		const json_t *element = json_array_get(v, i);
		int rc = json_is_null(element) ? 0 : read_str(rd, &here, element, &ret->at[i]);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_counts(
	const struct reader *rd, const struct place *at, json_t *v, struct res_counts *ret)
{
	const char *key;
	json_t *element;

	if (!json_is_object(v))
		return wrong(rd, at, "not an object");
	ret->at = arena_alloc(result_arena(rd->doc), json_object_size(v), sizeof(*ret->at));
	json_object_foreach(v, key, element)
	{
		struct place here = {.up = at, .id = key};
		struct res_count *c = &ret->at[ret->len++];
		int rc = 0;

		*c = (struct res_count){arena_strdup(result_arena(rd->doc), key), U64_NONE};
		if (!json_is_null(element))
			rc = read_u64(rd, &here, element, &c->count);
		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_struct(const struct reader *rd, const struct place *at, json_t *v,
	const struct shape *shape, void *obj);

static int read_obj(const struct reader *rd, const struct place *at, json_t *v,
	const struct field *f, void *obj)
{
	void *nested = result_alloc(rd->doc, 1, f->shape);

	walk_set_obj(obj, f, nested);
	return read_struct(rd, at, v, f->shape, nested);
}

static int read_list(const struct reader *rd, const struct place *at, json_t *v,
	const struct field *f, void *obj)
{
	size_t n = json_array_size(v);
	char *elements;

	if (!json_is_array(v))
		return wrong(rd, at, "not a list");
	elements = result_alloc(rd->doc, n, f->shape);
	walk_set_list(obj, f, (struct walk_list){elements, n});
	for (size_t i = 0; i < n; i++) {
		struct place here = {.up = at, .index = i};
		int rc = read_struct(
			rd, &here, json_array_get(v, i), f->shape, elements + i * f->shape->size);

		if (rc < 0)
			return rc;
	}
	return 0;
}

static int read_keyed(const struct reader *rd, const struct place *at, json_t *v,
	const struct field *f, void *obj)
{
	const char *key;
	json_t *element;
	char *to;

	if (!json_is_object(v))
		return wrong(rd, at, "not an object");
	to = result_alloc(rd->doc, json_object_size(v), f->shape);
	walk_set_list(obj, f, (struct walk_list){to, json_object_size(v)});
	json_object_foreach(v, key, element)
	{
		struct place here = {.up = at, .id = key};
		int rc = read_struct(rd, &here, element, f->shape, to);

		if (rc < 0)
			return rc;
		*(const char **)walk_to(to, &f->shape->fields[0]) =
			arena_strdup(result_arena(rd->doc), key);
		to += f->shape->size;
	}
	return 0;
}

static int read_field(const struct reader *rd, const struct place *at, json_t *v,
	const struct field *f, void *obj)
{
	void *to = walk_to(obj, f);

	switch (f->type) {
	case FIELD_U64:
		return read_u64(rd, at, v, to);
	case FIELD_DBL:
		if (!json_is_number(v))
			return wrong(rd, at, "not a number");
		*(double *)to = json_number_value(v);
		return 0;
	case FIELD_BOOL:
		if (!json_is_boolean(v))
			return wrong(rd, at, "not true or false");
		*(int *)to = json_is_true(v);
		return 0;
	case FIELD_STR:
		return read_str(rd, at, v, to);
	case FIELD_STRS:
		return read_strs(rd, at, v, to);
	case FIELD_COUNTS:
		return read_counts(rd, at, v, to);
	case FIELD_OBJ:
		return read_obj(rd, at, v, f, obj);
	case FIELD_LIST:
		return read_list(rd, at, v, f, obj);
	case FIELD_KEYED:
		return read_keyed(rd, at, v, f, obj);
	}
	return 0;
}

/* Members that the shape lacks are a newer writer's; fields that v lacks stay "not measured". */
static int read_struct(const struct reader *rd, const struct place *at, json_t *v,
	const struct shape *shape, void *obj)
{
	if (json_is_null(v))
		return 0;
	if (!json_is_object(v))
		return wrong(rd, at, "not an object");
	for (size_t i = 0; i < shape->len; i++) {
		const struct field *f = &shape->fields[i];
		struct place here = {.up = at, .id = f->id};
		json_t *member = f->unit == UNIT_KEY ? NULL : json_object_get(v, f->id);
		int rc = 0;

		if (member && !json_is_null(member))
			rc = read_field(rd, &here, member, f, obj);
		if (rc < 0)
			return rc;
	}
	return 0;
}

/* "iotrace.result/N" with an N above that of `ours`. */
static int is_newer(const char *found, const char *ours)
{
	size_t stem = (size_t)(strrchr(ours, '/') + 1 - ours);
	const char *version = found + stem;

	assert(strlen(ours + stem) == 1); /* one digit of version */
	if (strncmp(found, ours, stem) != 0)
		return 0;
	return *version && strspn(version, "0123456789") == strlen(version) && *version != '0' &&
	       strcmp(version, ours + stem) != 0;
}

static int check_schema(
	const char *path, const json_t *root, const struct schema *schema, struct err *err)
{
	const char *found;

	if (!json_is_object(root))
		return err_set(err, -EINVAL, "%s: not %s: not a JSON object", path, schema->what);
	found = json_string_value(json_object_get(root, "schema"));
	if (!found)
		return err_set(
			err, -EINVAL, "%s: schema: missing, so this is not %s", path, schema->what);
	if (is_newer(found, schema->id))
		return err_set(err, -EINVAL,
			"%s: schema: %.64s is newer than this program, which reads %s", path, found,
			schema->id);
	if (strcmp(found, schema->id) != 0)
		return err_set(
			err, -EINVAL, "%s: schema: '%.64s' is not %s", path, found, schema->id);
	return 0;
}

static int read_document(
	const char *path, json_t *root, const struct schema *schema, void **ret, struct err *err)
{
	struct reader rd = {.path = path, .err = err};
	int rc = check_schema(path, root, schema, err);

	if (rc < 0)
		return rc;
	rd.doc = result_make(schema);
	rc = read_struct(&rd, &(struct place){0}, root, schema->shape, rd.doc);
	if (rc == 0)
		*ret = rd.doc;
	else
		result_free(rd.doc);
	return rc;
}

/* What jansson makes of a text until it is in a struct of ours: many small pieces, which all go
 * together. NULL: what it makes stays. */
static _Thread_local struct arena *pieces;

static void *piece_alloc(size_t size)
{
	return pieces ? arena_alloc(pieces, 1, size) : malloc(size);
}

static void piece_free(void *p)
{
	if (!pieces)
		free(p);
}

/* The kind that a file whose "schema" is id is of, in any version of it; NULL: none. */
static const struct schema *kind_like(const struct schema *const *kinds, const char *id)
{
	while (*kinds && (!id || strncmp((*kinds)->id, id, strcspn((*kinds)->id, "/") + 1) != 0))
		kinds++;
	return *kinds;
}

static int is_none_of(
	const char *path, const char *id, const struct schema *const *kinds, struct err *err)
{
	struct arena arena = {0};
	const char *names = "";

	for (; *kinds; kinds++)
		names = arena_printf(&arena, "%s%s%s", names, *names ? ", " : "", (*kinds)->id);
	err_set(err, -EINVAL, "%s: schema: %.64s; it must be one of %s", path, id ? id : "missing",
		names);
	arena_release(&arena);
	return -EINVAL;
}

static int parse_any(
	const struct json_text *t, const struct schema *const *kinds, void **ret, struct err *err)
{
	json_t *root = NULL;
	int rc = parse(t->name, t->text, t->len, &root, err);

	if (rc == 0) {
		const char *id = json_string_value(json_object_get(root, "schema"));
		const struct schema *kind = kinds[1] ? kind_like(kinds, id) : kinds[0];

		/* Of another version its reader says what is wrong. */
		rc = kind ? read_document(t->name, root, kind, ret, err)
			  : is_none_of(t->name, id, kinds, err);
	}
	json_decref(root);
	return rc;
}

static int parse_in_pieces(
	const struct json_text *t, const struct schema *const *kinds, void **ret, struct err *err)
{
	struct arena arena = {0};
	int rc;

	json_set_alloc_funcs(piece_alloc, piece_free);
	pieces = &arena;
	rc = parse_any(t, kinds, ret, err);
	pieces = NULL;
	arena_release(&arena);
	return rc;
}

int json_parse_struct(
	const struct json_text *t, const struct schema *schema, void **ret, struct err *err)
{
	return parse_in_pieces(t, (const struct schema *const[]){schema, NULL}, ret, err);
}

int json_read_any(const char *path, const struct schema *const *kinds, void **ret, struct err *err)
{
	cleanup_free char *text = NULL;
	size_t len;
	int rc = file_read(path, MAX_BYTES, &text, &len, err);

	return rc < 0 ? rc : parse_in_pieces(&(struct json_text){path, text, len}, kinds, ret, err);
}

int json_read_struct(const char *path, const struct schema *schema, void **ret, struct err *err)
{
	return json_read_any(path, (const struct schema *const[]){schema, NULL}, ret, err);
}

int json_read_result(const char *path, struct res_result **ret, struct err *err)
{
	void *doc;
	int rc = json_read_struct(path, &schema_result, &doc, err);

	if (rc == 0)
		*ret = doc;
	return rc;
}

/* ---- generic values ---- */

struct json_doc {
	char *path;
	json_t *root;
};

int json_doc_read(const char *path, struct json_doc **ret, struct err *err)
{
	cleanup_free char *text = NULL;
	json_t *root = NULL;
	size_t len;
	int rc = file_read(path, MAX_BYTES, &text, &len, err);

	if (rc == 0)
		rc = parse(path, text, len, &root, err);
	if (rc < 0)
		return rc;
	*ret = mem_calloc(1, sizeof(**ret));
	**ret = (struct json_doc){mem_strdup(path), root};
	return 0;
}

int json_doc_struct(
	const struct json_doc *d, const struct schema *schema, void **ret, struct err *err)
{
	return read_document(d->path, d->root, schema, ret, err);
}

void json_doc_free(struct json_doc *d)
{
	if (!d)
		return;
	json_decref(d->root);
	free(d->path);
	free(d);
}

size_t json_value_len(const char *text)
{
	json_error_t e;
	json_t *v = json_loads(text, JSON_DISABLE_EOF_CHECK | JSON_DECODE_ANY, &e);

	json_decref(v);
	return v ? (size_t)e.position : 0;
}

/* A struct json_value is a json_t: the type only keeps jansson out of the header. */
static json_t *of(const struct json_value *v)
{
	return (json_t *)v;
}

static const struct json_value *value(const json_t *j)
{
	return (const struct json_value *)j;
}

const struct json_value *json_doc_root(const struct json_doc *d)
{
	return value(d->root);
}

enum json_kind json_kind_of(const struct json_value *v)
{
	if (!v)
		return JSON_KIND_NULL;
	switch (json_typeof(of(v))) {
	case JSON_OBJECT:
		return JSON_KIND_OBJECT;
	case JSON_ARRAY:
		return JSON_KIND_ARRAY;
	case JSON_STRING:
		return JSON_KIND_STRING;
	case JSON_INTEGER:
		return JSON_KIND_INT;
	case JSON_REAL:
		return JSON_KIND_REAL;
	case JSON_TRUE:
	case JSON_FALSE:
		return JSON_KIND_BOOL;
	case JSON_NULL:
		break;
	}
	return JSON_KIND_NULL;
}

const struct json_value *json_get(const struct json_value *object, const char *key)
{
	return value(json_object_get(of(object), key));
}

size_t json_len(const struct json_value *v)
{
	return json_is_object(of(v)) ? json_object_size(of(v)) : json_array_size(of(v));
}

const struct json_value *json_at(const struct json_value *array, size_t i)
{
	return value(json_array_get(of(array), i));
}

const char *json_text(const struct json_value *v)
{
	return json_string_value(of(v));
}

int64_t json_int(const struct json_value *v, int64_t otherwise)
{
	return json_is_integer(of(v)) ? json_integer_value(of(v)) : otherwise;
}

double json_number(const struct json_value *v, double otherwise)
{
	return json_is_number(of(v)) ? json_number_value(of(v)) : otherwise;
}

int json_bool(const struct json_value *v, int otherwise)
{
	return json_is_boolean(of(v)) ? json_is_true(of(v)) : otherwise;
}

const char *json_key(const struct json_value *object, size_t i)
{
	void *it = json_object_iter(of(object));

	for (; it && i; i--)
		it = json_object_iter_next(of(object), it);
	return it ? json_object_iter_key(it) : NULL;
}

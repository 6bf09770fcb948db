/* SPDX-License-Identifier: GPL-3.0-only */
#ifndef MODEL_JSON_H
#define MODEL_JSON_H

#include <stddef.h>
#include <stdint.h>

#include "common/base/err.h"
#include "common/base/out.h"
#include "common/model/result.h"

/* The only room that knows jansson. */

/* Writes a document as JSON (2 spaces of indent, short objects on one line are fine), ends with a
 * newline. Strings that are not UTF-8 have the bad bytes replaced by U+FFFD. */
void json_write_doc(const void *doc, struct out *o);
/* Any struct by its shape, all of it on one line, for readers of JSON lines. */
void json_write_line(const void *obj, const struct shape *shape, struct out *o);
/* s as a JSON string with its quotes; NULL is null. */
void json_write_string(struct out *o, const char *s);
/* As the shortest number that reads back as d; not finite: null. */
void json_write_real(struct out *o, double d);

/* Reads a result. Unknown members are ignored (a newer writer); a wrong type, a missing or foreign
 * schema, trailing garbage and nesting beyond 64 are errors that name the place:
 * "FILE: line 12 column 3: ..." or "FILE: syscalls[3].batch.asked: not an integer". */
int json_read_result(const char *path, struct res_result **ret, struct err *err);

/* The same of a file of any schema: *ret is the struct of its whole, made by result_make(). */
int json_read_struct(const char *path, const struct schema *schema, void **ret, struct err *err);
/* The same of a file of any of these kinds, NULL after the last: result_schema() says of which. */
int json_read_any(const char *path, const struct schema *const *kinds, void **ret, struct err *err);
/* The same of text that was read already; name is what errors call it. */
struct json_text {
	const char *name, *text;
	size_t len;
};
int json_parse_struct(
	const struct json_text *t, const struct schema *schema, void **ret, struct err *err);

/*
 * Generic values, for configuration and catalogue: read-only view of a parsed file.
 * Owned by the document; strings live as long as it. No name here may be one that libjansson
 * exports (json_string, json_real): the linker would give the library ours.
 */
struct json_doc;
struct json_value; /* opaque: jansson's json_t */

int json_doc_read(const char *path, struct json_doc **ret, struct err *err);
void json_doc_free(struct json_doc *d); /* takes NULL */
/* The same as json_read_struct() of its file. */
int json_doc_struct(
	const struct json_doc *d, const struct schema *schema, void **ret, struct err *err);
const struct json_value *json_doc_root(const struct json_doc *d);

/* How long the value at the start of text is that more may follow; 0: it is none. */
size_t json_value_len(const char *text);

enum json_kind {
	JSON_KIND_NULL,
	JSON_KIND_BOOL,
	JSON_KIND_INT,
	JSON_KIND_REAL,
	JSON_KIND_STRING,
	JSON_KIND_ARRAY,
	JSON_KIND_OBJECT
};
enum json_kind json_kind_of(const struct json_value *v); /* NULL -> JSON_KIND_NULL */
const struct json_value *json_get(const struct json_value *object, const char *key); /* or NULL */
size_t json_len(const struct json_value *v); /* of an array or object, else 0 */
const struct json_value *json_at(const struct json_value *array, size_t i);
const char *json_text(const struct json_value *v); /* of a string, or NULL */
int64_t json_int(const struct json_value *v, int64_t otherwise);
double json_number(const struct json_value *v, double otherwise); /* of a real or an int */
int json_bool(const struct json_value *v, int otherwise);
/* Keys of an object in file order: key i, or NULL. */
const char *json_key(const struct json_value *object, size_t i);

#endif

#include "cmd/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/output.h"
#include "base/utf8.h"
#include "cmd/message.h"

struct json_object *json_document(const char *schema)
{
	struct json_object *o = json_object_new_object();

	json_add_str(o, "schema", schema);
	json_add_str(o, "tool", "perfskew " PACKAGE_VERSION);
	return o;
}

void json_add_str(struct json_object *o, const char *key, const char *s)
{
	char *clean;

	if (!s) {
		json_object_object_add(o, key, NULL);
		return;
	}
	clean = utf8_clean(s);
	json_object_object_add(o, key, json_object_new_string(clean));
	free(clean);
}

void json_add_u64(struct json_object *o, const char *key, uint64_t v)
{
	json_object_object_add(o, key, json_object_new_uint64(v));
}

void json_add_i64(struct json_object *o, const char *key, int64_t v)
{
	json_object_object_add(o, key, json_object_new_int64(v));
}

void json_add_bool(struct json_object *o, const char *key, int v)
{
	json_object_object_add(o, key, json_object_new_boolean(v));
}

static struct json_object *number(double v)
{
	char text[40];

	if (!isfinite(v))
		return NULL;
	snprintf(text, sizeof(text), "%.12g", v);
	return json_object_new_double_s(v, text);
}

void json_add_num(struct json_object *o, const char *key, double v)
{
	json_object_object_add(o, key, number(v));
}

struct json_object *json_add_obj(struct json_object *o, const char *key)
{
	struct json_object *child = json_object_new_object();

	json_object_object_add(o, key, child);
	return child;
}

struct json_object *json_add_arr(struct json_object *o, const char *key)
{
	struct json_object *child = json_object_new_array();

	json_object_object_add(o, key, child);
	return child;
}

struct json_object *json_append_obj(struct json_object *arr)
{
	struct json_object *child = json_object_new_object();

	json_object_array_add(arr, child);
	return child;
}

void json_add_range(struct json_object *o, const char *key, double low, double high)
{
	struct json_object *range;

	if (!isfinite(low) || !isfinite(high)) {
		json_object_object_add(o, key, NULL);
		return;
	}
	range = json_add_arr(o, key);
	json_object_array_add(range, number(low));
	json_object_array_add(range, number(high));
}

void json_add_damage(struct json_object *o, const struct damage *d)
{
	struct json_object *arr = json_add_arr(o, "damage");

	for (int i = 0; i < DAMAGE_KINDS; i++) {
		struct json_object *row;

		if (!d->kind[i].count)
			continue;
		row = json_append_obj(arr);
		json_add_str(row, "what", damage_text((enum damage_kind)i));
		json_add_u64(row, "offset", d->kind[i].offset);
		json_add_u64(row, "count", d->kind[i].count);
	}
}

int json_write(struct json_object *doc, const struct common_options *o)
{
	const char *text = json_object_to_json_string_ext(
		doc, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE);
	struct output out;
	struct error e;
	int code = EXIT_CODE_OK;

	if (output_open(&out, o->output, &e) < 0) {
		code = fail(&e);
	} else {
		put_text(out.f, text, strlen(text));
		fputc('\n', out.f);
		if (output_commit(&out, &e) < 0)
			code = fail(&e);
	}
	json_object_put(doc);
	return code;
}

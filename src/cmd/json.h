/*
 * JSON documents through json-c, with what it leaves to the caller: names that
 * are not valid UTF-8, and numbers that are not finite (null).
 */
#ifndef CMD_JSON_H
#define CMD_JSON_H

#include <json-c/json.h>
#include <stdint.h>

#include "base/damage.h"
#include "cmd/options.h"

/* {"schema": schema, "tool": "perfskew VERSION"} */
struct json_object *json_document(const char *schema);

/* Adders: the object takes over the value. Invalid UTF-8 becomes U+FFFD. */
void json_add_str(struct json_object *o, const char *key, const char *s); /* NULL: null */
void json_add_u64(struct json_object *o, const char *key, uint64_t v);
void json_add_i64(struct json_object *o, const char *key, int64_t v);
void json_add_bool(struct json_object *o, const char *key, int v);
/* Rounded to 12 significant digits; NaN and infinities: null. */
void json_add_num(struct json_object *o, const char *key, double v);
struct json_object *json_add_obj(struct json_object *o, const char *key);
struct json_object *json_add_arr(struct json_object *o, const char *key);
struct json_object *json_append_obj(struct json_object *arr);
/* [low, high], or null when either is not finite. */
void json_add_range(struct json_object *o, const char *key, double low, double high);
void json_add_damage(struct json_object *o, const struct damage *d);

/* Writes the document to --output (or standard output) and frees it. Returns an exit code. */
int json_write(struct json_object *doc, const struct common_options *o);

#endif

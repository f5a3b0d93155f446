/*
 * json: writing JSON text into a buf. Reading is protocol's (Jansson).
 *
 * The writer puts commas by itself: json_key() or an element adds one where needed, judged by the byte before.
 * Thread  any.   Errors  those of buf. Bytes given to json_text() must be UTF-8 (net and protocol check it).
 */
#ifndef BASE_JSON_H
#define BASE_JSON_H

#include "base/base_buf.h"

void json_open(struct buf *b, char bracket); /* '{' or '[', with a comma before it if it is an element */
void json_close(struct buf *b, char bracket);
/* "key": with a comma before it if it is not the first. key is plain ASCII. */
void json_key(struct buf *b, const char *key);
/* A quoted, escaped string: only `"`, `\` and what is below U+0020 are escaped, and U+2028/2029 not. */
void json_text(struct buf *b, struct str s);
/* How many of the n bytes at p stand in JSON text as they are: up to the first quote, backslash or what is below U+0020. */
size_t json_plain_run(const char *p, size_t n);
void json_int(struct buf *b, int64_t v);
void json_bool(struct buf *b, bool v);
void json_nil(struct buf *b);
/* JSON that is made already. */
void json_raw(struct buf *b, struct str s);
/* key and value in one. json_kv_str leaves the pair out where v is absent (v.s NULL). */
void json_kv_str(struct buf *b, const char *key, struct str v);
void json_kv_s(struct buf *b, const char *key, const char *v);
void json_kv_int(struct buf *b, const char *key, int64_t v);
void json_kv_bool(struct buf *b, const char *key, bool v);
void json_kv_raw(struct buf *b, const char *key, struct str v);

#endif

/*
 * JSON as its two files share it: protocol_json.c (commands and entries), protocol_json_each.c (lists and objects kept as
 * text). They alone know Jansson. Headers of what is public: protocol.h.
 *
 * Thread  any.   Owns  nothing.
 */
#ifndef PROTOCOL_JSON_ROOM_H
#define PROTOCOL_JSON_ROOM_H

#include "protocol/protocol.h"

#include "base/base_json.h"

/* The JSON writer of base has a json_null() of its own; Jansson's is not needed here. */
#define json_null jansson_null
#include <jansson.h>
#undef json_null

#define PARSE_FLAGS (JSON_REJECT_DUPLICATES)

/* A string's bytes, which are v's; STR_NONE if it is none. */
static inline struct str str_from(const json_t *v)
{
    return (struct str){json_string_value(v), json_string_length(v)};
}

/* ---- protocol_json.c */

/* The document of a text that passed the limits, new; NULL: *why says why not. */
json_t *protocol_parse(struct str frame, const struct protocol_limits *lim, struct refusal *why);
/* Any value as a struct val; lists, objects and reals as their text, behind what b holds, .i its offset. */
struct val protocol_val_from(const json_t *v, struct buf *b);

#endif

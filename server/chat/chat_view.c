#include "chat/chat_view.h"
#include "base/base_json.h"

#define FIELDS_MAX 6

/* What a shopper sees. Staff see every kind whole. */
struct shopper_row {
    bool shown, whole;
    bool hide_from; /* the acting person is nobody the shopper has to know */
    enum field fields[FIELDS_MAX];
    unsigned n;
};

#define WHOLE          {.shown = true, .whole = true}
#define SOME(N, ...)   {.shown = true, .n = (N), .fields = {__VA_ARGS__}}
#define BARE           {.shown = true, .n = 0}
#define SILENT(N, ...) {.shown = true, .hide_from = true, .n = (N), .fields = {__VA_ARGS__}}

static const struct shopper_row shopper[KIND_N] = {
    [KIND_STARTED] = SOME(2, FIELD_TOPIC, FIELD_DEPARTMENT),
    [KIND_MESSAGE] = SOME(2, FIELD_TEXT, FIELD_ATTACHMENT),
    [KIND_CARE] = SILENT(5, FIELD_STEP, FIELD_TEXT, FIELD_ARTICLES, FIELD_CHOICES, FIELD_DUE_AT),
    [KIND_ASSIGNED] = SILENT(1, FIELD_TO),
    [KIND_OWNED] = SILENT(1, FIELD_OWNER),
    [KIND_TRANSFERRED] = SILENT(2, FIELD_HANDLER, FIELD_OWNER),
    [KIND_TAKEN_BACK] = SILENT(1, FIELD_HANDLER),
    [KIND_REASSIGNED] = SILENT(1, FIELD_HANDLER),
    [KIND_HANDLER_LOST] = SILENT(0, FIELD_TEXT),
    [KIND_HANDLER_BACK] = SILENT(1, FIELD_HANDLER),
    [KIND_REFERRED] = SOME(3, FIELD_WHO, FIELD_HOW, FIELD_BY),
    [KIND_PROMISED] = SOME(3, FIELD_PROMISE, FIELD_TEXT, FIELD_UNTIL),
    [KIND_PROMISE_KEPT] = SILENT(1, FIELD_PROMISE),
    [KIND_RESOLUTION_PROPOSED] = SOME(2, FIELD_RESOLUTION, FIELD_SUMMARY),
    [KIND_CONFIRMED] = BARE,
    [KIND_REFUSED] = BARE,
    [KIND_REOPENED] = SILENT(0, FIELD_TEXT),
    [KIND_PARKED] = SOME(2, FIELD_PROMISE, FIELD_UNTIL),
    [KIND_UNPARKED] = SILENT(0, FIELD_TEXT),
    [KIND_RATED] = WHOLE,
    [KIND_LEFT] = BARE,
    [KIND_ABANDONED] = SILENT(0, FIELD_TEXT),
    [KIND_CLOSED] = SILENT(2, FIELD_HOW, FIELD_RETURN_MS),
    [KIND_REDACTED] = SILENT(1, FIELD_OF),
};

bool chat_view_is_shown(enum kind kind, enum audience audience)
{
    if ((unsigned)kind >= KIND_N)
        return false;
    return audience == AUDIENCE_STAFF || shopper[kind].shown;
}

bool chat_view_is_whole(enum kind kind)
{
    return (unsigned)kind < KIND_N && shopper[kind].whole;
}

void chat_view_write_shopper_tail(struct buf *b, const struct entry *e)
{
    const struct shopper_row *row = &shopper[e->kind];

    buf_add_s(b, "\"kind\":");
    json_text(b, str_of(kind_table[e->kind].name));
    json_key(b, "from");
    json_open(b, '{');
    if (row->hide_from || !e->from.id.s || !e->from.id.n) {
        json_kv_s(b, "role", "system");
    } else {
        json_kv_s(b, "role", role_name(e->from_role));
        json_kv_str(b, "id", e->from.id);
        if (e->from.name.n)
            json_kv_str(b, "name", e->from.name);
    }
    json_close(b, '}');
    for (unsigned i = 0; i < row->n || (row->whole && i < kind_table[e->kind].fields_n); i++) {
        enum field f = row->whole ? kind_table[e->kind].fields[i] : row->fields[i];
        const struct val *v = &e->f[f];

        switch (v->type) {
        case VAL_STR:
            json_kv_str(b, field_names[f], v->s);
            break;
        case VAL_INT:
            json_kv_int(b, field_names[f], v->i);
            break;
        case VAL_BOOL:
            json_kv_bool(b, field_names[f], v->b);
            break;
        case VAL_JSON:
            json_kv_raw(b, field_names[f], v->s);
            break;
        default:
            break;
        }
    }
    buf_add_c(b, '}');
}

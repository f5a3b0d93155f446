#include "protocol/protocol.h"

#include "base/base_json.h"

#include <assert.h>

void entry_init(struct entry *e, enum kind kind)
{
    memset(e, 0, sizeof *e);
    e->kind = kind;
}

static void write_value(struct buf *b, const struct val *v)
{
    switch (v->type) {
    case VAL_STR:
        json_text(b, v->s);
        break;
    case VAL_INT:
        json_int(b, v->i);
        break;
    case VAL_BOOL:
        json_bool(b, v->b);
        break;
    case VAL_JSON:
        json_raw(b, v->s);
        break;
    case VAL_NONE:
        json_nil(b);
        break;
    }
}

void entry_write_tail(struct buf *b, const struct entry *e)
{
    const struct kind_row *row = &kind_table[e->kind];

    json_kv_s(b, "kind", row->name);
    json_key(b, "from");
    json_open(b, '{');
    json_kv_s(b, "role", role_name(e->from_role));
    if (e->from.id.n)
        json_kv_str(b, "id", e->from.id);
    if (e->from.name.n)
        json_kv_str(b, "name", e->from.name);
    json_close(b, '}');
    for (unsigned i = 0; i < row->fields_n; i++) {
        const struct val *v = &e->f[row->fields[i]];

        if (v->type == VAL_NONE)
            continue;
        assert(v->type == row->types[i]); /* else entry_read() would refuse it */
        json_key(b, field_names[row->fields[i]]);
        write_value(b, v);
    }
    json_close(b, '}');
}

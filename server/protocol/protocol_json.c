/*
 * Reading commands and entries, with Jansson. Frames of plain members alone don't come that far (protocol_flat.h).
 *
 * A command costs one look over the bytes (depth, keys), one parse, one look-up a rule. Strings of the result
 * point into the parsed document. Lists and objects are written anew, with the members that the schema names
 * and in its order: what a stranger adds to them goes no further, and equal content is equal text (the digest
 * needs that).
 */
#include "protocol/protocol_json_room.h"

#include "protocol/protocol_flat.h"
#include "protocol/protocol_scan.h"

#include "base/base_crypto.h"

#include <stdio.h>
#include <stdlib.h>

/* 15 digits come back as they were written: 0.1 stays 0.1. */
#define DUMP_FLAGS    (JSON_COMPACT | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15))
#define TEXT_RULE_MAX 4000 /* a rule with this maximum obeys protocol_limits.text_chars instead */

/* What struct msg.json and struct entry.json point to. */
struct doc {
    json_t *root;   /* NULL: the strings stand in room */
    struct buf raw; /* the VAL_JSON texts, one after another */
    char room[];
};

void protocol_start(void)
{
    json_set_alloc_funcs(mem_alloc, free);
}

static struct doc *doc_create(json_t *root, size_t raw_max, size_t room)
{
    struct doc *d = mem_alloc(sizeof *d + room);

    d->root = root;
    buf_init(&d->raw, raw_max);
    return d;
}

/* A frame that `read` takes; NULL: it has to be parsed. */
static struct doc *doc_flat(struct str frame, bool (*read)(struct str, char *, struct flat *), struct flat *out)
{
    struct doc *d = doc_create(NULL, 0, frame.n + 1);

    if (read(frame, d->room, out))
        return d;
    free(d);
    return NULL;
}

static void doc_destroy(struct doc *d)
{
    if (!d)
        return;
    json_decref(d->root);
    buf_fini(&d->raw);
    free(d);
}

/* A VAL_JSON value is kept as an offset (in .i) while doc.raw still grows; then its text stands. */
static void doc_settle(const struct doc *d, struct val *f)
{
    if (d->raw.n == 0)
        return;
    for (unsigned i = 0; i < FIELD_N; i++) {
        if (f[i].type == VAL_JSON) {
            f[i].s.s = d->raw.p + f[i].i;
            f[i].i = 0;
        }
    }
}

/* A list, an object or a real number is VAL_JSON without a text; NULL and null are VAL_NONE. */
static struct val scalar_from(const json_t *v)
{
    if (!v || json_is_null(v))
        return (struct val){.type = VAL_NONE};
    if (json_is_string(v))
        return val_str(str_from(v));
    if (json_is_integer(v))
        return val_int(json_integer_value(v));
    if (json_is_boolean(v))
        return val_bool(json_is_true(v));
    return (struct val){.type = VAL_JSON};
}

/* Jansson's own texts quote what came in, cut anywhere: never sent back. */
static const char *parse_error(const json_error_t *e)
{
    switch (json_error_code(e)) {
    case json_error_invalid_utf8:
        return "not valid UTF-8";
    case json_error_premature_end_of_input:
        return "it ends too early";
    case json_error_end_of_input_expected:
        return "something follows after its end";
    case json_error_duplicate_key:
        return "a key stands twice in an object";
    case json_error_numeric_overflow:
        return "a number is out of range";
    case json_error_null_character:
    case json_error_null_byte_in_key:
        return "U+0000 is not allowed";
    default:
        return "wrong syntax";
    }
}

/* --- commands */

static bool refuse(struct refusal *why, enum code code, const char *fmt, ...)
    __attribute__((format(printf, 3, 4)));
static bool refuse(struct refusal *why, enum code code, const char *fmt, ...)
{
    va_list ap;

    why->code = code;
    va_start(ap, fmt);
    vsnprintf(why->text, sizeof why->text, fmt, ap);
    va_end(ap);
    return false;
}

static bool refuse_field(struct refusal *why, const struct field_rule *rule, const char *what)
{
    return refuse(why, CODE_BAD_REQUEST, "\"%s\" %s", field_names[rule->field], what);
}

struct reader {
    struct doc *doc;
    const struct flat *flat; /* NULL: doc->root */
    const struct protocol_limits *lim;
    struct refusal *why;
};

static bool is_one_of(struct str s, const char *const *list)
{
    for (; *list; list++) {
        if (str_is(s, *list))
            return true;
    }
    return false;
}

static bool read_str(struct reader *r, const struct field_rule *rule, struct val v, struct val *out)
{
    size_t max = rule->max == TEXT_RULE_MAX ? r->lim->text_chars : (size_t)rule->max;

    if (v.type != VAL_STR)
        return refuse_field(r->why, rule, "must be a string");
    if (rule->is_id) {
        if (!id_is_valid(v.s))
            return refuse_field(r->why, rule, "must be 1-64 characters of A-Z a-z 0-9 _ -");
    } else if (rule->one_of) {
        if (!is_one_of(v.s, rule->one_of))
            return refuse_field(r->why, rule, "is none of the allowed values");
    } else if (v.s.n < (size_t)rule->min || (rule->min > 0 && utf8_is_blank(v.s))) {
        return refuse_field(r->why, rule, "must not be empty");
    } else if (v.s.n > max && (v.s.n / 4 > max || utf8_chars(v.s) > max)) {
        return refuse(r->why, CODE_TOO_LARGE, "\"%s\" has more than %zu characters", field_names[rule->field],
                      max);
    }
    *out = v;
    return true;
}

static bool read_int(struct reader *r, const struct field_rule *rule, struct val v, struct val *out)
{
    if (v.type != VAL_INT)
        return refuse_field(r->why, rule, "must be a whole number");
    if (v.i < rule->min || v.i > rule->max)
        return refuse_field(r->why, rule, "is out of range");
    *out = v;
    return true;
}

static bool read_json(struct reader *r, const struct field_rule *rule, const json_t *v, struct val *out);

/* Checks one value and makes a struct val of it; a list or object (NULL: it is none) is written to doc->raw. */
static bool read_value(struct reader *r, const struct field_rule *rule, struct val v, const json_t *json, struct val *out)
{
    switch (rule->type) {
    case VAL_STR:
        return read_str(r, rule, v, out);
    case VAL_INT:
        return read_int(r, rule, v, out);
    case VAL_BOOL:
        if (v.type != VAL_BOOL)
            return refuse_field(r->why, rule, "must be true or false");
        *out = v;
        return true;
    default:
        return read_json(r, rule, json, out);
    }
}

static void write_scalar(struct buf *b, const struct val *v)
{
    if (v->type == VAL_STR)
        json_text(b, v->s);
    else if (v->type == VAL_INT)
        json_int(b, v->i);
    else if (v->type == VAL_BOOL)
        json_bool(b, v->b);
    /* VAL_JSON: read_json() has written it. */
}

/* An object inside a command: its known members, in the schema's order. */
static bool read_object(struct reader *r, const struct field_rule *rule, const json_t *v)
{
    struct buf *b = &r->doc->raw;

    if (!json_is_object(v))
        return refuse_field(r->why, rule, "must be an object");
    json_open(b, '{');
    for (unsigned i = 0; i < rule->sub_n; i++) {
        const struct field_rule *sub = &rule->sub[i];
        const json_t *m = json_object_get(v, field_names[sub->field]);
        struct val val;

        if (!m || json_is_null(m)) {
            if (sub->required)
                return refuse_field(r->why, sub, "is missing");
            continue;
        }
        json_key(b, field_names[sub->field]);
        if (!read_value(r, sub, scalar_from(m), m, &val))
            return false;
        write_scalar(b, &val);
    }
    json_close(b, '}');
    return true;
}

static bool read_list(struct reader *r, const struct field_rule *rule, const json_t *v)
{
    size_t n = json_array_size(v);
    struct buf *b = &r->doc->raw;

    if (!json_is_array(v))
        return refuse_field(r->why, rule, "must be a list");
    if (n < (size_t)rule->min || n > (size_t)rule->max)
        return refuse(r->why, CODE_BAD_REQUEST, "\"%s\" must have %d-%d items", field_names[rule->field],
                      (int)rule->min, (int)rule->max);
    json_open(b, '[');
    for (size_t i = 0; i < n; i++) {
        const json_t *item = json_array_get(v, i);
        struct val val;

        if (rule->item == 'O') {
            if (!read_object(r, rule, item))
                return false;
            continue;
        }
        if (!read_value(r, rule->sub, scalar_from(item), item, &val))
            return false;
        write_scalar(b, &val);
    }
    json_close(b, ']');
    return true;
}

static bool read_json(struct reader *r, const struct field_rule *rule, const json_t *v, struct val *out)
{
    size_t from = r->doc->raw.n;

    if (!(rule->item == 'o' ? read_object(r, rule, v) : read_list(r, rule, v)))
        return false;
    *out = (struct val){.type = VAL_JSON, .i = (int64_t)from, .s = {NULL, r->doc->raw.n - from}};
    return true;
}

/* A member of the frame, *json its list or object; VAL_NONE: it is absent, or null. */
static struct val member(const struct reader *r, const char *name, const json_t **json)
{
    const struct val *v;

    *json = NULL;
    if (!r->flat)
        return scalar_from(*json = json_object_get(r->doc->root, name));
    v = flat_get(r->flat->m, r->flat->n, name);
    return v ? *v : (struct val){.type = VAL_NONE};
}

static bool read_fields(struct reader *r, struct msg *out)
{
    for (unsigned i = 0; i < out->row->rules_n; i++) {
        const struct field_rule *rule = &out->row->rules[i];
        const json_t *json;
        struct val v = member(r, field_names[rule->field], &json);

        if (v.type == VAL_NONE) {
            if (rule->required)
                return refuse_field(r->why, rule, "is missing");
            continue;
        }
        if (!read_value(r, rule, v, json, &out->f[rule->field]))
            return false;
        if (rule->type == VAL_JSON)
            buf_add_c(&r->doc->raw, '\n'); /* the JSON writer begins anew behind it */
    }
    doc_settle(r->doc, out->f);
    return true;
}

/*
 * The digest says whether a repeated id bears the same content. `chat` is not in it: the key of an id holds
 * the chat already, and one tab may name the open chat where the other left it out. Names, not numbers: nodes
 * of two versions agree.
 */
static void make_digest(struct msg *m)
{
    struct str parts[1 + 3 * MSG_RULES_MAX];
    unsigned char heads[MSG_RULES_MAX][9];
    uint64_t digest;
    size_t n = 0;

    parts[n++] = (struct str){m->row->name, strlen(m->row->name) + 1};
    for (unsigned i = 0; i < m->row->rules_n; i++) {
        enum field field = m->row->rules[i].field;
        const struct val *v = &m->f[field];
        unsigned char *h = heads[i];
        uint64_t x;

        if (v->type == VAL_NONE || field == FIELD_CHAT)
            continue;
        h[0] = v->type == VAL_INT ? 'i' : v->type == VAL_BOOL ? 'b' : v->type == VAL_STR ? 's' : 'j';
        x = v->type == VAL_INT ? (uint64_t)v->i : v->type == VAL_BOOL ? v->b : v->s.n;
        for (unsigned k = 0; k < 8; k++)
            h[1 + k] = (unsigned char)(x >> (8 * k));
        parts[n++] = (struct str){field_names[field], strlen(field_names[field]) + 1};
        parts[n++] = (struct str){(const char *)h, 9};
        if (v->type == VAL_STR || v->type == VAL_JSON)
            parts[n++] = v->s;
    }
    digest = crypto_short_digest_parts(parts, n);
    memcpy(m->digest, &digest, sizeof m->digest);
}

json_t *protocol_parse(struct str frame, const struct protocol_limits *lim, struct refusal *why)
{
    json_error_t e;
    json_t *root;

    if (frame.n > lim->frame_bytes) {
        refuse(why, CODE_TOO_LARGE, "a message has at most %zu bytes", lim->frame_bytes);
        return NULL;
    }
    switch (scan_json(frame, lim->depth, lim->keys)) {
    case SCAN_TOO_DEEP:
        refuse(why, CODE_BAD_REQUEST, "nested more than %u deep", lim->depth);
        return NULL;
    case SCAN_TOO_MANY_KEYS:
        refuse(why, CODE_BAD_REQUEST, "more than %u keys", lim->keys);
        return NULL;
    case SCAN_OK:
        break;
    }
    root = json_loadb(frame.s ? frame.s : "", frame.n, PARSE_FLAGS, &e);
    if (!root)
        refuse(why, CODE_BAD_REQUEST, "not valid JSON: %s", parse_error(&e));
    return root;
}

bool protocol_read_command(struct str frame, unsigned roles, const struct protocol_limits *lim,
                           struct msg *out, struct refusal *why)
{
    struct flat flat;
    struct reader r = {.lim = lim, .why = why};
    const json_t *json;
    struct val id, t;

    memset(out, 0, sizeof *out);
    out->type = MSG_N;
    r.doc = frame.n <= lim->frame_bytes ? doc_flat(frame, flat_read, &flat) : NULL;
    if (r.doc && !flat.has_from && flat.n <= lim->keys) {
        r.flat = &flat;
    } else {
        json_t *root = protocol_parse(frame, lim, why);

        doc_destroy(r.doc);
        if (!root)
            return false;
        r.doc = doc_create(root, 3 * frame.n + 64, 0); /* an escape may grow: "\b" to 6 bytes */
    }
    out->json = r.doc;
    if (!r.flat && !json_is_object(r.doc->root))
        return refuse(why, CODE_BAD_REQUEST, "a message is a JSON object");
    id = member(&r, "id", &json);
    if (id.type != VAL_STR || !id_is_valid(id.s))
        return refuse(why, CODE_BAD_REQUEST, "\"id\" must be a string, 1-64 characters of A-Z a-z 0-9 _ -");
    out->id = id.s;
    t = member(&r, "t", &json);
    if (t.type != VAL_STR)
        return refuse(why, CODE_BAD_REQUEST, "\"t\" must name the type of the message");
    out->type = protocol_find_msg(t.s.s, t.s.n);
    if (out->type == MSG_N)
        return refuse(why, CODE_BAD_REQUEST, "there is no such type of message");
    out->row = &msg_table[out->type];
    if (!(out->row->roles & roles))
        return refuse(why, CODE_FORBIDDEN, "%s is not for this role", out->row->name);
    if (!read_fields(&r, out))
        return false;
    if (out->row->durable)
        make_digest(out);
    return true;
}

void msg_fini(struct msg *m)
{
    if (!m)
        return;
    doc_destroy(m->json);
    m->json = NULL;
}

/* --- entries */

static int append(const char *p, size_t n, void *ctx)
{
    buf_add(ctx, p, n);
    return 0;
}

struct val protocol_val_from(const json_t *v, struct buf *b)
{
    size_t from = b->n;

    switch (json_typeof(v)) {
    case JSON_STRING:
        return val_str(str_from(v));
    case JSON_INTEGER:
        return val_int(json_integer_value(v));
    case JSON_TRUE:
    case JSON_FALSE:
        return val_bool(json_is_true(v));
    case JSON_NULL:
        return (struct val){.type = VAL_NONE};
    default:
        json_dump_callback(v, append, b, DUMP_FLAGS);
        return (struct val){.type = VAL_JSON, .i = (int64_t)from, .s = {NULL, b->n - from}};
    }
}

static int read_from(struct val role, struct val id, struct val name, struct entry *out, struct err *err)
{
    out->from_role = role.type == VAL_STR ? role_from_name(role.s) : 0;
    if (!out->from_role)
        return err_set(err, ERR_INVALID, "no known role in \"from\"");
    out->from.id = id.type == VAL_STR ? id.s : STR_NONE;
    out->from.name = name.type == VAL_STR ? name.s : STR("");
    return 0;
}

static int read_entry_from(const struct reader *r, struct entry *out, struct err *err)
{
    const json_t *from;

    if (r->flat) {
        const struct val *v[3], none = {.type = VAL_NONE};
        static const char *const names[] = {"role", "id", "name"};

        for (unsigned i = 0; i < 3; i++) {
            v[i] = flat_get(r->flat->from, r->flat->from_n, names[i]);
            v[i] = v[i] ? v[i] : &none;
        }
        return read_from(*v[0], *v[1], *v[2], out, err);
    }
    from = json_object_get(r->doc->root, "from");
    return read_from(scalar_from(json_object_get(from, "role")), scalar_from(json_object_get(from, "id")),
                     scalar_from(json_object_get(from, "name")), out, err);
}

static int read_entry_fields(const struct reader *r, struct entry *out, struct err *err)
{
    const struct kind_row *row = &kind_table[out->kind];

    for (unsigned i = 0; i < row->fields_n; i++) {
        enum field field = row->fields[i];
        const json_t *json;
        struct val v = member(r, field_names[field], &json);

        if (v.type == VAL_NONE)
            continue;
        if (v.type != row->types[i] || (json && json_is_real(json)))
            return err_set(err, ERR_INVALID, "\"%s\" of %s is not what its schema says", field_names[field],
                           row->name);
        out->f[field] = v.type == VAL_JSON && json ? protocol_val_from(json, &r->doc->raw) : v;
    }
    doc_settle(r->doc, out->f);
    return 0;
}

/* The frame's document, for entry_fini(). */
static int read_doc(struct str frame, struct flat *flat, struct reader *r, struct err *err)
{
    json_error_t e;
    json_t *root;

    r->doc = doc_flat(frame, flat_read_entry, flat);
    if (r->doc) {
        r->flat = flat;
        return 0;
    }
    root = json_loadb(frame.s ? frame.s : "", frame.n, PARSE_FLAGS, &e);
    if (!root)
        return err_set(err, ERR_INVALID, "entry: not valid JSON: %s", parse_error(&e));
    r->doc = doc_create(root, 8 * frame.n + 64, 0); /* an escape may grow: a character of 4 bytes to 12 */
    return 0;
}

int entry_read(struct str frame, struct entry *out, struct err *err)
{
    struct flat flat;
    struct reader r = {.doc = NULL};
    struct val t, kind, seq, at, ref;
    const json_t *json;
    int rc;

    entry_init(out, KIND_N);
    rc = read_doc(frame, &flat, &r, err);
    if (rc < 0)
        return rc;
    out->json = r.doc;
    t = member(&r, "t", &json);
    kind = member(&r, "kind", &json);
    seq = member(&r, "seq", &json);
    at = member(&r, "at", &json);
    ref = member(&r, "ref", &json);
    if (kind.type != VAL_STR || t.type != VAL_STR || !str_is(t.s, "event") || seq.type != VAL_INT || at.type != VAL_INT)
        return err_set(err, ERR_INVALID, "entry: no event with kind, seq and at");
    out->kind = kind_from_name(kind.s);
    if (out->kind == KIND_N)
        return err_set(err, ERR_UNSUPPORTED, "entry: unknown kind %.*s", STR_FMT(utf8_prefix(kind.s, 40)));
    out->seq = seq.i;
    out->at_ms = at.i;
    out->ref = ref.type == VAL_STR ? ref.s : STR_NONE;
    if (read_entry_from(&r, out, err) < 0 || read_entry_fields(&r, out, err) < 0)
        return err_wrap(err, ERR_INVALID, "entry");
    return 0;
}

void entry_fini(struct entry *e)
{
    if (!e)
        return;
    doc_destroy(e->json);
    e->json = NULL;
}

#include "protocol/protocol_flat.h"

#include "base/base_json.h"

struct cursor {
    const char *p, *end;
    char *room; /* where the next string goes */
    bool is_entry;
};

#define NEST_DEPTH 8
#define NEST_KEYS  16

static void skip_space(struct cursor *c)
{
    while (c->p < c->end && (*c->p == ' ' || *c->p == '\n' || *c->p == '\r' || *c->p == '\t'))
        c->p++;
}

static bool take(struct cursor *c, char what)
{
    skip_space(c);
    if (c->p == c->end || *c->p != what)
        return false;
    c->p++;
    return true;
}

/* What stands for the character behind a backslash; 0: not one of the short ones. */
static char unescaped(char c)
{
    switch (c) {
    case '"':
    case '\\':
    case '/':
        return c;
    case 'b':
        return '\b';
    case 'f':
        return '\f';
    case 'n':
        return '\n';
    case 'r':
        return '\r';
    case 't':
        return '\t';
    default:
        return 0;
    }
}

/* From behind the opening quote. */
static bool read_string(struct cursor *c, struct str *out)
{
    char *to = c->room, *from = c->room;
    const char *p = c->p;

    for (;;) {
        size_t run = json_plain_run(p, (size_t)(c->end - p));

        memcpy(to, p, run);
        to += run;
        p += run;
        if (p == c->end || *p != '\\')
            break;
        if (++p == c->end || !(*to++ = unescaped(*p++)))
            return false;
    }
    if (p == c->end || *p != '"')
        return false;
    *to = 0;
    *out = (struct str){from, (size_t)(to - from)};
    c->room = to + 1;
    c->p = p + 1;
    return utf8_is_valid(*out);
}

/* Whole numbers of up to 18 digits: they fit. */
static bool read_number(struct cursor *c, struct val *out)
{
    bool negative = *c->p == '-';
    const char *p = c->p + negative, *from = p;
    int64_t v = 0;

    while (p < c->end && *p >= '0' && *p <= '9' && p - from < 18)
        v = v * 10 + (*p++ - '0');
    if (p == from || (*from == '0' && p - from > 1) || p == c->end || (*p >= '0' && *p <= '9') || *p == '.' || *p == 'e' || *p == 'E')
        return false;
    *out = val_int(negative ? -v : v);
    c->p = p;
    return true;
}

static bool read_word(struct cursor *c, struct str word)
{
    if ((size_t)(c->end - c->p) < word.n || memcmp(c->p, word.s, word.n) != 0)
        return false;
    c->p += word.n;
    return true;
}

static bool read_plain(struct cursor *c, struct val *out)
{
    switch (*c->p) {
    case '"':
        c->p++;
        out->type = VAL_STR;
        return read_string(c, &out->s);
    case 't':
        *out = val_bool(true);
        return read_word(c, STR("true"));
    case 'f':
        *out = val_bool(false);
        return read_word(c, STR("false"));
    case 'n':
        return read_word(c, STR("null"));
    default:
        return read_number(c, out);
    }
}

/* ---- lists and objects that stand as they would be written: no spaces, no escapes */

static bool pass_value(struct cursor *c, unsigned depth);

static bool pass(struct cursor *c, char what)
{
    if (c->p == c->end || *c->p != what)
        return false;
    c->p++;
    return true;
}

/* Its UTF-8 is looked at with the whole. */
static bool pass_string(struct cursor *c, struct str *out)
{
    if (!pass(c, '"'))
        return false;
    *out = (struct str){c->p, json_plain_run(c->p, (size_t)(c->end - c->p))};
    c->p += out->n;
    return pass(c, '"');
}

static bool pass_list(struct cursor *c, unsigned depth)
{
    if (pass(c, ']'))
        return true;
    do {
        if (!pass_value(c, depth))
            return false;
    } while (pass(c, ','));
    return pass(c, ']');
}

static bool pass_object(struct cursor *c, unsigned depth)
{
    struct str key[NEST_KEYS];
    unsigned n = 0;

    if (pass(c, '}'))
        return true;
    do {
        if (n == NEST_KEYS || !pass_string(c, &key[n]) || !pass(c, ':'))
            return false;
        for (unsigned i = 0; i < n; i++)
            if (str_eq(key[i], key[n]))
                return false;
        n++;
        if (!pass_value(c, depth))
            return false;
    } while (pass(c, ','));
    return pass(c, '}');
}

static bool pass_value(struct cursor *c, unsigned depth)
{
    struct val v;
    struct str s;
    const char *from = c->p;

    if (c->p == c->end)
        return false;
    switch (*c->p) {
    case '"':
        return pass_string(c, &s);
    case '[':
        c->p++;
        return depth > 0 && pass_list(c, depth - 1);
    case '{':
        c->p++;
        return depth > 0 && pass_object(c, depth - 1);
    default:
        return read_plain(c, &v) && !(c->p - from == 2 && memcmp(from, "-0", 2) == 0);
    }
}

/* Copied, so that it outlives the text as strings do. */
static bool read_nested(struct cursor *c, struct val *out)
{
    const char *from = c->p;
    struct str s;

    if (!c->is_entry || !pass_value(c, NEST_DEPTH))
        return false;
    s = (struct str){c->room, (size_t)(c->p - from)};
    memcpy(c->room, from, s.n);
    c->room[s.n] = 0;
    c->room += s.n + 1;
    *out = (struct val){.type = VAL_JSON, .s = s};
    return utf8_is_valid(s);
}

static bool is_there(const struct flat_member *m, unsigned n, struct str key)
{
    for (unsigned i = 0; i < n; i++)
        if (m[i].key.n == key.n && memcmp(m[i].key.s, key.s, key.n) == 0)
            return true;
    return false;
}

/* Members from m on, at most `most`; out: the frame itself, NULL inside "from". */
static bool read_object(struct cursor *c, struct flat_member *m, unsigned most, unsigned *n, struct flat *out)
{
    *n = 0;
    if (!take(c, '{'))
        return false;
    if (take(c, '}'))
        return true;
    do {
        struct flat_member *is = &m[*n];

        if (*n == most || !take(c, '"') || !read_string(c, &is->key) || !take(c, ':'))
            return false;
        skip_space(c);
        if (c->p == c->end || is_there(m, *n, is->key) || (out && out->has_from && str_is(is->key, "from")))
            return false;
        is->v = (struct val){.type = VAL_NONE};
        if (*c->p == '{' && out && str_is(is->key, "from")) {
            out->has_from = true;
            if (!read_object(c, out->from, FLAT_FROM_MAX, &out->from_n, NULL))
                return false;
            continue;
        }
        if (!(out && (*c->p == '{' || *c->p == '[') ? read_nested(c, &is->v) : read_plain(c, &is->v)))
            return false;
        ++*n;
    } while (take(c, ','));
    return take(c, '}');
}

static bool read_frame(struct str text, char *room, bool is_entry, struct flat *out)
{
    struct cursor c = {text.s, text.s + text.n, room, is_entry};

    out->has_from = false;
    out->from_n = 0;
    if (!text.n || !read_object(&c, out->m, FLAT_MAX - FLAT_FROM_MAX, &out->n, out))
        return false;
    skip_space(&c);
    return c.p == c.end;
}

bool flat_read(struct str text, char *room, struct flat *out)
{
    return read_frame(text, room, false, out);
}

bool flat_read_entry(struct str text, char *room, struct flat *out)
{
    return read_frame(text, room, true, out);
}

const struct val *flat_get(const struct flat_member *m, unsigned n, const char *name)
{
    size_t len = strlen(name);

    for (unsigned i = 0; i < n; i++)
        if (m[i].key.n == len && memcmp(m[i].key.s, name, len) == 0)
            return &m[i].v;
    return NULL;
}

#include "base/base_json.h"

#include <endian.h>

static void comma(struct buf *b)
{
    char c;

    if (b->n == 0)
        return;
    c = b->p[b->n - 1];
    if (c != '{' && c != '[' && c != ':' && c != ',' && c != '\n')
        buf_add_c(b, ',');
}

void json_open(struct buf *b, char bracket)
{
    comma(b);
    buf_add_c(b, bracket);
}

void json_close(struct buf *b, char bracket)
{
    buf_add_c(b, bracket);
}

void json_key(struct buf *b, const char *key)
{
    comma(b);
    buf_add_c(b, '"');
    buf_add_s(b, key);
    buf_add(b, "\":", 2);
}

size_t json_plain_run(const char *p, size_t n)
{
    static const uint64_t ones = UINT64_C(0x0101010101010101), highs = UINT64_C(0x8080808080808080);
    size_t i = 0;

    for (; n - i >= 8; i += 8) {
        uint64_t w, quotes, slashes, hits;

        memcpy(&w, p + i, sizeof w);
        w = le64toh(w);
        quotes = w ^ ones * '"';
        slashes = w ^ ones * '\\';
        /* Bit 7 of a byte: below 0x20, or equal. A borrow may set it too high up, never too low down: the lowest is right. */
        hits = (((w - ones * 0x20) & ~w) | ((quotes - ones) & ~quotes) | ((slashes - ones) & ~slashes)) & highs;
        if (hits)
            return i + (size_t)__builtin_ctzll(hits) / 8;
    }
    while (i < n && (unsigned char)p[i] >= 0x20 && p[i] != '"' && p[i] != '\\')
        i++;
    return i;
}

void json_text(struct buf *b, struct str s)
{
    static const char hex[] = "0123456789abcdef";
    size_t from = 0;

    comma(b);
    if (!buf_reserve(b, s.n + 2))
        return;
    buf_add_c(b, '"');
    for (size_t i = 0; (i += json_plain_run(s.s + i, s.n - i)) < s.n; i++) {
        unsigned char c = (unsigned char)s.s[i];
        char esc[6] = {'\\', 'u', '0', '0', 0, 0};
        size_t en = 2;

        buf_add(b, s.s + from, i - from);
        from = i + 1;
        switch (c) {
        case '"':
        case '\\':
            esc[1] = (char)c;
            break;
        case '\n':
            esc[1] = 'n';
            break;
        case '\r':
            esc[1] = 'r';
            break;
        case '\t':
            esc[1] = 't';
            break;
        default:
            esc[4] = hex[c >> 4];
            esc[5] = hex[c & 15];
            en = 6;
        }
        buf_add(b, esc, en);
    }
    buf_add(b, s.s + from, s.n - from);
    buf_add_c(b, '"');
}

void json_int(struct buf *b, int64_t v)
{
    comma(b);
    buf_add_i64(b, v);
}

void json_bool(struct buf *b, bool v)
{
    comma(b);
    buf_add_s(b, v ? "true" : "false");
}

void json_nil(struct buf *b)
{
    comma(b);
    buf_add_s(b, "null");
}

void json_raw(struct buf *b, struct str s)
{
    comma(b);
    buf_add_str(b, s);
}

void json_kv_str(struct buf *b, const char *key, struct str v)
{
    if (!v.s)
        return;
    json_key(b, key);
    json_text(b, v);
}

void json_kv_s(struct buf *b, const char *key, const char *v)
{
    json_kv_str(b, key, str_of(v));
}

void json_kv_int(struct buf *b, const char *key, int64_t v)
{
    json_key(b, key);
    json_int(b, v);
}

void json_kv_bool(struct buf *b, const char *key, bool v)
{
    json_key(b, key);
    json_bool(b, v);
}

void json_kv_raw(struct buf *b, const char *key, struct str v)
{
    json_key(b, key);
    json_raw(b, v);
}

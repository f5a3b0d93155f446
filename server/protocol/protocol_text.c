#include "protocol/protocol.h"

size_t utf8_chars(struct str s)
{
    size_t n = 0;

    for (size_t i = 0; i < s.n; i++)
        n += ((unsigned char)s.s[i] & 0xc0) != 0x80;
    return n;
}

/* The length of the character that begins at p, 0 if it is none (RFC 3629: shortest form, no surrogates, to
 * U+10FFFF). */
static size_t char_len(const unsigned char *p, size_t left)
{
    unsigned char c = p[0], lo = 0x80, hi = 0xbf;
    size_t n;

    if (c < 0x80)
        return c != 0;
    if (c < 0xc2 || c > 0xf4)
        return 0;
    n = c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
    if (left < n)
        return 0;
    if (c == 0xe0)
        lo = 0xa0;
    else if (c == 0xed)
        hi = 0x9f;
    else if (c == 0xf0)
        lo = 0x90;
    else if (c == 0xf4)
        hi = 0x8f;
    if (p[1] < lo || p[1] > hi)
        return 0;
    for (size_t i = 2; i < n; i++) {
        if ((p[i] & 0xc0) != 0x80)
            return 0;
    }
    return n;
}

/* Eight bytes at once: true if each is U+0001 to U+007F. */
static bool is_plain_word(const unsigned char *p)
{
    uint64_t w;

    memcpy(&w, p, sizeof w);
    /* Without high bits, subtracting 1 from each byte borrows into bit 7 exactly where a byte is 0 (or behind
     * one). */
    return (w & UINT64_C(0x8080808080808080)) == 0 &&
           ((w - UINT64_C(0x0101010101010101)) & UINT64_C(0x8080808080808080)) == 0;
}

bool utf8_is_valid(struct str s)
{
    const unsigned char *p = (const unsigned char *)s.s;
    size_t i = 0;

    while (i < s.n) {
        size_t n;

        if (s.n - i >= 8 && is_plain_word(p + i)) {
            i += 8;
            continue;
        }
        n = char_len(p + i, s.n - i);
        if (n == 0)
            return false;
        i += n;
    }
    return true;
}

struct str utf8_prefix(struct str s, size_t n)
{
    size_t chars = 0;

    if (s.n <= n)
        return s;
    while (chars + 8 <= n && is_plain_word((const unsigned char *)s.s + chars))
        chars += 8;
    for (size_t i = chars; i < s.n; i++) {
        if (((unsigned char)s.s[i] & 0xc0) != 0x80 && chars++ == n)
            return (struct str){s.s, i};
    }
    return s;
}

struct span {
    uint32_t from, to;
};

/* Of valid UTF-8: the character at *i, which moves behind it. */
static uint32_t next_char(struct str s, size_t *i)
{
    unsigned char c = (unsigned char)s.s[(*i)++];
    uint32_t u = c < 0x80 ? c : c < 0xe0 ? c & 0x1f : c < 0xf0 ? c & 0x0f : c & 0x07;

    while (*i < s.n && ((unsigned char)s.s[*i] & 0xc0) == 0x80)
        u = u << 6 | ((unsigned char)s.s[(*i)++] & 0x3f);
    return u;
}

static bool is_among(uint32_t u, const struct span *spans, size_t n)
{
    for (size_t i = 0; i < n && spans[i].from <= u; i++)
        if (u <= spans[i].to)
            return true;
    return false;
}

bool utf8_is_blank(struct str s)
{
    static const struct span unseen[] = {
        {0, 0x20},        {0x7f, 0xa0},     {0xad, 0xad},     {0x61c, 0x61c},   {0x115f, 0x1160}, {0x1680, 0x1680},
        {0x180e, 0x180e}, {0x2000, 0x200f}, {0x2028, 0x202f}, {0x205f, 0x206f}, {0x2800, 0x2800}, {0x3000, 0x3000},
        {0x3164, 0x3164}, {0xfeff, 0xfeff}, {0xffa0, 0xffa0}, {0xfff9, 0xfffb}, {0xe0000, 0xe007f},
    };

    for (size_t i = 0; i < s.n;)
        if (!is_among(next_char(s, &i), unseen, sizeof unseen / sizeof *unseen))
            return false;
    return true;
}

size_t utf8_strip_bidi(char *s, size_t n)
{
    static const struct span turns[] = {{0x61c, 0x61c}, {0x200e, 0x200f}, {0x202a, 0x202e}, {0x2066, 0x2069}};
    size_t kept = 0;

    for (size_t i = 0; i < n;) {
        size_t from = i;

        if (is_among(next_char((struct str){s, n}, &i), turns, sizeof turns / sizeof *turns))
            continue;
        memmove(s + kept, s + from, i - from);
        kept += i - from;
    }
    return kept;
}

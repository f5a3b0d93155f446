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

#include "http/http_negotiate.h"

#include <strings.h>

static struct str trim(struct str s)
{
    while (s.n && (s.s[0] == ' ' || s.s[0] == '\t'))
        s.s++, s.n--;
    while (s.n && (s.s[s.n - 1] == ' ' || s.s[s.n - 1] == '\t'))
        s.n--;
    return s;
}

/* Cuts what stands before the next sep off *rest. */
static struct str take_part(struct str *rest, char sep)
{
    const char *at = rest->n ? memchr(rest->s, sep, rest->n) : NULL;
    struct str part = {rest->s, at ? (size_t)(at - rest->s) : rest->n};
    size_t used = part.n + (at != NULL);

    rest->s += used;
    rest->n -= used;
    return trim(part);
}

/* "0.75" as 750; anything unreadable is 0: not liked. */
static int read_weight(struct str s)
{
    int v = 0, unit = 1000;

    if (s.n == 0 || s.n > 5 || (s.s[0] != '0' && s.s[0] != '1') || (s.n > 1 && s.s[1] != '.'))
        return 0;
    v = (s.s[0] - '0') * 1000;
    for (size_t i = 2; i < s.n; i++) {
        if (s.s[i] < '0' || s.s[i] > '9')
            return 0;
        unit /= 10;
        v += (s.s[i] - '0') * unit;
    }
    return v > 1000 ? 1000 : v;
}

/* How exactly a range of the header names the offer: 3 wholly, 2 its type, 1 anything, 0 not. */
static int match(struct str range, const char *offer)
{
    const char *slash = strchr(offer, '/');

    if (range.n == strlen(offer) && strncasecmp(range.s, offer, range.n) == 0)
        return 3;
    if (slash && range.n == (size_t)(slash - offer) + 2 && range.s[range.n - 1] == '*' &&
        strncasecmp(range.s, offer, range.n - 1) == 0)
        return 2;
    return str_is(range, "*") || (slash && str_is(range, "*/*"));
}

static int weight_of(struct str header, const char *offer)
{
    struct str rest = header;
    int best = 0, weight = 0;

    while (rest.n) {
        struct str item = take_part(&rest, ',');
        struct str range = take_part(&item, ';');
        int exact = match(range, offer), w = 1000;

        while (item.n) {
            struct str p = take_part(&item, ';');

            if (p.n >= 2 && (p.s[0] == 'q' || p.s[0] == 'Q') && p.s[1] == '=')
                w = read_weight((struct str){p.s + 2, p.n - 2});
        }
        if (exact > best) {
            best = exact;
            weight = w;
        }
    }
    return weight;
}

int negotiate_best(struct str header, const char *const *offers, unsigned offers_n)
{
    int best = -1, most = 0;

    if (!header.s || !header.n)
        return 0;
    for (unsigned i = 0; i < offers_n; i++) {
        int w = weight_of(header, offers[i]);

        if (w > most) {
            most = w;
            best = (int)i;
        }
    }
    return best;
}

bool negotiate_has_tag(struct str list, const char *tag)
{
    while (list.n) {
        struct str t = take_part(&list, ',');

        if (t.n > 2 && t.s[0] == 'W' && t.s[1] == '/')
            t.s += 2, t.n -= 2;
        if (str_is(t, "*") || str_is(t, tag))
            return true;
    }
    return false;
}

/* Who really calls: Origin against Host, and addresses that trusted proxies pass on. */
#include "net/net_head.h"

#include "config/config.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct authority {
    struct str host;
    unsigned port; /* 0: not given */
};

static bool read_authority(struct str s, struct authority *out)
{
    const char *colon = NULL;
    size_t host_n = s.n;

    if (s.n && s.s[0] == '[') {
        const char *close = memchr(s.s, ']', s.n);

        if (!close)
            return false;
        host_n = (size_t)(close + 1 - s.s);
        if (host_n < s.n)
            colon = close + 1;
    } else if ((colon = memchr(s.s, ':', s.n)) != NULL) {
        host_n = (size_t)(colon - s.s);
    }
    *out = (struct authority){{s.s, host_n}, 0};
    if (colon) {
        struct str digits = {colon + 1, (size_t)(s.s + s.n - colon - 1)};

        if (*colon != ':' || digits.n == 0 || digits.n > 5)
            return false;
        for (size_t i = 0; i < digits.n; i++) {
            if (digits.s[i] < '0' || digits.s[i] > '9')
                return false;
            out->port = out->port * 10 + (unsigned)(digits.s[i] - '0');
        }
    }
    return host_n > 0;
}

/* "http://host:port" without a path; the port filled in where the scheme implies it. */
static bool read_origin(struct str s, struct authority *out, unsigned *implied)
{
    struct str rest;

    if (s.n > 7 && strncasecmp(s.s, "http://", 7) == 0)
        rest = (struct str){s.s + 7, s.n - 7}, *implied = 80;
    else if (s.n > 8 && strncasecmp(s.s, "https://", 8) == 0)
        rest = (struct str){s.s + 8, s.n - 8}, *implied = 443;
    else
        return false;
    if (memchr(rest.s, '/', rest.n) || memchr(rest.s, '@', rest.n) || !read_authority(rest, out))
        return false;
    if (!out->port)
        out->port = *implied;
    return true;
}

static bool is_same_authority(struct authority a, struct authority b, unsigned implied)
{
    return a.host.n == b.host.n && strncasecmp(a.host.s, b.host.s, a.host.n) == 0 &&
           a.port == (b.port ? b.port : implied);
}

bool net_head_is_same_origin(const struct net_head *h, const struct config *cfg)
{
    struct str origin = net_head_get(h, "origin"), host = net_head_get(h, "host");
    struct str site = str_of(cfg->http.public_url);
    struct authority from, to;
    unsigned implied, ignored;

    if (!origin.s || !read_origin(origin, &from, &implied))
        return false;
    if (host.s && read_authority(host, &to) && is_same_authority(from, to, implied))
        return true;
    while (site.n && site.s[site.n - 1] == '/')
        site.n--;
    return site.n && read_origin(site, &to, &ignored) && is_same_authority(from, to, implied);
}

static bool read_address(const char *s, unsigned char out[16])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};

    memcpy(out, mapped, sizeof mapped);
    return inet_pton(AF_INET, s, out + 12) == 1 || inet_pton(AF_INET6, s, out) == 1;
}

int net_proxies_read(struct net_proxies *out, const char *list, struct err *err)
{
    memset(out, 0, sizeof *out);
    while (list && *list) {
        size_t n = strcspn(list, ", \t\n");
        struct net_proxy *p = &out->list[out->n];
        char one[64], *slash;
        long bits = 128;

        if (n) {
            if (out->n == sizeof out->list / sizeof out->list[0])
                return err_set(err, ERR_INVALID, "http.trusted_proxies names more than %d networks", CONFIG_PROXIES_MAX);
            snprintf(one, sizeof one, "%.*s", (int)n, list);
            slash = strchr(one, '/');
            if (slash) {
                char *end;

                *slash = '\0';
                bits = strtol(slash + 1, &end, 10);
                if (*end || end == slash + 1)
                    bits = -1;
                if (!strchr(one, ':'))
                    bits = bits < 0 || bits > 32 ? -1 : bits + 96;
            }
            if (n >= sizeof one || bits < 0 || bits > 128 || !read_address(one, p->bytes))
                return err_set(err, ERR_INVALID, "http.trusted_proxies: '%.*s' is no address or network",
                               (int)n, list);
            p->bits = (unsigned)bits;
            out->n++;
        }
        list += n;
        list += *list != '\0';
    }
    return 0;
}

static bool is_trusted(const struct net_proxies *proxies, const char *address)
{
    unsigned char a[16];

    if (!read_address(address, a))
        return false;
    for (unsigned i = 0; i < proxies->n; i++) {
        const struct net_proxy *p = &proxies->list[i];
        unsigned whole = p->bits / 8, rest = p->bits % 8;

        if (memcmp(a, p->bytes, whole) == 0 &&
            (rest == 0 || ((a[whole] ^ p->bytes[whole]) >> (8 - rest)) == 0))
            return true;
    }
    return false;
}

void net_address_group(const char *address, char out[64])
{
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    unsigned char a[16];

    snprintf(out, 64, "%s", address);
    if (!read_address(address, a))
        return;
    if (memcmp(a, mapped, sizeof mapped) == 0) {
        inet_ntop(AF_INET, a + 12, out, 64);
    } else {
        memset(a + 8, 0, 8);
        inet_ntop(AF_INET6, a, out, 64);
    }
}

/* The last entry of a list, without its port or brackets, into out; the list is cut before it. False: none,
 * or no address. */
static bool take_last_address(struct str *list, char out[64])
{
    size_t start = list->n, end = list->n;
    struct authority a;
    unsigned char bytes[16];

    while (start && list->s[start - 1] != ',')
        start--;
    list->n = start ? start - 1 : 0;
    while (start < end && (list->s[start] == ' ' || list->s[start] == '\t'))
        start++;
    while (end > start && (list->s[end - 1] == ' ' || list->s[end - 1] == '\t'))
        end--;
    if (end == start || end - start >= 64)
        return false;
    snprintf(out, 64, "%.*s", (int)(end - start), list->s + start);
    if (read_address(out, bytes))
        return true;
    if (!read_authority((struct str){list->s + start, end - start}, &a))
        return false;
    if (a.host.s[0] == '[')
        a.host = (struct str){a.host.s + 1, a.host.n - 2};
    snprintf(out, 64, "%.*s", (int)a.host.n, a.host.s);
    return read_address(out, bytes);
}

void net_head_set_client(struct net_head *head, const char *peer, const struct net_proxies *proxies,
                         bool is_https)
{
    struct str proto = net_head_get(head, "x-forwarded-proto");
    char last[64];

    snprintf(head->address, sizeof head->address, "%s", peer);
    head->secure = is_https;
    if (!is_trusted(proxies, peer))
        return;
    if (proto.n == 5 && strncasecmp(proto.s, "https", 5) == 0)
        head->secure = true;
    for (unsigned i = head->headers_n; i-- > 0;) {
        struct str list = head->headers[i].value;

        if (head->headers[i].name.n != 15 || strncasecmp(head->headers[i].name.s, "x-forwarded-for", 15) != 0)
            continue;
        while (list.n) {
            if (!take_last_address(&list, last))
                return;
            snprintf(head->address, sizeof head->address, "%s", last);
            if (!is_trusted(proxies, last))
                return;
        }
    }
}

#include "net/net_head.h"

#include <stdlib.h>
#include <strings.h>

static bool is_token_char(unsigned char c)
{
    if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z'))
        return true;
    return c && strchr("!#$%&'*+-.^_`|~", c) != NULL;
}

static bool str_is_nocase(struct str a, const char *b)
{
    return a.n == strlen(b) && strncasecmp(a.s, b, a.n) == 0;
}

static struct str trim(struct str s)
{
    while (s.n && (s.s[0] == ' ' || s.s[0] == '\t'))
        s.s++, s.n--;
    while (s.n && (s.s[s.n - 1] == ' ' || s.s[s.n - 1] == '\t'))
        s.n--;
    return s;
}

enum net_head_state net_head_find(const char *p, size_t n, size_t seen, size_t *end)
{
    size_t i = seen > 3 ? seen - 3 : 0;

    if (n && !is_token_char((unsigned char)p[0]))
        return NET_HEAD_BROKEN;
    for (; i < n; i++) {
        if (p[i] == '\0')
            return NET_HEAD_BROKEN;
        if (p[i] != '\n')
            continue;
        if (i == 0 || p[i - 1] != '\r')
            return NET_HEAD_BROKEN;
        if (i >= 3 && p[i - 2] == '\n') {
            *end = i + 1;
            return NET_HEAD_WHOLE;
        }
    }
    return NET_HEAD_MORE;
}

/* One line without its CRLF; false at the end of the head (the empty line) or if a lone CR stands in it. */
static bool take_line(const char **p, const char *end, struct str *line)
{
    const char *nl = memchr(*p, '\n', (size_t)(end - *p));

    if (!nl || nl == *p || nl[-1] != '\r')
        return false;
    *line = (struct str){*p, (size_t)(nl - 1 - *p)};
    *p = nl + 1;
    return line->n > 0 && memchr(line->s, '\r', line->n) == NULL;
}

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static int hex_byte(const char *p, size_t n)
{
    int hi, lo;

    if (n < 2 || (hi = hex_digit(p[0])) < 0 || (lo = hex_digit(p[1])) < 0)
        return -1;
    return hi * 16 + lo;
}

static bool path_is_safe(struct str path)
{
    size_t start = 1;

    for (size_t i = 1; i <= path.n; i++) {
        size_t n;

        if (i < path.n && path.s[i] != '/')
            continue;
        n = i - start;
        if ((n == 1 && path.s[start] == '.') || (n == 2 && path.s[start] == '.' && path.s[start + 1] == '.'))
            return false;
        start = i + 1;
    }
    for (size_t i = 0; i + 2 < path.n; i++)
        if (path.s[i] == '%' && hex_byte(path.s + i + 1, 2) >= 0)
            return false; /* escaped twice */
    return true;
}

/* Decodes an origin-form path; 0 or 400. */
static int decode_path(struct str raw, char *out, struct str *path)
{
    size_t n = 0;

    if (raw.n == 0 || raw.s[0] != '/')
        return 400;
    for (size_t i = 0; i < raw.n; i++) {
        unsigned char c = (unsigned char)raw.s[i];

        if (c == '%') {
            int v = hex_byte(raw.s + i + 1, raw.n - i - 1);

            if (v < 0x20 || v == '/' || v == '\\' || v == 0x7f)
                return 400;
            c = (unsigned char)v;
            i += 2;
        } else if (c <= 0x20 || c >= 0x7f || c == '\\' || c == '#') {
            return 400;
        }
        out[n++] = (char)c;
    }
    *path = (struct str){out, n};
    return path_is_safe(*path) ? 0 : 400;
}

static int parse_request_line(struct str line, char *path, struct net_request *r, const char **why)
{
    const char *sp1 = memchr(line.s, ' ', line.n), *sp2;
    struct str target, version;
    const char *q;

    *why = "the request line is not METHOD /path HTTP/1.1";
    if (!sp1 || sp1 == line.s || sp1 - line.s > 16)
        return 400;
    r->head.method = (struct str){line.s, (size_t)(sp1 - line.s)};
    for (size_t i = 0; i < r->head.method.n; i++)
        if (!is_token_char((unsigned char)r->head.method.s[i]))
            return 400;
    sp2 = memchr(sp1 + 1, ' ', line.n - r->head.method.n - 1);
    if (!sp2)
        return 400;
    target = (struct str){sp1 + 1, (size_t)(sp2 - sp1 - 1)};
    version = (struct str){sp2 + 1, (size_t)(line.s + line.n - sp2 - 1)};
    if (version.n != 8 || memcmp(version.s, "HTTP/", 5) != 0)
        return 400;
    if (str_is(version, "HTTP/1.0")) {
        r->http10 = true;
    } else if (!str_is(version, "HTTP/1.1")) {
        *why = "only HTTP/1.1 is spoken here";
        return 505;
    }
    *why = "the path is not allowed";
    q = memchr(target.s, '?', target.n);
    if (q) {
        r->head.query = (struct str){q + 1, (size_t)(target.s + target.n - q - 1)};
        for (size_t i = 0; i < r->head.query.n; i++)
            if ((unsigned char)r->head.query.s[i] <= 0x20 || (unsigned char)r->head.query.s[i] >= 0x7f ||
                r->head.query.s[i] == '#')
                return 400;
        target.n = (size_t)(q - target.s);
    } else {
        r->head.query = (struct str){"", 0};
    }
    return decode_path(target, path, &r->head.path);
}

static int parse_header_line(struct str line, struct net_head *head, const char **why)
{
    const char *colon = memchr(line.s, ':', line.n);
    struct net_header *h;

    *why = "a header line is not NAME: VALUE";
    if (!colon || colon == line.s)
        return 400; /* a folded line begins with a blank, which is no token character: refused below */
    for (const char *p = line.s; p < colon; p++)
        if (!is_token_char((unsigned char)*p))
            return 400;
    for (const char *p = colon + 1; p < line.s + line.n; p++)
        if (((unsigned char)*p < 0x20 && *p != '\t') || *p == 0x7f)
            return 400;
    if (head->headers_n == sizeof head->headers / sizeof head->headers[0]) {
        *why = "too many header lines";
        return 431;
    }
    h = &head->headers[head->headers_n++];
    h->name = (struct str){line.s, (size_t)(colon - line.s)};
    h->value = trim((struct str){colon + 1, (size_t)(line.s + line.n - colon - 1)});
    return 0;
}

static unsigned count_header(const struct net_head *h, const char *name)
{
    unsigned n = 0;

    for (unsigned i = 0; i < h->headers_n; i++)
        n += str_is_nocase(h->headers[i].name, name);
    return n;
}

static int parse_length(const struct net_request *r, int64_t *out, const char **why)
{
    struct str v = net_head_get(&r->head, "content-length");
    bool coded = net_head_get(&r->head, "transfer-encoding").s != NULL;
    int64_t n = 0;

    *out = 0;
    *why = "Content-Length and Transfer-Encoding contradict each other or are not plain";
    if (coded && (v.s || r->http10))
        return 400;
    if (coded) {
        *why = "send a Content-Length: bodies in chunks are not taken";
        return 411;
    }
    if (!v.s)
        return 0;
    if (v.n == 0 || v.n > 15)
        return 400;
    for (size_t i = 0; i < v.n; i++) {
        if (v.s[i] < '0' || v.s[i] > '9')
            return 400;
        n = n * 10 + (v.s[i] - '0');
    }
    *out = n;
    return 0;
}

/* What must stand at most once, or two readers could take different ones. */
static const char *const singles[] = {
    "host",
    "content-length",
    "transfer-encoding",
    "content-type",
    "authorization",
    "cookie",
    "origin",
    "upgrade",
    "expect",
    "accept-encoding",
    "if-none-match",
    "sec-websocket-key",
    "sec-websocket-version",
    "x-firstline",
    "x-forwarded-proto",
};

/* True if the comma-separated list names token (case ignored). */
static bool list_has(struct str list, const char *token)
{
    size_t at = 0;

    while (list.s && at <= list.n) {
        const char *comma = at < list.n ? memchr(list.s + at, ',', list.n - at) : NULL;
        size_t n = comma ? (size_t)(comma - list.s) - at : list.n - at;

        if (str_is_nocase(trim((struct str){list.s + at, n}), token))
            return true;
        at += n + 1;
    }
    return false;
}

/* A list may stand in several lines, which are one (RFC 9110, 5.3). */
static bool lines_have(const struct net_head *h, const char *name, const char *token)
{
    for (unsigned i = 0; i < h->headers_n; i++)
        if (str_is_nocase(h->headers[i].name, name) && list_has(h->headers[i].value, token))
            return true;
    return false;
}

static int check_headers(struct net_request *r, const char **why)
{
    struct str v;
    int status;

    *why = "a header that may stand once stands twice";
    for (size_t i = 0; i < sizeof singles / sizeof singles[0]; i++)
        if (count_header(&r->head, singles[i]) > 1)
            return 400;
    *why = "Host is missing";
    if (!r->http10 && !net_head_get(&r->head, "host").n)
        return 400;
    status = parse_length(r, &r->content_length, why);
    if (status)
        return status;
    r->keep_alive = !r->http10 && !lines_have(&r->head, "connection", "close");
    r->wants_websocket = lines_have(&r->head, "upgrade", "websocket") && lines_have(&r->head, "connection", "upgrade");
    v = net_head_get(&r->head, "expect");
    if (v.s && !str_is_nocase(v, "100-continue")) {
        *why = "this expectation can't be met";
        return 417;
    }
    r->wants_continue = v.s && !r->http10 && r->content_length > 0;
    return 0;
}

int net_head_parse(const char *p, size_t n, char *path, struct net_request *out, const char **why)
{
    const char *end = p + n;
    struct str line;
    int status;

    memset(out, 0, sizeof *out);
    *why = "this is not an HTTP request";
    if (n < 4 || memcmp(end - 4, "\r\n\r\n", 4) != 0 || memchr(p, '\0', n) || !take_line(&p, end, &line))
        return 400;
    status = parse_request_line(line, path, out, why);
    while (status == 0 && end - p > 2) {
        *why = "a line does not end in CR LF";
        status = take_line(&p, end, &line) ? parse_header_line(line, &out->head, why) : 400;
    }
    return status ? status : check_headers(out, why);
}

/* 16 bytes in base64: 22 characters and "==". */
static bool is_websocket_key(struct str key)
{
    if (key.n != 24 || key.s[22] != '=' || key.s[23] != '=')
        return false;
    for (size_t i = 0; i < 22; i++) {
        char c = key.s[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '+' ||
              c == '/'))
            return false;
    }
    return true;
}

int net_head_check_websocket(const struct net_request *r, const char *protocol, struct str *key,
                             const char **why)
{
    *why = "this address speaks WebSocket: send Upgrade: websocket, version 13, subprotocol firstline.v1";
    if (!r->wants_websocket || !str_is(net_head_get(&r->head, "sec-websocket-version"), "13"))
        return 426;
    *why = "an upgrade is a GET of HTTP/1.1 without a body";
    if (!str_is(r->head.method, "GET") || r->http10 || r->content_length)
        return 400;
    *key = net_head_get(&r->head, "sec-websocket-key");
    *why = "Sec-WebSocket-Key is not 16 bytes in base64";
    if (!is_websocket_key(*key))
        return 400;
    *why = "the subprotocol firstline.v1 must be among those offered";
    return lines_have(&r->head, "sec-websocket-protocol", protocol) ? 0 : 400;
}

struct str net_head_get(const struct net_head *h, const char *name)
{
    for (unsigned i = 0; i < h->headers_n; i++)
        if (str_is_nocase(h->headers[i].name, name))
            return h->headers[i].value;
    return STR_NONE;
}

struct str net_head_cookie(const struct net_head *h, const char *name)
{
    struct str all = net_head_get(h, "cookie");
    size_t name_n = strlen(name), at = 0;

    while (all.s && at < all.n) {
        const char *semi = memchr(all.s + at, ';', all.n - at);
        size_t n = semi ? (size_t)(semi - all.s) - at : all.n - at;
        struct str pair = trim((struct str){all.s + at, n});

        if (pair.n > name_n && pair.s[name_n] == '=' && memcmp(pair.s, name, name_n) == 0)
            return (struct str){pair.s + name_n + 1, pair.n - name_n - 1};
        at += n + 1;
    }
    return STR_NONE;
}

bool net_query_get(struct str query, const char *name, struct buf *out)
{
    size_t name_n = strlen(name), at = 0;

    while (at < query.n) {
        const char *amp = memchr(query.s + at, '&', query.n - at);
        size_t n = amp ? (size_t)(amp - query.s) - at : query.n - at;
        const char *p = query.s + at;

        at += n + 1;
        if (n < name_n || memcmp(p, name, name_n) != 0 || (n > name_n && p[name_n] != '='))
            continue;
        for (size_t i = name_n + 1; i < n; i++) {
            int v = p[i] == '%' ? hex_byte(p + i + 1, n - i - 1) : p[i] == '+' ? ' ' : (unsigned char)p[i];

            if (v <= 0) { /* broken, or %00 */
                out->failed = true;
                return false;
            }
            buf_add_c(out, (char)v);
            i += p[i] == '%' ? 2 : 0;
        }
        return buf_ok(out);
    }
    return false;
}

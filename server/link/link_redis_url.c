#include "link/link_redis_url.h"

#include "base/base_buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <sys/un.h>

#define FORM          "\"unix:///path\", \"redis://[user:password@]host[:port][/db]\" or \"sentinel://host:port,host:port/name\""
#define SENTINEL      "sentinel://"
#define SENTINEL_PORT "26379"

static int hex_of(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c |= 0x20;
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* A copy with %XX taken back. */
static char *decode(const char *s, size_t n)
{
    char *out = mem_alloc(n + 1), *p = out;

    for (size_t i = 0; i < n; i++) {
        if (s[i] == '%' && i + 2 < n && hex_of(s[i + 1]) >= 0 && hex_of(s[i + 2]) >= 0) {
            *p++ = (char)(hex_of(s[i + 1]) << 4 | hex_of(s[i + 2]));
            i += 2;
        } else {
            *p++ = s[i];
        }
    }
    *p = 0;
    return out;
}

/* True if s is 1–5 digits and at most max. */
static bool is_number(const char *s, long max, int *out)
{
    char *end;
    long v = strtol(s, &end, 10);

    if (*s < '0' || *s > '9' || *end || end - s > 5 || v > max)
        return false;
    *out = (int)v;
    return true;
}

static void parse_login(struct redis_url *u, const char *s, size_t n)
{
    const char *colon = memchr(s, ':', n);

    if (!colon) {
        u->pass = decode(s, n);
        return;
    }
    if (colon > s)
        u->user = decode(s, (size_t)(colon - s));
    u->pass = decode(colon + 1, n - (size_t)(colon - s) - 1);
}

/* host[:port], [v6][:port] */
static int parse_host(struct redis_url *u, const char *s, size_t n, struct err *err)
{
    const char *end = s + n, *host_end, *port = NULL;
    int v;

    if (n > 0 && *s == '[') {
        host_end = memchr(s, ']', n);
        if (!host_end)
            return err_set(err, ERR_INVALID, "Redis address: \"]\" is missing");
        u->host = mem_strndup(s + 1, (size_t)(host_end - s) - 1);
        if (host_end + 1 < end && host_end[1] == ':')
            port = host_end + 2;
        else if (host_end + 1 < end)
            return err_set(err, ERR_INVALID, "Redis address: something follows \"]\" that is no port");
    } else {
        host_end = memchr(s, ':', n);
        if (host_end)
            port = host_end + 1;
        u->host = mem_strndup(s, host_end ? (size_t)(host_end - s) : n);
    }
    u->port = port ? mem_strndup(port, (size_t)(end - port)) : mem_strdup("6379");
    if (!*u->host)
        return err_set(err, ERR_INVALID, "Redis address without a host; the form is %s", FORM);
    if (!is_number(u->port, 65535, &v) || v == 0)
        return err_set(err, ERR_INVALID, "Redis address: the port is a number from 1 to 65535");
    return 0;
}

static int parse_tcp(struct redis_url *u, const char *s, struct err *err)
{
    const char *slash = strchr(s, '/'), *end = slash ? slash : s + strlen(s), *at = NULL;

    for (const char *p = s; p < end; p++)
        if (*p == '@')
            at = p;
    if (at)
        parse_login(u, s, (size_t)(at - s));
    if (slash && slash[1] && !is_number(slash + 1, 65535, &u->db))
        return err_set(err, ERR_INVALID, "Redis address: what follows \"/\" is the number of a database");
    s = at ? at + 1 : s;
    return parse_host(u, s, (size_t)(end - s), err);
}

int redis_url_parse(const char *text, struct redis_url *out, struct err *err)
{
    struct redis_url u = {0};
    int rc = 0;

    if (strncmp(text, "unix://", 7) == 0) {
        if (text[7] != '/' || strlen(text + 7) >= sizeof(((struct sockaddr_un *)0)->sun_path))
            rc = err_set(err, ERR_INVALID,
                         "Redis address: the path of a Unix socket is absolute and at most 107 bytes");
        else
            u.path = mem_strdup(text + 7);
    } else if (strncmp(text, "redis://", 8) == 0) {
        rc = parse_tcp(&u, text + 8, err);
    } else {
        rc = err_set(err, ERR_INVALID, "Redis address: the form is %s", FORM);
    }
    if (rc < 0) {
        redis_url_fini(&u);
        return rc;
    }
    *out = u;
    return 0;
}

void redis_url_fini(struct redis_url *u)
{
    free(u->path);
    free(u->host);
    free(u->port);
    free(u->user);
    free(u->pass);
    *u = (struct redis_url){0};
}

void redis_url_show(const char *text, char *out, size_t size)
{
    const char *scheme = strstr(text, "://"), *host = scheme ? scheme + 3 : text, *at = strrchr(host, '@');

    if (at && strncmp(text, "unix://", 7) != 0)
        snprintf(out, size, "%.*s***%s", (int)(host - text), text, at);
    else
        snprintf(out, size, "%s", text);
}

/* ---- sentinels */

bool redis_url_is_sentinel(const char *text)
{
    return strncmp(text, SENTINEL, strlen(SENTINEL)) == 0;
}

/* One host[:port] as an address of its own; it is checked like any other. */
static int add_sentinel(struct sentinel_url *u, const char *s, size_t n, struct err *err)
{
    struct redis_url one = {0};
    struct buf b;
    const char *p = memchr(s, ']', n);
    bool has_port = memchr(p ? p : s, ':', p ? n - (size_t)(p - s) : n) != NULL;
    int rc;

    if (u->n == SENTINELS_MAX)
        return err_set(err, ERR_INVALID, "Redis address: at most %d sentinels", SENTINELS_MAX);
    buf_init(&b, 512);
    buf_printf(&b, "redis://%.*s%s", (int)n, s, has_port ? "" : ":" SENTINEL_PORT);
    rc = buf_ok(&b) ? redis_url_parse(b.p, &one, err) : err_set(err, ERR_INVALID, "Redis address: a host's name is too long");
    redis_url_fini(&one);
    if (rc == 0)
        u->sentinel[u->n++] = mem_strndup(b.p, b.n);
    buf_fini(&b);
    return rc;
}

int sentinel_url_parse(const char *text, struct sentinel_url *out, struct err *err)
{
    struct sentinel_url u = {.n = 0};
    const char *s = text + strlen(SENTINEL), *slash = strrchr(s, '/'), *at = NULL;
    int rc = 0;

    if (!slash || !slash[1])
        return err_set(err, ERR_INVALID, "Redis address: sentinel://host:port,host:port/name names the primary behind the last \"/\"");
    for (const char *p = s; p < slash; p++)
        if (*p == '@')
            at = p;
    u.login = mem_strndup(s, at ? (size_t)(at + 1 - s) : 0);
    u.name = mem_strdup(slash + 1);
    s = at ? at + 1 : s;
    while (rc == 0 && s <= slash) {
        const char *comma = memchr(s, ',', (size_t)(slash - s)), *end = comma ? comma : slash;

        rc = add_sentinel(&u, s, (size_t)(end - s), err);
        s = end + 1;
    }
    if (rc < 0)
        sentinel_url_fini(&u);
    else
        *out = u;
    return rc;
}

void sentinel_url_fini(struct sentinel_url *u)
{
    for (unsigned i = 0; i < u->n; i++)
        free(u->sentinel[i]);
    free(u->login);
    free(u->name);
    *u = (struct sentinel_url){.n = 0};
}

void sentinel_url_primary(const struct sentinel_url *u, struct str host, struct str port, char *out, size_t size)
{
    bool is_v6 = host.n && memchr(host.s, ':', host.n) != NULL;

    snprintf(out, size, "redis://%s%s%.*s%s:%.*s", u->login, is_v6 ? "[" : "", STR_FMT(host), is_v6 ? "]" : "", STR_FMT(port));
}

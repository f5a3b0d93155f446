/* The web faces, as they are built into the program: pages, hashed assets, the widget's loader. */
#include "http/http_private.h"

#include "base/base_crypto.h"
#include "base/base_embed.h"
#include "base/base_map.h"
#include "config/config.h"
#include "http/http_negotiate.h"

#include <stdio.h>
#include <stdlib.h>

enum coding { IDENTITY, BROTLI, GZIP, CODING_N };
static const char *const coding_names[] = {"br", "gzip", "identity"}; /* in the order that we like them */

struct file {
    struct str data[CODING_N]; /* .s NULL: not there */
    char tag[CODING_N][24];    /* entity tags, quoted */
    const char *type;
    bool is_page;   /* HTML: gets the policy of pages */
    bool is_shared; /* other sites may load it */
    const char *cache;
};

struct http_static {
    struct map by_path; /* URL path → struct file, owned */
};

static const char *type_of(const char *name)
{
    static const struct {
        const char *suffix, *type;
    } types[] = {
        {".html", "text/html; charset=utf-8"},
        {".js", "text/javascript; charset=utf-8"},
        {".css", "text/css; charset=utf-8"},
        {".json", "application/json"},
        {".svg", "image/svg+xml"},
        {".png", "image/png"},
        {".webp", "image/webp"},
        {".ico", "image/x-icon"},
        {".txt", "text/plain; charset=utf-8"},
        {".map", "application/json"},
        {".mp3", "audio/mpeg"},
        {".wav", "audio/wav"},
    };
    size_t n = strlen(name);

    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        size_t m = strlen(types[i].suffix);

        if (n > m && strcmp(name + n - m, types[i].suffix) == 0)
            return types[i].type;
    }
    return "application/octet-stream";
}

/* "assets/panel-ABCD1234.js": the name changes with the content. */
static bool is_hashed(const char *path)
{
    const char *dash = strrchr(path, '-');
    size_t n = dash ? strspn(dash + 1, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789") : 0;

    return n >= 8 && dash[1 + n] == '.';
}

static void set_kind(struct file *f, const char *path)
{
    f->type = type_of(path);
    f->is_page = strncmp(f->type, "text/html", 9) == 0;
    f->is_shared = strncmp(path, "/assets/", 8) == 0 || strcmp(path, "/widget.js") == 0;
    if (strncmp(path, "/assets/", 8) == 0 && is_hashed(path))
        f->cache = "public, max-age=31536000, immutable";
    else if (f->is_shared)
        f->cache = "public, max-age=300";
    else
        f->cache = "no-cache";
}

/* Where an embedded file stands under which address; false for what isn't served. */
static bool url_of(const char *name, char *out, size_t n)
{
    static const char *const pages[][2] = {
        {"index.html", "/"}, {"console.html", "/console"}, {"qa.html", "/qa"}};

    for (size_t i = 0; i < sizeof pages / sizeof pages[0]; i++)
        if (strcmp(name, pages[i][0]) == 0)
            return snprintf(out, n, "%s", pages[i][1]) > 0;
    if (strcmp(name, "widget.js") != 0 && strncmp(name, "assets/", 7) != 0)
        return false;
    return snprintf(out, n, "/%s", name) < (int)n;
}

static bool ends_with(struct str s, const char *suffix)
{
    size_t n = strlen(suffix);

    return s.n > n && memcmp(s.s + s.n - n, suffix, n) == 0;
}

static void add_file(struct http_static *s, const struct embed *e)
{
    struct str name = str_of(e->name + strlen("web/"));
    enum coding coding = ends_with(name, ".br") ? BROTLI : ends_with(name, ".gz") ? GZIP : IDENTITY;
    char plain[256], url[256];
    struct file *f;

    if (coding != IDENTITY)
        name.n -= 3;
    snprintf(plain, sizeof plain, "%.*s", STR_FMT(name));
    if (!url_of(plain, url, sizeof url))
        return;
    f = map_get(&s->by_path, str_of(url));
    if (!f) {
        f = mem_zalloc(sizeof *f);
        set_kind(f, url[1] && strcmp(url, "/console") != 0 && strcmp(url, "/qa") != 0 ? url : plain);
        map_put(&s->by_path, str_of(url), f);
    }
    snprintf(f->tag[coding], sizeof f->tag[coding], "\"%.16s\"", e->digest);
    f->data[coding] = e->data;
}

struct http_static *static_create(void)
{
    struct http_static *s = mem_zalloc(sizeof *s);
    const struct embed *e;
    size_t i = 0;

    map_init(&s->by_path);
    while ((e = embed_next("web/", &i)) != NULL)
        add_file(s, e);
    return s;
}

void static_destroy(struct http_static *s)
{
    if (!s)
        return;
    map_fini_free(&s->by_path);
    free(s);
}

static enum coding choose(const struct file *f, struct str accept_encoding)
{
    static const enum coding of[] = {BROTLI, GZIP, IDENTITY};
    const char *offers[CODING_N];
    enum coding codings[CODING_N];
    unsigned n = 0;
    int best;

    for (unsigned i = 0; i < CODING_N; i++)
        if (f->data[of[i]].s && of[i] != IDENTITY) {
            codings[n] = of[i];
            offers[n++] = coding_names[i];
        }
    best = n && accept_encoding.n ? negotiate_best(accept_encoding, offers, n) : -1; /* an empty one takes none */
    return best >= 0 ? codings[best] : IDENTITY;
}

/* The policy of our pages (UX 3): no inline script or style, no other host. */
#define PAGE_POLICY                                                                                          \
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob: data:; connect-src "      \
    "'self' ws: wss:; "                                                                                      \
    "font-src 'none'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "                         \
    "require-trusted-types-for 'script'"

static unsigned file_headers(const struct file *f, enum coding coding, const char **h)
{
    unsigned n = 0;

#define ADD(name, value) (h[n++] = (name), h[n++] = (value))
    ADD("Cache-Control", f->cache);
    ADD("ETag", f->tag[coding]);
    ADD("Vary", "Accept-Encoding");
    ADD("Content-Security-Policy", f->is_page ? PAGE_POLICY : "default-src 'none'; frame-ancestors 'none'");
    ADD("Cross-Origin-Opener-Policy", "same-origin");
    ADD("Cross-Origin-Resource-Policy", f->is_shared ? "cross-origin" : "same-origin");
    if (f->is_shared)
        ADD("Access-Control-Allow-Origin", "*");
    if (coding != IDENTITY)
        ADD("Content-Encoding", coding == BROTLI ? "br" : "gzip");
#undef ADD
    return n;
}

bool static_serve(struct http *http, struct net_http *net, const struct net_head *head)
{
    const struct file *f = map_get(&http->files->by_path, head->path);
    struct net_response r = {.body_is_static = true};
    enum coding coding;

    bool leads_on = str_is(head->path, "/") && !http->port.is_demo; /* to the console */

    if (!leads_on && (!f || !f->data[IDENTITY].s))
        return false;
    if (!str_is(head->method, "GET") && !str_is(head->method, "HEAD")) {
        http_refuse(net, 405, "this address takes GET only", http_allow_get);
        return true;
    }
    if (leads_on) {
        unsigned n = http_api_headers(r.headers);

        r.status = 302;
        r.headers[n++] = "Location";
        r.headers[n++] = "/console";
        net_http_respond(net, &r);
        return true;
    }
    coding = choose(f, net_head_get(head, "accept-encoding"));
    file_headers(f, coding, r.headers);
    if (negotiate_has_tag(net_head_get(head, "if-none-match"), f->tag[coding])) {
        r.status = 304;
    } else {
        r.status = 200;
        r.type = f->type;
        r.body = f->data[coding];
    }
    net_http_respond(net, &r);
    return true;
}

#define ORIGIN_SIZE 300

/* True if the origin is one of a site's, or our own. */
static bool is_allowed(const struct http *http, const struct net_head *head, struct str origin)
{
    if (net_head_is_same_origin(head, http->cfg))
        return true;
    for (size_t i = 0; i < http->cfg->sites_n; i++)
        if (config_origins_has(http->cfg->sites[i].origins, origin))
            return true;
    return false;
}

/* True if other origins than ours may use what is there: the site's, with a shopper's token. */
static bool is_for_sites(const struct net_head *head)
{
    static const char prefix[] = "/api/v1/shopper/";

    return head->path.n >= sizeof prefix - 1 && memcmp(head->path.s, prefix, sizeof prefix - 1) == 0;
}

struct str cors_origin(const struct http *http, const struct net_head *head)
{
    struct str origin = net_head_get(head, "origin");

    return is_for_sites(head) && origin.s && origin.n < ORIGIN_SIZE && is_allowed(http, head, origin) ? origin : STR_NONE;
}

bool cors_preflight(struct http *http, struct net_http *net, const struct net_head *head)
{
    struct str origin = net_head_get(head, "origin");
    char allowed[ORIGIN_SIZE];
    const char *const extra[] = {"Access-Control-Allow-Origin",
                                 allowed,
                                 "Access-Control-Allow-Methods",
                                 "GET, POST",
                                 "Access-Control-Allow-Headers",
                                 "Authorization, Content-Type",
                                 "Access-Control-Max-Age",
                                 "600",
                                 "Vary",
                                 "Origin",
                                 NULL};
    struct net_response r = {.status = 204};
    unsigned n;

    if (!str_is(head->method, "OPTIONS") || !origin.s || !is_for_sites(head))
        return false;
    if (!cors_origin(http, head).s) {
        http_refuse(net, 403, "this origin is none of a site's", NULL);
        return true;
    }
    snprintf(allowed, sizeof allowed, "%.*s", STR_FMT(origin));
    n = http_api_headers(r.headers);
    memcpy(r.headers + n, extra, sizeof extra);
    net_http_respond(net, &r);
    return true;
}

/* Routes, and the way of a request to its handler. */
#include "http/http_private.h"

#include "config/config.h"
#include "log/log.h"
#include "protocol/protocol.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#define READERS (ROLE_REP | ROLE_LEAD | ROLE_QA | ROLE_DIRECTOR)
#define JUDGES  (ROLE_QA | ROLE_DIRECTOR)
#define EDITORS (ROLE_EDITOR | ROLE_DIRECTOR)

static const struct http_route routes[] = {
    {"GET", "/healthz", 0, false, state_health},
    {"GET", "/readyz", 0, false, state_ready},
    {"GET", "/api/v1/openapi.json", 0, false, state_openapi},
    {"POST", "/api/v1/session", 0, true, session_create},
    {"GET", "/api/v1/session", ROLE_STAFF, false, session_get},
    {"DELETE", "/api/v1/session", ROLE_STAFF, true, session_delete},
    {"GET", "/api/v1/transcripts", READERS, false, transcripts_list},
    {"GET", "/api/v1/transcripts/{}", READERS, false, transcripts_get},
    {"GET", "/api/v1/shopper/transcripts/{}", ROLE_SHOPPER, false, transcripts_own},
    {"GET", "/api/v1/articles", ROLE_STAFF, false, articles_list},
    {"POST", "/api/v1/articles", EDITORS, true, articles_save},
    {"POST", "/api/v1/articles/preview", EDITORS, true, articles_preview},
    {"POST", "/api/v1/articles/reload", EDITORS, true, articles_reload},
    {"GET", "/api/v1/articles/{}", ROLE_STAFF, false, articles_get},
    {"GET", "/api/v1/articles/{}/versions", ROLE_STAFF, false, articles_versions},
    {"GET", "/api/v1/taught", EDITORS, false, taught_list},
    {"GET", "/api/v1/taught/figures", EDITORS, false, taught_figures},
    {"POST", "/api/v1/taught/{}/undo", EDITORS, true, taught_undo},
    {"GET", "/api/v1/synonyms", EDITORS, false, synonyms_get},
    {"POST", "/api/v1/synonyms", EDITORS, true, synonyms_save},
    {"GET", "/api/v1/gaps", EDITORS, false, gaps_list},
    {"GET", "/api/v1/gaps/stale", EDITORS, false, gaps_stale},
    {"GET", "/api/v1/people", ROLE_STAFF, false, people_list},
    {"GET", "/api/v1/canned", ROLE_STAFF, false, canned_list},
    {"GET", "/api/v1/scorecards", READERS, false, scorecards_list},
    {"GET", "/api/v1/reviews", READERS, false, reviews_list},
    {"POST", "/api/v1/reviews", JUDGES, true, reviews_create},
};
#define ROUTES_N (sizeof routes / sizeof routes[0])

const char *const http_allow_get[] = {"Allow", "GET, HEAD", NULL};

int http_create(const struct config *cfg, const struct http_port *port, struct http **out, struct err *err)
{
    struct http *h = mem_zalloc(sizeof *h);

    (void)err;
    h->cfg = cfg;
    h->port = *port;
    h->files = static_create();
    *out = h;
    return 0;
}

void http_destroy(struct http *h)
{
    if (!h)
        return;
    static_destroy(h->files);
    free(h);
}

/* True if path is of that pattern; *param: what stands for {}. */
static bool matches(const char *pattern, struct str path, struct str *param)
{
    const char *any = strstr(pattern, "{}");
    size_t before, behind;

    *param = (struct str){"", 0};
    if (!any)
        return str_is(path, pattern);
    before = (size_t)(any - pattern);
    behind = strlen(any + 2);
    if (path.n <= before + behind || memcmp(path.s, pattern, before) != 0 || memcmp(path.s + path.n - behind, any + 2, behind) != 0)
        return false;
    *param = (struct str){path.s + before, path.n - before - behind};
    return !memchr(param->s, '/', param->n);
}

/* The route; NULL with *allow filled in where only the method is wrong (else ""). */
static const struct http_route *find_route(struct str method, struct str path, struct str *param,
                                           char allow[64])
{
    struct str wanted = str_is(method, "HEAD") ? STR("GET") : method;

    allow[0] = '\0';
    for (size_t i = 0; i < ROUTES_N; i++) {
        if (!matches(routes[i].pattern, path, param))
            continue;
        if (str_is(wanted, routes[i].method))
            return &routes[i];
        snprintf(allow + strlen(allow), 64 - strlen(allow), "%s%s%s", allow[0] ? ", " : "", routes[i].method,
                 strcmp(routes[i].method, "GET") == 0 ? ", HEAD" : "");
    }
    return NULL;
}

static struct str bearer_of(const struct net_head *head)
{
    struct str v = net_head_get(head, "authorization");

    if (v.n <= 7 || strncasecmp(v.s, "Bearer ", 7) != 0)
        return STR_NONE;
    return (struct str){v.s + 7, v.n - 7};
}

static bool says_json(struct str type)
{
    static const char json[] = "application/json";
    size_t n = sizeof json - 1;

    return type.n >= n && strncasecmp(type.s, json, n) == 0 &&
           (type.n == n || type.s[n] == ';' || type.s[n] == ' ' || type.s[n] == '\t');
}

/* Everything of the request that is needed after this call, in one piece of memory. */
static struct http_call *call_create(struct http *h, struct net_http *net, const struct net_head *head,
                                     struct str body, const struct http_route *route, struct str param)
{
    struct str from[] = {param,
                         head->query,
                         net_head_cookie(head, "firstline_session"),
                         bearer_of(head),
                         net_head_get(head, "accept"),
                         cors_origin(h, head),
                         body};
    size_t n = 0;
    struct http_call *c;
    char *p;

    for (unsigned i = 0; i < sizeof from / sizeof *from; i++)
        n += from[i].n + 1;
    c = mem_zalloc(sizeof *c + n);
    p = c->bytes;
    for (unsigned i = 0; i < sizeof from / sizeof *from; i++) {
        if (from[i].n)
            memcpy(p, from[i].s, from[i].n);
        from[i].s = from[i].s ? p : NULL;
        p += from[i].n + 1;
    }
    c->param = from[0], c->query = from[1], c->cookie = from[2], c->bearer = from[3], c->accept = from[4],
    c->origin = from[5], c->body = from[6];
    c->http = h;
    c->net = net;
    c->route = route;
    c->secure = head->secure;
    c->has_firstline = str_is(net_head_get(head, "x-firstline"), "1");
    c->is_json = says_json(net_head_get(head, "content-type"));
    memcpy(c->address, head->address, sizeof c->address);
    return c;
}

void http_call_who(struct http_call *call, const struct http_who *who)
{
    const struct http_route *route = call->route;
    static const char *const retry[] = {"Retry-After", "1", NULL};
    const char *setup = NULL;

    if (!who) {
        call_problem_more(call, 503, "who calls can't be found out now", NULL, NULL, retry);
        return;
    }
    call->who = *who;
    if (!who->roles || (who->roles == ROLE_SHOPPER && route->roles != ROLE_SHOPPER)) { /* no staff */
        if (call->http->port.setup)
            setup = call->http->port.setup(call->http->port.ctx);
        call_problem_more(call, 401, "sign in, or send a valid API token", "setup", setup, NULL);
    } else if (!(who->roles & route->roles)) {
        call_problem(call, 403, route->roles == ROLE_SHOPPER ? "this is for shoppers, by their token" : "this account's roles don't allow it");
    } else if (route->changes_state && who->by_cookie && !call->has_firstline) {
        call_problem(call, 403, "a call by cookie that changes something needs the header X-Firstline: 1");
    } else {
        route->handle(call);
    }
}

static bool is_under(struct str path, const char *prefix)
{
    size_t n = strlen(prefix);

    return path.n >= n && memcmp(path.s, prefix, n) == 0;
}

void http_request(void *http, struct net_http *req, const struct net_head *head, struct str body)
{
    struct http *h = http;
    char allow[64];
    const char *const extra[] = {"Allow", allow, NULL};
    struct str param;
    const struct http_route *route = find_route(head->method, head->path, &param, allow);
    struct http_call *call;

    if (!route) {
        if (allow[0])
            http_refuse(req, 405, "this address takes other methods", extra);
        else if (cors_preflight(h, req, head) ||
                 (!is_under(head->path, "/api/") && static_serve(h, req, head)))
            return;
        else
            http_refuse(req, 404, "there is nothing at this address", NULL);
        return;
    }
    call = call_create(h, req, head, body, route, param);
    if (!route->roles)
        route->handle(call);
    else if (!call->cookie.s && !call->bearer.s)
        http_call_who(call, &(struct http_who){.roles = 0});
    else
        h->port.who(h->port.ctx, call, call->cookie, call->bearer);
}

void http_request_metrics(void *http, struct net_http *req, const struct net_head *head, struct str body)
{
    struct http *h = http;
    struct net_response r = {.status = 200, .type = "text/plain; version=0.0.4; charset=utf-8"};
    bool is_here = str_is(head->path, "/metrics");
    struct buf b;

    (void)body;
    if (!is_here || !(str_is(head->method, "GET") || str_is(head->method, "HEAD"))) {
        http_refuse(req, is_here ? 405 : 404, "only GET /metrics is here", is_here ? http_allow_get : NULL);
        return;
    }
    buf_init(&b, 1024 * 1024);
    h->port.metrics(h->port.ctx, &b);
    r.body = buf_str(&b);
    http_api_headers(r.headers);
    net_http_respond(req, &r);
    buf_fini(&b);
}

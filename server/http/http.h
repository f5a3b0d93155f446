/*
 * http: routes as rows, static files, the JSON API. Sits behind net's port: http_request() is
 * net_port.http_request.
 *
 * One resource a file (http_session.c, http_transcripts.c …). What needs people or live state is asked of
 * struct http_port. Errors  application/problem+json (RFC 9457).   Thread  loop.   Source  PROTOCOL "HTTP",
 * UX 1.
 */
#ifndef HTTP_H
#define HTTP_H

#include "net/net.h"

struct archive;
struct config;
struct http;
struct http_call; /* one request under way; holds a copy of what it needs */

#define HTTP_DEPARTMENTS_MAX 16 /* of one person */

/* Who makes a request. */
struct http_who {
    unsigned roles; /* ROLE_* mask; 0: nobody */
    char id[32];    /* r_… */
    char name[128];
    char login[128];
    char departments[HTTP_DEPARTMENTS_MAX + 1][64]; /* "" ends */
    bool by_cookie;           /* state-changing calls need X-Firstline: 1 then */
    char site[64];
};

/* What is asked of the knowledge base; absent strings have .s NULL. */
enum http_kb_what {
    HTTP_KB_LIST,     /* q, lang, cursor, limit */
    HTTP_KB_GET,      /* id */
    HTTP_KB_SAVE,     /* id, lang, version, base, text: the article as a file with front matter */
    HTTP_KB_VERSIONS, /* id, lang */
    HTTP_KB_PREVIEW,  /* text: Markdown */
    HTTP_KB_FIGURES,
    HTTP_KB_RELOAD,
    HTTP_KB_TAUGHT,   /* id (article), q (who), cursor, limit */
    HTTP_KB_UNDO,     /* id (of the verdict) */
    HTTP_KB_SYNONYMS,
    HTTP_KB_SYNONYMS_SAVE, /* version, base, text */
    HTTP_KB_GAPS,     /* limit */
    HTTP_KB_STALE     /* limit */
};
struct http_kb {
    enum http_kb_what what;
    const struct http_who *who;
    struct str id, lang, q, cursor, base, text;
    int64_t version;
    unsigned limit;
};

struct http_port {
    void *ctx;
    /* Finds out who calls (cookie firstline_session or Bearer token); later or at once: http_call_who(call,
     * who) with roles 0 if nobody, ROLE_SHOPPER and the shopper's id for a shopper's token; http_call_too_many(). */
    void (*who)(void *ctx, struct http_call *call, struct str cookie, struct str bearer);
    /* Checks login and password (slowed and bounded by address and login); answers by http_call_session(). */
    void (*login)(void *ctx, struct http_call *call, struct str login, struct str password,
                  const char *address);
    /* Ends the session of this cookie and its live sockets; answers by http_call_done(), or http_call_session() with 503. */
    void (*logout)(void *ctx, struct http_call *call, struct str cookie);
    /* All people (no secrets) as a JSON list of {id,name,login,roles,departments,disabled} into out. */
    void (*people)(void *ctx, struct buf *out);
    /* The site's departments as a JSON list of {name,title_en,title_zh} into out. */
    void (*departments)(void *ctx, struct buf *out);
    /* {"status":"ready"|"degraded"|"starting"|"draining"|"unavailable","reasons":[…],…} into out; true if it can serve (200). */
    bool (*ready)(void *ctx, struct buf *out);
    /* Prometheus text. */
    void (*metrics)(void *ctx, struct buf *out);
    /* The archive of this site if this node holds it, else NULL and *node names who does (may be ""). */
    struct archive *(*archive)(void *ctx, const char *site, const char **node);
    /* The command that makes the first account while there is none, else NULL. May be NULL itself. */
    const char *(*setup)(void *ctx);
    /* The knowledge base: answers by http_call_json() or http_call_problem(). Copies what it needs. */
    void (*kb)(void *ctx, struct http_call *call, const struct http_kb *q);
    bool is_demo; /* `/` shows the storefront */
};

int http_create(const struct config *cfg, const struct http_port *port, struct http **out, struct err *err);
void http_destroy(struct http *h);
/* net_port.http_request with ctx = struct http. */
void http_request(void *http, struct net_http *req, const struct net_head *head, struct str body);

/* The same for the listener of metrics.listen: GET /metrics and nothing else. */
void http_request_metrics(void *http, struct net_http *req, const struct net_head *head, struct str body);

/* Answers to what the port was asked. */
/* who NULL: it can't be found out now, 503; nobody (roles 0): 401. */
void http_call_who(struct http_call *call, const struct http_who *who);
/* 429: whoever calls may come again in retry_ms. */
void http_call_too_many(struct http_call *call, int64_t retry_ms);
/* status 200 with the new session's cookie value, 401, 429 (retry_ms) or 503; setup: the command that makes
 * the first account, or NULL. */
void http_call_session(struct http_call *call, int status, const struct http_who *who, const char *cookie,
                       int64_t retry_ms, const char *setup);
void http_call_done(struct http_call *call, int status);
void http_call_json(struct http_call *call, int status, struct str body);
/* key and value: one more member of the problem, or NULL. */
void http_call_problem(struct http_call *call, int status, const char *detail, const char *key, const char *value);

#endif

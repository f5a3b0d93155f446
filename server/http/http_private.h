/*
 * http_private: what the files of http share. Nobody outside of http includes it.
 *
 *     http_request() ─▶ row of the table ─▶ who? (port) ─▶ role, X-Firstline ─▶ handler ─▶ call_send() |
 * call_problem()
 */
#ifndef HTTP_PRIVATE_H
#define HTTP_PRIVATE_H

#include "http/http.h"

struct http_static;

struct http {
    const struct config *cfg;
    struct http_port port;
    struct http_static *files;
};

/* One route. pattern: one part may be {}, which matches any one part; call.param is what stood there. */
struct http_route {
    const char *method;
    const char *pattern;
    unsigned roles;     /* who may; 0: anyone, and nobody is asked who it is */
    bool changes_state; /* by cookie it needs X-Firstline: 1 */
    void (*handle)(struct http_call *call);
};

struct http_call {
    struct http *http;
    struct net_http *net;
    const struct http_route *route;
    struct http_who who;
    char address[64];
    bool secure;
    bool has_firstline; /* X-Firstline: 1 */
    bool is_json;       /* the body says that it is */
    bool is_waiting;    /* for the archive: who calls back finds it alive */
    struct str param, query, cookie, bearer, accept, body;
    struct str origin; /* of a site's page that may read the answer; .s NULL: none, or ours */
    void (*on_archive)(struct http_call *call, int rc, const char *type, struct str body, const char *why);
    unsigned char format; /* enum archive_format of a transcript */
    struct str made;      /* JSON that a handler has made; freed with the call */
    char bytes[];         /* what the strs point into */
};

/* Each ends the call. extra: name, value, … NULL, or NULL. */
void call_send(struct http_call *call, int status, const char *type, struct str body,
               const char *const *extra);
void call_json(struct http_call *call, int status, struct buf *body);
void call_problem(struct http_call *call, int status, const char *detail);
/* A problem with one more member and further headers. */
void call_problem_more(struct http_call *call, int status, const char *detail, const char *key,
                       const char *value, const char *const *extra);
/* The headers that stand on every answer of the API. Returns how many entries of headers it used. */
unsigned http_api_headers(const char **headers);
/* Of what is there to be read only: the extra headers of a 405. */
extern const char *const http_allow_get[];
/* A problem for a request that is no call yet. */
void http_refuse(struct net_http *net, int status, const char *detail, const char *const *extra);
const char *http_title(int status);

/* True if the body is JSON by its Content-Type and no larger than that; else 415 or 413 has been sent. */
bool call_wants_json(struct http_call *call, size_t max_bytes);
/* The archive, or NULL after a 503 that names who holds it. */
struct archive *call_archive(struct http_call *call);
struct archive_query;
/* Asks the archive; on_archive comes later. False: it can't take the question, and 503 has been sent. */
bool call_ask(struct http_call *call, struct archive *a, const struct archive_query *q,
              void (*on_archive)(struct http_call *call, int rc, const char *type, struct str body,
                                 const char *why));
/* Sends the problem that fits the archive's ERR_*. */
void call_archive_failed(struct http_call *call, int rc, const char *why);
/* Notes in the audit log what was read or done; a JSON object of what. */
void call_audit(struct http_call *call, struct archive *a, struct buf *what);
/* A query parameter into out (emptied first); false if absent, too long or not UTF-8 (then *bad is set). */
bool call_param(struct http_call *call, const char *name, struct buf *out, bool *bad);
/* A whole number of the query into *out, which stays as it is where the parameter is absent. */
void call_param_int(struct http_call *call, const char *name, int64_t min, int64_t max, int64_t *out, bool *bad);

/* Handlers, one resource a file. */
void session_create(struct http_call *call);
void session_get(struct http_call *call);
void session_delete(struct http_call *call);
void transcripts_list(struct http_call *call);
void transcripts_get(struct http_call *call);
void transcripts_own(struct http_call *call);
void people_list(struct http_call *call);
void canned_list(struct http_call *call);
void scorecards_list(struct http_call *call);
void reviews_create(struct http_call *call);
void reviews_list(struct http_call *call);
void articles_list(struct http_call *call);
void articles_get(struct http_call *call);
void articles_save(struct http_call *call);
void articles_versions(struct http_call *call);
void articles_preview(struct http_call *call);
void articles_reload(struct http_call *call);
void taught_list(struct http_call *call);
void taught_figures(struct http_call *call);
void taught_undo(struct http_call *call);
void synonyms_get(struct http_call *call);
void synonyms_save(struct http_call *call);
void gaps_list(struct http_call *call);
void gaps_stale(struct http_call *call);
void state_health(struct http_call *call);
void state_ready(struct http_call *call);
void state_openapi(struct http_call *call);

struct http_static *static_create(void);
void static_destroy(struct http_static *files);
/* Answers if path is that of a file (GET, HEAD); false if there is none. */
bool static_serve(struct http *http, struct net_http *net, const struct net_head *head);
/* CORS. The Origin of the request where that is a site's and may use the address; else .s NULL. */
struct str cors_origin(const struct http *http, const struct net_head *head);
/* A preflight for what other origins may use; false if it isn't one. */
bool cors_preflight(struct http *http, struct net_http *net, const struct net_head *head);

#endif

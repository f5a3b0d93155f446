/* Answers: security headers, problems (RFC 9457), the archive's errors. */
#include "http/http_private.h"

#include "archive/archive.h"
#include "base/base_json.h"
#include "log/log.h"
#include "protocol/protocol.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

const char *http_title(int status)
{
    switch (status) {
    case 400:
        return "Bad request";
    case 401:
        return "Not signed in";
    case 403:
        return "Not allowed";
    case 404:
        return "Not found";
    case 405:
        return "Method not allowed";
    case 406:
        return "Not acceptable";
    case 409:
        return "Conflict";
    case 413:
        return "Too large";
    case 415:
        return "Unsupported media type";
    case 429:
        return "Too many tries";
    case 503:
        return "Not available";
    default:
        return "Failed";
    }
}

unsigned http_api_headers(const char **headers)
{
    static const char *const all[] = {
        "Cache-Control",
        "no-store",
        "Content-Security-Policy",
        "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
        "Cross-Origin-Resource-Policy",
        "same-origin",
        "Cross-Origin-Opener-Policy",
        "same-origin",
    };

    memcpy(headers, all, sizeof all);
    return sizeof all / sizeof all[0];
}

static void respond(struct net_http *net, int status, const char *type, struct str body,
                    const char *const *extra)
{
    struct net_response r = {.status = status, .type = type, .body = body};
    unsigned n = http_api_headers(r.headers);

    while (extra && *extra && n < sizeof r.headers / sizeof r.headers[0] - 1)
        r.headers[n++] = *extra++;
    if (status == 401 && n < sizeof r.headers / sizeof r.headers[0] - 2) {
        r.headers[n++] = "WWW-Authenticate";
        r.headers[n++] = "Bearer";
    }
    net_http_respond(net, &r);
}

static void write_problem(struct buf *b, int status, const char *detail, const char *key, const char *value)
{
    json_open(b, '{');
    json_kv_s(b, "type", "about:blank");
    json_kv_s(b, "title", http_title(status));
    json_kv_int(b, "status", status);
    if (detail)
        json_kv_s(b, "detail", detail);
    if (key && value)
        json_kv_s(b, key, value);
    json_close(b, '}');
}

void http_refuse(struct net_http *net, int status, const char *detail, const char *const *extra)
{
    struct buf b;

    buf_init(&b, 4096);
    write_problem(&b, status, detail, NULL, NULL);
    respond(net, status, "application/problem+json", buf_str(&b), extra);
    buf_fini(&b);
}

void call_send(struct http_call *call, int status, const char *type, struct str body,
               const char *const *extra)
{
    const char *headers[24];
    unsigned n = 0;

    while (extra && extra[n]) {
        headers[n] = extra[n];
        n++;
    }
    if (call->origin.s) {
        headers[n++] = "Access-Control-Allow-Origin";
        headers[n++] = call->origin.s;
        headers[n++] = "Vary";
        headers[n++] = "Origin";
    }
    headers[n] = NULL;
    respond(call->net, status, type, body, headers);
    free((char *)(uintptr_t)call->made.s);
    free(call);
}

void call_json(struct http_call *call, int status, struct buf *body)
{
    if (buf_ok(body))
        call_send(call, status, "application/json", buf_str(body), NULL);
    else
        call_problem(call, 500, "the answer is too large");
    buf_fini(body);
}

void call_problem_more(struct http_call *call, int status, const char *detail, const char *key,
                       const char *value, const char *const *extra)
{
    struct buf b;

    buf_init(&b, 4096);
    write_problem(&b, status, detail, key, value);
    call_send(call, status, "application/problem+json", buf_str(&b), extra);
    buf_fini(&b);
}

void http_call_too_many(struct http_call *call, int64_t retry_ms)
{
    char retry[32];
    const char *const extra[] = {"Retry-After", retry, NULL};

    snprintf(retry, sizeof retry, "%lld", (long long)((retry_ms + 999) / 1000));
    call_problem_more(call, 429, "too often: wait a little", NULL, NULL, extra);
}

void call_problem(struct http_call *call, int status, const char *detail)
{
    call_problem_more(call, status, detail, NULL, NULL, NULL);
}

void http_call_json(struct http_call *call, int status, struct str body)
{
    call_send(call, status, "application/json", body, NULL);
}

void http_call_problem(struct http_call *call, int status, const char *detail, const char *key, const char *value)
{
    call_problem_more(call, status, detail, key, value, NULL);
}

bool call_wants_json(struct http_call *call, size_t max_bytes)
{
    char why[60];

    if (call->is_json && call->body.n <= max_bytes)
        return true;
    snprintf(why, sizeof why, "this body has at most %zu KiB", max_bytes / 1024);
    if (call->is_json)
        call_problem(call, 413, why);
    else
        call_problem(call, 415, "send Content-Type: application/json");
    return false;
}

struct archive *call_archive(struct http_call *call)
{
    const char *node = "";
    struct archive *a = call->http->port.archive(call->http->port.ctx, call->who.site, &node);
    static const char *const retry[] = {"Retry-After", "5", NULL};
    char why[200];

    if (a)
        return a;
    if (call->who.roles == ROLE_SHOPPER) { /* which node is nothing for them */
        call_problem_more(call, 503, "transcripts can't be read here now", NULL, NULL, retry);
        return NULL;
    }
    if (node && *node)
        snprintf(why, sizeof why, "the archive is held by node %s: ask there", node);
    else
        snprintf(why, sizeof why, "no node holds the archive now");
    call_problem_more(call, 503, why, "node", node && *node ? node : NULL, retry);
    return NULL;
}

static void on_answer(void *ctx, int rc, const char *type, struct str body, const char *why)
{
    struct http_call *call = ctx;

    call->on_archive(call, rc, type, body, why);
}

bool call_ask(struct http_call *call, struct archive *a, const struct archive_query *q,
              void (*on_archive)(struct http_call *call, int rc, const char *type, struct str body,
                                 const char *why))
{
    static const char *const retry[] = {"Retry-After", "1", NULL};
    int rc;

    call->on_archive = on_archive;
    rc = archive_ask(a, q, on_answer, call);
    if (rc < 0)
        call_problem_more(call, 503, "the archive is busy", NULL, NULL, retry);
    return rc == 0;
}

void call_archive_failed(struct http_call *call, int rc, const char *why)
{
    static const char *const retry[] = {"Retry-After", "5", NULL};

    switch (rc) {
    case ERR_NOT_FOUND:
        call_problem(call, 404, "there is no such chat, or it is not yours to read");
        return;
    case ERR_INVALID:
        call_problem(call, 400, why && *why ? why : "the question can't be understood");
        return;
    case ERR_DENIED:
        call_problem(call, 403, "not allowed for this account");
        return;
    case ERR_EXISTS:
        call_problem(call, 409, why && *why ? why : "it exists already");
        return;
    case ERR_TOO_LARGE:
        call_problem(call, 413, why && *why ? why : "the answer is too large");
        return;
    default:
        log_warn("http", "archive rc=%d why=\"%s\"", rc, why ? why : "");
        call_problem_more(call, 503, "the archive can't answer now", NULL, NULL, retry);
    }
}

static void on_audited(void *ctx, int rc, const char *type, struct str body, const char *why)
{
    (void)ctx, (void)type, (void)body;
    if (rc < 0)
        log_error("http", "the audit log lacks an entry rc=%d why=\"%s\"", rc, why ? why : "");
}

void call_audit(struct http_call *call, struct archive *a, struct buf *what)
{
    struct archive_query q = {.kind = ARCHIVE_AUDIT_ADD, .body = buf_str(what), .by = str_of(call->who.id)};
    int rc = buf_ok(what) ? archive_ask(a, &q, on_audited, NULL) : ERR_TOO_LARGE;

    if (rc < 0)
        on_audited(NULL, rc, NULL, STR_NONE, err_text(rc));
}

bool call_param(struct http_call *call, const char *name, struct buf *out, bool *bad)
{
    buf_reset(out);
    if (!net_query_get(call->query, name, out)) {
        *bad |= !buf_ok(out);
        return false;
    }
    if (!utf8_is_valid(buf_str(out))) {
        *bad = true;
        return false;
    }
    return out->n > 0;
}

void call_param_int(struct http_call *call, const char *name, int64_t min, int64_t max, int64_t *out, bool *bad)
{
    struct buf b;
    char *end;
    long long v;

    buf_init(&b, 24);
    if (call_param(call, name, &b, bad)) {
        errno = 0;
        v = strtoll(b.p, &end, 10);
        if (*end || errno || v < min || v > max)
            *bad = true;
        else
            *out = v;
    }
    buf_fini(&b);
}

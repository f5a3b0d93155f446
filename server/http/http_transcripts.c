/*
 * /api/v1/transcripts: searching and reading what was said. QA and directors read all, a lead the
 * departments, a rep what was theirs and the past chats of a shopper whom they handle now; admins and editors
 * nothing by virtue of that (MISSION "People"). Each read by them goes to the audit log. A shopper reads own chats, as they were
 * sent there.
 */
#include "http/http_private.h"

#include "archive/archive.h"
#include "base/base_crypto.h"
#include "base/base_json.h"
#include "http/http_negotiate.h"
#include "protocol/protocol.h"

#include <stdlib.h>

#define QUERY_MAX 2000 /* bytes of a search */

/* Whom the caller may see. */
static void set_reader(const struct http_call *call, struct archive_query *q)
{
    q->reader_all = (call->who.roles & (ROLE_QA | ROLE_DIRECTOR)) != 0;
    q->reader_id = str_of(call->who.id);
    if (call->who.roles & ROLE_LEAD)
        q->reader_departments = call->who.departments;
}

static void read_owner_changed(struct http_call *call, int *out, bool *bad)
{
    struct buf b;

    buf_init(&b, 8);
    if (call_param(call, "owner_changed", &b, bad)) {
        struct str v = buf_str(&b);

        if (str_is(v, "true") || str_is(v, "1"))
            *out = 1;
        else if (str_is(v, "false") || str_is(v, "0"))
            *out = 0;
        else
            *bad = true;
    }
    buf_fini(&b);
}

static void on_list(struct http_call *call, int rc, const char *type, struct str body, const char *why)
{
    if (rc == ERR_TIMEOUT) /* the same question would take as long again: no Retry-After */
        http_call_problem(call, 503, "the search took too long: narrow it", "reason", "too_slow");
    else if (rc < 0)
        call_archive_failed(call, rc, why);
    else
        call_send(call, 200, type ? type : "application/json", body, NULL);
}

static void audit_list(struct http_call *call, struct archive *a, const struct archive_query *q)
{
    struct buf b;

    buf_init(&b, 65536);
    json_open(&b, '{');
    json_kv_s(&b, "what", "transcripts.list");
    json_kv_str(&b, "q", q->q);
    json_kv_str(&b, "rep", q->rep);
    json_kv_str(&b, "shopper", q->shopper);
    json_kv_str(&b, "department", q->department);
    json_kv_str(&b, "tag", q->tag);
    json_kv_s(&b, "address", call->address);
    json_close(&b, '}');
    call_audit(call, a, &b);
    buf_fini(&b);
}

void transcripts_list(struct http_call *call)
{
    enum { Q, REP, SHOPPER, DEPARTMENT, TAG, CURSOR, TEXTS_N };
    static const char *const names[TEXTS_N] = {"q", "rep", "shopper", "department", "tag", "cursor"};
    struct archive_query q = {
        .kind = ARCHIVE_LIST, .from_ms = -1, .to_ms = -1, .rating = -1, .owner_changed = -1};
    struct str *const to[TEXTS_N] = {&q.q, &q.rep, &q.shopper, &q.department, &q.tag, &q.cursor};
    struct buf texts[TEXTS_N];
    struct archive *a;
    int64_t limit = 50;
    bool bad = false;

    for (unsigned i = 0; i < TEXTS_N; i++) {
        buf_init(&texts[i], QUERY_MAX);
        if (call_param(call, names[i], &texts[i], &bad))
            *to[i] = buf_str(&texts[i]);
    }
    call_param_int(call, "from", 0, INT64_MAX / 2, &q.from_ms, &bad);
    call_param_int(call, "to", 0, INT64_MAX / 2, &q.to_ms, &bad);
    call_param_int(call, "rating", 1, 5, &q.rating, &bad);
    call_param_int(call, "limit", 1, 200, &limit, &bad);
    read_owner_changed(call, &q.owner_changed, &bad);
    q.limit = (unsigned)limit;
    set_reader(call, &q);
    if (bad) {
        call_problem(call, 400,
                     "a parameter is not of its form: from, to are milliseconds, rating 1-5, limit 1-200");
    } else if ((a = call_archive(call)) != NULL) {
        audit_list(call, a, &q);
        call_ask(call, a, &q, on_list);
    }
    for (unsigned i = 0; i < TEXTS_N; i++)
        buf_fini(&texts[i]);
}

static const char *const types[] = {
    [ARCHIVE_JSON] = "application/json",
    [ARCHIVE_NDJSON] = "application/x-ndjson",
    [ARCHIVE_CSV] = "text/csv",
    [ARCHIVE_TEXT] = "text/plain",
};

static void on_transcript(struct http_call *call, int rc, const char *type, struct str body, const char *why)
{
    static const char *const with_charset[] = {
        [ARCHIVE_JSON] = "application/json",
        [ARCHIVE_NDJSON] = "application/x-ndjson",
        [ARCHIVE_CSV] = "text/csv; charset=utf-8",
        [ARCHIVE_TEXT] = "text/plain; charset=utf-8",
    };
    static const char *const as_file[] = {"Content-Disposition", "attachment", "Vary", "Accept", NULL};
    static const char *const plain[] = {"Vary", "Accept", NULL};

    (void)type;
    if (rc < 0)
        call_archive_failed(call, rc, why);
    else
        call_send(call, 200, with_charset[call->format], body, call->format == ARCHIVE_CSV ? as_file : plain);
}

/* The archive to ask for the transcript that the call names, in the form that it wants; NULL: it was answered. */
static struct archive *begin(struct http_call *call, struct archive_query *q)
{
    int format = negotiate_best(call->accept, types, sizeof types / sizeof types[0]);

    if (format < 0) {
        call_problem(call, 406,
                     "a transcript comes as application/json, application/x-ndjson, text/csv or text/plain");
        return NULL;
    }
    if (!id_is_valid(call->param)) {
        call_problem(call, 404, "there is no such chat, or it is not yours to read");
        return NULL;
    }
    *q = (struct archive_query){.kind = ARCHIVE_TRANSCRIPT, .chat = call->param, .format = (enum archive_format)format};
    call->format = (unsigned char)format;
    return call_archive(call);
}

void transcripts_own(struct http_call *call)
{
    struct archive_query q;
    struct archive *a = begin(call, &q);

    if (!a)
        return;
    q.reader_all = q.brief = true;
    q.shopper = str_of(call->who.id);
    call_ask(call, a, &q, on_transcript);
}

void transcripts_get(struct http_call *call)
{
    struct archive_query q;
    struct archive *a = begin(call, &q);
    struct buf b;

    if (!a)
        return;
    set_reader(call, &q);
    buf_init(&b, 4096);
    json_open(&b, '{');
    json_kv_s(&b, "what", "transcript.read");
    json_kv_str(&b, "chat", call->param);
    json_kv_s(&b, "format", types[q.format]);
    json_kv_s(&b, "address", call->address);
    json_close(&b, '}');
    call_audit(call, a, &b);
    buf_fini(&b);
    call_ask(call, a, &q, on_transcript);
}

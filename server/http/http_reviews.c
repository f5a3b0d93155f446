/* /api/v1/scorecards, /api/v1/reviews: judging chats. A review is never overwritten; another one is another
 * entry. */
#include "http/http_private.h"

#include "archive/archive.h"
#include "base/base_crypto.h"
#include "base/base_json.h"
#include "http/http_scorecard.h"
#include "protocol/protocol.h"

#include <stdio.h>
#include <stdlib.h>

#define COMMENT_CHARS 4000
#define BODY_BYTES    (256 * 1024)
#define LIST_LIMIT    100
#define CURSOR_BYTES  64

void scorecards_list(struct http_call *call)
{
    struct buf b;

    buf_init(&b, 65536);
    buf_add_s(&b, "{\"items\":");
    scorecard_write_all(&b);
    buf_add_s(&b, "}");
    call_json(call, 200, &b);
}

/* A review as it came in, and the one that is stored. */
struct review {
    char chat[ID_MAX + 1];
    char ref[ID_MAX + 1]; /* "": the reviewer gave it none */
    const struct scorecard *card;
    int marks[12];   /* MARK_NA where none was given */
    bool given[12];  /* also "not applicable" counts */
    struct buf list; /* its marks, checked and written anew */
    struct buf comment;
    const char *why; /* the first thing that is wrong, or NULL */
    struct str raw;  /* "marks" */
    /* the mark that is being read */
    int criterion, score;
    bool has_score;
    int64_t seq;
    struct buf mark_comment;
};

static void fail(struct review *r, const char *why)
{
    if (!r->why)
        r->why = why;
}

static void take_comment(struct review *r, struct buf *to, struct val v)
{
    if (v.type == VAL_NONE)
        return;
    if (v.type != VAL_STR || utf8_chars(v.s) > COMMENT_CHARS)
        fail(r, "a comment is a text of at most 4000 characters");
    else
        buf_add_str(to, v.s);
}

static void end_mark(struct review *r)
{
    if (r->criterion < 0 || !r->has_score)
        fail(r,
             "a mark has a criterion of the scorecard and a score of 0 to 5, or null where it doesn't apply");
    else if (r->given[r->criterion])
        fail(r, "a criterion is marked twice");
    if (!r->why) {
        r->given[r->criterion] = true;
        r->marks[r->criterion] = r->score;
        json_open(&r->list, '{');
        json_kv_s(&r->list, "criterion", r->card->criteria[r->criterion].id);
        if (r->score == MARK_NA)
            json_kv_raw(&r->list, "score", STR("null"));
        else
            json_kv_int(&r->list, "score", r->score);
        if (r->mark_comment.n)
            json_kv_str(&r->list, "comment", buf_str(&r->mark_comment));
        if (r->seq)
            json_kv_int(&r->list, "seq", r->seq);
        json_close(&r->list, '}');
    }
    r->criterion = -1;
    r->has_score = false;
    r->seq = 0;
    buf_reset(&r->mark_comment);
}

static void take_mark_member(void *ctx, struct str key, struct val v)
{
    struct review *r = ctx;

    if (!key.s) {
        end_mark(r);
    } else if (str_is(key, "criterion")) {
        r->criterion = v.type == VAL_STR ? scorecard_criterion(r->card, v.s) : -1;
    } else if (str_is(key, "score")) {
        r->has_score = v.type == VAL_NONE || (v.type == VAL_INT && v.i >= 0 && v.i <= MARK_MAX);
        r->score = v.type == VAL_INT && r->has_score ? (int)v.i : MARK_NA;
    } else if (str_is(key, "seq") && v.type != VAL_NONE) {
        if (v.type != VAL_INT || v.i < 1)
            fail(r, "seq is the number of the message that shows it");
        r->seq = v.i;
    } else if (str_is(key, "comment")) {
        take_comment(r, &r->mark_comment, v);
    }
}

static void take_member(void *ctx, struct str key, struct val v)
{
    struct review *r = ctx;

    if (str_is(key, "chat")) {
        if (v.type == VAL_STR && id_is_valid(v.s))
            snprintf(r->chat, sizeof r->chat, "%.*s", STR_FMT(v.s));
    } else if (str_is(key, "ref")) {
        if (v.type == VAL_STR && id_is_valid(v.s))
            snprintf(r->ref, sizeof r->ref, "%.*s", STR_FMT(v.s));
        else
            fail(r, "ref is 1 to 64 of A-Z a-z 0-9 _ -");
    } else if (str_is(key, "scorecard")) {
        r->card = v.type == VAL_STR ? scorecard_find(v.s) : NULL;
    } else if (str_is(key, "marks")) {
        if (v.type == VAL_JSON)
            r->raw = (struct str){mem_strndup(v.s.s, v.s.n), v.s.n};
    } else if (str_is(key, "comment")) {
        take_comment(r, &r->comment, v);
    }
}

static void review_init(struct review *r)
{
    *r = (struct review){.criterion = -1, .card = scorecard_find(STR("default"))};
    for (size_t i = 0; i < sizeof r->marks / sizeof r->marks[0]; i++)
        r->marks[i] = MARK_NA;
    buf_init(&r->list, 512 * 1024);
    buf_init(&r->comment, 4 * COMMENT_CHARS + 1);
    buf_init(&r->mark_comment, 4 * COMMENT_CHARS + 1);
}

static void review_fini(struct review *r)
{
    buf_fini(&r->list);
    buf_fini(&r->comment);
    buf_fini(&r->mark_comment);
    free((char *)(uintptr_t)r->raw.s);
}

/* Reads and checks the body; r->why says what is wrong with it. */
static void review_read(struct review *r, struct str body)
{
    static const struct protocol_limits limits = {
        .frame_bytes = BODY_BYTES, .depth = 8, .keys = 1000, .text_chars = 4000};
    struct err err = {0};

    if (json_read_object(body, &limits, take_member, r, &err) < 0)
        fail(r, "the body is not a JSON object of the form that openapi.json describes");
    else if (!r->chat[0])
        fail(r, "chat is missing");
    else if (!r->card)
        fail(r, "there is no such scorecard");
    else if (!r->raw.s)
        fail(r, "marks is missing: a list of {criterion, score}");
    if (r->why)
        return;
    json_open(&r->list, '[');
    if (json_each_member(r->raw, take_mark_member, r) < 0)
        fail(r, "marks is not a list of objects");
    json_close(&r->list, ']');
}

static void on_stored(struct http_call *call, int rc, const char *type, struct str body, const char *why)
{
    if (rc < 0)
        call_archive_failed(call, rc, why);
    else
        call_send(call, 201, type ? type : "application/json", body, NULL);
}

static void store(struct http_call *call, const struct review *r, struct score score)
{
    struct archive_query q = {
        .kind = ARCHIVE_REVIEW_ADD, .chat = str_of(r->chat), .by = str_of(call->who.id), .ref = str_of(r->ref)};
    struct archive *a = call_archive(call);
    struct buf b;

    if (!a)
        return;
    buf_init(&b, 1024 * 1024);
    json_open(&b, '{');
    json_kv_s(&b, "chat", r->chat);
    json_kv_s(&b, "scorecard", r->card->id);
    json_kv_int(&b, "version", r->card->version);
    json_kv_s(&b, "reviewer_name", call->who.name);
    json_key(&b, "score");
    buf_printf(&b, "%d.%d", score.tenths / 10, score.tenths % 10);
    json_kv_bool(&b, "auto_failed", score.failed);
    json_kv_raw(&b, "marks", buf_str(&r->list));
    if (r->comment.n)
        json_kv_str(&b, "comment", buf_str(&r->comment));
    json_close(&b, '}');
    q.body = buf_str(&b);
    if (buf_ok(&b) && buf_ok(&r->list))
        call_ask(call, a, &q, on_stored);
    else
        call_problem(call, 413, "the review is too large");
    buf_fini(&b);
}

void reviews_create(struct http_call *call)
{
    struct review r;
    struct score score = {0};

    if (!call_wants_json(call, BODY_BYTES))
        return;
    review_init(&r);
    review_read(&r, call->body);
    if (!r.why)
        score = scorecard_score(r.card, r.marks);
    if (!r.why && !score.is_known)
        fail(&r, "nothing is marked");
    if (r.why)
        call_problem(call, 400, r.why);
    else
        store(call, &r, score);
    review_fini(&r);
}

static void on_list(struct http_call *call, int rc, const char *type, struct str body, const char *why)
{
    if (rc < 0)
        call_archive_failed(call, rc, why);
    else
        call_send(call, 200, type ? type : "application/json", body, NULL);
}

static void ask_for_list(struct http_call *call)
{
    struct archive_query q = {.kind = ARCHIVE_REVIEWS, .chat = call->made};
    struct archive *a;
    struct buf cursor;
    int64_t limit = LIST_LIMIT;
    bool bad = false;

    buf_init(&cursor, CURSOR_BYTES);
    if (call_param(call, "cursor", &cursor, &bad))
        q.cursor = buf_str(&cursor);
    call_param_int(call, "limit", 1, 200, &limit, &bad);
    q.limit = (unsigned)limit;
    if (bad)
        call_problem(call, 400, "a parameter is not of its form: limit 1-200, cursor from the page before");
    else if ((a = call_archive(call)) != NULL)
        call_ask(call, a, &q, on_list);
    buf_fini(&cursor);
}

/* Who isn't a judge sees the reviews of the chats that they owned or handled, or lead: the transcript is asked for first. */
static void on_may_read(struct http_call *call, int rc, const char *type, struct str body, const char *why)
{
    (void)type, (void)body;
    if (rc < 0)
        call_archive_failed(call, rc, why);
    else
        ask_for_list(call);
}

void reviews_list(struct http_call *call)
{
    bool is_judge = (call->who.roles & (ROLE_QA | ROLE_DIRECTOR)) != 0, bad = false;
    struct archive_query q = {.kind = ARCHIVE_TRANSCRIPT, .reader_id = str_of(call->who.id), .own_only = true};
    struct archive *a;
    struct buf b;

    buf_init(&b, ID_MAX);
    if (call_param(call, "chat", &b, &bad)) {
        bad = !id_is_valid(buf_str(&b));
        call->made.s = buf_take(&b, &call->made.n);
    }
    buf_fini(&b);
    if (bad || (!call->made.s && !is_judge)) {
        call_problem(call, 400, "name the chat: ?chat=…");
        return;
    }
    if (is_judge) {
        ask_for_list(call);
        return;
    }
    a = call_archive(call);
    if (!a)
        return;
    q.chat = call->made;
    if (call->who.roles & ROLE_LEAD)
        q.reader_departments = call->who.departments;
    call_ask(call, a, &q, on_may_read);
}

/*
 * /api/v1/articles: the knowledge base's articles and their versions; /api/v1/synonyms. A version is never overwritten:
 * saving writes the next one, and a version that isn't the newest any more is refused.
 */
#include "http/http_private.h"

#include "base/base_crypto.h"
#include "base/base_json.h"
#include "protocol/protocol.h"

#include <stdio.h>
#include <stdlib.h>

#define BODY_BYTES     (256 * 1024)
#define BODY_CHARS     30000
#define LINE_CHARS     300
#define LINES_MAX      64
#define LIMIT_DEFAULT  50
#define LIMIT_MAX      200

static void ask(struct http_call *call, struct http_kb *q)
{
    q->who = &call->who;
    call->http->port.kb(call->http->port.ctx, call, q);
}

/* ?limit=, ?cursor=, ?q=, ?lang=: into the question. False: 400 has been sent. The texts live in bufs. */
struct params {
    struct buf cursor, q, lang, limit;
};

static bool read_params(struct http_call *call, struct params *p, struct http_kb *q)
{
    bool bad = false;

    buf_init(&p->cursor, 200);
    buf_init(&p->q, 400);
    buf_init(&p->lang, 32);
    buf_init(&p->limit, 8);
    q->limit = LIMIT_DEFAULT;
    if (call_param(call, "cursor", &p->cursor, &bad))
        q->cursor = buf_str(&p->cursor);
    if (call_param(call, "q", &p->q, &bad))
        q->q = buf_str(&p->q);
    if (call_param(call, "lang", &p->lang, &bad))
        q->lang = buf_str(&p->lang);
    if (call_param(call, "limit", &p->limit, &bad)) {
        char *end;
        long n = strtol(p->limit.p, &end, 10);

        bad |= *end || n < 1 || n > LIMIT_MAX;
        q->limit = (unsigned)n;
    }
    if (bad)
        call_problem(call, 400, "cursor, q, lang or limit (1 to 200) can't be understood");
    return !bad;
}

static void fini_params(struct params *p)
{
    buf_fini(&p->cursor);
    buf_fini(&p->q);
    buf_fini(&p->lang);
    buf_fini(&p->limit);
}

/* A question with the usual parameters; id: what stands in the path. */
static void ask_list(struct http_call *call, enum http_kb_what what, struct str id)
{
    struct http_kb q = {.what = what, .id = id};
    struct params p;

    if (read_params(call, &p, &q))
        ask(call, &q);
    fini_params(&p);
}

void articles_list(struct http_call *call)
{
    ask_list(call, HTTP_KB_LIST, STR_NONE);
}

void articles_get(struct http_call *call)
{
    ask(call, &(struct http_kb){.what = HTTP_KB_GET, .id = call->param});
}

void articles_versions(struct http_call *call)
{
    ask_list(call, HTTP_KB_VERSIONS, call->param);
}

void articles_reload(struct http_call *call)
{
    ask(call, &(struct http_kb){.what = HTTP_KB_RELOAD});
}

void taught_list(struct http_call *call)
{
    struct http_kb q = {.what = HTTP_KB_TAUGHT};
    struct params p;
    struct buf article;
    bool bad = false;

    buf_init(&article, ID_MAX);
    if (call_param(call, "article", &article, &bad))
        q.id = buf_str(&article);
    if (bad)
        call_problem(call, 400, "article is none of ours");
    else if (read_params(call, &p, &q))
        ask(call, &q);
    if (!bad)
        fini_params(&p);
    buf_fini(&article);
}

void taught_figures(struct http_call *call)
{
    ask(call, &(struct http_kb){.what = HTTP_KB_FIGURES});
}

void taught_undo(struct http_call *call)
{
    ask(call, &(struct http_kb){.what = HTTP_KB_UNDO, .id = call->param});
}

void synonyms_get(struct http_call *call)
{
    ask(call, &(struct http_kb){.what = HTTP_KB_SYNONYMS});
}

/* ---- what is saved: fields, made into a file with front matter, which the knowledge base reads and checks */

struct draft {
    struct str id, lang, title, department, audience, from, until, base, body; /* owned */
    int64_t version;
    struct buf keywords, questions; /* as they stand in a file */
    unsigned keywords_n, questions_n;
    const char *why; /* the first thing that is wrong, or NULL */
};

static void fail(struct draft *d, const char *why)
{
    if (!d->why)
        d->why = why;
}

static bool is_line(struct str s)
{
    for (size_t i = 0; i < s.n; i++)
        if ((unsigned char)s.s[i] < ' ' || s.s[i] == 127)
            return false;
    return utf8_chars(s) <= LINE_CHARS;
}

static void keep(struct draft *d, struct str *to, struct val v, bool is_long)
{
    if (v.type == VAL_NONE)
        return;
    if (v.type != VAL_STR || (is_long ? utf8_chars(v.s) > BODY_CHARS : !is_line(v.s))) {
        fail(d, is_long ? "the text is at most 30000 characters" : "a field is one line of at most 300 characters");
        return;
    }
    free((char *)(uintptr_t)to->s);
    *to = (struct str){mem_strndup(v.s.s, v.s.n), v.s.n};
}

static void add_keyword(void *ctx, struct str s)
{
    struct draft *d = ctx;

    if (!is_line(s) || (s.n && memchr(s.s, ',', s.n)) || d->keywords_n == LINES_MAX)
        fail(d, "keywords: at most 64, each one line without a comma");
    buf_add_s(&d->keywords, d->keywords_n++ ? ", " : "");
    buf_add_str(&d->keywords, s);
}

static void add_question(void *ctx, struct str s)
{
    struct draft *d = ctx;

    if (!is_line(s) || d->questions_n == LINES_MAX)
        fail(d, "questions: at most 64, each one line of at most 300 characters");
    d->questions_n++;
    buf_add_s(&d->questions, "  - ");
    buf_add_str(&d->questions, s);
    buf_add_c(&d->questions, '\n');
}

static void take_list(struct draft *d, struct val v, void (*fn)(void *ctx, struct str s))
{
    if (v.type != VAL_NONE && (v.type != VAL_JSON || json_each_str(v.s, fn, d) < 0))
        fail(d, "keywords and questions are lists of texts");
}

static void take_member(void *ctx, struct str key, struct val v)
{
    struct draft *d = ctx;

    if (str_is(key, "article"))
        keep(d, &d->id, v, false);
    else if (str_is(key, "lang"))
        keep(d, &d->lang, v, false);
    else if (str_is(key, "title"))
        keep(d, &d->title, v, false);
    else if (str_is(key, "department"))
        keep(d, &d->department, v, false);
    else if (str_is(key, "audience"))
        keep(d, &d->audience, v, false);
    else if (str_is(key, "valid_from"))
        keep(d, &d->from, v, false);
    else if (str_is(key, "valid_until"))
        keep(d, &d->until, v, false);
    else if (str_is(key, "base"))
        keep(d, &d->base, v, false);
    else if (str_is(key, "body") || str_is(key, "text"))
        keep(d, &d->body, v, true);
    else if (str_is(key, "keywords"))
        take_list(d, v, add_keyword);
    else if (str_is(key, "questions"))
        take_list(d, v, add_question);
    else if (str_is(key, "version") && v.type == VAL_INT)
        d->version = v.i;
}

static void draft_init(struct draft *d)
{
    *d = (struct draft){0};
    buf_init(&d->keywords, 128 * 1024);
    buf_init(&d->questions, 128 * 1024);
}

static void draft_fini(struct draft *d)
{
    struct str *all[] = {&d->id, &d->lang, &d->title, &d->department, &d->audience, &d->from, &d->until, &d->base, &d->body};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free((char *)(uintptr_t)all[i]->s);
    buf_fini(&d->keywords);
    buf_fini(&d->questions);
}

/* The body of the call as a draft; false: a problem has been sent. */
static bool draft_read(struct http_call *call, struct draft *d)
{
    static const struct protocol_limits limits = {.frame_bytes = BODY_BYTES, .depth = 4, .keys = 100, .text_chars = BODY_CHARS};
    struct err err = {0};

    draft_init(d);
    if (!call_wants_json(call, BODY_BYTES)) {
        draft_fini(d);
        return false;
    }
    if (json_read_object(call->body, &limits, take_member, d, &err) < 0)
        fail(d, "the body is not a JSON object of the form that openapi.json describes");
    if (!d->why)
        return true;
    call_problem(call, 400, d->why);
    draft_fini(d);
    return false;
}

static void write_line(struct buf *b, const char *key, struct str v)
{
    if (v.n)
        buf_printf(b, "%s: %.*s\n", key, STR_FMT(v));
}

void articles_save(struct http_call *call)
{
    struct http_kb q = {.what = HTTP_KB_SAVE};
    struct draft d;
    struct buf file;

    if (!draft_read(call, &d))
        return;
    buf_init(&file, 256 * 1024);
    buf_add_s(&file, "---\n");
    write_line(&file, "id", d.id);
    write_line(&file, "title", d.title);
    write_line(&file, "lang", d.lang);
    write_line(&file, "department", d.department);
    write_line(&file, "audience", d.audience);
    write_line(&file, "valid_from", d.from);
    write_line(&file, "valid_until", d.until);
    buf_printf(&file, "keywords: [%s]\nquestions:\n", d.keywords.p ? d.keywords.p : "");
    buf_add_str(&file, buf_str(&d.questions));
    buf_add_s(&file, "---\n");
    buf_add_str(&file, d.body.s ? d.body : STR(""));
    q.id = d.id;
    q.lang = d.lang;
    q.version = d.version;
    q.base = d.base;
    q.text = buf_str(&file);
    if (buf_ok(&file) && buf_ok(&d.keywords) && buf_ok(&d.questions))
        ask(call, &q);
    else
        call_problem(call, 413, "the article is too large: split it");
    buf_fini(&file);
    draft_fini(&d);
}

void articles_preview(struct http_call *call)
{
    struct draft d;

    if (!draft_read(call, &d))
        return;
    ask(call, &(struct http_kb){.what = HTTP_KB_PREVIEW, .text = d.body.s ? d.body : STR("")});
    draft_fini(&d);
}

void synonyms_save(struct http_call *call)
{
    struct draft d;

    if (!draft_read(call, &d))
        return;
    ask(call, &(struct http_kb){.what = HTTP_KB_SYNONYMS_SAVE, .text = d.body.s ? d.body : STR(""), .base = d.base, .version = d.version});
    draft_fini(&d);
}

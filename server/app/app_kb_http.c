/* What the editor asks over HTTP: articles and their versions, what was taught, synonyms. */
#include "app/app_kb.h"
#include "kb/kb_synonyms.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#define DAY_MS 86400000LL

/* One question on its way: over a worker, and for changes over Redis. */
struct asked {
    uv_work_t work;
    struct app_kb *kb;
    struct http_call *call;
    enum http_kb_what what;
    char *id, *lang, *q, *cursor, *base, *text; /* owned, NULL absent */
    char who[ID_SIZE], name[128];
    unsigned roles;
    int64_t version, expect;
    unsigned limit;
    char log[16];
    struct buf out;
    int rc;
    struct err err;
};

static char *copy(struct str s)
{
    return s.s ? mem_strndup(s.s, s.n) : NULL;
}

static void asked_free(struct asked *k)
{
    char *all[] = {k->id, k->lang, k->q, k->cursor, k->base, k->text};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
    buf_fini(&k->out);
    free(k);
}

static void problem(struct asked *k, int status, const char *detail)
{
    http_call_problem(k->call, status, detail, NULL, NULL);
    asked_free(k);
}

static void answer(struct asked *k, int status)
{
    if (buf_ok(&k->out))
        http_call_json(k->call, status, buf_str(&k->out));
    else
        http_call_problem(k->call, 500, "the answer is too large", NULL, NULL);
    asked_free(k);
}

/* ---- what stands */

static void write_day(struct buf *b, const char *key, int64_t at_ms)
{
    time_t t = (time_t)(at_ms / 1000);
    struct tm tm;
    char text[32];

    gmtime_r(&t, &tm);
    strftime(text, sizeof text, "%Y-%m-%d", &tm);
    json_kv_s(b, key, text);
}

static void write_list(struct buf *b, const char *key, char *const *list, unsigned n)
{
    json_key(b, key);
    json_open(b, '[');
    for (unsigned i = 0; i < n; i++)
        json_text(b, str_of(list[i]));
    json_close(b, ']');
}

static void write_book(struct buf *b, const struct kb_book *x, bool is_whole)
{
    const struct kb_article *a = x->article;

    json_open(b, '{');
    json_kv_s(b, "lang", a->lang);
    json_kv_s(b, "title", a->title);
    json_kv_s(b, "department", a->department);
    json_kv_s(b, "audience", a->audience == KB_REP ? "rep" : "shopper");
    if (a->valid_from_ms)
        write_day(b, "valid_from", a->valid_from_ms);
    if (a->valid_until_ms != INT64_MAX)
        write_day(b, "valid_until", a->valid_until_ms - DAY_MS);
    json_kv_int(b, "version", x->version);
    json_kv_s(b, "source", x->is_console ? "console" : "file");
    json_kv_bool(b, "set_aside", x->set_aside);
    if (x->version) {
        json_kv_int(b, "at", x->at_ms);
        notice_write_person(b, "by", x->who, x->name);
    }
    if (is_whole) {
        json_kv_s(b, "base", x->base);
        write_list(b, "keywords", a->keywords, a->keywords_n);
        write_list(b, "questions", a->questions, a->questions_n);
        json_kv_s(b, "body", a->body);
    }
    json_close(b, '}');
}

static bool has_text(const struct kb_article *a, const char *q)
{
    bool has = strcasestr(a->id, q) || strcasestr(a->title, q) || strcasestr(a->body, q);

    for (unsigned i = 0; i < a->questions_n && !has; i++)
        has = strcasestr(a->questions[i], q) != NULL;
    for (unsigned i = 0; i < a->keywords_n && !has; i++)
        has = strcasestr(a->keywords[i], q) != NULL;
    return has;
}

/* The books of one id: [from, end). */
static unsigned end_of(const struct kb_shelf *s, unsigned from)
{
    unsigned i = from;

    while (i < s->n && strcmp(s->books[i].article->id, s->books[from].article->id) == 0)
        i++;
    return i;
}

static bool is_wanted(const struct asked *k, const struct kb_shelf *s, unsigned from, unsigned end)
{
    for (unsigned i = from; i < end; i++)
        if ((!k->lang || strcasecmp(s->books[i].article->lang, k->lang) == 0) && (!k->q || has_text(s->books[i].article, k->q)))
            return true;
    return false;
}

static void write_article(struct buf *b, const struct kb_shelf *s, unsigned from, unsigned end, bool is_whole)
{
    json_open(b, '{');
    json_kv_s(b, "article", s->books[from].article->id);
    json_key(b, "languages");
    json_open(b, '[');
    for (unsigned i = from; i < end; i++)
        write_book(b, &s->books[i], is_whole);
    json_close(b, ']');
    json_close(b, '}');
}

static void list(struct asked *k, const struct kb_shelf *s)
{
    const char *next = NULL;
    unsigned n = 0, total = 0;
    struct buf *b = &k->out;

    json_open(b, '{');
    json_key(b, "items");
    json_open(b, '[');
    for (unsigned i = 0, end; i < s->n; i = end) {
        const char *id = s->books[i].article->id;

        end = end_of(s, i);
        if (!is_wanted(k, s, i, end))
            continue;
        total++;
        if (k->cursor && strcmp(id, k->cursor) <= 0)
            continue;
        if (n < k->limit) {
            write_article(b, s, i, end, false);
            next = id;
        }
        n++;
    }
    json_close(b, ']');
    json_key(b, "next");
    if (n > k->limit && next)
        json_text(b, str_of(next));
    else
        json_nil(b);
    json_kv_int(b, "total", total);
    if (s->problem[0])
        json_kv_s(b, "problem", s->problem);
    json_close(b, '}');
    answer(k, 200);
}

static void get(struct asked *k, const struct kb_shelf *s)
{
    for (unsigned i = 0; i < s->n; i = end_of(s, i))
        if (strcmp(s->books[i].article->id, k->id) == 0) {
            write_article(&k->out, s, i, end_of(s, i), true);
            answer(k, 200);
            return;
        }
    problem(k, 404, "there is no such article");
}

static void get_synonyms(struct asked *k, const struct kb_shelf *s)
{
    json_open(&k->out, '{');
    json_kv_s(&k->out, "text", s->synonyms ? s->synonyms : "");
    json_kv_s(&k->out, "base", s->synonyms_base);
    json_kv_int(&k->out, "version", s->synonyms_version);
    json_close(&k->out, '}');
    answer(k, 200);
}

/* ---- changes: an entry of the log, with what it was made from as a guard */

static void on_stands(void *ctx)
{
    struct asked *k = ctx;

    json_open(&k->out, '{');
    if (k->what == HTTP_KB_SAVE) {
        json_kv_s(&k->out, "article", k->id);
        json_kv_s(&k->out, "lang", k->lang);
    }
    if (k->what != HTTP_KB_UNDO)
        json_kv_int(&k->out, "version", k->version + 1);
    json_close(&k->out, '}');
    answer(k, k->what == HTTP_KB_UNDO ? 200 : 201);
}

static void commit(struct asked *k);

/* Under which name the newest version's number stands in Redis. */
static void write_field(const struct asked *k, char field[ID_MAX + 32])
{
    bool is_article = k->what == HTTP_KB_SAVE;

    snprintf(field, ID_MAX + 32, "%s|%s", is_article ? k->id : KB_SYNONYMS, is_article ? k->lang : "");
}

/* An earlier version than this node has, or none: another life of the live data, which lost what came since. */
static void on_version(void *ctx, const struct redis_reply *r)
{
    struct asked *k = ctx;
    int64_t version = r && redis_reply_type(r) == REDIS_STR ? redis_reply_int(r) : 0;

    if (!r) {
        problem(k, 503, "redis is away: try again");
    } else if (version < k->expect) {
        k->expect = version;
        commit(k);
    } else {
        problem(k, 409, "somebody has saved another version meanwhile: load it, then put your changes into it");
    }
}

static void look_at_version(struct asked *k)
{
    char field[ID_MAX + 32];
    const char *argv[] = {"HGET", field};

    write_field(k, field);
    if (link_call(k->kb->app->link, LINK_ARTICLES, STR(""), 2, argv, NULL, on_version, k) < 0)
        problem(k, 503, "redis is away: try again");
}

static void on_committed(void *ctx, const struct link_result *r)
{
    struct asked *k = ctx;

    switch (r->status) {
    case LINK_DONE:
        jobs_feed_kick(k->kb->app->feed);
        kb_feed_wait(k->kb, k->log, r->first, true, on_stands, k);
        return;
    case LINK_GUARDED:
        look_at_version(k);
        return;
    default:
        problem(k, 503, "the log can't be written now: try again");
    }
}

static void fill_entry(struct asked *k, struct entry *e)
{
    static const enum kind kinds[] = {[HTTP_KB_SAVE] = KIND_ARTICLE_SAVED, [HTTP_KB_UNDO] = KIND_FEEDBACK_UNDONE,
                                      [HTTP_KB_SYNONYMS_SAVE] = KIND_SYNONYMS_SAVED};

    entry_init(e, kinds[k->what]);
    e->from_role = k->roles & ROLE_EDITOR ? ROLE_EDITOR : ROLE_DIRECTOR;
    e->from = (struct person){str_of(k->who), str_of(k->name)};
    if (k->what == HTTP_KB_UNDO) {
        e->f[FIELD_TAUGHT] = val_s(k->id);
        return;
    }
    if (k->what == HTTP_KB_SAVE) {
        e->f[FIELD_ARTICLE] = val_s(k->id);
        e->f[FIELD_LANG] = val_s(k->lang);
    }
    e->f[FIELD_VERSION] = val_int(k->version + 1);
    e->f[FIELD_BASE] = val_s(k->base ? k->base : "");
    e->f[FIELD_TEXT] = val_s(k->text);
}

static void commit(struct asked *k)
{
    char field[ID_MAX + 32], was[24] = "", will[24];
    struct link_entry le = {.ref = STR_NONE};
    struct link_guard guard = {LINK_GUARD_EQ, LINK_ARTICLES, STR(""), STR_NONE, STR_NONE};
    struct link_write write = {LINK_HSET, LINK_ARTICLES, STR(""), STR_NONE, STR_NONE};
    struct link_commit c = {.person = str_of(k->who), .mode = LINK_ANY, .entries = &le, .entries_n = 1};
    struct entry e;
    struct buf tail;

    kb_feed_log(k->kb, k->log);
    c.log = str_of(k->log);
    if (k->what != HTTP_KB_UNDO) {
        write_field(k, field);
        if (k->expect > 0)
            snprintf(was, sizeof was, "%lld", (long long)k->expect);
        snprintf(will, sizeof will, "%lld", (long long)k->version + 1);
        guard.a = write.a = str_of(field);
        guard.b = str_of(was);
        write.b = str_of(will);
        c.guards = &guard;
        c.guards_n = 1;
        c.writes = &write;
        c.writes_n = 1;
    }
    fill_entry(k, &e);
    buf_init(&tail, 512 * 1024);
    entry_write_tail(&tail, &e);
    le.tail = buf_str(&tail);
    if (!buf_ok(&tail) || link_commit(k->kb->app->link, &c, on_committed, k) < 0)
        problem(k, 503, "redis is away: try again");
    buf_fini(&tail);
}

static void save(struct asked *k)
{
    const struct kb_shelf *s = k->kb->shelf;
    bool is_article = k->what == HTTP_KB_SAVE;
    const struct kb_book *now = is_article ? kb_shelf_find(s, str_of(k->id), str_of(k->lang)) : NULL;
    int64_t version = is_article ? (now ? now->version : 0) : s->synonyms_version;
    const char *base = is_article ? (now ? now->base : "") : s->synonyms_base;

    if (k->version != version || strcmp(k->base ? k->base : "", base) != 0) {
        problem(k, 409, "somebody has saved another version meanwhile: load it, then put your changes into it");
        return;
    }
    k->expect = version;
    commit(k);
}

/* ---- on a worker */

/* The same rules as for a file; what is wrong is named with its line. */
static void check_article(struct asked *k)
{
    struct kb_article *a;

    k->rc = kb_article_read(str_of(k->text), "article", &a, &k->err);
    if (k->rc < 0)
        return;
    if (!k->id || !k->lang || strcmp(a->id, k->id) != 0 || strcmp(a->lang, k->lang) != 0)
        k->rc = err_set(&k->err, ERR_INVALID, "article and lang are needed");
    kb_article_unref(a);
}

/* A group has at least two members, each with letters in it. */
static void check_synonyms(struct asked *k)
{
    unsigned line = 1;

    for (const char *p = k->text; *p && k->rc == 0; line++) {
        const char *end = strchrnul(p, '\n'), *hash = memchr(p, '#', (size_t)(end - p)), *stop = hash ? hash : end;
        unsigned members = 0, commas = 0;

        for (const char *q = p, *to; q < stop; q = to) {
            size_t comma = 0;

            while (q < stop && (*q == ' ' || *q == '\t' || *q == '\r'))
                q++;
            for (to = q; to < stop && !(comma = kb_synonyms_comma((struct str){to, (size_t)(stop - to)}));)
                to++;
            members += to > q;
            commas += comma > 0;
            to += comma;
        }
        if ((members || commas) && members != commas + 1)
            k->rc = err_set(&k->err, ERR_INVALID, "synonyms.txt:%u: there is nothing between two commas: remove one", line);
        else if (members == 1)
            k->rc = err_set(&k->err, ERR_INVALID, "synonyms.txt:%u: a group has at least two members, with commas between them", line);
        p = *end ? end + 1 : end;
    }
}

static void preview(struct asked *k)
{
    char *html = kb_markdown_html(str_of(k->text));

    json_open(&k->out, '{');
    json_kv_s(&k->out, "html", html ? html : "");
    json_close(&k->out, '}');
    free(html);
}

static void work(uv_work_t *w)
{
    struct asked *k = w->data;
    struct archive_kb *store = k->kb->store;

    switch (k->what) {
    case HTTP_KB_SAVE:
        check_article(k);
        break;
    case HTTP_KB_SYNONYMS_SAVE:
        check_synonyms(k);
        break;
    case HTTP_KB_UNDO:
        k->rc = archive_kb_has_verdict(store, str_of(k->id), &k->err);
        break;
    case HTTP_KB_PREVIEW:
        preview(k);
        break;
    case HTTP_KB_VERSIONS:
        k->rc = archive_kb_list_versions(store, str_of(k->id), str_of(k->lang), &k->out, &k->err);
        break;
    case HTTP_KB_FIGURES:
        k->rc = archive_kb_list_figures(store, &k->out, &k->err);
        break;
    default:
        k->rc = archive_kb_list_taught(store, str_of(k->id), str_of(k->q), k->cursor ? strtoll(k->cursor, NULL, 10) : 0, k->limit, &k->out, &k->err);
    }
}

static void worked(uv_work_t *w, int status)
{
    struct asked *k = w->data;

    (void)status;
    k->kb->app->works--;
    if (k->rc < 0)
        problem(k, k->rc == ERR_INVALID || k->rc == ERR_TOO_LARGE ? 400 : k->rc == ERR_NOT_FOUND ? 404 : 503, err_why(&k->err));
    else if (k->what == HTTP_KB_SAVE || k->what == HTTP_KB_SYNONYMS_SAVE)
        save(k);
    else if (k->what == HTTP_KB_UNDO)
        commit(k);
    else
        answer(k, 200);
}

static void on_reloaded(void *ctx)
{
    struct asked *k = ctx;
    const struct kb_shelf *s = k->kb->shelf;

    if (k->kb->is_owed) {
        problem(k, 503, "the articles can't be loaded now, those before stand: try again");
        return;
    }
    if (s->problem[0]) {
        problem(k, 400, s->problem);
        return;
    }
    json_open(&k->out, '{');
    json_kv_int(&k->out, "versions", s->n);
    json_close(&k->out, '}');
    answer(k, 200);
}

void kb_http(void *ctx, struct http_call *call, const struct http_kb *q)
{
    struct app *a = ctx;
    struct app_kb *kb = a->kb_live;
    struct asked *k;

    if (!kb || !kb->shelf) {
        http_call_problem(call, 503, "the articles are being loaded: try again", NULL, NULL);
        return;
    }
    if (q->what == HTTP_KB_GAPS || q->what == HTTP_KB_STALE) {
        kb_gaps_ask(kb, call, q);
        return;
    }
    k = mem_zalloc(sizeof *k);
    *k = (struct asked){.kb = kb, .call = call, .what = q->what, .id = copy(q->id), .lang = copy(q->lang), .q = copy(q->q),
                        .cursor = copy(q->cursor), .base = copy(q->base), .text = copy(q->text), .version = q->version,
                        .limit = q->limit, .roles = q->who->roles};
    k->work.data = k;
    snprintf(k->who, sizeof k->who, "%.24s", q->who->id);
    snprintf(k->name, sizeof k->name, "%s", q->who->name);
    buf_init(&k->out, 64 << 20);
    if (q->what == HTTP_KB_LIST) {
        list(k, kb->shelf);
    } else if (q->what == HTTP_KB_GET) {
        get(k, kb->shelf);
    } else if (q->what == HTTP_KB_SYNONYMS) {
        get_synonyms(k, kb->shelf);
    } else if (q->what == HTTP_KB_RELOAD) {
        kb_feed_wait(kb, "", 0, true, on_reloaded, k);
        kb_shelf_reload(kb, true);
    } else {
        a->works++;
        uv_queue_work(a->loop, &k->work, work, worked);
    }
}

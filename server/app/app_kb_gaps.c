/*
 * Gaps: questions of the last months that no article answered, in groups, each with the answer that a rep gave. What is
 * answered by now (the best article of today is sure enough) is no gap any more. Needs the archive's node.
 */
#include "app/app_kb.h"
#include "kb/kb_gaps.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#define GAP_DAYS       90
#define QUESTIONS_MAX  2000 /* newest; a group's matrix is quadratic */
#define SHOWN_MAX      5    /* questions of a group that are listed */
#define DAY_MS         86400000LL
#define LIKELY         0.5
#define LOW_RATING     2

struct question {
    char *text, *answer, *department; /* owned; answer may be NULL */
    char *rejected;                   /* JSON list of the articles that were suggested, all of them rejected; "[]" none */
    char chat[ID_SIZE];
    int64_t at_ms, rating; /* 0: not rated */
    bool refused;
};

struct group {
    unsigned count, unhappy, middle;
    int64_t last_ms;
};

struct gaps {
    uv_work_t work;
    struct app_kb *kb;
    struct http_call *call;
    unsigned limit;
    int64_t now_ms;
    struct question *q;
    unsigned n, cap;
    struct question now; /* being read */
    struct buf out;
    int rc;
    struct err err;
};

static void question_fini(struct question *q)
{
    free(q->text);
    free(q->answer);
    free(q->department);
    free(q->rejected);
}

static void gaps_free(struct gaps *g)
{
    for (unsigned i = 0; i < g->n; i++)
        question_fini(&g->q[i]);
    free(g->q);
    buf_fini(&g->out);
    free(g);
}

static char *copy(struct val v)
{
    return v.type == VAL_STR ? mem_strndup(v.s.s, v.s.n) : NULL;
}

static void on_member(void *ctx, struct str key, struct val v)
{
    struct gaps *g = ctx;
    struct question *q = &g->now;

    if (!key.s) {
        if (q->text && g->n < QUESTIONS_MAX) {
            if (g->n == g->cap) {
                g->cap = g->cap ? 2 * g->cap : 64;
                g->q = mem_realloc(g->q, g->cap * sizeof *g->q);
            }
            g->q[g->n++] = *q;
        } else {
            question_fini(q);
        }
        *q = (struct question){0};
    } else if (str_is(key, "text") && !q->text) {
        q->text = copy(v);
    } else if (str_is(key, "answer") && !q->answer) {
        q->answer = copy(v);
    } else if (str_is(key, "department") && !q->department) {
        q->department = copy(v);
    } else if (str_is(key, "chat") && v.type == VAL_STR) {
        snprintf(q->chat, sizeof q->chat, "%.*s", (int)(v.s.n < ID_SIZE ? v.s.n : 0), v.s.s);
    } else if (str_is(key, "at")) {
        q->at_ms = v.i;
    } else if (str_is(key, "rating")) {
        q->rating = v.i;
    } else if (str_is(key, "refused")) {
        q->refused = v.b;
    } else if (str_is(key, "rejected") && !q->rejected) {
        q->rejected = copy(v);
    }
}

static bool is_unhappy(const struct question *q)
{
    return q->refused || (q->rating > 0 && q->rating <= LOW_RATING);
}

static bool was_rejected(const struct question *q, const char *article)
{
    char text[ID_MAX + 16];

    snprintf(text, sizeof text, "\"id\":\"%s\"", article);
    return q->rejected && strstr(q->rejected, text);
}

/*
 * True if one of today's articles answers it, and not one that was rejected for it. Rejecting one makes the others likelier, which says
 * nothing for them: after a rejection it must be more likely than not.
 */
static bool is_answered(const struct gaps *g, const struct question *q)
{
    struct kb_filter filter = {.audience = KB_REP, .now_ms = g->now_ms};
    struct kb_hit hit;
    double threshold = (double)g->kb->app->cfg->kb.threshold_permille / 1000.0;
    double least = q->rejected && q->rejected[0] && strcmp(q->rejected, "[]") != 0 ? fmax(threshold, LIKELY) : threshold;
    int n = kb_suggest(g->kb->app->kb, str_of(q->text), &filter, 1, &hit, NULL);
    bool sure = n > 0 && hit.confidence >= least && !was_rejected(q, hit.id);

    if (n > 0)
        kb_hits_fini(&hit, 1);
    return sure;
}

/* The more often it was asked and the less the shoppers were content, the higher it stands. */
static int by_weight(const void *a, const void *b)
{
    const struct group *x = a, *y = b;
    unsigned wx = x->count + 2 * x->unhappy, wy = y->count + 2 * y->unhappy;

    if (wx != wy)
        return wx < wy ? 1 : -1;
    return x->last_ms < y->last_ms ? 1 : x->last_ms > y->last_ms ? -1 : 0;
}

/* The rep's answer that stands as draft: of a content shopper before others, the newest of those. */
static const struct question *best_answer(const struct gaps *g, const unsigned *group, unsigned which)
{
    const struct question *best = NULL;

    for (unsigned i = 0; i < g->n; i++) {
        const struct question *q = &g->q[i];

        if (group[i] == which && q->answer && (!best || (is_unhappy(best) && !is_unhappy(q))))
            best = q;
    }
    return best;
}

static void write_group(struct gaps *g, const struct group *x, const unsigned *group)
{
    struct buf *b = &g->out;
    unsigned which = group[x->middle], shown = 0;
    const struct question *draft = best_answer(g, group, which);

    json_open(b, '{');
    json_kv_s(b, "question", g->q[x->middle].text);
    json_kv_int(b, "count", x->count);
    json_kv_int(b, "unhappy", x->unhappy);
    json_kv_int(b, "last", x->last_ms);
    if (g->q[x->middle].department)
        json_kv_s(b, "department", g->q[x->middle].department);
    if (draft)
        json_kv_s(b, "draft", draft->answer);
    json_key(b, "questions");
    json_open(b, '[');
    for (unsigned i = 0; i < g->n && shown < SHOWN_MAX; i++) {
        const struct question *q = &g->q[i];

        if (group[i] != which)
            continue;
        shown++;
        json_open(b, '{');
        json_kv_s(b, "chat", q->chat);
        json_kv_int(b, "at", q->at_ms);
        json_kv_s(b, "text", q->text);
        if (q->rating)
            json_kv_int(b, "rating", q->rating);
        json_kv_bool(b, "refused", q->refused);
        json_kv_bool(b, "rejected", q->rejected && strlen(q->rejected) > 2);
        json_close(b, '}');
    }
    json_close(b, ']');
    json_close(b, '}');
}

static void drop_answered(struct gaps *g)
{
    unsigned kept = 0;

    for (unsigned i = 0; i < g->n; i++) {
        if (is_answered(g, &g->q[i]))
            question_fini(&g->q[i]);
        else
            g->q[kept++] = g->q[i];
    }
    g->n = kept;
}

static void write_groups(struct gaps *g)
{
    struct str *texts = mem_alloc((g->n + 1) * sizeof *texts);
    unsigned *group = mem_zalloc((g->n + 1) * sizeof *group), *middle = mem_zalloc((g->n + 1) * sizeof *middle);
    struct group *list = mem_zalloc((g->n + 1) * sizeof *list);
    int n;

    for (unsigned i = 0; i < g->n; i++)
        texts[i] = str_of(g->q[i].text);
    n = g->n ? kb_gaps_group(texts, g->n, group, middle, &g->err) : 0;
    for (int i = 0; i < n; i++)
        list[i].middle = middle[i];
    for (unsigned i = 0; i < g->n && n > 0; i++) {
        struct group *x = &list[group[i]];

        x->count++;
        x->unhappy += is_unhappy(&g->q[i]);
        if (g->q[i].at_ms > x->last_ms)
            x->last_ms = g->q[i].at_ms;
    }
    if (n > 0)
        qsort(list, (size_t)n, sizeof *list, by_weight);
    json_open(&g->out, '{');
    json_key(&g->out, "items");
    json_open(&g->out, '[');
    for (int i = 0; i < n && (unsigned)i < g->limit; i++)
        write_group(g, &list[i], group);
    json_close(&g->out, ']');
    json_kv_raw(&g->out, "next", STR("null"));
    json_kv_int(&g->out, "total", n < 0 ? 0 : n);
    json_kv_int(&g->out, "days", GAP_DAYS);
    json_close(&g->out, '}');
    g->rc = n < 0 ? n : 0;
    free(texts);
    free(group);
    free(middle);
    free(list);
}

static void work(uv_work_t *w)
{
    struct gaps *g = w->data;

    drop_answered(g);
    write_groups(g);
}

static void worked(uv_work_t *w, int status)
{
    struct gaps *g = w->data;

    (void)status;
    g->kb->app->works--;
    if (g->rc == 0 && buf_ok(&g->out))
        http_call_json(g->call, 200, buf_str(&g->out));
    else
        http_call_problem(g->call, 503, "the gaps can't be listed now", NULL, NULL);
    gaps_free(g);
}

static void on_questions(void *ctx, int rc, const char *type, struct str body, const char *why)
{
    struct gaps *g = ctx;

    (void)type;
    if (rc < 0) {
        log_warn("kb", "gaps not read why=\"%s\"", why ? why : "");
        http_call_problem(g->call, 503, "the archive can't answer now", NULL, NULL);
        gaps_free(g);
        return;
    }
    json_each_member(body, on_member, g);
    g->kb->app->works++;
    uv_queue_work(g->kb->app->loop, &g->work, work, worked);
}

static void on_stale(void *ctx, int rc, const char *type, struct str body, const char *why)
{
    struct gaps *g = ctx;

    (void)type;
    if (rc < 0) {
        log_warn("kb", "stale articles not read why=\"%s\"", why ? why : "");
        http_call_problem(g->call, 503, "the archive can't answer now", NULL, NULL);
    } else {
        json_open(&g->out, '{');
        json_kv_raw(&g->out, "items", body);
        json_kv_raw(&g->out, "next", STR("null"));
        json_kv_int(&g->out, "days", GAP_DAYS);
        json_close(&g->out, '}');
        http_call_json(g->call, 200, buf_str(&g->out));
    }
    gaps_free(g);
}

void kb_gaps_ask(struct app_kb *k, struct http_call *call, const struct http_kb *q)
{
    bool is_gaps = q->what == HTTP_KB_GAPS;
    struct app *a = k->app;
    struct archive_query ask = {.kind = is_gaps ? ARCHIVE_GAPS : ARCHIVE_STALE, .limit = is_gaps ? QUESTIONS_MAX : q->limit,
                                .from_ms = app_now_ms(a) - GAP_DAYS * DAY_MS};
    struct gaps *g;

    if (!a->archive) {
        http_call_problem(call, 503, "the archive is held by another node: ask there", "node", a->archive_node[0] ? a->archive_node : NULL);
        return;
    }
    g = mem_zalloc(sizeof *g);
    g->work.data = g;
    g->kb = k;
    g->call = call;
    g->limit = q->limit;
    g->now_ms = app_now_ms(a);
    buf_init(&g->out, 16 << 20);
    if (archive_ask(a->archive, &ask, is_gaps ? on_questions : on_stale, g) < 0) {
        http_call_problem(call, 503, "the archive is busy", NULL, NULL);
        gaps_free(g);
    }
}

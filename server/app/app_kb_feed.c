/* The knowledge base's logs: read behind a cursor, oldest month first, taken in on a worker thread, in order, by every node. */
#include "app/app_kb.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ENTRIES_AT_ONCE 500
#define MONTHS_BACK     120 /* they stay in Redis: what stands may have been saved years ago */
#define WAIT_MS         3000
#define SHELF_WAIT_MS   30000 /* who saved wants to see what was saved */

/* One read of a log, on its way through the worker. */
struct lesson {
    uv_work_t work;
    struct app_kb *kb;
    struct kb_feed *feed;
    char log[16], epoch[40];
    char **frames;
    unsigned n;
    int64_t first, last_seq; /* place of the first; seq of the last */
    bool changes_shelf;
    int rc;
};

static void pump(struct app_kb *k);

/* ---- taking in, on a worker */

static struct str text_of(const struct entry *e, enum field f)
{
    return e->f[f].type == VAL_STR ? e->f[f].s : STR("");
}

static void verdict_id(char out[40], const char *log, int64_t seq)
{
    snprintf(out, 40, "%s-%lld", log, (long long)seq);
}

/* A mark of an article that isn't there (yet) is kept for when it comes. One that is known, or too long to learn from, is done with. */
static int learn(struct app_kb *k, const struct archive_verdict *v, struct err *err)
{
    bool is_reject = str_is(v->verdict, "rejected");
    int rc = is_reject ? kb_reject(k->app->kb, v->article, v->question, v->who, v->at_ms, err)
                       : kb_accept(k->app->kb, v->article, v->question, v->who, v->at_ms, err);
    struct kb_port port;

    if (rc == ERR_NOT_FOUND) {
        struct kb_mark m = {v->article, v->question, v->who, v->at_ms, is_reject ? KB_REJECTED : KB_ACCEPTED};

        archive_kb_port(k->store, &port);
        rc = port.mark_add(port.ctx, &m, err);
    }
    return rc == ERR_EXISTS || rc == ERR_TOO_LARGE ? 0 : rc;
}

static int take_verdict(struct lesson *l, const struct entry *e, struct err *err)
{
    char id[40];
    struct archive_verdict v = {.who = e->from.id, .name = e->from.name, .at_ms = e->at_ms};
    int rc;

    verdict_id(id, l->log, e->seq);
    v.id = str_of(id);
    v.article = text_of(e, FIELD_ARTICLE);
    v.verdict = text_of(e, FIELD_VERDICT);
    v.question = text_of(e, FIELD_TEXT);
    v.chat = text_of(e, FIELD_OF_CHAT);
    rc = archive_kb_add_verdict(l->kb->store, &v, err);
    return rc == 0 && v.question.n ? learn(l->kb, &v, err) : rc;
}

static int take_version(struct lesson *l, const struct entry *e, bool synonyms, struct err *err)
{
    struct archive_version v = {.id = synonyms ? STR(KB_SYNONYMS) : text_of(e, FIELD_ARTICLE), .lang = text_of(e, FIELD_LANG),
                                .who = e->from.id, .name = e->from.name, .base = text_of(e, FIELD_BASE),
                                .text = text_of(e, FIELD_TEXT), .version = e->f[FIELD_VERSION].i, .at_ms = e->at_ms};

    l->changes_shelf = true;
    return archive_kb_add_version(l->kb->store, &v, err);
}

static int take(struct lesson *l, const struct entry *e, struct err *err)
{
    struct archive_kb *store = l->kb->store;
    int rc;

    switch (e->kind) {
    case KIND_FEEDBACK_GIVEN:
        return take_verdict(l, e, err);
    case KIND_FEEDBACK_UNDONE:
        rc = archive_kb_undo(store, text_of(e, FIELD_TAUGHT), e->from.id, e->from.name, e->at_ms, err);
        l->changes_shelf = true; /* the weights are rebuilt from what stands */
        return rc == ERR_NOT_FOUND ? 0 : rc;
    case KIND_ARTICLE_HELPED:
        return archive_kb_add_helped(store, text_of(e, FIELD_ARTICLE), e->from.id, e->at_ms, e->f[FIELD_HELPED].b, err);
    case KIND_ARTICLE_SAVED:
        return take_version(l, e, false, err);
    case KIND_SYNONYMS_SAVED:
        return take_version(l, e, true, err);
    default:
        return 0;
    }
}

static void on_work(uv_work_t *w)
{
    struct lesson *l = w->data;
    struct err err = {0};

    for (unsigned i = 0; i < l->n && l->rc == 0; i++) {
        struct entry e;

        if (entry_read(str_of(l->frames[i]), &e, NULL) == 0) {
            l->rc = take(l, &e, &err);
            l->last_seq = e.seq;
        }
        entry_fini(&e);
    }
    if (l->rc == 0)
        l->rc = archive_kb_set_cursor(l->kb->store, str_of(l->epoch), str_of(l->log), l->first + l->n, &err);
    if (l->rc < 0)
        log_error("kb", "log not taken in log=%s why=\"%s\"", l->log, err_why(&err));
}

/* ---- who waits */

static void end_wait(struct kb_wait **at)
{
    struct kb_wait *x = *at;

    *at = x->next;
    x->fn(x->ctx);
    free(x);
}

static void answer_taken(struct app_kb *k, const char *log, int64_t last_seq)
{
    struct kb_wait **at = &k->waits;

    while (*at) {
        struct kb_wait *x = *at;

        if (!x->is_taken && strcmp(x->log, log) == 0 && x->seq <= last_seq) {
            x->is_taken = true;
            x->load = k->loads + 1; /* one that is under way may have begun too early */
            if (!x->for_shelf) {
                end_wait(at);
                continue;
            }
        }
        at = &x->next;
    }
}

void kb_feed_loaded(struct app_kb *k)
{
    struct kb_wait **at = &k->waits;

    while (*at) {
        struct kb_wait *x = *at;

        if (x->is_taken && x->for_shelf && x->load <= k->loaded)
            end_wait(at);
        else
            at = &x->next;
    }
    if (!k->is_fed)
        pump(k);
}

void kb_feed_wait(struct app_kb *k, const char *log, int64_t seq, bool for_shelf, void (*fn)(void *ctx), void *ctx)
{
    struct kb_wait *x;

    if (k->app->is_draining) { /* nothing is taken in any more, and it is durable */
        fn(ctx);
        return;
    }
    x = mem_zalloc(sizeof *x);
    snprintf(x->log, sizeof x->log, "%s", log);
    x->seq = seq;
    x->for_shelf = for_shelf;
    x->since_ms = (int64_t)uv_now(k->app->loop);
    x->fn = fn;
    x->ctx = ctx;
    x->is_taken = !log[0];
    x->load = k->loads + 1;
    x->next = k->waits;
    k->waits = x;
    kb_feed_on_log(k, str_of(log));
    for (unsigned i = 0; i < k->feeds_n; i++) /* it may have been read with others just now */
        if (strcmp(k->feeds[i].log, log) == 0)
            answer_taken(k, log, k->feeds[i].last_seq);
}

/* ---- reading */

static void lesson_free(struct lesson *l)
{
    for (unsigned i = 0; i < l->n; i++)
        free(l->frames[i]);
    free(l->frames);
    free(l);
}

static void on_taken(uv_work_t *w, int status)
{
    struct lesson *l = w->data;
    struct app_kb *k = l->kb;

    (void)status;
    k->app->works--;
    k->is_feeding = false;
    if (l->rc == 0) {
        l->feed->n = l->first + l->n;
        l->feed->is_dirty = l->feed->is_dirty || l->n == ENTRIES_AT_ONCE;
        if (l->last_seq > l->feed->last_seq)
            l->feed->last_seq = l->last_seq;
        answer_taken(k, l->log, l->last_seq);
        if (l->changes_shelf)
            kb_shelf_reload(k, true);
        lesson_free(l);
        pump(k);
        return;
    }
    l->feed->is_dirty = true; /* the tick tries again */
    lesson_free(l);
}

static void on_read(void *ctx, const struct redis_reply *list)
{
    struct lesson *l = ctx;
    struct app_kb *k = l->kb;
    size_t n = list && redis_reply_type(list) == REDIS_LIST ? redis_reply_n(list) : 0;

    if (!list || redis_reply_type(list) != REDIS_LIST) {
        l->feed->is_dirty = true; /* the tick tries again */
        k->is_feeding = false;
        lesson_free(l);
        return;
    }
    if (n == 0) {
        k->is_feeding = false;
        lesson_free(l);
        pump(k);
        return;
    }
    l->frames = mem_zalloc(n * sizeof *l->frames);
    for (size_t i = 0; i < n; i++) {
        struct link_stored st;
        bool ok = link_stored_read(redis_reply_str(redis_reply_at(list, i)), &st);

        l->frames[l->n++] = ok ? mem_strndup(st.frame.s, st.frame.n) : mem_strdup("");
    }
    k->app->works++;
    uv_queue_work(k->app->loop, &l->work, on_work, on_taken);
}

/* The oldest log of which something may be new. */
static struct kb_feed *next_feed(struct app_kb *k)
{
    struct kb_feed *found = NULL;

    for (unsigned i = 0; i < k->feeds_n; i++) {
        struct kb_feed *f = &k->feeds[i];

        if (f->is_dirty && (!found || strcmp(f->log, found->log) < 0))
            found = f;
    }
    return found;
}

static int64_t place_of(struct app_kb *k, struct kb_feed *f)
{
    struct err err = {0};
    const char *epoch = link_epoch(k->app->link);

    if (f->n < 0 || strcmp(f->epoch, epoch) != 0) {
        snprintf(f->epoch, sizeof f->epoch, "%s", epoch);
        if (archive_kb_cursor(k->store, str_of(epoch), str_of(f->log), &f->n, &err) < 0)
            f->n = 0; /* what is known changes nothing when it comes again */
    }
    return f->n;
}

static void pump(struct app_kb *k)
{
    struct kb_feed *f = k->is_feeding || !k->shelf || !k->app->is_up || k->app->is_draining ? NULL : next_feed(k);
    struct lesson *l;

    if (!f) {
        k->is_fed = k->is_fed || (k->feeds_n > 0 && !k->is_feeding && k->shelf && k->app->is_up);
        return;
    }
    l = mem_zalloc(sizeof *l);
    l->work.data = l;
    l->kb = k;
    l->feed = f;
    l->first = place_of(k, f);
    snprintf(l->log, sizeof l->log, "%s", f->log);
    snprintf(l->epoch, sizeof l->epoch, "%s", f->epoch);
    f->is_dirty = false;
    k->is_feeding = link_read(k->app->link, str_of(f->log), l->first, ENTRIES_AT_ONCE, on_read, l) == 0;
    if (!k->is_feeding) {
        f->is_dirty = true;
        lesson_free(l);
    }
}

static void month(int64_t at_ms, int back, char log[16])
{
    time_t t = (time_t)(at_ms / 1000);
    struct tm tm;
    int m;

    gmtime_r(&t, &tm);
    m = (tm.tm_year + 1900) * 12 + tm.tm_mon - back;
    snprintf(log, 16, "kb_%04u%02u", (unsigned)(m / 12) % 10000, (unsigned)(m % 12) + 1);
}

void kb_feed_log(struct app_kb *k, char log[16])
{
    month(app_now_ms(k->app), 0, log);
}

void kb_feed_on_log(struct app_kb *k, struct str log)
{
    struct kb_feed *f = NULL;

    if (log.n >= sizeof f->log || log.n < 3 || memcmp(log.s, "kb_", 3) != 0)
        return;
    for (unsigned i = 0; i < k->feeds_n && !f; i++)
        f = str_is(log, k->feeds[i].log) ? &k->feeds[i] : NULL;
    if (!f && k->feeds_n == KB_FEEDS_MAX)
        return;
    if (!f) {
        f = &k->feeds[k->feeds_n++];
        snprintf(f->log, sizeof f->log, "%.*s", STR_FMT(log));
        f->n = -1;
    }
    f->is_dirty = true;
    pump(k);
}

void kb_feed_start(struct app_kb *k)
{
    char log[16];

    for (int back = MONTHS_BACK; back >= 0; back--) {
        month(app_now_ms(k->app), back, log);
        kb_feed_on_log(k, str_of(log));
    }
}

void kb_feed_tick(struct app_kb *k)
{
    int64_t now = (int64_t)uv_now(k->app->loop);
    struct kb_wait **at = &k->waits;

    while (*at) { /* it is durable: that it isn't taken in here yet is no reason to keep anybody waiting */
        if (now - (*at)->since_ms > ((*at)->for_shelf ? SHELF_WAIT_MS : WAIT_MS))
            end_wait(at);
        else
            at = &(*at)->next;
    }
    pump(k);
}

void kb_feed_stop(struct app_kb *k)
{
    while (k->waits)
        end_wait(&k->waits);
}

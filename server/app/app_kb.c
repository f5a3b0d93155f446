/* Suggestions: asked on worker threads, told to reps and shoppers; what reps make of them is learned. */
#include "app/app_room.h"
#include "archive/archive_kb.h"

#include <stdio.h>
#include <stdlib.h>

#define HITS_MAX 5

struct kb_ask {
    uv_work_t work;
    struct app *app;
    char *text, *lang;
    bool for_shopper, with_text;
    unsigned max;
    int64_t now_ms;
    struct buf out;              /* JSON list */
    char department[64];
    double confidence;           /* of the best one */
    void (*fn)(void *ctx, struct str articles, const char *department, double confidence);
    void *ctx;
};

static void write_hit(struct buf *b, const struct kb_hit *h, bool with_text)
{
    char number[32];

    json_open(b, '{');
    json_kv_s(b, "id", h->id);
    json_kv_s(b, "title", h->title);
    snprintf(number, sizeof number, "%.3f", h->confidence);
    json_kv_raw(b, "confidence", str_of(number));
    if (with_text)
        json_kv_s(b, "text", h->text);
    json_close(b, '}');
}

static void run(uv_work_t *w)
{
    struct kb_ask *k = w->data;
    struct kb_filter filter = {.lang = str_of(k->lang), .audience = k->for_shopper ? KB_SHOPPER : KB_REP, .now_ms = k->now_ms};
    struct kb_hit hits[HITS_MAX];
    double least = k->for_shopper ? (double)k->app->cfg->kb.shopper_permille / 1000.0
                                  : (double)k->app->cfg->kb.threshold_permille / 1000.0;
    int n = kb_suggest(k->app->kb, str_of(k->text), &filter, k->max, hits, NULL);

    json_open(&k->out, '[');
    for (int i = 0; i < n; i++)
        if (hits[i].confidence >= least)
            write_hit(&k->out, &hits[i], k->with_text);
    json_close(&k->out, ']');
    if (n > 0) {
        k->confidence = hits[0].confidence;
        snprintf(k->department, sizeof k->department, "%s", hits[0].article->department ? hits[0].article->department : "");
        kb_hits_fini(hits, (unsigned)n);
    }
}

static void ran(uv_work_t *w, int status)
{
    struct kb_ask *k = w->data;

    k->app->works--;
    k->fn(k->ctx, status == 0 ? buf_str(&k->out) : STR("[]"), k->department, k->confidence);
    buf_fini(&k->out);
    free(k->text);
    free(k->lang);
    free(k);
}

void kb_ask(struct app *a, struct str text, struct str lang, bool for_shopper, unsigned max, bool with_text,
            void (*fn)(void *ctx, struct str articles, const char *department, double confidence), void *ctx)
{
    struct kb_ask *k;

    if (!a->kb) {
        fn(ctx, STR("[]"), NULL, 0);
        return;
    }
    k = mem_zalloc(sizeof *k);
    k->work.data = k;
    k->app = a;
    k->text = mem_strndup(text.n ? text.s : "", text.n);
    k->lang = mem_strndup(lang.n ? lang.s : "", lang.n);
    k->for_shopper = for_shopper;
    k->with_text = with_text;
    k->max = max < HITS_MAX ? max : HITS_MAX;
    k->now_ms = app_now_ms(a);
    buf_init(&k->out, 1 << 20);
    k->fn = fn;
    k->ctx = ctx;
    a->works++;
    uv_queue_work(a->loop, &k->work, run, ran);
}

/* ---- commands */

static void on_articles(void *ctx, struct str articles, const char *department, double confidence)
{
    struct cmd *c = ctx;
    struct buf b;

    (void)department, (void)confidence;
    buf_init(&b, 1 << 20);
    buf_add_s(&b, ",\"articles\":");
    buf_add_str(&b, articles);
    answer_cmd_ok(c, b.p);
    buf_fini(&b);
}

static void on_chat_text(struct slot *s, void *ctx)
{
    struct cmd *c = ctx;

    if (s->chat.head == 0 || !chat_has_reader(&s->chat, c->conn->person)) {
        answer_cmd_error(c, CODE_NOT_FOUND, "no such chat", NULL);
        return;
    }
    kb_ask(c->app, str_of(s->chat.last_question ? s->chat.last_question : ""), str_of(s->chat.locale ? s->chat.locale : ""), false, 3, true,
           on_articles, c);
}

struct mark {
    uv_work_t work;
    struct app *app;
    char article[ID_MAX + 1], who[ID_SIZE];
    char *question;
    int64_t at_ms;
    bool accept;
};

static void learn(uv_work_t *w)
{
    struct mark *m = w->data;
    struct err err = {0};
    int rc = m->accept ? kb_accept(m->app->kb, str_of(m->article), str_of(m->question), str_of(m->who), m->at_ms, &err)
                       : kb_reject(m->app->kb, str_of(m->article), str_of(m->question), str_of(m->who), m->at_ms, &err);

    if (rc < 0 && rc != ERR_EXISTS)
        log_warn("kb", "mark not learned article=%s why=\"%s\"", m->article, err_why(&err));
}

static void learned(uv_work_t *w, int status)
{
    struct mark *m = w->data;

    (void)status;
    m->app->works--;
    free(m->question);
    free(m);
}

struct feedback {
    struct cmd *cmd;
    char *question;
    char chat[ID_SIZE];
};

static void on_feedback(void *ctx, const struct link_result *r)
{
    struct feedback *f = ctx;
    struct cmd *c = f->cmd;

    if (r->status == LINK_DONE) {
        struct mark *m = mem_zalloc(sizeof *m);

        m->work.data = m;
        m->app = c->app;
        snprintf(m->article, sizeof m->article, "%.*s", STR_FMT(c->msg.f[FIELD_ARTICLE].s));
        snprintf(m->who, sizeof m->who, "%s", c->conn->person);
        m->question = mem_strdup(f->question);
        m->at_ms = r->at_ms;
        m->accept = !str_is(c->msg.f[FIELD_VERDICT].s, "rejected");
        if (m->question[0] && c->app->kb) {
            c->app->works++;
            uv_queue_work(c->app->loop, &m->work, learn, learned);
        } else {
            free(m->question);
            free(m);
        }
        jobs_feed_kick(c->app->feed);
        answer_cmd_ok(c, NULL);
    } else if (r->status == LINK_SEEN) {
        if (r->same)
            answer_cmd_ok(c, NULL);
        else
            answer_cmd_error(c, CODE_CONFLICT, "this id was used for something else", NULL);
    } else {
        answer_cmd_error(c, CODE_UNAVAILABLE, "the log can't be written now", NULL);
    }
    free(f->question);
    free(f);
}

/* The verdict is an entry of the rep's own log: durable, archived, learned. */
static void commit_feedback(struct cmd *c, const char *question, const char *chat)
{
    struct feedback *f = mem_zalloc(sizeof *f);
    struct link_entry le = {.ref = c->msg.id};
    struct link_commit lc = {.log = str_of(c->conn->person), .person = str_of(c->conn->person), .id = c->msg.id,
                             .digest = c->msg.digest, .mode = LINK_ANY, .entries = &le, .entries_n = 1};
    struct entry e;
    struct buf tail;

    f->cmd = c;
    f->question = mem_strdup(question);
    entry_init(&e, KIND_FEEDBACK_GIVEN);
    e.from_role = ROLE_REP;
    e.from = (struct person){str_of(c->conn->person), str_of(c->conn->name)};
    e.f[FIELD_ARTICLE] = c->msg.f[FIELD_ARTICLE];
    e.f[FIELD_VERDICT] = c->msg.f[FIELD_VERDICT];
    e.f[FIELD_TEXT] = val_s(question);
    if (chat[0])
        e.f[FIELD_OF_CHAT] = val_s(chat);
    buf_init(&tail, 1 << 17);
    entry_write_tail(&tail, &e);
    le.tail = buf_str(&tail);
    if (link_commit(c->app->link, &lc, on_feedback, f) < 0) {
        free(f->question);
        free(f);
        answer_cmd_error(c, CODE_UNAVAILABLE, "redis is away", NULL);
    }
    buf_fini(&tail);
}

static void on_feedback_chat(struct slot *s, void *ctx)
{
    struct cmd *c = ctx;

    if (s->chat.head == 0 || !chat_has_reader(&s->chat, c->conn->person))
        answer_cmd_error(c, CODE_NOT_FOUND, "no such chat", NULL);
    else
        commit_feedback(c, s->chat.last_question ? s->chat.last_question : "", s->chat.id);
}

void kb_command(struct cmd *c)
{
    struct str text = c->msg.f[FIELD_TEXT].type == VAL_STR ? c->msg.f[FIELD_TEXT].s : STR_NONE;
    struct str chat = c->msg.f[FIELD_CHAT].type == VAL_STR ? c->msg.f[FIELD_CHAT].s : STR_NONE;
    char question[4096];

    switch (c->msg.type) {
    case MSG_KB_SEARCH:
        kb_ask(c->app, text, str_of(c->conn->locale), true, 3, true, on_articles, c);
        break;
    case MSG_KB_SUGGEST:
        if (text.n)
            kb_ask(c->app, text, STR(""), false, 3, true, on_articles, c);
        else if (chat.n && chat.n < ID_SIZE && chat.s[0] == 'c')
            slot_when_loaded(slot_get(c->app, chat), on_chat_text, c);
        else
            answer_cmd_error(c, CODE_BAD_REQUEST, "chat or text: one is needed", NULL);
        break;
    case MSG_KB_FEEDBACK:
        snprintf(question, sizeof question, "%.*s", (int)utf8_prefix(text, 1000).n, text.n ? text.s : "");
        if (!text.n && chat.n && chat.n < ID_SIZE && chat.s[0] == 'c')
            slot_when_loaded(slot_get(c->app, chat), on_feedback_chat, c);
        else
            commit_feedback(c, question, "");
        break;
    default: /* kb.helped: counted by what the log says of the chat that was not needed */
        answer_cmd_ok(c, NULL);
    }
}

/* ---- told to the handler by itself */

struct told {
    struct app *app;
    char chat[ID_SIZE];
    int64_t question;
};

static void on_for_handler(void *ctx, struct str articles, const char *department, double confidence)
{
    struct told *t = ctx;
    struct slot *s = slot_find(t->app, str_of(t->chat));
    struct member *m = s && s->chat.handler.id[0] ? people_find(t->app, str_of(s->chat.handler.id)) : NULL;
    struct buf b;

    (void)department, (void)confidence;
    /* never late for a newer question */
    if (m && s->chat.proof.last_question == t->question) {
        buf_init(&b, 1 << 20);
        buf_printf(&b, "{\"t\":\"suggest\",\"chat\":\"%s\",\"articles\":", t->chat);
        buf_add_str(&b, articles);
        buf_add_c(&b, '}');
        for (struct conn *c = m->conns; c; c = c->next_of_person)
            signal_raw(c, crypto_short_hash(t->chat, strlen(t->chat)) ^ 7, buf_str(&b));
        buf_fini(&b);
    }
    free(t);
}

void kb_for_handler(struct slot *s, struct str text)
{
    struct member *m = people_find(s->app, str_of(s->chat.handler.id));
    struct told *t;

    if (!m || !m->conns || !s->app->kb)
        return;
    t = mem_zalloc(sizeof *t);
    t->app = s->app;
    t->question = s->chat.proof.last_question;
    snprintf(t->chat, sizeof t->chat, "%s", s->chat.id);
    kb_ask(s->app, text, str_of(s->chat.locale ? s->chat.locale : ""), false, 3, true, on_for_handler, t);
}

/* ---- start, stop */

/* The built-in articles are loaded beside the start: until then there are no suggestions. */
static void load(uv_work_t *w)
{
    struct app *a = w->data;
    struct err err = {0};

    if (kb_load_embedded(a->kb, &err) < 0)
        log_error("kb", "articles not loaded why=\"%s\"", err_why(&err));
}

static void loaded(uv_work_t *w, int status)
{
    struct app *a = w->data;

    (void)status;
    a->works--;
}

int kb_start(struct app *a, struct err *err)
{
    char path[600];
    struct archive_kb *store;
    struct kb_port port;
    int rc;

    snprintf(path, sizeof path, "%s/kb.sqlite", a->opt.data_dir);
    rc = archive_kb_open(path, &store, err);
    if (rc < 0)
        return rc;
    a->kb_store = store;
    archive_kb_port(store, &port);
    rc = kb_open(&port, &a->kb, err);
    if (rc == 0 && a->cfg->kb.dir[0]) /* a shop's own articles: a broken one is said at the start */
        return kb_load_dir(a->kb, a->cfg->kb.dir, err);
    if (rc == 0) {
        a->kb_load.data = a;
        a->works++;
        uv_queue_work(a->loop, &a->kb_load, load, loaded);
    }
    return rc;
}

void kb_stop(struct app *a)
{
    if (a->kb)
        kb_close(a->kb);
    archive_kb_close(a->kb_store);
    a->kb = NULL;
    a->kb_store = NULL;
}

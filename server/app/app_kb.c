/* Suggestions: asked on worker threads, told to reps and shoppers; what they make of them becomes entries of the logs. */
#include "app/app_kb.h"
#include "kb/kb_pace.h"

#include <stdio.h>
#include <stdlib.h>

#define HITS_MAX      5
#define WORTH_CHARS   4    /* a shorter text asks nothing that an article could answer */
#define QUESTION_CHARS 1000
#define TITLE_CHARS   30   /* of the best one's, as a reason */

struct kb_ask {
    uv_work_t work;
    struct app *app;
    char *text, *lang;
    bool for_shopper, with_text;
    unsigned max;
    int64_t now_ms;
    struct buf out, brief;       /* JSON lists */
    char department[64], title[TITLE_CHARS * 4 + 1]; /* of the best one */
    double confidence;
    void (*fn)(void *ctx, const struct kb_found *found);
    void *ctx;
};

/* What is being looked up for a chat's handler: one question at a time, the newest next. */
struct kb_live {
    struct app *app;
    char chat[ID_SIZE];
    bool is_busy, is_preview, next_is_preview;
    int64_t question, next_question; /* seq of the shopper's message; of a preview: the one before it */
    int64_t due_ms, started_ms;      /* of the next look-up; when the last one began, 0: there was none */
    char *next;                      /* NULL: nothing newer */
};

static const struct kb_found nothing = {{"[]", 2}, {"[]", 2}, "", "", 0};

/* ---- asking */

/* Shoppers are not told how sure we are. */
static void write_hit(struct buf *b, const struct kb_hit *h, bool with_text, bool with_confidence)
{
    char number[32];

    json_open(b, '{');
    json_kv_s(b, "id", h->id);
    json_kv_s(b, "title", h->title);
    if (with_confidence) {
        snprintf(number, sizeof number, "%.3f", h->confidence);
        json_kv_raw(b, "confidence", str_of(number));
    }
    if (with_text)
        json_kv_s(b, "text", h->text);
    json_close(b, '}');
}

static void run(uv_work_t *w)
{
    struct kb_ask *k = w->data;
    struct kb_filter filter = {.lang = str_of(k->lang), .audience = k->for_shopper ? KB_SHOPPER : KB_REP,
                               .now_ms = k->now_ms};
    struct kb_hit hits[HITS_MAX];
    double least = k->for_shopper ? (double)k->app->cfg->kb.shopper_permille / 1000.0
                                  : (double)k->app->cfg->kb.threshold_permille / 1000.0;
    int n = kb_suggest(k->app->kb, str_of(k->text), &filter, k->max, hits, NULL);

    json_open(&k->out, '[');
    json_open(&k->brief, '[');
    for (int i = 0; i < n; i++) {
        if (hits[i].confidence < least)
            continue;
        write_hit(&k->out, &hits[i], k->with_text, !k->for_shopper);
        if (!k->for_shopper)
            write_hit(&k->brief, &hits[i], false, true);
    }
    json_close(&k->out, ']');
    json_close(&k->brief, ']');
    if (n > 0) {
        k->confidence = hits[0].confidence;
        str_keep(utf8_prefix(str_of(hits[0].title), TITLE_CHARS), k->title, sizeof k->title);
        snprintf(k->department, sizeof k->department, "%s", hits[0].article->department ? hits[0].article->department : "");
        kb_hits_fini(hits, (unsigned)n);
    }
}

static void ran(uv_work_t *w, int status)
{
    struct kb_ask *k = w->data;

    k->app->works--;
    if (status == 0)
        k->fn(k->ctx, &(struct kb_found){buf_str(&k->out), buf_str(&k->brief), k->department, k->title, k->confidence});
    else
        k->fn(k->ctx, &nothing);
    buf_fini(&k->out);
    buf_fini(&k->brief);
    free(k->text);
    free(k->lang);
    free(k);
}

void kb_ask(struct app *a, struct str text, struct str lang, bool for_shopper, unsigned max, bool with_text,
            void (*fn)(void *ctx, const struct kb_found *found), void *ctx)
{
    struct kb_ask *k;

    if (!a->kb) {
        fn(ctx, &nothing);
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
    buf_init(&k->brief, 1 << 14);
    k->fn = fn;
    k->ctx = ctx;
    a->works++;
    uv_queue_work(a->loop, &k->work, run, ran);
}

/* ---- commands that ask */

static void on_articles(void *ctx, const struct kb_found *found)
{
    struct cmd *c = ctx;
    struct buf b;

    buf_init(&b, 1 << 20);
    buf_add_s(&b, ",\"articles\":");
    buf_add_str(&b, found->articles);
    answer_cmd_ok(c, b.p);
    buf_fini(&b);
}

static struct str or_empty(const char *s)
{
    return str_of(s ? s : "");
}

static void on_chat_text(struct slot *s, void *ctx)
{
    struct cmd *c = ctx;

    if (s->is_unread) {
        answer_cmd_error(c, CODE_UNAVAILABLE, "the chat can't be read now", NULL);
        return;
    }
    if (!staff_may_read(s, c->conn)) {
        answer_cmd_error(c, CODE_NOT_FOUND, "no such chat", NULL);
        return;
    }
    kb_ask(c->app, or_empty(s->chat.last_question), or_empty(s->chat.locale), false, 3, true, on_articles, c);
}

/* ---- commands that say something: entries of this month's log, durable before ok, taken in by every node */

struct telling {
    struct cmd *cmd;
    char log[16];
};

static void on_taken(void *ctx)
{
    struct telling *t = ctx;

    answer_cmd_ok(t->cmd, NULL);
    free(t);
}

static void on_told(void *ctx, const struct link_result *r)
{
    struct telling *t = ctx;
    struct cmd *c = t->cmd;

    if (r->status == LINK_DONE) {
        jobs_feed_kick(c->app->feed);
        kb_feed_wait(c->app->kb_live, t->log, r->first, false, on_taken, t); /* learned when the rep hears of it */
        return;
    }
    if (r->status == LINK_SEEN && r->same)
        answer_cmd_ok(c, NULL);
    else if (r->status == LINK_SEEN)
        answer_cmd_error(c, CODE_CONFLICT, "this id was used for something else", NULL);
    else
        answer_cmd_error(c, CODE_UNAVAILABLE, "the log can't be written now", NULL);
    free(t);
}

static void tell(struct cmd *c, struct entry *e)
{
    struct telling *t = mem_zalloc(sizeof *t);
    struct link_entry le = {.ref = c->msg.id};
    struct link_commit lc = {.person = str_of(c->conn->person), .id = c->msg.id, .digest = c->msg.digest, .id_in_person = true,
                             .mode = LINK_ANY, .entries = &le, .entries_n = 1};
    struct buf tail;

    t->cmd = c;
    kb_feed_log(c->app->kb_live, t->log);
    lc.log = str_of(t->log);
    e->from_role = c->conn->is_staff ? ROLE_REP : ROLE_SHOPPER;
    e->from = (struct person){str_of(c->conn->person), str_of(c->conn->name)};
    buf_init(&tail, 1 << 17);
    entry_write_tail(&tail, e);
    le.tail = buf_str(&tail);
    if (link_commit(c->app->link, &lc, on_told, t) < 0) {
        free(t);
        answer_cmd_error(c, CODE_UNAVAILABLE, "redis is away", NULL);
    }
    buf_fini(&tail);
}

/* An article that isn't there (for a shopper: for shoppers) is told apart from one that is; before they are loaded nobody knows. */
static bool has_article(const struct cmd *c)
{
    const struct kb_shelf *s = c->app->kb_live->shelf;

    return !s || kb_shelf_has(s, c->msg.f[FIELD_ARTICLE].s, c->conn->is_staff ? KB_REP : KB_SHOPPER);
}

static void tell_feedback(struct cmd *c, struct str question, const char *chat)
{
    struct entry e;

    entry_init(&e, KIND_FEEDBACK_GIVEN);
    e.f[FIELD_ARTICLE] = c->msg.f[FIELD_ARTICLE];
    e.f[FIELD_VERDICT] = c->msg.f[FIELD_VERDICT];
    e.f[FIELD_TEXT] = val_str(utf8_prefix(question, QUESTION_CHARS));
    if (chat[0])
        e.f[FIELD_OF_CHAT] = val_s(chat);
    tell(c, &e);
}

static void tell_feedback_alone(struct cmd *c)
{
    tell_feedback(c, c->msg.f[FIELD_TEXT].type == VAL_STR ? c->msg.f[FIELD_TEXT].s : STR(""), "");
}

static void on_feedback_chat(struct slot *s, void *ctx)
{
    struct cmd *c = ctx;

    if (s->is_unread)
        answer_cmd_error(c, CODE_UNAVAILABLE, "the chat can't be read now", NULL);
    else if (!staff_may_read(s, c->conn))
        command_refuse(c, CODE_NOT_FOUND, "no such chat", 0, tell_feedback_alone);
    else
        tell_feedback(c, or_empty(s->chat.last_question), s->chat.id);
}

static void tell_helped(struct cmd *c)
{
    struct entry e;

    entry_init(&e, KIND_ARTICLE_HELPED);
    e.f[FIELD_ARTICLE] = c->msg.f[FIELD_ARTICLE];
    e.f[FIELD_HELPED] = c->msg.f[FIELD_HELPED];
    tell(c, &e);
}

static void with_chat(struct cmd *c, struct str chat, void (*fn)(struct slot *s, void *ctx))
{
    if (chat.n < ID_SIZE && chat.s[0] == 'c')
        slot_when_loaded(slot_get(c->app, chat), fn, c);
    else
        answer_cmd_error(c, CODE_NOT_FOUND, "no such chat", NULL);
}

void kb_command(struct cmd *c)
{
    struct str text = c->msg.f[FIELD_TEXT].type == VAL_STR ? c->msg.f[FIELD_TEXT].s : STR_NONE;
    struct str chat = c->msg.f[FIELD_CHAT].type == VAL_STR ? c->msg.f[FIELD_CHAT].s : STR_NONE;

    cmd_set_aside(c); /* what follows it on this connection, a message above all, goes on */
    switch (c->msg.type) {
    case MSG_KB_SEARCH:
        kb_ask(c->app, text, str_of(c->conn->locale), true, 3, true, on_articles, c);
        break;
    case MSG_KB_SUGGEST:
        if (text.n)
            kb_ask(c->app, text, STR(""), false, 3, true, on_articles, c);
        else if (chat.n)
            with_chat(c, chat, on_chat_text);
        else
            answer_cmd_error(c, CODE_BAD_REQUEST, "chat or text: one is needed", NULL);
        break;
    case MSG_KB_FEEDBACK:
        if (!has_article(c))
            command_refuse(c, CODE_NOT_FOUND, "no such article", 0, tell_feedback_alone);
        else if (chat.n)
            with_chat(c, chat, on_feedback_chat);
        else
            tell_feedback_alone(c);
        break;
    default:
        if (!has_article(c))
            command_refuse(c, CODE_NOT_FOUND, "no such article", 0, tell_helped);
        else
            tell_helped(c);
    }
}

/* ---- told to the handler by itself */

static void start(struct app *a, struct kb_live *v);

/* Small talk is no question that an article is missing for. */
static bool is_worth(struct str text)
{
    unsigned spaces = 0;
    bool ascii = true;

    for (size_t i = 0; i < text.n; i++) {
        spaces += text.s[i] == ' ';
        ascii = ascii && !((unsigned char)text.s[i] & 0x80);
    }
    return ascii ? spaces >= 2 : utf8_chars(text) >= WORTH_CHARS;
}

/* What was shown becomes an entry of the chat, once a question: for transcripts, figures and gaps. */
static void record(struct slot *s, int64_t question, struct str articles)
{
    struct cmd *c;

    if (s->chat.suggested_for >= question || (articles.n <= 2 && !is_worth(or_empty(s->chat.last_question))))
        return;
    c = cmd_create(s->app, CMD_SUGGEST);
    c->due_ms = question;
    c->articles = mem_strndup(articles.s, articles.n);
    slot_push(s, c);
}

static void tell_handler(struct slot *s, const struct kb_live *v, struct str articles)
{
    struct member *m = s->chat.handler.id[0] ? people_find(s->app, str_of(s->chat.handler.id)) : NULL;
    struct buf b;

    if (!m || !m->conns)
        return;
    buf_init(&b, 1 << 20);
    buf_printf(&b, "{\"t\":\"suggest\",\"chat\":\"%s\",\"of\":%lld", s->chat.id, (long long)v->question);
    if (v->is_preview)
        json_kv_bool(&b, "preview", true);
    buf_add_s(&b, ",\"articles\":");
    buf_add_str(&b, articles);
    buf_add_c(&b, '}');
    for (struct conn *c = m->conns; c; c = c->next_of_person)
        signal_raw(c, crypto_short_hash(s->chat.id, strlen(s->chat.id)) ^ 7, buf_str(&b));
    buf_fini(&b);
}

static void on_for_handler(void *ctx, const struct kb_found *found)
{
    struct kb_live *v = ctx;
    struct app *a = v->app;
    struct slot *s = slot_find(a, str_of(v->chat));

    v->is_busy = false;
    if (v->next) { /* somebody asks something newer: never late for that */
        if ((int64_t)uv_now(a->loop) >= v->due_ms)
            start(a, v);
        return;
    }
    if (!s || !s->is_loaded || v->question != s->chat.proof.last_question)
        return;
    tell_handler(s, v, found->articles);
    if (!v->is_preview && s->chat.handler.id[0])
        record(s, v->question, found->brief);
}

static void start(struct app *a, struct kb_live *v)
{
    struct slot *s = slot_find(a, str_of(v->chat));
    char *text = v->next;

    v->next = NULL;
    if (!s) {
        free(text); /* the chat is gone: the next tick forgets it here */
        return;
    }
    v->question = v->next_question;
    v->is_preview = v->next_is_preview;
    v->is_busy = true;
    v->started_ms = (int64_t)uv_now(a->loop);
    kb_ask(a, str_of(text), or_empty(s->chat.locale), false, 3, true, on_for_handler, v);
    free(text);
}

/* Not before the articles are loaded: what nothing is found for would stand as what nobody can answer. */
static bool is_due(const struct app_kb *k, const struct kb_live *v, int64_t now)
{
    return k->shelf && now >= v->due_ms;
}

/* Only where the handler is connected; each node asks for its own. */
static void look_up(struct slot *s, struct str text, bool is_preview)
{
    struct app *a = s->app;
    struct member *m = s->chat.handler.id[0] ? people_find(a, str_of(s->chat.handler.id)) : NULL;
    int64_t now = (int64_t)uv_now(a->loop);
    struct kb_live *v;

    if (!m || !m->conns || !a->kb)
        return;
    v = map_get(&a->kb_live->live, str_of(s->chat.id));
    if (!v) {
        v = mem_zalloc(sizeof *v);
        v->app = a;
        snprintf(v->chat, sizeof v->chat, "%s", s->chat.id);
        map_put(&a->kb_live->live, str_of(s->chat.id), v);
    }
    v->due_ms = kb_pace_due(&(struct kb_pace){v->started_ms, v->next && !v->next_is_preview}, is_preview, now);
    mem_replace(&v->next, text.s, text.n);
    v->next_question = s->chat.proof.last_question;
    v->next_is_preview = is_preview;
    if (!v->is_busy && is_due(a->kb_live, v, now))
        start(a, v);
}

void kb_for_handler(struct slot *s, struct str text)
{
    look_up(s, text, false);
}

void kb_for_preview(struct slot *s, struct str text)
{
    const struct kb_live *v = map_get(&s->app->kb_live->live, str_of(s->chat.id));

    if (text.n && !(v && v->next && !v->next_is_preview)) /* a message that waits is newer than what was typed before it */
        look_up(s, utf8_prefix(text, QUESTION_CHARS), true);
}

/* Starts what is due, forgets chats that have been quiet. */
static void look_at_live(struct app_kb *k)
{
    int64_t now = (int64_t)uv_now(k->app->loop);
    uint32_t share = kb_pace_share(k->live.n), i = 0;
    struct kb_live *quiet[64];
    unsigned quiet_n = 0;
    struct map_item *it;

    while ((it = map_next(&k->live, &i))) {
        struct kb_live *v = it->value;

        if (v->is_busy)
            continue;
        if (!v->next && now >= v->started_ms + KB_PACE_MS && quiet_n < sizeof quiet / sizeof *quiet) {
            quiet[quiet_n++] = v; /* more of them: the next tick */
        } else if (v->next && is_due(k, v, now) && share > 0) {
            share--;
            start(k->app, v);
        }
    }
    while (quiet_n > 0)
        free(map_del(&k->live, str_of(quiet[--quiet_n]->chat)));
}

/* ---- start, stop */

void kb_tick(struct app *a)
{
    struct app_kb *k = a->kb_live;

    if (!k)
        return;
    if (k->live.n)
        look_at_live(k);
    if (a->ticks % 20 == 0 && !a->is_draining) {
        kb_shelf_tick(k);
        kb_feed_tick(k);
    }
}

/* A shop's own articles: a broken one is said at the start, with the setting that leads to it. */
static int read_shelf(struct app_kb *k, struct err *err)
{
    int rc = kb_shelf_read(k, err);

    return rc < 0 ? err_wrap(err, rc, "kb.dir (or site.%s.kb_dir)", k->app->site) : 0;
}

int kb_start(struct app *a, struct err *err)
{
    struct app_kb *k = mem_zalloc(sizeof *k);
    struct kb_port port;
    char path[600];
    int rc;

    k->app = a;
    map_init(&k->live);
    a->kb_live = k;
    snprintf(path, sizeof path, "%s/kb.sqlite", a->opt.data_dir);
    rc = archive_kb_open(path, &k->store, err);
    if (rc < 0)
        return rc;
    archive_kb_port(k->store, &port);
    rc = kb_open(&port, &a->kb, err);
    if (rc == 0 && a->cfg->kb.dir[0])
        rc = read_shelf(k, err);
    if (rc == 0)
        kb_shelf_reload(k, true); /* beside the start: chats don't wait for it, until then there are no suggestions */
    return rc;
}

void kb_up(struct app *a)
{
    kb_feed_start(a->kb_live);
}

void kb_on_log(struct app *a, struct str log)
{
    kb_feed_on_log(a->kb_live, log);
}

void kb_drain(struct app *a)
{
    if (a->kb_live)
        kb_feed_stop(a->kb_live);
}

void kb_stop(struct app *a)
{
    struct app_kb *k = a->kb_live;
    struct map_item *it;
    uint32_t i = 0;

    if (!k)
        return;
    if (a->kb)
        kb_close(a->kb);
    while ((it = map_next(&k->live, &i))) {
        free(((struct kb_live *)it->value)->next);
        free(it->value);
    }
    map_fini(&k->live);
    kb_shelf_destroy(k->shelf);
    kb_files_fini(&k->files);
    archive_kb_close(k->store);
    free(k);
    a->kb = NULL;
    a->kb_live = NULL;
}

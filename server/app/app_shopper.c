/* Shoppers: hello, the first message, coming and going. */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

#define NO_NEW_MS       30000 /* until a start that was refused for want of room may be tried again */
#define RESUME_MAX      50
#define TOKEN_SECONDS   "7776000" /* 90 days, sliding (PROMISES 2.16) */
#define VISITOR_SECONDS "86400"   /* for who has only looked yet */
#define FIRST_TEXT_LANG 64

struct resume {
    char chat[ID_SIZE];
    int64_t seq;
};

struct hello {
    struct cmd *cmd;
    struct resume r[RESUME_MAX];
    unsigned n, left;
    char token[AUTH_SECRET_SIZE];
    bool failed;
    const char *identity; /* "accepted", "refused", or NULL: none came */
    int64_t cursor[RESUME_MAX]; /* -1: not found */
};

static struct str field(const struct cmd *c, enum field f)
{
    return c->msg.f[f].type == VAL_STR ? c->msg.f[f].s : STR_NONE;
}

static void on_resume(void *ctx, struct str key, struct val v)
{
    struct hello *h = ctx;

    if (!key.s) {
        if (h->n < RESUME_MAX && h->r[h->n].chat[0])
            h->n++;
        return;
    }
    if (h->n == RESUME_MAX)
        return;
    if (str_is(key, "chat") && v.type == VAL_STR && v.s.n < ID_SIZE) {
        memcpy(h->r[h->n].chat, v.s.s, v.s.n);
        h->r[h->n].chat[v.s.n] = 0;
    }
    if (str_is(key, "seq") && v.type == VAL_INT)
        h->r[h->n].seq = v.i;
}

static struct guest *guest_get(struct app *a, const char *id)
{
    struct guest *g = map_get(&a->guests, str_of(id));

    if (g)
        return g;
    g = mem_zalloc(sizeof *g);
    snprintf(g->id, sizeof g->id, "%s", id);
    map_put(&a->guests, str_of(id), g);
    return g;
}

void shopper_absence(struct app *a, const char *open, struct absence *out)
{
    const struct slot *s = slot_find(a, str_of(open));

    snprintf(out->member[0], sizeof out->member[0], "%s|gone", open);
    out->members[0] = out->member[0];
    out->ms[0] = match_spans(a, s && s->is_loaded ? s->chat.department : NULL)->gone_ms;
    out->n = 1;
}

static void say_presence(struct conn *c, bool join)
{
    struct absence x;

    shopper_absence(c->app, c->open, &x);
    link_presence(c->app->link, NULL, join, str_of(c->person), x.members, x.ms, x.n);
}

void shopper_join(struct conn *c)
{
    struct guest *g = map_get(&c->app->guests, str_of(c->person));

    if (!g || g->is_joined || !c->open[0])
        return;
    g->is_joined = true;
    say_presence(c, true);
}

void shopper_join_all(struct app *a)
{
    struct map_item *it;
    uint32_t i = 0;

    while ((it = map_next(&a->guests, &i))) {
        struct guest *g = it->value;

        if (g->is_joined && g->conns)
            say_presence(g->conns, true);
    }
}

void shopper_gone(struct app *a, struct conn *c)
{
    struct guest *g = map_get(&a->guests, str_of(c->person));
    struct conn **at = g ? &g->conns : NULL;

    while (at && *at && *at != c)
        at = &(*at)->next_of_person;
    if (!at || !*at)
        return;
    *at = c->next_of_person;
    if (g->conns)
        return;
    if (g->is_joined)
        say_presence(c, false);
    map_del(&a->guests, str_of(c->person));
    free(g);
}

/* fn(ctx) is called with the answer, or NULL; false: it could not be sent, and fn is not called. */
static bool store_token(struct conn *c, const char *seconds, void (*fn)(void *ctx, const struct redis_reply *r), void *ctx)
{
    char key[AUTH_DIGEST_SIZE + 8];
    const char *argv[] = {"SET", c->person, "EX", seconds};

    snprintf(key, sizeof key, "tok:%s", c->secret_digest);
    return link_call_plain(c->app->link, key, 4, argv, NULL, fn, ctx) == 0;
}

void shopper_store_token(struct conn *c)
{
    if (!c->must_store_token)
        return;
    c->must_store_token = false;
    store_token(c, TOKEN_SECONDS, NULL, NULL);
}

/* ---- hello */

static void write_departments(struct app *a, bool zh, struct buf *b, bool *open)
{
    int64_t now = app_now_ms(a);

    *open = false;
    json_key(b, "departments");
    json_open(b, '[');
    for (unsigned i = 0; i < a->departments_n; i++) {
        const struct config_department *d = a->departments[i].cfg;
        const char *title = zh ? d->title_zh : d->title_en;
        bool is_open = config_is_open(d, now) && match_is_staffed(a, &a->departments[i]);

        *open = *open || is_open;
        json_open(b, '{');
        json_kv_s(b, "name", d->name);
        json_kv_s(b, "title", title[0] ? title : d->name);
        json_kv_bool(b, "open", is_open);
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void write_site(struct app *a, bool zh, struct buf *b)
{
    const struct config_site *site = config_site_find(a->cfg, str_of(a->site));

    json_key(b, "site");
    json_open(b, '{');
    json_kv_s(b, "id", a->site);
    if (site && site->name[0])
        json_kv_s(b, "name", site->name);
    if (site && site->color[0])
        json_kv_s(b, "color", site->color);
    if (site && (zh ? site->greeting_zh : site->greeting_en)[0])
        json_kv_s(b, "greeting", zh ? site->greeting_zh : site->greeting_en);
    if (site && (zh ? site->farewell_zh : site->farewell_en)[0])
        json_kv_s(b, "farewell", zh ? site->farewell_zh : site->farewell_en);
    json_kv_bool(b, "preview", site && site->preview);
    json_close(b, '}');
}

static void write_results(const struct hello *h, struct buf *b)
{
    json_key(b, "chats");
    json_open(b, '[');
    for (unsigned i = 0; i < h->n; i++) {
        struct slot *s = slot_find(h->cmd->app, str_of(h->r[i].chat));

        json_open(b, '{');
        json_kv_s(b, "chat", h->r[i].chat);
        if (h->cursor[i] < 0 || !s)
            json_kv_s(b, "error", "not_found");
        else
            json_kv_int(b, "seq", s->chat.head);
        json_close(b, '}');
    }
    json_close(b, ']');
}

/* Rule 2.11: who answers for the open case, or for the last one while the way back leads to that person. */
static void write_responsible(struct app *a, const struct conn *c, const struct slot *open, struct buf *b)
{
    const struct slot *s = open ? open : c->last[0] ? slot_find(a, str_of(c->last)) : NULL;
    const struct chat *chat = s && s->is_loaded && strcmp(s->chat.shopper.id, c->person) == 0 ? &s->chat : NULL;

    if (!chat || !chat->owner.id[0])
        return;
    if (!open && app_now_ms(a) - chat->ended_at_ms > match_rules(a, chat->department)->return_ms)
        return;
    notice_write_person(b, "responsible", chat->owner.id, chat->owner.name);
}

static void welcome(struct hello *h)
{
    struct cmd *cmd = h->cmd;
    struct conn *c = cmd->conn;
    struct app *a = cmd->app;
    bool zh = strncasecmp(c->locale, "zh", 2) == 0, open;
    struct slot *s = c->open[0] ? slot_find(a, str_of(c->open)) : NULL, *last;
    struct buf b;

    if (s && !chat_state_is_open(s->chat.state)) {
        c->open[0] = 0;
        s = NULL;
    }
    last = c->last[0] ? slot_find(a, str_of(c->last)) : NULL;
    if (last && last->is_loaded && last->chat.head == 0)
        c->last[0] = 0; /* it left Redis: nothing leads back to it any more */
    buf_init(&b, 1 << 20);
    buf_add_s(&b, "{\"t\":\"welcome\"");
    json_kv_str(&b, "re", cmd->msg.id);
    json_kv_s(&b, "epoch", link_epoch(a->link));
    json_kv_int(&b, "now", app_now_ms(a));
    state_write_health(a, false, &b);
    json_kv_s(&b, "token", h->token);
    json_key(&b, "shopper");
    json_open(&b, '{');
    json_kv_s(&b, "id", c->person);
    if (c->name[0])
        json_kv_s(&b, "name", c->name);
    json_close(&b, '}');
    if (s) {
        json_kv_s(&b, "chat", c->open);
        json_kv_s(&b, "state", chat_state_name(s->chat.state));
    }
    if (h->identity)
        json_kv_s(&b, "identity", h->identity);
    if (!s && c->last[0])
        json_kv_s(&b, "last", c->last);
    write_responsible(a, c, s, &b);
    write_departments(a, zh, &b, &open);
    json_kv_bool(&b, "open", open);
    write_site(a, zh, &b);
    write_results(h, &b);
    buf_add_c(&b, '}');
    answer_raw(c, buf_str(&b));
    buf_fini(&b);
    c->is_ready = true;
    for (unsigned i = 0; i < h->n; i++)
        if (h->cursor[i] >= 0)
            sub_pump(sub_add(c, slot_get(a, str_of(h->r[i].chat)), h->cursor[i]));
    if (s) {
        sub_add(c, s, s->chat.head);
        shopper_join(c);
        if (s->position > 0)
            s->position = -1; /* tell it again */
        match_dirty(a, str_of(s->chat.department));
    }
    cmd_finish(cmd);
    free(h);
}

static void on_chat_ready(struct slot *s, void *ctx)
{
    struct hello *h = ctx;
    struct conn *c = h->cmd->conn;

    for (unsigned i = 0; i < h->n; i++)
        if (strcmp(h->r[i].chat, s->chat.id) == 0)
            h->cursor[i] = s->chat.head == 0 || strcmp(s->chat.shopper.id, c->person) != 0 ? -1
                           : h->r[i].seq > s->chat.head                                   ? s->chat.head
                                                                                          : h->r[i].seq;
    if (s->is_unread)
        h->failed = true;
    if (--h->left > 0)
        return;
    if (!h->failed && !c->is_dead) {
        welcome(h);
        return;
    }
    answer_cmd_error(h->cmd, CODE_UNAVAILABLE, "your chats can't be read now", NULL);
    free(h);
}

/* The shopper is known: read the chats that the answer speaks of. */
static void known(struct hello *h)
{
    struct conn *c = h->cmd->conn;
    struct app *a = h->cmd->app;
    struct guest *g;
    char open[ID_SIZE];

    if (c->is_dead) {
        cmd_finish(h->cmd);
        free(h);
        return;
    }
    g = guest_get(a, c->person);
    c->next_of_person = g->conns;
    g->conns = c;
    h->left = 1;
    for (unsigned i = 0; i < h->n; i++)
        h->cursor[i] = -1;
    memcpy(open, c->open[0] ? c->open : c->last, sizeof open); /* the last one: who answers for it */
    if (open[0]) {
        h->left++;
        slot_when_loaded(slot_get(a, str_of(open)), on_chat_ready, h);
    }
    for (unsigned i = 0; i < h->n; i++) {
        if (strcmp(h->r[i].chat, open) == 0 || h->r[i].chat[0] != 'c')
            continue;
        h->left++;
        slot_when_loaded(slot_get(a, str_of(h->r[i].chat)), on_chat_ready, h);
    }
    if (--h->left == 0) {
        if (h->failed) {
            answer_cmd_error(h->cmd, CODE_UNAVAILABLE, "your chats can't be read now", NULL);
            free(h);
        } else {
            welcome(h);
        }
    }
}

static void on_record(void *ctx, const struct redis_reply *r)
{
    struct hello *h = ctx;
    struct conn *c = h->cmd->conn;
    char *to[] = {c->open, c->last};

    if (!r || redis_reply_n(r) != 3) {
        answer_cmd_error(h->cmd, CODE_UNAVAILABLE, "redis is away", NULL);
        free(h);
        return;
    }
    for (size_t i = 0; i < 2; i++) {
        struct str s = redis_reply_str(redis_reply_at(r, i));

        if (s.n && s.n < ID_SIZE) {
            memcpy(to[i], s.s, s.n);
            to[i][s.n] = 0;
        }
    }
    if (!c->name[0])
        conn_set_name(c, redis_reply_str(redis_reply_at(r, 2)));
    known(h);
}

static void on_token_stored(void *ctx, const struct redis_reply *r)
{
    (void)r; /* a new shopper has nothing yet: kept with the first thing that is to last (must_store_token) */
    known(ctx);
}

/* The welcome waits for the token: the same token said to another node a moment later is the same shopper there. */
static void new_shopper(struct hello *h)
{
    struct conn *c = h->cmd->conn;

    id_make(c->person, 's');
    auth_secret_make('v', h->token, c->secret_digest);
    c->must_store_token = true; /* for long with the first thing that is to last */
    if (!store_token(c, VISITOR_SECONDS, on_token_stored, h))
        known(h);
}

static void on_token(void *ctx, const struct redis_reply *r)
{
    struct hello *h = ctx;
    struct conn *c = h->cmd->conn;
    const char *argv[] = {"HMGET", "open", "last", "name"};
    char key[AUTH_DIGEST_SIZE + 8];
    const char *expire[] = {"EXPIRE", TOKEN_SECONDS};

    if (!r || redis_reply_type(r) == REDIS_ERR) { /* not "unknown": the token may well be somebody's */
        answer_cmd_error(h->cmd, CODE_UNAVAILABLE, "redis is away", NULL);
        free(h);
        return;
    }
    if (redis_reply_type(r) != REDIS_STR || redis_reply_str(r).n >= ID_SIZE || redis_reply_str(r).s[0] != 's') {
        new_shopper(h);
        return;
    }
    snprintf(c->person, sizeof c->person, "%.*s", STR_FMT(redis_reply_str(r)));
    snprintf(key, sizeof key, "tok:%s", c->secret_digest);
    link_call_plain(c->app->link, key, 2, expire, NULL, NULL, NULL);
    if (link_call(c->app->link, LINK_SHOPPER, str_of(c->person), 4, argv, NULL, on_record, h) < 0) {
        answer_cmd_error(h->cmd, CODE_UNAVAILABLE, "redis is away", NULL);
        free(h);
    }
}

/* ---- signed identities (PROMISES 2.16): the subject's own shopper, whatever token came along */

static void on_identity_known(void *ctx, const struct redis_reply *r)
{
    struct hello *h = ctx;
    struct conn *c = h->cmd->conn;
    const char *argv[] = {"HMGET", "open", "last", "name"};

    if (!r || redis_reply_type(r) != REDIS_STR || redis_reply_str(r).n >= ID_SIZE) {
        answer_cmd_error(h->cmd, CODE_UNAVAILABLE, "redis is away", NULL);
        free(h);
        return;
    }
    snprintf(c->person, sizeof c->person, "%.*s", STR_FMT(redis_reply_str(r)));
    auth_secret_make('v', h->token, c->secret_digest);
    store_token(c, TOKEN_SECONDS, NULL, NULL);
    if (link_call(c->app->link, LINK_SHOPPER, str_of(c->person), 4, argv, NULL, on_record, h) < 0) {
        answer_cmd_error(h->cmd, CODE_UNAVAILABLE, "redis is away", NULL);
        free(h);
    }
}

/* False: there is none, or it is bad (said in welcome), and the shopper goes on anonymously. */
static bool take_identity(struct hello *h, struct str jwt)
{
    struct cmd *cmd = h->cmd;
    struct conn *c = cmd->conn;
    const struct config_site *site = config_site_find(cmd->app->cfg, str_of(cmd->app->site));
    struct auth_identity who;
    struct err err = {0};
    unsigned char digest[CRYPTO_HASH_BYTES];
    char key[80], hex[65], fresh[ID_SIZE];
    const char *set[] = {"SET", fresh, "NX"}, *get[] = {"GET"};

    if (!site || !site->jwt_secret[0])
        return false;
    if (auth_identity_check(jwt, site->jwt_secret, site->jwt_issuer, cmd->app->site, app_now_ms(cmd->app), &who, &err) < 0) {
        log_warn("app", "identity refused why=\"%s\"", err_why(&err));
        h->identity = "refused";
        return false;
    }
    conn_set_name(c, str_of(who.name));
    if (!c->locale[0])
        snprintf(c->locale, sizeof c->locale, "%s", who.locale);
    snprintf(c->class_, sizeof c->class_, "%s", who.class_);
    h->identity = "accepted";
    crypto_digest(digest, who.subject, strlen(who.subject), NULL, 0);
    crypto_hex(hex, digest, sizeof digest);
    snprintf(key, sizeof key, "who:%s", hex);
    id_make(fresh, 's');
    if (link_call_plain(cmd->app->link, key, 3, set, NULL, NULL, NULL) < 0 ||
        link_call_plain(cmd->app->link, key, 1, get, NULL, on_identity_known, h) < 0) {
        answer_cmd_error(cmd, CODE_UNAVAILABLE, "redis is away", NULL);
        free(h);
    }
    return true;
}

void shopper_hello(struct cmd *cmd)
{
    struct conn *c = cmd->conn;
    struct str token = field(cmd, FIELD_TOKEN), site = field(cmd, FIELD_SITE), locale = field(cmd, FIELD_LOCALE);
    struct hello *h;
    char key[AUTH_DIGEST_SIZE + 8];
    const char *argv[] = {"GET"};

    if (c->is_ready) {
        answer_cmd_error(cmd, CODE_BAD_REQUEST, "hello was said already", NULL);
        return;
    }
    if (site.n && !str_is(site, cmd->app->site)) {
        answer_cmd_error(cmd, CODE_NOT_FOUND, "no such site", NULL);
        return;
    }
    h = mem_zalloc(sizeof *h);
    h->cmd = cmd;
    if (locale.n && locale.n < sizeof c->locale)
        snprintf(c->locale, sizeof c->locale, "%.*s", STR_FMT(locale));
    if (field(cmd, FIELD_NAME).n)
        conn_set_name(c, utf8_prefix(field(cmd, FIELD_NAME), 60));
    if (field(cmd, FIELD_PAGE).n)
        c->page = mem_strndup(field(cmd, FIELD_PAGE).s, field(cmd, FIELD_PAGE).n);
    if (cmd->msg.f[FIELD_RESUME].type == VAL_JSON)
        json_each_member(cmd->msg.f[FIELD_RESUME].s, on_resume, h);
    if (field(cmd, FIELD_IDENTITY).n && take_identity(h, field(cmd, FIELD_IDENTITY)))
        return;
    if (!token.n || !auth_secret_digest('v', token, c->secret_digest)) {
        new_shopper(h);
        return;
    }
    snprintf(h->token, sizeof h->token, "%.*s", STR_FMT(token));
    snprintf(key, sizeof key, "tok:%s", c->secret_digest);
    if (link_call_plain(cmd->app->link, key, 1, argv, NULL, on_token, h) < 0) {
        answer_cmd_error(cmd, CODE_UNAVAILABLE, "redis is away", NULL);
        free(h);
    }
}

/* ---- the first message (rules 1.1, 2.7) */

/* The first word of the list that occurs in the folded text; .n 0: none. */
static struct str keyword_in(const struct buf *folded, const char *list)
{
    struct str rest = str_of(list), item, found = STR_NONE;
    struct buf word;

    buf_init(&word, 1024);
    while (!found.n && config_list_next(&rest, &item)) {
        buf_reset(&word);
        ownership_fold(item, &word);
        if (word.n && folded->n >= word.n && memmem(folded->p, folded->n, word.p, word.n))
            found = item;
    }
    buf_fini(&word);
    return found;
}

const struct department *shopper_by_keyword(struct app *a, struct str text, char *why, size_t why_size)
{
    const struct department *found = NULL;
    struct buf folded;

    buf_init(&folded, 1 << 16);
    ownership_fold(text, &folded);
    for (unsigned i = 0; i < a->departments_n && !found; i++) {
        struct str word = keyword_in(&folded, a->departments[i].cfg->keywords);

        if (!word.n)
            continue;
        found = &a->departments[i];
        snprintf(why, why_size, "%.*s", STR_FMT(utf8_prefix(word, 30)));
    }
    buf_fini(&folded);
    return found;
}

/* A topic that is a department's name or title leads there. */
static const struct department *by_topic(struct app *a, struct str topic)
{
    const struct department *found = NULL;
    struct buf want, have;

    if (!topic.n)
        return NULL;
    buf_init(&want, 4096);
    buf_init(&have, 4096);
    ownership_fold(topic, &want);
    for (unsigned i = 0; i < a->departments_n && !found; i++) {
        const struct config_department *d = a->departments[i].cfg;
        const char *const names[] = {d->name, d->title_en, d->title_zh};

        for (unsigned k = 0; k < 3 && !found; k++) {
            buf_reset(&have);
            ownership_fold(str_of(names[k]), &have);
            if (have.n && str_eq(buf_str(&have), buf_str(&want)))
                found = &a->departments[i];
        }
    }
    buf_fini(&want);
    buf_fini(&have);
    return found;
}

/* Rule 1.2: a rule by keywords may lift the class; nothing lowers it. */
static void class_by_keyword(struct cmd *c)
{
    struct buf folded;

    buf_init(&folded, 1 << 16);
    ownership_fold(field(c, FIELD_TEXT), &folded);
    for (int i = CLASS_N - 1; i > (int)class_from_name(str_of(c->class_)); i--)
        if (keyword_in(&folded, app_class(c->app, (enum class)i)->keywords).n) {
            snprintf(c->class_, sizeof c->class_, "%s", class_name((enum class)i));
            break;
        }
    buf_fini(&folded);
}

static void start_in(struct cmd *c, const char *department, const char *why)
{
    struct conn *conn = c->conn;
    const char *argv[] = {"HSET", "name", conn->name};
    struct slot *s;

    snprintf(c->department, sizeof c->department, "%s", department);
    c->triage_why = why;
    id_make(c->new_chat, 'c');
    shopper_store_token(conn);
    if (conn->name[0])
        link_call(c->app->link, LINK_SHOPPER, str_of(conn->person), 3, argv, NULL, NULL, NULL);
    s = slot_new(c->app, str_of(c->new_chat));
    slot_push(s, c);
}

/* The first article's title, of a list of hits. */
struct title_read {
    char *to;
    size_t size;
    bool has;
};

static void on_title(void *ctx, struct str key, struct val v)
{
    struct title_read *t = ctx;

    if (!t->has && str_is(key, "title") && v.type == VAL_STR) {
        snprintf(t->to, t->size, "%.*s", STR_FMT(utf8_prefix(v.s, 30)));
        t->has = true;
    }
}

static void on_triaged(void *ctx, struct str articles, const char *department, double confidence)
{
    struct cmd *c = ctx;
    struct app *a = c->app;
    const struct department *d = department ? match_find(a, str_of(department)) : NULL;

    struct title_read t = {c->triage_reason, sizeof c->triage_reason, false};

    if (d && confidence >= (double)a->cfg->kb.threshold_permille / 1000.0)
        json_each_member(articles, on_title, &t);
    if (d && confidence >= (double)a->cfg->kb.threshold_permille / 1000.0)
        start_in(c, d->cfg->name, "kb");
    else
        start_in(c, a->departments[0].cfg->name, "default");
}

static void triage(struct cmd *c)
{
    struct app *a = c->app;
    struct str wanted = field(c, FIELD_DEPARTMENT);
    const struct department *d = wanted.n ? match_find(a, wanted) : NULL;

    if (wanted.n && !d) {
        answer_cmd_error(c, CODE_BAD_REQUEST, "department: there is none of that name", NULL);
        return;
    }
    if (d) {
        start_in(c, d->cfg->name, "shopper");
        return;
    }
    if (a->departments_n == 1) {
        start_in(c, a->departments[0].cfg->name, "default");
        return;
    }
    d = by_topic(a, field(c, FIELD_TOPIC));
    if (d) {
        start_in(c, d->cfg->name, "topic");
        return;
    }
    d = shopper_by_keyword(a, field(c, FIELD_TOPIC), c->triage_reason, sizeof c->triage_reason);
    if (!d)
        d = shopper_by_keyword(a, field(c, FIELD_TEXT), c->triage_reason, sizeof c->triage_reason);
    if (d)
        start_in(c, d->cfg->name, "keyword");
    else
        kb_ask(a, field(c, FIELD_TEXT), str_of(c->conn->locale), true, 1, false, on_triaged, c);
}

/* Rule 2.5: what was known of the case, for whoever takes the one that comes back to it. */
static char *card_of(const struct chat *was)
{
    const char *summary = was->summary && was->summary[0] ? was->summary : was->card_summary;
    struct buf b;

    buf_init(&b, 1 << 16);
    buf_add_c(&b, '{');
    json_kv_s(&b, "summary", summary ? summary : "");
    json_kv_s(&b, "requirements", was->card_requirements ? was->card_requirements : "");
    json_kv_raw(&b, "verified", was->card_verified && was->card_verified[0] == '[' ? str_of(was->card_verified) : STR("[]"));
    json_kv_s(&b, "promised", was->card_promised ? was->card_promised : "");
    buf_add_c(&b, '}');
    return buf_take(&b, NULL);
}

/* Rule 2.7: a return within the time goes to the owner of the case it comes back to. */
static void on_last_ready(struct slot *s, void *ctx)
{
    struct cmd *c = ctx;
    const struct chat *was = &s->chat;

    bool unresolved = was->state == CHAT_ABANDONED || (was->closed_how && strcmp(was->closed_how, "confirmed") != 0);

    if (!s->is_unread && (was->state == CHAT_CLOSED || (was->state == CHAT_ABANDONED && was->owner.id[0])) &&
        app_now_ms(c->app) - was->ended_at_ms <= match_rules(c->app, was->department)->return_ms) {
        snprintf(c->after, sizeof c->after, "%s", was->id);
        snprintf(c->after_owner, sizeof c->after_owner, "%s", was->owner.id);
        c->after_card = card_of(was);
        if (unresolved && class_from_name(str_of(c->class_)) < CLASS_RETURNING)
            snprintf(c->class_, sizeof c->class_, "%s", class_name(CLASS_RETURNING));
    }
    triage(c);
}

/* Anonymous starts are counted by address, an hour at a time. */
static bool address_may_start(struct conn *c)
{
    return app_count_start(c->app, c->address, c->app->cfg->limits.chats_per_address_h);
}

/* Rule 1.2: so are those who say that they need care; above their share they count as everybody else. */
static bool may_need_care(struct conn *c)
{
    const struct config *cfg = c->app->cfg;
    int64_t most = (cfg->limits.chats_per_address_h * cfg->limits.care_percent + 99) / 100;
    char key[80];

    if (cfg->limits.chats_per_address_h == 0)
        return true;
    snprintf(key, sizeof key, "care %s", c->address);
    return most > 0 && app_count_start(c->app, key, most);
}

static void begin_start(struct cmd *c);

static void on_start_seen(void *ctx, const struct link_result *r)
{
    struct cmd *c = ctx;

    if (r && r->status == LINK_SEEN) { /* its first answer goes out again */
        begin_start(c);
        return;
    }
    answer_error(c->conn, c->msg.id, CODE_UNAVAILABLE, "no new chats can be taken now", NO_NEW_MS, NULL);
    cmd_finish(c);
}

/* No new chats now (PROMISES 2.14), but a repeat of one that was begun. */
void shopper_start(struct cmd *c)
{
    struct conn *conn = c->conn;

    if (c->app->chats == CHATS_OPEN)
        begin_start(c);
    else if (link_find_id(c->app->link, STR(""), str_of(conn->person), c->msg.id, true, c->msg.digest, on_start_seen, c) < 0)
        answer_cmd_error(c, CODE_UNAVAILABLE, "redis is away", NULL);
}

static void begin_start(struct cmd *c)
{
    struct conn *conn = c->conn;

    if (!address_may_start(conn)) {
        answer_error(conn, c->msg.id, CODE_RATE_LIMITED, "too many chats from this address", 60000, NULL);
        cmd_finish(c);
        return;
    }
    if (conn->class_[0]) /* from the signed identity */
        snprintf(c->class_, sizeof c->class_, "%s", conn->class_);
    else if (field(c, FIELD_CLASS).n && may_need_care(conn))
        snprintf(c->class_, sizeof c->class_, "%.*s", STR_FMT(field(c, FIELD_CLASS)));
    class_by_keyword(c);
    if (conn->last[0] && !conn->open[0])
        slot_when_loaded(slot_get(c->app, str_of(conn->last)), on_last_ready, c);
    else
        triage(c);
}

/* Shoppers: hello, coming and going. */
#include "app/app_resume.h"

#include <stdio.h>
#include <stdlib.h>

#define TOKEN_SECONDS   "7776000" /* 90 days, sliding (PROMISES 2.16) */
#define VISITOR_SECONDS "600"     /* for who has only looked yet, and is here no more */
#define VISITOR_LOOKS   256       /* seconds in which all of them who are here are met, less than half of that, */
#define VISITOR_LEAST   8         /* and so many buckets in each */
#define TOKEN_KEY_SIZE  (4 + AUTH_DIGEST_SIZE)
#define JTI_MORE_S      60        /* an identity is remembered for longer than it can come */

struct hello {
    struct cmd *cmd;
    struct resumes resume;
    unsigned left;
    char token[AUTH_SECRET_SIZE]; /* "" none came */
    bool failed;
    bool is_new; /* nothing can be theirs */
    const char *identity;        /* "accepted", "refused", or NULL: none came */
    struct auth_identity who;    /* what a signed one says */
    char subject[ID_SIZE];       /* and whose it is; "" there is none, or it is refused */
    char mark[AUTH_DIGEST_SIZE]; /* what it is bound to when it first comes: the digest of the token beside it, or a random one */
    bool is_bound;               /* to this mark */
};

static struct str field(const struct cmd *c, enum field f)
{
    return c->msg.f[f].type == VAL_STR ? c->msg.f[f].s : STR_NONE;
}

void shopper_absence(struct app *a, const char *open, struct absence *out)
{
    const struct slot *s = slot_find(a, str_of(open));

    snprintf(out->member[0], sizeof out->member[0], "%s|gone", open);
    out->members[0] = out->member[0];
    out->ms[0] = match_spans(a, s && s->is_loaded ? s->chat.department : NULL)->gone_ms;
    out->n = open[0] != 0; /* without a chat nobody is missed */
}

/* A leave that is lost is made up for by nodes_sweep(). */
static void say_presence(struct conn *c, bool join)
{
    struct absence x;

    shopper_absence(c->app, c->open, &x);
    link_presence(c->app->link, NULL, join, str_of(c->person), x.members, x.ms, x.n, NULL, NULL);
}

void shopper_join(struct conn *c)
{
    struct conn *first = guest_conns(c->app, str_of(c->person));

    if (!first || first->is_joined || !c->open[0])
        return;
    first->is_joined = true;
    say_presence(c, true);
}

void shopper_join_all(struct app *a)
{
    uint32_t bucket = 0;

    for (struct conn *c = NULL; (c = guest_next(a, &bucket, c));)
        if (c->is_joined)
            say_presence(c, true);
}

void shopper_gone(struct app *a, struct conn *c)
{
    struct conn *first = guest_conns(a, str_of(c->person));
    bool joined = first && first->is_joined;

    if (guest_remove(c) && joined && !guest_conns(a, str_of(c->person)))
        say_presence(c, false);
}

static void away(struct hello *h)
{
    answer_cmd_error(h->cmd, CODE_UNAVAILABLE, "redis is away", NULL);
    free(h);
}

static void token_key(const struct conn *c, char key[TOKEN_KEY_SIZE])
{
    char digest[AUTH_DIGEST_SIZE];

    conn_secret(c, digest);
    snprintf(key, TOKEN_KEY_SIZE, "tok:%s", digest);
}

static void make_token(struct hello *h)
{
    char digest[AUTH_DIGEST_SIZE];

    auth_secret_make('v', h->token, digest);
    conn_set_secret(h->cmd->conn, digest);
}

/* fn(ctx) is called with the answer, or NULL; false: it could not be sent, and fn is not called. */
static bool store_token(struct conn *c, const char *seconds, void (*fn)(void *ctx, const struct redis_reply *r), void *ctx)
{
    char key[TOKEN_KEY_SIZE];
    const char *argv[] = {"SET", c->person, "EX", seconds};

    token_key(c, key);
    return link_call_plain(c->app->link, key, 4, argv, NULL, fn, ctx) == 0;
}

void shopper_store_token(struct conn *c)
{
    if (c->is_visitor)
        store_token(c, TOKEN_SECONDS, NULL, NULL);
}

/* Where it has longer it keeps that. */
static void keep_visitor(const struct conn *c)
{
    char key[TOKEN_KEY_SIZE];
    const char *argv[] = {"EXPIRE", VISITOR_SECONDS, "GT"};

    token_key(c, key);
    link_call_plain(c->app->link, key, 3, argv, NULL, NULL, NULL);
}

void shopper_tick(struct app *a)
{
    const struct guests *g = &a->guests;
    uint32_t end = a->visitor_bucket + g->cap / VISITOR_LOOKS + VISITOR_LEAST;

    for (; a->visitor_bucket < g->cap && a->visitor_bucket < end; a->visitor_bucket++)
        for (const struct conn *first = g->first[a->visitor_bucket]; first; first = first->next_guest)
            for (const struct conn *c = first; c; c = c->next_of_person)
                if (c->is_visitor)
                    keep_visitor(c);
    if (a->visitor_bucket >= g->cap)
        a->visitor_bucket = 0;
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
    for (unsigned i = 0; i < h->resume.n; i++) {
        struct slot *s = slot_find(h->cmd->app, str_of(h->resume.r[i].chat));

        json_open(b, '{');
        json_kv_s(b, "chat", h->resume.r[i].chat);
        if (h->resume.r[i].cursor < 0 || !s)
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
    const struct chat_who *who = !chat ? NULL : open ? &chat->owner : chat_answerable(chat);

    if (!who || !who->id[0] || (!open && !chat_leads_back(chat, match_rules(a, chat->department), slot_now_ms(s))))
        return;
    notice_write_person(b, "responsible", who->id, who->name);
}

static void welcome(struct hello *h)
{
    struct cmd *cmd = h->cmd;
    struct conn *c = cmd->conn;
    struct app *a = cmd->app;
    bool zh = strncasecmp(c->locale, "zh", 2) == 0, open;
    struct slot *s = c->open[0] ? slot_find(a, str_of(c->open)) : NULL;
    struct buf b;

    if (s && !chat_state_is_open(s->chat.state)) {
        c->open[0] = 0;
        s = NULL;
    }
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
    resume_go_on(&h->resume, c);
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

/* It may say hello again, as somebody else even. */
static void refuse(struct hello *h)
{
    guest_remove(h->cmd->conn);
    answer_cmd_error(h->cmd, CODE_UNAVAILABLE, "your chats can't be read now", NULL);
    free(h);
}

/* It left Redis, or never was: nothing leads back to it any more. */
static void forget_chat(struct conn *c, const char *chat)
{
    if (strcmp(c->open, chat) == 0)
        c->open[0] = 0;
    if (strcmp(c->last, chat) == 0)
        c->last[0] = 0;
}

static void on_chat_ready(struct slot *s, void *ctx)
{
    struct hello *h = ctx;
    struct conn *c = h->cmd->conn;
    bool is_theirs = s->chat.head > 0 && strcmp(s->chat.shopper.id, c->person) == 0;

    resume_found(&h->resume, s, is_theirs);
    if (s->is_unread)
        h->failed = true;
    else if (s->chat.head == 0)
        forget_chat(c, s->chat.id);
    if (!is_theirs)
        conn_charge(c);
    if (--h->left > 0)
        return;
    if (!h->failed && !c->is_dead)
        welcome(h);
    else
        refuse(h);
}

/* The shopper is known: read the chats that the answer speaks of. */
static void known(struct hello *h)
{
    struct conn *c = h->cmd->conn;
    struct app *a = h->cmd->app;
    char open[ID_SIZE];

    if (c->is_dead) {
        cmd_finish(h->cmd);
        free(h);
        return;
    }
    guest_add(c);
    h->left = 1;
    memcpy(open, c->open[0] ? c->open : c->last, sizeof open); /* the last one: who answers for it */
    if (open[0]) {
        h->left++;
        slot_when_loaded(slot_get(a, str_of(open)), on_chat_ready, h);
    }
    for (unsigned i = 0; !h->is_new && i < h->resume.n; i++) {
        if (strcmp(h->resume.r[i].chat, open) == 0 || h->resume.r[i].chat[0] != 'c')
            continue;
        h->left++;
        slot_when_loaded(slot_get(a, str_of(h->resume.r[i].chat)), on_chat_ready, h);
    }
    if (--h->left == 0) {
        if (h->failed)
            refuse(h);
        else
            welcome(h);
    }
}

static void on_record(void *ctx, const struct redis_reply *r)
{
    struct hello *h = ctx;
    struct conn *c = h->cmd->conn;
    char *to[] = {c->open, c->last};

    if (!r || redis_reply_n(r) != 3) {
        away(h);
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

static void read_record(struct hello *h)
{
    const char *argv[] = {"HMGET", "open", "last", "name"};

    if (link_call(h->cmd->app->link, LINK_SHOPPER, str_of(h->cmd->conn->person), 4, argv, NULL, on_record, h) < 0)
        away(h);
}

static void on_token_stored(void *ctx, const struct redis_reply *r)
{
    (void)r; /* a new shopper has nothing yet: kept with the first thing that is to last */
    known(ctx);
}

/* The welcome waits for the token: the same token said to another node a moment later is the same shopper there. */
static void new_shopper(struct hello *h)
{
    struct conn *c = h->cmd->conn;

    h->is_new = true;
    id_make(c->person, 's');
    make_token(h);
    c->is_visitor = true;
    if (!store_token(c, VISITOR_SECONDS, on_token_stored, h))
        known(h);
}

static void extend_token(struct conn *c)
{
    const char *argv[] = {"EXPIRE", TOKEN_SECONDS};
    char key[TOKEN_KEY_SIZE];

    token_key(c, key);
    link_call_plain(c->app->link, key, 2, argv, NULL, NULL, NULL);
}

/* The signed identity's own shopper. A token of theirs stays, so that no other tab is locked out; another's is not made theirs. */
static void take_identity(struct hello *h, bool has_token)
{
    struct conn *c = h->cmd->conn;

    conn_set_name(c, str_of(h->who.name));
    if (!c->locale[0])
        snprintf(c->locale, sizeof c->locale, "%s", h->who.locale);
    str_keep(str_of(h->who.class_), c->class_, sizeof c->class_);
    h->identity = "accepted";
    memcpy(c->person, h->subject, sizeof c->person);
    if (has_token) {
        extend_token(c);
    } else {
        make_token(h);
        store_token(c, TOKEN_SECONDS, NULL, NULL);
    }
    read_record(h);
}

static void refuse_identity(struct hello *h, const char *why)
{
    log_warn("app", "identity refused why=\"%s\"", why);
    h->identity = "refused";
    h->subject[0] = 0;
}

/* How long the token lives says whether they have done anything that lasts. */
static void on_token_life(void *ctx, const struct redis_reply *r)
{
    struct hello *h = ctx;
    struct conn *c = h->cmd->conn;

    c->is_visitor = !r || redis_reply_type(r) != REDIS_INT || redis_reply_int(r) <= strtoll(VISITOR_SECONDS, NULL, 10);
    if (c->is_visitor)
        keep_visitor(c);
    else
        extend_token(c);
    read_record(h);
}

static void read_token_life(struct hello *h)
{
    const char *argv[] = {"TTL"};
    char key[TOKEN_KEY_SIZE];

    token_key(h->cmd->conn, key);
    if (link_call_plain(h->cmd->app->link, key, 1, argv, NULL, on_token_life, h) < 0)
        away(h);
}

/* holder: whose token came along, STR_NONE nobody's. An identity that came before is taken with its token, or one of its own shopper's. */
static void go_on(struct hello *h, struct str holder)
{
    struct conn *c = h->cmd->conn;

    if (h->subject[0] && !h->is_bound && !str_is(holder, h->subject))
        refuse_identity(h, "it came with another token before (jti)");
    if (h->subject[0]) {
        take_identity(h, str_is(holder, h->subject));
    } else if (!holder.n) {
        new_shopper(h);
    } else {
        snprintf(c->person, sizeof c->person, "%.*s", STR_FMT(holder));
        read_token_life(h);
    }
}

static struct str shopper_of(const struct redis_reply *r)
{
    struct str id = redis_reply_type(r) == REDIS_STR ? redis_reply_str(r) : STR_NONE;

    return id.n && id.n < ID_SIZE && id.s[0] == 's' ? id : STR_NONE;
}

static void on_token(void *ctx, const struct redis_reply *r)
{
    struct hello *h = ctx;

    if (!r || redis_reply_type(r) == REDIS_ERR) /* not "unknown": the token may well be somebody's */
        away(h);
    else
        go_on(h, shopper_of(r));
}

static void read_token(struct hello *h)
{
    const char *argv[] = {"GET"};
    char key[TOKEN_KEY_SIZE];

    if (!h->token[0]) {
        go_on(h, STR_NONE);
        return;
    }
    token_key(h->cmd->conn, key);
    if (link_call_plain(h->cmd->app->link, key, 1, argv, NULL, on_token, h) < 0)
        away(h);
}

/* ---- signed identities (PROMISES 2.16): the subject's own shopper, whatever token came along */

/* Sets the key to value if nothing stands there (seconds NULL: for ever), and reads what stands there then. */
static void claim(struct hello *h, const char *kind, const char *of, const char *value, const char *seconds,
                  void (*fn)(void *ctx, const struct redis_reply *r))
{
    struct link *l = h->cmd->app->link;
    const char *set[] = {"SET", value, "NX", "EX", seconds}, *get[] = {"GET"};
    unsigned char digest[CRYPTO_HASH_BYTES];
    char key[80], hex[65];

    crypto_digest(digest, of, strlen(of), NULL, 0);
    crypto_hex(hex, digest, sizeof digest);
    snprintf(key, sizeof key, "%s:%s", kind, hex);
    if (link_call_plain(l, key, seconds ? 5 : 3, set, NULL, NULL, NULL) < 0 || link_call_plain(l, key, 1, get, NULL, fn, h) < 0)
        away(h);
}

static void on_jti(void *ctx, const struct redis_reply *r)
{
    struct hello *h = ctx;

    if (!r || redis_reply_type(r) != REDIS_STR) {
        away(h);
        return;
    }
    h->is_bound = str_is(redis_reply_str(r), h->mark);
    read_token(h);
}

static void on_subject(void *ctx, const struct redis_reply *r)
{
    struct hello *h = ctx;
    struct str subject = r ? shopper_of(r) : STR_NONE;
    char seconds[24], unused[AUTH_SECRET_SIZE];

    if (!subject.n) {
        away(h);
        return;
    }
    str_keep(subject, h->subject, sizeof h->subject);
    if (h->token[0])
        conn_secret(h->cmd->conn, h->mark);
    else
        auth_secret_make('v', unused, h->mark);
    snprintf(seconds, sizeof seconds, "%lld", (long long)((h->who.expires_at_ms - app_now_ms(h->cmd->app)) / 1000 + JTI_MORE_S));
    claim(h, "jti", h->who.jti, h->mark, seconds, on_jti);
}

/* False: there is none, or it is bad (said in welcome), and the shopper goes on anonymously. */
static bool ask_identity(struct hello *h, struct str jwt)
{
    struct app *a = h->cmd->app;
    const struct config_site *site = config_site_find(a->cfg, str_of(a->site));
    struct err err = {0};
    char fresh[ID_SIZE];

    if (!jwt.n || !site)
        return false;
    if (auth_identity_check(jwt, site->jwt_secret, site->jwt_issuer, a->site, app_now_ms(a), &h->who, &err) < 0) {
        refuse_identity(h, err_why(&err));
        return false;
    }
    id_make(fresh, 's');
    claim(h, "who", h->who.subject, fresh, NULL, on_subject);
    return true;
}

/* A hello that failed may have been somebody else's. */
static void forget(struct conn *c)
{
    c->person[0] = c->open[0] = c->last[0] = c->locale[0] = c->class_[0] = 0;
    c->is_visitor = false;
    conn_set_name(c, STR(""));
    free(c->page);
    c->page = NULL;
}

void shopper_hello(struct cmd *cmd)
{
    struct conn *c = cmd->conn;
    struct str token = field(cmd, FIELD_TOKEN), site = field(cmd, FIELD_SITE), locale = field(cmd, FIELD_LOCALE);
    struct hello *h;
    char digest[AUTH_DIGEST_SIZE];

    if (c->is_ready) {
        answer_cmd_error(cmd, CODE_BAD_REQUEST, "hello was said already", NULL);
        return;
    }
    if (site.n && !str_is(site, cmd->app->site)) {
        answer_cmd_error(cmd, CODE_NOT_FOUND, "no such site", NULL);
        return;
    }
    forget(c);
    h = mem_zalloc(sizeof *h);
    h->cmd = cmd;
    if (locale.n && locale.n < sizeof c->locale)
        snprintf(c->locale, sizeof c->locale, "%.*s", STR_FMT(locale));
    if (field(cmd, FIELD_NAME).n)
        conn_set_name(c, utf8_prefix(field(cmd, FIELD_NAME), 60));
    if (field(cmd, FIELD_PAGE).n)
        c->page = mem_strndup(field(cmd, FIELD_PAGE).s, field(cmd, FIELD_PAGE).n);
    resume_read(&h->resume, &cmd->msg);
    if (token.n && auth_secret_digest('v', token, digest)) {
        snprintf(h->token, sizeof h->token, "%.*s", STR_FMT(token));
        conn_set_secret(c, digest);
    }
    if (!ask_identity(h, field(cmd, FIELD_IDENTITY)))
        read_token(h);
}

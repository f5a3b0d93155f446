/* Staff: hello, opening a chat. */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

#define RESUME_MAX 50
#define CHATS_MAX  200

struct resume {
    char chat[ID_SIZE];
    int64_t seq;
};

struct hello {
    struct cmd *cmd;
    struct resume r[RESUME_MAX];
    unsigned n, left;
    char chat[CHATS_MAX][ID_SIZE];
    unsigned chats_n;
    bool failed;
    int64_t cursor[RESUME_MAX];
};

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

static bool may_read(struct slot *s, const struct conn *c)
{
    struct chat_rep me;

    people_fact(s->app, str_of(c->person), str_of(s->chat.department ? s->chat.department : ""), false, &me);
    return s->chat.head > 0 && (me.in_department || chat_has_reader(&s->chat, c->person) || (c->roles & (ROLE_QA | ROLE_DIRECTOR)));
}

static bool is_mine(const struct slot *s, const struct conn *c)
{
    return s->chat.head > 0 && chat_state_is_open(s->chat.state) &&
           (strcmp(s->chat.handler.id, c->person) == 0 || strcmp(s->chat.owner.id, c->person) == 0);
}

static void write_roles(unsigned roles, struct buf *b)
{
    json_key(b, "roles");
    json_open(b, '[');
    for (unsigned r = ROLE_REP; r <= ROLE_ADMIN; r <<= 1)
        if (roles & r)
            json_text(b, str_of(role_name(r)));
    json_close(b, ']');
}

static void write_self(struct app *a, const struct member *m, struct buf *b)
{
    (void)a;
    json_key(b, "departments");
    json_open(b, '[');
    for (unsigned i = 0; i < m->rep.departments.n; i++)
        json_text(b, str_of(m->rep.departments.item[i]));
    json_close(b, ']');
    json_key(b, "shift");
    json_open(b, '{');
    json_kv_s(b, "state", shift_name(m->rep.shift));
    json_kv_int(b, "capacity", m->rep.capacity);
    json_kv_int(b, "load", m->rep.load);
    json_close(b, '}');
}

static bool is_resumed(const struct hello *h, const char *chat)
{
    for (unsigned i = 0; i < h->n; i++)
        if (h->cursor[i] >= 0 && strcmp(h->r[i].chat, chat) == 0)
            return true;
    return false;
}

static void write_chats(const struct hello *h, struct buf *b)
{
    struct app *a = h->cmd->app;
    struct conn *c = h->cmd->conn;

    json_key(b, "chats");
    json_open(b, '[');
    for (unsigned i = 0; i < h->chats_n; i++) {
        struct slot *s = slot_find(a, str_of(h->chat[i]));

        if (s && (is_mine(s, c) || is_resumed(h, h->chat[i])))
            notice_write_row(s, b);
    }
    for (unsigned i = 0; i < h->n; i++) {
        if (h->cursor[i] >= 0)
            continue;
        json_open(b, '{');
        json_kv_s(b, "chat", h->r[i].chat);
        json_kv_s(b, "error", "not_found");
        json_close(b, '}');
    }
    json_close(b, ']');
    json_key(b, "offers");
    json_open(b, '[');
    for (unsigned i = 0; i < h->chats_n; i++) {
        struct slot *s = slot_find(a, str_of(h->chat[i]));
        bool new, transfer;

        if (!s)
            continue;
        new = s->chat.state == CHAT_OFFERED && strcmp(s->chat.offered_to.id, c->person) == 0;
        transfer = s->chat.transfer_until_ms && strcmp(s->chat.transfer_to.id, c->person) == 0;
        if (new || transfer) {
            json_raw(b, STR(""));
            notice_write_offer(s, transfer, b);
        }
    }
    json_close(b, ']');
}

void staff_write_departments(const struct app *a, struct buf *b)
{
    json_open(b, '[');
    for (unsigned i = 0; i < a->departments_n; i++) {
        const struct config_department *d = a->departments[i].cfg;

        json_open(b, '{');
        json_kv_s(b, "name", d->name);
        json_kv_s(b, "title_en", d->title_en[0] ? d->title_en : d->name);
        json_kv_s(b, "title_zh", d->title_zh[0] ? d->title_zh : d->name);
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void write_settings(struct app *a, struct buf *b)
{
    json_key(b, "settings");
    json_open(b, '{');
    json_kv_int(b, "offer_ms", a->cfg->routing.offer_ms);
    json_kv_int(b, "transfer_ms", a->cfg->transfer.answer_ms);
    json_kv_int(b, "silent_ms", a->cfg->routing.silent_ms);
    json_kv_int(b, "threshold_permille", a->cfg->kb.threshold_permille);
    json_key(b, "departments");
    staff_write_departments(a, b);
    json_close(b, '}');
}

static void welcome(struct hello *h)
{
    struct cmd *cmd = h->cmd;
    struct conn *c = cmd->conn;
    struct app *a = cmd->app;
    struct member *m = people_find(a, str_of(c->person));
    struct buf b;

    buf_init(&b, 4 << 20);
    buf_add_s(&b, "{\"t\":\"welcome\"");
    json_kv_str(&b, "re", cmd->msg.id);
    json_kv_s(&b, "epoch", link_epoch(a->link));
    json_kv_int(&b, "now", app_now_ms(a));
    state_write_health(a, true, &b);
    notice_write_person(&b, "rep", m->rep.id, m->rep.name);
    write_roles(m->rep.roles, &b);
    write_self(a, m, &b);
    write_chats(h, &b);
    json_key(&b, "queues");
    match_write_queues(a, c, &b);
    json_key(&b, "people");
    people_write_list(a, &b);
    write_settings(a, &b);
    buf_add_c(&b, '}');
    answer_raw(c, buf_str(&b));
    buf_fini(&b);
    c->is_ready = true;
    people_join(a, c);
    for (unsigned i = 0; i < h->n; i++)
        if (h->cursor[i] >= 0)
            sub_pump(sub_add(c, slot_get(a, str_of(h->r[i].chat)), h->cursor[i]));
    for (unsigned i = 0; i < h->chats_n; i++) {
        struct slot *s = slot_find(a, str_of(h->chat[i]));

        if (s && is_mine(s, c))
            sub_add(c, s, s->chat.head);
    }
    cmd_finish(cmd);
    free(h);
}

static void on_chat_ready(struct slot *s, void *ctx)
{
    struct hello *h = ctx;

    for (unsigned i = 0; i < h->n; i++)
        if (strcmp(h->r[i].chat, s->chat.id) == 0)
            h->cursor[i] = !may_read(s, h->cmd->conn)      ? -1
                           : h->r[i].seq > s->chat.head ? s->chat.head
                                                        : h->r[i].seq;
    if (s->is_unread)
        h->failed = true;
    if (--h->left > 0)
        return;
    if (!h->failed && !h->cmd->conn->is_dead) {
        welcome(h);
        return;
    }
    answer_cmd_error(h->cmd, CODE_UNAVAILABLE, "your chats can't be read now", NULL);
    free(h);
}

static bool add_chat(struct hello *h, const char *id)
{
    for (unsigned i = 0; i < h->chats_n; i++)
        if (strcmp(h->chat[i], id) == 0)
            return false;
    if (h->chats_n == CHATS_MAX || id[0] != 'c')
        return false;
    memcpy(h->chat[h->chats_n++], id, ID_SIZE);
    return true;
}

/* Redis says which chats this rep holds; those in memory that are parked, proposed or owned come on top. */
static void on_holds(void *ctx, const struct redis_reply *r)
{
    struct hello *h = ctx;
    struct app *a = h->cmd->app;
    struct conn *c = h->cmd->conn;
    struct map_item *it;
    uint32_t k = 0;
    unsigned n;

    if (!r || redis_reply_type(r) != REDIS_LIST) {
        answer_cmd_error(h->cmd, CODE_UNAVAILABLE, "redis is away", NULL);
        free(h);
        return;
    }
    for (size_t i = 0; i < redis_reply_n(r); i++) {
        char id[ID_SIZE] = "";
        struct str s = redis_reply_str(redis_reply_at(r, i));

        if (s.n < ID_SIZE) {
            memcpy(id, s.s, s.n);
            add_chat(h, id);
        }
    }
    while ((it = map_next(&a->slots, &k))) {
        struct slot *s = it->value;

        if (s->is_loaded && (is_mine(s, c) || strcmp(s->chat.transfer_to.id, c->person) == 0))
            add_chat(h, s->chat.id);
    }
    n = h->chats_n;
    h->left = 1;
    for (unsigned i = 0; i < h->n; i++)
        h->cursor[i] = -1;
    for (unsigned i = 0; i < h->n; i++)
        add_chat(h, h->r[i].chat);
    h->left += h->chats_n;
    n = h->chats_n;
    for (unsigned i = 0; i < n; i++)
        slot_when_loaded(slot_get(a, str_of(h->chat[i])), on_chat_ready, h);
    if (--h->left == 0)
        welcome(h);
}

void staff_hello(struct cmd *cmd)
{
    struct conn *c = cmd->conn;
    struct member *m = people_find(cmd->app, str_of(c->person));
    struct hello *h;
    const char *argv[] = {"HKEYS"};

    if (c->is_ready) {
        answer_cmd_error(cmd, CODE_BAD_REQUEST, "hello was said already", NULL);
        return;
    }
    if (!m || !m->is_loaded) {
        answer_cmd_error(cmd, CODE_UNAVAILABLE, "the account is being read", NULL);
        return;
    }
    h = mem_zalloc(sizeof *h);
    h->cmd = cmd;
    if (cmd->msg.f[FIELD_RESUME].type == VAL_JSON)
        json_each_member(cmd->msg.f[FIELD_RESUME].s, on_resume, h);
    if (link_call(cmd->app->link, LINK_HOLDS, str_of(c->person), 1, argv, NULL, on_holds, h) < 0) {
        answer_cmd_error(cmd, CODE_UNAVAILABLE, "redis is away", NULL);
        free(h);
    }
}

void staff_open_for(struct conn *conn, struct slot *s, int64_t after, struct str re, bool card)
{
    struct sub *u = sub_find(conn, s);

    if (!u)
        u = sub_add(conn, s, after < s->chat.head ? after : s->chat.head);
    u->cursor = after < s->chat.head ? after : s->chat.head;
    if (u->cursor < 0)
        u->cursor = 0;
    u->stop = s->chat.head;
    u->sync_card = card;
    snprintf(u->sync_re, sizeof u->sync_re, "%.*s", STR_FMT(re));
    sub_pump(u);
}

/* Staff: hello, opening a chat. */
#include "app/app_resume.h"

#include <stdio.h>
#include <stdlib.h>

#define CHATS_MAX  2000
#define TASKS_BYTES (1 << 20)

struct hello {
    struct cmd *cmd;
    struct resumes resume;
    unsigned left;
    char (*chat)[ID_SIZE];
    unsigned chats_n, chats_cap;
    bool failed;
    unsigned lists_left; /* of chats, still to be read */
    struct buf tasks;    /* [{"task":…}, …] that are this person's to see */
};

static void hello_free(struct hello *h)
{
    buf_fini(&h->tasks);
    free(h->chat);
    free(h);
}

bool staff_may_read(struct slot *s, const struct conn *c)
{
    struct chat_rep me;

    people_fact(s->app, str_of(c->person), str_of(s->chat.department ? s->chat.department : ""), false, &me);
    return s->chat.head > 0 && (me.in_department || chat_has_reader(&s->chat, c->person) || (c->roles & (ROLE_QA | ROLE_DIRECTOR)));
}

static bool is_mine(const struct slot *s, const struct conn *c)
{
    const struct chat *chat = &s->chat;
    const struct member *me = people_find(s->app, str_of(c->person));

    if (chat->head == 0 || !chat_state_is_open(chat->state))
        return false;
    if (strcmp(chat->handler.id, c->person) == 0 || strcmp(chat->owner.id, c->person) == 0)
        return true;
    if (!chat->owner.id[0] && strcmp(chat->prefer.id, c->person) == 0)
        return true; /* a shopper of theirs came back to somebody else (rule 2.7) */
    if (strcmp(chat->consulted, c->person) == 0)
        return true; /* rule 2.3 */
    return me && (me->rep.roles & ROLE_LEAD) && people_is_in(&me->rep, str_of(chat->department)) && notice_is_orphan(s);
}

static void look_again(struct slot *s, void *ctx)
{
    (void)ctx;
    for (struct sub *u = s->subs, *next; u; u = next) {
        next = u->next_of_slot;
        if (!u->conn->is_staff || staff_may_read(s, u->conn) || is_mine(s, u->conn))
            continue;
        if (s->is_unread && s->chat.head == 0) /* nothing is known of it: whoever comes back is judged anew */
            net_close(u->conn->net, 1013, "the log can't be read now");
        else
            sub_deny(u);
    }
}

void staff_roles_changed(struct conn *c, unsigned roles)
{
    c->roles = roles;
    if (!(roles & msg_table[MSG_BOARD_WATCH].roles))
        c->watches_board = false;
    for (struct sub *u = c->subs, *next; u; u = next) {
        next = u->next_of_conn;
        slot_when_loaded(u->slot ? u->slot : slot_get(c->app, str_of(u->asleep->chat)), look_again, NULL);
    }
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
    if (m->rep.pause_why[0])
        json_kv_s(b, "why", m->rep.pause_why);
    json_close(b, '}');
}

static void write_chats(const struct hello *h, struct buf *b)
{
    struct app *a = h->cmd->app;
    struct conn *c = h->cmd->conn;

    json_key(b, "chats");
    json_open(b, '[');
    for (unsigned i = 0; i < h->chats_n; i++) {
        struct slot *s = slot_find(a, str_of(h->chat[i]));

        if (s && (is_mine(s, c) || resume_has_found(&h->resume, h->chat[i])))
            notice_write_row(s, c->person, b);
    }
    for (unsigned i = 0; i < h->resume.n; i++) {
        if (h->resume.r[i].cursor >= 0)
            continue;
        json_open(b, '{');
        json_kv_s(b, "chat", h->resume.r[i].chat);
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

static void write_alerts(const struct hello *h, const struct member *m, struct buf *b)
{
    json_key(b, "alerts");
    json_open(b, '[');
    for (unsigned i = 0; i < h->chats_n; i++) {
        struct slot *s = slot_find(h->cmd->app, str_of(h->chat[i]));

        if (s && s->chat.alert[0] && notice_is_for(h->cmd->app, &s->chat, m))
            notice_write_alert(&s->chat, NULL, b);
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
    json_kv_int(b, "offer_ms", a->rules.offer_ms);
    json_kv_int(b, "transfer_ms", a->rules.transfer_ms);
    json_kv_int(b, "silent_ms", a->rules.silent_ms);
    json_kv_int(b, "threshold_permille", a->cfg->kb.threshold_permille);
    json_key(b, "departments");
    staff_write_departments(a, b);
    json_close(b, '}');
}

static void add_chat(struct hello *h, const char *id, unsigned most)
{
    for (unsigned i = 0; i < h->chats_n; i++)
        if (strcmp(h->chat[i], id) == 0)
            return;
    if (h->chats_n >= most || id[0] != 'c')
        return;
    if (h->chats_n == h->chats_cap) {
        h->chats_cap = h->chats_cap ? h->chats_cap * 2 : 16;
        h->chat = mem_realloc(h->chat, h->chats_cap * sizeof *h->chat);
    }
    memcpy(h->chat[h->chats_n++], id, ID_SIZE);
}

/* Chats in memory that are parked, proposed or owned, or were just offered. */
static void add_known(struct hello *h)
{
    struct conn *c = h->cmd->conn;
    struct map_item *it;
    uint32_t k = 0;

    while ((it = map_next(&c->app->slots, &k))) {
        const struct slot *s = it->value;

        if (s->is_loaded && (is_mine(s, c) || strcmp(s->chat.transfer_to.id, c->person) == 0 || strcmp(s->chat.offered_to.id, c->person) == 0))
            add_chat(h, s->chat.id, CHATS_MAX);
    }
}

static void welcome(struct hello *h)
{
    struct cmd *cmd = h->cmd;
    struct conn *c = cmd->conn;
    struct app *a = cmd->app;
    struct member *m = people_find(a, str_of(c->person));
    struct buf b;

    add_known(h); /* what came to this person while chats were read was told to who was here by then */
    buf_init(&b, 16 << 20);
    buf_add_s(&b, "{\"t\":\"welcome\"");
    json_kv_str(&b, "re", cmd->msg.id);
    json_kv_s(&b, "epoch", link_epoch(a->link));
    json_kv_int(&b, "now", app_now_ms(a));
    state_write_health(a, true, &b);
    notice_write_person(&b, "rep", m->rep.id, m->rep.name);
    write_roles(m->rep.roles, &b);
    write_self(a, m, &b);
    write_chats(h, &b);
    write_alerts(h, m, &b);
    json_kv_raw(&b, "tasks", buf_str(&h->tasks));
    json_key(&b, "unled");
    match_write_unled(a, &b);
    json_key(&b, "queues");
    places_write_queues(a, &b);
    json_key(&b, "people");
    people_write_list(a, &b);
    write_settings(a, &b);
    buf_add_c(&b, '}');
    answer_raw(c, buf_str(&b));
    buf_fini(&b);
    c->is_ready = true;
    people_join(a, c);
    resume_go_on(&h->resume, c);
    for (unsigned i = 0; i < h->chats_n; i++) {
        struct slot *s = slot_find(a, str_of(h->chat[i]));

        if (s && is_mine(s, c))
            sub_add(c, s, s->chat.head);
    }
    cmd_finish(cmd);
    hello_free(h);
}

/* True if the account was closed since the upgrade, or its password changed: who had said hello by then was sent away. */
static bool turn_away(struct cmd *cmd, const struct member *m)
{
    struct conn *c = cmd->conn;
    const char *why = m->rep.disabled ? "the account is closed" : "the password was changed";

    if (!m->rep.disabled && app_secret_holds(m, c->password_version))
        return false;
    answer_error(c, cmd->msg.id, CODE_UNAUTHORIZED, why, 0, NULL);
    net_close(c->net, 1008, why);
    cmd_finish(cmd);
    return true;
}

/* All that was asked is known, or couldn't be read, or nobody is there any more to hear it. */
static void hello_end(struct hello *h)
{
    struct cmd *cmd = h->cmd;
    const struct member *m = people_find(cmd->app, str_of(cmd->conn->person));

    if (h->failed || cmd->conn->is_dead)
        answer_cmd_error(cmd, CODE_UNAVAILABLE, "your chats can't be read now", NULL);
    else if (cmd->conn->roles != m->rep.roles) /* what was found was judged by the old ones */
        answer_cmd_error(cmd, CODE_UNAVAILABLE, "your roles have changed just now", NULL);
    else if (!turn_away(cmd, m)) {
        welcome(h);
        return;
    }
    hello_free(h);
}

static void on_chat_ready(struct slot *s, void *ctx)
{
    struct hello *h = ctx;

    resume_found(&h->resume, s, staff_may_read(s, h->cmd->conn));
    if (s->is_unread)
        h->failed = true;
    if (--h->left == 0)
        hello_end(h);
}

/* All lists were read; what is in memory comes on top. */
static void read_chats(struct hello *h)
{
    struct app *a = h->cmd->app;
    unsigned n;

    add_known(h);
    h->left = 1;
    for (unsigned i = 0; i < h->resume.n; i++)
        add_chat(h, h->resume.r[i].chat, CHATS_MAX + RESUME_MAX);
    h->left += h->chats_n;
    n = h->chats_n;
    for (unsigned i = 0; i < n; i++)
        slot_when_loaded(slot_get(a, str_of(h->chat[i])), on_chat_ready, h);
    if (--h->left == 0)
        hello_end(h);
}

static void list_read(struct hello *h, bool ok)
{
    h->failed = h->failed || !ok;
    if (--h->lists_left > 0)
        return;
    if (h->failed || h->cmd->conn->is_dead)
        hello_end(h);
    else
        read_chats(h);
}

/* Chats of one list: what this rep holds, what somebody with a closed account held, what is under alert. */
static void on_list(void *ctx, const struct redis_reply *r)
{
    struct hello *h = ctx;
    bool ok = r && redis_reply_type(r) == REDIS_LIST;

    for (size_t i = 0; ok && i < redis_reply_n(r); i++) {
        char id[ID_SIZE] = "";
        struct str s = redis_reply_str(redis_reply_at(r, i));

        if (s.n < ID_SIZE) {
            memcpy(id, s.s, s.n);
            add_chat(h, id, CHATS_MAX);
        }
    }
    list_read(h, ok);
}

struct listed {
    int64_t at_ms;
    struct str line;
};

static void on_listed(void *ctx, struct str key, struct val v)
{
    struct listed *t = ctx;

    if (str_is(key, "at") && v.type == VAL_INT)
        t->at_ms = v.i;
}

static int by_age(const void *x, const void *y)
{
    const struct listed *a = x, *b = y;

    return (a->at_ms > b->at_ms) - (a->at_ms < b->at_ms);
}

/* As many as have room, who has waited longest first. */
static void write_tasks(struct listed *t, unsigned n, struct buf *b)
{
    unsigned i;

    qsort(t, n, sizeof *t, by_age);
    json_open(b, '[');
    for (i = 0; i < n && b->n + t[i].line.n < TASKS_BYTES - 2; i++)
        json_raw(b, t[i].line);
    json_close(b, ']');
    if (i < n)
        log_warn("app", "not all tasks have room in a welcome open=%u told=%u", n, i);
}

static void on_tasks(void *ctx, const struct redis_reply *r)
{
    struct hello *h = ctx;
    const struct member *m = people_find(h->cmd->app, str_of(h->cmd->conn->person));
    bool ok = r && redis_reply_type(r) == REDIS_LIST;
    struct listed *mine = mem_zalloc((ok ? redis_reply_n(r) + 1 : 1) * sizeof *mine);
    unsigned n = 0;

    for (size_t i = 0; ok && i < redis_reply_n(r); i++) {
        struct str task = redis_reply_str(redis_reply_at(r, i));

        tasks_listed(h->cmd->app, task);
        if (!task_is_for(task, m))
            continue;
        mine[n].line = task;
        json_each_member(task, on_listed, &mine[n++]);
    }
    write_tasks(mine, n, &h->tasks);
    free(mine);
    list_read(h, ok);
}

static void ask_list(struct hello *h, enum link_key key, const char *name, const char *what, void (*fn)(void *ctx, const struct redis_reply *r))
{
    const char *argv[] = {what};

    h->lists_left++;
    if (link_call(h->cmd->app->link, key, str_of(name), 1, argv, NULL, fn, h) < 0)
        list_read(h, false);
}

/* A lead also sees the cases of those whose account was closed (rule 2.9), and who may act on alerts those that stand. */
static void ask_lists(struct hello *h, const struct member *m)
{
    struct map_item *it;
    uint32_t i = 0;

    h->lists_left = 1;
    ask_list(h, LINK_HOLDS, m->rep.id, "HKEYS", on_list);
    ask_list(h, LINK_TASKS, "", "HVALS", on_tasks);
    if (m->rep.roles & (ROLE_LEAD | ROLE_DIRECTOR | ROLE_ADMIN))
        ask_list(h, LINK_ALERTS, "", "HVALS", on_list);
    while ((m->rep.roles & ROLE_LEAD) && (it = map_next(&h->cmd->app->members, &i))) {
        const struct member *x = it->value;

        for (unsigned k = 0; x->is_loaded && x->rep.disabled && k < x->rep.departments.n; k++)
            if (people_is_in(&m->rep, str_of(x->rep.departments.item[k]))) {
                ask_list(h, LINK_HOLDS, x->rep.id, "HKEYS", on_list);
                break;
            }
    }
    list_read(h, true);
}

void staff_hello(struct cmd *cmd)
{
    struct conn *c = cmd->conn;
    struct member *m = people_find(cmd->app, str_of(c->person));
    struct hello *h;

    if (c->is_ready) {
        answer_cmd_error(cmd, CODE_BAD_REQUEST, "hello was said already", NULL);
        return;
    }
    if (!m || !m->is_loaded) {
        answer_cmd_error(cmd, CODE_UNAVAILABLE, "the account is being read", NULL);
        return;
    }
    if (turn_away(cmd, m))
        return;
    c->roles = m->rep.roles; /* they may have changed since the upgrade */
    h = mem_zalloc(sizeof *h);
    h->cmd = cmd;
    resume_read(&h->resume, &cmd->msg);
    buf_init(&h->tasks, TASKS_BYTES);
    ask_lists(h, m);
}

/* Commands of connections: one row a type says who carries it out. */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

static struct str field(const struct cmd *c, enum field f)
{
    return c->msg.f[f].type == VAL_STR ? c->msg.f[f].s : STR_NONE;
}

/* The chat a command is about: named, or the shopper's open one (for what comes behind its end: the last). */
static struct str chat_of(const struct cmd *c)
{
    struct str chat = field(c, FIELD_CHAT);

    if (chat.s || c->conn->is_staff)
        return chat;
    if (c->conn->open[0])
        return str_of(c->conn->open);
    return c->conn->last[0] ? str_of(c->conn->last) : STR_NONE;
}

static struct str chat_of_alert(struct app *a, struct str alert)
{
    struct map_item *it;
    uint32_t i = 0;

    while ((it = map_next(&a->slots, &i))) {
        struct slot *s = it->value;

        if (s->chat.alert[0] && str_is(alert, s->chat.alert))
            return str_of(s->chat.id);
    }
    return STR_NONE;
}

struct refusal_ask {
    struct cmd *cmd;
    enum code code;
    const char *text;
    int64_t retry_ms;
    void (*go_on)(struct cmd *c);
};

static void on_id_looked_up(void *ctx, const struct link_result *r)
{
    struct refusal_ask q = *(struct refusal_ask *)ctx;

    free(ctx);
    if (r && r->status == LINK_SEEN) {
        q.go_on(q.cmd);
    } else if (r) {
        answer_cmd_error(q.cmd, CODE_UNAVAILABLE, "redis gave no answer", NULL);
    } else {
        answer_error(q.cmd->conn, q.cmd->msg.id, q.code, q.text, q.retry_ms, NULL);
        cmd_finish(q.cmd);
    }
}

void command_refuse(struct cmd *c, enum code code, const char *text, int64_t retry_ms, void (*go_on)(struct cmd *c))
{
    struct refusal_ask *q = mem_zalloc(sizeof *q);

    *q = (struct refusal_ask){c, code, text, retry_ms, go_on};
    if (link_find_id(c->app->link, STR(""), str_of(c->conn->person), c->msg.id, true, c->msg.digest, on_id_looked_up, q) == 0)
        return;
    free(q);
    answer_cmd_error(c, CODE_UNAVAILABLE, "redis is away", NULL);
}

static void push_to(struct cmd *c, struct str chat)
{
    struct slot *s;

    if (!chat.n) {
        if (!c->conn->is_staff)
            answer_cmd_error(c, CODE_NOT_FOUND, "no such chat", NULL);
        else
            answer_cmd_error(c, CODE_BAD_REQUEST, "chat: is missing", NULL);
        return;
    }
    if (chat.n >= ID_SIZE || chat.s[0] != 'c') {
        answer_cmd_error(c, CODE_NOT_FOUND, "no such chat", NULL);
        return;
    }
    s = slot_get(c->app, chat);
    if (c->conn->flight_n == c->conn->aside_n + 1 && c->msg.type == MSG_MESSAGE_SEND)
        c->conn->flight_slot = s;
    slot_push(s, c);
}

static void to_chat(struct cmd *c)
{
    if (field(c, FIELD_ATTACHMENT).n) /* nothing can be uploaded yet, so there is none */
        answer_cmd_error(c, CODE_NOT_FOUND, "no such attachment", NULL);
    else
        push_to(c, chat_of(c));
}

static void act_on(struct cmd *c, struct str chat)
{
    if (str_is(field(c, FIELD_ACTION), "call_back"))
        task_find(c, chat, push_to);
    else
        push_to(c, chat);
}

/* The alert is over: by this command, whose answer was lost, or by something else. */
static void on_act_known(void *ctx, const struct link_result *r)
{
    struct cmd *c = ctx;
    char extra[80];

    if (!r) {
        answer_cmd_error(c, CODE_NOT_FOUND, "no such alert", NULL);
    } else if (r->status != LINK_SEEN) {
        answer_cmd_error(c, CODE_UNAVAILABLE, "redis gave no answer", NULL);
    } else if (!r->same) {
        answer_cmd_error(c, CODE_CONFLICT, "this id was used for something else", NULL);
    } else {
        snprintf(extra, sizeof extra, ",\"seq\":%lld,\"at\":%lld", (long long)r->seq, (long long)r->at_ms);
        answer_cmd_ok(c, extra);
    }
}

static void on_alert_known(void *ctx, const struct redis_reply *r)
{
    struct cmd *c = ctx;

    if (!r || redis_reply_type(r) == REDIS_ERR)
        answer_cmd_error(c, CODE_UNAVAILABLE, "redis is away", NULL);
    else if (redis_reply_type(r) == REDIS_STR)
        act_on(c, redis_reply_str(r));
    else if (link_find_id(c->app->link, STR(""), str_of(c->conn->person), c->msg.id, true, c->msg.digest, on_act_known, c) < 0)
        answer_cmd_error(c, CODE_UNAVAILABLE, "redis is away", NULL);
}

/* The alert's chat: in memory, or as the index says (it was raised on another node, or before a restart). */
static void to_alert(struct cmd *c)
{
    struct str alert = field(c, FIELD_ALERT), chat = chat_of_alert(c->app, alert);
    char name[ID_MAX + 1];
    const char *argv[] = {"HGET", name};

    snprintf(name, sizeof name, "%.*s", STR_FMT(alert));
    if (chat.n)
        act_on(c, chat);
    else if (link_call(c->app->link, LINK_ALERTS, STR(""), 2, argv, NULL, on_alert_known, c) < 0)
        answer_cmd_error(c, CODE_UNAVAILABLE, "redis is away", NULL);
}

static void refuse_by_rate(struct cmd *c, const char *text)
{
    answer_error(c->conn, c->msg.id, CODE_RATE_LIMITED, text, 1000, NULL);
    cmd_finish(c);
}

static void on_sync_loaded(struct slot *s, void *ctx)
{
    struct cmd *c = ctx;
    struct conn *conn = c->conn;
    bool may;

    if (s->is_unread) {
        answer_cmd_error(c, CODE_UNAVAILABLE, "the chat can't be read now", NULL);
        return;
    }
    may = conn->is_staff ? staff_may_read(s, conn) : strcmp(conn->person, s->chat.shopper.id) == 0;
    if (s->chat.head == 0 || !may) {
        answer_cmd_error(c, CODE_NOT_FOUND, "no such chat", NULL);
        return;
    }
    if (conn->is_dead || sub_sync(sub_add(conn, s, s->chat.head), c->msg.f[FIELD_AFTER].type == VAL_INT ? c->msg.f[FIELD_AFTER].i : 0, c->msg.id,
                                  c->msg.type == MSG_CHAT_OPEN))
        cmd_finish(c);
    else
        refuse_by_rate(c, "too many of this chat at once: what the first ones asked for is still being sent");
}

static void to_sync(struct cmd *c)
{
    struct str chat = chat_of(c);

    if (!chat.n || chat.n >= ID_SIZE || chat.s[0] != 'c') {
        answer_cmd_error(c, CODE_NOT_FOUND, "no such chat", NULL);
        return;
    }
    slot_when_loaded(slot_get(c->app, chat), on_sync_loaded, c);
}

static void to_board(struct cmd *c)
{
    c->conn->watches_board = c->msg.f[FIELD_ON].b;
    if (c->conn->watches_board && link_is_up(c->app->link))
        board_look(c->app);
    match_all_dirty(c->app);
    answer_cmd_ok(c, NULL);
}

static void to_hello(struct cmd *c)
{
    if (c->conn->is_staff)
        staff_hello(c);
    else
        shopper_hello(c);
}

static void (*const rows[MSG_N])(struct cmd *c) = {
    [MSG_HELLO] = to_hello,
    [MSG_SYNC] = to_sync,
    [MSG_CHAT_OPEN] = to_sync,
    [MSG_CHAT_START] = shopper_start,
    [MSG_SHIFT_START] = people_shift,
    [MSG_SHIFT_PAUSE] = people_shift,
    [MSG_SHIFT_END] = people_shift,
    [MSG_KB_SEARCH] = kb_command,
    [MSG_KB_HELPED] = kb_command,
    [MSG_KB_SUGGEST] = kb_command,
    [MSG_KB_FEEDBACK] = kb_command,
    [MSG_MESSAGE_LEAVE] = task_command,
    [MSG_CALLBACK_ASK] = task_command,
    [MSG_TASK_DONE] = task_command,
    [MSG_BOARD_WATCH] = to_board,
    [MSG_HISTORY] = history_command,
    [MSG_ALERT_ACT] = to_alert,
};

/*
 * Refused at the door, to be repeated: nothing that this connection sends into that chat may overtake it (PROMISES 2.2). A chat that was to
 * begin is none yet.
 */
static void refuse_for_now(struct cmd *c, const char *text, int64_t retry_ms)
{
    struct str chat = chat_of(c);

    if (chat_decides(c->msg.type) && c->msg.type != MSG_CHAT_START && chat.n && chat.n < ID_SIZE)
        conn_set_stuck(c->conn, chat, c->msg.id);
    answer_error(c->conn, c->msg.id, CODE_UNAVAILABLE, text, retry_ms, NULL);
    cmd_finish(c);
}

void command_start(struct conn *conn, struct cmd *c)
{
    enum msg_type t = c->msg.type;

    conn_repeats(conn, c->msg.id);
    if (!conn->is_ready && t != MSG_HELLO) {
        answer_cmd_error(c, CODE_BAD_REQUEST, "hello comes first", NULL);
        return;
    }
    if (conn->app->chats == CHATS_STOPPED && conn->app->is_up && c->msg.row->durable) {
        refuse_for_now(c, "nothing can be kept safely now: try again in a while", 10000);
        return;
    }
    if (repair_is_under_way(conn->app) && c->msg.row->durable) {
        refuse_for_now(c, "another life of the data has begun: repeat the same id", 1000);
        return;
    }
    if (rows[t])
        rows[t](c);
    else if (chat_decides(t))
        to_chat(c);
    else
        answer_cmd_error(c, CODE_BAD_REQUEST, "this server does not carry it out", NULL);
}

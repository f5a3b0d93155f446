#include "app/app_room.h"

#include <stdio.h>

void answer_raw(struct conn *c, struct str payload)
{
    struct frame *f;

    if (c->is_dead)
        return;
    f = frame_create(payload);
    net_send_answer(c->net, f);
    frame_unref(f);
}

void signal_raw(struct conn *c, uint64_t key, struct str payload)
{
    struct frame *f;

    if (c->is_dead)
        return;
    f = frame_create(payload);
    net_send_signal(c->net, key, f);
    frame_unref(f);
}

void signal_staff(struct app *a, uint64_t key, struct str payload)
{
    struct frame *f = frame_create(payload);

    for (struct conn *c = a->conns; c && c->is_staff; c = c->next_all)
        if (c->is_ready && !c->is_dead)
            net_send_signal(c->net, key, f);
    frame_unref(f);
}

void answer_write_place(struct buf *b, int64_t seq, int64_t at_ms)
{
    buf_add_s(b, ",\"seq\":");
    buf_add_i64(b, seq);
    buf_add_s(b, ",\"at\":");
    buf_add_i64(b, at_ms);
}

void answer_ok(struct conn *c, struct str re, const char *extra)
{
    char room[512];
    struct buf b;

    buf_lend(&b, 1 << 20, room, sizeof room);
    buf_add_s(&b, "{\"t\":\"ok\",\"re\":");
    json_text(&b, re);
    if (extra)
        buf_add_s(&b, extra);
    buf_add_c(&b, '}');
    answer_raw(c, buf_str(&b));
    buf_fini(&b);
}

void answer_error(struct conn *c, struct str re, enum code code, const char *text, int64_t retry_ms, const char *extra)
{
    struct buf b;

    c->app->refusals++;
    buf_init(&b, 1 << 16);
    buf_add_s(&b, "{\"t\":\"error\",\"re\":");
    if (re.s && re.n)
        json_text(&b, re);
    else
        json_nil(&b);
    json_kv_s(&b, "code", code_name(code));
    json_kv_s(&b, "message", text && text[0] ? text : code_name(code));
    if (retry_ms > 0)
        json_kv_int(&b, "retry_ms", retry_ms);
    if (extra)
        buf_add_s(&b, extra);
    buf_add_c(&b, '}');
    answer_raw(c, buf_str(&b));
    buf_fini(&b);
}

void answer_cmd_ok(struct cmd *c, const char *extra)
{
    if (c->conn)
        answer_ok(c->conn, c->msg.id, extra);
    cmd_finish(c);
}

void answer_cmd_error(struct cmd *c, enum code code, const char *text, const char *extra)
{
    /*
     * Nothing may overtake what has to be repeated (PROMISES 2.2), also of a connection that has ended meanwhile. A chat that was to begin has
     * nothing that could, and its repeat comes into another.
     */
    if (c->conn && code == CODE_UNAVAILABLE && c->slot && c->msg.row->durable && c->msg.type != MSG_CHAT_START)
        conn_set_stuck(c->conn, str_of(c->slot->chat.id), c->msg.id);
    if (c->conn)
        answer_error(c->conn, c->msg.id, code, text, code == CODE_UNAVAILABLE ? 1000 : 0, extra);
    cmd_finish(c);
}

void answer_cmd_refusal(struct cmd *c, const struct chat *chat, enum code code, const char *text)
{
    struct buf b;

    if (!c->conn) {
        cmd_finish(c);
        return;
    }
    buf_init(&b, 4096);
    if (code == CODE_NOT_HANDLER) {
        buf_add_s(&b, ",\"handler\":");
        if (chat && chat->handler.id[0]) {
            buf_add_c(&b, '{');
            json_kv_s(&b, "id", chat->handler.id);
            json_kv_s(&b, "name", chat->handler.name ? chat->handler.name : "");
            buf_add_c(&b, '}');
        } else {
            buf_add_s(&b, "null");
        }
    }
    if (chat && chat->state != CHAT_NONE && (code == CODE_CONFLICT || code == CODE_CLOSED)) {
        buf_add_s(&b, ",\"state\":");
        json_text(&b, str_of(chat_state_name(chat->state)));
        buf_add_s(&b, ",\"chat\":");
        json_text(&b, str_of(chat->id));
        if (chat->handler.id[0] && c->conn->is_staff) {
            buf_add_s(&b, ",\"handler\":{");
            json_kv_s(&b, "id", chat->handler.id);
            json_kv_s(&b, "name", chat->handler.name ? chat->handler.name : "");
            buf_add_c(&b, '}');
        }
    }
    answer_cmd_error(c, code, text, b.n ? b.p : NULL);
    buf_fini(&b);
}

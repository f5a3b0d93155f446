/* Typing signs and read marks: no answer, merged, told to the others of the chat, on all nodes. */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

/* One that a shopper isn't told: of a note, or of who doesn't write to them. */
static bool is_for_staff(const struct slot *s, struct str json)
{
    char handler[ID_SIZE + 32];
    int n = snprintf(handler, sizeof handler, "\"role\":\"rep\",\"id\":\"%s\"", s->chat.handler.id);

    if (memmem(json.s, json.n, "\"mode\":\"note\"", 13))
        return true;
    return memmem(json.s, json.n, "\"role\":\"rep\"", 12) && !memmem(json.s, json.n, handler, (size_t)n);
}

/*
 * How far they have read, with this mark: the shopper and the handler never less than they said before (PROMISES 2.6), in whatever tab and
 * on whatever node; and what the handler has seen isn't new to them after a reload either.
 */
static int64_t read_up_to(struct slot *s, bool is_staff, struct str person, int64_t seq)
{
    int64_t *read = is_staff ? &s->read : &s->shopper_read;

    if (is_staff && !str_is(person, s->chat.handler.id))
        return seq;
    if (is_staff && !str_is(person, s->reader)) {
        str_keep(person, s->reader, sizeof s->reader);
        *read = 0;
    }
    *read = seq > *read ? seq : *read;
    return *read;
}

/* Whose it is: their id; what is no such sign: all of it. */
static struct str sender_of(struct str json)
{
    const char *id = memmem(json.s, json.n, "\"id\":\"", 6);
    const char *end = id ? memchr(id + 6, '"', json.n - (size_t)(id + 6 - json.s)) : NULL;

    return end ? (struct str){id + 6, (size_t)(end - id - 6)} : (struct str){json.s, json.n};
}

/* Under which it is merged: its kind, chat and sender, which stand in front. */
static uint64_t key_of(struct str json)
{
    struct str from = sender_of(json);

    return crypto_short_hash(json.s, (size_t)(from.s + from.n - json.s));
}

void signal_command(struct conn *c, const struct msg *m)
{
    struct str chat = m->f[FIELD_CHAT].type == VAL_STR ? m->f[FIELD_CHAT].s : str_of(c->open);
    struct slot *s = chat.n ? slot_find(c->app, chat) : NULL;
    const struct config_site *site = config_site_find(c->app->cfg, str_of(c->app->site));
    struct buf b;

    if (!s || !sub_find(c, s))
        return;
    buf_init(&b, 16384);
    buf_printf(&b, "{\"t\":\"%s\",\"chat\":\"%s\",\"from\":{", m->type == MSG_TYPING ? "typing" : "receipt", s->chat.id);
    json_kv_s(&b, "role", c->is_staff ? "rep" : "shopper");
    json_kv_s(&b, "id", c->person);
    if (c->name[0])
        json_kv_s(&b, "name", c->name);
    buf_add_c(&b, '}');
    if (m->type == MSG_TYPING) {
        json_kv_bool(&b, "on", m->f[FIELD_ON].b);
        if (m->f[FIELD_PREVIEW].type == VAL_STR && site && site->preview && !c->is_staff)
            json_kv_str(&b, "preview", m->f[FIELD_PREVIEW].s);
        if (c->is_staff && m->f[FIELD_MODE].type == VAL_STR)
            json_kv_str(&b, "mode", m->f[FIELD_MODE].s);
    } else {
        int64_t read = m->f[FIELD_SEQ].i < s->chat.head ? m->f[FIELD_SEQ].i : s->chat.head;

        json_kv_int(&b, "read", read_up_to(s, c->is_staff, str_of(c->person), read));
    }
    buf_add_c(&b, '}');
    if (buf_ok(&b)) {
        bool only_staff = is_for_staff(s, buf_str(&b));
        uint64_t key = key_of(buf_str(&b));

        for (struct sub *u = s->subs; u; u = u->next_of_slot)
            if (strcmp(u->conn->person, c->person) != 0 && (u->conn->is_staff || !only_staff))
                signal_raw(u->conn, key, buf_str(&b));
        link_signal(c->app->link, buf_str(&b));
        if (m->type == MSG_TYPING && m->f[FIELD_PREVIEW].type == VAL_STR && site && site->preview && !c->is_staff)
            kb_for_preview(s, m->f[FIELD_PREVIEW].s);
    }
    buf_fini(&b);
}

static void on_typed(void *ctx, struct str key, struct val v)
{
    if (str_is(key, "preview") && v.type == VAL_STR)
        kb_for_preview(ctx, v.s);
}

/* A read mark of another node's: one that says less than was said here already is none. */
static bool is_behind(struct slot *s, struct str json, struct str sender)
{
    const char *read = memmem(json.s, json.n, "\"read\":", 7);
    bool is_staff = memmem(json.s, json.n, "\"role\":\"rep\"", 12) != NULL;
    int64_t seq = read ? strtoll(read + 7, NULL, 10) : 0;

    return read && read_up_to(s, is_staff, sender, seq) > seq;
}

void signal_pass_on(struct app *a, struct str json)
{
    const char *p = memmem(json.s, json.n, "\"chat\":\"", 8), *q = p ? memchr(p + 8, '"', json.n - (size_t)(p + 8 - json.s)) : NULL;
    struct slot *s = q ? slot_find(a, (struct str){p + 8, (size_t)(q - p - 8)}) : NULL;
    bool only_staff = s && is_for_staff(s, json);
    struct str sender = sender_of(json);
    uint64_t key = key_of(json);

    if (s && is_behind(s, json, sender))
        return;
    for (struct sub *u = s ? s->subs : NULL; u; u = u->next_of_slot)
        if (!str_is(sender, u->conn->person) && (u->conn->is_staff || !only_staff))
            signal_raw(u->conn, key, json);
    if (s && memmem(json.s, json.n, "\"preview\":\"", 11))
        json_read_object(json, &a->limits, on_typed, s, NULL);
}

/* Cursors: a connection is always sent "cursor → head" of each chat it watches; live is cursor = head. */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

#define READ_ENTRIES 200 /* older entries asked of Redis at a time */

struct sub *sub_find(struct conn *c, struct slot *s)
{
    for (struct sub *u = c->subs; u; u = u->next_of_conn)
        if (u->slot == s)
            return u;
    return NULL;
}

struct sub *sub_add(struct conn *c, struct slot *s, int64_t cursor)
{
    struct sub *u = sub_find(c, s);

    if (u)
        return u;
    u = mem_zalloc(sizeof *u);
    u->conn = c;
    u->slot = s;
    u->cursor = cursor;
    u->next_of_conn = c->subs;
    c->subs = u;
    u->next_of_slot = s->subs;
    s->subs = u;
    return u;
}

static void unlink_sub(struct sub **head, struct sub *u, bool of_slot)
{
    while (*head && *head != u)
        head = of_slot ? &(*head)->next_of_slot : &(*head)->next_of_conn;
    if (*head)
        *head = of_slot ? u->next_of_slot : u->next_of_conn;
}

static void drop_first_sync(struct sub *u)
{
    struct sync *y = u->syncs;

    u->syncs = y->next;
    free(y);
}

static void sub_free(struct sub *u)
{
    while (u->syncs)
        drop_first_sync(u);
    for (unsigned i = 0; i < u->answers_n; i++)
        free(u->answers[i].extra);
    free(u->answers);
    free(u);
}

void sub_drop(struct sub *u)
{
    unlink_sub(&u->conn->subs, u, false);
    if (u->asleep)
        sleep_leave(u);
    else
        unlink_sub(&u->slot->subs, u, true);
    if (u->is_reading) {
        u->conn = NULL; /* the read's callback frees it */
        u->slot = NULL;
        return;
    }
    sub_free(u);
}

void sub_drop_all(struct conn *c)
{
    while (c->subs)
        sub_drop(c->subs);
}

void item_fini(struct item *it)
{
    free(it->frame);
    free(it->shopper_tail);
    frame_unref(it->staff);
    frame_unref(it->shopper);
    memset(it, 0, sizeof *it);
}

/* The frame with `prev` in front of the tail: what this audience was shown before it. */
static struct frame *frame_with_prev(const struct item *it, int64_t prev, const char *tail)
{
    char room[1024];
    struct buf b;
    struct frame *f;

    /* {"t":"event","chat":…,"seq":…,"at":… , then prev, then the tail */
    buf_lend(&b, 1 << 20, room, sizeof room);
    buf_reserve(&b, it->frame_n + 64);
    buf_add(&b, it->frame, it->tail_at);
    buf_add_s(&b, "\"prev\":");
    buf_add_i64(&b, prev);
    buf_add_c(&b, ',');
    if (tail)
        buf_add_s(&b, tail);
    else
        buf_add(&b, it->frame + it->tail_at, it->frame_n - it->tail_at);
    f = frame_create(buf_str(&b));
    buf_fini(&b);
    return f;
}

/* The frame with `ref` before its closing brace: only for the same person's other connections. */
static struct frame *with_ref(const struct frame *plain, const char *ref)
{
    struct str p = frame_payload(plain);
    char room[1024];
    struct buf b;
    struct frame *f;

    buf_lend(&b, 1 << 20, room, sizeof room);
    buf_add(&b, p.s, p.n - 1);
    json_kv_s(&b, "ref", ref);
    buf_add_c(&b, '}');
    f = frame_create(buf_str(&b));
    buf_fini(&b);
    return f;
}

static struct frame *frame_for(struct item *it, const struct conn *c)
{
    struct frame **shared = c->is_staff ? &it->staff : &it->shopper;

    if (!*shared && c->is_staff)
        *shared = it->before >= 0 ? frame_with_prev(it, it->before, NULL) : frame_create((struct str){it->frame, it->frame_n});
    else if (!*shared)
        *shared = frame_with_prev(it, it->prev, it->shopper_tail);
    if (it->ref[0] && strcmp(it->person, c->person) == 0)
        return with_ref(*shared, it->ref);
    return frame_ref(*shared);
}

static void send_answer(struct sub *u, struct answer *a)
{
    char room[128];
    struct buf b;

    buf_lend(&b, 1 << 16, room, sizeof room);
    if (a->extra)
        buf_add_s(&b, a->extra);
    answer_write_place(&b, a->seq, a->at_ms);
    if (!u->conn->is_staff)
        json_kv_int(&b, "prev", a->prev);
    answer_ok(u->conn, str_of(a->re), b.p);
    buf_fini(&b);
    free(a->extra);
    a->extra = NULL;
}

/* The connection's own command at this seq is answered in place of the event, as often as it was sent. */
static bool answer_at(struct sub *u, int64_t seq)
{
    bool any = false;

    for (unsigned i = 0; i < u->answers_n;) {
        struct answer a = u->answers[i];

        if (a.seq != seq) {
            i++;
            continue;
        }
        u->answers[i] = u->answers[--u->answers_n];
        send_answer(u, &a);
        any = true;
    }
    return any;
}

void sub_answer(struct sub *u, const struct answer *a)
{
    if (a->seq <= u->cursor) { /* its place has gone by: a repeat of what was answered before */
        struct answer copy = *a;

        send_answer(u, &copy);
        return;
    }
    if (u->answers_n == u->answers_cap) {
        u->answers_cap = u->answers_cap ? u->answers_cap * 2 : 4;
        u->answers = mem_realloc(u->answers, u->answers_cap * sizeof *u->answers);
    }
    u->answers[u->answers_n++] = *a;
}

void sub_deny(struct sub *u)
{
    char extra[ID_SIZE + 16];

    snprintf(extra, sizeof extra, ",\"chat\":\"%s\"", u->slot->chat.id);
    for (unsigned i = 0; i < u->answers_n; i++)
        send_answer(u, &u->answers[i]);
    if (!u->syncs)
        answer_error(u->conn, STR_NONE, CODE_NOT_FOUND, "no such chat", 0, extra);
    for (; u->syncs; drop_first_sync(u))
        answer_error(u->conn, str_of(u->syncs->re), CODE_NOT_FOUND, "no such chat", 0, extra);
    sub_drop(u);
}

/* Sends one entry; false if the outbox is full. */
static bool send_item(struct sub *u, struct item *it)
{
    struct frame *f;
    int rc;

    if (answer_at(u, it->seq))
        return true;
    if (!u->conn->is_staff && !it->shown)
        return true;
    f = frame_for(it, u->conn);
    rc = net_send_event(u->conn->net, f);
    frame_unref(f);
    return rc == 0;
}

static void reached_head(struct sub *u)
{
    while (u->syncs && u->cursor >= u->stop) {
        struct buf b;

        buf_init(&b, 1 << 18);
        if (u->syncs->card) {
            buf_add_s(&b, ",\"card\":");
            notice_write_card(u->slot, &b);
        }
        buf_printf(&b, ",\"chat\":\"%s\",\"seq\":%lld", u->slot->chat.id, (long long)u->cursor);
        answer_ok(u->conn, str_of(u->syncs->re), b.p);
        buf_fini(&b);
        drop_first_sync(u);
    }
}

/* One that overlaps with another starts over from the earlier of both places: what was sent twice is known by its seq, what was left out isn't. */
bool sub_sync(struct sub *u, int64_t after, struct str re, bool card)
{
    struct sync **at = &u->syncs;
    unsigned n = 0;

    for (; *at; at = &(*at)->next)
        n++;
    if (n == SUB_SYNCS_MAX)
        return false;
    *at = mem_zalloc(sizeof **at);
    str_keep(re, (*at)->re, sizeof (*at)->re);
    (*at)->card = card;
    if (after < u->cursor)
        u->cursor = after > 0 ? after : 0;
    u->stop = u->slot->chat.head;
    sub_pump(u);
    return true;
}

static void send_older(struct sub *u, const struct redis_reply *list)
{
    for (size_t i = 1; !u->is_full && i < redis_reply_n(list); i++) { /* the first is a place */
        struct item it = {0};

        if (item_read(&it, redis_reply_str(redis_reply_at(list, i)), NULL) && it.seq > u->cursor) {
            u->is_full = !send_item(u, &it);
            if (!u->is_full)
                u->cursor = it.seq;
        }
        item_fini(&it);
    }
}

static void on_older(void *ctx, const struct redis_reply *list)
{
    struct sub *u = ctx;

    u->is_reading = false;
    if (!u->conn) {
        sub_free(u);
        return;
    }
    if (!list || redis_reply_type(list) != REDIS_LIST || redis_reply_n(list) < 2) {
        /* Redis is away or the log is gone: the connection resumes by itself after the reconnect that this makes */
        net_close(u->conn->net, 1013, "the log can't be read now");
        return;
    }
    if (u->cursor == u->read_at) /* else a sync began further up meanwhile */
        send_older(u, list);
    sub_pump(u);
}

void sub_pump(struct sub *u)
{
    struct slot *s = u->slot;

    if (u->is_reading || u->is_full || u->conn->is_dead)
        return;
    while (u->cursor < s->chat.head) {
        struct item *it = slot_item(s, u->cursor + 1);

        if (!it) {
            u->read_at = u->cursor;
            u->is_reading = link_read_after(s->app->link, str_of(s->chat.id), u->cursor, READ_ENTRIES, on_older, u) == 0;
            return; /* not up: the next refresh pumps again */
        }
        if (!send_item(u, it)) {
            u->is_full = true;
            return;
        }
        u->cursor = it->seq;
    }
    reached_head(u);
}

void slot_fan_out(struct slot *s)
{
    for (struct sub *u = s->subs, *next; u; u = next) {
        next = u->next_of_slot;
        sub_pump(u);
    }
    for (unsigned i = s->ring_n; i-- > 0;) { /* shared frames were for this turn */
        struct item *it = &s->ring[i];

        if (!it->staff && !it->shopper)
            break;
        frame_unref(it->staff);
        frame_unref(it->shopper);
        it->staff = it->shopper = NULL;
    }
}

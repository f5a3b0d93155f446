/* The live board for leads who watch it: queues, people with their loads, open chats and alerts of their departments. */
#include "app/app_room.h"

#define CHATS_MAX 200
#define CHATS_TEXT "199"   /* the last of them in a queue */
#define LOOK_TICKS 5       /* boards; between two looks for chats that are not in memory */

static bool is_of(const struct member *m, const char *department)
{
    return (m->rep.roles & ROLE_DIRECTOR) || people_is_in(&m->rep, str_of(department ? department : ""));
}

static void write_people(struct app *a, struct buf *b)
{
    struct map_item *it;
    uint32_t i = 0;

    json_key(b, "people");
    json_open(b, '[');
    while ((it = map_next(&a->members, &i))) {
        const struct member *m = it->value;

        if (!m->is_loaded || m->rep.disabled || !(m->rep.roles & (ROLE_REP | ROLE_LEAD)))
            continue;
        json_open(b, '{');
        json_kv_s(b, "id", m->rep.id);
        json_kv_s(b, "name", m->rep.name);
        json_key(b, "departments");
        json_open(b, '[');
        for (unsigned k = 0; k < m->rep.departments.n; k++)
            json_text(b, str_of(m->rep.departments.item[k]));
        json_close(b, ']');
        json_kv_s(b, "state", people_state(m));
        json_kv_int(b, "load", m->rep.load);
        json_kv_int(b, "capacity", m->rep.capacity);
        json_close(b, '}');
    }
    json_close(b, ']');
}

static void write_chats(struct app *a, const struct member *lead, struct buf *b)
{
    struct map_item *it;
    uint32_t i = 0;
    unsigned n = 0;

    json_key(b, "chats");
    json_open(b, '[');
    while (n < CHATS_MAX && (it = map_next(&a->slots, &i))) {
        struct slot *s = it->value;

        if (!s->is_loaded || !chat_state_is_open(s->chat.state) || !is_of(lead, s->chat.department))
            continue;
        notice_write_row(s, lead->rep.id, b);
        s->used_at_ms = (int64_t)uv_now(a->loop); /* somebody sees it: it stays in memory */
        n++;
    }
    json_close(b, ']');
    json_key(b, "alerts");
    json_open(b, '[');
    for (i = 0; (it = map_next(&a->slots, &i));) {
        struct slot *s = it->value;

        if (s->is_loaded && s->chat.alert[0] && (is_of(lead, s->chat.department) || notice_is_for(a, &s->chat, lead)))
            notice_write_alert(&s->chat, NULL, b);
    }
    json_close(b, ']');
}

/* ---- chats that nobody here has open: begun before this node started, or on another one */

static void on_there(struct slot *s, void *ctx)
{
    (void)s, (void)ctx; /* the next board has it */
}

static void on_chats(void *ctx, const struct redis_reply *r)
{
    struct app *a = ctx;

    for (size_t i = 0; r && redis_reply_type(r) == REDIS_LIST && i < redis_reply_n(r) && i < CHATS_MAX; i++) {
        struct str chat = redis_reply_str(redis_reply_at(r, i));

        if (chat.n && chat.n < ID_SIZE && chat.s[0] == 'c' && !slot_find(a, chat))
            slot_when_loaded(slot_get(a, chat), on_there, NULL);
    }
}

static const struct member *watcher(const struct conn *c)
{
    return c->watches_board && c->is_ready ? people_find(c->app, str_of(c->person)) : NULL;
}

static bool is_watched(const struct app *a, const char *department)
{
    for (const struct conn *c = a->conns; c && c->is_staff; c = c->next_all) {
        const struct member *m = watcher(c);

        if (m && is_of(m, department))
            return true;
    }
    return false;
}

static bool has_watched(const struct app *a, const struct member *m)
{
    for (unsigned i = 0; i < m->rep.departments.n; i++)
        if (is_watched(a, m->rep.departments.item[i]))
            return true;
    return false;
}

void board_look(struct app *a)
{
    const char *keys[] = {"HKEYS"}, *range[] = {"ZRANGE", "0", CHATS_TEXT};
    struct map_item *it;
    uint32_t i = 0;

    for (unsigned k = 0; k < a->departments_n; k++)
        if (is_watched(a, a->departments[k].cfg->name))
            link_call(a->link, LINK_QUEUE, str_of(a->departments[k].cfg->name), 3, range, NULL, on_chats, a);
    while ((it = map_next(&a->members, &i))) {
        const struct member *m = it->value;

        if (m->is_loaded && has_watched(a, m))
            link_call(a->link, LINK_HOLDS, str_of(m->rep.id), 1, keys, NULL, on_chats, a);
    }
}

/* Once a second: one board a lead who watches, merged with the one that may still wait in the outbox. */
void board_tick(struct app *a)
{
    bool any = false;
    struct buf b;

    for (struct conn *c = a->conns; c && c->is_staff; c = c->next_all) {
        const struct member *m = watcher(c);

        if (!m)
            continue;
        any = true;
        buf_init(&b, 4 << 20);
        buf_add_s(&b, "{\"t\":\"board\"");
        json_key(&b, "departments");
        places_write_queues(a, &b);
        write_people(a, &b);
        write_chats(a, m, &b);
        json_kv_int(&b, "now", app_now_ms(a));
        buf_add_c(&b, '}');
        if (buf_ok(&b))
            signal_raw(c, 2, buf_str(&b));
        buf_fini(&b);
    }
    if (any && ++a->boards % LOOK_TICKS == 0)
        board_look(a);
}

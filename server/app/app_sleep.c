/*
 * Chats that ended and are still watched: a rep's connection watches what it served all day, a shopper's tab stays open. They leave memory
 * like those that nobody watches; what stays is who had come to their end. An entry that comes later wakes them: the log is read again,
 * and each is sent what lies behind its cursor.
 */
#include "app/app_room.h"

#include <stdlib.h>

static bool is_done(const struct sub *u, int64_t head)
{
    return u->cursor >= head && !u->is_reading && !u->is_full && !u->answers_n && !u->syncs;
}

bool sleep_may(const struct slot *s)
{
    if (!s->is_loaded || s->is_behind || s->must_reindex || chat_state_is_open(s->chat.state))
        return false;
    for (const struct sub *u = s->subs; u; u = u->next_of_slot)
        if (!is_done(u, s->chat.head))
            return false;
    return true;
}

bool sleep_has(const struct app *a, struct str chat)
{
    return map_get(&a->asleep, chat) != NULL;
}

void sleep_begin(struct slot *s)
{
    struct asleep *z;

    if (!s->subs)
        return;
    z = mem_zalloc(sizeof *z);
    memcpy(z->chat, s->chat.id, sizeof z->chat);
    z->subs = s->subs;
    s->subs = NULL;
    for (struct sub *u = z->subs; u; u = u->next_of_slot) {
        u->slot = NULL;
        u->asleep = z;
        free(u->answers);
        u->answers = NULL;
        u->answers_cap = 0;
    }
    map_put(&s->app->asleep, str_of(z->chat), z);
}

void sleep_end(struct slot *s)
{
    struct asleep *z = map_del(&s->app->asleep, str_of(s->chat.id));

    if (!z)
        return;
    s->subs = z->subs;
    for (struct sub *u = s->subs; u; u = u->next_of_slot) {
        u->slot = s;
        u->asleep = NULL;
    }
    free(z);
}

void sleep_leave(struct sub *u)
{
    struct asleep *z = u->asleep;
    struct sub **at = &z->subs;

    while (*at != u)
        at = &(*at)->next_of_slot;
    *at = u->next_of_slot;
    u->asleep = NULL;
    if (z->subs)
        return;
    map_del(&u->conn->app->asleep, str_of(z->chat));
    free(z);
}

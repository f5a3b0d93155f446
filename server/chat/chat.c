/* A chat as a value: made, copied, freed, asked. Its log is folded into it in chat_apply.c. Headers: chat.h. */
#include "chat/chat.h"

#include <stdlib.h>

void chat_init(struct chat *c, const char *id)
{
    memset(c, 0, sizeof *c);
    if (id)
        memcpy(c->id, id, strnlen(id, sizeof c->id - 1));
}

/* Where the texts that a chat owns stand, promises apart. */
static const size_t texts[] = {
    offsetof(struct chat, shopper.name),      offsetof(struct chat, owner.name),       offsetof(struct chat, handler.name),
    offsetof(struct chat, offered_to.name),   offsetof(struct chat, transfer_to.name), offsetof(struct chat, lost.name),
    offsetof(struct chat, prefer.name),       offsetof(struct chat, consult_by.name),  offsetof(struct chat, consult_question),
    offsetof(struct chat, department),        offsetof(struct chat, topic),            offsetof(struct chat, locale),
    offsetof(struct chat, page),              offsetof(struct chat, after),            offsetof(struct chat, transfer_department),
    offsetof(struct chat, transfer_card),     offsetof(struct chat, last_text),        offsetof(struct chat, last_question),        offsetof(struct chat, resolution),
    offsetof(struct chat, summary),           offsetof(struct chat, card_summary),     offsetof(struct chat, card_requirements),
    offsetof(struct chat, card_promised),     offsetof(struct chat, card_verified),    offsetof(struct chat, closed_how),
};
#define TEXTS_N (sizeof texts / sizeof *texts)

static char **text_at(struct chat *c, unsigned i)
{
    return (char **)(void *)((char *)c + texts[i]);
}

void chat_copy(struct chat *to, const struct chat *from)
{
    memcpy(to, from, sizeof *to);
    for (unsigned i = 0; i < TEXTS_N; i++)
        if (*text_at(to, i))
            *text_at(to, i) = mem_strdup(*text_at(to, i));
    for (unsigned i = 0; i < to->promises_n; i++)
        to->promise[i].text = mem_strdup(to->promise[i].text);
    for (unsigned i = 0; i < to->tags_n; i++)
        to->tags[i] = mem_strdup(to->tags[i]);
}

void chat_fini(struct chat *c)
{
    if (!c)
        return;
    for (unsigned i = 0; i < TEXTS_N; i++) {
        free(*text_at(c, i));
        *text_at(c, i) = NULL;
    }
    for (unsigned i = 0; i < c->promises_n; i++)
        free(c->promise[i].text);
    for (unsigned i = 0; i < c->tags_n; i++)
        free(c->tags[i]);
    c->promises_n = c->tags_n = 0;
}

size_t chat_bytes(const struct chat *c)
{
    size_t n = 0;

    for (unsigned i = 0; i < TEXTS_N; i++)
        n += mem_bytes(*text_at((struct chat *)c, i));
    for (unsigned i = 0; i < c->promises_n; i++)
        n += mem_bytes(c->promise[i].text);
    for (unsigned i = 0; i < c->tags_n; i++)
        n += mem_bytes(c->tags[i]);
    return n;
}

bool chat_has_reader(const struct chat *c, const char *person)
{
    const char *const now[] = {c->owner.id, c->handler.id, c->offered_to.id, c->transfer_to.id, c->prefer.id};

    for (unsigned i = 0; person[0] && i < sizeof now / sizeof *now; i++)
        if (strcmp(now[i], person) == 0)
            return true;
    for (unsigned i = 0; i < c->readers_n; i++)
        if (strcmp(c->readers[i], person) == 0)
            return true;
    return false;
}

bool chat_has_asked(const struct chat *c, struct str person)
{
    for (unsigned i = 0; i < c->readers_n; i++)
        if (str_is(person, c->readers[i]))
            return (c->asked >> i) & 1;
    return str_is(person, c->consulted); /* the readers were too many to note this one */
}

void chat_ownership(const struct chat *c, struct ownership *out)
{
    memset(out, 0, sizeof *out);
    memcpy(out->owner, c->owner.id, sizeof out->owner);
    memcpy(out->handler, c->handler.id, sizeof out->handler);
    memcpy(out->offered_to, c->offered_to.id, sizeof out->offered_to);
    out->is_open = chat_state_is_open(c->state);
    out->is_offered = c->state == CHAT_OFFERED;
}

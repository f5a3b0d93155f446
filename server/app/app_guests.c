/*
 * Shoppers with connections here, by their id: a table of their connections, chained in the connections themselves. There are as many as
 * connections, most of them idle, so a shopper takes no memory beside them.
 */
#include "app/app_room.h"

#include <stdlib.h>

#define CAP_MIN 64

static struct conn **bucket_of(const struct guests *g, const char *person)
{
    return &g->first[crypto_short_hash(person, strlen(person)) & (g->cap - 1)];
}

/* Where the person's first connection hangs in its chain, or the chain's end. */
static struct conn **find(const struct guests *g, const char *person)
{
    struct conn **at = bucket_of(g, person);

    while (*at && strcmp((*at)->person, person) != 0)
        at = &(*at)->next_guest;
    return at;
}

static void resize(struct guests *g, uint32_t cap)
{
    struct guests was = *g;

    g->cap = cap;
    g->first = mem_zalloc(cap * sizeof(struct conn *));
    for (uint32_t i = 0; i < was.cap; i++)
        for (struct conn *c = was.first[i], *next; c; c = next) {
            struct conn **at = bucket_of(g, c->person);

            next = c->next_guest;
            c->next_guest = *at;
            *at = c;
        }
    free(was.first);
}

struct conn *guest_conns(const struct app *a, struct str person)
{
    char id[ID_SIZE];

    str_keep(person, id, sizeof id);
    return a->guests.n && id[0] ? *find(&a->guests, id) : NULL;
}

void guest_add(struct conn *c)
{
    struct guests *g = &c->app->guests;
    struct conn **at, *had;

    if (g->n >= g->cap)
        resize(g, g->cap ? 2 * g->cap : CAP_MIN);
    at = find(g, c->person);
    had = *at;
    *at = c;
    c->next_of_person = had;
    c->next_guest = had ? had->next_guest : NULL;
    c->is_joined = had && had->is_joined;
    g->n += !had;
}

bool guest_remove(struct conn *c)
{
    struct guests *g = &c->app->guests;
    struct conn **at = g->n && c->person[0] ? find(g, c->person) : NULL, **first = at, *next;

    while (at && *at && *at != c)
        at = &(*at)->next_of_person;
    if (!at || !*at)
        return false;
    next = c->next_of_person;
    if (at != first) {
        *at = next;
        return true;
    }
    if (next) {
        next->next_guest = c->next_guest;
        next->is_joined = c->is_joined;
    }
    *at = next ? next : c->next_guest;
    g->n -= !next;
    if (g->cap > CAP_MIN && g->n < g->cap / 8)
        resize(g, g->cap / 2);
    return true;
}

struct conn *guest_next(const struct app *a, uint32_t *bucket, struct conn *c)
{
    for (c = c ? c->next_guest : NULL; !c && *bucket < a->guests.cap; (*bucket)++)
        c = a->guests.first[*bucket];
    return c;
}

void guests_fini(struct app *a)
{
    free(a->guests.first);
    a->guests = (struct guests){0};
}

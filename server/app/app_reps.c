/*
 * A department's reps, and the picture of them that matching chooses by: shift, capacity, load, presence as Redis has them.
 *
 * The picture is of one instant: of change number app.reps_n. Each commit that touches a rep and each coming and going is a change
 * with a number of its own (snapshot.lua), so a look reads those alone of whom something changed since, however many reps there are.
 * Whom this node knows to have changed are asked about at once; who else has, the answer says, and the look is taken again. What
 * a node of an older version writes has no number: on a slow beat all are read. A picture that is behind costs no more than a
 * refused offer: the guards of the commit look at what stands.
 */
#include "app/app_room.h"

#include <stdlib.h>

static bool serves(const struct member *m, const struct department *d)
{
    return m->is_loaded && !m->rep.disabled && (m->rep.roles & (ROLE_REP | ROLE_LEAD)) && people_is_in(&m->rep, str_of(d->cfg->name));
}

/* The list follows from the accounts: it is made anew when one of these was read. */
static void list(struct app *a, struct department *d)
{
    struct member *found[ROUTING_REASONS_MAX];
    struct map_item *it;
    uint32_t i = 0;

    if (d->reps_of == a->accounts_n)
        return;
    d->reps_of = a->accounts_n;
    d->reps_n = 0;
    while (d->reps_n < ROUTING_REASONS_MAX && (it = map_next(&a->members, &i)))
        if (serves(it->value, d))
            found[d->reps_n++] = it->value;
    d->reps = mem_realloc(d->reps, (d->reps_n + 1) * sizeof *d->reps);
    memcpy(d->reps, found, d->reps_n * sizeof *d->reps);
}

unsigned reps_of(struct app *a, struct department *d, struct member **out)
{
    unsigned n = 0;

    list(a, d);
    for (unsigned i = 0; i < d->reps_n; i++)
        if (!d->reps[i]->is_ending && !d->reps[i]->is_missing)
            out[n++] = d->reps[i];
    return n;
}

unsigned reps_seen(struct app *a, struct department *d, struct member **out)
{
    unsigned n = reps_of(a, d, out);

    for (unsigned i = 0; i < n; i++)
        out[i]->rep.is_present = out[i]->is_there;
    return n;
}

void reps_touch(struct app *a, struct member *m)
{
    m->is_read = false;
    m->touched = a->looks_n;
}

void reps_stale(struct app *a, const char *id)
{
    struct member *m = id[0] ? people_find(a, str_of(id)) : NULL;

    if (m)
        m->is_read = false;
}

void reps_denied(struct app *a, const char *id, enum link_guard_type type)
{
    struct member *m = people_find(a, str_of(id));

    if (!m)
        return;
    m->is_read = false;
    if (type == LINK_GUARD_ROOM) {
        m->rep.load = m->rep.capacity;
    } else if (type == LINK_GUARD_LIVE) {
        m->present_elsewhere = false;
    } else { /* the shift: its log says how it stands */
        if (m->rep.shift == SHIFT_ON)
            m->rep.shift = SHIFT_OFF;
        people_reload(a, str_of(id));
    }
}

void reps_forget(struct app *a)
{
    struct map_item *it;
    uint32_t i = 0;

    a->reps_n = -1;
    while ((it = map_next(&a->members, &i)))
        ((struct member *)it->value)->is_read = false;
}

unsigned reps_unread(struct app *a, struct department *d, struct member **out, unsigned max)
{
    unsigned n = 0;

    list(a, d);
    for (unsigned i = 0; i < d->reps_n && n < max; i++)
        if (!d->reps[i]->is_read)
            out[n++] = d->reps[i];
    return n;
}

static void read_rep(struct member *m, const struct redis_reply *r)
{
    m->rep.capacity = redis_reply_int(redis_reply_at(r, 1));
    m->rep.idle_since_ms = redis_reply_int(redis_reply_at(r, 2));
    m->rep.load = redis_reply_int(redis_reply_at(r, 3));
    m->rep.holds_n = (unsigned)redis_reply_int(redis_reply_at(r, 4));
    m->is_there = redis_reply_int(redis_reply_at(r, 5)) > 0;
    m->rep.is_present = m->is_there;
    m->present_elsewhere = m->is_there && !m->conns;
    m->is_read = true;
    if (str_is(redis_reply_str(redis_reply_at(r, 0)), "on"))
        return;
    if (m->rep.shift == SHIFT_ON)
        m->rep.shift = str_is(redis_reply_str(redis_reply_at(r, 0)), "paused") ? SHIFT_PAUSED : SHIFT_OFF;
}

static bool was_asked(struct member *const *asked, unsigned n, const struct member *m)
{
    for (unsigned i = 0; i < n; i++)
        if (asked[i] == m)
            return true;
    return false;
}

void reps_take(struct app *a, uint64_t number, struct member *const *asked, unsigned n, const struct redis_reply *reps, int64_t last,
               const struct redis_reply *changed)
{
    if (last < a->reps_n)
        reps_forget(a); /* other data than before */
    for (unsigned i = 0; i < n && i < redis_reply_n(reps); i++)
        if (asked[i]->touched < number) /* else it was sent before */
            read_rep(asked[i], redis_reply_at(reps, i));
    for (size_t i = 0; i < redis_reply_n(changed); i++) {
        struct member *m = people_find(a, redis_reply_str(redis_reply_at(changed, i)));

        if (m && !was_asked(asked, n, m))
            m->is_read = false;
    }
    a->reps_n = last;
}

/* Index writes and guards of a decision. Headers: app_commit.h. */
#include "app/app_commit.h"

#include <stdio.h>

static void add_write(struct writes *w, enum link_write_type type, enum link_key key, struct str name, struct str a, struct str b)
{
    if (w->n < WRITES_MAX)
        w->w[w->n++] = (struct link_write){type, key, name, a, b};
}

void index_add(struct writes *w, enum link_write_type type, enum link_key key, struct str a, struct str b)
{
    add_write(w, type, key, STR(""), a, b);
}

void index_timer(const struct slot *s, const struct cmd *c, char member[TIMER_MEMBER_SIZE])
{
    bool is_absence = c->kind == CMD_GONE;

    snprintf(member, TIMER_MEMBER_SIZE, "%s|%s", is_absence && c->target[0] ? c->target : s->chat.id,
             is_absence ? c->absence : chat_timer_name(c->timer));
}

/* A score that is this commit's time plus something, or an absolute one. */
static void add_score(struct writes *w, enum link_key key, struct str name, struct str member, int64_t score)
{
    bool relative = score >= MARK_MS / 2;

    if (w->n == WRITES_MAX)
        return;
    snprintf(w->text[w->n], sizeof w->text[0], "%lld", (long long)(relative ? score - MARK_MS : score));
    add_write(w, relative ? LINK_ZREL : LINK_ZADD, key, name, member, str_of(w->text[w->n]));
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* On a list: with its weight that of who handles it, without that of who answers for it, was asked about it or is to take it over. */
static void write_lists(struct str id, const struct chat_index *old, const struct chat_index *new, bool all, struct writes *w)
{
    const char *was[] = {old->hold, old->also, old->asked, old->handed}, *is[] = {NULL, new->also, new->asked, new->handed};

    for (unsigned i = 0; i < 4; i++)
        if (was[i] && !same(was[i], new->hold) && !same(was[i], new->also) && !same(was[i], new->asked) && !same(was[i], new->handed))
            add_write(w, LINK_HDEL, LINK_HOLDS, str_of(was[i]), id, STR_NONE);
    for (unsigned i = 1; i < 4; i++)
        if (is[i] && (all || !same(was[i], is[i])))
            add_write(w, LINK_HSET, LINK_HOLDS, str_of(is[i]), id, STR("0"));
}

void index_diff(const struct slot *s, const struct chat_index *old, const struct chat_index *new, bool all, struct writes *w,
                char members[TIMER_N][ID_SIZE + 16])
{
    struct str id = str_of(s->chat.id);

    if (old->queue && !same(old->queue, new->queue))
        add_write(w, LINK_ZREM, LINK_QUEUE, str_of(old->queue), id, STR_NONE);
    if (new->queue && (all || !same(old->queue, new->queue) || old->score != new->score))
        add_score(w, LINK_QUEUE, str_of(new->queue), id, new->score);
    for (unsigned t = 0; t < TIMER_N; t++) {
        if (!all && old->due_ms[t] == new->due_ms[t])
            continue;
        snprintf(members[t], ID_SIZE + 16, "%s|%s", s->chat.id, chat_timer_name((enum chat_timer)t));
        if (new->due_ms[t])
            add_score(w, LINK_TIMERS, STR(""), str_of(members[t]), new->due_ms[t]);
        else if (old->due_ms[t] || all)
            add_write(w, LINK_ZREM, LINK_TIMERS, STR(""), str_of(members[t]), STR_NONE);
    }
    if (new->free_ms && (all || old->free_ms != new->free_ms))
        add_score(w, LINK_ENDED, STR(""), id, new->free_ms);
    else if (!new->free_ms && old->free_ms)
        add_write(w, LINK_ZREM, LINK_ENDED, STR(""), id, STR_NONE);
    write_lists(id, old, new, all, w);
    if (old->alert && !same(old->alert, new->alert))
        add_write(w, LINK_HDEL, LINK_ALERTS, STR(""), str_of(old->alert), STR_NONE);
    if (new->alert && (all || !same(old->alert, new->alert)))
        add_write(w, LINK_HSET, LINK_ALERTS, STR(""), str_of(new->alert), id);
    if (new->hold && (all || !same(old->hold, new->hold) || old->weight != new->weight)) {
        snprintf(w->text[w->n], sizeof w->text[0], "%lld", (long long)new->weight);
        add_write(w, LINK_HSET, LINK_HOLDS, str_of(new->hold), id, str_of(w->text[w->n]));
        if (!all && !same(old->hold, new->hold)) {
            snprintf(w->text[w->n], sizeof w->text[0], "%lld", (long long)app_now_ms(s->app));
            add_write(w, LINK_HSET, LINK_REP, str_of(new->hold), STR("idle"), str_of(w->text[w->n]));
        }
    }
    if (old->open && !same(old->open, new->open))
        add_write(w, LINK_HDEL, LINK_SHOPPER, str_of(old->open), STR("open"), STR_NONE);
    if (new->open && (all || !same(old->open, new->open))) {
        add_write(w, LINK_HSET, LINK_SHOPPER, str_of(new->open), STR("open"), id);
        add_write(w, LINK_HSET, LINK_SHOPPER, str_of(new->open), STR("last"), id);
    }
}

bool index_is_left(const struct chat *c, const struct decision *d)
{
    return d->entries_n == 1 && d->guards_n == 0 && d->compare == COMPARE_FENCE && chat_keeps_index(c, &d->entry[0]);
}

/* ---- guards */

static void add_guard(struct guards *gs, struct flight *f, const struct chat_guard *from, struct link_guard g)
{
    f->guard_kind[gs->n] = from->kind;
    f->guard_type[gs->n] = g.type;
    snprintf(f->guard_who[gs->n], ID_SIZE, "%s", from->who ? from->who : "");
    gs->g[gs->n++] = g;
}

void guards_map(struct slot *s, const struct decision *d, const struct cmd *c, struct flight *f, struct guards *gs)
{
    gs->n = 0;
    for (unsigned i = 0; i < d->guards_n; i++) {
        const struct chat_guard *g = &d->guard[i];
        struct str who = str_of(g->who ? g->who : c->conn ? c->conn->person : "");
        char *t0 = gs->text[i][0], *t1 = gs->text[i][1];

        switch (g->kind) {
        case GUARD_REP_ROOM:
        case GUARD_REP_ON:
            add_guard(gs, f, g, (struct link_guard){LINK_GUARD_EQ, LINK_REP, who, STR("shift"), STR("on")});
            add_guard(gs, f, g, (struct link_guard){LINK_GUARD_LIVE, LINK_PRESENCE, who, STR_NONE, STR_NONE});
            if (g->kind == GUARD_REP_ON)
                break;
            snprintf(t0, sizeof gs->text[i][0], "%lld", (long long)g->weight);
            add_guard(gs, f, g, (struct link_guard){LINK_GUARD_ROOM, LINK_HOLDS, who, str_of(t0), STR_NONE});
            break;
        case GUARD_SHOPPER_FREE:
            add_guard(gs, f, g, (struct link_guard){LINK_GUARD_EQ, LINK_SHOPPER, who, STR("open"), STR("")});
            break;
        case GUARD_REP_GONE:
        case GUARD_SHOPPER_GONE:
            add_guard(gs, f, g, (struct link_guard){LINK_GUARD_GONE, LINK_PRESENCE, who, STR_NONE, STR_NONE});
            __attribute__((fallthrough));
        case GUARD_TIMER_DUE:
            index_timer(s, c, t0);
            snprintf(t1, sizeof gs->text[i][1], "%lld", (long long)c->due_ms);
            add_guard(gs, f, g, (struct link_guard){LINK_GUARD_DUE, LINK_TIMERS, STR(""), str_of(t0), str_of(t1)});
            break;
        }
    }
}

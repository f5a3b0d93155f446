/* Nodes on one Redis: beats, ghosts, and the slow look at what a lost hint left unseen (PROMISES 2.3, DESIGN 1 "Presence"). */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

#define LOGS_MAX   500
#define LOGS_TEXT  "500"
#define OWN_BEATS  30 /* so often this node looks whether somebody stands under its name who isn't here */

struct peer {
    char value[32];      /* its beat as last seen */
    int64_t seen_ms;     /* by our own clock, when that was new */
    bool is_being_swept;
};

/* ---- people of a node who are gone */

struct sweep {
    struct app *app;
    char node[64];
    unsigned left; /* answers that are awaited */
    bool failed;
};

struct leaving {
    struct sweep *sweep;
    char person[ID_SIZE];
};

static bool is_own(const struct sweep *w)
{
    return strcmp(w->node, w->app->node) == 0;
}

static void sweep_over(void *ctx, const struct redis_reply *r)
{
    struct sweep *w = ctx;
    struct peer *p = map_get(&w->app->peers, str_of(w->node));

    (void)r; /* a beat that stands is judged again */
    if (p)
        p->is_being_swept = false;
    free(w);
}

static void one_less(struct sweep *w, bool ok)
{
    const char *argv[] = {"HDEL", w->node};

    w->failed = w->failed || !ok;
    if (--w->left > 0)
        return;
    if (!is_own(w) && !w->failed) {
        log_warn("app", "node silent, swept node=%s", w->node);
        if (link_call_plain(w->app->link, "nodes", 2, argv, NULL, sweep_over, w) == 0)
            return;
    }
    sweep_over(w, NULL);
}

static void leaving_over(struct leaving *k, bool ok)
{
    one_less(k->sweep, ok);
    free(k);
}

static bool is_here(struct app *a, struct str person)
{
    struct member *m = people_find(a, person);

    return (m && m->conns) || guest_conns(a, person);
}

static void on_left(void *ctx, const struct redis_reply *r)
{
    struct leaving *k = ctx;
    bool ok = r && redis_reply_type(r) == REDIS_INT;

    if (ok && is_own(k->sweep)) /* others hear it by the bus */
        people_present(k->sweep->app, str_of(k->person), (int)redis_reply_int(r));
    leaving_over(k, ok);
}

/* The grace times begin. Who has come back meanwhile stays. */
static void take_off(struct leaving *k, const char *open)
{
    struct app *a = k->sweep->app;
    struct str person = str_of(k->person);
    struct absence x = {.n = 0};

    if (is_own(k->sweep) && is_here(a, person)) {
        leaving_over(k, true);
        return;
    }
    if (person.s[0] == 'r')
        people_absence(a, person, &x);
    else if (open[0])
        shopper_absence(a, open, &x);
    if (link_presence(a->link, k->sweep->node, false, person, x.members, x.ms, x.n, on_left, k) < 0)
        leaving_over(k, false);
}

static void on_open_chat(void *ctx, const struct redis_reply *r)
{
    struct leaving *k = ctx;
    char open[ID_SIZE] = "";

    if (!r || redis_reply_type(r) == REDIS_ERR) {
        leaving_over(k, false);
        return;
    }
    if (redis_reply_type(r) == REDIS_STR)
        str_keep(redis_reply_str(r), open, sizeof open);
    take_off(k, open);
}

static void leave(struct sweep *w, struct str person)
{
    const char *argv[] = {"HGET", "open"};
    struct leaving *k = mem_zalloc(sizeof *k);

    k->sweep = w;
    memcpy(k->person, person.s, person.n);
    w->left++;
    if (person.s[0] == 'r')
        take_off(k, "");
    else if (link_call(w->app->link, LINK_SHOPPER, person, 2, argv, NULL, on_open_chat, k) < 0)
        leaving_over(k, false);
}

static void on_ghosts(void *ctx, const struct redis_reply *r)
{
    struct sweep *w = ctx;
    bool ok = r && redis_reply_type(r) == REDIS_LIST;

    for (size_t i = 0; ok && i < redis_reply_n(r); i++) {
        struct str person = redis_reply_str(redis_reply_at(r, i));

        if (person.n > 0 && person.n < ID_SIZE && !(is_own(w) && is_here(w->app, person)))
            leave(w, person);
    }
    one_less(w, ok);
}

void nodes_sweep(struct app *a, const char *node)
{
    char key[96];
    const char *argv[] = {"SMEMBERS"};
    struct sweep *w = mem_zalloc(sizeof *w);

    w->app = a;
    w->left = 1;
    snprintf(w->node, sizeof w->node, "%s", node);
    snprintf(key, sizeof key, "np:%s", node);
    if (link_call_plain(a->link, key, 1, argv, NULL, on_ghosts, w) < 0)
        one_less(w, false);
}

/* ---- beats */

/*
 * Silent is who said nothing new between two questions of this node's, by the times at which it asked: while it stands still itself, or
 * its Redis does, nobody else falls silent. asked_ms: of the question that value answers.
 */
static void judge(struct app *a, struct str node, struct str value, int64_t asked_ms)
{
    struct peer *p = map_get(&a->peers, node);
    char name[64];

    if (!p) {
        p = mem_zalloc(sizeof *p);
        map_put(&a->peers, node, p);
        p->seen_ms = asked_ms;
    }
    if (!str_is(value, p->value)) {
        snprintf(p->value, sizeof p->value, "%.*s", STR_FMT(value));
        p->seen_ms = asked_ms;
    }
    if (asked_ms - p->seen_ms < a->cfg->presence.silent_ms || p->is_being_swept)
        return;
    snprintf(name, sizeof name, "%.*s", STR_FMT(node));
    p->is_being_swept = true;
    nodes_sweep(a, name);
}

/* "count format"; a version that says none knows the first. */
static int format_of(struct str beat)
{
    const char *sp = beat.n ? memchr(beat.s, ' ', beat.n) : NULL;

    return sp ? (int)strtol(sp + 1, NULL, 10) : 1;
}

struct beats_ask {
    struct app *app;
    int64_t asked_ms;
};

static void take_beats(struct app *a, const struct redis_reply *r, int64_t asked_ms)
{
    int64_t format = link_format_known(a->link);
    unsigned others = 0;
    bool lives = false;

    if (!r || redis_reply_type(r) != REDIS_LIST)
        return;
    for (size_t i = 0; i + 1 < redis_reply_n(r); i += 2) {
        struct str node = redis_reply_str(redis_reply_at(r, i));

        lives = lives || str_is(node, a->archive_node);
        if (str_is(node, a->node) || !node.n || node.n >= 64)
            continue;
        others++;
        if (format_of(redis_reply_str(redis_reply_at(r, i + 1))) < format)
            format = format_of(redis_reply_str(redis_reply_at(r, i + 1)));
        judge(a, node, redis_reply_str(redis_reply_at(r, i + 1)), asked_ms);
    }
    a->others_n = others;
    a->archive_node_lives = lives;
    link_raise_format(a->link, (int)format); /* all who live know it (PROMISES 2.15) */
}

static void on_beats(void *ctx, const struct redis_reply *r)
{
    struct beats_ask *q = ctx;

    take_beats(q->app, r, q->asked_ms);
    free(q);
}

static void ask_beats(struct app *a, int64_t now)
{
    const char *all[] = {"HGETALL"};
    struct beats_ask *q = mem_zalloc(sizeof *q);

    *q = (struct beats_ask){a, now};
    if (link_call_plain(a->link, "nodes", 1, all, NULL, on_beats, q) < 0)
        free(q);
}

static void on_missed(struct slot *s, void *ctx)
{
    (void)ctx;
    slot_refresh(s);
}

static void on_held(void *ctx, const struct redis_reply *r)
{
    struct app *a = ctx;

    for (size_t i = 0; r && redis_reply_type(r) == REDIS_LIST && i < redis_reply_n(r); i++) {
        struct str chat = redis_reply_str(redis_reply_at(r, i));

        if (chat.n && chat.n < ID_SIZE && chat.s[0] == 'c' && !slot_find(a, chat))
            slot_when_loaded(slot_get(a, chat), on_missed, a);
    }
}

/* Others changed chats that nobody watches here: one may be offered to somebody who is here, or under alert, and what said so was lost. */
static void look_for_own(struct app *a)
{
    static const char *const keys[] = {"HKEYS"}, *const values[] = {"HVALS"};
    struct map_item *it;
    uint32_t i = 0;

    while ((it = map_next(&a->members, &i))) {
        const struct member *m = it->value;

        if (m->conns)
            link_call(a->link, LINK_HOLDS, str_of(m->rep.id), 1, keys, NULL, on_held, a);
    }
    link_call(a->link, LINK_ALERTS, STR(""), 1, values, NULL, on_held, a);
}

static void look_at_changed(struct app *a);

static void on_changed(void *ctx, const struct redis_reply *r)
{
    struct app *a = ctx;

    if (!r || redis_reply_type(r) != REDIS_LIST)
        return;
    for (size_t i = 0; i + 1 < redis_reply_n(r); i += 2) {
        struct str log = redis_reply_str(redis_reply_at(r, i));
        struct slot *s = slot_awake(a, log);

        a->changed_n = redis_reply_int(redis_reply_at(r, i + 1));
        if (log.n && log.s[0] == 'r')
            people_on_log(a, log);
        else if (log.n && log.s[0] == 'k')
            kb_on_log(a, log);
        else if (s && s->is_loaded)
            slot_refresh(s);
        a->changed_unknown = a->changed_unknown || (log.n && log.s[0] == 'c' && !s);
    }
    if (redis_reply_n(r) == 2 * LOGS_MAX) {
        look_at_changed(a); /* there are more: what changed last is not to wait for as many beats as there are pages */
        return;
    }
    if (a->changed_unknown)
        look_for_own(a);
    a->changed_unknown = false;
}

static void look_at_changed(struct app *a)
{
    char from[32];
    const char *news[] = {"ZRANGEBYSCORE", from, "+inf", "WITHSCORES", "LIMIT", "0", LOGS_TEXT};

    snprintf(from, sizeof from, "(%lld", (long long)a->changed_n);
    link_call_plain(a->link, "changed", 7, news, NULL, on_changed, a);
}

void nodes_look(struct app *a)
{
    if (a->link && link_is_up(a->link) && a->others_n > 0)
        look_at_changed(a);
}

/* To the others none of these people is here any more: after it stood still, or where they took it for dead. */
static void announce(struct app *a)
{
    people_join(a, NULL);
    shopper_join_all(a);
}

/*
 * The beat is a write like any other: what Redis says to it, it says to commits. (Where memory is short, `redis_full` says so.) One that
 * is new there was taken away: this node was swept.
 */
static void on_beaten(void *ctx, const struct redis_reply *r)
{
    static const char *const codes[] = {"READONLY", "MISCONF", "NOREPLICAS", "NOPERM"};
    struct app *a = ctx;
    struct str said = r && redis_reply_type(r) == REDIS_ERR ? redis_reply_str(r) : STR_NONE;

    if (!r)
        return;
    if (redis_reply_type(r) == REDIS_INT && redis_reply_int(r) == 1 && a->has_beaten) {
        log_warn("app", "this node was taken for dead; its people are announced again");
        announce(a);
    }
    a->has_beaten = a->has_beaten || redis_reply_type(r) == REDIS_INT;
    a->redis_refuses[0] = 0;
    for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++)
        if (said.n > strlen(codes[i]) && memcmp(said.s, codes[i], strlen(codes[i])) == 0)
            snprintf(a->redis_refuses, sizeof a->redis_refuses, "redis takes no writes: %.*s", (int)(said.n < 200 ? said.n : 200), said.s);
}

void nodes_beat(struct app *a)
{
    char value[32];
    const char *set[] = {"HSET", a->node, value};
    int64_t now = (int64_t)(uv_hrtime() / 1000000);

    if (!link_is_up(a->link))
        return;
    if (a->beaten_ms && now - a->beaten_ms > a->cfg->presence.silent_ms) {
        log_warn("app", "this node stood still ms=%lld; its people are announced again", (long long)(now - a->beaten_ms));
        announce(a);
    }
    a->beaten_ms = now;
    snprintf(value, sizeof value, "%llu %d", (unsigned long long)++a->beats, link_format_known(a->link));
    link_call_plain(a->link, "nodes", 3, set, NULL, on_beaten, a);
    ask_beats(a, now);
    timers_alive(a);
    if (a->beats % OWN_BEATS == 0)
        nodes_sweep(a, a->node);
    if (a->beats % NODES_SLOW_BEATS != 0)
        return;
    tasks_look(a);
    people_look(a);
    if (a->feed)
        people_forget_ids(a);
    app_look_at_sessions(a);
    nodes_look(a);
}

void nodes_leave(struct app *a)
{
    const char *argv[] = {"HDEL", a->node};

    if (a->link && link_is_up(a->link))
        link_call_plain(a->link, "nodes", 2, argv, NULL, NULL, NULL);
}

/* Nodes on one Redis: beats, ghosts, and the slow look at what a lost hint left unseen (PROMISES 2.3, DESIGN 1 "Presence"). */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

#define LOGS_MAX   "500"

struct peer {
    char value[32];      /* its beat as last seen */
    int64_t seen_ms;     /* by our own clock, when that was new */
    bool is_swept;
};

struct leaving {
    struct app *app;
    char node[64], person[ID_SIZE];
};

/* Takes a person off a node that is gone: the grace times begin. */
static void take_off(struct app *a, const char *node, struct str person, const char *open)
{
    struct absence x = {.n = 0};

    if (person.s[0] == 'r')
        people_absence(a, person, &x);
    else if (open && open[0])
        shopper_absence(a, open, &x);
    link_presence(a->link, node, false, person, x.members, x.ms, x.n);
}

static void on_open_chat(void *ctx, const struct redis_reply *r)
{
    struct leaving *k = ctx;
    char open[ID_SIZE] = "";

    if (r && redis_reply_type(r) == REDIS_STR && redis_reply_str(r).n < ID_SIZE)
        memcpy(open, redis_reply_str(r).s, redis_reply_str(r).n);
    if (r)
        take_off(k->app, k->node, str_of(k->person), open);
    free(k);
}

static bool is_here(struct app *a, struct str person)
{
    struct member *m = people_find(a, person);

    return (m && m->conns) || guest_conns(a, person);
}

static void on_ghosts(void *ctx, const struct redis_reply *r)
{
    struct leaving *k = ctx;
    struct app *a = k->app;
    bool own = strcmp(k->node, a->node) == 0;

    for (size_t i = 0; r && i < redis_reply_n(r); i++) {
        struct str person = redis_reply_str(redis_reply_at(r, i));
        const char *argv[] = {"HGET", "open"};
        struct leaving *next;

        if (person.n == 0 || person.n >= ID_SIZE || (own && is_here(a, person)))
            continue;
        if (person.s[0] == 'r') {
            take_off(a, k->node, person, NULL);
            continue;
        }
        next = mem_zalloc(sizeof *next);
        next->app = a;
        snprintf(next->node, sizeof next->node, "%s", k->node);
        memcpy(next->person, person.s, person.n);
        if (link_call(a->link, LINK_SHOPPER, person, 2, argv, NULL, on_open_chat, next) < 0)
            free(next);
    }
    free(k);
}

void nodes_sweep(struct app *a, const char *node)
{
    char key[96];
    const char *argv[] = {"SMEMBERS"};
    struct leaving *k = mem_zalloc(sizeof *k);

    k->app = a;
    snprintf(k->node, sizeof k->node, "%s", node);
    snprintf(key, sizeof key, "np:%s", node);
    if (link_call_plain(a->link, key, 1, argv, NULL, on_ghosts, k) < 0)
        free(k);
}

static void judge(struct app *a, struct str node, struct str value, int64_t now)
{
    struct peer *p = map_get(&a->peers, node);
    char name[64];
    const char *argv[] = {"HDEL", name};

    if (!p) {
        p = mem_zalloc(sizeof *p);
        map_put(&a->peers, node, p);
        p->seen_ms = now;
    }
    if (!str_is(value, p->value)) {
        snprintf(p->value, sizeof p->value, "%.*s", STR_FMT(value));
        p->seen_ms = now;
        p->is_swept = false;
    }
    if (now - p->seen_ms < a->cfg->presence.silent_ms || p->is_swept)
        return;
    snprintf(name, sizeof name, "%.*s", STR_FMT(node));
    log_warn("app", "node silent, swept node=%s", name);
    p->is_swept = true;
    nodes_sweep(a, name);
    link_call_plain(a->link, "nodes", 2, argv, NULL, NULL, NULL);
}

/* "count format"; a version that says none knows the first. */
static int format_of(struct str beat)
{
    const char *sp = beat.n ? memchr(beat.s, ' ', beat.n) : NULL;

    return sp ? (int)strtol(sp + 1, NULL, 10) : 1;
}

static void on_beats(void *ctx, const struct redis_reply *r)
{
    struct app *a = ctx;
    int64_t now = (int64_t)(uv_hrtime() / 1000000);
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
        judge(a, node, redis_reply_str(redis_reply_at(r, i + 1)), now);
    }
    a->others_n = others;
    a->archive_node_lives = lives;
    link_raise_format(a->link, (int)format); /* all who live know it (PROMISES 2.15) */
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

static void on_changed(void *ctx, const struct redis_reply *r)
{
    struct app *a = ctx;
    bool unknown = false;

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
        unknown = unknown || (log.n && log.s[0] == 'c' && !s);
    }
    if (unknown)
        look_for_own(a);
}

void nodes_beat(struct app *a)
{
    char value[32], from[32];
    const char *set[] = {"HSET", a->node, value}, *all[] = {"HGETALL"};
    const char *news[] = {"ZRANGEBYSCORE", from, "+inf", "WITHSCORES", "LIMIT", "0", LOGS_MAX};
    int64_t now = (int64_t)(uv_hrtime() / 1000000);

    if (!link_is_up(a->link))
        return;
    if (a->beaten_ms && now - a->beaten_ms > a->cfg->presence.silent_ms) {
        log_warn("app", "this node stood still ms=%lld; its people are announced again", (long long)(now - a->beaten_ms));
        people_join(a, NULL);
        shopper_join_all(a);
    }
    a->beaten_ms = now;
    snprintf(value, sizeof value, "%llu %d", (unsigned long long)++a->beats, link_format_known(a->link));
    link_call_plain(a->link, "nodes", 3, set, NULL, NULL, NULL);
    link_call_plain(a->link, "nodes", 1, all, NULL, on_beats, a);
    timers_alive(a);
    if (a->beats % NODES_SLOW_BEATS != 0)
        return;
    tasks_look(a);
    people_look(a);
    if (a->others_n == 0)
        return;
    snprintf(from, sizeof from, "(%lld", (long long)a->changed_n);
    link_call_plain(a->link, "changed", 7, news, NULL, on_changed, a);
}

void nodes_leave(struct app *a)
{
    const char *argv[] = {"HDEL", a->node};

    if (a->link && link_is_up(a->link))
        link_call_plain(a->link, "nodes", 2, argv, NULL, NULL, NULL);
}

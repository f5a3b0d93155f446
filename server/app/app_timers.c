/* Due timers: read from the index, decided by the chat, committed with a guard that they are still due (PROMISES 2.11). */
#include "app/app_commit.h"

#include <stdio.h>
#include <stdlib.h>

#define TIMERS_AT_ONCE "100"
#define TRIES          3    /* and */
#define TRIED_MS       2000 /* so long: what is still due then can't be decided now */
#define PERSON_MS      20000 /* of a person's absence: each look tries it anew, also where a slow disk has the first try under way */

static void on_timer_done(struct cmd *c, enum code code)
{
    const struct chat *chat = &c->slot->chat;

    if (code == CODE_OK && c->timer == TIMER_OFFER && !c->why && chat->state == CHAT_WAITING && chat->passed_n)
        people_missed(c->app, chat->passed[chat->passed_n - 1]);
    if (code != CODE_OK && code != CODE_CONFLICT)
        log_warn("app", "timer not decided chat=%s timer=%s code=%s", c->slot->chat.id, chat_timer_name(c->timer), code_name(code));
}

struct care_ask {
    struct app *app;
    struct cmd *c;
    char chat[ID_SIZE];
};

static void on_care_articles(void *ctx, const struct kb_found *found)
{
    struct care_ask *q = ctx;

    if (found->articles.n > 2)
        q->c->articles = mem_strndup(found->articles.s, found->articles.n);
    slot_push(slot_get(q->app, str_of(q->chat)), q->c);
    free(q);
}

/* Rule 3.1: the first care step brings the articles that match what was said so far. */
static void with_articles(struct slot *s, struct cmd *c)
{
    struct care_ask *q = mem_zalloc(sizeof *q);

    q->app = s->app;
    q->c = c;
    snprintf(q->chat, sizeof q->chat, "%s", s->chat.id);
    kb_ask(s->app, str_of(s->chat.last_question), str_of(s->chat.locale ? s->chat.locale : ""), true, 3, false, on_care_articles, q);
}

/* A timer's command waits with the chat's others: a second look before it is decided finds it there. */
static bool may_fire(const struct slot *s, enum chat_cmd_kind kind, enum chat_timer timer, const char *absence)
{
    for (const struct cmd *c = s->first; c; c = c->next)
        if (c->kind == kind && c->timer == timer && strcmp(c->absence, absence) == 0)
            return false;
    return !s->is_busy && !s->is_loading && (s->is_loaded || s->awaited == 0); /* else the next look finds it again */
}

/* The chat is in memory: its department's numbers and its last question are known. */
static void fire_known(struct slot *s, void *ctx)
{
    struct app *a = s->app;
    struct cmd *c = ctx;

    if (c->timer == TIMER_OFFER && c->due_ms > a->outage_from_ms && c->due_ms - match_rules(a, s->chat.department)->offer_ms < a->outage_till_ms)
        c->why = "outage"; /* who was asked could not answer: asked again, nobody's miss */
    if (c->timer == TIMER_CARE && !s->is_unread && s->chat.care_done == CARE_NONE && s->chat.last_question)
        with_articles(s, c);
    else
        slot_push(s, c);
}

/* One due timer of a chat. False: it is under way. */
static bool fire_chat(struct app *a, struct str chat, enum chat_timer timer, int64_t due_ms)
{
    struct slot *s = slot_get(a, chat);
    struct cmd *c;

    if (!may_fire(s, CMD_TIMER, timer, ""))
        return false;
    c = cmd_create(a, CMD_TIMER);
    c->timer = timer;
    c->due_ms = due_ms;
    c->done = on_timer_done;
    slot_when_loaded(s, fire_known, c);
    return true;
}

static void on_taken(void *ctx, const struct link_result *r)
{
    (void)ctx, (void)r;
}

/* A commit of nothing, in the name of a log that there isn't: where its guard says no, that hinders no other one. */
static void change(struct app *a, struct str member, int64_t due_ms, struct link_write write)
{
    char due[24];
    struct link_guard guard = {LINK_GUARD_DUE, LINK_TIMERS, STR(""), member, STR_NONE};
    struct link_commit lc = {.log = member, .mode = LINK_ANY, .guards = &guard, .guards_n = 1, .writes = &write, .writes_n = 1};

    snprintf(due, sizeof due, "%lld", (long long)due_ms);
    guard.b = str_of(due);
    link_commit(a->link, &lc, on_taken, NULL);
}

void timers_take(struct app *a, const char *member, int64_t due_ms)
{
    change(a, str_of(member), due_ms, (struct link_write){LINK_ZREM, LINK_TIMERS, STR(""), str_of(member), STR_NONE});
}

/* In conflict with the shopper, who is here: then it means nothing; or with another time, which stays. */
static void on_gone_done(struct cmd *c, enum code code)
{
    char member[TIMER_MEMBER_SIZE];

    index_timer(c->slot, c, member);
    if (code == CODE_CONFLICT)
        timers_take(c->app, member, c->due_ms);
}

static bool fire_shopper_gone(struct app *a, struct str chat, int64_t due_ms)
{
    struct slot *s = slot_get(a, chat);
    struct cmd *c;

    if (!may_fire(s, CMD_GONE, 0, "gone"))
        return false;
    c = cmd_create(a, CMD_GONE);
    c->why = "shopper";
    c->due_ms = due_ms;
    c->done = on_gone_done;
    snprintf(c->absence, sizeof c->absence, "gone");
    slot_push(s, c);
    return true;
}

/* False: it is under way. (A name that means nothing here is tried in vain.) */
static bool fire(struct app *a, struct str member, int64_t due_ms)
{
    const char *bar = memchr(member.s, '|', member.n);
    struct str who, name;

    if (!bar)
        return true;
    who = (struct str){member.s, (size_t)(bar - member.s)};
    name = (struct str){bar + 1, member.n - who.n - 1};
    if (!who.n || who.n >= ID_SIZE)
        return true;
    if (who.s[0] == 'r')
        people_gone(a, who, name, due_ms);
    else if (str_is(name, "gone"))
        return fire_shopper_gone(a, who, due_ms);
    else if (chat_timer_from_name(name) < TIMER_N)
        return fire_chat(a, who, chat_timer_from_name(name), due_ms);
    return true;
}

/* ---- those that can't be decided */

/* One that is due, as this node has met it in each look since. */
struct tried {
    int64_t due_ms, since_ms; /* uv_now() */
    unsigned n;
};

/* It would be met first in each look, and a hundred such would hide all others: it comes again later. */
static void set_back(struct app *a, struct str member, const struct tried *t)
{
    char at[24];

    snprintf(at, sizeof at, "%lld", (long long)(app_now_ms(a) + TIMER_SET_BACK_MS));
    change(a, member, t->due_ms, (struct link_write){LINK_ZADD, LINK_TIMERS, STR(""), member, str_of(at)});
    log_error("app", "timer can't be decided, set back timer=\"%.*s\" due=%lld", STR_FMT(member), (long long)t->due_ms);
    snprintf(a->timer_stuck, sizeof a->timer_stuck, "%.*s", STR_FMT(member));
    a->timer_stuck_at_ms = (int64_t)uv_now(a->loop);
}

static void meet(struct app *a, struct map *now, struct str member, int64_t due_ms)
{
    struct tried *t = map_del(&a->timers_tried, member);
    int64_t span = member.s[0] == 'r' ? PERSON_MS : TRIED_MS;

    if (t && t->due_ms != due_ms) {
        free(t);
        t = NULL;
    }
    if (!t) {
        t = mem_zalloc(sizeof *t);
        *t = (struct tried){.due_ms = due_ms, .since_ms = (int64_t)uv_now(a->loop)};
    }
    if (t->n >= TRIES && (int64_t)uv_now(a->loop) - t->since_ms >= span) {
        set_back(a, member, t);
        free(t);
        return;
    }
    t->n += fire(a, member, due_ms);
    free(map_put(now, member, t));
}

static void on_due(void *ctx, const struct redis_reply *r)
{
    struct app *a = ctx;
    struct map now;

    a->timers_busy = false;
    if (!r || redis_reply_type(r) != REDIS_LIST)
        return;
    if (a->chats == CHATS_STOPPED || repair_is_under_way(a)) /* nothing can be decided now: that is none's fault */
        map_fini_free(&a->timers_tried);
    map_init(&now);
    for (size_t i = 0; i + 1 < redis_reply_n(r); i += 2)
        meet(a, &now, redis_reply_str(redis_reply_at(r, i)), redis_reply_int(redis_reply_at(r, i + 1)));
    map_fini_free(&a->timers_tried); /* those that are not due any more */
    a->timers_tried = now;
}

static void on_alive(void *ctx, const struct redis_reply *r)
{
    struct app *a = ctx;

    if (!r || redis_reply_n(r) != 2 || redis_reply_int(redis_reply_at(r, 0)) < 0)
        return;
    a->alive_said = true;
    if (redis_reply_int(redis_reply_at(r, 0)) == 0)
        return;
    a->outage_from_ms = redis_reply_int(redis_reply_at(r, 0));
    a->outage_till_ms = redis_reply_int(redis_reply_at(r, 1));
    log_warn("app", "the site was away ms=%lld: what is overdue comes in order, who was absent gets the full time again",
             (long long)(a->outage_till_ms - a->outage_from_ms));
}

void timers_alive(struct app *a)
{
    struct absence x; /* as the members end: "|grace", "|away" */
    int64_t gone_ms = a->spans.gone_ms;

    people_absence(a, STR(""), &x);
    for (unsigned i = 0; i < a->departments_n; i++)
        if (a->departments[i].spans.gone_ms > gone_ms)
            gone_ms = a->departments[i].spans.gone_ms;
    x.members[x.n] = "|gone";
    x.ms[x.n++] = gone_ms;
    if (link_clock_is_sure(a->link))
        link_alive(a->link, a->cfg->presence.silent_ms, x.members, x.ms, x.n, on_alive, a);
}

void timers_tick(struct app *a)
{
    char now[24];
    const char *argv[] = {"ZRANGEBYSCORE", "-inf", now, "WITHSCORES", "LIMIT", "0", TIMERS_AT_ONCE};

    if (a->timers_busy || !link_is_up(a->link) || a->is_draining || !a->alive_said || !link_clock_is_sure(a->link))
        return;
    snprintf(now, sizeof now, "%lld", (long long)app_now_ms(a));
    a->timers_busy = link_call(a->link, LINK_TIMERS, STR(""), 7, argv, NULL, on_due, a) == 0;
}

/* Shifts: beginning, pausing, ending; offers missed in a row; what follows when somebody is gone. */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

#define WHY_MISSED "missed"

struct ending;

/* A timer of absence that fired. */
struct gone {
    struct app *app;
    char id[ID_SIZE];
    char member[ID_SIZE + 32];
    int64_t ms, due_ms; /* grace: its span; when it was due */
    unsigned left;      /* grace: chats that are not done with */
    bool failed;        /* one of them couldn't be: the timer stays */
};

struct shift_flight {
    struct app *app;
    struct cmd *cmd;   /* NULL: the system's (away, missed) */
    struct ending *ending; /* NULL: no end of a shift */
    struct gone *gone;     /* owned; NULL: nobody was away */
    char id[ID_SIZE];
    enum kind kind;
    int64_t capacity;
    const char *why;
};

/* Offers may come again. */
static void count_over(struct app *a, struct member *m)
{
    m->is_missing = false;
    match_member_dirty(a, m);
}

static void on_shift(void *ctx, const struct link_result *r)
{
    struct shift_flight *f = ctx;
    struct member *m = people_find(f->app, str_of(f->id));

    switch (r->status) {
    case LINK_DONE: {
        struct entry e;

        entry_init(&e, f->kind);
        e.seq = r->first;
        e.at_ms = r->at_ms;
        e.f[FIELD_CAPACITY] = val_int(f->capacity);
        if (f->why)
            e.f[FIELD_WHY] = val_s(f->why);
        if (m->rep.version + 1 == r->first)
            people_apply(&m->rep, &e);
        else
            people_reload(f->app, str_of(f->id));
        people_tell_presence(f->app, m);
        match_member_changed(f->app, m);
        jobs_feed_kick(f->app->feed);
        if (f->cmd)
            answer_cmd_ok(f->cmd, NULL);
        break;
    }
    case LINK_SEEN:
        if (f->cmd && r->same)
            answer_cmd_ok(f->cmd, NULL);
        else if (f->cmd)
            answer_cmd_error(f->cmd, CODE_CONFLICT, "this id was used for something else", NULL);
        break;
    case LINK_GUARDED:
        if (f->cmd)
            answer_cmd_error(f->cmd, CODE_CONFLICT, "chats wait for an answer: hand each over or park it", NULL);
        if (f->gone)
            timers_take(f->app, f->gone->member, f->gone->due_ms);
        break;
    default:
        if (f->cmd)
            answer_cmd_error(f->cmd, CODE_UNAVAILABLE, "the log can't be written now", NULL);
    }
    if (f->why && strcmp(f->why, WHY_MISSED) == 0)
        count_over(f->app, m);
    free(f->gone);
    free(f);
}

static void on_shift_ended(void *ctx, const struct link_result *r);

/* Writes a shift entry. ending, gone: NULL none; on success it takes gone, whose timer goes with the entry. */
static int commit_shift(struct app *a, struct cmd *c, struct member *m, enum kind kind, int64_t capacity, const char *why,
                        struct ending *ending, struct gone *gone)
{
    static const char *const shifts[] = {"on", "paused", "off"};
    struct shift_flight *f = mem_zalloc(sizeof *f);
    struct link_write w[3] = {{LINK_HSET, LINK_REP, str_of(m->rep.id), STR("shift"), STR_NONE},
                              {LINK_HSET, LINK_REP, str_of(m->rep.id), STR("capacity"), STR_NONE},
                              {LINK_HDEL, LINK_REP, str_of(m->rep.id), STR("missed"), STR_NONE}};
    struct link_guard g[2];
    struct link_entry le = {.ref = c ? c->msg.id : STR_NONE};
    struct link_commit lc = {.log = str_of(m->rep.id), .entries = &le, .entries_n = 1, .writes = w, .guards = g, .mode = LINK_ANY};
    struct entry e;
    struct buf tail;
    char number[24], due[24];
    int rc;

    *f = (struct shift_flight){.app = a, .cmd = c, .ending = ending, .gone = gone, .kind = kind, .capacity = capacity, .why = why};
    snprintf(f->id, sizeof f->id, "%s", m->rep.id);
    entry_init(&e, kind);
    e.from_role = c ? ROLE_REP : ROLE_SYSTEM;
    if (c)
        e.from = (struct person){str_of(m->rep.id), str_of(m->rep.name)};
    if (kind == KIND_SHIFT_STARTED)
        e.f[FIELD_CAPACITY] = val_int(capacity);
    if (why)
        e.f[FIELD_WHY] = val_s(why);
    buf_init(&tail, 8192);
    entry_write_tail(&tail, &e);
    le.tail = buf_str(&tail);
    snprintf(number, sizeof number, "%lld", (long long)capacity);
    w[0].b = str_of(shifts[kind == KIND_SHIFT_STARTED ? 0 : kind == KIND_SHIFT_PAUSED ? 1 : 2]);
    w[1].b = str_of(number);
    lc.writes_n = kind == KIND_SHIFT_STARTED ? 3 : 1;
    if (ending)
        g[lc.guards_n++] = (struct link_guard){LINK_GUARD_IDLE, LINK_HOLDS, str_of(m->rep.id), STR_NONE, STR_NONE};
    if (gone) {
        snprintf(due, sizeof due, "%lld", (long long)gone->due_ms);
        g[lc.guards_n++] = (struct link_guard){LINK_GUARD_GONE, LINK_PRESENCE, str_of(m->rep.id), STR_NONE, STR_NONE};
        g[lc.guards_n++] = (struct link_guard){LINK_GUARD_DUE, LINK_TIMERS, STR(""), str_of(gone->member), str_of(due)};
        w[lc.writes_n++] = (struct link_write){LINK_ZREM, LINK_TIMERS, STR(""), str_of(gone->member), STR_NONE};
    }
    if (c) {
        lc.person = str_of(m->rep.id);
        lc.id = c->msg.id;
        lc.digest = c->msg.digest;
    }
    rc = link_commit(a->link, &lc, ending ? on_shift_ended : on_shift, f);
    buf_fini(&tail);
    if (rc < 0)
        free(f);
    else if (kind == KIND_SHIFT_STARTED)
        match_member_dirty(a, m); /* the look goes behind it */
    return rc;
}

/* ---- the end of a shift: offers end first, then nothing may be held that waits for an answer (rule 2.9) */

#define ENDING_TRIES 5 /* an offer that was on its way to Redis, here or on another node, is seen by the next try */

struct ending {
    struct cmd *cmd;
    struct member *m;
    unsigned left, tries;
    bool is_serving; /* a chat waits for this rep's answer */
};

static void end_offers(struct ending *e);

static void ending_over(struct ending *e)
{
    e->m->is_ending = false;
    free(e);
}

static void on_shift_ended(void *ctx, const struct link_result *r)
{
    struct shift_flight *f = ctx;
    struct ending *e = f->ending;

    if (r->status == LINK_GUARDED && !e->is_serving && ++e->tries < ENDING_TRIES) {
        free(f);
        end_offers(e);
        return;
    }
    on_shift(f, r);
    ending_over(e);
}

static void end_now(struct ending *e)
{
    if (e->left > 0)
        return;
    if (commit_shift(e->cmd->app, e->cmd, e->m, KIND_SHIFT_ENDED, e->m->rep.capacity, NULL, e, NULL) < 0) {
        answer_cmd_error(e->cmd, CODE_UNAVAILABLE, "redis is away", NULL);
        ending_over(e);
    }
}

static void on_offer_ended(struct cmd *c, enum code code)
{
    struct ending *e = c->done_ctx;
    const struct chat *chat = &c->slot->chat;

    (void)code; /* what is still held then is said by the guard */
    if ((chat->state == CHAT_ASSIGNED || chat->state == CHAT_ACTIVE) && strcmp(chat->handler.id, e->m->rep.id) == 0)
        e->is_serving = true;
    e->left--;
    end_now(e);
}

static void on_ending_holds(void *ctx, const struct redis_reply *r)
{
    struct ending *e = ctx;

    if (!r || redis_reply_type(r) != REDIS_LIST) {
        answer_cmd_error(e->cmd, CODE_UNAVAILABLE, "redis is away", NULL);
        ending_over(e);
        return;
    }
    e->left = 1;
    e->is_serving = false;
    for (size_t i = 0; i < redis_reply_n(r); i++) {
        struct cmd *c = cmd_create(e->cmd->app, CMD_GONE);

        snprintf(c->target, sizeof c->target, "%s", e->m->rep.id);
        c->why = "shift";
        c->done = on_offer_ended;
        c->done_ctx = e;
        e->left++;
        slot_push(slot_get(c->app, redis_reply_str(redis_reply_at(r, i))), c);
    }
    e->left--;
    end_now(e);
}

static void end_offers(struct ending *e)
{
    const char *argv[] = {"HKEYS"};

    if (link_call(e->cmd->app->link, LINK_HOLDS, str_of(e->m->rep.id), 1, argv, NULL, on_ending_holds, e) < 0) {
        answer_cmd_error(e->cmd, CODE_UNAVAILABLE, "redis is away", NULL);
        ending_over(e);
    }
}

/* Of a repeat, whose first try ended an earlier shift, nothing may follow: this one's offers stand (PROMISES 2.1). */
static void on_end_looked_up(void *ctx, const struct link_result *r)
{
    struct ending *e = ctx;

    if (!r) {
        end_offers(e);
        return;
    }
    if (r->status != LINK_SEEN)
        answer_cmd_error(e->cmd, CODE_UNAVAILABLE, "redis gave no answer", NULL);
    else if (r->same)
        answer_cmd_ok(e->cmd, NULL);
    else
        answer_cmd_error(e->cmd, CODE_CONFLICT, "this id was used for something else", NULL);
    ending_over(e);
}

static void end_shift(struct cmd *cmd, struct member *m)
{
    struct ending *e = mem_zalloc(sizeof *e);
    struct str id = str_of(m->rep.id);

    *e = (struct ending){.cmd = cmd, .m = m};
    m->is_ending = true;
    if (link_find_id(cmd->app->link, id, id, cmd->msg.id, false, cmd->msg.digest, on_end_looked_up, e) == 0)
        return;
    answer_cmd_error(cmd, CODE_UNAVAILABLE, "redis is away", NULL);
    ending_over(e);
}

static int change_shift(struct cmd *c, struct member *m, enum kind kind, int64_t capacity)
{
    if (kind != KIND_SHIFT_ENDED)
        return commit_shift(c->app, c, m, kind, capacity, NULL, NULL, NULL);
    end_shift(c, m);
    return 0;
}

static void on_kept(void *ctx, const struct link_result *r)
{
    struct shift_flight *f = ctx;
    struct cmd *c = f->cmd;

    if (r->status == LINK_DONE) {
        answer_cmd_ok(c, NULL);
    } else if (r->status != LINK_GUARDED) {
        on_shift(f, r);
        return;
    } else if (change_shift(c, people_find(f->app, str_of(f->id)), f->kind, f->capacity) < 0) {
        answer_cmd_error(c, CODE_UNAVAILABLE, "redis is away", NULL);
    }
    free(f);
}

/*
 * It is so already, as far as this node knows: nothing is written, and the id is kept, so that a repeat changes nothing either that comes when
 * it is so no more (PROMISES 2.1). Where another node was quicker the guards say so, and it is a change.
 */
static int keep_shift(struct cmd *c, struct member *m, enum kind kind, int64_t capacity)
{
    struct shift_flight *f = mem_zalloc(sizeof *f);
    struct str id = str_of(m->rep.id);
    struct link_guard g[2] = {{LINK_GUARD_EQ, LINK_REP, id, STR("shift"), str_of(shift_name(m->rep.shift))},
                              {LINK_GUARD_EQ, LINK_REP, id, STR("capacity"), STR_NONE}};
    struct link_commit lc = {.log = id, .person = id, .id = c->msg.id, .digest = c->msg.digest, .guards = g,
                             .guards_n = kind == KIND_SHIFT_STARTED ? 2 : 1, .mode = LINK_ANY};
    char number[24];
    int rc;

    *f = (struct shift_flight){.app = c->app, .cmd = c, .kind = kind, .capacity = capacity};
    snprintf(f->id, sizeof f->id, "%s", m->rep.id);
    snprintf(number, sizeof number, "%lld", (long long)capacity);
    g[1].b = str_of(number);
    rc = link_commit(c->app->link, &lc, on_kept, f);
    if (rc < 0)
        free(f);
    return rc;
}

void people_shift(struct cmd *c)
{
    struct member *m = people_find(c->app, str_of(c->conn->person));
    int64_t capacity = c->msg.f[FIELD_CAPACITY].type == VAL_INT ? c->msg.f[FIELD_CAPACITY].i : m ? m->rep.capacity : 0;
    bool end = c->msg.type == MSG_SHIFT_END;
    enum kind kind = c->msg.type == MSG_SHIFT_START ? KIND_SHIFT_STARTED : end ? KIND_SHIFT_ENDED : KIND_SHIFT_PAUSED;
    bool is_so;

    if (!m || !m->is_loaded) {
        answer_cmd_error(c, CODE_UNAVAILABLE, "the account is being read", NULL);
        return;
    }
    if (capacity < 1)
        capacity = PEOPLE_CAPACITY_DEFAULT;
    if (capacity > PEOPLE_CAPACITY_MAX)
        capacity = PEOPLE_CAPACITY_MAX;
    is_so = (kind == KIND_SHIFT_STARTED && m->rep.shift == SHIFT_ON && m->rep.capacity == capacity) ||
            (kind == KIND_SHIFT_PAUSED && m->rep.shift == SHIFT_PAUSED) || (end && m->rep.shift == SHIFT_OFF);
    if ((is_so ? keep_shift(c, m, kind, capacity) : change_shift(c, m, kind, capacity)) < 0)
        answer_cmd_error(c, CODE_UNAVAILABLE, "redis is away", NULL);
}

/* ---- offers missed in a row */

struct missing {
    struct app *app;
    char id[ID_SIZE];
};

static void on_missed(void *ctx, const struct redis_reply *r)
{
    struct missing *k = ctx;
    struct member *m = people_find(k->app, str_of(k->id));

    if (m && r && redis_reply_type(r) == REDIS_INT && redis_reply_int(r) >= k->app->cfg->routing.missed_pause && m->rep.shift == SHIFT_ON) {
        log_info("app", "paused rep=%s missed=%lld", k->id, (long long)redis_reply_int(r));
        people_answered(k->app, k->id);
        if (commit_shift(k->app, NULL, m, KIND_SHIFT_PAUSED, m->rep.capacity, WHY_MISSED, NULL, NULL) < 0)
            count_over(k->app, m);
    } else if (m) {
        count_over(k->app, m);
    }
    free(k);
}

void people_missed(struct app *a, const char *id)
{
    const char *argv[] = {"HINCRBY", "missed", "1"};
    struct missing *k = mem_zalloc(sizeof *k);
    struct member *m = people_find(a, str_of(id));

    k->app = a;
    str_keep(str_of(id), k->id, sizeof k->id);
    if (link_call(a->link, LINK_REP, str_of(id), 3, argv, NULL, on_missed, k) < 0)
        free(k);
    else if (m)
        m->is_missing = true;
}

void people_answered(struct app *a, const char *id)
{
    const char *argv[] = {"HDEL", "missed"};

    link_call(a->link, LINK_REP, str_of(id), 2, argv, NULL, NULL, NULL);
}

/* ---- grace times (rules 2.8, presence) */

static void one_less(struct gone *g, bool ok)
{
    g->failed = g->failed || !ok;
    if (--g->left > 0)
        return;
    if (!g->failed) /* else it stays, and fires again */
        timers_take(g->app, g->member, g->due_ms);
    free(g);
}

static void on_chat_gone(struct cmd *c, enum code code)
{
    one_less(c->done_ctx, code != CODE_UNAVAILABLE);
}

static void on_longer(void *ctx, const struct redis_reply *r)
{
    one_less(ctx, r && redis_reply_type(r) == REDIS_INT);
}

/* Its department gives more time: there is, or now comes, a timer of that length. */
static void wait_longer(struct gone *g, int64_t ms)
{
    char member[ID_SIZE + 32], at[24];
    const char *argv[] = {"ZADD", "NX", at, member};

    snprintf(member, sizeof member, "%s|grace%lld", g->id, (long long)ms);
    snprintf(at, sizeof at, "%lld", (long long)(g->due_ms + ms - g->ms));
    if (link_call(g->app->link, LINK_TIMERS, STR(""), 4, argv, NULL, on_longer, g) < 0)
        one_less(g, false);
}

static void on_held_known(struct slot *s, void *ctx)
{
    struct gone *g = ctx;
    int64_t ms = match_spans(s->app, s->chat.department)->grace_ms;
    struct cmd *c;

    if (!s->is_unread && ms > g->ms) {
        wait_longer(g, ms);
        return;
    }
    c = cmd_create(g->app, CMD_GONE);
    snprintf(c->target, sizeof c->target, "%s", g->id);
    c->why = "connection";
    c->due_ms = g->due_ms;
    snprintf(c->absence, sizeof c->absence, "%s", strchr(g->member, '|') + 1);
    c->done = on_chat_gone;
    c->done_ctx = g;
    slot_push(s, c);
}

static void on_holds(void *ctx, const struct redis_reply *r)
{
    struct gone *g = ctx;

    if (!r || redis_reply_type(r) != REDIS_LIST) {
        free(g);
        return;
    }
    g->left = (unsigned)redis_reply_n(r) + 1;
    for (size_t i = 0; i < redis_reply_n(r); i++)
        slot_when_loaded(slot_get(g->app, redis_reply_str(redis_reply_at(r, i))), on_held_known, g);
    one_less(g, true);
}

/* ---- a closed account (rule 2.9) */

static void on_closed_holds(void *ctx, const struct redis_reply *r)
{
    struct gone *g = ctx;

    for (size_t i = 0; r && redis_reply_type(r) == REDIS_LIST && i < redis_reply_n(r); i++) {
        struct cmd *c = cmd_create(g->app, CMD_GONE);

        snprintf(c->target, sizeof c->target, "%s", g->id);
        c->why = "account";
        slot_push(slot_get(g->app, redis_reply_str(redis_reply_at(r, i))), c);
    }
    free(g);
}

void people_closed(struct app *a, const struct member *m)
{
    struct gone *g = mem_zalloc(sizeof *g);
    const char *argv[] = {"HKEYS"};

    g->app = a;
    snprintf(g->id, sizeof g->id, "%s", m->rep.id);
    if (link_call(a->link, LINK_HOLDS, str_of(m->rep.id), 1, argv, NULL, on_closed_holds, g) < 0)
        free(g); /* people are read again when Redis is back */
}

/* "grace": the site's; "grace45000": those of departments that give so much. */
static int64_t grace_of(const struct app *a, struct str name)
{
    int64_t ms = 0;

    for (size_t i = 5; i < name.n && name.s[i] >= '0' && name.s[i] <= '9' && ms < INT64_MAX / 16; i++)
        ms = ms * 10 + (name.s[i] - '0');
    return name.n > 5 ? ms : a->spans.grace_ms;
}

static void grace_over(struct gone *g)
{
    const char *keys[] = {"HKEYS"};

    if (link_call(g->app->link, LINK_HOLDS, str_of(g->id), 1, keys, NULL, on_holds, g) < 0)
        free(g);
}

static void away_over(void *ctx, struct member *m)
{
    struct gone *g = ctx;

    if (m && !m->is_loaded)
        ; /* it fires again */
    else if (!m || m->rep.shift != SHIFT_ON)
        timers_take(g->app, g->member, g->due_ms);
    else if (commit_shift(g->app, NULL, m, KIND_SHIFT_PAUSED, m->rep.capacity, "away", NULL, g) == 0)
        return;
    free(g);
}

void people_gone(struct app *a, struct str id, struct str name, int64_t due_ms)
{
    struct gone *g = mem_zalloc(sizeof *g);

    *g = (struct gone){.app = a, .ms = grace_of(a, name), .due_ms = due_ms};
    str_keep(id, g->id, sizeof g->id);
    snprintf(g->member, sizeof g->member, "%.*s|%.*s", STR_FMT(id), STR_FMT(name));
    if (name.n >= 5 && memcmp(name.s, "grace", 5) == 0)
        grace_over(g);
    else
        people_when_known(a, id, away_over, g);
}

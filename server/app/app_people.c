/* Staff as this node knows them: accounts and shifts from their logs, presence, what a decision may count on. */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

struct member *people_find(struct app *a, struct str id)
{
    return map_get(&a->members, id);
}

struct member *people_by_login(struct app *a, struct str login)
{
    struct map_item *it;
    uint32_t i = 0;

    while ((it = map_next(&a->members, &i))) {
        struct member *m = it->value;

        if (m->is_loaded && str_is(login, m->rep.login))
            return m;
    }
    return NULL;
}

static struct member *member_get(struct app *a, struct str id)
{
    struct member *m = people_find(a, id);

    if (m || id.n >= ID_SIZE)
        return m;
    m = mem_zalloc(sizeof *m);
    memcpy(m->rep.id, id.s, id.n);
    map_put(&a->members, id, m);
    return m;
}

const char *people_state(const struct member *m)
{
    bool here = m->conns || m->present_elsewhere;

    if (m->rep.shift == SHIFT_OFF)
        return "off";
    return !here ? "away" : m->rep.shift == SHIFT_PAUSED ? "paused" : "on";
}

/* ---- logs of people */

struct reading {
    struct app *app;
    char id[ID_SIZE];
    bool first;
};

static void drop_connections(struct app *a, struct member *m)
{
    (void)a;
    for (struct conn *c = m->conns; c; c = c->next_of_person)
        net_close(c->net, 1008, "the account is closed");
}

static void on_person_read(void *ctx, const struct redis_reply *list)
{
    struct reading *r = ctx;
    struct app *a = r->app;
    struct member *m = people_find(a, str_of(r->id));

    m->is_loading = false;
    if (!list || redis_reply_type(list) != REDIS_LIST) {
        m->is_stale = true;
    } else {
        for (size_t i = 0; i < redis_reply_n(list); i++) {
            struct link_stored st;
            struct entry e;

            if (!link_stored_read(redis_reply_str(redis_reply_at(list, i)), &st))
                continue;
            if (entry_read(st.frame, &e, NULL) == 0 && e.seq > m->rep.version)
                people_apply(&m->rep, &e);
            entry_fini(&e);
        }
        m->is_loaded = m->rep.version > 0;
        if (m->rep.disabled)
            drop_connections(a, m);
        for (struct conn *c = m->conns; c; c = c->next_of_person) {
            c->roles = m->rep.roles;
            if (!app_secret_holds(m, c->password_version))
                net_close(c->net, 1008, "the password was changed");
        }
        people_tell_presence(a, m);
        match_all_dirty(a);
        if (m->is_stale) {
            m->is_stale = false;
            people_reload(a, str_of(r->id));
        }
    }
    if (r->first && a->people_left > 0 && --a->people_left == 0) {
        a->people_read = true;
        app_check_ready(a);
    }
    free(r);
}

static void read_person(struct app *a, struct str id, bool first)
{
    struct member *m = member_get(a, id);
    struct reading *r;

    if (!m)
        return;
    if (m->is_loading) {
        m->is_stale = true;
        return;
    }
    r = mem_zalloc(sizeof *r);
    r->app = a;
    r->first = first;
    snprintf(r->id, sizeof r->id, "%s", m->rep.id);
    m->is_loading = link_read(a->link, id, m->rep.version, -1, on_person_read, r) == 0;
    if (!m->is_loading) {
        m->is_stale = true;
        free(r);
    }
}

void people_reload(struct app *a, struct str id)
{
    read_person(a, id, false);
}

struct knowing {
    struct app *app;
    char id[ID_SIZE];
    void (*fn)(void *ctx, struct member *m);
    void *ctx;
};

static void on_known(void *ctx, const struct redis_reply *r)
{
    struct knowing *k = ctx;
    struct member *m = people_find(k->app, str_of(k->id));

    (void)r; /* answers come in order: what was asked before has been read */
    k->fn(k->ctx, m && m->is_loaded ? m : NULL);
    free(k);
}

void people_when_known(struct app *a, struct str id, void (*fn)(void *ctx, struct member *m), void *ctx)
{
    struct member *m = people_find(a, id);
    struct knowing *k;

    if ((m && m->is_loaded) || id.n >= ID_SIZE || id.n == 0 || id.s[0] != 'r') {
        fn(ctx, m && m->is_loaded ? m : NULL);
        return;
    }
    k = mem_zalloc(sizeof *k);
    *k = (struct knowing){a, "", fn, ctx};
    memcpy(k->id, id.s, id.n);
    people_reload(a, id);
    if (link_read(a->link, id, 0, 1, on_known, k) < 0) {
        free(k);
        fn(ctx, NULL);
    }
}

void people_on_log(struct app *a, struct str id)
{
    if (id.n > 2 && id.s[0] == 'r')
        people_reload(a, id);
}

static void on_people(void *ctx, const struct redis_reply *r)
{
    struct app *a = ctx;

    if (!r || redis_reply_type(r) != REDIS_LIST)
        return; /* on_up comes again after the reconnect */
    a->people_left = (unsigned)redis_reply_n(r);
    if (a->people_left == 0) {
        a->people_read = true;
        app_check_ready(a);
    }
    for (size_t i = 0; i < redis_reply_n(r); i++)
        read_person(a, redis_reply_str(redis_reply_at(r, i)), true);
}

void people_start(struct app *a)
{
    const char *argv[] = {"SMEMBERS"};
    struct map_item *it;
    uint32_t i = 0;

    link_call(a->link, LINK_PEOPLE, STR(""), 1, argv, NULL, on_people, a);
    while ((it = map_next(&a->members, &i))) { /* after a reconnect: what was true of presence is said again */
        struct member *m = it->value;

        m->is_loading = false;
        if (m->conns)
            people_join(a, NULL);
    }
}

/* ---- presence */

static void say_presence(struct app *a, struct member *m, bool join)
{
    char grace[ID_SIZE + 8], away[ID_SIZE + 8];
    const char *members[] = {grace, away};
    const int64_t ms[] = {a->cfg->ownership.grace_ms, a->cfg->presence.grace_ms};

    snprintf(grace, sizeof grace, "%s|grace", m->rep.id);
    snprintf(away, sizeof away, "%s|away", m->rep.id);
    link_presence(a->link, NULL, join, str_of(m->rep.id), members, ms, 2);
}

/* conn NULL: everybody here joins again (Redis is back). */
void people_join(struct app *a, struct conn *c)
{
    struct map_item *it;
    uint32_t i = 0;

    if (c) {
        struct member *m = member_get(a, str_of(c->person));

        c->next_of_person = m->conns;
        m->conns = c;
        if (!c->next_of_person) {
            say_presence(a, m, true);
            people_tell_presence(a, m);
            match_all_dirty(a);
        }
        return;
    }
    while ((it = map_next(&a->members, &i))) {
        struct member *m = it->value;

        if (m->conns)
            say_presence(a, m, true);
    }
}

void people_leave(struct app *a, struct conn *c)
{
    struct member *m = people_find(a, str_of(c->person));
    struct conn **at = m ? &m->conns : NULL;

    while (at && *at && *at != c)
        at = &(*at)->next_of_person;
    if (!at || !*at)
        return; /* it never said hello */
    *at = c->next_of_person;
    if (m->conns)
        return;
    say_presence(a, m, false);
    people_tell_presence(a, m);
    match_all_dirty(a);
}

void people_tell_presence(struct app *a, const struct member *m)
{
    struct buf b;

    if (!m->is_loaded)
        return;
    buf_init(&b, 8192);
    buf_add_s(&b, "{\"t\":\"presence\"");
    json_kv_s(&b, "rep", m->rep.id);
    json_kv_s(&b, "name", m->rep.name);
    json_kv_s(&b, "state", people_state(m));
    json_key(&b, "departments");
    json_open(&b, '[');
    for (unsigned i = 0; i < m->rep.departments.n; i++)
        json_text(&b, str_of(m->rep.departments.item[i]));
    json_close(&b, ']');
    buf_add_c(&b, '}');
    for (struct conn *c = a->conns; c; c = c->next_all)
        if (c->is_staff && c->is_ready)
            signal_raw(c, crypto_short_hash(m->rep.id, strlen(m->rep.id)), buf_str(&b));
    buf_fini(&b);
}

/* ---- shifts */

struct ending;

struct shift_flight {
    struct app *app;
    struct cmd *cmd;   /* NULL: the system's (away) */
    struct ending *ending; /* NULL: no end of a shift */
    char id[ID_SIZE];
    enum kind kind;
    int64_t capacity;
    const char *why;
};

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
        if (m->rep.version + 1 == r->first)
            people_apply(&m->rep, &e);
        else
            people_reload(f->app, str_of(f->id));
        people_tell_presence(f->app, m);
        match_all_dirty(f->app);
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
        break;
    default:
        if (f->cmd)
            answer_cmd_error(f->cmd, CODE_UNAVAILABLE, "the log can't be written now", NULL);
    }
    free(f);
}

static void on_shift_ended(void *ctx, const struct link_result *r);

/* Writes a shift entry; guard, ending: NULL none. */
static int commit_shift(struct app *a, struct cmd *c, struct member *m, enum kind kind, int64_t capacity, const char *why,
                        const struct link_guard *guard, struct ending *ending)
{
    static const char *const shifts[] = {"on", "paused", "off"};
    struct shift_flight *f = mem_zalloc(sizeof *f);
    struct link_write w[2] = {{LINK_HSET, LINK_REP, str_of(m->rep.id), STR("shift"), STR_NONE},
                              {LINK_HSET, LINK_REP, str_of(m->rep.id), STR("capacity"), STR_NONE}};
    struct link_entry le = {.ref = c ? c->msg.id : STR_NONE};
    struct link_commit lc = {.log = str_of(m->rep.id), .entries = &le, .entries_n = 1, .writes = w, .guards = guard,
                             .guards_n = guard ? 1 : 0, .mode = LINK_ANY};
    struct entry e;
    struct buf tail;
    char number[24];
    int rc;

    *f = (struct shift_flight){.app = a, .cmd = c, .ending = ending, .kind = kind, .capacity = capacity, .why = why};
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
    lc.writes_n = kind == KIND_SHIFT_STARTED ? 2 : 1;
    if (c) {
        lc.person = str_of(m->rep.id);
        lc.id = c->msg.id;
        lc.digest = c->msg.digest;
    }
    rc = link_commit(a->link, &lc, ending ? on_shift_ended : on_shift, f);
    buf_fini(&tail);
    if (rc < 0)
        free(f);
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
    struct link_guard idle = {LINK_GUARD_IDLE, LINK_HOLDS, str_of(e->m->rep.id), STR_NONE, STR_NONE};

    if (e->left > 0)
        return;
    if (commit_shift(e->cmd->app, e->cmd, e->m, KIND_SHIFT_ENDED, e->m->rep.capacity, NULL, &idle, e) < 0) {
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

static void end_shift(struct cmd *cmd, struct member *m)
{
    struct ending *e = mem_zalloc(sizeof *e);

    *e = (struct ending){.cmd = cmd, .m = m};
    m->is_ending = true;
    end_offers(e);
}

void people_shift(struct cmd *c)
{
    struct member *m = people_find(c->app, str_of(c->conn->person));
    int64_t capacity = c->msg.f[FIELD_CAPACITY].type == VAL_INT ? c->msg.f[FIELD_CAPACITY].i : m ? m->rep.capacity : 0;
    bool end = c->msg.type == MSG_SHIFT_END;
    enum kind kind = c->msg.type == MSG_SHIFT_START ? KIND_SHIFT_STARTED : end ? KIND_SHIFT_ENDED : KIND_SHIFT_PAUSED;

    if (!m || !m->is_loaded) {
        answer_cmd_error(c, CODE_UNAVAILABLE, "the account is being read", NULL);
        return;
    }
    if (capacity < 1)
        capacity = PEOPLE_CAPACITY_DEFAULT;
    if (capacity > PEOPLE_CAPACITY_MAX)
        capacity = PEOPLE_CAPACITY_MAX;
    if ((kind == KIND_SHIFT_STARTED && m->rep.shift == SHIFT_ON && m->rep.capacity == capacity) ||
        (kind == KIND_SHIFT_PAUSED && m->rep.shift == SHIFT_PAUSED) || (end && m->rep.shift == SHIFT_OFF)) {
        answer_cmd_ok(c, NULL);
        return;
    }
    if (end)
        end_shift(c, m);
    else if (commit_shift(c->app, c, m, kind, capacity, NULL, NULL, NULL) < 0)
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
        commit_shift(k->app, NULL, m, KIND_SHIFT_PAUSED, m->rep.capacity, "missed", NULL, NULL);
        people_took(k->app, k->id);
    }
    free(k);
}

void people_missed(struct app *a, const char *id)
{
    const char *argv[] = {"HINCRBY", "missed", "1"};
    struct missing *k = mem_zalloc(sizeof *k);

    k->app = a;
    snprintf(k->id, sizeof k->id, "%s", id);
    if (link_call(a->link, LINK_REP, str_of(id), 3, argv, NULL, on_missed, k) < 0)
        free(k);
}

void people_took(struct app *a, const char *id)
{
    const char *argv[] = {"HDEL", "missed"};

    link_call(a->link, LINK_REP, str_of(id), 2, argv, NULL, NULL, NULL);
}

/* ---- grace times (rules 2.8, presence) */

struct gone {
    struct app *app;
    char id[ID_SIZE];
    unsigned left;
    bool failed;
};

static void gone_end(struct gone *g)
{
    char member[ID_SIZE + 8];
    const char *argv[] = {"ZREM", member};

    if (g->left > 0)
        return;
    snprintf(member, sizeof member, "%s|grace", g->id);
    if (!g->failed)
        link_call(g->app->link, LINK_TIMERS, STR(""), 2, argv, NULL, NULL, NULL);
    free(g);
}

static void on_chat_gone(struct cmd *c, enum code code)
{
    struct gone *g = c->done_ctx;

    g->left--;
    if (code == CODE_UNAVAILABLE)
        g->failed = true; /* the timer stays, and fires again */
    gone_end(g);
}

static void on_holds(void *ctx, const struct redis_reply *r)
{
    struct gone *g = ctx;

    if (!r || redis_reply_type(r) != REDIS_LIST) {
        free(g);
        return;
    }
    g->left = 1;
    for (size_t i = 0; i < redis_reply_n(r); i++) {
        struct cmd *c = cmd_create(g->app, CMD_GONE);

        snprintf(c->target, sizeof c->target, "%s", g->id);
        c->why = "connection";
        c->done = on_chat_gone;
        c->done_ctx = g;
        g->left++;
        slot_push(slot_get(g->app, redis_reply_str(redis_reply_at(r, i))), c);
    }
    g->left--;
    gone_end(g);
}

void people_gone(struct app *a, struct str id, bool grace, int64_t due_ms)
{
    struct member *m = people_find(a, id);
    struct link_guard gone = {LINK_GUARD_GONE, LINK_PRESENCE, id, STR_NONE, STR_NONE};
    char member[ID_SIZE + 8];
    const char *argv[] = {"ZREM", member};

    (void)due_ms;
    if (grace) {
        struct gone *g = mem_zalloc(sizeof *g);
        const char *keys[] = {"HKEYS"};

        g->app = a;
        snprintf(g->id, sizeof g->id, "%.*s", STR_FMT(id));
        if (link_call(a->link, LINK_HOLDS, id, 1, keys, NULL, on_holds, g) < 0)
            free(g);
        return;
    }
    snprintf(member, sizeof member, "%.*s|away", STR_FMT(id));
    if (m && m->is_loaded && m->rep.shift == SHIFT_ON && commit_shift(a, NULL, m, KIND_SHIFT_PAUSED, m->rep.capacity, "away", &gone, NULL) < 0)
        return;
    link_call(a->link, LINK_TIMERS, STR(""), 2, argv, NULL, NULL, NULL);
}

/* ---- facts and lists */

void people_fact(struct app *a, struct str id, struct str department, bool denied, struct chat_rep *out)
{
    struct member *m = people_find(a, id);

    memset(out, 0, sizeof *out);
    if (id.n < ID_SIZE)
        memcpy(out->id, id.s, id.n);
    out->name = m ? m->rep.name : "";
    if (!m || !m->is_loaded)
        return;
    m->rep.is_present = m->conns || m->present_elsewhere;
    out->in_department = people_is_in(&m->rep, department);
    /* Room is judged by the guard of the commit: here it is taken as given until that guard says no. */
    out->may_take = people_is_available(&m->rep) && !denied;
    out->has_room = !denied;
}

void people_write_list(struct app *a, struct buf *b)
{
    struct map_item *it;
    uint32_t i = 0;

    json_open(b, '[');
    while ((it = map_next(&a->members, &i))) {
        struct member *m = it->value;

        if (!m->is_loaded || m->rep.disabled || !(m->rep.roles & (ROLE_REP | ROLE_LEAD)))
            continue;
        json_open(b, '{');
        json_kv_s(b, "id", m->rep.id);
        json_kv_s(b, "name", m->rep.name);
        json_kv_s(b, "state", people_state(m));
        json_key(b, "departments");
        json_open(b, '[');
        for (unsigned k = 0; k < m->rep.departments.n; k++)
            json_text(b, str_of(m->rep.departments.item[k]));
        json_close(b, ']');
        json_close(b, '}');
    }
    json_close(b, ']');
}

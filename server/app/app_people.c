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
};

static void drop_connections(struct app *a, struct member *m)
{
    (void)a;
    for (struct conn *c = m->conns; c; c = c->next_of_person)
        net_close(c->net, 1008, "the account is closed");
}

static void all_read(struct app *a)
{
    if (a->people_left > 0 || a->people_read)
        return;
    a->people_read = true;
    app_check_ready(a);
}

static void on_person_read(void *ctx, const struct redis_reply *list)
{
    struct reading *r = ctx;
    struct app *a = r->app;
    struct member *m = people_find(a, str_of(r->id));
    bool changed = false;

    m->is_loading = false;
    if (!list || redis_reply_type(list) != REDIS_LIST) {
        m->is_stale = true;
    } else {
        for (size_t i = 1; i < redis_reply_n(list); i++) { /* the first is a place */
            struct link_stored st;
            struct entry e;

            if (!link_stored_read(redis_reply_str(redis_reply_at(list, i)), &st))
                continue;
            if (entry_read(st.frame, &e, NULL) == 0 && e.seq > m->rep.version) {
                changed = changed || e.kind == KIND_ACCOUNT_CHANGED;
                people_apply(&m->rep, &e);
            }
            entry_fini(&e);
        }
        m->is_loaded = m->rep.version > 0;
        a->accounts_n++;
        if (m->rep.disabled) {
            drop_connections(a, m);
            people_closed(a, m);
        }
        for (struct conn *c = m->conns; c; c = c->next_of_person) {
            if (changed)
                staff_roles_changed(c, m->rep.roles);
            if (!app_secret_holds(m, c->password_version))
                net_close(c->net, 1008, "the password was changed");
        }
        people_tell_presence(a, m);
        match_member_changed(a, m);
        if (m->is_stale) {
            m->is_stale = false;
            people_reload(a, str_of(r->id));
        }
    }
    if (list && m->is_awaited) { /* one that can't be read keeps nobody else away */
        m->is_awaited = false;
        a->people_left--;
        all_read(a);
    }
    free(r);
}

void people_reload(struct app *a, struct str id)
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
    snprintf(r->id, sizeof r->id, "%s", m->rep.id);
    m->is_loading = link_read_after(a->link, id, m->rep.version, -1, on_person_read, r) == 0;
    m->is_stale = !m->is_loading;
    if (!m->is_loading)
        free(r);
}

struct knowing {
    struct app *app;
    char id[ID_SIZE];
    void (*fn)(void *ctx, struct member *m);
    void *ctx;
    bool fresh; /* what is being read is waited for, also of who is known */
};

/* Answers come in order: what was asked before has been read, but for a script that Redis forgot, which was sent again behind this. */
static void on_known(void *ctx, const struct redis_reply *r)
{
    struct knowing *k = ctx;
    struct member *m = people_find(k->app, str_of(k->id));
    bool is_nobody = r && redis_reply_type(r) == REDIS_LIST && redis_reply_n(r) == 0;

    if (r && m && m->is_loading && (k->fresh || !m->is_loaded) && link_read(k->app->link, str_of(k->id), 0, 1, on_known, k) == 0)
        return;
    k->fn(k->ctx, m && (m->is_loaded || !is_nobody) ? m : NULL);
    free(k);
}

static void when_read(struct app *a, struct str id, bool fresh, void (*fn)(void *ctx, struct member *m), void *ctx)
{
    struct knowing *k;

    if (id.n >= ID_SIZE || id.n == 0 || id.s[0] != 'r') {
        fn(ctx, NULL);
        return;
    }
    k = mem_zalloc(sizeof *k);
    *k = (struct knowing){a, "", fn, ctx, fresh};
    memcpy(k->id, id.s, id.n);
    people_reload(a, str_of(k->id));
    if (link_read(a->link, str_of(k->id), 0, 1, on_known, k) < 0) {
        fn(ctx, people_find(a, str_of(k->id)));
        free(k);
    }
}

void people_when_known(struct app *a, struct str id, void (*fn)(void *ctx, struct member *m), void *ctx)
{
    struct member *m = people_find(a, id);

    if (m && m->is_loaded)
        fn(ctx, m);
    else
        when_read(a, id, false, fn, ctx);
}

void people_when_fresh(struct app *a, struct str id, void (*fn)(void *ctx, struct member *m), void *ctx)
{
    when_read(a, id, true, fn, ctx);
}

void people_on_log(struct app *a, struct str id)
{
    if (id.n > 2 && id.s[0] == 'r')
        people_reload(a, id);
}

/* The site is new, or its live data was lost: of that this node is sure if it knew somebody. */
static void say_none(struct app *a)
{
    int64_t rows = 0;
    char head[65];

    if (a->members.n > 0)
        a->hole_at_ms = (int64_t)uv_now(a->loop);
    if (a->archive)
        archive_head(a->archive, &rows, head);
    if (rows > 0)
        log_warn("app",
                 "no account is in the live data: `firstline user restore` brings back those of the archive");
}

static void on_people(void *ctx, const struct redis_reply *r)
{
    struct app *a = ctx;

    if (!r || redis_reply_type(r) != REDIS_LIST)
        return; /* people_look() */
    if (redis_reply_n(r) == 0)
        say_none(a);
    for (size_t i = 0; i < redis_reply_n(r); i++) {
        struct member *m = member_get(a, redis_reply_str(redis_reply_at(r, i)));

        if (!m)
            continue;
        a->people_left += !m->is_awaited;
        m->is_awaited = true;
        people_reload(a, str_of(m->rep.id));
    }
    all_read(a);
}

static void list(struct app *a)
{
    const char *argv[] = {"SMEMBERS"};

    link_call(a->link, LINK_PEOPLE, STR(""), 1, argv, NULL, on_people, a);
}

void people_start(struct app *a)
{
    struct map_item *it;
    uint32_t i = 0;

    while ((it = map_next(&a->members, &i)))
        ((struct member *)it->value)->is_loading = false;
    list(a);
    people_join(a, NULL); /* after a reconnect: what was true of presence is said again */
}

void people_look(struct app *a)
{
    struct map_item *it;
    uint32_t i = 0;

    if (!a->people_read && a->people_left == 0)
        list(a);
    while ((it = map_next(&a->members, &i))) {
        struct member *m = it->value;

        if (m->is_stale && !m->is_loading)
            people_reload(a, str_of(m->rep.id));
    }
}

void people_forget_ids(struct app *a)
{
    struct map_item *it = map_next(&a->members, &a->ids_at);

    if (!it)
        a->ids_at = 0;
    else if (link_clock_is_sure(a->link))
        link_forget_ids(a->link, (struct str){it->key, it->key_n}, app_now_ms(a));
}

/* ---- presence */

static bool has_span(const struct absence *x, int64_t ms)
{
    for (unsigned i = 0; i < x->n; i++)
        if (x->ms[i] == ms)
            return true;
    return false;
}

static void add_absence(struct absence *out, struct str id, const char *name, int64_t ms, bool of_its_length)
{
    char *member = out->member[out->n];
    int n = snprintf(member, sizeof out->member[0], "%.*s|%s", STR_FMT(id), name);

    if (of_its_length)
        snprintf(member + n, sizeof out->member[0] - (size_t)n, "%lld", (long long)ms);
    out->members[out->n] = member;
    out->ms[out->n++] = ms;
}

void people_absence(const struct app *a, struct str id, struct absence *out)
{
    out->n = 0;
    add_absence(out, id, "grace", a->spans.grace_ms, false);
    for (unsigned i = 0; i < a->departments_n && out->n + 2 < ABSENCE_MAX; i++)
        if (!has_span(out, a->departments[i].spans.grace_ms))
            add_absence(out, id, "grace", a->departments[i].spans.grace_ms, true);
    add_absence(out, id, "away", a->cfg->presence.grace_ms, false);
}

/* A leave that is lost is made up for by nodes_sweep(). */
static void say_presence(struct app *a, struct member *m, bool join)
{
    struct absence x;

    people_absence(a, str_of(m->rep.id), &x);
    link_presence(a->link, NULL, join, str_of(m->rep.id), x.members, x.ms, x.n, NULL, NULL);
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
            match_member_dirty(a, m);
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
    match_member_dirty(a, m);
}

void people_present(struct app *a, struct str person, int nodes)
{
    struct member *m = person.n && person.s[0] == 'r' ? people_find(a, person) : NULL;

    if (!m)
        return;
    m->present_elsewhere = nodes > (m->conns ? 1 : 0);
    people_tell_presence(a, m);
    match_member_dirty(a, m);
}

void people_tell_presence(struct app *a, struct member *m)
{
    struct buf b;
    uint64_t told;

    if (!m->is_loaded)
        return;
    buf_init(&b, 8192);
    buf_add_s(&b, "{\"t\":\"presence\"");
    json_kv_s(&b, "rep", m->rep.id);
    json_kv_s(&b, "name", m->rep.name);
    json_kv_s(&b, "state", people_state(m));
    if (m->rep.pause_why[0])
        json_kv_s(&b, "why", m->rep.pause_why);
    json_key(&b, "departments");
    json_open(&b, '[');
    for (unsigned i = 0; i < m->rep.departments.n; i++)
        json_text(&b, str_of(m->rep.departments.item[i]));
    json_close(&b, ']');
    buf_add_c(&b, '}');
    told = crypto_short_hash(b.p, b.n);
    if (told != m->told)
        signal_staff(a, crypto_short_hash(m->rep.id, strlen(m->rep.id)), buf_str(&b));
    m->told = told;
    buf_fini(&b);
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
    out->is_director = (m->rep.roles & ROLE_DIRECTOR) != 0;
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

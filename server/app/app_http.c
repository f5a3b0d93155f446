/* What the HTTP API asks of the running server: who calls, log in and out, people, states. */
#include "app/app_kb.h"

#include <stdio.h>
#include <stdlib.h>

#define FIRST_ACCOUNT "firstline user add LOGIN --role admin --role director --role rep --department general"

/* ---- who calls */

struct who_ask {
    struct app *app;
    struct http_call *call;
    bool by_cookie, is_shopper;
    int64_t password_version;
};

_Static_assert(HTTP_DEPARTMENTS_MAX >= PEOPLE_LIST_MAX, "all of a person's departments fit");

static void fill_who(struct app *a, const struct member *m, bool by_cookie, struct http_who *w)
{
    memset(w, 0, sizeof *w);
    w->roles = m->rep.roles;
    snprintf(w->id, sizeof w->id, "%s", m->rep.id);
    snprintf(w->name, sizeof w->name, "%.*s", (int)utf8_prefix(str_of(m->rep.name), 30).n, m->rep.name);
    snprintf(w->login, sizeof w->login, "%s", m->rep.login);
    for (unsigned i = 0; i < m->rep.departments.n; i++)
        snprintf(w->departments[i], sizeof w->departments[i], "%s", m->rep.departments.item[i]);
    w->by_cookie = by_cookie;
    snprintf(w->site, sizeof w->site, "%s", a->site);
}

static void on_caller(void *ctx, struct member *m)
{
    struct who_ask *q = ctx;
    struct http_who w = {0};

    if (m && m->is_loaded && !m->rep.disabled && app_secret_holds(m, q->password_version))
        fill_who(q->app, m, q->by_cookie, &w);
    http_call_who(q->call, m && !m->is_loaded ? NULL : &w);
    free(q);
}

#define SHOPPER_CALLS_PER_MIN 10 /* of one shopper: each reads the archive */

static void on_shopper(struct who_ask *q, struct str id)
{
    struct http_who w = {.roles = ROLE_SHOPPER};
    int64_t now = (int64_t)uv_now(q->app->loop), wait = auth_guard_wait_ms(q->app->shopper_calls, id, now);

    if (wait > 0) {
        http_call_too_many(q->call, wait);
        return;
    }
    auth_guard_count(q->app->shopper_calls, id, now);
    snprintf(w.id, sizeof w.id, "%.*s", STR_FMT(id));
    snprintf(w.site, sizeof w.site, "%s", q->app->site);
    http_call_who(q->call, &w);
}

static void on_who(void *ctx, const struct redis_reply *r)
{
    struct who_ask *q = ctx;

    struct str record = r && redis_reply_type(r) == REDIS_STR ? redis_reply_str(r) : STR_NONE;

    if (!r || redis_reply_type(r) == REDIS_ERR) { /* not known to be nobody's: who is signed in stays so */
        http_call_who(q->call, NULL);
        free(q);
        return;
    }
    if (q->is_shopper && record.n) {
        on_shopper(q, record);
        free(q);
        return;
    }
    people_when_known(q->app, app_secret_person(record, &q->password_version), on_caller, q);
}

static void who(void *ctx, struct http_call *call, struct str cookie, struct str bearer)
{
    struct app *a = ctx;
    struct http_who nobody = {0};
    char digest[AUTH_DIGEST_SIZE], key[AUTH_DIGEST_SIZE + 8];
    const char *argv[] = {"GET"};
    bool is_shopper = auth_secret_digest('v', bearer, digest);
    bool ok = is_shopper || (bearer.n ? auth_secret_digest('a', bearer, digest) : cookie.n && auth_secret_digest('s', cookie, digest));
    struct who_ask *q;

    if (!ok) {
        http_call_who(call, &nobody);
        return;
    }
    q = mem_zalloc(sizeof *q);
    *q = (struct who_ask){.app = a, .call = call, .by_cookie = !bearer.n, .is_shopper = is_shopper};
    snprintf(key, sizeof key, "tok:%s", digest);
    if (!a->is_up || link_call_plain(a->link, key, 1, argv, NULL, on_who, q) < 0) {
        http_call_who(call, NULL);
        free(q);
    }
}

struct str app_secret_person(struct str record, int64_t *password_version)
{
    const char *sp = record.n ? memchr(record.s, ' ', record.n) : NULL;

    *password_version = sp ? strtoll(sp + 1, NULL, 10) : 0;
    return sp ? (struct str){record.s, (size_t)(sp - record.s)} : record;
}

bool app_secret_holds(const struct member *m, int64_t password_version)
{
    return password_version == 0 || password_version == m->rep.password_version;
}

/* ---- log in: the password is checked on a worker thread */

#define CHECKS_AT_ONCE 2 /* of libuv's four threads: reads of the archive and suggestions want theirs */

struct login {
    uv_work_t work;
    struct app *app;
    struct http_call *call;
    char hash[AUTH_HASH_SIZE], id[ID_SIZE], name[PEOPLE_ITEM_BYTES * 2];
    int64_t password_version;
    char secret[AUTH_SECRET_SIZE];
    char *password;
    size_t password_n;
    char address_key[80], login_key[160];
    int64_t counted_at_ms; /* as a guess, until it is known to be none */
    int rc; /* of the verification */
};

static void check_password(uv_work_t *w)
{
    struct login *k = w->data;
    struct str password = {k->password, k->password_n};

    k->rc = k->hash[0] ? auth_password_verify(k->hash, password) : auth_password_waste(password);
}

static void login_free(struct login *k)
{
    memset(k->password, 0, k->password_n);
    free(k->password);
    free(k);
}

static void take_back(struct login *k)
{
    auth_guard_take_back(k->app->guard, str_of(k->address_key), k->counted_at_ms);
    auth_guard_take_back(k->app->guard, str_of(k->login_key), k->counted_at_ms);
}

static void on_session_stored(void *ctx, const struct redis_reply *r)
{
    struct login *k = ctx;
    struct member *m = people_find(k->app, str_of(k->id));
    struct http_who w;

    if (r && redis_reply_type(r) != REDIS_ERR && m) {
        fill_who(k->app, m, true, &w);
        http_call_session(k->call, 200, &w, k->secret, 0, NULL);
    } else {
        http_call_session(k->call, 503, NULL, NULL, 1000, NULL);
    }
    login_free(k);
}

static void on_password(uv_work_t *w, int status)
{
    struct login *k = w->data;
    struct app *a = k->app;
    char digest[AUTH_DIGEST_SIZE], key[AUTH_DIGEST_SIZE + 8], seconds[24], record[ID_SIZE + 24];
    const char *argv[] = {"SET", record, "EX", seconds};

    a->works--;
    a->checks--;
    if (status != 0 || k->rc == 0 || k->rc == ERR_NO_MEMORY)
        take_back(k);
    if (status != 0 || k->rc == ERR_NO_MEMORY) { /* not looked at: nobody's fault, and no try */
        if (status == 0)
            log_error("auth", "a password can't be checked: 64 MiB are not there");
        http_call_session(k->call, 503, NULL, NULL, 1000, NULL);
        login_free(k);
        return;
    }
    if (k->rc != 0) {
        http_call_session(k->call, 401, NULL, NULL, 0, NULL);
        login_free(k);
        return;
    }
    auth_secret_make('s', k->secret, digest);
    snprintf(key, sizeof key, "tok:%s", digest);
    snprintf(seconds, sizeof seconds, "%lld", (long long)(a->cfg->auth.session_ms / 1000));
    snprintf(record, sizeof record, "%s %lld", k->id, (long long)k->password_version);
    if (link_call_plain(a->link, key, 4, argv, NULL, on_session_stored, k) < 0) {
        http_call_session(k->call, 503, NULL, NULL, 1000, NULL);
        login_free(k);
    }
}

static void check(struct login *k, const struct member *m)
{
    if (m && m->is_loaded && !m->rep.disabled) {
        snprintf(k->hash, sizeof k->hash, "%s", m->rep.password);
        snprintf(k->id, sizeof k->id, "%s", m->rep.id);
        k->password_version = m->rep.password_version;
    }
    k->app->works++;
    uv_queue_work(k->app->loop, &k->work, check_password, on_password);
}

/* No guess: it was not looked at. */
static void not_now(struct login *k)
{
    take_back(k);
    k->app->checks--;
    http_call_session(k->call, 503, NULL, NULL, 1000, NULL);
    login_free(k);
}

static void on_account(void *ctx, struct member *m)
{
    struct login *k = ctx;

    if (m && !m->is_loaded)
        not_now(k);
    else
        check(k, m && strcmp(m->rep.login, k->name) == 0 ? m : NULL);
}

static void on_login(void *ctx, const struct redis_reply *r)
{
    struct login *k = ctx;

    if (!r || redis_reply_type(r) == REDIS_ERR) {
        not_now(k);
    } else if (redis_reply_type(r) == REDIS_STR) {
        people_when_fresh(k->app, redis_reply_str(r), on_account, k);
    } else if (k->app->members.n == 0) {
        take_back(k);
        k->app->checks--;
        http_call_session(k->call, 401, NULL, NULL, 0, FIRST_ACCOUNT);
        login_free(k);
    } else {
        check(k, NULL);
    }
}

/* Nobody here is known by that login: one of just now would not be, nor one that could not be read. */
static void look_up(struct login *k)
{
    const char *argv[] = {"HGET", k->name};

    if (link_call(k->app->link, LINK_LOGINS, STR(""), 2, argv, NULL, on_login, k) < 0)
        not_now(k);
}

static void login(void *ctx, struct http_call *call, struct str name, struct str password, const char *address)
{
    struct app *a = ctx;
    struct member *m = people_by_login(a, name);
    struct login *k;
    char group[64];
    int64_t now = (int64_t)uv_now(a->loop), wait_a, wait_l;

    if (!a->is_up || !a->people_read) {
        http_call_session(call, 503, NULL, NULL, 1000, NULL);
        return;
    }
    k = mem_zalloc(sizeof *k);
    net_address_group(address, group);
    snprintf(k->address_key, sizeof k->address_key, "a:%s", group);
    snprintf(k->login_key, sizeof k->login_key, "l:%.*s|%s", (int)(name.n < 60 ? name.n : 60), name.s, group);
    wait_a = auth_guard_wait_ms(a->guard, str_of(k->address_key), now);
    wait_l = auth_guard_wait_ms(a->guard, str_of(k->login_key), now);
    if (wait_a > 0 || wait_l > 0) {
        http_call_session(call, 429, NULL, NULL, wait_a > wait_l ? wait_a : wait_l, NULL);
        free(k);
        return;
    }
    if (a->checks == CHECKS_AT_ONCE) {
        http_call_session(call, 503, NULL, NULL, 1000, NULL);
        free(k);
        return;
    }
    k->counted_at_ms = now; /* before it is judged: of many at once no more are judged than one after the other */
    auth_guard_count(a->guard, str_of(k->address_key), now);
    auth_guard_count(a->guard, str_of(k->login_key), now);
    k->work.data = k;
    k->app = a;
    k->call = call;
    k->password = mem_strndup(password.s, password.n);
    k->password_n = password.n;
    a->checks++;
    str_keep(name, k->name, sizeof k->name);
    if (m) /* what was changed just now counts */
        people_when_fresh(a, str_of(m->rep.id), on_account, k);
    else
        look_up(k);
}

void app_close_session(struct app *a, struct str digest)
{
    unsigned char secret[AUTH_DIGEST_BYTES];
    char hex[AUTH_DIGEST_SIZE];

    str_keep(digest, hex, sizeof hex);
    crypto_unhex(secret, sizeof secret, hex);
    for (struct conn *c = a->conns; c && c->is_staff; c = c->next_all)
        if (memcmp(secret, c->secret, sizeof secret) == 0)
            net_close(c->net, 1008, "the session has ended");
}

struct look {
    struct app *app;
    char digest[AUTH_DIGEST_SIZE];
};

static void on_looked(void *ctx, const struct redis_reply *r)
{
    struct look *k = ctx;

    if (r && redis_reply_type(r) == REDIS_INT && redis_reply_int(r) == 0)
        app_close_session(k->app, str_of(k->digest));
    free(k);
}

void app_look_at_sessions(struct app *a)
{
    const char *argv[] = {"EXISTS"};
    char key[AUTH_DIGEST_SIZE + 8];

    for (struct conn *c = a->conns; c && c->is_staff; c = c->next_all) {
        struct look *k = mem_zalloc(sizeof *k);

        k->app = a;
        conn_secret(c, k->digest);
        snprintf(key, sizeof key, "tok:%s", k->digest);
        if (link_call_plain(a->link, key, 1, argv, NULL, on_looked, k) < 0)
            free(k);
    }
}

struct logout {
    struct app *app;
    struct http_call *call;
    char digest[AUTH_DIGEST_SIZE];
};

static void on_session_gone(void *ctx, const struct redis_reply *r)
{
    struct logout *k = ctx;
    char text[AUTH_DIGEST_SIZE + 8];

    if (r && redis_reply_type(r) != REDIS_ERR) {
        app_close_session(k->app, str_of(k->digest));
        snprintf(text, sizeof text, "X %s", k->digest);
        link_signal(k->app->link, str_of(text));
        http_call_done(k->call, 204);
    } else {
        http_call_session(k->call, 503, NULL, NULL, 1000, NULL);
    }
    free(k);
}

static void logout(void *ctx, struct http_call *call, struct str cookie)
{
    struct app *a = ctx;
    struct logout *k;
    char digest[AUTH_DIGEST_SIZE], key[AUTH_DIGEST_SIZE + 8];
    const char *argv[] = {"DEL"};

    if (!auth_secret_digest('s', cookie, digest)) {
        http_call_done(call, 204);
        return;
    }
    k = mem_zalloc(sizeof *k);
    k->app = a;
    k->call = call;
    memcpy(k->digest, digest, sizeof digest);
    snprintf(key, sizeof key, "tok:%s", digest);
    if (!a->is_up || link_call_plain(a->link, key, 1, argv, NULL, on_session_gone, k) < 0) {
        http_call_session(call, 503, NULL, NULL, 1000, NULL);
        free(k);
    }
}

/* ---- lists, states, figures */

static void people(void *ctx, struct buf *out)
{
    struct app *a = ctx;
    struct map_item *it;
    uint32_t i = 0;

    json_open(out, '[');
    while ((it = map_next(&a->members, &i))) {
        const struct member *m = it->value;

        if (!m->is_loaded)
            continue;
        json_open(out, '{');
        json_kv_s(out, "id", m->rep.id);
        json_kv_s(out, "name", m->rep.name);
        json_kv_s(out, "login", m->rep.login);
        json_key(out, "roles");
        json_open(out, '[');
        for (unsigned r = ROLE_REP; r <= ROLE_ADMIN; r <<= 1)
            if (m->rep.roles & r)
                json_text(out, str_of(role_name(r)));
        json_close(out, ']');
        json_key(out, "departments");
        json_open(out, '[');
        for (unsigned k = 0; k < m->rep.departments.n; k++)
            json_text(out, str_of(m->rep.departments.item[k]));
        json_close(out, ']');
        json_kv_bool(out, "disabled", m->rep.disabled);
        json_close(out, '}');
    }
    json_close(out, ']');
}

static void departments(void *ctx, struct buf *out)
{
    staff_write_departments(ctx, out);
}

static bool ready(void *ctx, struct buf *out)
{
    struct app *a = ctx;
    bool ok = a->is_up && a->is_ready && !a->is_draining;

    json_open(out, '{');
    json_kv_s(out, "status",
              a->is_draining ? "draining" : !a->was_ready ? "starting" : !ok ? "unavailable" : state_is_any(a) ? "degraded" : "ready");
    state_write_ready(a, out);
    json_key(out, "unled"); /* departments for which nobody answers: their alerts go one level up */
    if (a->people_read)
        match_write_unled(a, out);
    else
        json_raw(out, STR("[]"));
    json_kv_s(out, "node", a->node);
    json_close(out, '}');
    return ok;
}

static struct archive *archive_of(void *ctx, const char *site, const char **node)
{
    struct app *a = ctx;

    (void)site;
    *node = strcmp(a->archive_node, a->node) == 0 ? "" : a->archive_node; /* this one: its file is not the archive */
    return a->archive;
}

/* What GET /api/v1/session says where there is no account yet. */
static const char *setup(void *ctx)
{
    struct app *a = ctx;

    return a->people_read && a->members.n == 0 ? FIRST_ACCOUNT : NULL;
}

int app_http_start(struct app *a, struct err *err)
{
    struct http_port port = {.ctx = a, .who = who, .login = login, .logout = logout,
                             .people = people, .departments = departments, .ready = ready,
                             .metrics = metrics_write, .archive = archive_of, .setup = setup, .kb = kb_http,
                             .is_demo = a->opt.is_demo};

    a->shopper_calls = auth_guard_create(SHOPPER_CALLS_PER_MIN);
    return http_create(a->cfg, &port, &a->http, err);
}

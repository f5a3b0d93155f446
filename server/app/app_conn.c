/* Connections: who may come in, commands in the order sent, what is under way. */
#include "app/app_room.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#define MEMORY_RETRY_MS 5000 /* to whom this node has no memory left: elsewhere, or later */

/* ---- upgrades */

struct check {
    struct app *app;
    struct net_check *check;
    char digest[AUTH_DIGEST_SIZE];
    char address[64];
    int64_t password_version, ends_at_ms;
};

static char no_name[1];

static struct conn *conn_create(struct app *a, bool is_staff, const char *address)
{
    char group[64];
    size_t n;
    struct conn *c;

    net_address_group(address, group);
    n = strlen(group) + 1;
    c = mem_zalloc(offsetof(struct conn, address) + n);
    c->app = a;
    c->is_staff = is_staff;
    c->roles = is_staff ? 0 : ROLE_SHOPPER;
    c->tokens = (double)a->cfg->limits.burst;
    c->name = no_name;
    memcpy(c->address, group, n);
    return c;
}

static void free_name(struct conn *c)
{
    if (c->name != no_name)
        free(c->name);
    c->name = no_name;
}

void conn_set_name(struct conn *c, struct str name)
{
    free_name(c);
    name = utf8_prefix(name, name.n < PEOPLE_NAME_BYTES ? name.n : (PEOPLE_NAME_BYTES - 1) / 4);
    if (utf8_is_blank(name))
        return;
    c->name = mem_strndup(name.s, name.n);
    c->name[utf8_strip_bidi(c->name, name.n)] = 0;
}

void conn_set_secret(struct conn *c, const char *digest)
{
    crypto_unhex(c->secret, sizeof c->secret, digest);
}

void conn_secret(const struct conn *c, char digest[AUTH_DIGEST_SIZE])
{
    crypto_hex(digest, c->secret, sizeof c->secret);
}

static void admit_staff(struct check *k, struct member *m)
{
    struct conn *c;

    if (m && !m->is_loaded) { /* not known to be nobody's */
        net_check_done(k->check, 503, NULL, 1000);
        return;
    }
    if (!m || m->rep.disabled || !app_secret_holds(m, k->password_version)) {
        log_info("app", "upgrade refused address=%s why=%s", k->address,
                 !m ? "nobody" : m->rep.disabled ? "disabled" : "session_over");
        net_check_done(k->check, 401, NULL, 0);
        return;
    }
    c = conn_create(k->app, true, k->address);
    c->password_version = (uint32_t)k->password_version;
    c->ends_at_ms = k->ends_at_ms;
    c->roles = m->rep.roles;
    snprintf(c->person, sizeof c->person, "%s", m->rep.id);
    conn_set_name(c, str_of(m->rep.name));
    conn_set_secret(c, k->digest);
    net_check_done(k->check, 101, c, 0);
}

static void on_known(void *ctx, struct member *m)
{
    struct check *k = ctx;

    admit_staff(k, m);
    free(k);
}

static void on_secret(void *ctx, const struct redis_reply *r)
{
    struct check *k = ctx;

    if (r && redis_reply_type(r) != REDIS_ERR) {
        struct str record = redis_reply_type(r) == REDIS_STR ? redis_reply_str(r) : STR_NONE;

        people_when_known(k->app, app_secret_person(record, &k->password_version), on_known, k);
        return;
    }
    net_check_done(k->check, 503, NULL, 1000);
    free(k);
}

static int ask_secret(struct check *k, const char *what, void (*fn)(void *ctx, const struct redis_reply *r))
{
    char key[AUTH_DIGEST_SIZE + 8];

    snprintf(key, sizeof key, "tok:%s", k->digest);
    return link_call_plain(k->app->link, key, 1, &what, NULL, fn, k);
}

static void on_time_left(void *ctx, const struct redis_reply *r)
{
    struct check *k = ctx;
    int64_t left_ms = r && redis_reply_type(r) == REDIS_INT ? redis_reply_int(r) : 0;

    if (left_ms > 0)
        k->ends_at_ms = (int64_t)uv_now(k->app->loop) + left_ms;
    if (!r || redis_reply_type(r) != REDIS_INT || ask_secret(k, "GET", on_secret) < 0) {
        net_check_done(k->check, 503, NULL, 1000);
        free(k);
    }
}

/* A secret's record holds the person's id. */
static void check_secret(struct app *a, struct net_check *check, const char *digest, const char *address)
{
    struct check *k = mem_zalloc(sizeof *k);

    k->app = a;
    k->check = check;
    snprintf(k->digest, sizeof k->digest, "%s", digest);
    snprintf(k->address, sizeof k->address, "%s", address);
    if (ask_secret(k, "PTTL", on_time_left) < 0) {
        net_check_done(check, 503, NULL, 1000);
        free(k);
    }
}

void conn_end_sessions(struct app *a)
{
    int64_t now = (int64_t)uv_now(a->loop);

    for (struct conn *c = a->conns; c && c->is_staff; c = c->next_all)
        if (c->ends_at_ms && c->ends_at_ms <= now) {
            c->ends_at_ms = 0;
            net_close(c->net, 1008, "the session has ended");
        }
}

static void check_staff(struct app *a, struct net_check *check, const struct net_head *head)
{
    struct str auth = net_head_get(head, "authorization"), cookie = net_head_cookie(head, "firstline_session");
    struct str origin = net_head_get(head, "origin");
    char digest[AUTH_DIGEST_SIZE];

    if (auth.n > 7 && strncasecmp(auth.s, "Bearer ", 7) == 0) {
        if (auth_secret_digest('a', (struct str){auth.s + 7, auth.n - 7}, digest))
            check_secret(a, check, digest, head->address);
        else
            net_check_done(check, 401, NULL, 0);
    } else if (cookie.s) {
        if (!origin.s || !net_head_is_same_origin(head, a->cfg))
            net_check_done(check, 403, NULL, 0);
        else if (auth_secret_digest('s', cookie, digest))
            check_secret(a, check, digest, head->address);
        else
            net_check_done(check, 401, NULL, 0);
    } else {
        net_check_done(check, 401, NULL, 0);
    }
}

/* The site's own origins, or the server's own where none are configured. */
static bool is_allowed_origin(struct app *a, const struct net_head *head)
{
    struct str origin = net_head_get(head, "origin");
    const struct config_site *site = config_site_find(a->cfg, str_of(a->site));

    if (!origin.s)
        return true; /* not a browser */
    if (net_head_is_same_origin(head, a->cfg))
        return true;
    return site && site->origins[0] && config_origins_has(site->origins, origin);
}

void conn_check(void *ctx, struct net_check *check, const struct net_head *head)
{
    struct app *a = ctx;

    if (a->is_draining || !a->is_up || repair_is_under_way(a)) {
        net_check_done(check, 503, NULL, 1000);
    } else if (a->states[STATE_MEMORY_HIGH].since_ms) {
        net_check_done(check, 503, NULL, MEMORY_RETRY_MS);
    } else if (str_is(head->path, "/ws/rep")) {
        check_staff(a, check, head);
    } else if (str_is(head->path, "/ws/shopper")) {
        if (is_allowed_origin(a, head))
            net_check_done(check, 101, conn_create(a, false, head->address), 0);
        else
            net_check_done(check, 403, NULL, 0);
    } else {
        net_check_done(check, 404, NULL, 0);
    }
}

void conn_opened(void *ctx, struct net_conn *net, void *user)
{
    struct app *a = ctx;
    struct conn *c = user;

    c->net = net;
    if (c->is_staff || !a->conns) {
        c->next_all = a->conns;
        c->prev_all = NULL;
        a->conns = c;
    } else { /* shoppers stand behind the staff, who are looked for more often */
        c->prev_all = a->conns_last;
        a->conns_last->next_all = c;
        c->next_all = NULL;
    }
    if (c->next_all)
        c->next_all->prev_all = c;
    else
        a->conns_last = c;
    a->conns_n++;
}

/* ---- commands in flight */

struct cmd *cmd_create(struct app *a, enum chat_cmd_kind kind)
{
    struct cmd *c = pool_take(&a->cmds);

    c->app = a;
    c->kind = kind;
    return c;
}

void cmd_destroy(struct cmd *c)
{
    if (!c)
        return;
    if (c->kind == CMD_MSG)
        msg_fini(&c->msg);
    free(c->candidates);
    free(c->articles);
    free(c->after_card);
    free(c->contact);
    free(c->task_json);
    pool_give(&c->app->cmds, c);
}

bool cmd_is_of_person(const struct cmd *c)
{
    return c->msg.type == MSG_CHAT_START || c->msg.type == MSG_ALERT_ACT;
}

static void conn_free_if_done(struct conn *c)
{
    if (!c->is_dead || c->flight_n)
        return;
    while (c->held_first) {
        struct cmd *next = c->held_first->next;

        cmd_destroy(c->held_first);
        c->held_first = next;
    }
    free(c->page);
    free_name(c);
    free(c->stuck);
    free(c);
}

void cmd_set_aside(struct cmd *cmd)
{
    struct conn *c = cmd->conn;

    if (!c || cmd->is_aside)
        return;
    cmd->is_aside = true;
    c->aside_n++;
}

void cmd_say_done(struct cmd *cmd, enum code code)
{
    void (*done)(struct cmd *c, enum code code) = cmd->done;

    cmd->done = NULL;
    if (done)
        done(cmd, code);
}

void cmd_finish(struct cmd *cmd)
{
    struct conn *c = cmd->conn;
    bool was_aside = cmd->is_aside;

    cmd_say_done(cmd, CODE_UNAVAILABLE); /* who said nothing better didn't do it */
    cmd_destroy(cmd);
    if (!c)
        return;
    c->aside_n -= was_aside;
    if (--c->flight_n == c->aside_n)
        c->flight_slot = NULL;
    if (c->is_dead)
        conn_free_if_done(c);
    else
        conn_pump(c);
}

static struct slot *slot_of(struct conn *conn, struct cmd *c)
{
    struct str chat = c->msg.f[FIELD_CHAT].type == VAL_STR ? c->msg.f[FIELD_CHAT].s : STR_NONE;

    if (c->msg.type != MSG_MESSAGE_SEND)
        return NULL;
    if (!chat.s && !conn->is_staff)
        chat = str_of(conn->open);
    return chat.n ? slot_find(conn->app, chat) : NULL;
}

/*
 * Begins commands in the order sent. One begins when those before it have ended; messages into one chat may follow each other, since
 * the chat itself keeps their order.
 */
void conn_pump(struct conn *c)
{
    while (c->held_first && !c->is_dead) {
        struct cmd *cmd = c->held_first;
        struct slot *s = slot_of(c, cmd);

        if (c->flight_n >= CONN_FLIGHT_MAX || (c->flight_n > c->aside_n && (!s || s != c->flight_slot)))
            break;
        c->held_first = cmd->next;
        if (!c->held_first)
            c->held_last = NULL;
        c->held_n--;
        cmd->next = NULL;
        if (c->flight_n == c->aside_n)
            c->flight_slot = s;
        c->flight_n++;
        command_start(c, cmd); /* may end it, and come back here */
    }
    if (c->is_paused && c->held_n < CONN_HELD_MAX / 4 && !c->is_dead) {
        c->is_paused = false;
        net_resume(c->net);
    }
}

static void hold(struct conn *c, struct cmd *cmd)
{
    if (c->held_last)
        c->held_last->next = cmd;
    else
        c->held_first = cmd;
    c->held_last = cmd;
    c->held_n++;
    if (c->held_n >= CONN_HELD_MAX && !c->is_paused) {
        c->is_paused = true;
        net_pause(c->net);
    }
}

/* Token bucket of the connection. 0: go on; else ms to wait. */
static int64_t rate_wait_ms(struct conn *c, unsigned cost)
{
    double per_ms = (double)c->app->cfg->limits.messages_per_s / 1000.0, burst = (double)c->app->cfg->limits.burst;
    int64_t now = (int64_t)uv_now(c->app->loop);

    if (per_ms <= 0 || cost == 0)
        return 0;
    if (burst > 0 && burst < cost)
        burst = cost; /* or it would never be allowed */
    c->tokens += (double)(now - c->tokens_at_ms) * per_ms;
    if (c->tokens > burst)
        c->tokens = burst;
    c->tokens_at_ms = now;
    if (c->tokens < cost)
        return (int64_t)((cost - c->tokens) / per_ms) + 1;
    c->tokens -= cost;
    return 0;
}

void conn_charge(struct conn *c)
{
    c->tokens -= 1;
}

static void on_ping(struct conn *c, const struct msg *m)
{
    char extra[40];

    snprintf(extra, sizeof extra, ",\"now\":%lld", (long long)app_now_ms(c->app));
    answer_ok(c, m->id, extra);
}

void conn_text(void *ctx, struct net_conn *net, struct str text)
{
    struct app *a = ctx;
    struct conn *c = net_user(net);
    struct cmd *cmd;
    struct refusal why = {0};
    int64_t wait;

    if (!c || c->is_dead)
        return;
    cmd = cmd_create(a, CMD_MSG);
    cmd->conn = c;
    if (!protocol_read_command(text, c->roles, &a->limits, &cmd->msg, &why)) {
        answer_error(c, cmd->msg.id, why.code, why.text, 0, NULL);
        cmd_destroy(cmd);
        return;
    }
    if (cmd->msg.type == MSG_PING) {
        on_ping(c, &cmd->msg);
        cmd_destroy(cmd);
        return;
    }
    wait = rate_wait_ms(c, cmd->msg.row->cost);
    if (wait > 0) {
        answer_error(c, cmd->msg.id, CODE_RATE_LIMITED, "too many messages", wait, NULL);
        cmd_destroy(cmd);
        return;
    }
    if (cmd->msg.type == MSG_TYPING || cmd->msg.type == MSG_READ) {
        if (c->is_ready)
            signal_command(c, &cmd->msg);
        cmd_destroy(cmd);
        return;
    }
    hold(c, cmd);
    conn_pump(c);
}

void conn_drained(void *ctx, struct net_conn *net)
{
    struct conn *c = net_user(net);

    (void)ctx;
    if (!c)
        return;
    for (struct sub *u = c->subs, *next; u; u = next) {
        next = u->next_of_conn;
        if (u->is_full) {
            u->is_full = false;
            sub_pump(u);
        }
    }
}

void conn_closed(void *ctx, struct net_conn *net, void *user)
{
    struct app *a = ctx;
    struct conn *c = user;

    (void)net;
    if (!c)
        return;
    c->is_dead = true;
    if (!c->net) { /* allowed, but it never came about */
        conn_free_if_done(c);
        return;
    }
    if (c->prev_all)
        c->prev_all->next_all = c->next_all;
    else
        a->conns = c->next_all;
    if (c->next_all)
        c->next_all->prev_all = c->prev_all;
    else
        a->conns_last = c->prev_all;
    a->conns_n--;
    sub_drop_all(c);
    if (c->is_staff)
        people_leave(a, c);
    else
        shopper_gone(a, c);
    conn_free_if_done(c);
}

bool conn_is_stuck(struct conn *c, struct str chat, struct str id)
{
    for (struct stuck *k = c->stuck; k && k < c->stuck + STUCK_MAX; k++)
        if (k->chat[0] && str_is(chat, k->chat)) {
            if (!str_is(id, k->id))
                return true;
            k->chat[0] = 0; /* the same id again: now it will be known */
        }
    return false;
}

void conn_repeats(struct conn *c, struct str id)
{
    for (struct stuck *k = c->stuck; k && k < c->stuck + STUCK_MAX; k++)
        if (k->chat[0] && str_is(id, k->id))
            k->chat[0] = 0;
}

void conn_set_stuck(struct conn *c, struct str chat, struct str id)
{
    if (!c->stuck)
        c->stuck = mem_zalloc(STUCK_MAX * sizeof *c->stuck);
    for (unsigned i = 0; i < STUCK_MAX; i++)
        if (str_is(chat, c->stuck[i].chat))
            return; /* the first unknown one is what has to be repeated */
    for (unsigned i = 0; i < STUCK_MAX; i++)
        if (!c->stuck[i].chat[0]) {
            snprintf(c->stuck[i].chat, sizeof c->stuck[i].chat, "%.*s", STR_FMT(chat));
            snprintf(c->stuck[i].id, sizeof c->stuck[i].id, "%.*s", STR_FMT(id));
            return;
        }
    if (!c->is_dead)
        net_close(c->net, 1013, "answers unknown in too many chats");
}

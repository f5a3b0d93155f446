/* A connection to Redis on its way up: address, socket, greeting, channels. Header: link_redis_room.h. */
#include "link/link_redis_room.h"

#include "link/link_redis_reply.h"

#include "base/base_crypto.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>

#undef REDIS_ERR /* hiredis' status; here it is the reply type of link_redis.h */

#define CONNECT_MS     2000 /* from the first packet to the answered PING */
#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 2000
#define READER_KEEPS   (256 << 10) /* of its buffer while nothing is in it: what is beyond is freed and grown again each turn */

/* ---- greeting: AUTH, SELECT, PING, then the channels ---- */

void redis_go_up(struct redis *r)
{
    r->state = UP;
    r->up_at_ms = uv_now(r->loop);
    uv_timer_stop(&r->timer);
    if (r->bus)
        uv_timer_start(&r->timer, redis_on_timer, BUS_PING_MS, BUS_PING_MS);
    if (r->port.on_up)
        r->port.on_up(r->port.ctx);
}

void redis_send_subscribe(struct redis *r, const char *channel)
{
    const char *argv[] = {"SUBSCRIBE", channel};

    r->bus = true;
    if (!redis_out_add(&r->out, 2, argv, NULL))
        redis_mark_drop(r, "no room for SUBSCRIBE");
    redis_kick(r);
}

static bool is_error(const struct redis_reply *reply, const char *code)
{
    struct str s = redis_reply_str(reply);

    return redis_reply_type(reply) == REDIS_ERR && s.n >= strlen(code) &&
           memcmp(s.s, code, strlen(code)) == 0;
}

static void on_auth(void *ctx, const struct redis_reply *reply)
{
    if (reply && redis_reply_type(reply) == REDIS_ERR)
        redis_mark_drop(ctx, redis_reply_str(reply).s);
}

/* Up means: takes commands. MISCONF and the like are each command's own answer. */
static void on_ping(void *ctx, const struct redis_reply *reply)
{
    static const char *const not_yet[] = {"LOADING", "BUSY", "NOAUTH", "WRONGPASS",
                                          "ERR max number of clients"};
    struct redis *r = ctx;

    if (!reply || r->drop || r->closing)
        return;
    for (size_t i = 0; i < sizeof not_yet / sizeof *not_yet; i++)
        if (is_error(reply, not_yet[i])) {
            redis_mark_drop(r, redis_reply_str(reply).s);
            return;
        }
    if (r->channels_n == 0) {
        redis_go_up(r);
        return;
    }
    r->state = SUBSCRIBING;
    for (unsigned i = 0; i < r->channels_n; i++)
        redis_send_subscribe(r, r->channels[i]);
}

static void greet_with(struct redis *r, int argc, const char **argv,
                       void (*cb)(void *, const struct redis_reply *))
{
    if (redis_out_add(&r->out, argc, argv, NULL))
        redis_await(r, CONNECT_MS, cb, r);
}

static void greet(struct redis *r)
{
    char db[16];

    r->state = GREETING;
    r->reader = redis_reader_create(&r->replies);
    r->reader->maxbuf = READER_KEEPS;
    if (r->url.pass && r->url.user)
        greet_with(r, 3, (const char *[]){"AUTH", r->url.user, r->url.pass}, on_auth);
    else if (r->url.pass)
        greet_with(r, 2, (const char *[]){"AUTH", r->url.pass}, on_auth);
    snprintf(db, sizeof db, "%d", r->url.db);
    if (r->url.db > 0)
        greet_with(r, 2, (const char *[]){"SELECT", db}, on_auth);
    greet_with(r, 1, (const char *[]){"PING"}, on_ping);
    redis_flush(r);
}

void redis_on_connected(struct redis *r)
{
    int e = 0;
    socklen_t n = sizeof e;

    if (getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &e, &n) < 0)
        e = errno;
    if (e)
        redis_mark_drop(r, strerror(e));
    else
        greet(r);
}

/* ---- connecting ---- */

static void try_address(struct redis *r, const struct sockaddr *addr, socklen_t n)
{
    int one = 1;

    r->state = CONNECTING;
    r->fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (r->fd < 0 || (connect(r->fd, addr, n) < 0 && errno != EINPROGRESS)) {
        redis_mark_drop(r, strerror(errno));
        return;
    }
    if (addr->sa_family != AF_UNIX)
        setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    r->poll = mem_zalloc(sizeof *r->poll);
    if (uv_poll_init(r->loop, r->poll, r->fd) < 0) {
        free(r->poll);
        r->poll = NULL;
        redis_mark_drop(r, "poll: no descriptor left");
        return;
    }
    r->poll->data = r;
    r->refs++;
    redis_set_events(r, UV_WRITABLE);
}

static void on_resolved(uv_getaddrinfo_t *q, int status, struct addrinfo *list)
{
    struct redis *r = q->data;
    struct addrinfo *a = list;
    unsigned n = 0;

    if (!r->closing && r->state == RESOLVING && !r->drop) {
        for (struct addrinfo *x = list; x; x = x->ai_next)
            n++;
        for (unsigned i = n ? r->address_i++ % n : 0; i > 0; i--)
            a = a->ai_next;
        if (status < 0 || !a)
            redis_mark_drop(r, status < 0 ? uv_strerror(status) : "host has no address");
        else
            try_address(r, a->ai_addr, a->ai_addrlen);
        redis_settle(r);
    }
    uv_freeaddrinfo(list);
    r->resolving = false;
    redis_unref(r);
}

static void resolve(struct redis *r)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int rc;

    r->state = RESOLVING;
    if (r->resolving) { /* an earlier try gave up on it; libuv has not */
        redis_mark_drop(r, "the host's address is still being looked up");
        return;
    }
    r->resolver.data = r;
    rc = uv_getaddrinfo(r->loop, &r->resolver, on_resolved, r->url.host, r->url.port, &hints);
    if (rc < 0)
        redis_mark_drop(r, uv_strerror(rc));
    else
        r->refs++;
    r->resolving = rc == 0;
}

static void start_connect(struct redis *r)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    uv_timer_start(&r->timer, redis_on_timer, CONNECT_MS, 0);
    if (!r->url.path) {
        resolve(r);
        return;
    }
    memcpy(sun.sun_path, r->url.path, strlen(r->url.path) + 1); /* redis_url_parse() has measured it */
    try_address(r, (const struct sockaddr *)&sun, sizeof sun);
}

static void ping_bus(struct redis *r)
{
    if (r->bus_ping_out) {
        redis_mark_drop(r, "no PONG on the subscribed connection");
        return;
    }
    r->bus_ping_out = true;
    if (redis_out_add(&r->out, 1, (const char *[]){"PING"}, NULL))
        redis_kick(r);
}

void redis_on_timer(uv_timer_t *t)
{
    struct redis *r = t->data;

    if (r->state == WAITING)
        start_connect(r);
    else if (r->state == UP)
        ping_bus(r);
    else
        redis_mark_drop(r, "no connection in time");
    redis_settle(r);
}

void redis_wait_for_next_try(struct redis *r)
{
    uint64_t most = BACKOFF_MIN_MS << (r->tries < 6 ? r->tries : 6), wait_ms;
    uint32_t rnd;

    if (most > BACKOFF_MAX_MS)
        most = BACKOFF_MAX_MS;
    crypto_random(&rnd, sizeof rnd);
    wait_ms = r->at_once ? 0 : 1 + rnd % most;
    r->at_once = false;
    r->tries++;
    uv_timer_start(&r->timer, redis_on_timer, wait_ms, 0);
}

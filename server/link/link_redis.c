/*
 * The connection is ours down to the socket: hiredis parses the answers (redisReader). Its async context is
 * left out on purpose: with libuv it never reports a refused connection, knows no deadlines, and frees itself
 * under a callback (PROMISES 3).
 *
 *   WAITING -> RESOLVING -> CONNECTING -> GREETING [-> SUBSCRIBING] -> UP      each step -> WAITING by
 * drop_now()
 *
 * Commands are formatted straight into `out`; on_prepare(), once a loop turn, sends them in one write.
 * Callbacks of users run while answers are read or while a dead connection is cleared, never inside
 * redis_call(), redis_reconnect() or redis_close(): those only leave a mark that settle() acts on.
 */
#include "link/link_redis.h"

#include "base/base_crypto.h"
#include "link/link_redis_out.h"
#include "link/link_redis_ring.h"
#include "link/link_redis_url.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include <uv.h>

#undef REDIS_ERR /* hiredis' status; here it is the reply type of link_redis.h */

#define CONNECT_MS     2000 /* from the first packet to the answered PING */
#define BACKOFF_MIN_MS 50
#define BACKOFF_MAX_MS 2000
#define TICK_MS        25 /* how late a deadline may be noticed */
#define BUS_PING_MS    2000
#define READ_BYTES     65536
#define READER_KEEPS (256 << 10) /* of its buffer while nothing is in it: what is beyond is freed and grown again each turn */
#define READ_ROUNDS    16 /* at most, in one loop turn */
#define CHANNELS_MAX   1024

enum state { WAITING, RESOLVING, CONNECTING, GREETING, SUBSCRIBING, UP };

struct redis {
    uv_loop_t *loop;
    struct redis_url url;
    struct redis_port port;
    enum state state;
    bool closing;
    bool drop;      /* the connection is to be cleared by settle() */
    bool at_once;   /* the next try comes without a wait */
    bool resolving; /* libuv has the resolver */
    char why[160];  /* of the drop */
    unsigned refs;  /* handles and requests that libuv still knows */
    void (*done)(void *ctx);
    void *done_ctx;

    int fd;
    int events;      /* what the poll handle waits for */
    uv_poll_t *poll; /* NULL without a connection; dies in its own close callback */
    redisReader *reader;
    struct redis_out out;
    struct redis_ring ring; /* commands under way; answers come in this order */
    unsigned pending_max;

    char **channels;
    unsigned channels_n, confirmed_n;
    bool bus;          /* SUBSCRIBE has been sent: after the ring is empty everything is a push */
    bool bus_ping_out; /* its PONG is awaited */

    unsigned tries;     /* connections tried since the last one that lasted */
    uint64_t up_at_ms;  /* uv_now() clock */
    unsigned address_i; /* which of the host's addresses is next */
    uv_getaddrinfo_t resolver;
    uv_timer_t timer; /* WAITING: next try; connecting: deadline; UP on the bus: ping */
    uv_timer_t tick;  /* command deadlines, while there are commands */
    uv_prepare_t prepare;
    uv_idle_t spin; /* keeps the loop from sleeping before on_prepare() has run */
};

static void on_timer(uv_timer_t *t);

/* ---- ending a connection ---- */

static void unref(struct redis *r)
{
    if (--r->refs > 0)
        return;
    if (r->done)
        r->done(r->done_ctx);
    for (unsigned i = 0; i < r->channels_n; i++)
        free(r->channels[i]);
    free(r->channels);
    redis_ring_fini(&r->ring);
    redis_out_fini(&r->out);
    redis_url_fini(&r->url);
    free(r);
}

static void on_handle_closed(uv_handle_t *h)
{
    unref(h->data);
}

static void on_poll_closed(uv_handle_t *h)
{
    struct redis *r = h->data;

    free(h);
    unref(r);
}

/* Has on_prepare() run before the loop sleeps. */
static void kick(struct redis *r);

static void mark_drop(struct redis *r, const char *why)
{
    if (r->drop || r->state == WAITING)
        return;
    r->drop = true;
    snprintf(r->why, sizeof r->why, "%s", why);
    kick(r);
}

static void wait_for_next_try(struct redis *r)
{
    uint64_t most = BACKOFF_MIN_MS << (r->tries < 6 ? r->tries : 6), wait_ms;
    uint32_t rnd;

    if (most > BACKOFF_MAX_MS)
        most = BACKOFF_MAX_MS;
    crypto_random(&rnd, sizeof rnd);
    wait_ms = r->at_once ? 0 : 1 + rnd % most;
    r->at_once = false;
    r->tries++;
    uv_timer_start(&r->timer, on_timer, wait_ms, 0);
}

static void close_socket(struct redis *r)
{
    if (r->poll) {
        uv_close((uv_handle_t *)r->poll, on_poll_closed);
        r->poll = NULL;
    }
    if (r->fd >= 0)
        close(r->fd);
    r->fd = -1;
    r->events = 0;
    if (r->reader)
        redisReaderFree(r->reader);
    r->reader = NULL;
    redis_out_fini(&r->out);
}

/* Clears the connection: every command gets its NULL, then the port hears of it, then the next try is
 * planned. */
static void drop_now(struct redis *r)
{
    bool lasted = r->state == UP && uv_now(r->loop) - r->up_at_ms >= 1000;

    r->drop = false;
    r->state = WAITING;
    close_socket(r);
    uv_timer_stop(&r->timer);
    uv_timer_stop(&r->tick);
    r->bus = r->bus_ping_out = false;
    r->confirmed_n = 0;
    if (lasted)
        r->tries = 0;
    while (r->ring.n > 0) {
        struct redis_wait p = redis_ring_pop(&r->ring);

        p.cb(p.ctx, NULL);
    }
    if (!r->closing)
        wait_for_next_try(r);
    if (!r->closing && r->port.on_down)
        r->port.on_down(r->port.ctx, r->why);
}

static void close_handles(struct redis *r)
{
    uv_close((uv_handle_t *)&r->timer, on_handle_closed);
    uv_close((uv_handle_t *)&r->tick, on_handle_closed);
    uv_close((uv_handle_t *)&r->prepare, on_handle_closed);
    uv_close((uv_handle_t *)&r->spin, on_handle_closed);
    unref(r); /* redis_open()'s own */
}

/* ---- writing ---- */

static void on_poll(uv_poll_t *h, int status, int events);

static void set_events(struct redis *r, int events)
{
    if (!r->poll || r->events == events)
        return;
    r->events = events;
    uv_poll_start(r->poll, events, on_poll);
}

static void read_answers(struct redis *r);

static void flush(struct redis *r)
{
    int rc;

    if (r->fd < 0 || r->state < GREETING)
        return;
    rc = redis_out_send(&r->out, r->fd);
    if (rc == EAGAIN) {
        set_events(r, UV_READABLE | UV_WRITABLE);
        return;
    }
    if (rc != 0) {
        read_answers(r); /* what it had answered before it went */
        mark_drop(r, strerror(rc));
        return;
    }
    set_events(r, UV_READABLE);
}

/* The end of each loop callback of ours: what was marked meanwhile is done. */
static void settle(struct redis *r)
{
    if (r->closing) {
        if (r->resolving)
            uv_cancel((uv_req_t *)&r->resolver); /* its callback comes in any case */
        drop_now(r);
        close_handles(r);
    } else if (r->drop) {
        drop_now(r);
    }
}

static void on_spin(uv_idle_t *h)
{
    (void)h;
}

static void on_prepare(uv_prepare_t *h)
{
    struct redis *r = h->data;

    uv_prepare_stop(&r->prepare);
    uv_idle_stop(&r->spin);
    if (uv_is_closing((uv_handle_t *)h))
        return;
    if (!r->drop && !r->closing)
        flush(r);
    settle(r);
}

static void kick(struct redis *r)
{
    if (uv_is_active((uv_handle_t *)&r->spin) || uv_is_closing((uv_handle_t *)&r->spin))
        return;
    uv_prepare_start(&r->prepare, on_prepare);
    uv_idle_start(&r->spin, on_spin);
}

static void on_tick(uv_timer_t *t)
{
    struct redis *r = t->data;
    uint64_t now = uv_now(r->loop);
    char why[96];

    if (r->ring.n == 0) {
        uv_timer_stop(&r->tick);
        return;
    }
    if (now < r->ring.due_ms)
        return;
    /* The answer may be there already: it is we who were away. */
    read_answers(r);
    redis_ring_find_due(&r->ring);
    if (!r->drop && r->ring.n > 0 && now >= r->ring.due_ms) {
        snprintf(why, sizeof why, "no answer in time, %u commands under way", r->ring.n);
        mark_drop(r, why);
    }
    settle(r);
}

/* Notes who waits for the answer to the command that was added just now. */
static void await_answer(struct redis *r, int64_t deadline_ms,
                         void (*cb)(void *ctx, const struct redis_reply *reply), void *ctx)
{
    redis_ring_push(&r->ring, (struct redis_wait){cb, ctx, uv_now(r->loop) + (uint64_t)deadline_ms});
    if (!uv_is_active((uv_handle_t *)&r->tick))
        uv_timer_start(&r->tick, on_tick, TICK_MS, TICK_MS);
}

/* ---- greeting: AUTH, SELECT, PING, then the channels ---- */

static void go_up(struct redis *r)
{
    r->state = UP;
    r->up_at_ms = uv_now(r->loop);
    uv_timer_stop(&r->timer);
    if (r->bus)
        uv_timer_start(&r->timer, on_timer, BUS_PING_MS, BUS_PING_MS);
    if (r->port.on_up)
        r->port.on_up(r->port.ctx);
}

static void send_subscribe(struct redis *r, const char *channel)
{
    const char *argv[] = {"SUBSCRIBE", channel};

    r->bus = true;
    if (!redis_out_add(&r->out, 2, argv, NULL))
        mark_drop(r, "no room for SUBSCRIBE");
    kick(r);
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
        mark_drop(ctx, redis_reply_str(reply).s);
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
            mark_drop(r, redis_reply_str(reply).s);
            return;
        }
    if (r->channels_n == 0) {
        go_up(r);
        return;
    }
    r->state = SUBSCRIBING;
    for (unsigned i = 0; i < r->channels_n; i++)
        send_subscribe(r, r->channels[i]);
}

static void greet_with(struct redis *r, int argc, const char **argv,
                       void (*cb)(void *, const struct redis_reply *))
{
    if (redis_out_add(&r->out, argc, argv, NULL))
        await_answer(r, CONNECT_MS, cb, r);
}

static void greet(struct redis *r)
{
    char db[16];

    r->state = GREETING;
    r->reader = redisReaderCreate();
    if (!r->reader)
        abort();
    r->reader->maxbuf = READER_KEEPS;
    if (r->url.pass && r->url.user)
        greet_with(r, 3, (const char *[]){"AUTH", r->url.user, r->url.pass}, on_auth);
    else if (r->url.pass)
        greet_with(r, 2, (const char *[]){"AUTH", r->url.pass}, on_auth);
    snprintf(db, sizeof db, "%d", r->url.db);
    if (r->url.db > 0)
        greet_with(r, 2, (const char *[]){"SELECT", db}, on_auth);
    greet_with(r, 1, (const char *[]){"PING"}, on_ping);
    flush(r);
}

/* ---- reading ---- */

static void on_push(struct redis *r, const struct redis_reply *reply)
{
    struct str kind, channel;

    if (redis_reply_n(reply) < 2) {
        mark_drop(r, redis_reply_type(reply) == REDIS_ERR ? redis_reply_str(reply).s : "unexpected answer");
        return;
    }
    kind = redis_reply_str(redis_reply_at(reply, 0));
    channel = redis_reply_str(redis_reply_at(reply, 1));
    if (str_is(kind, "message") && redis_reply_n(reply) >= 3) {
        if (r->port.on_message)
            r->port.on_message(r->port.ctx, channel, redis_reply_str(redis_reply_at(reply, 2)));
    } else if (str_is(kind, "pong")) {
        r->bus_ping_out = false;
    } else if (str_is(kind, "subscribe")) {
        if (++r->confirmed_n >= r->channels_n && r->state == SUBSCRIBING)
            go_up(r);
    }
}

static void on_reply(struct redis *r, const struct redis_reply *reply)
{
    if (r->ring.n > 0) {
        struct redis_wait p = redis_ring_pop(&r->ring);

        p.cb(p.ctx, reply);
    } else if (r->bus) {
        on_push(r, reply);
    } else {
        mark_drop(r, redis_reply_type(reply) == REDIS_ERR ? redis_reply_str(reply).s : "unexpected answer");
    }
}

static void take_replies(struct redis *r)
{
    void *reply = NULL;

    while (!r->drop && !r->closing) {
        if (redisReaderGetReply(r->reader, &reply) != REDIS_OK) {
            mark_drop(r, r->reader->errstr[0] ? r->reader->errstr : "protocol error");
            return;
        }
        if (!reply)
            return;
        on_reply(r, reply);
        freeReplyObject(reply);
    }
}

static void read_answers(struct redis *r)
{
    static char bytes[READ_BYTES]; /* loop thread only */

    for (int i = 0; i < READ_ROUNDS && r->reader && !r->drop && !r->closing; i++) {
        ssize_t n = recv(r->fd, bytes, sizeof bytes, MSG_DONTWAIT);

        if (n > 0) {
            if (redisReaderFeed(r->reader, bytes, (size_t)n) != REDIS_OK)
                mark_drop(r, "out of memory for an answer");
            take_replies(r);
            if ((size_t)n < sizeof bytes)
                return;
        } else if (n == 0) {
            mark_drop(r, "Redis closed the connection");
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            mark_drop(r, strerror(errno));
        }
    }
}

static void on_connected(struct redis *r)
{
    int e = 0;
    socklen_t n = sizeof e;

    if (getsockopt(r->fd, SOL_SOCKET, SO_ERROR, &e, &n) < 0)
        e = errno;
    if (e)
        mark_drop(r, strerror(e));
    else
        greet(r);
}

/* status < 0: libuv saw POLLERR and has stopped the handle; the socket itself says what it is, after its last
 * bytes. */
static void on_poll(uv_poll_t *h, int status, int events)
{
    struct redis *r = h->data;

    if (status < 0) {
        r->events = 0;
        events = UV_READABLE | UV_WRITABLE;
    }
    if (r->state == CONNECTING) {
        on_connected(r);
    } else if (events & UV_READABLE) {
        read_answers(r);
    }
    if (status < 0 && !r->drop)
        mark_drop(r, uv_strerror(status));
    if ((events & UV_WRITABLE) && !r->drop && !r->closing)
        flush(r);
    settle(r);
}

/* ---- connecting ---- */

static void try_address(struct redis *r, const struct sockaddr *addr, socklen_t n)
{
    int one = 1;

    r->state = CONNECTING;
    r->fd = socket(addr->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (r->fd < 0 || (connect(r->fd, addr, n) < 0 && errno != EINPROGRESS)) {
        mark_drop(r, strerror(errno));
        return;
    }
    if (addr->sa_family != AF_UNIX)
        setsockopt(r->fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    r->poll = mem_zalloc(sizeof *r->poll);
    if (uv_poll_init(r->loop, r->poll, r->fd) < 0) {
        free(r->poll);
        r->poll = NULL;
        mark_drop(r, "poll: no descriptor left");
        return;
    }
    r->poll->data = r;
    r->refs++;
    set_events(r, UV_WRITABLE);
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
            mark_drop(r, status < 0 ? uv_strerror(status) : "host has no address");
        else
            try_address(r, a->ai_addr, a->ai_addrlen);
        settle(r);
    }
    uv_freeaddrinfo(list);
    r->resolving = false;
    unref(r);
}

static void resolve(struct redis *r)
{
    struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
    int rc;

    r->state = RESOLVING;
    if (r->resolving) { /* an earlier try gave up on it; libuv has not */
        mark_drop(r, "the host's address is still being looked up");
        return;
    }
    r->resolver.data = r;
    rc = uv_getaddrinfo(r->loop, &r->resolver, on_resolved, r->url.host, r->url.port, &hints);
    if (rc < 0)
        mark_drop(r, uv_strerror(rc));
    else
        r->refs++;
    r->resolving = rc == 0;
}

static void start_connect(struct redis *r)
{
    struct sockaddr_un sun = {.sun_family = AF_UNIX};

    uv_timer_start(&r->timer, on_timer, CONNECT_MS, 0);
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
        mark_drop(r, "no PONG on the subscribed connection");
        return;
    }
    r->bus_ping_out = true;
    if (redis_out_add(&r->out, 1, (const char *[]){"PING"}, NULL))
        kick(r);
}

static void on_timer(uv_timer_t *t)
{
    struct redis *r = t->data;

    if (r->state == WAITING)
        start_connect(r);
    else if (r->state == UP)
        ping_bus(r);
    else
        mark_drop(r, "no connection in time");
    settle(r);
}

/* ---- the API ---- */

int redis_open(struct uv_loop_s *loop, const char *url, const struct redis_port *port, unsigned pending_max,
               struct redis **out, struct err *err)
{
    struct redis *r = mem_zalloc(sizeof *r);
    int rc = url ? redis_url_parse(url, &r->url, err) : 0;

    if (rc < 0) {
        free(r);
        return rc;
    }
    r->loop = loop;
    r->port = *port;
    r->pending_max = pending_max;
    r->fd = -1;
    uv_timer_init(loop, &r->timer);
    uv_timer_init(loop, &r->tick);
    uv_prepare_init(loop, &r->prepare);
    uv_idle_init(loop, &r->spin);
    r->timer.data = r->tick.data = r->prepare.data = r->spin.data = r;
    r->refs = 5; /* four handles and the owner */
    redis_out_init(&r->out);
    if (url)
        uv_timer_start(&r->timer, on_timer, 0, 0);
    *out = r;
    return 0;
}

static bool is_nowhere(const struct redis *r)
{
    return !r->url.path && !r->url.host;
}

int redis_set_url(struct redis *r, const char *url, struct err *err)
{
    struct redis_url u;
    int rc = redis_url_parse(url, &u, err);

    if (rc < 0)
        return rc;
    redis_url_fini(&r->url);
    r->url = u;
    r->at_once = true;
    r->tries = 0;
    if (r->state == WAITING)
        redis_reconnect(r, "");
    else
        mark_drop(r, "the primary is another server now");
    return 0;
}

void redis_close(struct redis *r, void (*done)(void *ctx), void *ctx)
{
    if (r->closing)
        return;
    r->closing = true;
    r->done = done;
    r->done_ctx = ctx;
    kick(r);
}

bool redis_is_up(const struct redis *r)
{
    return r->state == UP && !r->drop && !r->closing;
}

unsigned redis_pending(const struct redis *r)
{
    return r->ring.n;
}

void redis_reconnect(struct redis *r, const char *why)
{
    if (r->closing || is_nowhere(r))
        return;
    if (r->state == WAITING) {
        uv_timer_start(&r->timer, on_timer, 0, 0);
    } else if (r->state >= SUBSCRIBING) {
        r->at_once = true;
        mark_drop(r, why);
    }
}

int redis_call(struct redis *r, int argc, const char **argv, const size_t *argv_n, int64_t deadline_ms,
               void (*cb)(void *ctx, const struct redis_reply *reply), void *ctx)
{
    if (r->bus)
        return ERR_UNSUPPORTED;
    if (!redis_is_up(r))
        return ERR_GONE;
    if (r->ring.n >= r->pending_max || !redis_out_add(&r->out, argc, argv, argv_n))
        return ERR_FULL;
    await_answer(r, deadline_ms, cb, ctx);
    kick(r);
    return 0;
}

int redis_subscribe(struct redis *r, const char *channel)
{
    for (unsigned i = 0; i < r->channels_n; i++)
        if (strcmp(r->channels[i], channel) == 0)
            return 0;
    if (r->channels_n == CHANNELS_MAX)
        return ERR_FULL;
    r->channels = mem_realloc(r->channels, (r->channels_n + 1) * sizeof *r->channels);
    r->channels[r->channels_n++] = mem_strdup(channel);
    if (r->state >= SUBSCRIBING) {
        if (r->state == UP && !r->bus)
            uv_timer_start(&r->timer, on_timer, BUS_PING_MS, BUS_PING_MS);
        send_subscribe(r, channel);
    }
    return 0;
}

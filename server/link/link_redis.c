/*
 * The connection is ours down to the socket: hiredis parses the answers (redisReader). Its async context is
 * left out on purpose: with libuv it never reports a refused connection, knows no deadlines, and frees itself
 * under a callback (PROMISES 3).
 *
 *   WAITING -> RESOLVING -> CONNECTING -> GREETING [-> SUBSCRIBING] -> UP   each step -> WAITING by drop_now()
 *
 * Commands are formatted straight into `out`; on_prepare(), once a loop turn, sends them in one write.
 * Callbacks of users run while answers are read or while a dead connection is cleared, never inside
 * redis_call(), redis_reconnect() or redis_close(): those only leave a mark that redis_settle() acts on.
 */
#include "link/link_redis_room.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#undef REDIS_ERR /* hiredis' status; here it is the reply type of link_redis.h */

#define READ_BYTES     65536
#define READ_ROUNDS    16 /* at most, in one loop turn */
#define CHANNELS_MAX   1024

/* ---- ending a connection ---- */

void redis_unref(struct redis *r)
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
    redis_unref(h->data);
}

static void on_poll_closed(uv_handle_t *h)
{
    struct redis *r = h->data;

    free(h);
    redis_unref(r);
}

void redis_mark_drop(struct redis *r, const char *why)
{
    if (r->drop || r->state == WAITING)
        return;
    r->drop = true;
    snprintf(r->why, sizeof r->why, "%s", why);
    redis_kick(r);
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
    arena_fini(&r->replies);
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
    uv_timer_stop(&r->due);
    r->bus = r->bus_ping_out = false;
    r->confirmed_n = 0;
    if (lasted)
        r->tries = 0;
    while (r->ring.n > 0) {
        struct redis_wait p = redis_ring_pop(&r->ring);

        p.cb(p.ctx, NULL);
    }
    if (!r->closing)
        redis_wait_for_next_try(r);
    if (!r->closing && r->port.on_down)
        r->port.on_down(r->port.ctx, r->why);
}

static void close_handles(struct redis *r)
{
    uv_close((uv_handle_t *)&r->timer, on_handle_closed);
    uv_close((uv_handle_t *)&r->due, on_handle_closed);
    uv_close((uv_handle_t *)&r->prepare, on_handle_closed);
    uv_close((uv_handle_t *)&r->spin, on_handle_closed);
    redis_unref(r); /* redis_open()'s own */
}

/* ---- writing ---- */

static void on_poll(uv_poll_t *h, int status, int events);

void redis_set_events(struct redis *r, int events)
{
    if (!r->poll || r->events == events)
        return;
    r->events = events;
    uv_poll_start(r->poll, events, on_poll);
}

static void read_answers(struct redis *r);

void redis_flush(struct redis *r)
{
    int rc;

    if (r->fd < 0 || r->state < GREETING)
        return;
    rc = redis_out_send(&r->out, r->fd);
    if (rc == EAGAIN) {
        redis_set_events(r, UV_READABLE | UV_WRITABLE);
        return;
    }
    if (rc != 0) {
        read_answers(r); /* what it had answered before it went */
        redis_mark_drop(r, strerror(rc));
        return;
    }
    redis_set_events(r, UV_READABLE);
}

/* The end of each loop callback of ours: what was marked meanwhile is done. */
void redis_settle(struct redis *r)
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
        redis_flush(r);
    redis_settle(r);
}

void redis_kick(struct redis *r)
{
    if (uv_is_active((uv_handle_t *)&r->spin) || uv_is_closing((uv_handle_t *)&r->spin))
        return;
    uv_prepare_start(&r->prepare, on_prepare);
    uv_idle_start(&r->spin, on_spin);
}

static void on_due(uv_timer_t *t);

/* Looks again when the earliest deadline that is known of may have passed: what is answered in time wakes nobody up for it. */
static void watch(struct redis *r)
{
    uint64_t now = uv_now(r->loop);

    r->due_at_ms = r->ring.due_ms;
    uv_timer_start(&r->due, on_due, r->due_at_ms > now ? r->due_at_ms - now : 0, 0);
}

static void on_due(uv_timer_t *t)
{
    struct redis *r = t->data;
    uint64_t now = uv_now(r->loop);
    char why[96];

    if (r->ring.n == 0)
        return;
    if (now >= r->ring.due_ms) {
        /* The answer may be there already: it is we who were away. */
        read_answers(r);
        redis_ring_find_due(&r->ring);
        if (!r->drop && r->ring.n > 0 && now >= r->ring.due_ms) {
            snprintf(why, sizeof why, "no answer in time, %u commands under way", r->ring.n);
            redis_mark_drop(r, why);
        }
    }
    if (!r->drop && r->ring.n > 0)
        watch(r);
    redis_settle(r);
}

/* Notes who waits for the answer to the command that was added just now. */
void redis_await(struct redis *r, int64_t deadline_ms,
                         void (*cb)(void *ctx, const struct redis_reply *reply), void *ctx)
{
    uint64_t due_ms = uv_hrtime() / 1000000 + (uint64_t)deadline_ms; /* uv_now() is of when this turn of the loop began */

    redis_ring_push(&r->ring, (struct redis_wait){cb, ctx, due_ms});
    if (!uv_is_active((uv_handle_t *)&r->due) || due_ms < r->due_at_ms)
        watch(r);
}

/* ---- reading ---- */

static void on_push(struct redis *r, const struct redis_reply *reply)
{
    struct str kind, channel;

    if (redis_reply_n(reply) < 2) {
        redis_mark_drop(r, redis_reply_type(reply) == REDIS_ERR ? redis_reply_str(reply).s : "unexpected answer");
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
            redis_go_up(r);
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
        redis_mark_drop(r, redis_reply_type(reply) == REDIS_ERR ? redis_reply_str(reply).s : "unexpected answer");
    }
}

static void take_replies(struct redis *r)
{
    void *reply = NULL;

    while (!r->drop && !r->closing) {
        if (redisReaderGetReply(r->reader, &reply) != REDIS_OK) {
            redis_mark_drop(r, r->reader->errstr[0] ? r->reader->errstr : "protocol error");
            return;
        }
        if (!reply)
            return;
        on_reply(r, reply);
        arena_reset(&r->replies);
    }
}

static void read_answers(struct redis *r)
{
    static char bytes[READ_BYTES]; /* loop thread only */

    for (int i = 0; i < READ_ROUNDS && r->reader && !r->drop && !r->closing; i++) {
        ssize_t n = recv(r->fd, bytes, sizeof bytes, MSG_DONTWAIT);

        if (n > 0) {
            if (redisReaderFeed(r->reader, bytes, (size_t)n) != REDIS_OK)
                redis_mark_drop(r, "out of memory for an answer");
            take_replies(r);
            if ((size_t)n < sizeof bytes)
                return;
        } else if (n == 0) {
            redis_mark_drop(r, "Redis closed the connection");
        } else if (errno == EAGAIN) {
            return;
        } else if (errno != EINTR) {
            redis_mark_drop(r, strerror(errno));
        }
    }
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
        redis_on_connected(r);
    } else if (events & UV_READABLE) {
        read_answers(r);
    }
    if (status < 0 && !r->drop)
        redis_mark_drop(r, uv_strerror(status));
    if ((events & UV_WRITABLE) && !r->drop && !r->closing)
        redis_flush(r);
    redis_settle(r);
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
    uv_timer_init(loop, &r->due);
    uv_prepare_init(loop, &r->prepare);
    uv_idle_init(loop, &r->spin);
    r->timer.data = r->due.data = r->prepare.data = r->spin.data = r;
    r->refs = 5; /* four handles and the owner */
    redis_out_init(&r->out);
    if (url)
        uv_timer_start(&r->timer, redis_on_timer, 0, 0);
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
        redis_mark_drop(r, "the primary is another server now");
    return 0;
}

void redis_close(struct redis *r, void (*done)(void *ctx), void *ctx)
{
    if (r->closing)
        return;
    r->closing = true;
    r->done = done;
    r->done_ctx = ctx;
    redis_kick(r);
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
        uv_timer_start(&r->timer, redis_on_timer, 0, 0);
    } else if (r->state >= SUBSCRIBING) {
        r->at_once = true;
        redis_mark_drop(r, why);
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
    redis_await(r, deadline_ms, cb, ctx);
    redis_kick(r);
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
            uv_timer_start(&r->timer, redis_on_timer, BUS_PING_MS, BUS_PING_MS);
        redis_send_subscribe(r, channel);
    }
    return 0;
}

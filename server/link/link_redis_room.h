/*
 * One connection to Redis, as its two files share it: link_redis.c (a connection that is there: writing, reading, ending it, the API),
 * link_redis_connect.c (how it comes to be there, and again). Headers of what is public: link_redis.h.
 *
 * Thread  loop.
 */
#ifndef LINK_REDIS_ROOM_H
#define LINK_REDIS_ROOM_H

#include "link/link_redis.h"

#include "base/base_arena.h"

#include "link/link_redis_out.h"
#include "link/link_redis_ring.h"
#include "link/link_redis_url.h"

#include <uv.h>

#define BUS_PING_MS 2000

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
    struct redisReader *reader; /* hiredis' */
    struct arena replies;       /* the answer that is being read, or handled */
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
    uv_timer_t due;   /* the earliest deadline of a command, while there are commands … */
    uint64_t due_at_ms; /* … and when that is */
    uv_prepare_t prepare;
    uv_idle_t spin; /* keeps the loop from sleeping before on_prepare() has run */
};

/* ---- link_redis.c */

/* One of libuv's handles and requests, or the owner, is done with it; the last one frees it. */
void redis_unref(struct redis *r);
/* The connection is to be cleared by the next redis_settle(); `why` for the log. */
void redis_mark_drop(struct redis *r, const char *why);
/* The end of each loop callback of ours: what was marked meanwhile is done. */
void redis_settle(struct redis *r);
/* Has what is to be sent leave before the loop sleeps. */
void redis_kick(struct redis *r);
void redis_flush(struct redis *r);
/* What the socket is polled for (UV_READABLE …). */
void redis_set_events(struct redis *r, int events);
/* Notes who waits for the answer to the command that was added just now. */
void redis_await(struct redis *r, int64_t deadline_ms, void (*cb)(void *ctx, const struct redis_reply *reply), void *ctx);

/* ---- link_redis_connect.c */

void redis_wait_for_next_try(struct redis *r);
/* WAITING: the next try; on the way up: too late; UP on the bus: a ping. */
void redis_on_timer(uv_timer_t *t);
/* The socket of a connection that was begun says how that went. */
void redis_on_connected(struct redis *r);
void redis_go_up(struct redis *r);
void redis_send_subscribe(struct redis *r, const char *channel);

#endif

/*
 * link_redis: one connection to Redis on the loop: hiredis behind an adapter of our own that reports every error, with
 * deadlines on connect and on each command, and reconnects with backoff.
 *
 * Bounds  at most `redis_pending_max` commands under way: over it redis_call() says ERR_FULL at once.
 * Thread  loop.   Errors  a command whose deadline passes or whose connection dies gets reply NULL, once: done or unknown.
 * Source  PROMISES 2.2 and 3, SPEED 5 (hiredis 0.14).
 */
#ifndef LINK_REDIS_H
#define LINK_REDIS_H

#include "base/base_buf.h"
#include "base/base_err.h"

struct uv_loop_s;
struct redis;
struct redis_reply; /* hiredis' own; read by the functions below */

enum redis_type { REDIS_NIL, REDIS_STR, REDIS_INT, REDIS_LIST, REDIS_STATUS, REDIS_ERR };
enum redis_type redis_reply_type(const struct redis_reply *r);
struct str redis_reply_str(const struct redis_reply *r);    /* STR, STATUS, ERR; else {"", 0} */
int64_t redis_reply_int(const struct redis_reply *r);       /* INT, or a STR of digits; else 0 */
size_t redis_reply_n(const struct redis_reply *r);          /* LIST; else 0 */
const struct redis_reply *redis_reply_at(const struct redis_reply *r, size_t i); /* never NULL for i < n */

struct redis_port {
    void *ctx;
    void (*on_up)(void *ctx);                     /* connected, authenticated, and not LOADING: takes commands; hears the channels that it subscribed to */
    void (*on_down)(void *ctx, const char *why);  /* was up, is not; or a try to connect failed (why says so) */
    /* a pub/sub message (only on a connection that subscribed) */
    void (*on_message)(void *ctx, struct str channel, struct str payload);
};

/* url: NULL (nowhere yet: redis_set_url() says where), "unix:///path", "redis://[user:password@]host[:port][/db]". Connects at once and again after each loss (backoff 50 ms → 2 s, jitter). */
int redis_open(struct uv_loop_s *loop, const char *url, const struct redis_port *port, unsigned pending_max, struct redis **out,
               struct err *err);
/* It is somewhere else now: what there was is dropped, and this is connected to at once. ERR_INVALID: nothing has changed. */
int redis_set_url(struct redis *r, const char *url, struct err *err);
/* done(ctx) when nothing of it is left; callbacks under way get NULL first. */
void redis_close(struct redis *r, void (*done)(void *ctx), void *ctx);
bool redis_is_up(const struct redis *r);
unsigned redis_pending(const struct redis *r);
/* Drops the connection (its commands get NULL, from the loop) and connects again at once. Between two tries: tries now. */
void redis_reconnect(struct redis *r, const char *why);
/*
 * One command. argv's bytes are copied. deadline_ms > 0. cb exactly once: a reply (may be REDIS_ERR), or NULL: not done or
 * unknown. ERR_GONE (not connected), ERR_FULL: cb is not called. A deadline that passes drops the connection
 * (answers would no longer match), so all commands behind it get NULL too.
 */
int redis_call(struct redis *r, int argc, const char **argv, const size_t *argv_n, int64_t deadline_ms,
               void (*cb)(void *ctx, const struct redis_reply *reply), void *ctx);
/*
 * Subscribes (again after each reconnect; on_up then comes after all channels are confirmed: so subscribe right after
 * redis_open()). The connection takes no other command from then on (ERR_UNSUPPORTED); it is pinged, a dead one is noticed.
 */
int redis_subscribe(struct redis *r, const char *channel);

/* A blocking connection for the command line: same URLs; reply is the caller's: redis_sync_free(). NULL: *err says why. */
struct redis_sync;
int redis_sync_open(const char *url, int64_t deadline_ms, struct redis_sync **out, struct err *err);
const struct redis_reply *redis_sync_call(struct redis_sync *s, int argc, const char **argv, const size_t *argv_n, struct err *err);
void redis_sync_free(const struct redis_reply *r);
void redis_sync_close(struct redis_sync *s);

#endif

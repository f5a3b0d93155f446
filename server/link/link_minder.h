/*
 * link_minder: minds the local redis-server of one data directory: starts, watches, restarts, adopts, stops it.
 *
 * The server is a child in its own session, on a Unix socket, with its own configuration and directory, and holds an
 * inherited locked descriptor of DATA/redis.lock: lock taken means adopt or wait, never start a second one.
 * Thread  loop; minder_sync_*: the command line, blocking.   Errors  a sentence naming file and cure.
 * Source  DESIGN 2, PROMISES 1 and 2.14, fault rows 10–14.
 */
#ifndef LINK_MINDER_H
#define LINK_MINDER_H

#include "base/base_buf.h"
#include "base/base_err.h"

struct config;
struct uv_loop_s;
struct minder;

struct minder_port {
    void *ctx;
    /* The server of this directory accepts commands (first start, restart or adoption). url: "unix://…" for redis_open(). */
    void (*on_up)(void *ctx, const char *url);
    /* It died (or could not be started; a restart is under way with backoff). fatal: it can't ever start as things are (no redis-server
     * installed, broken AOF …): why is a sentence with the cure. */
    void (*on_down)(void *ctx, bool fatal, const char *why);
};

/* Starts or adopts. The data directory is there. */
int minder_open(struct uv_loop_s *loop, const char *data_dir, const struct config *cfg, const struct minder_port *port,
                struct minder **out, struct err *err);
/* stop: ends the server in order (SHUTDOWN; the AOF is complete) if no other process uses it; else leaves it. done(ctx) on the loop. */
void minder_close(struct minder *m, bool stop, void (*done)(void *ctx), void *ctx);
/* Its pid, 0 if it isn't running. */
int minder_pid(const struct minder *m);

/*
 * For the command line: uses the running server of data_dir, or starts one; url into out. One at a time in a process.
 * minder_sync_end() stops the server if nobody else uses it by then: one that was started here (*started), or one that a
 * gateway left running because it was in use here. A gateway that uses it meanwhile keeps it. Where SIGINT, SIGTERM or SIGHUP ends the
 * process in between, one that was started here ends first.
 */
int minder_sync_begin(const char *data_dir, const struct config *cfg, char url[256], bool *started, struct err *err);
int minder_sync_end(const char *data_dir, bool started, struct err *err);

#endif

/*
 * link_sentinel: where the primary is, as the sentinels say: asked on a short beat, the answer of the latest
 * configuration counts.
 *
 * A beat is enough and a subscription isn't needed: the old primary is left as soon as one sentinel names
 * another, and the connection that breaks asks at once. Thread  loop.   Bounds  SENTINELS_MAX.   Source
 * PROMISES 2.9.
 */
#ifndef LINK_SENTINEL_H
#define LINK_SENTINEL_H

#include "base/base_buf.h"
#include "base/base_err.h"

struct uv_loop_s;
struct sentinel;

struct sentinel_port {
    void *ctx;
    void (*on_primary)(void *ctx, const char *url); /* it is there now; only when that has changed */
    void (*on_nobody)(void *ctx, const char *why);  /* none has named one yet: what one of them answers, or why it can't be asked; NULL: not told */
};

/* url: sentinel://… */
int sentinel_open(struct uv_loop_s *loop, const char *url, const struct sentinel_port *port,
                  struct sentinel **out, struct err *err);
void sentinel_close(struct sentinel *s, void (*done)(void *ctx), void *ctx);
/* Now, not on the next beat. */
void sentinel_ask(struct sentinel *s);
/* True while at least one of them can be asked. */
bool sentinel_is_up(const struct sentinel *s);

#endif

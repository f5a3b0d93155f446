#include "link/link_sentinel.h"

#include "base/base_buf.h"
#include "link/link_redis.h"
#include "link/link_redis_url.h"
#include "log/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <uv.h>

#define ASK_MS    500
#define ANSWER_MS 1000

struct sentinel {
    struct sentinel_url url;
    struct sentinel_port port;
    struct redis *conn[SENTINELS_MAX];
    bool asked[SENTINELS_MAX];
    int64_t config; /* the configuration epoch of the address that stands; -1: none yet */
    char primary[512];
    uv_timer_t timer;
    unsigned closing_left;
    bool closing;
    void (*done)(void *ctx);
    void *done_ctx;
};

struct asking {
    struct sentinel *s;
    unsigned i;
};

static struct str value_of(const struct redis_reply *r, const char *name)
{
    for (size_t i = 0; i + 1 < redis_reply_n(r); i += 2)
        if (str_is(redis_reply_str(redis_reply_at(r, i)), name))
            return redis_reply_str(redis_reply_at(r, i + 1));
    return STR_NONE;
}

/*
 * It leads a failover, or would: as soon as one has been promoted it tells the new configuration's number, but the old address until the
 * other replicas follow (redis/src/sentinel.c of 7.0), while the rest of the sentinels tell the new one.
 */
static bool is_at_a_failover(struct str flags)
{
    static const char mark[] = "failover_in_progress";

    return flags.n && memmem(flags.s, flags.n, mark, sizeof mark - 1);
}

static void say_nobody(struct sentinel *s, const char *why)
{
    if (s->config < 0 && !s->closing && s->port.on_nobody)
        s->port.on_nobody(s->port.ctx, why);
}

static void on_answer(void *ctx, const struct redis_reply *r)
{
    struct asking *q = ctx;
    struct sentinel *s = q->s;
    struct str host = r ? value_of(r, "ip") : STR_NONE, port = r ? value_of(r, "port") : STR_NONE;
    struct str config = r ? value_of(r, "config-epoch") : STR_NONE;
    char url[512];

    s->asked[q->i] = false;
    free(q);
    if (r && redis_reply_type(r) == REDIS_ERR)
        say_nobody(s, redis_reply_str(r).s);
    if (s->closing || host.n == 0 || port.n == 0 || config.n == 0 || is_at_a_failover(value_of(r, "flags")))
        return;
    sentinel_url_primary(&s->url, host, port, url, sizeof url);
    if (strtoll(config.s, NULL, 10) < s->config || strcmp(url, s->primary) == 0)
        return;
    s->config = strtoll(config.s, NULL, 10);
    snprintf(s->primary, sizeof s->primary, "%s", url);
    log_warn("link", "sentinel: the primary is host=%.*s port=%.*s config_epoch=%lld", STR_FMT(host),
             STR_FMT(port), (long long)s->config);
    s->port.on_primary(s->port.ctx, s->primary);
}

void sentinel_ask(struct sentinel *s)
{
    const char *argv[] = {"SENTINEL", "MASTER", s->url.name};

    for (unsigned i = 0; i < s->url.n && !s->closing; i++) {
        struct asking *q;

        if (s->asked[i] || !redis_is_up(s->conn[i]))
            continue;
        q = mem_zalloc(sizeof *q);
        *q = (struct asking){s, i};
        s->asked[i] = redis_call(s->conn[i], 3, argv, NULL, ANSWER_MS, on_answer, q) == 0;
        if (!s->asked[i])
            free(q);
    }
}

bool sentinel_is_up(const struct sentinel *s)
{
    for (unsigned i = 0; i < s->url.n; i++)
        if (redis_is_up(s->conn[i]))
            return true;
    return false;
}

static void on_timer(uv_timer_t *t)
{
    sentinel_ask(t->data);
}

static void on_conn_up(void *ctx)
{
    sentinel_ask(ctx);
}

static void on_conn_down(void *ctx, const char *why)
{
    say_nobody(ctx, why); /* the others are asked; it connects again by itself */
}

int sentinel_open(struct uv_loop_s *loop, const char *url, const struct sentinel_port *port,
                  struct sentinel **out, struct err *err)
{
    struct sentinel *s = mem_zalloc(sizeof *s);
    struct redis_port conn = {s, on_conn_up, on_conn_down, NULL};
    int rc = sentinel_url_parse(url, &s->url, err);

    if (rc < 0) {
        free(s);
        return rc;
    }
    s->port = *port;
    s->config = -1;
    for (unsigned i = 0; i < s->url.n; i++) { /* each address has been parsed: this can't fail */
        rc = redis_open(loop, s->url.sentinel[i], &conn, 8, &s->conn[i], err);
        if (rc < 0)
            abort();
    }
    uv_timer_init(loop, &s->timer);
    s->timer.data = s;
    uv_timer_start(&s->timer, on_timer, ASK_MS, ASK_MS);
    *out = s;
    return 0;
}

static void on_part_closed(void *ctx)
{
    struct sentinel *s = ctx;

    if (--s->closing_left > 0)
        return;
    if (s->done)
        s->done(s->done_ctx);
    sentinel_url_fini(&s->url);
    free(s);
}

static void on_timer_closed(uv_handle_t *h)
{
    on_part_closed(h->data);
}

void sentinel_close(struct sentinel *s, void (*done)(void *ctx), void *ctx)
{
    s->closing = true;
    s->done = done;
    s->done_ctx = ctx;
    s->closing_left = s->url.n + 1;
    for (unsigned i = 0; i < s->url.n; i++)
        redis_close(s->conn[i], on_part_closed, s);
    uv_close((uv_handle_t *)&s->timer, on_timer_closed);
}

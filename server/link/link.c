#include "base/base_embed.h"
#include "config/config.h"
#include "link/link_redis_url.h"
#include "link/link_room.h"
#include "link/link_sentinel.h"
#include "log/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PENDING_MAX 20000
#define CLOCK_MS    1000 /* how often Redis's clock, the epoch and the settings are looked at */

bool link_is_up(const struct link *l)
{
    return l->is_up;
}

const char *link_why(const struct link *l)
{
    return l->why;
}

const char *link_epoch(const struct link *l)
{
    return l->epoch;
}

bool link_was_lost(const struct link *l)
{
    return l->was_lost;
}

const char *link_node(const struct link *l)
{
    return l->node;
}

unsigned link_pending(const struct link *l)
{
    return redis_pending(l->cmd);
}

enum link_fault link_fault(const struct link *l)
{
    return l->fault;
}

static void on_ignored(void *ctx, const struct redis_reply *r)
{
    (void)ctx, (void)r;
}

void link_go_down(struct link *l, enum link_fault fault, const char *why)
{
    if (l->closing)
        return;
    l->is_up = false;
    l->fault = fault;
    if (why != l->why)
        snprintf(l->why, sizeof l->why, "%s", why);
    l->port.on_down(l->port.ctx, l->why);
}

void link_epoch_is_over(struct link *l, struct str now)
{
    if (!l->is_up)
        return;
    log_error("link", "another life of the data has begun old=%s new=%.*s", l->epoch, STR_FMT(now));
    link_go_down(l, LINK_AWAY, "redis: another life of the data has begun");
    link_setup_begin(l);
}

void link_primary_is_lost(struct link *l)
{
    if (!l->sentinel || !l->is_up)
        return;
    sentinel_ask(l->sentinel);
    redis_reconnect(l->cmd, "this server takes no writes any more");
}

/* ---- the connections */

static void on_clock_timer(uv_timer_t *t)
{
    struct link *l = t->data;

    l->beats++;
    link_setup_beat(l);
    if (l->is_up)
        link_look(l, NULL);
}

static void on_cmd_up(void *ctx)
{
    struct link *l = ctx;

    l->is_setting_up = false; /* what an earlier connection had begun has ended with it */
    link_setup_begin(l);
}

static void on_cmd_down(void *ctx, const char *why)
{
    struct link *l = ctx;

    char text[300];

    l->is_setting_up = l->is_looking = l->is_correcting = false;
    snprintf(text, sizeof text, "redis: %s", why);
    link_go_down(l, LINK_AWAY, text);
    if (l->sentinel && !l->closing)
        sentinel_ask(l->sentinel);
}

static void on_primary(void *ctx, const char *url)
{
    struct link *l = ctx;
    struct err err = {0};

    if (l->closing)
        return;
    if (redis_set_url(l->cmd, url, &err) < 0 || redis_set_url(l->bus, url, &err) < 0)
        log_error("link", "the sentinels' answer is no address why=\"%s\"", err_why(&err));
}

/* What a start that waits for one has to say. */
static void on_nobody(void *ctx, const char *why)
{
    struct link *l = ctx;

    snprintf(l->why, sizeof l->why, "redis: no primary is known; a sentinel: %s", why);
}

/* ---- the bus */

static void on_bus_message(void *ctx, struct str channel, struct str payload)
{
    struct link *l = ctx;
    struct str kind = str_next_word(&payload), node = str_next_word(&payload);

    (void)channel;
    if (str_is(node, l->node))
        return;
    if (str_is(kind, "L")) {
        while (payload.n)
            l->port.on_log(l->port.ctx, str_next_word(&payload));
    } else if (str_is(kind, "P")) {
        struct str person = str_next_word(&payload);

        l->port.on_presence(l->port.ctx, person, atoi(payload.n ? payload.s : "0"));
    } else if (str_is(kind, "S")) {
        l->port.on_signal(l->port.ctx, payload);
    }
}

/* Redis has confirmed that it hears: what is said from here on comes. */
static void on_bus_up(void *ctx)
{
    struct link *l = ctx;

    l->listens = true;
    l->port.on_heard(l->port.ctx);
}

static void on_bus_down(void *ctx, const char *why)
{
    struct link *l = ctx;

    (void)why; /* hints only: the slow beat reads what was missed */
    l->listens = false;
}

void link_signal(struct link *l, struct str payload)
{
    struct buf b;
    const char *argv[3] = {"PUBLISH", l->channel, NULL};
    size_t n[3] = {7, strlen(l->channel), 0};

    if (!l->is_up)
        return;
    buf_init(&b, 1 << 16);
    buf_printf(&b, "S %s ", l->node);
    buf_add_str(&b, payload);
    if (buf_ok(&b)) {
        argv[2] = b.p;
        n[2] = b.n;
        redis_call(l->cmd, 3, argv, n, l->cfg->redis.command_ms, on_ignored, NULL);
    }
    buf_fini(&b);
}

/* ---- open, close */

int link_open(struct uv_loop_s *loop, const struct config *cfg, const char *url, const char *site, const char *node,
              const struct link_port *port, struct link **out, struct err *err)
{
    struct link *l = mem_zalloc(sizeof *l);
    struct redis_port cmd = {l, on_cmd_up, on_cmd_down, NULL}, bus = {l, on_bus_up, on_bus_down, on_bus_message};
    struct sentinel_port sentinel = {l, on_primary, on_nobody};
    bool is_fixed = !redis_url_is_sentinel(url);
    int rc;

    l->loop = loop;
    l->cfg = cfg;
    l->port = *port;
    snprintf(l->prefix, sizeof l->prefix, "fl:{%s}:", site);
    snprintf(l->channel, sizeof l->channel, "%sbus", l->prefix);
    snprintf(l->node, sizeof l->node, "%s", node);
    snprintf(l->why, sizeof l->why, "redis: not connected yet");
    for (int i = 0; i < SCRIPT_N; i++) {
        const struct embed *e = embed_find(link_script_name(i));

        if (!e) {
            free(l);
            return err_set(err, ERR_NOT_FOUND, "%s is not built in", link_script_name(i));
        }
        l->text[i] = e->data.s;
    }
    l->fault = LINK_AWAY;
    l->format = LINK_FORMAT;
    rc = is_fixed ? 0 : sentinel_open(loop, url, &sentinel, &l->sentinel, err);
    if (rc == 0)
        rc = redis_open(loop, is_fixed ? url : NULL, &cmd, PENDING_MAX, &l->cmd, err);
    if (rc < 0) {
        free(l);
        return rc;
    }
    rc = redis_open(loop, is_fixed ? url : NULL, &bus, 16, &l->bus, err);
    if (rc < 0) {
        redis_close(l->cmd, NULL, NULL);
        return rc; /* start-up fails: l lives as long as the process */
    }
    redis_subscribe(l->bus, l->channel); /* before it is up: it is when this is confirmed */
    uv_timer_init(loop, &l->clock_timer);
    l->clock_timer.data = l;
    uv_timer_start(&l->clock_timer, on_clock_timer, CLOCK_MS, CLOCK_MS);
    *out = l;
    return 0;
}

static void on_part_closed(void *ctx)
{
    struct link *l = ctx;
    void (*closed)(void *) = l->closed;
    void *closed_ctx = l->closed_ctx;

    if (--l->closing_left > 0)
        return;
    free(l->argv);
    free(l->argv_n);
    link_batch_free(l->spare);
    free(l);
    if (closed)
        closed(closed_ctx);
}

static void on_timer_closed(uv_handle_t *h)
{
    on_part_closed(h->data);
}

void link_close(struct link *l, void (*done)(void *ctx), void *ctx)
{
    l->closing = true;
    l->is_up = false;
    link_flush(l); /* nothing is sent any more: those who wait are told */
    l->closed = done;
    l->closed_ctx = ctx;
    l->closing_left = l->sentinel ? 4 : 3;
    if (l->sentinel)
        sentinel_close(l->sentinel, on_part_closed, l);
    redis_close(l->cmd, on_part_closed, l);
    redis_close(l->bus, on_part_closed, l);
    uv_close((uv_handle_t *)&l->clock_timer, on_timer_closed);
}

#include "base/base_embed.h"
#include "config/config.h"
#include "link/link_room.h"
#include "log/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define PENDING_MAX 20000
#define CLOCK_MS    1000 /* how often Redis's clock is read */

static const char *const script_names[SCRIPT_N] = {"lua/commit.lua", "lua/presence.lua", "lua/snapshot.lua", "lua/free.lua"};

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

const char *link_node(const struct link *l)
{
    return l->node;
}

unsigned link_pending(const struct link *l)
{
    return redis_pending(l->cmd);
}

int64_t link_now_ms(const struct link *l)
{
    return l->clock_ms + (int64_t)((uv_hrtime() - l->clock_hr) / 1000000);
}

/* ---- set-up after each connect: settings, epoch, scripts, clock; only then is it up */

static void setup_done(struct link *l)
{
    if (--l->setup_left > 0)
        return;
    if (l->setup_failed) {
        log_error("link", "not usable why=\"%s\"", l->why);
        l->port.on_down(l->port.ctx, l->why);
        return;
    }
    l->is_up = true;
    log_info("link", "up epoch=%s node=%s", l->epoch, l->node);
    l->port.on_up(l->port.ctx);
}

static void setup_fail(struct link *l, const char *why)
{
    if (!l->setup_failed)
        snprintf(l->why, sizeof l->why, "redis: %s", why);
    l->setup_failed = true;
}

static struct str setting_of(const struct redis_reply *r, const char *name)
{
    for (size_t i = 0; i + 1 < redis_reply_n(r); i += 2)
        if (str_is(redis_reply_str(redis_reply_at(r, i)), name))
            return redis_reply_str(redis_reply_at(r, i + 1));
    return STR_NONE;
}

/* PROMISES 1: the real settings, at start and on each reconnect. */
static void on_settings(void *ctx, const struct redis_reply *r)
{
    struct link *l = ctx;
    bool always = l->cfg->redis.appendfsync == CONFIG_FSYNC_ALWAYS;

    if (!r || redis_reply_type(r) != REDIS_LIST) {
        if (!r)
            setup_fail(l, "no answer to CONFIG GET");
        else if (!l->cfg->redis.trusted)
            setup_fail(l, "CONFIG is denied; set redis.trusted=true if its settings are known to be right");
    } else if (!str_is(setting_of(r, "appendonly"), "yes")) {
        setup_fail(l, "appendonly is off; nothing would be durable: CONFIG SET appendonly yes");
    } else if (always && !str_is(setting_of(r, "appendfsync"), "always")) {
        setup_fail(l, "appendfsync is weaker than configured; CONFIG SET appendfsync always, or set redis.appendfsync=everysec");
    } else if (!str_is(setting_of(r, "no-appendfsync-on-rewrite"), "no")) {
        setup_fail(l, "no-appendfsync-on-rewrite is yes; CONFIG SET no-appendfsync-on-rewrite no");
    } else if (!str_is(setting_of(r, "maxmemory-policy"), "noeviction")) {
        setup_fail(l, "maxmemory-policy may evict chats; CONFIG SET maxmemory-policy noeviction");
    }
    setup_done(l);
}

static void on_epoch(void *ctx, const struct redis_reply *r)
{
    struct link *l = ctx;
    struct str s = r ? redis_reply_str(r) : STR_NONE;

    if (r && redis_reply_type(r) == REDIS_STR && s.n > 0 && s.n < sizeof l->epoch) {
        memcpy(l->epoch, s.s, s.n);
        l->epoch[s.n] = 0;
    } else {
        setup_fail(l, r ? "the epoch is no text" : "no answer to GET");
    }
    setup_done(l);
}

static void on_ignored(void *ctx, const struct redis_reply *r)
{
    (void)ctx, (void)r;
}

struct load {
    struct link *l;
    enum link_script script;
};

static void on_loaded(void *ctx, const struct redis_reply *r)
{
    struct load *ld = ctx;
    struct str s = r ? redis_reply_str(r) : STR_NONE;

    if (r && redis_reply_type(r) == REDIS_STR && s.n < sizeof ld->l->sha[0]) {
        memcpy(ld->l->sha[ld->script], s.s, s.n);
        ld->l->sha[ld->script][s.n] = 0;
    } else {
        char why[200];

        snprintf(why, sizeof why, "%s: %.*s", script_names[ld->script], (int)s.n, s.s ? s.s : "no answer");
        setup_fail(ld->l, why);
    }
    setup_done(ld->l);
    free(ld);
}

static void set_clock(struct link *l, const struct redis_reply *r)
{
    if (!r || redis_reply_n(r) != 2)
        return;
    l->clock_ms = redis_reply_int(redis_reply_at(r, 0)) * 1000 + redis_reply_int(redis_reply_at(r, 1)) / 1000;
    l->clock_hr = uv_hrtime();
}

static void on_first_clock(void *ctx, const struct redis_reply *r)
{
    set_clock(ctx, r);
    if (!r)
        setup_fail(ctx, "no answer to TIME");
    setup_done(ctx);
}

static void on_clock(void *ctx, const struct redis_reply *r)
{
    set_clock(ctx, r);
}

static int call(struct link *l, const char **argv, int argc, void (*cb)(void *, const struct redis_reply *), void *ctx)
{
    size_t n[16];

    for (int i = 0; i < argc; i++)
        n[i] = strlen(argv[i]);
    return redis_call(l->cmd, argc, argv, n, l->cfg->redis.command_ms, cb, ctx);
}

static void on_clock_timer(uv_timer_t *t)
{
    struct link *l = t->data;
    const char *argv[] = {"TIME"};

    if (l->is_up)
        call(l, argv, 1, on_clock, l);
}

static void set_up(struct link *l)
{
    const char *settings[] = {"CONFIG", "GET", "*append*", "maxmemory-policy"};
    const char *clock[] = {"TIME"};
    char key[96], fresh[ID_SIZE];
    const char *make[] = {"SET", key, fresh, "NX"}, *get[] = {"GET", key};

    l->setup_failed = false;
    l->why[0] = 0;
    l->setup_left = 3 + SCRIPT_N;
    snprintf(key, sizeof key, "%sepoch", l->prefix);
    id_make(fresh, 'e');
    if (call(l, settings, 4, on_settings, l) < 0 || call(l, make, 4, on_ignored, l) < 0 || call(l, get, 2, on_epoch, l) < 0 ||
        call(l, clock, 1, on_first_clock, l) < 0)
        return; /* the connection is gone again: on_down follows */
    for (int i = 0; i < SCRIPT_N; i++) {
        const char *load[] = {"SCRIPT", "LOAD", l->text[i]};
        struct load *ld = mem_zalloc(sizeof *ld);

        ld->l = l;
        ld->script = (enum link_script)i;
        if (call(l, load, 3, on_loaded, ld) < 0)
            free(ld);
    }
}

static void on_cmd_up(void *ctx)
{
    set_up(ctx);
}

static void on_cmd_down(void *ctx, const char *why)
{
    struct link *l = ctx;

    if (l->closing)
        return;
    l->is_up = false;
    snprintf(l->why, sizeof l->why, "redis: %s", why);
    l->port.on_down(l->port.ctx, l->why);
}

/* ---- the bus */

/* The next word of s, cut off its front. */
static struct str next_word(struct str *s)
{
    const char *sp = s->n ? memchr(s->s, ' ', s->n) : NULL;
    size_t n = sp ? (size_t)(sp - s->s) : s->n;
    struct str w = {s->s, n};

    s->s += n + (sp ? 1 : 0);
    s->n -= n + (sp ? 1 : 0);
    return w;
}

static void on_bus_message(void *ctx, struct str channel, struct str payload)
{
    struct link *l = ctx;
    struct str kind = next_word(&payload), node = next_word(&payload);

    (void)channel;
    if (str_is(node, l->node))
        return;
    if (str_is(kind, "L")) {
        while (payload.n)
            l->port.on_log(l->port.ctx, next_word(&payload));
    } else if (str_is(kind, "P")) {
        struct str person = next_word(&payload);

        l->port.on_presence(l->port.ctx, person, atoi(payload.n ? payload.s : "0"));
    } else if (str_is(kind, "S")) {
        l->port.on_signal(l->port.ctx, payload);
    }
}

static void on_bus_up(void *ctx)
{
    struct link *l = ctx;

    redis_subscribe(l->bus, l->channel);
}

static void on_bus_down(void *ctx, const char *why)
{
    (void)ctx, (void)why; /* hints only: the slow beat reads what was missed */
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
    int rc;

    l->loop = loop;
    l->cfg = cfg;
    l->port = *port;
    snprintf(l->prefix, sizeof l->prefix, "fl:{%s}:", site);
    snprintf(l->channel, sizeof l->channel, "%sbus", l->prefix);
    snprintf(l->node, sizeof l->node, "%s", node);
    snprintf(l->why, sizeof l->why, "redis: not connected yet");
    for (int i = 0; i < SCRIPT_N; i++) {
        const struct embed *e = embed_find(script_names[i]);

        if (!e) {
            free(l);
            return err_set(err, ERR_NOT_FOUND, "%s is not built in", script_names[i]);
        }
        l->text[i] = e->data.s;
    }
    rc = redis_open(loop, url, &cmd, PENDING_MAX, &l->cmd, err);
    if (rc < 0) {
        free(l);
        return rc;
    }
    rc = redis_open(loop, url, &bus, 16, &l->bus, err);
    if (rc < 0) {
        redis_close(l->cmd, NULL, NULL);
        return rc; /* start-up fails: l lives as long as the process */
    }
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
    l->closing_left = 3;
    redis_close(l->cmd, on_part_closed, l);
    redis_close(l->bus, on_part_closed, l);
    uv_close((uv_handle_t *)&l->clock_timer, on_timer_closed);
}

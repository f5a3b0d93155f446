#include "app/app_room.h"
#include "base/base_fail.h"
#include "link/link_redis_url.h"

#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#define TICK_MS        50
#define SWEEP_MS       2000
#define TRIM_MS        20000 /* what a burst took of the heap is given back so often, */
#define TRIM_SHARE     20000 /* and at most for one in so many parts of the time */
#define OWN_PAGES      (64 * 1024) /* bytes from which on a block has pages of its own, */
#define SPARE_END      (512 * 1024) /* and so many may lie free at a heap's end until the next look */
#define STATES_MS      500
#define LOCK_TRIES     30     /* at the start only */
#define LOCK_WAIT_US   100000
#define QUICK_RETURN_MS 600000

/* ---- readiness */

void app_check_ready(struct app *a)
{
    bool archived = a->feed || a->archive_elsewhere || a->archive_refused[0];

    state_judge(a);
    a->is_ready = a->is_up && a->people_read && archived && a->chats != CHATS_STOPPED && !repair_is_under_way(a);
    if (!a->is_ready || a->was_ready)
        return;
    a->was_ready = true;
    FAIL_POINT("start.ready");
    printf("ready http://%s%s%s\n%s", net_address(a->net), a->opt.site ? " site " : "", a->opt.site ? a->opt.site : "",
           a->opt.notes ? a->opt.notes : "");
    fflush(stdout);
    log_info("app", "ready node=%s address=%s people=%u", a->node, net_address(a->net), a->members.n);
}

/* ---- ticks */

/*
 * free() gives back only what lies at the heap's end: a reconnect storm or a long log that was read leaves holes between what stays, whole
 * pages of them. Looking for these takes the longer the more holes there are, so the next look waits the longer.
 */
static void give_back(struct app *a, int64_t now)
{
    uint64_t began = uv_hrtime();

    if (now < a->trim_at_ms)
        return;
    malloc_trim(0);
    a->trim_at_ms = now + TRIM_MS + (int64_t)((uv_hrtime() - began) * TRIM_SHARE / 1000000);
}

static void give_up(struct app *a)
{
    char url[300];

    redis_url_show(a->opt.redis_url, url, sizeof url);
    app_fatal(a, "%s (%s)%s", link_why(a->link), url, link_fault(a->link) == LINK_AWAY ? "; is the server running, and is --redis right?" : "");
}

static void on_tick(uv_timer_t *t);

/* At whole ticks of the loop's clock, as net does. */
static void start_tick(struct app *a)
{
    uv_timer_start(&a->tick, on_tick, TICK_MS - uv_now(a->loop) % TICK_MS, 0);
}

static void on_tick(uv_timer_t *t)
{
    struct app *a = t->data;
    int64_t now = (int64_t)uv_now(a->loop);

    start_tick(a);
    a->ticks++;
    if (!a->link)
        return;
    kb_tick(a);
    if (!repair_is_under_way(a)) {
        match_tick(a);
        if (a->ticks % 4 == 0)
            timers_tick(a);
    }
    if (a->feed)
        jobs_feed_tick(a->feed, now);
    if (a->freer && !repair_is_under_way(a))
        jobs_free_tick(a->freer, now);
    if (a->ticks % (1000 / TICK_MS) == 0)
        conn_end_sessions(a);
    if (a->ticks % (1000 / TICK_MS) == 0 && link_is_up(a->link)) {
        board_tick(a);
        shopper_tick(a);
    }
    if (a->ticks % (STATES_MS / TICK_MS) == 0) {
        app_check_ready(a);
        state_tell(a);
    }
    if (a->sweep_at > 0 || a->ticks % (SWEEP_MS / TICK_MS) == 0)
        slot_sweep(a, now);
    if (a->ticks % (SWEEP_MS / TICK_MS) == 0) {
        repair_go_on(a);
        give_back(a, now);
        state_look_at_disks(a);
        state_look_at_memory(a); /* behind what was given back */
        app_archive_look(a);
    }
    if (!a->was_ready && now - a->started_at_ms > a->cfg->redis.wait_ms && !a->is_up && a->opt.redis_url)
        give_up(a);
}

/* Matching looks again, so that nothing waits for a hint that was lost; the nodes see each other. */
static void on_beat(uv_timer_t *t)
{
    struct app *a = t->data;

    if (a->link)
        nodes_beat(a);
    if (a->link && a->beats % NODES_SLOW_BEATS == 0)
        reps_forget(a);
    if (a->link && link_is_up(a->link) && a->is_ready)
        match_all_dirty(a);
}

static void on_turn(void *ctx)
{
    struct app *a = ctx;

    if (!a->link)
        return;
    if (!repair_is_under_way(a))
        match_turn(a);
    if (a->feed)
        jobs_feed_turn(a->feed, (int64_t)uv_now(a->loop));
    link_flush(a->link);
}

/* ---- the start */

static void add_canned(struct app *a, size_t *n, const char *text)
{
    if (*text)
        a->canned[(*n)++] = text;
}

/* Texts that alone are no reply (rule 2.1): the site's own greetings, farewells and canned replies, and what the machine says. */
static void set_canned(struct app *a)
{
    const struct config_site *s = &a->cfg->sites[0];
    const char *const own[] = {s->greeting_en, s->greeting_zh, s->farewell_en, s->farewell_zh};
    size_t n = 0;

    a->canned = mem_alloc((sizeof own / sizeof *own + 2 * (CARE_TEXT_N + a->cfg->canned_n) + 1) * sizeof *a->canned);
    for (unsigned i = 0; i < sizeof own / sizeof *own; i++)
        add_canned(a, &n, own[i]);
    for (unsigned i = 0; i < CARE_TEXT_N; i++) {
        add_canned(a, &n, care_text((enum care_text)i, STR("en")).s);
        add_canned(a, &n, care_text((enum care_text)i, STR("zh-CN")).s);
    }
    for (size_t i = 0; i < a->cfg->canned_n; i++) {
        add_canned(a, &n, a->cfg->canned[i].text_en);
        add_canned(a, &n, a->cfg->canned[i].text_zh);
    }
    a->canned[n] = NULL;
    a->rules.texts.canned = a->canned;
}

const struct config_class *app_class(const struct app *a, enum class class_)
{
    const struct config *c = a->cfg;
    const struct config_class *const classes[CLASS_N] = {
        [CLASS_NORMAL] = &c->class.normal, [CLASS_VIP] = &c->class.vip,       [CLASS_RETURNING] = &c->class.returning,
        [CLASS_CARE] = &c->class.care,     [CLASS_URGENT] = &c->class.urgent,
    };

    return classes[class_];
}

/* What the site says in its own words (rule 3.4). */
static void set_words(struct app *a)
{
    const struct config_site *s = config_site_find(a->cfg, str_of(a->site));

    if (s)
        a->rules.words = (struct care_words){.greeting = {s->greeting_en, s->greeting_zh}, .farewell = {s->farewell_en, s->farewell_zh}};
}

static void set_rules(struct app *a)
{
    const struct config *c = a->cfg;
    struct chat_rules *r = &a->rules;

    r->offer_ms = c->routing.offer_ms;
    r->transfer_ms = c->transfer.answer_ms;
    r->silent_ms = c->routing.silent_ms;
    r->confirm_ms = c->resolution.confirm_ms;
    r->return_ms = c->ownership.return_ms;
    r->quick_return_ms = QUICK_RETURN_MS;
    r->keep_ms = c->chat.keep_ms;
    r->auto_accept = c->routing.auto_accept;
    r->care = (struct care_times){c->care.first_ms, c->care.alert_ms, c->care.act_ms};
    for (unsigned i = 0; i < CLASS_N; i++) {
        r->head_start_ms[i] = app_class(a, (enum class)i)->head_start_ms;
        r->weight[i] = app_class(a, (enum class)i)->weight;
    }
    a->spans = (struct spans){c->routing.overflow_ms, c->queue.gone_ms, c->ownership.grace_ms};
    set_canned(a);
    set_words(a);
    match_take_own(&c->sites[0].rules, r, &a->spans);
    a->limits = (struct protocol_limits){(size_t)c->limits.frame_bytes, (unsigned)c->limits.depth, 256, (size_t)c->limits.text_chars};
}

/* This node's name: set, or the host's with something of the data directory, so that a restart is the same node. */
static void set_node(struct app *a)
{
    char host[32] = "node";
    unsigned char h[CRYPTO_HASH_BYTES];
    char hex[9], *real = realpath(a->opt.data_dir, NULL);

    if (a->cfg->server.node[0]) {
        snprintf(a->node, sizeof a->node, "%.40s", a->cfg->server.node);
    } else {
        gethostname(host, sizeof host - 1);
        crypto_digest(h, real ? real : a->opt.data_dir, strlen(real ? real : a->opt.data_dir), NULL, 0);
        crypto_hex(hex, h, 4);
        snprintf(a->node, sizeof a->node, "%s-%s", host, hex);
    }
    for (char *p = a->node; *p; p++)
        if (!((*p >= 'a' && *p <= 'z') || (*p >= 'A' && *p <= 'Z') || (*p >= '0' && *p <= '9') || *p == '-' || *p == '_' || *p == '.'))
            *p = '-';
    free(real);
}

bool app_count_start(struct app *a, const char *key, int64_t limit)
{
    struct start_count {
        int64_t since_ms;
        int64_t n;
    } *k;
    int64_t now = (int64_t)uv_now(a->loop);

    if (limit == 0)
        return true;
    if (a->starts.n > 20000) /* bounded: what is an hour old is dropped with the rest */
        map_fini_free(&a->starts);
    k = map_get(&a->starts, str_of(key));
    if (!k) {
        k = mem_zalloc(sizeof *k);
        k->since_ms = now;
        map_put(&a->starts, str_of(key), k);
    }
    if (now - k->since_ms > 3600000) {
        k->since_ms = now;
        k->n = 0;
    }
    return ++k->n <= limit;
}

int app_archive_open(struct app *a, struct err *err)
{
    char path[600];

    snprintf(path, sizeof path, "%s%s", a->cfg->archive.path[0] ? a->cfg->archive.path : a->opt.data_dir,
             a->cfg->archive.path[0] ? "" : "/archive.sqlite");
    /* A process that was killed a moment ago may still be dying, and hold the lock until it is gone. */
    for (int tries = 0;; tries++) {
        int rc = archive_open(a->loop, path, a->site, a->node, &a->archive, err);

        if (rc == 0)
            snprintf(a->archive_id, sizeof a->archive_id, "%s", archive_id(a->archive));
        if (rc != ERR_BUSY || tries == LOCK_TRIES || a->was_ready)
            return rc;
        usleep(LOCK_WAIT_US);
    }
}

/* The listener of metrics.listen: health and figures, nothing else. */
static void metrics_request(void *ctx, struct net_http *req, const struct net_head *head, struct str body)
{
    struct app *a = ctx;

    http_request_metrics(a->http, req, head, body);
}

static int open_parts(struct app *a, struct err *err)
{
    struct net_port net = {a, conn_check, conn_opened, conn_text, conn_drained, conn_closed, NULL, on_turn, a->cfg->server.share_port};
    struct minder_port minder = {a, app_minder_up, app_minder_down};
    int rc = app_archive_open(a, err);

    FAIL_POINT("start.archive");
    if (rc == 0)
        rc = kb_start(a, err);
    if (rc == 0)
        rc = app_http_start(a, err);
    if (rc == 0) {
        net.http_request = app_http_request;
        rc = net_open(a->loop, a->cfg, a->opt.listen ? a->opt.listen : a->cfg->server.listen, &net, &a->net, err);
    }
    if (rc == 0 && a->cfg->metrics.listen[0]) {
        net.http_request = metrics_request;
        net.ws_check = NULL;
        net.turn = NULL;
        net.shares_port = false;
        rc = net_open(a->loop, a->cfg, a->cfg->metrics.listen, &net, &a->metrics_net, err);
        if (rc == 0)
            log_info("app", "metrics address=%s", net_address(a->metrics_net));
    }
    if (rc == 0 && a->opt.redis_url)
        rc = app_open_link(a, a->opt.redis_url, err);
    else if (rc == 0)
        rc = minder_open(a->loop, a->opt.data_dir, a->cfg, &minder, &a->minder, err);
    return rc;
}

void app_http_request(void *ctx, struct net_http *req, const struct net_head *head, struct str body)
{
    struct app *a = ctx;

    http_request(a->http, req, head, body);
}

static void raise_descriptors(void)
{
    struct rlimit r;

    if (getrlimit(RLIMIT_NOFILE, &r) == 0 && r.rlim_cur < r.rlim_max) {
        r.rlim_cur = r.rlim_max;
        setrlimit(RLIMIT_NOFILE, &r);
    }
}

/*
 * Large blocks (a batch for the archive, a long log that is read) come and go beside small ones that stay. In pages of their own they leave
 * no holes between these. By itself glibc moves both borders up with the largest block that was ever freed.
 */
static void bound_heap(void)
{
    mallopt(M_MMAP_THRESHOLD, OWN_PAGES);
    mallopt(M_TRIM_THRESHOLD, SPARE_END);
}

int app_run(struct config *cfg, const struct app_options *opt, struct err *err)
{
    uv_loop_t loop;
    struct app *a = mem_zalloc(sizeof *a);
    int rc;

    raise_descriptors();
    bound_heap();
    signal(SIGPIPE, SIG_IGN);
    uv_replace_allocator(mem_ask, mem_ask_again, mem_ask_zeroed, free); /* by itself it aborts without a word */
    uv_loop_init(&loop);
    a->loop = &loop;
    a->cfg = cfg;
    a->opt = *opt;
    a->site = cfg->sites[0].id;
    set_node(a);
    set_rules(a);
    commit_start(a);
    match_start(a);
    decision_init(&a->decision);
    a->guard = auth_guard_create((unsigned)cfg->auth.attempts_per_min);
    a->started_at_ms = (int64_t)uv_now(&loop);
    uv_timer_init(&loop, &a->tick);
    uv_timer_init(&loop, &a->beat);
    uv_timer_init(&loop, &a->drain);
    uv_signal_init(&loop, &a->sigterm);
    uv_signal_init(&loop, &a->sigint);
    uv_signal_init(&loop, &a->sighup);
    a->tick.data = a->beat.data = a->drain.data = a->sigterm.data = a->sigint.data = a->sighup.data = a;
    rc = open_parts(a, err);
    if (rc == 0) {
        start_tick(a);
        uv_timer_start(&a->beat, on_beat, 100, (uint64_t)cfg->presence.beat_ms);
        uv_signal_start(&a->sigterm, app_on_stop_signal, SIGTERM);
        uv_signal_start(&a->sigint, app_on_stop_signal, SIGINT);
        if (app_hears_hangup())
            uv_signal_start(&a->sighup, app_on_stop_signal, SIGHUP);
        uv_run(&loop, UV_RUN_DEFAULT);
        rc = a->exit_code;
        if (rc < 0)
            err_set(err, rc, "%s", a->exit_why);
    } else {
        a->is_draining = true;
        app_close_rest(a);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    while (a->works > 0)
        uv_run(&loop, UV_RUN_ONCE);
    app_fini(a);
    return rc;
}

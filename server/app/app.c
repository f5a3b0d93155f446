#include "app/app_room.h"
#include "base/base_fail.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#define TICK_MS        50
#define DRAIN_MS       12000 /* at most, for the archive to catch up */
#define SWEEP_MS       2000
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
    printf("ready http://%s\n%s", net_address(a->net), a->opt.notes ? a->opt.notes : "");
    fflush(stdout);
    log_info("app", "ready node=%s address=%s people=%u", a->node, net_address(a->net), a->members.n);
}

/* ---- ports of link */

static void on_changed_log(void *ctx, struct str log)
{
    struct app *a = ctx;
    struct slot *s;

    if (log.n && log.s[0] == 'r') {
        people_on_log(a, log);
        return;
    }
    if (log.n && log.s[0] == 'k') {
        kb_on_log(a, log);
        jobs_feed_kick(a->feed);
        return;
    }
    s = slot_find(a, log);
    if (s && s->is_loaded)
        slot_refresh(s);
    jobs_feed_kick(a->feed);
}

static void on_presence(void *ctx, struct str person, int nodes)
{
    struct app *a = ctx;
    struct member *m = person.n && person.s[0] == 'r' ? people_find(a, person) : NULL;

    if (!m)
        return;
    m->present_elsewhere = nodes > (m->conns ? 1 : 0);
    people_tell_presence(a, m);
    match_member_dirty(a, m);
}

static void on_noticed(struct slot *s, void *ctx)
{
    (void)ctx;
    slot_refresh(s);
}

static struct str word(struct str *s)
{
    const char *sp = s->n ? memchr(s->s, ' ', s->n) : NULL;
    struct str w = {s->s, sp ? (size_t)(sp - s->s) : s->n};

    s->s += w.n + (sp ? 1 : 0);
    s->n -= w.n + (sp ? 1 : 0);
    return w;
}

static void on_typed(void *ctx, struct str key, struct val v)
{
    if (str_is(key, "preview") && v.type == VAL_STR)
        kb_for_preview(ctx, v.s);
}

/* A typing sign or a read mark of another node's connection. */
static void pass_on(struct app *a, struct str json)
{
    const char *p = memmem(json.s, json.n, "\"chat\":\"", 8), *q = p ? memchr(p + 8, '"', json.n - (size_t)(p + 8 - json.s)) : NULL;
    struct slot *s = q ? slot_find(a, (struct str){p + 8, (size_t)(q - p - 8)}) : NULL;
    bool only_staff = memmem(json.s, json.n, "\"mode\":\"note\"", 13) != NULL;

    for (struct sub *u = s ? s->subs : NULL; u; u = u->next_of_slot)
        if (u->conn->is_staff || !only_staff)
            signal_raw(u->conn, crypto_short_hash(json.s, json.n > 60 ? 60 : json.n), json);
    if (s && memmem(json.s, json.n, "\"preview\":\"", 11))
        json_read_object(json, &a->limits, on_typed, s, NULL);
}

static void on_signal(void *ctx, struct str payload)
{
    struct app *a = ctx;
    struct str kind;

    if (payload.n && payload.s[0] == '{') {
        pass_on(a, payload);
        return;
    }
    kind = word(&payload);
    if (str_is(kind, "N")) {
        struct str person = word(&payload);
        struct member *m = people_find(a, person);

        if (m && m->conns && payload.n && payload.n < ID_SIZE)
            slot_when_loaded(slot_get(a, payload), on_noticed, a);
    } else if (str_is(kind, "A")) { /* an alert: leads may be here */
        if (payload.n && payload.n < ID_SIZE)
            slot_when_loaded(slot_get(a, payload), on_noticed, a);
    } else if (str_is(kind, "T")) {
        task_changed(a, payload);
    } else if (str_is(kind, "F")) {
        slot_left_redis(a, payload);
    } else if (str_is(kind, "X")) {
        app_close_session(a, payload);
    }
}

static void on_up(void *ctx)
{
    struct app *a = ctx;
    struct map_item *it;
    uint32_t i = 0;

    a->is_up = true;
    FAIL_POINT("start.up");
    if (!a->was_ready)
        nodes_sweep(a, a->node); /* those whom a former life of this node left behind */
    timers_alive(a);
    repair_begin(a);
    people_start(a);
    kb_up(a);
    app_archive_start(a);
    while ((it = map_next(&a->slots, &i))) { /* what was under way when Redis went may stand in the log */
        struct slot *s = it->value;

        if (s->is_loaded)
            slot_refresh(s);
    }
    match_all_dirty(a);
    app_check_ready(a);
}

static void on_down(void *ctx, const char *why)
{
    struct app *a = ctx;

    if (a->is_up)
        log_warn("app", "redis away why=\"%s\"", why);
    a->is_up = a->alive_said = false;
    a->timers_busy = false;
    app_check_ready(a);
}

static int open_link(struct app *a, const char *url, struct err *err)
{
    struct link_port port = {a, on_up, on_down, on_changed_log, on_presence, on_signal};

    char epoch[40] = "";
    int64_t n = 0;
    int rc = link_open(a->loop, a->cfg, url, a->site, a->node, &port, &a->link, err);

    if (rc == 0) {
        archive_cursor(a->archive, epoch, &n);
        link_note_seen(a->link, epoch, archive_seen(a->archive));
    }
    return rc;
}

static void on_minder_up(void *ctx, const char *url)
{
    struct app *a = ctx;
    struct err err = {0};

    if (!a->link && open_link(a, url, &err) < 0)
        app_fatal(a, "%s", err_why(&err));
}

static void on_minder_down(void *ctx, bool fatal, const char *why)
{
    struct app *a = ctx;

    log_warn("app", "redis-server down why=\"%s\"", why);
    if (fatal)
        app_fatal(a, "%s", why);
}

/* ---- ticks */

static void on_tick(uv_timer_t *t)
{
    struct app *a = t->data;
    int64_t now = (int64_t)uv_now(a->loop);

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
    if (a->ticks % (1000 / TICK_MS) == 0 && link_is_up(a->link))
        board_tick(a);
    if (a->ticks % (STATES_MS / TICK_MS) == 0) {
        app_check_ready(a);
        state_tell(a);
    }
    if (a->ticks % (SWEEP_MS / TICK_MS) == 0) {
        slot_sweep(a, now);
        state_look_at_disks(a);
        app_archive_look(a);
    }
    if (!a->was_ready && now - a->started_at_ms > a->cfg->redis.wait_ms && !a->is_up && a->opt.redis_url)
        app_fatal(a, "%s (%s); is the server running, and is --redis right?", link_why(a->link), a->opt.redis_url);
}

/* Matching looks again, so that nothing waits for a hint that was lost; the nodes see each other. */
static void on_beat(uv_timer_t *t)
{
    struct app *a = t->data;

    if (a->link)
        nodes_beat(a);
    if (a->link && link_is_up(a->link) && a->is_ready)
        match_all_dirty(a);
}

static void on_turn(void *ctx)
{
    struct app *a = ctx;

    if (!a->link)
        return;
    if (!repair_is_under_way(a))
        match_tick(a);
    link_flush(a->link);
}

/* ---- the end */

/*
 * In this order: what has threads (libwebsockets closes its event descriptor twice, and another thread could have been given
 * that number), the net, the link (connections that end tell it who left), and last the redis-server.
 */
static void on_minder_gone(void *ctx)
{
    struct app *a = ctx;

    uv_stop(a->loop);
}

static void on_link_gone(void *ctx)
{
    struct app *a = ctx;

    a->link = NULL;
    if (a->minder)
        minder_close(a->minder, true, on_minder_gone, a);
    else
        uv_stop(a->loop);
}

static void on_net_gone(void *ctx)
{
    struct app *a = ctx;

    if (--a->ending_left > 0)
        return;
    if (a->link)
        link_close(a->link, on_link_gone, a);
    else
        on_link_gone(a);
}

static void close_net(void *ctx)
{
    struct app *a = ctx;

    a->ending_left = 1;
    if (a->metrics_net) {
        a->ending_left++;
        net_destroy(a->metrics_net, on_net_gone, a);
    }
    if (a->net) {
        a->ending_left++;
        net_destroy(a->net, on_net_gone, a);
    }
    on_net_gone(a);
}

static void close_rest(struct app *a)
{
    struct archive *archive = a->archive;

    uv_timer_stop(&a->tick);
    uv_timer_stop(&a->beat);
    jobs_free_destroy(a->freer);
    a->freer = NULL;
    jobs_feed_destroy(a->feed);
    a->feed = NULL;
    a->archive = NULL;
    if (archive)
        archive_close(archive, close_net, a);
    else
        close_net(a);
}

static void on_drain(uv_timer_t *t)
{
    struct app *a = t->data;

    if ((uint64_t)uv_now(a->loop) < a->drain_until_ms && a->works > 0)
        return; /* it may have to answer somebody */
    if (a->feed && a->is_up && (uint64_t)uv_now(a->loop) < a->drain_until_ms && !(jobs_feed_is_idle(a->feed) && jobs_feed_lag(a->feed) == 0)) {
        jobs_feed_tick(a->feed, (int64_t)uv_now(a->loop));
        return;
    }
    uv_timer_stop(t);
    FAIL_POINT("drain.archived");
    close_rest(a);
}

static void on_all_closed(void *ctx)
{
    struct app *a = ctx;

    FAIL_POINT("drain.closed");
    nodes_leave(a);
    jobs_feed_kick(a->feed);
    a->drain_until_ms = uv_now(a->loop) + DRAIN_MS;
    uv_timer_start(&a->drain, on_drain, 50, 50);
}

static void begin_end(struct app *a)
{
    if (a->is_draining)
        return;
    a->is_draining = true;
    state_judge(a);
    kb_drain(a);
    if (!a->net) {
        close_rest(a);
        return;
    }
    net_stop_listening(a->net);
    net_close_all(a->net, 1001, 200, 2000, on_all_closed, a);
}

static void on_stop_signal(uv_signal_t *h, int signum)
{
    struct app *a = h->data;

    log_info("app", "draining signal=%d", signum);
    begin_end(a);
}

void app_fatal(struct app *a, const char *fmt, ...)
{
    va_list ap;

    if (!a->exit_code) {
        va_start(ap, fmt);
        vsnprintf(a->exit_why, sizeof a->exit_why, fmt, ap);
        va_end(ap);
    }
    a->exit_code = ERR_IO;
    begin_end(a);
}

/* ---- the start */

/* Texts that alone are no reply (rule 2.1): the site's own greetings and farewells and what the machine says. */
static void set_canned(struct app *a)
{
    const struct config_site *s = &a->cfg->sites[0];
    const char *const own[] = {s->greeting_en, s->greeting_zh, s->farewell_en, s->farewell_zh};
    unsigned n = 0;

    for (unsigned i = 0; i < sizeof own / sizeof *own; i++)
        if (own[i][0])
            a->canned[n++] = own[i];
    for (unsigned i = 0; i < CARE_TEXT_N; i++) {
        a->canned[n++] = care_text((enum care_text)i, STR("en")).s;
        a->canned[n++] = care_text((enum care_text)i, STR("zh-CN")).s;
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
    struct map_item *it;
    uint32_t i = 0;

    if (limit == 0)
        return true;
    if (a->starts.n > 20000) { /* bounded: what is an hour old is dropped with the rest */
        while ((it = map_next(&a->starts, &i)))
            free(it->value);
        map_fini(&a->starts);
    }
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

static int make_data_dir(const char *path, struct err *err)
{
    struct stat st;

    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_IO, "--data %s: %s; name a directory that can be made and written", path, strerror(errno));
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
        return err_set(err, ERR_IO, "--data %s: it is a file; name a directory", path);
    if (access(path, W_OK | X_OK) < 0)
        return err_set(err, ERR_IO, "--data %s: %s", path, strerror(errno));
    return 0;
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
    struct net_port net = {a, conn_check, conn_opened, conn_text, conn_drained, conn_closed, NULL, on_turn};
    struct minder_port minder = {a, on_minder_up, on_minder_down};
    int rc = make_data_dir(a->opt.data_dir, err);

    if (rc == 0)
        rc = app_archive_open(a, err);
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
        net.turn = NULL;
        rc = net_open(a->loop, a->cfg, a->cfg->metrics.listen, &net, &a->metrics_net, err);
    }
    if (rc == 0 && a->opt.redis_url)
        rc = open_link(a, a->opt.redis_url, err);
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

static void free_values(struct map *m)
{
    struct map_item *it;
    uint32_t i = 0;

    while ((it = map_next(m, &i)))
        free(it->value);
    map_fini(m);
}

static void app_fini(struct app *a)
{
    uv_handle_t *handles[] = {(uv_handle_t *)&a->tick, (uv_handle_t *)&a->beat, (uv_handle_t *)&a->drain,
                              (uv_handle_t *)&a->sigterm, (uv_handle_t *)&a->sigint};

    for (unsigned i = 0; i < sizeof handles / sizeof *handles; i++)
        uv_close(handles[i], NULL);
    uv_run(a->loop, UV_RUN_DEFAULT);
    uv_loop_close(a->loop);
    slot_free_all(a);
    pool_fini(&a->cmds);
    pool_fini(&a->flights);
    free_values(&a->members);
    free_values(&a->guests);
    free_values(&a->peers);
    free_values(&a->starts);
    kb_stop(a);
    http_destroy(a->http);
    auth_guard_destroy(a->guard);
    decision_fini(&a->decision);
    free(a->departments);
    free(a);
}

int app_run(struct config *cfg, const struct app_options *opt, struct err *err)
{
    uv_loop_t loop;
    struct app *a = mem_zalloc(sizeof *a);
    int rc;

    raise_descriptors();
    signal(SIGPIPE, SIG_IGN);
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
    a->tick.data = a->beat.data = a->drain.data = a->sigterm.data = a->sigint.data = a;
    rc = open_parts(a, err);
    if (rc == 0) {
        uv_timer_start(&a->tick, on_tick, TICK_MS, TICK_MS);
        uv_timer_start(&a->beat, on_beat, 100, (uint64_t)cfg->presence.beat_ms);
        uv_signal_start(&a->sigterm, on_stop_signal, SIGTERM);
        uv_signal_start(&a->sigint, on_stop_signal, SIGINT);
        uv_run(&loop, UV_RUN_DEFAULT);
        rc = a->exit_code;
        if (rc < 0)
            err_set(err, rc, "%s", a->exit_why);
    } else {
        a->is_draining = true;
        close_rest(a);
        uv_run(&loop, UV_RUN_DEFAULT);
    }
    while (a->works > 0)
        uv_run(&loop, UV_RUN_ONCE);
    app_fini(a);
    return rc;
}

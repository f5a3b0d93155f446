/* What the link to Redis and the minder of a managed redis-server tell. */
#include "app/app_room.h"
#include "base/base_fail.h"

#include <string.h>

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
    if (log.n && log.s[0] == 't') {
        tasks_look(a);
        jobs_feed_kick(a->feed);
        return;
    }
    s = slot_awake(a, log);
    if (s && s->is_loaded)
        slot_refresh(s);
    jobs_feed_kick(a->feed);
}

static void on_presence(void *ctx, struct str person, int nodes)
{
    people_present(ctx, person, nodes);
}

static void on_noticed(struct slot *s, void *ctx)
{
    (void)ctx;
    slot_refresh(s);
}

static void on_signal(void *ctx, struct str payload)
{
    struct app *a = ctx;
    struct str kind;

    if (payload.n && payload.s[0] == '{') {
        signal_pass_on(a, payload);
        return;
    }
    kind = str_next_word(&payload);
    if (str_is(kind, "N")) {
        struct str person = str_next_word(&payload);
        struct member *m = people_find(a, person);

        if (((m && m->conns) || guest_conns(a, person)) && payload.n && payload.n < ID_SIZE)
            slot_when_loaded(slot_get(a, payload), on_noticed, a);
    } else if (str_is(kind, "A")) { /* an alert: leads may be here */
        if (payload.n && payload.n < ID_SIZE)
            slot_when_loaded(slot_get(a, payload), on_noticed, a);
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
    nodes_beat(a); /* before anybody is here: who dies without a beat is missed by nobody */
    repair_begin(a);
    people_start(a);
    kb_up(a);
    app_archive_start(a);
    tasks_look(a);
    while ((it = map_next(&a->slots, &i))) { /* what was under way when Redis went may stand in the log */
        struct slot *s = it->value;

        if (s->is_loaded || s->subs)
            slot_refresh(s);
    }
    shopper_join_all(a);
    nodes_sweep(a, a->node);
    reps_forget(a);
    match_all_dirty(a);
    app_check_ready(a);
}

static void on_down(void *ctx, const char *why)
{
    struct app *a = ctx;

    if (a->is_up)
        log_warn("app", "redis away why=\"%s\"", why);
    a->is_up = a->alive_said = a->has_beaten = false;
    a->timers_busy = false;
    app_check_ready(a);
}

static void on_heard(void *ctx)
{
    nodes_look(ctx);
}

int app_open_link(struct app *a, const char *url, struct err *err)
{
    struct link_port port = {a, on_up, on_down, on_changed_log, on_presence, on_signal, on_heard};

    char epoch[40] = "";
    int64_t n = 0;
    int rc = link_open(a->loop, a->cfg, url, a->site, a->node, &port, &a->link, err);

    if (rc == 0) {
        archive_cursor(a->archive, epoch, &n);
        link_note_seen(a->link, epoch, archive_seen(a->archive));
    }
    return rc;
}

void app_minder_up(void *ctx, const char *url)
{
    struct app *a = ctx;
    struct err err = {0};

    if (!a->link && app_open_link(a, url, &err) < 0)
        app_fatal(a, "%s", err_why(&err));
}

void app_minder_down(void *ctx, bool fatal, const char *why)
{
    struct app *a = ctx;

    log_warn("app", "redis-server down why=\"%s\"", why);
    if (fatal)
        app_fatal(a, "%s", why);
}

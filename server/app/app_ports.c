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
    bool only_staff = s && signal_is_for_staff(s, json);
    struct str sender = signal_sender(json);
    uint64_t key = signal_key(json);

    for (struct sub *u = s ? s->subs : NULL; u; u = u->next_of_slot)
        if (!str_is(sender, u->conn->person) && (u->conn->is_staff || !only_staff))
            signal_raw(u->conn, key, json);
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
    timers_alive(a);
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
    a->is_up = a->alive_said = false;
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

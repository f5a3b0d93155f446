/* The end of the server: on a signal, or where it can't go on. */
#include "app/app_room.h"
#include "base/base_fail.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#define DRAIN_MS 12000 /* at most, for the archive to catch up */

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

void app_close_rest(struct app *a)
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
    app_close_rest(a);
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
        app_close_rest(a);
        return;
    }
    net_stop_listening(a->net);
    net_close_all(a->net, 1001, 200, 2000, on_all_closed, a);
}

void app_on_stop_signal(uv_signal_t *h, int signum)
{
    struct app *a = h->data;

    log_info("app", "draining signal=%d", signum);
    begin_end(a);
}

bool app_hears_hangup(void)
{
    struct sigaction now;

    return sigaction(SIGHUP, NULL, &now) == 0 && now.sa_handler != SIG_IGN;
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

void app_fini(struct app *a)
{
    uv_handle_t *handles[] = {(uv_handle_t *)&a->tick, (uv_handle_t *)&a->beat, (uv_handle_t *)&a->drain,
                              (uv_handle_t *)&a->sigterm, (uv_handle_t *)&a->sigint, (uv_handle_t *)&a->sighup};

    for (unsigned i = 0; i < sizeof handles / sizeof *handles; i++)
        uv_close(handles[i], NULL);
    uv_run(a->loop, UV_RUN_DEFAULT);
    uv_loop_close(a->loop);
    repair_forget(a);
    slot_free_all(a);
    map_fini_free(&a->asleep); /* none: their connections are gone */
    pool_fini(&a->cmds);
    pool_fini(&a->flights);
    map_fini_free(&a->members);
    guests_fini(a);
    map_fini_free(&a->peers);
    map_fini_free(&a->timers_tried);
    map_fini_free(&a->starts);
    tasks_fini(a);
    kb_stop(a);
    http_destroy(a->http);
    auth_guard_destroy(a->guard);
    auth_guard_destroy(a->shopper_calls);
    decision_fini(&a->decision);
    for (unsigned i = 0; i < a->departments_n; i++)
        free(a->departments[i].reps);
    free(a->departments);
    free(a->departments_by_name);
    free(a->canned);
    free(a);
}

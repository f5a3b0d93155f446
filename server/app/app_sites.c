/* Several sites on one installation: a process each, and this one that minds them. */
#include "app/app.h"

#include "config/config.h"
#include "log/log.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <unistd.h>
#include <uv.h>

#define PARENT       "FIRSTLINE_SITES_OF" /* in the environment of a site's process: who minds it */
#define AGAIN_MS     500
#define AGAIN_MAX_MS 30000
#define STEADY_MS    60000 /* one that ran for so long counts as well again */

struct sites;

struct site {
    struct sites *all;
    const char *id;
    char **argv; /* owned, the words borrowed */
    uv_process_t process;
    uv_timer_t again;
    bool runs;
    unsigned ends; /* in a row */
    uint64_t started_ms;
};

struct sites {
    uv_loop_t loop;
    uv_signal_t sigterm, sigint, sighup;
    struct site *site;
    size_t n, running;
    bool is_ending;
    const char *failed; /* id of one that didn't end with 0 when it was to */
    int failed_code;
};

void app_sites_join(void)
{
    const char *parent = getenv(PARENT);

    if (!parent)
        return;
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != (pid_t)strtol(parent, NULL, 10)) /* it is gone already */
        _exit(1);
    unsetenv(PARENT);
}

static void start(struct site *s);

static void on_again(uv_timer_t *t)
{
    start(t->data);
}

static void start_again(struct site *s, const char *why, int64_t code)
{
    uint64_t ms = AGAIN_MS;

    s->ends = uv_now(&s->all->loop) - s->started_ms >= STEADY_MS ? 1 : s->ends + 1;
    for (unsigned i = 1; i < s->ends && ms < AGAIN_MAX_MS; i++)
        ms *= 2;
    ms = ms < AGAIN_MAX_MS ? ms : AGAIN_MAX_MS;
    log_error("app", "a site's process ended site=%s %s=%lld again_ms=%llu", s->id, why, (long long)code, (unsigned long long)ms);
    uv_timer_start(&s->again, on_again, ms, 0);
}

static void close_rest(struct sites *all)
{
    for (size_t i = 0; i < all->n; i++)
        uv_close((uv_handle_t *)&all->site[i].again, NULL);
    uv_close((uv_handle_t *)&all->sigterm, NULL);
    uv_close((uv_handle_t *)&all->sigint, NULL);
    uv_close((uv_handle_t *)&all->sighup, NULL);
}

static void on_closed(uv_handle_t *h)
{
    struct site *s = h->data;
    struct sites *all = s->all;

    s->runs = false;
    if (--all->running == 0 && all->is_ending)
        close_rest(all);
}

static void on_ended(uv_process_t *p, int64_t code, int by_signal)
{
    struct site *s = p->data;

    if (!s->all->is_ending) {
        start_again(s, by_signal ? "signal" : "code", by_signal ? by_signal : code);
    } else if (code != 0 || by_signal) {
        s->all->failed = s->id;
        s->all->failed_code = by_signal ? 128 + by_signal : (int)code;
    }
    uv_close((uv_handle_t *)p, on_closed);
}

static void start(struct site *s)
{
    uv_stdio_container_t io[3];
    uv_process_options_t o = {.exit_cb = on_ended, .file = "/proc/self/exe", .args = s->argv, .stdio = io, .stdio_count = 3};
    int rc;

    for (int i = 0; i < 3; i++)
        io[i] = (uv_stdio_container_t){.flags = UV_INHERIT_FD, .data.fd = i};
    s->started_ms = uv_now(&s->all->loop);
    s->process.data = s;
    s->runs = true;
    s->all->running++;
    rc = uv_spawn(&s->all->loop, &s->process, &o);
    if (rc == 0)
        return;
    start_again(s, "errno", -rc);
    uv_close((uv_handle_t *)&s->process, on_closed);
}

static void on_stop(uv_signal_t *h, int signum)
{
    struct sites *all = h->data;

    if (all->is_ending)
        return;
    log_info("app", "ending all sites signal=%d", signum);
    all->is_ending = true;
    for (size_t i = 0; i < all->n; i++) {
        uv_timer_stop(&all->site[i].again);
        if (all->site[i].runs && uv_is_active((uv_handle_t *)&all->site[i].process))
            uv_process_kill(&all->site[i].process, SIGTERM);
    }
    if (all->running == 0)
        close_rest(all);
}

static void site_init(struct site *s, struct sites *all, const char *id, char *const *argv)
{
    size_t n = 0;

    while (argv[n])
        n++;
    s->all = all;
    s->id = id;
    s->argv = mem_zalloc((n + 3) * sizeof *s->argv);
    memcpy(s->argv, argv, n * sizeof *s->argv);
    s->argv[n] = (char *)(uintptr_t)"--site";
    s->argv[n + 1] = (char *)(uintptr_t)id;
    uv_timer_init(&all->loop, &s->again);
    s->again.data = s;
}

int app_sites_run(const struct config *cfg, char *const *argv, struct err *err)
{
    struct sites all = {.n = cfg->sites_n};
    char pid[24];
    int rc = 0;

    snprintf(pid, sizeof pid, "%ld", (long)getpid());
    setenv(PARENT, pid, 1);
    uv_loop_init(&all.loop);
    uv_signal_init(&all.loop, &all.sigterm);
    uv_signal_init(&all.loop, &all.sigint);
    uv_signal_init(&all.loop, &all.sighup);
    all.sigterm.data = all.sigint.data = all.sighup.data = &all;
    uv_signal_start(&all.sigterm, on_stop, SIGTERM);
    uv_signal_start(&all.sigint, on_stop, SIGINT);
    if (app_hears_hangup())
        uv_signal_start(&all.sighup, on_stop, SIGHUP);
    all.site = mem_zalloc(all.n * sizeof *all.site);
    for (size_t i = 0; i < all.n; i++) {
        site_init(&all.site[i], &all, cfg->sites[i].id, argv);
        start(&all.site[i]);
    }
    uv_run(&all.loop, UV_RUN_DEFAULT);
    uv_loop_close(&all.loop);
    if (all.failed)
        rc = err_set(err, ERR_IO, "site %s ended with code %d", all.failed, all.failed_code);
    for (size_t i = 0; i < all.n; i++)
        free(all.site[i].argv);
    free(all.site);
    return rc;
}

/* The loop's minder: its states, starting, stopping. Headers: link_minder.h, link_minder_room.h. */
#include "link/link_minder_room.h"

#include "link/link_redis.h"
#include "log/log.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#define REST_MIN_MS   20
#define REST_MAX_MS   2000
#define LASTED_MS     5000  /* up for so long: the next death is the first again */
#define COMPLAIN_MS   3000  /* waiting longer than this is said, and again every so often */
#define STOP_MS       10000 /* for SHUTDOWN, then SIGTERM */
#define TERM_MS       13000 /* then it is left alone, and that is said */
#define FAILED_STARTS 5     /* in a row, never up: it won't get better by itself */

static void on_timer(uv_timer_t *t);
static void on_gone(struct minder *m);
static void finish(struct minder *m);

void minder_enter(struct minder *m, enum phase phase, uint64_t in_ms)
{
    if (m->phase != phase)
        m->since_ms = m->said_ms = uv_now(m->loop);
    m->phase = phase;
    uv_timer_start(&m->timer, on_timer, in_ms, 0);
}

uint64_t minder_pace(const struct minder *m)
{
    uint64_t waited_ms = uv_now(m->loop) - m->since_ms;

    return waited_ms < 500 ? 5 : waited_ms < 5000 ? 20 : 200;
}

static void say_down(struct minder *m, bool fatal, const char *why)
{
    log_line(fatal ? LOG_ERROR : LOG_WARN, "link", "redis down fatal=%d why=%s", fatal, why);
    if (m->port.on_down)
        m->port.on_down(m->port.ctx, fatal, why);
}

void minder_get_stuck(struct minder *m, const char *why)
{
    minder_enter(m, STUCK, 0);
    uv_timer_stop(&m->timer);
    say_down(m, true, why);
}

/* Plans the next start: the first one at once, later ones with backoff. */
static void rest(struct minder *m)
{
    uint64_t ms = m->deaths == 0 ? 0 : REST_MIN_MS << (m->deaths < 8 ? m->deaths - 1 : 7);

    m->deaths++;
    minder_enter(m, RESTING, ms < REST_MAX_MS ? ms : REST_MAX_MS);
}

void minder_go_up(struct minder *m)
{
    minder_enter(m, UP, 0);
    uv_timer_stop(&m->timer);
    if (m->pidfd < 0)
        uv_timer_start(&m->timer, on_timer, 200, 0);
    m->ever_up = true;
    home_settled(&m->home);
    log_info("link", "redis up pid=%d url=%s", (int)m->pid, m->home.url);
    if (m->port.on_up)
        m->port.on_up(m->port.ctx, m->home.url);
}

/* ---- the watched process ---- */

static void unref(struct minder *m)
{
    if (--m->refs > 0)
        return;
    home_fini(&m->home); /* no user of the server any more */
    if (m->done)
        m->done(m->done_ctx);
    free(m);
}

static void on_watch_closed(uv_handle_t *h)
{
    struct minder *m = h->data;

    free(h);
    unref(m);
}

static void unwatch(struct minder *m)
{
    if (m->watch)
        uv_close((uv_handle_t *)m->watch, on_watch_closed);
    if (m->pidfd >= 0)
        close(m->pidfd);
    m->watch = NULL;
    m->pidfd = -1;
}

static void on_pidfd(uv_poll_t *h, int status, int events)
{
    (void)status;
    (void)events;
    on_gone(h->data);
}

void minder_watch(struct minder *m, pid_t pid)
{
    unwatch(m);
    m->pid = pid;
    m->pidfd = (int)syscall(SYS_pidfd_open, pid, 0); /* close on exec by itself */
    if (m->pidfd < 0)
        return;
    m->watch = mem_zalloc(sizeof *m->watch);
    if (uv_poll_init(m->loop, m->watch, m->pidfd) < 0) {
        free(m->watch);
        m->watch = NULL;
        close(m->pidfd);
        m->pidfd = -1;
        return;
    }
    m->watch->data = m;
    m->refs++;
    uv_poll_start(m->watch, UV_READABLE, on_pidfd);
}

/*
 * True if the watched process is over; *status only means something if it was a child of ours, which is reaped by this. (Asked first whether it
 * is over: one that ends in between would be taken for one without a status, and stay a zombie.)
 */
static bool is_gone(const struct minder *m, int *status)
{
    struct pollfd p = {m->pidfd, POLLIN, 0};

    if (m->pidfd >= 0 && poll(&p, 1, 0) <= 0)
        return false;
    if (waitpid(m->pid, status, WNOHANG) == m->pid)
        return true;
    return m->pidfd >= 0 || (kill(m->pid, 0) < 0 && errno == ESRCH);
}

static void on_judged(uv_work_t *w, int status);

static void do_judge(uv_work_t *w)
{
    struct minder *m = w->data;

    m->verdict = home_judge(&m->home, &m->judge_err);
}

static void act_on_verdict(struct minder *m, enum minder_verdict v, const struct err *err)
{
    if (v == MINDER_FATAL || (!m->ever_up && m->deaths + 1 >= FAILED_STARTS && v == MINDER_RETRY)) {
        minder_get_stuck(m, err_why(err));
        return;
    }
    if (v == MINDER_JUDGE) {
        minder_enter(m, JUDGING, 0);
        uv_timer_stop(&m->timer);
        m->judge.data = m;
        m->judging = uv_queue_work(m->loop, &m->judge, do_judge, on_judged) == 0;
        m->refs += m->judging;
        return;
    }
    if (v == MINDER_RETRY_NOW)
        m->deaths = 0;
    rest(m);
    say_down(m, false, err_why(err));
}

static void on_judged(uv_work_t *w, int status)
{
    struct minder *m = w->data;

    (void)status;
    m->judging = false;
    if (m->phase == JUDGING)
        act_on_verdict(m, m->verdict, &m->judge_err);
    unref(m);
}

static void say_how_it_ended(struct minder *m, pid_t pid, int status)
{
    char how[32] = "";
    struct err err;

    if (WIFSIGNALED(status))
        snprintf(how, sizeof how, " by signal %d", WTERMSIG(status));
    err_set(&err, ERR_GONE, "redis-server (pid %d) ended%s; it is started again; its log is %s/redis.log",
            (int)pid, how, m->home.dir);
    say_down(m, false, err_why(&err));
}

static void on_gone(struct minder *m)
{
    uint64_t lasted_ms = uv_now(m->loop) - m->since_ms;
    struct err err = {0};
    pid_t pid = m->pid;
    int status = 0;

    if (pid == 0 || !is_gone(m, &status))
        return;
    unwatch(m);
    m->pid = 0;
    switch (m->phase) {
    case STARTING:
        act_on_verdict(m, home_diagnose(&m->home, status, &err), &err);
        break;
    case STOPPING:
        home_clean(&m->home);
        finish(m);
        break;
    default:
        if (m->phase == UP && lasted_ms >= LASTED_MS)
            m->deaths = 0;
        rest(m);
        say_how_it_ended(m, pid, status);
    }
}

/* ---- starting, or finding one that runs ---- */

static void start(struct minder *m, int lock_fd)
{
    struct err err = {0};
    pid_t pid;
    int rc = home_spawn(&m->home, m->cfg, lock_fd, &pid, &err);

    if (rc == 0) {
        minder_watch(m, pid);
        minder_enter(m, STARTING, minder_pace(m));
    } else if (rc == ERR_NOT_FOUND || rc == ERR_CORRUPT) {
        minder_get_stuck(m, err_why(&err));
    } else {
        act_on_verdict(m, MINDER_RETRY, &err);
    }
}

/* Why it takes so long; lock: who has redis.lock, NULL: our own child. */
static void complain_now_and_then(struct minder *m, const char *lock)
{
    uint64_t now = uv_now(m->loop);
    struct err err;

    if (now - m->said_ms < COMPLAIN_MS)
        return;
    m->said_ms = now;
    if (lock)
        err_set(&err, ERR_BUSY, "%s, but no Redis answers on %s (%s): waiting until it answers or ends", lock,
                m->home.url, m->said);
    else
        err_set(&err, ERR_BUSY, "redis-server (pid %d) is not ready yet (%s)", (int)m->pid, m->said);
    say_down(m, false, err_why(&err));
}

static void step_lock(struct minder *m)
{
    struct err err = {0};
    int fd, rc = home_lock(&m->home, &fd, &err);

    if (rc == 0) {
        start(m, fd);
        return;
    }
    if (rc != ERR_BUSY) {
        act_on_verdict(m, MINDER_RETRY, &err);
        return;
    }
    if (m->phase != LOCKING)
        minder_enter(m, LOCKING, 0);
    if (redis_is_up(m->conn)) {
        minder_adopt(m);
        return;
    }
    redis_reconnect(m->conn, "");
    minder_enter(m, LOCKING, minder_pace(m));
    complain_now_and_then(m, err_why(&err));
}

static void step_join(struct minder *m)
{
    struct err err = {0};
    int rc = home_join(&m->home, &err);

    if (rc == 0)
        step_lock(m);
    else if (rc == ERR_BUSY)
        minder_enter(m, JOINING, minder_pace(m));
    else
        minder_get_stuck(m, err_why(&err));
}

static void step_start(struct minder *m)
{
    on_gone(m);
    if (m->phase != STARTING)
        return;
    redis_reconnect(m->conn, "");
    minder_enter(m, STARTING, minder_pace(m));
    complain_now_and_then(m, NULL);
}

/* ---- its connection ---- */

static void on_conn_up(void *ctx)
{
    struct minder *m = ctx;

    if (m->phase == STARTING)
        minder_go_up(m);
    else if (m->phase == LOCKING)
        minder_adopt(m);
}

static void on_conn_down(void *ctx, const char *why)
{
    struct minder *m = ctx;

    snprintf(m->said, sizeof m->said, "%s", why);
    if (m->phase == UP)
        on_gone(m);
}

/* ---- stopping ---- */

static void on_conn_closed(void *ctx)
{
    unref(ctx);
}

static void on_timer_closed(uv_handle_t *h)
{
    unref(h->data);
}

static void finish(struct minder *m)
{
    m->phase = CLOSED;
    unwatch(m);
    uv_close((uv_handle_t *)&m->timer, on_timer_closed);
    redis_close(m->conn, on_conn_closed, m);
}

static void send_term(struct minder *m)
{
    if (!m->term_sent && m->pid > 0)
        kill(m->pid, SIGTERM);
    m->term_sent = true;
}

static void on_shutdown(void *ctx, const struct redis_reply *reply)
{
    struct minder *m = ctx;

    if (m->phase == STOPPING && reply) { /* an answer means that it stays */
        log_warn("link", "redis refused SHUTDOWN why=%s", redis_reply_str(reply).s);
        send_term(m);
    }
}

static void begin_stop(struct minder *m)
{
    const char *argv[] = {"SHUTDOWN"};

    if (m->pid == 0) {
        pid_t pid = home_find_pid(&m->home); /* one that was to be taken over just now */

        if (pid > 0)
            minder_watch(m, pid);
    }
    if (m->pid == 0) {
        finish(m);
        return;
    }
    minder_enter(m, STOPPING, 10);
    if (redis_call(m->conn, 1, argv, NULL, STOP_MS + COMMAND_MS, on_shutdown, m) < 0)
        send_term(m);
}

static void step_stop(struct minder *m)
{
    uint64_t waited_ms = uv_now(m->loop) - m->since_ms;

    on_gone(m);
    if (m->phase != STOPPING)
        return;
    if (waited_ms >= STOP_MS && !m->term_sent) {
        log_warn("link", "redis did not end by SHUTDOWN within %d s, SIGTERM pid=%d", STOP_MS / 1000,
                 (int)m->pid);
        send_term(m);
    }
    if (waited_ms >= TERM_MS) {
        log_error("link", "redis does not end, it is left running pid=%d dir=%s", (int)m->pid, m->home.dir);
        finish(m);
        return;
    }
    minder_enter(m, STOPPING, m->pidfd < 0 ? 10 : 200);
}

static void on_timer(uv_timer_t *t)
{
    struct minder *m = t->data;

    switch (m->phase) {
    case JOINING:
        step_join(m);
        break;
    case LOCKING:
    case RESTING:
        step_lock(m);
        break;
    case STARTING:
        step_start(m);
        break;
    case UP:
        on_gone(m);
        if (m->phase == UP)
            uv_timer_start(&m->timer, on_timer, 200, 0);
        break;
    case STOPPING:
        step_stop(m);
        break;
    case CHECKING:
    case JUDGING:
    case STUCK:
    case CLOSED:
        break;
    }
}

/* ---- the API ---- */

int minder_open(struct uv_loop_s *loop, const char *data_dir, const struct config *cfg,
                const struct minder_port *port, struct minder **out, struct err *err)
{
    struct minder *m = mem_zalloc(sizeof *m);
    struct redis_port conn = {m, on_conn_up, on_conn_down, NULL};
    int rc = home_init(&m->home, data_dir, err);

    m->loop = loop;
    m->cfg = cfg;
    m->port = *port;
    m->pidfd = -1;
    if (rc == 0)
        rc = redis_open(loop, m->home.url, &conn, 8, &m->conn, err);
    if (rc < 0) {
        home_fini(&m->home);
        free(m);
        return err_wrap(err, rc, "redis");
    }
    uv_timer_init(loop, &m->timer);
    m->timer.data = m;
    m->refs = 2; /* the timer and the connection */
    minder_enter(m, JOINING, 0);
    *out = m;
    return 0;
}

void minder_close(struct minder *m, bool stop, void (*done)(void *ctx), void *ctx)
{
    m->port = (struct minder_port){0};
    m->done = done;
    m->done_ctx = ctx;
    if (stop && m->phase != JOINING && home_is_last(&m->home))
        begin_stop(m);
    else
        finish(m);
}

int minder_pid(const struct minder *m)
{
    return m->phase == UP ? m->pid : 0;
}

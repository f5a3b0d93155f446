/* The command line's minder: the same files and locks, waiting instead of a loop. One at a time in a process.
 */
#include "link/link_minder.h"

#include "link/link_minder_home.h"
#include "link/link_redis.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WAIT_MS   20000 /* for a server that starts, or another process that stops one */
#define STOP_MS   10000
#define STEP_MS   5
#define ANSWER_MS 2000

static struct minder_home home = {.users_fd = -1};
static pid_t child; /* the server, if this process started it; else 0 */

/* ---- a command that is interrupted ends the server that it started ---- */

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
#define SIGNALS_N (sizeof signals / sizeof *signals)

static struct sigaction before[SIGNALS_N];
static bool catches;

/* Then by the signal's own effect (SA_RESETHAND), as the command would have without this. */
static void on_interrupt(int signal)
{
    if (child > 0 && home_is_last(&home)) {
        kill(child, SIGTERM);
        waitpid(child, NULL, 0);
    }
    raise(signal);
}

static void catch_signals(void)
{
    struct sigaction now = {.sa_handler = on_interrupt, .sa_flags = (int)SA_RESETHAND};

    for (size_t i = 0; !catches && i < SIGNALS_N; i++) {
        sigaction(signals[i], NULL, &before[i]);
        if (before[i].sa_handler != SIG_IGN)
            sigaction(signals[i], &now, NULL);
    }
    catches = true;
}

static void let_signals(void)
{
    for (size_t i = 0; catches && i < SIGNALS_N; i++)
        sigaction(signals[i], &before[i], NULL);
    catches = false;
}

/* None comes in between the start and the number of what was started. */
static int spawn(const struct config *cfg, int lock_fd, struct err *err)
{
    sigset_t held, was;
    int rc;

    sigemptyset(&held);
    for (size_t i = 0; i < SIGNALS_N; i++)
        sigaddset(&held, signals[i]);
    sigprocmask(SIG_BLOCK, &held, &was);
    rc = home_spawn(&home, cfg, lock_fd, &child, err);
    catch_signals();
    sigprocmask(SIG_SETMASK, &was, NULL);
    return rc;
}

/* ---- waiting ---- */

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static void nap(void)
{
    nanosleep(&(struct timespec){.tv_nsec = STEP_MS * 1000000L}, NULL);
}

/* One command on a connection of its own; NULL: no answer. The reply is the caller's. */
static const struct redis_reply *ask(int argc, const char *const *argv, struct err *err)
{
    const struct redis_reply *reply = NULL;
    struct redis_sync *s;

    if (redis_sync_open(home.url, ANSWER_MS, &s, err) < 0)
        return NULL;
    reply = redis_sync_call(s, argc, (const char **)(uintptr_t)argv, NULL, err);
    redis_sync_close(s);
    return reply;
}

/* 0: it takes commands. ERR_AGAIN: not yet (LOADING). */
static int is_ready(struct err *err)
{
    const struct redis_reply *reply = ask(1, (const char *const[]){"PING"}, err);
    int rc = 0;

    if (!reply)
        return ERR_GONE;
    if (redis_reply_type(reply) == REDIS_ERR)
        rc = err_set(err, ERR_AGAIN, "%s", redis_reply_str(reply).s);
    redis_sync_free(reply);
    return rc;
}

/*
 * The server of this directory that runs works there and keeps what it takes. How it is set otherwise is for the gateway that runs it to say:
 * our own settings may lack what that one was started with.
 */
static int check_settings(const struct config *cfg, struct err *err)
{
    const struct redis_reply *reply = ask(home_settings_argc, home_settings_argv, err);
    struct str names[16], values[16];
    const char *fix;
    char value[32];
    size_t n = 0;
    int rc;

    if (!reply)
        return ERR_GONE;
    for (size_t i = 0; i + 1 < redis_reply_n(reply) && n < 16; i += 2, n++) {
        names[n] = redis_reply_str(redis_reply_at(reply, i));
        values[n] = redis_reply_str(redis_reply_at(reply, i + 1));
    }
    rc = home_check_settings(&home, cfg, names, values, n, &fix, value, err);
    redis_sync_free(reply);
    return rc == ERR_AGAIN ? 0 : rc;
}

/* Waits for the child; ERR_AGAIN: it ended, and another start is worth a try. */
static int await_child(pid_t pid, int64_t until_ms, struct err *err)
{
    for (;;) {
        int status, rc = is_ready(err);
        enum minder_verdict v;

        if (rc == 0)
            return 0;
        if (rc == ERR_AGAIN)
            until_ms = now_ms() + WAIT_MS; /* it loads its data, however much that is */
        if (waitpid(pid, &status, WNOHANG) == pid) {
            child = 0;
            v = home_diagnose(&home, status, err);
            if (v == MINDER_JUDGE)
                v = home_judge(&home, err);
            return v == MINDER_RETRY_NOW ? ERR_AGAIN : err ? err->code : ERR_IO;
        }
        if (now_ms() > until_ms) {
            kill(pid, SIGTERM);
            return err_wrap(err, ERR_TIMEOUT, "redis-server did not get ready within %d s", WAIT_MS / 1000);
        }
        nap();
    }
}

static int start(const struct config *cfg, int lock_fd, struct err *err)
{
    int rc = spawn(cfg, lock_fd, err);

    if (rc == 0)
        rc = await_child(child, now_ms() + WAIT_MS, err);
    if (rc == 0)
        home_settled(&home);
    return rc;
}

/* Uses the server that runs, or starts one; ERR_BUSY: the lock is taken and nobody answers. */
static int use_or_start(const struct config *cfg, bool *started, struct err *err)
{
    int fd, rc;

    for (int starts = 0; starts < 4; starts++) {
        rc = home_lock(&home, &fd, err);
        if (rc == ERR_BUSY)
            return is_ready(err) == 0 ? check_settings(cfg, err) : ERR_BUSY;
        if (rc < 0)
            return rc;
        *started = true;
        rc = start(cfg, fd, err);
        if (rc != ERR_AGAIN)
            return rc;
    }
    return rc;
}

static int await_use(const struct config *cfg, bool *started, struct err *err)
{
    int64_t until_ms = now_ms() + WAIT_MS;
    int rc;

    do {
        rc = home_join(&home, err);
        if (rc == 0)
            rc = use_or_start(cfg, started, err);
        if (rc != ERR_BUSY && rc != ERR_GONE)
            return rc;
        nap();
    } while (now_ms() < until_ms);
    return err_wrap(err, rc, "%s/redis.lock is held, but no Redis answers on %s", home.data, home.url);
}

int minder_sync_begin(const char *data_dir, const struct config *cfg, char url[256], bool *started,
                      struct err *err)
{
    struct err mine = {0};
    int rc;

    if (!err)
        err = &mine;
    *started = false;
    home_fini(&home);
    rc = home_init(&home, data_dir, err);
    if (rc == 0)
        rc = await_use(cfg, started, err);
    if (rc < 0) {
        home_fini(&home);
        return err_wrap(err, rc, "redis");
    }
    snprintf(url, 256, "%s", home.url);
    return 0;
}

/* The lock is free when the server is gone, whoever's child it was. */
static bool await_end(int64_t until_ms)
{
    int fd;

    while (home_lock(&home, &fd, NULL) < 0) {
        if (now_ms() > until_ms)
            return false;
        nap();
    }
    close(fd);
    if (child > 0)
        waitpid(child, NULL, 0);
    child = 0;
    return true;
}

static int stop(struct err *err)
{
    pid_t pid = home_find_pid(&home);

    redis_sync_free(ask(1, (const char *const[]){"SHUTDOWN"}, NULL));
    if (await_end(now_ms() + STOP_MS)) {
        home_clean(&home);
        return 0;
    }
    if (pid > 0)
        kill(pid, SIGTERM);
    if (await_end(now_ms() + 3000)) {
        home_clean(&home);
        return 0;
    }
    return err_set(err, ERR_TIMEOUT, "redis: redis-server (pid %d) of %s does not end; it is left running",
                   (int)pid, home.dir);
}

int minder_sync_end(const char *data_dir, bool started, struct err *err)
{
    int rc = 0;

    (void)data_dir;
    (void)started;
    if (home.users_fd < 0)
        return 0;
    if (home_is_last(&home)) /* also one that a gateway left behind because we were using it */
        rc = stop(err);
    let_signals();
    home_fini(&home);
    return rc;
}

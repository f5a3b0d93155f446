/* Taking over a redis-server that runs: who it is, and whether it is set as configured. Headers: link_minder_room.h. */
#include "link/link_minder_room.h"

#include "link/link_redis.h"
#include "log/log.h"

#include <stdio.h>

static void on_fixed(void *ctx, const struct redis_reply *reply)
{
    struct minder *m = ctx;
    char why[300];

    if (m->phase != CHECKING)
        return;
    if (reply && redis_reply_type(reply) == REDIS_ERR) {
        snprintf(why, sizeof why, "the running redis-server of %s can't be set as configured: %s",
                 m->home.dir, redis_reply_str(reply).s);
        minder_get_stuck(m, why);
        return;
    }
    minder_enter(m, LOCKING, 0); /* looks again */
}

static void fix_setting(struct minder *m, const char *name, const char *value)
{
    const char *argv[] = {"CONFIG", "SET", name, value};

    log_warn("link", "setting of the running redis differs name=%s set=%s", name, value);
    if (redis_call(m->conn, 4, argv, NULL, COMMAND_MS, on_fixed, m) < 0)
        minder_enter(m, LOCKING, minder_pace(m));
}

static void on_settings(void *ctx, const struct redis_reply *reply)
{
    struct str names[16], values[16];
    struct minder *m = ctx;
    struct err err = {0};
    const char *fix;
    char value[32];
    size_t n = 0;
    int rc;

    if (m->phase != CHECKING)
        return;
    if (!reply) {
        minder_enter(m, LOCKING, minder_pace(m));
        return;
    }
    for (size_t i = 0; i + 1 < redis_reply_n(reply) && n < 16; i += 2, n++) {
        names[n] = redis_reply_str(redis_reply_at(reply, i));
        values[n] = redis_reply_str(redis_reply_at(reply, i + 1));
    }
    rc = home_check_settings(&m->home, m->cfg, names, values, n, &fix, value, &err);
    if (rc == ERR_AGAIN)
        fix_setting(m, fix, value);
    else if (rc < 0)
        minder_get_stuck(m, err_why(&err));
    else
        minder_go_up(m);
}

static void on_info(void *ctx, const struct redis_reply *reply)
{
    struct minder *m = ctx;
    pid_t pid;

    if (m->phase != CHECKING)
        return;
    pid = reply ? home_pid_of_info(redis_reply_str(reply)) : 0;
    if (pid == 0 || redis_call(m->conn, home_settings_argc, (const char **)(uintptr_t)home_settings_argv,
                               NULL, COMMAND_MS, on_settings, m) < 0) {
        minder_enter(m, LOCKING, minder_pace(m));
        return;
    }
    minder_watch(m, pid);
}

void minder_adopt(struct minder *m)
{
    const char *argv[] = {"INFO", "server"};

    minder_enter(m, CHECKING, 0);
    uv_timer_stop(&m->timer); /* the commands have their deadlines */
    if (redis_call(m->conn, 2, argv, NULL, COMMAND_MS, on_info, m) < 0)
        minder_enter(m, LOCKING, minder_pace(m));
}

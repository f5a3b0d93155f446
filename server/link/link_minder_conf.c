/* redis.conf, and whether a running server is set as it says. */
#include "link/link_minder_home.h"

#include "config/config.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* Paths are relative: the server's working directory is DATA/redis, so no name needs quoting and none is too
 * long. */
static const char fixed[] =
    "# Written at each start; changes here are lost. Settings: [redis] of Firstline's configuration.\n"
    "port 0\n"
    "unixsocket redis.sock\n"
    "unixsocketperm 700\n"
    "dir ./\n"
    "pidfile redis.pid\n"
    "logfile redis.log\n"
    "loglevel warning\n"
    "daemonize no\n"
    "proc-title-template \"{title} {config-file}\"\n"
    "supervised no\n"
    "databases 1\n"
    "always-show-logo no\n"
    "\n"
    "# durable: what has been acknowledged is in the append-only file\n"
    "save \"\"\n"
    "appendonly yes\n"
    "no-appendfsync-on-rewrite no\n"
    "aof-load-truncated no\n" /* see link_minder_aof.h */
    "aof-use-rdb-preamble yes\n"
    "aof-rewrite-incremental-fsync yes\n"
    "auto-aof-rewrite-percentage 100\n"
    "auto-aof-rewrite-min-size 64mb\n"
    "stop-writes-on-bgsave-error no\n"
    "\n"
    "# nothing is ever thrown away for room\n"
    "maxmemory-policy noeviction\n"
    "\n"
    "# short pauses\n"
    "io-threads 1\n"
    "hz 10\n"
    "dynamic-hz yes\n"
    "activerehashing yes\n"
    "lazyfree-lazy-user-del yes\n"
    "lazyfree-lazy-expire yes\n"
    "lazyfree-lazy-server-del yes\n"
    "lua-time-limit 2000\n"
    "slowlog-log-slower-than 20000\n"
    "latency-tracking no\n" /* a histogram a command: 20 KB each, and a hundredth of its time */
    "maxclients 1000\n"
    "timeout 0\n"
    "client-output-buffer-limit normal 256mb 128mb 30\n"
    "client-output-buffer-limit pubsub 64mb 16mb 30\n";

const char *const home_settings_argv[] = {
    "CONFIG",           "GET",       "dir", "appendonly", "appendfsync", "no-appendfsync-on-rewrite",
    "maxmemory-policy", "maxmemory",
};
const int home_settings_argc = sizeof home_settings_argv / sizeof *home_settings_argv;

static const char *fsync_word(const struct config *cfg)
{
    return cfg->redis.appendfsync == CONFIG_FSYNC_EVERYSEC ? "everysec" : "always";
}

/* The bytes of `n` in a file that has them whole or not at all. ERR_FULL: there is no room. */
static int write_whole(const char *path, const char *text, size_t n, struct err *err)
{
    char *tmp;
    ssize_t put = 0;
    int fd, rc = 0;

    if (asprintf(&tmp, "%s.new", path) < 0)
        mem_out();
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd >= 0 && (put = write(fd, text, n)) >= 0 && put < (ssize_t)n)
        errno = ENOSPC;
    if (fd < 0 || put != (ssize_t)n || rename(tmp, path) < 0)
        rc = err_set(err, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %m", path);
    if (fd >= 0)
        close(fd);
    free(tmp);
    return rc;
}

int home_write_conf(const struct minder_home *h, const struct config *cfg, struct err *err)
{
    struct buf text;
    char *path;
    int rc;

    if (asprintf(&path, "%s/redis.conf", h->dir) < 0)
        mem_out();
    buf_init(&text, 65536);
    buf_add_s(&text, fixed);
    buf_printf(&text, "\nappendfsync %s\nmaxmemory %lldmb\n", fsync_word(cfg), (long long)cfg->redis.maxmemory_mb);
    rc = write_whole(path, text.p, text.n, err);
    buf_fini(&text);
    free(path);
    return rc;
}

static struct str value_of(const char *name, const struct str *names, const struct str *values, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (str_is(names[i], name))
            return values[i];
    return STR_NONE;
}

static bool is_our_dir(const struct minder_home *h, struct str dir)
{
    char *path = mem_strndup(dir.s ? dir.s : "", dir.n);
    struct stat a, b;
    bool same = stat(path, &a) == 0 && stat(h->dir, &b) == 0 && a.st_dev == b.st_dev && a.st_ino == b.st_ino;

    free(path);
    return same;
}

int home_check_settings(const struct minder_home *h, const struct config *cfg, const struct str *names,
                        const struct str *values, size_t n, const char **fix_name, char fix_value[32],
                        struct err *err)
{
    struct str dir = value_of("dir", names, values, n), aof = value_of("appendonly", names, values, n);
    char max[32];
    const struct {
        const char *name, *want;
    } rows[] = {{"appendfsync", fsync_word(cfg)},
                {"no-appendfsync-on-rewrite", "no"},
                {"maxmemory-policy", "noeviction"},
                {"maxmemory", max}};

    snprintf(max, sizeof max, "%lld", (long long)cfg->redis.maxmemory_mb << 20);
    if (!is_our_dir(h, dir))
        return err_set(err, ERR_CONFLICT,
                       "the Redis on %s works in %.*s, not in %s: end it, then start again", h->url,
                       STR_FMT(dir), h->dir);
    if (!str_is(aof, "yes"))
        return err_set(
            err, ERR_CONFLICT,
            "the redis-server of %s runs with appendonly %.*s, so nothing it takes is durable: end it with "
            "redis-cli -s %s SHUTDOWN, then start again",
            h->dir, STR_FMT(aof), h->url + strlen("unix://"));
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        if (str_is(value_of(rows[i].name, names, values, n), rows[i].want))
            continue;
        *fix_name = rows[i].name;
        snprintf(fix_value, 32, "%s", rows[i].want);
        return ERR_AGAIN;
    }
    return 0;
}

pid_t home_pid_of_info(struct str info)
{
    static const char key[] = "process_id:";
    const char *at = info.n ? memmem(info.s, info.n, key, sizeof key - 1) : NULL;

    return at ? (pid_t)strtol(at + sizeof key - 1, NULL, 10) : 0;
}

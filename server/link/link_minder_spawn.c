/* Starting the redis-server, and reading in its log why it didn't stay. */
#include "link/link_minder_aof.h"
#include "link/link_minder_home.h"

#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#define LOG_KEEP  ((off_t)4 << 20)
#define LOG_READ  65536
#define FULL_DISK ((unsigned long)1 << 20)

extern char **environ;

static char *in_home(const struct minder_home *h, const char *name)
{
    char *out;

    if (asprintf(&out, "%s/%s", h->dir, name) < 0)
        mem_out();
    return out;
}

/* Remembers where the log ends; a long one is put aside first. */
static void mark_log(struct minder_home *h)
{
    char *log = in_home(h, "redis.log"), *old = in_home(h, "redis.log.1");
    struct stat st;

    h->log_at = stat(log, &st) == 0 ? st.st_size : 0;
    if (h->log_at > LOG_KEEP && rename(log, old) == 0)
        h->log_at = 0;
    free(log);
    free(old);
}

/* Own session (a terminal's SIGINT stays away), no signal blocked or ignored, and only 0–2 and the lock (as
 * 3) inherited. */
static int spawn(const struct minder_home *h, int lock_fd, pid_t *pid)
{
    char *argv[] = {(char[]){"redis-server"}, (char[]){"redis.conf"}, NULL}, *log = in_home(h, "redis.log");
    posix_spawn_file_actions_t files;
    posix_spawnattr_t attr;
    sigset_t none, all;
    int rc;

    sigemptyset(&none);
    sigfillset(&all);
    posix_spawn_file_actions_init(&files);
    posix_spawn_file_actions_addopen(&files, 0, "/dev/null", O_RDONLY, 0);
    posix_spawn_file_actions_addopen(&files, 1, log, O_WRONLY | O_CREAT | O_APPEND, 0600);
    posix_spawn_file_actions_adddup2(&files, 1, 2);
    posix_spawn_file_actions_adddup2(&files, lock_fd, 3); /* equal numbers: glibc takes FD_CLOEXEC away */
    posix_spawn_file_actions_addclosefrom_np(&files, 4);
    posix_spawn_file_actions_addchdir_np(&files, h->dir);
    posix_spawnattr_init(&attr);
    posix_spawnattr_setflags(&attr, POSIX_SPAWN_SETSID | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    posix_spawnattr_setsigmask(&attr, &none);
    posix_spawnattr_setsigdefault(&attr, &all);
    rc = posix_spawnp(pid, argv[0], &files, &attr, argv, environ);
    posix_spawnattr_destroy(&attr);
    posix_spawn_file_actions_destroy(&files);
    free(log);
    return rc;
}

static enum minder_verdict give_back_ballast(const struct minder_home *h, struct err *err)
{
    char *path = in_home(h, "ballast");
    bool gone = unlink(path) == 0;

    free(path);
    if (gone) {
        err_set(err, ERR_IO,
                "redis-server could not start, the disk of %s is full: 8 MiB of ballast were given back; "
                "make room",
                h->dir);
        return MINDER_RETRY_NOW;
    }
    err_set(err, ERR_IO,
            "redis-server can't start, the disk of %s is full: make room, it is tried again by itself",
            h->dir);
    return MINDER_RETRY;
}

int home_spawn(struct minder_home *h, const struct config *cfg, int lock_fd, pid_t *pid, struct err *err)
{
    char *sock = in_home(h, "redis.sock"), *aof = in_home(h, "appendonlydir");
    int rc, e, fd = fcntl(lock_fd, F_DUPFD_CLOEXEC, 4); /* out of the way of 0–3 */
    bool headless = aof_lost_manifest(aof);

    close(lock_fd);
    unlink(sock); /* whoever made it is gone: we have the lock */
    free(sock);
    free(aof);
    if (fd < 0)
        rc = err_set(err, ERR_IO, "redis.lock: %m");
    else if (headless)
        rc = err_set(err, ERR_CORRUPT,
                     "%s/appendonlydir has data but lost its manifest; redis-server would start empty on it, "
                     "so it was not "
                     "started: put appendonly.aof.manifest back or restore a backup (firstline restore DIR)",
                     h->dir);
    else
        rc = home_write_conf(h, cfg, err);
    if (rc == ERR_FULL && give_back_ballast(h, err) == MINDER_RETRY_NOW)
        rc = home_write_conf(h, cfg, err);
    if (rc < 0) {
        if (fd >= 0)
            close(fd);
        return rc;
    }
    mark_log(h);
    e = spawn(h, fd, pid);
    close(fd); /* from here on the lock is the server's alone */
    if (e == ENOENT)
        return err_set(err, ERR_NOT_FOUND,
                       "redis-server is not installed: apt install redis-server, or name a running one with "
                       "--redis URL");
    if (e != 0)
        return err_set(err, ERR_IO, "redis-server can't be started: %s", strerror(e));
    return 0;
}

/* ---- why it didn't stay ---- */

static char *read_log(const struct minder_home *h)
{
    char *path = in_home(h, "redis.log"), *text = mem_zalloc(LOG_READ + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    off_t from = h->log_at;
    ssize_t n = -1;

    if (fd >= 0 && fstat(fd, &st) == 0) {
        if (st.st_size - from > LOG_READ)
            from = st.st_size - LOG_READ;
        n = pread(fd, text, LOG_READ, from);
    }
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = 0;
    free(path);
    return text;
}

/* A line without what Redis puts in front of its words: pid, date, level. */
static void copy_words(const char *begin, const char *end, char *out, size_t out_n)
{
    const char *level = memmem(begin, (size_t)(end - begin), " # ", 3);

    if (level)
        begin = level + 3;
    snprintf(out, out_n, "%.*s", (int)(end - begin), begin);
}

/* The words of the last line that holds `mark`, "" if none does. */
static void copy_line(const char *text, const char *mark, char *out, size_t out_n)
{
    const char *hit = NULL, *begin;

    for (const char *p = text; (p = strstr(p, mark)) != NULL; p++)
        hit = p;
    out[0] = 0;
    if (!hit)
        return;
    for (begin = hit; begin > text && begin[-1] != '\n'; begin--)
        ;
    copy_words(begin, hit + strcspn(hit, "\n"), out, out_n);
}

static void last_line(const char *text, char *out, size_t out_n)
{
    const char *end = text + strlen(text), *begin;

    while (end > text && end[-1] == '\n')
        end--;
    for (begin = end; begin > text && begin[-1] != '\n'; begin--)
        ;
    if (begin == end)
        snprintf(out, out_n, "it wrote nothing into its log");
    else
        copy_words(begin, end, out, out_n);
}

static bool disk_is_full(const struct minder_home *h, const char *log)
{
    struct statvfs v;

    return strstr(log, "No space left on device") ||
           (statvfs(h->dir, &v) == 0 && v.f_bavail * v.f_frsize < FULL_DISK);
}

/* What Redis says of a file that it can't read; starting without it would lose what it holds. */
static bool find_damage(const char *log, char *line, size_t line_n)
{
    static const char *const marks[] = {
        "RDB preamble",
        "AOF MANIFEST FILE ERROR",
        "Unable to obtain the AOF file",
        "Short read or OOM loading DB",
        "Wrong signature trying to load DB",
        "RDB CRC error",
        "Internal error in RDB",
        "Can't handle RDB format",
        "Unrecoverable error reading the append only file",
        "Unknown command",
    };

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        copy_line(log, marks[i], line, line_n);
        if (line[0])
            return true;
    }
    return false;
}

/*
 * The file that Redis names in `… the append only file NAME …`; NULL if it names none. A command that it doesn't know: it doesn't look at
 * what stands behind a value, so a name whose end is zeros is one (redis/src/aof.c of 7.0). Caller frees.
 */
static char *find_suspect(const struct minder_home *h, const char *log)
{
    static const char *const marks[] = {"Bad file format", "Unexpected end of file", "Unknown command"};
    static const char reading[] = " reading the append only file ";

    for (size_t i = 0; i < sizeof marks / sizeof *marks; i++) {
        const char *at = strstr(log, marks[i]);
        const char *eol = at ? at + strcspn(at, "\n") : NULL;
        char *path;
        int n;

        at = at ? memmem(at, (size_t)(eol - at), reading, strlen(reading)) : NULL;
        if (!at)
            continue;
        at += strlen(reading);
        n = (int)strcspn(at, ": )\n/");
        if (n > 4 && at[n - 1] == '.')
            n--;
        if (asprintf(&path, "%s/appendonlydir/%.*s", h->dir, n, at) < 0)
            mem_out();
        return path;
    }
    return NULL;
}

static enum minder_verdict say_broken(const struct minder_home *h, struct err *err)
{
    err_set(
        err, ERR_CORRUPT,
        "the live data is damaged in the middle of %s; nothing was started on it. Copy %s, then run: "
        "redis-check-aof --fix "
        "%s/appendonlydir/appendonly.aof.manifest (what follows the damage is cut off), or restore a backup",
        h->suspect, h->dir, h->dir);
    return MINDER_FATAL;
}

/* The cut would be a loss in the middle, and nobody would know of it: the numbers of the chats go on behind it. */
static enum minder_verdict say_torn_inside(const struct minder_home *h, off_t good, struct err *err)
{
    err_set(err, ERR_CORRUPT,
            "%s ends inside a command, and more was written behind it: what is missing may have been acknowledged, so nothing was started "
            "on it. Restore a backup, or copy %s, cut the file off at byte %lld, start, and run firstline epoch new",
            h->suspect, h->dir, (long long)good);
    return MINDER_FATAL;
}

enum minder_verdict home_diagnose(struct minder_home *h, int status, struct err *err)
{
    char *log = read_log(h), line[200];
    enum minder_verdict v = MINDER_RETRY;

    free(h->suspect);
    h->suspect = find_suspect(h, log);
    if (disk_is_full(h, log)) {
        v = give_back_ballast(h, err);
    } else if (h->suspect) {
        v = h->cut_tail ? say_broken(h, err) : MINDER_JUDGE;
    } else if (find_damage(log, line, sizeof line)) {
        v = MINDER_FATAL;
        err_set(err, ERR_CORRUPT,
                "redis-server can't read the live data in %s/appendonlydir (%.150s); nothing was started on "
                "it: restore a backup "
                "(firstline restore DIR)",
                h->dir, line);
    } else if (WIFSIGNALED(status)) {
        err_set(err, ERR_IO, "redis-server was ended by signal %d while it started", WTERMSIG(status));
    } else {
        last_line(log, line, sizeof line);
        err_set(err, ERR_IO, "redis-server could not start (exit %d): %.150s; see %s/redis.log",
                WEXITSTATUS(status), line, h->dir);
    }
    free(log);
    return v;
}

static int cut_file(const char *path, off_t size, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC), rc = 0;

    if (fd < 0 || ftruncate(fd, size) < 0 || fsync(fd) < 0)
        rc = err_set(err, ERR_IO, "%s: %m", path);
    if (fd >= 0)
        close(fd);
    return rc;
}

enum minder_verdict home_judge(struct minder_home *h, struct err *err)
{
    enum aof_state state;
    off_t good;
    bool is_last;
    int fd, rc = home_lock(h, &fd, err); /* nobody else may start on it meanwhile */

    if (rc < 0)
        return MINDER_RETRY;
    rc = aof_judge(h->suspect, &state, &good, err);
    is_last = rc == 0 && aof_is_last(h->suspect);
    if (is_last && (state == AOF_TORN || state == AOF_ZEROS))
        rc = cut_file(h->suspect, good, err);
    close(fd);
    if (rc < 0)
        return MINDER_RETRY;
    if (!is_last && (state == AOF_TORN || state == AOF_ZEROS))
        return say_torn_inside(h, good, err);
    if (state == AOF_BROKEN)
        return say_broken(h, err);
    if (state == AOF_WHOLE) {
        err_set(err, ERR_CORRUPT, "redis-server refuses %s, which is whole: was it written by a newer one? See %s/redis.log", h->suspect, h->dir);
        return MINDER_FATAL;
    }
    h->cut_tail = true;
    err_set(err, ERR_CORRUPT,
            "%s ended inside a command: the torn end, never acknowledged, is cut off at byte %lld",
            h->suspect, (long long)good);
    return MINDER_RETRY_NOW;
}

void home_settled(struct minder_home *h)
{
    h->cut_tail = false;
}

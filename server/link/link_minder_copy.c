#include "link/link_minder_copy.h"

#include "link/link_minder_home.h"
#include "link/link_redis.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STILL_MS     2000
#define ANSWER_MS    1000
#define TRIES        20
#define MANIFEST_MAX 16384

static int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int say(struct redis_sync *s, int argc, const char **argv, struct err *err)
{
    const struct redis_reply *r = redis_sync_call(s, argc, argv, NULL, err);
    int rc = 0;

    if (!r)
        return err->code;
    if (redis_reply_type(r) == REDIS_ERR)
        rc = err_set(err, ERR_IO, "redis: %.*s", STR_FMT(redis_reply_str(r)));
    redis_sync_free(r);
    return rc;
}

int minder_copy_still(struct minder_copy *c, const char *url, struct err *err)
{
    char ms[16];
    const char *pause[] = {"CLIENT", "PAUSE", ms, "WRITE"};
    int rc = redis_sync_open(url, ANSWER_MS, &c->redis, err);

    if (rc < 0)
        return rc;
    snprintf(ms, sizeof ms, "%d", STILL_MS);
    c->since_ms = now_ms();
    return say(c->redis, 4, pause, err);
}

static void go_on(struct minder_copy *c)
{
    const char *unpause[] = {"CLIENT", "UNPAUSE"};
    struct err ignored;

    if (!c->redis)
        return;
    say(c->redis, 2, unpause, &ignored);
    redis_sync_close(c->redis);
    c->redis = NULL;
}

static void let_go(struct minder_copy *c)
{
    for (unsigned i = 0; i < c->n; i++)
        close(c->file[i].fd);
    c->n = 0;
}

void minder_copy_close(struct minder_copy *c)
{
    go_on(c);
    let_go(c);
}

/* With everysec a write that was answered may wait in Redis's memory until the disk is done with the one before. */
static int await_written(struct minder_copy *c, struct err *err)
{
    static const char key[] = "aof_buffer_length:0\r";
    const char *info[] = {"INFO", "persistence"};

    while (now_ms() - c->since_ms < STILL_MS) {
        const struct redis_reply *r = redis_sync_call(c->redis, 2, info, NULL, err);
        struct str s = r ? redis_reply_str(r) : STR_NONE;
        bool written = s.n && memmem(s.s, s.n, key, sizeof key - 1);

        if (!r)
            return err->code;
        redis_sync_free(r);
        if (written)
            return 0;
        nanosleep(&(struct timespec){.tv_nsec = 1000000}, NULL);
    }
    return err_set(err, ERR_TIMEOUT, "redis has not written its append-only file within %d ms", STILL_MS);
}

static int read_manifest(const char *path, char text[MANIFEST_MAX], struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, MANIFEST_MAX);
    int rc = n < 0 ? err_set(err, ERR_IO, "%s: %m", path) : n == MANIFEST_MAX ? err_set(err, ERR_TOO_LARGE, "%s: too long", path) : 0;

    if (fd >= 0)
        close(fd);
    if (rc == 0)
        text[n] = 0;
    return rc;
}

/* The next line that lists a file with data; history is what a rewrite has left to be deleted. */
static bool next_file(const char **at, char name[100], char line[160])
{
    char type;

    while (**at) {
        size_t n = strcspn(*at, "\n");
        bool fits = n < 159;

        snprintf(line, 160, "%.*s\n", fits ? (int)n : 0, *at);
        *at += n + ((*at)[n] == '\n');
        if (fits && sscanf(line, "file %99s seq %*d type %c", name, &type) == 2 && type != 'h' && !strchr(name, '/'))
            return true;
    }
    return false;
}

/* Opens what the manifest lists; ERR_AGAIN: a rewrite ended meanwhile. */
static int hold(struct minder_copy *c, const char *dir, struct err *err)
{
    char path[4400], name[100], line[160], text[MANIFEST_MAX], later[MANIFEST_MAX];
    const char *at = text;
    struct stat st;
    int rc;

    snprintf(path, sizeof path, "%s/appendonly.aof.manifest", dir);
    rc = read_manifest(path, text, err);
    while (rc == 0 && next_file(&at, name, line)) {
        char file[4400];
        int fd;

        if (c->n == MINDER_COPY_MAX)
            return err_set(err, ERR_FULL, "%s: more than %d files", path, MINDER_COPY_MAX);
        snprintf(file, sizeof file, "%s/%s", dir, name);
        fd = open(file, O_RDONLY | O_CLOEXEC);
        if (fd < 0 || fstat(fd, &st) < 0) {
            if (fd >= 0)
                close(fd);
            return err_set(err, ERR_AGAIN, "%s: %m", file);
        }
        snprintf(c->file[c->n].name, sizeof c->file[c->n].name, "%s", name);
        snprintf(c->file[c->n].line, sizeof c->file[c->n].line, "%s", line);
        c->file[c->n].fd = fd;
        c->file[c->n++].size = st.st_size;
    }
    if (rc == 0)
        rc = read_manifest(path, later, err);
    if (rc == 0 && strcmp(text, later) != 0)
        rc = err_set(err, ERR_AGAIN, "%s: it changes", path);
    if (rc == 0 && c->n == 0)
        rc = err_set(err, ERR_CORRUPT, "%s: it lists no file", path);
    return rc;
}

int minder_copy_take(struct minder_copy *c, const char *data_dir, struct err *err)
{
    char dir[4200];
    int rc = await_written(c, err);

    snprintf(dir, sizeof dir, "%s/redis/appendonlydir", data_dir);
    for (int i = 0; rc == 0 && i < TRIES; i++) {
        rc = hold(c, dir, err);
        if (rc == 0)
            break;
        let_go(c);
        rc = rc == ERR_AGAIN && i + 1 < TRIES ? 0 : rc;
    }
    if (rc == 0 && now_ms() - c->since_ms >= STILL_MS)
        rc = err_set(err, ERR_TIMEOUT, "the moment for the copy took longer than %d ms; try again when the disk has less to do", STILL_MS);
    go_on(c);
    if (rc < 0)
        let_go(c);
    return rc;
}

int minder_copy_lock(const char *data_dir, int *fd, struct err *err)
{
    struct minder_home home;
    int rc = home_init(&home, data_dir, err);

    if (rc == 0)
        rc = home_lock(&home, fd, err);
    home_fini(&home);
    return rc == ERR_BUSY ? err_wrap(err, rc, "a redis-server runs on it") : rc;
}

int minder_copy_new_life(const char *manifest, const char *dir, const char *site, char epoch[ID_SIZE], struct err *err)
{
    char text[MANIFEST_MAX], name[100] = "", line[160], path[4400], key[160], command[400];
    const char *at = text;
    int rc = read_manifest(manifest, text, err), fd, n;

    if (rc < 0)
        return rc;
    while (next_file(&at, name, line))
        ;
    id_make(epoch, 'e');
    snprintf(key, sizeof key, "fl:{%s}:epoch", site);
    n = snprintf(command, sizeof command, "*3\r\n$3\r\nSET\r\n$%zu\r\n%s\r\n$%zu\r\n%s\r\n", strlen(key), key, strlen(epoch), epoch);
    snprintf(path, sizeof path, "%s/%s", dir, name);
    fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    if (fd < 0 || write(fd, command, (size_t)n) != n || fsync(fd) < 0)
        rc = err_set(err, ERR_IO, "%s: %m", path);
    if (fd >= 0)
        close(fd);
    return rc;
}

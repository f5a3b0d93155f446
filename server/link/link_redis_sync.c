/* Replies, and the command line's blocking connection: hiredis as it comes, with timeouts. */
#include "link/link_redis.h"

#include "link/link_redis_url.h"

#include <errno.h>
#include <fcntl.h>
#include <hiredis/hiredis.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/time.h>

#undef REDIS_ERR /* hiredis' status; here it is the reply type of link_redis.h */

static const redisReply *raw(const struct redis_reply *r)
{
    return (const redisReply *)(const void *)r;
}

enum redis_type redis_reply_type(const struct redis_reply *r)
{
    switch (raw(r)->type) {
    case REDIS_REPLY_STRING:
        return REDIS_STR;
    case REDIS_REPLY_ARRAY:
        return REDIS_LIST;
    case REDIS_REPLY_INTEGER:
        return REDIS_INT;
    case REDIS_REPLY_STATUS:
        return REDIS_STATUS;
    case REDIS_REPLY_ERROR:
        return REDIS_ERR;
    default:
        return REDIS_NIL;
    }
}

struct str redis_reply_str(const struct redis_reply *r)
{
    int type = raw(r)->type;

    if (type != REDIS_REPLY_STRING && type != REDIS_REPLY_STATUS && type != REDIS_REPLY_ERROR)
        return STR("");
    return (struct str){raw(r)->str, raw(r)->len};
}

int64_t redis_reply_int(const struct redis_reply *r)
{
    char *end;
    int64_t v;

    if (raw(r)->type == REDIS_REPLY_INTEGER)
        return raw(r)->integer;
    if (raw(r)->type != REDIS_REPLY_STRING || raw(r)->len == 0)
        return 0;
    errno = 0;
    v = strtoll(raw(r)->str, &end, 10);
    return errno || *end ? 0 : v;
}

size_t redis_reply_n(const struct redis_reply *r)
{
    return raw(r)->type == REDIS_REPLY_ARRAY ? raw(r)->elements : 0;
}

const struct redis_reply *redis_reply_at(const struct redis_reply *r, size_t i)
{
    return (const struct redis_reply *)(const void *)raw(r)->element[i];
}

struct redis_sync {
    redisContext *c;
};

static int sync_fail(const redisContext *c, const char *what, struct err *err)
{
    bool late = c && c->err == REDIS_ERR_IO && (errno == EAGAIN || errno == ETIMEDOUT);

    return err_set(err, late ? ERR_TIMEOUT : ERR_GONE, "Redis: %s: %s", what,
                   !c     ? "out of memory"
                   : late ? "no answer in time"
                          : c->errstr);
}

/* One step of the greeting; an error answer ends the try. */
static int sync_greet(struct redis_sync *s, int argc, const char **argv, struct err *err)
{
    const struct redis_reply *reply = redis_sync_call(s, argc, argv, NULL, err);
    int rc = 0;

    if (!reply)
        return ERR_GONE;
    if (redis_reply_type(reply) == REDIS_ERR)
        rc = err_set(err, ERR_DENIED, "Redis: %s: %s", argv[0], redis_reply_str(reply).s);
    redis_sync_free(reply);
    return rc;
}

static int sync_login(struct redis_sync *s, const struct redis_url *u, struct err *err)
{
    char db[16];
    int rc = 0;

    snprintf(db, sizeof db, "%d", u->db);
    if (u->pass && u->user)
        rc = sync_greet(s, 3, (const char *[]){"AUTH", u->user, u->pass}, err);
    else if (u->pass)
        rc = sync_greet(s, 2, (const char *[]){"AUTH", u->pass}, err);
    if (rc == 0 && u->db > 0)
        rc = sync_greet(s, 2, (const char *[]){"SELECT", db}, err);
    return rc;
}

static int open_at(const char *url, int64_t deadline_ms, struct redis_sync **out, struct err *err);

/* Asks the sentinels one after the other for the primary's address. */
static int find_primary(const char *url, int64_t deadline_ms, char *primary, size_t size, struct err *err)
{
    struct sentinel_url u;
    int rc = sentinel_url_parse(url, &u, err);
    bool found = false;

    if (rc < 0)
        return rc;
    for (unsigned i = 0; i < u.n && !found; i++) {
        const char *argv[] = {"SENTINEL", "get-master-addr-by-name", u.name};
        const struct redis_reply *reply = NULL;
        struct redis_sync *s;

        rc = redis_sync_open(u.sentinel[i], deadline_ms, &s, err);
        if (rc == 0) {
            reply = redis_sync_call(s, 3, argv, NULL, err);
            redis_sync_close(s);
        }
        if (reply && redis_reply_n(reply) == 2) {
            sentinel_url_primary(&u, redis_reply_str(redis_reply_at(reply, 0)), redis_reply_str(redis_reply_at(reply, 1)), primary, size);
            found = true;
        } else if (reply) {
            err_set(err, ERR_NOT_FOUND, "Redis: the sentinel %s knows no primary \"%s\"", u.sentinel[i], u.name);
        }
        redis_sync_free(reply);
    }
    sentinel_url_fini(&u);
    return found ? 0 : ERR_GONE;
}

int redis_sync_open(const char *url, int64_t deadline_ms, struct redis_sync **out, struct err *err)
{
    char primary[512];

    if (!redis_url_is_sentinel(url))
        return open_at(url, deadline_ms, out, err);
    if (find_primary(url, deadline_ms, primary, sizeof primary, err) < 0)
        return ERR_GONE;
    return open_at(primary, deadline_ms, out, err);
}

static int open_at(const char *url, int64_t deadline_ms, struct redis_sync **out, struct err *err)
{
    struct timeval tv = {.tv_sec = deadline_ms / 1000, .tv_usec = deadline_ms % 1000 * 1000};
    struct redis_sync *s = mem_zalloc(sizeof *s);
    struct redis_url u = {0};
    int rc = redis_url_parse(url, &u, err);

    if (rc < 0)
        goto fail;
    signal(SIGPIPE, SIG_IGN); /* hiredis writes with write(2): a server that went is an error, not our end */
    s->c = u.path ? redisConnectUnixWithTimeout(u.path, tv)
                  : redisConnectWithTimeout(u.host, atoi(u.port), tv);
    if (!s->c || s->c->err) {
        rc = sync_fail(s->c, u.path ? u.path : u.host, err);
        goto fail;
    }
    fcntl(s->c->fd, F_SETFD, FD_CLOEXEC);
    redisSetTimeout(s->c, tv);
    rc = sync_login(s, &u, err);
    if (rc < 0)
        goto fail;
    redis_url_fini(&u);
    *out = s;
    return 0;
fail:
    redis_url_fini(&u);
    redis_sync_close(s);
    return rc;
}

const struct redis_reply *redis_sync_call(struct redis_sync *s, int argc, const char **argv,
                                          const size_t *argv_n, struct err *err)
{
    void *reply = redisCommandArgv(s->c, argc, argv, argv_n);

    if (!reply)
        sync_fail(s->c, argv[0], err);
    return reply;
}

void redis_sync_free(const struct redis_reply *r)
{
    if (r)
        freeReplyObject((void *)(uintptr_t)r);
}

void redis_sync_close(struct redis_sync *s)
{
    if (!s)
        return;
    if (s->c)
        redisFree(s->c);
    free(s);
}

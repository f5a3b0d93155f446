/* minder_kit: a minder with what it said; one command on its server; its lock. */
#ifndef MINDER_KIT_H
#define MINDER_KIT_H

#include "link_world.h"

#include "config/config.h"
#include "link/link_minder.h"
#include "link/link_redis.h"

#include <sys/file.h>

struct node {
    struct minder *m;
    unsigned ups, downs;
    bool fatal, closed;
    char url[256], why[500];
};

static struct config cfg;

static inline void on_up(void *ctx, const char *url)
{
    struct node *n = ctx;

    n->ups++;
    snprintf(n->url, sizeof n->url, "%s", url);
}

static inline void on_down(void *ctx, bool fatal, const char *why)
{
    struct node *n = ctx;

    n->downs++;
    n->fatal |= fatal;
    snprintf(n->why, sizeof n->why, "%s", why);
}

static inline void on_closed(void *ctx)
{
    ((struct node *)ctx)->closed = true;
}

static inline bool is_up(void *ctx)
{
    return minder_pid(((struct node *)ctx)->m) > 0;
}
static inline bool is_down(void *ctx)
{
    return ((struct node *)ctx)->downs > 0;
}
static inline bool is_fatal(void *ctx)
{
    return ((struct node *)ctx)->fatal;
}
static inline bool is_closed(void *ctx)
{
    return ((struct node *)ctx)->closed;
}

static inline void node_open(struct world *w, struct node *n)
{
    struct minder_port port = {n, on_up, on_down};

    memset(n, 0, sizeof *n);
    cfg.redis.maxmemory_mb = 64;
    assert_int_equal(minder_open(&w->loop, w->dir, &cfg, &port, &n->m, NULL), 0);
}

static inline void node_up(struct world *w, struct node *n)
{
    node_open(w, n);
    world_await(w, is_up, n, 5000, "redis up");
}

static inline void node_close(struct world *w, struct node *n, bool stop)
{
    minder_close(n->m, stop, on_closed, n);
    world_await(w, is_closed, n, 16000, "closed");
}

/* One command on the node's server; its answer as text into out. */
static inline void ask(const char *url, char *out, size_t out_n, int argc, const char **argv)
{
    const struct redis_reply *r;
    struct redis_sync *s;

    out[0] = 0;
    assert_int_equal(redis_sync_open(url, 2000, &s, NULL), 0);
    r = redis_sync_call(s, argc, argv, NULL, NULL);
    if (r && redis_reply_type(r) == REDIS_INT)
        snprintf(out, out_n, "%lld", (long long)redis_reply_int(r));
    else if (r && redis_reply_type(r) == REDIS_LIST && redis_reply_n(r) == 2)
        snprintf(out, out_n, "%.*s", STR_FMT(redis_reply_str(redis_reply_at(r, 1))));
    else if (r)
        snprintf(out, out_n, "%.*s", STR_FMT(redis_reply_str(r)));
    redis_sync_free(r);
    redis_sync_close(s);
}
#define ASK(url, out, ...)                                                                                   \
    ask((url), (out), sizeof(out), (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),            \
        (const char *[]){__VA_ARGS__})

static inline bool lock_is_free(void *ctx)
{
    char path[96];
    int fd;
    bool is_free;

    snprintf(path, sizeof path, "%s/redis.lock", ((struct world *)ctx)->dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    is_free = flock(fd, LOCK_EX | LOCK_NB) == 0;
    close(fd);
    return is_free;
}

#endif

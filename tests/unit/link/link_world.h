/* What the tests of link share: a loop that turns until a condition holds, and a redis-server of their own.
 */
#ifndef LINK_WORLD_H
#define LINK_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/base_buf.h"
#include "base/base_crypto.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

struct world {
    uv_loop_t loop;
    uv_timer_t heart; /* keeps the loop turning while a condition is awaited */
    unsigned beats;   /* how often it beat: other timers go on */
    char dir[64];     /* temporary, removed by world_fini() */
    char url[128];    /* of the redis-server of world_start_redis() */
    pid_t redis;      /* 0: none */
    int fds;          /* open descriptors at the start */
};

static inline int open_fds(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

static inline void on_beat(uv_timer_t *t)
{
    ((struct world *)t->data)->beats++;
}

static inline void world_init(struct world *w)
{
    memset(w, 0, sizeof *w);
    uv_loop_init(&w->loop); /* libuv keeps two descriptors of its own after the first one */
    uv_loop_close(&w->loop);
    w->fds = open_fds();
    snprintf(w->dir, sizeof w->dir, "/tmp/fl-link-%d-XXXXXX", getpid());
    assert_non_null(mkdtemp(w->dir));
    assert_int_equal(crypto_start(NULL), 0);
    uv_loop_init(&w->loop);
    uv_timer_init(&w->loop, &w->heart);
    w->heart.data = w;
    uv_timer_start(&w->heart, on_beat, 5, 5);
}

/* Turns the loop until is(ctx); fails the test after ms. */
static inline void world_await(struct world *w, bool (*is)(void *ctx), void *ctx, int ms, const char *what)
{
    uint64_t end = uv_hrtime() + (uint64_t)ms * 1000000;

    while (!is(ctx)) {
        if (uv_hrtime() > end)
            fail_msg("waited %d ms for: %s", ms, what);
        uv_run(&w->loop, UV_RUN_ONCE);
    }
}

/* The time that passes is the condition (for what must not happen meanwhile). */
static inline void world_turn(struct world *w, int ms)
{
    uint64_t end = uv_hrtime() + (uint64_t)ms * 1000000;

    while (uv_hrtime() < end)
        uv_run(&w->loop, UV_RUN_ONCE);
}

static inline bool can_connect(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), rc;

    snprintf(a.sun_path, sizeof a.sun_path, "%s", path);
    rc = connect(fd, (struct sockaddr *)&a, sizeof a);
    close(fd);
    return rc == 0;
}

static inline void world_start_redis(struct world *w)
{
    char sock[96];

    snprintf(sock, sizeof sock, "%s/s", w->dir);
    snprintf(w->url, sizeof w->url, "unix://%s", sock);
    unlink(sock);
    w->redis = fork();
    if (w->redis == 0) {
        int null = open("/dev/null", O_RDWR);

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        dup2(null, 1);
        dup2(null, 2);
        execlp("redis-server", "redis-server", "--port", "0", "--unixsocket", sock, "--dir", w->dir, "--save",
               "", "--appendonly", "no", (char *)NULL);
        _exit(127);
    }
    for (int i = 0; i < 2000 && !can_connect(sock); i++)
        usleep(2000);
    assert_true(can_connect(sock));
}

static inline void world_kill_redis(struct world *w)
{
    if (w->redis == 0)
        return;
    kill(w->redis, SIGKILL);
    waitpid(w->redis, NULL, 0);
    w->redis = 0;
}

static inline int remove_one(const char *path, const struct stat *st, int kind, struct FTW *f)
{
    (void)st;
    (void)kind;
    (void)f;
    return remove(path);
}

/* Everything must be closed by then: a handle or a descriptor that is left fails the test. */
static inline void world_fini(struct world *w)
{
    world_kill_redis(w);
    uv_close((uv_handle_t *)&w->heart, NULL);
    uv_run(&w->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&w->loop), 0);
    nftw(w->dir, remove_one, 16, FTW_DEPTH | FTW_PHYS);
    assert_int_equal(open_fds(), w->fds);
}

/* For the end of main(): what a failed test has left running in a directory of this process. */
static inline int world_sweep(void **state)
{
    char ours[64], path[300], cwd[512];
    DIR *d = opendir("/proc");

    (void)state;
    snprintf(ours, sizeof ours, "/tmp/fl-link-%d-", getpid());
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        ssize_t n;

        snprintf(path, sizeof path, "/proc/%s/cwd", e->d_name);
        n = readlink(path, cwd, sizeof cwd - 1);
        if (n > 0 && strncmp(cwd, ours, strlen(ours)) == 0)
            kill(atoi(e->d_name), SIGKILL);
    }
    closedir(d);
    return 0;
}

#endif

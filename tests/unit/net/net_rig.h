/*
 * net_rig: a net on a loop of its own thread, with a small port behind it, and blocking clients that speak to it by raw
 * sockets. Each test file is one program and has its own copy.
 *
 * The port echoes. Some texts are orders: see on_text(). What it counts is read by wait_for().
 */
#ifndef NET_RIG_H
#define NET_RIG_H

#include "base/base_crypto.h"
#include "config/config.h"
#include "log/log.h"
#include "net/net.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include <cmocka.h>

struct rig {
    pthread_t thread;
    uv_loop_t loop;
    uv_async_t order; /* runs `what` on the loop */
    void (*what)(struct rig *r);
    struct config *cfg;
    struct net *net;
    unsigned port;
    atomic_uint opened, closed, texts, never_opened, drained, all_closed, full, requests;
    atomic_uint asked; /* for a verdict that comes later */
    atomic_int busy; /* an order is under way */
    void (*on_request)(void *http, struct net_http *req, const struct net_head *head, struct str body); /* NULL: an echo */
    void *http;
    /* the loop's own */
    unsigned turns, next_number;
    bool out_of_order;
    bool pauses; /* each message pauses reading for a moment */
    struct net_conn *held; /* the one that "pause" came from */
};

struct rig_user {
    struct rig *rig;
    struct net_conn *conn;
    uv_timer_t timer;
    unsigned flood_left, flood_size;
    char tag[32];
    unsigned signals;
};

static void rig_free_timer(uv_handle_t *h)
{
    free(h->data);
}

static struct rig_user *rig_user(struct rig *r)
{
    struct rig_user *u = calloc(1, sizeof *u);

    u->rig = r;
    uv_timer_init(&r->loop, &u->timer);
    u->timer.data = u;
    return u;
}

struct rig_later {
    uv_timer_t timer;
    struct net_check *check;
    struct rig *rig;
};

static void rig_on_later(uv_timer_t *t)
{
    struct rig_later *l = t->data;

    net_check_done(l->check, 101, rig_user(l->rig), 0);
    uv_close((uv_handle_t *)t, rig_free_timer);
}

static void rig_check(void *ctx, struct net_check *check, const struct net_head *head)
{
    struct rig *r = ctx;
    struct rig_later *l;

    if (str_is(head->path, "/ws/401")) {
        net_check_done(check, 401, NULL, 0);
    } else if (str_is(head->path, "/ws/403")) {
        net_check_done(check, 403, NULL, 0);
    } else if (str_is(head->path, "/ws/429")) {
        net_check_done(check, 429, NULL, 2500);
    } else if (str_is(head->path, "/ws/later")) {
        r->asked++;
        l = calloc(1, sizeof *l);
        l->check = check;
        l->rig = r;
        uv_timer_init(&r->loop, &l->timer);
        l->timer.data = l;
        uv_timer_start(&l->timer, rig_on_later, 50, 0);
    } else {
        net_check_done(check, 101, rig_user(r), 0);
    }
}

static void rig_open_conn(void *ctx, struct net_conn *c, void *user)
{
    struct rig *r = ctx;

    ((struct rig_user *)user)->conn = c;
    atomic_fetch_add(&r->opened, 1);
}

static void rig_close_conn(void *ctx, struct net_conn *c, void *user)
{
    struct rig *r = ctx;
    struct rig_user *u = user;

    atomic_fetch_add(c ? &r->closed : &r->never_opened, 1);
    u->conn = NULL;
    uv_close((uv_handle_t *)&u->timer, rig_free_timer);
}

static void rig_send(struct net_conn *c, const char *text)
{
    struct frame *f = frame_create(str_of(text));

    net_send_answer(c, f);
    frame_unref(f);
}

/* Sends events until the outbox is full; ws_drained goes on. */
static void rig_flood(struct rig_user *u)
{
    char *text = malloc(u->flood_size + 1);
    struct frame *f;

    memset(text, 'e', u->flood_size);
    while (u->flood_left) {
        snprintf(text, u->flood_size, "%08u", u->flood_left);
        text[8] = ' ';
        f = frame_create((struct str){text, u->flood_size});
        if (net_send_event(u->conn, f) == ERR_FULL) {
            atomic_fetch_add(&u->rig->full, 1);
            frame_unref(f);
            break;
        }
        frame_unref(f);
        u->flood_left--;
    }
    free(text);
}

static void rig_on_resume(uv_timer_t *t)
{
    struct rig_user *u = t->data;

    if (u->conn)
        net_resume(u->conn);
}

static void rig_on_text(void *ctx, struct net_conn *c, struct str text)
{
    struct rig *r = ctx;
    struct rig_user *u = net_user(c);
    unsigned a, b;
    char copy[64];

    atomic_fetch_add(&r->texts, 1);
    snprintf(copy, sizeof copy, "%.*s", STR_FMT(text));
    if (r->pauses && sscanf(copy, "number %u", &a) == 1) {
        r->out_of_order |= a != r->next_number++;
        net_pause(c);
        if (a % 3 == 0)
            net_resume(c);
        else
            uv_timer_start(&u->timer, rig_on_resume, a % 2, 0);
        if (a % 100 == 0)
            rig_send(c, copy);
    } else if (strcmp(copy, "pause") == 0) {
        net_pause(c);
        r->held = c;
    } else if (sscanf(copy, "flood %u %u", &a, &b) == 2) {
        u->flood_left = a;
        u->flood_size = b;
        rig_flood(u);
    } else if (sscanf(copy, "signals %u %u", &a, &b) == 2) {
        for (unsigned i = 0; i < a; i++) {
            struct frame *f;

            snprintf(copy, sizeof copy, "signal %u %u", i % b, i);
            f = frame_create(str_of(copy));
            net_send_signal(c, i % b, f);
            frame_unref(f);
        }
        rig_send(c, "after");
    } else if (sscanf(copy, "close %u", &a) == 1) {
        rig_send(c, "last words");
        net_close(c, (int)a, "as told");
        rig_send(c, "never heard");
    } else {
        struct frame *f = frame_create(text);

        net_send_answer(c, f);
        frame_unref(f);
    }
}

static inline void rig_resume_held(struct rig *r)
{
    net_resume(r->held);
}

static void rig_on_drained(void *ctx, struct net_conn *c)
{
    struct rig *r = ctx;

    atomic_fetch_add(&r->drained, 1);
    rig_flood(net_user(c));
}

static void rig_on_request(void *ctx, struct net_http *http, const struct net_head *head, struct str body)
{
    struct rig *r = ctx;
    struct net_response res = {.status = 200, .type = "text/plain"};
    struct buf b;

    atomic_fetch_add(&r->requests, 1);
    if (r->on_request) {
        r->on_request(r->http, http, head, body);
        return;
    }
    buf_init(&b, 2 * 1024 * 1024);
    buf_printf(&b, "%.*s %.*s %zu from %s%s", STR_FMT(head->method), STR_FMT(head->path), body.n, head->address,
               head->secure ? " secure" : "");
    res.body = buf_str(&b);
    net_http_respond(http, &res);
    buf_fini(&b);
}

static void rig_on_turn(void *ctx)
{
    ((struct rig *)ctx)->turns++;
}

static void rig_on_order(uv_async_t *a)
{
    struct rig *r = a->data;
    void (*what)(struct rig *r) = r->what;

    if (!what)
        return;
    r->what = NULL;
    what(r);
    atomic_store(&r->busy, 0);
}

static void *rig_main(void *arg)
{
    struct rig *r = arg;

    uv_run(&r->loop, UV_RUN_DEFAULT);
    return NULL;
}

/* Runs what on the loop and waits until it has. */
static inline void rig_do(struct rig *r, void (*what)(struct rig *r))
{
    atomic_store(&r->busy, 1);
    r->what = what;
    uv_async_send(&r->order);
    while (atomic_load(&r->busy))
        usleep(200);
}

static inline struct config *rig_config(void)
{
    struct config *cfg = config_create();

    cfg->limits.hellos_per_s = 100000;
    return cfg;
}

static inline struct rig *rig_start(struct config *cfg)
{
    struct rig *r = calloc(1, sizeof *r);
    struct net_port port = {r,           rig_check,      rig_open_conn,  rig_on_text, rig_on_drained,
                            rig_close_conn, rig_on_request, rig_on_turn, false};
    struct err err = {0};

    signal(SIGPIPE, SIG_IGN);
    log_set_level(LOG_ERROR);
    crypto_start(NULL);
    r->cfg = cfg;
    uv_loop_init(&r->loop);
    uv_async_init(&r->loop, &r->order, rig_on_order);
    r->order.data = r;
    if (net_open(&r->loop, cfg, "127.0.0.1:0", &port, &r->net, &err) < 0)
        fail_msg("%s", err.text);
    r->port = (unsigned)atoi(strrchr(net_address(r->net), ':') + 1);
    pthread_create(&r->thread, NULL, rig_main, r);
    return r;
}

static void rig_on_destroyed(void *ctx)
{
    struct rig *r = ctx;

    uv_close((uv_handle_t *)&r->order, NULL);
}

static void rig_begin_end(struct rig *r)
{
    net_destroy(r->net, rig_on_destroyed, r);
}

/* Ends all; the loop must have nothing left. */
static inline void rig_stop(struct rig *r)
{
    rig_do(r, rig_begin_end);
    pthread_join(r->thread, NULL);
    assert_int_equal(uv_loop_close(&r->loop), 0);
    assert_int_equal(r->opened, r->closed);
    config_destroy(r->cfg);
    free(r);
}

/* Waits until *n is at least want; fails after 10 s. */
static inline void wait_for(atomic_uint *n, unsigned want)
{
    for (unsigned i = 0; i < 10000; i++) {
        if (atomic_load(n) >= want)
            return;
        usleep(1000);
    }
    fail_msg("waited 10 s for %u, have %u", want, atomic_load(n));
}

static inline int64_t now_ms(void)
{
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC, &ts);
    return ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

/* ── clients ─────────────────────────────────────────────────────────── */

/* A connected socket; reads fail after 10 s. small: a receive buffer of a few KB. */
static inline int dial_with(struct rig *r, bool small)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0), size = 4096;
    struct sockaddr_in sa = {.sin_family = AF_INET, .sin_port = htons((uint16_t)r->port)};
    struct timeval ten = {10, 0};

    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &ten, sizeof ten);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &ten, sizeof ten);
    if (small)
        setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof size);
    assert_int_equal(connect(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    return fd;
}

static inline int dial(struct rig *r)
{
    return dial_with(r, false);
}

static inline void say(int fd, const void *p, size_t n)
{
    while (n) {
        ssize_t w = send(fd, p, n, MSG_NOSIGNAL);

        assert_true(w > 0);
        p = (const char *)p + w;
        n -= (size_t)w;
    }
}

static inline void say_s(int fd, const char *s)
{
    say(fd, s, strlen(s));
}

/* Everything until the other side closes (or cap). Returns its size; out is terminated. */
static inline size_t hear_all(int fd, char *out, size_t cap)
{
    size_t n = 0;
    ssize_t r;

    while (n + 1 < cap && (r = recv(fd, out + n, cap - n - 1, 0)) > 0)
        n += (size_t)r;
    out[n] = '\0';
    return n;
}

static inline void hear(int fd, void *p, size_t n)
{
    while (n) {
        ssize_t r = recv(fd, p, n, 0);

        if (r <= 0)
            fail_msg("the connection ended: %s", r ? strerror(errno) : "end of file");
        p = (char *)p + r;
        n -= (size_t)r;
    }
}

/* A head, to its empty line; returns its status. */
static inline int hear_head(int fd, char *out, size_t cap)
{
    size_t n = 0;

    while (n + 1 < cap) {
        hear(fd, out + n, 1);
        out[++n] = '\0';
        if (n >= 4 && memcmp(out + n - 4, "\r\n\r\n", 4) == 0)
            break;
    }
    return atoi(out + 9);
}

#define UPGRADE_REST                                                                                                   \
    "Host: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"                              \
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: firstline.v1\r\n\r\n"

static inline void upgrade(int fd, const char *path)
{
    char head[2000];

    snprintf(head, sizeof head, "GET %s HTTP/1.1\r\n" UPGRADE_REST, path);
    say_s(fd, head);
    assert_int_equal(hear_head(fd, head, sizeof head), 101);
    assert_non_null(strstr(head, "Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo="));
    assert_non_null(strstr(head, "Sec-WebSocket-Protocol: firstline.v1"));
}

static inline int dial_ws(struct rig *r)
{
    int fd = dial(r);

    upgrade(fd, "/ws/x");
    return fd;
}

/* A masked frame. first: FIN and opcode. */
static inline void say_frame(int fd, unsigned first, const void *p, size_t n)
{
    unsigned char *f = malloc(n + 14);
    size_t at = 2;
    static const unsigned char mask[4] = {1, 2, 3, 4};

    f[0] = (unsigned char)first;
    if (n < 126) {
        f[1] = (unsigned char)(0x80 | n);
    } else if (n < 65536) {
        f[1] = 0x80 | 126;
        f[2] = (unsigned char)(n >> 8), f[3] = (unsigned char)n;
        at = 4;
    } else {
        f[1] = 0x80 | 127;
        for (unsigned i = 0; i < 8; i++)
            f[2 + i] = (unsigned char)((uint64_t)n >> (56 - 8 * i));
        at = 10;
    }
    memcpy(f + at, mask, 4);
    for (size_t i = 0; i < n; i++)
        f[at + 4 + i] = ((const unsigned char *)p)[i] ^ mask[i & 3];
    say(fd, f, at + 4 + n);
    free(f);
}

static inline void say_text(int fd, const char *s)
{
    say_frame(fd, 0x81, s, strlen(s));
}

/* One frame into out (terminated); returns its opcode, *n its size. Server frames are whole and unmasked. */
static inline unsigned hear_frame(int fd, char *out, size_t cap, size_t *n)
{
    unsigned char h[10];
    size_t size;

    hear(fd, h, 2);
    assert_int_equal(h[0] & 0xf0, 0x80);
    assert_int_equal(h[1] & 0x80, 0);
    size = h[1] & 0x7f;
    if (size == 126) {
        hear(fd, h, 2);
        size = (size_t)h[0] << 8 | h[1];
        h[0] = 0x81;
    } else if (size == 127) {
        hear(fd, h + 2, 8);
        size = 0;
        for (unsigned i = 2; i < 10; i++)
            size = size << 8 | h[i];
    }
    if (size >= cap)
        fail_msg("a frame of %zu bytes", size);
    *n = size;
    {
        unsigned opcode = h[0] & 0xf;

        hear(fd, out, size);
        out[size] = '\0';
        return opcode;
    }
}

static inline void expect_text(int fd, const char *text)
{
    char got[70000];
    size_t n;
    unsigned op;

    while ((op = hear_frame(fd, got, sizeof got, &n)) == 9)
        say_frame(fd, 0x8a, got, n);
    assert_int_equal(op, 1);
    assert_string_equal(got, text);
}

/* Reads on, answering pings, until the close frame; returns its code (0: none came). */
static inline int hear_close(int fd)
{
    static char got[200000];
    unsigned char h[2];
    size_t n;

    for (;;) {
        if (recv(fd, h, 2, MSG_PEEK) <= 0)
            return 0;
        switch (hear_frame(fd, got, sizeof got, &n)) {
        case 8:
            say_frame(fd, 0x88, got, n > 2 ? 2 : n);
            return n >= 2 ? (unsigned char)got[0] << 8 | (unsigned char)got[1] : 1005;
        case 9:
            say_frame(fd, 0x8a, got, n);
            break;
        default:
            break;
        }
    }
}

/* True if the other side has closed: end of file within 10 s. */
static inline bool is_closed(int fd)
{
    char byte[4096];
    ssize_t n;

    while ((n = recv(fd, byte, sizeof byte, 0)) > 0)
        ;
    return n == 0 || errno == ECONNRESET;
}

#endif

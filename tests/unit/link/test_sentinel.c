/* Where the primary is, when the sentinels don't all say the same. The sentinels here are sockets of the test's own. */
#include "link_world.h"

#include "link/link_sentinel.h"

#define NAME "shop"

/* One that says what the test sets. */
struct fake {
    uv_tcp_t server, conn;
    bool has_conn;
    char got[4096];
    size_t got_n;
    const char *port, *config, *flags; /* what it says of the primary */
    unsigned answers;
};

struct seen {
    unsigned n;
    char url[128]; /* the last one */
    bool closed;
};

static void on_primary(void *ctx, const char *url)
{
    struct seen *s = ctx;

    s->n++;
    snprintf(s->url, sizeof s->url, "%s", url);
}

static void say(struct fake *f, const char *text)
{
    uv_buf_t b = uv_buf_init((char *)(uintptr_t)text, (unsigned)strlen(text));

    assert_int_equal(uv_try_write((uv_stream_t *)&f->conn, &b, 1), (int)b.len);
}

static void say_master(struct fake *f)
{
    const char *words[] = {"name", NAME, "ip", "127.0.0.1", "port", f->port, "flags", f->flags, "config-epoch", f->config};
    char text[600];
    int n = snprintf(text, sizeof text, "*%zu\r\n", sizeof words / sizeof *words);

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        n += snprintf(text + n, sizeof text - (size_t)n, "$%zu\r\n%s\r\n", strlen(words[i]), words[i]);
    say(f, text);
    f->answers++;
}

/* A command's last word is PING, or the primary's name. */
static void on_read(uv_stream_t *h, ssize_t n, const uv_buf_t *buf)
{
    struct fake *f = h->data;
    char *ping, *ask;

    (void)buf;
    if (n <= 0)
        return;
    f->got_n += (size_t)n;
    f->got[f->got_n] = 0;
    for (;;) {
        char *end;

        ping = strstr(f->got, "PING\r\n");
        ask = strstr(f->got, NAME "\r\n");
        if (!ping && !ask)
            return;
        end = ping ? ping + 6 : ask + strlen(NAME) + 2;
        if (ping)
            say(f, "+PONG\r\n");
        else
            say_master(f);
        f->got_n -= (size_t)(end - f->got);
        memmove(f->got, end, f->got_n + 1);
    }
}

static void on_room(uv_handle_t *h, size_t size, uv_buf_t *buf)
{
    struct fake *f = h->data;

    (void)size;
    *buf = uv_buf_init(f->got + f->got_n, (unsigned)(sizeof f->got - 1 - f->got_n));
}

static void on_connection(uv_stream_t *h, int status)
{
    struct fake *f = h->data;

    assert_int_equal(status, 0);
    uv_tcp_init(h->loop, &f->conn);
    f->conn.data = f;
    f->has_conn = true;
    assert_int_equal(uv_accept(h, (uv_stream_t *)&f->conn), 0);
    uv_read_start((uv_stream_t *)&f->conn, on_room, on_read);
}

/* Gives its port. */
static int fake_open(struct world *w, struct fake *f)
{
    struct sockaddr_in a;
    int n = sizeof a;

    memset(f, 0, sizeof *f);
    uv_ip4_addr("127.0.0.1", 0, &a);
    uv_tcp_init(&w->loop, &f->server);
    f->server.data = f;
    assert_int_equal(uv_tcp_bind(&f->server, (struct sockaddr *)&a, 0), 0);
    assert_int_equal(uv_listen((uv_stream_t *)&f->server, 8, on_connection), 0);
    uv_tcp_getsockname(&f->server, (struct sockaddr *)&a, &n);
    return ntohs(a.sin_port);
}

static void fake_close(struct fake *f)
{
    uv_close((uv_handle_t *)&f->server, NULL);
    if (f->has_conn)
        uv_close((uv_handle_t *)&f->conn, NULL);
}

static bool has_answered_more(void *ctx)
{
    struct fake *f = ctx;

    return f[0].answers >= 3 && f[1].answers >= 3;
}

static void on_closed(void *ctx)
{
    ((struct seen *)ctx)->closed = true;
}

static bool is_closed(void *ctx)
{
    return ((struct seen *)ctx)->closed;
}

/* All of them answer three times more. */
static void ask_all(struct world *w, struct fake f[2])
{
    f[0].answers = f[1].answers = 0;
    world_await(w, has_answered_more, f, 10000, "answers of both");
}

/*
 * The one that leads a failover names the new configuration at once, but the old primary until the other replicas follow the new one;
 * the rest name the new primary. Between them nobody is sent back and forth.
 */
static void who_is_at_a_failover_is_not_asked_where_the_primary_is(void **state)
{
    struct world w;
    struct fake f[2];
    struct seen seen = {.n = 0};
    struct sentinel_port port = {&seen, on_primary, NULL};
    struct sentinel *s;
    char url[128];
    int a, b;

    (void)state;
    world_init(&w);
    a = fake_open(&w, &f[0]);
    b = fake_open(&w, &f[1]);
    f[0].port = f[1].port = "7001";
    f[0].config = f[1].config = "0";
    f[0].flags = f[1].flags = "master";
    snprintf(url, sizeof url, "sentinel://127.0.0.1:%d,127.0.0.1:%d/" NAME, a, b);
    assert_int_equal(sentinel_open(&w.loop, url, &port, &s, NULL), 0);
    ask_all(&w, f);
    assert_int_equal(seen.n, 1);
    assert_string_equal(seen.url, "redis://127.0.0.1:7001");
    f[0].flags = "master,o_down,failover_in_progress";
    f[0].config = "1";
    f[1].port = "7002";
    f[1].config = "1";
    ask_all(&w, f);
    assert_int_equal(seen.n, 2);
    assert_string_equal(seen.url, "redis://127.0.0.1:7002");
    f[0].flags = "master";
    f[0].port = "7002";
    ask_all(&w, f);
    assert_int_equal(seen.n, 2);
    sentinel_close(s, on_closed, &seen);
    world_await(&w, is_closed, &seen, 2000, "closed");
    fake_close(&f[0]);
    fake_close(&f[1]);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_is_at_a_failover_is_not_asked_where_the_primary_is),
    };

    return cmocka_run_group_tests_name("link/sentinel", tests, NULL, world_sweep);
}

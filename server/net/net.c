/* net as a whole: opening, the turn of the loop, draining, ending. */
#include "net/net_private.h"

#include "config/config.h"
#include "log/log.h"

#include <assert.h>
#include <stddef.h>
#include <stdlib.h>
#include <strings.h>
#include <unistd.h>

#define ROUNDS_A_TURN 8 /* then the loop gets its turn first */
#define LWS_TURNS     8 /* of the loop, in which libwebsockets' handles close */
#define HELLO_BURST_S 5 /* seconds' worth of handshakes that may come at once */

bool net_may_log(struct net *net)
{
    int64_t second = net_now(net) / 1000;

    if (second != net->log_second) {
        net->log_second = second;
        net->log_lines = 0;
    }
    return net->log_lines++ < 20;
}

bool net_take_hello(struct net *net)
{
    double rate = (double)net->cfg->limits.hellos_per_s;

    net->hellos += (double)(net_now(net) - net->hellos_at_ms) * rate / 1000;
    if (net->hellos > rate * HELLO_BURST_S)
        net->hellos = rate * HELLO_BURST_S;
    net->hellos_at_ms = net_now(net);
    if (net->hellos < 1)
        return false;
    net->hellos -= 1;
    return true;
}

/* ── the turn ────────────────────────────────────────────────────────── */

static void adopt_all(struct net *net)
{
    struct net_sock *s = net->adopt_head;

    net->adopt_head = NULL;
    net->adopt_tail = &net->adopt_head;
    while (s) {
        struct net_sock *next = sock_next_adopt(s);

        sock_adopt(s);
        s = next;
    }
}

static void flush_all(struct net *net)
{
    uint32_t n = net->dirty_n; /* what is marked meanwhile is the next round's */

    for (uint32_t i = 0; i < n; i++) {
        struct net_conn *c = net->dirty[i];

        if (!c)
            continue;
        net->dirty[i] = NULL;
        c->dirty_at = 0;
        conn_flush(c);
    }
    net->dirty_n -= n;
    memmove(net->dirty, net->dirty + n, net->dirty_n * sizeof *net->dirty);
    for (uint32_t i = 0; i < net->dirty_n; i++)
        if (net->dirty[i])
            net->dirty[i]->dirty_at = i + 1;
}

/*
 * Called after and before the loop waits, so that nothing that was queued waits with it. The port's turn()
 * comes after all that could give it work; whatever flushing stirs up goes round again.
 */
static void net_turn(struct net *net)
{
    unsigned rounds = 0;

    if (net->turning || net->ending)
        return;
    net->turning = true;
    do {
        net->stirred = false;
        if (net->adopt_head)
            adopt_all(net);
        for (uint32_t i = 0; i < net->dirty_n; i++)
            if (net->dirty[i])
                conn_resume_held(net->dirty[i]);
        if (net->port.turn)
            net->port.turn(net->port.ctx);
        if (net->dirty_n)
            flush_all(net);
    } while ((net->stirred || net->dirty_n || net->adopt_head) && ++rounds < ROUNDS_A_TURN);
    net->turning = false;
}

static void on_idle(uv_idle_t *handle)
{
    (void)handle; /* it's there so that the loop doesn't wait */
}

static void on_prepare(uv_prepare_t *handle)
{
    struct net *net = handle->data;

    net_turn(net);
    if (net->stirred || net->dirty_n || net->adopt_head)
        uv_idle_start(&net->idle, on_idle);
    else
        uv_idle_stop(&net->idle);
}

static void on_check(uv_check_t *handle)
{
    net_turn(handle->data);
}

/* ── time, draining, ending ──────────────────────────────────────────── */

static struct net_conn *conn_of(struct wheel_node *node)
{
    return (struct net_conn *)((char *)node - offsetof(struct net_conn, node));
}

static void kill_all(struct net *net)
{
    struct wheel_node *node;

    while ((node = wheel_any(&net->wheel)) != NULL) {
        wheel_del(node);
        if (net_node_is_conn(node))
            conn_kill(conn_of(node));
        else
            sock_kill(node);
    }
}

static void look_at_drain(struct net *net)
{
    void (*done)(void *ctx) = net->drained;

    if (net_now(net) >= net->drain_end_ms)
        kill_all(net);
    else if (net->conns_n || net->socks_n)
        return;
    net->drained = NULL;
    done(net->drained_ctx);
}

void net_close_all(struct net *net, int code, unsigned spread_ms, unsigned deadline_ms,
                   void (*done)(void *ctx), void *ctx)
{
    struct wheel_node **nodes;
    size_t n = wheel_list(&net->wheel, &nodes);

    net->draining = true;
    net->drain_code = code;
    net->drain_end_ms = net_now(net) + deadline_ms;
    net->drained = done;
    net->drained_ctx = ctx;
    for (size_t i = 0; i < n; i++) {
        if (net_node_is_conn(nodes[i]))
            conn_drain_at(conn_of(nodes[i]),
                          net_now(net) + (spread_ms ? (int64_t)(random() % spread_ms) : 0));
        else
            sock_drain(nodes[i]);
    }
    free(nodes);
}

void net_stop_listening(struct net *net)
{
    if (!net->listening)
        return;
    net->listening = false;
    uv_poll_stop(&net->listener);
    close(net->listen_fd);
    net->listen_fd = -1;
}

static void free_net(struct net *net)
{
    if (net->listen_fd >= 0)
        close(net->listen_fd);
    if (net->spare_fd >= 0)
        close(net->spare_fd);
    free(net->dirty);
    free(net->batch);
    frame_unref(net->ping);
    free(net);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct net *net = handle->data;
    void (*done)(void *ctx) = net->ended;
    void *ctx = net->ended_ctx;

    if (--net->handles_n > 0)
        return;
    while (net->orphans.next != &net->orphans)
        sock_disown(net->orphans.next);
    free_net(net);
    if (done)
        done(ctx);
}

static void close_handle(struct net *net, uv_handle_t *handle)
{
    handle->data = net;
    uv_close(handle, on_handle_closed);
}

/*
 * A step a millisecond: cut all off; end libwebsockets, whose handles then close over some turns of the loop
 * (its second call frees it, and must not come before); close our own handles.
 */
static void end_step(struct net *net)
{
    switch (net->ending++) {
    case 1:
        kill_all(net);
        adopt_all(net); /* tells of those that never came about */
        break;
    case 2:
        net_lws_close(net->lws);
        break;
    case 2 + LWS_TURNS:
        net_lws_destroy(net->lws);
        net->lws = NULL;
        break;
    case 3 + LWS_TURNS:
        assert(net->handles_n <= 5); /* those of sockets have closed by now */
        close_handle(net, (uv_handle_t *)&net->listener);
        close_handle(net, (uv_handle_t *)&net->prepare);
        close_handle(net, (uv_handle_t *)&net->check);
        close_handle(net, (uv_handle_t *)&net->idle);
        close_handle(net, (uv_handle_t *)&net->timer);
        break;
    default:
        break;
    }
}

static void on_tick(uv_timer_t *timer);

/* At whole ticks of the loop's clock, as others do: who is due at once wakes the process up once. */
static void start_tick(struct net *net)
{
    uv_timer_start(&net->timer, on_tick, (uint64_t)(net->wheel.tick_ms - net_now(net) % net->wheel.tick_ms), 0);
}

static void on_tick(uv_timer_t *timer)
{
    struct net *net = timer->data;

    if (net->ending) {
        end_step(net);
        return;
    }
    start_tick(net);
    net_listen_again(net);
    wheel_turn(&net->wheel, net_now(net));
    if (net->drained)
        look_at_drain(net);
}

void net_destroy(struct net *net, void (*done)(void *ctx), void *ctx)
{
    assert(!net->ending);
    net_stop_listening(net);
    net->ending = 1;
    net->drained = NULL;
    net->ended = done;
    net->ended_ctx = ctx;
    uv_idle_stop(&net->idle);
    uv_timer_start(&net->timer, on_tick, 0, 1);
}

/* ── opening ─────────────────────────────────────────────────────────── */

/* A slot of the wheel is at most a tenth of the shortest time that it measures. */
static int64_t tick_ms(const struct config *cfg)
{
    int64_t least = cfg->limits.handshake_ms;

    if (cfg->limits.idle_ping_ms < least)
        least = cfg->limits.idle_ping_ms;
    if (cfg->limits.ping_grace_ms < least)
        least = cfg->limits.ping_grace_ms;
    least /= 10;
    return least < 5 ? 5 : least > 100 ? 100 : least;
}

static void start_handles(struct net *net)
{
    uv_prepare_init(net->loop, &net->prepare);
    uv_check_init(net->loop, &net->check);
    uv_idle_init(net->loop, &net->idle);
    uv_timer_init(net->loop, &net->timer);
    net->prepare.data = net->check.data = net->idle.data = net->timer.data = net;
    net->handles_n += 4;
    uv_prepare_start(&net->prepare, on_prepare);
    uv_check_start(&net->check, on_check);
    start_tick(net);
}

int net_open(struct uv_loop_s *loop, const struct config *cfg, const char *address,
             const struct net_port *port, struct net **out, struct err *err)
{
    struct net *net = mem_zalloc(sizeof *net);
    const char *url = cfg->http.public_url ? cfg->http.public_url : "";
    int rc;

    net->loop = loop;
    net->cfg = cfg;
    net->port = *port;
    net->listen_fd = net->spare_fd = -1;
    net->is_https = strncasecmp(url, "https://", 8) == 0;
    net->adopt_tail = &net->adopt_head;
    net->batch = mem_alloc(NET_BATCH_BYTES);
    net->ping = frame_make(FRAME_PING, "fl", 2);
    net->hellos = (double)cfg->limits.hellos_per_s * HELLO_BURST_S;
    uv_update_time(loop);
    net->hellos_at_ms = net_now(net);
    ring_init(&net->orphans);
    wheel_init(&net->wheel, tick_ms(cfg), net_now(net));
    rc = net_proxies_read(&net->proxies, cfg->http.trusted_proxies, err);
    if (rc == 0)
        rc = net_listen(net, address, err);
    if (rc == 0 && port->ws_check)
        rc = net_lws_open(net, err);
    if (rc < 0) {
        free_net(net);
        return rc;
    }
    start_handles(net);
    net_listen_start(net);
    *out = net;
    return 0;
}

const char *net_address(const struct net *net)
{
    return net->address;
}

size_t net_websocket_bytes(const struct net *net)
{
    return net->lws ? net_lws_bytes() : 0;
}

struct net_counts net_count(const struct net *net)
{
    struct net_counts counts = net->counts;

    counts.connections = net->conns_n;
    return counts;
}

/*
 * libwebsockets, and what its 4.1.6 leaves to us (PROMISES 3, SPEED 5).
 *
 * Ours: accepting, request heads, frames that go out (written raw, several in one write), pings, close
 * frames, size limits, UTF-8 (libwebsockets misses text that an empty last fragment cuts short). Its own: the
 * handshake's answer, unmasking and taking frames apart, pongs, the socket's events, what the kernel did not
 * take.
 *
 * It sees a request of our own making with nothing of the client's but the key, so no header of a stranger
 * reaches its parser.
 */
#include "net/net_private.h"

#include "log/log.h"

#include <libwebsockets.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>

#define RX_BYTES 320 /* of one read, in each idle connection's memory; what is longer comes in pieces */

struct net_lws {
    struct net *net;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct net_conn *adopting; /* whose socket is being taken over */
};

/* What libwebsockets holds of the heap, of all contexts of this process, and what it held before the first connection. Loop thread. */
static size_t held_bytes, held_at_rest;

/* libwebsockets' allocator: realloc() that counts. */
static void *held_realloc(void *p, size_t size, const char *reason)
{
    size_t was = mem_bytes(p);
    void *q;

    (void)reason;
    if (size == 0) {
        free(p);
        held_bytes -= was;
        return NULL;
    }
    q = realloc(p, size);
    if (q)
        held_bytes += mem_bytes(q) - was;
    return q;
}

size_t net_lws_bytes(void)
{
    return held_bytes - held_at_rest;
}

static struct net_lws *self_of(struct lws *wsi)
{
    return lws_context_user(lws_get_context(wsi));
}

/* False if the peer is gone: then there's nobody to tell. */
static bool can_hear(struct lws *wsi)
{
    char byte;
    ssize_t n = recv(lws_get_socket_fd(wsi), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    return n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR));
}

/* libwebsockets closes by itself: a broken frame, the end of file. Where it names no reason, the peer hears
 * 1002. */
static void on_drop(struct lws *wsi, struct net_conn *c)
{
    if (c->state == CONN_OPEN) {
        if (can_hear(wsi)) {
            lws_close_reason(wsi, LWS_CLOSE_STATUS_PROTOCOL_ERR, NULL, 0);
            if (net_may_log(c->net))
                log_info("net", "close code=1002 reason=\"broken frame\" peer=%s", c->peer);
        }
        c->state = CONN_CLOSING;
        c->end_at_ms = net_now(c->net) + NET_CLOSE_MS;
        wheel_add(&c->net->wheel, &c->node, c->end_at_ms);
        outbox_drop(&c->out, true);
    }
}

/* The peer's close frame: 0 lets libwebsockets answer it with its like, -1 closes at once. */
static int on_peer_close(struct lws *wsi, struct net_conn *c, const unsigned char *p, size_t n)
{
    enum conn_state was = c->state;

    c->state = CONN_CLOSING;
    c->end_at_ms = net_now(c->net) + NET_CLOSE_MS;
    wheel_add(&c->net->wheel, &c->node, c->end_at_ms);
    outbox_drop(&c->out, true);
    if (was != CONN_OPEN && c->close_sent)
        return -1; /* the answer to ours */
    if (n == 1)
        lws_close_reason(wsi, LWS_CLOSE_STATUS_PROTOCOL_ERR, NULL, 0);
    else if (n > 2 && !frame_is_utf8((struct str){(const char *)p + 2, n - 2}))
        lws_close_reason(wsi, LWS_CLOSE_STATUS_INVALID_PAYLOAD, NULL, 0);
    else
        return 0;
    return -1;
}

static void on_receive(struct lws *wsi, struct net_conn *c, const char *p, size_t n)
{
    conn_on_piece(c, (struct str){n ? p : "", n}, lws_remaining_packet_payload(wsi), lws_is_final_fragment(wsi),
                  lws_frame_is_binary(wsi));
}

static void on_gone(struct lws *wsi, struct net_conn *c)
{
    lws_set_opaque_user_data(wsi, NULL);
    c->wsi = NULL;
    if (c->state != CONN_NEW) /* else whoever adopts it sees that it never came about */
        conn_destroy(c);
}

static int on_event(struct lws *wsi, enum lws_callback_reasons why, void *user, void *in, size_t n)
{
    struct net_conn *c = lws_get_opaque_user_data(wsi);

    (void)user;
    switch (why) {
    case LWS_CALLBACK_SERVER_NEW_CLIENT_INSTANTIATED:
        if (self_of(wsi) && self_of(wsi)->adopting && !self_of(wsi)->adopting->wsi) {
            self_of(wsi)->adopting->wsi = wsi;
            lws_set_opaque_user_data(wsi, self_of(wsi)->adopting);
        }
        return 0;
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        return c && in && strcasecmp(in, "websocket") == 0 ? 0 : -1;
    case LWS_CALLBACK_FILTER_PROTOCOL_CONNECTION:
        return c && c->state == CONN_NEW ? 0 : 1;
    case LWS_CALLBACK_HTTP:
        return -1;
    case LWS_CALLBACK_ESTABLISHED:
        if (!c)
            return -1;
        conn_on_open(c);
        return 0;
    case LWS_CALLBACK_RECEIVE:
        if (c)
            on_receive(wsi, c, in, n);
        return 0;
    case LWS_CALLBACK_RECEIVE_PONG:
        if (c)
            conn_on_pong(c);
        return 0;
    case LWS_CALLBACK_SERVER_WRITEABLE:
        if (c)
            conn_mark(c);
        return 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        return c ? on_peer_close(wsi, c, in, n) : -1;
    case LWS_CALLBACK_WS_SERVER_DROP_PROTOCOL:
        if (c)
            on_drop(wsi, c);
        return 0;
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_WSI_DESTROY:
        if (c)
            on_gone(wsi, c);
        return 0;
    default:
        return 0;
    }
}

/* libwebsockets has one logger for all contexts, so this one's budget is its own. */
static void on_log(int level, const char *line)
{
    static int64_t second;
    static unsigned lines;
    struct timespec ts;

    clock_gettime(CLOCK_MONOTONIC_COARSE, &ts);
    if (ts.tv_sec != second) {
        second = ts.tv_sec;
        lines = 0;
    }
    if (lines++ < 5)
        log_line(level == LLL_ERR ? LOG_WARN : LOG_DEBUG, "net", "libwebsockets: %.*s",
                 (int)strcspn(line, "\r\n"), line);
}

int net_lws_open(struct net *net, struct err *err)
{
    static const lws_retry_bo_t no_policy; /* all zero: no timer of each connection in a sorted list */
    static const struct lws_protocols protocols[] = {
        {.name = NET_PROTOCOL,
         .callback = on_event,
         .per_session_data_size = sizeof(void *), /* without any there is no DROP_PROTOCOL */
         .rx_buffer_size = RX_BYTES,
         .tx_packet_size = NET_BATCH_BYTES},
        {.name = NULL},
    };
    struct net_lws *l = mem_zalloc(sizeof *l);
    void *loops[1] = {net->loop};
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .foreign_loops = loops,
        .retry_and_idle_policy = &no_policy,
        .max_http_header_data = 1024,
        .max_http_header_pool = 4,
        .gid = (gid_t)-1,
        .uid = (uid_t)-1,
        .user = l,
        .vhost_name = "firstline",
    };

    l->net = net;
    lws_set_log_level(LLL_ERR, on_log);
    lws_set_allocator(held_realloc);
    l->context = lws_create_context(&info);
    if (l->context)
        l->vhost = lws_create_vhost(l->context, &info);
    if (!l->vhost) {
        if (l->context)
            lws_context_destroy(l->context);
        free(l);
        return err_set(err, ERR_IO,
                       "libwebsockets does not start: is the package libwebsockets-evlib-uv installed?");
    }
    net->lws = l;
    held_at_rest = held_bytes;
    return 0;
}

void net_lws_close(struct net_lws *l)
{
    if (l)
        lws_context_destroy(l->context); /* with a loop of ours: only begins to */
}

void net_lws_destroy(struct net_lws *l)
{
    if (!l)
        return;
    lws_context_destroy(l->context);
    free(l);
}

bool net_lws_adopt(struct net_lws *l, struct net_conn *c, int fd, struct str key)
{
    char head[320];
    int n = snprintf(
        head, sizeof head,
        "GET / HTTP/1.1\r\nHost: firstline\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: %.*s\r\nSec-WebSocket-Protocol: " NET_PROTOCOL
        "\r\n\r\n",
        STR_FMT(key));
    struct lws *wsi;

    l->adopting = c;
    lws_set_log_level(0, on_log); /* it reports each socket that it adopts with its request as an error */
    wsi = lws_adopt_socket_vhost_readbuf(l->vhost, fd, head, (size_t)n);
    lws_set_log_level(LLL_ERR, on_log);
    l->adopting = NULL;
    if (c->state != CONN_NEW)
        return true;
    if (wsi && c->wsi) { /* neither upgraded nor closed: it never will be */
        lws_set_opaque_user_data(wsi, NULL);
        shutdown(fd, SHUT_RDWR);
    }
    c->wsi = NULL;
    return false;
}

bool net_lws_write(struct net_conn *c, const uint8_t *p, size_t n)
{
    /* LWS_WRITE_RAW sends from where the bytes are and does not write to them, whatever its type says. */
    return lws_write(c->wsi, (unsigned char *)(uintptr_t)p, n, LWS_WRITE_RAW) >= 0;
}

bool net_lws_is_stuck(const struct net_conn *c)
{
    return c->wsi && lws_partial_buffered(c->wsi);
}

void net_lws_read(struct net_conn *c, bool on)
{
    lws_rx_flow_control(c->wsi, on);
}

int net_lws_fd(const struct net_conn *c)
{
    return c->wsi ? lws_get_socket_fd(c->wsi) : -1;
}

void net_lws_kill(struct net_conn *c)
{
    if (!c->wsi)
        return;
    shutdown(lws_get_socket_fd(c->wsi), SHUT_RDWR);
    if (lws_partial_buffered(c->wsi))
        lws_callback_on_writable(
            c->wsi); /* its next write fails, and that closes it; before, it would wait to flush */
    else
        lws_set_timeout(c->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

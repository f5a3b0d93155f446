/*
 * net_private: what the files of net share. Nobody outside of net includes it.
 *
 *     accept ─▶ struct net_sock: head, body, answer, next head …            (net_sock.c: HTTP/1.1)
 *                  └─ upgrade, checked ─▶ struct net_conn on libwebsockets  (net_conn.c over net_lws.c)
 *
 * Both lie in the wheel as long as they live. What was queued in a turn of the loop goes out in net_turn().
 */
#ifndef NET_PRIVATE_H
#define NET_PRIVATE_H

#include "net/net.h"
#include "net/net_frame.h"
#include "net/net_head.h"
#include "net/net_outbox.h"
#include "net/net_tcp.h"
#include "net/net_wheel.h"

#include <uv.h>

#define NET_PROTOCOL     "firstline.v1"
#define NET_BODY_MAX     (1024 * 1024)      /* one request's body */
#define NET_BODY_SMALL   (16 * 1024)        /* one that is always taken: a sign-in among them */
#define NET_BODIES_MAX   (64 * 1024 * 1024) /* the larger ones of all requests under way */
#define NET_BATCH_BYTES  65536              /* of one write */
#define NET_STALL_MS     30000 /* a reader that takes nothing for so long is closed (PROMISES 2.12) */
#define NET_CLOSE_MS     5000  /* for the peer's answer to our close frame */
#define NET_IDLE_HTTP_MS 15000 /* between two requests of a connection */
#define NET_REQUEST_MS   60000 /* for the room above to answer a request or an upgrade */
#define NET_FD_RESERVE   128   /* descriptors that are not given to clients: Redis, SQLite, logs … */

struct net_lws;
struct net_sock;

struct net {
    uv_loop_t *loop;
    const struct config *cfg;
    struct net_port port;
    struct net_proxies proxies;
    bool is_https;    /* http.public_url begins with https */
    char address[80]; /* HOST:PORT as listened on */

    uv_poll_t listener;
    uv_prepare_t prepare;
    uv_check_t check;
    uv_idle_t idle;   /* runs while a turn has left work, so that the loop doesn't block */
    uv_timer_t timer; /* turns the wheel */
    int listen_fd, spare_fd;
    bool listening, listen_paused;
    unsigned handles_n; /* open libuv handles of net itself */

    struct wheel wheel;
    struct net_lws *lws;       /* NULL where the port has no ws_check */
    struct wheel_node orphans; /* ring of sockets that are gone while the port owes them an answer */
    struct net_sock *adopt_head, **adopt_tail; /* upgrades with their verdict, until the next turn */

    struct net_conn **dirty; /* connections with something to do in this turn; NULL where one has gone */
    uint32_t dirty_n, dirty_cap;
    bool stirred; /* the port was called since turn() */
    bool turning;
    uint8_t *batch;     /* NET_BATCH_BYTES */
    struct frame *ping; /* not empty: libwebsockets keeps an empty pong to itself */

    uint64_t connections_max;
    unsigned socks_n, conns_n;
    size_t bodies_bytes; /* of larger bodies, announced by requests under way */
    struct net_counts counts;
    double hellos;        /* tokens for upgrades */
    int64_t hellos_at_ms; /* when they were counted last */
    unsigned log_lines;   /* in the second log_second */
    int64_t log_second;
    char date[40]; /* of date_second */
    int64_t date_second;

    /* net_close_all() */
    bool draining;
    int drain_code;
    int64_t drain_end_ms;
    void (*drained)(void *ctx);
    void *drained_ctx;
    /* net_destroy() */
    unsigned ending; /* 0 no; else its next step */
    void (*ended)(void *ctx);
    void *ended_ctx;
};

static inline int64_t net_now(const struct net *net)
{
    return (int64_t)uv_now(net->loop);
}
/* True if a line may be logged now: at most 20 a second, so that a flood of bad peers is no flood of lines.
 */
bool net_may_log(struct net *net);
/* One token for a WebSocket handshake (limits.hellos_per_s); false: none left. */
bool net_take_hello(struct net *net);

/* ── connections: net_conn.c ─────────────────────────────────────────── */

enum conn_state {
    CONN_NEW,     /* not upgraded yet */
    CONN_OPEN,    /* messages go both ways */
    CONN_CLOSING, /* our close frame is queued or sent, or the peer's came: nothing else goes out */
    CONN_DYING    /* cut off; libwebsockets will tell that it's gone */
};

struct net_conn {
    struct net *net;
    void *wsi; /* struct lws, NULL once it's gone */
    void *user;
    struct wheel_node node; /* ping, grace, stall, drain or end, whichever is first */
    struct outbox out;
    struct message in;   /* the pieces so far; the whole message while held */
    uint32_t dirty_at;   /* 1 + index in net->dirty; 0: not in */
    uint32_t frame_n;    /* bytes so far of the frame that is coming in */
    int64_t heard_at_ms; /* last sign of life */
    int64_t ping_at_ms;  /* when the ping went out that waits for its pong; 0 none */
    int64_t stall_at_ms; /* since when the socket takes nothing; 0 it does */
    int64_t end_at_ms;   /* OPEN: when draining closes it; CLOSING: when it's cut off; 0 none */
    uint64_t acked;      /* bytes that the peer's kernel had acknowledged at stall_at_ms */
    uint64_t rx_least;   /* bytes that came in if the frames so far are masked, as they must be; with those before the upgrade */
    uint8_t state;       /* enum conn_state */
    uint8_t checked_n;   /* frames whose masking was looked at */
    bool paused;         /* net_pause() */
    bool held;           /* `in` is a whole message that waits for net_resume() */
    bool is_read_off;    /* libwebsockets was told not to read */
    bool wants_drained;  /* net_send_event() said ERR_FULL */
    bool close_sent;
    char peer[];
};

struct net_conn *conn_create(struct net *net, const char *peer, void *user, uint64_t rx_base);
/* Calls the port's ws_close and frees it. */
void conn_destroy(struct net_conn *c);
void conn_mark(struct net_conn *c);
/* Queues a close frame; drop: what waits isn't sent any more. */
void conn_close(struct net_conn *c, int code, const char *reason, bool drop);
/* Cuts it off. May call ws_close at once: only from net_turn() and timers. */
void conn_kill(struct net_conn *c);
/* Sets when draining closes it. */
void conn_drain_at(struct net_conn *c, int64_t at_ms);
/* Before turn(): hands over what was held and lets reading go on. */
void conn_resume_held(struct net_conn *c);
/* After turn(): writes. */
void conn_flush(struct net_conn *c);
void conn_on_timer(struct wheel_node *node, int64_t now_ms);
static inline bool net_node_is_conn(const struct wheel_node *node)
{
    return node->fire == conn_on_timer;
}

/* What net_lws.c tells. */
void conn_on_open(struct net_conn *c);
/* A piece of a message; frame_left: bytes of its frame still to come, as announced; is_final: the message's last. */
void conn_on_piece(struct net_conn *c, struct str piece, size_t frame_left, bool is_final, bool is_binary);
void conn_on_pong(struct net_conn *c);

/* ── libwebsockets: net_lws.c ────────────────────────────────────────── */

int net_lws_open(struct net *net, struct err *err);
/* Begins to end it; net_lws_destroy() some turns of the loop later. */
void net_lws_close(struct net_lws *l);
void net_lws_destroy(struct net_lws *l);
/* Makes fd, whose request was read, a WebSocket: conn_on_open() comes from inside. False: it didn't; fd is
 * closed. */
bool net_lws_adopt(struct net_lws *l, struct net_conn *c, int fd, struct str key);
/* Bytes as they are; what the kernel doesn't take is kept. False: broken. */
bool net_lws_write(struct net_conn *c, const uint8_t *p, size_t n);
/* True if bytes wait in libwebsockets; nothing may be written then. */
bool net_lws_is_stuck(const struct net_conn *c);
void net_lws_read(struct net_conn *c, bool on);
int net_lws_fd(const struct net_conn *c);
void net_lws_kill(struct net_conn *c);
/* What libwebsockets holds of the heap for connections. */
size_t net_lws_bytes(void);

/* ── plain sockets: net_sock.c, net_listen.c ─────────────────────────── */

/* Takes an accepted, non-blocking socket. */
void sock_open(struct net *net, int fd, const char *peer);
/* Goes on with an upgrade whose verdict is there. */
void sock_adopt(struct net_sock *s);
struct net_sock *sock_next_adopt(struct net_sock *s);
/* Ends what has no request under way; those with one close after their answer. */
void sock_drain(struct wheel_node *node);
void sock_kill(struct wheel_node *node);
/* One of net->orphans: net ends before the port has answered it. */
void sock_disown(struct wheel_node *node);

/* Binds and listens; net_listen_start() then watches. */
int net_listen(struct net *net, const char *address, struct err *err);
void net_listen_start(struct net *net);
/* Goes on after a lack of descriptors. */
void net_listen_again(struct net *net);

#endif

/*
 * One accepted socket: HTTP/1.1 requests, one at a time, until an upgrade goes on as a WebSocket.
 *
 *     HEAD ─▶ BODY ─▶ WAIT (the port answers) ─▶ WRITE ─▶ HEAD | LINGER
 *       └──────────▶ CHECK (the port says yes or no) ─▶ adopted | WRITE
 *
 * A head is read to its last byte and no further (peek, then read), so what follows an upgrade is still in
 * the kernel for libwebsockets. GONE: the socket is closed; memory stays while the port still owes an answer
 * or libuv a callback.
 */
#include "net/net_answer.h"
#include "net/net_private.h"

#include "config/config.h"
#include "log/log.h"

#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

enum sock_state { SOCK_HEAD, SOCK_BODY, SOCK_WAIT, SOCK_CHECK, SOCK_WRITE, SOCK_LINGER, SOCK_GONE };

struct net_http {
    struct net_sock *sock;
};
struct net_check {
    struct net_sock *sock;
};

struct net_sock {
    uv_poll_t poll;
    struct net *net;
    struct wheel_node node;
    struct net_http http;
    struct net_check check;
    struct net_sock *next_adopt;
    int fd, events;
    enum sock_state state;
    bool asked;      /* the port owes an answer to http or check */
    bool busy;       /* its functions are on the stack */
    bool poll_open;  /* the handle isn't closed yet */
    bool keep_alive; /* after this answer */
    bool is_head;    /* HEAD: no body in the answer */
    bool accepted;   /* the check said yes */
    bool last;       /* draining: the next answer is the last */
    uint64_t read_n; /* bytes read from the socket so far */
    char *buf;       /* head, with room for the decoded path behind it */
    size_t n, cap;
    struct net_request *req; /* while a request is under way */
    size_t reserved;         /* of net->bodies_bytes */
    struct buf body;
    void *user; /* of an accepted check */
    char *out;  /* answer's head, and its body where that is a copy */
    size_t out_n;
    struct str tail; /* a body that outlives us */
    size_t sent;
    char peer[46];
};

static void on_timer(struct wheel_node *node, int64_t now_ms);
static void read_on(struct net_sock *s);

static struct net_sock *sock_of(struct wheel_node *node)
{
    return (struct net_sock *)((char *)node - offsetof(struct net_sock, node));
}

static void deadline(struct net_sock *s, int64_t ms)
{
    wheel_add(&s->net->wheel, &s->node, net_now(s->net) + ms);
}

/* ── life ────────────────────────────────────────────────────────────── */

static void forget_request(struct net_sock *s)
{
    s->net->bodies_bytes -= s->reserved;
    s->reserved = 0;
    buf_fini(&s->body);
    if (!s->asked) { /* a check's head is valid until it's done */
        free(s->req);
        s->req = NULL;
    }
    free(s->out);
    s->out = NULL;
    s->tail = STR_NONE;
    s->sent = s->out_n = 0;
}

static void free_if_done(struct net_sock *s)
{
    if (s->state != SOCK_GONE || s->asked || s->busy || s->poll_open)
        return;
    wheel_del(&s->node); /* of net->orphans */
    free(s->req);
    free(s->buf);
    free(s);
}

static void on_poll_closed(uv_handle_t *handle)
{
    struct net_sock *s = handle->data;

    s->poll_open = false;
    s->net->handles_n--;
    free_if_done(s);
}

/* Lets go of the descriptor's events; after this another handle may watch it. */
static void stop_poll(struct net_sock *s)
{
    if (s->poll_open && !uv_is_closing((uv_handle_t *)&s->poll))
        uv_close((uv_handle_t *)&s->poll, on_poll_closed);
}

static void leave(struct net_sock *s, bool close_fd)
{
    struct net *net = s->net;

    if (s->state == SOCK_GONE)
        return;
    s->state = SOCK_GONE;
    wheel_del(&s->node);
    if (s->asked)
        ring_push(&net->orphans, &s->node);
    stop_poll(s);
    if (close_fd)
        close(s->fd);
    s->fd = -1;
    forget_request(s);
    net->socks_n--;
    free_if_done(s);
}

static void on_events(uv_poll_t *poll, int status, int events);

static void watch(struct net_sock *s, int events)
{
    if (s->events == events || s->state == SOCK_GONE)
        return;
    if (!s->poll_open) {
        if (uv_poll_init_socket(s->net->loop, &s->poll, s->fd) != 0) {
            leave(s, true);
            return;
        }
        s->poll.data = s;
        s->poll_open = true;
        s->net->handles_n++;
    }
    s->events = events;
    if (events)
        uv_poll_start(&s->poll, events, on_events);
    else
        uv_poll_stop(&s->poll);
}

void sock_open(struct net *net, int fd, const char *peer)
{
    struct net_sock *s = mem_zalloc(sizeof *s);

    s->net = net;
    s->fd = fd;
    s->http.sock = s->check.sock = s;
    s->node.fire = on_timer;
    snprintf(s->peer, sizeof s->peer, "%s", peer);
    buf_init(&s->body, NET_BODY_MAX);
    net->socks_n++;
    deadline(s, net->cfg->limits.handshake_ms);
    read_on(s); /* most have sent their request by now */
}

/* ── answers ─────────────────────────────────────────────────────────── */

static const char *date_now(struct net *net)
{
    time_t now = time(NULL);
    struct tm tm;

    if (now != net->date_second) {
        net->date_second = now;
        gmtime_r(&now, &tm);
        strftime(net->date, sizeof net->date, "%a, %d %b %Y %H:%M:%S GMT", &tm);
    }
    return net->date;
}

static void finish_answer(struct net_sock *s)
{
    bool more = s->keep_alive && !s->last && !s->net->draining;

    forget_request(s);
    s->n = 0;
    s->is_head = false; /* a refusal of what comes next has a body */
    if (more) {
        s->state = SOCK_HEAD;
        deadline(s, NET_IDLE_HTTP_MS);
        watch(s, UV_READABLE);
        return;
    }
    /* What the client still sends is taken for a moment: a reset would throw away the answer that is on its
     * way. */
    s->state = SOCK_LINGER;
    shutdown(s->fd, SHUT_WR);
    deadline(s, 1000);
    watch(s, UV_READABLE);
}

static void write_on(struct net_sock *s)
{
    while (s->sent < s->out_n + s->tail.n) {
        struct iovec v[2];
        unsigned n = 0;
        ssize_t wrote;

        if (s->sent < s->out_n)
            v[n++] = (struct iovec){s->out + s->sent, s->out_n - s->sent};
        if (s->tail.n) {
            size_t off = s->sent > s->out_n ? s->sent - s->out_n : 0;

            v[n++] = (struct iovec){(char *)(uintptr_t)s->tail.s + off, s->tail.n - off};
        }
        wrote = sendmsg(s->fd, &(struct msghdr){.msg_iov = v, .msg_iovlen = n}, MSG_NOSIGNAL);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0 && errno == EAGAIN) {
            watch(s, UV_WRITABLE);
            return;
        }
        if (wrote < 0) {
            leave(s, true);
            return;
        }
        s->sent += (size_t)wrote;
        s->net->counts.bytes_out += (uint64_t)wrote;
        deadline(s, NET_STALL_MS);
    }
    finish_answer(s);
}

static void answer(struct net_sock *s, const struct net_response *r)
{
    bool closes = !s->keep_alive || s->last || s->net->draining;
    bool has_body = answer_has_body(r->status) && !s->is_head;

    free(s->out);
    s->out = answer_make(r, date_now(s->net), closes, has_body && !r->body_is_static, &s->out_n);
    s->tail = has_body && r->body_is_static ? r->body : STR_NONE;
    s->sent = 0;
    s->state = SOCK_WRITE;
    deadline(s, NET_STALL_MS);
    write_on(s);
}

/* A refusal that net itself makes; the connection ends with it. */
static void refuse(struct net_sock *s, int status, const char *why, int64_t retry_ms)
{
    struct refusal_room room;
    struct net_response r;

    answer_refusal(&r, &room, status, why, retry_ms);
    s->keep_alive = false;
    answer(s, &r);
}

void net_http_respond(struct net_http *http, const struct net_response *r)
{
    struct net_sock *s = http->sock;

    assert(s->asked);
    s->asked = false;
    if (s->state == SOCK_WAIT)
        answer(s, r);
    else
        free_if_done(s);
}

/* ── upgrades ────────────────────────────────────────────────────────── */

static void begin_upgrade(struct net_sock *s)
{
    struct net *net = s->net;
    struct str key;
    const char *why;
    int status = net_head_check_websocket(s->req, NET_PROTOCOL, &key, &why);

    net->counts.refused += status != 0;
    if (status) {
        refuse(s, status, why, 0);
    } else if (!net_take_hello(net) || net->draining) {
        net->counts.refused++;
        refuse(s, 503, "too many new connections, come again", 1000);
    } else {
        s->state = SOCK_CHECK;
        s->asked = true;
        deadline(s, NET_REQUEST_MS);
        watch(s, 0);
        net->stirred = true;
        net->port.ws_check(net->port.ctx, &s->check, &s->req->head);
    }
}

void net_check_done(struct net_check *check, int status, void *user, int64_t retry_ms)
{
    struct net_sock *s = check->sock;
    struct net *net = s->net;

    assert(s->asked && !s->accepted);
    if (net && status == 101) { /* also where the client has left in the meantime: sock_adopt() sees it */
        s->accepted = true;
        s->user = user;
        s->next_adopt = NULL;
        *net->adopt_tail = s;
        net->adopt_tail = &s->next_adopt;
        net->stirred = true;
        return;
    }
    s->asked = false;
    if (s->state != SOCK_CHECK) {
        free_if_done(s);
        return;
    }
    net->counts.refused++;
    refuse(s, status,
           status == 401   ? "sign in first"
           : status == 403 ? "not allowed from here or for this account"
           : status == 429 ? "too many tries"
                           : "not available now",
           retry_ms);
}

struct net_sock *sock_next_adopt(struct net_sock *s)
{
    return s->next_adopt;
}

void sock_adopt(struct net_sock *s)
{
    struct net *net = s->net;
    struct net_conn *c;
    int fd = s->fd;

    s->asked = false;
    if (s->state != SOCK_CHECK) {
        net->port.ws_close(net->port.ctx, NULL, s->user);
        free_if_done(s);
        return;
    }
    c = conn_create(net, s->req->head.address, s->user, s->read_n);
    stop_poll(s); /* before libwebsockets watches the descriptor */
    if (!net_lws_adopt(net->lws, c, fd, net_head_get(&s->req->head, "sec-websocket-key")))
        conn_destroy(c);
    leave(s, false);
}

/* ── requests ────────────────────────────────────────────────────────── */

static void hand_over(struct net_sock *s)
{
    struct net *net = s->net;

    s->state = SOCK_WAIT;
    s->asked = true;
    net->counts.http_requests++;
    deadline(s, NET_REQUEST_MS);
    watch(s, 0);
    net->stirred = true;
    net->port.http_request(net->port.ctx, &s->http, &s->req->head, buf_str(&s->body));
}

static void begin_body(struct net_sock *s)
{
    struct net *net = s->net;
    size_t n = (size_t)s->req->content_length;

    if (n > NET_BODY_MAX) {
        refuse(s, 413, "a body has at most 1 MiB", 0);
        return;
    }
    if (n > NET_BODY_SMALL) {
        if (net->bodies_bytes + n > NET_BODIES_MAX) {
            refuse(s, 503, "too many large requests at once", 1000);
            return;
        }
        s->reserved = n;
        net->bodies_bytes += n;
    }
    s->state = SOCK_BODY;
    deadline(s, NET_STALL_MS);
    if (s->req->wants_continue) {
        static const char go_on[] = "HTTP/1.1 100 Continue\r\n\r\n";

        if (send(s->fd, go_on, sizeof go_on - 1, MSG_NOSIGNAL) < 0)
            leave(s, true);
    }
}

static void begin_request(struct net_sock *s, size_t head_n)
{
    struct net *net = s->net;
    struct net_head *head;
    const char *why;
    int status;

    s->req = mem_alloc(sizeof *s->req);
    if (s->cap < 2 * head_n) {
        s->cap = 2 * head_n;
        s->buf = mem_realloc(s->buf, s->cap);
    }
    status = net_head_parse(s->buf, head_n, s->buf + head_n, s->req, &why);
    if (status) {
        refuse(s, status, why, 0);
        return;
    }
    head = &s->req->head;
    net_head_set_client(head, s->peer, &net->proxies, net->is_https);
    s->keep_alive = s->req->keep_alive;
    s->is_head = str_is(head->method, "HEAD");
    if (net->lws && head->path.n >= 4 && memcmp(head->path.s, "/ws/", 4) == 0)
        begin_upgrade(s);
    else if (s->req->content_length)
        begin_body(s);
    else
        hand_over(s);
}

/* Reads exactly what a head lacks. False: no more now, or the socket is gone. */
static bool read_head(struct net_sock *s)
{
    size_t max = (size_t)s->net->cfg->limits.header_bytes, end;
    enum net_head_state found;
    ssize_t n;

    if (s->cap - s->n < 512 && s->cap < max) {
        s->cap = s->cap ? s->cap * 2 : 1024;
        s->buf = mem_realloc(s->buf, s->cap);
    }
    if (s->n >= max) {
        refuse(s, 431, "the header is too large", 0);
        return false;
    }
    n = recv(s->fd, s->buf + s->n, (s->cap < max ? s->cap : max) - s->n, MSG_PEEK);
    if (n <= 0) {
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            watch(s, UV_READABLE);
        else
            leave(s, true);
        return false;
    }
    if (s->n == 0 && s->read_n)
        deadline(s, s->net->cfg->limits.handshake_ms); /* a further request begins */
    found = net_head_find(s->buf, s->n + (size_t)n, s->n, &end);
    if (found == NET_HEAD_WHOLE)
        n = (ssize_t)(end - s->n);
    if (recv(s->fd, s->buf + s->n, (size_t)n, 0) != n) {
        leave(s, true);
        return false;
    }
    s->n += (size_t)n;
    s->read_n += (size_t)n;
    s->net->counts.bytes_in += (uint64_t)n;
    if (found == NET_HEAD_BROKEN) {
        refuse(s, 400, "this is not an HTTP/1.1 request", 0);
    } else if (found == NET_HEAD_WHOLE) {
        begin_request(s, s->n);
    }
    return true;
}

static bool read_body(struct net_sock *s)
{
    char part[16384];
    size_t want = (size_t)s->req->content_length - s->body.n;
    ssize_t n = recv(s->fd, part, want < sizeof part ? want : sizeof part, 0);

    if (n <= 0) {
        if (n < 0 && (errno == EAGAIN || errno == EINTR))
            watch(s, UV_READABLE);
        else
            leave(s, true);
        return false;
    }
    buf_add(&s->body, part, (size_t)n);
    s->read_n += (size_t)n;
    s->net->counts.bytes_in += (uint64_t)n;
    if (s->body.n == (size_t)s->req->content_length)
        hand_over(s);
    return true;
}

static bool read_rest(struct net_sock *s)
{
    char part[16384];
    ssize_t n = recv(s->fd, part, sizeof part, 0);

    if (n > 0 || (n < 0 && (errno == EAGAIN || errno == EINTR)))
        return n > 0;
    leave(s, true);
    return false;
}

/* Reads while there is something to read and the state wants it; a turn of the loop is shared with others. */
static void read_on(struct net_sock *s)
{
    bool more = true;

    s->busy = true;
    for (unsigned i = 0; more && i < 16; i++)
        more = s->state == SOCK_HEAD     ? read_head(s)
               : s->state == SOCK_BODY   ? read_body(s)
               : s->state == SOCK_LINGER ? read_rest(s)
                                         : false;
    if (more && (s->state == SOCK_HEAD || s->state == SOCK_BODY))
        watch(s, UV_READABLE); /* the rest in another turn */
    s->busy = false;
    free_if_done(s);
}

static void on_events(uv_poll_t *poll, int status, int events)
{
    struct net_sock *s = poll->data;

    if (status < 0)
        leave(s, true);
    else if ((events & UV_WRITABLE) && s->state == SOCK_WRITE)
        write_on(s);
    else if (events & UV_READABLE)
        read_on(s);
}

static void on_timer(struct wheel_node *node, int64_t now_ms)
{
    struct net_sock *s = sock_of(node);

    (void)now_ms;
    if (s->state == SOCK_HEAD && s->n > 0)
        refuse(s, 408, "the request took too long", 0);
    else if (s->state == SOCK_BODY)
        refuse(s, 408, "the request took too long", 0);
    else if (s->state == SOCK_WAIT || (s->state == SOCK_CHECK && !s->accepted))
        refuse(s, 503, "not available now", 1000);
    else
        leave(s, true);
}

void sock_drain(struct wheel_node *node)
{
    struct net_sock *s = sock_of(node);

    if (s->state == SOCK_HEAD && s->n == 0)
        leave(s, true);
    else
        s->last = true;
}

void sock_kill(struct wheel_node *node)
{
    leave(sock_of(node), true);
}

void sock_disown(struct wheel_node *node)
{
    wheel_del(node);
    sock_of(node)->net = NULL;
}

/* One WebSocket connection: messages in, outbox out, pings, pauses, closing. */
#include "net/net_private.h"

#include "base/base_fail.h"
#include "config/config.h"
#include "log/log.h"

#include <stddef.h>
#include <stdlib.h>

#define STALL_LOOK_MS 250 /* how often a socket that takes nothing is looked at */
#define MASK_LOOKS    8   /* frames of a connection whose masking is looked at as they come */

static struct net_conn *conn_of(struct wheel_node *node)
{
    return (struct net_conn *)((char *)node - offsetof(struct net_conn, node));
}

struct net_conn *conn_create(struct net *net, const char *peer, void *user, uint64_t rx_base)
{
    size_t n = strlen(peer) + 1;
    struct net_conn *c = mem_zalloc(offsetof(struct net_conn, peer) + n);

    c->net = net;
    c->user = user;
    c->rx_least = rx_base;
    c->node.fire = conn_on_timer;
    memcpy(c->peer, peer, n);
    return c;
}

void conn_destroy(struct net_conn *c)
{
    struct net *net = c->net;
    bool was_open = c->state != CONN_NEW;

    if (c->dirty_at)
        net->dirty[c->dirty_at - 1] = NULL;
    wheel_del(&c->node);
    c->wsi = NULL;
    c->state = CONN_DYING;
    if (was_open)
        net->conns_n--;
    net->stirred = true;
    net->port.ws_close(net->port.ctx, was_open ? c : NULL, c->user);
    outbox_fini(&c->out);
    message_fini(&c->in);
    free(c);
}

void conn_mark(struct net_conn *c)
{
    struct net *net = c->net;

    if (c->dirty_at)
        return;
    if (net->dirty_n == net->dirty_cap) {
        net->dirty_cap = net->dirty_cap ? net->dirty_cap * 2 : 64;
        net->dirty = mem_realloc(net->dirty, net->dirty_cap * sizeof *net->dirty);
    }
    net->dirty[net->dirty_n++] = c;
    c->dirty_at = net->dirty_n;
}

/* ── time ────────────────────────────────────────────────────────────── */

static void set_timer(struct net_conn *c)
{
    const struct config *cfg = c->net->cfg;
    int64_t at = c->ping_at_ms ? c->ping_at_ms + cfg->limits.ping_grace_ms
                               : c->heard_at_ms + cfg->limits.idle_ping_ms;

    if (c->state >= CONN_CLOSING)
        at = c->end_at_ms;
    else if (c->end_at_ms && c->end_at_ms < at)
        at = c->end_at_ms;
    if (c->stall_at_ms && net_now(c->net) + STALL_LOOK_MS < at)
        at = net_now(c->net) + STALL_LOOK_MS;
    wheel_add(&c->net->wheel, &c->node, at);
}

static void heard(struct net_conn *c)
{
    c->heard_at_ms = net_now(c->net);
    c->ping_at_ms = 0;
}

/* False if fewer bytes came in than the frames would take with their masks: the client doesn't mask (RFC 6455
 * section 5.1). */
static bool is_masked(const struct net_conn *c)
{
    uint64_t acked, received;
    bool done;

    return !tcp_progress(net_lws_fd(c), &acked, &received, &done) || received >= c->rx_least;
}

static void send_ping(struct net_conn *c, int64_t now_ms)
{
    if (!is_masked(c)) {
        conn_close(c, CLOSE_PROTOCOL, "frames must be masked", true);
        return;
    }
    outbox_push(&c->out, c->net->ping, false);
    conn_mark(c);
    c->ping_at_ms = now_ms;
}

/* A socket that takes nothing: is the peer still reading at all? */
static void look_at_stall(struct net_conn *c, int64_t now_ms)
{
    uint64_t acked, received;
    bool done = false;

    if (tcp_progress(net_lws_fd(c), &acked, &received, &done) && acked != c->acked) {
        c->acked = acked;
        c->stall_at_ms = now_ms;
    }
    if (done) /* it will neither read nor write: libwebsockets would spin on its end of file */
        conn_kill(c);
    else if (c->state == CONN_OPEN && now_ms - c->stall_at_ms >= NET_STALL_MS) {
        c->net->counts.closed_slow++;
        conn_close(c, CLOSE_OVERLOAD, "too slow", true);
        set_timer(c);
    } else {
        set_timer(c);
    }
}

void conn_on_timer(struct wheel_node *node, int64_t now_ms)
{
    struct net_conn *c = conn_of(node);
    const struct config *cfg = c->net->cfg;

    if (c->state >= CONN_CLOSING && now_ms >= c->end_at_ms) {
        conn_kill(c);
        return;
    }
    if (c->state == CONN_OPEN && c->end_at_ms && now_ms >= c->end_at_ms) {
        conn_close(c, c->net->drain_code, "going away", false);
        return;
    }
    if (c->stall_at_ms) {
        look_at_stall(c, now_ms);
        return;
    }
    if (c->state == CONN_OPEN && c->is_read_off) {
        heard(c); /* it's we who don't listen */
    } else if (c->state == CONN_OPEN && c->ping_at_ms &&
               now_ms - c->ping_at_ms >= cfg->limits.ping_grace_ms) {
        conn_close(c, CLOSE_POLICY, "no pong", true);
        c->end_at_ms = now_ms + 1000;
    } else if (c->state == CONN_OPEN && !c->ping_at_ms &&
               now_ms - c->heard_at_ms >= cfg->limits.idle_ping_ms) {
        send_ping(c, now_ms);
    }
    set_timer(c);
}

void conn_drain_at(struct net_conn *c, int64_t at_ms)
{
    if (c->state != CONN_OPEN)
        return;
    c->end_at_ms = at_ms;
    set_timer(c);
}

/* ── in ──────────────────────────────────────────────────────────────── */

void conn_on_open(struct net_conn *c)
{
    struct net *net = c->net;

    c->state = CONN_OPEN;
    net->conns_n++;
    net->counts.opened++;
    heard(c);
    if (net->draining)
        c->end_at_ms = net_now(net);
    set_timer(c);
    net->stirred = true;
    net->port.ws_open(net->port.ctx, c, c->user);
}

static void deliver(struct net_conn *c, struct str text)
{
    struct net *net = c->net;

    if (!frame_is_utf8(text)) {
        conn_close(c, CLOSE_NOT_UTF8, "not UTF-8", false);
        return;
    }
    net->counts.frames_in++;
    net->stirred = true;
    net->port.ws_text(net->port.ctx, c, text);
}

static void count_frame(struct net_conn *c)
{
    c->rx_least += c->frame_n + 2 + (c->frame_n < 126 ? 0 : c->frame_n < 65536 ? 2 : 8) + 4;
    c->frame_n = 0;
    if (c->checked_n == MASK_LOOKS)
        return;
    c->checked_n++;
    if (!is_masked(c))
        conn_close(c, CLOSE_PROTOCOL, "frames must be masked", true);
}

void conn_on_piece(struct net_conn *c, struct str piece, size_t frame_left, bool is_final, bool is_binary)
{
    size_t max = (size_t)c->net->cfg->limits.frame_bytes;
    bool ends_frame = frame_left == 0;
    int code = 0;

    heard(c);
    c->net->counts.bytes_in += piece.n;
    c->frame_n += (uint32_t)piece.n;
    if (ends_frame)
        count_frame(c);
    if (c->state != CONN_OPEN)
        return;
    if (is_binary) {
        conn_close(c, CLOSE_BINARY, "text only", false);
    } else if (frame_left > max) {
        conn_close(c, CLOSE_TOO_BIG, "message too big", false); /* as announced: nothing of it is kept */
    } else if (is_final && !c->in.pieces && !c->paused && piece.n <= max) {
        deliver(c, piece);
    } else if ((code = message_add(&c->in, piece, ends_frame && !is_final, max)) != 0) {
        conn_close(c, code, code == CLOSE_TOO_BIG ? "message too big" : "too many fragments", false);
    } else if (is_final && c->paused) {
        c->held = true;
    } else if (is_final) {
        struct message m = c->in;

        c->in = (struct message){0};
        deliver(c, message_str(&m));
        message_fini(&m);
    }
    if (c->paused && !c->is_read_off && c->state == CONN_OPEN) {
        c->is_read_off = true;
        net_lws_read(c, false);
    }
}

void conn_on_pong(struct net_conn *c)
{
    heard(c);
}

void net_pause(struct net_conn *c)
{
    c->paused = true; /* reading stops with the next piece: who sends one message at a time costs nothing */
}

void net_resume(struct net_conn *c)
{
    c->paused = false;
    if (c->held || c->is_read_off)
        conn_mark(c);
}

void conn_resume_held(struct net_conn *c)
{
    if (c->held && !c->paused && c->state == CONN_OPEN) {
        struct message m = c->in;

        c->in = (struct message){0};
        c->held = false;
        deliver(c, message_str(&m));
        message_fini(&m);
    }
    if (c->is_read_off && !c->paused && c->wsi && c->state != CONN_DYING) {
        c->is_read_off = false;
        heard(c);
        net_lws_read(c, true);
    }
}

/* ── out ─────────────────────────────────────────────────────────────── */

int net_send_event(struct net_conn *c, struct frame *f)
{
    const struct config *cfg = c->net->cfg;

    if (c->state != CONN_OPEN)
        return 0;
    if (outbox_is_full(&c->out, f->n, (size_t)cfg->limits.outbox_bytes, (size_t)cfg->limits.outbox_frames) &&
        !outbox_is_empty(&c->out)) {
        c->wants_drained = true;
        conn_mark(c);
        return ERR_FULL;
    }
    outbox_push(&c->out, f, false);
    conn_mark(c);
    return 0;
}

void net_send_answer(struct net_conn *c, struct frame *f)
{
    if (c->state != CONN_OPEN)
        return;
    outbox_push(&c->out, f, true);
    conn_mark(c);
}

void net_send_signal(struct net_conn *c, uint64_t key, struct frame *f)
{
    if (c->state != CONN_OPEN)
        return;
    if (outbox_has_most_signals(&c->out) && !net_lws_is_stuck(c))
        outbox_queue_signals(&c->out); /* they only wait for the end of this turn */
    outbox_push_signal(&c->out, key, f);
    conn_mark(c);
}

bool net_is_drained(const struct net_conn *c)
{
    return outbox_is_empty(&c->out) && !net_lws_is_stuck(c);
}

/* Writes as many frames as fit one write; false if the connection broke. */
static bool write_batch(struct net_conn *c)
{
    struct net *net = c->net;
    struct frame *f = outbox_take(&c->out);
    const struct frame *next = outbox_peek(&c->out);
    size_t n = 0;
    bool ok;

    FAIL_POINT("net.write");
    net->counts.frames_out++;
    net->counts.bytes_out += f->n;
    if (!next || f->n + next->n > NET_BATCH_BYTES) {
        ok = net_lws_write(c, f->bytes, f->n);
        frame_unref(f);
        return ok;
    }
    for (;;) {
        memcpy(net->batch + n, f->bytes, f->n);
        n += f->n;
        frame_unref(f);
        next = outbox_peek(&c->out);
        if (!next || n + next->n > NET_BATCH_BYTES)
            return net_lws_write(c, net->batch, n);
        f = outbox_take(&c->out);
        net->counts.frames_out++;
        net->counts.bytes_out += f->n;
    }
}

static void on_stuck(struct net_conn *c)
{
    uint64_t received;
    bool done;

    if (!c->stall_at_ms) {
        c->stall_at_ms = net_now(c->net);
        c->acked = 0;
        tcp_progress(net_lws_fd(c), &c->acked, &received, &done);
        set_timer(c);
    }
    if (c->state == CONN_OPEN && outbox_answers(&c->out) > (uint64_t)c->net->cfg->limits.outbox_frames) {
        c->net->counts.closed_slow++;
        conn_close(c, CLOSE_OVERLOAD, "answers are not read", true);
    }
}

void conn_flush(struct net_conn *c)
{
    if (!c->wsi || c->state == CONN_DYING)
        return;
    while (!net_lws_is_stuck(c) && !outbox_is_empty(&c->out))
        if (!write_batch(c)) {
            conn_kill(c);
            return;
        }
    if (net_lws_is_stuck(c)) {
        on_stuck(c);
        return;
    }
    if (c->stall_at_ms) {
        c->stall_at_ms = 0;
        heard(c); /* it reads: a ping of now would stand behind all that the kernel still holds */
    }
    if (c->state == CONN_CLOSING && !c->close_sent) {
        c->close_sent = true;
        if (c->end_at_ms > net_now(c->net) + NET_CLOSE_MS)
            c->end_at_ms = net_now(c->net) + NET_CLOSE_MS;
        set_timer(c);
    }
    if (c->wants_drained && c->state == CONN_OPEN) {
        c->wants_drained = false;
        c->net->stirred = true;
        if (c->net->port.ws_drained)
            c->net->port.ws_drained(c->net->port.ctx, c);
    }
}

void conn_close(struct net_conn *c, int code, const char *reason, bool drop)
{
    struct frame *f;

    if (c->state != CONN_OPEN)
        return;
    outbox_drop(&c->out, drop);
    message_fini(&c->in);
    c->held = false;
    c->state = CONN_CLOSING;
    c->end_at_ms = net_now(c->net) + (drop ? 2 : 1) * NET_CLOSE_MS; /* a slow one may still come to read it */
    c->ping_at_ms = 0;
    f = frame_make_close(code, reason);
    outbox_push(&c->out, f, false);
    frame_unref(f);
    conn_mark(c);
    set_timer(c);
    if (!c->net->draining && net_may_log(c->net))
        log_info("net", "close code=%d reason=\"%s\" peer=%s", code, reason ? reason : "", c->peer);
}

void conn_kill(struct net_conn *c)
{
    if (c->state == CONN_DYING)
        return;
    c->state = CONN_DYING;
    wheel_del(&c->node);
    outbox_drop(&c->out, true);
    net_lws_kill(c);
}

void net_close(struct net_conn *c, int code, const char *reason)
{
    conn_close(c, code, reason, false);
}

size_t net_conn_bytes(const struct net_conn *c)
{
    return mem_bytes(c) + mem_bytes(c->in.pieces) + outbox_bytes(&c->out);
}

void net_set_user(struct net_conn *c, void *user)
{
    c->user = user;
}

void *net_user(const struct net_conn *c)
{
    return c->user;
}

const char *net_peer(const struct net_conn *c)
{
    return c->peer;
}

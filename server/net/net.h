/*
 * net: sockets. WebSocket and HTTP bytes on one loop thread: own listener, request heads checked
 * before libwebsockets sees them, bounded outboxes of shared frames, pings by a wheel, close codes.
 *
 * Knows no rule and no message: whoever runs it fills in struct net_port.
 * Owns    connections. A struct net_conn is valid from ws_open until ws_close returns.
 * Bounds  struct config limits.*: connections, head bytes, handshake time, frame bytes, outbox bytes and
 * frames. Thread  the loop's.   Source  PROTOCOL "Transport", PROMISES 2.12–2.14 and 3, SPEED 5.
 */
#ifndef NET_H
#define NET_H

#include "base/base_buf.h"
#include "base/base_err.h"

struct config;
struct uv_loop_s;

/* Bytes on their way to N readers: one piece of memory, counted references, the WebSocket header already in
 * front. */
struct frame {
    uint32_t refs;
    uint32_t head_n; /* bytes of the WebSocket header */
    uint32_t n;      /* bytes of header and payload */
    uint8_t bytes[]; /* header, payload */
};
/* A text frame of this payload (copied), with one reference: the caller's. */
struct frame *frame_create(struct str payload);
struct frame *frame_ref(struct frame *f);
/* Gives one reference back. f may be NULL. */
void frame_unref(struct frame *f);
static inline struct str frame_payload(const struct frame *f)
{
    return (struct str){(const char *)f->bytes + f->head_n, f->n - f->head_n};
}

/* A request's head, parsed; strings are valid during the call that hands it over (for a check: until it is
 * done). */
struct net_head {
    struct str method; /* "GET" … */
    struct str path;   /* decoded, begins with '/', no NUL, no "..", no backslash */
    struct str query;  /* raw, without '?'; .n 0 if none */
    char address[64];  /* the client's address: the peer's, or X-Forwarded-For's from http.trusted_proxies */
    bool secure;       /* X-Forwarded-Proto https from a trusted proxy, or http.public_url is https */
    unsigned headers_n;
    struct net_header {
        struct str name, value;
    } headers[64];
};
/* Under which an address is counted (PROMISES 2.14): an IPv4 one itself, of an IPv6 one its /64. What is no address stays. */
void net_address_group(const char *address, char out[64]);
/* The (only) header of that name, case ignored; .s NULL if absent. */
struct str net_head_get(const struct net_head *h, const char *name);
/* The value of that cookie; .s NULL if absent. */
struct str net_head_cookie(const struct net_head *h, const char *name);
/* True if Origin's host and port are those of Host (or of http.public_url). */
bool net_head_is_same_origin(const struct net_head *h, const struct config *cfg);
/* One decoded parameter of the query into out (bounded); false if absent, too long or wrongly escaped (then
 * out has failed too). */
bool net_query_get(struct str query, const char *name, struct buf *out);

struct net;
struct net_conn;
struct net_check; /* an upgrade that waits for its verdict */
struct net_http;  /* a plain request that waits for its answer */

struct net_port {
    void *ctx;
    /*
     * A WebSocket upgrade for /ws/… came in (already well-formed: GET, HTTP/1.1, version 13, one key,
     * subprotocol firstline.v1). Answer now or later with net_check_done().
     */
    void (*ws_check)(void *ctx, struct net_check *check, const struct net_head *head);
    /* The upgrade went through: user is what net_check_done() was given. */
    void (*ws_open)(void *ctx, struct net_conn *conn, void *user);
    /* One whole text message, valid UTF-8, at most limits.frame_bytes. */
    void (*ws_text)(void *ctx, struct net_conn *conn, struct str text);
    /* The outbox has room again after net_send_event() said ERR_FULL. */
    void (*ws_drained)(void *ctx, struct net_conn *conn);
    /* The connection is gone; conn NULL: an upgrade that was allowed never came about. Last call with user.
     */
    void (*ws_close)(void *ctx, struct net_conn *conn, void *user);
    /* A plain HTTP request with its whole body (at most 1 MiB). Answer now or later with net_http_respond().
     */
    void (*http_request)(void *ctx, struct net_http *http, const struct net_head *head, struct str body);
    /* Once a turn of the loop, after its events and before outboxes are written. */
    void (*turn)(void *ctx);
    /* Others of this host may listen on the same address, where they say so too (server.share_port). */
    bool shares_port;
};

/*
 * Opens net on loop and listens on address ("HOST:PORT", port 0: any). The port's functions must outlive it.
 * Start-up errors are a sentence naming the address and the cure (ERR_BUSY: the port is taken). Sets the
 * process's soft limit of descriptors. Without ws_check there are no WebSockets, and requests for /ws/ are
 * plain ones.
 */
int net_open(struct uv_loop_s *loop, const struct config *cfg, const char *address,
             const struct net_port *port, struct net **out, struct err *err);
/* "HOST:PORT" as it really is (the port that was chosen). */
const char *net_address(const struct net *net);
/* Stops listening; connections go on. */
void net_stop_listening(struct net *net);
/* Closes each connection with code, spread over spread_ms; done(ctx) when none is left or after deadline_ms.
 */
void net_close_all(struct net *net, int code, unsigned spread_ms, unsigned deadline_ms,
                   void (*done)(void *ctx), void *ctx);
/* Begins to end net; done(ctx) is called on the loop when nothing of it is left. */
void net_destroy(struct net *net, void (*done)(void *ctx), void *ctx);

struct net_counts {
    uint64_t connections, opened, refused, closed_slow, frames_in, frames_out, bytes_in, bytes_out,
        http_requests;
};
struct net_counts net_count(const struct net *net);
/* What this connection takes of the heap, with what waits to be sent on it (a frame for many is counted for each); without libwebsockets' part. */
size_t net_conn_bytes(const struct net_conn *conn);
/* libwebsockets' part, of all connections together. */
size_t net_websocket_bytes(const struct net *net);

/* status 101: go on, with user; else an HTTP error status (401, 403, 429, 503), retry_ms > 0 adds
 * Retry-After. Once per check. */
void net_check_done(struct net_check *check, int status, void *user, int64_t retry_ms);

void net_set_user(struct net_conn *conn, void *user);
void *net_user(const struct net_conn *conn);
/*
 * Queues an event frame (takes its own reference). ERR_FULL: over the outbox's bound, nothing queued,
 * ws_drained will come. Written at the end of the turn, all frames of a connection in one write.
 */
int net_send_event(struct net_conn *conn, struct frame *f);
/* Queues an answer: never refused; more than limits.outbox_frames unread answers close the connection with
 * 1013. */
void net_send_answer(struct net_conn *conn, struct frame *f);
/* Queues a signal: one that waits with the same key is replaced; at most 64 wait for a reader who takes nothing, then it is dropped. */
void net_send_signal(struct net_conn *conn, uint64_t key, struct frame *f);
/* True if nothing waits in the outbox. */
bool net_is_drained(const struct net_conn *conn);
/* Reading from this connection pauses (TCP holds the sender back) and goes on. Nested pauses don't count. */
void net_pause(struct net_conn *conn);
void net_resume(struct net_conn *conn);
/* Closes with a code and a short ASCII reason; ws_close follows later, never from inside this call. */
void net_close(struct net_conn *conn, int code, const char *reason);
const char *net_peer(const struct net_conn *conn);

struct net_response {
    int status;
    const char *type; /* Content-Type or NULL */
    struct str body;  /* copied, unless body_is_static (then it must outlive the program) */
    bool body_is_static;
    const char *headers[40]; /* name, value, name, value … NULL-terminated; "Set-Cookie" … */
};
/* Answers; http is gone afterwards. Adds Content-Length, Date, and the security headers of http. */
void net_http_respond(struct net_http *http, const struct net_response *r);

#endif

/*
 * net_head: the head of an HTTP/1.1 request, parsed strictly: what two readers could understand differently
 * is refused.
 *
 * Refused (RFC 9112): bare CR or LF, NUL, folded lines, blanks before a colon, two Content-Length or Host,
 * Content-Length beside Transfer-Encoding, escapes that decode to a slash, a backslash, a control character,
 * "..", or to another escape. Pure: no I/O, no allocation; strings point into the caller's bytes.   Thread
 * any.
 */
#ifndef NET_HEAD_H
#define NET_HEAD_H

#include "config/config.h"
#include "net/net.h"

struct net_request {
    struct net_head head;   /* address and secure are the caller's to fill in */
    int64_t content_length; /* 0 if there is none */
    bool http10;            /* HTTP/1.0: no keep-alive, no upgrade */
    bool keep_alive;        /* the client wants more requests on this connection */
    bool wants_continue;    /* Expect: 100-continue */
    bool wants_websocket;   /* Upgrade names websocket and Connection names upgrade */
};

enum net_head_state { NET_HEAD_MORE, NET_HEAD_WHOLE, NET_HEAD_BROKEN };

/*
 * Looks for the empty line that ends a head in p[0..n), of which the first seen bytes were looked at before.
 * WHOLE: *end is the head's length; BROKEN: it can't become a head (a NUL, a bare line feed, bytes that
 * aren't a request).
 */
enum net_head_state net_head_find(const char *p, size_t n, size_t seen, size_t *end);

/*
 * Parses a whole head. path must have room for n bytes: the decoded path is put there. Returns 0, or the HTTP
 * status to refuse with (400, 431, 411, 413 is the caller's, 501, 505) and one sentence in *why.
 */
int net_head_parse(const char *p, size_t n, char *path, struct net_request *out, const char **why);

/*
 * Checks an upgrade to WebSocket (RFC 6455 section 4.2.1): GET, HTTP/1.1, version 13, one key of 16 bytes, no
 * body, the subprotocol among those offered. 0, or the status (400, 426) and why. *key: borrowed.
 */
int net_head_check_websocket(const struct net_request *r, const char *protocol, struct str *key,
                             const char **why);

/* Proxies that may speak for others: addresses and networks, separated by commas or blanks. */
struct net_proxies {
    unsigned n;
    struct net_proxy {
        unsigned char bytes[16]; /* IPv4 as ::ffff:a.b.c.d */
        unsigned bits;           /* of 128 */
    } list[CONFIG_PROXIES_MAX];
};
/* ERR_INVALID naming the part that is no address or network. list may be NULL. */
int net_proxies_read(struct net_proxies *out, const char *list, struct err *err);
/*
 * Fills in head->address and head->secure: the peer's own, or, where the peer is a trusted proxy, the last
 * address of X-Forwarded-For that is not one, and X-Forwarded-Proto. is_https: http.public_url begins with
 * https.
 */
void net_head_set_client(struct net_head *head, const char *peer, const struct net_proxies *proxies,
                         bool is_https);

#endif

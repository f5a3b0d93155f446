/* The listening socket: our own, so that several nodes can share a port of one host, and descriptors are kept in reserve. */
#include "net/net_private.h"

#include "config/config.h"
#include "log/log.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define ACCEPTS_A_TURN 128
#define DESCRIPTORS    131072 /* that are asked for where limits.connections names no number */
#define UNSENT_BYTES                                                                                         \
    131072 /* what the kernel may hold unsent of one connection: the rest waits where it can be counted */

/* Splits "HOST:PORT" or "[v6]:PORT"; host "" is all addresses. */
static int split_address(const char *address, char host[256], char port[8], struct err *err)
{
    const char *colon = strrchr(address, ':');
    size_t n = colon ? (size_t)(colon - address) : 0;

    if (!colon || !colon[1] || strlen(colon + 1) > 5 ||
        strspn(colon + 1, "0123456789") != strlen(colon + 1) || n > 250 || atoi(colon + 1) > 65535)
        return err_set(err, ERR_INVALID, "server.listen '%s' is not HOST:PORT", address);
    if (n >= 2 && address[0] == '[' && address[n - 1] == ']')
        snprintf(host, 256, "%.*s", (int)n - 2, address + 1);
    else
        snprintf(host, 256, "%.*s", (int)n, address);
    snprintf(port, 8, "%s", colon + 1);
    return 0;
}

static void set_options(int fd, int family, bool shares)
{
    int on = 1, unsent = UNSENT_BYTES;

    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (shares)
        setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on);
    if (family == AF_INET6)
        setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &on, sizeof on);
    /* These are inherited by what is accepted: no call for each connection. */
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    setsockopt(fd, IPPROTO_TCP, TCP_NOTSENT_LOWAT, &unsent, sizeof unsent);
}

static int bind_one(const struct addrinfo *a, const char *address, bool shares, int *out, struct err *err)
{
    int fd = socket(a->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

    if (fd < 0)
        return err_set(err, ERR_IO, "listening on %s: %s", address, strerror(errno));
    set_options(fd, a->ai_family, shares);
    if (bind(fd, a->ai_addr, a->ai_addrlen) == 0 && listen(fd, 4096) == 0) {
        *out = fd;
        return 0;
    }
    if (errno == EADDRINUSE)
        err_set(err, ERR_BUSY, "%s is taken by another program: choose another port (--listen, or site.NAME.listen of several sites)", address);
    else if (errno == EACCES)
        err_set(err, ERR_DENIED,
                "%s needs rights that this account lacks: choose a port above 1023 (--listen, or site.NAME.listen of several sites)", address);
    else if (errno == EADDRNOTAVAIL)
        err_set(err, ERR_INVALID, "%s is not an address of this machine", address);
    else
        err_set(err, ERR_IO, "listening on %s: %s", address, strerror(errno));
    close(fd);
    return err ? err->code : ERR_IO;
}

static void format_peer(const struct sockaddr_storage *sa, char out[64], unsigned *port)
{
    const struct sockaddr_in *v4 = (const struct sockaddr_in *)sa;
    const struct sockaddr_in6 *v6 = (const struct sockaddr_in6 *)sa;

    out[0] = '\0';
    if (sa->ss_family == AF_INET)
        inet_ntop(AF_INET, &v4->sin_addr, out, 64);
    else if (sa->ss_family == AF_INET6 && IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
        inet_ntop(AF_INET, v6->sin6_addr.s6_addr + 12, out, 64);
    else if (sa->ss_family == AF_INET6)
        inet_ntop(AF_INET6, &v6->sin6_addr, out, 64);
    *port = ntohs(sa->ss_family == AF_INET ? v4->sin_port : v6->sin6_port);
}

/* Tells the client why before it's closed; best effort, nothing is kept of it. */
static void turn_away(struct net *net, int fd)
{
    static const char busy[] =
        "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 5\r\nConnection: close\r\n"
        "Content-Type: application/problem+json\r\nContent-Length: 67\r\n\r\n"
        "{\"type\":\"about:blank\",\"title\":\"Too many connections\",\"status\":503}\n";
    char sink[2048];

    net->counts.refused++;
    if (send(fd, busy, sizeof busy - 1, MSG_NOSIGNAL | MSG_DONTWAIT) > 0) {
        shutdown(fd, SHUT_WR);
        while (recv(fd, sink, sizeof sink, MSG_DONTWAIT) > 0)
            ; /* what is left unread would turn the close into a reset */
    }
    close(fd);
    if (net_may_log(net))
        log_warn("net", "refused a connection: limit reached connections=%llu",
                 (unsigned long long)(net->socks_n + net->conns_n));
}

/* No descriptor is left: the spare one is given up for a moment to take the caller and send him away. */
static void on_no_descriptors(struct net *net)
{
    int fd;

    close(net->spare_fd);
    fd = accept4(net->listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (fd >= 0)
        turn_away(net, fd);
    net->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    uv_poll_stop(&net->listener); /* on again with the next tick of the wheel */
    net->listen_paused = true;
}

static void on_listener(uv_poll_t *poll, int status, int events)
{
    struct net *net = poll->data;

    (void)status, (void)events;
    for (unsigned i = 0; i < ACCEPTS_A_TURN && net->listening; i++) {
        struct sockaddr_storage sa;
        socklen_t n = sizeof sa;
        int fd = accept4(net->listen_fd, (struct sockaddr *)&sa, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);
        char peer[64];
        unsigned port;

        if (fd < 0 && (errno == EMFILE || errno == ENFILE || errno == ENOMEM || errno == ENOBUFS)) {
            on_no_descriptors(net);
            return;
        }
        if (fd < 0 && (errno == EINTR || errno == ECONNABORTED))
            continue;
        if (fd < 0)
            return;
        if (net->socks_n + net->conns_n >= net->connections_max) {
            turn_away(net, fd);
            continue;
        }
        format_peer(&sa, peer, &port);
        sock_open(net, fd, peer);
    }
}

void net_listen_again(struct net *net)
{
    if (net->listen_paused && net->listening)
        uv_poll_start(&net->listener, UV_READABLE, on_listener);
    net->listen_paused = false;
}

/*
 * Takes the descriptors that are allowed, up to a bound: libwebsockets makes a table of as many as the
 * process may have, and where that is "no limit" (a billion in some containers) it would fill the memory with
 * it.
 */
static void set_descriptors(const struct config *cfg, struct rlimit *r)
{
    rlim_t want = DESCRIPTORS;

    getrlimit(RLIMIT_NOFILE, r);
    if (cfg->limits.connections > 0)
        want = (rlim_t)cfg->limits.connections + 2 * NET_FD_RESERVE;
    if (want > r->rlim_max)
        want = r->rlim_max;
    if (cfg->limits.connections > 0 && want < r->rlim_cur && r->rlim_cur <= DESCRIPTORS)
        return; /* enough, and no harm */
    r->rlim_cur = want;
    setrlimit(RLIMIT_NOFILE, r);
}

static uint64_t connections_max(const struct config *cfg)
{
    struct rlimit r = {0};
    uint64_t max;

    set_descriptors(cfg, &r);
    max = r.rlim_cur > 2 * NET_FD_RESERVE ? r.rlim_cur - NET_FD_RESERVE : r.rlim_cur / 2;
    if (cfg->limits.connections > 0 && (uint64_t)cfg->limits.connections < max)
        max = (uint64_t)cfg->limits.connections;
    return max;
}

int net_listen(struct net *net, const char *address, struct err *err)
{
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV},
                    *found = NULL;
    struct sockaddr_storage sa;
    socklen_t n = sizeof sa;
    char host[256], port[8], shown[64];
    unsigned bound;
    int rc = split_address(address, host, port, err);

    if (rc < 0)
        return rc;
    rc = getaddrinfo(host[0] ? host : NULL, port, &hints, &found);
    if (rc != 0)
        return err_set(err, ERR_INVALID, "server.listen: %s: %s", host, gai_strerror(rc));
    rc = bind_one(found, address, net->port.shares_port, &net->listen_fd, err);
    freeaddrinfo(found);
    if (rc < 0)
        return rc;
    if (getsockname(net->listen_fd, (struct sockaddr *)&sa, &n) != 0)
        return err_set(err, ERR_IO, "listening on %s: %s", address, strerror(errno));
    format_peer(&sa, shown, &bound);
    snprintf(net->address, sizeof net->address, strchr(shown, ':') ? "[%s]:%u" : "%s:%u", shown, bound);
    net->connections_max = connections_max(net->cfg);
    net->spare_fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    return 0;
}

void net_listen_start(struct net *net)
{
    uv_poll_init_socket(net->loop, &net->listener, net->listen_fd);
    net->handles_n++;
    net->listener.data = net;
    net->listening = true;
    uv_poll_start(&net->listener, UV_READABLE, on_listener);
}

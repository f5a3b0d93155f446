/*
 * A request's head: where it ends doesn't depend on how it was cut; what is refused has a status and a reason; a path is inside and has no
 * "..", NUL or backslash; the address of a client is one.
 */
#include "fuzz.h"

#include "net/net_head.h"

#include <arpa/inet.h>

static void look(const char *p, size_t n)
{
    char *path = malloc(n + 1);
    struct net_request r = {0};
    const char *why = NULL;
    struct str key, value;
    unsigned char address[16];
    struct net_proxies proxies;
    struct buf out;
    int status = net_head_parse(p, n, path, &r, &why);

    if (status) {
        MUST(status >= 400 && status < 600 && why && *why);
        free(path);
        return;
    }
    MUST(r.head.path.n > 0 && r.head.path.s[0] == '/' && !memchr(r.head.path.s, 0, r.head.path.n) && !memchr(r.head.path.s, '\\', r.head.path.n));
    MUST(!memmem(r.head.path.s, r.head.path.n, "/../", 4));
    status = net_head_check_websocket(&r, "firstline.v1", &key, &why);
    MUST(status == 0 || (status >= 400 && status < 600 && why));
    net_head_cookie(&r.head, "firstline_session");
    value = net_head_get(&r.head, "x-forwarded-for");
    MUST(net_proxies_read(&proxies, "127.0.0.0/8, ::1, 10.0.0.0/8", NULL) == 0);
    net_head_set_client(&r.head, "127.0.0.1", &proxies, value.n % 2);
    MUST(inet_pton(AF_INET, r.head.address, address) == 1 || inet_pton(AF_INET6, r.head.address, address) == 1);
    buf_init(&out, 64);
    net_query_get(r.head.query, "q", &out);
    buf_fini(&out);
    free(path);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    const char *p = (const char *)bytes;
    size_t whole = 0, end = 0, seen = 0;
    enum net_head_state at_once = net_head_find(p, n, 0, &whole), state = NET_HEAD_MORE;

    for (size_t have = 1; have <= n && state == NET_HEAD_MORE; have += 1 + have / 4) {
        state = net_head_find(p, have, seen, &end);
        seen = have;
    }
    if (state == NET_HEAD_MORE && seen < n)
        state = net_head_find(p, n, seen, &end);
    if (at_once == NET_HEAD_WHOLE) {
        MUST(state == NET_HEAD_WHOLE && end == whole && whole <= n);
        look(p, whole);
    }
    return 0;
}

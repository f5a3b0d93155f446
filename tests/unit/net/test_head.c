/* Request heads: what is taken, and what two readers could understand differently. */
#include "net/net_head.h"

#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static char path_room[70000];

static int parse(const char *head, size_t n, struct net_request *r)
{
    const char *why = NULL;
    int status = net_head_parse(head, n, path_room, r, &why);

    if (status)
        assert_non_null(why);
    return status;
}

#define GET(path) "GET " path " HTTP/1.1\r\nHost: h\r\n\r\n"

static void a_plain_head_is_taken_apart(void **state)
{
    static const char head[] = "GET /api/v1/transcripts?q=a%20b&limit=5 HTTP/1.1\r\nHost: shop:8080\r\n"
                               "Cookie: a=1; firstline_session=fs_x; b=2\r\nX-Empty:\r\nAccept: \t text/plain \r\n\r\n";
    struct net_request r;
    struct buf b;

    (void)state;
    assert_int_equal(parse(head, sizeof head - 1, &r), 0);
    assert_true(str_is(r.head.method, "GET"));
    assert_true(str_is(r.head.path, "/api/v1/transcripts"));
    assert_true(str_is(net_head_get(&r.head, "HOST"), "shop:8080"));
    assert_true(str_is(net_head_get(&r.head, "accept"), "text/plain"));
    assert_true(net_head_get(&r.head, "x-empty").n == 0 && net_head_get(&r.head, "x-empty").s != NULL);
    assert_null(net_head_get(&r.head, "nothing").s);
    assert_true(str_is(net_head_cookie(&r.head, "firstline_session"), "fs_x"));
    assert_null(net_head_cookie(&r.head, "session").s);
    assert_true(r.keep_alive && !r.http10 && !r.wants_websocket && r.content_length == 0);
    buf_init(&b, 100);
    assert_true(net_query_get(r.head.query, "q", &b));
    assert_string_equal(b.p, "a b");
    assert_false(net_query_get(r.head.query, "lim", &b));
    buf_fini(&b);
}

static void heads_that_two_readers_could_take_differently_are_refused(void **state)
{
#define H "GET / HTTP/1.1\r\nHost: h\r\n"
    static const struct {
        const char *head;
        int status;
    } rows[] = {
        {H "\r\n", 0},
        {H "Content-Length: 5\r\n\r\n", 0},
        {H "Content-Length: 5\r\nContent-Length: 5\r\n\r\n", 400},
        {H "Content-Length: 5, 5\r\n\r\n", 400},
        {H "Content-Length: +5\r\n\r\n", 400},
        {H "Content-Length: -5\r\n\r\n", 400},
        {H "Content-Length: 0x5\r\n\r\n", 400},
        {H "Content-Length:\r\n\r\n", 400},
        {H "Content-Length: 99999999999999999999\r\n\r\n", 400},
        {H "Transfer-Encoding: chunked\r\n\r\n", 411},
        {H "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n", 400},
        {H "Content-Length: 5\r\nTransfer-Encoding: identity\r\n\r\n", 400},
        {H "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n", 400},
        {H "Transfer-Encoding : chunked\r\n\r\n", 400},
        {H "Host: other\r\n\r\n", 400},
        {H "A: b\r\n c: folded\r\n\r\n", 400},
        {H "A: b\r\n\tfolded\r\n\r\n", 400},
        {H "A : b\r\n\r\n", 400},
        {H ": b\r\n\r\n", 400},
        {H "no colon\r\n\r\n", 400},
        {H "A: b\rc\r\n\r\n", 400},
        {H "A: b\x01\r\n\r\n", 400},
        {H "A: b\nC: d\r\n\r\n", 400},
        {H "A: caf\xc3\xa9\r\n\r\n", 0},
        {"GET / HTTP/1.1\r\n\r\n", 400},
        {"GET / HTTP/1.0\r\n\r\n", 0},
        {"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", 400},
        {"GET / HTTP/2.0\r\nHost: h\r\n\r\n", 505},
        {"GET / HTTP/1.2\r\nHost: h\r\n\r\n", 505},
        {"GET /\r\nHost: h\r\n\r\n", 400},
        {"GET  / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"GET / HTTP/1.1 \r\nHost: h\r\n\r\n", 400},
        {"GET / http/1.1\r\nHost: h\r\n\r\n", 400},
        {"GET http://h/ HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"OPTIONS * HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"CONNECT h:443 HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"PRI * HTTP/2.0\r\n\r\n", 505},
        {"G(T / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"\r\nGET / HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {H "Authorization: a\r\nAuthorization: b\r\n\r\n", 400},
        {H "Cookie: a\r\nCookie: b\r\n\r\n", 400},
        {H "Origin: a\r\nOrigin: b\r\n\r\n", 400},
        {H "Expect: 100-continue\r\nContent-Length: 1\r\n\r\n", 0},
        {H "Expect: miracles\r\n\r\n", 417},
    };
#undef H
    struct net_request r;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int status = parse(rows[i].head, strlen(rows[i].head), &r);

        if (status != rows[i].status)
            fail_msg("row %zu: %d, not %d: %s", i, status, rows[i].status, rows[i].head);
    }
}

static void a_NUL_anywhere_is_refused(void **state)
{
    static const char head[] = GET("/abc");
    struct net_request r;
    size_t end;

    (void)state;
    for (size_t i = 0; i < sizeof head - 1; i++) {
        char copy[sizeof head];

        memcpy(copy, head, sizeof head);
        copy[i] = '\0';
        assert_int_equal(parse(copy, sizeof head - 1, &r), 400);
        assert_int_equal(net_head_find(copy, sizeof head - 1, 0, &end), NET_HEAD_BROKEN);
    }
}

static void paths_that_leave_their_place_are_refused(void **state)
{
    static const char *const bad[] = {
        "/..", "/../etc/passwd", "/a/../b", "/a/..", "/./a", "/a/.", "/%2e%2e/a", "/%2E%2e/a", "/.%2e/a", "/..%2fa",
        "/%2e%2e%2fa", "/..%5ca", "/a\\b", "/..%252fa", "/%252e%252e/a", "/a%00b", "/a%0ab", "/a%7f", "/%", "/%2", "/%zz",
        "/a#b", "/a%2fb", "/a%5cb", "/a\x80", "a", "",
    };
    static const char *const good[] = {"/", "/...", "/a..b", "/..a", "/a%20b", "/%E4%B8%AD", "/100%25", "//etc/passwd"};
    struct net_request r;
    char head[200];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        int n = snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", bad[i]);

        if (parse(head, (size_t)n, &r) != 400)
            fail_msg("%s is taken", bad[i]);
    }
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++) {
        int n = snprintf(head, sizeof head, "GET %s HTTP/1.1\r\nHost: h\r\n\r\n", good[i]);

        if (parse(head, (size_t)n, &r) != 0)
            fail_msg("%s is refused", good[i]);
    }
    assert_int_equal(parse(GET("/a%20b%25"), strlen(GET("/a%20b%25")), &r), 0);
    assert_true(str_is(r.head.path, "/a b%"));
}

static void the_end_of_a_head_is_found_wherever_it_is_cut(void **state)
{
    static const char head[] = GET("/") "rest";
    size_t whole = sizeof head - 1 - 4, end = 0;

    (void)state;
    for (size_t cut = 0; cut < whole; cut++) {
        assert_int_equal(net_head_find(head, cut, 0, &end), NET_HEAD_MORE);
        assert_int_equal(net_head_find(head, sizeof head - 1, cut, &end), NET_HEAD_WHOLE);
        assert_int_equal(end, whole);
    }
    assert_int_equal(net_head_find("GET / HTTP/1.1\n", 15, 0, &end), NET_HEAD_BROKEN);
    assert_int_equal(net_head_find("\x16\x03\x01", 3, 0, &end), NET_HEAD_BROKEN);
}

static void random_bytes_never_harm_the_parser(void **state)
{
    static const char seed[] = "GET /%2e?a=b HTTP/1.1\r\nHost: h\r\nContent-Length: 1\r\nCookie: a=b\r\n\r\n";
    struct net_request r;

    (void)state;
    srandom(7);
    for (unsigned i = 0; i < 200000; i++) {
        size_t n = sizeof seed - 1, end;
        char *copy = malloc(n); /* of exact size: an address sanitizer sees the byte behind it */

        memcpy(copy, seed, n);
        for (unsigned k = 0; k < 1 + i % 4; k++)
            copy[(size_t)random() % n] = (char)random();
        net_head_find(copy, n, 0, &end);
        parse(copy, n, &r);
        free(copy);
    }
}

#define WS                                                                                                             \
    "GET /ws/rep HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive, Upgrade\r\n"                       \
    "Sec-WebSocket-Version: 13\r\n"
#define KEY   "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n"
#define PROTO "Sec-WebSocket-Protocol: other, firstline.v1\r\n"

static void only_a_well_formed_upgrade_goes_on(void **state)
{
    static const struct {
        const char *head;
        int status;
    } rows[] = {
        {WS KEY PROTO "\r\n", 0},
        {WS KEY "Sec-WebSocket-Protocol: a\r\nSec-WebSocket-Protocol: firstline.v1\r\n\r\n", 0},
        {"GET /ws/rep HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: keep-alive\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\n" KEY PROTO "\r\n", 0},
        {WS KEY "\r\n", 400},
        {WS PROTO "\r\n", 400},
        {WS KEY "Sec-WebSocket-Protocol: firstline.v2\r\n\r\n", 400},
        {WS "Sec-WebSocket-Key: short==\r\n" PROTO "\r\n", 400},
        {WS "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j\"Q==\r\n" PROTO "\r\n", 400},
        {WS KEY PROTO "Content-Length: 3\r\n\r\n", 400},
        {"POST" /* GET → POST */ " /ws/rep HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
         "Sec-WebSocket-Version: 13\r\n" KEY PROTO "\r\n", 400},
        {"GET /ws/rep HTTP/1.0\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" KEY PROTO
         "\r\n", 400},
        {"GET /ws/rep HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 8\r\n" KEY
         PROTO "\r\n", 426},
        {"GET /ws/rep HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n" KEY PROTO "\r\n", 426},
        {"GET /ws/rep HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n" KEY PROTO
         "\r\n", 426},
        {"GET /ws/rep HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n" KEY PROTO "\r\n", 426},
        {GET("/ws/rep"), 426},
    };
    struct net_request r;
    const char *why;
    struct str key;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(parse(rows[i].head, strlen(rows[i].head), &r), 0);
        if (net_head_check_websocket(&r, "firstline.v1", &key, &why) != rows[i].status)
            fail_msg("row %zu: %s", i, rows[i].head);
    }
    assert_int_equal(parse("GET / HTTP/1.1\r\nHost: h\r\nConnection: TE\r\nConnection: close\r\n\r\n", 62, &r), 0);
    assert_false(r.keep_alive);
    assert_int_equal(parse(WS KEY KEY PROTO "\r\n", strlen(WS KEY KEY PROTO "\r\n"), &r), 400);
}

static void an_origin_is_the_same_only_with_host_and_port(void **state)
{
    static const struct {
        const char *origin, *host, *site;
        bool same;
    } rows[] = {
        {"http://shop:8080", "shop:8080", "", true},
        {"http://SHOP:8080", "shop:8080", "", true},
        {"http://shop", "shop", "", true},
        {"http://shop:80", "shop", "", true},
        {"https://shop", "shop", "", true},
        {"https://shop", "shop:443", "", true},
        {"http://shop", "shop:8080", "", false},
        {"http://shop:8081", "shop:8080", "", false},
        {"https://evil.example", "shop", "", false},
        {"http://shop.evil.example", "shop", "", false},
        {"http://evil@shop", "shop", "", false},
        {"null", "shop", "", false},
        {"shop", "shop", "", false},
        {"http://[::1]:80", "[::1]", "", true},
        {"https://help.shop", "127.0.0.1:8080", "https://help.shop/", true},
        {"http://help.shop", "127.0.0.1:8080", "https://help.shop/", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct config *cfg = config_create();
        struct net_head h = {.headers_n = 2};

        free(cfg->http.public_url);
        cfg->http.public_url = mem_strdup(rows[i].site);
        h.headers[0].name = STR("Origin"), h.headers[0].value = str_of(rows[i].origin);
        h.headers[1].name = STR("Host"), h.headers[1].value = str_of(rows[i].host);
        if (net_head_is_same_origin(&h, cfg) != rows[i].same)
            fail_msg("row %zu: %s at %s", i, rows[i].origin, rows[i].host);
        config_destroy(cfg);
    }
}

static void an_address_is_counted_with_its_household(void **state)
{
    static const char *const rows[][2] = {
        {"198.51.100.1", "198.51.100.1"},
        {"::ffff:198.51.100.1", "198.51.100.1"},
        {"2001:db8:0:1::1", "2001:db8:0:1::"},
        {"2001:db8:0:1:ffff:ffff:ffff:ffff", "2001:db8:0:1::"},
        {"2001:DB8:0:2::1", "2001:db8:0:2::"},
        {"::1", "::"},
        {"unknown", "unknown"},
    };
    char group[64];

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        net_address_group(rows[i][0], group);
        assert_string_equal(group, rows[i][1]);
    }
}

static void only_a_trusted_proxy_speaks_for_another_address(void **state)
{
    static const struct {
        const char *peer, *forwarded, *address;
        bool secure;
    } rows[] = {
        {"203.0.113.9", "198.51.100.1", "203.0.113.9", false},
        {"10.0.0.1", "198.51.100.1", "198.51.100.1", true},
        {"10.0.0.1", "6.6.6.6, 198.51.100.1", "198.51.100.1", true},
        {"10.0.0.1", "6.6.6.6, 198.51.100.1, 10.2.3.4", "198.51.100.1", true},
        {"10.0.0.1", "198.51.100.1:4711", "198.51.100.1", true},
        {"10.0.0.1", "[2001:db8::1]:4711", "2001:db8::1", true},
        {"10.0.0.1", "2001:db8::1", "2001:db8::1", true},
        {"10.0.0.1", "rubbish", "10.0.0.1", true},
        {"10.0.0.1", "198.51.100.1, rubbish", "10.0.0.1", true},
        {"10.0.0.1", "", "10.0.0.1", true},
        {"11.0.0.1", "198.51.100.1", "11.0.0.1", false},
        {"2001:db8:1::5", "198.51.100.1", "198.51.100.1", true},
        {"2001:db8:2::5", "198.51.100.1", "2001:db8:2::5", false},
    };
    struct net_proxies proxies;
    struct err err = {0};

    (void)state;
    assert_int_equal(net_proxies_read(&proxies, "10.0.0.0/8, 2001:db8:1::/48", &err), 0);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct net_head h = {.headers_n = 2};

        h.headers[0].name = STR("X-Forwarded-For"), h.headers[0].value = str_of(rows[i].forwarded);
        h.headers[1].name = STR("X-Forwarded-Proto"), h.headers[1].value = STR("https");
        net_head_set_client(&h, rows[i].peer, &proxies, false);
        if (strcmp(h.address, rows[i].address) != 0 || h.secure != rows[i].secure)
            fail_msg("row %zu: %s", i, h.address);
    }
    assert_int_equal(net_proxies_read(&proxies, "", &err), 0);
    assert_int_equal(net_proxies_read(&proxies, "10.0.0.0/33", &err), ERR_INVALID);
    assert_int_equal(net_proxies_read(&proxies, "localhost", &err), ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_head_is_taken_apart),
        cmocka_unit_test(heads_that_two_readers_could_take_differently_are_refused),
        cmocka_unit_test(a_NUL_anywhere_is_refused),
        cmocka_unit_test(paths_that_leave_their_place_are_refused),
        cmocka_unit_test(the_end_of_a_head_is_found_wherever_it_is_cut),
        cmocka_unit_test(random_bytes_never_harm_the_parser),
        cmocka_unit_test(only_a_well_formed_upgrade_goes_on),
        cmocka_unit_test(an_origin_is_the_same_only_with_host_and_port),
        cmocka_unit_test(an_address_is_counted_with_its_household),
        cmocka_unit_test(only_a_trusted_proxy_speaks_for_another_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

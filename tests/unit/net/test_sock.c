/* Plain HTTP and upgrades on real sockets: one answer a request, refusals with a status, limits in time and size. */
#include "net_rig.h"

#include "net/net_private.h"

static int start(void **state)
{
    struct config *cfg = rig_config();

    cfg->limits.handshake_ms = 500;
    free(cfg->http.trusted_proxies);
    cfg->http.trusted_proxies = mem_strdup("127.0.0.1");
    *state = rig_start(cfg);
    return 0;
}

static int stop(void **state)
{
    rig_stop(*state);
    return 0;
}

static void a_request_is_answered_with_the_usual_headers(void **state)
{
    int fd = dial(*state);
    char all[4096];

    say_s(fd, "GET /a%20b?c=d HTTP/1.1\r\nHost: h\r\nX-Forwarded-For: 198.51.100.7\r\nX-Forwarded-Proto: https\r\n"
              "Connection: close\r\n\r\n");
    hear_all(fd, all, sizeof all);
    assert_non_null(strstr(all, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(all, "\r\nDate: "));
    assert_non_null(strstr(all, "\r\nX-Content-Type-Options: nosniff\r\n"));
    assert_non_null(strstr(all, "\r\nReferrer-Policy: no-referrer\r\n"));
    assert_non_null(strstr(all, "\r\nConnection: close\r\n"));
    assert_non_null(strstr(all, "\r\n\r\nGET /a b 0 from 198.51.100.7 secure"));
    close(fd);
}

static void requests_of_one_connection_are_answered_in_order(void **state)
{
    int fd = dial(*state);
    char head[2000], body[100];

    for (unsigned i = 0; i < 40; i++) /* all at once, one with a body between */
        say_s(fd, i == 20 ? "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello" : "GET /g HTTP/1.1\r\nHost: h\r\n\r\n");
    for (unsigned i = 0; i < 40; i++) {
        const char *want = i == 20 ? "POST /p 5 from 127.0.0.1" : "GET /g 0 from 127.0.0.1";

        assert_int_equal(hear_head(fd, head, sizeof head), 200);
        memset(body, 0, sizeof body);
        hear(fd, body, strlen(want));
        assert_string_equal(body, want);
    }
    close(fd);
}

static void a_head_request_has_no_body(void **state)
{
    int fd = dial(*state);
    char head[2000];

    say_s(fd, "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\nGET /y HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(hear_head(fd, head, sizeof head), 200);
    assert_non_null(strstr(head, "Content-Length: 24\r\n"));
    assert_int_equal(hear_head(fd, head, sizeof head), 200); /* the next head follows at once */
    close(fd);
}

static void a_refusal_behind_a_head_request_has_its_body(void **state)
{
    int fd = dial(*state);
    char head[2000], all[2000];

    say_s(fd, "HEAD /x HTTP/1.1\r\nHost: h\r\n\r\nGET /../y HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(hear_head(fd, head, sizeof head), 200);
    hear_all(fd, all, sizeof all);
    assert_int_equal(atoi(all + 9), 400);
    assert_non_null(strstr(all, "\r\n\r\n{"));
    close(fd);
}

static void a_body_that_is_asked_for_comes(void **state)
{
    int fd = dial(*state);
    char head[2000];

    say_s(fd, "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nExpect: 100-continue\r\n\r\n");
    assert_int_equal(hear_head(fd, head, sizeof head), 100);
    say_s(fd, "abc");
    assert_int_equal(hear_head(fd, head, sizeof head), 200);
    close(fd);
}

static void large_bodies_that_never_come_keep_no_small_one_away(void **state)
{
    int held[64], fd;
    char all[2000];

    for (unsigned i = 0; i < 64; i++) {
        held[i] = dial(*state);
        say_s(held[i], "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 1048576\r\nExpect: 100-continue\r\n\r\n");
        assert_int_equal(hear_head(held[i], all, sizeof all), 100); /* it has its place */
    }
    fd = dial(*state);
    say_s(fd, "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 16385\r\nExpect: 100-continue\r\n\r\n");
    assert_int_equal(hear_head(fd, all, sizeof all), 503);
    close(fd);
    fd = dial(*state);
    say_s(fd, "POST /p HTTP/1.1\r\nHost: h\r\nContent-Length: 5\r\n\r\nhello");
    assert_int_equal(hear_head(fd, all, sizeof all), 200);
    close(fd);
    for (unsigned i = 0; i < 64; i++)
        close(held[i]);
}

/* What is sent after a refused request is never taken for another one. */
static void a_refused_request_gets_one_answer_and_the_end(void **state)
{
    static const struct {
        const char *request;
        int status;
    } rows[] = {
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 411},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd", 400},
        {"POST / HTTP/1.1\r\nHost: h\r\nContent-Length: 1048577\r\n\r\n", 413},
        {"GET / HTTP/1.1\nHost: h\n\n", 400},
        {"GET / HTTP/1.1\r\nHost: h\r\nA: b\r\n c\r\n\r\n", 400},
        {"GET /../etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"GET /%2e%2e/etc/passwd HTTP/1.1\r\nHost: h\r\n\r\n", 400},
        {"GET / HTTP/3.0\r\nHost: h\r\n\r\n", 505},
        {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
        {"\x16\x03\x01\x02", 400},
    };
    char all[8192];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = dial(*state);
        unsigned answers = 0;

        say_s(fd, rows[i].request);
        send(fd, "GET /smuggled HTTP/1.1\r\nHost: h\r\n\r\n", 36, MSG_NOSIGNAL);
        hear_all(fd, all, sizeof all);
        for (const char *p = all; (p = strstr(p, "\r\nDate: ")) != NULL; p++)
            answers++;
        if (answers != 1 || atoi(all + 9) != rows[i].status || strstr(all, "smuggled"))
            fail_msg("row %zu: %u answers, %.300s", i, answers, all);
        assert_non_null(strstr(all, "application/problem+json"));
        close(fd);
    }
}

static void a_head_that_is_too_large_is_431(void **state)
{
    int fd = dial(*state);
    static char all[8192], big[70000];

    memset(big, 'a', sizeof big);
    say_s(fd, "GET / HTTP/1.1\r\nHost: h\r\nX: ");
    send(fd, big, sizeof big, MSG_NOSIGNAL);
    hear_all(fd, all, sizeof all);
    assert_non_null(strstr(all, "HTTP/1.1 431 "));
    close(fd);
}

static void who_says_nothing_or_too_slowly_is_closed_in_time(void **state)
{
    int silent = dial(*state), slow = dial(*state);
    int64_t began = now_ms();
    char all[2000];

    for (unsigned i = 0; i < 40 && now_ms() - began < 3000; i++) { /* a byte now and then, never a whole head */
        if (send(slow, "G", 1, MSG_NOSIGNAL) < 0)
            break;
        usleep(50000);
    }
    assert_true(is_closed(silent));
    hear_all(slow, all, sizeof all);
    assert_in_range(now_ms() - began, 400, 4000);
    close(silent);
    close(slow);
}

static struct net_http *unanswered;

static void on_kept(void *http, struct net_http *req, const struct net_head *head, struct str body)
{
    (void)http, (void)head, (void)body;
    unanswered = req;
}

static void let_a_minute_pass(struct rig *r)
{
    wheel_turn(&r->net->wheel, net_now(r->net) + NET_REQUEST_MS + 1000);
}

static void answer_too_late(struct rig *r)
{
    (void)r;
    net_http_respond(unanswered, &(struct net_response){.status = 200, .type = "text/plain", .body = STR("late")});
}

static void what_is_not_answered_in_time_is_503(void **state)
{
    struct rig *r = *state;
    unsigned before = r->requests;
    int fd = dial(r);
    char all[4096];

    r->on_request = on_kept;
    say_s(fd, "GET /slow HTTP/1.1\r\nHost: h\r\n\r\n");
    wait_for(&r->requests, before + 1);
    rig_do(r, let_a_minute_pass);
    hear_all(fd, all, sizeof all);
    assert_int_equal(atoi(all + 9), 503);
    assert_non_null(strstr(all, "application/problem+json"));
    assert_non_null(strstr(all, "\r\nRetry-After: "));
    assert_non_null(strstr(all, "\r\nConnection: close\r\n"));
    rig_do(r, answer_too_late); /* nobody hears it, and nothing is left of it */
    close(fd);
    r->on_request = NULL;
}

static void a_refused_upgrade_is_a_status(void **state)
{
    static const struct {
        const char *path;
        int status;
        const char *header;
    } rows[] = {
        {"/ws/401", 401, "WWW-Authenticate: Bearer\r\n"},
        {"/ws/403", 403, ""},
        {"/ws/429", 429, "Retry-After: 3\r\n"},
        {"/ws/../ws/x", 400, ""},
    };
    struct rig *r = *state;
    unsigned opened = r->opened;
    char request[1000], all[4000];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = dial(r);

        snprintf(request, sizeof request, "GET %s HTTP/1.1\r\n" UPGRADE_REST, rows[i].path);
        say_s(fd, request);
        hear_all(fd, all, sizeof all);
        assert_int_equal(atoi(all + 9), rows[i].status);
        assert_non_null(strstr(all, rows[i].header));
        assert_non_null(strstr(all, "application/problem+json"));
        close(fd);
    }
    assert_int_equal(r->opened, opened);
}

static void a_verdict_may_come_later(void **state)
{
    int fd = dial(*state);

    upgrade(fd, "/ws/later");
    say_text(fd, "hi");
    expect_text(fd, "hi");
    close(fd);
}

static void a_client_that_leaves_before_the_verdict_is_no_connection(void **state)
{
    struct rig *r = *state;
    unsigned opened = r->opened, closed = r->closed, never = r->never_opened;

    for (unsigned i = 0; i < 10; i++) {
        struct linger reset = {1, 0};
        unsigned asked = r->asked;
        int fd = dial(r);

        say_s(fd, "GET /ws/later HTTP/1.1\r\n" UPGRADE_REST);
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &reset, sizeof reset);
        wait_for(&r->asked, asked + 1); /* the verdict takes 50 ms more */
        close(fd);
    }
    for (unsigned i = 0; i < 5000 && r->never_opened - never + r->closed - closed < 10; i++)
        usleep(1000);
    assert_int_equal(r->opened - opened, r->closed - closed);
    assert_int_equal(r->never_opened - never + r->closed - closed, 10);
}

static void frames_that_come_with_the_request_are_not_lost(void **state)
{
    static const char frame[] = {(char)0x81, (char)0x82, 0, 0, 0, 0, 'h', 'i'};
    int fd = dial(*state);
    char head[2000];

    snprintf(head, sizeof head, "GET /ws/x HTTP/1.1\r\n" UPGRADE_REST);
    memcpy(head + strlen(head), frame, sizeof frame);
    say(fd, head, strlen("GET /ws/x HTTP/1.1\r\n" UPGRADE_REST) + sizeof frame);
    assert_int_equal(hear_head(fd, head, sizeof head), 101);
    expect_text(fd, "hi");
    close(fd);
}

static void an_upgrade_after_other_requests_is_judged_like_any(void **state)
{
    int fd = dial(*state);
    char head[2000], body[200];

    say_s(fd, "GET /g HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(hear_head(fd, head, sizeof head), 200);
    hear(fd, body, 23);
    say_s(fd, "GET /ws/401 HTTP/1.1\r\n" UPGRADE_REST);
    assert_int_equal(hear_head(fd, head, sizeof head), 401);
    close(fd);
    fd = dial(*state);
    say_s(fd, "GET /g HTTP/1.1\r\nHost: h\r\n\r\n");
    assert_int_equal(hear_head(fd, head, sizeof head), 200);
    hear(fd, body, 23);
    upgrade(fd, "/ws/x");
    say_text(fd, "masked");
    expect_text(fd, "masked");
    close(fd);
}

static void h2c_is_not_taken_up(void **state)
{
    int fd = dial(*state);
    char all[4000];

    say_s(fd, "GET /g HTTP/1.1\r\nHost: h\r\nUpgrade: h2c\r\nConnection: Upgrade, close\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n\r\n");
    hear_all(fd, all, sizeof all);
    assert_non_null(strstr(all, "HTTP/1.1 200 "));
    assert_null(strstr(all, "101"));
    close(fd);
}

static void many_handshakes_at_once_get_503_and_the_rest_go_on(void **state)
{
    struct config *cfg = rig_config();
    struct rig *r;
    unsigned taken = 0, refused = 0;
    int fds[60], old;

    (void)state;
    cfg->limits.hellos_per_s = 4; /* and five seconds' worth at once */
    r = rig_start(cfg);
    old = dial_ws(r);
    for (unsigned i = 0; i < 60; i++) {
        char head[2000];
        int status;

        fds[i] = dial(r);
        say_s(fds[i], "GET /ws/x HTTP/1.1\r\n" UPGRADE_REST);
        status = hear_head(fds[i], head, sizeof head);
        taken += status == 101;
        refused += status == 503;
        if (status == 503)
            assert_non_null(strstr(head, "Retry-After: "));
    }
    assert_in_range(taken, 15, 40);
    assert_int_equal(taken + refused, 60);
    say_text(old, "still here");
    expect_text(old, "still here");
    for (unsigned i = 0; i < 60; i++)
        close(fds[i]);
    close(old);
    rig_stop(r);
}

static void over_the_limit_of_connections_new_ones_get_503(void **state)
{
    struct config *cfg = rig_config();
    struct rig *r;
    int fds[10], more;
    char all[2000];

    (void)state;
    cfg->limits.connections = 10;
    r = rig_start(cfg);
    for (unsigned i = 0; i < 10; i++)
        fds[i] = dial_ws(r);
    more = dial(r);
    hear_all(more, all, sizeof all);
    assert_non_null(strstr(all, "HTTP/1.1 503 "));
    say_text(fds[3], "fine");
    expect_text(fds[3], "fine");
    close(more);
    for (unsigned i = 0; i < 10; i++)
        close(fds[i]);
    wait_for(&r->closed, 10);
    more = dial_ws(r);
    close(more);
    rig_stop(r);
}

static void a_taken_port_and_a_wrong_address_are_said(void **state)
{
    struct config *cfg = rig_config();
    struct net_port port = {0};
    struct net *net;
    struct err err;
    uv_loop_t loop;
    int fd = socket(AF_INET, SOCK_STREAM, 0); /* without SO_REUSEPORT: another program */
    struct sockaddr_in sa = {.sin_family = AF_INET};
    socklen_t n = sizeof sa;
    char address[40];

    (void)state;
    sa.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    assert_int_equal(bind(fd, (struct sockaddr *)&sa, sizeof sa), 0);
    assert_int_equal(listen(fd, 1), 0);
    getsockname(fd, (struct sockaddr *)&sa, &n);
    snprintf(address, sizeof address, "127.0.0.1:%u", ntohs(sa.sin_port));
    uv_loop_init(&loop);
    assert_int_equal(net_open(&loop, cfg, address, &port, &net, &err), ERR_BUSY);
    assert_non_null(strstr(err.text, address));
    assert_int_equal(net_open(&loop, cfg, "127.0.0.1", &port, &net, &err), ERR_INVALID);
    assert_int_equal(net_open(&loop, cfg, "127.0.0.1:99999", &port, &net, &err), ERR_INVALID);
    assert_int_equal(net_open(&loop, cfg, "203.0.113.1:0", &port, &net, &err), ERR_INVALID);
    assert_int_equal(uv_loop_close(&loop), 0);
    config_destroy(cfg);
    close(fd);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        T(a_request_is_answered_with_the_usual_headers),
        T(requests_of_one_connection_are_answered_in_order),
        T(a_head_request_has_no_body),
        T(a_refusal_behind_a_head_request_has_its_body),
        T(a_body_that_is_asked_for_comes),
        T(large_bodies_that_never_come_keep_no_small_one_away),
        T(a_refused_request_gets_one_answer_and_the_end),
        T(a_head_that_is_too_large_is_431),
        T(who_says_nothing_or_too_slowly_is_closed_in_time),
        T(what_is_not_answered_in_time_is_503),
        T(a_refused_upgrade_is_a_status),
        T(a_verdict_may_come_later),
        T(a_client_that_leaves_before_the_verdict_is_no_connection),
        T(frames_that_come_with_the_request_are_not_lost),
        T(an_upgrade_after_other_requests_is_judged_like_any),
        T(h2c_is_not_taken_up),
        cmocka_unit_test(many_handshakes_at_once_get_503_and_the_rest_go_on),
        cmocka_unit_test(over_the_limit_of_connections_new_ones_get_503),
        cmocka_unit_test(a_taken_port_and_a_wrong_address_are_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

#include "link_world.h"

#include "link/link_redis.h"

struct peer {
    struct redis *r;
    unsigned ups, downs, messages, answers, nulls, errors;
    char why[200], last[64];
    bool closed;
};

static void on_up(void *ctx)
{
    ((struct peer *)ctx)->ups++;
}

static void on_down(void *ctx, const char *why)
{
    struct peer *p = ctx;

    p->downs++;
    snprintf(p->why, sizeof p->why, "%s", why);
}

static void on_message(void *ctx, struct str channel, struct str payload)
{
    struct peer *p = ctx;

    p->messages++;
    snprintf(p->last, sizeof p->last, "%.*s=%.*s", STR_FMT(channel), STR_FMT(payload));
}

static void on_closed(void *ctx)
{
    ((struct peer *)ctx)->closed = true;
}

static void on_answer(void *ctx, const struct redis_reply *reply)
{
    struct peer *p = ctx;

    if (!reply) {
        p->nulls++;
        return;
    }
    p->answers++;
    p->errors += redis_reply_type(reply) == REDIS_ERR;
    snprintf(p->last, sizeof p->last, "%.*s", STR_FMT(redis_reply_str(reply)));
}

static bool is_up(void *ctx)
{
    return redis_is_up(((struct peer *)ctx)->r);
}
static bool went_down(void *ctx)
{
    return ((struct peer *)ctx)->downs > 0;
}
static bool is_closed(void *ctx)
{
    return ((struct peer *)ctx)->closed;
}
static bool is_idle(void *ctx)
{
    return redis_pending(((struct peer *)ctx)->r) == 0;
}
static bool has_message(void *ctx)
{
    return ((struct peer *)ctx)->messages > 0;
}

static void peer_open_to(struct world *w, struct peer *p, const char *url, unsigned max)
{
    struct redis_port port = {p, on_up, on_down, on_message};

    memset(p, 0, sizeof *p);
    assert_int_equal(redis_open(&w->loop, url, &port, max, &p->r, NULL), 0);
}

static void peer_open(struct world *w, struct peer *p)
{
    peer_open_to(w, p, w->url, 1000);
    world_await(w, is_up, p, 2000, "up");
}

static void peer_close(struct world *w, struct peer *p)
{
    redis_close(p->r, on_closed, p);
    world_await(w, is_closed, p, 2000, "closed");
}

static int call(struct peer *p, int64_t deadline_ms, int argc, const char **argv)
{
    return redis_call(p->r, argc, argv, NULL, deadline_ms, on_answer, p);
}
#define CALL(p, ms, ...)                                                                                     \
    call((p), (ms), (int)(sizeof((const char *[]){__VA_ARGS__}) / sizeof(char *)),                           \
         (const char *[]){__VA_ARGS__})

static void a_command_gets_its_answer(void **state)
{
    struct world w;
    struct peer p;

    (void)state;
    world_init(&w);
    world_start_redis(&w);
    peer_open(&w, &p);
    assert_int_equal(CALL(&p, 1000, "SET", "k", "v w\r\n"), 0);
    assert_int_equal(CALL(&p, 1000, "NOSUCH"), 0);
    assert_int_equal(CALL(&p, 1000, "GET", "k"), 0);
    assert_int_equal(p.answers, 0); /* never from inside redis_call() */
    world_await(&w, is_idle, &p, 1000, "answers");
    assert_int_equal(p.answers, 3);
    assert_int_equal(p.errors, 1);
    assert_string_equal(p.last, "v w\r\n");
    peer_close(&w, &p);
    world_fini(&w);
}

static void answers_of_all_types_are_read(void **state)
{
    struct world w;
    struct redis_sync *s;
    const struct redis_reply *r;
    const char *lua[] = {
        "EVAL", "return {1, 'two', false, {'deep', redis.status_reply('fine')}, redis.error_reply('E x')}",
        "0"};

    (void)state;
    world_init(&w);
    world_start_redis(&w);
    assert_int_equal(redis_sync_open(w.url, 1000, &s, NULL), 0);
    r = redis_sync_call(s, 3, lua, NULL, NULL);
    assert_int_equal(redis_reply_n(r), 5);
    assert_int_equal(redis_reply_int(redis_reply_at(r, 0)), 1);
    assert_true(str_is(redis_reply_str(redis_reply_at(r, 1)), "two"));
    assert_int_equal(redis_reply_type(redis_reply_at(r, 2)), REDIS_NIL);
    assert_int_equal(redis_reply_n(redis_reply_at(r, 3)), 2);
    assert_int_equal(redis_reply_type(redis_reply_at(redis_reply_at(r, 3), 1)), REDIS_STATUS);
    assert_int_equal(redis_reply_type(redis_reply_at(r, 4)), REDIS_ERR);
    redis_sync_free(r);
    redis_sync_close(s);
    world_fini(&w);
}

static void big_values_go_both_ways(void **state)
{
    struct world w;
    struct peer p;
    size_t n = 8 << 20; /* more than sockets and buffers hold */
    char *v = malloc(n);
    const char *argv[] = {"ECHO", v};
    size_t lens[] = {4, n};

    (void)state;
    memset(v, 'x', n);
    world_init(&w);
    world_start_redis(&w);
    peer_open(&w, &p);
    for (int i = 0; i < 5; i++)
        assert_int_equal(redis_call(p.r, 2, argv, lens, 20000, on_answer, &p), 0);
    assert_int_equal(CALL(&p, 20000, "ECHO", "after"), 0);
    world_await(&w, is_idle, &p, 20000, "answers");
    assert_int_equal(p.answers, 6);
    assert_int_equal(p.nulls, 0);
    assert_string_equal(p.last, "after");
    peer_close(&w, &p);
    free(v);
    world_fini(&w);
}

static void a_refused_connection_is_reported_and_tried_again(void **state)
{
    const char *urls[] = {"unix:///nonexistent/s", "redis://127.0.0.1:1", "redis://localhost:1/3",
                          "redis://[::1]:1"};
    struct world w;
    struct peer p;

    (void)state;
    world_init(&w);
    for (size_t i = 0; i < 4; i++) {
        peer_open_to(&w, &p, urls[i], 10);
        assert_int_equal(CALL(&p, 1000, "PING"), ERR_GONE);
        world_await(&w, went_down, &p, 3000, urls[i]);
        assert_true(p.why[0] != 0);
        p.downs = 0;
        world_await(&w, went_down, &p, 3000, "the second try");
        assert_int_equal(p.ups, 0);
        peer_close(&w, &p);
    }
    world_fini(&w);
}

static void it_connects_when_the_server_comes(void **state)
{
    struct world w;
    struct peer p;
    char url[128];

    (void)state;
    world_init(&w);
    snprintf(url, sizeof url, "unix://%s/s", w.dir);
    peer_open_to(&w, &p, url, 10);
    world_await(&w, went_down, &p, 1000, "refused");
    world_start_redis(&w);
    world_await(&w, is_up, &p, 3000, "up");
    peer_close(&w, &p);
    world_fini(&w);
}

static void killed_with_100_under_way_gives_100_nulls_and_comes_back(void **state)
{
    struct world w;
    struct peer p;

    (void)state;
    world_init(&w);
    world_start_redis(&w);
    peer_open(&w, &p);
    kill(w.redis, SIGSTOP);
    for (int i = 0; i < 100; i++)
        assert_int_equal(CALL(&p, 10000, "INCR", "n"), 0);
    world_turn(&w, 20);
    assert_int_equal(p.nulls, 0);
    world_kill_redis(&w);
    world_await(&w, went_down, &p, 2000, "down");
    assert_int_equal(p.nulls, 100);
    assert_int_equal(p.answers, 0);
    assert_int_equal(redis_pending(p.r), 0);
    world_start_redis(&w);
    world_await(&w, is_up, &p, 3000, "up again");
    assert_int_equal(p.ups, 2);
    assert_int_equal(CALL(&p, 1000, "PING"), 0);
    world_await(&w, is_idle, &p, 1000, "pong");
    assert_int_equal(p.answers, 1);
    peer_close(&w, &p);
    world_fini(&w);
}

static void a_frozen_server_passes_the_deadline_while_timers_go_on(void **state)
{
    struct world w;
    struct peer p;
    unsigned beats;

    (void)state;
    world_init(&w);
    world_start_redis(&w);
    peer_open(&w, &p);
    kill(w.redis, SIGSTOP);
    assert_int_equal(CALL(&p, 60000, "INCR", "n"), 0);
    assert_int_equal(CALL(&p, 200, "INCR", "n"), 0); /* behind it, due sooner */
    beats = w.beats;
    world_await(&w, went_down, &p, 1000, "the deadline");
    assert_true(w.beats - beats >= 20);
    assert_int_equal(p.nulls, 2);
    assert_non_null(strstr(p.why, "no answer in time"));
    p.downs = 0;
    world_await(&w, went_down, &p, 4000,
                "the deadline of the greeting"); /* the kernel still takes connections */
    kill(w.redis, SIGCONT);
    world_await(&w, is_up, &p, 5000, "up");
    peer_close(&w, &p);
    world_fini(&w);
}

/* The deadline of what was answered passes while a later one is under way: that one is still looked at. */
static void a_deadline_that_was_kept_is_followed_by_the_next(void **state)
{
    struct world w;
    struct peer p;

    (void)state;
    world_init(&w);
    world_start_redis(&w);
    peer_open(&w, &p);
    assert_int_equal(CALL(&p, 150, "PING"), 0);
    world_await(&w, is_idle, &p, 1000, "answer");
    kill(w.redis, SIGSTOP);
    assert_int_equal(CALL(&p, 300, "INCR", "n"), 0);
    world_await(&w, went_down, &p, 1000, "the second deadline");
    assert_int_equal(p.nulls, 1);
    assert_non_null(strstr(p.why, "no answer in time"));
    kill(w.redis, SIGCONT);
    peer_close(&w, &p);
    world_fini(&w);
}

static void an_answer_that_waited_for_us_is_no_missed_deadline(void **state)
{
    struct world w;
    struct peer p;

    (void)state;
    world_init(&w);
    world_start_redis(&w);
    peer_open(&w, &p);
    assert_int_equal(CALL(&p, 100, "PING"), 0);
    uv_run(&w.loop, UV_RUN_NOWAIT);
    usleep(300000); /* the loop thread itself stands still */
    world_await(&w, is_idle, &p, 1000, "answer");
    assert_int_equal(p.answers, 1);
    assert_int_equal(p.nulls, 0);
    peer_close(&w, &p);
    world_fini(&w);
}

/* The turn of the loop in which it is said has lasted longer than it may take. */
static void on_long_turn(uv_timer_t *t)
{
    usleep(300000);
    assert_int_equal(CALL((struct peer *)t->data, 200, "PING"), 0);
}

static void a_command_said_at_the_end_of_a_long_turn_has_its_full_time(void **state)
{
    struct world w;
    struct peer p;
    uv_timer_t t;

    (void)state;
    world_init(&w);
    world_start_redis(&w);
    peer_open(&w, &p);
    uv_timer_init(&w.loop, &t);
    t.data = &p;
    uv_timer_start(&t, on_long_turn, 0, 0);
    uv_run(&w.loop, UV_RUN_ONCE);
    world_await(&w, is_idle, &p, 1000, "answer");
    assert_int_equal(p.answers, 1);
    assert_int_equal(p.nulls, 0);
    uv_close((uv_handle_t *)&t, NULL);
    peer_close(&w, &p);
    world_fini(&w);
}

static void over_the_bound_a_command_is_refused_at_once(void **state)
{
    struct world w;
    struct peer p;

    (void)state;
    world_init(&w);
    world_start_redis(&w);
    peer_open_to(&w, &p, w.url, 3);
    world_await(&w, is_up, &p, 2000, "up");
    for (int i = 0; i < 3; i++)
        assert_int_equal(CALL(&p, 1000, "PING"), 0);
    assert_int_equal(CALL(&p, 1000, "PING"), ERR_FULL);
    world_await(&w, is_idle, &p, 1000, "answers");
    assert_int_equal(p.answers, 3);
    peer_close(&w, &p);
    world_fini(&w);
}

static void closing_gives_null_to_what_is_under_way(void **state)
{
    struct world w;
    struct peer p;

    (void)state;
    world_init(&w);
    world_start_redis(&w);
    peer_open(&w, &p);
    kill(w.redis, SIGSTOP);
    for (int i = 0; i < 70; i++)
        assert_int_equal(CALL(&p, 10000, "PING"), 0);
    redis_close(p.r, on_closed, &p);
    assert_int_equal(p.nulls, 0);
    world_await(&w, is_closed, &p, 1000, "closed");
    assert_int_equal(p.nulls, 70);
    assert_int_equal(p.downs, 0);
    world_fini(&w);
}

static void close_in_callback(void *ctx, const struct redis_reply *reply)
{
    struct peer *p = ctx;

    on_answer(ctx, reply);
    redis_reconnect(p->r, "test");
    redis_close(p->r, on_closed, p);
}

static void it_may_be_closed_inside_its_own_callback(void **state)
{
    struct world w;
    struct peer p;

    (void)state;
    world_init(&w);
    world_start_redis(&w);
    peer_open(&w, &p);
    assert_int_equal(redis_call(p.r, 1, (const char *[]){"PING"}, NULL, 1000, close_in_callback, &p), 0);
    assert_int_equal(CALL(&p, 1000, "PING"), 0);
    world_await(&w, is_closed, &p, 1000, "closed");
    assert_int_equal(p.answers + p.nulls, 2);
    world_fini(&w);
}

static void reconnect_drops_and_comes_back(void **state)
{
    struct world w;
    struct peer p;

    (void)state;
    world_init(&w);
    world_start_redis(&w);
    peer_open(&w, &p);
    assert_int_equal(CALL(&p, 1000, "BLPOP", "nothing", "0"), 0);
    redis_reconnect(p.r, "another server");
    assert_false(redis_is_up(p.r));
    world_await(&w, is_up, &p, 1000, "up again");
    assert_int_equal(p.nulls, 1);
    assert_string_equal(p.why, "another server");
    peer_close(&w, &p);
    world_fini(&w);
}

static void pub_sub_subscribes_again_after_a_loss(void **state)
{
    struct world w;
    struct peer sub, pub;

    (void)state;
    world_init(&w);
    world_start_redis(&w);
    peer_open_to(&w, &sub, w.url, 10);
    assert_int_equal(redis_subscribe(sub.r, "bus"), 0);
    world_await(&w, is_up, &sub, 2000, "up");
    assert_int_equal(CALL(&sub, 1000, "PING"), ERR_UNSUPPORTED);
    assert_int_equal(redis_subscribe(sub.r, "late"), 0);
    peer_open(&w, &pub);
    CALL(&pub, 1000, "PUBLISH", "bus", "one");
    world_await(&w, has_message, &sub, 1000, "message");
    assert_string_equal(sub.last, "bus=one");
    world_kill_redis(&w);
    world_await(&w, went_down, &sub, 2000, "down");
    world_start_redis(&w);
    world_await(&w, is_up, &sub, 3000, "up again");
    world_await(&w, is_up, &pub, 3000, "up again");
    sub.messages = 0;
    CALL(&pub, 1000, "PUBLISH", "late", "two"); /* on_up came after the channels: not lost */
    world_await(&w, has_message, &sub, 1000, "message");
    assert_string_equal(sub.last, "late=two");
    peer_close(&w, &sub);
    peer_close(&w, &pub);
    world_fini(&w);
}

static void a_frozen_bus_is_noticed(void **state)
{
    struct world w;
    struct peer p;

    (void)state;
    world_init(&w);
    world_start_redis(&w);
    peer_open_to(&w, &p, w.url, 10);
    redis_subscribe(p.r, "bus");
    world_await(&w, is_up, &p, 2000, "up");
    world_turn(&w, 2500); /* one ping is answered */
    assert_int_equal(p.downs, 0);
    kill(w.redis, SIGSTOP);
    world_await(&w, went_down, &p, 5000, "no PONG");
    kill(w.redis, SIGCONT);
    world_await(&w, is_up, &p, 5000, "up again");
    peer_close(&w, &p);
    world_fini(&w);
}

static void passwords_and_databases_are_given_before_up(void **state)
{
    struct world w;
    struct peer p;
    char url[128];
    int port = 20000 + getpid() % 20000;
    char text[8];

    (void)state;
    world_init(&w);
    world_start_redis(&w);
    snprintf(text, sizeof text, "%d", port);
    peer_open(&w, &p);
    CALL(&p, 1000, "CONFIG", "SET", "port", text);
    CALL(&p, 1000, "ACL", "SETUSER", "fl", "on", ">p@:/%", "~*", "&*", "+@all");
    CALL(&p, 1000, "CONFIG", "SET", "requirepass", "s3cret");
    world_await(&w, is_idle, &p, 1000, "answers");
    assert_int_equal(p.errors, 0);
    redis_reconnect(p.r, "test");
    world_await(&w, went_down, &p, 1000, "down");
    p.downs = 0;
    world_await(&w, went_down, &p, 1000, "refused");
    assert_non_null(strstr(p.why, "NOAUTH"));
    peer_close(&w, &p);

    snprintf(url, sizeof url, "redis://fl:p%%40%%3A%%2F%%25@127.0.0.1:%d/7", port);
    peer_open_to(&w, &p, url, 10);
    world_await(&w, is_up, &p, 2000, "up");
    CALL(&p, 1000, "EVAL", "return redis.call('CLIENT', 'LIST')", "0");
    CALL(&p, 1000, "ACL", "WHOAMI");
    world_await(&w, is_idle, &p, 1000, "answers");
    assert_string_equal(p.last, "fl");
    CALL(&p, 1000, "SET", "seven", "1");
    CALL(&p, 1000, "MOVE", "seven", "6"); /* only if this is not 6 and the key stands here */
    CALL(&p, 1000, "SELECT", "6");
    CALL(&p, 1000, "GET", "seven");
    world_await(&w, is_idle, &p, 1000, "answers");
    assert_string_equal(p.last, "1");
    peer_close(&w, &p);

    snprintf(url, sizeof url, "redis://:wrong@localhost:%d", port);
    peer_open_to(&w, &p, url, 10);
    world_await(&w, went_down, &p, 2000, "refused");
    assert_non_null(strstr(p.why, "WRONGPASS"));
    peer_close(&w, &p);
    world_fini(&w);
}

static void bad_urls_are_refused_with_the_form(void **state)
{
    const char *bad[] = {"",
                         "http://x",
                         "unix://relative",
                         "redis://",
                         "redis://h:0",
                         "redis://h:99999",
                         "redis://h/x",
                         "redis://[::1",
                         "sentinel://a"};
    struct world w;
    struct redis *r;
    struct err err;

    (void)state;
    world_init(&w);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        err = (struct err){0};
        assert_int_equal(redis_open(&w.loop, bad[i], &(struct redis_port){0}, 1, &r, &err), ERR_INVALID);
        assert_non_null(strstr(err.text, "Redis address"));
    }
    world_fini(&w);
}

static void sync_calls_time_out_and_say_so(void **state)
{
    struct world w;
    struct redis_sync *s;
    struct err err = {0};

    (void)state;
    world_init(&w);
    assert_int_equal(redis_sync_open("unix:///nonexistent/s", 200, &s, &err), ERR_GONE);
    world_start_redis(&w);
    assert_int_equal(redis_sync_open(w.url, 200, &s, &err), 0);
    kill(w.redis, SIGSTOP);
    assert_null(redis_sync_call(s, 1, (const char *[]){"PING"}, NULL, &err));
    assert_int_equal(err.code, ERR_TIMEOUT);
    redis_sync_close(s);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_command_gets_its_answer),
        cmocka_unit_test(answers_of_all_types_are_read),
        cmocka_unit_test(big_values_go_both_ways),
        cmocka_unit_test(a_refused_connection_is_reported_and_tried_again),
        cmocka_unit_test(it_connects_when_the_server_comes),
        cmocka_unit_test(killed_with_100_under_way_gives_100_nulls_and_comes_back),
        cmocka_unit_test(a_frozen_server_passes_the_deadline_while_timers_go_on),
        cmocka_unit_test(a_deadline_that_was_kept_is_followed_by_the_next),
        cmocka_unit_test(an_answer_that_waited_for_us_is_no_missed_deadline),
        cmocka_unit_test(a_command_said_at_the_end_of_a_long_turn_has_its_full_time),
        cmocka_unit_test(over_the_bound_a_command_is_refused_at_once),
        cmocka_unit_test(closing_gives_null_to_what_is_under_way),
        cmocka_unit_test(it_may_be_closed_inside_its_own_callback),
        cmocka_unit_test(reconnect_drops_and_comes_back),
        cmocka_unit_test(pub_sub_subscribes_again_after_a_loss),
        cmocka_unit_test(a_frozen_bus_is_noticed),
        cmocka_unit_test(passwords_and_databases_are_given_before_up),
        cmocka_unit_test(bad_urls_are_refused_with_the_form),
        cmocka_unit_test(sync_calls_time_out_and_say_so),
    };

    return cmocka_run_group_tests(tests, NULL, world_sweep);
}

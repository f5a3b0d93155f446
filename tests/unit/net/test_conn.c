/* WebSocket connections on real sockets: frames, limits, slow readers, pauses, pings, closing. */
#include "net_rig.h"

static int start(void **state)
{
    struct config *cfg = rig_config();

    cfg->limits.frame_bytes = 8192;
    *state = rig_start(cfg);
    return 0;
}

static int stop(void **state)
{
    rig_stop(*state);
    return 0;
}

static void a_text_comes_back(void **state)
{
    int fd = dial_ws(*state);

    say_text(fd, "hello");
    expect_text(fd, "hello");
    say_text(fd, "");
    expect_text(fd, "");
    say_text(fd, "每项业务必须落实到人 📦");
    expect_text(fd, "每项业务必须落实到人 📦");
    say_frame(fd, 0x88, "\x03\xe8", 2);
    assert_int_equal(hear_close(fd), 1000);
    assert_true(is_closed(fd));
    close(fd);
}

static void a_message_in_pieces_is_put_together(void **state)
{
    int fd = dial_ws(*state);
    char big[8193];

    say_frame(fd, 0x01, "ab", 2);
    say_frame(fd, 0x89, "ping", 4); /* between fragments */
    say_frame(fd, 0x00, "", 0);
    say_frame(fd, 0x00, "cd", 2);
    say_frame(fd, 0x80, "ef", 2);
    for (unsigned seen = 0; seen != 3;) { /* the pong may come before the text or after it */
        char got[100];
        size_t n;
        bool is_pong = hear_frame(fd, got, sizeof got, &n) == 10;

        assert_string_equal(got, is_pong ? "ping" : "abcdef");
        seen |= is_pong ? 1 : 2;
    }
    memset(big, 'x', sizeof big); /* longer than one read of the server */
    big[8192] = '\0';
    say_text(fd, big);
    expect_text(fd, big);
    say_frame(fd, 0x01, "\xe4\xb8", 2); /* a character across fragments */
    say_frame(fd, 0x80, "\xad", 1);
    expect_text(fd, "\xe4\xb8\xad");
    close(fd);
}

static void bytes_that_come_one_by_one_make_a_message(void **state)
{
    static const unsigned char frame[] = {0x81, 0x83, 1, 2, 3, 4, 'a' ^ 1, 'b' ^ 2, 'c' ^ 3};
    int fd = dial_ws(*state);

    for (size_t i = 0; i < sizeof frame; i++) {
        say(fd, frame + i, 1);
        usleep(2000); /* the sender's pace */
    }
    expect_text(fd, "abc");
    close(fd);
}

static void what_breaks_the_rules_is_closed_with_its_code(void **state)
{
    static char big[9000];
    static const struct {
        const char *what;
        unsigned first;
        const char *p;
        size_t n;
        int code;
    } rows[] = {
        {"binary", 0x82, "\x00\x01", 2, 1003},
        {"not UTF-8", 0x81, "\xff\xfe{}", 4, 1007},
        {"cut UTF-8", 0x81, "abc\xe4\xb8", 5, 1007},
        {"surrogate", 0x81, "\xed\xa0\x80", 3, 1007},
        {"too big", 0x81, big, sizeof big, 1009},
        {"unknown opcode", 0x83, "a", 1, 1002},
        {"unknown control", 0x8b, "a", 1, 1002},
        {"reserved bit", 0xc1, "a", 1, 1002},
        {"continuation of nothing", 0x80, "a", 1, 1002},
        {"control in fragments", 0x09, "a", 1, 1002},
        {"control too long", 0x89, big, 126, 1002},
        {"close with one byte", 0x88, "\x03", 1, 1002},
        {"close not UTF-8", 0x88, "\x03\xe8\xff\xff", 4, 1007},
        {"close with a code that isn't one", 0x88, "\x03\xe7", 2, 1002},
    };
    int other = dial_ws(*state);

    memset(big, 'z', sizeof big);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int fd = dial_ws(*state), code;

        say_frame(fd, rows[i].first, rows[i].p, rows[i].n);
        code = hear_close(fd);
        if (code != rows[i].code)
            fail_msg("%s: closed with %d, not %d", rows[i].what, code, rows[i].code);
        assert_true(is_closed(fd));
        close(fd);
        say_text(other, rows[i].what); /* nobody else notices */
        expect_text(other, rows[i].what);
    }
    close(other);
}

static void an_unmasked_client_is_closed(void **state)
{
    int fd = dial_ws(*state);

    say(fd, "\x81\x03" "abc", 5);
    assert_int_equal(hear_close(fd), 1002);
    close(fd);
    fd = dial_ws(*state);
    say_text(fd, "masked");
    expect_text(fd, "masked");
    say(fd, "\x81\x06" "unmask", 8);
    assert_int_equal(hear_close(fd), 1002);
    close(fd);
}

static void lengths_beyond_reason_are_closed(void **state)
{
    int fd = dial_ws(*state), code;
    char rest[20000] = {0};

    say(fd, "\x81\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x02\x03\x04", 14);
    code = hear_close(fd);
    assert_true(code == 1002 || code == 1009);
    close(fd);
    fd = dial_ws(*state);
    say(fd, "\x81\xff\x00\x00\x00\x01\x00\x00\x00\x00\x01\x02\x03\x04", 14);
    say(fd, rest, sizeof rest);
    assert_int_equal(hear_close(fd), 1009);
    close(fd);
}

static void twenty_thousand_empty_fragments_are_too_many(void **state)
{
    int fd = dial_ws(*state), code;
    static unsigned char flood[20000 * 6];

    for (size_t i = 0; i < sizeof flood; i += 6) {
        flood[i] = i ? 0x00 : 0x01;
        flood[i + 1] = 0x80;
    }
    send(fd, flood, sizeof flood, MSG_NOSIGNAL);
    code = hear_close(fd);
    assert_true(code == 1008 || code == 1009);
    close(fd);
}

static void each_ping_of_a_flood_is_no_harm(void **state)
{
    int fd = dial_ws(*state);

    for (unsigned i = 0; i < 2000; i++)
        say_frame(fd, 0x89, "p", 1);
    say_text(fd, "still here");
    for (;;) {
        char got[200];
        size_t n;

        if (hear_frame(fd, got, sizeof got, &n) == 1) {
            assert_string_equal(got, "still here");
            break;
        }
    }
    close(fd);
}

static void five_thousand_messages_through_pauses_lose_none(void **state)
{
    struct rig *r = *state;
    int fd;
    char text[64];
    static char pad[3000];

    r->pauses = true;
    r->next_number = 0;
    r->out_of_order = false;
    fd = dial_ws(r);
    memset(pad, ' ', sizeof pad - 1);
    for (unsigned i = 0; i < 5000; i++) {
        size_t n = (size_t)snprintf(text, sizeof text, "number %u", i);

        memcpy(pad, text, n);
        pad[n] = ' ';
        say_frame(fd, 0x81, pad, i % 7 == 0 ? 2500 : n + 20 + i % 90); /* some longer than one read */
        if (i % 1000 == 999)
            usleep(20000); /* also when nothing more comes in meanwhile, all is handed over */
    }
    for (unsigned i = 0; i < 5000; i += 100) {
        char got[3000];
        size_t n;

        assert_int_equal(hear_frame(fd, got, sizeof got, &n), 1);
        assert_int_equal(atoi(got + 7), i);
    }
    for (unsigned i = 0; i < 5000 && r->next_number < 5000; i++)
        usleep(1000);
    assert_int_equal(r->next_number, 5000);
    assert_false(r->out_of_order);
    r->pauses = false;
    close(fd);
}

static void a_paused_sender_is_held_back_by_TCP(void **state)
{
    struct rig *r = *state;
    int fd = dial_ws(r);
    unsigned before = r->texts, sent = 0;
    struct timeval soon = {0, 300000};
    static char text[8192];
    char head[8] = {(char)0x81, (char)(0x80 | 126), (char)(sizeof text >> 8), (char)(sizeof text & 0xff)};

    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
    memset(text, 'x', sizeof text);
    say_text(fd, "pause");
    while (sent < 10000 && send(fd, head, 8, MSG_NOSIGNAL) == 8 && send(fd, text, sizeof text, MSG_NOSIGNAL) == sizeof text)
        sent++;
    assert_in_range(sent, 1, 9999); /* the kernel's buffers are full, ours is one message */
    assert_int_equal(r->texts, before + 1);
    rig_do(r, rig_resume_held);
    wait_for(&r->texts, before + 1 + sent);
    close(fd);
}

static void signals_of_one_key_are_merged(void **state)
{
    int fd = dial_ws(*state);

    say_text(fd, "signals 500 3");
    expect_text(fd, "after"); /* frames go first, then what is left of the signals */
    expect_text(fd, "signal 0 498");
    expect_text(fd, "signal 1 499");
    expect_text(fd, "signal 2 497");
    close(fd);
}

static void however_many_signals_one_turn_makes_who_reads_gets_them(void **state)
{
    int fd = dial_ws(*state);
    unsigned told = 0;

    say_text(fd, "signals 300 300");
    for (unsigned i = 0; i < 301; i++) {
        char got[100];
        unsigned key, number;
        size_t n;

        hear_frame(fd, got, sizeof got, &n);
        if (sscanf(got, "signal %u %u", &key, &number) == 2)
            assert_int_equal(key, told++);
    }
    assert_int_equal(told, 300);
    close(fd);
}

static void a_close_lets_last_words_out(void **state)
{
    int fd = dial_ws(*state);

    say_text(fd, "close 1008");
    expect_text(fd, "last words");
    assert_int_equal(hear_close(fd), 1008);
    assert_true(is_closed(fd));
    close(fd);
}

static void events_to_a_slow_reader_wait_and_none_is_lost(void **state)
{
    struct rig *r = *state;
    int fd = dial_with(r, true), other = dial_ws(r);
    unsigned full = r->full;
    static char got[5000];
    size_t n;

    upgrade(fd, "/ws/x");
    say_text(fd, "flood 3000 4000"); /* 12 MB */
    wait_for(&r->full, full + 1);
    say_text(other, "meanwhile");
    expect_text(other, "meanwhile");
    for (unsigned left = 3000; left > 0; left--) {
        assert_int_equal(hear_frame(fd, got, sizeof got, &n), 1);
        assert_int_equal(n, 4000);
        assert_int_equal(atoi(got), left);
    }
    close(fd);
    close(other);
}

static void a_peer_that_reads_no_answers_is_closed_with_1013(void **state)
{
    struct rig *r = *state;
    int fd = dial_with(r, true), other = dial_ws(r);
    struct timeval soon = {10, 0}; /* a slow machine still takes them; a closed peer fails at once */
    static char text[8000];

    upgrade(fd, "/ws/x");
    memset(text, 'x', sizeof text);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &soon, sizeof soon);
    for (unsigned i = 0; i < 3000; i++) {
        char head[8] = {(char)0x81, (char)(0x80 | 126), (char)(sizeof text >> 8), (char)sizeof text};

        if (send(fd, head, 8, MSG_NOSIGNAL) != 8 || send(fd, text, sizeof text, MSG_NOSIGNAL) != sizeof text)
            break;
    }
    say_text(other, "meanwhile");
    expect_text(other, "meanwhile");
    assert_int_equal(hear_close(fd), 1013);
    close(fd);
    close(other);
}

static int start_pinging(void **state)
{
    struct config *cfg = rig_config();

    cfg->limits.idle_ping_ms = 200;
    cfg->limits.ping_grace_ms = 300;
    *state = rig_start(cfg);
    return 0;
}

static void a_peer_that_answers_pings_stays(void **state)
{
    int fd = dial_ws(*state);
    char got[200];
    size_t n;
    int64_t end = now_ms() + 1500;
    unsigned pings = 0;

    while (now_ms() < end) {
        assert_int_equal(hear_frame(fd, got, sizeof got, &n), 9);
        assert_true(n > 0);
        say_frame(fd, 0x8a, got, n);
        pings++;
    }
    assert_in_range(pings, 4, 9);
    say_text(fd, "here");
    expect_text(fd, "here");
    close(fd);
}

static void a_dead_peer_is_closed_after_the_grace(void **state)
{
    struct rig *r = *state;
    int fd = dial_ws(r);
    unsigned closed = r->closed;
    int64_t began = now_ms();

    wait_for(&r->closed, closed + 1);
    assert_in_range(now_ms() - began, 450, 4000);
    close(fd);
}

static int start_pinging_seldom(void **state)
{
    struct config *cfg = rig_config();

    cfg->limits.idle_ping_ms = 2000;
    cfg->limits.ping_grace_ms = 500;
    *state = rig_start(cfg);
    return 0;
}

static void hear_events(int fd, unsigned n)
{
    char got[5000];
    size_t size;

    while (n-- > 0)
        assert_int_equal(hear_frame(fd, got, sizeof got, &size), 1);
}

/* What the kernel holds of it stands before a ping: that it is slow to come there is no silence. */
static void a_slow_reader_who_reads_is_not_taken_for_dead(void **state)
{
    int fd = dial_with(*state, true);

    upgrade(fd, "/ws/x");
    say_text(fd, "flood 100 4000");
    for (unsigned i = 0; i < 10; i++) {
        hear_events(fd, 1);
        usleep(250000);
    }
    hear_events(fd, 75); /* the rest is in the kernel now */
    usleep(1000000);
    hear_events(fd, 15);
    say_text(fd, "here");
    expect_text(fd, "here");
    close(fd);
}

static void a_peer_that_goes_away_is_noticed(void **state)
{
    struct rig *r = *state;
    unsigned closed = r->closed;
    int fd = dial_ws(r);

    close(fd);
    wait_for(&r->closed, closed + 1);
}

static void on_all_closed(void *ctx)
{
    atomic_fetch_add(&((struct rig *)ctx)->all_closed, 1);
}

static void close_all(struct rig *r)
{
    net_stop_listening(r->net);
    net_close_all(r->net, 1001, 300, 5000, on_all_closed, r);
}

static void close_all_closes_each_with_its_code_spread_over_time(void **state)
{
    struct rig *r = *state;
    int fds[50];
    int64_t began;

    for (unsigned i = 0; i < 50; i++)
        fds[i] = dial_ws(r);
    began = now_ms();
    rig_do(r, close_all);
    for (unsigned i = 0; i < 50; i++)
        assert_int_equal(hear_close(fds[i]), 1001);
    wait_for(&r->all_closed, 1);
    assert_in_range(now_ms() - began, 150, 4000);
    for (unsigned i = 0; i < 50; i++)
        close(fds[i]);
}

static void close_all_ends_in_time_though_nobody_answers(void **state)
{
    struct rig *r = *state;
    int fds[10];

    for (unsigned i = 0; i < 10; i++)
        fds[i] = dial_ws(r);
    r->cfg->limits.idle_ping_ms = 60000;
    rig_do(r, close_all);
    wait_for(&r->all_closed, 1);
    for (unsigned i = 0; i < 10; i++)
        close(fds[i]);
}

static void destroying_cuts_off_whatever_is_there(void **state)
{
    struct rig *r = *state;

    for (unsigned i = 0; i < 20; i++) {
        int fd = dial_ws(r);

        if (i % 2)
            say_text(fd, "flood 3000 4000");
        if (i % 3 == 0)
            dial(r); /* says nothing */
    }
    /* stop() asserts that all went away and the loop closes */
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        T(a_text_comes_back),
        T(a_message_in_pieces_is_put_together),
        T(bytes_that_come_one_by_one_make_a_message),
        T(what_breaks_the_rules_is_closed_with_its_code),
        T(an_unmasked_client_is_closed),
        T(lengths_beyond_reason_are_closed),
        T(twenty_thousand_empty_fragments_are_too_many),
        T(each_ping_of_a_flood_is_no_harm),
        T(five_thousand_messages_through_pauses_lose_none),
        T(a_paused_sender_is_held_back_by_TCP),
        T(signals_of_one_key_are_merged),
        T(however_many_signals_one_turn_makes_who_reads_gets_them),
        T(a_close_lets_last_words_out),
        T(events_to_a_slow_reader_wait_and_none_is_lost),
        T(a_peer_that_reads_no_answers_is_closed_with_1013),
        cmocka_unit_test_setup_teardown(a_peer_that_answers_pings_stays, start_pinging, stop),
        cmocka_unit_test_setup_teardown(a_slow_reader_who_reads_is_not_taken_for_dead, start_pinging_seldom, stop),
        cmocka_unit_test_setup_teardown(a_dead_peer_is_closed_after_the_grace, start_pinging, stop),
        T(a_peer_that_goes_away_is_noticed),
        T(close_all_closes_each_with_its_code_spread_over_time),
        T(close_all_ends_in_time_though_nobody_answers),
        T(destroying_cuts_off_whatever_is_there),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

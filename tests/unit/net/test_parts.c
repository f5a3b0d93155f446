/* Frames, messages from pieces, the outbox, the wheel: the parts that need no socket. */
#include "net/net_frame.h"
#include "net/net_outbox.h"
#include "net/net_wheel.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static void a_frame_has_the_shortest_header(void **state)
{
    static const struct {
        size_t n;
        unsigned head_n;
    } rows[] = {{0, 2}, {125, 2}, {126, 4}, {65535, 4}, {65536, 10}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char *text = calloc(1, rows[i].n + 1);
        struct frame *f = frame_create((struct str){text, rows[i].n});

        assert_int_equal(f->head_n, rows[i].head_n);
        assert_int_equal(f->n, rows[i].head_n + rows[i].n);
        assert_int_equal(f->bytes[0], 0x81);
        assert_int_equal(frame_payload(f).n, rows[i].n);
        frame_unref(frame_ref(f));
        frame_unref(f);
        free(text);
    }
    frame_unref(NULL);
}

static void utf8_is_what_RFC_3629_says(void **state)
{
    static const struct {
        const char *s;
        bool ok;
    } rows[] = {
        {"", true}, {"plain", true}, {"eight bytes and more", true}, {"\xc3\xa9", true}, {"\xe4\xb8\xad", true},
        {"\xf0\x9f\x93\xa6", true}, {"\xf4\x8f\xbf\xbf", true}, {"\xed\x9f\xbf", true}, {"\xee\x80\x80", true},
        {"\x80", false}, {"\xc3", false}, {"\xc0\xaf", false}, {"\xc1\xbf", false}, {"\xe0\x80\xaf", false},
        {"\xed\xa0\x80", false}, {"\xf0\x80\x80\xaf", false}, {"\xf4\x90\x80\x80", false}, {"\xf5\x80\x80\x80", false},
        {"\xff", false}, {"\xe4\xb8", false}, {"\xe4\xb8z", false}, {"12345678\xe4", false}, {"1234567\xe4\xb8\xad", true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (frame_is_utf8(str_of(rows[i].s)) != rows[i].ok)
            fail_msg("row %zu", i);
    assert_true(frame_is_utf8((struct str){"a\0b", 3}));
}

static void a_message_grows_only_to_its_limit(void **state)
{
    struct message m = {0};

    (void)state;
    assert_int_equal(message_add(&m, STR("abc"), true, 6), 0);
    assert_int_equal(message_add(&m, STR("def"), false, 6), 0);
    assert_true(str_is(message_str(&m), "abcdef"));
    assert_int_equal(message_add(&m, STR("g"), false, 6), CLOSE_TOO_BIG);
    assert_null(m.pieces);
    for (unsigned i = 0; i < FRAME_PIECES_MAX; i++)
        assert_int_equal(message_add(&m, STR(""), true, 6), 0);
    assert_int_equal(message_add(&m, STR(""), true, 6), CLOSE_POLICY);
    message_fini(&m);
}

static struct frame *numbered(unsigned i)
{
    char text[16];

    return frame_create((struct str){text, (size_t)snprintf(text, sizeof text, "%u", i)});
}

static void expect_next(struct outbox *o, const char *text)
{
    struct frame *f = outbox_take(o);

    assert_non_null(f);
    assert_true(str_is(frame_payload(f), text));
    frame_unref(f);
}

static void an_outbox_keeps_the_order_and_counts(void **state)
{
    struct outbox o = {0};
    unsigned in = 0, out = 0;
    char text[16];

    (void)state;
    srandom(3);
    for (unsigned i = 0; i < 5000; i++) {
        for (long k = random() % 5; k > 0; k--) {
            struct frame *f = numbered(in++);

            outbox_push(&o, f, true);
            frame_unref(f);
        }
        for (long k = random() % 5; k > 0 && !outbox_is_empty(&o); k--) {
            snprintf(text, sizeof text, "%u", out++);
            expect_next(&o, text);
        }
        assert_int_equal(outbox_answers(&o), in - out);
        assert_int_equal(o.q ? o.q->n : 0, in - out);
    }
    outbox_fini(&o);
    assert_null(o.q);
}

static void signals_are_merged_by_key_and_come_after_frames(void **state)
{
    struct outbox o = {0};
    struct frame *f;

    (void)state;
    for (unsigned i = 0; i < 500; i++) {
        f = numbered(i);
        outbox_push_signal(&o, i % 100, f);
        frame_unref(f);
    }
    assert_int_equal(o.q->signals_n, OUTBOX_SIGNALS); /* of 100 keys the first 64 got a place */
    f = numbered(7777);
    outbox_push(&o, f, false);
    frame_unref(f);
    expect_next(&o, "7777");
    expect_next(&o, "400");
    expect_next(&o, "401");
    outbox_drop(&o, false);
    assert_true(outbox_is_empty(&o));
    outbox_fini(&o);
}

struct fired {
    struct wheel_node node;
    int64_t at_ms; /* 0: not yet */
};

static void on_fire(struct wheel_node *node, int64_t now_ms)
{
    ((struct fired *)((char *)node - offsetof(struct fired, node)))->at_ms = now_ms;
}

static void a_wheel_fires_each_once_and_never_early(void **state)
{
    static struct wheel w;
    static struct fired all[3000];
    int64_t now = 1000000;

    (void)state;
    srandom(5);
    wheel_init(&w, 10, now);
    for (size_t i = 0; i < 3000; i++) {
        all[i].node.fire = on_fire;
        wheel_add(&w, &all[i].node, now + random() % 60000); /* several times round */
    }
    for (size_t i = 0; i < 3000; i += 7)
        wheel_del(&all[i].node);
    for (int64_t end = now + 70000; now < end; now += 1 + random() % 30)
        wheel_turn(&w, now);
    for (size_t i = 0; i < 3000; i++) {
        if (i % 7 == 0) {
            assert_int_equal(all[i].at_ms, 0);
            continue;
        }
        assert_true(all[i].at_ms >= all[i].node.at_ms);
        assert_true(all[i].at_ms <= all[i].node.at_ms + 10 + 31);
    }
    assert_null(wheel_any(&w));
}

static void a_wheel_that_slept_fires_all_that_is_due(void **state)
{
    static struct wheel w;
    struct fired a = {.node.fire = on_fire}, b = {.node.fire = on_fire};

    (void)state;
    wheel_init(&w, 10, 0);
    wheel_add(&w, &a.node, 500);
    wheel_add(&w, &b.node, 50000000);
    wheel_turn(&w, 40000000);
    assert_int_equal(a.at_ms, 40000000);
    assert_int_equal(b.at_ms, 0);
    wheel_turn(&w, 60000000);
    assert_int_equal(b.at_ms, 60000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_frame_has_the_shortest_header),
        cmocka_unit_test(utf8_is_what_RFC_3629_says),
        cmocka_unit_test(a_message_grows_only_to_its_limit),
        cmocka_unit_test(an_outbox_keeps_the_order_and_counts),
        cmocka_unit_test(signals_are_merged_by_key_and_come_after_frames),
        cmocka_unit_test(a_wheel_fires_each_once_and_never_early),
        cmocka_unit_test(a_wheel_that_slept_fires_all_that_is_due),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

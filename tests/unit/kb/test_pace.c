/* When a chat is looked up, and how many at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kb/kb_pace.h"

#define N(rows) (sizeof(rows) / sizeof *(rows))

static void what_is_said_is_looked_up_in_time(void **state)
{
    static const struct {
        const char *what;
        struct kb_pace pace;
        bool is_preview;
        int64_t now_ms, due_ms;
    } rows[] = {
        {"the first message, at once", {0}, false, 5000, 5000},
        {"the first unsent text, when it has rested", {0}, true, 5000, 5300},
        {"a message long after the last one, at once", {.started_ms = 5000}, false, 9000, 9000},
        {"as soon as the pace allows", {.started_ms = 5000}, false, 5400, 5400},
        {"a message close behind another", {.started_ms = 5000}, false, 5399, 5699},
        {"very close: not before the pace allows", {.started_ms = 5000}, false, 5020, 5400},
        {"a third one, while the second waits: it rests anew", {.started_ms = 5000, .waits = true}, false, 5600, 5900},
        {"they go on and on: now", {.started_ms = 5000, .waits = true}, false, 6950, 7000},
        {"that time has come", {.started_ms = 5000, .waits = true}, false, 7000, 7000},
        {"that time is past", {.started_ms = 5000, .waits = true}, false, 7800, 7800},
        {"unsent text behind a message", {.started_ms = 5000}, true, 5050, 5400},
        {"unsent text later", {.started_ms = 5000}, true, 6000, 6300},
    };

    (void)state;
    for (size_t i = 0; i < N(rows); i++) {
        int64_t due = kb_pace_due(&rows[i].pace, rows[i].is_preview, rows[i].now_ms);

        if (due != rows[i].due_ms)
            fail_msg("%s: due at %lld, not %lld", rows[i].what, (long long)due, (long long)rows[i].due_ms);
    }
}

/* Messages without end, in all sorts of distances: nothing waits longer than a breath, and no two look-ups come closer than the pace. */
static void nothing_waits_longer_than_a_breath(void **state)
{
    (void)state;
    for (int64_t apart = 1; apart <= 900; apart += 7) {
        struct kb_pace p = {0};
        int64_t now = 1000000, due = 0, waits_since = 0;

        for (unsigned i = 0; i < 2000; i++, now += apart) {
            if (p.waits && now >= due) { /* the tick between two messages */
                assert_true(due - p.started_ms >= KB_PACE_MS);
                assert_true(due - waits_since <= KB_BREATH_MS);
                p = (struct kb_pace){.started_ms = due};
            }
            due = kb_pace_due(&p, false, now);
            assert_true(due >= now && due <= now + KB_BREATH_MS);
            if (!p.waits)
                waits_since = now;
            p.waits = due > now;
            if (!p.waits) {
                assert_true(!p.started_ms || now - p.started_ms >= KB_PACE_MS);
                p.started_ms = now;
            }
        }
    }
}

/* All that are due have their turn before one of them is due again: whoever stands last in the walk is never passed over for good. */
static void many_are_started_by_shares_few_at_once(void **state)
{
    (void)state;
    assert_int_equal(kb_pace_share(0), 4);
    assert_int_equal(kb_pace_share(7), 4);
    assert_int_equal(kb_pace_share(100), 16);
    for (uint32_t n = 1; n < 100000; n = n * 2 + 1) {
        uint32_t left = n, ticks = 0;

        for (; left > 0; ticks++)
            left -= left < kb_pace_share(n) ? left : kb_pace_share(n);
        assert_true(ticks * 50 <= KB_PACE_MS);
        assert_true(n < 32 || ticks >= 4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_said_is_looked_up_in_time),
        cmocka_unit_test(nothing_waits_longer_than_a_breath),
        cmocka_unit_test(many_are_started_by_shares_few_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* When the jobs look, how much they take at once, what may leave Redis. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "jobs/jobs_pace.h"
#include "link/link.h"

#define N(rows) (sizeof(rows) / sizeof *(rows))

static void the_feed_looks_when_it_is_due(void **state)
{
    static const struct {
        const char *what;
        struct jobs_pace pace;
        int64_t now_ms;
        bool is_due;
    } rows[] = {
        {"never looked", {.kicked = true}, 1000000, true},
        {"just looked", {.looked_at_ms = 5000}, 5100, false},
        {"looked long ago, nothing known of", {.looked_at_ms = 5000}, 5400, true},
        {"kicked at once again: what comes is gathered", {.looked_at_ms = 5000, .kicked = true}, 5399, false},
        {"kicked, and gathered for long enough", {.looked_at_ms = 5000, .kicked = true}, 5400, true},
        {"something was left", {.looked_at_ms = 5000, .at_once = true, .kicked = true}, 5000, true},
        {"failed: it rests", {.looked_at_ms = 5000, .retry_at_ms = 6000, .kicked = true}, 5999, false},
        {"failed, something was left: it rests as well", {.looked_at_ms = 5000, .retry_at_ms = 6000, .at_once = true}, 5999, false},
        {"failed, and rested", {.looked_at_ms = 5000, .retry_at_ms = 6000, .kicked = true}, 6000, true},
    };

    (void)state;
    for (size_t i = 0; i < N(rows); i++)
        if (jobs_feed_is_due(&rows[i].pace, rows[i].now_ms) != rows[i].is_due)
            fail_msg("%s: due %d", rows[i].what, !rows[i].is_due);
}

/* A round is one transaction and one look at Redis: it stays small, and each log of it gets on. */
static void a_round_is_bounded_and_every_log_gets_on(void **state)
{
    int64_t before = INT64_MAX;

    (void)state;
    assert_int_equal(jobs_feed_rows(1), 4096);
    assert_int_equal(jobs_feed_rows(2), 2048);
    assert_int_equal(jobs_feed_rows(128), 32);
    assert_int_equal(jobs_feed_rows(JOBS_FEED_LOGS), 32);
    for (size_t n = 1; n <= JOBS_FEED_LOGS; n++) {
        int64_t rows = jobs_feed_rows(n);

        assert_true(rows >= 32 && rows <= before);
        assert_true((int64_t)n * rows <= 4096 || rows == 32);
        before = rows;
    }
}

static void a_round_rests_between_reads_but_not_for_long(void **state)
{
    static const struct {
        const char *what;
        bool is_late;
        int64_t read_ms, now_ms; /* it began at 5000 */
        bool reads_on;
    } rows[] = {
        {"just read", false, 5010, 5010, false},
        {"rested a little", false, 5010, 5013, false},
        {"rested", false, 5010, 5014, true},
        {"a round behind one that left something", true, 5010, 5010, true},
        {"a quarter of a second is over", false, 5250, 5250, true},
        {"not quite", false, 5249, 5249, false},
    };
    int64_t now = 5000, reads = 0;

    (void)state;
    for (size_t i = 0; i < N(rows); i++)
        if (jobs_feed_reads_on(rows[i].is_late, 5000, rows[i].read_ms, rows[i].now_ms) != rows[i].reads_on)
            fail_msg("%s: reads on %d", rows[i].what, !rows[i].reads_on);
    assert_true(jobs_feed_reads(false) < jobs_feed_reads(true));
    for (int64_t left = JOBS_FEED_LOGS; left > 0; left -= jobs_feed_reads(false), reads++) /* all of a round, a turn each ms */
        for (int64_t read = now; !jobs_feed_reads_on(false, 5000, read, now); now++)
            ;
    assert_true(now - 5000 <= 250);
    assert_true(reads > 1);
}

static void a_backlog_is_written_calmly_only_while_it_shrinks(void **state)
{
    static const struct {
        const char *what;
        bool leaves_some;
        int64_t came, rows;
        bool is_calm;
    } rows[] = {
        {"nothing waits behind it", false, 1000, 1, true},
        {"nothing waits behind it, another life of the data", false, -1000, 1, true},
        {"half as much again as came", true, 1000, 1500, true},
        {"not quite", true, 1000, 1499, false},
        {"as much as came: it would never end", true, 1000, 1000, false},
        {"nothing came meanwhile", true, 0, 1, true},
        {"another life of the data: what came isn't known", true, -1000, 4096, false},
    };

    (void)state;
    for (size_t i = 0; i < N(rows); i++)
        if (jobs_feed_may_be_calm(rows[i].leaves_some, rows[i].came, rows[i].rows) != rows[i].is_calm)
            fail_msg("%s: calm %d", rows[i].what, !rows[i].is_calm);
}

static void chats_are_freed_a_look_a_second(void **state)
{
    (void)state;
    assert_false(jobs_free_is_due(5000, 5999));
    assert_true(jobs_free_is_due(5000, 6000));
    assert_true(jobs_free_is_due(0, 1000000));
}

/* PROMISES 2.7: nothing leaves Redis before the archive has it whole; what isn't known is no yes. */
static void a_chat_goes_only_when_the_archive_has_it_whole(void **state)
{
    static const struct link_extent none = {0, 0, 0}, some = {12, 9, 12};
    static const struct {
        const char *what;
        const struct link_extent *extent;
        enum jobs_archived archived;
        enum jobs_free_step next;
    } rows[] = {
        {"Redis didn't say", NULL, ARCHIVED_NOT_ASKED, FREE_PUT_OFF},
        {"Redis didn't say, the archive has one", NULL, ARCHIVED_WHOLE, FREE_PUT_OFF},
        {"nothing is there", &none, ARCHIVED_NOT_ASKED, FREE_FORGET},
        {"not asked yet", &some, ARCHIVED_NOT_ASKED, FREE_ASK},
        {"the archive couldn't be read", &some, ARCHIVED_UNKNOWN, FREE_PUT_OFF},
        {"the archive lacks some of it", &some, ARCHIVED_NOT, FREE_PUT_OFF},
        {"all of it is archived", &some, ARCHIVED_WHOLE, FREE_GO},
    };

    (void)state;
    for (size_t i = 0; i < N(rows); i++)
        if (jobs_free_next(rows[i].extent, rows[i].archived) != rows[i].next)
            fail_msg("%s: step %d", rows[i].what, (int)jobs_free_next(rows[i].extent, rows[i].archived));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_feed_looks_when_it_is_due),
        cmocka_unit_test(a_round_is_bounded_and_every_log_gets_on),
        cmocka_unit_test(a_round_rests_between_reads_but_not_for_long),
        cmocka_unit_test(a_backlog_is_written_calmly_only_while_it_shrinks),
        cmocka_unit_test(chats_are_freed_a_look_a_second),
        cmocka_unit_test(a_chat_goes_only_when_the_archive_has_it_whole),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

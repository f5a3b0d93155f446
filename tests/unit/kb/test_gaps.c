/* Questions that ask the same stand in one group. */
#include "kb/kb_gaps.h"
#include "kb/kb_kit.h"

static void questions_that_ask_the_same_are_grouped_the_largest_first(void **state)
{
    static const char *const text[] = {"do you ship to Norway", "can I bring my dog to the shop", "shipping to Norway possible?",
                                       "你们发货到挪威吗", "do you ship to Norway or Sweden", "挪威可以发货吗", ""};
    struct str q[7];
    unsigned group[7], middle[7];

    (void)state;
    for (int i = 0; i < 7; i++)
        q[i] = str_of(text[i]);
    assert_int_equal(kb_gaps_group(q, 7, group, middle, NULL), 4);
    assert_int_equal(group[0], 0);
    assert_int_equal(group[2], 0);
    assert_int_equal(group[4], 0);
    assert_int_equal(group[3], group[5]);
    assert_int_equal(group[3], 1);
    assert_true(group[1] > 1 && group[6] > 1 && group[1] != group[6]);
    assert_int_equal(group[middle[0]], 0);
    assert_int_equal(middle[group[1]], 1);
}

static void none_and_too_many_are_said(void **state)
{
    struct str *q = calloc(KB_GAPS_MAX + 1, sizeof *q);
    unsigned group[1], middle[1];

    (void)state;
    assert_int_equal(kb_gaps_group(q, 0, group, middle, NULL), 0);
    assert_int_equal(kb_gaps_group(q, KB_GAPS_MAX + 1, group, middle, NULL), ERR_FULL);
    free(q);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_that_ask_the_same_are_grouped_the_largest_first),
        cmocka_unit_test(none_and_too_many_are_said),
    };

    return cmocka_run_group_tests_name("kb/gaps", tests, NULL, NULL);
}

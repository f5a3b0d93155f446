/* What a question's unknown words may have been meant as, and that whole questions are found by it. */
#include "kb/kb_kit.h"
#include "kb/kb_spelling.h"

static struct kb_spelling *words_of(const char *text)
{
    struct kb_spelling *s = kb_spelling_create();

    kb_spelling_learn(s, str_of(text));
    return s;
}

/* Fails unless text, mended, is expected; "": nothing is to mend. */
static void assert_mended(const char *known, const char *text, const char *expected)
{
    struct kb_spelling *s = words_of(known);
    struct buf out;

    buf_init(&out, 1000);
    assert_int_equal(kb_spelling_mend(s, str_of(text), &out), expected[0] != 0);
    if (expected[0])
        assert_string_equal(out.p, expected);
    buf_fini(&out);
    kb_spelling_destroy(s);
}

static void a_letter_missing_doubled_wrong_or_swapped_is_mended(void **state)
{
    (void)state;
    assert_mended("mattress", "Matress", "mattress ");
    assert_mended("mattress", "matttress", "mattress ");
    assert_mended("mattress", "maktress", "mattress ");
    assert_mended("mattress", "matrtess", "mattress ");
    assert_mended("mattress", "the mattres?", "the mattress ");
    assert_mended("mattress", "matters", ""); /* two steps */
    assert_mended("mattress", "attress", ""); /* another beginning */
    assert_mended("доставка", "дотсавка", "доставка ");
}

static void what_is_known_common_short_or_no_word_stays(void **state)
{
    (void)state;
    assert_mended("rate late", "late", "");
    assert_mended("there", "their", "");
    assert_mended("card", "car", "");
    assert_mended("order1234", "order1243", "");
    assert_mended("退款", "退货", "");
}

static void the_most_frequent_is_meant_and_of_several_the_oldest(void **state)
{
    (void)state;
    assert_mended("price prize price", "prixe", "price ");
    assert_mended("prize price", "prixe", "prize ");
}

static void more_than_a_question_may_have_is_not_looked_at(void **state)
{
    struct kb_spelling *s = words_of("mattress");
    struct buf text, out;

    (void)state;
    buf_init(&text, 10000);
    buf_init(&out, 10000);
    for (int i = 0; i < SPELLING_MENDS_MAX; i++)
        buf_printf(&text, "zebra%c ", 'a' + i % 26);
    buf_add_s(&text, "matress");
    assert_false(kb_spelling_mend(s, (struct str){text.p, text.n}, &out));
    buf_fini(&text);
    buf_fini(&out);
    kb_spelling_destroy(s);
}

static void a_slip_finds_the_article_and_an_accepted_slip_its_very_own(void **state)
{
    struct kit *k = *state;
    char other[64], right[64];

    kit_load(k);
    snprintf(right, sizeof right, "%s", kit_first(k, "track my parcel"));
    assert_string_equal(kit_first(k, "trcak my pacrel"), right);
    snprintf(other, sizeof other, "%s", kit_first(k, "forgot my password"));
    assert_string_not_equal(other, right);
    /* accepted for other words than were meant: it is these words that are found again, before and after they
     * are known */
    assert_int_equal(kit_accept(k, other, "trcak my pacrel", "rep-1"), 0);
    assert_string_equal(kit_first(k, "trcak my pacrel"), other);
    assert_int_equal(kit_accept(k, other, "pacrel trcak", "rep-2"), 0);
    assert_string_equal(kit_first(k, "trcak my pacrel"), other);
    assert_string_equal(kit_first(k, "track my parcel"), right);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_letter_missing_doubled_wrong_or_swapped_is_mended),
        cmocka_unit_test(what_is_known_common_short_or_no_word_stays),
        cmocka_unit_test(the_most_frequent_is_meant_and_of_several_the_oldest),
        cmocka_unit_test(more_than_a_question_may_have_is_not_looked_at),
        cmocka_unit_test_setup_teardown(a_slip_finds_the_article_and_an_accepted_slip_its_very_own, kit_setup,
                                        kit_teardown),
    };

    return cmocka_run_group_tests_name("kb/spelling", tests, NULL, NULL);
}

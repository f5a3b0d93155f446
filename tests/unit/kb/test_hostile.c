/* Whatever is typed: an answer or a clear refusal. */
#include "kb/kb_kit.h"

static void syntax_of_any_kind_is_only_text(void **state)
{
    struct kit *k = *state;
    static const char *const typed[] = {
        "\"", "*", "NEAR(refund return, 2)", "refund AND", "- - -", "^title : x", "title:refund OR {a b}", "'; DROP TABLE mark; --", "%_%",
        "refund\xff\xfe\xc0\x80", "\xed\xa0\x80", "😀😀😀", "👩‍👩‍👧 refund 退款 ????", "ｒｅｆｕｎｄ", "возврат 退款 رد المبلغ คืนเงิน", "a\xcc\x81\xcc\x81\xcc\x81", "0", "?"};

    kit_load(k);
    for (size_t i = 0; i < sizeof typed / sizeof typed[0]; i++) {
        kit_first(k, typed[i]);
        for (int j = 0; j < k->hits; j++)
            assert_true(k->hit[j].confidence >= 0 && k->hit[j].confidence <= 1);
    }
}

static void nothing_that_is_a_word_finds_nothing(void **state)
{
    struct kit *k = *state;

    kit_load(k);
    assert_string_equal(kit_first(k, ""), "");
    assert_string_equal(kit_first(k, " \n\t ... !!! ---"), "");
    assert_string_equal(kit_first(k, "😀😀😀"), "");
    assert_int_equal(kit_accept(k, "coupons", "😀", "r_1"), 0);
}

static void a_megabyte_is_refused_and_a_long_question_answered(void **state)
{
    struct kit *k = *state;
    struct kb_filter filter = {.audience = KB_REP};
    size_t n = 1 << 20;
    char *text = malloc(n + 1);

    kit_load(k);
    memset(text, 'x', n);
    text[n] = 0;
    assert_int_equal(kb_suggest(k->kb, (struct str){text, n}, &filter, 5, k->hit, NULL), ERR_TOO_LARGE);
    assert_int_equal(kb_accept(k->kb, STR("coupons"), (struct str){text, n}, STR("r_1"), 1, NULL), ERR_TOO_LARGE);
    for (size_t i = 0; i + 8 <= KB_QUESTION_MAX; i += 8)
        memcpy(text + i, "refund \xe9", 8);
    k->hits = kb_suggest(k->kb, (struct str){text, KB_QUESTION_MAX}, &filter, 5, k->hit, NULL);
    assert_true(k->hits > 0);
    free(text);
}

static void ten_thousand_articles_are_taken_and_one_more_refused(void **state)
{
    struct kit *k = *state;
    struct kb_article **articles = malloc((KB_ARTICLES_MAX + 1) * sizeof *articles);
    char id[32], title[64];

    for (int i = 0; i <= KB_ARTICLES_MAX; i++) {
        snprintf(id, sizeof id, "a-%d", i);
        snprintf(title, sizeof title, "part %d of machine %d", i, i % 97);
        articles[i] = kb_article_make(str_of(id), STR("en"), str_of(title), STR("It is described here."));
    }
    assert_int_equal(kb_load_articles(k->kb, articles, KB_ARTICLES_MAX + 1, STR_NONE, NULL), ERR_FULL);
    assert_int_equal(kb_load_articles(k->kb, articles, KB_ARTICLES_MAX, STR_NONE, NULL), 0);
    for (int i = 0; i <= KB_ARTICLES_MAX; i++)
        kb_article_unref(articles[i]);
    free(articles);
    assert_string_equal(kit_first(k, "where is part 4711"), "a-4711");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(syntax_of_any_kind_is_only_text),
        TEST(nothing_that_is_a_word_finds_nothing),
        TEST(a_megabyte_is_refused_and_a_long_question_answered),
        TEST(ten_thousand_articles_are_taken_and_one_more_refused),
    };

    return cmocka_run_group_tests_name("kb/hostile", tests, NULL, NULL);
}

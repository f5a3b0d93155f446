/* What endings behind an apostrophe, marks, and words that are known or not do to a question. */
#include "kb/kb_features.h"
#include "kb/kb_forms.h"
#include "kb/kb_grams.h"
#include "kb/kb_synonyms.h"
#include "kb/kb_kit.h"

struct cutting {
    struct str text;
    struct buf *out;
};

static int cut(void *ctx, struct str word, size_t start, size_t end, unsigned flags)
{
    struct cutting *c = ctx;
    char head[KB_WORD_BYTES];

    (void)flags;
    buf_add_str(c->out, kb_forms_cut(word, (struct str){c->text.s + start, end - start}, head));
    buf_add_c(c->out, ' ');
    return 0;
}

/* Fails unless the words of text, without endings, are expected. */
static void assert_cut(const char *text, const char *expected)
{
    struct buf out;

    buf_init(&out, 1000);
    kb_words(str_of(text), KB_WORDS_WHOLE, cut, &(struct cutting){str_of(text), &out});
    buf_add(&out, "", 1);
    assert_string_equal(out.p, expected);
    buf_fini(&out);
}

static void an_ending_behind_an_apostrophe_goes(void **state)
{
    (void)state;
    assert_cut("Ankara'nın Ankara’daki ANKARA'YA İstanbul'un", "ankara ankara ankara istanbul ");
    assert_cut("the shop's what's they'll", "the shop what they ");
    assert_cut("`Ankara` 'Ankara' Ankara'", "ankara ankara ankara ");
}

static void what_is_no_ending_stays(void **state)
{
    (void)state;
    assert_cut("can't CAN'T I'm o'clock", "cant cant im oclock "); /* a not, short words */
    assert_cut("d'accord dell'arte aujourd'hui", "daccord dellarte aujourdhui ");
    assert_cut("пам'ять комп’ютер", "память компютер ");
    assert_cut("rock'nnnroll", "rocknnnroll ");
    assert_cut("''' \xE2\x80'", "");
}

static void assert_same_marked(const char *a, const char *b, bool same)
{
    char x[KB_WORD_BYTES], y[KB_WORD_BYTES];
    size_t n = kb_forms_marked(str_of(a), x), m = kb_forms_marked(str_of(b), y);

    assert_true(n > 0 && m > 0);
    assert_int_equal(n == m && memcmp(x, y, n) == 0, same);
}

static void a_syllable_keeps_its_marks_however_they_are_written(void **state)
{
    (void)state;
    assert_same_marked("TRẢ", "trả", true);
    assert_same_marked("trả", "tra\xCC\x89", true);
    assert_same_marked("trả", "trà", false);
    assert_same_marked("trả", "tra", false);
    assert_same_marked("đi", "di", false);
}

static void vietnamese_is_told_by_its_letters(void **state)
{
    (void)state;
    assert_true(kb_forms_has_tones(STR("trả")));
    assert_true(kb_forms_has_tones(STR("Mỹ")));
    assert_true(kb_forms_has_tones(STR("ơ")));
    assert_true(kb_forms_has_tones(STR("co\xCC\x9B")));
    assert_false(kb_forms_has_tones(STR("tra lai tien")));
    assert_false(kb_forms_has_tones(STR("à côté, größer, ação, Łódź, İş, дом")));
    assert_false(kb_forms_has_tones(STR("ok \xE1\xBA")));
    assert_false(kb_forms_has_tones(STR("")));
}

/* Of two articles the one that is suggested first. */
static const char *first_of(struct kit *k, const char *lang, const char *a, const char *b, const char *question)
{
    struct kb_article *both[] = {kb_article_make(STR("a"), str_of(lang), STR(""), str_of(a)),
                                 kb_article_make(STR("b"), str_of(lang), STR(""), str_of(b))};

    assert_int_equal(kb_load_articles(k->kb, both, 2, STR_NONE, NULL), 0);
    kb_article_unref(both[0]);
    kb_article_unref(both[1]);
    return kit_first(k, question);
}

static void marks_tell_articles_apart_that_are_the_same_without(void **state)
{
    static const char *const sell = "Chúng tôi bán hàng", *const friend = "Chúng tôi bạn hàng";

    assert_string_equal(first_of(*state, "vi", sell, friend, "bán ở đâu"), "a");
    assert_string_equal(first_of(*state, "vi", friend, sell, "bán ở đâu"), "b");
}

/* What an article with the word's grams, but not the word, scores for it, where known other articles have the word. */
static float score_of_grams(unsigned known, float power)
{
    static struct kb_features f;
    struct kb_tuning t = kb_tuning_default;
    struct kb_grams *g;
    float out[8];

    t.known_power = power;
    g = kb_grams_create(&t, 8);
    for (unsigned c = 0; c < 8; c++) {
        kb_features_reset(&f);
        kb_features_add(&f, NULL, c == 7 ? STR("deliveryman") : c < known ? STR("delivery") : STR("x"));
        kb_grams_add(g, &f, c, 1);
    }
    kb_features_reset(&f);
    kb_features_add(&f, NULL, STR("delivery"));
    kb_grams_score(g, &f, out);
    kb_grams_destroy(g);
    return out[7];
}

static void the_grams_of_a_known_word_count_less(void **state)
{
    (void)state;
    assert_true(score_of_grams(0, 0.5f) == score_of_grams(0, 0)); /* they are all that is known of it */
    assert_true(score_of_grams(1, 0.5f) < score_of_grams(1, 0));
    assert_true(score_of_grams(3, 0.5f) / score_of_grams(3, 0) < score_of_grams(1, 0.5f) / score_of_grams(1, 0));
}

static void add_member(void *ctx, struct str phrase, uint32_t group)
{
    buf_printf(ctx, "%u:%.*s|", group, STR_FMT(phrase));
}

static void members_of_a_group_are_parted_by_commas_of_either_script(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    kb_synonyms_each(STR("refund,money back\n退款，退钱、返款,refund # 说明，一\n一"), add_member, &b);
    assert_string_equal(b.p, "1:refund|1:money back|2:退款|2:退钱|2:返款|2:refund |3:一|");
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_ending_behind_an_apostrophe_goes),
        cmocka_unit_test(what_is_no_ending_stays),
        cmocka_unit_test(a_syllable_keeps_its_marks_however_they_are_written),
        cmocka_unit_test(vietnamese_is_told_by_its_letters),
        cmocka_unit_test_setup_teardown(marks_tell_articles_apart_that_are_the_same_without, kit_setup, kit_teardown),
        cmocka_unit_test(the_grams_of_a_known_word_count_less),
        cmocka_unit_test(members_of_a_group_are_parted_by_commas_of_either_script),
    };

    return cmocka_run_group_tests_name("kb/forms", tests, NULL, NULL);
}

/* Ten thousand articles: a question looks at so much and no more, at the rarest first, and finds what it asks
 * for. */
#include "kb/kb_cut.h"
#include "kb/kb_grams.h"
#include "kb/kb_kit.h"
#include "kb/kb_learn.h"
#include "kb/kb_rank.h"
#include "kb/kb_spelling.h"

#define CLASSES_N 10000
#define RARE(c)   (100000u + (c)) /* a word of one class alone */

/* Whether each is taken, as '1' and '0'. */
static void assert_taken(const uint32_t *cost, unsigned n, uint32_t bound, const char *expected)
{
    struct kb_cut cut = kb_cut_of(cost, n, bound);
    char got[16] = "";

    for (unsigned i = 0; i < n; i++)
        got[i] = kb_cut_takes(&cut, cost[i]) ? '1' : '0';
    assert_string_equal(got, expected);
}

static void the_cheapest_are_taken_and_of_equals_the_first(void **state)
{
    (void)state;
    assert_taken((uint32_t[]){5, 1, 3, 0}, 4, 9, "1111");
    assert_taken((uint32_t[]){5, 1, 3, 0}, 4, 8, "0111");
    assert_taken((uint32_t[]){5, 1, 3, 0}, 4, 3, "0101");
    assert_taken((uint32_t[]){4, 4, 4, 1}, 4, 10, "1101");
    assert_taken((uint32_t[]){4, 4, 4}, 3, 3, "000");
    assert_taken((uint32_t[]){UINT32_MAX, 7, UINT32_MAX}, 3, UINT32_MAX, "010");
    assert_taken((uint32_t[]){0, 2}, 2, 0, "10");
}

static void put(struct kb_features *f, uint32_t hash, enum kb_feature_kind kind, unsigned word)
{
    f->v[f->n++] = (struct kb_feature){.hash = hash, .kind = (uint16_t)kind, .tf = 1, .word = (uint16_t)word};
}

/* n words from first on. */
static void put_words(struct kb_features *f, uint32_t first, unsigned n)
{
    for (unsigned i = 0; i < n; i++)
        put(f, first + i, KB_F_WORD, 0);
}

static unsigned first_of(const float *scores)
{
    unsigned first = CLASSES_N;

    kb_rank_top(scores, CLASSES_N, 1, &first);
    return first;
}

/* Each class has a rare word, and each of words_n words up to the class that it goes to. */
static struct kb_grams *grams_of(unsigned words_n, unsigned (*upto)(unsigned word))
{
    struct kb_grams *g = kb_grams_create(&kb_tuning_default, CLASSES_N);
    static struct kb_features f;

    for (unsigned c = 0; c < CLASSES_N; c++) {
        kb_features_reset(&f);
        put(&f, RARE(c), KB_F_WORD, 0);
        for (unsigned w = 0; w < words_n; w++)
            if (c < upto(w))
                put(&f, 1 + w, KB_F_WORD, 0);
        kb_grams_add(g, &f, c, 1);
    }
    return g;
}

static unsigned everywhere(unsigned word)
{
    (void)word;
    return CLASSES_N;
}

static void words_of_all_articles_are_left_out_and_a_rare_one_finds_its_own(void **state)
{
    struct kb_grams *g = grams_of(100, everywhere);
    static struct kb_features f;
    static float scores[CLASSES_N];

    (void)state;
    kb_features_reset(&f);
    put_words(&f, 1, 100);
    put(&f, RARE(4711), KB_F_WORD, 0);
    kb_grams_score(g, &f, scores);
    assert_int_equal(kb_grams_visited(g), 1 + (KB_GRAMS_VISITS_MAX - 1) / CLASSES_N * CLASSES_N);
    assert_int_equal(first_of(scores), 4711);
    kb_grams_destroy(g);
}

/* The words, of which the first ten stand in more articles than the rest. */
static unsigned ten_in_nine_thousand(unsigned word)
{
    return word < 10 ? 9000 : 8000;
}

static void grams_of_a_known_word_go_before_words_that_are_in_more_articles(void **state)
{
    struct kb_grams *g = grams_of(50, ten_in_nine_thousand);
    static struct kb_features f;
    static float scores[CLASSES_N];
    uint32_t words = 1 + 10 * 9000;

    (void)state;
    kb_features_reset(&f);
    put(&f, RARE(4711), KB_F_WORD, 0);
    for (uint32_t i = 0; i < 40; i++)
        put(&f, 11 + i, KB_F_CHARS, 1);
    put_words(&f, 1, 10);
    kb_grams_score(g, &f, scores);
    assert_int_equal(kb_grams_visited(g), words + (KB_GRAMS_VISITS_MAX - words) / 8000 * 8000);
    assert_int_equal(first_of(scores), 4711);
    kb_grams_destroy(g);
}

static unsigned in_seventy(unsigned word)
{
    (void)word;
    return 70;
}

static void of_seventy_articles_nothing_is_left_out(void **state)
{
    struct kb_grams *g = grams_of(KB_FEATURES_MAX - 1, in_seventy);
    static struct kb_features f;
    static float scores[CLASSES_N];

    (void)state;
    kb_features_reset(&f);
    put_words(&f, 1, KB_FEATURES_MAX - 1);
    put(&f, RARE(77), KB_F_WORD, 0);
    kb_grams_score(g, &f, scores);
    assert_int_equal(kb_grams_visited(g), 1 + 70 * (KB_FEATURES_MAX - 1));
    kb_grams_destroy(g);
}

static void weights_of_many_classes_are_read_up_to_the_bound(void **state)
{
    struct kb_learn *l = kb_learn_create(&kb_tuning_default, CLASSES_N);
    static struct kb_features f;
    static float scores[CLASSES_N];
    float without;

    (void)state;
    for (unsigned c = 0; c < CLASSES_N / 8 + 10; c++) { /* from then on dense */
        kb_features_reset(&f);
        put(&f, RARE(c), KB_F_WORD, 0);
        put_words(&f, 1, 250);
        kb_learn_add(l, &f, c, 1);
        kb_learn_step_last(l);
    }
    kb_features_reset(&f);
    put_words(&f, 1, 250);
    put(&f, RARE(CLASSES_N), KB_F_WORD, 0); /* nobody's */
    kb_learn_score(l, &f, scores);
    without = scores[77];
    f.v[250].hash = RARE(77);
    kb_learn_score(l, &f, scores);
    assert_in_range(kb_learn_visited(l), KB_LEARN_VISITS_MAX - CLASSES_N / 4 - 1, KB_LEARN_VISITS_MAX);
    assert_true(scores[77] > without + 0.01f);
    kb_learn_destroy(l);
}

static void what_is_taught_when_there_is_no_more_room_is_learned_all_the_same(void **state)
{
    struct kb_learn *l = kb_learn_create(&kb_tuning_default, 3);
    static struct kb_features f;
    float before[3], after[3];

    (void)state;
    kb_features_reset(&f);
    put(&f, RARE(0), KB_F_WORD, 0);
    for (unsigned i = 0; i < KB_EXAMPLES_MAX; i++)
        kb_learn_add(l, &f, 0, 1);
    f.v[0].hash = RARE(1);
    for (unsigned i = 0; i < 2; i++) {
        kb_learn_score(l, &f, before);
        kb_learn_add(l, &f, 1, 1);
        kb_learn_step_last(l);
        kb_learn_score(l, &f, after);
        assert_true(after[1] > before[1]);
    }
    assert_int_equal(kb_learn_examples(l), KB_EXAMPLES_MAX);
    kb_learn_destroy(l);
}

/* Whether a slip of a word finds it behind n newer ones that begin alike and are as long. */
static bool is_mended_behind(unsigned n)
{
    struct kb_spelling *s = kb_spelling_create();
    char word[] = "mattress";
    struct buf out;
    bool mended;

    buf_init(&out, 100);
    kb_spelling_learn(s, str_of(word));
    for (unsigned i = 0; i < n; i++) {
        for (unsigned k = 0, v = i; k < 7; k++, v /= 26)
            word[7 - k] = (char)('a' + v % 26);
        kb_spelling_learn(s, str_of(word));
    }
    mended = kb_spelling_mend(s, STR("maktress"), &out);
    buf_fini(&out);
    kb_spelling_destroy(s);
    return mended;
}

static void a_slip_is_compared_with_so_many_words_and_no_more(void **state)
{
    (void)state;
    assert_true(is_mended_behind(SPELLING_VISITS_MAX - 2));
    assert_false(is_mended_behind(SPELLING_VISITS_MAX));
}

static void a_long_question_over_ten_thousand_articles_finds_what_it_names(void **state)
{
    static const char usual[] = "order parcel refund return broken colour size delivery address payment";
    struct kit *k = *state;
    struct kb_article **articles = malloc(CLASSES_N * sizeof *articles);
    char id[32], title[128], question[KB_QUESTION_BYTES_OF_MANY];
    size_t n = 0;

    for (int i = 0; i < CLASSES_N; i++) {
        snprintf(id, sizeof id, "a-%d", i);
        snprintf(title, sizeof title, "%s part%d", usual, i);
        articles[i] = kb_article_make(str_of(id), STR("en"), str_of(title), STR(""));
    }
    assert_int_equal(kb_load_articles(k->kb, articles, CLASSES_N, STR_NONE, NULL), 0);
    for (int i = 0; i < CLASSES_N; i++)
        kb_article_unref(articles[i]);
    free(articles);
    for (int i = 0; i < 9; i++)
        n += (size_t)snprintf(question + n, sizeof question - n, "%s ", usual);
    snprintf(question + n, sizeof question - n, "part4711 where");
    assert_string_equal(kit_first(k, question), "a-4711");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_cheapest_are_taken_and_of_equals_the_first),
        cmocka_unit_test(words_of_all_articles_are_left_out_and_a_rare_one_finds_its_own),
        cmocka_unit_test(grams_of_a_known_word_go_before_words_that_are_in_more_articles),
        cmocka_unit_test(of_seventy_articles_nothing_is_left_out),
        cmocka_unit_test(weights_of_many_classes_are_read_up_to_the_bound),
        cmocka_unit_test(what_is_taught_when_there_is_no_more_room_is_learned_all_the_same),
        cmocka_unit_test(a_slip_is_compared_with_so_many_words_and_no_more),
        cmocka_unit_test_setup_teardown(a_long_question_over_ten_thousand_articles_finds_what_it_names,
                                        kit_setup, kit_teardown),
    };

    return cmocka_run_group_tests_name("kb/bounds", tests, NULL, NULL);
}

/* Scripts without spaces, and those whose sentences end otherwise: nothing of a long text is lost. */
#include "base/base_buf.h"
#include "kb/kb_breaks.h"
#include "kb/kb_features.h"
#include "kb/kb_kit.h"

#define FILLER_BYTES                                                                                         \
    40000 /* of a text before what is asked for: far more features than are kept of one sentence */

/* Made-up words of three letters, from first on; behind every hundred of them end. */
static void fill(struct buf *b, uint32_t first, const char *end, uint32_t seed)
{
    for (unsigned i = 1; b->n < FILLER_BYTES; i++) {
        for (int k = 0; k < 3; k++) {
            char letter[4] = "";
            uint32_t c;

            seed = seed * 1664525u + 1013904223u;
            c = first + (seed >> 16) % 30;
            letter[0] = (char)(0xE0 | c >> 12), letter[1] = (char)(0x80 | (c >> 6 & 63)),
            letter[2] = (char)(0x80 | (c & 63));
            buf_add_s(b, letter);
        }
        buf_add_s(b, i % 100 ? " " : end);
    }
}

static struct kb_article *long_article(const char *id, const char *lang, uint32_t first, const char *end,
                                       uint32_t seed, const char *last)
{
    struct buf body;
    struct kb_article *a;

    buf_init(&body, 4 * FILLER_BYTES);
    fill(&body, first, end, seed);
    buf_add_s(&body, end);
    buf_add_s(&body, last);
    a = kb_article_make(str_of(id), str_of(lang), STR(""), (struct str){body.p, body.n});
    buf_fini(&body);
    return a;
}

/* Of two articles that differ in their last sentences, each is found by a question about its own; the other
 * way round too. */
static void check_last(struct kit *k, const char *lang, uint32_t first, const char *end,
                       const char *const last[2], const char *const asked[2])
{
    for (int turned = 0; turned < 2; turned++) {
        struct kb_article *both[] = {long_article("a", lang, first, end, 1, last[turned]),
                                     long_article("b", lang, first, end, 2, last[!turned])};

        assert_int_equal(kb_load_articles(k->kb, both, 2, STR_NONE, NULL), 0);
        kb_article_unref(both[0]);
        kb_article_unref(both[1]);
        assert_string_equal(kit_first(k, asked[turned]), "a");
        assert_string_equal(kit_first(k, asked[!turned]), "b");
    }
}

static void the_last_words_of_a_long_thai_article_are_found(void **state)
{
    static const char *const last[] = {"เราคืนเงินภายในห้าวันทำการ", "เปลี่ยนที่อยู่จัดส่งได้ก่อนส่งของ"};
    static const char *const asked[] = {"คืนเงินเมื่อไหร่", "อยากเปลี่ยนที่อยู่"};

    check_last(*state, "th", 0xE01, " ", last, asked);
}

static void the_last_sentence_of_a_long_hindi_article_is_found(void **state)
{
    static const char *const last[] = {"पैसे पाँच दिनों में वापस मिलते हैं।", "भेजने से पहले पता बदला जा सकता है।"};
    static const char *const asked[] = {"मेरे पैसे वापस कब मिलते हैं", "पता कैसे बदला जाए"};

    check_last(*state, "hi", 0x915, "। ", last, asked);
}

static void join(void *ctx, struct str word)
{
    struct buf *b = ctx;

    buf_add(b, word.s, word.n);
    buf_add_s(b, "|");
}

static const char *broken(struct buf *b, const char *text)
{
    buf_reset(b);
    kb_breaks(str_of(text), join, b);
    buf_add(b, "", 1);
    return b->p;
}

static void words_come_from_dictionaries_where_no_spaces_stand(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1024);
    assert_string_equal(broken(&b, "order 12 คืนเงิน please"), "คืน|เงิน|");
    assert_string_equal(broken(&b, "where is it, 在哪里, где"), "");
    assert_string_equal(broken(&b, ""), "");
    assert_string_equal(broken(&b, "คืน ๑๒ ๑๒.๕ เงิน"), "คืน|เงิน|");
    broken(&b, "\xE0\xB8 คืน\xE0\xB8"); /* cut short */
    buf_fini(&b);
}

/* How many features of a kind (KB_F_N: of any) one text has and the other hasn't. */
static unsigned lacking(const char *text, const char *in, unsigned kind)
{
    static struct kb_features f[2];
    unsigned n = 0;

    for (int i = 0; i < 2; i++) {
        kb_features_reset(&f[i]);
        kb_features_add(&f[i], NULL, str_of(i ? in : text));
    }
    for (unsigned i = 0; i < f[0].n; i++) {
        unsigned k = 0;

        while (k < f[1].n && f[1].v[k].hash != f[0].v[i].hash)
            k++;
        n += k == f[1].n && (kind == KB_F_N || f[0].v[i].kind == kind);
    }
    return n;
}

static void characters_of_thai_count_within_its_words(void **state)
{
    static struct kb_features f;
    unsigned grams = 0;

    (void)state;
    assert_int_equal(lacking("คืนเงิน", "เงินคืน", KB_F_CHARS), 0);
    assert_true(lacking("คืนเงิน", "เงินคืน", KB_F_GRAM2) > 0); /* these also lie across */
    kb_features_reset(&f);
    kb_features_add(&f, NULL, STR("คืนเงิน"));
    for (unsigned i = 0; i < f.n; i++) {
        if (f.v[i].kind != KB_F_CHARS)
            continue;
        grams++;
        assert_true(f.v[i].word > 0 && f.v[f.v[i].word - 1].kind == KB_F_WORD && f.v[i].among > 0);
    }
    assert_true(grams > 0);
}

static void numbers_are_the_same_in_any_digits(void **state)
{
    static const char *const same[][2] = {{"คืน ๒๐๐ บาท", "คืน 200 บาท"}, {"ຄືນ ໒໐໐", "ຄືນ 200"}, {"طلب ٢٠٠", "طلب 200"},
                                          {"سفارش ۲۰۰", "سفارش 200"}, {"२०० रुपये", "200 रुपये"}, {"２００元", "200元"}};

    (void)state;
    for (size_t i = 0; i < sizeof same / sizeof same[0]; i++) {
        assert_int_equal(lacking(same[i][0], same[i][1], KB_F_N), 0);
        assert_int_equal(lacking(same[i][1], same[i][0], KB_F_N), 0);
    }
    assert_true(lacking("٢٠٠", "100", KB_F_N) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_last_words_of_a_long_thai_article_are_found),
        TEST(the_last_sentence_of_a_long_hindi_article_is_found),
        cmocka_unit_test(words_come_from_dictionaries_where_no_spaces_stand),
        cmocka_unit_test(characters_of_thai_count_within_its_words),
        cmocka_unit_test(numbers_are_the_same_in_any_digits),
    };

    return cmocka_run_group_tests_name("kb/scripts", tests, NULL, NULL);
}

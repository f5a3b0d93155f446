/* Accepts and rejections: at once, taken back exactly, rebuilt from the tables, bounded for each person. */
#include "kb/kb_kit.h"

#define ODD "my gizmo went zonk zonk"

static void what_was_just_accepted_comes_first_next_time(void **state)
{
    struct kit *k = *state;

    kit_load(k);
    assert_int_equal(kit_accept(k, "gift-cards", ODD, "r_1"), 0);
    assert_string_equal(kit_first(k, ODD), "gift-cards");
    assert_true(k->hit[0].confidence >= KB_SHOW_REP);
    assert_int_equal(kit_accept(k, "coupons", "请问那个呜呜怎么弄", "r_1"), 0);
    assert_string_equal(kit_first(k, "请问那个呜呜怎么弄"), "coupons");
    assert_string_equal(kit_first(k, ODD), "gift-cards");
}

static void a_rejection_takes_the_place_back(void **state)
{
    struct kit *k = *state;
    double before;

    kit_load(k);
    kit_accept(k, "gift-cards", ODD, "r_1");
    before = kit_confidence(k, "gift-cards", ODD);
    assert_int_equal(kit_reject(k, "gift-cards", ODD, "r_2"), 0);
    assert_true(kit_confidence(k, "gift-cards", ODD) < before);
}

static void rejected_suggestions_make_it_less_sure_and_accepted_ones_surer_again(void **state)
{
    struct kit *k = *state;
    static const char *const asked[] = {"when do I get my refund", "where is my parcel now", "can I pay by card", "how do I return a lamp"};
    double before, after;
    char first[64];

    kit_load(k);
    before = kit_confidence(k, "coupons", "how do coupons work");
    for (int i = 0; i < 4; i++) {
        snprintf(first, sizeof first, "%s", kit_first(k, asked[i]));
        kit_reject(k, first, asked[i], "r_1");
    }
    after = kit_confidence(k, "coupons", "how do coupons work");
    assert_true(after < before);
}

/* All confidences of a few questions. */
static void look(struct kit *k, double out[6])
{
    static const char *const asked[] = {ODD, "refund please", "退款多久到账"};

    for (int i = 0; i < 3; i++) {
        kit_first(k, asked[i]);
        for (int j = 0; j < 2; j++)
            out[2 * i + j] = k->hits > j ? k->hit[j].confidence : -1;
    }
}

static void undone_is_exactly_as_before(void **state)
{
    struct kit *k = *state;
    double before[6], taught[6], after[6];

    kit_load(k);
    kit_accept(k, "refund-timing", "money back when", "r_1");
    kit_accept(k, "gift-cards", "can I give a card to a friend", "r_2");
    look(k, before);
    kit_accept(k, "coupons", ODD, "r_1");
    look(k, taught);
    assert_memory_not_equal(before, taught, sizeof before);
    assert_int_equal(kb_undo(k->kb, STR("coupons"), STR(ODD), STR("r_1"), NULL), 0);
    look(k, after);
    assert_memory_equal(before, after, sizeof before);
    assert_int_equal(kb_undo(k->kb, STR("coupons"), STR(ODD), STR("r_1"), NULL), ERR_NOT_FOUND);
}

static void what_is_built_from_the_tables_is_what_stood_in_memory(void **state)
{
    struct kit *k = *state;
    double before[6], after[6];

    kit_load(k);
    kit_accept(k, "coupons", ODD, "r_1");
    kit_accept(k, "refund-timing", "my money is late", "r_2");
    kit_reject(k, "coupons", "refund please", "r_2");
    look(k, before);
    kit_load(k);
    look(k, after);
    assert_memory_equal(before, after, sizeof before);
}

static void the_same_mark_again_changes_nothing(void **state)
{
    struct kit *k = *state;
    double before[6], after[6];

    kit_load(k);
    assert_int_equal(kb_accept(k->kb, STR("coupons"), STR(ODD), STR("r_1"), 7, NULL), 0);
    look(k, before);
    assert_int_equal(kb_accept(k->kb, STR("coupons"), STR(ODD), STR("r_1"), 7, NULL), ERR_EXISTS);
    look(k, after);
    assert_memory_equal(before, after, sizeof before);
    assert_int_equal(kit_accept(k, "no-such-article", ODD, "r_1"), ERR_NOT_FOUND);
}

/* The bound of kb.h: beyond KB_PERSON_MARKS one person's marks on an article move no weight. */
static void one_person_moves_an_article_only_so_far(void **state)
{
    struct kit *k = *state;
    char question[64];
    double bound[6], after[6];

    kit_load(k);
    for (int i = 0; i < KB_PERSON_MARKS; i++) {
        snprintf(question, sizeof question, "refund please number %d", i);
        assert_int_equal(kit_accept(k, "furniture-assembly", question, "r_1"), 0);
    }
    look(k, bound);
    for (int i = KB_PERSON_MARKS; i < 2 * KB_PERSON_MARKS; i++) {
        snprintf(question, sizeof question, "refund please number %d", i);
        assert_int_equal(kit_accept(k, "furniture-assembly", question, "r_1"), 0);
    }
    look(k, after);
    assert_memory_equal(bound, after, sizeof bound);
    /* another person's still count */
    kit_accept(k, "refund-timing", "refund please", "r_2");
    look(k, after);
    assert_memory_not_equal(bound, after, sizeof bound);
    assert_string_equal(kit_first(k, "refund please"), "refund-timing");
}

static void the_same_question_teaches_once_for_each_person(void **state)
{
    struct kit *k = *state;
    double once[6], often[6];

    kit_load(k);
    kit_accept(k, "coupons", ODD, "r_1");
    look(k, once);
    for (int i = 0; i < 20; i++)
        kit_accept(k, "coupons", ODD, "r_1");
    look(k, often);
    assert_memory_equal(once, often, sizeof once);
}

/* The tables, between which and the next set a mark comes in. */
struct between {
    struct kb_port below;
    struct kit *kit;
    const char *article; /* of the mark; NULL: none comes */
};

static int mark_add(void *ctx, const struct kb_mark *m, struct err *err)
{
    struct between *b = ctx;

    return b->below.mark_add(b->below.ctx, m, err);
}

static int mark_each(void *ctx, unsigned max, int (*fn)(void *arg, const struct kb_mark *mark), void *arg, struct err *err)
{
    struct between *b = ctx;
    int rc = b->below.mark_each(b->below.ctx, max, fn, arg, err);

    if (b->article)
        assert_int_equal(kit_accept(b->kit, b->article, "zonk gizmo", "r_1"), 0);
    return rc;
}

static int articles_save(void *ctx, struct kb_article *const *articles, unsigned n, struct err *err)
{
    struct between *b = ctx;

    return b->below.articles_save(b->below.ctx, articles, n, err);
}

static void what_is_accepted_for_an_article_that_is_being_loaded_is_learned_with_it(void **state)
{
    struct kit *k = *state;
    struct between b = {.kit = k};
    struct kb_port port = {.ctx = &b, .mark_add = mark_add, .mark_each = mark_each, .articles_save = articles_save};
    struct kb_article *articles[] = {kb_article_make(STR("delivery"), STR("en"), STR("When a parcel comes"), STR("In two days.")),
                                     kb_article_make(STR("warranty"), STR("en"), STR("Your rights"), STR("Two years."))};

    archive_kb_port(k->tables, &b.below);
    kb_close(k->kb);
    assert_int_equal(kb_open(&port, &k->kb, NULL), 0);
    assert_int_equal(kb_load_articles(k->kb, articles, 1, STR_NONE, NULL), 0);
    b.article = "warranty";
    assert_int_equal(kb_load_articles(k->kb, articles, 2, STR_NONE, NULL), 0);
    assert_true(kit_confidence(k, "warranty", "zonk gizmo") >= 0.9);
    b.article = NULL;
    assert_int_equal(kb_load_articles(k->kb, articles, 2, STR_NONE, NULL), 0); /* the table has it, too */
    assert_true(kit_confidence(k, "warranty", "zonk gizmo") >= 0.9);
    for (unsigned i = 0; i < 2; i++)
        kb_article_unref(articles[i]);
    kit_forget(k);
    kb_close(k->kb); /* before its tables go */
    k->kb = NULL;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_just_accepted_comes_first_next_time),
        TEST(a_rejection_takes_the_place_back),
        TEST(rejected_suggestions_make_it_less_sure_and_accepted_ones_surer_again),
        TEST(undone_is_exactly_as_before),
        TEST(what_is_built_from_the_tables_is_what_stood_in_memory),
        TEST(the_same_mark_again_changes_nothing),
        TEST(one_person_moves_an_article_only_so_far),
        TEST(the_same_question_teaches_once_for_each_person),
        TEST(what_is_accepted_for_an_article_that_is_being_loaded_is_learned_with_it),
    };

    return cmocka_run_group_tests_name("kb/learn", tests, NULL, NULL);
}

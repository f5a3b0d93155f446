/* What was asked and not answered, articles that don't hold what they promise: as what stands of the verdicts says. */
#include "archive_kit.h"

#define VERDICT(said) "\"article\":\"a_1\",\"verdict\":\"" said "\",\"text\":\"where is my parcel\",\"of_chat\":\"c_1\""

static const char *ask(struct kit *k, enum archive_query_kind kind)
{
    struct archive_query q = kit_query(kind);

    q.from_ms = 0;
    if (kit_ask(k, &q) < 0)
        fail_msg("%s", k->why);
    return k->body;
}

/* One question, the article shown for it three times. */
static void add_shown(struct kit *k)
{
    kit_add_chat(k, "c_1", T0, "general", "r_ann", "where is my parcel");
    for (int seq = 4; seq < 7; seq++)
        kit_add(k, "c_1", seq, "suggested", SYSTEM, "\"of\":2,\"articles\":[{\"id\":\"a_1\",\"title\":\"Parcels\"}]");
    kit_commit(k, 1);
}

static void what_was_rejected_is_a_gap_until_that_is_taken_back(void **state)
{
    struct kit *k = *state;

    add_shown(k);
    assert_string_equal(ask(k, ARCHIVE_GAPS), "[]");
    kit_add(k, "kb_202511", 1, "feedback_given", ANN, VERDICT("rejected"));
    kit_commit(k, 2);
    assert_non_null(strstr(ask(k, ARCHIVE_GAPS), "\"text\":\"where is my parcel\""));
    assert_string_equal(ask(k, ARCHIVE_STALE), "[{\"article\":\"a_1\",\"shown\":3,\"rejected\":3,\"low_rated\":0,\"used\":0}]");
    kit_add(k, "kb_202511", 2, "feedback_undone", BOB, "\"taught\":\"kb_202511-1\"");
    kit_commit(k, 3);
    assert_string_equal(ask(k, ARCHIVE_GAPS), "[]");
    assert_string_equal(ask(k, ARCHIVE_STALE), "[]");
    kit_add(k, "kb_202511", 3, "feedback_given", ANN, VERDICT("rejected")); /* another one stands */
    kit_commit(k, 4);
    assert_non_null(strstr(ask(k, ARCHIVE_STALE), "\"rejected\":3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(what_was_rejected_is_a_gap_until_that_is_taken_back, kit_setup, kit_teardown),
    };

    return cmocka_run_group_tests_name("archive/gaps", tests, NULL, NULL);
}

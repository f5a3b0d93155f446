/* Who sees what: one table, kind × audience. */
#include "chat/chat_store.h"

/* PROTOCOL "Who sees what": the kinds that a shopper is shown, and no other */
static void a_shopper_is_shown_these_kinds_and_no_other(void **state)
{
    static const enum kind shown[] = {KIND_STARTED, KIND_MESSAGE, KIND_CARE, KIND_ASSIGNED, KIND_OWNED, KIND_TRANSFERRED, KIND_TAKEN_BACK,
                                      KIND_REASSIGNED, KIND_HANDLER_LOST, KIND_HANDLER_BACK, KIND_REFERRED, KIND_PROMISED,
                                      KIND_PROMISE_KEPT, KIND_RESOLUTION_PROPOSED, KIND_CONFIRMED, KIND_REFUSED, KIND_REOPENED,
                                      KIND_PARKED, KIND_UNPARKED, KIND_RATED, KIND_LEFT, KIND_ABANDONED, KIND_CLOSED, KIND_REDACTED};

    (void)state;
    for (unsigned k = 0; k < KIND_N; k++) {
        bool is = false;

        for (unsigned i = 0; i < sizeof shown / sizeof *shown; i++)
            is = is || shown[i] == k;
        if (chat_view_is_shown((enum kind)k, AUDIENCE_SHOPPER) != is)
            fail_msg("%s", kind_table[k].name);
        assert_true(chat_view_is_shown((enum kind)k, AUDIENCE_STAFF));
    }
    assert_false(chat_view_is_shown(KIND_N, AUDIENCE_SHOPPER));
    assert_false(chat_view_is_shown(KIND_N, AUDIENCE_STAFF));
}

/* PROTOCOL "Who sees what": never cards, candidates, reasons, notes, whispers, confidences, or how a rep was chosen */
static void a_shopper_never_sees_what_is_internal(void **state)
{
    static const enum field secret[] = {FIELD_CARD, FIELD_CANDIDATES, FIELD_REASON, FIELD_NOTE, FIELD_WHY, FIELD_COUNTS, FIELD_ARTICLE,
                                        FIELD_CANNED, FIELD_MENTIONS, FIELD_QUESTION, FIELD_SCORE, FIELD_CLASS, FIELD_LEVEL, FIELD_ALERT,
                                        FIELD_CHECKS, FIELD_WAITED_MS, FIELD_PAGE, FIELD_DEADLINE_AT};

    (void)state;
    for (unsigned k = 0; k < KIND_N; k++) {
        const struct kind_row *row = &kind_table[k];
        struct entry e;
        struct buf b;

        if (!chat_view_is_shown((enum kind)k, AUDIENCE_SHOPPER) || k == KIND_RATED)
            continue;
        entry_init(&e, (enum kind)k);
        e.from_role = ROLE_REP;
        e.from = (struct person){STR("r_ann"), STR("Ann")};
        for (unsigned i = 0; i < row->fields_n; i++)
            e.f[row->fields[i]] = row->types[i] == VAL_STR    ? val_s("x")
                                  : row->types[i] == VAL_INT  ? val_int(7)
                                  : row->types[i] == VAL_BOOL ? val_bool(true)
                                                              : val_json(STR("{}"));
        buf_init(&b, 10000);
        chat_view_write_shopper_tail(&b, &e);
        for (unsigned i = 0; i < sizeof secret / sizeof *secret; i++) {
            char key[64];

            snprintf(key, sizeof key, "\"%s\":", field_names[secret[i]]);
            if (strstr(b.p, key))
                fail_msg("%s shows %s", row->name, key);
        }
        buf_fini(&b);
    }
}

/* PROTOCOL "Envelope": the tails, as they stand behind seq, at, prev */
static void tails_stand_as_written(void **state)
{
    struct entry e;
    struct buf b;

    (void)state;
    buf_init(&b, 10000);
    entry_init(&e, KIND_MESSAGE);
    e.from_role = ROLE_LEAD;
    e.from = (struct person){STR("r_ann"), STR("Ann \"A\"")};
    e.f[FIELD_TEXT] = val_s("您好\n");
    e.f[FIELD_COUNTS] = val_bool(false);
    chat_view_write_shopper_tail(&b, &e);
    assert_string_equal(b.p, "\"kind\":\"message\",\"from\":{\"role\":\"lead\",\"id\":\"r_ann\",\"name\":\"Ann \\\"A\\\"\"},\"text\":\"您好\\n\"}");
    buf_reset(&b);
    entry_init(&e, KIND_REASSIGNED); /* who reassigned is nobody's business but the house's */
    e.from_role = ROLE_LEAD;
    e.from = (struct person){STR("r_ann"), STR("Ann")};
    e.f[FIELD_HANDLER] = val_json(STR("{\"id\":\"r_bob\"}"));
    e.f[FIELD_REASON] = val_s("too slow");
    chat_view_write_shopper_tail(&b, &e);
    assert_string_equal(b.p, "\"kind\":\"reassigned\",\"from\":{\"role\":\"system\"},\"handler\":{\"id\":\"r_bob\"}}");
    buf_reset(&b);
    entry_init(&e, KIND_HANDLER_LOST);
    e.from_role = ROLE_SYSTEM;
    e.f[FIELD_WHY] = val_s("connection");
    chat_view_write_shopper_tail(&b, &e);
    assert_string_equal(b.p, "\"kind\":\"handler_lost\",\"from\":{\"role\":\"system\"}}");
    buf_fini(&b);
}

/* rule 2.11: the shopper sees who answers and who is responsible at each change of them */
static void each_change_of_owner_or_handler_is_shown(void **state)
{
    static const enum kind kinds[] = {KIND_ASSIGNED, KIND_OWNED, KIND_TRANSFERRED, KIND_TAKEN_BACK, KIND_REASSIGNED, KIND_HANDLER_LOST,
                                      KIND_HANDLER_BACK};

    (void)state;
    for (unsigned i = 0; i < sizeof kinds / sizeof *kinds; i++)
        assert_true(chat_view_is_shown(kinds[i], AUDIENCE_SHOPPER) && chat_kind_raises_fence(kinds[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_shopper_is_shown_these_kinds_and_no_other),
        cmocka_unit_test(a_shopper_never_sees_what_is_internal),
        cmocka_unit_test(tails_stand_as_written),
        cmocka_unit_test(each_change_of_owner_or_handler_is_shown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

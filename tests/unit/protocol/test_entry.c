/* Entries of a log: what is written is what is read. */
#include "protocol/protocol.h"

#include "base/base_json.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void frame_begin(struct buf *b, const char *ref)
{
    buf_reset(b);
    buf_add_s(b, "{\"t\":\"event\",\"chat\":\"c_1\",\"seq\":7,\"at\":1764000000123,\"prev\":6");
    if (ref)
        json_kv_s(b, "ref", ref);
}

static void every_kind_comes_back_as_it_was_written(void **state)
{
    struct buf one, two;

    (void)state;
    buf_init(&one, 1 << 16);
    buf_init(&two, 1 << 16);
    for (int k = 0; k < KIND_N; k++) {
        const struct kind_row *row = &kind_table[k];
        struct entry e, back;
        struct err err = {0};

        entry_init(&e, (enum kind)k);
        e.from_role = ROLE_REP;
        e.from = (struct person){STR("r_1"), STR("李 \"Ann\"")};
        for (unsigned i = 0; i < row->fields_n; i++) {
            struct val *v = &e.f[row->fields[i]];

            *v = row->types[i] == VAL_STR   ? val_s("退款 \"a\"\\\n\x01 </script>")
                 : row->types[i] == VAL_INT ? val_int(-9007199254740993 + (int64_t)i)
                 : row->types[i] == VAL_BOOL
                     ? val_bool(i % 2)
                     : val_json(STR("[{\"id\":\"k_1\",\"confidence\":0.1},\"x\",-2.5,1e-09]"));
        }
        frame_begin(&one, "ref-1");
        entry_write_tail(&one, &e);
        if (entry_read(buf_str(&one), &back, &err) < 0)
            fail_msg("%s: %s\n%s", row->name, err.text, one.p);
        assert_int_equal(back.kind, k);
        assert_int_equal(back.seq, 7);
        assert_int_equal(back.at_ms, 1764000000123);
        assert_int_equal(back.from_role, ROLE_REP);
        assert_true(str_eq(back.from.id, e.from.id) && str_eq(back.from.name, e.from.name));
        assert_true(str_is(back.ref, "ref-1"));
        for (int f = 0; f < FIELD_N; f++) {
            assert_int_equal(back.f[f].type, e.f[f].type);
            assert_int_equal(back.f[f].i, e.f[f].i);
            assert_int_equal(back.f[f].b, e.f[f].b);
            if (e.f[f].type == VAL_STR)
                assert_true(str_eq(back.f[f].s, e.f[f].s));
        }
        frame_begin(&two, "ref-1");
        entry_write_tail(&two, &back);
        entry_fini(&back);
        entry_read(buf_str(&two), &back, &err);
        frame_begin(&one, "ref-1");
        entry_write_tail(&one, &back);
        assert_string_equal(one.p, two.p);
        entry_fini(&back);
        entry_fini(&e);
    }
    buf_fini(&one);
    buf_fini(&two);
}

static void a_tail_has_kind_from_and_the_fields_in_order(void **state)
{
    struct entry e;
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    entry_init(&e, KIND_MESSAGE);
    e.from_role = ROLE_SHOPPER;
    e.from = (struct person){STR("s_1"), STR("")};
    e.f[FIELD_ARTICLE] = val_s("k_1");
    e.f[FIELD_TEXT] = val_s("hi");
    e.f[FIELD_WHY] = val_s("not a field of messages");
    e.ref = STR("never written");
    entry_write_tail(&b, &e);
    assert_string_equal(b.p, "\"kind\":\"message\",\"from\":{\"role\":\"shopper\",\"id\":\"s_1\"},\"text\":"
                             "\"hi\",\"article\":\"k_1\"}");
    buf_reset(&b);
    entry_init(&e, KIND_CONFIRMED);
    e.from_role = ROLE_SYSTEM;
    entry_write_tail(&b, &e);
    assert_string_equal(b.p, "\"kind\":\"confirmed\",\"from\":{\"role\":\"system\"}}");
    buf_fini(&b);
}

static void numbers_inside_lists_stay_as_they_were(void **state)
{
    struct entry e;

    (void)state;
    assert_int_equal(entry_read(STR("{\"t\":\"event\",\"chat\":\"c\",\"seq\":1,\"at\":2,\"kind\":"
                                    "\"suggested\",\"from\":{\"role\":\"bot\"},"
                                    "\"articles\": [ {\"id\":\"k\", \"title\":\"\\u9000\", "
                                    "\"confidence\":0.87} ], \"new\":{\"x\":1}}"),
                                &e, NULL),
                     0);
    assert_true(str_is(e.f[FIELD_ARTICLES].s, "[{\"id\":\"k\",\"title\":\"退\",\"confidence\":0.87}]"));
    assert_null(e.from.id.s);
    assert_null(e.ref.s);
    assert_int_equal(e.from.name.n, 0);
    entry_fini(&e);
    entry_fini(&e); /* a second time does nothing */
}

static void an_entry_of_a_later_version_is_told_from_a_broken_one(void **state)
{
    static const struct {
        const char *frame;
        int rc;
    } rows[] = {
        {"{\"t\":\"event\",\"seq\":1,\"at\":2,\"kind\":\"beamed\",\"from\":{\"role\":\"rep\"}}",
         ERR_UNSUPPORTED},
        {"{\"t\":\"ok\",\"seq\":1,\"at\":2,\"kind\":\"message\",\"from\":{\"role\":\"rep\"}}", ERR_INVALID},
        {"{\"t\":\"event\",\"seq\":\"1\",\"at\":2,\"kind\":\"message\",\"from\":{\"role\":\"rep\"}}",
         ERR_INVALID},
        {"{\"t\":\"event\",\"seq\":1,\"at\":2.5,\"kind\":\"message\",\"from\":{\"role\":\"rep\"}}",
         ERR_INVALID},
        {"{\"t\":\"event\",\"seq\":1,\"at\":2,\"kind\":7,\"from\":{\"role\":\"rep\"}}", ERR_INVALID},
        {"{\"t\":\"event\",\"seq\":1,\"at\":2,\"kind\":\"message\",\"from\":{\"role\":\"god\"}}",
         ERR_INVALID},
        {"{\"t\":\"event\",\"seq\":1,\"at\":2,\"kind\":\"message\"}", ERR_INVALID},
        {"{\"t\":\"event\",\"seq\":1,\"at\":2,\"kind\":\"message\",\"from\":{\"role\":\"rep\"},\"text\":7}",
         ERR_INVALID},
        {"{\"t\":\"event\",\"seq\":1,\"at\":2,\"kind\":\"rated\",\"from\":{\"role\":\"rep\"},\"score\":4.5}",
         ERR_INVALID},
        {"{\"t\":\"event\",\"seq\":1,\"at\":2,\"kind\":\"suggested\",\"from\":{\"role\":\"rep\"},"
         "\"articles\":0.5}",
         ERR_INVALID},
        {"[]", ERR_INVALID},
        {"", ERR_INVALID},
        {"{\"t\":\"event\"", ERR_INVALID},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct err err = {0};
        struct entry e;

        assert_int_equal(entry_read(str_of(rows[i].frame), &e, &err), rows[i].rc);
        assert_int_equal(err.code, rows[i].rc);
        assert_true(strlen(err.text) > 10);
        entry_fini(&e);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_kind_comes_back_as_it_was_written),
        cmocka_unit_test(a_tail_has_kind_from_and_the_fields_in_order),
        cmocka_unit_test(numbers_inside_lists_stay_as_they_were),
        cmocka_unit_test(an_entry_of_a_later_version_is_told_from_a_broken_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

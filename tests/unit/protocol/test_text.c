/* Characters of UTF-8, names of roles, codes and kinds. */
#include "protocol/protocol.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void characters_are_counted_not_bytes(void **state)
{
    (void)state;
    assert_int_equal(utf8_chars(STR("")), 0);
    assert_int_equal(utf8_chars(STR("abc")), 3);
    assert_int_equal(utf8_chars(STR("退款")), 2);
    assert_int_equal(utf8_chars(STR("a📦é")), 3);
}

static void good_utf8_is_taken(void **state)
{
    (void)state;
    assert_true(utf8_is_valid(STR("")));
    assert_true(utf8_is_valid((struct str){NULL, 0}));
    assert_true(utf8_is_valid(STR("plain text that is longer than one word of eight bytes")));
    assert_true(utf8_is_valid(STR("我要申请退款，订单 20231 📦")));
    assert_true(utf8_is_valid(STR(
        "\xc2\x80\xdf\xbf\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf\xf0\x90\x80\x80\xf4\x8f\xbf\xbf")));
}

static void bad_utf8_is_refused_wherever_it_stands(void **state)
{
    static const struct str bad[] = {
        {"\x80", 1},
        {"\xbf", 1},
        {"\xc0\x80", 2},
        {"\xc1\xbf", 2},
        {"\xe0\x9f\xbf", 3},
        {"\xed\xa0\x80", 3},
        {"\xed\xbf\xbf", 3},
        {"\xf0\x8f\xbf\xbf", 4},
        {"\xf4\x90\x80\x80", 4},
        {"\xf5\x80\x80\x80", 4},
        {"\xff", 1},
        {"\xfe", 1},
        {"\xe4\xbd", 2},
        {"\xf0\x9f\x93", 3},
        {"\xc3", 1},
        {"\xe4\xbd\x41", 3},
        {"\0", 1},
    };
    char text[64];

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        for (size_t at = 0; at < 20; at++) {
            memset(text, 'a', sizeof text);
            memcpy(text + at, bad[i].s, bad[i].n);
            assert_false(utf8_is_valid((struct str){text, at + bad[i].n})); /* cut off behind it */
            assert_false(utf8_is_valid((struct str){text, sizeof text}));
        }
    }
}

static void a_prefix_never_cuts_a_character(void **state)
{
    (void)state;
    assert_true(str_is(utf8_prefix(STR("退款📦x"), 0), ""));
    assert_true(str_is(utf8_prefix(STR("退款📦x"), 2), "退款"));
    assert_true(str_is(utf8_prefix(STR("退款📦x"), 3), "退款📦"));
    assert_true(str_is(utf8_prefix(STR("退款📦x"), 4), "退款📦x"));
    assert_true(str_is(utf8_prefix(STR("退款📦x"), 9), "退款📦x"));
    assert_true(str_is(utf8_prefix(STR("abc"), 2), "ab"));
}

static void a_text_of_signs_that_nobody_sees_is_blank(void **state)
{
    (void)state;
    assert_true(utf8_is_blank(STR("")));
    assert_true(utf8_is_blank(STR(" \t\n　")));
    assert_true(utf8_is_blank(STR("\u200b\u2060\ufeff\u202e\u3164\u2800")));
    assert_false(utf8_is_blank(STR("\u200b.")));
    assert_false(utf8_is_blank(STR("好")));
    assert_false(utf8_is_blank(STR("📦")));
}

static void signs_that_turn_the_direction_are_taken_out(void **state)
{
    char s[] = "A\u202enna\u2066 \u200f安\u061c娜📦\u2069", same[] = "a\u200d\u200bb";

    (void)state;
    s[utf8_strip_bidi(s, sizeof s - 1)] = 0;
    assert_string_equal(s, "Anna 安娜📦");
    assert_int_equal(utf8_strip_bidi(same, sizeof same - 1), sizeof same - 1);
}

static void every_role_is_found_by_its_name(void **state)
{
    (void)state;
    for (unsigned r = ROLE_SHOPPER; r <= ROLE_BOT; r *= 2)
        assert_int_equal(role_from_name(str_of(role_name(r))), r);
    assert_int_equal(role_from_name(STR("boss")), 0);
    assert_int_equal(role_from_name(STR("")), 0);
    assert_string_equal(role_name(ROLE_REP | ROLE_LEAD), "lead");
    assert_string_equal(role_name(ROLE_REP | ROLE_DIRECTOR | ROLE_QA), "director");
    assert_string_equal(role_name(0), "none");
}

static void every_code_has_its_own_name(void **state)
{
    (void)state;
    for (int i = 0; i < CODE_N; i++) {
        for (int j = 0; j < i; j++)
            assert_string_not_equal(code_name((enum code)i), code_name((enum code)j));
    }
    assert_string_equal(code_name(CODE_RESOLUTION_REQUIRED), "resolution_required");
}

static void every_row_is_found_by_its_name(void **state)
{
    (void)state;
    for (int i = 0; i < MSG_N; i++)
        assert_int_equal(protocol_find_msg(msg_table[i].name, strlen(msg_table[i].name)), i);
    for (int i = 0; i < KIND_N; i++)
        assert_int_equal(kind_from_name(str_of(kind_table[i].name)), i);
    for (int i = 0; i < FIELD_N; i++)
        assert_int_equal(protocol_find_field(field_names[i], strlen(field_names[i])), i);
    assert_int_equal(protocol_find_msg("nope", 4), MSG_N);
    assert_int_equal(protocol_find_msg("pin", 3), MSG_N);
    assert_int_equal(kind_from_name(STR("messagf")), KIND_N);
    assert_int_equal(kind_from_name(STR_NONE), KIND_N);
    assert_int_equal(protocol_find_field("", 0), FIELD_N);
}

static void only_hello_and_ping_come_before_hello(void **state)
{
    (void)state;
    for (int i = 0; i < MSG_N; i++) {
        assert_int_equal(msg_table[i].needs_hello, i != MSG_HELLO && i != MSG_PING);
        assert_true(msg_table[i].roles != 0);
        assert_true(msg_table[i].cost > 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(characters_are_counted_not_bytes),
        cmocka_unit_test(good_utf8_is_taken),
        cmocka_unit_test(bad_utf8_is_refused_wherever_it_stands),
        cmocka_unit_test(a_prefix_never_cuts_a_character),
        cmocka_unit_test(a_text_of_signs_that_nobody_sees_is_blank),
        cmocka_unit_test(signs_that_turn_the_direction_are_taken_out),
        cmocka_unit_test(every_role_is_found_by_its_name),
        cmocka_unit_test(every_code_has_its_own_name),
        cmocka_unit_test(every_row_is_found_by_its_name),
        cmocka_unit_test(only_hello_and_ping_come_before_hello),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

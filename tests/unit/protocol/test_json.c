/* The gate: what a command must be before any rule sees it. */
#include "protocol/protocol.h"

#include "base/base_crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

static const struct protocol_limits lim = {65536, 16, 256, 4000};

struct result {
    bool ok;
    struct msg m;
    struct refusal why;
};

static void read_str(struct result *r, struct str frame, unsigned roles)
{
    memset(r, 0xa5, sizeof *r);
    r->ok = protocol_read_command(frame, roles, &lim, &r->m, &r->why);
}

static void read_as(struct result *r, const char *frame, unsigned roles)
{
    read_str(r, str_of(frame), roles);
}

static void expect_ok(const char *frame, unsigned roles, struct result *r)
{
    read_as(r, frame, roles);
    if (!r->ok)
        print_message("%s: %s\n", frame, r->why.text);
    assert_true(r->ok);
}

/* id: the reference that the refusal still names, or NULL. */
static void expect_refused(struct str frame, unsigned roles, enum code code, const char *id)
{
    struct result r;

    read_str(&r, frame, roles);
    if (r.ok || r.why.code != code)
        print_message("%.*s: %s\n", (int)(frame.n > 200 ? 200 : frame.n), frame.s,
                      r.ok ? "taken" : r.why.text);
    assert_false(r.ok);
    assert_int_equal(r.why.code, code);
    assert_true(utf8_is_valid(str_of(r.why.text)));
    assert_true(strlen(r.why.text) > 0 && strlen(r.why.text) < sizeof r.why.text - 1);
    if (id)
        assert_true(r.m.id.s && str_is(r.m.id, id));
    else
        assert_null(r.m.id.s);
    msg_fini(&r.m);
    msg_fini(&r.m); /* a second time does nothing */
}

static void a_message_is_read_with_its_fields(void **state)
{
    struct result r;

    (void)state;
    expect_ok("{\"t\":\"message.send\",\"id\":\"a-1\",\"chat\":\"c_1\",\"text\":\"\\u9000\\u6b3e "
              "\\ud83d\\udce6\\n\",\"canned\":null,\"other\":[1]}",
              ROLE_SHOPPER, &r);
    assert_int_equal(r.m.type, MSG_MESSAGE_SEND);
    assert_ptr_equal(r.m.row, &msg_table[MSG_MESSAGE_SEND]);
    assert_true(str_is(r.m.id, "a-1"));
    assert_int_equal(r.m.f[FIELD_TEXT].type, VAL_STR);
    assert_true(str_is(r.m.f[FIELD_TEXT].s, "退款 📦\n"));
    assert_true(str_is(r.m.f[FIELD_CHAT].s, "c_1"));
    assert_int_equal(r.m.f[FIELD_CANNED].type, VAL_NONE);
    assert_int_equal(r.m.f[FIELD_ARTICLE].type, VAL_NONE);
    msg_fini(&r.m);
}

static void numbers_and_truths_keep_their_types(void **state)
{
    struct result r;

    (void)state;
    expect_ok("{\"t\":\"chat.rate\",\"id\":\"1\",\"score\":5}", ROLE_SHOPPER, &r);
    assert_int_equal(r.m.f[FIELD_SCORE].type, VAL_INT);
    assert_int_equal(r.m.f[FIELD_SCORE].i, 5);
    msg_fini(&r.m);
    expect_ok("{\"t\":\"typing\",\"id\":\"1\",\"on\":true}", ROLE_SHOPPER, &r);
    assert_int_equal(r.m.f[FIELD_ON].type, VAL_BOOL);
    assert_true(r.m.f[FIELD_ON].b);
    msg_fini(&r.m);
    expect_ok("{\"t\":\"sync\",\"id\":\"1\",\"chat\":\"c\",\"after\":9007199254740991}", ROLE_SHOPPER, &r);
    assert_int_equal(r.m.f[FIELD_AFTER].i, 9007199254740991);
    msg_fini(&r.m);
}

static void what_is_no_message_is_refused_without_a_reference(void **state)
{
    static const char *const bad[] = {
        "",
        " ",
        "not json",
        "null",
        "1",
        "\"x\"",
        "[]",
        "[[[",
        "{",
        "{}",
        "{\"t\":\"ping\"}",
        "{\"t\":\"ping\",\"id\":7}",
        "{\"t\":\"ping\",\"id\":\"\"}",
        "{\"t\":\"ping\",\"id\":\"a b\"}",
        "{\"t\":\"ping\",\"id\":\"a\\u0000b\"}",
        "{\"t\":\"ping\",\"id\":\"\xc3\xa9\"}",
        "{\"t\":\"ping\",\"id\":null}",
        "{\"t\":\"ping\",\"id\":\"12345678901234567890123456789012345678901234567890123456789012345\"}",
        "{\"t\":\"ping\",\"id\":\"1\"}x",
        "{\"t\":\"ping\",\"id\":\"1\"}{}",
        "{\"t\":\"ping\",\"id\":\"1\",}",
        "{\"t\":\"ping\",\"id\":\"1\",\"id\":\"1\"}",
        "{\"t\":\"ping\",\"id\":\"1\",\"x\":{\"a\":1,\"a\":2}}",
        "{\"t\":\"ping\",\"id\":\"1\",\"x\":99999999999999999999}",
        "{\"t\":\"ping\",\"id\":\"1\",\"x\":1e400}",
        "{\"t\":\"ping\",\"id\":\"1\",\"x\":\"\\ud800\"}",
        "{\"t\":\"ping\",\"id\":\"1\",\"x\":\"\\udc00\\ud800\"}",
        "{\"t\":\"ping\",\"id\":\"1\",\"\\u0000\":1}",
        "{\"t\":\"ping\",\"id\":\"1\",\"x\":\"\n\"}",
        "{\"t\":\"ping\",\"id\":\"1\",\"x\":01}",
        "{\"t\":\"ping\",\"id\":\"1\",\"x\":NaN}",
        "{'t':'ping','id':'1'}",
        "{\"t\":\"ping\",\"id\":\"1\",\"x\":\"\xff\"}",
        "{\"t\":\"ping\",\"id\":\"1\",\"x\":\"\xed\xa0\x80\"}",
        "\xef\xbb\xbf{\"t\":\"ping\",\"id\":\"1\"}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_refused(str_of(bad[i]), ROLE_SHOPPER, CODE_BAD_REQUEST, NULL);
    expect_refused((struct str){"{\"t\":\"ping\",\0\"id\":\"1\"}", 22}, ROLE_SHOPPER, CODE_BAD_REQUEST, NULL);
    expect_refused(STR_NONE, ROLE_SHOPPER, CODE_BAD_REQUEST, NULL);
}

static void a_refusal_names_the_reference_where_there_is_a_good_one(void **state)
{
    static const char *const bad[] = {
        "{\"id\":\"r1\"}",
        "{\"id\":\"r1\",\"t\":7}",
        "{\"id\":\"r1\",\"t\":\"nope\"}",
        "{\"id\":\"r1\",\"t\":\"__proto__\"}",
        "{\"id\":\"r1\",\"t\":\"message.send\"}",
        "{\"id\":\"r1\",\"t\":\"message.send\",\"text\":7}",
        "{\"id\":\"r1\",\"t\":\"message.send\",\"text\":\"\"}",
        "{\"id\":\"r1\",\"t\":\"message.send\",\"text\":null}",
        "{\"id\":\"r1\",\"t\":\"message.send\",\"text\":\"a\",\"chat\":\"c 1\"}",
        "{\"id\":\"r1\",\"t\":\"message.send\",\"text\":\"a\",\"chat\":{}}",
        "{\"id\":\"r1\",\"t\":\"chat.rate\",\"score\":0}",
        "{\"id\":\"r1\",\"t\":\"chat.rate\",\"score\":6}",
        "{\"id\":\"r1\",\"t\":\"chat.rate\",\"score\":4.0}",
        "{\"id\":\"r1\",\"t\":\"chat.rate\",\"score\":\"4\"}",
        "{\"id\":\"r1\",\"t\":\"typing\",\"on\":1}",
        "{\"id\":\"r1\",\"t\":\"typing\",\"on\":true,\"mode\":\"shout\"}",
        "{\"id\":\"r1\",\"t\":\"sync\",\"chat\":\"c\",\"after\":-1}",
        "{\"id\":\"r1\",\"t\":\"sync\",\"chat\":\"c\",\"after\":9007199254740992}",
        "{\"id\":\"r1\",\"t\":\"chat.start\",\"text\":\"a\",\"class\":\"vip\"}",
        "{\"id\":\"r1\",\"t\":\"hello\",\"resume\":{}}",
        "{\"id\":\"r1\",\"t\":\"hello\",\"resume\":[7]}",
        "{\"id\":\"r1\",\"t\":\"hello\",\"resume\":[{\"chat\":\"c\"}]}",
        "{\"id\":\"r1\",\"t\":\"hello\",\"resume\":[{\"chat\":\"c\",\"seq\":-1}]}",
        "{\"id\":\"r1\",\"t\":\"hello\",\"resume\":[{\"chat\":\"c c\",\"seq\":1}]}",
        "{\"id\":\"r1\",\"t\":\"hello\",\"resume\":[null]}",
    };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        expect_refused(str_of(bad[i]), ROLE_SHOPPER, CODE_BAD_REQUEST, "r1");
}

static void the_type_of_another_role_is_forbidden_before_its_fields_are_looked_at(void **state)
{
    struct result r;

    (void)state;
    expect_refused(STR("{\"id\":\"r1\",\"t\":\"chat.claim\"}"), ROLE_SHOPPER, CODE_FORBIDDEN, "r1");
    expect_refused(STR("{\"id\":\"r1\",\"t\":\"chat.start\"}"), ROLE_REP, CODE_FORBIDDEN, "r1");
    expect_refused(STR("{\"id\":\"r1\",\"t\":\"chat.join\"}"), ROLE_REP, CODE_FORBIDDEN, "r1");
    expect_refused(STR("{\"id\":\"r1\",\"t\":\"message.send\"}"), ROLE_QA | ROLE_ADMIN, CODE_FORBIDDEN, "r1");
    expect_ok("{\"id\":\"r1\",\"t\":\"chat.join\",\"chat\":\"c\"}", ROLE_REP | ROLE_LEAD, &r);
    msg_fini(&r.m);
    expect_ok("{\"id\":\"r1\",\"t\":\"chat.claim\",\"chat\":\"c\"}", ROLE_DIRECTOR, &r);
    msg_fini(&r.m);
    expect_ok("{\"id\":\"r1\",\"t\":\"ping\"}", ROLE_ADMIN, &r);
    msg_fini(&r.m);
}

/* A frame whose text has n times c. */
static struct str long_text(struct buf *b, const char *c, size_t n)
{
    buf_reset(b);
    buf_add_s(b, "{\"t\":\"message.send\",\"id\":\"r1\",\"text\":\"");
    for (size_t i = 0; i < n; i++)
        buf_add_s(b, c);
    buf_add_s(b, "\"}");
    return buf_str(b);
}

static void a_text_is_measured_in_characters(void **state)
{
    struct result r;
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    read_str(&r, long_text(&b, "📦", 4000), ROLE_SHOPPER);
    assert_true(r.ok);
    msg_fini(&r.m);
    expect_refused(long_text(&b, "📦", 4001), ROLE_SHOPPER, CODE_TOO_LARGE, "r1");
    expect_refused(long_text(&b, "y", 4001), ROLE_SHOPPER, CODE_TOO_LARGE, "r1");
    expect_refused(long_text(&b, "y", 60000), ROLE_SHOPPER, CODE_TOO_LARGE, "r1");
    expect_refused(long_text(&b, "y", 70000), ROLE_SHOPPER, CODE_TOO_LARGE,
                   NULL); /* the frame: not even parsed */
    buf_fini(&b);
}

static void the_limit_of_a_text_is_a_setting(void **state)
{
    struct protocol_limits small = {1000, 16, 256, 3};
    struct refusal why;
    struct msg m;

    (void)state;
    assert_false(protocol_read_command(STR("{\"t\":\"message.send\",\"id\":\"1\",\"text\":\"abcd\"}"),
                                       ROLE_REP, &small, &m, &why));
    assert_int_equal(why.code, CODE_TOO_LARGE);
    msg_fini(&m);
    assert_true(protocol_read_command(STR("{\"t\":\"message.send\",\"id\":\"1\",\"text\":\"退款📦\"}"),
                                      ROLE_REP, &small, &m, &why));
    msg_fini(&m);
}

static void nesting_and_keys_are_bounded_before_the_parser(void **state)
{
    struct result r;
    struct buf b;

    (void)state;
    buf_init(&b, 1 << 20);
    for (int i = 0; i < 20000; i++)
        buf_add_c(&b, '[');
    expect_refused(buf_str(&b), ROLE_SHOPPER, CODE_BAD_REQUEST, NULL);
    buf_reset(&b);
    buf_add_s(&b, "{\"t\":\"ping\",\"id\":\"1\"");
    for (int i = 0; i < 255; i++)
        buf_printf(&b, ",\"k%d\":1", i);
    buf_add_c(&b, '}');
    expect_refused(buf_str(&b), ROLE_SHOPPER, CODE_BAD_REQUEST, NULL);
    buf_fini(&b);
    expect_ok("{\"t\":\"ping\",\"id\":\"1\",\"x\":[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]}", ROLE_SHOPPER, &r);
    msg_fini(&r.m);
    expect_refused(STR("{\"t\":\"ping\",\"id\":\"1\",\"x\":[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]}"), ROLE_SHOPPER,
                   CODE_BAD_REQUEST, NULL);
    /* Brackets and colons inside strings count for nothing, escaped quotes don't end one. */
    expect_ok("{\"t\":\"message.send\",\"id\":\"1\",\"text\":\"\\\"[[[[[[[[[[[[[[[[[[[[::::{{{{\\\\\"}",
              ROLE_SHOPPER, &r);
    assert_true(str_is(r.m.f[FIELD_TEXT].s, "\"[[[[[[[[[[[[[[[[[[[[::::{{{{\\"));
    msg_fini(&r.m);
}

static void count_member(void *ctx, struct str key, struct val v)
{
    (void)v;
    *(unsigned *)ctx += key.s != NULL;
}

static void a_list_or_object_keeps_what_the_schema_names(void **state)
{
    struct result r;

    (void)state;
    expect_ok("{\"t\":\"chat.transfer\",\"id\":\"1\",\"chat\":\"c\",\"to\":\"r_2\",\"card\":{\"promised\":"
              "\"today\",\"evil\":{\"x\":[1]},"
              "\"verified\":[\"order\",\"name\"],\"summary\":\"a \\\"b\\\" 退\",\"requirements\":null}}",
              ROLE_REP, &r);
    assert_int_equal(r.m.f[FIELD_CARD].type, VAL_JSON);
    assert_true(
        str_is(r.m.f[FIELD_CARD].s,
               "{\"summary\":\"a \\\"b\\\" 退\",\"verified\":[\"order\",\"name\"],\"promised\":\"today\"}"));
    msg_fini(&r.m);
    expect_ok("{\"t\":\"hello\",\"id\":\"1\",\"resume\":[{\"seq\":3,\"chat\":\"c_1\"}, "
              "{\"chat\":\"c_2\",\"seq\":0,\"x\":1}]}",
              ROLE_REP, &r);
    assert_true(str_is(r.m.f[FIELD_RESUME].s, "[{\"chat\":\"c_1\",\"seq\":3},{\"chat\":\"c_2\",\"seq\":0}]"));
    msg_fini(&r.m);
    expect_ok("{\"t\":\"chat.tag\",\"id\":\"1\",\"chat\":\"c\",\"add\":[\"a\",\"b\"],\"remove\":[]}",
              ROLE_REP, &r);
    assert_true(str_is(r.m.f[FIELD_ADD].s, "[\"a\",\"b\"]"));
    assert_true(str_is(r.m.f[FIELD_REMOVE].s, "[]"));
    msg_fini(&r.m);
}

/* "\b" has two bytes where it comes in, and six where it is written anew. */
static void a_list_or_object_is_whole_however_it_is_written(void **state)
{
    static const char *const names[] = {"summary", "requirements", "promised"};
    unsigned n = 0;
    struct result r;
    struct buf b;

    (void)state;
    buf_init(&b, 65536);
    buf_add_s(&b, "{\"t\":\"chat.transfer\",\"id\":\"1\",\"chat\":\"c\",\"to\":\"r_2\",\"card\":{\"verified\":[\"name\"]");
    for (unsigned i = 0; i < 3; i++) {
        buf_printf(&b, ",\"%s\":\"", names[i]);
        for (unsigned k = 0; k < 2000; k++)
            buf_add_s(&b, "\\b");
        buf_add_c(&b, '"');
    }
    buf_add_s(&b, "}}");
    expect_ok(b.p, ROLE_REP, &r);
    assert_int_equal(json_each_member(r.m.f[FIELD_CARD].s, count_member, &n), 1);
    assert_int_equal(n, 4);
    msg_fini(&r.m);
    buf_fini(&b);
}

static void nested_values_are_checked_like_the_others(void **state)
{
    struct buf b;

    (void)state;
    expect_refused(STR("{\"t\":\"chat.transfer\",\"id\":\"r1\",\"chat\":\"c\",\"to\":\"r_2\",\"card\":[]}"),
                   ROLE_REP, CODE_BAD_REQUEST, "r1");
    expect_refused(
        STR("{\"t\":\"chat.transfer\",\"id\":\"r1\",\"chat\":\"c\",\"to\":\"r_2\",\"card\":{\"summary\":1}}"),
        ROLE_REP, CODE_BAD_REQUEST, "r1");
    expect_refused(STR("{\"t\":\"chat.transfer\",\"id\":\"r1\",\"chat\":\"c\",\"to\":\"r_2\",\"card\":{"
                       "\"verified\":[\"\"]}}"),
                   ROLE_REP, CODE_BAD_REQUEST, "r1");
    expect_refused(STR("{\"t\":\"chat.verify\",\"id\":\"r1\",\"chat\":\"c\",\"checks\":[\"order\",7]}"),
                   ROLE_REP, CODE_BAD_REQUEST, "r1");
    expect_refused(
        STR("{\"t\":\"note.add\",\"id\":\"r1\",\"chat\":\"c\",\"text\":\"a\",\"mentions\":[\"r 2\"]}"),
        ROLE_REP, CODE_BAD_REQUEST, "r1");
    buf_init(&b, 1 << 16);
    buf_add_s(&b, "{\"t\":\"hello\",\"id\":\"r1\",\"resume\":[");
    for (int i = 0; i < 51; i++)
        buf_printf(&b, "%s{\"chat\":\"c_%d\",\"seq\":1}", i ? "," : "", i);
    buf_add_s(&b, "]}");
    expect_refused(buf_str(&b), ROLE_SHOPPER, CODE_BAD_REQUEST, "r1");
    buf_fini(&b);
}

static void digest_of(const char *frame, unsigned roles, char hex[17])
{
    struct result r;

    expect_ok(frame, roles, &r);
    crypto_hex(hex, r.m.digest, 8);
    msg_fini(&r.m);
}

static void equal_content_has_an_equal_digest(void **state)
{
    char a[17], b[17];

    (void)state;
    digest_of("{\"t\":\"chat.transfer\",\"id\":\"1\",\"chat\":\"c\",\"to\":\"r\",\"card\":{\"summary\":\"a\","
              "\"promised\":\"b\"}}",
              ROLE_REP, a);
    digest_of(" {\"card\" : {\"promised\":\"\\u0062\", \"x\":1, "
              "\"summary\":\"a\"},\"to\":\"r\",\"y\":2,\"chat\":\"c\",\"id\":\"2\",\"t\":\"chat.transfer\"}",
              ROLE_LEAD, b);
    assert_string_equal(a, b);
    /* One tab names the open chat, another leaves it out. */
    digest_of("{\"t\":\"message.send\",\"id\":\"1\",\"text\":\"a\"}", ROLE_SHOPPER, a);
    digest_of("{\"t\":\"message.send\",\"id\":\"1\",\"chat\":\"c_1\",\"text\":\"a\"}", ROLE_SHOPPER, b);
    assert_string_equal(a, b);
}

static void other_content_has_another_digest(void **state)
{
    static const char *const frames[] = {
        "{\"t\":\"message.send\",\"id\":\"1\",\"text\":\"a\"}",
        "{\"t\":\"message.send\",\"id\":\"1\",\"text\":\"b\"}",
        "{\"t\":\"message.send\",\"id\":\"1\",\"text\":\"a\",\"canned\":\"a\"}",
        "{\"t\":\"message.send\",\"id\":\"1\",\"text\":\"a\",\"article\":\"a\"}",
        "{\"t\":\"note.add\",\"id\":\"1\",\"chat\":\"c\",\"text\":\"a\"}",
        "{\"t\":\"note.add\",\"id\":\"1\",\"chat\":\"c\",\"text\":\"a\",\"mentions\":[]}",
        "{\"t\":\"whisper\",\"id\":\"1\",\"chat\":\"c\",\"text\":\"a\"}",
        "{\"t\":\"promise.add\",\"id\":\"1\",\"chat\":\"c\",\"text\":\"a\",\"until\":1}",
        "{\"t\":\"promise.add\",\"id\":\"1\",\"chat\":\"c\",\"text\":\"a\",\"until\":256}",
    };
    char hex[sizeof frames / sizeof frames[0]][17];

    (void)state;
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++) {
        digest_of(frames[i], ROLE_REP, hex[i]);
        for (size_t j = 0; j < i; j++)
            assert_string_not_equal(hex[i], hex[j]);
    }
}

static void a_digest_is_the_same_on_every_node_and_in_every_version(void **state)
{
    char hex[17];

    (void)state;
    /* Stored with chats: if this fails, nodes of two versions would call a repeat a conflict. */
    digest_of("{\"t\":\"message.send\",\"id\":\"1\",\"text\":\"once\"}", ROLE_SHOPPER, hex);
    assert_string_equal(hex, "b489bea44b55e79a");
}

static void collect(void *ctx, struct str s)
{
    buf_printf(ctx, "<%.*s>", STR_FMT(s));
}

static void collect_member(void *ctx, struct str key, struct val v)
{
    if (!key.s)
        buf_add_s(ctx, ";");
    else if (v.type == VAL_INT)
        buf_printf(ctx, "%.*s:i%d ", STR_FMT(key), (int)v.i);
    else if (v.type == VAL_BOOL)
        buf_printf(ctx, "%.*s:b%d ", STR_FMT(key), v.b);
    else
        buf_printf(ctx, "%.*s:%d%.*s ", STR_FMT(key), (int)v.type, STR_FMT(v.s));
}

static void lists_and_objects_are_walked(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    assert_int_equal(json_each_str(STR("[\"a\",\"\",\"退\"]"), collect, &b), 3);
    assert_string_equal(b.p, "<a><><退>");
    buf_reset(&b);
    assert_int_equal(json_each_str(STR("[]"), collect, &b), 0);
    assert_int_equal(json_each_str(STR("[\"a\",1]"), collect, &b), -1);
    assert_int_equal(json_each_str(STR("{}"), collect, &b), -1);
    assert_int_equal(json_each_str(STR_NONE, collect, &b), -1);
    assert_int_equal(b.n, 0);
    assert_int_equal(
        json_each_member(STR("[{\"id\":\"k\",\"n\":3,\"c\":0.1},{\"on\":true,\"l\":[1,{}],\"z\":null}]"),
                         collect_member, &b),
        2);
    assert_string_equal(b.p, "id:1k n:i3 c:40.1 ;on:b1 l:4[1,{}] z:0 ;");
    buf_reset(&b);
    assert_int_equal(json_each_member(STR("{\"id\":\"k\"}"), collect_member, &b), 1);
    assert_string_equal(b.p, "id:1k ;");
    buf_reset(&b);
    assert_int_equal(json_each_member(STR("[{\"a\":1},2]"), collect_member, &b), -1);
    assert_int_equal(json_each_member(STR("nope"), collect_member, &b), -1);
    assert_int_equal(b.n, 0);
    buf_fini(&b);
}

static void a_body_is_read_within_limits(void **state)
{
    struct err err = {0};
    struct buf b;

    (void)state;
    buf_init(&b, 1000);
    assert_int_equal(
        json_read_object(STR("{\"login\":\"ann\",\"marks\":[{\"seq\":1}]}"), &lim, collect_member, &b, &err),
        0);
    assert_string_equal(b.p, "login:1ann marks:4[{\"seq\":1}] ");
    buf_reset(&b);
    assert_int_equal(json_read_object(STR("[]"), &lim, collect_member, &b, &err), ERR_INVALID);
    assert_int_equal(json_read_object(STR("{\"a\":1,\"a\":2}"), &lim, collect_member, &b, &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "twice"));
    assert_int_equal(
        json_read_object(STR("{\"a\":[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]}"), &lim, collect_member, &b, NULL),
        ERR_INVALID);
    assert_int_equal(b.n, 0);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_message_is_read_with_its_fields),
        cmocka_unit_test(numbers_and_truths_keep_their_types),
        cmocka_unit_test(what_is_no_message_is_refused_without_a_reference),
        cmocka_unit_test(a_refusal_names_the_reference_where_there_is_a_good_one),
        cmocka_unit_test(the_type_of_another_role_is_forbidden_before_its_fields_are_looked_at),
        cmocka_unit_test(a_text_is_measured_in_characters),
        cmocka_unit_test(the_limit_of_a_text_is_a_setting),
        cmocka_unit_test(nesting_and_keys_are_bounded_before_the_parser),
        cmocka_unit_test(a_list_or_object_keeps_what_the_schema_names),
        cmocka_unit_test(a_list_or_object_is_whole_however_it_is_written),
        cmocka_unit_test(nested_values_are_checked_like_the_others),
        cmocka_unit_test(equal_content_has_an_equal_digest),
        cmocka_unit_test(other_content_has_another_digest),
        cmocka_unit_test(a_digest_is_the_same_on_every_node_and_in_every_version),
        cmocka_unit_test(lists_and_objects_are_walked),
        cmocka_unit_test(a_body_is_read_within_limits),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

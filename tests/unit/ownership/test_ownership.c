/* Who may write, what counts as a reply, what proves a resolution. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "ownership/ownership.h"

/* rule 2.12: may this person write here, now: the whole table */
static void one_function_answers_who_may_write(void **state)
{
    static const struct {
        const char *what;
        bool is_open;
        const char *handler;
        enum writer who;
        const char *person;
        bool can_claim;
        enum may_write answer;
    } rows[] = {
        {"the handler", true, "r_ann", WRITER_REP, "r_ann", false, MAY_WRITE},
        {"another rep", true, "r_ann", WRITER_REP, "r_bob", false, MAY_NOT_HANDLER},
        {"another rep who could take it", true, "r_ann", WRITER_REP, "r_bob", true, MAY_NOT_HANDLER},
        {"nobody handles it, eligible", true, "", WRITER_REP, "r_bob", true, MAY_CLAIM},
        {"nobody handles it, not eligible", true, "", WRITER_REP, "r_bob", false, MAY_NOT_HANDLER},
        {"the shopper", true, "r_ann", WRITER_SHOPPER, "s_li", false, MAY_WRITE},
        {"the shopper, nobody handles it", true, "", WRITER_SHOPPER, "s_li", false, MAY_WRITE},
        {"a care message", true, "", WRITER_SYSTEM, "", false, MAY_WRITE},
        {"the handler of a closed case", false, "r_ann", WRITER_REP, "r_ann", true, MAY_NOT_CLOSED},
        {"the shopper of a closed case", false, "r_ann", WRITER_SHOPPER, "s_li", false, MAY_NOT_CLOSED},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct ownership o = {.is_open = rows[i].is_open};

        snprintf(o.handler, sizeof o.handler, "%s", rows[i].handler);
        if (ownership_may_write(&o, rows[i].who, rows[i].person, rows[i].can_claim) != rows[i].answer)
            fail_msg("%s", rows[i].what);
    }
}

/* rule 2.1: the fold: lower case, half-width, without spaces and punctuation of either script */
static void the_fold_drops_case_width_and_punctuation(void **state)
{
    static const char *const rows[][2] = {
        {"Hello, how can I help you?", "hellohowcanihelpyou"},
        {"ＨＥＬＬＯ　１２３", "hello123"},
        {"您好！ 请问，有什么可以帮您？", "您好请问有什么可以帮您"},
        {"I don’t know…", "idontknow"},
        {"「在的」～", "在的"},
        {"  \t\r\n", ""},
        {"Ünïcode", "Ünïcode"},
        {"👍", "👍"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct buf b;

        buf_init(&b, 1000);
        ownership_fold(str_of(rows[i][0]), &b);
        assert_string_equal(buf_str(&b).s, rows[i][1]);
        buf_fini(&b);
    }
}

/* rule 2.1: what counts as a reply: anything but a greeting or a canned text that is the whole text */
static void a_greeting_or_canned_text_alone_is_no_reply(void **state)
{
    static const char *const canned[] = {"Your order {order} is on its way.", "订单{order}已发货", NULL};
    static const struct ownership_texts texts = {canned};
    static const struct {
        const char *text;
        bool counts;
    } rows[] = {
        {"Hello", false},
        {"hello!!!", false},
        {"HI THERE", false},
        {"您好！", false},
        {"您 好", false},
        {"您好，王先生，请问有什么可以帮您？", false},
        {"Hello Mr Wang, how can I help you?", false},
        {"亲，在的～", false},
        {"请稍等。", false},
        {"Thank you for waiting.", false},
        {"Your order 20231 is on its way", false},
        {"订单 20231 已发货", false},
        {"订单已发货", true}, /* a variable stands for at least one byte */
        {"您好，您的退款今天到账", true},
        {"Hello, your refund is on its way", true},
        {"Yes", true},
        {"好的", true},
        {"您好，我来帮您看一下。", true},
        {"Your order 20231 is on its way, it comes tomorrow", true},
        {"I don't know", true}, /* a person's own message, if a poor one: it owns, and resolves nothing */
        {"👍", true},
        {"...", false}, /* the fold leaves nothing: nothing was said */
        {"？！", false},
        {" ", false},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ownership_reply_counts(str_of(rows[i].text), &texts) != rows[i].counts)
            fail_msg("%s", rows[i].text);
    assert_true(ownership_reply_counts(STR("Your order 20231 is on its way"), NULL));
}

/* rule 2.1: wildcards: each {variable} is one or more bytes, and the match goes over the whole text */
static void variables_are_wildcards_over_the_whole_text(void **state)
{
    static const struct {
        const char *pattern, *text;
        bool matches;
    } rows[] = {
        {"{a}", "anything", false}, /* variables alone: no text of its own */
        {"{a} {b}!", "anything", false},
        {"q{a}{b}", "qx", false},
        {"q{a}{b}", "qxy", true},
        {"a{x}b{y}c", "a1b2b3c", true},
        {"a{x}b{y}c", "a1b2b3", false},
        {"a{x}b{y}c", "abc", false},
        {"aab{x}", "aaab1", false},
        {"{x}ab", "aaab", true},
        {"{x}ab", "ab", false},
        {"{x}abab", "xababab", true},
        {"mail{x}", "mail", false},
        {"mail{x", "mail{x", true}, /* no closing brace: a plain character */
        {"{x", "{x", true},
        {"m{x", "m{x", true},
        {"m", "m", true}, /* the first two characters are looked at before the rest */
        {"m", "mn", false},
        {"mn", "m", false},
        {"mn", "mN!", true},
        {"mnq", "mnr", false},
        {"m{x}", "mn", true},
        {"m{x}", "m", false},
        {"m…n", "m n", true}, /* both fold to the same two */
        {"发{x}货", "，发出货", true},
        {"发货", "发 货 了", false},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        const char *const canned[] = {rows[i].pattern, NULL};
        const struct ownership_texts texts = {canned};

        if (ownership_reply_counts(str_of(rows[i].text), &texts) == rows[i].matches)
            fail_msg("%s ~ %s", rows[i].pattern, rows[i].text);
    }
}

/* rule 2.1: a pattern of wildcards against a long text ends soon */
static void many_wildcards_end_soon(void **state)
{
    static char text[4001];
    const char *const canned[] = {"{a}a{b}a{c}a{d}a{e}a{f}a{g}a{h}b", NULL};
    const struct ownership_texts texts = {canned};

    (void)state;
    memset(text, 'a', sizeof text - 1);
    assert_true(ownership_reply_counts(str_of(text), &texts));
}

/* rule 2.3: "I don't know" alone (禁止说不知道): the whole text, folded */
static void dont_know_is_recognised_as_the_whole_text(void **state)
{
    static const struct {
        const char *text;
        bool is;
    } rows[] = {
        {"I don't know.", true},
        {"I DON’T KNOW", true},
        {"Sorry, I don't know", true},
        {"not sure", true},
        {"不知道。", true},
        {"抱歉，我不知道", true},
        {"这个我不清楚～", true},
        {"I don't know, but my colleague does", false},
        {"不知道您的订单号是多少？", false},
        {"", false},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        if (ownership_is_dont_know(str_of(rows[i].text)) != rows[i].is)
            fail_msg("%s", rows[i].text);
}

/* rule 2.3: each resolution has its own proof, and no other */
static void a_resolution_needs_its_own_proof(void **state)
{
    static const struct {
        struct ownership_proof p;
        const char *may; /* those that may be, in order */
    } rows[] = {
        {{0}, ""},
        {{.last_question = 3}, ""},
        {{.last_question = 3, .last_reply = 2}, ""},
        {{.last_question = 3, .last_reply = 4}, "answered "},
        {{.last_question = 9, .referred = 4}, "referred "},
        {{.last_question = 9, .request = 4}, "request "},
        {{.last_question = 9, .complaint = 4}, "complaint "},
        {{.last_question = 3, .last_reply = 4, .referred = 5, .request = 6, .complaint = 7}, "answered referred request complaint "},
    };
    static const char *const names[] = {"answered", "referred", "request", "complaint", "", "closed", "answered "};

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        char may[64] = "";

        for (unsigned k = 0; k < sizeof names / sizeof *names; k++)
            if (ownership_may_resolve(&rows[i].p, str_of(names[k])))
                snprintf(may + strlen(may), sizeof may - strlen(may), "%s ", names[k]);
        assert_string_equal(may, rows[i].may);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_function_answers_who_may_write),
        cmocka_unit_test(the_fold_drops_case_width_and_punctuation),
        cmocka_unit_test(a_greeting_or_canned_text_alone_is_no_reply),
        cmocka_unit_test(variables_are_wildcards_over_the_whole_text),
        cmocka_unit_test(many_wildcards_end_soon),
        cmocka_unit_test(dont_know_is_recognised_as_the_whole_text),
        cmocka_unit_test(a_resolution_needs_its_own_proof),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

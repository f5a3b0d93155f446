/* What a shopper who waits is owed, and when. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base_buf.h"
#include "care/care.h"
#include "care/care_texts.h"
#include "protocol/protocol.h"

static const struct care_times times = {.first_ms = 300000, .alert_ms = 900000, .act_ms = 300000};

/* rules 3.1, 3.2: water at 5 minutes, the alert at 15, counted from the wait's beginning; then nothing */
static void each_step_has_its_date_and_the_last_has_none(void **state)
{
    (void)state;
    assert_int_equal(care_next_at_ms(&times, 1000000, CARE_NONE), 1300000);
    assert_int_equal(care_next_at_ms(&times, 1000000, CARE_WATER), 1900000);
    assert_int_equal(care_next_at_ms(&times, 1000000, CARE_ALERT), 0);
}

/* rule 3.3: nobody waits, nothing is due */
static void without_a_wait_nothing_is_due(void **state)
{
    (void)state;
    for (enum care_step done = CARE_NONE; done < CARE_STEP_N; done++)
        assert_int_equal(care_next_at_ms(&times, 0, done), 0);
}

/* rule 3.2: an alert not acted on goes up a level, to the top and no further */
static void an_alert_goes_up_to_the_top_level(void **state)
{
    (void)state;
    for (int level = 1; level < CARE_LEVEL_MAX; level++)
        assert_int_equal(care_escalate_at_ms(&times, 5000, level), 305000);
    assert_int_equal(care_escalate_at_ms(&times, 5000, CARE_LEVEL_MAX), 0);
    assert_int_equal(care_escalate_at_ms(&times, 0, 1), 0);
}

/* rule 3.1: the texts exist in both languages, and are the shopper's */
static void texts_speak_the_shoppers_language(void **state)
{
    static const char *const chinese[] = {"zh", "zh-CN", "ZH-tw"}, *const english[] = {"en", "en-GB", "", "fr", "z"};

    (void)state;
    for (enum care_text t = 0; t < CARE_TEXT_N; t++) {
        struct str zh = care_text(t, STR("zh-CN")), en = care_text(t, STR("en"));

        assert_true(zh.n > 0 && en.n > 0 && !str_eq(zh, en));
        assert_true(utf8_is_valid(zh) && utf8_chars(en) == en.n);
        for (unsigned i = 0; i < sizeof chinese / sizeof *chinese; i++)
            assert_true(str_eq(care_text(t, str_of(chinese[i])), zh));
        for (unsigned i = 0; i < sizeof english / sizeof *english; i++)
            assert_true(str_eq(care_text(t, str_of(english[i])), en));
    }
    assert_true(str_eq(care_text(CARE_TEXT_WATER, STR_NONE), care_text(CARE_TEXT_WATER, STR("en"))));
}

/* rule 3.4: the farewell says how long the way back stands, as it is set, in its largest whole unit; without one it doesn't promise any */
static void the_farewell_says_how_long_the_way_back_stands(void **state)
{
    static const struct {
        int64_t ms;
        const char *en, *zh;
    } rows[] = {
        {259200000, "Mei stays responsible: write here within 3 days,", "Mei会一直对您的问题负责，3天内"},
        {86400000, "within 1 day,", "1天内"},
        {129600000, "within 36 hours,", "36小时内"},
        {5400000, "within 90 minutes,", "90分钟内"},
        {60000, "within 1 minute,", "1分钟内"},
        {1500, "within 2 seconds,", "2秒内"},
        {0, NULL, NULL},
    };
    const struct care_facts facts = {.owner = STR("Mei")};

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct care_words words = {.hours = "", .back_ms = rows[i].ms};
        struct buf en, zh;

        buf_init(&en, 4096);
        buf_init(&zh, 4096);
        care_write(&en, CARE_TEXT_FAREWELL, STR("en"), &words, &facts);
        care_write(&zh, CARE_TEXT_FAREWELL, STR("zh-CN"), &words, &facts);
        buf_add_c(&en, 0);
        buf_add_c(&zh, 0);
        assert_true(rows[i].en ? strstr(en.p, rows[i].en) != NULL : strstr(en.p, "responsible") == NULL);
        assert_true(rows[i].zh ? strstr(zh.p, rows[i].zh) != NULL : strstr(zh.p, "负责") == NULL);
        buf_fini(&en);
        buf_fini(&zh);
    }
}

/* rule 3.4: what the rep wrote ends as a sentence, whether he set a full stop or not; nobody's own is doubled */
static void a_summary_does_not_run_into_the_next_sentence(void **state)
{
    static const struct {
        const char *locale, *summary, *says;
    } rows[] = {
        {"en", "Refunded", "In short: Refunded. Mei"},
        {"en", "Refunded.", "In short: Refunded. Mei"},
        {"en", "All good!", "In short: All good! Mei"},
        {"zh-CN", "已退款", "处理结果：已退款。Mei"},
        {"zh-CN", "已退款。", "处理结果：已退款。Mei"},
        {"zh-CN", "好了！", "处理结果：好了！Mei"},
        {"zh-CN", "Refunded today.", "处理结果：Refunded today. Mei"},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct care_words words = {.hours = "", .back_ms = 86400000};
        const struct care_facts facts = {.owner = STR("Mei"), .summary = str_of(rows[i].summary)};
        struct buf text;

        buf_init(&text, 4096);
        care_write(&text, CARE_TEXT_FAREWELL, str_of(rows[i].locale), &words, &facts);
        buf_add_c(&text, 0);
        assert_non_null(strstr(text.p, rows[i].says));
        buf_fini(&text);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_step_has_its_date_and_the_last_has_none),
        cmocka_unit_test(without_a_wait_nothing_is_due),
        cmocka_unit_test(an_alert_goes_up_to_the_top_level),
        cmocka_unit_test(texts_speak_the_shoppers_language),
        cmocka_unit_test(the_farewell_says_how_long_the_way_back_stands),
        cmocka_unit_test(a_summary_does_not_run_into_the_next_sentence),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

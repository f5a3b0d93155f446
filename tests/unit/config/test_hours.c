/* Opening hours, holidays, time zones. */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

/* "2026-03-29 00:59" UTC in milliseconds. */
static int64_t utc_ms(const char *text)
{
    struct tm tm = {0};

    assert_non_null(strptime(text, "%Y-%m-%d %H:%M", &tm));
    return (int64_t)timegm(&tm) * 1000;
}

struct desk {
    struct config *cfg;
    struct config_department *d;
};

static struct desk desk_create(const char *zone, const char *hours, const char *holidays)
{
    struct desk k = {config_create(), NULL};
    struct err err = {0};
    char line[400];

    snprintf(line, sizeof line, "site.shop.time_zone=%s", zone);
    if (config_set(k.cfg, line, &err) < 0)
        fail_msg("%s", err.text);
    config_set(k.cfg, "department.sales.site=shop", &err);
    snprintf(line, sizeof line, "department.sales.hours=%s", hours);
    if (config_set(k.cfg, line, &err) < 0)
        fail_msg("%s", err.text);
    snprintf(line, sizeof line, "department.sales.holidays=%s", holidays);
    if (config_set(k.cfg, line, &err) < 0)
        fail_msg("%s", err.text);
    k.d = config_department_find(k.cfg, STR("shop"), STR("sales"));
    return k;
}

static void expect(const struct desk *k, const char *utc, bool open)
{
    if (config_is_open(k->d, utc_ms(utc)) != open)
        fail_msg("%s UTC: should be %s", utc, open ? "open" : "closed");
}

static void hours_hold_in_the_time_zone_of_the_site(void **state)
{
    struct desk k = desk_create("Asia/Shanghai", "mon-fri 09:00-18:00; sat 10:00-16:00", "");

    (void)state;
    expect(&k, "2026-11-23 00:59", false); /* Monday 08:59 in Shanghai */
    expect(&k, "2026-11-23 01:00", true);
    expect(&k, "2026-11-23 09:59", true);
    expect(&k, "2026-11-23 10:00", false); /* 18:00: closed from then on */
    expect(&k, "2026-11-28 01:59", false); /* Saturday 09:59 */
    expect(&k, "2026-11-28 02:00", true);
    expect(&k, "2026-11-29 02:00", false); /* Sunday */
    expect(&k, "1969-12-29 01:00", true);  /* a Monday before the epoch */
    expect(&k, "1969-12-28 01:00", false);
    config_destroy(k.cfg);
}

static void hours_follow_daylight_saving_time(void **state)
{
    struct desk k = desk_create("Europe/Berlin", "mon-sun 09:00-17:00", "");

    (void)state;
    expect(&k, "2026-03-28 07:59", false); /* winter: UTC+1 */
    expect(&k, "2026-03-28 08:00", true);
    expect(&k, "2026-03-29 07:00", true); /* summer since 01:00 UTC: UTC+2 */
    expect(&k, "2026-03-29 06:59", false);
    expect(&k, "2026-10-24 07:00", true);
    expect(&k, "2026-10-25 07:00", false);
    expect(&k, "2026-10-25 08:00", true);
    expect(&k, "2077-07-01 07:00", true); /* beyond the transitions of the file: its rule */
    expect(&k, "2077-07-01 06:59", false);
    expect(&k, "2077-12-01 07:59", false);
    config_destroy(k.cfg);
}

static void an_hour_that_the_clock_skips_or_repeats_is_no_trouble(void **state)
{
    struct desk k = desk_create("America/New_York", "sun 01:30-02:30", "");

    (void)state;
    /* 2026-03-08: 02:00 becomes 03:00, so it closes there. */
    expect(&k, "2026-03-08 06:29", false);
    expect(&k, "2026-03-08 06:30", true);
    expect(&k, "2026-03-08 06:59", true);
    expect(&k, "2026-03-08 07:00", false);
    /* 2026-11-01: 01:00–02:00 comes twice, and so does what is open in it. */
    expect(&k, "2026-11-01 05:30", true);
    expect(&k, "2026-11-01 06:00", false);
    expect(&k, "2026-11-01 06:30", true);
    expect(&k, "2026-11-01 07:29", true);
    expect(&k, "2026-11-01 07:30", false);
    config_destroy(k.cfg);
}

static void a_night_goes_over_into_the_next_day(void **state)
{
    struct desk k = desk_create("UTC", "fri 22:00-02:00; sun 20:00-04:00", "");

    (void)state;
    expect(&k, "2026-11-27 21:59", false); /* Friday */
    expect(&k, "2026-11-27 22:00", true);
    expect(&k, "2026-11-28 01:59", true);
    expect(&k, "2026-11-28 02:00", false);
    expect(&k, "2026-11-29 23:59", true); /* Sunday into Monday: over the end of the week */
    expect(&k, "2026-11-30 03:59", true);
    expect(&k, "2026-11-30 04:00", false);
    config_destroy(k.cfg);
}

static void a_day_may_have_a_pause(void **state)
{
    struct desk k = desk_create("UTC", "Mon,wed-thu 09:00-12:00, 13:00-24:00", "");

    (void)state;
    expect(&k, "2026-11-23 11:59", true);
    expect(&k, "2026-11-23 12:30", false);
    expect(&k, "2026-11-23 23:59", true);
    expect(&k, "2026-11-24 10:00", false); /* Tuesday */
    expect(&k, "2026-11-26 13:00", true);
    config_destroy(k.cfg);
}

static void holidays_are_local_days(void **state)
{
    struct desk k = desk_create("Asia/Shanghai", "", "2026-10-01..2026-10-07, 2028-02-29");

    (void)state;
    expect(&k, "2026-09-30 15:59", true);
    expect(&k, "2026-09-30 16:00", false); /* 1 October has begun in Shanghai */
    expect(&k, "2026-10-07 15:59", false);
    expect(&k, "2026-10-07 16:00", true);
    expect(&k, "2028-02-28 16:00", false);
    expect(&k, "2028-02-29 16:00", true);
    config_destroy(k.cfg);
}

static void wrong_hours_and_days_are_refused(void **state)
{
    static const char *const wrong[] = {
        "hours=mon",
        "hours=mon 9:00-18:00",
        "hours=mon 09:00",
        "hours=mon 09:00-25:00",
        "hours=mon 09:60-10:00",
        "hours=monday 09:00-10:00",
        "hours=mon- 09:00-10:00",
        "hours=09:00-10:00",
        "hours=mon 24:00-10:00",
        "hours=mon 09:00-10:00 tue 09:00-10:00",
        "hours=mon 09:00-10:00x",
        "holidays=2026-02-29",
        "holidays=2026-13-01",
        "holidays=2026-1-1",
        "holidays=tomorrow",
        "holidays=2026-10-07..2026-10-01",
        "holidays=2026-10-01.2026-10-07",
        "holidays=2026-10-01..",
        "holidays=1900-01-01",
    };
    struct config *cfg = config_create();

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        char line[200];

        snprintf(line, sizeof line, "department.x.%s", wrong[i]);
        if (config_set(cfg, line, NULL) != ERR_INVALID)
            fail_msg("%s was taken", wrong[i]);
    }
    config_destroy(cfg);
}

/* Against the C library, every 13 hours over 130 years. */
static void offsets_agree_with_the_c_library(void **state)
{
    static const char *const zones[] = {
        "Asia/Shanghai",
        "Europe/Berlin",
        "America/New_York",
        "Australia/Sydney",
        "America/Santiago",
        "Asia/Kolkata",
        "Africa/Casablanca",
        "Pacific/Chatham",
        "America/St_Johns",
        "Asia/Tehran",
        "Europe/Dublin",
        "America/Nuuk",
        "UTC",
    };

    (void)state;
    for (size_t i = 0; i < sizeof zones / sizeof zones[0]; i++) {
        struct config_zone *z = NULL;
        struct err err = {0};

        if (config_zone_load(zones[i], &z, &err) < 0)
            fail_msg("%s", err.text);
        setenv("TZ", zones[i], 1);
        tzset();
        for (time_t t = -631152000; t < 3471292800; t += 13 * 3600) {
            struct tm tm;

            localtime_r(&t, &tm);
            if (config_zone_offset_s(z, (int64_t)t * 1000) != tm.tm_gmtoff)
                fail_msg("%s at %lld: %d, the C library says %ld", zones[i], (long long)t,
                         config_zone_offset_s(z, (int64_t)t * 1000), tm.tm_gmtoff);
        }
        config_zone_destroy(z);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hours_hold_in_the_time_zone_of_the_site),
        cmocka_unit_test(hours_follow_daylight_saving_time),
        cmocka_unit_test(an_hour_that_the_clock_skips_or_repeats_is_no_trouble),
        cmocka_unit_test(a_night_goes_over_into_the_next_day),
        cmocka_unit_test(a_day_may_have_a_pause),
        cmocka_unit_test(holidays_are_local_days),
        cmocka_unit_test(wrong_hours_and_days_are_refused),
        cmocka_unit_test(offsets_agree_with_the_c_library),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

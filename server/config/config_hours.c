/*
 * Opening hours: "mon-fri 09:00-12:00 13:00-18:00; sat,sun 10:00-16:00". A span whose end is not after its
 * beginning goes on into the next day ("fri 22:00-02:00"); 24:00 ends a day. Holidays are whole local days.
 */
#include "config/config_row.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

#define DAY_MIN   1440
#define WEEK_MIN  (7 * DAY_MIN)
#define SPANS_MAX 256
#define DAYS_MAX  1000

static const char *const hours_wrong = "is not like \"mon-fri 09:00-18:00; sat 10:00-16:00\"";
static const char *const days_wrong = "is not a list of days like 2026-05-01 or 2026-10-01..2026-10-07";

static void skip_blanks(const char **p)
{
    while (**p == ' ')
        ++*p;
}

static bool take(const char **p, char c)
{
    if (**p != c)
        return false;
    ++*p;
    return true;
}

/* Exactly n digits. */
static bool take_digits(const char **p, int n, int *out)
{
    int v = 0;

    for (int i = 0; i < n; i++, ++*p) {
        if (!isdigit((unsigned char)**p))
            return false;
        v = v * 10 + (**p - '0');
    }
    *out = v;
    return true;
}

static bool take_day(const char **p, int *day)
{
    static const char *const names[] = {"mon", "tue", "wed", "thu", "fri", "sat", "sun"};

    for (int i = 0; i < 7; i++) {
        if (strncasecmp(*p, names[i], 3) == 0 && !isalpha((unsigned char)(*p)[3])) {
            *p += 3;
            *day = i;
            return true;
        }
    }
    return false;
}

/* "mon-fri,sun" as a mask, Monday bit 0; a range may go over Sunday. */
static bool take_days(const char **p, unsigned *mask)
{
    *mask = 0;
    do {
        int from, to;

        if (!take_day(p, &from))
            return false;
        to = from;
        if (take(p, '-') && !take_day(p, &to))
            return false;
        for (int d = from;; d = (d + 1) % 7) {
            *mask |= 1u << d;
            if (d == to)
                break;
        }
    } while (take(p, ','));
    return true;
}

static bool take_time(const char **p, int *minute)
{
    int h, m;

    if (!take_digits(p, 2, &h) || !take(p, ':') || !take_digits(p, 2, &m) || m > 59)
        return false;
    *minute = h * 60 + m;
    return *minute <= DAY_MIN;
}

static bool add_span(struct config_span *spans, size_t *n, int from, int to)
{
    if (*n + 2 > SPANS_MAX)
        return false;
    if (to > WEEK_MIN) { /* Sunday night into Monday */
        spans[(*n)++] = (struct config_span){0, (uint16_t)(to - WEEK_MIN)};
        to = WEEK_MIN;
    }
    spans[(*n)++] = (struct config_span){(uint16_t)from, (uint16_t)to};
    return true;
}

static int by_time(const void *a, const void *b)
{
    const struct config_span *x = a, *y = b;

    return x->from != y->from ? (int)x->from - y->from : (int)x->to - y->to;
}

/* One part between semicolons. */
static bool parse_part(const char **p, struct config_span *spans, size_t *n)
{
    unsigned mask;
    int times = 0;

    if (!take_days(p, &mask))
        return false;
    for (skip_blanks(p); isdigit((unsigned char)**p); skip_blanks(p), times++) {
        int from, to;

        if (!take_time(p, &from) || !take(p, '-') || !take_time(p, &to) || from == DAY_MIN)
            return false;
        if (to <= from)
            to += DAY_MIN;
        for (int d = 0; d < 7; d++) {
            if (mask & 1u << d && !add_span(spans, n, d * DAY_MIN + from, d * DAY_MIN + to))
                return false;
        }
        take(p, ',');
    }
    return times > 0;
}

const char *config_hours_parse(const char *text, struct config_span **out, size_t *out_n)
{
    struct config_span spans[SPANS_MAX];
    const char *p = text;
    size_t n = 0;

    for (;;) {
        while (*p == ' ' || *p == ';' || *p == '\n')
            p++;
        if (!*p)
            break;
        if (!parse_part(&p, spans, &n) || (*p && *p != ';' && *p != '\n'))
            return hours_wrong;
    }
    qsort(spans, n, sizeof spans[0], by_time);
    *out = n ? mem_alloc(n * sizeof spans[0]) : NULL;
    if (n)
        memcpy(*out, spans, n * sizeof spans[0]);
    *out_n = n;
    return NULL;
}

/* Days since 1970-01-01 of a day of the Gregorian calendar (Howard Hinnant's days_from_civil). */
static int32_t day_number(int y, int m, int d)
{
    int era, yoe, doy;

    y -= m <= 2;
    era = (y >= 0 ? y : y - 399) / 400;
    yoe = y - era * 400;
    doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static bool take_date(const char **p, int32_t *day)
{
    static const int month_days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int y, m, d, last;

    if (!take_digits(p, 4, &y) || !take(p, '-') || !take_digits(p, 2, &m) || !take(p, '-') ||
        !take_digits(p, 2, &d))
        return false;
    if (m < 1 || m > 12 || y < 1970)
        return false;
    last = month_days[m - 1] + (m == 2 && (y % 4 == 0 && (y % 100 || y % 400 == 0)));
    if (d < 1 || d > last)
        return false;
    *day = day_number(y, m, d);
    return true;
}

const char *config_holidays_parse(const char *text, struct config_days **out, size_t *out_n)
{
    struct config_days days[DAYS_MAX];
    struct str rest = str_of(text), item;
    size_t n = 0;

    while (config_list_next(&rest, &item)) {
        const char *p = item.s;
        struct config_days *d = &days[n];

        if (n == DAYS_MAX)
            return "names more than 1000 days or spans";
        if (!take_date(&p, &d->from))
            return days_wrong;
        d->to = d->from;
        if (p < item.s + item.n && (!take(&p, '.') || !take(&p, '.') || !take_date(&p, &d->to)))
            return days_wrong;
        if (p != item.s + item.n)
            return days_wrong;
        if (d->to < d->from)
            return "has a span that ends before it begins";
        n++;
    }
    *out = n ? mem_alloc(n * sizeof days[0]) : NULL;
    if (n)
        memcpy(*out, days, n * sizeof days[0]);
    *out_n = n;
    return NULL;
}

const char *config_check_hours(const char *text)
{
    struct config_span *spans = NULL;
    size_t n;
    const char *what = config_hours_parse(text, &spans, &n);

    free(spans);
    return what;
}

const char *config_check_holidays(const char *text)
{
    struct config_days *days = NULL;
    size_t n;
    const char *what = config_holidays_parse(text, &days, &n);

    free(days);
    return what;
}

static int64_t floor_div(int64_t a, int64_t b)
{
    return a / b - (a % b < 0);
}

bool config_is_open(const struct config_department *d, int64_t now_ms)
{
    int64_t local_s = floor_div(now_ms, 1000) + config_zone_offset_s(d->zone, now_ms);
    int64_t day = floor_div(local_s, 86400);
    int64_t minute = (local_s - day * 86400) / 60 +
                     DAY_MIN * ((day % 7 + 7 + 3) % 7); /* day 0 was a Thursday */

    for (size_t i = 0; i < d->closed_n; i++) {
        if (day >= d->closed[i].from && day <= d->closed[i].to)
            return false;
    }
    if (d->week_n == 0)
        return true;
    for (size_t i = 0; i < d->week_n; i++) {
        if (minute >= d->week[i].from && minute < d->week[i].to)
            return true;
    }
    return false;
}

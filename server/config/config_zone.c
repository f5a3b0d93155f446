/*
 * Time zones from the system's files (RFC 8536, version 2): the transitions that stand there, then those that
 * the rule in the footer makes, to the end of 2100. Read once; looking up is pure, so any thread may.
 */
#include "config/config_row.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ZONE_DIR      "/usr/share/zoneinfo/"
#define ZONE_FILE_MAX 262144
#define LAST_YEAR     2100

struct config_zone {
    int32_t first; /* offset before the first transition */
    size_t n, cap;
    struct shift {
        int64_t at;     /* seconds since the epoch */
        int32_t offset; /* seconds east of UTC from then on */
    } * shifts;         /* in order of at */
};

static void add(struct config_zone *z, int64_t at, int32_t offset)
{
    if (z->n == z->cap) {
        z->cap = z->cap ? 2 * z->cap : 64;
        z->shifts = mem_realloc(z->shifts, z->cap * sizeof *z->shifts);
    }
    z->shifts[z->n++] = (struct shift){at, offset};
}

/* --- the footer's rule, as "CET-1CEST,M3.5.0,M10.5.0/3" */

struct rule {
    int kind; /* 'M' month.week.day, 'J' day 1–365 without 29 February, 0: day 0–365 */
    int m, w, d;
    int32_t time_s; /* local time of the change */
};

static bool take_int(const char **p, int max, int *out)
{
    long v = 0;

    if (!isdigit((unsigned char)**p))
        return false;
    for (; isdigit((unsigned char)**p); ++*p) {
        v = v * 10 + (**p - '0');
        if (v > max)
            return false;
    }
    *out = (int)v;
    return true;
}

/* [+-]hh[:mm[:ss]] */
static bool take_clock(const char **p, int32_t *out)
{
    int sign = **p == '-' ? -1 : 1, h, m = 0, s = 0;

    if (**p == '-' || **p == '+')
        ++*p;
    if (!take_int(p, 167, &h))
        return false;
    if (**p == ':' && (++*p, !take_int(p, 59, &m)))
        return false;
    if (**p == ':' && (++*p, !take_int(p, 59, &s)))
        return false;
    *out = sign * (h * 3600 + m * 60 + s);
    return true;
}

static bool skip_name(const char **p)
{
    const char *from = *p;

    if (**p == '<') {
        *p = strchr(*p, '>');
        if (!*p) {
            *p = from;
            return false;
        }
        ++*p;
        return true;
    }
    while (isalpha((unsigned char)**p))
        ++*p;
    return *p - from >= 3;
}

static bool take_rule(const char **p, struct rule *r)
{
    *r = (struct rule){.time_s = 7200};
    if (*(*p)++ != ',')
        return false;
    if (**p == 'M') {
        r->kind = *(*p)++;
        if (!take_int(p, 12, &r->m) || *(*p)++ != '.' || !take_int(p, 5, &r->w) || *(*p)++ != '.' ||
            !take_int(p, 6, &r->d))
            return false;
        if (r->m < 1 || r->w < 1)
            return false;
    } else {
        if (**p == 'J')
            r->kind = *(*p)++;
        if (!take_int(p, 365, &r->d))
            return false;
    }
    return **p != '/' || (++*p, take_clock(p, &r->time_s));
}

static bool is_leap(int y)
{
    return y % 4 == 0 && (y % 100 || y % 400 == 0);
}

static int64_t year_begins(int y)
{
    int64_t n = y - 1;

    return 365 * (int64_t)(y - 1970) + (n / 4 - n / 100 + n / 400) - (1969 / 4 - 1969 / 100 + 1969 / 400);
}

/* The day (since 1970-01-01) on which the rule falls in that year. */
static int64_t rule_day(const struct rule *r, int y)
{
    static const int before[] = {0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334, 365};
    int64_t first, length, day;

    if (r->kind == 'J')
        return year_begins(y) + r->d - 1 + (is_leap(y) && r->d >= 60);
    if (r->kind != 'M')
        return year_begins(y) + r->d;
    first = year_begins(y) + before[r->m - 1] + (is_leap(y) && r->m > 2);
    length = before[r->m] - before[r->m - 1] + (is_leap(y) && r->m == 2);
    day = (r->d - (first + 4) % 7 + 7) % 7 + 7 * (r->w - 1); /* 1970-01-01 was a Thursday; 0 is Sunday */
    while (day >= length)
        day -= 7;
    return first + day;
}

static void add_after(struct config_zone *z, int64_t after, int64_t at, int32_t offset)
{
    if (at > after)
        add(z, at, offset);
}

static bool apply_footer(struct config_zone *z, const char *p)
{
    int64_t after = z->n ? z->shifts[z->n - 1].at : INT64_MIN;
    struct rule start, end;
    int32_t std, dst;

    if (!*p)
        return true;
    if (!skip_name(&p) || !take_clock(&p, &std))
        return false;
    std = -std; /* POSIX counts west */
    if (!*p) {
        if (z->n == 0)
            z->first = std;
        return true;
    }
    dst = std + 3600;
    if (!skip_name(&p))
        return false;
    if (*p && *p != ',') {
        if (!take_clock(&p, &dst))
            return false;
        dst = -dst;
    }
    if (!take_rule(&p, &start) || !take_rule(&p, &end) || *p)
        return false;
    for (int y = 1970; y <= LAST_YEAR; y++) {
        int64_t on = rule_day(&start, y) * 86400 + start.time_s - std,
                off = rule_day(&end, y) * 86400 + end.time_s - dst;

        if (on < off) {
            add_after(z, after, on, dst);
            add_after(z, after, off, std);
        } else { /* south of the equator */
            add_after(z, after, off, std);
            add_after(z, after, on, dst);
        }
    }
    return true;
}

/* --- the file */

static uint32_t be32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static int64_t be64(const unsigned char *p)
{
    return (int64_t)((uint64_t)be32(p) << 32 | be32(p + 4));
}

struct head {
    uint32_t isut, isstd, leap, times, types, chars;
};

static bool read_head(const unsigned char *p, size_t n, struct head *h)
{
    if (n < 44 || memcmp(p, "TZif", 4) != 0)
        return false;
    *h = (struct head){be32(p + 20), be32(p + 24), be32(p + 28), be32(p + 32), be32(p + 36), be32(p + 40)};
    return h->isut <= 256 && h->isstd <= 256 && h->leap <= 1000 && h->times <= 10000 && h->types <= 256 &&
           h->chars <= 2048;
}

static size_t body_size(const struct head *h, size_t time_size)
{
    return h->times * (time_size + 1) + h->types * 6 + h->chars + h->leap * (time_size + 4) + h->isstd +
           h->isut;
}

/* p is terminated by a NUL behind its n bytes. */
static bool parse_file(struct config_zone *z, const unsigned char *p, size_t n)
{
    const unsigned char *times, *index, *types;
    struct head h;
    size_t body;
    char *end;

    if (!read_head(p, n, &h) || p[4] < '2' || n < 44 + body_size(&h, 4))
        return false;
    body = 44 + body_size(&h, 4);
    p += body;
    n -= body;
    if (!read_head(p, n, &h) || h.types == 0 || n < 44 + body_size(&h, 8) + 2)
        return false;
    times = p + 44;
    index = times + (size_t)h.times * 8;
    types = index + h.times;
    z->first = (int32_t)be32(types);
    for (uint32_t i = 0; i < h.times; i++) {
        int64_t at = be64(times + (size_t)i * 8);

        if (index[i] >= h.types || (i && at <= z->shifts[z->n - 1].at))
            return false;
        add(z, at, (int32_t)be32(types + (size_t)index[i] * 6));
    }
    p += 44 + body_size(&h, 8);
    if (*p++ != '\n')
        return false;
    end = strchr((const char *)p, '\n');
    if (!end)
        return false;
    *end = 0;
    return apply_footer(z, (const char *)p);
}

static int read_file(const char *path, unsigned char **out, size_t *out_n, struct err *err)
{
    unsigned char *p = mem_alloc(ZONE_FILE_MAX + 1);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    size_t n = 0;
    ssize_t got = -1;

    while (fd >= 0 && n < ZONE_FILE_MAX && (got = read(fd, p + n, ZONE_FILE_MAX - n)) > 0)
        n += (size_t)got;
    if (fd >= 0)
        close(fd);
    if (fd < 0 || got != 0) {
        free(p);
        return err_set(err, ERR_NOT_FOUND, "%s can't be read; is the package tzdata installed?", path);
    }
    p[n] = 0;
    *out = p;
    *out_n = n;
    return 0;
}

static bool name_is_valid(const char *name)
{
    if (!isalpha((unsigned char)*name) || strlen(name) > 60 || strstr(name, ".."))
        return false;
    return name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_+-/")] == 0;
}

int config_zone_load(const char *name, struct config_zone **out, struct err *err)
{
    char path[sizeof ZONE_DIR + 64];
    struct config_zone *z;
    unsigned char *p = NULL;
    size_t n = 0;
    int rc;

    if (!name_is_valid(name))
        return err_set(err, ERR_INVALID, "is not the name of a time zone, as Asia/Shanghai");
    snprintf(path, sizeof path, ZONE_DIR "%s", name);
    rc = read_file(path, &p, &n, err);
    if (rc < 0 && strcmp(name, "Asia/Shanghai") == 0) {
        /* The default serves on a system without zone files, too: eight hours, unchanged since 1991. */
        *out = z = mem_zalloc(sizeof *z);
        z->first = 8 * 3600;
        return 0;
    }
    if (rc < 0)
        return rc;
    z = mem_zalloc(sizeof *z);
    if (!parse_file(z, p, n)) {
        config_zone_destroy(z);
        rc = err_set(err, ERR_INVALID, "%s is not a time zone file of version 2", path);
    } else {
        *out = z;
    }
    free(p);
    return rc;
}

void config_zone_destroy(struct config_zone *z)
{
    if (!z)
        return;
    free(z->shifts);
    free(z);
}

int32_t config_zone_offset_s(const struct config_zone *z, int64_t at_ms)
{
    int64_t at = at_ms / 1000 - (at_ms % 1000 < 0);
    size_t lo = 0, hi;

    if (!z)
        return 0;
    for (hi = z->n; lo < hi;) {
        size_t mid = lo + (hi - lo) / 2;

        if (z->shifts[mid].at <= at)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo ? z->shifts[lo - 1].offset : z->first;
}

const char *config_check_zone(const char *text)
{
    struct config_zone *z = NULL;
    int rc = config_zone_load(text, &z, NULL);

    config_zone_destroy(z);
    if (rc == ERR_NOT_FOUND)
        return "is not in /usr/share/zoneinfo: name another time zone, or install the package tzdata";
    return rc < 0 ? "is not a time zone, as Asia/Shanghai" : NULL;
}

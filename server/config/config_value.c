#include "config/config_row.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define SHOWN_MAX 60 /* bytes of a wrong value that an error repeats */

static void *member(const struct config_row *row, const void *base)
{
    return (char *)base + row->offset; /* only written through by who has a base that may be */
}

char **config_value_text(const struct config_row *row, const void *base)
{
    return member(row, base);
}

static bool is_text(const struct config_row *row)
{
    return row->type == CONFIG_STR || row->type == CONFIG_LIST;
}

/* --- reading */

static bool parse_digits(const char **p, int64_t *out)
{
    char *end;

    if (!isdigit((unsigned char)**p))
        return false;
    errno = 0;
    *out = strtoll(*p, &end, 10);
    *p = end;
    return errno == 0;
}

/* A whole number with one of the type's units behind it. */
static bool parse_number(enum config_type type, const char *p, int64_t *out)
{
    static const struct {
        enum config_type type;
        const char *unit;
        int64_t factor;
    } units[] = {
        {CONFIG_MS, "ms", 1},         {CONFIG_MS, "s", 1000},          {CONFIG_MS, "m", 60000},
        {CONFIG_MS, "h", 3600000},    {CONFIG_MS, "d", 86400000},      {CONFIG_BYTES, "k", 1024},
        {CONFIG_BYTES, "m", 1048576}, {CONFIG_BYTES, "g", 1073741824},
    };
    int64_t n;

    if (!parse_digits(&p, &n))
        return false;
    while (*p == ' ')
        p++;
    for (size_t i = 0; *p && i < sizeof units / sizeof units[0]; i++) {
        if (units[i].type == type && strcmp(p, units[i].unit) == 0)
            return !__builtin_mul_overflow(n, units[i].factor, out);
    }
    *out = n;
    return *p == 0;
}

static bool parse_bool(const char *text, bool *out)
{
    static const char *const yes[] = {"true", "yes", "on", "1", NULL}, *const no[] = {"false", "no", "off",
                                                                                      "0", NULL};

    for (int i = 0; yes[i]; i++) {
        if (strcmp(text, yes[i]) == 0 || strcmp(text, no[i]) == 0) {
            *out = strcmp(text, yes[i]) == 0;
            return true;
        }
    }
    return false;
}

static int choice_of(const struct config_row *row, const char *text)
{
    for (int i = 0; row->choices[i]; i++) {
        if (strcmp(row->choices[i], text) == 0)
            return i;
    }
    return -1;
}

static int wrong(const struct config_row *row, const char *name, const char *text, const char *what,
                 struct err *err)
{
    struct buf range;
    char shown[SHOWN_MAX + 8];
    size_t n = strlen(text);
    int rc;

    if (row->secret)
        return err_set(err, ERR_INVALID, "%s: the value %s", name, what);
    if (n > SHOWN_MAX) {
        for (n = SHOWN_MAX; n > 0 && ((unsigned char)text[n] & 0xc0) == 0x80;)
            n--;
        snprintf(shown, sizeof shown, "%.*s…", (int)n, text);
    } else {
        snprintf(shown, sizeof shown, "%s", text);
    }
    for (char *c = shown; *c; c++) {
        if (*c == '\n')
            *c = ' ';
    }
    buf_init(&range, 400);
    config_value_describe(row, &range);
    if (range.n)
        rc = err_set(err, ERR_INVALID, "%s: \"%s\" %s (%s)", name, shown, what, range.p);
    else
        rc = err_set(err, ERR_INVALID, "%s: \"%s\" %s", name, shown, what);
    buf_fini(&range);
    return rc;
}

/* Control characters can't be kept in the file, and " ;" begins a comment there. */
static const char *check_text(const struct config_row *row, const char *text)
{
    size_t n = strlen(text);

    if ((int64_t)n > row->max)
        return "is too long";
    for (size_t i = 0; i < n; i++) {
        unsigned char c = (unsigned char)text[i];

        if ((c < 0x20 && c != '\n') || c == 0x7f)
            return "has a control character";
        if (c == ';' && (i == 0 || text[i - 1] == ' ' || text[i - 1] == '\n'))
            return "has a \";\" that would begin a comment in the file: leave out the blank before it";
        if (c == '#' && i > 0 && text[i - 1] == '\n')
            return "has a line that begins with \"#\" and would be a comment in the file";
    }
    if (row->secret && strcmp(text, "***") == 0)
        return "is only the mask under which `config print` hides it: put the real one";
    if (row->choices && choice_of(row, text) < 0)
        return "is none of the possible values";
    return row->check ? row->check(text) : NULL;
}

static int set_number(const struct config_row *row, void *at, const char *name, const char *text,
                      struct err *err)
{
    int64_t n;

    if (!parse_number(row->type, text, &n)) {
        const char *what = row->type == CONFIG_MS
                               ? "is not a whole number of milliseconds, nor one with s, m, h or d"
                           : row->type == CONFIG_BYTES
                               ? "is not a whole number of bytes, nor one with k, m or g"
                               : "is not a whole number";

        return wrong(row, name, text, what, err);
    }
    if (n < row->min || n > row->max)
        return wrong(row, name, text, "is out of range", err);
    *(int64_t *)at = n;
    return 0;
}

static int set_text(const struct config_row *row, void *base, const char *name, const char *text,
                    struct err *err)
{
    void *at = member(row, base);
    const char *what;
    int i;

    switch (row->type) {
    case CONFIG_INT:
    case CONFIG_MS:
    case CONFIG_BYTES:
        return set_number(row, at, name, text, err);
    case CONFIG_BOOL:
        return parse_bool(text, at) ? 0 : wrong(row, name, text, "is neither true nor false", err);
    case CONFIG_ENUM:
        i = choice_of(row, text);
        if (i < 0)
            return wrong(row, name, text, "is none of the possible values", err);
        *(int *)at = i;
        return 0;
    default:
        what = check_text(row, text);
        if (what)
            return wrong(row, name, text, what, err);
        free(*(char **)at);
        *(char **)at = mem_strdup(text);
        return 0;
    }
}

/* A copy as the file would keep it: no blanks around a line, no empty lines. */
static char *tidy(struct str text)
{
    char *copy = mem_alloc(text.n + 1);
    size_t n = 0;

    for (const char *p = text.s, *end = text.s + text.n; p < end;) {
        const char *nl = memchr(p, '\n', (size_t)(end - p)), *from = p, *to = nl ? nl : end;

        p = nl ? nl + 1 : end;
        while (from < to && isspace((unsigned char)*from))
            from++;
        while (to > from && isspace((unsigned char)to[-1]))
            to--;
        if (from == to)
            continue;
        if (n)
            copy[n++] = '\n';
        memcpy(copy + n, from, (size_t)(to - from));
        n += (size_t)(to - from);
    }
    copy[n] = 0;
    return copy;
}

int config_value_set(const struct config_row *row, void *base, const char *name, struct str text,
                     struct err *err)
{
    char *copy;
    int rc;

    if (text.n && memchr(text.s, 0, text.n))
        return err_set(err, ERR_INVALID, "%s: the value has a NUL byte", name);
    copy = tidy(text.n ? text : STR(""));
    rc = set_text(row, base, name, copy, err);
    free(copy);
    return rc;
}

void config_value_defaults(const struct config_row *rows, size_t n, void *base)
{
    for (size_t i = 0; i < n; i++) {
        struct err err = {0};

        if (is_text(&rows[i]))
            *config_value_text(&rows[i], base) = mem_strdup(rows[i].def);
        else if (config_value_set(&rows[i], base, rows[i].key, str_of(rows[i].def), &err) < 0)
            abort(); /* a default outside of its own range: the table is wrong */
    }
}

void config_value_free(const struct config_row *rows, size_t n, void *base)
{
    for (size_t i = 0; i < n; i++) {
        if (is_text(&rows[i]))
            free(*config_value_text(&rows[i], base));
    }
}

/* --- writing */

/* False at the end of a value or of its line, and before what would begin a comment there. */
static bool may_begin_a_line(const char *p)
{
    p += strspn(p, " ");
    return *p && !strchr("\n;#", *p);
}

/* Line ends become indented lines; a long list goes on in a new one behind a comma. */
static void print_text(const struct config_row *row, const char *text, struct buf *out)
{
    size_t column = strlen(row->key) + 3;

    for (const char *p = text; *p; p++) {
        if (*p == '\n') {
            buf_add_s(out, "\n    ");
            column = 4;
            continue;
        }
        buf_add_c(out, *p);
        column++;
        if (row->type == CONFIG_LIST && *p == ',' && column > 100 && may_begin_a_line(p + 1)) {
            buf_add_s(out, "\n    ");
            column = 4;
            while (p[1] == ' ')
                p++;
        }
    }
}

void config_value_print(const struct config_row *row, const void *base, struct buf *out)
{
    const void *at = member(row, base);

    switch (row->type) {
    case CONFIG_INT:
    case CONFIG_MS:
    case CONFIG_BYTES:
        buf_add_i64(out, *(const int64_t *)at);
        break;
    case CONFIG_BOOL:
        buf_add_s(out, *(const bool *)at ? "true" : "false");
        break;
    case CONFIG_ENUM:
        buf_add_s(out, row->choices[*(const int *)at]);
        break;
    default:
        if (row->secret && **config_value_text(row, base))
            buf_add_s(out, "***");
        else
            print_text(row, *config_value_text(row, base), out);
    }
}

void config_value_describe(const struct config_row *row, struct buf *out)
{
    if (row->choices) {
        for (int i = 0; row->choices[i]; i++)
            buf_printf(out, "%s%s", i ? ", " : "", row->choices[i]);
    } else if (row->type == CONFIG_BOOL) {
        buf_add_s(out, "true, false");
    } else if (!is_text(row)) {
        buf_printf(out, "%" PRId64 "–%" PRId64, row->min, row->max);
    }
}

/* Edit distance (Levenshtein), given up on names that are too long to be worth it. */
static unsigned distance(struct str a, struct str b)
{
    unsigned row[64];

    if (a.n >= 64 || b.n >= 64)
        return 64;
    for (unsigned j = 0; j <= b.n; j++)
        row[j] = j;
    for (unsigned i = 1; i <= a.n; i++) {
        unsigned diagonal = row[0];

        row[0] = i;
        for (unsigned j = 1; j <= b.n; j++) {
            unsigned above = row[j], d = diagonal + (a.s[i - 1] != b.s[j - 1]);

            if (above + 1 < d)
                d = above + 1;
            if (row[j - 1] + 1 < d)
                d = row[j - 1] + 1;
            diagonal = above;
            row[j] = d;
        }
    }
    return row[b.n];
}

const char *config_nearest(struct str name, const char *candidate, const char *so_far, unsigned *best)
{
    unsigned d = distance(name, str_of(candidate));

    if (d >= *best || 2 * d > strlen(candidate))
        return so_far;
    *best = d;
    return candidate;
}

/* --- checks of texts */

static bool port_is_valid(const char *p)
{
    int64_t port;

    return parse_digits(&p, &port) && *p == 0 && port <= 65535;
}

const char *config_check_listen(const char *text)
{
    const char *colon = strrchr(text, ':');

    if (!colon || colon == text || !port_is_valid(colon + 1) || strpbrk(text, " \n/"))
        return "is not HOST:PORT, as 127.0.0.1:8080 or [::1]:8080";
    if (memchr(text, ':', (size_t)(colon - text)) && (text[0] != '[' || colon[-1] != ']'))
        return "needs brackets around the IPv6 address, as [::1]:8080";
    return NULL;
}

const char *config_check_redis_or_none(const char *text)
{
    static const char *const schemes[] = {"unix://", "redis://", "sentinel://"};

    for (size_t i = 0; *text && i < sizeof schemes / sizeof *schemes; i++) {
        if (strncmp(text, schemes[i], strlen(schemes[i])) == 0)
            return NULL;
    }
    return *text ? "is not unix:///path, redis://host:port or sentinel://host:port,host:port/name" : NULL;
}

const char *config_check_listen_or_none(const char *text)
{
    return *text ? config_check_listen(text) : NULL;
}

/* scheme://host[:port] without anything behind; len of text. */
static bool is_origin(struct str s)
{
    const char *host;
    size_t n;

    if (s.n > 8 && memcmp(s.s, "https://", 8) == 0)
        host = s.s + 8;
    else if (s.n > 7 && memcmp(s.s, "http://", 7) == 0)
        host = s.s + 7;
    else
        return false;
    n = s.n - (size_t)(host - s.s);
    for (size_t i = 0; i < n; i++) {
        if (!isalnum((unsigned char)host[i]) && !strchr(".-:[]", host[i]))
            return false;
    }
    return true;
}

const char *config_check_url(const char *text)
{
    return !*text || is_origin(str_of(text))
               ? NULL
               : "is not an address like https://help.shop.example, without a path";
}

const char *config_check_origins(const char *text)
{
    struct str rest = str_of(text), item;

    while (config_list_next(&rest, &item)) {
        if (!is_origin(item))
            return "is not a list of origins like https://shop.example, without a path";
    }
    return NULL;
}

const char *config_check_networks(const char *text)
{
    struct str rest = str_of(text), item;
    unsigned char addr[16];
    unsigned n = 0;

    while (config_list_next(&rest, &item)) {
        char one[INET6_ADDRSTRLEN + 8], *slash;
        int64_t bits = 0;
        bool v4;

        if (++n > CONFIG_PROXIES_MAX)
            return "names more than 32 addresses and networks";
        if (item.n >= sizeof one)
            return "is not a list of addresses or networks, as 10.0.0.0/8";
        snprintf(one, sizeof one, "%.*s", STR_FMT(item));
        slash = strchr(one, '/');
        if (slash) {
            const char *p = slash + 1;

            *slash = 0;
            if (!parse_digits(&p, &bits) || *p)
                return "has a network whose prefix is no number, as 10.0.0.0/8";
        }
        v4 = inet_pton(AF_INET, one, addr) == 1;
        if (!v4 && inet_pton(AF_INET6, one, addr) != 1)
            return "is not a list of addresses or networks, as 10.0.0.0/8";
        if (bits > (v4 ? 32 : 128))
            return "has a network whose prefix is too long";
    }
    return NULL;
}

const char *config_check_color(const char *text)
{
    if (!*text || (strlen(text) == 7 && text[0] == '#' && strspn(text + 1, "0123456789abcdefABCDEF") == 6))
        return NULL;
    return "is not a colour like #1f6feb";
}

bool config_name_is_valid(struct str s)
{
    if (s.n == 0 || s.n > CONFIG_NAME_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        if (!isalnum((unsigned char)s.s[i]) && s.s[i] != '_' && s.s[i] != '-')
            return false;
    }
    return true;
}

const char *config_check_name_or_none(const char *text)
{
    return !*text || config_name_is_valid(str_of(text)) ? NULL
                                                        : "is not a name of 1–32 letters, digits, _ and -";
}

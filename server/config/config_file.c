/*
 * The INI file in and out; the only file that knows inih.
 *
 * inih tells its handler neither the line nor whether a value goes on from the line before, and cuts lines at
 * 200 bytes. So the reader that hands it the lines counts them, looks at each first, and refuses what inih
 * would silently misread: " ;" behind a value, which would begin a comment, and what stands behind a section's
 * bracket, which it drops. A longer line goes to it in pieces, as if its value went on in indented lines. What does
 * go on is put together and set when the next key begins.
 */
#include "config/config_row.h"

#include "base/base_map.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <ini.h>
#include <stdlib.h>
#include <unistd.h>

#define SECTION_MAX 48 /* inih cuts longer ones */

struct reading {
    struct config *cfg;
    const char *path;
    struct err *err;
    const char *p, *end; /* what inih has not got yet */
    int line;            /* of the line that it got last */
    int rc;              /* the first error; nothing is read behind it */
    int rc_line;
    bool goes_on;        /* this line belongs to the value before */
    bool joins;          /* and is a piece of the same line of the file */
    struct str rest;     /* of that line: the pieces that are still to come */
    struct buf lines;    /* for each line that inih got: which of the file it is (int) */
    struct {
        bool set;
        int line;
        char section[64], key[64];
        struct buf value;
    } pending;
    struct map seen; /* "section.key" → line */
};

static void fail(struct reading *r, int line)
{
    r->rc = err_wrap(r->err, r->err ? r->err->code : ERR_INVALID, "config: %s:%d", r->path, line);
    r->rc_line = line;
}

/* Sets the value that is complete now. */
static void flush(struct reading *r)
{
    char name[130];
    void *before;

    if (!r->pending.set || r->rc < 0)
        return;
    r->pending.set = false;
    snprintf(name, sizeof name, "%s.%s", r->pending.section, r->pending.key);
    if (!buf_ok(&r->pending.value)) {
        err_set(r->err, ERR_TOO_LARGE, "%s: the value is too long", name);
        fail(r, r->pending.line);
        return;
    }
    if (config_assign(r->cfg, str_of(r->pending.section), str_of(r->pending.key), buf_str(&r->pending.value),
                      r->err) < 0) {
        fail(r, r->pending.line);
        return;
    }
    before = map_put(&r->seen, str_of(name), (void *)(intptr_t)r->pending.line);
    if (before) {
        err_set(r->err, ERR_INVALID, "%s: stands in line %d already; keep one of the two", name,
                (int)(intptr_t)before);
        fail(r, r->pending.line);
    }
}

static int on_pair(void *ctx, const char *section, const char *key, const char *value)
{
    struct reading *r = ctx;

    if (r->rc < 0)
        return 1;
    if (r->goes_on && r->pending.set) {
        if (!r->joins)
            buf_add_c(&r->pending.value, '\n');
        buf_add_s(&r->pending.value, value);
        return 1;
    }
    flush(r);
    if (r->rc < 0)
        return 1;
    r->pending.set = true;
    r->pending.line = r->line;
    snprintf(r->pending.section, sizeof r->pending.section, "%s", section);
    snprintf(r->pending.key, sizeof r->pending.key, "%s", key);
    buf_reset(&r->pending.value);
    buf_add_s(&r->pending.value, value);
    return 1;
}

/* The line that was read last is wrong; what stands before it comes first. */
static void fail_here(struct reading *r, const char *what)
{
    flush(r);
    if (r->rc < 0)
        return;
    err_set(r->err, ERR_INVALID, "%s", what);
    fail(r, r->line);
}

static bool has_comment_behind(struct str line)
{
    for (size_t i = 1; i < line.n; i++) {
        if (line.s[i] == ';' && isspace((unsigned char)line.s[i - 1]))
            return true;
    }
    return false;
}

static struct str unindented(struct str line)
{
    while (line.n && isspace((unsigned char)line.s[0])) {
        line.s++;
        line.n--;
    }
    return line;
}

static bool is_comment(struct str line)
{
    line = unindented(line);
    return line.n && (line.s[0] == ';' || line.s[0] == '#');
}

/* A "[section]" line: unknown ones are refused where they stand, [site.x] exists even without a key. */
static void look_at_section(struct reading *r, struct str line)
{
    const char *close_at = memchr(line.s, ']', line.n);
    size_t n = close_at ? (size_t)(close_at - line.s) - 1 : 0;
    struct str behind = close_at ? unindented((struct str){close_at + 1, line.n - n - 2}) : STR_NONE;

    flush(r);
    if (r->rc < 0 || !close_at)
        return; /* inih finds the missing bracket */
    if (n > SECTION_MAX)
        fail_here(r, "the section's name is too long");
    else if (behind.n && !is_comment(behind))
        fail_here(r, "something stands behind the [section]; put each key in a line of its own");
    else if (config_open_section(r->cfg, (struct str){line.s + 1, n}, r->err) < 0)
        fail(r, r->line);
}

static void look_at(struct reading *r, struct str line, size_t room)
{
    bool indented = line.n && isspace((unsigned char)line.s[0]), is_long = line.n > room;

    r->goes_on = false;
    if (is_comment(line))
        return;
    line = unindented(line);
    if (line.n == 0)
        return;
    r->goes_on = indented && r->pending.set;
    if (line.s[0] == '[' && !r->goes_on) {
        if (is_long)
            fail_here(r, "the section's name is too long");
        else
            look_at_section(r, line);
    } else if (has_comment_behind(line)) {
        fail_here(r, "a \";\" behind a blank begins a comment: put comments in lines of their own, and write "
                     "\";\" without a "
                     "blank before it");
    }
}

/*
 * Where a piece of at most max bytes may end: not beside a blank, which inih drops, not before what would begin a comment, not within a
 * character. 0: nowhere.
 */
static size_t end_of_piece(struct str s, size_t max)
{
    if (s.n <= max)
        return s.n;
    for (size_t k = max; k > max / 2; k--)
        if (!isspace((unsigned char)s.s[k - 1]) && !isspace((unsigned char)s.s[k]) && !strchr(";#", s.s[k]) && ((unsigned char)s.s[k] & 0xc0) != 0x80)
            return k;
    return 0;
}

/* The next line of the file, without its end. False: there is none, or what was read is wrong. */
static bool take_line(struct reading *r, size_t room, struct str *out)
{
    const char *nl;

    if (r->p == r->end || r->rc < 0)
        return false;
    nl = memchr(r->p, '\n', (size_t)(r->end - r->p));
    *out = (struct str){r->p, (size_t)((nl ? nl : r->end) - r->p)};
    r->p += out->n + (nl != NULL);
    r->line++;
    look_at(r, *out, room);
    if (is_comment(*out))
        out->n = 0; /* of any length */
    return r->rc == 0;
}

/* fgets() for inih. */
static char *next_line(char *to, int size, void *ctx)
{
    struct reading *r = ctx;
    size_t room = (size_t)size - 3, n; /* but for a blank, the line's end, and NUL */
    struct str s = r->rest;

    r->joins = s.n > 0;
    if (!r->joins && !take_line(r, room, &s))
        return NULL;
    n = end_of_piece(s, room);
    if (n == 0 && s.n > 0) {
        fail_here(r, "the line is too long for the file; go on in the next line, indented");
        return NULL;
    }
    r->rest = (struct str){s.s + n, s.n - n};
    r->goes_on = r->goes_on || r->joins;
    buf_add(&r->lines, (const char *)&r->line, sizeof r->line);
    to[0] = ' ';
    memcpy(to + r->joins, s.s, n);
    memcpy(to + r->joins + n, "\n", 2);
    return to;
}

/* 0, or the line of the first byte that is no UTF-8 (or is NUL). */
static int bad_utf8_line(struct str s)
{
    int line = 1;

    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.s[i], lo = 0x80, hi = 0xbf;
        size_t more = c < 0x80 ? 0 : c < 0xe0 ? 1 : c < 0xf0 ? 2 : 3;

        line += c == '\n';
        if (c == 0 || (c >= 0x80 && c < 0xc2) || c > 0xf4 || s.n - i <= more)
            return line;
        lo = c == 0xe0 ? 0xa0 : c == 0xf0 ? 0x90 : lo;
        hi = c == 0xed ? 0x9f : c == 0xf4 ? 0x8f : hi;
        for (; more; more--, lo = 0x80, hi = 0xbf) {
            c = (unsigned char)s.s[++i];
            if (c < lo || c > hi)
                return line;
        }
    }
    return 0;
}

static int parse_text(struct config *cfg, const char *path, struct str text, struct err *err)
{
    struct reading r = {.cfg = cfg, .path = path, .err = err, .p = text.s, .end = text.s + text.n};
    int line = bad_utf8_line(text);

    if (line)
        return err_set(err, ERR_INVALID, "config: %s:%d: not UTF-8; save the file in that encoding", path,
                       line);
    if (text.n >= 3 && memcmp(text.s, "\xef\xbb\xbf", 3) == 0)
        r.p += 3; /* a byte order mark */
    buf_init(&r.pending.value, 65536);
    buf_init(&r.lines, (text.n + 1) * sizeof(int));
    map_init(&r.seen);
    config_unsettle(cfg);
    line = ini_parse_stream(next_line, &r, on_pair, &r);
    flush(&r);
    if (line > 0)
        line = ((const int *)(const void *)r.lines.p)[line - 1];
    if (line > 0 && (r.rc == 0 || line < r.rc_line))
        r.rc = err_set(err, ERR_INVALID, "config: %s:%d: neither [section] nor key = value", path, line);
    else if (line < 0 && r.rc == 0)
        r.rc = err_set(err, ERR_NO_MEMORY, "config: %s: out of memory", path);
    buf_fini(&r.pending.value);
    buf_fini(&r.lines);
    map_fini(&r.seen);
    config_settle(cfg);
    return r.rc;
}

static int read_all(const char *path, struct buf *out, struct err *err)
{
    char piece[65536];
    ssize_t n;
    int fd = open(path, O_RDONLY | O_CLOEXEC);

    if (fd < 0)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "config: %s: %s", path,
                       strerror(errno));
    while ((n = read(fd, piece, sizeof piece)) != 0) {
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0) {
            err_set(err, ERR_IO, "config: %s: %s", path, strerror(errno));
            close(fd);
            return ERR_IO;
        }
        buf_add(out, piece, (size_t)n);
        if (!buf_ok(out))
            break;
    }
    close(fd);
    if (!buf_ok(out))
        return err_set(err, ERR_TOO_LARGE, "config: %s: larger than %d bytes; is it the right file?", path,
                       CONFIG_FILE_MAX);
    return 0;
}

int config_read_file(struct config *cfg, const char *path, struct err *err)
{
    struct err local;
    struct buf text;
    int rc;

    buf_init(&text, CONFIG_FILE_MAX);
    rc = read_all(path, &text, err);
    if (rc == 0)
        rc = parse_text(cfg, path, buf_str(&text), err ? err : &local);
    buf_fini(&text);
    return rc;
}

int config_set(struct config *cfg, const char *assignment, struct err *err)
{
    const char *eq = strchr(assignment, '='), *dot = NULL;
    int rc;

    for (const char *p = assignment; eq && p < eq; p++) {
        if (*p == '.')
            dot = p;
    }
    if (!dot || bad_utf8_line(str_of(assignment)))
        return err_set(err, ERR_INVALID, "config: --set %.*s: not section.key=value",
                       (int)strcspn(assignment, "="), assignment);
    config_unsettle(cfg);
    rc = config_assign(cfg, (struct str){assignment, (size_t)(dot - assignment)},
                       (struct str){dot + 1, (size_t)(eq - dot) - 1}, str_of(eq + 1), err);
    config_settle(cfg);
    return rc < 0 ? err_wrap(err, rc, "config: --set") : 0;
}

/* --- out */

static void print_row(const struct config_row *row, const void *base, bool with_help, struct buf *out)
{
    if (with_help) {
        struct buf range;

        buf_init(&range, 400);
        config_value_describe(row, &range);
        buf_printf(out, "# %s", row->help);
        if (range.n)
            buf_printf(out, " (%s)", range.p);
        if (*row->def)
            buf_printf(out, " Default: %s", row->def);
        buf_add_c(out, '\n');
        buf_fini(&range);
    }
    buf_printf(out, "%s = ", row->key);
    config_value_print(row, base, out);
    if (out->n && out->p[out->n - 1] == ' ')
        out->p[--out->n] = 0;
    buf_add_c(out, '\n');
}

static void print_rows(const struct config_row *rows, size_t n, const void *base, bool with_help,
                       struct buf *out)
{
    for (size_t i = 0; i < n; i++)
        print_row(&rows[i], base, with_help, out);
}

void config_print(const struct config *cfg, struct buf *out)
{
    const char *section = "";

    buf_add_s(out,
              "# Settings of Firstline. Times are milliseconds, also 30s, 5m, 12h, 3d; sizes are bytes, also "
              "64k, 1m.\n"
              "# Comments stand in lines of their own. A long value goes on in the next line, indented.\n");
    for (size_t i = 0; i < config_rows_n; i++) {
        if (strcmp(section, config_rows[i].section) != 0) {
            section = config_rows[i].section;
            buf_printf(out, "\n[%s]\n", section);
        }
        print_row(&config_rows[i], cfg, true, out);
    }
    for (size_t i = 0; i < cfg->sites_n; i++) {
        buf_printf(out, "\n[site.%s]\n", cfg->sites[i].id);
        print_rows(config_site_rows, config_site_rows_n, &cfg->sites[i], i == 0, out);
    }
    for (size_t i = 0; i < cfg->departments_n; i++) {
        const struct config_department *d = &cfg->departments[i];

        if (d->implied && !(cfg->sites_n == 1 && cfg->departments_n == 1))
            continue; /* implied again when it is read back; several of that name could not stand side by side
                       */
        buf_printf(out, "\n[department.%s]\n", d->name);
        print_rows(config_department_rows, config_department_rows_n, d, i == 0, out);
    }
    for (size_t i = 0; i < cfg->canned_n; i++) {
        buf_printf(out, "\n[canned.%s]\n", cfg->canned[i].name);
        print_rows(config_canned_rows, config_canned_rows_n, &cfg->canned[i], i == 0, out);
    }
}

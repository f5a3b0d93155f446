#include "kb/kb_article.h"

#include <stdio.h>
#include <stdlib.h>

#include "protocol/protocol.h"

#define DAY_MS (24LL * 3600 * 1000)

struct reader {
    struct str rest; /* what is still to be read */
    const char *name;
    unsigned line;          /* of the line taken last, from 1 */
    struct kb_article *out;
    bool in_questions;
};

static struct str trim(struct str s)
{
    while (s.n > 0 && strchr(" \t\r", s.s[0]))
        s.s++, s.n--;
    while (s.n > 0 && strchr(" \t\r", s.s[s.n - 1]))
        s.n--;
    return s;
}

/* False of `"A" or "B"`: the quotes at its ends are not one another's. Within them one is doubled, or has a backslash before it. */
static bool is_quoted(struct str s)
{
    if (s.n < 2 || (s.s[0] != '"' && s.s[0] != '\'') || s.s[s.n - 1] != s.s[0])
        return false;
    for (size_t i = 1; i + 1 < s.n; i++) {
        if (s.s[i] != s.s[0] || s.s[i - 1] == '\\')
            continue;
        if (i + 2 == s.n || s.s[i + 1] != s.s[0])
            return false;
        i++;
    }
    return true;
}

/* Quotes around a whole value are YAML's, not the value's. */
static struct str unquote(struct str s)
{
    s = trim(s);
    return is_quoted(s) ? (struct str){s.s + 1, s.n - 2} : s;
}

static bool take_line(struct reader *r, struct str *line)
{
    const char *nl;

    if (r->rest.n == 0)
        return false;
    nl = memchr(r->rest.s, '\n', r->rest.n);
    line->s = r->rest.s;
    line->n = nl ? (size_t)(nl - r->rest.s) : r->rest.n;
    r->rest.s += line->n + (nl != NULL);
    r->rest.n -= line->n + (nl != NULL);
    r->line++;
    return true;
}

static int bad(const struct reader *r, struct err *err, const char *what)
{
    return err_set(err, ERR_INVALID, "%s:%u: %s", r->name, r->line, what);
}

static void set_text(char **field, struct str value)
{
    free(*field);
    *field = mem_strndup(value.s, value.n);
}

static bool is_id(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        if (!(s.s[i] == '-' || (s.s[i] >= '0' && s.s[i] <= '9') || (s.s[i] >= 'a' && s.s[i] <= 'z')))
            return false;
    }
    return s.n > 0 && s.n <= KB_ID_BYTES;
}

static bool is_lang(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        char c = (char)(s.s[i] | 32);

        if (!((c >= 'a' && c <= 'z') || (i > 1 && (s.s[i] == '-' || (s.s[i] >= '0' && s.s[i] <= '9')))))
            return false;
    }
    return s.n >= 2 && s.n <= 15;
}

/* Days since 1970-01-01 of a date of the Gregorian calendar. Source: Howard Hinnant, days_from_civil. */
static int64_t days_of(int y, int m, int d)
{
    int64_t era, yoe, doy;

    y -= m <= 2;
    era = y / 400;
    yoe = y - era * 400;
    doy = (153 * (m + (m > 2 ? -3 : 9)) + 2) / 5 + d - 1;
    return era * 146097 + yoe * 365 + yoe / 4 - yoe / 100 + doy - 719468;
}

static int days_in(int y, int m)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};

    return days[m - 1] + (m == 2 && y % 4 == 0 && (y % 100 != 0 || y % 400 == 0));
}

static bool read_date(struct str s, int64_t *at_ms)
{
    char text[11];
    int y, m, d;

    if (s.n != 10)
        return false;
    memcpy(text, s.s, 10);
    text[10] = 0;
    for (size_t i = 0; i < 10; i++)
        if (i == 4 || i == 7 ? text[i] != '-' : text[i] < '0' || text[i] > '9')
            return false;
    if (sscanf(text, "%4d-%2d-%2d", &y, &m, &d) != 3 || y < 1970 || m < 1 || m > 12 || d < 1 || d > days_in(y, m))
        return false;
    *at_ms = days_of(y, m, d) * DAY_MS;
    return true;
}

static int read_keywords(struct reader *r, struct str v, struct err *err)
{
    if (v.n < 2 || v.s[0] != '[' || v.s[v.n - 1] != ']')
        return bad(r, err, "keywords must be a list on one line: keywords: [refund, money back]");
    v = (struct str){v.s + 1, v.n - 2};
    while (v.n > 0) {
        const char *comma = memchr(v.s, ',', v.n);
        size_t n = comma ? (size_t)(comma - v.s) : v.n;
        struct str word = unquote((struct str){v.s, n});

        if (word.n > 0) {
            if (r->out->keywords_n == KB_LIST_MAX)
                return bad(r, err, "more than 64 keywords: keep those that people really type");
            r->out->keywords[r->out->keywords_n++] = mem_strndup(word.s, word.n);
        }
        v.s += n + (comma != NULL);
        v.n -= n + (comma != NULL);
    }
    return 0;
}

static int read_question(struct reader *r, struct str line, struct err *err)
{
    struct str q = unquote((struct str){line.s + 1, line.n - 1});

    if (q.n == 0)
        return bad(r, err, "an empty question: write it behind the dash or remove the line");
    if (r->out->questions_n == KB_LIST_MAX)
        return bad(r, err, "more than 64 questions: keep the most different ones");
    r->out->questions[r->out->questions_n++] = mem_strndup(q.s, q.n);
    return 0;
}

static int read_field(struct reader *r, struct str key, struct str v, struct err *err)
{
    struct kb_article *a = r->out;

    if (str_is(key, "questions")) {
        r->in_questions = true;
        return v.n == 0 ? 0 : bad(r, err, "questions stand on lines of their own below: `  - where is my money`");
    }
    if (str_is(key, "keywords"))
        return read_keywords(r, v, err);
    v = unquote(v);
    if (str_is(key, "id")) {
        if (!is_id(v))
            return bad(r, err, "id must be 1 to 64 of a-z 0-9 -, as refund-timing");
        set_text(&a->id, v);
    } else if (str_is(key, "title")) {
        if (v.n == 0)
            return bad(r, err, "title is empty: say in a few words what the article answers");
        if (utf8_chars(v) > KB_TITLE_CHARS)
            return bad(r, err, "title has more than 300 characters: say in a few words what the article answers");
        set_text(&a->title, v);
    } else if (str_is(key, "lang")) {
        if (!is_lang(v))
            return bad(r, err, "lang must be a language tag, as en or zh-CN");
        set_text(&a->lang, v);
    } else if (str_is(key, "department")) {
        if (v.n > 0)
            set_text(&a->department, v);
    } else if (str_is(key, "audience")) {
        if (!str_is(v, "shopper") && !str_is(v, "rep"))
            return bad(r, err, "audience must be shopper (everybody) or rep (staff only)");
        a->audience = str_is(v, "rep") ? KB_REP : KB_SHOPPER;
    } else if (str_is(key, "valid_from")) {
        if (!read_date(v, &a->valid_from_ms))
            return bad(r, err, "valid_from must be a day, as 2026-01-31");
    } else if (str_is(key, "valid_until")) {
        if (!read_date(v, &a->valid_until_ms))
            return bad(r, err, "valid_until must be a day, as 2026-12-31");
        a->valid_until_ms += DAY_MS;
    } else {
        return bad(r, err,
                   "unknown field: use id, title, lang, department, audience, valid_from, valid_until, keywords, "
                   "questions");
    }
    return 0;
}

static int read_front(struct reader *r, struct err *err)
{
    struct str line;
    int rc = 0;

    while (rc == 0) {
        const char *colon;

        if (!take_line(r, &line))
            return bad(r, err, "the front matter has no end: put a line `---` above the answer");
        if (str_is(trim(line), "---"))
            return 0;
        if (r->in_questions && trim(line).n > 0 && trim(line).s[0] == '-') {
            rc = read_question(r, trim(line), err);
            continue;
        }
        line = trim(line);
        if (line.n == 0 || line.s[0] == '#')
            continue;
        r->in_questions = false;
        colon = memchr(line.s, ':', line.n);
        if (!colon)
            return bad(r, err, "expected `field: value`");
        rc = read_field(r, trim((struct str){line.s, (size_t)(colon - line.s)}),
                        trim((struct str){colon + 1, line.n - (size_t)(colon + 1 - line.s)}), err);
    }
    return rc;
}

static struct kb_article *article_create(void)
{
    struct kb_article *a = mem_zalloc(sizeof *a);

    atomic_init(&a->refs, 1);
    a->department = mem_strdup("general");
    a->valid_until_ms = INT64_MAX;
    return a;
}

static void set_body(struct kb_article *a, struct str body)
{
    a->body = mem_strndup(body.s ? body.s : "", body.n);
    a->text = kb_markdown_text(body);
    a->html = kb_markdown_html(body);
}

static int check_whole(const struct reader *r, struct err *err)
{
    const struct kb_article *a = r->out;
    const char *missing = !a->id ? "id" : !a->title ? "title" : !a->lang ? "lang" : NULL;

    if (missing)
        return err_set(err, ERR_INVALID, "%s:1: the front matter has no %s: add a line `%s: …`", r->name, missing, missing);
    if (a->valid_until_ms <= a->valid_from_ms)
        return err_set(err, ERR_INVALID, "%s:1: valid_until is before valid_from: correct one of them", r->name);
    if (trim(r->rest).n == 0)
        return err_set(err, ERR_INVALID, "%s:%u: there is no answer below the front matter: write it", r->name, r->line);
    return 0;
}

int kb_article_read(struct str file, const char *name, struct kb_article **out, struct err *err)
{
    struct reader r = {.rest = file, .name = name};
    struct str line;
    int rc;

    if (file.n > KB_FILE_BYTES)
        return err_set(err, ERR_TOO_LARGE, "%s: over 256 KiB: split the article", name);
    if (memchr(file.s ? file.s : "", 0, file.n))
        return err_set(err, ERR_INVALID, "%s: contains a NUL byte: save it as UTF-8 text", name);
    if (file.n >= 3 && memcmp(file.s, "\xEF\xBB\xBF", 3) == 0)
        r.rest = (struct str){file.s + 3, file.n - 3};
    if (!take_line(&r, &line) || !str_is(trim(line), "---")) {
        r.line = 1;
        return bad(&r, err, "an article begins with front matter: make `---` its first line");
    }
    r.out = article_create();
    rc = read_front(&r, err);
    while (rc == 0 && r.rest.n > 0 && strchr("\r\n", r.rest.s[0]))
        r.rest.s++, r.rest.n--;
    if (rc == 0)
        rc = check_whole(&r, err);
    if (rc < 0) {
        kb_article_unref(r.out);
        return rc;
    }
    set_body(r.out, r.rest);
    *out = r.out;
    return 0;
}

struct kb_article *kb_article_make(struct str id, struct str lang, struct str title, struct str body)
{
    struct kb_article *a = article_create();

    a->id = mem_strndup(id.s, id.n);
    a->lang = mem_strndup(lang.s, lang.n);
    a->title = mem_strndup(title.s ? title.s : "", title.n);
    set_body(a, body);
    return a;
}

struct kb_article *kb_article_ref(struct kb_article *a)
{
    atomic_fetch_add(&a->refs, 1);
    return a;
}

void kb_article_unref(struct kb_article *a)
{
    if (!a || atomic_fetch_sub(&a->refs, 1) != 1)
        return;
    for (unsigned i = 0; i < a->keywords_n; i++)
        free(a->keywords[i]);
    for (unsigned i = 0; i < a->questions_n; i++)
        free(a->questions[i]);
    free(a->id);
    free(a->lang);
    free(a->title);
    free(a->department);
    free(a->body);
    free(a->text);
    free(a->html);
    free(a);
}

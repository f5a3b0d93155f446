#include "archive/archive_snippet.h"

#include <stdlib.h>

#include "base/base_json.h"
#include "kb/kb_words.h"

#define BYTES_MAX (256u * 1024)
#define BEFORE    40 /* characters shown before the first mark */
#define SHOWN     160
#define MARKS_MAX 64

/* --- taking a search apart */

struct parts {
    struct buf *b;
    size_t at[ARCHIVE_TERMS_MAX + 1]; /* where each begins in b */
    unsigned n;
    bool in_gram, phrases;
    size_t end;
};

/* Grams that overlap are one run and so one phrase; all else is a term of its own. */
static int on_word(void *ctx, struct str token, size_t start, size_t end, unsigned flags)
{
    struct parts *p = ctx;
    bool gram = (flags & KB_WORD_GRAM) != 0, joins = gram && p->in_gram && start < p->end;

    if (!joins) {
        if (p->n == ARCHIVE_TERMS_MAX)
            return 1;
        p->at[p->n++] = p->b->n;
    }
    p->in_gram = gram;
    p->end = end;
    if (p->phrases) {
        buf_add_str(p->b, token);
        buf_add_c(p->b, '\0');
        return 0;
    }
    buf_add_s(p->b, joins ? " + \"" : "\"");
    buf_add_str(p->b, token);
    buf_add_c(p->b, '"');
    return 0;
}

void archive_search_init(struct archive_search *s, struct str text)
{
    struct parts terms = {.n = 0}, phrases = {.n = 0, .phrases = true};
    struct buf b;

    memset(s, 0, sizeof *s);
    if (text.n == 0)
        return;
    buf_init(&b, BYTES_MAX);
    terms.b = phrases.b = &b;
    kb_words(text, KB_WORDS_QUERY | KB_WORDS_WHOLE, on_word, &terms); /* FTS5 stems them itself */
    terms.at[terms.n] = b.n;
    kb_words(text, KB_WORDS_QUERY, on_word, &phrases);
    phrases.at[phrases.n] = b.n;
    if (!buf_ok(&b) || terms.n == 0 || terms.n != phrases.n) {
        buf_fini(&b);
        return;
    }
    s->bytes = buf_take(&b, NULL);
    s->terms_n = terms.n;
    for (unsigned i = 0; i < s->terms_n; i++) {
        s->term[i] = (struct str){s->bytes + terms.at[i], terms.at[i + 1] - terms.at[i]};
        s->phrase[i] = (struct str){s->bytes + phrases.at[i], phrases.at[i + 1] - phrases.at[i]};
    }
}

void archive_search_fini(struct archive_search *s)
{
    free(s->bytes);
    s->bytes = NULL;
    s->terms_n = 0;
}

/* --- finding it in a text */

struct token {
    unsigned place;
    size_t at, n;      /* in text_tokens.bytes */
    size_t start, end; /* in the text */
};

struct text_tokens {
    struct token *token;
    size_t n, cap;
    struct buf bytes;
    unsigned place;
};

static int on_token(void *ctx, struct str token, size_t start, size_t end, unsigned flags)
{
    struct text_tokens *t = ctx;

    if (t->n == t->cap)
        t->token = mem_realloc(t->token, (t->cap = t->cap ? t->cap * 2 : 256) * sizeof *t->token);
    if (!(flags & KB_WORD_SAME_PLACE))
        t->place++;
    t->token[t->n++] = (struct token){t->place, t->bytes.n, token.n, start, end};
    buf_add_str(&t->bytes, token);
    return buf_ok(&t->bytes) ? 0 : 1;
}

/* The token at this place that equals s, from i on; NULL if there is none. */
static const struct token *token_at(const struct text_tokens *t, size_t i, unsigned place, struct str s)
{
    for (; i < t->n && t->token[i].place <= place; i++) {
        const struct token *k = &t->token[i];

        if (k->place == place && str_eq((struct str){t->bytes.p + k->at, k->n}, s))
            return k;
    }
    return NULL;
}

struct mark {
    size_t start, end; /* bytes */
};

static struct str first_token(struct str *phrase)
{
    struct str s = {phrase->s, strlen(phrase->s)};

    *phrase = (struct str){phrase->s + s.n + 1, phrase->n - s.n - 1};
    return s;
}

/* Where the phrase ends if it begins with token i; 0: it doesn't. */
static size_t match_phrase(const struct text_tokens *t, size_t i, struct str phrase)
{
    unsigned place = t->token[i].place;
    size_t end = 0;

    while (phrase.n > 0) {
        const struct token *k = token_at(t, i, place++, first_token(&phrase));

        if (!k)
            return 0;
        end = k->end;
    }
    return end;
}

static int by_start(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;

    return x->start < y->start ? -1 : x->start > y->start;
}

/* Sorted, not overlapping. */
static unsigned find_marks(const struct archive_search *s, const struct text_tokens *t,
                           struct mark marks[MARKS_MAX])
{
    unsigned n = 0, kept = 0;

    for (size_t i = 0; i < t->n && n < MARKS_MAX; i++) {
        if (i > 0 && t->token[i].place == t->token[i - 1].place)
            continue;
        for (unsigned p = 0; p < s->terms_n && n < MARKS_MAX; p++) {
            size_t end = match_phrase(t, i, s->phrase[p]);

            if (end > 0)
                marks[n++] = (struct mark){t->token[i].start, end};
        }
    }
    qsort(marks, n, sizeof *marks, by_start);
    for (unsigned i = 0; i < n; i++) {
        if (kept > 0 && marks[i].start <= marks[kept - 1].end)
            marks[kept - 1].end = marks[i].end > marks[kept - 1].end ? marks[i].end : marks[kept - 1].end;
        else
            marks[kept++] = marks[i];
    }
    return kept;
}

static bool is_start(char c)
{
    return ((unsigned char)c & 0xc0) != 0x80;
}

static size_t back(struct str text, size_t at, unsigned chars)
{
    while (at > 0 && chars > 0) {
        at--;
        chars -= is_start(text.s[at]);
    }
    return at;
}

static void write_marks(struct str text, struct str shown, bool cut, const struct mark *marks, unsigned n,
                        struct buf *out)
{
    size_t from = (size_t)(shown.s - text.s), to = from + shown.n;

    json_key(out, "marks");
    json_open(out, '[');
    for (unsigned i = 0; i < n; i++) {
        size_t end = marks[i].end < to ? marks[i].end : to;

        if (marks[i].start < from || marks[i].start >= to)
            continue;
        json_open(out, '[');
        json_int(out, (int64_t)utf8_chars((struct str){shown.s, marks[i].start - from}) + cut);
        json_int(out, (int64_t)utf8_chars((struct str){text.s + marks[i].start, end - marks[i].start}));
        json_close(out, ']');
    }
    json_close(out, ']');
}

/* The text on one line, with signs where it was cut. */
static void write_shown(struct str text, struct str shown, struct buf *out)
{
    struct buf line;

    buf_init(&line, shown.n + 16);
    buf_add_s(&line, shown.s > text.s ? "…" : "");
    for (size_t i = 0; i < shown.n; i++)
        buf_add_c(&line, (unsigned char)shown.s[i] < ' ' ? ' ' : shown.s[i]);
    buf_add_s(&line, shown.s + shown.n < text.s + text.n ? "…" : "");
    json_kv_str(out, "snippet", buf_str(&line));
    buf_fini(&line);
}

void archive_snippet_write(const struct archive_search *s, struct str text, struct buf *out)
{
    struct text_tokens t = {.n = 0};
    struct mark marks[MARKS_MAX];
    struct str shown;
    unsigned n;

    if (text.n == 0)
        return;
    buf_init(&t.bytes, 4 * BYTES_MAX);
    kb_words(text, 0, on_token, &t);
    n = find_marks(s, &t, marks);
    shown.s = text.s + (n > 0 ? back(text, marks[0].start, BEFORE) : 0);
    shown.n = text.n - (size_t)(shown.s - text.s);
    shown = utf8_prefix(shown, SHOWN);
    write_shown(text, shown, out);
    if (n > 0)
        write_marks(text, shown, shown.s > text.s, marks, n, out);
    buf_fini(&t.bytes);
    free(t.token);
}

#include "kb/kb_words.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "kb/kb_fold.h"

#define GRAMS_MAX 3
#define MATCH_WORDS_MAX 32

/* A character of a run of grams that waits for those behind it. */
struct gram_char {
    int32_t c;
    size_t start, end;
};

struct walk {
    unsigned flags;
    int (*emit)(void *ctx, struct str token, size_t start, size_t end, unsigned flags);
    void *ctx;
    /* the word being collected */
    char word[KB_WORD_BYTES];
    size_t word_n, word_start, word_end;
    /* the run of grams being collected: its last characters, oldest first */
    struct gram_char run[GRAMS_MAX];
    unsigned run_n, run_max; /* run_max 0: no run; else the longest gram of its script */
    bool run_full;           /* a gram of run_max characters was emitted */
};

static int flush_word(struct walk *w)
{
    size_t n = w->word_n;

    if (n == 0)
        return 0;
    w->word_n = 0;
    if (!(w->flags & KB_WORDS_WHOLE))
        n = kb_words_stem(w->word, n);
    return w->emit(w->ctx, (struct str){w->word, n}, w->word_start, w->word_end, 0);
}

/* The gram of the run's first n characters. */
static int emit_gram(struct walk *w, unsigned n, bool same_place)
{
    static const unsigned kinds[] = {0, KB_WORD_GRAM1, KB_WORD_GRAM2, KB_WORD_GRAM3};
    char text[4 * GRAMS_MAX];
    size_t len = 0;

    for (unsigned i = 0; i < n; i++)
        U8_APPEND_UNSAFE(text, len, w->run[i].c);
    return w->emit(w->ctx, (struct str){text, len}, w->run[0].start, w->run[n - 1].end,
                   kinds[n] | (same_place ? KB_WORD_SAME_PLACE : 0));
}

/* Emits what begins at the run's oldest character, and forgets it. */
static int shift_run(struct walk *w)
{
    int rc = 0;

    if (!(w->flags & KB_WORDS_QUERY)) {
        for (unsigned n = 1; n <= w->run_n && rc == 0; n++)
            rc = emit_gram(w, n, n > 1);
    } else if (w->run_n == w->run_max) {
        rc = emit_gram(w, w->run_n, false);
        w->run_full = true;
    }
    memmove(w->run, w->run + 1, sizeof w->run - sizeof w->run[0]);
    w->run_n--;
    return rc;
}

static int flush_run(struct walk *w)
{
    int rc = 0;

    if (w->run_n > 0 && (w->flags & KB_WORDS_QUERY) && !w->run_full && w->run_n < w->run_max) {
        rc = emit_gram(w, w->run_n, false); /* a run shorter than its script's grams */
        w->run_n = 0;
    }
    while (w->run_n > 0 && rc == 0)
        rc = shift_run(w);
    w->run_max = 0;
    w->run_full = false;
    return rc;
}

static int add_gram_char(struct walk *w, int32_t c, unsigned max, size_t start, size_t end)
{
    int rc = flush_word(w);
    int32_t both = w->run_n > 0 ? kb_fold_compose(w->run[w->run_n - 1].c, c) : -1;

    if (both >= 0) {
        w->run[w->run_n - 1].c = both;
        w->run[w->run_n - 1].end = end;
        return rc;
    }
    if (rc == 0 && w->run_max != 0 && w->run_max != max)
        rc = flush_run(w);
    if (rc == 0 && w->run_n == max)
        rc = shift_run(w);
    if (rc != 0)
        return rc;
    w->run_max = max;
    w->run[w->run_n++] = (struct gram_char){c, start, end};
    return 0;
}

static int add_word_char(struct walk *w, int32_t c, size_t start, size_t end)
{
    int rc = flush_run(w);

    if (w->word_n == 0)
        w->word_start = start;
    w->word_end = end;
    if (w->word_n + 4 <= sizeof w->word)
        U8_APPEND_UNSAFE(w->word, w->word_n, c);
    return rc;
}

static int flush(struct walk *w)
{
    int rc = flush_word(w);

    return rc != 0 ? rc : flush_run(w);
}

static int add_folded(struct walk *w, const struct kb_folded *f, size_t start, size_t end)
{
    int rc = 0;

    for (unsigned i = 0; i < f->n && rc == 0; i++) {
        int32_t digit = w->flags & KB_WORDS_DIGITS && f->out[i] >= 0x80 ? u_charDigitValue(f->out[i]) : -1;

        if (digit >= 0) {
            rc = add_word_char(w, '0' + digit, start, end);
            continue;
        }
        switch ((enum kb_fold_kind)f->kind[i]) {
        case KB_FOLD_BREAK:
            rc = flush(w);
            break;
        case KB_FOLD_SKIP:
            break;
        case KB_FOLD_WORD:
            rc = add_word_char(w, f->out[i], start, end);
            break;
        case KB_FOLD_GRAM2:
            rc = add_gram_char(w, f->out[i], 2, start, end);
            break;
        case KB_FOLD_GRAM3:
            rc = add_gram_char(w, f->out[i], 3, start, end);
            break;
        }
    }
    return rc;
}

/* Letters and digits of ASCII, as many as stand at i: most of many texts. Gives where they end. */
static size_t take_ascii(struct walk *w, struct str text, size_t i)
{
    size_t from = i;
    bool begins = w->word_n == 0;
    char c;

    for (; i < text.n && (c = kb_fold_ascii(text.s[i])) != 0; i++)
        if (w->word_n + 4 <= sizeof w->word)
            w->word[w->word_n++] = c;
    if (i > from && begins)
        w->word_start = from;
    if (i > from)
        w->word_end = i;
    return i;
}

int kb_words(struct str text, unsigned flags,
             int (*emit)(void *ctx, struct str token, size_t start, size_t end, unsigned flags), void *ctx)
{
    struct walk w = {.flags = flags, .emit = emit, .ctx = ctx};
    struct kb_folded f;
    size_t i = 0;
    int rc = 0;

    while (i < text.n && rc == 0) {
        size_t start = i;
        int32_t c;

        if (w.run_max == 0 && (i = take_ascii(&w, text, i)) > start)
            continue;
        U8_NEXT(text.s, i, text.n, c);
        kb_fold(c, &f);
        rc = add_folded(&w, &f, start, i);
    }
    return rc != 0 ? rc : flush(&w);
}

struct match {
    struct buf *out;
    unsigned n;
    bool in_gram;
    size_t end; /* of the word before */
};

static int match_word(void *ctx, struct str token, size_t start, size_t end, unsigned flags)
{
    struct match *m = ctx;
    bool gram = (flags & KB_WORD_GRAM) != 0;

    if (m->n == MATCH_WORDS_MAX)
        return 1;
    if (gram && m->in_gram && start < m->end) { /* overlaps the gram before: the same run, one phrase */
        buf_add_s(m->out, " + \"");
    } else {
        buf_add_s(m->out, m->n ? " \"" : "\"");
    }
    buf_add_str(m->out, token);
    buf_add_c(m->out, '"');
    m->in_gram = gram;
    m->end = end;
    m->n++;
    return 0;
}

unsigned kb_words_match(struct str text, struct buf *out)
{
    struct match m = {.out = out};

    kb_words(text, KB_WORDS_QUERY | KB_WORDS_WHOLE, match_word, &m); /* FTS5 stems them: twice is once too often */
    return m.n;
}

static bool has_vowel(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (strchr("aeiouy", s[i]))
            return true;
    }
    return false;
}

static bool ends(const char *s, size_t n, const char *tail)
{
    size_t t = strlen(tail);

    return n >= t && memcmp(s + n - t, tail, t) == 0;
}

/* stopp → stop, but not add, fill, pass, buzz. */
static size_t undouble(const char *s, size_t n)
{
    if (n > 3 && s[n - 1] == s[n - 2] && !strchr("aeioulsz", s[n - 1]))
        n--;
    return n;
}

size_t kb_words_stem(char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] < 'a' || s[i] > 'z')
            return n; /* numbers, other scripts */
    }
    if (n > 4 && ends(s, n, "ies"))
        s[(n -= 2) - 1] = 'y';
    else if (n > 4 && (ends(s, n, "sses") || ends(s, n, "xes") || ends(s, n, "ches") || ends(s, n, "shes")))
        n -= 2;
    else if (n > 3 && s[n - 1] == 's' && !strchr("su", s[n - 2]) && !ends(s, n, "is"))
        n--;
    if (n > 5 && ends(s, n, "ing") && has_vowel(s, n - 3))
        n = undouble(s, n - 3);
    else if (n > 4 && ends(s, n, "ied"))
        s[(n -= 2) - 1] = 'y';
    else if (n > 4 && ends(s, n, "ed") && has_vowel(s, n - 2))
        n = undouble(s, n - 2);
    if (n > 3 && s[n - 1] == 'e')
        n--;
    return n;
}

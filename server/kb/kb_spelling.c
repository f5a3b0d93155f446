#include "kb/kb_spelling.h"

#include <stdlib.h>
#include <unicode/utf8.h>

#include "kb/kb_common.h"
#include "kb/kb_features.h"
#include "kb/kb_forms.h"
#include "kb/kb_rows.h"
#include "kb/kb_words.h"

#define CHARS_MIN 4 /* a shorter word is one step away from too many */
#define CHARS_MAX 24
#define NONE      UINT32_MAX

/* A word as characters. */
struct chars {
    int32_t c[CHARS_MAX];
    unsigned n; /* 0: it is none that slips are looked for in */
};

struct word {
    uint32_t times;
    uint32_t letters; /* bit c % 32 for each of its characters: one step changes at most two */
    uint32_t at;      /* its bytes in text */
    uint32_t next;    /* of the same beginning and length, or NONE */
    uint16_t bytes;
};

struct kb_spelling {
    struct kb_rows index; /* hash → word */
    struct word *words;
    uint32_t cap;
    struct kb_rows kinds; /* hash of first character and length → the newest of them */
    uint32_t *newest, kinds_cap;
    struct buf text;
};

struct kb_spelling *kb_spelling_create(void)
{
    struct kb_spelling *s = mem_zalloc(sizeof *s);

    kb_rows_init(&s->index);
    kb_rows_init(&s->kinds);
    buf_init(&s->text, (size_t)SPELLING_WORDS_MAX * KB_WORD_BYTES);
    return s;
}

void kb_spelling_destroy(struct kb_spelling *s)
{
    if (!s)
        return;
    kb_rows_fini(&s->index);
    kb_rows_fini(&s->kinds);
    free(s->words);
    free(s->newest);
    buf_fini(&s->text);
    free(s);
}

/* Digits are no slips of others. */
static struct chars chars_of(struct str word)
{
    struct chars out = {.n = 0};

    for (size_t i = 0; i < word.n;) {
        int32_t c;

        U8_NEXT(word.s, i, word.n, c);
        if (out.n == CHARS_MAX || (c >= '0' && c <= '9'))
            return (struct chars){.n = 0};
        out.c[out.n++] = c;
    }
    return out;
}

static uint32_t letters_of(const struct chars *w)
{
    uint32_t letters = 0;

    for (unsigned i = 0; i < w->n; i++)
        letters |= 1u << (w->c[i] & 31);
    return letters;
}

static uint32_t kind_of(int32_t first, unsigned n)
{
    int32_t both[2] = {first, (int32_t)n};

    return kb_hash(22, both, sizeof both);
}

/* Puts the word before those of its kind. */
static void chain(struct kb_spelling *s, uint32_t at, const struct chars *w)
{
    uint32_t had = s->kinds.n, kind = kb_rows_put(&s->kinds, kind_of(w->c[0], w->n));

    if (s->kinds.n > s->kinds_cap) {
        s->kinds_cap = s->kinds_cap ? 2 * s->kinds_cap : 64;
        s->newest = mem_realloc(s->newest, s->kinds_cap * sizeof *s->newest);
    }
    s->words[at].next = s->kinds.n > had ? NONE : s->newest[kind];
    s->newest[kind] = at;
}

static void add(struct kb_spelling *s, struct str word, uint32_t hash, const struct chars *w)
{
    uint32_t at = kb_rows_put(&s->index, hash);

    if (s->index.n > s->cap) {
        s->cap = s->cap ? 2 * s->cap : 256;
        s->words = mem_realloc(s->words, s->cap * sizeof *s->words);
    }
    s->words[at] = (struct word){
        .times = 1, .letters = letters_of(w), .at = (uint32_t)s->text.n, .bytes = (uint16_t)word.n};
    buf_add_str(&s->text, word);
    chain(s, at, w);
}

static uint32_t hash_of(struct str word)
{
    return kb_hash(21, word.s, word.n);
}

/* The text whose words become known. */
struct lesson {
    struct kb_spelling *s;
    struct str text;
};

static int learn_word(void *ctx, struct str word, size_t start, size_t end, unsigned flags)
{
    struct kb_spelling *s = ((struct lesson *)ctx)->s;
    struct str text = ((struct lesson *)ctx)->text;
    char head[KB_WORD_BYTES];
    struct chars w;
    uint32_t at;

    if (flags & KB_WORD_GRAM)
        return 0;
    word = kb_forms_cut(word, (struct str){text.s + start, end - start}, head);
    at = kb_rows_find(&s->index, hash_of(word));
    if (at != KB_ROW_NONE) {
        s->words[at].times++;
        return 0;
    }
    w = chars_of(word);
    if (w.n >= CHARS_MIN - 1 && s->index.n < SPELLING_WORDS_MAX)
        add(s, word, hash_of(word), &w);
    return 0;
}

void kb_spelling_learn(struct kb_spelling *s, struct str text)
{
    kb_words(text, KB_WORDS_WHOLE | KB_WORDS_DIGITS, learn_word, &(struct lesson){s, text});
}

static bool same(const struct chars *a, unsigned i, const struct chars *b, unsigned j)
{
    return a->n - i == b->n - j && memcmp(a->c + i, b->c + j, (a->n - i) * sizeof a->c[0]) == 0;
}

/* Whether one character more, less or another, or two neighbours swapped, make one of the other. */
static bool is_one_step(const struct chars *a, const struct chars *b)
{
    unsigned i = 0;

    while (i < a->n && i < b->n && a->c[i] == b->c[i])
        i++;
    if (a->n > b->n)
        return same(a, i + 1, b, i);
    if (a->n < b->n)
        return same(a, i, b, i + 1);
    if (i == a->n)
        return false;
    if (same(a, i + 1, b, i + 1))
        return true;
    return i + 1 < a->n && a->c[i] == b->c[i + 1] && a->c[i + 1] == b->c[i] && same(a, i + 2, b, i + 2);
}

static struct str text_of(const struct kb_spelling *s, const struct word *w)
{
    return (struct str){s->text.p + w->at, w->bytes};
}

/* More frequent, or as frequent and older. */
static bool beats(const struct kb_spelling *s, uint32_t i, uint32_t best)
{
    const struct word *v = &s->words[i], *b;

    if (best == NONE)
        return true;
    b = &s->words[best];
    return v->times > b->times || (v->times == b->times && i < best);
}

struct mend {
    const struct kb_spelling *s;
    struct str text;
    struct buf *out;
    unsigned looked, mended;
    uint32_t compared; /* known words */
};

/* The most frequent word of n characters, beginning as w does, that is one step from it, if it beats best. */
static uint32_t better_of(struct mend *m, const struct chars *w, unsigned n, uint32_t best)
{
    const struct kb_spelling *s = m->s;
    uint32_t kind = kb_rows_find(&s->kinds, kind_of(w->c[0], n)), letters = letters_of(w);

    if (kind == KB_ROW_NONE)
        return best;
    for (uint32_t i = s->newest[kind]; i != NONE && m->compared < SPELLING_VISITS_MAX; i = s->words[i].next) {
        const struct word *v = &s->words[i];
        struct chars c;

        m->compared++;
        if (__builtin_popcount(letters ^ v->letters) > 2 || !beats(s, i, best))
            continue;
        c = chars_of(text_of(s, v));
        if (is_one_step(w, &c))
            best = i;
    }
    return best;
}

/* What is likely meant by the word; absent: nothing else. */
static struct str meant_by(struct mend *m, struct str word)
{
    struct chars w;
    uint32_t best = NONE;

    if (m->looked == SPELLING_MENDS_MAX || m->compared == SPELLING_VISITS_MAX ||
        kb_rows_find(&m->s->index, hash_of(word)) != KB_ROW_NONE || kb_common_is(word))
        return STR_NONE;
    w = chars_of(word);
    if (w.n < CHARS_MIN)
        return STR_NONE;
    m->looked++;
    for (unsigned n = w.n - 1; n <= w.n + 1; n++)
        best = better_of(m, &w, n, best);
    return best == NONE || m->compared == SPELLING_VISITS_MAX ? STR_NONE : text_of(m->s, &m->s->words[best]);
}

static int mend_word(void *ctx, struct str word, size_t start, size_t end, unsigned flags)
{
    struct mend *m = ctx;
    char head[KB_WORD_BYTES];
    struct str meant;

    if (flags & KB_WORD_GRAM)
        return 0;
    word = kb_forms_cut(word, (struct str){m->text.s + start, end - start}, head);
    meant = meant_by(m, word);
    m->mended += meant.s != NULL;
    buf_add_str(m->out, meant.s ? meant : word);
    buf_add_c(m->out, ' ');
    return 0;
}

bool kb_spelling_mend(const struct kb_spelling *s, struct str text, struct buf *out)
{
    struct mend m = {.s = s, .text = text, .out = out};

    kb_words(text, KB_WORDS_WHOLE | KB_WORDS_DIGITS, mend_word, &m);
    return m.mended > 0 && buf_ok(out);
}

#include "kb/kb_index.h"

#include <math.h>
#include <stdlib.h>

#include "kb/kb_common.h"
#include "kb/kb_features.h"
#include "kb/kb_rows.h"
#include "kb/kb_words.h"

#define WORDS_MAX 96       /* different words of a question that are looked at */
#define ASK_WORDS 12       /* words asked for */
#define ASK_GRAMS 16       /* and of scripts without spaces */
#define ASK_MANY_DOCS 8    /* and in a large knowledge base */
#define MANY_DOCS 500

struct kb_index {
    struct kb_port port;
    const struct kb_tuning *t;
    void *handle;
    struct kb_rows words;  /* hash of a word → row of df */
    uint32_t *df, df_cap;  /* documents that have it */
    struct kb_rows pairs;  /* hash of (word, document): counted already */
    unsigned docs_n;
    struct buf match;
};

int kb_index_open(const struct kb_port *port, const struct kb_tuning *t, struct kb_index **out, struct err *err)
{
    struct kb_index *x = mem_zalloc(sizeof *x);
    int rc;

    x->port = *port;
    x->t = t;
    kb_rows_init(&x->words);
    kb_rows_init(&x->pairs);
    buf_init(&x->match, 64 * 1024);
    rc = x->port.index_open(x->port.ctx, &x->handle, err);
    if (rc < 0) {
        kb_index_close(x);
        return rc;
    }
    *out = x;
    return 0;
}

void kb_index_close(struct kb_index *x)
{
    if (!x)
        return;
    if (x->handle)
        x->port.index_close(x->port.ctx, x->handle);
    kb_rows_fini(&x->words);
    kb_rows_fini(&x->pairs);
    buf_fini(&x->match);
    free(x->df);
    free(x);
}

struct counting {
    struct kb_index *x;
    unsigned doc;
};

static int count_word(void *ctx, struct str token, size_t start, size_t end, unsigned flags)
{
    struct counting *c = ctx;
    uint32_t hash = kb_hash(0, token.s, token.n), key[2] = {hash, c->doc}, row, n = c->x->pairs.n;

    (void)start, (void)end, (void)flags;
    kb_rows_put(&c->x->pairs, kb_hash(1, key, sizeof key));
    if (c->x->pairs.n == n)
        return 0;
    row = kb_rows_put(&c->x->words, hash);
    if (row >= c->x->df_cap) {
        uint32_t cap = c->x->df_cap ? 2 * c->x->df_cap : 1024;

        c->x->df = mem_realloc(c->x->df, cap * sizeof *c->x->df);
        memset(c->x->df + c->x->df_cap, 0, (cap - c->x->df_cap) * sizeof *c->x->df);
        c->x->df_cap = cap;
    }
    c->x->df[row]++;
    return 0;
}

int kb_index_put(struct kb_index *x, unsigned doc, struct str title, struct str body, struct str asked, struct err *err)
{
    struct counting c = {x, doc};
    struct str parts[3] = {title, body, asked};

    for (unsigned i = 0; i < 3; i++)
        kb_words(parts[i], 0, count_word, &c);
    if (doc >= x->docs_n)
        x->docs_n = doc + 1;
    return x->port.index_put(x->handle, doc, title, body, asked, err);
}

struct asked_word {
    uint32_t hash, df;
    bool gram;
    char text[KB_WORD_BYTES];
    size_t n;
};

struct asking {
    const struct kb_index *x;
    struct asked_word words[WORDS_MAX];
    unsigned n, grams;
    float full;
};

static int ask_word(void *ctx, struct str token, size_t start, size_t end, unsigned flags)
{
    struct asking *a = ctx;
    struct asked_word *w = &a->words[a->n];
    char stem[KB_WORD_BYTES];
    size_t n = token.n;
    uint32_t row;
    float df;

    (void)start, (void)end;
    if (a->x->t->common_words == 0 && kb_common_is(token))
        return 0;
    memcpy(stem, token.s, n);
    if (!(flags & KB_WORD_GRAM))
        n = kb_words_stem(stem, n);
    w->hash = kb_hash(0, stem, n);
    row = kb_rows_find(&a->x->words, w->hash);
    df = row == KB_ROW_NONE ? 0 : (float)a->x->df[row];
    a->full += logf(1 + ((float)a->x->docs_n - df + 0.5f) / (df + 0.5f));
    if (row == KB_ROW_NONE)
        return 0; /* in no document */
    for (unsigned i = 0; i < a->n; i++) {
        if (a->words[i].hash == w->hash)
            return 0;
    }
    w->df = a->x->df[row];
    w->gram = (flags & KB_WORD_GRAM) != 0;
    memcpy(w->text, token.s, token.n);
    w->n = token.n;
    a->grams += w->gram;
    return ++a->n == WORDS_MAX;
}

static int by_df(const void *a, const void *b)
{
    const struct asked_word *x = a, *y = b;

    return (x->df > y->df) - (x->df < y->df);
}

int kb_index_find(struct kb_index *x, struct str question, unsigned budget_us, float *full,
                  void (*fn)(void *arg, int64_t doc, double score), void *arg, struct err *err)
{
    struct asking *a = mem_alloc(sizeof *a);
    const double weights[3] = {x->t->bm_title, x->t->bm_body, x->t->bm_asked};
    unsigned max;
    int rc = 0;

    a->x = x;
    a->n = a->grams = 0;
    a->full = 0;
    kb_words(question, KB_WORDS_WHOLE, ask_word, a);
    *full = a->full;
    qsort(a->words, a->n, sizeof a->words[0], by_df);
    max = x->docs_n > MANY_DOCS ? ASK_MANY_DOCS : 2 * a->grams > a->n ? ASK_GRAMS : ASK_WORDS;
    buf_reset(&x->match);
    for (unsigned i = 0; i < a->n && i < max; i++) {
        buf_add_s(&x->match, i ? " OR \"" : "\"");
        buf_add(&x->match, a->words[i].text, a->words[i].n);
        buf_add_c(&x->match, '"');
    }
    if (a->n > 0)
        rc = x->port.index_find(x->handle, x->match.p, weights, budget_us, fn, arg, err);
    free(a);
    return rc;
}

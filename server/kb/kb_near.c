#include "kb/kb_near.h"

#include <math.h>
#include <stdlib.h>

#include "kb/kb_rows.h"

struct posting {
    uint32_t example;
    float tf; /* with the weight of its kind */
};

struct row {
    uint32_t n, cap;
    struct posting *v;
};

struct example {
    uint32_t class;
    float norm; /* |e| by the idf of the last count */
};

struct kb_near {
    const struct kb_tuning *t;
    unsigned classes_n;
    struct kb_rows index;
    struct row *rows;
    uint32_t rows_cap;
    struct example *examples;
    float *sim; /* scratch, one an example */
    unsigned n, cap, counted; /* counted: examples when the norms were made */
};

struct kb_near *kb_near_create(const struct kb_tuning *t, unsigned classes_n)
{
    struct kb_near *n = mem_zalloc(sizeof *n);

    n->t = t;
    n->classes_n = classes_n;
    kb_rows_init(&n->index);
    return n;
}

void kb_near_destroy(struct kb_near *n)
{
    if (!n)
        return;
    for (uint32_t i = 0; i < n->index.n; i++)
        free(n->rows[i].v);
    free(n->rows);
    free(n->examples);
    free(n->sim);
    kb_rows_fini(&n->index);
    free(n);
}

static float tf_of(const struct kb_near *n, const struct kb_feature *f)
{
    return n->t->near_kind[f->kind] * (1 + logf(f->tf)) * (f->common ? n->t->common_near : 1);
}

static float idf_of(const struct kb_near *n, const struct row *r)
{
    return logf((1.0f + (float)n->n) / (1.0f + (float)r->n)) + 1;
}

static struct row *row_put(struct kb_near *n, uint32_t hash)
{
    uint32_t at = kb_rows_put(&n->index, hash);

    if (n->index.n > n->rows_cap) {
        uint32_t cap = n->rows_cap ? 2 * n->rows_cap : 1024;

        n->rows = mem_realloc(n->rows, cap * sizeof *n->rows);
        memset(n->rows + n->rows_cap, 0, (cap - n->rows_cap) * sizeof *n->rows);
        n->rows_cap = cap;
    }
    return &n->rows[at];
}

/* The idf drift as examples come: norms are made anew each time their number has grown by a quarter. */
static void count_norms(struct kb_near *n)
{
    if (n->n <= n->counted + n->counted / 4)
        return;
    for (unsigned i = 0; i < n->n; i++)
        n->examples[i].norm = 0;
    for (uint32_t i = 0; i < n->index.n; i++) {
        float idf = idf_of(n, &n->rows[i]);

        for (uint32_t k = 0; k < n->rows[i].n; k++)
            n->examples[n->rows[i].v[k].example].norm += idf * idf * n->rows[i].v[k].tf * n->rows[i].v[k].tf;
    }
    for (unsigned i = 0; i < n->n; i++)
        n->examples[i].norm = sqrtf(n->examples[i].norm);
    n->counted = n->n;
}

void kb_near_add(struct kb_near *n, const struct kb_features *f, unsigned class)
{
    float sum = 0;

    if (n->n == n->cap) {
        n->cap = n->cap ? 2 * n->cap : 256;
        n->examples = mem_realloc(n->examples, n->cap * sizeof *n->examples);
        n->sim = mem_realloc(n->sim, n->cap * sizeof *n->sim);
    }
    for (unsigned i = 0; i < f->n; i++) {
        float tf = tf_of(n, &f->v[i]);
        struct row *r;

        if (tf == 0)
            continue;
        r = row_put(n, f->v[i].hash);
        if (r->n == r->cap) {
            r->cap = r->cap ? 2 * r->cap : 2;
            r->v = mem_realloc(r->v, r->cap * sizeof *r->v);
        }
        r->v[r->n++] = (struct posting){n->n, tf};
        tf *= idf_of(n, r);
        sum += tf * tf;
    }
    n->examples[n->n++] = (struct example){class, sqrtf(sum)};
    count_norms(n);
}

void kb_near_score(struct kb_near *n, const struct kb_features *f, float *out)
{
    uint32_t many = (uint32_t)(n->t->near_df * (float)n->n) + 50;
    float norm = 0;

    memset(out, 0, n->classes_n * sizeof *out);
    memset(n->sim, 0, n->n * sizeof *n->sim);
    for (unsigned i = 0; i < f->n; i++) {
        float q = tf_of(n, &f->v[i]), idf;
        uint32_t at;

        if (q == 0)
            continue;
        at = kb_rows_find(&n->index, f->v[i].hash);
        idf = at == KB_ROW_NONE ? logf(1.0f + (float)n->n) + 1 : idf_of(n, &n->rows[at]);
        q *= idf;
        norm += q * q;
        if (at == KB_ROW_NONE || n->rows[at].n > many)
            continue;
        for (uint32_t k = 0; k < n->rows[at].n; k++)
            n->sim[n->rows[at].v[k].example] += q * idf * n->rows[at].v[k].tf;
    }
    norm = sqrtf(norm);
    for (unsigned i = 0; i < n->n; i++) {
        const struct example *e = &n->examples[i];
        float sim = n->sim[i] > 0 && e->norm > 0 ? n->sim[i] / (norm * e->norm) : 0;

        if (sim > out[e->class])
            out[e->class] = sim;
    }
}

#include "kb/kb_grams.h"

#include <math.h>
#include <stdlib.h>

#include "kb/kb_rows.h"

struct posting {
    uint32_t class;
    float tf;
};

struct row {
    uint32_t n, cap;
    uint32_t last;     /* the largest class in it */
    struct posting *v; /* in no order */
};

struct kb_grams {
    const struct kb_tuning *t;
    unsigned classes_n, filled_n; /* filled_n: classes with text */
    struct kb_rows index;
    struct row *rows;
    uint32_t rows_cap;
    float *length; /* of each class */
    double length_sum;
    /* scratch of one query */
    float *norm;
    uint32_t found[KB_FEATURES_MAX];
};

struct kb_grams *kb_grams_create(const struct kb_tuning *t, unsigned classes_n)
{
    struct kb_grams *g = mem_zalloc(sizeof *g);

    g->t = t;
    g->classes_n = classes_n;
    kb_rows_init(&g->index);
    g->length = mem_zalloc(classes_n * sizeof *g->length);
    g->norm = mem_zalloc(classes_n * sizeof *g->norm);
    return g;
}

void kb_grams_destroy(struct kb_grams *g)
{
    if (!g)
        return;
    for (uint32_t i = 0; i < g->index.n; i++)
        free(g->rows[i].v);
    free(g->rows);
    free(g->length);
    free(g->norm);
    kb_rows_fini(&g->index);
    free(g);
}

static struct row *row_put(struct kb_grams *g, uint32_t hash)
{
    uint32_t at = kb_rows_put(&g->index, hash);

    if (g->index.n > g->rows_cap) {
        uint32_t cap = g->rows_cap ? 2 * g->rows_cap : 1024;

        g->rows = mem_realloc(g->rows, cap * sizeof *g->rows);
        memset(g->rows + g->rows_cap, 0, (cap - g->rows_cap) * sizeof *g->rows);
        g->rows_cap = cap;
    }
    return &g->rows[at];
}

static void post(struct row *r, unsigned class, float tf)
{
    for (uint32_t i = r->n; i > 0 && class <= r->last; i--) { /* backwards: texts of one class come in a row */
        if (r->v[i - 1].class == class) {
            r->v[i - 1].tf += tf;
            return;
        }
    }
    if (r->n == r->cap) {
        r->cap = r->cap ? 2 * r->cap : 2;
        r->v = mem_realloc(r->v, r->cap * sizeof *r->v);
    }
    r->v[r->n++] = (struct posting){class, tf};
    r->last = class > r->last ? class : r->last;
}

/* What a feature weighs, by its kind and by what it comes from; 0: nothing. */
static float weight_of(const struct kb_grams *g, const struct kb_feature *f)
{
    return g->t->gram_kind[f->kind] * (f->common ? g->t->common_gram : 1);
}

void kb_grams_add(struct kb_grams *g, const struct kb_features *f, unsigned class, float weight)
{
    if (f->n > 0 && g->length[class] == 0)
        g->filled_n++;
    for (unsigned i = 0; i < f->n; i++) {
        float kind = weight_of(g, &f->v[i]), tf = weight * f->v[i].tf;

        if (kind == 0)
            continue;
        post(row_put(g, f->v[i].hash), class, tf);
        g->length[class] += kind * tf;
        g->length_sum += kind * tf;
    }
}

/* k1 (1 - b + b · length / average) of each class */
static void measure(struct kb_grams *g)
{
    float average = g->filled_n ? (float)(g->length_sum / g->filled_n) : 1, k1 = g->t->gram_k1, b = g->t->gram_b;

    for (unsigned c = 0; c < g->classes_n; c++)
        g->norm[c] = k1 * (1 - b + b * g->length[c] / average);
}

float kb_grams_score(struct kb_grams *g, const struct kb_features *f, float *out)
{
    float scale = 0, all = logf(1 + 2 * ((float)g->filled_n + 0.5f));

    memset(out, 0, g->classes_n * sizeof *out);
    measure(g);
    for (unsigned i = 0; i < f->n; i++) {
        g->found[i] = weight_of(g, &f->v[i]) == 0 ? KB_ROW_NONE : kb_rows_find(&g->index, f->v[i].hash);
        if (g->found[i] != KB_ROW_NONE)
            __builtin_prefetch(g->rows[g->found[i]].v);
    }
    for (unsigned i = 0; i < f->n; i++) {
        const struct row *r = g->found[i] == KB_ROW_NONE ? NULL : &g->rows[g->found[i]];
        float kind = weight_of(g, &f->v[i]), idf;

        if (!r) {
            scale += kind * all;
            continue;
        }
        idf = kind * logf(1 + ((float)g->filled_n - (float)r->n + 0.5f) / ((float)r->n + 0.5f));
        scale += idf;
        idf *= g->t->gram_k1 + 1;
        for (uint32_t k = 0; k < r->n; k++)
            out[r->v[k].class] += idf * r->v[k].tf / (r->v[k].tf + g->norm[r->v[k].class]);
    }
    return scale;
}

#include "kb/kb_learn.h"

#include <math.h>
#include <stdlib.h>

#include "kb/kb_rows.h"
#include "kb/kb_vector.h"

#define DENSE_FROM 8 /* a row of more than one in so many classes is dense */
#define DENSE_LEAST 16
#define IDF_KEPT 4096 /* document frequencies whose idf is kept */

struct cell {
    uint32_t class;
    float w; /* weight */
    float g; /* sum of squared gradients */
};

/* What few classes have to do with is a short list; what many have, one number a class. Both count the same. */
struct row {
    uint32_t df; /* examples that have the feature */
    uint32_t n, cap;
    struct cell *cells; /* sorted by class; NULL: dense */
    float *dense;       /* w of each class, then g of each class; or NULL */
};

struct part {
    uint32_t row;
    float tf; /* with the weight of its kind */
};

struct example {
    uint32_t class;
    float weight;
    uint32_t n;
    struct part *parts;
};

struct active {
    uint32_t class;
    float g;
};

struct kb_learn {
    const struct kb_tuning *t;
    unsigned classes_n;
    struct kb_rows index;
    struct row *rows;
    uint32_t rows_cap;
    struct example *examples;
    unsigned examples_n, examples_cap;
    uint64_t random;
    /* scratch of one step */
    float *scores;
    struct active *active;
    uint32_t idf_n; /* examples that idf[] was made for */
    float idf[IDF_KEPT]; /* by document frequency; < 0: not known yet */
    struct part x[KB_FEATURES_MAX];
};

struct kb_learn *kb_learn_create(const struct kb_tuning *t, unsigned classes_n)
{
    struct kb_learn *l = mem_zalloc(sizeof *l);

    l->t = t;
    l->classes_n = classes_n;
    kb_rows_init(&l->index);
    l->random = 0x9E3779B97F4A7C15ull;
    l->scores = mem_zalloc(classes_n * sizeof *l->scores);
    l->active = mem_zalloc(classes_n * sizeof *l->active);
    return l;
}

void kb_learn_destroy(struct kb_learn *l)
{
    if (!l)
        return;
    for (uint32_t i = 0; i < l->index.n; i++)
        free(l->rows[i].cells), free(l->rows[i].dense);
    for (unsigned i = 0; i < l->examples_n; i++)
        free(l->examples[i].parts);
    free(l->rows);
    free(l->examples);
    free(l->scores);
    free(l->active);
    kb_rows_fini(&l->index);
    free(l);
}

/* xorshift64*: the same from run to run, so that weights can be rebuilt. */
static uint32_t random_below(struct kb_learn *l, uint32_t n)
{
    l->random ^= l->random >> 12;
    l->random ^= l->random << 25;
    l->random ^= l->random >> 27;
    return (uint32_t)(((l->random * 0x2545F4914F6CDD1Dull) >> 32) * n >> 32);
}

static struct row *row_put(struct kb_learn *l, uint32_t hash, uint32_t *index)
{
    *index = kb_rows_put(&l->index, hash);
    if (l->index.n > l->rows_cap) {
        uint32_t cap = l->rows_cap ? 2 * l->rows_cap : 1024;

        l->rows = mem_realloc(l->rows, cap * sizeof *l->rows);
        memset(l->rows + l->rows_cap, 0, (cap - l->rows_cap) * sizeof *l->rows);
        l->rows_cap = cap;
    }
    return &l->rows[*index];
}

static float tf_of(const struct kb_learn *l, const struct kb_feature *f)
{
    return l->t->learn_kind[f->kind] * (1 + logf(f->tf)) * (f->common ? l->t->common_learn : 1);
}

void kb_learn_add(struct kb_learn *l, const struct kb_features *f, unsigned class, float weight)
{
    struct example *e;

    if (l->examples_n == KB_EXAMPLES_MAX || f->n == 0)
        return;
    if (l->examples_n == l->examples_cap) {
        l->examples_cap = l->examples_cap ? 2 * l->examples_cap : 256;
        l->examples = mem_realloc(l->examples, l->examples_cap * sizeof *l->examples);
    }
    e = &l->examples[l->examples_n++];
    *e = (struct example){.class = class, .weight = weight, .parts = mem_alloc(f->n * sizeof *e->parts)};
    for (unsigned i = 0; i < f->n; i++) {
        uint32_t at;

        if (l->t->learn_kind[f->v[i].kind] == 0)
            continue;
        row_put(l, f->v[i].hash, &at)->df++;
        e->parts[e->n++] = (struct part){at, tf_of(l, &f->v[i])};
    }
}

/* The number of examples in steps of about one in 128: idf changes little with it, and is computed once a step. */
static uint32_t coarse(uint32_t n)
{
    unsigned shift = 0;

    while (n >> shift >= 256)
        shift++;
    return n >> shift << shift;
}

static float idf_of(struct kb_learn *l, uint32_t df)
{
    uint32_t n = coarse(l->examples_n);
    float *kept = df < IDF_KEPT ? &l->idf[df] : NULL, idf;

    if (n != l->idf_n) {
        for (unsigned i = 0; i < IDF_KEPT; i++)
            l->idf[i] = -1;
        l->idf_n = n;
    }
    if (kept && *kept >= 0)
        return *kept;
    idf = powf(fmaxf(0, logf((1.0f + (float)n) / (1.0f + (float)df)) + 1), l->t->idf_power);
    if (kept)
        *kept = idf;
    return idf;
}

static void normalise(struct part *x, unsigned n, float sum)
{
    float scale = sum > 0 ? 1 / sqrtf(sum) : 0;

    for (unsigned i = 0; i < n; i++)
        x[i].tf *= scale;
}

static void prefetch(const struct row *r)
{
    __builtin_prefetch(r->dense ? (const void *)r->dense : r->cells);
}

static void add_scores(const struct kb_learn *l, const struct part *x, unsigned n, float *out)
{
    memset(out, 0, l->classes_n * sizeof *out);
    for (unsigned i = 0; i < n; i++) {
        const struct row *r = &l->rows[x[i].row];

        if (r->dense)
            kb_vector_add(out, x[i].tf, r->dense, l->classes_n);
        for (uint32_t k = 0; k < r->n; k++)
            out[r->cells[k].class] += x[i].tf * r->cells[k].w;
    }
}

/* Makes sure that the row has a cell of each active class; both are sorted by class. */
static void row_fit(struct row *r, const struct active *a, unsigned n, float start)
{
    unsigned missing = 0, k = 0;
    int64_t from, to, i;

    for (unsigned j = 0; j < n; j++) {
        while (k < r->n && r->cells[k].class < a[j].class)
            k++;
        missing += k == r->n || r->cells[k].class != a[j].class;
    }
    if (missing == 0)
        return;
    if (r->n + missing > r->cap) {
        r->cap = r->n + missing + r->n / 2;
        r->cells = mem_realloc(r->cells, r->cap * sizeof *r->cells);
    }
    from = (int64_t)r->n - 1, to = from + missing;
    for (i = (int64_t)n - 1; i >= 0 && to > from; i--) {
        while (from >= 0 && r->cells[from].class > a[i].class)
            r->cells[to--] = r->cells[from--];
        if (from < 0 || r->cells[from].class != a[i].class)
            r->cells[to--] = (struct cell){a[i].class, 0, start};
    }
    r->n += missing;
}

static void row_make_dense(const struct kb_learn *l, struct row *r)
{
    float *w = mem_zalloc(2 * l->classes_n * sizeof *w), *g = w + l->classes_n;

    for (unsigned c = 0; c < l->classes_n; c++)
        g[c] = l->t->ada_start;
    for (uint32_t k = 0; k < r->n; k++) {
        w[r->cells[k].class] = r->cells[k].w;
        g[r->cells[k].class] = r->cells[k].g;
    }
    free(r->cells);
    r->cells = NULL;
    r->n = r->cap = 0;
    r->dense = w;
}

static void move(const struct kb_learn *l, float *w, float *sum, float g)
{
    *sum += g * g;
    *w -= l->t->rate * g / (sqrtf(*sum) + 1e-6f);
}

static void row_step(const struct kb_learn *l, struct row *r, float x, const struct active *a, unsigned n)
{
    unsigned k = 0;

    if (r->dense) {
        for (unsigned j = 0; j < n; j++)
            move(l, &r->dense[a[j].class], &r->dense[l->classes_n + a[j].class], a[j].g * x);
        return;
    }
    row_fit(r, a, n, l->t->ada_start);
    for (unsigned j = 0; j < n; j++) {
        while (r->cells[k].class != a[j].class)
            k++;
        move(l, &r->cells[k].w, &r->cells[k].g, a[j].g * x);
    }
    if (r->n > DENSE_LEAST && DENSE_FROM * r->n > l->classes_n)
        row_make_dense(l, r);
}

/* The only class that a negative example moves: down, by how likely it is taken for the right one. */
static unsigned gradient_against(struct kb_learn *l, unsigned class, float weight)
{
    float sum = kb_vector_softmax(l->scores, l->classes_n), p = l->scores[class] / sum;

    if (p < l->t->gradient_min)
        return 0;
    l->active[0] = (struct active){class, p * weight};
    return 1;
}

/* p_c - [c is right] of all classes that matter; returns how many. */
static unsigned gradients(struct kb_learn *l, unsigned class, float weight)
{
    float sum = kb_vector_softmax(l->scores, l->classes_n), least = l->t->gradient_min * sum;
    unsigned n = 0;

    for (unsigned c = 0; c < l->classes_n; c++) {
        float g;

        if (l->scores[c] < least && c != class)
            continue;
        g = l->scores[c] / sum - (c == class);
        if (fabsf(g) >= l->t->gradient_min)
            l->active[n++] = (struct active){c, g * weight};
    }
    return n;
}

static void step(struct kb_learn *l, const struct example *e)
{
    float sum = 0;
    unsigned n, m = e->n;

    for (unsigned i = 0; i < e->n; i++) {
        const struct row *r = &l->rows[e->parts[i].row];
        float v = e->parts[i].tf * idf_of(l, r->df);

        prefetch(r);
        sum += v * v;
        l->x[i] = (struct part){e->parts[i].row, v};
    }
    normalise(l->x, m, sum);
    add_scores(l, l->x, m, l->scores);
    n = e->weight < 0 ? gradient_against(l, e->class, -e->weight) : gradients(l, e->class, e->weight);
    for (unsigned i = 0; i < m && n > 0; i++)
        row_step(l, &l->rows[l->x[i].row], l->x[i].tf, l->active, n);
}

void kb_learn_step_last(struct kb_learn *l)
{
    if (l->examples_n > 0)
        step(l, &l->examples[l->examples_n - 1]);
}

void kb_learn_replay(struct kb_learn *l, unsigned n)
{
    while (n-- > 0 && l->examples_n > 0)
        step(l, &l->examples[random_below(l, l->examples_n)]);
}

void kb_learn_pass(struct kb_learn *l)
{
    uint32_t *order = mem_alloc(l->examples_n * sizeof *order);

    for (unsigned i = 0; i < l->examples_n; i++)
        order[i] = i;
    for (unsigned i = l->examples_n; i > 1; i--) {
        uint32_t j = random_below(l, i), was = order[i - 1];

        order[i - 1] = order[j];
        order[j] = was;
    }
    for (unsigned i = 0; i < l->examples_n; i++)
        step(l, &l->examples[order[i]]);
    free(order);
}

float kb_learn_score(struct kb_learn *l, const struct kb_features *f, float *out)
{
    float seen = 0, all = 0;
    unsigned n = 0;

    for (unsigned i = 0; i < f->n; i++) {
        uint32_t row = kb_rows_find(&l->index, f->v[i].hash);
        float v = tf_of(l, &f->v[i]);

        if (v == 0)
            continue;
        if (row == KB_ROW_NONE) { /* never seen: as rare as can be */
            v *= idf_of(l, 0);
            all += v * v;
            continue;
        }
        prefetch(&l->rows[row]);
        v *= idf_of(l, l->rows[row].df);
        seen += v * v;
        all += v * v;
        l->x[n++] = (struct part){row, v};
    }
    normalise(l->x, n, powf(seen, 1 - l->t->norm_learn) * powf(all, l->t->norm_learn));
    add_scores(l, l->x, n, out);
    return all > 0 ? seen / all : 0;
}

unsigned kb_learn_examples(const struct kb_learn *l)
{
    return l->examples_n;
}

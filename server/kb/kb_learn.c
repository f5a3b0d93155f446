#include "kb/kb_learn.h"

#include <math.h>
#include <stdlib.h>

#include "base/base_crypto.h"
#include "kb/kb_cut.h"
#include "kb/kb_rows.h"
#include "kb/kb_vector.h"

#define DENSE_FROM 8       /* of many classes, a row of more than one in so many is dense: it is read faster */
#define DENSE_CLASSES 256  /* of fewer, only where it takes no more memory */
#define IDF_KEPT 4096 /* document frequencies whose idf is kept */

#define CELL_BYTES (2 * sizeof(float) + sizeof(uint16_t))

/*
 * Weights of a feature, or of several: those that stood in the same examples, as often in each, were moved by
 * the same amounts, and share a row until an example tells them apart. (Of a shop's articles that is two of
 * three: the grams of a word that occurs once, say.) What few classes have to do with is a short list; what
 * many have, one number a class. Both count the same.
 */
struct row {
    uint32_t df;         /* examples that have its features */
    uint32_t features_n; /* > 0 */
    uint32_t stepped;    /* the step that moved it last */
    uint16_t n, cap;
    /* weights, then sums of squared gradients: of each class if cap is 0 (dense); else of cap cells, and behind them the cells' classes,
     * rising. NULL: no example has moved it yet */
    float *w;
};

struct part {
    uint32_t feature;
    float tf; /* with the weight of its kind */
};

/* A part of what is learned or asked now. */
struct term {
    uint32_t row;
    float x;
};

/* A feature of the example that is being added, and the row that it had; ROW_NONE: it is new. */
struct place {
    uint32_t row, feature;
    float tf;
};
#define ROW_NONE UINT32_MAX

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
    struct kb_rows index; /* hash → feature */
    uint32_t *row_of;     /* of each feature */
    uint32_t features_cap;
    struct row *rows;
    uint32_t rows_n, rows_cap;
    struct example *examples;
    unsigned examples_n, examples_cap;
    uint64_t random, steps;
    uint32_t visited; /* cells, by the last query or step */
    /* scratch of one step */
    float *scores;
    struct active *active;
    uint32_t idf_n; /* examples that idf[] was made for */
    float idf[IDF_KEPT]; /* by document frequency; < 0: not known yet */
    struct term x[KB_FEATURES_MAX];
    uint32_t found[KB_FEATURES_MAX], cost[KB_FEATURES_MAX]; /* scratch of one query */
    struct place places[KB_FEATURES_MAX];                   /* scratch of adding one */
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
    for (uint32_t i = 0; i < l->rows_n; i++)
        free(l->rows[i].w);
    for (unsigned i = 0; i < l->examples_n; i++)
        free(l->examples[i].parts);
    free(l->row_of);
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

static uint32_t feature_put(struct kb_learn *l, uint32_t hash)
{
    uint32_t had = l->index.n, feature = kb_rows_put(&l->index, hash);

    if (l->index.n > l->features_cap) {
        l->features_cap = l->features_cap ? 2 * l->features_cap : 1024;
        l->row_of = mem_realloc(l->row_of, l->features_cap * sizeof *l->row_of);
    }
    if (l->index.n > had)
        l->row_of[feature] = ROW_NONE;
    return feature;
}

static float tf_of(const struct kb_learn *l, const struct kb_feature *f)
{
    return l->t->learn_kind[f->kind] * (1 + logf(f->tf)) * (f->common ? l->t->common_learn[f->kind] : 1) * (f->mended ? l->t->mended : 1);
}

static bool is_dense(const struct row *r)
{
    return r->w && r->cap == 0;
}

/* A row like `from` (ROW_NONE: without weights) for n features. */
static uint32_t row_add(struct kb_learn *l, uint32_t from, uint32_t n)
{
    struct row *r;
    size_t bytes;

    if (l->rows_n == l->rows_cap) {
        l->rows_cap = l->rows_cap ? 2 * l->rows_cap : 1024;
        l->rows = mem_realloc(l->rows, l->rows_cap * sizeof *l->rows); /* those behind the last stay untouched: they are not taken */
    }
    r = &l->rows[l->rows_n];
    *r = from == ROW_NONE ? (struct row){.df = 0} : l->rows[from];
    r->features_n = n;
    if (r->w) {
        bytes = is_dense(r) ? 2 * (size_t)l->classes_n * sizeof *r->w : r->cap * CELL_BYTES;
        r->w = memcpy(mem_alloc(bytes), r->w, bytes);
    }
    return l->rows_n++;
}

static int by_row(const void *a, const void *b)
{
    const struct place *x = a, *y = b;

    if (x->row != y->row)
        return x->row < y->row ? -1 : 1;
    return x->tf < y->tf ? -1 : x->tf > y->tf;
}

/* Counts the example in its features' rows. Where it has only some of a row's features, or not all as often,
 * these get one of their own. */
static void count(struct kb_learn *l, const struct example *e)
{
    struct place *p = l->places;

    for (uint32_t i = 0; i < e->n; i++)
        p[i] = (struct place){l->row_of[e->parts[i].feature], e->parts[i].feature, e->parts[i].tf};
    qsort(p, e->n, sizeof *p, by_row);
    for (uint32_t i = 0, k; i < e->n; i = k) {
        uint32_t row = p[i].row;

        for (k = i + 1; k < e->n && by_row(&p[i], &p[k]) == 0;)
            k++;
        if (row == ROW_NONE || l->rows[row].features_n > k - i) {
            if (row != ROW_NONE)
                l->rows[row].features_n -= k - i;
            row = row_add(l, row, k - i);
            for (uint32_t j = i; j < k; j++)
                l->row_of[p[j].feature] = row;
        }
        l->rows[row].df++;
    }
}

void kb_learn_add(struct kb_learn *l, const struct kb_features *f, unsigned class, float weight)
{
    struct example *e;

    if (f->n == 0)
        return;
    if (l->examples_n == KB_EXAMPLES_MAX)
        free(l->examples[--l->examples_n].parts);
    if (l->examples_n == l->examples_cap) {
        l->examples_cap = l->examples_cap ? 2 * l->examples_cap : 256;
        l->examples = mem_realloc(l->examples, l->examples_cap * sizeof *l->examples);
    }
    e = &l->examples[l->examples_n++];
    *e = (struct example){.class = class, .weight = weight, .parts = mem_alloc(f->n * sizeof *e->parts)};
    for (unsigned i = 0; i < f->n; i++)
        if (l->t->learn_kind[f->v[i].kind] != 0)
            e->parts[e->n++] = (struct part){feature_put(l, f->v[i].hash), tf_of(l, &f->v[i])};
    if (e->n > 0 && e->n < f->n)
        e->parts = mem_realloc(e->parts, e->n * sizeof *e->parts);
    count(l, e);
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

static void normalise(struct term *x, unsigned n, float sum)
{
    float scale = sum > 0 ? 1 / sqrtf(sum) : 0;

    for (unsigned i = 0; i < n; i++)
        x[i].x *= scale;
}

static uint16_t *classes_of(const struct row *r)
{
    return (uint16_t *)(void *)(r->w + 2 * (size_t)r->cap);
}

/* Cells of the row; four of a dense one take the time of one. */
static uint32_t cost_of(const struct kb_learn *l, const struct row *r)
{
    return is_dense(r) ? l->classes_n / 4 + 1 : r->n;
}

static void add_scores(struct kb_learn *l, const struct term *x, unsigned n, float *out)
{
    struct kb_cut cut;

    for (unsigned i = 0; i < n; i++)
        l->cost[i] = cost_of(l, &l->rows[x[i].row]);
    cut = kb_cut_of(l->cost, n, KB_LEARN_VISITS_MAX);
    l->visited = 0;
    memset(out, 0, l->classes_n * sizeof *out);
    for (unsigned i = 0; i < n; i++) {
        const struct row *r = &l->rows[x[i].row];
        const uint16_t *classes = classes_of(r);

        if (!kb_cut_takes(&cut, l->cost[i]))
            continue;
        l->visited += l->cost[i];
        if (is_dense(r))
            kb_vector_add(out, x[i].x, r->w, l->classes_n);
        for (unsigned k = 0; k < r->n; k++)
            out[classes[k]] += x[i].x * r->w[k];
    }
}

static void row_widen(struct row *r, unsigned n)
{
    struct row was = *r;

    r->cap = (uint16_t)(n + n / 16);
    r->w = mem_alloc(r->cap * CELL_BYTES);
    if (was.n) {
        memcpy(r->w, was.w, was.n * sizeof *r->w);
        memcpy(r->w + r->cap, was.w + was.cap, was.n * sizeof *r->w);
        memcpy(classes_of(r), classes_of(&was), was.n * sizeof(uint16_t));
    }
    free(was.w);
}

static void put_cell(struct row *r, unsigned to, uint16_t class, float w, float g)
{
    r->w[to] = w;
    r->w[r->cap + to] = g;
    classes_of(r)[to] = class;
}

/* Makes sure that the row has a cell of each active class; both are sorted by class. */
static void row_fit(struct row *r, const struct active *a, unsigned n, float start)
{
    const uint16_t *classes = classes_of(r);
    unsigned missing = 0, k = 0;
    int from, to;

    for (unsigned j = 0; j < n; j++) {
        while (k < r->n && classes[k] < a[j].class)
            k++;
        missing += k == r->n || classes[k] != a[j].class;
    }
    if (missing == 0)
        return;
    if (r->n + missing > r->cap)
        row_widen(r, r->n + missing);
    classes = classes_of(r);
    from = r->n - 1, to = from + (int)missing;
    for (int i = (int)n - 1; i >= 0 && to > from; i--) {
        for (; from >= 0 && classes[from] > a[i].class; from--, to--)
            put_cell(r, (unsigned)to, classes[from], r->w[from], r->w[r->cap + from]);
        if (from < 0 || classes[from] != a[i].class)
            put_cell(r, (unsigned)to--, (uint16_t)a[i].class, 0, start);
    }
    r->n = (uint16_t)(r->n + missing);
}

static void row_make_dense(const struct kb_learn *l, struct row *r)
{
    float *w = mem_zalloc(2 * l->classes_n * sizeof *w), *g = w + l->classes_n;
    const uint16_t *classes = classes_of(r);

    for (unsigned c = 0; c < l->classes_n; c++)
        g[c] = l->t->ada_start;
    for (unsigned k = 0; k < r->n; k++) {
        w[classes[k]] = r->w[k];
        g[classes[k]] = r->w[r->cap + k];
    }
    free(r->w);
    r->n = r->cap = 0;
    r->w = w;
}

static bool is_better_dense(const struct kb_learn *l, const struct row *r)
{
    if (l->classes_n < DENSE_CLASSES)
        return r->n * CELL_BYTES > 2 * l->classes_n * sizeof *r->w;
    return DENSE_FROM * r->n > l->classes_n;
}

static void move(const struct kb_learn *l, float *w, float *sum, float g)
{
    *sum += g * g;
    *w -= l->t->rate * g / (sqrtf(*sum) + 1e-6f);
}

static void row_step(const struct kb_learn *l, struct row *r, float x, const struct active *a, unsigned n)
{
    const uint16_t *classes;
    unsigned k = 0;

    if (is_dense(r)) {
        for (unsigned j = 0; j < n; j++)
            move(l, &r->w[a[j].class], &r->w[l->classes_n + a[j].class], a[j].g * x);
        return;
    }
    row_fit(r, a, n, l->t->ada_start);
    classes = classes_of(r);
    for (unsigned j = 0; j < n; j++) {
        while (classes[k] != a[j].class)
            k++;
        move(l, &r->w[k], &r->w[r->cap + k], a[j].g * x);
    }
    if (is_better_dense(l, r))
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

    l->steps++;
    for (unsigned i = 0; i < e->n; i++) {
        uint32_t row = l->row_of[e->parts[i].feature];
        const struct row *r = &l->rows[row];
        float v = e->parts[i].tf * idf_of(l, r->df);

        __builtin_prefetch(r->w);
        sum += v * v;
        l->x[i] = (struct term){row, v};
    }
    normalise(l->x, m, sum);
    add_scores(l, l->x, m, l->scores);
    n = e->weight < 0 ? gradient_against(l, e->class, -e->weight) : gradients(l, e->class, e->weight);
    for (unsigned i = 0; i < m && n > 0; i++) {
        struct row *r = &l->rows[l->x[i].row];

        if (r->stepped != (uint32_t)l->steps)
            row_step(l, r, l->x[i].x, l->active, n);
        r->stepped = (uint32_t)l->steps;
    }
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
    float seen = 0, all = 0, seen_triples = 0, triples = 0;
    unsigned n = 0;

    kb_rows_find_all(&l->index, &f->v[0].hash, sizeof f->v[0], f->n, l->found);
    for (unsigned i = 0; i < f->n; i++) {
        uint32_t feature = l->found[i], row;
        float v = tf_of(l, &f->v[i]), is_triple = f->v[i].kind == KB_F_TRIPLE;

        if (v == 0 || (feature == KB_ROW_NONE && f->v[i].mended)) /* a guess that is of no use is none */
            continue;
        if (feature == KB_ROW_NONE) { /* never seen: as rare as can be */
            v *= idf_of(l, 0);
            all += v * v;
            triples += is_triple * v * v;
            continue;
        }
        row = l->row_of[feature];
        __builtin_prefetch(l->rows[row].w);
        v *= idf_of(l, l->rows[row].df);
        seen += v * v;
        all += v * v;
        triples += is_triple * v * v;
        seen_triples += is_triple * v * v;
        l->x[n++] = (struct term){row, v};
    }
    normalise(l->x, n, powf(seen, 1 - l->t->norm_learn) * powf(all, l->t->norm_learn));
    add_scores(l, l->x, n, out);
    return all > triples ? (seen - seen_triples) / (all - triples) : 0;
}

uint32_t kb_learn_visited(const struct kb_learn *l)
{
    return l->visited;
}

unsigned kb_learn_examples(const struct kb_learn *l)
{
    return l->examples_n;
}

uint64_t kb_learn_steps(const struct kb_learn *l)
{
    return l->steps;
}

uint64_t kb_learn_digest(const struct kb_learn *l)
{
    uint32_t *v = mem_alloc((l->index.n + l->rows_n + 3 * (size_t)l->examples_n + 1) * sizeof *v), *to = v;
    struct str parts[2] = {{(const char *)l->index.hashes, l->index.n * sizeof *l->index.hashes}, {(const char *)v, 0}};
    uint64_t digest;

    for (uint32_t i = 0; i < l->index.n; i++)
        *to++ = l->row_of[i];
    for (uint32_t i = 0; i < l->rows_n; i++)
        *to++ = l->rows[i].df;
    for (unsigned i = 0; i < l->examples_n; i++) {
        *to++ = l->examples[i].class;
        *to++ = l->examples[i].n;
        memcpy(to++, &l->examples[i].weight, sizeof *to);
    }
    parts[1].n = (size_t)(to - v) * sizeof *v;
    digest = crypto_short_digest_parts(parts, 2);
    free(v);
    return digest;
}

/* A row's cells, as they lie: dense, of all classes; else n of them. */
static size_t row_bytes(const struct kb_learn *l, uint16_t cells, bool dense)
{
    return dense ? sizeof(float) * 2 * l->classes_n : CELL_BYTES * cells;
}

enum row_form { ROW_EMPTY, ROW_SPARSE, ROW_DENSE };

void kb_learn_write(const struct kb_learn *l, struct kb_io *io)
{
    kb_io_put(io, &l->random, sizeof l->random);
    kb_io_put(io, &l->steps, sizeof l->steps);
    for (uint32_t i = 0; i < l->rows_n; i++) {
        const struct row *r = &l->rows[i];
        uint16_t head[3] = {!r->w ? ROW_EMPTY : is_dense(r) ? ROW_DENSE : ROW_SPARSE, r->n, r->cap};

        kb_io_put(io, head, sizeof head);
        if (r->w)
            kb_io_put(io, r->w, row_bytes(l, r->cap, is_dense(r)));
    }
}

/* A row of cells must be one that row_fit() could have made. */
static bool is_sound(const struct kb_learn *l, const struct row *r)
{
    const uint16_t *classes = classes_of(r);

    for (unsigned k = 0; k < r->n; k++) {
        if (classes[k] >= l->classes_n || (k > 0 && classes[k] <= classes[k - 1]))
            return false;
    }
    return true;
}

static bool row_read(const struct kb_learn *l, struct row *r, struct kb_io *io)
{
    uint16_t head[3];
    size_t bytes;

    if (!kb_io_get(io, head, sizeof head) || head[0] > ROW_DENSE)
        return false;
    if (head[0] == ROW_EMPTY)
        return true;
    if (head[0] == ROW_SPARSE && (head[1] > head[2] || head[1] > l->classes_n || head[2] > 2 * l->classes_n || head[2] == 0))
        return false;
    bytes = row_bytes(l, head[2], head[0] == ROW_DENSE);
    r->w = mem_alloc(bytes);
    r->n = head[0] == ROW_DENSE ? 0 : head[1];
    r->cap = head[0] == ROW_DENSE ? 0 : head[2];
    return kb_io_get(io, r->w, bytes) && (head[0] == ROW_DENSE || is_sound(l, r));
}

bool kb_learn_read(struct kb_learn *l, struct kb_io *io)
{
    if (!kb_io_get(io, &l->random, sizeof l->random) || !kb_io_get(io, &l->steps, sizeof l->steps))
        return false;
    for (uint32_t i = 0; i < l->rows_n; i++) {
        if (!row_read(l, &l->rows[i], io))
            return false;
    }
    return true;
}

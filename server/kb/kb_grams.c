#include "kb/kb_grams.h"

#include <math.h>
#include <stdlib.h>

#include "kb/kb_cut.h"
#include "kb/kb_rows.h"

#define AHEAD  48 /* postings that memory is asked for before their turn */
#define SHARES 64 /* words with more character grams count as those */

struct posting {
    uint32_t class;
    float tf;
};

/* Most features stand in one class: its posting lies in the row itself. */
struct row {
    uint16_t n, cap; /* cap 0: at most one, in `one` */
    union {
        struct posting one;
        struct posting *v; /* by class */
    };
};

struct kb_grams {
    const struct kb_tuning *t;
    unsigned classes_n, filled_n; /* filled_n: classes with text */
    struct kb_rows index;
    struct row *rows;
    uint32_t rows_cap;
    float *length; /* of each class */
    double length_sum;
    float share[SHARES]; /* of one among so many character grams of a word */
    float *norm;         /* k1 (1 - b + b · length / average) of each class */
    bool measured;       /* norm is of what stands */
    uint32_t visited;    /* postings, by the last query */
    /* scratch of one query */
    uint32_t found[KB_FEATURES_MAX];
    uint32_t cost[KB_FEATURES_MAX], costs[KB_FEATURES_MAX]; /* postings of each; of one kind alone */
    bool echo[KB_FEATURES_MAX];                             /* it says what another says already */
    float known[KB_FEATURES_MAX]; /* of a word: what a character gram of it counts; of others: 1 */
};

struct kb_grams *kb_grams_create(const struct kb_tuning *t, unsigned classes_n)
{
    struct kb_grams *g = mem_zalloc(sizeof *g);

    g->t = t;
    g->classes_n = classes_n;
    kb_rows_init(&g->index);
    g->length = mem_zalloc(classes_n * sizeof *g->length);
    g->norm = mem_zalloc(classes_n * sizeof *g->norm);
    g->share[0] = 1;
    for (unsigned i = 1; i < SHARES; i++)
        g->share[i] = powf(t->share_grams / (float)i, t->share_power);
    return g;
}

void kb_grams_destroy(struct kb_grams *g)
{
    if (!g)
        return;
    for (uint32_t i = 0; i < g->index.n; i++)
        if (g->rows[i].cap)
            free(g->rows[i].v);
    free(g->rows);
    free(g->length);
    free(g->norm);
    kb_rows_fini(&g->index);
    free(g);
}

static struct row *row_put(struct kb_grams *g, uint32_t hash)
{
    uint32_t had = g->index.n, at = kb_rows_put(&g->index, hash);

    if (g->index.n > g->rows_cap) {
        g->rows_cap = g->rows_cap ? 2 * g->rows_cap : 1024;
        g->rows = mem_realloc(g->rows, g->rows_cap * sizeof *g->rows);
    }
    if (g->index.n > had)
        g->rows[at] = (struct row){.n = 0};
    return &g->rows[at];
}

static struct posting *postings(struct row *r)
{
    return r->cap ? r->v : &r->one;
}

/* Makes place for one more. */
static void widen(struct row *r)
{
    struct posting one = r->one;

    if (r->n < (r->cap ? r->cap : 1))
        return;
    r->v = mem_realloc(r->cap ? r->v : NULL, 2u * r->n * sizeof *r->v);
    if (!r->cap)
        r->v[0] = one;
    r->cap = (uint16_t)(2 * r->n);
}

/* Where the class stands among n, or would. Texts of one class come in a row, and classes in order: most often at the end. */
static uint32_t place_of(const struct posting *v, uint32_t n, unsigned class)
{
    uint32_t lo = 0, hi = n;

    if (n == 0 || v[n - 1].class < class)
        return n;
    while (lo < hi) {
        uint32_t mid = (lo + hi) / 2;

        if (v[mid].class < class)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo;
}

static void post(struct row *r, unsigned class, float tf)
{
    struct posting *v = postings(r);
    uint32_t at = place_of(v, r->n, class);

    if (at < r->n && v[at].class == class) {
        v[at].tf += tf;
        return;
    }
    widen(r);
    v = postings(r);
    memmove(v + at + 1, v + at, (r->n - at) * sizeof *v);
    v[at] = (struct posting){class, tf};
    r->n++;
}

/* What a feature weighs, by its kind and by what it comes from; 0: nothing. */
static float weight_of(const struct kb_grams *g, const struct kb_feature *f)
{
    float share = g->share[f->among < SHARES ? f->among : SHARES - 1];

    return g->t->gram_kind[f->kind] * (f->common ? g->t->common_gram : 1) * (f->mended ? g->t->mended : 1) * share;
}

void kb_grams_add(struct kb_grams *g, const struct kb_features *f, unsigned class, float weight)
{
    if (f->n > 0 && g->length[class] == 0)
        g->filled_n++;
    g->measured = false;
    for (unsigned i = 0; i < f->n; i++) {
        float kind = weight_of(g, &f->v[i]), tf = weight * f->v[i].tf;

        if (kind == 0)
            continue;
        post(row_put(g, f->v[i].hash), class, tf);
        g->length[class] += kind * tf;
        g->length_sum += kind * tf;
    }
}

static void measure(struct kb_grams *g)
{
    float average = g->filled_n ? (float)(g->length_sum / g->filled_n) : 1, k1 = g->t->gram_k1, b = g->t->gram_b;

    if (g->measured)
        return;
    g->measured = true;
    for (unsigned c = 0; c < g->classes_n; c++)
        g->norm[c] = k1 * (1 - b + b * g->length[c] / average);
}

/* What a feature weighs in a query. The grams of a word that is known say what it says already; where it isn't, they are all there is.
 * A word stands before its grams. */
static float weight_asked(struct kb_grams *g, const struct kb_features *f, unsigned i, const struct row *r)
{
    const struct kb_feature *v = &f->v[i];

    g->known[i] = v->kind == KB_F_WORD && r && !v->mended ? powf(1 + (float)r->n, -g->t->known_power) : 1;
    return weight_of(g, v) * (v->word > 0 && !v->mended ? g->known[v->word - 1] : 1);
}

/* The row of each feature that counts, and its postings. */
static void find(struct kb_grams *g, const struct kb_features *f)
{
    kb_rows_find_all(&g->index, &f->v[0].hash, sizeof f->v[0], f->n, g->found);
    for (unsigned i = 0; i < f->n; i++) {
        if (weight_of(g, &f->v[i]) == 0)
            g->found[i] = KB_ROW_NONE;
        if (g->found[i] != KB_ROW_NONE)
            __builtin_prefetch(&g->rows[g->found[i]]);
    }
    for (unsigned i = 0; i < f->n; i++) {
        g->cost[i] = g->found[i] == KB_ROW_NONE ? 0 : g->rows[g->found[i]].n;
        if (g->cost[i] > 0)
            __builtin_prefetch(postings(&g->rows[g->found[i]]));
    }
}

/* Whether the feature is a character gram of a word that is known: what it says, the word says already. */
static bool is_echo(const struct kb_grams *g, const struct kb_features *f, unsigned i)
{
    unsigned word = f->v[i].word;

    return word > 0 && g->cost[word - 1] > 0;
}

/* Of the features that are (no) echo, leaves out what doesn't fit in room: its cost becomes 0. Returns the
 * room that is left. */
static uint32_t leave_out(struct kb_grams *g, const struct kb_features *f, bool echo, uint32_t room)
{
    struct kb_cut taken;
    unsigned n = 0;

    for (unsigned i = 0; i < f->n; i++)
        if (g->echo[i] == echo)
            g->costs[n++] = g->cost[i];
    taken = kb_cut_of(g->costs, n, room);
    for (unsigned i = 0; i < f->n; i++) {
        if (g->echo[i] != echo)
            continue;
        if (kb_cut_takes(&taken, g->cost[i]))
            room -= g->cost[i];
        else
            g->cost[i] = 0;
    }
    return room;
}

/* Leaves out what would be over KB_GRAMS_VISITS_MAX: cost[] of it becomes 0. */
static void bound(struct kb_grams *g, const struct kb_features *f)
{
    uint64_t all = 0;
    uint32_t room;

    for (unsigned i = 0; i < f->n; i++)
        all += g->cost[i];
    if (all <= KB_GRAMS_VISITS_MAX)
        return;
    for (unsigned i = 0; i < f->n; i++)
        g->echo[i] = is_echo(g, f, i);
    room = leave_out(g, f, false, KB_GRAMS_VISITS_MAX);
    leave_out(g, f, true, room);
}

typedef float f4 __attribute__((vector_size(16)));

/* out[c] += idf · tf / (tf + norm_c) for each class of the row; four divisions take the time of one. */
static void add_row(struct kb_grams *g, struct row *r, float idf, float *out)
{
    const struct posting *v = postings(r);
    uint32_t k = 0;

    for (; k + 4 <= r->n; k += 4) {
        const struct posting *p = v + k;
        f4 tf = {p[0].tf, p[1].tf, p[2].tf, p[3].tf};
        f4 norm = {g->norm[p[0].class], g->norm[p[1].class], g->norm[p[2].class], g->norm[p[3].class]};
        f4 more = idf * tf / (tf + norm);

        __builtin_prefetch(p + AHEAD);
        out[p[0].class] += more[0];
        out[p[1].class] += more[1];
        out[p[2].class] += more[2];
        out[p[3].class] += more[3];
    }
    for (; k < r->n; k++)
        out[v[k].class] += idf * v[k].tf / (v[k].tf + g->norm[v[k].class]);
    g->visited += r->n;
}

float kb_grams_score(struct kb_grams *g, const struct kb_features *f, float *out)
{
    float scale = 0, all = logf(1 + 2 * ((float)g->filled_n + 0.5f));

    memset(out, 0, g->classes_n * sizeof *out);
    measure(g);
    find(g, f);
    bound(g, f);
    g->visited = 0;
    for (unsigned i = 0; i < f->n; i++) {
        struct row *r = g->found[i] == KB_ROW_NONE ? NULL : &g->rows[g->found[i]];
        float kind = weight_asked(g, f, i, r), idf;

        if (!r) { /* a guess that is of no use is none */
            scale += f->v[i].mended ? 0 : kind * all;
            continue;
        }
        if (g->cost[i] == 0)
            continue; /* left out */
        idf = kind * logf(1 + ((float)g->filled_n - (float)r->n + 0.5f) / ((float)r->n + 0.5f));
        scale += idf;
        add_row(g, r, idf * (g->t->gram_k1 + 1), out);
    }
    return scale;
}

uint32_t kb_grams_visited(const struct kb_grams *g)
{
    return g->visited;
}

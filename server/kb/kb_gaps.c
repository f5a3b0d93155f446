#include "kb/kb_gaps.h"

#include <math.h>
#include <stdlib.h>

#include "kb/kb.h"
#include "kb/kb_features.h"
#include "kb/kb_rows.h"

#define NONE UINT32_MAX

static const float our_kinds[KB_F_N] = {
    [KB_F_WORD] = 1,  [KB_F_PAIR] = 0.5f,  [KB_F_CHARS] = 0.3f, [KB_F_GRAM1] = 0.5f,
    [KB_F_GRAM2] = 1, [KB_F_GRAM3] = 0.5f, [KB_F_SKIP] = 0.3f};

/* One feature of one question. */
struct part {
    uint32_t row;
    float x;
};

struct vectors {
    struct kb_rows rows;
    uint32_t *df, df_cap;
    struct part *parts; /* of all questions, one after another */
    size_t parts_n, parts_cap;
    size_t *from; /* [n + 1] where each question's begin */
};

static void count_row(struct vectors *v, uint32_t row)
{
    if (row >= v->df_cap) {
        uint32_t cap = v->df_cap ? 2 * v->df_cap : 4096;

        v->df = mem_realloc(v->df, cap * sizeof *v->df);
        memset(v->df + v->df_cap, 0, (cap - v->df_cap) * sizeof *v->df);
        v->df_cap = cap;
    }
    v->df[row]++;
}

static void add_question(struct vectors *v, const struct kb_features *f, const float *kinds)
{
    if (v->parts_n + f->n > v->parts_cap) {
        v->parts_cap = 2 * v->parts_cap + f->n;
        v->parts = mem_realloc(v->parts, v->parts_cap * sizeof *v->parts);
    }
    for (unsigned i = 0; i < f->n; i++) {
        float kind = kinds[f->v[i].kind];
        uint32_t row;

        if (kind == 0)
            continue;
        row = kb_rows_put(&v->rows, f->v[i].hash);
        count_row(v, row);
        v->parts[v->parts_n++] = (struct part){row, kind * (1 + logf(f->v[i].tf))};
    }
}

static void read_vectors(struct vectors *v, const struct str *questions, unsigned n, const float *kinds)
{
    struct kb_features *f = mem_alloc(sizeof *f);

    kb_rows_init(&v->rows);
    v->from = mem_alloc((n + 1) * sizeof *v->from);
    for (unsigned i = 0; i < n; i++) {
        struct str q = questions[i];

        if (q.n > KB_QUESTION_BYTES)
            q.n = KB_QUESTION_BYTES;
        kb_features_reset(f);
        kb_features_add(f, NULL, q);
        v->from[i] = v->parts_n;
        add_question(v, f, kinds);
    }
    v->from[n] = v->parts_n;
    free(f);
}

/* tf → tf-idf of length 1 */
static void weigh(struct vectors *v, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        float sum = 0;

        for (size_t k = v->from[i]; k < v->from[i + 1]; k++) {
            v->parts[k].x *= logf((1 + (float)n) / (1 + (float)v->df[v->parts[k].row])) + 1;
            sum += v->parts[k].x * v->parts[k].x;
        }
        for (size_t k = v->from[i]; k < v->from[i + 1]; k++)
            v->parts[k].x /= sqrtf(sum);
    }
}

static void add_cosines(const struct vectors *v, unsigned n, float *sim)
{
    float *dense = mem_zalloc((v->rows.n + 1) * sizeof *dense);

    for (unsigned i = 0; i < n; i++) {
        for (size_t k = v->from[i]; k < v->from[i + 1]; k++)
            dense[v->parts[k].row] = v->parts[k].x;
        for (unsigned j = 0; j < i; j++) {
            float sum = 0;

            for (size_t k = v->from[j]; k < v->from[j + 1]; k++)
                sum += dense[v->parts[k].row] * v->parts[k].x;
            sim[(size_t)i * n + j] = sim[(size_t)j * n + i] = sum;
        }
        for (size_t k = v->from[i]; k < v->from[i + 1]; k++)
            dense[v->parts[k].row] = 0;
    }
    free(dense);
}

float *kb_gaps_similar(const struct str *questions, unsigned n, const float *kinds)
{
    float *sim = mem_zalloc(((size_t)n * n + 1) * sizeof *sim);
    struct vectors v = {0};

    read_vectors(&v, questions, n, kinds ? kinds : our_kinds);
    weigh(&v, n);
    add_cosines(&v, n, sim);
    kb_rows_fini(&v.rows);
    free(v.df);
    free(v.parts);
    free(v.from);
    return sim;
}

/* Groups while they are joined: each is known by one of its members. */
struct joining {
    float *sim;
    unsigned n;
    enum kb_gaps_link link;
    unsigned *size;  /* of the group known by i; 0: not one any more */
    unsigned *into;  /* the member that i was joined to */
    unsigned *chain; /* of nearest neighbours */
    unsigned chain_n;
};

/* The group most similar to i; the one before it in the chain wins a tie, so that a chain ends. */
static unsigned nearest(const struct joining *j, unsigned i, float *how)
{
    const float *row = j->sim + (size_t)i * j->n;
    unsigned best = j->chain_n > 1 ? j->chain[j->chain_n - 2] : NONE;

    *how = best == NONE ? -1 : row[best];
    for (unsigned k = 0; k < j->n; k++) {
        if (k != i && j->size[k] > 0 && row[k] > *how)
            best = k, *how = row[k];
    }
    return best;
}

static void join(struct joining *j, unsigned a, unsigned b)
{
    float na = (float)j->size[a], nb = (float)j->size[b];

    for (unsigned k = 0; k < j->n; k++) {
        float x = j->sim[(size_t)a * j->n + k], y = j->sim[(size_t)b * j->n + k];

        if (k == a || k == b || j->size[k] == 0)
            continue;
        x = j->link == KB_GAPS_SINGLE ? fmaxf(x, y) : (na * x + nb * y) / (na + nb);
        j->sim[(size_t)a * j->n + k] = j->sim[(size_t)k * j->n + a] = x;
    }
    j->size[a] += j->size[b];
    j->size[b] = 0;
    j->into[b] = a;
}

/* Follows chains that begin at i until i's group has been joined as far as it goes, or stands alone for good:
 * no other join makes it more similar to anything. */
static void follow(struct joining *j, unsigned i, float least, bool *alone)
{
    j->chain[0] = i;
    j->chain_n = 1;
    while (j->chain_n > 0) {
        unsigned at = j->chain[j->chain_n - 1], to;
        float how;

        to = nearest(j, at, &how);
        if (to == NONE || how < least) {
            alone[at] = true;
            j->chain_n--;
        } else if (j->chain_n > 1 && to == j->chain[j->chain_n - 2]) {
            j->chain_n -= 2;
            join(j, at < to ? at : to, at < to ? to : at);
        } else {
            j->chain[j->chain_n++] = to;
        }
    }
}

void kb_gaps_join(float *sim, unsigned n, enum kb_gaps_link link, float least, unsigned *group)
{
    struct joining j = {.sim = sim, .n = n, .link = link};
    bool *alone = mem_zalloc(n + 1);

    j.size = mem_alloc((n + 1) * sizeof *j.size);
    j.into = mem_alloc((n + 1) * sizeof *j.into);
    j.chain = mem_alloc((n + 1) * sizeof *j.chain);
    for (unsigned i = 0; i < n; i++)
        j.size[i] = 1, j.into[i] = i;
    for (unsigned i = 0; i < n; i++) {
        while (j.size[i] > 0 && !alone[i])
            follow(&j, i, least, alone);
    }
    for (unsigned i = 0; i < n; i++) {
        group[i] = i;
        while (j.into[group[i]] != group[i])
            group[i] = j.into[group[i]];
    }
    free(alone);
    free(j.size);
    free(j.into);
    free(j.chain);
}

struct found {
    unsigned first, size; /* its smallest member, how many */
};

static int by_size(const void *a, const void *b)
{
    const struct found *x = a, *y = b;

    return x->size != y->size ? (x->size < y->size) - (x->size > y->size)
                              : (x->first > y->first) - (x->first < y->first);
}

/* Numbers the groups by size. */
static unsigned number(unsigned n, unsigned *group)
{
    struct found *f = mem_zalloc((n + 1) * sizeof *f);
    unsigned *new = mem_alloc((n + 1) * sizeof *new), groups = 0;

    for (unsigned i = 0; i < n; i++) {
        if (group[i] == i)
            groups++;
        f[group[i]].first = group[i];
        f[group[i]].size++;
    }
    qsort(f, n, sizeof *f, by_size);
    for (unsigned g = 0; g < groups; g++)
        new[f[g].first] = g;
    for (unsigned i = 0; i < n; i++)
        group[i] = new[group[i]];
    free(new);
    free(f);
    return groups;
}

static void find_middles(const float *sim, unsigned n, const unsigned *group, unsigned groups,
                         unsigned *middle)
{
    float *best = mem_alloc((groups + 1) * sizeof *best);

    for (unsigned g = 0; g < groups; g++)
        best[g] = -1;
    for (unsigned i = 0; i < n; i++) {
        float sum = 0;

        for (unsigned k = 0; k < n; k++)
            sum += group[k] == group[i] ? sim[(size_t)i * n + k] : 0;
        if (sum > best[group[i]])
            best[group[i]] = sum, middle[group[i]] = i;
    }
    free(best);
}

int kb_gaps_group(const struct str *questions, unsigned n, unsigned *group, unsigned *middle, struct err *err)
{
    size_t bytes = (size_t)n * n * sizeof(float);
    float *sim, *work;
    unsigned groups;

    if (n > KB_GAPS_MAX)
        return err_set(err, ERR_FULL, "%u questions, over %d", n, KB_GAPS_MAX);
    sim = kb_gaps_similar(questions, n, NULL);
    work = mem_alloc(bytes + 1);
    memcpy(work, sim, bytes);
    kb_gaps_join(work, n, KB_GAPS_AVERAGE, KB_GAPS_LEAST, group);
    groups = number(n, group);
    find_middles(sim, n, group, groups, middle);
    free(work);
    free(sim);
    return (int)groups;
}

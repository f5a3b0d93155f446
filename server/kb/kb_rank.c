#include "kb/kb_rank.h"

#include <math.h>

static float top_of(const struct kb_scores *s, const float *v)
{
    float top = -INFINITY;

    for (unsigned c = 0; c < s->n; c++) {
        if (s->allowed[c] && v[c] > top)
            top = v[c];
    }
    return top;
}

/* sum[c] += weight · log softmax(scale · v)[c] */
static void add_log_softmax(const struct kb_scores *s, const float *v, float scale, float weight, float *sum)
{
    float top = scale * top_of(s, v), z = 0;

    for (unsigned c = 0; c < s->n; c++) {
        if (s->allowed[c])
            z += expf(scale * v[c] - top);
    }
    z = logf(z) + top;
    for (unsigned c = 0; c < s->n; c++)
        sum[c] += weight * (scale * v[c] - z);
}

void kb_rank_mix(const struct kb_tuning *t, const struct kb_scores *s, float *p)
{
    float least = t->mix_bare + (t->mix_learn - t->mix_bare) * s->titled;
    float learn = (least + t->grow_learn * logf(1 + s->asked)) * powf(s->seen, t->seen_power);
    float top, z = 0;

    memset(p, 0, s->n * sizeof *p);
    if (top_of(s, s->learn) == -INFINITY)
        return; /* nothing is allowed */
    add_log_softmax(s, s->learn, t->sharp_learn, learn, p);
    if (s->grams_full > 0)
        add_log_softmax(s, s->grams, t->sharp_grams / s->grams_full, t->mix_grams, p);
    top = top_of(s, p);
    for (unsigned c = 0; c < s->n; c++) {
        p[c] = s->allowed[c] ? expf(p[c] - top) : 0;
        z += p[c];
    }
    for (unsigned c = 0; c < s->n; c++)
        p[c] /= z;
}

unsigned kb_rank_top(const float *p, unsigned n, unsigned max, unsigned *out)
{
    unsigned got = 0;

    for (unsigned c = 0; c < n && max > 0; c++) {
        unsigned at;

        if (p[c] <= 0 || (got == max && p[c] <= p[out[got - 1]]))
            continue;
        at = got < max ? got++ : got - 1;
        for (; at > 0 && p[out[at - 1]] < p[c]; at--)
            out[at] = out[at - 1];
        out[at] = c;
    }
    return got;
}

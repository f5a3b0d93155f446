/*
 * kb_rank: the three scores of every class → one order and one probability.
 *
 *     log p(c) = a · log softmax(α s_c) + b · log softmax(β w_c / max w) + d · log softmax(γ g_c / max g), normalised
 *
 * s: learner, w: words (FTS5), g: grams; the numbers stand in kb_tuning.h. Margins are kept, which reciprocal ranks
 * throw away.
 *
 * Thread  any.   Source  KB "A design that reaches this".
 */
#ifndef KB_RANK_H
#define KB_RANK_H

#include "base/base_buf.h"
#include "kb/kb_tuning.h"

struct kb_scores {
    float *learn, *words, *grams; /* [n] of each class; kb_rank_mix() overwrites them */
    const bool *allowed;          /* [n] may be suggested */
    float words_full, grams_full; /* about what a class that has all of the question would score */
    float evidence;              /* accepts per class */
    unsigned n;
};

/* p[n] = probability of each class among the allowed ones, 0 for the others. */
void kb_rank_mix(const struct kb_tuning *t, struct kb_scores *s, float *p);
/* Writes the classes with the highest p, best first, into out; returns how many (p > 0). */
unsigned kb_rank_top(const float *p, unsigned n, unsigned max, unsigned *out);

#endif

/*
 * kb_rank: the two scores of every class → one order and one probability.
 *
 *     log p(c) = a · log softmax(α s_c) + b · log softmax(γ g_c / full), normalised
 *     a = (a₀ + a₁ · ln(1 + asked)) · seen ^ σ
 *
 * s: learner, g: grams, full: about what a class that has all of the question would score; the numbers stand
 * in kb_tuning.h. asked: how much the learner has seen of how people put things: accepts per class, and one more where
 * classes have titles or questions; sentences of a body say what is so, not what is asked,
 * so a₀ is less where there is nothing else. seen: how much of the question the learner knows; of the rest it says
 * nothing, while the index weighs what is missing too. Margins are kept, which reciprocal ranks throw away.
 *
 * Thread  any.   Source  KB "A design that reaches this".
 */
#ifndef KB_RANK_H
#define KB_RANK_H

#include "base/base_buf.h"
#include "kb/kb_tuning.h"

struct kb_scores {
    const float *learn, *grams; /* [n] of each class */
    const bool *allowed;        /* [n] may be suggested */
    float grams_full;           /* about what a class that has all of the question would score */
    float titled;               /* 0..1: share of documents that have titles or questions */
    float asked;                /* accepts per class, and one for those that have titles or questions */
    float seen;                 /* 0..1: kb_learn_score() of the question */
    unsigned n;
};

/* p[n] = probability of each class among the allowed ones, 0 for the others. */
void kb_rank_mix(const struct kb_tuning *t, const struct kb_scores *s, float *p);
/* Writes the classes with the highest p, best first, into out; returns how many (p > 0). */
unsigned kb_rank_top(const float *p, unsigned n, unsigned max, unsigned *out);

#endif

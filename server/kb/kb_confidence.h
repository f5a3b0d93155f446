/*
 * kb_confidence: how likely it is that the first suggestion is the answer.
 *
 * A question that no article answers looks like nothing that was accepted before. How well it belongs:
 *     z = s - .6 · log Σ exp s_c + g + 2.5 · seen + .75 · ln(1 + features) - .15 · none + .05 · logit p
 * s: the learner's raw score of its best class, s_c of all classes, none: of what no article answers, g: the
 * share of the question's grams that the first has, seen: the share of its tf-idf mass that was ever seen, p:
 * the mix's probability of the first. A softmax alone is sure of one class or another, whatever is asked; raw
 * scores aren't.
 *     confidence = sigmoid(b + d · (z - z̄) + e · ln(1 + accepts per article) + dismissed)
 * z̄: the mean z of this KB's accepted questions, each scored before it is learned (the last hundred or so
 * weigh; ten of z̄ = 3.75 stand for a KB that nobody taught), so that a KB is measured by what its own
 * shoppers ask. dismissed ≤ 0 falls with each rejected suggestion by what it had promised, and rises back
 * with each accepted one. b, d and e were fitted on public sets to what this program scored, see docs/kb.md:
 * whoever changes z, the mix or the learner fits them again.
 *
 * Owns    nothing.   Thread  as its caller's.
 * Source  Platt 1999 (logistic calibration); Hendrycks & Gimpel 2017, Liu et al. 2020 (scores of what is out
 * of scope).
 */
#ifndef KB_CONFIDENCE_H
#define KB_CONFIDENCE_H

#include <stdbool.h>

/* What a query's scores say, beside their order. */
struct kb_signals {
    float first;       /* p of what stands first, 0..1 */
    float learn;       /* s of the learner's best class */
    float learn_sum;   /* log Σ exp s_c */
    float none;        /* s of kb_none's class */
    float grams;       /* score of the first ÷ what a full match would have */
    float seen;        /* 0..1; three words in a row count neither here nor below */
    float evidence;    /* accepts per article */
    unsigned features; /* of the question */
};

/* What a KB's marks taught about its scores; all zero at first. */
struct kb_calibration {
    unsigned accepts; /* taken in, up to where older ones fade */
    float belongs;    /* z̄ */
    float dismissed;
};

double kb_confidence(const struct kb_calibration *c, const struct kb_signals *s);
/* An accepted question, as it was scored before it is learned; right: the first suggestion was the accepted
 * article. */
void kb_confidence_accepted(struct kb_calibration *c, const struct kb_signals *s, bool right);
/* The first suggestion was rejected. */
void kb_confidence_rejected(struct kb_calibration *c, const struct kb_signals *s);

#endif

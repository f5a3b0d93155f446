/*
 * kb_near: how much a text is like the nearest single example of each class.
 *
 *     sim(q, e) = Σ_f q_f e_f / (|q| |e|),  q_f = kind_f · (1 + ln tf) · idf_f;   out[c] = max over the examples of c
 *
 * A nearest example says what a sum of weights can't: that nothing like this was ever asked. Features that many
 * examples share are not looked at, they are slow and say little.
 *
 * Owns    its postings.   Thread  one at a time.   Source  nearest-neighbour cosine, Salton & Buckley 1988.
 */
#ifndef KB_NEAR_H
#define KB_NEAR_H

#include "kb/kb_features.h"
#include "kb/kb_tuning.h"

struct kb_near;

struct kb_near *kb_near_create(const struct kb_tuning *t, unsigned classes_n);
void kb_near_destroy(struct kb_near *n);
void kb_near_add(struct kb_near *n, const struct kb_features *f, unsigned class);
/* out[classes_n] = 0..1. */
void kb_near_score(struct kb_near *n, const struct kb_features *f, float *out);

#endif

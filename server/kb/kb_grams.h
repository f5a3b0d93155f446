/*
 * kb_grams: BM25 over hashed character grams, in memory: what spelling, inflection and unspaced scripts have in common.
 *
 *     score(c) = Σ_f kind_f · idf_f · tf (k1 + 1) / (tf + k1 (1 - b + b · length_c / average)),
 *     idf_f = ln(1 + (C - df + ½) / (df + ½)),  C the number of classes that have text
 *
 * kind_f: by its kind, less if it comes of common words, and of character grams the less the more its word has: else a long word would
 * speak many times as loud as a short one. In a query they count the less, too, the more articles have the word itself.
 *
 * Owns    its postings.   Thread  one at a time.   Source  Robertson & Zaragoza 2009; KB "Further levers" (trigrams).
 */
#ifndef KB_GRAMS_H
#define KB_GRAMS_H

#include "kb/kb_features.h"
#include "kb/kb_tuning.h"

struct kb_grams;

struct kb_grams *kb_grams_create(const struct kb_tuning *t, unsigned classes_n);
void kb_grams_destroy(struct kb_grams *g);
/* Adds the features of a piece of text to a class; weight: what one occurrence counts. */
void kb_grams_add(struct kb_grams *g, const struct kb_features *f, unsigned class, float weight);
/* out[classes_n] = score. Returns the sum of idf of all of the text's grams: the score's natural scale. */
float kb_grams_score(struct kb_grams *g, const struct kb_features *f, float *out);

#endif

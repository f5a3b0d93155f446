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

/*
 * Postings that one query visits at most, so that ten thousand articles answer within the deadline. Over it
 * features are left out (kb_cut.h), those in the most articles first; the character grams of known words
 * before all others: what they say, the word says. What is left out counts in neither score nor scale. Of 73
 * articles no question can reach it (KB_FEATURES_MAX); docs/kb.md has what it costs at ten thousand.
 */
#define KB_GRAMS_VISITS_MAX 150000

struct kb_grams;

struct kb_grams *kb_grams_create(const struct kb_tuning *t, unsigned classes_n);
void kb_grams_destroy(struct kb_grams *g);
/* Adds the features of a piece of text to a class; weight: what one occurrence counts. */
void kb_grams_add(struct kb_grams *g, const struct kb_features *f, unsigned class, float weight);
/* out[classes_n] = score. Returns the sum of idf of all of the text's grams: the score's natural scale. */
float kb_grams_score(struct kb_grams *g, const struct kb_features *f, float *out);
/* Postings that the last query visited. */
uint32_t kb_grams_visited(const struct kb_grams *g);

#endif

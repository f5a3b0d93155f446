/*
 * kb_gaps: questions that nobody could answer → groups that ask the same (知识缺口). Pure: texts in, numbers
 * out.
 *
 * Each question is a vector of tf-idf over kb_features, length 1; sim is the cosine. Groups are joined by
 * average link (UPGMA), the most similar pair first, until no two are similar enough: sim(A ∪ B, C) = (|A|
 * sim(A, C) + |B| sim(B, C)) / (|A| + |B|),   joined while sim ≥ KB_GAPS_LEAST found by chains of nearest
 * neighbours in O(n²). Average link is used since single link runs together by chains of half-similar
 * questions.
 *
 * Owns    nothing.   Bounds  KB_GAPS_MAX questions (the matrix is 4 n² bytes), KB_QUESTION_BYTES of each are
 * read. Thread  any; takes up to a second or so: on a worker. Source  Sokal & Michener 1958; Murtagh 1983
 * (nearest-neighbour chains).
 */
#ifndef KB_GAPS_H
#define KB_GAPS_H

#include "base/base_buf.h"
#include "base/base_err.h"

#define KB_GAPS_MAX   2000
#define KB_GAPS_LEAST 0.14f

/*
 * Groups the questions. group[i] becomes the number of question i's group: 0 is the largest, equal ones in
 * the order of their first question. middle[g] becomes the question most similar to the rest of group g: its
 * name. Both have room for n. The same questions in the same order give the same groups. Returns how many
 * groups there are, or ERR_FULL: over KB_GAPS_MAX.
 */
int kb_gaps_group(const struct str *questions, unsigned n, unsigned *group, unsigned *middle,
                  struct err *err);

/* The parts of it, for measurements. */
enum kb_gaps_link { KB_GAPS_AVERAGE, KB_GAPS_SINGLE };
/* n × n cosines; the caller frees them. kinds: the weight of each kind of feature (enum kb_feature_kind);
 * NULL: ours. */
float *kb_gaps_similar(const struct str *questions, unsigned n, const float *kinds);
/* Joins what is at least that similar; sim is used up. group[i] becomes the smallest member of i's group. */
void kb_gaps_join(float *sim, unsigned n, enum kb_gaps_link link, float least, unsigned *group);

#endif

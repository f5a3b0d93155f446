/*
 * kb_learn: which class a text belongs to, learned one example at a time.
 *
 * Softmax regression over hashed features, tf-idf weighted, length 1:
 *     s_c = Σ_f x_f w_fc,  p = softmax(s),  g_c = p_c - [c is right]
 * AdaGrad: G_fc += (g_c x_f)², w_fc -= rate · g_c x_f / sqrt(G_fc). Only classes with |g_c| ≥ gradient_min move, so a
 * feature keeps a short sorted list of (class, w, G), or a number a class where many have to do with it, and a step costs
 * microseconds. Features that no example tells apart share theirs. Each example is kept; after each
 * accept some old ones are gone through again (replay), so that what was learned is not forgotten. An example against a
 * class has g_c = p_c and moves no other.
 *
 * Owns    weights and examples.   Bounds  KB_EXAMPLES_MAX examples; over it a new one takes the last one's place.
 * Thread  one at a time.   Source  Duchi, Hazan, Singer 2011 (AdaGrad); KB "A design that reaches this".
 */
#ifndef KB_LEARN_H
#define KB_LEARN_H

#include "kb/kb_features.h"
#include "kb/kb_state.h"
#include "kb/kb_tuning.h"

#define KB_EXAMPLES_MAX 200000
/* Cells of weights that one score reads at most, four of a dense row as one; over it the rows of the most
 * classes are left out (kb_cut.h). */
#define KB_LEARN_VISITS_MAX 120000

struct kb_learn;

struct kb_learn *kb_learn_create(const struct kb_tuning *t, unsigned classes_n);
void kb_learn_destroy(struct kb_learn *l);
/* Keeps an example without learning it yet. |weight| is how much it counts; < 0: f does not belong to class. */
void kb_learn_add(struct kb_learn *l, const struct kb_features *f, unsigned class, float weight);
/* One step with the example added last. */
void kb_learn_step_last(struct kb_learn *l);
/* n steps with examples drawn at random. */
void kb_learn_replay(struct kb_learn *l, unsigned n);
/* Steps through all examples once, in random order. */
void kb_learn_pass(struct kb_learn *l);
/* out[classes_n] = s_c of the text. Returns how much of the text's tf-idf mass (0..1) the learner has ever
 * seen; three words in a row don't count: most are new in any question. */
float kb_learn_score(struct kb_learn *l, const struct kb_features *f, float *out);
/* Cells that the last score read. */
uint32_t kb_learn_visited(const struct kb_learn *l);
unsigned kb_learn_examples(const struct kb_learn *l);
/* Steps taken so far. */
uint64_t kb_learn_steps(const struct kb_learn *l);

/* Of all examples and features, in the order they were added in: the same before any step and after it. */
uint64_t kb_learn_digest(const struct kb_learn *l);
/* What steps made of it. */
void kb_learn_write(const struct kb_learn *l, struct kb_io *io);
/* Becomes what was written, if its examples are the same and no step was taken yet. False: it can only be destroyed. */
bool kb_learn_read(struct kb_learn *l, struct kb_io *io);

#endif

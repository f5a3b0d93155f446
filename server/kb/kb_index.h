/*
 * kb_index: the words of a question → full-text scores, through the port (FTS5's bm25, columns title, body, asked).
 *
 * Asks for the rarest words only: common ones cost time and say little. The words are quoted one by one, so nothing
 * that a shopper types is an operator.
 *
 * Owns    its full-text index and the count of documents per word.   Thread  one at a time.
 * Source  KB "A design that reaches this"; Robertson & Zaragoza 2009.
 */
#ifndef KB_INDEX_H
#define KB_INDEX_H

#include "kb/kb.h"
#include "kb/kb_tuning.h"

struct kb_index;

int kb_index_open(const struct kb_port *port, const struct kb_tuning *t, struct kb_index **out, struct err *err);
void kb_index_close(struct kb_index *x);
/* Adds document doc, or replaces it with more text than it had. */
int kb_index_put(struct kb_index *x, unsigned doc, struct str title, struct str body, struct str asked,
                 struct err *err);
/* Calls fn for each document that has one of the question's words; *full is about what one with all of them would
 * score. ERR_TIMEOUT once it took budget_us. */
int kb_index_find(struct kb_index *x, struct str question, unsigned budget_us, float *full,
                  void (*fn)(void *arg, int64_t doc, double score), void *arg, struct err *err);

#endif

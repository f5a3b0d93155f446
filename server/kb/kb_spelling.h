/*
 * kb_spelling: which of the shop's own words a word that it doesn't know may be a slip of.
 *
 * Known are the words of the articles, of the synonyms and of the accepted questions. A word of none of them, that no language
 * counts as common, is likely one with a letter missing, doubled, wrong or out of place: of the known words one such
 * step away that begin alike, the one that occurs most often is meant, perhaps. Perhaps: who uses it keeps the question's own words too
 * and counts these less. Only of scripts written in words.
 *
 * Owns    its words.   Bounds  SPELLING_WORDS_MAX words, later ones are not known; a question's first SPELLING_MENDS_MAX
 *         unknown words are looked at, as long as they are compared with no more than SPELLING_VISITS_MAX known ones.   Thread  one at a time.   Source  Damerau 1964 (four of five slips are one such step).
 */
#ifndef KB_SPELLING_H
#define KB_SPELLING_H

#include "base/base_buf.h"

#define SPELLING_WORDS_MAX 60000
#define SPELLING_MENDS_MAX 24
#define SPELLING_VISITS_MAX 8000

struct kb_spelling;

struct kb_spelling *kb_spelling_create(void);
void kb_spelling_destroy(struct kb_spelling *s);
/* The text's words are known from now on. */
void kb_spelling_learn(struct kb_spelling *s, struct str text);
/* Appends the text's words, folded, to out, those that are likely a slip as what was meant. False: there is none, and out holds nothing
 * of use. The same words learned in the same order give the same. */
bool kb_spelling_mend(const struct kb_spelling *s, struct str text, struct buf *out);

#endif

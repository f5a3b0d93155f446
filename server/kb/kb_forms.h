/*
 * kb_forms: a word without the ending that an apostrophe parts from it, and with the marks that the fold takes off.
 *
 *   Ankara'nın → ankara, shop's → shop     names take endings so in Turkish, and others; can't, dell'arte, пам'ять stay whole
 *   trả, trà, tra                          Vietnamese: the fold makes one of what are as many words
 *
 * The writing tells, no list of languages.
 *
 * Owns    nothing.   Thread  any.   Source  general grammars of Turkish, English, Italian, Vietnamese; no question set.
 */
#ifndef KB_FORMS_H
#define KB_FORMS_H

#include "kb/kb_words.h"

/* A word as kb_words() emitted it, at written in its text, unstemmed: the word, or, in out, what stands before the ending. */
struct str kb_forms_cut(struct str word, struct str written, char out[KB_WORD_BYTES]);

/* Whether a text has letters or marks that only Vietnamese has. */
bool kb_forms_has_tones(struct str text);
/* A word, as it was written, in lower case with its marks apart; returns its length. */
size_t kb_forms_marked(struct str written, char out[KB_WORD_BYTES]);

#endif

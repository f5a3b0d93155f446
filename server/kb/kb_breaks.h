/*
 * kb_breaks: the words of what is written without spaces and whose characters are letters: Thai, Lao, Khmer,
 * Burmese.
 *
 * By ICU's dictionaries. A word that they don't hold comes in pieces, so these are features beside grams,
 * never the only ones; the transcripts' index does without (kb_words).
 *
 * Thread  any.   Source  UAX 29; ICU "Dictionary-Based BreakIterator".
 */
#ifndef KB_BREAKS_H
#define KB_BREAKS_H

#include "base/base_buf.h"

/* Calls fn with each such word of text, folded (kb_fold); it is only valid during the call. Bounds:
 * KB_WORD_BYTES a word. */
void kb_breaks(struct str text, void (*fn)(void *ctx, struct str word), void *ctx);

#endif

/*
 * kb_words: text → the words it is found by, in any language. One tokenizer for articles, questions and transcripts.
 *
 * Words written with spaces around them are folded (kb_fold) and lightly stemmed. Runs of Han, kana and hangul become
 * single characters and bigrams, runs of Thai, Lao, Khmer and Burmese trigrams too. Apostrophes vanish (can't → cant),
 * everything else separates. Bytes that are no UTF-8 separate.
 *
 * Places  one word or one gram character is one place. All grams that begin at a character stand at its place, the
 *         shortest first; those after the first carry KB_WORD_SAME_PLACE. So a phrase of a query's longest grams (in
 *         KB_WORDS_QUERY mode nothing else is emitted) is an exact substring search.
 * Bounds  a word is at most KB_WORD_BYTES long, what is over is dropped from it; no memory is taken.
 * Units   start and end are byte offsets into text.   Thread  any.
 */
#ifndef KB_WORDS_H
#define KB_WORDS_H

#include "base/base_buf.h"

#define KB_WORD_BYTES 96

/* How to take a text apart. */
enum {
    KB_WORDS_QUERY = 1, /* of each run of grams only the longest ones, enough to find the run as a phrase */
    KB_WORDS_WHOLE = 2, /* words are not stemmed */
    KB_WORDS_DIGITS = 4 /* digits of any script are those of ASCII, and make words */
};

/* What an emitted word is. */
enum {
    KB_WORD_SAME_PLACE = 1, /* stands where the one before stands */
    KB_WORD_GRAM1 = 2,      /* a single character of a run */
    KB_WORD_GRAM2 = 4,
    KB_WORD_GRAM3 = 8
};
#define KB_WORD_GRAM (KB_WORD_GRAM1 | KB_WORD_GRAM2 | KB_WORD_GRAM3)

/*
 * Calls emit for each word of text, in order. token is only valid during the call. A non-zero answer of emit ends the
 * walk and is returned; else 0.
 */
int kb_words(struct str text, unsigned flags,
             int (*emit)(void *ctx, struct str token, size_t start, size_t end, unsigned flags), void *ctx);

/*
 * Writes an FTS5 MATCH expression for text into out: all of its words must be there, a run of grams as a phrase; the
 * words are quoted, so that nothing in text is an operator. At most 32 words. Returns how many words went in (0: out
 * is left as it was, there is nothing to search for).
 */
unsigned kb_words_match(struct str text, struct buf *out);

/* Light English stem of a folded word, in place: plural, -ing, -ed, final e. Returns the new length. */
size_t kb_words_stem(char *word, size_t n);

#endif

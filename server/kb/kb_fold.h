/*
 * kb_fold: one character → the characters it is searched as.
 *
 * NFKD (full-width forms, ligatures, accents apart), simple case fold, then: combining marks of Latin, Greek and
 * Cyrillic letters are dropped, those of other scripts composed again where they compose; Latin letters that only
 * look composed (ø, đ, ł, ß, æ) become their plain letters; Arabic vowel signs and the tatweel go; traditional
 * Chinese characters become simplified ones, one by one.
 *
 * Owns    tables made once, at the first call, for the life of the process.   Thread  any.
 * Source  UAX 15, UAX 44 (ICU 72); ICU's "Traditional-Simplified" transform.
 */
#ifndef KB_FOLD_H
#define KB_FOLD_H

#include <stdint.h>

enum kb_fold_kind {
    KB_FOLD_BREAK, /* ends a word */
    KB_FOLD_SKIP,  /* as if it weren't there: apostrophes, zero-width characters, dropped marks */
    KB_FOLD_WORD,  /* part of a word written with spaces around it */
    KB_FOLD_GRAM2, /* Han, kana, hangul: single characters and bigrams */
    KB_FOLD_GRAM3  /* Thai, Lao, Khmer, Burmese: trigrams too */
};

/* The most characters that one becomes. */
#define KB_FOLD_MAX 20

struct kb_folded {
    unsigned n;                    /* how many of out and kind are set */
    int32_t out[KB_FOLD_MAX];      /* code points */
    uint8_t kind[KB_FOLD_MAX];     /* enum kb_fold_kind of each */
};

/* What a letter or digit of ASCII is searched as; all else: 0. */
static inline char kb_fold_ascii(char c)
{
    if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
        return c;
    return c >= 'A' && c <= 'Z' ? (char)(c + 32) : 0;
}
/* Folds code point c (any value; < 0 is a break). */
void kb_fold(int32_t c, struct kb_folded *out);
/* A followed by the mark or jamo b as one character, or < 0 if there is none. Only for scripts whose marks are kept. */
int32_t kb_fold_compose(int32_t a, int32_t b);
/* What ICU (a UErrorCode) said of what must not fail: if it did, a line on stderr says why, and the process ends by abort. */
void kb_fold_must(int status);

#endif

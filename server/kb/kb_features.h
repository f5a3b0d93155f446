/*
 * kb_features: a text as a bag of hashed features, which the learner and the gram index work on.
 *
 * Of words, without what an apostrophe parts from them (kb_forms): the stem, the first five letters, two and three neighbouring stems, pairs of words a few places apart, character
 * 3- to 5-grams within "<word>"; of Vietnamese the word with its marks, and two such in a row. Of runs without spaces: characters, bigrams, trigrams; where characters are letters (Thai, Lao, Khmer,
 * Burmese) trigrams, fours, and dictionary words with their character grams (kb_breaks). Of both: the senses of its words (kb_synonyms), and any two of
 * them. Numbers are the same in any script's digits. Each is a 32-bit hash, counted; what kind it is decides its weight elsewhere. Those of what a text may have been meant as (kb_spelling) are
 * marked.
 *
 * Bounds  KB_FEATURES_MAX different ones; further ones of a longer text are dropped.
 * Thread  any, one at a time per object.   Source  Weinberger et al. 2009 (hashing).
 */
#ifndef KB_FEATURES_H
#define KB_FEATURES_H

#include "base/base_buf.h"

#define KB_FEATURES_MAX 2048

enum kb_feature_kind { KB_F_WORD, KB_F_PAIR, KB_F_CHARS, KB_F_GRAM1, KB_F_GRAM2, KB_F_GRAM3, KB_F_SENSE, KB_F_SKIP, KB_F_SENSES, KB_F_TRIPLE, KB_F_PREFIX, KB_F_MARKED, KB_F_MARKS, KB_F_N };

struct kb_feature {
    uint32_t hash;
    uint16_t kind;   /* enum kb_feature_kind */
    uint16_t tf;     /* how often it occurs in the text */
    uint8_t common;  /* it comes from words that say little (kb_common) */
    uint8_t mended;  /* it comes only from what may have been meant (kb_spelling) */
    uint16_t among;  /* of character grams: how many its word has; others: 0 */
    uint16_t word;   /* of character grams: 1 + where in v its word stands; others: 0 */
};

struct kb_features {
    struct kb_feature v[KB_FEATURES_MAX];
    unsigned n;
    unsigned said; /* the first so many stay as they are; what is added is mended; 0: nothing was mended */
    uint16_t slots[2 * KB_FEATURES_MAX]; /* 0: free, else index into v plus 1 */
};

void kb_features_reset(struct kb_features *f);
/* Adds the features of text; synonyms may be NULL. */
struct kb_synonyms;
void kb_features_add(struct kb_features *f, const struct kb_synonyms *synonyms, struct str text);

/* Adds those of the text as mended that it doesn't have yet. */
void kb_features_add_mended(struct kb_features *f, const struct kb_synonyms *synonyms, struct str mended);

/* Murmur-like 32-bit hash; seed tells uses apart. */
uint32_t kb_hash(uint32_t seed, const void *p, size_t n);

#endif

/*
 * kb_lang: which language a text is written in, as far as its script tells, and how well a version fits.
 *
 * Thread  any.
 */
#ifndef KB_LANG_H
#define KB_LANG_H

#include "base/base_buf.h"

/* The different languages of many versions, and how well each serves who asks now. */
struct kb_langs {
    struct str *tags; /* borrowed */
    uint8_t *fit;     /* kb_lang_match() of each, as last wanted */
    unsigned n, cap;
};

/* "zh", "ja", "ko", "th", "ru", "el", "ar", "he", "hi", or "en" for Latin letters and for nothing at all. */
struct str kb_lang_of(struct str text);
/* How well a version in language have serves who wants want: 3 the same, 2 the same language, 1 English, 0 another. */
int kb_lang_match(struct str want, struct str have);

void kb_langs_fini(struct kb_langs *l);
/* Where the language stands; new ones are added. tag must outlive l. At most 65,536 different ones. */
uint16_t kb_langs_put(struct kb_langs *l, struct str tag);
/* From now on fit[] is for who wants want. */
void kb_langs_want(struct kb_langs *l, struct str want);

#endif

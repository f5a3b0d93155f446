/*
 * kb_lang: which language a text is written in, as far as its script tells, and how well a version fits.
 *
 * Thread  any.
 */
#ifndef KB_LANG_H
#define KB_LANG_H

#include "base/base_buf.h"

/* "zh", "ja", "ko", "th", "ru", "el", "ar", "he", "hi", or "en" for Latin letters and for nothing at all. */
struct str kb_lang_of(struct str text);
/* How well a version in language have serves who wants want: 3 the same, 2 the same language, 1 English, 0 another. */
int kb_lang_match(struct str want, struct str have);

#endif

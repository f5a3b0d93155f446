/*
 * care_texts: what the machine says to a shopper, in the shopper's language. Pure.
 *
 * Source  MISSION 3, UX 8: every string a person sees exists in zh-CN and en.   Owns  nothing: the texts are the program's.
 */
#ifndef CARE_TEXTS_H
#define CARE_TEXTS_H

#include "base/base_buf.h"

enum care_text { CARE_TEXT_WATER, CARE_TEXT_EXPLAIN, CARE_TEXT_N };

/* locale "zh…" gives Chinese, all else English. */
struct str care_text(enum care_text which, struct str locale);

#endif

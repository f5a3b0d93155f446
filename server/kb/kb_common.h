/*
 * kb_common: words that say little in any question: articles, pronouns, auxiliaries, particles, courtesies.
 *
 * A small knowledge base can't tell them by counting: a particle that one answer happens to use looks rare. Question
 * words that carry an intent (when, where, how long, 多久, 哪里) are not among them.
 *
 * Thread  any. Source  general grammars of English and Chinese; no question set.
 */
#ifndef KB_COMMON_H
#define KB_COMMON_H

#include "base/base_buf.h"

/* True for a folded, unstemmed word, or a gram of one or two characters. */
bool kb_common_is(struct str word);

#endif

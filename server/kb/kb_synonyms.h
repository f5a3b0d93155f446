/*
 * kb_synonyms: groups of words and phrases that mean much the same, from an editable file.
 *
 *     # a comment
 *     refund, money back, reimburse
 *     退款，退钱
 *
 * A text that has a member of a group has the group's sense; a word may be in several groups. Phrases are compared by
 * stems and single characters, so neither plural nor traditional characters need lines of their own.
 *
 * Owns    its table.   Bounds  SYNONYMS_MAX members, PHRASE_MAX words or characters each; what is over is left out.
 * Thread  any, once made.
 */
#ifndef KB_SYNONYMS_H
#define KB_SYNONYMS_H

#include "base/base_buf.h"

struct kb_synonyms;

/* Bytes of what parts two members at the beginning of s: `,` and what stands on the same key where Chinese is written; 0: none does. */
size_t kb_synonyms_comma(struct str s);
/* Calls fn with each member of the groups in the file's text, and the number of its group. */
void kb_synonyms_each(struct str text, void (*fn)(void *ctx, struct str phrase, uint32_t group), void *ctx);
/* Reads the file's text; nothing in it is an error. NULL if it has no group. */
struct kb_synonyms *kb_synonyms_create(struct str text);
void kb_synonyms_destroy(struct kb_synonyms *s);
/* Calls fn with the number of each group that text has a member of (the longest members; a group may come twice). */
void kb_synonyms_find(const struct kb_synonyms *s, struct str text, void (*fn)(void *ctx, uint32_t group), void *ctx);

#endif

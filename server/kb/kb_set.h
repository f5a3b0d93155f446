/*
 * kb_set: one generation of what is derived from articles and marks: full-text rows, grams, weights.
 *
 *   document   one version of an article; a row of the full-text index
 *   class      one id, all its versions; what is ranked and learned
 *
 * Owns    references to its articles, the index, grams and weights.   Thread  one at a time (kb.c locks).
 */
#ifndef KB_SET_H
#define KB_SET_H

#include "kb/kb.h"
#include "kb/kb_tuning.h"

struct kb_set;

/* Builds from articles (each is referenced). synonyms: text of synonyms.txt, or absent. No mark is learned yet. */
int kb_set_create(const struct kb_port *port, const struct kb_tuning *t, struct kb_article **articles, unsigned n,
                  struct str synonyms, struct kb_set **out, struct err *err);
void kb_set_destroy(struct kb_set *s);

bool kb_set_has(const struct kb_set *s, struct str id);
unsigned kb_set_ids(const struct kb_set *s);
unsigned kb_set_versions(const struct kb_set *s);

/* Takes a mark in: its first step is taken at once. ERR_NOT_FOUND if there is no such article. */
int kb_set_mark(struct kb_set *s, const struct kb_mark *m, struct err *err);
/* One of the steps through old examples that are due after a mark; false if there is nothing to go through. */
bool kb_set_replay(struct kb_set *s);
/* All of them at once, after many marks were taken in (a rebuild). */
void kb_set_settle(struct kb_set *s, unsigned marks);

/* As kb_suggest(). */
int kb_set_suggest(struct kb_set *s, struct str question, const struct kb_filter *filter, unsigned max,
                   struct kb_hit out[], struct err *err);
int kb_set_find(struct kb_set *s, struct str id, struct str lang, struct kb_hit *out);

#endif

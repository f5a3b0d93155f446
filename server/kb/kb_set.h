/*
 * kb_set: one generation of what is derived from articles and marks: grams and weights.
 *
 *   document   one version of an article
 *   class      one id, all its versions; what is ranked and learned
 *
 * Owns    references to its articles, grams and weights.   Thread  one at a time (kb.c locks).
 */
#ifndef KB_SET_H
#define KB_SET_H

#include "kb/kb.h"
#include "kb/kb_state.h"
#include "kb/kb_tuning.h"

struct kb_set;

/* Builds from articles (each is referenced). synonyms: text of synonyms.txt, or absent. Nothing is learned yet: kb_set_learn() or
 * kb_set_read(). */
struct kb_set *kb_set_create(const struct kb_tuning *t, struct kb_article **articles, unsigned n, struct str synonyms);
void kb_set_destroy(struct kb_set *s);
/* Learns the articles. Before the first mark. */
void kb_set_learn(struct kb_set *s);

bool kb_set_has(const struct kb_set *s, struct str id);
unsigned kb_set_ids(const struct kb_set *s);
unsigned kb_set_versions(const struct kb_set *s);

/*
 * Takes a mark in: its first step is taken at once. Returns how many steps through old examples are due then (kb_set_replay),
 * 0 if it only answers its own words (kb_marks.h), ERR_NOT_FOUND if there is no such article.
 * The same articles, marks and replays in the same order give the same set, to the bit.
 */
int kb_set_mark(struct kb_set *s, const struct kb_mark *m, struct err *err);
/* True if this very mark was taken in. */
bool kb_set_knows(const struct kb_set *s, const struct kb_mark *m);
/* One of the steps through old examples that are due after a mark. */
void kb_set_replay(struct kb_set *s);

/*
 * What was learned comes back without a step (kb_state.h): kb_set_create(), kb_set_note() for each mark in order, kb_set_read().
 */
/* Takes a mark in as kb_set_mark() does, but for what it teaches. */
void kb_set_note(struct kb_set *s, const struct kb_mark *m);
/* What a state of it, as it stands, begins with. Marks on articles that it doesn't have count nowhere. */
void kb_set_head(const struct kb_set *s, struct kb_state_head *out);
void kb_set_write(const struct kb_set *s, struct kb_io *io);
/* False: it can only be destroyed. */
bool kb_set_read(struct kb_set *s, struct kb_io *io);
/* Steps taken so far, by this process or before it. */
uint64_t kb_set_steps(const struct kb_set *s);

/* As kb_suggest(). */
unsigned kb_set_suggest(struct kb_set *s, struct str question, const struct kb_filter *filter, unsigned max,
                        struct kb_hit out[]);
int kb_set_find(struct kb_set *s, struct str id, struct str lang, struct kb_hit *out);

#endif

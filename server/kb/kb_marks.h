/*
 * kb_marks: which marks a set has taken in, whose they were, and what was accepted for the very same words.
 *
 * Bounds on what one person can teach: a mark counts once for each (person, article, question), and at most
 * KB_PERSON_MARKS times for each (person, article). One that doesn't count moves no weight, not even by
 * replay; it still answers its own words, and those alone.
 *
 * Owns    its tables.   Thread  one at a time.
 */
#ifndef KB_MARKS_H
#define KB_MARKS_H

#include "kb/kb.h"
#include "kb/kb_rows.h"

#define KB_CLASS_NONE UINT32_MAX

struct kb_marks {
    struct kb_rows taken;   /* hash of each mark */
    struct kb_rows lessons; /* hash of (who, class, question) */
    struct kb_rows persons; /* hash of (who, class) → how many */
    struct kb_rows exact;   /* hash of a whole question → the class accepted last, or KB_CLASS_NONE */
    uint32_t *counts, counts_cap;
    uint32_t *classes, classes_cap;
};

void kb_marks_init(struct kb_marks *m);
void kb_marks_fini(struct kb_marks *m);

/* Remembers the mark as taken in; whether it was. */
void kb_marks_take(struct kb_marks *m, const struct kb_mark *mark);
bool kb_marks_has(const struct kb_marks *m, const struct kb_mark *mark);
/* True if the person may still teach this class with this question; counts it. */
bool kb_marks_count(struct kb_marks *m, struct str who, uint32_t class, uint32_t question);

/* What was accepted for exactly this question: the newest mark wins, and only takes back its own class. */
void kb_marks_accept(struct kb_marks *m, uint32_t question, uint32_t class);
void kb_marks_reject(struct kb_marks *m, uint32_t question, uint32_t class);
uint32_t kb_marks_accepted(const struct kb_marks *m, uint32_t question);

#endif

/*
 * scorecard: what a review judges a chat by, and how its score is made (MISSION 7).
 *
 * A mark is 0 to 5, or "not applicable". The score is the weighted mean of the marks given, as 0 to 100 with
 * one decimal; a criterion that fails automatically and is marked 0 makes it 0. Pure.   Thread  any.
 */
#ifndef HTTP_SCORECARD_H
#define HTTP_SCORECARD_H

#include "base/base_buf.h"

#define MARK_MAX 5
#define MARK_NA  (-1)

struct criterion {
    const char *id;
    const char *title_en, *title_zh;
    const char *help_en, *help_zh;
    unsigned weight;
    bool auto_fail;
};

struct scorecard {
    const char *id;
    int version; /* grows with every change of its criteria */
    const char *title_en, *title_zh;
    unsigned criteria_n;
    struct criterion criteria[12];
};

/* NULL if there is none of that id. */
const struct scorecard *scorecard_find(struct str id);
/* Index of a criterion, -1: none. */
int scorecard_criterion(const struct scorecard *card, struct str id);
/* All scorecards as a JSON list. */
void scorecard_write_all(struct buf *b);

struct score {
    bool is_known; /* false: nothing that has a weight was marked */
    bool failed;   /* by a criterion that fails automatically */
    int tenths;    /* 0 to 1000 */
};
/* marks: one for each criterion, 0 to MARK_MAX or MARK_NA. */
struct score scorecard_score(const struct scorecard *card, const int *marks);

#endif

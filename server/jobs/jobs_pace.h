/*
 * jobs_pace: when the jobs look, how much they take at once, what may leave Redis. Functions of what they are given: no I/O, no clock.
 *
 * Units   milliseconds of one local clock, entries.   Thread  any.   Source  DESIGN 1, PROMISES 2.7.
 */
#ifndef JOBS_PACE_H
#define JOBS_PACE_H

#include "base/base_buf.h"

struct link_extent;

#define JOBS_FEED_LOGS 200 /* logs that a round of the feed looks at, at most */

/* When the feed looks next. */
struct jobs_pace {
    int64_t looked_at_ms; /* its last look */
    int64_t retry_at_ms;  /* that one failed: not before this */
    bool at_once;         /* that one left something */
    bool kicked;          /* something was committed since */
};
bool jobs_feed_is_due(const struct jobs_pace *p, int64_t now_ms);

/* Entries of one log in one read, where so many logs (at least one) share a round. */
int64_t jobs_feed_rows(size_t logs_n);

/*
 * How many logs a round reads at once (Redis answers them in one go, and messages wait behind that), and whether it reads the next ones now:
 * read_ms is when the last ones had come. It rests a little in between, for messages, unless the round before it left something;
 * a quarter of a second after its beginning at the latest it reads all that is left.
 */
unsigned jobs_feed_reads(bool is_late);
bool jobs_feed_reads_on(bool is_late, int64_t began_ms, int64_t read_ms, int64_t now_ms);

/*
 * True if a round is written slower, with breaks for the others: nothing waits behind it, or it takes half as much again as came since
 * the last one (came < 0: another life of the data). So what waits gets less all the time, or is written as fast as it can be.
 */
bool jobs_feed_may_be_calm(bool leaves_some, int64_t came, int64_t rows);

bool jobs_free_is_due(int64_t looked_at_ms, int64_t now_ms);

/* What the archive said of a log. */
enum jobs_archived { ARCHIVED_NOT_ASKED, ARCHIVED_UNKNOWN, ARCHIVED_NOT, ARCHIVED_WHOLE };

/* What is done next with a chat whose time to leave Redis has come. */
enum jobs_free_step {
    FREE_FORGET,  /* there is nothing of it: only its place in the index goes */
    FREE_ASK,     /* the archive */
    FREE_GO,      /* it goes, if length and fence still stand */
    FREE_PUT_OFF, /* it stays for now */
};
/* e: what Redis has of it; NULL: it didn't say. */
enum jobs_free_step jobs_free_next(const struct link_extent *e, enum jobs_archived archived);

#endif

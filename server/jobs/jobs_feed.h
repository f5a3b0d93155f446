/*
 * jobs_feed: carries committed entries from Redis to the archive, in order, behind a cursor on the site's commit counter.
 *
 * One feed a site, on the node that holds the archive. Idempotent: whatever is given twice is archived once.
 * Thread  loop.   Errors  the archive's are shown by feed_lag and tried again; nothing is dropped.
 * Source  DESIGN 1, 2, PROMISES 2.7.
 */
#ifndef JOBS_FEED_H
#define JOBS_FEED_H

#include "archive/archive.h"
#include "link/link.h"

struct jobs_feed;

struct jobs_feed *jobs_feed_create(struct link *link, struct archive *archive);
void jobs_feed_destroy(struct jobs_feed *f);
/* Something was committed: look soon. */
void jobs_feed_kick(struct jobs_feed *f);
/* Every ~100 ms; now by the local clock. */
void jobs_feed_tick(struct jobs_feed *f, int64_t now_ms);
/* Each turn of the loop, cheap: a round that rests between two reads goes on when it is time. */
void jobs_feed_turn(struct jobs_feed *f, int64_t now_ms);
/* True if all that was committed when this was last looked at is archived and nothing is under way. */
bool jobs_feed_is_idle(const struct jobs_feed *f);
/* Commits behind, as last seen: 0 if all that the last round looked at is archived. While a backlog is worked off it is an
 * estimate, of what was committed since the last such round less the entries archived since (a commit has one or a few). */
int64_t jobs_feed_lag(const struct jobs_feed *f);
/* Why it stands still, or "". */
const char *jobs_feed_why(const struct jobs_feed *f);
/* The archive's error behind it (ERR_FULL: its disk), 0 if it isn't the archive's. */
int jobs_feed_rc(const struct jobs_feed *f);
/* Redis was lost and is back: what was under way is forgotten and read again. */
void jobs_feed_reset(struct jobs_feed *f);

#endif

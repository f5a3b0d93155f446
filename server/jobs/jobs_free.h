/*
 * jobs_free: takes chats out of Redis that ended long ago and are archived whole; their logs, heads and ids
 * go together.
 *
 * So do tasks that are done. Which ones are due says the index (`ended`: chat_index.free_ms, task_end_writes()).
 * One that can't go yet (an entry waits for the archive or is in quarantine, or somebody wrote meanwhile) is set
 * back and blocks nobody.
 *
 * One a site, on the node that holds the archive, beside the feed.
 * Bounds  50 chats at a time, a look a second.   Thread  loop.   Source  DESIGN 1, PROMISES 2.7.
 */
#ifndef JOBS_FREE_H
#define JOBS_FREE_H

#include "archive/archive.h"
#include "link/link.h"

struct jobs_free;

/* on_freed: this chat isn't in Redis any more. */
struct jobs_free *jobs_free_create(struct link *link, struct archive *archive,
                                   void (*on_freed)(void *ctx, struct str chat), void *ctx);
void jobs_free_destroy(struct jobs_free *f);
/* Every ~100 ms; now by the local clock. */
void jobs_free_tick(struct jobs_free *f, int64_t now_ms);
/* Chats that were freed, and how often one could not be. */
uint64_t jobs_free_done(const struct jobs_free *f);
uint64_t jobs_free_put_off(const struct jobs_free *f);

#endif

/*
 * archive_store: the writing side of the archive's file: batches in, one transaction each.
 *
 * The lock beside the file (<archive>.lock) is held from open to close. A batch is written whole or not at
 * all; after any error nothing of it stands and it can be given again.
 *
 * Owns    the lock, the connection, the seal, a bounded memory of the logs that were written lately.
 * Thread  opened on one, then used by one other until it is closed.   Errors  those of archive_db.h.
 */
#ifndef ARCHIVE_STORE_H
#define ARCHIVE_STORE_H

#include "archive/archive_batch.h"
#include "archive/archive_chain.h"

struct archive_store;

/* What the last commit reached. */
struct archive_reached {
    char epoch[32];
    int64_t counter; /* the cursor: all logs are here as they stood then */
    int64_t seen;    /* nothing here is younger than that: at least the cursor */
    int64_t rows;
    int64_t quarantined, quarantined_at_ms; /* entries in quarantine; when the newest was refused, 0: none */
    unsigned char head[ARCHIVE_HASH];
};

int archive_store_open(const char *path, const char *site, const char *node, struct archive_store **out,
                       struct err *err);
void archive_store_close(struct archive_store *s);
const char *archive_store_id(const struct archive_store *s);
void archive_store_reached(const struct archive_store *s, struct archive_reached *out);

/* Fills *r. */
void archive_store_write(struct archive_store *s, const struct archive_batch *b, struct archive_result *r);
/* Adds an entry to one of the archive's own logs, '@reviews' (q: chat, by, ref, body; ERR_NOT_FOUND: no such chat,
 * ERR_EXISTS: the reference is another review's) or '@audit'; out: its JSON. */
int archive_store_add_review(struct archive_store *s, const struct archive_query *q, struct buf *out, struct err *err);
int archive_store_add_audit(struct archive_store *s, struct str by, struct str body, struct buf *out,
                            struct err *err);
/* Moves the WAL into the file where there is much of it (quiet: any), syncs the heads; quiet: wipes what erased texts left. */
bool archive_store_is_untidy(const struct archive_store *s);
void archive_store_tidy(struct archive_store *s, bool quiet);

#endif

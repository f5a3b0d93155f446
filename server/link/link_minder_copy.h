/*
 * minder_copy: the live data of one moment, for `firstline backup`; and the beginning of its next life, for `firstline restore`.
 *
 *   minder_copy_still()  no write is carried out any more (reads are), for STILL_MS at most, also if this process dies
 *   minder_copy_take()   the append-only files as they stand then are held open, writes go on
 *
 * What is held stays what it was: files only grow behind the sizes noted, and one that a rewrite deletes is there while it is open. So no
 * setting of the server is touched, and nothing is left behind by a backup that was killed.
 *
 * Thread  any one, blocking; between minder_sync_begin() and _end().   Errors  a sentence.
 */
#ifndef LINK_MINDER_COPY_H
#define LINK_MINDER_COPY_H

#include "base/base_crypto.h"
#include "base/base_err.h"

#include <stdbool.h>
#include <stdint.h>

#include <sys/types.h>

#define MINDER_COPY_MAX 64

struct redis_sync;

struct minder_copy {
    struct redis_sync *redis; /* that holds writes back; NULL: they go on */
    int64_t since_ms;         /* monotonic */
    struct {
        char name[100];
        char line[160];       /* of the manifest, that lists it */
        int fd;
        off_t size;           /* of the moment */
    } file[MINDER_COPY_MAX];  /* in the order in which they are read */
    unsigned n;
};

/* c: all zero. */
int minder_copy_still(struct minder_copy *c, const char *url, struct err *err);
/* ERR_TIMEOUT: the moment was over before; nothing is held. */
int minder_copy_take(struct minder_copy *c, const char *data_dir, struct err *err);
/* In any case: writes go on, files are let go of. */
void minder_copy_close(struct minder_copy *c);

/* Locks the data directory (made if absent) for who puts data there; *fd is the caller's. ERR_BUSY: a redis-server runs on it. */
int minder_copy_lock(const char *data_dir, int *fd, struct err *err);
/*
 * A new epoch (PROMISES 2.9) as the last command of the data that `manifest` lists and `dir` has: a start can't see the data without it.
 */
int minder_copy_new_life(const char *manifest, const char *dir, const char *site, char epoch[ID_SIZE], struct err *err);

#endif

/*
 * minder_aof: what is wrong with an append-only file that Redis refuses.
 *
 * Redis itself takes any end that comes too soon for a torn tail and cuts there, also when one broken length in the middle
 * swallows everything behind it; and its cut may leave half a transaction (redis/src/aof.c of 7.0: valid_up_to moves on inside a MULTI),
 * which the next but one start would carry out. So it runs with aof-load-truncated no, and a tail that was judged here is cut by us.
 *
 * Thread  any; reads the whole file: not on the loop.
 */
#ifndef LINK_MINDER_AOF_H
#define LINK_MINDER_AOF_H

#include "base/base_err.h"

#include <stdbool.h>

#include <sys/types.h>

enum aof_state {
    AOF_WHOLE,  /* commands to the end */
    AOF_TORN,   /* ends inside its last command or transaction: that was never acknowledged */
    AOF_ZEROS,  /* nothing but zeros where a command should go on: a tail that a power cut left unwritten */
    AOF_BROKEN, /* damaged with commands behind it */
};

/* *good: bytes up to the end of the last whole command outside a transaction, or of the last whole transaction. ERR_IO: can't be read. */
int aof_judge(const char *path, enum aof_state *state, off_t *good, struct err *err);
/* True if dir (appendonlydir) has data files but not the manifest that lists them: Redis would start empty on it. */
bool aof_lost_manifest(const char *dir);
/* True if nothing was written behind this file (a path in appendonlydir): the manifest names no other one after it. */
bool aof_is_last(const char *path);

#endif

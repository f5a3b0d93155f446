/*
 * archive_batch: what a batch of rows holds; the calls that fill one stand in archive.h.
 *
 * Thread  one at a time.
 */
#ifndef ARCHIVE_BATCH_H
#define ARCHIVE_BATCH_H

#include "archive/archive.h"

#include "base/base_arena.h"

struct archive_batch {
    struct archive_row **rows; /* each in one piece of memory with its bytes, in the arena */
    struct arena bytes;
    size_t n, cap;
    bool has_cursor, is_calm;
    char epoch[32]; /* empty: neither cursor nor seen */
    int64_t counter, seen;
};

#endif

/*
 * arena: memory that is taken piece by piece and given back all at once.
 *
 * For what is made together and ends together: the parts of one answer, the rows of one batch. A piece costs an addition.
 *
 * Owns    its blocks; arena_fini() frees them.
 * Thread  one at a time.
 * Errors  none: no memory aborts, as mem_alloc(). Under the address sanitizer each piece is a block of its own and none is kept.
 */
#ifndef BASE_ARENA_H
#define BASE_ARENA_H

#include "base/base_buf.h"

#define ARENA_BLOCK_BYTES 16384 /* of a block for small pieces; a piece of more than a quarter of it has one of its own */

struct arena {
    struct arena_block *blocks; /* the one that pieces are taken from comes first; NULL: none yet */
    size_t used, size;          /* of that one */
    size_t bytes;               /* of all blocks */
};

/* n bytes, aligned for anything, not zeroed; they stand until arena_reset() or arena_fini(). {0} is an empty arena. */
void *arena_take(struct arena *a, size_t n);
/* Gives all pieces back; one small block is kept for the next ones. */
void arena_reset(struct arena *a);
void arena_fini(struct arena *a);

#endif

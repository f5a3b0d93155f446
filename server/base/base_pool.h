/*
 * pool: memory of one size that is taken and given back all the time.
 *
 * For what is made and freed with every message and is larger than the allocator's own caches take (about 1 KB).
 *
 * Owns    what was given back, at most `max` pieces; pool_fini() frees these.
 * Thread  whoever owns the pool, one at a time.
 * Errors  none: no memory aborts, as mem_alloc(). Under the address sanitizer nothing is kept, so that it sees a use after the end.
 */
#ifndef BASE_POOL_H
#define BASE_POOL_H

#include "base/base_buf.h"

struct pool {
    size_t size;    /* bytes of a piece, at least a pointer's */
    unsigned n, max;
    void *first;    /* each begins with the pointer to the next */
};

void pool_init(struct pool *p, size_t size, unsigned max);
void pool_fini(struct pool *p);
/* A piece, all zero. */
void *pool_take(struct pool *p);
/* What the kept pieces take. */
static inline size_t pool_bytes(const struct pool *p)
{
    return p->n * p->size;
}
/* Takes the piece back; NULL is nothing. */
void pool_give(struct pool *p, void *piece);

#endif

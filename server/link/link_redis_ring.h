/*
 * redis_ring: who waits for an answer, in the order of the commands: Redis answers first in, first out.
 *
 * Owns    its slots, a power of two that doubles.   Bounds  the owner's.
 */
#ifndef LINK_REDIS_RING_H
#define LINK_REDIS_RING_H

#include <stdint.h>

struct redis_reply;

struct redis_wait {
    void (*cb)(void *ctx, const struct redis_reply *reply);
    void *ctx;
    uint64_t due_ms; /* the loop's clock */
};

struct redis_ring {
    struct redis_wait *slots;
    unsigned cap, head, n;
    uint64_t due_ms; /* with n > 0: no deadline lies before it */
};

void redis_ring_push(struct redis_ring *q, struct redis_wait w);
/* n > 0. */
struct redis_wait redis_ring_pop(struct redis_ring *q);
/* Sets due_ms to the earliest deadline there is (UINT64_MAX without any); walks all: only where due_ms has passed. */
void redis_ring_find_due(struct redis_ring *q);
void redis_ring_fini(struct redis_ring *q);

#endif

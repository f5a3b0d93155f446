#include "link/link_redis_ring.h"

#include "base/base_buf.h"

#include <stdlib.h>

static void grow(struct redis_ring *q)
{
    unsigned cap = q->cap ? q->cap * 2 : 64;
    struct redis_wait *slots = mem_alloc(cap * sizeof *slots);

    for (unsigned i = 0; i < q->n; i++)
        slots[i] = q->slots[(q->head + i) & (q->cap - 1)];
    free(q->slots);
    q->slots = slots;
    q->cap = cap;
    q->head = 0;
}

void redis_ring_push(struct redis_ring *q, struct redis_wait w)
{
    if (q->n == q->cap)
        grow(q);
    q->slots[(q->head + q->n) & (q->cap - 1)] = w;
    if (q->n++ == 0 || w.due_ms < q->due_ms)
        q->due_ms = w.due_ms;
}

struct redis_wait redis_ring_pop(struct redis_ring *q)
{
    struct redis_wait w = q->slots[q->head];

    q->head = (q->head + 1) & (q->cap - 1);
    q->n--;
    return w;
}

void redis_ring_find_due(struct redis_ring *q)
{
    q->due_ms = UINT64_MAX;
    for (unsigned i = 0; i < q->n; i++) {
        uint64_t due_ms = q->slots[(q->head + i) & (q->cap - 1)].due_ms;

        if (due_ms < q->due_ms)
            q->due_ms = due_ms;
    }
}

void redis_ring_fini(struct redis_ring *q)
{
    free(q->slots);
    *q = (struct redis_ring){0};
}

#include "base/base_pool.h"

#include <stdlib.h>

#ifdef __SANITIZE_ADDRESS__
#define KEEPS false
#else
#define KEEPS true
#endif

void pool_init(struct pool *p, size_t size, unsigned max)
{
    *p = (struct pool){.size = size, .max = max};
}

void pool_fini(struct pool *p)
{
    while (p->first) {
        void *piece = p->first;

        memcpy(&p->first, piece, sizeof p->first);
        free(piece);
    }
    p->n = 0;
}

void *pool_take(struct pool *p)
{
    void *piece = p->first;

    if (!piece)
        return mem_zalloc(p->size);
    memcpy(&p->first, piece, sizeof p->first);
    p->n--;
    memset(piece, 0, p->size);
    return piece;
}

void pool_give(struct pool *p, void *piece)
{
    if (!piece)
        return;
    if (!KEEPS || p->n == p->max) {
        free(piece);
        return;
    }
    memcpy(piece, &p->first, sizeof p->first);
    p->first = piece;
    p->n++;
}

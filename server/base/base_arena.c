#include "base/base_arena.h"

#include <stdalign.h>
#include <stddef.h>
#include <stdlib.h>

#ifdef __SANITIZE_ADDRESS__
#define SMALL_MAX 0
#else
#define SMALL_MAX (ARENA_BLOCK_BYTES / 4)
#endif

struct arena_block {
    struct arena_block *next;
    size_t size; /* of p */
    alignas(max_align_t) unsigned char p[];
};

static struct arena_block *block_create(struct arena *a, size_t size)
{
    struct arena_block *b = mem_alloc(sizeof *b + size);

    b->size = size;
    a->bytes += size;
    return b;
}

/* A piece with a block of its own, which stands behind the one that small pieces are taken from. */
static void *take_large(struct arena *a, size_t n)
{
    struct arena_block *b = block_create(a, n);

    if (!a->blocks) {
        b->next = NULL;
        a->blocks = b;
        a->used = a->size = n;
    } else {
        b->next = a->blocks->next;
        a->blocks->next = b;
    }
    return b->p;
}

void *arena_take(struct arena *a, size_t n)
{
    void *piece;

    n = (n ? n + alignof(max_align_t) - 1 : alignof(max_align_t)) & ~(alignof(max_align_t) - 1);
    if (n > SMALL_MAX)
        return take_large(a, n);
    if (a->size - a->used < n) {
        struct arena_block *b = block_create(a, ARENA_BLOCK_BYTES);

        b->next = a->blocks;
        a->blocks = b;
        a->used = 0;
        a->size = b->size;
    }
    piece = a->blocks->p + a->used;
    a->used += n;
    return piece;
}

/* Frees all blocks but `kept`. */
static void free_all_but(struct arena *a, const struct arena_block *kept)
{
    struct arena_block *b = a->blocks;

    while (b) {
        struct arena_block *next = b->next;

        if (b != kept)
            free(b);
        b = next;
    }
}

void arena_reset(struct arena *a)
{
    struct arena_block *kept = a->blocks;

    if (SMALL_MAX == 0 || !kept || kept->size != ARENA_BLOCK_BYTES) {
        arena_fini(a);
        return;
    }
    if (kept->next) {
        free_all_but(a, kept);
        kept->next = NULL;
    }
    a->used = 0;
    a->bytes = kept->size;
}

void arena_fini(struct arena *a)
{
    free_all_but(a, NULL);
    *a = (struct arena){0};
}

#include "kb/kb_rows.h"

#include <stdlib.h>
#include <string.h>

#include "base/base_buf.h"

#define AHEAD     8               /* look-ups for which memory is asked before their turn */
#define ROOM(cap) ((cap) / 4 * 3) /* slots that are filled at most: then two are looked at on average */

void kb_rows_init(struct kb_rows *r)
{
    *r = (struct kb_rows){0};
}

void kb_rows_fini(struct kb_rows *r)
{
    free(r->hashes);
    free(r->slots);
    kb_rows_init(r);
}

static uint32_t slot_of(const struct kb_rows *r, uint32_t hash)
{
    uint32_t i = hash & (r->cap - 1);

    while (r->slots[i] && r->hashes[r->slots[i] - 1] != hash)
        i = (i + 1) & (r->cap - 1);
    return i;
}

uint32_t kb_rows_find(const struct kb_rows *r, uint32_t hash)
{
    uint32_t row;

    if (r->n == 0)
        return KB_ROW_NONE;
    row = r->slots[slot_of(r, hash)];
    return row ? row - 1 : KB_ROW_NONE;
}

static uint32_t hash_at(const uint32_t *hash, size_t stride, unsigned i)
{
    uint32_t h;

    memcpy(&h, (const char *)hash + i * stride, sizeof h);
    return h;
}

void kb_rows_find_all(const struct kb_rows *r, const uint32_t *hash, size_t stride, unsigned n, uint32_t *out)
{
    for (unsigned i = 0; i < n + 2 * AHEAD; i++) {
        if (i < n && r->n > 0)
            __builtin_prefetch(&r->slots[hash_at(hash, stride, i) & (r->cap - 1)]);
        if (i >= AHEAD && i < n + AHEAD && r->n > 0) {
            uint32_t row = r->slots[hash_at(hash, stride, i - AHEAD) & (r->cap - 1)];

            if (row)
                __builtin_prefetch(&r->hashes[row - 1]);
        }
        if (i >= 2 * AHEAD)
            out[i - 2 * AHEAD] = kb_rows_find(r, hash_at(hash, stride, i - 2 * AHEAD));
    }
}

static void grow(struct kb_rows *r)
{
    r->cap = r->cap ? 2 * r->cap : 1024;
    free(r->slots);
    r->slots = mem_zalloc(r->cap * sizeof *r->slots);
    r->hashes = mem_realloc(r->hashes, ROOM(r->cap) * sizeof *r->hashes);
    for (uint32_t i = 0; i < r->n; i++)
        r->slots[slot_of(r, r->hashes[i])] = i + 1;
}

uint32_t kb_rows_put(struct kb_rows *r, uint32_t hash)
{
    uint32_t slot;

    if (r->n + 1 > ROOM(r->cap))
        grow(r);
    slot = slot_of(r, hash);
    if (r->slots[slot])
        return r->slots[slot] - 1;
    r->hashes[r->n++] = hash;
    r->slots[slot] = r->n;
    return r->n - 1;
}

/*
 * kb_rows: 32-bit hash → dense row number, open addressing.
 *
 * Owns    its slots.   Thread  one at a time.   Bounds  the owner bounds what it puts in.
 */
#ifndef KB_ROWS_H
#define KB_ROWS_H

#include <stddef.h>
#include <stdint.h>

#define KB_ROW_NONE UINT32_MAX

struct kb_rows {
    uint32_t *hashes; /* of row i */
    uint32_t *slots;  /* row + 1, 0: free */
    uint32_t n, cap;  /* rows; slots, a power of two */
};

void kb_rows_init(struct kb_rows *r);
void kb_rows_fini(struct kb_rows *r);
/* The row of hash, or KB_ROW_NONE. */
uint32_t kb_rows_find(const struct kb_rows *r, uint32_t hash);
/* As kb_rows_find() of n hashes, which lie stride bytes apart; for many of them: while one is looked up,
 * memory brings the next. */
void kb_rows_find_all(const struct kb_rows *r, const uint32_t *hash, size_t stride, unsigned n,
                      uint32_t *out);
/* The row of hash, made if there is none: then it is r->n - 1. */
uint32_t kb_rows_put(struct kb_rows *r, uint32_t hash);

#endif

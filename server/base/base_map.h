/*
 * map: byte-string key → pointer, open hashing, keyed hash (SipHash with a key of this process, so that
 * strangers who choose keys can't make it slow).
 *
 * Owns    copies of the keys; never the values.   Thread  one at a time.   Bounds  none of its own: the owner bounds.
 */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include "base/base_buf.h"

struct map_item {
    void *value; /* NULL marks a free slot inside; never given as a value */
    uint32_t hash;
    uint32_t key_n;
    char *key;
};

struct map {
    struct map_item *items;
    uint32_t cap; /* a power of two, or 0 */
    uint32_t n;
};

void map_init(struct map *m);
/* It is empty then, and may be used again. */
void map_fini(struct map *m);
/* The same, and each value goes to free(). */
void map_fini_free(struct map *m);
/* The value, or NULL. */
void *map_get(const struct map *m, struct str key);
/* Sets key → value (not NULL); returns the value that stood there, or NULL. */
void *map_put(struct map *m, struct str key, void *value);
/* Removes key; returns its value, or NULL. */
void *map_del(struct map *m, struct str key);
/* Walks all: start with *i = 0; returns NULL at the end. Deleting while walking is not allowed. */
struct map_item *map_next(const struct map *m, uint32_t *i);

#endif

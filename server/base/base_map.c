#include "base/base_map.h"
#include "base/base_crypto.h"

#include <stdlib.h>

void map_init(struct map *m)
{
    memset(m, 0, sizeof *m);
}

void map_fini(struct map *m)
{
    if (!m)
        return;
    for (uint32_t i = 0; i < m->cap; i++)
        free(m->items[i].key);
    free(m->items);
    map_init(m);
}

void map_fini_free(struct map *m)
{
    struct map_item *it;
    uint32_t i = 0;

    while ((it = map_next(m, &i)))
        free(it->value);
    map_fini(m);
}

static uint32_t hash_of(struct str key)
{
    return (uint32_t)crypto_short_hash(key.s, key.n);
}

static struct map_item *find(const struct map *m, struct str key, uint32_t h)
{
    if (!m->cap)
        return NULL;
    for (uint32_t i = h & (m->cap - 1);; i = (i + 1) & (m->cap - 1)) {
        struct map_item *it = &m->items[i];

        if (!it->value)
            return NULL;
        if (it->hash == h && it->key_n == key.n && memcmp(it->key, key.s, key.n) == 0)
            return it;
    }
}

void *map_get(const struct map *m, struct str key)
{
    struct map_item *it = m->n ? find(m, key, hash_of(key)) : NULL;

    return it ? it->value : NULL;
}

static void place(struct map *m, struct map_item x)
{
    uint32_t i = x.hash & (m->cap - 1);

    while (m->items[i].value)
        i = (i + 1) & (m->cap - 1);
    m->items[i] = x;
}

static void resize(struct map *m, uint32_t cap)
{
    struct map_item *old = m->items;
    uint32_t n = m->cap;

    m->items = mem_zalloc(cap * sizeof *m->items);
    m->cap = cap;
    for (uint32_t i = 0; i < n; i++)
        if (old[i].value)
            place(m, old[i]);
    free(old);
}

void *map_put(struct map *m, struct str key, void *value)
{
    uint32_t h = hash_of(key);
    struct map_item *it = find(m, key, h);

    if (it) {
        void *was = it->value;

        it->value = value;
        return was;
    }
    if ((m->n + 1) * 4 > m->cap * 3)
        resize(m, m->cap ? m->cap * 2 : 8);
    place(m, (struct map_item){value, h, (uint32_t)key.n, mem_strndup(key.s ? key.s : "", key.n)});
    m->n++;
    return NULL;
}

void *map_del(struct map *m, struct str key)
{
    struct map_item *it = find(m, key, hash_of(key));
    uint32_t i, j;
    void *was;

    if (!it)
        return NULL;
    was = it->value;
    free(it->key);
    m->n--;
    /* Backward shift: close the hole so that no probe run is cut. */
    for (i = (uint32_t)(it - m->items), j = i;;) {
        uint32_t k;

        j = (j + 1) & (m->cap - 1);
        if (!m->items[j].value)
            break;
        k = m->items[j].hash & (m->cap - 1);
        if (((j - k) & (m->cap - 1)) >= ((j - i) & (m->cap - 1))) {
            m->items[i] = m->items[j];
            i = j;
        }
    }
    memset(&m->items[i], 0, sizeof m->items[i]);
    return was;
}

struct map_item *map_next(const struct map *m, uint32_t *i)
{
    while (*i < m->cap) {
        struct map_item *it = &m->items[(*i)++];

        if (it->value)
            return it;
    }
    return NULL;
}

/* Counts tries by key over a sliding minute: the times of the last ones of each key, so the answer is exact.
 */
#include "auth/auth.h"

#include "base/base_map.h"

#include <stdlib.h>

#define KEYS_MAX    8192
#define SPAN_MS     60000
#define PER_MIN_MAX 1000

struct entry {
    char *key;
    size_t key_n;
    int64_t last_at_ms;
    unsigned next;   /* where the next time goes */
    int64_t at_ms[]; /* per_min times, oldest at next; INT64_MIN: none */
};

struct auth_guard {
    unsigned per_min; /* 0: no limit */
    struct map by_key;
    struct entry *all[KEYS_MAX];
    unsigned n;
};

struct auth_guard *auth_guard_create(unsigned per_min)
{
    struct auth_guard *g = mem_zalloc(sizeof *g);

    g->per_min = per_min > PER_MIN_MAX ? PER_MIN_MAX : per_min;
    map_init(&g->by_key);
    return g;
}

static void entry_destroy(struct entry *e)
{
    free(e->key);
    free(e);
}

void auth_guard_destroy(struct auth_guard *g)
{
    if (!g)
        return;
    for (unsigned i = 0; i < g->n; i++)
        entry_destroy(g->all[i]);
    map_fini(&g->by_key);
    free(g);
}

static void forget(struct auth_guard *g, unsigned i)
{
    struct entry *e = g->all[i];

    map_del(&g->by_key, (struct str){e->key, e->key_n});
    g->all[i] = g->all[--g->n];
    entry_destroy(e);
}

/* Drops what has run out; where nothing has, the one whose last try is longest ago. */
static void make_room(struct auth_guard *g, int64_t now_ms)
{
    unsigned oldest = 0;

    for (unsigned i = g->n; i-- > 0;)
        if (now_ms - g->all[i]->last_at_ms >= SPAN_MS)
            forget(g, i);
    if (g->n < KEYS_MAX)
        return;
    for (unsigned i = 1; i < g->n; i++)
        if (g->all[i]->last_at_ms < g->all[oldest]->last_at_ms)
            oldest = i;
    forget(g, oldest);
}

int64_t auth_guard_wait_ms(struct auth_guard *g, struct str key, int64_t now_ms)
{
    const struct entry *e = g->per_min ? map_get(&g->by_key, key) : NULL;
    int64_t oldest = e ? e->at_ms[e->next] : INT64_MIN;

    if (oldest == INT64_MIN || now_ms - oldest >= SPAN_MS)
        return 0;
    return now_ms < oldest ? SPAN_MS : oldest + SPAN_MS - now_ms; /* a clock set back waits a whole span */
}

void auth_guard_count(struct auth_guard *g, struct str key, int64_t now_ms)
{
    struct entry *e = g->per_min ? map_get(&g->by_key, key) : NULL;

    if (!g->per_min)
        return;
    if (!e) {
        if (g->n == KEYS_MAX)
            make_room(g, now_ms);
        e = mem_zalloc(sizeof *e + g->per_min * sizeof e->at_ms[0]);
        for (unsigned i = 0; i < g->per_min; i++)
            e->at_ms[i] = INT64_MIN;
        e->key = mem_strndup(key.s, key.n);
        e->key_n = key.n;
        map_put(&g->by_key, key, e);
        g->all[g->n++] = e;
    }
    e->at_ms[e->next] = now_ms;
    e->next = (e->next + 1) % g->per_min;
    e->last_at_ms = now_ms;
}

/* Those before it move up, so that the oldest still stands at next, behind what is free. */
void auth_guard_take_back(struct auth_guard *g, struct str key, int64_t at_ms)
{
    struct entry *e = g->per_min ? map_get(&g->by_key, key) : NULL;
    unsigned i = g->per_min, n = g->per_min;

    while (e && i > 0 && e->at_ms[(e->next + i - 1) % n] != at_ms)
        i--;
    if (!e || i == 0)
        return;
    for (i--; i > 0; i--)
        e->at_ms[(e->next + i) % n] = e->at_ms[(e->next + i - 1) % n];
    e->at_ms[e->next] = INT64_MIN;
}

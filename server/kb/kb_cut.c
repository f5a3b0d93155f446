#include "kb/kb_cut.h"

/* What all that cost at most so much cost together. */
static uint64_t sum_to(const uint32_t *cost, unsigned n, uint32_t most)
{
    uint64_t sum = 0;

    for (unsigned i = 0; i < n; i++)
        sum += cost[i] <= most ? cost[i] : 0;
    return sum;
}

struct kb_cut kb_cut_of(const uint32_t *cost, unsigned n, uint32_t bound)
{
    uint32_t lo = 0, hi = UINT32_MAX;

    if (sum_to(cost, n, hi) <= bound)
        return (struct kb_cut){hi, 0};
    hi = bound; /* one that costs more doesn't fit, whatever else is there */
    while (lo < hi) {
        uint32_t mid = hi - (hi - lo) / 2;

        if (sum_to(cost, n, mid) <= bound)
            lo = mid;
        else
            hi = mid - 1;
    }
    return (struct kb_cut){lo, bound - (uint32_t)sum_to(cost, n, lo)};
}

bool kb_cut_takes(struct kb_cut *c, uint32_t cost)
{
    if (cost <= c->most)
        return true;
    if (cost - 1 != c->most || cost > c->rest)
        return false;
    c->rest -= cost;
    return true;
}

/*
 * kb_cut: which of a question's features are looked at where all of them would take too long.
 *
 * A feature costs what stands under it (the articles that it stands in, say). Taken are the cheapest, which
 * are the rarest and tell articles apart best, as long as all of them together stay within the bound; of
 * those that cost alike, the first. A cost is a count, never a time: the same question and the same articles
 * give the same answer on any machine.
 *
 * Thread  any.
 */
#ifndef KB_CUT_H
#define KB_CUT_H

#include <stdbool.h>
#include <stdint.h>

struct kb_cut {
    uint32_t most; /* what costs up to this is taken */
    uint32_t rest; /* and what costs one more, as long as it fits in here */
};

/* Of n features; a cost of 0 is taken always. */
struct kb_cut kb_cut_of(const uint32_t *cost, unsigned n, uint32_t bound);
/* Whether a feature of that cost is taken. To be asked of each feature once, in the order of cost[]. */
bool kb_cut_takes(struct kb_cut *c, uint32_t cost);

#endif

/*
 * kb_pace: when a chat's questions are looked up for who answers it. Functions of what they are given: no I/O, no clock.
 *
 * Units  milliseconds of one local clock.   Thread  any.
 */
#ifndef KB_PACE_H
#define KB_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define KB_PACE_MS   400  /* between two look-ups of a chat, at least */
#define KB_REST_MS   300  /* what may not be all yet is looked up once it has rested so long: unsent text, a message close behind another */
#define KB_BREATH_MS 2000 /* but messages that go on and on are looked up so often at least */

/* What is known of a chat when it says something. */
struct kb_pace {
    int64_t started_ms; /* its last look-up began; 0: there was none */
    bool waits;         /* something it said before has not been looked up yet */
};
/*
 * When what is said now is looked up, with what waits already: a message at once if the last look-up is KB_PACE_MS ago and nothing waits.
 * Of what is said in one breath the last is looked up, when it has rested.
 */
int64_t kb_pace_due(const struct kb_pace *p, bool is_preview, int64_t now_ms);

/*
 * Of so many chats that were looked up lately or wait for it, how many a tick (50 ms) starts at most: all within KB_PACE_MS. Many that are due at
 * once don't take the core from messages all together then, and are due one after the other from then on.
 */
uint32_t kb_pace_share(uint32_t chats);

#endif

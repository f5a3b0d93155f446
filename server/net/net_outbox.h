/*
 * outbox: what one connection still has to send: frames in order, and signals, merged by key, after them.
 *
 * Owns    a reference on each frame in it; outbox_fini() gives them back.
 * Bounds  the caller's, asked by outbox_is_full(); at most OUTBOX_SIGNALS signals.
 * Units   bytes on the wire.   Thread  loop.   Source  PROMISES 2.12.
 */
#ifndef NET_OUTBOX_H
#define NET_OUTBOX_H

#include "net/net.h"

#define OUTBOX_SIGNALS 64

struct outbox_item {
    struct frame *frame;
    bool is_answer;
};
struct outbox_signal {
    uint64_t key;
    struct frame *frame;
};

struct outbox_queue {
    struct outbox_signal *signals; /* NULL while there are none */
    size_t bytes;                  /* of all frames in ring */
    uint32_t head, n, cap;         /* of ring; cap a power of two */
    uint32_t answers_n;
    uint32_t signals_n;
    struct outbox_item ring[];
};

/* Most connections have nothing to send: then it takes no memory. */
struct outbox {
    struct outbox_queue *q; /* NULL while empty */
};

void outbox_fini(struct outbox *o);
static inline bool outbox_is_empty(const struct outbox *o)
{
    return !o->q;
}
static inline bool outbox_is_full(const struct outbox *o, size_t more, size_t bytes_max, size_t frames_max)
{
    return (o->q ? o->q->n : 0) >= frames_max || (o->q ? o->q->bytes : 0) + more > bytes_max;
}
/* Answers among the frames in it. */
static inline uint32_t outbox_answers(const struct outbox *o)
{
    return o->q ? o->q->answers_n : 0;
}
/* Takes a reference of its own. */
void outbox_push(struct outbox *o, struct frame *f, bool is_answer);
/* Replaces the signal of that key, or adds it; with OUTBOX_SIGNALS others waiting it is dropped. */
void outbox_push_signal(struct outbox *o, uint64_t key, struct frame *f);
static inline bool outbox_has_most_signals(const struct outbox *o)
{
    return o->q && o->q->signals_n == OUTBOX_SIGNALS;
}
/* What waits of signals is sent in its order, behind the frames; it isn't merged any more. */
void outbox_queue_signals(struct outbox *o);
/* Gives back what waits: only the signals, or all. */
void outbox_drop(struct outbox *o, bool all);
/* What it takes of the heap, with the frames in it. */
size_t outbox_bytes(const struct outbox *o);
/* The next frame to go out, or NULL; the caller has its reference now. */
struct frame *outbox_take(struct outbox *o);
/* The same without taking it. */
const struct frame *outbox_peek(const struct outbox *o);

#endif

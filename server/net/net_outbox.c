#include "net/net_outbox.h"

#include "base/base_pool.h"

#include <stdlib.h>

#define CAP_MIN 4

/* A queue is made for most frames, and ends with the turn that sends it: the smallest ones are kept. */
static struct pool smallest = {.size = sizeof(struct outbox_queue) + CAP_MIN * sizeof(struct outbox_item),
                               .max = 128};

static size_t size_of(uint32_t cap)
{
    return sizeof(struct outbox_queue) + cap * sizeof(struct outbox_item);
}

static struct outbox_queue *queue(struct outbox *o)
{
    if (!o->q) {
        o->q = pool_take(&smallest);
        o->q->cap = CAP_MIN;
    }
    return o->q;
}

static void queue_destroy(struct outbox_queue *q)
{
    if (q->cap == CAP_MIN)
        pool_give(&smallest, q);
    else
        free(q);
}

static struct outbox_queue *widen(struct outbox *o)
{
    struct outbox_queue *q = o->q, *wide = mem_alloc(size_of(2 * q->cap));

    *wide = *q;
    wide->cap = 2 * q->cap;
    wide->head = 0;
    for (uint32_t i = 0; i < q->n; i++)
        wide->ring[i] = q->ring[(q->head + i) & (q->cap - 1)];
    queue_destroy(q);
    return o->q = wide;
}

static void free_if_empty(struct outbox *o)
{
    if (o->q->n || o->q->signals_n)
        return;
    free(o->q->signals);
    queue_destroy(o->q);
    o->q = NULL;
}

void outbox_drop(struct outbox *o, bool all)
{
    while (all && o->q)
        frame_unref(outbox_take(o));
    if (!o->q)
        return;
    while (o->q->signals_n > 0)
        frame_unref(o->q->signals[--o->q->signals_n].frame);
    free(o->q->signals);
    o->q->signals = NULL;
    free_if_empty(o);
}

void outbox_fini(struct outbox *o)
{
    outbox_drop(o, true);
}

void outbox_push(struct outbox *o, struct frame *f, bool is_answer)
{
    struct outbox_queue *q = queue(o);

    if (q->n == q->cap)
        q = widen(o);
    q->ring[(q->head + q->n++) & (q->cap - 1)] = (struct outbox_item){frame_ref(f), is_answer};
    q->bytes += f->n;
    q->answers_n += is_answer;
}

void outbox_push_signal(struct outbox *o, uint64_t key, struct frame *f)
{
    struct outbox_queue *q = queue(o);

    for (uint32_t i = 0; i < q->signals_n; i++)
        if (q->signals[i].key == key) {
            frame_ref(f);
            frame_unref(q->signals[i].frame);
            q->signals[i].frame = f;
            return;
        }
    if (q->signals_n == OUTBOX_SIGNALS)
        return;
    if ((q->signals_n & (q->signals_n - 1)) == 0) { /* 0, 1, 2, 4 …: time to double */
        uint32_t cap = q->signals_n ? q->signals_n * 2 : 1;

        q->signals = mem_realloc(q->signals, cap * sizeof *q->signals);
    }
    q->signals[q->signals_n++] = (struct outbox_signal){key, frame_ref(f)};
}

void outbox_queue_signals(struct outbox *o)
{
    struct outbox_queue *q = o->q;
    struct outbox_signal *all = q->signals;
    uint32_t n = q->signals_n;

    q->signals = NULL;
    q->signals_n = 0;
    for (uint32_t i = 0; i < n; i++) {
        outbox_push(o, all[i].frame, false);
        frame_unref(all[i].frame);
    }
    free(all);
}

size_t outbox_bytes(const struct outbox *o)
{
    const struct outbox_queue *q = o->q;
    size_t n = q ? mem_bytes(q) + mem_bytes(q->signals) : 0;

    for (uint32_t i = 0; q && i < q->n; i++)
        n += mem_bytes(q->ring[(q->head + i) & (q->cap - 1)].frame);
    for (uint32_t i = 0; q && i < q->signals_n; i++)
        n += mem_bytes(q->signals[i].frame);
    return n;
}

const struct frame *outbox_peek(const struct outbox *o)
{
    const struct outbox_queue *q = o->q;

    return !q ? NULL : q->n ? q->ring[q->head].frame : q->signals[0].frame;
}

struct frame *outbox_take(struct outbox *o)
{
    struct outbox_queue *q = o->q;
    struct frame *f;

    if (!q)
        return NULL;
    if (q->n) {
        struct outbox_item *item = &q->ring[q->head];

        f = item->frame;
        q->head = (q->head + 1) & (q->cap - 1);
        q->n--;
        q->bytes -= f->n;
        q->answers_n -= item->is_answer;
    } else {
        f = q->signals[0].frame;
        q->signals_n--;
        memmove(q->signals, q->signals + 1, q->signals_n * sizeof *q->signals);
    }
    free_if_empty(o);
    return f;
}

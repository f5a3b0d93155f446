#include "net/net_outbox.h"

#include <stdlib.h>

void outbox_drop(struct outbox *o, bool all)
{
    while (all ? !outbox_is_empty(o) : o->signals_n > 0) {
        if (all)
            frame_unref(outbox_take(o));
        else
            frame_unref(o->signals[--o->signals_n].frame);
    }
    free(o->signals);
    o->signals = NULL;
    o->signals_n = 0;
}

void outbox_fini(struct outbox *o)
{
    outbox_drop(o, true);
    free(o->ring);
    *o = (struct outbox){0};
}

void outbox_push(struct outbox *o, struct frame *f, bool is_answer)
{
    if (o->n == o->cap) {
        uint32_t cap = o->cap ? o->cap * 2 : 4;
        struct outbox_item *ring = mem_alloc(cap * sizeof *ring);

        for (uint32_t i = 0; i < o->n; i++)
            ring[i] = o->ring[(o->head + i) & (o->cap - 1)];
        free(o->ring);
        o->ring = ring;
        o->cap = cap;
        o->head = 0;
    }
    o->ring[(o->head + o->n++) & (o->cap - 1)] = (struct outbox_item){frame_ref(f), is_answer};
    o->bytes += f->n;
    o->answers_n += is_answer;
}

void outbox_push_signal(struct outbox *o, uint64_t key, struct frame *f)
{
    for (uint32_t i = 0; i < o->signals_n; i++)
        if (o->signals[i].key == key) {
            frame_ref(f);
            frame_unref(o->signals[i].frame);
            o->signals[i].frame = f;
            return;
        }
    if (o->signals_n == OUTBOX_SIGNALS)
        return;
    if ((o->signals_n & (o->signals_n - 1)) == 0) { /* 0, 1, 2, 4 …: time to double */
        uint32_t cap = o->signals_n ? o->signals_n * 2 : 1;

        o->signals = mem_realloc(o->signals, cap * sizeof *o->signals);
    }
    o->signals[o->signals_n++] = (struct outbox_signal){key, frame_ref(f)};
}

const struct frame *outbox_peek(const struct outbox *o)
{
    if (o->n)
        return o->ring[o->head].frame;
    return o->signals_n ? o->signals[0].frame : NULL;
}

struct frame *outbox_take(struct outbox *o)
{
    struct frame *f;

    if (o->n) {
        struct outbox_item *item = &o->ring[o->head];

        f = item->frame;
        o->head = (o->head + 1) & (o->cap - 1);
        o->n--;
        o->bytes -= f->n;
        o->answers_n -= item->is_answer;
        if (o->n == 0 && o->cap > 4) { /* what grew in a jam isn't kept */
            free(o->ring);
            o->ring = NULL;
            o->cap = 0;
        }
        return f;
    }
    if (!o->signals_n)
        return NULL;
    f = o->signals[0].frame;
    o->signals_n--;
    memmove(o->signals, o->signals + 1, o->signals_n * sizeof *o->signals);
    if (o->signals_n == 0) {
        free(o->signals);
        o->signals = NULL;
    }
    return f;
}

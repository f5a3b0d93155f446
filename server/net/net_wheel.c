#include "net/net_wheel.h"

#include "base/base_buf.h"

void ring_init(struct wheel_node *head)
{
    head->next = head->prev = head;
}

void ring_push(struct wheel_node *head, struct wheel_node *node)
{
    node->prev = head->prev;
    node->next = head;
    head->prev->next = node;
    head->prev = node;
}

void wheel_init(struct wheel *w, int64_t tick_ms, int64_t now_ms)
{
    for (unsigned i = 0; i < WHEEL_SLOTS; i++)
        ring_init(&w->slots[i]);
    w->tick_ms = tick_ms;
    w->turned = now_ms / tick_ms;
}

void wheel_del(struct wheel_node *node)
{
    if (!node->next)
        return;
    node->prev->next = node->next;
    node->next->prev = node->prev;
    node->next = node->prev = NULL;
}

void wheel_add(struct wheel *w, struct wheel_node *node, int64_t at_ms)
{
    int64_t tick = (at_ms + w->tick_ms - 1) / w->tick_ms;

    wheel_del(node);
    node->at_ms = at_ms;
    if (tick <= w->turned)
        tick = w->turned + 1;
    ring_push(&w->slots[tick % WHEEL_SLOTS], node);
}

/* Takes the slot's ring over, so that what its callbacks add to the same slot waits for the next time round.
 */
static void fire_slot(struct wheel *w, unsigned slot, int64_t now_ms)
{
    struct wheel_node due, *head = &w->slots[slot];

    if (head->next == head)
        return;
    due = *head;
    due.next->prev = due.prev->next = &due;
    ring_init(head);
    while (due.next != &due) {
        struct wheel_node *node = due.next;

        wheel_del(node);
        if (node->at_ms <= now_ms)
            node->fire(node, now_ms);
        else
            wheel_add(w, node, node->at_ms); /* a later time round */
    }
}

void wheel_turn(struct wheel *w, int64_t now_ms)
{
    int64_t to = now_ms / w->tick_ms;

    if (to - w->turned > WHEEL_SLOTS)
        w->turned = to - WHEEL_SLOTS;
    while (w->turned < to) {
        w->turned++;
        fire_slot(w, (unsigned)(w->turned % WHEEL_SLOTS), now_ms);
    }
}

struct wheel_node *wheel_any(struct wheel *w)
{
    for (unsigned i = 0; i < WHEEL_SLOTS; i++)
        if (w->slots[i].next != &w->slots[i])
            return w->slots[i].next;
    return NULL;
}

size_t wheel_list(struct wheel *w, struct wheel_node ***out)
{
    size_t n = 0, cap = 64;
    struct wheel_node **list = mem_alloc(cap * sizeof *list);

    for (unsigned i = 0; i < WHEEL_SLOTS; i++)
        for (struct wheel_node *node = w->slots[i].next; node != &w->slots[i]; node = node->next) {
            if (n == cap)
                list = mem_realloc(list, (cap *= 2) * sizeof *list);
            list[n++] = node;
        }
    *out = list;
    return n;
}

/*
 * wheel: deadlines of many things in one turning list; adding and removing cost the same however many there
 * are.
 *
 * A node lies in what it belongs to (no memory of its own) and fires once, never early, late by up to one
 * tick. Owns    nothing.   Units  milliseconds of the loop's clock.   Thread  loop.
 */
#ifndef NET_WHEEL_H
#define NET_WHEEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define WHEEL_SLOTS 1024

struct wheel_node {
    struct wheel_node *next, *prev; /* NULL: not in a wheel */
    int64_t at_ms;                  /* when it fires */
    void (*fire)(struct wheel_node *node, int64_t now_ms);
};

struct wheel {
    struct wheel_node slots[WHEEL_SLOTS]; /* heads of rings */
    int64_t tick_ms;                      /* width of a slot */
    int64_t turned;                       /* the tick up to which all has fired */
};

void wheel_init(struct wheel *w, int64_t tick_ms, int64_t now_ms);
/* Puts node in (again): its fire must be set. A time that is past fires at the next tick. */
void wheel_add(struct wheel *w, struct wheel_node *node, int64_t at_ms);
/* Takes it out; no effect if it isn't in. */
void wheel_del(struct wheel_node *node);
/* Fires what is due. A callback may add and remove any nodes. */
void wheel_turn(struct wheel *w, int64_t now_ms);
/* A ring of nodes by themselves, outside of any wheel; wheel_del() takes one out of it too. */
void ring_init(struct wheel_node *head);
void ring_push(struct wheel_node *head, struct wheel_node *node);
/* Any node that is in, or NULL: for emptying it. */
struct wheel_node *wheel_any(struct wheel *w);
/* All that are in; the caller frees the list. Returns how many. */
size_t wheel_list(struct wheel *w, struct wheel_node ***out);

#endif

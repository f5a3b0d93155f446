/*
 * chat_state: the states of a chat and how entries move it. Pure.
 *
 *            started
 *               │          offer_missed, offer_declined
 *               ▼        ┌──────────────────────────────┐
 *          ┌─ waiting ◀──┴── offered ──┐                │
 *          │    │  ▲ ▲                 │ assigned       │
 * abandoned│    │  │ └─ handler_lost ──┼──────┐         │
 *          ▼    │  │    queued         ▼      │         │
 *      abandoned│  └─ reopened     assigned ──┤   a reply that counts (rule 2.1)
 *               │  (quick return)     │       │
 *               └──── assigned ──────▶│       │
 *                                     ▼       │
 *       parked ◀── parked ───────── active ───┘
 *          └────── unparked ─────────▶│ ▲
 *                                     │ └── reopened (refused), taken_back, handler_back
 *                 resolution_proposed ▼
 *                                  proposed ──── closed ───▶ closed (final)
 *
 * reassigned leads to assigned (from active and proposed it changes the handler alone), taken_back to active (from proposed it
 * changes the handler alone), queued from any open state to waiting. docs/rules.md has the whole table.
 *
 * Source  PROTOCOL "States of a chat", MISSION 2.   Thread  any.
 */
#ifndef CHAT_STATE_H
#define CHAT_STATE_H

#include "protocol/protocol.h"

enum chat_state {
    CHAT_NONE, /* no entry yet */
    CHAT_WAITING,
    CHAT_OFFERED,
    CHAT_ASSIGNED, /* accepted, no reply yet */
    CHAT_ACTIVE,
    CHAT_PROPOSED,
    CHAT_PARKED,
    CHAT_CLOSED,
    CHAT_ABANDONED,
    CHAT_STATE_N
};

/* "waiting" …; never NULL. */
const char *chat_state_name(enum chat_state state);
/* The state behind entry e in a chat that was in `before`. A kind that moves nothing gives `before` back. */
enum chat_state chat_state_after(enum chat_state before, const struct entry *e);
/* True if the table of moves allows before → after. */
bool chat_state_may_move(enum chat_state before, enum chat_state after);
/* True while the case goes on: neither closed nor abandoned nor none. */
bool chat_state_is_open(enum chat_state state);

#endif

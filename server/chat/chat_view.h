/*
 * chat_view: who sees what: one table, kind × audience → hidden, whole or named fields. Pure.
 *
 * Holds for events, resume, transcripts, exports and states in errors alike. A kind that isn't listed is hidden from shoppers.
 * Source  PROTOCOL "Who sees what".   Thread  any.
 */
#ifndef CHAT_VIEW_H
#define CHAT_VIEW_H

#include "protocol/protocol.h"

enum audience { AUDIENCE_SHOPPER, AUDIENCE_STAFF, AUDIENCE_N };

/* True if the audience is shown entries of this kind. A whisper goes to staff only, and so on. */
bool chat_view_is_shown(enum kind kind, enum audience audience);
/* True if what the shopper sees of this kind is the tail as it stands (no field taken away). */
bool chat_view_is_whole(enum kind kind);
/* Writes the tail that a shopper sees of e (kind, from, the fields meant for them), with the closing brace. */
void chat_view_write_shopper_tail(struct buf *b, const struct entry *e);

#endif

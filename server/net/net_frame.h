/*
 * frame: WebSocket frames that go out, and messages put together from the pieces that come in (RFC 6455
 * sections 5, 8).
 *
 * Pure: no I/O.   Owns  a message's bytes; message_fini() frees them.   Bounds  the message's max, checked
 * before memory is taken. Thread  loop.
 */
#ifndef NET_FRAME_H
#define NET_FRAME_H

#include "net/net.h"

enum { FRAME_TEXT = 1, FRAME_CLOSE = 8, FRAME_PING = 9 };

/* Close codes that net itself uses. */
enum {
    CLOSE_GOING = 1001,
    CLOSE_PROTOCOL = 1002,
    CLOSE_BINARY = 1003,
    CLOSE_NOT_UTF8 = 1007,
    CLOSE_POLICY = 1008,
    CLOSE_TOO_BIG = 1009,
    CLOSE_OVERLOAD = 1013
};

#define FRAME_PIECES_MAX 256 /* fragments of one message */

/* One whole frame, unmasked, with one reference. */
struct frame *frame_make(unsigned opcode, const void *payload, size_t n);
/* A close frame; reason is cut at 123 bytes. */
struct frame *frame_make_close(int code, const char *reason);

/* UTF-8 as RFC 3629 has it: no surrogates, no long forms. U+0000 is a character like others. */
bool frame_is_utf8(struct str s);

/* Most messages come in one piece: then nothing is kept, and takes no memory. */
struct message {
    struct message_pieces {
        uint32_t n, cap; /* bytes */
        uint32_t fragments;
        char p[];
    } *pieces; /* NULL while nothing is kept */
};
void message_fini(struct message *m);
static inline struct str message_str(const struct message *m)
{
    return m->pieces ? (struct str){m->pieces->p, m->pieces->n} : STR("");
}
/*
 * Adds a piece. fragment_ends: it ends a frame that isn't the message's last. 0, CLOSE_TOO_BIG over max,
 * CLOSE_POLICY for too many fragments; after an error nothing is kept.
 */
int message_add(struct message *m, struct str piece, bool fragment_ends, size_t max);

#endif

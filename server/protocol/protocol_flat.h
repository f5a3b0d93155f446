/*
 * flat: a quick reader for what chats are made of: objects of plain members.
 *
 * Nearly every frame is `{"t":"message.send","id":…,"text":…}` or an entry with one object, "from", inside. These are read in one pass over
 * the bytes. All else (other lists and objects, \u escapes, real or very long numbers, more than FLAT_MAX members, and everything
 * that is wrong) is left to Jansson, which also finds the words for what is wrong: so this reader accepts nothing that Jansson would
 * refuse, and refuses nothing, it only declines.
 *
 * In entries, which are written by us, lists and objects are taken as they stand if they are written as Jansson would write them: without
 * spaces, escapes, real numbers. An offer bears some hundred candidates.
 *
 * Owns    nothing; strings stand in the caller's room, unescaped and with a NUL behind each.   Thread  any.
 */
#ifndef PROTOCOL_FLAT_H
#define PROTOCOL_FLAT_H

#include "protocol/protocol.h"

#define FLAT_MAX      24 /* members; in all, those of "from" too */
#define FLAT_FROM_MAX 6

struct flat_member {
    struct str key;
    struct val v;   /* VAL_STR, VAL_INT, VAL_BOOL; VAL_NONE: null; VAL_JSON: as it stands, flat_read_entry() only */
};

struct flat {
    unsigned n;                   /* members in m */
    struct flat_member m[FLAT_MAX - FLAT_FROM_MAX];
    bool has_from;                /* there is an object "from"; it is none of m */
    unsigned from_n;
    struct flat_member from[FLAT_FROM_MAX];
};

/* room: at least text.n + 1 bytes, which must outlive *out. False: declined, *out and room hold anything. */
bool flat_read(struct str text, char *room, struct flat *out);
bool flat_read_entry(struct str text, char *room, struct flat *out);
/* The member of this name among the n from m on; NULL if there is none. */
const struct val *flat_get(const struct flat_member *m, unsigned n, const char *name);

#endif

/*
 * ownership: who owns a case, who handles it, who may write to the shopper now (首问负责制). Pure.
 *
 * Owner: the first rep whose reply reaches the shopper. Handler: the rep who may write now; at first the owner.
 * Source  MISSION 2, rules 2.1 to 2.12; docs/rules.md.   Thread  any.
 */
#ifndef OWNERSHIP_H
#define OWNERSHIP_H

#include "base/base_buf.h"
#include "base/base_crypto.h"

struct ownership {
    char owner[ID_SIZE];   /* "" none yet */
    char handler[ID_SIZE]; /* "" none now */
    bool is_open;          /* the case goes on */
    bool is_offered;       /* the chat is on offer to `offered_to` (no handler then) */
    char offered_to[ID_SIZE];
};

enum writer { WRITER_SHOPPER, WRITER_REP, WRITER_SYSTEM };

enum may_write {
    MAY_WRITE,       /* yes */
    MAY_CLAIM,       /* yes, and becomes the handler by it: the chat has none (rule 2.2) */
    MAY_NOT_HANDLER, /* no: another is the handler, or nobody is and this person can't take the chat */
    MAY_NOT_CLOSED   /* no: the case is over */
};

/*
 * Rule 2.12: may this person write to the shopper here, now? Every door asks this function. can_claim: the person is eligible to take
 * a chat without a handler (on shift, present, room, in the department).
 */
enum may_write ownership_may_write(const struct ownership *o, enum writer who, const char *person, bool can_claim);

/* Texts that alone are no reply, and texts that say "I don't know": zh and en, with {variables} as wildcards. */
struct ownership_texts {
    const char *const *canned; /* greetings, canned and care texts; NULL-terminated; may be NULL */
};

/*
 * Rule 2.1: does a rep's text count as a reply? Not if the whole text, folded, equals a greeting or a canned text with its
 * {variables} as wildcards (one or more bytes; a canned text of variables alone equals nothing), or if the fold leaves
 * nothing of it. Nothing cleverer.
 */
bool ownership_reply_counts(struct str text, const struct ownership_texts *texts);
/* Rule 2.3: the whole text, folded, is one of the "I don't know" phrases (禁止说不知道). */
bool ownership_is_dont_know(struct str text);

/* Folds for comparison: lower case (ASCII), full-width to half-width, no spaces or punctuation. Appends to out. */
void ownership_fold(struct str text, struct buf *out);

/* What the log proves since the case was last opened; seqs, 0: none. */
struct ownership_proof {
    int64_t last_question; /* the shopper's last message */
    int64_t last_reply;    /* the last rep message that counts and does more than say "I don't know" */
    int64_t referred, request, complaint;
};
/* Rule 2.3: may the case be resolved as `resolution` ("answered", "referred", "request", "complaint")? */
bool ownership_may_resolve(const struct ownership_proof *p, struct str resolution);

#endif

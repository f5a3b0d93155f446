/*
 * archive_fold: what the archive derives from a chat's entries: the row that lists show, who may read it, its
 * words.
 *
 * Pure: entries in, struct archive_chat out. The same entries in the same order give the same row.
 * Owns    struct archive_chat owns its strings.   Units  epoch milliseconds.   Thread  any, one at a time.
 */
#ifndef ARCHIVE_FOLD_H
#define ARCHIVE_FOLD_H

#include "chat/chat_state.h"

#define ARCHIVE_ID_BYTES   72 /* of a log or a person, with NUL */
#define ARCHIVE_TAGS_MAX   64
#define ARCHIVE_PEOPLE_MAX 64

/* What part a person had; a mask, as in chat_people.part. */
enum { ARCHIVE_OWNED = 1, ARCHIVE_HANDLED = 2, ARCHIVE_CONSULTED = 4, ARCHIVE_JOINED = 8 };

struct archive_who {
    char id[ARCHIVE_ID_BYTES]; /* "": nobody */
    char *name;                /* NULL: unknown */
};

struct archive_tag {
    char *text;
    bool stored, dropped; /* in chat_tags; to be taken out of it */
};

struct archive_part {
    char id[ARCHIVE_ID_BYTES];
    unsigned part, stored; /* what is so, what chat_people has of it */
};

struct archive_chat {
    int64_t place; /* set by the store */
    int64_t head;  /* last seq */
    int64_t entries;
    char *site, *department; /* NULL: unknown */
    char *transfer_department; /* where the handover that was offered last leads to; NULL: to a rep of the same */
    struct archive_who shopper, owner, handler;
    enum chat_state state;
    int64_t started_ms, ended_ms; /* ended 0: it goes on */
    int64_t rating;               /* 0: none */
    int64_t messages, handovers;
    bool owner_changed, complete;
    struct archive_tag *tags; /* at most ARCHIVE_TAGS_MAX */
    unsigned tags_n, tags_cap;
    struct archive_part *people; /* at most ARCHIVE_PEOPLE_MAX; the oldest go */
    unsigned people_n, people_cap;
};

struct archive_chat *archive_chat_create(void);
void archive_chat_destroy(struct archive_chat *c);
/* Adds a tag that it hasn't; stored: chat_tags has it already. */
void archive_chat_add_tag(struct archive_chat *c, struct str text, bool stored);
/* Folds one entry in. head and complete are the store's to keep. */
void archive_chat_apply(struct archive_chat *c, const struct entry *e);
/* The state of that name; CHAT_NONE if there is none. */
enum chat_state archive_state_from_name(struct str name);

/* Adds what of an entry is searched to out, a line each; nothing if it says nothing. */
void archive_entry_text(const struct entry *e, struct buf *out);
/* The person in a raw JSON object {"id","name"}; id "" if it has none. who->name is set anew. */
void archive_who_read(struct archive_who *who, struct str raw);
void archive_who_set(struct archive_who *who, struct str id, struct str name);

#endif

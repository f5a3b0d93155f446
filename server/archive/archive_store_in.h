/* archive_store_in: what the parts of the writing side share; included by archive_store*.c alone. */
#ifndef ARCHIVE_STORE_IN_H
#define ARCHIVE_STORE_IN_H

#include <sys/types.h>

#include "archive/archive_db.h"
#include "archive/archive_fold.h"
#include "archive/archive_store.h"
#include "base/base_map.h"

/* The statements of sql/archive_write.sql. */
#define ARCHIVE_WRITE_MAP(X)                                                                                 \
    X(begin)                                                                                                 \
    X(commit) X(rollback) X(chain) X(chain_set) X(log_head) X(entry_add) X(entry_at) X(entry_by_ref)         \
        X(entry_number) X(entry_erase) X(quarantine_add) X(quarantine) X(hole_add) X(void) X(voided_same) X(voided_again)    \
            X(entry_everywhere) X(entry_give_up_ref) X(chat_get) X(chat_entries) X(chat_add) X(chat_set) X(place_taken) X(person_add) X(tag_add) X(tag_drop) X(words_add) X(words_drop)       \
                X(words_optimize) X(traces_add) X(traces_gone) X(review_add) X(chat_known)
enum archive_write {
#define ARCHIVE_WRITE_ENUM(name) WRITE_##name,
    ARCHIVE_WRITE_MAP(ARCHIVE_WRITE_ENUM)
#undef ARCHIVE_WRITE_ENUM
        WRITE_N
};

/* A log that was written lately. */
struct archive_log {
    int64_t head;              /* last seq, or what a hole ends with */
    struct archive_chat *chat; /* NULL: it is no chat, or has no entry yet */
    bool is_chat;
    bool dirty;     /* its row in chats is behind */
    bool refold;    /* an entry that was folded in stands again elsewhere */
    uint64_t batch; /* the last batch that named it */
    int64_t reach;  /* of that batch: how far it goes without a gap */
    bool gap;       /* of that batch: it has one */
};

/* Text for the index, put aside until the end of the batch: FTS5 wants ascending row ids. */
struct archive_doc {
    int64_t rowid;
    size_t at, n; /* in store.texts */
};

/* An entry that the batch takes out of sight: a `redacted` entry names it, or it stands again elsewhere. */
struct archive_redaction {
    struct str log;
    int64_t seq;
    bool again; /* its text stays in the chain, its words in the index are the other one's */
};

struct archive_store {
    struct sqlite3 *db;
    char *path;
    int lock_fd;
    dev_t dev;
    ino_t ino;
    struct archive_seal seal;
    struct archive_reached reached;
    struct sqlite3_stmt *st[WRITE_N];
    struct map logs; /* log → struct archive_log */
    int wal_pages;
    bool has_traces; /* of erased texts, in the index and in the WAL */
    unsigned char salts[64][ARCHIVE_SALT]; /* drawn together: libsodium asks the system for the process's id at each draw */
    unsigned salts_n;                      /* of them that wait for their rows */
    /* the transaction under way */
    uint64_t batch;
    struct archive_reached next;
    struct archive_log **dirty;
    size_t dirty_n, dirty_cap;
    struct buf texts;
    struct archive_doc *docs;
    size_t docs_n, docs_cap;
    struct archive_redaction *redactions;
    size_t redactions_n, redactions_cap;
};

/* One step of a statement without rows; resets it. `what` is for the error. */
int archive_store_step(struct archive_store *s, enum archive_write w, const char *what, struct err *err);
/* One step of a statement that asks: 1 a row (reset it when read), 0 none. */
int archive_store_row(struct archive_store *s, enum archive_write w, const char *what, struct err *err);
int archive_store_begin(struct archive_store *s, struct err *err);
/* Writes what was put aside, the chain and the cursor, commits; on an error, or if rc < 0 came in, takes all
 * back. */
int archive_store_end(struct archive_store *s, int rc, struct err *err);
/* The log of that name; made known if it wasn't. */
int archive_store_log(struct archive_store *s, struct str name, struct archive_log **out, struct err *err);
/* Forgets all logs. */
void archive_store_forget(struct archive_store *s);

/* An entry to be added. */
struct archive_new {
    struct str log, kind, person, ref, body;
    int64_t seq, at_ms;
};
int archive_store_add(struct archive_store *s, const struct archive_new *e, struct err *err);

/* archive_store_void.c: entries that another life of the live data lacks */
/* The log goes on with `before` in a life that has nothing from `from` on. */
int archive_store_void(struct archive_store *s, struct str log, int64_t from, int64_t before, struct err *err);
/* Adds the entry; the voided one that it says again is shown no more. */
int archive_store_add_again(struct archive_store *s, const struct archive_new *e, struct archive_log *l, struct err *err);

/* archive_store_chats.c: the derived tables */
int archive_store_load_chat(struct archive_store *s, struct str name, struct archive_log *l, struct err *err);
int archive_store_apply(struct archive_store *s, struct str name, struct archive_log *l,
                        const struct entry *e, struct err *err);
/* An entry that can't be folded: it counts, no more. */
void archive_store_pass(struct archive_store *s, struct archive_log *l);
/* Its row in chats is to be written at the end of the transaction. */
void archive_store_touch(struct archive_store *s, struct archive_log *l);
int archive_store_save_chats(struct archive_store *s, struct err *err);
int archive_store_save_words(struct archive_store *s, struct err *err);
int archive_store_redact(struct archive_store *s, struct err *err);

/* Grows a list by one; p and its cap are updated. */
#define ARCHIVE_GROW(p, n, cap)                                                                              \
    ((n) < (cap) ? (p) : ((cap) = (cap) ? (cap)*2 : 64, (p) = mem_realloc((p), (cap) * sizeof *(p))))

#endif

/*
 * archive: every entry of every log in one SQLite file per site: writer thread, hash chain, search, transcripts,
 * reviews.
 *
 * The file has a random id; its writer holds flock on it. Idempotent on (log, seq); a row's bytes are what a rep
 * was sent.
 *
 * Thread  functions marked [loop] from the loop thread, their callbacks come back there; [any] may block and are
 *         for worker threads or the command line.
 * Owns    the database; batches given to it.   Source  PROMISES 2.7, 2.8, DESIGN 2, MISSION 7, docs/archive.md.
 */
#ifndef ARCHIVE_H
#define ARCHIVE_H

#include "base/base_buf.h"
#include "base/base_err.h"

struct uv_loop_s;
struct archive;
struct people_rep;

/*
 * [loop] Opens (makes, migrates) path and starts the writer. Beside it stand path.lock (who holds it),
 * path.key (the chain's key, made with the file) and path.heads (the sealed heads), all 0600. ERR_BUSY:
 * another process holds the lock (its node's name in *err); ERR_CORRUPT, ERR_IO, ERR_NOT_FOUND (key gone),
 * ERR_INVALID (another site's), ERR_UNSUPPORTED (made by a newer version): one sentence naming the file and
 * the cure.
 */
int archive_open(struct uv_loop_s *loop, const char *path, const char *site, const char *node,
                 struct archive **out, struct err *err);
/* [loop] Writes what it was given, checkpoints, ends the thread, closes; done(ctx) on the loop. */
void archive_close(struct archive *a, void (*done)(void *ctx), void *ctx);
/* [loop] The file's random id (22 characters). */
const char *archive_id(const struct archive *a);
/* [loop] How far the site's commit counter is archived, as of the last commit: (epoch, n). */
void archive_cursor(const struct archive *a, char epoch[32], int64_t *n);
/* [loop] What the counter was, in that epoch, when the youngest of what is archived was read: at least the cursor. Live
 * data whose counter stands before it is another life of it (PROMISES 2.9). */
int64_t archive_seen(const struct archive *a);
/* [loop] Rows and chain head (hex) as of the last commit: kept in Redis so that an older file put in place is
 * noticed. */
void archive_head(const struct archive *a, int64_t *rows, char head[65]);
/* [loop] Entries in quarantine as of the last commit. *at_ms: when the newest was refused (epoch ms); 0: there is none. */
int64_t archive_quarantined(const struct archive *a, int64_t *at_ms);

/*
 * [loop] True if the chain's row `rows` bears that hash (what archive_head() once said): false means that
 * another or an older file was put in place; rc < 0: it could not be read. ERR_INVALID (not 64 hex digits),
 * ERR_FULL, ERR_GONE: no cb.
 */
int archive_has_head(struct archive *a, int64_t rows, const char *head,
                     void (*cb)(void *ctx, int rc, bool has), void *ctx);

/* One entry on its way in. Strings are copied by archive_batch_add(). */
struct archive_row {
    struct str log; /* chat id (or another log's) */
    int64_t seq, at_ms;
    struct str person; /* who sent the command; .n 0: the system */
    struct str ref;    /* its id; .n 0: none */
    struct str frame;  /* the whole event frame as sent to a rep, plain UTF-8 JSON */
    int64_t voids_from; /* the first seq before this one that another life of the data lacks; 0: no life begins here */
};
struct archive_batch;
struct archive_batch *archive_batch_create(void);
void archive_batch_destroy(struct archive_batch *b);
void archive_batch_add(struct archive_batch *b, const struct archive_row *row);
size_t archive_batch_rows(const struct archive_batch *b);
/* The cursor that is written in the same transaction; not if there are gaps, what is missing lies before it. */
void archive_batch_set_cursor(struct archive_batch *b, const char *epoch, int64_t n);
/* The site's commit counter, asked for when all of the batch had been read; written with whatever of it is. */
void archive_batch_set_seen(struct archive_batch *b, const char *epoch, int64_t n);

/* Nothing waits behind this batch, or ever less: writing it may take three times as long, with breaks that leave the core to others. */
void archive_batch_set_calm(struct archive_batch *b);

struct archive_result {
    int rc;        /* 0: committed. ERR_IO/ERR_FULL/ERR_BUSY: nothing written, give it again later. ERR_AGAIN:
                      nothing either, over 64 logs have gaps: give the rows of those in gaps first. */
    char why[200]; /* of rc */
    unsigned gaps_n;
    struct {
        char log[72];
        int64_t have;
    } gaps[64]; /* logs whose first row was not last + 1: rows from have + 1 are wanted; nothing of them was
                   written */
    unsigned quarantined_n; /* entries refused for good (bad frame, other bytes under the same seq); logged,
                               kept aside */
    struct {
        char log[72];
        int64_t seq;
    } quarantined[64]; /* the first of them: their logs must stay in Redis */
};
/* [loop] Takes the batch. cb on the loop once it is durable (or failed). At most 4 under way, else ERR_FULL
 * (batch stays the caller's). */
int archive_append(struct archive *a, struct archive_batch *b,
                   void (*cb)(void *ctx, const struct archive_result *r), void *ctx);
/* [loop] Highest archived seq of a log; cb on the loop; 0: none, -1: it could not be read. ERR_FULL,
 * ERR_GONE: no cb. */
int archive_log_head(struct archive *a, struct str log, void (*cb)(void *ctx, int64_t seq), void *ctx);

/*
 * [loop] True if the log stands here whole, committed: n entries, the last of them seq. rc < 0: it could not
 * be read. ERR_FULL, ERR_GONE: no cb.
 */
int archive_has_log(struct archive *a, struct str log, int64_t n, int64_t seq,
                    void (*cb)(void *ctx, int rc, bool has), void *ctx);
/* Where an entry stands: what `ok` says of it. */
struct archive_place {
    int64_t seq; /* 0: there is none */
    int64_t at_ms;
    int64_t prev; /* the last one before it that a shopper may see; 0: none */
};
/*
 * [loop] The entry that this person's command (its id: ref) left in a log. rc < 0: it could not be read.
 * ERR_FULL, ERR_GONE: no cb.
 */
int archive_by_ref(struct archive *a, struct str log, struct str person, struct str ref,
                   void (*cb)(void *ctx, int rc, const struct archive_place *p), void *ctx);

/* A query on a worker thread's read-only connection; JSON text comes back. */
enum archive_query_kind {
    ARCHIVE_LIST,
    ARCHIVE_TRANSCRIPT,
    ARCHIVE_REVIEWS,
    ARCHIVE_REVIEW_ADD,
    ARCHIVE_AUDIT_ADD,
    ARCHIVE_LOG,
    ARCHIVE_GAPS, /* from_ms, limit: questions without a good answer, newest first */
    ARCHIVE_TASKS, /* body: a list of ids. Of each task the last entry, where it is open and not listed, or over and listed: a line
                      each, {"task","person","ref"?,"event"} */
    ARCHIVE_STALE /* from_ms, limit: articles shown often and rejected, or followed by low ratings */
};
enum archive_format { ARCHIVE_JSON, ARCHIVE_NDJSON, ARCHIVE_CSV, ARCHIVE_TEXT };
struct archive_query {
    enum archive_query_kind kind;
    enum archive_format format; /* TRANSCRIPT */
    struct str chat;            /* TRANSCRIPT, REVIEWS, LOG (a log's frames from seq on, NDJSON) */
    int64_t from_seq;           /* LOG */
    /* LIST (cursor, limit: also REVIEWS; shopper: also TRANSCRIPT, whose chat it must be): absent strings have .s NULL; -1: no bound */
    struct str q, rep, shopper, department, tag, cursor;
    int64_t from_ms, to_ms, rating;
    int owner_changed; /* -1: either */
    unsigned limit;    /* 1–200 */
    bool brief;        /* LIST: of each what its shopper may know: chat, started, ended, state, owner; TRANSCRIPT: as its shopper was sent it */
    /* whom the caller may see (LIST and TRANSCRIPT); reader_all: everything */
    bool reader_all;
    struct str reader_id; /* own chats: owned, handled, consulted, joined; where a chat or a shopper is asked for, also
                             those of a shopper whom they handle now */
    const char (*reader_departments)[64]; /* "" ends; NULL: none (lead's) */
    bool own_only; /* TRANSCRIPT: of own chats only those that the reader owned or handled */
    struct str body;                      /* REVIEW_ADD, AUDIT_ADD: JSON object to store */
    struct str by;                        /* REVIEW_ADD, AUDIT_ADD: person id */
    struct str ref;                       /* REVIEW_ADD: the sender's own name for it; .n 0: none. Repeated, it gets the first answer,
                                             with something else ERR_EXISTS */
};
/* [loop] Copies what it needs. cb on the loop: rc 0 with body and content type, ERR_NOT_FOUND, ERR_INVALID
 * (why), ERR_IO. */
int archive_ask(struct archive *a, const struct archive_query *q,
                void (*cb)(void *ctx, int rc, const char *type, struct str body, const char *why), void *ctx);

/* [any] Walks the chain: 0 and a summary line in out; ERR_CORRUPT with what is wrong (edit, deletion,
 * insertion, swap, cut tail). */
int archive_verify(const char *path, struct buf *out, struct err *err);
/* [any] The file's random id, also while the server writes. ERR_NOT_FOUND, ERR_CORRUPT, ERR_IO. */
int archive_read_id(const char *path, char *out, size_t size, struct err *err);
/* [any] The same for the site that it belongs to. */
int archive_read_site(const char *path, char *out, size_t size, struct err *err);
/*
 * [any] Copies the archive with its key and heads to `to` (and beside it), also while the server writes: the
 * copy is of one moment and verifies. on_moment (may be NULL) is called before that moment and when it is over,
 * the copying comes later; it sets *err and returns <0 to stop. *rows: in the copy. ERR_EXISTS, ERR_FULL, ERR_IO.
 */
int archive_backup(const char *path, const char *to, int (*on_moment)(void *ctx, bool is_over, struct err *err),
                   void *ctx, int64_t *rows, struct err *err);
/* [any] Writes NDJSON, one event a line, exactly as sent to a rep, in the order of (log, seq), chats only
 * unless all; write returns <0 to stop. */
int archive_export(const char *path, bool all, int (*write)(void *ctx, struct str line), void *ctx,
                   struct err *err);
/*
 * [any] Every account that stands here, folded from its person's whole log; those that were written to last
 * come first, so of two with one login the one that had it last. head: behind which seq the log goes on here
 * in another life of the live data (PROMISES 2.9). each sets *err and returns <0 to stop. ERR_NOT_FOUND,
 * ERR_INVALID (another site's), ERR_CORRUPT, ERR_BUSY, ERR_IO.
 */
int archive_accounts(const char *path, const char *site,
                     int (*each)(void *ctx, const struct people_rep *p, int64_t head, struct err *err),
                     void *ctx, struct err *err);

#endif

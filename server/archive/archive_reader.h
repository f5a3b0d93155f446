/*
 * archive_reader: the reading side: a small pool of read-only connections, and the questions that are asked
 * on them.
 *
 * A question runs on a worker thread with a reader of its own and answers text into a buf. Everything a
 * caller says is bound; words to search for are taken apart by kb_words, so nothing in them is FTS5's syntax.
 *
 * Thread  the pool: any; a reader: one at a time.   Errors  those of archive_db.h, ERR_INVALID (cursor,
 * query), ERR_NOT_FOUND (not there, or not for this reader), ERR_TIMEOUT, ERR_TOO_LARGE.
 */
#ifndef ARCHIVE_READER_H
#define ARCHIVE_READER_H

#include "archive/archive.h"
#include "archive/archive_db.h"

struct sqlite3_stmt;

#define ARCHIVE_READ_MAP(X)                                                                                  \
    X(begin)                                                                                                 \
    X(log_head) X(log_extent) X(by_ref) X(kinds_before) X(list) X(list_person) X(list_shopper) X(entry_number) X(chat) X(hash_at) X(log) X(reviews) X(reviews_all) X(tasks) X(gaps) X(stale)
enum archive_read {
#define ARCHIVE_READ_ENUM(name) READ_##name,
    ARCHIVE_READ_MAP(ARCHIVE_READ_ENUM)
#undef ARCHIVE_READ_ENUM
        READ_N
};

struct archive_reader {
    struct sqlite3 *db;
    const char *path;
    struct sqlite3_stmt *st[READ_N]; /* prepared at first use */
    uint64_t deadline_ns;            /* of the monotonic clock; then it is interrupted */
    uint64_t given_ns;               /* back, by the same clock */
    struct archive_reader *next;
};

struct archive_pool;
struct archive_pool *archive_pool_create(const char *path);
void archive_pool_destroy(struct archive_pool *p);
/* A reader with so much time to answer; given back by archive_pool_give(). */
int archive_pool_take(struct archive_pool *p, unsigned ms, struct archive_reader **out, struct err *err);
/* broken: it is closed instead of kept. */
void archive_pool_give(struct archive_pool *p, struct archive_reader *r, bool broken);
/* True if it keeps more than it does at rest: one reader, with nothing cached. */
bool archive_pool_is_wide(struct archive_pool *p);
/* Gives up what nobody has used for some seconds. */
void archive_pool_trim(struct archive_pool *p);

/* The statement, reset and without bindings. */
int archive_reader_use(struct archive_reader *r, enum archive_read which, struct sqlite3_stmt **out,
                       struct err *err);
/* 1 a row, 0 the end (then it is reset), or an error. */
int archive_reader_step(struct archive_reader *r, struct sqlite3_stmt *st, struct err *err);
/* All that is read until it is given back is of one moment. */
int archive_reader_snapshot(struct archive_reader *r, struct err *err);
bool archive_reader_is_late(const struct archive_reader *r);

/* A question with its departments as a JSON list. */
struct archive_wish {
    struct archive_query q;
    struct str departments;
};

int archive_read_log_head(struct archive_reader *r, struct str log, int64_t *seq, struct err *err);
/* *has: n entries of it stand here up to seq, and that one. */
int archive_read_has_log(struct archive_reader *r, struct str log, int64_t n, int64_t seq, bool *has,
                         struct err *err);
/* The entry that this person's command left in a log. */
int archive_read_by_ref(struct archive_reader *r, struct str log, struct str person, struct str ref,
                        struct archive_place *out, struct err *err);
/* *has: row `rows` bears this hash (hex). */
int archive_read_has(struct archive_reader *r, int64_t rows, struct str head, bool *has, struct err *err);
int archive_read_list(struct archive_reader *r, const struct archive_wish *w, struct buf *out,
                      struct err *err);
int archive_read_transcript(struct archive_reader *r, const struct archive_wish *w, struct buf *out,
                            struct err *err);
/*
 * A page's cursor: where its last item stands in the list's order. `of` tells the lists apart ('1' chats, '2' reviews); the place in hex,
 * and a check digit so that a mistyped one is told (ERR_INVALID).
 */
#define ARCHIVE_CURSOR_MAX ((INT64_C(1) << 44) - 1)
void archive_cursor_write(char of, int64_t place, struct buf *out);
int archive_cursor_read(char of, struct str s, int64_t *place, struct err *err);

int archive_read_reviews(struct archive_reader *r, const struct archive_wish *w, struct buf *out,
                         struct err *err);
int archive_read_log(struct archive_reader *r, const struct archive_wish *w, struct buf *out,
                     struct err *err);
int archive_read_tasks(struct archive_reader *r, const struct archive_wish *w, struct buf *out, struct err *err);
int archive_read_gaps(struct archive_reader *r, const struct archive_wish *w, struct buf *out, struct err *err);
int archive_read_stale(struct archive_reader *r, const struct archive_wish *w, struct buf *out, struct err *err);
/* Binds :all, :reader, :departments and :own_only. */
void archive_bind_access(struct sqlite3_stmt *st, const struct archive_wish *w);
/* What stands in an erased entry's place. */
void archive_tombstone(struct buf *out, struct str log, int64_t seq, int64_t at_ms);

#endif

/*
 * archive_kb: the knowledge base's SQLite: its words as an FTS5 tokenizer, its tables of truth.
 *
 * The file holds article versions, verdicts and the marks they made (who accepted or rejected which article for which
 * question, and when), what shoppers said of articles, and how far each of the knowledge base's logs is taken in;
 * nothing in it is ever deleted. Beside it, as PATH-learned, kb keeps what it computed (kb/kb_state.h); that one may be deleted. All that suggestions are computed from is made of them (kb/kb_set.h).
 *
 * Thread  archive_kb_*: any, one lock a file.   Source  kb/kb.h (the port).
 */
#ifndef ARCHIVE_KB_H
#define ARCHIVE_KB_H

#include "base/base_buf.h"
#include "base/base_err.h"

struct sqlite3;
struct kb_port;
struct archive_kb;

/* What a rep said of an article: an entry of the knowledge base's logs. Strings are borrowed. */
struct archive_verdict {
    struct str id; /* log and seq: the same on every node */
    struct str who, name, article, verdict, question, chat;
    int64_t at_ms;
};
/* A version of an article (or, with id "@synonyms" and lang "", of the synonym groups), as the console saved it. */
struct archive_version {
    struct str id, lang, who, name, base, text;
    int64_t version, at_ms;
};

/*
 * Makes kb_words known to FTS5 on this connection as tokenizer `words`: `CREATE VIRTUAL TABLE … USING fts5(…,
 * tokenize = 'words')`. Each connection that reads or writes such a table needs it. In a query each run of grams
 * becomes a phrase of its longest grams (exact substring); FTS5's highlight() marks such a run up to the beginning
 * of its last gram, so find the substring in the text instead. ERR_UNSUPPORTED if SQLite has no FTS5, ERR_IO else.
 */
int archive_words_register(struct sqlite3 *db, struct err *err);

/* Opens (makes) the file; path NULL: in memory, gone afterwards. ERR_IO, ERR_CORRUPT: a sentence with the path. */
int archive_kb_open(const char *path, struct archive_kb **out, struct err *err);
/* After the kb that uses its port. NULL is fine. */
void archive_kb_close(struct archive_kb *a);
/* Copies the file and what was learned of it to `to` (and beside it), also while it is written. ERR_NOT_FOUND: there is none; ERR_FULL, ERR_IO. */
int archive_kb_backup(const char *path, const char *to, struct err *err);
/* Fills in what kb_open() wants. */
void archive_kb_port(struct archive_kb *a, struct kb_port *out);

/*
 * What the logs in Redis told (archive_kb_truth.c). Every write may be repeated: what is known already changes nothing.
 * A log's entries are taken in order, and the cursor says how many of them (in that life of the data, `epoch`).
 */
int archive_kb_cursor(struct archive_kb *a, struct str epoch, struct str log, int64_t *n, struct err *err);
int archive_kb_set_cursor(struct archive_kb *a, struct str epoch, struct str log, int64_t n, struct err *err);
int archive_kb_add_verdict(struct archive_kb *a, const struct archive_verdict *v, struct err *err);
/* Takes back the verdict and the mark it made. ERR_NOT_FOUND; a verdict taken back before stays so. */
int archive_kb_undo(struct archive_kb *a, struct str id, struct str by, struct str name, int64_t at_ms, struct err *err);
int archive_kb_has_verdict(struct archive_kb *a, struct str id, struct err *err);
/* One shopper's word on one article counts once, the latest. */
int archive_kb_add_helped(struct archive_kb *a, struct str article, struct str shopper, int64_t at_ms, bool helped, struct err *err);
int archive_kb_add_version(struct archive_kb *a, const struct archive_version *v, struct err *err);
/* Calls fn for the newest version of each id and language, in order of both; fn's non-zero answer ends it. */
int archive_kb_each_version(struct archive_kb *a, int (*fn)(void *ctx, const struct archive_version *v), void *ctx, struct err *err);

/* Lists as JSON for the API. {"items":[…],"next":…}; cursor: what next was, or absent. */
int archive_kb_list_versions(struct archive_kb *a, struct str id, struct str lang, struct buf *out, struct err *err);
int archive_kb_list_taught(struct archive_kb *a, struct str article, struct str who, int64_t before, unsigned limit, struct buf *out,
                           struct err *err);
int archive_kb_list_figures(struct archive_kb *a, struct buf *out, struct err *err);

#endif

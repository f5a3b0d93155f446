/*
 * archive_kb: the knowledge base's SQLite: its words as an FTS5 tokenizer, its full-text rows, its tables of truth.
 *
 * The file holds article versions and marks (who accepted or rejected which article for which question, and when);
 * nothing in it is ever deleted. Full-text indexes are made from them in memory, one a generation.
 *
 * Thread  archive_kb_*: any, one lock a file. A full-text index: one thread at a time.   Source  kb/kb.h (the port).
 */
#ifndef ARCHIVE_KB_H
#define ARCHIVE_KB_H

#include "base/base_err.h"

struct sqlite3;
struct kb_port;
struct archive_kb;

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
/* Fills in what kb_open() wants. */
void archive_kb_port(struct archive_kb *a, struct kb_port *out);

#endif

/*
 * archive_kb: the knowledge base's SQLite: its words as an FTS5 tokenizer.
 *
 * Thread  one connection, one thread at a time.
 */
#ifndef ARCHIVE_KB_H
#define ARCHIVE_KB_H

#include "base/base_err.h"

struct sqlite3;

/*
 * Makes kb_words known to FTS5 on this connection as tokenizer `words`: `CREATE VIRTUAL TABLE … USING fts5(…,
 * tokenize = 'words')`. Each connection that reads or writes such a table needs it. In a query each run of grams
 * becomes a phrase of its longest grams (exact substring); FTS5's highlight() marks such a run up to the beginning
 * of its last gram, so find the substring in the text instead. ERR_UNSUPPORTED if SQLite has no FTS5, ERR_IO else.
 */
int archive_words_register(struct sqlite3 *db, struct err *err);

#endif

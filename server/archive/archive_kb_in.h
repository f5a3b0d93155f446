/*
 * archive_kb_in: what the files of the knowledge base's SQLite share. Inside the room only.
 *
 * Thread  hold the lock around statements.
 */
#ifndef ARCHIVE_KB_IN_H
#define ARCHIVE_KB_IN_H

#include <pthread.h>
#include <sqlite3.h>

#include "archive/archive_kb.h"

enum archive_kb_statement {
    KB_MARK_ADD,
    KB_MARK_UNDO,
    KB_MARK_EACH,
    KB_ARTICLE_SAVE,
    KB_CURSOR,
    KB_CURSOR_SET,
    KB_VERDICT_ADD,
    KB_VERDICT_UNDO,
    KB_VERDICT_MARK_UNDO,
    KB_VERDICT_FIND,
    KB_HELPED_ADD,
    KB_VERSION_ADD,
    KB_VERSION_EACH,
    KB_VERSION_LIST,
    KB_TAUGHT,
    KB_FIGURES,
    KB_STATEMENT_N
};

struct archive_kb {
    pthread_mutex_t lock;
    sqlite3 *db;
    char *state; /* path of what was learned, or NULL */
    sqlite3_stmt *st[KB_STATEMENT_N];
};

extern const char *const archive_kb_sql[KB_STATEMENT_N]; /* archive_kb_truth.c */

int archive_kb_fail(struct err *err, sqlite3 *db, const char *what);
/* ?at = v; absent is the empty text. */
void archive_kb_bind(sqlite3_stmt *s, int at, struct str v);
/* Runs a statement that gives no rows. */
int archive_kb_run(sqlite3 *db, sqlite3_stmt *s, struct err *err);
/* A column's text, borrowed until the next step. */
struct str archive_kb_column(sqlite3_stmt *s, int at);

#endif

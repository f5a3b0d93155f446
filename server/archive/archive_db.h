/*
 * archive_db: a connection to the archive's file: opened, migrated, its statements and its errors in plain
 * words.
 *
 * Thread  a connection belongs to one thread at a time.
 * Errors  ERR_BUSY (locked by another), ERR_FULL (disk), ERR_IO, ERR_CORRUPT, ERR_UNSUPPORTED (made by a
 * newer version), ERR_TIMEOUT (interrupted); the text names the file and the cure.
 */
#ifndef ARCHIVE_DB_H
#define ARCHIVE_DB_H

#include "base/base_buf.h"
#include "base/base_err.h"

struct sqlite3;
struct sqlite3_stmt;

/* What all of SQLite is set to in this process; before the first connection of any kind, again does nothing. */
void archive_db_start(void);
/* Gives back the pages over two megabytes that a large transaction left with the writer. */
void archive_db_narrow(struct sqlite3 *db);
/* Opens for reading; ERR_NOT_FOUND if there is no such file. The tokenizer is known, foreign files are
 * refused. */
int archive_db_open_reader(const char *path, struct sqlite3 **out, struct err *err);
/* Opens or makes, sets WAL and synchronous=FULL, migrates to the newest schema. */
int archive_db_open_writer(const char *path, struct sqlite3 **out, struct err *err);
/* Finalizes these statements (none may be left) and closes; NULLs are fine. */
void archive_db_close(struct sqlite3 *db, struct sqlite3_stmt **st, size_t st_n);

/* Prepares statement `name` of embedded file "sql/<file>.sql"; the caller finalizes it. A missing one is a
 * bug: abort. */
int archive_db_prepare(struct sqlite3 *db, const char *path, const char *file, const char *name,
                       struct sqlite3_stmt **out, struct err *err);
/* Turns the connection's last error into one of ours: "archive PATH: WHAT: why: cure". */
int archive_db_fail(struct sqlite3 *db, const char *path, const char *what, struct err *err);
/* ?i = s; NULL where s is absent. The bytes must live until the next reset. */
void archive_db_bind(struct sqlite3_stmt *st, int i, struct str s);
/* The text or blob of a column, borrowed until the next step; absent if NULL. */
struct str archive_db_col(struct sqlite3_stmt *st, int i);
/* Binds by name (":rep"), where the statement has it. */
void archive_db_name_str(struct sqlite3_stmt *st, const char *name, struct str s);
void archive_db_name_int(struct sqlite3_stmt *st, const char *name, int64_t v);

#endif

/*
 * A copy of the archive while it is written: heads and key first, then the rows. So the copy's heads are
 * never ahead of its rows, which is what archive_open() and verify ask for. And one of the knowledge base's tables.
 */
#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive.h"
#include "archive/archive_db.h"
#include "archive/archive_kb.h"

#define BUSY_MS    50
#define BUSY_TIMES 200

static char *join(const char *a, const char *b)
{
    char *p;

    if (asprintf(&p, "%s%s", a, b) < 0)
        mem_out();
    return p;
}

static int copy_bytes(int from, int to)
{
    char bytes[65536];
    ssize_t n;

    while ((n = read(from, bytes, sizeof bytes)) > 0) {
        for (ssize_t done = 0; done < n;) {
            ssize_t put = write(to, bytes + done, (size_t)(n - done));

            if (put <= 0)
                return -1;
            done += put;
        }
    }
    return n < 0 ? -1 : fsync(to);
}

/* Copies path+tail to to+tail. */
static int copy_file(const char *path, const char *tail, const char *to, struct err *err)
{
    char *from_path = join(path, tail), *to_path = join(to, tail);
    int from = open(from_path, O_RDONLY | O_CLOEXEC), fd = -1, rc = 0;

    if (from < 0)
        rc = err_set(err, ERR_IO, "backup of %s: %m", from_path);
    else if ((fd = open(to_path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600)) < 0)
        rc = err_set(err, errno == EEXIST ? ERR_EXISTS : ERR_IO, "backup to %s: %m", to_path);
    else if (copy_bytes(from, fd) < 0)
        rc = err_set(err, errno == ENOSPC ? ERR_FULL : ERR_IO, "backup to %s: %m", to_path);
    if (from >= 0)
        close(from);
    if (fd >= 0)
        close(fd);
    free(from_path);
    free(to_path);
    return rc;
}

/* Copies all pages of one moment: a writer that commits in between makes SQLite begin anew, so they go in one
 * step. */
static int copy_rows(sqlite3 *from, const char *path, const char *to_path, struct err *err)
{
    sqlite3 *to = NULL;
    sqlite3_backup *b = NULL;
    int got = SQLITE_OK, rc = 0;

    if (sqlite3_open_v2(to_path, &to, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) == SQLITE_OK)
        b = sqlite3_backup_init(to, "main", from, "main");
    if (!b) {
        rc = archive_db_fail(to, to_path, "backup", err);
    } else {
        for (int i = 0; i < BUSY_TIMES && (got = sqlite3_backup_step(b, -1)) != SQLITE_DONE; i++) {
            if (got != SQLITE_OK && got != SQLITE_BUSY && got != SQLITE_LOCKED)
                break;
            sqlite3_sleep(BUSY_MS);
        }
        sqlite3_backup_finish(b);
        if (got != SQLITE_DONE)
            rc = err_set(err, (got & 0xff) == SQLITE_FULL ? ERR_FULL : ERR_IO, "backup of %s to %s: %s", path,
                         to_path, sqlite3_errstr(got));
    }
    sqlite3_close(to);
    return rc;
}

/* From here on, until the transaction ends, this connection reads the rows of one moment. */
static int begin_moment(sqlite3 *db, const char *path, int64_t *rows, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = 0;

    if (sqlite3_exec(db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK || sqlite3_prepare_v2(db, "SELECT n FROM chain", -1, &st, NULL) != SQLITE_OK ||
        sqlite3_step(st) != SQLITE_ROW)
        rc = archive_db_fail(db, path, "backup", err);
    else
        *rows = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    return rc;
}

int archive_backup(const char *path, const char *to, int (*on_moment)(void *ctx, bool is_over, struct err *err), void *ctx,
                   int64_t *rows, struct err *err)
{
    int64_t n = 0;
    sqlite3 *db = NULL;
    int rc = archive_db_open_reader(path, &db, err);

    if (rc == 0 && access(to, F_OK) == 0)
        rc = err_set(err, ERR_EXISTS, "backup to %s: it is there already: name an empty directory", to);
    if (rc == 0)
        rc = copy_file(path, ".key", to, err);
    if (rc == 0)
        rc = copy_file(path, ".heads", to, err);
    if (rc == 0 && on_moment)
        rc = on_moment(ctx, false, err);
    if (rc == 0)
        rc = begin_moment(db, path, &n, err);
    if (rc == 0 && on_moment)
        rc = on_moment(ctx, true, err);
    if (rc == 0)
        rc = copy_rows(db, path, to, err);
    if (rc == 0 && chmod(to, 0600) < 0)
        rc = err_set(err, ERR_IO, "backup to %s: %m", to);
    archive_db_close(db, NULL, 0);
    if (rc == 0)
        *rows = n;
    return rc;
}

int archive_kb_backup(const char *path, const char *to, struct err *err)
{
    static const char learned[] = "-learned";
    char *state = join(path, learned);
    sqlite3 *db = NULL;
    int rc = 0;

    archive_db_start();
    if (access(path, F_OK) < 0)
        rc = err_set(err, ERR_NOT_FOUND, "%s: %m", path);
    else if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK)
        rc = archive_db_fail(db, path, "backup", err);
    if (rc == 0)
        rc = copy_rows(db, path, to, err);
    if (rc == 0 && chmod(to, 0600) < 0)
        rc = err_set(err, ERR_IO, "backup to %s: %m", to);
    if (rc == 0 && access(state, F_OK) == 0)
        rc = copy_file(path, learned, to, err);
    sqlite3_close(db);
    free(state);
    return rc;
}

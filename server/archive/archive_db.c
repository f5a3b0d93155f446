#include "archive/archive_db.h"

#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive/archive_kb.h"
#include "archive/archive_pace.h"
#include "base/base_embed.h"

/* The writer's pages: a large transaction finds its own again, and gives back behind itself what is over. */
#define CACHE_WIDE "PRAGMA cache_size = -8192;"
#define CACHE_KEPT "PRAGMA cache_size = -2048;"
#define KEPT_BYTES (5 << 19) /* somewhat more, for what a page takes beside its bytes */

#define APPLICATION_ID 0x464c6172 /* "FLar" */
#define BUSY_MS        2000

int archive_db_fail(sqlite3 *db, const char *path, const char *what, struct err *err)
{
    int code = db ? sqlite3_errcode(db) : SQLITE_NOMEM;
    const char *why = db ? sqlite3_errmsg(db) : "out of memory";

    switch (code & 0xff) {
    case SQLITE_FULL:
        return err_set(err, ERR_FULL, "archive %s: %s: the disk is full: make room there", path, what);
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return err_set(err, ERR_BUSY,
                       "archive %s: %s: another program holds the file locked: close that program", path,
                       what);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return err_set(err, ERR_CORRUPT, "archive %s: %s: the file is damaged (%s): restore it from a backup",
                       path, what, why);
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return err_set(err, ERR_IO, "archive %s: %s: the file can't be written: check its owner and mode",
                       path, what);
    case SQLITE_CANTOPEN:
        return err_set(err, ERR_IO,
                       "archive %s: %s: it can't be opened: check the directory, its owner and mode", path,
                       what);
    case SQLITE_NOMEM:
        return err_set(err, ERR_NO_MEMORY, "archive %s: %s: out of memory", path, what);
    case SQLITE_INTERRUPT:
        return err_set(err, ERR_TIMEOUT, "archive %s: %s: it took too long: narrow the search", path, what);
    default:
        return err_set(err, ERR_IO, "archive %s: %s: %s (%d): check the disk", path, what, why,
                       db ? sqlite3_extended_errcode(db) : code);
    }
}

void archive_db_close(sqlite3 *db, sqlite3_stmt **st, size_t st_n)
{
    for (size_t i = 0; i < st_n; i++)
        sqlite3_finalize(st[i]);
    sqlite3_close(db);
}

static int run(sqlite3 *db, const char *path, const char *sql, const char *what, struct err *err)
{
    return sqlite3_exec(db, sql, NULL, NULL, NULL) == SQLITE_OK ? 0 : archive_db_fail(db, path, what, err);
}

static int ask_int(sqlite3 *db, const char *path, const char *sql, int64_t *out, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = 0;

    if (sqlite3_prepare_v2(db, sql, -1, &st, NULL) == SQLITE_OK && sqlite3_step(st) == SQLITE_ROW)
        *out = sqlite3_column_int64(st, 0);
    else
        rc = archive_db_fail(db, path, "open", err);
    sqlite3_finalize(st);
    return rc;
}

/* The schema's version that this program knows: the number of its last migration. */
static int64_t newest_version(void)
{
    const struct embed *e;
    int64_t v = 0;
    size_t i = 0;

    while ((e = embed_next("migrations/", &i)))
        v = strtoll(e->name + strlen("migrations/"), NULL, 10);
    return v;
}

/* Refuses what another program made, and what a newer Firstline made. *version: 0 if it is a new file. */
static int check_origin(sqlite3 *db, const char *path, int64_t *version, struct err *err)
{
    int64_t app = 0, tables = 0;
    int rc = ask_int(db, path, "PRAGMA application_id", &app, err);

    if (rc == 0)
        rc = ask_int(db, path, "PRAGMA user_version", version, err);
    if (rc == 0)
        rc = ask_int(db, path, "SELECT count(*) FROM sqlite_master", &tables, err);
    if (rc < 0)
        return rc;
    if (app != APPLICATION_ID && (tables > 0 || app != 0))
        return err_set(err, ERR_CORRUPT, "archive %s: it is another program's database: name another file",
                       path);
    if (*version > newest_version())
        return err_set(
            err, ERR_UNSUPPORTED,
            "archive %s: a newer Firstline made it (schema %lld, this one knows %lld): run the newer one",
            path, (long long)*version, (long long)newest_version());
    return 0;
}

static int migrate_one(sqlite3 *db, const char *path, const struct embed *e, int64_t version, struct err *err)
{
    char set[96];
    int rc;

    snprintf(set, sizeof set, "PRAGMA application_id = %d; PRAGMA user_version = %lld; COMMIT",
             APPLICATION_ID, (long long)version);
    rc = run(db, path, "BEGIN IMMEDIATE", "migrate", err);
    if (rc == 0)
        rc = run(db, path, e->data.s, e->name, err);
    if (rc == 0)
        rc = run(db, path, set, "migrate", err);
    if (rc < 0)
        sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    return rc;
}

static int migrate(sqlite3 *db, const char *path, int64_t have, struct err *err)
{
    const struct embed *e;
    size_t i = 0;
    int rc = 0;

    while (rc == 0 && (e = embed_next("migrations/", &i))) {
        int64_t version = strtoll(e->name + strlen("migrations/"), NULL, 10);

        if (version > have)
            rc = migrate_one(db, path, e, version, err);
    }
    return rc;
}

/* SQLite counts no bytes: a lock at each malloc and free, and nobody asks for the figures. Refused if SQLite began without it: as well. */
static void configure(void)
{
    sqlite3_config(SQLITE_CONFIG_MEMSTATUS, 0);
}

void archive_db_narrow(sqlite3 *db)
{
    int used, most;

    if (sqlite3_db_status(db, SQLITE_DBSTATUS_CACHE_USED, &used, &most, 0) == SQLITE_OK && used > KEPT_BYTES)
        sqlite3_exec(db, CACHE_KEPT CACHE_WIDE, NULL, NULL, NULL);
}

void archive_db_start(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, configure);
}

static int open_file(const char *path, int flags, const char *vfs, sqlite3 **out, struct err *err)
{
    int rc = 0;

    archive_db_start();
    if (sqlite3_open_v2(path, out, flags | SQLITE_OPEN_NOMUTEX | SQLITE_OPEN_EXRESCODE, vfs) != SQLITE_OK)
        rc = archive_db_fail(*out, path, "open", err);
    if (rc == 0) {
        sqlite3_busy_timeout(*out, BUSY_MS);
        rc = archive_words_register(*out, err);
    }
    return rc;
}

int archive_db_open_reader(const char *path, sqlite3 **out, struct err *err)
{
    int64_t version = 0;
    sqlite3 *db = NULL;
    FILE *f = fopen(path, "rb");
    int rc;

    if (!f)
        return err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "archive %s: %m", path);
    fclose(f);
    rc = open_file(path, SQLITE_OPEN_READONLY, NULL, &db, err);
    if (rc == 0)
        rc = check_origin(db, path, &version, err);
    if (rc == 0 && version < newest_version())
        rc = err_set(err, ERR_UNSUPPORTED,
                     "archive %s: an older Firstline made it: start the server once, it migrates it", path);
    if (rc < 0) {
        archive_db_close(db, NULL, 0);
        return rc;
    }
    sqlite3_exec(db, "PRAGMA cache_size = -1024; PRAGMA query_only = 1", NULL, NULL, NULL);
    *out = db;
    return 0;
}

int archive_db_open_writer(const char *path, sqlite3 **out, struct err *err)
{
    int64_t version = 0;
    sqlite3 *db = NULL;
    int rc;

    archive_db_start();
    rc = open_file(path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, archive_pace_vfs(), &db, err);
    if (rc == 0)
        rc = check_origin(db, path, &version, err);
    if (rc == 0) /* erased text must not survive in free pages */
        rc = run(db, path,
                 "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA secure_delete = ON;"
                 "PRAGMA wal_autocheckpoint = 0; PRAGMA temp_store = MEMORY;" CACHE_WIDE,
                 "open", err);
    if (rc == 0)
        rc = migrate(db, path, version, err);
    if (rc == 0)
        archive_pace_watch(db);
    if (rc < 0) {
        archive_db_close(db, NULL, 0);
        return rc;
    }
    *out = db;
    return 0;
}

/* The text of `-- :name` in an embedded file: up to the next such line. */
static struct str find_sql(const char *file, const char *name)
{
    char path[64], head[64];
    const struct embed *e;
    const char *from, *to;

    snprintf(path, sizeof path, "sql/%s.sql", file);
    snprintf(head, sizeof head, "-- :%s\n", name);
    e = embed_find(path);
    from = e ? strstr(e->data.s, head) : NULL;
    if (!from) {
        fprintf(stderr, "archive: no statement %s in %s\n", name, path);
        abort();
    }
    from += strlen(head);
    to = strstr(from, "-- :");
    return (struct str){from, to ? (size_t)(to - from) : strlen(from)};
}

int archive_db_prepare(sqlite3 *db, const char *path, const char *file, const char *name, sqlite3_stmt **out,
                       struct err *err)
{
    struct str sql = find_sql(file, name);

    if (sqlite3_prepare_v3(db, sql.s, (int)sql.n, SQLITE_PREPARE_PERSISTENT, out, NULL) != SQLITE_OK)
        return archive_db_fail(db, path, name, err);
    return 0;
}

void archive_db_bind(sqlite3_stmt *st, int i, struct str s)
{
    if (s.s)
        sqlite3_bind_text(st, i, s.s, (int)s.n, SQLITE_STATIC);
    else
        sqlite3_bind_null(st, i);
}

struct str archive_db_col(sqlite3_stmt *st, int i)
{
    const char *s = sqlite3_column_blob(st, i);
    int n = sqlite3_column_bytes(st, i);

    if (sqlite3_column_type(st, i) == SQLITE_NULL)
        return STR_NONE;
    return (struct str){s ? s : "", (size_t)n};
}

void archive_db_name_str(sqlite3_stmt *st, const char *name, struct str s)
{
    int i = sqlite3_bind_parameter_index(st, name);

    if (i > 0)
        archive_db_bind(st, i, s);
}

void archive_db_name_int(sqlite3_stmt *st, const char *name, int64_t v)
{
    int i = sqlite3_bind_parameter_index(st, name);

    if (i > 0)
        sqlite3_bind_int64(st, i, v);
}

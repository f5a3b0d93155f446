/* The accounts that the archive knows, for the command line: on a connection that only reads, the server may
 * be running. */
#include <sqlite3.h>
#include <stdio.h>

#include "archive/archive.h"
#include "archive/archive_db.h"
#include "people/people.h"

struct accounts {
    const char *path;
    sqlite3 *db;
    sqlite3_stmt *people, *log;
};

static int check_site(const struct accounts *a, const char *site, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = archive_db_prepare(a->db, a->path, "archive_read", "meta", &st, err);

    if (rc < 0)
        return rc;
    archive_db_name_str(st, ":key", STR("site"));
    if (sqlite3_step(st) != SQLITE_ROW)
        rc = archive_db_fail(a->db, a->path, "read its site", err);
    else if (!str_is(archive_db_col(st, 0), site))
        rc = err_set(err, ERR_INVALID, "archive %s: it belongs to site %.*s, not to %s: name another file",
                     a->path, STR_FMT(archive_db_col(st, 0)), site);
    sqlite3_finalize(st);
    return rc;
}

/* An entry left out could be the one that closed the account: what can't be read is no account's. */
static int fold_row(const struct accounts *a, struct people_rep *p, int64_t seq, struct str body,
                    struct err *err)
{
    struct entry e;
    int rc = body.s ? entry_read(body, &e, NULL) : ERR_UNSUPPORTED;

    if (rc == 0)
        people_apply(p, &e);
    if (body.s)
        entry_fini(&e);
    if (rc < 0 && rc != ERR_UNSUPPORTED) /* erased, or a newer version's kind */
        return err_set(err, ERR_CORRUPT,
                       "archive %s: entry %lld of %s is damaged: restore the file from a backup", a->path,
                       (long long)seq, p->id);
    return 0;
}

static int fold_log(const struct accounts *a, struct str log, struct people_rep *p, struct err *err)
{
    int got = SQLITE_ROW, rc = 0;

    memset(p, 0, sizeof *p);
    snprintf(p->id, sizeof p->id, "%.*s", STR_FMT(log));
    sqlite3_reset(a->log);
    archive_db_name_str(a->log, ":log", log);
    archive_db_name_int(a->log, ":from", 0);
    while (rc == 0 && (got = sqlite3_step(a->log)) == SQLITE_ROW)
        rc = fold_row(a, p, sqlite3_column_int64(a->log, 0), archive_db_col(a->log, 3), err);
    if (rc == 0 && got != SQLITE_DONE)
        rc = archive_db_fail(a->db, a->path, "read an account", err);
    return rc;
}

int archive_accounts(const char *path, const char *site,
                     int (*each)(void *ctx, const struct people_rep *p, int64_t head, struct err *err),
                     void *ctx, struct err *err)
{
    struct accounts a = {.path = path};
    struct people_rep p;
    int got = SQLITE_ROW, rc = archive_db_open_reader(path, &a.db, err);

    if (rc < 0)
        return rc;
    rc = check_site(&a, site, err);
    if (rc == 0)
        rc = archive_db_prepare(a.db, path, "archive_read", "people", &a.people, err);
    if (rc == 0)
        rc = archive_db_prepare(a.db, path, "archive_read", "log", &a.log, err);
    while (rc == 0 && (got = sqlite3_step(a.people)) ==
                          SQLITE_ROW) { /* it is open all the while: all that is read is of one moment */
        rc = fold_log(&a, archive_db_col(a.people, 0), &p, err);
        if (rc == 0 && p.login[0])
            rc = each(ctx, &p, sqlite3_column_int64(a.people, 1), err);
    }
    if (rc == 0 && got != SQLITE_DONE)
        rc = archive_db_fail(a.db, path, "read the accounts", err);
    archive_db_close(a.db, (sqlite3_stmt *[]){a.people, a.log}, 2);
    return rc;
}

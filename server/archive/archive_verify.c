/*
 * archive verify and archive export, on a connection that only reads: the server may be running.
 *
 * verify walks the rows in the order of the chain and makes every hash anew. The heads are read before the
 * rows, so a commit that comes in between is no finding. After a wrong row it goes on from the hash that
 * stands there, so that one edit is one finding.
 */
#include <inttypes.h>
#include <stdio.h>
#include <sqlite3.h>
#include <stdlib.h>

#include "archive/archive.h"
#include "archive/archive_chain.h"
#include "archive/archive_db.h"
#include "archive/archive_reader.h"
#include "protocol/protocol.h"

#define FINDINGS_MAX 20

struct verify {
    const char *path;
    sqlite3 *db;
    struct archive_seal seal;
    struct archive_head *heads;
    size_t heads_n, head_i;
    int64_t n; /* the row walked last */
    unsigned char hash[ARCHIVE_HASH];
    bool remade; /* a head did not match though all rows chain */
    unsigned findings;
    int64_t erased;
    struct buf *out;
    struct err *err;
};

static void found(struct verify *v, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

static void found(struct verify *v, const char *fmt, ...)
{
    char text[400];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof text, fmt, ap);
    va_end(ap);
    if (v->findings++ == 0)
        err_set(v->err, ERR_CORRUPT, "archive %s: %s", v->path, text);
    if (v->findings <= FINDINGS_MAX)
        buf_printf(v->out, "%s\n", text);
}

/* --- one row */

/* A body may be missing only if a `redacted` entry of its log, itself in the chain, names it. */
static int check_erased(struct verify *v, struct str log, int64_t seq)
{
    sqlite3_stmt *st = NULL;
    int got, rc = archive_db_prepare(v->db, v->path, "archive_read", "verify_erased", &st, v->err);

    if (rc < 0)
        return rc;
    archive_db_name_str(st, ":log", log);
    archive_db_name_int(st, ":seq", seq);
    got = sqlite3_step(st);
    if (got == SQLITE_DONE)
        found(v,
              "row %" PRId64 " (%.*s, seq %" PRId64
              "): its text is gone, and no redacted entry says so: deletion",
              v->n, STR_FMT(log), seq);
    else if (got != SQLITE_ROW)
        rc = archive_db_fail(v->db, v->path, "verify", v->err);
    sqlite3_finalize(st);
    v->erased++;
    return rc;
}

static void check_heads(struct verify *v)
{
    while (v->head_i < v->heads_n && v->heads[v->head_i].n < v->n)
        v->head_i++;
    for (; v->head_i < v->heads_n && v->heads[v->head_i].n == v->n; v->head_i++) {
        if (!crypto_equal(v->heads[v->head_i].hash, v->hash, ARCHIVE_HASH) && v->findings == 0 &&
            !v->remade) {
            v->remade = true;
            found(v,
                  "row %" PRId64 ": the sealed head of that commit is another one: rows up to here were "
                                 "changed and chained anew",
                  v->n);
        }
    }
}

static int check_row(struct verify *v, sqlite3_stmt *st)
{
    struct archive_link link = {.n = sqlite3_column_int64(st, 0),
                                .seq = sqlite3_column_int64(st, 2),
                                .at_ms = sqlite3_column_int64(st, 3),
                                .log = archive_db_col(st, 1),
                                .kind = archive_db_col(st, 4)};
    struct str body = archive_db_col(st, 5), salt = archive_db_col(st, 6), sum = archive_db_col(st, 7),
               hash = archive_db_col(st, 8);
    unsigned char made[ARCHIVE_HASH];
    int rc = 0;

    if (link.n != v->n + 1)
        found(v, "rows %" PRId64 " to %" PRId64 " are missing: deletion", v->n + 1, link.n - 1);
    v->n = link.n;
    if (sum.n != ARCHIVE_HASH || hash.n != ARCHIVE_HASH) {
        found(v, "row %" PRId64 " (%.*s, seq %" PRId64 "): its hashes are gone: edit", link.n,
              STR_FMT(link.log), link.seq);
        return 0;
    }
    memcpy(link.sum, sum.s, ARCHIVE_HASH);
    archive_chain_next(made, v->hash, &link);
    if (!crypto_equal(made, hash.s, ARCHIVE_HASH))
        found(v,
              "row %" PRId64 " (%.*s, seq %" PRId64
              "): it does not chain to the row before: edit, insertion or swap",
              link.n, STR_FMT(link.log), link.seq);
    memcpy(v->hash, hash.s, ARCHIVE_HASH);
    if (body.s) {
        if (salt.s) /* erasing takes it along: words without one were put there since */
            archive_chain_sum(made, salt, body);
        if (!salt.s || !crypto_equal(made, sum.s, ARCHIVE_HASH))
            found(v, "row %" PRId64 " (%.*s, seq %" PRId64 "): its text is not what was written: edit",
                  link.n, STR_FMT(link.log), link.seq);
    } else {
        rc = check_erased(v, link.log, link.seq);
    }
    check_heads(v);
    return rc;
}

/* --- the whole */

static int walk(struct verify *v)
{
    sqlite3_stmt *st = NULL;
    int got = SQLITE_DONE,
        rc = archive_db_prepare(v->db, v->path, "archive_read", "verify_rows", &st, v->err);

    while (rc == 0 && (got = sqlite3_step(st)) == SQLITE_ROW)
        rc = check_row(v, st);
    if (rc == 0 && got != SQLITE_DONE)
        rc = archive_db_fail(v->db, v->path, "verify", v->err);
    sqlite3_finalize(st);
    return rc;
}

/* An entry is left out of what is shown only where the same one stands again. */
static int check_voided(struct verify *v)
{
    sqlite3_stmt *st = NULL;
    int got = SQLITE_DONE, rc = archive_db_prepare(v->db, v->path, "archive_read", "verify_voided", &st, v->err);

    while (rc == 0 && (got = sqlite3_step(st)) == SQLITE_ROW)
        found(v, "row %" PRId64 " (%.*s, seq %" PRId64 "): it is left out as said again, and isn't: edit",
              (int64_t)sqlite3_column_int64(st, 0), STR_FMT(archive_db_col(st, 1)), (int64_t)sqlite3_column_int64(st, 2));
    if (rc == 0 && got != SQLITE_DONE)
        rc = archive_db_fail(v->db, v->path, "verify", v->err);
    sqlite3_finalize(st);
    return rc;
}

/* True if this version can fold the entry; a chat of which it can't fold any has no row. */
static bool is_folded(struct str body)
{
    struct entry e;
    bool folded = body.s && entry_read(body, &e, NULL) == 0;

    if (body.s)
        entry_fini(&e);
    return folded;
}

/* What isn't in its list is read by nobody. */
static int check_hidden(struct verify *v)
{
    sqlite3_stmt *st = NULL;
    int got = SQLITE_DONE, rc = archive_db_prepare(v->db, v->path, "archive_read", "verify_hidden", &st, v->err);

    while (rc == 0 && (got = sqlite3_step(st)) == SQLITE_ROW) {
        struct str log = archive_db_col(st, 1);

        if (str_is(log, "@reviews") || is_folded(archive_db_col(st, 3)))
            found(v, "row %" PRId64 " (%.*s, seq %" PRId64 "): no list shows it: deletion", (int64_t)sqlite3_column_int64(st, 0),
                  STR_FMT(log), (int64_t)sqlite3_column_int64(st, 2));
    }
    if (rc == 0 && got != SQLITE_DONE)
        rc = archive_db_fail(v->db, v->path, "verify", v->err);
    sqlite3_finalize(st);
    return rc;
}

/* The last commit, as the database tells it, under its seal. */
static int check_end(struct verify *v)
{
    struct archive_head h;
    sqlite3_stmt *st = NULL;
    int rc = archive_db_prepare(v->db, v->path, "archive_read", "verify_chain", &st, v->err);

    if (rc < 0)
        return rc;
    if (sqlite3_step(st) == SQLITE_ROW && archive_db_col(st, 1).n == ARCHIVE_HASH &&
        archive_db_col(st, 2).n == ARCHIVE_HASH) {
        h.n = sqlite3_column_int64(st, 0);
        memcpy(h.hash, archive_db_col(st, 1).s, ARCHIVE_HASH);
        memcpy(h.mac, archive_db_col(st, 2).s, ARCHIVE_HASH);
        if (!archive_seal_holds(&v->seal, &h))
            found(v, "the head of the last commit (row %" PRId64 ") does not bear the key's seal: edit", h.n);
        if (h.n > v->n)
            found(v, "it ends at row %" PRId64 ", the last commit was at %" PRId64 ": cut tail", v->n, h.n);
        else if (h.n < v->n)
            found(v, "rows %" PRId64 " to %" PRId64 " stand behind the last commit: insertion", h.n + 1,
                  v->n);
        else if (v->findings == 0 && !crypto_equal(h.hash, v->hash, ARCHIVE_HASH))
            found(v, "row %" PRId64 ": it is not the one that the last commit sealed: edit", v->n);
    } else {
        found(v, "the chain's head is gone: deletion");
    }
    sqlite3_finalize(st);
    return 0;
}

/* Heads without the seal, or out of their order, are told, and not taken for proof of anything. */
static void check_seals(struct verify *v)
{
    size_t kept = 0;

    if (v->heads_n == 0) /* that of row 0 is made with the archive */
        found(v, "%s holds no head: deletion", v->seal.heads_path);
    for (size_t i = 0; i < v->heads_n; i++) {
        if (!archive_seal_holds(&v->seal, &v->heads[i]))
            found(v, "the head of row %" PRId64 " in %s does not bear the key's seal: edit", v->heads[i].n,
                  v->seal.heads_path);
        else if (kept > 0 && v->heads[i].n <= v->heads[kept - 1].n)
            found(v, "the head of row %" PRId64 " in %s stands behind that of row %" PRId64 ": swap", v->heads[i].n,
                  v->seal.heads_path, v->heads[kept - 1].n);
        else
            v->heads[kept++] = v->heads[i];
    }
    v->heads_n = kept;
}

static void check_tail(struct verify *v)
{
    int64_t last = v->heads_n > 0 ? v->heads[v->heads_n - 1].n : 0;

    if (last > v->n)
        found(v, "it ends at row %" PRId64 ", but row %" PRId64 " was sealed: cut tail", v->n, last);
}

static int read_id(struct verify *v)
{
    sqlite3_stmt *st = NULL;
    int rc = 0;

    if (sqlite3_prepare_v2(v->db, "SELECT value FROM meta WHERE key = 'id'", -1, &st, NULL) == SQLITE_OK &&
        sqlite3_step(st) == SQLITE_ROW)
        snprintf(v->seal.id, sizeof v->seal.id, "%s", (const char *)sqlite3_column_text(st, 0));
    else
        rc = archive_db_fail(v->db, v->path, "read its id", v->err);
    sqlite3_finalize(st);
    archive_chain_start(v->hash, str_of(v->seal.id));
    return rc;
}

int archive_verify(const char *path, struct buf *out, struct err *err)
{
    struct verify v = {.path = path, .out = out, .err = err, .seal.heads_fd = -1};
    int rc = archive_db_open_reader(path, &v.db, err);

    if (rc == 0)
        rc = archive_seal_init(&v.seal, path, false, err);
    if (rc == 0)
        rc = archive_seal_read(&v.seal, &v.heads, &v.heads_n, err);
    if (rc == 0 && sqlite3_exec(v.db, "BEGIN", NULL, NULL, NULL) != SQLITE_OK)
        rc = archive_db_fail(v.db, path, "verify", err);
    if (rc == 0)
        rc = read_id(&v);
    if (rc == 0)
        check_seals(&v);
    if (rc == 0)
        rc = walk(&v);
    if (rc == 0)
        rc = check_voided(&v);
    if (rc == 0)
        rc = check_hidden(&v);
    if (rc == 0)
        rc = check_end(&v);
    if (rc == 0)
        check_tail(&v);
    if (rc == 0 && v.findings == 0)
        buf_printf(out,
                   "archive %s: %" PRId64 " rows chain, %zu heads bear the seal, %" PRId64
                   " texts were erased\n",
                   path, v.n, v.heads_n, v.erased);
    else if (v.findings > FINDINGS_MAX)
        buf_printf(out, "and %u more\n", v.findings - FINDINGS_MAX);
    archive_db_close(v.db, NULL, 0);
    archive_seal_fini(&v.seal);
    free(v.heads);
    return rc < 0 ? rc : v.findings > 0 ? ERR_CORRUPT : 0;
}

/* --- export */

static int write_rows(sqlite3 *db, const char *path, sqlite3_stmt *st,
                      int (*write)(void *ctx, struct str line), void *ctx, struct err *err)
{
    struct buf tombstone;
    int got = SQLITE_ROW, rc = 0;

    buf_init(&tombstone, 4096);
    while (rc >= 0 && (got = sqlite3_step(st)) == SQLITE_ROW) {
        struct str body = archive_db_col(st, 3);

        buf_reset(&tombstone);
        if (!body.s) {
            archive_tombstone(&tombstone, archive_db_col(st, 0), sqlite3_column_int64(st, 1),
                              sqlite3_column_int64(st, 2));
            body = buf_str(&tombstone);
        }
        rc = write(ctx, body);
    }
    buf_fini(&tombstone);
    if (rc < 0)
        return err_set(err, rc, "the export was stopped");
    return got == SQLITE_DONE ? 0 : archive_db_fail(db, path, "export", err);
}

int archive_export(const char *path, bool all, int (*write)(void *ctx, struct str line), void *ctx,
                   struct err *err)
{
    sqlite3_stmt *st = NULL;
    sqlite3 *db = NULL;
    int rc = archive_db_open_reader(path, &db, err);

    if (rc == 0)
        rc = archive_db_prepare(db, path, "archive_read", "export", &st, err);
    if (rc == 0) {
        archive_db_name_int(st, ":all", all);
        rc = write_rows(db, path, st, write, ctx, err);
    }
    archive_db_close(db, &st, 1);
    return rc;
}

/* --- whose file it is */

static int read_meta(const char *path, const char *key, char *out, size_t size, struct err *err)
{
    sqlite3_stmt *st = NULL;
    sqlite3 *db = NULL;
    int rc = archive_db_open_reader(path, &db, err);

    if (rc < 0)
        return rc;
    if (sqlite3_prepare_v2(db, "SELECT value FROM meta WHERE key = ?1", -1, &st, NULL) != SQLITE_OK ||
        sqlite3_bind_text(st, 1, key, -1, SQLITE_STATIC) != SQLITE_OK || sqlite3_step(st) != SQLITE_ROW)
        rc = archive_db_fail(db, path, "read whose it is", err);
    else
        snprintf(out, size, "%.*s", STR_FMT(archive_db_col(st, 0)));
    sqlite3_finalize(st);
    archive_db_close(db, NULL, 0);
    return rc;
}

int archive_read_id(const char *path, char *out, size_t size, struct err *err)
{
    return read_meta(path, "id", out, size, err);
}

int archive_read_site(const char *path, char *out, size_t size, struct err *err)
{
    return read_meta(path, "site", out, size, err);
}

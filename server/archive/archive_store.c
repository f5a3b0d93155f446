#include <errno.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "archive/archive_store_in.h"
#include "base/base_fail.h"
#include "log/log.h"

#define TEXTS_MAX       (64u << 20)
#define LOGS_MAX        4096 /* known at once, about 1 KiB each */
#define WAL_PAGES_MANY  8192 /* then the WAL is moved into the file even when there is work */
#define WAL_PAGES_QUIET 64

static const char *const names[WRITE_N] = {
#define ARCHIVE_WRITE_NAME(name) #name,
    ARCHIVE_WRITE_MAP(ARCHIVE_WRITE_NAME)
#undef ARCHIVE_WRITE_NAME
};

int archive_store_step(struct archive_store *s, enum archive_write w, const char *what, struct err *err)
{
    int rc = sqlite3_step(s->st[w]) == SQLITE_DONE ? 0 : archive_db_fail(s->db, s->path, what, err);

    sqlite3_reset(s->st[w]);
    return rc;
}

int archive_store_row(struct archive_store *s, enum archive_write w, const char *what, struct err *err)
{
    int got = sqlite3_step(s->st[w]), rc;

    if (got == SQLITE_ROW)
        return 1;
    rc = got == SQLITE_DONE ? 0 : archive_db_fail(s->db, s->path, what, err);
    sqlite3_reset(s->st[w]);
    return rc;
}

/* --- the lock */

/* Who holds the lock, as written in it. */
static void read_holder(int fd, char *out, size_t size)
{
    ssize_t n = pread(fd, out, size - 1, 0);

    n = n < 0 ? 0 : n;
    out[n] = '\0';
    out[strcspn(out, "\n")] = '\0';
}

static int take_lock(struct archive_store *s, const char *node, struct err *err)
{
    char path[4096], holder[128];

    if (snprintf(path, sizeof path, "%s.lock", s->path) >= (int)sizeof path)
        return err_set(err, ERR_INVALID, "archive %s: its path is too long", s->path);
    s->lock_fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (s->lock_fd < 0)
        return err_set(err, ERR_IO, "archive lock %s: %m: check the directory, its owner and mode", path);
    if (flock(s->lock_fd, LOCK_EX | LOCK_NB) < 0) {
        if (errno != EWOULDBLOCK)
            return err_set(err, ERR_IO, "archive lock %s: %m", path);
        read_holder(s->lock_fd, holder, sizeof holder);
        return err_set(err, ERR_BUSY, "archive %s: it is in use by %s", s->path,
                       holder[0] ? holder : "another process");
    }
    if (ftruncate(s->lock_fd, 0) == 0) {
        int n = snprintf(holder, sizeof holder, "node %.64s (process %ld)\n", node, (long)getpid());

        (void)!pwrite(s->lock_fd, holder, (size_t)n, 0);
    }
    return 0;
}

/* --- meta, chain, seal */

static int meta_get(struct archive_store *s, const char *key, char *out, size_t size, struct err *err)
{
    sqlite3_stmt *st = NULL;
    int rc = 0;

    out[0] = '\0';
    if (sqlite3_prepare_v2(s->db, "SELECT value FROM meta WHERE key = ?1", -1, &st, NULL) != SQLITE_OK)
        return archive_db_fail(s->db, s->path, "read meta", err);
    archive_db_bind(st, 1, str_of(key));
    if (sqlite3_step(st) == SQLITE_ROW)
        snprintf(out, size, "%s", (const char *)sqlite3_column_text(st, 0));
    else if (sqlite3_errcode(s->db) != SQLITE_DONE)
        rc = archive_db_fail(s->db, s->path, "read meta", err);
    sqlite3_finalize(st);
    return rc;
}

/* A file made just now gets its id, its site and row 0 of the chain. */
static int make_meta(struct archive_store *s, const char *site, struct err *err)
{
    struct archive_head h = {.n = 0};
    sqlite3_stmt *st = NULL;
    unsigned char raw[16];

    crypto_random(raw, sizeof raw);
    crypto_base64url(s->seal.id, raw, sizeof raw);
    archive_chain_start(h.hash, str_of(s->seal.id));
    archive_seal_sign(&s->seal, &h);
    if (sqlite3_exec(s->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(s->db, "INSERT INTO meta (key, value) VALUES ('id', ?1), ('site', ?2)", -1, &st,
                           NULL) == SQLITE_OK) {
        archive_db_bind(st, 1, str_of(s->seal.id));
        archive_db_bind(st, 2, str_of(site));
        sqlite3_step(st);
        sqlite3_finalize(st);
        sqlite3_prepare_v2(
            s->db, "INSERT INTO chain (one, n, head, mac, epoch, counter) VALUES (1, 0, ?1, ?2, '', 0)", -1,
            &st, NULL);
        sqlite3_bind_blob(st, 1, h.hash, sizeof h.hash, SQLITE_STATIC);
        sqlite3_bind_blob(st, 2, h.mac, sizeof h.mac, SQLITE_STATIC);
        sqlite3_step(st);
        sqlite3_finalize(st);
        if (sqlite3_exec(s->db, "COMMIT", NULL, NULL, NULL) == SQLITE_OK)
            return 0;
    }
    return archive_db_fail(s->db, s->path, "make", err);
}

static int read_chain(struct archive_store *s, struct archive_head *h, struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_chain];
    struct str head, mac;
    int rc = archive_store_row(s, WRITE_chain, "read the chain", err);

    if (rc < 0)
        return rc;
    if (rc == 0)
        return err_set(err, ERR_CORRUPT, "archive %s: it has no chain: restore it from a backup", s->path);
    head = archive_db_col(st, 1);
    mac = archive_db_col(st, 2);
    h->n = s->reached.rows = sqlite3_column_int64(st, 0);
    s->reached.counter = sqlite3_column_int64(st, 4);
    s->reached.seen = sqlite3_column_int64(st, 5);
    if (s->reached.seen < s->reached.counter) /* a file of an older version */
        s->reached.seen = s->reached.counter;
    snprintf(s->reached.epoch, sizeof s->reached.epoch, "%s", (const char *)sqlite3_column_text(st, 3));
    rc = head.n == ARCHIVE_HASH && mac.n == ARCHIVE_HASH ? 0 : ERR_CORRUPT;
    if (rc == 0) {
        memcpy(h->hash, head.s, ARCHIVE_HASH);
        memcpy(h->mac, mac.s, ARCHIVE_HASH);
        memcpy(s->reached.head, head.s, ARCHIVE_HASH);
    }
    sqlite3_reset(st);
    return rc == 0 ? 0
                   : err_set(err, rc, "archive %s: its chain is damaged: restore it from a backup", s->path);
}

static int count_quarantine(struct archive_store *s, struct err *err)
{
    int rc = archive_store_row(s, WRITE_quarantine, "read the quarantine", err);

    if (rc < 0)
        return rc;
    s->reached.quarantined = sqlite3_column_int64(s->st[WRITE_quarantine], 0);
    s->reached.quarantined_at_ms = sqlite3_column_int64(s->st[WRITE_quarantine], 1);
    sqlite3_reset(s->st[WRITE_quarantine]);
    return 0;
}

/* What the database says it reached must be sealed, and not lie behind what the file of heads has seen. */
static int check_seal(struct archive_store *s, struct err *err)
{
    struct archive_head h, last;
    int rc = read_chain(s, &h, err);

    if (rc < 0)
        return rc;
    if (!archive_seal_holds(&s->seal, &h))
        return err_set(
            err, ERR_CORRUPT,
            "archive %s: its head does not bear the seal of %s.key: file and key must come from one backup",
            s->path, s->path);
    rc = archive_seal_open_heads(&s->seal, &last, err);
    if (rc < 0)
        return rc;
    if (last.n > h.n)
        return err_set(err, ERR_CORRUPT,
                       "archive %s: it ends at row %lld, but row %lld was there: an older copy or a cut one: "
                       "run archive verify",
                       s->path, (long long)h.n, (long long)last.n);
    if (last.n < 0 && h.n > 0)
        return err_set(err, ERR_CORRUPT, "archive %s: %s is gone or empty: restore it from a backup", s->path,
                       s->seal.heads_path);
    if (last.n != h.n)
        rc = archive_seal_add(&s->seal, &h, err);
    archive_seal_sync(&s->seal); /* of a young archive it is the only line: a power cut that took it would leave a file without heads */
    return rc;
}

static int check_site(struct archive_store *s, const char *site, struct err *err)
{
    char has[256];
    int rc = meta_get(s, "site", has, sizeof has, err);

    if (rc == 0 && strcmp(has, site) != 0)
        rc = err_set(err, ERR_INVALID, "archive %s: it belongs to site %s, not to %s: name another file",
                     s->path, has, site);
    return rc;
}

static int on_wal(void *ctx, sqlite3 *db, const char *name, int pages)
{
    struct archive_store *s = ctx;

    (void)db, (void)name;
    s->wal_pages = pages;
    return SQLITE_OK;
}

/* Whether whoever had it open last was killed before its traces were gone. */
static int read_traces(struct archive_store *s, struct err *err)
{
    char value[16];
    int rc = meta_get(s, "traces", value, sizeof value, err);

    s->has_traces = value[0] != '\0';
    return rc;
}

static int open_db(struct archive_store *s, const char *site, struct err *err)
{
    struct stat st;
    bool is_new;
    int rc = archive_db_open_writer(s->path, &s->db, err);

    for (int w = 0; rc == 0 && w < WRITE_N; w++)
        rc = archive_db_prepare(s->db, s->path, "archive_write", names[w], &s->st[w], err);
    if (rc == 0)
        rc = meta_get(s, "id", s->seal.id, sizeof s->seal.id, err);
    if (rc < 0)
        return rc;
    is_new = s->seal.id[0] == '\0';
    if (stat(s->path, &st) == 0) {
        s->dev = st.st_dev;
        s->ino = st.st_ino;
    }
    sqlite3_wal_hook(s->db, on_wal, s);
    rc = read_traces(s, err);
    if (rc < 0)
        return rc;
    return is_new ? make_meta(s, site, err) : check_site(s, site, err);
}

/* True if the file holds entries already: then its key must be there. */
static bool has_content(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0 && st.st_size > 0;
}

/* Chats are for the server's owner alone; SQLite gives its side files the mode of this one. */
static int make_private(const char *path, struct err *err)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

    if (fd < 0)
        return err_set(err, ERR_IO, "archive %s: %m: check its owner and mode", path);
    close(fd);
    return 0;
}

int archive_store_open(const char *path, const char *site, const char *node, struct archive_store **out,
                       struct err *err)
{
    struct archive_store *s = mem_zalloc(sizeof *s);
    bool make;
    int rc;

    s->path = mem_strdup(path);
    s->lock_fd = -1;
    s->seal.heads_fd = -1;
    map_init(&s->logs);
    buf_init(&s->texts, TEXTS_MAX);
    rc = take_lock(s, node, err);
    make = !has_content(path);
    if (rc == 0)
        rc = make_private(path, err);
    if (rc == 0)
        rc = archive_seal_init(&s->seal, path, make, err);
    if (rc == 0)
        rc = open_db(s, site, err);
    if (rc == 0)
        rc = check_seal(s, err);
    if (rc == 0)
        rc = count_quarantine(s, err);
    if (rc < 0) {
        archive_store_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void archive_store_close(struct archive_store *s)
{
    if (!s)
        return;
    if (s->db)
        archive_store_tidy(s, true);
    archive_store_forget(s);
    map_fini(&s->logs);
    archive_db_close(s->db, s->st, WRITE_N);
    archive_seal_fini(&s->seal);
    buf_fini(&s->texts);
    free(s->dirty);
    free(s->docs);
    free(s->redactions);
    if (s->lock_fd >= 0)
        close(s->lock_fd); /* the lock file stays: unlinking it would let two hold it */
    free(s->path);
    free(s);
}

const char *archive_store_id(const struct archive_store *s)
{
    return s->seal.id;
}

void archive_store_reached(const struct archive_store *s, struct archive_reached *out)
{
    *out = s->reached;
}

bool archive_store_is_untidy(const struct archive_store *s)
{
    return s->has_traces || s->wal_pages >= WAL_PAGES_QUIET;
}

/* Pages are overwritten as they are freed; the index holds the words of what was erased until its lists are made one, and the WAL older
 * pages until it is cut. Who reads hinders the cut: then it is done later. */
static void wipe_traces(struct archive_store *s)
{
    if (archive_store_step(s, WRITE_words_optimize, "optimize", NULL) < 0)
        return;
    archive_seal_sync(&s->seal);
    if (sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_TRUNCATE, NULL, NULL) == SQLITE_OK)
        s->has_traces = archive_store_step(s, WRITE_traces_gone, "optimize", NULL) < 0;
}

void archive_store_tidy(struct archive_store *s, bool quiet)
{
    archive_db_narrow(s->db);
    if (quiet && s->has_traces)
        wipe_traces(s);
    if (s->wal_pages < (quiet ? WAL_PAGES_QUIET : WAL_PAGES_MANY))
        return;
    archive_seal_sync(&s->seal);
    if (quiet) { /* what the next burst needs is read again soon enough */
        archive_store_forget(s);
        sqlite3_db_release_memory(s->db);
    }
    sqlite3_wal_checkpoint_v2(s->db, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL, NULL);
    s->wal_pages = 0; /* the hook tells it anew at the next commit */
}

/* --- logs */

void archive_store_forget(struct archive_store *s)
{
    struct map_item *item;
    uint32_t i = 0;

    while ((item = map_next(&s->logs, &i))) {
        struct archive_log *l = item->value;

        archive_chat_destroy(l->chat);
        free(l);
    }
    map_fini(&s->logs);
    map_init(&s->logs);
    s->dirty_n = 0;
}

static int read_head(struct archive_store *s, struct str name, struct archive_log *l, struct err *err)
{
    int rc;

    archive_db_bind(s->st[WRITE_log_head], 1, name);
    rc = archive_store_row(s, WRITE_log_head, "read a log's head", err);
    if (rc > 0) {
        l->head = sqlite3_column_int64(s->st[WRITE_log_head], 0);
        sqlite3_reset(s->st[WRITE_log_head]);
    }
    return rc < 0 ? rc : 0;
}

int archive_store_log(struct archive_store *s, struct str name, struct archive_log **out, struct err *err)
{
    struct archive_log *l = map_get(&s->logs, name);
    int rc;

    if (!l) {
        l = mem_zalloc(sizeof *l);
        l->is_chat = name.n > 2 && memcmp(name.s, "c_", 2) == 0;
        rc = l->is_chat ? archive_store_load_chat(s, name, l, err) : 0;
        if (rc == 0) /* the row of a chat may have been left behind by an older version */
            rc = read_head(s, name, l, err);
        if (rc < 0) {
            archive_chat_destroy(l->chat);
            free(l);
            return rc;
        }
        map_put(&s->logs, name, l);
    }
    *out = l;
    return 0;
}

/* --- the transaction */

/* A file that was removed or replaced would take the rows along unseen. */
static int check_in_place(const struct archive_store *s, struct err *err)
{
    struct stat st;

    if (stat(s->path, &st) == 0 && st.st_dev == s->dev && st.st_ino == s->ino)
        return 0;
    return err_set(err, ERR_IO, "archive %s: the file was removed or replaced: put it back", s->path);
}

int archive_store_begin(struct archive_store *s, struct err *err)
{
    int rc = check_in_place(s, err);

    FAIL_POINT("archive.before");
    if (s->logs.n > LOGS_MAX)
        archive_store_forget(s);
    s->batch++;
    s->next = s->reached;
    s->dirty_n = s->docs_n = s->redactions_n = 0;
    buf_reset(&s->texts);
    return rc < 0 ? rc : archive_store_step(s, WRITE_begin, "begin", err);
}

static int save_chain(struct archive_store *s, struct archive_head *h, struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_chain_set];

    h->n = s->next.rows;
    memcpy(h->hash, s->next.head, sizeof h->hash);
    archive_seal_sign(&s->seal, h);
    sqlite3_bind_int64(st, 1, h->n);
    sqlite3_bind_blob(st, 2, h->hash, sizeof h->hash, SQLITE_STATIC);
    sqlite3_bind_blob(st, 3, h->mac, sizeof h->mac, SQLITE_STATIC);
    archive_db_bind(st, 4, str_of(s->next.epoch));
    sqlite3_bind_int64(st, 5, s->next.counter);
    sqlite3_bind_int64(st, 6, s->next.seen);
    return archive_store_step(s, WRITE_chain_set, "write the chain", err);
}

int archive_store_end(struct archive_store *s, int rc, struct err *err)
{
    struct archive_head h;
    struct err why;

    if (rc == 0)
        rc = archive_store_save_chats(s, err);
    if (rc == 0)
        rc = archive_store_save_words(s, err);
    if (rc == 0)
        rc = archive_store_redact(s, err);
    if (rc == 0)
        rc = save_chain(s, &h, err);
    if (rc == 0 && FAIL_POINT("archive.inside"))
        rc = err_set(err, ERR_IO, "archive %s: commit: failpoint", s->path);
    if (rc == 0)
        rc = archive_store_step(s, WRITE_commit, "commit", err);
    if (rc < 0) {
        if (!sqlite3_get_autocommit(s->db))
            archive_store_step(s, WRITE_rollback, "rollback", NULL);
        archive_store_forget(s);
        return rc;
    }
    FAIL_POINT("archive.committed");
    if (h.n != s->reached.rows && archive_seal_add(&s->seal, &h, &why) < 0)
        log_error("archive", "head not written why=%s",
                  why.text); /* the rows are safe; the next head covers them */
    s->reached = s->next;
    FAIL_POINT("archive.sealed");
    return 0;
}

/* Each salt is given once, and kept nowhere but in its row. */
static void take_salt(struct archive_store *s, unsigned char out[ARCHIVE_SALT])
{
    if (s->salts_n == 0) {
        crypto_random(s->salts, sizeof s->salts);
        s->salts_n = sizeof s->salts / sizeof *s->salts;
    }
    memcpy(out, s->salts[--s->salts_n], ARCHIVE_SALT);
    memset(s->salts[s->salts_n], 0, ARCHIVE_SALT);
}

int archive_store_add(struct archive_store *s, const struct archive_new *e, struct err *err)
{
    struct archive_link link = {
        .n = s->next.rows + 1, .seq = e->seq, .at_ms = e->at_ms, .log = e->log, .kind = e->kind};
    unsigned char salt[ARCHIVE_SALT], hash[ARCHIVE_HASH];
    sqlite3_stmt *st = s->st[WRITE_entry_add];
    int rc;

    take_salt(s, salt);
    archive_chain_sum(link.sum, (struct str){(char *)salt, sizeof salt}, e->body);
    archive_chain_next(hash, s->next.head, &link);
    sqlite3_bind_int64(st, 1, link.n);
    archive_db_bind(st, 2, e->log);
    sqlite3_bind_int64(st, 3, e->seq);
    sqlite3_bind_int64(st, 4, e->at_ms);
    archive_db_bind(st, 5, e->kind);
    archive_db_bind(st, 6, e->person.s ? e->person : STR(""));
    archive_db_bind(st, 7, e->ref.n > 0 ? e->ref : STR_NONE);
    archive_db_bind(st, 8, e->body);
    sqlite3_bind_blob(st, 9, salt, sizeof salt, SQLITE_STATIC);
    sqlite3_bind_blob(st, 10, link.sum, sizeof link.sum, SQLITE_STATIC);
    sqlite3_bind_blob(st, 11, hash, sizeof hash, SQLITE_STATIC);
    rc = sqlite3_step(st);
    if (rc != SQLITE_DONE)
        rc = sqlite3_extended_errcode(s->db) == SQLITE_CONSTRAINT_UNIQUE
                 ? err_set(err, ERR_EXISTS, "it stands there already")
                 : archive_db_fail(s->db, s->path, "write a row", err);
    else
        rc = 0;
    sqlite3_reset(st);
    if (rc == 0) {
        s->next.rows++;
        memcpy(s->next.head, hash, sizeof hash);
    }
    return rc;
}

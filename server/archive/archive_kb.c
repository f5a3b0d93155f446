#include "archive/archive_kb_in.h"

#include <stdio.h>
#include <stdlib.h>

#include "archive/archive_db.h"
#include "base/base_crypto.h"
#include "kb/kb.h"
#include "kb/kb_words.h"

/* The tokenizer has no state of its own, but FTS5 wants an address. */
static char words_tokenizer;

static int words_create(void *ctx, const char **args, int args_n, Fts5Tokenizer **out)
{
    (void)ctx, (void)args, (void)args_n;
    *out = (Fts5Tokenizer *)&words_tokenizer;
    return SQLITE_OK;
}

static void words_delete(Fts5Tokenizer *t)
{
    (void)t;
}

struct fts5_sink {
    void *ctx;
    int (*token)(void *ctx, int flags, const char *token, int n, int start, int end);
};

static int words_emit(void *ctx, struct str token, size_t start, size_t end, unsigned flags)
{
    const struct fts5_sink *sink = ctx;

    return sink->token(sink->ctx, flags & KB_WORD_SAME_PLACE ? FTS5_TOKEN_COLOCATED : 0, token.s, (int)token.n,
                       (int)start, (int)end);
}

static int words_tokenize(Fts5Tokenizer *t, void *ctx, int flags, const char *text, int n,
                          int (*token)(void *ctx, int flags, const char *token, int n, int start, int end))
{
    struct fts5_sink sink = {ctx, token};

    (void)t;
    return kb_words((struct str){text, n > 0 ? (size_t)n : 0}, flags & FTS5_TOKENIZE_QUERY ? KB_WORDS_QUERY : 0,
                    words_emit, &sink);
}

static fts5_api *fts5_of(sqlite3 *db)
{
    sqlite3_stmt *ask = NULL;
    fts5_api *api = NULL;

    if (sqlite3_prepare_v2(db, "SELECT fts5(?1)", -1, &ask, NULL) == SQLITE_OK) {
        sqlite3_bind_pointer(ask, 1, &api, "fts5_api_ptr", NULL);
        sqlite3_step(ask);
    }
    sqlite3_finalize(ask);
    return api;
}

int archive_words_register(struct sqlite3 *db, struct err *err)
{
    static fts5_tokenizer words = {words_create, words_delete, words_tokenize};
    fts5_api *api = fts5_of(db);

    if (!api)
        return err_set(err, ERR_UNSUPPORTED, "this SQLite has no FTS5");
    if (api->xCreateTokenizer(api, "words", NULL, &words, NULL) != SQLITE_OK)
        return err_set(err, ERR_IO, "tokenizer words: %s", sqlite3_errmsg(db));
    return 0;
}

int archive_kb_fail(struct err *err, sqlite3 *db, const char *what)
{
    int code = sqlite3_errcode(db);

    return err_set(err, code == SQLITE_CORRUPT || code == SQLITE_NOTADB ? ERR_CORRUPT : ERR_IO, "%s: %s", what,
                   sqlite3_errmsg(db));
}

void archive_kb_bind(sqlite3_stmt *s, int at, struct str v)
{
    sqlite3_bind_text(s, at, v.s ? v.s : "", (int)v.n, SQLITE_STATIC);
}

static int prepare(sqlite3 *db, const char *sql, sqlite3_stmt **out, struct err *err)
{
    if (sqlite3_prepare_v3(db, sql, -1, SQLITE_PREPARE_PERSISTENT, out, NULL) != SQLITE_OK)
        return archive_kb_fail(err, db, "kb");
    return 0;
}

int archive_kb_run(sqlite3 *db, sqlite3_stmt *s, struct err *err)
{
    int rc = sqlite3_step(s);

    sqlite3_reset(s);
    return rc == SQLITE_DONE ? 0 : archive_kb_fail(err, db, "kb");
}

static const char schema[] =
    "PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL; PRAGMA busy_timeout = 2000;"
    "CREATE TABLE IF NOT EXISTS mark(id INTEGER PRIMARY KEY, article TEXT NOT NULL, question TEXT NOT NULL,"
    " who TEXT NOT NULL, at_ms INTEGER NOT NULL, verdict INTEGER NOT NULL, undone INTEGER NOT NULL DEFAULT 0,"
    " UNIQUE(article, question, who, at_ms)) STRICT;"
    "CREATE TABLE IF NOT EXISTS article(id TEXT NOT NULL, lang TEXT NOT NULL, version INTEGER NOT NULL,"
    " hash BLOB NOT NULL, title TEXT NOT NULL, body TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " PRIMARY KEY(id, lang, version)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS cursor(epoch TEXT NOT NULL, log TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY(epoch, log))"
    " STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS verdict(n INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, at_ms INTEGER NOT NULL, who TEXT NOT NULL,"
    " name TEXT NOT NULL, article TEXT NOT NULL, verdict TEXT NOT NULL, question TEXT NOT NULL, chat TEXT NOT NULL,"
    " undone_at_ms INTEGER, undone_by TEXT, undone_name TEXT) STRICT;"
    "CREATE INDEX IF NOT EXISTS verdict_article ON verdict(article, n);"
    "CREATE TABLE IF NOT EXISTS helped(article TEXT NOT NULL, shopper TEXT NOT NULL, at_ms INTEGER NOT NULL,"
    " helped INTEGER NOT NULL, PRIMARY KEY(article, shopper)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS version(id TEXT NOT NULL, lang TEXT NOT NULL, version INTEGER NOT NULL, at_ms INTEGER NOT NULL,"
    " who TEXT NOT NULL, name TEXT NOT NULL, base TEXT NOT NULL, text TEXT NOT NULL, PRIMARY KEY(id, lang, version))"
    " STRICT, WITHOUT ROWID;";

void archive_kb_close(struct archive_kb *a)
{
    if (!a)
        return;
    for (int i = 0; i < KB_STATEMENT_N; i++)
        sqlite3_finalize(a->st[i]);
    sqlite3_close(a->db);
    free(a->state);
    pthread_mutex_destroy(&a->lock);
    free(a);
}

static char *state_path(const char *path)
{
    size_t n = strlen(path) + sizeof "-learned";
    char *s = mem_alloc(n);

    snprintf(s, n, "%s-learned", path);
    return s;
}

int archive_kb_open(const char *path, struct archive_kb **out, struct err *err)
{
    struct archive_kb *a = mem_zalloc(sizeof *a);
    int rc = 0;

    archive_db_start();
    pthread_mutex_init(&a->lock, NULL);
    a->state = path ? state_path(path) : NULL;
    if (sqlite3_open_v2(path ? path : ":memory:", &a->db,
                        SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, NULL) != SQLITE_OK ||
        sqlite3_exec(a->db, schema, NULL, NULL, NULL) != SQLITE_OK)
        rc = archive_kb_fail(err, a->db, "open");
    for (int i = 0; i < KB_STATEMENT_N && rc == 0; i++)
        rc = prepare(a->db, archive_kb_sql[i], &a->st[i], err);
    if (rc < 0) {
        archive_kb_close(a);
        return err_wrap(err, rc, "knowledge base %s", path ? path : "in memory");
    }
    *out = a;
    return 0;
}

static void bind_mark(sqlite3_stmt *s, const struct kb_mark *m)
{
    archive_kb_bind(s, 1, m->article);
    archive_kb_bind(s, 2, m->question);
    archive_kb_bind(s, 3, m->who);
}

static int mark_add(void *ctx, const struct kb_mark *m, struct err *err)
{
    struct archive_kb *a = ctx;
    int rc;

    pthread_mutex_lock(&a->lock);
    bind_mark(a->st[KB_MARK_ADD], m);
    sqlite3_bind_int64(a->st[KB_MARK_ADD], 4, m->at_ms);
    sqlite3_bind_int64(a->st[KB_MARK_ADD], 5, m->verdict);
    rc = archive_kb_run(a->db, a->st[KB_MARK_ADD], err);
    if (rc == 0 && sqlite3_changes(a->db) == 0)
        rc = err_set(err, ERR_EXISTS, "this mark is known");
    sqlite3_clear_bindings(a->st[KB_MARK_ADD]);
    pthread_mutex_unlock(&a->lock);
    return rc;
}

static int mark_undo(void *ctx, const struct kb_mark *m, struct err *err)
{
    struct archive_kb *a = ctx;
    int rc;

    pthread_mutex_lock(&a->lock);
    bind_mark(a->st[KB_MARK_UNDO], m);
    rc = archive_kb_run(a->db, a->st[KB_MARK_UNDO], err);
    if (rc == 0 && sqlite3_changes(a->db) == 0)
        rc = err_set(err, ERR_NOT_FOUND, "no such mark to take back");
    sqlite3_clear_bindings(a->st[KB_MARK_UNDO]);
    pthread_mutex_unlock(&a->lock);
    return rc;
}

struct str archive_kb_column(sqlite3_stmt *s, int at)
{
    const char *text = (const char *)sqlite3_column_text(s, at);

    return (struct str){text ? text : "", (size_t)sqlite3_column_bytes(s, at)};
}

static int mark_each(void *ctx, unsigned max, int (*fn)(void *arg, const struct kb_mark *m), void *arg, struct err *err)
{
    struct archive_kb *a = ctx;
    int rc, stop = 0;

    pthread_mutex_lock(&a->lock);
    sqlite3_bind_int64(a->st[KB_MARK_EACH], 1, max);
    while (!stop && (rc = sqlite3_step(a->st[KB_MARK_EACH])) == SQLITE_ROW) {
        struct kb_mark m = {.article = archive_kb_column(a->st[KB_MARK_EACH], 0),
                            .question = archive_kb_column(a->st[KB_MARK_EACH], 1),
                            .who = archive_kb_column(a->st[KB_MARK_EACH], 2),
                            .at_ms = sqlite3_column_int64(a->st[KB_MARK_EACH], 3),
                            .verdict = sqlite3_column_int(a->st[KB_MARK_EACH], 4) ? KB_REJECTED : KB_ACCEPTED};

        stop = fn(arg, &m);
    }
    rc = stop || rc == SQLITE_DONE ? 0 : archive_kb_fail(err, a->db, "kb");
    sqlite3_reset(a->st[KB_MARK_EACH]);
    pthread_mutex_unlock(&a->lock);
    return rc;
}

static int article_save(struct archive_kb *a, const struct kb_article *article, struct err *err)
{
    struct str title = str_of(article->title), body = str_of(article->body), parts[2] = {title, body};
    unsigned char hash[CRYPTO_HASH_BYTES];
    int rc;

    crypto_digest_parts(hash, parts, 2);
    archive_kb_bind(a->st[KB_ARTICLE_SAVE], 1, str_of(article->id));
    archive_kb_bind(a->st[KB_ARTICLE_SAVE], 2, str_of(article->lang));
    sqlite3_bind_blob(a->st[KB_ARTICLE_SAVE], 3, hash, sizeof hash, SQLITE_STATIC);
    archive_kb_bind(a->st[KB_ARTICLE_SAVE], 4, title);
    archive_kb_bind(a->st[KB_ARTICLE_SAVE], 5, body);
    rc = archive_kb_run(a->db, a->st[KB_ARTICLE_SAVE], err);
    sqlite3_clear_bindings(a->st[KB_ARTICLE_SAVE]);
    return rc;
}

static int articles_save(void *ctx, struct kb_article *const *articles, unsigned n, struct err *err)
{
    struct archive_kb *a = ctx;
    int rc = 0;

    pthread_mutex_lock(&a->lock);
    if (sqlite3_exec(a->db, "BEGIN IMMEDIATE", NULL, NULL, NULL) != SQLITE_OK)
        rc = archive_kb_fail(err, a->db, "kb");
    for (unsigned i = 0; i < n && rc == 0; i++)
        rc = article_save(a, articles[i], err);
    if (rc == 0 && sqlite3_exec(a->db, "COMMIT", NULL, NULL, NULL) != SQLITE_OK)
        rc = archive_kb_fail(err, a->db, "kb");
    if (rc < 0)
        sqlite3_exec(a->db, "ROLLBACK", NULL, NULL, NULL);
    pthread_mutex_unlock(&a->lock);
    return rc;
}

void archive_kb_port(struct archive_kb *a, struct kb_port *out)
{
    *out = (struct kb_port){.ctx = a,
                            .state = a->state,
                            .mark_add = mark_add,
                            .mark_undo = mark_undo,
                            .mark_each = mark_each,
                            .articles_save = articles_save};
}

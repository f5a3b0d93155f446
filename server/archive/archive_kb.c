#include "archive/archive_kb.h"

#include <sqlite3.h>

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

/*
 * Any text: words lie within it and within their bound; a search made of it is taken by FTS5 whatever it says; a snippet of it is UTF-8; folding
 * a fold changes nothing.
 */
#include "fuzz.h"

#include "archive/archive_snippet.h"
#include "kb/kb_words.h"
#include "ownership/ownership.h"
#include "protocol/protocol.h"

#include <sqlite3.h>

struct walk {
    size_t n, last;
};

static int on_word(void *ctx, struct str token, size_t start, size_t end, unsigned flags)
{
    struct walk *w = ctx;

    (void)flags;
    MUST(token.n > 0 && token.n <= KB_WORD_BYTES);
    MUST(start < end && end <= w->n && start >= w->last);
    w->last = start;
    return 0;
}

static void search(const char *match)
{
    static sqlite3_stmt *st;
    static sqlite3 *db;
    int rc;

    if (!db) {
        MUST(sqlite3_open(":memory:", &db) == SQLITE_OK);
        MUST(sqlite3_exec(db, "CREATE VIRTUAL TABLE t USING fts5(x)", NULL, NULL, NULL) == SQLITE_OK);
        MUST(sqlite3_prepare_v2(db, "SELECT rowid FROM t WHERE t MATCH ?", -1, &st, NULL) == SQLITE_OK);
    }
    sqlite3_bind_text(st, 1, match, -1, SQLITE_TRANSIENT);
    rc = sqlite3_step(st);
    MUST(rc == SQLITE_DONE || rc == SQLITE_ROW);
    sqlite3_reset(st);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct str text = {(const char *)bytes, n};
    struct buf match, once, twice;

    for (unsigned flags = 0; flags < 8; flags++) {
        struct walk w = {n, 0};

        MUST(kb_words(text, flags, on_word, &w) == 0);
    }
    buf_init(&match, 1 << 16);
    buf_init(&once, 1 << 22);
    buf_init(&twice, 1 << 22);
    if (kb_words_match(text, &match) > 0)
        search(match.p);
    if (n > 0 && utf8_is_valid(text)) {
        ownership_fold(text, &once);
        ownership_fold(buf_str(&once), &twice);
        MUST(once.n == twice.n && memcmp(once.p, twice.p, once.n) == 0);
        ownership_reply_counts(text, NULL);
        ownership_is_dont_know(text);
    }
    buf_fini(&match);
    buf_fini(&once);
    buf_fini(&twice);
    return 0;
}

/* What the tests of the archive share: a directory of its own, a loop, frames, batches that are waited for.
 */
#ifndef ARCHIVE_KIT_H
#define ARCHIVE_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>
#include <sqlite3.h>
#include <uv.h>

#include "archive/archive.h"
#include "archive/archive_kb.h"
#include "base/base_crypto.h"
#include "base/base_json.h"
#include "log/log.h"
#include "protocol/protocol.h"

#define T0 INT64_C(1764000000000)

struct kit {
    char dir[64], path[128];
    uv_loop_t loop;
    struct archive *a;
    struct archive_batch *b;
    /* what came back last */
    bool back;
    struct archive_result result;
    int rc;
    char *body, type[64], why[300];
    int64_t head;
};

static inline void kit_open(struct kit *k)
{
    struct err err = {.text = ""};

    if (archive_open(&k->loop, k->path, "default", "node-1", &k->a, &err) < 0)
        fail_msg("%s", err.text);
}

static inline int kit_setup(void **state)
{
    struct kit *k = calloc(1, sizeof *k);
    struct err err = {.text = ""};

    log_set_level(getenv("ARCHIVE_TEST_LOG") ? LOG_DEBUG : LOG_ERROR);
    if (crypto_start(&err) < 0)
        return -1;
    snprintf(k->dir, sizeof k->dir, "/tmp/firstline-archive-XXXXXX");
    if (!mkdtemp(k->dir))
        return -1;
    snprintf(k->path, sizeof k->path, "%s/archive.sqlite", k->dir);
    uv_loop_init(&k->loop);
    kit_open(k);
    k->b = archive_batch_create();
    *state = k;
    return 0;
}

static inline void kit_run(struct kit *k)
{
    while (!k->back)
        uv_run(&k->loop, UV_RUN_ONCE);
    k->back = false;
}

static inline void kit_on_closed(void *ctx)
{
    ((struct kit *)ctx)->back = true;
}

static inline void kit_close(struct kit *k)
{
    archive_close(k->a, kit_on_closed, k);
    kit_run(k);
    k->a = NULL;
}

static inline int kit_teardown(void **state)
{
    struct kit *k = *state;
    char cmd[128];

    if (k->a)
        kit_close(k);
    archive_batch_destroy(k->b);
    uv_run(&k->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&k->loop), 0);
    snprintf(cmd, sizeof cmd, "rm -rf %s", k->dir);
    assert_int_equal(system(cmd), 0);
    free(k->body);
    free(k);
    return 0;
}

static inline void kit_on_result(void *ctx, const struct archive_result *r)
{
    struct kit *k = ctx;

    k->result = *r;
    k->back = true;
}

/* Gives what was added since, and waits. */
static inline const struct archive_result *kit_append(struct kit *k)
{
    assert_int_equal(archive_append(k->a, k->b, kit_on_result, k), 0);
    k->b = archive_batch_create();
    kit_run(k);
    return &k->result;
}

/* The same with this cursor. */
static inline const struct archive_result *kit_commit(struct kit *k, int64_t cursor)
{
    archive_batch_set_cursor(k->b, "epoch-1", cursor);
    return kit_append(k);
}

/* The frame of an event; `rest`: the members behind kind, without braces. */
static inline char *kit_frame(const char *log, int64_t seq, int64_t at_ms, const char *kind, const char *from,
                              const char *rest)
{
    char *s = NULL;

    if (asprintf(&s,
                 "{\"t\":\"event\",\"chat\":\"%s\",\"seq\":%lld,\"at\":%lld,\"kind\":\"%s\",\"from\":%s%s%s}",
                 log, (long long)seq, (long long)at_ms, kind, from, rest[0] ? "," : "", rest) < 0)
        abort();
    return s;
}

static inline void kit_add_raw(struct kit *k, const char *log, int64_t seq, int64_t at_ms, const char *person,
                               const char *ref, const char *frame)
{
    struct archive_row row = {str_of(log), seq, at_ms, str_of(person), str_of(ref), str_of(frame), 0};

    archive_batch_add(k->b, &row);
}

#define SHOPPER "{\"role\":\"shopper\",\"id\":\"s_1\",\"name\":\"小李\"}"
#define ANN     "{\"role\":\"rep\",\"id\":\"r_ann\",\"name\":\"Ann\"}"
#define BOB     "{\"role\":\"rep\",\"id\":\"r_bob\",\"name\":\"Bob\"}"
#define SYSTEM  "{\"role\":\"system\"}"

/* An event at T0 + seq. */
static inline void kit_add(struct kit *k, const char *log, int64_t seq, const char *kind, const char *from,
                           const char *rest)
{
    char *f = kit_frame(log, seq, T0 + seq, kind, from, rest);

    kit_add_raw(k, log, seq, T0 + seq, NULL, NULL, f);
    free(f);
}

/* A chat of three entries: started, the shopper's text, the rep's answer; the rep owns it. started at_ms. */
static inline void kit_add_chat(struct kit *k, const char *log, int64_t at_ms, const char *department,
                                const char *rep, const char *text)
{
    char rest[2000], from[200], *f;
    struct buf b;

    snprintf(rest, sizeof rest, "\"department\":\"%s\",\"site\":\"default\"", department);
    f = kit_frame(log, 1, at_ms, "started", SHOPPER, rest);
    kit_add_raw(k, log, 1, at_ms, "s_1", NULL, f);
    free(f);
    buf_init(&b, 1 << 20);
    buf_add_s(&b, "\"text\":");
    json_text(&b, str_of(text));
    f = kit_frame(log, 2, at_ms + 1, "message", SHOPPER, b.p);
    kit_add_raw(k, log, 2, at_ms + 1, "s_1", "first", f);
    free(f);
    buf_fini(&b);
    if (!rep)
        return;
    snprintf(from, sizeof from, "{\"role\":\"rep\",\"id\":\"%s\",\"name\":\"Rep\"}", rep);
    snprintf(rest, sizeof rest, "\"owner\":{\"id\":\"%s\",\"name\":\"Rep\"}", rep);
    f = kit_frame(log, 3, at_ms + 2, "owned", from, rest);
    kit_add_raw(k, log, 3, at_ms + 2, rep, NULL, f);
    free(f);
}

static inline void kit_on_answer(void *ctx, int rc, const char *type, struct str body, const char *why)
{
    struct kit *k = ctx;

    k->rc = rc;
    free(k->body);
    k->body = strndup(body.s, body.n);
    snprintf(k->type, sizeof k->type, "%s", type);
    snprintf(k->why, sizeof k->why, "%s", why);
    k->back = true;
}

static inline struct archive_query kit_query(enum archive_query_kind kind)
{
    return (struct archive_query){.kind = kind,
                                  .from_ms = -1,
                                  .to_ms = -1,
                                  .rating = -1,
                                  .owner_changed = -1,
                                  .limit = 50,
                                  .reader_all = true};
}

static inline int kit_ask(struct kit *k, const struct archive_query *q)
{
    assert_int_equal(archive_ask(k->a, q, kit_on_answer, k), 0);
    kit_run(k);
    return k->rc;
}

/* The chats of a list's answer, in order, a blank between. */
static inline const char *kit_chats(struct kit *k)
{
    static char out[8000];
    char *p = k->body;

    out[0] = '\0';
    while ((p = strstr(p, "{\"chat\":\""))) {
        p += strlen("{\"chat\":\"");
        if (out[0])
            strcat(out, " ");
        strncat(out, p, strcspn(p, "\""));
    }
    return out;
}

static inline const char *kit_search(struct kit *k, const char *q)
{
    struct archive_query ask = kit_query(ARCHIVE_LIST);

    ask.q = str_of(q);
    if (kit_ask(k, &ask) < 0)
        fail_msg("search %s: %s", q, k->why);
    return kit_chats(k);
}

/* Runs SQL on the file behind the archive's back, as somebody who tampers with it would. */
static inline void kit_sql(struct kit *k, const char *sql)
{
    sqlite3 *db;
    struct err err = {.text = ""};
    char *why = NULL;

    assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
    assert_int_equal(archive_words_register(db, &err), 0);
    sqlite3_busy_timeout(db, 5000);
    if (sqlite3_exec(db, sql, NULL, NULL, &why) != SQLITE_OK)
        fail_msg("%s: %s", sql, why);
    sqlite3_close(db);
}

/* What the migrations behind the fifth made, to be taken out of a file again. */
#define KIT_BACK_TO_5                                                                                        \
    "DROP VIEW verdicts; DROP INDEX entries_undone; ALTER TABLE chats DROP COLUMN transfer_department;"

static inline int64_t kit_count(struct kit *k, const char *sql)
{
    sqlite3 *db;
    sqlite3_stmt *st;
    int64_t n;

    assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, sql, -1, &st, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(st), SQLITE_ROW);
    n = sqlite3_column_int64(st, 0);
    sqlite3_finalize(st);
    sqlite3_close(db);
    return n;
}

#endif

#include "archive/archive_reader.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "archive/archive_chain.h"
#include "base/base_json.h"
#include "chat/chat_view.h"

#define KEEP_READERS   4
#define KEEP_NS        UINT64_C(3000000000) /* those that nobody has used for so long are closed, but for one */
#define RESERVE_MS     1000
#define PROGRESS_STEPS 2000
#define LOG_BYTES_MAX  (8u << 20) /* of one answer with a log's frames */

struct archive_pool {
    pthread_mutex_t lock;
    char *path;
    struct archive_reader *idle; /* the one used last in front */
    unsigned idle_n;
    bool is_lean; /* the one that is left has nothing cached */
};

static const char *const names[READ_N] = {
#define ARCHIVE_READ_NAME(name) #name,
    ARCHIVE_READ_MAP(ARCHIVE_READ_NAME)
#undef ARCHIVE_READ_NAME
};

static uint64_t monotonic_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

bool archive_reader_is_late(const struct archive_reader *r)
{
    return monotonic_ns() > r->deadline_ns;
}

static int on_progress(void *ctx)
{
    return archive_reader_is_late(ctx);
}

static void reader_destroy(struct archive_reader *r)
{
    archive_db_close(r->db, r->st, READ_N);
    free(r);
}

void archive_pool_destroy(struct archive_pool *p)
{
    struct archive_reader *r;

    if (!p)
        return;
    while ((r = p->idle)) {
        p->idle = r->next;
        reader_destroy(r);
    }
    pthread_mutex_destroy(&p->lock);
    free(p->path);
    free(p);
}

int archive_pool_take(struct archive_pool *p, unsigned ms, struct archive_reader **out, struct err *err)
{
    struct archive_reader *r;
    int rc = 0;

    pthread_mutex_lock(&p->lock);
    r = p->idle;
    if (r) {
        p->idle = r->next;
        p->idle_n--;
    }
    pthread_mutex_unlock(&p->lock);
    if (!r) {
        r = mem_zalloc(sizeof *r);
        r->path = p->path;
        rc = archive_db_open_reader(p->path, &r->db, err);
        if (rc < 0) {
            free(r);
            return rc == ERR_NOT_FOUND ? ERR_IO : rc;
        }
        sqlite3_progress_handler(r->db, PROGRESS_STEPS, on_progress, r);
    }
    r->deadline_ns = monotonic_ns() + ms * UINT64_C(1000000);
    *out = r;
    return 0;
}

/*
 * Of a connection that is closed SQLite keeps the descriptor of the file for the next: closing it would give up the locks of all others of
 * this process. Those of as many readers as can be at work are taken at the start, so that later none is missing, and their number isn't
 * chance.
 */
static void reserve_descriptors(struct archive_pool *p)
{
    struct archive_reader *r[KEEP_READERS];
    struct err err;
    int n = 0;

    while (n < KEEP_READERS && archive_pool_take(p, RESERVE_MS, &r[n], &err) == 0)
        n++;
    while (n > 0)
        reader_destroy(r[--n]);
}

struct archive_pool *archive_pool_create(const char *path)
{
    struct archive_pool *p = mem_zalloc(sizeof *p);

    pthread_mutex_init(&p->lock, NULL);
    p->path = mem_strdup(path);
    reserve_descriptors(p);
    return p;
}

void archive_pool_give(struct archive_pool *p, struct archive_reader *r, bool broken)
{
    for (int i = 0; i < READ_N; i++) {
        if (r->st[i])
            sqlite3_reset(r->st[i]);
    }
    if (!sqlite3_get_autocommit(r->db)) { /* a snapshot kept open would keep the WAL */
        r->deadline_ns = UINT64_MAX;
        sqlite3_exec(r->db, "ROLLBACK", NULL, NULL, NULL);
    }
    r->given_ns = monotonic_ns();
    pthread_mutex_lock(&p->lock);
    if (!broken && p->idle_n < KEEP_READERS) {
        r->next = p->idle;
        p->idle = r;
        p->idle_n++;
        p->is_lean = false;
        r = NULL;
    }
    pthread_mutex_unlock(&p->lock);
    if (r)
        reader_destroy(r);
}

bool archive_pool_is_wide(struct archive_pool *p)
{
    bool wide;

    pthread_mutex_lock(&p->lock);
    wide = p->idle_n > 1 || (p->idle_n == 1 && !p->is_lean);
    pthread_mutex_unlock(&p->lock);
    return wide;
}

void archive_pool_trim(struct archive_pool *p)
{
    uint64_t now = monotonic_ns();
    struct archive_reader **at, *old = NULL;

    pthread_mutex_lock(&p->lock);
    for (at = &p->idle; *at && (at == &p->idle || now - (*at)->given_ns < KEEP_NS); at = &(*at)->next)
        ;
    old = *at;
    *at = NULL;
    for (const struct archive_reader *r = old; r; r = r->next)
        p->idle_n--;
    if (p->idle && !p->idle->next && !p->is_lean && now - p->idle->given_ns >= KEEP_NS) {
        sqlite3_db_release_memory(p->idle->db);
        p->is_lean = true;
    }
    pthread_mutex_unlock(&p->lock);
    while (old) {
        struct archive_reader *next = old->next;

        reader_destroy(old);
        old = next;
    }
}

int archive_reader_use(struct archive_reader *r, enum archive_read which, sqlite3_stmt **out, struct err *err)
{
    int rc = r->st[which]
                 ? 0
                 : archive_db_prepare(r->db, r->path, "archive_read", names[which], &r->st[which], err);

    if (rc < 0)
        return rc;
    sqlite3_reset(r->st[which]);
    sqlite3_clear_bindings(r->st[which]);
    *out = r->st[which];
    return 0;
}

int archive_reader_step(struct archive_reader *r, sqlite3_stmt *st, struct err *err)
{
    int got = sqlite3_step(st), rc;

    if (got == SQLITE_ROW)
        return 1;
    rc = got == SQLITE_DONE ? 0 : archive_db_fail(r->db, r->path, "read", err);
    sqlite3_reset(st);
    return rc;
}

int archive_reader_snapshot(struct archive_reader *r, struct err *err)
{
    sqlite3_stmt *st;
    int rc = archive_reader_use(r, READ_begin, &st, err);

    return rc < 0 ? rc : archive_reader_step(r, st, err);
}

void archive_bind_access(sqlite3_stmt *st, const struct archive_wish *w)
{
    archive_db_name_int(st, ":all", w->q.reader_all);
    archive_db_name_str(st, ":reader", w->q.reader_id.n > 0 ? w->q.reader_id : STR_NONE);
    archive_db_name_str(st, ":departments", w->departments);
    archive_db_name_int(st, ":own_only", w->q.own_only);
}

#define CURSOR_SIZE 40

static void cursor_text(char of, int64_t place, char out[CURSOR_SIZE])
{
    snprintf(out, CURSOR_SIZE, "%c%llx-%llx", of, (unsigned long long)place, (unsigned long long)(place % 15));
}

void archive_cursor_write(char of, int64_t place, struct buf *out)
{
    char text[CURSOR_SIZE];

    cursor_text(of, place, text);
    json_kv_s(out, "next", text);
}

int archive_cursor_read(char of, struct str s, int64_t *place, struct err *err)
{
    char text[CURSOR_SIZE] = "";

    if (s.n < sizeof text && s.n > 1)
        memcpy(text, s.s + 1, s.n - 1);
    *place = strtoll(text, NULL, 16);
    cursor_text(of, *place, text);
    if (*place < 1 || *place > ARCHIVE_CURSOR_MAX || !str_is(s, text)) /* only as it is written */
        return err_set(err, ERR_INVALID, "the cursor is none of ours");
    return 0;
}

void archive_tombstone(struct buf *out, struct str log, int64_t seq, int64_t at_ms)
{
    json_open(out, '{');
    json_kv_s(out, "t", "event");
    json_kv_str(out, "chat", log);
    json_kv_int(out, "seq", seq);
    json_kv_int(out, "at", at_ms);
    json_kv_s(out, "kind", "redacted");
    json_kv_raw(out, "from", STR("{\"role\":\"system\"}"));
    json_kv_int(out, "of", seq);
    json_close(out, '}');
}

int archive_read_log_head(struct archive_reader *r, struct str log, int64_t *seq, struct err *err)
{
    sqlite3_stmt *st;
    int rc = archive_reader_use(r, READ_log_head, &st, err);

    if (rc < 0)
        return rc;
    archive_db_name_str(st, ":log", log);
    rc = archive_reader_step(r, st, err);
    if (rc > 0)
        *seq = sqlite3_column_int64(st, 0);
    return rc < 0 ? rc : 0;
}

int archive_read_has_log(struct archive_reader *r, struct str log, int64_t n, int64_t seq, bool *has,
                         struct err *err)
{
    sqlite3_stmt *st;
    int rc = archive_reader_use(r, READ_log_extent, &st, err);

    if (rc < 0)
        return rc;
    archive_db_name_str(st, ":log", log);
    archive_db_name_int(st, ":seq", seq);
    rc = archive_reader_step(r, st, err);
    *has = rc > 0 && sqlite3_column_int64(st, 0) == n && sqlite3_column_int64(st, 1) == seq;
    return rc < 0 ? rc : 0;
}

/* The last entry before seq that a shopper may see; 0: none. */
static int shown_before(struct archive_reader *r, struct str log, int64_t seq, int64_t *prev, struct err *err)
{
    sqlite3_stmt *st;
    int rc = archive_reader_use(r, READ_kinds_before, &st, err);

    if (rc < 0)
        return rc;
    archive_db_name_str(st, ":log", log);
    archive_db_name_int(st, ":seq", seq);
    while ((rc = archive_reader_step(r, st, err)) > 0)
        if (chat_view_is_shown(kind_from_name(archive_db_col(st, 1)), AUDIENCE_SHOPPER)) {
            *prev = sqlite3_column_int64(st, 0);
            return 0;
        }
    return rc;
}

int archive_read_by_ref(struct archive_reader *r, struct str log, struct str person, struct str ref,
                        struct archive_place *out, struct err *err)
{
    struct archive_place p = {0};
    sqlite3_stmt *st;
    int rc = archive_reader_use(r, READ_by_ref, &st, err);

    if (rc < 0)
        return rc;
    archive_db_name_str(st, ":log", log);
    archive_db_name_str(st, ":person", person);
    archive_db_name_str(st, ":ref", ref);
    rc = archive_reader_step(r, st, err);
    if (rc > 0) {
        p.seq = sqlite3_column_int64(st, 0);
        p.at_ms = sqlite3_column_int64(st, 1);
        rc = shown_before(r, log, p.seq, &p.prev, err);
    }
    if (rc == 0)
        *out = p;
    return rc;
}

int archive_read_has(struct archive_reader *r, int64_t rows, struct str head, bool *has, struct err *err)
{
    char hex[2 * ARCHIVE_HASH + 1];
    sqlite3_stmt *st;
    int rc = archive_reader_use(r, READ_hash_at, &st, err);

    *has = rows == 0; /* every archive had no rows once */
    if (rc < 0 || rows == 0)
        return rc;
    archive_db_name_int(st, ":n", rows);
    rc = archive_reader_step(r, st, err);
    if (rc > 0 && archive_db_col(st, 0).n == ARCHIVE_HASH) {
        crypto_hex(hex, archive_db_col(st, 0).s, ARCHIVE_HASH);
        *has = str_is(head, hex);
    }
    return rc < 0 ? rc : 0;
}

int archive_read_reviews(struct archive_reader *r, const struct archive_wish *w, struct buf *out,
                         struct err *err)
{
    unsigned limit = w->q.limit < 1 ? 100 : w->q.limit > 200 ? 200 : w->q.limit, n = 0;
    int64_t before = INT64_MAX, last = 0;
    sqlite3_stmt *st;
    int rc = archive_reader_use(r, w->q.chat.n == 0 ? READ_reviews_all : READ_reviews, &st, err);

    if (rc == 0 && w->q.cursor.n > 0)
        rc = archive_cursor_read('2', w->q.cursor, &before, err);
    if (rc < 0)
        return rc;
    archive_db_name_str(st, ":chat", w->q.chat);
    archive_db_name_int(st, ":before", before);
    buf_add_s(out, "{\"items\":[");
    while ((rc = archive_reader_step(r, st, err)) > 0 && n < limit) {
        json_raw(out, archive_db_col(st, 0));
        last = sqlite3_column_int64(st, 1);
        n++;
    }
    buf_add_c(out, ']');
    if (rc > 0)
        archive_cursor_write('2', last, out);
    else
        json_kv_raw(out, "next", STR("null"));
    buf_add_c(out, '}');
    return rc < 0 ? rc : buf_ok(out) ? 0 : err_set(err, ERR_TOO_LARGE, "the page is too large: ask for less");
}

int archive_read_log(struct archive_reader *r, const struct archive_wish *w, struct buf *out, struct err *err)
{
    sqlite3_stmt *st;
    unsigned rows = 0;
    int rc = archive_reader_use(r, READ_log, &st, err);

    if (rc < 0)
        return rc;
    archive_db_name_str(st, ":log", w->q.chat);
    archive_db_name_int(st, ":from", w->q.from_seq);
    while (out->n < LOG_BYTES_MAX && (w->q.limit == 0 || rows < w->q.limit) &&
           (rc = archive_reader_step(r, st, err)) > 0) {
        struct str body = archive_db_col(st, 3);

        if (body.s)
            buf_add_str(out, body);
        else
            archive_tombstone(out, w->q.chat, sqlite3_column_int64(st, 0), sqlite3_column_int64(st, 1));
        buf_add_c(out, '\n');
        rows++;
    }
    return rc < 0 ? rc : 0;
}

int archive_read_tasks(struct archive_reader *r, const struct archive_wish *w, struct buf *out, struct err *err)
{
    sqlite3_stmt *st;
    int rc = archive_reader_use(r, READ_tasks, &st, err);

    if (rc < 0)
        return rc;
    archive_db_name_str(st, ":listed", w->q.body);
    while ((rc = archive_reader_step(r, st, err)) > 0) {
        json_open(out, '{');
        json_kv_str(out, "task", archive_db_col(st, 0));
        json_kv_str(out, "person", archive_db_col(st, 1));
        json_kv_str(out, "ref", archive_db_col(st, 2));
        json_kv_raw(out, "event", archive_db_col(st, 3));
        buf_add_s(out, "}\n");
    }
    return rc;
}

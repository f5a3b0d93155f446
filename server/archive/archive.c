/*
 * The loop's side: a writer thread with a queue, questions on libuv's workers, results back by uv_async.
 *
 *   archive_append ─▶ queue ─▶ writer thread (archive_store) ─▶ done list ─▶ uv_async ─▶ cb
 *   archive_ask    ─▶ uv_queue_work (archive_reader)         ─────────────────────────▶ cb
 *
 * Closing: questions under way end, the queue is worked off, the thread closes the readers, ends and says so,
 * the handle closes.
 */
#include "archive/archive.h"

#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "archive/archive_pace.h"
#include "archive/archive_reader.h"
#include "archive/archive_store.h"
#include "base/base_json.h"
#include "log/log.h"

#define BATCHES_MAX 4
#define WRITER_NICE 5 /* where cores are short, chats come first and the archive still gets its fourth of one */
#define ASKS_MAX    128
#define QUIET_NS    500000000u /* without work for so long: the WAL is moved */
#define LIST_MS     2000
#define READ_MS     10000
#define ANSWER_MAX  (256u << 20)

/* A question or a write, and where its answer goes. */
struct archive_job {
    struct archive_job *next;
    struct archive *a;
    enum { JOB_BATCH, JOB_OWN, JOB_READ, JOB_HEAD, JOB_HAS, JOB_HAS_LOG, JOB_BY_REF, JOB_END } what;
    void *ctx;
    union {
        void (*batch)(void *ctx, const struct archive_result *r);
        void (*answer)(void *ctx, int rc, const char *type, struct str body, const char *why);
        void (*head)(void *ctx, int64_t seq);
        void (*has)(void *ctx, int rc, bool has);
        void (*by_ref)(void *ctx, int rc, const struct archive_place *p);
    } cb;
    struct archive_batch *batch;
    struct archive_result result;
    struct archive_reached reached; /* after a write */
    struct archive_wish wish;
    char *bytes; /* what wish points into */
    uv_work_t work;
    int rc;
    struct err err;
    struct buf out;
    int64_t seq;
    struct archive_place place;
    bool has;
};

struct job_list {
    struct archive_job *first, **last;
};

struct archive {
    uv_async_t async;
    uv_thread_t thread;
    uv_mutex_t lock; /* todo, done */
    uv_cond_t wake;
    struct job_list todo, done;
    struct archive_store *store; /* the thread's, between open and close */
    struct archive_pool *pool;
    char id[64];
    struct archive_reached reached; /* the loop's copy */
    unsigned batches, asks;
    bool closing, ending, thread_ended;
    void (*on_closed)(void *ctx);
    void *closed_ctx;
};

static void list_init(struct job_list *l)
{
    l->first = NULL;
    l->last = &l->first;
}

static void list_add(struct job_list *l, struct archive_job *j)
{
    j->next = NULL;
    *l->last = j;
    l->last = &j->next;
}

static struct archive_job *list_take(struct job_list *l)
{
    struct archive_job *j = l->first;

    if (j) {
        l->first = j->next;
        if (!l->first)
            l->last = &l->first;
    }
    return j;
}

static struct archive_job *job_create(struct archive *a, int what, void *ctx)
{
    struct archive_job *j = mem_zalloc(sizeof *j);

    j->a = a;
    j->what = what;
    j->ctx = ctx;
    buf_init(&j->out, ANSWER_MAX);
    return j;
}

static void job_destroy(struct archive_job *j)
{
    archive_batch_destroy(j->batch);
    free(j->bytes);
    buf_fini(&j->out);
    free(j);
}

/* --- the writer thread */

static void do_write(struct archive_store *store, struct archive_job *j)
{
    const struct archive_query *q = &j->wish.q;

    if (j->what == JOB_BATCH)
        archive_store_write(store, j->batch, &j->result);
    else if (j->what == JOB_OWN && q->kind == ARCHIVE_REVIEW_ADD)
        j->rc = archive_store_add_review(store, q, &j->out, &j->err);
    else if (j->what == JOB_OWN)
        j->rc = archive_store_add_audit(store, q->by, q->body, &j->out, &j->err);
    archive_store_reached(store, &j->reached);
}

/* The next thing to do; tidies up while there is nothing. */
static struct archive_job *next_job(struct archive *a)
{
    struct archive_job *j;

    uv_mutex_lock(&a->lock);
    while (!(j = list_take(&a->todo))) {
        if (!archive_store_is_untidy(a->store) && !archive_pool_is_wide(a->pool)) {
            uv_cond_wait(&a->wake, &a->lock);
        } else if (uv_cond_timedwait(&a->wake, &a->lock, QUIET_NS) == UV_ETIMEDOUT && !a->todo.first) {
            uv_mutex_unlock(&a->lock);
            archive_pace_set_calm(true);
            archive_store_tidy(a->store, true);
            archive_pool_trim(a->pool);
            uv_mutex_lock(&a->lock);
        }
    }
    uv_mutex_unlock(&a->lock);
    return j;
}

static void thread_main(void *ctx)
{
    struct archive *a = ctx;
    bool end = false;

    pthread_setname_np(pthread_self(), "archive");
    if (setpriority(PRIO_PROCESS, (id_t)gettid(), WRITER_NICE) < 0) /* Linux: of this thread alone */
        log_warn("archive", "the writer's priority stays why=%s", strerror(errno));
    while (!end) {
        struct archive_job *j = next_job(a);

        end = j->what == JOB_END;
        archive_pace_set_calm(j->what == JOB_BATCH && j->batch->is_calm); /* of what is tidied behind it, too */
        if (end) { /* the readers close before the writer: it is the last one that puts the WAL away */
            archive_pool_destroy(a->pool);
            archive_store_close(a->store);
            a->store = NULL;
        } else {
            do_write(a->store, j);
        }
        uv_mutex_lock(&a->lock);
        list_add(&a->done, j);
        uv_mutex_unlock(&a->lock);
        uv_async_send(&a->async);
        if (!end) {
            archive_store_tidy(a->store, false);
            archive_pool_trim(a->pool);
        }
    }
}

static void give_to_thread(struct archive *a, struct archive_job *j)
{
    uv_mutex_lock(&a->lock);
    list_add(&a->todo, j);
    uv_cond_signal(&a->wake);
    uv_mutex_unlock(&a->lock);
}

/* --- back on the loop */

static void on_async_closed(uv_handle_t *h)
{
    struct archive *a = h->data;
    void (*done)(void *ctx) = a->on_closed;
    void *ctx = a->closed_ctx;

    uv_cond_destroy(&a->wake);
    uv_mutex_destroy(&a->lock);
    free(a);
    if (done)
        done(ctx);
}

static void close_if_over(struct archive *a)
{
    if (a->asks > 0)
        return;
    if (!a->ending) {
        a->ending = true;
        give_to_thread(a, job_create(a, JOB_END, NULL));
    } else if (a->thread_ended && !uv_is_closing((uv_handle_t *)&a->async)) {
        uv_close((uv_handle_t *)&a->async, on_async_closed);
    }
}

static void answer(struct archive_job *j)
{
    static const char *const types[] = {
        [ARCHIVE_JSON] = "application/json",
        [ARCHIVE_NDJSON] = "application/x-ndjson",
        [ARCHIVE_CSV] = "text/csv; charset=utf-8; header=present",
        [ARCHIVE_TEXT] = "text/plain; charset=utf-8",
    };
    enum archive_format f = j->wish.q.kind == ARCHIVE_TRANSCRIPT ? j->wish.q.format
                            : j->wish.q.kind == ARCHIVE_LOG      ? ARCHIVE_NDJSON
                                                                 : ARCHIVE_JSON;

    j->cb.answer(j->ctx, j->rc, types[f], j->rc == 0 ? buf_str(&j->out) : STR(""),
                 j->rc < 0 ? err_why(&j->err) : "");
}

static void finish(struct archive *a, struct archive_job *j)
{
    switch (j->what) {
    case JOB_BATCH:
        a->batches--;
        a->reached = j->reached;
        j->cb.batch(j->ctx, &j->result);
        break;
    case JOB_OWN:
        a->asks--;
        a->reached = j->reached;
        answer(j);
        break;
    case JOB_READ:
        a->asks--;
        answer(j);
        break;
    case JOB_HEAD:
        a->asks--;
        j->cb.head(j->ctx, j->rc < 0 ? -1 : j->seq);
        break;
    case JOB_HAS:
    case JOB_HAS_LOG:
        a->asks--;
        j->cb.has(j->ctx, j->rc, j->has);
        break;
    case JOB_BY_REF:
        a->asks--;
        j->cb.by_ref(j->ctx, j->rc, &j->place);
        break;
    case JOB_END:
        uv_thread_join(&a->thread);
        a->thread_ended = true;
        break;
    }
    job_destroy(j);
    if (a->closing)
        close_if_over(a);
}

static void on_async(uv_async_t *h)
{
    struct archive *a = h->data;
    struct archive_job *j;
    struct job_list done;

    uv_mutex_lock(&a->lock);
    done = a->done;
    if (!done.first)
        done.last = &done.first;
    list_init(&a->done);
    uv_mutex_unlock(&a->lock);
    while ((j = list_take(&done)))
        finish(a, j);
}

/* --- open and close */

int archive_open(struct uv_loop_s *loop, const char *path, const char *site, const char *node,
                 struct archive **out, struct err *err)
{
    struct archive *a = mem_zalloc(sizeof *a);
    int rc = archive_store_open(path, site, node, &a->store, err);

    if (rc < 0) {
        free(a);
        return rc;
    }
    snprintf(a->id, sizeof a->id, "%s", archive_store_id(a->store));
    archive_store_reached(a->store, &a->reached);
    a->pool = archive_pool_create(path);
    list_init(&a->todo);
    list_init(&a->done);
    a->async.data = a;
    if (uv_mutex_init(&a->lock) != 0 || uv_cond_init(&a->wake) != 0 ||
        uv_async_init(loop, &a->async, on_async) != 0 || uv_thread_create(&a->thread, thread_main, a) != 0)
        mem_out(); /* or threads, at the start */
    log_info("archive", "open path=%s id=%s rows=%lld", path, a->id, (long long)a->reached.rows);
    *out = a;
    return 0;
}

void archive_close(struct archive *a, void (*done)(void *ctx), void *ctx)
{
    a->closing = true;
    a->on_closed = done;
    a->closed_ctx = ctx;
    close_if_over(a);
}

const char *archive_id(const struct archive *a)
{
    return a->id;
}

void archive_cursor(const struct archive *a, char epoch[32], int64_t *n)
{
    memcpy(epoch, a->reached.epoch, sizeof a->reached.epoch);
    *n = a->reached.counter;
}

int64_t archive_seen(const struct archive *a)
{
    return a->reached.seen;
}

void archive_head(const struct archive *a, int64_t *rows, char head[65])
{
    *rows = a->reached.rows;
    crypto_hex(head, a->reached.head, ARCHIVE_HASH);
}

int64_t archive_quarantined(const struct archive *a, int64_t *at_ms)
{
    *at_ms = a->reached.quarantined_at_ms;
    return a->reached.quarantined;
}

/* --- writing */

int archive_append(struct archive *a, struct archive_batch *b,
                   void (*cb)(void *ctx, const struct archive_result *r), void *ctx)
{
    struct archive_job *j;

    if (a->closing)
        return ERR_GONE;
    if (a->batches == BATCHES_MAX)
        return ERR_FULL;
    j = job_create(a, JOB_BATCH, ctx);
    j->batch = b;
    j->cb.batch = cb;
    a->batches++;
    give_to_thread(a, j);
    return 0;
}

/* --- asking */

static void on_work(uv_work_t *w)
{
    struct archive_job *j = w->data;
    const struct archive_query *q = &j->wish.q;
    struct archive_reader *r;

    j->rc = archive_pool_take(j->a->pool, q->kind == ARCHIVE_LIST ? LIST_MS : READ_MS, &r, &j->err);
    if (j->rc < 0)
        return;
    if (j->what == JOB_HEAD)
        j->rc = archive_read_log_head(r, q->chat, &j->seq, &j->err);
    else if (j->what == JOB_HAS)
        j->rc = archive_read_has(r, j->seq, q->chat, &j->has, &j->err);
    else if (j->what == JOB_HAS_LOG)
        j->rc = archive_read_has_log(r, q->chat, q->from_seq, j->seq, &j->has, &j->err);
    else if (j->what == JOB_BY_REF)
        j->rc = archive_read_by_ref(r, q->chat, q->by, q->q, &j->place, &j->err);
    else if (q->kind == ARCHIVE_LIST)
        j->rc = archive_read_list(r, &j->wish, &j->out, &j->err);
    else if (q->kind == ARCHIVE_TRANSCRIPT)
        j->rc = archive_read_transcript(r, &j->wish, &j->out, &j->err);
    else if (q->kind == ARCHIVE_REVIEWS)
        j->rc = archive_read_reviews(r, &j->wish, &j->out, &j->err);
    else if (q->kind == ARCHIVE_GAPS)
        j->rc = archive_read_gaps(r, &j->wish, &j->out, &j->err);
    else if (q->kind == ARCHIVE_TASKS)
        j->rc = archive_read_tasks(r, &j->wish, &j->out, &j->err);
    else if (q->kind == ARCHIVE_STALE)
        j->rc = archive_read_stale(r, &j->wish, &j->out, &j->err);
    else
        j->rc = archive_read_log(r, &j->wish, &j->out, &j->err);
    archive_pool_give(j->a->pool, r, j->rc == ERR_IO || j->rc == ERR_CORRUPT || j->rc == ERR_NO_MEMORY);
}

static void on_worked(uv_work_t *w, int status)
{
    struct archive_job *j = w->data;

    if (status != 0)
        j->rc = ERR_GONE;
    uv_mutex_lock(&j->a->lock);
    uv_cond_signal(&j->a->wake); /* the thread looks after what is kept of the readers */
    uv_mutex_unlock(&j->a->lock);
    finish(j->a, j);
}

static int give_to_worker(struct archive *a, struct archive_job *j)
{
    j->work.data = j;
    if (uv_queue_work(a->async.loop, &j->work, on_work, on_worked) != 0)
        abort(); /* only if on_work is NULL */
    a->asks++;
    return 0;
}

static int may_ask(const struct archive *a)
{
    return a->closing ? ERR_GONE : a->asks >= ASKS_MAX ? ERR_FULL : 0;
}

int archive_log_head(struct archive *a, struct str log, void (*cb)(void *ctx, int64_t seq), void *ctx)
{
    struct archive_job *j;

    if (may_ask(a) < 0)
        return may_ask(a);
    j = job_create(a, JOB_HEAD, ctx);
    j->bytes = mem_strndup(log.s, log.n);
    j->wish.q.kind = ARCHIVE_LOG;
    j->wish.q.chat = (struct str){j->bytes, log.n};
    j->cb.head = cb;
    return give_to_worker(a, j);
}

int archive_has_head(struct archive *a, int64_t rows, const char *head,
                     void (*cb)(void *ctx, int rc, bool has), void *ctx)
{
    struct archive_job *j;

    if (strspn(head, "0123456789abcdef") != 64 || head[64])
        return ERR_INVALID;
    if (may_ask(a) < 0)
        return may_ask(a);
    j = job_create(a, JOB_HAS, ctx);
    j->bytes = mem_strdup(head);
    j->wish.q.kind = ARCHIVE_LOG;
    j->wish.q.chat = str_of(j->bytes);
    j->seq = rows;
    j->cb.has = cb;
    return give_to_worker(a, j);
}

int archive_has_log(struct archive *a, struct str log, int64_t n, int64_t seq,
                    void (*cb)(void *ctx, int rc, bool has), void *ctx)
{
    struct archive_job *j;

    if (may_ask(a) < 0)
        return may_ask(a);
    j = job_create(a, JOB_HAS_LOG, ctx);
    j->bytes = mem_strndup(log.s, log.n);
    j->wish.q.kind = ARCHIVE_LOG;
    j->wish.q.chat = (struct str){j->bytes, log.n};
    j->wish.q.from_seq = n;
    j->seq = seq;
    j->cb.has = cb;
    return give_to_worker(a, j);
}

static void write_departments(const struct archive_query *q, struct buf *out)
{
    buf_add_c(out, '[');
    for (size_t i = 0; q->reader_departments && q->reader_departments[i][0]; i++) {
        buf_add_s(out, i ? "," : "");
        json_text(out, str_of(q->reader_departments[i]));
    }
    buf_add_c(out, ']');
}

/* Copies the question with all that it points at into one piece of memory. */
static void copy_query(struct archive_job *j, const struct archive_query *q)
{
    struct archive_query *to = &j->wish.q;
    struct str *const text[] = {&to->chat, &to->q,      &to->rep,       &to->shopper, &to->department,
                                &to->tag,  &to->cursor, &to->reader_id, &to->body,    &to->by, &to->ref};
    size_t at[sizeof text / sizeof *text], bytes = 0;
    struct buf b;

    *to = *q;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        bytes += text[i]->n;
    buf_init(&b, bytes + 1024 * 1024);
    for (size_t i = 0; i < sizeof text / sizeof *text; i++) {
        at[i] = b.n;
        buf_add_str(&b, *text[i]);
    }
    bytes = b.n;
    write_departments(q, &b);
    j->wish.departments.n = b.n - bytes;
    j->bytes = buf_take(&b, NULL);
    j->wish.departments.s = j->bytes + bytes;
    for (size_t i = 0; i < sizeof text / sizeof *text; i++)
        text[i]->s = text[i]->s ? j->bytes + at[i] : NULL;
    to->reader_departments = NULL;
}

int archive_by_ref(struct archive *a, struct str log, struct str person, struct str ref,
                   void (*cb)(void *ctx, int rc, const struct archive_place *p), void *ctx)
{
    struct archive_query q = {.kind = ARCHIVE_LOG, .chat = log, .by = person, .q = ref};
    struct archive_job *j;

    if (may_ask(a) < 0)
        return may_ask(a);
    j = job_create(a, JOB_BY_REF, ctx);
    copy_query(j, &q);
    j->cb.by_ref = cb;
    return give_to_worker(a, j);
}

int archive_ask(struct archive *a, const struct archive_query *q,
                void (*cb)(void *ctx, int rc, const char *type, struct str body, const char *why), void *ctx)
{
    bool writes = q->kind == ARCHIVE_REVIEW_ADD || q->kind == ARCHIVE_AUDIT_ADD;
    struct archive_job *j;

    if (may_ask(a) < 0)
        return may_ask(a);
    j = job_create(a, writes ? JOB_OWN : JOB_READ, ctx);
    copy_query(j, q);
    j->cb.answer = cb;
    if (!writes)
        return give_to_worker(a, j);
    a->asks++;
    give_to_thread(a, j);
    return 0;
}

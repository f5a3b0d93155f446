#include "jobs/jobs_feed.h"

#include "base/base_fail.h"
#include "base/base_map.h"
#include "jobs/jobs_pace.h"
#include "log/log.h"

#include <stdio.h>
#include <stdlib.h>

#define BYTES_A_ROUND  (8u << 20) /* then no further log is begun */
#define RETRY_MS       1000
#define KNOWN_MAX      50000

/* How far a log is archived, as this process knows, and which place in Redis's list comes next; -1: not known. */
struct known {
    int64_t seq, place;
};

/* One look at the changed set: reads each log's news, gives them to the archive in one batch. */
struct round {
    struct jobs_feed *f;
    struct archive_batch *batch;
    struct log_read *next; /* logs that wait for their turn */
    unsigned reading;      /* logs that are being read */
    bool is_late;          /* the round before it left something: no rest between reads */
    int64_t began_ms;
    size_t bytes;          /* of the frames so far */
    bool failed, more;
    int64_t rows;        /* of one log, in one read */
    int64_t given;       /* entries, to the archive */
    int64_t n;           /* the cursor that this round reaches */
    char epoch[40];      /* the life that it reads */
    struct map fresh;    /* log → struct known: what it will be once committed */
};

struct log_read {
    struct log_read *next;
    struct round *r;
    char log[72];
    int64_t seq, place;  /* read from behind this seq, or from this place on where it is known */
};

struct jobs_feed {
    struct link *link;
    struct archive *archive;
    struct map known;
    char epoch[40];
    int64_t cursor, seen_n;
    int64_t newest; /* of the counter, as last read */
    int64_t came;  /* the counter when the last round had been read */
    int64_t ahead; /* entries archived since the cursor moved: where much waits it stands for many rounds */
    bool is_busy, closing;
    struct round *resting; /* the round under way, between two reads; else NULL */
    int64_t rest_ms;       /* since then */
    struct jobs_pace pace;
    int64_t now_ms;        /* of the last turn */
    char why[240];
    int rc; /* of the archive, with why */
};

static void set_known(struct map *m, struct str log, int64_t seq, int64_t place)
{
    struct known *k = map_get(m, log);

    if (!k) {
        k = mem_zalloc(sizeof *k);
        map_put(m, log, k);
    }
    if (seq < k->seq)
        return;
    k->seq = seq;
    k->place = place;
}

static void round_end(struct round *r);

struct jobs_feed *jobs_feed_create(struct link *link, struct archive *archive)
{
    struct jobs_feed *f = mem_zalloc(sizeof *f);

    f->link = link;
    f->archive = archive;
    map_init(&f->known);
    f->pace.kicked = true;
    archive_cursor(archive, f->epoch, &f->cursor);
    return f;
}

void jobs_feed_destroy(struct jobs_feed *f)
{
    if (!f)
        return;
    if (f->is_busy) { /* its callbacks will see it and free it */
        struct round *r = f->resting;

        f->closing = true;
        if (r) /* there are none under way */
            round_end(r);
        return;
    }
    map_fini_free(&f->known);
    free(f);
}

void jobs_feed_kick(struct jobs_feed *f)
{
    if (f)
        f->pace.kicked = true;
}

bool jobs_feed_is_idle(const struct jobs_feed *f)
{
    return !f || (!f->is_busy && !f->pace.kicked && !f->why[0]);
}

int64_t jobs_feed_lag(const struct jobs_feed *f)
{
    if (!f || f->seen_n <= f->cursor)
        return 0;
    return f->newest - f->cursor > f->ahead ? f->newest - f->cursor - f->ahead : 1;
}

const char *jobs_feed_why(const struct jobs_feed *f)
{
    return f ? f->why : "";
}

int jobs_feed_rc(const struct jobs_feed *f)
{
    return f && f->why[0] ? f->rc : 0;
}

void jobs_feed_reset(struct jobs_feed *f)
{
    if (f)
        f->pace.kicked = true;
}

static void fail(struct jobs_feed *f, const char *why)
{
    if (!f->why[0])
        log_warn("jobs", "archive behind why=\"%s\"", why);
    snprintf(f->why, sizeof f->why, "%s", why);
    f->pace.retry_at_ms = f->now_ms + RETRY_MS;
    f->pace.kicked = true;
}

static void drop_logs(struct round *r)
{
    struct log_read *q;

    while ((q = r->next)) {
        r->next = q->next;
        free(q);
    }
}

static void round_end(struct round *r)
{
    struct jobs_feed *f = r->f;

    drop_logs(r);
    map_fini_free(&r->fresh);
    archive_batch_destroy(r->batch);
    f->is_busy = false;
    f->resting = NULL;
    if (f->closing)
        jobs_feed_destroy(f);
    free(r);
}

static void on_archived(void *ctx, const struct archive_result *res)
{
    struct round *r = ctx;
    struct jobs_feed *f = r->f;
    struct map_item *it;
    uint32_t i = 0;

    FAIL_POINT("feed.after");
    r->batch = NULL; /* the archive took it */
    if (res->rc < 0 && res->rc != ERR_AGAIN) {
        map_fini_free(&f->known); /* it may have been put right meanwhile: ask again where each log stands */
        f->rc = res->rc;
        fail(f, res->why);
        round_end(r);
        return;
    }
    if (res->rc == ERR_AGAIN)
        r->failed = true;
    for (unsigned k = 0; k < res->gaps_n; k++) { /* read those again from where the archive really stands */
        struct str log = str_of(res->gaps[k].log);

        free(map_del(&f->known, log));
        set_known(&f->known, log, res->gaps[k].have, -1);
        free(map_del(&r->fresh, log));
        r->failed = true;
    }
    if (f->known.n > KNOWN_MAX)
        map_fini_free(&f->known);
    while (res->rc == 0 && (it = map_next(&r->fresh, &i)))
        set_known(&f->known, (struct str){it->key, it->key_n}, ((struct known *)it->value)->seq, ((struct known *)it->value)->place);
    if (f->why[0])
        log_info("jobs", "archive caught up");
    f->why[0] = 0;
    f->rc = 0;
    if (res->rc == 0)
        f->ahead += r->given;
    if (!r->failed) {
        f->cursor = r->n;
        f->ahead = 0;
        snprintf(f->epoch, sizeof f->epoch, "%s", r->epoch);
    }
    f->pace.at_once = r->more || r->failed;
    if (f->pace.at_once)
        f->pace.kicked = true;
    round_end(r);
}

/* The counter when all was read: entries may have come behind the look at what changed, and what the archive has must
 * never be younger than what it says it has seen. */
static void on_seen(void *ctx, const struct redis_reply *n)
{
    struct round *r = ctx;
    struct jobs_feed *f = r->f;

    FAIL_POINT("feed.before");
    if (f->closing) {
        round_end(r);
        return;
    }
    if (!n || redis_reply_type(n) != REDIS_STR || strcmp(r->epoch, link_epoch(f->link)) != 0) {
        fail(f, "redis is away");
        round_end(r);
        return;
    }
    archive_batch_set_seen(r->batch, r->epoch, redis_reply_int(n));
    if (jobs_feed_may_be_calm(r->more || r->failed, redis_reply_int(n) - f->came, (int64_t)archive_batch_rows(r->batch)))
        archive_batch_set_calm(r->batch);
    f->came = f->newest = redis_reply_int(n);
    /* The cursor moves only behind a round that read everything it looked at. */
    if (!r->failed)
        archive_batch_set_cursor(r->batch, r->epoch, r->n);
    r->given = (int64_t)archive_batch_rows(r->batch);
    if (archive_append(f->archive, r->batch, on_archived, r) < 0) {
        fail(f, "archive: too much is under way");
        round_end(r);
    }
}

static void hand_over(struct round *r)
{
    struct jobs_feed *f = r->f;
    const char *get[] = {"GET"};

    if (f->closing) { /* the archive may be gone */
        round_end(r);
        return;
    }
    if (archive_batch_rows(r->batch) == 0 && r->failed) {
        fail(f, "redis: a log could not be read");
        round_end(r);
        return;
    }
    if (link_call_plain(f->link, "n", 1, get, NULL, on_seen, r) < 0) {
        fail(f, "redis is away");
        round_end(r);
    }
}

static void go_on(struct round *r);

static void log_done(struct log_read *q)
{
    struct round *r = q->r;

    free(q);
    if (--r->reading == 0)
        go_on(r);
}

/* Of the frame's beginning. */
static int64_t number_after(struct str begin, const char *key)
{
    const char *p = memmem(begin.s, begin.n < 200 ? begin.n : 200, key, strlen(key));

    return p ? strtoll(p + strlen(key), NULL, 10) : 0;
}

/* What stands behind `seq`. One that can't be read is the next all the same: the archive refuses it, and goes on with those behind it. */
static struct archive_row row_of(struct str stored, int64_t seq)
{
    struct archive_row row = {.frame = stored};
    struct link_stored st;

    if (link_stored_read(stored, &st))
        row = (struct archive_row){.person = st.person, .ref = st.ref, .frame = st.frame, .voids_from = st.before + 1};
    row.seq = number_after(row.frame, "\"seq\":");
    row.at_ms = number_after(row.frame, "\"at\":");
    if (row.seq <= 0)
        row.seq = seq + 1;
    return row;
}

static void on_log(void *ctx, const struct redis_reply *list)
{
    struct log_read *q = ctx;
    struct round *r = q->r;
    size_t first = q->place < 0; /* behind a seq: the place stands in front */

    if (!list || redis_reply_type(list) != REDIS_LIST) {
        r->failed = true;
        log_done(q);
        return;
    }
    if (first)
        q->place = redis_reply_n(list) ? redis_reply_int(redis_reply_at(list, 0)) : 0;
    for (size_t i = first; i < redis_reply_n(list); i++) {
        struct archive_row row = row_of(redis_reply_str(redis_reply_at(list, i)), q->seq);

        row.log = str_of(q->log);
        archive_batch_add(r->batch, &row);
        r->bytes += row.frame.n;
        q->seq = row.seq;
    }
    if (redis_reply_n(list) > first)
        set_known(&r->fresh, str_of(q->log), q->seq, q->place + (int64_t)(redis_reply_n(list) - first));
    if ((int64_t)(redis_reply_n(list) - first) == r->rows)
        r->failed = true; /* there is more of it: the cursor stays, the next round goes on behind these */
    log_done(q);
}

static void read_log(struct log_read *q)
{
    struct link *l = q->r->f->link;
    int rc = q->place < 0 ? link_read_after(l, str_of(q->log), q->seq, q->r->rows, on_log, q)
                          : link_read(l, str_of(q->log), q->place, q->r->rows, on_log, q);

    if (rc < 0) {
        q->r->failed = true;
        log_done(q);
    }
}

static void on_head(void *ctx, int64_t seq)
{
    struct log_read *q = ctx;

    if (seq < 0) {
        q->r->failed = true;
        log_done(q);
        return;
    }
    set_known(&q->r->f->known, str_of(q->log), seq, -1);
    q->seq = seq;
    q->place = -1;
    read_log(q);
}

static void begin_log(struct log_read *q)
{
    struct round *r = q->r;
    struct str log = str_of(q->log);
    const struct known *k = map_get(&r->f->known, log);

    if (k) {
        q->seq = k->seq;
        q->place = k->place;
        read_log(q);
    } else if (archive_log_head(r->f->archive, log, on_head, q) < 0) {
        r->failed = true;
        log_done(q);
    }
}

/* Some logs at once. One that fails at once comes back to log_done() from within. */
static void read_next(struct round *r)
{
    struct log_read *q;

    r->reading = 1;
    for (unsigned left = jobs_feed_reads(r->is_late); left > 0 && (q = r->next); left--) {
        r->next = q->next;
        r->reading++;
        begin_log(q);
    }
    if (--r->reading == 0)
        go_on(r);
}

static bool may_read(const struct round *r)
{
    return jobs_feed_reads_on(r->is_late, r->began_ms, r->f->rest_ms, r->f->now_ms);
}

/* What was begun has been read: the next ones, at once or after a rest, or all of it to the archive. */
static void go_on(struct round *r)
{
    struct jobs_feed *f = r->f;

    if (r->next && r->bytes >= BYTES_A_ROUND) { /* the next round reads them: of what this one reads nothing is left then */
        r->failed = true;
        drop_logs(r);
    }
    if (!r->next || f->closing) {
        hand_over(r);
        return;
    }
    f->rest_ms = f->now_ms;
    if (may_read(r))
        read_next(r);
    else
        f->resting = r;
}

static void add_log(struct round *r, struct str log)
{
    struct log_read *q = mem_zalloc(sizeof *q);

    q->r = r;
    snprintf(q->log, sizeof q->log, "%.*s", STR_FMT(log));
    q->next = r->next;
    r->next = q;
}

static void on_changed(void *ctx, const struct redis_reply *r)
{
    struct round *rd = ctx;
    struct jobs_feed *f = rd->f;
    size_t n = r && redis_reply_type(r) == REDIS_LIST ? redis_reply_n(r) / 2 : 0;

    if (f->closing) { /* the archive may be gone */
        round_end(rd);
        return;
    }
    if (!r || redis_reply_type(r) != REDIS_LIST) {
        fail(f, "redis is away");
        round_end(rd);
        return;
    }
    if (n == 0) {
        f->seen_n = f->cursor;
        round_end(rd);
        return;
    }
    rd->n = redis_reply_int(redis_reply_at(r, 2 * n - 1));
    rd->more = n == JOBS_FEED_LOGS;
    rd->rows = jobs_feed_rows(n);
    f->seen_n = rd->n;
    if (f->newest < rd->n)
        f->newest = rd->n;
    for (size_t i = n; i > 0; i--)
        add_log(rd, redis_reply_str(redis_reply_at(r, 2 * (i - 1))));
    read_next(rd);
}

void jobs_feed_turn(struct jobs_feed *f, int64_t now_ms)
{
    struct round *r = f->resting;

    f->now_ms = now_ms;
    if (r && may_read(r)) {
        f->resting = NULL;
        read_next(r);
    }
}

void jobs_feed_tick(struct jobs_feed *f, int64_t now_ms)
{
    char from[32], limit[16];
    const char *argv[] = {"ZRANGEBYSCORE", from, "+inf", "WITHSCORES", "LIMIT", "0", limit};
    struct round *r;

    jobs_feed_turn(f, now_ms);
    if (f->is_busy || !link_is_up(f->link) || !jobs_feed_is_due(&f->pace, now_ms))
        return;
    if (strcmp(f->epoch, link_epoch(f->link)) != 0) { /* another life of the data: look at all of it */
        f->ahead = f->cursor > 0 ? 0 : f->ahead;
        f->cursor = f->newest = 0;
        map_fini_free(&f->known);
    }
    r = mem_zalloc(sizeof *r);
    r->f = f;
    r->batch = archive_batch_create();
    map_init(&r->fresh);
    snprintf(r->epoch, sizeof r->epoch, "%s", link_epoch(f->link));
    r->is_late = f->pace.at_once;
    r->began_ms = now_ms;
    f->pace.kicked = f->pace.at_once = false;
    f->is_busy = true;
    f->pace.looked_at_ms = now_ms;
    snprintf(from, sizeof from, "(%lld", (long long)f->cursor);
    snprintf(limit, sizeof limit, "%d", JOBS_FEED_LOGS);
    if (link_call_plain(f->link, "changed", 7, argv, NULL, on_changed, r) < 0) {
        fail(f, "redis is away");
        round_end(r);
    }
}

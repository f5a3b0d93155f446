/* A batch on its way in: what is new, what stood there already, what is missing, what is refused. */
#include <sqlite3.h>
#include <stdio.h>
#include <time.h>

#include "archive/archive_store_in.h"
#include "base/base_json.h"
#include "chat/chat.h"
#include "log/log.h"

#define LOG_BYTES_MAX 71
#define OWN_BODY_MAX  (256u * 1024)

static int64_t clock_ms(void)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    return t.tv_sec * INT64_C(1000) + t.tv_nsec / 1000000;
}

/* True if a log that stands at `head` may go on with this row in a new epoch (PROMISES 2.9); or begin with it,
 * as one does that has a name instead of a random id (commit.lua). */
static bool is_jump(int64_t head, const struct archive_row *row)
{
    return row->seq == (head / CHAT_EPOCH_STEP + 1) * CHAT_EPOCH_STEP + 1 ||
           (row->voids_from > 0 && row->seq % CHAT_EPOCH_STEP == 1);
}

static bool is_sane(const struct archive_row *row)
{
    return row->log.n > 0 && row->log.n <= LOG_BYTES_MAX && row->log.s[0] != '@' && row->seq > 0;
}

/* --- gaps, before anything is written */

static void report_gap(struct archive_result *r, struct str log, int64_t have)
{
    unsigned i = r->gaps_n++;

    if (i >= sizeof r->gaps / sizeof *r->gaps)
        return;
    snprintf(r->gaps[i].log, sizeof r->gaps[i].log, "%.*s", STR_FMT(log));
    r->gaps[i].have = have;
}

static int find_gaps(struct archive_store *s, const struct archive_batch *b, struct archive_result *r,
                     struct err *err)
{
    unsigned max = sizeof r->gaps / sizeof *r->gaps;
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < b->n; i++) {
        const struct archive_row *row = b->rows[i];
        struct archive_log *l;

        if (!is_sane(row))
            continue;
        rc = archive_store_log(s, row->log, &l, err);
        if (rc < 0)
            return rc;
        if (l->batch != s->batch) {
            l->batch = s->batch;
            l->reach = l->head;
            l->gap = false;
        }
        if (l->gap || row->seq <= l->reach)
            continue;
        l->gap = row->seq != l->reach + 1 && !is_jump(l->reach, row);
        l->reach = row->seq;
        if (l->gap)
            report_gap(r, row->log, l->head);
    }
    if (r->gaps_n > max) {
        r->gaps_n = max;
        rc = err_set(err, ERR_AGAIN, "more than %u logs of one batch have gaps: give these first", max);
    }
    return rc;
}

/* --- refused entries */

static int quarantine(struct archive_store *s, const struct archive_row *row, const char *why,
                      struct archive_result *r, struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_quarantine_add];
    unsigned char sum[ARCHIVE_HASH];
    int64_t now_ms = clock_ms();
    int rc;

    crypto_digest(sum, row->frame.s, row->frame.n, NULL, 0);
    archive_db_bind(st, 1, row->log.s ? row->log : STR(""));
    sqlite3_bind_int64(st, 2, row->seq);
    sqlite3_bind_int64(st, 3, row->at_ms);
    archive_db_bind(st, 4, row->frame.s ? row->frame : STR(""));
    sqlite3_bind_blob(st, 5, sum, sizeof sum, SQLITE_STATIC);
    archive_db_bind(st, 6, str_of(why));
    sqlite3_bind_int64(st, 7, now_ms);
    rc = archive_store_step(s, WRITE_quarantine_add, "write into quarantine", err);
    if (rc == 0 && sqlite3_changes(s->db) > 0) {
        s->next.quarantined++;
        s->next.quarantined_at_ms = now_ms;
        log_error("archive", "entry refused log=%.*s seq=%lld why=%s",
                  STR_FMT(row->log.s ? row->log : STR("")), (long long)row->seq, why);
    }
    if (rc == 0 && r->quarantined_n < sizeof r->quarantined / sizeof *r->quarantined) {
        snprintf(r->quarantined[r->quarantined_n].log, sizeof r->quarantined[0].log, "%.*s",
                 STR_FMT(row->log.s ? row->log : STR("")));
        r->quarantined[r->quarantined_n].seq = row->seq;
    }
    r->quarantined_n += rc == 0;
    return rc;
}

/* Seqs between `after` and `before` will never come: the log goes on behind them. */
static int add_hole(struct archive_store *s, struct str name, struct archive_log *l, int64_t before,
                    struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_hole_add];

    archive_db_bind(st, 1, name);
    sqlite3_bind_int64(st, 2, l->head);
    sqlite3_bind_int64(st, 3, before);
    log_warn("archive", "hole log=%.*s after=%lld before=%lld", STR_FMT(name), (long long)l->head,
             (long long)before);
    if (l->chat) {
        l->chat->complete = false;
        archive_store_touch(s, l);
    }
    return archive_store_step(s, WRITE_hole_add, "write a hole", err);
}

static int refuse(struct archive_store *s, const struct archive_row *row, struct archive_log *l,
                  const char *why, struct archive_result *r, struct err *err)
{
    int rc = quarantine(s, row, why, r, err);

    if (rc == 0)
        rc = add_hole(s, row->log, l, row->seq + 1, err);
    l->head = row->seq;
    return rc;
}

/* --- one row */

/* The row has a seq that was reached before: the same bytes are no news, others are refused. */
static int check_same(struct archive_store *s, const struct archive_row *row, struct archive_result *r,
                      struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_entry_at];
    bool same = false, erased = false;
    int rc;

    archive_db_bind(st, 1, row->log);
    sqlite3_bind_int64(st, 2, row->seq);
    rc = archive_store_row(s, WRITE_entry_at, "find an entry", err);
    if (rc < 0)
        return rc;
    if (rc > 0) {
        erased = archive_db_col(st, 1).s == NULL;
        if (!erased) {
            unsigned char sum[ARCHIVE_HASH];

            archive_chain_sum(sum, archive_db_col(st, 1), row->frame);
            same = archive_db_col(st, 2).n == sizeof sum &&
                   crypto_equal(sum, archive_db_col(st, 2).s, sizeof sum);
        }
        sqlite3_reset(st);
    }
    if (same || erased)
        return 0;
    return quarantine(s, row, rc > 0 ? "other bytes stand under this seq" : "this seq lies in a hole", r,
                      err);
}

/* What every event's frame has, whatever its kind. */
struct frame_head {
    char kind[64];
    bool is_event;
    int64_t seq, at_ms;
};

static void read_member(void *ctx, struct str key, struct val v)
{
    struct frame_head *h = ctx;

    if (v.type == VAL_STR && str_is(key, "t"))
        h->is_event = str_is(v.s, "event");
    else if (v.type == VAL_STR && str_is(key, "kind") && v.s.n > 0 && v.s.n < sizeof h->kind)
        memcpy(h->kind, v.s.s, v.s.n);
    else if (v.type == VAL_INT && str_is(key, "seq"))
        h->seq = v.i;
    else if (v.type == VAL_INT && str_is(key, "at"))
        h->at_ms = v.i;
}

/* The head of an event that this version can't fold: a newer one's kind or field. It is archived as it is. */
static bool read_head(struct str frame, struct frame_head *h)
{
    static const struct protocol_limits limits = {
        .frame_bytes = 1u << 20, .depth = 64, .keys = 4096, .text_chars = 1u << 20};

    return json_read_object(frame, &limits, read_member, h, NULL) == 0 && h->is_event && h->kind[0] != '\0';
}

static void note_redaction(struct archive_store *s, const struct archive_row *row, const struct entry *e)
{
    if (e->kind != KIND_REDACTED || e->f[FIELD_OF].type != VAL_INT)
        return;
    ARCHIVE_GROW(s->redactions, s->redactions_n, s->redactions_cap);
    s->redactions[s->redactions_n++] = (struct archive_redaction){row->log, e->f[FIELD_OF].i, false};
}

/* Adds it and folds it in; e is NULL if this version can't fold it. */
static int write_event(struct archive_store *s, const struct archive_row *row, struct str kind,
                       struct archive_log *l, const struct entry *e, struct err *err)
{
    struct archive_new new = {.log = row->log,
                              .kind = kind,
                              .person = row->person,
                              .ref = row->ref,
                              .body = row->frame,
                              .seq = row->seq,
                              .at_ms = row->at_ms};
    bool begins = l->head == 0 && row->voids_from == 1; /* nothing stood before it */
    int rc = begins || row->seq == l->head + 1 ? 0 : add_hole(s, row->log, l, row->seq, err);

    if (rc == 0 && row->voids_from > 0)
        rc = archive_store_void(s, row->log, row->voids_from, row->seq, err);
    if (rc == 0)
        rc = archive_store_add_again(s, &new, l, err);
    if (rc == 0 && e && l->is_chat)
        rc = archive_store_apply(s, row->log, l, e, err);
    if (rc < 0)
        return rc;
    if (!e)
        archive_store_pass(s, l);
    l->head = row->seq;
    if (e)
        note_redaction(s, row, e);
    return 0;
}

static int write_new(struct archive_store *s, const struct archive_row *row, struct archive_log *l,
                     struct archive_result *r, struct err *err)
{
    struct frame_head h = {.kind = ""};
    struct err why = {.text = ""};
    struct entry e;
    bool known = entry_read(row->frame, &e, &why) == 0, fits;
    int rc;

    if (!known && !read_head(row->frame, &h)) {
        rc = refuse(s, row, l, "its frame is no event", r, err);
        entry_fini(&e);
        return rc;
    }
    fits = row->seq == (known ? e.seq : h.seq) && row->at_ms == (known ? e.at_ms : h.at_ms);
    if (!known)
        log_warn("archive", "not folded log=%.*s seq=%lld why=%s", STR_FMT(row->log), (long long)row->seq,
                 why.text);
    rc = fits ? write_event(s, row, str_of(known ? kind_table[e.kind].name : h.kind), l, known ? &e : NULL,
                            err)
              : refuse(s, row, l, "its frame bears another seq or time", r, err);
    entry_fini(&e);
    return rc;
}

static int write_row(struct archive_store *s, const struct archive_row *row, struct archive_result *r,
                     struct err *err)
{
    struct archive_log *l;
    int rc;

    if (!is_sane(row))
        return quarantine(s, row, "it names no log or seq", r, err);
    rc = archive_store_log(s, row->log, &l, err);
    if (rc < 0 || l->gap)
        return rc;
    return row->seq <= l->head ? check_same(s, row, r, err) : write_new(s, row, l, r, err);
}

static void reach(struct archive_reached *to, const struct archive_batch *b, bool whole)
{
    if (strcmp(to->epoch, b->epoch) != 0) { /* another life: it is read from its start */
        memcpy(to->epoch, b->epoch, sizeof to->epoch);
        to->counter = to->seen = 0;
    }
    if (b->seen > to->seen)
        to->seen = b->seen;
    if (whole)
        to->counter = b->counter;
}

void archive_store_write(struct archive_store *s, const struct archive_batch *b, struct archive_result *r)
{
    struct err err = {.text = ""};
    int rc = archive_store_begin(s, &err);

    memset(r, 0, sizeof *r);
    if (rc == 0) {
        rc = find_gaps(s, b, r, &err);
        for (size_t i = 0; rc == 0 && i < b->n; i++)
            rc = write_row(s, b->rows[i], r, &err);
        if (b->epoch[0])
            reach(&s->next, b, b->has_cursor && r->gaps_n == 0); /* a gap lies before the cursor */
        rc = archive_store_end(s, rc, &err);
    }
    r->rc = rc;
    snprintf(r->why, sizeof r->why, "%.*s", (int)sizeof r->why - 1, rc < 0 ? err_why(&err) : "");
}

/* --- the archive's own logs */

struct own_check {
    bool forged, has_chat;
};

static void check_member(void *ctx, struct str key, struct val v)
{
    struct own_check *c = ctx;

    (void)v;
    c->forged = c->forged || str_is(key, "id") || str_is(key, "at") || str_is(key, "by") ||
                str_is(key, "reviewer");
    c->has_chat = c->has_chat || str_is(key, "chat");
}

/* {"id":…,"at":…,<who>:…,"chat":…,…body's own members} */
static int make_own_body(struct str chat, struct str by, const char *who, struct str body, int64_t at_ms,
                         struct buf *out, struct err *err)
{
    static const struct protocol_limits limits = {
        .frame_bytes = OWN_BODY_MAX, .depth = 16, .keys = 4096, .text_chars = 100000};
    struct own_check check = {false, false};
    struct str rest = body;
    char id[ID_SIZE];
    int rc = json_read_object(body, &limits, check_member, &check, err);

    if (rc < 0)
        return rc;
    if (check.forged)
        return err_set(err, ERR_INVALID, "id, at, by and reviewer are the server's to set");
    while (rest.n > 0 && *rest.s != '{')
        rest = (struct str){rest.s + 1, rest.n - 1};
    rest = (struct str){rest.s + 1, rest.n - 1};
    while (rest.n > 0 && strchr(" \t\r\n", *rest.s))
        rest = (struct str){rest.s + 1, rest.n - 1};
    id_make(id, 'v');
    json_open(out, '{');
    json_kv_s(out, "id", id);
    json_kv_int(out, "at", at_ms);
    json_kv_str(out, who, by);
    if (chat.s && !check.has_chat)
        json_kv_str(out, "chat", chat);
    if (rest.n > 0 && *rest.s != '}')
        buf_add_c(out, ',');
    buf_add_str(out, rest);
    return buf_ok(out) ? 0 : err_set(err, ERR_TOO_LARGE, "it is too large");
}

static int add_own(struct archive_store *s, const char *log, const char *kind, struct str by, struct str ref, struct str body,
                   int64_t at_ms, struct err *err)
{
    struct archive_new new = {
        .log = str_of(log), .kind = str_of(kind), .person = by, .ref = ref, .body = body, .at_ms = at_ms};
    struct archive_log *l;
    int rc = archive_store_log(s, new.log, &l, err);

    if (rc < 0)
        return rc;
    new.seq = l->head + 1;
    rc = archive_store_add(s, &new, err);
    if (rc == 0)
        l->head = new.seq;
    return rc;
}

static int chat_is_known(struct archive_store *s, struct str chat, struct err *err)
{
    int rc;

    archive_db_bind(s->st[WRITE_chat_known], 1, chat);
    rc = archive_store_row(s, WRITE_chat_known, "find a chat", err);
    sqlite3_reset(s->st[WRITE_chat_known]);
    return rc > 0 ? 0 : rc < 0 ? rc : err_set(err, ERR_NOT_FOUND, "there is no such chat");
}

/* What the reviewer said of the chat, without what the server put before it. */
static struct str said(struct str review)
{
    static const char key[] = ",\"chat\":";
    const char *at = memmem(review.s, review.n, key, sizeof key - 1);

    return at ? (struct str){at, review.n - (size_t)(at - review.s)} : STR_NONE;
}

/* 1: this person has stored a review under that reference; *out, which holds the new one, gets that. 0: none. */
static int find_review(struct archive_store *s, struct str by, struct str ref, struct buf *out, struct err *err)
{
    sqlite3_stmt *find = s->st[WRITE_entry_by_ref], *get = s->st[WRITE_entry_at];
    bool same = false;
    int rc;

    archive_db_bind(find, 1, STR("@reviews"));
    archive_db_bind(find, 2, by);
    archive_db_bind(find, 3, ref);
    rc = archive_store_row(s, WRITE_entry_by_ref, "find a review", err);
    if (rc > 0) {
        archive_db_bind(get, 1, STR("@reviews"));
        sqlite3_bind_int64(get, 2, sqlite3_column_int64(find, 0));
        rc = archive_store_row(s, WRITE_entry_at, "read a review", err);
    }
    if (rc > 0) {
        struct str first = archive_db_col(get, 0);

        same = first.s && str_eq(said(first), said(buf_str(out)));
        buf_reset(out);
        buf_add_str(out, first);
    }
    sqlite3_reset(find);
    sqlite3_reset(get);
    return rc > 0 && !same ? err_set(err, ERR_EXISTS, "this reference was used for another review") : rc;
}

int archive_store_add_review(struct archive_store *s, const struct archive_query *q, struct buf *out, struct err *err)
{
    int64_t at_ms = clock_ms();
    int rc = make_own_body(q->chat, q->by, "reviewer", q->body, at_ms, out, err);

    if (rc < 0)
        return rc;
    rc = archive_store_begin(s, err);
    if (rc < 0)
        return rc;
    rc = q->ref.n ? find_review(s, q->by, q->ref, out, err) : 0;
    if (rc != 0)
        return archive_store_end(s, rc < 0 ? rc : 0, err);
    rc = chat_is_known(s, q->chat, err);
    if (rc == 0)
        rc = add_own(s, "@reviews", "review", q->by, q->ref.n ? q->ref : STR_NONE, buf_str(out), at_ms, err);
    if (rc == 0) {
        sqlite3_bind_int64(s->st[WRITE_review_add], 1, s->next.rows);
        archive_db_bind(s->st[WRITE_review_add], 2, q->chat);
        rc = archive_store_step(s, WRITE_review_add, "write a review", err);
    }
    return archive_store_end(s, rc, err);
}

int archive_store_add_audit(struct archive_store *s, struct str by, struct str body, struct buf *out,
                            struct err *err)
{
    int64_t at_ms = clock_ms();
    int rc = make_own_body(STR_NONE, by, "by", body, at_ms, out, err);

    if (rc == 0)
        rc = archive_store_begin(s, err);
    if (rc < 0)
        return rc;
    return archive_store_end(s, add_own(s, "@audit", "audit", by, STR_NONE, buf_str(out), at_ms, err), err);
}

/* One chat's transcript, in the four forms that PROTOCOL "HTTP" names. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "archive/archive_fold.h"
#include "archive/archive_reader.h"
#include "base/base_json.h"
#include "chat/chat_view.h"

#define TEXT_MAX (1u << 20)

/* What a form does with one event; body is absent if it was erased. */
struct event {
    struct str chat, kind, body;
    int64_t seq, at_ms;
};

static void frame_of(const struct event *v, struct buf *out)
{
    if (v->body.s)
        buf_add_str(out, v->body);
    else
        archive_tombstone(out, v->chat, v->seq, v->at_ms);
}

static void write_who(struct buf *out, const char *key, sqlite3_stmt *st, int i)
{
    json_key(out, key);
    if (archive_db_col(st, i).n == 0) {
        json_nil(out);
        return;
    }
    json_open(out, '{');
    json_kv_str(out, "id", archive_db_col(st, i));
    json_kv_str(out, "name", archive_db_col(st, i + 1).n > 0 ? archive_db_col(st, i + 1) : STR_NONE);
    json_close(out, '}');
}

static void write_time(struct buf *out, int64_t at_ms)
{
    time_t t = (time_t)(at_ms / 1000);
    struct tm tm;
    char text[40] = "";

    if (gmtime_r(&t, &tm))
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &tm);
    buf_printf(out, "%s.%03dZ", text, (int)(at_ms % 1000));
}

/* --- JSON and NDJSON */

static void json_head(struct buf *out, sqlite3_stmt *st, bool brief)
{
    json_open(out, '{');
    json_kv_str(out, "chat", archive_db_col(st, 1));
    json_kv_str(out, "site", archive_db_col(st, 2));
    json_kv_str(out, "department", archive_db_col(st, 3));
    write_who(out, "shopper", st, 4);
    write_who(out, "owner", st, 6);
    write_who(out, "handler", st, 14);
    json_kv_str(out, "state", archive_db_col(st, 8));
    json_kv_bool(out, "complete", sqlite3_column_int(st, 9) != 0);
    json_kv_int(out, "started", sqlite3_column_int64(st, 10));
    if (sqlite3_column_type(st, 11) != SQLITE_NULL)
        json_kv_int(out, "ended", sqlite3_column_int64(st, 11));
    if (sqlite3_column_type(st, 12) != SQLITE_NULL)
        json_kv_int(out, "rating", sqlite3_column_int64(st, 12));
    if (!brief && archive_db_col(st, 13).n > 0)
        json_kv_raw(out, "tags", archive_db_col(st, 13));
    json_key(out, "events");
    json_open(out, '[');
}

static void json_event(struct buf *out, const struct event *v)
{
    if (out->n > 0 && out->p[out->n - 1] != '[')
        buf_add_c(out, ',');
    frame_of(v, out);
}

static void json_tail(struct buf *out)
{
    buf_add_s(out, "]}");
}

static void ndjson_event(struct buf *out, const struct event *v)
{
    frame_of(v, out);
    buf_add_c(out, '\n');
}

/* --- CSV (RFC 4180); a cell that a spreadsheet would calculate gets an apostrophe in front */

static void csv_cell(struct buf *out, struct str s, char end)
{
    buf_add_c(out, '"');
    if (s.n > 0 && strchr("=+-@\t\r", s.s[0]))
        buf_add_c(out, '\'');
    for (size_t i = 0; i < s.n; i++) {
        if (s.s[i] == '"')
            buf_add_c(out, '"');
        buf_add_c(out, s.s[i]);
    }
    buf_add_c(out, '"');
    buf_add_c(out, end);
}

static void csv_head(struct buf *out, sqlite3_stmt *st, bool brief)
{
    (void)st, (void)brief;
    buf_add_s(out, "seq,time,kind,role,person,name,text,event\r\n");
}

static void csv_event(struct buf *out, const struct event *v)
{
    struct entry e;
    struct buf text;
    bool known = v->body.s && entry_read(v->body, &e, NULL) == 0;

    if (!known)
        entry_init(&e, KIND_MESSAGE);
    buf_init(&text, TEXT_MAX);
    if (known)
        archive_entry_text(&e, &text);
    buf_add_i64(out, v->seq);
    buf_add_c(out, ',');
    write_time(out, v->at_ms);
    buf_add_c(out, ',');
    csv_cell(out, v->body.s ? v->kind : STR("redacted"), ',');
    csv_cell(out, known ? str_of(role_name(e.from_role)) : STR(""), ',');
    csv_cell(out, e.from.id, ',');
    csv_cell(out, e.from.name, ',');
    csv_cell(out, buf_str(&text), ',');
    buf_reset(&text);
    frame_of(v, &text);
    csv_cell(out, buf_str(&text), '\r');
    buf_add_c(out, '\n');
    entry_fini(&e);
    buf_fini(&text);
}

/* --- plain text */

static bool is_line_end(struct str c)
{
    return str_is(c, "\n") || str_is(c, "\xc2\x85") || str_is(c, "\u2028") || str_is(c, "\u2029");
}

static bool is_control(struct str c)
{
    unsigned char first = (unsigned char)c.s[0];

    return first < ' ' || first == 0x7f || (first == 0xc2 && (unsigned char)c.s[1] < 0xa0); /* C1 */
}

/* On one line each, so that what somebody wrote can't pass for a line of ours; no control characters. */
static void plain(struct buf *out, struct str s)
{
    while (s.n > 0) {
        struct str c = utf8_prefix(s, 1);

        if (is_line_end(c))
            buf_add_s(out, "\n    ");
        else if (is_control(c))
            buf_add_c(out, ' ');
        else
            buf_add_str(out, c);
        s = (struct str){s.s + c.n, s.n - c.n};
    }
}

static void plain_who(struct buf *out, const char *what, sqlite3_stmt *st, int i)
{
    struct str id = archive_db_col(st, i);

    if (id.n == 0)
        return;
    buf_add_s(out, what);
    plain(out, archive_db_col(st, i + 1));
    buf_add_s(out, archive_db_col(st, i + 1).n ? " (" : "(");
    plain(out, id);
    buf_add_s(out, ")\n");
}

static void text_head(struct buf *out, sqlite3_stmt *st, bool brief)
{
    (void)brief;
    buf_add_s(out, "chat: ");
    plain(out, archive_db_col(st, 1));
    buf_add_s(out, "\nsite: ");
    plain(out, archive_db_col(st, 2));
    buf_add_s(out, "\ndepartment: ");
    plain(out, archive_db_col(st, 3));
    buf_add_c(out, '\n');
    plain_who(out, "shopper: ", st, 4);
    plain_who(out, "owner: ", st, 6);
    buf_add_s(out, "state: ");
    plain(out, archive_db_col(st, 8));
    buf_add_s(out,
              sqlite3_column_int(st, 9) ? "\ncomplete: yes\n\n" : "\ncomplete: no, entries are missing\n\n");
}

/* To whom something went, or what was given: what stands in the entry's own fields and not in its text. */
static void plain_facts(struct buf *out, const struct entry *e)
{
    static const enum field people[] = {FIELD_TO, FIELD_OWNER, FIELD_HANDLER};
    struct archive_who who = {.id = ""};

    for (size_t i = 0; !who.id[0] && i < sizeof people / sizeof *people; i++)
        if (e->f[people[i]].type == VAL_JSON)
            archive_who_read(&who, e->f[people[i]].s);
    if (who.id[0]) {
        buf_add_s(out, " → ");
        plain(out, str_of(who.name && who.name[0] ? who.name : who.id));
    }
    free(who.name);
    if (e->kind == KIND_RATED && e->f[FIELD_SCORE].type == VAL_INT)
        buf_printf(out, " %lld", (long long)e->f[FIELD_SCORE].i);
}

static void text_event(struct buf *out, const struct event *v)
{
    struct entry e;
    struct buf text;
    bool known = v->body.s && entry_read(v->body, &e, NULL) == 0;

    if (!known)
        entry_init(&e, KIND_MESSAGE);
    buf_init(&text, TEXT_MAX);
    write_time(out, v->at_ms);
    buf_add_s(out, "  ");
    if (known) {
        archive_entry_text(&e, &text);
        plain(out, e.from.name.n > 0 ? e.from.name
                   : e.from.id.n > 0 ? e.from.id
                                     : str_of(role_name(e.from_role)));
        buf_printf(out, " (%s)", role_name(e.from_role));
    }
    if (!known || e.kind != KIND_MESSAGE) {
        buf_add_s(out, " [");
        plain(out, v->body.s ? v->kind : STR("redacted"));
        buf_add_c(out, ']');
        if (known)
            plain_facts(out, &e);
    }
    if (text.n > 0)
        buf_add_s(out, ": ");
    plain(out, buf_str(&text));
    buf_add_c(out, '\n');
    entry_fini(&e);
    buf_fini(&text);
}

/* --- the forms */

static const struct form {
    void (*head)(struct buf *out, sqlite3_stmt *st, bool brief);
    void (*event)(struct buf *out, const struct event *v);
    void (*tail)(struct buf *out);
} forms[] = {
    [ARCHIVE_JSON] = {json_head, json_event, json_tail},
    [ARCHIVE_NDJSON] = {NULL, ndjson_event, NULL},
    [ARCHIVE_CSV] = {csv_head, csv_event, NULL},
    [ARCHIVE_TEXT] = {text_head, text_event, NULL},
};

/*
 * The event as its shopper was sent it, into frame; false: shoppers don't see it. *shown: the seq of the last one that they did.
 * Of one that this version can't read nothing is known to be meant for them: it is as one that was erased.
 */
static bool as_shopper(struct event *v, struct buf *frame, int64_t *shown)
{
    struct entry e;

    if (!chat_view_is_shown(kind_from_name(v->kind), AUDIENCE_SHOPPER))
        return false;
    if (!v->body.s || entry_read(v->body, &e, NULL) < 0) {
        entry_init(&e, KIND_REDACTED);
        e.f[FIELD_OF] = (struct val){.type = VAL_INT, .i = v->seq};
        v->kind = STR("redacted");
    }
    buf_reset(frame);
    json_open(frame, '{');
    json_kv_s(frame, "t", "event");
    json_kv_str(frame, "chat", v->chat);
    json_kv_int(frame, "seq", v->seq);
    json_kv_int(frame, "at", v->at_ms);
    json_kv_int(frame, "prev", *shown);
    buf_add_c(frame, ',');
    chat_view_write_shopper_tail(frame, &e);
    entry_fini(&e);
    v->body = buf_str(frame);
    *shown = v->seq;
    return true;
}

static int write_events(struct archive_reader *r, const struct archive_query *q, const struct form *f, struct buf *out,
                        struct err *err)
{
    sqlite3_stmt *st;
    struct buf frame;
    int64_t shown = 0;
    int rc = archive_reader_use(r, READ_log, &st, err);

    if (rc < 0)
        return rc;
    archive_db_name_str(st, ":log", q->chat);
    archive_db_name_int(st, ":from", 0);
    buf_init(&frame, TEXT_MAX);
    while ((rc = archive_reader_step(r, st, err)) > 0) {
        struct event v = {.chat = q->chat,
                          .kind = archive_db_col(st, 2),
                          .body = archive_db_col(st, 3),
                          .seq = sqlite3_column_int64(st, 0),
                          .at_ms = sqlite3_column_int64(st, 1)};

        if (!q->brief || as_shopper(&v, &frame, &shown))
            f->event(out, &v);
    }
    buf_fini(&frame);
    return rc;
}

int archive_read_transcript(struct archive_reader *r, const struct archive_wish *w, struct buf *out,
                            struct err *err)
{
    const struct form *f = &forms[w->q.format];
    sqlite3_stmt *st;
    int rc = archive_reader_snapshot(r, err);

    if (rc == 0)
        rc = archive_reader_use(r, READ_chat, &st, err);
    if (rc < 0)
        return rc;
    archive_db_name_str(st, ":chat", w->q.chat);
    archive_db_name_str(st, ":shopper", w->q.shopper);
    archive_bind_access(st, w);
    rc = archive_reader_step(r, st, err);
    if (rc <= 0)
        return rc < 0 ? rc : err_set(err, ERR_NOT_FOUND, "there is no such chat");
    if (f->head)
        f->head(out, st, w->q.brief);
    sqlite3_reset(st);
    rc = write_events(r, &w->q, f, out, err);
    if (f->tail)
        f->tail(out);
    return rc < 0        ? rc
           : buf_ok(out) ? 0
                         : err_set(err, ERR_TOO_LARGE, "the transcript is too large: export it");
}

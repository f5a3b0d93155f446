/*
 * The list of chats: filters, search, pages.
 *
 * Order is chats.place, newest first; a page's cursor is the place of its last item, so it is stable while
 * chats come in. A search is a walk down the places in which every stream (one a word or phrase, one of the
 * chats that pass the filters and may be seen) in turn jumps to the newest chat not above the one in hand,
 * until all name the same: a page costs what lies between its items, not what there is. A chat is found if
 * all words are in it, wherever.
 */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>

#include "archive/archive_reader.h"
#include "archive/archive_snippet.h"
#include "base/base_json.h"

#define NUMBER_BITS     19
#define NUMBER_MAX      ((INT64_C(1) << NUMBER_BITS) - 1)
#define WALK            32 /* rows that a stream steps over before it jumps */
#define QUERY_BYTES_MAX 2000
#define TEXT_MAX        (1u << 20)
#define PLACE_MAX       ARCHIVE_CURSOR_MAX
#define SPILL_MS        60000 /* how far a place may lie above its start, see find_place() */

/* One word or phrase of the search. */
struct term {
    sqlite3_stmt *st;
    int64_t rowid; /* its newest entry not above where the walk is; 0: none was read yet */
};

struct list {
    struct archive_reader *r;
    const struct archive_wish *w;
    struct archive_search search;
    struct term term[ARCHIVE_TERMS_MAX];
    sqlite3_stmt *chats; /* stands on the chat `place` */
    int64_t place;       /* 0: none was read yet */
    int64_t floor;
};

/* --- streams */

/* Puts the term on its newest entry in a chat at or below `bound`: 1, 0 if there is none, or an error. */
static int term_seek(struct list *l, struct term *t, int64_t bound, struct err *err)
{
    int rc = 1;

    for (int i = 0; t->rowid && t->rowid >> NUMBER_BITS > bound && i < WALK && rc > 0; i++) {
        rc = archive_reader_step(l->r, t->st, err);
        t->rowid = rc > 0 ? sqlite3_column_int64(t->st, 0) : 0;
    }
    if (rc <= 0 || (t->rowid && t->rowid >> NUMBER_BITS <= bound))
        return rc;
    sqlite3_reset(t->st);
    archive_db_name_int(t->st, ":bound", bound << NUMBER_BITS | NUMBER_MAX);
    rc = archive_reader_step(l->r, t->st, err);
    if (rc > 0)
        t->rowid = sqlite3_column_int64(t->st, 0);
    return rc;
}

/* The same for the chats that pass the filters. */
static int chats_seek(struct list *l, int64_t bound, struct err *err)
{
    int rc = 1;

    for (int i = 0; l->place > bound && i < WALK && rc > 0; i++) {
        rc = archive_reader_step(l->r, l->chats, err);
        l->place = rc > 0 ? sqlite3_column_int64(l->chats, 0) : 0;
    }
    if (rc <= 0 || (l->place && l->place <= bound))
        return rc;
    sqlite3_reset(l->chats);
    archive_db_name_int(l->chats, ":bound", bound);
    rc = archive_reader_step(l->r, l->chats, err);
    if (rc > 0)
        l->place = sqlite3_column_int64(l->chats, 0);
    return rc;
}

/* The newest chat at or below *place on which all streams agree: 1 and *place, 0, or an error. */
static int find_chat(struct list *l, int64_t *place, struct err *err)
{
    int64_t at = *place;
    unsigned agreed = 0, streams = l->search.terms_n + 1;
    int rc;

    for (unsigned i = 0; agreed < streams; i = (i + 1) % streams) {
        int64_t here;

        if (archive_reader_is_late(l->r))
            return err_set(err, ERR_TIMEOUT, "the search took too long: narrow it");
        rc = i < l->search.terms_n ? term_seek(l, &l->term[i], at, err) : chats_seek(l, at, err);
        if (rc <= 0)
            return rc;
        here = i < l->search.terms_n ? l->term[i].rowid >> NUMBER_BITS : l->place;
        if (here < l->floor)
            return 0;
        agreed = here == at ? agreed + 1 : 1;
        at = here;
    }
    *place = at;
    return 1;
}

/* --- one item */

static void write_who(struct buf *out, const char *key, struct str id, struct str name)
{
    json_key(out, key);
    if (id.n == 0) {
        json_nil(out);
        return;
    }
    json_open(out, '{');
    json_kv_str(out, "id", id);
    json_kv_str(out, "name", name.n > 0 ? name : STR_NONE);
    json_close(out, '}');
}

static void write_snippet(struct list *l, struct str chat, struct buf *out)
{
    struct entry e;
    struct buf text;
    sqlite3_stmt *st;

    if (l->search.terms_n == 0 || archive_reader_use(l->r, READ_entry_number, &st, NULL) < 0)
        return;
    archive_db_name_str(st, ":log", chat);
    archive_db_name_int(st, ":number", l->term[0].rowid & NUMBER_MAX);
    if (archive_reader_step(l->r, st, NULL) <= 0)
        return;
    buf_init(&text, TEXT_MAX);
    if (entry_read(archive_db_col(st, 0), &e, NULL) == 0) {
        archive_entry_text(&e, &text);
        archive_snippet_write(&l->search, buf_str(&text), out);
    }
    entry_fini(&e);
    buf_fini(&text);
    sqlite3_reset(st);
}

static void write_brief(struct list *l, struct buf *out)
{
    sqlite3_stmt *st = l->chats;

    json_open(out, '{');
    json_kv_str(out, "chat", archive_db_col(st, 1));
    json_kv_int(out, "started", sqlite3_column_int64(st, 8));
    if (sqlite3_column_type(st, 9) != SQLITE_NULL)
        json_kv_int(out, "ended", sqlite3_column_int64(st, 9));
    json_kv_str(out, "state", archive_db_col(st, 7));
    write_who(out, "owner", archive_db_col(st, 5), archive_db_col(st, 6));
    json_close(out, '}');
}

static void write_item(struct list *l, struct buf *out)
{
    sqlite3_stmt *st = l->chats;
    struct str chat = archive_db_col(st, 1);

    if (l->w->q.brief) {
        write_brief(l, out);
        return;
    }
    json_open(out, '{');
    json_kv_str(out, "chat", chat);
    json_kv_str(out, "department", archive_db_col(st, 2));
    write_who(out, "owner", archive_db_col(st, 5), archive_db_col(st, 6));
    write_who(out, "handler", archive_db_col(st, 16), archive_db_col(st, 17));
    write_who(out, "shopper", archive_db_col(st, 3), archive_db_col(st, 4));
    json_kv_int(out, "started", sqlite3_column_int64(st, 8));
    if (sqlite3_column_type(st, 9) == SQLITE_NULL)
        json_kv_raw(out, "ended", STR("null"));
    else
        json_kv_int(out, "ended", sqlite3_column_int64(st, 9));
    json_kv_str(out, "state", archive_db_col(st, 7));
    if (sqlite3_column_type(st, 10) != SQLITE_NULL)
        json_kv_int(out, "rating", sqlite3_column_int64(st, 10));
    json_kv_int(out, "messages", sqlite3_column_int64(st, 11));
    if (archive_db_col(st, 12).n > 0)
        json_kv_raw(out, "tags", archive_db_col(st, 12));
    json_kv_bool(out, "owner_changed", sqlite3_column_int(st, 13) != 0);
    json_kv_int(out, "handovers", sqlite3_column_int64(st, 14));
    json_kv_bool(out, "complete", sqlite3_column_int(st, 15) != 0);
    write_snippet(l, chat, out);
    json_close(out, '}');
}

/* --- the whole */

static void bind_optional(sqlite3_stmt *st, const char *name, int64_t v)
{
    if (v >= 0)
        archive_db_name_int(st, name, v);
}

/* The chats that pass the filters; led by a person's own or a shopper's chats where only these can. */
static int prepare_chats(struct list *l, struct err *err)
{
    const struct archive_query *q = &l->w->q;
    bool only_own = !q->reader_all && l->w->departments.n <= 2; /* "[]" */
    struct str driver = q->rep.n > 0 ? q->rep : only_own ? q->reader_id : STR_NONE;
    enum archive_read led = q->shopper.n > 0 ? READ_list_shopper : driver.n > 0 ? READ_list_person : READ_list;
    sqlite3_stmt *st;
    int rc = archive_reader_use(l->r, led, &st, err);

    if (rc < 0)
        return rc;
    archive_db_name_str(st, ":driver", driver);
    archive_db_name_str(st, ":shopper", q->shopper);
    archive_db_name_str(st, ":rep", q->rep.n > 0 ? q->rep : STR_NONE);
    archive_db_name_str(st, ":department", q->department.n > 0 ? q->department : STR_NONE);
    archive_db_name_str(st, ":tag", q->tag.n > 0 ? q->tag : STR_NONE);
    bind_optional(st, ":from", q->from_ms);
    bind_optional(st, ":to", q->to_ms);
    bind_optional(st, ":rating", q->rating);
    bind_optional(st, ":owner_changed", q->owner_changed);
    archive_db_name_int(st, ":floor", l->floor);
    archive_bind_access(st, l->w);
    l->chats = st;
    return 0;
}

static int prepare_terms(struct list *l, struct err *err)
{
    int rc = 0;

    for (unsigned i = 0; rc == 0 && i < l->search.terms_n; i++) {
        rc = archive_db_prepare(l->r->db, l->r->path, "archive_read", "words", &l->term[i].st, err);
        if (rc == 0)
            archive_db_name_str(l->term[i].st, ":term", l->search.term[i]);
    }
    return rc;
}

static int write_page(struct list *l, int64_t from, struct buf *out, struct err *err)
{
    unsigned limit = l->w->q.limit < 1 ? 50 : l->w->q.limit > 200 ? 200 : l->w->q.limit, n = 0;
    int64_t last = 0, at = from;
    int rc = 0;

    buf_add_s(out, "{\"items\":[");
    while (at >= 0 && (rc = find_chat(l, &at, err)) > 0 && n < limit) {
        write_item(l, out);
        n++;
        last = at--;
    }
    buf_add_c(out, ']');
    if (rc > 0 && n == limit)
        archive_cursor_write('1', last, out);
    else
        json_kv_raw(out, "next", STR("null"));
    buf_add_c(out, '}');
    return rc < 0 ? rc : buf_ok(out) ? 0 : err_set(err, ERR_TOO_LARGE, "the page is too large: ask for less");
}

int archive_read_list(struct archive_reader *r, const struct archive_wish *w, struct buf *out,
                      struct err *err)
{
    struct list l = {.r = r, .w = w};
    int64_t from = PLACE_MAX;
    int rc = 0;

    if (w->q.q.n > QUERY_BYTES_MAX)
        return err_set(err, ERR_INVALID, "the search is too long");
    if (w->q.to_ms >= 0 && w->q.to_ms < PLACE_MAX / 4 - SPILL_MS)
        from = (w->q.to_ms + SPILL_MS) * 4;
    if (w->q.cursor.n > 0) {
        int64_t after = 0;

        rc = archive_cursor_read('1', w->q.cursor, &after, err);
        if (rc < 0)
            return rc;
        from = after - 1 < from ? after - 1 : from;
    }
    l.floor = w->q.from_ms > 0 ? (w->q.from_ms < PLACE_MAX / 4 ? w->q.from_ms * 4 : PLACE_MAX) : 0;
    archive_search_init(&l.search, w->q.q);
    if (w->q.q.n > 0 && l.search.terms_n == 0) { /* nothing but signs: nothing is found by them */
        buf_add_s(out, "{\"items\":[],\"next\":null}");
    } else {
        rc = archive_reader_snapshot(r, err);
        if (rc == 0)
            rc = prepare_chats(&l, err);
        if (rc == 0)
            rc = prepare_terms(&l, err);
        if (rc == 0)
            rc = write_page(&l, from, out, err);
    }
    for (unsigned i = 0; i < l.search.terms_n; i++)
        sqlite3_finalize(l.term[i].st);
    archive_search_fini(&l.search);
    return rc;
}

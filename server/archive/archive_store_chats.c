/* The tables that are derived from entries: chats, who had to do with them, tags, words. */
#include <sqlite3.h>
#include <stdlib.h>

#include "archive/archive_store_in.h"
#include "base/base_json.h"

#define NUMBER_BITS 19 /* of a word's row id: the entry's number in its chat */
#define TEXT_MAX    (1u << 20)

static char *take_text(sqlite3_stmt *st, int i)
{
    struct str s = archive_db_col(st, i);

    return s.n > 0 ? mem_strndup(s.s, s.n) : NULL;
}

static void take_who(sqlite3_stmt *st, int i, struct archive_who *who)
{
    struct str id = archive_db_col(st, i);

    archive_who_set(who, id.s ? id : STR(""), archive_db_col(st, i + 1));
}

static void take_tag(void *ctx, struct str s)
{
    archive_chat_add_tag(ctx, s, true);
}

int archive_store_load_chat(struct archive_store *s, struct str name, struct archive_log *l, struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_chat_get];
    struct archive_chat *c;
    int rc;

    archive_db_bind(st, 1, name);
    rc = archive_store_row(s, WRITE_chat_get, "read a chat", err);
    if (rc <= 0)
        return rc;
    c = archive_chat_create();
    c->place = sqlite3_column_int64(st, 0);
    c->head = l->head = sqlite3_column_int64(st, 1);
    c->entries = sqlite3_column_int64(st, 2);
    c->site = take_text(st, 3);
    c->department = take_text(st, 4);
    take_who(st, 5, &c->shopper);
    take_who(st, 7, &c->owner);
    take_who(st, 9, &c->handler);
    c->state = archive_state_from_name(archive_db_col(st, 11));
    c->started_ms = sqlite3_column_int64(st, 12);
    c->ended_ms = sqlite3_column_int64(st, 13);
    c->rating = sqlite3_column_int64(st, 14);
    c->messages = sqlite3_column_int64(st, 15);
    c->handovers = sqlite3_column_int64(st, 16);
    c->owner_changed = sqlite3_column_int(st, 17) != 0;
    c->complete = sqlite3_column_int(st, 18) != 0;
    c->transfer_department = take_text(st, 20);
    if (archive_db_col(st, 19).n > 0)
        json_each_str(archive_db_col(st, 19), take_tag, c);
    l->chat = c;
    sqlite3_reset(st);
    return 0;
}

/* The chat's place among all: by its start, the next free one if several began in the same quarter of a
 * millisecond. */
static int find_place(struct archive_store *s, int64_t started_ms, int64_t *out, struct err *err)
{
    int64_t place = (started_ms > 0 && started_ms < INT64_C(1) << 42 ? started_ms : 0) * 4;
    int rc;

    do {
        sqlite3_bind_int64(s->st[WRITE_place_taken], 1, ++place);
        rc = archive_store_row(s, WRITE_place_taken, "find a chat's place", err);
        sqlite3_reset(s->st[WRITE_place_taken]);
    } while (rc > 0);
    *out = place;
    return rc;
}

/* An entry's number in its chat, from 0: all rows count, also those that this version can't fold. */
static int number_of(struct archive_store *s, struct str log, int64_t seq, int64_t *out, struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_entry_number];
    int rc;

    archive_db_bind(st, 1, log);
    sqlite3_bind_int64(st, 2, seq);
    rc = archive_store_row(s, WRITE_entry_number, "find an entry", err);
    if (rc > 0)
        *out = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return rc < 0 ? rc : 0;
}

static int add_chat(struct archive_store *s, struct str name, struct archive_log *l, const struct entry *e,
                    struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_chat_add];
    int64_t place, before = 0;
    int rc = find_place(s, e->at_ms, &place, err);

    if (rc == 0 && l->head > 0)
        rc = number_of(s, name, e->seq, &before, err);
    if (rc < 0)
        return rc;
    sqlite3_bind_int64(st, 1, place);
    archive_db_bind(st, 2, name);
    sqlite3_bind_int64(st, 3, e->at_ms);
    rc = archive_store_step(s, WRITE_chat_add, "write a chat", err);
    if (rc == 0) {
        l->chat = archive_chat_create();
        l->chat->place = place;
        l->chat->entries = before;
        l->chat->complete = l->head == before; /* else something before it was refused */
    }
    return rc;
}

static void put_text_aside(struct archive_store *s, const struct archive_chat *c, const struct entry *e)
{
    size_t at = s->texts.n;
    struct buf *b = &s->texts;

    struct buf one;

    buf_init(&one, b->max);
    archive_entry_text(e, &one);
    if (one.n > 0 && c->entries <= INT64_C(1) << NUMBER_BITS) {
        buf_add_str(b, buf_str(&one));
        ARCHIVE_GROW(s->docs, s->docs_n, s->docs_cap);
        if (buf_ok(b))
            s->docs[s->docs_n++] = (struct archive_doc){c->place << NUMBER_BITS | (c->entries - 1), at,
                                                        one.n};
    }
    buf_fini(&one);
}

void archive_store_touch(struct archive_store *s, struct archive_log *l)
{
    if (l->dirty)
        return;
    ARCHIVE_GROW(s->dirty, s->dirty_n, s->dirty_cap);
    s->dirty[s->dirty_n++] = l;
    l->dirty = true;
}

int archive_store_apply(struct archive_store *s, struct str name, struct archive_log *l,
                        const struct entry *e, struct err *err)
{
    int rc = l->chat ? 0 : add_chat(s, name, l, e, err);

    if (rc < 0)
        return rc;
    archive_chat_apply(l->chat, e);
    put_text_aside(s, l->chat, e);
    archive_store_touch(s, l);
    return 0;
}

void archive_store_pass(struct archive_store *s, struct archive_log *l)
{
    if (!l->chat)
        return;
    l->chat->entries++;
    archive_store_touch(s, l);
}

static int save_people(struct archive_store *s, struct archive_chat *c, struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_person_add];
    int rc = 0;

    for (unsigned i = 0; rc == 0 && i < c->people_n; i++) {
        struct archive_part *p = &c->people[i];

        if (p->part == p->stored)
            continue;
        archive_db_bind(st, 1, str_of(p->id));
        sqlite3_bind_int64(st, 2, c->place);
        sqlite3_bind_int64(st, 3, p->part);
        rc = archive_store_step(s, WRITE_person_add, "write who took part", err);
        p->stored = p->part;
    }
    return rc;
}

static int save_tags(struct archive_store *s, struct archive_chat *c, struct buf *json, struct err *err)
{
    unsigned kept = 0;
    int rc = 0;

    for (unsigned i = 0; rc == 0 && i < c->tags_n; i++) {
        struct archive_tag *t = &c->tags[i];
        enum archive_write w = t->dropped ? WRITE_tag_drop : WRITE_tag_add;

        if (t->dropped == t->stored) {
            archive_db_bind(s->st[w], 1, str_of(t->text));
            sqlite3_bind_int64(s->st[w], 2, c->place);
            rc = archive_store_step(s, w, "write a tag", err);
        }
        t->stored = !t->dropped;
    }
    for (unsigned i = 0; i < c->tags_n; i++) {
        if (c->tags[i].dropped)
            free(c->tags[i].text);
        else
            c->tags[kept++] = c->tags[i];
    }
    c->tags_n = kept;
    if (kept > 0)
        buf_add_c(json, '[');
    for (unsigned i = 0; i < kept; i++) {
        buf_add_s(json, i ? "," : "");
        json_text(json, str_of(c->tags[i].text));
    }
    if (kept > 0)
        buf_add_c(json, ']');
    return rc;
}

static void bind_who(sqlite3_stmt *st, int i, const struct archive_who *who)
{
    archive_db_bind(st, i, who->id[0] ? str_of(who->id) : STR_NONE);
    archive_db_bind(st, i + 1, who->id[0] ? str_of(who->name) : STR_NONE);
}

static void bind_known(sqlite3_stmt *st, int i, int64_t v)
{
    if (v)
        sqlite3_bind_int64(st, i, v);
    else
        sqlite3_bind_null(st, i);
}

static int save_chat(struct archive_store *s, struct archive_log *l, struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_chat_set];
    struct archive_chat *c = l->chat;
    struct buf tags;
    int rc;

    c->head = l->head;
    buf_init(&tags, 64 * 1024);
    rc = save_people(s, c, err);
    if (rc == 0)
        rc = save_tags(s, c, &tags, err);
    sqlite3_bind_int64(st, 1, c->place);
    sqlite3_bind_int64(st, 2, c->head);
    sqlite3_bind_int64(st, 3, c->entries);
    archive_db_bind(st, 4, str_of(c->site));
    archive_db_bind(st, 5, str_of(c->department));
    bind_who(st, 6, &c->shopper);
    bind_who(st, 8, &c->owner);
    bind_who(st, 10, &c->handler);
    archive_db_bind(st, 12, str_of(chat_state_name(c->state)));
    bind_known(st, 13, c->ended_ms);
    bind_known(st, 14, c->rating);
    sqlite3_bind_int64(st, 15, c->messages);
    sqlite3_bind_int64(st, 16, c->handovers);
    sqlite3_bind_int(st, 17, c->owner_changed);
    sqlite3_bind_int(st, 18, c->complete);
    archive_db_bind(st, 19, tags.n > 0 ? buf_str(&tags) : STR_NONE);
    archive_db_bind(st, 20, str_of(c->transfer_department));
    if (rc == 0)
        rc = archive_store_step(s, WRITE_chat_set, "write a chat", err);
    buf_fini(&tags);
    return rc;
}

/* The chat anew, of what is shown of it. Its place and how its words are numbered stay; an erased entry counts no more. */
static int refold(struct archive_store *s, struct archive_log *l, struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_chat_entries];
    struct archive_chat *was = l->chat, *c = archive_chat_create();
    int rc;

    sqlite3_bind_int64(st, 1, was->place);
    while ((rc = archive_store_row(s, WRITE_chat_entries, "read a chat's entries", err)) > 0) {
        struct entry e;

        if (entry_read(archive_db_col(st, 0), &e, NULL) == 0)
            archive_chat_apply(c, &e);
        entry_fini(&e);
    }
    c->place = was->place;
    c->entries = was->entries;
    c->started_ms = was->started_ms;
    c->complete = was->complete;
    archive_chat_destroy(was);
    l->chat = c;
    l->refold = false;
    return rc;
}

int archive_store_save_chats(struct archive_store *s, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < s->dirty_n; i++) {
        struct archive_log *l = s->dirty[i];

        rc = save_chat(s, l, err);
        if (rc == 0 && l->refold) {
            rc = refold(s, l, err);
            rc = rc < 0 ? rc : save_chat(s, l, err);
        }
        l->dirty = false;
    }
    return rc;
}

static int by_rowid(const void *a, const void *b)
{
    const struct archive_doc *x = a, *y = b;

    return x->rowid < y->rowid ? -1 : x->rowid > y->rowid;
}

int archive_store_save_words(struct archive_store *s, struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_words_add];
    int rc = 0;

    if (!buf_ok(&s->texts))
        return err_set(err, ERR_TOO_LARGE, "archive %s: the batch is too large: give less at once", s->path);
    if (s->docs_n > 1)
        qsort(s->docs, s->docs_n, sizeof *s->docs, by_rowid);
    for (size_t i = 0; rc == 0 && i < s->docs_n; i++) {
        sqlite3_bind_int64(st, 1, s->docs[i].rowid);
        archive_db_bind(st, 2, (struct str){s->texts.p + s->docs[i].at, s->docs[i].n});
        rc = archive_store_step(s, WRITE_words_add, "write the index", err);
    }
    return rc;
}

/* Takes the words of one entry out of the index: contentless FTS5 wants the very text it was given. */
static int drop_words(struct archive_store *s, struct str log, int64_t seq, struct str body, struct err *err)
{
    struct archive_log *l;
    struct entry e;
    struct buf text;
    int64_t number = 0;
    int rc = archive_store_log(s, log, &l, err);

    if (rc < 0 || !l->chat)
        return rc;
    rc = number_of(s, log, seq, &number, err);
    if (rc < 0)
        return rc;
    sqlite3_bind_int64(s->st[WRITE_words_drop], 1, l->chat->place << NUMBER_BITS | number);
    buf_init(&text, TEXT_MAX);
    if (entry_read(body, &e, NULL) == 0)
        archive_entry_text(&e, &text);
    if (text.n > 0) {
        archive_db_bind(s->st[WRITE_words_drop], 2, buf_str(&text));
        rc = archive_store_step(s, WRITE_words_drop, "take words out of the index", err);
        s->has_traces = true;
    }
    entry_fini(&e);
    buf_fini(&text);
    return rc;
}

static int drop_words_at(struct archive_store *s, struct str log, int64_t seq, struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_entry_at];
    int rc;

    archive_db_bind(st, 1, log);
    sqlite3_bind_int64(st, 2, seq);
    rc = archive_store_row(s, WRITE_entry_at, "find an entry", err);
    if (rc > 0)
        rc = archive_db_col(st, 0).s ? drop_words(s, log, seq, archive_db_col(st, 0), err) : 0;
    sqlite3_reset(st);
    return rc;
}

/* Erased wherever it stands or stood; only where it stands it has words. */
static int erase(struct archive_store *s, const struct archive_redaction *r, struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_entry_everywhere];
    int rc;

    archive_db_bind(st, 1, r->log);
    sqlite3_bind_int64(st, 2, r->seq);
    while ((rc = archive_store_row(s, WRITE_entry_everywhere, "find an entry", err)) > 0) {
        int64_t seq = sqlite3_column_int64(st, 0);

        rc = sqlite3_column_int(st, 1) ? 0 : drop_words_at(s, r->log, seq, err);
        archive_db_bind(s->st[WRITE_entry_erase], 1, r->log);
        sqlite3_bind_int64(s->st[WRITE_entry_erase], 2, seq);
        if (rc == 0)
            rc = archive_store_step(s, WRITE_entry_erase, "erase an entry", err);
        if (rc < 0)
            break;
    }
    sqlite3_reset(st);
    s->has_traces = true;
    return rc < 0 ? rc : archive_store_step(s, WRITE_traces_add, "erase an entry", err); /* whoever opens it next knows */
}

int archive_store_redact(struct archive_store *s, struct err *err)
{
    int rc = 0;

    for (size_t i = 0; rc == 0 && i < s->redactions_n; i++)
        rc = s->redactions[i].again ? drop_words_at(s, s->redactions[i].log, s->redactions[i].seq, err)
                                    : erase(s, &s->redactions[i], err);
    return rc;
}

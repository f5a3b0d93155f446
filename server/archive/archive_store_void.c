/*
 * Another life of the live data (PROMISES 2.9) lacks some of what is archived. Those rows stay in the chain, as voided. What a node puts
 * back, or its sender repeats, stands again under a new seq: it is shown there and counted once. What nobody puts back was acknowledged all
 * the same: it is shown where it stood.
 */
#include <sqlite3.h>

#include "archive/archive_store_in.h"
#include "chat/chat.h"
#include "log/log.h"

int archive_store_void(struct archive_store *s, struct str log, int64_t from, int64_t before, struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_void];

    archive_db_bind(st, 1, log);
    sqlite3_bind_int64(st, 2, from);
    sqlite3_bind_int64(st, 3, before);
    return archive_store_step(s, WRITE_void, "void entries", err);
}

static int find_ref(struct archive_store *s, const struct archive_new *e, int64_t *seq, struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_entry_by_ref];
    int rc;

    archive_db_bind(st, 1, e->log);
    archive_db_bind(st, 2, e->person.s ? e->person : STR(""));
    archive_db_bind(st, 3, e->ref);
    rc = archive_store_row(s, WRITE_entry_by_ref, "find a command", err);
    if (rc > 0)
        *seq = sqlite3_column_int64(st, 0);
    sqlite3_reset(st);
    return rc > 0 ? 0
           : rc < 0
               ? rc
               : err_set(err, ERR_CORRUPT, "archive %s: its index is damaged: restore it from a backup", s->path);
}

/* Adds the entry of a command whose id stands at *first already. An earlier life's: the id goes to this one. */
static int add_known_ref(struct archive_store *s, const struct archive_new *e, int64_t *first, struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_entry_give_up_ref];
    struct archive_new without = *e;
    int rc = find_ref(s, e, first, err);

    if (rc < 0)
        return rc;
    if (*first / CHAT_EPOCH_STEP == e->seq / CHAT_EPOCH_STEP) {
        *first = 0;
        without.ref = STR_NONE;
        return archive_store_add(s, &without, err);
    }
    archive_db_bind(st, 1, e->log);
    sqlite3_bind_int64(st, 2, *first);
    rc = archive_store_step(s, WRITE_entry_give_up_ref, "move an id", err);
    if (rc == 0)
        rc = archive_store_void(s, e->log, *first, *first + 1, err);
    return rc < 0 ? rc : archive_store_add(s, e, err);
}

/* The voided entry that e says again; 0: none. first: the one that had its id. */
static int find_same(struct archive_store *s, const struct archive_new *e, int64_t first, int64_t *seq, struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_voided_same];
    int rc;

    archive_db_bind(st, 1, e->log);
    sqlite3_bind_int64(st, 2, e->seq);
    archive_db_bind(st, 3, e->person.s ? e->person : STR(""));
    archive_db_bind(st, 4, e->kind);
    sqlite3_bind_int64(st, 5, first);
    archive_db_bind(st, 6, e->body);
    rc = archive_store_row(s, WRITE_voided_same, "find a voided entry", err);
    *seq = rc > 0 ? sqlite3_column_int64(st, 0) : 0;
    sqlite3_reset(st);
    return rc < 0 ? rc : 0;
}

static int hide(struct archive_store *s, const struct archive_new *e, int64_t seq, struct archive_log *l, struct err *err)
{
    sqlite3_stmt *st = s->st[WRITE_voided_again];

    archive_db_bind(st, 1, e->log);
    sqlite3_bind_int64(st, 2, seq);
    sqlite3_bind_int64(st, 3, e->seq);
    ARCHIVE_GROW(s->redactions, s->redactions_n, s->redactions_cap);
    s->redactions[s->redactions_n++] = (struct archive_redaction){e->log, seq, true};
    l->refold = l->chat != NULL;
    log_info("archive", "stands again log=%.*s seq=%lld of=%lld", STR_FMT(e->log), (long long)e->seq, (long long)seq);
    return archive_store_step(s, WRITE_voided_again, "write where an entry stands again", err);
}

int archive_store_add_again(struct archive_store *s, const struct archive_new *e, struct archive_log *l, struct err *err)
{
    int64_t first = 0, seq = 0;
    int rc = archive_store_add(s, e, err);

    if (rc == ERR_EXISTS && e->ref.n > 0)
        rc = add_known_ref(s, e, &first, err);
    if (rc < 0 || e->seq < CHAT_EPOCH_STEP || (e->ref.n > 0 && first == 0))
        return rc;
    rc = find_same(s, e, first, &seq, err);
    return rc == 0 && seq > 0 ? hide(s, e, seq, l, err) : rc;
}

/* What the knowledge base's logs told: cursors, verdicts, what shoppers said, versions. Header: archive_kb.h. */
#include "archive/archive_kb_in.h"

#include <stdlib.h>

#include "base/base_json.h"

#define VERSIONS_MAX 200
#define TEXT_BYTES_MAX (16u << 20) /* of one answer with versions */

const char *const archive_kb_sql[KB_STATEMENT_N] = {
    [KB_MARK_ADD] = "INSERT INTO mark(article, question, who, at_ms, verdict) VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT DO NOTHING",
    [KB_MARK_UNDO] =
        "UPDATE mark SET undone = 1 WHERE id = (SELECT id FROM mark WHERE article = ?1 AND question = ?2 AND who = ?3"
        " AND undone = 0 ORDER BY at_ms DESC, id DESC LIMIT 1)",
    [KB_MARK_EACH] = /* what is left out grows in steps: so what is used begins at the same mark for long */
        "SELECT article, question, who, at_ms, verdict FROM mark WHERE undone = 0 ORDER BY id LIMIT -1 OFFSET"
        " (SELECT max(0, (count(*) - ?1 + 999) / 1000 * 1000) FROM mark WHERE undone = 0)",
    [KB_ARTICLE_SAVE] =
        "INSERT INTO article SELECT ?1, ?2, 1 + (SELECT coalesce(max(version), 0) FROM article WHERE id = ?1 AND lang = ?2),"
        " ?3, ?4, ?5, CAST((julianday('now') - 2440587.5) * 86400000 AS INTEGER) WHERE ?3 IS NOT (SELECT hash FROM article"
        " WHERE id = ?1 AND lang = ?2 ORDER BY version DESC LIMIT 1)",
    [KB_CURSOR] = "SELECT n FROM cursor WHERE epoch = ?1 AND log = ?2",
    [KB_CURSOR_SET] = "INSERT INTO cursor VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET n = max(n, excluded.n)",
    [KB_VERDICT_ADD] = "INSERT INTO verdict(id, at_ms, who, name, article, verdict, question, chat)"
                       " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
    [KB_VERDICT_UNDO] = "UPDATE verdict SET undone_at_ms = ?2, undone_by = ?3, undone_name = ?4 WHERE id = ?1 AND undone_at_ms IS NULL",
    [KB_VERDICT_MARK_UNDO] = "UPDATE mark SET undone = 1 WHERE (article, question, who, at_ms) ="
                             " (SELECT article, question, who, at_ms FROM verdict WHERE id = ?1)",
    [KB_VERDICT_FIND] = "SELECT 1 FROM verdict WHERE id = ?1",
    [KB_HELPED_ADD] = "INSERT INTO helped VALUES (?1, ?2, ?3, ?4)"
                      " ON CONFLICT DO UPDATE SET at_ms = excluded.at_ms, helped = excluded.helped WHERE excluded.at_ms >= at_ms",
    [KB_VERSION_ADD] = "INSERT INTO version VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8) ON CONFLICT DO NOTHING",
    [KB_VERSION_EACH] = "SELECT id, lang, max(version), at_ms, who, name, base, text FROM version GROUP BY id, lang ORDER BY id, lang",
    [KB_VERSION_LIST] = "SELECT lang, version, at_ms, who, name, text FROM version WHERE id = ?1 AND (?2 = '' OR lang = ?2)"
                        " ORDER BY at_ms DESC, lang LIMIT ?3",
    [KB_TAUGHT] = "SELECT n, id, at_ms, who, name, article, verdict, question, chat, undone_at_ms, undone_by, undone_name FROM verdict"
                  " WHERE n < ?1 AND (?2 = '' OR article = ?2) AND (?3 = '' OR who = ?3) ORDER BY n DESC LIMIT ?4",
    [KB_FIGURES] = "SELECT article, sum(used), sum(edited), sum(rejected), sum(yes), sum(no) FROM ("
                   "SELECT article, verdict = 'used' used, verdict = 'edited' edited, verdict = 'rejected' rejected, 0 yes, 0 no"
                   " FROM verdict WHERE undone_at_ms IS NULL"
                   " UNION ALL SELECT article, 0, 0, 0, helped, 1 - helped FROM helped) GROUP BY article ORDER BY article",
};

int archive_kb_cursor(struct archive_kb *a, struct str epoch, struct str log, int64_t *n, struct err *err)
{
    sqlite3_stmt *s = a->st[KB_CURSOR];
    int rc;

    pthread_mutex_lock(&a->lock);
    archive_kb_bind(s, 1, epoch);
    archive_kb_bind(s, 2, log);
    rc = sqlite3_step(s);
    *n = rc == SQLITE_ROW ? sqlite3_column_int64(s, 0) : 0;
    rc = rc == SQLITE_ROW || rc == SQLITE_DONE ? 0 : archive_kb_fail(err, a->db, "kb");
    sqlite3_reset(s);
    pthread_mutex_unlock(&a->lock);
    return rc;
}

int archive_kb_set_cursor(struct archive_kb *a, struct str epoch, struct str log, int64_t n, struct err *err)
{
    sqlite3_stmt *s = a->st[KB_CURSOR_SET];
    int rc;

    pthread_mutex_lock(&a->lock);
    archive_kb_bind(s, 1, epoch);
    archive_kb_bind(s, 2, log);
    sqlite3_bind_int64(s, 3, n);
    rc = archive_kb_run(a->db, s, err);
    pthread_mutex_unlock(&a->lock);
    return rc;
}

int archive_kb_add_verdict(struct archive_kb *a, const struct archive_verdict *v, struct err *err)
{
    sqlite3_stmt *s = a->st[KB_VERDICT_ADD];
    int rc;

    pthread_mutex_lock(&a->lock);
    archive_kb_bind(s, 1, v->id);
    sqlite3_bind_int64(s, 2, v->at_ms);
    archive_kb_bind(s, 3, v->who);
    archive_kb_bind(s, 4, v->name);
    archive_kb_bind(s, 5, v->article);
    archive_kb_bind(s, 6, v->verdict);
    archive_kb_bind(s, 7, v->question);
    archive_kb_bind(s, 8, v->chat);
    rc = archive_kb_run(a->db, s, err);
    sqlite3_clear_bindings(s);
    pthread_mutex_unlock(&a->lock);
    return rc;
}

/* Under the lock. */
static int undo(struct archive_kb *a, struct str id, struct str by, struct str name, int64_t at_ms, struct err *err)
{
    sqlite3_stmt *find = a->st[KB_VERDICT_FIND], *s = a->st[KB_VERDICT_UNDO], *mark = a->st[KB_VERDICT_MARK_UNDO];
    bool is_there;
    int rc;

    archive_kb_bind(find, 1, id);
    is_there = sqlite3_step(find) == SQLITE_ROW;
    sqlite3_reset(find);
    if (!is_there)
        return err_set(err, ERR_NOT_FOUND, "no such verdict");
    archive_kb_bind(s, 1, id);
    sqlite3_bind_int64(s, 2, at_ms);
    archive_kb_bind(s, 3, by);
    archive_kb_bind(s, 4, name);
    rc = archive_kb_run(a->db, s, err);
    archive_kb_bind(mark, 1, id);
    if (rc == 0)
        rc = archive_kb_run(a->db, mark, err);
    sqlite3_clear_bindings(s);
    sqlite3_clear_bindings(mark);
    return rc;
}

int archive_kb_undo(struct archive_kb *a, struct str id, struct str by, struct str name, int64_t at_ms, struct err *err)
{
    int rc;

    pthread_mutex_lock(&a->lock);
    rc = undo(a, id, by, name, at_ms, err);
    pthread_mutex_unlock(&a->lock);
    return rc;
}

int archive_kb_has_verdict(struct archive_kb *a, struct str id, struct err *err)
{
    sqlite3_stmt *s = a->st[KB_VERDICT_FIND];
    bool is_there;

    pthread_mutex_lock(&a->lock);
    archive_kb_bind(s, 1, id);
    is_there = sqlite3_step(s) == SQLITE_ROW;
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    pthread_mutex_unlock(&a->lock);
    return is_there ? 0 : err_set(err, ERR_NOT_FOUND, "there is no such verdict");
}

int archive_kb_add_helped(struct archive_kb *a, struct str article, struct str shopper, int64_t at_ms, bool helped, struct err *err)
{
    sqlite3_stmt *s = a->st[KB_HELPED_ADD];
    int rc;

    pthread_mutex_lock(&a->lock);
    archive_kb_bind(s, 1, article);
    archive_kb_bind(s, 2, shopper);
    sqlite3_bind_int64(s, 3, at_ms);
    sqlite3_bind_int(s, 4, helped);
    rc = archive_kb_run(a->db, s, err);
    sqlite3_clear_bindings(s);
    pthread_mutex_unlock(&a->lock);
    return rc;
}

int archive_kb_add_version(struct archive_kb *a, const struct archive_version *v, struct err *err)
{
    sqlite3_stmt *s = a->st[KB_VERSION_ADD];
    int rc;

    pthread_mutex_lock(&a->lock);
    archive_kb_bind(s, 1, v->id);
    archive_kb_bind(s, 2, v->lang);
    sqlite3_bind_int64(s, 3, v->version);
    sqlite3_bind_int64(s, 4, v->at_ms);
    archive_kb_bind(s, 5, v->who);
    archive_kb_bind(s, 6, v->name);
    archive_kb_bind(s, 7, v->base);
    archive_kb_bind(s, 8, v->text);
    rc = archive_kb_run(a->db, s, err);
    sqlite3_clear_bindings(s);
    pthread_mutex_unlock(&a->lock);
    return rc;
}

int archive_kb_each_version(struct archive_kb *a, int (*fn)(void *ctx, const struct archive_version *v), void *ctx, struct err *err)
{
    sqlite3_stmt *s = a->st[KB_VERSION_EACH];
    int rc, stop = 0;

    pthread_mutex_lock(&a->lock);
    while (!stop && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        struct archive_version v = {.id = archive_kb_column(s, 0), .lang = archive_kb_column(s, 1), .version = sqlite3_column_int64(s, 2),
                                    .at_ms = sqlite3_column_int64(s, 3), .who = archive_kb_column(s, 4), .name = archive_kb_column(s, 5),
                                    .base = archive_kb_column(s, 6), .text = archive_kb_column(s, 7)};

        stop = fn(ctx, &v);
    }
    rc = stop ? stop : rc == SQLITE_DONE ? 0 : archive_kb_fail(err, a->db, "kb");
    sqlite3_reset(s);
    pthread_mutex_unlock(&a->lock);
    return rc;
}

static void write_person(struct buf *out, const char *key, struct str id, struct str name)
{
    json_key(out, key);
    json_open(out, '{');
    json_kv_str(out, "id", id);
    json_kv_str(out, "name", name);
    json_close(out, '}');
}

int archive_kb_list_versions(struct archive_kb *a, struct str id, struct str lang, struct buf *out, struct err *err)
{
    sqlite3_stmt *s = a->st[KB_VERSION_LIST];
    int rc = SQLITE_DONE;

    json_open(out, '{');
    json_key(out, "items");
    json_open(out, '[');
    pthread_mutex_lock(&a->lock);
    archive_kb_bind(s, 1, id);
    archive_kb_bind(s, 2, lang);
    sqlite3_bind_int(s, 3, VERSIONS_MAX);
    while (out->n < TEXT_BYTES_MAX && (rc = sqlite3_step(s)) == SQLITE_ROW) {
        json_open(out, '{');
        json_kv_str(out, "lang", archive_kb_column(s, 0));
        json_kv_int(out, "version", sqlite3_column_int64(s, 1));
        json_kv_int(out, "at", sqlite3_column_int64(s, 2));
        write_person(out, "by", archive_kb_column(s, 3), archive_kb_column(s, 4));
        json_kv_str(out, "text", archive_kb_column(s, 5));
        json_close(out, '}');
    }
    rc = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : archive_kb_fail(err, a->db, "kb");
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    pthread_mutex_unlock(&a->lock);
    json_close(out, ']');
    json_kv_raw(out, "next", STR("null"));
    json_close(out, '}');
    return rc;
}

static void write_taught(sqlite3_stmt *s, struct buf *out)
{
    json_open(out, '{');
    json_kv_str(out, "id", archive_kb_column(s, 1));
    json_kv_int(out, "at", sqlite3_column_int64(s, 2));
    write_person(out, "by", archive_kb_column(s, 3), archive_kb_column(s, 4));
    json_kv_str(out, "article", archive_kb_column(s, 5));
    json_kv_str(out, "verdict", archive_kb_column(s, 6));
    json_kv_str(out, "question", archive_kb_column(s, 7));
    if (archive_kb_column(s, 8).n)
        json_kv_str(out, "chat", archive_kb_column(s, 8));
    if (sqlite3_column_type(s, 9) != SQLITE_NULL) {
        json_key(out, "undone");
        json_open(out, '{');
        json_kv_int(out, "at", sqlite3_column_int64(s, 9));
        write_person(out, "by", archive_kb_column(s, 10), archive_kb_column(s, 11));
        json_close(out, '}');
    }
    json_close(out, '}');
}

int archive_kb_list_taught(struct archive_kb *a, struct str article, struct str who, int64_t before, unsigned limit, struct buf *out,
                           struct err *err)
{
    sqlite3_stmt *s = a->st[KB_TAUGHT];
    unsigned n = 0;
    int64_t next = 0;
    int rc;

    json_open(out, '{');
    json_key(out, "items");
    json_open(out, '[');
    pthread_mutex_lock(&a->lock);
    sqlite3_bind_int64(s, 1, before > 0 ? before : INT64_MAX);
    archive_kb_bind(s, 2, article);
    archive_kb_bind(s, 3, who);
    sqlite3_bind_int64(s, 4, (int64_t)limit + 1);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW && n++ < limit) {
        write_taught(s, out);
        next = sqlite3_column_int64(s, 0);
    }
    if (rc != SQLITE_ROW)
        next = 0;
    rc = rc == SQLITE_DONE || rc == SQLITE_ROW ? 0 : archive_kb_fail(err, a->db, "kb");
    sqlite3_reset(s);
    sqlite3_clear_bindings(s);
    pthread_mutex_unlock(&a->lock);
    json_close(out, ']');
    json_key(out, "next");
    if (next)
        buf_printf(out, "\"%lld\"", (long long)next);
    else
        json_nil(out);
    json_close(out, '}');
    return rc;
}

int archive_kb_list_figures(struct archive_kb *a, struct buf *out, struct err *err)
{
    static const char *const names[] = {"used", "edited", "rejected", "helped", "not_helped"};
    sqlite3_stmt *s = a->st[KB_FIGURES];
    int rc;

    json_open(out, '{');
    json_key(out, "items");
    json_open(out, '[');
    pthread_mutex_lock(&a->lock);
    while ((rc = sqlite3_step(s)) == SQLITE_ROW) {
        json_open(out, '{');
        json_kv_str(out, "article", archive_kb_column(s, 0));
        for (int i = 0; i < 5; i++)
            json_kv_int(out, names[i], sqlite3_column_int64(s, i + 1));
        json_close(out, '}');
    }
    rc = rc == SQLITE_DONE ? 0 : archive_kb_fail(err, a->db, "kb");
    sqlite3_reset(s);
    pthread_mutex_unlock(&a->lock);
    json_close(out, ']');
    json_kv_raw(out, "next", STR("null"));
    json_close(out, '}');
    return rc;
}

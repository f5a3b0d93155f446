/* What was asked and not answered, and articles that don't hold what they promise: from the entries. Header: archive_reader.h. */
#include <sqlite3.h>

#include "archive/archive_reader.h"
#include "base/base_json.h"

#define STALE_SHOWN 3 /* an article shown less often tells nothing yet */

int archive_read_gaps(struct archive_reader *r, const struct archive_wish *w, struct buf *out, struct err *err)
{
    sqlite3_stmt *st;
    int rc = archive_reader_use(r, READ_gaps, &st, err);

    if (rc < 0)
        return rc;
    archive_db_name_int(st, ":from", w->q.from_ms);
    archive_db_name_int(st, ":limit", w->q.limit);
    json_open(out, '[');
    while ((rc = archive_reader_step(r, st, err)) > 0) {
        json_open(out, '{');
        json_kv_str(out, "chat", archive_db_col(st, 0));
        json_kv_int(out, "at", sqlite3_column_int64(st, 1));
        json_kv_str(out, "text", archive_db_col(st, 2));
        if (sqlite3_column_type(st, 3) != SQLITE_NULL)
            json_kv_int(out, "rating", sqlite3_column_int64(st, 3));
        json_kv_str(out, "department", archive_db_col(st, 4));
        json_kv_bool(out, "refused", sqlite3_column_int(st, 5));
        json_kv_str(out, "answer", archive_db_col(st, 6));
        json_kv_str(out, "rejected", archive_db_col(st, 7)); /* the list of what was suggested, as text */
        json_close(out, '}');
    }
    json_close(out, ']');
    return rc;
}

int archive_read_stale(struct archive_reader *r, const struct archive_wish *w, struct buf *out, struct err *err)
{
    sqlite3_stmt *st;
    int rc = archive_reader_use(r, READ_stale, &st, err);

    if (rc < 0)
        return rc;
    archive_db_name_int(st, ":from", w->q.from_ms);
    archive_db_name_int(st, ":limit", w->q.limit);
    archive_db_name_int(st, ":shown", STALE_SHOWN);
    json_open(out, '[');
    while ((rc = archive_reader_step(r, st, err)) > 0) {
        json_open(out, '{');
        json_kv_str(out, "article", archive_db_col(st, 0));
        json_kv_int(out, "shown", sqlite3_column_int64(st, 1));
        json_kv_int(out, "rejected", sqlite3_column_int64(st, 2));
        json_kv_int(out, "low_rated", sqlite3_column_int64(st, 3));
        json_kv_int(out, "used", sqlite3_column_int64(st, 4));
        json_close(out, '}');
    }
    json_close(out, ']');
    return rc;
}

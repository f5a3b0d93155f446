/*
 * What the writer leaves unsynced at any time: counted below it, by a VFS that stands in for the system's.
 */
#include "archive/archive_pace.h"
#include "archive_kit.h"

#define ROWS 6000
#define PAGE 4096

/* The system's VFS, counting what the database and its WAL wait to have synced. */
static sqlite3_vfs *below, counting;
static sqlite3_io_methods methods[2];
static const sqlite3_io_methods *real[2];
static int64_t unsynced, most, written;

static const sqlite3_io_methods *real_of(const sqlite3_file *f)
{
    return real[f->pMethods->xLock == methods[0].xLock ? 0 : 1];
}

static int count_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
    written += n;
    unsynced += n;
    most = unsynced > most ? unsynced : most;
    return real_of(f)->xWrite(f, p, n, at);
}

static int count_sync(sqlite3_file *f, int flags)
{
    unsynced = 0;
    return real_of(f)->xSync(f, flags);
}

static int count_open(sqlite3_vfs *v, const char *name, sqlite3_file *f, int flags, int *out)
{
    int rc = below->xOpen(below, name, f, flags, out), i = flags & SQLITE_OPEN_MAIN_DB ? 0 : 1;

    (void)v;
    if (rc != SQLITE_OK || !(flags & (SQLITE_OPEN_MAIN_DB | SQLITE_OPEN_WAL)))
        return rc;
    if (!real[i]) {
        real[i] = f->pMethods;
        methods[i] = *f->pMethods;
        methods[i].xWrite = count_write;
        methods[i].xSync = count_sync;
    }
    f->pMethods = &methods[i];
    return rc;
}

static void write_rows(struct kit *k, bool is_calm)
{
    static int64_t seq;

    for (int i = 0; i < ROWS; i++) {
        char rest[700];
        bool first = ++seq == 1;

        snprintf(rest, sizeof rest, "\"text\":\"%0500d\"", i);
        kit_add(k, "c_long", seq, first ? "started" : "message", SHOPPER,
                first ? "\"department\":\"general\",\"site\":\"default\"" : rest);
    }
    if (is_calm)
        archive_batch_set_calm(k->b);
    unsynced = most = written = 0;
    kit_append(k);
    assert_int_equal(k->result.rc, 0);
    assert_int_equal(k->result.gaps_n + k->result.quarantined_n, 0);
}

static void a_large_transaction_is_synced_in_pieces(void **state)
{
    struct kit *k = *state;

    write_rows(k, false);
    assert_true(written > 3 << 20);
    assert_in_range(most, 256 << 10, (1 << 20) + PAGE);
    write_rows(k, true);
    assert_true(written > 3 << 20);
    assert_in_range(most, 1, (256 << 10) + PAGE);
    kit_close(k); /* all of the WAL goes into the file */
    kit_open(k);
    assert_in_range(most, 1, (1 << 20) + PAGE);
    assert_int_equal(kit_count(k, "SELECT count(*) FROM entries"), 2 * ROWS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_large_transaction_is_synced_in_pieces, kit_setup, kit_teardown),
    };

    below = sqlite3_vfs_find(NULL);
    counting = *below;
    counting.zName = "counting";
    counting.xOpen = count_open;
    sqlite3_vfs_register(&counting, 1);
    return cmocka_run_group_tests_name("archive/pace", tests, NULL, NULL);
}

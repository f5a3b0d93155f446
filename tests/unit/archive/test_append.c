/* Batches in: once, in order, whole, and never over something else. */
#include "archive_kit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>

static void a_batch_is_there_with_its_cursor_and_head(void **state)
{
    struct kit *k = *state;
    char epoch[32], head[65], before[65];
    int64_t n, rows;

    archive_head(k->a, &rows, before);
    assert_int_equal(rows, 0);
    kit_add_chat(k, "c_1", T0, "general", "r_ann", "我要申请退款，订单 20231");
    assert_int_equal(kit_commit(k, 17)->rc, 0);
    archive_cursor(k->a, epoch, &n);
    assert_string_equal(epoch, "epoch-1");
    assert_int_equal(n, 17);
    archive_head(k->a, &rows, head);
    assert_int_equal(rows, 3);
    assert_string_not_equal(head, before);
    assert_int_equal(kit_count(k, "SELECT count(*) FROM entries WHERE body LIKE '%我要申请退款%'"), 1);
    kit_close(k);
    kit_open(k);
    archive_head(k->a, &rows, before);
    assert_string_equal(head, before);
    archive_cursor(k->a, epoch, &n);
    assert_int_equal(n, 17);
    assert_int_equal(strlen(archive_id(k->a)), 22);
}

static void on_head(void *ctx, int64_t seq)
{
    struct kit *k = ctx;

    k->head = seq;
    k->back = true;
}

static void the_head_of_a_log_is_its_last_seq(void **state)
{
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    kit_commit(k, 1);
    archive_log_head(k->a, STR("c_1"), on_head, k);
    kit_run(k);
    assert_int_equal(k->head, 3);
    archive_log_head(k->a, STR("c_unknown"), on_head, k);
    kit_run(k);
    assert_int_equal(k->head, 0);
}

static void on_has(void *ctx, int rc, bool has)
{
    struct kit *k = ctx;

    assert_int_equal(rc, 0);
    k->head = has;
    k->back = true;
}

static void a_head_told_earlier_is_known_again(void **state)
{
    struct kit *k = *state;
    char head[65], later[65];
    int64_t rows;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    kit_commit(k, 1);
    archive_head(k->a, &rows, head);
    kit_add_chat(k, "c_2", T0, "general", "r_ann", "hello");
    kit_commit(k, 2);
    assert_int_equal(archive_has_head(k->a, rows, head, on_has, k), 0);
    kit_run(k);
    assert_true(k->head);
    assert_int_equal(archive_has_head(k->a, rows + 1, head, on_has, k), 0);
    kit_run(k);
    assert_false(k->head);
    archive_head(k->a, &rows, later);
    assert_int_equal(archive_has_head(k->a, rows + 1, later, on_has, k), 0); /* it was longer once */
    kit_run(k);
    assert_false(k->head);
    assert_int_equal(archive_has_head(k->a, rows, "x", on_has, k), ERR_INVALID);
}

static void the_same_rows_again_change_nothing(void **state)
{
    struct kit *k = *state;
    char head[65], again[65];
    int64_t rows;

    for (int i = 0; i < 3; i++) {
        kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
        assert_int_equal(kit_commit(k, i + 1)->rc, 0);
        assert_int_equal(k->result.quarantined_n, 0);
        assert_int_equal(k->result.gaps_n, 0);
        archive_head(k->a, &rows, i == 0 ? head : again);
    }
    assert_int_equal(rows, 3);
    assert_string_equal(head, again);
    assert_int_equal(kit_count(k, "SELECT messages FROM chats WHERE chat = 'c_1'"), 1);
}

static void rows_behind_a_gap_are_not_written_and_the_gap_is_told(void **state)
{
    struct kit *k = *state;
    char epoch[32];
    int64_t n;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    kit_commit(k, 5);
    kit_add(k, "c_1", 5, "message", ANN, "\"text\":\"late\"");
    kit_add(k, "c_1", 6, "message", ANN, "\"text\":\"later\"");
    kit_add_chat(k, "c_2", T0 + 100, "general", NULL, "the other");
    assert_int_equal(kit_commit(k, 9)->rc, 0);
    assert_int_equal(k->result.gaps_n, 1);
    assert_string_equal(k->result.gaps[0].log, "c_1");
    assert_int_equal(k->result.gaps[0].have, 3);
    assert_int_equal(kit_count(k, "SELECT max(seq) FROM entries WHERE log = 'c_1'"), 3);
    assert_int_equal(kit_count(k, "SELECT count(*) FROM entries WHERE log = 'c_2'"), 2);
    archive_cursor(k->a, epoch, &n);
    assert_int_equal(n, 5); /* what is missing lies before 9 */
    for (int seq = 4; seq <= 6; seq++)
        kit_add(k, "c_1", seq, "message", ANN, "\"text\":\"now\"");
    assert_int_equal(kit_commit(k, 9)->gaps_n, 0);
    assert_int_equal(kit_count(k, "SELECT count(*) FROM entries WHERE log = 'c_1'"), 6);
}

/* Entries may come between the look at what changed and the read of the logs: the cursor stays before them. */
static void what_was_read_behind_the_cursor_counts_as_seen(void **state)
{
    struct kit *k = *state;
    char epoch[32];
    int64_t n;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    archive_batch_set_seen(k->b, "epoch-1", 8);
    kit_commit(k, 5);
    archive_cursor(k->a, epoch, &n);
    assert_int_equal(n, 5);
    assert_int_equal(archive_seen(k->a), 8);

    kit_add_chat(k, "c_2", T0 + 100, "general", NULL, "half a round: no cursor");
    archive_batch_set_seen(k->b, "epoch-1", 12);
    kit_append(k);
    kit_close(k);
    kit_open(k);
    archive_cursor(k->a, epoch, &n);
    assert_int_equal(n, 5);
    assert_int_equal(archive_seen(k->a), 12);

    archive_batch_set_seen(k->b, "epoch-2", 3);
    kit_append(k);
    archive_cursor(k->a, epoch, &n);
    assert_string_equal(epoch, "epoch-2"); /* another life is read from its start */
    assert_int_equal(n, 0);
    assert_int_equal(archive_seen(k->a), 3);
}

static void a_gap_inside_a_batch_keeps_the_whole_log_out(void **state)
{
    struct kit *k = *state;

    kit_add(k, "c_1", 1, "started", SHOPPER, "");
    kit_add(k, "c_1", 3, "message", SHOPPER, "\"text\":\"x\"");
    assert_int_equal(kit_commit(k, 1)->gaps_n, 1);
    assert_int_equal(k->result.gaps[0].have, 0);
    assert_int_equal(kit_count(k, "SELECT count(*) FROM entries"), 0);
}

static void a_new_epoch_leaves_a_hole_that_the_transcript_tells(void **state)
{
    struct archive_query q = kit_query(ARCHIVE_TRANSCRIPT);
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    kit_add(k, "c_1", 1000001, "message", SHOPPER, "\"text\":\"again\"");
    assert_int_equal(kit_commit(k, 1)->gaps_n, 0);
    kit_add(k, "c_1", 3000001, "message", SHOPPER, "\"text\":\"too far\"");
    assert_int_equal(kit_commit(k, 2)->gaps_n, 1);
    q.chat = STR("c_1");
    assert_int_equal(kit_ask(k, &q), 0);
    assert_non_null(strstr(k->body, "\"complete\":false"));
    assert_int_equal(kit_count(k, "SELECT before FROM holes WHERE log = 'c_1' AND after = 3"), 1000001);
}

static void other_bytes_under_the_same_seq_go_to_quarantine(void **state)
{
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    kit_commit(k, 1);
    for (int i = 0; i < 2; i++) {
        kit_add_chat(k, "c_1", T0, "general", NULL, "something else");
        kit_add_chat(k, "c_2", T0 + 10, "general", NULL, "goes on");
        assert_int_equal(kit_commit(k, 2)->rc, 0);
        assert_true(k->result.quarantined_n > 0);
    }
    assert_int_equal(kit_count(k, "SELECT count(*) FROM quarantine WHERE log = 'c_1'"), 1);
    for (int i = 0; i < 2; i++) {
        int64_t at_ms = 0;

        assert_int_equal(archive_quarantined(k->a, &at_ms), 1);
        assert_int_equal(at_ms, kit_count(k, "SELECT found_at FROM quarantine"));
        kit_close(k);
        kit_open(k);
    }
    assert_int_equal(kit_count(k, "SELECT count(*) FROM entries WHERE body LIKE '%something else%'"), 0);
    assert_int_equal(kit_count(k, "SELECT count(*) FROM entries WHERE log = 'c_2'"), 2);
}

static void a_frame_that_is_none_goes_to_quarantine_and_its_chat_goes_on(void **state)
{
    struct kit *k = *state;

    kit_add(k, "c_1", 1, "started", SHOPPER, "");
    kit_add_raw(k, "c_1", 2, T0, NULL, NULL, "{\"t\":\"event\"");
    kit_add(k, "c_1", 3, "message", SHOPPER, "\"text\":\"x\"");
    assert_int_equal(kit_commit(k, 1)->quarantined_n, 1);
    assert_int_equal(kit_count(k, "SELECT max(seq) FROM entries"), 3);
    assert_string_equal(k->result.quarantined[0].log, "c_1");
    assert_int_equal(k->result.quarantined[0].seq, 2);
    assert_int_equal(kit_count(k, "SELECT complete FROM chats"), 0);
    assert_int_equal(kit_count(k, "SELECT count(*) FROM quarantine"), 1);
    kit_close(k);
    kit_open(k);
    kit_add(k, "c_1", 4, "message", SHOPPER, "\"text\":\"y\"");
    assert_int_equal(kit_commit(k, 2)->gaps_n, 0);
}

static void a_kind_of_a_newer_version_is_archived_as_it_is(void **state)
{
    struct kit *k = *state;

    kit_add(k, "c_1", 1, "started", SHOPPER, "");
    kit_add(k, "c_1", 2, "sung_to", SHOPPER, "\"song\":\"x\"");
    kit_add(k, "c_1", 3, "message", SHOPPER, "\"text\":7");
    assert_int_equal(kit_commit(k, 1)->quarantined_n, 0);
    assert_int_equal(kit_count(k, "SELECT count(*) FROM entries WHERE kind = 'sung_to' AND seq = 2"), 1);
    assert_int_equal(kit_count(k, "SELECT count(*) FROM entries WHERE kind = 'message' AND seq = 3"), 1);
}

static void a_chat_whose_last_entry_is_of_a_newer_version_goes_on_after_a_restart(void **state)
{
    struct kit *k = *state;

    kit_add(k, "c_1", 1, "started", SHOPPER, "");
    kit_commit(k, 1);
    kit_add(k, "c_1", 2, "sung_to", SHOPPER, "\"song\":\"x\"");
    kit_commit(k, 2);
    kit_close(k);
    kit_open(k);
    kit_add(k, "c_1", 3, "message", SHOPPER, "\"text\":\"heard\"");
    assert_int_equal(kit_commit(k, 3)->rc, 0);
    assert_int_equal(k->result.gaps_n, 0);
    assert_int_equal(kit_count(k, "SELECT count(*) FROM entries WHERE log = 'c_1'"), 3);
    assert_int_equal(kit_count(k, "SELECT head FROM chats"), 3);
}

/* Words are found, shown and erased by an entry's number in its chat: all of its rows count. */
static void words_behind_an_entry_of_a_newer_version_are_shown_and_erased(void **state)
{
    struct kit *k = *state;
    struct archive_query q = kit_query(ARCHIVE_LIST);

    kit_add(k, "c_1", 1, "sung_to", SHOPPER, "\"song\":\"x\"");
    kit_add(k, "c_1", 2, "started", SHOPPER, "");
    kit_add(k, "c_1", 3, "sung_to", SHOPPER, "\"song\":\"y\"");
    kit_add(k, "c_1", 4, "message", SHOPPER, "\"text\":\"my lantern\"");
    kit_add(k, "c_1", 5, "message", SHOPPER, "\"text\":\"my secret\"");
    kit_commit(k, 1);
    q.q = STR("lantern");
    assert_int_equal(kit_ask(k, &q), 0);
    assert_non_null(strstr(k->body, "\"snippet\":\"my lantern\""));
    kit_add(k, "c_1", 6, "redacted", SYSTEM, "\"of\":5");
    assert_int_equal(kit_commit(k, 2)->rc, 0);
    q.q = STR("secret");
    assert_int_equal(kit_ask(k, &q), 0);
    assert_non_null(strstr(k->body, "\"items\":[]"));
    q.q = STR("lantern");
    assert_int_equal(kit_ask(k, &q), 0);
    assert_non_null(strstr(k->body, "\"snippet\":\"my lantern\""));
}

static void a_process_killed_before_its_commit_leaves_nothing_of_the_batch(void **state)
{
    struct kit *k = *state;
    struct buf out;
    int status;
    pid_t pid;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    kit_commit(k, 1);
    kit_close(k);
    pid = fork();
    if (pid == 0) { /* writes as the store does, and dies with the transaction open */
        sqlite3 *db;

        sqlite3_open(k->path, &db);
        sqlite3_exec(db,
                     "BEGIN IMMEDIATE; PRAGMA cache_spill = 1; INSERT INTO entries SELECT 4, log, 4, at, "
                     "kind, person, NULL, body, "
                     "salt, sum, hash FROM entries WHERE n = 3; UPDATE chain SET n = 4",
                     NULL, NULL, NULL);
        sqlite3_db_cacheflush(db);
        _exit(0);
    }
    waitpid(pid, &status, 0);
    kit_open(k);
    kit_add(k, "c_1", 4, "message", SHOPPER, "\"text\":\"x\"");
    assert_int_equal(kit_commit(k, 2)->rc, 0);
    kit_close(k);
    buf_init(&out, 1 << 20);
    assert_int_equal(archive_verify(k->path, &out, NULL), 0);
    buf_fini(&out);
    assert_int_equal(kit_count(k, "SELECT count(*) FROM entries"), 4);
}

static void a_process_killed_at_any_time_loses_no_commit_it_told_of(void **state)
{
    struct kit *k = *state;
    struct buf out;
    int told[2], n, last = 0;
    pid_t pid;

    kit_close(k);
    assert_int_equal(pipe(told), 0);
    pid = fork();
    if (pid == 0) {
        if (crypto_start(NULL) < 0)
            _exit(1);
        kit_open(k);
        for (n = 1;; n++) {
            char log[32];

            snprintf(log, sizeof log, "c_%d", n);
            kit_add_chat(k, log, T0 + n, "general", "r_ann", "hello again");
            kit_commit(k, n);
            if (write(told[1], &n, sizeof n) < 0)
                _exit(1);
        }
    }
    close(told[1]);
    while (last < 40 && read(told[0], &n, sizeof n) == sizeof n)
        last = n;
    assert_true(last >= 40);
    kill(pid, SIGKILL);
    while (read(told[0], &n, sizeof n) == sizeof n)
        last = n;
    waitpid(pid, NULL, 0);
    close(told[0]);
    buf_init(&out, 1 << 20);
    if (archive_verify(k->path, &out, NULL) < 0) /* as it was left */
        fail_msg("%s", out.p);
    buf_fini(&out);
    kit_open(k);
    assert_true(kit_count(k, "SELECT count(*) FROM entries") >= 3 * last);
    kit_add_chat(k, "c_more", T0 - 10, "general", "r_ann", "after the crash");
    assert_int_equal(kit_commit(k, 1000000)->rc, 0);
    buf_init(&out, 1 << 20);
    if (archive_verify(k->path, &out, NULL) < 0)
        fail_msg("%s", out.p);
    buf_fini(&out);
}

static void a_file_that_was_removed_is_told_and_nothing_is_taken_for_written(void **state)
{
    struct kit *k = *state;
    char away[160];

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    kit_commit(k, 1);
    snprintf(away, sizeof away, "%s.away", k->path);
    assert_int_equal(rename(k->path, away), 0);
    kit_add(k, "c_1", 4, "message", SHOPPER, "\"text\":\"x\"");
    assert_int_equal(kit_commit(k, 2)->rc, ERR_IO);
    assert_non_null(strstr(k->result.why, k->path));
    assert_int_equal(rename(away, k->path), 0);
    kit_add(k, "c_1", 4, "message", SHOPPER, "\"text\":\"x\"");
    assert_int_equal(kit_commit(k, 2)->rc, 0);
}

static void a_locked_file_is_told_and_the_batch_can_be_given_again(void **state)
{
    struct kit *k = *state;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    assert_int_equal(kit_commit(k, 1)->rc, ERR_BUSY);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(db);
    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    assert_int_equal(kit_commit(k, 1)->rc, 0);
}

/* Writes fail as on a broken or full disk: no file may grow beyond what the WAL has now. */
static void a_write_that_fails_leaves_nothing_and_can_be_given_again(void **state)
{
    struct kit *k = *state;
    struct rlimit old, small;
    struct buf out;
    char wal[160];
    struct stat st;
    int rc, failed = 0;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    kit_commit(k, 1);
    snprintf(wal, sizeof wal, "%s-wal", k->path);
    assert_int_equal(stat(wal, &st), 0);
    signal(SIGXFSZ, SIG_IGN);
    getrlimit(RLIMIT_FSIZE, &old);
    for (int extra = 0; extra < 100000; extra += 5000) { /* at the first page, amid, before the last */
        small = (struct rlimit){(rlim_t)st.st_size + (rlim_t)extra, old.rlim_max};
        setrlimit(RLIMIT_FSIZE, &small);
        kit_add_chat(k, "c_2", T0 + 1000, "general", "r_ann", "退款");
        rc = kit_commit(k, 2)->rc;
        setrlimit(RLIMIT_FSIZE, &old);
        if (rc == 0)
            break;
        failed++;
        assert_true(rc == ERR_IO || rc == ERR_FULL);
        assert_non_null(strstr(k->result.why, k->path));
        assert_int_equal(kit_count(k, "SELECT count(*) FROM entries"), 3);
    }
    assert_int_equal(rc, 0);
    assert_true(failed > 1);
    assert_string_equal(kit_search(k, "退款"), "c_2");
    buf_init(&out, 1 << 20);
    if (archive_verify(k->path, &out, NULL) < 0)
        fail_msg("%s", out.p);
    buf_fini(&out);
}

static void four_batches_may_be_under_way_the_fifth_stays_the_callers(void **state)
{
    struct kit *k = *state;
    struct archive_batch *b = archive_batch_create();
    sqlite3 *db;

    assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "BEGIN IMMEDIATE", NULL, NULL, NULL), SQLITE_OK);
    for (int i = 0; i < 4; i++)
        assert_int_equal(archive_append(k->a, archive_batch_create(), kit_on_result, k), 0);
    assert_int_equal(archive_append(k->a, b, kit_on_result, k), ERR_FULL);
    archive_batch_destroy(b);
    sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    sqlite3_close(db);
    kit_close(k);
    k->back = false;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_batch_is_there_with_its_cursor_and_head, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(the_head_of_a_log_is_its_last_seq, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(a_head_told_earlier_is_known_again, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(the_same_rows_again_change_nothing, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(rows_behind_a_gap_are_not_written_and_the_gap_is_told, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(what_was_read_behind_the_cursor_counts_as_seen, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(a_gap_inside_a_batch_keeps_the_whole_log_out, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(a_new_epoch_leaves_a_hole_that_the_transcript_tells, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(other_bytes_under_the_same_seq_go_to_quarantine, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(a_frame_that_is_none_goes_to_quarantine_and_its_chat_goes_on,
                                        kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(a_chat_whose_last_entry_is_of_a_newer_version_goes_on_after_a_restart, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(words_behind_an_entry_of_a_newer_version_are_shown_and_erased, kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(a_kind_of_a_newer_version_is_archived_as_it_is, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(a_process_killed_before_its_commit_leaves_nothing_of_the_batch,
                                        kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(a_process_killed_at_any_time_loses_no_commit_it_told_of, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(a_file_that_was_removed_is_told_and_nothing_is_taken_for_written,
                                        kit_setup, kit_teardown),
        cmocka_unit_test_setup_teardown(a_locked_file_is_told_and_the_batch_can_be_given_again, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(a_write_that_fails_leaves_nothing_and_can_be_given_again, kit_setup,
                                        kit_teardown),
        cmocka_unit_test_setup_teardown(four_batches_may_be_under_way_the_fifth_stays_the_callers, kit_setup,
                                        kit_teardown),
    };

    return cmocka_run_group_tests_name("archive/append", tests, NULL, NULL);
}

/* Whatever is done to the file behind the archive's back, verify names it; what wasn't done, it doesn't. */
#include "archive_kit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "archive/archive_chain.h"

/* Two chats in three commits, closed: the file as it lies there. */
static void fill_and_close(struct kit *k)
{
    kit_add_chat(k, "c_1", T0, "general", "r_ann", "我要申请退款");
    kit_commit(k, 1);
    kit_add_chat(k, "c_2", T0 + 1000, "general", "r_bob", "where is my parcel");
    kit_commit(k, 2);
    kit_add(k, "c_1", 4, "message", ANN, "\"text\":\"one moment\"");
    kit_commit(k, 3);
    kit_close(k);
}

static void verify_says(struct kit *k, int rc, const char *what)
{
    struct err err = {.text = ""};
    struct buf out;
    int got;

    buf_init(&out, 1 << 20);
    got = archive_verify(k->path, &out, &err);
    if (got != rc || (what && !strstr(got == 0 ? buf_str(&out).s : err.text, what)))
        fail_msg("%d, not %d %s:\n%s%s", got, rc, what, err.text, buf_str(&out).s);
    buf_fini(&out);
}

static void an_untouched_file_verifies_while_it_is_open_and_after(void **state)
{
    struct kit *k = *state;

    verify_says(k, 0, "0 rows");
    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    kit_commit(k, 1);
    verify_says(k, 0, "3 rows");
    kit_close(k);
    verify_says(k, 0, "3 rows");
}

#define TAMPER(name, sql, said)                                                                              \
    static void name(void **state)                                                                           \
    {                                                                                                        \
        struct kit *k = *state;                                                                              \
                                                                                                             \
        fill_and_close(k);                                                                                   \
        kit_sql(k, sql);                                                                                     \
        verify_says(k, ERR_CORRUPT, said);                                                                   \
    }

TAMPER(an_edited_text_is_found, "UPDATE entries SET body = replace(body, '退款', '换货') WHERE n = 2",
       "row 2 (c_1, seq 2): its text is not what was written")
TAMPER(an_edited_text_with_its_own_sum_made_anew_is_found,
       "UPDATE entries SET body = 'x', sum = zeroblob(32) WHERE n = 2", "row 2 ")
TAMPER(an_edited_time_is_found, "UPDATE entries SET at = at + 1 WHERE n = 3",
       "row 3 (c_1, seq 3): it does not chain")
TAMPER(an_edited_kind_is_found, "UPDATE entries SET kind = 'note' WHERE n = 5",
       "row 5 (c_2, seq 2): it does not chain")
TAMPER(an_entry_moved_to_another_chat_is_found, "UPDATE entries SET log = 'c_3' WHERE n = 5", "row 5 (c_3")
TAMPER(a_deleted_row_is_found, "DELETE FROM entries WHERE n = 3", "rows 3 to 3 are missing: deletion")
TAMPER(a_deleted_row_with_the_others_moved_up_is_found,
       "DELETE FROM entries WHERE n = 3; UPDATE entries SET n = 3 WHERE n = 4; UPDATE entries SET n = 4 "
       "WHERE n = 5",
       "row 3 ")
TAMPER(an_inserted_row_is_found,
       "UPDATE entries SET n = n + 100 WHERE n >= 3; UPDATE entries SET n = n - 99 WHERE n > 100;"
       "INSERT INTO entries SELECT 3, log, 77, at, kind, person, NULL, body, salt, sum, hash FROM entries "
       "WHERE n = 2",
       "row 3 ")
TAMPER(a_row_added_behind_the_last_commit_is_found,
       "INSERT INTO entries SELECT 8, log, 77, at, kind, person, NULL, body, salt, sum, hash FROM entries "
       "WHERE n = 2",
       "row 8 ")
TAMPER(two_rows_that_changed_places_are_found,
       "UPDATE entries SET n = 1000 WHERE n = 2; UPDATE entries SET n = 2 WHERE n = 5; UPDATE entries SET n "
       "= 5 WHERE n = 1000",
       "row 2 ")
TAMPER(a_cut_tail_is_found, "DELETE FROM entries WHERE n > 5", "cut tail")
TAMPER(
    a_cut_tail_with_the_head_set_back_is_found,
    "DELETE FROM entries WHERE n > 6; UPDATE chain SET n = 6, head = (SELECT hash FROM entries WHERE n = 6)",
    "seal")
TAMPER(a_text_taken_away_without_a_redaction_is_found,
       "UPDATE entries SET body = NULL, salt = NULL WHERE n = 5", "row 5 (c_2, seq 2): its text is gone")
TAMPER(a_head_taken_away_is_found, "DELETE FROM chain", "head is gone")
TAMPER(all_rows_taken_away_are_found, "DELETE FROM entries", "cut tail")

TAMPER(a_chat_taken_out_of_the_lists_is_found, "DELETE FROM chats WHERE chat = 'c_2'", "row 4 (c_2, seq 1): no list shows it")

static void a_review_taken_out_of_the_lists_is_found(void **state)
{
    struct archive_query q = kit_query(ARCHIVE_REVIEW_ADD);
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    kit_commit(k, 1);
    q.chat = STR("c_1");
    q.by = STR("r_qa");
    q.body = STR("{\"score\":20}");
    assert_int_equal(kit_ask(k, &q), 0);
    verify_says(k, 0, "4 rows chain");
    kit_sql(k, "UPDATE reviews SET chat = 'c_9'");
    verify_says(k, ERR_CORRUPT, "row 4 (@reviews, seq 1): no list shows it");
    kit_sql(k, "DELETE FROM reviews");
    verify_says(k, ERR_CORRUPT, "row 4 (@reviews, seq 1): no list shows it");
}

static char *read_all(const char *path, size_t *n)
{
    FILE *f = fopen(path, "rb");
    char *p = malloc(1 << 22);

    *n = fread(p, 1, 1 << 22, f);
    fclose(f);
    return p;
}

static void an_older_copy_put_in_place_is_found_and_refused(void **state)
{
    struct kit *k = *state;
    struct err err = {.text = ""};
    size_t n;
    char *old;
    FILE *f;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    kit_commit(k, 1);
    kit_close(k);
    old = read_all(k->path, &n);
    kit_open(k);
    kit_add_chat(k, "c_2", T0, "general", "r_ann", "hello");
    kit_commit(k, 2);
    kit_close(k);
    f = fopen(k->path, "wb");
    assert_int_equal(fwrite(old, 1, n, f), n);
    fclose(f);
    free(old);
    verify_says(k, ERR_CORRUPT, "row 6 was sealed: cut tail");
    assert_int_equal(archive_open(&k->loop, k->path, "default", "node-1", &k->a, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.text, "older copy"));
    k->a = NULL;
}

static void bind_hash(sqlite3_stmt *st, int i, const unsigned char hash[ARCHIVE_HASH])
{
    sqlite3_bind_blob(st, i, hash, ARCHIVE_HASH, SQLITE_TRANSIENT);
}

/* Makes all sums and hashes anew over what stands in the file, as one could who has the file but not the key.
 */
static void chain_anew(struct kit *k, const char *id, bool with_head)
{
    unsigned char hash[ARCHIVE_HASH];
    struct archive_link l = {.n = 0};
    sqlite3_stmt *get, *set;
    sqlite3 *db;

    assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
    sqlite3_prepare_v2(db, "SELECT log, seq, at, kind, salt, body FROM entries ORDER BY n", -1, &get, NULL);
    sqlite3_prepare_v2(db, "UPDATE entries SET sum = ?2, hash = ?3 WHERE n = ?1", -1, &set, NULL);
    archive_chain_start(hash, str_of(id));
    while (sqlite3_step(get) == SQLITE_ROW) {
        l.n++;
        l.log = str_of((const char *)sqlite3_column_text(get, 0));
        l.seq = sqlite3_column_int64(get, 1);
        l.at_ms = sqlite3_column_int64(get, 2);
        l.kind = str_of((const char *)sqlite3_column_text(get, 3));
        archive_chain_sum(l.sum, (struct str){sqlite3_column_blob(get, 4), 16},
                          str_of((const char *)sqlite3_column_text(get, 5)));
        archive_chain_next(hash, hash, &l);
        sqlite3_bind_int64(set, 1, l.n);
        bind_hash(set, 2, l.sum);
        bind_hash(set, 3, hash);
        assert_int_equal(sqlite3_step(set), SQLITE_DONE);
        sqlite3_reset(set);
    }
    sqlite3_finalize(get);
    sqlite3_finalize(set);
    sqlite3_close(db);
    if (with_head)
        kit_sql(k, "UPDATE chain SET head = (SELECT hash FROM entries ORDER BY n DESC LIMIT 1)");
}

static void a_chain_made_anew_without_the_key_is_found(void **state)
{
    struct kit *k = *state;
    char id[64];

    snprintf(id, sizeof id, "%s", archive_id(k->a));
    fill_and_close(k);
    chain_anew(k, id, true);
    verify_says(k, 0, "7 rows"); /* over unchanged rows it is the same chain */
    kit_sql(k, "UPDATE entries SET body = replace(body, '退款', '换货') WHERE n = 2");
    chain_anew(k, id, true);
    verify_says(k, ERR_CORRUPT, "row 3: the sealed head of that commit is another one");
}

static void an_edited_file_of_heads_is_found(void **state)
{
    struct kit *k = *state;
    char path[160];
    int fd;

    fill_and_close(k);
    snprintf(path, sizeof path, "%s.heads", k->path);
    fd = open(path, O_WRONLY);
    assert_int_equal(pwrite(fd, "1", 1, 0), 1); /* the first line is that of row 0 */
    close(fd);
    verify_says(k, ERR_CORRUPT, "does not bear the key's seal");
}

/* Writes the lines of the file of heads anew: those whose numbers stand in order, "" none. */
static void rewrite_heads(struct kit *k, const char *order)
{
    char path[160], line[16][192];
    FILE *f;
    int n = 0;

    snprintf(path, sizeof path, "%s.heads", k->path);
    f = fopen(path, "r");
    while (n < 16 && fgets(line[n], sizeof line[n], f))
        n++;
    fclose(f);
    f = fopen(path, "w");
    for (; *order; order++) {
        assert_in_range(*order - '0', 0, n - 1);
        fputs(line[*order - '0'], f);
    }
    fclose(f);
}

static void an_emptied_file_of_heads_is_found(void **state)
{
    fill_and_close(*state);
    rewrite_heads(*state, "");
    verify_says(*state, ERR_CORRUPT, "no head");
}

static void heads_that_changed_places_are_found(void **state)
{
    fill_and_close(*state);
    rewrite_heads(*state, "0231");
    verify_says(*state, ERR_CORRUPT, "stands behind that of row");
}

static void another_key_is_found(void **state)
{
    struct kit *k = *state;
    struct err err = {.text = ""};
    char path[160];
    int fd;

    fill_and_close(k);
    snprintf(path, sizeof path, "%s.key", k->path);
    fd = open(path, O_WRONLY);
    assert_int_equal(write(fd, "00000000", 8), 8);
    close(fd);
    verify_says(k, ERR_CORRUPT, "seal");
    assert_int_equal(archive_open(&k->loop, k->path, "default", "node-1", &k->a, &err), ERR_CORRUPT);
    k->a = NULL;
}

static void a_lost_key_is_not_made_anew_over_rows(void **state)
{
    struct kit *k = *state;
    struct err err = {.text = ""};
    char path[160];

    fill_and_close(k);
    snprintf(path, sizeof path, "%s.key", k->path);
    assert_int_equal(unlink(path), 0);
    assert_int_equal(archive_open(&k->loop, k->path, "default", "node-1", &k->a, &err), ERR_NOT_FOUND);
    assert_non_null(strstr(err.text, path));
    k->a = NULL;
}

static void all_files_are_for_the_owner_alone(void **state)
{
    static const char *const tails[] = {".key", ".heads", ".lock", "", "-wal", "-shm"};
    struct kit *k = *state;
    char path[160];
    struct stat st;

    for (size_t i = 0; i < 6; i++) {
        snprintf(path, sizeof path, "%s%s", k->path, tails[i]);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
    }
}

static void a_torn_last_head_is_mended(void **state)
{
    struct kit *k = *state;
    char path[160];
    FILE *f;

    fill_and_close(k);
    snprintf(path, sizeof path, "%s.heads", k->path);
    f = fopen(path, "a");
    fputs("7 0123", f);
    fclose(f);
    kit_open(k);
    kit_add(k, "c_1", 5, "message", ANN, "\"text\":\"more\"");
    kit_commit(k, 4);
    verify_says(k, 0, NULL);
}

/* Without the salt nothing says what the text was: whatever stands there was put there since. */
static void words_put_in_the_place_of_an_erased_text_are_found(void **state)
{
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    kit_add(k, "c_1", 4, "redacted", SYSTEM, "\"of\":2,\"why\":\"asked\"");
    kit_commit(k, 1);
    kit_close(k);
    verify_says(k, 0, "1 texts were erased");
    kit_sql(k, "UPDATE entries SET body = (SELECT replace(body, 'owned', 'message') FROM entries WHERE n = 3) WHERE n = 2");
    verify_says(k, ERR_CORRUPT, "row 2 (c_1, seq 2): its text is not what was written");
}

static void an_erased_text_is_gone_and_the_chain_still_verifies(void **state)
{
    struct kit *k = *state;
    char cmd[300];

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "my number is 13912345678");
    kit_commit(k, 1);
    assert_string_equal(kit_search(k, "13912345678"), "c_1");
    kit_add(k, "c_1", 4, "redacted", SYSTEM, "\"of\":2,\"why\":\"asked\"");
    kit_commit(k, 2);
    assert_string_equal(kit_search(k, "13912345678"), "");
    assert_string_equal(kit_search(k, "hello"), "");
    verify_says(k, 0, "1 texts were erased");
    kit_add(k, "c_1", 2, "message", SHOPPER,
            "\"text\":\"again\""); /* given again by a node that still had it */
    assert_int_equal(kit_commit(k, 3)->quarantined_n, 0);
    kit_close(k);
    verify_says(k, 0, "1 texts were erased");
    snprintf(cmd, sizeof cmd, "! grep -q 13912345678 %s", k->path);
    assert_int_equal(system(cmd), 0);
}

static bool files_hold(struct kit *k, const char *text)
{
    char cmd[300];

    snprintf(cmd, sizeof cmd, "cat %s %s-wal 2>/dev/null | grep -qaF %s", k->path, k->path, text);
    return system(cmd) == 0;
}

#define SOON_TRIES 1200 /* of 50 ms */

/* Waits until neither the file nor its WAL has a byte of it. */
static void is_gone_soon(struct kit *k, const char *text)
{
    int tries = 0;

    while (files_hold(k, text) && tries++ < SOON_TRIES)
        usleep(50000);
    if (tries > SOON_TRIES)
        fail_msg("%s is still there", text);
}

static void say_and_erase(struct kit *k)
{
    kit_add_chat(k, "c_1", T0, "general", "r_ann", "my number is 13912345678");
    kit_commit(k, 1);
    kit_add(k, "c_1", 4, "redacted", SYSTEM, "\"of\":2,\"why\":\"asked\"");
    kit_commit(k, 2);
}

static void no_byte_of_an_erased_text_is_left_while_the_server_runs(void **state)
{
    struct kit *k = *state;

    say_and_erase(k);
    is_gone_soon(k, "13912345678");
    assert_string_equal(kit_search(k, "number"), "");
    verify_says(k, 0, "1 texts were erased");
}

static void what_was_erased_when_the_process_was_killed_is_overwritten_at_the_next_start(void **state)
{
    struct kit *k = *state;
    pid_t pid;

    kit_close(k);
    pid = fork();
    if (pid == 0) {
        sqlite3 *reader;

        if (crypto_start(NULL) < 0)
            _exit(1);
        kit_open(k);
        sqlite3_open(k->path, &reader); /* hinders the wiping, however long it takes until the end */
        sqlite3_exec(reader, "BEGIN; SELECT * FROM meta", NULL, NULL, NULL);
        say_and_erase(k);
        raise(SIGKILL);
    }
    waitpid(pid, NULL, 0);
    assert_true(files_hold(k, "13912345678"));
    kit_open(k);
    is_gone_soon(k, "13912345678");
    for (int tries = 0; kit_count(k, "SELECT count(*) FROM meta") != 2; usleep(50000)) /* then nothing is left to do */
        assert_true(tries++ < SOON_TRIES);
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_untouched_file_verifies_while_it_is_open_and_after),
        T(an_edited_text_is_found),
        T(an_edited_text_with_its_own_sum_made_anew_is_found),
        T(an_edited_time_is_found),
        T(an_edited_kind_is_found),
        T(an_entry_moved_to_another_chat_is_found),
        T(a_deleted_row_is_found),
        T(a_deleted_row_with_the_others_moved_up_is_found),
        T(an_inserted_row_is_found),
        T(a_row_added_behind_the_last_commit_is_found),
        T(two_rows_that_changed_places_are_found),
        T(a_cut_tail_is_found),
        T(a_cut_tail_with_the_head_set_back_is_found),
        T(a_text_taken_away_without_a_redaction_is_found),
        T(a_head_taken_away_is_found),
        T(all_rows_taken_away_are_found),
        T(a_chat_taken_out_of_the_lists_is_found),
        T(a_review_taken_out_of_the_lists_is_found),
        T(an_older_copy_put_in_place_is_found_and_refused),
        T(a_chain_made_anew_without_the_key_is_found),
        T(an_edited_file_of_heads_is_found),
        T(an_emptied_file_of_heads_is_found),
        T(heads_that_changed_places_are_found),
        T(another_key_is_found),
        T(a_lost_key_is_not_made_anew_over_rows),
        T(all_files_are_for_the_owner_alone),
        T(a_torn_last_head_is_mended),
        T(words_put_in_the_place_of_an_erased_text_are_found),
        T(an_erased_text_is_gone_and_the_chain_still_verifies),
        T(no_byte_of_an_erased_text_is_left_while_the_server_runs),
        T(what_was_erased_when_the_process_was_killed_is_overwritten_at_the_next_start),
    };

    return cmocka_run_group_tests_name("archive/verify", tests, NULL, NULL);
}

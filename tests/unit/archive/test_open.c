/* Opening: who holds it, whose it is, which version made it; and taking it out again. */
#include "archive_kit.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

/* How much of each file a power cut would leave: what it had at its last sync. */
static struct {
    ino_t ino;
    off_t size;
} synced[64];

static int note_sync(int fd, long call)
{
    int rc = (int)syscall(call, fd);
    struct stat st;

    if (rc == 0 && fstat(fd, &st) == 0)
        for (size_t i = 0; i < sizeof synced / sizeof *synced; i++)
            if (synced[i].ino == 0 || synced[i].ino == st.st_ino) {
                synced[i].ino = st.st_ino;
                synced[i].size = st.st_size;
                break;
            }
    return rc;
}

/* These stand in front of the C library's. */
int fsync(int fd)
{
    return note_sync(fd, SYS_fsync);
}

int fdatasync(int fd)
{
    return note_sync(fd, SYS_fdatasync);
}

static int open_again(struct kit *k, const char *site, struct err *err)
{
    struct archive *other = NULL;
    int rc = archive_open(&k->loop, k->path, site, "node-2", &other, err);

    assert_null(other);
    return rc;
}

static void a_second_opener_is_told_who_holds_it(void **state)
{
    struct kit *k = *state;
    struct err err = {.text = ""};

    assert_int_equal(open_again(k, "default", &err), ERR_BUSY);
    assert_non_null(strstr(err.text, "node-1"));
}

static void a_second_process_is_told_who_holds_it(void **state)
{
    struct kit *k = *state;
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        struct err err = {.text = ""};
        struct archive *other;
        uv_loop_t loop;

        uv_loop_init(&loop);
        _exit(archive_open(&loop, k->path, "default", "node-2", &other, &err) == ERR_BUSY &&
                      strstr(err.text, "node-1")
                  ? 0
                  : 1);
    }
    waitpid(pid, &status, 0);
    assert_int_equal(status, 0);
}

static void a_newer_schema_is_refused(void **state)
{
    struct kit *k = *state;
    struct err err = {.text = ""};

    kit_close(k);
    kit_sql(k, "PRAGMA user_version = 999");
    assert_int_equal(open_again(k, "default", &err), ERR_UNSUPPORTED);
    assert_non_null(strstr(err.text, k->path));
    assert_non_null(strstr(err.text, "newer"));
}

static void another_sites_archive_is_refused(void **state)
{
    struct kit *k = *state;
    struct err err = {.text = ""};

    kit_close(k);
    assert_int_equal(open_again(k, "shop2", &err), ERR_INVALID);
    assert_non_null(strstr(err.text, "site default"));
}

static void another_programs_database_is_refused_and_left_alone(void **state)
{
    struct kit *k = *state;
    struct err err = {.text = ""};
    sqlite3 *db;

    kit_close(k);
    snprintf(k->path, sizeof k->path, "%s/theirs.sqlite", k->dir);
    assert_int_equal(sqlite3_open(k->path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE t (x)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_true(open_again(k, "default", &err) < 0);
    assert_int_equal(kit_count(k, "SELECT count(*) FROM sqlite_master"), 1);
}

static void a_file_that_is_no_database_is_refused(void **state)
{
    struct kit *k = *state;
    struct err err = {.text = ""};
    char key[160];
    FILE *f;

    kit_close(k);
    f = fopen(k->path, "wb");
    for (int i = 0; i < 1000; i++)
        fputs("this is no database ", f);
    fclose(f);
    assert_int_equal(open_again(k, "default", &err), ERR_CORRUPT);
    assert_non_null(strstr(err.text, "backup"));
    snprintf(key, sizeof key, "%s.key", k->path);
    assert_int_equal(access(key, F_OK), 0);
}

static void a_directory_that_is_not_there_is_told(void **state)
{
    struct kit *k = *state;
    struct err err = {.text = ""};

    kit_close(k);
    snprintf(k->path, sizeof k->path, "%s/no/archive.sqlite", k->dir);
    assert_int_equal(open_again(k, "default", &err), ERR_IO);
    assert_non_null(strstr(err.text, "directory"));
    assert_int_equal(archive_verify(k->path, NULL, &err), ERR_NOT_FOUND);
}

static void closing_works_off_what_was_given(void **state)
{
    struct kit *k = *state;
    char wal[160];

    kit_search(k, "退款"); /* so that there is a reader */
    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    assert_int_equal(archive_append(k->a, k->b, kit_on_result, k), 0);
    k->b = archive_batch_create();
    archive_close(k->a, NULL, NULL);
    k->a = NULL;
    uv_run(&k->loop, UV_RUN_DEFAULT);
    assert_int_equal(k->result.rc, 0);
    snprintf(wal, sizeof wal, "%s-wal", k->path);
    assert_int_equal(access(wal, F_OK), -1); /* one whole file lies there */
    assert_int_equal(kit_count(k, "SELECT count(*) FROM entries"), 3);
    k->back = false;
}

static void a_backup_is_taken_while_it_is_written_and_verifies(void **state)
{
    struct kit *k = *state;
    struct err err = {.text = ""};
    struct buf out;
    char to[100];
    int64_t rows = 0;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "退款");
    kit_commit(k, 1);
    snprintf(to, sizeof to, "%s/copy.sqlite", k->dir);
    kit_add_chat(k, "c_2", T0, "general", "r_ann", "退款");
    assert_int_equal(archive_append(k->a, k->b, kit_on_result, k), 0);
    k->b = archive_batch_create();
    if (archive_backup(k->path, to, NULL, NULL, &rows, &err) < 0)
        fail_msg("%s", err.text);
    kit_run(k);
    assert_true(rows >= 3);
    assert_int_equal(archive_backup(k->path, to, NULL, NULL, &rows, &err), ERR_EXISTS);
    kit_close(k);
    snprintf(k->path, sizeof k->path, "%s", to);
    buf_init(&out, 1 << 20);
    if (archive_verify(k->path, &out, &err) < 0)
        fail_msg("%s", err.text);
    buf_fini(&out);
    kit_open(k);
    assert_non_null(strstr(kit_search(k, "退款"), "c_1"));
}

struct lines {
    struct buf b;
    unsigned n, stop;
};

static int on_line(void *ctx, struct str line)
{
    struct lines *l = ctx;

    buf_add_str(&l->b, line);
    buf_add_c(&l->b, '\n');
    l->n++;
    return l->n == l->stop ? ERR_IO : 0;
}

static void the_export_is_what_was_put_in_in_order(void **state)
{
    struct kit *k = *state;
    struct lines chats = {.n = 0}, all = {.n = 0}, some = {.stop = 2};
    char *one = kit_frame("c_1", 1, T0 + 1, "started", SHOPPER, "\"department\":\"退款\"");
    char *two = kit_frame("c_1", 2, T0 + 2, "message", SHOPPER, "\"text\":\"a \\\"quoted\\\" \\u0001 📦\"");
    char *three = kit_frame("c_2", 1, T0 + 3, "started", SHOPPER, "");
    char *person = kit_frame("r_ann", 1, T0 + 4, "shift_started", ANN, "");
    char *want;

    kit_add_raw(k, "c_2", 1, T0 + 3, "s_1", NULL, three);
    kit_add_raw(k, "r_ann", 1, T0 + 4, "r_ann", NULL, person);
    kit_add_raw(k, "c_1", 1, T0 + 1, "s_1", NULL, one);
    kit_add_raw(k, "c_1", 2, T0 + 2, "s_1", "x", two);
    assert_int_equal(kit_commit(k, 1)->rc, 0);
    buf_init(&chats.b, 1 << 20);
    buf_init(&all.b, 1 << 20);
    buf_init(&some.b, 1 << 20);
    assert_int_equal(archive_export(k->path, false, on_line, &chats, NULL), 0);
    assert_true(asprintf(&want, "%s\n%s\n%s\n", one, two, three) > 0);
    assert_string_equal(chats.b.p, want);
    assert_int_equal(archive_export(k->path, true, on_line, &all, NULL), 0);
    assert_int_equal(all.n, 4);
    assert_int_equal(archive_export(k->path, true, on_line, &some, NULL), ERR_IO);
    assert_int_equal(some.n, 2);
    buf_fini(&chats.b);
    buf_fini(&all.b);
    buf_fini(&some.b);
    free(want);
    free(one);
    free(two);
    free(three);
    free(person);
}

static void after_a_power_cut_a_young_archive_opens(void **state)
{
    struct kit *k = *state;
    char heads[160], cmd[1200];
    off_t left = -1;
    struct stat st;
    struct err err = {.text = ""};
    struct archive *cut = NULL;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    assert_int_equal(kit_commit(k, 1)->rc, 0);
    snprintf(heads, sizeof heads, "%s.heads", k->path);
    assert_int_equal(stat(heads, &st), 0);
    for (size_t i = 0; i < sizeof synced / sizeof *synced; i++)
        if (synced[i].ino == st.st_ino)
            left = synced[i].size;
    assert_true(left >= 0);
    snprintf(cmd, sizeof cmd, "mkdir %s/cut && cp %s %s-wal %s.key %s %s/cut && truncate -s %lld %s/cut/archive.sqlite.heads", k->dir, k->path, k->path,
             k->path, heads, k->dir, (long long)left, k->dir);
    assert_int_equal(system(cmd), 0);
    snprintf(cmd, sizeof cmd, "%s/cut/archive.sqlite", k->dir);
    if (archive_open(&k->loop, cmd, "default", "node-1", &cut, &err) < 0)
        fail_msg("%s", err.text);
    archive_close(cut, kit_on_closed, k);
    kit_run(k);
}

static void a_key_that_could_not_be_written_is_made_at_the_next_start(void **state)
{
    struct kit *k = *state;
    struct rlimit was, none;
    struct archive *made = NULL;
    struct err err = {.text = ""};
    char path[160];
    int rc;

    snprintf(path, sizeof path, "%s/new.sqlite", k->dir);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &was), 0);
    none = (struct rlimit){0, was.rlim_max};
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    rc = archive_open(&k->loop, path, "default", "node-1", &made, &err);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &was), 0);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(rc, ERR_IO);
    if (archive_open(&k->loop, path, "default", "node-1", &made, &err) < 0)
        fail_msg("%s", err.text);
    archive_close(made, kit_on_closed, k);
    kit_run(k);
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_second_opener_is_told_who_holds_it),
        T(a_second_process_is_told_who_holds_it),
        T(a_newer_schema_is_refused),
        T(another_sites_archive_is_refused),
        T(another_programs_database_is_refused_and_left_alone),
        T(a_file_that_is_no_database_is_refused),
        T(a_directory_that_is_not_there_is_told),
        T(after_a_power_cut_a_young_archive_opens),
        T(a_key_that_could_not_be_written_is_made_at_the_next_start),
        T(closing_works_off_what_was_given),
        T(a_backup_is_taken_while_it_is_written_and_verifies),
        T(the_export_is_what_was_put_in_in_order),
    };

    return cmocka_run_group_tests_name("archive/open", tests, NULL, NULL);
}

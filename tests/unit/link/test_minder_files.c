/* What the minder makes of append-only files that are torn, broken or gone, and of a full disk. */
#include "minder_kit.h"

#include <sys/syscall.h>

/* While this file is there, the disk has no room for what this process writes; "": it has. */
static char takes_all_room[128];

/* In front of the C library's. */
ssize_t write(int fd, const void *bytes, size_t n)
{
    struct stat st;

    if (takes_all_room[0] && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && access(takes_all_room, F_OK) == 0) {
        errno = ENOSPC;
        return -1;
    }
    return syscall(SYS_write, fd, bytes, n);
}

/* A directory with 50 keys and its server stopped; the path of the append-only file into aof. */
static void make_data(struct world *w, char aof[128])
{
    struct node n;
    char out[64], key[16];

    node_up(w, &n);
    for (int i = 0; i < 50; i++) {
        snprintf(key, sizeof key, "k%02d", i);
        ASK(n.url, out, "SET", key, "{\"text\":\"something of some length\"}");
    }
    node_close(w, &n, true);
    snprintf(aof, 128, "%s/redis/appendonlydir/appendonly.aof.1.incr.aof", w->dir);
}

/* Writes over the file behind its i-th "\r\nMARK". */
static void damage(const char *path, const char *mark, int i, const char *with)
{
    char text[65536], *at = text;
    int fd = open(path, O_RDWR);
    ssize_t n = read(fd, text, sizeof text - 1);

    assert_true(n > 0);
    text[n] = 0;
    while (i-- > 0)
        assert_non_null(at = strstr(at + 1, mark));
    assert_int_equal(pwrite(fd, with, strlen(with), at - text), strlen(with));
    close(fd);
}

static void expect_refusal(struct world *w, const char *sentence)
{
    struct node n;
    char url[256];
    struct err err = {0};
    bool started;

    node_open(w, &n);
    world_await(w, is_fatal, &n, 3000, "refused");
    if (!strstr(n.why, sentence))
        fail_msg("no \"%s\" in: %s", sentence, n.why);
    assert_int_equal(n.ups, 0);
    node_close(w, &n, true);
    assert_int_equal(minder_sync_begin(w->dir, &cfg, url, &started, &err), ERR_CORRUPT);
    assert_non_null(strstr(err.text, sentence));
}

static void a_broken_middle_is_refused_with_the_cure(void **state)
{
    struct world w;
    char aof[128], cmd[256];
    struct node n;

    (void)state;
    world_init(&w);
    make_data(&w, aof);
    damage(aof, "\r\n*3", 20, "\r\nZZ");
    expect_refusal(&w, "redis-check-aof --fix");
    snprintf(cmd, sizeof cmd,
             "yes | redis-check-aof --fix %s/redis/appendonlydir/appendonly.aof.manifest >/dev/null", w.dir);
    assert_int_equal(system(cmd), 0); /* the cure cures */
    node_up(&w, &n);
    node_close(&w, &n, true);
    world_fini(&w);
}

/* Redis itself would cut everything behind such a length and start. */
static void a_broken_length_in_the_middle_is_no_torn_tail(void **state)
{
    struct world w;
    char aof[128];

    (void)state;
    world_init(&w);
    make_data(&w, aof);
    damage(aof, "\r\n$35", 20, "\r\n$9999999999\r\n");
    expect_refusal(&w, "redis-check-aof --fix");
    world_fini(&w);
}

static void lost_or_broken_files_are_refused(void **state)
{
    struct world w;
    char aof[128], path[160];

    (void)state;
    world_init(&w);
    make_data(&w, aof);
    snprintf(path, sizeof path, "%s/redis/appendonlydir/appendonly.aof.1.base.rdb", w.dir);
    unlink(path);
    expect_refusal(&w, "restore a backup");
    snprintf(path, sizeof path, "%s/redis/appendonlydir/appendonly.aof.manifest", w.dir);
    unlink(path);
    expect_refusal(&w, "lost its manifest"); /* Redis itself would start empty */
    world_fini(&w);
}

static long size_of(const char *path)
{
    struct stat st;

    assert_int_equal(stat(path, &st), 0);
    return st.st_size;
}

static void add(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_APPEND);

    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static void a_torn_tail_is_cut_and_the_rest_is_there(void **state)
{
    struct world w;
    struct node n;
    char aof[128], out[64], url[256];
    bool started;
    struct err err = {0};

    (void)state;
    world_init(&w);
    make_data(&w, aof);
    assert_int_equal(truncate(aof, size_of(aof) - 7), 0);
    node_up(&w, &n);
    assert_true(n.downs > 0);
    assert_non_null(strstr(n.why, "torn"));
    ASK(n.url, out, "DBSIZE");
    assert_string_equal(out, "49");
    node_close(&w, &n, true);

    assert_int_equal(truncate(aof, size_of(aof) - 7), 0);
    assert_int_equal(truncate(aof, size_of(aof) + 4096), 0); /* and unwritten blocks behind it */
    if (minder_sync_begin(w.dir, &cfg, url, &started, &err) < 0)
        fail_msg("%s", err.text);
    assert_true(started);
    ASK(url, out, "DBSIZE");
    assert_string_equal(out, "48");
    assert_int_equal(minder_sync_end(w.dir, started, NULL), 0);
    assert_true(lock_is_free(&w));

    assert_int_equal(truncate(aof, size_of(aof) + 512), 0); /* zeros behind a whole command */
    node_up(&w, &n);
    ASK(n.url, out, "DBSIZE");
    assert_string_equal(out, "48");
    node_close(&w, &n, true);

    assert_int_equal(truncate(aof, size_of(aof) - 1), 0); /* the CR of the last value stands, zeros behind it */
    assert_int_equal(truncate(aof, size_of(aof) + 512), 0);
    node_up(&w, &n);
    ASK(n.url, out, "DBSIZE");
    assert_string_equal(out, "47");
    node_close(&w, &n, true);

    add(aof, "*1\r\n$5\r\nMU"); /* zeros from the middle of a command's name on: Redis calls it unknown */
    assert_int_equal(truncate(aof, size_of(aof) + 600), 0);
    node_up(&w, &n);
    assert_non_null(strstr(n.why, "torn"));
    ASK(n.url, out, "DBSIZE");
    assert_string_equal(out, "47");
    node_close(&w, &n, true);
    world_fini(&w);
}

/* While Redis rewrites its files there are two that grew one after the other: what the first one lacks was written before the second. */
static void a_torn_file_with_another_behind_it_is_no_torn_tail(void **state)
{
    struct world w;
    struct node n;
    char aof[128], next[128], manifest[128], out[64];
    long whole;
    int fd;

    (void)state;
    world_init(&w);
    make_data(&w, aof);
    snprintf(next, sizeof next, "%s/redis/appendonlydir/appendonly.aof.2.incr.aof", w.dir);
    snprintf(manifest, sizeof manifest, "%s/redis/appendonlydir/appendonly.aof.manifest", w.dir);
    fd = open(next, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    close(fd);
    add(next, "*3\r\n$3\r\nSET\r\n$2\r\nk0\r\n$1\r\n1\r\n");
    add(manifest, "file appendonly.aof.2.incr.aof seq 2 type i\n");
    whole = size_of(aof);
    assert_int_equal(truncate(aof, whole - 7), 0);
    expect_refusal(&w, "more was written behind it");
    assert_int_equal(size_of(aof), whole - 7);
    assert_int_equal(truncate(aof, 0), 0); /* whoever takes the loss cuts it behind a command */
    node_up(&w, &n);
    ASK(n.url, out, "DBSIZE");
    assert_string_equal(out, "1");
    node_close(&w, &n, true);
    world_fini(&w);
}

#define WORDS_SET(key) "*3\r\n$3\r\nSET\r\n$2\r\n" key "\r\n$1\r\n1\r\n"

static void a_torn_transaction_is_cut_whole(void **state)
{
    static const char *const tails[] = {
        "*1\r\n$5\r\nMULTI\r\n" WORDS_SET("m1") WORDS_SET("m2"),                  /* its EXEC is missing */
        "*1\r\n$5\r\nMULTI\r\n" WORDS_SET("m1") "*3\r\n$3\r\nSET\r\n$2\r\nm",   /* it ends inside its second command */
    };
    struct world w;
    struct node n;
    char aof[128], out[64];

    (void)state;
    world_init(&w);
    make_data(&w, aof);
    for (unsigned i = 0; i < sizeof tails / sizeof *tails; i++) {
        off_t whole = size_of(aof);

        add(aof, tails[i]);
        node_up(&w, &n);
        assert_non_null(strstr(n.why, "torn"));
        assert_int_equal(size_of(aof), whole);
        ASK(n.url, out, "EVAL", "#!lua\nredis.call('SET', KEYS[1], 1) redis.call('SET', KEYS[2], 1)", "2", "a", i ? "b" : "c");
        node_close(&w, &n, true);
        node_up(&w, &n); /* nothing of it comes back with the next transaction */
        ASK(n.url, out, "EXISTS", "m1");
        assert_string_equal(out, "0");
        ASK(n.url, out, "DBSIZE");
        assert_string_equal(out, i ? "53" : "52");
        node_close(&w, &n, true);
    }
    world_fini(&w);
}

static void a_full_disk_gets_the_ballast(void **state)
{
    struct world w;
    struct node n;
    char path[128];
    int fd;

    (void)state;
    world_init(&w);
    node_up(&w, &n);
    node_close(&w, &n, true);
    snprintf(path, sizeof path, "%s/redis/ballast", w.dir);
    assert_int_equal(access(path, F_OK), 0);
    assert_true(size_of(path) == 8 << 20);
    /* a start that fails with Redis' own words for a full disk: an appendonlydir that can't be used says so
     * in its log */
    snprintf(path, sizeof path, "%s/redis/appendonlydir/appendonly.aof.manifest", w.dir);
    fd = open(path, O_WRONLY | O_APPEND | O_CLOEXEC);
    assert_int_equal(write(fd, "No space left on device\n", 24), 24);
    close(fd);
    node_open(&w, &n);
    world_await(&w, is_down, &n, 2000, "said");
    assert_non_null(strstr(n.why, "ballast"));
    snprintf(path, sizeof path, "%s/redis/ballast", w.dir);
    assert_int_equal(access(path, F_OK), -1);
    node_close(&w, &n, true);
    world_fini(&w);
}

static void a_disk_without_room_for_a_line_gets_the_ballast_too(void **state)
{
    struct world w;
    struct node n;

    (void)state;
    world_init(&w);
    node_up(&w, &n);
    node_close(&w, &n, true);
    snprintf(takes_all_room, sizeof takes_all_room, "%s/redis/ballast", w.dir);
    node_open(&w, &n);
    world_await(&w, is_up, &n, 5000, "redis up");
    assert_int_equal(access(takes_all_room, F_OK), -1);
    takes_all_room[0] = 0;
    node_close(&w, &n, true);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_broken_middle_is_refused_with_the_cure),
        cmocka_unit_test(a_broken_length_in_the_middle_is_no_torn_tail),
        cmocka_unit_test(lost_or_broken_files_are_refused),
        cmocka_unit_test(a_torn_tail_is_cut_and_the_rest_is_there),
        cmocka_unit_test(a_torn_file_with_another_behind_it_is_no_torn_tail),
        cmocka_unit_test(a_torn_transaction_is_cut_whole),
        cmocka_unit_test(a_full_disk_gets_the_ballast),
        cmocka_unit_test(a_disk_without_room_for_a_line_gets_the_ballast_too),
    };

    return cmocka_run_group_tests(tests, NULL, world_sweep);
}

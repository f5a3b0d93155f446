/* The minder's life: starting, watching, taking over, sharing, stopping. */
#include "minder_kit.h"

#include <sys/file.h>

static void it_starts_serves_and_stops(void **state)
{
    struct world w;
    struct node n;
    char out[128], sock[128];
    uint64_t begin;

    (void)state;
    world_init(&w);
    begin = uv_hrtime();
    node_up(&w, &n);
    print_message("up after %d ms\n", (int)((uv_hrtime() - begin) / 1000000));
    ASK(n.url, out, "CONFIG", "GET", "appendfsync");
    assert_string_equal(out, "always");
    ASK(n.url, out, "CONFIG", "GET", "maxmemory-policy");
    assert_string_equal(out, "noeviction");
    ASK(n.url, out, "CONFIG", "GET", "dir");
    assert_memory_equal(out, w.dir, strlen(w.dir));
    assert_false(lock_is_free(&w));
    snprintf(sock, sizeof sock, "%s/redis/redis.sock", w.dir);
    assert_int_equal(access(sock, F_OK), 0);
    node_close(&w, &n, true);
    assert_int_equal(n.downs, 0);
    assert_true(lock_is_free(&w));
    assert_int_equal(access(sock, F_OK), -1);
    world_fini(&w);
}

/* Own session, no descriptor of ours but the lock, no blocked signal. */
static void the_child_inherits_the_lock_and_nothing_else(void **state)
{
    struct world w;
    struct node n;
    char path[96], line[512];
    sigset_t block, old;
    int leak, strange = 0, locks = 0;
    DIR *d;
    FILE *f;

    (void)state;
    world_init(&w);
    leak = open("/etc/passwd", O_RDONLY); /* without CLOEXEC */
    sigfillset(&block);
    sigprocmask(SIG_BLOCK, &block, &old);
    node_up(&w, &n);
    sigprocmask(SIG_SETMASK, &old, NULL);
    assert_int_equal(getsid(minder_pid(n.m)), minder_pid(n.m));
    snprintf(path, sizeof path, "/proc/%d/fd", minder_pid(n.m));
    d = opendir(path);
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        char to[512] = "";

        snprintf(line, sizeof line, "%s/%s", path, e->d_name);
        if (readlink(line, to, sizeof to - 1) > 0) {
            strange += strstr(to, "passwd") != NULL;
            locks += strstr(to, "redis.lock") != NULL;
        }
    }
    closedir(d);
    assert_int_equal(strange, 0);
    assert_int_equal(locks, 1);
    snprintf(path, sizeof path, "/proc/%d/status", minder_pid(n.m));
    f = fopen(path, "r");
    while (fgets(line, sizeof line, f))
        if (strncmp(line, "SigBlk:", 7) == 0)
            assert_int_equal(strtoull(line + 7, NULL, 16), 0);
    fclose(f);
    close(leak);
    node_close(&w, &n, true);
    world_fini(&w);
}

static void killed_it_is_started_again_with_its_data(void **state)
{
    struct world w;
    struct node n;
    char out[64];

    (void)state;
    world_init(&w);
    node_up(&w, &n);
    for (int i = 0; i < 3; i++) {
        int pid = minder_pid(n.m);

        ASK(n.url, out, "INCR", "n");
        kill(pid, SIGKILL);
        n.downs = 0;
        world_await(&w, is_down, &n, 1000, "down");
        assert_non_null(strstr(n.why, "signal 9"));
        assert_false(n.fatal);
        world_await(&w, is_up, &n, 3000, "up again");
        assert_int_not_equal(minder_pid(n.m), pid);
    }
    ASK(n.url, out, "GET", "n");
    assert_string_equal(out, "3");
    assert_int_equal(n.ups, 4);
    node_close(&w, &n, true);
    world_fini(&w);
}

/* A gateway in a process of its own; it is ended by SIGKILL. Returns when its redis is up. */
static pid_t fork_gateway(const char *dir)
{
    int pipe_fd[2];
    char c;
    pid_t pid;

    assert_int_equal(pipe2(pipe_fd, O_CLOEXEC), 0);
    pid = fork();
    if (pid == 0) {
        struct world w = {0};
        struct node n;

        prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (crypto_start(NULL) < 0)
            _exit(1);
        snprintf(w.dir, sizeof w.dir, "%s", dir);
        uv_loop_init(&w.loop);
        uv_timer_init(&w.loop, &w.heart);
        w.heart.data = &w;
        uv_timer_start(&w.heart, on_beat, 5, 5);
        node_up(&w, &n);
        if (write(pipe_fd[1], "u", 1) != 1)
            _exit(1);
        uv_run(&w.loop, UV_RUN_DEFAULT);
        _exit(0);
    }
    close(pipe_fd[1]);
    assert_int_equal(read(pipe_fd[0], &c, 1), 1);
    close(pipe_fd[0]);
    return pid;
}

static void a_new_gateway_takes_over_the_server_of_a_killed_one(void **state)
{
    struct world w;
    struct node n;
    char out[128];
    pid_t gateway;
    int pid;

    (void)state;
    world_init(&w);
    gateway = fork_gateway(w.dir);
    kill(gateway, SIGKILL);
    waitpid(gateway, NULL, 0);
    assert_false(lock_is_free(&w)); /* redis lives on */
    node_up(&w, &n);
    pid = minder_pid(n.m);
    ASK(n.url, out, "SET", "k", "kept");
    kill(pid, SIGKILL); /* no child of ours: noticed all the same */
    world_await(&w, is_down, &n, 1000, "down");
    world_await(&w, is_up, &n, 3000, "up again");
    assert_int_not_equal(minder_pid(n.m), pid);
    ASK(n.url, out, "GET", "k");
    assert_string_equal(out, "kept");
    node_close(&w, &n, true);
    assert_true(lock_is_free(&w));
    world_fini(&w);
}

static void settings_that_differ_are_put_right_on_taking_over(void **state)
{
    struct world w;
    struct node a, b;
    char out[128];

    (void)state;
    world_init(&w);
    node_up(&w, &a);
    ASK(a.url, out, "CONFIG", "SET", "appendfsync", "no", "no-appendfsync-on-rewrite", "yes",
        "maxmemory-policy", "allkeys-lru", "maxmemory", "10mb");
    node_up(&w, &b);
    ASK(a.url, out, "CONFIG", "GET", "appendfsync");
    assert_string_equal(out, "always");
    ASK(a.url, out, "CONFIG", "GET", "no-appendfsync-on-rewrite");
    assert_string_equal(out, "no");
    ASK(a.url, out, "CONFIG", "GET", "maxmemory-policy");
    assert_string_equal(out, "noeviction");
    ASK(a.url, out, "CONFIG", "GET", "maxmemory");
    assert_string_equal(out, "67108864");
    node_close(&w, &b, true);
    ASK(a.url, out, "CONFIG", "SET", "appendonly", "no");
    node_open(&w, &b);
    world_await(&w, is_fatal, &b, 2000, "refused");
    assert_non_null(strstr(b.why, "appendonly no"));
    node_close(&w, &b, true);
    node_close(&w, &a, true);
    world_fini(&w);
}

static void a_command_leaves_a_running_server_as_it_is_set(void **state)
{
    struct world w;
    struct node a;
    char out[128], url[256];
    bool started;

    (void)state;
    world_init(&w);
    node_up(&w, &a);
    ASK(a.url, out, "CONFIG", "SET", "appendfsync", "everysec", "maxmemory", "80mb"); /* as a gateway with other --set has it */
    assert_int_equal(minder_sync_begin(w.dir, &cfg, url, &started, NULL), 0);
    assert_false(started);
    ASK(url, out, "CONFIG", "GET", "appendfsync");
    assert_string_equal(out, "everysec");
    ASK(url, out, "CONFIG", "GET", "maxmemory");
    assert_string_equal(out, "83886080");
    assert_int_equal(minder_sync_end(w.dir, started, NULL), 0);
    node_close(&w, &a, true);
    world_fini(&w);
}

static void two_gateways_share_one_server_and_the_last_one_stops_it(void **state)
{
    struct world w;
    struct node a, b;

    (void)state;
    world_init(&w);
    node_open(&w, &a);
    node_open(&w, &b);
    world_await(&w, is_up, &a, 3000, "up");
    world_await(&w, is_up, &b, 3000, "up");
    assert_int_equal(minder_pid(a.m), minder_pid(b.m));
    node_close(&w, &a, true);
    assert_false(lock_is_free(&w));
    kill(minder_pid(b.m), SIGKILL);
    world_await(&w, is_down, &b, 1000, "down");
    world_await(&w, is_up, &b, 3000, "up again");
    node_close(&w, &b, true);
    assert_true(lock_is_free(&w));
    world_fini(&w);
}

static void a_server_killed_under_two_gateways_is_started_once(void **state)
{
    struct world w;
    struct node a, b;

    (void)state;
    world_init(&w);
    node_up(&w, &a);
    node_up(&w, &b);
    for (int i = 0; i < 5; i++) {
        a.downs = b.downs = 0;
        kill(minder_pid(a.m), SIGKILL);
        world_await(&w, is_down, &a, 1000, "down");
        world_await(&w, is_down, &b, 1000, "down");
        world_await(&w, is_up, &a, 5000, "up");
        world_await(&w, is_up, &b, 5000, "up");
        assert_int_equal(minder_pid(a.m), minder_pid(b.m));
    }
    node_close(&w, &a, true);
    node_close(&w, &b, true);
    world_fini(&w);
}

static void without_stop_the_server_stays(void **state)
{
    struct world w;
    struct node n;
    int pid;

    (void)state;
    world_init(&w);
    node_up(&w, &n);
    pid = minder_pid(n.m);
    node_close(&w, &n, false);
    assert_false(lock_is_free(&w));
    node_up(&w, &n);
    assert_int_equal(minder_pid(n.m), pid);
    node_close(&w, &n, true);
    world_fini(&w);
}

static void a_missing_redis_server_is_said_with_the_package(void **state)
{
    char *path = mem_strdup(getenv("PATH")), url[256];
    struct err err = {0};
    struct world w;
    struct node n;
    bool started;

    (void)state;
    world_init(&w);
    setenv("PATH", "/nonexistent", 1);
    node_open(&w, &n);
    world_await(&w, is_fatal, &n, 1000, "fatal");
    assert_non_null(strstr(n.why, "apt install redis-server"));
    assert_true(lock_is_free(&w));
    node_close(&w, &n, true);
    assert_int_equal(minder_sync_begin(w.dir, &cfg, url, &started, &err), ERR_NOT_FOUND);
    setenv("PATH", path, 1);
    free(path);
    world_fini(&w);
}

static void a_lock_held_by_a_stranger_is_waited_for(void **state)
{
    struct world w;
    struct node n;
    char path[96], who[32];
    int fd;

    (void)state;
    world_init(&w);
    snprintf(path, sizeof path, "%s/redis.lock", w.dir);
    fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_int_equal(flock(fd, LOCK_EX), 0);
    node_open(&w, &n);
    world_await(&w, is_down, &n, 5000, "said");
    snprintf(who, sizeof who, "process %d", getpid());
    assert_non_null(strstr(n.why, who));
    assert_non_null(strstr(n.why, "redis.lock"));
    assert_false(n.fatal);
    assert_int_equal(n.ups, 0);
    close(fd);
    world_await(&w, is_up, &n, 3000, "up");
    node_close(&w, &n, true);
    world_fini(&w);
}

static void a_frozen_server_is_waited_for_and_never_doubled(void **state)
{
    struct world w;
    struct node a, b;
    int pid;

    (void)state;
    world_init(&w);
    node_up(&w, &a);
    pid = minder_pid(a.m);
    node_close(&w, &a, false);
    kill(pid, SIGSTOP);
    node_open(&w, &b);
    world_await(&w, is_down, &b, 6000, "said");
    assert_int_equal(b.ups, 0);
    kill(pid, SIGCONT);
    world_await(&w, is_up, &b, 6000, "up");
    assert_int_equal(minder_pid(b.m), pid);
    node_close(&w, &b, true);
    world_fini(&w);
}

static void a_path_too_long_for_a_socket_gets_a_short_way(void **state)
{
    struct world w;
    struct node n;
    char deep[512], out[64];
    char *dir;

    (void)state;
    world_init(&w);
    snprintf(deep, sizeof deep, "%s/%0100d", w.dir, 1);
    assert_int_equal(mkdir(deep, 0700), 0);
    snprintf(deep, sizeof deep, "%s/%0100d/%0100d", w.dir, 1, 2);
    assert_int_equal(mkdir(deep, 0700), 0);
    memset(&n, 0, sizeof n);
    cfg.redis.maxmemory_mb = 64;
    for (int i = 0; i < 2; i++) {
        struct minder_port port = {&n, on_up, on_down};

        memset(&n, 0, sizeof n);
        assert_int_equal(minder_open(&w.loop, deep, &cfg, &port, &n.m, NULL), 0);
        world_await(&w, is_up, &n, 5000, "up");
        assert_true(strlen(n.url) < 110);
        ASK(n.url, out, "INCR", "n");
        assert_int_equal(atoi(out), i + 1);
        node_close(&w, &n, i == 1); /* the second one finds the way of the first */
    }
    dir = n.url + strlen("unix://");
    dir[strlen(dir) - strlen("/d/redis.sock")] = 0;
    assert_int_equal(access(dir, F_OK), -1);
    world_fini(&w);
}

static void the_command_line_uses_or_starts_the_server(void **state)
{
    struct world w;
    struct node n;
    char url[256], out[64];
    bool started;

    (void)state;
    world_init(&w);
    cfg.redis.maxmemory_mb = 64;
    assert_int_equal(minder_sync_begin(w.dir, &cfg, url, &started, NULL), 0);
    assert_true(started);
    ASK(url, out, "SET", "k", "v");
    node_up(&w, &n); /* a gateway comes meanwhile */
    assert_int_equal(minder_sync_end(w.dir, started, NULL), 0);
    ASK(url, out, "GET", "k");
    assert_string_equal(out, "v");
    assert_int_equal(minder_sync_begin(w.dir, &cfg, url, &started, NULL), 0);
    assert_false(started);
    node_close(&w, &n, true); /* it goes while the command is at work */
    ASK(url, out, "GET", "k");
    assert_string_equal(out, "v");
    assert_int_equal(minder_sync_end(w.dir, started, NULL), 0);
    assert_true(lock_is_free(&w));
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_starts_serves_and_stops),
        cmocka_unit_test(the_child_inherits_the_lock_and_nothing_else),
        cmocka_unit_test(killed_it_is_started_again_with_its_data),
        cmocka_unit_test(a_new_gateway_takes_over_the_server_of_a_killed_one),
        cmocka_unit_test(settings_that_differ_are_put_right_on_taking_over),
        cmocka_unit_test(a_command_leaves_a_running_server_as_it_is_set),
        cmocka_unit_test(two_gateways_share_one_server_and_the_last_one_stops_it),
        cmocka_unit_test(a_server_killed_under_two_gateways_is_started_once),
        cmocka_unit_test(without_stop_the_server_stays),
        cmocka_unit_test(a_missing_redis_server_is_said_with_the_package),
        cmocka_unit_test(a_lock_held_by_a_stranger_is_waited_for),
        cmocka_unit_test(a_frozen_server_is_waited_for_and_never_doubled),
        cmocka_unit_test(a_path_too_long_for_a_socket_gets_a_short_way),
        cmocka_unit_test(the_command_line_uses_or_starts_the_server),
    };

    return cmocka_run_group_tests(tests, NULL, world_sweep);
}

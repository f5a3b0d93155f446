/* A password that is asked for on a terminal. */
#include "cli/cli.h"

#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

/* Runs `user add` on a terminal of its own, whose other end it gives. */
static pid_t run_add(const char *data, int *terminal)
{
    const char *const argv[] = {"firstline", "user", "add", "ann", "--role", "rep", "--department", "general", "--data", data, NULL};
    pid_t pid = forkpty(terminal, NULL, NULL, NULL);

    if (pid == 0)
        _exit(cli_main(10, (char **)(uintptr_t)argv));
    assert_true(pid > 0);
    return pid;
}

/* Reads from the terminal until these words came. */
static void await(int terminal, const char *words)
{
    char text[4096] = "";
    ssize_t got;

    for (size_t n = 0; !strstr(text, words); n += (size_t)got) {
        got = read(terminal, text + n, sizeof text - 1 - n);
        assert_true(got > 0);
        text[n + (size_t)got] = 0;
    }
}

/* The redis-server holds a lock on this file as long as it runs. */
static bool has_redis(const char *data)
{
    char path[200];
    bool is_locked;
    int fd;

    snprintf(path, sizeof path, "%s/redis.lock", data);
    fd = open(path, O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0);
    is_locked = flock(fd, LOCK_EX | LOCK_NB) < 0;
    close(fd);
    return is_locked;
}

static void who_interrupts_has_the_terminal_back_and_no_redis_server_stays(void **state)
{
    char data[] = "/tmp/firstline-cli-XXXXXX", remove[100];
    struct termios now;
    int terminal, end, status;
    pid_t pid;

    (void)state;
    assert_non_null(mkdtemp(data));
    pid = run_add(data, &terminal);
    end = open(ptsname(terminal), O_RDWR | O_NOCTTY | O_CLOEXEC); /* it outlives the command */
    await(terminal, "Password: ");
    assert_int_equal(tcgetattr(end, &now), 0);
    assert_false(now.c_lflag & ECHO);
    assert_int_equal(write(terminal, "\3", 1), 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(tcgetattr(end, &now), 0);
    assert_true(now.c_lflag & ECHO);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 1);
    await(terminal, "interrupted");
    assert_false(has_redis(data));
    close(end);
    close(terminal);
    snprintf(remove, sizeof remove, "rm -r '%s'", data);
    assert_int_equal(system(remove), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(who_interrupts_has_the_terminal_back_and_no_redis_server_stays)};

    return cmocka_run_group_tests_name("cli/password", tests, NULL, NULL);
}

#include "base/base_fail.h"

#ifdef FIRSTLINE_FAILPOINTS
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define ARMED_MAX 16

enum action { ACT_KILL, ACT_EXIT, ACT_DELAY, ACT_ERROR };

struct armed {
    char name[48];
    enum action action;
    long delay_ms, n, passed;
    bool from_then_on;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct armed armed[ARMED_MAX];
static unsigned armed_n;
static bool is_read;
static struct timespec changed;
static ino_t inode;

/* "name:action[:n[+]]" */
static void arm(char *text)
{
    struct armed *p = &armed[armed_n];
    char *save = NULL, *name = strtok_r(text, ":", &save), *action = strtok_r(NULL, ":", &save), *n = strtok_r(NULL, ":", &save);

    if (!name || !action || armed_n == ARMED_MAX)
        return;
    memset(p, 0, sizeof *p);
    snprintf(p->name, sizeof p->name, "%s", name);
    p->n = n ? strtol(n, NULL, 10) : 1;
    p->from_then_on = n && strchr(n, '+');
    if (strcmp(action, "kill") == 0)
        p->action = ACT_KILL;
    else if (strcmp(action, "exit") == 0)
        p->action = ACT_EXIT;
    else if (strcmp(action, "error") == 0)
        p->action = ACT_ERROR;
    else if (strncmp(action, "delay=", 6) == 0)
        p->action = ACT_DELAY;
    else
        return;
    p->delay_ms = p->action == ACT_DELAY ? strtol(action + 6, NULL, 10) : 0;
    armed_n++;
}

static void arm_all(char *text)
{
    char *save = NULL;

    armed_n = 0;
    for (char *one = strtok_r(text, ", \n", &save); one; one = strtok_r(NULL, ", \n", &save))
        arm(one);
}

static void read_file(const char *path)
{
    char text[1024];
    struct stat st;
    ssize_t n;
    int fd;

    if (stat(path, &st) < 0) {
        armed_n = 0;
        inode = 0;
        return;
    }
    if (st.st_ino == inode && st.st_mtim.tv_sec == changed.tv_sec && st.st_mtim.tv_nsec == changed.tv_nsec)
        return;
    fd = open(path, O_RDONLY | O_CLOEXEC);
    n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    if (n < 0)
        return;
    text[n] = 0;
    inode = st.st_ino;
    changed = st.st_mtim;
    arm_all(text);
}

static void look(void)
{
    const char *env = getenv("FIRSTLINE_FAIL");
    char text[1024];

    if (env && env[0] == '@') {
        read_file(env + 1);
    } else if (env && !is_read) {
        snprintf(text, sizeof text, "%s", env);
        arm_all(text);
    }
    is_read = true;
}

/* What is to be done now at this point, or NULL. */
static const struct armed *pass(const char *name)
{
    for (unsigned i = 0; i < armed_n; i++) {
        struct armed *p = &armed[i];

        if (strcmp(p->name, name) != 0)
            continue;
        p->passed++;
        if (p->passed == p->n || (p->from_then_on && p->passed > p->n))
            return p;
    }
    return NULL;
}

bool fail_point(const char *name)
{
    const struct armed *found;
    struct armed p = {.n = 0};

    pthread_mutex_lock(&lock);
    look();
    found = pass(name);
    if (found)
        p = *found;
    pthread_mutex_unlock(&lock);
    if (!found)
        return false;
    dprintf(STDERR_FILENO, "failpoint %s passed=%ld\n", name, p.passed);
    if (p.action == ACT_KILL)
        raise(SIGKILL);
    if (p.action == ACT_EXIT)
        _exit(99);
    if (p.action == ACT_DELAY)
        nanosleep(&(struct timespec){p.delay_ms / 1000, p.delay_ms % 1000 * 1000000}, NULL);
    return p.action == ACT_ERROR;
}
#endif

#include "link/link_minder_home.h"

#include "log/log.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define SOCK_PATH_MAX 100 /* the kernel takes 107; a little room for those who copy it */
#define BALLAST_BYTES ((off_t)8 << 20)

static char *join(const char *a, const char *b)
{
    char *out;

    if (asprintf(&out, "%s/%s", a, b) < 0)
        mem_out();
    return out;
}

/* Room that can be given back when a start fails for a full disk. */
static void make_ballast(const struct minder_home *h)
{
    char *path = join(h->dir, "ballast");
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);

    if (fd >= 0) {
        if (fallocate(fd, 0, 0, BALLAST_BYTES) < 0) {
            log_warn("link", "no ballast on this disk path=%s why=%s", path, strerror(errno));
            unlink(path);
        }
        close(fd);
    }
    free(path);
}

/* ---- the short way to the socket ---- */

/* True if dir is ours alone and its "d" leads to our directory. */
static bool alias_is_good(const struct minder_home *h, const char *dir)
{
    char *link = join(dir, "d"), target[4096];
    ssize_t n = readlink(link, target, sizeof target - 1);
    struct stat st;

    free(link);
    if (n < 0 || lstat(dir, &st) < 0)
        return false;
    target[n] = 0;
    return S_ISDIR(st.st_mode) && st.st_uid == geteuid() && (st.st_mode & 077) == 0 &&
           strcmp(target, h->dir) == 0;
}

static char *alias_read(const struct minder_home *h)
{
    char *note = join(h->dir, "socket"), line[128] = "";
    FILE *f = fopen(note, "re");

    free(note);
    if (!f)
        return NULL;
    if (!fgets(line, sizeof line, f))
        line[0] = 0;
    fclose(f);
    line[strcspn(line, "\n")] = 0;
    return line[0] == '/' && alias_is_good(h, line) ? mem_strdup(line) : NULL;
}

static int alias_make(struct minder_home *h, struct err *err)
{
    const char *run = getenv("XDG_RUNTIME_DIR");
    char *dir = join(run && *run == '/' && strlen(run) < 60 ? run : "/tmp", "firstline-XXXXXX"), *link, *note;
    FILE *f;
    int rc = 0;

    if (!mkdtemp(dir)) {
        free(dir);
        dir = mem_strdup("/tmp/firstline-XXXXXX");
        if (!mkdtemp(dir)) {
            free(dir);
            return err_set(err, ERR_IO, "a short path for the socket of %s: /tmp: %m", h->dir);
        }
    }
    h->alias = dir;
    link = join(dir, "d");
    note = join(h->dir, "socket");
    f = fopen(note, "we");
    if (symlink(h->dir, link) < 0 || !f || fprintf(f, "%s\n", dir) < 0)
        rc = err_set(err, ERR_IO, "a short path for the socket of %s: %m", h->dir);
    if (f)
        fclose(f);
    free(link);
    free(note);
    return rc;
}

static int find_socket(struct minder_home *h, struct err *err)
{
    int rc = 0;

    if (strlen(h->dir) + strlen("/redis.sock") <= SOCK_PATH_MAX) {
        snprintf(h->url, sizeof h->url, "unix://%s/redis.sock", h->dir);
        return 0;
    }
    h->alias = alias_read(h);
    if (!h->alias)
        rc = alias_make(h, err);
    if (rc == 0)
        snprintf(h->url, sizeof h->url, "unix://%.*s/d/redis.sock", 100, h->alias);
    return rc;
}

void home_clean(struct minder_home *h)
{
    char *sock = join(h->dir, "redis.sock"), *note = join(h->dir, "socket");

    unlink(sock);
    if (h->alias) {
        char *link = join(h->alias, "d");

        unlink(link);
        rmdir(h->alias);
        unlink(note);
        free(link);
    }
    free(sock);
    free(note);
}

/* ---- opening ---- */

int home_init(struct minder_home *h, const char *data_dir, struct err *err)
{
    char *users;
    int rc = 0;

    *h = (struct minder_home){.users_fd = -1};
    h->data = realpath(data_dir, NULL);
    if (!h->data)
        return err_set(err, ERR_IO, "data directory %s: %m", data_dir);
    h->dir = join(h->data, "redis");
    if (mkdir(h->dir, 0700) < 0 && errno != EEXIST)
        return err_set(err, ERR_IO, "%s: %m", h->dir);
    users = join(h->data, "redis.users");
    h->users_fd = open(users, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (h->users_fd < 0)
        rc = err_set(err, ERR_IO, "%s: %m", users);
    free(users);
    if (rc == 0)
        rc = find_socket(h, err);
    if (rc == 0)
        make_ballast(h);
    return rc;
}

void home_fini(struct minder_home *h)
{
    if (h->users_fd >= 0)
        close(h->users_fd);
    free(h->data);
    free(h->dir);
    free(h->alias);
    free(h->suspect);
    *h = (struct minder_home){.users_fd = -1};
}

int home_join(struct minder_home *h, struct err *err)
{
    if (flock(h->users_fd, LOCK_SH | LOCK_NB) == 0)
        return 0;
    if (errno == EWOULDBLOCK || errno == EINTR)
        return err_set(err, ERR_BUSY, "%s/redis.users: another process is stopping the redis-server",
                       h->data);
    return err_set(err, ERR_IO, "%s/redis.users: lock: %m", h->data);
}

bool home_is_last(struct minder_home *h)
{
    return flock(h->users_fd, LOCK_EX | LOCK_NB) == 0;
}

/* ---- the lock ---- */

/* Who took the lock of fd's file, as /proc/locks tells it; 0 unknown. */
static pid_t lock_holder(int fd)
{
    char line[256];
    FILE *f = fopen("/proc/locks", "re");
    struct stat st;
    pid_t pid = 0;

    if (!f || fstat(fd, &st) < 0)
        goto out;
    while (!pid && fgets(line, sizeof line, f)) {
        unsigned maj, min;
        unsigned long ino;
        int p;

        if (sscanf(line, "%*d: FLOCK %*s %*s %d %x:%x:%lu", &p, &maj, &min, &ino) == 4 && ino == st.st_ino &&
            makedev(maj, min) == st.st_dev)
            pid = p;
    }
out:
    if (f)
        fclose(f);
    return pid;
}

int home_lock(const struct minder_home *h, int *fd_out, struct err *err)
{
    char *path = join(h->data, "redis.lock");
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), rc = 0;

    if (fd < 0)
        rc = err_set(err, ERR_IO, "%s: %m", path);
    else if (flock(fd, LOCK_EX | LOCK_NB) == 0)
        *fd_out = fd;
    else if (errno == EWOULDBLOCK || errno == EINTR)
        rc = err_set(err, ERR_BUSY, "%s is locked (taken by process %d)", path, (int)lock_holder(fd));
    else
        rc = err_set(err, ERR_IO, "%s: lock: %m", path);
    if (rc < 0 && fd >= 0)
        close(fd);
    free(path);
    return rc;
}

pid_t home_find_pid(const struct minder_home *h)
{
    char *path = join(h->dir, "redis.pid"), proc[64], cwd[4096], comm[64] = "";
    FILE *f = fopen(path, "re");
    ssize_t n;
    int pid = 0;

    free(path);
    if (!f)
        return 0;
    if (fscanf(f, "%d", &pid) != 1 || pid <= 1)
        pid = 0;
    fclose(f);
    snprintf(proc, sizeof proc, "/proc/%d/cwd", pid);
    n = readlink(proc, cwd, sizeof cwd - 1);
    if (n < 0)
        return 0;
    cwd[n] = 0;
    snprintf(proc, sizeof proc, "/proc/%d/comm", pid);
    f = fopen(proc, "re");
    if (f) {
        if (!fgets(comm, sizeof comm, f))
            comm[0] = 0;
        fclose(f);
    }
    return strcmp(cwd, h->dir) == 0 && strncmp(comm, "redis-server", 12) == 0 ? pid : 0;
}

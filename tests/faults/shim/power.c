/*
 * LD_PRELOAD: remembers what a power cut would undo. For each file below POWER_DIR that this process writes,
 * the bytes that stood there before each write go to POWER_JOURNAL/INODE; an fsync or fdatasync of the file
 * empties that journal. After kill -9 of everybody, lib/power.mjs takes back what the journals hold.
 *
 * A record: offset, size of the file before, number of old bytes (int64 each), then these bytes. Names
 * (rename, unlink) count as durable at once, and so does what stdio writes. POWER_FSYNC_US makes each sync
 * that much slower, as a disk is.
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#define FDS        4096
#define REAL(name) ((typeof(name) *)real(#name))

static struct watched {
    int journal; /* 0: not watched */
} watched[FDS];
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

static void *real(const char *name)
{
    void *f = dlsym(RTLD_NEXT, name);

    if (!f)
        abort();
    return f;
}

/* What a cut can't hurt, or is not on the disk's account: shared memory, locks, logs, and what is made anew
 * at each start. */
static int is_watched(const char *path)
{
    static const char *const not [] = {"-shm", ".lock", ".log", ".pid", ".conf", ".new", ".sock", "ballast"};
    const char *dir = getenv("POWER_DIR");
    char full[4096];

    if (!dir || !realpath(path, full) || strncmp(full, dir, strlen(dir)) != 0)
        return 0;
    for (unsigned i = 0; i < sizeof not / sizeof *not ; i++)
        if (strstr(full, not [i]))
            return 0;
    return 1;
}

static int after_open(int fd, const char *path, int flags)
{
    char name[4096];
    struct stat st;

    if (fd < 0 || fd >= FDS)
        return fd;
    watched[fd].journal = 0;
    if ((flags & O_ACCMODE) == O_RDONLY || !is_watched(path) || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
        return fd;
    snprintf(name, sizeof name, "%s/%llu", getenv("POWER_JOURNAL"), (unsigned long long)st.st_ino);
    /* A file that was empty is new: a journal of that name was another file's. */
    watched[fd].journal = REAL(open)(
        name, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | (st.st_size == 0 ? O_TRUNC : 0), 0600);
    if (watched[fd].journal < 0)
        abort();
    return fd;
}

#define OPENS(name, ...)                                                                                     \
    {                                                                                                        \
        va_list ap;                                                                                          \
        int mode;                                                                                            \
                                                                                                             \
        va_start(ap, flags);                                                                                 \
        mode = flags & (O_CREAT | O_TMPFILE) ? va_arg(ap, int) : 0;                                          \
        va_end(ap);                                                                                          \
        return after_open(REAL(name)(__VA_ARGS__, flags, mode), path, flags);                                \
    }
int open(const char *path, int flags, ...) OPENS(open, path) int open64(const char *path, int flags, ...)
    OPENS(open, path) int openat(int dir, const char *path, int flags, ...)
        OPENS(openat, dir, path) int openat64(int dir, const char *path, int flags, ...)
            OPENS(openat, dir, path)

                int close(int fd)
{
    if (fd >= 0 && fd < FDS && watched[fd].journal) {
        REAL(close)(watched[fd].journal);
        watched[fd].journal = 0;
    }
    return REAL(close)(fd);
}

/* The bytes from here on, n of them or up to the end, are about to change. */
static void remember(int fd, int64_t at, int64_t n)
{
    char path[64];
    struct stat st;
    int64_t head[3];
    struct iovec v[2];
    int in;

    if (fd < 0 || fd >= FDS || !watched[fd].journal || fstat(fd, &st) < 0)
        return;
    if (at < 0 || fcntl(fd, F_GETFL) & O_APPEND)
        at = at < 0 && !(fcntl(fd, F_GETFL) & O_APPEND) ? lseek(fd, 0, SEEK_CUR) : st.st_size;
    head[0] = at;
    head[1] = st.st_size;
    head[2] = at >= st.st_size ? 0 : at + n > st.st_size ? st.st_size - at : n;
    v[0] = (struct iovec){head, sizeof head};
    v[1] = (struct iovec){head[2] ? malloc((size_t)head[2]) : NULL, (size_t)head[2]};
    if (head[2]) {
        snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
        in = REAL(open)(path, O_RDONLY | O_CLOEXEC);
        if (in < 0 || pread(in, v[1].iov_base, v[1].iov_len, at) != head[2])
            abort();
        REAL(close)(in);
    }
    if (REAL(writev)(watched[fd].journal, v, 2) != (ssize_t)(sizeof head + v[1].iov_len))
        abort();
    free(v[1].iov_base);
}

#define WRITES(at, n, call)                                                                                  \
    {                                                                                                        \
        ssize_t rc;                                                                                          \
                                                                                                             \
        pthread_mutex_lock(&lock);                                                                           \
        remember(fd, at, (int64_t)n);                                                                        \
        rc = call;                                                                                           \
        pthread_mutex_unlock(&lock);                                                                         \
        return rc;                                                                                           \
    }
#define IS_WATCHED (fd >= 0 && fd < FDS && watched[fd].journal)
ssize_t write(int fd, const void *p, size_t n)
{
    if (!IS_WATCHED)
        return REAL(write)(fd, p, n);
    WRITES(-1, n, REAL(write)(fd, p, n))
}
ssize_t pwrite(int fd, const void *p, size_t n, off_t at) WRITES(at, n, REAL(pwrite)(fd, p, n, at)) ssize_t
    pwrite64(int fd, const void *p, size_t n, off_t at) WRITES(at, n, REAL(pwrite)(fd, p, n, at))

        ssize_t writev(int fd, const struct iovec *v, int n)
{
    int64_t sum = 0;

    if (!IS_WATCHED)
        return REAL(writev)(fd, v, n);
    for (int i = 0; i < n; i++)
        sum += (int64_t)v[i].iov_len;
    WRITES(-1, sum, REAL(writev)(fd, v, n))
}

int ftruncate(int fd, off_t size)
    WRITES(size, INT64_MAX / 2, REAL(ftruncate)(fd, size)) int ftruncate64(int fd, off_t size)
        WRITES(size, INT64_MAX / 2, REAL(ftruncate)(fd, size))

            static void wait_for_disk(int fd)
{
    const char *us = getenv("POWER_FSYNC_US");

    if (us && IS_WATCHED)
        usleep((useconds_t)atoi(us));
}

static void forget(int fd)
{
    if (IS_WATCHED && REAL(ftruncate)(watched[fd].journal, 0) < 0)
        abort();
}

#define SYNCS(name)                                                                                          \
    int name(int fd)                                                                                         \
    {                                                                                                        \
        int rc;                                                                                              \
                                                                                                             \
        wait_for_disk(fd);                                                                                   \
        pthread_mutex_lock(&lock); /* what is written from here on is not part of this sync */               \
        rc = REAL(name)(fd);                                                                                 \
        if (rc == 0)                                                                                         \
            forget(fd);                                                                                      \
        pthread_mutex_unlock(&lock);                                                                         \
        return rc;                                                                                           \
    }
SYNCS(fsync)
SYNCS(fdatasync)

/* A backup's files, copied and measured, and the list of them. */
#include "cli/cli_set.h"

#include "base/base_buf.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#define COPY_BYTES ((size_t)1 << 20)

const char *cli_set_in(char out[CLI_SET_PATH], const char *dir, const char *name)
{
    snprintf(out, CLI_SET_PATH, "%s/%s", dir, name);
    return out;
}

/* ---- files */

int cli_set_copy_fd(int from, long long size, const char *to, struct err *err)
{
    int fd = open(to, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), rc = 0;
    char *bytes = mem_alloc(COPY_BYTES);
    long long at = 0;
    ssize_t n = 1;

    if (fd < 0)
        rc = err_set(err, errno == EEXIST ? ERR_EXISTS : ERR_IO, "%s: %m", to);
    while (rc == 0 && at < size && n > 0) {
        n = pread(from, bytes, size - at < (long long)COPY_BYTES ? (size_t)(size - at) : COPY_BYTES, (off_t)at);
        for (ssize_t put, done = 0; rc == 0 && done < n; done += put)
            if ((put = write(fd, bytes + done, (size_t)(n - done))) <= 0)
                rc = err_set(err, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %m", to);
        at += n > 0 ? n : 0;
    }
    if (rc == 0 && (n < 0 || fsync(fd) < 0))
        rc = err_set(err, ERR_IO, "copy to %s: %m", to);
    if (fd >= 0 && close(fd) < 0 && rc == 0)
        rc = err_set(err, ERR_IO, "%s: %m", to);
    free(bytes);
    return rc;
}

int cli_set_copy(const char *from, const char *to, struct err *err)
{
    int fd = open(from, O_RDONLY | O_CLOEXEC), rc;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        rc = err_set(err, ERR_IO, "%s: %m", from);
    else if (!S_ISREG(st.st_mode)) /* a pipe was read empty before */
        rc = err_set(err, ERR_INVALID, "%s: it is no file that can be copied", from);
    else
        rc = cli_set_copy_fd(fd, st.st_size, to, err);
    if (fd >= 0)
        close(fd);
    return rc;
}

int cli_set_write_file(const char *path, struct str text, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), rc = 0;

    if (fd < 0 || write(fd, text.s, text.n) != (ssize_t)text.n || fsync(fd) < 0)
        rc = err_set(err, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %m", path);
    if (fd >= 0)
        close(fd);
    return rc;
}

int cli_set_sync(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

    if (fd < 0 || fsync(fd) < 0)
        rc = err_set(err, ERR_IO, "%s: %m", path);
    if (fd >= 0)
        close(fd);
    return rc;
}

int cli_set_make_dir(const char *path, struct err *err)
{
    return mkdir(path, 0700) < 0 && errno != EEXIST ? err_set(err, ERR_IO, "%s: %m", path) : 0;
}

int cli_set_sync_all(const char *dir, bool has_live, struct err *err)
{
    char path[CLI_SET_PATH];
    int rc = has_live ? cli_set_sync(cli_set_in(path, dir, CLI_SET_LIVE), err) : 0;

    if (rc == 0 && has_live)
        rc = cli_set_sync(cli_set_in(path, dir, "redis"), err);
    if (rc == 0)
        rc = cli_set_sync(dir, err);
    return rc < 0 ? rc : cli_set_sync(cli_set_in(path, dir, ".."), err); /* that lists it */
}

int cli_set_measure(const char *path, struct cli_set_file *f, struct err *err)
{
    unsigned char h[CRYPTO_HASH_BYTES];
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc = 0;
    void *p = MAP_FAILED;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0 || (st.st_size > 0 && (p = mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0)) == MAP_FAILED)) {
        rc = err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %m", path);
    } else {
        crypto_digest(h, st.st_size ? p : "", (size_t)st.st_size, NULL, 0);
        crypto_hex(f->digest, h, sizeof h);
        f->size = st.st_size;
    }
    if (p != MAP_FAILED)
        munmap(p, (size_t)st.st_size);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* ---- what a set says of itself */

int cli_set_add(struct cli_set *s, const char *dir, const char *name, struct err *err)
{
    struct cli_set_file *f = &s->file[s->n];
    char path[CLI_SET_PATH];
    int rc;

    if (s->n == CLI_SET_FILES_MAX)
        return err_set(err, ERR_FULL, "backup: more than %d files", CLI_SET_FILES_MAX);
    snprintf(f->path, sizeof f->path, "%s", name);
    rc = cli_set_measure(cli_set_in(path, dir, name), f, err);
    s->n += rc == 0;
    return rc;
}

static void digest_of(struct str text, char out[2 * CRYPTO_HASH_BYTES + 1])
{
    unsigned char h[CRYPTO_HASH_BYTES];

    crypto_digest(h, text.s, text.n, NULL, 0);
    crypto_hex(out, h, sizeof h);
}

int cli_set_write(const struct cli_set *s, const char *dir, struct err *err)
{
    char path[CLI_SET_PATH], digest[2 * CRYPTO_HASH_BYTES + 1];
    struct buf text;
    int rc;

    buf_init(&text, CLI_SET_BYTES_MAX);
    buf_printf(&text, "firstline backup 1\nversion %s\nsite %s\ntaken %s\nepoch %s\ncommits %lld\nrows %lld\n", s->version, s->site, s->taken,
               s->epoch[0] ? s->epoch : "-", s->commits, s->rows);
    for (unsigned i = 0; i < s->n; i++)
        buf_printf(&text, "file %lld %s %s\n", s->file[i].size, s->file[i].digest, s->file[i].path);
    digest_of(buf_str(&text), digest);
    buf_printf(&text, "end %s\n", digest);
    rc = cli_set_write_file(cli_set_in(path, dir, CLI_SET_NAME), buf_str(&text), err);
    buf_fini(&text);
    return rc;
}

/* A path below the set, of the names that a backup gives. */
static bool is_below(const char *path)
{
    return path[0] != '/' && !strstr(path, "..") && path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/")] == 0;
}

static bool read_line(struct cli_set *s, const char *line)
{
    struct cli_set_file *f = &s->file[s->n];

    if (strncmp(line, "file ", 5) != 0)
        return sscanf(line, "version %31s", s->version) == 1 || sscanf(line, "site %127s", s->site) == 1 || sscanf(line, "taken %31s", s->taken) == 1 ||
               sscanf(line, "epoch %39s", s->epoch) == 1 || sscanf(line, "commits %lld", &s->commits) == 1 || sscanf(line, "rows %lld", &s->rows) == 1;
    if (s->n == CLI_SET_FILES_MAX || sscanf(line, "file %lld %64s %159s", &f->size, f->digest, f->path) != 3 || !is_below(f->path))
        return false;
    s->n++;
    return true;
}

/* text: up to its line of the end, which is cut off. */
static bool read_set_text(struct cli_set *s, char *text)
{
    char *end = strstr(text, "\nend "), digest[2 * CRYPTO_HASH_BYTES + 1], *next;
    bool good = end != NULL;

    if (good) {
        digest_of((struct str){text, (size_t)(end + 1 - text)}, digest);
        good = strncmp(end + 5, digest, sizeof digest - 1) == 0;
        *end = 0;
    }
    for (char *line = strchr(text, '\n'); good && line; line = next) {
        next = strchr(line + 1, '\n');
        if (next)
            *next = 0;
        good = read_line(s, line + 1);
    }
    if (strcmp(s->epoch, "-") == 0)
        s->epoch[0] = 0;
    return good && s->site[0] && s->n;
}

int cli_set_read(struct cli_set *s, const char *dir, struct err *err)
{
    static const char first[] = "firstline backup ";
    char path[CLI_SET_PATH], *text = mem_zalloc(CLI_SET_BYTES_MAX + 1);
    int fd = open(cli_set_in(path, dir, CLI_SET_NAME), O_RDONLY | O_CLOEXEC), rc = 0;

    if (fd < 0)
        rc = err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %m: it is no backup, or one that was interrupted", path);
    else if (read(fd, text, CLI_SET_BYTES_MAX) < 0)
        rc = err_set(err, ERR_IO, "%s: %m", path);
    else if (strncmp(text, first, sizeof first - 1) == 0 && strncmp(text, "firstline backup 1\n", sizeof first + 1) != 0)
        rc = err_set(err, ERR_UNSUPPORTED, "%s: made by a newer version than this one", path);
    else if (!read_set_text(s, text))
        rc = err_set(err, ERR_CORRUPT, "%s: damaged or incomplete: take another backup", path);
    if (fd >= 0)
        close(fd);
    free(text);
    return rc;
}

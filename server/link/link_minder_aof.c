#include "link/link_minder_aof.h"

#include "base/base_buf.h"

#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

enum { ENDS = -1, BAD = -2 };

struct scan {
    const char *p;
    size_t n;
    size_t bad_at; /* with BAD: the first byte that can't be */
};

/* mark, digits, CR LF at pos: the number to *v, the position behind; ENDS or BAD. */
static ssize_t scan_number(struct scan *s, size_t pos, char mark, size_t *v)
{
    size_t i = pos;

    *v = 0;
    if (i < s->n && s->p[i] != mark)
        goto bad;
    for (i++; i < s->n && isdigit((unsigned char)s->p[i]); i++) {
        if (*v > SIZE_MAX / 100)
            goto bad;
        *v = *v * 10 + (size_t)(s->p[i] - '0');
    }
    if (i + 1 < s->n && i > pos + 1 && s->p[i] == '\r' && s->p[i + 1] == '\n')
        return (ssize_t)i + 2;
    if (i >= s->n || (i + 1 == s->n && s->p[i] == '\r'))
        return ENDS;
    i += i > pos + 1 && s->p[i] == '\r'; /* the CR stands: it is the LF that doesn't */
bad:
    s->bad_at = i;
    return BAD;
}

/* One command (or a line of remarks) at pos: the position behind it; ENDS or BAD. */
static ssize_t scan_command(struct scan *s, size_t pos)
{
    size_t argc, len;
    ssize_t at;

    if (s->p[pos] == '#') {
        const char *nl = memchr(s->p + pos, '\n', s->n - pos);

        return nl ? nl + 1 - s->p : ENDS;
    }
    at = scan_number(s, pos, '*', &argc);
    for (size_t i = 0; i < argc && at >= 0; i++) {
        at = scan_number(s, (size_t)at, '$', &len);
        if (at < 0)
            break;
        if (len > s->n - (size_t)at || s->n - (size_t)at - len < 2)
            return ENDS;
        at += (ssize_t)len;
        if (s->p[at] != '\r' || s->p[at + 1] != '\n') {
            s->bad_at = (size_t)at + (s->p[at] == '\r');
            return BAD;
        }
        at += 2;
    }
    return at;
}

/* True if behind pos there is what only begins a command: our own values hold no CR LF (they are JSON, ids,
 * numbers). */
static bool commands_follow(struct scan *s, size_t pos)
{
    const char *p = s->p + pos, *end = s->p + s->n;

    while ((p = memmem(p, (size_t)(end - p), "\r\n*", 3)) != NULL) {
        size_t argc, len;
        ssize_t at = scan_number(s, (size_t)(p + 2 - s->p), '*', &argc);

        if (at >= 0 && argc > 0 && scan_number(s, (size_t)at, '$', &len) >= 0)
            return true;
        p += 2;
    }
    return false;
}

static bool is_zeros(const char *p, size_t n)
{
    return n > 0 && p[0] == 0 && memcmp(p, p + 1, n - 1) == 0;
}

static bool is_at(const struct scan *s, size_t pos, const char *command)
{
    size_t n = strlen(command);

    return s->n - pos >= n && memcmp(s->p + pos, command, n) == 0;
}

/*
 * Redis' own cut ends behind the last whole command, also inside a transaction: what its EXEC never confirmed would then be carried
 * out with the next one, at the start after the next. So *good never lies inside a transaction.
 */
static enum aof_state judge(struct scan *s, off_t *good)
{
    bool in_transaction = false;
    ssize_t at = 0, last = 0;

    *good = 0;
    while (at >= 0 && (size_t)at < s->n) {
        last = at;
        at = scan_command(s, (size_t)last);
        if (at < 0)
            break;
        if (is_at(s, (size_t)last, "*1\r\n$5\r\nMULTI\r\n"))
            in_transaction = true;
        else if (is_at(s, (size_t)last, "*1\r\n$4\r\nEXEC\r\n"))
            in_transaction = false;
        if (!in_transaction)
            *good = at;
    }
    if (at >= 0)
        return in_transaction ? AOF_TORN : AOF_WHOLE;
    if (at == BAD)
        return is_zeros(s->p + s->bad_at, s->n - s->bad_at) ? AOF_ZEROS : AOF_BROKEN;
    return commands_follow(s, (size_t)last) ? AOF_BROKEN : AOF_TORN;
}

int aof_judge(const char *path, enum aof_state *state, off_t *good, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    struct scan s = {0};
    int rc = 0;

    if (fd < 0 || fstat(fd, &st) < 0) {
        rc = err_set(err, ERR_IO, "%s: %m", path);
        goto out;
    }
    s.n = (size_t)st.st_size;
    s.p = s.n ? mmap(NULL, s.n, PROT_READ, MAP_PRIVATE, fd, 0) : "";
    if (s.p == MAP_FAILED) {
        rc = err_set(err, ERR_IO, "%s: %m", path);
        goto out;
    }
    *state = judge(&s, good);
    if (s.n)
        munmap((void *)(uintptr_t)s.p, s.n);
out:
    if (fd >= 0)
        close(fd);
    return rc;
}

static bool ends_with(const char *s, const char *end)
{
    size_t n = strlen(s), m = strlen(end);

    return n >= m && strcmp(s + n - m, end) == 0;
}

bool aof_lost_manifest(const char *dir)
{
    DIR *d = opendir(dir);
    bool data = false, manifest = false;

    if (!d)
        return false;
    for (struct dirent *e; (e = readdir(d)) != NULL;) {
        manifest |= ends_with(e->d_name, ".manifest");
        data |= strncmp(e->d_name, "temp", 4) != 0 &&
                (ends_with(e->d_name, ".aof") || ends_with(e->d_name, ".rdb"));
    }
    closedir(d);
    return data && !manifest;
}

/* Lines of the manifest are "file NAME seq N type T", in the order in which the files grew. */
bool aof_is_last(const char *path)
{
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    char *manifest, line[512], file[256], last[256] = "";
    FILE *f;

    if (asprintf(&manifest, "%.*sappendonly.aof.manifest", (int)(name - path), path) < 0)
        mem_out();
    f = fopen(manifest, "re");
    free(manifest);
    while (f && fgets(line, sizeof line, f))
        if (sscanf(line, "file %255s", file) == 1)
            memcpy(last, file, sizeof last);
    if (f)
        fclose(f);
    return strcmp(last, name) == 0;
}

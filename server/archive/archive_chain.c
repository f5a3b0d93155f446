#include "archive/archive_chain.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define LINES_MAX  65536 /* then the older ones are thinned */
#define LINES_KEEP 8192  /* the newest, which are never thinned */
#define THIN       16    /* of the older ones, every 16th stays */
#define FILE_MAX   (64u << 20)

static void put64(unsigned char *p, uint64_t v)
{
    for (int i = 0; i < 8; i++)
        p[i] = (unsigned char)(v >> (56 - 8 * i));
}

void archive_chain_start(unsigned char out[ARCHIVE_HASH], struct str id)
{
    crypto_digest(out, id.s, id.n, NULL, 0);
}

void archive_chain_sum(unsigned char out[ARCHIVE_HASH], struct str salt, struct str body)
{
    const struct str parts[] = {salt, body};

    crypto_digest_parts(out, parts, 2);
}

void archive_chain_next(unsigned char out[ARCHIVE_HASH], const unsigned char before[ARCHIVE_HASH],
                        const struct archive_link *l)
{
    unsigned char n[8], log_n[8], seq[8], at[8], kind_n[8];
    const struct str parts[] = {
        {(const char *)before, ARCHIVE_HASH},
        {(char *)n, 8},
        {(char *)log_n, 8},
        l->log,
        {(char *)seq, 8},
        {(char *)at, 8},
        {(char *)kind_n, 8},
        l->kind,
        {(const char *)l->sum, ARCHIVE_HASH},
    };

    put64(n, (uint64_t)l->n);
    put64(log_n, l->log.n);
    put64(seq, (uint64_t)l->seq);
    put64(at, (uint64_t)l->at_ms);
    put64(kind_n, l->kind.n);
    crypto_digest_parts(out, parts, sizeof parts / sizeof *parts);
}

static char *beside(const char *path, const char *tail)
{
    size_t n = strlen(path), t = strlen(tail);
    char *p = mem_alloc(n + t + 1);

    memcpy(p, path, n);
    memcpy(p + n, tail, t + 1);
    return p;
}

static int make_key(const char *path, unsigned char key[32], struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    char hex[66];
    bool ok;

    if (fd < 0)
        return err_set(err, ERR_IO, "archive key %s: %m", path);
    crypto_random(key, 32);
    crypto_hex(hex, key, 32);
    hex[64] = '\n';
    ok = write(fd, hex, 65) == 65 && fsync(fd) == 0;
    ok = close(fd) == 0 && ok;
    if (ok)
        return 0;
    err_set(err, ERR_IO, "archive key %s: it can't be written: %m", path);
    unlink(path); /* half a key would be taken for one that was spoilt */
    return ERR_IO;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool read_hex(unsigned char *out, const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        int hi = hex_digit(s[2 * i]), lo = hi < 0 ? -1 : hex_digit(s[2 * i + 1]);

        if (lo < 0)
            return false;
        out[i] = (unsigned char)(hi << 4 | lo);
    }
    return true;
}

int archive_seal_init(struct archive_seal *s, const char *path, bool make, struct err *err)
{
    char *key_path = beside(path, ".key"), hex[65] = "";
    FILE *f;
    int rc = 0;

    *s = (struct archive_seal){.heads_path = beside(path, ".heads"), .heads_fd = -1};
    f = fopen(key_path, "re");
    if (f) {
        if (fread(hex, 1, 64, f) != 64 || !read_hex(s->key, hex, 32))
            rc = err_set(err, ERR_CORRUPT,
                         "archive key %s: it is no key (64 hex digits): restore it from a backup", key_path);
        fclose(f);
    } else if (errno == ENOENT && make) {
        rc = make_key(key_path, s->key, err);
    } else {
        rc = err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO,
                     "archive key %s: %m: restore it from a backup", key_path);
    }
    free(key_path);
    return rc;
}

void archive_seal_fini(struct archive_seal *s)
{
    if (s->heads_path && s->heads_fd >= 0)
        close(s->heads_fd);
    free(s->heads_path);
    *s = (struct archive_seal){.heads_fd = -1};
}

static void mac_of(const struct archive_seal *s, const struct archive_head *h,
                   unsigned char out[ARCHIVE_HASH])
{
    static const char what[] = "firstline head";
    unsigned char in[sizeof what - 1 + sizeof s->id + 8 + ARCHIVE_HASH];
    size_t id_n = strlen(s->id), n = sizeof what - 1;

    memcpy(in, what, n);
    memcpy(in + n, s->id, id_n);
    n += id_n;
    put64(in + n, (uint64_t)h->n);
    n += 8;
    memcpy(in + n, h->hash, ARCHIVE_HASH);
    crypto_digest(out, in, n + ARCHIVE_HASH, s->key, sizeof s->key);
}

void archive_seal_sign(const struct archive_seal *s, struct archive_head *h)
{
    mac_of(s, h, h->mac);
}

bool archive_seal_holds(const struct archive_seal *s, const struct archive_head *h)
{
    unsigned char want[ARCHIVE_HASH];

    mac_of(s, h, want);
    return crypto_equal(want, h->mac, sizeof want);
}

static size_t head_line(char out[192], const struct archive_head *h)
{
    char hash[65], mac[65];

    crypto_hex(hash, h->hash, ARCHIVE_HASH);
    crypto_hex(mac, h->mac, ARCHIVE_HASH);
    return (size_t)snprintf(out, 192, "%" PRId64 " %s %s\n", h->n, hash, mac);
}

static bool parse_line(const char *s, size_t n, struct archive_head *h)
{
    char *end;

    h->n = strtoll(s, &end, 10);
    return (size_t)(end - s) + 130 == n && end[0] == ' ' && end[65] == ' ' && h->n >= 0 &&
           read_hex(h->hash, end + 1, 32) && read_hex(h->mac, end + 66, 32);
}

/* The whole file, NUL-terminated. */
static int read_file(const char *path, char **out, size_t *n, struct err *err)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    size_t have = 0;
    char *p;

    if (fd < 0 || fstat(fd, &st) < 0 || st.st_size > FILE_MAX) {
        int code = errno == ENOENT ? ERR_NOT_FOUND : ERR_IO;

        err_set(err, code, "archive heads %s: %m: restore it from a backup", path);
        if (fd >= 0)
            close(fd);
        return code;
    }
    p = mem_alloc((size_t)st.st_size + 1);
    while (have < (size_t)st.st_size) {
        ssize_t got = read(fd, p + have, (size_t)st.st_size - have);

        if (got <= 0)
            break;
        have += (size_t)got;
    }
    close(fd);
    p[have] = '\0';
    *out = p;
    *n = have;
    return 0;
}

int archive_seal_read(const struct archive_seal *s, struct archive_head **out, size_t *n, struct err *err)
{
    struct archive_head *heads = NULL;
    size_t cap = 0, have = 0, len;
    char *text, *line, *end;
    int rc = read_file(s->heads_path, &text, &len, err);

    if (rc < 0)
        return rc;
    for (line = text; rc == 0 && (end = memchr(line, '\n', len - (size_t)(line - text))); line = end + 1) {
        if (have == cap)
            heads = mem_realloc(heads, (cap = cap ? cap * 2 : 64) * sizeof *heads);
        if (!parse_line(line, (size_t)(end - line), &heads[have]))
            rc = err_set(err, ERR_CORRUPT, "archive heads %s: line %zu is no head: the file was changed",
                         s->heads_path, have + 1);
        have++;
    }
    free(text);
    if (rc < 0) {
        free(heads);
        return rc;
    }
    *out = heads;
    *n = have;
    return 0;
}

/* Writes these lines into a file of its own and puts it in place of the old one. */
static int rewrite(struct archive_seal *s, const struct archive_head *heads, size_t n, struct err *err)
{
    char *path = beside(s->heads_path, ".new"), line[192];
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_APPEND | O_CLOEXEC, 0600);
    struct buf b;
    bool ok = fd >= 0;

    buf_init(&b, FILE_MAX);
    for (size_t i = 0; i < n; i++)
        buf_add(&b, line, head_line(line, &heads[i]));
    for (size_t done = 0; ok && done < b.n;) {
        ssize_t put = write(fd, b.p + done, b.n - done);

        ok = put > 0;
        done += ok ? (size_t)put : 0;
    }
    ok = ok && buf_ok(&b) && fsync(fd) == 0 && rename(path, s->heads_path) == 0;
    buf_fini(&b);
    if (!ok) {
        err_set(err, ERR_IO, "archive heads %s: %m", path);
        if (fd >= 0)
            close(fd);
        unlink(path);
    } else {
        if (s->heads_fd >= 0)
            close(s->heads_fd);
        s->heads_fd = fd;
        s->lines = (int64_t)n;
    }
    free(path);
    return ok ? 0 : ERR_IO;
}

int archive_seal_open_heads(struct archive_seal *s, struct archive_head *last, struct err *err)
{
    struct archive_head *heads = NULL;
    struct err none;
    size_t n = 0;
    int rc = archive_seal_read(s, &heads, &n, &none);

    if (rc == ERR_NOT_FOUND) {
        rc = 0;
    } else if (rc < 0) {
        return err_set(err, rc, "%s", none.text);
    }
    *last = n > 0 ? heads[n - 1] : (struct archive_head){.n = -1};
    rc = rewrite(s, heads, n, err); /* drops a torn last line, sets the mode */
    free(heads);
    return rc;
}

/* Keeps the newest heads and every THIN-th of the others. */
static int thin(struct archive_seal *s, struct err *err)
{
    struct archive_head *heads;
    size_t n, kept = 0;
    int rc = archive_seal_read(s, &heads, &n, err);

    if (rc < 0)
        return rc;
    for (size_t i = 0; i < n; i++) {
        if (i % THIN == 0 || i + LINES_KEEP >= n)
            heads[kept++] = heads[i];
    }
    rc = rewrite(s, heads, kept, err);
    free(heads);
    return rc;
}

int archive_seal_add(struct archive_seal *s, const struct archive_head *h, struct err *err)
{
    char line[192];
    size_t n = head_line(line, h);
    off_t size;
    int rc = 0;

    if (s->lines >= LINES_MAX)
        rc = thin(s, err);
    if (rc < 0)
        return rc;
    size = lseek(s->heads_fd, 0, SEEK_END);
    if (write(s->heads_fd, line, n) != (ssize_t)n) {
        rc = err_set(err, ERR_IO, "archive heads %s: %m: make room there", s->heads_path);
        if (size >= 0) /* half a line would spoil those behind it */
            (void)!ftruncate(s->heads_fd, size);
        return rc;
    }
    s->lines++;
    return 0;
}

void archive_seal_sync(struct archive_seal *s)
{
    if (s->heads_fd >= 0)
        fdatasync(s->heads_fd);
}

/*
 * `backup DIR`: one consistent set, and `restore DIR`: such a set put in place.
 *
 *   firstline.backup                    what the set holds: a line a file, with size and digest; written last, so a set without it is none
 *   archive.sqlite .key .heads          the archive
 *   redis/appendonlydir/                the live data, if its Redis is the data directory's own
 *   kb.sqlite -learned                  what is made of the knowledge base's logs
 *   firstline.ini                       the configuration file, if one was used
 *
 * The archive's moment comes first and the live data's is the same: no write is carried out between them. An archive that were ahead would
 * hold entries that the live data lacks, which a start takes for a loss (PROMISES 2.9); live data that were ahead would lack chats that had
 * been archived and freed meanwhile. The knowledge base's tables come before both: what they lack is in the live data's logs.
 */
#include "archive/archive.h"
#include "archive/archive_kb.h"
#include "base/base_crypto.h"
#include "cli/cli.h"
#include "config/config.h"
#include "link/link_minder_aof.h"
#include "link/link_minder_copy.h"
#include "link/link_sync.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define SET_NAME     "firstline.backup"
#define CONFIG_NAME  "firstline.ini"
#define LIVE         "redis/appendonlydir"
#define MANIFEST     LIVE "/appendonly.aof.manifest"
#define FILES_MAX    (MINDER_COPY_MAX + 16)
#define SET_MAX      65536
#define PATH_SIZE    1200
#define COPY_BYTES   ((size_t)1 << 20)

struct set_file {
    char path[160], digest[2 * CRYPTO_HASH_BYTES + 1];
    long long size;
};

/* What a set says of itself. */
struct set {
    char version[32], site[128], taken[32], epoch[40]; /* epoch "": it has no live data */
    long long commits, rows;
    struct set_file file[FILES_MAX];
    unsigned n;
};

struct backup {
    struct cli *c;
    const char *dir;
    struct cli_live live;
    struct minder_copy copy;
    struct set set;
};

static const char *in(char out[PATH_SIZE], const char *dir, const char *name)
{
    snprintf(out, PATH_SIZE, "%s/%s", dir, name);
    return out;
}

/* ---- files */

/* At most size bytes from a new file's beginning to it. Less is no error: what was behind a torn end may be cut meanwhile. */
static int copy_fd(int from, long long size, const char *to, struct err *err)
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

static int copy_file(const char *from, const char *to, struct err *err)
{
    int fd = open(from, O_RDONLY | O_CLOEXEC), rc;
    struct stat st;

    if (fd < 0 || fstat(fd, &st) < 0)
        rc = err_set(err, ERR_IO, "%s: %m", from);
    else
        rc = copy_fd(fd, st.st_size, to, err);
    if (fd >= 0)
        close(fd);
    return rc;
}

static int write_file(const char *path, struct str text, struct err *err)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600), rc = 0;

    if (fd < 0 || write(fd, text.s, text.n) != (ssize_t)text.n || fsync(fd) < 0)
        rc = err_set(err, errno == ENOSPC ? ERR_FULL : ERR_IO, "%s: %m", path);
    if (fd >= 0)
        close(fd);
    return rc;
}

/* What the directory lists is on disk. */
static int sync_dir(const char *path, struct err *err)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC), rc = 0;

    if (fd < 0 || fsync(fd) < 0)
        rc = err_set(err, ERR_IO, "%s: %m", path);
    if (fd >= 0)
        close(fd);
    return rc;
}

static int make_dir(const char *path, struct err *err)
{
    return mkdir(path, 0700) < 0 && errno != EEXIST ? err_set(err, ERR_IO, "%s: %m", path) : 0;
}

static int sync_dirs(const char *dir, bool has_live, struct err *err)
{
    char path[PATH_SIZE];
    int rc = has_live ? sync_dir(in(path, dir, LIVE), err) : 0;

    if (rc == 0 && has_live)
        rc = sync_dir(in(path, dir, "redis"), err);
    if (rc == 0)
        rc = sync_dir(dir, err);
    return rc < 0 ? rc : sync_dir(in(path, dir, ".."), err); /* that lists it */
}

static int measure(const char *path, struct set_file *f, struct err *err)
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

static int add_file(struct backup *b, const char *name, struct err *err)
{
    struct set_file *f = &b->set.file[b->set.n];
    char path[PATH_SIZE];
    int rc;

    if (b->set.n == FILES_MAX)
        return err_set(err, ERR_FULL, "backup: more than %d files", FILES_MAX);
    snprintf(f->path, sizeof f->path, "%s", name);
    rc = measure(in(path, b->dir, name), f, err);
    b->set.n += rc == 0;
    return rc;
}

static void digest_of(struct str text, char out[2 * CRYPTO_HASH_BYTES + 1])
{
    unsigned char h[CRYPTO_HASH_BYTES];

    crypto_digest(h, text.s, text.n, NULL, 0);
    crypto_hex(out, h, sizeof h);
}

static int write_set(const struct backup *b, struct err *err)
{
    const struct set *s = &b->set;
    char path[PATH_SIZE], digest[2 * CRYPTO_HASH_BYTES + 1];
    struct buf text;
    int rc;

    buf_init(&text, SET_MAX);
    buf_printf(&text, "firstline backup 1\nversion %s\nsite %s\ntaken %s\nepoch %s\ncommits %lld\nrows %lld\n", s->version, s->site, s->taken,
               s->epoch[0] ? s->epoch : "-", s->commits, s->rows);
    for (unsigned i = 0; i < s->n; i++)
        buf_printf(&text, "file %lld %s %s\n", s->file[i].size, s->file[i].digest, s->file[i].path);
    digest_of(buf_str(&text), digest);
    buf_printf(&text, "end %s\n", digest);
    rc = write_file(in(path, b->dir, SET_NAME), buf_str(&text), err);
    buf_fini(&text);
    return rc;
}

/* A path below the set, of the names that a backup gives. */
static bool is_below(const char *path)
{
    return path[0] != '/' && !strstr(path, "..") && path[strspn(path, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/")] == 0;
}

static bool read_line(struct set *s, const char *line)
{
    struct set_file *f = &s->file[s->n];

    if (strncmp(line, "file ", 5) != 0)
        return sscanf(line, "version %31s", s->version) == 1 || sscanf(line, "site %127s", s->site) == 1 || sscanf(line, "taken %31s", s->taken) == 1 ||
               sscanf(line, "epoch %39s", s->epoch) == 1 || sscanf(line, "commits %lld", &s->commits) == 1 || sscanf(line, "rows %lld", &s->rows) == 1;
    if (s->n == FILES_MAX || sscanf(line, "file %lld %64s %159s", &f->size, f->digest, f->path) != 3 || !is_below(f->path))
        return false;
    s->n++;
    return true;
}

/* text: up to its line of the end, which is cut off. */
static bool read_set_text(struct set *s, char *text)
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

static int read_set(const char *dir, struct set *s, struct err *err)
{
    static const char first[] = "firstline backup ";
    char path[PATH_SIZE], *text = mem_zalloc(SET_MAX + 1);
    int fd = open(in(path, dir, SET_NAME), O_RDONLY | O_CLOEXEC), rc = 0;

    if (fd < 0)
        rc = err_set(err, errno == ENOENT ? ERR_NOT_FOUND : ERR_IO, "%s: %m: it is no backup, or one that was interrupted", path);
    else if (read(fd, text, SET_MAX) < 0)
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

/* ---- backup */

/* Empty or not there yet. */
static int make_target(const char *dir, struct err *err)
{
    DIR *d = mkdir(dir, 0700) < 0 && errno != EEXIST ? NULL : opendir(dir);
    bool is_empty = true;

    if (!d)
        return err_set(err, ERR_IO, "backup to %s: %m", dir);
    for (struct dirent *e; (e = readdir(d)) != NULL;)
        is_empty &= strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(d);
    if (!is_empty)
        return err_set(err, ERR_EXISTS, "backup to %s: it isn't empty: name a directory that is, or that isn't there yet", dir);
    return chmod(dir, 0700) < 0 ? err_set(err, ERR_IO, "backup to %s: %m", dir) : 0;
}

static int read_live(struct backup *b, const char *key, char *out, size_t size, struct err *err)
{
    const char *get[] = {"GET"};
    const struct redis_reply *r = link_sync_call(b->live.link, key, 1, get, err);

    if (!r)
        return err->code;
    if (redis_reply_type(r) == REDIS_STR)
        snprintf(out, size, "%.*s", STR_FMT(redis_reply_str(r)));
    redis_sync_free(r);
    return 0;
}

static int on_moment(void *ctx, bool is_over, struct err *err)
{
    struct backup *b = ctx;
    char n[24] = "0";
    int rc;

    if (!is_over)
        return minder_copy_still(&b->copy, b->live.url, err);
    rc = read_live(b, "epoch", b->set.epoch, sizeof b->set.epoch, err);
    if (rc == 0)
        rc = read_live(b, "n", n, sizeof n, err);
    b->set.commits = strtoll(n, NULL, 10);
    return rc < 0 ? rc : minder_copy_take(&b->copy, b->c->data, err);
}

static int take_kb(struct backup *b, struct err *err)
{
    char from[PATH_SIZE], to[PATH_SIZE];
    int rc = archive_kb_backup(in(from, b->c->data, "kb.sqlite"), in(to, b->dir, "kb.sqlite"), err);

    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc == 0)
        rc = add_file(b, "kb.sqlite", err);
    if (rc == 0 && access(in(to, b->dir, "kb.sqlite-learned"), F_OK) == 0)
        rc = add_file(b, "kb.sqlite-learned", err);
    return rc;
}

static int take_archive(struct backup *b, struct err *err)
{
    static const char *const names[] = {"archive.sqlite.key", "archive.sqlite.heads", "archive.sqlite"};
    char from[600], to[PATH_SIZE];
    int64_t rows = 0;
    int rc;

    cli_archive_path(b->c, from, sizeof from);
    rc = archive_backup(from, in(to, b->dir, names[2]), b->live.link ? on_moment : NULL, b, &rows, err);
    b->set.rows = rows;
    for (unsigned i = 0; rc == 0 && i < sizeof names / sizeof *names; i++)
        rc = add_file(b, names[i], err);
    return rc;
}

/* It ends behind a command, and outside a transaction: so a start takes it without asking. */
static int end_whole(const char *path, struct err *err)
{
    enum aof_state state;
    off_t good;
    int rc = aof_judge(path, &state, &good, err);

    if (rc < 0 || state == AOF_WHOLE)
        return rc;
    if (state == AOF_BROKEN)
        return err_set(err, ERR_CORRUPT, "the live data is damaged in the middle of %s", path);
    return truncate(path, good) < 0 ? err_set(err, ERR_IO, "%s: %m", path) : 0;
}

static int take_live(struct backup *b, struct err *err)
{
    char path[PATH_SIZE], name[160];
    struct buf manifest;
    int rc = make_dir(in(path, b->dir, "redis"), err);

    if (rc == 0)
        rc = make_dir(in(path, b->dir, LIVE), err);
    buf_init(&manifest, SET_MAX);
    for (unsigned i = 0; rc == 0 && i < b->copy.n; i++) {
        snprintf(name, sizeof name, LIVE "/%s", b->copy.file[i].name);
        rc = copy_fd(b->copy.file[i].fd, b->copy.file[i].size, in(path, b->dir, name), err);
        if (rc == 0 && i > 0 && i + 1 == b->copy.n)
            rc = end_whole(path, err);
        if (rc == 0)
            rc = add_file(b, name, err);
        buf_add_s(&manifest, b->copy.file[i].line);
    }
    if (rc == 0)
        rc = write_file(in(path, b->dir, MANIFEST), buf_str(&manifest), err);
    buf_fini(&manifest);
    return rc;
}

static int take_config(struct backup *b, struct err *err)
{
    const char *file = cli_option(b->c, "--config");
    char to[PATH_SIZE];
    int rc = file ? copy_file(file, in(to, b->dir, CONFIG_NAME), err) : 0;

    return rc < 0 || !file ? rc : add_file(b, CONFIG_NAME, err);
}

static int take_all(struct backup *b, struct err *err)
{
    bool has_live = b->live.link != NULL;
    int rc = take_kb(b, err);

    if (rc == 0)
        rc = take_archive(b, err);
    if (rc == 0 && has_live)
        rc = take_live(b, err);
    if (rc == 0)
        rc = take_config(b, err);
    if (rc == 0 && has_live)
        rc = add_file(b, MANIFEST, err);
    if (rc == 0)
        rc = sync_dirs(b->dir, has_live, err);
    if (rc == 0)
        rc = write_set(b, err);
    return rc < 0 ? rc : sync_dir(b->dir, err);
}

static void say_taken(const struct backup *b)
{
    const struct set *s = &b->set;
    long long bytes = 0;

    for (unsigned i = 0; i < s->n; i++)
        bytes += s->file[i].size;
    printf("%s: the set of site %s, %lld rows of the archive, %u files, %lld bytes\n", b->dir, s->site, s->rows, s->n, bytes);
    if (!s->epoch[0])
        puts("The live data (accounts, open chats, sessions) is not in it: it is in another Redis. Take it there, now that the archive is taken: "
             "BGSAVE and its dump.rdb, or its append-only files.");
}

static int backup(struct backup *b, struct err *err)
{
    char path[600], id[64];
    time_t now = time(NULL);
    struct tm tm;
    int rc;

    cli_archive_path(b->c, path, sizeof path);
    rc = archive_read_id(path, id, sizeof id, err); /* before a redis-server is started for it, and a directory made */
    if (rc == ERR_NOT_FOUND)
        return err_set(err, rc, "archive %s: there is none; run this on the node that has the site's archive, with its --data", path);
    if (rc == 0)
        rc = make_target(b->dir, err);
    if (rc == 0 && !b->c->redis)
        rc = cli_live_open(b->c, &b->live, err);
    if (rc < 0)
        return rc;
    snprintf(b->set.version, sizeof b->set.version, "%s", FIRSTLINE_VERSION);
    snprintf(b->set.site, sizeof b->set.site, "%s", b->c->cfg->sites[0].id);
    strftime(b->set.taken, sizeof b->set.taken, "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&now, &tm));
    rc = take_all(b, err);
    minder_copy_close(&b->copy);
    if (b->live.link && cli_live_close(b->c, &b->live, rc == 0 ? err : NULL) < 0 && rc == 0)
        rc = err->code;
    return rc;
}

int cli_backup(struct cli *c)
{
    struct backup *b;
    struct err err = {0};
    int rc;

    if (c->words_n != 1) {
        fputs("firstline: backup: one directory; firstline backup --help\n", stderr);
        return 2;
    }
    b = mem_zalloc(sizeof *b);
    b->c = c;
    b->dir = c->word[0];
    rc = backup(b, &err);
    if (rc == 0)
        say_taken(b);
    free(b);
    return rc < 0 ? cli_fail(&err) : 0;
}

/* ---- restore */

/* Where a file of the set belongs. */
static const char *place_of(const struct cli *c, const char *path, char out[PATH_SIZE])
{
    static const char archive[] = "archive.sqlite";
    char at[600];

    if (strncmp(path, archive, sizeof archive - 1) != 0)
        return in(out, c->data, path);
    cli_archive_path(c, at, sizeof at);
    snprintf(out, PATH_SIZE, "%s%s", at, path + sizeof archive - 1);
    return out;
}

static int check_files(const char *dir, const struct set *s, struct err *err)
{
    struct set_file f;
    char path[PATH_SIZE];

    for (unsigned i = 0; i < s->n; i++) {
        int rc = measure(in(path, dir, s->file[i].path), &f, err);

        if (rc < 0)
            return rc;
        if (f.size != s->file[i].size || strcmp(f.digest, s->file[i].digest) != 0)
            return err_set(err, ERR_CORRUPT, "%s: damaged: it isn't what was backed up; nothing was restored", path);
    }
    return 0;
}

static int check_is_free(const struct cli *c, const struct set *s, struct err *err)
{
    static const char *const never[] = {"archive.sqlite", "archive.sqlite-wal", "archive.sqlite.key", "kb.sqlite", "kb.sqlite-wal", LIVE};
    char path[PATH_SIZE];

    for (unsigned i = 0; i < s->n + sizeof never / sizeof *never; i++)
        if (access(place_of(c, i < s->n ? s->file[i].path : never[i - s->n], path), F_OK) == 0)
            return err_set(err, ERR_EXISTS, "restore into %s: there is data already (%s): name another directory, or move what is there away", c->data, path);
    return 0;
}

/* Is this the set for what is configured? */
static int check_fits(const struct cli *c, const struct set *s, struct err *err)
{
    if (cli_has(c, "--config") && strcmp(c->cfg->sites[0].id, s->site) != 0)
        return err_set(err, ERR_CONFLICT, "the set is that of site %s, the configuration's is %s", s->site, c->cfg->sites[0].id);
    if (c->redis && s->epoch[0])
        return err_set(err, ERR_CONFLICT,
                       "the set has live data of a redis-server in a data directory, which can't be put into another Redis: restore it without that setting");
    return 0;
}

/* The live data's files come first and its manifest last: of what an interrupted restore leaves, a start says that the manifest is lost. */
static int rank_of(const char *path)
{
    return strcmp(path, MANIFEST) == 0 ? 2 : strncmp(path, LIVE, sizeof LIVE - 1) != 0;
}

static int put_rank(const struct cli *c, const char *dir, const struct set *s, int rank, struct err *err)
{
    char from[PATH_SIZE], to[PATH_SIZE];
    int rc = 0;

    for (unsigned i = 0; rc == 0 && i < s->n; i++)
        if (rank_of(s->file[i].path) == rank)
            rc = copy_file(in(from, dir, s->file[i].path), place_of(c, s->file[i].path, to), err);
    return rc;
}

static int put_all(const struct cli *c, const char *dir, const struct set *s, char epoch[ID_SIZE], struct err *err)
{
    char from[PATH_SIZE], to[PATH_SIZE];
    bool has_live = s->epoch[0];
    int rc = has_live ? make_dir(in(to, c->data, LIVE), err) : 0;

    if (rc == 0)
        rc = put_rank(c, dir, s, 0, err);
    if (rc == 0 && has_live)
        rc = minder_copy_new_life(in(from, dir, MANIFEST), in(to, c->data, LIVE), s->site, epoch, err);
    if (rc == 0)
        rc = put_rank(c, dir, s, 1, err);
    if (rc == 0)
        rc = sync_dirs(c->data, has_live, err);
    if (rc == 0)
        rc = put_rank(c, dir, s, 2, err);
    return rc < 0 ? rc : sync_dirs(c->data, has_live, err);
}

static void say_restored(const struct cli *c, const struct set *s, const char *epoch)
{
    char path[PATH_SIZE];
    bool has_config = access(in(path, c->data, CONFIG_NAME), F_OK) == 0;

    printf("%s: site %s as it was at %s, %lld rows of the archive, %u files", c->data, s->site, s->taken, s->rows, s->n);
    printf(epoch[0] ? ", epoch %s\n" : "\n", epoch);
    if (!epoch[0])
        puts("The live data was in another Redis, and is not in the set: put it back there, then run `firstline archive adopt` and `firstline epoch new`.");
    printf("Next: firstline serve --data %s%s%s%s\n", c->data, has_config ? " --config " : "", has_config ? path : "", epoch[0] ? "" : " --redis URL");
}

static int restore(struct cli *c, const char *dir, struct set *s, struct err *err)
{
    char epoch[ID_SIZE] = "";
    int lock = -1, rc = read_set(dir, s, err);

    if (rc == 0)
        rc = check_fits(c, s, err);
    if (rc == 0)
        rc = check_is_free(c, s, err);
    if (rc == 0)
        rc = check_files(dir, s, err);
    if (rc == 0)
        rc = cli_make_data(c, err);
    if (rc == 0)
        rc = minder_copy_lock(c->data, &lock, err);
    if (rc == 0)
        rc = put_all(c, dir, s, epoch, err);
    if (lock >= 0)
        close(lock);
    if (rc == 0)
        say_restored(c, s, epoch);
    return rc;
}

int cli_restore(struct cli *c)
{
    struct set *s;
    struct err err = {0};
    int rc;

    if (c->words_n != 1) {
        fputs("firstline: restore: one directory, a backup's; firstline restore --help\n", stderr);
        return 2;
    }
    s = mem_zalloc(sizeof *s);
    rc = restore(c, c->word[0], s, &err);
    free(s);
    return rc < 0 ? cli_fail(&err) : 0;
}

/*
 * `backup DIR`: one consistent set.
 *
 * The archive's moment comes first and the live data's is the same: no write is carried out between them. An archive that were ahead would
 * hold entries that the live data lacks, which a start takes for a loss (PROMISES 2.9); live data that were ahead would lack chats that had
 * been archived and freed meanwhile. The knowledge base's tables come before both: what they lack is in the live data's logs.
 */
#include "archive/archive.h"
#include "archive/archive_kb.h"
#include "cli/cli.h"
#include "cli/cli_set.h"
#include "config/config.h"
#include "link/link_minder_aof.h"
#include "link/link_minder_copy.h"
#include "link/link_sync.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct backup {
    struct cli *c;
    const char *dir;
    struct cli_live live;
    struct minder_copy copy;
    struct cli_set set;
};

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
    char from[CLI_SET_PATH], to[CLI_SET_PATH];
    int rc = archive_kb_backup(cli_set_in(from, b->c->data, "kb.sqlite"), cli_set_in(to, b->dir, "kb.sqlite"), err);

    if (rc == ERR_NOT_FOUND)
        return 0;
    if (rc == 0)
        rc = cli_set_add(&b->set, b->dir, "kb.sqlite", err);
    if (rc == 0 && access(cli_set_in(to, b->dir, "kb.sqlite-learned"), F_OK) == 0)
        rc = cli_set_add(&b->set, b->dir, "kb.sqlite-learned", err);
    return rc;
}

static int take_archive(struct backup *b, struct err *err)
{
    static const char *const names[] = {"archive.sqlite.key", "archive.sqlite.heads", "archive.sqlite"};
    char from[600], to[CLI_SET_PATH];
    int64_t rows = 0;
    int rc;

    cli_archive_path(b->c, from, sizeof from);
    rc = archive_backup(from, cli_set_in(to, b->dir, names[2]), b->live.link ? on_moment : NULL, b, &rows, err);
    b->set.rows = rows;
    for (unsigned i = 0; rc == 0 && i < sizeof names / sizeof *names; i++)
        rc = cli_set_add(&b->set, b->dir, names[i], err);
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
    char path[CLI_SET_PATH], name[160];
    struct buf manifest;
    int rc = cli_set_make_dir(cli_set_in(path, b->dir, "redis"), err);

    if (rc == 0)
        rc = cli_set_make_dir(cli_set_in(path, b->dir, CLI_SET_LIVE), err);
    buf_init(&manifest, CLI_SET_BYTES_MAX);
    for (unsigned i = 0; rc == 0 && i < b->copy.n; i++) {
        snprintf(name, sizeof name, CLI_SET_LIVE "/%s", b->copy.file[i].name);
        rc = cli_set_copy_fd(b->copy.file[i].fd, b->copy.file[i].size, cli_set_in(path, b->dir, name), err);
        if (rc == 0 && i > 0 && i + 1 == b->copy.n)
            rc = end_whole(path, err);
        if (rc == 0)
            rc = cli_set_add(&b->set, b->dir, name, err);
        buf_add_s(&manifest, b->copy.file[i].line);
    }
    if (rc == 0)
        rc = cli_set_write_file(cli_set_in(path, b->dir, CLI_SET_MANIFEST), buf_str(&manifest), err);
    buf_fini(&manifest);
    return rc;
}

static int take_config(struct backup *b, struct err *err)
{
    const char *file = cli_option(b->c, "--config");
    char to[CLI_SET_PATH];
    int rc = file ? cli_set_copy(file, cli_set_in(to, b->dir, CLI_SET_CONFIG), err) : 0;

    return rc < 0 || !file ? rc : cli_set_add(&b->set, b->dir, CLI_SET_CONFIG, err);
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
        rc = cli_set_add(&b->set, b->dir, CLI_SET_MANIFEST, err);
    if (rc == 0)
        rc = cli_set_sync_all(b->dir, has_live, err);
    if (rc == 0)
        rc = cli_set_write(&b->set, b->dir, err);
    return rc < 0 ? rc : cli_set_sync(b->dir, err);
}

static void say_taken(const struct backup *b)
{
    const struct cli_set *s = &b->set;
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
        rc = cli_check_site(b->c, err);
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

/* `restore DIR`: a backup's set, put in place where there is nothing yet. */
#include "cli/cli.h"
#include "cli/cli_set.h"
#include "config/config.h"
#include "link/link_minder_copy.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Where a file of the set belongs. */
static const char *place_of(const struct cli *c, const char *path, char out[CLI_SET_PATH])
{
    static const char archive[] = "archive.sqlite";
    char at[600];

    if (strncmp(path, archive, sizeof archive - 1) != 0)
        return cli_set_in(out, c->data, path);
    cli_archive_path(c, at, sizeof at);
    snprintf(out, CLI_SET_PATH, "%s%s", at, path + sizeof archive - 1);
    return out;
}

static int check_files(const char *dir, const struct cli_set *s, struct err *err)
{
    struct cli_set_file f;
    char path[CLI_SET_PATH];

    for (unsigned i = 0; i < s->n; i++) {
        int rc = cli_set_measure(cli_set_in(path, dir, s->file[i].path), &f, err);

        if (rc < 0)
            return rc;
        if (f.size != s->file[i].size || strcmp(f.digest, s->file[i].digest) != 0)
            return err_set(err, ERR_CORRUPT, "%s: damaged: it isn't what was backed up; nothing was restored", path);
    }
    return 0;
}

static int check_is_free(const struct cli *c, const struct cli_set *s, struct err *err)
{
    static const char *const never[] = {"archive.sqlite", "archive.sqlite-wal", "archive.sqlite.key", "kb.sqlite", "kb.sqlite-wal", CLI_SET_LIVE};
    char path[CLI_SET_PATH];

    for (unsigned i = 0; i < s->n + sizeof never / sizeof *never; i++)
        if (access(place_of(c, i < s->n ? s->file[i].path : never[i - s->n], path), F_OK) == 0)
            return err_set(err, ERR_EXISTS, "restore into %s: there is data already (%s): name another directory, or move what is there away", c->data, path);
    return 0;
}

/* Is this the set for what is configured? */
static int check_fits(const struct cli *c, const struct cli_set *s, struct err *err)
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
    return strcmp(path, CLI_SET_MANIFEST) == 0 ? 2 : strncmp(path, CLI_SET_LIVE, sizeof CLI_SET_LIVE - 1) != 0;
}

static int put_rank(const struct cli *c, const char *dir, const struct cli_set *s, int rank, struct err *err)
{
    char from[CLI_SET_PATH], to[CLI_SET_PATH];
    int rc = 0;

    for (unsigned i = 0; rc == 0 && i < s->n; i++)
        if (rank_of(s->file[i].path) == rank)
            rc = cli_set_copy(cli_set_in(from, dir, s->file[i].path), place_of(c, s->file[i].path, to), err);
    return rc;
}

static int put_all(const struct cli *c, const char *dir, const struct cli_set *s, char epoch[ID_SIZE], struct err *err)
{
    char from[CLI_SET_PATH], to[CLI_SET_PATH];
    bool has_live = s->epoch[0];
    int rc = has_live ? cli_set_make_dir(cli_set_in(to, c->data, CLI_SET_LIVE), err) : 0;

    if (rc == 0)
        rc = put_rank(c, dir, s, 0, err);
    if (rc == 0 && has_live)
        rc = minder_copy_new_life(cli_set_in(from, dir, CLI_SET_MANIFEST), cli_set_in(to, c->data, CLI_SET_LIVE), s->site, epoch, err);
    if (rc == 0)
        rc = put_rank(c, dir, s, 1, err);
    if (rc == 0)
        rc = cli_set_sync_all(c->data, has_live, err);
    if (rc == 0)
        rc = put_rank(c, dir, s, 2, err);
    return rc < 0 ? rc : cli_set_sync_all(c->data, has_live, err);
}

static void say_restored(const struct cli *c, const struct cli_set *s, const char *epoch)
{
    char path[CLI_SET_PATH];
    bool has_config = access(cli_set_in(path, c->data, CLI_SET_CONFIG), F_OK) == 0;

    printf("%s: site %s as it was at %s, %lld rows of the archive, %u files", c->data, s->site, s->taken, s->rows, s->n);
    printf(epoch[0] ? ", epoch %s\n" : "\n", epoch);
    if (!epoch[0])
        puts("The live data was in another Redis, and is not in the set: put it back there, then run `firstline archive adopt` and `firstline epoch new`.");
    printf("Next: firstline serve --data %s%s%s%s\n", c->data, has_config ? " --config " : "", has_config ? path : "", epoch[0] ? "" : " --redis URL");
}

static int restore(struct cli *c, const char *dir, struct cli_set *s, struct err *err)
{
    char epoch[ID_SIZE] = "";
    int lock = -1, rc = cli_set_read(s, dir, err);

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
    struct cli_set *s;
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

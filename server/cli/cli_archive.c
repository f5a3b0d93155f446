#include "archive/archive.h"
#include "base/base_crypto.h"
#include "cli/cli.h"
#include "config/config.h"
#include "link/link_sync.h"

#include <stdio.h>

void cli_archive_path(const struct cli *c, char *out, size_t size)
{
    if (c->cfg->archive.path[0])
        snprintf(out, size, "%s", c->cfg->archive.path);
    else
        snprintf(out, size, "%s/archive.sqlite", c->data);
}

static int write_line(void *ctx, struct str line)
{
    FILE *f = ctx;

    return fwrite(line.s, 1, line.n, f) == line.n && fputc('\n', f) != EOF ? 0 : ERR_IO;
}

/* Pins this file as the site's archive (PROMISES 2.7): nodes see it on their next look and go over. */
static int adopt(const struct cli *c, const char *path)
{
    struct cli_live live;
    struct err err = {0};
    char id[64], was[120] = "", value[160];
    const char *get[] = {"GET"}, *set[] = {"SET", value}, *del[] = {"DEL"};
    const struct redis_reply *r = NULL;
    int rc = archive_read_id(path, id, sizeof id, &err);

    if (rc == 0)
        rc = cli_live_open(c, &live, &err);
    if (rc < 0)
        return cli_fail(&err);
    r = link_sync_call(live.link, "archive", 1, get, &err);
    if (r && redis_reply_type(r) == REDIS_STR)
        snprintf(was, sizeof was, "%.*s", STR_FMT(redis_reply_str(r)));
    redis_sync_free(r);
    snprintf(value, sizeof value, "%s adopted", id);
    r = link_sync_call(live.link, "archive", 2, set, &err);
    redis_sync_free(r);
    rc = r ? 0 : err.code;
    if (rc == 0) { /* what was said of the other file's head says nothing of this one's */
        r = link_sync_call(live.link, "archive.head", 1, del, &err);
        redis_sync_free(r);
        rc = r ? 0 : err.code;
    }
    if (cli_live_close(c, &live, rc == 0 ? &err : NULL) < 0 && rc == 0)
        rc = err.code;
    if (rc < 0)
        return cli_fail(&err);
    printf("%s is the site's archive now%s%s\n", path, was[0] ? "; before: " : "", was);
    return 0;
}

int cli_epoch(struct cli *c)
{
    struct cli_live live;
    struct err err = {0};
    char fresh[ID_SIZE];
    const char *get[] = {"GET"}, *set[] = {"SET", fresh};
    const struct redis_reply *r;
    int rc;

    if (c->words_n > 1 || (c->words_n == 1 && strcmp(c->word[0], "new") != 0)) {
        fputs("firstline: epoch: nothing or new; firstline epoch --help\n", stderr);
        return 2;
    }
    rc = cli_live_open(c, &live, &err);
    if (rc < 0)
        return cli_fail(&err);
    id_make(fresh, 'e');
    if (c->words_n == 1) {
        r = link_sync_call(live.link, "epoch", 2, set, &err);
        redis_sync_free(r);
        rc = r ? 0 : err.code;
    }
    r = rc == 0 ? link_sync_call(live.link, "epoch", 1, get, &err) : NULL;
    if (r)
        printf("%.*s\n", STR_FMT(redis_reply_str(r)));
    rc = r ? 0 : err.code;
    redis_sync_free(r);
    if (cli_live_close(c, &live, rc == 0 ? &err : NULL) < 0 && rc == 0)
        rc = err.code;
    return rc < 0 ? cli_fail(&err) : 0;
}

int cli_archive(struct cli *c)
{
    char path[600];
    struct err err = {0};
    struct buf out;
    int rc;

    cli_archive_path(c, path, sizeof path);
    if (c->words_n == 1 && strcmp(c->word[0], "verify") == 0) {
        buf_init(&out, 1 << 16);
        rc = archive_verify(path, &out, &err);
        if (rc == 0)
            printf("%.*s", STR_FMT(buf_str(&out)));
        buf_fini(&out);
        return rc < 0 ? cli_fail(&err) : 0;
    }
    if (c->words_n == 1 && strcmp(c->word[0], "export") == 0) {
        rc = archive_export(path, cli_has(c, "--all"), write_line, stdout, &err);
        return rc < 0 ? cli_fail(&err) : 0;
    }
    if (c->words_n == 1 && strcmp(c->word[0], "adopt") == 0)
        return adopt(c, path);
    fputs("firstline: archive: verify, export or adopt; firstline archive --help\n", stderr);
    return 2;
}

int cli_config(struct cli *c)
{
    struct buf out;
    struct err err = {0};
    int rc = 0;

    buf_init(&out, 8 * CONFIG_FILE_MAX); /* what a file leaves out is printed, too */
    if (c->words_n == 1 && strcmp(c->word[0], "print") == 0) {
        config_print(c->cfg, &out);
        fputs(out.n ? out.p : "", stdout);
    } else if (c->words_n == 1 && strcmp(c->word[0], "check") == 0) {
        rc = config_check(c->cfg, &out, &err);
        if (rc < 0)
            rc = cli_fail(&err);
        else
            printf("%s%s", out.n ? out.p : "", out.n ? "" : "no problem found\n");
    } else {
        fputs("firstline: config: check or print; firstline config --help\n", stderr);
        rc = 2;
    }
    buf_fini(&out);
    return rc;
}

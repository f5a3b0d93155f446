#include "archive/archive.h"
#include "cli/cli.h"
#include "config/config.h"

#include <stdio.h>

static void path_of(const struct cli *c, char *out, size_t size)
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

int cli_archive(struct cli *c)
{
    char path[600];
    struct err err = {0};
    struct buf out;
    int rc;

    path_of(c, path, sizeof path);
    if (c->words_n == 1 && strcmp(c->word[0], "verify") == 0) {
        buf_init(&out, 1 << 16);
        rc = archive_verify(path, &out, &err);
        if (rc == 0)
            printf("%.*s\n", STR_FMT(buf_str(&out)));
        buf_fini(&out);
        return rc < 0 ? cli_fail(&err) : 0;
    }
    if (c->words_n == 1 && strcmp(c->word[0], "export") == 0) {
        rc = archive_export(path, cli_has(c, "--all"), write_line, stdout, &err);
        return rc < 0 ? cli_fail(&err) : 0;
    }
    fputs("firstline: archive: verify or export; firstline archive --help\n", stderr);
    return 2;
}

int cli_config(struct cli *c)
{
    struct buf out;
    struct err err = {0};
    int rc = 0;

    buf_init(&out, 1 << 20);
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

#include "cli/cli.h"
#include "cli/cli_kb.h"

#include "archive/archive.h"
#include "base/base_crypto.h"
#include "config/config.h"
#include "link/link_minder.h"
#include "link/link_sync.h"
#include "log/log.h"
#include "protocol/protocol.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define DATA_BYTES 460 /* of --data: behind it the folder of a site has room */

static int run_kb(struct cli *c);

static const char *const flags[] = {"--password-stdin", "--no-password", "--help", "--all", "--times"};

static const struct row {
    const char *name, *help;
    int (*run)(struct cli *c);
    bool needs_site; /* of several, one is to be named */
} rows[] = {
    {"serve",
     "serve [--listen HOST:PORT]\n    Serves until SIGTERM; prints `ready http://HOST:PORT` once it can. Several sites: one process each, and ` site NAME` "
     "behind it.\n",
     cli_serve, false},
    {"demo", "demo [--listen HOST:PORT]\n    As serve, with a storefront, people and articles to try.\n", cli_demo, true},
    {"user",
     "user add LOGIN [--name N] --role R… --department D… [--skill S…] [--language L…] [--password-stdin | --no-password]\n"
     "user list | user passwd LOGIN [--password-stdin] | user disable LOGIN | user roles LOGIN --role R… | user restore\n"
     "    Roles: rep lead qa editor director admin. Without --password-stdin it asks twice on a terminal.\n"
     "    --no-password: signs in by a token alone (firstline token LOGIN), until `user passwd`.\n"
     "    Restore: accounts that the live data has lost, from the archive, as they were; API tokens are to be made anew.\n",
     cli_user, true},
    {"token", "token LOGIN [--expires DAYS] | token list | token revoke ID\n    An API token, alone on the last line. List: id, login, when it was made, until when it holds.\n", cli_token, true},
    {"kb",
     "kb check [DIR] | kb build [--kb DIR] | kb suggest TEXT [--kb DIR] | kb eval DIR [--accepts N] [--cap-ms 2] [--times] | kb bench [DIR] | "
     "kb gaps DIR\n"
     "    The articles are those of the folder, else of the setting kb.dir, else those built in.\n",
     run_kb, true},
    {"archive",
     "archive verify | archive export [--all] | archive adopt\n"
     "    Export: NDJSON, one event a line, exactly as sent to a rep. Adopt: the archive of this data directory is the site's from now on.\n",
     cli_archive, true},
    {"backup",
     "backup DIR\n"
     "    One consistent set in a directory that is empty or not there yet, also while the server runs: archive and key, live data (accounts,\n"
     "    open chats, sessions), what the knowledge base learned, the configuration file.\n",
     cli_backup, true},
    {"restore",
     "restore DIR\n"
     "    Checks such a set and puts it into the data directory --data, which must hold none yet; another epoch begins.\n",
     cli_restore, true},
    {"epoch",
     "epoch | epoch new\n"
     "    Names this life of the live data. New: begins another one, after the live data was put back to an earlier state by hand; nodes\n"
     "    put back what they still have, everybody connects again.\n",
     cli_epoch, true},
    {"config", "config check | config print\n", cli_config, false},
};

const char *cli_option(const struct cli *c, const char *name)
{
    const char *v = NULL;

    for (unsigned i = 0; i < c->options_n; i++)
        if (strcmp(c->option[i].name, name) == 0)
            v = c->option[i].value;
    return v;
}

bool cli_has(const struct cli *c, const char *name)
{
    for (unsigned i = 0; i < c->options_n; i++)
        if (strcmp(c->option[i].name, name) == 0)
            return true;
    return false;
}

int cli_fail(const struct err *err)
{
    fprintf(stderr, "firstline: %s\n", err_why(err));
    return 1;
}

static void usage(FILE *f)
{
    fputs("firstline: live support for a shop: shoppers chat, the first rep who answers owns the case.\n\nUsage: firstline SUBCOMMAND … "
          "[--data DIR] [--redis URL] [--config FILE] [--site NAME] [--set section.key=value]…\n\n", f);
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        fprintf(f, "%s", rows[i].help);
    fputs("\nURL: unix:///path, redis://[user:password@]host[:port][/db], sentinel://host:port,host:port/name. Without --redis it minds its own redis-server in DIR.\n"
          "`firstline config print` lists all settings with their help.\n", f);
}

static bool is_flag(const char *name)
{
    for (size_t i = 0; i < sizeof flags / sizeof *flags; i++)
        if (strcmp(name, flags[i]) == 0)
            return true;
    return false;
}

static bool is_among(const char *const *names, const char *name)
{
    while (*names && strcmp(*names, name) != 0)
        names++;
    return *names != NULL;
}

/* Options of all subcommands. */
static const char *const common[] = {"--data", "--redis", "--config", "--set", "--site", "--help", NULL};

static bool is_known(const char *name)
{
    static const char *const known[] = {"--listen",  "--name",    "--role",   "--department", "--skill", "--language",
                                        "--expires", "--accepts", "--cap-ms", "--kb",         NULL};

    return is_among(common, name) || is_among(known, name) || is_flag(name);
}

/* What the help says of this subcommand and its verb, where it has that verb: to where the next one begins. */
static struct str help_of(const struct row *row, const char *verb)
{
    char begin[80], next[80];
    const char *from, *till;

    snprintf(begin, sizeof begin, "%s %s", row->name, verb);
    snprintf(next, sizeof next, "%s ", row->name);
    from = *verb ? strstr(row->help, begin) : NULL;
    if (!from || !strchr(" \n", from[strlen(begin)]))
        return str_of(row->help);
    till = strstr(from + 1, next);
    return (struct str){from, till ? (size_t)(till - from) : strlen(from)};
}

/* An option that would change nothing was meant to: the help names those that each takes. */
static bool takes_options(const struct cli *c, const struct row *row)
{
    struct str help = help_of(row, c->words_n ? c->word[0] : "");

    for (unsigned i = 0; i < c->options_n; i++) {
        const char *name = c->option[i].name;

        if (is_among(common, name) || memmem(help.s, help.n, name, strlen(name)))
            continue;
        fprintf(stderr, "firstline: %s: it has no use here; firstline %s --help\n", name, row->name);
        return false;
    }
    return true;
}

static int parse(struct cli *c, int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strncmp(argv[i], "--", 2) != 0) {
            if (c->words_n == CLI_WORDS_MAX) {
                fprintf(stderr, "firstline: more than %d words; a text of several is quoted\n", CLI_WORDS_MAX);
                return -1;
            }
            c->word[c->words_n++] = argv[i];
            continue;
        }
        if (!is_known(argv[i])) {
            fprintf(stderr, "firstline: %s: no such option; firstline --help lists them\n", argv[i]);
            return -1;
        }
        if (c->options_n == CLI_VALUES_MAX) {
            fprintf(stderr, "firstline: %s: more than %d options; settings go into a file, --config\n", argv[i], CLI_VALUES_MAX);
            return -1;
        }
        c->option[c->options_n].name = argv[i];
        c->option[c->options_n].value = NULL;
        if (!is_flag(argv[i])) {
            if (i + 1 == argc) {
                fprintf(stderr, "firstline: %s: a value is missing\n", argv[i]);
                return -1;
            }
            c->option[c->options_n].value = argv[++i];
        }
        c->options_n++;
    }
    return 0;
}

static bool is_there(const char *dir, const char *name)
{
    char path[700];

    snprintf(path, sizeof path, "%s/%s", dir, name);
    return access(path, F_OK) == 0;
}

/* Each of several sites has a folder of its own in the data directory, and keeps it when the others are gone. */
static void go_to_folder(struct cli *c, const char *site)
{
    char own[100];

    snprintf(own, sizeof own, "sites/%s", site);
    if (c->site || is_there(c->data, own))
        snprintf(c->data + c->given_n, sizeof c->data - c->given_n, "/%s", own);
}

int cli_make_data(const struct cli *c, struct err *err)
{
    char path[sizeof c->data];
    struct stat st;

    for (size_t n = c->given_n;; n++) {
        if (c->data[n] && c->data[n] != '/')
            continue;
        snprintf(path, n + 1, "%s", c->data);
        if (mkdir(path, 0700) < 0 && errno != EEXIST)
            return err_set(err, ERR_IO, "--data %s: %s; name a directory that can be made and written", path, strerror(errno));
        if (!c->data[n])
            break;
    }
    if (stat(path, &st) == 0 && !S_ISDIR(st.st_mode))
        return err_set(err, ERR_IO, "--data %s: it is a file; name a directory", path);
    if (access(path, W_OK | X_OK) < 0)
        return err_set(err, ERR_IO, "--data %s: %s", path, strerror(errno));
    return 0;
}

/* Who only asks makes nothing: a mistyped name is told. */
static int check_data(const struct cli *c, struct err *err)
{
    char archive[600];

    cli_archive_path(c, archive, sizeof archive);
    if (is_there(c->data, "redis"))
        return 0;
    if (errno == EACCES)
        return err_set(err, ERR_IO, "--data %s: %m; run this as the user whose data it is", c->data);
    if (is_there(c->data, "") && access(archive, F_OK) == 0)
        return 0;
    return err_set(err, ERR_NOT_FOUND, "there is no data in %s; is --data right?", c->data);
}

/* The site that is named, or the only one. */
static int choose_site(struct cli *c, const struct row *row, struct err *err)
{
    const char *named = cli_option(c, "--site");
    bool several = c->cfg->sites_n > 1;
    int rc;

    if (row->run == cli_config)
        return 0;
    if (several && is_there(c->data, "archive.sqlite"))
        return err_set(err, ERR_EXISTS,
                       "--data %s: it holds the data of a site that was alone; stop the server, and move all that is in it to %s/sites/NAME, "
                       "by the name of that site",
                       c->data, c->data);
    if (several && !named && !row->needs_site)
        return 0;
    if (several && !named)
        return err_set(err, ERR_INVALID, "%s: the configuration has %zu sites; say which by --site NAME (%s, …)", row->name, c->cfg->sites_n,
                       c->cfg->sites[0].id);
    rc = config_take_site(c->cfg, str_of(named ? named : c->cfg->sites[0].id), err);
    if (rc < 0)
        return rc;
    if (several)
        c->site = c->cfg->sites[0].id;
    log_set_site(c->site);
    if (c->cfg->sites[0].redis[0])
        c->redis = c->cfg->sites[0].redis;
    go_to_folder(c, c->cfg->sites[0].id);
    return 0;
}

static int configure(struct cli *c, const struct row *row, struct err *err)
{
    const char *data = cli_option(c, "--data"), *file = cli_option(c, "--config"), *env = getenv("FIRSTLINE_DATA");
    int rc = 0;

    snprintf(c->data, sizeof c->data, "%s", data ? data : env && env[0] ? env : "firstline-data");
    c->given_n = strlen(c->data);
    c->redis = cli_option(c, "--redis");
    c->cfg = config_create();
    if (c->given_n > DATA_BYTES)
        rc = err_set(err, ERR_INVALID, "--data: a path of more than %d bytes; name a shorter one", DATA_BYTES);
    if (rc == 0 && file)
        rc = config_read_file(c->cfg, file, err);
    for (unsigned i = 0; rc == 0 && i < c->options_n; i++)
        if (strcmp(c->option[i].name, "--set") == 0)
            rc = config_set(c->cfg, c->option[i].value, err);
    if (rc == 0)
        rc = config_check(c->cfg, NULL, err);
    if (rc == 0)
        rc = choose_site(c, row, err);
    if (rc == 0)
        log_set_level((enum log_level)c->cfg->server.log_level);
    return rc;
}

static int run_kb(struct cli *c)
{
    /* its own words and options, in the order given */
    char *argv[CLI_WORDS_MAX + 2 * CLI_VALUES_MAX + 1];
    struct cli_kb_env env = {.data_dir = cli_has(c, "--data") ? c->data : NULL, .kb_dir = cli_option(c, "--kb"), .out = stdout, .err = stderr};
    int n = 0;

    if (!env.kb_dir && c->cfg->kb.dir[0])
        env.kb_dir = c->cfg->kb.dir;
    for (unsigned i = 0; i < c->words_n; i++)
        argv[n++] = (char *)(uintptr_t)c->word[i];
    for (unsigned i = 0; i < c->options_n; i++)
        if (strcmp(c->option[i].name, "--accepts") == 0 || strcmp(c->option[i].name, "--cap-ms") == 0) {
            argv[n++] = (char *)(uintptr_t)c->option[i].name;
            argv[n++] = (char *)(uintptr_t)c->option[i].value;
        } else if (strcmp(c->option[i].name, "--times") == 0) {
            argv[n++] = (char *)(uintptr_t)c->option[i].name;
        }
    argv[n] = NULL;
    return cli_kb(n, argv, &env);
}

int cli_check_site(const struct cli *c, struct err *err)
{
    const char *site = c->cfg->sites[0].id;
    char path[600], owner[128];
    struct err ignored = {0};

    cli_archive_path(c, path, sizeof path);
    if (archive_read_site(path, owner, sizeof owner, &ignored) < 0 || strcmp(owner, site) == 0)
        return 0; /* one that can't be read is for those to say who need it */
    return err_set(err, ERR_CONFLICT, "archive %s: it belongs to site %s, and this was to be about site %s; name the server's configuration by --config", path,
                   owner, site);
}

int cli_live_open(const struct cli *c, struct cli_live *out, struct err *err)
{
    int rc = cli_check_site(c, err);

    out->started = false;
    out->link = NULL;
    out->url[0] = 0;
    if (rc == 0 && !c->redis)
        rc = c->may_make_data ? cli_make_data(c, err) : check_data(c, err);
    if (rc == 0 && !c->redis)
        rc = minder_sync_begin(c->data, c->cfg, out->url, &out->started, err);
    if (rc == 0)
        rc = link_sync_open(c->cfg, c->redis ? c->redis : out->url, c->cfg->sites[0].id, &out->link, err);
    if (rc < 0 && out->started)
        minder_sync_end(c->data, true, NULL);
    return rc;
}

int cli_live_close(const struct cli *c, struct cli_live *l, struct err *err)
{
    link_sync_close(l->link);
    l->link = NULL;
    return c->redis ? 0 : minder_sync_end(c->data, l->started, err);
}

/* These answer on their sockets: who closed their standard output has heard `ready`. */
static bool is_server(const struct row *row)
{
    return row->run == cli_serve || row->run == cli_demo;
}

int cli_main(int argc, char **argv)
{
    struct cli c = {.argv = argv};
    struct err err = {0};
    const struct row *row = NULL;
    int rc;

    if (argc < 2) {
        usage(stderr);
        return 2;
    }
    if (strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "help") == 0) {
        usage(stdout);
        return 0;
    }
    if (strcmp(argv[1], "--version") == 0) {
        puts("firstline " FIRSTLINE_VERSION);
        return 0;
    }
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        if (strcmp(argv[1], rows[i].name) == 0)
            row = &rows[i];
    if (!row) {
        fprintf(stderr, "firstline: %s: no such subcommand; firstline --help lists them\n", argv[1]);
        return 2;
    }
    if (parse(&c, argc - 2, argv + 2) < 0)
        return 2;
    if (cli_has(&c, "--help")) {
        fputs(row->help, stdout);
        return 0;
    }
    if (!takes_options(&c, row))
        return 2;
    protocol_start();
    if (crypto_start(&err) < 0 || configure(&c, row, &err) < 0) {
        config_destroy(c.cfg);
        return cli_fail(&err);
    }
    rc = row->run(&c);
    config_destroy(c.cfg);
    if (rc == 0 && !is_server(row) && (fflush(stdout) != 0 || ferror(stdout))) {
        err_set(&err, ERR_IO, "standard output could not be written: %s", strerror(errno));
        rc = cli_fail(&err);
    }
    return rc;
}

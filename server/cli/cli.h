/*
 * cli: the command line: one row a subcommand; options that all take (--data, --redis, --config, --set).
 *
 * Errors  one sentence on standard error; exit 0, 1 (failed), 2 (usage).   Source  PROTOCOL "Command line".
 */
#ifndef CLI_H
#define CLI_H

#include "base/base_buf.h"
#include "base/base_crypto.h"
#include "base/base_err.h"

struct config;
struct people_rep;

#define CLI_WORDS_MAX  32
#define CLI_VALUES_MAX 64

/* What was said: words in order, options with their values. */
struct cli {
    const char *word[CLI_WORDS_MAX]; /* positional words behind the subcommand */
    unsigned words_n;
    struct {
        const char *name, *value;    /* "--role", "rep"; value NULL for flags */
    } option[CLI_VALUES_MAX];
    unsigned options_n;
    char data[512];
    size_t given_n;                  /* of data: as it was given; behind it the folder of one of several sites */
    bool may_make_data;              /* the command begins a data directory where there is none */
    const char *redis;               /* NULL: the data directory's own */
    const char *site;                /* which of several; NULL: there is one alone, or it is for all */
    char *const *argv;               /* as the program was called */
    struct config *cfg;
};

/* The last value of an option, or NULL. */
const char *cli_option(const struct cli *c, const char *name);
bool cli_has(const struct cli *c, const char *name);

/* Runs the program; returns its exit code. */
int cli_main(int argc, char **argv);

/* Subcommands; each returns the exit code. */
int cli_serve(struct cli *c);
int cli_demo(struct cli *c);
int cli_user(struct cli *c);
int cli_token(struct cli *c);
int cli_archive(struct cli *c);
int cli_config(struct cli *c);
int cli_epoch(struct cli *c);
int cli_backup(struct cli *c);
int cli_restore(struct cli *c);

/* Prints the sentence and returns 1. */
int cli_fail(const struct err *err);

struct link_sync;
/* The live data for this command: a running server's Redis, or one started for it. Caller: cli_live_close(). ERR_NOT_FOUND: there is none. */
struct cli_live {
    struct link_sync *link;
    char url[256]; /* of the data directory's own; "" where --redis names another */
    bool started;
};
int cli_live_open(const struct cli *c, struct cli_live *out, struct err *err);
/* ERR_CONFLICT: the archive on this machine is another site's, as where --config was left out. cli_live_open() asks this first. */
int cli_check_site(const struct cli *c, struct err *err);
int cli_live_close(const struct cli *c, struct cli_live *l, struct err *err);
/* Makes the data directory, and in it the site's own; what lies above must be there. */
int cli_make_data(const struct cli *c, struct err *err);
/* Opens it, calls fn, closes it; says what failed. Returns the exit code. */
int cli_live_run(struct cli *c, int (*fn)(struct cli *c, struct cli_live *l, struct err *err));

/* Where the site's archive is on this machine. */
void cli_archive_path(const struct cli *c, char *out, size_t size);

/* Makes an account; what the command `user add` and the demo do. ERR_EXISTS: the login is taken. */
struct cli_account {
    const char *login, *name, *password;
    const char *roles[8], *departments[16], *skills[16], *languages[16]; /* NULL ends */
};
int cli_account_add(struct cli_live *l, const struct cli_account *a, struct err *err);

/*
 * The same for one that the live data has lost: as it was, under its own id. ERR_EXISTS: the login is taken;
 * ERR_CONFLICT: its log was written to meanwhile.
 */
struct cli_account_was {
    const char *id, *hash; /* the password's, "" none */
    bool disabled;
    bool has_login;         /* the live data still has the login, as this account's */
    int64_t archived, live; /* where its log stands in the archive, and in the live data */
};
int cli_account_put_back(struct cli_live *l, const struct cli_account *a, const struct cli_account_was *was,
                         struct err *err);
/* What the live data has of a person's account: *out without a login if there is none. */
int cli_account_read(struct cli_live *l, struct people_rep *out, struct err *err);
/* The account of a login: id and fold. ERR_NOT_FOUND: nobody has it. */
int cli_account_get(struct cli_live *l, const char *login, struct people_rep *out, struct err *err);
/* Whose login it is: "" nobody's. */
int cli_account_find(struct cli_live *l, const char *login, char out[ID_SIZE], struct err *err);

/* `user restore`. Returns the exit code. */
int cli_user_restore(struct cli *c);

#endif

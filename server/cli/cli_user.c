#include "auth/auth.h"
#include "base/base_json.h"
#include "cli/cli.h"
#include "config/config.h"
#include "link/link_sync.h"
#include "people/people.h"
#include "protocol/protocol.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

/* ---- accounts */

static struct val list_of(struct buf *b, const char *const *items, unsigned max)
{
    size_t at = b->n;

    buf_add_c(b, '[');
    for (unsigned i = 0; i < max && items[i]; i++)
        json_text(b, str_of(items[i]));
    buf_add_c(b, ']');
    return val_json((struct str){b->p + at, b->n - at});
}

/* Commits these entries, at most two, as *c says. */
static int commit_entries(struct cli_live *l, struct link_commit *c, const struct entry *e, unsigned n,
                          struct err *err)
{
    struct link_entry le[2] = {{0}};
    struct link_result r;
    struct buf tail[2];
    int rc;

    for (unsigned i = 0; i < n; i++) {
        buf_init(&tail[i], 1 << 16);
        entry_write_tail(&tail[i], &e[i]);
        le[i].tail = buf_str(&tail[i]);
    }
    c->entries = le;
    c->entries_n = n;
    rc = link_sync_commit(l->link, c, &r, err);
    for (unsigned i = 0; i < n; i++)
        buf_fini(&tail[i]);
    if (rc == 0 && r.status == LINK_GUARDED)
        rc = err_set(err, ERR_EXISTS, "the login is taken");
    else if (rc == 0 && r.status == LINK_MOVED)
        rc = err_set(err, ERR_CONFLICT, "something else wrote to the account just now: say it again");
    else if (rc == 0 && r.status != LINK_DONE)
        rc = err_set(err, ERR_IO, "the account could not be written: %.*s", (int)r.why.n, r.why.n ? r.why.s : "");
    return rc;
}

static int check_roles(const char *const *roles, struct err *err)
{
    if (!roles[0])
        return err_set(err, ERR_INVALID, "--role: one is needed (rep lead qa editor director admin)");
    for (unsigned i = 0; i < 8 && roles[i]; i++)
        if (!(role_from_name(str_of(roles[i])) & ROLE_STAFF))
            return err_set(err, ERR_INVALID, "--role %s: there is none of that name (rep lead qa editor director admin)", roles[i]);
    return 0;
}

/* Writes the account with its login and its place among the people; archived 0: it is new. */
static int write_account(struct cli_live *l, const struct cli_account *a, const struct cli_account_was *was,
                         struct err *err)
{
    struct link_guard login = {LINK_GUARD_EQ, LINK_LOGINS, STR(""), str_of(a->login),
                               was->has_login ? str_of(was->id) : STR("")};
    struct link_write w[] = {{LINK_HSET, LINK_LOGINS, STR(""), str_of(a->login), str_of(was->id)},
                             {LINK_SADD, LINK_PEOPLE, STR(""), str_of(was->id), STR_NONE}};
    struct link_commit c = {.log = str_of(was->id),
                            .mode = was->archived ? LINK_PUT_BACK : LINK_NEW,
                            .fence = was->live,
                            .head = was->archived,
                            .guards = &login,
                            .guards_n = 1,
                            .writes = w,
                            .writes_n = 2};
    struct entry e[2];
    struct buf b;
    int rc;

    buf_init(&b, 1 << 16);
    buf_reserve(&b, 1 << 15);
    entry_init(&e[0], KIND_ACCOUNT_CREATED);
    e[0].from_role = ROLE_SYSTEM;
    e[0].f[FIELD_LOGIN] = val_s(a->login);
    e[0].f[FIELD_NAME] = val_s(a->name ? a->name : a->login);
    e[0].f[FIELD_ROLES] = list_of(&b, a->roles, 8);
    e[0].f[FIELD_DEPARTMENTS] = list_of(&b, a->departments, PEOPLE_LIST_MAX);
    e[0].f[FIELD_SKILLS] = list_of(&b, a->skills, PEOPLE_LIST_MAX);
    e[0].f[FIELD_LANGUAGES] = list_of(&b, a->languages, PEOPLE_LIST_MAX);
    if (was->hash[0])
        e[0].f[FIELD_PASSWORD] = val_s(was->hash);
    entry_init(&e[1], KIND_ACCOUNT_CHANGED);
    e[1].from_role = ROLE_SYSTEM;
    e[1].f[FIELD_DISABLED] = val_bool(true);
    rc = commit_entries(l, &c, e, was->disabled ? 2 : 1, err);
    buf_fini(&b);
    return rc < 0 ? err_wrap(err, rc, "login %s", a->login) : 0;
}

static int check_account(const struct cli_account *a, struct err *err)
{
    int rc = check_roles(a->roles, err);

    if (rc == 0 && !id_is_valid(str_of(a->login)))
        rc = err_set(err, ERR_INVALID, "the login: 1 to 64 letters, digits, - and _");
    return rc;
}

int cli_account_add(struct cli_live *l, const struct cli_account *a, struct err *err)
{
    char id[ID_SIZE], hash[AUTH_HASH_SIZE] = "";
    int rc = check_account(a, err);

    if (rc == 0 && a->password)
        rc = auth_password_check(str_of(a->password), str_of(a->login), err);
    if (rc == 0 && a->password)
        rc = auth_password_hash(str_of(a->password), hash, err);
    if (rc < 0)
        return rc;
    id_make(id, 'r');
    return write_account(l, a, &(struct cli_account_was){.id = id, .hash = hash}, err);
}

int cli_account_put_back(struct cli_live *l, const struct cli_account *a, const struct cli_account_was *was,
                         struct err *err)
{
    return write_account(l, a, was, err);
}

int cli_account_find(struct cli_live *l, const char *login, char out[ID_SIZE], struct err *err)
{
    const char *get[] = {"HGET", login};
    const struct redis_reply *r = link_sync_call(l->link, "logins", 2, get, err);

    if (!r)
        return err->code;
    memset(out, 0, ID_SIZE);
    if (redis_reply_type(r) == REDIS_STR && redis_reply_str(r).n < ID_SIZE)
        memcpy(out, redis_reply_str(r).s, redis_reply_str(r).n);
    redis_sync_free(r);
    return 0;
}

int cli_account_read(struct cli_live *l, struct people_rep *out, struct err *err)
{
    const struct redis_reply *log = link_sync_read(l->link, str_of(out->id), err);

    if (!log)
        return err->code;
    for (size_t i = 0; i < redis_reply_n(log); i++) {
        struct link_stored st;
        struct entry e;

        if (link_stored_read(redis_reply_str(redis_reply_at(log, i)), &st)) {
            if (entry_read(st.frame, &e, NULL) == 0)
                people_apply(out, &e);
            entry_fini(&e);
        }
    }
    redis_sync_free(log);
    return 0;
}

int cli_account_get(struct cli_live *l, const char *login, struct people_rep *out, struct err *err)
{
    int rc;

    memset(out, 0, sizeof *out);
    rc = cli_account_find(l, login, out->id, err);
    if (rc < 0)
        return rc;
    if (!out->id[0])
        return err_set(err, ERR_NOT_FOUND,
                       "login %s: there is none of that name; `firstline user list` shows all", login);
    return cli_account_read(l, out, err);
}

/* ---- passwords from people */

#define PASSWORD_BYTES 1024 /* of a line: more than the longest that is taken, in any script */

static int read_line(FILE *f, char *out, size_t size)
{
    size_t n;

    if (!fgets(out, (int)size, f))
        return -1;
    n = strlen(out);
    while (n && (out[n - 1] == '\n' || out[n - 1] == '\r'))
        out[--n] = 0;
    return 0;
}

static volatile sig_atomic_t interrupted;

static void on_signal(int signal)
{
    interrupted = signal;
}

struct signals {
    struct sigaction was[3];
    sigset_t mask; /* before */
};

/* While a password is read: who ends it has the terminal back as it was, and a redis-server that was started ends, too.
 * They come in while a line is awaited, and at no other time. */
static void catch_signals(struct signals *s, bool begin)
{
    static const int signals[3] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction now = {.sa_handler = on_signal};
    sigset_t held;

    sigemptyset(&held);
    for (unsigned i = 0; i < 3; i++) {
        sigaddset(&held, signals[i]);
        sigaction(signals[i], begin ? &now : &s->was[i], begin ? &s->was[i] : NULL);
    }
    if (begin)
        sigprocmask(SIG_BLOCK, &held, &s->mask);
    else
        sigprocmask(SIG_SETMASK, &s->mask, NULL);
}

static int ask_line(const struct signals *s, char *out, size_t size)
{
    struct pollfd in = {.fd = STDIN_FILENO, .events = POLLIN};

    while (!interrupted && ppoll(&in, 1, NULL, &s->mask) < 0 && errno == EINTR)
        ;
    return interrupted ? -1 : read_line(stdin, out, size);
}

static int ask_twice(char *out, size_t size, struct err *err)
{
    struct signals signals;
    struct termios was, now;
    char again[PASSWORD_BYTES] = "";
    int rc;

    if (!isatty(STDIN_FILENO))
        return err_set(err, ERR_USAGE, "no terminal to ask for the password; use --password-stdin");
    catch_signals(&signals, true);
    tcgetattr(STDIN_FILENO, &was);
    now = was;
    now.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &now);
    fputs("Password: ", stderr);
    rc = ask_line(&signals, out, size);
    if (rc == 0) {
        fputs("\nAgain: ", stderr);
        rc = ask_line(&signals, again, sizeof again);
    }
    fputs("\n", stderr);
    tcsetattr(STDIN_FILENO, TCSAFLUSH, &was);
    catch_signals(&signals, false);
    if (interrupted)
        return err_set(err, ERR_INVALID, "interrupted; nothing was changed");
    if (rc < 0 || strcmp(out, again) != 0)
        return err_set(err, ERR_INVALID, "the two passwords differ");
    return 0;
}

static int get_password(const struct cli *c, char *out, size_t size, struct err *err)
{
    if (!cli_has(c, "--password-stdin"))
        return ask_twice(out, size, err);
    return read_line(stdin, out, size) < 0 ? err_set(err, ERR_INVALID, "no password on standard input") : 0;
}

/* ---- subcommands */

/* Memory for the values of an option: so many words of a person's, each with its NUL. */
struct words {
    char text[PEOPLE_LIST_MAX][PEOPLE_ITEM_BYTES];
};

/* UTF-8 without control characters, U+0080 to U+009F among them. */
static bool is_text(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.s[i];

        if (c < 0x20 || c == 0x7f || (c == 0xc2 && i + 1 < s.n && (unsigned char)s.s[i + 1] < 0xa0))
            return false;
    }
    return utf8_is_valid(s);
}

/* All values of an option, split at commas; NULL ends. */
static int values(const struct cli *c, const char *name, const char **out, unsigned max, struct words *keep, struct err *err)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->options_n; i++) {
        struct str rest = STR(""), item;

        if (strcmp(c->option[i].name, name) == 0)
            rest = str_of(c->option[i].value);
        while (config_list_next(&rest, &item)) {
            if (!is_text(item))
                return err_set(err, ERR_INVALID, "%s: a value isn't UTF-8, or has a control character in it", name);
            if (item.n >= PEOPLE_ITEM_BYTES)
                return err_set(err, ERR_INVALID, "%s: a value has %zu bytes; at most %d", name, item.n, PEOPLE_ITEM_BYTES - 1);
            if (n == max)
                return err_set(err, ERR_INVALID, "%s: at most %u", name, max);
            snprintf(keep->text[n], sizeof keep->text[n], "%.*s", STR_FMT(item));
            out[n] = keep->text[n];
            n++;
        }
    }
    if (n < max)
        out[n] = NULL;
    return 0;
}

/* What `user add` was told of a person. */
struct told {
    struct cli_account a;
    struct words departments, skills, languages, roles;
};

static int check_name(const char *name, struct err *err)
{
    struct str s = str_of(name ? name : "");

    if (!name)
        return 0;
    if (!s.n || !is_text(s))
        return err_set(err, ERR_INVALID, "--name: it is %s", s.n ? "not UTF-8, or has a control character in it" : "empty");
    if (s.n >= PEOPLE_NAME_BYTES)
        return err_set(err, ERR_INVALID, "--name: it has %zu bytes; at most %d", s.n, PEOPLE_NAME_BYTES - 1);
    return 0;
}

static int read_told(const struct cli *c, struct told *t, struct err *err)
{
    struct cli_account *a = &t->a;
    int rc;

    *a = (struct cli_account){.login = c->word[1], .name = cli_option(c, "--name")};
    rc = check_name(a->name, err);
    if (rc == 0)
        rc = values(c, "--role", a->roles, 8, &t->roles, err);
    if (rc == 0)
        rc = values(c, "--department", a->departments, PEOPLE_LIST_MAX, &t->departments, err);
    if (rc == 0)
        rc = values(c, "--skill", a->skills, PEOPLE_LIST_MAX, &t->skills, err);
    if (rc == 0)
        rc = values(c, "--language", a->languages, PEOPLE_LIST_MAX, &t->languages, err);
    if (rc == 0)
        rc = check_account(a, err);
    if (rc == 0 && !a->departments[0])
        rc = err_set(err, ERR_INVALID, "--department: one is needed");
    return rc;
}

static int add(struct cli *c, struct cli_live *l, struct err *err)
{
    struct told t;
    char password[PASSWORD_BYTES] = "";
    bool without = cli_has(c, "--no-password");
    int rc = read_told(c, &t, err);

    if (rc == 0 && !without)
        rc = get_password(c, password, sizeof password, err);
    t.a.password = without ? NULL : password;
    /* Told, not refused: the command may have been given another configuration than the server. */
    for (unsigned i = 0; rc == 0 && i < PEOPLE_LIST_MAX && t.a.departments[i]; i++)
        if (!config_department_find(c->cfg, str_of(c->cfg->sites[0].id), str_of(t.a.departments[i])))
            fprintf(stderr, "firstline: note: --department %s: this configuration has none of that name\n", t.a.departments[i]);
    return rc == 0 ? cli_account_add(l, &t.a, err) : rc;
}

/* What is wrong with it is said before there is a data directory for it. */
static int begin_add(struct cli *c)
{
    struct told t;
    struct err err = {0};

    if (read_told(c, &t, &err) < 0)
        return cli_fail(&err);
    c->may_make_data = true;
    return cli_live_run(c, add);
}

static int list(struct cli *c, struct cli_live *l, struct err *err)
{
    const char *keys[] = {"HKEYS"};
    const struct redis_reply *r = link_sync_call(l->link, "logins", 1, keys, err);
    int rc = 0;

    (void)c;
    if (!r)
        return err->code;
    for (size_t i = 0; rc == 0 && i < redis_reply_n(r); i++) {
        struct people_rep p;
        char login[128];

        snprintf(login, sizeof login, "%.*s", STR_FMT(redis_reply_str(redis_reply_at(r, i))));
        rc = cli_account_get(l, login, &p, err);
        if (rc < 0)
            break;
        printf("%-20s %s  %s%s ", login, p.id, p.name, p.disabled ? "  (disabled)" : "");
        for (unsigned role = ROLE_REP; role <= ROLE_ADMIN; role <<= 1)
            if (p.roles & role)
                printf(" %s", role_name(role));
        for (unsigned k = 0; k < p.departments.n; k++)
            printf("%s%s", k ? "," : "  in ", p.departments.item[k]);
        putchar('\n');
    }
    redis_sync_free(r);
    return rc;
}

static int change(struct cli *c, struct cli_live *l, struct err *err)
{
    struct people_rep p;
    struct entry e;
    struct buf b;
    char password[PASSWORD_BYTES] = "", hash[AUTH_HASH_SIZE];
    struct words keep;
    const char *roles[8];
    int rc = cli_account_get(l, c->word[1], &p, err);

    buf_init(&b, 1 << 14);
    buf_reserve(&b, 1 << 13);
    entry_init(&e, KIND_ACCOUNT_CHANGED);
    e.from_role = ROLE_SYSTEM;
    if (rc == 0 && strcmp(c->word[0], "passwd") == 0) {
        rc = get_password(c, password, sizeof password, err);
        if (rc == 0)
            rc = auth_password_check(str_of(password), str_of(c->word[1]), err);
        if (rc == 0)
            rc = auth_password_hash(str_of(password), hash, err);
        e.f[FIELD_PASSWORD] = val_s(hash);
    } else if (rc == 0 && strcmp(c->word[0], "roles") == 0) {
        rc = values(c, "--role", roles, 8, &keep, err);
        if (rc == 0)
            rc = check_roles(roles, err);
        if (rc == 0)
            e.f[FIELD_ROLES] = list_of(&b, roles, 8);
    } else if (rc == 0) {
        e.f[FIELD_DISABLED] = val_bool(true);
    }
    if (rc == 0)
        rc = commit_entries(l, &(struct link_commit){.log = str_of(p.id), .mode = LINK_ANY}, &e, 1, err);
    buf_fini(&b);
    return rc;
}

int cli_live_run(struct cli *c, int (*fn)(struct cli *c, struct cli_live *l, struct err *err))
{
    struct cli_live live;
    struct err err = {0}, closing = {0};
    int rc = cli_live_open(c, &live, &err);

    if (rc < 0)
        return cli_fail(&err);
    rc = fn(c, &live, &err);
    if (cli_live_close(c, &live, &closing) < 0 && rc == 0) {
        rc = closing.code;
        err = closing;
    }
    return rc < 0 ? cli_fail(&err) : 0;
}

int cli_user(struct cli *c)
{
    const char *verb = c->words_n ? c->word[0] : "";

    if (strcmp(verb, "list") == 0 && c->words_n == 1)
        return cli_live_run(c, list);
    if (strcmp(verb, "restore") == 0 && c->words_n == 1)
        return cli_user_restore(c);
    if (c->words_n == 2 && strcmp(verb, "add") == 0)
        return begin_add(c);
    if (c->words_n == 2 && (strcmp(verb, "passwd") == 0 || strcmp(verb, "disable") == 0 || strcmp(verb, "roles") == 0))
        return cli_live_run(c, change);
    fputs("firstline: user: add LOGIN, list, passwd LOGIN, disable LOGIN, roles LOGIN or restore; firstline "
          "user --help\n",
          stderr);
    return 2;
}

/*
 * `user restore`: the accounts that the live data has lost, from the archive.
 *
 * An account is written as `user add` writes it, with what its whole log in the archive comes to: one entry,
 * and a second one if it is closed. The old entries are not repeated: a shift that was on would be on again
 * with nobody there and without its place in the index, and passwords that were changed would be written once
 * more. Its id is the old one, for the archive's chats name their people by it; its log goes on behind what
 * the archive has of it, as any log does in another life of the live data (PROMISES 2.9), so the archive
 * takes it for what it is: no entry under a seq that is taken, and the next loss finds a state that is whole.
 *
 * What the live data has is left as it stands, so running it again, or beside another one, changes nothing.
 */
#include "archive/archive.h"
#include "cli/cli.h"
#include "config/config.h"
#include "link/link_sync.h"
#include "people/people.h"

#include <stdio.h>

struct restore {
    struct cli_live *live;
    unsigned restored, left, taken;
};

static void say(const char *what, const struct people_rep *p)
{
    printf("%-12s  %-20s %s  %s%s\n", what, p->login, p->id, p->name, p->disabled ? "  (disabled)" : "");
}

static void say_taken(struct restore *r, const struct people_rep *p, const char *by)
{
    r->taken++;
    printf("%-12s  %-20s %s  %s: the login is another account's now, %s\n", "left out", p->login, p->id,
           p->name, by);
}

static void items_of(const struct people_list *l, const char **out)
{
    for (unsigned i = 0; i < l->n; i++)
        out[i] = l->item[i];
}

static void account_of(const struct people_rep *p, struct cli_account *a)
{
    unsigned n = 0;

    *a = (struct cli_account){.login = p->login, .name = p->name};
    for (unsigned role = ROLE_REP; role <= ROLE_ADMIN; role <<= 1)
        if (p->roles & role)
            a->roles[n++] = role_name(role);
    items_of(&p->departments, a->departments);
    items_of(&p->skills, a->skills);
    items_of(&p->languages, a->languages);
}

static int restore_one(void *ctx, const struct people_rep *p, int64_t head, struct err *err)
{
    struct restore *r = ctx;
    struct people_rep live = {.version = 0};
    struct cli_account_was was = {
        .id = p->id, .hash = p->password, .disabled = p->disabled, .archived = head};
    struct cli_account a;
    char by[ID_SIZE];
    int rc;

    memcpy(live.id, p->id, sizeof live.id);
    rc = cli_account_read(r->live, &live, err);
    if (rc == 0)
        rc = cli_account_find(r->live, p->login, by, err);
    if (rc < 0)
        return rc;
    if (live.login[0]) {
        r->left++;
        say("as it stands", &live);
        return 0;
    }
    if (by[0] && strcmp(by, p->id) != 0) {
        say_taken(r, p, by);
        return 0;
    }
    was.has_login = by[0];
    was.live = live.version;
    account_of(p, &a);
    rc = cli_account_put_back(r->live, &a, &was, err);
    if (rc < 0)
        return rc;
    r->restored++;
    say("restored", p);
    return 0;
}

/* What another file says of a log's end is nothing to the site's archive. */
static int check_is_the_sites(struct cli_live *l, const char *path, struct err *err)
{
    char id[64];
    const char *get[] = {"GET"};
    const struct redis_reply *r;
    struct str pin;
    int rc = archive_read_id(path, id, sizeof id, err);

    if (rc < 0)
        return rc;
    r = link_sync_call(l->link, "archive", 1, get,
                       err); /* "id node"; not there until a node is, after a loss */
    if (!r)
        return err->code;
    pin = redis_reply_type(r) == REDIS_STR ? redis_reply_str(r) : STR_NONE;
    if (pin.n && (pin.n < strlen(id) || memcmp(pin.s, id, strlen(id)) != 0))
        rc = err_set(err, ERR_CONFLICT,
                     "archive %s: the site's archive is another file (%.*s): run this where that is, or "
                     "`firstline archive adopt` first",
                     path, STR_FMT(pin));
    redis_sync_free(r);
    return rc;
}

static int restore_all(struct cli *c, struct cli_live *l, struct err *err)
{
    struct restore r = {.live = l};
    char path[600];
    int rc;

    cli_archive_path(c, path, sizeof path);
    rc = check_is_the_sites(l, path, err);
    if (rc == 0)
        rc = archive_accounts(path, c->cfg->sites[0].id, restore_one, &r, err);
    if (rc < 0)
        return rc;
    printf("%u restored, %u left as %s", r.restored, r.left, r.left == 1 ? "it stands" : "they stand");
    if (r.taken)
        printf(", %u left out: the login is taken", r.taken);
    putchar('\n');
    return 0;
}

int cli_user_restore(struct cli *c)
{
    struct err err = {0};
    char path[600], id[64];
    int rc;

    /* Before a redis-server is started for it. */
    cli_archive_path(c, path, sizeof path);
    rc = archive_read_id(path, id, sizeof id, &err);
    if (rc == ERR_NOT_FOUND)
        err_set(
            &err, rc,
            "archive %s: there is none; run this on the node that has the site's archive, with its --data",
            path);
    return rc < 0 ? cli_fail(&err) : cli_live_run(c, restore_all);
}

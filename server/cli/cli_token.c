/* `token`: API tokens. */
#include "auth/auth.h"
#include "cli/cli.h"
#include "link/link_sync.h"
#include "people/people.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static int make_token(struct cli *c, struct cli_live *l, struct err *err)
{
    struct people_rep p;
    char secret[AUTH_SECRET_SIZE], digest[AUTH_DIGEST_SIZE], key[AUTH_DIGEST_SIZE + 8], seconds[24], note[256];
    const char *days = cli_option(c, "--expires");
    const char *set[] = {"SET", p.id, "EX", seconds}, *keep[] = {"HSET", digest, note};
    const struct redis_reply *r;
    char *end = NULL;
    long n = days ? strtol(days, &end, 10) : 0;
    int rc = cli_account_get(l, c->word[0], &p, err);

    if (rc == 0 && p.disabled)
        rc = err_set(err, ERR_DENIED, "login %s is disabled", c->word[0]);
    if (rc == 0 && days && (*end || n < 1 || n > 3650))
        rc = err_set(err, ERR_INVALID, "--expires %s: a whole number of days, 1 to 3650", days);
    if (rc < 0)
        return rc;
    auth_secret_make('a', secret, digest);
    snprintf(key, sizeof key, "tok:%s", digest);
    snprintf(seconds, sizeof seconds, "%ld", n * 86400);
    snprintf(note, sizeof note, "%s %lld %ld", c->word[0], (long long)time(NULL), n);
    r = link_sync_call(l->link, key, days ? 4 : 2, set, err);
    if (!r)
        return err->code;
    redis_sync_free(r);
    r = link_sync_call(l->link, "tokens", 3, keep, err);
    if (!r)
        return err->code;
    redis_sync_free(r);
    puts(secret);
    return 0;
}

static const char *minute_of(long long at_s, char out[24])
{
    time_t t = (time_t)at_s;
    struct tm tm;

    strftime(out, 24, "%Y-%m-%dT%H:%MZ", gmtime_r(&t, &tm));
    return out;
}

/* note: as make_token() wrote it, "LOGIN MADE_S DAYS". */
static void print_token(struct str digest, struct str note)
{
    char text[256], login[128] = "", minute[24];
    long long made_s = 0, end_s;
    long days = 0;

    snprintf(text, sizeof text, "%.*s", STR_FMT(note));
    sscanf(text, "%127s %lld %ld", login, &made_s, &days);
    printf("%.12s  %-20s made %s", digest.s, login, minute_of(made_s, minute));
    end_s = made_s + days * 86400LL;
    if (days)
        printf("  %s %s", end_s <= (long long)time(NULL) ? "expired" : "expires", minute_of(end_s, minute));
    putchar('\n');
}

static int list_tokens(struct cli *c, struct cli_live *l, struct err *err)
{
    const char *all[] = {"HGETALL"};
    const struct redis_reply *r = link_sync_call(l->link, "tokens", 1, all, err);

    (void)c;
    if (!r)
        return err->code;
    for (size_t i = 0; i + 1 < redis_reply_n(r); i += 2)
        print_token(redis_reply_str(redis_reply_at(r, i)), redis_reply_str(redis_reply_at(r, i + 1)));
    redis_sync_free(r);
    return 0;
}

static int revoke_token(struct cli *c, struct cli_live *l, struct err *err)
{
    const char *all[] = {"HKEYS"}, *del[] = {"DEL"};
    const struct redis_reply *r = link_sync_call(l->link, "tokens", 1, all, err), *done;
    char digest[AUTH_DIGEST_SIZE] = "", key[AUTH_DIGEST_SIZE + 8], text[AUTH_DIGEST_SIZE + 8];
    const char *hdel[] = {"HDEL", digest};

    if (!r)
        return err->code;
    for (size_t i = 0; i < redis_reply_n(r); i++) {
        struct str d = redis_reply_str(redis_reply_at(r, i));

        if (strlen(c->word[1]) >= 8 && d.n == AUTH_DIGEST_SIZE - 1 && strncmp(d.s, c->word[1], strlen(c->word[1])) == 0)
            memcpy(digest, d.s, d.n);
    }
    redis_sync_free(r);
    if (!digest[0])
        return err_set(err, ERR_NOT_FOUND, "token %s: there is none; `firstline token list` shows their ids", c->word[1]);
    snprintf(key, sizeof key, "tok:%s", digest);
    done = link_sync_call(l->link, key, 1, del, err);
    if (!done)
        return err->code;
    redis_sync_free(done);
    done = link_sync_call(l->link, "tokens", 2, hdel, err);
    if (!done)
        return err->code;
    redis_sync_free(done);
    snprintf(text, sizeof text, "X %s", digest);
    link_sync_signal(l->link, text);
    return 0;
}

int cli_token(struct cli *c)
{
    if (c->words_n == 1 && strcmp(c->word[0], "list") == 0)
        return cli_live_run(c, list_tokens);
    if (c->words_n == 2 && strcmp(c->word[0], "revoke") == 0)
        return cli_live_run(c, revoke_token);
    if (c->words_n == 1 && strcmp(c->word[0], "revoke") != 0)
        return cli_live_run(c, make_token);
    fputs("firstline: token: LOGIN, list or revoke ID; firstline token --help\n", stderr);
    return 2;
}

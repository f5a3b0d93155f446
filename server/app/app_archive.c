/*
 * Which node archives (PROMISES 2.7): the file whose random id is pinned in Redis; the feed runs where that
 * file is. Looked at when Redis comes up and on a slow beat, so that `archive adopt` is seen without a
 * restart.
 *
 * Redis also keeps how far the pinned file had come (rows and chain head): an older copy put in its place is
 * refused.
 */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

static void on_closed(void *ctx)
{
    (void)ctx;
}

static void on_ignored(void *ctx, const struct redis_reply *r)
{
    (void)ctx, (void)r;
}

/* Another file is the archive: this one is let go of. */
static void leave(struct app *a, const char *why)
{
    log_warn("app", "this node doesn't archive why=\"%s\"", why);
    a->archive_elsewhere = true;
    jobs_free_destroy(a->freer);
    a->freer = NULL;
    jobs_feed_destroy(a->feed);
    a->feed = NULL;
    if (a->archive)
        archive_close(a->archive, on_closed, a);
    a->archive = NULL;
    app_check_ready(a);
}

/* The chat isn't in Redis any more, and leaves the nodes' memory. */
static void on_freed(void *ctx, struct str chat)
{
    struct app *a = ctx;
    char said[ID_SIZE + 4];

    slot_left_redis(a, chat);
    snprintf(said, sizeof said, "F %.*s", STR_FMT(chat));
    link_signal(a->link, str_of(said));
}

static void begin(struct app *a)
{
    if (a->feed || !a->archive)
        return;
    snprintf(a->archive_node, sizeof a->archive_node, "%s", a->node);
    a->archive_refused[0] = 0;
    a->archive_rows_said = -1;
    a->feed = jobs_feed_create(a->link, a->archive);
    a->freer = jobs_free_create(a->link, a->archive, on_freed, a);
    app_check_ready(a);
}

static void on_has_head(void *ctx, int rc, bool has)
{
    struct app *a = ctx;

    a->archive_looking = false;
    if (rc < 0 || has) {
        begin(a); /* one that can't be read says so by itself when it is written */
        return;
    }
    if (!a->archive_refused[0])
        log_error("app", "the archive's file is refused: it is an older copy");
    snprintf(a->archive_refused, sizeof a->archive_refused,
             "this file is an older copy of the site's archive: put the newest back, or run firstline "
             "archive adopt");
    app_check_ready(a);
}

static void on_head(void *ctx, const struct redis_reply *r)
{
    struct app *a = ctx;
    struct str s = r && redis_reply_type(r) == REDIS_STR ? redis_reply_str(r) : STR_NONE;
    const char *sp = s.n ? memchr(s.s, ' ', s.n) : NULL;
    char head[65];

    if (!sp || !a->archive) {
        a->archive_looking = false;
        if (r)
            begin(a);
        return;
    }
    snprintf(head, sizeof head, "%.*s", (int)(s.n - (size_t)(sp + 1 - s.s)), sp + 1);
    if (archive_has_head(a->archive, strtoll(s.s, NULL, 10), head, on_has_head, a) < 0)
        a->archive_looking = false;
}

/* `archive adopt` has named this node's file: it is opened again. */
static void come_back(struct app *a)
{
    struct err err = {0};

    if (app_archive_open(a, &err) < 0) {
        log_error("app", "the archive is this node's, and can't be opened why=\"%s\"", err_why(&err));
        return;
    }
    a->archive_elsewhere = false;
}

/* Says in Redis how far the file has come. */
static void say_head(struct app *a)
{
    char head[65], value[120];
    const char *set[] = {"SET", value};
    int64_t rows = 0;

    archive_head(a->archive, &rows, head);
    if (rows == a->archive_rows_said)
        return;
    a->archive_rows_said = rows;
    snprintf(value, sizeof value, "%lld %s", (long long)rows, head);
    link_call_plain(a->link, "archive.head", 2, set, NULL, on_ignored, a);
}

/* The file that is pinned is with this node: written only where another name stands, so that what `archive adopt` says meanwhile stays. */
static void say_whose(struct app *a, struct str node)
{
    char pin[160];
    const char *own[] = {"SET", pin};

    if (str_is(node, a->node))
        return;
    snprintf(pin, sizeof pin, "%s %s", a->archive_id, a->node);
    link_call_plain(a->link, "archive", 2, own, NULL, on_ignored, a);
}

static void on_pin(void *ctx, const struct redis_reply *r)
{
    struct app *a = ctx;
    struct str pin = r && redis_reply_type(r) == REDIS_STR ? redis_reply_str(r) : STR_NONE;
    const char *sp = pin.n ? memchr(pin.s, ' ', pin.n) : NULL;
    struct str id = sp ? (struct str){pin.s, (size_t)(sp - pin.s)} : pin;
    const char *get[] = {"GET"};

    if (!pin.n || a->is_draining)
        return;
    if (sp && !str_is(id, a->archive_id))
        snprintf(a->archive_node, sizeof a->archive_node, "%.*s", (int)(pin.n - id.n - 1), sp + 1);
    if (!str_is(id, a->archive_id)) {
        if (!a->archive_elsewhere)
            leave(a, "the archive is another node's");
        return;
    }
    if (a->archive_elsewhere)
        come_back(a);
    if (a->feed) {
        say_whose(a, sp ? (struct str){sp + 1, pin.n - id.n - 1} : STR_NONE);
        say_head(a);
    }
    if (!a->feed && a->archive && !a->archive_looking)
        a->archive_looking = link_call_plain(a->link, "archive.head", 1, get, NULL, on_head, a) == 0;
}

void app_archive_look(struct app *a)
{
    const char *get[] = {"GET"};

    if (!link_is_up(a->link))
        return;
    link_call_plain(a->link, "archive", 1, get, NULL, on_pin, a);
}

/* Redis is up: pin ours if none is, then see whose it is. */
void app_archive_start(struct app *a)
{
    char value[160];
    const char *set[] = {"SET", value, "NX"};

    a->archive_looking = false;
    if (a->feed)
        jobs_feed_reset(a->feed);
    snprintf(value, sizeof value, "%s %s", a->archive_id, a->node);
    link_call_plain(a->link, "archive", 3, set, NULL, on_ignored, a);
    app_archive_look(a);
}

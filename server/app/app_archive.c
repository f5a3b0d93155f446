/* Which node archives: the file whose random id is pinned in Redis; the feed runs there. */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

static void on_closed(void *ctx)
{
    (void)ctx;
}

static void elsewhere(struct app *a)
{
    log_info("app", "the archive is another node's: node=%s", a->archive_node);
    a->archive_elsewhere = true;
    if (a->archive)
        archive_close(a->archive, on_closed, a);
    a->archive = NULL;
    app_check_ready(a);
}

static void on_pin(void *ctx, const struct redis_reply *r)
{
    struct app *a = ctx;
    struct str pin = r && redis_reply_type(r) == REDIS_STR ? redis_reply_str(r) : STR_NONE;
    const char *sp = pin.n ? memchr(pin.s, ' ', pin.n) : NULL;
    struct str id = sp ? (struct str){pin.s, (size_t)(sp - pin.s)} : pin;

    if (!r || redis_reply_type(r) != REDIS_STR || a->feed || a->archive_elsewhere)
        return;
    if (sp)
        snprintf(a->archive_node, sizeof a->archive_node, "%.*s", (int)(pin.n - id.n - 1), sp + 1);
    if (!str_is(id, archive_id(a->archive))) {
        elsewhere(a);
        return;
    }
    snprintf(a->archive_node, sizeof a->archive_node, "%s", a->node);
    a->feed = jobs_feed_create(a->link, a->archive, a->cfg->chat.keep_ms);
    app_check_ready(a);
}

static void on_ignored(void *ctx, const struct redis_reply *r)
{
    (void)ctx, (void)r;
}

/* Redis is up: pin ours if none is, then see whose it is. */
void app_archive_start(struct app *a)
{
    char value[120];
    const char *set[] = {"SET", value, "NX"}, *get[] = {"GET"};

    if (a->feed) {
        jobs_feed_reset(a->feed);
        return;
    }
    if (a->archive_elsewhere)
        return;
    snprintf(value, sizeof value, "%s %s", archive_id(a->archive), a->node);
    link_call_plain(a->link, "archive", 3, set, NULL, on_ignored, a);
    link_call_plain(a->link, "archive", 1, get, NULL, on_pin, a);
}

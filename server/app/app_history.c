/* `history`: a shopper's own chats, from the archive; where this node doesn't archive, the last one that the live data names. */
#include "app/app_room.h"

#include "archive/archive.h"

#include <stdio.h>

#define CHATS_AT_ONCE 50

static void on_member(void *ctx, struct str key, struct val v)
{
    struct buf *b = ctx;

    if (str_is(key, "items"))
        buf_add_str(b, v.s);
}

static void on_chats(void *ctx, int rc, const char *type, struct str body, const char *why)
{
    struct cmd *c = ctx;
    struct buf b;

    (void)type, (void)why;
    if (rc < 0) {
        answer_cmd_error(c, CODE_UNAVAILABLE, "the archive can't be read now", NULL);
        return;
    }
    buf_init(&b, body.n + 64);
    buf_add_s(&b, ",\"chats\":");
    json_each_member(body, on_member, &b);
    answer_cmd_ok(c, b.p);
    buf_fini(&b);
}

static void answer_last(struct cmd *c)
{
    char extra[128] = ",\"chats\":[]";

    if (c->conn->last[0] && !c->conn->open[0])
        snprintf(extra, sizeof extra, ",\"chats\":[{\"chat\":\"%s\"}]", c->conn->last);
    answer_cmd_ok(c, extra);
}

void history_command(struct cmd *c)
{
    struct val before = c->msg.f[FIELD_BEFORE];
    struct archive_query q = {.kind = ARCHIVE_LIST, .from_ms = -1, .to_ms = -1, .rating = -1, .owner_changed = -1, .reader_all = true, .brief = true,
                              .limit = CHATS_AT_ONCE, .shopper = str_of(c->conn->person)};

    if (before.type == VAL_INT)
        q.to_ms = before.i - 1;
    if (before.type == VAL_INT && before.i == 0)
        answer_cmd_ok(c, ",\"chats\":[]");
    else if (!c->app->archive || archive_ask(c->app->archive, &q, on_chats, c) < 0)
        answer_last(c);
}

/*
 * The ids that are remembered in a person's record (commit.lua, "2"). The record as a whole runs out a week after the last one; of somebody
 * who is there each day it would grow for good, so what is older than that week is taken out of it.
 */
#include "link/link_room.h"

#include <stdio.h>
#include <stdlib.h>

#define IDS_MS  (INT64_C(604800) * 1000) /* as in commit.lua */
#define AT_ONCE 200

struct pruning {
    struct link *l;
    char person[ID_SIZE];
    int64_t before_ms;
};

static void on_page(void *ctx, const struct redis_reply *r);

/* Takes a page of what is remembered. */
static void scan(struct pruning *p, struct str cursor)
{
    struct link_words w;

    link_words_init(&w, 4096);
    link_words_add(&w, STR("HSCAN"));
    link_words_add_log(&w, p->l, 'i', str_of(p->person));
    link_words_add(&w, cursor);
    link_words_add(&w, STR("COUNT"));
    link_words_add_i64(&w, AT_ONCE);
    if (!p->l->is_up || link_send(p->l, &w, on_page, p) < 0)
        free(p);
    link_words_fini(&w);
}

/* "seq at …" */
static int64_t at_of(struct str kept)
{
    const char *space = memchr(kept.s, ' ', kept.n);

    return space ? strtoll(space + 1, NULL, 10) : INT64_MAX;
}

static void on_gone(void *ctx, const struct redis_reply *r)
{
    (void)ctx, (void)r;
}

static void forget(struct pruning *p, const struct redis_reply *page)
{
    struct link_words w;
    bool any = false;

    link_words_init(&w, 1 << 20);
    link_words_add(&w, STR("HDEL"));
    link_words_add_log(&w, p->l, 'i', str_of(p->person));
    for (size_t i = 0; i + 1 < redis_reply_n(page); i += 2)
        if (at_of(redis_reply_str(redis_reply_at(page, i + 1))) < p->before_ms) {
            link_words_add(&w, redis_reply_str(redis_reply_at(page, i)));
            any = true;
        }
    if (any && p->l->is_up)
        link_send(p->l, &w, on_gone, NULL);
    link_words_fini(&w);
}

static void on_page(void *ctx, const struct redis_reply *r)
{
    struct pruning *p = ctx;
    struct str cursor = r && redis_reply_n(r) == 2 ? redis_reply_str(redis_reply_at(r, 0)) : STR("0");

    if (r && redis_reply_n(r) == 2)
        forget(p, redis_reply_at(r, 1));
    if (str_is(cursor, "0"))
        free(p);
    else
        scan(p, cursor);
}

void link_forget_ids(struct link *l, struct str person, int64_t now_ms)
{
    struct pruning *p = mem_zalloc(sizeof *p);

    p->l = l;
    p->before_ms = now_ms - IDS_MS;
    snprintf(p->person, sizeof p->person, "%.*s", STR_FMT(person));
    scan(p, STR("0"));
}

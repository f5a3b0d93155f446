#include "jobs/jobs_free.h"

#include "jobs/jobs_pace.h"
#include "log/log.h"

#include <stdio.h>
#include <stdlib.h>

#define AT_ONCE  "50"
#define AGAIN_MS 5000 /* one that can't go yet is looked at again after this */

struct jobs_free {
    struct link *link;
    struct archive *archive;
    void (*on_freed)(void *ctx, struct str chat);
    void *ctx;
    unsigned left; /* chats of this look that are under way */
    bool is_busy, closing;
    int64_t looked_at_ms;
    uint64_t done, put_off;
};

struct freeing {
    struct jobs_free *f;
    char chat[72];
    struct link_extent extent;
};

struct jobs_free *jobs_free_create(struct link *link, struct archive *archive,
                                   void (*on_freed)(void *ctx, struct str chat), void *ctx)
{
    struct jobs_free *f = mem_zalloc(sizeof *f);

    *f = (struct jobs_free){.link = link, .archive = archive, .on_freed = on_freed, .ctx = ctx};
    return f;
}

void jobs_free_destroy(struct jobs_free *f)
{
    if (!f)
        return;
    if (f->is_busy) { /* its callbacks will see it and free it */
        f->closing = true;
        return;
    }
    free(f);
}

uint64_t jobs_free_done(const struct jobs_free *f)
{
    return f ? f->done : 0;
}

uint64_t jobs_free_put_off(const struct jobs_free *f)
{
    return f ? f->put_off : 0;
}

static void look_end(struct jobs_free *f)
{
    f->is_busy = false;
    if (f->closing)
        jobs_free_destroy(f);
}

static void one_less(struct jobs_free *f)
{
    if (--f->left == 0)
        look_end(f);
}

static void end(struct freeing *x)
{
    struct jobs_free *f = x->f;

    free(x);
    one_less(f);
}

/* It stays for now. Its place is set back only if it still has one: it may have been opened again. */
static void put_off(struct freeing *x)
{
    struct jobs_free *f = x->f;
    char at[24];
    const char *argv[] = {"ZADD", "XX", at, x->chat};

    f->put_off++;
    if (!f->closing) {
        snprintf(at, sizeof at, "%lld", (long long)(link_now_ms(f->link) + AGAIN_MS));
        link_call(f->link, LINK_ENDED, STR(""), 4, argv, NULL, NULL, NULL);
    }
    end(x);
}

static void on_freed(void *ctx, int rc)
{
    struct freeing *x = ctx;
    struct jobs_free *f = x->f;

    if (rc != 1) {
        put_off(x);
        return;
    }
    f->done++;
    log_info("jobs", "chat left redis chat=%s entries=%lld", x->chat, (long long)x->extent.length);
    if (!f->closing)
        f->on_freed(f->ctx, str_of(x->chat));
    end(x);
}

static void on_has_log(void *ctx, int rc, bool has)
{
    struct freeing *x = ctx;
    struct jobs_free *f = x->f;
    enum jobs_archived archived = rc < 0 ? ARCHIVED_UNKNOWN : has ? ARCHIVED_WHOLE : ARCHIVED_NOT;

    if (jobs_free_next(&x->extent, archived) != FREE_GO || f->closing ||
        link_free(f->link, str_of(x->chat), x->extent.length, x->extent.fence, on_freed, x) < 0)
        put_off(x);
}

static void on_extent(void *ctx, const struct link_extent *e)
{
    struct freeing *x = ctx;
    struct jobs_free *f = x->f;
    const char *argv[] = {"ZREM", x->chat};
    enum jobs_free_step step = jobs_free_next(e, ARCHIVED_NOT_ASKED);

    if (step == FREE_FORGET) { /* another life of the data: what isn't there needs no place */
        if (!f->closing)
            link_call(f->link, LINK_ENDED, STR(""), 2, argv, NULL, NULL, NULL);
        end(x);
        return;
    }
    if (step != FREE_ASK || f->closing) {
        put_off(x);
        return;
    }
    x->extent = *e;
    if (archive_has_log(f->archive, str_of(x->chat), e->length, e->head, on_has_log, x) < 0)
        put_off(x);
}

static void begin(struct jobs_free *f, struct str chat)
{
    struct freeing *x = mem_zalloc(sizeof *x);

    x->f = f;
    snprintf(x->chat, sizeof x->chat, "%.*s", STR_FMT(chat));
    f->left++;
    if (link_extent(f->link, chat, on_extent, x) < 0)
        end(x);
}

static void on_due(void *ctx, const struct redis_reply *r)
{
    struct jobs_free *f = ctx;

    if (!r || redis_reply_type(r) != REDIS_LIST || f->closing) {
        look_end(f);
        return;
    }
    f->left = 1;
    for (size_t i = 0; i < redis_reply_n(r); i++)
        begin(f, redis_reply_str(redis_reply_at(r, i)));
    one_less(f);
}

void jobs_free_tick(struct jobs_free *f, int64_t now_ms)
{
    char now[24];
    const char *argv[] = {"ZRANGEBYSCORE", "-inf", now, "LIMIT", "0", AT_ONCE};

    if (f->is_busy || !jobs_free_is_due(f->looked_at_ms, now_ms) || !link_is_up(f->link) ||
        !link_clock_is_sure(f->link))
        return;
    f->looked_at_ms = now_ms;
    snprintf(now, sizeof now, "%lld", (long long)link_now_ms(f->link));
    f->is_busy = link_call(f->link, LINK_ENDED, STR(""), 6, argv, NULL, on_due, f) == 0;
}

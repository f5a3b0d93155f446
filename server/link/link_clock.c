/*
 * The site's time (PROMISES 2.11): Redis's clock plus an offset that stands beside the data. Each node holds
 * it against its own monotonic clock, which nobody sets: where the two part by over 2 s, the offset is
 * corrected by compare, so that the site's time goes on without a step. Smaller differences (a slow first
 * answer, a drift) are known and added: a node's time is behind that of the entries by a round trip at most. Commits say between which
 * times they may happen (commit.lua), so no entry bears a time from before the correction; timers pause until
 * it has been made.
 *
 * A node's own clock can be the one that is off: it stands still while its virtual machine is held. Such a node corrects a time that was
 * right, and the others set it back at once. Then it takes theirs, or they would go on like that for good.
 */
#include "config/config.h"
#include "link/link_room.h"
#include "log/log.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define APART_MS 2000
#define SLACK_MS 1000 /* of commits, beyond what is corrected */
#define UNDO_MS  10000 /* who sets a correction back so soon after it says that it was wrong */

/* Nobody sets it, and it goes on while the machine sleeps. */
static uint64_t steady_ns(void)
{
    struct timespec t;

    clock_gettime(CLOCK_BOOTTIME, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static int64_t at(const struct link *l, uint64_t hr)
{
    return l->clock_ms + ((int64_t)hr - (int64_t)l->clock_hr) / 1000000;
}

int64_t link_now_ms(const struct link *l)
{
    return at(l, steady_ns()) + l->clock_off_ms;
}

bool link_clock_is_sure(const struct link *l)
{
    return l->clock_hr != 0 && !l->clock_is_off;
}

int64_t link_clock_corrected_ms(const struct link *l)
{
    return l->corrected_hr ? (int64_t)((steady_ns() - l->corrected_hr) / 1000000) : -1;
}

void link_clock_bounds(const struct link *l, int64_t *from, int64_t *till)
{
    int64_t now = at(l, steady_ns());

    *from = now - APART_MS - SLACK_MS;
    *till = now + APART_MS + SLACK_MS + l->cfg->redis.command_ms;
}

static void on_corrected(void *ctx, const struct redis_reply *r)
{
    struct link *l = ctx;

    l->is_correcting = false;
    if (!r || (redis_reply_type(r) != REDIS_STR && redis_reply_type(r) != REDIS_INT))
        return; /* looked at again on the next beat */
    l->corrected_hr = steady_ns();
    l->made_ms = redis_reply_int(r); /* another node may have been first */
    link_look(l, NULL);
}

/* Redis's clock left ours by `apart` ms: the site's time stays where it was. */
static void correct(struct link *l, int64_t offset, int64_t apart)
{
    struct link_words keys, args;

    if (l->is_correcting)
        return;
    log_error("link",
              "clock corrected: redis's clock has left this node's by_ms=%" PRId64 " offset_ms=%" PRId64,
              apart, offset - apart);
    link_words_init(&keys, 256);
    link_words_init(&args, 256);
    link_words_add_plain(&keys, l, "clock");
    link_words_add_i64(&args, offset);
    link_words_add_i64(&args, offset - apart);
    l->is_correcting = link_eval_text(l, SCRIPT_CLOCK, &keys, &args, on_corrected, l) == 0;
    link_words_fini(&keys);
    link_words_fini(&args);
}

/* From here on the site's time is what it says. */
static void take(struct link *l, int64_t site, uint64_t hr)
{
    l->clock_ms = site;
    l->clock_hr = hr;
    l->clock_off_ms = 0;
    l->clock_is_off = false;
}

static bool is_undone(const struct link *l, int64_t offset)
{
    return l->corrected_hr && link_clock_corrected_ms(l) < UNDO_MS && offset != l->made_ms;
}

void link_clock_look(struct link *l, const struct redis_reply *r)
{
    int64_t offset = redis_reply_int(redis_reply_at(r, 1)),
            site = redis_reply_int(redis_reply_at(r, 0)) + offset;
    uint64_t now = steady_ns();
    int64_t early, late;

    if (l->clock_hr == 0) {
        take(l, site, now);
        return;
    }
    /* It was read somewhere between the question and now: a node or a Redis that stood still meanwhile has
     * the right time. */
    early = site - at(l, l->looked_hr);
    late = site - at(l, now);
    if (early >= -APART_MS && late <= APART_MS) {
        l->clock_is_off = false;
        /* Surely ahead, or surely behind: then behind by no more than a round trip. Either time is cut to whole ms, so a
         * difference of one says nothing; deadlines count from Redis's time, and a node that is ahead would promise more. */
        if (l->clock_off_ms > early || l->clock_off_ms < late - 1)
            l->clock_off_ms = late - 1;
        return;
    }
    if (is_undone(l, offset)) {
        log_error("link", "clock: another node has set the correction back: this node's was off by_ms=%" PRId64, early < -APART_MS ? early : late);
        take(l, site, now);
        return;
    }
    l->clock_is_off = true;
    correct(l, offset, early < -APART_MS ? early : late);
}

static void on_look(void *ctx, const struct redis_reply *r)
{
    struct link *l = ctx;
    struct str epoch;

    l->is_looking = false;
    if (!r || redis_reply_n(r) != 4)
        return;
    link_clock_look(l, r);
    epoch = redis_reply_str(redis_reply_at(r, 2));
    if (!link_take_format(l, redis_reply_int(redis_reply_at(r, 3))) && l->is_up) {
        link_go_down(l, LINK_NEWER,
                     "redis: the data has got a later format than this version knows: update this node");
        return;
    }
    if (l->is_up && !str_is(epoch, l->epoch))
        link_epoch_is_over(l, epoch);
}

int link_look(struct link *l, void (*cb)(void *ctx, const struct redis_reply *r))
{
    struct link_words keys, args;
    int rc;

    if (!cb && l->is_looking)
        return 0;
    link_words_init(&keys, 512);
    link_words_init(&args, 16);
    link_words_add_plain(&keys, l, "clock");
    link_words_add_plain(&keys, l, "epoch");
    link_words_add_plain(&keys, l, "format");
    l->looked_hr = steady_ns();
    rc = link_eval_text(l, SCRIPT_LOOK, &keys, &args, cb ? cb : on_look, l);
    if (!cb)
        l->is_looking = rc == 0;
    link_words_fini(&keys);
    link_words_fini(&args);
    return rc;
}

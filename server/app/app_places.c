/*
 * Places in a queue and expected waits (rule 1.5), and what staff are told of the queue.
 *
 * A count costs the same however many wait: each looks at the places at the front, and at one page of those behind, where walks go on
 * until one has been at the queue's end since the last change. While places change, every walk goes to 2 × FRONT, every second one to twice
 * that, and so on: a place twice as far back is seen half as often, and in time for what is promised there however long the queue is. Who
 * stands far back is told seldom enough that the sum over the queue grows with the logarithm of its length.
 */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

#define COUNT_GAP_MS   250    /* a department is counted at most this often */
#define FRONT          50     /* places that each count looks at */
#define PAGE           50     /* and so many of those behind */
#define NEAR           10     /* places of which each step is told */
#define FAR_MS         5000   /* farther back a step is told after so long at the latest, */
#define FAR_MS_A_PLACE 50     /* or after so long a place, if that is longer */
#define STAFF_GAP_MS   1000   /* staff are told of a queue at most this often: that is a frame for each of them */
#define HANDLING_MS    240000 /* a chat's length where nothing is known yet */

struct count {
    struct app *app;
    struct department *d;
    unsigned left;   /* answers of Redis still awaited */
    bool has_failed;
    int64_t far;     /* where its page begins */
    int64_t waiting;
    int64_t longest_ms;
};

static void tell_staff(struct app *a, struct department *d)
{
    int64_t now_ms = (int64_t)uv_now(a->loop);
    struct buf b;

    d->staff_late = now_ms - d->staff_told_at_ms < STAFF_GAP_MS;
    if (d->staff_late || (d->waiting == d->told_waiting && d->longest_since_ms == d->told_longest_ms))
        return;
    d->staff_told_at_ms = now_ms;
    d->told_waiting = d->waiting;
    d->told_longest_ms = d->longest_since_ms;
    buf_init(&b, 2048);
    buf_add_s(&b, "{\"t\":\"queue\"");
    json_kv_s(&b, "department", d->cfg->name);
    json_kv_int(&b, "waiting", d->waiting);
    if (d->longest_since_ms)
        json_kv_int(&b, "longest_since", d->longest_since_ms);
    buf_add_c(&b, '}');
    signal_staff(a, crypto_short_hash(d->cfg->name, strlen(d->cfg->name)), buf_str(&b));
    buf_fini(&b);
}

static bool is_near(int64_t place)
{
    return place <= NEAR;
}

/* It is told when the place changes, or when the wait does by more than a quarter: it is kept current, and doesn't jump. Far from the
 * front a place less says little: there it is told when it is a tenth less, at the latest after a while. */
static void tell_place(struct slot *s, int64_t place, int64_t eta_s, int64_t now_ms)
{
    int64_t waits = eta_s > s->eta_s ? eta_s - s->eta_s : s->eta_s - eta_s;
    int64_t steps = place > s->position ? place - s->position : s->position - place;
    int64_t late_ms = place * FAR_MS_A_PLACE > FAR_MS ? place * FAR_MS_A_PLACE : FAR_MS;
    bool is_soon = !is_near(place) && !is_near(s->position) && now_ms - s->told_place_ms < late_ms;
    bool moved = is_soon ? steps * 10 > place : steps > 0;

    if (!moved && waits * 4 <= s->eta_s)
        return;
    notice_queue(s, place, eta_s);
    s->told_place_ms = now_ms;
}

/* Those who stand from this place on; gives how many that are. */
static int64_t look(struct count *k, const struct redis_reply *list, int64_t first)
{
    struct app *a = k->app;
    struct department *d = k->d;
    unsigned reps = match_available(a, d);

    for (size_t i = 0; i < redis_reply_n(list); i++) {
        struct slot *s = slot_find(a, redis_reply_str(redis_reply_at(list, i)));
        int64_t place = first + (int64_t)i, since;

        if (!s || !s->is_loaded)
            continue;
        since = s->chat.wait_since_ms;
        if (since && (!k->longest_ms || since < k->longest_ms))
            k->longest_ms = since;
        if (since && first > FRONT && (!d->far_longest_ms || since < d->far_longest_ms)) {
            d->far_longest_ms = since;
            memcpy(d->far_longest, s->chat.id, ID_SIZE);
        }
        if (s->subs)
            tell_place(s, place, routing_eta_s((unsigned)place, d->gap_ms, reps, HANDLING_MS), d->counted_at_ms);
    }
    return (int64_t)redis_reply_n(list);
}

/* Since when the one waits that the walk found to wait longest; 0: they don't any more, another will be found. */
static int64_t far_longest(struct app *a, struct department *d)
{
    const struct slot *s = d->far_longest_ms ? slot_find(a, str_of(d->far_longest)) : NULL;

    if (!s || !s->index.queue || strcmp(s->index.queue, d->cfg->name) != 0 || s->chat.wait_since_ms != d->far_longest_ms)
        d->far_longest_ms = 0;
    return d->far_longest_ms;
}

/* One answer of a count has come. */
static void one_less(struct count *k)
{
    struct department *d = k->d;
    int64_t far = far_longest(k->app, d);

    if (--k->left > 0)
        return;
    d->is_counting = false;
    if (!k->has_failed) {
        d->waiting = k->waiting;
        d->far_dirty = d->far_dirty && d->waiting > FRONT;
        d->far_rest = d->far_rest && d->waiting > FRONT;
        d->longest_since_ms = far && (!k->longest_ms || far < k->longest_ms) ? far : k->longest_ms;
        tell_staff(k->app, d);
    }
    free(k);
}

static bool is_list(struct count *k, const struct redis_reply *r)
{
    if (r && redis_reply_type(r) == REDIS_LIST)
        return true;
    k->has_failed = true;
    return false;
}

static void on_total(void *ctx, const struct redis_reply *r)
{
    struct count *k = ctx;

    if (r && redis_reply_type(r) == REDIS_INT)
        k->waiting = redis_reply_int(r);
    else
        k->has_failed = true;
    one_less(k);
}

static void on_front(void *ctx, const struct redis_reply *r)
{
    struct count *k = ctx;

    if (is_list(k, r))
        look(k, r, 1);
    one_less(k);
}

static void on_page(void *ctx, const struct redis_reply *r)
{
    struct count *k = ctx;

    if (is_list(k, r)) {
        bool is_end = look(k, r, k->far) < PAGE;

        k->d->far_rest = !is_end && k->far + PAGE > k->d->far_till;
        k->d->far_from = is_end || k->d->far_rest ? 0 : k->far + PAGE;
    }
    one_less(k);
}

/* Asks for the places from first on. */
static void ask(struct count *k, int64_t first, int64_t n, void (*cb)(void *ctx, const struct redis_reply *r))
{
    char from[24], to[24];
    const char *argv[] = {"ZRANGE", from, to};

    snprintf(from, sizeof from, "%lld", (long long)(first - 1));
    snprintf(to, sizeof to, "%lld", (long long)(first + n - 2));
    k->left += link_call(k->app->link, LINK_QUEUE, str_of(k->d->cfg->name), 3, argv, NULL, cb, k) == 0;
}

/* How far: 1, 2, 1, 4, 1, 2, 1, 8 … times 2 × FRONT; to the end if nothing has changed since the last one. */
static void begin_walk(struct department *d)
{
    unsigned doubled = (unsigned)__builtin_ctz(++d->far_walks | 1U << 24);

    d->far_from = FRONT + 1;
    d->far_till = d->far_dirty ? (int64_t)(2 * FRONT) << doubled : INT64_MAX;
    d->far_dirty = d->far_rest = false;
}

static void count(struct app *a, struct department *d)
{
    static const char *const card[] = {"ZCARD"};
    struct count *k = mem_zalloc(sizeof *k);

    k->app = a;
    k->d = d;
    if (!d->far_from && (d->far_dirty || d->far_rest) && d->waiting > FRONT)
        begin_walk(d);
    k->far = d->far_from;
    d->counted_at_ms = (int64_t)uv_now(a->loop);
    k->left = link_call(a->link, LINK_QUEUE, str_of(d->cfg->name), 1, card, NULL, on_total, k) == 0;
    ask(k, 1, FRONT, on_front);
    if (k->far)
        ask(k, k->far, PAGE, on_page);
    d->is_counting = k->left > 0;
    if (!d->is_counting)
        free(k);
}

void places_tick(struct app *a, struct department *d, int64_t now_ms)
{
    if (d->staff_late)
        tell_staff(a, d);
    if (!(d->queue_dirty || d->far_from || d->far_dirty || d->far_rest) || d->is_counting || now_ms - d->counted_at_ms < COUNT_GAP_MS)
        return;
    d->far_dirty = d->far_dirty || d->queue_dirty;
    d->queue_dirty = false;
    count(a, d);
}

void places_tell_new(struct slot *s)
{
    struct department *d = s->chat.department ? match_find(s->app, str_of(s->chat.department)) : NULL;
    int64_t place = d && d->waiting > 0 ? d->waiting : 1; /* itself among them */

    if (d && (s->chat.state == CHAT_WAITING || s->chat.state == CHAT_OFFERED))
        notice_queue(s, place, routing_eta_s((unsigned)place, d->gap_ms, match_available(s->app, d), HANDLING_MS));
    s->told_place_ms = (int64_t)uv_now(s->app->loop);
}

void places_write_queues(const struct app *a, struct buf *b)
{
    json_open(b, '[');
    for (unsigned i = 0; i < a->departments_n; i++) {
        const struct department *d = &a->departments[i];

        json_open(b, '{');
        json_kv_s(b, "department", d->cfg->name);
        json_kv_int(b, "waiting", d->waiting);
        if (d->longest_since_ms)
            json_kv_int(b, "longest_since", d->longest_since_ms);
        json_close(b, '}');
    }
    json_close(b, ']');
}

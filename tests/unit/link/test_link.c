/* A site's link to a Redis that is there: its time, where two nodes' clocks don't go alike; what its settings are taken for. */
#include "link_world.h"

#include "config/config.h"
#include "link/link_room.h"
#include "log/log.h"

#include <inttypes.h>
#include <sys/syscall.h>
#include <time.h>

#define HOUR_MS 3600000
#define LOOKS   (LINK_SETTINGS_BEATS + 2) /* beats in which the settings are looked at */
#define CALM    4 /* beats of each without a correction: it is over */

static int64_t slept_ms; /* what this machine was asleep for */

/* In front of the C library's: the clock that goes on in a sleep. */
int clock_gettime(clockid_t id, struct timespec *out)
{
    int rc = (int)syscall(SYS_clock_gettime, id, out);

    if (id == CLOCK_BOOTTIME)
        out->tv_sec += slept_ms / 1000;
    return rc;
}

struct node {
    struct link *l;
    uint64_t corrected_hr, since_beat;
    bool closed;
};

static void on_up(void *ctx)
{
    (void)ctx;
}

static void on_down(void *ctx, const char *why)
{
    (void)ctx, (void)why;
}

static void on_text(void *ctx, struct str text)
{
    (void)ctx, (void)text;
}

static void on_presence(void *ctx, struct str person, int nodes)
{
    (void)ctx, (void)person, (void)nodes;
}

static void on_closed(void *ctx)
{
    ((struct node *)ctx)->closed = true;
}

static bool is_closed(void *ctx)
{
    return ((struct node *)ctx)->closed;
}

static bool is_up(void *ctx)
{
    return link_is_up(((struct node *)ctx)->l);
}

static void on_heard(void *ctx)
{
    (void)ctx;
}

static void node_open(struct world *w, struct node *n, const struct config *cfg, const char *name)
{
    struct link_port port = {n, on_up, on_down, on_text, on_presence, on_text, on_heard};
    struct err err = {.text = ""};

    memset(n, 0, sizeof *n);
    if (link_open(&w->loop, cfg, w->url, "default", name, &port, &n->l, &err) < 0)
        fail_msg("%s", err.text);
    world_await(w, is_up, n, 5000, "a node that is up");
}

static void node_close(struct world *w, struct node *n)
{
    link_close(n->l, on_closed, n);
    world_await(w, is_closed, n, 2000, "a node that is closed");
}

/* A redis-server that is as a node wants it. */
static void start_redis(struct world *w)
{
    static const char *const sets[][2] = {{"appendfsync", "always"}, {"appendonly", "yes"}};
    struct redis_sync *s;

    world_start_redis(w);
    assert_int_equal(redis_sync_open(w->url, 5000, &s, NULL), 0);
    for (int i = 0; i < 2; i++) {
        const char *argv[] = {"CONFIG", "SET", sets[i][0], sets[i][1]};
        const struct redis_reply *r = redis_sync_call(s, 4, argv, NULL, NULL);

        assert_int_equal(redis_reply_type(r), REDIS_STATUS);
        redis_sync_free(r);
    }
    redis_sync_close(s);
}

/* ctx: two nodes. Neither has corrected anything for some beats, and both are sure. */
static bool is_calm(void *ctx)
{
    bool calm = true;

    for (struct node *n = ctx; n < (struct node *)ctx + 2; n++) {
        if (n->corrected_hr != n->l->corrected_hr || !link_clock_is_sure(n->l)) {
            n->corrected_hr = n->l->corrected_hr;
            n->since_beat = n->l->beats;
        }
        calm &= n->l->beats >= n->since_beat + CALM;
    }
    return calm;
}

static void a_node_whose_clock_stood_still_takes_the_time_of_the_others(void **state)
{
    struct world w;
    struct node n[2];
    struct config *cfg = config_create();
    int64_t apart;

    (void)state;
    world_init(&w);
    log_set_level(LOG_ERROR);
    start_redis(&w);
    node_open(&w, &n[0], cfg, "one");
    node_open(&w, &n[1], cfg, "two");
    n[1].l->clock_ms -= HOUR_MS; /* its virtual machine was held for so long */
    n[0].since_beat = n[0].l->beats;
    n[1].since_beat = n[1].l->beats;
    world_await(&w, is_calm, n, 20000, "nodes that agree");
    apart = link_now_ms(n[0].l) - link_now_ms(n[1].l);
    if (apart < -2000 || apart > 2000)
        fail_msg("apart by %" PRId64 " ms", apart);
    node_close(&w, &n[0]);
    node_close(&w, &n[1]);
    config_destroy(cfg);
    world_fini(&w);
}

static bool is_quiet(void *ctx)
{
    return !((struct node *)ctx)->l->is_looking;
}

/* The redis-server is on the same machine: its clock is an hour later as well. */
static void a_machine_that_slept_and_its_redis_are_as_late_as_everybody(void **state)
{
    const char *later[] = {"SET", "fl:{default}:clock", "3600000"};
    struct config *cfg = config_create();
    struct redis_sync *s;
    struct world w;
    struct node n[2];
    int64_t before;

    (void)state;
    world_init(&w);
    log_set_level(LOG_ERROR);
    start_redis(&w);
    node_open(&w, &n[0], cfg, "one");
    node_open(&w, &n[1], cfg, "two");
    assert_int_equal(redis_sync_open(w.url, 5000, &s, NULL), 0);
    world_await(&w, is_quiet, &n[0], 2000, "no look under way");
    world_await(&w, is_quiet, &n[1], 2000, "no look under way");
    before = link_now_ms(n[0].l);
    redis_sync_free(redis_sync_call(s, 3, later, NULL, NULL));
    redis_sync_close(s);
    slept_ms = HOUR_MS;
    n[0].since_beat = n[0].l->beats;
    n[1].since_beat = n[1].l->beats;
    world_await(&w, is_calm, n, 20000, "nodes that agree");
    assert_true(link_now_ms(n[0].l) - before >= HOUR_MS);
    assert_int_equal(link_clock_corrected_ms(n[0].l), -1);
    assert_int_equal(link_clock_corrected_ms(n[1].l), -1);
    slept_ms = 0;
    node_close(&w, &n[0]);
    node_close(&w, &n[1]);
    config_destroy(cfg);
    world_fini(&w);
}

static void on_end_of_script(void *ctx, const struct redis_reply *r)
{
    (void)r;
    *(bool *)ctx = true;
}

static void on_other_closed(void *ctx)
{
    *(bool *)ctx = true;
}

static bool is_true(void *ctx)
{
    return *(bool *)ctx;
}

struct look {
    struct link *l;
    uint64_t till_beat;
    bool was_weak;
};

static bool has_looked(void *ctx)
{
    struct look *look = ctx;

    look->was_weak |= link_fault(look->l) == LINK_WEAK;
    return look->l->beats >= look->till_beat;
}

static bool is_peer_up(void *ctx)
{
    return redis_is_up(ctx);
}

static void a_redis_that_is_busy_is_not_taken_for_one_that_hides_its_settings(void **state)
{
    const char *spin[] = {"EVAL", "while true do end", "0"}, *kill_it[] = {"SCRIPT", "KILL"}, *soon[] = {"CONFIG", "SET", "busy-reply-threshold", "1"};
    struct redis_port port = {.ctx = NULL};
    struct config *cfg = config_create();
    struct redis *other;
    bool over = false, closed = false;
    struct redis_sync *s;
    struct look look;
    struct world w;
    struct node n;

    (void)state;
    world_init(&w);
    log_set_level(LOG_ERROR);
    start_redis(&w);
    node_open(&w, &n, cfg, "one");
    assert_int_equal(redis_sync_open(w.url, 5000, &s, NULL), 0);
    redis_sync_free(redis_sync_call(s, 4, soon, NULL, NULL));
    assert_int_equal(redis_open(&w.loop, w.url, &port, 8, &other, NULL), 0);
    world_await(&w, is_peer_up, other, 2000, "up");
    assert_int_equal(redis_call(other, 3, spin, NULL, 60000, on_end_of_script, &over), 0);
    look = (struct look){n.l, n.l->beats + LOOKS, false};
    world_await(&w, has_looked, &look, 15000, "looks at the settings");
    assert_false(over);
    assert_false(look.was_weak);
    redis_sync_free(redis_sync_call(s, 2, kill_it, NULL, NULL));
    redis_sync_close(s);
    world_await(&w, is_true, &over, 2000, "the script's end");
    world_await(&w, is_up, &n, 5000, "a node that is up again");
    redis_close(other, on_other_closed, &closed);
    world_await(&w, is_true, &closed, 2000, "closed");
    node_close(&w, &n);
    config_destroy(cfg);
    world_fini(&w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_redis_that_is_busy_is_not_taken_for_one_that_hides_its_settings),
        cmocka_unit_test(a_machine_that_slept_and_its_redis_are_as_late_as_everybody),
        cmocka_unit_test(a_node_whose_clock_stood_still_takes_the_time_of_the_others),
    };

    return cmocka_run_group_tests_name("link/link", tests, NULL, world_sweep);
}

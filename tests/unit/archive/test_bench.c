/*
 * How many events a second the archive takes, chain and full-text index included (SPEED 6, goal 12), and how
 * long searches take then. It prints; it fails only if something is wrong. ARCHIVE_BENCH_EVENTS sets how
 * many.
 */
#include "archive_kit.h"

#include <sys/resource.h>
#include <time.h>

#define BATCH 256
#define LIVE  100 /* chats that go on at once */

static const char *const said[] = {
    "我要申请退款，订单号 20231118，商品收到时包装已经破损，麻烦您尽快帮我处理一下，谢谢。",
    "Hello, my parcel was damaged when it arrived this morning, can you please send me a replacement or a "
    "refund?",
    "好的，我这边帮您查一下物流信息，请稍等片刻。",
    "The courier says it will be delivered tomorrow between nine and twelve, is that all right for you?",
    "您好，请问发票抬头怎么修改？之前填错了公司名称。",
    "Thanks a lot, that solved my problem. Have a nice day!",
};

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static double cpu(void)
{
    struct rusage u;

    getrusage(RUSAGE_SELF, &u);
    return (double)(u.ru_utime.tv_sec + u.ru_stime.tv_sec) +
           (double)(u.ru_utime.tv_usec + u.ru_stime.tv_usec) / 1e6;
}

struct feed {
    struct kit *k;
    int64_t n, total;
    unsigned under_way;
};

/* Entry n of the stream: LIVE chats side by side, 20 entries each, then the next ones. */
static void add_entry(struct feed *f)
{
    int64_t n = f->n++, round = n / (LIVE * 20), seq = n / LIVE % 20 + 1, at = T0 + n * 5;
    char log[40], text[600], ref[40], *frame;
    bool shopper = seq % 2 == 0;

    snprintf(log, sizeof log, "c_%06lld-%02lld", (long long)round, (long long)(n % LIVE));
    snprintf(ref, sizeof ref, "m%lld", (long long)n);
    if (seq == 1)
        snprintf(text, sizeof text, "\"department\":\"general\",\"site\":\"default\"");
    else if (seq == 3)
        snprintf(text, sizeof text, "\"owner\":{\"id\":\"r_ann\",\"name\":\"Ann\"}");
    else
        snprintf(text, sizeof text, "\"text\":\"%s %lld\"", said[n % 6], (long long)n);
    frame = kit_frame(log, seq, at,
                      seq == 1   ? "started"
                      : seq == 3 ? "owned"
                                 : "message",
                      seq == 1 || shopper ? SHOPPER : ANN, text);
    kit_add_raw(f->k, log, seq, at, shopper ? "s_1" : "r_ann", ref, frame);
    free(frame);
}

static void feed(struct feed *f);

static void on_written(void *ctx, const struct archive_result *r)
{
    struct feed *f = ctx;

    assert_int_equal(r->rc, 0);
    assert_int_equal(r->gaps_n + r->quarantined_n, 0);
    f->under_way--;
    feed(f);
    f->k->back = f->under_way == 0;
}

static void feed(struct feed *f)
{
    while (f->n < f->total && f->under_way < 2) {
        for (int i = 0; i < BATCH && f->n < f->total; i++)
            add_entry(f);
        archive_batch_set_cursor(f->k->b, "epoch-1", f->n);
        assert_int_equal(archive_append(f->k->a, f->k->b, on_written, f), 0);
        f->k->b = archive_batch_create();
        f->under_way++;
    }
}

static void time_search(struct kit *k, const char *q)
{
    double from = now();

    kit_search(k, q);
    print_message("    search %-24s %7.1f ms\n", q, (now() - from) * 1e3);
}

static void events_a_second_and_searches(void **state)
{
    struct kit *k = *state;
    const char *env = getenv("ARCHIVE_BENCH_EVENTS");
    struct feed f = {.k = k, .total = env ? atoll(env) : 20000};
    double from = now(), cpu_from = cpu(), took;
    struct buf out;

    feed(&f);
    kit_run(k);
    took = now() - from;
    print_message("    %lld events in %.2f s: %.0f events/s, %.1f us of CPU an event (feeding included)\n",
                  (long long)f.total, took, (double)f.total / took,
                  (cpu() - cpu_from) * 1e6 / (double)f.total);
    time_search(k, "退款");
    time_search(k, "发票 抬头");
    time_search(k, "damaged refund");
    time_search(k, "damaged 发票");
    time_search(k, "nothing");
    time_search(k, "15000");
    buf_init(&out, 1 << 20);
    from = now();
    if (archive_verify(k->path, &out, NULL) < 0)
        fail_msg("%s", out.p);
    print_message(
        "    verify %.2f s; file %lld bytes an event\n", now() - from,
        (long long)(kit_count(k, "SELECT page_count * page_size FROM pragma_page_count, pragma_page_size") /
                    f.total));
    buf_fini(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(events_a_second_and_searches, kit_setup, kit_teardown),
    };

    return cmocka_run_group_tests_name("archive/bench", tests, NULL, NULL);
}

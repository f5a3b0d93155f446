/* What was learned is kept in a file: with it a start comes to the same as without it, to the bit, and whatever is wrong with it. */
#include <sys/stat.h>
#include <unistd.h>

#include "kb/kb_kit.h"
#include "kb/kb_set.h"
#include "kb/kb_state.h"

struct shop {
    struct kit kit;
    char dir[64], tables[96], state[112];
};

static void shop_open(struct shop *s)
{
    struct err err = {.text = ""};
    struct kb_port port;

    if (archive_kb_open(s->tables, &s->kit.tables, &err) < 0)
        fail_msg("%s", err.text);
    archive_kb_port(s->kit.tables, &port);
    assert_int_equal(kb_open(&port, &s->kit.kb, &err), 0);
    kit_load(&s->kit);
}

static void shop_close(struct shop *s)
{
    kit_forget(&s->kit);
    kb_close(s->kit.kb);
    archive_kb_close(s->kit.tables);
    s->kit.kb = NULL;
}

static int shop_setup(void **state)
{
    struct shop *s = calloc(1, sizeof *s);
    struct err err;

    log_set_level(LOG_ERROR);
    snprintf(s->dir, sizeof s->dir, "/tmp/firstline-state-XXXXXX");
    if (crypto_start(&err) < 0 || !mkdtemp(s->dir))
        return -1;
    snprintf(s->tables, sizeof s->tables, "%s/kb.sqlite", s->dir);
    snprintf(s->state, sizeof s->state, "%s-learned", s->tables);
    *state = s;
    return 0;
}

static int shop_teardown(void **state)
{
    struct shop *s = *state;
    static const char *const tails[] = {"", "-wal", "-shm", "-learned"};
    char path[128];

    if (s->kit.kb)
        shop_close(s);
    for (size_t i = 0; i < sizeof tails / sizeof tails[0]; i++) {
        snprintf(path, sizeof path, "%s%s", s->tables, tails[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(s->dir), 0); /* nothing else was left there */
    free(s);
    return 0;
}

#define LOOKED 12

/* All confidences of a few questions. */
static void look(struct shop *s, double out[LOOKED])
{
    static const char *const asked[] = {"my gizmo went zonk", "refund please", "退款多久到账", "can I pay by card"};

    for (int i = 0; i < 4; i++) {
        kit_first(&s->kit, asked[i]);
        for (int j = 0; j < 3; j++)
            out[3 * i + j] = s->kit.hits > j ? s->kit.hit[j].confidence : -1;
    }
}

static void teach(struct shop *s, int from, int n)
{
    static const char *const articles[] = {"refund-timing", "gift-cards", "coupons"};
    char question[64], who[8];

    for (int i = from; i < from + n; i++) {
        snprintf(question, sizeof question, "gizmo number %d is %s", i, i % 2 ? "late" : "broken");
        snprintf(who, sizeof who, "r_%d", i % 5);
        if (i % 7 == 3)
            kit_reject(&s->kit, articles[i % 3], question, who);
        else
            assert_int_equal(kit_accept(&s->kit, articles[i % 3], question, who), 0);
    }
}

static void start_again(struct shop *s)
{
    shop_close(s);
    shop_open(s);
}

/* The same, and the file is gone. */
static void start_without(struct shop *s)
{
    shop_close(s);
    assert_int_equal(unlink(s->state), 0);
    shop_open(s);
}

static bool is_there(const char *path)
{
    struct stat st;

    return stat(path, &st) == 0;
}

static void a_start_with_the_file_is_as_one_without_it(void **state)
{
    struct shop *s = *state;
    double before[LOOKED], with[LOOKED], without[LOOKED];

    shop_open(s);
    assert_true(is_there(s->state)); /* of the articles alone */
    teach(s, 0, 30);
    look(s, before);
    start_again(s);
    look(s, with);
    assert_memory_equal(before, with, sizeof before);
    start_without(s);
    look(s, without);
    assert_memory_equal(before, without, sizeof before);
}

static void what_is_learned_after_a_start_from_the_file_is_the_same_too(void **state)
{
    struct shop *s = *state;
    double at_once[LOOKED], in_two[LOOKED];

    shop_open(s);
    teach(s, 0, 40);
    start_again(s);
    teach(s, 40, 40);
    look(s, in_two);
    start_without(s);
    look(s, at_once);
    assert_memory_equal(at_once, in_two, sizeof at_once);
}

static void an_undone_mark_is_undone_in_the_file_too(void **state)
{
    struct shop *s = *state;
    double before[LOOKED], after[LOOKED];

    shop_open(s);
    teach(s, 0, 10);
    look(s, before);
    kit_accept(&s->kit, "coupons", "my gizmo went zonk", "r_9");
    shop_close(s);
    unlink(s->state); /* so that the next one has the mark */
    shop_open(s);
    assert_int_equal(kb_undo(s->kit.kb, STR("coupons"), STR("my gizmo went zonk"), STR("r_9"), NULL), 0);
    start_again(s);
    look(s, after);
    assert_memory_equal(before, after, sizeof before);
}

/* Writes the byte at `at` (of the end, if < 0) anew, or cuts the file there. */
static void spoil(const char *path, long at, bool cut)
{
    FILE *f = fopen(path, "r+e");
    int c;

    assert_non_null(f);
    fseek(f, at, at < 0 ? SEEK_END : SEEK_SET);
    at = ftell(f);
    c = fgetc(f);
    fseek(f, at, SEEK_SET);
    fputc(c ^ 0x55, f);
    fflush(f);
    assert_int_equal(cut ? ftruncate(fileno(f), at) : 0, 0);
    fclose(f);
}

static void a_spoilt_file_is_as_good_as_none(void **state)
{
    struct shop *s = *state;
    static const struct {
        long at;
        bool cut;
    } spoilt[] = {{0, true}, {5, false}, {40, false}, {2000, false}, {-3000, true}, {-1, false}};
    double before[LOOKED], after[LOOKED];

    shop_open(s);
    teach(s, 0, 5);
    look(s, before);
    for (size_t i = 0; i < sizeof spoilt / sizeof spoilt[0]; i++) {
        shop_close(s);
        spoil(s->state, spoilt[i].at, spoilt[i].cut);
        shop_open(s);
        look(s, after);
        assert_memory_equal(before, after, sizeof before);
    }
}

/* Of a set, beside its state: so that it is seen which of both was used. */
static struct kb_set *set_of(struct kb_article **articles, const struct kb_tuning *t)
{
    return kb_set_create(t, articles, 2, STR_NONE);
}

static void write_set(void *ctx, struct kb_io *io)
{
    kb_set_write(ctx, io);
}

static void a_set_is_read_without_a_step_and_only_over_its_own_examples(void **state)
{
    struct shop *s = *state;
    struct kb_article *articles[] = {kb_article_make(STR("a"), STR("en"), STR("Refunds"), STR("Your money comes back in a week.")),
                                     kb_article_make(STR("b"), STR("en"), STR("Coupons"), STR("A code takes ten percent off."))};
    struct kb_mark mark = {STR("b"), STR("is there a voucher"), STR("r_1"), 1, KB_ACCEPTED};
    struct kb_set *one = set_of(articles, &kb_tuning_default), *two = set_of(articles, &kb_tuning_default);
    struct kb_state_head head, read;
    struct kb_io io;

    kb_set_learn(one);
    assert_true(kb_set_mark(one, &mark, NULL) > 0);
    kb_set_head(one, &head);
    assert_int_equal(head.marks, 1);
    assert_int_equal(kb_state_write(s->state, &head, write_set, one, NULL), 0);
    assert_int_equal(kb_state_open(s->state, &io, &read, NULL), 0);
    assert_memory_equal(&read, &head, sizeof head);
    kb_set_head(two, &read);
    assert_true(read.base == head.base && read.chain != head.chain && read.whole != head.whole);
    kb_set_note(two, &mark);
    kb_set_head(two, &read);
    assert_memory_equal(&read, &head, sizeof head);
    assert_int_equal(kb_set_steps(two), 0);
    assert_true(kb_set_read(two, &io));
    assert_true(kb_state_close(&io));
    assert_true(kb_set_steps(two) > 0 && kb_set_steps(two) == kb_set_steps(one));
    kb_set_destroy(one);
    kb_set_destroy(two);
    kb_article_unref(articles[0]);
    kb_article_unref(articles[1]);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, shop_setup, shop_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_start_with_the_file_is_as_one_without_it),
        TEST(what_is_learned_after_a_start_from_the_file_is_the_same_too),
        TEST(an_undone_mark_is_undone_in_the_file_too),
        TEST(a_spoilt_file_is_as_good_as_none),
        TEST(a_set_is_read_without_a_step_and_only_over_its_own_examples),
    };

    return cmocka_run_group_tests_name("kb/state", tests, NULL, NULL);
}

/* The accounts that a file knows: folded whole, those written to last first, and where each log goes on. */
#include "archive_kit.h"

#include "people/people.h"

#define LIFE(n, seq) (INT64_C(1000000) * (n) + (seq))
#define CREATED(login)                                                                                       \
    "\"login\":\"" login "\",\"name\":\"N\",\"roles\":[\"rep\"],\"departments\":[\"d1\"],\"skills\":[],"     \
                         "\"languages\":[\"zh\"],\"password\":\"one\""

struct seen {
    struct people_rep p[4];
    int64_t head[4];
    unsigned n, stop_at;
};

static int on_account(void *ctx, const struct people_rep *p, int64_t head, struct err *err)
{
    struct seen *s = ctx;

    assert_true(s->n < 4);
    s->p[s->n] = *p;
    s->head[s->n++] = head;
    return s->n == s->stop_at ? err_set(err, ERR_GONE, "enough") : 0;
}

static struct seen look(struct kit *k)
{
    struct seen s = {.n = 0};
    struct err err = {.text = ""};

    if (archive_accounts(k->path, "default", on_account, &s, &err) < 0)
        fail_msg("%s", err.text);
    return s;
}

static void add(struct kit *k, const char *log, int64_t seq, const char *kind, const char *rest)
{
    kit_add(k, log, seq, kind, SYSTEM, rest);
}

static void an_account_is_what_its_whole_log_comes_to(void **state)
{
    struct kit *k = *state;
    struct seen s;

    add(k, "r_1", 1, "account_created", CREATED("ann"));
    kit_add_chat(k, "c_1", T0, "d1", "r_1", "no account");
    add(k, "r_1", 2, "shift_started", "\"capacity\":7");
    add(k, "r_1", 3, "account_changed", "\"password\":\"two\"");
    add(k, "r_1", 4, "account_changed", "\"roles\":[\"lead\",\"qa\"],\"departments\":[\"d2\",\"d3\"]");
    add(k, "r_1", 5, "account_changed", "\"disabled\":true");
    kit_append(k);
    s = look(k);
    assert_int_equal(s.n, 1);
    assert_string_equal(s.p[0].id, "r_1");
    assert_string_equal(s.p[0].login, "ann");
    assert_string_equal(s.p[0].password, "two");
    assert_int_equal(s.p[0].roles, ROLE_LEAD | ROLE_QA);
    assert_int_equal(s.p[0].departments.n, 2);
    assert_string_equal(s.p[0].departments.item[1], "d3");
    assert_string_equal(s.p[0].languages.item[0], "zh");
    assert_true(s.p[0].disabled);
    assert_int_equal(s.head[0], 5);
}

static void whose_log_was_written_to_last_comes_first(void **state)
{
    struct kit *k = *state;
    struct seen s;

    add(k, "r_1", 1, "account_created", CREATED("ann"));
    add(k, "r_3", 1, "account_created", CREATED("eve"));
    add(k, "r_2", 1, "account_created", CREATED("ann"));
    add(k, "r_3", 2, "account_changed", "\"disabled\":true");
    kit_append(k);
    s = look(k);
    assert_int_equal(s.n, 3);
    assert_string_equal(s.p[0].id, "r_3");
    assert_string_equal(s.p[1].id, "r_2");
    assert_string_equal(s.p[2].id, "r_1");
}

static void what_another_life_put_back_counts_and_is_where_the_log_stands(void **state)
{
    struct kit *k = *state;
    char *f = kit_frame("r_1", LIFE(1, 1), T0, "account_created", SYSTEM, CREATED("ann"));
    struct archive_row row = {STR("r_1"), LIFE(1, 1), T0, STR_NONE, STR_NONE, str_of(f), 1};
    struct seen s;

    add(k, "r_1", 1, "account_created", CREATED("ann"));
    add(k, "r_1", 2, "account_changed", "\"name\":\"Ann\"");
    archive_batch_add(k->b, &row);
    add(k, "r_1", LIFE(1, 2), "account_changed", "\"password\":\"three\"");
    kit_append(k);
    free(f);
    assert_int_equal(k->result.quarantined_n, 0);
    s = look(k);
    assert_int_equal(s.n, 1);
    assert_string_equal(s.p[0].name, "N");
    assert_string_equal(s.p[0].password, "three");
    assert_int_equal(s.head[0], LIFE(1, 2));
}

static void a_seq_in_quarantine_is_not_given_again(void **state)
{
    struct kit *k = *state;

    add(k, "r_1", 1, "account_created", CREATED("ann"));
    kit_add_raw(k, "r_1", LIFE(1, 1), T0, NULL, NULL, "no event");
    kit_append(k);
    assert_int_equal(k->result.quarantined_n, 1);
    assert_int_equal(look(k).head[0], LIFE(1, 1));
}

static void a_log_without_an_account_is_none(void **state)
{
    struct kit *k = *state;

    add(k, "r_1", 1, "shift_paused", "\"why\":\"away\"");
    add(k, "t_1", 1, "task_opened", "");
    kit_append(k);
    assert_int_equal(look(k).n, 0);
}

static void refuses(struct kit *k, const char *site, unsigned stop_at, int rc, const char *what)
{
    struct seen s = {.stop_at = stop_at};
    struct err err = {.text = ""};

    assert_int_equal(archive_accounts(k->path, site, on_account, &s, &err), rc);
    if (!strstr(err.text, what))
        fail_msg("%s, not %s", err.text, what);
}

static void what_cannot_be_read_is_said(void **state)
{
    struct kit *k = *state;

    add(k, "r_1", 1, "account_created", CREATED("ann"));
    add(k, "r_2", 1, "account_created", CREATED("bob"));
    add(k, "r_2", 2, "account_changed", "\"disabled\":true");
    kit_append(k);
    refuses(k, "other", 0, ERR_INVALID, "belongs to site default");
    refuses(k, "default", 1, ERR_GONE, "enough");
    kit_sql(k, "UPDATE entries SET body = '{\"t\":\"event\",\"disab' WHERE log = 'r_2' AND seq = 2");
    refuses(k, "default", 0, ERR_CORRUPT, "entry 2 of r_2 is damaged");
    kit_close(k);
    snprintf(k->path, sizeof k->path, "%s/none.sqlite", k->dir);
    refuses(k, "default", 0, ERR_NOT_FOUND, "none.sqlite");
}

#define T(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(an_account_is_what_its_whole_log_comes_to),
        T(whose_log_was_written_to_last_comes_first),
        T(what_another_life_put_back_counts_and_is_where_the_log_stands),
        T(a_seq_in_quarantine_is_not_given_again),
        T(a_log_without_an_account_is_none),
        T(what_cannot_be_read_is_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

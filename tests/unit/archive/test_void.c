/* Another life of the live data: what it lacks, what stands again, and what is shown of both. */
#include "archive_kit.h"

#define LIFE(n, seq) (INT64_C(1000000) * (n) + (seq))

static void add(struct kit *k, int64_t seq, const char *ref, const char *kind, const char *rest, int64_t voids_from)
{
    char *f = kit_frame("c_1", seq, T0 + seq, kind, SHOPPER, rest);
    struct archive_row row = {.log = STR("c_1"),
                              .seq = seq,
                              .at_ms = T0 + seq,
                              .person = STR("s_1"),
                              .ref = str_of(ref),
                              .frame = str_of(f),
                              .voids_from = voids_from};

    archive_batch_add(k->b, &row);
    free(f);
}

static void say(struct kit *k, int64_t seq, const char *text, int64_t voids_from)
{
    char rest[100];

    snprintf(rest, sizeof rest, "\"text\":\"%s\"", text);
    add(k, seq, text, "message", rest, voids_from);
}

static int on_line(void *ctx, struct str line)
{
    char kind[40] = "", text[40] = "";
    const char *t = strstr(line.s, "\"text\":\"");
    long long seq;

    assert_int_equal(sscanf(strstr(line.s, "\"seq\":"), "\"seq\":%lld", &seq), 1);
    sscanf(strstr(line.s, "\"kind\":\""), "\"kind\":\"%39[^\"]", kind);
    if (t)
        sscanf(t, "\"text\":\"%39[^\"]", text);
    buf_printf(ctx, "%s%lld %s", ((struct buf *)ctx)->n ? ", " : "", seq, t ? text : kind);
    return 0;
}

/* "seq text, …" as `archive export` has it; a kind stands for what has no text. */
static void export_says(struct kit *k, const char *want)
{
    struct buf out;

    buf_init(&out, 1 << 16);
    assert_int_equal(archive_export(k->path, false, on_line, &out, NULL), 0);
    assert_string_equal(out.p, want);
    buf_fini(&out);
}

static void verify_says(struct kit *k, int rc, const char *what)
{
    struct err err = {.text = ""};
    struct buf out;

    buf_init(&out, 1 << 16);
    assert_int_equal(archive_verify(k->path, &out, &err), rc);
    if (!strstr(out.p, what))
        fail_msg("no %s in %s", what, out.p);
    buf_fini(&out);
}

/* Life 1: started, one, two, three, noted; life 2 has the first two and puts back all but two. */
static void two_lives(struct kit *k)
{
    add(k, 1, "start", "started", "\"site\":\"default\"", 0);
    say(k, 2, "one", 0);
    say(k, 3, "two", 0);
    say(k, 4, "three", 0);
    add(k, 5, NULL, "queued", "\"department\":\"general\"", 0);
    kit_commit(k, 1);
    say(k, LIFE(1, 1), "three", 3);
    add(k, LIFE(1, 2), NULL, "queued", "\"department\":\"general\"", 0);
    say(k, LIFE(1, 3), "four", 0);
    kit_commit(k, 2);
}

static void on_has(void *ctx, int rc, bool has)
{
    struct kit *k = ctx;

    assert_int_equal(rc, 0);
    k->rc = has;
    k->back = true;
}

static bool has_log(struct kit *k, int64_t n, int64_t seq)
{
    assert_int_equal(archive_has_log(k->a, STR("c_1"), n, seq, on_has, k), 0);
    kit_run(k);
    return k->rc;
}

static void on_place(void *ctx, int rc, const struct archive_place *p)
{
    struct kit *k = ctx;

    assert_int_equal(rc, 0);
    k->head = p->seq;
    k->back = true;
}

static void what_stands_again_is_shown_there_and_what_does_not_where_it_stood(void **state)
{
    struct kit *k = *state;
    struct archive_query q = kit_query(ARCHIVE_TRANSCRIPT);

    two_lives(k);
    assert_int_equal(k->result.quarantined_n, 0);
    export_says(k, "1 started, 2 one, 3 two, 1000001 three, 1000002 queued, 1000003 four");
    q.chat = STR("c_1");
    kit_ask(k, &q);
    assert_null(strstr(k->body, "\"seq\":4,"));
    assert_non_null(strstr(k->body, "\"seq\":3,"));
    assert_non_null(strstr(k->body, "\"seq\":1000001,"));
    assert_int_equal(kit_count(k, "SELECT messages FROM chats"), 4);
    assert_string_equal(kit_search(k, "three"), "c_1");
    assert_string_equal(kit_search(k, "two"), "c_1");
    verify_says(k, 0, "8 rows chain");
}

static void a_log_is_there_whole_when_what_stands_of_it_is(void **state)
{
    struct kit *k = *state;

    two_lives(k);
    assert_true(has_log(k, 5, LIFE(1, 3)));
    assert_true(has_log(k, 4, LIFE(1, 2)));
    assert_false(has_log(k, 8, LIFE(1, 3)));
    assert_false(has_log(k, 6, LIFE(1, 4)));
}

static void an_id_names_the_entry_that_stands(void **state)
{
    struct kit *k = *state;

    two_lives(k);
    assert_int_equal(archive_by_ref(k->a, STR("c_1"), STR("s_1"), STR("three"), on_place, k), 0);
    kit_run(k);
    assert_int_equal(k->head, LIFE(1, 1));
}

static void a_third_life_shows_it_once_again(void **state)
{
    struct kit *k = *state;

    two_lives(k);
    say(k, LIFE(2, 1), "three", 3); /* it has nothing of the second one */
    say(k, LIFE(2, 2), "two", 0);   /* repeated by its sender */
    kit_commit(k, 3);
    export_says(k, "1 started, 2 one, 1000002 queued, 1000003 four, 2000001 three, 2000002 two");
    assert_int_equal(kit_count(k, "SELECT messages FROM chats"), 4);
    assert_int_equal(kit_count(k, "SELECT again FROM voided WHERE seq = 4"), LIFE(2, 1));
    verify_says(k, 0, "10 rows chain");
}

static void other_words_under_the_same_id_hide_nothing(void **state)
{
    struct kit *k = *state;

    add(k, 1, "start", "started", "\"site\":\"default\"", 0);
    add(k, 2, "id", "message", "\"text\":\"was acknowledged\"", 0);
    add(k, LIFE(1, 1), "id", "message", "\"text\":\"says something else\"", 2);
    kit_commit(k, 1);
    export_says(k, "1 started, 2 was acknowledged, 1000001 says something else");
    assert_int_equal(k->result.quarantined_n, 0);
}

static void an_erased_text_is_gone_from_every_life(void **state)
{
    struct kit *k = *state;

    two_lives(k);
    add(k, LIFE(1, 4), NULL, "redacted", "\"of\":1000001", 0);
    kit_commit(k, 3);
    assert_int_equal(kit_count(k, "SELECT count(*) FROM entries WHERE body LIKE '%three%'"), 0);
    assert_string_equal(kit_search(k, "three"), "");
    verify_says(k, 0, "2 texts were erased");
}

static void a_row_that_is_hidden_by_hand_is_found(void **state)
{
    struct kit *k = *state;

    two_lives(k);
    kit_sql(k, "UPDATE voided SET again = 1000003 WHERE seq = 3");
    verify_says(k, ERR_CORRUPT, "row 3 (c_1, seq 3): it is left out as said again, and isn't");
}

/* A rating, a missed offer: no text tells them apart. */
static void a_row_without_words_that_is_hidden_by_hand_is_found(void **state)
{
    struct kit *k = *state;

    two_lives(k);
    add(k, LIFE(1, 4), NULL, "offer_missed", "\"to\":{\"id\":\"r_ann\"}", 0);
    add(k, LIFE(1, 5), NULL, "offer_missed", "\"to\":{\"id\":\"r_bob\"}", 0);
    add(k, LIFE(2, 1), NULL, "offer_missed", "\"to\":{\"id\":\"r_bob\"}", LIFE(1, 5));
    kit_commit(k, 3);
    verify_says(k, 0, "11 rows chain");
    kit_sql(k, "INSERT INTO voided VALUES ('c_1', 1000004, 1000005)");
    verify_says(k, ERR_CORRUPT, "row 9 (c_1, seq 1000004): it is left out as said again, and isn't");
    kit_sql(k, "UPDATE voided SET again = 2000001 WHERE seq = 1000004");
    verify_says(k, ERR_CORRUPT, "row 9 (c_1, seq 1000004): it is left out as said again, and isn't");
}

/* Schema 3 kept the commands that stand twice in `moved`, and the id with the first of them. */
static void a_file_of_the_schema_before_shows_each_once(void **state)
{
    struct kit *k = *state;

    two_lives(k);
    kit_close(k);
    kit_sql(k, "UPDATE entries SET ref = NULL WHERE seq = 1000001; UPDATE entries SET ref = 'three' WHERE seq = 4;"
               "CREATE TABLE moved (log TEXT NOT NULL, seq INTEGER NOT NULL, of INTEGER NOT NULL, PRIMARY KEY (log, seq))"
               " STRICT, WITHOUT ROWID; INSERT INTO moved SELECT log, again, seq FROM voided WHERE seq = 4;"
               KIT_BACK_TO_5 "DROP TABLE voided; PRAGMA user_version = 3");
    kit_open(k);
    export_says(k, "1 started, 2 one, 3 two, 5 queued, 1000001 three, 1000002 queued, 1000003 four");
    assert_int_equal(archive_by_ref(k->a, STR("c_1"), STR("s_1"), STR("three"), on_place, k), 0);
    kit_run(k);
    assert_int_equal(k->head, LIFE(1, 1));
    verify_says(k, 0, "8 rows chain");
}

#define T(f) cmocka_unit_test_setup_teardown(f, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(what_stands_again_is_shown_there_and_what_does_not_where_it_stood),
        T(a_log_is_there_whole_when_what_stands_of_it_is),
        T(an_id_names_the_entry_that_stands),
        T(a_third_life_shows_it_once_again),
        T(other_words_under_the_same_id_hide_nothing),
        T(an_erased_text_is_gone_from_every_life),
        T(a_row_that_is_hidden_by_hand_is_found),
        T(a_row_without_words_that_is_hidden_by_hand_is_found),
        T(a_file_of_the_schema_before_shows_each_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

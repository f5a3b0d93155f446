/* Transcripts in their four forms, logs, reviews, audit. */
#include "archive_kit.h"

static void says(struct kit *k, const char *part)
{
    if (!strstr(k->body, part))
        fail_msg("no %s in %s", part, k->body);
}

static void ask(struct kit *k, enum archive_format format, const char *type)
{
    struct archive_query q = kit_query(ARCHIVE_TRANSCRIPT);

    q.chat = STR("c_1");
    q.format = format;
    if (kit_ask(k, &q) < 0)
        fail_msg("%s", k->why);
    assert_string_equal(k->type, type);
}

static void a_transcript_holds_the_events_as_they_were_sent(void **state)
{
    struct kit *k = *state;
    char *f = kit_frame("c_1", 4, T0 + 4, "message", ANN,
                        "\"text\":\"a \\\"b\\\" \\\\ \\u0001 📦\",\"unknown\":[1.50,{}]");

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "我要申请退款");
    kit_add_raw(k, "c_1", 4, T0 + 4, "r_ann", "ref-1", f);
    kit_commit(k, 1);
    ask(k, ARCHIVE_JSON, "application/json");
    assert_int_equal(strncmp(k->body,
                             "{\"chat\":\"c_1\",\"site\":\"default\",\"department\":\"general\",\"shopper\":{"
                             "\"id\":\"s_1\",\"name\":\"小李\"},"
                             "\"owner\":{\"id\":\"r_ann\",\"name\":\"Rep\"}",
                             60),
                     0);
    says(k, "\"complete\":true");
    says(k, f);
    says(k, "\"events\":[{\"t\":\"event\",\"chat\":\"c_1\",\"seq\":1,");
    assert_string_equal(k->body + strlen(k->body) - 3, "}]}");
    ask(k, ARCHIVE_NDJSON, "application/x-ndjson");
    says(k, f);
    for (char *p = k->body; *p; p = strchr(p, '\n') + 1)
        assert_int_equal(*p, '{');
    free(f);
}

static void cells_of_csv_are_quoted_and_no_formulas(void **state)
{
    struct kit *k = *state;

    kit_add(k, "c_1", 1, "started", "{\"role\":\"shopper\",\"id\":\"s_1\",\"name\":\"=1+1\"}", "");
    kit_add(k, "c_1", 2, "message", SHOPPER, "\"text\":\"=HYPERLINK(\\\"http://x\\\")\"");
    kit_add(k, "c_1", 3, "message", SHOPPER, "\"text\":\"+1\"");
    kit_add(k, "c_1", 4, "message", SHOPPER, "\"text\":\"-1\"");
    kit_add(k, "c_1", 5, "message", SHOPPER, "\"text\":\"@SUM(A1)\"");
    kit_add(k, "c_1", 6, "message", SHOPPER, "\"text\":\"\\t=1\"");
    kit_add(k, "c_1", 7, "message", SHOPPER, "\"text\":\"\\r=1\"");
    kit_add(k, "c_1", 8, "message", SHOPPER, "\"text\":\"你好, \\\"a\\\"\\nb = c\"");
    kit_commit(k, 1);
    ask(k, ARCHIVE_CSV, "text/csv; charset=utf-8; header=present");
    assert_int_equal(strncmp(k->body, "seq,time,kind,role,person,name,text,event\r\n", 43), 0);
    says(k, "\"'=1+1\"");
    says(k, ",\"'=HYPERLINK(\"\"http://x\"\")\",");
    says(k, ",\"'+1\",");
    says(k, ",\"'-1\",");
    says(k, ",\"'@SUM(A1)\",");
    says(k, ",\"'\t=1\",");
    says(k, ",\"'\r=1\",");
    says(
        k,
        "8,2025-11-24T16:00:00.008Z,\"message\",\"shopper\",\"s_1\",\"小李\",\"你好, \"\"a\"\"\nb = c\",\"{");
    assert_null(strstr(k->body, ",\"="));
}

static void plain_text_keeps_both_languages_and_forges_no_line(void **state)
{
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_ann",
                 "我要退款\n2025-11-24T16:00:00.000Z  Ann (rep): I pay you\x1b[31m");
    kit_add(k, "c_1", 4, "referred", ANN, "\"who\":\"the post office\",\"how\":\"by phone\",\"by\":\"today\"");
    kit_commit(k, 1);
    ask(k, ARCHIVE_TEXT, "text/plain; charset=utf-8");
    says(k, "chat: c_1\nsite: default\ndepartment: general\nshopper: 小李 (s_1)\nowner: Rep (r_ann)\nstate: "
            "waiting\ncomplete: yes\n\n");
    says(k, "2025-11-24T16:00:00.001Z  小李 (shopper): 我要退款\n    2025-11-24T16:00:00.000Z  Ann (rep): I "
            "pay you [31m\n");
    says(k, "  Rep (rep) [owned]");
    says(k, "  Ann (rep) [referred]: the post office\n    by phone\n    today\n");
}

/* What other writing systems break lines with does it in a browser and an editor too; a terminal takes C1 for ESC and more. */
static void no_other_sign_breaks_a_line_of_plain_text(void **state)
{
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "one\u2028two\u2029three\xc2\x85" "four\xc2\x9b" "31m é “好”");
    kit_commit(k, 1);
    ask(k, ARCHIVE_TEXT, "text/plain; charset=utf-8");
    says(k, "(shopper): one\n    two\n    three\n    four 31m é “好”\n");
}

/* What was done is told as what was said is: to whom, how, how many; nobody reads a form that leaves that out. */
static void plain_text_says_whom_and_how(void **state)
{
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    kit_add(k, "c_1", 4, "transferred", BOB, "\"to\":{\"id\":\"r_bob\",\"name\":\"Bob\"}");
    kit_add(k, "c_1", 5, "assigned", BOB, "\"to\":{\"id\":\"r_cat\"}");
    kit_add(k, "c_1", 6, "transfer_offered", BOB, "\"to\":{\"department\":\"orders\"}");
    kit_add(k, "c_1", 7, "referred", BOB, "\"who\":\"the workshop\",\"how\":\"by phone\\nat nine\"");
    kit_add(k, "c_1", 8, "rated", SHOPPER, "\"score\":2,\"comment\":\"slow\"");
    kit_commit(k, 1);
    ask(k, ARCHIVE_TEXT, "text/plain; charset=utf-8");
    says(k, "[transferred] → Bob\n");
    says(k, "[assigned] → r_cat\n");
    says(k, "[transfer_offered]\n");
    says(k, "[referred]: the workshop\n    by phone\n    at nine\n");
    says(k, "[rated] 2: slow\n");
}

static void an_erased_entry_leaves_a_tombstone(void **state)
{
    static const char tomb[] =
        "{\"t\":\"event\",\"chat\":\"c_1\",\"seq\":2,\"at\":1764000000001,\"kind\":\"redacted\"";
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "13912345678");
    kit_add(k, "c_1", 4, "redacted", SYSTEM, "\"of\":2");
    kit_commit(k, 1);
    for (int f = ARCHIVE_JSON; f <= ARCHIVE_TEXT; f++) {
        struct archive_query q = kit_query(ARCHIVE_TRANSCRIPT);

        q.chat = STR("c_1");
        q.format = (enum archive_format)f;
        assert_int_equal(kit_ask(k, &q), 0);
        assert_null(strstr(k->body, "13912345678"));
        says(k, f == ARCHIVE_TEXT ? "[redacted]" : f == ARCHIVE_CSV ? "\"redacted\"" : tomb);
    }
}

static void a_shopper_reads_own_chats_as_they_were_sent_there(void **state)
{
    struct archive_query q = kit_query(ARCHIVE_TRANSCRIPT);
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "我要退款");
    kit_add(k, "c_1", 4, "note", ANN, "\"text\":\"hidden words\"");
    kit_add(k, "c_1", 5, "message", ANN, "\"text\":\"Done.\",\"article\":\"k_refund\",\"counts\":false");
    kit_add(k, "c_1", 6, "redacted", SYSTEM, "\"of\":4");
    kit_commit(k, 1);
    q.chat = STR("c_1");
    q.brief = true;
    q.shopper = STR("s_1");
    for (int f = ARCHIVE_JSON; f <= ARCHIVE_TEXT; f++) {
        q.format = (enum archive_format)f;
        assert_int_equal(kit_ask(k, &q), 0);
        says(k, "我要退款");
        says(k, "Done.");
        assert_null(strstr(k->body, "hidden words"));
        assert_null(strstr(k->body, "k_refund"));
        assert_null(strstr(k->body, "note"));
    }
    q.format = ARCHIVE_NDJSON;
    assert_int_equal(kit_ask(k, &q), 0);
    says(k, "{\"t\":\"event\",\"chat\":\"c_1\",\"seq\":5,\"at\":1764000000005,\"prev\":3,\"kind\":\"message\",\"from\":{\"role\":\"rep\",\"id\":\"r_ann\",\"name\":\"Ann\"},\"text\":\"Done.\"}\n");
    q.shopper = STR("s_2");
    assert_int_equal(kit_ask(k, &q), ERR_NOT_FOUND);
}

static void a_log_is_read_from_a_seq_on(void **state)
{
    struct archive_query q = kit_query(ARCHIVE_LOG);
    struct kit *k = *state;
    char *two = kit_frame("r_ann", 2, T0 + 2, "shift_ended", ANN, ""), *want;

    kit_add(k, "r_ann", 1, "shift_started", ANN, "");
    kit_add(k, "r_ann", 2, "shift_ended", ANN, "");
    kit_commit(k, 1);
    q.chat = STR("r_ann");
    q.from_seq = 2;
    q.limit = 0;
    assert_int_equal(kit_ask(k, &q), 0);
    assert_true(asprintf(&want, "%s\n", two) > 0);
    assert_string_equal(k->body, want);
    assert_string_equal(k->type, "application/x-ndjson");
    q.from_seq = 3;
    assert_int_equal(kit_ask(k, &q), 0);
    assert_string_equal(k->body, "");
    free(two);
    free(want);
}

static int review(struct kit *k, const char *chat, const char *body)
{
    struct archive_query q = kit_query(ARCHIVE_REVIEW_ADD);

    q.chat = str_of(chat);
    q.by = STR("r_qa");
    q.body = str_of(body);
    return kit_ask(k, &q);
}

static void reviews_are_added_and_listed_newest_first(void **state)
{
    struct archive_query q = kit_query(ARCHIVE_REVIEWS);
    struct kit *k = *state;
    struct buf out;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    kit_add_chat(k, "c_2", T0 + 1000, "general", "r_ann", "hello");
    kit_commit(k, 1);
    assert_int_equal(review(k, "c_1", " { \"score\":87.5,\"comment\":\"好\"}"), 0);
    assert_int_equal(strncmp(k->body, "{\"id\":\"v_", 9), 0);
    says(k, "\"reviewer\":\"r_qa\",\"chat\":\"c_1\",\"score\":87.5,\"comment\":\"好\"}");
    assert_int_equal(review(k, "c_1", "{\"score\":50,\"chat\":\"c_1\"}"), 0);
    assert_int_equal(review(k, "c_2", "{}"), 0);
    assert_int_equal(review(k, "c_none", "{}"), ERR_NOT_FOUND);
    assert_int_equal(review(k, "c_1", "[]"), ERR_INVALID);
    assert_int_equal(review(k, "c_1", "{\"score\":"), ERR_INVALID);
    assert_int_equal(review(k, "c_1", "{\"reviewer\":\"r_ann\"}"), ERR_INVALID);
    q.chat = STR("c_1");
    assert_int_equal(kit_ask(k, &q), 0);
    assert_true(strstr(k->body, "\"score\":50") < strstr(k->body, "\"score\":87.5"));
    assert_null(strstr(k->body, "c_2"));
    q.chat = STR_NONE;
    assert_int_equal(kit_ask(k, &q), 0);
    says(k, "\"chat\":\"c_2\"");
    assert_int_equal(kit_count(k, "SELECT count(*) FROM entries WHERE log = '@reviews'"), 3);
    buf_init(&out, 1 << 20);
    assert_int_equal(archive_verify(k->path, &out, NULL), 0);
    buf_fini(&out);
}

static void audit_lines_are_numbered_entries(void **state)
{
    struct archive_query q = kit_query(ARCHIVE_AUDIT_ADD), l = kit_query(ARCHIVE_LOG);
    struct kit *k = *state;
    int64_t rows, before;
    char head[65];

    archive_head(k->a, &before, head);
    q.by = STR("r_qa");
    q.body = STR("{\"what\":\"read\",\"chat\":\"c_1\"}");
    assert_int_equal(kit_ask(k, &q), 0);
    assert_int_equal(kit_ask(k, &q), 0);
    archive_head(k->a, &rows, head);
    assert_int_equal(rows, before + 2);
    l.chat = STR("@audit");
    l.limit = 0;
    assert_int_equal(kit_ask(k, &l), 0);
    says(k, "\"by\":\"r_qa\",\"what\":\"read\",\"chat\":\"c_1\"}\n{\"id\":");
    kit_add_raw(k, "@audit", 3, T0, NULL, NULL, "{}"); /* nobody else writes there */
    assert_int_equal(kit_commit(k, 1)->quarantined_n, 1);
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_transcript_holds_the_events_as_they_were_sent),
        T(cells_of_csv_are_quoted_and_no_formulas),
        T(plain_text_keeps_both_languages_and_forges_no_line),
        T(no_other_sign_breaks_a_line_of_plain_text),
        T(plain_text_says_whom_and_how),
        T(an_erased_entry_leaves_a_tombstone),
        T(a_shopper_reads_own_chats_as_they_were_sent_there),
        T(a_log_is_read_from_a_seq_on),
        T(reviews_are_added_and_listed_newest_first),
        T(audit_lines_are_numbered_entries),
    };

    return cmocka_run_group_tests_name("archive/transcript", tests, NULL, NULL);
}

/* Lists and searches: what is found, in what order, by whom. */
#include "archive_kit.h"

#include "archive/archive_reader.h"

/*
 * Connections of this process to the archive, by their descriptors of its WAL. (Of the file itself SQLite keeps those of closed ones for the
 * next that opens: closing one would give up the locks of the others.)
 */
static int connections(const struct kit *k)
{
    char link[64], file[256], wal[160];
    int n = 0;

    snprintf(wal, sizeof wal, "%s-wal", k->path);

    for (int fd = 0; fd < 1024; fd++) {
        ssize_t len;

        snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
        len = readlink(link, file, sizeof file - 1);
        file[len < 0 ? 0 : len] = '\0';
        n += strcmp(file, wal) == 0;
    }
    return n;
}

static void readers_that_nobody_uses_any_more_are_closed_but_for_one(void **state)
{
    struct archive_query q = kit_query(ARCHIVE_LOG);
    struct kit *k = *state;
    struct archive_pool *p = archive_pool_create(k->path);
    struct archive_reader *r[3];
    int before, one;

    q.chat = STR("c_1");
    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    kit_commit(k, 1);
    kit_ask(k, &q);
    before = connections(k);
    for (int i = 0; i < 3; i++) {
        int64_t seq = 0;

        assert_int_equal(archive_pool_take(p, 1000, &r[i], NULL), 0);
        assert_int_equal(archive_read_log_head(r[i], STR("c_1"), &seq, NULL), 0);
        assert_int_equal(seq, 3);
        if (i == 0)
            one = connections(k);
    }
    assert_int_equal(one, before + 1);
    for (int i = 0; i < 3; i++)
        archive_pool_give(p, r[i], false);
    archive_pool_trim(p); /* they may be needed again at once */
    assert_int_equal(connections(k), before + 3);
    while (archive_pool_is_wide(p)) {
        usleep(20000);
        archive_pool_trim(p);
    }
    assert_int_equal(connections(k), one);
    archive_pool_destroy(p);
    assert_int_equal(connections(k), before);
}

static const char *list(struct kit *k, const struct archive_query *q)
{
    if (kit_ask(k, q) < 0)
        fail_msg("list: %d %s", k->rc, k->why);
    return kit_chats(k);
}

static void says(struct kit *k, const char *part)
{
    if (!strstr(k->body, part))
        fail_msg("no %s in %s", part, k->body);
}

static void chats_come_newest_first_with_what_lists_show(void **state)
{
    struct archive_query q = kit_query(ARCHIVE_LIST);
    struct kit *k = *state;

    kit_add_chat(k, "c_old", T0, "general", "r_ann", "hello");
    kit_add_chat(k, "c_new", T0 + 5000, "sales", NULL, "hi");
    kit_add(k, "r_ann", 1, "shift_started", ANN, "");
    kit_commit(k, 1);
    assert_string_equal(list(k, &q), "c_new c_old");
    assert_string_equal(k->type, "application/json");
    says(k, "{\"chat\":\"c_old\",\"department\":\"general\",\"owner\":{\"id\":\"r_ann\",\"name\":\"Rep\"},"
            "\"handler\":null,\"shopper\":{\"id\":\"s_1\",\"name\":\"小李\"},\"started\":1764000000000,\"ended\":null,"
            "\"state\":\"waiting\","
            "\"messages\":1,\"owner_changed\":false");
    says(k, "{\"chat\":\"c_new\",\"department\":\"sales\",\"owner\":null");
    says(k, "\"next\":null");
}

/* MISSION "People": the past chats of a shopper whom they handle now */
static void who_handles_a_shopper_sees_their_chats(void **state)
{
    struct archive_query q = kit_query(ARCHIVE_LIST), t = kit_query(ARCHIVE_TRANSCRIPT);
    struct kit *k = *state;

    kit_add_chat(k, "c_past", T0, "general", "r_bob", "hello");
    kit_add_chat(k, "c_now", T0 + 5000, "sales", NULL, "hi again");
    kit_add(k, "c_now", 3, "assigned", SYSTEM, "\"to\":{\"id\":\"r_ann\",\"name\":\"Ann\"}");
    kit_commit(k, 1);
    q.reader_all = t.reader_all = false;
    q.reader_id = t.reader_id = STR("r_ann");
    t.chat = STR("c_past");
    assert_string_equal(list(k, &q), "c_now");
    q.shopper = STR("s_1");
    assert_string_equal(list(k, &q), "c_now c_past");
    assert_int_equal(kit_ask(k, &t), 0);
    q.reader_id = STR("r_bob");
    assert_string_equal(list(k, &q), "c_past");
    q.shopper = STR("s_2");
    q.reader_all = true;
    assert_string_equal(list(k, &q), "");
    kit_add(k, "c_now", 4, "closed", SYSTEM, "\"how\":\"confirmed\"");
    kit_commit(k, 2);
    q.reader_all = false;
    q.reader_id = STR("r_ann");
    q.shopper = STR("s_1");
    assert_string_equal(list(k, &q), "c_now");
    assert_int_equal(kit_ask(k, &t), ERR_NOT_FOUND);
    q.reader_all = q.brief = true;
    assert_string_equal(list(k, &q), "c_now c_past");
    says(k, "{\"chat\":\"c_past\",\"started\":1764000000000,\"state\":\"waiting\",\"owner\":{\"id\":\"r_bob\",\"name\":\"Rep\"}}");
}

/* It waits again: nobody handles it, and so nobody reads on by it. */
static void whose_chat_goes_back_to_the_queue_handles_it_no_more(void **state)
{
    struct archive_query q = kit_query(ARCHIVE_LIST);
    struct kit *k = *state;

    kit_add_chat(k, "c_past", T0, "general", "r_bob", "hello");
    kit_add_chat(k, "c_now", T0 + 5000, "general", NULL, "hi again");
    kit_add(k, "c_now", 3, "assigned", SYSTEM, "\"to\":{\"id\":\"r_ann\",\"name\":\"Ann\"}");
    kit_add(k, "c_now", 4, "triaged", ANN, "\"department\":\"sales\",\"why\":\"rep\"");
    kit_add(k, "c_now", 5, "queued", SYSTEM, "\"department\":\"sales\",\"why\":\"triaged\"");
    kit_commit(k, 1);
    q.shopper = STR("s_1");
    assert_string_equal(list(k, &q), "c_now c_past");
    says(k, "{\"chat\":\"c_now\",\"department\":\"sales\",\"owner\":null,\"handler\":null");
    q.reader_all = false;
    q.reader_id = STR("r_ann");
    assert_string_equal(list(k, &q), "c_now");
}

#define OFFERED "\"to\":{\"id\":\"r_ann\",\"name\":\"Ann\",\"department\":\"sales\"},\"deadline_at\":1"
#define TAKEN   "\"to\":{\"id\":\"r_ann\",\"name\":\"Ann\"},\"handler\":{\"id\":\"r_ann\",\"name\":\"Ann\"}"

static const char *of_department(struct kit *k, const char *department)
{
    struct archive_query q = kit_query(ARCHIVE_LIST);

    q.department = str_of(department);
    return list(k, &q);
}

/* Rule 2.4: accepted, and not before; however long that takes. */
static void a_chat_handed_to_a_department_is_that_departments(void **state)
{
    static const char leads[][64] = {"sales", ""};
    struct archive_query q = kit_query(ARCHIVE_TRANSCRIPT);
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_bob", "hello");
    kit_add(k, "c_1", 4, "transfer_offered", BOB, OFFERED);
    kit_commit(k, 1);
    assert_string_equal(of_department(k, "general"), "c_1");
    kit_close(k);
    kit_open(k);
    kit_add(k, "c_1", 5, "transferred", ANN, TAKEN);
    kit_commit(k, 2);
    assert_string_equal(of_department(k, "sales"), "c_1");
    assert_string_equal(of_department(k, "general"), "");
    q.chat = STR("c_1");
    q.reader_all = false;
    q.reader_id = STR("r_lea");
    q.reader_departments = leads;
    assert_int_equal(kit_ask(k, &q), 0);
    kit_add(k, "c_1", 6, "transfer_offered", ANN, "\"to\":{\"id\":\"r_bob\",\"name\":\"Bob\"},\"deadline_at\":1");
    kit_add(k, "c_1", 7, "transferred", BOB, "\"to\":{\"id\":\"r_bob\"},\"handler\":{\"id\":\"r_bob\",\"name\":\"Bob\"}");
    kit_commit(k, 3);
    assert_string_equal(of_department(k, "sales"), "c_1");
}

/* Schema 5 left a chat that was handed over in its first department, and the handler of one that went back to the queue. */
static void a_file_of_the_schema_before_knows_where_chats_were_handed(void **state)
{
    struct kit *k = *state;

    kit_add_chat(k, "c_handed", T0, "general", "r_bob", "hello");
    kit_add(k, "c_handed", 4, "transfer_offered", BOB, OFFERED);
    kit_add(k, "c_handed", 5, "transferred", ANN, TAKEN);
    kit_add_chat(k, "c_led_on", T0 + 1000, "general", "r_bob", "hello");
    kit_add(k, "c_led_on", 4, "transfer_offered", BOB, OFFERED);
    kit_add(k, "c_led_on", 5, "transferred", ANN, TAKEN);
    kit_add(k, "c_led_on", 6, "queued", SYSTEM, "\"department\":\"returns\"");
    kit_add_chat(k, "c_offered", T0 + 2000, "general", "r_bob", "hello");
    kit_add(k, "c_offered", 4, "assigned", BOB, "\"to\":{\"id\":\"r_bob\",\"name\":\"Bob\"}");
    kit_add(k, "c_offered", 5, "transfer_offered", BOB, OFFERED);
    kit_commit(k, 1);
    kit_close(k);
    kit_sql(k, "UPDATE chats SET department = 'general' WHERE chat = 'c_handed'; UPDATE chats SET handler = 'r_ann' WHERE chat = 'c_led_on';"
               KIT_BACK_TO_5 "PRAGMA user_version = 5");
    kit_open(k);
    assert_string_equal(of_department(k, "sales"), "c_handed");
    assert_string_equal(of_department(k, "returns"), "c_led_on");
    says(k, "\"handler\":null");
    assert_string_equal(of_department(k, "general"), "c_offered");
    kit_add(k, "c_offered", 6, "transferred", ANN, TAKEN);
    kit_commit(k, 2);
    assert_string_equal(of_department(k, "sales"), "c_offered c_handed");
}

static void a_list_of_nothing_is_empty(void **state)
{
    struct archive_query q = kit_query(ARCHIVE_LIST);
    struct kit *k = *state;

    assert_string_equal(list(k, &q), "");
    assert_string_equal(k->body, "{\"items\":[],\"next\":null}");
    assert_string_equal(kit_search(k, "x"), "");
}

static void words_of_any_language_are_found(void **state)
{
    struct kit *k = *state;

    kit_add_chat(k, "c_zh", T0, "general", "r_ann", "我要申请退款，订单 20231 的包裹还没到");
    kit_add_chat(k, "c_en", T0 + 1000, "general", "r_ann",
                 "It was damaged 📦 and I can't wait for the Refunds");
    kit_add_chat(k, "c_mix", T0 + 2000, "general", "r_ann", "iPhone壳坏了, refund退款?");
    kit_commit(k, 1);
    assert_string_equal(kit_search(k, "退款"), "c_mix c_zh");
    assert_string_equal(kit_search(k, "退"), "c_mix c_zh");
    assert_string_equal(kit_search(k, "申请退款"), "c_zh");
    assert_string_equal(kit_search(k, "请申"), "");
    assert_string_equal(kit_search(k, "20231"), "c_zh");
    assert_string_equal(kit_search(k, "damaged"), "c_en");
    assert_string_equal(kit_search(k, "REFUND"), "c_mix c_en");
    assert_string_equal(kit_search(k, "refund 壳"), "c_mix");
    assert_string_equal(kit_search(k, "退款 包裹"), "c_zh");
    assert_string_equal(kit_search(k, "退款 damaged"), "");
    assert_string_equal(kit_search(k, "cant"), "c_en");
    assert_string_equal(kit_search(k, "小李"), "c_mix c_en c_zh"); /* the shopper's name */
}

static void words_may_stand_in_different_entries_of_one_chat(void **state)
{
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "my parcel is late");
    kit_add_chat(k, "c_2", T0 + 1000, "general", "r_ann", "my parcel came");
    kit_commit(k, 1);
    kit_add(k, "c_1", 4, "note", ANN, "\"text\":\"客人很生气\"");
    kit_add(k, "c_1", 5, "consulted", ANN,
            "\"to\":{\"id\":\"r_bob\"},\"question\":\"who pays the courier?\"");
    kit_add(k, "c_1", 6, "resolution_proposed", ANN, "\"summary\":\"voucher\"");
    kit_add(k, "c_1", 7, "referred", ANN, "\"who\":\"the post office\",\"how\":\"请拨打 95338\",\"by\":\"on Friday\"");
    kit_commit(k, 2);
    assert_string_equal(kit_search(k, "parcel 生气"), "c_1");
    assert_string_equal(kit_search(k, "courier parcel"), "c_1");
    assert_string_equal(kit_search(k, "voucher"), "c_1");
    assert_string_equal(kit_search(k, "95338"), "c_1");
    assert_string_equal(kit_search(k, "office friday"), "c_1");
    assert_string_equal(kit_search(k, "parcel"), "c_2 c_1");
}

static void signs_of_the_search_language_are_only_signs(void **state)
{
    static const char *const odd[] = {"\"",
                                      "'",
                                      "*",
                                      "-",
                                      "^",
                                      ":",
                                      "NEAR(",
                                      "parcel NEAR/2 x",
                                      "text:x",
                                      "\"parcel",
                                      "AND",
                                      "OR",
                                      "NOT x",
                                      "parcel OR zz",
                                      "%",
                                      "_",
                                      "');DROP TABLE entries;--",
                                      "\\",
                                      "( ( (",
                                      "parcel AND",
                                      "{a b}: c",
                                      "\x01\x02",
                                      "\xff\xfe",
                                      "+",
                                      "a+b"};
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "my parcel");
    kit_commit(k, 1);
    for (size_t i = 0; i < sizeof odd / sizeof *odd; i++)
        assert_string_equal(kit_search(k, odd[i]), strcmp(odd[i], "\"parcel") == 0 ? "c_1" : "");
    assert_string_equal(kit_search(k, "parcel*"), "c_1");
    assert_string_equal(kit_search(k, "par*"), "");
    assert_string_equal(kit_search(k, "parcel%"), "c_1");
    assert_int_equal(kit_count(k, "SELECT count(*) FROM entries"), 3);
}

static void a_search_that_is_too_long_is_refused(void **state)
{
    struct archive_query q = kit_query(ARCHIVE_LIST);
    char *text = malloc(1 << 20);
    struct kit *k = *state;

    memset(text, 'a', 1 << 20);
    q.q = (struct str){text, 1 << 20};
    assert_int_equal(kit_ask(k, &q), ERR_INVALID);
    q.q.n = 2000;
    assert_int_equal(kit_ask(k, &q), 0);
    for (size_t i = 0; i < 2000; i += 2)
        text[i] = ' ';
    assert_int_equal(kit_ask(k, &q), 0);
    free(text);
}

static void a_snippet_shows_where_it_was_said(void **state)
{
    struct kit *k = *state;
    char text[1200] = "";

    for (int i = 0; i < 60; i++)
        strcat(text, "前面的话。 ");
    strcat(text, "我要退款! \\n and a refund 📦 for my two refunds");
    for (int i = 0; i < 40; i++)
        strcat(text, " 后");
    kit_add_chat(k, "c_1", T0, "general", "r_ann", "退款吧");
    kit_add_chat(k, "c_2", T0 + 1000, "general", "r_ann", text);
    kit_commit(k, 1);
    kit_search(k, "退款 refund");
    says(k, "\"snippet\":\"…");
    says(k, "我要退款! ");
    says(k, "\"marks\":[[41,2],");
    kit_search(k, "退款");
    says(k, "\"snippet\":\"退款吧\",\"marks\":[[0,2]]");
}

static void filters_leave_what_fits(void **state)
{
    struct archive_query q = kit_query(ARCHIVE_LIST);
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "退款");
    kit_add_chat(k, "c_2", T0 + 10000, "sales", "r_bob", "退款");
    kit_add_chat(k, "c_3", T0 + 20000, "sales", "r_ann", "hello");
    kit_commit(k, 1);
    kit_add(k, "c_1", 4, "tagged", ANN, "\"add\":[\"vip\",\"late\"]");
    kit_add(k, "c_1", 5, "tagged", ANN, "\"remove\":[\"late\"]");
    kit_add(k, "c_1", 6, "rated", SHOPPER, "\"score\":2");
    kit_add(k, "c_2", 4, "transferred", BOB, "\"to\":{\"id\":\"r_cat\",\"name\":\"Cat\"}");
    kit_add(k, "c_2", 5, "owned", SYSTEM, "\"owner\":{\"id\":\"r_cat\",\"name\":\"Cat\"}");
    kit_commit(k, 2);

    q.department = STR("sales");
    assert_string_equal(list(k, &q), "c_3 c_2");
    q.q = STR("退款");
    assert_string_equal(list(k, &q), "c_2");
    q = kit_query(ARCHIVE_LIST);
    q.rep = STR("r_ann");
    assert_string_equal(list(k, &q), "c_3 c_1");
    q.rep = STR("r_cat");
    assert_string_equal(list(k, &q), "c_2");
    q = kit_query(ARCHIVE_LIST);
    q.tag = STR("vip");
    assert_string_equal(list(k, &q), "c_1");
    says(k, "\"tags\":[\"vip\"]");
    says(k, "\"rating\":2");
    q.tag = STR("late");
    assert_string_equal(list(k, &q), "");
    q = kit_query(ARCHIVE_LIST);
    q.rating = 2;
    assert_string_equal(list(k, &q), "c_1");
    q.rating = 3;
    assert_string_equal(list(k, &q), "");
    q = kit_query(ARCHIVE_LIST);
    q.owner_changed = 1;
    assert_string_equal(list(k, &q), "c_2");
    q.owner_changed = 0;
    assert_string_equal(list(k, &q), "c_3 c_1");
    q = kit_query(ARCHIVE_LIST);
    q.from_ms = T0 + 10000;
    assert_string_equal(list(k, &q), "c_3 c_2");
    q.to_ms = T0 + 10000;
    assert_string_equal(list(k, &q), "c_2");
    q.from_ms = -1;
    q.to_ms = T0 + 9999;
    assert_string_equal(list(k, &q), "c_1");
    q.to_ms = INT64_MAX;
    q.from_ms = INT64_MAX;
    assert_string_equal(list(k, &q), "");
}

static void take_cursor(struct kit *k, char out[64])
{
    const char *p = strstr(k->body, "\"next\":\"");

    out[0] = '\0';
    if (p)
        snprintf(out, 64, "%.*s", (int)strcspn(p + 8, "\""), p + 8);
}

/* Walks all pages; in between new chats come in, which must not show. */
static void walk_pages(struct kit *k, struct archive_query q, const char *want)
{
    char all[4000] = "", cursor[64] = "", name[32];
    int pages = 0;

    do {
        q.cursor = str_of(cursor);
        if (all[0])
            strcat(all, " ");
        strcat(all, list(k, &q));
        take_cursor(k, cursor);
        snprintf(name, sizeof name, "c_late%u%d", q.limit, pages);
        kit_add_chat(k, name, T0 + 100000 + q.limit * 100 + pages, "general", "r_ann", "退款");
        kit_commit(k, 100);
        assert_true(++pages < 20);
    } while (cursor[0]);
    assert_string_equal(all, want);
}

static void pages_hold_each_chat_once_while_new_ones_come(void **state)
{
    struct archive_query q = kit_query(ARCHIVE_LIST);
    struct kit *k = *state;

    for (int i = 0; i < 7; i++) {
        char log[16];

        snprintf(log, sizeof log, "c_%d", i);
        kit_add_chat(k, log, T0 + i / 2, "general", "r_ann",
                     i == 3 ? "hello" : "退款"); /* some began at once */
    }
    kit_commit(k, 1);
    q.to_ms = T0 + 1000;
    q.limit = 3;
    walk_pages(k, q, "c_6 c_5 c_4 c_3 c_2 c_1 c_0");
    q.limit = 1;
    q.q = STR("退款");
    walk_pages(k, q, "c_6 c_5 c_4 c_2 c_1 c_0");
    q.limit = 6; /* the last page is full, and there is no other */
    assert_string_equal(list(k, &q), "c_6 c_5 c_4 c_2 c_1 c_0");
    says(k, "\"next\":null");
    q.limit = 100000;
    assert_int_equal(kit_ask(k, &q), 0);
}

static void a_cursor_that_is_none_of_ours_is_refused(void **state)
{
    static const char *const bad[] = {"x",    "1",     "1-",   "1zz-1",   "1ffffffffffffffffff-1",
                                      "10-0", "1-5-0", "15-6", "'; DROP", "15-5x", "1f-00", "1 f-0", "1+f-0", "10xf-0", "1F-0"};
    struct archive_query q = kit_query(ARCHIVE_LIST);
    struct kit *k = *state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        q.cursor = str_of(bad[i]);
        assert_int_equal(kit_ask(k, &q), ERR_INVALID);
    }
}

static void a_reader_sees_own_chats_and_a_lead_those_of_the_department(void **state)
{
    static const char sales[][64] = {"sales", "returns", ""};
    struct archive_query q = kit_query(ARCHIVE_LIST), t = kit_query(ARCHIVE_TRANSCRIPT);
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "退款");
    kit_add_chat(k, "c_2", T0 + 1000, "sales", "r_bob", "退款");
    kit_add_chat(k, "c_3", T0 + 2000, "general", NULL, "退款");
    kit_commit(k, 1);
    kit_add(k, "c_2", 4, "consulted", BOB, "\"to\":{\"id\":\"r_dan\"},\"question\":\"?\"");
    kit_add(k, "c_1", 4, "assigned", SYSTEM, "\"to\":{\"id\":\"r_cat\",\"name\":\"Cat\"}");
    kit_add(k, "c_3", 3, "offered", SYSTEM, "");
    kit_commit(k, 2);
    q.reader_all = t.reader_all = false;
    for (int search = 0; search < 2; search++) {
        q.q = search ? STR("退款") : STR_NONE;
        q.reader_departments = NULL;
        q.reader_id = STR("r_ann");
        assert_string_equal(list(k, &q), "c_1");
        q.reader_id = STR("r_cat");
        assert_string_equal(list(k, &q), "c_1");
        q.reader_id = STR("r_dan");
        assert_string_equal(list(k, &q), "c_2");
        q.reader_id = STR("r_eve");
        assert_string_equal(list(k, &q), "");
        q.reader_id = STR_NONE;
        assert_string_equal(list(k, &q), "");
        q.reader_id = STR("r_ann");
        q.reader_departments = sales;
        assert_string_equal(list(k, &q), "c_2 c_1");
        q.rep = STR("r_bob"); /* a filter widens nothing */
        q.reader_departments = NULL;
        assert_string_equal(list(k, &q), "");
        q.rep = STR_NONE;
    }
    t.chat = STR("c_2");
    t.reader_id = STR("r_ann");
    assert_int_equal(kit_ask(k, &t), ERR_NOT_FOUND);
    assert_string_equal(k->body, "");
    t.reader_departments = sales;
    assert_int_equal(kit_ask(k, &t), 0);
    t.reader_departments = NULL;
    t.reader_id = STR("r_dan");
    assert_int_equal(kit_ask(k, &t), 0);
    t.chat = STR("c_none");
    assert_int_equal(kit_ask(k, &t), ERR_NOT_FOUND);
}

/* MISSION "People": a rep reads what came of their own work, and not how a colleague was marked who asked them something. */
static void only_who_owned_or_handled_a_chat_has_it_as_own(void **state)
{
    static const char leads[][64] = {"general", ""};
    struct archive_query q = kit_query(ARCHIVE_TRANSCRIPT);
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "hello");
    kit_add(k, "c_1", 4, "consulted", ANN, "\"to\":{\"id\":\"r_bob\"},\"question\":\"who pays?\"");
    kit_add_chat(k, "c_2", T0 + 1000, "general", "r_eve", "hello again");
    kit_add(k, "c_2", 4, "assigned", SYSTEM, "\"to\":{\"id\":\"r_cid\",\"name\":\"Cid\"}");
    kit_commit(k, 1);
    q.chat = STR("c_1");
    q.reader_all = false;
    for (int own = 0; own < 2; own++) {
        q.own_only = own;
        q.reader_id = STR("r_ann");
        assert_int_equal(kit_ask(k, &q), 0);
        q.reader_id = STR("r_bob");
        assert_int_equal(kit_ask(k, &q), own ? ERR_NOT_FOUND : 0);
        q.reader_id = STR("r_cid"); /* handles another chat of that shopper now */
        assert_int_equal(kit_ask(k, &q), own ? ERR_NOT_FOUND : 0);
        q.reader_departments = leads;
        assert_int_equal(kit_ask(k, &q), 0);
        q.reader_departments = NULL;
    }
}

static void a_search_that_takes_too_long_is_told(void **state)
{
    struct archive_wish w = {.q = kit_query(ARCHIVE_LIST), .departments = STR("[]")};
    struct archive_reader *r;
    struct err err = {.text = ""};
    struct kit *k = *state;
    struct archive_pool *p = archive_pool_create(k->path);
    struct buf out;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "退款");
    kit_commit(k, 1);
    buf_init(&out, 1 << 20);
    w.q.q = STR("退款");
    assert_int_equal(archive_pool_take(p, 0, &r, &err), 0);
    assert_int_equal(archive_read_list(r, &w, &out, &err), ERR_TIMEOUT);
    archive_pool_give(p, r, false);
    buf_reset(&out);
    assert_int_equal(archive_pool_take(p, 2000, &r, &err), 0); /* the same reader answers again */
    assert_int_equal(archive_read_list(r, &w, &out, &err), 0);
    assert_non_null(strstr(out.p, "c_1"));
    archive_pool_give(p, r, false);
    archive_pool_destroy(p);
    buf_fini(&out);
}

static void a_list_follows_a_chat_to_its_end(void **state)
{
    struct archive_query q = kit_query(ARCHIVE_LIST);
    struct kit *k = *state;

    kit_add_chat(k, "c_1", T0, "general", "r_ann", "退款");
    kit_commit(k, 1);
    kit_add(k, "c_1", 4, "queued", SYSTEM, "\"department\":\"returns\"");
    kit_add(k, "c_1", 5, "assigned", SYSTEM, "\"to\":{\"id\":\"r_bob\",\"name\":\"Bob\"}");
    kit_add(k, "c_1", 6, "message", BOB, "\"text\":\"done\"");
    kit_add(k, "c_1", 7, "identified", SYSTEM, "\"shopper\":{\"id\":\"s_9\",\"name\":\"李四\"}");
    kit_add(k, "c_1", 8, "closed", SYSTEM, "\"how\":\"confirmed\"");
    kit_add(k, "c_1", 9, "rated", SHOPPER, "\"score\":5,\"comment\":\"好\"");
    kit_commit(k, 2);
    list(k, &q);
    says(k, "\"department\":\"returns\"");
    says(k, "\"owner\":{\"id\":\"r_ann\"");
    says(k, "\"shopper\":{\"id\":\"s_9\",\"name\":\"李四\"}");
    says(k, "\"ended\":1764000000008,\"state\":\"closed\",\"rating\":5,\"messages\":2");
    kit_close(k);
    kit_open(k); /* the same from the table */
    kit_add(k, "c_1", 10, "tagged", ANN, "\"add\":[\"x\"]");
    kit_commit(k, 3);
    list(k, &q);
    says(k, "\"ended\":1764000000008,\"state\":\"closed\",\"rating\":5,\"messages\":2,\"tags\":[\"x\"]");
}

#define T(name) cmocka_unit_test_setup_teardown(name, kit_setup, kit_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(readers_that_nobody_uses_any_more_are_closed_but_for_one),
        T(chats_come_newest_first_with_what_lists_show),
        T(who_handles_a_shopper_sees_their_chats),
        T(whose_chat_goes_back_to_the_queue_handles_it_no_more),
        T(a_chat_handed_to_a_department_is_that_departments),
        T(a_file_of_the_schema_before_knows_where_chats_were_handed),
        T(a_list_of_nothing_is_empty),
        T(words_of_any_language_are_found),
        T(words_may_stand_in_different_entries_of_one_chat),
        T(signs_of_the_search_language_are_only_signs),
        T(a_search_that_is_too_long_is_refused),
        T(a_snippet_shows_where_it_was_said),
        T(filters_leave_what_fits),
        T(pages_hold_each_chat_once_while_new_ones_come),
        T(a_cursor_that_is_none_of_ours_is_refused),
        T(a_reader_sees_own_chats_and_a_lead_those_of_the_department),
        T(only_who_owned_or_handled_a_chat_has_it_as_own),
        T(a_search_that_takes_too_long_is_told),
        T(a_list_follows_a_chat_to_its_end),
    };

    return cmocka_run_group_tests_name("archive/list", tests, NULL, NULL);
}

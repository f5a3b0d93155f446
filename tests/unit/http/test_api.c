/* The JSON API on real sockets: who may, what is refused, what the archive is asked. The archive itself is a stand-in. */
#include "net/net_rig.h"

#include "archive/archive.h"
#include "base/base_json.h"
#include "http/http.h"
#include "protocol/protocol.h"

/* ── the archive's stand-in ──────────────────────────────────────────── */

static struct {
    struct archive_query q; /* the last question that was no audit entry */
    char chat[80], text[300], rep[80], department[80], reader[80], by[80], body[4000], departments[300];
    unsigned audits;
    char audit[600];
    int rc;    /* what it answers */
    bool full; /* it takes no question */
} asked;

struct archive {
    int unused;
};
static struct archive the_archive;

static void keep(char *out, size_t n, struct str s)
{
    snprintf(out, n, "%.*s", s.s ? (int)s.n : 0, s.s ? s.s : "");
}

int archive_ask(struct archive *a, const struct archive_query *q,
                void (*cb)(void *ctx, int rc, const char *type, struct str body, const char *why), void *ctx)
{
    (void)a;
    if (asked.full)
        return ERR_FULL;
    if (q->kind == ARCHIVE_AUDIT_ADD) {
        asked.audits++;
        keep(asked.audit, sizeof asked.audit, q->body);
        cb(ctx, 0, "application/json", STR("{}"), NULL);
        return 0;
    }
    asked.q = *q;
    keep(asked.chat, sizeof asked.chat, q->chat);
    keep(asked.text, sizeof asked.text, q->q);
    keep(asked.rep, sizeof asked.rep, q->rep);
    keep(asked.department, sizeof asked.department, q->department);
    keep(asked.reader, sizeof asked.reader, q->reader_id);
    keep(asked.by, sizeof asked.by, q->by);
    keep(asked.body, sizeof asked.body, q->body);
    asked.departments[0] = '\0';
    for (size_t i = 0; q->reader_departments && q->reader_departments[i][0]; i++)
        snprintf(asked.departments + strlen(asked.departments), 100, "%s;", q->reader_departments[i]);
    cb(ctx, asked.rc, "application/json", asked.rc ? STR("") : STR("{\"made\":\"by the archive\"}"), "not like that");
    return 0;
}

/* ── the port ────────────────────────────────────────────────────────── */

static bool archive_is_away, has_no_account, can_serve = true;

static void on_who(void *ctx, struct http_call *call, struct str cookie, struct str bearer)
{
    static const struct {
        const char *token;
        unsigned roles;
    } rows[] = {{"rep", ROLE_REP},     {"lead", ROLE_REP | ROLE_LEAD},  {"qa", ROLE_QA},    {"director", ROLE_DIRECTOR},
                {"admin", ROLE_ADMIN}, {"editor", ROLE_EDITOR}};
    struct http_who who = {.roles = 0, .by_cookie = !bearer.s, .id = "r_me", .name = "Me", .login = "me", .site = "default",
                           .departments = {"general", "repairs"}};
    struct str token = bearer.s ? bearer : cookie;

    (void)ctx;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (str_is(token, rows[i].token))
            who.roles = rows[i].roles;
    if (str_is(token, "chief")) {
        who.roles = ROLE_LEAD;
        for (int i = 0; i < 16; i++)
            snprintf(who.departments[i], sizeof who.departments[i], "d%d", i);
    }
    http_call_who(call, &who);
}

static void on_login(void *ctx, struct http_call *call, struct str login, struct str password, const char *address)
{
    struct http_who who = {.roles = ROLE_REP | ROLE_QA, .id = "r_ann", .name = "Ann \"A\"", .login = "ann", .site = "default",
                           .departments = {"general"}};

    (void)ctx;
    assert_string_equal(address, "127.0.0.1");
    if (str_is(login, "busy"))
        http_call_session(call, 429, NULL, NULL, 1500, NULL);
    else if (str_is(login, "ann") && str_is(password, "right"))
        http_call_session(call, 200, &who, "fs_value", 0, NULL);
    else
        http_call_session(call, 401, NULL, NULL, 0, has_no_account ? "firstline user add …" : NULL);
}

static void on_logout(void *ctx, struct http_call *call, struct str cookie)
{
    (void)ctx;
    assert_true(cookie.n > 0);
    http_call_done(call, 204);
}

static void on_people(void *ctx, struct buf *out)
{
    (void)ctx;
    buf_add_s(out, "[{\"id\":\"r_me\"}]");
}

static bool on_ready(void *ctx, struct buf *out)
{
    (void)ctx;
    buf_add_s(out, can_serve ? "{\"status\":\"ready\",\"reasons\":[]}" : "{\"status\":\"starting\",\"reasons\":[\"redis\"]}");
    return can_serve;
}

static void on_metrics(void *ctx, struct buf *out)
{
    (void)ctx;
    buf_add_s(out, "firstline_up 1\n");
}

static struct archive *on_archive(void *ctx, const char *site, const char **node)
{
    (void)ctx;
    assert_string_equal(site, "default");
    *node = "node-b";
    return archive_is_away ? NULL : &the_archive;
}

static const char *on_setup(void *ctx)
{
    (void)ctx;
    return has_no_account ? "firstline user add ANN --role director" : NULL;
}

static void on_departments(void *ctx, struct buf *out)
{
    (void)ctx;
    buf_add_s(out, "[{\"name\":\"general\",\"title_en\":\"General\",\"title_zh\":\"综合\"}]");
}

static struct http_port port = {.who = on_who, .login = on_login, .logout = on_logout, .people = on_people, .departments = on_departments, .ready = on_ready,
                                .metrics = on_metrics, .archive = on_archive, .setup = on_setup};

static int start(void **state)
{
    struct rig *r = rig_start(rig_config());
    struct http *h;

    memset(&asked, 0, sizeof asked);
    archive_is_away = has_no_account = false;
    can_serve = true;
    assert_int_equal(http_create(r->cfg, &port, &h, NULL), 0);
    r->http = h;
    r->on_request = http_request;
    *state = r;
    return 0;
}

static int stop(void **state)
{
    struct rig *r = *state;
    struct http *h = r->http;

    rig_stop(r);
    http_destroy(h);
    return 0;
}

/* ── calls ───────────────────────────────────────────────────────────── */

static char got[200000]; /* the last answer, head and body */
static const char *got_body;

/* Returns the status. more: further header lines, each with its end. */
static int call(struct rig *r, const char *method, const char *path, const char *more, const char *body)
{
    char head[4000];
    int fd = dial(r), n;

    n = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s", method, path, more ? more : "");
    if (body)
        n += snprintf(head + n, sizeof head - (size_t)n, "Content-Length: %zu\r\n", strlen(body));
    n += snprintf(head + n, sizeof head - (size_t)n, "\r\n");
    say(fd, head, (size_t)n);
    if (body)
        say_s(fd, body);
    hear_all(fd, got, sizeof got);
    close(fd);
    got_body = strstr(got, "\r\n\r\n");
    got_body = got_body ? got_body + 4 : "";
    return atoi(got + 9);
}

#define AS(who) "Authorization: Bearer " who "\r\n"
#define JSON    "Content-Type: application/json\r\n"

static void signing_in_sets_a_strict_cookie(void **state)
{
    struct rig *r = *state;

    assert_int_equal(call(r, "POST", "/api/v1/session", JSON, "{\"login\":\"ann\",\"password\":\"right\"}"), 200);
    assert_non_null(strstr(got, "Set-Cookie: firstline_session=fs_value; HttpOnly; SameSite=Strict; Path=/; Max-Age="));
    assert_null(strstr(got, "; Secure"));
    assert_string_equal(got_body, "{\"person\":{\"id\":\"r_ann\",\"name\":\"Ann \\\"A\\\"\",\"login\":\"ann\"},\"roles\":[\"rep\",\"qa\"],"
                                  "\"departments\":[\"general\"],\"site\":\"default\"}");
    assert_non_null(strstr(got, "Cache-Control: no-store\r\n"));
    assert_int_equal(call(r, "POST", "/api/v1/session", JSON, "{\"login\":\"ann\",\"password\":\"wrong\"}"), 401);
    assert_null(strstr(got, "Set-Cookie"));
    assert_null(strstr(got, "setup"));
    assert_non_null(strstr(got, "application/problem+json"));
    assert_int_equal(call(r, "POST", "/api/v1/session", JSON, "{\"login\":\"busy\",\"password\":\"x\"}"), 429);
    assert_non_null(strstr(got, "Retry-After: 2\r\n"));
    has_no_account = true;
    assert_int_equal(call(r, "POST", "/api/v1/session", JSON, "{\"login\":\"ann\",\"password\":\"wrong\"}"), 401);
    assert_non_null(strstr(got_body, "\"setup\":\"firstline user add"));
    assert_int_equal(call(r, "GET", "/api/v1/session", NULL, NULL), 401);
    assert_non_null(strstr(got_body, "\"setup\":\"firstline user add"));
}

static void a_sign_in_that_no_page_of_ours_sends_is_refused(void **state)
{
    static const char *const bodies[] = {"", "{}", "[]", "{\"login\":\"ann\"}", "{\"login\":7,\"password\":\"right\"}",
                                         "{\"login\":\"ann\",\"password\":\"right\"} x",
                                         "{\"login\":\"ann\",\"login\":\"bob\",\"password\":\"right\"}"};
    struct rig *r = *state;

    assert_int_equal(call(r, "POST", "/api/v1/session", "Content-Type: text/plain\r\n", "{\"login\":\"ann\",\"password\":\"right\"}"), 415);
    assert_int_equal(call(r, "POST", "/api/v1/session", "Content-Type: application/x-www-form-urlencoded\r\n", "login=ann&password=right"), 415);
    assert_int_equal(call(r, "POST", "/api/v1/session", NULL, "{\"login\":\"ann\",\"password\":\"right\"}"), 415);
    for (size_t i = 0; i < sizeof bodies / sizeof bodies[0]; i++)
        assert_int_equal(call(r, "POST", "/api/v1/session", JSON, bodies[i]), 400);
}

static void by_cookie_a_change_needs_the_header(void **state)
{
    struct rig *r = *state;

    assert_int_equal(call(r, "GET", "/api/v1/session", "Cookie: firstline_session=rep\r\n", NULL), 200);
    assert_int_equal(call(r, "DELETE", "/api/v1/session", "Cookie: firstline_session=rep\r\n", NULL), 403);
    assert_int_equal(call(r, "DELETE", "/api/v1/session", "Cookie: firstline_session=rep\r\nX-Firstline: 0\r\n", NULL), 403);
    assert_int_equal(call(r, "DELETE", "/api/v1/session", "Cookie: firstline_session=rep\r\nX-Firstline: 1\r\n", NULL), 204);
    assert_non_null(strstr(got, "Set-Cookie: firstline_session=; HttpOnly; SameSite=Strict; Path=/; Max-Age=0"));
    assert_int_equal(call(r, "POST", "/api/v1/reviews", "Cookie: firstline_session=qa\r\n" JSON, "{}"), 403);
    assert_int_equal(call(r, "POST", "/api/v1/reviews", AS("qa") JSON, "{}"), 400);
}

static void every_role_gets_what_its_row_says(void **state)
{
    static const struct {
        const char *path;
        int nobody, rep, lead, qa, director, admin, editor;
    } rows[] = {
        {"/api/v1/session", 401, 200, 200, 200, 200, 200, 200},
        {"/api/v1/transcripts", 401, 200, 200, 200, 200, 403, 403},
        {"/api/v1/transcripts/c_1", 401, 200, 200, 200, 200, 403, 403},
        {"/api/v1/people", 401, 200, 200, 200, 200, 200, 200},
        {"/api/v1/canned", 401, 200, 200, 200, 200, 200, 200},
        {"/api/v1/scorecards", 401, 200, 200, 200, 200, 403, 403},
        {"/api/v1/reviews?chat=c_1", 401, 200, 200, 200, 200, 403, 403},
        {"/api/v1/reviews", 401, 400, 400, 200, 200, 403, 403},
        {"/healthz", 200, 200, 200, 200, 200, 200, 200},
    };
    struct rig *r = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(call(r, "GET", rows[i].path, NULL, NULL), rows[i].nobody);
        assert_int_equal(call(r, "GET", rows[i].path, AS("nonsense"), NULL), rows[i].nobody);
        assert_int_equal(call(r, "GET", rows[i].path, AS("rep"), NULL), rows[i].rep);
        assert_int_equal(call(r, "GET", rows[i].path, AS("lead"), NULL), rows[i].lead);
        assert_int_equal(call(r, "GET", rows[i].path, AS("qa"), NULL), rows[i].qa);
        assert_int_equal(call(r, "GET", rows[i].path, AS("director"), NULL), rows[i].director);
        assert_int_equal(call(r, "GET", rows[i].path, AS("admin"), NULL), rows[i].admin);
        assert_int_equal(call(r, "GET", rows[i].path, AS("editor"), NULL), rows[i].editor);
    }
    assert_int_equal(call(r, "POST", "/api/v1/reviews", AS("rep") JSON, "{}"), 403);
    assert_int_equal(call(r, "POST", "/api/v1/reviews", AS("admin") JSON, "{}"), 403);
}

static void a_list_is_asked_for_as_the_query_says_and_noted(void **state)
{
    struct rig *r = *state;

    assert_int_equal(call(r, "GET", "/api/v1/transcripts?q=%E9%80%80%E6%AC%BE&rep=r_7&department=repairs&from=1000&to=2000&rating=2"
                                    "&owner_changed=true&limit=7&cursor=x",
                          AS("lead"), NULL), 200);
    assert_string_equal(asked.text, "退款");
    assert_string_equal(asked.rep, "r_7");
    assert_string_equal(asked.department, "repairs");
    assert_true(asked.q.kind == ARCHIVE_LIST && asked.q.from_ms == 1000 && asked.q.to_ms == 2000 && asked.q.rating == 2);
    assert_true(asked.q.owner_changed == 1 && asked.q.limit == 7 && !asked.q.reader_all);
    assert_string_equal(asked.reader, "r_me");
    assert_string_equal(asked.departments, "general;repairs;");
    assert_int_equal(asked.audits, 1);
    assert_non_null(strstr(asked.audit, "退款"));
    assert_int_equal(call(r, "GET", "/api/v1/transcripts", AS("rep"), NULL), 200);
    assert_true(asked.q.limit == 50 && asked.q.from_ms == -1 && asked.q.rating == -1 && asked.q.owner_changed == -1);
    assert_null(asked.q.q.s);
    assert_string_equal(asked.departments, "");
    assert_int_equal(call(r, "GET", "/api/v1/transcripts", AS("qa"), NULL), 200);
    assert_true(asked.q.reader_all);
    assert_int_equal(call(r, "GET", "/api/v1/transcripts", "Cookie: firstline_session=chief\r\n", NULL), 200);
    assert_string_equal(asked.departments, "d0;d1;d2;d3;d4;d5;d6;d7;d8;d9;d10;d11;d12;d13;d14;d15;"); /* as many as one may have */
}

static void canned_replies_are_listed_as_the_configuration_has_them(void **state)
{
    struct rig *r = *state;

    assert_int_equal(call(r, "GET", "/api/v1/canned", AS("rep"), NULL), 200);
    assert_string_equal(got_body, "{\"items\":[]}");
    assert_int_equal(config_set(r->cfg, "canned.way.text_zh={name}，\"已发出\"", NULL), 0);
    assert_int_equal(config_set(r->cfg, "canned.way.title_en=On its way", NULL), 0);
    assert_int_equal(config_set(r->cfg, "canned.more.text_en=More?", NULL), 0);
    assert_int_equal(call(r, "GET", "/api/v1/canned", AS("rep"), NULL), 200);
    assert_string_equal(got_body, "{\"items\":[{\"name\":\"way\",\"title_en\":\"On its way\",\"text_zh\":\"{name}，\\\"已发出\\\"\"},"
                                  "{\"name\":\"more\",\"text_en\":\"More?\"}]}");
}

static void parameters_that_make_no_sense_are_refused(void **state)
{
    static const char *const rows[] = {"limit=0", "limit=201", "limit=x", "limit=1e3", "rating=6", "from=-1", "to=99999999999999999999",
                                       "owner_changed=maybe", "q=%ff", "q=%00a", "from=12%20", "q=%", "q=%zz"};
    struct rig *r = *state;
    char path[100];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(path, sizeof path, "/api/v1/transcripts?%s", rows[i]);
        if (call(r, "GET", path, AS("qa"), NULL) != 400)
            fail_msg("%s: %.30s", rows[i], got);
    }
}

static void a_transcript_comes_in_the_form_that_is_asked_for(void **state)
{
    static const struct {
        const char *accept;
        int status;
        enum archive_format format;
        const char *type;
    } rows[] = {
        {"", 200, ARCHIVE_JSON, "Content-Type: application/json\r\n"},
        {"Accept: */*\r\n", 200, ARCHIVE_JSON, "Content-Type: application/json\r\n"},
        {"Accept: application/x-ndjson\r\n", 200, ARCHIVE_NDJSON, "Content-Type: application/x-ndjson\r\n"},
        {"Accept: text/csv\r\n", 200, ARCHIVE_CSV, "Content-Type: text/csv; charset=utf-8\r\n"},
        {"Accept: text/*\r\n", 200, ARCHIVE_CSV, "Content-Type: text/csv; charset=utf-8\r\n"},
        {"Accept: text/plain, */*;q=0.1\r\n", 200, ARCHIVE_TEXT, "Content-Type: text/plain; charset=utf-8\r\n"},
        {"Accept: application/json;q=0.2, text/csv;q=0.8\r\n", 200, ARCHIVE_CSV, "text/csv"},
        {"Accept: image/png\r\n", 406, ARCHIVE_JSON, "application/problem+json"},
        {"Accept: application/json;q=0\r\n", 406, ARCHIVE_JSON, "application/problem+json"},
    };
    struct rig *r = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char more[200];

        snprintf(more, sizeof more, AS("rep") "%s", rows[i].accept);
        assert_int_equal(call(r, "GET", "/api/v1/transcripts/c_abc", more, NULL), rows[i].status);
        assert_non_null(strstr(got, rows[i].type));
        if (rows[i].status == 200) {
            assert_int_equal(asked.q.format, rows[i].format);
            assert_string_equal(asked.chat, "c_abc");
            assert_string_equal(asked.reader, "r_me");
        }
    }
    assert_int_equal(asked.audits, 7);
    assert_non_null(strstr(asked.audit, "\"what\":\"transcript.read\",\"chat\":\"c_abc\""));
    asked.rc = ERR_NOT_FOUND;
    assert_int_equal(call(r, "GET", "/api/v1/transcripts/c_other", AS("rep"), NULL), 404);
    assert_int_equal(call(r, "GET", "/api/v1/transcripts/c%20x", AS("rep"), NULL), 404);
    assert_int_equal(call(r, "GET", "/api/v1/transcripts/", AS("rep"), NULL), 404);
    assert_int_equal(call(r, "GET", "/api/v1/transcripts/a/b", AS("rep"), NULL), 404);
}

static void an_archive_elsewhere_is_named(void **state)
{
    struct rig *r = *state;

    archive_is_away = true;
    assert_int_equal(call(r, "GET", "/api/v1/transcripts", AS("qa"), NULL), 503);
    assert_non_null(strstr(got_body, "\"node\":\"node-b\""));
    assert_non_null(strstr(got, "Retry-After: "));
    archive_is_away = false;
    asked.full = true;
    assert_int_equal(call(r, "GET", "/api/v1/transcripts", AS("qa"), NULL), 503);
    asked.full = false;
    asked.rc = ERR_IO;
    assert_int_equal(call(r, "GET", "/api/v1/transcripts", AS("qa"), NULL), 503);
    asked.rc = ERR_INVALID;
    assert_int_equal(call(r, "GET", "/api/v1/transcripts", AS("qa"), NULL), 400);
}

static void a_search_that_takes_too_long_is_told_from_an_archive_that_is_away(void **state)
{
    struct rig *r = *state;

    asked.rc = ERR_TIMEOUT;
    assert_int_equal(call(r, "GET", "/api/v1/transcripts?q=a", AS("qa"), NULL), 503);
    assert_non_null(strstr(got_body, "\"reason\":\"too_slow\""));
    assert_null(strstr(got, "Retry-After: "));
    assert_int_equal(call(r, "GET", "/api/v1/transcripts/c_abc", AS("qa"), NULL), 503);
    assert_null(strstr(got_body, "too_slow"));
}

static void a_review_is_weighed_and_stored(void **state)
{
    static const struct {
        const char *marks, *score;
        bool failed;
    } rows[] = {
        {"[{\"criterion\":\"answer\",\"score\":5}]", "100.0", false},
        {"[{\"criterion\":\"answer\",\"score\":0}]", "0.0", false},
        {"[{\"criterion\":\"answer\",\"score\":4},{\"criterion\":\"greeting\",\"score\":null}]", "80.0", false},
        {"[{\"criterion\":\"answer\",\"score\":4},{\"criterion\":\"greeting\",\"score\":1}]", "62.9", false},
        {"[{\"criterion\":\"answer\",\"score\":5},{\"criterion\":\"conduct\",\"score\":5}]", "100.0", false},
        {"[{\"criterion\":\"answer\",\"score\":5},{\"criterion\":\"conduct\",\"score\":0,\"comment\":\"rude\",\"seq\":4}]", "0.0", true},
    };
    struct rig *r = *state;
    char body[600], want[60];

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        snprintf(body, sizeof body, "{\"chat\":\"c_1\",\"scorecard\":\"default\",\"marks\":%s,\"comment\":\"made \\\"so\\\"\"}", rows[i].marks);
        assert_int_equal(call(r, "POST", "/api/v1/reviews", AS("qa") JSON, body), 201);
        snprintf(want, sizeof want, "\"score\":%s,\"auto_failed\":%s", rows[i].score, rows[i].failed ? "true" : "false");
        if (!strstr(asked.body, want))
            fail_msg("row %zu: %s", i, asked.body);
        assert_string_equal(asked.by, "r_me");
        assert_string_equal(asked.chat, "c_1");
        assert_non_null(strstr(asked.body, "\"comment\":\"made \\\"so\\\"\""));
    }
    assert_non_null(strstr(asked.body, "{\"criterion\":\"conduct\",\"score\":0,\"comment\":\"rude\",\"seq\":4}"));
    assert_non_null(strstr(asked.body, "\"version\":1,\"reviewer_name\":\"Me\""));
}

static void a_review_that_is_wrong_is_refused_and_not_stored(void **state)
{
    static const char *const rows[] = {
        "{}",
        "[]",
        "not json",
        "{\"chat\":\"c_1\"}",
        "{\"chat\":\"c_1\",\"marks\":{}}",
        "{\"chat\":\"c_1\",\"marks\":[]}",
        "{\"chat\":\"c_1\",\"marks\":[1]}",
        "{\"chat\":\"c 1\",\"marks\":[{\"criterion\":\"answer\",\"score\":5}]}",
        "{\"chat\":\"c_1\",\"scorecard\":\"other\",\"marks\":[{\"criterion\":\"answer\",\"score\":5}]}",
        "{\"chat\":\"c_1\",\"marks\":[{\"criterion\":\"nothing\",\"score\":5}]}",
        "{\"chat\":\"c_1\",\"marks\":[{\"criterion\":\"answer\"}]}",
        "{\"chat\":\"c_1\",\"marks\":[{\"criterion\":\"answer\",\"score\":6}]}",
        "{\"chat\":\"c_1\",\"marks\":[{\"criterion\":\"answer\",\"score\":-1}]}",
        "{\"chat\":\"c_1\",\"marks\":[{\"criterion\":\"answer\",\"score\":4.5}]}",
        "{\"chat\":\"c_1\",\"marks\":[{\"criterion\":\"answer\",\"score\":\"5\"}]}",
        "{\"chat\":\"c_1\",\"marks\":[{\"criterion\":\"answer\",\"score\":null}]}",
        "{\"chat\":\"c_1\",\"marks\":[{\"criterion\":\"answer\",\"score\":5},{\"criterion\":\"answer\",\"score\":4}]}",
        "{\"chat\":\"c_1\",\"marks\":[{\"criterion\":\"answer\",\"score\":5,\"seq\":0}]}",
        "{\"chat\":\"c_1\",\"marks\":[{\"criterion\":\"answer\",\"score\":5,\"comment\":7}]}",
    };
    struct rig *r = *state;

    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        if (call(r, "POST", "/api/v1/reviews", AS("qa") JSON, rows[i]) != 400)
            fail_msg("%s: %.30s", rows[i], got);
        assert_string_equal(asked.body, "");
    }
}

static void a_rep_reads_reviews_only_of_chats_that_are_readable(void **state)
{
    struct rig *r = *state;

    assert_int_equal(call(r, "GET", "/api/v1/reviews?chat=c_9", AS("rep"), NULL), 200);
    assert_true(asked.q.kind == ARCHIVE_REVIEWS);
    assert_string_equal(asked.chat, "c_9");
    asked.rc = ERR_NOT_FOUND;
    assert_int_equal(call(r, "GET", "/api/v1/reviews?chat=c_9", AS("rep"), NULL), 404);
    assert_true(asked.q.kind == ARCHIVE_TRANSCRIPT && !asked.q.reader_all);
}

static void methods_and_addresses_that_are_not_there(void **state)
{
    struct rig *r = *state;

    assert_int_equal(call(r, "PUT", "/api/v1/session", NULL, NULL), 405);
    assert_non_null(strstr(got, "Allow: POST, GET, HEAD, DELETE\r\n"));
    assert_int_equal(call(r, "POST", "/healthz", NULL, "x"), 405);
    assert_int_equal(call(r, "GET", "/api/v1/nothing", NULL, NULL), 404);
    assert_int_equal(call(r, "GET", "/api", NULL, NULL), 404);
    assert_int_equal(call(r, "GET", "/metrics", NULL, NULL), 404); /* it has a listener of its own */
    assert_int_equal(call(r, "GET", "//etc/passwd", NULL, NULL), 404);
    assert_int_equal(call(r, "HEAD", "/healthz", NULL, NULL), 200);
    assert_string_equal(got_body, "");
    assert_int_equal(call(r, "GET", "/api/v1/openapi.json", NULL, NULL), 200);
    assert_non_null(strstr(got_body, "\"openapi\""));
}

static void readiness_names_its_state(void **state)
{
    struct rig *r = *state;

    assert_int_equal(call(r, "GET", "/readyz", NULL, NULL), 200);
    can_serve = false;
    assert_int_equal(call(r, "GET", "/readyz", NULL, NULL), 503);
    assert_non_null(strstr(got_body, "starting"));
}

static void the_metrics_listener_serves_metrics_alone(void **state)
{
    struct rig *r = *state;

    r->on_request = http_request_metrics;
    assert_int_equal(call(r, "GET", "/metrics", NULL, NULL), 200);
    assert_string_equal(got_body, "firstline_up 1\n");
    assert_int_equal(call(r, "GET", "/healthz", NULL, NULL), 404);
    assert_int_equal(call(r, "POST", "/metrics", NULL, "x"), 405);
    assert_non_null(strstr(got, "Allow: GET, HEAD\r\n"));
}

static void every_answer_bears_the_security_headers(void **state)
{
    static const char *const paths[] = {"/healthz", "/api/v1/session", "/nowhere", "/api/v1/people"};
    struct rig *r = *state;

    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++) {
        call(r, "GET", paths[i], NULL, NULL);
        assert_non_null(strstr(got, "Content-Security-Policy: default-src 'none'; frame-ancestors 'none'"));
        assert_non_null(strstr(got, "X-Content-Type-Options: nosniff\r\n"));
        assert_non_null(strstr(got, "Referrer-Policy: no-referrer\r\n"));
        assert_non_null(strstr(got, "Permissions-Policy: "));
        assert_non_null(strstr(got, "Cross-Origin-Resource-Policy: same-origin\r\n"));
        assert_null(strstr(got, "Access-Control-Allow-Origin"));
    }
}

static void another_origin_may_use_only_the_shoppers_part(void **state)
{
    struct rig *r = *state;

    free(r->cfg->sites[0].origins);
    r->cfg->sites[0].origins = mem_strdup("https://shop.example, https://www.shop.example");
    assert_int_equal(call(r, "OPTIONS", "/api/v1/shopper/transcript", "Origin: https://shop.example\r\n", NULL), 204);
    assert_non_null(strstr(got, "Access-Control-Allow-Origin: https://shop.example\r\n"));
    assert_int_equal(call(r, "OPTIONS", "/api/v1/shopper/transcript", "Origin: https://evil.example\r\n", NULL), 403);
    assert_null(strstr(got, "Access-Control-Allow-Origin"));
    assert_int_equal(call(r, "OPTIONS", "/api/v1/session", "Origin: https://shop.example\r\n", NULL), 405);
    assert_null(strstr(got, "Access-Control-Allow-Origin"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        T(signing_in_sets_a_strict_cookie),
        T(a_sign_in_that_no_page_of_ours_sends_is_refused),
        T(by_cookie_a_change_needs_the_header),
        T(every_role_gets_what_its_row_says),
        T(a_list_is_asked_for_as_the_query_says_and_noted),
        T(canned_replies_are_listed_as_the_configuration_has_them),
        T(parameters_that_make_no_sense_are_refused),
        T(a_transcript_comes_in_the_form_that_is_asked_for),
        T(an_archive_elsewhere_is_named),
        T(a_search_that_takes_too_long_is_told_from_an_archive_that_is_away),
        T(a_review_is_weighed_and_stored),
        T(a_review_that_is_wrong_is_refused_and_not_stored),
        T(a_rep_reads_reviews_only_of_chats_that_are_readable),
        T(methods_and_addresses_that_are_not_there),
        T(readiness_names_its_state),
        T(the_metrics_listener_serves_metrics_alone),
        T(every_answer_bears_the_security_headers),
        T(another_origin_may_use_only_the_shoppers_part),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

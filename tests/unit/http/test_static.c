/* What the client prefers, and the faces as they are built in. */
#include "net/net_rig.h"

#include "base/base_embed.h"
#include "http/http.h"
#include "http/http_negotiate.h"

static void preferences_are_read_as_RFC_9110_says(void **state)
{
    static const char *const types[] = {"application/json", "text/csv", "text/plain"};
    static const char *const codings[] = {"br", "gzip"};
    static const struct {
        const char *header;
        const char *const *offers;
        unsigned n;
        int best;
    } rows[] = {
        {NULL, types, 3, 0},
        {"", types, 3, 0},
        {"*/*", types, 3, 0},
        {"text/plain", types, 3, 2},
        {"TEXT/Plain", types, 3, 2},
        {"text/*", types, 3, 1},
        {"text/*;q=0.5, application/json;q=0.4", types, 3, 1},
        {"text/*, text/csv;q=0.1", types, 3, 2},
        {"image/png", types, 3, -1},
        {"application/json;q=0", types, 3, -1},
        {"*/*;q=0.1, application/json;q=0", types, 3, 1},
        {"application/json ; q=0.3 , text/csv ;q=0.9", types, 3, 1},
        {"application/json;q=2", types, 3, -1},
        {"text/csv;q=abc", types, 3, -1},
        {",,,", types, 3, -1},
        {"gzip, deflate, br", codings, 2, 0},
        {"gzip", codings, 2, 1},
        {"br;q=0, gzip;q=0.1", codings, 2, 1},
        {"identity", codings, 2, -1},
        {"*", codings, 2, 0},
        {"br;q=0.1, gzip", codings, 2, 1},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int best = negotiate_best(str_of(rows[i].header), rows[i].offers, rows[i].n);

        if (best != rows[i].best)
            fail_msg("%s: %d", rows[i].header, best);
    }
}

static void entity_tags_are_compared_weakly(void **state)
{
    (void)state;
    assert_true(negotiate_has_tag(STR("\"a\""), "\"a\""));
    assert_true(negotiate_has_tag(STR("\"b\", W/\"a\""), "\"a\""));
    assert_true(negotiate_has_tag(STR("*"), "\"a\""));
    assert_false(negotiate_has_tag(STR("\"ab\""), "\"a\""));
    assert_false(negotiate_has_tag(STR("a"), "\"a\""));
    assert_false(negotiate_has_tag(STR_NONE, "\"a\""));
}

static struct http_port port;

static int start(void **state)
{
    struct rig *r = rig_start(rig_config());
    struct http *h;

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

static char got[4 * 1024 * 1024];
static size_t got_n, head_n;

static int get(struct rig *r, const char *method, const char *path, const char *more)
{
    char head[2000];
    int fd = dial(r);
    char *body;

    snprintf(head, sizeof head, "%s %s HTTP/1.1\r\nHost: h\r\nConnection: close\r\n%s\r\n", method, path, more);
    say_s(fd, head);
    got_n = hear_all(fd, got, sizeof got);
    close(fd);
    body = strstr(got, "\r\n\r\n");
    head_n = body ? (size_t)(body + 4 - got) : got_n;
    return atoi(got + 9);
}

static bool is_body(const struct embed *e)
{
    return e && got_n - head_n == e->data.n && memcmp(got + head_n, e->data.s, e->data.n) == 0;
}

static void value_of(const char *name, char *out, size_t cap)
{
    const char *p = strstr(got, name);
    size_t n = p ? strcspn(p + strlen(name), "\r") : 0;

    snprintf(out, cap, "%.*s", (int)n, p ? p + strlen(name) : "");
}

static void a_page_comes_in_the_coding_that_is_asked_for(void **state)
{
    struct rig *r = *state;
    const struct embed *plain = embed_find("web/console.html"), *br = embed_find("web/console.html.br");
    char tag[64], more[100];

    if (!plain) {
        assert_int_equal(get(r, "GET", "/console", ""), 404); /* built without the faces */
        skip();
    }
    assert_int_equal(get(r, "GET", "/console", ""), 200);
    assert_true(is_body(plain));
    assert_non_null(strstr(got, "Content-Type: text/html; charset=utf-8\r\n"));
    assert_non_null(strstr(got, "require-trusted-types-for 'script'"));
    assert_non_null(strstr(got, "Cache-Control: no-cache\r\n"));
    assert_non_null(strstr(got, "Vary: Accept-Encoding\r\n"));
    assert_null(strstr(got, "Access-Control-Allow-Origin"));
    value_of("ETag: ", tag, sizeof tag);
    snprintf(more, sizeof more, "If-None-Match: %s\r\n", tag);
    assert_int_equal(get(r, "GET", "/console", more), 304);
    assert_int_equal(got_n, head_n);
    assert_int_equal(get(r, "GET", "/console", "If-None-Match: \"other\"\r\n"), 200);
    if (br) {
        assert_int_equal(get(r, "GET", "/console", "Accept-Encoding: gzip, deflate, br\r\n"), 200);
        assert_true(is_body(br));
        assert_non_null(strstr(got, "Content-Encoding: br\r\n"));
        value_of("ETag: ", more, sizeof more);
        assert_string_not_equal(more, tag);
        assert_int_equal(get(r, "GET", "/console", "Accept-Encoding: gzip\r\n"), 200);
        assert_true(is_body(embed_find("web/console.html.gz")));
        assert_int_equal(get(r, "GET", "/console", "Accept-Encoding: br;q=0, identity\r\n"), 200);
        assert_true(is_body(plain));
        assert_int_equal(get(r, "GET", "/console", "Accept-Encoding:\r\n"), 200);
        assert_true(is_body(plain));
    }
    assert_int_equal(get(r, "HEAD", "/console", ""), 200);
    assert_int_equal(got_n, head_n);
    assert_int_equal(get(r, "POST", "/console", "Content-Length: 0\r\n"), 405);
}

static void the_widget_and_hashed_assets_are_for_other_sites_too(void **state)
{
    struct rig *r = *state;
    const struct embed *e;
    size_t i = 0;

    if (!embed_find("web/widget.js"))
        skip();
    assert_int_equal(get(r, "GET", "/widget.js", ""), 200);
    assert_true(is_body(embed_find("web/widget.js")));
    assert_non_null(strstr(got, "Access-Control-Allow-Origin: *\r\n"));
    assert_non_null(strstr(got, "Cross-Origin-Resource-Policy: cross-origin\r\n"));
    assert_non_null(strstr(got, "Cache-Control: public, max-age=300\r\n"));
    while ((e = embed_next("web/assets/", &i)) != NULL) {
        size_t n = strlen(e->name);

        if (strcmp(e->name + n - 3, ".br") == 0 || strcmp(e->name + n - 3, ".gz") == 0)
            continue;
        assert_int_equal(get(r, "GET", e->name + 3, ""), 200);
        assert_true(is_body(e));
        assert_non_null(strstr(got, "immutable"));
        return;
    }
}

static void nothing_outside_of_the_faces_is_served(void **state)
{
    static const char *const tops[] = {"/", "/static/", "/assets/", "/console/"};
    static const char *const ups[] = {"../", "%2e%2e/", "..%2f", "%2e%2e%2f", "..%5c", "..%252f", ".%2e/", "..;/", "%c0%ae%c0%ae/"};
    static const char *const rows[] = {"//etc/passwd", "/web/console.html", "/lua/commit.lua", "/console.html", "/assets/", "/assets",
                                       "/console.html.br", "/widget.js.br", "/openapi.json", "/kb/en/coupons.md", "/CONSOLE"};
    struct rig *r = *state;
    char path[600];

    for (size_t t = 0; t < sizeof tops / sizeof tops[0]; t++)
        for (size_t u = 0; u < sizeof ups / sizeof ups[0]; u++) {
            size_t n = (size_t)snprintf(path, sizeof path, "%s", tops[t]);
            int status;

            for (unsigned i = 0; i < 16; i++)
                n += (size_t)snprintf(path + n, sizeof path - n, "%s", ups[u]);
            snprintf(path + n, sizeof path - n, "etc/passwd");
            status = get(r, "GET", path, "");
            if (status != 400 && status != 403 && status != 404)
                fail_msg("%s: %d", path, status);
            assert_null(strstr(got, "root:"));
        }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (get(r, "GET", rows[i], "") != 404)
            fail_msg("%s: %.40s", rows[i], got);
}

static void the_first_page_leads_to_the_console_unless_it_is_a_demo(void **state)
{
    struct rig *r = *state;

    assert_int_equal(get(r, "GET", "/", ""), 302);
    assert_non_null(strstr(got, "Location: /console\r\n"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, start, stop)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(preferences_are_read_as_RFC_9110_says),
        cmocka_unit_test(entity_tags_are_compared_weakly),
        T(a_page_comes_in_the_coding_that_is_asked_for),
        T(the_widget_and_hashed_assets_are_for_other_sites_too),
        T(nothing_outside_of_the_faces_is_served),
        T(the_first_page_leads_to_the_console_unless_it_is_a_demo),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

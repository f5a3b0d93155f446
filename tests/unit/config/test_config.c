/* Settings: defaults, the file, --set, and errors that say where and how to cure. */
#include "config/config.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

static char path[] = "/tmp/firstline-config-XXXXXX";

static int setup(void **state)
{
    int fd = mkstemp(path);

    (void)state;
    return fd < 0 ? -1 : close(fd);
}

static int teardown(void **state)
{
    (void)state;
    return unlink(path);
}

static int read_bytes(struct config *cfg, const void *p, size_t n, struct err *err)
{
    FILE *f = fopen(path, "w");

    assert_non_null(f);
    assert_int_equal(fwrite(p, 1, n, f), n);
    assert_int_equal(fclose(f), 0);
    *err = (struct err){0};
    return config_read_file(cfg, path, err);
}

static int read_text(struct config *cfg, const char *text, struct err *err)
{
    return read_bytes(cfg, text, strlen(text), err);
}

static void expect_read(struct config *cfg, const char *text)
{
    struct err err;

    if (read_text(cfg, text, &err) < 0)
        fail_msg("%s", err.text);
}

/* The file is refused with "config: FILE:" + expected. */
static void expect_error(const char *text, const char *expected)
{
    struct config *cfg = config_create();
    char want[600];
    struct err err;

    assert_true(read_text(cfg, text, &err) < 0);
    snprintf(want, sizeof want, "config: %s:%s", path, expected);
    assert_string_equal(err.text, want);
    config_destroy(cfg);
}

static void without_a_file_one_site_has_one_department(void **state)
{
    struct config *cfg = config_create();
    struct config_department *d;
    struct err err = {0};

    (void)state;
    assert_string_equal(cfg->server.listen, "127.0.0.1:8080");
    assert_int_equal(cfg->limits.messages_per_s, 5);
    assert_int_equal(cfg->routing.offer_ms, 30000);
    assert_int_equal(cfg->ownership.return_ms, 72LL * 3600 * 1000);
    assert_false(cfg->routing.auto_accept);
    assert_int_equal(cfg->redis.appendfsync, CONFIG_FSYNC_ALWAYS);
    assert_int_equal(cfg->class.urgent.head_start_ms, 3600000);
    assert_int_equal(config_head_start_ms(cfg, STR("returning")), 900000);
    assert_int_equal(config_head_start_ms(cfg, STR("nobody")), 0);
    assert_int_equal(cfg->sites_n, 1);
    assert_non_null(config_site_find(cfg, STR("default")));
    assert_null(config_site_find(cfg, STR("defaul")));
    d = config_department_find(cfg, STR("default"), STR("general"));
    assert_non_null(d);
    assert_true(config_is_open(d, 0) && config_is_open(d, 1764000000000));
    assert_int_equal(config_check(cfg, NULL, &err), 0);
    config_destroy(cfg);
    config_destroy(NULL);
}

static void a_file_sets_what_it_names(void **state)
{
    struct config *cfg = config_create();
    struct config_site *s;

    (void)state;
    expect_read(cfg,
                "\xef\xbb\xbf# comment\n[limits]\nburst = 40\r\nidle_ping_ms=45s\nframe_bytes: 128k\n\n"
                "[routing]\nauto_accept = yes\nsilent_ms = 4m\n[class.vip]\nhead_start_ms = 1h\n"
                "[site.shop]\norigins = https://a.example,\n    https://b.example:8443\nname = 小店\n; note\n"
                "greeting_zh = 您好！\n  请问有什么可以帮您？\n[department.sales]\nsite = shop\nlead = ann\n"
                "[department.parts]\nsite = shop\nfallback = sales\nkeywords = 配件, spare "
                "part\n[metrics]\nlisten = [::1]:9100");
    assert_int_equal(cfg->limits.burst, 40);
    assert_int_equal(cfg->limits.idle_ping_ms, 45000);
    assert_int_equal(cfg->limits.frame_bytes, 131072);
    assert_true(cfg->routing.auto_accept);
    assert_int_equal(cfg->routing.silent_ms, 240000);
    assert_int_equal(cfg->class.vip.head_start_ms, 3600000);
    assert_string_equal(cfg->metrics.listen, "[::1]:9100");
    assert_int_equal(cfg->sites_n, 1); /* the default one is not implied any more */
    s = config_site_find(cfg, STR("shop"));
    assert_non_null(s);
    assert_true(config_origins_has(s->origins, STR("https://b.example:8443")));
    assert_false(config_origins_has(s->origins, STR("https://b.example")));
    assert_true(config_origins_has("https://Shop.Example:443, http://Old.example:80", STR("https://shop.example")));
    assert_true(config_origins_has("https://Shop.Example:443, http://Old.example:80", STR("http://old.example")));
    assert_false(config_origins_has("https://shop.example:80", STR("https://shop.example")));
    assert_false(config_origins_has("https://shop.example", STR("http://shop.example")));
    assert_string_equal(s->name, "小店");
    assert_string_equal(s->greeting_zh, "您好！\n请问有什么可以帮您？");
    assert_int_equal(cfg->departments_n, 2);
    assert_string_equal(config_department_find(cfg, STR("shop"), STR("parts"))->keywords, "配件, spare part");
    assert_int_equal(config_check(cfg, NULL, NULL), 0);
    config_destroy(cfg);
}

/* Editors of Windows put a byte order mark in front. */
static void a_mark_before_the_first_line_is_no_part_of_it(void **state)
{
    struct config *cfg = config_create();

    (void)state;
    expect_read(cfg, "\xef\xbb\xbf[site.shop]\n[department.x]\nsite = shop\n");
    assert_non_null(config_site_find(cfg, STR("shop")));
    expect_read(cfg, "\xef\xbb\xbf# of the shop ; and its settings\n[limits]\nburst = 7\n");
    assert_int_equal(cfg->limits.burst, 7);
    expect_error("\xef\xbb\xbf[servr]\n", "1: there is no section [servr]; did you mean [server]?");
    config_destroy(cfg);
}

#define EIGHT      "10.0.0.0/8, 10.0.0.0/8, 10.0.0.0/8, 10.0.0.0/8, 10.0.0.0/8, 10.0.0.0/8, 10.0.0.0/8, 10.0.0.0/8"
#define THIRTY_TWO EIGHT ",\n    " EIGHT ",\n    " EIGHT ",\n    " EIGHT

static void an_error_names_file_line_key_and_cure(void **state)
{
    (void)state;
    expect_error("[limits]\nburst = 1\n\nburst = abc\n",
                 "4: limits.burst: \"abc\" is not a whole number (0–1000000)");
    expect_error("[limits]\nburst = 1000001\n", "2: limits.burst: \"1000001\" is out of range (0–1000000)");
    expect_error("[limits]\nburst = 99999999999999999999\n",
                 "2: limits.burst: \"99999999999999999999\" is not a whole number (0–1000000)");
    expect_error("[limits]\nburst = -1\n", "2: limits.burst: \"-1\" is not a whole number (0–1000000)");
    expect_error("[limits]\n\nbrust = 3\n", "3: limits.brust: there is no such key; did you mean burst?");
    expect_error("[limits]\nsomething_else = 3\n",
                 "2: limits.something_else: there is no such key; `config print` shows them all");
    expect_error("[limit]\nburst = 3\n", "1: there is no section [limit]; did you mean [limits]?");
    expect_error("[astronomy]\n", "1: there is no section [astronomy]; `config print` shows them all");
    expect_error("burst = 3\n", "1: a key stands before the first [section]; put one above it");
    expect_error("[limits\nburst = 3\n", "1: neither [section] nor key = value");
    expect_error("[limits]\nburst\n", "2: neither [section] nor key = value");
    expect_error("[routing]\nauto_accept = maybe\n",
                 "2: routing.auto_accept: \"maybe\" is neither true nor false (true, false)");
    expect_error("[redis]\nappendfsync = no\n",
                 "2: redis.appendfsync: \"no\" is none of the possible values (always, everysec)");
    expect_error("[http]\ntrusted_proxies = " THIRTY_TWO ", 10.0.0.1\n",
                 "2: http.trusted_proxies: \"10.0.0.0/8, 10.0.0.0/8, 10.0.0.0/8, 10.0.0.0/8, 10.0.0.0/8, …\" names more than 32 "
                 "addresses and networks");
    expect_error("[site.a b]\n", "1: [site.a b]: a name has 1–32 letters, digits, _ and -");
    expect_error("[site.]\n", "1: [site.]: a name has 1–32 letters, digits, _ and -");
    expect_error("[limits]\nburst = 3\n[routing]\n[limits]\nburst = 4\n",
                 "5: limits.burst: stands in line 2 already; keep one of the two");
    expect_error("[department.x]\nhours = 9-5\n",
                 "2: department.x.hours: \"9-5\" is not like \"mon-fri 09:00-18:00; sat 10:00-16:00\"");
    expect_error("[site.x]\ntime_zone = Mars/Olympus\n",
                 "2: site.x.time_zone: \"Mars/Olympus\" is not in /usr/share/zoneinfo: name another time "
                 "zone, or install the package "
                 "tzdata");
    expect_error("[site.x]\ntime_zone = ../../etc/passwd\n",
                 "2: site.x.time_zone: \"../../etc/passwd\" is not a time zone, as Asia/Shanghai");
}

static void what_inih_would_misread_is_refused(void **state)
{
    char line[400];

    (void)state;
    expect_error("[department.x]\nhours = mon-fri 09:00-18:00 ; sat 10:00-16:00\n",
                 "2: a \";\" behind a blank begins a comment: put comments in lines of their own, and write "
                 "\";\" without a blank "
                 "before it");
    snprintf(line, sizeof line, "[site.x]\nname = a\ngreeting_en = a%250s\n", "b");
    expect_error(line, "3: the line is too long for the file; go on in the next line, indented");
    snprintf(line, sizeof line, "[site.%0250d]\n", 7);
    expect_error(line, "1: the section's name is too long");
    expect_error("[limits] burst = 7\n[http]\n", "1: something stands behind the [section]; put each key in a line of its own");
    expect_error("[limits]\rburst = 7\r", "1: something stands behind the [section]; put each key in a line of its own");
    /* The first wrong line is told, also if the value before it ends there. */
    expect_error("[limits]\nburst = x\nno pair\n",
                 "2: limits.burst: \"x\" is not a whole number (0–1000000)");
    expect_error("[limits]\nno pair\nburst = x\n", "2: neither [section] nor key = value");
}

/* inih takes 200 bytes: a greeting of seventy Chinese characters is more */
static void a_line_may_be_as_long_as_its_value(void **state)
{
    struct config *cfg = config_create(), *again = config_create();
    const struct config_site *site;
    struct buf text, en, zh, out;
    struct err err;

    (void)state;
    buf_init(&text, 1 << 20);
    buf_init(&en, 1 << 16);
    buf_init(&zh, 1 << 16);
    buf_init(&out, 1 << 20);
    while (en.n < 900)
        buf_printf(&en, "%sword#%zu;%s=[x]:", en.n ? " " : "", en.n, en.n % 3 ? "" : "  two");
    while (zh.n < 900)
        buf_add_s(&zh, "您好，欢迎光临，请问有什么可以帮您？");
    buf_printf(&text, "# %0400d\n[site.x]\n  ; %0300d\nname = a\ngreeting_en = %s\ngreeting_zh =%s\nlocale = en\n", 1, 2, en.p, zh.p);
    expect_read(cfg, text.p);
    for (int i = 0; i < 2; i++) {
        site = config_site_find(i ? again : cfg, STR("x"));
        assert_string_equal(site->greeting_en, en.p);
        assert_string_equal(site->greeting_zh, zh.p);
        config_print(cfg, &out);
        if (i == 0)
            expect_read(again, out.p);
    }
    buf_add_s(&text, "no pair\n");
    assert_true(read_text(cfg, text.p, &err) < 0);
    assert_non_null(strstr(err.text, ":8: neither"));
    buf_fini(&text);
    buf_fini(&en);
    buf_fini(&zh);
    buf_fini(&out);
    config_destroy(cfg);
    config_destroy(again);
}

static void a_file_must_be_text_and_not_too_large(void **state)
{
    struct config *cfg = config_create();
    char *big = malloc(CONFIG_FILE_MAX + 1);
    struct err err;

    (void)state;
    memset(big, '#', CONFIG_FILE_MAX + 1);
    assert_int_equal(read_bytes(cfg, big, CONFIG_FILE_MAX + 1, &err), ERR_TOO_LARGE);
    assert_int_equal(read_text(cfg, "[site.x]\nname = \xff\n", &err), ERR_INVALID);
    assert_non_null(strstr(err.text, ":2: not UTF-8"));
    assert_int_equal(read_bytes(cfg, "[site.x]\0\n", 10, &err), ERR_INVALID);
    assert_int_equal(config_read_file(cfg, "/nowhere/at/all.ini", &err), ERR_NOT_FOUND);
    assert_int_equal(config_read_file(cfg, "/tmp", &err), ERR_IO);
    assert_int_equal(config_read_file(cfg, "/nowhere/at/all.ini", NULL), ERR_NOT_FOUND);
    free(big);
    config_destroy(cfg);
}

static void set_makes_the_site_that_it_names(void **state)
{
    struct config *cfg = config_create();
    struct err err = {0};

    (void)state;
    assert_int_equal(config_set(cfg, "site.shop.origins=https://shop.example", &err), 0);
    assert_int_equal(cfg->sites_n, 1);
    assert_string_equal(config_site_find(cfg, STR("shop"))->origins, "https://shop.example");
    assert_non_null(config_department_find(cfg, STR("shop"), STR("general")));
    assert_int_equal(config_set(cfg, "limits.messages_per_s=0", &err), 0);
    assert_int_equal(cfg->limits.messages_per_s, 0);
    assert_int_equal(config_set(cfg, "department.sales.site=shop", &err), 0);
    assert_null(config_department_find(cfg, STR("shop"), STR("general")));
    assert_int_equal(config_set(cfg, "site.shop.greeting_en=a = b.c", &err), 0);
    assert_string_equal(config_site_find(cfg, STR("shop"))->greeting_en, "a = b.c");
    config_destroy(cfg);
}

static void a_wrong_set_is_told_and_changes_nothing(void **state)
{
    static const char *const wrong[][2] = {
        {"limits.brust=3", "config: --set: limits.brust: there is no such key; did you mean burst?"},
        {"limits.burst=x", "config: --set: limits.burst: \"x\" is not a whole number (0–1000000)"},
        {"limits.burst", "config: --set limits.burst: not section.key=value"},
        {"burst=3", "config: --set burst: not section.key=value"},
        {"", "config: --set : not section.key=value"},
        {"server.listen=8080",
         "config: --set: server.listen: \"8080\" is not HOST:PORT, as 127.0.0.1:8080 or [::1]:8080"},
        {"server.listen=::1:80",
         "config: --set: server.listen: \"::1:80\" needs brackets around the IPv6 address, as [::1]:8080"},
        {"server.listen=a:65536",
         "config: --set: server.listen: \"a:65536\" is not HOST:PORT, as 127.0.0.1:8080 or [::1]:8080"},
        {"http.trusted_proxies=10.0.0.0/33",
         "config: --set: http.trusted_proxies: \"10.0.0.0/33\" has a network whose prefix is too long"},
        {"site.s.color=red", "config: --set: site.s.color: \"red\" is not a colour like #1f6feb"},
        {"site.s.locale=fr",
         "config: --set: site.s.locale: \"fr\" is none of the possible values (zh-CN, en)"},
        {"site.s.origins=https://a.example/",
         "config: --set: site.s.origins: \"https://a.example/\" is not a list of origins like "
         "https://shop.example, without a path"},
        {"site.s.jwt_secret=***",
         "config: --set: site.s.jwt_secret: the value is only the mask under which `config print` hides it: "
         "put the real one"},
    };
    struct config *cfg = config_create();

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        struct err err = {0};

        assert_int_equal(config_set(cfg, wrong[i][0], &err), ERR_INVALID);
        assert_string_equal(err.text, wrong[i][1]);
        assert_int_equal(config_set(cfg, wrong[i][0], NULL), ERR_INVALID);
    }
    assert_int_equal(cfg->limits.burst, 20);
    assert_string_equal(cfg->server.listen, "127.0.0.1:8080");
    config_destroy(cfg);
}

static void print(const struct config *cfg, struct buf *out)
{
    buf_init(out, 1 << 20);
    config_print(cfg, out);
    assert_true(buf_ok(out));
}

static void expect_same_after_reading_back(struct config *cfg)
{
    struct config *again = config_create();
    struct buf one, two;
    struct err err;

    print(cfg, &one);
    if (read_text(again, one.p, &err) < 0)
        fail_msg("%s\n%s", err.text, one.p);
    print(again, &two);
    assert_string_equal(one.p, two.p);
    buf_fini(&one);
    buf_fini(&two);
    config_destroy(again);
}

static void what_is_printed_reads_back_the_same(void **state)
{
    struct config *cfg = config_create();
    char list[3000] = "site.shop.origins=";
    struct err err = {0};

    (void)state;
    expect_same_after_reading_back(cfg);
    for (int i = 0; i < 40; i++)
        snprintf(list + strlen(list), sizeof list - strlen(list), "%shttps://shop-%d.example", i ? ", " : "",
                 i);
    assert_int_equal(config_set(cfg, list, &err), 0);
    assert_int_equal(config_set(cfg, "site.shop.greeting_zh=  您好\n\n # 一\n", &err), ERR_INVALID);
    assert_int_equal(config_set(cfg, "site.shop.greeting_zh=  您好 \n\n  欢迎; 请说#\n", &err), 0);
    assert_int_equal(config_set(cfg, "site.shop.color=#1f6feb", &err), 0);
    assert_int_equal(config_set(cfg, "site.other.time_zone=Europe/Berlin", &err), 0);
    assert_int_equal(config_set(cfg, "department.sales.site=shop", &err), 0);
    assert_int_equal(config_set(cfg, "department.sales.hours=mon-fri 09:00-18:00; sat 10:00-16:00", &err), 0);
    snprintf(list, sizeof list, "department.sales.keywords=%0100d, #退款,;%0100d,#退货", 1, 2);
    assert_int_equal(config_set(cfg, list, &err), 0);
    assert_int_equal(config_set(cfg, "routing.offer_ms=45s", &err), 0);
    assert_int_equal(config_set(cfg, "redis.appendfsync=everysec", &err), 0);
    assert_int_equal(config_set(cfg, "canned.way.text_zh={name}，您的订单 {order}\n已发出；请稍候", &err), 0);
    assert_int_equal(config_set(cfg, "canned.way.title_en=On its way", &err), 0);
    expect_same_after_reading_back(cfg);
    config_destroy(cfg);
}

static void one_of_several_sites_is_taken_with_what_it_has_of_its_own(void **state)
{
    struct config *cfg = config_create();
    struct err err = {0};

    (void)state;
    expect_read(cfg, "[server]\nlisten = 127.0.0.1:1\n[kb]\ndir = /kb\n[site.a]\n[site.b]\nlisten = 127.0.0.1:2\nredis = unix:///r\n"
                     "[department.x]\nsite = a\n[department.y]\nsite = b\n"
                     "[canned.of_a]\nsite = a\ntext_en = a\n[canned.of_all]\ntext_en = all\n[canned.of_b]\nsite = b\ntext_zh = 乙\n");
    assert_int_equal(config_check(cfg, NULL, &err), 0);
    assert_int_equal(config_take_site(cfg, STR("c"), &err), ERR_NOT_FOUND);
    assert_string_equal(err.text, "config: there is no site c; there is a, b");
    assert_int_equal(config_take_site(cfg, STR("b"), &err), 0);
    assert_int_equal(cfg->sites_n, 1);
    assert_int_equal(cfg->departments_n, 1);
    assert_string_equal(cfg->sites[0].id, "b");
    assert_string_equal(cfg->sites[0].redis, "unix:///r");
    assert_string_equal(cfg->departments[0].name, "y");
    assert_int_equal(cfg->canned_n, 2);
    assert_string_equal(cfg->canned[0].name, "of_all");
    assert_string_equal(cfg->canned[1].text_zh, "乙");
    assert_string_equal(cfg->server.listen, "127.0.0.1:2");
    assert_string_equal(cfg->kb.dir, "/kb");
    assert_int_equal(config_check(cfg, NULL, &err), 0);
    config_destroy(cfg);
}

static void sites_that_would_meet_are_refused(void **state)
{
    static const char *const wrong[][2] = {
        {"[site.a]\n[site.b]\n", "config: site.b.listen: 127.0.0.1:8080 is taken by site a; give each site an address of its own"},
        {"[site.a]\nlisten = h:1\n[site.b]\nlisten = h:2\nmetrics_listen = h:1\n",
         "config: site.b.metrics_listen: h:1 is taken by site a; give each site an address of its own"},
        {"[archive]\npath = /a\n[site.a]\nlisten = h:0\n[site.b]\nlisten = h:0\n",
         "config: archive.path: one file can't be the archive of 2 sites; leave it empty: each has its own in its data folder"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        struct config *cfg = config_create();
        struct err err = {0};

        expect_read(cfg, wrong[i][0]);
        assert_int_equal(config_check(cfg, NULL, &err), ERR_INVALID);
        assert_string_equal(err.text, wrong[i][1]);
        config_destroy(cfg);
    }
}

static void a_path_of_the_archive_that_would_be_cut_is_refused(void **state)
{
    static const struct {
        int bytes, rc;
    } rows[] = {{460, 0}, {461, ERR_INVALID}, {830, ERR_INVALID}};

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct config *cfg = config_create();
        struct err err = {0};
        char set[1024];

        snprintf(set, sizeof set, "archive.path=/%0*d", rows[i].bytes - 1, 0);
        assert_int_equal(config_set(cfg, set, &err), 0);
        assert_int_equal(config_check(cfg, NULL, &err), rows[i].rc);
        if (rows[i].rc < 0)
            assert_string_equal(err.text, "config: archive.path: a path of more than 460 bytes; name a shorter one");
        config_destroy(cfg);
    }
}

static void a_secret_is_never_shown(void **state)
{
    struct config *cfg = config_create();
    struct err err = {0};
    struct buf out;

    (void)state;
    assert_int_equal(config_set(cfg, "site.shop.jwt_secret=a-very-secret-secret", &err), 0);
    print(cfg, &out);
    assert_null(strstr(out.p, "very-secret"));
    assert_non_null(strstr(out.p, "\njwt_secret = ***\n"));
    assert_int_equal(config_set(cfg, "site.shop.jwt_secret=bad\tsecret", &err), ERR_INVALID);
    assert_null(strstr(err.text, "bad\tsecret"));
    buf_fini(&out);
    config_destroy(cfg);
}

static void check_finds_what_no_single_key_can_tell(void **state)
{
    struct config *cfg = config_create();
    struct err err = {0};
    struct buf problems;

    (void)state;
    buf_init(&problems, 10000);
    expect_read(cfg, "[site.shop]\njwt_secret = short\n[department.sales]\n");
    assert_int_equal(config_check(cfg, &problems, &err), ERR_INVALID);
    assert_string_equal(err.text, "config: department.sales.site: there is no site default; write site = "
                                  "shop, or a section [site.default]");
    assert_non_null(strstr(problems.p, "site.shop.jwt_secret: shorter than 32 bytes"));
    expect_read(cfg, "[department.sales]\nsite = shop\nfallback = parts\n[redis]\nappendfsync = "
                     "everysec\n[server]\nlisten = 0.0.0.0:80\n");
    assert_int_equal(config_check(cfg, NULL, &err), ERR_INVALID);
    assert_string_equal(err.text,
                        "config: department.sales.fallback: there is no department parts in site shop");
    expect_read(cfg, "[department.sales]\nfallback =\n");
    buf_reset(&problems);
    assert_int_equal(config_check(cfg, &problems, &err), 0);
    assert_non_null(strstr(problems.p, "department.sales.lead: nobody answers for it"));
    assert_non_null(strstr(problems.p, "redis.appendfsync: everysec may lose"));
    assert_non_null(strstr(problems.p, "server.listen: 0.0.0.0:80 may be reached from outside"));
    assert_null(strstr(problems.p, "http.trusted_proxies"));
    expect_read(cfg, "[http]\npublic_url = https://help.shop.example\n");
    buf_reset(&problems);
    assert_int_equal(config_check(cfg, &problems, &err), 0);
    assert_non_null(strstr(problems.p, "http.trusted_proxies: empty, so all who come through the proxy"));
    assert_null(strstr(problems.p, "may be reached from outside"));
    expect_read(cfg, "[http]\ntrusted_proxies = 127.0.0.1\n");
    buf_reset(&problems);
    assert_int_equal(config_check(cfg, &problems, &err), 0);
    assert_null(strstr(problems.p, "http.trusted_proxies"));
    expect_read(cfg, "[canned.x]\ntitle_en = X\n");
    assert_int_equal(config_check(cfg, NULL, &err), ERR_INVALID);
    assert_string_equal(err.text, "config: canned.x: has no text; write text_zh = …, text_en = … or both");
    expect_read(cfg, "[canned.x]\ntext_en = X\nsite = more\n");
    assert_int_equal(config_check(cfg, NULL, &err), ERR_INVALID);
    assert_string_equal(err.text, "config: canned.x.site: there is no site more; leave it empty for all sites");
    expect_read(cfg, "[canned.x]\nsite = shop\n");
    assert_int_equal(config_check(cfg, NULL, &err), 0);
    buf_fini(&problems);
    config_destroy(cfg);
}

static void check_looks_at_the_address_of_each_site(void **state)
{
    struct config *cfg = config_create();
    struct err err = {0};
    struct buf problems;

    (void)state;
    buf_init(&problems, 10000);
    expect_read(cfg, "[server]\nlisten = 0.0.0.0:80\n"
                     "[site.lamps]\nlisten = 0.0.0.0:8081\n"
                     "[site.looms]\nlisten = 0.0.0.0:8082\npublic_url = https://looms.example\n"
                     "[site.pots]\nlisten = 127.0.0.1:8083\n");
    assert_int_equal(config_check(cfg, &problems, &err), 0);
    assert_non_null(strstr(problems.p, "site.lamps.listen: 0.0.0.0:8081 may be reached from outside without TLS; put "
                                       "nginx or Caddy in front and set site.lamps.public_url to its https address\n"));
    assert_null(strstr(problems.p, "site.looms.listen"));
    assert_null(strstr(problems.p, "site.pots.listen"));
    assert_null(strstr(problems.p, "server.listen")); /* none listens there */
    buf_reset(&problems);
    expect_read(cfg, "[http]\npublic_url = https://help.example\n");
    assert_int_equal(config_check(cfg, &problems, &err), 0);
    assert_null(strstr(problems.p, ".listen:"));
    buf_fini(&problems);
    config_destroy(cfg);
}

static void sites_departments_and_canned_replies_are_bounded(void **state)
{
    struct config *cfg = config_create();
    struct err err = {0};
    struct buf text;

    (void)state;
    buf_init(&text, CONFIG_FILE_MAX);
    for (int i = 0; i < CONFIG_SITES_MAX; i++)
        buf_printf(&text, "[site.s%d]\n", i);
    for (int i = 0; i < CONFIG_DEPARTMENTS_MAX; i++)
        buf_printf(&text, "[department.d%d]\nsite = s%d\n", i, i % CONFIG_SITES_MAX);
    for (int i = 0; i < CONFIG_CANNED_MAX; i++)
        buf_printf(&text, "[canned.c%d]\ntext_en = %d\n", i, i);
    expect_read(cfg, text.p);
    assert_int_equal(cfg->sites_n, CONFIG_SITES_MAX);
    assert_int_equal(cfg->departments_n, CONFIG_DEPARTMENTS_MAX);
    assert_int_equal(config_set(cfg, "site.more.name=x", &err), ERR_FULL);
    assert_int_equal(config_set(cfg, "department.more.lead=x", &err), ERR_FULL);
    assert_int_equal(cfg->canned_n, CONFIG_CANNED_MAX);
    assert_int_equal(config_set(cfg, "canned.more.text_en=x", &err), ERR_FULL);
    assert_string_equal(err.text, "config: --set: [canned.more]: there are 500 canned replies already, which is the most");
    assert_int_equal(config_set(cfg, "canned.c499.text_en=x", &err), 0);
    assert_int_equal(config_set(cfg, "site.s7.name=x", &err), 0);
    buf_fini(&text);
    config_destroy(cfg);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_file_one_site_has_one_department),
        cmocka_unit_test(a_file_sets_what_it_names),
        cmocka_unit_test(a_mark_before_the_first_line_is_no_part_of_it),
        cmocka_unit_test(an_error_names_file_line_key_and_cure),
        cmocka_unit_test(what_inih_would_misread_is_refused),
        cmocka_unit_test(a_line_may_be_as_long_as_its_value),
        cmocka_unit_test(a_file_must_be_text_and_not_too_large),
        cmocka_unit_test(set_makes_the_site_that_it_names),
        cmocka_unit_test(a_wrong_set_is_told_and_changes_nothing),
        cmocka_unit_test(what_is_printed_reads_back_the_same),
        cmocka_unit_test(one_of_several_sites_is_taken_with_what_it_has_of_its_own),
        cmocka_unit_test(sites_that_would_meet_are_refused),
        cmocka_unit_test(a_path_of_the_archive_that_would_be_cut_is_refused),
        cmocka_unit_test(a_secret_is_never_shown),
        cmocka_unit_test(check_finds_what_no_single_key_can_tell),
        cmocka_unit_test(check_looks_at_the_address_of_each_site),
        cmocka_unit_test(sites_departments_and_canned_replies_are_bounded),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

/* gen_protocol.mjs: a broken schema stops the build with one sentence that names the file. */
#include "base/base_buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static char dir[] = "/tmp/firstline-gen-XXXXXX";
static const char *source;

/* Runs a shell command in dir; its exit status. */
static int run(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
static int run(const char *fmt, ...)
{
    char command[2000];
    va_list ap;
    int rc;

    va_start(ap, fmt);
    vsnprintf(command, sizeof command, fmt, ap);
    va_end(ap);
    rc = system(command); /* paths of our own making */
    assert_true(WIFEXITED(rc));
    return WEXITSTATUS(rc);
}

static int generate(void)
{
    return run("cd %s && node '%s/schema/gen_protocol.mjs' schema out types.ts >log 2>&1", dir, source);
}

static int setup(void **state)
{
    (void)state;
    source = getenv("FIRSTLINE_SOURCE");
    if (!source)
        source = realpath(".", NULL); /* kept to the end */
    return mkdtemp(dir) && run("cp -r '%s/schema/protocol' %s/schema", source, dir) == 0 ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    return run("rm -r %s", dir);
}

static void good_schemas_make_tables_and_types_once(void **state)
{
    (void)state;
    assert_int_equal(generate(), 0);
    assert_int_equal(
        run("cd %s && test -s out/protocol_table.h && test -s out/protocol_table.c && test -s types.ts", dir),
        0);
    /* Nothing changed: nothing is written, so nothing is built again. */
    assert_int_equal(run("cd %s && touch -d 2020-01-01 out/protocol_table.c types.ts", dir), 0);
    assert_int_equal(generate(), 0);
    assert_int_equal(run("cd %s && test ! out/protocol_table.c -nt schema/common.json && test ! types.ts -nt "
                         "schema/common.json",
                         dir),
                     0);
}

static void a_broken_schema_is_named(void **state)
{
    static const struct {
        const char *file, *edit; /* a sed script */
        const char *says;
    } rows[] = {
        {"client/ping.json", "1s/{/[/", "is not JSON"},
        {"client/ping.json", "s/\"const\": \"ping\"/\"const\": \"pong\"/", "needs \"t\""},
        {"client/ping.json", "s/\"staff\"/\"boss\"/", "the role \"boss\""},
        {"client/ping.json", "s/\"cost\": 1/\"cost\": -1/", "\"cost\""},
        {"client/ping.json", "s/\"required\": \\[\"t\"/\"required\": [\"x\"/", "requires \"x\""},
        {"client/chat.rate.json", "s/\"maxLength\": 1000/\"pattern\": \"x\"/", "the gate does not check"},
        {"client/chat.rate.json", "s/, \"maxLength\": 1000//", "\"comment\" needs maxLength"},
        {"client/chat.rate.json", "s/\"integer\"/\"number\"/", "\"score\" has the type"},
        {"client/chat.transfer.json", "s/HandoverCard/HandoverCart/", "which is not there"},
        {"event/rated.json", "s/\"comment\"/\"chat\"/", "a part of every event"},
        {"event/rated.json", "s/\"comment\"/\"Comment\"/", "no name for a field"},
        {"server/ok.json", "s/\"const\": \"ok\"/\"const\": \"okay\"/", "needs \"t\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(run("cd %s && sed -i.good '%s' schema/%s", dir, rows[i].edit, rows[i].file), 0);
        if (generate() != 1)
            fail_msg("%s: %s: was taken", rows[i].file, rows[i].edit);
        assert_int_equal(run("cd %s && test $(wc -l <log) = 1 && grep -qF '%s: ' log && grep -qF '%s' log || "
                             "{ cat log; false; }",
                             dir, rows[i].file, rows[i].says),
                         0);
        assert_int_equal(run("cd %s/schema && mv %s.good %s", dir, rows[i].file, rows[i].file), 0);
    }
    assert_int_equal(generate(), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_schemas_make_tables_and_types_once),
        cmocka_unit_test(a_broken_schema_is_named),
    };

    return cmocka_run_group_tests(tests, setup, teardown);
}

/* The shop's own articles, in both languages, are found by questions that the index doesn't hold. */
#include "cli/cli_kb.h"
#include "kb/kb_kit.h"

#define LEAST_FIRST 0.97 /* docs/kb.md */
#define LEAST_ASKED 100

static void check(const char *said, const char *lang)
{
    char line[64];
    const char *at;
    unsigned asked = 0;
    double first = 0;

    snprintf(line, sizeof line, "\n%-6s ", lang);
    at = strstr(said, line);
    assert_non_null(at);
    assert_int_equal(sscanf(at + strlen(line), "%u questions left out of the index: first %lf", &asked, &first), 2);
    assert_true(asked >= LEAST_ASKED);
    if (first < LEAST_FIRST)
        fail_msg("%s: %.3f of %u questions find their article first, under %.2f", lang, first, asked, LEAST_FIRST);
}

static void questions_left_out_of_the_index_find_their_article(void **state)
{
    char *said = NULL;
    size_t n = 0;
    FILE *out = open_memstream(&said, &n);
    struct cli_kb_env env = {.out = out, .err = stderr};

    (void)state;
    log_set_level(LOG_ERROR);
    assert_non_null(out);
    fputc('\n', out);
    assert_int_equal(cli_kb_bench(NULL, &env), 0);
    fclose(out);
    check(said, "en");
    check(said, "zh-CN");
    free(said);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(questions_left_out_of_the_index_find_their_article),
    };

    return cmocka_run_group_tests_name("kb/recall", tests, NULL, NULL);
}

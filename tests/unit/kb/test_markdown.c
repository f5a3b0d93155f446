/* An article's Markdown: as text it is UTF-8; where memory is refused the process ends by abort, and its last words are why. */
#include "kb/kb_article.h"

#include <cmark-gfm.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

const char *__asan_default_options(void);

/* What is refused shall be NULL, as of glibc. */
const char *__asan_default_options(void)
{
    return "allocator_may_return_null=1";
}

static void ask_calloc(cmark_mem *m)
{
    m->calloc(PTRDIFF_MAX / 8, 4);
}

static void ask_realloc(cmark_mem *m)
{
    m->realloc(m->calloc(1, 8), PTRDIFF_MAX / 2);
}

/* Runs ask in a process of its own, with the allocator that cmark has once something was read; its stderr. */
static void last_words(void (*ask)(cmark_mem *), char *out, size_t max, int *status)
{
    int end[2];
    size_t n = 0;
    pid_t pid;

    assert_int_equal(pipe(end), 0);
    pid = fork();
    if (pid == 0) {
        signal(SIGABRT, SIG_DFL);
        dup2(end[1], STDERR_FILENO);
        free(kb_markdown_text((struct str){"*x*", 3}));
        ask(cmark_get_default_mem_allocator());
        _exit(0);
    }
    close(end[1]);
    for (ssize_t k; n + 1 < max && (k = read(end[0], out + n, max - 1 - n)) > 0; n += (size_t)k)
        ;
    out[n] = 0;
    close(end[0]);
    assert_int_equal(waitpid(pid, status, 0), pid);
}

static void what_is_no_character_leaves_no_broken_text(void **state)
{
    char *text = kb_markdown_text(STR("a \xef\xbf\xbf b \xef\xbf\xbe *c* 退款"));

    (void)state;
    assert_string_equal(text, "a   b   c 退款");
    free(text);
}

static void a_refusal_is_said(void **state)
{
    void (*const asks[])(cmark_mem *) = {ask_calloc, ask_realloc};

    (void)state;
    for (size_t i = 0; i < sizeof asks / sizeof *asks; i++) {
        char words[8192];
        int status;

        last_words(asks[i], words, sizeof words, &status);
        assert_true(WIFSIGNALED(status));
        assert_int_equal(WTERMSIG(status), SIGABRT);
        assert_non_null(strstr(words, "firstline: out of memory\n"));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_no_character_leaves_no_broken_text), cmocka_unit_test(a_refusal_is_said)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}

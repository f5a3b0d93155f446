/* How a text is taken apart into words. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/base_buf.h"
#include "kb/kb_words.h"

static int join(void *ctx, struct str token, size_t start, size_t end, unsigned flags)
{
    struct buf *b = ctx;

    assert_true(start < end);
    buf_add_str(b, token);
    buf_add_s(b, flags & KB_WORD_SAME_PLACE ? "+" : "|");
    return 0;
}

static const char *taken_apart(struct buf *b, struct str text, unsigned flags)
{
    buf_reset(b);
    assert_int_equal(kb_words(text, flags, join, b), 0);
    buf_add(b, "", 1);
    return b->p;
}

static void words_are_folded_and_grams_stand_at_their_place(void **state)
{
    struct buf b;

    (void)state;
    buf_init(&b, 4096);
    assert_string_equal(taken_apart(&b, STR("Can't REFUND orders: order-12 x"), 0), "cant|refund|order|order|12|x|");
    assert_string_equal(taken_apart(&b, STR("iPhone15退款ok"), 0), "iphone15|退|退款+款|ok|");
    assert_string_equal(taken_apart(&b, STR("Orders"), KB_WORDS_WHOLE), "orders|");
    assert_string_equal(taken_apart(&b, STR(""), 0), "");
    assert_string_equal(taken_apart(&b, STR(" '` \n"), 0), "");
    buf_fini(&b);
}

static uint32_t next(uint32_t *seed)
{
    *seed = *seed * 1664525u + 1013904223u;
    return *seed >> 16;
}

/* One character as it is on most keyboards, and as it is in full width. */
static void add_both(struct buf *plain, struct buf *wide, char c)
{
    uint32_t u = c == ' ' ? 0x3000 : 0xFEE0u + (unsigned char)c;
    char text[] = {(char)(0xE0 | u >> 12), (char)(0x80 | (u >> 6 & 63)), (char)(0x80 | (u & 63)), 0};

    buf_add_c(plain, c);
    buf_add_s(wide, text);
}

static void full_width_letters_are_the_same_words_as_plain_ones(void **state)
{
    static const char *const between[] = {"退款", "é", "คืน", "，", "한국", "\xC3"};
    struct buf plain, wide, a, b;
    uint32_t seed = 7;

    (void)state;
    buf_init(&plain, 4096), buf_init(&wide, 4096), buf_init(&a, 65536), buf_init(&b, 65536);
    for (int round = 0; round < 2000; round++) {
        unsigned flags = round % 4;

        buf_reset(&plain), buf_reset(&wide);
        for (unsigned n = next(&seed) % 200; n > 0; n--) {
            if (next(&seed) % 20 == 0) {
                const char *s = between[next(&seed) % (sizeof between / sizeof *between)];

                buf_add_s(&plain, s), buf_add_s(&wide, s);
            }
            add_both(&plain, &wide, next(&seed) % 3 ? (char)('a' + next(&seed) % 26) : (char)(' ' + next(&seed) % 95));
        }
        assert_string_equal(taken_apart(&a, buf_str(&plain), flags), taken_apart(&b, buf_str(&wide), flags));
    }
    buf_fini(&plain), buf_fini(&wide), buf_fini(&a), buf_fini(&b);
}

static void a_word_over_the_bound_is_cut_and_ends_where_it_ends(void **state)
{
    char text[300];
    struct buf b;

    (void)state;
    memset(text, 'q', sizeof text);
    buf_init(&b, 4096);
    taken_apart(&b, (struct str){text, sizeof text}, 0);
    assert_true(b.n - 2 <= KB_WORD_BYTES && b.n - 2 >= KB_WORD_BYTES - 4);
    buf_fini(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_folded_and_grams_stand_at_their_place),
        cmocka_unit_test(full_width_letters_are_the_same_words_as_plain_ones),
        cmocka_unit_test(a_word_over_the_bound_is_cut_and_ends_where_it_ends),
    };

    return cmocka_run_group_tests_name("kb/words", tests, NULL, NULL);
}

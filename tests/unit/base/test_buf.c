/* A buffer that begins in lent room: what fits stays there, what doesn't goes on in memory of its own. */
#include "base/base_buf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

static void what_fits_stays_in_the_room(void **state)
{
    char room[16];
    struct buf b;

    (void)state;
    buf_lend(&b, 1000, room, sizeof room);
    assert_string_equal(buf_str(&b).s, "");
    buf_add_s(&b, "0123456789");
    buf_add_i64(&b, -1234);
    assert_ptr_equal(b.p, room);
    assert_string_equal(room, "0123456789-1234");
    buf_fini(&b);
    buf_fini(&b); /* a second time does nothing */
}

static void what_is_longer_goes_on_elsewhere(void **state)
{
    char room[16];
    struct buf b;

    (void)state;
    buf_lend(&b, 1000, room, sizeof room);
    buf_add_s(&b, "0123456789abcde");
    assert_ptr_equal(b.p, room);
    for (unsigned i = 0; i < 20; i++)
        buf_add_s(&b, "0123456789");
    assert_ptr_not_equal(b.p, room);
    assert_int_equal(b.n, 215);
    assert_memory_equal(b.p, "0123456789abcde0123456789", 25);
    assert_string_equal(room, "0123456789abcde"); /* as it was left */
    assert_true(buf_ok(&b));
    buf_fini(&b);
}

static void taken_it_is_memory_that_can_be_freed(void **state)
{
    char room[16], *p;
    struct buf b;
    size_t n;

    (void)state;
    buf_lend(&b, 1000, room, sizeof room);
    assert_null(buf_take(&b, &n)); /* nothing was added */
    assert_int_equal(n, 0);
    buf_lend(&b, 1000, room, sizeof room);
    buf_add_s(&b, "kept");
    p = buf_take(&b, &n);
    assert_ptr_not_equal(p, room);
    assert_string_equal(p, "kept");
    assert_int_equal(n, 4);
    free(p);
}

static void the_bound_holds_as_without(void **state)
{
    char room[16];
    struct buf b;

    (void)state;
    buf_lend(&b, 20, room, sizeof room);
    buf_add_s(&b, "0123456789");
    buf_add_s(&b, "0123456789");
    assert_true(buf_ok(&b));
    buf_add_c(&b, '!');
    assert_false(buf_ok(&b));
    assert_null(buf_take(&b, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_fits_stays_in_the_room),
        cmocka_unit_test(what_is_longer_goes_on_elsewhere),
        cmocka_unit_test(taken_it_is_memory_that_can_be_freed),
        cmocka_unit_test(the_bound_holds_as_without),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Memory of one size, taken and given back. */
#include "base/base_pool.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>

#include <cmocka.h>

#define SIZE 3000

static void fill(unsigned char *p)
{
    memset(p, 0xa5, SIZE);
}

static bool is_zero(const unsigned char *p)
{
    for (size_t i = 0; i < SIZE; i++)
        if (p[i])
            return false;
    return true;
}

static void a_piece_is_all_zero_also_when_it_was_used_before(void **state)
{
    struct pool pool;
    unsigned char *piece[8];

    (void)state;
    pool_init(&pool, SIZE, 4);
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 8; i++) {
            piece[i] = pool_take(&pool);
            assert_true(is_zero(piece[i]));
            fill(piece[i]);
        }
        for (unsigned i = 0; i < 8; i++) {
            for (unsigned k = 0; k < SIZE; k++)
                assert_int_equal(piece[i][k], 0xa5); /* nobody else's */
            pool_give(&pool, piece[i]);
        }
    }
    pool_fini(&pool);
}

static void no_more_is_kept_than_was_said(void **state)
{
    struct pool pool;
    void *piece[8];

    (void)state;
    pool_init(&pool, SIZE, 4);
    for (unsigned i = 0; i < 8; i++)
        piece[i] = pool_take(&pool);
    for (unsigned i = 0; i < 8; i++)
        pool_give(&pool, piece[i]);
    assert_true(pool.n <= 4);
    pool_give(&pool, NULL);
    assert_true(pool.n <= 4);
    pool_fini(&pool);
    pool_fini(&pool); /* a second time does nothing */
    assert_int_equal(pool.n, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_piece_is_all_zero_also_when_it_was_used_before),
        cmocka_unit_test(no_more_is_kept_than_was_said),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

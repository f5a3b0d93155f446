/* Memory that is taken piece by piece and given back all at once. */
#include "base/base_arena.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#define PIECES 3000

/* Of all sizes: none, odd ones, as large as a block, larger. */
static size_t size_of(unsigned i)
{
    static const size_t sizes[] = {0, 1, 7, 48, 173, 423, 4096, 4097, 16384, 70001};

    return sizes[(i * 7 + i / 10) % (sizeof sizes / sizeof *sizes)];
}

static void take_all(struct arena *a)
{
    static unsigned char *piece[PIECES];

    for (unsigned i = 0; i < PIECES; i++) {
        piece[i] = arena_take(a, size_of(i));
        assert_int_equal((uintptr_t)piece[i] % _Alignof(max_align_t), 0);
        memset(piece[i], (int)(i % 251), size_of(i));
    }
    for (unsigned i = 0; i < PIECES; i++)
        for (size_t k = 0; k < size_of(i); k++)
            if (piece[i][k] != i % 251)
                fail_msg("piece %u has another's bytes", i);
}

static void each_piece_is_nobody_elses_and_aligned(void **state)
{
    struct arena a = {0};

    (void)state;
    for (unsigned round = 0; round < 3; round++) {
        take_all(&a);
        arena_reset(&a);
    }
    arena_fini(&a);
    arena_fini(&a); /* a second time does nothing */
    arena_reset(&a);
    assert_int_equal(a.bytes, 0);
}

static void no_more_than_one_small_block_is_kept(void **state)
{
    struct arena a = {0};

    (void)state;
    arena_take(&a, 1 << 20); /* first of all, a large one */
    arena_reset(&a);
    assert_true(a.bytes <= ARENA_BLOCK_BYTES);
    take_all(&a);
    assert_true(a.bytes > ARENA_BLOCK_BYTES);
    arena_reset(&a);
    assert_true(a.bytes <= ARENA_BLOCK_BYTES);
    arena_fini(&a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_piece_is_nobody_elses_and_aligned),
        cmocka_unit_test(no_more_than_one_small_block_is_kept),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

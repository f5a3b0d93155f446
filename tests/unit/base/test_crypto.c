/* Hex, there and back. */
#include "base/base_crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void what_hex_says_comes_back(void **state)
{
    unsigned char bytes[32], back[32];
    char hex[65];
    struct err err = {.text = ""};

    (void)state;
    assert_int_equal(crypto_start(&err), 0);
    for (int round = 0; round < 200; round++) {
        crypto_random(bytes, sizeof bytes);
        crypto_hex(hex, bytes, sizeof bytes);
        crypto_unhex(back, sizeof back, hex);
        assert_memory_equal(back, bytes, sizeof bytes);
    }
}

static void what_is_no_hex_of_that_length_is_zero(void **state)
{
    static const char *const wrong[] = {"", "00ff", "00ff0", "00ff00ff", "00fg0f", "00FF0f", " 0ff0f", "00ff0f ", "-1ff0f"};
    static const unsigned char zero[3];
    unsigned char back[3];

    (void)state;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        memset(back, 7, sizeof back);
        crypto_unhex(back, sizeof back, wrong[i]);
        assert_memory_equal(back, zero, sizeof zero);
    }
    crypto_unhex(back, sizeof back, "00ff0f");
    assert_memory_equal(back, "\0\xff\x0f", 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_hex_says_comes_back),
        cmocka_unit_test(what_is_no_hex_of_that_length_is_zero),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

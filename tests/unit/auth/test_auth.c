/* Passwords, secrets, the guard, and every way that a signed identity can be wrong. */
#include "auth/auth.h"

#include "base/base_crypto.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>
#include <sodium.h>
#include <sys/resource.h>
#include <unistd.h>

static void weak_passwords_are_refused_with_the_rule_they_break(void **state)
{
    static const struct {
        const char *password, *login;
        bool ok;
    } rows[] = {
        {"correct horse battery 9", "ann", true},
        {"一二三四五六七八九十", "ann", true}, /* ten characters, whatever their bytes */
        {"short9ch!", "ann", false},
        {"一二三四五", "ann", false},
        {"password123", "ann", false},
        {"PassWord123", "ann", false},
        {"aaaaaaaaaaaa", "ann", false},
        {"ann.miller@shop", "ann.miller@shop", false},
        {"ann.miller@shop99", "ann.miller@shop", false},
        {"ann.miller and a long tail", "ann.miller", true},
        {"bad\xff" "utf8 bytes here", "ann", false},
    };
    struct err err;
    char *longest = malloc(202);

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        int rc = auth_password_check(str_of(rows[i].password), str_of(rows[i].login), &err);

        if (rc != (rows[i].ok ? 0 : ERR_INVALID))
            fail_msg("%s: %d", rows[i].password, rc);
    }
    for (unsigned i = 0; i < 201; i++)
        longest[i] = (char)('a' + i % 26);
    assert_int_equal(auth_password_check((struct str){longest, 200}, STR("ann"), &err), 0);
    assert_int_equal(auth_password_check((struct str){longest, 201}, STR("ann"), &err), ERR_INVALID);
    free(longest);
}

static void a_hash_verifies_its_password_alone(void **state)
{
    char a[AUTH_HASH_SIZE], b[AUTH_HASH_SIZE];

    (void)state;
    assert_int_equal(auth_password_hash(STR("correct horse"), a, NULL), 0);
    assert_int_equal(auth_password_hash(STR("correct horse"), b, NULL), 0);
    assert_string_not_equal(a, b); /* salted */
    assert_non_null(strstr(a, "$argon2id$"));
    assert_int_equal(auth_password_verify(a, STR("correct horse")), 0);
    assert_int_equal(auth_password_verify(a, STR("correct horsf")), ERR_INVALID);
    assert_int_equal(auth_password_verify(a, STR("")), ERR_INVALID);
    assert_int_equal(auth_password_verify("", STR("correct horse")), ERR_INVALID);
    assert_int_equal(auth_password_verify("$argon2id$broken", STR("correct horse")), ERR_INVALID);
    assert_int_equal(auth_password_waste(STR("correct horse")), ERR_INVALID);
}

/* Hashes that libsodium's own verification takes and refuses, and ours the same. */
static void a_hash_is_read_as_libsodium_reads_it(void **state)
{
    static const char made[] = "$argon2id$v=19$m=65536,t=2,p=1$";
    char good[AUTH_HASH_SIZE], bad[AUTH_HASH_SIZE + 8];

    (void)state;
    assert_int_equal(auth_password_hash(STR("correct horse"), good, NULL), 0);
    assert_int_equal(crypto_pwhash_str_verify(good, "correct horse", 13), 0);
    assert_memory_equal(good, made, sizeof made - 1);
    for (size_t i = 0; i < strlen(good); i++) { /* each character in turn is another */
        snprintf(bad, sizeof bad, "%s", good);
        bad[i] = bad[i] == '1' ? '3' : '1';
        if (i > sizeof made + 1 && i % 16 != 0)
            continue; /* of salt and hash some: each takes the time of a password */
        if (crypto_pwhash_str_verify(bad, "correct horse", 13) == 0)
            fail_msg("libsodium takes %s", bad);
        assert_int_not_equal(auth_password_verify(bad, STR("correct horse")), 0);
    }
    snprintf(bad, sizeof bad, "%s$", good);
    assert_int_equal(auth_password_verify(bad, STR("correct horse")), ERR_INVALID);
    bad[strlen(good) - 1] = 0;
    assert_int_equal(auth_password_verify(bad, STR("correct horse")), ERR_INVALID);
    assert_int_equal(auth_password_verify("$argon2id$v=19$m=4,t=2,p=1$5FNkRTu34kOwusTKJcQ1dQ$jqyOciT8dDX3naqFYwX1xpxOQ7116Z1wsGCtM+UCCGE", STR("x")), ERR_INVALID);
    assert_int_equal(auth_password_verify("$argon2id$v=19$m=65536,t=0,p=1$5FNkRTu34kOwusTKJcQ1dQ$jqyOciT8dDX3naqFYwX1xpxOQ7116Z1wsGCtM+UCCGE", STR("x")), ERR_INVALID);
}

/* 64 MiB more than what is mapped now are refused; 16 aren't. */
static void without_memory_no_password_is_called_wrong(void **state)
{
    struct rlimit was, tight;
    long pages = 0;
    char a[AUTH_HASH_SIZE];
    FILE *f = fopen("/proc/self/statm", "r");
    int right, other, unknown;

    (void)state;
    assert_non_null(f);
    assert_int_equal(fscanf(f, "%ld", &pages), 1);
    fclose(f);
    assert_int_equal(auth_password_hash(STR("correct horse"), a, NULL), 0);
    getrlimit(RLIMIT_AS, &was);
    tight = (struct rlimit){(rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE) + (16 << 20), was.rlim_max};
    assert_int_equal(setrlimit(RLIMIT_AS, &tight), 0);
    right = auth_password_verify(a, STR("correct horse"));
    other = auth_password_verify(a, STR("correct horsf"));
    unknown = auth_password_waste(STR("correct horse"));
    setrlimit(RLIMIT_AS, &was);
    assert_int_equal(right, ERR_NO_MEMORY);
    assert_int_equal(other, ERR_NO_MEMORY);
    assert_int_equal(unknown, ERR_NO_MEMORY);
    assert_int_equal(auth_password_verify(a, STR("correct horse")), 0);
}

static void a_secret_is_known_again_by_its_digest(void **state)
{
    char secret[AUTH_SECRET_SIZE], other[AUTH_SECRET_SIZE], made[AUTH_DIGEST_SIZE], found[AUTH_DIGEST_SIZE];

    (void)state;
    auth_secret_make('s', secret, made);
    auth_secret_make('s', other, found);
    assert_string_not_equal(secret, other);
    assert_int_equal(strlen(made), 64);
    assert_true(auth_secret_digest('s', str_of(secret), found));
    assert_string_equal(found, made);
    assert_false(auth_secret_digest('a', str_of(secret), found));
    assert_false(auth_secret_digest('s', STR(""), found));
    assert_false(auth_secret_digest('s', STR_NONE, found));
    secret[10] = '/';
    assert_false(auth_secret_digest('s', str_of(secret), found));
}

static void the_guard_slows_a_guesser_and_nobody_else(void **state)
{
    struct auth_guard *g = auth_guard_create(5);
    int64_t now = 1000000;

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(auth_guard_wait_ms(g, STR("ann"), now + i * 1000), 0);
        auth_guard_count(g, STR("ann"), now + i * 1000);
    }
    assert_int_equal(auth_guard_wait_ms(g, STR("ann"), now + 5000), 55000);
    assert_int_equal(auth_guard_wait_ms(g, STR("bob"), now + 5000), 0);
    assert_int_equal(auth_guard_wait_ms(g, STR("ann"), now + 59999), 1);
    assert_int_equal(auth_guard_wait_ms(g, STR("ann"), now + 60000), 0); /* one at a time comes free */
    auth_guard_count(g, STR("ann"), now + 60000);
    assert_int_equal(auth_guard_wait_ms(g, STR("ann"), now + 60000), 1000);
    assert_int_equal(auth_guard_wait_ms(g, STR("ann"), now - 3600000), 60000); /* a clock set back by an hour */
    auth_guard_destroy(g);
    auth_guard_destroy(NULL);
}

static void what_was_no_guess_is_taken_back(void **state)
{
    struct auth_guard *g = auth_guard_create(3);

    (void)state;
    for (unsigned i = 0; i < 4; i++) /* past the end of its ring */
        auth_guard_count(g, STR("ann"), 1000 + i * 1000);
    auth_guard_take_back(g, STR("ann"), 1000); /* that one has gone */
    assert_int_equal(auth_guard_wait_ms(g, STR("ann"), 4000), 58000);
    auth_guard_take_back(g, STR("ann"), 3000);
    auth_guard_take_back(g, STR("ann"), 3000);
    auth_guard_take_back(g, STR("bob"), 3000);
    assert_int_equal(auth_guard_wait_ms(g, STR("ann"), 4000), 0);
    auth_guard_count(g, STR("ann"), 5000);
    assert_int_equal(auth_guard_wait_ms(g, STR("ann"), 5000), 57000); /* the oldest is that of 2000 */
    auth_guard_count(g, STR("ann"), 62000);
    assert_int_equal(auth_guard_wait_ms(g, STR("ann"), 62000), 2000);
    auth_guard_destroy(g);
}

static void the_guard_is_bounded_and_forgets_the_oldest(void **state)
{
    struct auth_guard *g = auth_guard_create(1);
    char key[32];

    (void)state;
    for (unsigned i = 0; i < 20000; i++) {
        snprintf(key, sizeof key, "address %u", i);
        auth_guard_count(g, str_of(key), 1000 + i);
    }
    assert_true(auth_guard_wait_ms(g, str_of(key), 21000) > 0);
    assert_true(auth_guard_wait_ms(g, STR("address 12000"), 21000) > 0); /* so many as there is room for are known still */
    assert_int_equal(auth_guard_wait_ms(g, STR("address 0"), 21000), 0);
    auth_guard_destroy(g);
}

/* ── identities ──────────────────────────────────────────────────────── */

#define SECRET "a secret of the storefront, long enough"
#define NOW_MS INT64_C(1700000000000)

static size_t encode(char *out, const char *json)
{
    return crypto_base64url(out, json, strlen(json));
}

/* Signs header.claims by HMAC-SHA256 (bits 256) or SHA512. */
static const char *sign_as(const char *header, const char *claims, const char *secret, int bits)
{
    static char jwt[8192];
    size_t n = encode(jwt, header);

    jwt[n++] = '.';
    n += encode(jwt + n, claims);
    if (bits == 256) {
        crypto_auth_hmacsha256_state st;
        unsigned char mac[32];

        crypto_auth_hmacsha256_init(&st, (const unsigned char *)secret, strlen(secret));
        crypto_auth_hmacsha256_update(&st, (const unsigned char *)jwt, n);
        crypto_auth_hmacsha256_final(&st, mac);
        jwt[n++] = '.';
        crypto_base64url(jwt + n, mac, sizeof mac);
    } else if (bits == 512) {
        crypto_auth_hmacsha512_state st;
        unsigned char mac[64];

        crypto_auth_hmacsha512_init(&st, (const unsigned char *)secret, strlen(secret));
        crypto_auth_hmacsha512_update(&st, (const unsigned char *)jwt, n);
        crypto_auth_hmacsha512_final(&st, mac);
        jwt[n++] = '.';
        crypto_base64url(jwt + n, mac, sizeof mac);
    } else {
        jwt[n++] = '.';
        jwt[n] = '\0';
    }
    return jwt;
}

#define HS256 "{\"alg\":\"HS256\",\"typ\":\"JWT\"}"
#define BASE  "\"iss\":\"shop\",\"aud\":\"default\",\"sub\":\"customer-7\",\"jti\":\"j1\""
#define LONG_16 "0123456789abcdef"
#define LONG_128 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 LONG_16 /* a whole array, without its end */
#define GOOD  "{" BASE ",\"exp\":1700000600}"

static int check(const char *jwt, struct auth_identity *id)
{
    struct err err = {0};

    return auth_identity_check(str_of(jwt), SECRET, "shop", "default", NOW_MS, id, &err);
}

static void a_good_identity_is_taken_with_what_it_says(void **state)
{
    struct auth_identity id;

    (void)state;
    assert_int_equal(check(sign_as(HS256, "{" BASE ",\"exp\":1700000600,\"nbf\":1699999990,\"iat\":1700000000,"
                                          "\"name\":\"王小姐\",\"class\":\"vip\",\"locale\":\"zh-CN\",\"more\":{\"a\":1}}",
                                   SECRET, 256), &id), 0);
    assert_string_equal(id.subject, "customer-7");
    assert_string_equal(id.name, "王小姐");
    assert_string_equal(id.class_, "vip");
    assert_string_equal(id.locale, "zh-CN");
    assert_string_equal(id.jti, "j1");
    assert_true(id.expires_at_ms == INT64_C(1700000600000));
    assert_int_equal(check(sign_as(HS256, "{\"iss\":\"shop\",\"aud\":[\"x\",\"default\"],\"sub\":\"a\",\"jti\":\"j\",\"exp\":1700000600,"
                                          "\"class\":\"emperor\"}", SECRET, 256), &id), 0);
    assert_string_equal(id.class_, "");
}

static void every_wrong_identity_is_refused(void **state)
{
    static const struct {
        const char *what, *header, *claims, *secret;
        int bits;
    } rows[] = {
        {"none", "{\"alg\":\"none\"}", GOOD, SECRET, 0},
        {"None", "{\"alg\":\"None\"}", GOOD, SECRET, 0},
        {"HS256 without a signature", HS256, GOOD, SECRET, 0},
        {"HS512", "{\"alg\":\"HS512\"}", GOOD, SECRET, 512},
        {"RS256 with the secret as key", "{\"alg\":\"RS256\"}", GOOD, SECRET, 256},
        {"lower-case alg", "{\"alg\":\"hs256\"}", GOOD, SECRET, 256},
        {"no alg", "{\"typ\":\"JWT\"}", GOOD, SECRET, 256},
        {"two algs", "{\"alg\":\"none\",\"alg\":\"HS256\"}", GOOD, SECRET, 256},
        {"crit", "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}", GOOD, SECRET, 256},
        {"another type", "{\"alg\":\"HS256\",\"typ\":\"at+jwt\"}", GOOD, SECRET, 256},
        {"wrong secret", HS256, GOOD, "another secret, as long as the right one", 256},
        {"empty secret", HS256, GOOD, "", 256},
        {"no exp", HS256, "{" BASE "}", SECRET, 256},
        {"expired", HS256, "{" BASE ",\"exp\":1700000000}", SECRET, 256},
        {"exp in a day", HS256, "{" BASE ",\"exp\":1700086400}", SECRET, 256},
        {"exp as text", HS256, "{" BASE ",\"exp\":\"1700000600\"}", SECRET, 256},
        {"exp with a fraction", HS256, "{" BASE ",\"exp\":1700000600.5}", SECRET, 256},
        {"exp below zero", HS256, "{" BASE ",\"exp\":-1}", SECRET, 256},
        {"two exps", HS256, "{" BASE ",\"exp\":1600000000,\"exp\":1700000600}", SECRET, 256},
        {"from the future", HS256, "{" BASE ",\"exp\":1700000600,\"nbf\":1700000300}", SECRET, 256},
        {"issued in the future", HS256, "{" BASE ",\"exp\":1700000600,\"iat\":1700000300}", SECRET, 256},
        {"another issuer", HS256, "{\"iss\":\"evil\",\"aud\":\"default\",\"sub\":\"a\",\"jti\":\"j\",\"exp\":1700000600}", SECRET, 256},
        {"no issuer", HS256, "{\"aud\":\"default\",\"sub\":\"a\",\"jti\":\"j\",\"exp\":1700000600}", SECRET, 256},
        {"another site", HS256, "{\"iss\":\"shop\",\"aud\":\"other\",\"sub\":\"a\",\"jti\":\"j\",\"exp\":1700000600}", SECRET, 256},
        {"aud of numbers", HS256, "{\"iss\":\"shop\",\"aud\":[1],\"sub\":\"a\",\"jti\":\"j\",\"exp\":1700000600}", SECRET, 256},
        {"no aud", HS256, "{\"iss\":\"shop\",\"sub\":\"a\",\"jti\":\"j\",\"exp\":1700000600}", SECRET, 256},
        {"no sub", HS256, "{\"iss\":\"shop\",\"aud\":\"default\",\"jti\":\"j\",\"exp\":1700000600}", SECRET, 256},
        {"no jti", HS256, "{\"iss\":\"shop\",\"aud\":\"default\",\"sub\":\"a\",\"exp\":1700000600}", SECRET, 256},
        {"two subs", HS256, "{" BASE ",\"sub\":\"admin\",\"exp\":1700000600}", SECRET, 256},
        {"sub as number", HS256, "{\"iss\":\"shop\",\"aud\":\"default\",\"sub\":7,\"jti\":\"j\",\"exp\":1700000600}", SECRET, 256},
        {"a sub too long to keep", HS256, "{\"iss\":\"shop\",\"aud\":\"default\",\"sub\":\"" LONG_128 "\",\"jti\":\"j\",\"exp\":1700000600}", SECRET, 256},
        {"claims are a list", HS256, "[1]", SECRET, 256},
        {"trailing text", HS256, GOOD " x", SECRET, 256},
    };
    struct auth_identity id;

    (void)state;
    assert_int_equal(check(sign_as(HS256, GOOD, SECRET, 256), &id), 0); /* else the rows prove nothing */
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (check(sign_as(rows[i].header, rows[i].claims, rows[i].secret, rows[i].bits), &id) == 0)
            fail_msg("taken: %s", rows[i].what);
}

static void a_kid_is_never_looked_at(void **state)
{
    struct auth_identity id;

    (void)state;
    assert_int_equal(check(sign_as("{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}", GOOD, SECRET, 256), &id), 0);
    assert_int_not_equal(check(sign_as("{\"alg\":\"HS256\",\"kid\":\"../../dev/null\"}", GOOD, "", 256), &id), 0);
}

static void broken_tokens_are_refused(void **state)
{
    static const char *const rows[] = {"", ".", "..", "a.b", "a.b.c", "a.b.c.d", "....", "eyJhbGciOiJIUzI1NiJ9..", "\xff.\xff.\xff"};
    struct auth_identity id;
    char *large = malloc(10001), *jwt = strdup(sign_as(HS256, GOOD, SECRET, 256));
    struct err err;

    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        assert_int_not_equal(check(rows[i], &id), 0);
    memset(large, 'a', 10000);
    large[10000] = '\0';
    large[3000] = large[6000] = '.';
    assert_int_not_equal(check(large, &id), 0);
    for (size_t i = 0; jwt[i]; i++) { /* each character counts */
        char was = jwt[i];

        jwt[i] = was == 'A' ? 'B' : 'A';
        if (check(jwt, &id) == 0)
            fail_msg("taken with character %zu changed", i);
        jwt[i] = was;
    }
    assert_int_equal(auth_identity_check(str_of(jwt), "", "shop", "default", NOW_MS, &id, &err), ERR_DENIED);
    assert_int_equal(auth_identity_check(str_of(jwt), NULL, "shop", "default", NOW_MS, &id, &err), ERR_DENIED);
    free(large);
    free(jwt);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weak_passwords_are_refused_with_the_rule_they_break),
        cmocka_unit_test(a_hash_verifies_its_password_alone),
        cmocka_unit_test(a_hash_is_read_as_libsodium_reads_it),
        cmocka_unit_test(without_memory_no_password_is_called_wrong),
        cmocka_unit_test(a_secret_is_known_again_by_its_digest),
        cmocka_unit_test(the_guard_slows_a_guesser_and_nobody_else),
        cmocka_unit_test(what_was_no_guess_is_taken_back),
        cmocka_unit_test(the_guard_is_bounded_and_forgets_the_oldest),
        cmocka_unit_test(a_good_identity_is_taken_with_what_it_says),
        cmocka_unit_test(every_wrong_identity_is_refused),
        cmocka_unit_test(a_kid_is_never_looked_at),
        cmocka_unit_test(broken_tokens_are_refused),
    };

    if (crypto_start(NULL) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}

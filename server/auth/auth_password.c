/* Passwords: the rules, and Argon2id (RFC 9106) by libsodium with its interactive limits: 2 passes over 64
 * MiB. */
#include "auth/auth.h"

#include "base/base_crypto.h"
#include "protocol/protocol.h"

#include <sodium.h>
#include <stdio.h>
#include <strings.h>

#define CHARS_MIN 10
#define CHARS_MAX 200

#define HASH_BYTES 32 /* of an Argon2id string, which names neither this nor its salt's length */

_Static_assert(AUTH_HASH_SIZE >= crypto_pwhash_STRBYTES, "an Argon2id string fits");

/* What attackers try first among those that are long enough. */
static const char *const commonest[] = {
    "1234567890",    "12345678910",    "123456789a",    "a123456789",   "0123456789",    "0987654321",
    "9876543210",    "1111111111",     "0000000000",    "1231231231",   "1234512345",    "12345678901",
    "123456789q",    "qwertyuiop",     "qwertyuiop123", "qwerty12345",  "qwerty123456",  "1qaz2wsx3edc",
    "1q2w3e4r5t",    "1q2w3e4r5t6y",   "q1w2e3r4t5",    "q1w2e3r4t5y6", "asdfghjkl1",    "asdfghjkl;",
    "zaq12wsxcde3",  "qazwsxedcrfv",   "qwe123qwe123",  "password12",   "password123",   "password1234",
    "password12345", "passw0rd123",    "p@ssw0rd123",   "p@ssword123",  "password!23",   "mypassword",
    "mypassword1",   "letmein123",     "letmein1234",   "welcome123",   "welcome1234",   "welcome2024",
    "welcome2025",   "welcome2026",    "admin12345",    "admin123456",  "admin123admin", "administrator",
    "adminadmin",    "rootrootroot",   "changeme123",   "changemenow",  "iloveyou123",   "iloveyou12",
    "football123",   "baseball123",    "basketball",    "superman123",  "princess123",   "sunshine123",
    "monkey12345",   "dragon12345",    "abcdefghij",    "abc123456789", "abcd123456",    "abcd12345678",
    "aa12345678",    "aa123456789",    "a1234567890",   "qq123456789",  "woaini1314",    "woaini1314520",
    "woaini520520",  "5201314520",     "5201314520a",   "1314520520",   "secretsecret",  "testtest123",
    "test123456",    "test1234567890", "firstline1",    "firstline123", "computer123",   "internet123",
    "whatever123",   "starwars123",    "summer2024!",   "summer2025!",  "winter2025!",   "company123",
    "support123",    "helpdesk123",
};

static bool is_nocase(struct str a, const char *b)
{
    return a.n == strlen(b) && strncasecmp(a.s, b, a.n) == 0;
}

static bool is_one_character(struct str s)
{
    for (size_t i = 1; i < s.n; i++)
        if (s.s[i] != s.s[0])
            return false;
    return true;
}

int auth_password_check(struct str password, struct str login, struct err *err)
{
    size_t chars = utf8_is_valid(password) ? utf8_chars(password) : 0;

    if (chars < CHARS_MIN)
        return err_set(err, ERR_INVALID, "the password needs at least %d characters", CHARS_MIN);
    if (chars > CHARS_MAX)
        return err_set(err, ERR_INVALID, "the password has more than %d characters", CHARS_MAX);
    for (size_t i = 0; i < sizeof commonest / sizeof commonest[0]; i++)
        if (is_nocase(password, commonest[i]))
            return err_set(err, ERR_INVALID, "the password is one of the commonest: choose another");
    if (is_one_character(password))
        return err_set(err, ERR_INVALID, "the password is one character repeated: choose another");
    if (login.n && password.n >= login.n && password.n - login.n < 5 &&
        strncasecmp(password.s, login.s, login.n) == 0)
        return err_set(err, ERR_INVALID, "the password is the login: choose another");
    return 0;
}

int auth_password_hash(struct str password, char out[AUTH_HASH_SIZE], struct err *err)
{
    char hash[crypto_pwhash_STRBYTES];

    if (crypto_pwhash_str(hash, password.s, password.n, crypto_pwhash_OPSLIMIT_INTERACTIVE,
                          crypto_pwhash_MEMLIMIT_INTERACTIVE) != 0)
        return err_set(err, ERR_NO_MEMORY, "hashing a password takes 64 MiB, which are not there");
    snprintf(out, AUTH_HASH_SIZE, "%s", hash);
    return 0;
}

static bool from_base64(const char *text, unsigned char *out, size_t n)
{
    size_t got;

    return sodium_base642bin(out, n, text, strlen(text), NULL, &got, NULL, sodium_base64_VARIANT_ORIGINAL_NO_PADDING) == 0 &&
           got == n;
}

/* As crypto_pwhash_str_verify, but for one thing: where memory is short that one calls each password wrong. */
int auth_password_verify(const char *hash, struct str password)
{
    unsigned char salt[crypto_pwhash_SALTBYTES], want[HASH_BYTES], got[HASH_BYTES];
    char salt64[32], want64[64];
    unsigned kib = 0, passes = 0;
    int end = 0;

    if (sscanf(hash, "$argon2id$v=19$m=%7u,t=%2u,p=1$%31[A-Za-z0-9+/]$%63[A-Za-z0-9+/]%n", &kib, &passes, salt64, want64, &end) != 4 ||
        hash[end] != 0 || kib < 8 || passes == 0 || !from_base64(salt64, salt, sizeof salt) || !from_base64(want64, want, sizeof want))
        return ERR_INVALID;
    if (crypto_pwhash(got, sizeof got, password.s, password.n, salt, passes, (size_t)kib << 10, crypto_pwhash_ALG_ARGON2ID13) != 0)
        return ERR_NO_MEMORY;
    return crypto_equal(got, want, sizeof got) ? 0 : ERR_INVALID;
}

int auth_password_waste(struct str password)
{
    /* Of random bytes that nobody knows, with the limits above: only its time counts. */
    static const char nobody[] =
        "$argon2id$v=19$m=65536,t=2,p=1$5FNkRTu34kOwusTKJcQ1dQ$jqyOciT8dDX3naqFYwX1xpxOQ7116Z1wsGCtM+UCCGE";
    int rc = auth_password_verify(nobody, password);

    return rc == 0 ? ERR_INVALID : rc;
}

#include "base/base_crypto.h"

#include <sodium.h>

static unsigned char process_key[crypto_shorthash_KEYBYTES];

/* libsodium's own generator in place of a system call for each id and salt: keyed by the system here, a state a thread. */
int crypto_start(struct err *err)
{
    randombytes_set_implementation(&randombytes_internal_implementation);
    if (sodium_init() < 0)
        return err_set(err, ERR_IO, "the system gives no random bytes");
    randombytes_stir();
    randombytes_buf(process_key, sizeof process_key);
    return 0;
}

void crypto_random(void *out, size_t n)
{
    randombytes_buf(out, n);
}

uint64_t crypto_short_hash(const void *p, size_t n)
{
    unsigned char h[crypto_shorthash_BYTES];
    uint64_t v;

    crypto_shorthash(h, p, n, process_key);
    memcpy(&v, h, sizeof v);
    return v;
}

uint64_t crypto_short_digest_parts(const struct str *parts, size_t parts_n)
{
    uint64_t key[crypto_shorthash_KEYBYTES / sizeof(uint64_t)] = {0};

    for (size_t i = 0; i < parts_n; i++) { /* what came before is the key */
        unsigned char h[crypto_shorthash_BYTES];

        key[1] = i;
        crypto_shorthash(h, (const unsigned char *)parts[i].s, parts[i].n, (const unsigned char *)key);
        memcpy(key, h, sizeof h);
    }
    return key[0];
}

void crypto_digest(unsigned char out[CRYPTO_HASH_BYTES], const void *p, size_t n, const void *key, size_t key_n)
{
    crypto_generichash(out, CRYPTO_HASH_BYTES, p, n, key, key_n);
}

void crypto_digest_parts(unsigned char out[CRYPTO_HASH_BYTES], const struct str *parts, size_t parts_n)
{
    crypto_generichash_state st;

    crypto_generichash_init(&st, NULL, 0, CRYPTO_HASH_BYTES);
    for (size_t i = 0; i < parts_n; i++)
        crypto_generichash_update(&st, (const unsigned char *)parts[i].s, parts[i].n);
    crypto_generichash_final(&st, out, CRYPTO_HASH_BYTES);
}

bool crypto_equal(const void *a, const void *b, size_t n)
{
    return sodium_memcmp(a, b, n) == 0;
}

void crypto_hex(char *out, const void *p, size_t n)
{
    sodium_bin2hex(out, n * 2 + 1, p, n);
}

static int digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

void crypto_unhex(void *out, size_t n, const char *hex)
{
    unsigned char *p = out;
    bool ok = strlen(hex) == 2 * n;

    for (size_t i = 0; ok && i < n; i++) {
        int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

        ok = high >= 0 && low >= 0;
        p[i] = (unsigned char)((unsigned)high << 4 | (unsigned)low);
    }
    if (!ok)
        memset(out, 0, n);
}

size_t crypto_base64url(char *out, const void *p, size_t n)
{
    size_t room = sodium_base64_encoded_len(n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);

    sodium_bin2base64(out, room, p, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    return room - 1;
}

void id_make(char out[ID_SIZE], char prefix)
{
    unsigned char raw[16]; /* 128 bits: two ids are never the same */

    randombytes_buf(raw, sizeof raw);
    out[0] = prefix;
    out[1] = '_';
    crypto_base64url(out + 2, raw, sizeof raw);
}

bool id_is_valid(struct str s)
{
    if (s.n < 1 || s.n > ID_MAX)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        char c = s.s[i];

        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' || c == '-'))
            return false;
    }
    return true;
}

/* Secrets of 32 random bytes; only their digests are stored, so what is stored signs nobody in. */
#include "auth/auth.h"

#include "base/base_crypto.h"

#include <stdio.h>

#define RANDOM_BYTES 32
#define PREFIX_N     3
#define SECRET_N     (PREFIX_N + 43)

static void digest_of(struct str secret, char digest[AUTH_DIGEST_SIZE])
{
    unsigned char hash[CRYPTO_HASH_BYTES];

    crypto_digest(hash, secret.s, secret.n, NULL, 0);
    crypto_hex(digest, hash, sizeof hash);
}

void auth_secret_make(char kind, char secret[AUTH_SECRET_SIZE], char digest[AUTH_DIGEST_SIZE])
{
    unsigned char random[RANDOM_BYTES];

    crypto_random(random, sizeof random);
    secret[0] = 'f';
    secret[1] = kind;
    secret[2] = '_';
    crypto_base64url(secret + PREFIX_N, random, sizeof random);
    digest_of((struct str){secret, SECRET_N}, digest);
}

bool auth_secret_digest(char kind, struct str secret, char digest[AUTH_DIGEST_SIZE])
{
    if (secret.n != SECRET_N || secret.s[0] != 'f' || secret.s[1] != kind || secret.s[2] != '_')
        return false;
    for (size_t i = PREFIX_N; i < SECRET_N; i++) {
        char c = secret.s[i];

        if (!((c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
              c == '_'))
            return false;
    }
    digest_of(secret, digest);
    return true;
}

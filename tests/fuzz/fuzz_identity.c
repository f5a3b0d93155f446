/*
 * A signed identity, whatever its head and claims say: the first byte says how much of the rest is the head, and both are signed as they should be. What
 * is taken has a subject, and an end at most 15 minutes ahead, by that clock; without the signature nothing is taken.
 */
#include "fuzz.h"

#include "auth/auth.h"
#include "protocol/protocol.h"

#include <sodium.h>

#define NOW_MS  1764000000000
#define SKEW_MS 30000 /* the storefront's clock may be off by so much */
#define SECRET "a secret of thirty-two bytes, or more"

static void add(struct buf *b, const void *p, size_t n)
{
    size_t size = sodium_base64_encoded_len(n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    char *text = malloc(size);

    sodium_bin2base64(text, size, p, n, sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    buf_add_s(b, text);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    static const char usual[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    crypto_auth_hmacsha256_state h;
    unsigned char mac[crypto_auth_hmacsha256_BYTES];
    struct auth_identity who;
    struct err err = {0};
    struct buf jwt;
    size_t head = n > 0 && bytes[0] < n ? bytes[0] : 0;

    if (n == 0 || n > 20000)
        return 0;
    buf_init(&jwt, 1 << 17);
    if (head)
        add(&jwt, bytes + 1, head);
    else
        add(&jwt, usual, sizeof usual - 1);
    buf_add_c(&jwt, '.');
    add(&jwt, bytes + 1 + head, n - 1 - head);
    crypto_auth_hmacsha256_init(&h, (const unsigned char *)SECRET, sizeof SECRET - 1);
    crypto_auth_hmacsha256_update(&h, (const unsigned char *)jwt.p, jwt.n);
    crypto_auth_hmacsha256_final(&h, mac);
    buf_add_c(&jwt, '.');
    add(&jwt, mac, sizeof mac);
    if (auth_identity_check(buf_str(&jwt), SECRET, "shop", "default", NOW_MS, &who, &err) == 0) {
        MUST(who.subject[0] && utf8_is_valid(str_of(who.subject)) && utf8_is_valid(str_of(who.name)));
        MUST(who.expires_at_ms > NOW_MS && who.expires_at_ms <= NOW_MS + 15 * 60000 + SKEW_MS);
        MUST(who.jti[0]);
        jwt.p[jwt.n - 5] = jwt.p[jwt.n - 5] == 'A' ? 'B' : 'A';
        MUST(auth_identity_check(buf_str(&jwt), SECRET, "shop", "default", NOW_MS, &who, &err) < 0);
    } else {
        MUST(err.text[0]);
    }
    buf_fini(&jwt);
    return 0;
}

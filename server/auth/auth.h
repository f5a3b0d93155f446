/*
 * auth: passwords (Argon2id), secrets and their digests, signed storefront identities, slowing guessers.
 *
 * Keeps nothing itself: accounts, sessions and tokens are stored by whoever asks.
 * Thread  auth_password_* take ~50 ms and 64 MiB: worker threads only. The rest: any.
 * Source  MISSION 9, PROMISES 2.16 and 3 (libjwt), RFC 9106, RFC 7519.
 */
#ifndef AUTH_H
#define AUTH_H

#include "base/base_buf.h"
#include "base/base_err.h"

#define AUTH_SECRET_SIZE 48  /* "fs_" or "fa_" … + 43 base64url characters of 32 random bytes + NUL */
#define AUTH_DIGEST_BYTES 32 /* BLAKE2b-256 */
#define AUTH_DIGEST_SIZE 65  /* its hex + NUL */
#define AUTH_HASH_SIZE   160 /* an Argon2id string */

/* ERR_INVALID with the rule that the password breaks (length 10–200, not among the commonest, not the login).
 */
int auth_password_check(struct str password, struct str login, struct err *err);
int auth_password_hash(struct str password, char out[AUTH_HASH_SIZE], struct err *err);
/* 0; ERR_INVALID: another password, or no hash of ours; ERR_NO_MEMORY: it can't be told without 64 MiB. */
int auth_password_verify(const char *hash, struct str password);
/* Spends the time and memory of a verification on nothing, so that an unknown login looks like a wrong password:
 * ERR_INVALID, or ERR_NO_MEMORY.
 */
int auth_password_waste(struct str password);

/* A new secret (kind 's' session, 'a' API token, 'v' shopper) and the digest under which it is stored. */
void auth_secret_make(char kind, char secret[AUTH_SECRET_SIZE], char digest[AUTH_DIGEST_SIZE]);
/* The digest of a secret that came in; false if it can't be one of that kind. */
bool auth_secret_digest(char kind, struct str secret, char digest[AUTH_DIGEST_SIZE]);

struct auth_identity {
    char subject[128]; /* `sub` */
    char name[128];    /* "" if not given */
    char class_[16];   /* "vip", "urgent" or "" */
    char locale[16];
    char jti[128];
    int64_t expires_at_ms;
};
/* Checks a storefront's JWT: HS256 alone, signature, exp (required, ≤ 15 min ahead), nbf, iss, aud (the
 * site), jti, no crit, no duplicate claims. */
int auth_identity_check(struct str jwt, const char *secret, const char *issuer, const char *site,
                        int64_t now_ms, struct auth_identity *out, struct err *err);

/* Guess counters by key (address, login), in memory, bounded: sliding minute. */
struct auth_guard;
struct auth_guard *auth_guard_create(unsigned per_min);
void auth_guard_destroy(struct auth_guard *g);
/* 0 if a try is allowed now, else ms to wait. */
int64_t auth_guard_wait_ms(struct auth_guard *g, struct str key, int64_t now_ms);
void auth_guard_count(struct auth_guard *g, struct str key, int64_t now_ms);
/* What was counted at at_ms was no guess. */
void auth_guard_take_back(struct auth_guard *g, struct str key, int64_t at_ms);

#endif

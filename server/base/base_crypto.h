/*
 * crypto: randomness, hashes and keyed hashes (libsodium); ids are made here.
 *
 * Thread  any, after crypto_start().
 */
#ifndef BASE_CRYPTO_H
#define BASE_CRYPTO_H

#include "base/base_buf.h"
#include "base/base_err.h"

#define CRYPTO_HASH_BYTES 32
#define ID_MAX 64     /* the longest id or reference that the protocol allows (PROTOCOL "Envelope") */
#define ID_SIZE 25    /* "c_" + 22 characters + NUL: what id_make() writes */

/* Must be called once before anything else here, and again first of all in a child that is forked and goes on without exec: without
 * it the child is ended at its first random byte. ERR_IO if the system has no randomness. */
int crypto_start(struct err *err);
void crypto_random(void *out, size_t n);
/* SipHash-2-4 with a key of this process: for tables in memory only. */
uint64_t crypto_short_hash(const void *p, size_t n);
/* The same over several pieces, in order, without a key: equal on all nodes and in all lives. It tells content apart that nobody
 * forges to his own harm; it is no seal. */
uint64_t crypto_short_digest_parts(const struct str *parts, size_t parts_n);
/* BLAKE2b-256. key may be NULL (key_n 0), at most 64 bytes. */
void crypto_digest(unsigned char out[CRYPTO_HASH_BYTES], const void *p, size_t n, const void *key, size_t key_n);
/* BLAKE2b-256 over several pieces, in order. */
void crypto_digest_parts(unsigned char out[CRYPTO_HASH_BYTES], const struct str *parts, size_t parts_n);
/* True if equal; takes the same time wherever they differ. */
bool crypto_equal(const void *a, const void *b, size_t n);
/* Lower-case hex; out has 2n + 1 bytes. */
void crypto_hex(char *out, const void *p, size_t n);
/* The n bytes that such hex says; all zero if it isn't 2n digits. Not for what is secret. */
void crypto_unhex(void *out, size_t n, const char *hex);
/* Unpadded base64url; out has room for 4 * (n + 2) / 3 + 1 bytes. Returns its length. */
size_t crypto_base64url(char *out, const void *p, size_t n);

/* A new opaque id: the prefix ("c", "s", "r", "k" …, one letter), '_', 22 random characters of A-Z a-z 0-9 _ -. */
void id_make(char out[ID_SIZE], char prefix);
/* True if s is 1–64 characters of A-Z a-z 0-9 _ - (PROTOCOL "Envelope"). */
bool id_is_valid(struct str s);

#endif

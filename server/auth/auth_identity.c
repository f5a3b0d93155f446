/*
 * Signed identities of a storefront (PROMISES 2.16). libjwt 1.10 checks the signature and nothing else that
 * matters: it takes the algorithm that the token names, ignores exp and crit, and takes the last of two equal
 * claims (PROMISES 3). So header and claims are read here too, by our own reader, which refuses duplicates;
 * kid is never looked at.
 */
#include "auth/auth.h"

#include "protocol/protocol.h"

#include <jwt.h>
#include <stdio.h>

#define JWT_MAX     4096
#define AHEAD_MAX_S (15 * 60) /* an identity is for now, not for keeps */
#define SKEW_S      30        /* how far the storefront's clock may be off */

struct part {
    unsigned char bytes[JWT_MAX];
    size_t n;
};

static int digit_of(char c)
{
    if (c >= 'A' && c <= 'Z')
        return c - 'A';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 26;
    if (c >= '0' && c <= '9')
        return c - '0' + 52;
    return c == '-' ? 62 : c == '_' ? 63 : -1;
}

/* Unpadded base64url, one spelling only. */
static bool decode(struct str s, struct part *out)
{
    unsigned acc = 0, bits = 0;

    out->n = 0;
    if (s.n % 4 == 1)
        return false;
    for (size_t i = 0; i < s.n; i++) {
        int d = digit_of(s.s[i]);

        if (d < 0)
            return false;
        acc = (acc << 6 | (unsigned)d) & 0xffff;
        bits += 6;
        if (bits >= 8) {
            bits -= 8;
            out->bytes[out->n++] = (unsigned char)(acc >> bits);
        }
    }
    return (acc & ((1u << bits) - 1)) == 0;
}

static bool split(struct str jwt, struct str parts[3])
{
    for (unsigned i = 0; i < 3; i++) {
        const char *dot = jwt.n ? memchr(jwt.s, '.', jwt.n) : NULL;
        size_t n = dot ? (size_t)(dot - jwt.s) : jwt.n;

        if (n == 0 || (i < 2) != (dot != NULL))
            return false;
        parts[i] = (struct str){jwt.s, n};
        jwt.s += n + (dot != NULL);
        jwt.n -= n + (dot != NULL);
    }
    return true;
}

struct header {
    bool is_hs256, has_crit, has_bad_type;
};

static void take_header(void *ctx, struct str key, struct val v)
{
    struct header *h = ctx;

    if (str_is(key, "alg"))
        h->is_hs256 = v.type == VAL_STR && str_is(v.s, "HS256");
    else if (str_is(key, "crit"))
        h->has_crit = true;
    else if (str_is(key, "typ"))
        h->has_bad_type = v.type != VAL_STR || !(str_is(v.s, "JWT") || str_is(v.s, "jwt"));
}

struct claims {
    const char *issuer, *site;
    bool iss_ok, aud_ok, broken; /* broken: a claim is not of its type or too long */
    bool has_exp, has_nbf, has_iat;
    int64_t exp, nbf, iat; /* seconds */
    struct auth_identity *id;
};

static void take_text(struct claims *c, char *out, size_t size, struct val v)
{
    if (v.type != VAL_STR || v.s.n >= size)
        c->broken = true;
    else
        snprintf(out, size, "%.*s", STR_FMT(v.s));
}

static void take_time(struct claims *c, bool *has, int64_t *out, struct val v)
{
    *has = v.type == VAL_INT && v.i > 0 && v.i < INT64_MAX / 1000;
    c->broken |= !*has;
    *out = v.i;
}

static void take_audience(void *ctx, struct str s)
{
    struct claims *c = ctx;

    c->aud_ok |= str_is(s, c->site);
}

static void take_claim(void *ctx, struct str key, struct val v)
{
    struct claims *c = ctx;

    if (str_is(key, "iss"))
        c->iss_ok = v.type == VAL_STR && str_is(v.s, c->issuer);
    else if (str_is(key, "aud") && v.type == VAL_STR)
        take_audience(c, v.s);
    else if (str_is(key, "aud"))
        c->broken |= v.type != VAL_JSON || json_each_str(v.s, take_audience, c) < 0;
    else if (str_is(key, "exp"))
        take_time(c, &c->has_exp, &c->exp, v);
    else if (str_is(key, "nbf"))
        take_time(c, &c->has_nbf, &c->nbf, v);
    else if (str_is(key, "iat"))
        take_time(c, &c->has_iat, &c->iat, v);
    else if (str_is(key, "sub"))
        take_text(c, c->id->subject, sizeof c->id->subject, v);
    else if (str_is(key, "jti"))
        take_text(c, c->id->jti, sizeof c->id->jti, v);
    else if (str_is(key, "name"))
        take_text(c, c->id->name, sizeof c->id->name, v);
    else if (str_is(key, "locale"))
        take_text(c, c->id->locale, sizeof c->id->locale, v);
    else if (str_is(key, "class") && v.type == VAL_STR && (str_is(v.s, "vip") || str_is(v.s, "urgent")))
        take_text(c, c->id->class_, sizeof c->id->class_, v);
}

static int check_signature(const char *jwt, const char *secret, struct err *err)
{
    jwt_t *j = NULL;
    bool ok = jwt_decode(&j, jwt, (const unsigned char *)secret, (int)strlen(secret)) == 0 &&
              jwt_get_alg(j) == JWT_ALG_HS256;

    jwt_free(j);
    return ok ? 0 : err_set(err, ERR_DENIED, "the identity's signature is wrong");
}

static int check_claims(const struct claims *c, int64_t now_ms, struct err *err)
{
    int64_t now = now_ms / 1000;

    if (c->broken)
        return err_set(err, ERR_DENIED, "a claim of the identity is not of its form");
    if (*c->issuer && !c->iss_ok)
        return err_set(err, ERR_DENIED, "the identity is by another issuer (iss)");
    if (!c->aud_ok)
        return err_set(err, ERR_DENIED, "the identity is for another site (aud)");
    if (!c->has_exp)
        return err_set(err, ERR_DENIED, "the identity has no end (exp)");
    if (c->exp <= now)
        return err_set(err, ERR_DENIED, "the identity has expired (exp)");
    if (c->exp > now + AHEAD_MAX_S + SKEW_S)
        return err_set(err, ERR_DENIED, "the identity ends more than 15 minutes ahead (exp)");
    if ((c->has_nbf && c->nbf > now + SKEW_S) || (c->has_iat && c->iat > now + SKEW_S))
        return err_set(err, ERR_DENIED, "the identity is not valid yet (nbf, iat)");
    if (!c->id->subject[0] || !c->id->jti[0])
        return err_set(err, ERR_DENIED, "the identity names nobody or has no number of its own (sub, jti)");
    return 0;
}

int auth_identity_check(struct str jwt, const char *secret, const char *issuer, const char *site,
                        int64_t now_ms, struct auth_identity *out, struct err *err)
{
    static const struct protocol_limits limits = {
        .frame_bytes = JWT_MAX, .depth = 4, .keys = 64, .text_chars = 1024};
    struct auth_identity id = {.subject = ""};
    struct header h = {false, false, false};
    struct claims c = {.issuer = issuer ? issuer : "", .site = site, .id = &id};
    char copy[JWT_MAX + 1];
    struct str parts[3];
    struct part part;
    int rc;

    if (!secret || !*secret)
        return err_set(err, ERR_DENIED, "this site takes no identities: site.jwt_secret is not set");
    if (jwt.n > JWT_MAX || memchr(jwt.s, '\0', jwt.n) || !split(jwt, parts))
        return err_set(err, ERR_DENIED, "the identity is no JWT");
    if (!decode(parts[0], &part) ||
        json_read_object((struct str){(const char *)part.bytes, part.n}, &limits, take_header, &h, NULL) < 0)
        return err_set(err, ERR_DENIED, "the identity's header can't be read");
    if (!h.is_hs256 || h.has_crit || h.has_bad_type)
        return err_set(err, ERR_DENIED, "the identity must be signed by HS256, without crit");
    snprintf(copy, sizeof copy, "%.*s", STR_FMT(jwt));
    rc = check_signature(copy, secret, err);
    if (rc < 0)
        return rc;
    if (!decode(parts[1], &part) ||
        json_read_object((struct str){(const char *)part.bytes, part.n}, &limits, take_claim, &c, NULL) < 0)
        return err_set(err, ERR_DENIED, "the identity's claims can't be read, or one stands twice");
    rc = check_claims(&c, now_ms, err);
    if (rc < 0)
        return rc;
    id.expires_at_ms = c.exp * 1000;
    *out = id;
    return 0;
}

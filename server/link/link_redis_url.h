/*
 * redis_url: where a Redis is: "unix:///path" or "redis://[user:password@]host[:port][/db]"; who knows where it is:
 * "sentinel://[user:password@]host[:port][,host[:port]…]/name" (the login is the Redis's, not the sentinels').
 *
 * Owns    its strings; redis_url_fini() frees them.   Bounds  a path is at most 107 bytes (the kernel's), db 0–65535.
 * Errors  a sentence that never repeats a password.
 */
#ifndef LINK_REDIS_URL_H
#define LINK_REDIS_URL_H

#include "base/base_buf.h"
#include "base/base_err.h"

struct redis_url {
    char *path; /* of the socket; NULL: TCP */
    char *host; /* name or address without brackets; NULL: a path */
    char *port; /* digits */
    char *user; /* NULL: the default user */
    char *pass; /* NULL: no AUTH */
    int db;
};

/* The address as it may be shown: what stands before its host is ***. Also of one that is none of ours. */
void redis_url_show(const char *text, char *out, size_t size);

/* Writes *out only on success. */
int redis_url_parse(const char *text, struct redis_url *out, struct err *err);
void redis_url_fini(struct redis_url *u);

#define SENTINELS_MAX 9

struct sentinel_url {
    char *sentinel[SENTINELS_MAX]; /* "redis://host:port" */
    unsigned n;
    char *login;                   /* "user:password@" as it stood; "" none */
    char *name;                    /* of the primary */
};

bool redis_url_is_sentinel(const char *text);
int sentinel_url_parse(const char *text, struct sentinel_url *out, struct err *err);
void sentinel_url_fini(struct sentinel_url *u);
/* The address of a primary that a sentinel named. */
void sentinel_url_primary(const struct sentinel_url *u, struct str host, struct str port, char *out, size_t size);

#endif

/*
 * redis_url: where a Redis is: "unix:///path" or "redis://[user:password@]host[:port][/db]".
 *
 * Owns    its strings; redis_url_fini() frees them.   Bounds  a path is at most 107 bytes (the kernel's), db 0–65535.
 * Errors  a sentence that never repeats a password.
 */
#ifndef LINK_REDIS_URL_H
#define LINK_REDIS_URL_H

#include "base/base_err.h"

struct redis_url {
    char *path; /* of the socket; NULL: TCP */
    char *host; /* name or address without brackets; NULL: a path */
    char *port; /* digits */
    char *user; /* NULL: the default user */
    char *pass; /* NULL: no AUTH */
    int db;
};

/* Writes *out only on success. */
int redis_url_parse(const char *text, struct redis_url *out, struct err *err);
void redis_url_fini(struct redis_url *u);

#endif

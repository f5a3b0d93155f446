/*
 * link_sync: single commits and look-ups for the command line, blocking, by the same script as the server's.
 *
 * Thread  any one.   Errors  a sentence.   Owns  the connection.
 */
#ifndef LINK_SYNC_H
#define LINK_SYNC_H

#include "link/link.h"

struct link_sync;

/* url as for redis_open(). ERR_GONE, ERR_TIMEOUT with the address. */
int link_sync_open(const struct config *cfg, const char *url, const char *site, struct link_sync **out, struct err *err);
void link_sync_close(struct link_sync *s);
/* Commits now; *out's strings live until the next call. */
int link_sync_commit(struct link_sync *s, const struct link_commit *c, struct link_result *out, struct err *err);
/* A log's entries; caller: redis_sync_free(). NULL with *err. */
const struct redis_reply *link_sync_read(struct link_sync *s, struct str log, struct err *err);
/* Any command on a key below the site. Caller: redis_sync_free(). NULL with *err. */
const struct redis_reply *link_sync_call(struct link_sync *s, const char *key, int argc, const char *const *argv, struct err *err);
/* Tells running nodes. */
void link_sync_signal(struct link_sync *s, const char *payload);

#endif

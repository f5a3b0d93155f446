/*
 * answer: the bytes of an HTTP/1.1 response.
 *
 * Pure.   Owns  nothing: what answer_make() returns is the caller's to free().   Thread  any.
 */
#ifndef NET_ANSWER_H
#define NET_ANSWER_H

#include "net/net.h"

/* False for 1xx, 204 and 304 (RFC 9110 section 6.4.1). */
bool answer_has_body(int status);
/* Head, and the body behind it if with_body. closes: the connection ends with it. Header values with line
 * ends are left out. */
char *answer_make(const struct net_response *r, const char *date, bool closes, bool with_body, size_t *n);

/* What a refusal's strings stand in. */
struct refusal_room {
    char body[400];
    char retry[24];
};
/* Fills in r: a problem (RFC 9457), with Retry-After where retry_ms > 0. why is plain ASCII without quotes.
 */
void answer_refusal(struct net_response *r, struct refusal_room *room, int status, const char *why,
                    int64_t retry_ms);

#endif

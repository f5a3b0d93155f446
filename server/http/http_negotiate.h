/*
 * negotiate: what the client prefers, by Accept, Accept-Encoding and If-None-Match (RFC 9110
 * sections 12.5, 13.1).
 *
 * Pure.   Thread  any.
 */
#ifndef HTTP_NEGOTIATE_H
#define HTTP_NEGOTIATE_H

#include "base/base_buf.h"

/*
 * The index of the offer that the client likes best, the first of several liked alike; -1 if none will do. An
 * absent header likes all. Offers are "type/subtype" for Accept, plain names for Accept-Encoding.
 */
int negotiate_best(struct str header, const char *const *offers, unsigned offers_n);
/* True if the list of entity tags holds tag (quotes included), compared weakly, or is "*". */
bool negotiate_has_tag(struct str if_none_match, const char *tag);

#endif

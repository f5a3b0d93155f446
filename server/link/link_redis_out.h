/*
 * redis_out: the commands that still have to leave, as the bytes that Redis reads (RESP).
 *
 * Owns    its bytes.   Bounds  256 MiB: over it a command isn't added.   Thread  loop.
 */
#ifndef LINK_REDIS_OUT_H
#define LINK_REDIS_OUT_H

#include "base/base_buf.h"

struct redis_out {
    struct buf bytes;
    size_t sent; /* of bytes: the kernel has them */
};

void redis_out_init(struct redis_out *o);
/* Frees the bytes; the next command starts afresh. */
void redis_out_fini(struct redis_out *o);
/* Appends a command; false, and nothing appended, if there is no room. argv_n may be NULL: C strings. */
bool redis_out_add(struct redis_out *o, int argc, const char **argv, const size_t *argv_n);
/* Writes what it can without waiting: 0 all gone, EAGAIN some left, else the errno. */
int redis_out_send(struct redis_out *o, int fd);

#endif

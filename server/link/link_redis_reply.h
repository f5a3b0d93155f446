/*
 * link_redis_reply: hiredis' parser with the parts of an answer in one arena, instead of two blocks of the heap for each.
 *
 * Thread  the arena's.
 */
#ifndef LINK_REDIS_REPLY_H
#define LINK_REDIS_REPLY_H

#include "base/base_arena.h"

struct redisReader;

#define REPLY_ELEMENTS_MAX (4 << 20) /* of a list; one that claims more ends the connection */

/*
 * A parser whose answers are hiredis' (redisReply), and stand until arena_reset(); reset only between two answers. The caller frees the
 * parser (redisReaderFree) before the arena. No memory aborts.
 */
struct redisReader *redis_reader_create(struct arena *replies);

#endif

#include "link/link_redis_reply.h"

#include <hiredis/hiredis.h>

/* A part of an answer, in its place in the list that holds it. */
static redisReply *part(const redisReadTask *task, int type)
{
    redisReply *r = arena_take(task->privdata, sizeof *r), *list;

    *r = (redisReply){.type = type};
    if (task->parent) {
        list = task->parent->obj;
        list->element[task->idx] = r;
    }
    return r;
}

static void *on_string(const redisReadTask *task, char *s, size_t n)
{
    redisReply *r = part(task, task->type);

    r->str = arena_take(task->privdata, n + 1);
    memcpy(r->str, s, n);
    r->str[n] = '\0';
    r->len = n;
    return r;
}

static void *on_array(const redisReadTask *task, int n)
{
    redisReply *r;

    if (n > REPLY_ELEMENTS_MAX)
        return NULL;
    r = part(task, REDIS_REPLY_ARRAY);
    if (n > 0) {
        r->element = arena_take(task->privdata, (size_t)n * sizeof *r->element);
        memset(r->element, 0, (size_t)n * sizeof *r->element);
        r->elements = (size_t)n;
    }
    return r;
}

static void *on_integer(const redisReadTask *task, long long i)
{
    redisReply *r = part(task, REDIS_REPLY_INTEGER);

    r->integer = i;
    return r;
}

static void *on_nil(const redisReadTask *task)
{
    return part(task, REDIS_REPLY_NIL);
}

/* The arena's owner does. */
static void on_free(void *reply)
{
    (void)reply;
}

struct redisReader *redis_reader_create(struct arena *replies)
{
    static redisReplyObjectFunctions functions = {on_string, on_array, on_integer, on_nil, on_free};
    redisReader *r = redisReaderCreateWithFunctions(&functions);

    if (!r)
        mem_out();
    r->privdata = replies;
    return r;
}

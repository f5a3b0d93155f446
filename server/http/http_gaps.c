/* /api/v1/gaps: what was asked and not answered by any article; articles that don't hold what they promise. */
#include "http/http_private.h"

#include <stdlib.h>

#define LIMIT_DEFAULT 50
#define LIMIT_MAX     200

static void ask(struct http_call *call, enum http_kb_what what)
{
    struct http_kb q = {.what = what, .who = &call->who, .limit = LIMIT_DEFAULT};
    struct buf limit;
    bool bad = false;

    buf_init(&limit, 8);
    if (call_param(call, "limit", &limit, &bad)) {
        char *end;
        long n = strtol(limit.p, &end, 10);

        bad |= *end || n < 1 || n > LIMIT_MAX;
        q.limit = (unsigned)n;
    }
    buf_fini(&limit);
    if (bad)
        call_problem(call, 400, "limit is 1 to 200");
    else
        call->http->port.kb(call->http->port.ctx, call, &q);
}

void gaps_list(struct http_call *call)
{
    ask(call, HTTP_KB_GAPS);
}

void gaps_stale(struct http_call *call)
{
    ask(call, HTTP_KB_STALE);
}

/* /healthz, /readyz, the description of the API. */
#include "http/http_private.h"

#include "base/base_embed.h"

void state_health(struct http_call *call)
{
    call_send(call, 200, "application/json", STR("{\"status\":\"ok\"}"), NULL);
}

void state_ready(struct http_call *call)
{
    struct buf b;
    bool can_serve;

    buf_init(&b, 65536);
    can_serve = call->http->port.ready(call->http->port.ctx, &b);
    call_json(call, can_serve ? 200 : 503, &b);
}

void state_openapi(struct http_call *call)
{
    const struct embed *file = embed_find("openapi.json");

    if (file)
        call_send(call, 200, "application/json", file->data, NULL);
    else
        call_problem(call, 404, "this build has no description of its API");
}

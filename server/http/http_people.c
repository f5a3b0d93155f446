/* /api/v1/people: who works here and in which departments, for those who hand over and consult. */
#include "http/http_private.h"

#include "base/base_json.h"

void people_list(struct http_call *call)
{
    struct buf b;

    buf_init(&b, 4 * 1024 * 1024);
    buf_add_s(&b, "{\"items\":");
    call->http->port.people(call->http->port.ctx, &b);
    buf_add_s(&b, ",\"departments\":");
    call->http->port.departments(call->http->port.ctx, &b);
    buf_add_s(&b, "}");
    call_json(call, 200, &b);
}

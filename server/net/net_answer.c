#include "net/net_answer.h"

#include <assert.h>
#include <stdio.h>

static const char *status_text(int status)
{
    static const struct {
        int status;
        const char *text;
    } texts[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {206, "Partial Content"},
        {301, "Moved Permanently"},
        {302, "Found"},
        {303, "See Other"},
        {304, "Not Modified"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {406, "Not Acceptable"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {503, "Service Unavailable"},
        {505, "HTTP Version Not Supported"},
    };

    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        if (texts[i].status == status)
            return texts[i].text;
    return "Status";
}

bool answer_has_body(int status)
{
    return status >= 200 && status != 204 && status != 304;
}

char *answer_make(const struct net_response *r, const char *date, bool closes, bool with_body, size_t *n)
{
    struct buf b;

    buf_init(&b, 16384 + (with_body ? r->body.n : 0));
    buf_printf(&b, "HTTP/1.1 %d %s\r\nDate: %s\r\n", r->status, status_text(r->status), date);
    if (answer_has_body(r->status)) {
        if (r->type)
            buf_printf(&b, "Content-Type: %s\r\n", r->type);
        buf_printf(&b, "Content-Length: %zu\r\n", r->body.n);
    }
    for (size_t i = 0; i + 1 < sizeof r->headers / sizeof r->headers[0] && r->headers[i] && r->headers[i + 1];
         i += 2)
        if (!strpbrk(r->headers[i + 1], "\r\n"))
            buf_printf(&b, "%s: %s\r\n", r->headers[i], r->headers[i + 1]);
    buf_add_s(&b, "X-Content-Type-Options: nosniff\r\nReferrer-Policy: no-referrer\r\n"
                  "Permissions-Policy: camera=(), geolocation=(), microphone=(), payment=(), usb=()\r\n");
    if (closes)
        buf_add_s(&b, "Connection: close\r\n");
    buf_add_s(&b, "\r\n");
    if (with_body)
        buf_add_str(&b, r->body);
    assert(buf_ok(&b));
    return buf_take(&b, n);
}

void answer_refusal(struct net_response *r, struct refusal_room *room, int status, const char *why,
                    int64_t retry_ms)
{
    unsigned n = 0;

    snprintf(room->body, sizeof room->body,
             "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%d,\"detail\":\"%s\"}",
             status_text(status), status, why);
    *r = (struct net_response){
        .status = status, .type = "application/problem+json", .body = str_of(room->body)};
#define ADD(name, value) (r->headers[n++] = (name), r->headers[n++] = (value))
    ADD("Cache-Control", "no-store");
    if (status == 401)
        ADD("WWW-Authenticate", "Bearer");
    if (status == 426) {
        ADD("Upgrade", "websocket");
        ADD("Sec-WebSocket-Version", "13");
    }
    if (retry_ms > 0) {
        snprintf(room->retry, sizeof room->retry, "%lld", (long long)((retry_ms + 999) / 1000));
        ADD("Retry-After", room->retry);
    }
#undef ADD
}

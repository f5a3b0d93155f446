/* /api/v1/session: signing in, who one is, signing out. */
#include "http/http_private.h"

#include "base/base_json.h"
#include "config/config.h"
#include "protocol/protocol.h"

#include <stdio.h>

#define BODY_BYTES 4096

struct credentials {
    char login[128], password[1024];
    size_t login_n, password_n; /* 0: missing or too long */
};

static void take_member(void *ctx, struct str key, struct val v)
{
    struct credentials *c = ctx;

    if (v.type != VAL_STR)
        return;
    if (str_is(key, "login") && v.s.n < sizeof c->login) {
        memcpy(c->login, v.s.s, v.s.n);
        c->login_n = v.s.n;
    } else if (str_is(key, "password") && v.s.n < sizeof c->password) {
        memcpy(c->password, v.s.s, v.s.n);
        c->password_n = v.s.n;
    }
}

void session_create(struct http_call *call)
{
    static const struct protocol_limits limits = {
        .frame_bytes = BODY_BYTES, .depth = 4, .keys = 16, .text_chars = 1024};
    struct credentials c = {.login_n = 0};

    if (!call_wants_json(call, BODY_BYTES))
        return;
    if (json_read_object(call->body, &limits, take_member, &c, NULL) < 0 || !c.login_n || !c.password_n)
        call_problem(call, 400, "send {\"login\": …, \"password\": …}");
    else
        call->http->port.login(call->http->port.ctx, call, (struct str){c.login, c.login_n},
                               (struct str){c.password, c.password_n}, call->address);
    explicit_bzero(&c, sizeof c);
}

static void write_who(struct buf *b, const struct http_who *who)
{
    json_open(b, '{');
    json_key(b, "person");
    json_open(b, '{');
    json_kv_s(b, "id", who->id);
    json_kv_s(b, "name", who->name);
    json_kv_s(b, "login", who->login);
    json_close(b, '}');
    json_key(b, "roles");
    json_open(b, '[');
    for (unsigned role = ROLE_REP; role <= ROLE_ADMIN; role <<= 1)
        if (who->roles & role)
            json_text(b, str_of(role_name(role)));
    json_close(b, ']');
    json_key(b, "departments");
    json_open(b, '[');
    for (size_t i = 0; i < sizeof who->departments / sizeof who->departments[0] && who->departments[i][0];
         i++)
        json_text(b, str_of(who->departments[i]));
    json_close(b, ']');
    json_kv_s(b, "site", who->site);
    json_close(b, '}');
}

/* Set-Cookie; value "" ends it. */
static void write_cookie(const struct http_call *call, const char *value, char out[256])
{
    long long age = *value ? (long long)(call->http->cfg->auth.session_ms / 1000) : 0;

    snprintf(out, 256, "firstline_session=%s; HttpOnly; SameSite=Strict; Path=/; Max-Age=%lld%s", value, age,
             call->secure ? "; Secure" : "");
}

void http_call_session(struct http_call *call, int status, const struct http_who *who, const char *cookie,
                       int64_t retry_ms, const char *setup)
{
    char set[256], retry[24];
    const char *extra[] = {NULL, NULL, NULL};
    struct buf b;

    if (status == 200) {
        write_cookie(call, cookie, set);
        extra[0] = "Set-Cookie";
        extra[1] = set;
        buf_init(&b, 8192);
        write_who(&b, who);
        call_send(call, 200, "application/json", buf_str(&b), extra);
        buf_fini(&b);
        return;
    }
    if (retry_ms > 0) {
        snprintf(retry, sizeof retry, "%lld", (long long)((retry_ms + 999) / 1000));
        extra[0] = "Retry-After";
        extra[1] = retry;
    }
    call_problem_more(call, status,
                      status == 401   ? "login or password is wrong"
                      : status == 429 ? "too many tries: wait a little"
                                      : "signing in or out is not possible now",
                      "setup", setup, extra);
}

void session_get(struct http_call *call)
{
    struct buf b;

    buf_init(&b, 8192);
    write_who(&b, &call->who);
    call_json(call, 200, &b);
}

void session_delete(struct http_call *call)
{
    if (call->cookie.n)
        call->http->port.logout(call->http->port.ctx, call, call->cookie);
    else
        http_call_done(call, 204);
}

void http_call_done(struct http_call *call, int status)
{
    char set[256];
    const char *extra[] = {"Set-Cookie", set, NULL};

    if (status >= 400) {
        call_problem(call, status, "that is not possible now");
        return;
    }
    write_cookie(call, "", set);
    call_send(call, status, NULL, STR_NONE, extra);
}

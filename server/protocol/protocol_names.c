#include "protocol/protocol.h"

/* From the strongest to the weakest: role_name() of a mask takes the first that fits. */
static const struct {
    unsigned role;
    const char *name;
} roles[] = {
    {ROLE_DIRECTOR, "director"}, {ROLE_ADMIN, "admin"}, {ROLE_LEAD, "lead"},     {ROLE_QA, "qa"},
    {ROLE_EDITOR, "editor"},     {ROLE_REP, "rep"},     {ROLE_SYSTEM, "system"}, {ROLE_SHOPPER, "shopper"},
    {ROLE_BOT, "bot"},
};
#define ROLES_N (sizeof roles / sizeof roles[0])

const char *role_name(unsigned role)
{
    for (size_t i = 0; i < ROLES_N; i++) {
        if (role & roles[i].role)
            return roles[i].name;
    }
    return "none";
}

unsigned role_from_name(struct str name)
{
    for (size_t i = 0; i < ROLES_N; i++) {
        if (str_is(name, roles[i].name))
            return roles[i].role;
    }
    return 0;
}

const char *code_name(enum code code)
{
    static const char *const names[CODE_N] = {
        [CODE_OK] = "ok",
        [CODE_BAD_REQUEST] = "bad_request",
        [CODE_TOO_LARGE] = "too_large",
        [CODE_UNAUTHORIZED] = "unauthorized",
        [CODE_FORBIDDEN] = "forbidden",
        [CODE_NOT_FOUND] = "not_found",
        [CODE_NOT_HANDLER] = "not_handler",
        [CODE_CONFLICT] = "conflict",
        [CODE_RATE_LIMITED] = "rate_limited",
        [CODE_UNAVAILABLE] = "unavailable",
        [CODE_CLOSED] = "closed",
        [CODE_RESOLUTION_REQUIRED] = "resolution_required",
        [CODE_INTERNAL] = "internal",
    };

    return (unsigned)code < CODE_N ? names[code] : "internal";
}

enum kind kind_from_name(struct str name)
{
    return protocol_find_kind(name.s, name.n);
}

#include "chat/chat_state.h"

#define TO(s) (1u << CHAT_##s)

static const struct {
    const char *name;
    unsigned moves; /* mask of the states that may follow */
} states[CHAT_STATE_N] = {
    [CHAT_NONE] = {"none", TO(WAITING)},
    [CHAT_WAITING] = {"waiting", TO(OFFERED) | TO(ASSIGNED) | TO(ACTIVE) | TO(ABANDONED) | TO(CLOSED)},
    [CHAT_OFFERED] = {"offered", TO(WAITING) | TO(ASSIGNED) | TO(ACTIVE) | TO(ABANDONED) | TO(CLOSED)},
    [CHAT_ASSIGNED] = {"assigned", TO(ACTIVE) | TO(WAITING) | TO(PARKED) | TO(PROPOSED) | TO(CLOSED)},
    [CHAT_ACTIVE] = {"active", TO(PROPOSED) | TO(PARKED) | TO(WAITING) | TO(ASSIGNED) | TO(CLOSED)},
    [CHAT_PROPOSED] = {"proposed", TO(ACTIVE) | TO(ASSIGNED) | TO(WAITING) | TO(CLOSED)},
    [CHAT_PARKED] = {"parked", TO(ACTIVE) | TO(ASSIGNED) | TO(WAITING) | TO(PROPOSED) | TO(CLOSED)},
    [CHAT_CLOSED] = {"closed", 0},
    [CHAT_ABANDONED] = {"abandoned", TO(WAITING) | TO(CLOSED)},
};

const char *chat_state_name(enum chat_state state)
{
    return (unsigned)state < CHAT_STATE_N ? states[state].name : "none";
}

bool chat_state_may_move(enum chat_state before, enum chat_state after)
{
    return before == after || ((states[before].moves >> after) & 1);
}

bool chat_state_is_open(enum chat_state state)
{
    return state != CHAT_NONE && state != CHAT_CLOSED && state != CHAT_ABANDONED;
}

static bool is_reply(const struct entry *e)
{
    return (e->from_role & ROLE_STAFF) && !(e->f[FIELD_COUNTS].type == VAL_BOOL && !e->f[FIELD_COUNTS].b);
}

enum chat_state chat_state_after(enum chat_state before, const struct entry *e)
{
    switch (e->kind) {
    case KIND_STARTED:
    case KIND_QUEUED:
    case KIND_HANDLER_LOST:
        return CHAT_WAITING;
    case KIND_OFFERED:
        return CHAT_OFFERED;
    case KIND_OFFER_MISSED:
    case KIND_OFFER_DECLINED:
        return before == CHAT_OFFERED ? CHAT_WAITING : before;
    case KIND_ASSIGNED:
        return CHAT_ASSIGNED;
    case KIND_REASSIGNED: /* a proposal stands, whoever handles it: the shopper has been asked */
        return before == CHAT_ACTIVE || before == CHAT_PROPOSED ? before : CHAT_ASSIGNED;
    case KIND_TAKEN_BACK:
        return before == CHAT_PROPOSED ? before : CHAT_ACTIVE;
    case KIND_MESSAGE: /* the handler's first reply; only the handler writes. A greeting is none (rule 2.1) */
        return before == CHAT_ASSIGNED && is_reply(e) ? CHAT_ACTIVE : before;
    case KIND_OWNED: /* an answer to a parked or proposed case leaves it so */
        return before == CHAT_ASSIGNED ? CHAT_ACTIVE : before;
    case KIND_HANDLER_BACK:
    case KIND_UNPARKED:
        return CHAT_ACTIVE;
    case KIND_REOPENED:
        return before == CHAT_ABANDONED ? CHAT_WAITING : CHAT_ACTIVE;
    case KIND_RESOLUTION_PROPOSED:
        return CHAT_PROPOSED;
    case KIND_PARKED:
        return CHAT_PARKED;
    case KIND_ABANDONED:
        return CHAT_ABANDONED;
    case KIND_CLOSED:
        return CHAT_CLOSED;
    default:
        return before;
    }
}

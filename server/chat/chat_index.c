/* What stands beside a chat's log: fence, queue place, timers, hold. Derived from the state alone. Headers: chat.h. */
#include "chat/chat.h"

static const char *const timer_names[TIMER_N] = {"offer", "transfer", "silent", "care", "alert", "confirm", "park", "promise"};

const char *chat_timer_name(enum chat_timer t)
{
    return timer_names[t];
}

enum chat_timer chat_timer_from_name(struct str name)
{
    for (unsigned i = 0; i < TIMER_N; i++)
        if (str_is(name, timer_names[i]))
            return (enum chat_timer)i;
    return TIMER_N;
}

bool chat_kind_raises_fence(enum kind kind)
{
    switch (kind) {
    case KIND_STARTED:
    case KIND_QUEUED:
    case KIND_OFFERED:
    case KIND_OFFER_MISSED:
    case KIND_OFFER_DECLINED:
    case KIND_ASSIGNED:
    case KIND_OWNED:
    case KIND_TRANSFER_OFFERED:
    case KIND_TRANSFERRED:
    case KIND_TRANSFER_RETURNED:
    case KIND_TAKEN_BACK:
    case KIND_REASSIGNED:
    case KIND_HANDLER_LOST:
    case KIND_HANDLER_BACK:
    case KIND_REOPENED:
    case KIND_RESOLUTION_PROPOSED:
    case KIND_PARKED:
    case KIND_UNPARKED:
    case KIND_ABANDONED:
    case KIND_CLOSED:
    case KIND_MOVED:
        return true;
    default:
        return false;
    }
}

static int64_t next_promise_ms(const struct chat *c)
{
    int64_t due = 0;

    for (unsigned i = 0; i < c->promises_n; i++)
        if (c->promise[i].state == PROMISE_OPEN && c->promise[i].until_ms > 0 && (due == 0 || c->promise[i].until_ms < due))
            due = c->promise[i].until_ms;
    return due;
}

/*
 * Until then a case that ended is looked at again: by who comes back to it (rule 2.7), or to the place in the queue (rule 1.5).
 * What was promised is recorded also behind the end (rule 3.3).
 */
static int64_t free_ms(const struct chat *c, const struct chat_rules *r)
{
    int64_t keep = r->keep_ms > r->return_ms ? r->keep_ms : r->return_ms;

    if ((c->state != CHAT_CLOSED && c->state != CHAT_ABANDONED) || next_promise_ms(c) > 0)
        return 0;
    if (c->state == CHAT_ABANDONED && keep < r->quick_return_ms)
        keep = r->quick_return_ms;
    return c->ended_at_ms + keep;
}

const struct chat_who *chat_answerable(const struct chat *c)
{
    return c->owner.id[0] ? &c->owner : &c->prefer;
}

bool chat_leads_back(const struct chat *c, const struct chat_rules *r, int64_t now_ms)
{
    bool ended = c->state == CHAT_CLOSED || (c->state == CHAT_ABANDONED && chat_answerable(c)->id[0]);

    return ended && now_ms - c->ended_at_ms < r->return_ms;
}

void chat_index(const struct chat *c, const struct chat_rules *r, struct chat_index *out)
{
    bool served = c->state == CHAT_ASSIGNED || c->state == CHAT_ACTIVE;
    const char *owner;

    memset(out, 0, sizeof *out);
    out->due_ms[TIMER_PROMISE] = next_promise_ms(c); /* whether it was kept is recorded also when the case is over (rule 3.3) */
    out->free_ms = free_ms(c, r);
    if (!chat_state_is_open(c->state))
        return;
    out->open = c->shopper.id;
    if (c->state == CHAT_WAITING) {
        out->queue = c->department;
        out->score = c->queue_score;
    }
    if (c->state == CHAT_OFFERED || (served && c->handler.id[0])) {
        out->hold = served ? c->handler.id : c->offered_to.id;
        out->weight = r->weight[c->class_];
    } else if ((c->state == CHAT_PARKED || c->state == CHAT_PROPOSED) && c->handler.id[0]) {
        out->hold = c->handler.id; /* fills no capacity (rule 2.9), but stands on the handler's list */
    }
    owner = chat_answerable(c)->id;
    if (owner[0] && (!out->hold || strcmp(out->hold, owner) != 0))
        out->also = owner; /* answers for it, whoever handles it (rules 2.4, 2.7) */
    if (c->consulted[0] && strcmp(c->consulted, out->hold ? out->hold : "") != 0 && strcmp(c->consulted, out->also ? out->also : "") != 0)
        out->asked = c->consulted; /* rule 2.3 */
    if (c->transfer_to.id[0] && strcmp(c->transfer_to.id, out->also ? out->also : "") != 0 &&
        strcmp(c->transfer_to.id, out->asked ? out->asked : "") != 0)
        out->handed = c->transfer_to.id; /* rule 2.4: whichever node they come to */
    if (c->alert[0])
        out->alert = c->alert;
    if (c->state == CHAT_OFFERED)
        out->due_ms[TIMER_OFFER] = c->offer_until_ms;
    out->due_ms[TIMER_TRANSFER] = c->transfer_until_ms;
    if (c->unanswered_since_ms && (served || (c->state == CHAT_PROPOSED && !c->reminded)))
        out->due_ms[TIMER_SILENT] = c->silent_from_ms + r->silent_ms * (c->reminded ? 2 : 1);
    out->due_ms[TIMER_CARE] = care_next_at_ms(&r->care, c->wait_since_ms, c->care_done);
    if (c->alert[0])
        out->due_ms[TIMER_ALERT] = care_escalate_at_ms(&r->care, c->alerted_at_ms, c->alert_level);
    if (c->state == CHAT_PROPOSED)
        out->due_ms[TIMER_CONFIRM] = c->proposed_at_ms + r->confirm_ms;
    if (c->state == CHAT_PARKED)
        out->due_ms[TIMER_PARK] = c->parked_until_ms;
}

bool chat_keeps_index(const struct chat *c, const struct entry *e)
{
    bool has_clock = c->state == CHAT_ASSIGNED || c->state == CHAT_ACTIVE || c->state == CHAT_PROPOSED;

    switch (e->kind) {
    case KIND_MESSAGE: /* a question starts the clock, a reply that counts stops it */
        if (e->from_role == ROLE_SHOPPER)
            return c->unanswered_since_ms != 0 || !has_clock;
        return c->unanswered_since_ms == 0 || (e->f[FIELD_COUNTS].type == VAL_BOOL && !e->f[FIELD_COUNTS].b);
    case KIND_NOTE:
    case KIND_WHISPER:
    case KIND_TAGGED:
    case KIND_VERIFIED:
    case KIND_REFERRED:
    case KIND_JOINED:
    case KIND_LEFT:
    case KIND_RATED:
    case KIND_SUGGESTED:
        return true;
    default:
        return false;
    }
}

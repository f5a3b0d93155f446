/* How a chat ends or is put off: referral, resolution, rating, parking, promises (rules 2.3, 2.6, 2.9, 3.3). Headers: chat_decide.h. */
#include "chat/chat_decide.h"

#define CHAT_PROMISES_SAME 8 /* for one moment; fits a decision */

void decide_refer(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    (void)r;
    if (!decide_needs_handler(c, cmd, d))
        return;
    e = decide_add_main(d, cmd, KIND_REFERRED);
    e->f[FIELD_WHO] = decide_msg_val(cmd, FIELD_WHO);
    e->f[FIELD_HOW] = decide_msg_val(cmd, FIELD_HOW);
    e->f[FIELD_BY] = decide_msg_val(cmd, FIELD_BY);
}

/* Rules 2.3, 2.6: proved from the log since the case was last opened. */
void decide_resolve(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    (void)r;
    if (!decide_needs_handler(c, cmd, d))
        return;
    if (c->state != CHAT_ACTIVE && c->state != CHAT_ASSIGNED && c->state != CHAT_PARKED) {
        decide_conflict(c, d, "a resolution is proposed already");
        return;
    }
    if (!ownership_may_resolve(&c->proof, decide_msg_str(cmd, FIELD_RESOLUTION))) {
        decide_refuse(d, CODE_RESOLUTION_REQUIRED,
                      "the log shows no %.*s since the shopper's last question: answer, refer, file a request or escalate first",
                      STR_FMT(decide_msg_str(cmd, FIELD_RESOLUTION)));
        return;
    }
    if (!c->owner.id[0]) { /* nobody has answered yet: who closes it answers for it (rule 2.11) */
        e = decide_add_system(d, cmd, KIND_OWNED);
        e->f[FIELD_OWNER] = decide_person(d, cmd->person, cmd->name, STR_NONE);
    }
    decide_end_transfer(d, c, cmd, "resolved");
    e = decide_add_main(d, cmd, KIND_RESOLUTION_PROPOSED);
    e->f[FIELD_RESOLUTION] = decide_msg_val(cmd, FIELD_RESOLUTION);
    e->f[FIELD_SUMMARY] = decide_msg_val(cmd, FIELD_SUMMARY);
}

void decide_close(struct decision *d, const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, const char *how)
{
    struct entry *e;

    decide_say(d, cmd, r, CARE_TEXT_FAREWELL, str_of(c->locale),
               (struct care_facts){.name = str_of(c->shopper.name), .owner = str_of(c->owner.name), .summary = str_of(c->summary)});
    e = decide_add_system(d, cmd, KIND_CLOSED);
    e->f[FIELD_HOW] = val_s(how);
    e->f[FIELD_RETURN_MS] = val_int(r->return_ms);
}

/* Rule 2.6: satisfied, or back to the owner ahead of the queue. */
void decide_confirm(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    if (c->state != CHAT_PROPOSED) {
        decide_conflict(c, d, "no resolution is proposed");
        return;
    }
    if (cmd->msg->f[FIELD_SOLVED].b) {
        decide_add_main(d, cmd, KIND_CONFIRMED);
        decide_close(d, c, cmd, r, "confirmed");
        return;
    }
    decide_add_main(d, cmd, KIND_REFUSED);
    decide_reopen(d, c, cmd, r, "refused");
}

void decide_rate(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    (void)r;
    if (c->state != CHAT_CLOSED && c->state != CHAT_PROPOSED) {
        decide_conflict(c, d, "it is rated at its end");
    } else if (c->rating) {
        decide_conflict(c, d, "it is rated already");
    } else {
        e = decide_add_main(d, cmd, KIND_RATED);
        e->f[FIELD_SCORE] = decide_msg_val(cmd, FIELD_SCORE);
        e->f[FIELD_COMMENT] = decide_msg_val(cmd, FIELD_COMMENT);
        d->compare = COMPARE_HEAD; /* once, also from two tabs */
    }
}

static void add_abandoned(const struct chat *c, const struct chat_cmd *cmd, struct decision *d, const char *why)
{
    struct entry *e = decide_add_main(d, cmd, KIND_ABANDONED);

    e->f[FIELD_WAITED_MS] = val_int(c->wait_since_ms ? cmd->now_ms - c->wait_since_ms : 0);
    e->f[FIELD_WHY] = val_s(why);
}

void decide_leave(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    (void)r;
    if (!chat_state_is_open(c->state))
        decide_refuse(d, CODE_CLOSED, "the chat is %s", chat_state_name(c->state));
    else if (c->state == CHAT_WAITING || c->state == CHAT_OFFERED)
        add_abandoned(c, cmd, d, "left");
    else
        decide_add_main(d, cmd, KIND_LEFT);
}

static struct entry *add_promise(struct decision *d, const struct chat *c, const struct chat_cmd *cmd, struct val text)
{
    struct entry *e = decide_add(d, cmd, KIND_PROMISED);

    e->f[FIELD_PROMISE] = val_str(decide_new_id(d, c, 'p'));
    e->f[FIELD_TEXT] = text;
    e->f[FIELD_UNTIL] = decide_msg_val(cmd, FIELD_UNTIL);
    return e;
}

static bool is_later(const struct chat_cmd *cmd, struct decision *d)
{
    if (decide_msg_val(cmd, FIELD_UNTIL).i > cmd->now_ms)
        return true;
    decide_refuse(d, CODE_BAD_REQUEST, "until: must lie in the future");
    return false;
}

/* Room in the chat for what is still open, and for one date: those are found kept or missed in one decision. */
static bool has_promise_room(const struct chat *c, const struct chat_cmd *cmd, struct decision *d)
{
    unsigned open = 0, same = 0;

    for (unsigned i = 0; i < c->promises_n; i++) {
        if (c->promise[i].state != PROMISE_OPEN)
            continue;
        open++;
        same += c->promise[i].until_ms == decide_msg_val(cmd, FIELD_UNTIL).i;
    }
    d->compare = COMPARE_HEAD;
    if (open < CHAT_PROMISES_MAX && same < CHAT_PROMISES_SAME)
        return true;
    decide_refuse(d, CODE_CONFLICT, "the chat holds %d open promises, or %d for that moment, already", CHAT_PROMISES_MAX, CHAT_PROMISES_SAME);
    return false;
}

void decide_park(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    (void)r;
    if (!decide_needs_handler(c, cmd, d) || !is_later(cmd, d) || !has_promise_room(c, cmd, d))
        return;
    if (c->state != CHAT_ACTIVE && c->state != CHAT_ASSIGNED) {
        decide_conflict(c, d, "it can't be parked now");
        return;
    }
    decide_end_transfer(d, c, cmd, "parked");
    add_promise(d, c, cmd, decide_msg_val(cmd, FIELD_PROMISE));
    e = decide_add_main(d, cmd, KIND_PARKED);
    e->f[FIELD_PROMISE] = decide_msg_val(cmd, FIELD_PROMISE);
    e->f[FIELD_UNTIL] = decide_msg_val(cmd, FIELD_UNTIL);
}

void decide_unpark(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    (void)r;
    if (!decide_needs_handler(c, cmd, d))
        return;
    if (c->state != CHAT_PARKED) {
        decide_conflict(c, d, "it is not parked");
    } else if (!cmd->self || !cmd->self->may_take || !cmd->self->has_room) {
        decide_conflict(c, d, "you are not on shift or full");
    } else {
        e = decide_add_main(d, cmd, KIND_UNPARKED);
        e->f[FIELD_WHY] = val_s("rep");
        decide_guard_room(d, c, cmd->self->id);
    }
}

void decide_promise_add(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    (void)r;
    if (!decide_needs_handler(c, cmd, d) || !is_later(cmd, d) || !has_promise_room(c, cmd, d))
        return;
    add_promise(d, c, cmd, decide_msg_val(cmd, FIELD_TEXT));
    d->main = 0;
}

void decide_promise_done(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    (void)r;
    for (unsigned i = 0; i < c->promises_n; i++)
        if (str_is(decide_msg_str(cmd, FIELD_PROMISE), c->promise[i].id)) {
            if (c->promise[i].state == PROMISE_KEPT || c->promise[i].state == PROMISE_KEPT_LATE)
                decide_conflict(c, d, "it is kept already");
            else
                decide_add_main(d, cmd, KIND_PROMISE_KEPT)->f[FIELD_PROMISE] = decide_msg_val(cmd, FIELD_PROMISE);
            d->compare = COMPARE_HEAD;
            return;
        }
    decide_refuse(d, CODE_NOT_FOUND, "no such promise");
}

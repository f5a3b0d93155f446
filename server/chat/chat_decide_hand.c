/* Who handles a chat: taking, handing over, taking back, reassigning (rules 1.1, 1.4, 2.4, 2.8, 2.10). Headers: chat_decide.h. */
#include "chat/chat_decide.h"

static void assign_to_self(const struct chat *c, const struct chat_cmd *cmd, struct decision *d, const char *how)
{
    struct entry *e = decide_add_main(d, cmd, KIND_ASSIGNED);

    e->f[FIELD_TO] = decide_person(d, cmd->person, cmd->name, STR_NONE);
    e->f[FIELD_HOW] = val_s(how);
    decide_guard_room(d, c, cmd->self->id);
}

void decide_claim(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    (void)r;
    if (c->state != CHAT_WAITING && c->state != CHAT_OFFERED)
        decide_conflict(c, d, "somebody has it already");
    else if (!decide_can_claim(cmd))
        decide_conflict(c, d, "you are not on shift, not in its department, or full");
    else
        assign_to_self(c, cmd, d, "claim");
}

void decide_accept(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    (void)r;
    if (c->transfer_until_ms && str_is(cmd->person, c->transfer_to.id)) {
        if (!cmd->self || !cmd->self->may_take || !cmd->self->has_room) {
            decide_conflict(c, d, "you are not on shift or full");
            return;
        }
        e = decide_add_main(d, cmd, KIND_TRANSFERRED);
        e->f[FIELD_TO] = decide_person(d, cmd->person, cmd->name, STR_NONE);
        e->f[FIELD_HANDLER] = e->f[FIELD_TO];
        if (c->owner.id[0])
            e->f[FIELD_OWNER] = decide_who(d, &c->owner);
        if (c->transfer_department)
            e->f[FIELD_DEPARTMENT] = val_s(c->transfer_department);
        decide_guard_room(d, c, cmd->self->id);
    } else if (c->state == CHAT_OFFERED && str_is(cmd->person, c->offered_to.id)) {
        assign_to_self(c, cmd, d, "offer");
    } else {
        decide_conflict(c, d, "the offer is over");
    }
}

void decide_decline(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    (void)r;
    if (c->transfer_until_ms && str_is(cmd->person, c->transfer_to.id)) {
        e = decide_add_main(d, cmd, KIND_TRANSFER_RETURNED);
        e->f[FIELD_TO] = decide_who(d, &c->transfer_to);
        e->f[FIELD_REASON] = decide_msg_str(cmd, FIELD_REASON).n ? decide_msg_val(cmd, FIELD_REASON) : val_s("declined");
    } else if (c->state == CHAT_OFFERED && str_is(cmd->person, c->offered_to.id)) {
        e = decide_add_main(d, cmd, KIND_OFFER_DECLINED);
        e->f[FIELD_TO] = decide_who(d, &c->offered_to);
        e->f[FIELD_REASON] = decide_msg_val(cmd, FIELD_REASON);
    } else {
        decide_conflict(c, d, "the offer is over");
    }
}

/* Whom a command names as receiver: a rep, or a department. */
static struct val receiver(struct decision *d, const struct chat_cmd *cmd)
{
    return decide_person(d, cmd->target ? str_of(cmd->target->id) : STR_NONE,
                         cmd->target && cmd->target->name ? str_of(cmd->target->name) : STR_NONE, cmd->target_department);
}

static bool has_receiver(const struct chat_cmd *cmd, struct decision *d)
{
    if (cmd->target || cmd->target_is_department)
        return true;
    decide_refuse(d, CODE_NOT_FOUND, "no such rep or department");
    return false;
}

void decide_consult(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    (void)r;
    if (!decide_needs_handler(c, cmd, d) || !has_receiver(cmd, d))
        return;
    if (!cmd->target) {
        decide_conflict(c, d, "nobody there can be asked now");
        return;
    }
    if (str_is(cmd->person, cmd->target->id)) {
        decide_conflict(c, d, "you are the handler");
        return;
    }
    e = decide_add_main(d, cmd, KIND_CONSULTED);
    e->f[FIELD_TO] = receiver(d, cmd);
    e->f[FIELD_QUESTION] = decide_msg_val(cmd, FIELD_QUESTION);
}

void decide_consult_answer(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    (void)r;
    if (!chat_state_is_open(c->state)) {
        decide_refuse(d, CODE_CLOSED, "the chat is %s", chat_state_name(c->state));
        return;
    }
    if (!chat_has_asked(c, cmd->person)) {
        decide_refuse(d, CODE_FORBIDDEN, "only who was asked answers");
        return;
    }
    e = decide_add_main(d, cmd, KIND_CONSULT_ANSWERED);
    e->f[FIELD_TEXT] = decide_msg_val(cmd, FIELD_TEXT);
}

/* Rule 2.4: offered, not given: until it is accepted the handler doesn't change. */
void decide_transfer(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    if (!decide_needs_handler(c, cmd, d) || !has_receiver(cmd, d))
        return;
    if (c->state != CHAT_ASSIGNED && c->state != CHAT_ACTIVE) {
        decide_conflict(c, d, "it can't be handed over now");
    } else if (c->transfer_until_ms) {
        decide_conflict(c, d, "a handover is under way");
    } else if (!cmd->target || !cmd->target->may_take) {
        decide_conflict(c, d, "nobody there is on shift");
    } else if (str_is(cmd->person, cmd->target->id)) {
        decide_conflict(c, d, "you are the handler");
    } else {
        e = decide_add_main(d, cmd, KIND_TRANSFER_OFFERED);
        e->f[FIELD_TO] = receiver(d, cmd);
        e->f[FIELD_CARD] = decide_msg_val(cmd, FIELD_CARD);
        if (cmd->target_is_department) /* who was chosen there, and why nobody else (rule 2.10) */
            e->f[FIELD_CANDIDATES] = val_json(cmd->candidates);
        e->f[FIELD_DEADLINE_AT] = val_int(cmd->now_ms + r->transfer_ms);
        decide_guard(d, (struct chat_guard){.kind = GUARD_REP_ON, .who = cmd->target->id});
    }
}

void decide_take_back(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    (void)r;
    if (!chat_state_is_open(c->state)) {
        decide_refuse(d, CODE_CLOSED, "the chat is %s", chat_state_name(c->state));
    } else if (!c->owner.id[0] || !str_is(cmd->person, c->owner.id)) {
        decide_refuse(d, CODE_FORBIDDEN, "only the owner takes a case back");
    } else if (decide_is_handler(c, cmd)) {
        decide_conflict(c, d, "you are the handler");
    } else if (!cmd->self || !cmd->self->may_take || !cmd->self->has_room) {
        decide_conflict(c, d, "you are not on shift or full");
    } else {
        decide_end_transfer(d, c, cmd, "taken_back");
        e = decide_add_main(d, cmd, KIND_TAKEN_BACK);
        e->f[FIELD_HANDLER] = decide_person(d, cmd->person, cmd->name, STR_NONE);
        decide_guard_room(d, c, cmd->self->id);
    }
}

/* Rule 1.1: another department; the chat goes to that queue, ahead where it was served already. */
void decide_triage(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;
    bool served = c->handler.id[0] != 0, by_shopper = cmd->role == ROLE_SHOPPER;
    struct str class_ = decide_msg_str(cmd, FIELD_CLASS);
    enum class becomes = class_.n && !by_shopper ? class_from_name(class_) : c->class_;

    if (!chat_state_is_open(c->state)) {
        decide_refuse(d, CODE_CLOSED, "the chat is %s", chat_state_name(c->state));
        return;
    }
    if (by_shopper && served) {
        decide_conflict(c, d, "a rep has it");
        return;
    }
    if (!by_shopper && utf8_is_blank(decide_msg_str(cmd, FIELD_REASON))) {
        decide_refuse(d, CODE_BAD_REQUEST, "reason: is missing");
        return;
    }
    if (served && !decide_is_handler(c, cmd)) {
        decide_refuse(d, CODE_NOT_HANDLER, "only the handler may do this");
        return;
    }
    if (!cmd->target_is_department) {
        decide_refuse(d, CODE_NOT_FOUND, "no such department");
        return;
    }
    decide_end_transfer(d, c, cmd, "triaged");
    e = decide_add_main(d, cmd, KIND_TRIAGED);
    e->f[FIELD_DEPARTMENT] = val_str(cmd->target_department);
    e->f[FIELD_REASON] = decide_msg_val(cmd, FIELD_REASON);
    e->f[FIELD_WHY] = val_s(by_shopper ? "shopper" : "rep");
    decide_queue(d, c, cmd, r, cmd->target_department, becomes, served, "triaged");
    if (!served) /* the time waited already counts in the new queue; another class is another head start */
        d->entry[d->entries_n - 1].f[FIELD_SCORE] = val_int(c->queue_score + r->head_start_ms[c->class_] - r->head_start_ms[becomes]);
}

/* A lead who was asked for advice by another department knows of the chat, and no more. */
static bool is_led_by(const struct chat_cmd *cmd, struct decision *d)
{
    if (cmd->self && (cmd->self->in_department || cmd->self->is_director))
        return true;
    decide_refuse(d, CODE_FORBIDDEN, "it is another department's chat");
    return false;
}

/* Rule 2.10: a lead's recorded act. */
void decide_reassign(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    (void)r;
    if (!is_led_by(cmd, d))
        return;
    if (!chat_state_is_open(c->state)) {
        decide_refuse(d, CODE_CLOSED, "the chat is %s", chat_state_name(c->state));
    } else if (!has_receiver(cmd, d)) {
        return;
    } else if (!cmd->target || !cmd->target->may_take || !cmd->target->has_room) {
        decide_conflict(c, d, cmd->target_is_department ? "nobody there can take it now" : "that rep is not on shift or full");
    } else if (strcmp(c->handler.id, cmd->target->id) == 0) {
        decide_conflict(c, d, "that rep is the handler");
    } else {
        decide_end_transfer(d, c, cmd, "reassigned");
        e = decide_add_main(d, cmd, KIND_REASSIGNED);
        e->f[FIELD_TO] = decide_rep(d, cmd->target);
        e->f[FIELD_HANDLER] = e->f[FIELD_TO];
        e->f[FIELD_REASON] = decide_msg_val(cmd, FIELD_REASON);
        if (cmd->target_is_department) { /* theirs from now on; who was chosen there, and why nobody else */
            e->f[FIELD_DEPARTMENT] = val_str(cmd->target_department);
            e->f[FIELD_CANDIDATES] = val_json(cmd->candidates);
        }
        decide_guard_room(d, c, cmd->target->id);
    }
}

void decide_join(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    (void)r, (void)c;
    if (is_led_by(cmd, d))
        decide_add_main(d, cmd, KIND_JOINED);
}

/* Rule 3.2: the lead sends who waits to another department; the time waited counts there. */
static void move_on(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    if (!cmd->target_is_department) {
        decide_refuse(d, CODE_NOT_FOUND, "no such department");
        return;
    }
    e = decide_add(d, cmd, KIND_TRIAGED);
    e->f[FIELD_DEPARTMENT] = val_str(cmd->target_department);
    e->f[FIELD_REASON] = decide_msg_val(cmd, FIELD_NOTE);
    e->f[FIELD_WHY] = val_s("alert");
    decide_queue(d, c, cmd, r, cmd->target_department, c->class_, false, "triaged");
    d->entry[d->entries_n - 1].f[FIELD_SCORE] = val_int(c->queue_score);
}

/* Who acts takes the chat, given room. */
static void take_over(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    (void)r;
    if (!cmd->self || !cmd->self->may_take || !cmd->self->has_room) {
        decide_conflict(c, d, "you are not on shift or full");
        return;
    }
    e = decide_add_system(d, cmd, KIND_ASSIGNED);
    e->f[FIELD_TO] = decide_person(d, cmd->person, cmd->name, STR_NONE);
    e->f[FIELD_HOW] = val_s("alert");
    decide_guard_room(d, c, cmd->self->id);
}

static void move(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    if (decide_msg_str(cmd, FIELD_TO).n) /* else by reassigning, next */
        move_on(c, cmd, r, d);
}

/* The shopper is told who knows of the wait, and what they say. It is the machine's word: it claims nothing and is no reply (rule 2.1). */
static void explain(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    decide_say(d, cmd, r, CARE_TEXT_EXPLAINED, str_of(c->locale),
               (struct care_facts){.handler = cmd->name, .summary = decide_msg_str(cmd, FIELD_NOTE)});
    d->entry[d->entries_n - 1].f[FIELD_CHOICES] = val_json(STR("[\"wait\",\"message\",\"callback\"]"));
}

/* A call-back with an owner: the one that the shopper has asked for, or a new one of who acts. The place in the queue stays. */
static void call_back(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    bool asked = cmd->callback.n > 0;

    if (decide_msg_val(cmd, FIELD_AT).type == VAL_INT && decide_msg_val(cmd, FIELD_AT).i <= cmd->now_ms) {
        decide_refuse(d, CODE_BAD_REQUEST, "at: must lie in the future");
        return;
    }
    d->entry[d->main].f[FIELD_TASK] = val_str(asked ? cmd->callback : decide_new_id(d, c, 't'));
    decide_say(d, cmd, r, asked || cmd->can_reach ? CARE_TEXT_CALLBACK : CARE_TEXT_REACH, str_of(c->locale),
               (struct care_facts){.handler = asked ? STR_NONE : cmd->name});
    if (!asked)
        d->entry[d->entries_n - 1].f[FIELD_DUE_AT] = decide_msg_val(cmd, FIELD_AT);
}

static const struct {
    const char *name;
    void (*act)(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
} alert_actions[] = {{"take_over", take_over}, {"move", move}, {"call_back", call_back}, {"explain", explain}};

/* Rule 3.2: of whoever is first. */
void decide_alert_act(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    if (!c->alert[0] || !str_is(decide_msg_str(cmd, FIELD_ALERT), c->alert)) {
        decide_conflict(c, d, "the alert is over");
        return;
    }
    e = decide_add_main(d, cmd, KIND_ALERT_ACTED);
    e->f[FIELD_ALERT] = decide_msg_val(cmd, FIELD_ALERT);
    e->f[FIELD_ACTION] = decide_msg_val(cmd, FIELD_ACTION);
    e->f[FIELD_NOTE] = decide_msg_val(cmd, FIELD_NOTE);
    d->compare = COMPARE_HEAD; /* one lead acts on it */
    for (unsigned i = 0; i < sizeof alert_actions / sizeof *alert_actions; i++)
        if (str_is(decide_msg_str(cmd, FIELD_ACTION), alert_actions[i].name))
            alert_actions[i].act(c, cmd, r, d);
}

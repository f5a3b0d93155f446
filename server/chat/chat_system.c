/* What time, matching and lost connections do to a chat. Headers: chat.h, chat_decide.h. */
#include "chat/chat_decide.h"

static void drop(struct decision *d)
{
    d->drop_timer = true;
}

static void lose_handler(const struct chat *c, const struct chat_cmd *cmd, struct decision *d, const char *why)
{
    struct entry *e;

    decide_end_transfer(d, c, cmd, "handler_lost");
    e = decide_add_system(d, cmd, KIND_HANDLER_LOST);
    e->f[FIELD_HANDLER] = decide_who(d, &c->handler);
    e->f[FIELD_WHY] = val_s(why);
}

/* Rule 1.4: reminded once, then offered on. Of a proposed case: reminded, or to somebody who is there. */
static void on_silent(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    d->compare = COMPARE_HEAD;
    if (c->state == CHAT_PROPOSED && !(cmd->handler && cmd->handler->may_take)) {
        decide_reopen(d, c, cmd, r, "unanswered");
        return;
    }
    if (c->reminded) {
        lose_handler(c, cmd, d, "silent");
        return;
    }
    e = decide_add_system(d, cmd, KIND_REMINDED);
    e->f[FIELD_WHAT] = val_s("silent");
    e->f[FIELD_TO] = decide_who(d, &c->handler);
    if (!c->checked_in && c->state != CHAT_PROPOSED) /* rule 3.4: asked while they are here */
        decide_say(d, cmd, r, CARE_TEXT_CHECKIN, str_of(c->locale), (struct care_facts){.handler = str_of(c->handler.name)});
}

static struct entry *add_care(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d,
                              enum care_text text)
{
    unsigned at = d->entries_n;

    decide_say(d, cmd, r, text, str_of(c->locale), (struct care_facts){0});
    d->entry[at].f[FIELD_CHOICES] = val_json(STR("[\"wait\",\"message\",\"callback\"]"));
    return &d->entry[at];
}

static void add_alert(struct decision *d, const struct chat_cmd *cmd, struct str alert, int64_t level)
{
    struct entry *e = decide_add_system(d, cmd, KIND_ALERTED);

    e->f[FIELD_ALERT] = val_str(alert);
    e->f[FIELD_LEVEL] = val_int(level);
    e->f[FIELD_WHAT] = val_s("long_wait");
}

/* Rules 3.1, 3.2: each step once a wait. */
static void on_care(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    if (c->care_done == CARE_NONE) {
        add_care(c, cmd, r, d, CARE_TEXT_WATER)->f[FIELD_ARTICLES] = val_json(cmd->articles);
    } else {
        add_care(c, cmd, r, d, CARE_TEXT_EXPLAIN);
        add_alert(d, cmd, decide_new_id(d, c, 'a'), cmd->no_lead ? 2 : 1);
    }
    d->compare = COMPARE_HEAD;
}

static void on_offer_missed(const struct chat *c, const struct chat_cmd *cmd, struct decision *d)
{
    struct entry *e = decide_add_system(d, cmd, KIND_OFFER_MISSED);

    e->f[FIELD_TO] = decide_who(d, &c->offered_to);
    e->f[FIELD_WHY] = val_s(cmd->why ? cmd->why : "deadline");
}

static void on_transfer_missed(const struct chat *c, const struct chat_cmd *cmd, struct decision *d)
{
    struct entry *e = decide_add_system(d, cmd, KIND_TRANSFER_RETURNED);

    e->f[FIELD_TO] = decide_who(d, &c->transfer_to);
    e->f[FIELD_REASON] = val_s("missed");
}

/* A promise's date has come: back to the handler who is there, else ahead of the queue. */
static void on_park_due(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    if (cmd->handler && cmd->handler->may_take && cmd->handler->has_room) {
        e = decide_add_system(d, cmd, KIND_UNPARKED);
        e->f[FIELD_WHY] = val_s("due");
        decide_guard_room(d, c, c->handler.id);
    } else {
        decide_queue_back(d, c, cmd, r, "parked_due");
    }
}

static void on_promise_missed(const struct chat *c, const struct chat_cmd *cmd, struct decision *d)
{
    for (unsigned i = 0; i < c->promises_n; i++)
        if (c->promise[i].state == PROMISE_OPEN && c->promise[i].until_ms == cmd->due_ms &&
            d->entries_n < CHAT_DECISION_ENTRIES)
            decide_add_system(d, cmd, KIND_PROMISE_MISSED)->f[FIELD_PROMISE] = val_s(c->promise[i].id);
    d->compare = COMPARE_HEAD;
}

/* Rule 2.6: no answer closes it; a question that nobody has answered is one, and opens it again. */
static void on_confirm_due(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    if (c->unanswered_since_ms)
        decide_reopen(d, c, cmd, r, "unanswered");
    else
        decide_close(d, c, cmd, r, "unconfirmed");
}

/* What was overdue says by how much, so that nobody's figures bear it (PROMISES 2.11). */
static void mark_late(const struct chat_cmd *cmd, struct decision *d)
{
    if (cmd->now_ms - cmd->due_ms < CHAT_LATE_MS)
        return;
    for (unsigned i = 0; i < d->entries_n; i++)
        d->entry[i].f[FIELD_LATE] = val_int(cmd->now_ms - cmd->due_ms);
}

static void on_timer(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct chat_index ix;

    /* A timer means what the state says is due, or nothing. */
    chat_index(c, r, &ix);
    if ((unsigned)cmd->timer >= TIMER_N || cmd->due_ms == 0 || ix.due_ms[cmd->timer] != cmd->due_ms || cmd->now_ms < cmd->due_ms) {
        drop(d);
        return;
    }
    decide_guard(d, (struct chat_guard){.kind = GUARD_TIMER_DUE, .timer = cmd->timer, .due_ms = cmd->due_ms});
    switch (cmd->timer) {
    case TIMER_OFFER:
        on_offer_missed(c, cmd, d);
        break;
    case TIMER_TRANSFER:
        on_transfer_missed(c, cmd, d);
        break;
    case TIMER_SILENT:
        on_silent(c, cmd, r, d);
        break;
    case TIMER_CARE:
        on_care(c, cmd, r, d);
        break;
    case TIMER_ALERT:
        add_alert(d, cmd, str_of(c->alert), c->alert_level + 1);
        d->compare = COMPARE_HEAD;
        break;
    case TIMER_CONFIRM:
        on_confirm_due(c, cmd, r, d);
        break;
    case TIMER_PARK:
        on_park_due(c, cmd, r, d);
        break;
    case TIMER_PROMISE:
        on_promise_missed(c, cmd, d);
        break;
    case TIMER_N:
        break;
    }
    mark_late(cmd, d);
}

/* Rules 1.3, 1.4: matching found somebody. */
static void on_offer(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    if (c->state != CHAT_WAITING || !cmd->target)
        return;
    if (c->lost.id[0] && strcmp(c->lost.id, cmd->target->id) == 0) {
        /* The handler who was lost is back before a deputy took over. */
        e = decide_add_system(d, cmd, KIND_HANDLER_BACK);
        e->f[FIELD_HANDLER] = decide_rep(d, cmd->target);
    } else if (r->auto_accept) {
        e = decide_add_system(d, cmd, KIND_ASSIGNED);
        e->f[FIELD_TO] = decide_rep(d, cmd->target);
        e->f[FIELD_HOW] = val_s("auto");
        e->f[FIELD_WHY] = val_s(cmd->why);
        e->f[FIELD_CANDIDATES] = val_json(cmd->candidates);
    } else {
        e = decide_add_system(d, cmd, KIND_OFFERED);
        e->f[FIELD_TO] = decide_rep(d, cmd->target);
        e->f[FIELD_OFFER] = val_s("new");
        e->f[FIELD_DEADLINE_AT] = val_int(cmd->now_ms + r->offer_ms);
        e->f[FIELD_WHY] = val_s(cmd->why);
        e->f[FIELD_CANDIDATES] = val_json(cmd->candidates);
    }
    decide_guard(d, (struct chat_guard){.kind = GUARD_REP_ROOM, .who = cmd->target->id, .weight = d->weight});
}

/* Rule 2.9: an account is closed: what it handles goes to deputies, without a grace time; a question that was put to the shopper stands. */
static void on_account_closed(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    if (!cmd->target)
        return;
    if (c->state == CHAT_OFFERED && strcmp(c->offered_to.id, cmd->target->id) == 0) {
        on_offer_missed(c, cmd, d);
        d->entry[d->entries_n - 1].f[FIELD_WHY] = val_s("account_closed");
    } else if (strcmp(c->handler.id, cmd->target->id) != 0) {
        return;
    } else if (c->state == CHAT_ASSIGNED || c->state == CHAT_ACTIVE) {
        lose_handler(c, cmd, d, "account_closed");
    } else if (c->state == CHAT_PARKED) {
        decide_queue_back(d, c, cmd, r, "account_closed");
    }
}

/* Rules 1.5, 2.8: a grace time is over. */
static void on_gone(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    if (cmd->why && strcmp(cmd->why, "shopper") == 0) {
        struct entry *e;

        if (c->state != CHAT_WAITING && c->state != CHAT_OFFERED) {
            drop(d);
            return;
        }
        e = decide_add_system(d, cmd, KIND_ABANDONED);
        e->f[FIELD_WAITED_MS] = val_int(c->wait_since_ms ? cmd->now_ms - c->wait_since_ms : 0);
        e->f[FIELD_WHY] = val_s("offline");
        decide_guard(d, (struct chat_guard){.kind = GUARD_SHOPPER_GONE, .who = c->shopper.id});
        return;
    }
    if (cmd->why && strcmp(cmd->why, "account") == 0) {
        on_account_closed(c, cmd, r, d);
        return;
    }
    if (cmd->why && strcmp(cmd->why, "shift") == 0) { /* the shift ends: an open offer goes on, what is served stays (rule 2.9) */
        if (c->state != CHAT_OFFERED || !cmd->target || strcmp(c->offered_to.id, cmd->target->id) != 0)
            return;
        on_offer_missed(c, cmd, d);
        d->entry[d->entries_n - 1].f[FIELD_WHY] = val_s("shift_ended");
        return;
    }
    if (c->state == CHAT_OFFERED && cmd->target && strcmp(c->offered_to.id, cmd->target->id) == 0) {
        on_offer_missed(c, cmd, d);
        d->entry[d->entries_n - 1].f[FIELD_WHY] = val_s("connection");
        decide_guard(d, (struct chat_guard){.kind = GUARD_REP_GONE, .who = c->offered_to.id});
        return;
    }
    if ((c->state != CHAT_ASSIGNED && c->state != CHAT_ACTIVE) || !cmd->target || strcmp(c->handler.id, cmd->target->id) != 0)
        return;
    lose_handler(c, cmd, d, "connection");
    decide_guard(d, (struct chat_guard){.kind = GUARD_REP_GONE, .who = c->handler.id});
}

/* What the handler was shown for a question, once a question: for transcripts, gaps and figures. */
static void on_suggest(const struct chat *c, const struct chat_cmd *cmd, struct decision *d)
{
    struct entry *e;

    if (!chat_state_is_open(c->state) || cmd->due_ms != c->proof.last_question || c->suggested_for >= cmd->due_ms)
        return;
    d->compare = COMPARE_HEAD;
    e = decide_add_system(d, cmd, KIND_SUGGESTED);
    e->f[FIELD_OF] = val_int(cmd->due_ms);
    e->f[FIELD_ARTICLES] = val_json(cmd->articles);
}

void chat_decide_system(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    switch (cmd->kind) {
    case CMD_TIMER:
        on_timer(c, cmd, r, d);
        break;
    case CMD_OFFER:
        on_offer(c, cmd, r, d);
        break;
    case CMD_GONE:
        on_gone(c, cmd, r, d);
        break;
    case CMD_SUGGEST:
        on_suggest(c, cmd, d);
        break;
    default:
        break;
    }
}

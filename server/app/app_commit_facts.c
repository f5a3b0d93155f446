/* What a decision has to know of people. Headers: app_commit.h. */
#include "app/app_commit.h"

#include <stdlib.h>

static struct str field(const struct cmd *c, enum field f)
{
    return c->msg.f[f].type == VAL_STR ? c->msg.f[f].s : STR_NONE;
}

/* Whom `to` names: a rep, or a department, and then who there would be asked. */
static void resolve_target(struct slot *s, struct cmd *c, struct chat_cmd *cc, struct facts *f)
{
    struct app *a = s->app;
    struct str to = c->kind == CMD_MSG ? field(c, FIELD_TO) : str_of(c->target);
    bool is_reassigned = c->kind == CMD_MSG && c->msg.type == MSG_CHAT_REASSIGN; /* whoever has it is not asked; who acts may be */
    bool is_asked = c->kind == CMD_MSG && c->msg.type == MSG_CHAT_CONSULT;
    struct department *d;
    const struct member *best, *named;
    struct buf b;

    if (c->kind == CMD_MSG && c->msg.type == MSG_CHAT_TRIAGE)
        to = field(c, FIELD_DEPARTMENT);
    if (!to.s || !to.n)
        return;
    d = match_find(a, to);
    if (d) {
        cc->target_is_department = true;
        cc->target_department = str_of(d->cfg->name);
        buf_init(&b, 1 << 16);
        best = match_best(a, d, &s->chat, is_reassigned ? s->chat.handler.id : c->conn ? c->conn->person : "", !is_asked, &b);
        free(c->candidates);
        c->candidates = buf_take(&b, NULL);
        cc->candidates = str_of(c->candidates);
        if (best) {
            people_fact(a, str_of(best->rep.id), cc->target_department, strcmp(c->denied_target, best->rep.id) == 0, &f->target);
            cc->target = &f->target;
            cc->target_on_shift = f->target.may_take;
        }
        return;
    }
    named = people_find(a, to);
    if (named && !(c->kind == CMD_MSG && named->rep.disabled)) { /* a closed account is nobody that a person can name */
        people_fact(a, to, str_of(s->chat.department ? s->chat.department : ""), str_is(to, c->denied_target), &f->target);
        cc->target = &f->target;
    }
}

void facts_gather(struct slot *s, struct cmd *c, struct chat_cmd *cc, struct facts *f)
{
    struct app *a = s->app;
    struct str dept = str_of(s->chat.department ? s->chat.department : c->department);

    memset(cc, 0, sizeof *cc);
    memset(f, 0, sizeof *f);
    cc->kind = c->kind;
    cc->now_ms = slot_now_ms(s);
    cc->role = ROLE_SYSTEM;
    cc->timer = c->timer;
    cc->due_ms = c->due_ms;
    cc->why = c->why;
    cc->candidates = str_of(c->candidates);
    cc->articles = str_of(c->articles);
    if (c->kind == CMD_MSG) {
        cc->msg = &c->msg;
        cc->role = c->conn->is_staff ? (c->conn->roles & ROLE_LEAD ? ROLE_LEAD : ROLE_REP) : ROLE_SHOPPER;
        cc->person = str_of(c->conn->person);
        cc->name = str_of(c->conn->name);
        if (c->conn->is_staff) {
            people_fact(a, cc->person, dept, c->denied_self, &f->self);
            cc->self = &f->self;
        }
        if (c->msg.type == MSG_CHAT_START) {
            cc->chat_id = s->chat.id;
            cc->department = str_of(c->department);
            cc->topic = field(c, FIELD_TOPIC);
            cc->class_ = str_of(c->class_);
            cc->locale = c->conn->locale[0] ? str_of(c->conn->locale) : STR_NONE;
            cc->page = c->conn->page ? str_of(c->conn->page) : STR_NONE;
            cc->site = str_of(a->site);
            cc->after = c->after[0] ? str_of(c->after) : STR_NONE;
            cc->after_owner = str_of(c->after_owner);
            if (c->after_owner[0] && people_find(a, str_of(c->after_owner)))
                cc->after_owner_name = people_find(a, str_of(c->after_owner))->rep.name;
            cc->triage_why = c->triage_why ? c->triage_why : "default";
            cc->triage_reason = str_of(c->triage_reason);
            cc->after_card = c->after_card ? str_of(c->after_card) : STR_NONE;
        }
    }
    resolve_target(s, c, cc, f);
    cc->callback = str_of(c->callback);
    cc->can_reach = c->contact != NULL;
    if (c->kind == CMD_TIMER && c->timer == TIMER_CARE) { /* of a department that was taken out of the configuration there is nobody either */
        const struct department *d = match_find(a, dept);

        cc->no_lead = !d || !match_has_lead(a, d);
    }
    if (s->chat.owner.id[0]) {
        people_fact(a, str_of(s->chat.owner.id), dept, c->denied_owner, &f->owner);
        cc->owner = &f->owner;
    }
    if (s->chat.handler.id[0]) {
        people_fact(a, str_of(s->chat.handler.id), dept, c->denied_handler, &f->handler);
        cc->handler = &f->handler;
    }
}

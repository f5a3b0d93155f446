/* What a command does to a chat: one function a command, one row a function. Here: what all share, messages, notes. Headers: chat.h. */
#include "chat/chat_decide.h"

#include <stdarg.h>
#include <stdio.h>

#define ARENA_BYTES 65536

void decision_init(struct decision *d)
{
    memset(d, 0, sizeof *d);
    buf_init(&d->arena, ARENA_BYTES);
    buf_reserve(&d->arena, ARENA_BYTES); /* never moves: entries point into it */
}

void decision_fini(struct decision *d)
{
    buf_fini(&d->arena);
}

static void decision_clear(struct decision *d)
{
    d->code = CODE_OK;
    d->text[0] = 0;
    d->compare = COMPARE_FENCE;
    d->entries_n = d->main = d->guards_n = 0;
    d->drop_timer = false;
    d->made_id[0] = 0;
    buf_reset(&d->arena);
}

void decide_refuse(struct decision *d, enum code code, const char *fmt, ...)
{
    va_list ap;

    d->code = code;
    d->entries_n = d->guards_n = 0;
    va_start(ap, fmt);
    vsnprintf(d->text, sizeof d->text, fmt, ap);
    va_end(ap);
}

struct entry *decide_add(struct decision *d, const struct chat_cmd *cmd, enum kind kind)
{
    struct entry *e = &d->entry[d->entries_n++];

    entry_init(e, kind);
    e->from_role = cmd->role ? cmd->role : ROLE_SYSTEM;
    if (e->from_role != ROLE_SYSTEM) {
        e->from.id = cmd->person;
        e->from.name = cmd->name;
    }
    if (chat_kind_raises_fence(kind) && d->compare == COMPARE_FENCE)
        d->compare = COMPARE_HEAD;
    return e;
}

struct entry *decide_add_main(struct decision *d, const struct chat_cmd *cmd, enum kind kind)
{
    d->main = d->entries_n;
    return decide_add(d, cmd, kind);
}

struct entry *decide_add_system(struct decision *d, const struct chat_cmd *cmd, enum kind kind)
{
    struct entry *e = decide_add(d, cmd, kind);

    e->from_role = ROLE_SYSTEM;
    e->from = (struct person){STR_NONE, STR_NONE};
    return e;
}

void decide_guard(struct decision *d, struct chat_guard g)
{
    d->guard[d->guards_n++] = g;
}

void decide_guard_room(struct decision *d, const struct chat *c, const char *rep)
{
    struct chat_index ix;
    static const struct chat_rules any = {.weight = {1, 1, 1, 1, 1}};

    chat_index(c, &any, &ix);
    /* Who holds this chat already has the room that it fills. */
    if (ix.hold && ix.weight > 0 && strcmp(ix.hold, rep) == 0)
        decide_guard(d, (struct chat_guard){.kind = GUARD_REP_ON, .who = rep});
    else
        decide_guard(d, (struct chat_guard){.kind = GUARD_REP_ROOM, .who = rep, .weight = d->weight});
}

struct val decide_person(struct decision *d, struct str id, struct str name, struct str department)
{
    size_t at = d->arena.n;

    buf_add_c(&d->arena, '{');
    if (id.n)
        json_kv_str(&d->arena, "id", id);
    if (name.n)
        json_kv_str(&d->arena, "name", name);
    if (department.n)
        json_kv_str(&d->arena, "department", department);
    buf_add_c(&d->arena, '}');
    if (!buf_ok(&d->arena))
        return val_json(STR("{}"));
    return val_json((struct str){d->arena.p + at, d->arena.n - at});
}

struct val decide_rep(struct decision *d, const struct chat_rep *r)
{
    return decide_person(d, str_of(r->id), str_of(r->name ? r->name : ""), STR_NONE);
}

struct val decide_who(struct decision *d, const struct chat_who *w)
{
    return decide_person(d, str_of(w->id), str_of(w->name ? w->name : ""), STR_NONE);
}

/* Follows from the chat and the place in its log: the same decision makes the same id. */
struct str decide_new_id(struct decision *d, const struct chat *c, char prefix)
{
    unsigned char hash[CRYPTO_HASH_BYTES];
    char text[ID_SIZE + 32], hex[2 * 8 + 1];
    int n = snprintf(text, sizeof text, "%c %s %lld", prefix, c->id, (long long)c->head + d->entries_n);

    crypto_digest(hash, text, (size_t)n, NULL, 0);
    crypto_hex(hex, hash, 8);
    snprintf(d->made_id, sizeof d->made_id, "%c_%s", prefix, hex);
    return str_of(d->made_id);
}

/* Puts the chat into its department's queue; ahead: before everybody who came by themselves. */
void decide_queue(struct decision *d, const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r,
                  struct str department, enum class class_, bool ahead, const char *why)
{
    struct entry *e = decide_add_system(d, cmd, KIND_QUEUED);

    (void)c;
    e->f[FIELD_DEPARTMENT] = val_str(department);
    e->f[FIELD_CLASS] = val_s(class_name(class_));
    e->f[FIELD_WHY] = val_s(why);
    e->f[FIELD_SCORE] = val_int(routing_score(cmd->now_ms, ahead ? CHAT_AHEAD_MS : r->head_start_ms[class_]));
}

void decide_queue_back(struct decision *d, const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, const char *why)
{
    enum class class_ = c->class_ > CLASS_RETURNING ? c->class_ : CLASS_RETURNING;

    decide_queue(d, c, cmd, r, str_of(c->department), class_, true, why);
}

void decide_reopen(struct decision *d, const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, const char *why)
{
    struct entry *e = decide_add_system(d, cmd, KIND_REOPENED);

    e->f[FIELD_WHY] = val_s(why);
    if (cmd->owner && cmd->owner->may_take && cmd->owner->has_room) {
        e = decide_add_system(d, cmd, KIND_ASSIGNED);
        e->f[FIELD_TO] = decide_rep(d, cmd->owner);
        e->f[FIELD_HOW] = val_s("return");
        decide_guard_room(d, c, cmd->owner->id);
    } else {
        decide_queue_back(d, c, cmd, r, why);
    }
}

void decide_end_transfer(struct decision *d, const struct chat *c, const struct chat_cmd *cmd, const char *why)
{
    struct entry *e;

    if (!c->transfer_until_ms)
        return;
    e = decide_add_system(d, cmd, KIND_TRANSFER_RETURNED);
    e->f[FIELD_TO] = decide_who(d, &c->transfer_to);
    e->f[FIELD_REASON] = val_s(why);
}

void decide_say(struct decision *d, const struct chat_cmd *cmd, const struct chat_rules *r, enum care_text text, struct str locale,
                struct care_facts facts)
{
    struct entry *e = decide_add_system(d, cmd, KIND_CARE);
    size_t at = d->arena.n;

    care_write(&d->arena, text, locale, &r->words, &facts);
    e->f[FIELD_STEP] = val_s(care_step_name(text));
    e->f[FIELD_TEXT] = val_str(buf_ok(&d->arena) ? (struct str){d->arena.p + at, d->arena.n - at} : STR_NONE);
}

bool decide_is_handler(const struct chat *c, const struct chat_cmd *cmd)
{
    return c->handler.id[0] && str_is(cmd->person, c->handler.id);
}

/* Rule 2.12: the one door; refuses and says so, or answers MAY_WRITE or MAY_CLAIM. */
static enum may_write ask_door(const struct chat *c, const struct chat_cmd *cmd, bool may_claim, struct decision *d)
{
    struct ownership o;
    char me[ID_SIZE] = "";
    enum may_write may;

    memcpy(me, cmd->person.s, cmd->person.n < ID_SIZE ? cmd->person.n : 0);
    chat_ownership(c, &o);
    may = ownership_may_write(&o, cmd->role == ROLE_SHOPPER ? WRITER_SHOPPER : WRITER_REP, me, may_claim);
    if (may == MAY_NOT_CLOSED)
        decide_refuse(d, CODE_CLOSED, "the chat is %s", chat_state_name(c->state));
    if (may == MAY_NOT_HANDLER)
        decide_refuse(d, CODE_NOT_HANDLER, c->handler.id[0] ? "another rep is the handler" : "nobody is the handler, and you can't take it now");
    return may;
}

/* Refuses unless the actor is the handler of an open chat. */
bool decide_needs_handler(const struct chat *c, const struct chat_cmd *cmd, struct decision *d)
{
    return ask_door(c, cmd, false, d) == MAY_WRITE;
}

void decide_conflict(const struct chat *c, struct decision *d, const char *why)
{
    decide_refuse(d, CODE_CONFLICT, "%s (the chat is %s)", why, chat_state_name(c->state));
}

struct str decide_msg_str(const struct chat_cmd *cmd, enum field f)
{
    const struct val *v = &cmd->msg->f[f];

    return v->type == VAL_STR || v->type == VAL_JSON ? v->s : STR_NONE;
}

struct val decide_msg_val(const struct chat_cmd *cmd, enum field f)
{
    return cmd->msg->f[f];
}

/* chat.start (rules 1.1, 1.2): opens the log. */
static void decide_start(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    enum class class_ = class_from_name(cmd->class_);
    struct entry *e;

    if (c->state != CHAT_NONE) {
        decide_conflict(c, d, "the chat exists");
        return;
    }
    d->compare = COMPARE_NEW;
    e = decide_add(d, cmd, KIND_STARTED);
    e->f[FIELD_TOPIC] = val_str(cmd->topic);
    e->f[FIELD_DEPARTMENT] = val_str(cmd->department);
    e->f[FIELD_CLASS] = val_s(class_name(class_));
    e->f[FIELD_LOCALE] = val_str(cmd->locale);
    e->f[FIELD_PAGE] = val_str(cmd->page);
    e->f[FIELD_SITE] = val_str(cmd->site);
    e->f[FIELD_AFTER] = val_str(cmd->after);
    if (cmd->after_card.n)
        e->f[FIELD_CARD] = val_json(cmd->after_card);
    if (cmd->after_owner.n)
        e->f[FIELD_OWNER] = decide_person(d, cmd->after_owner, str_of(cmd->after_owner_name ? cmd->after_owner_name : ""), STR_NONE);
    e = decide_add_system(d, cmd, KIND_TRIAGED);
    e->f[FIELD_DEPARTMENT] = val_str(cmd->department);
    e->f[FIELD_WHY] = val_s(cmd->triage_why);
    if (cmd->triage_reason.n)
        e->f[FIELD_REASON] = val_str(cmd->triage_reason);
    /* Before the message: behind the command's own entry nothing more is shown, so a repeated start leaves no hole. */
    decide_say(d, cmd, r, CARE_TEXT_GREETING, cmd->locale, (struct care_facts){.name = cmd->name});
    e = decide_add_main(d, cmd, KIND_MESSAGE);
    e->f[FIELD_TEXT] = decide_msg_val(cmd, FIELD_TEXT);
    decide_queue(d, c, cmd, r, cmd->department, class_, false, "started");
    decide_guard(d, (struct chat_guard){.kind = GUARD_SHOPPER_FREE, .who = NULL});
}

static void add_message(struct decision *d, const struct chat_cmd *cmd)
{
    struct entry *e = decide_add_main(d, cmd, KIND_MESSAGE);

    e->f[FIELD_TEXT] = decide_msg_val(cmd, FIELD_TEXT);
    e->f[FIELD_ATTACHMENT] = decide_msg_val(cmd, FIELD_ATTACHMENT);
    if (cmd->role == ROLE_SHOPPER)
        return;
    e->f[FIELD_ARTICLE] = decide_msg_val(cmd, FIELD_ARTICLE);
    e->f[FIELD_CANNED] = decide_msg_val(cmd, FIELD_CANNED);
}

static void decide_shopper_message(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r,
                                   struct decision *d)
{
    struct entry *e;

    if (c->state == CHAT_ABANDONED && cmd->now_ms - c->ended_at_ms <= r->quick_return_ms) {
        e = decide_add_system(d, cmd, KIND_REOPENED);
        e->f[FIELD_WHY] = val_s("quick_return");
        add_message(d, cmd);
        decide_guard(d, (struct chat_guard){.kind = GUARD_SHOPPER_FREE, .who = c->shopper.id});
        return;
    }
    if (ask_door(c, cmd, false, d) != MAY_WRITE)
        return;
    if (c->state != CHAT_PARKED) {
        add_message(d, cmd);
        return;
    }
    /* A parked shopper writes: back to the handler who is there, else ahead of the queue to a deputy. */
    if (cmd->handler && cmd->handler->may_take && cmd->handler->has_room) {
        e = decide_add_system(d, cmd, KIND_UNPARKED);
        e->f[FIELD_WHY] = val_s("message");
        add_message(d, cmd);
        decide_guard_room(d, c, c->handler.id);
    } else {
        add_message(d, cmd);
        decide_queue_back(d, c, cmd, r, "parked_handler_away");
    }
}

bool decide_can_claim(const struct chat_cmd *cmd)
{
    return cmd->self && cmd->self->may_take && cmd->self->has_room && cmd->self->in_department;
}

/* Rules 2.1, 2.2, 2.12: the one door for a rep's text to the shopper. */
static void decide_rep_message(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    bool counts = decide_msg_str(cmd, FIELD_ATTACHMENT).n > 0 || ownership_reply_counts(decide_msg_str(cmd, FIELD_TEXT), &r->texts);
    enum may_write may = ask_door(c, cmd, decide_can_claim(cmd) && (c->state == CHAT_WAITING || c->state == CHAT_OFFERED), d);
    struct entry *e;

    if (may != MAY_WRITE && may != MAY_CLAIM)
        return;
    if (may == MAY_CLAIM) {
        e = decide_add_system(d, cmd, KIND_ASSIGNED);
        e->f[FIELD_TO] = decide_person(d, cmd->person, cmd->name, STR_NONE);
        e->f[FIELD_HOW] = val_s("reply");
        decide_guard_room(d, c, cmd->self->id);
    }
    if (counts && !c->owner.id[0]) {
        e = decide_add_system(d, cmd, KIND_OWNED);
        e->f[FIELD_OWNER] = decide_person(d, cmd->person, cmd->name, STR_NONE);
    }
    if (c->state == CHAT_ASSIGNED)
        d->compare = COMPARE_HEAD;
    add_message(d, cmd);
    if (!counts) /* an answer to a parked or proposed case leaves it so: promise and question stand */
        d->entry[d->main].f[FIELD_COUNTS] = val_bool(false);
}

static void decide_message(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    if (cmd->role == ROLE_SHOPPER)
        decide_shopper_message(c, cmd, r, d);
    else
        decide_rep_message(c, cmd, r, d);
}

static void decide_note(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e = decide_add_main(d, cmd, cmd->msg->type == MSG_WHISPER ? KIND_WHISPER : KIND_NOTE);

    (void)c, (void)r;
    e->f[FIELD_TEXT] = decide_msg_val(cmd, FIELD_TEXT);
    e->f[FIELD_MENTIONS] = decide_msg_val(cmd, FIELD_MENTIONS);
}

/* The chat's tags as they would be; each but once. */
struct tags {
    struct str tag[2 * CHAT_TAGS_MAX];
    unsigned n;
};

static void count_tag(void *ctx, struct str tag)
{
    struct tags *t = ctx;

    for (unsigned i = 0; i < t->n; i++)
        if (str_eq(tag, t->tag[i]))
            return;
    if (t->n < 2 * CHAT_TAGS_MAX)
        t->tag[t->n++] = tag;
}

static void uncount_tag(void *ctx, struct str tag)
{
    struct tags *t = ctx;

    for (unsigned i = 0; i < t->n; i++)
        if (str_eq(tag, t->tag[i]))
            t->tag[i--] = t->tag[--t->n];
}

/* What is taken off goes first: a tag in both lists stays on. */
static unsigned tags_then(const struct chat *c, const struct chat_cmd *cmd)
{
    struct tags t = {.n = 0};

    for (unsigned i = 0; i < c->tags_n; i++)
        count_tag(&t, str_of(c->tags[i]));
    if (decide_msg_val(cmd, FIELD_REMOVE).type == VAL_JSON)
        json_each_str(decide_msg_val(cmd, FIELD_REMOVE).s, uncount_tag, &t);
    if (decide_msg_val(cmd, FIELD_ADD).type == VAL_JSON)
        json_each_str(decide_msg_val(cmd, FIELD_ADD).s, count_tag, &t);
    return t.n;
}

static void decide_tag(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    struct entry *e;

    (void)r;
    if (decide_msg_val(cmd, FIELD_ADD).type == VAL_NONE && decide_msg_val(cmd, FIELD_REMOVE).type == VAL_NONE) {
        decide_refuse(d, CODE_BAD_REQUEST, "add or remove: one is needed");
        return;
    }
    if (tags_then(c, cmd) > CHAT_TAGS_MAX) {
        decide_refuse(d, CODE_CONFLICT, "a chat has at most %d tags", CHAT_TAGS_MAX);
        return;
    }
    e = decide_add_main(d, cmd, KIND_TAGGED);
    e->f[FIELD_ADD] = decide_msg_val(cmd, FIELD_ADD);
    e->f[FIELD_REMOVE] = decide_msg_val(cmd, FIELD_REMOVE);
}

static void decide_verify(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d)
{
    (void)r;
    if (decide_needs_handler(c, cmd, d))
        decide_add_main(d, cmd, KIND_VERIFIED)->f[FIELD_CHECKS] = decide_msg_val(cmd, FIELD_CHECKS);
}

static const struct {
    void (*decide)(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
} commands[MSG_N] = {
    [MSG_CHAT_START] = {decide_start},
    [MSG_MESSAGE_SEND] = {decide_message},
    [MSG_CHAT_CLAIM] = {decide_claim},
    [MSG_OFFER_ACCEPT] = {decide_accept},
    [MSG_OFFER_DECLINE] = {decide_decline},
    [MSG_NOTE_ADD] = {decide_note},
    [MSG_WHISPER] = {decide_note},
    [MSG_CHAT_CONSULT] = {decide_consult},
    [MSG_CONSULT_ANSWER] = {decide_consult_answer},
    [MSG_CHAT_TRANSFER] = {decide_transfer},
    [MSG_CHAT_TAKE_BACK] = {decide_take_back},
    [MSG_CHAT_REFER] = {decide_refer},
    [MSG_CHAT_RESOLVE] = {decide_resolve},
    [MSG_CHAT_CONFIRM] = {decide_confirm},
    [MSG_CHAT_RATE] = {decide_rate},
    [MSG_CHAT_LEAVE] = {decide_leave},
    [MSG_CHAT_PARK] = {decide_park},
    [MSG_CHAT_UNPARK] = {decide_unpark},
    [MSG_PROMISE_ADD] = {decide_promise_add},
    [MSG_PROMISE_DONE] = {decide_promise_done},
    [MSG_CHAT_TRIAGE] = {decide_triage},
    [MSG_CHAT_TAG] = {decide_tag},
    [MSG_CHAT_VERIFY] = {decide_verify},
    [MSG_CHAT_REASSIGN] = {decide_reassign},
    [MSG_CHAT_JOIN] = {decide_join},
    [MSG_ALERT_ACT] = {decide_alert_act},
};

bool chat_decides(enum msg_type type)
{
    return (unsigned)type < MSG_N && commands[type].decide;
}

/* Whether one may know of the chat is checked first. */
static bool may_know(const struct chat *c, const struct chat_cmd *cmd)
{
    char me[ID_SIZE] = "";

    if (c->state == CHAT_NONE)
        return cmd->msg->type == MSG_CHAT_START;
    if (cmd->role == ROLE_SHOPPER)
        return str_is(cmd->person, c->shopper.id);
    if (cmd->person.n < ID_SIZE)
        memcpy(me, cmd->person.s, cmd->person.n);
    return (cmd->self && (cmd->self->in_department || cmd->self->is_director)) || chat_has_reader(c, me);
}

void chat_decide(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *rules, struct decision *d)
{
    decision_clear(d);
    d->weight = rules->weight[c->class_];
    if (cmd->kind != CMD_MSG) {
        chat_decide_system(c, cmd, rules, d);
        return;
    }
    if (!may_know(c, cmd))
        decide_refuse(d, CODE_NOT_FOUND, "no such chat");
    else
        commands[cmd->msg->type].decide(c, cmd, rules, d);
    if (d->code == CODE_OK && !buf_ok(&d->arena))
        decide_refuse(d, CODE_TOO_LARGE, "the entry would be too large");
}

/* The fold of a chat's log: what each kind of entry changes. Headers: chat.h. */
#include "chat/chat.h"
#include "chat/chat_decide.h"
#include "chat/chat_view.h"

#include <stdlib.h>

#define LAST_TEXT_CHARS 120
#define QUESTION_CHARS 500

/* Replaces a text by a field's, where the field is there. */
static void set_text(char **to, const struct val *v)
{
    if (v->type != VAL_STR && v->type != VAL_JSON)
        return;
    free(*to);
    *to = mem_strndup(v->s.s, v->s.n);
}

static void clear_text(char **to)
{
    free(*to);
    *to = NULL;
}

static void set_who(struct chat_who *w, struct str id, struct str name)
{
    if (id.n == 0 || id.n >= sizeof w->id)
        return;
    str_keep(id, w->id, sizeof w->id);
    free(w->name);
    w->name = name.n ? mem_strndup(name.s, name.n) : NULL;
}

static void clear_who(struct chat_who *w)
{
    w->id[0] = 0;
    clear_text(&w->name);
}

struct person_read {
    struct str id, name, department;
    char keep[3][512]; /* what json_each_member hands out lives only during its call */
};

static void on_member(void *ctx, struct str key, struct val v)
{
    struct person_read *p = ctx;
    struct str *to = str_is(key, "id") ? &p->id : str_is(key, "name") ? &p->name : str_is(key, "department") ? &p->department : NULL;
    char *room = to == &p->id ? p->keep[0] : to == &p->name ? p->keep[1] : p->keep[2];

    if (!to || v.type != VAL_STR || v.s.n >= sizeof p->keep[0])
        return;
    memcpy(room, v.s.s, v.s.n);
    *to = (struct str){room, v.s.n};
}

/* Reads {"id","name","department"} of an entry's field. */
static void read_person(const struct val *v, struct person_read *p)
{
    memset(p, 0, sizeof *p);
    if (v->type == VAL_JSON)
        json_each_member(v->s, on_member, p);
}

static void set_who_from(struct chat_who *w, const struct val *v)
{
    struct person_read p;

    read_person(v, &p);
    set_who(w, p.id, p.name);
}

/* Full: whoever had to do with it first makes room. */
static void add_reader(struct chat *c, const char *person)
{
    for (unsigned i = 0; i < c->readers_n; i++)
        if (strcmp(c->readers[i], person) == 0)
            return;
    if (person[0] == 0)
        return;
    if (c->readers_n == CHAT_READERS_MAX) {
        memmove(c->readers[0], c->readers[1], --c->readers_n * sizeof c->readers[0]);
        c->asked >>= 1;
    }
    memcpy(c->readers[c->readers_n++], person, ID_SIZE);
}

/* Each stands there once, the last one at the end. */
static void add_passed(struct chat *c, const char *person)
{
    unsigned i = 0;

    if (!person[0])
        return;
    while (i < c->passed_n && strcmp(c->passed[i], person) != 0)
        i++;
    if (i == CHAT_PASSED_MAX)
        i = 0; /* full: whoever passed longest ago makes room */
    if (i < c->passed_n)
        memmove(c->passed[i], c->passed[i + 1], (--c->passed_n - i) * sizeof c->passed[0]);
    memcpy(c->passed[c->passed_n++], person, ID_SIZE);
}

static void end_transfer(struct chat *c)
{
    clear_who(&c->transfer_to);
    clear_text(&c->transfer_department);
    clear_text(&c->transfer_card);
    c->transfer_until_ms = 0;
}

static void end_offer(struct chat *c)
{
    clear_who(&c->offered_to);
    c->offer_until_ms = 0;
}

static void end_wait(struct chat *c)
{
    c->wait_since_ms = 0;
    c->queue_score = 0;
    c->care_done = CARE_NONE;
    c->passed_n = 0;
    c->declined_at_ms = 0;
    c->alert[0] = 0;
    c->alerted_at_ms = 0;
    c->alert_level = 0;
    clear_who(&c->lost);
    end_offer(c);
}

static void begin_wait(struct chat *c, int64_t at_ms, int64_t score)
{
    end_transfer(c);
    end_offer(c);
    clear_who(&c->handler);
    if (c->wait_since_ms == 0) {
        c->wait_since_ms = at_ms;
        c->care_done = CARE_NONE;
        c->passed_n = 0;
        c->declined_at_ms = 0;
    }
    c->queue_score = score;
    c->reminded = false;
}

static void set_handler(struct chat *c, const struct val *who, int64_t at_ms)
{
    end_wait(c);
    end_transfer(c);
    set_who_from(&c->handler, who);
    add_reader(c, c->handler.id);
    c->silent_from_ms = at_ms;
    c->reminded = false;
}

static void apply_message(struct chat *c, const struct entry *e)
{
    const struct val *text = &e->f[FIELD_TEXT];

    c->messages++;
    c->last_role = e->from_role;
    if (text->type == VAL_STR) {
        struct str s = utf8_prefix(text->s, LAST_TEXT_CHARS);

        mem_replace(&c->last_text, s.s, s.n);
    }
    if (e->from_role == ROLE_SHOPPER) {
        if (text->type == VAL_STR) {
            struct str s = utf8_prefix(text->s, QUESTION_CHARS);

            mem_replace(&c->last_question, s.s, s.n);
        }
        c->proof.last_question = e->seq;
        c->has_left = false;
        if (c->unanswered_since_ms == 0) {
            c->unanswered_since_ms = e->at_ms;
            c->silent_from_ms = e->at_ms;
            c->reminded = false;
        }
        return;
    }
    if (!(e->from_role & ROLE_STAFF))
        return;
    c->reply_seq = e->seq;
    if (e->f[FIELD_COUNTS].type == VAL_BOOL && !e->f[FIELD_COUNTS].b)
        return;
    if (text->type != VAL_STR || !ownership_is_dont_know(text->s))
        c->proof.last_reply = e->seq;
    c->unanswered_since_ms = 0;
    c->reminded = c->checked_in = false;
}

static struct chat_promise *find_promise(struct chat *c, const struct val *id)
{
    for (unsigned i = 0; id->type == VAL_STR && i < c->promises_n; i++)
        if (str_is(id->s, c->promise[i].id))
            return &c->promise[i];
    return NULL;
}

/* Room for one more: of those that are settled the first one that was kept goes, else the first that was missed and may still be kept late. */
static void make_promise_room(struct chat *c)
{
    unsigned at = 0;

    if (c->promises_n < CHAT_PROMISES_MAX)
        return;
    while (at < c->promises_n && (c->promise[at].state == PROMISE_OPEN || c->promise[at].state == PROMISE_MISSED))
        at++;
    if (at == c->promises_n)
        for (at = 0; at < c->promises_n && c->promise[at].state == PROMISE_OPEN;)
            at++;
    if (at == c->promises_n)
        return;
    free(c->promise[at].text);
    c->promises_n--;
    memmove(&c->promise[at], &c->promise[at + 1], (c->promises_n - at) * sizeof c->promise[0]);
}

static void apply_promised(struct chat *c, const struct entry *e)
{
    const struct val *id = &e->f[FIELD_PROMISE], *text = &e->f[FIELD_TEXT];
    struct chat_promise *p;

    make_promise_room(c);
    if (c->promises_n == CHAT_PROMISES_MAX || id->type != VAL_STR || id->s.n >= ID_SIZE)
        return;
    p = &c->promise[c->promises_n++];
    memset(p, 0, sizeof *p);
    memcpy(p->id, id->s.s, id->s.n);
    p->text = text->type == VAL_STR ? mem_strndup(text->s.s, text->s.n) : mem_strdup("");
    p->until_ms = e->f[FIELD_UNTIL].type == VAL_INT ? e->f[FIELD_UNTIL].i : 0;
    p->seq = e->seq;
}

static void set_promise(struct chat *c, const struct entry *e, enum promise_state state)
{
    struct chat_promise *p = find_promise(c, &e->f[FIELD_PROMISE]);

    if (p && p->state == PROMISE_OPEN)
        p->state = state;
    else if (p && p->state == PROMISE_MISSED && state == PROMISE_KEPT)
        p->state = PROMISE_KEPT_LATE;
}

static void add_tag(void *ctx, struct str tag)
{
    struct chat *c = ctx;

    for (unsigned i = 0; i < c->tags_n; i++)
        if (str_is(tag, c->tags[i]))
            return;
    if (c->tags_n < CHAT_TAGS_MAX)
        c->tags[c->tags_n++] = mem_strndup(tag.s, tag.n);
}

static void remove_tag(void *ctx, struct str tag)
{
    struct chat *c = ctx;

    for (unsigned i = 0; i < c->tags_n; i++)
        if (str_is(tag, c->tags[i])) {
            free(c->tags[i]);
            c->tags_n--;
            memmove(&c->tags[i], &c->tags[i + 1], (c->tags_n - i) * sizeof c->tags[0]);
            return;
        }
}

static void read_card(void *ctx, struct str key, struct val v)
{
    struct chat *c = ctx;
    char **to = str_is(key, "summary")        ? &c->card_summary
                : str_is(key, "requirements") ? &c->card_requirements
                : str_is(key, "promised")     ? &c->card_promised
                : str_is(key, "verified")     ? &c->card_verified
                                              : NULL;

    if (to && v.s.n)
        set_text(to, &v);
}

static void apply_started(struct chat *c, const struct entry *e)
{
    c->started_at_ms = e->at_ms;
    set_who(&c->shopper, e->from.id, e->from.name);
    set_text(&c->topic, &e->f[FIELD_TOPIC]);
    set_text(&c->department, &e->f[FIELD_DEPARTMENT]);
    set_text(&c->locale, &e->f[FIELD_LOCALE]);
    set_text(&c->page, &e->f[FIELD_PAGE]);
    set_text(&c->after, &e->f[FIELD_AFTER]);
    set_who_from(&c->prefer, &e->f[FIELD_OWNER]);
    add_reader(c, c->prefer.id);
    if (e->f[FIELD_CARD].type == VAL_JSON)
        json_each_member(e->f[FIELD_CARD].s, read_card, c);
    if (e->f[FIELD_CLASS].type == VAL_STR)
        c->class_ = class_from_name(e->f[FIELD_CLASS].s);
    begin_wait(c, e->at_ms, e->at_ms);
}

static bool is_why(const struct entry *e, const char *why)
{
    return e->f[FIELD_WHY].type == VAL_STR && str_is(e->f[FIELD_WHY].s, why);
}

/* The date of a promise has come: from now on the shopper waits for an answer. */
static void await_answer(struct chat *c, int64_t at_ms)
{
    if (c->unanswered_since_ms)
        return;
    c->unanswered_since_ms = at_ms;
    c->silent_from_ms = at_ms;
    c->reminded = false;
}

static void apply_queued(struct chat *c, const struct entry *e)
{
    if (is_why(e, "parked_due"))
        await_answer(c, e->at_ms);
    set_text(&c->department, &e->f[FIELD_DEPARTMENT]);
    if (e->f[FIELD_CLASS].type == VAL_STR)
        c->class_ = class_from_name(e->f[FIELD_CLASS].s);
    begin_wait(c, e->at_ms, e->f[FIELD_SCORE].type == VAL_INT ? e->f[FIELD_SCORE].i : e->at_ms);
}

static void apply_lost(struct chat *c, const struct entry *e)
{
    bool silent = is_why(e, "silent");
    struct chat_who was = {0};

    set_who(&was, str_of(c->handler.id), str_of(c->handler.name));
    begin_wait(c, e->at_ms, e->at_ms - CHAT_AHEAD_MS);
    if (silent) {
        add_passed(c, was.id);
        clear_who(&was);
    } else {
        clear_who(&c->lost);
        c->lost = was;
    }
}

static void apply_consulted(struct chat *c, const struct entry *e)
{
    struct person_read p;

    read_person(&e->f[FIELD_TO], &p);
    if (p.id.n && p.id.n < ID_SIZE) {
        str_keep(p.id, c->consulted, sizeof c->consulted);
        add_reader(c, c->consulted);
        for (unsigned i = 0; i < c->readers_n; i++)
            if (strcmp(c->readers[i], c->consulted) == 0)
                c->asked |= 1ull << i;
        set_who(&c->consult_by, e->from.id, e->from.name);
        set_text(&c->consult_question, &e->f[FIELD_QUESTION]);
        c->consulted_at_ms = e->at_ms;
    }
}

/* Others may have been asked before; the question that stands is the last one's. */
static void end_consult(struct chat *c, struct str by)
{
    if (!str_is(by, c->consulted))
        return;
    c->consulted[0] = 0;
    clear_who(&c->consult_by);
    clear_text(&c->consult_question);
    c->consulted_at_ms = 0;
}

static void apply_transfer_offered(struct chat *c, const struct entry *e)
{
    struct person_read p;

    end_transfer(c);
    read_person(&e->f[FIELD_TO], &p);
    set_who(&c->transfer_to, p.id, p.name);
    if (p.department.n)
        c->transfer_department = mem_strndup(p.department.s, p.department.n);
    set_text(&c->transfer_card, &e->f[FIELD_CARD]);
    if (e->f[FIELD_CARD].type == VAL_JSON)
        json_each_member(e->f[FIELD_CARD].s, read_card, c);
    c->transfer_until_ms = e->f[FIELD_DEADLINE_AT].type == VAL_INT ? e->f[FIELD_DEADLINE_AT].i : e->at_ms;
    add_reader(c, c->transfer_to.id);
}

static void apply_transferred(struct chat *c, const struct entry *e)
{
    if (c->transfer_department) {
        free(c->department);
        c->department = c->transfer_department;
        c->transfer_department = NULL;
    }
    set_handler(c, &e->f[FIELD_HANDLER], e->at_ms);
}

static void apply_closed(struct chat *c, const struct entry *e)
{
    set_text(&c->closed_how, &e->f[FIELD_HOW]);
    c->ended_at_ms = e->at_ms;
    end_wait(c);
    end_transfer(c);
    c->unanswered_since_ms = 0;
}

static void apply_abandoned(struct chat *c, const struct entry *e)
{
    int64_t score = c->queue_score;

    c->ended_at_ms = e->at_ms;
    end_wait(c);
    c->queue_score = score; /* the place is kept for a quick return (rule 1.5) */
}

static void apply_reopened(struct chat *c, const struct entry *e)
{
    c->ended_at_ms = 0;
    c->proof = (struct ownership_proof){.last_question = c->proof.last_question};
    if (c->state == CHAT_ABANDONED)
        begin_wait(c, e->at_ms, c->queue_score);
    /* "Not solved": the shopper waits for an answer again, from now. */
    if (c->unanswered_since_ms == 0) {
        c->unanswered_since_ms = e->at_ms;
        c->silent_from_ms = e->at_ms;
        c->proof.last_question = e->seq;
    }
}

static void apply_care(struct chat *c, const struct val *step)
{
    if (step->type != VAL_STR)
        return;
    if (str_is(step->s, "water"))
        c->care_done = CARE_WATER;
    else if (str_is(step->s, "explain"))
        c->care_done = CARE_ALERT;
    else if (str_is(step->s, "checkin"))
        c->checked_in = true;
}

static void apply_facts(struct chat *c, const struct entry *e)
{
    switch (e->kind) {
    case KIND_STARTED:
        apply_started(c, e);
        break;
    case KIND_TRIAGED:
        set_text(&c->department, &e->f[FIELD_DEPARTMENT]);
        break;
    case KIND_QUEUED:
        apply_queued(c, e);
        break;
    case KIND_OFFERED:
        set_who_from(&c->offered_to, &e->f[FIELD_TO]);
        if (c->readers_n < CHAT_READERS_MAX) /* an offer drives nobody out who had more to do with it */
            add_reader(c, c->offered_to.id);
        c->offer_until_ms = e->f[FIELD_DEADLINE_AT].type == VAL_INT ? e->f[FIELD_DEADLINE_AT].i : e->at_ms;
        break;
    case KIND_OFFER_MISSED:
    case KIND_OFFER_DECLINED:
        add_passed(c, c->offered_to.id);
        if (e->kind == KIND_OFFER_DECLINED)
            c->declined_at_ms = e->at_ms;
        end_offer(c);
        break;
    case KIND_ASSIGNED:
        set_handler(c, &e->f[FIELD_TO], e->at_ms);
        break;
    case KIND_OWNED:
        set_who_from(&c->owner, &e->f[FIELD_OWNER]);
        break;
    case KIND_MESSAGE:
        apply_message(c, e);
        break;
    case KIND_CONSULTED:
        apply_consulted(c, e);
        break;
    case KIND_CONSULT_ANSWERED:
        end_consult(c, e->from.id);
        break;
    case KIND_TRANSFER_OFFERED:
        apply_transfer_offered(c, e);
        break;
    case KIND_TRANSFERRED:
        apply_transferred(c, e);
        break;
    case KIND_TRANSFER_RETURNED:
        end_transfer(c);
        break;
    case KIND_REASSIGNED:
        set_text(&c->department, &e->f[FIELD_DEPARTMENT]); /* where it was given to another one */
        __attribute__((fallthrough));
    case KIND_TAKEN_BACK:
    case KIND_HANDLER_BACK:
        set_handler(c, &e->f[FIELD_HANDLER], e->at_ms);
        break;
    case KIND_HANDLER_LOST:
        apply_lost(c, e);
        break;
    case KIND_REFERRED:
        c->proof.referred = e->seq;
        break;
    case KIND_REQUEST_FILED:
        c->proof.request = e->seq;
        break;
    case KIND_COMPLAINT_OPENED:
        c->proof.complaint = e->seq;
        break;
    case KIND_JOINED: {
        char id[ID_SIZE] = "";

        str_keep(e->from.id, id, sizeof id);
        add_reader(c, id);
        break;
    }
    case KIND_SUGGESTED:
        c->suggested_for = e->f[FIELD_OF].type == VAL_INT ? e->f[FIELD_OF].i : c->suggested_for;
        break;
    case KIND_REMINDED:
        c->reminded = true;
        break;
    case KIND_CARE:
        apply_care(c, &e->f[FIELD_STEP]);
        break;
    case KIND_ALERTED:
        if (e->f[FIELD_ALERT].type == VAL_STR && e->f[FIELD_ALERT].s.n < ID_SIZE) {
            str_keep(e->f[FIELD_ALERT].s, c->alert, sizeof c->alert);
            c->alert_level = (int)e->f[FIELD_LEVEL].i;
            c->alerted_at_ms = e->at_ms;
        }
        break;
    case KIND_ALERT_ACTED:
        c->alert[0] = 0;
        c->alerted_at_ms = 0;
        break;
    case KIND_PROMISED:
        apply_promised(c, e);
        break;
    case KIND_PROMISE_KEPT:
        set_promise(c, e, PROMISE_KEPT);
        break;
    case KIND_PROMISE_MISSED:
        set_promise(c, e, PROMISE_MISSED);
        break;
    case KIND_IDENTIFIED:
        c->identified = true;
        set_who_from(&c->shopper, &e->f[FIELD_SHOPPER]);
        break;
    case KIND_VERIFIED:
        set_text(&c->card_verified, &e->f[FIELD_CHECKS]);
        break;
    case KIND_TAGGED:
        if (e->f[FIELD_REMOVE].type == VAL_JSON)
            json_each_str(e->f[FIELD_REMOVE].s, remove_tag, c);
        if (e->f[FIELD_ADD].type == VAL_JSON)
            json_each_str(e->f[FIELD_ADD].s, add_tag, c);
        break;
    case KIND_RESOLUTION_PROPOSED:
        set_text(&c->resolution, &e->f[FIELD_RESOLUTION]);
        set_text(&c->summary, &e->f[FIELD_SUMMARY]);
        c->proposed_at_ms = e->at_ms;
        c->unanswered_since_ms = 0;
        end_transfer(c);
        break;
    case KIND_REOPENED:
        apply_reopened(c, e);
        break;
    case KIND_PARKED:
        c->parked_until_ms = e->f[FIELD_UNTIL].type == VAL_INT ? e->f[FIELD_UNTIL].i : e->at_ms;
        c->unanswered_since_ms = 0;
        end_transfer(c);
        break;
    case KIND_UNPARKED:
        if (is_why(e, "due"))
            await_answer(c, e->at_ms);
        break;
    case KIND_RATED:
        c->rating = e->f[FIELD_SCORE].type == VAL_INT ? e->f[FIELD_SCORE].i : 0;
        break;
    case KIND_LEFT:
        c->has_left = true;
        break;
    case KIND_ABANDONED:
        apply_abandoned(c, e);
        break;
    case KIND_CLOSED:
        apply_closed(c, e);
        break;
    default:
        break;
    }
}

void chat_apply(struct chat *c, const struct entry *e)
{
    enum chat_state after = chat_state_after(c->state, e);

    apply_facts(c, e);
    c->state = after;
    if (after != CHAT_PROPOSED)
        c->proposed_at_ms = 0;
    if (after != CHAT_PARKED)
        c->parked_until_ms = 0;
    c->head = e->seq;
    c->last_at_ms = e->at_ms;
    if (chat_kind_raises_fence(e->kind))
        c->fence = e->seq;
    if (chat_view_is_shown(e->kind, AUDIENCE_SHOPPER))
        c->shown = e->seq;
}

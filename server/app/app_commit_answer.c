/* What Redis said to a commit: fold, answer, decide again. Headers: app_commit.h. */
#include "app/app_commit.h"
#include "base/base_fail.h"

#include <stdio.h>
#include <stdlib.h>

void flight_free(struct flight *f)
{
    for (unsigned i = 0; i < f->n; i++)
        free(f->p[i].shopper_tail);
    buf_fini(&f->bytes);
    pool_give(&f->slot->app->flights, f);
}

/* Back to the front of the queue, behind those of the same batch that went back before it: the order sent is kept. */
static void requeue(struct slot *s, struct cmd *c)
{
    struct cmd **at = s->requeued ? &s->requeued->next : &s->first;

    c->next = *at;
    *at = c;
    if (!c->next)
        s->last = c;
    s->requeued = c;
}

static const char no_reply[] = ",\"counts\":false";

/* Members of the answer to a command that wrote: chat and department of chat.start; of a greeting, that it counts as no reply. */
static char *answer_extra(struct slot *s, const struct cmd *c)
{
    struct buf b;

    if (c->is_no_reply)
        return mem_strdup(no_reply);
    if (c->kind != CMD_MSG || c->msg.type != MSG_CHAT_START)
        return NULL;
    buf_init(&b, 4096);
    buf_add_s(&b, ",\"chat\":");
    json_text(&b, str_of(s->chat.id));
    buf_add_s(&b, ",\"department\":");
    json_text(&b, str_of(c->department));
    return buf_take(&b, NULL);
}

/* What a shopper isn't shown has no place among what they were shown: its ok bears no seq. */
static bool is_hidden_from_its_sender(const struct cmd *c)
{
    return !c->conn->is_staff && c->msg.type == MSG_CHAT_TRIAGE;
}

static void answer_done(struct slot *s, struct cmd *c, int64_t seq, int64_t at_ms, int64_t prev, int64_t first)
{
    struct answer a = {.seq = seq, .at_ms = at_ms, .prev = prev};
    struct sub *u;

    if (!c->conn || c->conn->is_dead)
        return;
    if (is_hidden_from_its_sender(c)) {
        answer_ok(c->conn, c->msg.id, NULL);
        return;
    }
    str_keep(c->msg.id, a.re, sizeof a.re);
    a.extra = answer_extra(s, c);
    u = sub_find(c->conn, s);
    if (!u && (!c->conn->is_staff || strcmp(s->chat.handler.id, c->conn->person) == 0 || c->msg.type == MSG_CHAT_JOIN))
        u = sub_add(c->conn, s, first - 1);
    if (u) {
        sub_answer(u, &a);
    } else { /* it watches no more: a decline, a handover */
        struct buf b;

        buf_init(&b, 4096);
        if (a.extra)
            buf_add_s(&b, a.extra);
        answer_write_place(&b, seq, at_ms);
        answer_ok(c->conn, c->msg.id, b.p);
        buf_fini(&b);
        free(a.extra);
    }
}

static void fold(struct slot *s, const struct flight *f, const struct item *it)
{
    const struct kind_row *row = &kind_table[it->kind];
    struct entry e;

    if (f->kept_n == 0) {
        if (entry_read((struct str){it->frame, it->frame_n}, &e, NULL) == 0)
            chat_apply(&s->chat, &e);
        entry_fini(&e);
        return;
    }
    entry_init(&e, it->kind);
    e.seq = it->seq;
    e.at_ms = it->at_ms;
    e.from_role = f->from_role;
    if (f->cmd->conn)
        e.from = (struct person){str_of(f->cmd->conn->person), str_of(f->cmd->conn->name)};
    for (unsigned i = 0; i < f->kept_n; i++)
        e.f[row->fields[i]] = f->kept[i];
    chat_apply(&s->chat, &e);
}

/* Folds what this flight wrote, as the log has it now. */
static void apply(struct slot *s, struct flight *f, const struct link_result *r)
{
    int64_t prev = r->shown;
    struct cmd *c = f->cmd;

    for (unsigned i = 0; i < f->n; i++) {
        struct pending *p = &f->p[i];
        struct item it = {.seq = r->first + i, .at_ms = r->at_ms, .kind = p->kind, .shown = p->shown, .prev = prev, .before = -1};
        struct buf b;
        size_t n;

        buf_init(&b, 1 << 20);
        buf_reserve(&b, 128 + p->n);
        buf_add_s(&b, "{\"t\":\"event\",\"chat\":\"");
        buf_add_s(&b, s->chat.id);
        buf_add_s(&b, "\"");
        answer_write_place(&b, it.seq, it.at_ms);
        buf_add_c(&b, ',');
        it.tail_at = (uint32_t)b.n;
        buf_add(&b, f->bytes.p + p->at, p->n);
        it.frame = buf_take(&b, &n);
        it.frame_n = (uint32_t)n;
        it.shopper_tail = p->shopper_tail;
        p->shopper_tail = NULL;
        if (p->shown)
            prev = it.seq;
        if (c && c->conn) {
            str_keep(str_of(c->conn->person), it.person, sizeof it.person);
            if (i == f->main)
                str_keep(c->msg.id, it.ref, sizeof it.ref);
        }
        fold(s, f, &it);
        slot_push_item(s, &it);
    }
    s->stored += f->n;
}

static int64_t prev_of_main(const struct flight *f, const struct link_result *r)
{
    int64_t prev = r->shown;

    for (unsigned i = 0; i < f->main; i++)
        if (f->p[i].shown)
            prev = r->first + i;
    return prev;
}

static void finish_slot(struct slot *s)
{
    if (--s->batch_left > 0)
        return;
    FAIL_POINT("fanout.before");
    slot_fan_out(s);
    if (s->tell_queue) {
        s->tell_queue = false;
        places_tell_new(s);
    }
    s->is_busy = false;
    if (s->is_behind)
        slot_refresh(s);
    else
        slot_run(s);
    slot_let_go(s);
}

/* The command stands: its answer, in its place. */
static void finish_done(struct slot *s, struct flight *f, const struct link_result *r)
{
    struct cmd *c = f->cmd;

    if (!c)
        return;
    answer_done(s, c, r->first + f->main, r->at_ms, prev_of_main(f, r), r->first);
    if (c->kind == CMD_MSG && c->msg.type == MSG_CHAT_START)
        s->tell_queue = true;
    if (c->kind == CMD_MSG && c->msg.type == MSG_OFFER_DECLINE)
        people_answered(s->app, c->conn->person);
    if (c->task_json)
        task_begin(c);
    cmd_say_done(c, CODE_OK);
    cmd_finish(c);
}

static void on_done(struct slot *s, struct flight *f, const struct link_result *r)
{
    struct cmd *c = f->cmd;
    struct notice before;

    if (f->n == 0) { /* the index alone */
        slot_keep_index(s);
        if (c) {
            cmd_say_done(c, CODE_CONFLICT); /* a timer that means nothing any more */
            cmd_finish(c);
        }
        return;
    }
    s->app->commits++;
    if (s->chat.head + 1 != r->first) {
        /* Another node's entries came between: read them all, then see that the index is theirs and ours together. */
        s->is_behind = true;
        s->must_reindex = true;
        finish_done(s, f, r);
        return;
    }
    notice_before(s, &before);
    apply(s, f, r);
    if (!f->is_plain)
        slot_keep_index(s);
    notice_after(s, &before, true);
    finish_done(s, f, r);
    jobs_feed_kick(s->app->feed);
}

void commit_finish_refused(struct cmd *c, const struct chat *chat, enum code code, const char *text)
{
    cmd_say_done(c, code);
    answer_cmd_refusal(c, chat, code, text);
}

/* The first answer to an id, once more. more: further members, or "". */
static void answer_place(struct cmd *c, const char *more, int64_t seq, int64_t at_ms, int64_t prev)
{
    char extra[128];

    if (is_hidden_from_its_sender(c))
        extra[0] = 0;
    else if (c->conn->is_staff)
        snprintf(extra, sizeof extra, "%s,\"seq\":%lld,\"at\":%lld", more, (long long)seq, (long long)at_ms);
    else
        snprintf(extra, sizeof extra, ",\"seq\":%lld,\"at\":%lld,\"prev\":%lld", (long long)seq, (long long)at_ms, (long long)prev);
    answer_ok(c->conn, c->msg.id, extra);
}

static void on_seen(struct slot *s, struct cmd *c, const struct link_result *r)
{
    bool is_no_reply = c->msg.type == MSG_MESSAGE_SEND && str_is(r->extra, COMMIT_NO_REPLY);
    struct sub *u;

    if (!r->same) {
        commit_finish_refused(c, &s->chat, CODE_CONFLICT, "this id was used for something else");
        return;
    }
    if (c->msg.type == MSG_CHAT_START) { /* "chat department" */
        struct buf b;
        const char *sp = r->extra.n ? memchr(r->extra.s, ' ', r->extra.n) : NULL;

        buf_init(&b, 4096);
        if (sp) {
            buf_add_s(&b, ",\"chat\":");
            json_text(&b, (struct str){r->extra.s, (size_t)(sp - r->extra.s)});
            buf_add_s(&b, ",\"department\":");
            json_text(&b, (struct str){sp + 1, r->extra.n - (size_t)(sp + 1 - r->extra.s)});
        }
        buf_printf(&b, ",\"seq\":%lld,\"at\":%lld,\"prev\":%lld", (long long)r->seq, (long long)r->at_ms, (long long)r->prev);
        answer_cmd_ok(c, b.p);
        buf_fini(&b);
        return;
    }
    u = c->conn && !c->conn->is_dead ? sub_find(c->conn, s) : NULL;
    if (u && r->seq > u->cursor) { /* its entry is still on its way to this connection: the answer takes that place */
        struct answer a = {.seq = r->seq, .at_ms = r->at_ms, .prev = r->prev, .extra = is_no_reply ? mem_strdup(no_reply) : NULL};

        snprintf(a.re, sizeof a.re, "%.*s", STR_FMT(c->msg.id));
        if (r->seq > s->chat.head)
            s->is_behind = true;
        sub_answer(u, &a);
        cmd_finish(c);
        return;
    }
    if (c->conn)
        answer_place(c, is_no_reply ? no_reply : "", r->seq, r->at_ms, r->prev);
    cmd_finish(c);
}

/* Of a department somebody else is chosen then, by what the guard said of this one (rules 2.4, 2.10). */
static void deny(struct slot *s, struct cmd *c, const char *who, enum link_guard_type type)
{
    reps_denied(s->app, who, type);
    if (c->conn && strcmp(who, c->conn->person) == 0)
        c->denied_self = true;
    if (strcmp(who, s->chat.owner.id) == 0)
        c->denied_owner = true;
    if (strcmp(who, s->chat.handler.id) == 0)
        c->denied_handler = true;
    str_keep(str_of(who), c->denied_target, sizeof c->denied_target);
}

struct open_ask {
    struct slot *s;
    struct cmd *c;
};

static void on_open_known(void *ctx, const struct redis_reply *r)
{
    struct open_ask *q = ctx;
    struct cmd *c = q->c;
    struct str open = r && redis_reply_type(r) == REDIS_STR ? redis_reply_str(r) : STR_NONE;

    if (!open.n || open.n >= ID_SIZE) {
        answer_cmd_error(c, CODE_UNAVAILABLE, "try again", NULL);
    } else {
        char extra[160];
        const struct slot *o = slot_find(c->app, open);
        int n = snprintf(extra, sizeof extra, ",\"chat\":\"%.*s\"", STR_FMT(open));

        if (o && o->is_loaded)
            snprintf(extra + n, sizeof extra - (size_t)n, ",\"state\":\"%s\"", chat_state_name(o->chat.state));
        if (c->conn)
            snprintf(c->conn->open, sizeof c->conn->open, "%.*s", STR_FMT(open));
        answer_cmd_error(c, CODE_CONFLICT, "you have an open chat", extra);
    }
    q->s->awaited--;
    slot_let_go(q->s);
    free(q);
}

/* The shopper has an open chat: say which. */
static void refuse_second_chat(struct slot *s, struct cmd *c)
{
    struct open_ask *q = mem_zalloc(sizeof *q);
    const char *argv[] = {"HGET", "open"};

    *q = (struct open_ask){s, c};
    s->awaited++;
    if (link_call(s->app->link, LINK_SHOPPER, str_of(c->conn->person), 2, argv, NULL, on_open_known, q) < 0) {
        free(q);
        s->awaited--;
        answer_cmd_error(c, CODE_UNAVAILABLE, "redis is away", NULL);
    }
}

static void on_guarded(struct slot *s, struct flight *f, const struct link_result *r)
{
    struct cmd *c = f->cmd;
    unsigned i = r->guard < CHAT_DECISION_GUARDS * 3 ? r->guard : 0;

    switch (f->guard_kind[i]) {
    case GUARD_REP_ROOM:
    case GUARD_REP_ON:
        if (c->kind == CMD_OFFER) { /* somebody else is chosen */
            match_denied(s->app, str_of(s->chat.department ? s->chat.department : ""), f->guard_who[i]);
            cmd_finish(c);
            break;
        }
        deny(s, c, f->guard_who[i], f->guard_type[i]);
        requeue(s, c);
        break;
    case GUARD_SHOPPER_FREE:
        refuse_second_chat(s, c);
        break;
    default: /* not due any more, or back in time: nothing to do */
        cmd_say_done(c, CODE_CONFLICT);
        cmd_finish(c);
    }
}

void commit_on_answer(void *ctx, const struct link_result *r)
{
    struct flight *f = ctx;
    struct slot *s = f->slot;
    struct cmd *c = f->cmd;

    if (!c && r->status != LINK_DONE) { /* the index still stands as it did */
        s->must_reindex = true;
        s->index_rests = r->status == LINK_REFUSED || r->status == LINK_EPOCH;
    }
    switch (r->status) {
    case LINK_DONE:
        on_done(s, f, r);
        break;
    case LINK_SEEN:
        on_seen(s, c, r);
        break;
    case LINK_MOVED:
        if (r->is_gone && s->chat.head > 0) { /* it left Redis while it was watched */
            slot_forget(s);
            s->must_reindex = false;
        }
        s->is_behind = true;
        if (c)
            requeue(s, c);
        break;
    case LINK_GUARDED:
        on_guarded(s, f, r);
        break;
    case LINK_EPOCH:
    case LINK_REFUSED:
        if (c)
            commit_finish_refused(c, &s->chat, CODE_UNAVAILABLE, "the log can't be written now");
        break;
    case LINK_UNKNOWN:
        s->is_behind = true;
        if (c)
            commit_finish_refused(c, &s->chat, CODE_UNAVAILABLE, "no answer in time: done or not, repeat the same id");
        break;
    }
    flight_free(f);
    finish_slot(s);
}

/* ---- refusals: an id that was seen wins over them */

struct lookup {
    struct slot *s;
    struct cmd *c;
    enum code code;
    char text[160];
};

static void on_looked_up(void *ctx, const struct link_result *r)
{
    struct lookup *k = ctx;
    struct slot *s = k->s;

    if (r && r->status == LINK_SEEN)
        on_seen(s, k->c, r);
    else if (r)
        commit_finish_refused(k->c, &s->chat, CODE_UNAVAILABLE, "redis gave no answer");
    else
        commit_finish_refused(k->c, &s->chat, k->code, k->text);
    free(k);
    finish_slot(s);
}

static void on_archive_looked_up(void *ctx, int rc, const struct archive_place *p)
{
    struct lookup *k = ctx;
    struct slot *s = k->s;
    struct cmd *c = k->c;

    if (rc < 0) {
        commit_finish_refused(c, &s->chat, CODE_UNAVAILABLE, "the archive can't be read now");
    } else if (p->seq == 0) {
        commit_finish_refused(c, &s->chat, k->code, k->text);
    } else {
        answer_place(c, "", p->seq, p->at_ms, p->prev);
        cmd_finish(c);
    }
    free(k);
    finish_slot(s);
}

/*
 * A chat that left Redis took its ids along; where the archive is, they are known by its key (PROMISES 2.1). What the command said
 * is not compared any more. False: this node can't say, and the chat isn't found.
 */
static bool refuse_unless_archived(struct slot *s, struct cmd *c, const char *text)
{
    struct app *a = s->app;
    struct lookup *k;

    if (!a->archive || !a->feed || !c->msg.row->durable || s->is_busy || s->batch_left > 0)
        return false;
    k = mem_zalloc(sizeof *k);
    *k = (struct lookup){.s = s, .c = c, .code = CODE_NOT_FOUND};
    snprintf(k->text, sizeof k->text, "%s", text);
    s->is_busy = true;
    s->batch_left = 1;
    if (archive_by_ref(a->archive, str_of(s->chat.id), str_of(c->conn->person), c->msg.id, on_archive_looked_up, k) == 0)
        return true;
    free(k);
    s->is_busy = false;
    s->batch_left = 0;
    return false;
}

void commit_refuse(struct slot *s, struct cmd *c, enum code code, const char *text)
{
    struct lookup *k;

    if (c->conn && code == CODE_NOT_FOUND && s->is_gone && refuse_unless_archived(s, c, text))
        return;
    if (!c->conn || (code == CODE_NOT_FOUND && s->chat.head == 0)) {
        commit_finish_refused(c, &s->chat, code, text);
        return;
    }
    k = mem_zalloc(sizeof *k);
    *k = (struct lookup){.s = s, .c = c, .code = code};
    snprintf(k->text, sizeof k->text, "%s", text);
    s->is_busy = true;
    s->batch_left = 1;
    if (link_find_id(s->app->link, str_of(s->chat.id), str_of(c->conn->person), c->msg.id, cmd_is_of_person(c),
                     c->msg.digest, on_looked_up, k) < 0) {
        free(k);
        s->is_busy = false;
        s->batch_left = 0; /* no answer will come: else the chat waits for it for ever */
        commit_finish_refused(c, &s->chat, CODE_UNAVAILABLE, "redis is away");
    }
}

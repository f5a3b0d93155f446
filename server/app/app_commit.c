/* One chat's commands on their way: facts → decide → commit → apply → answer → fan-out. */
#include "app/app_room.h"
#include "base/base_fail.h"

#include <stdio.h>
#include <stdlib.h>

#define ATTEMPTS_MAX 8
#define MARK_MS      (1LL << 50) /* stands for "this commit's time" while the index is computed before it is known */
#define WRITES_MAX   (TIMER_N + 10)

/* One entry that waits for its seq. */
struct pending {
    enum kind kind;
    bool shown, raises;
    uint32_t at, n;      /* its tail in the flight's bytes */
    char *shopper_tail;
};

/* What one cmd has under way in Redis; lives until the answer. */
struct flight {
    struct slot *slot;
    struct cmd *cmd;     /* NULL: the index alone */
    struct pending p[CHAT_DECISION_ENTRIES];
    unsigned n, main;
    struct buf bytes;
    int64_t expected;    /* the first entry's seq if nobody came between */
    enum chat_compare compare;
    enum chat_guard_kind guard_kind[CHAT_DECISION_GUARDS * 3];
    char guard_who[CHAT_DECISION_GUARDS * 3][ID_SIZE];
};

static void flight_free(struct flight *f)
{
    for (unsigned i = 0; i < f->n; i++)
        free(f->p[i].shopper_tail);
    buf_fini(&f->bytes);
    free(f);
}

/* ---- facts */

struct facts {
    struct chat_rep self, target, owner, handler;
    const struct department *department;
    const struct member *best;
};

static struct str field(const struct cmd *c, enum field f)
{
    return c->msg.f[f].type == VAL_STR ? c->msg.f[f].s : STR_NONE;
}

/* Whom `to` names: a rep, or a department, and then who there would be asked. */
static void resolve_target(struct slot *s, struct cmd *c, struct chat_cmd *cc, struct facts *f)
{
    struct app *a = s->app;
    struct str to = c->kind == CMD_MSG ? field(c, FIELD_TO) : str_of(c->target);
    const struct department *d;

    if (c->kind == CMD_MSG && c->msg.type == MSG_CHAT_TRIAGE)
        to = field(c, FIELD_DEPARTMENT);
    if (!to.s || !to.n)
        return;
    d = match_find(a, to);
    if (d) {
        cc->target_is_department = true;
        cc->target_department = str_of(d->cfg->name);
        f->best = match_best(a, d, c->conn ? c->conn->person : "");
        if (f->best) {
            people_fact(a, str_of(f->best->rep.id), cc->target_department, c->denied_target, &f->target);
            cc->target = &f->target;
            cc->target_on_shift = f->target.may_take;
        }
        return;
    }
    if (people_find(a, to)) {
        people_fact(a, to, str_of(s->chat.department ? s->chat.department : ""), c->denied_target, &f->target);
        cc->target = &f->target;
    }
}

static void gather(struct slot *s, struct cmd *c, struct chat_cmd *cc, struct facts *f)
{
    struct app *a = s->app;
    struct str dept = str_of(s->chat.department ? s->chat.department : c->department);

    memset(cc, 0, sizeof *cc);
    memset(f, 0, sizeof *f);
    cc->kind = c->kind;
    cc->now_ms = app_now_ms(a);
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
        }
    }
    resolve_target(s, c, cc, f);
    if (s->chat.owner.id[0]) {
        people_fact(a, str_of(s->chat.owner.id), dept, c->denied_owner, &f->owner);
        cc->owner = &f->owner;
    }
    if (s->chat.handler.id[0]) {
        people_fact(a, str_of(s->chat.handler.id), dept, c->denied_handler, &f->handler);
        cc->handler = &f->handler;
    }
}

/* ---- the index */

struct writes {
    struct link_write w[WRITES_MAX];
    unsigned n;
    char text[WRITES_MAX][48]; /* members and numbers */
};

static void add_write(struct writes *w, enum link_write_type type, enum link_key key, struct str name, struct str a, struct str b)
{
    if (w->n < WRITES_MAX)
        w->w[w->n++] = (struct link_write){type, key, name, a, b};
}

/* A score that is this commit's time plus something, or an absolute one. */
static void add_score(struct writes *w, enum link_key key, struct str name, struct str member, int64_t score)
{
    bool relative = score >= MARK_MS / 2;

    if (w->n == WRITES_MAX)
        return;
    snprintf(w->text[w->n], sizeof w->text[0], "%lld", (long long)(relative ? score - MARK_MS : score));
    add_write(w, relative ? LINK_ZREL : LINK_ZADD, key, name, member, str_of(w->text[w->n]));
}

static bool same(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

/* all: write what is there whatever `old` says. members: TIMER_N rooms for the timers' members. */
static void diff_index(const struct slot *s, const struct chat_index *old, const struct chat_index *new, bool all, struct writes *w,
                       char members[TIMER_N][ID_SIZE + 16])
{
    struct str id = str_of(s->chat.id);

    if (old->queue && !same(old->queue, new->queue))
        add_write(w, LINK_ZREM, LINK_QUEUE, str_of(old->queue), id, STR_NONE);
    if (new->queue && (all || !same(old->queue, new->queue) || old->score != new->score))
        add_score(w, LINK_QUEUE, str_of(new->queue), id, new->score);
    for (unsigned t = 0; t < TIMER_N; t++) {
        if (!all && old->due_ms[t] == new->due_ms[t])
            continue;
        snprintf(members[t], ID_SIZE + 16, "%s|%s", s->chat.id, chat_timer_name((enum chat_timer)t));
        if (new->due_ms[t])
            add_score(w, LINK_TIMERS, STR(""), str_of(members[t]), new->due_ms[t]);
        else if (old->due_ms[t] || all)
            add_write(w, LINK_ZREM, LINK_TIMERS, STR(""), str_of(members[t]), STR_NONE);
    }
    if (old->hold && !same(old->hold, new->hold))
        add_write(w, LINK_HDEL, LINK_HOLDS, str_of(old->hold), id, STR_NONE);
    if (new->hold && (all || !same(old->hold, new->hold) || old->weight != new->weight)) {
        snprintf(w->text[w->n], sizeof w->text[0], "%lld", (long long)new->weight);
        add_write(w, LINK_HSET, LINK_HOLDS, str_of(new->hold), id, str_of(w->text[w->n]));
        if (!all && !same(old->hold, new->hold)) {
            snprintf(w->text[w->n], sizeof w->text[0], "%lld", (long long)app_now_ms(s->app));
            add_write(w, LINK_HSET, LINK_REP, str_of(new->hold), STR("idle"), str_of(w->text[w->n]));
        }
    }
    if (old->open && !same(old->open, new->open))
        add_write(w, LINK_HDEL, LINK_SHOPPER, str_of(old->open), STR("open"), STR_NONE);
    if (new->open && (all || !same(old->open, new->open))) {
        add_write(w, LINK_HSET, LINK_SHOPPER, str_of(new->open), STR("open"), id);
        add_write(w, LINK_HSET, LINK_SHOPPER, str_of(new->open), STR("last"), id);
    }
}

/* True if this decision can't change the index: then no copy of the state is needed to see it. */
static bool leaves_index(const struct chat *c, const struct decision *d)
{
    return d->entries_n == 1 && d->guards_n == 0 && d->compare == COMPARE_FENCE && chat_keeps_index(c, &d->entry[0]);
}

/* ---- guards */

struct guards {
    struct link_guard g[CHAT_DECISION_GUARDS * 3];
    unsigned n;
    char text[CHAT_DECISION_GUARDS][2][ID_SIZE + 40];
};

static void add_guard(struct guards *gs, struct flight *f, const struct chat_guard *from, struct link_guard g)
{
    f->guard_kind[gs->n] = from->kind;
    snprintf(f->guard_who[gs->n], ID_SIZE, "%s", from->who ? from->who : "");
    gs->g[gs->n++] = g;
}

static void map_guards(struct slot *s, const struct decision *d, const struct cmd *c, struct flight *f, struct guards *gs)
{
    gs->n = 0;
    for (unsigned i = 0; i < d->guards_n; i++) {
        const struct chat_guard *g = &d->guard[i];
        struct str who = str_of(g->who ? g->who : c->conn ? c->conn->person : "");
        char *t0 = gs->text[i][0], *t1 = gs->text[i][1];

        switch (g->kind) {
        case GUARD_REP_ROOM:
        case GUARD_REP_ON:
            add_guard(gs, f, g, (struct link_guard){LINK_GUARD_EQ, LINK_REP, who, STR("shift"), STR("on")});
            add_guard(gs, f, g, (struct link_guard){LINK_GUARD_LIVE, LINK_PRESENCE, who, STR_NONE, STR_NONE});
            if (g->kind == GUARD_REP_ON)
                break;
            snprintf(t0, sizeof gs->text[i][0], "%lld", (long long)g->weight);
            add_guard(gs, f, g, (struct link_guard){LINK_GUARD_ROOM, LINK_HOLDS, who, str_of(t0), STR_NONE});
            break;
        case GUARD_SHOPPER_FREE:
            add_guard(gs, f, g, (struct link_guard){LINK_GUARD_EQ, LINK_SHOPPER, who, STR("open"), STR("")});
            break;
        case GUARD_REP_GONE:
        case GUARD_SHOPPER_GONE:
            add_guard(gs, f, g, (struct link_guard){LINK_GUARD_GONE, LINK_PRESENCE, who, STR_NONE, STR_NONE});
            break;
        case GUARD_TIMER_DUE:
            snprintf(t0, sizeof gs->text[i][0], "%s|%s", s->chat.id, chat_timer_name(g->timer));
            snprintf(t1, sizeof gs->text[i][1], "%lld", (long long)g->due_ms);
            add_guard(gs, f, g, (struct link_guard){LINK_GUARD_DUE, LINK_TIMERS, STR(""), str_of(t0), str_of(t1)});
            break;
        }
    }
}

/* ---- answers from Redis */

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

/* Members of the answer to a command that wrote: chat and department of chat.start. */
static char *answer_extra(struct slot *s, const struct cmd *c)
{
    struct buf b;

    if (c->kind != CMD_MSG || c->msg.type != MSG_CHAT_START)
        return NULL;
    buf_init(&b, 4096);
    buf_add_s(&b, ",\"chat\":");
    json_text(&b, str_of(s->chat.id));
    buf_add_s(&b, ",\"department\":");
    json_text(&b, str_of(c->department));
    return buf_take(&b, NULL);
}

static void answer_done(struct slot *s, struct cmd *c, int64_t seq, int64_t at_ms, int64_t prev, int64_t first)
{
    struct answer a = {.seq = seq, .at_ms = at_ms, .prev = prev};
    struct sub *u;

    if (!c->conn || c->conn->is_dead)
        return;
    snprintf(a.re, sizeof a.re, "%.*s", STR_FMT(c->msg.id));
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
        buf_printf(&b, ",\"seq\":%lld,\"at\":%lld", (long long)seq, (long long)at_ms);
        answer_ok(c->conn, c->msg.id, b.p);
        buf_fini(&b);
        free(a.extra);
    }
}

/* Folds what this flight wrote, as the log has it now. */
static void apply(struct slot *s, struct flight *f, const struct link_result *r)
{
    int64_t prev = r->shown;
    struct cmd *c = f->cmd;

    for (unsigned i = 0; i < f->n; i++) {
        struct pending *p = &f->p[i];
        struct item it = {.seq = r->first + i, .at_ms = r->at_ms, .kind = p->kind, .shown = p->shown, .prev = prev};
        struct buf b;
        struct entry e;
        size_t n;

        buf_init(&b, 1 << 20);
        buf_printf(&b, "{\"t\":\"event\",\"chat\":\"%s\",\"seq\":%lld,\"at\":%lld,", s->chat.id, (long long)it.seq, (long long)it.at_ms);
        it.tail_at = (uint32_t)b.n;
        buf_add(&b, f->bytes.p + p->at, p->n);
        it.frame = buf_take(&b, &n);
        it.frame_n = (uint32_t)n;
        it.shopper_tail = p->shopper_tail;
        p->shopper_tail = NULL;
        if (p->shown)
            prev = it.seq;
        if (c && c->conn) {
            snprintf(it.person, sizeof it.person, "%s", c->conn->person);
            if (i == f->main)
                snprintf(it.ref, sizeof it.ref, "%.*s", STR_FMT(c->msg.id));
        }
        if (entry_read((struct str){it.frame, it.frame_n}, &e, NULL) == 0)
            chat_apply(&s->chat, &e);
        entry_fini(&e);
        slot_push_item(s, &it);
    }
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
        match_tell_place(s);
    }
    s->is_busy = false;
    if (s->is_behind)
        slot_refresh(s);
    else
        slot_run(s);
}

static void on_done(struct slot *s, struct flight *f, const struct link_result *r)
{
    struct cmd *c = f->cmd;
    struct notice before;

    if (f->n == 0) { /* the index alone */
        slot_keep_index(s);
        if (c)
            cmd_finish(c);
        return;
    }
    s->app->commits++;
    if (s->chat.head + 1 != r->first) {
        /* Another node's entries came between: read them all, then see that the index is theirs and ours together. */
        s->is_behind = true;
        s->must_reindex = true;
        if (c) {
            answer_done(s, c, r->first + f->main, r->at_ms, prev_of_main(f, r), r->first);
            if (c->done)
                c->done(c, CODE_OK);
            cmd_finish(c);
        }
        return;
    }
    notice_before(s, &before);
    apply(s, f, r);
    slot_keep_index(s);
    notice_after(s, &before, true);
    if (c) {
        answer_done(s, c, r->first + f->main, r->at_ms, prev_of_main(f, r), r->first);
        s->tell_queue = c->kind == CMD_MSG && c->msg.type == MSG_CHAT_START;
        if (c->done)
            c->done(c, CODE_OK);
    }
    if (c)
        cmd_finish(c);
    jobs_feed_kick(s->app->feed);
}

static void finish_refused(struct cmd *c, const struct chat *chat, enum code code, const char *text)
{
    if (c->done)
        c->done(c, code);
    answer_cmd_refusal(c, chat, code, text);
}

static void on_seen(struct slot *s, struct cmd *c, const struct link_result *r)
{
    if (!r->same) {
        finish_refused(c, &s->chat, CODE_CONFLICT, "this id was used for something else");
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
    if (c->conn) {
        char extra[128];

        if (c->conn->is_staff)
            snprintf(extra, sizeof extra, ",\"seq\":%lld,\"at\":%lld", (long long)r->seq, (long long)r->at_ms);
        else
            snprintf(extra, sizeof extra, ",\"seq\":%lld,\"at\":%lld,\"prev\":%lld", (long long)r->seq, (long long)r->at_ms, (long long)r->prev);
        answer_ok(c->conn, c->msg.id, extra);
    }
    cmd_finish(c);
}

static void deny(struct slot *s, struct cmd *c, const char *who)
{
    if (c->conn && strcmp(who, c->conn->person) == 0)
        c->denied_self = true;
    if (strcmp(who, s->chat.owner.id) == 0)
        c->denied_owner = true;
    if (strcmp(who, s->chat.handler.id) == 0)
        c->denied_handler = true;
    c->denied_target = true;
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
    free(q);
}

/* The shopper has an open chat: say which. */
static void refuse_second_chat(struct slot *s, struct cmd *c)
{
    struct open_ask *q = mem_zalloc(sizeof *q);
    const char *argv[] = {"HGET", "open"};

    *q = (struct open_ask){s, c};
    if (link_call(s->app->link, LINK_SHOPPER, str_of(c->conn->person), 2, argv, NULL, on_open_known, q) < 0) {
        free(q);
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
        deny(s, c, f->guard_who[i]);
        requeue(s, c);
        break;
    case GUARD_SHOPPER_FREE:
        refuse_second_chat(s, c);
        break;
    default: /* not due any more, or back in time: nothing to do */
        if (c->done)
            c->done(c, CODE_CONFLICT);
        cmd_finish(c);
    }
}

static void on_commit(void *ctx, const struct link_result *r)
{
    struct flight *f = ctx;
    struct slot *s = f->slot;
    struct cmd *c = f->cmd;

    switch (r->status) {
    case LINK_DONE:
        on_done(s, f, r);
        break;
    case LINK_SEEN:
        on_seen(s, c, r);
        break;
    case LINK_MOVED:
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
            finish_refused(c, &s->chat, CODE_UNAVAILABLE, "the log can't be written now");
        break;
    case LINK_UNKNOWN:
        s->is_behind = true;
        if (c)
            finish_refused(c, &s->chat, CODE_UNAVAILABLE, "no answer in time: done or not, repeat the same id");
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
        finish_refused(k->c, &s->chat, CODE_UNAVAILABLE, "redis gave no answer");
    else
        finish_refused(k->c, &s->chat, k->code, k->text);
    free(k);
    finish_slot(s);
}

static void refuse(struct slot *s, struct cmd *c, enum code code, const char *text)
{
    struct lookup *k;

    if (!c->conn || code == CODE_NOT_FOUND || code == CODE_BAD_REQUEST) {
        finish_refused(c, &s->chat, code, text);
        return;
    }
    k = mem_zalloc(sizeof *k);
    *k = (struct lookup){.s = s, .c = c, .code = code};
    snprintf(k->text, sizeof k->text, "%s", text);
    s->is_busy = true;
    s->batch_left = 1;
    if (link_find_id(s->app->link, str_of(s->chat.id), str_of(c->conn->person), c->msg.id, c->msg.type == MSG_CHAT_START,
                     c->msg.digest, on_looked_up, k) < 0) {
        free(k);
        s->is_busy = false;
        finish_refused(c, &s->chat, CODE_UNAVAILABLE, "redis is away");
    }
}

/* ---- sending */

static void add_pending(struct flight *f, const struct entry *e)
{
    struct pending *p = &f->p[f->n++];
    size_t at;

    buf_add_c(&f->bytes, '\n'); /* a tail begins anew: no comma in front */
    at = f->bytes.n;
    entry_write_tail(&f->bytes, e);
    p->kind = e->kind;
    p->at = (uint32_t)at;
    p->n = (uint32_t)(f->bytes.n - at);
    p->shown = chat_view_is_shown(e->kind, AUDIENCE_SHOPPER);
    p->raises = chat_kind_raises_fence(e->kind);
    p->shopper_tail = NULL;
    if (p->shown && !(e->kind == KIND_MESSAGE && e->f[FIELD_ARTICLE].type == VAL_NONE && e->f[FIELD_CANNED].type == VAL_NONE &&
                      e->f[FIELD_COUNTS].type == VAL_NONE)) {
        struct buf b;

        buf_init(&b, 1 << 18);
        chat_view_write_shopper_tail(&b, e);
        p->shopper_tail = buf_take(&b, NULL);
    }
}

/* What the index will be when these entries stand, with MARK_MS as their time. */
static void future_index(struct slot *s, const struct decision *d, struct chat *scratch, struct chat_index *out)
{
    struct entry e;

    chat_copy(scratch, &s->chat);
    for (unsigned i = 0; i < d->entries_n; i++) {
        e = d->entry[i];
        e.seq = s->chat.head + 1 + i;
        e.at_ms = MARK_MS;
        chat_apply(scratch, &e);
    }
    chat_index(scratch, &s->app->rules, out);
}

static int send_commit(struct slot *s, struct cmd *c, const struct decision *d, bool plain)
{
    static const enum link_mode modes[] = {[COMPARE_FENCE] = LINK_FENCE, [COMPARE_HEAD] = LINK_HEAD, [COMPARE_NEW] = LINK_NEW};
    struct flight *f = mem_zalloc(sizeof *f);
    struct link_entry entries[CHAT_DECISION_ENTRIES];
    struct guards guards;
    struct writes writes = {.n = 0};
    char members[TIMER_N][ID_SIZE + 16], extra[ID_SIZE + 80] = "";
    struct chat scratch;
    struct chat_index future;
    struct link_commit lc = {.log = str_of(s->chat.id), .entries = entries, .guards = guards.g, .writes = writes.w};
    int rc;

    f->slot = s;
    f->cmd = c;
    f->main = d->main;
    f->expected = s->chat.head + 1;
    f->compare = d->compare;
    buf_init(&f->bytes, 1 << 18);
    for (unsigned i = 0; i < d->entries_n; i++)
        add_pending(f, &d->entry[i]);
    for (unsigned i = 0; i < f->n; i++)
        entries[i] = (struct link_entry){f->p[i].shown, f->p[i].raises,
                                         c->conn && i == f->main ? c->msg.id : STR_NONE,
                                         {f->bytes.p + f->p[i].at, f->p[i].n}};
    if (!plain) {
        future_index(s, d, &scratch, &future);
        diff_index(s, &s->index, &future, s->must_reindex, &writes, members);
    }
    map_guards(s, d, c, f, &guards);
    if (c->conn) {
        lc.person = str_of(c->conn->person);
        lc.id = c->msg.id;
        lc.digest = c->msg.digest;
        lc.id_in_person = c->msg.type == MSG_CHAT_START;
        if (lc.id_in_person)
            snprintf(extra, sizeof extra, "%s %s", s->chat.id, c->department);
        lc.extra = str_of(extra);
    }
    lc.mode = modes[d->compare];
    lc.fence = s->chat.fence;
    lc.head = s->chat.head;
    lc.entries_n = f->n;
    lc.guards_n = guards.n;
    lc.writes_n = writes.n;
    rc = buf_ok(&f->bytes) ? link_commit(s->app->link, &lc, on_commit, f) : ERR_TOO_LARGE;
    if (!plain)
        chat_fini(&scratch);
    if (rc < 0) {
        flight_free(f);
        finish_refused(c, &s->chat, CODE_UNAVAILABLE, rc == ERR_FULL ? "too much is under way" : "redis is away");
        return rc;
    }
    s->batch_left++;
    return 0;
}

/* Writes the whole index as it follows from the state (others' entries came between ours). */
static bool send_index(struct slot *s)
{
    struct flight *f = mem_zalloc(sizeof *f);
    struct writes writes = {.n = 0};
    struct chat_index ix;
    char members[TIMER_N][ID_SIZE + 16];
    struct link_commit lc = {.log = str_of(s->chat.id), .mode = LINK_HEAD, .fence = s->chat.fence, .head = s->chat.head,
                             .writes = writes.w};

    s->must_reindex = false;
    chat_index(&s->chat, &s->app->rules, &ix);
    diff_index(s, &s->index, &ix, true, &writes, members);
    f->slot = s;
    lc.writes_n = writes.n;
    if (link_commit(s->app->link, &lc, on_commit, f) < 0) {
        free(f);
        s->must_reindex = true;
        return false;
    }
    s->batch_left++;
    return true;
}

static struct cmd *pop(struct slot *s)
{
    struct cmd *c = s->first;

    s->first = c->next;
    if (!s->first)
        s->last = NULL;
    c->next = NULL;
    return c;
}

/* A timer that means nothing any more is removed, by itself. */
static void drop_timer(struct slot *s, struct cmd *c)
{
    char member[ID_SIZE + 16];
    const char *argv[] = {"ZREM", member};

    snprintf(member, sizeof member, "%s|%s", s->chat.id, chat_timer_name(c->timer));
    link_call(s->app->link, LINK_TIMERS, STR(""), 2, argv, NULL, NULL, NULL);
    cmd_finish(c);
}

/* True if the next command may follow in the same call. */
static bool step(struct slot *s, bool first)
{
    struct app *a = s->app;
    struct cmd *c = s->first;
    struct chat_cmd cc;
    struct facts facts;
    struct decision *d = &a->decision;
    bool plain;

    if (c->conn && c->conn->is_dead && c->attempts == 0 && c->kind == CMD_MSG && !c->msg.row->durable) {
        cmd_finish(pop(s));
        return true;
    }
    if (c->conn && conn_is_stuck(c->conn, str_of(s->chat.id), c->msg.id)) {
        answer_cmd_error(pop(s), CODE_UNAVAILABLE, "an earlier command's answer is unknown: repeat that one first", NULL);
        return true;
    }
    gather(s, c, &cc, &facts);
    chat_decide(&s->chat, &cc, &a->rules, d);
    plain = d->code == CODE_OK && d->entries_n > 0 && !s->must_reindex && leaves_index(&s->chat, d);
    if (!first && !plain)
        return false; /* it waits for the answer to those before it */
    pop(s);
    if (d->code != CODE_OK) {
        refuse(s, c, d->code, d->text);
        return !s->is_busy;
    }
    if (d->drop_timer) {
        drop_timer(s, c);
        return true;
    }
    if (d->entries_n == 0) {
        if (c->done)
            c->done(c, CODE_OK);
        answer_cmd_ok(c, NULL);
        return true;
    }
    if (++c->attempts > ATTEMPTS_MAX) {
        finish_refused(c, &s->chat, CODE_UNAVAILABLE, "too many others write here now");
        return true;
    }
    return send_commit(s, c, d, plain) == 0 && plain;
}

void commit_begin(struct slot *s)
{
    if (s->is_stepping)
        return; /* a command that ended at once let the next one of its connection in */
    s->batch_left = 0;
    s->requeued = NULL;
    if (s->must_reindex && !s->first) {
        s->is_busy = send_index(s);
        return;
    }
    s->is_stepping = true;
    while (s->first && !s->is_busy && s->batch_left < SLOT_BATCH && step(s, s->batch_left == 0))
        ;
    s->is_stepping = false;
    if (s->batch_left > 0)
        s->is_busy = true;
}

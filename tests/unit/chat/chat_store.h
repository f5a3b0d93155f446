/*
 * chat_store: a store of chats for tests: what Redis and the gateway's shell do around the pure core, in plain memory.
 *
 * A command goes the whole way: JSON text → gate → chat_decide → tails (entry_write_tail) → commit (fence or head, guards) →
 * frames (entry_read) → chat_apply → chat_index, which is kept beside the chat as Redis keeps it.
 * Owns    chats with their frames; store_fini() frees them.   Thread  one.
 */
#ifndef CHAT_STORE_H
#define CHAT_STORE_H

#include <assert.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/base_json.h"
#include "chat/chat.h"
#include "chat/chat_view.h"

#define STORE_REPS 8
#define STORE_CHATS 24
#define STORE_START_MS 1800000000000LL
#define STORE_MINUTE 60000LL

struct store_chat {
    struct chat c;
    unsigned shopper;
    char **frame;              /* the log: frame[i] has seq i + 1 */
    unsigned frames_n, cap;
    int64_t fence;             /* as the script keeps it: the seq of the last entry flagged so */
    int64_t due_ms[TIMER_N];   /* the index as it was written */
    char queue[PEOPLE_ITEM_BYTES], hold[ID_SIZE], also[ID_SIZE], asked[ID_SIZE], handed[ID_SIZE], alert[ID_SIZE], open[ID_SIZE];
    int64_t score, weight;
};

struct store {
    struct chat_rules rules;
    int64_t now_ms;
    struct people_rep rep[STORE_REPS];
    unsigned reps_n;
    bool shopper_is_here[STORE_CHATS];
    struct store_chat chat[STORE_CHATS];
    unsigned chats_n;
    int64_t skew_ms;           /* the deciding node's clock is off by so much; the log's time is Redis's */
    const char *callback;      /* the shopper's call-back that is open already; NULL none */
    bool can_reach;            /* there is a way to call the shopper */
    bool facts_are_stale;      /* decisions believe that everybody is there and has room; the guards must catch it */
    struct decision d;         /* the last one */
    const char *failed;        /* why the last commit was refused: "fence", "head", "guard"; NULL it wasn't */
    enum chat_guard_kind failed_guard;
    void (*on_entry)(void *ctx, struct store *s, struct store_chat *sc, enum chat_state before, const struct entry *e);
    void *ctx;
};

/* A decision made ready to commit: it outlives the chat's next change, as it does on its way to Redis. */
struct store_commit {
    enum code code;
    unsigned chat, n;
    char *tail[CHAT_DECISION_ENTRIES];
    enum kind kind[CHAT_DECISION_ENTRIES];
    enum chat_compare compare;
    int64_t fence, head;
    unsigned guards_n;
    struct chat_guard guard[CHAT_DECISION_GUARDS];
    char guard_who[CHAT_DECISION_GUARDS][ID_SIZE];
};

static inline void store_init(struct store *s)
{
    struct err err;

    crypto_start(&err);
    memset(s, 0, sizeof *s);
    s->now_ms = STORE_START_MS;
    s->rules = (struct chat_rules){
        .offer_ms = 30000, .transfer_ms = 60000, .silent_ms = 120000, .confirm_ms = 86400000, .return_ms = 259200000,
        .quick_return_ms = 600000, .keep_ms = 86400000,
        .care = {300000, 900000, 300000},
        .weight = {1, 1, 1, 1, 1},
        .head_start_ms = {[CLASS_VIP] = 600000, [CLASS_RETURNING] = 900000, [CLASS_CARE] = 1800000, [CLASS_URGENT] = 3600000},
    };
    decision_init(&s->d);
}

static inline void store_empty(struct store *s)
{
    for (unsigned i = 0; i < s->chats_n; i++) {
        struct store_chat *sc = &s->chat[i];

        chat_fini(&sc->c);
        for (unsigned k = 0; k < sc->frames_n; k++)
            free(sc->frame[k]);
        free(sc->frame);
    }
    memset(s->chat, 0, sizeof s->chat);
    s->chats_n = 0;
}

static inline void store_fini(struct store *s)
{
    store_empty(s);
    decision_fini(&s->d);
}

static inline unsigned store_add_rep(struct store *s, const char *name, const char *department, int64_t capacity)
{
    unsigned i = s->reps_n++;
    struct people_rep *p = &s->rep[i];

    memset(p, 0, sizeof *p);
    snprintf(p->id, sizeof p->id, "r_%s", name);
    snprintf(p->name, sizeof p->name, "%s", name);
    p->roles = ROLE_REP;
    people_list_add(&p->departments, str_of(department));
    p->shift = SHIFT_ON;
    p->is_present = true;
    p->capacity = capacity;
    return i;
}

/* What this rep holds, this chat (or -1: none) left out. */
static inline int64_t store_load(const struct store *s, const char *rep, int without)
{
    int64_t sum = 0;

    for (unsigned i = 0; i < s->chats_n; i++)
        if ((int)i != without && strcmp(s->chat[i].hold, rep) == 0)
            sum += s->chat[i].weight;
    return sum;
}

static inline const struct people_rep *store_rep_of(const struct store *s, const char *id)
{
    for (unsigned i = 0; i < s->reps_n; i++)
        if (strcmp(s->rep[i].id, id) == 0)
            return &s->rep[i];
    return NULL;
}

static inline const struct chat_rep *store_facts(const struct store *s, unsigned chat, const char *id, struct chat_rep *out)
{
    const struct people_rep *p = store_rep_of(s, id);
    const struct chat *c = &s->chat[chat].c;

    if (!p)
        return NULL;
    memset(out, 0, sizeof *out);
    memcpy(out->id, p->id, sizeof out->id);
    out->name = p->name;
    out->may_take = s->facts_are_stale || people_is_available(p);
    out->has_room = s->facts_are_stale || store_load(s, id, (int)chat) + s->rules.weight[c->class_] <= p->capacity;
    out->in_department = c->department && people_is_in(p, str_of(c->department));
    return out;
}

/* Mirrors the index, as the commit writes it. */
static inline void store_index(struct store *s, struct store_chat *sc)
{
    struct chat_index ix;

    chat_index(&sc->c, &s->rules, &ix);
    memcpy(sc->due_ms, ix.due_ms, sizeof sc->due_ms);
    snprintf(sc->queue, sizeof sc->queue, "%s", ix.queue ? ix.queue : "");
    snprintf(sc->hold, sizeof sc->hold, "%s", ix.hold ? ix.hold : "");
    snprintf(sc->also, sizeof sc->also, "%s", ix.also ? ix.also : "");
    snprintf(sc->asked, sizeof sc->asked, "%s", ix.asked ? ix.asked : "");
    snprintf(sc->handed, sizeof sc->handed, "%s", ix.handed ? ix.handed : "");
    snprintf(sc->alert, sizeof sc->alert, "%s", ix.alert ? ix.alert : "");
    snprintf(sc->open, sizeof sc->open, "%s", ix.open ? ix.open : "");
    sc->score = ix.score;
    sc->weight = ix.weight;
}

static inline bool store_guard_holds(const struct store *s, const struct store_chat *sc, const struct chat_guard *g)
{
    const struct people_rep *p = g->who ? store_rep_of(s, g->who) : NULL;

    switch (g->kind) {
    case GUARD_REP_ROOM:
        return p && people_is_available(p) && store_load(s, g->who, -1) + g->weight <= p->capacity;
    case GUARD_REP_ON:
        return p && people_is_available(p);
    case GUARD_REP_GONE:
        return p && !p->is_present;
    case GUARD_SHOPPER_GONE:
        return !s->shopper_is_here[sc->shopper];
    case GUARD_SHOPPER_FREE:
        for (unsigned i = 0; i < s->chats_n; i++)
            if (s->chat[i].shopper == sc->shopper && s->chat[i].open[0])
                return false;
        return true;
    case GUARD_TIMER_DUE:
        return g->due_ms != 0 && sc->due_ms[g->timer] == g->due_ms;
    }
    return false;
}

/* Writes what was decided as tails, and keeps what the script compares. */
static inline void store_prepare(struct store *s, unsigned chat, struct store_commit *k)
{
    struct store_chat *sc = &s->chat[chat];
    const struct decision *d = &s->d;

    memset(k, 0, sizeof *k);
    k->code = d->code;
    k->chat = chat;
    k->n = d->entries_n;
    k->compare = d->compare;
    k->fence = sc->c.fence;
    k->head = sc->c.head;
    assert_true(d->entries_n <= CHAT_DECISION_ENTRIES && d->guards_n <= CHAT_DECISION_GUARDS);
    for (unsigned i = 0; i < d->entries_n; i++) {
        struct buf b;

        buf_init(&b, 1 << 17);
        entry_write_tail(&b, &d->entry[i]);
        assert_true(buf_ok(&b));
        k->tail[i] = buf_take(&b, NULL);
        k->kind[i] = d->entry[i].kind;
    }
    k->guards_n = d->guards_n;
    for (unsigned i = 0; i < d->guards_n; i++) {
        k->guard[i] = d->guard[i];
        if (d->guard[i].who) {
            snprintf(k->guard_who[i], ID_SIZE, "%s", d->guard[i].who);
            k->guard[i].who = k->guard_who[i];
        }
    }
}

static inline void store_append(struct store *s, struct store_chat *sc, const char *tail, bool raises)
{
    struct buf b;
    struct entry e;
    struct err err;
    enum chat_state before = sc->c.state;
    struct chat_index ix;
    bool keeps;

    buf_init(&b, 1 << 17);
    buf_printf(&b, "{\"t\":\"event\",\"chat\":\"%s\",\"seq\":%u,\"at\":%lld,", sc->c.id, sc->frames_n + 1,
               (long long)(s->now_ms > sc->c.last_at_ms ? s->now_ms : sc->c.last_at_ms));
    buf_add_s(&b, tail);
    assert_true(buf_ok(&b));
    if (sc->frames_n == sc->cap) {
        sc->cap = sc->cap ? sc->cap * 2 : 32;
        sc->frame = mem_realloc(sc->frame, sc->cap * sizeof *sc->frame);
    }
    assert_int_equal(entry_read(buf_str(&b), &e, &err), 0);
    sc->frame[sc->frames_n++] = buf_take(&b, NULL);
    keeps = chat_keeps_index(&sc->c, &e);
    chat_index(&sc->c, &s->rules, &ix);
    memcpy(sc->due_ms, ix.due_ms, sizeof ix.due_ms); /* between the entries of one commit, too */
    chat_apply(&sc->c, &e);
    chat_index(&sc->c, &s->rules, &ix);
    if (keeps && memcmp(sc->due_ms, ix.due_ms, sizeof ix.due_ms) != 0)
        fail_msg("%s moved a timer, and was said not to", kind_table[e.kind].name);
    if (raises)
        sc->fence = e.seq;
    if (s->on_entry)
        s->on_entry(s->ctx, s, sc, before, &e);
    entry_fini(&e);
}

/* The one atomic step. True if it was written (or there was nothing to write); frees what store_prepare() took. */
static inline bool store_commit(struct store *s, struct store_commit *k)
{
    struct store_chat *sc = &s->chat[k->chat];

    s->failed = NULL;
    if (k->code == CODE_OK && k->n) {
        if (k->compare == COMPARE_NEW ? sc->frames_n != 0 : sc->fence != k->fence)
            s->failed = "fence";
        else if (k->compare == COMPARE_HEAD && sc->frames_n != k->head)
            s->failed = "head";
        for (unsigned i = 0; i < k->guards_n && !s->failed; i++)
            if (!store_guard_holds(s, sc, &k->guard[i])) {
                s->failed = "guard";
                s->failed_guard = k->guard[i].kind;
            }
        for (unsigned i = 0; i < k->n && !s->failed; i++)
            store_append(s, sc, k->tail[i], chat_kind_raises_fence(k->kind[i]));
        if (!s->failed)
            store_index(s, sc);
    }
    for (unsigned i = 0; i < k->n; i++)
        free(k->tail[i]);
    return k->code == CODE_OK && !s->failed;
}

/* Reads a command as the gate does, with the fields `more` ('…' for "…"), and a text that is escaped by us. */
static inline void store_read_msg(struct msg *m, unsigned role, const char *chat, const char *t, const char *more, const char *text)
{
    static const struct protocol_limits lim = {65536, 16, 256, 4000};
    struct refusal why;
    struct buf b;

    buf_init(&b, 1 << 16);
    buf_printf(&b, "{\"t\":\"%s\",\"id\":\"x1\",\"chat\":\"%s\"", t, chat);
    if (text) {
        json_key(&b, "text");
        json_text(&b, str_of(text));
    }
    if (more && *more) {
        buf_add_c(&b, ',');
        for (const char *p = more; *p; p++)
            buf_add_c(&b, *p == '\'' ? '"' : *p);
    }
    buf_add_c(&b, '}');
    if (!protocol_read_command(buf_str(&b), role, &lim, m, &why))
        fail_msg("%s: the gate says %s", b.p, why.text);
    buf_fini(&b);
}

/* Whom `to` names: a rep, or a department with somebody chosen there by routing. */
static inline const struct chat_rep *store_target(const struct store *s, unsigned chat, struct str to, struct chat_cmd *cmd,
                                                  struct chat_rep *room)
{
    char id[ID_SIZE] = "";

    if (to.n > 2 && to.s[0] == 'r' && to.s[1] == '_') {
        memcpy(id, to.s, to.n < ID_SIZE ? to.n : 0);
        return store_facts(s, chat, id, room);
    }
    for (unsigned i = 0; i < s->reps_n; i++)
        if (people_is_in(&s->rep[i], to)) {
            cmd->target_is_department = true;
            cmd->target_department = to;
            if (people_is_available(&s->rep[i]) && strcmp(s->chat[chat].c.handler.id, s->rep[i].id) != 0) {
                cmd->target_on_shift = true;
                return store_facts(s, chat, s->rep[i].id, room);
            }
        }
    return NULL;
}

/* Decides a person's command and makes it ready. rep -1: the chat's shopper. */
static inline void store_decide(struct store *s, int rep, unsigned role, unsigned chat, const char *t, const char *more,
                                const char *text, struct store_commit *k)
{
    struct store_chat *sc = &s->chat[chat];
    struct chat_cmd cmd = {.kind = CMD_MSG, .now_ms = s->now_ms + s->skew_ms, .role = role};
    struct chat_rep self, target, owner, handler;
    char shopper[ID_SIZE], chat_id[ID_SIZE];
    struct msg m;
    const struct val *to;

    snprintf(shopper, sizeof shopper, "s_%u", sc->shopper);
    snprintf(chat_id, sizeof chat_id, "c_%u", chat);
    store_read_msg(&m, role, chat_id, t, more, text);
    cmd.msg = &m;
    cmd.person = rep < 0 ? str_of(shopper) : str_of(s->rep[rep].id);
    cmd.name = rep < 0 ? STR("小李") : str_of(s->rep[rep].name);
    cmd.self = rep < 0 ? NULL : store_facts(s, chat, s->rep[rep].id, &self);
    cmd.owner = store_facts(s, chat, sc->c.owner.id, &owner);
    cmd.handler = store_facts(s, chat, sc->c.handler.id, &handler);
    cmd.callback = s->callback ? str_of(s->callback) : STR_NONE;
    cmd.can_reach = s->can_reach;
    to = &m.f[m.type == MSG_CHAT_TRIAGE ? FIELD_DEPARTMENT : FIELD_TO];
    if (to->type == VAL_STR)
        cmd.target = store_target(s, chat, to->s, &cmd, &target);
    if (m.type == MSG_CHAT_START) {
        cmd.chat_id = chat_id;
        cmd.department = m.f[FIELD_DEPARTMENT].type == VAL_STR ? m.f[FIELD_DEPARTMENT].s : STR("general");
        cmd.topic = m.f[FIELD_TOPIC].type == VAL_STR ? m.f[FIELD_TOPIC].s : STR_NONE;
        cmd.class_ = m.f[FIELD_CLASS].type == VAL_STR ? m.f[FIELD_CLASS].s : STR("normal");
        cmd.locale = STR("zh-CN");
        cmd.site = STR("default");
        cmd.triage_why = "default";
    }
    chat_decide(&sc->c, &cmd, &s->rules, &s->d);
    store_prepare(s, chat, k);
    msg_fini(&m);
}

/* --- one line each, for tests: the code of the answer; conflict also where the commit was refused */

static inline enum code store_do(struct store *s, struct store_commit *k)
{
    enum code code = k->code;

    return store_commit(s, k) || code != CODE_OK ? code : CODE_CONFLICT;
}

static inline enum code store_rep(struct store *s, unsigned rep, unsigned chat, const char *t, const char *more)
{
    struct store_commit k;

    store_decide(s, (int)rep, s->rep[rep].roles & ROLE_LEAD ? ROLE_LEAD : ROLE_REP, chat, t, more, NULL, &k);
    return store_do(s, &k);
}

static inline enum code store_say(struct store *s, unsigned rep, unsigned chat, const char *text)
{
    struct store_commit k;

    store_decide(s, (int)rep, ROLE_REP, chat, "message.send", NULL, text, &k);
    return store_do(s, &k);
}

static inline enum code store_shopper(struct store *s, unsigned chat, const char *t, const char *more)
{
    struct store_commit k;

    store_decide(s, -1, ROLE_SHOPPER, chat, t, more, NULL, &k);
    return store_do(s, &k);
}

static inline enum code store_ask(struct store *s, unsigned chat, const char *text)
{
    struct store_commit k;

    store_decide(s, -1, ROLE_SHOPPER, chat, "message.send", NULL, text, &k);
    return store_do(s, &k);
}

/* A new chat of this shopper; its number is s->chats_n - 1. */
static inline enum code store_start(struct store *s, unsigned shopper, const char *more)
{
    struct store_commit k;
    unsigned chat = s->chats_n++;
    char id[ID_SIZE];

    assert_true(s->chats_n <= STORE_CHATS);
    snprintf(id, sizeof id, "c_%u", chat);
    chat_init(&s->chat[chat].c, id);
    s->chat[chat].shopper = shopper;
    s->shopper_is_here[shopper] = true;
    store_decide(s, -1, ROLE_SHOPPER, chat, "chat.start", more, "我要退款", &k);
    return store_do(s, &k);
}

static inline void store_decide_system(struct store *s, unsigned chat, struct chat_cmd *cmd, const char *target,
                                       struct store_commit *k)
{
    struct chat_rep t, owner, handler;

    cmd->now_ms = s->now_ms;
    cmd->owner = store_facts(s, chat, s->chat[chat].c.owner.id, &owner);
    cmd->handler = store_facts(s, chat, s->chat[chat].c.handler.id, &handler);
    cmd->target = target ? store_facts(s, chat, target, &t) : NULL;
    chat_decide(&s->chat[chat].c, cmd, &s->rules, &s->d);
    store_prepare(s, chat, k);
}

/* Fires a timer as it stands in the index; time goes on to its date. False: there is none. */
static inline bool store_fire(struct store *s, unsigned chat, enum chat_timer timer)
{
    struct chat_cmd cmd = {.kind = CMD_TIMER, .timer = timer, .due_ms = s->chat[chat].due_ms[timer]};
    struct store_commit k;

    if (cmd.due_ms == 0)
        return false;
    if (s->now_ms < cmd.due_ms)
        s->now_ms = cmd.due_ms;
    store_decide_system(s, chat, &cmd, NULL, &k);
    return store_do(s, &k) == CODE_OK && k.n > 0;
}

static inline enum code store_offer(struct store *s, unsigned chat, unsigned rep)
{
    struct chat_cmd cmd = {.kind = CMD_OFFER, .why = "chosen", .candidates = STR("[]")};
    struct store_commit k;

    store_decide_system(s, chat, &cmd, s->rep[rep].id, &k);
    return store_do(s, &k);
}

/* The rep's connection is lost and the grace is over. */
static inline enum code store_lose(struct store *s, unsigned chat, unsigned rep)
{
    struct chat_cmd cmd = {.kind = CMD_GONE, .why = "connection"};
    struct store_commit k;

    s->rep[rep].is_present = false;
    store_decide_system(s, chat, &cmd, s->rep[rep].id, &k);
    return store_do(s, &k);
}

/* The rep's account is closed. */
static inline enum code store_close_account(struct store *s, unsigned chat, unsigned rep)
{
    struct chat_cmd cmd = {.kind = CMD_GONE, .why = "account"};
    struct store_commit k;

    s->rep[rep].disabled = true;
    store_decide_system(s, chat, &cmd, s->rep[rep].id, &k);
    return store_do(s, &k);
}

static inline enum code store_lose_shopper(struct store *s, unsigned chat)
{
    struct chat_cmd cmd = {.kind = CMD_GONE, .why = "shopper"};
    struct store_commit k;

    s->shopper_is_here[s->chat[chat].shopper] = false;
    store_decide_system(s, chat, &cmd, NULL, &k);
    return store_do(s, &k);
}

/* How many entries of this kind the log holds. */
static inline unsigned store_count(const struct store *s, unsigned chat, enum kind kind)
{
    char want[64];
    unsigned n = 0;

    snprintf(want, sizeof want, "\"kind\":\"%s\",", kind_table[kind].name);
    for (unsigned i = 0; i < s->chat[chat].frames_n; i++)
        n += strstr(s->chat[chat].frame[i], want) != NULL;
    return n;
}

#endif

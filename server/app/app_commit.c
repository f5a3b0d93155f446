/* One chat's commands on their way: facts → decide → commit → apply → answer → fan-out. */
#include "app/app_commit.h"

#include <stdio.h>
#include <stdlib.h>

#define ATTEMPTS_MAX 8
#define POOL_MAX     128 /* of each kept for the next message: a turn's worth */

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

/* What a message or a suggestion says is the command's (add_message(), on_suggest() in the rules), and that lives until the answer. */
static void keep_entry(struct flight *f, const struct decision *d)
{
    const struct entry *e = &d->entry[0];
    const struct kind_row *row = &kind_table[e->kind];
    bool is_commands = (e->kind == KIND_MESSAGE && f->cmd->conn) || e->kind == KIND_SUGGESTED;

    if (d->entries_n != 1 || !is_commands || row->fields_n > FLIGHT_KEPT)
        return;
    f->from_role = e->from_role;
    f->kept_n = row->fields_n;
    for (unsigned i = 0; i < row->fields_n; i++)
        f->kept[i] = e->f[row->fields[i]];
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
    chat_index(scratch, match_rules(s->app, scratch->department), out);
}

/* An entry of a kind that a live node of an older version can't fold (PROMISES 2.15). */
static bool is_too_new(const struct app *a, const struct decision *d)
{
    for (unsigned i = 0; i < d->entries_n; i++)
        if (kind_table[d->entry[i].kind].format > link_format(a->link))
            return true;
    return false;
}

/* Who begins to wait, and who has room again, when this commit stands. */
static void look_ahead(struct slot *s, const struct chat_index *future)
{
    const struct chat_index *now = &s->index;
    bool is_kept = future->hold && now->hold && strcmp(now->hold, future->hold) == 0 && future->weight >= now->weight;
    struct member *m = now->hold && !is_kept ? people_find(s->app, str_of(now->hold)) : NULL;

    if (future->queue && !(now->queue && strcmp(now->queue, future->queue) == 0))
        match_ahead(s->app, str_of(future->queue));
    if (m)
        match_member_dirty(s->app, m);
}

static int send_commit(struct slot *s, struct cmd *c, const struct decision *d, bool plain)
{
    static const enum link_mode modes[] = {[COMPARE_FENCE] = LINK_FENCE, [COMPARE_HEAD] = LINK_HEAD, [COMPARE_NEW] = LINK_NEW};
    struct flight *f = pool_take(&s->app->flights);
    struct link_entry entries[CHAT_DECISION_ENTRIES];
    struct guards guards;
    struct writes writes;
    char members[TIMER_N][ID_SIZE + 16], absence[TIMER_MEMBER_SIZE], extra[ID_SIZE + 80] = "";
    const char *line;
    struct chat scratch;
    struct chat_index future;
    struct link_commit lc = {.log = str_of(s->chat.id), .entries = entries, .guards = guards.g, .writes = writes.w};
    int rc;

    writes.n = 0;
    f->slot = s;
    f->cmd = c;
    f->is_plain = plain;
    f->main = d->main;
    f->expected = s->chat.head + 1;
    f->compare = d->compare;
    buf_lend(&f->bytes, 1 << 18, f->room, sizeof f->room);
    for (unsigned i = 0; i < d->entries_n; i++)
        add_pending(f, &d->entry[i]);
    keep_entry(f, d);
    for (unsigned i = 0; i < f->n; i++)
        entries[i] = (struct link_entry){f->p[i].shown, f->p[i].raises,
                                         c->conn && i == f->main ? c->msg.id : STR_NONE,
                                         {f->bytes.p + f->p[i].at, f->p[i].n}};
    if (!plain) {
        future_index(s, d, &scratch, &future);
        index_diff(s, &s->index, &future, s->must_reindex, &writes, members);
        if (c->absence[0] && !c->target[0]) { /* a rep's is of all their chats, and goes when the last one is done (app_shift.c) */
            index_timer(s, c, absence);
            index_add(&writes, LINK_ZREM, LINK_TIMERS, str_of(absence), STR_NONE);
        }
        line = task_line(c, &s->chat, &d->entry[d->main]);
        if (line)
            index_add(&writes, LINK_HSET, LINK_TASKS, d->entry[d->main].f[FIELD_TASK].s, str_of(line));
    }
    guards_map(s, d, c, f, &guards);
    if (c->conn) {
        lc.person = str_of(c->conn->person);
        lc.id = c->msg.id;
        lc.digest = c->msg.digest;
        lc.id_in_person = cmd_is_of_person(c);
        if (c->msg.type == MSG_CHAT_START)
            snprintf(extra, sizeof extra, "%s %s", s->chat.id, c->department);
        c->is_no_reply = d->entry[d->main].f[FIELD_COUNTS].type == VAL_BOOL;
        if (c->is_no_reply)
            snprintf(extra, sizeof extra, COMMIT_NO_REPLY);
        lc.extra = str_of(extra);
    }
    lc.mode = modes[d->compare];
    lc.fence = s->chat.fence;
    lc.head = s->chat.head;
    lc.entries_n = f->n;
    lc.guards_n = guards.n;
    lc.writes_n = writes.n;
    rc = buf_ok(&f->bytes) ? link_commit(s->app->link, &lc, commit_on_answer, f) : ERR_TOO_LARGE;
    if (!plain && rc == 0)
        look_ahead(s, &future);
    if (!plain)
        chat_fini(&scratch);
    if (rc < 0) {
        flight_free(f);
        if (rc == ERR_TOO_LARGE)
            commit_finish_refused(c, &s->chat, CODE_TOO_LARGE, "the entry would be too large");
        else
            commit_finish_refused(c, &s->chat, CODE_UNAVAILABLE, rc == ERR_FULL ? "too much is under way" : "redis is away");
        return rc;
    }
    s->batch_left++;
    return 0;
}

/* Writes the whole index as it follows from the state (others' entries came between ours). */
static bool send_index(struct slot *s)
{
    struct flight *f = pool_take(&s->app->flights);
    struct writes writes = {.n = 0};
    struct chat_index ix;
    char members[TIMER_N][ID_SIZE + 16];
    struct link_commit lc = {.log = str_of(s->chat.id), .mode = LINK_HEAD, .fence = s->chat.fence, .head = s->chat.head,
                             .writes = writes.w};

    s->must_reindex = false;
    chat_index(&s->chat, match_rules(s->app, s->chat.department), &ix);
    index_diff(s, &s->index, &ix, true, &writes, members);
    f->slot = s;
    lc.writes_n = writes.n;
    if (link_commit(s->app->link, &lc, commit_on_answer, f) < 0) {
        flight_free(f);
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

/*
 * A timer that means nothing any more gets the date that the state says, or goes: only while it stands as read and the state is the
 * newest. Another node may have fired it, and set the next one, in between.
 */
static void drop_timer(struct slot *s, struct cmd *c)
{
    struct flight *f = mem_zalloc(sizeof *f);
    char member[TIMER_MEMBER_SIZE], due[24], right[24];
    struct chat_index ix;
    struct link_guard guard = {LINK_GUARD_DUE, LINK_TIMERS, STR(""), STR_NONE, STR_NONE};
    struct link_write write = {LINK_ZREM, LINK_TIMERS, STR(""), STR_NONE, STR_NONE};
    struct link_commit lc = {.log = str_of(s->chat.id), .mode = LINK_HEAD, .fence = s->chat.fence, .head = s->chat.head,
                             .guards = &guard, .guards_n = 1, .writes = &write, .writes_n = 1};

    f->slot = s;
    f->cmd = c;
    f->guard_kind[0] = GUARD_TIMER_DUE;
    chat_index(&s->chat, match_rules(s->app, s->chat.department), &ix);
    index_timer(s, c, member);
    snprintf(due, sizeof due, "%lld", (long long)c->due_ms);
    guard.a = write.a = str_of(member);
    guard.b = str_of(due);
    if (c->kind == CMD_TIMER && ix.due_ms[c->timer]) {
        snprintf(right, sizeof right, "%lld", (long long)ix.due_ms[c->timer]);
        write.type = LINK_ZADD;
        write.b = str_of(right);
    }
    if (link_commit(s->app->link, &lc, commit_on_answer, f) < 0) {
        flight_free(f);
        cmd_finish(c);
        return;
    }
    s->batch_left++;
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
    facts_gather(s, c, &cc, &facts);
    chat_decide(&s->chat, &cc, match_rules(a, s->chat.department ? s->chat.department : c->department), d);
    plain = d->code == CODE_OK && d->entries_n > 0 && !s->must_reindex && index_is_left(&s->chat, d);
    if (!first && (!plain || link_call_is_full(a->link)))
        return false; /* it waits for the answer to those before it */
    pop(s);
    if (d->code != CODE_OK) {
        commit_refuse(s, c, d->code, d->text);
        return !s->is_busy;
    }
    if (d->drop_timer) {
        drop_timer(s, c);
        return s->batch_left == 0; /* nothing was sent: no answer will let the next one in */
    }
    if (d->entries_n == 0) {
        cmd_say_done(c, CODE_OK);
        answer_cmd_ok(c, NULL);
        return true;
    }
    if (++c->attempts > ATTEMPTS_MAX) {
        commit_finish_refused(c, &s->chat, CODE_UNAVAILABLE, "too many others write here now");
        return true;
    }
    if (is_too_new(a, d)) {
        commit_finish_refused(c, &s->chat, CODE_UNAVAILABLE, "a node of an older version is running: when it is updated, this can be done");
        return true;
    }
    return send_commit(s, c, d, plain) == 0 ? plain : s->batch_left == 0;
}

void commit_start(struct app *a)
{
    pool_init(&a->cmds, sizeof(struct cmd), POOL_MAX);
    pool_init(&a->flights, sizeof(struct flight), POOL_MAX);
}

void commit_begin(struct slot *s)
{
    if (s->is_stepping)
        return; /* a command that ended at once let the next one of its connection in */
    s->batch_left = 0;
    s->requeued = NULL;
    if (s->must_reindex && !s->first) {
        s->is_busy = !s->index_rests && send_index(s);
        return;
    }
    s->is_stepping = true;
    while (s->first && !s->is_busy && s->batch_left < SLOT_BATCH && step(s, s->batch_left == 0))
        ;
    s->is_stepping = false;
    if (s->batch_left > 0)
        s->is_busy = true;
}

/*
 * Messages left and call-backs asked for (rule 1.6): logs of their own, each with an owner, on a list until they are done.
 *
 * The list is a hash in Redis, task → what it says as JSON; opening and closing write it in the same step as the log. Who is told of it:
 * app_task_list.c.
 */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

#define TASK_BYTES 65536
#define NOTHING    -1 /* no log stands there: the id is looked up, and nothing is written */

struct flight {
    struct cmd *cmd;
    char task[ID_SIZE];
    char *json; /* the task as the list has it; owned, may be NULL */
    char *tail; /* of its log's first entry, where this command opens it; owned, else NULL */
    int64_t head; /* seq of its log's last one, where this command closes it */
};

static struct str field(const struct cmd *c, enum field f)
{
    return c->msg.f[f].type == VAL_STR ? c->msg.f[f].s : STR_NONE;
}

static void flight_free(struct flight *f)
{
    free(f->json);
    free(f->tail);
    free(f);
}

/* ---- whose it is */

struct task_read {
    char task[ID_SIZE], department[64], owner[ID_SIZE], owner_name[PEOPLE_NAME_BYTES];
};

static void keep(char *to, size_t size, struct str s)
{
    snprintf(to, size, "%.*s", (int)(s.n < size ? s.n : 0), s.n ? s.s : "");
}

static void on_owner(void *ctx, struct str key, struct val v)
{
    struct task_read *t = ctx;

    if (str_is(key, "id") && v.type == VAL_STR)
        keep(t->owner, sizeof t->owner, v.s);
    if (str_is(key, "name") && v.type == VAL_STR)
        keep(t->owner_name, sizeof t->owner_name, v.s);
}

static void on_member(void *ctx, struct str key, struct val v)
{
    struct task_read *t = ctx;

    if (str_is(key, "task") && v.type == VAL_STR)
        keep(t->task, sizeof t->task, v.s);
    if (str_is(key, "department") && v.type == VAL_STR)
        keep(t->department, sizeof t->department, v.s);
    if (str_is(key, "owner") && v.type == VAL_JSON)
        json_each_member(v.s, on_owner, t);
}

bool task_is_for(struct str json, const struct member *m)
{
    struct task_read t = {.task = ""};

    json_each_member(json, on_member, &t);
    return m && m->is_loaded &&
           (strcmp(t.owner, m->rep.id) == 0 || (m->rep.roles & ROLE_DIRECTOR) || people_is_in(&m->rep, str_of(t.department)));
}

/* ---- answers */

static int commit_both(struct flight *f);

static void on_looked(void *ctx, const struct redis_reply *r)
{
    struct flight *f = ctx;
    struct link_stored first;
    bool is_known = r && redis_reply_type(r) == REDIS_LIST && redis_reply_n(r) > 0 && link_stored_read(redis_reply_str(redis_reply_at(r, 0)), &first) &&
                    task_is_for(first.frame, people_find(f->cmd->app, str_of(f->cmd->conn->person)));

    if (r && redis_reply_type(r) == REDIS_LIST && redis_reply_n(r) == 0 && f->json && commit_both(f) == 0)
        return; /* it stands on the list and its log was never opened: now */
    if (!r || redis_reply_type(r) != REDIS_LIST)
        answer_cmd_error(f->cmd, CODE_UNAVAILABLE, "redis gave no answer", NULL);
    else if (!is_known) /* there is none, or it is others' work */
        answer_cmd_error(f->cmd, CODE_NOT_FOUND, "no such task", NULL);
    else
        answer_cmd_error(f->cmd, CODE_CONFLICT, "it is done already", NULL);
    flight_free(f);
}

static void on_task(void *ctx, const struct link_result *r)
{
    struct flight *f = ctx;
    struct cmd *c = f->cmd;
    char extra[128];

    if (r->status == LINK_MOVED) { /* there is no such log, or it is over: say which */
        if (link_read(c->app->link, str_of(f->task), 0, 1, on_looked, f) == 0)
            return;
        answer_cmd_error(c, CODE_UNAVAILABLE, "redis is away", NULL);
    } else if (r->status == LINK_DONE || (r->status == LINK_SEEN && r->same)) {
        struct str task = r->status == LINK_DONE ? str_of(f->task) : r->extra;

        snprintf(extra, sizeof extra, ",\"task\":\"%.*s\"", (int)(task.n < ID_SIZE ? task.n : 0), task.s);
        if (r->status == LINK_DONE) {
            struct task_opening o = {str_of(c->conn->person), c->msg.id, str_of(f->tail), r->first};

            jobs_feed_kick(c->app->feed);
            if (f->tail)
                tasks_opened(c->app, task, str_of(f->json), &o);
            else
                tasks_look(c->app);
        }
        answer_cmd_ok(c, extra);
    } else if (r->status == LINK_SEEN) {
        answer_cmd_error(c, CODE_CONFLICT, "this id was used for something else", NULL);
    } else {
        answer_cmd_error(c, CODE_UNAVAILABLE, "the log can't be written now", NULL);
    }
    flight_free(f);
}

/* ---- opening */

/* How much this person answers for the department: 0 not at all. */
static unsigned claim_of(const struct department *d, const struct member *m)
{
    bool here = people_is_in(&m->rep, str_of(d->cfg->name));

    if (!m->is_loaded || m->rep.disabled)
        return 0;
    if (d->cfg->lead[0] && strcmp(d->cfg->lead, m->rep.login) == 0)
        return 5;
    if (here && (m->rep.roles & ROLE_LEAD))
        return 4;
    if (here && (m->rep.roles & ROLE_REP))
        return 3;
    return m->rep.roles & ROLE_DIRECTOR ? 2 : m->rep.roles & ROLE_ADMIN ? 1 : 0;
}

/* The responsible person: the department's lead, else one of its leads, of its reps, a director, an admin (every kind of work has a name). */
static const struct member *owner_of(struct app *a, const struct department *d)
{
    const struct member *best = NULL;
    struct map_item *it;
    uint32_t i = 0;

    while ((it = map_next(&a->members, &i))) {
        const struct member *m = it->value;
        unsigned mine = claim_of(d, m), theirs = best ? claim_of(d, best) : 0;

        if (mine > theirs || (mine && mine == theirs && strcmp(m->rep.id, best->rep.id) < 0))
            best = m;
    }
    return best;
}

/* Whose work it is: the department asked for, that of the chat that waits, that of the words, else the default. */
static const struct department *department_of(struct cmd *c, const struct slot *s)
{
    struct app *a = c->app;
    struct str wanted = field(c, FIELD_DEPARTMENT);
    const struct department *d = wanted.n ? match_find(a, wanted) : NULL;
    char why[120];

    if (!d && s && s->is_loaded && s->chat.department)
        d = match_find(a, str_of(s->chat.department));
    if (!d && field(c, FIELD_TEXT).n)
        d = shopper_by_keyword(a, field(c, FIELD_TEXT), why, sizeof why);
    return d ? d : &a->departments[0];
}

static struct val person_of(struct buf *json, const char *id, const char *name)
{
    size_t at = json->n;

    buf_add_c(json, '{');
    json_kv_s(json, "id", id);
    if (name[0])
        json_kv_s(json, "name", name);
    buf_add_c(json, '}');
    return val_json((struct str){json->p + at, json->n - at});
}

static void open_task(struct cmd *c, struct flight *f, struct entry *e, struct buf *json)
{
    const struct slot *s = c->conn->open[0] ? slot_find(c->app, str_of(c->conn->open)) : NULL;
    const struct department *d = department_of(c, s);
    const struct member *owner = owner_of(c->app, d);

    entry_init(e, KIND_TASK_OPENED);
    e->at_ms = app_now_ms(c->app);
    e->from_role = ROLE_SHOPPER;
    e->from = (struct person){str_of(c->conn->person), str_of(c->conn->name)};
    e->f[FIELD_WHAT] = val_s(c->msg.type == MSG_MESSAGE_LEAVE ? "message" : "callback");
    e->f[FIELD_TEXT] = c->msg.f[FIELD_TEXT];
    e->f[FIELD_CONTACT] = c->msg.f[FIELD_CONTACT];
    if (c->msg.f[FIELD_AT].type == VAL_INT)
        e->f[FIELD_DUE_AT] = c->msg.f[FIELD_AT];
    e->f[FIELD_DEPARTMENT] = val_s(d->cfg->name);
    if (c->conn->open[0])
        e->f[FIELD_ABOUT] = val_s(c->conn->open);
    e->f[FIELD_SHOPPER] = person_of(json, c->conn->person, c->conn->name);
    if (owner)
        e->f[FIELD_OWNER] = person_of(json, owner->rep.id, owner->rep.name);
    else
        log_warn("app", "a task has no owner department=%s: there is no lead, rep, director or admin", d->cfg->name);
    id_make(f->task, 't');
}

char *task_line_of(const char *task, const struct entry *e)
{
    static const enum field fields[] = {FIELD_WHAT, FIELD_TEXT, FIELD_CONTACT, FIELD_DUE_AT, FIELD_DEPARTMENT, FIELD_ABOUT, FIELD_SHOPPER, FIELD_OWNER};
    struct buf b;

    buf_init(&b, TASK_BYTES);
    buf_add_c(&b, '{');
    json_kv_s(&b, "task", task);
    json_kv_int(&b, "at", e->at_ms);
    for (unsigned i = 0; i < sizeof fields / sizeof *fields; i++) {
        const struct val *v = &e->f[fields[i]];

        if (v->type == VAL_STR)
            json_kv_str(&b, field_names[fields[i]], v->s);
        else if (v->type == VAL_INT)
            json_kv_int(&b, field_names[fields[i]], v->i);
        else if (v->type == VAL_JSON)
            json_kv_raw(&b, field_names[fields[i]], v->s);
    }
    buf_add_c(&b, '}');
    return buf_take(&b, NULL);
}

/* Whose command it is, and which log's. */
static void address(const struct flight *f, struct link_commit *lc)
{
    const struct cmd *c = f->cmd;

    lc->person = str_of(c->conn->person);
    lc->id = c->msg.id;
    lc->digest = c->msg.digest;
    lc->id_in_person = true;
    lc->log = lc->extra = str_of(f->task);
}

static void commit(struct flight *f, const struct entry *e, struct link_commit *lc)
{
    struct cmd *c = f->cmd;
    struct link_entry le = {.ref = c->msg.id};
    struct buf tail;

    address(f, lc);
    lc->entries = &le;
    lc->entries_n = 1;
    buf_init(&tail, 1 << 17);
    entry_write_tail(&tail, e);
    le.tail = buf_str(&tail);
    if (e->kind == KIND_TASK_OPENED)
        f->tail = mem_strndup(tail.p, tail.n);
    if (!buf_ok(&tail) || link_commit(c->app->link, lc, on_task, f) < 0) {
        answer_cmd_error(c, CODE_UNAVAILABLE, "redis is away", NULL);
        flight_free(f);
    }
    buf_fini(&tail);
}

static void begin_open(struct cmd *c)
{
    struct flight *f = mem_zalloc(sizeof *f);
    struct link_write w = {LINK_HSET, LINK_TASKS, STR(""), STR_NONE, STR_NONE};
    struct link_commit lc = {.mode = LINK_NEW, .writes = &w, .writes_n = 1};
    struct entry e;
    struct buf json;

    f->cmd = c;
    shopper_store_token(c->conn);
    buf_init(&json, 1 << 14);
    buf_reserve(&json, 8192); /* never moves: the entry points into it */
    open_task(c, f, &e, &json);
    f->json = task_line_of(f->task, &e);
    w.a = str_of(f->task);
    w.b = str_of(f->json);
    commit(f, &e, &lc);
    buf_fini(&json);
}

/* ---- closing: once, by whoever may see it */

void task_end_writes(const struct app *a, struct str task, char ms[24], struct link_write w[TASK_END_WRITES])
{
    snprintf(ms, 24, "%lld", (long long)a->rules.keep_ms);
    w[0] = (struct link_write){LINK_HDEL, LINK_TASKS, STR(""), task, STR_NONE};
    w[1] = (struct link_write){LINK_ZREL, LINK_ENDED, STR(""), task, str_of(ms)};
}

static void entry_of_done(const struct cmd *c, struct entry *e)
{
    entry_init(e, KIND_TASK_DONE);
    e->from_role = ROLE_REP;
    e->from = (struct person){str_of(c->conn->person), str_of(c->conn->name)};
    e->f[FIELD_NOTE] = c->msg.f[FIELD_NOTE];
}

bool task_write_opened(struct str line, char task[ID_SIZE], struct buf *tail)
{
    struct task_read t = {.task = ""};
    struct entry e;
    struct buf frame;
    int rc;

    entry_init(&e, KIND_TASK_OPENED);
    json_each_member(line, on_member, &t);
    if (!t.task[0])
        return false;
    buf_init(&frame, TASK_BYTES + 1024);
    buf_add_s(&frame, "{\"t\":\"event\",\"chat\":\"t\",\"seq\":1,\"kind\":\"task_opened\",\"from\":{\"role\":\"lead\"");
    json_kv_s(&frame, "id", t.owner);
    json_kv_s(&frame, "name", t.owner_name);
    buf_add_s(&frame, "},");
    buf_add(&frame, line.s + 1, line.n - 1);
    rc = buf_ok(&frame) ? entry_read(buf_str(&frame), &e, NULL) : ERR_TOO_LARGE;
    if (rc == 0)
        entry_write_tail(tail, &e);
    entry_fini(&e);
    buf_fini(&frame);
    memcpy(task, t.task, ID_SIZE);
    return rc == 0 && buf_ok(tail);
}

/* The list has it and the log isn't there (app_task_call.c): opened and closed in one step. */
static int commit_both(struct flight *f)
{
    struct link_write w[TASK_END_WRITES];
    struct link_entry le[2] = {{0}, {.ref = f->cmd->msg.id}};
    struct link_commit lc = {.mode = LINK_NEW, .entries = le, .entries_n = 2, .writes = w, .writes_n = TASK_END_WRITES};
    char task[ID_SIZE], ms[24];
    struct buf opened, done;
    struct entry e;
    int rc = ERR_INVALID;

    buf_init(&opened, TASK_BYTES);
    buf_init(&done, TASK_BYTES);
    entry_of_done(f->cmd, &e);
    entry_write_tail(&done, &e);
    address(f, &lc);
    task_end_writes(f->cmd->app, str_of(f->task), ms, w);
    if (task_write_opened(str_of(f->json), task, &opened) && buf_ok(&done)) {
        le[0].tail = buf_str(&opened);
        le[1].tail = buf_str(&done);
        rc = link_commit(f->cmd->app->link, &lc, on_task, f);
    }
    buf_fini(&opened);
    buf_fini(&done);
    return rc;
}

static void refuse(struct flight *f, enum code code, const char *why)
{
    answer_cmd_error(f->cmd, code, why, NULL);
    flight_free(f);
}

/* Its log was looked at before: what is on the list now was open then, with nothing behind. */
static void on_listed(void *ctx, const struct redis_reply *r)
{
    struct flight *f = ctx;
    struct link_write w[TASK_END_WRITES];
    struct link_commit lc = {.mode = LINK_HEAD, .head = NOTHING, .writes = w, .writes_n = TASK_END_WRITES};
    char ms[24];
    struct entry e;

    if (!r || redis_reply_type(r) == REDIS_ERR) {
        refuse(f, CODE_UNAVAILABLE, "redis is away");
        return;
    }
    if (redis_reply_type(r) == REDIS_STR) {
        if (!task_is_for(redis_reply_str(r), people_find(f->cmd->app, str_of(f->cmd->conn->person)))) {
            refuse(f, CODE_NOT_FOUND, "no such task");
            return;
        }
        f->json = mem_strndup(redis_reply_str(r).s, redis_reply_str(r).n);
        lc.head = f->head;
    }
    task_end_writes(f->cmd->app, str_of(f->task), ms, w);
    entry_of_done(f->cmd, &e);
    commit(f, &e, &lc);
}

static void on_extent(void *ctx, const struct link_extent *x)
{
    struct flight *f = ctx;
    const char *argv[] = {"HGET", f->task};

    if (x)
        f->head = x->length > 0 ? x->head : NOTHING;
    if (!x || link_call(f->cmd->app->link, LINK_TASKS, STR(""), 2, argv, NULL, on_listed, f) < 0)
        refuse(f, CODE_UNAVAILABLE, "redis is away");
}

static void begin_done(struct cmd *c)
{
    struct str task = field(c, FIELD_TASK);
    struct flight *f;

    if (task.n < 3 || task.n >= ID_SIZE || task.s[0] != 't') {
        answer_cmd_error(c, CODE_NOT_FOUND, "no such task", NULL);
        return;
    }
    f = mem_zalloc(sizeof *f);
    f->cmd = c;
    keep(f->task, sizeof f->task, task);
    if (link_extent(c->app->link, task, on_extent, f) < 0)
        refuse(f, CODE_UNAVAILABLE, "redis is away");
}

/* As many an hour as chats, counted apart from them. */
static bool address_may_leave(struct cmd *c)
{
    char key[80];

    snprintf(key, sizeof key, "task %s", c->conn->address);
    return app_count_start(c->app, key, c->app->cfg->limits.chats_per_address_h);
}

void task_command(struct cmd *c)
{
    if (c->msg.type == MSG_TASK_DONE)
        begin_done(c);
    else if (field(c, FIELD_DEPARTMENT).n && !match_find(c->app, field(c, FIELD_DEPARTMENT)))
        command_refuse(c, CODE_BAD_REQUEST, "department: there is none of that name", 0, begin_open);
    else if (utf8_is_blank(field(c, FIELD_CONTACT))) /* nobody could answer (rule 1.6) */
        command_refuse(c, CODE_BAD_REQUEST, "contact: must not be empty", 0, begin_open);
    else if (c->msg.f[FIELD_AT].type == VAL_INT && c->msg.f[FIELD_AT].i <= app_now_ms(c->app))
        command_refuse(c, CODE_BAD_REQUEST, "at: lies in the past", 0, begin_open);
    else if (c->app->chats != CHATS_OPEN) /* PROMISES 2.14 */
        command_refuse(c, CODE_UNAVAILABLE, "no new messages can be taken now", NO_NEW_MS, begin_open);
    else if (!address_may_leave(c))
        command_refuse(c, CODE_RATE_LIMITED, "too many messages from this address", TOO_MANY_MS, begin_open);
    else
        begin_open(c);
}

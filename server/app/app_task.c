/* Messages left and call-backs asked for: logs of their own, with an owner, shown until done (rule 1.6). */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

struct flight {
    struct cmd *cmd;
    char task[ID_SIZE];
};

static struct str field(const struct cmd *c, enum field f)
{
    return c->msg.f[f].type == VAL_STR ? c->msg.f[f].s : STR_NONE;
}

static void on_task(void *ctx, const struct link_result *r)
{
    struct flight *f = ctx;
    struct cmd *c = f->cmd;
    char extra[128];

    if (r->status == LINK_DONE || (r->status == LINK_SEEN && r->same)) {
        struct str task = r->status == LINK_DONE ? str_of(f->task) : r->extra;

        snprintf(extra, sizeof extra, ",\"task\":\"%.*s\"", (int)(task.n < ID_SIZE ? task.n : 0), task.s);
        if (r->status == LINK_DONE)
            jobs_feed_kick(c->app->feed);
        answer_cmd_ok(c, extra);
    } else if (r->status == LINK_SEEN) {
        answer_cmd_error(c, CODE_CONFLICT, "this id was used for something else", NULL);
    } else {
        answer_cmd_error(c, CODE_UNAVAILABLE, "the log can't be written now", NULL);
    }
    free(f);
}

/* The responsible rep of the department: its lead, else its first rep (every kind of work has a named person). */
static const struct member *owner_of(struct app *a, const struct department *d)
{
    const struct member *m = d->cfg->lead[0] ? people_by_login(a, str_of(d->cfg->lead)) : NULL;
    struct map_item *it;
    uint32_t i = 0;

    while (!m && (it = map_next(&a->members, &i))) {
        const struct member *x = it->value;

        if (x->is_loaded && !x->rep.disabled && people_is_in(&x->rep, str_of(d->cfg->name)))
            m = x;
    }
    return m;
}

static void open_task(struct cmd *c, struct flight *f, struct entry *e, struct buf *json)
{
    struct app *a = c->app;
    const struct department *d = &a->departments[0];
    const struct member *owner = owner_of(a, d);
    size_t at;

    entry_init(e, KIND_TASK_OPENED);
    e->from_role = ROLE_SHOPPER;
    e->from = (struct person){str_of(c->conn->person), str_of(c->conn->name)};
    e->f[FIELD_WHAT] = val_s(c->msg.type == MSG_MESSAGE_LEAVE ? "message" : "callback");
    e->f[FIELD_TEXT] = c->msg.f[FIELD_TEXT];
    e->f[FIELD_CONTACT] = c->msg.f[FIELD_CONTACT];
    if (c->msg.f[FIELD_AT].type == VAL_INT)
        e->f[FIELD_DUE_AT] = c->msg.f[FIELD_AT];
    e->f[FIELD_DEPARTMENT] = val_s(d->cfg->name);
    if (owner) {
        at = json->n;
        buf_add_c(json, '{');
        json_kv_s(json, "id", owner->rep.id);
        json_kv_s(json, "name", owner->rep.name);
        buf_add_c(json, '}');
        e->f[FIELD_OWNER] = val_json((struct str){json->p + at, json->n - at});
    }
    id_make(f->task, 't');
}

void task_command(struct cmd *c)
{
    struct flight *f = mem_zalloc(sizeof *f);
    struct link_entry le = {.ref = c->msg.id};
    struct link_commit lc = {.person = str_of(c->conn->person), .id = c->msg.id, .digest = c->msg.digest, .id_in_person = true,
                             .entries = &le, .entries_n = 1, .mode = LINK_NEW};
    struct link_write w = {LINK_SADD, LINK_TASKS, STR(""), STR_NONE, STR_NONE};
    struct entry e;
    struct buf tail, json;

    f->cmd = c;
    buf_init(&tail, 1 << 17);
    buf_init(&json, 1 << 14);
    buf_reserve(&json, 8192);
    if (c->msg.type == MSG_TASK_DONE) {
        struct str task = field(c, FIELD_TASK);

        entry_init(&e, KIND_TASK_DONE);
        e.from_role = ROLE_REP;
        e.from = (struct person){str_of(c->conn->person), str_of(c->conn->name)};
        e.f[FIELD_NOTE] = c->msg.f[FIELD_NOTE];
        snprintf(f->task, sizeof f->task, "%.*s", (int)(task.n < ID_SIZE ? task.n : 0), task.s ? task.s : "");
        lc.mode = LINK_ANY;
    } else {
        shopper_store_token(c->conn);
        open_task(c, f, &e, &json);
        w.a = str_of(f->task);
        lc.writes = &w;
        lc.writes_n = 1;
    }
    lc.log = lc.extra = str_of(f->task);
    entry_write_tail(&tail, &e);
    le.tail = buf_str(&tail);
    if (f->task[0] != 't' || link_commit(c->app->link, &lc, on_task, f) < 0) {
        if (f->task[0] != 't')
            answer_cmd_error(c, CODE_NOT_FOUND, "no such task", NULL);
        else
            answer_cmd_error(c, CODE_UNAVAILABLE, "redis is away", NULL);
        free(f);
    }
    buf_fini(&tail);
    buf_fini(&json);
}

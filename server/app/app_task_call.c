/*
 * Call-backs that a lead decides on, acting on an alert (rule 3.2).
 *
 * The task's line on the list stands in the commit of the chat's `alert_acted`, so neither is there without the other; the task's own log is
 * opened after it. Where that was cut short the line stands alone, and closing the task writes both entries (app_task.c).
 */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

#define LINE_BYTES 32768

static bool is_call_back(const struct cmd *c)
{
    return c->kind == CMD_MSG && c->msg.type == MSG_ALERT_ACT && c->msg.f[FIELD_ACTION].type == VAL_STR &&
           str_is(c->msg.f[FIELD_ACTION].s, "call_back");
}

/* ---- what the shopper has left already */

struct finding {
    struct cmd *cmd;
    char chat[ID_SIZE], shopper[ID_SIZE]; /* shopper "": not known here */
    void (*fn)(struct cmd *c, struct str chat);
};

struct left {
    char task[ID_SIZE], about[ID_SIZE], shopper[ID_SIZE], contact[1024];
    bool is_call;
};

static void on_shopper(void *ctx, struct str key, struct val v)
{
    struct left *l = ctx;

    if (str_is(key, "id") && v.type == VAL_STR)
        str_keep(v.s, l->shopper, sizeof l->shopper);
}

static void on_left(void *ctx, struct str key, struct val v)
{
    struct left *l = ctx;

    if (str_is(key, "shopper") && v.type == VAL_JSON)
        json_each_member(v.s, on_shopper, l);
    if (v.type != VAL_STR)
        return;
    if (str_is(key, "task"))
        str_keep(v.s, l->task, sizeof l->task);
    else if (str_is(key, "about"))
        str_keep(v.s, l->about, sizeof l->about);
    else if (str_is(key, "contact"))
        str_keep(v.s, l->contact, sizeof l->contact);
    else if (str_is(key, "what"))
        l->is_call = str_is(v.s, "callback");
}

/* An open call-back about this chat stands for the new one; any contact of the shopper's is better than none. */
static void take_left(struct finding *f, struct str line)
{
    struct cmd *c = f->cmd;
    struct left l = {.is_call = false};
    bool is_about;

    json_each_member(line, on_left, &l);
    is_about = strcmp(l.about, f->chat) == 0;
    if (is_about && l.is_call)
        memcpy(c->callback, l.task, sizeof c->callback);
    if (!c->contact && l.contact[0] && (is_about || (f->shopper[0] && strcmp(l.shopper, f->shopper) == 0)))
        c->contact = mem_strndup(l.contact, strlen(l.contact));
}

static void on_tasks(void *ctx, const struct redis_reply *r)
{
    struct finding *f = ctx;

    if (!r || redis_reply_type(r) != REDIS_LIST) {
        answer_cmd_error(f->cmd, CODE_UNAVAILABLE, "redis is away", NULL);
    } else {
        for (size_t i = 0; i < redis_reply_n(r); i++)
            take_left(f, redis_reply_str(redis_reply_at(r, i)));
        f->fn(f->cmd, str_of(f->chat));
    }
    free(f);
}

void task_find(struct cmd *c, struct str chat, void (*fn)(struct cmd *c, struct str chat))
{
    struct finding *f = mem_zalloc(sizeof *f);
    const struct slot *s = slot_find(c->app, chat);
    const struct val *contact = &c->msg.f[FIELD_CONTACT];
    const char *argv[] = {"HVALS"};

    *f = (struct finding){.cmd = c, .fn = fn};
    str_keep(chat, f->chat, sizeof f->chat);
    if (s && s->is_loaded)
        memcpy(f->shopper, s->chat.shopper.id, sizeof f->shopper);
    if (contact->type == VAL_STR)
        c->contact = mem_strndup(contact->s.s, contact->s.n);
    if (link_call(c->app->link, LINK_TASKS, STR(""), 1, argv, NULL, on_tasks, f) == 0)
        return;
    free(f);
    answer_cmd_error(c, CODE_UNAVAILABLE, "redis is away", NULL);
}

/* ---- the new one */

static void write_person(struct buf *b, const char *key, const char *id, const char *name)
{
    json_key(b, key);
    json_open(b, '{');
    json_kv_s(b, "id", id);
    if (name && name[0])
        json_kv_s(b, "name", name);
    json_close(b, '}');
}

const char *task_line(struct cmd *c, const struct chat *chat, const struct entry *acted)
{
    const struct val *task = &acted->f[FIELD_TASK];
    struct buf b;

    free(c->task_json);
    c->task_json = NULL;
    if (!is_call_back(c) || acted->kind != KIND_ALERT_ACTED || task->type != VAL_STR || c->callback[0])
        return NULL;
    buf_init(&b, LINE_BYTES);
    buf_add_c(&b, '{');
    json_kv_str(&b, "task", task->s);
    json_kv_int(&b, "at", app_now_ms(c->app));
    json_kv_s(&b, "what", "callback");
    json_kv_str(&b, "text", acted->f[FIELD_NOTE].type == VAL_STR ? acted->f[FIELD_NOTE].s : STR_NONE);
    if (c->contact)
        json_kv_s(&b, "contact", c->contact);
    if (c->msg.f[FIELD_AT].type == VAL_INT)
        json_kv_int(&b, "due_at", c->msg.f[FIELD_AT].i);
    json_kv_s(&b, "department", chat->department ? chat->department : c->app->departments[0].cfg->name);
    json_kv_s(&b, "about", chat->id);
    write_person(&b, "shopper", chat->shopper.id, chat->shopper.name);
    write_person(&b, "owner", c->conn->person, c->conn->name);
    buf_add_c(&b, '}');
    c->task_json = buf_take(&b, NULL);
    return c->task_json;
}

struct beginning {
    struct app *app;
    char task[ID_SIZE];
    char *line, *tail; /* owned */
};

static void on_begun(void *ctx, const struct link_result *r)
{
    struct beginning *k = ctx;

    if (r->status == LINK_DONE) {
        struct task_opening o = {.tail = str_of(k->tail), .seq = r->first};

        jobs_feed_kick(k->app->feed);
        tasks_opened(k->app, str_of(k->task), str_of(k->line), &o);
    } else { /* MOVED: somebody has found it on the list and closed it already */
        if (r->status != LINK_MOVED)
            log_warn("app", "a call-back's log can't be opened now: it stands on the list");
        tasks_look(k->app);
    }
    free(k->line);
    free(k->tail);
    free(k);
}

void task_begin(struct cmd *c)
{
    struct beginning *k = mem_zalloc(sizeof *k);
    struct link_entry le = {0};
    struct link_commit lc = {.mode = LINK_NEW, .entries = &le, .entries_n = 1};
    struct buf tail;
    bool sent;

    k->app = c->app;
    k->line = c->task_json;
    c->task_json = NULL;
    buf_init(&tail, LINE_BYTES);
    sent = task_write_opened(str_of(k->line), k->task, &tail);
    k->tail = buf_take(&tail, NULL);
    lc.log = str_of(k->task);
    le.tail = str_of(k->tail);
    if (!sent || link_commit(c->app->link, &lc, on_begun, k) < 0)
        on_begun(k, &(struct link_result){.status = LINK_REFUSED});
}

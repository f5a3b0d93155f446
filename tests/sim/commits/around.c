/* What app, link and net do around the real slots, commits and cursors: hello, a chat's start, who may what; of the rest, nothing. */
#include "commits.h"

#include <stdio.h>
#include <stdlib.h>

struct hello {
    struct cmd *cmd;
    int64_t seq;
};

static void on_hello_loaded(struct slot *s, void *ctx)
{
    struct hello *h = ctx;
    struct cmd *c = h->cmd;
    struct conn *conn = c->conn;
    struct buf b;

    if (s->is_behind || !s->is_loaded) {
        answer_cmd_error(c, CODE_UNAVAILABLE, "the chat can't be read now", NULL);
        free(h);
        return;
    }
    conn->is_ready = true;
    if (!conn->is_staff)
        snprintf(conn->open, sizeof conn->open, "%s", s->chat.id);
    buf_init(&b, 4096);
    buf_printf(&b, "{\"t\":\"welcome\",\"re\":\"%.*s\",\"seq\":%lld}", STR_FMT(c->msg.id),
               (long long)s->chat.head);
    answer_raw(conn, buf_str(&b));
    buf_fini(&b);
    if (!conn->is_dead)
        sub_pump(sub_add(conn, s, h->seq < s->chat.head ? h->seq : s->chat.head));
    free(h);
    cmd_finish(c);
}

static void hello(struct cmd *c)
{
    char chat[ID_SIZE] = "";
    long long seq = 0;
    struct hello *h;

    if (c->msg.f[FIELD_RESUME].type == VAL_JSON)
        sscanf(c->msg.f[FIELD_RESUME].s.s, "[{\"chat\":\"%24[^\"]\",\"seq\":%lld", chat, &seq);
    if (!chat[0]) {
        c->conn->is_ready = true;
        answer_ok(c->conn, c->msg.id, NULL);
        cmd_finish(c);
        return;
    }
    h = mem_zalloc(sizeof *h);
    h->cmd = c;
    h->seq = seq;
    slot_when_loaded(slot_get(c->app, str_of(chat)), on_hello_loaded, h);
}

void shopper_hello(struct cmd *c)
{
    hello(c);
}

void staff_hello(struct cmd *c)
{
    hello(c);
}

void shopper_start(struct cmd *c)
{
    snprintf(c->department, sizeof c->department, "general");
    c->triage_why = "shopper";
    id_make(c->new_chat, 'c');
    slot_push(slot_new(c->app, str_of(c->new_chat)), c);
}

bool staff_may_read(struct slot *s, const struct conn *c)
{
    return s->chat.head > 0 && people_find(s->app, str_of(c->person));
}

void people_fact(struct app *a, struct str id, struct str department, bool denied, struct chat_rep *out)
{
    struct member *m = people_find(a, id);

    (void)department;
    memset(out, 0, sizeof *out);
    snprintf(out->id, sizeof out->id, "%.*s", STR_FMT(id));
    out->name = m ? m->rep.name : "";
    out->may_take = out->has_room = m && !denied;
    out->in_department = m != NULL;
}

uint64_t uv_now(const uv_loop_t *loop)
{
    (void)loop;
    return (uint64_t)now_ms();
}

int64_t link_now_ms(const struct link *l)
{
    (void)l;
    return now_ms();
}

/* Nothing of these is looked at here. */
void notice_before(const struct slot *s, struct notice *n)
{
    (void)s, (void)n;
}
void notice_after(struct slot *s, const struct notice *n, bool is_ours)
{
    (void)s, (void)n, (void)is_ours;
}
void notice_write_card(struct slot *s, struct buf *b)
{
    (void)s, (void)b;
}
void board_look(struct app *a)
{
    (void)a;
}
bool link_is_up(const struct link *l)
{
    (void)l;
    return true;
}
void net_address_group(const char *address, char out[64])
{
    snprintf(out, 64, "%s", address);
}
void places_tell_new(struct slot *s)
{
    (void)s;
}
void tasks_look(struct app *a)
{
    (void)a;
}
void match_all_dirty(struct app *a)
{
    (void)a;
}
void match_ahead(struct app *a, struct str department)
{
    (void)a, (void)department;
}
void match_member_dirty(struct app *a, struct member *m)
{
    (void)a, (void)m;
}
void reps_denied(struct app *a, const char *id, enum link_guard_type type)
{
    (void)a, (void)id, (void)type;
}

void match_denied(struct app *a, struct str department, const char *rep)
{
    (void)a, (void)department, (void)rep;
}
struct department *match_find(struct app *a, struct str name)
{
    (void)a, (void)name;
    return NULL;
}
const struct member *match_best(struct app *a, struct department *d, const struct chat *c, const char *except, bool takes, struct buf *candidates)
{
    (void)c, (void)takes, (void)candidates;
    (void)a, (void)d, (void)except;
    return NULL;
}
void people_answered(struct app *a, const char *id)
{
    (void)a, (void)id;
}
void people_leave(struct app *a, struct conn *c)
{
    (void)a, (void)c;
}
void people_shift(struct cmd *c)
{
    (void)c;
}
void people_when_known(struct app *a, struct str id, void (*fn)(void *ctx, struct member *m), void *ctx)
{
    (void)a, (void)id, (void)fn, (void)ctx;
}
void shopper_gone(struct app *a, struct conn *c)
{
    (void)a, (void)c;
}
void kb_command(struct cmd *c)
{
    (void)c;
}
void task_command(struct cmd *c)
{
    (void)c;
}

void history_command(struct cmd *c)
{
    (void)c;
}
void task_find(struct cmd *c, struct str chat, void (*fn)(struct cmd *c, struct str chat))
{
    fn(c, chat); /* nobody here has left anything */
}
const char *task_line(struct cmd *c, const struct chat *chat, const struct entry *acted)
{
    (void)c, (void)chat, (void)acted;
    return NULL;
}
void task_begin(struct cmd *c)
{
    (void)c;
}
void jobs_feed_kick(struct jobs_feed *f)
{
    (void)f;
}
const struct chat_rules *match_rules(struct app *a, const char *department)
{
    (void)department;
    return &a->rules;
}
bool match_has_lead(struct app *a, const struct department *d)
{
    (void)a, (void)d;
    return false;
}
int archive_by_ref(struct archive *a, struct str log, struct str person, struct str ref,
                   void (*cb)(void *ctx, int rc, const struct archive_place *p), void *ctx)
{
    (void)a, (void)log, (void)person, (void)ref, (void)cb, (void)ctx;
    return ERR_GONE; /* nothing leaves Redis here */
}
void link_signal(struct link *l, struct str payload)
{
    (void)l, (void)payload;
}
void net_check_done(struct net_check *check, int status, void *user, int64_t retry_ms)
{
    (void)check, (void)status, (void)user, (void)retry_ms;
}
struct str net_head_cookie(const struct net_head *h, const char *name)
{
    (void)h, (void)name;
    return STR_NONE;
}
struct str net_head_get(const struct net_head *h, const char *name)
{
    (void)h, (void)name;
    return STR_NONE;
}
bool net_head_is_same_origin(const struct net_head *h, const struct config *c)
{
    (void)h, (void)c;
    return true;
}
void log_line(enum log_level level, const char *room, const char *fmt, ...)
{
    (void)level, (void)room, (void)fmt;
}
bool auth_secret_digest(char kind, struct str secret, char out[AUTH_DIGEST_SIZE])
{
    (void)kind, (void)secret, (void)out;
    return false;
}
int link_format(const struct link *l) { (void)l; return 1000; }
bool repair_is_under_way(const struct app *a) { (void)a; return false; }
void kb_for_preview(struct slot *s, struct str text) { (void)s, (void)text; }
void link_clock_bounds(const struct link *l, int64_t *from, int64_t *till) { (void)l, *from = 0, *till = INT64_MAX / 4; }
void link_epoch_is_over(struct link *l, struct str now) { (void)l, (void)now; }
int link_look(struct link *l, void (*cb)(void *ctx, const struct redis_reply *r)) { (void)l, (void)cb; return 0; }
void link_primary_is_lost(struct link *l) { (void)l; }
bool app_secret_holds(const struct member *m, int64_t version)
{
    (void)m, (void)version;
    return true;
}
struct str app_secret_person(struct str record, int64_t *version)
{
    (void)record, (void)version;
    return STR_NONE;
}

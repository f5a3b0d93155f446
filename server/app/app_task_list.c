/*
 * The list of open tasks as this node knows it, and whom it tells of a change.
 *
 * In Redis the list is a hash, task → line, written in one step with the task's log. This node looks at it when a hint names a task's log or
 * an alert that was acted on, when Redis comes up and on the slow beat: what is new is told as open, what is gone as done. So a change is
 * told whoever made it, and also if whoever made it was killed before a word.
 *
 * Another life of the data (PROMISES 2.9) may lack tasks. Each node puts back what was opened through it, under the same ids; the one that has
 * the archive then puts back what stands open there and isn't on the list, and the end of what is on the list and was closed.
 */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

#define TASK_BYTES 65536
#define LINES_MAX  500 /* read at once */

struct task {
    char *line;
    char epoch[40];       /* the life of the data in which it was on the list */
    uint64_t look;        /* and the look that last saw it there */
    char person[ID_SIZE]; /* this and the next: who opened it through this node, with which id */
    char *ref;            /* owned; may be NULL */
    char *tail;           /* its log's first entry, owned; NULL: it was opened elsewhere, or can't be put back */
    int64_t seq;          /* of that entry */
};

static void task_free(struct task *t)
{
    free(t->line);
    free(t->ref);
    free(t->tail);
    free(t);
}

void tasks_fini(struct app *a)
{
    struct map_item *it;
    uint32_t i = 0;

    while ((it = map_next(&a->tasks, &i)))
        task_free(it->value);
    map_fini(&a->tasks);
}

static void tell(struct app *a, struct str line, const char *state)
{
    struct buf b;

    buf_init(&b, TASK_BYTES + 256);
    buf_add_s(&b, "{\"t\":\"task\"");
    json_kv_raw(&b, "task", line);
    json_kv_s(&b, "state", state);
    buf_add_c(&b, '}');
    for (struct conn *c = a->conns; c && c->is_staff; c = c->next_all)
        if (c->is_ready && task_is_for(line, people_find(a, str_of(c->person))))
            signal_raw(c, crypto_short_hash(line.s, line.n < 40 ? line.n : 40), buf_str(&b));
    buf_fini(&b);
}

static struct task *add(struct app *a, struct str id, struct str line)
{
    struct task *t = map_get(&a->tasks, id);

    if (t)
        return t;
    t = mem_zalloc(sizeof *t);
    t->line = mem_strndup(line.s, line.n);
    map_put(&a->tasks, id, t);
    tell(a, line, "open");
    return t;
}

static void saw(struct app *a, struct task *t)
{
    t->look = a->tasks_looks;
    snprintf(t->epoch, sizeof t->epoch, "%s", a->epoch);
}

void tasks_opened(struct app *a, struct str id, struct str line, const struct task_opening *o)
{
    struct task *t = add(a, id, line);

    saw(a, t);
    t->seq = o->seq;
    if (t->tail)
        return;
    str_keep(o->person, t->person, sizeof t->person);
    t->ref = o->ref.n ? mem_strndup(o->ref.s, o->ref.n) : NULL;
    t->tail = mem_strndup(o->tail.s, o->tail.n);
}

static void on_id(void *ctx, struct str key, struct val v)
{
    if (str_is(key, "task") && v.type == VAL_STR)
        str_keep(v.s, ctx, ID_SIZE);
}

void tasks_listed(struct app *a, struct str line)
{
    char id[ID_SIZE] = "";

    json_each_member(line, on_id, id);
    if (id[0])
        saw(a, add(a, str_of(id), line));
}

/* ---- putting back */

/* An entry on its way back into its log. */
struct back {
    struct app *app;
    char task[ID_SIZE], person[ID_SIZE];
    char *ref, *line, *tail; /* owned; ref may be NULL; line NULL: it is the task's end */
    int64_t seq;             /* where it stood */
};

static void back_free(struct back *b)
{
    free(b->ref);
    free(b->line);
    free(b->tail);
    free(b);
}

static void on_put(void *ctx, const struct link_result *r)
{
    struct back *b = ctx;
    struct app *a = b->app;
    struct task *t = map_get(&a->tasks, str_of(b->task));

    if (r->status == LINK_DONE) {
        a->put_back++;
        if (t && b->line)
            t->seq = r->first;
        log_warn("app", "a task was put back task=%s what=%s", b->task, b->line ? "open" : "done");
        jobs_feed_kick(a->feed);
    } else if (r->status != LINK_SEEN && r->status != LINK_MOVED) {
        a->tasks_checked[0] = 0; /* once more at the next look */
        back_free(b);
        return;
    } else if (t) { /* its author, or another node, was quicker; or it is over */
        free(t->tail);
        t->tail = NULL;
    }
    back_free(b);
    tasks_look(a);
}

static void put(struct back *b, int64_t head)
{
    struct link_entry e = {.ref = str_of(b->ref), .tail = str_of(b->tail)};
    struct link_write w[TASK_END_WRITES] = {{LINK_HSET, LINK_TASKS, STR(""), str_of(b->task), str_of(b->line)}};
    char ms[24];
    struct link_commit lc = {.log = str_of(b->task),
                             .person = str_of(b->person),
                             .id = str_of(b->ref),
                             .id_in_person = true,
                             .extra = str_of(b->task),
                             .mode = LINK_PUT_BACK,
                             .fence = head,
                             .head = b->seq,
                             .entries = &e,
                             .entries_n = 1,
                             .writes = w,
                             .writes_n = b->line ? 1 : TASK_END_WRITES};

    if (!b->line)
        task_end_writes(b->app, str_of(b->task), ms, w);
    if (link_commit(b->app->link, &lc, on_put, b) < 0)
        on_put(b, &(struct link_result){.status = LINK_UNKNOWN});
}

static void on_extent(void *ctx, const struct link_extent *e)
{
    struct back *b = ctx;

    if (e && e->length > 0)
        put(b, e->head);
    else
        on_put(b, &(struct link_result){.status = e ? LINK_MOVED : LINK_UNKNOWN});
}

/* Takes b. An opening goes to where no log is, an end behind what stands. */
static void put_back(struct back *b)
{
    if (b->line)
        put(b, 0);
    else if (link_extent(b->app->link, str_of(b->task), on_extent, b) < 0)
        on_put(b, &(struct link_result){.status = LINK_UNKNOWN});
}

static void put_own_back(struct app *a, struct str id, const struct task *t)
{
    struct back *b = mem_zalloc(sizeof *b);

    b->app = a;
    b->seq = t->seq;
    str_keep(id, b->task, sizeof b->task);
    memcpy(b->person, t->person, sizeof b->person);
    b->ref = t->ref ? mem_strdup(t->ref) : NULL;
    b->line = mem_strdup(t->line);
    b->tail = mem_strdup(t->tail);
    put_back(b);
}

/* ---- what the archive knows */

static void on_last(void *ctx, struct str key, struct val v)
{
    struct back *b = ctx;
    const char *kind = v.type == VAL_JSON && str_is(key, "event") ? memmem(v.s.s, v.s.n, "\"kind\":", 7) : NULL;
    struct entry e;

    if (v.type == VAL_STR && str_is(key, "task"))
        str_keep(v.s, b->task, sizeof b->task);
    else if (v.type == VAL_STR && str_is(key, "person"))
        str_keep(v.s, b->person, sizeof b->person);
    else if (v.type == VAL_STR && str_is(key, "ref"))
        b->ref = mem_strndup(v.s.s, v.s.n);
    if (!kind)
        return;
    if (entry_read(v.s, &e, NULL) == 0) {
        b->seq = e.seq;
        b->tail = mem_strndup(kind, v.s.n - (size_t)(kind - v.s.s));
        b->line = e.kind == KIND_TASK_OPENED ? task_line_of(b->task, &e) : NULL;
    }
    entry_fini(&e);
}

static void on_archived(void *ctx, int rc, const char *type, struct str body, const char *why)
{
    struct app *a = ctx;

    (void)type;
    if (rc < 0) {
        log_warn("app", "the archive's tasks can't be read now why=\"%s\"", why);
        a->tasks_checked[0] = 0;
    }
    while (rc == 0 && body.n > 0) {
        const char *nl = memchr(body.s, '\n', body.n);
        size_t n = nl ? (size_t)(nl - body.s) : body.n;
        struct back *b = mem_zalloc(sizeof *b);

        b->app = a;
        json_each_member((struct str){body.s, n}, on_last, b);
        if (b->task[0] && b->tail)
            put_back(b);
        else
            back_free(b);
        n += nl != NULL;
        body = (struct str){body.s + n, body.n - n};
    }
}

/* Once in each life of the data, when what is on the list is known. */
static void check_archive(struct app *a)
{
    struct archive_query q = {.kind = ARCHIVE_TASKS};
    struct map_item *it;
    struct buf listed;
    uint32_t i = 0;

    if (!a->feed || !a->epoch[0] || strcmp(a->tasks_checked, a->epoch) == 0)
        return;
    buf_init(&listed, 1 << 22);
    json_open(&listed, '[');
    while ((it = map_next(&a->tasks, &i)))
        json_text(&listed, (struct str){it->key, it->key_n});
    json_close(&listed, ']');
    q.body = buf_str(&listed);
    if (archive_ask(a->archive, &q, on_archived, a) == 0)
        snprintf(a->tasks_checked, sizeof a->tasks_checked, "%s", a->epoch);
    buf_fini(&listed);
}

/* ---- looking */

static void look_end(struct app *a, bool again)
{
    a->tasks_looking = false;
    if (again || a->tasks_again)
        tasks_look(a);
    else
        check_archive(a);
}

/* Tasks whose lines are being read. */
struct fresh {
    struct app *app;
    unsigned n;
    bool more;
    char id[LINES_MAX][ID_SIZE];
};

static void on_lines(void *ctx, const struct redis_reply *r)
{
    struct fresh *f = ctx;
    bool ok = r && redis_reply_type(r) == REDIS_LIST && redis_reply_n(r) == f->n;

    for (unsigned i = 0; ok && i < f->n; i++)
        if (redis_reply_type(redis_reply_at(r, i)) == REDIS_STR)
            saw(f->app, add(f->app, str_of(f->id[i]), redis_reply_str(redis_reply_at(r, i))));
    if (ok)
        look_end(f->app, f->more);
    else
        f->app->tasks_looking = false;
    free(f);
}

static void read_lines(struct fresh *f)
{
    const char *argv[LINES_MAX + 1] = {"HMGET"};

    for (unsigned i = 0; i < f->n; i++)
        argv[i + 1] = f->id[i];
    if (link_call(f->app->link, LINK_TASKS, STR(""), (int)f->n + 1, argv, NULL, on_lines, f) < 0)
        on_lines(f, NULL);
}

/* What was on the list and isn't: done; or lost by another life of the data, then it comes back if it was opened here. */
static void tell_gone(struct app *a)
{
    struct map_item *it;
    struct str *gone = mem_alloc((a->tasks.n + 1) * sizeof *gone);
    unsigned n = 0;
    uint32_t i = 0;

    while ((it = map_next(&a->tasks, &i))) {
        struct task *t = it->value;
        struct str id = {it->key, it->key_n};

        if (t->look == a->tasks_looks)
            continue;
        if (t->tail && strcmp(t->epoch, a->epoch) != 0)
            put_own_back(a, id, t);
        else
            gone[n++] = id;
    }
    while (n-- > 0) {
        struct task *t = map_del(&a->tasks, gone[n]);

        tell(a, str_of(t->line), "done");
        task_free(t);
    }
    free(gone);
}

static void on_ids(void *ctx, const struct redis_reply *r)
{
    struct app *a = ctx;
    struct fresh *f;

    if (!r || redis_reply_type(r) != REDIS_LIST) {
        a->tasks_looking = false;
        return;
    }
    f = mem_zalloc(sizeof *f);
    f->app = a;
    for (size_t i = 0; i < redis_reply_n(r); i++) {
        struct str id = redis_reply_str(redis_reply_at(r, i));
        struct task *t = map_get(&a->tasks, id);

        if (t)
            saw(a, t);
        else if (f->n < LINES_MAX && id.n < ID_SIZE)
            str_keep(id, f->id[f->n++], ID_SIZE);
        else
            f->more = id.n < ID_SIZE;
    }
    tell_gone(a);
    if (f->n > 0) {
        read_lines(f);
    } else {
        free(f);
        look_end(a, false);
    }
}

void tasks_look(struct app *a)
{
    const char *argv[] = {"HKEYS"};

    a->tasks_again = a->tasks_looking;
    if (a->tasks_looking)
        return;
    a->tasks_looks++;
    a->tasks_looking = link_call(a->link, LINK_TASKS, STR(""), 1, argv, NULL, on_ids, a) == 0;
}

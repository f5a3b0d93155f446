/* A gateway without its sockets: what app, link and net are to the real slots, commits and cursors. */
#include "commits.h"

#include <stdio.h>
#include <stdlib.h>

#define OUTBOX 12 /* events that one connection holds */
#define QUEUE  512

/* A command on its way to Redis, or its answer on the way back. */
struct sent {
    int argc;
    char **argv;
    size_t *argv_n;
    void (*cb)(void *ctx, const struct redis_reply *r);
    void *ctx;
    bool has_run;
    struct redis_reply reply;
};

struct redis {
    struct node *node;
    struct sent sent[QUEUE];
    unsigned n, run_n;
};

struct node {
    struct app app;
    struct link link;
    struct redis redis;
    struct net_conn *conns;
    char *hint[QUEUE];
    unsigned hints_n, down_for;
    bool is_alive;
};

struct net_conn {
    struct node *node;
    unsigned client;
    struct conn *user;
    struct frame *out[4 * QUEUE];
    unsigned out_n;
    char *in[QUEUE];
    unsigned in_n;
    bool is_closing, is_full, is_paused;
    struct net_conn *next;
};

static struct node *nodes[NODES];
static struct config *cfg;
static struct member members[REPS];
static struct sent ghosts[QUEUE];
static unsigned ghosts_n;

/* --- to Redis and back */

static void sent_free(struct sent *s)
{
    for (int i = 0; i < s->argc; i++)
        free(s->argv[i]);
    free(s->argv);
    free(s->argv_n);
    reply_free(&s->reply);
}

int redis_call(struct redis *r, int argc, const char **argv, const size_t *argv_n, int64_t deadline_ms,
               void (*cb)(void *ctx, const struct redis_reply *reply), void *ctx)
{
    struct sent *s = &r->sent[r->n];

    (void)deadline_ms;
    if (!r->node->link.is_up)
        return ERR_GONE;
    if (r->n == QUEUE)
        return ERR_FULL;
    memset(s, 0, sizeof *s);
    s->argc = argc;
    s->argv = mem_zalloc((size_t)argc * sizeof *s->argv);
    s->argv_n = mem_zalloc((size_t)argc * sizeof *s->argv_n);
    for (int i = 0; i < argc; i++) {
        s->argv[i] = mem_strndup(argv[i], argv_n[i]);
        s->argv_n[i] = argv_n[i];
    }
    s->cb = cb;
    s->ctx = ctx;
    r->n++;
    return 0;
}

unsigned redis_pending(const struct redis *r)
{
    return r->n;
}

static void refuse(struct sent *s, const char *error)
{
    s->reply.type = REDIS_ERR;
    s->reply.s = mem_strdup(error);
    s->reply.n = strlen(error);
}

static void run_next(struct redis *r)
{
    struct sent *s = &r->sent[r->run_n];

    if (r->run_n == r->n)
        return;
    r->run_n++;
    s->has_run = true;
    if (!is_calm() && one_in(400))
        refuse(s, "OOM command not allowed when used memory > 'maxmemory'.");
    else if (!is_calm() && strcmp(s->argv[0], "EVALSHA") == 0 && one_in(60))
        refuse(s, "NOSCRIPT No matching script. Please use EVAL.");
    else
        store_run(s->argc, s->argv, s->argv_n, &s->reply);
}

static void answer_next(struct redis *r)
{
    struct sent s = r->sent[0];

    if (!r->n || !s.has_run)
        return;
    memmove(r->sent, r->sent + 1, --r->n * sizeof *r->sent);
    r->run_n--;
    s.cb(s.ctx, &s.reply);
    sent_free(&s);
}

/* The way to Redis is gone: everybody who waits is told, and what was on it may still be carried out. */
static void cut(struct node *n)
{
    struct redis *r = &n->redis;
    bool lost = one_in(2);

    n->link.is_up = false;
    while (r->n) {
        struct sent s = r->sent[0];

        memmove(r->sent, r->sent + 1, --r->n * sizeof *r->sent);
        s.cb(s.ctx, NULL);
        if (s.has_run || lost || ghosts_n == QUEUE) {
            sent_free(&s);
            continue;
        }
        ghosts[ghosts_n++] = s;
    }
    r->run_n = 0;
}

static void run_ghost(void)
{
    struct sent s = ghosts[0];

    if (!ghosts_n)
        return;
    counts.ghosts++;
    memmove(ghosts, ghosts + 1, --ghosts_n * sizeof *ghosts);
    store_run(s.argc, s.argv, s.argv_n, &s.reply);
    sent_free(&s);
}

static void refresh_all(struct node *n)
{
    struct map_item *it;
    uint32_t i = 0;

    while ((it = map_next(&n->app.slots, &i)))
        if (((struct slot *)it->value)->is_loaded)
            slot_refresh(it->value);
}

static void come_up(struct node *n)
{
    snprintf(n->link.epoch, sizeof n->link.epoch, "%s", store_get("fl:{default}:epoch", NULL));
    n->link.is_up = true;
    refresh_all(n);
}

void nodes_hint(const char *payload)
{
    for (unsigned i = 0; i < NODES; i++) {
        struct node *n = nodes[i];

        if (n && n->hints_n < QUEUE && (is_calm() || !one_in(5)))
            n->hint[n->hints_n++] = mem_strdup(payload);
    }
}

/* "L node log …" */
static void take_hint(struct node *n)
{
    char *all = n->hint[0], *save = NULL, *word;
    bool mine;

    if (!n->hints_n)
        return;
    memmove(n->hint, n->hint + 1, --n->hints_n * sizeof *n->hint);
    strtok_r(all, " ", &save);
    mine = strcmp(strtok_r(NULL, " ", &save), n->link.node) == 0;
    while (!mine && (word = strtok_r(NULL, " ", &save))) {
        struct slot *s = slot_find(&n->app, str_of(word));

        if (s && s->is_loaded)
            slot_refresh(s);
    }
    free(all);
}

/* --- connections */

struct net_conn *node_connect(unsigned i, unsigned client)
{
    struct node *n = nodes[i];
    struct net_conn *net;
    struct conn *c;

    if (!n || !n->is_alive)
        return NULL;
    net = mem_zalloc(sizeof *net);
    c = mem_zalloc(sizeof *c);
    net->node = n;
    net->client = client;
    net->user = c;
    net->next = n->conns;
    n->conns = net;
    c->app = &n->app;
    c->roles = client_roles(client);
    c->is_staff = (c->roles & ROLE_STAFF) != 0;
    snprintf(c->person, sizeof c->person, "%s", client_person(client));
    conn_set_name(c, str_of(client_person(client)));
    conn_opened(&n->app, net, c);
    return net;
}

static void end_conn(struct net_conn *net)
{
    struct net_conn **at = &net->node->conns;

    while (*at != net)
        at = &(*at)->next;
    *at = net->next;
    conn_closed(&net->node->app, net, net->user);
    client_cut(net->client, net);
    while (net->out_n)
        frame_unref(net->out[--net->out_n]);
    while (net->in_n)
        free(net->in[--net->in_n]);
    free(net);
}

void node_hang_up(struct net_conn *net)
{
    net->is_closing = true;
}

void node_hear(struct net_conn *net, const char *text)
{
    if (net->in_n < QUEUE)
        net->in[net->in_n++] = mem_strdup(text);
}

static void read_next(struct net_conn *net)
{
    char *text = net->in[0];

    if (!net->in_n || net->is_paused)
        return;
    memmove(net->in, net->in + 1, --net->in_n * sizeof *net->in);
    conn_text(&net->node->app, net, str_of(text));
    free(text);
}

static void write_next(struct net_conn *net)
{
    struct frame *f = net->out[0];

    if (!net->out_n)
        return;
    memmove(net->out, net->out + 1, --net->out_n * sizeof *net->out);
    client_take(net->client, net, frame_payload(f));
    frame_unref(f);
    if (net->is_full && net->out_n <= OUTBOX / 2) {
        net->is_full = false;
        conn_drained(&net->node->app, net);
    }
}

static void push(struct net_conn *net, struct frame *f)
{
    if (net->out_n == 4 * QUEUE)
        broken("more than %d frames wait for one client", 4 * QUEUE);
    net->out[net->out_n++] = frame_ref(f);
}

int net_send_event(struct net_conn *net, struct frame *f)
{
    if (net->out_n >= OUTBOX) {
        net->is_full = true;
        counts.full++;
        return ERR_FULL;
    }
    push(net, f);
    return 0;
}

void net_send_answer(struct net_conn *net, struct frame *f)
{
    push(net, f);
    client_is_answered(frame_payload(f));
}

void net_send_signal(struct net_conn *net, uint64_t key, struct frame *f)
{
    (void)net, (void)key, (void)f;
}

void *net_user(const struct net_conn *net)
{
    return net->user;
}

void net_close(struct net_conn *net, int code, const char *reason)
{
    (void)code, (void)reason;
    net->is_closing = true;
}

void net_pause(struct net_conn *net)
{
    net->is_paused = true;
}

void net_resume(struct net_conn *net)
{
    net->is_paused = false;
}

struct member *people_find(struct app *a, struct str id)
{
    (void)a;
    for (unsigned i = 0; i < REPS; i++)
        if (str_is(id, members[i].rep.id))
            return &members[i];
    return NULL;
}

/* --- lives */

static struct node *node_create(unsigned i)
{
    struct node *n = mem_zalloc(sizeof *n);
    struct app *a = &n->app;

    n->redis.node = n;
    n->is_alive = true;
    n->link.cmd = &n->redis;
    n->link.cfg = cfg;
    snprintf(n->link.prefix, sizeof n->link.prefix, "fl:{default}:");
    snprintf(n->link.channel, sizeof n->link.channel, "bus");
    snprintf(n->link.node, sizeof n->link.node, "node%u", i);
    for (int k = 0; k < SCRIPT_N; k++) {
        snprintf(n->link.sha[k], sizeof n->link.sha[k], "%d", k);
        n->link.text[k] = n->link.sha[k];
    }
    a->link = &n->link;
    a->cfg = cfg;
    a->site = "default";
    a->limits = (struct protocol_limits){65536, 16, 256, 4000};
    a->rules = (struct chat_rules){.offer_ms = 30000,
                                   .transfer_ms = 60000,
                                   .silent_ms = 120000,
                                   .confirm_ms = 86400000,
                                   .return_ms = 259200000,
                                   .quick_return_ms = 600000,
                                   .care = {300000, 900000, 300000}};
    a->is_up = true;
    map_init(&a->slots);
    commit_start(a);
    decision_init(&a->decision);
    come_up(n);
    return n;
}

/* It dies: its connections, and the callbacks that nobody hears any more. */
static void node_destroy(struct node *n)
{
    n->is_alive = false;
    while (n->conns)
        end_conn(n->conns);
    n->link.is_up = false;
    link_flush(&n->link);
    cut(n);
    slot_free_all(&n->app);
    decision_fini(&n->app.decision);
    pool_fini(&n->app.cmds);
    pool_fini(&n->app.flights);
    link_batch_free(n->link.spare);
    free(n->link.argv);
    free(n->link.argv_n);
    while (n->hints_n)
        free(n->hint[--n->hints_n]);
    free(n);
}

void nodes_open(void)
{
    cfg = mem_zalloc(sizeof *cfg);
    cfg->redis.command_ms = 5000;
    for (unsigned i = 0; i < REPS; i++) {
        char key[64];

        snprintf(members[i].rep.id, sizeof members[i].rep.id, "r_%u", i);
        snprintf(members[i].rep.name, sizeof members[i].rep.name, "Rep %u", i);
        snprintf(key, sizeof key, "fl:{default}:r:r_%u", i);
        store_set(key, "shift", "on");
        store_set(key, "capacity", "1000");
        snprintf(key, sizeof key, "fl:{default}:p:r_%u", i);
        store_set(key, "node0", "1");
    }
    store_set("fl:{default}:epoch", NULL, "e_000000");
    for (unsigned i = 0; i < NODES; i++)
        nodes[i] = node_create(i);
}

void nodes_close(void)
{
    for (unsigned i = 0; i < NODES; i++)
        if (nodes[i])
            node_destroy(nodes[i]);
    memset(nodes, 0, sizeof nodes);
    while (ghosts_n)
        sent_free(&ghosts[--ghosts_n]);
    free(cfg);
}

void nodes_new_epoch(void)
{
    char name[32];

    snprintf(name, sizeof name, "e_%06llu", (unsigned long long)++counts.epochs);
    store_set("fl:{default}:epoch", NULL, name);
    for (unsigned i = 0; i < NODES; i++)
        if (nodes[i] && !one_in(3)) { /* one that still writes under the old name must be refused */
            cut(nodes[i]);
            nodes[i]->down_for = rnd(50);
        }
}

static struct net_conn *any_conn(struct node *n)
{
    struct net_conn *c = n->conns;

    for (unsigned i = rnd(CLIENTS); c && i > 0; i--)
        c = c->next ? c->next : n->conns;
    return c;
}

static void break_something(struct node **at, unsigned i)
{
    struct node *n = *at;

    if (one_in(3000)) {
        counts.cuts++;
        cut(n);
        n->down_for = rnd(200);
    } else if (one_in(8000)) {
        counts.crashes++;
        node_destroy(n);
        *at = NULL;
        (void)i;
    } else if (n->redis.n == 0 && one_in(100)) {
        slot_sweep(&n->app, now_ms() + 86400000);
    }
}

static void node_step(struct node *n)
{
    struct net_conn *c;

    if (!n->link.is_up && n->down_for-- == 0)
        come_up(n);
    if (n->link.is_up && strcmp(n->link.epoch, store_get("fl:{default}:epoch", NULL)) != 0 && one_in(100)) {
        cut(n); /* what tells a node of another epoch: the connection ends */
        n->down_for = 1;
    }
    if (one_in(is_calm() ? 60 : 600))
        refresh_all(n); /* the slow beat */
    c = any_conn(n);
    switch (rnd(8)) {
    case 0:
    case 1:
        run_next(&n->redis);
        break;
    case 2:
    case 3:
        answer_next(&n->redis);
        break;
    case 4:
        take_hint(n);
        break;
    case 5:
        if (c)
            read_next(c);
        break;
    default:
        if (c)
            write_next(c);
    }
    if (one_in(2))
        link_flush(&n->link); /* the end of a turn */
    for (c = n->conns; c; c = c->next)
        if (c->is_closing) {
            end_conn(c);
            break;
        }
}

void nodes_step(void)
{
    unsigned i = rnd(NODES);

    if (!nodes[i]) {
        if (is_calm() || one_in(100))
            nodes[i] = node_create(i);
        return;
    }
    if (!is_calm())
        break_something(&nodes[i], i);
    if (nodes[i])
        node_step(nodes[i]);
    if (one_in(20))
        run_ghost();
}

bool nodes_are_idle(void)
{
    for (unsigned i = 0; i < NODES; i++)
        if (!nodes[i] || nodes[i]->redis.n || nodes[i]->link.batch)
            return false;
    return ghosts_n == 0;
}

#include "base/base_fail.h"
#include "config/config.h"
#include "link/link_room.h"
#include "log/log.h"

#include <stdio.h>
#include <stdlib.h>

#ifndef BATCH_COMMITS /* the simulation of commits makes it small: calls get full there too */
#define BATCH_COMMITS 256
#endif
#define BATCH_BYTES   (256 * 1024)
#define LINK_ANY_DIGEST "*" /* of a command that was put back: what it said is no longer known */

struct waiting {
    void (*cb)(void *ctx, const struct link_result *r);
    void *ctx;
    unsigned char digest[8];
    bool has_digest;
};

struct link_batch {
    struct link *l;
    struct link_words keys, args;
    struct waiting w[BATCH_COMMITS];
    unsigned n;
    bool by_text; /* sent once more with the script's text */
    /* with redis.replicas: results wait here until enough replicas have them */
    struct link_result *held;
    unsigned waits_left;
    struct link_batch *next;
};

void link_add_bounds(struct link_words *w, const struct link *l)
{
    int64_t from, till;

    if (!l->clock_hr) { /* the command line's: no clock of its own to hold against Redis's */
        link_words_add(w, STR(""));
        link_words_add(w, STR(""));
        return;
    }
    link_clock_bounds(l, &from, &till);
    link_words_add_i64(w, from);
    link_words_add_i64(w, till);
}

static struct link_batch *batch_begin(struct link *l)
{
    struct link_batch *b = l->spare;

    if (b) {
        l->spare = NULL;
        link_words_reset(&b->keys);
        link_words_reset(&b->args);
        b->n = 0;
        b->waits_left = 0;
        b->by_text = false;
    } else {
        b = mem_zalloc(sizeof *b);
        b->l = l;
        link_words_init(&b->keys, 1 << 20);
        link_words_init(&b->args, 1 << 20);
    }
    link_words_add_plain(&b->keys, l, "epoch");
    link_words_add_plain(&b->keys, l, "n");
    link_words_add_plain(&b->keys, l, "changed");
    link_words_add(&b->keys, str_of(l->channel));
    link_words_add_plain(&b->keys, l, "clock");
    link_words_add(&b->args, str_of(l->epoch));
    link_words_add(&b->args, str_of(l->node));
    link_words_add(&b->args, STR("    ")); /* the count: written when it is known */
    link_add_bounds(&b->args, l);
    link_words_add(&b->args, l->listens ? STR("1") : STR("0"));
    return b;
}

void link_batch_free(struct link_batch *b)
{
    if (!b)
        return;
    link_words_fini(&b->keys);
    link_words_fini(&b->args);
    free(b->held);
    free(b);
}

static void batch_end(struct link_batch *b)
{
    struct link *l = b->l;

    if (!l->closing && !l->spare) {
        l->spare = b;
        return;
    }
    link_batch_free(b);
}

static unsigned add_key(struct link_batch *b, enum link_key key, struct str name)
{
    link_words_add_key(&b->keys, b->l, key, name);
    return b->keys.n;
}

static void id_field(struct link_words *w, struct str person, struct str id)
{
    struct str parts[] = {STR("i:"), person, STR(":"), id};

    link_words_add_parts(w, parts, 4);
}

static void hex_digest(const unsigned char *digest, char out[17])
{
    crypto_hex(out, digest, 8);
}

/* Puts a number into a word of four spaces. */
static void put_number(struct link_batch *b, unsigned word, unsigned v)
{
    char text[8];

    snprintf(text, sizeof text, "%-4u", v);
    memcpy(b->args.bytes.p + b->args.at[word], text, 4);
}

static void add_digest(struct link_batch *b, const struct link_commit *c)
{
    char hex[17] = LINK_ANY_DIGEST;
    struct str parts[] = {{hex, 0}, STR(" "), c->extra};

    if (c->digest)
        hex_digest(c->digest, hex);
    parts[0].n = strlen(hex);
    link_words_add_parts(&b->args, parts, 3);
}

/* Where and as what the id is remembered. */
static void add_id(struct link_batch *b, const struct link_commit *c)
{
    if (c->id.n == 0) {
        link_words_add(&b->args, STR("0"));
        link_words_add(&b->args, STR(""));
        link_words_add(&b->args, STR(""));
        return;
    }
    if (c->id_in_person)
        link_words_add_log(&b->keys, b->l, 'i', c->person);
    link_words_add(&b->args, c->id_in_person ? STR("2") : STR("1"));
    id_field(&b->args, c->person, c->id);
    add_digest(b, c);
}

static void add_entries(struct link_batch *b, const struct link_commit *c)
{
    for (unsigned i = 0; i < c->entries_n; i++) {
        const struct link_entry *e = &c->entries[i];

        link_words_add_i64(&b->args, (e->shown ? 1 : 0) | (e->raises ? 2 : 0));
        link_words_add(&b->args, c->person.n ? c->person : STR("-"));
        link_words_add(&b->args, e->ref.n ? e->ref : STR("-"));
        link_words_add(&b->args, e->tail);
    }
}

static void add_guards(struct link_batch *b, const struct link_commit *c)
{
    static const char *const names[] = {"heq", "live", "gone", "room", "due", "idle"};

    for (unsigned i = 0; i < c->guards_n; i++) {
        const struct link_guard *g = &c->guards[i];
        unsigned key, rep;

        link_words_add(&b->args, str_of(names[g->type]));
        if (g->type == LINK_GUARD_ROOM) {
            key = add_key(b, LINK_HOLDS, g->name);
            rep = add_key(b, LINK_REP, g->name);
            link_words_add_i64(&b->args, key);
            link_words_add_i64(&b->args, rep);
            link_words_add(&b->args, g->a);
            continue;
        }
        link_words_add_i64(&b->args, add_key(b, g->key, g->name));
        link_words_add(&b->args, g->a.s ? g->a : STR(""));
        link_words_add(&b->args, g->b.s ? g->b : STR(""));
    }
}

/* This write is the first of the commit that changes what matching looks at of a rep: there a mark follows (snapshot.lua). */
static bool is_first_of_rep(const struct link_commit *c, unsigned at)
{
    const struct link_write *w = &c->writes[at];

    if (w->key != LINK_REP && w->key != LINK_HOLDS)
        return false;
    for (unsigned i = 0; i < at; i++)
        if ((c->writes[i].key == LINK_REP || c->writes[i].key == LINK_HOLDS) && str_eq(c->writes[i].name, w->name))
            return false;
    return true;
}

static unsigned marks_n(const struct link_commit *c)
{
    unsigned n = 0;

    for (unsigned i = 0; i < c->writes_n; i++)
        n += is_first_of_rep(c, i);
    return n;
}

static void add_mark(struct link_batch *b, struct str rep)
{
    link_words_add_plain(&b->keys, b->l, LINK_STAFF);
    link_words_add(&b->args, STR("zmark"));
    link_words_add_i64(&b->args, b->keys.n);
    link_words_add(&b->args, rep);
    link_words_add(&b->args, STR(""));
}

static void add_writes(struct link_batch *b, const struct link_commit *c)
{
    static const char *const names[] = {"zadd", "zrel", "zrem", "hset", "hdel", "sadd"};

    for (unsigned i = 0; i < c->writes_n; i++) {
        const struct link_write *w = &c->writes[i];

        link_words_add(&b->args, str_of(names[w->type]));
        link_words_add_i64(&b->args, add_key(b, w->key, w->name));
        link_words_add(&b->args, w->a);
        link_words_add(&b->args, w->b.s ? w->b : STR(""));
        if (is_first_of_rep(c, i))
            add_mark(b, w->name);
    }
}

/* One entry and no more, as nearly all messages are: said in fewer words. */
static bool is_plain(const struct link_commit *c)
{
    return c->mode == LINK_FENCE && c->entries_n == 1 && c->guards_n == 0 && c->writes_n == 0 && c->person.n && c->id.n && !c->id_in_person &&
           str_eq(c->id, c->entries[0].ref);
}

/* In the order that schema/lua/commit.lua reads. */
static void add_commit(struct link_batch *b, const struct link_commit *c)
{
    static const char *const modes[] = {"F", "H", "N", "A", "P"};
    unsigned keys_n = b->keys.n, at;

    link_words_add_log(&b->keys, b->l, 'h', c->log);
    link_words_add_log(&b->keys, b->l, 'l', c->log);
    if (is_plain(c)) {
        link_words_add(&b->args, STR("p"));
        link_words_add_i64(&b->args, c->fence);
        add_digest(b, c);
        add_entries(b, c);
        return;
    }
    link_words_add(&b->args, STR("-"));
    link_words_add(&b->args, c->log);
    add_id(b, c);
    link_words_add(&b->args, str_of(modes[c->mode]));
    link_words_add_i64(&b->args, c->fence);
    link_words_add_i64(&b->args, c->head);
    link_words_add_i64(&b->args, c->entries_n);
    link_words_add_i64(&b->args, c->guards_n);
    link_words_add_i64(&b->args, c->writes_n + marks_n(c));
    link_words_add(&b->args, STR("    ")); /* how many keys: written when it is known */
    at = b->args.n - 1;
    add_entries(b, c);
    add_guards(b, c);
    add_writes(b, c);
    put_number(b, at, b->keys.n - keys_n);
}

bool link_call_is_full(const struct link *l)
{
    const struct link_batch *b = l->batch;

    return b && (b->n == BATCH_COMMITS || b->args.bytes.n + b->keys.bytes.n > BATCH_BYTES);
}

int link_commit(struct link *l, const struct link_commit *c, void (*cb)(void *ctx, const struct link_result *r), void *ctx)
{
    struct link_batch *b;
    struct waiting *w;

    if (!l->is_up)
        return ERR_GONE;
    if (redis_pending(l->cmd) > 10000)
        return ERR_FULL;
    if (link_call_is_full(l))
        link_flush(l);
    if (!l->batch)
        l->batch = batch_begin(l);
    b = l->batch;
    w = &b->w[b->n++];
    w->cb = cb;
    w->ctx = ctx;
    w->has_digest = c->digest != NULL;
    if (c->digest)
        memcpy(w->digest, c->digest, sizeof w->digest);
    add_commit(b, c);
    return 0;
}

/* "seq at prev digest extra" */
static void read_seen(struct str s, const struct waiting *w, struct link_result *out)
{
    char hex[17] = "", copy[160];
    long long seq = 0, at = 0, prev = 0;
    char was[20] = "";
    int used = 0;

    snprintf(copy, sizeof copy, "%.*s", STR_FMT(s));
    if (sscanf(copy, "%lld %lld %lld %19s %n", &seq, &at, &prev, was, &used) < 3)
        return;
    if (w->has_digest)
        hex_digest(w->digest, hex);
    out->seq = seq;
    out->at_ms = at;
    out->prev = prev;
    out->same = strcmp(hex, was) == 0 || strcmp(was, LINK_ANY_DIGEST) == 0;
    out->extra = (size_t)used < s.n ? (struct str){s.s + used, s.n - (size_t)used} : STR_NONE;
}

/* "first-seq at shown-before counter" */
static void read_done(struct str s, struct link_result *out)
{
    int64_t *const to[] = {&out->first, &out->at_ms, &out->shown, &out->counter};
    const char *p = s.s, *end = s.s + s.n;

    out->status = LINK_DONE;
    for (unsigned i = 0; i < 4; i++, p += p < end) /* over the space */
        for (; p < end && *p != ' '; p++)
            *to[i] = *to[i] * 10 + (*p - '0');
}

static void read_answer(const struct redis_reply *r, const struct waiting *w, struct link_result *out)
{
    int64_t status = redis_reply_n(r) ? redis_reply_int(redis_reply_at(r, 0)) : 5;

    if (redis_reply_type(r) == REDIS_STR) {
        read_done(redis_reply_str(r), out);
        return;
    }
    switch (status) {
    case 1:
        out->status = LINK_SEEN;
        read_seen(redis_reply_str(redis_reply_at(r, 1)), w, out);
        break;
    case 2:
        out->status = LINK_MOVED;
        out->is_gone = redis_reply_n(r) > 1 && str_is(redis_reply_str(redis_reply_at(r, 1)), "0"); /* a log's first entry raises it */
        break;
    case 3:
        out->status = LINK_GUARDED;
        out->guard = (unsigned)redis_reply_int(redis_reply_at(r, 1)) - 1;
        break;
    case 4:
        out->status = LINK_EPOCH;
        out->why = redis_reply_str(redis_reply_at(r, 1));
        break;
    case 6:
        out->status = LINK_REFUSED;
        out->is_clock = true;
        out->why = STR("redis's clock has left this node's");
        break;
    default:
        out->status = LINK_REFUSED;
        out->why = redis_reply_n(r) > 1 ? redis_reply_str(redis_reply_at(r, 1)) : STR("unexpected answer");
        log_error("link", "commit refused why=\"%.*s\"", STR_FMT(out->why));
    }
}

/* Errors that Redis gives before it runs anything: certainly not done. */
static bool is_before_run(struct str e)
{
    static const char *const codes[] = {"OOM", "READONLY", "LOADING", "MISCONF", "BUSY", "MASTERDOWN", "NOREPLICAS", "NOAUTH", "NOPERM"};

    for (unsigned i = 0; i < sizeof codes / sizeof *codes; i++)
        if (e.n >= strlen(codes[i]) && memcmp(e.s, codes[i], strlen(codes[i])) == 0)
            return true;
    return false;
}

/* What an answer says of more than its own commit. */
static void note(struct link *l, const struct link_result *r)
{
    if (r->status == LINK_DONE && r->counter > l->seen_n)
        l->seen_n = r->counter;
    else if (r->status == LINK_EPOCH)
        link_epoch_is_over(l, r->why);
    else if (r->status == LINK_REFUSED && r->is_clock)
        link_look(l, NULL);
    else if (r->status == LINK_REFUSED && str_is((struct str){r->why.s, r->why.n < 8 ? r->why.n : 8}, "READONLY"))
        link_primary_is_lost(l);
}

/* ---- replicas: `ok` waits for them (PROMISES 1, redis.replicas) */

static char *keep_str(struct str s)
{
    return s.n ? mem_strndup(s.s, s.n) : NULL;
}

static void hold(struct link_batch *b, unsigned i, const struct link_result *r)
{
    if (!b->held)
        b->held = mem_zalloc(BATCH_COMMITS * sizeof *b->held);
    b->held[i] = *r;
    b->held[i].why.s = keep_str(r->why);
    b->held[i].extra.s = keep_str(r->extra);
}

/* What stands behind all that was sent before: enough replicas have it. */
static bool has_enough(const struct link *l, const struct redis_reply *r)
{
    bool enough = r && redis_reply_type(r) == REDIS_INT && redis_reply_int(r) >= l->cfg->redis.replicas;

    if (!enough)
        log_warn("link", "not enough replicas have it in time wanted=%lld have=%lld", (long long)l->cfg->redis.replicas,
                 (long long)(r ? redis_reply_int(r) : -1));
    return enough;
}

static int ask_replicas(struct link *l, void (*cb)(void *ctx, const struct redis_reply *r), void *ctx)
{
    char n[24], ms[24];
    const char *argv[] = {"WAIT", n, ms};

    snprintf(n, sizeof n, "%lld", (long long)l->cfg->redis.replicas);
    snprintf(ms, sizeof ms, "%lld", (long long)l->cfg->redis.replicas_ms);
    return redis_call(l->cmd, 3, argv, NULL, l->cfg->redis.command_ms, cb, ctx);
}

static void on_replicas(void *ctx, const struct redis_reply *r)
{
    struct link_batch *b = ctx;
    bool enough;

    if (--b->waits_left > 0)
        return; /* that was for a try that wasn't run */
    enough = has_enough(b->l, r);
    for (unsigned i = 0; i < b->n; i++) {
        struct link_result *res = &b->held[i];
        char *why = (char *)(uintptr_t)res->why.s, *extra = (char *)(uintptr_t)res->extra.s;

        if (!enough && (res->status == LINK_DONE || res->status == LINK_SEEN))
            res->status = LINK_UNKNOWN;
        b->w[i].cb(b->w[i].ctx, res);
        free(why);
        free(extra);
    }
    batch_end(b);
}

static void wait_for_replicas(struct link_batch *b)
{
    if (b->l->cfg->redis.replicas > 0 && ask_replicas(b->l, on_replicas, b) == 0)
        b->waits_left++;
}

/* ---- answers */

static void on_answer(void *ctx, const struct redis_reply *r)
{
    struct link_batch *b = ctx;
    struct str error = r && redis_reply_type(r) == REDIS_ERR ? redis_reply_str(r) : STR_NONE;
    bool waits = b->l->cfg->redis.replicas > 0, holds;

    if (!b->by_text && link_is_forgotten(SCRIPT_COMMIT, r)) {
        b->by_text = true;
        if (link_eval_text(b->l, SCRIPT_COMMIT, &b->keys, &b->args, on_answer, b) == 0) {
            wait_for_replicas(b);
            return;
        }
    }
    FAIL_POINT("commit.after");
    if (error.n)
        log_error("link", "commit failed why=\"%.*s\"", STR_FMT(error));
    holds = b->waits_left > 0;
    for (unsigned i = 0; i < b->n; i++) {
        struct link_result res = {.status = LINK_UNKNOWN, .why = error};

        if (error.n)
            res.status = is_before_run(error) ? LINK_REFUSED : LINK_UNKNOWN;
        else if (r && redis_reply_type(r) == REDIS_LIST && i < redis_reply_n(r))
            read_answer(redis_reply_at(r, i), &b->w[i], &res);
        note(b->l, &res);
        if (waits && !holds && (res.status == LINK_DONE || res.status == LINK_SEEN))
            res.status = LINK_UNKNOWN; /* the question to the replicas could not be sent */
        if (holds)
            hold(b, i, &res);
        else
            b->w[i].cb(b->w[i].ctx, &res);
    }
    if (!holds)
        batch_end(b);
}

void link_flush(struct link *l)
{
    struct link_batch *b = l->batch;
    int rc;

    if (!b)
        return;
    l->batch = NULL;
    put_number(b, 2, b->n);
    FAIL_POINT("commit.before");
    rc = l->is_up ? link_eval_sha(l, SCRIPT_COMMIT, &b->keys, &b->args, on_answer, b) : ERR_GONE;
    if (rc < 0) {
        /* Nothing was sent: certainly not done. */
        for (unsigned i = 0; i < b->n; i++)
            b->w[i].cb(b->w[i].ctx, &(struct link_result){.status = LINK_REFUSED, .why = str_of(err_text(rc))});
        batch_end(b);
        return;
    }
    wait_for_replicas(b);
}

void link_commit_words(struct link *l, const struct link_commit *c, struct link_words *out)
{
    struct link_batch *b = batch_begin(l);

    add_commit(b, c);
    put_number(b, 2, 1);
    link_words_add_i64(out, b->keys.n);
    for (unsigned i = 0; i < b->keys.n; i++)
        link_words_add(out, (struct str){b->keys.bytes.p + b->keys.at[i], b->keys.at[i + 1] - b->keys.at[i]});
    for (unsigned i = 0; i < b->args.n; i++)
        link_words_add(out, (struct str){b->args.bytes.p + b->args.at[i], b->args.at[i + 1] - b->args.at[i]});
    link_batch_free(b);
}

void link_commit_answer(const struct redis_reply *r, const struct link_commit *c, struct link_result *out)
{
    struct waiting w = {.has_digest = c->digest != NULL};

    if (c->digest)
        memcpy(w.digest, c->digest, sizeof w.digest);
    memset(out, 0, sizeof *out);
    read_answer(r, &w, out);
}

struct find {
    struct link *l;
    struct waiting w;
    struct link_result res; /* with redis.replicas: SEEN waits here until enough replicas have it; extra is ours */
};

static void find_over(struct find *f, const struct link_result *r)
{
    f->w.cb(f->w.ctx, r);
    free((char *)(uintptr_t)f->res.extra.s);
    free(f);
}

/* The first answer may have been UNKNOWN because the replicas lacked it: the second is worth no less (PROMISES 1). */
static void on_found_on_replicas(void *ctx, const struct redis_reply *r)
{
    struct find *f = ctx;

    if (!has_enough(f->l, r))
        f->res.status = LINK_UNKNOWN;
    find_over(f, &f->res);
}

static void on_found(void *ctx, const struct redis_reply *r)
{
    struct find *f = ctx;
    struct link_result res = {.status = LINK_UNKNOWN};

    if (r && redis_reply_type(r) == REDIS_STR) {
        res.status = LINK_SEEN;
        read_seen(redis_reply_str(r), &f->w, &res);
        if (f->l->cfg->redis.replicas > 0) {
            f->res = res;
            f->res.extra.s = keep_str(res.extra);
            if (ask_replicas(f->l, on_found_on_replicas, f) == 0)
                return;
            res.status = LINK_UNKNOWN;
        }
    }
    find_over(f, r && redis_reply_type(r) == REDIS_NIL ? NULL : &res);
}

int link_find_id(struct link *l, struct str log, struct str person, struct str id, bool in_person, const unsigned char *digest,
                 void (*cb)(void *ctx, const struct link_result *r), void *ctx)
{
    struct find *f = mem_zalloc(sizeof *f);
    struct link_words w;
    int rc;

    f->l = l;
    f->w.cb = cb;
    f->w.ctx = ctx;
    if (digest) {
        f->w.has_digest = true;
        memcpy(f->w.digest, digest, sizeof f->w.digest);
    }
    link_words_init(&w, 4096);
    link_words_add(&w, STR("HGET"));
    link_words_add_log(&w, l, in_person ? 'i' : 'h', in_person ? person : log);
    id_field(&w, person, id);
    rc = l->is_up ? link_send(l, &w, on_found, f) : ERR_GONE;
    link_words_fini(&w);
    if (rc < 0)
        free(f);
    return rc;
}

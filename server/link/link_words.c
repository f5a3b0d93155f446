#include "config/config.h"
#include "link/link_room.h"
#include "log/log.h"

#include <stdlib.h>

/* Names of the keys below the site's prefix; ':' at the end: the name follows. */
static const char *const key_names[LINK_KEY_N] = {"q:", "t", "r:", "w:", "p:", "s:", "logins", "people", "todo", "articles", "alerts", "ended"};

static const char *const script_names[SCRIPT_N] = {"lua/commit.lua", "lua/presence.lua", "lua/snapshot.lua", "lua/free.lua",
                                                   "lua/read.lua",   "lua/look.lua",     "lua/clock.lua",    "lua/epoch.lua",
                                                   "lua/overdue.lua", "lua/extent.lua"};

const char *link_script_name(enum link_script s)
{
    return script_names[s];
}

void link_words_init(struct link_words *w, size_t max)
{
    memset(w, 0, sizeof *w);
    buf_init(&w->bytes, max);
}

void link_words_fini(struct link_words *w)
{
    buf_fini(&w->bytes);
    free(w->at);
    w->at = NULL;
    w->n = w->cap = 0;
}

void link_words_reset(struct link_words *w)
{
    buf_reset(&w->bytes);
    w->n = 0;
}

static void begin_word(struct link_words *w)
{
    if (w->n + 1 >= w->cap) {
        w->cap = w->cap ? w->cap * 2 : 64;
        w->at = mem_realloc(w->at, w->cap * sizeof *w->at);
    }
    w->at[w->n++] = (uint32_t)w->bytes.n;
    w->at[w->n] = (uint32_t)w->bytes.n;
}

static void end_word(struct link_words *w)
{
    w->at[w->n] = (uint32_t)w->bytes.n;
}

void link_words_add(struct link_words *w, struct str s)
{
    begin_word(w);
    buf_add_str(&w->bytes, s);
    end_word(w);
}

void link_words_add_parts(struct link_words *w, const struct str *parts, unsigned n)
{
    begin_word(w);
    for (unsigned i = 0; i < n; i++)
        buf_add_str(&w->bytes, parts[i]);
    end_word(w);
}

void link_words_add_i64(struct link_words *w, int64_t v)
{
    begin_word(w);
    buf_add_i64(&w->bytes, v);
    end_word(w);
}

void link_words_add_key(struct link_words *w, const struct link *l, enum link_key key, struct str name)
{
    begin_word(w);
    buf_add_s(&w->bytes, l->prefix);
    buf_add_s(&w->bytes, key_names[key]);
    buf_add_str(&w->bytes, name);
    end_word(w);
}

void link_words_add_log(struct link_words *w, const struct link *l, char which, struct str log)
{
    char part[2] = {which, ':'};

    begin_word(w);
    buf_add_s(&w->bytes, l->prefix);
    buf_add(&w->bytes, part, 2);
    buf_add_str(&w->bytes, log);
    end_word(w);
}

void link_words_add_plain(struct link_words *w, const struct link *l, const char *key)
{
    begin_word(w);
    buf_add_s(&w->bytes, l->prefix);
    buf_add_s(&w->bytes, key);
    end_word(w);
}

static void room_for(struct link *l, unsigned n)
{
    if (n <= l->argv_cap)
        return;
    l->argv_cap = n * 2;
    l->argv = mem_realloc(l->argv, l->argv_cap * sizeof *l->argv);
    l->argv_n = mem_realloc(l->argv_n, l->argv_cap * sizeof *l->argv_n);
}

static unsigned put(struct link *l, unsigned at, const struct link_words *w)
{
    for (unsigned i = 0; i < w->n; i++, at++) {
        l->argv[at] = w->bytes.p ? w->bytes.p + w->at[i] : "";
        l->argv_n[at] = w->at[i + 1] - w->at[i];
    }
    return at;
}

static int eval(struct link *l, const char *verb, const char *script, const struct link_words *keys,
                const struct link_words *args, void (*cb)(void *, const struct redis_reply *), void *ctx)
{
    struct buf count;
    unsigned n;
    int rc;

    if (!buf_ok(&keys->bytes) || !buf_ok(&args->bytes))
        return ERR_TOO_LARGE;
    room_for(l, 3 + keys->n + args->n);
    buf_init(&count, 16);
    buf_add_i64(&count, keys->n);
    l->argv[0] = verb;
    l->argv_n[0] = strlen(verb);
    l->argv[1] = script;
    l->argv_n[1] = strlen(script);
    l->argv[2] = count.p;
    l->argv_n[2] = count.n;
    n = put(l, 3, keys);
    n = put(l, n, args);
    rc = redis_call(l->cmd, (int)n, l->argv, l->argv_n, l->cfg->redis.command_ms, cb, ctx);
    buf_fini(&count);
    return rc;
}

int link_eval_sha(struct link *l, enum link_script script, const struct link_words *keys, const struct link_words *args,
                  void (*cb)(void *ctx, const struct redis_reply *r), void *ctx)
{
    return eval(l, "EVALSHA", l->sha[script], keys, args, cb, ctx);
}

int link_eval_text(struct link *l, enum link_script script, const struct link_words *keys, const struct link_words *args,
                   void (*cb)(void *ctx, const struct redis_reply *r), void *ctx)
{
    return eval(l, "EVAL", l->text[script], keys, args, cb, ctx);
}

bool link_is_forgotten(enum link_script script, const struct redis_reply *r)
{
    struct str error = r && redis_reply_type(r) == REDIS_ERR ? redis_reply_str(r) : STR_NONE;

    if (error.n <= 8 || memcmp(error.s, "NOSCRIPT", 8) != 0)
        return false;
    log_warn("link", "redis forgot a script, it is sent anew script=%s", link_script_name(script));
    return true;
}

/* A script's call on its way, with what it takes to send it again. */
struct asked {
    struct link *l;
    enum link_script script;
    struct link_words keys, args;
    void (*cb)(void *ctx, const struct redis_reply *r);
    void *ctx;
};

static void on_asked(void *ctx, const struct redis_reply *r)
{
    struct asked *q = ctx;

    if (!link_is_forgotten(q->script, r) || link_eval_text(q->l, q->script, &q->keys, &q->args, q->cb, q->ctx) < 0)
        q->cb(q->ctx, r);
    link_words_fini(&q->keys);
    link_words_fini(&q->args);
    free(q);
}

int link_eval(struct link *l, enum link_script script, struct link_words *keys, struct link_words *args,
              void (*cb)(void *ctx, const struct redis_reply *r), void *ctx)
{
    struct asked *q = mem_alloc(sizeof *q);
    int rc;

    *q = (struct asked){l, script, *keys, *args, cb, ctx};
    rc = l->is_up ? link_eval_sha(l, script, &q->keys, &q->args, on_asked, q) : ERR_GONE;
    if (rc < 0) {
        link_words_fini(&q->keys);
        link_words_fini(&q->args);
        free(q);
    }
    return rc;
}

int link_send(struct link *l, const struct link_words *words, void (*cb)(void *ctx, const struct redis_reply *r), void *ctx)
{
    if (!buf_ok(&words->bytes))
        return ERR_TOO_LARGE;
    room_for(l, words->n);
    put(l, 0, words);
    return redis_call(l->cmd, (int)words->n, l->argv, l->argv_n, l->cfg->redis.command_ms, cb, ctx);
}

#include "config/config.h"
#include "link/link_room.h"

#include <stdio.h>
#include <stdlib.h>

bool link_stored_read(struct str raw, struct link_stored *out)
{
    const char *nl = raw.n ? memchr(raw.s, '\n', raw.n < 256 ? raw.n : 256) : NULL;
    const char *p = raw.s, *end = nl;
    struct str word[5];

    if (!nl)
        return false;
    for (int i = 0; i < 5; i++) {
        const char *sp = memchr(p, ' ', (size_t)(end - p));

        if (!sp)
            sp = end;
        word[i] = (struct str){p, (size_t)(sp - p)};
        p = sp < end ? sp + 1 : end;
    }
    out->shown = str_is(word[0], "1");
    out->prev = strtoll(word[1].s, NULL, 10);
    out->before = word[4].n ? strtoll(word[4].s, NULL, 10) : -1;
    out->person = str_is(word[2], "-") ? STR_NONE : word[2];
    out->ref = str_is(word[3], "-") ? STR_NONE : word[3];
    out->frame = (struct str){nl + 1, raw.n - (size_t)(nl + 1 - raw.s)};
    return out->frame.n > 1;
}

int link_read(struct link *l, struct str log, int64_t from, int64_t n, void (*cb)(void *ctx, const struct redis_reply *list), void *ctx)
{
    struct link_words w;
    int rc;

    if (!l->is_up)
        return ERR_GONE;
    link_words_init(&w, 4096);
    link_words_add(&w, STR("LRANGE"));
    link_words_add_log(&w, l, 'l', log);
    link_words_add_i64(&w, from);
    link_words_add_i64(&w, n < 0 ? -1 : from + n - 1);
    rc = link_send(l, &w, cb, ctx);
    link_words_fini(&w);
    return rc;
}

int link_read_after(struct link *l, struct str log, int64_t seq, int64_t n, void (*cb)(void *ctx, const struct redis_reply *list), void *ctx)
{
    struct link_words keys, args;

    if (!l->is_up)
        return ERR_GONE;
    link_words_init(&keys, 4096);
    link_words_init(&args, 256);
    link_words_add_log(&keys, l, 'h', log);
    link_words_add_log(&keys, l, 'l', log);
    link_words_add_i64(&args, seq);
    link_words_add_i64(&args, n);
    return link_eval(l, SCRIPT_READ, &keys, &args, cb, ctx);
}

static void on_ignored(void *ctx, const struct redis_reply *r)
{
    (void)ctx, (void)r;
}

int link_presence(struct link *l, const char *node, bool join, struct str person, const char *const *members, const int64_t *ms, unsigned n,
                  void (*cb)(void *ctx, const struct redis_reply *r), void *ctx)
{
    struct link_words keys, args;
    char set[96];

    if (!l->is_up)
        return ERR_GONE;
    link_words_init(&keys, 4096);
    link_words_init(&args, 65536);
    link_words_add_key(&keys, l, LINK_PRESENCE, person);
    link_words_add_key(&keys, l, LINK_TIMERS, STR(""));
    link_words_add(&keys, str_of(l->channel));
    snprintf(set, sizeof set, "np:%s", node ? node : l->node);
    link_words_add_plain(&keys, l, set);
    link_words_add_plain(&keys, l, "clock");
    if (person.n && person.s[0] == 'r')
        link_words_add_plain(&keys, l, LINK_STAFF);
    link_words_add(&args, join ? STR("join") : STR("leave"));
    link_words_add(&args, str_of(node ? node : l->node));
    link_words_add(&args, person);
    link_add_bounds(&args, l);
    link_words_add_i64(&args, l->clock_hr ? link_now_ms(l) : 0);
    for (unsigned i = 0; i < n; i++) {
        link_words_add(&args, str_of(members[i]));
        link_words_add_i64(&args, ms[i]);
    }
    return link_eval(l, SCRIPT_PRESENCE, &keys, &args, cb ? cb : on_ignored, ctx);
}

int link_snapshot(struct link *l, struct str department, unsigned chats, int64_t since, const char *const *reps, unsigned n,
                  void (*cb)(void *ctx, const struct redis_reply *r), void *ctx)
{
    struct link_words keys, args;

    if (!l->is_up)
        return ERR_GONE;
    link_words_init(&keys, 1 << 20);
    link_words_init(&args, 64);
    link_words_add_key(&keys, l, LINK_QUEUE, department);
    link_words_add_plain(&keys, l, LINK_STAFF);
    for (unsigned i = 0; i < n; i++) {
        link_words_add_key(&keys, l, LINK_REP, str_of(reps[i]));
        link_words_add_key(&keys, l, LINK_HOLDS, str_of(reps[i]));
        link_words_add_key(&keys, l, LINK_PRESENCE, str_of(reps[i]));
    }
    link_words_add_i64(&args, chats);
    if (since < 0)
        link_words_add(&args, STR(""));
    else
        link_words_add_i64(&args, since);
    return link_eval(l, SCRIPT_SNAPSHOT, &keys, &args, cb, ctx);
}

int link_alive(struct link *l, int64_t silent_ms, const char *const *endings, const int64_t *spans_ms, unsigned n,
               void (*cb)(void *ctx, const struct redis_reply *r), void *ctx)
{
    struct link_words keys, args;

    if (!l->is_up)
        return ERR_GONE;
    link_words_init(&keys, 1024);
    link_words_init(&args, 1024);
    link_words_add_plain(&keys, l, "alive");
    link_words_add_key(&keys, l, LINK_TIMERS, STR(""));
    link_words_add_plain(&keys, l, "clock");
    link_words_add_i64(&args, silent_ms);
    link_add_bounds(&args, l);
    for (unsigned i = 0; i < n; i++) {
        link_words_add(&args, str_of(endings[i]));
        link_words_add_i64(&args, spans_ms[i]);
    }
    return link_eval(l, SCRIPT_OVERDUE, &keys, &args, cb, ctx);
}

static int call_key(struct link *l, struct link_words *w, int argc, const char *const *argv, const size_t *argv_n,
                    void (*cb)(void *ctx, const struct redis_reply *r), void *ctx)
{
    int rc;

    for (int i = 1; i < argc; i++)
        link_words_add(w, (struct str){argv[i], argv_n ? argv_n[i] : strlen(argv[i])});
    rc = l->is_up ? link_send(l, w, cb ? cb : on_ignored, ctx) : ERR_GONE;
    link_words_fini(w);
    return rc;
}

int link_call(struct link *l, enum link_key key, struct str name, int argc, const char *const *argv, const size_t *argv_n,
              void (*cb)(void *ctx, const struct redis_reply *r), void *ctx)
{
    struct link_words w;

    link_words_init(&w, 1 << 20);
    link_words_add(&w, str_of(argv[0]));
    link_words_add_key(&w, l, key, name);
    return call_key(l, &w, argc, argv, argv_n, cb, ctx);
}

int link_call_plain(struct link *l, const char *key, int argc, const char *const *argv, const size_t *argv_n,
                    void (*cb)(void *ctx, const struct redis_reply *r), void *ctx)
{
    struct link_words w;

    link_words_init(&w, 1 << 20);
    link_words_add(&w, str_of(argv[0]));
    link_words_add_plain(&w, l, key);
    return call_key(l, &w, argc, argv, argv_n, cb, ctx);
}

struct extent_ask {
    void (*cb)(void *ctx, const struct link_extent *e);
    void *ctx;
};

static int64_t seq_of(struct str raw)
{
    struct link_stored st;
    const char *p;

    if (!link_stored_read(raw, &st))
        return 0;
    p = memmem(st.frame.s, st.frame.n < 200 ? st.frame.n : 200, "\"seq\":", 6);
    return p ? strtoll(p + 6, NULL, 10) : 0;
}

static void on_extent(void *ctx, const struct redis_reply *r)
{
    struct extent_ask *q = ctx;
    struct link_extent e = {0};

    if (r && redis_reply_type(r) == REDIS_LIST && redis_reply_n(r) == 3) {
        e.length = redis_reply_int(redis_reply_at(r, 0));
        e.fence = redis_reply_int(redis_reply_at(r, 1));
        e.head = seq_of(redis_reply_str(redis_reply_at(r, 2)));
        q->cb(q->ctx, &e);
    } else {
        q->cb(q->ctx, NULL);
    }
    free(q);
}

int link_extent(struct link *l, struct str log, void (*cb)(void *ctx, const struct link_extent *e), void *ctx)
{
    struct extent_ask *q;
    struct link_words keys, args;
    int rc;

    if (!l->is_up)
        return ERR_GONE;
    q = mem_zalloc(sizeof *q);
    *q = (struct extent_ask){cb, ctx};
    link_words_init(&keys, 1024);
    link_words_init(&args, 16);
    link_words_add_log(&keys, l, 'h', log);
    link_words_add_log(&keys, l, 'l', log);
    rc = link_eval(l, SCRIPT_EXTENT, &keys, &args, on_extent, q);
    if (rc < 0)
        free(q);
    return rc;
}

struct freeing {
    void (*cb)(void *ctx, int rc);
    void *ctx;
};

static void on_freed(void *ctx, const struct redis_reply *r)
{
    struct freeing *f = ctx;

    f->cb(f->ctx, r && redis_reply_type(r) == REDIS_INT ? (int)redis_reply_int(r) : -1);
    free(f);
}

int link_free(struct link *l, struct str log, int64_t length, int64_t fence, void (*cb)(void *ctx, int rc), void *ctx)
{
    struct freeing *f = mem_zalloc(sizeof *f);
    struct link_words keys, args;
    int rc;

    f->cb = cb;
    f->ctx = ctx;
    link_words_init(&keys, 4096);
    link_words_init(&args, 4096);
    link_words_add_log(&keys, l, 'h', log);
    link_words_add_log(&keys, l, 'l', log);
    link_words_add_plain(&keys, l, "changed");
    link_words_add_key(&keys, l, LINK_ENDED, STR(""));
    link_words_add_plain(&keys, l, "epoch");
    link_words_add(&args, log);
    link_words_add_i64(&args, length);
    link_words_add_i64(&args, fence);
    link_words_add(&args, str_of(l->epoch));
    rc = link_eval(l, SCRIPT_FREE, &keys, &args, on_freed, f);
    if (rc < 0)
        free(f);
    return rc;
}

#include "link/link_sync.h"

#include "base/base_embed.h"
#include "config/config.h"
#include "link/link_redis_url.h"
#include "link/link_room.h"

#include <stdio.h>
#include <stdlib.h>

struct link_sync {
    struct link l; /* prefix, channel, node, epoch: what making words needs */
    struct redis_sync *redis;
    const struct redis_reply *last;
};

static const struct redis_reply *send_words(struct link_sync *s, const struct link_words *w, struct err *err)
{
    const char *argv[512];
    size_t n[512];

    if (w->n > 512 || !buf_ok(&w->bytes)) {
        err_set(err, ERR_TOO_LARGE, "too much for one command");
        return NULL;
    }
    for (unsigned i = 0; i < w->n; i++) {
        argv[i] = w->bytes.p + w->at[i];
        n[i] = w->at[i + 1] - w->at[i];
    }
    return redis_sync_call(s->redis, (int)w->n, argv, n, err);
}

const struct redis_reply *link_sync_call(struct link_sync *s, const char *key, int argc, const char *const *argv, struct err *err)
{
    struct link_words w;
    const struct redis_reply *r;

    link_words_init(&w, 1 << 20);
    link_words_add(&w, str_of(argv[0]));
    link_words_add_plain(&w, &s->l, key);
    for (int i = 1; i < argc; i++)
        link_words_add(&w, str_of(argv[i]));
    r = send_words(s, &w, err);
    link_words_fini(&w);
    if (r && redis_reply_type(r) == REDIS_ERR) {
        err_set(err, ERR_IO, "redis: %.*s", STR_FMT(redis_reply_str(r)));
        redis_sync_free(r);
        r = NULL;
    }
    return r;
}

/* Of the server that is asked. */
static int read_run(struct link_sync *s, char *out, size_t size, struct err *err)
{
    static const char key[] = "run_id:";
    const char *info[] = {"INFO", "server"}, *at;
    const struct redis_reply *r = redis_sync_call(s->redis, 2, info, NULL, err);
    struct str text = r ? redis_reply_str(r) : STR_NONE;
    int rc = r ? 0 : err->code;

    at = text.n ? memmem(text.s, text.n, key, sizeof key - 1) : NULL;
    if (at)
        snprintf(out, size, "%.*s", (int)strcspn(at + sizeof key - 1, "\r\n"), at + sizeof key - 1);
    else if (rc == 0)
        rc = err_set(err, ERR_IO, "redis: no answer to INFO");
    redis_sync_free(r);
    return rc;
}

/* As a node does it (epoch.lua): under Sentinel another server is another life, before anything is written there. */
static int read_epoch(struct link_sync *s, bool is_sentinel, struct err *err)
{
    const struct embed *script = embed_find("lua/epoch.lua");
    const struct redis_reply *r;
    struct link_words w;
    char fresh[ID_SIZE], run[48] = "";
    int rc = !script ? err_set(err, ERR_NOT_FOUND, "lua/epoch.lua is not built in") : is_sentinel ? read_run(s, run, sizeof run, err) : 0;

    if (rc < 0)
        return rc;
    id_make(fresh, 'e');
    link_words_init(&w, 1 << 16);
    link_words_add(&w, STR("EVAL"));
    link_words_add(&w, script->data);
    link_words_add_i64(&w, 3);
    link_words_add_plain(&w, &s->l, "epoch");
    link_words_add_plain(&w, &s->l, "n");
    link_words_add_plain(&w, &s->l, "run");
    link_words_add(&w, STR(""));
    link_words_add_i64(&w, 0);
    link_words_add(&w, str_of(run));
    link_words_add(&w, str_of(fresh));
    r = send_words(s, &w, err);
    link_words_fini(&w);
    if (!r)
        return err->code;
    if (redis_reply_n(r) == 3)
        snprintf(s->l.epoch, sizeof s->l.epoch, "%.*s", STR_FMT(redis_reply_str(redis_reply_at(r, 0))));
    else
        rc = err_set(err, ERR_IO, "redis: %.*s", STR_FMT(redis_reply_str(r)));
    redis_sync_free(r);
    return rc;
}

int link_sync_open(const struct config *cfg, const char *url, const char *site, struct link_sync **out, struct err *err)
{
    struct link_sync *s = mem_zalloc(sizeof *s);
    int rc;

    s->l.cfg = cfg;
    snprintf(s->l.prefix, sizeof s->l.prefix, "fl:{%s}:", site);
    snprintf(s->l.channel, sizeof s->l.channel, "%sbus", s->l.prefix);
    snprintf(s->l.node, sizeof s->l.node, "cli");
    rc = redis_sync_open(url, cfg->redis.command_ms, &s->redis, err);
    if (rc == 0)
        rc = read_epoch(s, redis_url_is_sentinel(url), err);
    if (rc < 0) {
        link_sync_close(s);
        return rc;
    }
    *out = s;
    return 0;
}

void link_sync_close(struct link_sync *s)
{
    if (!s)
        return;
    redis_sync_free(s->last);
    redis_sync_close(s->redis);
    free(s);
}

int link_sync_commit(struct link_sync *s, const struct link_commit *c, struct link_result *out, struct err *err)
{
    struct link_words w;
    const struct embed *script = embed_find("lua/commit.lua");
    int rc = script ? 0 : err_set(err, ERR_NOT_FOUND, "lua/commit.lua is not built in");

    if (rc < 0)
        return rc;
    link_words_init(&w, 1 << 20);
    link_words_add(&w, STR("EVAL"));
    link_words_add(&w, script->data);
    link_commit_words(&s->l, c, &w);
    redis_sync_free(s->last);
    s->last = send_words(s, &w, err);
    link_words_fini(&w);
    if (!s->last)
        return err->code;
    if (redis_reply_type(s->last) != REDIS_LIST || redis_reply_n(s->last) != 1)
        return err_set(err, ERR_IO, "redis: %.*s", STR_FMT(redis_reply_str(s->last)));
    link_commit_answer(redis_reply_at(s->last, 0), c, out);
    return 0;
}

const struct redis_reply *link_sync_read(struct link_sync *s, struct str log, struct err *err)
{
    const char *argv[] = {"LRANGE", "0", "-1"};
    char key[96];

    snprintf(key, sizeof key, "l:%.*s", STR_FMT(log));
    return link_sync_call(s, key, 3, argv, err);
}

void link_sync_signal(struct link_sync *s, const char *payload)
{
    struct link_words w;
    struct buf b;
    struct err err = {0};

    buf_init(&b, 4096);
    buf_printf(&b, "S cli %s", payload);
    link_words_init(&w, 8192);
    link_words_add(&w, STR("PUBLISH"));
    link_words_add(&w, str_of(s->l.channel));
    link_words_add(&w, buf_str(&b));
    redis_sync_free(send_words(s, &w, &err));
    link_words_fini(&w);
    buf_fini(&b);
}

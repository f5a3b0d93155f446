/*
 * link_room: what the files of this room share. Inside the room only.
 */
#ifndef LINK_ROOM_H
#define LINK_ROOM_H

#include "link/link.h"

#include <uv.h>

enum link_script { SCRIPT_COMMIT, SCRIPT_PRESENCE, SCRIPT_SNAPSHOT, SCRIPT_FREE, SCRIPT_N };

/* Words of one command: bytes in one buffer, offsets beside. */
struct link_words {
    struct buf bytes;
    uint32_t *at; /* where word i begins; its end is where the next begins */
    unsigned n, cap;
};

struct link_batch;

struct link {
    uv_loop_t *loop;
    const struct config *cfg;
    struct link_port port;
    struct redis *cmd, *bus;
    char prefix[80];    /* "fl:{site}:" */
    char channel[96];
    char node[64];
    char epoch[40];
    char why[300];      /* why it isn't up, or what weakness is borne */
    char sha[SCRIPT_N][48];
    const char *text[SCRIPT_N];
    bool is_up, closing;
    unsigned setup_left; /* answers of the set-up still awaited */
    bool setup_failed;
    int64_t clock_ms;      /* Redis's clock when clock_hr was read */
    uint64_t clock_hr;     /* uv_hrtime() */
    uv_timer_t clock_timer;
    struct link_batch *batch; /* what this turn gathered; NULL: nothing */
    struct link_batch *spare;
    const char **argv;        /* scratch for one call */
    size_t *argv_n;
    unsigned argv_cap;
    unsigned closing_left;
    void (*closed)(void *ctx);
    void *closed_ctx;
};

void link_words_init(struct link_words *w, size_t max);
void link_words_fini(struct link_words *w);
void link_words_reset(struct link_words *w);
void link_words_add(struct link_words *w, struct str s);
void link_words_add_i64(struct link_words *w, int64_t v);
/* A key of the site: kind and name, or below the prefix as it stands. */
void link_words_add_key(struct link_words *w, const struct link *l, enum link_key key, struct str name);
void link_words_add_log(struct link_words *w, const struct link *l, char which, struct str log); /* 'l', 'h' or 'i' */
void link_words_add_plain(struct link_words *w, const struct link *l, const char *key);

/* EVALSHA with these keys and arguments. */
int link_eval(struct link *l, enum link_script script, const struct link_words *keys, const struct link_words *args,
              void (*cb)(void *ctx, const struct redis_reply *r), void *ctx);
/* EVAL with the script's whole text, where Redis has forgotten it. */
int link_eval_text(struct link *l, enum link_script script, const struct link_words *keys, const struct link_words *args,
                   void (*cb)(void *ctx, const struct redis_reply *r), void *ctx);
/* Any command from words. */
int link_send(struct link *l, const struct link_words *words, void (*cb)(void *ctx, const struct redis_reply *r), void *ctx);

void link_batch_free(struct link_batch *b);
/* Keys and arguments of one commit, behind the number of keys. */
void link_commit_words(struct link *l, const struct link_commit *c, struct link_words *out);
/* Reads one commit's answer; strings are the reply's. */
void link_commit_answer(const struct redis_reply *r, const struct link_commit *c, struct link_result *out);

#endif

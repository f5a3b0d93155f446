/*
 * link_room: what the files of this room share. Inside the room only.
 */
#ifndef LINK_ROOM_H
#define LINK_ROOM_H

#include "link/link.h"

#include <uv.h>

enum link_script { SCRIPT_COMMIT, SCRIPT_PRESENCE, SCRIPT_SNAPSHOT, SCRIPT_FREE, SCRIPT_READ, SCRIPT_LOOK, SCRIPT_CLOCK, SCRIPT_EPOCH, SCRIPT_OVERDUE, SCRIPT_EXTENT, SCRIPT_N };

#define LINK_MEMORY_BEATS   2
#define LINK_SETTINGS_BEATS 5 /* how often the settings are looked at while it is up */

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
    char seen_epoch[40]; /* with seen_n: the highest commit counter that was acknowledged, and in which epoch */
    int64_t seen_n;
    bool was_lost; /* the last set-up found less than that */
    enum link_fault fault;
    char why[300];      /* why it isn't up */
    struct sentinel *sentinel; /* NULL: the address is fixed */
    char run_id[48];
    int format;         /* the highest that this version can fold */
    int site_format;    /* what the site is written in */
    char sha[SCRIPT_N][48];
    const char *text[SCRIPT_N];
    bool is_up, closing;
    bool listens; /* to the bus, as far as it knows */
    unsigned setup_left; /* answers of the set-up still awaited */
    bool is_setting_up, setup_failed, has_epoch;
    enum link_fault setup_fault;
    char setup_why[300];
    int64_t clock_ms;      /* the site's time at clock_hr */
    uint64_t clock_hr;     /* ns of the clock that nobody sets; 0: not known yet */
    int64_t clock_off_ms;  /* what Redis's clock is ahead of that by now, within what isn't corrected */
    uint64_t looked_hr;    /* when the last look was sent */
    uint64_t corrected_hr; /* when this node corrected the site's time last; 0: never */
    int64_t made_ms;       /* the offset as it stood then */
    bool clock_is_off, is_correcting, is_looking;
    uint64_t beats;
    unsigned memory_permille;
    int64_t memory_bytes;
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

/* Not usable, and why; says so once. */
void link_go_down(struct link *l, enum link_fault fault, const char *why);
/* Another life of the data has begun: sets up anew. */
void link_epoch_is_over(struct link *l, struct str now);
/* This server takes no writes any more: under Sentinel the next one is asked for. */
void link_primary_is_lost(struct link *l);
const char *link_script_name(enum link_script s);
/* Key of whom something changed of that matching looks at (snapshot.lua). */
#define LINK_STAFF "staff"

/* link_setup.c */
void link_setup_begin(struct link *l);
void link_setup_beat(struct link *l);

/* The format that the data says it has; false: it is beyond this version, and that is said. */
bool link_take_format(struct link *l, int64_t format);

/* link_clock.c */
/* Asks for Redis's time, the offset and the epoch; cb NULL: the beat's own. */
int link_look(struct link *l, void (*cb)(void *ctx, const struct redis_reply *r));
void link_clock_look(struct link *l, const struct redis_reply *r);
/* Between which times a commit that is sent now may happen. */
void link_clock_bounds(const struct link *l, int64_t *from, int64_t *till);
/* The same as two words for a script, "" any time (link_commit.c). */
void link_add_bounds(struct link_words *w, const struct link *l);

void link_words_init(struct link_words *w, size_t max);
void link_words_fini(struct link_words *w);
void link_words_reset(struct link_words *w);
void link_words_add(struct link_words *w, struct str s);
/* One word of several parts. */
void link_words_add_parts(struct link_words *w, const struct str *parts, unsigned n);
void link_words_add_i64(struct link_words *w, int64_t v);
/* A key of the site: kind and name, or below the prefix as it stands. */
void link_words_add_key(struct link_words *w, const struct link *l, enum link_key key, struct str name);
void link_words_add_log(struct link_words *w, const struct link *l, char which, struct str log); /* 'l', 'h' or 'i' */
void link_words_add_plain(struct link_words *w, const struct link *l, const char *key);

/*
 * Runs a script. Where Redis has forgotten it (SCRIPT FLUSH) the call is sent again with the script's text, behind what was sent meanwhile.
 * Takes what keys and args hold, whatever it returns. ERR_GONE: not usable now; < 0: nothing was sent, cb isn't called.
 */
int link_eval(struct link *l, enum link_script script, struct link_words *keys, struct link_words *args,
              void (*cb)(void *ctx, const struct redis_reply *r), void *ctx);
/* Its two halves, for a caller who keeps keys and arguments: by the digest alone, and with the whole text, which Redis then keeps. */
int link_eval_sha(struct link *l, enum link_script script, const struct link_words *keys, const struct link_words *args,
                  void (*cb)(void *ctx, const struct redis_reply *r), void *ctx);
/* True, and says so in the log, if the answer is that Redis doesn't know the script: nothing was run. */
bool link_is_forgotten(enum link_script script, const struct redis_reply *r);
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

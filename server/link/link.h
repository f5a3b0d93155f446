/*
 * link: logs, index, presence and bus of one site in Redis.
 *
 * A commit compares and writes in one step (schema/lua/commit.lua); commits of a loop turn go out in one call when
 * link_flush() is called. Keys are made here and nowhere else: `fl:{site}:…`.
 *
 *   l:LOG list of stored entries   h:LOG head (f fence, p shown, a last at, e epoch, b and j jumps, i:person:ref answers)
 *   i:PERSON answers without a chat   changed, ended, n, epoch, run, clock, format   q:DEPARTMENT queue   t timers   r:REP shift, capacity, idle   w:REP holds   p:PERSON presence   s:SHOPPER open chat …
 *
 * Thread  loop.   Errors  LINK_UNKNOWN: done or not, nobody knows (PROMISES 2.2); everything else is certain.
 * Source  DESIGN 1, PROMISES 2.
 */
#ifndef LINK_H
#define LINK_H

#include "base/base_crypto.h"
#include "link/link_redis.h"

/* The format of what this version writes: entries and index (PROMISES 2.15). Raised with a kind of entry that older ones can't fold. */
#define LINK_FORMAT 2

struct config;
struct link;

struct link_port {
    void *ctx;
    void (*on_up)(void *ctx);                    /* usable: settings read, scripts known, epoch known */
    void (*on_down)(void *ctx, const char *why); /* not usable; why is a sentence */
    /* another node's commit touched these logs (a hint) */
    void (*on_log)(void *ctx, struct str log);
    /* a person's presence changed on another node; nodes: on how many they are now */
    void (*on_presence)(void *ctx, struct str person, int nodes);
    /* a signal from another node: any payload given to link_signal() */
    void (*on_signal)(void *ctx, struct str payload);
    /* other nodes are heard again: what they said meanwhile was missed */
    void (*on_heard)(void *ctx);
};

int link_open(struct uv_loop_s *loop, const struct config *cfg, const char *url, const char *site, const char *node,
              const struct link_port *port, struct link **out, struct err *err);
void link_close(struct link *l, void (*done)(void *ctx), void *ctx);
bool link_is_up(const struct link *l);
/*
 * What keeps it from being up. WEAK: its settings promise less than is configured. OLD: its version doesn't know our scripts. NEWER: its
 * data is of a later format.
 */
enum link_fault { LINK_FINE, LINK_AWAY, LINK_WEAK, LINK_OLD, LINK_NEWER };
enum link_fault link_fault(const struct link *l);
/* Why it isn't up, or "". */
const char *link_why(const struct link *l);
/* This life of the data (PROMISES 2.9); may be another at each on_up. */
const char *link_epoch(const struct link *l);
/* Somebody (the archive) has seen the commit counter at n in this epoch: data that stands below is another life. Before on_up. */
void link_note_seen(struct link *l, const char *epoch, int64_t n);
/* When it came up the data was gone, or in an earlier state than this node or the archive had seen. */
bool link_was_lost(const struct link *l);
const char *link_node(const struct link *l);
/* Commands under way. */
unsigned link_pending(const struct link *l);
/* The site's time in ms: Redis's clock with its correction, carried on by the monotonic clock of this node (PROMISES 2.11). */
int64_t link_now_ms(const struct link *l);
/* False while Redis's clock and ours are apart and that isn't corrected yet: nothing may be judged due. */
bool link_clock_is_sure(const struct link *l);
/* How long ago this node corrected the site's time; -1: never. */
int64_t link_clock_corrected_ms(const struct link *l);

/* Used part of Redis's maxmemory, thousandths, as of the last beats; 0: no limit, or not known. */
unsigned link_memory_permille(const struct link *l);
/* What Redis says that it uses, bytes, as of the last beats; 0: not known. */
int64_t link_memory_bytes(const struct link *l);

/* Keys of the index. */
enum link_key { LINK_QUEUE, LINK_TIMERS, LINK_REP, LINK_HOLDS, LINK_PRESENCE, LINK_SHOPPER, LINK_LOGINS, LINK_PEOPLE, LINK_TASKS, LINK_ARTICLES, LINK_ALERTS, LINK_ENDED, LINK_KEY_N };

struct link_entry {
    bool shown, raises;  /* a shopper may see it; it raises the fence */
    struct str ref;      /* .n 0: not the command's entry */
    struct str tail;     /* entry_write_tail() */
};
enum link_guard_type { LINK_GUARD_EQ, LINK_GUARD_LIVE, LINK_GUARD_GONE, LINK_GUARD_ROOM, LINK_GUARD_DUE, LINK_GUARD_IDLE };
struct link_guard {
    enum link_guard_type type;
    enum link_key key;
    struct str name;     /* of the key: department, rep …; .n 0 for those without */
    struct str a, b;     /* EQ: field, value ("" absent). ROOM: a is the weight (name: rep). DUE: member, score. IDLE: — */
};
enum link_write_type { LINK_ZADD, LINK_ZREL, LINK_ZREM, LINK_HSET, LINK_HDEL, LINK_SADD };
struct link_write {
    enum link_write_type type;
    enum link_key key;
    struct str name;
    struct str a, b;     /* member, score · member, ms from the commit's time · member · field, value · field · member */
};

/* PUT_BACK: fence is the head as it stands, head where the log stood in an earlier epoch (PROMISES 2.9). */
enum link_mode { LINK_FENCE, LINK_HEAD, LINK_NEW, LINK_ANY, LINK_PUT_BACK };

struct link_commit {
    struct str log;
    struct str person;        /* who, as it stands beside each entry; .n 0: the system */
    struct str id;            /* the command's id; .n 0: none */
    bool id_in_person;        /* remembered in the person's record instead of the log's */
    const unsigned char *digest; /* 8 bytes; NULL without id, or not known any more: then every repeat is the same */
    struct str extra;         /* words kept with the answer; no newline; may be "" */
    enum link_mode mode;
    int64_t fence, head;
    const struct link_entry *entries;
    unsigned entries_n;
    const struct link_guard *guards;
    unsigned guards_n;
    const struct link_write *writes;
    unsigned writes_n;
};

enum link_status { LINK_DONE, LINK_SEEN, LINK_MOVED, LINK_GUARDED, LINK_EPOCH, LINK_REFUSED, LINK_UNKNOWN };

struct link_result {
    enum link_status status;
    int64_t first, at_ms, shown; /* DONE: first entry's seq (0: no entries), time, what a shopper had been shown before */
    int64_t counter;             /* DONE: the site's commit counter */
    bool is_clock;               /* REFUSED: Redis's clock is being corrected: soon again */
    /* SEEN: the first answer */
    int64_t seq, prev;
    bool same;                   /* the digest is the same */
    struct str extra;
    unsigned guard;              /* GUARDED: which (0 …) */
    bool is_gone;                /* MOVED: the log isn't in Redis (any more) */
    struct str why;              /* REFUSED, UNKNOWN: a sentence for the log */
};

/*
 * Copies *c into the call of this turn (a full one leaves first); cb exactly once. ERR_GONE (not up), ERR_FULL (too much under way): cb
 * is not called.
 */
int link_commit(struct link *l, const struct link_commit *c, void (*cb)(void *ctx, const struct link_result *r), void *ctx);
/*
 * The next commit will go in another call than those before it. Calls fail one by one, and one that has to be sent again (NOSCRIPT) comes
 * behind the next: commits of a log that may follow each other unanswered must be in one call, or the later could stand without the earlier.
 */
bool link_call_is_full(const struct link *l);
/* Sends what the turn gathered. */
void link_flush(struct link *l);

/* The answer kept for a command's id, or NOT there: cb(ctx, NULL) if unknown to Redis, status UNKNOWN if Redis doesn't answer. */
int link_find_id(struct link *l, struct str log, struct str person, struct str id, bool in_person, const unsigned char *digest,
                 void (*cb)(void *ctx, const struct link_result *r), void *ctx);

/* Takes what is older than a week out of the ids that this person's record remembers; now_ms: the site's time. What fails waits for the next time. */
void link_forget_ids(struct link *l, struct str person, int64_t now_ms);

/* One stored entry. */
struct link_stored {
    bool shown;
    int64_t prev;        /* what a shopper had been shown before it */
    int64_t before;      /* the entry before it, where an epoch began between them; else -1 */
    struct str person, ref; /* .n 0: none */
    struct str frame;
};
/* raw: as redis_reply_str() gives it, with a NUL behind it; what stands in *out points into it. False if raw isn't one. */
bool link_stored_read(struct str raw, struct link_stored *out);
/* The entries from place `from` (0 = first) on, at most n, -1 all; cb once with the list, or NULL: unknown. reply items are raw stored strings. */
int link_read(struct link *l, struct str log, int64_t from, int64_t n, void (*cb)(void *ctx, const struct redis_reply *list), void *ctx);

/* The entries behind a seq; the list's first item is the place of the first of them, the raw stored strings follow. */
int link_read_after(struct link *l, struct str log, int64_t seq, int64_t n, void (*cb)(void *ctx, const struct redis_reply *list), void *ctx);

/*
 * A person comes to or leaves a node (NULL: this one); timers: pairs of member and ms (see presence.lua), n of them. cb (may be NULL): how
 * many nodes the person is on now, or NULL or an error.
 */
int link_presence(struct link *l, const char *node, bool join, struct str person, const char *const *members, const int64_t *ms, unsigned n,
                  void (*cb)(void *ctx, const struct redis_reply *r), void *ctx);

/*
 * The head of a queue, these reps, and whom anything changed of since change number `since` (-1: not listed), at one instant. Each commit
 * that writes to LINK_REP or LINK_HOLDS, and each coming and going, is such a change. reply as snapshot.lua answers, or NULL.
 */
int link_snapshot(struct link *l, struct str department, unsigned chats, int64_t since, const char *const *reps, unsigned n,
                  void (*cb)(void *ctx, const struct redis_reply *r), void *ctx);

/*
 * Says that the site lives. Where that was last said longer than silent_ms ago, timers whose member ends as given begin anew with their
 * span; cb's list: the time of the last word and now, both "0" where nothing was missed, "-1" where Redis's clock is not to be trusted now (overdue.lua).
 */
int link_alive(struct link *l, int64_t silent_ms, const char *const *endings, const int64_t *spans_ms, unsigned n,
               void (*cb)(void *ctx, const struct redis_reply *r), void *ctx);

/* The highest format that this node knows, and the one that the site is written in: kinds of a later one aren't written. */
int link_format_known(const struct link *l);
int link_format(const struct link *l);
/* Every live node knows this format: the site is written in it from now on. */
void link_raise_format(struct link *l, int format);

/* Sends a payload to the other nodes (and not to this one). */
void link_signal(struct link *l, struct str payload);

/* Any command on one key (made from key and name), for what is simple: argv without the key, which is put behind argv[0]. */
int link_call(struct link *l, enum link_key key, struct str name, int argc, const char *const *argv, const size_t *argv_n,
              void (*cb)(void *ctx, const struct redis_reply *r), void *ctx);
/* The same with a plain key below the site ("changed", "nodes", "tok:…"). */
int link_call_plain(struct link *l, const char *key, int argc, const char *const *argv, const size_t *argv_n,
                    void (*cb)(void *ctx, const struct redis_reply *r), void *ctx);

/* How a log stands. */
struct link_extent {
    int64_t length; /* entries; 0: it isn't there */
    int64_t fence;
    int64_t head;   /* seq of the last one */
};
/* cb once; NULL: Redis didn't say. */
int link_extent(struct link *l, struct str log, void (*cb)(void *ctx, const struct link_extent *e), void *ctx);
/* Frees a log that is archived whole; cb(1) gone, cb(0) moved on, cb(-1) unknown. */
int link_free(struct link *l, struct str log, int64_t length, int64_t fence, void (*cb)(void *ctx, int rc), void *ctx);

#endif

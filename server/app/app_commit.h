/*
 * app_commit: one chat's commands on their way: facts → decide → commit → apply → answer → fan-out. What its files share.
 *
 *   app_commit.c         decides, sends what was decided
 *   app_commit_facts.c   what a decision has to know of people
 *   app_commit_index.c   index writes and guards of a decision
 *   app_commit_answer.c  what Redis said: fold, answer, decide again
 *
 * Thread  loop.
 */
#ifndef APP_COMMIT_H
#define APP_COMMIT_H

#include "app/app_room.h"

#define MARK_MS      (1LL << 50) /* stands for "this commit's time" while the index is computed before it is known */
#define WRITES_MAX   (TIMER_N + 16)

#define FLIGHT_KEPT  6           /* fields; a message has five */

/* One entry that waits for its seq. */
struct pending {
    enum kind kind;
    bool shown, raises;
    uint32_t at, n;      /* its tail in the flight's bytes */
    char *shopper_tail;
};

/* Kept with the answer to a message that counts as no reply: a repeat says so, too. */
#define COMMIT_NO_REPLY "no_reply"

/* What one cmd has under way in Redis; lives until the answer. */
struct flight {
    struct slot *slot;
    struct cmd *cmd;     /* NULL: the index alone */
    bool is_plain;       /* it leaves the index as it is */
    struct pending p[CHAT_DECISION_ENTRIES];
    unsigned n, main;
    struct buf bytes;
    char room[600];      /* where they stand, if they fit */
    unsigned kept_n;     /* one entry: its fields, in the order of the kind's row, so that it needn't be read back; 0: not kept */
    struct val kept[FLIGHT_KEPT];
    unsigned from_role;
    int64_t expected;    /* the first entry's seq if nobody came between */
    enum chat_compare compare;
    enum chat_guard_kind guard_kind[CHAT_DECISION_GUARDS * 3];
    enum link_guard_type guard_type[CHAT_DECISION_GUARDS * 3];
    char guard_who[CHAT_DECISION_GUARDS * 3][ID_SIZE];
};

void flight_free(struct flight *f);

/* ---- facts */

struct facts {
    struct chat_rep self, target, owner, handler;
};
/* What chat_decide() is asked: the command, and what is known of the people in it. */
void facts_gather(struct slot *s, struct cmd *c, struct chat_cmd *cc, struct facts *f);

/* ---- index and guards */

struct writes {
    struct link_write w[WRITES_MAX];
    unsigned n;
    char text[WRITES_MAX][48]; /* members and numbers */
};
/* all: write what is there whatever `old` says. members: TIMER_N rooms for the timers' members. */
void index_diff(const struct slot *s, const struct chat_index *old, const struct chat_index *new, bool all, struct writes *w,
                char members[TIMER_N][ID_SIZE + 16]);
/* One more write, to a key without a name. */
void index_add(struct writes *w, enum link_write_type type, enum link_key key, struct str a, struct str b);
/* The member of LINK_TIMERS that the command came from. */
#define TIMER_MEMBER_SIZE (ID_SIZE + 40)
void index_timer(const struct slot *s, const struct cmd *c, char member[TIMER_MEMBER_SIZE]);
/* True if this decision can't change the index: then no copy of the state is needed to see it. */
bool index_is_left(const struct chat *c, const struct decision *d);

struct guards {
    struct link_guard g[CHAT_DECISION_GUARDS * 3];
    unsigned n;
    char text[CHAT_DECISION_GUARDS][2][TIMER_MEMBER_SIZE];
};
void guards_map(struct slot *s, const struct decision *d, const struct cmd *c, struct flight *f, struct guards *gs);

/* ---- answers */

/* link's answer to a flight; ends it. */
void commit_on_answer(void *ctx, const struct link_result *r);
void commit_finish_refused(struct cmd *c, const struct chat *chat, enum code code, const char *text);
/* A refusal: an id that was seen wins over it. */
void commit_refuse(struct slot *s, struct cmd *c, enum code code, const char *text);

#endif

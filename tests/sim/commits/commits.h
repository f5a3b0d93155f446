/*
 * commits: a random simulation of commits, nodes, views and clients in one process, in virtual time.
 *
 * Real are the gate, the rules, the fold, a node's connections, slots, commits and cursors (app_conn, app_signal,
 * app_command, app_slot, app_commit, app_sub), what goes to Redis (link_commit) and the script that runs
 * there (commit.lua, in Lua 5.1 as in Redis). Modelled are Redis' data, the ways between all of them, and the
 * client: its cursor and outbox follow web/src/model/log.ts and outbox.ts. Broken at random: ways to Redis
 * cut with commands on them (some are still carried out), nodes that die and leave such commands behind,
 * errors before a script runs, hints lost, slow readers, clients that come back on other nodes, a new epoch.
 *
 * Each commit is judged in the moment it is written (truth.c), each entry in the moment it is shown
 * (client.c).
 */
#ifndef COMMITS_H
#define COMMITS_H

#include "app/app_room.h"
#include "chat/chat_decide.h"
#include "link/link_room.h"

#define NODES          3
#define CHATS          3
#define CLIENTS_A_CHAT 5 /* the shopper twice, three reps */
#define CLIENTS        (CHATS * CLIENTS_A_CHAT)
#define REPS           3 /* serve all chats */

/* Ends the run: seed, step and the sentence. */
void broken(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));
uint32_t rnd(uint32_t n);
bool one_in(uint32_t n);
int64_t now_ms(void);
bool is_calm(void); /* the end of a run: nothing breaks any more */

struct counts {
    uint64_t commits, entries, oks, refused, unknown, repeats, moved, cuts, ghosts, crashes, epochs, syncs,
        resumes, full;
};
extern struct counts counts;

/* --- redis.c: the data, and the script */

struct redis_reply {
    enum redis_type type;
    char *s;
    size_t n;
    int64_t i;
    struct redis_reply *list;
};

void store_open(char *const *scripts); /* SCRIPT_N texts, NULL where none is needed */
void store_close(void);
void store_set(const char *key, const char *field, const char *value); /* field NULL: a string */
const char *store_get(const char *key, const char *field);
/* Carries a command out. */
void store_run(int argc, char **argv, const size_t *argv_n, struct redis_reply *out);
void reply_free(struct redis_reply *r);

/* --- truth.c: what stands, and what must hold of it */

struct fact {
    int64_t seq, prev;
    bool shown;
    char person[ID_SIZE], ref[ID_MAX + 1];
    enum kind kind;
};

struct truth {
    char id[ID_SIZE], epoch[40];
    struct chat fold;
    struct fact *fact;
    unsigned n, cap;
    int64_t shown, at_ms, asked_seq, answered_seq;
};

void truth_reset(void);
/* The script appended this to the list of that key. */
void truth_append(const char *key, struct str stored);
struct truth *truth_of(const char *chat);
struct truth *truth_at(unsigned i); /* NULL behind the last */
/* The seq of the entry that bears this id of this person; 0: none. */
int64_t truth_find(const struct truth *t, const char *person, const char *ref);
/* The first entry behind seq that this audience sees; NULL: none. */
const struct fact *truth_next(const struct truth *t, int64_t seq, bool staff);

/* --- node.c: a gateway without its sockets */

void nodes_open(void);
void nodes_close(void);
void nodes_step(void);
void nodes_hint(const char *payload); /* the bus */
void nodes_new_epoch(void);
/* NULL: it is down. */
struct net_conn *node_connect(unsigned node, unsigned client);
void node_hang_up(struct net_conn *c);
void node_hear(struct net_conn *c, const char *text);
bool nodes_are_idle(void);

/* --- client.c */

void clients_open(void);
void clients_close(void);
void clients_step(void);
void client_take(unsigned client, struct net_conn *from, struct str frame);
void client_cut(unsigned client, struct net_conn *from);
const char *client_person(unsigned client);
unsigned client_roles(unsigned client);
bool clients_are_settled(void);
/* Told no, and not `unavailable`: it may never stand anywhere. */
bool client_was_refused(const char *id);
/* An answer leaves a node; it may never arrive. */
void client_is_answered(struct str frame);
/* A node said no to it, heard or not: repeated it is judged anew, and may stand behind later ones. */
bool client_was_denied(const char *id);
void clients_describe(void);

#endif

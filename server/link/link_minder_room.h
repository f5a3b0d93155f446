/*
 * The loop's minder as its two files share it: link_minder.c (states, starting, stopping), link_minder_adopt.c (taking over a server
 * that runs). Headers of what is public: link_minder.h.
 *
 * One machine, driven by a timer, by the end of the watched process (pidfd: also of a server that is no child of ours) and by a
 * connection of its own, which is up only when the server takes commands.
 *
 *   JOINING -> LOCKING -+-(lock is ours)-> STARTING -+-> UP
 *      ^          ^     +-(taken)-> CHECKING --------+    |
 *      |          |                    |                  |
 *      |          +---- RESTING <------+------------------+ the process ended          STUCK: fatal, waits for close
 *      +-- the last user is stopping the server                                        STOPPING -> closed
 *
 * Thread  loop.
 */
#ifndef LINK_MINDER_ROOM_H
#define LINK_MINDER_ROOM_H

#include "link/link_minder.h"

#include "link/link_minder_home.h"

#include <uv.h>

#define COMMAND_MS 5000

enum phase { JOINING, LOCKING, CHECKING, STARTING, JUDGING, UP, RESTING, STUCK, STOPPING, CLOSED };

struct minder {
    uv_loop_t *loop;
    const struct config *cfg;
    struct minder_port port;
    struct minder_home home;
    enum phase phase;
    uint64_t since_ms; /* of the phase; uv_now() clock */
    uint64_t said_ms;  /* last complaint about waiting */
    char said[200];    /* what the connection or the lock said last */

    pid_t pid;        /* of the server that is watched, 0: none */
    int pidfd;        /* -1: the kernel gives none, the timer looks */
    uv_poll_t *watch; /* on pidfd */
    struct redis *conn;
    unsigned deaths; /* in a row */
    bool ever_up;

    uv_work_t judge;
    bool judging; /* the worker pool has it */
    enum minder_verdict verdict;
    struct err judge_err;

    uv_timer_t timer;
    unsigned refs;
    bool stop; /* minder_close(): end the server */
    bool term_sent;
    void (*done)(void *ctx);
    void *done_ctx;
};

/* ---- link_minder.c */

/* Into a phase, or on in it: on_timer() looks again in in_ms. */
void minder_enter(struct minder *m, enum phase phase, uint64_t in_ms);
/* When to look again: often while it is likely to be soon, seldom later. */
uint64_t minder_pace(const struct minder *m);
/* Fatal: nothing is tried any more. */
void minder_get_stuck(struct minder *m, const char *why);
void minder_go_up(struct minder *m);
/* From now on its end is seen; what was watched before no longer is. */
void minder_watch(struct minder *m, pid_t pid);

/* ---- link_minder_adopt.c */

/* Somebody has the lock and answers: goes up with that server, is stuck, or tries the lock again. */
void minder_adopt(struct minder *m);

#endif

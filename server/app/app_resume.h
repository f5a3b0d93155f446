/*
 * The chats that a hello goes on with, and from where (PROTOCOL: `resume`).
 *
 * Bounds  RESUME_MAX chats; those behind them are not read.   Thread  loop.
 */
#ifndef APP_RESUME_H
#define APP_RESUME_H

#include "app/app_room.h"

#define RESUME_MAX 50

struct resume {
    char chat[ID_SIZE]; /* as it was sent: no slot needs to be there for it */
    int64_t seq;        /* the last one that the client has */
    int64_t cursor;     /* where it goes on; -1: not found, or not theirs */
};

struct resumes {
    struct resume r[RESUME_MAX];
    unsigned n;
};

/* Reads the command's list; nothing is found yet. */
void resume_read(struct resumes *l, const struct msg *m);
/* The chat has been read; `may`: this connection may read it. */
void resume_found(struct resumes *l, const struct slot *s, bool may);
bool resume_has_found(const struct resumes *l, const char *chat);
/* The welcome is out: what was found is sent from where it goes on. */
void resume_go_on(const struct resumes *l, struct conn *c);

#endif

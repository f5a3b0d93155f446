/*
 * minder_home: DATA/redis and what lies beside it: the directory that one redis-server at a time may serve.
 *
 *   redis.lock   locked (flock) by the redis-server itself, by a descriptor it inherits: taken means it lives
 *   redis.users  LOCK_SH by every gateway and command that uses the server; who gets LOCK_EX is the last one
 *   redis/       redis.conf, redis.log, redis.pid, redis.sock, appendonlydir/, ballast
 *   redis/socket the directory of a short way to redis.sock, where its own path is too long for the kernel
 *
 * Shared by the loop's minder (link_minder.c) and the command line's (link_minder_sync.c).
 * Thread  one at a time; nothing here waits.   Errors  a sentence that names the file and the cure.
 */
#ifndef LINK_MINDER_HOME_H
#define LINK_MINDER_HOME_H

#include "base/base_buf.h"
#include "base/base_err.h"

#include <sys/types.h>

struct config;

struct minder_home {
    char *data;     /* the data directory, absolute */
    char *dir;      /* data/redis */
    char url[128];  /* of the socket: unix://… */
    char *alias;    /* directory of the short way to the socket; NULL: not needed */
    int users_fd;   /* data/redis.users, -1: not open */
    off_t log_at;   /* where redis.log ended before the last start */
    bool cut_tail;  /* a torn tail was cut by home_judge(): what Redis refuses now is damage */
    char *suspect;  /* with MINDER_JUDGE: the append-only file that Redis refused */
};

/* What a start that failed means. */
enum minder_verdict {
    MINDER_RETRY,     /* with backoff */
    MINDER_RETRY_NOW, /* something was done about it */
    MINDER_JUDGE,     /* Redis refused the file `suspect`: home_judge() tells a torn tail from damage */
    MINDER_FATAL,     /* it can't ever start as things are */
};

/* Makes what lies in the data directory, which is there: redis/ (0700) and the ballast; opens redis.users. home_fini() accepts a half-made one. */
int home_init(struct minder_home *h, const char *data_dir, struct err *err);
/* Closes and frees; no file is touched. */
void home_fini(struct minder_home *h);

/* Becomes a user of the server. ERR_BUSY: the last one is stopping it just now; try again. */
int home_join(struct minder_home *h, struct err *err);
/* True if there is no other user: none can join until home_fini(). */
bool home_is_last(struct minder_home *h);

/* Takes redis.lock; *fd is the caller's. ERR_BUSY: a redis-server (or what is left of one) has it; err says who. */
int home_lock(const struct minder_home *h, int *fd, struct err *err);
/* Starts a redis-server that inherits lock_fd; lock_fd is closed in any case. ERR_NOT_FOUND: there is no such program. */
int home_spawn(struct minder_home *h, const struct config *cfg, int lock_fd, pid_t *pid, struct err *err);
/* Why the server that was started last didn't come up; status as waitpid() gives it. Deletes the ballast for a full disk. */
enum minder_verdict home_diagnose(struct minder_home *h, int status, struct err *err);
/* After MINDER_JUDGE: reads the suspect (any thread, not the loop's). RETRY_NOW: a torn tail, to be cut; else FATAL or RETRY. */
enum minder_verdict home_judge(struct minder_home *h, struct err *err);
/* The server is up: what was allowed for its start alone is over. */
void home_settled(struct minder_home *h);
/* The pid in redis.pid if that process is a redis-server of this directory, else 0. */
pid_t home_find_pid(const struct minder_home *h);
/* After an orderly end: removes the socket and the short way to it. */
void home_clean(struct minder_home *h);

/* The command that asks a running server for what home_check_settings() wants to see. */
extern const char *const home_settings_argv[];
extern const int home_settings_argc;
/*
 * Compares CONFIG GET's names and values. 0: as configured. ERR_AGAIN: *fix_name must be set to fix_value by CONFIG SET, then ask
 * again. ERR_CONFLICT: it can't be used, err says why.
 */
int home_check_settings(const struct minder_home *h, const struct config *cfg, const struct str *names,
                        const struct str *values, size_t n, const char **fix_name, char fix_value[32], struct err *err);
/* process_id of INFO's text, 0 if absent. */
pid_t home_pid_of_info(struct str info);
/* Writes redis.conf. ERR_FULL: the disk has no room for it. */
int home_write_conf(const struct minder_home *h, const struct config *cfg, struct err *err);

#endif

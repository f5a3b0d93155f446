/*
 * people: staff as the rules see them: account, shift, presence, load. Pure.
 *
 * A person's account and shift are folded from their log (people_apply); presence and holds come from the live index.
 * Source  MISSION "People", rules 1.3, 2.9; PROTOCOL "Rep and lead".   Thread  any.
 */
#ifndef PEOPLE_H
#define PEOPLE_H

#include "base/base_crypto.h"
#include "protocol/protocol.h"

#define PEOPLE_NAME_BYTES 256
#define PEOPLE_LIST_MAX 16
#define PEOPLE_ITEM_BYTES 64
#define PEOPLE_CAPACITY_DEFAULT 4
#define PEOPLE_CAPACITY_MAX 1000 /* as the schema of shift.start */

enum shift { SHIFT_OFF, SHIFT_ON, SHIFT_PAUSED };
/* "off", "on", "paused". */
const char *shift_name(enum shift shift);

/* A short list of words; unused ones are "". */
struct people_list {
    char item[PEOPLE_LIST_MAX][PEOPLE_ITEM_BYTES];
    unsigned n;
};
bool people_list_has(const struct people_list *l, struct str item);
/* Adds once; false if full or too long. */
bool people_list_add(struct people_list *l, struct str item);
/* From the raw JSON list of strings of an entry. */
void people_list_read(struct people_list *l, struct str raw);

struct people_rep {
    char id[ID_SIZE];
    char login[PEOPLE_ITEM_BYTES * 2];
    char name[PEOPLE_NAME_BYTES];
    char password[160]; /* Argon2id string, never shown */
    int64_t password_version; /* seq of the entry that set it: sessions begun before it are over */
    unsigned roles;     /* ROLE_* mask */
    struct people_list departments, skills, languages;
    bool disabled;
    enum shift shift;
    char pause_why[16];    /* "missed", "away", or "": on one's own will, or not paused */
    int64_t capacity;      /* sum of weights that this person takes at once */
    int64_t shift_since_ms;
    int64_t version;       /* seq of the last entry of the person's log */
    bool is_present;       /* a live connection on some node */
    int64_t load;          /* sum of the weights held */
    unsigned holds_n;
    int64_t idle_since_ms; /* since when nothing new was given; 0: never anything */
    unsigned missed;       /* offers missed in a row */
};

/* Folds one entry of a person's log (account_*, shift_*). */
void people_apply(struct people_rep *p, const struct entry *e);
/* True if this person may be given a chat now, capacity aside. */
bool people_is_available(const struct people_rep *p);
bool people_has_room(const struct people_rep *p, int64_t weight);
bool people_is_in(const struct people_rep *p, struct str department);

#endif

/*
 * chat: a case as the fold of its numbered log. Pure: no I/O, no clock, no globals.
 *
 *   state = fold of chat_apply over the entries;  chat_decide(state, command) → entries | refusal;
 *   chat_index(state) → what Redis keeps beside the log (queue place, timers, hold, open chat).
 *
 * Owns    struct chat owns its strings; chat_fini() frees them. A decision's entries point into the command, the chat and
 *         the decision's own arena: use them before the next chat_apply().
 * Units   epoch milliseconds, seq.   Thread  any, one at a time per chat.
 * Source  DESIGN 1, MISSION 1 to 3, PROTOCOL, docs/rules.md.
 */
#ifndef CHAT_H
#define CHAT_H

#include "care/care.h"
#include "care/care_texts.h"
#include "chat/chat_state.h"
#include "ownership/ownership.h"
#include "people/people.h"
#include "routing/routing.h"

#define CHAT_PASSED_MAX 32       /* who missed or declined in this wait */
#define CHAT_READERS_MAX 64      /* reps who had to do with it, the last ones: they may read it; a bit each in `asked` */
#define CHAT_PROMISES_MAX 32     /* open at once; behind them as many of the settled ones as have room */
#define CHAT_TAGS_MAX 20
#define CHAT_DECISION_ENTRIES 10
#define CHAT_DECISION_GUARDS 6
#define CHAT_LATE_MS    10000    /* a timer decided so long after its time is marked late */
#define CHAT_EPOCH_STEP 1000000  /* a new epoch's first seq: the next multiple of this, + 1 (PROMISES 2.9) */

/* The rules' numbers and texts for one site and department; filled in by the shell from the configuration. */
struct chat_rules {
    int64_t offer_ms, transfer_ms, silent_ms, confirm_ms, return_ms, quick_return_ms, keep_ms;
    bool auto_accept;
    struct care_times care;
    int64_t head_start_ms[CLASS_N];
    int64_t weight[CLASS_N];      /* what a chat fills of a capacity */
    struct ownership_texts texts; /* which alone are no reply */
    struct care_words words;      /* the site's and the department's, for what the machine says */
};

/* A rep as a decision needs to know them. */
struct chat_rep {
    char id[ID_SIZE];
    const char *name;
    bool may_take;   /* available: on shift, present, not disabled */
    bool has_room;   /* load + the chat's weight ≤ capacity, not counting this chat */
    bool in_department; /* of this chat */
    bool is_director;   /* may know of every chat, as a lead of its own department's */
};

enum promise_state { PROMISE_OPEN, PROMISE_KEPT, PROMISE_MISSED, PROMISE_KEPT_LATE };
struct chat_promise {
    char id[ID_SIZE];
    char *text;
    int64_t until_ms;
    int64_t seq;
    enum promise_state state;
};

struct chat_who {
    char id[ID_SIZE]; /* "" nobody */
    char *name;       /* NULL or owned */
};

struct chat {
    char id[ID_SIZE];
    int64_t head;       /* seq of the last entry; 0: none */
    int64_t fence;      /* seq of the last entry that changed owner, handler or state */
    int64_t shown;      /* seq of the last entry that a shopper may see */
    int64_t last_at_ms, started_at_ms, ended_at_ms;
    enum chat_state state;

    struct chat_who shopper, owner, handler;
    bool identified;
    char *department, *topic, *locale, *page, *after;
    enum class class_;

    /* the wait: from `started`, `queued`, handler_lost or reopened until somebody is assigned */
    int64_t wait_since_ms;  /* 0: not waiting */
    int64_t queue_score;
    enum care_step care_done;
    char passed[CHAT_PASSED_MAX][ID_SIZE];
    unsigned passed_n;
    int64_t declined_at_ms;      /* when somebody declined it last in this wait; 0: nobody has */
    struct chat_who offered_to;
    int64_t offer_until_ms;
    struct chat_who prefer;      /* the owner of the case that this one comes back to (rule 2.7) */
    struct chat_who lost;        /* the handler whose connection was lost and whom nobody has followed yet */

    /* a handover under way (rule 2.4) */
    struct chat_who transfer_to; /* id may be a rep's; "" with transfer_department set: to a department */
    char *transfer_department;
    char *transfer_card;         /* raw JSON */
    int64_t transfer_until_ms;   /* 0: none */

    /* an alert to the lead (rule 3.2) */
    char alert[ID_SIZE];         /* "" none open */
    int alert_level;
    int64_t alerted_at_ms;

    /* the shopper waits for an answer since; 0: nobody waits (rule 1.4) */
    int64_t unanswered_since_ms;
    int64_t silent_from_ms;      /* the clock's start: unanswered, or given to the handler, whichever is later */
    bool reminded;
    bool checked_in;             /* the shopper was told that the rep was reminded, since the last reply that counts */

    struct ownership_proof proof;
    int64_t reply_seq;           /* last message by staff */
    char *last_text;             /* begin of the last message, for rows */
    char *last_question;         /* begin of the shopper's last message, for suggestions */
    int64_t suggested_for;       /* seq of the last question that articles were looked up for; 0: none */
    unsigned last_role;
    unsigned messages;

    int64_t proposed_at_ms, parked_until_ms;
    char *resolution, *summary;
    char *card_summary, *card_requirements, *card_promised, *card_verified; /* newest known; verified is raw JSON */
    struct chat_promise promise[CHAT_PROMISES_MAX];
    unsigned promises_n;
    char *tags[CHAT_TAGS_MAX];
    unsigned tags_n;
    char readers[CHAT_READERS_MAX][ID_SIZE];
    unsigned readers_n;
    uint64_t asked;              /* bit i: readers[i] was consulted */
    char consulted[ID_SIZE];     /* who was asked last and has not answered; "" nobody */
    struct chat_who consult_by;  /* who asked */
    char *consult_question;
    int64_t consulted_at_ms;
    int64_t rating;              /* 0: none */
    char *closed_how;
    bool has_left;
};

void chat_init(struct chat *c, const char *id);
void chat_fini(struct chat *c);
/* What the texts that it owns take of the heap, besides the struct. */
size_t chat_bytes(const struct chat *c);
/* Makes *to (uninitialized) an independent copy. */
void chat_copy(struct chat *to, const struct chat *from);
/* Folds one committed entry (seq, at_ms set). Never fails: what it doesn't understand only moves head. */
void chat_apply(struct chat *c, const struct entry *e);
/* True if an entry of this kind changes owner, handler or state: the fence becomes its seq. */
bool chat_kind_raises_fence(enum kind kind);
/* The rules' view of who owns and handles. */
void chat_ownership(const struct chat *c, struct ownership *out);
/* True if this rep has to do with it now (owns, handles, is asked to take it) or is among the last who had. */
bool chat_has_reader(const struct chat *c, const char *person);
/* True if this person was consulted, at whatever time: they may answer (rule 2.3). */
bool chat_has_asked(const struct chat *c, struct str person);

/* Timers of a chat: at most one of each is due. The names stand in the timers' index as `chat|name`. */
enum chat_timer {
    TIMER_OFFER,    /* the offer's deadline */
    TIMER_TRANSFER, /* the handover's deadline */
    TIMER_SILENT,   /* remind, then offer on */
    TIMER_CARE,     /* next care step */
    TIMER_ALERT,    /* an alert goes up */
    TIMER_CONFIRM,  /* unconfirmed close */
    TIMER_PARK,     /* parked until */
    TIMER_PROMISE,  /* the next promise's date */
    TIMER_N
};
const char *chat_timer_name(enum chat_timer t);
/* TIMER_N if there is none of that name. */
enum chat_timer chat_timer_from_name(struct str name);

/* What the index holds for a chat. Strings are the chat's. */
struct chat_index {
    const char *queue;         /* department whose queue it stands in, or NULL */
    int64_t score;
    int64_t due_ms[TIMER_N];   /* 0: none */
    const char *hold;          /* rep on whose list it stands, or NULL */
    int64_t weight;            /* how much of the capacity it fills; 0 for parked and proposed */
    const char *also;          /* its owner (or that of the case it comes back to), on whose list it stands without weight; or NULL */
    const char *asked;         /* rep on whose list it stands without weight until they answer a consultation, or NULL */
    const char *handed;        /* rep on whose list it stands without weight until they answer a handover, or NULL */
    const char *alert;         /* an open alert, or NULL */
    const char *open;          /* shopper whose open chat it is, or NULL */
    int64_t free_ms;           /* from when on it may leave Redis; 0: it goes on, or somebody is still promised something */
};
void chat_index(const struct chat *c, const struct chat_rules *rules, struct chat_index *out);

/* Rule 2.7: the owner, or until there is one that of the case which this one comes back to; id "" nobody. */
const struct chat_who *chat_answerable(const struct chat *c);
/* Rule 2.7: true while a return leads back to this case, which ended less than rules->return_ms ago (0: none does). */
bool chat_leads_back(const struct chat *c, const struct chat_rules *rules, int64_t now_ms);
/* True if folding e into c can't change the index, whatever the rules' numbers: then nobody has to look. */
bool chat_keeps_index(const struct chat *c, const struct entry *e);

enum chat_cmd_kind {
    CMD_MSG,    /* a person's command: msg */
    CMD_TIMER,  /* a timer fired: timer, due_ms as read */
    CMD_OFFER,  /* matching chose target: why, candidates */
    CMD_GONE,   /* the handler's grace is over (rule 2.8) or the account closed (rule 2.9), or the waiting shopper's (rule 1.5) */
    CMD_SUGGEST, /* articles were suggested for the question with seq due_ms: articles */
    CMD_N
};

struct chat_cmd {
    enum chat_cmd_kind kind;
    int64_t now_ms;
    const struct msg *msg;      /* CMD_MSG */
    /* who: for CMD_MSG the person; ROLE_SYSTEM otherwise */
    unsigned role;              /* one bit of ROLE_*: as what they act (shopper, lead, rep …) */
    struct str person, name;
    enum chat_timer timer;
    int64_t due_ms;
    const char *why;            /* CMD_OFFER: the choice's reason; CMD_GONE: "connection", "shopper", "shift", "account" */
    struct str candidates;      /* who else could have got it, and why not: raw JSON; CMD_OFFER, a handover to a department */
    struct str articles;        /* care step 1, CMD_SUGGEST: raw JSON list of {id,title}; .s NULL none */
    /* facts about people, as read for this command; NULL: unknown or nobody */
    const struct chat_rep *self;   /* the acting rep */
    const struct chat_rep *target; /* `to`, or the offer's receiver */
    const struct chat_rep *owner, *handler;
    bool target_is_department, target_on_shift; /* `to` names a department; somebody there may take chats */
    struct str target_department;  /* its name; for a rep: .n 0 */
    bool no_lead;                  /* nobody leads the chat's department: alerts begin one level up */
    struct str callback;           /* alert.act: the shopper's call-back that is open already; .n 0 none */
    bool can_reach;                /* alert.act: there is a way to call the shopper */
    /* chat.start only */
    const char *chat_id;
    struct str department, topic, class_, locale, page, site, after, after_owner;
    const char *triage_why;        /* "shopper", "topic", "keyword", "kb", "default" */
    struct str triage_reason;      /* the keyword, the article; .n 0 none */
    const char *after_owner_name;
    struct str after_card;         /* what was known of the case it comes back to: raw JSON; .n 0 none */
};

enum chat_compare { COMPARE_FENCE, COMPARE_HEAD, COMPARE_NEW };

/* What must still hold when the commit is made, besides fence or head. */
enum chat_guard_kind {
    GUARD_REP_ROOM,     /* rep: on shift, present, holds + weight ≤ capacity */
    GUARD_REP_ON,       /* rep: on shift, present (room aside) */
    GUARD_SHOPPER_FREE, /* shopper has no open chat */
    GUARD_REP_GONE,     /* rep has no live connection, nor had one since the timer that fired was set */
    GUARD_SHOPPER_GONE, /* so the shopper */
    GUARD_TIMER_DUE     /* the timer is due as read */
};
struct chat_guard {
    enum chat_guard_kind kind;
    const char *who;    /* rep's or shopper's id */
    int64_t weight;
    enum chat_timer timer;
    int64_t due_ms;
};

struct decision {
    enum code code;        /* CODE_OK, or why not */
    char text[160];        /* why not, in one sentence */
    enum chat_compare compare;
    struct entry entry[CHAT_DECISION_ENTRIES];
    unsigned entries_n;    /* 0 with CODE_OK: nothing to do (already so) */
    unsigned main;         /* the entry that is the command */
    struct chat_guard guard[CHAT_DECISION_GUARDS];
    unsigned guards_n;
    int64_t weight;        /* of the chat, for the guards */
    bool drop_timer;       /* a timer that means nothing any more: remove it, nothing else */
    struct buf arena;      /* JSON made for the entries */
    char made_id[ID_SIZE]; /* a promise's or an alert's new id */
};

void decision_init(struct decision *d);
void decision_fini(struct decision *d);
/* True if commands of this type act on a chat's log. */
bool chat_decides(enum msg_type type);
/* Decides. Writes *d whole (after decision_init or a former use). */
void chat_decide(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *rules, struct decision *d);

#endif

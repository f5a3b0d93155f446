/*
 * app_room: what the files of this room share: the running server's parts. Inside the room only.
 *
 *   app      one process: loop, parts, sites' worth of people and chats
 *   conn     one connection of a shopper or a staff member, and what it has under way
 *   slot     one chat in memory: fold, recent entries, commands that wait, who watches
 *   sub      one connection's cursor in one chat: it is always sent "cursor → head"
 *   asleep   a chat that ended and left memory, and the cursors in it
 *   cmd      one command on its way: a person's, or the system's (timer, matching, loss)
 *
 * Thread  loop, but for what the files of http and suggestions hand to worker threads.
 */
#ifndef APP_ROOM_H
#define APP_ROOM_H

#include "app/app.h"
#include "archive/archive.h"
#include "auth/auth.h"
#include "base/base_json.h"
#include "base/base_map.h"
#include "base/base_pool.h"
#include "care/care_texts.h"
#include "chat/chat.h"
#include "chat/chat_view.h"
#include "config/config.h"
#include "http/http.h"
#include "jobs/jobs_feed.h"
#include "jobs/jobs_free.h"
#include "kb/kb.h"
#include "link/link.h"
#include "link/link_minder.h"
#include "log/log.h"
#include "net/net.h"

#include <uv.h>

#define CONN_HELD_MAX   256 /* commands read but not begun, before reading pauses */
#define NO_NEW_MS       30000 /* until what was refused for want of room may be tried again, */
#define TOO_MANY_MS     60000 /* and what an address has had enough of in this hour */
#define TIMER_SET_BACK_MS 30000 /* when one that can't be decided comes again */
#define CONN_FLIGHT_MAX 64  /* commands begun and not answered */
#define SLOT_RING       256 /* recent entries kept in memory; more only while they are young */
#define SLOT_YOUNG_MS   5000 /* what a replica that is promoted may lack, and the archive too, is put back from here (PROMISES 2.9); limits.chat_idle_ms is no less */
#define SLOT_RING_MAX   4096
#define SLOT_BATCH      32  /* plain messages of one chat committed in one call */

struct app;
struct slot;
struct conn;

/* A command on its way. */
struct cmd {
    struct app *app;
    struct conn *conn;        /* NULL: the system's */
    struct msg msg;           /* CMD_MSG */
    enum chat_cmd_kind kind;
    enum chat_timer timer;    /* CMD_TIMER */
    int64_t due_ms;           /* CMD_TIMER, and CMD_GONE with an absence: as read */
    char target[ID_SIZE];     /* CMD_OFFER: the chosen rep; CMD_GONE: the rep who is gone, "" the shopper */
    char absence[32];         /* CMD_GONE: the name of the timer that is over, "gone", "grace" …; "" none: it goes without one */
    const char *why;          /* CMD_OFFER, CMD_GONE: static text */
    char *candidates;         /* CMD_OFFER, a handover to a department: raw JSON, owned */
    char *articles;           /* care step 1, owned */
    unsigned attempts;        /* decided again after a conflict */
    bool is_no_reply;         /* the message that it wrote counts as none (rule 2.1) */
    bool denied_self, denied_owner, denied_handler; /* a guard said no */
    char denied_target[ID_SIZE];                    /* and of whom it said so last */
    struct cmd *next;
    struct slot *slot;
    bool is_aside;            /* those behind it don't wait for it */
    /* chat.start only, owned */
    char new_chat[ID_SIZE], after_owner[ID_SIZE];
    char department[64], class_[16], after[ID_SIZE];
    const char *triage_why;
    char triage_reason[124];
    char *after_card;         /* raw JSON, owned; NULL none */
    /* alert.act call_back only: the shopper's own call-back that is open, "" none; a way to reach them, owned, NULL none; the new task */
    char callback[ID_SIZE];
    char *contact, *task_json;
    void (*done)(struct cmd *c, enum code code); /* the system's: told how it went; may be NULL */
    void *done_ctx;
};

/* One entry in memory. */
struct item {
    int64_t seq, at_ms, prev;  /* prev: what a shopper had been shown before it */
    int64_t before;            /* the entry before it, where an epoch began between them; else -1 */
    enum kind kind;
    bool shown;                /* a shopper may see it */
    char person[ID_SIZE];
    char ref[ID_MAX + 1];
    char *frame;               /* as sent to staff */
    uint32_t frame_n, tail_at; /* where the tail begins in it */
    char *shopper_tail;        /* NULL: the tail as it stands */
    struct frame *staff, *shopper; /* made when first sent, dropped after the fan-out */
};

/* An answer that waits for its place in the order of seq. */
struct answer {
    int64_t seq, at_ms, prev;
    char re[ID_MAX + 1];
    char *extra; /* further members, `,"chat":…`; owned; NULL none */
};

/* A sync or chat.open whose entries are on their way. */
struct sync {
    struct sync *next;
    char re[ID_MAX + 1];
    bool card; /* chat.open: the answer carries it */
};

#define SUB_SYNCS_MAX 16

struct sub {
    struct conn *conn;
    struct slot *slot;     /* NULL: asleep, with its cursor at the head */
    struct asleep *asleep;
    int64_t cursor;     /* seq of the last entry sent */
    int64_t stop;       /* sync: say ok at this head; 0 none */
    bool is_reading;    /* older entries are on their way from Redis */
    bool is_full;       /* the outbox is full: ws_drained goes on */
    struct answer *answers;
    unsigned answers_n, answers_cap;
    int64_t read_at;    /* the cursor when they were asked for */
    struct sync *syncs; /* to answer when cursor reaches stop, oldest first */
    struct sub *next_of_slot, *next_of_conn;
};

/* What is left here of a chat that ended and is still watched (app_sleep.c). */
struct asleep {
    char chat[ID_SIZE];
    struct sub *subs; /* never NULL */
};

struct slot {
    struct app *app;
    struct chat chat;
    bool is_loaded, is_loading, is_busy, is_stepping, is_gone; /* is_gone: not in Redis */
    bool is_behind;      /* another node wrote: read before deciding */
    bool read_again;     /* and did so while it was being read */
    bool is_unread;      /* for slot_when_loaded()'s callback: Redis could not be asked */
    bool must_reindex;   /* entries of others came between ours: write the whole index */
    bool index_rests;    /* that was refused: the sweep tries again */
    int64_t stored;      /* entries of the log that are folded in: the place in Redis's list of the next one */
    int64_t read_from;   /* the place that the read under way began at */
    struct item *ring;   /* SLOT_RING, SLOT_RING_MAX at most, in order of seq */
    unsigned ring_n, ring_cap;
    size_t ring_bytes;   /* what hangs on its entries */
    struct cmd *first, *last; /* commands that wait */
    struct cmd *requeued;     /* the last of this batch that waits again: those behind it come behind it */
    unsigned batch_left; /* answers of Redis still awaited */
    unsigned awaited;    /* others that come back to this slot: slot_when_loaded(), and what keeps a command of its */
    struct sub *subs;
    struct chat_index index; /* what Redis holds, as last written or read (strings: see index_keep) */
    char index_queue[64], index_hold[ID_SIZE], index_also[ID_SIZE], index_asked[ID_SIZE], index_handed[ID_SIZE];
    char index_alert[ID_SIZE], index_open[ID_SIZE];
    char reader[ID_SIZE];  /* the handler who said last what they have read, and up to where: for this memory's time */
    int64_t read, shopper_read; /* shopper_read: and the shopper */
    int64_t used_at_ms;
    int64_t position, eta_s, told_place_ms; /* last told to the shopper, and when */
    bool tell_queue;    /* chat.start was answered: its place follows */
};

#define STUCK_MAX 4
struct stuck {
    char chat[ID_SIZE]; /* "" none */
    char id[ID_MAX + 1];
};

/* One for each connection, thousands of which are idle: what few have stands behind pointers, and the small fields stand together. */
struct conn {
    struct app *app;
    struct net_conn *net;
    struct conn *prev_all, *next_all;
    struct conn *next_of_person, *next_guest; /* next_guest: app_guests.c */
    char *name;                           /* conn_set_name(); never NULL */
    char *page;                           /* NULL: not said */
    struct sub *subs;
    struct cmd *held_first, *held_last;
    struct slot *flight_slot;             /* what all of the flight is about; NULL: something else */
    struct stuck *stuck;                  /* chats in which an answer is unknown (PROMISES 2.2), STUCK_MAX of them; NULL: none was */
    double tokens;
    int64_t tokens_at_ms;
    int64_t ends_at_ms;                   /* uv_now() when the session or token runs out; 0: never */
    uint32_t password_version;            /* of a session: its place in the account's log; 0: a token */
    unsigned roles;
    uint16_t held_n, flight_n, aside_n;   /* aside_n: of the flight, those that nobody waits for */
    bool is_staff, is_ready, is_dead, is_helloing, is_paused;
    bool is_joined;                       /* shopper, on the first of the person's connections: presence stands in Redis */
    bool is_visitor;                      /* shopper: had done nothing that lasts when they said hello; the token stands in Redis for a while only */
    bool watches_board;
    unsigned char secret[AUTH_DIGEST_BYTES]; /* digest of the session or token it came with; shopper: of the own token */
    char person[ID_SIZE];
    char open[ID_SIZE], last[ID_SIZE];    /* shopper: open chat, last chat */
    char locale[36], class_[8];           /* class_: from a signed identity, "vip" or "urgent"; "" none */
    char address[];                       /* as it is counted: net_address_group() */
};

/* A staff member as this node knows them. */
struct member {
    struct people_rep rep;
    struct conn *conns;      /* on this node */
    bool is_loaded, is_loading;
    bool is_stale;           /* its log is to be read again: more was said meanwhile, or the reading failed */
    bool is_awaited;         /* one of app.people_left */
    bool is_ending;          /* the shift's end is under way: no new offers */
    bool is_missing;         /* an offer was missed: no new ones until it is counted, and a pause that follows is written */
    bool present_elsewhere;
    bool is_read;            /* nothing of what matching looks at has changed since app.reps_n, as far as known (app_reps.c) */
    uint64_t touched;        /* app.looks_n when this node last did something to them: looks up to that one don't know of it */
    bool is_there;           /* present on some node, as Redis had it then */
    uint64_t told;           /* hash of the presence that was told last */
    int64_t seq_read;
};

/* Shoppers with connections here: each one's first connection, in chains. */
struct guests {
    struct conn **first;
    uint32_t n, cap; /* shoppers; chains, a power of two */
};

/* The rules' numbers that only the shell needs. */
struct spans {
    int64_t overflow_ms; /* from when on the fallback department helps (rule 1.3) */
    int64_t gone_ms;     /* a shopper who waits and is offline for so long has left (rule 1.5) */
    int64_t grace_ms;    /* how long a handler without a connection keeps the chat (rule 2.8) */
};

struct department {
    const struct config_department *cfg;
    struct chat_rules rules;           /* the site's, with the department's own numbers and words */
    struct spans spans;                /* so */
    bool is_dirty, is_matching;        /* matching */
    bool has_more;                     /* the last look left somebody with room, and chats that it did not come to */
    int64_t denied_at_ms;              /* uv_now() of the last look that a guard's no led to */
    bool is_walking;                   /* those behind the queue's head are being looked at */
    int64_t walked_at_ms, walk_from;   /* uv_now() when that began last; how far it came, 0: to the end, or nobody has room */
    struct member **reps;              /* who serve it; reps_of(), as of app.accounts_n */
    unsigned reps_n;
    uint64_t reps_of;
    bool queue_dirty, is_counting;     /* positions */
    int64_t gap_ms, last_take_ms;      /* expected wait */
    int64_t waiting, longest_since_ms;
    int64_t told_waiting, told_longest_ms, staff_told_at_ms; /* to staff */
    bool staff_late;                   /* who may hear more soon */
    int64_t counted_at_ms;
    int64_t far_from, far_till;        /* app_places.c: the place that its walk goes on at, 0: none; and how far it goes */
    unsigned far_walks;
    bool far_dirty;                    /* places changed behind it */
    bool far_rest;                     /* the last walk didn't go to the end */
    int64_t far_longest_ms;            /* since when the one waits that waits longest of those it met */
    char far_longest[ID_SIZE];
};

/* What is wrong, by name (app_state.c says what each does to chats). */
enum app_state_name {
    STATE_REDIS_AWAY,
    STATE_REDIS_WEAK,
    STATE_REDIS_OLD,
    STATE_REDIS_NEWER,
    STATE_REDIS_REFUSES,
    STATE_REDIS_FULL,
    STATE_DATA_LOST,
    STATE_ARCHIVE_BEHIND,
    STATE_ARCHIVE_AWAY,
    STATE_ARCHIVE_FULL,
    STATE_ARCHIVE_REFUSED,
    STATE_DISK_LOW,
    STATE_DISK_OUT,
    STATE_ARCHIVE_DISK_LOW,
    STATE_MEMORY_HIGH,
    STATE_CLOCK,
    STATE_TIMERS_STUCK,
    STATE_DRAINING,
    APP_STATE_N
};
struct app_state {
    int64_t since_ms; /* epoch ms; 0: it doesn't hold */
    char why[320];
};
enum app_chats { CHATS_OPEN, CHATS_NO_NEW, CHATS_STOPPED };
struct app_disk {
    const char *what;
    double free_bytes, total; /* total 0: not known */
    bool is_looking;
};
enum { DISK_LIVE, DISK_ARCHIVE, DISK_N };

struct app {
    uv_loop_t *loop;
    struct config *cfg;
    struct app_options opt;
    const char *site;                  /* its name */
    char node[64];
    struct net *net, *metrics_net;
    struct http *http;
    struct minder *minder;
    struct link *link;
    struct archive *archive;
    struct jobs_feed *feed;            /* NULL: the archive is another node's */
    struct jobs_free *freer;           /* as feed */
    struct kb *kb;
    struct app_kb *kb_live;            /* app_kb.h */
    unsigned works, checks;            /* requests on worker threads; of these passwords that are checked */
    struct auth_guard *guard, *shopper_calls; /* logins; what shoppers ask over HTTP */
    struct chat_rules rules;           /* the site's: the sections' with its own numbers and words */
    struct spans spans;                /* so */
    const char **canned;               /* NULL-terminated; texts borrowed */
    struct protocol_limits limits;
    struct decision decision;
    struct pool cmds, flights;         /* of struct cmd, struct flight */
    struct map slots;                  /* chat id → struct slot */
    struct map asleep;                 /* chat id → struct asleep; of these none is in slots */
    uint32_t sweep_at;                 /* where in slots the sweep that is under way goes on; 0: none is */
    struct map members;                /* rep id → struct member */
    uint64_t accounts_n;               /* grows when an account was read */
    uint64_t looks_n;                  /* sent */
    int64_t reps_n;                    /* number of the last change that the picture of the reps has in it, -1 none (app_reps.c) */
    struct guests guests;
    uint32_t visitor_bucket;           /* of guests: where shopper_tick() goes on */
    struct map tasks;                  /* open ones, as last seen on the list: id → struct task (app_task_list.c) */
    uint64_t tasks_looks;
    bool tasks_looking, tasks_again;   /* the list is being read; and once more then */
    char tasks_checked[40];            /* the life of the data in which it was compared with the archive */
    struct conn *conns, *conns_last;   /* staff in front, shoppers behind */
    unsigned conns_n;
    struct department *departments, **departments_by_name;
    unsigned departments_n;
    bool departments_stir;             /* one became dirty in this turn */
    uv_timer_t beat, tick, drain;
    uint64_t ticks, drain_until_ms;
    int64_t trim_at_ms;                /* uv_now() when memory is given back next */
    int64_t started_at_ms;
    unsigned ending_left;
    struct map starts;                 /* address → chats begun in this hour */
    uv_signal_t sigterm, sigint, sighup;
    bool is_up, is_ready, was_ready, is_draining, timers_busy, printed_ready, archive_elsewhere;
    struct app_state states[APP_STATE_N];
    enum app_chats chats;              /* what the states leave of it */
    bool tell_staff, tell_shoppers;    /* that has changed, and they don't know yet */
    struct app_disk disk[DISK_N];
    size_t resident_bytes;             /* as looked at last; 0: not yet, or there is no limit */
    int64_t behind_since_ms;           /* uv_now() since the archive lags, 0: it doesn't */
    char archive_id[64];               /* of this node's file */
    char archive_node[64];             /* who has the archive */
    bool archive_node_lives;           /* it beats */
    bool archive_looking;              /* its head is being compared */
    char archive_refused[200];         /* why this node's file isn't taken, "" it is */
    int64_t archive_rows_said;
    unsigned people_left;              /* members that are awaited: listed, and not read since; 0 also before the list has come */
    char redis_refuses[240];           /* what Redis said to the last beat, "" it took it */
    uint32_t ids_at;                   /* whose remembered ids are looked at next: a place in members */
    bool people_read;
    int exit_code;
    char exit_why[480];
    int64_t changed_n;                 /* slow beat's cursor on the changed set */
    bool changed_unknown;              /* a chat that isn't in memory was among those it has passed in this look */
    struct map peers;                  /* node → struct peer (app_nodes.c) */
    unsigned others_n;                 /* other nodes that beat */
    uint64_t beats;
    bool has_beaten;                   /* Redis has this node's beat, unless somebody took it away; since it was last up */
    bool alive_said;                   /* since Redis is up */
    struct map timers_tried;           /* those that were due in the last look (app_timers.c) */
    char timer_stuck[ID_SIZE + 32];    /* the last one that couldn't be decided and was set back, */
    int64_t timer_stuck_at_ms;         /* and when, uv_now(); 0 never */
    int64_t outage_from_ms, outage_till_ms; /* when the site was away last, 0: never since the start */
    int64_t beaten_ms;
    uint64_t commits, refusals;
    char epoch[40];                    /* the life of the data that this node's memory is of; "" none yet */
    struct repair *repairs_resting;    /* of them, those that go on when Redis takes writes again */
    unsigned repairs_left;             /* chats that are being put back, + 1 while they are being listed */
    unsigned boards;                   /* rounds of the live board */
    uint64_t epochs, put_back, lost;   /* new epochs met, entries put back, entries known to be gone for good */
    int64_t hole_at_ms;                /* uv_now() when the last hole was found, 0 never */
};

/* What the settings say of a class. */
const struct config_class *app_class(const struct app *a, enum class class_);

static inline int64_t app_now_ms(const struct app *a)
{
    return link_now_ms(a->link);
}

/* The time as of this chat: no earlier than its last entry, whose time is Redis's and may be a round trip ahead of ours. */
static inline int64_t slot_now_ms(const struct slot *s)
{
    int64_t now_ms = app_now_ms(s->app);

    return now_ms > s->chat.last_at_ms ? now_ms : s->chat.last_at_ms;
}

#include "app/app_calls.h"

#endif

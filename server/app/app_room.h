/*
 * app_room: what the files of this room share: the running server's parts. Inside the room only.
 *
 *   app      one process: loop, parts, sites' worth of people and chats
 *   conn     one connection of a shopper or a staff member, and what it has under way
 *   slot     one chat in memory: fold, recent entries, commands that wait, who watches
 *   sub      one connection's cursor in one chat: it is always sent "cursor → head"
 *   cmd      one command on its way: a person's, or the system's (timer, matching, loss)
 *
 * Thread  loop, but for what app_work.c hands to worker threads.
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
#define CONN_FLIGHT_MAX 64  /* commands begun and not answered */
#define SLOT_RING       256 /* recent entries kept in memory, at most */
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
    int64_t due_ms;
    char target[ID_SIZE];     /* CMD_OFFER: the chosen rep; CMD_GONE: who is gone */
    const char *why;          /* CMD_OFFER, CMD_GONE: static text */
    char *candidates;         /* CMD_OFFER, a handover to a department: raw JSON, owned */
    char *articles;           /* care step 1, owned */
    unsigned attempts;        /* decided again after a conflict */
    bool denied_self, denied_target, denied_owner, denied_handler; /* a guard said no */
    struct cmd *next;
    struct slot *slot;
    bool is_aside;            /* those behind it don't wait for it */
    /* chat.start only, owned */
    char new_chat[ID_SIZE], after_owner[ID_SIZE];
    char department[64], class_[16], after[ID_SIZE];
    const char *triage_why;
    char triage_reason[120];
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

struct sub {
    struct conn *conn;
    struct slot *slot;
    int64_t cursor;     /* seq of the last entry sent */
    int64_t stop;       /* sync: say ok at this head; 0 none */
    bool is_reading;    /* older entries are on their way from Redis */
    bool is_full;       /* the outbox is full: ws_drained goes on */
    struct answer *answers;
    unsigned answers_n, answers_cap;
    char sync_re[ID_MAX + 1]; /* "" none: the sync or chat.open to answer when cursor reaches stop */
    bool sync_card;     /* chat.open: the answer carries the card */
    struct sub *next_of_slot, *next_of_conn;
};

struct slot {
    struct app *app;
    struct chat chat;
    bool is_loaded, is_loading, is_busy, is_stepping, is_gone; /* is_gone: not in Redis */
    bool is_behind;      /* another node wrote: read before deciding */
    bool read_again;     /* and did so while it was being read */
    bool is_unread;      /* for slot_when_loaded()'s callback: Redis could not be asked */
    bool must_reindex;   /* entries of others came between ours: write the whole index */
    int64_t stored;      /* entries of the log that are folded in: the place in Redis's list of the next one */
    int64_t read_from;   /* the place that the read under way began at */
    struct item *ring;   /* SLOT_RING at most, in order of seq */
    unsigned ring_n, ring_cap;
    struct cmd *first, *last; /* commands that wait */
    struct cmd *requeued;     /* the last of this batch that waits again: those behind it come behind it */
    unsigned batch_left; /* answers of Redis still awaited */
    struct sub *subs;
    struct chat_index index; /* what Redis holds, as last written or read (strings: see index_keep) */
    char index_queue[64], index_hold[ID_SIZE], index_also[ID_SIZE], index_alert[ID_SIZE], index_open[ID_SIZE];
    int64_t used_at_ms;
    int64_t position, eta_s, told_place_ms; /* last told to the shopper, and when */
    bool tell_queue;    /* chat.start was answered: its place follows */
};

#define STUCK_MAX 4
struct stuck {
    char chat[ID_SIZE]; /* "" none */
    char id[ID_MAX + 1];
};

/* One for each connection, thousands of which are idle: what few have stands behind pointers. */
struct conn {
    struct app *app;
    struct net_conn *net;
    bool is_staff, is_ready, is_dead, is_helloing, is_paused;
    unsigned roles;
    char person[ID_SIZE];
    char *name;                           /* conn_set_name(); never NULL */
    char address[64];
    char secret_digest[AUTH_DIGEST_SIZE]; /* session or token it came with; shopper: own token */
    int64_t password_version;             /* of a session; 0: a token */
    bool must_store_token;                /* shopper: the token stands in Redis for a day only */
    char locale[36], class_[16]; /* class_: from a signed identity; "" none */
    char *page;
    char open[ID_SIZE], last[ID_SIZE];    /* shopper: open chat, last chat */
    struct sub *subs;
    struct cmd *held_first, *held_last;
    unsigned held_n, flight_n, aside_n;   /* aside_n: of the flight, those that nobody waits for */
    struct slot *flight_slot;             /* what all of the flight is about; NULL: something else */
    struct stuck *stuck;                  /* chats in which an answer is unknown (PROMISES 2.2), STUCK_MAX of them; NULL: none was */
    double tokens;
    int64_t tokens_at_ms;
    bool watches_board;
    struct conn *next_of_person, *prev_all, *next_all;
};

/* A staff member as this node knows them. */
struct member {
    struct people_rep rep;
    struct conn *conns;      /* on this node */
    bool is_loaded, is_loading, is_stale;
    bool is_ending;          /* the shift's end is under way: no new offers */
    bool present_elsewhere;
    uint64_t told;           /* hash of the presence that was told last */
    int64_t seq_read;
};

/* A shopper with connections here. */
struct guest {
    char id[ID_SIZE];
    struct conn *conns;
    bool is_joined;          /* presence stands in Redis */
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
    bool queue_dirty, is_counting;     /* positions */
    int64_t gap_ms, last_take_ms;      /* expected wait */
    int64_t waiting, longest_since_ms;
    int64_t told_waiting, told_longest_ms; /* to staff */
    int64_t counted_at_ms;
};

/* What is wrong, by name (app_state.c says what each does to chats). */
enum app_state_name {
    STATE_REDIS_AWAY,
    STATE_REDIS_WEAK,
    STATE_REDIS_NEWER,
    STATE_REDIS_FULL,
    STATE_DATA_LOST,
    STATE_ARCHIVE_BEHIND,
    STATE_ARCHIVE_AWAY,
    STATE_ARCHIVE_FULL,
    STATE_DISK_LOW,
    STATE_DISK_OUT,
    STATE_ARCHIVE_DISK_LOW,
    STATE_CLOCK,
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
    unsigned works;                    /* requests on worker threads */
    struct auth_guard *guard;
    struct chat_rules rules;           /* the site's: the sections' with its own numbers and words */
    struct spans spans;                /* so */
    const char *canned[8 + 2 * CARE_TEXT_N]; /* NULL-terminated; texts borrowed */
    struct protocol_limits limits;
    struct decision decision;
    struct pool cmds, flights;         /* of struct cmd, struct flight */
    struct map slots;                  /* chat id → struct slot */
    struct map members;                /* rep id → struct member */
    struct map guests;                 /* shopper id → struct guest */
    struct conn *conns;
    unsigned conns_n;
    struct department *departments;
    unsigned departments_n;
    uv_timer_t beat, tick, drain;
    uint64_t ticks, drain_until_ms;
    int64_t started_at_ms;
    unsigned ending_left;
    struct map starts;                 /* address → chats begun in this hour */
    uv_signal_t sigterm, sigint;
    bool is_up, is_ready, was_ready, is_draining, timers_busy, printed_ready, archive_elsewhere;
    struct app_state states[APP_STATE_N];
    enum app_chats chats;              /* what the states leave of it */
    bool tell_staff, tell_shoppers;    /* that has changed, and they don't know yet */
    struct app_disk disk[DISK_N];
    int64_t behind_since_ms;           /* uv_now() since the archive lags, 0: it doesn't */
    char archive_id[64];               /* of this node's file */
    char archive_node[64];             /* who has the archive */
    bool archive_node_lives;           /* it beats */
    bool archive_looking;              /* its head is being compared */
    char archive_refused[200];         /* why this node's file isn't taken, "" it is */
    int64_t archive_rows_said;
    unsigned people_left;              /* logs still to read at start */
    bool people_read;
    int exit_code;
    char exit_why[480];
    int64_t changed_n;                 /* slow beat's cursor on the changed set */
    struct map peers;                  /* node → struct peer (app_nodes.c) */
    unsigned others_n;                 /* other nodes that beat */
    uint64_t beats;
    bool alive_said;                   /* since Redis is up */
    int64_t outage_from_ms, outage_till_ms; /* when the site was away last, 0: never since the start */
    int64_t beaten_ms;
    uint64_t commits, refusals;
    char epoch[40];                    /* the life of the data that this node's memory is of; "" none yet */
    unsigned repairs_left;             /* chats that are being put back, + 1 while they are being listed */
    uint64_t epochs, put_back, lost;   /* new epochs met, entries put back, entries known to be gone for good */
    int64_t hole_at_ms;                /* uv_now() when the last hole was found, 0 never */
};

/* What the settings say of a class. */
const struct config_class *app_class(const struct app *a, enum class class_);

static inline int64_t app_now_ms(const struct app *a)
{
    return link_now_ms(a->link);
}

/* app_conn.c */
void conn_check(void *ctx, struct net_check *check, const struct net_head *head);
void conn_opened(void *ctx, struct net_conn *net, void *user);
void conn_text(void *ctx, struct net_conn *net, struct str text);
void conn_drained(void *ctx, struct net_conn *net);
void conn_closed(void *ctx, struct net_conn *net, void *user);
void conn_pump(struct conn *c);
/* True if the command names no chat, so that its id is remembered in the person's record (PROMISES 2.1). */
bool cmd_is_of_person(const struct cmd *c);
/* Ends a command: frees it, lets the next one begin. */
void cmd_finish(struct cmd *c);
/* It goes on by itself: the commands behind it begin now. */
void cmd_set_aside(struct cmd *c);
struct cmd *cmd_create(struct app *a, enum chat_cmd_kind kind);
void cmd_destroy(struct cmd *c);
/* Starts one command of a connection; in app_command.c. */
void command_start(struct conn *conn, struct cmd *c);
/* Cut to what a name may have. */
void conn_set_name(struct conn *c, struct str name);
bool conn_is_stuck(struct conn *c, struct str chat, struct str id);
void conn_set_stuck(struct conn *c, struct str chat, struct str id);

/* app_answer.c */
void answer_raw(struct conn *c, struct str payload);
/* `,"seq":…,"at":…`: where an entry stands. */
void answer_write_place(struct buf *b, int64_t seq, int64_t at_ms);
/* `{"t":"ok","re":…` + extra members (each with its comma in front) + `}` */
void answer_ok(struct conn *c, struct str re, const char *extra);
void answer_error(struct conn *c, struct str re, enum code code, const char *text, int64_t retry_ms, const char *extra);
void answer_cmd_ok(struct cmd *c, const char *extra);
void answer_cmd_error(struct cmd *c, enum code code, const char *text, const char *extra);
void signal_raw(struct conn *c, uint64_t key, struct str payload);
/* To all staff of this node, one frame for all. */
void signal_staff(struct app *a, uint64_t key, struct str payload);
/* The state a conflict carries, the handler that not_handler names. */
void answer_cmd_refusal(struct cmd *c, const struct chat *chat, enum code code, const char *text);

/* app_slot.c */
struct slot *slot_get(struct app *a, struct str id);      /* makes it; not loaded yet */
struct slot *slot_find(struct app *a, struct str id);     /* NULL if not in memory */
struct slot *slot_new(struct app *a, struct str id);      /* a chat that doesn't exist yet: nothing to load */
void slot_push(struct slot *s, struct cmd *c);
void slot_run(struct slot *s);
/* Another node wrote into this log, or might have. */
void slot_refresh(struct slot *s);
/* Loads, then calls fn (at once if loaded). */
void slot_when_loaded(struct slot *s, void (*fn)(struct slot *s, void *ctx), void *ctx);
void slot_sweep(struct app *a, int64_t now_ms);
struct item *slot_item(struct slot *s, int64_t seq);
/* Takes the item's memory. */
void slot_push_item(struct slot *s, struct item *it);
/* Forgets entries and fold, as if it had not been read yet. */
void slot_forget(struct slot *s);
/* A chat left Redis for good: what is known of it goes, unless somebody watches it. */
void slot_left_redis(struct app *a, struct str id);
/* The index as it follows from the state now. */
void slot_keep_index(struct slot *s);
/* A chat that never came to be. */
void slot_discard(struct slot *s);
/* At the end of the process. */
void slot_free_all(struct app *a);
void item_fini(struct item *it);
bool item_read(struct item *it, struct str raw, struct chat *fold);

/* app_commit.c */
void commit_start(struct app *a);
void commit_begin(struct slot *s);

/* app_sub.c */
struct sub *sub_find(struct conn *c, struct slot *s);
/* Makes it, or gives the one there is; cursor only counts for a new one. */
struct sub *sub_add(struct conn *c, struct slot *s, int64_t cursor);
void sub_drop(struct sub *u);
void sub_drop_all(struct conn *c);
void sub_pump(struct sub *u);
void sub_answer(struct sub *u, const struct answer *a);
void slot_fan_out(struct slot *s);

/* app_notice.c: what people are told besides entries */
/* Compares before and after a change and tells offers, queues, subscriptions. */
struct notice {
    enum chat_state state;
    char handler[ID_SIZE], offered[ID_SIZE], transfer[ID_SIZE], consulted[ID_SIZE], alert[ID_SIZE];
    char department[64];
    int64_t head;
    int alert_level;
};
void notice_before(const struct slot *s, struct notice *n);
void notice_after(struct slot *s, const struct notice *n, bool is_ours);
/* True if an alert about this chat is this person's to act on. */
bool notice_is_for(struct app *a, const struct chat *c, const struct member *m);
/* over: the alert that is no more; NULL: the one that stands. */
void notice_write_alert(const struct chat *c, const char *over, struct buf *b);
/* True if the case is open and its owner's account closed: it stands on the lead's list (rule 2.9). */
bool notice_is_orphan(const struct slot *s);
void notice_write_offer(struct slot *s, bool is_transfer, struct buf *b);
void notice_write_row(struct slot *s, struct buf *b);
void notice_write_card(struct slot *s, struct buf *b);
void notice_write_person(struct buf *b, const char *key, const char *id, const char *name);
void notice_queue(struct slot *s, int64_t position, int64_t eta_s);

/* app_people.c */
void people_start(struct app *a);
struct member *people_find(struct app *a, struct str id);
struct member *people_by_login(struct app *a, struct str login);
void people_reload(struct app *a, struct str id);
void people_on_log(struct app *a, struct str id);
/* Reads the person's log if they aren't known yet, then calls fn (at once if known; m NULL: there is no such person). */
void people_when_known(struct app *a, struct str id, void (*fn)(void *ctx, struct member *m), void *ctx);
void people_join(struct app *a, struct conn *c);
void people_leave(struct app *a, struct conn *c);
/* Nothing is sent where what would be told is what was. */
void people_tell_presence(struct app *a, struct member *m);
/* Fills facts for a decision about a chat in this department. */
void people_fact(struct app *a, struct str id, struct str department, bool denied, struct chat_rep *out);
void people_write_list(struct app *a, struct buf *b);
const char *people_state(const struct member *m);

/* app_shift.c */
void people_shift(struct cmd *c);
/* An offer was missed: after routing.missed_pause in a row the rep is paused, and told. */
void people_missed(struct app *a, const char *id);
/* A chat was taken: the row of misses ends. */
void people_took(struct app *a, const char *id);
/*
 * A person's timers while nobody of them is connected: one grace time for each length that some department has (rule 2.8), and "away".
 * people_absence() writes their members and spans, with room left for one more.
 */
#define ABSENCE_MAX 18
struct absence {
    char member[ABSENCE_MAX][ID_SIZE + 32];
    const char *members[ABSENCE_MAX];
    int64_t ms[ABSENCE_MAX];
    unsigned n;
};
void people_absence(const struct app *a, struct str id, struct absence *out);
/* One of them is due, by its name behind the bar. */
void people_gone(struct app *a, struct str id, struct str name, int64_t due_ms);
/* An account was closed: what it handles goes to deputies (rule 2.9). */
void people_closed(struct app *a, const struct member *m);

/* app_match.c */
struct department *match_find(struct app *a, struct str name);
/* The rules' numbers in this department (NULL or unknown: the site's). */
const struct chat_rules *match_rules(struct app *a, const char *department);
const struct spans *match_spans(struct app *a, const char *department);
/* Puts what a site or a department has of its own over what stands. */
void match_take_own(const struct config_rules *own, struct chat_rules *rules, struct spans *spans);
/* True if somebody leads it: the account that the setting names, or anybody with the role there. */
bool match_has_lead(struct app *a, const struct department *d);
/* The list ["general", …] of departments that nobody leads. */
void match_write_unled(struct app *a, struct buf *b);
void match_start(struct app *a);
void match_dirty(struct app *a, struct str department);
/* One more or one less waits: kept up between the counts. */
void match_queued(struct app *a, struct str department, int by);
/* A chat left the queue: places change, nobody has more room than before. */
void match_left(struct app *a, struct str department);
/* Who of the department would be asked first now, except this person; NULL: nobody is available. candidates (or NULL): the others, and why not. */
const struct member *match_best(struct app *a, const struct department *d, const char *except, struct buf *candidates);
void match_all_dirty(struct app *a);
/* What this person's coming, going or having room may change: the departments that he serves, and those that they help out. */
void match_member_dirty(struct app *a, const struct member *m);
void match_tick(struct app *a);
void match_taken(struct app *a, struct str department, int64_t at_ms);
/* True if somebody of the department (or of its fallback) is on shift. */
bool match_is_staffed(struct app *a, const struct department *d);
/* Tells the shopper of a new chat the place it has, as far as known now. */
void match_tell_place(struct slot *s);
void match_write_queues(struct app *a, const struct conn *c, struct buf *b);

/* app_nodes.c */
void nodes_beat(struct app *a);
/* Everybody on that node is gone (on our own: those who are not here). */
void nodes_sweep(struct app *a, const char *node);
void nodes_leave(struct app *a);

/* app_repair.c: another life of the data (PROMISES 2.9) */
/* Redis is up: true if its data is of another epoch than before; then everybody is sent away and this node puts back what it has. */
bool repair_begin(struct app *a);
/* Commands and timers have to wait until this node has put back what it had. */
bool repair_is_under_way(const struct app *a);

/* app_task.c */
void task_command(struct cmd *c);
/* What a line of the list says: the task's id, and the tail of its log's first entry. False: it isn't a task. */
bool task_write_opened(struct str line, char task[ID_SIZE], struct buf *tail);
/* A task of this line is open: told to whom it is for, on every node. */
void task_tell(struct app *a, struct str line);
/*
 * app_task_call.c: a call-back that a lead decides on (rule 3.2). task_find() looks for what the shopper has left about this chat, then calls fn;
 * task_line() makes the list's line of the task that an `alert_acted` entry names, to be written in the same commit (owned by c; NULL: none
 * to make); task_begin() then opens its log and tells who it is for.
 */
void task_find(struct cmd *c, struct str chat, void (*fn)(struct cmd *c, struct str chat));
const char *task_line(struct cmd *c, const struct chat *chat, const struct entry *acted);
void task_begin(struct cmd *c);
/* True if this task (as the list of open ones has it: JSON) is this person's to see and to do. */
bool task_is_for(struct app *a, struct str json, const struct member *m);
/* Another node opened or closed it: "open ID", "done ID". */
void task_changed(struct app *a, struct str payload);

/* app_board.c */
void board_tick(struct app *a);

/* app_timers.c */
void timers_tick(struct app *a);
/* On each beat, and before the first look at what is due: the site lives (PROMISES 2.11). */
void timers_alive(struct app *a);

/* app_shopper.c, app_staff.c */
void shopper_hello(struct cmd *c);
void shopper_start(struct cmd *c);
void shopper_gone(struct app *a, struct conn *c);
void shopper_store_token(struct conn *c);
/* The department one of whose keywords the text holds; the keyword into why. NULL: none. */
const struct department *shopper_by_keyword(struct app *a, struct str text, char *why, size_t why_size);
/* The timer of a shopper with this open chat who is not connected. */
void shopper_absence(struct app *a, const char *open, struct absence *out);
void shopper_join(struct conn *c);
/* All who have an open chat here are announced again. */
void shopper_join_all(struct app *a);
void staff_hello(struct cmd *c);
/* The site's departments as a JSON list of {name,title_en,title_zh}. */
void staff_write_departments(const struct app *a, struct buf *b);
void staff_open(struct cmd *c);
void staff_open_for(struct conn *conn, struct slot *s, int64_t after, struct str re, bool card);

/* app_kb.c */
int kb_start(struct app *a, struct err *err);
void kb_stop(struct app *a);
void kb_up(struct app *a);
void kb_tick(struct app *a);
void kb_on_log(struct app *a, struct str log);
/* Answers all who wait; nothing new is taken in. */
void kb_drain(struct app *a);
void kb_command(struct cmd *c);
/* Best articles for a text on a worker thread; fn on the loop with raw JSON (list) and the best one's department and confidence. */
struct kb_ask;
void kb_ask(struct app *a, struct str text, struct str lang, bool for_shopper, unsigned max, bool with_text,
            void (*fn)(void *ctx, struct str articles, const char *department, double confidence), void *ctx);
/* Looks up what the shopper asks (or has typed so far) and tells the handler, if connected here. */
void kb_for_handler(struct slot *s, struct str text);
void kb_for_preview(struct slot *s, struct str text);

/*
 * What a secret's record says: the person, and for a session the password it was begun with ("r_… 3"; an API token: "r_…").
 * app_secret_holds() is false where that password was changed since.
 */
struct str app_secret_person(struct str record, int64_t *password_version);
bool app_secret_holds(const struct member *m, int64_t password_version);

/* app_http.c */
int app_http_start(struct app *a, struct err *err);
void app_http_request(void *ctx, struct net_http *req, const struct net_head *head, struct str body);
/* Ends the live sockets of a session or token. */
void app_close_session(struct app *a, struct str digest);
/* Counts a chat begun from this address; false over the hour's limit. */
/* Counts one for key in this hour; false above the limit (0: none). */
bool app_count_start(struct app *a, const char *key, int64_t limit);

/* app_state.c */
/* Looks at everything. What is news is told to who is connected by state_tell(). */
void state_judge(struct app *a);
void state_tell(struct app *a);
void state_look_at_disks(struct app *a);
/* welcome's `health`, where there is something to say: what is taken, for staff also why not. */
void state_write_health(const struct app *a, bool for_staff, struct buf *b);
void state_write_ready(const struct app *a, struct buf *b);
void state_write_metrics(const struct app *a, struct buf *b);
bool state_is_any(const struct app *a);

/* app_archive.c */
void app_archive_start(struct app *a);
/* On the slow beat: whose the archive is now. */
void app_archive_look(struct app *a);
/* In app.c: opens this node's file. */
int app_archive_open(struct app *a, struct err *err);

void app_fatal(struct app *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void app_check_ready(struct app *a);

#endif

/*
 * app_calls: what each file of this room does for the others. Comes with app_room.h, which says what they work on.
 *
 * Thread  loop.
 */
#ifndef APP_CALLS_H
#define APP_CALLS_H

/* app_conn.c */
void conn_check(void *ctx, struct net_check *check, const struct net_head *head);
void conn_opened(void *ctx, struct net_conn *net, void *user);
void conn_text(void *ctx, struct net_conn *net, struct str text);
void conn_drained(void *ctx, struct net_conn *net);
void conn_closed(void *ctx, struct net_conn *net, void *user);
void conn_pump(struct conn *c);
/* Once a second: closes those whose session or token has run out. */
void conn_end_sessions(struct app *a);
/* True if the command names no chat, so that its id is remembered in the person's record (PROMISES 2.1). */
bool cmd_is_of_person(const struct cmd *c);
/* Tells whose command of the system's own it was how it went; once. */
void cmd_say_done(struct cmd *c, enum code code);
/* Ends a command: frees it, lets the next one begin. Whose it was and wasn't told hears CODE_UNAVAILABLE. */
void cmd_finish(struct cmd *c);
/* It goes on by itself: the commands behind it begin now. */
void cmd_set_aside(struct cmd *c);
struct cmd *cmd_create(struct app *a, enum chat_cmd_kind kind);
void cmd_destroy(struct cmd *c);
/* Starts one command of a connection; in app_command.c. */
void command_start(struct conn *conn, struct cmd *c);
/*
 * Refuses what the person's record would remember the id of, unless it does already (PROMISES 2.1): then go_on, whose commit brings the first
 * answer. text is kept.
 */
void command_refuse(struct cmd *c, enum code code, const char *text, int64_t retry_ms, void (*go_on)(struct cmd *c));
/* Cut to what a name may have. */
void conn_set_name(struct conn *c, struct str name);
/* The secret's digest in hex, as it names the record of it. */
void conn_set_secret(struct conn *c, const char *digest);
void conn_secret(const struct conn *c, char digest[AUTH_DIGEST_SIZE]);
bool conn_is_stuck(struct conn *c, struct str chat, struct str id);
void conn_set_stuck(struct conn *c, struct str chat, struct str id);
/* An id that begins anew holds nothing back, wherever it is answered this time: it may not come to that chat again. */
void conn_repeats(struct conn *c, struct str id);
/* A chat that it asked for in vain counts as one more command. */
void conn_charge(struct conn *c);

/* app_signal.c: typing signs and read marks */
/* Of this connection: it is told to the others of the chat, on all nodes. */
void signal_command(struct conn *c, const struct msg *m);
/* Of another node's connection; json as that node made it. */
void signal_pass_on(struct app *a, struct str json);

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
struct slot *slot_awake(struct app *a, struct str id);    /* as slot_find(), but one that sleeps is woken: it is being read then */
struct slot *slot_new(struct app *a, struct str id);      /* a chat that doesn't exist yet: nothing to load */
void slot_push(struct slot *s, struct cmd *c);
void slot_run(struct slot *s);
/* Another node wrote into this log, or might have. */
void slot_refresh(struct slot *s);
/* Commands that wait for the chat are answered `unavailable`: to be repeated. */
void slot_refuse_waiting(struct slot *s, const char *why);
/* Loads, then calls fn (at once if loaded). */
void slot_when_loaded(struct slot *s, void (*fn)(struct slot *s, void *ctx), void *ctx);
/* Of a chat that doesn't exist, or not any more, nothing stays here once nobody waits for it or watches it: s may be gone then. */
void slot_let_go(struct slot *s);
/* Begins at app.sweep_at; 0 there when it has looked at all, else it is to be called again soon. */
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
/* The same, and the connection hears `not_found`: what it asked there is answered so, what it wrote with its place. */
void sub_deny(struct sub *u);
void sub_pump(struct sub *u);
/* Sends what lies behind `after`, then answers `re`; card: with the card. False: SUB_SYNCS_MAX of this chat are under way. */
bool sub_sync(struct sub *u, int64_t after, struct str re, bool card);
void sub_answer(struct sub *u, const struct answer *a);
void slot_fan_out(struct slot *s);

/* app_guests.c */
/* The first of this shopper's connections, the others behind it by next_of_person; NULL: none is here. */
struct conn *guest_conns(const struct app *a, struct str person);
/* Its person is known now. */
void guest_add(struct conn *c);
/* False: it was not in. */
bool guest_remove(struct conn *c);
/* The next shopper's first connection: begin with *bucket 0 and NULL. */
struct conn *guest_next(const struct app *a, uint32_t *bucket, struct conn *c);
void guests_fini(struct app *a);

/* app_sleep.c */
/* True if the chat has ended and all who watch it have all of it: then they can do without it. */
bool sleep_may(const struct slot *s);
/* Takes those who watch it from a slot that is about to go. */
void sleep_begin(struct slot *s);
bool sleep_has(const struct app *a, struct str chat);
/* Gives them to a slot that was just made. */
void sleep_end(struct slot *s);
/* Takes one of them out. */
void sleep_leave(struct sub *u);

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
/* As `person` is to see it. */
void notice_write_row(struct slot *s, const char *person, struct buf *b);
void notice_write_card(struct slot *s, struct buf *b);
void notice_write_person(struct buf *b, const char *key, const char *id, const char *name);
void notice_queue(struct slot *s, int64_t position, int64_t eta_s);

/* app_people.c */
/* Redis is up: all accounts are read, and who is here joins again. */
void people_start(struct app *a);
/* On a slow beat: what could not be read is asked for again. */
void people_look(struct app *a);
/* On each slow beat of the node that archives: one person's ids, then the next one's (link_forget_ids()). */
void people_forget_ids(struct app *a);
struct member *people_find(struct app *a, struct str id);
struct member *people_by_login(struct app *a, struct str login);
void people_reload(struct app *a, struct str id);
void people_on_log(struct app *a, struct str id);
/* Reads the person's log if they aren't known yet, then calls fn (at once if known; m NULL: there is no such person; not loaded: that can't be told now). */
void people_when_known(struct app *a, struct str id, void (*fn)(void *ctx, struct member *m), void *ctx);
/* The same behind what was written to their log until now, also of who is known. */
void people_when_fresh(struct app *a, struct str id, void (*fn)(void *ctx, struct member *m), void *ctx);
void people_join(struct app *a, struct conn *c);
void people_leave(struct app *a, struct conn *c);
/* On so many nodes, this one counted, a person is now. */
void people_present(struct app *a, struct str person, int nodes);
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
/* An offer was answered, by yes or no: the row of misses ends. */
void people_answered(struct app *a, const char *id);
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
/*
 * An answer of Redis says that a chat waits. Answers come in order: what was answered before a look that is under way had happened before
 * it, and needs no other look.
 */
void match_changed(struct app *a, struct str department);
/* A commit that has just been handed over makes a chat wait: the look is sent behind it, and spares the time of the answer. */
void match_ahead(struct app *a, struct str department);
/* One more or one less waits: kept up between the counts. */
void match_queued(struct app *a, struct str department, int by);
/* A chat left the queue: places change, nobody has more room than before. */
void match_left(struct app *a, struct str department);
/* The guard of an offer to this rep said no: what is known of them isn't what stands. */
void match_denied(struct app *a, struct str department, const char *rep);
/*
 * Who of the department would be asked first now for this chat, except this person; NULL: nobody can be. takes: to take it, which needs
 * room; else for advice. candidates: the others, and why not.
 */
const struct member *match_best(struct app *a, struct department *d, const struct chat *c, const char *except, bool takes, struct buf *candidates);
void match_all_dirty(struct app *a);
/* What this person's coming, going or having room may change: the departments that he serves, and those that they help out. */
void match_member_dirty(struct app *a, struct member *m);
/* The same, known by an answer of Redis (match_changed). */
void match_member_changed(struct app *a, struct member *m);
/* Departments that became dirty are looked at: in each turn of the loop that made one so, and in each tick, which also sees what was only to wait. */
void match_turn(struct app *a);
void match_tick(struct app *a);
void match_taken(struct app *a, struct str department, int64_t at_ms);
/* True if somebody of the department (or of its fallback) is on shift. */
bool match_is_staffed(struct app *a, struct department *d);
/* How many of the department's could be offered a chat. */
unsigned match_available(struct app *a, struct department *d);

/* app_reps.c; out has room for ROUTING_REASONS_MAX, no department has more */
/* Who may be given the department's chats, but for those whose shift is just ending. */
unsigned reps_of(struct app *a, struct department *d, struct member **out);
/* The same, rep.is_present as of the picture. */
unsigned reps_seen(struct app *a, struct department *d, struct member **out);
/* Of whom a look at the department has to ask. */
unsigned reps_unread(struct app *a, struct department *d, struct member **out, unsigned max);
/* What a look that asked about these has brought, by its parts (snapshot.lua). */
void reps_take(struct app *a, uint64_t number, struct member *const *asked, unsigned n, const struct redis_reply *reps, int64_t last,
               const struct redis_reply *changed);
/* This node does something to them, or hears of it by the bus: looks that are under way may be older than that. */
void reps_touch(struct app *a, struct member *m);
/* Something of this rep has changed, or may have ("": nobody). */
void reps_stale(struct app *a, const char *id);
/* A guard of this type said no to this rep: the picture says so until they are read again. */
void reps_denied(struct app *a, const char *id, enum link_guard_type type);
/* The next looks read all. */
void reps_forget(struct app *a);

/* app_places.c */
/* Counts the queue where it has changed, and tells who has another place than they know. */
void places_tick(struct app *a, struct department *d, int64_t now_ms);
/* Tells the shopper of a new chat the place it has, as far as known now. */
void places_tell_new(struct slot *s);
/* Writes [{"department","waiting","longest_since"?}, …]: how many wait in each, and since when. */
void places_write_queues(const struct app *a, struct buf *b);

/* app_nodes.c */
#define NODES_SLOW_BEATS 3 /* every third beat the changed set and the list of tasks are read, all reps, what could not be read before, and which sessions stand */
void nodes_beat(struct app *a);
/*
 * Everybody on that node is gone (on our own: those who are not here, whom a former life of it left behind, or whose leave was lost). Its beat
 * is taken away when all their leaves were answered well: till then it is swept again.
 */
void nodes_sweep(struct app *a, const char *node);
/* Reads what others have changed since the last look. */
void nodes_look(struct app *a);
void nodes_leave(struct app *a);

/* app_repair.c: another life of the data (PROMISES 2.9) */
/* Redis is up: true if its data is of another epoch than before; then everybody is sent away and this node puts back what it has. */
bool repair_begin(struct app *a);
/* What could not be put back when it was tried is tried again; from time to time. */
void repair_go_on(struct app *a);
/* The end: what still waits is let go. */
void repair_forget(struct app *a);
/* Commands and timers have to wait until this node has put back what it had. */
bool repair_is_under_way(const struct app *a);

/* app_task.c */
void task_command(struct cmd *c);
/* What a line of the list says: the task's id, and the tail of its log's first entry. False: it isn't a task. */
bool task_write_opened(struct str line, char task[ID_SIZE], struct buf *tail);
/*
 * What a task's end writes beside the entry: its line leaves the list, and its log will leave Redis when it is archived, as that of a chat that
 * ended. The writes point into ms and task.
 */
#define TASK_END_WRITES 2
void task_end_writes(const struct app *a, struct str task, char ms[24], struct link_write w[TASK_END_WRITES]);
/* A task's line as the list has it, by its log's first entry (at_ms: when). Caller frees. */
char *task_line_of(const char *task, const struct entry *e);
/*
 * app_task_call.c: a call-back that a lead decides on (rule 3.2). task_find() looks for what the shopper has left about this chat, then calls fn;
 * task_line() makes the list's line of the task that an `alert_acted` entry names, to be written in the same commit (owned by c; NULL: none
 * to make); task_begin() then opens its log and tells who it is for.
 */
void task_find(struct cmd *c, struct str chat, void (*fn)(struct cmd *c, struct str chat));
const char *task_line(struct cmd *c, const struct chat *chat, const struct entry *acted);
void task_begin(struct cmd *c);
/* True if this task (as the list of open ones has it: JSON) is this person's to see and to do. */
bool task_is_for(struct str json, const struct member *m);

/* app_task_list.c */
/* How a task's log was opened by this node, so that it can be put back; all borrowed. */
struct task_opening {
    struct str person, ref, tail; /* who, with which id (.n 0: the system, none); the entry's tail */
    int64_t seq;
};
/* It stands on the list now: whom it is for here is told. */
void tasks_opened(struct app *a, struct str id, struct str line, const struct task_opening *o);
/* Its line was read from the list. */
void tasks_listed(struct app *a, struct str line);
/* The list may have changed: it is read, and what is new or gone is told. */
void tasks_look(struct app *a);
void tasks_fini(struct app *a);

/* app_board.c */
void board_tick(struct app *a);
/* Chats of departments that somebody watches are read into memory, where they aren't: from the queues, and the lists of who serves there. */
void board_look(struct app *a);

/* app_timers.c */
void timers_tick(struct app *a);
/* Takes a timer behind whose effect no commit of its own stands, while it is due as it was read: a newer one stays, and one that isn't taken fires again. */
void timers_take(struct app *a, const char *member, int64_t due_ms);
/* On each beat, and before the first look at what is due: the site lives (PROMISES 2.11). */
void timers_alive(struct app *a);

/* app_shopper.c, app_staff.c */
void shopper_hello(struct cmd *c);
void shopper_start(struct cmd *c);
void shopper_gone(struct app *a, struct conn *c);
/* Something begins that is to last, so their token is to: also that of another of their tabs, and of one that Redis has forgotten. */
void shopper_store_token(struct conn *c);
/* Every second: the tokens of who is here and has only looked yet stay. */
void shopper_tick(struct app *a);
/* The department one of whose keywords the text holds; the keyword into why. NULL: none. */
const struct department *shopper_by_keyword(struct app *a, struct str text, char *why, size_t why_size);
/* The timer of a shopper with this open chat who is not connected. */
void shopper_absence(struct app *a, const char *open, struct absence *out);
void shopper_join(struct conn *c);
/* All who have an open chat here are announced again. */
void shopper_join_all(struct app *a);
void staff_hello(struct cmd *c);
bool staff_may_read(struct slot *s, const struct conn *c);
/* What the connection watches and may no longer read is watched no more, and it is told. */
void staff_roles_changed(struct conn *c, unsigned roles);
/* The site's departments as a JSON list of {name,title_en,title_zh}. */
void staff_write_departments(const struct app *a, struct buf *b);

/* app_history.c */
/* history: the shopper's own chats, newest first. */
void history_command(struct cmd *c);

/* app_kb.c */
int kb_start(struct app *a, struct err *err);
void kb_stop(struct app *a);
void kb_up(struct app *a);
void kb_tick(struct app *a);
void kb_on_log(struct app *a, struct str log);
/* Answers all who wait; nothing new is taken in. */
void kb_drain(struct app *a);
void kb_command(struct cmd *c);
/* What was found: JSON lists of the articles as asked for, and for staff of the same without their texts; of the best one the begin of its title. */
struct kb_found {
    struct str articles, brief;
    const char *department, *title;
    double confidence;
};
/* Best articles for a text, on a worker thread; fn on the loop. What it is given lives until it returns. */
void kb_ask(struct app *a, struct str text, struct str lang, bool for_shopper, unsigned max, bool with_text,
            void (*fn)(void *ctx, const struct kb_found *found), void *ctx);
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
/* On a slow beat: those of which it was not heard that they were ended. */
void app_look_at_sessions(struct app *a);
/* Counts one for key in this hour; false above the limit (0: none). */
bool app_count_start(struct app *a, const char *key, int64_t limit);

/* app_metrics.c, app_state.c */
void metrics_write(void *ctx, struct buf *out);
/* Looks at everything. What is news is told to who is connected by state_tell(). */
void state_judge(struct app *a);
void state_tell(struct app *a);
void state_look_at_disks(struct app *a);
/* Notes how much memory this node takes, where that has a limit. */
void state_look_at_memory(struct app *a);
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

/* app_ports.c */
int app_open_link(struct app *a, const char *url, struct err *err);
void app_minder_up(void *ctx, const char *url);
void app_minder_down(void *ctx, bool fatal, const char *why);

/* app_end.c */
void app_on_stop_signal(struct uv_signal_s *h, int signum);
/* It can't go on: all is closed in order, and the process ends with this text. The first one counts. */
void app_fatal(struct app *a, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
/* Closes what is there, net last but for Redis; the loop ends when all is. */
void app_close_rest(struct app *a);
/* When the loop has ended. */
void app_fini(struct app *a);

/* app.c */
void app_check_ready(struct app *a);

#endif

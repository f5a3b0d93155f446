/*
 * chat_decide: what chat_decide.c (people's commands) and chat_system.c (timers, matching, losses) share. Inside the room only.
 *
 * Thread  any.   Owns  nothing.
 */
#ifndef CHAT_DECIDE_H
#define CHAT_DECIDE_H

#include "base/base_json.h"
#include "chat/chat.h"

/* How far ahead of the queue a case goes that comes back (rules 2.6, 2.8): beyond every class's head start (at most a day). */
#define CHAT_AHEAD_MS (2 * 86400000)

/* Refuses: no entry, no guard. */
void decide_refuse(struct decision *d, enum code code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* A new entry from the command's person; the decision compares the head from the first entry on that raises the fence. */
struct entry *decide_add(struct decision *d, const struct chat_cmd *cmd, enum kind kind);
/* The same, and it is the entry that *is* the command. */
struct entry *decide_add_main(struct decision *d, const struct chat_cmd *cmd, enum kind kind);
/* A new entry from nobody. */
struct entry *decide_add_system(struct decision *d, const struct chat_cmd *cmd, enum kind kind);
void decide_guard(struct decision *d, struct chat_guard g);
/* The rep must be on shift and have room for this chat (or hold it already). */
void decide_guard_room(struct decision *d, const struct chat *c, const char *rep);
/* {"id","name","department"} in the decision's arena; absent parts are left out. */
struct val decide_person(struct decision *d, struct str id, struct str name, struct str department);
struct val decide_rep(struct decision *d, const struct chat_rep *r);
struct val decide_who(struct decision *d, const struct chat_who *w);
/* A new id in made_id. */
struct str decide_new_id(struct decision *d, const struct chat *c, char prefix);
void decide_queue(struct decision *d, const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r,
                  struct str department, enum class class_, bool ahead, const char *why);
/* Back into its department's queue, ahead of all who came by themselves; of a class no lower than "returning". */
void decide_queue_back(struct decision *d, const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, const char *why);
/* Rule 2.6: a proposed case is open again: to its owner, if able to take it, else back into the queue. */
void decide_reopen(struct decision *d, const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, const char *why);
/* What the machine says to the shopper: a care entry. Texts in facts may be NULL. */
void decide_say(struct decision *d, const struct chat_cmd *cmd, const struct chat_rules *r, enum care_text text, struct str locale,
                struct care_facts facts);
/* The end: the last words (rule 3.4), and how long the way back to the owner stands. */
void decide_close(struct decision *d, const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, const char *how);
/* Records the end of a handover under way, if there is one, before what ends it. */
void decide_end_transfer(struct decision *d, const struct chat *c, const struct chat_cmd *cmd, const char *why);
bool decide_is_handler(const struct chat *c, const struct chat_cmd *cmd);
/* Refuses unless the actor is the handler of an open chat (rule 2.12). */
bool decide_needs_handler(const struct chat *c, const struct chat_cmd *cmd, struct decision *d);
/* The acting rep may take a chat of this department now. */
bool decide_can_claim(const struct chat_cmd *cmd);
/* Refuses with the state as it is. */
void decide_conflict(const struct chat *c, struct decision *d, const char *why);
/* A command's field; absent: STR_NONE, VAL_NONE. */
struct str decide_msg_str(const struct chat_cmd *cmd, enum field f);
struct val decide_msg_val(const struct chat_cmd *cmd, enum field f);
/* One function a command: chat_decide_hand.c */
void decide_claim(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_accept(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_decline(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_consult(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_consult_answer(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_transfer(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_take_back(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_triage(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_reassign(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_join(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_alert_act(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
/* and chat_decide_end.c. */
void decide_refer(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_resolve(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_confirm(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_rate(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_leave(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_park(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_unpark(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_promise_add(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
void decide_promise_done(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);
/* Timers, matching, losses. */
void chat_decide_system(const struct chat *c, const struct chat_cmd *cmd, const struct chat_rules *r, struct decision *d);

#endif

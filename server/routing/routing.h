/*
 * routing: order of the queue, choice of the rep, expected wait. Pure.
 *
 * Queue order is one number: arrival time minus the class's head start, in ms; the smallest is next. Ageing needs no
 * recomputation, and nobody starves: a chat can be overtaken only by those who arrive within the largest head start after it.
 * Source  MISSION 1, rules 1.1 to 1.5; docs/rules.md.   Thread  any.
 */
#ifndef ROUTING_H
#define ROUTING_H

#include "base/base_json.h"
#include "people/people.h"

/* In order of head start (rule 1.2). */
enum class { CLASS_NORMAL, CLASS_VIP, CLASS_RETURNING, CLASS_CARE, CLASS_URGENT, CLASS_N };
const char *class_name(enum class class_);
/* CLASS_NORMAL for an unknown name. */
enum class class_from_name(struct str name);

int64_t routing_score(int64_t arrived_at_ms, int64_t head_start_ms);

struct routing_need {
    struct str department;
    struct str language;             /* "zh-CN", "en" …; .n 0: any */
    const struct people_list *skills; /* all wanted; NULL: none */
    const char *owner;               /* preferred: the case's owner; "" none */
    const char (*passed)[ID_SIZE];   /* who missed or declined it in this wait, the last one at the end */
    unsigned passed_n;
    bool is_resting;                 /* it was declined just now: who passed it is not asked again yet (rule 1.4) */
    int64_t weight;
};

/* Why a rep was or wasn't chosen, as it stands in the entry (rule 1.3). */
enum routing_why {
    WHY_CHOSEN,
    WHY_OWNER,
    WHY_OFF_SHIFT,
    WHY_PAUSED,
    WHY_AWAY,
    WHY_FULL,
    WHY_SKILL,
    WHY_LANGUAGE,
    WHY_PASSED,
    WHY_BUSIER,
    WHY_LESS_IDLE,
    WHY_NOT_OWNER, /* able, but the owner is too */
    WHY_N
};
const char *routing_why_name(enum routing_why why);

#define ROUTING_REASONS_MAX 200

struct routing_choice {
    const struct people_rep *rep; /* NULL: nobody can take it */
    enum routing_why why[ROUTING_REASONS_MAX]; /* of reps[i], for those in the department */
    bool in_department[ROUTING_REASONS_MAX];
    unsigned n;
};

/*
 * Chooses among reps the available one who is in the department, has the skills and the language and room: the owner first,
 * else the least loaded (load ÷ capacity), then the longest idle, then the smallest id. A language that nobody of the department's
 * available people with the skills speaks is not asked for. Who passed the chat already comes back only when nobody else is left and it
 * doesn't rest, and then who passed it longest ago first. The order of `reps` changes nothing.
 */
void routing_choose(const struct routing_need *need, const struct people_rep *const *reps, unsigned n, struct routing_choice *out);
/* `[{"id":…,"name":…,"why":…},…]` of the department's reps. */
void routing_write_candidates(const struct routing_choice *c, const struct people_rep *const *reps, struct buf *out);

/*
 * Expected wait in seconds of the chat at `position` (1 = next): position × the mean time between two recent takes of the department's
 * chats (routing_gap_mean), but at most position × ROUTING_GAP_MOST × handling ÷ reps: a longer mean comes from hours when nobody had
 * to wait, and says nothing of how fast a queue moves. With no history, position × handling ÷ reps. At least 1.
 */
int64_t routing_eta_s(unsigned position, int64_t take_gap_ms, unsigned reps, int64_t handling_ms);
/*
 * The new mean gap after a take `gap_ms` after the one before: a tenth of the way there, so it is that of the last twenty or so. A gap
 * of more than ROUTING_GAP_MOST means counts as so many: a night without chats moves it by a third and not a hundredfold. mean_ms 0: none yet.
 */
#define ROUTING_GAP_MOST 4
int64_t routing_gap_mean(int64_t mean_ms, int64_t gap_ms);

#endif

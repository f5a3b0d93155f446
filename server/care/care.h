/*
 * care: what a shopper who waits is owed, and when (候诊关怀). Pure.
 *
 * Step 1 at care.first_ms: the "glass of water". Step 2 at care.alert_ms: the lead is alerted, the shopper gets an explanation.
 * An alert not acted on in care.act_ms goes one level up. Each step once per wait (rule 3.3).
 * Source  MISSION 3.   Thread  any.
 */
#ifndef CARE_H
#define CARE_H

#include <stdbool.h>
#include <stdint.h>

enum care_step { CARE_NONE, CARE_WATER, CARE_ALERT, CARE_STEP_N };

struct care_times {
    int64_t first_ms, alert_ms, act_ms;
};

/* Alert levels: the department's lead, then a director, then every director and admin on shift. */
#define CARE_LEVEL_MAX 3

/* When the step after `done` is due in a wait that began at wait_since_ms; 0: no further step. */
int64_t care_next_at_ms(const struct care_times *t, int64_t wait_since_ms, enum care_step done);
/* When an open alert of `level`, raised at alerted_at_ms, goes up; 0: it is at the top. */
int64_t care_escalate_at_ms(const struct care_times *t, int64_t alerted_at_ms, int level);

#endif

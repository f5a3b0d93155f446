#include "care/care.h"

int64_t care_next_at_ms(const struct care_times *t, int64_t wait_since_ms, enum care_step done)
{
    if (wait_since_ms == 0)
        return 0;
    if (done == CARE_NONE)
        return wait_since_ms + t->first_ms;
    if (done == CARE_WATER)
        return wait_since_ms + t->alert_ms;
    return 0;
}

int64_t care_escalate_at_ms(const struct care_times *t, int64_t alerted_at_ms, int level)
{
    return level >= CARE_LEVEL_MAX || alerted_at_ms == 0 ? 0 : alerted_at_ms + t->act_ms;
}

#include "routing/routing.h"

static const char *const class_names[CLASS_N] = {"normal", "vip", "returning", "care", "urgent"};
static const char *const why_names[WHY_N] = {"chosen", "owner",    "off_shift", "paused", "away",     "full",
                                             "skill",  "language", "passed",    "busier", "less_idle"};

const char *class_name(enum class class_)
{
    return class_names[class_];
}

enum class class_from_name(struct str name)
{
    for (unsigned i = 0; i < CLASS_N; i++)
        if (str_is(name, class_names[i]))
            return (enum class)i;
    return CLASS_NORMAL;
}

const char *routing_why_name(enum routing_why why)
{
    return why_names[why];
}

int64_t routing_score(int64_t arrived_at_ms, int64_t head_start_ms)
{
    return arrived_at_ms - head_start_ms;
}

int64_t routing_weight(enum class class_)
{
    (void)class_; /* every class weighs one: capacity is counted in chats */
    return 1;
}

/* "zh" of "zh-CN". */
static struct str primary(struct str tag)
{
    for (size_t i = 0; i < tag.n; i++)
        if (tag.s[i] == '-' || tag.s[i] == '_')
            return (struct str){tag.s, i};
    return tag;
}

static bool speaks(const struct people_rep *p, struct str language)
{
    struct str want = primary(language);

    if (want.n == 0 || p->languages.n == 0)
        return true;
    for (unsigned i = 0; i < p->languages.n; i++)
        if (str_eq(primary(str_of(p->languages.item[i])), want))
            return true;
    return false;
}

static bool has_skills(const struct people_rep *p, const struct people_list *skills)
{
    for (unsigned i = 0; skills && i < skills->n; i++)
        if (!people_list_has(&p->skills, str_of(skills->item[i])))
            return false;
    return true;
}

static bool has_passed(const struct routing_need *need, const char *id)
{
    for (unsigned i = 0; i < need->passed_n; i++)
        if (strcmp(need->passed[i], id) == 0)
            return true;
    return false;
}

/* What stands against this rep, whatever the others do; WHY_CHOSEN: nothing. */
static enum routing_why obstacle(const struct routing_need *need, const struct people_rep *p, bool ask_language)
{
    if (p->disabled || p->shift == SHIFT_OFF)
        return WHY_OFF_SHIFT;
    if (p->shift == SHIFT_PAUSED)
        return WHY_PAUSED;
    if (!p->is_present)
        return WHY_AWAY;
    if (!has_skills(p, need->skills))
        return WHY_SKILL;
    if (ask_language && !speaks(p, need->language))
        return WHY_LANGUAGE;
    if (!people_has_room(p, need->weight))
        return WHY_FULL;
    return WHY_CHOSEN;
}

/* True if a is to be taken before b: less loaded, then longer idle, then by id. */
static bool is_before(const struct people_rep *a, const struct people_rep *b, enum routing_why *why)
{
    int64_t x = a->load * (b->capacity > 0 ? b->capacity : 1), y = b->load * (a->capacity > 0 ? a->capacity : 1);

    *why = WHY_BUSIER;
    if (x != y)
        return x < y;
    *why = WHY_LESS_IDLE;
    if (a->idle_since_ms != b->idle_since_ms)
        return a->idle_since_ms < b->idle_since_ms;
    return strcmp(a->id, b->id) < 0;
}

static bool takes_chats(const struct people_rep *p, struct str department)
{
    return (p->roles & (ROLE_REP | ROLE_LEAD)) && people_is_in(p, department);
}

void routing_choose(const struct routing_need *need, const struct people_rep *const *reps, unsigned n, struct routing_choice *out)
{
    bool ask_language = false, fresh = false;
    const struct people_rep *best = NULL;
    unsigned best_i = 0;
    enum routing_why why;

    if (n > ROUTING_REASONS_MAX)
        n = ROUTING_REASONS_MAX;
    out->n = n;
    for (unsigned i = 0; i < n; i++) {
        out->in_department[i] = takes_chats(reps[i], need->department);
        if (out->in_department[i] && people_is_available(reps[i]) && speaks(reps[i], need->language))
            ask_language = true;
    }
    for (unsigned i = 0; i < n; i++) {
        if (!out->in_department[i])
            continue;
        out->why[i] = obstacle(need, reps[i], ask_language);
        if (out->why[i] == WHY_CHOSEN && !has_passed(need, reps[i]->id))
            fresh = true;
    }
    for (unsigned i = 0; i < n; i++) {
        if (!out->in_department[i] || out->why[i] != WHY_CHOSEN)
            continue;
        if (fresh && has_passed(need, reps[i]->id)) {
            out->why[i] = WHY_PASSED;
            continue;
        }
        if (best && need->owner[0] && strcmp(best->id, need->owner) == 0) {
            out->why[i] = WHY_BUSIER;
        } else if (!best || (need->owner[0] && strcmp(reps[i]->id, need->owner) == 0)) {
            if (best)
                out->why[best_i] = WHY_BUSIER;
            best = reps[i];
            best_i = i;
        } else if (is_before(reps[i], best, &why)) {
            out->why[best_i] = why;
            best = reps[i];
            best_i = i;
        } else {
            out->why[i] = why;
        }
    }
    if (best && need->owner[0] && strcmp(best->id, need->owner) == 0)
        out->why[best_i] = WHY_OWNER;
    out->rep = best;
}

void routing_write_candidates(const struct routing_choice *c, const struct people_rep *const *reps, struct buf *out)
{
    json_open(out, '[');
    for (unsigned i = 0; i < c->n; i++) {
        if (!c->in_department[i])
            continue;
        json_open(out, '{');
        json_kv_s(out, "id", reps[i]->id);
        json_kv_s(out, "name", reps[i]->name);
        json_kv_s(out, "why", routing_why_name(c->why[i]));
        json_close(out, '}');
    }
    json_close(out, ']');
}

int64_t routing_eta_s(unsigned position, int64_t take_gap_ms, unsigned reps, int64_t handling_ms)
{
    int64_t each = take_gap_ms > 0 ? take_gap_ms : handling_ms / (reps > 0 ? reps : 1);
    int64_t s = ((int64_t)position * each + 999) / 1000;

    return s > 0 ? s : 1;
}

int64_t routing_gap_mean(int64_t mean_ms, int64_t gap_ms)
{
    return mean_ms <= 0 ? gap_ms : mean_ms + (gap_ms - mean_ms) / 10;
}

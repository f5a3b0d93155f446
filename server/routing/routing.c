#include "routing/routing.h"

static const char *const class_names[CLASS_N] = {"normal", "vip", "returning", "care", "urgent"};
static const char *const why_names[WHY_N] = {
    [WHY_CHOSEN] = "chosen", [WHY_OWNER] = "owner",       [WHY_OFF_SHIFT] = "off_shift", [WHY_PAUSED] = "paused",
    [WHY_AWAY] = "away",     [WHY_FULL] = "full",         [WHY_SKILL] = "skill",         [WHY_LANGUAGE] = "language",
    [WHY_PASSED] = "passed", [WHY_BUSIER] = "busier",     [WHY_LESS_IDLE] = "less_idle", [WHY_NOT_OWNER] = "not_owner",
};

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

/* 0: hasn't passed the chat; else the later, the higher. */
static unsigned passed_rank(const struct routing_need *need, const char *id)
{
    for (unsigned i = need->passed_n; i > 0; i--)
        if (strcmp(need->passed[i - 1], id) == 0)
            return i;
    return 0;
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
    if (need->is_resting && passed_rank(need, p->id))
        return WHY_PASSED;
    return WHY_CHOSEN;
}

static bool is_owner(const struct routing_need *need, const struct people_rep *p)
{
    return need->owner[0] && strcmp(p->id, need->owner) == 0;
}

/*
 * A total order of those who can take it: who hasn't passed it, then who passed it longest ago; the owner; the least loaded
 * (load ÷ capacity); the longest idle; the smallest id. *why: what decided against the one who comes later.
 */
static bool is_before(const struct routing_need *need, const struct people_rep *a, const struct people_rep *b, enum routing_why *why)
{
    int64_t x = a->load * (b->capacity > 0 ? b->capacity : 1), y = b->load * (a->capacity > 0 ? a->capacity : 1);
    unsigned p = passed_rank(need, a->id), q = passed_rank(need, b->id);

    *why = WHY_PASSED;
    if (p != q)
        return p < q;
    *why = WHY_NOT_OWNER;
    if (is_owner(need, a) != is_owner(need, b))
        return is_owner(need, a);
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
    bool ask_language = false;
    const struct people_rep *best = NULL;
    enum routing_why why;

    if (n > ROUTING_REASONS_MAX)
        n = ROUTING_REASONS_MAX;
    out->n = n;
    for (unsigned i = 0; i < n; i++) {
        out->in_department[i] = takes_chats(reps[i], need->department);
        out->why[i] = WHY_CHOSEN;
        if (out->in_department[i] && people_is_available(reps[i]) && has_skills(reps[i], need->skills) && speaks(reps[i], need->language))
            ask_language = true;
    }
    for (unsigned i = 0; i < n; i++) {
        if (!out->in_department[i])
            continue;
        out->why[i] = obstacle(need, reps[i], ask_language);
        if (out->why[i] == WHY_CHOSEN && (!best || is_before(need, reps[i], best, &why)))
            best = reps[i];
    }
    for (unsigned i = 0; i < n; i++) {
        if (!out->in_department[i] || out->why[i] != WHY_CHOSEN)
            continue;
        if (reps[i] == best)
            out->why[i] = is_owner(need, best) ? WHY_OWNER : WHY_CHOSEN;
        else if (is_before(need, best, reps[i], &why))
            out->why[i] = why;
    }
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
    int64_t alone = handling_ms / (reps > 0 ? reps : 1), each = take_gap_ms > 0 ? take_gap_ms : alone;
    int64_t s;

    if (alone > 0 && each > ROUTING_GAP_MOST * alone)
        each = ROUTING_GAP_MOST * alone;
    s = ((int64_t)position * each + 999) / 1000;

    return s > 0 ? s : 1;
}

int64_t routing_gap_mean(int64_t mean_ms, int64_t gap_ms)
{
    if (mean_ms <= 0)
        return gap_ms;
    if (gap_ms / ROUTING_GAP_MOST > mean_ms)
        gap_ms = ROUTING_GAP_MOST * mean_ms;
    return mean_ms + (gap_ms - mean_ms) / 10;
}

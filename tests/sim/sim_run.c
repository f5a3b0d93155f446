/*
 * One day by one policy: a queue of events, the reps and the chats. Header: sim.h.
 *
 * A chat waits, is on offer to one rep for a while, is taken or missed, is served and ends; or its shopper runs out of
 * patience. After each event the queues are looked at as the gateway does: a department after the other, each in the order of the policy.
 */
#include "sim.h"

#include <assert.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PASSED_MAX 32

enum what { ARRIVES, GIVES_UP, ANSWERS, ENDS, COMES_ON, BREAKS, RETURNS, GOES_OFF };

struct event {
    int64_t at_ms;
    uint64_t order; /* of two at once the one that was planned first */
    enum what what;
    unsigned who, attempt;
};

struct state {
    enum { TO_COME, WAITS, OFFERED, SERVED, OVER } is;
    int rep;
    unsigned attempts;
    int64_t score;
    int64_t eta_s, naive_s, per_slot_s; /* told on joining the queue; 0: never queued */
    char passed[PASSED_MAX][ID_SIZE];
    unsigned passed_n;
};

struct desk { /* what a department remembers */
    unsigned *queue;
    unsigned n;
    int64_t gap_ms, last_take_ms;
};

struct run {
    const struct sim_day *day;
    enum sim_policy policy;
    struct event *heap;
    unsigned heap_n, heap_max;
    uint64_t order;
    int64_t now_ms;
    struct people_rep rep[SIM_REPS];
    double used_ms[SIM_REPS], on_ms[SIM_REPS];
    int64_t used_at_ms[SIM_REPS];
    struct state *chat;
    struct desk desk[SIM_SKILLS];
    unsigned next; /* round robin */
    double handling_sum_ms;
    unsigned handled, answered, in_time, left, queued;
    double wait_sum_ms;
    double *error, *naive, *per_slot;
    unsigned errors_n;
    struct sim_result *out;
};

static const char *const names[SIM_SKILLS] = {"orders", "returns", "repairs"};

const char *sim_policy_name(enum sim_policy p)
{
    static const char *const n[SIM_POLICY_N] = {"Firstline", "round robin", "longest idle", "pure FIFO"};

    return n[p];
}

/* ---- events: a binary heap */

static bool is_before(const struct event *a, const struct event *b)
{
    return a->at_ms != b->at_ms ? a->at_ms < b->at_ms : a->order < b->order;
}

static void plan(struct run *r, int64_t at_ms, enum what what, unsigned who)
{
    struct event e = {at_ms, r->order++, what, who, what == ANSWERS || what == GIVES_UP ? r->chat[who].attempts : 0};
    unsigned i = r->heap_n++;

    assert(r->heap_n < r->heap_max);
    for (; i > 0 && is_before(&e, &r->heap[(i - 1) / 2]); i = (i - 1) / 2)
        r->heap[i] = r->heap[(i - 1) / 2];
    r->heap[i] = e;
}

static struct event take_next(struct run *r)
{
    struct event first = r->heap[0], last = r->heap[--r->heap_n];
    unsigned i = 0, k;

    while ((k = 2 * i + 1) < r->heap_n) {
        if (k + 1 < r->heap_n && is_before(&r->heap[k + 1], &r->heap[k]))
            k++;
        if (!is_before(&r->heap[k], &last))
            break;
        r->heap[i] = r->heap[k];
        i = k;
    }
    r->heap[i] = last;
    return first;
}

/* ---- reps */

/* Counts what the rep had in use until now, before it changes. */
static void account(struct run *r, unsigned rep)
{
    struct people_rep *p = &r->rep[rep];
    double span = (double)(r->now_ms - r->used_at_ms[rep]);

    if (p->shift != SHIFT_OFF) {
        r->used_ms[rep] += span * (double)p->load / (double)p->capacity;
        r->on_ms[rep] += span;
    }
    r->used_at_ms[rep] = r->now_ms;
}

static void set_load(struct run *r, unsigned rep, int change)
{
    account(r, rep);
    r->rep[rep].load += change;
    assert(r->rep[rep].load >= 0 && r->rep[rep].load <= r->rep[rep].capacity);
}

static void set_shift(struct run *r, unsigned rep, enum shift shift)
{
    account(r, rep);
    r->rep[rep].shift = shift;
}

static bool can_take(const struct run *r, unsigned rep, unsigned skill)
{
    const struct people_rep *p = &r->rep[rep];

    return people_is_available(p) && people_has_room(p, 1) && people_list_has(&p->skills, str_of(names[skill]));
}

static void count_reps(const struct run *r, unsigned skill, unsigned *reps, int64_t *capacity)
{
    *reps = 0;
    *capacity = 0;
    for (unsigned i = 0; i < SIM_REPS; i++)
        if (people_is_available(&r->rep[i]) && people_is_in(&r->rep[i], str_of(names[skill]))) {
            *reps += 1;
            *capacity += r->rep[i].capacity;
        }
}

/* ---- the policies: who gets it; -1: nobody now */

static int choose_ours(struct run *r, unsigned chat)
{
    const struct sim_chat *c = &r->day->chat[chat];
    struct people_list skills = {.n = 0};
    const struct people_rep *list[SIM_REPS];
    struct routing_choice choice;
    struct routing_need need = {.department = str_of(names[c->skill]), .skills = &skills, .owner = c->owner >= 0 ? r->rep[c->owner].id : "",
                                .passed = r->chat[chat].passed, .passed_n = r->chat[chat].passed_n, .weight = 1};

    people_list_add(&skills, str_of(names[c->skill]));
    for (unsigned i = 0; i < SIM_REPS; i++)
        list[i] = &r->rep[i];
    routing_choose(&need, list, SIM_REPS, &choice);
    return choice.rep ? (int)(choice.rep - r->rep) : -1;
}

static int choose(struct run *r, unsigned chat)
{
    unsigned skill = r->day->chat[chat].skill;
    int best = -1;

    switch (r->policy) {
    case SIM_OURS:
        return choose_ours(r, chat);
    case SIM_ROUND_ROBIN:
        for (unsigned i = 0; i < SIM_REPS; i++)
            if (can_take(r, (r->next + i) % SIM_REPS, skill)) {
                best = (int)((r->next + i) % SIM_REPS);
                r->next = (unsigned)best + 1;
                return best;
            }
        return -1;
    case SIM_LONGEST_IDLE:
        for (unsigned i = 0; i < SIM_REPS; i++)
            if (can_take(r, i, skill) && (best < 0 || r->rep[i].idle_since_ms < r->rep[best].idle_since_ms))
                best = (int)i;
        return best;
    default: /* FIFO: whoever comes first in the list */
        for (unsigned i = 0; i < SIM_REPS; i++)
            if (can_take(r, i, skill))
                return (int)i;
        return -1;
    }
}

/* ---- the queue */

static int64_t score_of(const struct run *r, unsigned chat)
{
    const struct sim_chat *c = &r->day->chat[chat];

    return r->policy == SIM_OURS ? routing_score(c->at_ms, sim_head_start_ms[c->class_]) : c->at_ms;
}

static void enqueue(struct run *r, unsigned chat)
{
    struct desk *d = &r->desk[r->day->chat[chat].skill];
    unsigned i = d->n++;

    r->chat[chat].is = WAITS;
    r->chat[chat].score = score_of(r, chat);
    for (; i > 0 && r->chat[d->queue[i - 1]].score > r->chat[chat].score; i--)
        d->queue[i] = d->queue[i - 1];
    d->queue[i] = chat;
}

static void dequeue(struct run *r, unsigned chat)
{
    struct desk *d = &r->desk[r->day->chat[chat].skill];
    unsigned i = 0;

    while (d->queue[i] != chat)
        i++;
    memmove(&d->queue[i], &d->queue[i + 1], (--d->n - i) * sizeof *d->queue);
}

/* Rule 1.2: whoever is taken while others of the department wait may have come no later than the largest head start after them. */
static void check_bound(struct run *r, unsigned chat)
{
    const struct desk *d = &r->desk[r->day->chat[chat].skill];

    for (unsigned i = 0; i < d->n; i++) {
        int64_t by = r->day->chat[chat].at_ms - r->day->chat[d->queue[i]].at_ms;

        if (by > r->out->head_start_used_ms)
            r->out->head_start_used_ms = by;
        r->out->overtaken += by > sim_head_start_ms[CLASS_URGENT];
    }
}

static void offer(struct run *r, unsigned chat, int rep)
{
    struct state *s = &r->chat[chat];
    double slow = -SIM_ANSWER_MS * log(1 - sim_draw(r->day->seed, chat, s->attempts * 2 + 1));
    bool missed = sim_draw(r->day->seed, chat, s->attempts * 2) < SIM_MISSED || slow >= SIM_OFFER_MS;

    dequeue(r, chat);
    check_bound(r, chat);
    s->is = OFFERED;
    s->rep = rep;
    set_load(r, (unsigned)rep, 1);
    r->rep[rep].idle_since_ms = r->now_ms;
    plan(r, r->now_ms + (missed ? SIM_OFFER_MS : (int64_t)slow), ANSWERS, chat);
}

static void look(struct run *r)
{
    for (unsigned k = 0; k < SIM_SKILLS; k++) {
        struct desk *d = &r->desk[k];

        for (unsigned i = 0; i < d->n;) {
            unsigned chat = d->queue[i];
            int rep = choose(r, chat);

            if (rep < 0)
                break; /* all of the department ask for the same: nobody for one is nobody for all */
            offer(r, chat, rep);
        }
    }
}

/* The expected wait, as the shopper is told on joining the queue. */
static void tell_wait(struct run *r, unsigned chat)
{
    struct state *s = &r->chat[chat];
    const struct desk *d = &r->desk[r->day->chat[chat].skill];
    int64_t handling = r->handled ? (int64_t)(r->handling_sum_ms / r->handled) : SIM_HANDLING_MS, capacity;
    unsigned position = 1, reps;

    while (d->queue[position - 1] != chat)
        position++;
    count_reps(r, r->day->chat[chat].skill, &reps, &capacity);
    s->eta_s = routing_eta_s(position, d->gap_ms, reps, handling);
    s->naive_s = (int64_t)position * handling / (reps ? reps : 1) / 1000;
    s->per_slot_s = (int64_t)position * handling / (capacity ? capacity : 1) / 1000;
    r->queued++;
}

/* ---- what happens */

static void wait_is_over(struct run *r, unsigned chat)
{
    const struct sim_chat *c = &r->day->chat[chat];
    double s = (double)(r->now_ms - c->at_ms) / 1000;

    if (s > r->out->longest_s[c->class_])
        r->out->longest_s[c->class_] = s;
}

static void take(struct run *r, unsigned chat)
{
    const struct sim_chat *c = &r->day->chat[chat];
    struct state *s = &r->chat[chat];
    struct desk *d = &r->desk[c->skill];
    double wait_ms = (double)(r->now_ms - c->at_ms), others = (double)r->rep[s->rep].load - 1;

    if (d->last_take_ms && r->now_ms > d->last_take_ms)
        d->gap_ms = routing_gap_mean(d->gap_ms, r->now_ms - d->last_take_ms);
    d->last_take_ms = r->now_ms;
    s->is = SERVED;
    wait_is_over(r, chat);
    r->answered++;
    r->in_time += wait_ms <= SIM_ANSWERED_IN_MS;
    r->wait_sum_ms += wait_ms;
    if (s->eta_s) {
        r->error[r->errors_n] = fabs((double)s->eta_s - wait_ms / 1000);
        r->naive[r->errors_n] = fabs((double)s->naive_s - wait_ms / 1000);
        r->per_slot[r->errors_n++] = fabs((double)s->per_slot_s - wait_ms / 1000);
    }
    plan(r, r->now_ms + (int64_t)((double)c->handling_ms * (1 + SIM_SLOWER * others)), ENDS, chat);
    r->handling_sum_ms += (double)c->handling_ms * (1 + SIM_SLOWER * others);
    r->handled++;
}

static void miss(struct run *r, unsigned chat)
{
    struct state *s = &r->chat[chat];

    set_load(r, (unsigned)s->rep, -1);
    if (s->passed_n == PASSED_MAX)
        memmove(s->passed[0], s->passed[1], --s->passed_n * sizeof s->passed[0]);
    memcpy(s->passed[s->passed_n++], r->rep[s->rep].id, ID_SIZE);
    s->attempts++;
    enqueue(r, chat);
}

static void answer(struct run *r, const struct event *e)
{
    struct state *s = &r->chat[e->who];
    double slow = -SIM_ANSWER_MS * log(1 - sim_draw(r->day->seed, e->who, s->attempts * 2 + 1));

    if (s->is != OFFERED || s->attempts != e->attempt)
        return;
    if (sim_draw(r->day->seed, e->who, s->attempts * 2) < SIM_MISSED || slow >= SIM_OFFER_MS)
        miss(r, e->who);
    else
        take(r, e->who);
}

static void give_up(struct run *r, unsigned chat)
{
    struct state *s = &r->chat[chat];

    if (s->is != WAITS && s->is != OFFERED)
        return;
    if (s->is == WAITS)
        dequeue(r, chat);
    else
        set_load(r, (unsigned)s->rep, -1);
    s->is = OVER;
    wait_is_over(r, chat);
    r->left++;
}

static void arrive(struct run *r, unsigned chat)
{
    plan(r, r->now_ms + r->day->chat[chat].patience_ms, GIVES_UP, chat);
    enqueue(r, chat);
    look(r);
    if (r->chat[chat].is == WAITS)
        tell_wait(r, chat);
    if (chat + 1 < r->day->chats_n)
        plan(r, r->day->chat[chat + 1].at_ms, ARRIVES, chat + 1);
}

static void happen(struct run *r, const struct event *e)
{
    switch (e->what) {
    case ARRIVES:
        arrive(r, e->who);
        return;
    case GIVES_UP:
        give_up(r, e->who);
        break;
    case ANSWERS:
        answer(r, e);
        break;
    case ENDS:
        r->chat[e->who].is = OVER;
        set_load(r, (unsigned)r->chat[e->who].rep, -1);
        break;
    case COMES_ON:
    case RETURNS:
        set_shift(r, e->who, SHIFT_ON);
        break;
    case BREAKS:
        set_shift(r, e->who, SHIFT_PAUSED);
        break;
    case GOES_OFF:
        set_shift(r, e->who, SHIFT_OFF);
        break;
    }
    look(r);
}

static int by_size(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;

    return x < y ? -1 : x > y;
}

static double median(double *v, unsigned n)
{
    qsort(v, n, sizeof *v, by_size);
    return n ? v[n / 2] : 0;
}

/* Jain's index: 1 where all use the same share of their capacity, 1 ÷ n where one rep does it all. */
static double jain(const struct run *r)
{
    double sum = 0, squares = 0;

    for (unsigned i = 0; i < SIM_REPS; i++) {
        double u = r->used_ms[i] / r->on_ms[i];

        sum += u;
        squares += u * u;
    }
    return sum * sum / (SIM_REPS * squares);
}

static void begin(struct run *r)
{
    const struct sim_day *day = r->day;

    r->heap_max = SIM_CHATS_MAX * 4 + SIM_REPS * 4;
    r->heap = mem_zalloc(r->heap_max * sizeof *r->heap);
    r->chat = mem_zalloc(day->chats_n * sizeof *r->chat);
    r->error = mem_zalloc(day->chats_n * sizeof *r->error);
    r->naive = mem_zalloc(day->chats_n * sizeof *r->naive);
    r->per_slot = mem_zalloc(day->chats_n * sizeof *r->per_slot);
    for (unsigned k = 0; k < SIM_SKILLS; k++) {
        r->desk[k].queue = mem_zalloc(day->chats_n * sizeof(unsigned));
        r->desk[k].last_take_ms = SIM_CLOSE_MS - 24 * SIM_HOUR; /* the evening before */
        r->desk[k].gap_ms = 10000;
    }
    for (unsigned i = 0; i < SIM_REPS; i++) {
        r->rep[i] = day->rep[i].p;
        r->rep[i].is_present = true;
        plan(r, day->rep[i].from_ms, COMES_ON, i);
        plan(r, day->rep[i].break_ms, BREAKS, i);
        plan(r, day->rep[i].break_ms + SIM_BREAK_MS, RETURNS, i);
        plan(r, day->rep[i].to_ms, GOES_OFF, i);
    }
    plan(r, day->chat[0].at_ms, ARRIVES, 0);
}

static void end(struct run *r)
{
    free(r->heap);
    free(r->chat);
    free(r->error);
    free(r->naive);
    free(r->per_slot);
    for (unsigned k = 0; k < SIM_SKILLS; k++)
        free(r->desk[k].queue);
}

void sim_run(const struct sim_day *day, enum sim_policy policy, struct sim_result *out)
{
    struct run r = {.day = day, .policy = policy, .out = out};

    memset(out, 0, sizeof *out);
    begin(&r);
    while (r.heap_n) {
        struct event e = take_next(&r);

        r.now_ms = e.at_ms;
        happen(&r, &e);
    }
    assert(r.answered + r.left == day->chats_n);
    out->service_level = 100.0 * r.in_time / day->chats_n;
    out->mean_s = r.wait_sum_ms / r.answered / 1000;
    out->abandoned = 100.0 * r.left / day->chats_n;
    out->queued = 100.0 * r.queued / day->chats_n;
    out->jain = jain(&r);
    out->eta_error_s = median(r.error, r.errors_n);
    out->naive_error_s = median(r.naive, r.errors_n);
    out->per_slot_error_s = median(r.per_slot, r.errors_n);
    end(&r);
}

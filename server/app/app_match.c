/* Matching: who waits, who is free; positions and expected waits. */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

#define CHATS_AT_ONCE 32     /* of a queue's head, in one look */
#define REPS_MAX      ROUTING_REASONS_MAX
#define POSITIONS_MAX 5000
#define COUNT_GAP_MS  250    /* positions of one department are told at most this often */
#define PLACES_NEAR   10     /* each step is told */
#define FAR_MS        5000
#define HANDLING_MS   240000 /* a chat's length where nothing is known yet */

void match_take_own(const struct config_rules *own, struct chat_rules *r, struct spans *spans)
{
    const struct {
        int64_t own, *to;
    } numbers[] = {
        {own->offer_ms, &r->offer_ms},         {own->silent_ms, &r->silent_ms},         {own->transfer_ms, &r->transfer_ms},
        {own->confirm_ms, &r->confirm_ms},     {own->care_first_ms, &r->care.first_ms}, {own->care_alert_ms, &r->care.alert_ms},
        {own->care_act_ms, &r->care.act_ms},   {own->return_ms, &r->return_ms},         {own->overflow_ms, &spans->overflow_ms},
        {own->gone_ms, &spans->gone_ms},       {own->grace_ms, &spans->grace_ms},
    };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i].own)
            *numbers[i].to = numbers[i].own;
    if (own->auto_accept != CONFIG_OWN_NONE)
        r->auto_accept = own->auto_accept == CONFIG_OWN_YES;
    r->words.back_ms = r->return_ms;
}

/* The site's numbers, and where the department has its own, those. */
static void set_rules(struct app *a, struct department *d)
{
    d->rules = a->rules;
    d->spans = a->spans;
    match_take_own(&d->cfg->rules, &d->rules, &d->spans);
    d->rules.words.department[CARE_EN] = d->cfg->title_en;
    d->rules.words.department[CARE_ZH] = d->cfg->title_zh;
    d->rules.words.hours = d->cfg->hours;
}

void match_start(struct app *a)
{
    a->departments_n = 0;
    free(a->departments);
    a->departments = mem_zalloc(a->cfg->departments_n * sizeof *a->departments);
    for (size_t i = 0; i < a->cfg->departments_n; i++)
        if (strcmp(a->cfg->departments[i].site, a->site) == 0) {
            struct department *d = &a->departments[a->departments_n++];

            d->cfg = &a->cfg->departments[i];
            set_rules(a, d);
        }
}

const struct chat_rules *match_rules(struct app *a, const char *department)
{
    const struct department *d = department ? match_find(a, str_of(department)) : NULL;

    return d ? &d->rules : &a->rules;
}

const struct spans *match_spans(struct app *a, const char *department)
{
    const struct department *d = department ? match_find(a, str_of(department)) : NULL;

    return d ? &d->spans : &a->spans;
}

bool match_has_lead(struct app *a, const struct department *d)
{
    const struct member *named = d->cfg->lead[0] ? people_by_login(a, str_of(d->cfg->lead)) : NULL;
    struct map_item *it;
    uint32_t i = 0;

    if (named && !named->rep.disabled)
        return true;
    while ((it = map_next(&a->members, &i))) {
        const struct member *m = it->value;

        if (m->is_loaded && !m->rep.disabled && (m->rep.roles & ROLE_LEAD) && people_is_in(&m->rep, str_of(d->cfg->name)))
            return true;
    }
    return false;
}

void match_write_unled(struct app *a, struct buf *b)
{
    json_open(b, '[');
    for (unsigned i = 0; i < a->departments_n; i++)
        if (!match_has_lead(a, &a->departments[i]))
            json_text(b, str_of(a->departments[i].cfg->name));
    json_close(b, ']');
}

struct department *match_find(struct app *a, struct str name)
{
    for (unsigned i = 0; i < a->departments_n; i++)
        if (str_is(name, a->departments[i].cfg->name))
            return &a->departments[i];
    return NULL;
}

void match_dirty(struct app *a, struct str department)
{
    struct department *d = match_find(a, department);

    if (d)
        d->is_dirty = d->queue_dirty = true;
}

void match_queued(struct app *a, struct str department, int by)
{
    struct department *d = match_find(a, department);

    if (d && d->waiting + by >= 0)
        d->waiting += by;
}

void match_left(struct app *a, struct str department)
{
    struct department *d = match_find(a, department);

    if (!d)
        return;
    d->queue_dirty = true;
    d->is_dirty = d->is_dirty || d->has_more;
}

void match_all_dirty(struct app *a)
{
    for (unsigned i = 0; i < a->departments_n; i++)
        a->departments[i].is_dirty = a->departments[i].queue_dirty = true;
}

void match_member_dirty(struct app *a, const struct member *m)
{
    for (unsigned i = 0; i < a->departments_n; i++) {
        struct department *d = &a->departments[i];

        if (!people_is_in(&m->rep, str_of(d->cfg->name)) && !(d->cfg->fallback[0] && people_is_in(&m->rep, str_of(d->cfg->fallback))))
            continue;
        d->is_dirty = true;
        d->queue_dirty = d->queue_dirty || d->waiting > 0; /* how long they wait depends on how many serve */
    }
}

void match_taken(struct app *a, struct str department, int64_t at_ms)
{
    struct department *d = match_find(a, department);

    if (!d)
        return;
    if (d->last_take_ms && at_ms > d->last_take_ms)
        d->gap_ms = routing_gap_mean(d->gap_ms, at_ms - d->last_take_ms);
    d->last_take_ms = at_ms;
}

static unsigned reps_of(struct app *a, const struct department *d, struct member **out, unsigned max)
{
    struct map_item *it;
    uint32_t i = 0;
    unsigned n = 0;

    while (n < max && (it = map_next(&a->members, &i))) {
        struct member *m = it->value;

        if (m->is_loaded && !m->is_ending && !m->rep.disabled && (m->rep.roles & (ROLE_REP | ROLE_LEAD)) && people_is_in(&m->rep, str_of(d->cfg->name)))
            out[n++] = m;
    }
    return n;
}

static bool has_shift(struct app *a, const struct department *d)
{
    struct member *m[REPS_MAX];
    unsigned n = reps_of(a, d, m, REPS_MAX);

    for (unsigned i = 0; i < n; i++)
        if (m[i]->rep.shift == SHIFT_ON)
            return true;
    return false;
}

static const struct department *fallback_of(struct app *a, const struct department *d)
{
    return d->cfg->fallback[0] ? match_find(a, str_of(d->cfg->fallback)) : NULL;
}

bool match_is_staffed(struct app *a, const struct department *d)
{
    const struct department *f = fallback_of(a, d);

    return has_shift(a, d) || (f && has_shift(a, f));
}

const struct member *match_best(struct app *a, const struct department *d, const char *except, struct buf *candidates)
{
    struct member *m[REPS_MAX];
    const struct people_rep *reps[REPS_MAX];
    struct routing_need need = {.department = str_of(d->cfg->name), .owner = "", .weight = 1};
    struct routing_choice *choice = mem_zalloc(sizeof *choice);
    const struct member *best = NULL;
    unsigned n = reps_of(a, d, m, REPS_MAX), k = 0;

    for (unsigned i = 0; i < n; i++) {
        m[i]->rep.is_present = m[i]->conns || m[i]->present_elsewhere;
        if (strcmp(m[i]->rep.id, except) != 0)
            reps[k++] = &m[i]->rep;
    }
    routing_choose(&need, reps, k, choice);
    if (choice->rep)
        best = people_find(a, str_of(choice->rep->id));
    if (candidates)
        routing_write_candidates(choice, reps, candidates);
    free(choice);
    return best;
}

/* ---- one look at a department */

struct look {
    struct app *app;
    struct department *d;
    unsigned reps_n;
    char reps[REPS_MAX][ID_SIZE];
};

struct offering {
    struct look *look;
    unsigned left;
};

static void read_rep(struct member *m, const struct redis_reply *r)
{
    m->rep.capacity = redis_reply_int(redis_reply_at(r, 1));
    m->rep.idle_since_ms = redis_reply_int(redis_reply_at(r, 2));
    m->rep.load = redis_reply_int(redis_reply_at(r, 3));
    m->rep.holds_n = (unsigned)redis_reply_int(redis_reply_at(r, 4));
    m->rep.is_present = redis_reply_int(redis_reply_at(r, 5)) > 0;
    m->present_elsewhere = m->rep.is_present && !m->conns;
    if (str_is(redis_reply_str(redis_reply_at(r, 0)), "on"))
        return;
    if (m->rep.shift == SHIFT_ON)
        m->rep.shift = str_is(redis_reply_str(redis_reply_at(r, 0)), "paused") ? SHIFT_PAUSED : SHIFT_OFF;
}

struct candidate {
    struct app *app;
    struct department *d;
    unsigned reps_n;
    char reps[REPS_MAX][ID_SIZE];
};

/* The chat has waited long enough for another department's help (routing.overflow_ms). */
static bool overflows(struct app *a, const struct department *d, const struct chat *c)
{
    return fallback_of(a, d) && c->wait_since_ms && app_now_ms(a) - c->wait_since_ms >= d->spans.overflow_ms;
}

/* Behind why nobody of the department could take it: the helping department's people. */
static void add_candidates(const struct routing_choice *choice, const struct people_rep *const *reps, struct buf *b)
{
    struct buf more;
    struct str have = buf_str(b);

    buf_init(&more, 1 << 16);
    routing_write_candidates(choice, reps, &more);
    if (have.n <= 2 || more.n <= 2) {
        if (more.n > 2) {
            buf_reset(b);
            buf_add(b, more.p, more.n);
        }
    } else {
        b->n--; /* the list's end */
        buf_add_c(b, ',');
        buf_add(b, more.p + 1, more.n - 1);
    }
    buf_fini(&more);
}

/* The chat is in memory: choose for it, and offer. */
static void offer_chat(struct slot *s, void *ctx)
{
    struct candidate *cd = ctx;
    struct app *a = cd->app;
    const struct people_rep *reps[REPS_MAX];
    struct chat *c = &s->chat;
    struct routing_need need = {.department = str_of(cd->d->cfg->name), .weight = cd->d->rules.weight[c->class_]};
    struct routing_choice *choice;
    struct people_list skills = {.n = 0};
    struct str rest = str_of(cd->d->cfg->skills), item;
    unsigned n = 0;
    bool helps;
    struct buf b;

    if (c->state != CHAT_WAITING || !c->department || strcmp(c->department, cd->d->cfg->name) != 0 || s->first || s->is_busy) {
        free(cd);
        return;
    }
    while (config_list_next(&rest, &item))
        people_list_add(&skills, item);
    for (unsigned i = 0; i < cd->reps_n; i++) {
        struct member *m = people_find(a, str_of(cd->reps[i]));

        if (m)
            reps[n++] = &m->rep;
    }
    need.language = str_of(c->locale ? c->locale : "");
    need.skills = &skills;
    need.owner = c->owner.id[0] ? c->owner.id : c->lost.id[0] ? c->lost.id : c->prefer.id;
    need.passed = c->passed;
    need.passed_n = c->passed_n;
    choice = mem_zalloc(sizeof *choice);
    routing_choose(&need, reps, n, choice);
    buf_init(&b, 1 << 16);
    helps = !choice->rep && overflows(a, cd->d, c);
    if (choice->rep || helps)
        routing_write_candidates(choice, reps, &b);
    if (helps) { /* nobody in time: the fallback department helps out */
        const struct department *f = fallback_of(a, cd->d);
        struct member *m[REPS_MAX];

        n = reps_of(a, f, m, REPS_MAX);
        for (unsigned i = 0; i < n; i++) {
            m[i]->rep.is_present = m[i]->conns || m[i]->present_elsewhere;
            reps[i] = &m[i]->rep;
        }
        need.department = str_of(f->cfg->name);
        need.skills = NULL;
        routing_choose(&need, reps, n, choice);
        add_candidates(choice, reps, &b);
    }
    if (choice->rep) {
        struct cmd *cmd = cmd_create(a, CMD_OFFER);
        struct member *m = people_find(a, str_of(choice->rep->id));
        bool owner = strcmp(choice->rep->id, need.owner) == 0;

        cmd->candidates = buf_take(&b, NULL);
        cmd->why = owner ? "owner" : str_is(need.department, cd->d->cfg->name) ? "least_loaded" : "overflow";
        snprintf(cmd->target, sizeof cmd->target, "%s", choice->rep->id);
        m->rep.load += need.weight; /* as it will be: the next chat of this look goes to somebody else */
        m->rep.idle_since_ms = app_now_ms(a);
        slot_push(s, cmd);
    }
    buf_fini(&b);
    free(choice);
    free(cd);
}

static bool has_room(struct app *a, const struct look *k)
{
    for (unsigned i = 0; i < k->reps_n; i++) {
        const struct member *m = people_find(a, str_of(k->reps[i]));

        if (m && people_is_available(&m->rep) && people_has_room(&m->rep, 1))
            return true;
    }
    return false;
}

static void on_look(void *ctx, const struct redis_reply *r)
{
    struct look *k = ctx;
    struct app *a = k->app;
    struct department *d = k->d;

    d->is_matching = false;
    if (r && redis_reply_n(r) == 4) {
        const struct redis_reply *chats = redis_reply_at(r, 2), *reps = redis_reply_at(r, 3);
        bool any;

        for (unsigned i = 0; i < k->reps_n && i < redis_reply_n(reps); i++) {
            struct member *m = people_find(a, str_of(k->reps[i]));

            if (m)
                read_rep(m, redis_reply_at(reps, i));
        }
        any = fallback_of(a, d) || has_room(a, k);
        for (size_t i = 0; any && i + 1 < redis_reply_n(chats); i += 2, any = fallback_of(a, d) || has_room(a, k)) {
            struct candidate *cd = mem_zalloc(sizeof *cd);

            cd->app = a;
            cd->d = d;
            cd->reps_n = k->reps_n;
            memcpy(cd->reps, k->reps, k->reps_n * sizeof *cd->reps);
            slot_when_loaded(slot_get(a, redis_reply_str(redis_reply_at(chats, i))), offer_chat, cd);
        }
        d->has_more = any && redis_reply_int(redis_reply_at(r, 1)) > CHATS_AT_ONCE;
    } else {
        d->is_dirty = true;
    }
    free(k);
}

static void look(struct app *a, struct department *d)
{
    struct member *m[REPS_MAX];
    const char *ids[REPS_MAX];
    struct look *k = mem_zalloc(sizeof *k);

    k->app = a;
    k->d = d;
    k->reps_n = reps_of(a, d, m, REPS_MAX);
    for (unsigned i = 0; i < k->reps_n; i++) {
        memcpy(k->reps[i], m[i]->rep.id, ID_SIZE);
        ids[i] = m[i]->rep.id;
    }
    d->is_dirty = false;
    d->is_matching = link_snapshot(a->link, str_of(d->cfg->name), CHATS_AT_ONCE, ids, k->reps_n, on_look, k) == 0;
    if (!d->is_matching)
        free(k);
}

/* ---- positions */

struct count {
    struct app *app;
    struct department *d;
};

static void tell_staff(struct app *a, struct department *d)
{
    struct buf b;

    if (d->waiting == d->told_waiting && d->longest_since_ms == d->told_longest_ms)
        return;
    d->told_waiting = d->waiting;
    d->told_longest_ms = d->longest_since_ms;
    buf_init(&b, 2048);
    buf_add_s(&b, "{\"t\":\"queue\"");
    json_kv_s(&b, "department", d->cfg->name);
    json_kv_int(&b, "waiting", d->waiting);
    if (d->longest_since_ms)
        json_kv_int(&b, "longest_since", d->longest_since_ms);
    buf_add_c(&b, '}');
    signal_staff(a, crypto_short_hash(d->cfg->name, strlen(d->cfg->name)), buf_str(&b));
    buf_fini(&b);
}

static unsigned available_reps(struct app *a, const struct department *d)
{
    struct member *m[REPS_MAX];
    unsigned n = reps_of(a, d, m, REPS_MAX), k = 0;

    for (unsigned i = 0; i < n; i++) {
        m[i]->rep.is_present = m[i]->conns || m[i]->present_elsewhere;
        k += people_is_available(&m[i]->rep);
    }
    return k;
}

/* Rule 1.5: told when the place changes, or when the wait does by more than a quarter: it is kept current, and doesn't jump. Far from
 * the front a place less says little: there it is told when it is a twentieth less, at the latest after a while. */
static void tell_place(struct slot *s, int64_t position, int64_t eta_s, int64_t now_ms)
{
    int64_t waits = eta_s > s->eta_s ? eta_s - s->eta_s : s->eta_s - eta_s;
    int64_t places = position > s->position ? position - s->position : s->position - position;
    bool moved = position > PLACES_NEAR && s->position > PLACES_NEAR && now_ms - s->told_place_ms < FAR_MS ? places * 20 > position : places > 0;

    if (!moved && waits * 4 <= s->eta_s)
        return;
    notice_queue(s, position, eta_s);
    s->told_place_ms = now_ms;
}

static void on_count(void *ctx, const struct redis_reply *r)
{
    struct count *k = ctx;
    struct app *a = k->app;
    struct department *d = k->d;
    unsigned reps = available_reps(a, d);

    free(k);
    d->is_counting = false;
    if (!r || redis_reply_type(r) != REDIS_LIST)
        return;
    d->waiting = (int64_t)redis_reply_n(r);
    d->longest_since_ms = 0;
    for (size_t i = 0; i < redis_reply_n(r); i++) {
        struct slot *s = slot_find(a, redis_reply_str(redis_reply_at(r, i)));
        int64_t position = (int64_t)i + 1;

        if (!s || !s->is_loaded)
            continue;
        if (s->chat.wait_since_ms && (!d->longest_since_ms || s->chat.wait_since_ms < d->longest_since_ms))
            d->longest_since_ms = s->chat.wait_since_ms;
        if (s->subs)
            tell_place(s, position, routing_eta_s((unsigned)position, d->gap_ms, reps, HANDLING_MS), d->counted_at_ms);
    }
    tell_staff(a, d);
}

static void count(struct app *a, struct department *d)
{
    char number[16];
    const char *argv[] = {"ZRANGE", "0", number};
    struct count *k = mem_zalloc(sizeof *k);

    snprintf(number, sizeof number, "%d", POSITIONS_MAX - 1);
    *k = (struct count){a, d};
    d->queue_dirty = false;
    d->counted_at_ms = (int64_t)uv_now(a->loop);
    d->is_counting = link_call(a->link, LINK_QUEUE, str_of(d->cfg->name), 3, argv, NULL, on_count, k) == 0;
    if (!d->is_counting)
        free(k);
}

void match_tell_place(struct slot *s)
{
    struct department *d = s->chat.department ? match_find(s->app, str_of(s->chat.department)) : NULL;
    int64_t position = d && d->waiting > 0 ? d->waiting : 1; /* itself among them */

    if (d && (s->chat.state == CHAT_WAITING || s->chat.state == CHAT_OFFERED))
        notice_queue(s, position, routing_eta_s((unsigned)position, d->gap_ms, available_reps(s->app, d), HANDLING_MS));
}

/* Once a turn of the loop: what became dirty is looked at. */
void match_tick(struct app *a)
{
    int64_t now = (int64_t)uv_now(a->loop);

    if (!link_is_up(a->link) || a->is_draining)
        return;
    for (unsigned i = 0; i < a->departments_n; i++) {
        struct department *d = &a->departments[i];

        if (d->is_dirty && !d->is_matching)
            look(a, d);
        if (d->queue_dirty && !d->is_counting && now - d->counted_at_ms >= COUNT_GAP_MS)
            count(a, d);
    }
}

void match_write_queues(struct app *a, const struct conn *c, struct buf *b)
{
    (void)c;
    json_open(b, '[');
    for (unsigned i = 0; i < a->departments_n; i++) {
        const struct department *d = &a->departments[i];

        json_open(b, '{');
        json_kv_s(b, "department", d->cfg->name);
        json_kv_int(b, "waiting", d->waiting);
        if (d->longest_since_ms)
            json_kv_int(b, "longest_since", d->longest_since_ms);
        json_close(b, '}');
    }
    json_close(b, ']');
}

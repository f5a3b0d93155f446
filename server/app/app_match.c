/* Matching: who waits, who is free. */
#include "app/app_room.h"
#include "log/log.h"

#include <stdio.h>
#include <stdlib.h>

#define CHATS_AT_ONCE 32     /* of a queue's head, in one look */
#define WALK_PAGES    32     /* so many times as many of those behind, in one walk */
#define WALK_GAP_MS   1000   /* between two walks */
#define REPS_MAX      ROUTING_REASONS_MAX
#define DENIED_GAP_MS 250    /* between two looks because the guard of an offer said no */

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

static int by_name(const void *x, const void *y)
{
    const struct department *const *p = x, *const *q = y;

    return strcmp((*p)->cfg->name, (*q)->cfg->name);
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
    free(a->departments_by_name);
    a->departments_by_name = mem_zalloc((a->departments_n + 1) * sizeof *a->departments_by_name);
    for (unsigned i = 0; i < a->departments_n; i++)
        a->departments_by_name[i] = &a->departments[i];
    qsort(a->departments_by_name, a->departments_n, sizeof *a->departments_by_name, by_name);
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

/* As strcmp(). */
static int compare(struct str name, const char *other)
{
    size_t n = strlen(other);
    int rc = memcmp(name.s, other, name.n < n ? name.n : n);

    return rc ? rc : (name.n > n) - (name.n < n);
}

/* Several times a message: by halves. */
struct department *match_find(struct app *a, struct str name)
{
    unsigned lo = 0, hi = name.n ? a->departments_n : 0;

    while (lo < hi) {
        unsigned mid = lo + (hi - lo) / 2;
        int rc = compare(name, a->departments_by_name[mid]->cfg->name);

        if (rc == 0)
            return a->departments_by_name[mid];
        if (rc < 0)
            hi = mid;
        else
            lo = mid + 1;
    }
    return NULL;
}

/* It is to be looked at: for a chat that may go to somebody, for the places of those who wait. */
static void mark(struct app *a, struct department *d, bool for_chat, bool for_places)
{
    d->is_dirty = d->is_dirty || for_chat;
    d->queue_dirty = d->queue_dirty || for_places;
    a->departments_stir = true;
}

void match_dirty(struct app *a, struct str department)
{
    struct department *d = match_find(a, department);

    if (d)
        mark(a, d, true, true);
}

void match_changed(struct app *a, struct str department)
{
    struct department *d = match_find(a, department);

    if (d)
        mark(a, d, !d->is_matching, true);
}

void match_ahead(struct app *a, struct str department)
{
    struct department *d = match_find(a, department);

    if (d)
        mark(a, d, true, false);
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

    if (d)
        mark(a, d, d->has_more, true);
}

void match_all_dirty(struct app *a)
{
    for (unsigned i = 0; i < a->departments_n; i++)
        mark(a, &a->departments[i], true, true);
}

static void member_dirty(struct app *a, struct member *m, bool is_answer)
{
    if (is_answer)
        m->is_read = false;
    else
        reps_touch(a, m);
    for (unsigned i = 0; i < a->departments_n; i++) {
        struct department *d = &a->departments[i];

        if (!people_is_in(&m->rep, str_of(d->cfg->name)) && !(d->cfg->fallback[0] && people_is_in(&m->rep, str_of(d->cfg->fallback))))
            continue;
        mark(a, d, !(is_answer && d->is_matching), d->waiting > 0); /* how long they wait depends on how many serve */
    }
}

void match_member_dirty(struct app *a, struct member *m)
{
    member_dirty(a, m, false);
}

void match_member_changed(struct app *a, struct member *m)
{
    member_dirty(a, m, true);
}

void match_taken(struct app *a, struct str department, int64_t at_ms)
{
    struct department *d = match_find(a, department);

    if (!d || at_ms <= d->last_take_ms)
        return;
    if (d->last_take_ms)
        d->gap_ms = routing_gap_mean(d->gap_ms, at_ms - d->last_take_ms);
    d->last_take_ms = at_ms;
}

static bool has_shift(struct app *a, struct department *d)
{
    struct member *m[REPS_MAX];
    unsigned n = reps_of(a, d, m);

    for (unsigned i = 0; i < n; i++)
        if (m[i]->rep.shift == SHIFT_ON)
            return true;
    return false;
}

static struct department *fallback_of(struct app *a, const struct department *d)
{
    return d->cfg->fallback[0] ? match_find(a, str_of(d->cfg->fallback)) : NULL;
}

bool match_is_staffed(struct app *a, struct department *d)
{
    struct department *f = fallback_of(a, d);

    return has_shift(a, d) || (f && has_shift(a, f));
}

/* What this chat asks of whoever takes it there; the lists are the chat's and *skills. */
static struct routing_need need_of(const struct department *d, const struct chat *c, struct people_list *skills)
{
    struct str rest = str_of(d->cfg->skills), item;

    skills->n = 0;
    while (config_list_next(&rest, &item))
        people_list_add(skills, item);
    return (struct routing_need){
        .department = str_of(d->cfg->name),
        .language = str_of(c->locale ? c->locale : ""),
        .skills = skills,
        .owner = c->owner.id[0] ? c->owner.id : c->lost.id[0] ? c->lost.id : c->prefer.id,
        .passed = c->passed,
        .passed_n = c->passed_n,
        .weight = d->rules.weight[c->class_],
    };
}

const struct member *match_best(struct app *a, struct department *d, const struct chat *c, const char *except, bool takes, struct buf *candidates)
{
    struct member *m[REPS_MAX];
    const struct people_rep *reps[REPS_MAX];
    struct people_list skills;
    struct routing_need need = need_of(d, c, &skills);
    struct routing_choice *choice = mem_zalloc(sizeof *choice);
    const struct member *best = NULL;
    unsigned n = reps_of(a, d, m), k = 0;

    if (!takes)
        need.weight = 0;
    for (unsigned i = 0; i < n; i++) {
        m[i]->rep.is_present = m[i]->conns || m[i]->present_elsewhere;
        if (strcmp(m[i]->rep.id, except) != 0)
            reps[k++] = &m[i]->rep;
    }
    routing_choose(&need, reps, k, choice);
    if (choice->rep)
        best = people_find(a, str_of(choice->rep->id));
    routing_write_candidates(choice, reps, candidates);
    free(choice);
    return best;
}

/* ---- one look at a department */

struct look {
    struct app *app;
    struct department *d;
    uint64_t number;    /* app.looks_n when it was sent */
    bool is_second;     /* the first found that others had changed too */
    unsigned asked_n;
    struct member *asked[2 * REPS_MAX]; /* the department's and the fallback department's */
};

/* So many chats of a queue, one after another: its head, or those behind. */
struct page {
    struct app *app;
    struct department *d;
    int64_t till;    /* how many of the queue stand up to its last one */
    unsigned behind; /* pages behind the head that this walk has looked at; 0: the head */
    unsigned left;   /* of its chats, those that are being read, + 1 while they are gone through */
    bool is_last;
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
static void offer(struct app *a, struct department *d, struct slot *s)
{
    struct member *m[REPS_MAX];
    const struct people_rep *reps[REPS_MAX];
    struct chat *c = &s->chat;
    struct people_list skills;
    struct routing_need need;
    struct routing_choice *choice;
    unsigned n;
    bool helps;
    struct buf b;

    if (c->state != CHAT_WAITING || !c->department || strcmp(c->department, d->cfg->name) != 0 || s->first || s->is_busy)
        return;
    need = need_of(d, c, &skills);
    n = reps_seen(a, d, m);
    for (unsigned i = 0; i < n; i++)
        reps[i] = &m[i]->rep;
    need.is_resting = c->declined_at_ms && slot_now_ms(s) - c->declined_at_ms < d->rules.offer_ms;
    choice = mem_zalloc(sizeof *choice);
    routing_choose(&need, reps, n, choice);
    buf_init(&b, 1 << 16);
    helps = !choice->rep && overflows(a, d, c);
    if (choice->rep || helps)
        routing_write_candidates(choice, reps, &b);
    if (helps) { /* nobody in time: the fallback department helps out */
        struct department *f = fallback_of(a, d);

        n = reps_seen(a, f, m);
        for (unsigned i = 0; i < n; i++)
            reps[i] = &m[i]->rep;
        need.department = str_of(f->cfg->name);
        need.skills = NULL;
        routing_choose(&need, reps, n, choice);
        add_candidates(choice, reps, &b);
    }
    if (choice->rep) {
        struct cmd *cmd = cmd_create(a, CMD_OFFER);
        struct member *chosen = people_find(a, str_of(choice->rep->id));
        bool owner = strcmp(choice->rep->id, need.owner) == 0;

        cmd->candidates = buf_take(&b, NULL);
        cmd->why = owner ? "owner" : str_is(need.department, d->cfg->name) ? "least_loaded" : "overflow";
        snprintf(cmd->target, sizeof cmd->target, "%s", choice->rep->id);
        chosen->rep.load += need.weight; /* as it will be: the next chat of this look goes to somebody else */
        chosen->rep.idle_since_ms = app_now_ms(a);
        reps_touch(a, chosen);
        slot_push(s, cmd);
    }
    buf_fini(&b);
    free(choice);
}

static bool has_room(struct app *a, struct department *d)
{
    struct member *m[REPS_MAX];
    unsigned n = reps_seen(a, d, m);

    for (unsigned i = 0; i < n; i++)
        if (people_is_available(&m[i]->rep) && people_has_room(&m[i]->rep, 1))
            return true;
    return false;
}

/* Somebody might be given who waits there, also as the department's help. */
static bool has_room_at_all(struct app *a, struct department *d)
{
    return has_room(a, d) || (fallback_of(a, d) && has_room(a, fallback_of(a, d)));
}

static void page_over(struct page *p);

static void offer_chat(struct slot *s, void *ctx)
{
    struct page *p = ctx;

    offer(p->app, p->d, s);
    page_over(p);
}

/* A page's chats, while anybody has room. */
static void offer_page(struct page *p, const struct redis_reply *chats)
{
    struct app *a = p->app;
    struct department *d = p->d;

    p->left = 1;
    for (size_t i = 0; i < redis_reply_n(chats) && (fallback_of(a, d) || has_room(a, d)); i++) {
        p->left++;
        slot_when_loaded(slot_get(a, redis_reply_str(redis_reply_at(chats, i))), offer_chat, p);
    }
    page_over(p);
}

static void on_page(void *ctx, const struct redis_reply *r)
{
    struct page *p = ctx;
    size_t n = r && redis_reply_type(r) == REDIS_LIST ? redis_reply_n(r) : 0;

    p->till += (int64_t)n;
    p->is_last = n < CHATS_AT_ONCE;
    p->left = 1;
    if (n > 0)
        offer_page(p, r);
    else
        page_over(p);
}

static bool next_page(struct page *p)
{
    char from[24], to[24];
    const char *argv[] = {"ZRANGE", from, to};

    snprintf(from, sizeof from, "%lld", (long long)p->till);
    snprintf(to, sizeof to, "%lld", (long long)p->till + CHATS_AT_ONCE - 1);
    p->behind++;
    return link_call(p->app->link, LINK_QUEUE, str_of(p->d->cfg->name), 3, argv, NULL, on_page, p) == 0;
}

/* Whether a walk may begin now, and where: behind the head, or where the last one had to stop. */
static bool begin_walk(struct page *p)
{
    struct department *d = p->d;
    int64_t now = (int64_t)uv_now(p->app->loop);

    if (d->is_walking || now - d->walked_at_ms < WALK_GAP_MS)
        return false; /* the beat looks again */
    d->is_walking = true;
    d->walked_at_ms = now;
    if (d->walk_from > p->till)
        p->till = d->walk_from;
    return true;
}

/*
 * One of its chats was looked at. Where somebody has room whom nobody of these could be given to (they speak another language, or weigh
 * too much), those behind are looked at too.
 */
static void page_over(struct page *p)
{
    struct department *d = p->d;
    bool goes_on;

    if (--p->left > 0)
        return;
    goes_on = !p->is_last && has_room_at_all(p->app, d) && (p->behind > 0 || begin_walk(p));
    if (goes_on && p->behind < WALK_PAGES && next_page(p))
        return;
    if (p->behind > 0) {
        d->is_walking = false;
        d->walk_from = goes_on ? p->till : 0;
    }
    free(p);
}

static void offer_head(struct app *a, struct department *d, const struct redis_reply *chats, int64_t waiting)
{
    struct page *p = mem_zalloc(sizeof *p);

    *p = (struct page){.app = a, .d = d, .till = (int64_t)redis_reply_n(chats), .is_last = waiting <= CHATS_AT_ONCE};
    offer_page(p, chats);
    d->has_more = waiting > CHATS_AT_ONCE && (fallback_of(a, d) || has_room(a, d));
}

/* Of whom the picture isn't what stands. */
static unsigned unread(struct app *a, struct department *d, struct member *out[2 * REPS_MAX])
{
    struct department *f = fallback_of(a, d);
    unsigned n = reps_unread(a, d, out, REPS_MAX);

    return f ? n + reps_unread(a, f, out + n, REPS_MAX) : n;
}

static void look(struct app *a, struct department *d, bool is_second);

static void on_look(void *ctx, const struct redis_reply *r)
{
    struct look *k = ctx;
    struct app *a = k->app;
    struct department *d = k->d;
    struct member *more[2 * REPS_MAX];

    d->is_matching = false;
    a->departments_stir = true; /* it may have become dirty meanwhile */
    if (r && redis_reply_n(r) == 5) {
        reps_take(a, k->number, k->asked, k->asked_n, redis_reply_at(r, 2), redis_reply_int(redis_reply_at(r, 3)), redis_reply_at(r, 4));
        if (!k->is_second && redis_reply_int(redis_reply_at(r, 0)) > 0 && unread(a, d, more) > 0)
            look(a, d, true);
        else
            offer_head(a, d, redis_reply_at(r, 1), redis_reply_int(redis_reply_at(r, 0)));
    } else {
        log_warn("app", "can't look who waits department=%s why=\"%.*s\"", d->cfg->name, STR_FMT(r ? redis_reply_str(r) : STR("no answer")));
        /* the beat looks again: asked again at once, a Redis that refuses would be asked without pause */
    }
    free(k);
}

static void look(struct app *a, struct department *d, bool is_second)
{
    struct look *k = mem_alloc(sizeof *k);
    const char *ids[2 * REPS_MAX];

    k->app = a;
    k->d = d;
    k->is_second = is_second;
    k->number = ++a->looks_n;
    k->asked_n = unread(a, d, k->asked);
    for (unsigned i = 0; i < k->asked_n; i++)
        ids[i] = k->asked[i]->rep.id;
    d->is_dirty = false;
    link_flush(a->link); /* what was decided so far stands before it is looked at */
    d->is_matching = link_snapshot(a->link, str_of(d->cfg->name), CHATS_AT_ONCE, a->reps_n, ids, k->asked_n, on_look, k) == 0;
    if (!d->is_matching)
        free(k);
}

void match_denied(struct app *a, struct str department, const char *rep)
{
    struct department *d = match_find(a, department);
    int64_t now = (int64_t)uv_now(a->loop);

    reps_stale(a, rep);
    if (!d || now - d->denied_at_ms < DENIED_GAP_MS)
        return; /* the beat looks again */
    d->denied_at_ms = now;
    mark(a, d, true, false);
}

unsigned match_available(struct app *a, struct department *d)
{
    struct member *m[REPS_MAX];
    unsigned n = reps_of(a, d, m), k = 0;

    for (unsigned i = 0; i < n; i++) {
        m[i]->rep.is_present = m[i]->conns || m[i]->present_elsewhere;
        k += people_is_available(&m[i]->rep);
    }
    return k;
}

void match_turn(struct app *a)
{
    if (a->departments_stir)
        match_tick(a);
}

void match_tick(struct app *a)
{
    int64_t now = (int64_t)uv_now(a->loop);

    if (!link_is_up(a->link) || a->is_draining)
        return;
    a->departments_stir = false;
    for (unsigned i = 0; i < a->departments_n; i++) {
        struct department *d = &a->departments[i];

        if (d->is_dirty && !d->is_matching)
            look(a, d, false);
        places_tick(a, d, now);
    }
}

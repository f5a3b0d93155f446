/*
 * random_watch: the run of test_random.c as it is watched: a witness that reads the log and knows nothing of the fold, and what must
 * hold after each step.
 */
#ifndef RANDOM_WATCH_H
#define RANDOM_WATCH_H

#include "archive/archive_fold.h"
#include "chat/chat_store.h"

#define REPS 6
#define SHOPPERS 8
#define SLOW_NODES 3

/* What the log says of one chat, told by an eye that knows nothing of the fold. */
struct witness {
    char owner[ID_SIZE], handler[ID_SIZE];
    bool waits, has_water, has_alert, is_reopened;
    bool has_acted; /* somebody has acted on the alert, and the shopper isn't told yet */
    unsigned greeted, farewells;
    bool asked_in;             /* the shopper was told that the rep was reminded, since the last reply that counts */
    int64_t fired_ms[TIMER_N]; /* due time of the last firing */
    int64_t missed_until_ms;
};

struct run {
    struct store s;
    struct witness w[STORE_CHATS];
    struct store_commit slow[SLOW_NODES]; /* decided on another node, and still on the way */
    bool is_slow[SLOW_NODES];
    unsigned char digest[CRYPTO_HASH_BYTES]; /* of all frames of the sequence */
    uint64_t seed, x;
    unsigned step;
    const char *what;
    unsigned refused[CODE_N], by_guard, by_fence, by_head, moves[CHAT_STATE_N][CHAT_STATE_N], kinds[KIND_N], fired[TIMER_N];
};

static struct run run;

#define CHECK(cond, ...)                                                                                                \
    do {                                                                                                                \
        if (!(cond)) {                                                                                                  \
            print_error("FIRSTLINE_SEED=%llu, step %u, %s: ", (unsigned long long)run.seed, run.step, run.what);       \
            print_error(__VA_ARGS__);                                                                                   \
            fail_msg("%s", #cond);                                                                                      \
        }                                                                                                               \
    } while (0)

static inline uint32_t rnd(uint32_t n)
{
    run.x += 0x9e3779b97f4a7c15ULL;
    uint64_t z = run.x;

    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return (uint32_t)((z ^ (z >> 31)) % n);
}

static inline bool one_in(uint32_t n)
{
    return rnd(n) == 0;
}

/* --- the witness */

static inline void read_id(void *ctx, struct str key, struct val v)
{
    if (str_is(key, "id") && v.type == VAL_STR && v.s.n < ID_SIZE) {
        memcpy(ctx, v.s.s, v.s.n);
        ((char *)ctx)[v.s.n] = 0;
    }
}

static inline void id_of(const struct entry *e, enum field f, char out[ID_SIZE])
{
    out[0] = 0;
    if (e->f[f].type == VAL_JSON)
        json_each_member(e->f[f].s, read_id, out);
}

static inline void witness_handler(struct witness *w, const struct entry *e, enum field f)
{
    id_of(e, f, w->handler);
    w->waits = false;
}

static inline void witness_wait(struct witness *w)
{
    w->handler[0] = 0;
    if (!w->waits)
        w->has_water = w->has_alert = false;
    w->waits = true;
}

static inline bool is_why(const struct entry *e, const char *why)
{
    return e->f[FIELD_WHY].type == VAL_STR && str_is(e->f[FIELD_WHY].s, why);
}

static inline void witness_message(struct witness *w, const struct entry *e)
{
    bool counts = e->f[FIELD_COUNTS].type == VAL_NONE;

    if (!(e->from_role & ROLE_STAFF))
        return;
    CHECK(w->handler[0] && str_is(e->from.id, w->handler), "%.*s wrote, handler %s\n", STR_FMT(e->from.id), w->handler);
    CHECK(!counts || w->owner[0], "a reply that counts has made no owner\n");
    if (counts)
        w->asked_in = false;
}

/* rule 3.4: greeted once, seen off once, checked in on once for each silence. False: it is a step of the wait. */
static inline bool witness_care(struct witness *w, const struct entry *e)
{
    if (str_is(e->f[FIELD_STEP].s, "greeting")) {
        CHECK(++w->greeted == 1, "greeted twice\n");
    } else if (str_is(e->f[FIELD_STEP].s, "farewell")) {
        CHECK(++w->farewells == 1, "seen off twice\n");
    } else if (str_is(e->f[FIELD_STEP].s, "checkin")) {
        CHECK(w->handler[0] && !w->asked_in, "checked in out of turn, handler '%s'\n", w->handler);
        w->asked_in = true;
    } else if (str_is(e->f[FIELD_STEP].s, "explained") || str_is(e->f[FIELD_STEP].s, "callback")) {
        CHECK(w->has_acted && w->waits, "told of an act that nobody did\n");
        w->has_acted = false;
    } else {
        return false;
    }
    return true;
}

static inline void on_entry(void *ctx, struct store *s, struct store_chat *sc, enum chat_state before, const struct entry *e)
{
    struct witness *w = &run.w[sc - s->chat];
    char id[ID_SIZE];

    (void)ctx;
    run.kinds[e->kind]++;
    run.moves[before][sc->c.state]++;
    CHECK(chat_state_may_move(before, sc->c.state), "%s → %s by %s\n", chat_state_name(before), chat_state_name(sc->c.state),
          kind_table[e->kind].name);
    CHECK(before != CHAT_CLOSED || sc->c.state == CHAT_CLOSED, "closed is not final\n");
    CHECK(e->seq == sc->c.head && sc->c.head == sc->frames_n, "seq %lld, head %lld\n", (long long)e->seq, (long long)sc->c.head);
    switch (e->kind) {
    case KIND_STARTED:
    case KIND_QUEUED:
    case KIND_HANDLER_LOST:
        witness_wait(w);
        break;
    case KIND_REOPENED:
        w->is_reopened = true;
        if (is_why(e, "quick_return"))
            witness_wait(w);
        break;
    case KIND_ASSIGNED:
        witness_handler(w, e, FIELD_TO);
        break;
    case KIND_TRANSFERRED:
    case KIND_TAKEN_BACK:
    case KIND_REASSIGNED:
    case KIND_HANDLER_BACK:
        witness_handler(w, e, FIELD_HANDLER);
        break;
    case KIND_OWNED:
        id_of(e, FIELD_OWNER, id);
        CHECK(!w->owner[0], "%s owned it, now %s\n", w->owner, id);
        CHECK(strcmp(id, w->handler) == 0, "owner %s is not the handler %s\n", id, w->handler);
        memcpy(w->owner, id, sizeof id);
        break;
    case KIND_MESSAGE:
        witness_message(w, e);
        break;
    case KIND_ALERT_ACTED:
        CHECK(w->has_alert && w->waits, "acted on no alert\n");
        w->has_acted = true;
        break;
    case KIND_CARE:
        if (witness_care(w, e))
            break;
        CHECK(w->waits, "care for somebody who doesn't wait\n");
        if (str_is(e->f[FIELD_STEP].s, "water")) {
            CHECK(!w->has_water, "water twice in a wait\n");
            w->has_water = true;
        } else {
            CHECK(w->has_water && !w->has_alert, "the explanation out of turn\n");
            w->has_alert = true;
        }
        break;
    case KIND_ABANDONED:
    case KIND_CLOSED:
        w->waits = false;
        break;
    default:
        break;
    }
    CHECK(strcmp(w->owner, sc->c.owner.id) == 0, "owner %s, the fold says %s\n", w->owner, sc->c.owner.id);
    if (chat_state_is_open(sc->c.state))
        CHECK(strcmp(w->handler, sc->c.handler.id) == 0, "handler %s, the fold says %s\n", w->handler, sc->c.handler.id);
    CHECK((sc->c.wait_since_ms != 0) == w->waits, "wait since %lld\n", (long long)sc->c.wait_since_ms);
}

/* --- what must hold after each step */

static inline void check_place(const struct store_chat *sc)
{
    const struct chat *c = &sc->c;
    const int64_t *due = sc->due_ms;
    bool waits = c->state == CHAT_WAITING, offered = c->state == CHAT_OFFERED, proposed = c->state == CHAT_PROPOSED,
         parked = c->state == CHAT_PARKED, served = c->state == CHAT_ASSIGNED || c->state == CHAT_ACTIVE,
         open = chat_state_is_open(c->state);

    CHECK(waits == (sc->queue[0] != 0), "%s stands in queue '%s'\n", chat_state_name(c->state), sc->queue);
    CHECK(!waits || strcmp(sc->queue, c->department) == 0, "queue %s, department %s\n", sc->queue, c->department);
    CHECK(offered == (c->offered_to.id[0] != 0), "%s, on offer to '%s'\n", chat_state_name(c->state), c->offered_to.id);
    CHECK(offered == (due[TIMER_OFFER] != 0), "offer's deadline\n");
    CHECK(!open || (served || proposed || parked) == (c->handler.id[0] != 0), "%s with handler '%s'\n", chat_state_name(c->state),
          c->handler.id);
    CHECK(proposed == (due[TIMER_CONFIRM] != 0), "%s, confirm due %lld\n", chat_state_name(c->state), (long long)due[TIMER_CONFIRM]);
    CHECK(parked == (due[TIMER_PARK] != 0), "%s, parked until %lld\n", chat_state_name(c->state), (long long)due[TIMER_PARK]);
    CHECK((waits || offered) == (c->wait_since_ms != 0), "%s waits since %lld\n", chat_state_name(c->state), (long long)c->wait_since_ms);
    CHECK(due[TIMER_TRANSFER] == 0 || served, "a handover in state %s\n", chat_state_name(c->state));
    CHECK((due[TIMER_CARE] != 0) == ((waits || offered) && c->care_done != CARE_ALERT), "care due %lld\n", (long long)due[TIMER_CARE]);
    CHECK(due[TIMER_ALERT] == 0 || c->alert[0], "no alert goes up\n");
    CHECK(!c->alert[0] || waits || offered, "an alert in state %s\n", chat_state_name(c->state));
    CHECK(!served || (due[TIMER_SILENT] != 0) == (c->unanswered_since_ms != 0), "silent due %lld\n", (long long)due[TIMER_SILENT]);
    CHECK(strcmp(sc->hold, offered ? c->offered_to.id : open ? c->handler.id : "") == 0, "%s held by '%s'\n", chat_state_name(c->state),
          sc->hold);
    CHECK(strcmp(sc->alert, open ? c->alert : "") == 0, "alert %s, index %s\n", c->alert, sc->alert);
    CHECK(strcmp(sc->also, open && c->owner.id[0] && strcmp(c->owner.id, sc->hold) != 0 ? c->owner.id : "") == 0,
          "owner %s, held by %s, also on the list of '%s'\n", c->owner.id, sc->hold, sc->also);
    CHECK(strcmp(sc->asked, open && strcmp(c->consulted, sc->hold) != 0 && strcmp(c->consulted, sc->also) != 0 ? c->consulted : "") == 0,
          "asked '%s', on the list of '%s'\n", c->consulted, sc->asked);
    CHECK(!c->transfer_to.id[0] || strcmp(c->transfer_to.id, sc->handed) == 0 || strcmp(c->transfer_to.id, sc->also) == 0 ||
              strcmp(c->transfer_to.id, sc->asked) == 0,
          "handed to '%s', on the list of '%s'\n", c->transfer_to.id, sc->handed);
    CHECK(!sc->handed[0] || (strcmp(sc->handed, sc->hold) != 0 && c->transfer_until_ms), "handed to '%s' who has it\n", sc->handed);
    CHECK(sc->weight == (offered || served ? run.s.rules.weight[c->class_] : 0), "%s weighs %lld\n", chat_state_name(c->state), (long long)sc->weight);
    for (unsigned t = 0; t < TIMER_N; t++)
        CHECK(open || t == TIMER_PROMISE || due[t] == 0, "%s, and %s due\n", chat_state_name(c->state), chat_timer_name((enum chat_timer)t));
    CHECK(open == (sc->open[0] != 0), "%s, open for '%s'\n", chat_state_name(c->state), sc->open);
    CHECK(sc->fence == c->fence, "fence %lld, the fold says %lld\n", (long long)sc->fence, (long long)c->fence);
}

static inline void check_all(const struct store *s)
{
    int open[SHOPPERS] = {0};

    for (unsigned i = 0; i < s->chats_n; i++) {
        const struct store_chat *sc = &s->chat[i];

        check_place(sc);
        if (sc->open[0])
            CHECK(++open[sc->shopper] == 1, "shopper %u has two open chats\n", sc->shopper);
    }
    for (unsigned i = 0; i < s->reps_n; i++)
        CHECK(store_load(s, s->rep[i].id, -1) <= s->rep[i].capacity, "%s holds %lld of %lld\n", s->rep[i].id,
              (long long)store_load(s, s->rep[i].id, -1), (long long)s->rep[i].capacity);
}

static inline bool who_is(const struct chat_who *a, const struct chat_who *b)
{
    return strcmp(a->id, b->id) == 0 && (a->name == b->name || (a->name && b->name && strcmp(a->name, b->name) == 0));
}

static inline bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && strcmp(a, b) == 0);
}

static inline bool is_archived_as(const struct archive_who *a, const struct chat_who *o)
{
    return strcmp(a->id, o->id) == 0 && same_text(a->name, o->name);
}

static inline bool has_tag(const struct archive_chat *a, const char *tag)
{
    for (unsigned i = 0; i < a->tags_n; i++)
        if (!a->tags[i].dropped && strcmp(a->tags[i].text, tag) == 0)
            return true;
    return false;
}

/* What lists and rights in the archive go by is what the chat itself says. */
static inline void check_archived(const struct archive_chat *a, const struct chat *o)
{
    unsigned kept = 0;

    CHECK(a->state == o->state && a->messages == o->messages && a->rating == o->rating && a->started_ms == o->started_at_ms &&
              a->ended_ms == o->ended_at_ms,
          "archived as %s, it is %s\n", chat_state_name(a->state), chat_state_name(o->state));
    CHECK(same_text(a->department, o->department), "archived in %s, it is in %s\n", a->department, o->department);
    CHECK(is_archived_as(&a->owner, &o->owner), "archived as owned by '%s', it is by '%s'\n", a->owner.id, o->owner.id);
    CHECK(is_archived_as(&a->handler, &o->handler), "archived as handled by '%s', it is by '%s'\n", a->handler.id, o->handler.id);
    CHECK(is_archived_as(&a->shopper, &o->shopper), "archived as '%s''s, it is '%s''s\n", a->shopper.id, o->shopper.id);
    for (unsigned i = 0; i < a->tags_n; i++)
        kept += !a->tags[i].dropped;
    CHECK(kept == o->tags_n, "archived with %u tags, it has %u\n", kept, o->tags_n);
    for (unsigned i = 0; i < o->tags_n; i++)
        CHECK(has_tag(a, o->tags[i]), "archived without the tag %s\n", o->tags[i]);
}

/* The stored frames, read and folded anew, give the same state and the same index; and the archive's fold of them agrees. */
static inline void check_refold(const struct store *s, const struct store_chat *sc)
{
    struct chat c, copy;
    const struct chat *o = &sc->c;
    struct chat_index ix;
    struct archive_chat *archived = archive_chat_create();

    chat_init(&c, sc->c.id);
    for (unsigned i = 0; i < sc->frames_n; i++) {
        struct entry e;
        struct err err;

        CHECK(entry_read(str_of(sc->frame[i]), &e, &err) == 0, "%s\n", err.text);
        CHECK(e.seq == (int64_t)i + 1, "frame %u has seq %lld\n", i, (long long)e.seq);
        chat_apply(&c, &e);
        archive_chat_apply(archived, &e);
        entry_fini(&e);
    }
    check_archived(archived, o);
    archive_chat_destroy(archived);
    CHECK(c.head == o->head && c.fence == o->fence && c.shown == o->shown && c.state == o->state, "head, fence, state\n");
    CHECK(who_is(&c.owner, &o->owner) && who_is(&c.handler, &o->handler) && who_is(&c.shopper, &o->shopper) &&
              who_is(&c.offered_to, &o->offered_to) && who_is(&c.transfer_to, &o->transfer_to) && who_is(&c.lost, &o->lost),
          "people\n");
    CHECK(same_text(c.department, o->department) && same_text(c.summary, o->summary) && same_text(c.last_text, o->last_text) &&
              same_text(c.card_summary, o->card_summary) && same_text(c.closed_how, o->closed_how) &&
              same_text(c.transfer_card, o->transfer_card) && same_text(c.card_verified, o->card_verified),
          "texts\n");
    CHECK(memcmp(&c.proof, &o->proof, sizeof c.proof) == 0 && c.passed_n == o->passed_n && c.readers_n == o->readers_n &&
              c.promises_n == o->promises_n && c.tags_n == o->tags_n && c.class_ == o->class_ && c.messages == o->messages,
          "lists\n");
    CHECK(memcmp(c.passed, o->passed, sizeof c.passed) == 0 && memcmp(c.readers, o->readers, sizeof c.readers) == 0, "passed, readers\n");
    chat_index(&c, &s->rules, &ix);
    CHECK(memcmp(ix.due_ms, sc->due_ms, sizeof ix.due_ms) == 0 && same_text(ix.queue ? ix.queue : "", sc->queue) &&
              same_text(ix.hold ? ix.hold : "", sc->hold) && same_text(ix.also ? ix.also : "", sc->also) &&
              same_text(ix.asked ? ix.asked : "", sc->asked) && same_text(ix.handed ? ix.handed : "", sc->handed) && same_text(ix.open ? ix.open : "", sc->open) && ix.score == sc->score,
          "index\n");
    chat_copy(&copy, &c);
    chat_fini(&c); /* the copy stands alone */
    CHECK(who_is(&copy.owner, &o->owner) && same_text(copy.department, o->department) && same_text(copy.last_text, o->last_text) &&
              (copy.promises_n == 0 || same_text(copy.promise[0].text, o->promise[0].text)),
          "copy\n");
    chat_fini(&copy);
}

#endif

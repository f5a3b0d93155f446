/* What stands in the logs, told by an eye of its own, and what must hold of it. */
#include "commits.h"

#include <stdio.h>
#include <stdlib.h>

#define TRUTHS 64
#define EPOCH_STEP 1000000

static struct truth truths[TRUTHS];
static unsigned truths_n;

void truth_reset(void)
{
    for (unsigned i = 0; i < truths_n; i++) {
        chat_fini(&truths[i].fold);
        free(truths[i].fact);
    }
    memset(truths, 0, sizeof truths);
    truths_n = 0;
}

struct truth *truth_of(const char *chat)
{
    for (unsigned i = 0; i < truths_n; i++)
        if (strcmp(truths[i].id, chat) == 0)
            return &truths[i];
    return NULL;
}

struct truth *truth_at(unsigned i)
{
    return i < truths_n ? &truths[i] : NULL;
}

int64_t truth_find(const struct truth *t, const char *person, const char *ref)
{
    for (unsigned i = t->n; i-- > 0;)
        if (strcmp(t->fact[i].ref, ref) == 0 && strcmp(t->fact[i].person, person) == 0)
            return t->fact[i].seq;
    return 0;
}

const struct fact *truth_next(const struct truth *t, int64_t seq, bool staff)
{
    unsigned lo = 0, hi = t->n;

    while (lo < hi) {
        unsigned mid = (lo + hi) / 2;

        if (t->fact[mid].seq <= seq)
            lo = mid + 1;
        else
            hi = mid;
    }
    while (lo < t->n && !staff && !t->fact[lo].shown)
        lo++;
    return lo < t->n ? &t->fact[lo] : NULL;
}

static struct truth *begin(const char *chat)
{
    struct truth *t = &truths[truths_n++];

    if (truths_n == TRUTHS)
        broken("more chats than anybody began");
    snprintf(t->id, sizeof t->id, "%s", chat);
    chat_init(&t->fold, chat);
    return t;
}

static void keep(char *to, size_t size, struct str s)
{
    snprintf(to, size, "%.*s", STR_FMT(s));
}

/* What one sender writes bears rising ids: "w3-17". */
static void check_order(const struct truth *t, const struct fact *f)
{
    size_t n = strcspn(f->ref, "-") + 1;

    for (unsigned i = f->ref[0] && !client_was_denied(f->ref) ? t->n : 0; i-- > 0;) {
        const struct fact *g = &t->fact[i];

        if (strncmp(g->ref, f->ref, n) != 0 || client_was_denied(g->ref))
            continue;
        if (atol(g->ref + n) >= atol(f->ref + n))
            broken("%s seq %lld: %s stands behind %s", t->id, (long long)f->seq, f->ref, g->ref);
        return;
    }
}

/* Rule 2.2 and 2.3, by the log alone. */
static void check_rules(struct truth *t, const struct fact *f, const struct entry *e)
{
    if (e->kind == KIND_MESSAGE && e->from_role == ROLE_SHOPPER)
        t->asked_seq = f->seq;
    if (e->kind == KIND_MESSAGE && (e->from_role & ROLE_STAFF)) {
        if (strcmp(t->fold.handler.id, f->person) != 0)
            broken("%s seq %lld: %s writes, and %s is the handler", t->id, (long long)f->seq, f->person,
                   t->fold.handler.id);
        t->answered_seq = f->seq;
    }
    if (e->kind == KIND_RESOLUTION_PROPOSED && t->answered_seq < t->asked_seq)
        broken("%s seq %lld: resolved as answered, and seq %lld is a question without an answer", t->id,
               (long long)f->seq, (long long)t->asked_seq);
    if (e->kind == KIND_OWNED && t->fold.owner.id[0])
        broken("%s seq %lld: a second owner", t->id, (long long)f->seq);
}

/* seq grows by one; the first one of another epoch is the next multiple of a million, + 1 (PROMISES 2.9). */
static void check_seq(struct truth *t, int64_t seq)
{
    int64_t last = t->n ? t->fact[t->n - 1].seq : 0;
    const char *epoch = store_get("fl:{default}:epoch", NULL);
    bool same = !t->n || strcmp(t->epoch, epoch) == 0;

    if (seq != (same ? last + 1 : (last / EPOCH_STEP + 1) * EPOCH_STEP + 1))
        broken("%s: seq %lld behind %lld, %s epoch", t->id, (long long)seq, (long long)last, same ? "the same" : "another");
    snprintf(t->epoch, sizeof t->epoch, "%s", epoch);
}

void truth_append(const char *key, struct str raw)
{
    const char *chat = strstr(key, ":l:");
    struct link_stored st;
    struct truth *t;
    struct entry e;
    struct fact f = {.seq = 0};
    enum chat_state before;

    if (!chat || !link_stored_read(raw, &st) || entry_read(st.frame, &e, NULL) != 0)
        broken("%s: what was appended can't be read: %.*s", key, STR_FMT(raw));
    chat += 3;
    t = truth_of(chat) ? truth_of(chat) : begin(chat);
    f.seq = e.seq;
    f.prev = st.prev;
    f.shown = st.shown;
    f.kind = e.kind;
    keep(f.person, sizeof f.person, st.person);
    keep(f.ref, sizeof f.ref, st.ref);
    check_seq(t, f.seq);
    if (f.prev != t->shown)
        broken("%s seq %lld: prev %lld, and %lld was shown before it", t->id, (long long)f.seq,
               (long long)f.prev, (long long)t->shown);
    if (e.at_ms < t->at_ms)
        broken("%s seq %lld: older than the one before it", t->id, (long long)f.seq);
    if (f.ref[0] && truth_find(t, f.person, f.ref))
        broken("%s seq %lld: %s of %s stands twice", t->id, (long long)f.seq, f.ref, f.person);
    check_order(t, &f);
    if (client_was_refused(f.ref))
        broken("%s seq %lld: %s stands, and was refused", t->id, (long long)f.seq, f.ref);
    check_rules(t, &f, &e);
    before = t->fold.state;
    chat_apply(&t->fold, &e);
    if (!chat_state_may_move(before, t->fold.state))
        broken("%s seq %lld: %s → %s", t->id, (long long)f.seq, chat_state_name(before),
               chat_state_name(t->fold.state));
    if (f.shown)
        t->shown = f.seq;
    t->at_ms = e.at_ms;
    if (t->n == t->cap) {
        t->cap = t->cap ? t->cap * 2 : 64;
        t->fact = mem_realloc(t->fact, t->cap * sizeof *t->fact);
    }
    t->fact[t->n++] = f;
    counts.entries++;
    entry_fini(&e);
}

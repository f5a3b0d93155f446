/*
 * Another life of the data (PROMISES 2.9): Redis stands where it stood some time ago, or is another server.
 * This node goes through the chats it has in memory; what it had shown or acknowledged and the log lacks it
 * puts back, each entry with its author and its id, as the log's next entries. Everybody is sent away
 * meanwhile: who comes back is told by `prev` what stands.
 *
 * The first entry that differs decides: all of ours behind the last that is equal is missing, but for what
 * another node (or its author) has written again already. What lies before our memory is lost, and said.
 */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

#define AGAIN_MAX 300 /* looks in a row without anything put back by us: others are at it */

/* One chat on its way back. */
struct repair {
    struct slot *slot;
    struct item *had; /* what this node had of it, oldest first; taken from here as it is put back */
    unsigned had_n, next;
    int64_t head;       /* where it stood by our memory */
    int64_t first_lost; /* seq behind the last entry that is equal; 0: nothing is */
    unsigned again;
    bool whole; /* memory held all of it */
    bool lost;  /* something of it can't be put back */
    bool over;  /* it ended long ago: it may have left Redis */
    struct repair *next_resting;
};

static void look(struct repair *r);
static void put_next(struct repair *r);

bool repair_is_under_way(const struct app *a)
{
    return a->repairs_left > 0;
}

static void one_less(struct app *a)
{
    if (--a->repairs_left > 0)
        return;
    if (a->lost > 0 || a->put_back > 0)
        a->hole_at_ms = (int64_t)uv_now(a->loop);
    log_error("app", "this node has put back what it had epoch=%s put_back=%llu lost=%llu", a->epoch,
              (unsigned long long)a->put_back, (unsigned long long)a->lost);
    app_check_ready(a);
    match_all_dirty(a);
}

static void free_had(struct repair *r)
{
    for (unsigned i = 0; i < r->had_n; i++)
        item_fini(&r->had[i]);
    free(r->had);
    free(r);
}

static void finish(struct repair *r)
{
    struct app *a = r->slot->app;
    struct slot *s = r->slot;

    a->lost += r->lost;
    free_had(r);
    s->is_loading = false;
    s->must_reindex = s->is_loaded && s->chat.head > 0;
    one_less(a);
    slot_run(s);
}

/* Redis went again, or takes nothing now: repair_go_on() looks anew, with what is left to put back. */
static void rest(struct repair *r)
{
    struct app *a = r->slot->app;

    r->next_resting = a->repairs_resting;
    a->repairs_resting = r;
}

/* ---- what stands */

static struct str tail_of(const struct item *it)
{
    return (struct str){it->frame + it->tail_at, it->frame_n - it->tail_at};
}

static bool is_equal(const struct item *a, const struct item *b)
{
    struct str x = tail_of(a), y = tail_of(b);

    return x.n == y.n && memcmp(x.s, y.s, x.n) == 0 && strcmp(a->person, b->person) == 0 &&
           strcmp(a->ref, b->ref) == 0;
}

/* An entry that stands, against ours: the same place and the same bytes, or put back already. */
static void cross_off(struct repair *r, const struct item *stands)
{
    for (unsigned i = 0; i < r->had_n; i++) {
        struct item *it = &r->had[i];

        if (!it->frame || !is_equal(it, stands))
            continue;
        if (it->seq == stands->seq && it->at_ms == stands->at_ms) { /* and so do all before it */
            for (unsigned k = 0; k <= i; k++)
                item_fini(&r->had[k]);
            r->next = i + 1;
            r->first_lost = 0;
            return;
        }
        if (stands->seq / CHAT_EPOCH_STEP > it->seq / CHAT_EPOCH_STEP) {
            item_fini(it);
            return;
        }
    }
}

static void on_live(void *ctx, const struct redis_reply *list)
{
    struct repair *r = ctx;
    struct slot *s = r->slot;
    int64_t stands_till = 0;

    if (!list || redis_reply_type(list) != REDIS_LIST) {
        rest(r);
        return;
    }
    slot_forget(s);
    s->is_loaded = true;
    s->stored = (int64_t)redis_reply_n(list);
    for (size_t i = 0; i < redis_reply_n(list); i++) {
        struct item it;

        if (item_read(&it, redis_reply_str(redis_reply_at(list, i)), &s->chat)) {
            if (it.seq <= r->head)
                stands_till = it.seq;
            cross_off(r, &it);
            slot_push_item(s, &it);
        }
        item_fini(&it);
    }
    s->is_gone = s->chat.head == 0;
    s->is_behind = false;
    slot_keep_index(s); /* as it stands beside this log */
    if (s->chat.head == 0 && r->over) { /* not lost: the archive has it whole, and nobody misses it here */
        r->next = r->had_n;
        finish(r);
        return;
    }
    if (!r->whole && r->next == 0 && r->had_n && r->had[0].seq > stands_till + 1) {
        log_error("app", "entries are lost chat=%s from=%lld till=%lld", s->chat.id,
                  (long long)stands_till + 1, (long long)r->had[0].seq - 1);
        r->lost = true;
    }
    put_next(r);
}

/* ---- putting back */

/* Folds in what was put back, as the log has it now. */
static void apply(struct repair *r, struct item *it, const struct link_result *res)
{
    struct slot *s = r->slot;
    struct item now = {.seq = res->first,
                       .at_ms = res->at_ms,
                       .kind = it->kind,
                       .shown = it->shown,
                       .prev = res->shown,
                       .before = -1};
    struct str tail = tail_of(it);
    struct entry e;
    struct buf b;
    size_t n;

    if (res->first != s->chat.head + 1)
        now.before = s->chat.head;
    buf_init(&b, 1 << 20);
    buf_printf(&b, "{\"t\":\"event\",\"chat\":\"%s\",\"seq\":%lld,\"at\":%lld,", s->chat.id,
               (long long)now.seq, (long long)now.at_ms);
    now.tail_at = (uint32_t)b.n;
    buf_add_str(&b, tail);
    now.frame = buf_take(&b, &n);
    now.frame_n = (uint32_t)n;
    memcpy(now.person, it->person, sizeof now.person);
    memcpy(now.ref, it->ref, sizeof now.ref);
    now.shopper_tail = it->shopper_tail;
    it->shopper_tail = NULL;
    if (entry_read((struct str){now.frame, now.frame_n}, &e, NULL) == 0)
        chat_apply(&s->chat, &e);
    entry_fini(&e);
    s->stored++;
    slot_push_item(s, &now);
    s->is_gone = false;
}

static void on_put(void *ctx, const struct link_result *res)
{
    struct repair *r = ctx;
    struct item *it = &r->had[r->next];

    switch (res->status) {
    case LINK_DONE:
        apply(r, it, res);
        r->slot->app->put_back++;
        item_fini(it);
        r->next++;
        r->again = 0;
        put_next(r);
        break;
    case LINK_SEEN: /* its author was quicker */
        item_fini(it);
        look(r);
        break;
    case LINK_MOVED:
        look(r);
        break;
    default:
        log_warn("app", "an entry can't be put back yet chat=%s seq=%lld why=\"%.*s\"", r->slot->chat.id,
                  (long long)it->seq, STR_FMT(res->why));
        rest(r);
    }
}

/* The message of chat.start: its id is remembered with the shopper. */
static bool is_start(const struct repair *r, const struct item *it)
{
    return it->kind == KIND_MESSAGE && it->ref[0] && it->person[0] == 's' && r->slot->chat.messages == 0;
}

static void put_next(struct repair *r)
{
    struct slot *s = r->slot;
    char extra[ID_SIZE + 80] = "";
    struct item *it;
    struct link_entry entry;
    struct link_commit lc;

    while (r->next < r->had_n && !r->had[r->next].frame)
        r->next++;
    if (r->next == r->had_n || r->again > AGAIN_MAX) {
        r->lost = r->lost || r->next < r->had_n;
        finish(r);
        return;
    }
    it = &r->had[r->next];
    entry = (struct link_entry){it->shown, chat_kind_raises_fence(it->kind), str_of(it->ref), tail_of(it)};
    lc = (struct link_commit){.log = str_of(s->chat.id),
                              .person = str_of(it->person),
                              .id = str_of(it->ref),
                              .entries = &entry,
                              .entries_n = 1,
                              .mode = LINK_PUT_BACK,
                              .fence = s->chat.head,
                              .head = r->head};
    lc.id_in_person = it->kind == KIND_ALERT_ACTED; /* as cmd_is_of_person() */
    if (is_start(r, it)) {
        lc.id_in_person = true;
        snprintf(extra, sizeof extra, "%s %s", s->chat.id, s->chat.department ? s->chat.department : "");
    }
    lc.extra = str_of(extra);
    if (link_commit(s->app->link, &lc, on_put, r) < 0)
        rest(r);
}

static void look(struct repair *r)
{
    r->again++;
    if (link_read(r->slot->app->link, str_of(r->slot->chat.id), 0, -1, on_live, r) < 0)
        rest(r);
}

/* ---- all of them */

void repair_go_on(struct app *a)
{
    struct repair *r = a->repairs_resting, *next;

    if (!link_is_up(a->link))
        return;
    a->repairs_resting = NULL;
    for (; r; r = next) {
        next = r->next_resting;
        r->again = 0;
        look(r);
    }
}

void repair_forget(struct app *a)
{
    struct repair *r;

    while ((r = a->repairs_resting)) {
        a->repairs_resting = r->next_resting;
        free_had(r);
    }
}

static void repair_slot(struct app *a, struct slot *s)
{
    struct repair *r = mem_zalloc(sizeof *r);

    r->slot = s;
    r->head = s->chat.head;
    r->whole = (int64_t)s->ring_n == s->stored;
    r->over = s->index.free_ms && s->index.free_ms <= app_now_ms(a);
    r->had = s->ring;
    r->had_n = s->ring_n;
    s->ring = NULL;
    s->ring_n = s->ring_cap = 0;
    s->ring_bytes = 0;
    s->is_loading = true; /* nothing else begins here until it is done */
    slot_refuse_waiting(s, "another life of the data has begun: repeat the same id");
    a->repairs_left++;
    look(r);
}

static void forget_people(struct app *a)
{
    struct map_item *it;
    uint32_t i = 0;

    while ((it = map_next(&a->members, &i))) {
        struct member *m = it->value;
        struct people_rep fresh = {.version = 0};

        memcpy(fresh.id, m->rep.id, sizeof fresh.id);
        m->rep = fresh;
    }
}

bool repair_begin(struct app *a)
{
    struct map_item *it;
    uint32_t i = 0;
    unsigned n = 0;
    struct slot **all;

    if (strcmp(a->epoch, link_epoch(a->link)) == 0)
        return false;
    if (!a->epoch[0]) { /* this node has nothing of an earlier one: what is missing can only be said */
        snprintf(a->epoch, sizeof a->epoch, "%s", link_epoch(a->link));
        a->epochs += link_was_lost(a->link);
        a->hole_at_ms = link_was_lost(a->link) ? (int64_t)uv_now(a->loop) : 0;
        return false;
    }
    log_error("app", "another life of the data: what this node has is put back old=%s new=%s chats=%u",
              a->epoch, link_epoch(a->link), a->slots.n);
    snprintf(a->epoch, sizeof a->epoch, "%s", link_epoch(a->link));
    a->epochs++;
    a->changed_n = 0;
    a->repairs_left++; /* some may rest from the life before this one: they go on beside the new ones */
    forget_people(a);
    for (struct conn *c = a->conns; c; c = c->next_all)
        net_close(c->net, 1001, "another life of the data has begun");
    all = mem_zalloc((a->slots.n + 1) * sizeof *all);
    while ((it = map_next(&a->slots, &i)))
        all[n++] = it->value;
    for (unsigned k = 0; k < n; k++)
        if (all[k]->is_loaded && !all[k]->is_busy && !all[k]->is_loading && all[k]->chat.head > 0)
            repair_slot(a, all[k]);
    free(all);
    one_less(a);
    return true;
}

/* Chats in memory: loading, reading what others wrote, the recent entries, the queue of commands. */
#include "app/app_room.h"

#include <stdio.h>
#include <stdlib.h>

#define WHEN_AGAIN  20      /* reads until it has to do as it is */
#define SWEEP_LOOKS 256     /* between two looks at the clock */
#define SWEEP_NS    2000000 /* a turn */

static struct slot *make(struct app *a, struct str id)
{
    struct slot *s = mem_zalloc(sizeof *s);
    char text[ID_SIZE] = "";

    if (id.n >= ID_SIZE)
        id.n = 0;
    memcpy(text, id.s, id.n);
    s->app = a;
    s->position = -1;
    chat_init(&s->chat, text);
    s->used_at_ms = (int64_t)uv_now(a->loop);
    map_put(&a->slots, id, s);
    sleep_end(s);
    return s;
}

static void slot_free(struct slot *s)
{
    for (unsigned i = 0; i < s->ring_n; i++)
        item_fini(&s->ring[i]);
    free(s->ring);
    chat_fini(&s->chat);
    free(s);
}

static void take_out(struct slot *s)
{
    sleep_begin(s);
    map_del(&s->app->slots, str_of(s->chat.id));
    slot_free(s);
}

static bool is_at_rest(const struct slot *s)
{
    return !s->first && !s->is_busy && !s->is_loading && !s->is_stepping && s->awaited == 0;
}

static bool is_empty(const struct slot *s)
{
    return s->chat.head == 0 && !s->subs && is_at_rest(s);
}

void slot_let_go(struct slot *s)
{
    if (is_empty(s))
        take_out(s);
}

struct slot *slot_find(struct app *a, struct str id)
{
    return map_get(&a->slots, id);
}

struct slot *slot_get(struct app *a, struct str id)
{
    struct slot *s = slot_find(a, id);

    return s ? s : make(a, id);
}

struct slot *slot_awake(struct app *a, struct str id)
{
    struct slot *s = slot_find(a, id);

    if (s || !sleep_has(a, id))
        return s;
    s = make(a, id);
    slot_run(s);
    return s;
}

struct slot *slot_new(struct app *a, struct str id)
{
    struct slot *s = make(a, id);

    s->is_loaded = true;
    return s;
}

/* ---- the ring of recent entries */

/* The entry of the smallest seq that is ≥ seq, if memory holds all from there on; else NULL. (Memory holds all of the log, or its end.) */
struct item *slot_item(struct slot *s, int64_t seq)
{
    unsigned lo = 0, hi = s->ring_n;

    if (!s->ring_n || (s->ring[0].seq > seq && (int64_t)s->ring_n < s->stored))
        return NULL;
    while (lo < hi) {
        unsigned mid = lo + (hi - lo) / 2;

        if (s->ring[mid].seq < seq)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < s->ring_n ? &s->ring[lo] : NULL;
}

/* What hangs on an entry besides its place in the ring; frames for the fan-out live for a turn only and are not counted. */
static size_t hangs_on(const struct item *it)
{
    return mem_bytes(it->frame) + mem_bytes(it->shopper_tail);
}

static void ring_resize(struct slot *s, unsigned cap)
{
    s->ring_cap = cap;
    s->ring = mem_realloc(s->ring, cap * sizeof *s->ring);
}

/* Each SLOT_RING / 4 entries: lets the old ones go. */
static void ring_trim(struct slot *s, int64_t now_ms)
{
    unsigned keep = SLOT_RING - SLOT_RING / 4, drop = 0;

    if (s->ring_n < SLOT_RING || s->ring_n % (SLOT_RING / 4) != 0)
        return;
    while (drop < s->ring_n - keep && now_ms - s->ring[drop].at_ms > SLOT_YOUNG_MS)
        drop++;
    if (s->ring_n == SLOT_RING_MAX && drop < SLOT_RING / 4)
        drop = SLOT_RING / 4;
    drop -= drop % (SLOT_RING / 4); /* so that it is looked at again in time */
    if (drop == 0)
        return;
    for (unsigned i = 0; i < drop; i++) {
        s->ring_bytes -= hangs_on(&s->ring[i]);
        item_fini(&s->ring[i]);
    }
    s->ring_n -= drop;
    memmove(s->ring, s->ring + drop, s->ring_n * sizeof *s->ring);
    if (s->ring_cap > SLOT_RING && s->ring_n < s->ring_cap / 4)
        ring_resize(s, s->ring_cap / 2);
}

/* Takes the item's memory. */
static void ring_push(struct slot *s, struct item *it)
{
    ring_trim(s, it->at_ms);
    if (s->ring_n == s->ring_cap)
        ring_resize(s, s->ring_cap ? s->ring_cap * 2 : 8);
    s->ring_bytes += hangs_on(it);
    s->ring[s->ring_n++] = *it;
    memset(it, 0, sizeof *it);
}

/* True if what a shopper sees of e is its tail as it stands. */
static bool is_plain_message(const struct entry *e)
{
    return e->kind == KIND_MESSAGE && e->f[FIELD_ARTICLE].type == VAL_NONE && e->f[FIELD_CANNED].type == VAL_NONE &&
           e->f[FIELD_COUNTS].type == VAL_NONE;
}

static char *shopper_tail(const struct entry *e)
{
    struct buf b;

    if (!chat_view_is_shown(e->kind, AUDIENCE_SHOPPER) || is_plain_message(e) || chat_view_is_whole(e->kind))
        return NULL;
    buf_init(&b, 1 << 18);
    chat_view_write_shopper_tail(&b, e);
    return buf_take(&b, NULL);
}

bool item_read(struct item *it, struct str raw, struct chat *fold)
{
    struct link_stored st;
    struct entry e;
    const char *kind;
    bool ok;

    memset(it, 0, sizeof *it);
    if (!link_stored_read(raw, &st))
        return false;
    ok = entry_read(st.frame, &e, NULL) == 0;
    kind = memmem(st.frame.s, st.frame.n, "\"kind\":", 7);
    if (ok && kind) {
        it->seq = e.seq;
        it->at_ms = e.at_ms;
        it->prev = st.prev;
        it->before = st.before;
        it->kind = e.kind;
        it->shown = st.shown;
        str_keep(st.person, it->person, sizeof it->person);
        str_keep(st.ref, it->ref, sizeof it->ref);
        it->frame = mem_strndup(st.frame.s, st.frame.n);
        it->frame_n = (uint32_t)st.frame.n;
        it->tail_at = (uint32_t)(kind - st.frame.s);
        it->shopper_tail = shopper_tail(&e);
        if (fold && e.seq > fold->head)
            chat_apply(fold, &e);
    }
    entry_fini(&e);
    return ok && kind;
}

void slot_push_item(struct slot *s, struct item *it)
{
    ring_push(s, it);
}

/* ---- loading and refreshing */

static void keep_index(struct slot *s)
{
    chat_index(&s->chat, match_rules(s->app, s->chat.department), &s->index);
    str_keep(str_of(s->index.queue), s->index_queue, sizeof s->index_queue);
    str_keep(str_of(s->index.hold), s->index_hold, sizeof s->index_hold);
    str_keep(str_of(s->index.also), s->index_also, sizeof s->index_also);
    str_keep(str_of(s->index.asked), s->index_asked, sizeof s->index_asked);
    str_keep(str_of(s->index.handed), s->index_handed, sizeof s->index_handed);
    str_keep(str_of(s->index.alert), s->index_alert, sizeof s->index_alert);
    str_keep(str_of(s->index.open), s->index_open, sizeof s->index_open);
    s->index.queue = s->index.queue ? s->index_queue : NULL;
    s->index.hold = s->index.hold ? s->index_hold : NULL;
    s->index.also = s->index.also ? s->index_also : NULL;
    s->index.asked = s->index.asked ? s->index_asked : NULL;
    s->index.handed = s->index.handed ? s->index_handed : NULL;
    s->index.alert = s->index.alert ? s->index_alert : NULL;
    s->index.open = s->index.open ? s->index_open : NULL;
}

void slot_keep_index(struct slot *s)
{
    keep_index(s);
}

void slot_refuse_waiting(struct slot *s, const char *why)
{
    s->awaited++; /* who is answered may ask anew at once, in vain: it stays until all of them are */
    while (s->first) {
        struct cmd *c = s->first;

        s->first = c->next;
        if (!s->first)
            s->last = NULL;
        answer_cmd_error(c, CODE_UNAVAILABLE, why, NULL);
    }
    s->awaited--;
}

static void take_read(struct slot *s, const struct redis_reply *list)
{
    struct notice before;
    bool acted = false;

    s->is_loading = false;
    if (!list || redis_reply_type(list) != REDIS_LIST) {
        s->is_behind = true;
        slot_refuse_waiting(s, "the chat can't be read now");
        return;
    }
    s->is_behind = s->read_again; /* somebody wrote while this was read: it may lie behind what came */
    s->read_again = false;
    s->is_loaded = true;
    s->stored = s->read_from + (int64_t)redis_reply_n(list);
    notice_before(s, &before);
    for (size_t i = 0; i < redis_reply_n(list); i++) {
        struct item it;
        int64_t head = s->chat.head;

        if (!item_read(&it, redis_reply_str(redis_reply_at(list, i)), &s->chat))
            log_error("app", "unreadable entry chat=%s index=%zu", s->chat.id, i);
        else if (it.seq > head) {
            acted = acted || (head > 0 && it.kind == KIND_ALERT_ACTED);
            ring_push(s, &it);
        }
        item_fini(&it);
    }
    s->is_gone = s->chat.head == 0;
    keep_index(s);
    notice_after(s, &before, false);
    if (acted) /* a call-back came onto the list in that step */
        tasks_look(s->app);
    slot_fan_out(s);
    slot_run(s);
}

static void on_read(void *ctx, const struct redis_reply *list)
{
    take_read(ctx, list);
    slot_let_go(ctx);
}

static void read_on(struct slot *s)
{
    if (s->is_loading)
        return;
    s->read_from = s->stored;
    s->is_loading = link_read(s->app->link, str_of(s->chat.id), s->read_from, -1, on_read, s) == 0;
    if (!s->is_loading) {
        s->is_behind = true;
        slot_refuse_waiting(s, "the chat can't be read now");
    }
}

void slot_refresh(struct slot *s)
{
    s->is_behind = true;
    s->read_again = s->is_loading;
    if (!s->is_busy && !s->is_loading)
        read_on(s);
}

void slot_push(struct slot *s, struct cmd *c)
{
    c->slot = s;
    c->next = NULL;
    if (s->last)
        s->last->next = c;
    else
        s->first = c;
    s->last = c;
    s->used_at_ms = (int64_t)uv_now(s->app->loop);
    slot_run(s);
}

void slot_run(struct slot *s)
{
    if (s->is_busy || s->is_loading)
        return;
    if (!s->is_loaded || s->is_behind) {
        if (!s->is_loaded || s->first || s->subs)
            read_on(s);
        return;
    }
    if (s->first || s->must_reindex)
        commit_begin(s);
}

struct when {
    struct slot *s;
    void (*fn)(struct slot *s, void *ctx);
    void *ctx;
    unsigned again;
};

static void read_when(struct when *w);

static void when_done(struct when *w, bool is_unread)
{
    struct slot *s = w->s;

    s->is_unread = is_unread;
    w->fn(s, w->ctx);
    free(w);
    s->awaited--;
    slot_let_go(s);
}

/* Replies come in the order of the commands: behind this one whatever was asked before has been read. */
static void on_when(void *ctx, const struct redis_reply *list)
{
    struct when *w = ctx;
    struct slot *s = w->s;

    if (!list || redis_reply_type(list) != REDIS_LIST) {
        when_done(w, true);
        return;
    }
    if ((!s->is_loaded || s->is_behind) && !s->is_loading && !s->is_busy) {
        s->read_from = 0;
        take_read(s, list);
    }
    if ((!s->is_loaded || s->is_behind) && w->again++ < WHEN_AGAIN)
        read_when(w); /* others keep writing into it */
    else
        when_done(w, false);
}

static void read_when(struct when *w)
{
    if (link_read(w->s->app->link, str_of(w->s->chat.id), 0, -1, on_when, w) < 0)
        when_done(w, true);
}

void slot_when_loaded(struct slot *s, void (*fn)(struct slot *s, void *ctx), void *ctx)
{
    struct when *w;

    s->used_at_ms = (int64_t)uv_now(s->app->loop);
    if (s->is_loaded && !s->is_behind) {
        s->is_unread = false;
        fn(s, ctx);
        return;
    }
    w = mem_zalloc(sizeof *w);
    *w = (struct when){.s = s, .fn = fn, .ctx = ctx};
    s->awaited++;
    read_when(w);
}

void slot_forget(struct slot *s)
{
    char id[ID_SIZE];

    for (unsigned i = 0; i < s->ring_n; i++)
        item_fini(&s->ring[i]);
    s->ring_n = 0;
    s->ring_bytes = 0;
    memcpy(id, s->chat.id, sizeof id);
    chat_fini(&s->chat);
    chat_init(&s->chat, id);
    s->stored = 0;
    s->is_loaded = false;
}

void slot_left_redis(struct app *a, struct str id)
{
    struct slot *s = slot_find(a, id);

    if (s && !s->subs && is_at_rest(s))
        take_out(s);
}

static bool is_due(const struct slot *s, int64_t now_ms)
{
    bool is_idle = is_at_rest(s) && !s->must_reindex && now_ms - s->used_at_ms > s->app->cfg->limits.chat_idle_ms;

    return is_empty(s) || (is_idle && (!s->subs || sleep_may(s)));
}

/* Goes on where the last one ended; false: at the end. (A slot that takes the place of one that goes is met by the next sweep.) */
static bool sweep_some(struct app *a, int64_t now_ms)
{
    struct slot *drop[SWEEP_LOOKS];
    struct map_item *it = NULL;
    unsigned n = 0;

    for (unsigned k = 0; k < SWEEP_LOOKS && (it = map_next(&a->slots, &a->sweep_at)); k++) {
        struct slot *s = it->value;

        if (s->index_rests && !s->first) {
            s->index_rests = false;
            slot_run(s);
        }
        if (is_due(s, now_ms))
            drop[n++] = s;
    }
    while (n-- > 0)
        take_out(drop[n]);
    return it != NULL;
}

/* Chats that nothing happens in leave memory, if nobody watches them or they have ended; they are read again when needed. */
void slot_sweep(struct app *a, int64_t now_ms)
{
    uint64_t until = uv_hrtime() + SWEEP_NS;
    bool is_more;

    while ((is_more = sweep_some(a, now_ms)) && uv_hrtime() < until)
        ;
    if (!is_more)
        a->sweep_at = 0;
}

void slot_free_all(struct app *a)
{
    struct map_item *it;
    uint32_t i = 0;

    while ((it = map_next(&a->slots, &i))) {
        struct slot *s = it->value;

        while (s->first) {
            struct cmd *next = s->first->next;

            cmd_destroy(s->first);
            s->first = next;
        }
        slot_free(s);
    }
    map_fini(&a->slots);
}

/* The client: its cursor and its outbox, after web/src/model/log.ts and outbox.ts; and what it must never
 * see. */
#include "commits.h"

#include <stdio.h>
#include <stdlib.h>

#define PENDING 6
#define HELD    256

struct held {
    int64_t seq, prev;
};

struct client {
    unsigned n;
    char person[ID_SIZE], *chat;
    unsigned roles;
    struct net_conn *net;
    bool is_ready, is_syncing;
    char hello[24], sync[24];
    int64_t cursor, last; /* last: the last entry shown */
    struct held held[HELD];
    unsigned held_n;
    struct {
        char id[24];
        char *text;
    } pending[PENDING];
    unsigned pending_n, made, asked;
};

static struct client clients[CLIENTS];
static char chats[CHATS][ID_SIZE];
static struct map refused, denied;

const char *client_person(unsigned i)
{
    return clients[i].person;
}

unsigned client_roles(unsigned i)
{
    return clients[i].roles;
}

bool client_was_refused(const char *id)
{
    return id[0] && map_get(&refused, str_of(id));
}

/* COMMITS_TRACE=N: what client N says and hears. */
static void trace(const struct client *c, const char *what, struct str text)
{
    const char *n = getenv("COMMITS_TRACE");

    if (n && (unsigned)atoi(n) == c->n)
        fprintf(stderr, "%s %.*s\n", what, STR_FMT(text));
}

/* --- speaking */

static void say(struct client *c, const char *text)
{
    trace(c, ">", str_of(text));
    node_hear(c->net, text);
}

static void hang_up(struct client *c)
{
    trace(c, "hangs up", STR(""));
    if (c->net)
        node_hang_up(c->net);
    c->net = NULL;
    c->is_ready = c->is_syncing = false;
}

void client_cut(unsigned i, struct net_conn *from)
{
    struct client *c = &clients[i];

    if (c->net != from)
        return;
    trace(c, "cut off", STR(""));
    c->net = NULL;
    c->is_ready = c->is_syncing = false;
}

static void connect_again(struct client *c)
{
    char text[256];

    c->net = node_connect(rnd(NODES), c->n);
    if (!c->net)
        return;
    snprintf(c->hello, sizeof c->hello, "h%u-%u", c->n, ++c->asked);
    if (c->chat[0])
        snprintf(text, sizeof text,
                 "{\"t\":\"hello\",\"id\":\"%s\",\"resume\":[{\"chat\":\"%s\",\"seq\":%lld}]}", c->hello,
                 c->chat, (long long)c->cursor);
    else
        snprintf(text, sizeof text, "{\"t\":\"hello\",\"id\":\"%s\"}", c->hello);
    say(c, text);
    counts.resumes++;
}

static void ask_sync(struct client *c)
{
    char text[200];

    if (c->is_syncing || !c->is_ready)
        return;
    c->is_syncing = true;
    counts.syncs++;
    snprintf(c->sync, sizeof c->sync, "y%u-%u", c->n, ++c->asked);
    snprintf(text, sizeof text, "{\"t\":\"sync\",\"id\":\"%s\",\"chat\":\"%s\",\"after\":%lld}", c->sync,
             c->chat, (long long)c->cursor);
    say(c, text);
}

static const char *rep_command(struct client *c, char *more, size_t size)
{
    static const char *const plain[] = {"chat.claim", "chat.unpark", "chat.take_back", "offer.accept",
                                        "offer.decline"};
    uint32_t x = rnd(100);

    more[0] = 0;
    if (x < 60 || x >= 95) {
        snprintf(more, size, ",\"text\":\"w%u-%u says\"", c->n, c->made);
        return x < 60 ? "message.send" : "whisper";
    }
    if (x < 72) {
        snprintf(more, size, ",\"text\":\"w%u-%u notes\"", c->n, c->made);
        return "note.add";
    }
    if (x < 76) {
        snprintf(more, size, ",\"resolution\":\"answered\",\"summary\":\"done\"");
        return "chat.resolve";
    }
    if (x < 79) {
        snprintf(more, size, ",\"promise\":\"later\",\"until\":%lld", (long long)now_ms() + 3600000);
        return "chat.park";
    }
    if (x < 83) {
        snprintf(more, size,
                 ",\"to\":\"r_%u\",\"card\":{\"summary\":\"s\",\"requirements\":\"\",\"verified\":[],"
                 "\"promised\":\"\"}",
                 rnd(REPS));
        return "chat.transfer";
    }
    if (x < 86 && (c->roles & ROLE_LEAD)) {
        snprintf(more, size, ",\"to\":\"r_%u\",\"reason\":\"because\"", rnd(REPS));
        return "chat.reassign";
    }
    return plain[rnd(sizeof plain / sizeof *plain)];
}

static void make_command(struct client *c)
{
    char text[512], more[300], *id = c->pending[c->pending_n].id;
    const char *t;

    if (!c->chat[0] && (c->n % CLIENTS_A_CHAT != 0 || c->made))
        return; /* one of them begins the chat, once */
    c->made++;
    snprintf(id, sizeof c->pending[0].id, "w%u-%u", c->n, c->made);
    if (!c->chat[0]) {
        snprintf(text, sizeof text,
                 "{\"t\":\"chat.start\",\"id\":\"%s\",\"text\":\"first\",\"department\":\"general\"}", id);
    } else {
        if (c->roles & ROLE_STAFF) {
            t = rep_command(c, more, sizeof more);
        } else if (rnd(10) == 0) {
            t = "chat.confirm";
            snprintf(more, sizeof more, ",\"solved\":false");
        } else {
            t = "message.send";
            snprintf(more, sizeof more, ",\"text\":\"w%u-%u asks\"", c->n, c->made);
        }
        snprintf(text, sizeof text, "{\"t\":\"%s\",\"id\":\"%s\",\"chat\":\"%s\"%s}", t, id, c->chat, more);
    }
    c->pending[c->pending_n++].text = mem_strdup(text);
    say(c, text);
}

static bool drop_pending(struct client *c, const char *id)
{
    for (unsigned i = 0; i < c->pending_n; i++)
        if (strcmp(c->pending[i].id, id) == 0) {
            free(c->pending[i].text);
            memmove(&c->pending[i], &c->pending[i + 1], (--c->pending_n - i) * sizeof c->pending[0]);
            return true;
        }
    return false;
}

/* --- the log as it is shown */

static void show(struct client *c, int64_t seq)
{
    const struct truth *t = truth_of(c->chat);
    const struct fact *f = truth_next(t, c->last, (c->roles & ROLE_STAFF) != 0);

    if (!f || f->seq != seq)
        broken("client %u (%s) is shown seq %lld of %s behind %lld, and %lld comes next", c->n, c->person,
               (long long)seq, c->chat, (long long)c->last, f ? (long long)f->seq : 0LL);
    c->last = seq;
    c->cursor = seq;
}

static void release(struct client *c)
{
    for (;;) {
        unsigned low = 0;
        int64_t seq;

        for (unsigned i = 1; i < c->held_n; i++)
            if (c->held[i].seq < c->held[low].seq)
                low = i;
        if (!c->held_n || c->held[low].prev > c->cursor)
            return;
        seq = c->held[low].seq;
        c->held[low] = c->held[--c->held_n];
        show(c, seq);
    }
}

static void take(struct client *c, int64_t seq, int64_t prev)
{
    if (seq <= c->cursor) {
        if (seq > c->last)
            broken("client %u: seq %lld of %s comes behind a cursor at %lld", c->n, (long long)seq, c->chat,
                   (long long)c->cursor);
        return;
    }
    for (unsigned i = 0; i < c->held_n; i++)
        if (c->held[i].seq == seq)
            c->held[i] = c->held[--c->held_n]; /* what came last says best what stands before it */
    if (c->held_n == HELD)
        broken("client %u holds back more than %d entries", c->n, HELD);
    c->held[c->held_n++] = (struct held){seq, prev};
    release(c);
    if (c->held_n)
        ask_sync(c);
}

/* Complete up to head: what is held below it is shown; nothing may be missing there. */
static void synced(struct client *c, int64_t head)
{
    const struct fact *f;

    c->is_syncing = false;
    for (;;) {
        unsigned low = HELD;

        for (unsigned i = 0; i < c->held_n; i++)
            if (c->held[i].seq <= head && (low == HELD || c->held[i].seq < c->held[low].seq))
                low = i;
        if (low == HELD)
            break;
        show(c, c->held[low].seq);
        c->held[low] = c->held[--c->held_n];
    }
    f = truth_next(truth_of(c->chat), c->last, (c->roles & ROLE_STAFF) != 0);
    if (f && f->seq <= head)
        broken("client %u: complete up to %lld, and seq %lld of %s was not sent", c->n, (long long)head,
               (long long)f->seq, c->chat);
    if (head > c->cursor)
        c->cursor = head;
    release(c);
    if (c->held_n)
        ask_sync(c);
}

/* --- hearing */

static int64_t number(struct str frame, const char *key)
{
    const char *p = memmem(frame.s, frame.n, key, strlen(key));

    return p ? atoll(p + strlen(key)) : -1;
}

static void word(struct str frame, const char *key, char *out, size_t size)
{
    const char *p = memmem(frame.s, frame.n, key, strlen(key)), *end;

    out[0] = 0;
    if (!p)
        return;
    p += strlen(key);
    end = memchr(p, '"', (size_t)(frame.s + frame.n - p));
    if (end && (size_t)(end - p) < size)
        snprintf(out, size, "%.*s", (int)(end - p), p);
}

static void on_chat(struct client *c, struct str frame)
{
    char chat[ID_SIZE];

    word(frame, "\"chat\":\"", chat, sizeof chat);
    if (!truth_of(chat))
        broken("client %u: it hears of a chat that doesn't stand: %s", c->n, chat);
    snprintf(c->chat, ID_SIZE, "%s", chat);
}

void client_is_answered(struct str frame)
{
    char re[ID_MAX + 1], code[32];

    word(frame, "\"re\":\"", re, sizeof re);
    word(frame, "\"code\":\"", code, sizeof code);
    if (re[0] && code[0] && strcmp(code, "unavailable") != 0)
        map_put(&denied, str_of(re), &denied);
}

bool client_was_denied(const char *id)
{
    return id[0] && map_get(&denied, str_of(id));
}

static void on_event(struct client *c, struct str frame)
{
    struct truth *t;
    int64_t seq = number(frame, "\"seq\":"), prev = number(frame, "\"prev\":");
    bool staff = (c->roles & ROLE_STAFF) != 0;
    const struct fact *f;
    char ref[ID_MAX + 1];

    if (!c->chat[0])
        on_chat(c, frame);
    t = truth_of(c->chat);
    f = truth_next(t, seq - 1, true);
    if (!f || f->seq != seq)
        broken("client %u: an event of seq %lld, which doesn't stand in %s", c->n, (long long)seq, c->chat);
    if (!staff && (prev != f->prev || !f->shown))
        broken("client %u: seq %lld of %s with prev %lld, it is %lld", c->n, (long long)seq, c->chat,
               (long long)prev, (long long)f->prev);
    word(frame, "\"ref\":\"", ref, sizeof ref);
    if (ref[0] && strcmp(f->person, c->person) != 0)
        broken("client %u: another's ref", c->n);
    if (ref[0])
        drop_pending(c, ref);
    take(c, seq, staff ? (prev >= 0 ? prev : seq - 1) : prev);
}

static void on_ok(struct client *c, struct str frame, const char *re)
{
    int64_t seq = number(frame, "\"seq\":"), prev = number(frame, "\"prev\":"), stands;
    const struct truth *t;
    const struct fact *f;

    if (strcmp(re, c->sync) == 0) {
        synced(c, seq);
        return;
    }
    if (strcmp(re, c->hello) == 0) {
        c->is_ready = true;
        for (unsigned i = 0; i < c->pending_n; i++)
            say(c, c->pending[i].text);
        return;
    }
    if (!c->chat[0])
        on_chat(c, frame);
    t = truth_of(c->chat);
    stands = truth_find(t, c->person, re);
    if (seq != stands && !(seq < 0 && stands == 0))
        broken("client %u: ok for %s with seq %lld, in %s it stands at %lld", c->n, re, (long long)seq,
               c->chat, (long long)stands);
    counts.oks++;
    drop_pending(c, re);
    f = seq > 0 ? truth_next(t, seq - 1, true) : NULL;
    if (!f || (!(c->roles & ROLE_STAFF) && !f->shown))
        return;
    if (!(c->roles & ROLE_STAFF) && prev != f->prev)
        broken("client %u: ok for %s with prev %lld, it is %lld", c->n, re, (long long)prev,
               (long long)f->prev);
    take(c, seq, prev >= 0 ? prev : seq - 1);
}

static void on_error(struct client *c, struct str frame, const char *re)
{
    char code[32];
    const struct truth *t = c->chat[0] ? truth_of(c->chat) : NULL;

    word(frame, "\"code\":\"", code, sizeof code);
    if (strcmp(code, "unavailable") == 0) {
        counts.unknown++;
        hang_up(c); /* not done or unknown: again, in order, on another connection */
        return;
    }
    if (strcmp(code, "bad_request") == 0 || !re[0])
        broken("client %u: %.*s", c->n, STR_FMT(frame));
    if (strcmp(re, c->sync) == 0 || strcmp(re, c->hello) == 0) {
        hang_up(c);
        return;
    }
    if (!c->chat[0])
        broken("client %u: its chat is refused: %.*s", c->n, STR_FMT(frame));
    if (truth_find(t, c->person, re))
        broken("client %u: %s is refused (%s), and stands in %s", c->n, re, code, c->chat);
    counts.refused++;
    if (drop_pending(c, re))
        map_put(&refused, str_of(re), c);
}

void client_take(unsigned i, struct net_conn *from, struct str frame)
{
    struct client *c = &clients[i];
    char re[ID_MAX + 1];

    if (c->net != from)
        return; /* of a connection that it has given up */
    trace(c, "<", frame);
    word(frame, "\"re\":\"", re, sizeof re);
    if (frame.n > 12 && memcmp(frame.s, "{\"t\":\"event\"", 12) == 0)
        on_event(c, frame);
    else if (frame.n > 12 && memcmp(frame.s, "{\"t\":\"error\"", 12) == 0)
        on_error(c, frame, re);
    else
        on_ok(c, frame, re);
}

/* --- lives */

void clients_open(void)
{
    memset(clients, 0, sizeof clients);
    memset(chats, 0, sizeof chats);
    map_init(&refused);
    map_init(&denied);
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *c = &clients[i];
        unsigned chat = i / CLIENTS_A_CHAT, k = i % CLIENTS_A_CHAT;

        c->n = i;
        c->chat = chats[chat];
        c->roles = k < 2 ? ROLE_SHOPPER : k == CLIENTS_A_CHAT - 1 ? ROLE_REP | ROLE_LEAD : ROLE_REP;
        if (k < 2)
            snprintf(c->person, sizeof c->person, "s_%u", chat);
        else
            snprintf(c->person, sizeof c->person, "r_%u", k - 2);
    }
}

void clients_close(void)
{
    for (unsigned i = 0; i < CLIENTS; i++)
        while (clients[i].pending_n)
            free(clients[i].pending[--clients[i].pending_n].text);
    map_fini(&refused);
    map_fini(&denied);
}

void clients_step(void)
{
    struct client *c = &clients[rnd(CLIENTS)];

    if (!c->net) {
        if (one_in(20) && (c->chat[0] || c->n % CLIENTS_A_CHAT == 0))
            connect_again(c);
        return;
    }
    if (c->is_ready && !is_calm() && c->pending_n < PENDING && one_in(4))
        make_command(c);
    if (!is_calm() && one_in(1500))
        hang_up(c);
    if (is_calm() && c->is_ready && c->held_n)
        ask_sync(c);
}

bool clients_are_settled(void)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *c = &clients[i];
        const struct truth *t = truth_of(c->chat);

        if (!c->net || !c->is_ready || c->pending_n || c->held_n || !t ||
            truth_next(t, c->last, (c->roles & ROLE_STAFF) != 0))
            return false;
    }
    return true;
}

void clients_describe(void)
{
    for (unsigned i = 0; i < CLIENTS; i++) {
        struct client *c = &clients[i];
        const struct truth *t = c->chat[0] ? truth_of(c->chat) : NULL;

        fprintf(stderr, "client %u %s %s ready=%d cursor=%lld last=%lld of %u, held=%u pending=%u (%s)\n", i,
                c->person, c->net ? "connected" : "away", c->is_ready, (long long)c->cursor,
                (long long)c->last, t ? t->n : 0, c->held_n, c->pending_n,
                c->pending_n ? c->pending[0].id : "");
    }
}

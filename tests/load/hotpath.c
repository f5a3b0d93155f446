/*
 * The hot path without sockets, Redis and clock, for counting instructions: hotpath N
 *
 * A shopper and a rep take turns in one chat, N messages. Each is read (protocol), decided (chat), written as an entry and as the words
 * of its commit (link), folded, and put into the frames that are sent (net).
 */
#include "chat/chat.h"
#include "chat/chat_view.h"
#include "link/link_room.h"
#include "net/net_frame.h"

#include <stdio.h>
#include <stdlib.h>

#define CHAT "c_hotpath00001"
#define BATCH 40

static const char *const before[] = {
    "{\"t\":\"event\",\"chat\":\"" CHAT "\",\"seq\":1,\"at\":1000,\"kind\":\"started\",\"from\":{\"role\":\"shopper\",\"id\":\"s_1\",\"name\":\"Li\"},"
    "\"department\":\"general\",\"class\":\"normal\",\"locale\":\"zh-CN\"}",
    "{\"t\":\"event\",\"chat\":\"" CHAT "\",\"seq\":2,\"at\":1000,\"kind\":\"message\",\"from\":{\"role\":\"shopper\",\"id\":\"s_1\",\"name\":\"Li\"},\"text\":\"hello\"}",
    "{\"t\":\"event\",\"chat\":\"" CHAT "\",\"seq\":3,\"at\":1001,\"kind\":\"assigned\",\"from\":{\"role\":\"system\"},\"to\":{\"id\":\"r_1\",\"name\":\"Mei\"},\"how\":\"auto\"}",
    "{\"t\":\"event\",\"chat\":\"" CHAT "\",\"seq\":4,\"at\":1002,\"kind\":\"message\",\"from\":{\"role\":\"rep\",\"id\":\"r_1\",\"name\":\"Mei\"},\"text\":\"Your parcel is on its way.\"}",
    "{\"t\":\"event\",\"chat\":\"" CHAT "\",\"seq\":5,\"at\":1002,\"kind\":\"owned\",\"from\":{\"role\":\"system\"},\"owner\":{\"id\":\"r_1\",\"name\":\"Mei\"}}",
};

static const char text[] = "Where is my parcel? It was promised for yesterday, nobody called, and the page says that it left the depot in "
                           "the morning. Please look at order 20231 and tell me when it comes, I am home until six.";

static const struct protocol_limits limits = {65536, 16, 256, 4000};
static const struct chat_rules rules = {.silent_ms = 120000, .offer_ms = 30000};

static void die(const char *what)
{
    fprintf(stderr, "hotpath: %s\n", what);
    exit(1);
}

static void fold(struct chat *c, struct str frame)
{
    struct entry e;

    if (entry_read(frame, &e, NULL) < 0)
        die("an entry can't be read");
    chat_apply(c, &e);
    entry_fini(&e);
}

/* The frames of one entry: as sent to staff, and to the shopper with prev. */
static void make_frames(struct str frame, size_t tail_at, int64_t prev)
{
    struct frame *staff = frame_create(frame), *shopper;
    struct buf b;

    buf_init(&b, 1 << 16);
    buf_reserve(&b, frame.n + 64);
    buf_add(&b, frame.s, tail_at);
    buf_add_s(&b, "\"prev\":");
    buf_add_i64(&b, prev);
    buf_add_c(&b, ',');
    buf_add(&b, frame.s + tail_at, frame.n - tail_at);
    shopper = frame_create(buf_str(&b));
    buf_fini(&b);
    frame_unref(staff);
    frame_unref(shopper);
}

struct path {
    struct chat chat;
    struct decision d;
    struct link_words words;
    struct buf tail, frame;
};

static void commit_words(struct path *p, const struct msg *m, struct str person)
{
    if (p->words.n > 7 * BATCH)
        link_words_reset(&p->words);
    link_words_add(&p->words, STR("p"));
    link_words_add_i64(&p->words, p->chat.fence);
    link_words_add_parts(&p->words, (struct str[]){STR("0123456789abcdef"), STR(" ")}, 2);
    link_words_add(&p->words, STR("1"));
    link_words_add(&p->words, person);
    link_words_add(&p->words, m->id);
    link_words_add(&p->words, buf_str(&p->tail));
}

static void one(struct path *p, long i)
{
    bool is_rep = i % 2;
    struct chat_rep me = {.id = "r_1", .name = "Mei", .in_department = true, .may_take = true, .has_room = true};
    struct chat_cmd cmd = {.kind = CMD_MSG, .now_ms = 2000 + i, .role = is_rep ? ROLE_REP : ROLE_SHOPPER, .handler = &me, .owner = &me,
                           .person = is_rep ? STR("r_1") : STR("s_1"), .name = is_rep ? STR("Mei") : STR("Li"), .self = is_rep ? &me : NULL};
    char in[512];
    int n = snprintf(in, sizeof in, "{\"t\":\"message.send\",\"id\":\"m%ld\",\"chat\":\"" CHAT "\",\"text\":\"%s\"}", i, text);
    struct msg m;
    struct refusal why;
    size_t tail_at;

    if (!protocol_read_command((struct str){in, (size_t)n}, cmd.role, &limits, &m, &why))
        die(why.text);
    cmd.msg = &m;
    chat_decide(&p->chat, &cmd, &rules, &p->d);
    if (p->d.code != CODE_OK || p->d.entries_n != 1)
        die(p->d.text);
    buf_reset(&p->tail);
    entry_write_tail(&p->tail, &p->d.entry[0]);
    commit_words(p, &m, cmd.person);
    buf_reset(&p->frame);
    buf_add_s(&p->frame, "{\"t\":\"event\",\"chat\":\"" CHAT "\",\"seq\":");
    buf_add_i64(&p->frame, p->chat.head + 1);
    buf_add_s(&p->frame, ",\"at\":");
    buf_add_i64(&p->frame, cmd.now_ms);
    buf_add_c(&p->frame, ',');
    tail_at = p->frame.n;
    buf_add_str(&p->frame, buf_str(&p->tail));
    p->d.entry[0].seq = p->chat.head + 1;
    p->d.entry[0].at_ms = cmd.now_ms;
    chat_apply(&p->chat, &p->d.entry[0]);
    make_frames(buf_str(&p->frame), tail_at, p->chat.head - 1);
    msg_fini(&m);
}

int main(int argc, char **argv)
{
    long n = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
    struct path p = {.words = {.n = 0}};

    chat_init(&p.chat, CHAT);
    decision_init(&p.d);
    link_words_init(&p.words, 1 << 20);
    buf_init(&p.tail, 1 << 16);
    buf_init(&p.frame, 1 << 16);
    for (size_t i = 0; i < sizeof before / sizeof *before; i++)
        fold(&p.chat, str_of(before[i]));
    if (p.chat.state != CHAT_ACTIVE)
        die("the chat is not active");
    for (long i = 0; i < n; i++)
        one(&p, i);
    printf("%lld\n", (long long)p.chat.head);
    chat_fini(&p.chat);
    decision_fini(&p.d);
    link_words_fini(&p.words);
    buf_fini(&p.tail);
    buf_fini(&p.frame);
    return 0;
}

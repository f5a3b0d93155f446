/*
 * Random commands of many shoppers, reps, timers and lost connections, from a printed seed; after each step what must always hold.
 *
 * FIRSTLINE_SEED=N runs that one sequence alone; FIRSTLINE_SEQUENCES=N runs so many (2000). Commands go through the gate's JSON and entries
 * through the frames' JSON. Part of the decisions are made on facts that are stale (the guards must catch them), or are
 * overtaken by another commit of the same chat (fence and head must).
 */
#include "chat/random_watch.h"

#include <time.h>

#define SEQUENCES 2000
#define STEPS 200

/* --- random steps */

/* An entry's times may only count from the commit's, never choose: a shell folds with a marker time to see which do. */
static void check_linear(const struct store *s, const struct store_commit *k)
{
    const struct store_chat *sc = &s->chat[k->chat];
    const int64_t marks[2] = {1LL << 50, (1LL << 50) + 12345};
    int64_t due[2][TIMER_N], score[2], weight[2];

    for (unsigned m = 0; m < 2; m++) {
        struct chat c;
        struct chat_index ix;
        struct buf b;

        chat_init(&c, sc->c.id);
        for (unsigned i = 0; i < sc->frames_n + k->n; i++) {
            struct entry e;

            buf_init(&b, 1 << 17);
            if (i < sc->frames_n) {
                buf_add_s(&b, sc->frame[i]);
            } else {
                buf_printf(&b, "{\"t\":\"event\",\"chat\":\"%s\",\"seq\":%u,\"at\":%lld,", sc->c.id, i + 1, (long long)marks[m]);
                buf_add_s(&b, k->tail[i - sc->frames_n]);
            }
            CHECK(entry_read(buf_str(&b), &e, NULL) == 0, "%s\n", b.p);
            chat_apply(&c, &e);
            entry_fini(&e);
            buf_fini(&b);
        }
        chat_index(&c, &s->rules, &ix);
        memcpy(due[m], ix.due_ms, sizeof ix.due_ms);
        score[m] = ix.score;
        weight[m] = ix.weight;
        chat_fini(&c);
    }
    for (unsigned t = 0; t < TIMER_N; t++)
        CHECK(due[0][t] == due[1][t] || due[1][t] - due[0][t] == marks[1] - marks[0], "timer %s is not linear\n",
              chat_timer_name((enum chat_timer)t));
    CHECK(score[0] == score[1] || score[1] - score[0] == marks[1] - marks[0], "score\n");
    CHECK(weight[0] == weight[1], "weight\n");
}

static void commit(struct store_commit *k)
{
    struct store *s = &run.s;

    run.refused[k->code]++;
    if (k->code == CODE_OK && k->n && one_in(50))
        check_linear(s, k);
    store_commit(s, k);
    if (s->failed)
        *(*s->failed == 'g' ? &run.by_guard : *s->failed == 'f' ? &run.by_fence : &run.by_head) += 1;
}

static const char *pick_text(void)
{
    static const char *const texts[] = {"您好！", "Hello", "I don't know", "不知道", "已经为您退款，三天内到账。", "Your refund is on its way.",
                                        "\"quoted\" \\ back\nslash", "稍等", "订单 20231 📦", "?"};

    return texts[rnd(sizeof texts / sizeof *texts)];
}

static void decide_shopper(unsigned chat, struct store_commit *k)
{
    static const char *const commands[][2] = {{"chat.leave", ""}, {"chat.confirm", "'solved':true"}, {"chat.confirm", "'solved':false"},
                                              {"chat.rate", "'score':4,'comment':'谢谢'"}};
    unsigned n = rnd(10);

    if (n < 5 || run.s.chat[chat].c.state == CHAT_NONE) {
        run.what = "shopper message.send";
        store_decide(&run.s, -1, ROLE_SHOPPER, chat, "message.send", NULL, pick_text(), k);
        return;
    }
    n = n == 5 ? 0 : n < 7 ? 1 : n < 9 ? 2 : 3;
    run.what = commands[n][0];
    store_decide(&run.s, -1, ROLE_SHOPPER, chat, commands[n][0], commands[n][1], NULL, k);
}

struct rep_command {
    const char *t, *more;
    unsigned role, often;
};

static const struct rep_command rep_commands[] = {
    {"message.send", NULL, ROLE_REP, 12},
    {"offer.accept", "", ROLE_REP, 12},
    {"offer.decline", "'reason':'busy'", ROLE_REP, 2},
    {"chat.claim", "", ROLE_REP, 3},
    {"note.add", "'text':'seen before','mentions':['r_0']", ROLE_REP, 1},
    {"whisper", "'text':'ask for the order'", ROLE_LEAD, 1},
    {"chat.consult", "'to':'TO','question':'can we refund this?'", ROLE_REP, 1},
    {"consult.answer", "'text':'yes'", ROLE_REP, 1},
    {"chat.transfer", "'to':'TO','card':{'summary':'damaged','requirements':'after six','verified':['order'],'promised':'today'}", ROLE_REP, 4},
    {"chat.transfer", "'to':'returns','card':{}", ROLE_REP, 2},
    {"chat.take_back", "", ROLE_REP, 3},
    {"chat.refer", "'who':'the post office','how':'by phone','by':'today'", ROLE_REP, 1},
    {"chat.resolve", "'resolution':'answered','summary':'refunded'", ROLE_REP, 6},
    {"chat.resolve", "'resolution':'referred','summary':'the post office'", ROLE_REP, 1},
    {"chat.park", "'promise':'I call you','until':UNTIL", ROLE_REP, 4},
    {"chat.unpark", "", ROLE_REP, 2},
    {"promise.add", "'text':'by tomorrow','until':UNTIL", ROLE_REP, 2},
    {"promise.done", "'promise':'PROMISE'", ROLE_REP, 2},
    {"chat.triage", "'department':'returns','reason':'theirs','class':'urgent'", ROLE_REP, 1},
    {"chat.triage", "'department':'general','reason':'ours'", ROLE_REP, 1},
    {"chat.tag", "'add':['refund','vip'],'remove':['new']", ROLE_REP, 1},
    {"chat.verify", "'checks':['name','order']", ROLE_REP, 1},
    {"chat.reassign", "'to':'TO','reason':'knows it'", ROLE_LEAD, 2},
    {"chat.join", "", ROLE_LEAD, 1},
    {"alert.act", "'alert':'ALERT','action':'take_over'", ROLE_LEAD, 2},
    {"alert.act", "'alert':'ALERT','action':'explain','note':'called'", ROLE_LEAD, 1},
    {"alert.act", "'alert':'ALERT','action':'call_back','note':'by me','at':UNTIL", ROLE_LEAD, 1},
    {"alert.act", "'alert':'ALERT','action':'move','to':'returns'", ROLE_LEAD, 1},
};

static const struct rep_command *pick_command(void)
{
    unsigned sum = 0, n;

    for (unsigned i = 0; i < sizeof rep_commands / sizeof *rep_commands; i++)
        sum += rep_commands[i].often;
    n = rnd(sum);
    for (unsigned i = 0;; i++) {
        if (n < rep_commands[i].often)
            return &rep_commands[i];
        n -= rep_commands[i].often;
    }
}

/* The command's fields with the capital words filled in. */
static void fill_in(const struct chat *c, const char *more, struct buf *b)
{
    while (*more) {
        if (strncmp(more, "TO", 2) == 0) {
            buf_printf(b, "r_%u", rnd(REPS));
            more += 2;
        } else if (strncmp(more, "UNTIL", 5) == 0) {
            buf_printf(b, "%lld", (long long)(run.s.now_ms + (int64_t)rnd(4) * 3600000 + (one_in(20) ? 0 : 60000)));
            more += 5;
        } else if (strncmp(more, "PROMISE", 7) == 0) {
            buf_add_s(b, c->promises_n ? c->promise[rnd(c->promises_n)].id : "p_none");
            more += 7;
        } else if (strncmp(more, "ALERT", 5) == 0) {
            buf_add_s(b, c->alert[0] ? c->alert : "a_none");
            more += 5;
        } else {
            buf_add_c(b, *more++);
        }
    }
}

/* Mostly somebody whom the chat concerns, else anybody. */
static unsigned pick_rep(const struct chat *c)
{
    const char *ids[] = {c->handler.id, c->offered_to.id, c->transfer_to.id, c->owner.id};
    const char *id = ids[rnd(4)];

    if (id[0] && !one_in(4))
        return (unsigned)(id[2] - '0');
    return rnd(REPS);
}

static void decide_rep(unsigned chat, struct store_commit *k)
{
    const struct rep_command *r = pick_command();
    const struct chat *c = &run.s.chat[chat].c;
    struct buf b;

    run.what = r->t;
    buf_init(&b, 4096);
    if (r->more)
        fill_in(c, r->more, &b);
    store_decide(&run.s, (int)pick_rep(c), r->role, chat, r->t, b.p, r->more ? NULL : pick_text(), k);
    buf_fini(&b);
}

/* rule 1.2: nobody is overtaken by anybody who comes later than the largest head start (that of a case which comes back) after them. */
static void check_bound(const struct chat *taken)
{
    const struct store *s = &run.s;

    for (unsigned i = 0; i < s->chats_n; i++)
        if (s->chat[i].queue[0] && strcmp(s->chat[i].queue, taken->department) == 0)
            CHECK(s->chat[i].c.wait_since_ms + 2 * 86400000LL >= taken->wait_since_ms, "%s overtakes %s\n", taken->id, s->chat[i].c.id);
}

/* Matching: the first of the fullest queue gets the rep that routing chooses. */
static bool decide_match(struct store_commit *k)
{
    struct store *s = &run.s;
    const struct people_rep *list[REPS];
    struct routing_choice choice;
    int next = -1;
    struct buf b;

    run.what = "matching";
    for (unsigned i = 0; i < s->chats_n; i++)
        if (s->chat[i].queue[0] && (next < 0 || s->chat[i].score < s->chat[next].score))
            next = (int)i;
    if (next < 0)
        return false;
    for (unsigned i = 0; i < s->reps_n; i++) {
        s->rep[i].load = store_load(s, s->rep[i].id, -1);
        list[i] = &s->rep[i];
    }
    struct chat *c = &s->chat[next].c;
    struct routing_need need = {.department = str_of(c->department), .owner = c->owner.id, .passed = (const char(*)[ID_SIZE])c->passed,
                                .passed_n = c->passed_n, .weight = s->rules.weight[c->class_]};
    routing_choose(&need, list, s->reps_n, &choice);
    if (!choice.rep)
        return false;
    check_bound(c);
    CHECK(people_is_available(choice.rep) && choice.rep->load + need.weight <= choice.rep->capacity, "routing chose %s\n", choice.rep->id);
    buf_init(&b, 8192);
    routing_write_candidates(&choice, list, &b);
    struct chat_cmd cmd = {.kind = CMD_OFFER, .why = "chosen", .candidates = buf_str(&b)};
    store_decide_system(s, (unsigned)next, &cmd, choice.rep->id, k);
    CHECK(k->code == CODE_OK && k->n, "no offer came of it\n");
    buf_fini(&b);
    return true;
}

/* The timer that is due first, or now and then any: then others are overdue, as after an outage. */
static bool pick_timer(unsigned *chat, enum chat_timer *timer)
{
    int64_t due = INT64_MAX;

    *chat = rnd(run.s.chats_n);
    *timer = (enum chat_timer)rnd(TIMER_N);
    if (run.s.chat[*chat].due_ms[*timer])
        return true;
    for (unsigned i = 0; i < run.s.chats_n; i++)
        for (unsigned t = 0; t < TIMER_N; t++)
            if (run.s.chat[i].due_ms[t] && run.s.chat[i].due_ms[t] < due) {
                due = run.s.chat[i].due_ms[t];
                *chat = i;
                *timer = (enum chat_timer)t;
            }
    return due != INT64_MAX;
}

/* A timer fires; time goes on to its date. Each date of each timer fires once. */
static void fire_next(void)
{
    struct store *s = &run.s;
    unsigned chat;
    enum chat_timer timer;
    struct chat_cmd cmd = {.kind = CMD_TIMER};
    struct store_commit k;

    run.what = "timer";
    if (!pick_timer(&chat, &timer))
        return;
    run.what = chat_timer_name(timer);
    cmd.timer = timer;
    cmd.due_ms = s->chat[chat].due_ms[timer];
    if (s->now_ms < cmd.due_ms)
        s->now_ms = cmd.due_ms;
    store_decide_system(s, chat, &cmd, NULL, &k);
    CHECK(k.code == CODE_OK && k.n > 0 && !s->d.drop_timer, "a timer of the index has no effect\n");
    if (one_in(20)) { /* somebody was faster: then the guard or the head says so, and nothing is written */
        struct store_commit other;

        decide_rep(chat, &other);
        commit(&other);
        run.what = chat_timer_name(timer);
    }
    commit(&k);
    if (s->failed)
        return;
    run.fired[timer]++;
    CHECK(run.w[chat].fired_ms[timer] != cmd.due_ms, "fired again for %lld\n", (long long)cmd.due_ms);
    run.w[chat].fired_ms[timer] = cmd.due_ms;
    CHECK(s->chat[chat].due_ms[timer] != cmd.due_ms, "still due as before\n");
}

/* A timer that isn't due as read, or not yet, has no effect. */
static void fire_wrongly(void)
{
    struct store *s = &run.s;
    unsigned chat = rnd(s->chats_n);
    struct chat_cmd cmd = {.kind = CMD_TIMER, .timer = (enum chat_timer)rnd(TIMER_N)};
    struct store_commit k;

    run.what = "stale timer";
    cmd.due_ms = one_in(2) ? s->chat[chat].due_ms[cmd.timer] : (int64_t)(s->now_ms - rnd(1000));
    if (cmd.due_ms && cmd.due_ms <= s->now_ms && cmd.due_ms == s->chat[chat].due_ms[cmd.timer])
        return;
    store_decide_system(s, chat, &cmd, NULL, &k);
    CHECK(k.code == CODE_OK && k.n == 0 && s->d.drop_timer, "timer %s of nothing fired\n", chat_timer_name(cmd.timer));
    commit(&k);
}

static void gone(void)
{
    struct store *s = &run.s;
    unsigned chat = rnd(s->chats_n);
    const struct chat *c = &s->chat[chat].c;

    run.what = "gone";
    if (one_in(3))
        store_lose_shopper(s, chat);
    else if (c->handler.id[0] || c->offered_to.id[0])
        store_lose(s, chat, (unsigned)((c->handler.id[0] ? c->handler.id : c->offered_to.id)[2] - '0'));
}

/* rule 2.9: what a closed account handled goes to deputies; what it owns stays its own. Somebody new comes in its place. */
static void close_account(unsigned rep)
{
    struct store *s = &run.s;

    run.what = "account closed";
    for (unsigned i = 0; i < s->chats_n; i++)
        store_close_account(s, i, rep);
    for (unsigned i = 0; i < s->chats_n; i++) {
        const struct chat *c = &s->chat[i].c;

        CHECK(c->state == CHAT_PROPOSED || !chat_state_is_open(c->state) || strcmp(c->handler.id, s->rep[rep].id) != 0,
              "%s still handles a chat that is %s\n", c->handler.id, chat_state_name(c->state));
        CHECK(strcmp(c->offered_to.id, s->rep[rep].id) != 0, "an offer to a closed account\n");
    }
    s->rep[rep].disabled = !one_in(2);
}

static void change_people(void)
{
    struct people_rep *p = &run.s.rep[rnd(REPS)];

    run.what = "people";
    switch (rnd(5)) {
    case 4:
        if (one_in(3)) {
            close_account((unsigned)(p - run.s.rep));
            return;
        }
        break;
    case 0:
        p->shift = (enum shift)rnd(3);
        break;
    case 1:
        run.s.shopper_is_here[rnd(SHOPPERS)] = true;
        break;
    default:
        p->shift = SHIFT_ON;
        p->is_present = true;
        break;
    }
}

static void start(void)
{
    static const char *const more[] = {"", "'department':'returns'", "'class':'care'", "'topic':'refund','department':'general'"};
    unsigned shopper = rnd(SHOPPERS);
    enum code code;
    bool had = false;

    run.what = "chat.start";
    if (run.s.chats_n == STORE_CHATS)
        return;
    for (unsigned i = 0; i < run.s.chats_n; i++)
        had = had || (run.s.chat[i].shopper == shopper && run.s.chat[i].open[0]);
    code = store_start(&run.s, shopper, more[rnd(4)]);
    CHECK((code == CODE_OK) == !had, "%s\n", code_name(code));
    if (code != CODE_OK)
        chat_fini(&run.s.chat[--run.s.chats_n].c);
}

/* Two decisions on the same state; the one that is committed second must not harm. */
static void race(unsigned chat)
{
    struct store_commit a, b;

    if (one_in(2))
        decide_rep(chat, &a);
    else
        decide_shopper(chat, &a);
    if (one_in(3))
        decide_shopper(chat, &b);
    else
        decide_rep(chat, &b);
    commit(&b);
    commit(&a);
}

/* Decided on one of the other nodes and slow with its commit: by then much may have happened. */
static void slow_node(void)
{
    unsigned node = rnd(SLOW_NODES), chat = rnd(run.s.chats_n);
    struct store_commit *k = &run.slow[node];

    run.what = "slow node";
    if (run.is_slow[node]) {
        commit(k);
    } else if (one_in(4)) {
        if (!decide_match(k))
            return;
    } else if (one_in(3)) {
        decide_shopper(chat, k);
    } else {
        decide_rep(chat, k);
    }
    run.is_slow[node] = !run.is_slow[node];
}

/* The clocks: a node's is off by up to two seconds, Redis's jumps back, and now and then all stood still for up to a day. */
static void move_clocks(struct store *s)
{
    s->now_ms += one_in(3) ? (int64_t)rnd(20000) : 0;
    s->skew_ms = one_in(4) ? (int64_t)rnd(4001) - 2000 : 0;
    if (one_in(150))
        s->now_ms -= (int64_t)rnd(3600000);
    if (one_in(300))
        s->now_ms += (int64_t)rnd(86400000);
}

static void step(void)
{
    struct store *s = &run.s;
    struct store_commit k;
    unsigned n = rnd(106), chat;

    move_clocks(s);
    s->facts_are_stale = one_in(5);
    if (n < 4 || s->chats_n == 0) {
        start();
        return;
    }
    chat = rnd(s->chats_n);
    if (n >= 100) {
        slow_node();
        return;
    }
    if (n < 20) {
        if (decide_match(&k))
            commit(&k);
    } else if (n < 35) {
        decide_shopper(chat, &k);
        commit(&k);
    } else if (n < 75) {
        decide_rep(chat, &k);
        commit(&k);
    } else if (n < 83) {
        race(chat);
    } else if (n < 91) {
        fire_next();
    } else if (n < 93) {
        fire_wrongly();
    } else if (n < 96) {
        gone();
    } else {
        change_people();
    }
}

static void digest_logs(const struct store *s)
{
    memset(run.digest, 0, sizeof run.digest);
    for (unsigned i = 0; i < s->chats_n; i++)
        for (unsigned k = 0; k < s->chat[i].frames_n; k++) {
            const struct str parts[] = {{(const char *)run.digest, sizeof run.digest}, str_of(s->chat[i].frame[k])};
            unsigned char next[CRYPTO_HASH_BYTES];

            crypto_digest_parts(next, parts, 2);
            memcpy(run.digest, next, sizeof next);
        }
}

static void run_sequence(uint64_t seed)
{
    struct store *s = &run.s;

    memset(run.w, 0, sizeof run.w);
    run.seed = run.x = seed;
    s->now_ms = STORE_START_MS;
    s->reps_n = 0;
    for (unsigned i = 0; i < REPS; i++) {
        char name[8];

        snprintf(name, sizeof name, "%u", i);
        store_add_rep(s, name, i % 3 == 2 ? "returns" : "general", 1 + rnd(3));
        if (!one_in(3)) {
            people_list_add(&s->rep[i].departments, STR("returns"));
            people_list_add(&s->rep[i].departments, STR("general"));
        }
    }
    s->rules.auto_accept = one_in(8);
    s->rules.weight[CLASS_URGENT] = one_in(3) ? 2 : 1;
    memset(run.is_slow, 0, sizeof run.is_slow);
    s->skew_ms = 0;
    for (run.step = 0; run.step < STEPS; run.step++) {
        step();
        s->facts_are_stale = false;
        check_all(s);
    }
    run.what = "the end";
    for (unsigned i = 0; i < SLOW_NODES; i++)
        if (run.is_slow[i])
            commit(&run.slow[i]);
    check_all(s);
    digest_logs(s);
    for (unsigned i = 0; i < s->chats_n; i++)
        check_refold(s, &s->chat[i]);
    store_empty(s);
}

static void print_counts(void)
{
    print_message("[ commits  ] refused by guard %u, fence %u, head %u\n", run.by_guard, run.by_fence, run.by_head);
    for (unsigned i = 0; i < CODE_N; i++)
        if (run.refused[i])
            print_message("[ answers  ] %s %u\n", code_name((enum code)i), run.refused[i]);
    for (unsigned i = 0; i < TIMER_N; i++)
        print_message("[ fired    ] %s %u\n", chat_timer_name((enum chat_timer)i), run.fired[i]);
}

/* rules 1.2 to 3.3: one owner, one handler, no gap, no chat in no place, no rep above capacity, each timer once */
static void random_commands_never_break_a_rule(void **state)
{
    const char *one = getenv("FIRSTLINE_SEED"), *many = getenv("FIRSTLINE_SEQUENCES");
    uint64_t first = one ? strtoull(one, NULL, 10) : 1, n = one ? 1 : many ? strtoull(many, NULL, 10) : SEQUENCES;

    (void)state;
    store_init(&run.s);
    run.s.on_entry = on_entry;
    print_message("[ seeds    ] %llu to %llu, %u steps each\n", (unsigned long long)first, (unsigned long long)(first + n - 1), STEPS);
    for (uint64_t i = 0; i < n; i++)
        run_sequence(first + i);
    store_fini(&run.s);
    print_counts();
}

/* The same seed gives the same log, byte for byte: nothing in the core asks a clock or throws dice. */
static void the_same_seed_gives_the_same_log(void **state)
{
    unsigned char first[CRYPTO_HASH_BYTES];
    static const unsigned char nothing[CRYPTO_HASH_BYTES];

    (void)state;
    store_init(&run.s);
    for (uint64_t seed = 1; seed <= 40; seed++) {
        run_sequence(seed);
        memcpy(first, run.digest, sizeof first);
        assert_memory_not_equal(first, nothing, sizeof first);
        run_sequence(seed);
        assert_memory_equal(first, run.digest, sizeof first);
    }
    store_fini(&run.s);
}

/* The sequences must reach what they are to test: every timer, every kind that the core writes, every allowed move but one. */
static void random_commands_reach_every_corner(void **state)
{
    static const enum kind not_ours[] = {KIND_ACCOUNT_CHANGED, KIND_ACCOUNT_CREATED, KIND_ARTICLE_HELPED, KIND_ARTICLE_SAVED, KIND_COMPLAINT_MOVED,
                                         KIND_COMPLAINT_OPENED, KIND_ESCALATED, KIND_FEEDBACK_GIVEN, KIND_FEEDBACK_UNDONE, KIND_IDENTIFIED, KIND_MOVED,
                                         KIND_REDACTED, KIND_REQUEST_FILED, KIND_SHIFT_ENDED, KIND_SHIFT_PAUSED, KIND_SHIFT_STARTED,
                                         KIND_SUGGESTED, KIND_SUGGESTION_USED, KIND_SYNONYMS_SAVED, KIND_TASK_DONE, KIND_TASK_OPENED};

    (void)state;
    if (getenv("FIRSTLINE_SEED"))
        skip();
    for (unsigned t = 0; t < TIMER_N; t++)
        if (!run.fired[t])
            fail_msg("timer %s never fired", chat_timer_name((enum chat_timer)t));
    for (unsigned k = 0; k < KIND_N; k++) {
        bool ours = true;

        for (unsigned i = 0; i < sizeof not_ours / sizeof *not_ours; i++)
            ours = ours && not_ours[i] != k;
        if (ours != (run.kinds[k] != 0))
            fail_msg("%u entries of kind %s", run.kinds[k], kind_table[k].name);
    }
    assert_true(run.by_guard && run.by_fence && run.by_head);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(random_commands_never_break_a_rule),
        cmocka_unit_test(random_commands_reach_every_corner),
        cmocka_unit_test(the_same_seed_gives_the_same_log),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Proposed, confirmed, refused, parked, promised, rated: rules 2.6, 2.9, 3.3 on whole chats. */
#include "chat/chat_store.h"

#define RESOLVE "'resolution':'answered','summary':'refunded'"

static struct store s;
static unsigned ann, bob;

/* Chat 0: ann owns, handles and has answered it. */
static int open_shop(void **state)
{
    (void)state;
    store_init(&s);
    ann = store_add_rep(&s, "ann", "general", 2);
    bob = store_add_rep(&s, "bob", "general", 2);
    assert_int_equal(store_start(&s, 0, ""), CODE_OK);
    assert_int_equal(store_say(&s, ann, 0, "Your refund is on its way"), CODE_OK);
    return 0;
}

static int close_shop(void **state)
{
    (void)state;
    store_fini(&s);
    return 0;
}

static const struct chat *chat(void)
{
    return &s.chat[0].c;
}

static void assert_who(const char *handler, enum chat_state st)
{
    assert_string_equal(chat()->owner.id, "r_ann");
    assert_string_equal(chat()->handler.id, handler);
    assert_string_equal(chat_state_name(chat()->state), chat_state_name(st));
}

static const char *park(int64_t in_ms)
{
    static char more[100];

    snprintf(more, sizeof more, "'promise':'I call you by four','until':%lld", (long long)(s.now_ms + in_ms));
    return more;
}

/* rule 2.6: proposed by the handler, confirmed by the shopper, closed; then nothing moves it */
static void a_confirmed_resolution_closes_for_good(void **state)
{
    (void)state;
    assert_int_equal(store_shopper(&s, 0, "chat.confirm", "'solved':true"), CODE_CONFLICT);
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", RESOLVE), CODE_OK);
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", RESOLVE), CODE_CONFLICT);
    assert_who("r_ann", CHAT_PROPOSED);
    assert_int_equal(s.chat[0].weight, 0); /* rule 2.9 */
    assert_int_equal(store_shopper(&s, 0, "chat.confirm", "'solved':true"), CODE_OK);
    assert_int_equal(s.d.main, 0);
    assert_who("r_ann", CHAT_CLOSED);
    assert_string_equal(chat()->closed_how, "confirmed");
    assert_string_equal(s.chat[0].open, "");
    assert_int_equal(store_shopper(&s, 0, "chat.confirm", "'solved':false"), CODE_CONFLICT);
    assert_int_equal(store_shopper(&s, 0, "chat.leave", ""), CODE_CLOSED);
    assert_int_equal(store_start(&s, 0, ""), CODE_OK); /* a return is a new chat */
}

/* rule 2.6: "not solved": back to its owner, who must answer again: the proof begins anew */
static void not_solved_returns_to_the_owner(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.resolve", RESOLVE);
    s.now_ms += 5000;
    assert_int_equal(store_shopper(&s, 0, "chat.confirm", "'solved':false"), CODE_OK);
    assert_who("r_ann", CHAT_ASSIGNED);
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], s.now_ms + 120000);
    assert_int_equal(s.chat[0].due_ms[TIMER_CONFIRM], 0);
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", RESOLVE), CODE_RESOLUTION_REQUIRED);
    store_say(&s, ann, 0, "I have sent it again");
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", RESOLVE), CODE_OK);
}

/* rule 2.3: a referral from before the case was opened again proves nothing after it */
static void a_refusal_voids_every_proof_from_before(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.refer", "'who':'the post','how':'by phone'");
    store_rep(&s, ann, 0, "chat.resolve", "'resolution':'referred','summary':'x'");
    store_shopper(&s, 0, "chat.confirm", "'solved':false");
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", "'resolution':'referred','summary':'x'"), CODE_RESOLUTION_REQUIRED);
    store_rep(&s, ann, 0, "chat.refer", "'who':'the post','how':'by phone'");
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", "'resolution':'referred','summary':'x'"), CODE_OK);
}

/* rule 2.6: from a deputy's hands, too, it returns to the owner */
static void not_solved_returns_from_the_deputy_to_the_owner(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.transfer", "'to':'r_bob','card':{}");
    store_rep(&s, bob, 0, "offer.accept", "");
    store_rep(&s, bob, 0, "chat.resolve", RESOLVE);
    store_shopper(&s, 0, "chat.confirm", "'solved':false");
    assert_who("r_ann", CHAT_ASSIGNED);
}

/* rule 2.6: an owner who is away or full: ahead of the queue, of a class no lower than before */
static void not_solved_goes_ahead_of_the_queue_when_the_owner_cannot(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.resolve", RESOLVE);
    s.rep[ann].is_present = false;
    s.chat[0].c.class_ = CLASS_URGENT;
    assert_int_equal(store_shopper(&s, 0, "chat.confirm", "'solved':false"), CODE_OK);
    assert_who("", CHAT_WAITING);
    assert_int_equal(chat()->class_, CLASS_URGENT);
    assert_true(s.chat[0].score < s.now_ms - 86400000);
}

/* rule 2.6: a case that was normal returns as one that returns */
static void a_normal_case_returns_as_returning(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.resolve", RESOLVE);
    s.rep[ann].capacity = 0;
    store_shopper(&s, 0, "chat.confirm", "'solved':false");
    assert_who("", CHAT_WAITING);
    assert_int_equal(chat()->class_, CLASS_RETURNING);
}

/* rule 2.6: no answer within 24 h closes it as unconfirmed */
static void no_answer_closes_as_unconfirmed(void **state)
{
    int64_t proposed;

    (void)state;
    store_rep(&s, ann, 0, "chat.resolve", RESOLVE);
    proposed = s.now_ms;
    assert_int_equal(s.chat[0].due_ms[TIMER_CONFIRM], proposed + 86400000);
    assert_true(store_fire(&s, 0, TIMER_CONFIRM));
    assert_who("r_ann", CHAT_CLOSED);
    assert_string_equal(chat()->closed_how, "unconfirmed");
}

/* rules 1.4, 2.6: a shopper who writes instead of answering waits: the handler is reminded, and the case not closed over it */
static void a_question_at_the_proposal_is_not_closed_over(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.resolve", RESOLVE);
    s.now_ms += 1000;
    assert_int_equal(store_ask(&s, 0, "And the postage?"), CODE_OK);
    assert_who("r_ann", CHAT_PROPOSED);
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], s.now_ms + 120000);
    assert_true(store_fire(&s, 0, TIMER_SILENT));
    assert_int_equal(s.d.entry[0].kind, KIND_REMINDED);
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], 0); /* reminded once; the shopper may still confirm */
    assert_true(store_fire(&s, 0, TIMER_CONFIRM));
    assert_who("r_ann", CHAT_ASSIGNED);
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", RESOLVE), CODE_RESOLUTION_REQUIRED);
}

/* rules 1.4, 2.6: answered, the proposal runs on to its date */
static void a_question_that_is_answered_leaves_the_proposal(void **state)
{
    int64_t due;

    (void)state;
    store_rep(&s, ann, 0, "chat.resolve", RESOLVE);
    due = s.chat[0].due_ms[TIMER_CONFIRM];
    store_ask(&s, 0, "And the postage?");
    assert_int_equal(store_say(&s, ann, 0, "That too"), CODE_OK);
    assert_who("r_ann", CHAT_PROPOSED);
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], 0);
    assert_int_equal(s.chat[0].due_ms[TIMER_CONFIRM], due);
    assert_true(store_fire(&s, 0, TIMER_CONFIRM));
    assert_string_equal(chat()->closed_how, "unconfirmed");
}

/* rule 1.4: a question at the proposal of a handler who is gone comes to somebody who is there */
static void a_question_to_an_absent_proposer_comes_to_somebody(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.resolve", RESOLVE);
    s.rep[ann].is_present = false;
    store_ask(&s, 0, "And the postage?");
    assert_true(store_fire(&s, 0, TIMER_SILENT));
    assert_who("", CHAT_WAITING);
    assert_int_equal(s.chat[0].due_ms[TIMER_CONFIRM], 0);
    store_say(&s, bob, 0, "I answer for Ann");
    assert_who("r_bob", CHAT_ACTIVE);
}

/* rule 2.9: parked with a promise and a date; it fills no capacity and stops the clock */
static void a_parked_chat_fills_no_capacity(void **state)
{
    (void)state;
    store_ask(&s, 0, "When?");
    assert_int_equal(store_rep(&s, ann, 0, "chat.park", "'promise':'x','until':5"), CODE_BAD_REQUEST);
    assert_int_equal(store_rep(&s, ann, 0, "chat.park", park(3600000)), CODE_OK);
    assert_who("r_ann", CHAT_PARKED);
    assert_int_equal(s.d.entry[s.d.main].kind, KIND_PARKED);
    assert_int_equal(s.chat[0].weight, 0);
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], 0);
    assert_int_equal(s.chat[0].due_ms[TIMER_PARK], s.now_ms + 3600000);
    assert_int_equal(s.chat[0].due_ms[TIMER_PROMISE], s.now_ms + 3600000);
    assert_int_equal(store_rep(&s, ann, 0, "chat.park", park(3600000)), CODE_CONFLICT);
}

/* rule 2.9: the handler may write into a parked chat; that doesn't take it up */
static void an_answer_into_a_parked_chat_leaves_it_parked(void **state)
{
    unsigned other;

    (void)state;
    store_start(&s, 1, "");
    other = s.chats_n - 1;
    store_rep(&s, ann, other, "chat.claim", "");
    assert_int_equal(store_rep(&s, ann, other, "chat.park", park(3600000)), CODE_OK);
    s.rep[ann].capacity = 1;
    assert_int_equal(store_say(&s, ann, other, "I have it, it comes"), CODE_OK); /* the first reply: owns, and takes no room */
    assert_int_equal(s.chat[other].c.state, CHAT_PARKED);
    assert_string_equal(s.chat[other].c.owner.id, "r_ann");
    assert_int_equal(store_load(&s, "r_ann", -1), 1);
}

/* rule 2.9: taken up again by the rep, where there is room */
static void a_parked_chat_is_taken_up_where_there_is_room(void **state)
{
    (void)state;
    assert_int_equal(store_rep(&s, ann, 0, "chat.unpark", ""), CODE_CONFLICT);
    store_rep(&s, ann, 0, "chat.park", park(3600000));
    s.rep[ann].capacity = 0;
    assert_int_equal(store_rep(&s, ann, 0, "chat.unpark", ""), CODE_CONFLICT);
    s.facts_are_stale = true;
    assert_int_equal(store_rep(&s, ann, 0, "chat.unpark", ""), CODE_CONFLICT);
    assert_int_equal(s.failed_guard, GUARD_REP_ROOM);
    s.facts_are_stale = false;
    s.rep[ann].capacity = 1;
    assert_int_equal(store_rep(&s, ann, 0, "chat.unpark", ""), CODE_OK);
    assert_who("r_ann", CHAT_ACTIVE);
    assert_int_equal(s.chat[0].due_ms[TIMER_PARK], 0);
    assert_int_not_equal(s.chat[0].due_ms[TIMER_PROMISE], 0); /* the promise stands until it is kept */
}

/* rule 2.9: a parked shopper writes: to the handler who is there, with the clock running */
static void a_parked_shopper_who_writes_reaches_the_handler(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.park", park(3600000));
    s.now_ms += 1000;
    assert_int_equal(store_ask(&s, 0, "Any news?"), CODE_OK);
    assert_int_equal(s.d.entry[s.d.main].kind, KIND_MESSAGE);
    assert_who("r_ann", CHAT_ACTIVE);
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], s.now_ms + 120000);
}

/* PROMISES 2.10: whether the handler has room for the parked chat is judged again when it is committed */
static void a_parked_chat_never_comes_back_above_capacity(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.park", park(3600000));
    s.rep[ann].capacity = 0;
    s.facts_are_stale = true;
    assert_int_equal(store_ask(&s, 0, "Any news?"), CODE_CONFLICT);
    assert_int_equal(s.failed_guard, GUARD_REP_ROOM);
    assert_false(store_fire(&s, 0, TIMER_PARK));
    assert_int_equal(s.failed_guard, GUARD_REP_ROOM);
    s.facts_are_stale = false;
    assert_true(store_fire(&s, 0, TIMER_PARK));
    assert_who("", CHAT_WAITING);
}

/* rule 2.9: and where the handler is away or full, ahead of the queue to a deputy */
static void a_parked_shopper_who_writes_to_nobody_reaches_a_deputy(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.park", park(3600000));
    s.rep[ann].shift = SHIFT_OFF;
    assert_int_equal(store_ask(&s, 0, "Any news?"), CODE_OK);
    assert_int_equal(s.d.main, 0);
    assert_who("", CHAT_WAITING);
    assert_true(s.chat[0].score < s.now_ms - 86400000);
    assert_int_equal(s.chat[0].due_ms[TIMER_PARK], 0);
}

/* rules 1.4, 2.9: the date has come: the shopper waits for an answer from now, whoever handles it */
static void a_parked_chat_comes_back_at_its_date_with_the_clock(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.park", park(3600000));
    assert_true(store_fire(&s, 0, TIMER_PARK));
    assert_who("r_ann", CHAT_ACTIVE);
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], s.now_ms + 120000);
    store_rep(&s, ann, 0, "chat.park", park(3600000));
    s.rep[ann].is_present = false;
    assert_true(store_fire(&s, 0, TIMER_PARK));
    assert_who("", CHAT_WAITING);
    s.now_ms += 5000;
    store_rep(&s, bob, 0, "chat.claim", "");
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], s.now_ms + 120000);
}

/* rule 2.9: what is neither active nor assigned can't be parked */
static void only_a_served_chat_can_be_parked(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.resolve", RESOLVE);
    assert_int_equal(store_rep(&s, ann, 0, "chat.park", park(3600000)), CODE_CONFLICT);
}

/* rule 3.3: one that was missed can be kept late, once; missed it remains */
static void a_missed_promise_is_kept_late_once(void **state)
{
    char more[100];

    (void)state;
    store_rep(&s, ann, 0, "promise.add", "'text':'by four','until':1800003600000");
    assert_true(store_fire(&s, 0, TIMER_PROMISE));
    assert_int_equal(chat()->promise[0].state, PROMISE_MISSED);
    snprintf(more, sizeof more, "'promise':'%s'", chat()->promise[0].id);
    assert_int_equal(store_rep(&s, ann, 0, "promise.done", more), CODE_OK);
    assert_int_equal(chat()->promise[0].state, PROMISE_KEPT_LATE);
    assert_int_equal(store_rep(&s, ann, 0, "promise.done", more), CODE_CONFLICT);
}

/* A chat has twenty tags at most; what is taken off makes room, and what is in both lists stays. */
static void tags_are_bounded(void **state)
{
    static const char long_one[] = "一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十一二三四五六七八九十";
    char more[256];

    (void)state;
    snprintf(more, sizeof more, "'add':['%s']", long_one);
    assert_int_equal(store_rep(&s, ann, 0, "chat.tag", more), CODE_OK);
    assert_string_equal(chat()->tags[0], long_one);
    assert_int_equal(store_rep(&s, ann, 0, "chat.tag", "'add':['b'],'remove':['b']"), CODE_OK);
    assert_string_equal(chat()->tags[1], "b");
    for (unsigned i = 2; i < CHAT_TAGS_MAX; i++) {
        snprintf(more, sizeof more, "'add':['t%u','b']", i);
        assert_int_equal(store_rep(&s, ann, 0, "chat.tag", more), CODE_OK);
    }
    assert_int_equal(chat()->tags_n, CHAT_TAGS_MAX);
    assert_int_equal(store_rep(&s, ann, 0, "chat.tag", "'add':['one more']"), CODE_CONFLICT);
    assert_int_equal(store_rep(&s, ann, 0, "chat.tag", "'add':['t2']"), CODE_OK);
    assert_int_equal(store_rep(&s, ann, 0, "chat.tag", "'add':['one more'],'remove':['b','none']"), CODE_OK);
    assert_int_equal(chat()->tags_n, CHAT_TAGS_MAX);
    assert_string_equal(chat()->tags[CHAT_TAGS_MAX - 1], "one more");
    assert_int_equal(store_rep(&s, ann, 0, "chat.tag", "'remove':['t2','t3']"), CODE_OK);
    assert_int_equal(chat()->tags_n, CHAT_TAGS_MAX - 2);
}

/* rule 3.3: each promise is recorded, and whether it was kept, also when the case is over by then */
static void each_promise_is_found_kept_or_missed(void **state)
{
    char more[100];
    const char *id = chat()->promise[0].id;

    (void)state;
    store_rep(&s, ann, 0, "promise.add", "'text':'by four','until':1800003600000");
    store_rep(&s, ann, 0, "promise.add", "'text':'by five','until':1800007200000");
    assert_int_equal(store_rep(&s, ann, 0, "promise.add", "'text':'yesterday','until':1700000000000"), CODE_BAD_REQUEST);
    assert_int_equal(chat()->promises_n, 2);
    assert_int_equal(s.chat[0].due_ms[TIMER_PROMISE], 1800003600000);
    snprintf(more, sizeof more, "'promise':'%s'", id);
    assert_int_equal(store_rep(&s, ann, 0, "promise.done", more), CODE_OK);
    assert_int_equal(store_rep(&s, ann, 0, "promise.done", more), CODE_CONFLICT);
    assert_int_equal(store_rep(&s, ann, 0, "promise.done", "'promise':'p_none'"), CODE_NOT_FOUND);
    assert_int_equal(s.chat[0].due_ms[TIMER_PROMISE], 1800007200000);
    store_rep(&s, ann, 0, "chat.resolve", RESOLVE);
    store_shopper(&s, 0, "chat.confirm", "'solved':true");
    assert_int_equal(s.chat[0].due_ms[TIMER_PROMISE], 1800007200000);
    assert_true(store_fire(&s, 0, TIMER_PROMISE));
    assert_int_equal(chat()->promise[0].state, PROMISE_KEPT);
    assert_int_equal(chat()->promise[1].state, PROMISE_MISSED);
    assert_who("r_ann", CHAT_CLOSED);
    assert_int_equal(s.chat[0].due_ms[TIMER_PROMISE], 0);
}

/* rule 3.3: several promises for one moment are found missed together; there are no more than fit */
static void promises_for_one_moment_are_missed_together(void **state)
{
    unsigned n = 0;

    (void)state;
    while (store_rep(&s, ann, 0, "promise.add", "'text':'by four','until':1800003600000") == CODE_OK)
        n++;
    assert_int_equal(s.d.code, CODE_CONFLICT);
    assert_int_equal(n, 8);
    assert_int_equal(store_rep(&s, ann, 0, "promise.add", "'text':'by five','until':1800007200000"), CODE_OK);
    assert_true(store_fire(&s, 0, TIMER_PROMISE));
    assert_int_equal(store_count(&s, 0, KIND_PROMISE_MISSED), 8);
    assert_int_equal(s.chat[0].due_ms[TIMER_PROMISE], 1800007200000);
}

/* rule 3.3: a chat holds so many promises and no more; those that were kept or missed make room */
static void promises_are_bounded(void **state)
{
    char first[ID_SIZE], second[ID_SIZE], more[100];

    (void)state;
    for (unsigned i = 0; i < CHAT_PROMISES_MAX; i++) {
        snprintf(more, sizeof more, "'text':'by four','until':%lld", (long long)(s.now_ms + 3600000 + i));
        assert_int_equal(store_rep(&s, ann, 0, "promise.add", more), CODE_OK);
    }
    assert_int_equal(store_rep(&s, ann, 0, "chat.park", park(7200000)), CODE_CONFLICT);
    strcpy(first, chat()->promise[0].id);
    strcpy(second, chat()->promise[1].id);
    assert_true(store_fire(&s, 0, TIMER_PROMISE)); /* the first one's date */
    snprintf(more, sizeof more, "'promise':'%s'", second);
    assert_int_equal(store_rep(&s, ann, 0, "promise.done", more), CODE_OK);
    assert_int_equal(store_rep(&s, ann, 0, "chat.park", park(7200000)), CODE_OK);
    assert_string_equal(chat()->promise[0].id, first); /* what was missed may still be kept late: what was kept goes first */
    assert_int_equal(chat()->promises_n, CHAT_PROMISES_MAX);
    assert_int_equal(store_rep(&s, ann, 0, "promise.done", more), CODE_NOT_FOUND);
    store_rep(&s, ann, 0, "chat.unpark", "");
    assert_int_equal(store_rep(&s, ann, 0, "chat.park", park(7300000)), CODE_OK);
    assert_string_not_equal(chat()->promise[0].id, first);
    store_rep(&s, ann, 0, "chat.unpark", "");
    assert_int_equal(store_rep(&s, ann, 0, "chat.park", park(7400000)), CODE_CONFLICT);
}

/* section 6: rated at the end, once, also from two tabs */
static void a_case_is_rated_at_its_end_once(void **state)
{
    struct store_commit a, b;

    (void)state;
    assert_int_equal(store_shopper(&s, 0, "chat.rate", "'score':5"), CODE_CONFLICT);
    store_rep(&s, ann, 0, "chat.resolve", RESOLVE);
    store_decide(&s, -1, ROLE_SHOPPER, 0, "chat.rate", "'score':5,'comment':'谢谢'", NULL, &a);
    store_decide(&s, -1, ROLE_SHOPPER, 0, "chat.rate", "'score':1", NULL, &b);
    assert_int_equal(store_do(&s, &a), CODE_OK);
    assert_int_equal(store_do(&s, &b), CODE_CONFLICT);
    assert_int_equal(chat()->rating, 5);
    store_shopper(&s, 0, "chat.confirm", "'solved':true");
    assert_int_equal(store_shopper(&s, 0, "chat.rate", "'score':1"), CODE_CONFLICT);
}

/* PROTOCOL "chat.leave": served, it is recorded and the state stays */
static void leaving_a_served_chat_is_recorded(void **state)
{
    (void)state;
    assert_int_equal(store_shopper(&s, 0, "chat.leave", ""), CODE_OK);
    assert_who("r_ann", CHAT_ACTIVE);
    assert_true(chat()->has_left);
    store_ask(&s, 0, "back again");
    assert_false(chat()->has_left);
}

/* rule 2.9: a parked case may be resolved as it lies */
static void a_parked_case_can_be_resolved(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.park", park(3600000));
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", RESOLVE), CODE_OK);
    assert_who("r_ann", CHAT_PROPOSED);
    assert_int_equal(s.chat[0].due_ms[TIMER_PARK], 0);
}

/* rules 1.4, 2.9: parking stops the clock; taken up by the rep before its date it stays so until the shopper asks */
static void parking_stops_the_clock_for_good(void **state)
{
    (void)state;
    store_ask(&s, 0, "When?");
    store_rep(&s, ann, 0, "chat.park", park(3600000));
    s.now_ms += 600000;
    assert_int_equal(store_rep(&s, ann, 0, "chat.unpark", ""), CODE_OK);
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], 0);
    store_ask(&s, 0, "And now?");
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], s.now_ms + 120000);
}

/* rule 3.4: who was asked whether it is solved is not asked whether they are still there */
static void nobody_checks_in_at_a_proposal(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.resolve", RESOLVE);
    store_ask(&s, 0, "And the postage?");
    assert_true(store_fire(&s, 0, TIMER_SILENT));
    assert_int_equal(s.d.entries_n, 1);
}

/* rule 3.3: a date lies in the future; those that are kept make room for others of that moment; the next date is the nearest */
static void a_promise_has_a_date_to_come(void **state)
{
    char more[100];

    (void)state;
    snprintf(more, sizeof more, "'text':'now','until':%lld", (long long)s.now_ms);
    assert_int_equal(store_rep(&s, ann, 0, "promise.add", more), CODE_BAD_REQUEST);
    for (unsigned i = 0; i < 10; i++) {
        assert_int_equal(store_rep(&s, ann, 0, "promise.add", "'text':'by five','until':1800007200000"), CODE_OK);
        snprintf(more, sizeof more, "'promise':'%s'", chat()->promise[i].id);
        assert_int_equal(store_rep(&s, ann, 0, "promise.done", more), CODE_OK);
    }
    store_rep(&s, ann, 0, "promise.add", "'text':'by five','until':1800007200000");
    store_rep(&s, ann, 0, "promise.add", "'text':'by four','until':1800003600000");
    assert_int_equal(s.chat[0].due_ms[TIMER_PROMISE], 1800003600000);
}

/* rule 3.3: kept is kept once, also from two tabs */
static void a_promise_is_kept_once(void **state)
{
    struct store_commit a, b;
    char more[100];

    (void)state;
    store_rep(&s, ann, 0, "promise.add", "'text':'by four','until':1800003600000");
    snprintf(more, sizeof more, "'promise':'%s'", chat()->promise[0].id);
    store_decide(&s, (int)ann, ROLE_REP, 0, "promise.done", more, NULL, &a);
    store_decide(&s, (int)bob, ROLE_REP, 0, "promise.done", more, NULL, &b);
    assert_int_equal(store_do(&s, &a), CODE_OK);
    assert_int_equal(store_do(&s, &b), CODE_CONFLICT);
}

static int64_t freed_at_ms(void)
{
    struct chat_index ix;

    chat_index(chat(), &s.rules, &ix);
    return ix.free_ms;
}

/* rule 2.7: the way back leads to the owner for less than that time; until then the case stays, and as long as a promise is open */
static void a_case_stays_while_the_way_back_leads_to_it(void **state)
{
    int64_t ended;

    (void)state;
    store_rep(&s, ann, 0, "promise.add", "'text':'by four','until':1800003600000");
    store_rep(&s, ann, 0, "chat.resolve", RESOLVE);
    assert_int_equal(freed_at_ms(), 0);
    store_shopper(&s, 0, "chat.confirm", "'solved':true");
    ended = s.now_ms;
    assert_int_equal(freed_at_ms(), 0);
    assert_true(store_fire(&s, 0, TIMER_PROMISE));
    assert_int_equal(freed_at_ms(), ended + s.rules.return_ms);
    assert_true(chat_leads_back(chat(), &s.rules, ended + s.rules.return_ms - 1));
    assert_false(chat_leads_back(chat(), &s.rules, ended + s.rules.return_ms));
    s.rules.keep_ms = 2 * s.rules.return_ms;
    assert_int_equal(freed_at_ms(), ended + s.rules.keep_ms);
    s.rules.return_ms = 0; /* no way back */
    assert_false(chat_leads_back(chat(), &s.rules, ended));
}

/* rules 1.5, 2.7: an abandoned chat stays while a message may open it again; it leads back to its owner if it has one */
static void an_abandoned_chat_stays_while_it_may_be_opened_again(void **state)
{
    (void)state;
    store_lose(&s, 0, ann);
    store_shopper(&s, 0, "chat.leave", "");
    assert_int_equal(chat()->state, CHAT_ABANDONED);
    assert_true(chat_leads_back(chat(), &s.rules, s.now_ms));
    s.rules.keep_ms = s.rules.return_ms = 1000;
    assert_int_equal(freed_at_ms(), s.now_ms + s.rules.quick_return_ms);
    s.rules.keep_ms = s.rules.quick_return_ms + 1;
    assert_int_equal(freed_at_ms(), s.now_ms + s.rules.keep_ms);
    s.chat[0].c.owner.id[0] = 0;
    assert_false(chat_leads_back(chat(), &s.rules, s.now_ms));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_shop, close_shop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_confirmed_resolution_closes_for_good),
        TEST(not_solved_returns_to_the_owner),
        TEST(a_refusal_voids_every_proof_from_before),
        TEST(not_solved_returns_from_the_deputy_to_the_owner),
        TEST(not_solved_goes_ahead_of_the_queue_when_the_owner_cannot),
        TEST(a_normal_case_returns_as_returning),
        TEST(no_answer_closes_as_unconfirmed),
        TEST(a_question_at_the_proposal_is_not_closed_over),
        TEST(a_question_that_is_answered_leaves_the_proposal),
        TEST(a_question_to_an_absent_proposer_comes_to_somebody),
        TEST(a_parked_chat_fills_no_capacity),
        TEST(an_answer_into_a_parked_chat_leaves_it_parked),
        TEST(a_parked_chat_is_taken_up_where_there_is_room),
        TEST(a_parked_shopper_who_writes_reaches_the_handler),
        TEST(a_parked_chat_never_comes_back_above_capacity),
        TEST(a_parked_shopper_who_writes_to_nobody_reaches_a_deputy),
        TEST(a_parked_chat_comes_back_at_its_date_with_the_clock),
        TEST(only_a_served_chat_can_be_parked),
        TEST(each_promise_is_found_kept_or_missed),
        TEST(a_missed_promise_is_kept_late_once),
        TEST(tags_are_bounded),
        TEST(promises_for_one_moment_are_missed_together),
        TEST(promises_are_bounded),
        TEST(a_case_is_rated_at_its_end_once),
        TEST(leaving_a_served_chat_is_recorded),
        TEST(a_parked_case_can_be_resolved),
        TEST(parking_stops_the_clock_for_good),
        TEST(nobody_checks_in_at_a_proposal),
        TEST(a_promise_has_a_date_to_come),
        TEST(a_promise_is_kept_once),
        TEST(a_case_stays_while_the_way_back_leads_to_it),
        TEST(an_abandoned_chat_stays_while_it_may_be_opened_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

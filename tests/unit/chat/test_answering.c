/* Who becomes the owner, who may write, what proves a resolution: rules 2.1, 2.2, 2.3, 2.12 on whole chats. */
#include "chat/chat_store.h"

static struct store s;
static unsigned ann, bob;

/* Two reps of the department, one waiting shopper: chat 0. */
static int open_shop(void **state)
{
    (void)state;
    store_init(&s);
    ann = store_add_rep(&s, "ann", "general", 2);
    bob = store_add_rep(&s, "bob", "general", 2);
    assert_int_equal(store_start(&s, 0, ""), CODE_OK);
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

static void assert_who(const char *owner, const char *handler, enum chat_state st)
{
    assert_string_equal(chat()->owner.id, owner);
    assert_string_equal(chat()->handler.id, handler);
    assert_string_equal(chat_state_name(chat()->state), chat_state_name(st));
}

/* rules 1.1, 3.4: a start is one commit: started, triaged, the greeting, the message (which is the command), queued */
static void a_start_writes_five_entries_and_the_message_is_the_command(void **state)
{
    (void)state;
    assert_int_equal(s.chat[0].frames_n, 5);
    assert_non_null(strstr(s.chat[0].frame[2], "\"step\":\"greeting\""));
    assert_int_equal(s.d.main, 3);
    assert_int_equal(s.d.entry[3].kind, KIND_MESSAGE);
    assert_int_equal(s.d.compare, COMPARE_NEW);
    assert_string_equal(s.chat[0].queue, "general");
    assert_who("", "", CHAT_WAITING);
}

/* PROTOCOL "chat.start": with an open chat there is no second one */
static void a_shopper_has_one_open_chat(void **state)
{
    (void)state;
    assert_int_equal(store_start(&s, 0, ""), CODE_CONFLICT);
    assert_string_equal(s.failed, "guard");
    assert_int_equal(s.failed_guard, GUARD_SHOPPER_FREE);
    assert_int_equal(store_start(&s, 1, ""), CODE_OK);
}

/* rules 2.1, 2.2: the first reply claims, owns and is written in one step */
static void the_first_reply_claims_owns_and_is_shown_in_one_step(void **state)
{
    (void)state;
    assert_int_equal(store_say(&s, ann, 0, "Your refund is on its way."), CODE_OK);
    assert_int_equal(s.d.entries_n, 3);
    assert_int_equal(s.d.entry[0].kind, KIND_ASSIGNED);
    assert_int_equal(s.d.entry[1].kind, KIND_OWNED);
    assert_int_equal(s.d.entry[2].kind, KIND_MESSAGE);
    assert_int_equal(s.d.main, 2);
    assert_who("r_ann", "r_ann", CHAT_ACTIVE);
    assert_string_equal(s.chat[0].hold, "r_ann");
}

/* rule 2.1: two reps reply at once on the same state: exactly one owns, the other is refused with nothing written */
static void two_reps_reply_at_once_exactly_one_owns(void **state)
{
    struct store_commit a, b;

    (void)state;
    store_decide(&s, (int)ann, ROLE_REP, 0, "message.send", NULL, "mine", &a);
    store_decide(&s, (int)bob, ROLE_REP, 0, "message.send", NULL, "no, mine", &b);
    assert_int_equal(a.code, CODE_OK);
    assert_int_equal(b.code, CODE_OK);
    assert_true(store_commit(&s, &b));
    assert_false(store_commit(&s, &a));
    assert_string_equal(s.failed, "fence");
    assert_who("r_bob", "r_bob", CHAT_ACTIVE);
    assert_int_equal(store_count(&s, 0, KIND_MESSAGE), 2);
    /* decided again on what stands now, the loser is told */
    assert_int_equal(store_say(&s, ann, 0, "mine"), CODE_NOT_HANDLER);
}

/* rule 2.1: a greeting takes the chat but owns nothing, answers nothing and stops no clock */
static void a_greeting_takes_the_chat_and_owns_nothing(void **state)
{
    (void)state;
    s.now_ms += 10000;
    assert_int_equal(store_say(&s, ann, 0, "您好！"), CODE_OK);
    assert_who("", "r_ann", CHAT_ASSIGNED);
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], s.now_ms + 120000);
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", "'resolution':'answered','summary':'hello'"), CODE_RESOLUTION_REQUIRED);
    assert_int_equal(store_say(&s, ann, 0, "已经为您退款"), CODE_OK);
    assert_who("r_ann", "r_ann", CHAT_ACTIVE);
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], 0);
    assert_non_null(strstr(s.chat[0].frame[6], "\"counts\":false"));
    assert_null(strstr(s.chat[0].frame[8], "counts"));
}

/* rule 2.1: a greeting alone: with a file beside it, it is an answer */
static void a_file_with_a_greeting_is_a_reply(void **state)
{
    struct store_commit k;

    (void)state;
    store_decide(&s, (int)ann, ROLE_REP, 0, "message.send", "'attachment':'f_1'", "Hello", &k);
    assert_int_equal(store_do(&s, &k), CODE_OK);
    assert_who("r_ann", "r_ann", CHAT_ACTIVE);
}

/* rule 2.1: the owner is the first who replied; a deputy's first reply changes nothing in that */
static void a_deputys_first_reply_leaves_the_owner(void **state)
{
    (void)state;
    store_say(&s, ann, 0, "I look into it");
    assert_int_equal(store_lose(&s, 0, ann), CODE_OK);
    assert_who("r_ann", "", CHAT_WAITING);
    assert_int_equal(store_say(&s, bob, 0, "I take over from Ann"), CODE_OK);
    assert_who("r_ann", "r_bob", CHAT_ACTIVE);
    assert_int_equal(store_count(&s, 0, KIND_OWNED), 1);
}

/* rule 2.1: who only greeted before the connection was lost is no owner; the first real reply's author is */
static void after_a_greeter_was_lost_the_first_to_reply_owns(void **state)
{
    (void)state;
    store_say(&s, ann, 0, "Hello");
    store_lose(&s, 0, ann);
    store_say(&s, bob, 0, "Your refund is on its way");
    assert_who("r_bob", "r_bob", CHAT_ACTIVE);
}

/* rule 2.2: only the handler writes to the shopper, whoever else is able or leads */
static void only_the_handler_writes(void **state)
{
    struct store_commit k;

    (void)state;
    store_say(&s, ann, 0, "I look into it");
    assert_int_equal(store_say(&s, bob, 0, "me too"), CODE_NOT_HANDLER);
    s.rep[bob].roles |= ROLE_LEAD;
    assert_int_equal(store_rep(&s, bob, 0, "chat.join", ""), CODE_OK);
    store_decide(&s, (int)bob, ROLE_LEAD, 0, "message.send", NULL, "I am the lead", &k);
    assert_int_equal(store_do(&s, &k), CODE_NOT_HANDLER);
    assert_int_equal(store_rep(&s, bob, 0, "note.add", "'text':'ask for the order'"), CODE_OK);
    assert_int_equal(store_rep(&s, bob, 0, "whisper", "'text':'ask for the order'"), CODE_OK);
}

/* rule 2.2: who is not eligible can't claim by writing: off shift, away, full, of another department */
static void who_is_not_eligible_cannot_claim_by_writing(void **state)
{
    (void)state;
    s.rep[ann].shift = SHIFT_PAUSED;
    assert_int_equal(store_say(&s, ann, 0, "hi, your refund is here"), CODE_NOT_HANDLER);
    s.rep[ann].shift = SHIFT_ON;
    s.rep[ann].is_present = false;
    assert_int_equal(store_say(&s, ann, 0, "hi, your refund is here"), CODE_NOT_HANDLER);
    s.rep[ann].is_present = true;
    s.rep[ann].capacity = 0;
    assert_int_equal(store_say(&s, ann, 0, "hi, your refund is here"), CODE_NOT_HANDLER);
    assert_int_equal(store_rep(&s, ann, 0, "chat.claim", ""), CODE_CONFLICT);
    s.rep[ann].capacity = 2;
    strcpy(s.rep[ann].departments.item[0], "returns");
    assert_int_equal(store_say(&s, ann, 0, "hi, your refund is here"), CODE_NOT_FOUND); /* may not know of it */
    assert_who("", "", CHAT_WAITING);
}

/* PROMISES 2.10: room is judged again when the commit is made */
static void a_stale_belief_in_room_is_caught_by_the_guard(void **state)
{
    (void)state;
    s.rep[ann].capacity = 0;
    s.facts_are_stale = true;
    assert_int_equal(store_say(&s, ann, 0, "your refund is here"), CODE_CONFLICT);
    assert_int_equal(s.failed_guard, GUARD_REP_ROOM);
    assert_who("", "", CHAT_WAITING);
}

/* rule 2.12: every act of the handler goes through the same door */
static void every_act_of_the_handler_is_refused_to_others(void **state)
{
    static const char *const acts[][2] = {
        {"chat.consult", "'to':'r_ann','question':'?'"}, {"chat.transfer", "'to':'r_ann','card':{}"}, {"chat.refer", "'who':'a','how':'b'"},
        {"chat.resolve", "'resolution':'answered','summary':'x'"}, {"chat.park", "'promise':'x','until':9007199254740000"},
        {"chat.unpark", ""}, {"promise.add", "'text':'x','until':9007199254740000"}, {"chat.triage", "'department':'general','reason':'x'"},
        {"chat.verify", "'checks':['name']"},
    };

    (void)state;
    store_say(&s, ann, 0, "I look into it");
    for (unsigned i = 0; i < sizeof acts / sizeof *acts; i++)
        if (store_rep(&s, bob, 0, acts[i][0], acts[i][1]) != CODE_NOT_HANDLER)
            fail_msg("%s: %s", acts[i][0], code_name(s.d.code));
    store_rep(&s, ann, 0, "chat.resolve", "'resolution':'answered','summary':'done'");
    store_shopper(&s, 0, "chat.confirm", "'solved':true");
    for (unsigned i = 0; i < sizeof acts / sizeof *acts; i++)
        if (store_rep(&s, ann, 0, acts[i][0], acts[i][1]) != CODE_CLOSED)
            fail_msg("%s, closed: %s", acts[i][0], code_name(s.d.code));
    assert_int_equal(store_say(&s, ann, 0, "one more thing"), CODE_CLOSED);
    assert_int_equal(store_ask(&s, 0, "one more thing"), CODE_CLOSED);
}

/* PROTOCOL "Envelope": whether one may know of the chat is checked first */
static void a_stranger_is_told_there_is_no_such_chat(void **state)
{
    unsigned eve = store_add_rep(&s, "eve", "returns", 2);

    (void)state;
    assert_int_equal(store_rep(&s, eve, 0, "chat.claim", ""), CODE_NOT_FOUND);
    store_say(&s, ann, 0, "I look into it");
    assert_int_equal(store_rep(&s, ann, 0, "chat.consult", "'to':'r_ann','question':'can I?'"), CODE_CONFLICT);
    assert_int_equal(store_rep(&s, ann, 0, "chat.consult", "'to':'r_eve','question':'can you?'"), CODE_OK);
    assert_string_equal(s.chat[0].asked, "r_eve");
    assert_int_equal(store_rep(&s, bob, 0, "consult.answer", "'text':'yes'"), CODE_FORBIDDEN); /* nobody asked him */
    assert_int_equal(store_rep(&s, eve, 0, "consult.answer", "'text':'yes'"), CODE_OK);
    assert_string_equal(s.chat[0].asked, "");
    assert_who("r_ann", "r_ann", CHAT_ACTIVE); /* consulting, one stays the handler */
}

/* rule 2.3: "I don't know" owns and stops the clock, but proves no answer */
static void dont_know_owns_and_proves_nothing(void **state)
{
    (void)state;
    store_say(&s, ann, 0, "不知道");
    assert_who("r_ann", "r_ann", CHAT_ACTIVE);
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], 0);
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", "'resolution':'answered','summary':'x'"), CODE_RESOLUTION_REQUIRED);
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", "'resolution':'referred','summary':'x'"), CODE_RESOLUTION_REQUIRED);
    assert_int_equal(store_rep(&s, ann, 0, "chat.refer", "'who':'the post','how':'by phone'"), CODE_OK);
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", "'resolution':'answered','summary':'x'"), CODE_RESOLUTION_REQUIRED);
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", "'resolution':'referred','summary':'x'"), CODE_OK);
}

/* rule 2.3: an answer is one that comes after the shopper's last question */
static void an_answer_comes_after_the_last_question(void **state)
{
    (void)state;
    store_say(&s, ann, 0, "Your refund is on its way");
    store_ask(&s, 0, "And the postage?");
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", "'resolution':'answered','summary':'x'"), CODE_RESOLUTION_REQUIRED);
    store_say(&s, ann, 0, "Hello");
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", "'resolution':'answered','summary':'x'"), CODE_RESOLUTION_REQUIRED);
    store_say(&s, ann, 0, "The postage too");
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", "'resolution':'answered','summary':'x'"), CODE_OK);
}

/* rule 2.3: a question that comes in while the resolution is on its way stops it */
static void a_question_that_overtakes_a_resolution_stops_it(void **state)
{
    struct store_commit k;

    (void)state;
    store_say(&s, ann, 0, "Your refund is on its way");
    store_decide(&s, (int)ann, ROLE_REP, 0, "chat.resolve", "'resolution':'answered','summary':'x'", NULL, &k);
    assert_int_equal(store_ask(&s, 0, "And the postage?"), CODE_OK);
    assert_false(store_commit(&s, &k));
    assert_string_equal(s.failed, "head");
    assert_who("r_ann", "r_ann", CHAT_ACTIVE);
}

/* rule 2.11: whoever proposes a resolution in a case that nobody has answered answers for it: no case ends without an owner */
static void who_resolves_an_unanswered_case_owns_it(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.claim", "");
    store_rep(&s, ann, 0, "chat.refer", "'who':'the post','how':'by phone'");
    assert_who("", "r_ann", CHAT_ASSIGNED);
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", "'resolution':'referred','summary':'the post helps'"), CODE_OK);
    assert_int_equal(s.d.entry[s.d.main].kind, KIND_RESOLUTION_PROPOSED);
    assert_who("r_ann", "r_ann", CHAT_PROPOSED);
}

/* rule 1.4: the clock runs from the question that stands unanswered, or from when the handler got it; a reply stops it */
static void the_clock_runs_while_a_question_stands_unanswered(void **state)
{
    int64_t asked;

    (void)state;
    s.now_ms += 60000;
    store_rep(&s, ann, 0, "chat.claim", "");
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], s.now_ms + 120000);
    s.now_ms += 1000;
    store_say(&s, ann, 0, "Your refund is on its way");
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], 0);
    s.now_ms += 1000;
    asked = s.now_ms;
    store_ask(&s, 0, "When?");
    s.now_ms += 50000;
    store_ask(&s, 0, "Hello?");
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], asked + 120000);
}

/* rule 1.4: silent for 2 minutes: reminded, once; for 4: offered on ahead of the queue, and recorded against the rep */
static void a_silent_handler_is_reminded_then_the_chat_is_offered_on(void **state)
{
    int64_t from;

    (void)state;
    store_rep(&s, ann, 0, "chat.claim", "");
    from = s.now_ms;
    assert_true(store_fire(&s, 0, TIMER_SILENT));
    assert_int_equal(s.d.entry[0].kind, KIND_REMINDED);
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], from + 240000);
    assert_true(store_fire(&s, 0, TIMER_SILENT));
    assert_who("", "", CHAT_WAITING);
    assert_int_equal(chat()->passed_n, 1);
    assert_string_equal(chat()->passed[0], "r_ann");
    assert_true(s.chat[0].score < from - 3600000);
    assert_int_equal(chat()->lost.id[0], 0); /* there, but silent: no way back by coming back */
}

/* rule 2.3: a question goes to somebody: a department where nobody can be asked is refused, and who was asked before still is */
static void a_question_to_nobody_is_refused(void **state)
{
    unsigned eve;

    (void)state;
    store_say(&s, ann, 0, "one moment, I ask");
    eve = store_add_rep(&s, "eve", "returns", 2);
    assert_int_equal(store_rep(&s, ann, 0, "chat.consult", "'to':'returns','question':'?'"), CODE_OK);
    assert_string_equal(s.chat[0].asked, "r_eve");
    s.rep[eve].is_present = false;
    assert_int_equal(store_rep(&s, ann, 0, "chat.consult", "'to':'returns','question':'and?'"), CODE_CONFLICT);
    assert_string_equal(s.chat[0].asked, "r_eve");
}

/* rule 3.4: asked whether they are still there once for each silence: after an answer, in the next one again */
static void each_silence_has_one_check_in(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.claim", "");
    for (unsigned n = 1; n <= 2; n++) {
        assert_true(store_fire(&s, 0, TIMER_SILENT));
        assert_int_equal(s.d.entries_n, 2);
        assert_true(str_is(s.d.entry[1].f[FIELD_STEP].s, "checkin"));
        store_say(&s, ann, 0, "Your refund is on its way");
        store_ask(&s, 0, "When?");
    }
}

/* rules 2.3, 2.6: referred over an open question: that question is answered for by the proposal */
static void a_proposal_stands_over_the_questions_before_it(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.claim", "");
    store_rep(&s, ann, 0, "chat.refer", "'who':'the post','how':'by phone'");
    assert_int_equal(store_rep(&s, ann, 0, "chat.resolve", "'resolution':'referred','summary':'x'"), CODE_OK);
    assert_int_equal(s.chat[0].due_ms[TIMER_SILENT], 0);
    assert_true(store_fire(&s, 0, TIMER_CONFIRM));
    assert_who("r_ann", "r_ann", CHAT_CLOSED);
    assert_string_equal(chat()->closed_how, "unconfirmed");
}

/* rule 2.3: advice is given while the case is open */
static void advice_comes_too_late_for_a_closed_case(void **state)
{
    (void)state;
    store_say(&s, ann, 0, "Your refund is on its way");
    store_rep(&s, ann, 0, "chat.consult", "'to':'r_bob','question':'is it?'");
    store_rep(&s, ann, 0, "chat.resolve", "'resolution':'answered','summary':'x'");
    assert_int_equal(store_rep(&s, bob, 0, "consult.answer", "'text':'yes'"), CODE_OK);
    store_shopper(&s, 0, "chat.confirm", "'solved':true");
    assert_int_equal(store_rep(&s, bob, 0, "consult.answer", "'text':'yes'"), CODE_CLOSED);
}

/* rule 5.2: what was shown for a question is recorded once, and only while that is the last one */
static void what_was_suggested_is_recorded_once_a_question(void **state)
{
    struct chat_cmd cmd = {.kind = CMD_SUGGEST, .articles = STR("[{\"id\":\"refunds\"}]")};
    struct store_commit k;

    (void)state;
    cmd.due_ms = chat()->proof.last_question;
    for (unsigned i = 0; i < 2; i++) {
        store_decide_system(&s, 0, &cmd, NULL, &k);
        assert_int_equal(store_do(&s, &k), CODE_OK);
    }
    assert_int_equal(store_count(&s, 0, KIND_SUGGESTED), 1);
    store_ask(&s, 0, "And the postage?");
    cmd.due_ms = chat()->proof.last_question;
    store_ask(&s, 0, "Hello?");
    store_decide_system(&s, 0, &cmd, NULL, &k);
    assert_int_equal(s.d.entries_n, 0);
    store_do(&s, &k);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_shop, close_shop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_question_to_nobody_is_refused),
        TEST(a_start_writes_five_entries_and_the_message_is_the_command),
        TEST(a_shopper_has_one_open_chat),
        TEST(the_first_reply_claims_owns_and_is_shown_in_one_step),
        TEST(two_reps_reply_at_once_exactly_one_owns),
        TEST(a_greeting_takes_the_chat_and_owns_nothing),
        TEST(a_file_with_a_greeting_is_a_reply),
        TEST(a_deputys_first_reply_leaves_the_owner),
        TEST(after_a_greeter_was_lost_the_first_to_reply_owns),
        TEST(only_the_handler_writes),
        TEST(who_is_not_eligible_cannot_claim_by_writing),
        TEST(a_stale_belief_in_room_is_caught_by_the_guard),
        TEST(every_act_of_the_handler_is_refused_to_others),
        TEST(a_stranger_is_told_there_is_no_such_chat),
        TEST(dont_know_owns_and_proves_nothing),
        TEST(an_answer_comes_after_the_last_question),
        TEST(a_question_that_overtakes_a_resolution_stops_it),
        TEST(who_resolves_an_unanswered_case_owns_it),
        TEST(the_clock_runs_while_a_question_stands_unanswered),
        TEST(a_silent_handler_is_reminded_then_the_chat_is_offered_on),
        TEST(each_silence_has_one_check_in),
        TEST(a_proposal_stands_over_the_questions_before_it),
        TEST(advice_comes_too_late_for_a_closed_case),
        TEST(what_was_suggested_is_recorded_once_a_question),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

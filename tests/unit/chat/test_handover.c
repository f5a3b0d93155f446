/* The handler changes, the owner stays: rules 2.4, 2.5, 2.8, 2.10 on whole chats. */
#include "chat/chat_store.h"

#define CARD "'to':'r_bob','card':{'summary':'damaged parcel','requirements':'after six','verified':['order'],'promised':'today'}"

static struct store s;
static unsigned ann, bob, cat;

/* Chat 0: ann owns and handles it; bob and cat are free. */
static int open_shop(void **state)
{
    (void)state;
    store_init(&s);
    ann = store_add_rep(&s, "ann", "general", 2);
    bob = store_add_rep(&s, "bob", "general", 2);
    cat = store_add_rep(&s, "cat", "returns", 2);
    assert_int_equal(store_start(&s, 0, ""), CODE_OK);
    assert_int_equal(store_say(&s, ann, 0, "I look into it"), CODE_OK);
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

static bool last_has(const char *text)
{
    return strstr(s.chat[0].frame[s.chat[0].frames_n - 1], text) != NULL;
}

/* rule 2.4: until it is accepted the handler doesn't change; after it the receiver handles and the owner owns */
static void a_handover_takes_effect_when_it_is_accepted(void **state)
{
    (void)state;
    assert_int_equal(store_rep(&s, ann, 0, "chat.transfer", CARD), CODE_OK);
    assert_who("r_ann", CHAT_ACTIVE);
    assert_int_equal(s.chat[0].due_ms[TIMER_TRANSFER], s.now_ms + 60000);
    assert_int_equal(store_say(&s, bob, 0, "me already"), CODE_NOT_HANDLER);
    assert_int_equal(store_say(&s, ann, 0, "Bob will help you"), CODE_OK);
    assert_int_equal(store_rep(&s, bob, 0, "offer.accept", ""), CODE_OK);
    assert_who("r_bob", CHAT_ACTIVE);
    assert_int_equal(s.chat[0].due_ms[TIMER_TRANSFER], 0);
    assert_string_equal(s.chat[0].hold, "r_bob");
    assert_int_equal(store_say(&s, ann, 0, "and me"), CODE_NOT_HANDLER);
    assert_int_equal(store_say(&s, bob, 0, "Bob here"), CODE_OK);
}

/* rule 2.5: the card travels along and stays: what is known newest counts */
static void the_card_travels_along(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.transfer", CARD);
    assert_string_equal(chat()->card_summary, "damaged parcel");
    assert_string_equal(chat()->card_requirements, "after six");
    assert_string_equal(chat()->card_promised, "today");
    assert_string_equal(chat()->card_verified, "[\"order\"]");
    store_rep(&s, bob, 0, "offer.accept", "");
    store_rep(&s, bob, 0, "chat.verify", "'checks':['order','phone']");
    assert_string_equal(chat()->card_verified, "[\"order\",\"phone\"]");
    assert_string_equal(chat()->card_summary, "damaged parcel");
}

/* rule 2.4: refused, it returns with the reason; unanswered, after the deadline */
static void a_refused_or_unanswered_handover_returns(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.transfer", CARD);
    assert_int_equal(store_rep(&s, bob, 0, "offer.decline", "'reason':'lunch'"), CODE_OK);
    assert_true(last_has("transfer_returned") && last_has("lunch"));
    assert_who("r_ann", CHAT_ACTIVE);
    assert_int_equal(store_rep(&s, bob, 0, "offer.accept", ""), CODE_CONFLICT);
    assert_int_equal(store_rep(&s, ann, 0, "chat.transfer", CARD), CODE_OK);
    assert_true(store_fire(&s, 0, TIMER_TRANSFER));
    assert_true(last_has("transfer_returned") && last_has("missed"));
    assert_who("r_ann", CHAT_ACTIVE);
}

/* rule 2.4: what a handover is refused for */
static void a_handover_is_refused_where_it_cannot_be_made(void **state)
{
    (void)state;
    assert_int_equal(store_rep(&s, bob, 0, "chat.transfer", "'to':'r_cat','card':{}"), CODE_NOT_HANDLER);
    assert_int_equal(store_rep(&s, ann, 0, "chat.transfer", "'to':'r_nobody','card':{}"), CODE_NOT_FOUND);
    assert_int_equal(store_rep(&s, ann, 0, "chat.transfer", "'to':'nowhere','card':{}"), CODE_NOT_FOUND);
    assert_int_equal(store_rep(&s, ann, 0, "chat.transfer", "'to':'r_ann','card':{}"), CODE_CONFLICT);
    s.rep[cat].shift = SHIFT_OFF;
    assert_int_equal(store_rep(&s, ann, 0, "chat.transfer", "'to':'returns','card':{}"), CODE_CONFLICT);
    assert_int_equal(store_rep(&s, ann, 0, "chat.transfer", CARD), CODE_OK);
    assert_int_equal(store_rep(&s, ann, 0, "chat.transfer", CARD), CODE_CONFLICT); /* one at a time */
    store_rep(&s, bob, 0, "offer.decline", "");
    store_rep(&s, ann, 0, "chat.park", "'promise':'x','until':1800000900000");
    assert_int_equal(store_rep(&s, ann, 0, "chat.transfer", CARD), CODE_CONFLICT);
}

/* rule 2.4: nobody there: that is decided, and said, not left to the guard of the commit */
static void a_handover_to_nobody_is_refused_at_once(void **state)
{
    static const char *const to[] = {"'to':'r_cat','card':{}", "'to':'returns','card':{}"};
    struct store_commit k;

    (void)state;
    s.rep[cat].shift = SHIFT_PAUSED;
    for (unsigned i = 0; i < sizeof to / sizeof *to; i++) {
        store_decide(&s, (int)ann, ROLE_REP, 0, "chat.transfer", to[i], NULL, &k);
        assert_int_equal(k.code, CODE_CONFLICT);
        assert_non_null(strstr(s.d.text, "on shift"));
        assert_int_equal(store_do(&s, &k), CODE_CONFLICT);
        assert_who("r_ann", CHAT_ACTIVE);
    }
}

/* rule 2.4: a receiver who is full meanwhile can't accept; on shift they may still when there is room again */
static void a_full_receiver_cannot_accept(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.transfer", CARD);
    s.rep[bob].capacity = 0;
    assert_int_equal(store_rep(&s, bob, 0, "offer.accept", ""), CODE_CONFLICT);
    s.facts_are_stale = true;
    assert_int_equal(store_rep(&s, bob, 0, "offer.accept", ""), CODE_CONFLICT);
    assert_string_equal(s.failed, "guard");
    s.facts_are_stale = false;
    s.rep[bob].capacity = 2;
    assert_int_equal(store_rep(&s, bob, 0, "offer.accept", ""), CODE_OK);
}

/* rule 2.4: to a department: somebody there is asked; accepted, the chat is that department's */
static void a_handover_to_a_department_moves_the_chat_there(void **state)
{
    (void)state;
    assert_int_equal(store_rep(&s, ann, 0, "chat.transfer", "'to':'returns','card':{}"), CODE_OK);
    assert_string_equal(chat()->department, "general");
    assert_string_equal(chat()->transfer_to.id, "r_cat");
    assert_int_equal(store_rep(&s, cat, 0, "offer.accept", ""), CODE_OK);
    assert_who("r_cat", CHAT_ACTIVE);
    assert_string_equal(chat()->department, "returns");
}

/* rule 2.10: whatever ends a handover, its outcome is in the log */
static void each_end_of_a_handover_is_recorded(void **state)
{
    static const char *const ends[][3] = {
        {"chat.resolve", "'resolution':'answered','summary':'x'", "resolved"},
        {"chat.park", "'promise':'x','until':1800000900000", "parked"},
        {"chat.triage", "'department':'returns','reason':'x'", "triaged"},
        {"chat.reassign", "'to':'r_bob','reason':'x'", "reassigned"},
    };

    (void)state;
    for (unsigned i = 0; i < 4; i++) {
        close_shop(state);
        open_shop(state);
        if (i == 3)
            s.rep[ann].roles = ROLE_LEAD;
        store_rep(&s, ann, 0, "chat.transfer", CARD);
        assert_int_equal(store_rep(&s, ann, 0, ends[i][0], ends[i][1]), CODE_OK);
        assert_int_equal(s.d.entry[0].kind, KIND_TRANSFER_RETURNED);
        assert_true(str_is(s.d.entry[0].f[FIELD_REASON].s, ends[i][2]));
        assert_int_equal(store_count(&s, 0, KIND_TRANSFER_RETURNED), 1);
        assert_int_equal(s.chat[0].due_ms[TIMER_TRANSFER], 0);
        assert_int_equal(chat()->transfer_to.id[0], 0);
    }
}

/* rules 2.4, 2.8: the handler is lost while a handover is under way: it ends, a deputy comes by the queue */
static void a_handover_ends_with_its_handler(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.transfer", CARD);
    assert_int_equal(store_lose(&s, 0, ann), CODE_OK);
    assert_who("", CHAT_WAITING);
    assert_int_equal(store_count(&s, 0, KIND_TRANSFER_RETURNED), 1);
    assert_int_equal(s.chat[0].due_ms[TIMER_TRANSFER], 0);
    assert_int_equal(store_rep(&s, bob, 0, "offer.accept", ""), CODE_CONFLICT);
    assert_int_equal(store_rep(&s, bob, 0, "chat.claim", ""), CODE_OK);
}

/* rule 2.8: after the grace the chat stands ahead of the queue, of every class */
static void a_lost_handlers_chat_goes_ahead_of_the_queue(void **state)
{
    (void)state;
    store_start(&s, 1, "'class':'care'");
    s.now_ms += 1000;
    assert_int_equal(store_lose(&s, 0, ann), CODE_OK);
    assert_who("", CHAT_WAITING);
    assert_true(s.chat[0].score < s.chat[1].score);
    for (unsigned c = 0; c < CLASS_N; c++) /* also of those who came up to a day before, with the largest head start there may be */
        assert_true(s.chat[0].score < routing_score(s.now_ms - 86400000 + 1, 86400000));
    assert_int_equal(chat()->wait_since_ms, s.now_ms);
    assert_string_equal(chat()->lost.id, "r_ann");
}

/* rule 2.8: who is connected again keeps the chat: the guard looks when it is committed */
static void who_is_back_in_time_keeps_the_chat(void **state)
{
    struct chat_cmd cmd = {.kind = CMD_GONE, .why = "connection"};
    struct store_commit k;

    (void)state;
    store_decide_system(&s, 0, &cmd, "r_ann", &k);
    assert_int_equal(store_do(&s, &k), CODE_CONFLICT);
    assert_int_equal(s.failed_guard, GUARD_REP_GONE);
    assert_who("r_ann", CHAT_ACTIVE);
}

/* rule 2.8: who comes back before a deputy took over goes on */
static void who_comes_back_before_a_deputy_goes_on(void **state)
{
    (void)state;
    store_lose(&s, 0, ann);
    s.rep[ann].is_present = true;
    assert_int_equal(store_offer(&s, 0, ann), CODE_OK);
    assert_who("r_ann", CHAT_ACTIVE);
    assert_true(last_has("handler_back"));
    assert_int_equal(chat()->lost.id[0], 0);
}

/* rule 2.8: the owner takes it back from the deputy; nobody else may */
static void the_owner_takes_it_back_from_the_deputy(void **state)
{
    (void)state;
    store_lose(&s, 0, ann);
    store_offer(&s, 0, bob);
    store_rep(&s, bob, 0, "offer.accept", "");
    assert_who("r_bob", CHAT_ASSIGNED);
    store_say(&s, bob, 0, "Bob here, I go on");
    assert_int_equal(store_rep(&s, bob, 0, "chat.take_back", ""), CODE_FORBIDDEN);
    assert_int_equal(store_rep(&s, ann, 0, "chat.take_back", ""), CODE_CONFLICT); /* still away */
    s.rep[ann].is_present = true;
    assert_int_equal(store_rep(&s, ann, 0, "chat.take_back", ""), CODE_OK);
    assert_who("r_ann", CHAT_ACTIVE);
    assert_int_equal(store_rep(&s, ann, 0, "chat.take_back", ""), CODE_CONFLICT);
    assert_int_equal(store_say(&s, bob, 0, "and me?"), CODE_NOT_HANDLER);
}

/* rule 2.8: the owner may also take it back while it is on offer to a deputy, whose offer ends */
static void the_owner_takes_it_back_while_it_is_on_offer(void **state)
{
    (void)state;
    store_lose(&s, 0, ann);
    store_offer(&s, 0, bob);
    s.rep[ann].is_present = true;
    assert_int_equal(store_rep(&s, ann, 0, "chat.take_back", ""), CODE_OK);
    assert_who("r_ann", CHAT_ACTIVE);
    assert_string_equal(s.chat[0].hold, "r_ann");
    assert_int_equal(s.chat[0].due_ms[TIMER_OFFER], 0);
    assert_int_equal(store_rep(&s, bob, 0, "offer.accept", ""), CODE_CONFLICT);
}

/* rules 2.6, 2.8: taking back a proposed case leaves the question to the shopper as it stands */
static void a_proposal_outlives_a_change_of_handler(void **state)
{
    int64_t due;

    (void)state;
    store_rep(&s, ann, 0, "chat.transfer", CARD);
    store_rep(&s, bob, 0, "offer.accept", "");
    store_rep(&s, bob, 0, "chat.resolve", "'resolution':'answered','summary':'x'");
    due = s.chat[0].due_ms[TIMER_CONFIRM];
    s.now_ms += 60000;
    assert_int_equal(store_rep(&s, ann, 0, "chat.take_back", ""), CODE_OK);
    assert_who("r_ann", CHAT_PROPOSED);
    assert_int_equal(s.chat[0].due_ms[TIMER_CONFIRM], due);
    s.rep[ann].roles = ROLE_LEAD;
    assert_int_equal(store_rep(&s, ann, 0, "chat.reassign", "'to':'r_bob','reason':'x'"), CODE_OK);
    assert_who("r_bob", CHAT_PROPOSED);
    assert_int_equal(store_shopper(&s, 0, "chat.confirm", "'solved':true"), CODE_OK);
}

/* rule 2.10: a lead gives it to somebody who is there and has room; the owner stays */
static void a_lead_reassigns_with_a_reason(void **state)
{
    (void)state;
    s.rep[cat].roles = ROLE_LEAD;
    people_list_add(&s.rep[cat].departments, STR("general"));
    assert_int_equal(store_rep(&s, cat, 0, "chat.reassign", "'to':'r_ann','reason':'x'"), CODE_CONFLICT);
    assert_int_equal(store_rep(&s, cat, 0, "chat.reassign", "'to':'r_nobody','reason':'x'"), CODE_NOT_FOUND);
    s.rep[bob].capacity = 0;
    assert_int_equal(store_rep(&s, cat, 0, "chat.reassign", "'to':'r_bob','reason':'x'"), CODE_CONFLICT);
    s.facts_are_stale = true;
    assert_int_equal(store_rep(&s, cat, 0, "chat.reassign", "'to':'r_bob','reason':'x'"), CODE_CONFLICT);
    assert_int_equal(s.failed_guard, GUARD_REP_ROOM);
    s.facts_are_stale = false;
    s.rep[bob].capacity = 1;
    s.rep[bob].is_present = false;
    assert_int_equal(store_rep(&s, cat, 0, "chat.reassign", "'to':'r_bob','reason':'x'"), CODE_CONFLICT);
    s.rep[bob].is_present = true;
    assert_int_equal(store_rep(&s, cat, 0, "chat.reassign", "'to':'r_bob','reason':'knows it'"), CODE_OK);
    assert_true(last_has("\"reason\":\"knows it\"") && last_has("\"role\":\"lead\"") && last_has("\"id\":\"r_cat\""));
    assert_who("r_bob", CHAT_ACTIVE);
}

/* rule 1.1: the handler moves it to another department: ahead of that queue, and without a handler */
static void triage_of_a_served_chat_goes_ahead_of_the_other_queue(void **state)
{
    (void)state;
    assert_int_equal(store_rep(&s, bob, 0, "chat.triage", "'department':'returns','reason':'x'"), CODE_NOT_HANDLER);
    assert_int_equal(store_rep(&s, ann, 0, "chat.triage", "'department':'nowhere','reason':'x'"), CODE_NOT_FOUND);
    assert_int_equal(store_rep(&s, ann, 0, "chat.triage", "'department':'returns','reason':'theirs'"), CODE_OK);
    assert_who("", CHAT_WAITING);
    assert_string_equal(s.chat[0].queue, "returns");
    assert_true(s.chat[0].score < s.now_ms - 3600000);
    assert_string_equal(s.chat[0].hold, "");
}

/* rule 1.1: a waiting chat keeps its place by time in the other queue */
static void triage_of_a_waiting_chat_keeps_its_time(void **state)
{
    int64_t score;

    (void)state;
    store_start(&s, 1, "");
    score = s.chat[1].score;
    s.now_ms += 200000;
    assert_int_equal(store_rep(&s, bob, 1, "chat.triage", "'department':'returns','reason':'theirs'"), CODE_OK);
    assert_string_equal(s.chat[1].queue, "returns");
    assert_int_equal(s.chat[1].score, score);
    assert_int_equal(s.chat[1].c.wait_since_ms, STORE_START_MS);
}

/* rule 2.10: or to a department: to somebody there, and the chat is that department's; never to nobody */
static void a_lead_reassigns_to_a_department(void **state)
{
    (void)state;
    s.rep[bob].roles = ROLE_LEAD;
    s.rep[cat].is_present = false;
    assert_int_equal(store_rep(&s, bob, 0, "chat.reassign", "'to':'returns','reason':'theirs'"), CODE_CONFLICT);
    s.rep[cat].is_present = true;
    assert_int_equal(store_rep(&s, bob, 0, "chat.reassign", "'to':'returns','reason':'theirs'"), CODE_OK);
    assert_who("r_cat", CHAT_ACTIVE);
    assert_string_equal(chat()->department, "returns");
    assert_true(last_has("\"department\":\"returns\""));
    assert_int_equal(store_rep(&s, ann, 0, "chat.take_back", ""), CODE_OK); /* the owner stays */
    assert_int_equal(store_rep(&s, bob, 0, "chat.join", ""), CODE_NOT_FOUND); /* and it is no longer general's */
}

/* rule 2.12: who has to do with it may read it, however many had to do with it before them */
static void the_one_who_handles_it_reads_it_however_many_did_before(void **state)
{
    struct chat *c = &s.chat[0].c;

    (void)state;
    for (c->readers_n = 0; c->readers_n < CHAT_READERS_MAX; c->readers_n++)
        snprintf(c->readers[c->readers_n], ID_SIZE, "r_%u", c->readers_n);
    assert_int_equal(store_rep(&s, cat, 0, "note.add", "'text':'?'"), CODE_NOT_FOUND);
    assert_int_equal(store_rep(&s, ann, 0, "chat.transfer", "'to':'r_cat','card':{'summary':'x'}"), CODE_OK);
    assert_int_equal(store_rep(&s, cat, 0, "offer.accept", ""), CODE_OK);
    assert_int_equal(store_say(&s, cat, 0, "Returns here"), CODE_OK);
    assert_int_equal(store_rep(&s, ann, 0, "chat.take_back", ""), CODE_OK); /* the owner, whose place is taken by now */
    assert_int_equal(store_rep(&s, cat, 0, "note.add", "'text':'who has handled it reads it'"), CODE_OK);
}

/* rules 2.3, 2.12: who was asked stays so where others make room in the list of those who had to do with it */
static void who_was_asked_stays_so_when_the_readers_move_up(void **state)
{
    struct chat *c = &s.chat[0].c;

    (void)state;
    for (c->readers_n = 0; c->readers_n < CHAT_READERS_MAX; c->readers_n++)
        snprintf(c->readers[c->readers_n], ID_SIZE, "r_%u", c->readers_n);
    c->asked = 1 << 1;
    assert_int_equal(store_rep(&s, ann, 0, "chat.consult", "'to':'r_cat','question':'?'"), CODE_OK); /* r_0 makes room */
    assert_true(chat_has_asked(c, STR("r_1")) && chat_has_asked(c, STR("r_cat")));
    assert_false(chat_has_asked(c, STR("r_0")) || chat_has_asked(c, STR("r_2")));
}

/* rules 2.4, 2.11: accepted, it names who handles and who still answers for it; declined without a word, it says so */
static void a_handover_says_how_it_ended(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.transfer", CARD);
    assert_int_equal(store_rep(&s, bob, 0, "offer.decline", ""), CODE_OK);
    assert_true(last_has("transfer_returned") && last_has("\"reason\":\"declined\""));
    store_rep(&s, ann, 0, "chat.transfer", CARD);
    assert_int_equal(store_rep(&s, bob, 0, "offer.accept", ""), CODE_OK);
    assert_true(last_has("\"handler\":{\"id\":\"r_bob\"") && last_has("\"owner\":{\"id\":\"r_ann\""));
}

/* rule 2.4: one at a time, also from two tabs; whether the receiver is there is looked at again in the commit */
static void a_handover_is_judged_again_when_it_is_committed(void **state)
{
    struct store_commit a, b;

    (void)state;
    s.facts_are_stale = true;
    s.rep[bob].is_present = false;
    assert_int_equal(store_rep(&s, ann, 0, "chat.transfer", CARD), CODE_CONFLICT);
    assert_int_equal(s.failed_guard, GUARD_REP_ON);
    s.facts_are_stale = false;
    s.rep[bob].is_present = true;
    store_decide(&s, (int)ann, ROLE_REP, 0, "chat.transfer", CARD, NULL, &a);
    store_decide(&s, (int)ann, ROLE_REP, 0, "chat.transfer", "'to':'r_cat','card':{}", NULL, &b);
    assert_int_equal(store_do(&s, &a), CODE_OK);
    assert_int_equal(store_do(&s, &b), CODE_CONFLICT);
    assert_string_equal(chat()->transfer_to.id, "r_bob");
    store_decide(&s, (int)ann, ROLE_REP, 0, "message.send", NULL, "Bob will help you", &a); /* on what stands before he accepts */
    assert_int_equal(store_rep(&s, bob, 0, "offer.accept", ""), CODE_OK);
    assert_int_equal(store_do(&s, &a), CODE_CONFLICT);
}

/* rule 2.5: of each part of the card the newest is kept: what a later card leaves empty stays */
static void an_empty_part_of_a_card_leaves_what_was_known(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.transfer", CARD);
    store_rep(&s, bob, 0, "offer.accept", "");
    assert_int_equal(store_rep(&s, bob, 0, "chat.transfer", "'to':'r_ann','card':{'summary':'','promised':'tomorrow'}"), CODE_OK);
    assert_string_equal(chat()->card_summary, "damaged parcel");
    assert_string_equal(chat()->card_requirements, "after six");
    assert_string_equal(chat()->card_promised, "tomorrow");
}

/* rules 2.4, 2.8: the owner takes it back from a deputy who is handing it on: that handover ends, and the log says why */
static void taking_it_back_ends_the_deputys_handover(void **state)
{
    (void)state;
    store_rep(&s, ann, 0, "chat.transfer", CARD);
    store_rep(&s, bob, 0, "offer.accept", "");
    store_rep(&s, bob, 0, "chat.transfer", "'to':'r_cat','card':{}");
    assert_int_equal(store_rep(&s, ann, 0, "chat.take_back", ""), CODE_OK);
    assert_int_equal(s.d.entry[0].kind, KIND_TRANSFER_RETURNED);
    assert_true(str_is(s.d.entry[0].f[FIELD_REASON].s, "taken_back"));
    assert_who("r_ann", CHAT_ACTIVE);
    assert_int_equal(store_rep(&s, cat, 0, "offer.accept", ""), CODE_CONFLICT);
}

/* rule 1.1: the shopper chooses another department while it waits, not over a handler's head, and never the class */
static void the_shopper_chooses_a_department_only_while_waiting(void **state)
{
    static const char to[] = "'department':'returns','class':'urgent'";

    (void)state;
    assert_int_equal(store_shopper(&s, 0, "chat.triage", to), CODE_CONFLICT);
    assert_who("r_ann", CHAT_ACTIVE);
    store_start(&s, 1, "");
    assert_int_equal(store_shopper(&s, 1, "chat.triage", to), CODE_OK);
    assert_string_equal(s.chat[1].queue, "returns");
    assert_int_equal(s.chat[1].c.class_, CLASS_NORMAL);
    assert_int_equal(s.chat[1].score, STORE_START_MS);
}

/* rule 2.12: who had to do with a chat may know of it, wherever it goes; to be asked for advice is no right to take it */
static void who_had_to_do_with_a_chat_still_knows_of_it(void **state)
{
    unsigned dan = store_add_rep(&s, "dan", "general", 2), eve = store_add_rep(&s, "eve", "sales", 2);

    (void)state;
    store_start(&s, 1, "");
    store_offer(&s, 1, bob);
    store_rep(&s, bob, 1, "offer.decline", "");
    store_rep(&s, dan, 1, "chat.claim", "");
    assert_int_equal(store_rep(&s, eve, 1, "note.add", "'text':'x'"), CODE_NOT_FOUND);
    store_rep(&s, dan, 1, "chat.consult", "'to':'r_eve','question':'can you?'");
    store_rep(&s, dan, 1, "chat.triage", "'department':'returns','reason':'theirs'");
    assert_string_equal(s.chat[1].queue, "returns");
    assert_int_equal(store_rep(&s, ann, 1, "note.add", "'text':'x'"), CODE_NOT_FOUND);
    assert_int_equal(store_rep(&s, bob, 1, "note.add", "'text':'was offered it'"), CODE_OK);
    assert_int_equal(store_rep(&s, dan, 1, "note.add", "'text':'handled it'"), CODE_OK);
    assert_int_equal(store_rep(&s, eve, 1, "note.add", "'text':'was asked'"), CODE_OK);
    assert_int_equal(store_rep(&s, eve, 1, "chat.claim", ""), CODE_CONFLICT);
    assert_int_equal(store_say(&s, eve, 1, "I take it"), CODE_NOT_HANDLER);
    assert_int_equal(s.chat[1].c.state, CHAT_WAITING);
}

/* rule 2.7: of a case that comes back the owner of the old one keeps it on the list, until it has one itself */
static void a_case_that_comes_back_stands_on_its_owners_list(void **state)
{
    (void)state;
    store_start(&s, 1, "");
    memcpy(s.chat[1].c.prefer.id, "r_ann", sizeof "r_ann");
    store_rep(&s, bob, 1, "chat.claim", "");
    assert_string_equal(s.chat[1].hold, "r_bob");
    assert_string_equal(s.chat[1].also, "r_ann");
    store_say(&s, bob, 1, "Bob here, I see to it");
    assert_string_equal(s.chat[1].c.owner.id, "r_bob");
    assert_string_equal(s.chat[1].also, "");
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_shop, close_shop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_handover_takes_effect_when_it_is_accepted),
        TEST(the_card_travels_along),
        TEST(a_refused_or_unanswered_handover_returns),
        TEST(a_handover_is_refused_where_it_cannot_be_made),
        TEST(a_handover_to_nobody_is_refused_at_once),
        TEST(a_full_receiver_cannot_accept),
        TEST(a_handover_to_a_department_moves_the_chat_there),
        TEST(each_end_of_a_handover_is_recorded),
        TEST(a_handover_ends_with_its_handler),
        TEST(a_lost_handlers_chat_goes_ahead_of_the_queue),
        TEST(who_is_back_in_time_keeps_the_chat),
        TEST(who_comes_back_before_a_deputy_goes_on),
        TEST(the_owner_takes_it_back_from_the_deputy),
        TEST(the_owner_takes_it_back_while_it_is_on_offer),
        TEST(a_proposal_outlives_a_change_of_handler),
        TEST(a_lead_reassigns_with_a_reason),
        TEST(a_lead_reassigns_to_a_department),
        TEST(the_one_who_handles_it_reads_it_however_many_did_before),
        TEST(who_was_asked_stays_so_when_the_readers_move_up),
        TEST(triage_of_a_served_chat_goes_ahead_of_the_other_queue),
        TEST(triage_of_a_waiting_chat_keeps_its_time),
        TEST(a_handover_says_how_it_ended),
        TEST(a_handover_is_judged_again_when_it_is_committed),
        TEST(an_empty_part_of_a_card_leaves_what_was_known),
        TEST(taking_it_back_ends_the_deputys_handover),
        TEST(the_shopper_chooses_a_department_only_while_waiting),
        TEST(who_had_to_do_with_a_chat_still_knows_of_it),
        TEST(a_case_that_comes_back_stands_on_its_owners_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* Waiting, offers, care, alerts, leaving: rules 1.2 to 1.5, 3.1 to 3.3 on whole chats. */
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

static bool last_has(const char *text)
{
    return strstr(s.chat[0].frame[s.chat[0].frames_n - 1], text) != NULL;
}

/* rule 1.2: the queue's order is arrival minus head start; a shopper may say "needs care" */
static void the_queue_orders_by_arrival_minus_head_start(void **state)
{
    (void)state;
    assert_int_equal(s.chat[0].score, STORE_START_MS);
    s.now_ms += 10 * STORE_MINUTE;
    store_start(&s, 1, "'class':'care'");
    assert_int_equal(s.chat[1].c.class_, CLASS_CARE);
    assert_int_equal(s.chat[1].score, s.now_ms - 30 * STORE_MINUTE);
    s.now_ms += 21 * STORE_MINUTE;
    store_start(&s, 2, "'class':'care'");
    assert_true(s.chat[0].score < s.chat[2].score); /* ageing: 31 minutes are more than the head start */
}

/* rule 1.4: an offer holds the room until it is accepted, refused, or its deadline passes */
static void an_offer_holds_room_until_its_deadline(void **state)
{
    (void)state;
    assert_int_equal(store_offer(&s, 0, ann), CODE_OK);
    assert_int_equal(chat()->state, CHAT_OFFERED);
    assert_string_equal(s.chat[0].hold, "r_ann");
    assert_string_equal(s.chat[0].queue, "");
    assert_int_equal(s.chat[0].due_ms[TIMER_OFFER], s.now_ms + 30000);
    assert_true(store_fire(&s, 0, TIMER_OFFER));
    assert_int_equal(chat()->state, CHAT_WAITING);
    assert_true(last_has("offer_missed") && last_has("deadline"));
    assert_int_equal(chat()->declined_at_ms, 0);
    assert_string_equal(chat()->passed[0], "r_ann");
    assert_int_equal(s.chat[0].score, STORE_START_MS); /* the place is kept */
    assert_int_equal(chat()->wait_since_ms, STORE_START_MS);
    store_offer(&s, 0, bob);
    assert_int_equal(store_rep(&s, bob, 0, "offer.decline", "'reason':'lunch'"), CODE_OK);
    assert_int_equal(chat()->passed_n, 2);
    assert_int_equal(chat()->declined_at_ms, s.now_ms);
    assert_int_equal(store_rep(&s, bob, 0, "offer.accept", ""), CODE_CONFLICT);
}

/* rule 1.4: who passes a chat twice stands in the list once, at its end */
static void who_passes_twice_stands_there_once(void **state)
{
    static const unsigned *const turns[] = {&ann, &bob, &ann};

    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        store_offer(&s, 0, *turns[i]);
        store_rep(&s, *turns[i], 0, "offer.decline", "");
    }
    assert_int_equal(chat()->passed_n, 2);
    assert_string_equal(chat()->passed[0], "r_bob");
    assert_string_equal(chat()->passed[1], "r_ann");
}

/* rule 1.4: an offer is for one; others may claim the chat, and the offer ends */
static void an_offer_is_for_one_and_a_claim_ends_it(void **state)
{
    (void)state;
    store_offer(&s, 0, ann);
    assert_int_equal(store_rep(&s, bob, 0, "offer.accept", ""), CODE_CONFLICT);
    assert_int_equal(store_rep(&s, bob, 0, "offer.decline", ""), CODE_CONFLICT);
    assert_int_equal(store_rep(&s, bob, 0, "chat.claim", ""), CODE_OK);
    assert_string_equal(chat()->handler.id, "r_bob");
    assert_string_equal(chat()->offered_to.id, "");
    assert_int_equal(store_rep(&s, ann, 0, "offer.accept", ""), CODE_CONFLICT);
    assert_int_equal(store_rep(&s, ann, 0, "chat.claim", ""), CODE_CONFLICT);
}

/* rule 1.4: accepting needs no second room; the offer held it */
static void the_offer_held_the_room_that_acceptance_takes(void **state)
{
    (void)state;
    s.rep[ann].capacity = 1;
    store_offer(&s, 0, ann);
    assert_int_equal(store_rep(&s, ann, 0, "offer.accept", ""), CODE_OK);
    assert_int_equal(s.d.guard[0].kind, GUARD_REP_ON);
    assert_int_equal(chat()->state, CHAT_ASSIGNED);
    assert_int_equal(store_load(&s, "r_ann", -1), 1);
}

/* rule 1.4: whoever loses the connection with an offer open has missed it */
static void an_offer_ends_with_its_receivers_connection(void **state)
{
    (void)state;
    store_offer(&s, 0, ann);
    assert_int_equal(store_lose(&s, 0, ann), CODE_OK);
    assert_int_equal(chat()->state, CHAT_WAITING);
    assert_true(last_has("offer_missed") && last_has("connection"));
}

/* rule 2.9: a shift that ends gives an open offer on; what is served stays where it is */
static void an_offer_goes_on_when_the_shift_ends(void **state)
{
    struct chat_cmd cmd = {.kind = CMD_GONE, .why = "shift"};
    struct store_commit k;

    (void)state;
    store_offer(&s, 0, ann);
    store_decide_system(&s, 0, &cmd, "r_bob", &k);
    assert_int_equal(store_do(&s, &k), CODE_OK);
    assert_int_equal(chat()->state, CHAT_OFFERED);
    store_decide_system(&s, 0, &cmd, "r_ann", &k);
    assert_int_equal(store_do(&s, &k), CODE_OK);
    assert_int_equal(chat()->state, CHAT_WAITING);
    assert_true(last_has("offer_missed") && last_has("shift_ended"));
    store_rep(&s, bob, 0, "chat.claim", "");
    store_decide_system(&s, 0, &cmd, "r_bob", &k);
    assert_int_equal(store_do(&s, &k), CODE_OK);
    assert_string_equal(chat()->handler.id, "r_bob");
}

/* rule 1.3: with auto_accept a chat is assigned without being offered */
static void auto_accept_assigns_at_once(void **state)
{
    (void)state;
    s.rules.auto_accept = true;
    assert_int_equal(store_offer(&s, 0, ann), CODE_OK);
    assert_int_equal(chat()->state, CHAT_ASSIGNED);
    assert_true(last_has("\"how\":\"auto\""));
}

/* PROMISES 2.10: an offer to somebody who is full by now is caught by the guard; one for a chat that is taken does nothing */
static void an_offer_is_judged_again_when_it_is_committed(void **state)
{
    (void)state;
    s.rep[ann].capacity = 0;
    assert_int_equal(store_offer(&s, 0, ann), CODE_CONFLICT);
    assert_int_equal(s.failed_guard, GUARD_REP_ROOM);
    store_rep(&s, bob, 0, "chat.claim", "");
    assert_int_equal(store_offer(&s, 0, ann), CODE_OK);
    assert_int_equal(s.d.entries_n, 0);
}

/* rule 1.5: who leaves while waiting, or on offer, is abandoned with the time waited */
static void leaving_while_waiting_is_abandoned(void **state)
{
    (void)state;
    store_offer(&s, 0, ann);
    s.now_ms += 42000;
    assert_int_equal(store_shopper(&s, 0, "chat.leave", ""), CODE_OK);
    assert_int_equal(chat()->state, CHAT_ABANDONED);
    assert_true(last_has("\"waited_ms\":42000") && last_has("left"));
    assert_string_equal(s.chat[0].hold, "");
    assert_string_equal(s.chat[0].open, "");
}

/* rule 1.5: offline for the time set: abandoned, unless the shopper is back by then, or is served */
static void who_stays_offline_while_waiting_is_abandoned(void **state)
{
    struct chat_cmd cmd = {.kind = CMD_GONE, .why = "shopper"};
    struct store_commit k;

    (void)state;
    store_decide_system(&s, 0, &cmd, NULL, &k);
    assert_int_equal(store_do(&s, &k), CODE_CONFLICT);
    assert_int_equal(s.failed_guard, GUARD_SHOPPER_GONE);
    assert_int_equal(store_lose_shopper(&s, 0), CODE_OK);
    assert_int_equal(chat()->state, CHAT_ABANDONED);
    store_start(&s, 1, "");
    store_rep(&s, ann, 1, "chat.claim", "");
    store_lose_shopper(&s, 1);
    assert_int_equal(s.d.entries_n, 0);
    assert_true(s.d.drop_timer);
    assert_int_equal(s.chat[1].c.state, CHAT_ASSIGNED);
}

/* rule 1.5: the place is kept for a quick return, and the shopper's first words reopen the chat; later it is a new one */
static void a_quick_return_finds_the_place_kept(void **state)
{
    (void)state;
    store_fire(&s, 0, TIMER_CARE);
    store_shopper(&s, 0, "chat.leave", "");
    s.now_ms += s.rules.quick_return_ms;
    assert_int_equal(store_ask(&s, 0, "I am back"), CODE_OK);
    assert_int_equal(chat()->state, CHAT_WAITING);
    assert_int_equal(s.d.entry[s.d.main].kind, KIND_MESSAGE);
    assert_int_equal(s.chat[0].score, STORE_START_MS);
    assert_int_equal(chat()->wait_since_ms, s.now_ms); /* another wait, with its own steps */
    assert_int_equal(s.chat[0].due_ms[TIMER_CARE], s.now_ms + 5 * STORE_MINUTE);
    store_shopper(&s, 0, "chat.leave", "");
    s.now_ms += s.rules.quick_return_ms + 1;
    assert_int_equal(store_ask(&s, 0, "I am back"), CODE_CLOSED);
}

/* rule 1.5: no quick return into a second open chat */
static void a_quick_return_needs_the_shopper_free(void **state)
{
    (void)state;
    store_shopper(&s, 0, "chat.leave", "");
    assert_int_equal(store_start(&s, 0, ""), CODE_OK);
    assert_int_equal(store_ask(&s, 0, "I am back"), CODE_CONFLICT);
    assert_int_equal(s.failed_guard, GUARD_SHOPPER_FREE);
}

/* rules 3.1, 3.2, 3.3: water at 5 minutes, explanation and alert at 15, each once a wait, also while an offer is open */
static void each_care_step_comes_once_a_wait(void **state)
{
    (void)state;
    assert_int_equal(s.chat[0].due_ms[TIMER_CARE], STORE_START_MS + 5 * STORE_MINUTE);
    assert_true(store_fire(&s, 0, TIMER_CARE));
    assert_true(last_has("\"step\":\"water\"") && last_has("[\"wait\",\"message\",\"callback\"]"));
    assert_int_equal(s.chat[0].due_ms[TIMER_CARE], STORE_START_MS + 15 * STORE_MINUTE);
    store_offer(&s, 0, ann);
    store_fire(&s, 0, TIMER_OFFER);
    store_offer(&s, 0, bob);
    assert_true(store_fire(&s, 0, TIMER_CARE));
    assert_int_equal(s.d.entry[0].kind, KIND_CARE);
    assert_int_equal(s.d.entry[1].kind, KIND_ALERTED);
    assert_int_equal(chat()->state, CHAT_OFFERED);
    assert_int_equal(s.chat[0].due_ms[TIMER_CARE], 0);
    assert_int_equal(store_count(&s, 0, KIND_CARE), 3); /* the greeting, the water, the explanation */
    assert_int_equal(store_count(&s, 0, KIND_ALERTED), 1);
}

/* rule 3.1: the glass of water comes with the articles that match what was said, the explanation without */
static void the_water_comes_with_the_articles_that_match(void **state)
{
    static const char article[] = "[{\"id\":\"refunds\",\"title\":\"Refunds\"}]";
    struct chat_cmd cmd = {.kind = CMD_TIMER, .timer = TIMER_CARE, .articles = str_of(article)};
    struct store_commit k;

    (void)state;
    for (unsigned step = 0; step < 2; step++) {
        cmd.due_ms = s.now_ms = s.chat[0].due_ms[TIMER_CARE];
        store_decide_system(&s, 0, &cmd, NULL, &k);
        assert_int_equal(s.d.entry[0].kind, KIND_CARE);
        assert_true((s.d.entry[0].f[FIELD_ARTICLES].type == VAL_JSON) == (step == 0));
        assert_int_equal(store_do(&s, &k), CODE_OK);
        assert_true((strstr(s.chat[0].frame[s.chat[0].frames_n - 1 - step], article) != NULL) == (step == 0));
    }
}

/* rule 3.3: after an outage overdue steps fire in order, each once */
static void overdue_steps_fire_in_order(void **state)
{
    (void)state;
    s.now_ms += 60 * STORE_MINUTE;
    assert_true(store_fire(&s, 0, TIMER_CARE));
    assert_true(last_has("water"));
    assert_true(store_fire(&s, 0, TIMER_CARE));
    assert_int_equal(store_count(&s, 0, KIND_ALERTED), 1);
    assert_false(store_fire(&s, 0, TIMER_CARE));
}

/* rule 3.3: a timer taken twice is committed once; one that is not set, or not due, does nothing */
static void a_timer_fires_once(void **state)
{
    struct chat_cmd cmd = {.kind = CMD_TIMER, .timer = TIMER_CARE, .due_ms = s.chat[0].due_ms[TIMER_CARE]};
    struct store_commit a, b;

    (void)state;
    store_decide_system(&s, 0, &cmd, NULL, &a);
    assert_true(s.d.drop_timer); /* too early */
    store_do(&s, &a);
    s.now_ms = cmd.due_ms;
    store_decide_system(&s, 0, &cmd, NULL, &a);
    store_decide_system(&s, 0, &cmd, NULL, &b);
    assert_int_equal(store_do(&s, &a), CODE_OK);
    assert_int_equal(store_do(&s, &b), CODE_CONFLICT);
    store_decide_system(&s, 0, &cmd, NULL, &a);
    assert_true(s.d.drop_timer); /* another date stands there now */
    store_do(&s, &a);
    cmd = (struct chat_cmd){.kind = CMD_TIMER, .timer = TIMER_CONFIRM, .due_ms = 0};
    store_decide_system(&s, 0, &cmd, NULL, &a);
    assert_true(s.d.drop_timer);
    assert_int_equal(s.d.entries_n, 0);
    store_do(&s, &a);
}

/* rule 3.2: the alert goes up a level each time it isn't acted on, to the top; the wait's end ends it */
static void an_alert_goes_up_until_somebody_acts(void **state)
{
    char alert[ID_SIZE];

    (void)state;
    store_fire(&s, 0, TIMER_CARE);
    store_fire(&s, 0, TIMER_CARE);
    memcpy(alert, chat()->alert, sizeof alert);
    assert_int_equal(chat()->alert_level, 1);
    assert_int_equal(s.chat[0].due_ms[TIMER_ALERT], s.now_ms + 5 * STORE_MINUTE);
    assert_true(store_fire(&s, 0, TIMER_ALERT));
    assert_int_equal(chat()->alert_level, 2);
    assert_string_equal(chat()->alert, alert); /* the same alert */
    assert_true(store_fire(&s, 0, TIMER_ALERT));
    assert_int_equal(chat()->alert_level, 3);
    assert_false(store_fire(&s, 0, TIMER_ALERT));
    store_rep(&s, bob, 0, "chat.claim", "");
    assert_string_equal(chat()->alert, "");
}

/* rule 3.2: a lead acts once; taking it over assigns it */
static void a_lead_acts_on_an_alert_once(void **state)
{
    char more[100];
    struct store_commit a, b;

    (void)state;
    s.rep[ann].roles = s.rep[bob].roles = ROLE_LEAD;
    store_fire(&s, 0, TIMER_CARE);
    store_fire(&s, 0, TIMER_CARE);
    assert_int_equal(store_rep(&s, ann, 0, "alert.act", "'alert':'a_other','action':'explain'"), CODE_CONFLICT);
    snprintf(more, sizeof more, "'alert':'%s','action':'explain','note':'told them'", chat()->alert);
    store_decide(&s, (int)ann, ROLE_LEAD, 0, "alert.act", more, NULL, &a);
    store_decide(&s, (int)bob, ROLE_LEAD, 0, "alert.act", more, NULL, &b);
    assert_int_equal(store_do(&s, &a), CODE_OK);
    assert_int_equal(store_do(&s, &b), CODE_CONFLICT);
    assert_int_equal(s.chat[0].due_ms[TIMER_ALERT], 0);
    assert_int_equal(store_rep(&s, bob, 0, "alert.act", more), CODE_CONFLICT);

    store_start(&s, 1, "");
    store_fire(&s, 1, TIMER_CARE);
    store_fire(&s, 1, TIMER_CARE);
    snprintf(more, sizeof more, "'alert':'%s','action':'take_over'", s.chat[1].c.alert);
    s.rep[bob].capacity = 0;
    assert_int_equal(store_rep(&s, bob, 1, "alert.act", more), CODE_CONFLICT);
    s.rep[bob].capacity = 1;
    assert_int_equal(store_rep(&s, bob, 1, "alert.act", more), CODE_OK);
    assert_string_equal(s.chat[1].c.handler.id, "r_bob");
}

/* rule 3.2: explaining says it to the shopper in the lead's name and claims nothing; a call-back has an owner and says who calls */
static void what_a_lead_does_reaches_the_shopper(void **state)
{
    static const struct {
        const char *more, *callback; /* the command's fields; the call-back that the shopper has asked for, or NULL */
        bool can_reach;
        enum code code;
        const char *acted, *told[3]; /* in the entries; the care entry must hold each of told */
    } rows[] = {
        {"'action':'explain','note':'两位同事病了'", NULL, false, CODE_OK, "两位同事病了", {"\"step\":\"explained\"", "ann", "两位同事病了"}},
        {"'action':'explain'", NULL, false, CODE_OK, "explain", {"\"step\":\"explained\"", "本部门负责人ann", "[\"wait\",\"message\",\"callback\"]"}},
        {"'action':'call_back','note':'about the lamp'", NULL, true, CODE_OK, "\"task\":\"t_", {"\"step\":\"callback\"", "由ann负责", "先离开"}},
        {"'action':'call_back'", NULL, false, CODE_OK, "\"task\":\"t_", {"\"step\":\"callback\"", "由ann负责", "怎么联系您"}},
        {"'action':'call_back','at':2000000000000", NULL, true, CODE_OK, "\"task\":\"t_", {"\"due_at\":2000000000000", "由ann负责", "回电"}},
        {"'action':'call_back'", "t_asked", true, CODE_OK, "\"task\":\"t_asked\"", {"\"step\":\"callback\"", "给您回电。", "先离开"}},
        {"'action':'call_back','at':1000", NULL, true, CODE_BAD_REQUEST, NULL, {NULL}},
        {"'action':'move'", NULL, false, CODE_OK, "move", {NULL}}, /* reassigning comes next */
    };
    char more[200];

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        const struct store_chat *sc;
        unsigned n = i + 1;
        int64_t score;

        s.rep[ann].roles = ROLE_LEAD;
        assert_int_equal(store_start(&s, n, ""), CODE_OK);
        store_fire(&s, n, TIMER_CARE);
        store_fire(&s, n, TIMER_CARE);
        sc = &s.chat[n];
        score = sc->score;
        s.callback = rows[i].callback;
        s.can_reach = rows[i].can_reach;
        snprintf(more, sizeof more, "'alert':'%s',%s", sc->c.alert, rows[i].more);
        assert_int_equal(store_rep(&s, ann, n, "alert.act", more), rows[i].code);
        assert_true((sc->c.alert[0] == 0) == (rows[i].code == CODE_OK));
        if (rows[i].acted)
            assert_non_null(strstr(sc->frame[sc->frames_n - (rows[i].told[0] ? 2 : 1)], rows[i].acted));
        for (unsigned k = 0; k < 3 && rows[i].told[k]; k++)
            assert_non_null(strstr(sc->frame[sc->frames_n - 1], rows[i].told[k]));
        if (rows[i].callback)
            assert_null(strstr(sc->frame[sc->frames_n - 1], "ann")); /* whose the call-back is says the task */
        assert_int_equal(sc->c.state, CHAT_WAITING); /* in its place, with nobody as handler or owner */
        assert_int_equal(sc->score, score);
        assert_string_equal(sc->c.handler.id, "");
        assert_string_equal(sc->c.owner.id, "");
        assert_int_equal(sc->due_ms[TIMER_CARE], 0);
    }
}

/* rule 3.3: a new wait has its own steps; the one before left none behind */
static void a_new_wait_has_its_own_steps(void **state)
{
    (void)state;
    store_fire(&s, 0, TIMER_CARE);
    store_fire(&s, 0, TIMER_CARE);
    store_say(&s, ann, 0, "Your refund is on its way");
    assert_int_equal(s.chat[0].due_ms[TIMER_CARE], 0);
    assert_int_equal(s.chat[0].due_ms[TIMER_ALERT], 0);
    s.now_ms += STORE_MINUTE;
    store_lose(&s, 0, ann);
    assert_int_equal(s.chat[0].due_ms[TIMER_CARE], s.now_ms + 5 * STORE_MINUTE);
    assert_int_equal(chat()->passed_n, 0);
    assert_true(store_fire(&s, 0, TIMER_CARE));
    assert_int_equal(store_count(&s, 0, KIND_CARE), 4);
}

/* rules 1.5, 2.8: the time waited is that of this wait, not of the chat */
static void who_leaves_a_later_wait_waited_as_long_as_that(void **state)
{
    (void)state;
    store_say(&s, ann, 0, "Your refund is on its way");
    s.now_ms += STORE_MINUTE;
    store_lose(&s, 0, ann);
    s.now_ms += 42000;
    assert_int_equal(store_shopper(&s, 0, "chat.leave", ""), CODE_OK);
    assert_true(last_has("\"waited_ms\":42000"));
}

/* rule 1.5: offline for the time set while on offer: abandoned too */
static void who_stays_offline_while_on_offer_is_abandoned(void **state)
{
    (void)state;
    store_offer(&s, 0, ann);
    assert_int_equal(store_lose_shopper(&s, 0), CODE_OK);
    assert_int_equal(chat()->state, CHAT_ABANDONED);
    assert_string_equal(s.chat[0].hold, "");
}

/* rule 1.4: whoever is connected again by then keeps the offer: the guard looks when it is committed */
static void who_is_back_in_time_keeps_the_offer(void **state)
{
    struct chat_cmd cmd = {.kind = CMD_GONE, .why = "connection"};
    struct store_commit k;

    (void)state;
    store_offer(&s, 0, ann);
    store_decide_system(&s, 0, &cmd, "r_ann", &k);
    assert_int_equal(store_do(&s, &k), CODE_CONFLICT);
    assert_int_equal(s.failed_guard, GUARD_REP_GONE);
    assert_int_equal(chat()->state, CHAT_OFFERED);
}

/* rule 1.4: of those who passed it the list holds the last so many; whoever passed it longest ago makes room */
static void the_list_of_those_who_passed_is_bounded(void **state)
{
    struct people_rep *p = &s.rep[ann];

    (void)state;
    for (unsigned i = 0; i <= CHAT_PASSED_MAX; i++) {
        snprintf(p->id, sizeof p->id, "r_%u", i);
        assert_int_equal(store_offer(&s, 0, ann), CODE_OK);
        store_fire(&s, 0, TIMER_OFFER);
    }
    assert_int_equal(chat()->passed_n, CHAT_PASSED_MAX);
    assert_string_equal(chat()->passed[0], "r_1");
    assert_string_equal(chat()->passed[CHAT_PASSED_MAX - 1], p->id);
}

/* rule 3.2: without anybody who leads it begins with the directors */
static void an_alert_without_a_lead_begins_at_the_second_level(void **state)
{
    struct chat_cmd cmd = {.kind = CMD_TIMER, .timer = TIMER_CARE, .no_lead = true};
    struct store_commit k;

    (void)state;
    store_fire(&s, 0, TIMER_CARE);
    cmd.due_ms = s.now_ms = s.chat[0].due_ms[TIMER_CARE];
    store_decide_system(&s, 0, &cmd, NULL, &k);
    assert_int_equal(store_do(&s, &k), CODE_OK);
    assert_int_equal(chat()->alert_level, 2);
}

/* rule 3.2: moved by the lead, it stands in the other queue where its time puts it */
static void an_alerted_chat_is_moved_with_the_time_waited(void **state)
{
    unsigned cat = store_add_rep(&s, "cat", "returns", 2);
    char more[100];

    (void)state;
    (void)cat;
    s.rep[ann].roles = ROLE_LEAD;
    store_fire(&s, 0, TIMER_CARE);
    store_fire(&s, 0, TIMER_CARE);
    snprintf(more, sizeof more, "'alert':'%s','action':'move','to':'returns'", chat()->alert);
    assert_int_equal(store_rep(&s, ann, 0, "alert.act", more), CODE_OK);
    assert_string_equal(s.chat[0].queue, "returns");
    assert_int_equal(s.chat[0].score, STORE_START_MS);
    assert_int_equal(chat()->wait_since_ms, STORE_START_MS);
}

/* PROMISES 2.11: what is decided long after its time says by how much; what is in time says nothing */
static void only_what_is_late_is_marked_late(void **state)
{
    static const int64_t rows[][2] = {{0, 0}, {CHAT_LATE_MS - 1, 0}, {CHAT_LATE_MS, CHAT_LATE_MS}, {STORE_MINUTE, STORE_MINUTE}};

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        store_start(&s, i + 1, "");
        s.now_ms = s.chat[i + 1].due_ms[TIMER_CARE] + rows[i][0];
        assert_true(store_fire(&s, i + 1, TIMER_CARE));
        assert_int_equal(s.d.entry[0].f[FIELD_LATE].type == VAL_INT ? s.d.entry[0].f[FIELD_LATE].i : 0, rows[i][1]);
        assert_true((s.d.entry[0].f[FIELD_LATE].type == VAL_INT) == (rows[i][1] > 0));
    }
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, open_shop, close_shop)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_queue_orders_by_arrival_minus_head_start),
        TEST(an_offer_holds_room_until_its_deadline),
        TEST(who_passes_twice_stands_there_once),
        TEST(an_offer_is_for_one_and_a_claim_ends_it),
        TEST(the_offer_held_the_room_that_acceptance_takes),
        TEST(an_offer_ends_with_its_receivers_connection),
        TEST(an_offer_goes_on_when_the_shift_ends),
        TEST(auto_accept_assigns_at_once),
        TEST(an_offer_is_judged_again_when_it_is_committed),
        TEST(leaving_while_waiting_is_abandoned),
        TEST(who_stays_offline_while_waiting_is_abandoned),
        TEST(a_quick_return_finds_the_place_kept),
        TEST(a_quick_return_needs_the_shopper_free),
        TEST(each_care_step_comes_once_a_wait),
        TEST(the_water_comes_with_the_articles_that_match),
        TEST(overdue_steps_fire_in_order),
        TEST(a_timer_fires_once),
        TEST(an_alert_goes_up_until_somebody_acts),
        TEST(a_lead_acts_on_an_alert_once),
        TEST(what_a_lead_does_reaches_the_shopper),
        TEST(a_new_wait_has_its_own_steps),
        TEST(who_leaves_a_later_wait_waited_as_long_as_that),
        TEST(who_stays_offline_while_on_offer_is_abandoned),
        TEST(who_is_back_in_time_keeps_the_offer),
        TEST(the_list_of_those_who_passed_is_bounded),
        TEST(an_alert_without_a_lead_begins_at_the_second_level),
        TEST(an_alerted_chat_is_moved_with_the_time_waited),
        TEST(only_what_is_late_is_marked_late),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

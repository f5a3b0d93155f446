/* The states of a chat: which may follow which, and what each kind of entry does to each. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cmocka.h>

#include "chat/chat_state.h"

/* Letters of the states in the tables below, in the enum's order. */
static const char letters[CHAT_STATE_N + 1] = "-WOSAPKCB"; /* none waiting offered aSsigned active proposed parKed closed aBandoned */

static enum chat_state of(char letter)
{
    for (unsigned i = 0; i < CHAT_STATE_N; i++)
        if (letters[i] == letter)
            return (enum chat_state)i;
    fail_msg("no state %c", letter);
    return CHAT_NONE;
}

/* PROTOCOL "States of a chat": the table of moves, written out */
static void only_these_moves_are_allowed(void **state)
{
    static const char *const moves[CHAT_STATE_N] = {
        [CHAT_NONE] = "W",      [CHAT_WAITING] = "OSABC", [CHAT_OFFERED] = "WSABC", [CHAT_ASSIGNED] = "WAPKC", [CHAT_ACTIVE] = "WSPKC",
        [CHAT_PROPOSED] = "WSAC", [CHAT_PARKED] = "WSAPC",  [CHAT_CLOSED] = "",       [CHAT_ABANDONED] = "WC",
    };

    (void)state;
    for (unsigned from = 0; from < CHAT_STATE_N; from++)
        for (unsigned to = 0; to < CHAT_STATE_N; to++)
            if (chat_state_may_move((enum chat_state)from, (enum chat_state)to) !=
                (from == to || strchr(moves[from], letters[to]) != NULL))
                fail_msg("%s → %s", chat_state_name((enum chat_state)from), chat_state_name((enum chat_state)to));
}

/* DESIGN 1: kind × state: what follows, for each state in which the kind can stand (the others: ' ') */
static void each_kind_moves_each_state_as_written(void **state)
{
    static const struct {
        enum kind kind;
        const char *after; /* for "-WOSAPKCB" */
    } rows[] = {
        {KIND_STARTED, "W        "},
        {KIND_QUEUED, " WWWWWW  "},
        {KIND_TRIAGED, " WOSAPK  "},
        {KIND_OFFERED, " O       "},
        {KIND_OFFER_MISSED, "  W      "},
        {KIND_OFFER_DECLINED, "  W      "},
        {KIND_ASSIGNED, " SSSS    "},
        {KIND_OWNED, "   AAPK  "},
        {KIND_HANDLER_LOST, "   WW    "},
        {KIND_HANDLER_BACK, " A       "},
        {KIND_TRANSFER_OFFERED, "   SA    "},
        {KIND_TRANSFERRED, "   SA    "},
        {KIND_TRANSFER_RETURNED, "   SA    "},
        {KIND_TAKEN_BACK, " AAAAPA  "},
        {KIND_REASSIGNED, " SSSAPS  "},
        {KIND_RESOLUTION_PROPOSED, "   PP P  "},
        {KIND_CONFIRMED, "     P   "},
        {KIND_REFUSED, "     P   "},
        {KIND_REOPENED, "     A  W"},
        {KIND_PARKED, "   KK    "},
        {KIND_UNPARKED, "      A  "},
        {KIND_ABANDONED, " BB      "},
        {KIND_CLOSED, "     C   "},
        {KIND_CARE, " WOSAP   "},
        {KIND_REMINDED, "   SAP   "},
        {KIND_NOTE, " WOSAPKCB"},
        {KIND_RATED, "     P C "},
        {KIND_PROMISE_MISSED, " WOSAPKCB"},
        {KIND_LEFT, "   SAPK  "},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++)
        for (unsigned s = 0; s < CHAT_STATE_N; s++) {
            struct entry e;

            if (rows[i].after[s] == ' ')
                continue;
            entry_init(&e, rows[i].kind);
            if (chat_state_after((enum chat_state)s, &e) != of(rows[i].after[s]))
                fail_msg("%s in %s", kind_table[rows[i].kind].name, chat_state_name((enum chat_state)s));
            assert_true(chat_state_may_move((enum chat_state)s, of(rows[i].after[s])));
        }
}

/* rule 2.1: a reply makes an assigned chat active; a greeting, a care message or the shopper's words don't */
static void only_a_reply_that_counts_makes_it_active(void **state)
{
    static const struct {
        unsigned role;
        bool greeting;
        enum chat_state after;
    } rows[] = {
        {ROLE_REP, false, CHAT_ACTIVE},     {ROLE_LEAD, false, CHAT_ACTIVE},     {ROLE_REP, true, CHAT_ASSIGNED},
        {ROLE_SHOPPER, false, CHAT_ASSIGNED}, {ROLE_SYSTEM, false, CHAT_ASSIGNED}, {ROLE_BOT, false, CHAT_ASSIGNED},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct entry e;

        entry_init(&e, KIND_MESSAGE);
        e.from_role = rows[i].role;
        if (rows[i].greeting)
            e.f[FIELD_COUNTS] = val_bool(false);
        assert_int_equal(chat_state_after(CHAT_ASSIGNED, &e), rows[i].after);
        assert_int_equal(chat_state_after(CHAT_PARKED, &e), CHAT_PARKED);
        assert_int_equal(chat_state_after(CHAT_PROPOSED, &e), CHAT_PROPOSED);
    }
}

/* PROTOCOL "States of a chat": closed is final: no kind leads out of it */
static void nothing_leads_out_of_closed(void **state)
{
    (void)state;
    for (unsigned to = 0; to < CHAT_STATE_N; to++)
        assert_int_equal(chat_state_may_move(CHAT_CLOSED, (enum chat_state)to), to == CHAT_CLOSED);
    assert_false(chat_state_is_open(CHAT_CLOSED));
    assert_false(chat_state_is_open(CHAT_ABANDONED));
    assert_false(chat_state_is_open(CHAT_NONE));
    for (unsigned s = CHAT_WAITING; s < CHAT_CLOSED; s++)
        assert_true(chat_state_is_open((enum chat_state)s));
}

/* PROTOCOL "States of a chat": the names */
static void states_have_the_protocols_names(void **state)
{
    static const char *const names[] = {"none", "waiting", "offered", "assigned", "active", "proposed", "parked", "closed", "abandoned", "none"};

    (void)state;
    for (unsigned i = 0; i <= CHAT_STATE_N; i++)
        assert_string_equal(chat_state_name((enum chat_state)i), names[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(only_these_moves_are_allowed),
        cmocka_unit_test(each_kind_moves_each_state_as_written),
        cmocka_unit_test(only_a_reply_that_counts_makes_it_active),
        cmocka_unit_test(nothing_leads_out_of_closed),
        cmocka_unit_test(states_have_the_protocols_names),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

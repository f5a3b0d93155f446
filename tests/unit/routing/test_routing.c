/* Order of the queue, choice of the rep, expected wait. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "routing/routing.h"

#define REPS 6

struct office {
    struct people_rep rep[REPS];
    const struct people_rep *list[REPS];
    struct routing_need need;
    struct routing_choice choice;
};

/* Six reps a … f of one department, all free and alike; the need is a plain chat. */
static void open_office(struct office *o)
{
    memset(o, 0, sizeof *o);
    for (unsigned i = 0; i < REPS; i++) {
        struct people_rep *p = &o->rep[i];

        snprintf(p->id, sizeof p->id, "r_%c", 'a' + (char)i);
        snprintf(p->name, sizeof p->name, "%c", 'A' + (char)i);
        p->roles = ROLE_REP;
        p->shift = SHIFT_ON;
        p->is_present = true;
        p->capacity = 4;
        people_list_add(&p->departments, STR("general"));
        o->list[i] = p;
    }
    o->need = (struct routing_need){.department = STR("general"), .owner = "", .weight = 1};
}

static const char *choose(struct office *o)
{
    routing_choose(&o->need, o->list, REPS, &o->choice);
    return o->choice.rep ? o->choice.rep->id : "nobody";
}

static const char *why(const struct office *o, unsigned i)
{
    return o->choice.in_department[i] ? routing_why_name(o->choice.why[i]) : "elsewhere";
}

/* rule 1.2: urgent > care > returning > VIP > normal, by the head starts that are the defaults */
static void classes_come_in_order_and_waiting_overtakes_them(void **state)
{
    static const int64_t head[CLASS_N] = {[CLASS_VIP] = 600000, [CLASS_RETURNING] = 900000, [CLASS_CARE] = 1800000, [CLASS_URGENT] = 3600000};

    (void)state;
    for (unsigned c = 1; c < CLASS_N; c++) {
        assert_true(routing_score(1000000, head[c]) < routing_score(1000000, head[c - 1]));
        /* ageing: whoever came longer before than the head starts differ goes first all the same */
        assert_true(routing_score(1000000 - (head[c] - head[c - 1]) - 1, head[c - 1]) < routing_score(1000000, head[c]));
    }
}

/* rule 1.2: nobody is overtaken by anybody who comes later than the largest head start after them */
static void nobody_is_overtaken_after_the_largest_head_start(void **state)
{
    const int64_t largest = 3600000;

    (void)state;
    srand(12);
    for (unsigned i = 0; i < 10000; i++) {
        int64_t mine = rand() % (largest + 1), theirs = rand() % (largest + 1), after = largest + 1 + rand() % 1000;

        assert_true(routing_score(5000000, mine) < routing_score(5000000 + after, theirs));
    }
}

/* rule 1.2: a queue of random arrivals, always taken at its smallest score: what the bound says of two holds for all who wait */
static void a_queue_of_random_arrivals_keeps_the_bound(void **state)
{
    static const int64_t head[CLASS_N] = {[CLASS_VIP] = 600000, [CLASS_RETURNING] = 900000, [CLASS_CARE] = 1800000, [CLASS_URGENT] = 3600000};
    int64_t at[400], score[400], most = 0;

    (void)state;
    srand(3);
    for (unsigned round = 0; round < 20; round++) {
        unsigned n = 0, came = 0;
        int64_t now = 0;

        while (came < 400 || n) {
            now += rand() % 60000;
            if (came < 400 && (n == 0 || rand() % 5 < 3)) {
                at[n] = now;
                score[n++] = routing_score(now, head[rand() % CLASS_N]);
                came++;
                continue;
            }
            unsigned next = 0;

            for (unsigned i = 1; i < n; i++)
                next = score[i] < score[next] ? i : next;
            for (unsigned i = 0; i < n; i++)
                most = at[next] - at[i] > most ? at[next] - at[i] : most;
            at[next] = at[--n];
            score[next] = score[n];
        }
    }
    assert_in_range(most, 1, head[CLASS_URGENT]);
}

/* rule 1.2: names go both ways, and a stranger's word is a normal chat */
static void class_names_go_both_ways(void **state)
{
    (void)state;
    for (unsigned c = 0; c < CLASS_N; c++)
        assert_int_equal(class_from_name(str_of(class_name((enum class)c))), c);
    assert_int_equal(class_from_name(STR("emperor")), CLASS_NORMAL);
    assert_int_equal(class_from_name(STR_NONE), CLASS_NORMAL);
}

/* rule 1.3: on shift, online, below capacity, with the skill and the language: one obstacle, one reason */
static void whoever_cannot_take_it_is_told_apart_by_reason(void **state)
{
    struct office o;
    struct people_list skills = {0};

    (void)state;
    open_office(&o);
    people_list_add(&skills, STR("refunds"));
    o.need.skills = &skills;
    o.need.language = STR("zh-CN");
    for (unsigned i = 0; i < REPS; i++) {
        people_list_add(&o.rep[i].skills, STR("refunds"));
        people_list_add(&o.rep[i].languages, STR("zh"));
    }
    o.rep[0].shift = SHIFT_OFF;
    o.rep[1].shift = SHIFT_PAUSED;
    o.rep[2].is_present = false;
    o.rep[3].load = 4;
    o.rep[4].skills.n = 0;
    strcpy(o.rep[5].languages.item[0], "en");
    assert_string_equal(choose(&o), "nobody");
    assert_string_equal(why(&o, 0), "off_shift");
    assert_string_equal(why(&o, 1), "paused");
    assert_string_equal(why(&o, 2), "away");
    assert_string_equal(why(&o, 3), "full");
    assert_string_equal(why(&o, 4), "skill");
    assert_string_equal(why(&o, 5), "language");
    o.rep[1].shift = SHIFT_ON;
    assert_string_equal(choose(&o), "r_b");
    assert_string_equal(why(&o, 1), "chosen");
}

/* rule 1.3: a disabled account, another department, or a role that takes no chats is never chosen */
static void strangers_to_the_department_are_not_candidates(void **state)
{
    struct office o;

    (void)state;
    open_office(&o);
    for (unsigned i = 0; i < REPS; i++)
        strcpy(o.rep[i].departments.item[0], "returns");
    assert_string_equal(choose(&o), "nobody");
    assert_string_equal(why(&o, 0), "elsewhere");
    strcpy(o.rep[0].departments.item[0], "general");
    o.rep[0].disabled = true;
    assert_string_equal(choose(&o), "nobody");
    assert_string_equal(why(&o, 0), "off_shift");
    strcpy(o.rep[1].departments.item[0], "general");
    o.rep[1].roles = ROLE_QA;
    assert_string_equal(choose(&o), "nobody");
    assert_string_equal(why(&o, 1), "elsewhere");
}

/* rule 1.3: the least loaded (load ÷ capacity), then the longest idle, then the smallest id */
static void least_loaded_then_longest_idle_then_smallest_id(void **state)
{
    struct office o;

    (void)state;
    open_office(&o);
    assert_string_equal(choose(&o), "r_a");
    for (unsigned i = 0; i < REPS; i++)
        o.rep[i].load = 2;
    o.rep[3].capacity = 8; /* 2 of 8 is less than 2 of 4 */
    assert_string_equal(choose(&o), "r_d");
    assert_string_equal(why(&o, 0), "busier");
    o.rep[3].capacity = 4;
    for (unsigned i = 0; i < REPS; i++)
        o.rep[i].idle_since_ms = 9000 - i;
    assert_string_equal(choose(&o), "r_f");
    assert_string_equal(why(&o, 0), "less_idle");
    o.rep[2].idle_since_ms = 0; /* never had one */
    assert_string_equal(choose(&o), "r_c");
}

/* rule 1.3: the order in which the reps are listed changes nothing */
static void the_choice_does_not_depend_on_the_order_of_the_list(void **state)
{
    struct office o;

    (void)state;
    srand(7);
    for (unsigned round = 0; round < 500; round++) {
        const char *first = NULL;
        enum routing_why reason[REPS];

        open_office(&o);
        for (unsigned i = 0; i < REPS; i++) {
            o.rep[i].load = rand() % 4;
            o.rep[i].idle_since_ms = rand() % 3;
            o.rep[i].is_present = rand() % 5 != 0;
        }
        o.need.owner = rand() % 2 ? "r_c" : "";
        for (unsigned turn = 0; turn < REPS; turn++) {
            const struct people_rep *head = o.list[0];

            choose(&o);
            if (turn == 0)
                first = o.choice.rep ? o.choice.rep->id : "nobody";
            assert_string_equal(o.choice.rep ? o.choice.rep->id : "nobody", first);
            for (unsigned i = 0; i < REPS; i++) {
                unsigned who = (unsigned)(o.list[i] - o.rep);

                if (turn == 0)
                    reason[who] = o.choice.why[i];
                assert_int_equal(o.choice.why[i], reason[who]);
            }
            memmove(o.list, o.list + 1, (REPS - 1) * sizeof *o.list);
            o.list[REPS - 1] = head;
        }
    }
}

/* rules 1.3, 2.7: the case's owner first, if able */
static void the_owner_comes_first_when_able(void **state)
{
    struct office o;

    (void)state;
    open_office(&o);
    o.need.owner = "r_e";
    o.rep[4].load = 3;
    assert_string_equal(choose(&o), "r_e");
    assert_string_equal(why(&o, 4), "owner");
    assert_string_equal(why(&o, 0), "not_owner");
    o.rep[4].load = 4;
    assert_string_equal(choose(&o), "r_a");
    assert_string_equal(why(&o, 4), "full");
}

/* rule 1.3: a language that nobody who is available speaks is not asked for */
static void a_language_nobody_speaks_is_not_asked_for(void **state)
{
    struct office o;

    (void)state;
    open_office(&o);
    for (unsigned i = 0; i < REPS; i++)
        people_list_add(&o.rep[i].languages, STR("zh"));
    o.need.language = STR("en-GB");
    assert_string_equal(choose(&o), "r_a");
    people_list_add(&o.rep[3].languages, STR("en"));
    assert_string_equal(choose(&o), "r_d");
    assert_string_equal(why(&o, 0), "language");
    o.rep[3].load = 4; /* busy, but there: the chat waits for them */
    assert_string_equal(choose(&o), "nobody");
    o.rep[3].is_present = false;
    assert_string_equal(choose(&o), "r_a");
}

/* rule 1.3: nor one that only people speak who lack the skill: else nobody could be given the chat while somebody is free */
static void a_language_is_not_asked_for_for_the_sake_of_somebody_unskilled(void **state)
{
    struct office o;
    struct people_list skills = {0};

    (void)state;
    open_office(&o);
    people_list_add(&skills, STR("refunds"));
    o.need.skills = &skills;
    o.need.language = STR("zh-CN");
    for (unsigned i = 0; i < REPS; i++)
        people_list_add(&o.rep[i].languages, STR("en"));
    people_list_add(&o.rep[2].languages, STR("zh"));
    people_list_add(&o.rep[4].skills, STR("refunds"));
    assert_string_equal(choose(&o), "r_e");
    assert_string_equal(why(&o, 2), "skill");
    people_list_add(&o.rep[2].skills, STR("refunds")); /* now there is somebody who has both */
    assert_string_equal(choose(&o), "r_c");
    assert_string_equal(why(&o, 4), "language");
}

/* rule 1.4: refused or missed: the next rep; they come back when nobody else is left */
static void who_passed_it_comes_back_only_when_nobody_else_is_left(void **state)
{
    static const char passed[2][ID_SIZE] = {"r_a", "r_b"};
    struct office o;

    (void)state;
    open_office(&o);
    o.need.passed = passed;
    o.need.passed_n = 2;
    assert_string_equal(choose(&o), "r_c");
    assert_string_equal(why(&o, 0), "passed");
    for (unsigned i = 2; i < REPS; i++)
        o.rep[i].shift = SHIFT_OFF;
    assert_string_equal(choose(&o), "r_a");
    assert_string_equal(why(&o, 1), "passed");
}

/* rule 1.4: just declined, it is for those who haven't passed it, or for nobody yet */
static void just_declined_it_is_not_for_those_who_passed_it(void **state)
{
    static const char passed[2][ID_SIZE] = {"r_a", "r_b"};
    struct office o;

    (void)state;
    open_office(&o);
    o.need.passed = passed;
    o.need.passed_n = 2;
    o.need.is_resting = true;
    assert_string_equal(choose(&o), "r_c");
    assert_string_equal(why(&o, 0), "passed");
    for (unsigned i = 2; i < REPS; i++)
        o.rep[i].shift = SHIFT_OFF;
    assert_string_equal(choose(&o), "nobody");
    assert_string_equal(why(&o, 1), "passed");
    o.need.is_resting = false;
    assert_string_equal(choose(&o), "r_a");
}

/* rule 1.4: when all have passed it, it goes round: whoever passed it longest ago is next, be it the owner or the least busy */
static void when_all_have_passed_it_goes_round(void **state)
{
    static const char passed[6][ID_SIZE] = {"r_d", "r_a", "r_b", "r_c", "r_e", "r_f"};
    struct office o;

    (void)state;
    open_office(&o);
    o.need.passed = passed;
    o.need.passed_n = 6;
    o.need.owner = "r_f";
    o.rep[3].load = 3;
    assert_string_equal(choose(&o), "r_d");
    assert_string_equal(why(&o, 3), "chosen");
    assert_string_equal(why(&o, 5), "passed");
}

/* rule 2.10: the candidates and why each, as JSON; nobody from elsewhere */
static void candidates_are_written_with_their_reasons(void **state)
{
    struct office o;
    struct buf b;

    (void)state;
    open_office(&o);
    for (unsigned i = 2; i < REPS; i++)
        strcpy(o.rep[i].departments.item[0], "returns");
    o.rep[1].load = 1;
    strcpy(o.rep[1].name, "B \"x\"");
    choose(&o);
    buf_init(&b, 1000);
    routing_write_candidates(&o.choice, o.list, &b);
    assert_string_equal(b.p, "[{\"id\":\"r_a\",\"name\":\"A\",\"why\":\"chosen\"},{\"id\":\"r_b\",\"name\":\"B \\\"x\\\"\",\"why\":\"busier\"}]");
    buf_fini(&b);
}

/* rule 1.5: the expected wait: position × the mean gap between takes, else × handling time ÷ reps; never below a second */
static void the_expected_wait_follows_the_position(void **state)
{
    (void)state;
    assert_int_equal(routing_eta_s(3, 20000, 5, 300000), 60);
    assert_int_equal(routing_eta_s(1, 1500, 5, 300000), 2);
    assert_int_equal(routing_eta_s(2, 0, 3, 300000), 200);
    assert_int_equal(routing_eta_s(2, 0, 0, 300000), 600);
    assert_int_equal(routing_eta_s(0, 0, 3, 0), 1);
}

/* rule 1.5: the mean gap starts with the first and moves a tenth of the way with each */
static void the_mean_gap_moves_a_tenth_of_the_way(void **state)
{
    (void)state;
    assert_int_equal(routing_gap_mean(0, 8000), 8000);
    assert_int_equal(routing_gap_mean(8000, 18000), 9000);
    assert_int_equal(routing_gap_mean(8000, 3000), 7500);
}

/* rule 1.5: a night without chats says nothing of how fast a queue moves: a long gap counts as four means, a long mean as four handling times */
static void a_night_without_chats_promises_no_night_of_waiting(void **state)
{
    (void)state;
    assert_int_equal(routing_gap_mean(8000, 36000000), 10400);
    assert_int_equal(routing_gap_mean(8000, 32000), 10400);
    assert_int_equal(routing_eta_s(2, 36000000, 4, 240000), 480);
    assert_int_equal(routing_eta_s(2, 36000000, 0, 240000), 1920);
    assert_int_equal(routing_eta_s(2, 5000, 4, 0), 10); /* nothing known of handling: no limit */
}

/* rule 1.3: a rep without listed languages speaks all; a shopper who named none is understood by everybody */
static void no_listed_language_is_every_language(void **state)
{
    struct office o;

    (void)state;
    open_office(&o);
    people_list_add(&o.rep[0].languages, STR("zh"));
    assert_string_equal(choose(&o), "r_a");
    assert_string_equal(why(&o, 1), "less_idle");
    o.need.language = STR("zh-CN");
    o.rep[0].load = 1;
    assert_string_equal(choose(&o), "r_b");
    assert_string_equal(why(&o, 0), "busier");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(classes_come_in_order_and_waiting_overtakes_them),
        cmocka_unit_test(nobody_is_overtaken_after_the_largest_head_start),
        cmocka_unit_test(a_queue_of_random_arrivals_keeps_the_bound),
        cmocka_unit_test(class_names_go_both_ways),
        cmocka_unit_test(whoever_cannot_take_it_is_told_apart_by_reason),
        cmocka_unit_test(strangers_to_the_department_are_not_candidates),
        cmocka_unit_test(least_loaded_then_longest_idle_then_smallest_id),
        cmocka_unit_test(the_choice_does_not_depend_on_the_order_of_the_list),
        cmocka_unit_test(the_owner_comes_first_when_able),
        cmocka_unit_test(a_language_nobody_speaks_is_not_asked_for),
        cmocka_unit_test(a_language_is_not_asked_for_for_the_sake_of_somebody_unskilled),
        cmocka_unit_test(who_passed_it_comes_back_only_when_nobody_else_is_left),
        cmocka_unit_test(just_declined_it_is_not_for_those_who_passed_it),
        cmocka_unit_test(when_all_have_passed_it_goes_round),
        cmocka_unit_test(candidates_are_written_with_their_reasons),
        cmocka_unit_test(the_expected_wait_follows_the_position),
        cmocka_unit_test(the_mean_gap_moves_a_tenth_of_the_way),
        cmocka_unit_test(a_night_without_chats_promises_no_night_of_waiting),
        cmocka_unit_test(no_listed_language_is_every_language),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

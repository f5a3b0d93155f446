/* What the rules know of staff: accounts and shifts folded from a person's log. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "people/people.h"

static struct entry entry_of(enum kind kind, int64_t seq, int64_t at_ms)
{
    struct entry e;

    entry_init(&e, kind);
    e.seq = seq;
    e.at_ms = at_ms;
    return e;
}

static struct people_rep ann(void)
{
    struct people_rep p = {.id = "r_ann"};
    struct entry e = entry_of(KIND_ACCOUNT_CREATED, 1, 1000);

    e.f[FIELD_LOGIN] = val_s("ann");
    e.f[FIELD_NAME] = val_s("Ann");
    e.f[FIELD_ROLES] = val_json(STR("[\"rep\",\"lead\"]"));
    e.f[FIELD_DEPARTMENTS] = val_json(STR("[\"returns\",\"general\"]"));
    e.f[FIELD_LANGUAGES] = val_json(STR("[\"zh-CN\"]"));
    people_apply(&p, &e);
    return p;
}

/* people: an account is what its log says last; what an entry doesn't name stays */
static void an_account_is_folded_from_its_log(void **state)
{
    struct people_rep p = ann();
    struct entry e = entry_of(KIND_ACCOUNT_CHANGED, 2, 2000);

    (void)state;
    assert_int_equal(p.roles, ROLE_REP | ROLE_LEAD);
    assert_int_equal(p.capacity, PEOPLE_CAPACITY_DEFAULT);
    assert_int_equal(p.shift, SHIFT_OFF);
    assert_true(people_is_in(&p, STR("returns")));
    assert_false(people_is_in(&p, STR("return")));
    e.f[FIELD_DEPARTMENTS] = val_json(STR("[\"repairs\"]"));
    people_apply(&p, &e);
    assert_false(people_is_in(&p, STR("returns")));
    assert_true(people_is_in(&p, STR("repairs")));
    assert_string_equal(p.name, "Ann");
    assert_int_equal(p.version, 2);
}

/* rule 1.3: available is: on shift, present, not disabled, and somebody who takes chats */
static void only_a_rep_on_shift_and_present_is_available(void **state)
{
    static const struct {
        const char *what;
        enum shift shift;
        bool is_present, disabled;
        unsigned roles;
        bool available;
    } rows[] = {
        {"on shift, present", SHIFT_ON, true, false, ROLE_REP, true},
        {"a lead", SHIFT_ON, true, false, ROLE_LEAD, true},
        {"paused", SHIFT_PAUSED, true, false, ROLE_REP, false},
        {"off", SHIFT_OFF, true, false, ROLE_REP, false},
        {"away", SHIFT_ON, false, false, ROLE_REP, false},
        {"disabled", SHIFT_ON, true, true, ROLE_REP, false},
        {"quality manager", SHIFT_ON, true, false, ROLE_QA, false},
        {"administrator", SHIFT_ON, true, false, ROLE_ADMIN | ROLE_EDITOR, false},
    };

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct people_rep p = {.shift = rows[i].shift, .is_present = rows[i].is_present, .disabled = rows[i].disabled,
                               .roles = rows[i].roles};

        if (people_is_available(&p) != rows[i].available)
            fail_msg("%s", rows[i].what);
    }
}

/* rule 1.3: below own capacity, in weights */
static void room_is_capacity_minus_load(void **state)
{
    struct people_rep p = {.capacity = 2, .load = 1};

    (void)state;
    assert_true(people_has_room(&p, 1));
    assert_false(people_has_room(&p, 2));
    p.load = 2;
    assert_false(people_has_room(&p, 1));
}

/* rule 2.9: a shift starts, pauses and ends; starting it again forgets the missed offers */
static void a_shift_follows_its_entries(void **state)
{
    struct people_rep p = ann();
    struct entry e = entry_of(KIND_SHIFT_STARTED, 2, 5000);

    (void)state;
    p.missed = 3;
    e.f[FIELD_CAPACITY] = val_int(6);
    people_apply(&p, &e);
    assert_int_equal(p.shift, SHIFT_ON);
    assert_int_equal(p.capacity, 6);
    assert_int_equal(p.missed, 0);
    assert_int_equal(p.shift_since_ms, 5000);
    e = entry_of(KIND_SHIFT_STARTED, 3, 6000);
    people_apply(&p, &e);
    assert_int_equal(p.shift_since_ms, 5000);
    assert_int_equal(p.capacity, 6);
    e = entry_of(KIND_SHIFT_PAUSED, 4, 7000);
    people_apply(&p, &e);
    assert_int_equal(p.shift, SHIFT_PAUSED);
    assert_int_equal(p.shift_since_ms, 7000);
    e = entry_of(KIND_SHIFT_ENDED, 5, 8000);
    people_apply(&p, &e);
    assert_int_equal(p.shift, SHIFT_OFF);
    assert_string_equal(shift_name(p.shift), "off");
}

/* rule 1.4: why it was paused is said until it goes on; a change of the account leaves the password, and what was signed in with it */
static void what_an_entry_does_not_change_stays(void **state)
{
    struct people_rep p = ann();
    struct entry e = entry_of(KIND_ACCOUNT_CHANGED, 2, 2000);

    (void)state;
    e.f[FIELD_PASSWORD] = val_s("$argon2id$other");
    people_apply(&p, &e);
    assert_int_equal(p.password_version, 2);
    e = entry_of(KIND_ACCOUNT_CHANGED, 3, 3000);
    e.f[FIELD_NAME] = val_s("Ann B.");
    people_apply(&p, &e);
    assert_int_equal(p.password_version, 2);
    assert_string_equal(p.password, "$argon2id$other");
    e = entry_of(KIND_SHIFT_PAUSED, 4, 4000);
    e.f[FIELD_WHY] = val_s("missed");
    people_apply(&p, &e);
    assert_string_equal(p.pause_why, "missed");
    e = entry_of(KIND_SHIFT_STARTED, 5, 5000);
    people_apply(&p, &e);
    assert_string_equal(p.pause_why, "");
}

/* rule 1.3: nobody takes more chats at once than the limit, nor none at all */
static void capacity_stays_within_its_limits(void **state)
{
    static const int64_t rows[][2] = {{1, 1}, {1000, 1000}, {1001, 1000}, {0, 4}, {-5, 4}};

    (void)state;
    for (unsigned i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct people_rep p = ann();
        struct entry e = entry_of(KIND_SHIFT_STARTED, 2, 5000);

        e.f[FIELD_CAPACITY] = val_int(rows[i][0]);
        people_apply(&p, &e);
        assert_int_equal(p.capacity, rows[i][1]);
    }
}

/* people: a list holds each word once, is bounded, and takes no word that is empty or too long */
static void a_list_holds_each_word_once_and_is_bounded(void **state)
{
    struct people_list l = {0};
    char word[80];

    (void)state;
    assert_true(people_list_add(&l, STR("zh")));
    assert_true(people_list_add(&l, STR("zh")));
    assert_int_equal(l.n, 1);
    assert_false(people_list_add(&l, STR("")));
    memset(word, 'x', sizeof word);
    assert_false(people_list_add(&l, (struct str){word, PEOPLE_ITEM_BYTES}));
    assert_true(people_list_add(&l, (struct str){word, PEOPLE_ITEM_BYTES - 1}));
    while (l.n < PEOPLE_LIST_MAX) {
        struct str w = {word, l.n};

        assert_true(people_list_add(&l, w));
    }
    assert_false(people_list_add(&l, STR("one more")));
}

/* people: a name that is too long is cut between characters */
static void a_long_name_is_cut_between_characters(void **state)
{
    struct people_rep p = {.id = "r_ann"};
    struct entry e = entry_of(KIND_ACCOUNT_CREATED, 1, 1000);
    char name[300];

    (void)state;
    for (unsigned i = 0; i < sizeof name; i += 3)
        memcpy(name + i, "李", 3);
    e.f[FIELD_NAME] = val_str((struct str){name, sizeof name});
    people_apply(&p, &e);
    assert_int_equal(strlen(p.name), 255);
    assert_true(utf8_is_valid(str_of(p.name)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_account_is_folded_from_its_log),
        cmocka_unit_test(only_a_rep_on_shift_and_present_is_available),
        cmocka_unit_test(room_is_capacity_minus_load),
        cmocka_unit_test(a_shift_follows_its_entries),
        cmocka_unit_test(capacity_stays_within_its_limits),
        cmocka_unit_test(a_list_holds_each_word_once_and_is_bounded),
        cmocka_unit_test(a_long_name_is_cut_between_characters),
        cmocka_unit_test(what_an_entry_does_not_change_stays),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* The table of shoppers with connections here, against a list that is gone through. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "app/app_room.h"

#define CONNS_N  600
#define PEOPLE_N 300
#define STEPS    60000

struct kit {
    struct app app;
    struct conn *conn[CONNS_N];
    bool is_in[CONNS_N];
};

static int setup(void **state)
{
    struct kit *k = calloc(1, sizeof *k);
    struct err err = {.text = ""};

    if (crypto_start(&err) < 0)
        return -1;
    for (unsigned i = 0; i < CONNS_N; i++) {
        k->conn[i] = calloc(1, sizeof **k->conn);
        k->conn[i]->app = &k->app;
        snprintf(k->conn[i]->person, ID_SIZE, "s_%u", i % PEOPLE_N);
    }
    *state = k;
    return 0;
}

static int teardown(void **state)
{
    struct kit *k = *state;

    guests_fini(&k->app);
    for (unsigned i = 0; i < CONNS_N; i++)
        free(k->conn[i]);
    free(k);
    return 0;
}

static unsigned connections(const struct kit *k, unsigned person)
{
    unsigned n = 0;

    for (unsigned i = person; i < CONNS_N; i += PEOPLE_N)
        n += k->is_in[i];
    return n;
}

static void check_person(const struct kit *k, unsigned person)
{
    char id[ID_SIZE];
    unsigned n = 0;

    snprintf(id, sizeof id, "s_%u", person);
    for (const struct conn *c = guest_conns(&k->app, str_of(id)); c; c = c->next_of_person) {
        assert_string_equal(c->person, id);
        n++;
    }
    assert_int_equal(n, connections(k, person));
}

static void check_all(const struct kit *k)
{
    uint32_t bucket = 0;
    unsigned people = 0, seen = 0;

    for (unsigned p = 0; p < PEOPLE_N; p++) {
        check_person(k, p);
        people += connections(k, p) > 0;
    }
    for (struct conn *c = NULL; (c = guest_next(&k->app, &bucket, c));)
        seen++;
    assert_int_equal(seen, people);
    assert_int_equal(k->app.guests.n, people);
}

static void they_are_found_by_person_whoever_comes_and_goes(void **state)
{
    struct kit *k = *state;

    srandom(7);
    for (unsigned step = 0; step < STEPS; step++) {
        unsigned i = (unsigned)random() % CONNS_N;
        bool fills = step / (STEPS / 4) % 2 == 0; /* it fills, empties, fills and empties */

        if (k->is_in[i] != fills) {
            if (fills)
                guest_add(k->conn[i]);
            else
                assert_true(guest_remove(k->conn[i]));
            k->is_in[i] = fills;
            check_person(k, i % PEOPLE_N);
        }
        if (step % 1000 == 0)
            check_all(k);
    }
    for (unsigned i = 0; i < CONNS_N; i++)
        assert_int_equal(guest_remove(k->conn[i]), k->is_in[i]);
    assert_int_equal(k->app.guests.n, 0);
    assert_true(k->app.guests.cap <= 64); /* what many took is given back */
}

static void presence_is_the_persons_not_the_connections(void **state)
{
    struct kit *k = *state;
    struct conn *one = k->conn[5], *other = k->conn[5 + PEOPLE_N];

    guest_add(one);
    one->is_joined = true;
    guest_add(other);
    assert_true(guest_conns(&k->app, STR("s_5"))->is_joined);
    assert_true(guest_remove(guest_conns(&k->app, STR("s_5"))));
    assert_true(guest_conns(&k->app, STR("s_5"))->is_joined);
    assert_true(guest_remove(guest_conns(&k->app, STR("s_5"))));
    assert_null(guest_conns(&k->app, STR("s_5")));
    guest_add(one);
    assert_false(one->is_joined);
    assert_true(guest_remove(one));
    assert_false(guest_remove(one));
    assert_null(guest_conns(&k->app, STR("")));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(they_are_found_by_person_whoever_comes_and_goes, setup, teardown),
        cmocka_unit_test_setup_teardown(presence_is_the_persons_not_the_connections, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}

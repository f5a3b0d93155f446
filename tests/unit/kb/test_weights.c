/* The learner's weights: features that always stood together share them until an example tells them apart. */
#include "kb/kb_kit.h"
#include "kb/kb_learn.h"

enum { CAT, DOG, BIRD, CLASSES_N };

/* A text of so many features, each once. */
static struct kb_features text_of(const uint32_t *hash, unsigned n)
{
    struct kb_features f;

    kb_features_reset(&f);
    for (unsigned i = 0; i < n; i++)
        f.v[f.n++] = (struct kb_feature){.hash = hash[i], .kind = KB_F_WORD, .tf = 1};
    return f;
}

static void teach(struct kb_learn *l, const uint32_t *hash, unsigned n, unsigned class)
{
    struct kb_features f = text_of(hash, n);

    kb_learn_add(l, &f, class, 1);
    kb_learn_step_last(l);
}

static void score(struct kb_learn *l, uint32_t hash, float out[CLASSES_N])
{
    struct kb_features f = text_of(&hash, 1);

    kb_learn_score(l, &f, out);
}

static void features_that_always_stood_together_weigh_the_same(void **state)
{
    static const uint32_t together[] = {11, 12, 13};
    struct kb_learn *l = kb_learn_create(&kb_tuning_default, CLASSES_N);
    float one[CLASSES_N], other[CLASSES_N];

    (void)state;
    teach(l, together, 3, CAT);
    teach(l, (uint32_t[]){21}, 1, DOG);
    kb_learn_pass(l);
    score(l, 11, one);
    score(l, 13, other);
    assert_memory_equal(one, other, sizeof one);
    assert_true(one[CAT] > one[DOG]);
    kb_learn_destroy(l);
}

static void an_example_with_some_of_them_moves_those_alone(void **state)
{
    static const uint32_t together[] = {11, 12, 13};
    struct kb_learn *l = kb_learn_create(&kb_tuning_default, CLASSES_N);
    float before[CLASSES_N], apart[CLASSES_N], left[CLASSES_N], with[CLASSES_N];

    (void)state;
    teach(l, together, 3, CAT);
    score(l, 12, before);
    teach(l, (uint32_t[]){12, 31}, 2, DOG);
    score(l, 12, apart);
    score(l, 11, left);
    score(l, 13, with);
    assert_true(apart[DOG] > before[DOG]);
    assert_memory_equal(left, before, sizeof left);
    assert_memory_equal(with, left, sizeof with);
    teach(l, together, 3, BIRD);
    score(l, 11, left);
    score(l, 13, with);
    score(l, 12, apart);
    assert_memory_equal(with, left, sizeof with);
    assert_memory_not_equal(apart, left, sizeof apart);
    kb_learn_destroy(l);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(features_that_always_stood_together_weigh_the_same),
        cmocka_unit_test(an_example_with_some_of_them_moves_those_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

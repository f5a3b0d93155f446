#include "kb/kb_tuning.h"

const struct kb_tuning kb_tuning_default = {
    /*             word  pair  chars gram1 gram2 gram3 sense */
    .learn_kind = {1.0f, 1.0f, 0.5f, 1.0f, 1.0f, 0.0f, 1.0f},
    .gram_kind = {0.0f, 0.0f, 1.0f, 0.3f, 1.0f, 1.0f, 0.0f},
    .rate = 0.5f,
    .gradient_min = 0.01f,
    .seed_weight = 1.0f,
    .title_weight = 1.0f,
    .seed_passes = 10,
    .replays = 10,
    .bm_title = 4,
    .bm_body = 1,
    .bm_asked = 1.5f,
    .asked_max = 50,
    .gram_k1 = 1.2f,
    .gram_b = 0.75f,
    .gram_title = 2,
    .gram_asked = 1,
    .mix_learn = 1,
    .mix_words = 0.5f,
    .mix_grams = 0.5f,
    .sharp_learn = 2,
    .sharp_words = 10,
    .sharp_grams = 10,
};

/*
 * kb_tuning: every number that was chosen by measuring, in one place.
 *
 * Chosen on public question sets in English and Chinese with each set left out in turn: a value stands here
 * only if it helps on most of them. `firstline kb eval` and `kb bench` measure a change.
 */
#ifndef KB_TUNING_H
#define KB_TUNING_H

struct kb_tuning {
    /* features → tf-idf, by kind (enum kb_feature_kind) */
    float learn_kind[13];            /* weight of a kind for the learner */
    float gram_kind[13];             /* and for the gram index; 0: not used */
    float common_learn[13]; /* what a feature of common words counts for the learner, by kind; others: 1 */
    float common_gram;      /* and in the index */
    float mended;           /* what a feature counts that comes from what may have been meant */
    float share_grams, share_power; /* in the index one of n character grams of a word counts (share_grams / n) ^ share_power */
    float known_power; /* and (1 + articles that have the word) ^ -known_power of that */
    /* learner */
    float rate;         /* AdaGrad's */
    float ada_start;    /* G of a new weight: the larger, the smaller first steps are */
    float idf_power;    /* of the learner's idf */
    float gradient_min; /* smaller ones are not worth a step */
    float seed_weight;  /* of a sentence of the body, an accept being 1 */
    float title_weight;
    float seed_passes;   /* how often titles, questions and sentences are gone through at the start */
    float none_weight;   /* of what no article answers (kb_none) */
    float reject_weight; /* of a rejected suggestion's example against its class */
    float replays, replays_many; /* old examples gone through again after each mark; once there are many */
    float many;                  /* accepts */
    /* gram index */
    float gram_k1, gram_b, gram_title, gram_asked;
    /* mix */
    float mix_learn, mix_grams; /* weights of the two; of the learner: where nobody asked anything yet */
    float mix_bare;             /* and where articles have neither titles nor questions */
    float seen_power;           /* the learner's weight falls with the share of the text that it has seen, to this power */
    float norm_learn;           /* 1: words never seen take their share of the text's length */
    float grow_learn;           /* mix_learn grows by this times log(1 + what was asked per class) */
    float sharp_learn, sharp_grams;
};

extern const struct kb_tuning kb_tuning_default;

#endif

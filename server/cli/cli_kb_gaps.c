/*
 * `firstline kb gaps DIR`: how well questions are grouped that nobody could answer (kb_gaps), on questions
 * whose article is known.
 *
 * Takes the first thousand of DIR/queries.jsonl in a random order from a fixed seed, or the questions of the
 * shop's own articles, and prints the pairwise F1: of all pairs, how many stand in one group and are of one
 * article. Beside it single link on the same and on plain words' tf-idf, each at the threshold that suits it
 * best; exit 1 unless ours, at its own, is above both.
 */
#include "cli/cli_kb.h"

#include <stdlib.h>

#include "kb/kb_features.h"
#include "kb/kb_gaps.h"

#define QUESTIONS 1000
#define SEED      0x9E3779B97F4A7C15ull

struct asked {
    char **text, **article;
    unsigned n, cap;
};

static void asked_fini(struct asked *a)
{
    for (unsigned i = 0; i < a->n; i++) {
        free(a->text[i]);
        free(a->article[i]);
    }
    free(a->text);
    free(a->article);
}

static void add_asked(void *ctx, const char *article, const char *text)
{
    struct asked *a = ctx;

    if (a->n == a->cap) {
        a->cap = a->cap ? 2 * a->cap : 256;
        a->text = mem_realloc(a->text, a->cap * sizeof *a->text);
        a->article = mem_realloc(a->article, a->cap * sizeof *a->article);
    }
    a->text[a->n] = mem_strdup(text);
    a->article[a->n++] = mem_strdup(article);
}

static void shuffle(struct asked *a)
{
    uint64_t random = SEED;

    for (unsigned i = a->n; i > 1; i--) {
        char *text = a->text[i - 1], *article = a->article[i - 1];
        unsigned j;

        random ^= random >> 12, random ^= random << 25, random ^= random >> 27;
        j = (unsigned)(((random * 0x2545F4914F6CDD1Dull) >> 32) * i >> 32);
        a->text[i - 1] = a->text[j], a->article[i - 1] = a->article[j];
        a->text[j] = text, a->article[j] = article;
    }
}

static double pairwise_f1(const struct asked *a, unsigned n, const unsigned *group)
{
    unsigned long both = 0, grouped = 0, same = 0;

    for (unsigned i = 0; i < n; i++) {
        for (unsigned k = 0; k < i; k++) {
            bool s = strcmp(a->article[i], a->article[k]) == 0, g = group[i] == group[k];

            both += s && g, grouped += g, same += s;
        }
    }
    return grouped + same ? 2 * (double)both / (double)(grouped + same) : 0;
}

/* The best that single link reaches at any threshold. */
static double single_link(const struct asked *a, const struct str *questions, unsigned n, const float *kinds,
                          unsigned *group)
{
    float *sim = kb_gaps_similar(questions, n, kinds), *work = mem_alloc((size_t)n * n * sizeof *work + 1);
    double best = 0;

    for (int t = 1; t < 50; t++) {
        double f1;

        memcpy(work, sim, (size_t)n * n * sizeof *work);
        kb_gaps_join(work, n, KB_GAPS_SINGLE, (float)t * 0.02f, group);
        f1 = pairwise_f1(a, n, group);
        best = f1 > best ? f1 : best;
    }
    free(work);
    free(sim);
    return best;
}

static bool measure(const struct asked *a, const char *name, const struct cli_kb_env *env)
{
    static const float words[KB_F_N] = {[KB_F_WORD] = 1, [KB_F_GRAM2] = 1};
    unsigned n = a->n < QUESTIONS ? a->n : QUESTIONS;
    struct str *questions = mem_alloc((n + 1) * sizeof *questions);
    unsigned *group = mem_alloc((n + 1) * sizeof *group), *middle = mem_alloc((n + 1) * sizeof *middle);
    double ours, single, plain;
    int groups;

    for (unsigned i = 0; i < n; i++)
        questions[i] = str_of(a->text[i]);
    groups = kb_gaps_group(questions, n, group, middle, NULL);
    ours = pairwise_f1(a, n, group);
    single = single_link(a, questions, n, NULL, group);
    plain = single_link(a, questions, n, words, group);
    fprintf(env->out,
            "gaps %s: %u questions in %d groups, pairwise F1 %.3f; single link on the same %.3f, on words' "
            "tf-idf %.3f, at their best thresholds\n",
            name, n, groups, ours, single, plain);
    free(questions);
    free(group);
    free(middle);
    return ours > single && ours > plain;
}

int cli_kb_gaps(const char *dir, const struct cli_kb_env *env)
{
    struct asked a = {0};
    struct err err = {0};
    int rc = cli_kb_each_asked(dir, add_asked, &a, &err);
    bool good = false;

    if (rc < 0) {
        fprintf(env->err, "firstline: %s\n", err_why(&err));
    } else {
        shuffle(&a);
        good = measure(&a, dir, env);
    }
    asked_fini(&a);
    return good ? 0 : 1;
}

#include "kb/kb_set.h"

#include <math.h>
#include <stdlib.h>

#include "base/base_crypto.h"
#include "base/base_map.h"
#include "kb/kb_confidence.h"
#include "kb/kb_features.h"
#include "kb/kb_grams.h"
#include "kb/kb_lang.h"
#include "kb/kb_learn.h"
#include "kb/kb_marks.h"
#include "kb/kb_none.h"
#include "kb/kb_rank.h"
#include "kb/kb_spelling.h"
#include "kb/kb_synonyms.h"

#define SENTENCES_MAX    48 /* of a body become examples */
#define SENTENCE_BYTES   600
#define SEED_WORK_MAX 100000000 /* examples × classes of all passes at the start; above it grams alone know the articles */
#define DOC_NONE         UINT32_MAX
#define MENDED_BYTES     (8 * KB_QUESTION_BYTES) /* a question, folded */
#define EXACT_CONFIDENCE 0.9

/* What each query looks at stands here, not behind the pointer: ten thousand articles lie far apart. */
struct doc {
    struct kb_article *article;
    int64_t valid_from_ms, valid_until_ms; /* the article's */
    uint32_t class;
    uint32_t next; /* the class's next version, or DOC_NONE */
    uint16_t lang; /* in the set's langs */
    bool for_reps; /* only */
};

struct kb_set {
    const struct kb_tuning *t;
    struct doc *docs;
    unsigned docs_n, classes_n;
    struct kb_langs langs;
    unsigned accepts;   /* taken in */
    unsigned titled;    /* documents with a title or questions */
    uint32_t *first;    /* first document of each class */
    struct map classes; /* id → &first[class] */
    struct kb_learn *learn;
    struct kb_grams *grams;
    struct kb_synonyms *synonyms; /* or NULL */
    struct kb_spelling *spelling;
    struct kb_marks marks;
    struct kb_calibration calibration;
    uint64_t base, chain, taken; /* kb_state.h; taken: marks */
    /* scratch of one query */
    struct kb_features features;
    struct buf mended;
    float *scores_learn, *scores_grams, *p;
    bool *allowed;
};

void kb_set_destroy(struct kb_set *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->docs_n; i++)
        kb_article_unref(s->docs[i].article);
    free(s->docs);
    kb_langs_fini(&s->langs);
    free(s->first);
    map_fini(&s->classes);
    kb_learn_destroy(s->learn);
    kb_grams_destroy(s->grams);
    kb_synonyms_destroy(s->synonyms);
    kb_spelling_destroy(s->spelling);
    buf_fini(&s->mended);
    kb_marks_fini(&s->marks);
    free(s->scores_learn);
    free(s->scores_grams);
    free(s->p);
    free(s->allowed);
    free(s);
}

static void add_docs(struct kb_set *s, struct kb_article **articles, unsigned n)
{
    s->docs = mem_zalloc(n * sizeof *s->docs);
    s->first = mem_alloc(n * sizeof *s->first);
    for (unsigned i = 0; i < n; i++) {
        struct doc *d = &s->docs[s->docs_n++];
        struct str id = str_of(articles[i]->id);
        uint32_t *first = map_get(&s->classes, id);

        d->article = kb_article_ref(articles[i]);
        d->valid_from_ms = articles[i]->valid_from_ms, d->valid_until_ms = articles[i]->valid_until_ms;
        d->lang = kb_langs_put(&s->langs, str_of(articles[i]->lang));
        d->for_reps = articles[i]->audience == KB_REP;
        d->next = first ? *first : DOC_NONE;
        if (!first) {
            first = &s->first[s->classes_n++];
            map_put(&s->classes, id, first);
        }
        *first = i;
        d->class = (uint32_t)(first - s->first);
    }
}

static void take_apart(struct kb_set *s, struct str text)
{
    kb_features_reset(&s->features);
    kb_features_add(&s->features, s->synonyms, text);
}

/* Adds to the question's features those of what it may have meant. What it is known by as a whole (hash_of_question) comes first:
 * other words are slips after each mark. */
static void mend(struct kb_set *s, struct str question)
{
    buf_reset(&s->mended);
    if (kb_spelling_mend(s->spelling, question, &s->mended))
        kb_features_add_mended(&s->features, s->synonyms, (struct str){s->mended.p, s->mended.n});
}

/* What was taken apart becomes an example, while there is room: what people teach needs none. */
static void add_seed(struct kb_set *s, unsigned class, float weight)
{
    if (kb_learn_examples(s->learn) < KB_EXAMPLES_MAX)
        kb_learn_add(s->learn, &s->features, class, weight);
}

/* Makes the text an example of the class, if it counts, and adds it to the class's grams. */
static void add_example(struct kb_set *s, struct str text, unsigned class, float weight, float grams)
{
    take_apart(s, text);
    kb_spelling_learn(s->spelling, text);
    if (weight > 0)
        add_seed(s, class, weight);
    kb_grams_add(s->grams, &s->features, class, grams);
}

/* Bytes of a mark that ends a sentence, at the beginning of s; 0: none is there. */
static size_t end_of_sentence(struct str s)
{
    /* of Chinese, Hindi and its neighbours, Arabic, Urdu, Burmese, Khmer, Ethiopic */
    static const char *const marks[] = {"。", "！", "？", "；", "।", "॥", "؟", "۔", "။", "។", "።"};
    unsigned char c = (unsigned char)s.s[0];

    if (c == '\n' || c == '!' || c == '?' || c == ';' || (c == '.' && (s.n == 1 || s.s[1] == ' ')))
        return 1;
    if (c < 0xC0)
        return 0;
    for (size_t i = 0; i < sizeof marks / sizeof marks[0]; i++) {
        size_t n = strlen(marks[i]);

        if (n <= s.n && memcmp(s.s, marks[i], n) == 0)
            return n;
    }
    return 0;
}

/* Bytes up to and with the end of the first sentence. What has no end (Thai) ends at a space: all of its features must fit. */
static size_t sentence_of(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        size_t n = end_of_sentence((struct str){s.s + i, s.n - i});

        if (n > 0)
            return i + n;
        if (i > SENTENCE_BYTES && s.s[i] == ' ')
            return i;
    }
    return s.n;
}

static void learn_doc(struct kb_set *s, const struct doc *d)
{
    const struct kb_article *a = d->article;
    struct str rest = str_of(a->text);

    s->titled += a->title[0] != 0 || a->questions_n > 0;

    add_example(s, str_of(a->title), d->class, s->t->title_weight, s->t->gram_title);
    for (unsigned k = 0; k < a->keywords_n; k++)
        add_example(s, str_of(a->keywords[k]), d->class, s->t->title_weight, s->t->gram_title);
    for (unsigned k = 0; k < a->questions_n; k++)
        add_example(s, str_of(a->questions[k]), d->class, 1, s->t->gram_asked);
    for (unsigned k = 0; rest.n > 0; k++) {
        size_t n = sentence_of(rest);

        add_example(s, (struct str){rest.s, n}, d->class, k < SENTENCES_MAX ? s->t->seed_weight : 0, 1);
        rest.s += n, rest.n -= n;
    }
}

static void learn_none(void *ctx, struct str text)
{
    struct kb_set *s = ctx;

    take_apart(s, text);
    add_seed(s, s->classes_n, s->t->none_weight);
}

static uint64_t digest(const struct kb_set *s)
{
    uint64_t v = kb_learn_digest(s->learn);
    uint32_t n[3] = {s->classes_n, s->docs_n, s->accepts};
    struct str parts[] = {{(const char *)&v, sizeof v}, {(const char *)s->t, sizeof *s->t}, {(const char *)n, sizeof n}};

    v = crypto_short_digest_parts(parts, sizeof parts / sizeof parts[0]);
    for (unsigned i = 0; i < s->docs_n; i++)
        v = crypto_short_digest_parts((struct str[]){{(const char *)&v, sizeof v}, str_of(s->docs[i].article->id)}, 2);
    return v;
}

static void know_synonym(void *ctx, struct str phrase, uint32_t group)
{
    (void)group;
    kb_spelling_learn(ctx, phrase);
}

struct kb_set *kb_set_create(const struct kb_tuning *t, struct kb_article **articles, unsigned n,
                             struct str synonyms)
{
    struct kb_set *s = mem_zalloc(sizeof *s);

    s->t = t;
    s->synonyms = kb_synonyms_create(synonyms);
    s->spelling = kb_spelling_create();
    kb_synonyms_each(synonyms, know_synonym, s->spelling);
    buf_init(&s->mended, MENDED_BYTES);
    map_init(&s->classes);
    kb_marks_init(&s->marks);
    add_docs(s, articles, n);
    s->learn = kb_learn_create(t, s->classes_n + 1);
    s->grams = kb_grams_create(t, s->classes_n);
    s->scores_learn = mem_alloc((s->classes_n + 1) * sizeof(float));
    s->scores_grams = mem_alloc(s->classes_n * sizeof(float));
    s->p = mem_alloc(s->classes_n * sizeof(float));
    s->allowed = mem_alloc(s->classes_n * sizeof(bool));
    for (unsigned i = 0; i < n; i++)
        learn_doc(s, &s->docs[i]);
    if (t->none_weight > 0)
        kb_none_each(learn_none, s);
    s->base = digest(s);
    return s;
}

void kb_set_learn(struct kb_set *s)
{
    for (unsigned i = 0; i < (unsigned)s->t->seed_passes && (uint64_t)(i + 1) * kb_learn_examples(s->learn) * s->classes_n < SEED_WORK_MAX; i++)
        kb_learn_pass(s->learn);
}

bool kb_set_has(const struct kb_set *s, struct str id)
{
    return map_get(&s->classes, id) != NULL;
}

unsigned kb_set_ids(const struct kb_set *s)
{
    return s->classes_n;
}

unsigned kb_set_versions(const struct kb_set *s)
{
    return s->docs_n;
}

/* The version to show (or to teach): the language wanted of langs, else English, else any. */
static unsigned version_of(const struct kb_set *s, unsigned class, const struct kb_filter *f)
{
    unsigned best = DOC_NONE;
    int best_rank = -1;

    for (uint32_t i = s->first[class]; i != DOC_NONE; i = s->docs[i].next) {
        const struct doc *d = &s->docs[i];
        int rank = s->langs.fit[d->lang];

        if (f && ((f->audience == KB_SHOPPER && d->for_reps) ||
                  (f->now_ms > 0 && (f->now_ms < d->valid_from_ms || f->now_ms >= d->valid_until_ms))))
            continue;
        if (rank >= best_rank)
            best = i, best_rank = rank;
    }
    return best;
}

static uint32_t hash_of_question(const struct kb_features *f)
{
    uint32_t h = 2166136261u;

    for (unsigned i = 0; i < f->n; i++)
        h = (h ^ f->v[i].hash) * 16777619u + f->v[i].tf;
    return h;
}

static struct str bounded(const struct kb_set *s, struct str q)
{
    size_t max = s->classes_n > KB_MANY_ARTICLES ? KB_QUESTION_BYTES_OF_MANY : KB_QUESTION_BYTES;

    if (q.n > max) {
        q.n = max;
        while (q.n > 0 && ((unsigned char)q.s[q.n] & 0xC0) == 0x80)
            q.n--;
    }
    return q;
}

/* Features without those that were none when the confidence was fitted: of three words in a row, and first letters. */
static unsigned counted(const struct kb_features *f)
{
    unsigned n = 0;

    for (unsigned i = 0; i < f->n; i++)
        n += f->v[i].kind < KB_F_TRIPLE;
    return n;
}

/* What the scores of the question say of the class that came out first. */
static void read_signals(const struct kb_set *s, const struct kb_scores *scores, float seen, unsigned first,
                         struct kb_signals *out)
{
    float top = -INFINITY, sum = 0;

    for (unsigned c = 0; c < s->classes_n; c++)
        top = s->allowed[c] && s->scores_learn[c] > top ? s->scores_learn[c] : top;
    for (unsigned c = 0; c < s->classes_n; c++)
        sum += expf(s->scores_learn[c] - top);
    *out = (struct kb_signals){.first = s->p[first],
                               .learn = top,
                               .learn_sum = top + logf(sum),
                               .none = s->scores_learn[s->classes_n],
                               .grams = scores->grams_full > 0 ? s->scores_grams[first] / scores->grams_full
                                                               : 0,
                               .seen = seen,
                               .evidence = (float)s->accepts / (float)s->classes_n,
                               .features = counted(&s->features)};
}

/* Fills p from the question's features, and says what stands first. False if nothing is allowed. */
static bool score(struct kb_set *s, struct kb_signals *out)
{
    struct kb_scores scores = {.learn = s->scores_learn, .grams = s->scores_grams, .allowed = s->allowed, .n = s->classes_n};
    float seen = kb_learn_score(s->learn, &s->features, s->scores_learn);
    unsigned first;

    scores.grams_full = kb_grams_score(s->grams, &s->features, s->scores_grams);
    scores.titled = (float)s->titled / (float)s->docs_n;
    scores.seen = seen;
    scores.asked = scores.titled + (float)s->accepts / (float)s->classes_n;
    kb_rank_mix(s->t, &scores, s->p);
    if (kb_rank_top(s->p, s->classes_n, 1, &first) == 0)
        return false;
    read_signals(s, &scores, seen, first, out);
    return true;
}

/* Measures what the set would have said before it is told. */
static void calibrate(struct kb_set *s, unsigned class, enum kb_verdict verdict)
{
    struct kb_signals signals;
    unsigned first;

    for (unsigned c = 0; c < s->classes_n; c++)
        s->allowed[c] = true;
    if (!score(s, &signals))
        return;
    kb_rank_top(s->p, s->classes_n, 1, &first);
    if (verdict == KB_ACCEPTED)
        kb_confidence_accepted(&s->calibration, &signals, first == class);
    else if (first == class)
        kb_confidence_rejected(&s->calibration, &signals);
}

/* Takes in what a mark says, but for what it teaches; its features stay in s->features. True if it may teach. */
static bool take_in(struct kb_set *s, const struct kb_mark *m, unsigned class)
{
    uint32_t hash;

    kb_marks_take(&s->marks, m);
    s->chain = kb_state_chain(s->chain, m);
    s->taken++;
    take_apart(s, bounded(s, m->question));
    if (s->features.n == 0)
        return false;
    hash = hash_of_question(&s->features);
    if (m->verdict == KB_ACCEPTED)
        kb_marks_accept(&s->marks, hash, class);
    else
        kb_marks_reject(&s->marks, hash, class);
    if (!kb_marks_count(&s->marks, m->who, class, hash))
        return false;
    mend(s, bounded(s, m->question));
    return true;
}

/* What was taken in becomes an example, and part of the class's text; its words are known then. */
static void add_mark(struct kb_set *s, const struct kb_mark *m, unsigned class)
{
    kb_learn_add(s->learn, &s->features, class, m->verdict == KB_ACCEPTED ? 1 : -s->t->reject_weight);
    if (m->verdict == KB_ACCEPTED) {
        kb_spelling_learn(s->spelling, bounded(s, m->question));
        kb_grams_add(s->grams, &s->features, class, s->t->gram_asked);
        s->accepts++;
    }
}

int kb_set_mark(struct kb_set *s, const struct kb_mark *m, struct err *err)
{
    uint32_t *first = map_get(&s->classes, m->article), class;

    if (!first)
        return err_set(err, ERR_NOT_FOUND, "no article %.*s", STR_FMT(m->article));
    class = (uint32_t)(first - s->first);
    if (!take_in(s, m, class))
        return 0;
    calibrate(s, class, m->verdict);
    add_mark(s, m, class);
    kb_learn_step_last(s->learn);
    return (int)(s->accepts <= s->t->many ? s->t->replays : s->t->replays_many);
}

void kb_set_note(struct kb_set *s, const struct kb_mark *m)
{
    uint32_t *first = map_get(&s->classes, m->article), class = first ? (uint32_t)(first - s->first) : 0;

    if (first && take_in(s, m, class))
        add_mark(s, m, class);
}

void kb_set_head(const struct kb_set *s, struct kb_state_head *out)
{
    *out = (struct kb_state_head){.base = s->base, .chain = s->chain, .whole = digest(s), .marks = s->taken};
}

void kb_set_write(const struct kb_set *s, struct kb_io *io)
{
    kb_io_put(io, &s->calibration, sizeof s->calibration);
    kb_learn_write(s->learn, io);
}

bool kb_set_read(struct kb_set *s, struct kb_io *io)
{
    return kb_io_get(io, &s->calibration, sizeof s->calibration) && kb_learn_read(s->learn, io);
}

uint64_t kb_set_steps(const struct kb_set *s)
{
    return kb_learn_steps(s->learn);
}

bool kb_set_knows(const struct kb_set *s, const struct kb_mark *m)
{
    return kb_marks_has(&s->marks, m);
}

void kb_set_replay(struct kb_set *s)
{
    kb_learn_replay(s->learn, 1);
}

static void fill_hit(const struct kb_set *s, unsigned doc, double confidence, struct kb_hit *out)
{
    struct kb_article *a = kb_article_ref(s->docs[doc].article);

    *out = (struct kb_hit){a->id, a->lang, a->title, a->text, a->html, confidence, a};
}

/* What was accepted for the very same words comes first. Returns whether there is such a class. */
static bool put_exact_first(struct kb_set *s, uint32_t question)
{
    uint32_t class = kb_marks_accepted(&s->marks, question);
    unsigned first;

    if (class == KB_CLASS_NONE || !s->allowed[class])
        return false;
    kb_rank_top(s->p, s->classes_n, 1, &first);
    s->p[class] = fmaxf(s->p[class], 1.01f * s->p[first]);
    return true;
}

unsigned kb_set_suggest(struct kb_set *s, struct str question, const struct kb_filter *filter, unsigned max,
                        struct kb_hit out[])
{
    struct kb_signals signals;
    unsigned top[KB_HITS_MAX], n;
    double confidence;
    uint32_t hash;

    question = bounded(s, question);
    kb_langs_want(&s->langs, filter->lang.n > 0 ? filter->lang : kb_lang_of(question));
    take_apart(s, question);
    if (s->features.n == 0)
        return 0;
    hash = hash_of_question(&s->features);
    mend(s, question);
    for (unsigned c = 0; c < s->classes_n; c++)
        s->allowed[c] = version_of(s, c, filter) != DOC_NONE;
    if (!score(s, &signals))
        return 0;
    confidence = kb_confidence(&s->calibration, &signals);
    if (put_exact_first(s, hash))
        confidence = fmax(confidence, EXACT_CONFIDENCE);
    n = kb_rank_top(s->p, s->classes_n, max < KB_HITS_MAX ? max : KB_HITS_MAX, top);
    /* each as likely, beside the first, as the mix says */
    for (unsigned i = 0; i < n; i++)
        fill_hit(s, version_of(s, top[i], filter), confidence * s->p[top[i]] / s->p[top[0]], &out[i]);
    return n;
}

int kb_set_find(struct kb_set *s, struct str id, struct str lang, struct kb_hit *out)
{
    uint32_t *first = map_get(&s->classes, id);

    if (!first)
        return ERR_NOT_FOUND;
    kb_langs_want(&s->langs, lang);
    fill_hit(s, version_of(s, (unsigned)(first - s->first), NULL), 1, out);
    return 0;
}

#include "kb/kb_set.h"

#include <math.h>
#include <stdlib.h>

#include "base/base_map.h"
#include "kb/kb_features.h"
#include "kb/kb_grams.h"
#include "kb/kb_index.h"
#include "kb/kb_lang.h"
#include "kb/kb_learn.h"
#include "kb/kb_rank.h"
#include "kb/kb_rows.h"
#include "kb/kb_synonyms.h"

#define SENTENCES_MAX 48  /* of a body become examples */
#define DOC_NONE UINT32_MAX
#define ASKED_MAX 256
#define TEXT_BYTES (512 * 1024)

struct doc {
    struct kb_article *article;
    uint32_t class;
    uint32_t next; /* the class's next version, or DOC_NONE */
    char **asked;  /* accepted questions, the newest last */
    unsigned asked_n;
};

struct kb_set {
    const struct kb_tuning *t;
    struct doc *docs;
    unsigned docs_n, classes_n;
    unsigned accepts;      /* taken in */
    uint32_t *first;       /* first document of each class */
    struct map classes;    /* id → &first[class] */
    struct kb_index *index;
    struct kb_learn *learn;
    struct kb_grams *grams;
    struct kb_synonyms *synonyms; /* or NULL */
    struct kb_rows exact;  /* hash of a whole question → the class accepted last */
    uint32_t *exact_class, exact_cap;
    struct kb_rows marks;   /* hash of each mark that was taken in */
    struct kb_rows persons; /* hash of (who, class) → how many marks */
    uint32_t *person_marks, person_cap;
    /* scratch of one query */
    struct kb_features features;
    float *scores_learn, *scores_words, *scores_grams, *p;
    bool *allowed;
    struct buf text;
};

void kb_set_destroy(struct kb_set *s)
{
    if (!s)
        return;
    for (unsigned i = 0; i < s->docs_n; i++) {
        for (unsigned k = 0; k < s->docs[i].asked_n; k++)
            free(s->docs[i].asked[k]);
        free(s->docs[i].asked);
        kb_article_unref(s->docs[i].article);
    }
    free(s->docs);
    free(s->first);
    map_fini(&s->classes);
    kb_index_close(s->index);
    kb_learn_destroy(s->learn);
    kb_grams_destroy(s->grams);
    kb_synonyms_destroy(s->synonyms);
    kb_rows_fini(&s->exact);
    kb_rows_fini(&s->marks);
    kb_rows_fini(&s->persons);
    free(s->exact_class);
    free(s->person_marks);
    free(s->scores_learn);
    free(s->scores_words);
    free(s->scores_grams);
    free(s->p);
    free(s->allowed);
    buf_fini(&s->text);
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
        d->next = first ? *first : DOC_NONE;
        if (!first) {
            first = &s->first[s->classes_n++];
            map_put(&s->classes, id, first);
        }
        *first = i;
        d->class = (uint32_t)(first - s->first);
    }
}

static int index_doc(struct kb_set *s, unsigned i, struct err *err)
{
    struct doc *d = &s->docs[i];
    struct buf asked;
    int rc;

    buf_init(&asked, TEXT_BYTES);
    for (unsigned k = 0; k < d->article->questions_n; k++)
        buf_printf(&asked, "%s\n", d->article->questions[k]);
    for (unsigned k = 0; k < d->asked_n; k++)
        buf_printf(&asked, "%s\n", d->asked[k]);
    buf_reset(&s->text);
    buf_add_s(&s->text, d->article->title);
    for (unsigned k = 0; k < d->article->keywords_n; k++)
        buf_printf(&s->text, "\n%s", d->article->keywords[k]);
    rc = kb_index_put(s->index, i, buf_str(&s->text), str_of(d->article->text), buf_str(&asked), err);
    buf_fini(&asked);
    return rc;
}

/* Takes the text apart, and makes it an example of the class if it counts. */
static void add_example(struct kb_set *s, struct str text, unsigned class, float weight, float grams)
{
    kb_features_reset(&s->features);
    kb_features_add(&s->features, s->synonyms, text);
    if (weight > 0)
        kb_learn_add(s->learn, &s->features, class, weight);
    kb_grams_add(s->grams, &s->features, class, grams);
}

/* Bytes up to and with the end of the first sentence. */
static size_t sentence_of(struct str s)
{
    for (size_t i = 0; i < s.n; i++) {
        unsigned char c = (unsigned char)s.s[i];

        if (c == '\n' || c == '!' || c == '?' || c == ';' || (c == '.' && (i + 1 == s.n || s.s[i + 1] == ' ')))
            return i + 1;
        if (i + 2 < s.n && (memcmp(s.s + i, "。", 3) == 0 || memcmp(s.s + i, "！", 3) == 0 ||
                            memcmp(s.s + i, "？", 3) == 0 || memcmp(s.s + i, "；", 3) == 0))
            return i + 3;
    }
    return s.n;
}

static void learn_doc(struct kb_set *s, const struct doc *d)
{
    const struct kb_article *a = d->article;
    struct str rest = str_of(a->text);

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

int kb_set_create(const struct kb_port *port, const struct kb_tuning *t, struct kb_article **articles, unsigned n,
                  struct str synonyms, struct kb_set **out, struct err *err)
{
    struct kb_set *s = mem_zalloc(sizeof *s);
    int rc;

    s->t = t;
    s->synonyms = kb_synonyms_create(synonyms);
    map_init(&s->classes);
    kb_rows_init(&s->exact);
    kb_rows_init(&s->marks);
    kb_rows_init(&s->persons);
    buf_init(&s->text, TEXT_BYTES);
    add_docs(s, articles, n);
    s->learn = kb_learn_create(t, s->classes_n);
    s->grams = kb_grams_create(t, s->classes_n);
    s->scores_learn = mem_alloc(s->classes_n * sizeof(float));
    s->scores_words = mem_alloc(s->classes_n * sizeof(float));
    s->scores_grams = mem_alloc(s->classes_n * sizeof(float));
    s->p = mem_alloc(s->classes_n * sizeof(float));
    s->allowed = mem_alloc(s->classes_n * sizeof(bool));
    rc = kb_index_open(port, t, &s->index, err);
    for (unsigned i = 0; i < n && rc == 0; i++)
        rc = index_doc(s, i, err);
    if (rc < 0) {
        kb_set_destroy(s);
        return rc;
    }
    for (unsigned i = 0; i < n; i++)
        learn_doc(s, &s->docs[i]);
    for (unsigned i = 0; i < (unsigned)t->seed_passes && (i == 0 || i * s->classes_n < 20000); i++)
        kb_learn_pass(s->learn);
    *out = s;
    return 0;
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

/* The version to show (or to teach): the wanted language, else English, else any. */
static unsigned version_of(const struct kb_set *s, unsigned class, struct str lang, const struct kb_filter *f)
{
    unsigned best = DOC_NONE;
    int best_rank = -1;

    for (uint32_t i = s->first[class]; i != DOC_NONE; i = s->docs[i].next) {
        const struct kb_article *a = s->docs[i].article;
        int rank = kb_lang_match(lang, str_of(a->lang));

        if (f && ((f->audience == KB_SHOPPER && a->audience == KB_REP) ||
                  (f->now_ms > 0 && (f->now_ms < a->valid_from_ms || f->now_ms >= a->valid_until_ms)) ||
                  (f->department.n > 0 && !str_is(f->department, a->department) &&
                   strcmp(a->department, "general") != 0)))
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

static uint32_t *counter(struct kb_rows *rows, uint32_t **values, uint32_t *cap, uint32_t hash, uint32_t fresh)
{
    uint32_t n = rows->n, at = kb_rows_put(rows, hash);

    if (rows->n > *cap) {
        *cap = *cap ? 2 * *cap : 256;
        *values = mem_realloc(*values, *cap * sizeof **values);
    }
    if (rows->n > n)
        (*values)[at] = fresh;
    return &(*values)[at];
}

/* True if this person's marks on the class have not reached their bound yet. */
static bool person_counts(struct kb_set *s, struct str who, uint32_t class)
{
    uint32_t key[2] = {kb_hash(7, who.s, who.n), class};
    uint32_t *marks = counter(&s->persons, &s->person_marks, &s->person_cap, kb_hash(8, key, sizeof key), 0);

    return (*marks)++ < KB_PERSON_MARKS;
}

/* True the first time that the set sees this mark. */
static bool is_new(struct kb_set *s, const struct kb_mark *m)
{
    uint32_t n = s->marks.n, key[4] = {kb_hash(1, m->article.s, m->article.n), kb_hash(2, m->question.s, m->question.n),
                                       kb_hash(3, m->who.s, m->who.n), (uint32_t)m->at_ms};

    kb_rows_put(&s->marks, kb_hash(4, key, sizeof key));
    return s->marks.n > n;
}

static void keep_asked(struct kb_set *s, struct doc *d, struct str question)
{
    unsigned max = (unsigned)s->t->asked_max;

    if (!d->asked)
        d->asked = mem_zalloc((max + 1) * sizeof *d->asked);
    d->asked[d->asked_n++] = mem_strndup(question.s, question.n);
    if (d->asked_n > max) {
        free(d->asked[0]);
        memmove(d->asked, d->asked + 1, max * sizeof *d->asked);
        d->asked_n = max;
    }
}

static struct str bounded(struct str q)
{
    if (q.n > KB_QUESTION_BYTES) {
        q.n = KB_QUESTION_BYTES;
        while (q.n > 0 && ((unsigned char)q.s[q.n] & 0xC0) == 0x80)
            q.n--;
    }
    return q;
}

int kb_set_mark(struct kb_set *s, const struct kb_mark *m, struct err *err)
{
    struct str question = bounded(m->question);
    uint32_t *first = map_get(&s->classes, m->article), class, doc;

    if (!first)
        return err_set(err, ERR_NOT_FOUND, "no article %.*s", STR_FMT(m->article));
    class = (uint32_t)(first - s->first);
    if (!is_new(s, m) || !person_counts(s, m->who, class) || m->verdict != KB_ACCEPTED)
        return 0;
    add_example(s, question, class, 1, s->t->gram_asked);
    if (s->features.n == 0)
        return 0;
    s->accepts++;
    kb_learn_step_last(s->learn);
    *counter(&s->exact, &s->exact_class, &s->exact_cap, hash_of_question(&s->features), class) = class;
    doc = version_of(s, class, kb_lang_of(question), NULL);
    keep_asked(s, &s->docs[doc], question);
    return index_doc(s, doc, err);
}

bool kb_set_replay(struct kb_set *s)
{
    kb_learn_replay(s->learn, 1);
    return kb_learn_examples(s->learn) > 0;
}

void kb_set_settle(struct kb_set *s, unsigned marks)
{
    if (marks > 0) {
        for (int i = 0; i < 5; i++)
            kb_learn_pass(s->learn);
    }
}

static void on_words(void *arg, int64_t doc, double score)
{
    struct kb_set *s = arg;
    float *best = &s->scores_words[s->docs[doc].class];

    if ((float)score > *best)
        *best = (float)score;
}

static void fill_hit(const struct kb_set *s, unsigned doc, double confidence, struct kb_hit *out)
{
    struct kb_article *a = kb_article_ref(s->docs[doc].article);

    *out = (struct kb_hit){a->id, a->lang, a->title, a->text, a->html, confidence, a};
}

/* What was accepted for the very same words comes first. */
static void put_exact_first(struct kb_set *s)
{
    uint32_t at = kb_rows_find(&s->exact, hash_of_question(&s->features));
    float top = 0;

    if (at == KB_ROW_NONE || !s->allowed[s->exact_class[at]])
        return;
    for (unsigned c = 0; c < s->classes_n; c++)
        top = s->p[c] > top ? s->p[c] : top;
    s->p[s->exact_class[at]] = fminf(1, fmaxf(top * 1.0001f, 0.9f));
}

int kb_set_suggest(struct kb_set *s, struct str question, const struct kb_filter *filter, unsigned max,
                   struct kb_hit out[], struct err *err)
{
    struct kb_scores scores = {s->scores_learn, s->scores_words, s->scores_grams, s->allowed, 0, 0, 0, s->classes_n};
    unsigned top[KB_HITS_MAX], n;
    struct str lang;
    int rc;

    question = bounded(question);
    lang = filter->lang.n > 0 ? filter->lang : kb_lang_of(question);
    kb_features_reset(&s->features);
    kb_features_add(&s->features, s->synonyms, question);
    if (s->features.n == 0)
        return 0;
    memset(s->scores_words, 0, s->classes_n * sizeof(float));
    rc = kb_index_find(s->index, question, filter->budget_us ? filter->budget_us : KB_BUDGET_US,
                       &scores.words_full, on_words, s, err);
    if (rc == ERR_TIMEOUT)
        memset(s->scores_words, 0, s->classes_n * sizeof(float)); /* half an order is none */
    else if (rc < 0)
        return rc;
    kb_learn_score(s->learn, &s->features, s->scores_learn);
    scores.grams_full = kb_grams_score(s->grams, &s->features, s->scores_grams);
    for (unsigned c = 0; c < s->classes_n; c++)
        s->allowed[c] = version_of(s, c, lang, filter) != DOC_NONE;
    scores.evidence = (float)s->accepts / (float)s->classes_n;
    kb_rank_mix(s->t, &scores, s->p);
    put_exact_first(s);
    n = kb_rank_top(s->p, s->classes_n, max < KB_HITS_MAX ? max : KB_HITS_MAX, top);
    for (unsigned i = 0; i < n; i++)
        fill_hit(s, version_of(s, top[i], lang, filter), s->p[top[i]], &out[i]);
    return (int)n;
}

int kb_set_find(struct kb_set *s, struct str id, struct str lang, struct kb_hit *out)
{
    uint32_t *first = map_get(&s->classes, id);

    if (!first)
        return ERR_NOT_FOUND;
    fill_hit(s, version_of(s, (unsigned)(first - s->first), lang, NULL), 1, out);
    return 0;
}

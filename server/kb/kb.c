#include "kb/kb.h"

#include <pthread.h>
#include <stdlib.h>

#include "kb/kb_files.h"
#include "kb/kb_set.h"
#include "log/log.h"

#define STATE_STEPS 5000 /* taken since the last state: so much, a quarter of a second, a start may have to take again */

/* A copy of a mark. */
struct kept {
    struct kb_mark mark; /* its strings are owned */
    struct kept *next;
};

struct kept_list {
    struct kept *first, **end;
};

struct kb {
    struct kb_port port;
    const struct kb_tuning *tuning;
    pthread_mutex_t build; /* held by who builds a set: one at a time */
    pthread_mutex_t marks; /* held by who takes a mark in, and for the swap: marks go in one by one, in the
                              table's order */
    pthread_mutex_t lock;  /* set; held for one query or one step of learning */
    struct kb_set *set;    /* NULL until the first load */
    bool building;         /* under marks, as what follows */
    struct kept_list late; /* came while the next set was being built: they are taken into both */
    uint64_t saved_steps;  /* of the set, when its state was written last */
    /* under build: what the set was made from */
    struct kb_files files;
    char *dir; /* NULL: not loaded from a directory */
};

int kb_open(const struct kb_port *port, struct kb **out, struct err *err)
{
    struct kb *kb = mem_zalloc(sizeof *kb);

    (void)err;
    kb->port = *port;
    kb->tuning = &kb_tuning_default;
    pthread_mutex_init(&kb->build, NULL);
    pthread_mutex_init(&kb->marks, NULL);
    pthread_mutex_init(&kb->lock, NULL);
    kb->late.end = &kb->late.first;
    *out = kb;
    return 0;
}

void kb_close(struct kb *kb)
{
    if (!kb)
        return;
    kb_set_destroy(kb->set);
    kb_files_fini(&kb->files);
    free(kb->dir);
    pthread_mutex_destroy(&kb->build);
    pthread_mutex_destroy(&kb->marks);
    pthread_mutex_destroy(&kb->lock);
    free(kb);
}

static void keep(struct kept_list *list, const struct kb_mark *m)
{
    struct kept *k = mem_zalloc(sizeof *k);

    k->mark = *m;
    k->mark.article.s = mem_strndup(m->article.s, m->article.n);
    k->mark.question.s = mem_strndup(m->question.s, m->question.n);
    k->mark.who.s = mem_strndup(m->who.s, m->who.n);
    *list->end = k;
    list->end = &k->next;
}

static void drop(struct kept_list *list)
{
    while (list->first) {
        struct kept *k = list->first;

        list->first = k->next;
        free((char *)k->mark.article.s);
        free((char *)k->mark.question.s);
        free((char *)k->mark.who.s);
        free(k);
    }
    list->end = &list->first;
}

static int keep_mark(void *arg, const struct kb_mark *m)
{
    keep(arg, m);
    return 0;
}

/* Takes a mark into a set: its own step, then old examples again, one a turn, so that queries come in
 * between. A set that nobody asks yet (lock NULL) goes through the same steps: it becomes what it would be
 * had it been there all along. */
static int learn(struct kb_set *set, pthread_mutex_t *lock, const struct kb_mark *m, struct err *err)
{
    int due;

    if (lock)
        pthread_mutex_lock(lock);
    due = kb_set_mark(set, m, err);
    if (lock)
        pthread_mutex_unlock(lock);
    for (int i = 0; i < due; i++) {
        if (lock)
            pthread_mutex_lock(lock);
        kb_set_replay(set);
        if (lock)
            pthread_mutex_unlock(lock);
    }
    return due < 0 ? due : 0;
}

/* ---- the state */

static void write_body(void *ctx, struct kb_io *io)
{
    kb_set_write(ctx, io);
}

/* Keeps what the set has learned, if it is worth it. Under kb->marks; the set may be asked meanwhile. */
static void save_state(struct kb *kb)
{
    struct kb_state_head head;
    struct err err = {0};

    if (!kb->port.state || kb_set_steps(kb->set) < kb->saved_steps + STATE_STEPS)
        return;
    kb->saved_steps = kb_set_steps(kb->set);
    kb_set_head(kb->set, &head);
    if (kb_state_write(kb->port.state, &head, write_body, kb->set, &err) < 0)
        log_warn("kb", "what was learned is not kept, the next start learns it again why=\"%s\"", err_why(&err));
}

/* The mark behind those that the state has taken in, if it was made from these; else NULL, which is also behind the last: *fits says which. */
static const struct kept *behind_state(const struct kb_set *set, const struct kb_state_head *head, const struct kept *k, bool *fits)
{
    uint64_t chain = 0, n = 0;

    for (; k && n < head->marks; k = k->next) {
        if (!kb_set_has(set, k->mark.article))
            continue;
        chain = kb_state_chain(chain, &k->mark);
        n++;
    }
    *fits = n == head->marks && chain == head->chain;
    return k;
}

/* Takes the state's marks in, and what was learned from them. */
static bool restore(struct kb_set *set, struct kb_io *io, const struct kb_state_head *head, const struct kept *first, const struct kept *behind)
{
    struct kb_state_head now;

    for (const struct kept *k = first; k != behind; k = k->next)
        kb_set_note(set, &k->mark);
    kb_set_head(set, &now);
    return now.whole == head->whole && kb_set_read(set, io) && kb_state_close(io);
}

/* A set of the files that has learned what its state has; *rest becomes what it has yet to learn. */
static struct kb_set *begin(const struct kb *kb, const struct kb_files *files, const struct kept **rest)
{
    struct kb_set *set = kb_set_create(kb->tuning, files->articles, files->n, str_of(files->synonyms));
    struct kb_state_head head, now;
    const struct kept *behind;
    struct kb_io io;
    bool fits;

    if (kb->port.state && kb_state_open(kb->port.state, &io, &head, NULL) == 0) {
        kb_set_head(set, &now);
        behind = behind_state(set, &head, *rest, &fits);
        if (now.base == head.base && fits) {
            if (restore(set, &io, &head, *rest, behind)) {
                *rest = behind;
                return set;
            }
            kb_set_destroy(set);
            set = kb_set_create(kb->tuning, files->articles, files->n, str_of(files->synonyms));
        }
        kb_state_close(&io);
    }
    kb_set_learn(set);
    return set;
}

/* ---- loading */

static void take_late(struct kb *kb, struct kb_set *set)
{
    for (const struct kept *k = kb->late.first; k && set; k = k->next) {
        if (!kb_set_knows(set, &k->mark))
            learn(set, NULL, &k->mark, NULL);
    }
    drop(&kb->late);
}

/* A set of the files and the marks. Those are copied first: whoever adds one must not wait until all are learned. */
static struct kb_set *build(struct kb *kb, const struct kb_files *files, uint64_t *saved_steps, struct err *err)
{
    struct kept_list marks = {.end = &marks.first};
    const struct kept *rest;
    struct kb_set *set = NULL;

    if (kb->port.mark_each(kb->port.ctx, KB_MARKS_MAX, keep_mark, &marks, err) == 0) {
        rest = marks.first;
        set = begin(kb, files, &rest);
        *saved_steps = rest == marks.first ? 0 : kb_set_steps(set);
        for (; rest; rest = rest->next)
            learn(set, NULL, &rest->mark, NULL); /* one on an article that is gone waits until it comes back */
    }
    drop(&marks);
    return set;
}

/* Builds a set from files and the marks, and swaps it in. Under kb->build. */
static int rebuild(struct kb *kb, const struct kb_files *files, struct err *err)
{
    struct err why = {0};
    struct kb_set *set, *old;
    uint64_t saved_steps = 0;

    pthread_mutex_lock(&kb->marks);
    kb->building = true;
    pthread_mutex_unlock(&kb->marks);
    set = build(kb, files, &saved_steps, &why);
    pthread_mutex_lock(&kb->marks);
    kb->building = false;
    take_late(kb, set);
    old = kb->set;
    if (set) {
        pthread_mutex_lock(&kb->lock);
        kb->set = set;
        pthread_mutex_unlock(&kb->lock);
        kb->saved_steps = saved_steps;
        save_state(kb);
    }
    pthread_mutex_unlock(&kb->marks);
    if (!set)
        return err_set(err, why.code, "%s", err_why(&why));
    kb_set_destroy(old);
    return 0;
}

/* Takes files over; under kb->build. */
static int load(struct kb *kb, struct kb_files *files, const char *dir, struct err *err)
{
    int rc = kb->port.articles_save(kb->port.ctx, files->articles, files->n, err);
    char *name = dir ? mem_strdup(dir) : NULL;

    if (rc == 0)
        rc = rebuild(kb, files, err);
    if (rc < 0) {
        kb_files_fini(files);
        free(name);
        return rc;
    }
    kb_files_fini(&kb->files);
    kb->files = *files;
    free(kb->dir);
    kb->dir = name;
    log_info("kb", "loaded articles=%u ids=%u", kb->files.n, kb_set_ids(kb->set));
    return 0;
}

int kb_load_dir(struct kb *kb, const char *dir, struct err *err)
{
    struct kb_files files;
    int rc;

    pthread_mutex_lock(&kb->build);
    rc = kb_files_read_dir(dir, NULL, NULL, &files, err);
    if (rc == 0)
        rc = load(kb, &files, dir, err);
    pthread_mutex_unlock(&kb->build);
    return rc;
}

int kb_load_embedded(struct kb *kb, struct err *err)
{
    struct kb_files files;
    int rc;

    pthread_mutex_lock(&kb->build);
    rc = kb_files_read_embedded(&files, err);
    if (rc == 0)
        rc = load(kb, &files, NULL, err);
    pthread_mutex_unlock(&kb->build);
    return rc;
}

int kb_load_articles(struct kb *kb, struct kb_article **articles, unsigned n, struct str synonyms,
                     struct err *err)
{
    struct kb_files files = {.n = n, .cap = n};
    int rc;

    if (n > KB_ARTICLES_MAX)
        return err_set(err, ERR_FULL, "%u articles, over %d", n, KB_ARTICLES_MAX);
    files.articles = mem_alloc(n * sizeof *files.articles);
    for (unsigned i = 0; i < n; i++)
        files.articles[i] = kb_article_ref(articles[i]);
    files.synonyms = synonyms.s ? mem_strndup(synonyms.s, synonyms.n) : NULL;
    pthread_mutex_lock(&kb->build);
    rc = load(kb, &files, NULL, err);
    pthread_mutex_unlock(&kb->build);
    return rc;
}

int kb_reload(struct kb *kb, bool *changed, struct err *err)
{
    struct kb_files files;
    uint64_t stamp;
    bool differs = false;
    int rc = 0;

    pthread_mutex_lock(&kb->build);
    if (kb->dir) {
        char *dir = mem_strdup(kb->dir);

        rc = kb_files_stamp(dir, &stamp, err);
        differs = rc == 0 && stamp != kb->files.stamp;
        if (differs)
            rc = kb_files_read_dir(dir, NULL, NULL, &files, err);
        if (differs && rc == 0)
            rc = load(kb, &files, dir, err);
        free(dir);
    }
    pthread_mutex_unlock(&kb->build);
    if (rc == 0)
        *changed = differs;
    return rc;
}

int kb_check_dir(const char *dir, void (*problem)(void *ctx, const char *what), void *ctx, struct err *err)
{
    struct kb_files files;
    int rc = kb_files_read_dir(dir, problem, ctx, &files, err);

    if (rc < 0)
        return rc;
    rc = (int)files.n;
    kb_files_fini(&files);
    return rc;
}

void kb_count(struct kb *kb, unsigned *ids, unsigned *versions)
{
    pthread_mutex_lock(&kb->lock);
    *ids = kb->set ? kb_set_ids(kb->set) : 0;
    *versions = kb->set ? kb_set_versions(kb->set) : 0;
    pthread_mutex_unlock(&kb->lock);
}

int kb_suggest(struct kb *kb, struct str question, const struct kb_filter *filter, unsigned max,
               struct kb_hit out[], struct err *err)
{
    int rc;

    if (question.n > KB_QUESTION_MAX)
        return err_set(err, ERR_TOO_LARGE, "a question of %zu bytes", question.n);
    pthread_mutex_lock(&kb->lock);
    rc = kb->set ? (int)kb_set_suggest(kb->set, question, filter, max, out) : 0;
    pthread_mutex_unlock(&kb->lock);
    return rc;
}

void kb_hits_fini(struct kb_hit *hits, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        kb_article_unref(hits[i].article);
        hits[i] = (struct kb_hit){0};
    }
}

int kb_find(struct kb *kb, struct str id, struct str lang, struct kb_hit *out, struct err *err)
{
    int rc;

    pthread_mutex_lock(&kb->lock);
    rc = kb->set ? kb_set_find(kb->set, id, lang, out) : ERR_NOT_FOUND;
    pthread_mutex_unlock(&kb->lock);
    return rc < 0 ? err_set(err, rc, "no article %.*s", STR_FMT(id)) : 0;
}

static int mark(struct kb *kb, const struct kb_mark *m, struct err *err)
{
    bool is_here;
    int rc;

    if (m->question.n > KB_QUESTION_MAX)
        return err_set(err, ERR_TOO_LARGE, "a question of %zu bytes", m->question.n);
    pthread_mutex_lock(&kb->marks); /* the set can't be swapped meanwhile */
    is_here = kb->set && kb_set_has(kb->set, m->article);
    if (!is_here && !kb->building) /* the next set may have it */
        rc = err_set(err, ERR_NOT_FOUND, "no article %.*s", STR_FMT(m->article));
    else
        rc = kb->port.mark_add(kb->port.ctx, m, err);
    if (rc == 0 && kb->building)
        keep(&kb->late, m);
    if (rc == 0 && is_here) {
        rc = learn(kb->set, &kb->lock, m, err);
        save_state(kb);
    }
    pthread_mutex_unlock(&kb->marks);
    return rc;
}

int kb_accept(struct kb *kb, struct str article, struct str question, struct str who, int64_t at_ms,
              struct err *err)
{
    return mark(kb, &(struct kb_mark){article, question, who, at_ms, KB_ACCEPTED}, err);
}

int kb_reject(struct kb *kb, struct str article, struct str question, struct str who, int64_t at_ms,
              struct err *err)
{
    return mark(kb, &(struct kb_mark){article, question, who, at_ms, KB_REJECTED}, err);
}

int kb_undo(struct kb *kb, struct str article, struct str question, struct str who, struct err *err)
{
    struct kb_mark m = {article, question, who, 0, KB_ACCEPTED};
    int rc;

    pthread_mutex_lock(&kb->build);
    rc = kb->port.mark_undo(kb->port.ctx, &m, err);
    if (rc == 0)
        rc = rebuild(kb, &kb->files, err);
    pthread_mutex_unlock(&kb->build);
    return rc;
}

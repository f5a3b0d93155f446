#include "kb/kb_marks.h"

#include <stdlib.h>

#include "kb/kb_features.h"

void kb_marks_init(struct kb_marks *m)
{
    *m = (struct kb_marks){.counts = NULL};
    kb_rows_init(&m->taken);
    kb_rows_init(&m->lessons);
    kb_rows_init(&m->persons);
    kb_rows_init(&m->exact);
}

void kb_marks_fini(struct kb_marks *m)
{
    kb_rows_fini(&m->taken);
    kb_rows_fini(&m->lessons);
    kb_rows_fini(&m->persons);
    kb_rows_fini(&m->exact);
    free(m->counts);
    free(m->classes);
}

/* True if the hash wasn't there. */
static bool add(struct kb_rows *rows, uint32_t hash)
{
    uint32_t n = rows->n;

    kb_rows_put(rows, hash);
    return rows->n > n;
}

/* The value of the hash's row, fresh if it is new. */
static uint32_t *value_of(struct kb_rows *rows, uint32_t **values, uint32_t *cap, uint32_t hash,
                          uint32_t fresh)
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

static uint32_t hash_of(const struct kb_mark *mark)
{
    uint32_t key[5] = {kb_hash(1, mark->article.s, mark->article.n),
                       kb_hash(2, mark->question.s, mark->question.n), kb_hash(3, mark->who.s, mark->who.n),
                       (uint32_t)mark->at_ms, (uint32_t)((uint64_t)mark->at_ms >> 32)};

    return kb_hash(4, key, sizeof key);
}

void kb_marks_take(struct kb_marks *m, const struct kb_mark *mark)
{
    kb_rows_put(&m->taken, hash_of(mark));
}

bool kb_marks_has(const struct kb_marks *m, const struct kb_mark *mark)
{
    return kb_rows_find(&m->taken, hash_of(mark)) != KB_ROW_NONE;
}

bool kb_marks_count(struct kb_marks *m, struct str who, uint32_t class, uint32_t question)
{
    uint32_t key[3] = {kb_hash(7, who.s, who.n), class, question}, *count;

    if (!add(&m->lessons, kb_hash(9, key, sizeof key)))
        return false;
    count = value_of(&m->persons, &m->counts, &m->counts_cap, kb_hash(8, key, 2 * sizeof key[0]), 0);
    if (*count == KB_PERSON_MARKS)
        return false;
    ++*count;
    return true;
}

void kb_marks_accept(struct kb_marks *m, uint32_t question, uint32_t class)
{
    *value_of(&m->exact, &m->classes, &m->classes_cap, question, class) = class;
}

void kb_marks_reject(struct kb_marks *m, uint32_t question, uint32_t class)
{
    uint32_t at = kb_rows_find(&m->exact, question);

    if (at != KB_ROW_NONE && m->classes[at] == class)
        m->classes[at] = KB_CLASS_NONE;
}

uint32_t kb_marks_accepted(const struct kb_marks *m, uint32_t question)
{
    uint32_t at = kb_rows_find(&m->exact, question);

    return at == KB_ROW_NONE ? KB_CLASS_NONE : m->classes[at];
}

#include "kb/kb_synonyms.h"

#include <stdlib.h>

#include "kb/kb_features.h"
#include "kb/kb_rows.h"
#include "kb/kb_words.h"

#define SYNONYMS_MAX 20000
#define PHRASE_MAX 8  /* words, or characters of a script without spaces */
#define GROUPS_MAX 4  /* of one phrase */
#define UNITS_MAX 1024 /* of a text are looked at */

struct phrase {
    uint32_t groups[GROUPS_MAX];
    unsigned n;
};

struct kb_synonyms {
    struct kb_rows index; /* hash of a sequence of units → phrases */
    struct phrase *phrases;
    uint32_t cap;
    unsigned longest; /* units of the longest phrase */
};

struct units {
    uint32_t v[UNITS_MAX];
    unsigned n, max;
};

static int add_unit(void *ctx, struct str token, size_t start, size_t end, unsigned flags)
{
    struct units *u = ctx;

    (void)start, (void)end;
    if (flags & KB_WORD_SAME_PLACE)
        return 0; /* longer grams are made of these characters */
    if (u->n == u->max)
        return 1;
    u->v[u->n++] = kb_hash(11, token.s, token.n);
    return 0;
}

static uint32_t hash_of(const uint32_t *units, unsigned n)
{
    return kb_hash(12, units, n * sizeof *units);
}

static void add_phrase(void *ctx, struct str text, uint32_t group)
{
    struct kb_synonyms *s = ctx;
    struct units u = {.max = PHRASE_MAX + 1};
    struct phrase *p;
    uint32_t n, at;

    kb_words(text, KB_WORDS_DIGITS, add_unit, &u);
    if (u.n == 0 || u.n > PHRASE_MAX || s->index.n == SYNONYMS_MAX)
        return;
    n = s->index.n;
    at = kb_rows_put(&s->index, hash_of(u.v, u.n));
    if (s->index.n > s->cap) {
        s->cap = s->cap ? 2 * s->cap : 256;
        s->phrases = mem_realloc(s->phrases, s->cap * sizeof *s->phrases);
    }
    p = &s->phrases[at];
    if (s->index.n > n)
        p->n = 0;
    if (p->n < GROUPS_MAX)
        p->groups[p->n++] = group;
    if (u.n > s->longest)
        s->longest = u.n;
}

static size_t part_of(struct str s, const char *ends)
{
    size_t n = 0;

    while (n < s.n && !strchr(ends, s.s[n]))
        n++;
    return n;
}

size_t kb_synonyms_comma(struct str s)
{
    static const char *const commas[] = {",", "，", "、"};

    for (size_t i = 0; i < sizeof commas / sizeof commas[0]; i++) {
        size_t n = strlen(commas[i]);

        if (n <= s.n && memcmp(s.s, commas[i], n) == 0)
            return n;
    }
    return 0;
}

void kb_synonyms_each(struct str text, void (*fn)(void *ctx, struct str phrase, uint32_t group), void *ctx)
{
    for (uint32_t group = 1; text.n > 0; group++) {
        struct str line = {text.s, part_of(text, "\n")};

        text.s += line.n, text.n -= line.n;
        if (text.n > 0)
            text.s++, text.n--;
        line.n = part_of(line, "#");
        while (line.n > 0) {
            size_t n = 0, comma = 0;

            while (n < line.n && !(comma = kb_synonyms_comma((struct str){line.s + n, line.n - n})))
                n++;
            fn(ctx, (struct str){line.s, n}, group);
            n += comma;
            line.s += n, line.n -= n;
        }
    }
}

struct kb_synonyms *kb_synonyms_create(struct str text)
{
    struct kb_synonyms *s = mem_zalloc(sizeof *s);

    kb_rows_init(&s->index);
    kb_synonyms_each(text, add_phrase, s);
    if (s->index.n > 0)
        return s;
    kb_synonyms_destroy(s);
    return NULL;
}

void kb_synonyms_destroy(struct kb_synonyms *s)
{
    if (!s)
        return;
    kb_rows_fini(&s->index);
    free(s->phrases);
    free(s);
}

/* The longest phrase that begins at unit i, or KB_ROW_NONE; *n is its length. */
static uint32_t longest_at(const struct kb_synonyms *s, const struct units *u, unsigned i, unsigned *n)
{
    for (*n = u->n - i < s->longest ? u->n - i : s->longest; *n > 0; --*n) {
        uint32_t at = kb_rows_find(&s->index, hash_of(u->v + i, *n));

        if (at != KB_ROW_NONE)
            return at;
    }
    return KB_ROW_NONE;
}

void kb_synonyms_find(const struct kb_synonyms *s, struct str text, void (*fn)(void *ctx, uint32_t group), void *ctx)
{
    struct units u = {.max = UNITS_MAX};
    unsigned covered = 0; /* units up to here belong to a phrase already */

    if (!s)
        return;
    kb_words(text, KB_WORDS_DIGITS, add_unit, &u);
    for (unsigned i = 0; i < u.n; i++) {
        unsigned n;
        uint32_t at = longest_at(s, &u, i, &n);

        if (at == KB_ROW_NONE || i + n <= covered)
            continue;
        covered = i + n;
        for (unsigned k = 0; k < s->phrases[at].n; k++)
            fn(ctx, s->phrases[at].groups[k]);
    }
}

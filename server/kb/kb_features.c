#include "kb/kb_features.h"

#include "kb/kb_breaks.h"
#include "kb/kb_common.h"
#include "kb/kb_forms.h"
#include "kb/kb_synonyms.h"
#include "kb/kb_words.h"

#define CHARS_MIN 3
#define CHARS_MAX 5
#define SKIP_WORDS 5
#define PREFIX_CHARS 5
#define SENSES_MAX 32 /* of a text are paired */

uint32_t kb_hash(uint32_t seed, const void *p, size_t n)
{
    const unsigned char *b = p;
    uint64_t h = seed * 0x9E3779B97F4A7C15ull ^ n;

    while (n >= 8) {
        uint64_t k;

        memcpy(&k, b, 8);
        h = (h ^ k) * 0xFF51AFD7ED558CCDull;
        h ^= h >> 32;
        b += 8, n -= 8;
    }
    if (n > 0) {
        uint64_t k = 0;

        memcpy(&k, b, n);
        h = (h ^ k) * 0xFF51AFD7ED558CCDull;
        h ^= h >> 32;
    }
    h *= 0xC4CEB9FE1A85EC53ull;
    return (uint32_t)(h >> 32);
}

void kb_features_reset(struct kb_features *f)
{
    f->n = f->said = 0;
    memset(f->slots, 0, sizeof f->slots);
}

/* The feature, new or once more; NULL: there is no room for another. */
static struct kb_feature *put_hash(struct kb_features *f, enum kb_feature_kind kind, uint32_t hash, bool common)
{
    unsigned mask = 2 * KB_FEATURES_MAX - 1, i = hash & mask;

    for (; f->slots[i]; i = (i + 1) & mask) {
        struct kb_feature *v = &f->v[f->slots[i] - 1];

        if (v->hash == hash) {
            if (f->slots[i] <= f->said)
                return v;
            if (v->tf < UINT16_MAX)
                v->tf++;
            v->common &= common;
            return v;
        }
    }
    if (f->n == KB_FEATURES_MAX)
        return NULL;
    f->v[f->n++] = (struct kb_feature){.hash = hash, .kind = (uint16_t)kind, .tf = 1, .common = common, .mended = f->said > 0};
    f->slots[i] = (uint16_t)f->n;
    return &f->v[f->n - 1];
}

struct extract {
    struct kb_features *f;
    uint32_t last_stem;  /* hash of the stem before, 0: none */
    uint32_t last_pair_of_stems; /* of the two before, 0: none */
    uint32_t last_pair;  /* hash of the bigram that began one character before */
    size_t last_pair_start;
    bool last_common, last_pair_common;
    struct str text;
    bool tones;           /* its marks are kept, too */
    uint32_t last_marked; /* hash of the word before with its marks, 0: none */
    bool last_marked_common;
    uint32_t stems[SKIP_WORDS]; /* the words before, the newest last */
    unsigned stems_n;
};

/* of: 1 + where the word's own feature stands, 0: nowhere */
static void put_chars(struct kb_features *f, struct str word, uint16_t of, bool common)
{
    char text[KB_WORD_BYTES + 2];
    uint8_t at[KB_WORD_BYTES + 3]; /* where each character begins */
    unsigned chars = 0, grams = 0;
    size_t n = 0;

    text[n++] = '<';
    memcpy(text + n, word.s, word.n);
    n += word.n;
    text[n++] = '>';
    for (size_t i = 0; i < n; i++) {
        if (((unsigned char)text[i] & 0xC0) != 0x80)
            at[chars++] = (uint8_t)i;
    }
    at[chars] = (uint8_t)n;
    for (unsigned len = CHARS_MIN; len <= CHARS_MAX; len++)
        grams += chars >= len ? chars - len + 1 : 0;
    for (unsigned len = CHARS_MIN; len <= CHARS_MAX; len++) {
        for (unsigned i = 0; i + len <= chars; i++) {
            struct kb_feature *v = put_hash(f, KB_F_CHARS, kb_hash(KB_F_CHARS + 1u, text + at[i], (size_t)(at[i + len] - at[i])), common);

            if (v && v->among == 0) { /* the first word that has it says so */
                v->among = (uint16_t)grams;
                v->word = of;
            }
        }
    }
}

/* The stem with the one before, and with the two before. */
static void put_neighbours(struct extract *x, uint32_t hash, bool common)
{
    uint32_t two[2] = {x->last_stem, hash}, three[2] = {x->last_pair_of_stems, hash}, both = 0;

    if (x->last_stem) {
        both = kb_hash(KB_F_PAIR + 1u, two, sizeof two);
        put_hash(x->f, KB_F_PAIR, both, common && x->last_common);
    }
    if (x->last_stem && x->last_pair_of_stems)
        put_hash(x->f, KB_F_TRIPLE, kb_hash(KB_F_TRIPLE + 1u, three, sizeof three), common && x->last_pair_common);
    x->last_pair_common = common && x->last_common;
    x->last_pair_of_stems = both;
    x->last_stem = hash;
    x->last_common = common;
}

/* The stem with each of those a few words before. */
static void put_skips(struct extract *x, uint32_t hash)
{
    for (unsigned i = 0; i < x->stems_n; i++) {
        uint32_t a = x->stems[i], pair[2] = {a < hash ? a : hash, a < hash ? hash : a};

        put_hash(x->f, KB_F_SKIP, kb_hash(KB_F_SKIP + 1u, pair, sizeof pair), false);
    }
    if (x->stems_n == SKIP_WORDS)
        memmove(x->stems, x->stems + 1, (--x->stems_n) * sizeof x->stems[0]);
    x->stems[x->stems_n++] = hash;
}

/* The word's first letters: what its other endings have too. */
static void put_prefix(struct kb_features *f, struct str word, bool common)
{
    size_t n = 0;

    for (unsigned chars = 0; n < word.n; n++) {
        if (((unsigned char)word.s[n] & 0xC0) != 0x80 && chars++ == PREFIX_CHARS)
            break;
    }
    put_hash(f, KB_F_PREFIX, kb_hash(KB_F_PREFIX + 1u, word.s, n), common);
}

/* The word with its marks, and with the one before. */
static void put_marked(struct extract *x, struct str written, bool common)
{
    char text[KB_WORD_BYTES];
    size_t n = kb_forms_marked(written, text);
    uint32_t hash = kb_hash(KB_F_MARKED + 1u, text, n), two[2] = {x->last_marked, hash};

    put_hash(x->f, KB_F_MARKED, hash, common);
    if (x->last_marked)
        put_hash(x->f, KB_F_MARKS, kb_hash(KB_F_MARKS + 1u, two, sizeof two), common && x->last_marked_common);
    x->last_marked = hash;
    x->last_marked_common = common;
}

static void put_word(struct extract *x, struct str word, struct str written)
{
    char stem[KB_WORD_BYTES];
    struct kb_feature *v;
    uint32_t hash;
    size_t n = word.n;
    bool common = kb_common_is(word);

    memcpy(stem, word.s, n);
    n = kb_words_stem(stem, n);
    hash = kb_hash(KB_F_WORD + 1u, stem, n);
    v = put_hash(x->f, KB_F_WORD, hash, common);
    put_prefix(x->f, word, common);
    put_neighbours(x, hash, common);
    if (!common)
        put_skips(x, hash);
    put_chars(x->f, word, v ? (uint16_t)(v - x->f->v + 1) : 0, common);
    if (x->tones)
        put_marked(x, written, common);
}

/* Thai, Lao, Khmer, Burmese: characters are letters, not words as Han's are. */
static bool is_letter(struct str token)
{
    return (unsigned char)token.s[0] <= 0xE1;
}

/* The gram and the one that began a character before, as one. */
static void put_chain(struct extract *x, uint32_t hash, size_t start, bool common)
{
    uint32_t both[2] = {x->last_pair, hash};

    if (x->last_pair && start > x->last_pair_start && start - x->last_pair_start <= 4)
        put_hash(x->f, KB_F_GRAM3, kb_hash(KB_F_GRAM3 + 1u, both, sizeof both), common && x->last_common);
    x->last_pair = hash;
    x->last_common = common;
    x->last_pair_start = start;
}

static int on_word(void *ctx, struct str token, size_t start, size_t end, unsigned flags)
{
    struct extract *x = ctx;
    uint32_t hash;
    bool common;

    if (!(flags & KB_WORD_GRAM)) {
        struct str written = {x->text.s + start, end - start};
        char head[KB_WORD_BYTES];

        put_word(x, kb_forms_cut(token, written, head), written);
        return 0;
    }
    x->last_stem = x->last_marked = 0;
    if (is_letter(token) && !(flags & KB_WORD_GRAM3))
        return 0; /* one or two letters say something only within a word (on_break) */
    common = kb_common_is(token);
    if (flags & KB_WORD_GRAM1) {
        put_hash(x->f, KB_F_GRAM1, kb_hash(KB_F_GRAM1 + 1u, token.s, token.n), common);
    } else {
        hash = kb_hash(KB_F_GRAM2 + 1u, token.s, token.n);
        put_hash(x->f, KB_F_GRAM2, hash, common);
        put_chain(x, hash, start, common);
    }
    return 0;
}

static void on_break(void *ctx, struct str word)
{
    struct kb_features *f = ctx;
    struct kb_feature *v = put_hash(f, KB_F_WORD, kb_hash(KB_F_WORD + 1u, word.s, word.n), false);

    put_chars(f, word, v ? (uint16_t)(v - f->v + 1) : 0, false);
}

struct senses {
    struct kb_features *f;
    uint32_t v[SENSES_MAX];
    unsigned n;
};

static void on_sense(void *ctx, uint32_t group)
{
    struct senses *s = ctx;

    put_hash(s->f, KB_F_SENSE, kb_hash(KB_F_SENSE + 1u, &group, sizeof group), false);
    for (unsigned i = 0; i < s->n; i++)
        if (s->v[i] == group)
            return;
    if (s->n < SENSES_MAX)
        s->v[s->n++] = group;
}

/* Any two senses of the text, as one. */
static void put_senses(const struct senses *s)
{
    for (unsigned i = 0; i < s->n; i++) {
        for (unsigned k = 0; k < i; k++) {
            uint32_t a = s->v[i], b = s->v[k], both[2] = {a < b ? a : b, a < b ? b : a};

            put_hash(s->f, KB_F_SENSES, kb_hash(KB_F_SENSES + 1u, both, sizeof both), false);
        }
    }
}

void kb_features_add(struct kb_features *f, const struct kb_synonyms *synonyms, struct str text)
{
    struct extract x = {.f = f, .text = text, .tones = kb_forms_has_tones(text)};
    struct senses s = {.f = f};

    kb_words(text, KB_WORDS_WHOLE | KB_WORDS_DIGITS, on_word, &x);
    kb_breaks(text, on_break, f);
    kb_synonyms_find(synonyms, text, on_sense, &s);
    put_senses(&s);
}

void kb_features_add_mended(struct kb_features *f, const struct kb_synonyms *synonyms, struct str mended)
{
    f->said = f->n;
    kb_features_add(f, synonyms, mended);
}

#include "kb/kb_forms.h"

#include <unicode/uchar.h>
#include <unicode/utf8.h>

#include "kb/kb_fold.h"

#define HEAD_CHARS   3 /* a shorter word before an apostrophe is an article: d'accord */
#define ENDING_CHARS 5 /* what is longer is no ending */
#define ELIDED_CHARS 2 /* nor what begins with a vowel and is longer than this: dell'arte */
#define LATIN_END    0x250
#define STROKE       0x335 /* what đ has and d hasn't: the fold takes it off */

static bool is_apostrophe(int32_t c)
{
    return c == '\'' || c == 0x2018 || c == 0x2019 || c == 0x2BC || c == '`' || c == 0xB4;
}

/* Whether what stands behind an apostrophe is an ending. */
static bool is_ending(struct str s)
{
    unsigned chars = 0;
    bool vowel = false;

    for (size_t i = 0; i < s.n; chars++) {
        struct kb_folded f;
        int32_t c;

        U8_NEXT(s.s, i, s.n, c);
        if (c < 0 || c >= LATIN_END)
            return false;
        kb_fold(c, &f);
        if (chars == 0)
            vowel = f.n > 0 && f.out[0] < 0x80 && strchr("aeiouyh", (char)f.out[0]) != NULL;
    }
    if (chars == 1 && (s.s[0] == 't' || s.s[0] == 'T'))
        return false;
    return chars > 0 && chars <= (vowel ? ELIDED_CHARS : ENDING_CHARS);
}

/* The bytes before the first apostrophe that parts an ending; 0: there is none. */
static size_t head_of(struct str written)
{
    unsigned chars = 0;

    for (size_t i = 0; i < written.n;) {
        size_t start = i;
        int32_t c;

        U8_NEXT(written.s, i, written.n, c);
        if (is_apostrophe(c))
            return chars >= HEAD_CHARS && is_ending((struct str){written.s + i, written.n - i}) ? start : 0;
        chars++;
    }
    return 0;
}

/* A word being copied. */
struct copy {
    char *s;
    size_t n;
};

static int take(void *ctx, struct str word, size_t start, size_t end, unsigned flags)
{
    struct copy *out = ctx;

    (void)start, (void)end, (void)flags;
    memcpy(out->s, word.s, word.n);
    out->n = word.n;
    return 1;
}

struct str kb_forms_cut(struct str word, struct str written, char out[KB_WORD_BYTES])
{
    size_t n = head_of(written);
    struct copy head = {out, 0};

    if (n == 0)
        return word;
    kb_words((struct str){written.s, n}, KB_WORDS_WHOLE | KB_WORDS_DIGITS, take, &head);
    return head.n > 0 ? (struct str){head.s, head.n} : word;
}

bool kb_forms_has_tones(struct str text)
{
    const unsigned char *s = (const unsigned char *)text.s;

    for (size_t i = 0; i + 1 < text.n; i++) {
        /* Ơ ơ Ư ư; hook above, horn and dot below as marks apart */
        if (s[i] == 0xC6 && (s[i + 1] == 0xA0 || s[i + 1] == 0xA1 || s[i + 1] == 0xAF || s[i + 1] == 0xB0))
            return true;
        if (s[i] == 0xCC && (s[i + 1] == 0x89 || s[i + 1] == 0x9B || s[i + 1] == 0xA3))
            return true;
        /* Ạ (U+1EA0) to ỹ (U+1EF9) */
        if (s[i] == 0xE1 && i + 2 < text.n && ((s[i + 1] == 0xBA && s[i + 2] >= 0xA0) || (s[i + 1] == 0xBB && s[i + 2] <= 0xB9)))
            return true;
    }
    return false;
}

/* Marks that are dropped from what a word is found by are kept here. */
static bool is_kept(const struct kb_folded *f, unsigned i)
{
    return f->kind[i] == KB_FOLD_WORD || (f->kind[i] == KB_FOLD_SKIP && u_charType(f->out[i]) == U_NON_SPACING_MARK);
}

size_t kb_forms_marked(struct str written, char out[KB_WORD_BYTES])
{
    size_t n = 0;

    for (size_t i = 0; i < written.n;) {
        struct kb_folded f;
        int32_t c;

        U8_NEXT(written.s, i, written.n, c);
        kb_fold(c, &f);
        for (unsigned k = 0; k < f.n; k++) {
            if (is_kept(&f, k) && n + 4 <= KB_WORD_BYTES)
                U8_APPEND_UNSAFE(out, n, f.out[k]);
        }
        if ((c == 0x110 || c == 0x111) && n + 4 <= KB_WORD_BYTES)
            U8_APPEND_UNSAFE(out, n, STROKE);
    }
    return n;
}

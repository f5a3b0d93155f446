#include "kb/kb_breaks.h"

#include <pthread.h>
#include <stdlib.h>
#include <unicode/ubrk.h>
#include <unicode/utext.h>
#include <unicode/utf8.h>

#include "kb/kb_fold.h"
#include "kb/kb_words.h"

static UBreakIterator *breaks; /* cloned by each call: an iterator has a state */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void start(void)
{
    UErrorCode status = U_ZERO_ERROR;

    breaks = ubrk_open(UBRK_WORD, "", NULL, 0, &status);
    kb_fold_must(status);
}

/* Whether a character of those scripts begins at s[0] (Thai and Lao U+0E00 on, Burmese U+1000 on, Khmer
 * U+1780 on). */
static bool is_ours(const unsigned char *s, size_t n)
{
    if (n < 3)
        return false;
    return (s[0] == 0xE0 && s[1] >= 0xB8 && s[1] <= 0xBB) ||
           (s[0] == 0xE1 && ((s[1] >= 0x80 && s[1] <= 0x82) || s[1] == 0x9E || s[1] == 0x9F));
}

static bool has_ours(struct str text)
{
    for (size_t i = 0; i < text.n; i++) {
        if (is_ours((const unsigned char *)text.s + i, text.n - i))
            return true;
    }
    return false;
}

/* Folded into out; returns its length. */
static size_t fold(const char *s, int32_t n, char out[KB_WORD_BYTES])
{
    size_t len = 0;

    for (int32_t i = 0; i < n;) {
        struct kb_folded f;
        UChar32 c;

        U8_NEXT(s, i, n, c);
        kb_fold(c, &f);
        for (unsigned k = 0; k < f.n && len + 4 <= KB_WORD_BYTES; k++)
            U8_APPEND_UNSAFE(out, len, f.out[k]);
    }
    return len;
}

void kb_breaks(struct str text, void (*fn)(void *ctx, struct str word), void *ctx)
{
    UErrorCode status = U_ZERO_ERROR;
    UBreakIterator *b;
    UText *u;

    if (!has_ours(text))
        return;
    pthread_once(&once, start);
    b = ubrk_clone(breaks, &status);
    u = utext_openUTF8(NULL, text.s, (int64_t)text.n, &status);
    ubrk_setUText(b, u, &status);
    kb_fold_must(status);
    for (int32_t from = ubrk_first(b), to; (to = ubrk_next(b)) != UBRK_DONE; from = to) {
        char word[KB_WORD_BYTES];
        int32_t kind = ubrk_getRuleStatus(b);

        if (kind >= UBRK_WORD_NUMBER && kind < UBRK_WORD_NUMBER_LIMIT)
            continue; /* a number is a word without us */
        if (is_ours((const unsigned char *)text.s + from, text.n - (size_t)from))
            fn(ctx, (struct str){word, fold(text.s + from, to - from, word)});
    }
    utext_close(u);
    ubrk_close(b);
}

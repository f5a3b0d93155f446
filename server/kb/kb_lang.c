#include "kb/kb_lang.h"

#include <stdlib.h>
#include <strings.h>
#include <unicode/uscript.h>
#include <unicode/utf8.h>

#define LOOK_BYTES 512 /* a beginning is enough */

/* Scripts that tell a language. A Han character or two weigh as much as a word. */
static const struct {
    int script;
    int weight;
    const char *lang;
} scripts[] = {
    {USCRIPT_LATIN, 1, "en"},    {USCRIPT_HAN, 3, "zh"},    {USCRIPT_HIRAGANA, 9, "ja"}, {USCRIPT_KATAKANA, 9, "ja"},
    {USCRIPT_HANGUL, 3, "ko"},   {USCRIPT_THAI, 1, "th"},   {USCRIPT_CYRILLIC, 1, "ru"}, {USCRIPT_GREEK, 1, "el"},
    {USCRIPT_ARABIC, 1, "ar"},   {USCRIPT_HEBREW, 1, "he"}, {USCRIPT_DEVANAGARI, 1, "hi"},
};
#define SCRIPTS_N (sizeof scripts / sizeof scripts[0])

struct str kb_lang_of(struct str text)
{
    int count[SCRIPTS_N] = {0};
    size_t i = 0, best = 0, n = text.n < LOOK_BYTES ? text.n : LOOK_BYTES;

    while (i < n) {
        UErrorCode status = U_ZERO_ERROR;
        int32_t c;
        int script;

        U8_NEXT(text.s, i, n, c);
        script = c < 0 ? USCRIPT_COMMON : uscript_getScript(c, &status);
        for (size_t k = 0; k < SCRIPTS_N; k++)
            count[k] += scripts[k].script == script ? scripts[k].weight : 0;
    }
    for (size_t k = 1; k < SCRIPTS_N; k++) {
        if (count[k] > count[best])
            best = k;
    }
    return str_of(scripts[best].lang);
}

static size_t primary(struct str tag)
{
    const char *dash = tag.n ? memchr(tag.s, '-', tag.n) : NULL;

    return dash ? (size_t)(dash - tag.s) : tag.n;
}

int kb_lang_match(struct str want, struct str have)
{
    size_t w = primary(want), h = primary(have);

    if (want.n == have.n && strncasecmp(want.s, have.s, want.n) == 0)
        return 3;
    if (w == h && w > 0 && strncasecmp(want.s, have.s, w) == 0)
        return 2;
    return h == 2 && strncasecmp(have.s, "en", 2) == 0;
}

void kb_langs_fini(struct kb_langs *l)
{
    free(l->tags);
    free(l->fit);
    *l = (struct kb_langs){0};
}

uint16_t kb_langs_put(struct kb_langs *l, struct str tag)
{
    for (unsigned i = 0; i < l->n; i++) {
        if (str_eq(l->tags[i], tag))
            return (uint16_t)i;
    }
    if (l->n == l->cap) {
        l->cap = l->cap ? 2 * l->cap : 8;
        l->tags = mem_realloc(l->tags, l->cap * sizeof *l->tags);
        l->fit = mem_realloc(l->fit, l->cap * sizeof *l->fit);
    }
    l->tags[l->n] = tag;
    l->fit[l->n] = 0;
    return (uint16_t)l->n++;
}

void kb_langs_want(struct kb_langs *l, struct str want)
{
    for (unsigned i = 0; i < l->n; i++)
        l->fit[i] = (uint8_t)kb_lang_match(want, l->tags[i]);
}

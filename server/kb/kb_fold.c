#include "kb/kb_fold.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unicode/uchar.h>
#include <unicode/unorm2.h>
#include <unicode/uscript.h>
#include <unicode/ustring.h>

#include "base/base_buf.h"
#include "kb/kb_simplified.h" /* made at build time: HAN_FIRST, HAN_LAST, simplified[] */

static const UNormalizer2 *nfkd, *nfc;
static pthread_once_t once = PTHREAD_ONCE_INIT;

void kb_fold_must(int status)
{
    if (status == U_MEMORY_ALLOCATION_ERROR)
        mem_out();
    if (U_FAILURE((UErrorCode)status)) {
        fprintf(stderr, "firstline: ICU fails, is its data there? %s\n", u_errorName((UErrorCode)status));
        abort();
    }
}

static void start(void)
{
    UErrorCode status = U_ZERO_ERROR;

    nfkd = unorm2_getNFKDInstance(&status);
    nfc = unorm2_getNFCInstance(&status);
    kb_fold_must(status);
}

/* Latin letters that Unicode doesn't decompose, and what people type instead. */
static const char *plain_letter(UChar32 c)
{
    switch (c) {
    case 0xDF:
    case 0x1E9E:
        return "ss";
    case 0xE6:
        return "ae";
    case 0x153:
        return "oe";
    case 0xF8:
        return "o";
    case 0x111:
    case 0xF0:
        return "d";
    case 0x142:
        return "l";
    case 0x131:
        return "i";
    case 0xFE:
        return "th";
    default:
        return NULL;
    }
}

static bool is_skipped(UChar32 c)
{
    switch (c) {
    case '\'':
    case 0x2018:
    case 0x2019:
    case 0x2BC:
    case 0x2BB:
    case 0xB4:
    case '`':
    case 0x640: /* tatweel */
        return true;
    case 0x200B:
        return false;
    default:
        return u_charType(c) == U_FORMAT_CHAR || (c >= 0x64B && c <= 0x65F) || c == 0x670 ||
               (c >= 0xFE00 && c <= 0xFE0F);
    }
}

static enum kb_fold_kind kind_of_letter(UChar32 c)
{
    UErrorCode status = U_ZERO_ERROR;

    switch (uscript_getScript(c, &status)) {
    case USCRIPT_HAN:
    case USCRIPT_HIRAGANA:
    case USCRIPT_KATAKANA:
    case USCRIPT_HANGUL:
    case USCRIPT_BOPOMOFO:
        return KB_FOLD_GRAM2;
    case USCRIPT_THAI:
    case USCRIPT_LAO:
    case USCRIPT_KHMER:
    case USCRIPT_MYANMAR:
        return KB_FOLD_GRAM3;
    default:
        return c == 0x30FC ? KB_FOLD_GRAM2 : KB_FOLD_WORD; /* the long vowel mark is of no script */
    }
}

static enum kb_fold_kind kind_of(UChar32 c)
{
    int8_t type;

    if (c < 0x80)
        return kb_fold_ascii((char)c) ? KB_FOLD_WORD : c == '\'' || c == '`' ? KB_FOLD_SKIP : KB_FOLD_BREAK;
    if (is_skipped(c))
        return KB_FOLD_SKIP;
    type = u_charType(c);
    switch (type) {
    case U_NON_SPACING_MARK:
    case U_COMBINING_SPACING_MARK:
    case U_ENCLOSING_MARK: {
        UErrorCode status = U_ZERO_ERROR;
        UScriptCode script = uscript_getScript(c, &status);

        if (script == USCRIPT_INHERITED)
            return c == 0x3099 || c == 0x309A ? KB_FOLD_GRAM2 : KB_FOLD_SKIP;
        if (script == USCRIPT_LATIN || script == USCRIPT_GREEK || script == USCRIPT_CYRILLIC)
            return KB_FOLD_SKIP;
        return kind_of_letter(c);
    }
    default:
        return u_isalnum(c) || type == U_MODIFIER_LETTER || type == U_OTHER_LETTER ? kind_of_letter(c) : KB_FOLD_BREAK;
    }
}

static void put(struct kb_folded *out, UChar32 c)
{
    if (out->n == KB_FOLD_MAX)
        return;
    out->kind[out->n] = (uint8_t)kind_of(c);
    out->out[out->n++] = c;
}

static void put_folded(struct kb_folded *out, UChar32 c)
{
    const char *plain;

    if (c >= HAN_FIRST && c <= HAN_LAST) {
        put(out, simplified[c - HAN_FIRST]);
        return;
    }
    c = u_foldCase(c, U_FOLD_CASE_DEFAULT);
    plain = plain_letter(c);
    if (plain) {
        for (; *plain; plain++)
            put(out, *plain);
    } else {
        put(out, c);
    }
}

void kb_fold(int32_t c, struct kb_folded *out)
{
    UChar text[KB_FOLD_MAX];
    UErrorCode status = U_ZERO_ERROR;
    int32_t n, i = 0;

    out->n = 0;
    if (c >= 0 && c < 0x80) {
        put(out, c >= 'A' && c <= 'Z' ? c + 32 : c);
        return;
    }
    if (c < 0) {
        put(out, ' ');
        return;
    }
    pthread_once(&once, start);
    if (c >= 0xAC00 && c <= 0xD7A3) { /* hangul syllables stay whole */
        put(out, c);
        return;
    }
    n = unorm2_getDecomposition(nfkd, c, text, KB_FOLD_MAX, &status);
    if (n < 0 || U_FAILURE(status)) {
        put_folded(out, c);
        return;
    }
    while (i < n) {
        UChar32 d;

        U16_NEXT(text, i, n, d);
        put_folded(out, d);
    }
}

int32_t kb_fold_compose(int32_t a, int32_t b)
{
    if (b < 0x300 || (b < 0x900 && !(b >= 0x600 && b < 0x700)))
        return -1;
    pthread_once(&once, start);
    return unorm2_composePair(nfc, a, b);
}

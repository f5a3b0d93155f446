/*
 * gen_simplified > kb_simplified.h: the simplified form of each Chinese character, from ICU's Traditional-Simplified transform. At build
 * time, because a table costs the server no memory of its own: ICU's transforms take 3 MB and 50 ms of a start.
 */
#include <stdio.h>
#include <stdlib.h>
#include <unicode/uclean.h>
#include <unicode/utrans.h>

#define HAN_FIRST 0x3400
#define HAN_LAST  0x9FFF
#define HAN_N     (HAN_LAST - HAN_FIRST + 1)

/* ICU transforms a whole text; one character and a line feed at a time keeps longer rules from applying. */
int main(void)
{
    static const UChar id[] = u"Traditional-Simplified";
    static UChar text[2 * HAN_N + 16];
    UErrorCode status = U_ZERO_ERROR;
    UParseError where;
    UTransliterator *t = utrans_openU(id, -1, UTRANS_FORWARD, NULL, 0, &where, &status);
    int32_t n = 2 * HAN_N, limit = n;

    for (int32_t i = 0; i < HAN_N; i++) {
        text[2 * i] = (UChar)(HAN_FIRST + i);
        text[2 * i + 1] = '\n';
    }
    if (U_SUCCESS(status))
        utrans_transUChars(t, text, &n, sizeof text / sizeof *text, 0, &limit, &status);
    if (U_FAILURE(status) || n != 2 * HAN_N) {
        fprintf(stderr, "gen_simplified: ICU has no Traditional-Simplified: %s\n", u_errorName(status));
        return 1;
    }
    printf("/* Made by gen_simplified from ICU %s: by character, from U+%04X. */\n"
           "#define HAN_FIRST 0x%X\n#define HAN_LAST 0x%X\n"
           "static const uint16_t simplified[] = {", U_ICU_VERSION, HAN_FIRST, HAN_FIRST, HAN_LAST);
    for (int32_t i = 0; i < HAN_N; i++)
        printf("%s0x%X,", i % 16 ? "" : "\n", text[2 * i]);
    puts("\n};");
    utrans_close(t);
    u_cleanup();
    return fflush(stdout) == 0 ? 0 : 1;
}

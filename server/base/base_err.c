#include "base/base_err.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

const char *err_text(int code)
{
    switch (code) {
    case 0:
        return "no error";
#define ERR_CASE(name, n, text)                                                                                        \
    case ERR_##name:                                                                                                   \
        return text;
        ERR_MAP(ERR_CASE)
#undef ERR_CASE
    default:
        return "unknown error";
    }
}

int err_set(struct err *err, int code, const char *fmt, ...)
{
    va_list ap;

    if (!err)
        return code;
    err->code = code;
    va_start(ap, fmt);
    vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    return code;
}

int err_wrap(struct err *err, int code, const char *fmt, ...)
{
    char old[sizeof err->text];
    va_list ap;
    int n;

    if (!err)
        return code;
    snprintf(old, sizeof old, "%s", err->code ? err->text : err_text(code));
    err->code = code;
    va_start(ap, fmt);
    n = vsnprintf(err->text, sizeof err->text, fmt, ap);
    va_end(ap);
    if (n >= 0 && (size_t)n + 3 < sizeof err->text) {
        size_t room = sizeof err->text - (size_t)n - 3, len = strlen(old);

        memcpy(err->text + n, ": ", 2);
        memcpy(err->text + n + 2, old, len < room ? len : room);
        err->text[(size_t)n + 2 + (len < room ? len : room)] = 0;
    }
    return code;
}

const char *err_why(const struct err *err)
{
    return err->code && err->text[0] ? err->text : err_text(err->code);
}

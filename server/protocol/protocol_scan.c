#include "protocol/protocol_scan.h"

/* From behind an opening quote to behind the closing one; the end if there is none. */
static const char *skip_string(const char *p, const char *end)
{
    const char *from = p;

    while ((p = memchr(p, '"', (size_t)(end - p)))) {
        size_t slashes = 0;

        while (p - slashes > from && p[-1 - (ptrdiff_t)slashes] == '\\')
            slashes++;
        if (slashes % 2 == 0)
            return p + 1;
        from = ++p; /* an escaped quote: backslashes before it are done with */
    }
    return end;
}

enum scan_result scan_json(struct str text, unsigned depth, unsigned keys)
{
    const char *p = text.s, *end = text.s + text.n;
    unsigned open = 0, seen = 0;

    while (p < end) {
        switch (*p++) {
        case '"':
            p = skip_string(p, end);
            break;
        case '{':
        case '[':
            if (++open > depth)
                return SCAN_TOO_DEEP;
            break;
        case '}':
        case ']':
            open -= open > 0;
            break;
        case ':':
            if (++seen > keys)
                return SCAN_TOO_MANY_KEYS;
            break;
        default:
            break;
        }
    }
    return SCAN_OK;
}

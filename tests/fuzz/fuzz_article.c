/* An article's file: a refusal is one sentence; what is taken is UTF-8, and its HTML has no script, no handler and no link that runs one. */
#include "fuzz.h"

#include "kb/kb_article.h"
#include "protocol/protocol.h"

#include <strings.h>

static bool has_tag(const char *html, const char *name)
{
    for (const char *p = html; (p = strchr(p, '<')); p++)
        if (strncasecmp(p + 1, name, strlen(name)) == 0)
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t n)
{
    struct kb_article *a = NULL;
    struct err err = {0};

    if (!utf8_is_valid((struct str){(const char *)bytes, n}))
        return 0; /* kb_files has refused it */
    if (kb_article_read((struct str){(const char *)bytes, n}, "f.md", &a, &err) < 0) {
        MUST(err.text[0] && !strchr(err.text, '\n'));
        return 0;
    }
    MUST(a->id[0] && utf8_is_valid(str_of(a->title)) && utf8_is_valid(str_of(a->text)) && utf8_is_valid(str_of(a->html)));
    MUST(!has_tag(a->html, "script") && !has_tag(a->html, "iframe") && !has_tag(a->html, "style") && !has_tag(a->html, "img src=\"javascript"));
    MUST(!strcasestr(a->html, "href=\"javascript:") && !strcasestr(a->html, "href=\"vbscript:") && !strcasestr(a->html, "href=\"file:"));
    kb_article_unref(a);
    return 0;
}

/* kb_markdown: cmark-gfm, tables and strikethrough on, raw HTML off (its default since 0.29). */
#include <cmark-gfm.h>
#include <cmark-gfm-core-extensions.h>
#include <pthread.h>
#include <stdlib.h>

#include "kb/kb_article.h"

/* Extensions are registered once and for all; cmark keeps them in a global list. */
static pthread_once_t once = PTHREAD_ONCE_INIT;

static cmark_node *parse(struct str markdown, cmark_parser **out)
{
    static const char *const extensions[] = {"table", "strikethrough", "autolink"};
    cmark_parser *p;

    pthread_once(&once, cmark_gfm_core_extensions_ensure_registered);
    p = cmark_parser_new(CMARK_OPT_VALIDATE_UTF8);
    for (size_t i = 0; i < sizeof extensions / sizeof extensions[0]; i++) {
        cmark_syntax_extension *e = cmark_find_syntax_extension(extensions[i]);

        if (e)
            cmark_parser_attach_syntax_extension(p, e);
    }
    cmark_parser_feed(p, markdown.s ? markdown.s : "", markdown.n);
    *out = p;
    return cmark_parser_finish(p);
}

char *kb_markdown_html(struct str markdown)
{
    cmark_parser *p;
    cmark_node *doc = parse(markdown, &p);
    char *html = cmark_render_html(doc, CMARK_OPT_DEFAULT, cmark_parser_get_syntax_extensions(p));

    cmark_node_free(doc);
    cmark_parser_free(p);
    return html;
}

char *kb_markdown_text(struct str markdown)
{
    cmark_parser *p;
    cmark_node *doc = parse(markdown, &p);
    char *text = cmark_render_plaintext(doc, CMARK_OPT_DEFAULT, 0);
    size_t n = strlen(text);

    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
        text[--n] = 0;
    cmark_node_free(doc);
    cmark_parser_free(p);
    return text;
}

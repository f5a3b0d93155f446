/* kb_markdown: cmark-gfm, tables and strikethrough on, raw HTML off (its default since 0.29). */
#include <cmark-gfm.h>
#include <cmark-gfm-core-extensions.h>
#include <pthread.h>
#include <stdlib.h>

#include "base/base_buf.h"
#include "kb/kb_article.h"

static pthread_once_t once = PTHREAD_ONCE_INIT;

static void *zeroed(size_t n, size_t size)
{
    void *p = mem_ask_zeroed(n, size);

    if (!p)
        abort(); /* it can't go on; mem_ask_zeroed() has said why */
    return p;
}

/* Extensions are registered once and for all: cmark keeps them in a global list. Where memory is refused its
 * own allocator ends the process too, but not in our words. */
static void start(void)
{
    *cmark_get_default_mem_allocator() = (cmark_mem){zeroed, mem_realloc, free};
    cmark_gfm_core_extensions_ensure_registered();
}

static cmark_node *parse(struct str markdown, cmark_parser **out)
{
    static const char *const extensions[] = {"table", "strikethrough", "autolink"};
    cmark_parser *p;

    pthread_once(&once, start);
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

    for (size_t i = 0; i < n; i++)
        if ((unsigned char)text[i] >= 0xfe) /* cmark writes U+FFFE and U+FFFF, which are no characters, as one byte, which is no UTF-8 */
            text[i] = ' ';
    while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
        text[--n] = 0;
    cmark_node_free(doc);
    cmark_parser_free(p);
    return text;
}

/*
 * kb_article: one version (one language) of one article: a Markdown file with front matter, read and checked.
 *
 *     ---
 *     id: refund-timing               lower-case letters, digits, '-'; the same in all languages
 *     title: When a refund arrives
 *     lang: en                        as in BCP 47: en, zh-CN …
 *     department: aftersales          optional; "general" (or none): for all
 *     audience: shopper               shopper | rep; a rep sees both
 *     valid_from: 2026-01-01          optional, first day (UTC)
 *     valid_until: 2027-12-31         optional, last day (UTC)
 *     keywords: [refund, money back]  optional
 *     questions:                      optional: what people ask, in their words
 *       - where is my money
 *     ---
 *     The answer, in Markdown.
 *
 * Owns    all its text, made once and never changed: shared by reference count.   Thread  any.
 * Bounds  KB_FILE_BYTES a file, KB_TITLE_CHARS a title, KB_LIST_MAX keywords and questions each.
 * Errors  name the file, the line and the cure.   Source  CommonMark + GFM (cmark-gfm), raw HTML dropped.
 */
#ifndef KB_ARTICLE_H
#define KB_ARTICLE_H

#include <stdatomic.h>

#include "base/base_buf.h"
#include "base/base_err.h"

#define KB_FILE_BYTES (256 * 1024)
#define KB_LIST_MAX 64
#define KB_ID_BYTES 64
#define KB_TITLE_CHARS 300 /* titles stand in entries of chats, several in one */

enum kb_audience { KB_SHOPPER, KB_REP };

struct kb_article {
    atomic_uint refs;
    char *id;         /* never NULL nor empty */
    char *lang;       /* never NULL; "en", "zh-CN" */
    char *title;      /* never NULL, may be empty */
    char *department; /* never NULL; "general": for all */
    enum kb_audience audience;
    int64_t valid_from_ms;  /* 0: always was */
    int64_t valid_until_ms; /* first moment it is no longer valid; INT64_MAX: never ends */
    char *keywords[KB_LIST_MAX];
    unsigned keywords_n;
    char *questions[KB_LIST_MAX];
    unsigned questions_n;
    char *body; /* Markdown, as in the file */
    char *text; /* the body as plain text */
    char *html; /* the body as safe HTML */
};

/* Reads one file's text; name is what errors call it. *out belongs to the caller (kb_article_unref). */
int kb_article_read(struct str file, const char *name, struct kb_article **out, struct err *err);
/* An article that is no file: fields are copied, the rest as in an article without them. body is Markdown. */
struct kb_article *kb_article_make(struct str id, struct str lang, struct str title, struct str body);

struct kb_article *kb_article_ref(struct kb_article *a);
/* Frees it with the last reference. NULL is fine. */
void kb_article_unref(struct kb_article *a);

/* Markdown → safe HTML (raw HTML and script links dropped) or plain text; caller frees with free(). */
char *kb_markdown_html(struct str markdown);
char *kb_markdown_text(struct str markdown);

#endif

/*
 * archive_snippet: a search as people type it: taken apart for FTS5, and found again in a text to be shown.
 *
 * Thread  any, one at a time.   Bounds  ARCHIVE_TERMS_MAX words or phrases; what is over is left out.
 */
#ifndef ARCHIVE_SNIPPET_H
#define ARCHIVE_SNIPPET_H

#include "archive/archive_fold.h"

#define ARCHIVE_TERMS_MAX 16

struct archive_search {
    unsigned terms_n;
    struct str term[ARCHIVE_TERMS_MAX];   /* each an FTS5 expression of one quoted word or phrase */
    struct str phrase[ARCHIVE_TERMS_MAX]; /* its tokens as they stand in the index, a NUL behind each */
    char *bytes;                          /* owns both */
};

void archive_search_init(struct archive_search *s, struct str text);
void archive_search_fini(struct archive_search *s);
/*
 * Writes the members "snippet" and, if words were found in it, "marks" of an object under way: some 160
 * characters around the first one, and [start, length] of each, in characters (code points). Nothing if text
 * is empty.
 */
void archive_snippet_write(const struct archive_search *s, struct str text, struct buf *out);

#endif

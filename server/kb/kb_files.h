/*
 * kb_files: the articles' files, from a directory or built into the program.
 *
 * Bounds  KB_ARTICLES_MAX files, KB_FILE_BYTES each.   Thread  any; blocks (disk).
 */
#ifndef KB_FILES_H
#define KB_FILES_H

#include "kb/kb_article.h"

struct kb_files {
    struct kb_article **articles; /* each referenced once */
    unsigned n, cap;
    char *synonyms; /* text of synonyms.txt, or NULL */
    uint64_t stamp; /* of all names, sizes and times: differs when something changed */
};

void kb_files_fini(struct kb_files *f);
/* Reads all *.md in the folders below dir (one a language). With problem given, broken files are told to it and left
 * out; else the first one is the error. */
int kb_files_read_dir(const char *dir, void (*problem)(void *ctx, const char *what), void *ctx, struct kb_files *out,
                      struct err *err);
int kb_files_read_embedded(struct kb_files *out, struct err *err);
/* The stamp alone, without reading any file. */
int kb_files_stamp(const char *dir, uint64_t *out, struct err *err);

#endif

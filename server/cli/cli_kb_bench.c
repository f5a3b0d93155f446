/*
 * `firstline kb bench [DIR]`: how often an article is found by a question of its own that the index doesn't hold.
 *
 * Round k leaves the k-th question of every article out, loads the rest, and asks what was left out. Prints recall per
 * language; exit 1 where one stays below the share that the shop's own articles have to reach.
 */
#include "archive/archive_kb.h"
#include "cli/cli_kb.h"
#include "kb/kb.h"
#include "kb/kb_files.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define LEAST_SHARE 0.8
#define LANGS_MAX   8

struct tally {
    char lang[16];
    unsigned asked, first, three;
};

static struct tally *tally_of(struct tally *t, const char *lang)
{
    for (unsigned i = 0; i < LANGS_MAX; i++) {
        if (!t[i].lang[0])
            snprintf(t[i].lang, sizeof t[i].lang, "%s", lang);
        if (strcmp(t[i].lang, lang) == 0)
            return &t[i];
    }
    return &t[0];
}

static int ask(struct kb *kb, const struct kb_article *a, const char *question, struct tally *t, const struct cli_kb_env *env)
{
    struct kb_filter filter = {.lang = str_of(a->lang), .audience = KB_REP};
    struct kb_hit hits[3];
    struct err err = {0};
    int n = kb_suggest(kb, str_of(question), &filter, 3, hits, &err);

    if (n < 0) {
        fprintf(env->err, "firstline: %s\n", err_why(&err));
        return n;
    }
    t->asked++;
    t->first += n > 0 && strcmp(hits[0].id, a->id) == 0;
    for (int i = 0; i < n; i++)
        t->three += strcmp(hits[i].id, a->id) == 0;
    if (n == 0 || strcmp(hits[0].id, a->id) != 0)
        fprintf(env->out, "missed  %-5s %-28s %s%s%s\n", a->lang, a->id, question, n > 0 ? "  found first: " : "", n > 0 ? hits[0].id : "");
    kb_hits_fini(hits, (unsigned)n);
    return 0;
}

/* One round on a fresh knowledge base. */
static int run_round(const struct kb_files *files, unsigned k, struct tally *t, const struct cli_kb_env *env, struct err *err)
{
    struct archive_kb *store = NULL;
    struct kb *kb = NULL;
    struct kb_port port;
    char **left = calloc(files->n, sizeof *left);
    int rc = left ? archive_kb_open(NULL, &store, err) : ERR_NO_MEMORY;

    if (rc == 0) {
        archive_kb_port(store, &port);
        rc = kb_open(&port, &kb, err);
    }
    for (unsigned i = 0; rc == 0 && i < files->n; i++) { /* the question moves behind the end of the list */
        struct kb_article *a = files->articles[i];

        if (k < a->questions_n) {
            left[i] = a->questions[k];
            a->questions[k] = a->questions[a->questions_n - 1];
            a->questions[--a->questions_n] = left[i];
        }
    }
    if (rc == 0)
        rc = kb_load_articles(kb, files->articles, files->n, str_of(files->synonyms), err);
    for (unsigned i = 0; rc == 0 && i < files->n; i++)
        if (left[i])
            rc = ask(kb, files->articles[i], left[i], tally_of(t, files->articles[i]->lang), env);
    for (unsigned i = 0; left && i < files->n; i++) {
        struct kb_article *a = files->articles[i];

        if (left[i]) {
            a->questions[a->questions_n++] = a->questions[k];
            a->questions[k] = left[i];
        }
    }
    kb_close(kb);
    archive_kb_close(store);
    free(left);
    return rc;
}

int cli_kb_bench(const char *dir, const struct cli_kb_env *env)
{
    struct kb_files files;
    struct tally t[LANGS_MAX] = {{.asked = 0}};
    struct err err = {0};
    bool good = true;
    int rc = dir ? kb_files_read_dir(dir, NULL, NULL, &files, &err) : kb_files_read_embedded(&files, &err);

    if (rc < 0) {
        fprintf(env->err, "firstline: %s\n", err_why(&err));
        return 1;
    }
    for (unsigned k = 0; rc == 0 && k < 3; k++)
        rc = run_round(&files, k, t, env, &err);
    kb_files_fini(&files);
    if (rc < 0) {
        fprintf(env->err, "firstline: %s\n", err_why(&err));
        return 1;
    }
    for (unsigned i = 0; i < LANGS_MAX && t[i].asked; i++) {
        double share = (double)t[i].first / t[i].asked;

        fprintf(env->out, "%-6s %u questions left out of the index: first %.3f, among three %.3f (must: first >= %.2f)\n", t[i].lang,
                t[i].asked, share, (double)t[i].three / t[i].asked, LEAST_SHARE);
        good = good && share >= LEAST_SHARE;
    }
    return good ? 0 : 1;
}

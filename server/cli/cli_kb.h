/*
 * cli_kb: `firstline kb check|build|suggest|eval|bench|gaps`: articles checked, loaded, asked and measured by hand.
 *
 * Errors  one sentence on env->err; exit codes 0 fine, 1 it failed (or a file is broken), 2 wrong usage.
 * Source  PROTOCOL "command line"; what eval prints is one JSON object a line:
 *         {"query_id":…,"ranked":[ids, best first],"scores":[…],"confidence":p,"us":microseconds}
 *         and with --times one more on env->err: how long loading took without and with the marks, and an accept.
 */
#ifndef CLI_KB_H
#define CLI_KB_H

#include <stdio.h>

struct err;

struct cli_kb_env {
    const char *data_dir; /* where kb.sqlite lives; NULL: in memory, nothing is kept */
    const char *kb_dir;   /* the articles' folder; NULL: those built into the program */
    FILE *out, *err;      /* stdout and stderr */
};

/* argv[0] is the word behind `kb`: "check", … Returns the exit code. */
int cli_kb(int argc, char **argv, const struct cli_kb_env *env);

/* `kb bench`: each article's questions, left out of the index, find their article; exit 1 below the share they must reach. */
int cli_kb_bench(const char *dir, const struct cli_kb_env *env);

/* `kb gaps`: see cli_kb_gaps.c. */
int cli_kb_gaps(const char *dir, const struct cli_kb_env *env);
/* Calls fn for each query of dir/queries.jsonl that has an article. */
int cli_kb_each_asked(const char *dir, void (*fn)(void *ctx, const char *article, const char *text), void *ctx, struct err *err);

#endif

/* What the tests of suggestions share: a knowledge base over tables in memory, marks, the first suggestion. */
#ifndef KB_KIT_H
#define KB_KIT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "archive/archive_kb.h"
#include "base/base_crypto.h"
#include "kb/kb.h"
#include "log/log.h"

struct kit {
    struct archive_kb *tables;
    struct kb *kb;
    int64_t now_ms;
    struct kb_hit hit[5]; /* of the last question */
    int hits;
};

static inline int kit_setup(void **state)
{
    struct kit *k = calloc(1, sizeof *k);
    struct err err = {.text = ""};
    struct kb_port port;

    log_set_level(LOG_ERROR);
    if (crypto_start(&err) < 0 || archive_kb_open(NULL, &k->tables, &err) < 0)
        return -1;
    archive_kb_port(k->tables, &port);
    *state = k;
    return kb_open(&port, &k->kb, &err);
}

static inline void kit_forget(struct kit *k)
{
    if (k->hits > 0)
        kb_hits_fini(k->hit, (unsigned)k->hits);
    k->hits = 0;
}

static inline int kit_teardown(void **state)
{
    struct kit *k = *state;

    kit_forget(k);
    kb_close(k->kb);
    archive_kb_close(k->tables);
    free(k);
    return 0;
}

/* Loads the articles built into the program: the demo shop's, in English and Chinese. */
static inline void kit_load(struct kit *k)
{
    struct err err = {.text = ""};

    if (kb_load_embedded(k->kb, &err) < 0)
        fail_msg("%s", err.text);
}

/* The id of the first suggestion, "" without any. */
static inline const char *kit_first(struct kit *k, const char *question)
{
    struct kb_filter filter = {.audience = KB_REP};

    kit_forget(k);
    k->hits = kb_suggest(k->kb, str_of(question), &filter, 5, k->hit, NULL);
    assert_true(k->hits >= 0);
    return k->hits > 0 ? k->hit[0].id : "";
}

/* The confidence that the article has for the question, 0 if it is not among the first five. */
static inline double kit_confidence(struct kit *k, const char *article, const char *question)
{
    kit_first(k, question);
    for (int i = 0; i < k->hits; i++)
        if (strcmp(k->hit[i].id, article) == 0)
            return k->hit[i].confidence;
    return 0;
}

static inline int kit_accept(struct kit *k, const char *article, const char *question, const char *who)
{
    return kb_accept(k->kb, str_of(article), str_of(question), str_of(who), ++k->now_ms, NULL);
}

static inline int kit_reject(struct kit *k, const char *article, const char *question, const char *who)
{
    return kb_reject(k->kb, str_of(article), str_of(question), str_of(who), ++k->now_ms, NULL);
}

#endif

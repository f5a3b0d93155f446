/*
 * kb: a question → the articles that answer it, with an honest confidence; better after each accept, at once.
 *
 *   article   one id; it may exist in several languages, each a version (kb_article.h)
 *   mark      what a rep made of a suggestion: accepted or rejected, with the question, who and when. Articles and marks
 *             are the truth and live in tables; the index and the learner's weights are derived and rebuilt from them.
 *   set       one generation of all that is derived; a reload builds the next one aside and swaps it in.
 *
 * Owns    everything it loads; copies what it is given.   Units  bytes, epoch milliseconds, probabilities 0..1.
 * Bounds  KB_ARTICLES_MAX versions, KB_QUESTION_BYTES of a question are read (of many articles, see below, fewer), one person's marks on one article count
 *         up to KB_PERSON_MARKS times and once for each question: what is over moves no weight, and answers its own words
 *         alone (kb_marks.h). KB_MARKS_MAX marks are in use.
 *         A question's work is bounded by count, never by the clock (kb_grams.h, kb_learn.h, kb_spelling.h): each node answers the same.
 * Thread  any: queries and marks may come from several worker threads at once; loading builds beside them.
 *         kb_suggest() is meant to take well under 2 ms; kb_accept() writes to disk: never on the loop thread.
 * Errors  on any error nothing changed.   Source  MISSION 5; KB.md's measurements stand in kb_tuning.c.
 */
#ifndef KB_H
#define KB_H

#include "base/base_buf.h"
#include "base/base_err.h"
#include "kb/kb_article.h"

#define KB_ARTICLES_MAX 10000
#define KB_QUESTION_BYTES 2048
/* Of more articles than this the work for so long a question would not fit into the deadline: its begin is read. */
#define KB_MANY_ARTICLES          2000
#define KB_QUESTION_BYTES_OF_MANY 768
#define KB_QUESTION_MAX (64 * 1024) /* a longer question is refused: ERR_TOO_LARGE */
#define KB_PERSON_MARKS 50
#define KB_MARKS_MAX 20000
#define KB_HITS_MAX 50

/* From which confidence on a suggestion is shown. */
#define KB_SHOW_REP 0.3
#define KB_SHOW_SHOPPER 0.8

enum kb_verdict { KB_ACCEPTED, KB_REJECTED };

/* A row of the marks table. Strings are borrowed. */
struct kb_mark {
    struct str article;  /* its id */
    struct str question; /* as the shopper wrote it */
    struct str who;      /* the rep */
    int64_t at_ms;
    enum kb_verdict verdict;
};

/* What kb needs from below: the tables of truth. All of ctx must outlive the kb, state too. */
struct kb_port {
    void *ctx;
    const char *state; /* path of the file that what was learned is kept in (kb_state.h); NULL: nowhere, and each start learns again */
    /* Truth; any thread. Adds a mark; the same (article, question, who, at_ms) again is ERR_EXISTS. */
    int (*mark_add)(void *ctx, const struct kb_mark *mark, struct err *err);
    /* Takes back who's newest mark on (article, question); it stays in the table as undone. ERR_NOT_FOUND if none. */
    int (*mark_undo)(void *ctx, const struct kb_mark *mark, struct err *err);
    /* Calls fn for the newest marks that stand, at most max and, where there are more, not fewer than max - 1000, oldest first.
     * fn's non-zero answer ends it. */
    int (*mark_each)(void *ctx, unsigned max, int (*fn)(void *arg, const struct kb_mark *mark), void *arg, struct err *err);
    /* Keeps those of the articles as new versions that differ from their newest ones, in one transaction. */
    int (*articles_save)(void *ctx, struct kb_article *const *articles, unsigned n, struct err *err);
};

struct kb_filter {
    struct str lang;          /* wanted language, "zh-CN"; .n 0: that of the question */
    enum kb_audience audience; /* KB_SHOPPER: only what shoppers may see */
    int64_t now_ms;           /* for valid_from/valid_until; 0: not looked at */
};

/* One suggestion. Strings live until kb_hits_fini(). */
struct kb_hit {
    const char *id, *lang, *title, *text, *html;
    double confidence;          /* probability that this is the answer */
    struct kb_article *article; /* held */
};

struct kb;

/* An empty knowledge base over the port (copied). */
int kb_open(const struct kb_port *port, struct kb **out, struct err *err);
void kb_close(struct kb *kb);

/*
 * Loads all *.md below dir/en, dir/zh-CN … (each folder a language), and dir/synonyms.txt if there is one, and swaps
 * them in; the marks of the port are learned again. Any broken file: nothing changes, *err says file, line, cure.
 */
int kb_load_dir(struct kb *kb, const char *dir, struct err *err);
/* The same from the files built into the program ("kb/…"). */
int kb_load_embedded(struct kb *kb, struct err *err);
/* The same from articles in memory (each is referenced). synonyms: text in the form of synonyms.txt, or absent. */
int kb_load_articles(struct kb *kb, struct kb_article **articles, unsigned n, struct str synonyms, struct err *err);
/* Loads the directory again if a file in it has changed since; *changed says whether it did. Cheap if not. */
int kb_reload(struct kb *kb, bool *changed, struct err *err);
/* Reads and checks all files below dir without loading them; calls problem for each broken one. Returns how many
 * articles are fine, or ERR_* if dir can't be read. */
int kb_check_dir(const char *dir, void (*problem)(void *ctx, const char *what), void *ctx, struct err *err);
/* How many ids and versions are loaded. */
void kb_count(struct kb *kb, unsigned *ids, unsigned *versions);

/*
 * The best answers to question, best first, at most max. Returns how many were written to out (0: none), or ERR_*.
 * Nothing is held back for low confidence: compare with KB_SHOW_*. Caller: kb_hits_fini(out, n).
 */
int kb_suggest(struct kb *kb, struct str question, const struct kb_filter *filter, unsigned max, struct kb_hit out[],
               struct err *err);
void kb_hits_fini(struct kb_hit *hits, unsigned n);
/* One article in the wanted language, or another if it isn't there. ERR_NOT_FOUND. Caller: kb_hits_fini(out, 1). */
int kb_find(struct kb *kb, struct str id, struct str lang, struct kb_hit *out, struct err *err);

/*
 * A rep used the article for the question: learned before this returns. ERR_NOT_FOUND: no such article (while others are
 * loaded it is kept for one that comes with them); ERR_EXISTS: this very mark is known, nothing changed (so a log of marks may be fed again).
 */
int kb_accept(struct kb *kb, struct str article, struct str question, struct str who, int64_t at_ms, struct err *err);
/* A rep said that the article does not answer the question. */
int kb_reject(struct kb *kb, struct str article, struct str question, struct str who, int64_t at_ms, struct err *err);
/* Takes back who's newest mark on (article, question). The weights are rebuilt from what stands. */
int kb_undo(struct kb *kb, struct str article, struct str question, struct str who, struct err *err);

#endif
